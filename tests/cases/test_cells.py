"""Cases from outside about single cells and columns, read where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.clock.periods import hours_per_fte
from pmo_analytics.errors import DataError
from pmo_analytics.portfolio import Portfolio
from tests.support.folders import read_quietly, said
from tests.support.real_data import DATA


def case(number: str) -> Path:
    found = sorted((DATA.parent / "cases").glob(f"{number}-*"))
    if not found:
        pytest.skip(f"the case is not here: ../shared/cases/{number}-*")
    return found[0] / "data"


def person_days(portfolio: Portfolio) -> float:
    hours = portfolio.capacity * hours_per_fte(portfolio.freq) / 8
    return round(float(hours.to_numpy().sum()), 3)


def test_10_thousands_with_a_point_are_not_read_as_decimals():
    with pytest.raises(DataError, match="ambiguous_number") as caught:
        read_quietly(case("10"))
    errors = caught.value.problems.query("severity == 'error'")
    assert sorted(errors["table"]) == ["budget", "projects", "spend"]
    assert errors["fix"].str.contains("decimal").all()


def test_12_percent_of_people_and_bookings():
    portfolio = read_quietly(case("12"))
    assert person_days(portfolio) == 31.5
    assert portfolio.bookings["fte"].to_list() == [0.5]


def test_14_amounts_in_several_currencies_are_refused():
    with pytest.raises(DataError, match="mixed_currencies") as caught:
        read_quietly(case("14"))
    found = caught.value.problems.set_index("rule").at["mixed_currencies", "found"]
    assert all(amount in found for amount in ("€100", "$100", "¥9000"))


def test_25_a_finish_at_midnight_ends_the_day_before():
    assert read_quietly(case("25")).projects["duration"].to_list() == [1]


def test_27_a_day_off_until_midnight_is_one_day():
    portfolio = read_quietly(case("27"))
    assert person_days(portfolio) == 21.0
    assert "end_at_midnight" in said(portfolio)


def test_29_a_zone_that_was_dropped_is_said():
    assert "time_zone_dropped" in said(read_quietly(case("29")))


def test_41_clock_times_are_hours():
    portfolio = read_quietly(case("41"))
    assert portfolio.actuals["hours"].sum() == pytest.approx(17.7, abs=0.05)
    assert "hours_from_clock" in said(portfolio)


def test_42_not_mandatory_is_free():
    projects = read_quietly(case("42")).projects
    assert projects["force"].fillna("").to_list() == ["in", ""]
