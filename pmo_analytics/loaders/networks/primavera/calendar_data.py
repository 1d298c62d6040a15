"""`clndr_data`: how P6 writes the working time of a calendar into one cell.

`(0||CalendarData()((0||DaysOfWeek()((0||1()())(0||2()((0||0(s|08:00|f|12:00)()) ...`:
nodes in brackets, days 1 (Sunday) to 7, shifts inside them, exceptions by the day
number of spreadsheets. Some versions put 0x7F for line breaks between the nodes.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

Shift = tuple[int, int]

_FIRST_DAY = date(1899, 12, 30)
_LAST_SERIAL = 109_574  # the end of 2199
_SECTION = re.compile(r"\(\d*\|\|\s*(DaysOfWeek|Exceptions|VIEW)\b")
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[AaPp][Mm])?"
_NODE = re.compile(
    r"\(\d*\|\|(\d+)\((?:"
    rf"(?P<one>[sf])\|(?P<first>{_CLOCK})\|[sf]\|(?P<second>{_CLOCK})"
    r"|d\|(?P<day>\d+)(?:\|[^()]*)?"
    r")?\s*\)"
)
_DAY = 24 * 60


class CalendarData(NamedTuple):
    """Working time of one calendar.

    Attributes
    ----------
    week
        Weekday (Monday = 1) -> shifts in minutes of the day; days that are not named
        are missing.
    exceptions
        Day -> shifts; none = no work.
    sound
        Whether the cell could be read to its end.
    delete_signs
        Whether 0x7F stands between its nodes, which not every engine expects.
    """

    week: dict[int, list[Shift]]
    exceptions: dict[date, list[Shift]]
    sound: bool
    delete_signs: bool = False


def read_calendar_data(cell: str) -> CalendarData:
    """Return the working time that the cell `clndr_data` holds."""
    # The spaces of "8:00 AM" are read away too, which its pattern allows.
    text = re.sub(r"[\x7f\s]+", "", cell)
    sections = list(_SECTION.finditer(text))
    ends = [*(match.start() for match in sections[1:]), len(text)][: len(sections)]
    week: dict[int, list[Shift]] = {}
    exceptions: dict[date, list[Shift]] = {}
    sound = bool(sections) and text.count("(") == text.count(")")
    for match, end in zip(sections, ends, strict=True):
        part = text[match.end() : end]
        if match[1] == "DaysOfWeek":
            sound &= _weekdays(part, week)
        elif match[1] == "Exceptions":
            sound &= _exceptions(part, exceptions)
    if not sound and not any(week.values()):
        week = {}  # it was cut off before its first shift
    return CalendarData(week, exceptions, sound, "\x7f" in cell)


def _weekdays(part: str, week: dict[int, list[Shift]]) -> bool:
    sound, today = True, None
    for node in _NODE.finditer(part):
        if node["one"]:
            shift = _shift(node)
            if shift is None or today is None:
                sound = False
            else:
                today.append(shift)
        elif (number := int(node[1])) in range(1, 8):
            today = week.setdefault((number + 5) % 7 + 1, [])
        else:
            sound = False
    return sound


def _exceptions(part: str, exceptions: dict[date, list[Shift]]) -> bool:
    sound, today = True, None
    for node in _NODE.finditer(part):
        if node["day"]:
            serial = int(node["day"])
            if serial > _LAST_SERIAL:
                sound, today = False, None
                continue
            today = exceptions[_FIRST_DAY + timedelta(days=serial)] = []
        elif node["one"]:
            shift = _shift(node)
            if shift is None or today is None:
                sound = False
            else:
                today.append(shift)
    return sound


def _shift(node: re.Match[str]) -> Shift | None:
    first, second = _minutes(node["first"]), _minutes(node["second"])
    if first is None or second is None:
        return None
    start, finish = (first, second) if node["one"] == "s" else (second, first)
    # A shift that ends at 00:00 ends with the day, one that ends before it starts
    # runs past midnight.
    if start == finish != 0:
        return None
    if finish <= start:
        finish += _DAY
    return start, finish


def _minutes(clock: str) -> int | None:
    hour, minute = int(clock.split(":")[0]), int(clock.split(":")[1][:2])
    if clock[-1:] in "Mm":
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock[-2] in "Pp" else 0)
    minutes = hour * 60 + minute
    return minutes if minutes <= _DAY and minute < 60 else None
