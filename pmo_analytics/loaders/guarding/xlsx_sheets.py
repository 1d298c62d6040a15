"""A look at the XML of an .xlsx workbook: its size, and what the reader leaves out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from pmo_analytics.loaders.findings import MAC_SHIFT, SheetFacts
from pmo_analytics.loaders.guarding.number_formats import currency_of, shows_clock
from pmo_analytics.loaders.guarding.sheet_scan import (
    MAX_COLUMNS,
    MAX_ROWS,
    Budget,
    Target,
    local,
    too_large,
)

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_YES = ("1", "true")
_STATES = {"hidden": "hidden", "veryhidden": "very hidden"}


class XlsxScan:
    """Looks at the parts of an .xlsx or .xlsm workbook."""

    first = (
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/sharedstrings.xml",
        "xl/styles.xml",
    )

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._book, self._links, self._strings = _Book(), _Links(), _Strings()
        self._styles = _Styles()
        self._parts: dict[str, str] = {}
        self._cells: list[tuple[str, _Cells]] = []

    def target(self, name: str) -> Target | None:
        """Return what takes the XML of a part; None = only its size counts."""
        parts = (self._book, self._links, self._strings, self._styles)
        own: dict[str, Target] = dict(zip(self.first, parts, strict=True))
        if name in own:
            return own[name]
        if not self._parts:
            for sheet, link in self._book.sheets.items():
                goal = self._links.targets.get(link, "")
                place = PurePosixPath("xl", goal) if not goal.startswith("/") else goal
                self._parts[str(place).lstrip("/").casefold()] = sheet
        if name in self._parts or name.startswith("xl/worksheets/sheet"):
            cells = _Cells(self._budget, self._styles)
            self._cells.append((self._parts.get(name, ""), cells))
            return cells
        return None

    def facts(self) -> dict[str, SheetFacts]:
        """Return what was found, by sheet."""
        used: Counter[int] = Counter()
        for _, cells in self._cells:
            used.update(cells.strings)
        lengths = self._strings.lengths
        text = sum(n * lengths[i] for i, n in used.items() if 0 <= i < len(lengths))
        self._budget.spend_text(text)
        # Writers that cannot calculate save 0 and ask the program to do it on opening.
        guessed = self._book.calculate and not any(c.results for _, c in self._cells)
        facts = {}
        for sheet, cells in self._cells:
            if not sheet:
                continue
            if guessed:
                cells.facts.unsaved |= cells.zeros
            cells.facts.state = self._book.states.get(sheet, "")
            cells.facts.shift = self._book.shift
            facts[sheet] = cells.facts
        return facts


class _Book(Target):
    """Collects sheet name -> relation of `xl/workbook.xml`, and settings."""

    def __init__(self) -> None:
        self.sheets: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.shift = 0
        self.calculate = False

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = local(tag)
        if name == "sheet" and "name" in attrs:
            link = next((v for k, v in attrs.items() if local(k) == "id"), "")
            self.sheets[attrs["name"]] = link
            state = _STATES.get(attrs.get("state", "").casefold())
            if state:
                self.states[attrs["name"]] = state
        elif name == "workbookPr" and attrs.get("date1904", "") in _YES:
            self.shift = MAC_SHIFT
        elif name == "calcPr":
            self.calculate = attrs.get("fullCalcOnLoad", "") in _YES


class _Links(Target):
    """Collects relation -> part of `xl/_rels/workbook.xml.rels`."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attrs: dict[str, str]) -> None:  # noqa: ARG002
        if "Id" in attrs and "Target" in attrs:
            self.targets[attrs["Id"]] = attrs["Target"]


