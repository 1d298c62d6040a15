"""Cases from outside: forecasts in which the past spoke twice, and groups ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

import pmo_analytics as pmo
from tests.support.real_data import DATA

CASES = DATA.parent / "cases"


def case(name: str) -> pmo.Portfolio:
    """Return the portfolio of a case, or skip the test."""
    folder: Path = CASES / name
    if not folder.exists():
        pytest.skip(f"the case is not here: ../shared/cases/{name}")
    return pmo.read_portfolio(folder)


@pytest.mark.filterwarnings("ignore:Dev. 13 values")
def test_50_a_step_of_100_is_forecast_from_the_new_level():
    load = pmo.forecast_demand(case("50-forecast-step-of-100/data"), draws=1000)
    p50 = load.grid("p50")["Dev"]
    assert p50.between(100, 106).all()
    assert load.grid("p90")["Dev"].max() < 110
    assert load.grid("p10")["Dev"].min() > 95
    assert any("rises by" in n and "2022-09" in n for n in load.notes)


def test_51_a_step_that_is_over_hires_nobody():
    headroom = pmo.forecast_headroom(
        case("51-forecast-step-hire-list/data"), draws=1000
    )
    load = headroom.parts[1].grid("p50")["Dev"]
    assert load.to_numpy() == pytest.approx(12.0, abs=0.5)
    assert pmo.hire_list(headroom).empty
    assert any("Dev" in n and "2024-01" in n for n in headroom.notes)


def test_54_what_comes_and_goes_stays_within_its_history():
    load = pmo.forecast_demand(case("54-forecast-explodes/data"), draws=1000)
    assert load.grid("p90")["Dev"].max() < 700
    assert load.grid("p10")["Dev"].min() >= 0
    assert load.draws.max() <= 674.74


def test_62_at_most_one_of_two_comes_in_every_future():
    portfolio = case("62-forecast-ignores-groups/forecast_ignores_groups")
    load = pmo.forecast_demand(portfolio, periods=3, draws=200)
    assert (load.draws == 1.0).all()
    assert any("Groups and dependencies hold" in note for note in load.notes)
