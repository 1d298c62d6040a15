"""Capacity as a grid: read from rows or columns, told apart from what is derived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.clock import Settings, format_period, parse_period
from pmo_analytics.errors import ConfigError, problem
from pmo_analytics.tables.cache import Derived, Knowledge, Remembered
from pmo_analytics.tables.conforming import clean_text, conform, read_column
from pmo_analytics.tables.contract import CAPACITY
from pmo_analytics.tables.schemas import check_table
from pmo_analytics.tables.supply import effective_capacity

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem


def read_capacity(
    capacity: pd.DataFrame | None, freq: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return given capacity as a grid; long rows are accepted too."""
    if capacity is None or capacity.shape[1] == 0 or capacity.empty:
        index = pd.PeriodIndex([], freq=freq, name="period")
        return pd.DataFrame(index=index, columns=pd.Index([], name="role")), []
    if "role" in capacity.columns and "fte" in capacity.columns:
        rows, problems = conform("capacity", capacity, freq)
        unreadable = {(p["column"], str(p["row"])) for p in problems}
        problems += [
            p
            for p in check_table("capacity", rows)
            if (p["column"], str(p["row"])) not in unreadable
        ]
        rows = rows.dropna(subset=["period", "role"]).drop_duplicates(
            ["period", "role"]
        )
        grid = rows.pivot(index="period", columns="role", values="fte")
        grid = grid[list(dict.fromkeys(rows["role"]))]
    else:
        if "period" in capacity.columns:
            capacity = capacity.set_index("period")
        periods = []
        for label in capacity.index:
            try:
                periods.append(parse_period(label, freq))
            except ValueError as error:
                raise ConfigError(f"capacity: {error}.") from error
        grid = capacity.set_axis(
            pd.PeriodIndex(periods, freq=freq, name="period"), axis=0
        )
        grid.columns = pd.Index([clean_text(role) for role in grid.columns])
        if not grid.index.is_unique or not grid.columns.is_unique:
            raise ConfigError("capacity names a period or a role twice.")
        grid, problems = _numeric_grid(grid, freq)
    grid = grid.sort_index().astype("float64")
    grid.index = pd.PeriodIndex(grid.index, freq=freq, name="period")
    grid.columns = pd.Index(grid.columns, name="role", dtype="str")
    return grid, problems


def _numeric_grid(grid: pd.DataFrame, freq: str) -> tuple[pd.DataFrame, list[Problem]]:
    problems = []
    columns = {}
    for role in grid.columns:
        columns[role], bad = read_column(grid[role], CAPACITY.columns["fte"], freq)
        problems += [
            problem(
                "error",
                "capacity",
                "not_a_number",
                row=format_period(period),
                column=role,
                found=found,
                fix=fix,
            )
            for period, found, fix in bad
        ]
    return pd.DataFrame(columns, index=grid.index), problems


def settle_capacity(
    grid: pd.DataFrame,
    derived: pd.DataFrame,
    given: pd.DataFrame,
    operations: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the given capacity and operations that make `grid` the effective one.

    Parameters
    ----------
    grid, derived
        Wanted effective capacity and the one that `given`, people and `operations`
        yield, period x role, FTE. Equal columns keep their origin; a changed one is
        final, so its operations rows go; a role that `grid` no longer has loses its
        given rows.
    """
    same = [
        role
        for role in grid.columns
        if role in derived.columns
        and grid.index.equals(derived.index)
        and np.array_equal(
            grid[role].to_numpy(float), derived[role].to_numpy(float), equal_nan=True
        )
    ]
    changed = [role for role in grid.columns if role not in same]
    dropped = [role for role in given.columns if role not in grid.columns]
    if not changed and not dropped:
        return given, operations
    kept = given.drop(columns=[r for r in given.columns if r in {*changed, *dropped}])
    joined = pd.concat([kept, grid[changed]], axis=1)
    joined.index = pd.PeriodIndex(joined.index, freq=grid.index.freq, name="period")
    joined.columns = pd.Index(joined.columns, name="role")
    order = [r for r in given.columns if r in joined.columns]
    order += [r for r in joined.columns if r not in order]
    return joined[order], operations[~operations["role"].isin(changed)]


# The tables that capacity is worked out from.
_SUPPLY = ("people", "absences", "operations")


class Supply(NamedTuple):
    """Today's capacity and what yields it; unread are edited cells that are wrong."""

    capacity: pd.DataFrame
    given: pd.DataFrame
    operations: pd.DataFrame
    unread: list[Problem]


class LiveCapacity:
    """The capacity of a portfolio as its tables are now.

    Parameters
    ----------
    knowledge
        What is known of the tables.
    settings, horizon
        Of the portfolio.
    tables
        All of its tables, the very frames that analysts edit.
    reads
        What is known of the content of each.
    given
        Capacity as rows say it, before operations.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        settings: Settings,
        horizon: pd.PeriodIndex,
        tables: Mapping[str, pd.DataFrame],
        reads: Mapping[str, Remembered],
        given: Remembered,
    ) -> None:
        self._knowledge = knowledge
        self._settings = settings
        self._horizon = horizon
        self._tables = tables
        self._given = given.frame.copy()
        self._derived = Derived(self._derive(reads, given), self._sources())

    def __getstate__(self) -> dict[str, Any]:
        # What is remembered can be worked out again where it is needed.
        return {**self.__dict__, "_knowledge": None}

    def resume(self, knowledge: Knowledge) -> None:
        """Hold on to the tables again, after a journey to another process."""
        self._knowledge = knowledge
        self._derived.remember(self._sources())

    def _sources(self) -> dict[str, pd.DataFrame]:
        return {table: self._tables[table] for table in _SUPPLY}

    @property
    def grid(self) -> pd.DataFrame:
        """FTE, period x role: follows the tables but where it was edited itself."""
        sources = self._sources()
        if not self._derived.follows(sources):
            freq = self._horizon.freqstr
            reads = {t: self._knowledge.read(t, f, freq) for t, f in sources.items()}
            given = self._knowledge.keep("capacity", self._given)
            self._derived.renew(self._derive(reads, given), sources)
        return self._derived.shown

    def _derive(
        self, reads: Mapping[str, Remembered], given: Remembered
    ) -> pd.DataFrame:
        def derived() -> pd.DataFrame:
            return effective_capacity(
                self._horizon,
                given=given.frame,
                people=reads["people"].frame,
                absences=reads["absences"].frame,
                operations=reads["operations"].frame,
                **self._settings.calendar,
            )

        facts = self.facts(reads, given)
        capacity: pd.DataFrame = self._knowledge.once("capacity", facts, derived)
        return capacity.copy()

    def facts(
        self, reads: Mapping[str, Remembered], given: Remembered
    ) -> tuple[Any, ...]:
        """Return all that capacity and the checks of it follow from."""
        clock = self._horizon[0], len(self._horizon)
        tables = (reads[table] for table in _SUPPLY)
        return (given, *tables, clock, *self._settings.calendar.values())

    def supply(self) -> Supply:
        """Return the given capacity and operations that yield today's grid."""
        operations = self._tables["operations"]
        capacity = self.grid
        if self.as_derived:
            return Supply(capacity, self._given, operations, [])
        grid, unread = read_capacity(capacity, self._horizon.freqstr)
        settled = settle_capacity(grid, self._derived.grid, self._given, operations)
        return Supply(grid, *settled, unread)

    @property
    def as_derived(self) -> bool:
        """Whether the grid itself was not edited."""
        return self.grid.equals(self._derived.grid)
