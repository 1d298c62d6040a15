"""Numbers as people type them become plain floats.

The decimal mark is decided once per file (or sheet): as declared, or from the cells
that can be read in one way only, of this file or else of its neighbours. What stays
ambiguous is an error; nothing is guessed cell by cell.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from pmo_analytics.loaders.cells.currencies import without_currency

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
# 12,34,567.50: India counts in groups of two after the first three.
_INDIAN = re.compile(r"([+-]?)([1-9]\d?(?:,\d\d)+,\d{3})(?:\.(\d+))?")
_DIGITS = re.compile(r"[+-]?[\d.,]*\d", re.ASCII)
_GROUPED = re.compile(rf"\d[,.{_SPACES}'\u2019]\d{{3}}(?!\d)")
# A point and three digits: decimals, or thousands where people write so.
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
# 1.200,- and 1'200.-- : no cents.
_NO_CENTS = re.compile(r"(\d[.,])--?$")
_PERCENT = re.compile(r"\s*(?:%|percent|pct|prozent)$", re.IGNORECASE)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2012": "-"})
# Power of ten of a word after the number.
_SCALES = {
    word: power
    for power, words in {
        3: "k|tsd|tsd.|thousand|mille",
        4: "万|萬",
        5: "lakh|lakhs|lac",
        6: "m|mm|mn|mio|mio.|million|millions|百万|百萬",
        7: "cr|crore|crores",
        8: "亿|億",
        9: "b|bn|mrd|mrd.|billion|billions",
    }.items()
    for word in words.split("|")
}
_SCALED = re.compile(r"(.*[\d.,)])\s*([^\W\d_]+\.?)", re.DOTALL)
# What no bounded column (a share, hours of a week) can hold.
_BEYOND = 1000.0


@dataclass(frozen=True)
class Company:
    """What is known of the decimal mark from around a file.

    Parameters
    ----------
    proven
        Mark that cells of other files of the folder need, "" = none or both.
    witness
        One of those cells, with its file.
    local
        The file looks as in a country that writes 250.000 for thousands: fields are
        separated by semicolons, or days are written 31.12.2027.
    """

    proven: str = ""
    witness: str = ""
    local: bool = False


ALONE = Company()


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
    grouped, percents, scaled, negatives
        First text of each kind that was converted.
    three_decimals
        First text such as 1.500 that was read as 1.5 for want of other signs.
    by_company
        First text that was read as other files of the folder tell.
    currencies
        Sign or code -> (column, row index, text) of its first cell.
    """

    decimal: str = "."
    inferred: bool = False
    points: tuple[str, int, str] | None = None
    commas: tuple[str, int, str] | None = None
    ambiguous: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    grouped: str = ""
    percents: str = ""
    scaled: str = ""
    negatives: str = ""
    three_decimals: str = ""
    by_company: str = ""
    currencies: dict[str, tuple[str, int, str]] = field(default_factory=dict)


def read_numbers(
    columns: dict[str, list[Any]],
    declared: str = "",
    *,
    company: Company = ALONE,
    bounded: Collection[str] = (),
    money: Collection[str] | None = None,
) -> tuple[dict[str, list[Any]], NumberFindings]:
    """Return columns with every readable cell as float, None = blank.

    Parameters
    ----------
    columns
        Number columns of one file; blank = None.
    declared
        Decimal mark the file declares, or "".
    company
        What other files tell.
    bounded
        Columns that never hold a thousand, such as shares.
    money
        Columns in which 1.2m is a number, and not 1.2 minutes or months; None = all.

    Returns
    -------
    dict, NumberFindings
        A cell that cannot be read stays as it was.
    """
    commas = "," in (declared, company.proven) or (not declared and company.local)
    plain = {name: _plain(cells, commas) for name, cells in columns.items()}
    if all(values is not None for values in plain.values()):
        numbers = {name: values or [] for name, values in plain.items()}
        return numbers, NumberFindings(decimal=declared or ".")
    findings, unproven = _decide_mark(columns, declared, company, bounded)
    zeros = {name for name, cells in columns.items() if unproven and _zeros(cells)}
    # Nobody writes three decimals of an amount; hours and FTE may have them.
    doubted = zeros & set(money or ())
    if company.local and not company.proven:
        doubted = set(columns)
    read: dict[str, list[Any]] = {}
    for name, cells in columns.items():
        values = read[name] = []
        words = money is None or name in money
        for index, cell in enumerate(cells):
            if cell.__class__ is not str:
                values.append(_typed(cell))
                continue
            shape = _shape(cell)
            value = shape.comma if findings.decimal == "," else shape.point
            if value is None or (shape.word and not words):
                values.append(cell)
                continue
            if unproven and shape.two_ways:
                doubt = name in doubted and company.proven != ","
                if not company.proven if shape.has_comma else doubt:
                    first, text, count = findings.ambiguous.get(name, (index, cell, 0))
                    findings.ambiguous[name] = (first, text, count + 1)
                    values.append(cell)
                    continue
                _note_choice(cell, findings, company, zeros=name in zeros)
            values.append(value)
            _note(shape, findings, name, index, cell)
    if declared:
        findings.points = findings.commas = None
    return read, findings


