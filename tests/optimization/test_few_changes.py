"""Plans that change few projects: against every plan that changes one, and bounds."""

from __future__ import annotations

import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import SolverError
from pmo_analytics.optimization import check_plan, optimize_few
from pmo_analytics.plan import Plan
from pmo_analytics.tables import allowed_starts, start_windows
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")
LIMITS = pmo.SolveLimits(seconds=AMPLE)


@pytest.fixture(scope="module")
def shocked() -> tuple[pmo.Portfolio, dict[str, int]]:
    """Give a portfolio with its best plan, in which values have changed since."""
    portfolio = pmo.generate_portfolio(9, n_roles=2, n_periods=8, seed=5, fit=0.5)
    plan = pmo.optimize(portfolio, limits=LIMITS)
    rows = portfolio.projects.copy()
    rows["value"] = rows["value"].to_numpy()[::-1]
    return portfolio.replace(projects=rows).validate(), plan.starts


def changed_by_one(portfolio: pmo.Portfolio, starts: dict[str, int]) -> list[float]:
    """Return the worth of every plan that keeps the rules and changes one project."""
    found = []
    options = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    for name, own in options.items():
        for start in [None, *own.tolist()]:
            other = {n: s for n, s in starts.items() if n != name}
            if start is not None:
                other[name] = int(start)
            plan = Plan.from_starts(portfolio, other)
            if check_plan(portfolio, plan.schedule).violations.empty:
                found.append(plan.objective)
    return found


def differences(portfolio: pmo.Portfolio, starts: dict[str, int], plan: Plan) -> int:
    live = start_windows(portfolio.projects, portfolio.horizon).index
    return sum(starts.get(name) != plan.starts.get(name) for name in live)


def test_one_change_is_the_best_of_all_that_change_one(shocked):
    portfolio, starts = shocked
    plan = optimize_few(portfolio, starts, 1, limits=LIMITS)
    best = max(changed_by_one(portfolio, starts))
    assert plan.objective == pytest.approx(best)
    assert differences(portfolio, starts, plan) <= 1
    assert plan.report.bound == pytest.approx(best, rel=1e-5)


def test_more_changes_are_worth_more_up_to_the_best_plan(shocked):
    portfolio, starts = shocked
    whole = pmo.optimize(portfolio, limits=LIMITS)
    same = optimize_few(portfolio, starts, 0, limits=LIMITS)
    assert same.starts == starts
    before = same.objective
    for most in (2, 9):
        plan = optimize_few(portfolio, starts, most, limits=LIMITS)
        assert differences(portfolio, starts, plan) <= most
        assert plan.objective >= before - 1e-9
        before = plan.objective
    assert before == pytest.approx(whole.objective)


def test_who_does_not_count_stays_or_is_kept(shocked):
    portfolio, starts = shocked
    free = optimize_few(portfolio, starts, 0, apart=list(starts), limits=LIMITS)
    assert set(free.starts) <= set(starts)
    name = next(iter(starts))
    plan = optimize_few(portfolio, starts, 9, kept=[name], stays=[name], limits=LIMITS)
    assert plan.starts[name] == starts[name]
    held = optimize_few(portfolio, starts, 9, free=[name], limits=LIMITS)
    assert {n for n in starts if held.starts.get(n) != starts[n]} <= {name}


def test_no_plan_with_as_few_changes_is_said(shocked):
    portfolio, starts = shocked
    capacity = portfolio.capacity * 0.0
    with pytest.raises(SolverError) as caught:
        optimize_few(portfolio.replace(capacity=capacity), starts, 1, limits=LIMITS)
    assert caught.value.status == "infeasible"
