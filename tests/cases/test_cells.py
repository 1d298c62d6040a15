"""Cases from outside about single cells and columns, read where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.periods import hours_per_fte
from pmo_analytics.portfolio import Portfolio
from tests.loaders.folders import read_quietly
from tests.real_data import DATA


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
