"""Jira's times, which it exports in seconds, as hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.understanding.headings import Heading

# Table -> column -> the field, by its name and as its interface calls it.
_FIELDS = {
    "actuals": {"hours": ("timespent", "Time Spent")},
    "demand": {"hours": ("timeoriginalestimate", "Original Estimate")},
    "progress": {
        "actual_hours": ("timespent", "Time Spent"),
        "remaining_hours": ("timeestimate", "Remaining Estimate"),
    },
}
# Columns that count the same already.
_COUNTED = {"demand": ("hours", "fte", "person_days")}
PER_HOUR = 3600
# People log minutes at least, and some of it takes more than a quarter of an hour.
_STEP, _LEAST = 60, 900


def take_jira_times(
    headings: Sequence[Heading], table: str, cells: Sequence[Sequence[Any]]
) -> None:
    """Let columns of Jira's seconds be read as hours, in place.

    A field by its own name is in seconds always. By the words of the interface, which
    other trackers use for hours, it is where all cells are whole minutes in seconds.

    Parameters
    ----------
    headings
        Of the table, as they were understood.
    table
        Its name.
    cells
        By the index of a heading.
    """
    known = {h.name for h in headings if h.known}
    for name, (field, words) in _FIELDS.get(table, {}).items():
        if known.intersection(_COUNTED.get(table, (name,))):
            continue
        for heading in headings:
            if heading.known or fold(heading.text) not in (fold(field), fold(words)):
                continue
            seconds = [_whole(c) for c in cells[heading.index] if c not in (None, "")]
            sure = heading.text.strip().islower() and fold(field) == heading.text
            if seconds and None not in seconds and (sure or _are_minutes(seconds)):
                heading.name, heading.known = name, True
                heading.factor = 1 / PER_HOUR
                break


def _are_minutes(seconds: Sequence[int | None]) -> bool:
    given = [second or 0 for second in seconds]
    return max(given) >= _LEAST and all(second % _STEP == 0 for second in given)


def _whole(cell: Any) -> int | None:
    """Return a whole number of seconds; None = it is none."""
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return int(number) if number >= 0 and number.is_integer() else None
