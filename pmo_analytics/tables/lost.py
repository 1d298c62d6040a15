"""Cells that could not be read: which of them are blank still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock.periods import format_period

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem


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
