"""Problems of reading and checks: no cell twice, each with its place; those left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem

# Where a problem is, in its file.
_PLACE = ("source", "sheet", "row")


def without_repeats(new: list[Problem], old: list[Problem]) -> list[Problem]:
    """Drop findings about cells that already have one."""
    errors = [p for p in old if p["severity"] == "error"]
    if not errors or not new:
        return new
    cells = {(p["table"], p["column"], str(p["row"])) for p in errors}
    columns = {(p["table"], p["column"]) for p in errors if p["row"] is None}
    return [
        p
        for p in new
        if (p["table"], p["column"], str(p["row"])) not in cells
        and (p["rule"] != "missing_value" or (p["table"], p["column"]) not in columns)
    ]


def locate(problems: pd.DataFrame, sources: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return problems with index labels turned into file, sheet and row."""
    if problems.empty:
        return problems
    open_ones = ~problems["source"].to_numpy().astype(bool)
    places = {name: problems[name].to_numpy(copy=True) for name in _PLACE}
    for table, origin in sources.items():
        here = np.flatnonzero(open_ones & (problems["table"] == table).to_numpy())
        if not len(here) or not len(origin):
            continue
        cells = {name: origin[name].to_numpy(dtype=object) for name in _PLACE}
        number = dict(zip(origin.index, range(len(origin)), strict=True))
        labels = places["row"][here]
        # A blank label is that of no row: the first tells the file.
        at = np.array([-1 if x is None else number.get(x, -1) for x in labels])
        for name in ("source", "sheet"):
            places[name][here] = cells[name][np.maximum(at, 0)]
        places["row"][here[at >= 0]] = cells["row"][at[at >= 0]]
    located = {name: pd.Series(cells, dtype=object) for name, cells in places.items()}
    return problems.reset_index(drop=True).assign(**located)


def still_lost(
    unread: Iterable[Problem],
    tables: Mapping[str, pd.DataFrame],
    capacity: pd.DataFrame,
) -> list[Problem]:
    """Return the problems of reading that nobody has mended since.

    Parameters
    ----------
    unread
        What could not be read when the tables were taken in.
    tables, capacity
        As they are now; a problem of another table is one of the grid.
    """
    search = _Search(tables, capacity)
    return [problem for problem in unread if search.is_lost(problem)]


class _Search:
    """Looks for blank cells; each column is read once."""

    def __init__(
        self, tables: Mapping[str, pd.DataFrame], capacity: pd.DataFrame
    ) -> None:
        self.tables = tables
        self.capacity = capacity
        self.blanks: dict[tuple[str, str], dict[Any, bool]] = {}
        self.periods: dict[str, pd.Period] | None = None

    def is_lost(self, lost: Problem) -> bool:
        """Return whether the cell of a problem is blank still."""
        frame = self.tables.get(lost["table"])
        row, column = lost["row"], lost["column"]
        if lost["rule"] == "extra_column":
            return False  # seen again in the table itself
        if lost["rule"] == "misspelled_column" and frame is not None:
            return column in frame.columns
        if frame is None:
            return self._is_blank_capacity(str(row), column)
        if column not in frame.columns:
            return True
        if row is None:
            return bool(frame[column].isna().all())
        place = lost["table"], column
        if place not in self.blanks:
            flags = frame[column].isna().tolist()
            self.blanks[place] = dict(zip(frame.index, flags, strict=True))
        return self.blanks[place].get(row, False)

    def _is_blank_capacity(self, period: str, role: str) -> bool:
        if self.periods is None:
            self.periods = {format_period(p): p for p in self.capacity.index}
        at = self.periods.get(period)
        if at is None or role not in self.capacity.columns:
            return True
        return bool(pd.isna(self.capacity.at[at, role]))
