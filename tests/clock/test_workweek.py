"""Workweeks as people write them."""

from __future__ import annotations

import pytest

from pmo_analytics.clock.workweek import (
    DAYS,
    country_workweeks,
    parse_workweek,
    workweek_text,
)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Thu", "1111000"),
        ("Mon Tue Fri", "1100100"),
        ("Mon, Tue & Fri", "1100100"),
        ("Sun-Thu", "1111001"),
        ("Fri-Mon", "1000111"),
        ("Monday to Thursday", "1111000"),
        ("Mo \u2013 Do", "1111000"),
        ("Montag bis Donnerstag", "1111000"),
        ("lun.-jeu.", "1111000"),
        ("miércoles a viernes", "0011100"),
        ("周一至周四", "1111000"),
        ("星期日", "0000001"),
        ("Mon-Wed, Fri", "1110100"),
    ],
)
def test_days_share_the_week_equally(text: str, days: str) -> None:
    week = parse_workweek(text)
    assert not week.in_hours
    assert week.weights == tuple(map(float, days))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("8,8,8,8,4", (8, 8, 8, 8, 4, 0, 0)),
        ("8 8 8 8 4", (8, 8, 8, 8, 4, 0, 0)),
        ("8,5; 8,5; 8,5; 8,5; 4", (8.5, 8.5, 8.5, 8.5, 4, 0, 0)),
        ("8,5 8,5 8,5 8,5 4", (8.5, 8.5, 8.5, 8.5, 4, 0, 0)),
        ("8, 8, 8, 8, 8, 4, 0", (8, 8, 8, 8, 8, 4, 0)),
        ("Mon-Thu 9, Fri 4", (9, 9, 9, 9, 4, 0, 0)),
        ("Mon: 8,5; Tue: 8", (8.5, 8, 0, 0, 0, 0, 0)),
        ("Mon=8, Tue=7.5h", (8, 7.5, 0, 0, 0, 0, 0)),
        ("Sun-Thu 8.5 hours", (8.5, 8.5, 8.5, 8.5, 0, 0, 8.5)),
    ],
)
def test_hours_are_those_of_each_day(text: str, hours: tuple[float, ...]) -> None:
    week = parse_workweek(text)
    assert week.in_hours
    assert week.weights == hours
    assert week.hours == sum(hours)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Mondy-Thu", "did you mean 'monday'"),
        ("Mon-", "no workweek"),
        ("-", "no workweek"),
        ("Mon Mon", "Mon twice"),
        ("Mon-Wed, Tue", "Tue twice"),
        ("4 days", "after their days"),
        ("8,8", "Monday to Friday"),
        ("Mon 25", "0 to 24 hours"),
        ("0,0,0,0,0", "0 to 24 hours"),
        ("Mon 8, Tue", "no hours of Tue"),
        ("", "no workweek"),
    ],
)
def test_what_is_no_workweek_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_workweek(text)


def test_every_range_of_days_holds_what_it_names() -> None:
    for first in range(7):
        for last in range(7):
            if first != last:
                weights = parse_workweek(f"{DAYS[first]}-{DAYS[last]}").weights
                assert weights[first] == weights[last] == 1
                assert sum(weights) == (last - first) % 7 + 1


def test_lists_and_tables_become_text() -> None:
    assert workweek_text(["Mon", "Tue"]) == "Mon Tue"
    assert workweek_text({"Mon": 8, "Fri": 4.5}) == "Mon 8, Fri 4.5"
    assert parse_workweek(workweek_text([8, 8, 8, 8, 4.5])).hours == 36.5
    for wrong in ([], {}, [True], {"Mon": "8"}, 5, ["Mon", 8]):
        with pytest.raises(ValueError, match="write days"):
            workweek_text(wrong)


def test_workweeks_by_country() -> None:
    text = "IL: Sun-Thu 8.5; AE: Mon-Fri"
    assert country_workweeks(text) == {"IL": "Sun-Thu 8.5", "AE": "Mon-Fri"}
    assert country_workweeks("") == {}
    with pytest.raises(ValueError, match="names no country"):
        country_workweeks("Sun-Thu")
    with pytest.raises(ValueError, match="no day"):
        country_workweeks("IL: Sun-Tho")
