"""What days and hours of a week make of a contract, worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, hours_per_fte
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.supply import people_capacity
from tests.tables.test_supply import absences_of, months

NONE_AWAY = absences_of()


def rows(*people: dict) -> pd.DataFrame:
    usual = {"person": "Anna", "role": "Dev", "fte": 1.0}
    blank = dict.fromkeys(("start", "end", "country", "workweek"))
    frame = pd.DataFrame([{**usual, **blank, **row} for row in people], dtype=object)
    return frame.astype({"fte": float, "country": "str", "workweek": "str"}).assign(
        start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"])
    )


def hours(people: pd.DataFrame, horizon: pd.PeriodIndex, away=NONE_AWAY, **calendar):
    grid = people_capacity(people, away, horizon, **calendar)
    full = calendar.get("hours_per_week", 40.0)
    found = grid.iloc[0] * hours_per_fte(horizon.freqstr, full)
    return {role: round(float(value), 2) for role, value in found.items()}


WEEK = pd.period_range("2027-01-11", periods=1, freq="W-SUN", name="period")
EASTER = pd.period_range("2027-03-29", periods=1, freq="W-SUN", name="period")


@pytest.mark.parametrize(
    ("fte", "workweek", "plain", "easter"),
    [
        (1.0, "Mon-Thu", 40, 30),  # four days of ten hours
        (0.8, "Mon-Thu", 32, 24),  # four days of eight hours
        (1.0, "Mon-Thu 8", 32, 24),
        (0.8, "Mon-Thu 8", 32, 24),  # fte says the same as the hours
        (1.0, "8,8,8,8,4", 36, 28),
        (0.9, "8,8,8,8,4", 36, 28),
        (0.5, "8,8,8,8,4", 18, 14),  # half of those hours
        (0.5, "Tue-Thu", 20, 20),
        (0.5, "Mon", 20, 0),
        (1.0, "", 40, 32),
        (1.0, "Sat Sun", 40, 40),
    ],
)
def test_contract_hours_lie_on_the_days_of_the_person(fte, workweek, plain, easter):
    people = rows({"fte": fte, "country": "DE", "workweek": workweek or None})
    assert hours(people, WEEK) == {"Dev": plain}
    assert hours(people, EASTER) == {"Dev": easter}


def test_shares_of_two_roles_are_shares_of_the_same_hours():
    people = rows(
        {"fte": 0.45, "workweek": "8,8,8,8,4"},
        {"fte": 0.45, "role": "Test", "workweek": "8,8,8,8,4"},
    )
    assert hours(people, WEEK) == {"Dev": 18, "Test": 18}


def test_absences_take_the_hours_of_their_days():
    people = rows({"workweek": "Mon-Thu 9, Fri 4"})
    friday = absences_of(("Anna", "2027-01-15", "2027-01-15", 1.0))
    half_monday = absences_of(("Anna", "2027-01-11", "2027-01-11", 0.5))
    weekend = absences_of(("Anna", "2027-01-16", "2027-01-17", 1.0))
    assert hours(people, WEEK, friday) == {"Dev": 36}
    assert hours(people, WEEK, half_monday) == {"Dev": 35.5}
    assert hours(people, WEEK, weekend) == {"Dev": 40}


def test_own_weeks_of_person_country_and_portfolio_in_that_order():
    people = rows(
        {"person": "A", "role": "own", "country": "IL", "workweek": "Mon Tue"},
        {"person": "B", "role": "of country", "country": "IL"},
        {"person": "C", "role": "of all", "country": "DE"},
    )
    calendar = {"country_workweeks": "IL: Sun-Thu 8.5", "workweek": "Mon-Thu"}
    sunday = absences_of(*((p, "2027-01-17", "2027-01-17", 1.0) for p in "ABC"))
    friday = absences_of(*((p, "2027-01-15", "2027-01-15", 1.0) for p in "ABC"))
    assert hours(people, WEEK, **calendar) == {
        "own": 40,
        "of country": 42.5,
        "of all": 40,
    }
    assert hours(people, WEEK, sunday, **calendar)["of country"] == 34
    assert hours(people, WEEK, friday, **calendar) == hours(people, WEEK, **calendar)


def test_a_week_of_six_days_has_the_same_hours():
    # Hong Kong keeps Sundays only; a Saturday off takes a sixth of the week.
    people = rows({"country": "HK"})
    saturday = absences_of(("Anna", "2027-01-16", "2027-01-16", 1.0))
    assert hours(people, WEEK) == {"Dev": 40}
    assert hours(people, WEEK, saturday) == {"Dev": round(40 * 5 / 6, 2)}


def portfolio_of(people: pd.DataFrame, **settings: object) -> Portfolio:
    return Portfolio(
        horizon=months("2028-08"),
        settings=Settings(**settings),  # type: ignore[arg-type]
        people=people,
    )


def found(portfolio: Portfolio, rule: str) -> list[str]:
    problems = portfolio.check()
    return problems.loc[problems["rule"] == rule, "found"].tolist()


def test_what_is_unclear_about_days_is_said():
    bavaria = portfolio_of(rows({"country": "DE-BY"}))
    assert found(bavaria, "holidays_of_some") == [
        "'DE-BY': 2028-08-15 Mariä Himmelfahrt"
    ]
    for said in ("DE-BY+catholic", "DE-BY+public", "DE", "DE-Augsburg"):
        assert not found(portfolio_of(rows({"country": said})), "holidays_of_some")
    six = portfolio_of(rows({"country": "HK"}))
    assert found(six, "week_of_other_days") == ["'HK': free are Sun"]
    for said in ({"workweek": "Mon-Fri"}, {"country_workweeks": "HK: Mon-Fri"}):
        assert not found(
            portfolio_of(rows({"country": "HK"}), **said), "week_of_other_days"
        )
    half = portfolio_of(rows({"fte": 0.5, "workweek": "8,8,8,8,4"}))
    assert found(half, "hours_and_share_differ") == [
        "'8,8,8,8,4' has 36 hours, and fte 0.5 of 40"
    ]
    wrong = portfolio_of(rows({"workweek": "Mun-Thu"}))
    assert found(wrong, "unknown_workweek") == ["'Mun-Thu'"]
    strange = portfolio_of(rows({}), country_workweeks="DEE: Mon-Thu")
    assert found(strange, "unknown_country") == ["'DEE'"]


def test_the_digest_of_people_without_workweeks_is_that_of_old():
    people = rows({"country": "DE"})
    with_column = portfolio_of(people)
    without = portfolio_of(people.drop(columns="workweek"))
    own = portfolio_of(rows({"country": "DE", "workweek": "Mon-Thu"}))
    assert with_column.digest() == without.digest() != own.digest()
