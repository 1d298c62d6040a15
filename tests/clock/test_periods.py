"""The clock: parsing, formatting, horizons."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmo_analytics.clock.periods import (
    base_freq,
    canonical_freq,
    format_period,
    format_periods,
    hours_per_fte,
    make_horizon,
    offsets_from,
    parse_day,
    parse_period,
)
from pmo_analytics.errors import ConfigError

FREQS = ["W-SUN", "M", "Q-DEC", "Q-MAR", "Y-DEC", "Y-MAR"]


@pytest.mark.parametrize(
    ("word", "freq"),
    [
        ("W", "W-SUN"),
        ("w-sun", "W-SUN"),
        (" m ", "M"),
        ("Q", "Q-DEC"),
        ("q-mar", "Q-MAR"),
        ("Y", "Y-DEC"),
        ("Y-JUN", "Y-JUN"),
    ],
)
def test_frequency_words(word, freq):
    assert canonical_freq(word) == freq
    assert base_freq(freq) == freq[0]


@pytest.mark.parametrize(
    ("word", "freq"),
    [
        ("monthly", "M"),
        ("Months", "M"),
        ("weekly", "W-SUN"),
        ("quarterly", "Q-DEC"),
        ("annual", "Y-DEC"),
        ("monatlich", "M"),
        ("每月", "M"),
    ],
)
def test_words_for_frequencies(word, freq):
    assert canonical_freq(word) == freq


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Feb 27", "may be a day without its year"),
        ("27 Feb", "may be a day without its year"),
        ("FY27 Q3", "fiscal years"),
        ("FY26-P01", "each week its FTE"),
        ("2026-P12", "each week its FTE"),
        ("P3", "each week its FTE"),
        ("Q3", "the year is missing"),
        ("31.12.27", "may stand first or last"),
        ("2027 H1", "half-year"),
        ("2027Q3", "write one of 2027-07 to 2027-09"),
    ],
)
def test_what_is_no_period_of_a_month_says_why(text, why):
    with pytest.raises(ValueError, match=why):
        parse_period(text, "M")


def test_every_fault_of_a_horizon_is_told():
    with pytest.raises(ConfigError, match=r"Unknown frequency.*\[horizon\] periods"):
        make_horizon("2027-01", 0, "fortnight")


def test_months_of_weeks_are_refused_with_what_to_do():
    with pytest.raises(ConfigError, match="give each week the FTE of its month"):
        canonical_freq("4-4-5")


@pytest.mark.parametrize("word", ["", "D", "W-MON", "Q-", "Y-XXX", "M-MAR", "2W", "QE"])
def test_other_frequencies_are_refused(word):
    with pytest.raises(ConfigError, match="Unknown frequency"):
        canonical_freq(word)


def test_hours_of_one_fte_are_constants():
    assert hours_per_fte("W-SUN") == 40.0
    assert hours_per_fte("M") == pytest.approx(173.925)
    assert hours_per_fte("Q-MAR") == pytest.approx(521.775)
    assert hours_per_fte("Y-DEC", 35) == pytest.approx(35 * 52.1775)


# ------------------------------------------------------------------------- horizon


def test_horizon_has_a_name_and_a_count():
    horizon = make_horizon("2026-W52", 3, "W")
    assert horizon.name == "period"
    assert format_periods(horizon) == ["2026-W52", "2026-W53", "2027-W01"]
    assert len(make_horizon("2027-01", np.int64(12), "M")) == 12


@pytest.mark.parametrize("periods", [0, -1, 2.0, "3", True, None])
def test_horizon_needs_a_whole_number_of_periods(periods):
    with pytest.raises(ConfigError, match="whole number of at least 1"):
        make_horizon("2027-01", periods, "M")


def test_horizon_has_an_end_and_a_readable_start():
    with pytest.raises(ConfigError, match="at most 5,000"):
        make_horizon("2027-01", 5001, "M")
    with pytest.raises(ConfigError, match=r"\[horizon\] start: '2027' is coarser"):
        make_horizon("2027", 12, "M")
    with pytest.raises(ConfigError, match=r"\[horizon\] start: .*missing"):
        make_horizon(None, 12, "M")


# ------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("value", "freq", "shown"),
    [
        ("2027-01", "M", "2027-01"),
        (" 2027-01 ", "M", "2027-01"),
        ("2027-01-31", "M", "2027-01"),
        ("2027-01-31T00:00:00", "M", "2027-01"),
        ("2027-01-31 00:00:00.000000000", "M", "2027-01"),
        ("2027-W05", "W-SUN", "2027-W05"),
        ("2027-W05", "M", "2027-02"),  # 1 to 7 February
        ("2026-W53", "W-SUN", "2026-W53"),
        ("2027-01-03", "W-SUN", "2026-W53"),  # a Sunday
        ("2027-01-04", "W-SUN", "2027-W01"),
        ("2024-12-30", "W-SUN", "2025-W01"),
        ("2027-W09", "Q-DEC", "2027Q1"),
        ("2027Q1", "Q-DEC", "2027Q1"),
        ("2027-Q1", "Q-DEC", "2027Q1"),
        ("2027-01", "Q-DEC", "2027Q1"),
        ("2027-01", "Q-MAR", "2027Q4"),  # the year that ends in March 2027
        ("2027-04", "Q-MAR", "2028Q1"),
        ("2028Q1", "Q-MAR", "2028Q1"),
        ("2027", "Y-DEC", "2027"),
        (2027, "Y-DEC", "2027"),
        (2027.0, "Y-MAR", "2027"),
        (np.int64(2027), "Y-DEC", "2027"),
        ("2027-04", "Y-MAR", "2028"),
        ("2027-03-31", "Y-MAR", "2027"),
        ("2027Q2", "Y-MAR", "2028"),  # a calendar quarter, April to June
        (dt.date(2027, 1, 31), "M", "2027-01"),
        (dt.datetime(2027, 1, 31, 23, 59), "M", "2027-01"),
        (pd.Timestamp("2027-02-01 00:30", tz="Asia/Tokyo"), "M", "2027-02"),
        (np.datetime64("2027-01-31"), "M", "2027-01"),
        (pd.Period("2027-01", "M"), "Q-DEC", "2027Q1"),
        (pd.Period("2027-01-31", "D"), "M", "2027-01"),
        (pd.Period("2027-01-31 10:00", "h"), "M", "2027-01"),
        (pd.Period("2027Q4", "Q-MAR"), "Q-DEC", "2027Q1"),
    ],
)
def test_a_finer_value_maps_to_the_period_that_holds_it(value, freq, shown):
    period = parse_period(value, freq)
    assert period.freqstr == freq
    assert format_period(period) == shown


@pytest.mark.parametrize(
    ("value", "freq", "message"),
    [
        ("2027", "M", "coarser"),
        ("2027Q1", "M", "coarser"),
        ("2027", "Q-MAR", "coarser"),
        ("2027-01", "W-SUN", "coarser"),
        (2027, "M", "coarser"),
        (pd.Period("2027", "Y"), "M", "coarser"),
        ("2027-W13", "Q-DEC", "does not lie inside one period"),  # 29 March - 4 April
        ("2026-W53", "Y-DEC", "does not lie inside one period"),
        (pd.Period("2027-01-01", "W-SAT"), "W-SUN", "does not lie inside one period"),
        ("2027-W53", "W-SUN", "2027 has no week 53"),
        ("2027-W00", "W-SUN", "no week 0"),
        ("2027-13", "M", "no month 13"),
        ("2027-02-29", "M", "not a date of the calendar"),
        ("2027-1", "M", "not a period"),
        ("2027/01", "M", "not a period"),
        ("01/2027", "M", "not a period"),
        ("31.01.2027", "M", "not a period"),
        ("Jan 2027", "M", "not a period"),
        ("2027Q5", "Q-DEC", "not a period"),
        ("2027-01-31 10:30", "M", "not a period"),
        ("\u0662\u0660\u0662\u0667-01", "M", "not a period"),
        ("2027-01\n2027-02", "M", "not a period"),
        ("", "M", "not a period"),
        (None, "M", "missing"),
        (pd.NaT, "M", "missing"),
        (pd.NA, "M", "missing"),
        (float("nan"), "M", "not a period"),
        (46000, "M", "not a period"),  # a date as a spreadsheet counts it
        (2027.5, "Y-DEC", "not a period"),
        (True, "Y-DEC", "not a period"),
        ("1066", "Y-DEC", "between 1900 and 2200"),
        ("0001-W01", "W-SUN", "between 1900 and 2200"),
        ("2500-01-01", "M", "between 1900 and 2200"),
    ],
)
def test_nothing_is_guessed(value, freq, message):
    with pytest.raises(ValueError, match=message):
        parse_period(value, freq)


@given(st.sampled_from(FREQS), st.integers(-800, 2600))
def test_what_is_written_is_read_again(freq, months):
    day = pd.Timestamp("1970-01-01") + pd.DateOffset(months=months)
    for start in (day, day - pd.Timedelta(days=1), day + pd.Timedelta(days=3)):
        period = start.to_period(freq)
        assert parse_period(format_period(period), freq) == period
        assert parse_period(period.start_time, freq) == period
        assert parse_period(period.end_time, freq) == period
        assert parse_period(f"{period.end_time:%Y-%m-%d}", freq) == period


@given(st.dates(dt.date(1901, 1, 8), dt.date(2199, 12, 20)))
def test_weeks_are_iso_weeks_whatever_the_year(day):
    year, week, _ = day.isocalendar()
    period = parse_period(f"{day}", "W-SUN")
    assert format_period(period) == f"{year:04d}-W{week:02d}"
    assert parse_period(f"{year:04d}-W{week:02d}", "W-SUN") == period
    assert period.start_time.weekday() == 0


def test_blanks_are_written_as_blanks():
    assert format_periods([None, pd.NaT, pd.Period("2027-01-05", "D")]) == [
        "",
        "",
        "2027-01-05",
    ]


# ---------------------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2027-02-15", "2027-02-15", "2027-02-15"),
        ("2027-02", "2027-02-01", "2027-02-28"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2027Q1", "2027-01-01", "2027-03-31"),
        ("2027", "2027-01-01", "2027-12-31"),
        (2027, "2027-01-01", "2027-12-31"),
        (2027.0, "2027-01-01", "2027-12-31"),
        (pd.Period("2027Q4", "Q-MAR"), "2027-01-01", "2027-03-31"),
        (dt.date(9999, 12, 31), "9999-12-31", "9999-12-31"),
        (dt.datetime(2027, 2, 15, 13), "2027-02-15", "2027-02-15"),
        (pd.Timestamp("2027-02-15 00:30", tz="Asia/Tokyo"), "2027-02-15", "2027-02-15"),
    ],
)
def test_a_period_stands_for_its_first_or_last_day(value, first, last):
    assert parse_day(value) == pd.Timestamp(first)
    assert parse_day(value, end=True) == pd.Timestamp(last)


@pytest.mark.parametrize("text", ["15.02.2027", "2027-02-30", "soon", "46000", ""])
def test_days_are_not_guessed_either(text):
    with pytest.raises(ValueError, match=r"not a (period|date)"):
        parse_day(text)


def test_offsets_count_from_the_first_period():
    horizon = make_horizon("2027-01", 3, "M")
    values = pd.Series(["2026-11", None, "2027-01", "2027-12"]).astype("period[M]")
    assert offsets_from(values, horizon) == pytest.approx(
        [-2, np.nan, 0, 11], nan_ok=True
    )
    empty = pd.Series([], dtype="period[M]")
    assert offsets_from(empty, horizon).tolist() == []
