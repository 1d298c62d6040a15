"""What was found out about tables, kept for as long as their content is the same.

A portfolio and its copies have most of their tables in common. What a table is read as,
what its schema says of it and its hash are worked out once and handed on. Nothing here
trusts that a frame is the same one: analysts edit tables in place, so content is
compared, with a private copy that nobody else can reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype

from pmo_analytics.tables.conforming import conform, empty_table, is_without_rows
from pmo_analytics.tables.contract import TABLES
from pmo_analytics.tables.schemas import check_table

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem

# Columns that tables did not always have: where blank, hashes of old still hold.
_LATER = ("workweek", "event", "manager", "phase", "priority", "goal", "benefit")
# Cells of object columns that nobody can edit without replacing them.
_PLAIN = frozenset((str, int, float, bool, type(None), type(pd.NaT), pd.Period, date))


class Remembered:
    """A conformed frame and what follows from its content alone.

    Attributes
    ----------
    frame
        Nobody else's copy; hand out copies of it.
    found
        What could not be read, or was not known, in the frame it was read from.
    """

    def __init__(self, frame: pd.DataFrame, found: list[Problem]) -> None:
        self.frame = frame.copy()
        self.found = found
        self._objects = [
            k for k, dtype in enumerate(frame.dtypes) if is_object_dtype(dtype)
        ]
        self._broken: list[Problem] | None = None
        self._content: bytes | None = None

    def holds(self, frame: pd.DataFrame) -> bool:
        """Return whether a frame cannot be told apart: values, kinds and labels."""
        own = self.frame
        for a, b in ((own.index, frame.index), (own.columns, frame.columns)):
            if a.dtype != b.dtype or a.names != b.names or len(a) != len(b):
                return False
            if is_object_dtype(a.dtype) and not _same_cells(a.to_list(), b.to_list()):
                return False
        if not len(frame.index):
            return list(own.columns) == list(frame.columns)
        if not own.equals(frame):
            return False
        # `equals` holds 1 for True and None for NaN; and a list may change inside.
        return all(
            _same_cells(own.iloc[:, k].to_list(), frame.iloc[:, k].to_list())
            for k in self._objects
        )

    def broken(self, name: str) -> list[Problem]:
        """Return every way in which the frame breaks the schema of a table."""
        if self._broken is None:
            self._broken = check_table(name, self.frame)
        return self._broken

    @property
    def content(self) -> bytes:
        """What goes into hashes."""
        if self._content is None:
            self._content = frame_content(self.frame)
        return self._content


class Derived:
    """A grid that follows from tables, where analysts may edit both in place.

    Attributes
    ----------
    grid
        As it was worked out last.
    shown
        The one that is handed out: `grid` but for what was edited in it since.
    """

    def __init__(self, grid: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
        self.grid, self.shown = grid.copy(), grid
        self._tables = _memory(tables)

    def follows(self, tables: Mapping[str, pd.DataFrame]) -> bool:
        """Return whether the tables are still those that it was worked out from."""
        return all(self._tables[name].holds(tables[name]) for name in self._tables)

    def renew(self, grid: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
        """Take the grid of edited tables; columns edited by hand stay as they are."""
        self.shown = _with_edits(grid, self.grid, self.shown)
        self.grid, self._tables = grid.copy(), _memory(tables)

    def __getstate__(self) -> dict[str, Any]:
        # What was remembered of the tables can be taken from them again.
        return {"grid": self.grid, "shown": self.shown}

    def remember(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Hold on to the tables again, after a journey to another process."""
        self._tables = _memory(tables)


def _memory(tables: Mapping[str, pd.DataFrame]) -> dict[str, Remembered]:
    return {name: Remembered(frame, []) for name, frame in tables.items()}


def _with_edits(
    fresh: pd.DataFrame, before: pd.DataFrame, edited: pd.DataFrame
) -> pd.DataFrame:
    """Return a fresh grid with what was edited in the one before."""
    if edited.equals(before):
        return fresh
    if not edited.index.equals(fresh.index):
        return edited
    by_hand = {
        name: edited[name]
        for name in edited.columns
        if name not in before.columns or not edited[name].equals(before[name])
    }
    kept = [c for c in fresh.columns if c in edited.columns or c not in before.columns]
    columns = {name: by_hand.pop(name, fresh[name]) for name in kept}
    return pd.DataFrame({**columns, **by_hand}, index=fresh.index).rename_axis(
        columns=fresh.columns.name
    )