class _Strings(Target):
    """Collects the length of each shared string."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, tag: str, attrs: dict[str, str]) -> None:  # noqa: ARG002
        if local(tag) == "si":
            self.lengths.append(0)

    def data(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class _Styles(Target):
    """Collects which cell formats show a time of day, and which a currency."""

    def __init__(self) -> None:
        self.clocks: set[str] = set()
        self.currencies: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        self._inside = False
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = local(tag)
        if name == "numFmt":
            self._codes[attrs.get("numFmtId", "")] = attrs.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._inside = name == "cellXfs"
        elif name == "xf" and self._inside:
            number, index = attrs.get("numFmtId", ""), str(self._count)
            self._count += 1
            code = self._codes.get(number, "")
            if shows_clock(int(number) if number.isdecimal() else 0, code):
                self.clocks.add(index)
            if sign := currency_of(code):
                self.currencies[index] = sign


class _Cells(Target):
    """Measures a worksheet and notes errors, bare formulas and what is hidden.

    A cell is finished where the next one begins, which saves a call per element.
    """

    def __init__(self, budget: Budget, styles: _Styles) -> None:
        self.budget = budget
        self.styles = styles
        self.facts = SheetFacts()
        self.strings: Counter[int] = Counter()
        self.zeros: set[tuple[int, int]] = set()
        self.results = False
        self.last_row = self.last_column = 0
        self._row = self._column = 0
        self._kind = self._text = self._style = ""
        self._open = self._in_value = self._inline = self._formula = False
        self._letters: dict[str, int] = {}

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = tag if ":" not in tag else local(tag)
        self._in_value = name == "v"
        if name == "c":
            if self._open:
                self._finish()
            self.budget.spend_cell()
            self._place(attrs.get("r"))
            self._kind, self._style = attrs.get("t", ""), attrs.get("s", "")
            self._text, self._inline, self._formula = "", False, False
            self._open = True
        elif name == "f":
            self._formula = True
        elif name == "is":
            self._inline = True
        elif name == "row":
            self._start_row(attrs)
        elif name == "col":
            self._look_at_columns(attrs)
        elif name == "mergeCell":
            self._look_at_merged(attrs.get("ref", ""))

    def _start_row(self, attrs: dict[str, str]) -> None:
        if self._open:
            self._finish()
        self._row = int(attrs["r"]) if "r" in attrs else self._row + 1
        self._column = 0
        if not 1 <= self._row <= MAX_ROWS:
            raise too_large(f"row {self._row}")
        if attrs.get("hidden") in _YES or attrs.get("ht") == "0":
            self.facts.hidden_rows.append((self._row, self._row))

    def data(self, text: str) -> None:
        if self._in_value:
            self._text += text

    def close(self) -> None:
        if self._open:
            self._finish()
        self.budget.spend_area(self.last_row, self.last_column)

    def _finish(self) -> None:
        self._open = False
        text = self._text.strip()
        place = self._row, self._column - 1
        if not text and not self._inline:
            if self._formula and self._kind != "str":
                self.facts.unsaved.add(place)
            return
        if self._formula:
            if text in ("0", "0.0") and not self._kind:
                self.zeros.add(place)
            else:
                self.results = True
        if self._row > self.last_row:
            self.last_row = self._row
        if self._column > self.last_column:
            self.last_column = self._column
        if self._kind in ("", "n"):
            self._look_at_style(place)
        if self._kind == "e":
            self.facts.errors[place] = text
        elif self._kind == "s" and text.isdecimal():
            self.strings[int(text)] += 1

    def _look_at_style(self, place: tuple[int, int]) -> None:
        column = place[1]
        if self._style in self.styles.clocks:
            self.facts.clocks.add(column)
        else:
            self.facts.no_clocks.add(column)
        sign = self.styles.currencies.get(self._style)
        if sign is not None:
            self.facts.currencies.setdefault((column, sign), place[0])

    def _place(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
            return
        self._row, self._column = self._position(reference)

    def _position(self, reference: str) -> tuple[int, int]:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise ValueError(f"cell {reference!r}")
        letters = match[1]
        column = self._letters.get(letters)
        if column is None:
            column = 0
            for letter in letters.upper():
                column = column * 26 + ord(letter) - 64
            self._letters[letters] = column
        row = int(match[2])
        if not 1 <= row <= MAX_ROWS or column > MAX_COLUMNS:
            raise too_large(f"cell {reference}")
        return row, column

    def _look_at_columns(self, attrs: dict[str, str]) -> None:
        hidden = attrs.get("hidden") in _YES or attrs.get("width") == "0"
        if hidden and "min" in attrs and "max" in attrs:
            first, last = int(attrs["min"]), int(attrs["max"])
            self.facts.hidden_columns.append((first - 1, last - 1))

    def _look_at_merged(self, reference: str) -> None:
        first, colon, last = reference.partition(":")
        if colon:
            top, left = self._position(first)
            bottom, right = self._position(last)
            self.facts.merged.append((top, left - 1, bottom, right - 1))
