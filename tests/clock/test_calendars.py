"""Weekends, parts of countries and days off that only some people have."""

from __future__ import annotations

from datetime import date

import holidays
import pandas as pd
import pytest

from pmo_analytics.clock.calendars import Place, country_fix, find_country, working_days
from pmo_analytics.errors import ConfigError


def month(text: str, country: str, workweek: str = "") -> float:
    horizon = pd.period_range(text, periods=1, freq="M", name="period")
    return float(working_days(horizon, country, workweek).iloc[0])


@pytest.mark.parametrize(
    ("when", "country", "expected"),
    [
        ("2026-09", "IL", 20),  # 22 from Sunday to Thursday less 13 and 21 September
        ("2021-12", "AE", 20),  # Friday and Saturday until 2021; off are 1 and 2
        ("2022-01", "AE", 21),  # Saturday and Sunday from 2022; 1 January is one
        ("2013-06", "SA", 21),  # Thursday and Friday until the 27th, then Saturday
        ("2027-02", "DE", 20),
        ("2027-08", "IR", 24),  # 27 without Fridays, less 2, 3 and 11 August
    ],
)
def test_weekends_are_those_of_the_country(when, country, expected):
    assert month(when, country) == expected


@pytest.mark.parametrize(
    "country", ["IL", "AE", "SA", "EG", "BD", "IN", "NP", "BN", "HK", "QA", "DE", "CN"]
)
def test_a_year_of_days_as_the_library_counts_them(country):
    horizon = pd.period_range("2026-01", periods=12, freq="M", name="period")
    calendar = holidays.country_holidays(country, years=range(2025, 2028))
    days = pd.date_range("2026-01-01", "2026-12-31")
    works = [calendar.is_working_day(day.date()) for day in days]
    expected = pd.Series(works, index=days.to_period("M")).groupby(level=0).sum()
    assert working_days(horizon, country).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("DE-BY", ("DE", "BY")),
        ("Germany, Bavaria", ("DE", "BY")),
        ("Deutschland (Bayern)", ("DE", "BY")),
        ("US-CA", ("US", "CA")),
        ("USA-California", ("US", "CA")),
        ("CA-QC", ("CA", "QC")),
        ("Canada/Québec", ("CA", "QC")),
        ("GB-SCT", ("GB", "SCT")),
        ("UK-Scotland", ("GB", "SCT")),
        ("CH-ZH", ("CH", "ZH")),
        ("CH-Zurich", ("CH", "ZH")),
        ("ES-MD", ("ES", "MD")),
        ("AU_NSW", ("AU", "NSW")),
        ("Australia - New South Wales", ("AU", "NSW")),
        ("Guinea-Bissau", ("GW", "")),
    ],
)
def test_parts_by_code_and_name(text, place):
    assert find_country(text) == Place(*place)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("DE-Bavira", "did you mean 'Bavaria'"),
        ("DE-XX", "Germany has no part 'XX'"),
        ("Bavaria", "write DE-BY"),
        ("DE-BY+cathlic", "did you mean 'catholic'"),
        ("Germny", "did you mean 'Germany'"),
    ],
)
def test_what_is_no_place_is_refused_with_a_way_out(text, fix):
    assert find_country(text) is None
    assert fix in country_fix(text)
    with pytest.raises(ConfigError, match=fix):
        month("2027-01", text)


def test_days_off_in_parts_of_a_region_can_be_said():
    # Tuesday 15 August 2028, off in most of Bavaria; Corpus Christi in Thuringia.
    assert month("2028-08", "DE-BY") == 23
    assert month("2028-08", "DE-BY+catholic") == 22
    assert month("2028-08", "DE-BY+public") == 23
    assert month("2028-06", "DE-TH+catholic") == month("2028-06", "DE-TH") - 1


def test_half_days_by_law_count_half():
    # The afternoon of Thursday 28 October 2027, before the holiday of the 29th.
    assert month("2027-10", "TR") == 19.5
    assert month("2027-10", "TR+public") == 20
    assert date(2027, 10, 28).weekday() == 3
    # 24 and 31 December 2027 are Fridays and half off in Greece only where said.
    assert month("2027-12", "GR+half_day") == month("2027-12", "GR") - 1


def test_a_workweek_of_ones_own_takes_the_place_of_weekends():
    # 29 March to 4 April 2027: Easter Monday is off.
    week = pd.period_range("2027-03-29", periods=1, freq="W-SUN", name="period")
    assert working_days(week, "DE", "Mon-Thu").tolist() == [3]
    assert working_days(week, "", "Mon-Thu").tolist() == [4]
    assert month("2026-09", "IL", "Mon-Fri") == 21  # 22 less Monday the 21st
    with pytest.raises(ConfigError, match="no day"):
        month("2027-01", "DE", "Mon-Tho")


def test_make_up_days_count_only_for_a_whole_week():
    # Saturday 11 October 2025 makes up for the holidays of the first week.
    assert month("2025-10", "CN", "Mon-Fri") == month("2025-10", "CN") == 18
    thursdays = 5
    off = 1  # of them: the 2nd
    assert month("2025-10", "CN", "Thu") == thursdays - off
