"""Dates and periods: read in one way only, decided once per file."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.loaders.cells.dates import (
    Clock,
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
        ("03.04.2027", "2027-04-03"),
        ("3. 4. 2027", "2027-04-03"),
        ("31.12.2027 17:00", "2027-12-31"),
        ("15. März 2027", "2027-03-15"),
        ("15 Mrz 2027", "2027-03-15"),
        ("Mai 2027", "2027-05"),
        ("Dez. 2027", "2027-12"),
        ("1er août 2027", "2027-08-01"),
        ("juil. 2027", "2027-07"),
        ("15 de marzo de 2027", "2027-03-15"),
        ("enero de 2027", "2027-01"),
        ("Mo 04.01.2027", "2027-01-04"),
        ("Mo, 4. Januar 2027", "2027-01-04"),
        ("Monday, January 4, 2027", "2027-01-04"),
        ("lundi 4 janvier 2027", "2027-01-04"),
        ("lunes, 4 de enero de 2027", "2027-01-04"),
        ("2027年1月4日 星期一", "2027-01-04"),
        ("2027年1月4日星期一", "2027-01-04"),
        ("2027-01-04 (Mon)", "2027-01-04"),
        ("20270331T080000Z", "2027-03-31"),
        ("2027-03-31T08:30:00.000+0000", "2027-03-31"),
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
        "12.31.2027",
        "Mon 2027-01-05",
        "FY27",
        "H1 2027",
        "Q3",
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
    read, _ = read_dates({"a": [46388.0, 2027.0]}, serials=True)
    assert read == {"a": ["2027-01-01", "2027"]}


def test_one_date_decides_for_the_file():
    read, found = read_dates({"a": ["03/04/2027"], "b": ["31/12/2027"]})
    assert read == {"a": ["2027-04-03"], "b": ["2027-12-31"]}
    assert found.dayfirst is True
    assert found.day_first == ("b", 0, "31/12/2027")
    read, found = read_dates({"a": ["03/04/2027", "12/31/2027"]})
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


def test_points_put_the_day_first():
    read, found = read_dates({"a": ["03.04.2027", "12.31.2027"]})
    assert read == {"a": ["2027-04-03", "12.31.2027"]}
    assert not found.inferred
    read, found = read_dates({"a": ["15.03.2027", "03/04/2027"]})
    assert read == {"a": ["2027-03-15", "2027-04-03"]}
    assert found.day_first == ("a", 0, "15.03.2027")
    assert read_dates({"a": ["03.04.2027"]}, False)[0] == {"a": ["2027-03-04"]}


def test_a_weekday_tells_the_order():
    # 4 January 2027 is a Monday, 1 April a Thursday.
    read, found = read_dates({"a": ["Mon 1/4/27 8:00 AM", "1/5/27"]})
    assert read == {"a": ["2027-01-04", "2027-01-05"]}
    assert found.month_first == ("a", 0, "Mon 1/4/27 8:00 AM")
    assert read_dates({"a": ["Mo 04.01.27 08:00"]})[0] == {"a": ["2027-01-04"]}
    read, _ = read_dates({"a": ["Tue 1/4/27"]})
    assert read == {"a": ["Tue 1/4/27"]}


def test_two_digits_of_a_year():
    assert read_dates({"a": ["1/4/27"]})[1].ambiguous == {"a": (0, "1/4/27", 1)}
    assert read_dates({"a": ["31.12.27"]})[0] == {"a": ["31.12.27"]}
    read, _ = read_dates({"a": ["31.12.27", "01.02.27"]})
    assert read == {"a": ["2027-12-31", "2027-02-01"]}
    read, _ = read_dates({"a": ["27/01/28"]}, True)
    assert read == {"a": ["2028-01-27"]}


def test_times_and_zones_are_kept_beside_the_day():
    cells = ["2027-01-04T13:00", "1/31/2027 8:05 PM", "2027-01-04", "20270104T240000"]
    _, found = read_dates({"a": [*cells, "2027-01-04 00:00+05:30"], "b": ["2027"] * 5})
    assert found.clocks == {
        "a": [Clock(46_800), Clock(72_300), None, Clock(86_400), Clock(0, 330)]
    }


FORMS = {
    "iso": "{d:%Y-%m-%d}",
    "german": "{d.day}.{d.month}.{d.year}",
    "german long": "{d.day:02d}.{d.month:02d}.{d.year}",
    "english": "{d.day}/{d.month}/{d.year}",
    "american": "{d.month}/{d.day}/{d.year}",
    "american short": "{d.month}/{d.day}/{d:%y}",
    "project": "{d:%a} {d.month}/{d.day}/{d:%y} 8:00 AM",
    "named": "{d.day} {d:%b} {d.year}",
    "chinese": "{d.year}年{d.month}月{d.day}日",
}


@settings(deadline=None)
@given(
    st.lists(
        st.dates(dt.date(2020, 1, 1), dt.date(2060, 12, 31)), min_size=1, max_size=5
    ),
    st.sampled_from(sorted(FORMS)),
)
def test_a_local_date_is_never_read_as_another(days, form):
    cells = [FORMS[form].format(d=day) for day in days]
    read, found = read_dates({"a": list(cells)})
    for day, cell, text in zip(days, cells, read["a"], strict=True):
        assert text in (cell, str(day))
    if form not in ("english", "american", "american short", "project"):
        assert read["a"] == [str(day) for day in days]
    elif any(text == cell for text, cell in zip(read["a"], cells, strict=True)):
        assert found.ambiguous


def test_months_in_words_beside_short_years():
    # What Primavera and Jira write; alone, 27-Mar-31 may be a day of 2027.
    assert read_date("02-Nov-04") == "2004-11-02"
    assert read_date("2/Sep/25 9:26 AM") == "2025-09-02"
    assert read_date("2-Foo-25") is None
    read, found = read_dates({"a": ["29-Nov-04", "02-Nov-04", "31-Feb-04"]})
    assert read == {"a": ["2004-11-29", "2004-11-02", "31-Feb-04"]}
    assert found.dayfirst is None  # says nothing of 03/04/2027
    read, _ = read_dates({"a": ["27-Mar-31"], "b": ["12/31/2027", "03/04/2027"]})
    assert read["a"] == ["27-Mar-31"]
    read, _ = read_dates({"a": ["2-Mar-31"], "b": ["12/31/2027", "03/04/2027"]})
    assert read == {"a": ["2031-03-02"], "b": ["2027-12-31", "2027-03-04"]}