def _decide_mark(
    columns: Mapping[str, Cells],
    declared: str,
    company: Company,
    bounded: Collection[str],
) -> tuple[NumberFindings, bool]:
    """Return findings with the decimal mark, and whether nothing in the file tells."""
    findings = NumberFindings(decimal=declared or ".")
    findings.points, findings.commas = decimal_proof(columns, bounded)
    proven = findings.points is not None or findings.commas is not None
    if not declared and findings.commas is not None:
        findings.inferred = True
        findings.decimal = "." if findings.points is not None else ","
    elif not declared and not proven and company.proven:
        findings.decimal = company.proven
    return findings, not (declared or proven)


def _note_choice(
    cell: str, findings: NumberFindings, company: Company, *, zeros: bool
) -> None:
    """Keep the first text that could be read in two ways, and what decided."""
    if company.proven:
        findings.by_company = findings.by_company or cell
    elif zeros:
        findings.three_decimals = findings.three_decimals or cell


def decimal_proof(
    columns: Mapping[str, Cells], bounded: Collection[str] = ()
) -> tuple[tuple[str, int, str] | None, tuple[str, int, str] | None]:
    """Return the first cells (column, row index, text) that need `.` and `,`."""
    points = commas = None
    for name, cells in columns.items():
        for index, cell in enumerate(cells):
            if cell.__class__ is not str or ("." not in cell and "," not in cell):
                continue
            one_point = "," not in cell and cell.count(".") == 1
            if points is not None and one_point and name not in bounded:
                continue  # no proof of a comma
            needs = _needs(_shape(cell), name in bounded)
            if needs == "." and points is None:
                points = (name, index, cell)
            elif needs == "," and commas is None:
                commas = (name, index, cell)
    return points, commas


def _needs(shape: _Shape, bounded: bool) -> str:
    """Return the only mark under which a text can be read, if it shows one."""
    point, comma = shape.point, shape.comma
    if bounded and point is not None and comma is not None and point != comma:
        if abs(point) >= _BEYOND > abs(comma):
            return ","
        if abs(comma) >= _BEYOND > abs(point):
            return "."
    if point is None and comma is not None:
        return ","
    return "." if comma is None and point is not None and shape.marked else ""


def _zeros(cells: Cells) -> bool:
    """Return whether a column holds a text such as 250.000.

    No program writes zeros at the end of a plain number: somebody chose to show
    three decimals, or the point separates thousands.
    """
    return any(
        cell.__class__ is str
        and cell[-1:] == "0"
        and cell[-4:-3] == "."
        and _POINT_GROUPS.fullmatch(cell.strip())
        for cell in cells
    )


def _plain(cells: Cells, commas: bool) -> list[Any] | None:
    """Return cells as floats if all are plain numbers or blank, else None.

    Parameters
    ----------
    commas
        A point may be a thousands mark.
    """
    kinds = set(map(type, cells))
    if not kinds <= {str, float, int, type(None)}:
        return None
    if str in kinds:
        # float() also reads 1_000.
        for cell in cells:
            if cell.__class__ is str and (
                "_" in cell
                or (commas and "." in cell)
                or (cell[-4:-3] == "." and cell[-1] == "0")
            ):
                return None
    try:
        values = [None if cell is None else float(cell) for cell in cells]
    except ValueError:
        return None
    total = sum(value for value in values if value is not None)
    return values if math.isfinite(total) else None


