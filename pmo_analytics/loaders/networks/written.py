"""What people read in exports of planning tools: dates, lengths, links in one cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

_MONTHS = [
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
]
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = re.compile(
    r"(?:(?P<weekday>[A-Za-z]{2,9})\.?,?\s+)?"
    r"(?P<a>\d{1,4})[./\- ](?P<b>\d{1,2}|[A-Za-z]{3,9})[./\- ](?P<c>\d{2,4})"
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2}(?:\.\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?(?:Z)?\s*[A*]*"
)
_NAMED = re.compile(
    r"(?:[A-Za-z]{2,9}\.?,?\s+)?(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+"
    r"(?P<year>\d{4})(?:[ ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?\s*[A*]*"
)
_LENGTH = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*(e?)([A-Za-z]*)\.?\??", re.IGNORECASE)
_LINK = re.compile(
    r"(?P<task>[^\s:;,]+?)(?:\s*:?\s*(?P<kind>FS|SS|FF|SF)\s*"
    r"(?P<lag>[+-]?\s*\d+(?:[.,]\d+)?\s*(?:e?[a-z]+|%|e%)?)?)?",
    re.IGNORECASE,
)


class Link(NamedTuple):
    """One link of a cell; `hours` or `percent` is its lag."""

    requires: str
    kind: str
    hours: float
    unit: str
    percent: float


class Length(NamedTuple):
    """A length of time in hours; `elapsed` counts hours of the clock."""

    hours: float
    elapsed: bool


def is_day_first(cells: Iterable[Any]) -> bool | None:
    """Return whether 03/04/2027 is 3 April; None where nothing tells.

    Days above 12 tell, and the names of weekdays.
    """
    for cell in cells:
        match = _DATE.fullmatch(str(cell).strip()) if cell else None
        if match is None or not match["b"].isdecimal() or len(match["a"]) == 4:
            continue
        first, second = int(match["a"]), int(match["b"])
        if first > 12 >= second:
            return True
        if second > 12 >= first:
            return False
        weekday = (match["weekday"] or "")[:3].lower()
        if weekday in _WEEKDAYS and first != second:
            fits = [
                made is not None and made.weekday() == _WEEKDAYS.index(weekday)
                for made in (
                    _day(int(match["c"]), second, first),
                    _day(int(match["c"]), first, second),
                )
            ]
            if fits[0] != fits[1]:
                return fits[0]
    return None


def read_moment(cell: Any, day_first: bool, *, late: bool) -> np.datetime64 | None:
    """Return a date of an export, NaT for a blank, None where it cannot be read.

    Parameters
    ----------
    late
        A day without a time ends at 17:00, instead of beginning at 8:00.
    """
    blank = np.datetime64("NaT", "s")
    if isinstance(cell, datetime):
        return np.datetime64(cell.replace(microsecond=0), "s")
    if isinstance(cell, date):
        return np.datetime64(f"{cell}T{'17' if late else '08'}:00", "s")
    text = str(cell).strip() if cell is not None else ""
    if text in ("", "NA", "N/A", "-"):
        return blank
    match = _DATE.fullmatch(text) or _NAMED.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    found = _named_day(parts) if "month" in parts else _ordered_day(parts, day_first)
    if found is None:
        return None
    hour = int(parts["hour"] or (17 if late else 8))
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    minute = int(parts["minute"] or 0)
    if hour > 23 or minute > 59:
        return None
    return np.datetime64(f"{found}T{hour:02}:{minute:02}", "s")


def _named_day(parts: dict[str, str]) -> date | None:
    return _day(int(parts["year"]), _month(parts["month"]), int(parts["day"]))


def _ordered_day(parts: dict[str, str], day_first: bool) -> date | None:
    a, b, c = parts["a"], parts["b"], parts["c"]
    if not b.isdecimal():
        return _day(int(c), _month(b), int(a))
    if len(a) == 4:
        return _day(int(a), int(b), int(c))
    if day_first:
        return _day(int(c), int(b), int(a))
    return _day(int(c), int(a), int(b))


def _month(word: str) -> int:
    short = word[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def _day(year: int, month: int, day: int) -> date | None:
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if 1900 <= year < 2200 else None


def read_span(cell: Any, day_hours: float, unit: str = "d") -> Length | None:
    """Return a length of time; NaN hours for a blank, None where it cannot be read.

    Parameters
    ----------
    unit
        Of a number without one.
    """
    text = str(cell).strip() if cell is not None else ""
    if text == "":
        return Length(float("nan"), False)
    match = _LENGTH.fullmatch(text)
    if match is None:
        return None
    amount = float(match[1].replace(",", "."))
    word = match[3].lower()
    elapsed = bool(match[2])
    if elapsed and not word:
        return None
    factor = _factor(word or unit, 24.0 if elapsed else day_hours, elapsed)
    return None if factor is None else Length(amount * factor, elapsed)


def _factor(word: str, day_hours: float, elapsed: bool) -> float | None:
    """Return the hours of a unit of Microsoft Project or P6."""
    week, month = (7, 30) if elapsed else (5, 20)
    if word.startswith("mo"):
        return day_hours * month
    for letter, hours in (
        ("m", 1 / 60),
        ("h", 1.0),
        ("d", day_hours),
        ("w", day_hours * week),
        ("y", day_hours * week * 52),
    ):
        if word.startswith(letter):
            return hours
    return None


def read_links(cell: Any, day_hours: float) -> Iterator[Link | str]:
    """Yield the links of a cell, or the text of what is none.

    `12FS+3d`, `A1040: SS, A18160: FF 10`, `3;4`, `7SS+50%`; a lag without unit is in
    days.
    """
    text = str(int(cell)) if isinstance(cell, float) and cell == int(cell) else cell
    for part in re.split(r"[,;]\s*", str(text or "").strip()):
        part = part.strip()
        if not part:
            continue
        match = _LINK.fullmatch(part)
        if match is None:
            yield part
            continue
        kind = (match["kind"] or "FS").upper()
        lag = re.sub(r"\s", "", match["lag"] or "")
        if lag.endswith("%"):
            elapsed = lag.endswith("e%")
            percent = float(lag.rstrip("%").rstrip("e").replace(",", "."))
            unit = "elapsed_percent" if elapsed else "percent"
            yield Link(match["task"], kind, float("nan"), unit, percent)
            continue
        span = read_span(lag.lstrip("+"), day_hours)
        if span is None:
            yield part
            continue
        hours = 0.0 if span.hours != span.hours else span.hours
        unit = "elapsed" if span.elapsed else "working"
        yield Link(match["task"], kind, hours, unit, float("nan"))


def read_names(cell: Any) -> Iterator[tuple[str, float]]:
    """Yield name and units of `Ann[50%], Bob, Steel[3 t]`."""
    for part in re.split(r"[,;](?![^\[]*\])", str(cell or "")):
        name, bracket, rest = part.strip().partition("[")
        if not name.strip():
            continue
        share = re.match(r"(\d+(?:[.,]\d+)?)\s*%", rest) if bracket else None
        units = float(share[1].replace(",", ".")) / 100 if share else 1.0
        yield name.strip(), units
