"""Cells of a spreadsheet export, read in the language of its headings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pmo_analytics.loaders.networks.beside import Beside, Columns
from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.languages import ENGLISH, UNITS
from pmo_analytics.loaders.networks.tabular import Rows
from pmo_analytics.loaders.networks.tongues import Tongue, folded
from pmo_analytics.loaders.networks.written import (
    Length,
    commas_tell,
    is_day_first,
    read_amount,
    read_moment,
    read_span,
)
from pmo_analytics.networks import Balance

TIMES = (
    *("start", "finish", "actual_start", "actual_finish", "baseline_start"),
    *("baseline_finish", "deadline", "constraint_date"),
)
# Hours of a day where no calendar says them.
DAY = 8.0
_AMOUNTS = ("duration", "remaining", "work", "cost")
_UNIT = {"work": "h"}


class SheetCells:
    """The rows of tasks of a sheet, and what its cells mean."""

    def __init__(
        self, file: str, name: str, rows: Rows, columns: Columns, tongue: Tongue
    ) -> None:
        self.name = name
        self.file = file
        self.told = Told(file)
        self.balance = Balance(file)
        self.beside = Beside()
        self.columns = columns.at
        self.tongue = tongue
        self.units = {c: self._unit(c, unit) for c, unit in columns.units.items()}
        self.rows: Rows = []
        self.lines: list[int] = []
        self.ids: list[str] = []
        self._take(rows, columns.first)
        self.day_first = self._day_first()
        told = commas_tell(
            self._cell(row, column) for row in self.rows for column in _AMOUNTS
        )
        self.comma = tongue.comma if told is None else told

    def _unit(self, column: str, word: str) -> str:
        if word == "%":
            return word
        own = folded(word)
        unit = self.tongue.units.get(own) or UNITS.get(own) or ENGLISH.units.get(own)
        if unit is None and column in (*_AMOUNTS, "total_float_h", "free_float_h"):
            fix = (
                f"The unit '{word}' of a heading is not known; its numbers are read as "
            )
            fix += "days."
            self.told.warn("tasks", "unknown_unit", fix, column=column, found=word)
        return unit or ""

    def _take(self, rows: Rows, first: int) -> None:
        seen: set[str] = set()
        for number, row in enumerate(rows[first:], start=first + 1):
            if not any(str(cell or "").strip() for cell in row):
                continue
            self.balance.read("tasks")
            uid = self._plain(row, "id") or self._plain(row, "unique") or str(number)
            name = self._plain(row, "name")
            if not name and not self._plain(row, "start"):
                self.balance.leave("tasks", "a row without a name", line=number)
                continue
            if uid in seen:
                reason = "another row has this id"
                self.balance.leave("tasks", reason, line=number, name=uid)
                fix = f"Row {number} is left out: {reason}, '{uid}'."
                self.told.warn("tasks", "duplicate_id", fix, line=number, found=uid)
                continue
            seen.add(uid)
            self.rows.append(row)
            self.lines.append(number)
            self.ids.append(uid)
        self.balance.use("tasks", len(self.rows))

    def _cell(self, row: list[Any], column: str) -> Any:
        at = self.columns.get(column)
        return None if at is None or at >= len(row) else row[at]

    def _plain(self, row: list[Any], column: str) -> str:
        return as_word(self._cell(row, column))

    def _day_first(self) -> bool:
        cells = [
            self._cell(row, column)
            for row in self.rows
            for column in TIMES
            if column in self.columns
        ]
        found = is_day_first(cells, self.tongue)
        if found is None:
            found = self.tongue.order == "dmy"
            if any(re.search(r"(?<!\d)\d{1,2}[/-]\d{1,2}[/-]", str(c)) for c in cells):
                fix = (
                    "Nothing tells whether 03/04 is 3 April or 4 March; it is read as "
                )
                fix += "3 April. " if found else "4 March. "
                fix += "Export dates with the year first, or with the weekday."
                self.told.warn("tasks", "ambiguous_dates", fix)
        return found

    def _moments(self, column: str) -> np.ndarray:
        late = "finish" in column or column == "deadline"
        found = np.full(len(self.rows), "NaT", dtype="datetime64[s]")
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            moment = read_moment(cell, self.day_first, late=late, tongue=self.tongue)
            if moment is None:
                self._bad("bad_date", column, at, cell)
            else:
                found[at] = moment
        return found

    def _bad(self, rule: str, column: str, at: int, cell: Any) -> None:
        text = str(cell)[:40]
        fix = f"'{text}' of '{self.ids[at]}' cannot be read and counts as blank."
        line = self.lines[at]
        self.told.warn("tasks", rule, fix, line=line, column=column, found=text)

    def _spans(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return lengths in hours, and which count hours of the clock."""
        hours = np.full(len(self.rows), np.nan)
        elapsed = np.zeros(len(self.rows), dtype=bool)
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            span = self._span(cell, self.units.get(column) or _UNIT.get(column, "d"))
            negative = column == "duration" and span is not None and span.hours < 0
            if span is None or negative:
                rule = "negative_duration" if negative else "bad_duration"
                self._bad(rule, column, at, cell)
                continue
            hours[at], elapsed[at] = span
        return hours, elapsed

    def _span(self, cell: Any, unit: str) -> Length | None:
        return read_span(cell, DAY, unit, self.tongue, comma=self.comma)

    def _number(self, cell: Any) -> float | None:
        """Return a number, NaN for a blank, None where it cannot be read."""
        if isinstance(cell, int | float):
            return float(cell)
        whole = str(cell if cell is not None else "").strip()
        if re.fullmatch(r"-?\d+(\.\d+)?[eE][+-]?\d{1,2}", whole):
            return float(whole)
        text = re.sub(r"[^\d.,]", "", whole)
        if not text.strip(".,"):
            return np.nan
        negative = bool(re.match(r"\D*[-(]", whole))
        try:
            return read_amount(text, self.comma) * (-1 if negative else 1)
        except ValueError:
            return None

    def _numbers(self, column: str) -> np.ndarray:
        found = np.full(len(self.rows), np.nan)
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            number = self._number(cell)
            if number is None:
                self._bad("bad_number", column, at, cell)
            else:
                found[at] = number
        # A share of 1 that a workbook shows as 100 %.
        if column == "percent" and len(found) and np.nanmax([*found, 0]) <= 1:
            typed = any(isinstance(self._cell(r, column), float) for r in self.rows)
            found = found * 100 if typed else found
        return found


def as_word(cell: Any) -> str:
    """Return a cell as text; 12.0 is 12."""
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return str(cell).strip() if cell is not None else ""
