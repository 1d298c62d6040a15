"""A look at the XML of an .ods workbook: its size, and what the reader leaves out.

Programs store a million empty rows as one row that is repeated. The reader would
spread them out, so where they lie between filled rows, or behind the last filled
column, they are cut out before it sees the file; `gaps` keep the row numbers right.
"""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pmo_analytics.loaders.cells.currencies import meanings
from pmo_analytics.loaders.findings import FIRST_DAY, SheetFacts
from pmo_analytics.loaders.guarding.sheet_scan import (
    MAX_COLUMNS,
    Budget,
    Target,
    local,
)

# Fewer empty rows, or empty columns, than this are left to the reader.
_LONG_GAP, _WIDE_GAP = 1_000, 200
_NUMBERS = ("float", "currency")
_HIDDEN = ("collapse", "filter")
_RESULTS = ("value", "string-value", "date-value", "time-value", "boolean-value")
_ERROR = re.compile(r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)|Err:\d{3}")


class OdsScan:
    """Looks at the parts of an .ods workbook."""

    first = ()

    def __init__(self, budget: Budget) -> None:
        self._content = _Content(budget)

    def target(self, name: str) -> Target | None:
        """Return what takes the XML of a part; None = only its size counts."""
        return self._content if name == "content.xml" else None

    def facts(self) -> dict[str, SheetFacts]:
        """Return what was found, by sheet."""
        return self._content.sheets


_STYLES = ("currency-style", "number-style", "date-style")
_CLOCK = {"year", "hours"}


class _Formats:
    """What cell styles show: a currency, or a day with its time.

    A style names a format, and a format holds what it writes.
    """

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        self._parts: dict[str, set[str]] = {}
        self._format_of: dict[str, str] = {}
        self._format = ""
        self._inside = False
        # Of the columns of a table: first column behind each run, style of its cells.
        self._behind: list[int] = []
        self._usual: list[str] = []

    def start(self, name: str, plain: dict[str, str]) -> None:
        """Take an element of the styles, or a column with the style of its cells."""
        if name in _STYLES:
            self._format = plain.get("name", "")
        elif name in _CLOCK and self._format:
            self._parts.setdefault(self._format, set()).add(name)
        elif name == "style" and "data-style-name" in plain:
            self._format_of[plain.get("name", "")] = plain["data-style-name"]
        elif name == "table":
            self._behind, self._usual = [], []
        elif name == "table-column":
            count = _repeats(plain.get("number-columns-repeated"))
            self._behind.append((self._behind[-1] if self._behind else 0) + count)
            self._usual.append(plain.get("default-cell-style-name", ""))
        self._inside = name in ("currency-symbol", "text") and bool(self._format)

    def data(self, text: str) -> None:
        """Take what a format writes before or behind a number."""
        if self._inside:
            self._written[self._format] = self._written.get(self._format, "") + text

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self._inside = False
        if name in _STYLES:
            self._format = ""

    def currency(self, plain: dict[str, str], column: int) -> str:
        """Return the currency that a cell with a number shows, if any."""
        if plain.get("currency"):
            return plain["currency"]
        written = self._written.get(self._format_in(plain, column), "").strip()
        return written if meanings(written) else ""

    def shows_clock(self, plain: dict[str, str], column: int) -> bool:
        """Return whether a cell with a date shows a time of day too."""
        return self._parts.get(self._format_in(plain, column), set()) >= _CLOCK

    def _format_in(self, plain: dict[str, str], column: int) -> str:
        style = plain.get("style-name", "")
        at = bisect_right(self._behind, column)
        if not style and at < len(self._usual):
            style = self._usual[at]
        return self._format_of.get(style, "")


@dataclass
class _Row:
    """A row that is being read.

    Attributes
    ----------
    repeat
        How many rows it stands for.
    filled, used, text
        Behind its last filled cell, behind its last cell with a type, and its text.
    start, blank_from
        Bytes where it begins, and where the cells begin that nothing has followed yet.
    """

    repeat: int = 1
    filled: int = 0
    used: int = 0
    text: int = 0
    start: int = -1
    blank_from: int = -1


