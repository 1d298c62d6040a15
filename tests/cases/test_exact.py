"""Cases from outside in which "exactly" was not exact, or a bound got lost."""

from __future__ import annotations

from pathlib import Path

import pytest

import pmo_analytics as pmo
from pmo_analytics.optimization.checker.check import check_plan
from tests.support.clock import AMPLE
from tests.support.places import SHARED

pytestmark = pytest.mark.usefixtures("warm_module")

CASES = SHARED / "cases"


def case(name: str) -> Path:
    """Return the data of a case, or skip the test."""
    folder = CASES / name / "data"
    if not folder.exists():
        pytest.skip(f"the case is not here: ../shared/cases/{name}")
    return folder


@pytest.mark.parametrize(
    ("name", "chosen", "objective"),
    [
        ("01-budget-1e12-over-by-one", {"B"}, 6.0),
        ("03-own-rule-1e12", {"BIG"}, 3.0),
        ("05-tiny-amounts-in-billions", {"P2"}, 3.0),
        ("06-trivial-not-proved-1e12", {"BIG"}, 3.0),
        (
            "08-value-1e13-leaves-free-projects-out",
            {"P0", "P1", "P2", "P3"},
            10_000_000_006_000.0,
        ),
    ],
)
def test_the_right_projects_are_chosen_and_proved(
    name: str, chosen: set[str], objective: float
) -> None:
    portfolio = pmo.read_portfolio(case(name))
    plan = pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds=AMPLE, threads=1))
    assert set(plan.starts) == chosen
    assert plan.report is not None
    assert plan.report.objective == objective
    assert plan.report.status == "optimal"
    assert plan.violations.empty
    assert check_plan(portfolio, plan.schedule, objective=objective).certified
    # Proved by what the checker derives, not by a solver's word.
    assert plan.report.certified_bound == pytest.approx(objective, rel=1e-6)


def test_the_violations_and_the_checker_say_the_same_of_a_budget_of_1e12() -> None:
    portfolio = pmo.read_portfolio(case("01-budget-1e12-over-by-one"))
    both = pmo.Plan(portfolio, {"A": "2027-01", "B": "2027-01"})
    assert both.violations["message"].tolist() == [
        "Budget 'all' is overspent by 1.00: 1,000,000,000,001.00 of "
        "1,000,000,000,000.00."
    ]
    checked = check_plan(portfolio, both.schedule)
    assert not checked.certified
    assert checked.violations["rule"].tolist() == ["budget"]


def test_compare_with_little_time_has_a_bound_for_every_scenario() -> None:
    portfolio = pmo.example_portfolio()
    begin = pmo.SolveLimits(seconds=1.0, gap=0.01)
    plan = pmo.optimize(portfolio, limits=begin)
    compared = pmo.compare(
        portfolio,
        [
            pmo.Scenario("CRM slips a quarter", pmo.delay("CRM", periods=3)),
            *pmo.sweep(pmo.cut_budget, "budget", share=[-0.1, 0.1]),
        ],
        base=plan,
        limits=pmo.SolveLimits(seconds=0.2, gap=0.01),
        workers=1,
    )
    table = compared.table
    assert (
        table[["objective", "bound", "gap", "delta_low", "delta_high"]]
        .notna()
        .all(axis=None)
    )
    assert (table["bound"] >= table["objective"]).all()
    assert not any("nan" in sentence for sentence in compared.sentences())
