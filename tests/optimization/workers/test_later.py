"""The solver's process loads what it uses, and nothing else before it is used."""

from __future__ import annotations

import sys

import pytest

from pmo_analytics.optimization.workers.lazy_modules import load_later
from tests.support.clock import AMPLE
from tests.support.fresh_process import assert_runs


def test_a_solver_process_loads_no_tables_and_no_parsers_of_logs():
    code = """
import sys
from pmo_analytics.optimization.workers import child
child.load_later(*child._LATER)
from pmo_analytics.optimization.heuristics import alternation
from pmo_analytics.optimization.workers import array_job, proof_job, pulp_job
from pmo_analytics.optimization.workers import infeasible_subset, repair_job
heavy = {"pandas", "scipy.linalg", "scipy.optimize", "matplotlib", "pydantic"}
heavy |= {"numpy.testing._private.utils", "numpy.f2py.crackfortran"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
import numpy.testing
numpy.testing.assert_equal(1, 1)
import numpy.f2py.crackfortran
import orloge
assert callable(orloge.get_info_solver)
"""
    assert_runs(code)


def test_only_the_processes_that_use_highs_load_it():
    """Other solvers cannot be loaded beside it, in the session or in its children."""
    assert_runs(
        f"""
import logging
import sys
import pmo_analytics as pmo
from types import SimpleNamespace
from pmo_analytics.optimization.workers import child
from pmo_analytics.optimization.jobs import (SolveJob,)
from pmo_analytics.optimization.model.compiling import compile_options
# Whether kernels are compiled first is no matter here, nor how long that takes.
logging.disable()
portfolio = pmo.generate_portfolio(25, 3, 18, seed=0)
limits = pmo.SolveLimits(seconds={AMPLE}, gap=0.02, threads=1)
plan = pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds={AMPLE}, gap=0.02))
assert plan.report.certificate["branches"], "what the next one takes up"
pmo.optimize(portfolio, limits=limits, start=plan)
assert "highspy" not in sys.modules, "optimize"
job = SolveJob(seconds=1, solver="other")
# PuLP loads what it likes: what comes before it is looked at.
stub = SimpleNamespace(solve_elsewhere=lambda *_: None)
sys.modules["pmo_analytics.optimization.workers.pulp_job"] = stub
child._work(compile_options(portfolio.validate()).options.arrays(), job, [], None)
assert "highspy" not in sys.modules, "the process of another solver"
"""
    )


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is not loaded, with a module inside it."""
    folder = tmp_path / "seldom_used"
    folder.mkdir()
    (folder / "__init__.py").write_text("from sys import maxsize as most\n")
    (folder / "inner.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield "seldom_used"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_first_look_loads_a_module(package):
    load_later(package)
    import seldom_used as seen

    assert seen.most == sys.maxsize
    assert sys.modules[package] is not seen
    assert sys.modules[package].most == sys.maxsize
    assert seen.most == sys.maxsize  # whoever holds the stub still sees everything


def test_names_inside_a_package_load_by_any_way_to_ask(package):
    load_later(f"{package}.inner")
    import seldom_used

    assert "answer" not in vars(seldom_used.inner)
    from seldom_used.inner import answer

    assert answer == 42
    assert vars(seldom_used.inner)["answer"] == 42


def test_what_is_loaded_stays_and_what_is_not_there_is_missed():
    module = sys.modules["json"]
    load_later("json", "no_such_module_at_all")
    assert sys.modules["json"] is module
    stub = sys.modules["no_such_module_at_all"]
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        stub.anything  # noqa: B018
    assert "no_such_module_at_all" not in sys.modules
