"""Timesheets: hours from times of clocking in and out, and rows that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from pmo_analytics.errors import listing
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.dates import read_moment
from pmo_analytics.loaders.understanding.tidy import Tidy

_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:([ap])\.?m\.?)?", re.I
)
_BREAKS = frozenset(
    (
        *("break", "breaks", "breakminutes", "breakhours", "lunch", "lunchbreak"),
        *("pause", "pausen", "pausenzeit", "descanso", "休息", "休息时间"),
    )
)
_SHOWN = 6


def read_timesheet(tidy: Tidy) -> None:
    """Work out hours of clock times, and say which rows have none, in place."""
    if tidy.place.table != "actuals" or not tidy.rows:
        return
    _hours_from_clock(tidy)
    _say_empty(tidy)


def _hours_from_clock(tidy: Tidy) -> None:
    count = len(tidy.rows)
    clocks = ("clock_in", "clock_out")
    begins, ends = (tidy.columns.get(name, [None] * count) for name in clocks)
    for name in clocks:  # what is left of them is a column of the user's own
        if name in tidy.columns:
            tidy.columns[tidy.texts.get(name, name)] = tidy.columns.pop(name)
    hours = list(tidy.columns.get("hours", [None] * count))
    pause = next((n for n in tidy.columns if fold(n) in _BREAKS), "")
    counted = []
    if not pause:
        for i, length in _lengths(begins, ends):
            if hours[i] is None:
                hours[i] = length
                counted.append(i)
    if "period" not in tidy.columns:
        days = [_day_of(cell) for cell in begins]
        if any(days):
            tidy.columns["period"] = days
    if not counted:
        return
    tidy.columns["hours"] = hours
    names = [f"'{tidy.texts.get(n, n)}'" for n in ("clock_in", "clock_out")]
    total = sum(hours[i] for i in counted)
    tidy.problems.append(
        tidy.place.warning(
            "hours_from_clock",
            row=tidy.rows[counted[0]],
            column="hours",
            found=f"{begins[counted[0]]} .. {ends[counted[0]]}",
            fix=f"Hours were counted from {names[0]} to {names[1]}: {total:,.2f} hours "
            f"in {len(counted)} rows. Breaks are not taken off.",
        )
    )


def _lengths(begins: list[Any], ends: list[Any]) -> Iterator[tuple[int, float]]:
    """Yield row index and hours of each row whose times are plain."""
    for i, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        first, last = _instant(begin), _instant(end)
        if first is None or last is None or (first[0] is None) != (last[0] is None):
            continue
        days = (last[0] - first[0]).days if first[0] and last[0] else 0
        length = days * 24 + (last[1] - first[1]) / 3600
        if 0 < length <= 24:
            yield i, length


def _instant(cell: Any) -> tuple[date | None, int] | None:
    """Return the day, if one is given, and the seconds of a clock time."""
    if isinstance(cell, datetime):
        return cell.date(), cell.hour * 3600 + cell.minute * 60 + cell.second
    if isinstance(cell, time):
        return None, cell.hour * 3600 + cell.minute * 60 + cell.second
    if not isinstance(cell, str):
        return None
    if match := _TIME.fullmatch(cell.strip()):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if match[4]:
            hour = hour % 12 + 12 * (match[4] in "pP")
        return (None, hour * 3600 + minute * 60 + second) if hour <= 24 else None
    moment = read_moment(cell)
    if moment is None or moment.clock is None or not isinstance(moment.day, str):
        return None
    try:
        return date.fromisoformat(moment.day), moment.clock.seconds
    except ValueError:
        return None


def _day_of(cell: Any) -> str | None:
    moment = read_moment(cell) if isinstance(cell, str) else None
    if moment is None or not isinstance(moment.day, str):
        return None
    return moment.day


def _say_empty(tidy: Tidy) -> None:
    given = [n for n in ("hours", "amount", "benefit") if n in tidy.columns]
    empty = [
        row
        for i, row in enumerate(tidy.rows)
        if all(tidy.columns[name][i] is None for name in given)
    ]
    if not empty:
        return
    if len(empty) == len(tidy.rows):
        tidy.problems.append(
            tidy.place.error(
                "no_hours_no_amount",
                column=", ".join(given),
                found=", ".join(tidy.texts.values()),
                fix=f"None of the {len(empty)} rows has hours or an amount, so nothing "
                "was worked. Head the column 'hours' or 'amount', or give the times "
                "as 'clock in' and 'clock out'.",
            )
        )
        return
    tidy.problems.append(
        tidy.place.warning(
            "no_hours_no_amount",
            row=empty[0],
            found=f"{len(empty)} rows",
            fix=f"Rows {listing(empty, _SHOWN)} have neither hours nor an amount and "
            "count for nothing. Fill them in or delete them.",
        )
    )
