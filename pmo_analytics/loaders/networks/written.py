"""What people read in exports of planning tools: dates, lengths, links in one cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pmo_analytics.loaders.networks.languages import ENGLISH, UNITS
from pmo_analytics.loaders.networks.tongues import Tongue, folded

_HOUR = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2}(?:\.\d+)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?"
)
_WEEKDAY = r"(?:(?P<weekday>[^\W\d_]{1,12})\.?,?\s+)?"
_DATE = re.compile(
    _WEEKDAY + r"(?P<a>\d{1,4})(?P<mark>[./\-]\s?|\s)(?P<b>\d{1,2}|[^\W\d_]{3,12})\.?"
    rf"[./\- ](?P<c>\d{{1,4}})(?:\s?\u0433\.?)?(?:[T ,]+{_HOUR})?(?:Z)?\s*[A*]*",
    re.IGNORECASE,
)
_NAMED = re.compile(
    _WEEKDAY + r"(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})"
    rf"(?:[ ,]+{_HOUR})?\s*[A*]*",
    re.IGNORECASE,
)
_SPACES = r" \u00a0\u2007\u2009\u202f'\u2019"
_AMOUNT = rf"\d(?:[\d.,{_SPACES}]*\d)?"
_LENGTH = re.compile(rf"(-?)({_AMOUNT})\s*([^\W\d_]*)\.?\s*\??")
_NOTHING = {
    *("", "-", "na", "n/a", "nv", "nc", "nod", "nd", "nvt", "n.v.t.", "nb"),
    *("нд", "н/д", "brak"),
}
# Days of a workbook count from the eve of 1900; those of 1954 to 2119.
_SERIALS = range(20_000, 80_000)


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


def is_day_first(cells: Iterable[Any], tongue: Tongue = ENGLISH) -> bool | None:
    """Return whether 03/04/2027 is 3 April; None where nothing tells.

    Days above 12 tell, the names of weekdays, and points: 03.04.2027 has the day first.
    """
    points = None
    for cell in cells:
        match = _DATE.fullmatch(str(cell).strip()) if cell else None
        if match is None or not match["b"].isdecimal() or len(match["a"]) == 4:
            continue
        first, second = int(match["a"]), int(match["b"])
        if first > 12 >= second:
            return True
        if second > 12 >= first:
            return False
        weekday = _place(match["weekday"] or "", tongue.weekdays)
        if weekday is not None and first != second:
            fits = [
                made is not None and made.weekday() == weekday
                for made in (
                    _day(int(match["c"]), second, first),
                    _day(int(match["c"]), first, second),
                )
            ]
            if fits[0] != fits[1]:
                return fits[0]
        if match["mark"].startswith("."):
            points = True
    return points


def read_moment(
    cell: Any, day_first: bool, *, late: bool, tongue: Tongue = ENGLISH
) -> np.datetime64 | None:
    """Return a date of an export, NaT for a blank, None where it cannot be read.

    Parameters
    ----------
    late
        A day without a time ends at 17:00, instead of beginning at 8:00.
    """
    if isinstance(cell, float) and int(cell) in _SERIALS:
        cell = datetime(1899, 12, 30) + timedelta(minutes=round(cell * 1440))
        cell = cell.date() if cell.hour == cell.minute == 0 else cell
    if isinstance(cell, datetime):
        return np.datetime64(cell.replace(microsecond=0), "s")
    if isinstance(cell, date):
        return np.datetime64(f"{cell}T{'17' if late else '08'}:00", "s")
    text = str(cell).strip() if cell is not None else ""
    if text.casefold() in _NOTHING:
        return np.datetime64("NaT", "s")
    text = text.replace("年", "-").replace("月", "-").replace("日", " ").strip()
    match = _DATE.fullmatch(text) or _NAMED.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    if "month" in parts:
        month = _month(parts["month"], tongue)
        found = _day(int(parts["year"]), month, int(parts["day"]))
    else:
        found = _ordered_day(parts, day_first, tongue)
    if found is None:
        return None
    hour = int(parts["hour"] or (17 if late else 8))
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    minute = int(parts["minute"] or 0)
    if hour > 23 or minute > 59:
        return None
    return np.datetime64(f"{found}T{hour:02}:{minute:02}", "s")


def _ordered_day(parts: dict[str, str], day_first: bool, tongue: Tongue) -> date | None:
    a, b, c = parts["a"], parts["b"], parts["c"]
    if not b.isdecimal():
        return _day(int(c), _month(b, tongue), int(a)) if len(c) > 1 else None
    if len(a) == 4 or (tongue.order == "ymd" and len(c) < 3):
        return _day(int(a), int(b), int(c))
    if len(a) > 2 or len(c) not in (2, 4):
        return None
    if day_first:
        return _day(int(c), int(b), int(a))
    return _day(int(c), int(a), int(b))


def _place(word: str, stems: Iterable[str]) -> int | None:
    """Return which of some beginnings a word has."""
    own = folded(word)
    return next((k for k, stem in enumerate(stems) if own.startswith(stem)), None)


def _month(word: str, tongue: Tongue) -> int:
    found = _place(word, tongue.months)
    found = _place(word, ENGLISH.months) if found is None else found
    return 0 if found is None else found + 1


def _day(year: int, month: int, day: int) -> date | None:
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if 1900 <= year < 2200 else None


def read_amount(text: str, comma: bool) -> float:
    """Return a number as people write it, with or without thousands.

    Of two marks the last one is that of decimals. One mark alone that is not `comma`'s
    (or the point's) stands before decimals too, unless three digits follow.

    Raises
    ------
    ValueError
        If it is no number.
    """
    text = re.sub(f"[{_SPACES}]", "", text).strip(".,")
    marks = [mark for mark in text if mark in ".,"]
    decimal = "," if comma else "."
    if len(set(marks)) == 2:
        decimal = marks[-1]
    elif len(marks) > 1:
        decimal = ""
    elif marks and marks[0] != decimal:
        decimal = "" if len(text.partition(marks[0])[2]) == 3 else marks[0]
    plain = "".join(
        "." if c == decimal else c for c in text if c not in ".," or c == decimal
    )
    return float(plain)


def commas_tell(cells: Iterable[Any]) -> bool | None:
    """Return whether decimals stand behind a comma; None where nothing tells."""
    for cell in cells:
        if isinstance(cell, str) and (
            told := re.search(r"\d([.,])\d{1,2}(?!\d)(?![.,]\d)", cell)
        ):
            return told[1] == ","
    return None


def read_span(
    cell: Any,
    day_hours: float,
    unit: str = "d",
    tongue: Tongue = ENGLISH,
    *,
    comma: bool = False,
) -> Length | None:
    """Return a length of time; NaN hours for a blank, None where it cannot be read.

    Parameters
    ----------
    unit
        Of a number without one.
    comma
        Decimals stand behind a comma.
    """
    if isinstance(cell, int | float):
        amount, word = float(cell), ""
    else:
        text = str(cell).strip() if cell is not None else ""
        if text.casefold() in _NOTHING:
            return Length(float("nan"), False)
        match = _LENGTH.fullmatch(text)
        if match is None:
            return None
        try:
            amount = read_amount(match[2], comma)
        except ValueError:
            return None
        amount, word = -amount if match[1] else amount, folded(match[3])
    found = tongue.units.get(word) or UNITS.get(word)
    elapsed = False
    if found is None and tongue.elapsed and word.startswith(tongue.elapsed):
        rest = word.removeprefix(tongue.elapsed)
        found = tongue.units.get(rest) or UNITS.get(rest)
        elapsed = found is not None
    if word and found is None:
        return None
    hours = _hours(found or unit, 24.0 if elapsed else day_hours, elapsed)
    return Length(amount * hours, elapsed)


def _hours(unit: str, day_hours: float, elapsed: bool) -> float:
    """Return the hours of a unit of Microsoft Project or P6."""
    week, month = (7, 30) if elapsed else (5, 20)
    days = {"d": 1, "w": week, "mo": month, "y": week * 52}
    return {"m": 1 / 60, "h": 1.0}.get(unit) or day_hours * days[unit]


def read_links(
    cell: Any, day_hours: float, tongue: Tongue = ENGLISH, *, comma: bool = False
) -> Iterator[Link | str]:
    """Yield the links of a cell, or the text of what is none.

    `12FS+3d`, `A1040: SS, A18160: FF 10`, `3;4`, `7SS+50%`; a lag without unit is in
    days. Letters are those of the language, or of English.
    """
    text = str(int(cell)) if isinstance(cell, float) and cell == int(cell) else cell
    pattern = _link_pattern(frozenset(tongue.links))
    for part in _parts(str(text or "").strip()):
        match = pattern.fullmatch(part)
        if match is None:
            yield part
            continue
        kind = tongue.links[(match["kind"] or "FS").upper()]
        lag = re.sub(r"\s", "", match["lag"] or "").lstrip("+")
        try:
            link = _link(match["task"], kind, lag, day_hours, tongue, comma)
        except ValueError:
            link = None
        yield part if link is None else link


def _link(
    task: str, kind: str, lag: str, day_hours: float, tongue: Tongue, comma: bool
) -> Link | None:
    if lag.endswith("%"):
        share = lag.removesuffix("%")
        elapsed = bool(tongue.elapsed) and share.endswith(tongue.elapsed)
        share = share.removesuffix(tongue.elapsed) if elapsed else share
        sign = -1 if share.startswith("-") else 1
        percent = sign * read_amount(share.lstrip("-"), comma)
        unit = "elapsed_percent" if elapsed else "percent"
        return Link(task, kind, float("nan"), unit, percent)
    span = read_span(lag, day_hours, "d", tongue, comma=comma)
    if span is None:
        return None
    hours = 0.0 if span.hours != span.hours else span.hours
    unit = "elapsed" if span.elapsed else "working"
    return Link(task, kind, hours, unit, float("nan"))


@lru_cache
def _link_pattern(tongue_links: frozenset[str]) -> re.Pattern[str]:
    kinds = "|".join(sorted(tongue_links))
    return re.compile(
        rf"(?P<task>[^\s:;,]+?)(?:\s*:?\s*(?P<kind>{kinds})\s*"
        rf"(?P<lag>[+-]?\s*{_AMOUNT}\s*(?:[^\W\d_]+\.?|[^\W\d_]?%)?)?)?",
        re.IGNORECASE,
    )


def _parts(text: str) -> list[str]:
    """Return the links of a cell; in `2EA+2,5 Tage` the comma is that of a number."""
    text = re.sub(
        r"([+-]\s*\d+),(\d+\s*)(?=%|[^\W\d_]+\.?\s*(?:[,;]|$))", r"\1.\2", text
    )
    return [part for part in map(str.strip, re.split(r"[,;]", text)) if part]


def read_names(cell: Any) -> Iterator[tuple[str, float]]:
    """Yield name and units of `Ann[50%], Bob, Steel[3 t]`."""
    for part in re.split(r"[,;](?![^\[]*\])", str(cell or "")):
        name, bracket, rest = part.strip().partition("[")
        if not name.strip():
            continue
        yield name.strip(), read_share(rest) if bracket else 1.0


def read_share(cell: Any) -> float:
    """Return `50%` or `0.5` as 0.5; 1 where there is no share."""
    if isinstance(cell, int | float) and cell == cell:
        return float(cell)
    share = re.match(r"(\d+(?:[.,]\d+)?)\s*%", str(cell or "").strip())
    return float(share[1].replace(",", ".")) / 100 if share else 1.0