@dataclass
class _Cell:
    """A cell that is being read.

    Attributes
    ----------
    repeat, span
        How many cells it stands for, and rows and columns that it covers.
    filled, explicit
        It holds something, or says of what type it is.
    error, formula, result
        It is an error, holds a formula, or what one came to.
    length, text
        Length of all its text, and the first of it.
    open
        It is not closed yet.
    """

    repeat: int = 1
    span: tuple[int, int] = (1, 1)
    filled: bool = False
    explicit: bool = False
    error: bool = False
    formula: bool = False
    result: bool = False
    length: int = 0
    text: list[str] = field(default_factory=list)
    open: bool = False


class _Content(Target):
    """Measures the tables of an OpenDocument spreadsheet."""

    ends = True

    def __init__(self, budget: Budget) -> None:
        self.sheets: dict[str, SheetFacts] = {}
        self._budget = budget
        self._facts = SheetFacts()
        self._shift = 0
        self._style = ""
        self._hidden_styles: set[str] = set()
        self._formats = _Formats()
        self._at = self._column = self._last_row = self._last_column = self._kept = 0
        self._row, self._cell = _Row(), _Cell()
        self._gap_from, self._gap_rows = -1, 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = local(tag)
        if name == "p" or name == "span" or name == "a":
            return
        plain = {local(key): value for key, value in attrs.items()}
        if self._gap_from >= 0:
            self._close_gap()
        self._formats.start(name, plain)
        if name in ("table-cell", "covered-table-cell"):
            self._start_cell(attrs, plain)
        elif name == "table-row":
            self._start_row(plain)
        elif name == "table-column":
            self._start_column(plain)
        elif name == "table":
            self._start_table(plain)
        elif name == "style":
            self._style = plain.get("name", "")
        elif name == "table-properties" and plain.get("display") == "false":
            self._hidden_styles.add(self._style)
        elif name == "null-date" and "date-value" in plain:
            first = date.fromisoformat(plain["date-value"][:10])
            self._shift = (first - FIRST_DAY).days

    def _start_row(self, plain: dict[str, str]) -> None:
        repeat = _repeats(plain.get("number-rows-repeated"))
        self._row = _Row(repeat, start=self.parser.CurrentByteIndex)
        self._column = 0
        if plain.get("visibility") in _HIDDEN:
            self._facts.hidden_rows.append((self._at + 1, self._at + repeat))

    def _start_column(self, plain: dict[str, str]) -> None:
        count = _repeats(plain.get("number-columns-repeated"))
        if plain.get("visibility") in _HIDDEN:
            columns = (self._column, self._column + count - 1)
            self._facts.hidden_columns.append(columns)
        self._column += count

    def _start_table(self, plain: dict[str, str]) -> None:
        self._facts = self.sheets[plain.get("name", "")] = SheetFacts()
        self._facts.shift = self._shift
        if plain.get("style-name") in self._hidden_styles:
            self._facts.state = "hidden"
        self._at = self._column = self._kept = 0
        self._last_row = self._last_column = 0

    def _start_cell(self, attrs: dict[str, str], plain: dict[str, str]) -> None:
        kind, text = plain.get("value-type", "string"), plain.get("string-value", "")
        self._cell = _Cell(
            repeat=_repeats(plain.get("number-columns-repeated")),
            span=(
                _repeats(plain.get("number-rows-spanned")),
                _repeats(plain.get("number-columns-spanned")),
            ),
            filled=kind != "string" or bool(text),
            explicit="value-type" in plain or "formula" in plain,
            error=any(
                local(k) == "value-type" and v == "error" for k, v in attrs.items()
            ),
            formula="formula" in plain,
            result=any(key in plain for key in _RESULTS),
            length=len(text),
            open=True,
        )
        self._note_format(kind, plain)
        if self._row.blank_from < 0:
            self._row.blank_from = self.parser.CurrentByteIndex

    def _note_format(self, kind: str, plain: dict[str, str]) -> None:
        """Note what the format of a number or a date shows beside it."""
        facts, first = self._facts, self._column
        columns = range(first, first + min(self._cell.repeat, MAX_COLUMNS))
        if kind == "date":
            clock = self._formats.shows_clock(plain, first)
            (facts.clocks if clock else facts.no_clocks).update(columns)
        elif kind in _NUMBERS and (sign := self._formats.currency(plain, first)):
            for column in columns:
                facts.currencies.setdefault((column, sign), self._at + 1)

    def data(self, text: str) -> None:
        self._formats.data(text)
        cell = self._cell
        if cell.open:
            cell.length += len(text)
            if cell.formula and len(cell.text) < 4:
                cell.text.append(text)

    def end(self, tag: str) -> None:
        name = local(tag)
        if self._gap_from >= 0:
            self._close_gap()
        self._formats.end(name)
        if name in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif name == "table-row":
            self._end_row()
        elif name == "table":
            self._budget.spend_area(self._last_row, self._last_column)

    def _end_cell(self) -> None:
        cell, row = self._cell, self._row
        cell.open = False
        place = (self._at + 1, self._column)
        self._column += cell.repeat
        if cell.formula and not cell.result and not cell.length:
            self._facts.unsaved.add(place)
            cell.filled = True
        if cell.span != (1, 1):
            rows, columns = cell.span
            top, left = place
            merged = (top, left, top + rows - 1, left + columns - 1)
            self._facts.merged.append(merged)
        if cell.explicit:
            row.used = self._column
        if not cell.filled and not cell.length:
            return
        row.filled = row.used = self._column
        row.blank_from = -1
        row.text += cell.length * cell.repeat
        text = "".join(cell.text).strip()
        if cell.error or (cell.formula and _ERROR.fullmatch(text)):
            self._facts.errors[place] = text or "#ERROR"

    def _end_row(self) -> None:
        row = self._row
        self._at += row.repeat
        if not row.filled and row.repeat >= _LONG_GAP:
            # Its end is known where the next element begins.
            self._gap_from, self._gap_rows = row.start, row.repeat
            return
        if self._column - row.filled >= _WIDE_GAP:
            cut = (row.blank_from, self.parser.CurrentByteIndex)
            self._facts.cuts.append(cut)
            row.used = row.filled
        self._kept += row.repeat
        if not row.used:
            return
        # The reader spreads out everything up to the last cell that has a type.
        self._last_row = self._kept
        self._last_column = max(self._last_column, row.used)
        self._budget.spend_text(row.text * row.repeat)
        self._budget.check_area(self._last_row, self._last_column)

    def _close_gap(self) -> None:
        self._facts.cuts.append((self._gap_from, self.parser.CurrentByteIndex))
        self._facts.gaps.append((self._at - self._gap_rows, self._gap_rows))
        self._gap_from = -1


def without_gaps(path: Path, facts: dict[str, SheetFacts]) -> bytes | None:
    """Return a workbook without its long runs of empty cells; None = it has none."""
    cuts = sorted(cut for fact in facts.values() for cut in fact.cuts)
    if not cuts:
        return None
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        content = old.read("content.xml")
        kept, at = [], 0
        for start, stop in cuts:
            kept.append(content[at:start])
            at = stop
        new.writestr("mimetype", old.read("mimetype"))
        new.writestr("content.xml", b"".join([*kept, content[at:]]))
        new.writestr("META-INF/manifest.xml", old.read("META-INF/manifest.xml"))
    return out.getvalue()


def _repeats(text: str | None) -> int:
    count = int(text) if text else 1
    if not 1 <= count <= 2**24:
        raise ValueError(f"repeated {text} times")
    return count