def _typed(cell: Any) -> Any:
    plain = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return float(cell) if plain and math.isfinite(cell) else cell


class _Shape(NamedTuple):
    """A text read under each decimal mark, and what else it shows."""

    point: float | None
    comma: float | None
    marked: bool
    has_comma: bool
    grouped: bool
    percent: bool
    currency: str
    scaled: bool
    word: bool
    negative: bool

    @property
    def two_ways(self) -> bool:
        """Whether the two marks make two numbers of it."""
        return self.point != self.comma and None not in (self.point, self.comma)


# A text that is no number under either mark; nothing else is asked of it.
_NO_NUMBER = _Shape(None, None, False, False, False, False, "", False, False, False)


@lru_cache(maxsize=1 << 18)
def _shape(text: str) -> _Shape:
    if _DIGITS.fullmatch(text):  # nearly all are, and need no look at words
        point, comma = (_parse(text, mark, 0) for mark in ".,")
        marked, has_comma = "." in text or "," in text, "," in text
        grouped = _GROUPED.search(text) is not None
        return _Shape(
            point, comma, marked, has_comma, grouped, False, "", False, False, False
        )
    core = text.strip()
    if not core.isascii():
        core = unicodedata.normalize("NFKC", text).strip().translate(_MINUS)
    power = 0
    without = _PERCENT.sub("", core)
    percent = without != core
    core, currency = without_currency(without)
    if core[:1].isalpha():
        return _NO_NUMBER
    core = _NO_CENTS.sub(r"\g<1>00", core)
    core, negative = _without_brackets(core)
    if match := _SCALED.fullmatch(core):
        word = match[2].casefold()
        # T€ and TEUR are thousands; a T alone might be anything.
        found = _SCALES.get(word, 3 if word == "t" and currency else 0)
        if found:
            core, power = match[1].rstrip(), found
    if not negative:
        core, negative = _without_brackets(core)
    sign = "-" if negative else ""
    if negative and core[:1] in ("+", "-"):
        sign = core = "?"  # minus twice
    scale = power - 2 * percent
    point, comma = (_parse(sign + core, mark, scale) for mark in ".,")
    if point is None and comma is None:
        return _NO_NUMBER
    return _Shape(
        point,
        comma,
        "." in core or "," in core,
        "," in core,
        bool(_GROUPED.search(core)),
        percent,
        currency,
        power > 0,
        power > 0 and power not in (4, 8),
        negative,
    )


def _without_brackets(core: str) -> tuple[str, bool]:
    """Return a text without the brackets or trailing minus of accountants."""
    if core[:1] == "(" and core[-1:] == ")":
        return core[1:-1].strip(), True
    if core[-1:] == "-" and core[:1].isdigit():
        return core[:-1].rstrip(), True
    return core, False


def _parse(core: str, mark: str, scale: int) -> float | None:
    if mark == "." and (match := _INDIAN.fullmatch(core)):
        sign, whole, decimals, exponent = match[1], match[2], match[3], ""
        whole = whole.replace(",", "")
    elif match := _NUMBER[mark].fullmatch(core):
        sign, head, groups, _group, digits, decimals, exponent = match.groups()
        whole = (head + re.sub(r"\D", "", groups)) if head else (digits or "")
    else:
        return None
    if not whole and not decimals:
        return None
    if exponent and mark == ",":
        return None
    power = scale + int((exponent or "e0")[1:])
    # One conversion from decimal digits: 7 % is 0.07, and 1.005k is 1005.
    value = float(f"{sign}{whole or 0}.{decimals or 0}e{power}")
    return value if math.isfinite(value) else None


def _note(
    shape: _Shape, findings: NumberFindings, name: str, index: int, cell: str
) -> None:
    if shape.grouped and findings.decimal == "." and shape.has_comma:
        findings.grouped = findings.grouped or cell
    if shape.percent:
        findings.percents = findings.percents or cell
    if shape.currency:
        findings.currencies.setdefault(shape.currency.upper(), (name, index, cell))
    if shape.scaled:
        findings.scaled = findings.scaled or cell
    if shape.negative:
        findings.negatives = findings.negatives or cell
