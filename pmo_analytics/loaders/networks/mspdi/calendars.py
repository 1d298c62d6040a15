"""Calendars of Microsoft Project XML: week days, other weeks, exceptions that recur."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.plain_xml import Lines, as_text, elements, leaves

Shift = tuple[float, float]
# (weekday, first, last, shifts, name); no shifts = no work.
Rule = tuple[int | None, date | None, date | None, list[Shift], str]

_OFFICE: list[Shift] = [(480.0, 720.0), (780.0, 1020.0)]
_DAY = timedelta(days=1)
# Days of one exception that are worked out one by one.
_MOST_DAYS = 5_000


def read_calendars(
    data: bytes, begin: int, end: int, told: Told
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Return rows of `calendars` and `shifts`, and how many calendars were read."""
    calendars: dict[str, dict[str, Any]] = {}
    shifts: list[dict[str, Any]] = []
    lines = Lines(data)
    count = 0
    for at, content in elements(data, "Calendar", begin, end):
        count += 1
        line = lines.of(at)
        plain = leaves(_without(content, "WeekDays", "Exceptions", "WorkWeeks"))
        uid = as_text(plain.get(b"UID"))
        if not uid or uid in calendars:
            fix = "A calendar without an id of its own is left out."
            told.warn("calendars", "duplicate_id", fix, line=line, found=uid)
            calendars[f"\0{line}.{count}"] = {"left": True, "line": line, "id": uid}
            continue
        parent = as_text(plain.get(b"BaseCalendarUID"))
        calendars[uid] = {
            "calendar": uid,
            "name": as_text(plain.get(b"Name")),
            "parent": "" if parent in ("", "0", uid) or parent[0] == "-" else parent,
            "base": as_text(plain.get(b"IsBaseCalendar")) == "1",
            "line": line,
        }
        try:
            shifts += [row for rule in _rules(content) for row in _rows(uid, rule)]
        except ValueError as error:
            fix = f"Times of calendar '{uid}' cannot be read, so it has those of its "
            fix += "base calendar. Correct it in Microsoft Project."
            told.warn("calendars", "bad_calendar", fix, line=line, found=str(error))
    for row in calendars.values():
        if row.get("parent", "") and row["parent"] not in calendars:
            fix = f"Base calendar '{row['parent']}' of '{row['name']}' is not in the "
            fix += "file. Days that it does not set itself do not work."
            told.warn("calendars", "unknown_calendar", fix, line=row["line"])
            row["parent"] = ""
    return list(calendars.values()), shifts, count


def _rows(uid: str, rule: Rule) -> list[dict[str, Any]]:
    weekday, first, last, shifts, name = rule
    times: list[tuple[float | None, float | None]] = [*shifts]
    return [
        {
            "calendar": uid,
            "weekday": weekday,
            "first": first,
            "last": last,
            "start_minute": start,
            "end_minute": end,
            "name": name,
        }
        for start, end in times or [(None, None)]
    ]


def _without(content: bytes, *tags: str) -> bytes:
    for tag in tags:
        for _, inner in elements(content, tag):
            content = content.replace(f"<{tag}>".encode() + inner, b"", 1)
    return content


def _part(content: bytes, tag: str) -> bytes:
    return next((inner for _, inner in elements(content, tag)), b"")


def _rules(content: bytes) -> Iterator[Rule]:
    exceptions = _part(content, "Exceptions")
    for other, rule in _week_days(_part(content, "WeekDays")):
        # A file of Project 2007 or later says exceptions twice, here for older ones.
        if not other or not exceptions:
            yield rule
    for _, week in elements(_part(content, "WorkWeeks"), "WorkWeek"):
        first, last = _period(week)
        name = as_text(leaves(_without(week, "WeekDays")).get(b"Name"))
        for other, (weekday, *_, shifts, _) in _week_days(_part(week, "WeekDays")):
            if not other and first and last:
                yield weekday, first, last, shifts, name
    for _, exception in elements(exceptions, "Exception"):
        plain = leaves(_without(exception, "WorkingTimes", "TimePeriod"))
        shifts = _shifts(exception, plain)
        name = as_text(plain.get(b"Name"))
        for first, last in _days(plain, *_period(exception)):
            yield None, first, last, shifts, name


def _week_days(content: bytes) -> Iterator[tuple[bool, Rule]]:
    """Yield the rules of week days, and whether each is an exception."""
    for _, day in elements(content, "WeekDay"):
        plain = leaves(_without(day, "WorkingTimes", "TimePeriod"))
        kind = int(as_text(plain.get(b"DayType")) or 0)
        shifts = _shifts(day, plain)
        if kind == 0:
            first, last = _period(day)
            if first and last:
                yield True, (None, first, last, shifts, "")
        elif 1 <= kind <= 7:
            yield False, ((kind + 5) % 7 + 1, None, None, shifts, "")
        else:
            raise ValueError(f"DayType {kind}")


