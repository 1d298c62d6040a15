"""A search that begins with another plan."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from tests.support.clock import AMPLE

# Any plan is near enough: what it begins with counts.
SHORT = SolveLimits(seconds=AMPLE, gap=9.0, threads=1)

pytestmark = pytest.mark.usefixtures("warm_module")


@pytest.fixture(scope="module")
def portfolio():
    return generate_portfolio(40, 6, 18, seed=5)


@pytest.fixture(scope="module")
def good(portfolio):
    return optimize(portfolio, limits=SolveLimits(seconds=AMPLE, gap=1.0))


def attempt(plan, solver):
    return next(a for a in plan.report.attempts if a["solver"] == solver)


def test_the_answer_is_never_worse_than_the_plan_to_begin_with(portfolio, good):
    again = optimize(portfolio, limits=SHORT, start=good)
    assert again.objective >= good.objective
    assert attempt(again, "start")["outcome"] == "feasible"
    rows = optimize(portfolio, limits=SHORT, start=good.schedule)
    assert rows.objective >= good.objective


def test_what_no_longer_fits_is_moved_or_left_out(portfolio, good):
    less = portfolio.replace(capacity=portfolio.capacity * 0.8)
    assert len(Plan(less, good.schedule).violations)
    plan = optimize(less, limits=SHORT, start=good)
    assert plan.report.certified
    assert plan.violations.empty
    assert attempt(plan, "start")["outcome"] == "feasible"


def test_a_plan_near_another_keeps_its_starts(portfolio, good):
    compiled = compile_options(portfolio.validate())
    near = np.array([good.starts.get(n, np.nan) for n in compiled.names], dtype=float)
    chosen = greedy(compiled.options, near=near)
    assert chosen is not None
    starts = compiled.starts_of(chosen)
    assert good.starts.items() <= starts.items()


def test_a_plan_of_a_portfolio_with_other_projects_helps_too(portfolio, good):
    gone = next(iter(good.starts))
    fewer = portfolio.filter(lambda projects: projects["project"] != gone)
    plan = optimize(fewer, limits=SHORT, start=good)
    assert gone not in plan.starts
    assert plan.report.certified


def test_a_schedule_with_an_unknown_project_is_refused(portfolio):
    with pytest.raises(DataError, match="No such project"):
        optimize(portfolio, start={"NOBODY": "2027-01"})
