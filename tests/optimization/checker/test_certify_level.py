"""The exact check of levelled plans: measures, bounds, and claims that are false."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.evidence import SolveReport, SolveStatus
from pmo_analytics.optimization.checker.level import level_bound, measure_of
from pmo_analytics.portfolio import Portfolio

HORIZON = make_horizon("2027-01", 12, "M")


def question(**projects: object) -> Portfolio:
    """Return A (3 months) and B (2 months), one developer each, of whom there is 1."""
    table = {"project": ["A", "B"], "status": "approved", "duration": [3, 2]}
    lengths = {"A": 3, "B": 2}
    return Portfolio(
        horizon=HORIZON,
        projects=pd.DataFrame({**table, **projects}),
        demand=pd.DataFrame(
            [(n, "Dev", k, 1.0) for n, d in lengths.items() for k in range(d)],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": 1.0, "Test": 9.0}, index=HORIZON),
    )


def claim(finish: int, role: str = "Dev", begin: int = 0, end: int = 4) -> dict:
    refuted = {"finish_by": finish, "role": role, "begin": begin, "end": end}
    return {"format": 1, "measure": "makespan", "refuted": refuted}


PLAIN = {"format": 1, "measure": "makespan", "refuted": None}


def test_measures_by_hand():
    portfolio = question(
        start=["2027-01", "2027-02"],
        earliest=["2027-01", "2027-02"],
        value=[0.1, 2.5],
    )
    schedule = pd.DataFrame({"project": ["A", "B"], "start": ["2027-04", "2027-02"]})
    assert measure_of(portfolio, schedule, "makespan") == 6
    assert measure_of(portfolio, schedule, "delay") == Fraction(3, 10)
    schedule["start"] = ["2027-01", "2027-04"]
    assert measure_of(portfolio, schedule, "makespan") == 5
    assert measure_of(portfolio, schedule, "delay") == 5


def test_the_bound_of_paths_and_the_bound_of_work():
    portfolio = question()
    assert level_bound(portfolio, PLAIN) == 3
    # Five months of work do not fit into four.
    assert level_bound(portfolio, claim(4)) == 5
    chained = portfolio.replace(
        dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"], "lag": [2]})
    )
    assert level_bound(chained, PLAIN) == 7
    # B in June at the earliest, five months after what its own window allows.
    assert level_bound(chained, {**PLAIN, "measure": "delay"}) == 5


@pytest.mark.parametrize(
    "false",
    [
        claim(5, end=5),
        claim(4, end=3),
        claim(4, "Test"),
        claim(4, end=99),
        claim(7, ""),
    ],
)
def test_a_claim_that_does_not_hold_is_not_used(false):
    assert level_bound(question(), false) == 3


def test_work_may_lie_partly_outside_the_span():
    """A has to fill January to March; B then needs one month of April at most."""
    portfolio = question(deadline=["2027-03", None])
    assert level_bound(portfolio, claim(4, begin=1, end=3)) == 5
    assert level_bound(portfolio, claim(5, begin=1, end=3)) == 3


def test_no_start_left_means_no_plan():
    assert level_bound(question(deadline=["2027-02", None]), PLAIN) is None


def test_certificates_that_cannot_be_read():
    portfolio = question()
    with pytest.raises(ConfigError, match="format"):
        level_bound(portfolio, {"format": 2})
    with pytest.raises(ConfigError, match="no measure"):
        level_bound(portfolio, {"format": 1, "measure": "worth"})
    with pytest.raises(ConfigError, match="role 'Dve'"):
        level_bound(portfolio, claim(4, "Dve"))
    schedule = pd.DataFrame({"project": ["X"], "start": ["2027-04"]})
    with pytest.raises(ConfigError, match="'X' starts in"):
        measure_of(portfolio, schedule, "makespan")


def test_the_gap_of_what_is_minimised():
    facts = {"status": SolveStatus.FEASIBLE, "objective": 10.0, "bound": 8.0}
    assert SolveReport(**facts, measure="makespan").gap == 0.2
    assert SolveReport(**facts).gap == 0.0
    assert SolveReport(**facts, measure="delay").to_dict()["measure"] == "delay"
