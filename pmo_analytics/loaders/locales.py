"""Numbers and dates as people type them become plain floats and ISO texts.

The decimal mark and the order of day and month are decided once per file (or
sheet): as declared, or from the cells that can be read in one way only. What stays
ambiguous is an error; nothing is guessed cell by cell.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

Cells = Sequence[Any]

_SPACES = " \u00a0\u2007\u2009\u202f"
_NUMBER = {
    # Groups of three, all with the same mark, or plain digits; then the decimals.
    mark: re.compile(
        rf"([+-]?)(?:([1-9]\d{{0,2}})((?:({group})\d{{3}})(?:\4\d{{3}})*)|(\d*))"
        rf"(?:{re.escape(mark)}(\d+))?([eE][+-]?\d{{1,3}})?"
    )
    for mark, group in ((".", rf"[,{_SPACES}'\u2019]"), (",", rf"[.{_SPACES}'\u2019]"))
}
_CURRENCY = (
    r"(?:NT\$|US\$|HK\$|[€$£¥₩₹元圆圓]|人民币|人民幣|"
    r"RMB|CNY|EUR|USD|GBP|CHF|JPY|HKD|TWD)"
)
_CURRENCY_FIRST = re.compile(rf"{_CURRENCY} ?(?=[\d.,+-])", re.IGNORECASE)
_CURRENCY_LAST = re.compile(rf"(?<=[\d万萬亿億]) ?{_CURRENCY}$", re.IGNORECASE)
_SCALES = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8}


@dataclass
class NumberFindings:
    """What was met while the numbers of a file were read.

    Parameters
    ----------
    decimal
        Mark used; `inferred` when the file showed and did not declare it.
    points, commas
        (column, row index, text) of the first cell that needs that decimal mark.
    ambiguous
        Column -> (row index of the first, its text, number of cells) that read
        differently under each mark.
    grouped, percents, currencies, scaled
        First text of each kind that was converted.
    """

    decimal: str = "."
    inferred: bool = False
    points: tuple[str, int, str] | None = None
    commas: tuple[str, int, str] | None = None
    ambiguous: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    grouped: str = ""
    percents: str = ""
    currencies: str = ""
    scaled: str = ""

    @property
    def contradictory(self) -> bool:
        """Whether some cells need a decimal comma and others a decimal point."""
        return self.points is not None and self.commas is not None


def read_numbers(
    columns: dict[str, list[Any]], declared: str = ""
) -> tuple[dict[str, list[Any]], NumberFindings]:
    """Return columns with every readable cell as float, None = blank.

    Parameters
    ----------
    columns
        Number columns of one file; blank = None.
    declared
        Decimal mark the file declares, or "".

    Returns
    -------
    dict, NumberFindings
        A cell that cannot be read stays as it was.
    """
    findings = NumberFindings(decimal=declared or ".")
    plain = {name: _plain(cells, declared == ",") for name, cells in columns.items()}
    if all(values is not None for values in plain.values()):
        return {name: values or [] for name, values in plain.items()}, findings
    shapes: dict[str, _Shape] = {}
    for name, cells in columns.items():
        for index, cell in enumerate(cells):
            if cell.__class__ is str:
                shape = shapes.get(cell)
                if shape is None:
                    shape = shapes[cell] = _shape(cell)
                if shape.needs == "." and findings.points is None:
                    findings.points = (name, index, cell)
                elif shape.needs == "," and findings.commas is None:
                    findings.commas = (name, index, cell)
    if not declared and findings.commas is not None:
        findings.inferred = True
        findings.decimal = "." if findings.points is not None else ","
    undecided = not declared and findings.commas is None and findings.points is None
    read = {
        name: [
            _value(cell, shapes, findings, undecided, name, index)
            for index, cell in enumerate(cells)
        ]
        for name, cells in columns.items()
    }
    if declared:
        findings.points = findings.commas = None
    return read, findings


def _plain(cells: Cells, comma: bool) -> list[Any] | None:
    """Return cells as floats if all are plain numbers or blank, else None."""
    kinds = set(map(type, cells))
    if not kinds <= {str, float, int, type(None)}:
        return None
    if str in kinds:
        # float() also reads 1_000, and a point may be a thousands mark.
        for cell in cells:
            if cell.__class__ is str and ("_" in cell or (comma and "." in cell)):
                return None
    try:
        values = [None if cell is None else float(cell) for cell in cells]
    except ValueError:
        return None
    total = sum(value for value in values if value is not None)
    return values if math.isfinite(total) else None


@dataclass(frozen=True)
class _Shape:
    """A text read under each decimal mark, and the mark it needs, if any."""

    point: float | None
    comma: float | None
    needs: str
    has_comma: bool
    grouped: bool
    percent: bool
    currency: bool
    scaled: bool


def _shape(text: str) -> _Shape:
    core = unicodedata.normalize("NFKC", text).strip().replace("\u2212", "-")
    factor = 1.0
    percent = core.endswith("%")
    if percent:
        core, factor = core[:-1].rstrip(), 0.01
    core, currency = _without_currency(core)
    scaled = core[-1:] in _SCALES
    if scaled:
        factor *= _SCALES[core[-1]]
        core = core[:-1].rstrip()
    point, comma = (_parse(core, mark, factor) for mark in ".,")
    needs = ""
    if point is None and comma is not None:
        needs = ","
    elif comma is None and point is not None and ("." in core or "," in core):
        needs = "."
    return _Shape(
        point,
        comma,
        needs,
        "," in core,
        bool(re.search(rf"\d[,.{_SPACES}'\u2019]\d{{3}}(?!\d)", core)),
        percent,
        currency,
        scaled,
    )


def _without_currency(core: str) -> tuple[str, bool]:
    sign = core[0] if core[:1] in ("+", "-") else ""
    rest = core[len(sign) :].lstrip()
    for pattern in (_CURRENCY_FIRST, _CURRENCY_LAST):
        match = pattern.match(rest) or pattern.search(rest)
        if match:
            rest = (rest[: match.start()] + rest[match.end() :]).strip()
            return sign + rest, True
    return core, False


def _parse(core: str, mark: str, factor: float) -> float | None:
    match = _NUMBER[mark].fullmatch(core)
    if match is None:
        return None
    sign, head, groups, _group, digits, decimals, exponent = match.groups()
    whole = (head + re.sub(r"\D", "", groups)) if head else (digits or "")
    if not whole and not decimals:
        return None
    if exponent and mark == ",":
        return None
    value = float(f"{sign}{whole or 0}.{decimals or 0}{exponent or ''}")
    if not math.isfinite(value):
        return None
    if factor == 0.01:
        return value / 100  # 7 % is 0.07, not 0.07000000000000001
    return value * factor


def _value(
    cell: Any,
    shapes: dict[str, _Shape],
    findings: NumberFindings,
    undecided: bool,
    name: str,
    index: int,
) -> Any:
    if cell.__class__ is not str:
        plain = isinstance(cell, (int, float)) and not isinstance(cell, bool)
        return float(cell) if plain and math.isfinite(cell) else cell
    shape = shapes[cell]
    value = shape.comma if findings.decimal == "," else shape.point
    if value is None:
        return cell
    if undecided and shape.has_comma and shape.comma != shape.point:
        first, text, count = findings.ambiguous.get(name, (index, cell, 0))
        findings.ambiguous[name] = (first, text, count + 1)
        return cell
    if shape.grouped and findings.decimal == "." and shape.has_comma:
        findings.grouped = findings.grouped or cell
    if shape.percent:
        findings.percents = findings.percents or cell
    if shape.currency:
        findings.currencies = findings.currencies or cell
    if shape.scaled:
        findings.scaled = findings.scaled or cell
    return value


# ---------------------------------------------------------------------------- dates

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