class Knowledge:
    """What a portfolio knows of its tables; copies of it begin with as much.

    Parameters
    ----------
    past
        Knowledge of the portfolio that this one's is made from.
    """

    def __init__(self, past: Knowledge | None = None) -> None:
        self._tables: dict[str, Remembered] = {}
        self._answers: dict[str, tuple[Any, Any]] = {}
        if past is not None:
            self._tables.update(past._tables)
            self._answers.update(past._answers)

    def known(self, name: str, frame: pd.DataFrame | None) -> Remembered | None:
        """Return what is known of a conformed frame, None where its content is new."""
        last = self._tables.get(name)
        if last is None or frame is None or not last.holds(frame):
            return None
        return last

    def read(self, name: str, frame: pd.DataFrame | None, freq: str) -> Remembered:
        """Return what `conform` makes of a table, worked out again only if it is new.

        Parameters
        ----------
        freq
            Of the portfolio; the same for as long as knowledge is handed on.
        """
        if frame is None or is_without_rows(name, frame):
            return _nothing(name, freq)
        last = self.known(name, frame)
        if last is not None:
            return last
        fresh = Remembered(*conform(name, frame, freq))
        # It is what its own frame is read as: but for columns of the analyst's own,
        # which are found every time, nothing is left to find in it.
        if all(found["rule"] == "extra_column" for found in fresh.found):
            self._tables[name] = fresh
        return fresh

    def keep(self, name: str, frame: pd.DataFrame) -> Remembered:
        """Return what is known of a frame that is conformed already; remember it."""
        last = self.known(name, frame)
        if last is None:
            last = self._tables[name] = Remembered(frame, [])
        return last

    def content(self, name: str, frame: pd.DataFrame) -> bytes:
        """Return what goes into hashes of a frame as it is now."""
        if name in TABLES and is_without_rows(name, frame):
            return _content_of_nothing(name)
        last = self.known(name, frame)
        return frame_content(frame) if last is None else last.content

    def once(self, what: str, facts: tuple[Any, ...], answer: Callable[[], Any]) -> Any:
        """Return an answer that the same facts had the last time, else work it out.

        Parameters
        ----------
        facts
            All that the answer follows from, hashable: a `Remembered` for each frame.
        """
        last = self._answers.get(what)
        if last is None or last[0] != facts:
            last = self._answers[what] = (facts, answer())
        return last[1]


@cache
def _nothing(name: str, freq: str) -> Remembered:
    """Return what every table without rows and columns of its own is read as."""
    return Remembered(empty_table(name, freq), [])


@cache
def _content_of_nothing(name: str) -> bytes:
    return frame_content(empty_table(name, "M"))


def _same_cells(one: list[Any], other: list[Any]) -> bool:
    return all(
        type(a) is type(b) and type(a) in _PLAIN and (a == b or (a != a and b != b))
        for a, b in zip(one, other, strict=True)
    )


def frame_content(frame: pd.DataFrame) -> bytes:
    """Return bytes of the values, labels and column names of a frame, for hashes."""
    names = (*_LATER, "kind") if "goal" in frame.columns else _LATER
    later = [c for c in names if c in frame.columns and frame[c].isna().all()]
    frame = frame.drop(columns=later) if later else frame
    parts = [repr(list(frame.columns)).encode()]
    for values in (frame.index, *(frame.iloc[:, k] for k in range(frame.shape[1]))):
        cells: Any = values.array
        if isinstance(cells.dtype, pd.PeriodDtype):
            cells = cells.view("i8")
        elif isinstance(values.dtype, np.dtype):
            cells = values.to_numpy()
        try:
            parts.append(pd.util.hash_array(cells).tobytes())
        except TypeError:
            parts.append(repr(values.to_list()).encode())
    return b"".join(parts)


def content_hash(*contents: bytes) -> str:
    """Return the hash of frames by their content."""
    state = hashlib.sha256()
    for content in contents:
        state.update(content)
    return state.hexdigest()
