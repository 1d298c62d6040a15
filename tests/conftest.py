"""Portfolios that many tests read; whoever edits one in place takes a snapshot."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

# Before NumPy is loaded. Workers have a core each: threads for small matrices would
# wait for each other there, and take three times as long for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from tests.support.counts import tried
from tests.support.running_order import begin_kernels, in_order
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# A busy machine is no fault of a strategy.
settings.register_profile(
    "busy",
    max_examples=tried(200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Look for garbage neither while modules load nor among what they hold, ever.

    Whatever is loaded stays; to look through it again and again took a fifteenth of
    the time of all tests. What tests make is looked through less often, too: that took
    a twentieth.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = in_order(items, workers)


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    """Make machine code beside whatever comes first, once for all workers."""
    together = session.config.getoption("numprocesses", None)
    session.config.kernels = begin_kernels() if together else None
    return (yield)


def pytest_sessionfinish(session):
    kernels = getattr(session.config, "kernels", None)
    if kernels is not None:
        kernels.terminate()
        kernels.wait()


@pytest.fixture(scope="session")
def tiny() -> Portfolio:
    return tiny_portfolio()


@pytest.fixture(scope="session")
def everything() -> Portfolio:
    return everything_portfolio()


@pytest.fixture(scope="session")
def solver_server():
    from tests.support.warm_solver import Server

    server = Server()
    yield server
    server.close()


@contextmanager
def forked_solvers(request):
    """Let solver processes be forks of one that has loaded everything."""
    from pmo_analytics.optimization.workers import process

    with pytest.MonkeyPatch.context() as patch:
        if os.name == "posix":
            server = request.getfixturevalue("solver_server")
            patch.setattr(process, "start_process", server.start)
        yield


@pytest.fixture
def warm_solver(request):
    with forked_solvers(request):
        yield


@pytest.fixture(scope="module")
def warm_module(request):
    """The same for a whole module, what it makes once included."""
    with forked_solvers(request):
        yield
