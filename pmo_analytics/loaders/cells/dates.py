"""Dates and periods as people type them become ISO texts.

The order of day and month is decided once per file (or sheet): as declared, or from
the cells that can be read in one way only, by their numbers or their weekday. Dates
with points have the day first everywhere. What stays ambiguous is an error; nothing
is guessed cell by cell. A time of day and a zone are kept beside the day, for `clocks`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from pmo_analytics.loaders.cells.calendar_words import MONTH_OF, WEEKDAY_OF, plain

_WORD = r"[^\W\d_]"
_DAY = re.compile(r"(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2}) ?[日号號]?")
_COMPACT_DAY = re.compile(r"((?:19|20|21)\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])")
_YEAR_MONTH = re.compile(r"(\d{4})(?: ?[-/年] ?(\d{1,2}) ?月?|\.(\d{2}))")
_COMPACT_MONTH = re.compile(r"((?:19|20|21)\d\d)(0[1-9]|1[0-2])")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
_YEAR = re.compile(r"(\d{4}) ?年?")
_QUARTER = re.compile(
    r"(\d{4}) ?年?[-/ ]*(?:Q ?([1-4])|第? ?([1-4一二三四]) ?季度?)", re.I
)
_QUARTER_YEAR = re.compile(r"Q ?([1-4])[-/ ]*(\d{4})", re.I)
_WEEK = re.compile(r"(\d{4})[-/ ]*(?:W|KW|CW|WK) ?(\d{1,2})", re.I)
_WEEK_YEAR = re.compile(r"(?:W|KW|CW|WK) ?(\d{1,2})[-/ ]+(\d{4})", re.I)
_NAMED = re.compile(
    rf"({_WORD}{{3,10}})\.?(?:(?:[-/, ]*| de )(\d{{4}})|(?:-| ?['\u2019])(\d{{2}}))"
)
_YEAR_NAMED = re.compile(rf"(\d{{4}})[-/, ]*({_WORD}{{3,10}})\.?")
_DAY_NAMED = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|er|º|°)?(?:[-/. ]*| de )({_WORD}{{3,10}})\.?"
    r"(?:[-/., ]*| de | del )(\d{4})"
)
# 02-Nov-04, 22/Sep/25: the mark is the same on both sides, and the day stands first.
_DAY_NAMED_SHORT = re.compile(rf"(\d{{1,2}})([-/. ])({_WORD}{{3,10}})\2(\d{{2}})")
_NAMED_DAY = re.compile(
    rf"({_WORD}{{3,10}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? ?(\d{{4}})"
)
_EITHER = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4}|\d{2})")
_CLOCK = re.compile(
    r"(.*\S)(?:T| ?, ?| )(?:um |at |à )?(\d{1,2})(?::(\d{2}))(?::(\d{2})(?:[.,]\d+)?)?"
    r" ?([ap]\.?m\.?)?(?: ?(?:uhr|h))?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.I,
)
_COMPACT_CLOCK = re.compile(r"(\d{8})T(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})?")
_WEEKDAY_FIRST = re.compile(rf"({_WORD}+)\.?,? ?(?=\d|{_WORD})(.+)")
_IN_BRACKETS = re.compile(rf"(.+?) ?\(({_WORD}+)\.?\)")
_QUARTER_OF = {"一": "1", "二": "2", "三": "3", "四": "4"}
_WEEKDAYS = tuple(word for word in WEEKDAY_OF if len(word) > 1)
_EPOCH = datetime(1899, 12, 30)
# Serial numbers of workbooks, 1954 to 2119: no year and no year-month lies there.
_SERIALS = range(20_000, 80_001)


@dataclass(frozen=True)
class DayOrMonthFirst:
    """A date such as 03/04/2027 whose order the file has to tell.

    Parameters
    ----------
    short
        The year has two digits, and may be the first number instead of the last.
    weekday
        Day of the week that stands beside it, 0 = Monday.
    named
        The second is a month in words, 02-Nov-04: only the year may stand first.
    """

    first: int
    second: int
    year: int
    short: bool = False
    weekday: int | None = None
    named: bool = False

    def iso(self, dayfirst: bool) -> str:
        """Return the ISO date under an order."""
        day, month = self.first, self.second
        if not dayfirst and not self.named:
            day, month = month, day
        return f"{self.year:04d}-{month:02d}-{day:02d}"

    @property
    def orders(self) -> tuple[bool, ...]:
        """Orders (day first?) under which it is a day of the calendar and week."""
        return tuple(
            order
            for order in (True, False)
            if (day := _calendar_day(self.iso(order))) is not None
            and self.weekday in (None, day.weekday())
        )

    @property
    def year_may_be_first(self) -> bool:
        """Whether 27/03/04 may be a day of 2027."""
        return self.short and self.weekday is None and 20 <= self.first <= 99


@dataclass(frozen=True)
class Clock:
    """A time of day: seconds after midnight, and minutes east of Greenwich or None."""

    seconds: int
    offset: int | None = None


@dataclass(frozen=True)
class Moment:
    """A cell as it was read: a day or period, and the time of day it gives."""

    day: str | DayOrMonthFirst
    clock: Clock | None = None
    dotted: bool = False


def read_date(cell: Any, *, serials: bool = False) -> str | DayOrMonthFirst | None:
    """Return a date or period as the strict parser writes it; None = no date.

    A time of day is dropped. The calendar is not checked here: 2027-02-31 comes
    back as it is, for the strict parser to refuse.

    Parameters
    ----------
    serials
        Take numbers such as 46388 for the day numbers of a workbook.
    """
    moment = read_moment(cell, serials=serials)
    if moment is None:
        return None
    day = moment.day
    if isinstance(day, DayOrMonthFirst) and (moment.dotted or day.named):
        return None if day.named and day.year_may_be_first else _dotted(day)
    return day


def _dotted(found: DayOrMonthFirst) -> str | DayOrMonthFirst | None:
    """Return a date that has the day first everywhere: 03.04.2027, 3-Apr-27."""
    if True not in found.orders:
        return None
    return found if found.year_may_be_first else found.iso(dayfirst=True)


def read_moment(cell: Any, *, serials: bool = False) -> Moment | None:
    """Return what `read_date` returns, and the time of day."""
    if isinstance(cell, (date, datetime)):
        if cell.year < 1000:
            return None
        seconds = _seconds(cell) if isinstance(cell, datetime) else 0
        clock = Clock(seconds) if seconds else None
        return Moment(cell.strftime("%Y-%m-%d"), clock)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if not math.isfinite(cell):
            return None
        if serials and math.floor(cell) in _SERIALS:
            when = _EPOCH + timedelta(days=math.floor(cell))
            seconds = round((cell - math.floor(cell)) * 86400)
            return Moment(
                when.strftime("%Y-%m-%d"), Clock(seconds) if seconds else None
            )
        if not float(cell).is_integer():
            return None
        cell = str(int(cell))
    if not isinstance(cell, str):
        return None
    if not cell.isascii():
        cell = unicodedata.normalize("NFKC", cell)
    return _read_text(" ".join(cell.split()))


def _seconds(when: datetime) -> int:
    return when.hour * 3600 + when.minute * 60 + when.second


def _read_text(text: str) -> Moment | None:
    clock = None
    if text[8:9] == "T" and (m := _COMPACT_CLOCK.fullmatch(text)):
        text = m[1]
        clock = _clock(m[2], m[3], m[4], None, m[5])
    elif ":" in text and (m := _CLOCK.fullmatch(text)):
        clock = _clock(m[2], m[3], m[4], m[5], m[6])
        if clock is None:
            return None
        text = m[1]
    day = _read_day(text)
    if day is None and clock is None:
        period = _read_period(text)
        return None if period is None else Moment(period)
    if day is None:
        return None
    return Moment(day, clock, dotted="." in text and isinstance(day, DayOrMonthFirst))


def _clock(
    hour: str, minute: str, second: str | None, half: str | None, zone: str | None
) -> Clock | None:
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (half[0] in "pP")
    if minutes > 59 or seconds > 60 or hours * 60 + minutes > 24 * 60:
        return None
    offset = None
    if zone:
        digits = re.sub(r"\D", "", zone).ljust(4, "0")
        offset = int(digits[:2]) * 60 + int(digits[2:])
        offset = -offset if zone[0] == "-" else offset
    return Clock(hours * 3600 + minutes * 60 + seconds, offset)


def _read_day(text: str) -> str | DayOrMonthFirst | None:
    """Return a day, also one with its weekday beside it."""
    day = _read_bare_day(text)
    if day is not None:
        return day
    for rest, weekday in _without_weekday(text):
        found = _read_bare_day(rest)
        if isinstance(found, DayOrMonthFirst):
            return replace(found, weekday=weekday)
        if found is not None:
            # A weekday that does not fit says that one of the two is wrong.
            when = _calendar_day(found)
            return None if when is None or when.weekday() != weekday else found
    return None


def _without_weekday(text: str) -> Iterator[tuple[str, int]]:
    """Yield what a text may be without the weekday before or after it."""
    if (m := _WEEKDAY_FIRST.fullmatch(text)) and plain(m[1]) in WEEKDAY_OF:
        yield m[2], WEEKDAY_OF[plain(m[1])]
    if m := _IN_BRACKETS.fullmatch(text):
        if plain(m[2]) in WEEKDAY_OF:
            yield m[1], WEEKDAY_OF[plain(m[2])]
        return
    folded = plain(text)
    if not folded.endswith(_WEEKDAYS):
        return
    for word, weekday in WEEKDAY_OF.items():
        if len(word) > 1 and folded.endswith(word):
            yield text[: -len(word)].rstrip(" ,"), weekday


def _calendar_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_bare_day(text: str) -> str | DayOrMonthFirst | None:
    if m := _DAY.fullmatch(text) or _COMPACT_DAY.fullmatch(text):
        return f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}"
    if m := _EITHER.fullmatch(text):
        short = len(m[4]) == 2
        return DayOrMonthFirst(int(m[1]), int(m[3]), int(m[4]) + 2000 * short, short)
    day = month = year = ""
    if m := _DAY_NAMED.fullmatch(text):
        day, month, year = m[1], m[2], m[3]
    elif m := _NAMED_DAY.fullmatch(text):
        month, day, year = m[1], m[2], m[3]
    elif (m := _DAY_NAMED_SHORT.fullmatch(text)) and plain(m[3]) in MONTH_OF:
        month_number, year_number = MONTH_OF[plain(m[3])], 2000 + int(m[4])
        return DayOrMonthFirst(
            int(m[1]), month_number, year_number, short=True, named=True
        )
    number = MONTH_OF.get(plain(month)) if month else None
    return None if number is None else f"{year}-{number:02d}-{int(day):02d}"


# How a period is written -> as the strict parser writes it.
_PERIODS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_YEAR_MONTH, lambda m: f"{m[1]}-{int(m[2] or m[3]):02d}"),
    (_COMPACT_MONTH, lambda m: f"{m[1]}-{m[2]}"),
    (_MONTH_YEAR, lambda m: f"{m[2]}-{int(m[1]):02d}"),
    (_YEAR, lambda m: m[1]),
    (_QUARTER, lambda m: f"{m[1]}Q{m[2] or _QUARTER_OF.get(m[3], m[3])}"),
    (_QUARTER_YEAR, lambda m: f"{m[2]}Q{m[1]}"),
    (_WEEK, lambda m: f"{m[1]}-W{int(m[2]):02d}"),
    (_WEEK_YEAR, lambda m: f"{m[2]}-W{int(m[1]):02d}"),
)

# One look tells that a text is none of them, which most texts of a bad column are.
_ANY_PERIOD = re.compile("|".join(f"(?:{f.pattern})" for f, _ in _PERIODS), re.I)


def _read_period(text: str) -> str | None:
    if _ANY_PERIOD.fullmatch(text):
        for form, written in _PERIODS:
            if m := form.fullmatch(text):
                return written(m)
    month = year = ""
    if m := _NAMED.fullmatch(text):
        month, year = m[1], m[2] or f"20{m[3]}"
    elif m := _YEAR_NAMED.fullmatch(text):
        month, year = m[2], m[1]
    number = MONTH_OF.get(plain(month)) if month else None
    return None if number is None else f"{year}-{number:02d}"


@dataclass
class DateFindings:
    """What was met while the dates of a file were read.

    Parameters
    ----------
    dayfirst
        Order used for dates such as 31/12/2027; None = not needed or not known.
    inferred
        The file showed and did not declare it.
    day_first, month_first
        (column, row index, text) of the first cell that has only that order.
    ambiguous
        Column -> (row index of the first, its text, number of cells).
    dotted
        Some days are written 31.12.2027.
    year_last
        Some years of two digits can only be the last number.
    clocks
        Column -> time of day of each cell, where any cell gives one.
    """

    dayfirst: bool | None = None
    inferred: bool = False
    day_first: tuple[str, int, str] | None = None
    month_first: tuple[str, int, str] | None = None
    ambiguous: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    dotted: bool = False
    year_last: bool = False
    clocks: dict[str, list[Clock | None]] = field(default_factory=dict)


def read_dates(
    columns: dict[str, list[Any]],
    declared: bool | None = None,
    *,
    serials: bool = False,
    headers: Iterable[Any] = (),
) -> tuple[dict[str, list[Any]], DateFindings]:
    """Return columns with every readable date or period in strict form.

    Parameters
    ----------
    columns
        Date and period columns of one file; blank = None.
    declared
        Whether days come first, or None.
    serials
        Numbers may be the day numbers of a workbook.
    headers
        Headings that count as evidence of the order too (wide layouts).
    """
    findings = DateFindings(dayfirst=declared)
    seen: dict[Any, Moment | None] = {}
    for name, cells in (*columns.items(), ("", list(headers))):
        for index, cell in enumerate(cells):
            key = (cell.__class__, cell)
            if cell is not None and key not in seen:
                moment = seen[key] = read_moment(cell, serials=serials)
                if moment is not None and isinstance(moment.day, DayOrMonthFirst):
                    where = (name, index, str(cell))
                    _note(moment.day, moment.dotted, where, findings, declared)
    if findings.day_first or findings.month_first:
        findings.inferred = True
        findings.dayfirst = findings.day_first is not None
    out: dict[str, list[Any]] = {}
    for name, cells in columns.items():
        moments = [None if c is None else seen[(c.__class__, c)] for c in cells]
        out[name] = _settled(name, cells, moments, findings, declared)
        clocks = [None if moment is None else moment.clock for moment in moments]
        if any(clock is not None for clock in clocks):
            findings.clocks[name] = clocks
    return out, findings


def _settled(
    name: str,
    cells: list[Any],
    moments: list[Moment | None],
    findings: DateFindings,
    declared: bool | None,
) -> list[Any]:
    """Return a column with the days of its moments; what is no day stays."""
    out = list(cells)
    for index, moment in enumerate(moments):
        if moment is None:
            continue
        read = _decided(moment, findings, declared)
        if read is None:
            text = str(cells[index])
            first, text, count = findings.ambiguous.get(name, (index, text, 0))
            findings.ambiguous[name] = (first, text, count + 1)
        out[index] = read or cells[index]
    return out


def _note(
    day: DayOrMonthFirst,
    dotted: bool,
    where: tuple[str, int, str],
    findings: DateFindings,
    declared: bool | None,
) -> None:
    """Keep what a date tells of the order in its file."""
    findings.dotted = findings.dotted or dotted
    findings.year_last |= day.short and not day.year_may_be_first
    if declared is None and not (dotted and day.orders != (True,)):
        _weigh(day, where, findings)


def _decided(
    moment: Moment, findings: DateFindings, declared: bool | None
) -> str | None:
    """Return the day of a moment, "" if it is none, None if it might be two."""
    day = moment.day
    if isinstance(day, str):
        return day
    if day.year_may_be_first and not findings.year_last and declared is None:
        return ""
    orders = day.orders
    if moment.dotted and declared is None:
        return day.iso(dayfirst=True) if True in orders else ""
    order = findings.dayfirst if declared is None else declared
    if order is not None:
        # A day that the order of the file does not allow is left for the error.
        return day.iso(order) if day.weekday is None or order in orders else ""
    if not orders:
        return ""
    same = len({day.iso(order) for order in orders}) == 1
    return day.iso(orders[0]) if same else None


def _weigh(
    found: DayOrMonthFirst, where: tuple[str, int, str], findings: DateFindings
) -> None:
    if found.named or found.year_may_be_first or found.first == found.second:
        return
    if found.orders == (True,):
        findings.day_first = findings.day_first or where
    elif found.orders == (False,):
        findings.month_first = findings.month_first or where
