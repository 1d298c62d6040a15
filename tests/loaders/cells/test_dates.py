"""Dates and periods: read in one way only, decided once per file."""

from __future__ import annotations

import datetime as dt

import pytest

from pmo_analytics.loaders.cells.dates import (
    DayOrMonthFirst,
    read_date,
    read_dates,
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2027-03-31", "2027-03-31"),
        ("2027/3/31", "2027-03-31"),
        ("2027.03.31", "2027-03-31"),
        ("20270331", "2027-03-31"),
        ("2027年3月31日", "2027-03-31"),
        ("2027 年 3 月 31 日", "2027-03-31"),
        ("2027-03-31 08:30", "2027-03-31"),
        ("2027-03-31T08:30:00Z", "2027-03-31"),
        ("2027-02-31", "2027-02-31"),
        ("2027-03", "2027-03"),
        ("2027/3", "2027-03"),
        ("2027-3", "2027-03"),
        ("2027.03", "2027-03"),
        ("202703", "2027-03"),
        ("2027年3月", "2027-03"),
        ("\uff13/2027", "2027-03"),
        ("03.2027", "2027-03"),
        ("Mar 2027", "2027-03"),
        ("March 2027", "2027-03"),
        ("Sept. 2027", "2027-09"),
        ("Mar-27", "2027-03"),
        ("Mar '27", "2027-03"),
        ("2027 Mar", "2027-03"),
        ("31 Mar 2027", "2027-03-31"),
        ("31-Mar-2027", "2027-03-31"),
        ("1st March 2027", "2027-03-01"),
        ("March 31, 2027", "2027-03-31"),
        ("2027", "2027"),
        ("2027年", "2027"),
        ("2027Q1", "2027Q1"),
        ("2027-Q1", "2027Q1"),
        ("Q1 2027", "2027Q1"),
        ("Q1/2027", "2027Q1"),
        ("2027年第1季度", "2027Q1"),
        ("2027年三季度", "2027Q3"),
        ("2027-W05", "2027-W05"),
        ("2027W5", "2027-W05"),
        ("KW 5 2027", "2027-W05"),
        ("CW05/2027", "2027-W05"),
        (dt.date(2027, 3, 31), "2027-03-31"),
        (dt.datetime(2027, 3, 31, 23, 59), "2027-03-31"),
        (2027.0, "2027"),
        (202703.0, "2027-03"),
    ],
)
def test_dates_and_periods(cell, text):
    assert read_date(cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        "soon",
        "31.12.27",
        "2027.1",
        "12",
        "Foo 2027",
        "27-Mar-31",
        "Mar 27",
        "3.5.",
        "",
        "2027年第5周",
        46388.0,
        2027.1,
        float("nan"),
        True,
        None,
        dt.time(3, 4),
    ],
)
def test_what_might_mean_two_things_is_no_date(cell):
    assert read_date(cell) is None


def test_day_numbers_of_workbooks():
    assert read_date(46388.0, serials=True) == "2027-01-01"
    assert read_date(46388.75, serials=True) == "2027-01-01"
    assert read_date(2027.0, serials=True) == "2027"
    read, found = read_dates({"a": [46388.0, 2027.0]}, serials=True)
    assert read == {"a": ["2027-01-01", "2027"]}
    assert found.serials == "46388"


def test_one_date_decides_for_the_file():
    read, found = read_dates({"a": ["03/04/2027"], "b": ["31/12/2027"]})
    assert read == {"a": ["2027-04-03"], "b": ["2027-12-31"]}
    assert found.dayfirst is True
    assert found.day_first == ("b", 0, "31/12/2027")
    read, found = read_dates({"a": ["03.04.2027", "12.31.2027"]})
    assert read == {"a": ["2027-03-04", "2027-12-31"]}
    assert found.dayfirst is False


def test_a_date_of_either_order_is_ambiguous():
    read, found = read_dates({"a": ["03/04/2027", "05/05/2027", "2027-01-01"]})
    assert read == {"a": ["03/04/2027", "2027-05-05", "2027-01-01"]}
    assert found.ambiguous == {"a": (0, "03/04/2027", 1)}
    assert read_date("03/04/2027") == DayOrMonthFirst(3, 4, 2027)


@pytest.mark.parametrize(
    ("declared", "text"), [(True, "2027-04-03"), (False, "2027-03-04")]
)
def test_a_declared_order_ends_all_doubt(declared, text):
    read, found = read_dates({"a": ["03/04/2027"]}, declared)
    assert read == {"a": [text]}
    assert not found.inferred


def test_headings_are_evidence_too():
    _, found = read_dates({}, headers=["01/02/2027", "15/02/2027"])
    assert found.dayfirst is True
