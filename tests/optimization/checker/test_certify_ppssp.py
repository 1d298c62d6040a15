"""The checker against published instances and solutions of the PPSSP."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.portfolio import Portfolio
from tests.support.certify_cases import certificate, row, rules
from tests.support.instances import ppssp_portfolio, ppssp_schedules
from tests.support.places import SHARED

DATA = SHARED / "data" / "ppssp"


@pytest.fixture(scope="module")
def ppssp() -> Portfolio:
    path = DATA / "PI_1_1000_25_0.25_0.01.json"
    if not path.exists():
        pytest.skip("the PPSSP instances are not at ../shared/data/ppssp")
    return ppssp_portfolio(path)


def test_published_solutions_are_certified(ppssp: Portfolio) -> None:
    published = ppssp_schedules(DATA / "PI_1_published_solutions.json", ppssp.horizon)
    assert len(published) == 5
    for solver, (schedule, value) in published.items():
        result = check_plan(ppssp, schedule, objective=value)
        assert result.certified, (solver, result.violations["message"].to_list()[:5])
        assert abs(result.objective - Fraction(value)) < Fraction(1, 1000)
        assert result.inherited.empty


def test_published_solutions_with_a_mutation_are_refused(ppssp: Portfolio) -> None:
    published = ppssp_schedules(DATA / "PI_1_published_solutions.json", ppssp.horizon)
    schedule, value = published["Gurobi_600_0.01"]
    moved = schedule["start"].mask(schedule.index == 7, ppssp.horizon[25])
    assert "window" in rules(check_plan(ppssp, schedule.assign(start=moved)))
    rushed = schedule.assign(start=ppssp.horizon[0])
    assert set(rules(check_plan(ppssp, rushed))) == {"budget", "dependency"}
    fewer = check_plan(ppssp, schedule.iloc[1:], objective=value)
    assert not fewer.certified


def test_bound_of_a_published_instance_holds(ppssp: Portfolio) -> None:
    # Uniform prices on all money: poor multipliers, and still a bound.
    rows = [
        row("budget", "0.2", budget=name, side="amount")
        for name in ppssp.budget["budget"]
        if name.startswith("all")
    ]
    bound = check_bound(ppssp, certificate(*rows))
    assert bound is not None
    assert Fraction(893_555) < bound < Fraction(1_649_684)
