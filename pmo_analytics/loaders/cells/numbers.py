"""Numbers as people type them become plain floats.

The decimal mark is decided once per file (or sheet): as declared, or from the cells
that can be read in one way only. What stays ambiguous is an error; nothing is guessed
cell by cell.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
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
