"""Rows of the tables of P6, of one project or of all, by column and kind.

An XER and a PMXML hold the same tables; the names are those of the XER.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pmo_analytics.loaders.findings import Place, Problem
from pmo_analytics.loaders.networks.primavera.calendar_data import CalendarData
from pmo_analytics.loaders.networks.primavera.cells import (
    Numbers,
    Times,
    numbers,
    times,
)

_SHOWN = 5


@dataclass
class P6Table:
    """One table of P6, over all projects of the file.

    Attributes
    ----------
    fields
        Names of the columns, as the file has them.
    rows
        Cells of each row, as many as `fields`.
    lines
        Line of the file at which each row begins.
    """

    fields: list[str]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column, stripped; all blank where it is missing."""
        if name not in self.fields:
            return [""] * len(self.rows)
        at = self.fields.index(name)
        return [row[at].strip() for row in self.rows]

    @cached_property
    def by_project(self) -> dict[str, list[int]]:
        """Places of the rows of each `proj_id`."""
        found: dict[str, list[int]] = {}
        for at, project in enumerate(self.column("proj_id")):
            found.setdefault(project, []).append(at)
        return found


@dataclass
class P6File:
    """The tables of a file of P6 and what was found on the way to them.

    Attributes
    ----------
    source
        Name of the file.
    version, currency
        As the file states them.
    tables
        By the names of the XER.
    calendars
        Working time by `clndr_id`.
    baseline_of
        `proj_id` of a baseline -> that of its project.
    """

    source: str
    tables: dict[str, P6Table]
    problems: list[Problem]
    version: str = ""
    currency: str = ""
    calendars: dict[str, CalendarData] = field(default_factory=dict)
    baseline_of: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """What problems call this file."""
        return Place("network", self.source)

    def rows(self, name: str, project: str | None = None) -> Rows:
        """Return the rows of a table; None = all, else those of one `proj_id`."""
        table = self.tables.get(name) or P6Table([])
        at = None if project is None else table.by_project.get(project, [])
        return Rows(self, name, table, at)

    def said(
        self,
        rule: str,
        what: str,
        items: Iterable[tuple[int, str]],
        fix: str,
        *,
        severity: str = "warning",
    ) -> None:
        """Put one problem for many items: (line, id) of each."""
        found = list(items)
        if not found:
            return
        names = [f"{name} (line {line})" for line, name in found[:_SHOWN]]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        say = self.place.error if severity == "error" else self.place.warning
        self.problems.append(
            say(
                rule,
                row=found[0][0],
                column=what,
                found=", ".join(names) + more,
                fix=fix,
            )
        )


class Rows:
    """Some rows of one table."""

    def __init__(
        self, file: P6File, name: str, table: P6Table, at: list[int] | None
    ) -> None:
        self._file, self._name, self._table, self._at = file, name, table, at

    def __len__(self) -> int:
        return len(self._table.rows) if self._at is None else len(self._at)

    def has(self, name: str) -> bool:
        """Return whether the table has a column at all."""
        return name in self._table.fields

    @property
    def lines(self) -> list[int]:
        """Line of each row in the file."""
        lines = self._table.lines
        return lines if self._at is None else [lines[k] for k in self._at]

    def text(self, name: str) -> list[str]:
        """Return the cells of a column, stripped."""
        if name not in self._table.fields:
            return [""] * len(self)
        column = self._table.fields.index(name)
        rows = self._table.rows
        if self._at is None:
            return [row[column].strip() for row in rows]
        return [rows[k][column].strip() for k in self._at]

    def number(self, name: str) -> Numbers:
        """Return a column as numbers; what is none is blank, and said."""
        cells = self.text(name)
        found, bad = numbers(cells)
        self._bad(name, cells, bad, "not_a_number", "a number")
        return found

    def time(self, name: str) -> Times:
        """Return a column as times; what is none is blank, and said."""
        cells = self.text(name)
        found, bad = times(cells)
        self._bad(name, cells, bad, "not_a_date", "a date")
        return found

    def flag(self, name: str) -> npt.NDArray[np.bool_]:
        """Return whether the cells of a column say yes."""
        return np.array([cell in _YES for cell in self.text(name)], dtype=bool)

    def records(self, *names: str) -> list[tuple[str, ...]]:
        """Return some columns, row by row."""
        return list(zip(*(self.text(name) for name in names), strict=True))

    def _bad(
        self, name: str, cells: list[str], bad: list[int], rule: str, what: str
    ) -> None:
        lines = self.lines
        self._file.said(
            rule,
            f"{self._name}.{name}",
            [(lines[k], repr(cells[k][:40])) for k in bad],
            f"These cells are not {what} and were left blank. Correct them in P6.",
        )


_YES = frozenset({"Y", "1", "true"})


def unique(names: list[str], others: list[str]) -> tuple[list[str], list[int]]:
    """Return names that are all different, and the places that had to be changed.

    What stands twice gets its second name (the id of the database) in brackets.
    """
    found, changed = list(names), []
    taken = Counter(name for name in names if name)
    seen: set[str] = set()
    for at, (name, other) in enumerate(zip(names, others, strict=True)):
        if name and (taken[name] == 1 or name not in seen):
            seen.add(name)
            continue
        new = f"{name} ({other})" if name else other
        while new in seen or new in taken:
            new += "'"
        found[at] = new
        seen.add(new)
        changed.append(at)
    return found, changed
