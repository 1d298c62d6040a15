"""Cases from outside about calendars and about what is hardly meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.loaders import read_portfolio
from pmo_analytics.periods import hours_per_fte
from pmo_analytics.portfolio import Portfolio, check_portfolio

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"


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
