"""Capacity that follows tables and a grid which analysts edit in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from pmo_analytics.clock import Settings
from pmo_analytics.tables.cache import Derived, Knowledge, Remembered
from pmo_analytics.tables.capacity_grid import read_capacity, settle_capacity
from pmo_analytics.tables.supply import effective_capacity

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem

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