def _shifts(content: bytes, plain: dict[bytes, bytes]) -> list[Shift]:
    times = _part(content, "WorkingTimes")
    shifts = []
    for _, time in elements(times, "WorkingTime"):
        cells = leaves(time)
        if b"FromTime" not in cells or b"ToTime" not in cells:
            continue  # Microsoft Project writes empty ones
        start, end = _minute(cells[b"FromTime"]), _minute(cells[b"ToTime"])
        shifts.append((start, end if end > start else end + 1440))
    if as_text(plain.get(b"DayWorking")) not in ("1", "true"):
        return []
    return shifts or _OFFICE


def _minute(cell: bytes) -> float:
    text = as_text(cell).rpartition("T")[2]
    hour, _, rest = text.partition(":")
    minute = rest.partition(":")[0]
    if not (hour.isdecimal() and minute.isdecimal()):
        raise ValueError(text)
    found = int(hour) * 60 + int(minute)
    if found > 1440:
        raise ValueError(text)
    return float(found)


def _period(content: bytes) -> tuple[date | None, date | None]:
    cells = leaves(_part(content, "TimePeriod"))
    first, last = (as_text(cells.get(name)) for name in (b"FromDate", b"ToDate"))
    if not first or not last:
        return None, None
    return _date(first), _date(last)


def _date(text: str) -> date:
    return date.fromisoformat(text[:10])


# ------------------------------------------------------------- what recurs


def _days(
    plain: dict[bytes, bytes], first: date | None, last: date | None
) -> Iterator[tuple[date, date]]:
    """Yield first and last day of each time that an exception happens.

    `Type`: 1 every `Period` days, 2 and 3 yearly, 4 and 5 monthly, 6 weekly; by the day
    of the month, or by its position in it.
    """
    if first is None or last is None or last < first:
        return
    number = {name: int(as_text(plain.get(name.encode())) or 0) for name in _NUMBERS}
    kind, period = number["Type"], max(number["Period"], 1)
    if kind not in (2, 3, 4, 5, 6) and (kind != 1 or period == 1):
        yield first, last
        return
    step = {6: _weekly, 1: _daily}.get(kind, _by_month)
    most = number["Occurrences"] or _MOST_DAYS
    for count, day in enumerate(step(number, period, first, last)):
        if count >= min(most, _MOST_DAYS):
            return
        yield day, day


_NUMBERS = (
    "Type",
    "Period",
    "Occurrences",
    "DaysOfWeek",
    "MonthItem",
    "MonthPosition",
    "Month",
    "MonthDay",
)


def _daily(_: dict[str, int], period: int, first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += period * _DAY


def _weekly(
    number: dict[str, int], period: int, first: date, last: date
) -> Iterator[date]:
    """Yield days of every so many weeks; bit 0 of `DaysOfWeek` is Sunday."""
    sunday = first - (first.weekday() + 1) % 7 * _DAY
    while sunday <= last:
        for bit in range(7):
            day = sunday + bit * _DAY
            if number["DaysOfWeek"] >> bit & 1 and first <= day <= last:
                yield day
        sunday += 7 * period * _DAY


def _by_month(
    number: dict[str, int], period: int, first: date, last: date
) -> Iterator[date]:
    yearly = number["Type"] in (2, 3)
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        wanted = not yearly or month == number["Month"] + 1
        day = _in_month(number, year, month) if wanted else None
        if day is not None and first <= day <= last:
            yield day
        ahead = month + (1 if yearly else period) - 1
        year, month = year + ahead // 12, ahead % 12 + 1


def _in_month(number: dict[str, int], year: int, month: int) -> date | None:
    length = months.monthrange(year, month)[1]
    if number["Type"] in (2, 4):
        day = number["MonthDay"]
        return date(year, month, day) if 1 <= day <= length else None
    item = number["MonthItem"]
    days = [date(year, month, day) for day in range(1, length + 1)]
    fitting = [
        day
        for day in days
        if item == 0
        or (item == 1 and day.weekday() < 5)
        or (item == 2 and day.weekday() >= 5)
        or item - 3 == (day.weekday() + 1) % 7
    ]
    position = number["MonthPosition"]
    if position == 4:
        return fitting[-1] if fitting else None
    return fitting[position] if position < len(fitting) else None
