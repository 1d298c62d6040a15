"""Cases from outside about calendars and about what is hardly meant."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pmo_analytics import baseline, example_portfolio
from pmo_analytics.clock.periods import hours_per_fte
from pmo_analytics.loaders import load_portfolio, loaded_problems, read_portfolio
from pmo_analytics.portfolio import Portfolio, check_portfolio
from tests.support.places import SHARED

CASES = SHARED / "cases"


def case(name: str) -> Path:
    """Return a case, or skip the test."""
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the case is not here: ../shared/cases/{name}")
    return path


def days(portfolio: Portfolio) -> dict[str, float]:
    full = hours_per_fte(portfolio.freq, portfolio.settings.hours_per_week)
    grid = (portfolio.capacity * full / 8).round(3)
    return {str(role): float(value) for role, value in grid.iloc[0].items()}


@pytest.mark.filterwarnings("ignore")
def test_30_weekend_of_israel() -> None:
    assert days(read_portfolio(case("30-weekend-israel/data"))) == {"Dev": 20}


@pytest.mark.filterwarnings("ignore")
def test_32_assumption_day_in_bavaria() -> None:
    portfolio = read_portfolio(case("32-bavaria-assumption-day/data"))
    note = check_portfolio(portfolio).query("rule == 'holidays_of_some'")
    assert "2028-08-15" in note["found"].iat[0]
    assert "DE-BY+catholic" in note["fix"].iat[0]
    people = portfolio.people.replace({"country": {"DE-BY": "DE-BY+catholic"}})
    said = portfolio.replace(people=people)
    assert days(said) == {"Munich": 22, "Augsburg": 21}


@pytest.mark.filterwarnings("ignore")
def test_33_four_day_week() -> None:
    portfolio = read_portfolio(case("33-four-day-week/data"))
    assert days(portfolio.replace(workweek="Mon-Thu")) == {"Dev": 3}
    people = portfolio.people.assign(workweek="Mon-Thu")
    assert days(portfolio.replace(people=people)) == {"Dev": 3}


def problems(path: Path) -> pd.DataFrame:
    return loaded_problems(load_portfolio(path))


def test_61_hours_as_fte() -> None:
    found = problems(case("61-hours-as-fte/hours_as_fte"))
    found = found[found["rule"] == "more_than_there_is"]
    assert found["row"].tolist() == [2, 4]
    assert "'A' needs 160 FTE of 'Dev'" in found["found"].iat[0]
    assert "75.6 times" in found["found"].iat[0]
    assert found["fix"].str.contains("look like hours").all()


def test_65_duration_against_finish() -> None:
    found = problems(case("65-duration-against-finish/duration_vs_finish.xlsx"))
    found = found[found["rule"] == "duration_contradicts_finish"]
    assert "6 periods, and the duration says 3" in found["fix"].iat[0]


def test_68_bookings_over_one_person() -> None:
    found = problems(case("68-bookings-over-one-person/b1.xlsx"))
    text = found[found["rule"] == "person_overbooked"]["found"].iat[0]
    assert "'P1' in 2027-03 .. 2027-04" in text
    assert "200%" in text
    assert text.endswith("for 'A', 'B'")


def test_69_stale_capacity() -> None:
    portfolio = example_portfolio()
    developers = portfolio.people["role"] == "Developer"
    portfolio.people.loc[developers, "fte"] = 0
    assert (portfolio.capacity["Developer"] == 0).all()
    less = portfolio.replace(capacity=portfolio.capacity * 0.9)
    assert (less.capacity["Developer"] == 0).all()
    assert (baseline(portfolio).capacity["Developer"] == 0).all()
