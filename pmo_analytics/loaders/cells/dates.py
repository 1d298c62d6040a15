"""Dates and periods as people type them become ISO texts.

The order of day and month is decided once per file (or sheet): as declared, or from
the cells that can be read in one way only. What stays ambiguous is an error; nothing
is guessed cell by cell.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

_CLOCK = (
    r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?"
    r"(?:Z|[+-]\d\d:?\d\d)?)?"
)
_DAY = re.compile(
    rf"(\d{{4}}) ?[-/.年] ?(\d{{1,2}}) ?[-/.月] ?(\d{{1,2}}) ?日?{_CLOCK}"
)
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
_NAMED = re.compile(r"([A-Za-z]{3,9})\.?(?:[-/, ]*(\d{4})|(?:-| ?['\u2019])(\d{2}))")
_YEAR_NAMED = re.compile(r"(\d{4})[-/, ]*([A-Za-z]{3,9})\.?")
_DAY_NAMED = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*([A-Za-z]{{3,9}})\.?[-/., ]*(\d{{4}}){_CLOCK}"
)
_NAMED_DAY = re.compile(
    rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? ?(\d{{4}}){_CLOCK}"
)
_EITHER = re.compile(rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_CLOCK}")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_OF = {
    name[:size]: number
    for number, name in enumerate(_MONTHS, 1)
    for size in (3, len(name))
} | {"sept": 9}
_QUARTER_OF = {"一": "1", "二": "2", "三": "3", "四": "4"}
_EPOCH = datetime(1899, 12, 30)
# Serial numbers of workbooks, 1954 to 2119: no year and no year-month lies there.
_SERIALS = range(20_000, 80_001)


@dataclass(frozen=True)
class DayOrMonthFirst:
    """A date such as 03/04/2027 whose order the file has to tell."""

    first: int
    second: int
    year: int

    def iso(self, dayfirst: bool) -> str:
        """Return the ISO date under an order."""
        day, month = (
            (self.first, self.second) if dayfirst else (self.second, self.first)
        )
        return f"{self.year:04d}-{month:02d}-{day:02d}"


def read_date(cell: Any, *, serials: bool = False) -> str | DayOrMonthFirst | None:
    """Return a date or period as the strict parser writes it; None = no date.

    A time of day is dropped. The calendar is not checked here: 2027-02-31 comes
    back as it is, for the strict parser to refuse.

    Parameters
    ----------
    serials
        Take numbers such as 46388 for the day numbers of a workbook.
    """
    if isinstance(cell, (date, datetime)):
        return cell.strftime("%Y-%m-%d") if cell.year >= 1000 else None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if not math.isfinite(cell):
            return None
        if serials and math.floor(cell) in _SERIALS:
            return (_EPOCH + timedelta(days=math.floor(cell))).strftime("%Y-%m-%d")
        if not float(cell).is_integer():
            return None
        cell = str(int(cell))
    if not isinstance(cell, str):
        return None
    return _read_date_text(" ".join(unicodedata.normalize("NFKC", cell).split()))


def _read_date_text(text: str) -> str | DayOrMonthFirst | None:
    if m := _DAY.fullmatch(text) or _COMPACT_DAY.fullmatch(text):
        return f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}"
    if m := _EITHER.fullmatch(text):
        return DayOrMonthFirst(int(m[1]), int(m[2]), int(m[3]))
    if m := _YEAR_MONTH.fullmatch(text):
        return f"{m[1]}-{int(m[2] or m[3]):02d}"
    if m := _COMPACT_MONTH.fullmatch(text):
        return f"{m[1]}-{m[2]}"
    if m := _MONTH_YEAR.fullmatch(text):
        return f"{m[2]}-{int(m[1]):02d}"
    if m := _YEAR.fullmatch(text):
        return m[1]
    if m := _QUARTER.fullmatch(text):
        quarter = m[2] or _QUARTER_OF.get(m[3], m[3])
        return f"{m[1]}Q{quarter}"
    if m := _QUARTER_YEAR.fullmatch(text):
        return f"{m[2]}Q{m[1]}"
    if m := _WEEK.fullmatch(text):
        return f"{m[1]}-W{int(m[2]):02d}"
    if m := _WEEK_YEAR.fullmatch(text):
        return f"{m[2]}-W{int(m[1]):02d}"
    return _read_named_month(text)


def _read_named_month(text: str) -> str | None:
    day = month = year = None
    if m := _DAY_NAMED.fullmatch(text):
        day, month, year = m[1], m[2], m[3]
    elif m := _NAMED_DAY.fullmatch(text):
        day, month, year = m[2], m[1], m[3]
    elif m := _NAMED.fullmatch(text):
        month, year = m[1], m[2] or f"20{m[3]}"
    elif m := _YEAR_NAMED.fullmatch(text):
        month, year = m[2], m[1]
    number = _MONTH_OF.get(month.casefold()) if month else None
    if number is None:
        return None
    return f"{year}-{number:02d}" + (f"-{int(day):02d}" if day else "")


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
    serials
        First day number of a workbook that was converted.
    """

    dayfirst: bool | None = None
    inferred: bool = False
    day_first: tuple[str, int, str] | None = None
    month_first: tuple[str, int, str] | None = None
    ambiguous: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    serials: str = ""


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
    seen: dict[Any, Any] = {}
    for name, cells in (*columns.items(), ("", list(headers))):
        for index, cell in enumerate(cells):
            if cell is None:
                continue
            key = (cell.__class__, cell)
            if key not in seen:
                read = seen[key] = read_date(cell, serials=serials)
                if isinstance(read, DayOrMonthFirst) and declared is None:
                    _weigh(read, (name, index, str(cell)), findings)
                elif serials and isinstance(cell, float) and int(cell) in _SERIALS:
                    findings.serials = findings.serials or f"{cell:g}"
    if findings.day_first or findings.month_first:
        findings.inferred = True
        findings.dayfirst = findings.day_first is not None
    out: dict[str, list[Any]] = {}
    for name, cells in columns.items():
        values = []
        for index, cell in enumerate(cells):
            read = None if cell is None else seen[(cell.__class__, cell)]
            if isinstance(read, DayOrMonthFirst):
                if read.first == read.second:
                    read = read.iso(dayfirst=True)
                elif findings.dayfirst is None:
                    first, text, count = findings.ambiguous.get(
                        name, (index, str(cell), 0)
                    )
                    findings.ambiguous[name] = (first, text, count + 1)
                    read = None
                else:
                    read = read.iso(findings.dayfirst)
            values.append(cell if read is None else read)
        out[name] = values
    return out, findings


def _weigh(
    found: DayOrMonthFirst, where: tuple[str, int, str], findings: DateFindings
) -> None:
    if found.first > 12 >= found.second:
        findings.day_first = findings.day_first or where
    elif found.second > 12 >= found.first:
        findings.month_first = findings.month_first or where
