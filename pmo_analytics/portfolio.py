"""Portfolio: the question, as tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import (
    Settings,
    anchored_days,
    checked_horizon,
    checked_settings,
    format_period,
)
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    closest,
    has_errors,
    problems_table,
)
from pmo_analytics.facts import Facts, facts_html, result_html, table_html
from pmo_analytics.tables import (
    TABLES,
    Knowledge,
    LiveCapacity,
    Remembered,
    check_rules,
    check_supply,
    chosen_rows,
    content_hash,
    locate,
    read_capacity,
    settle_capacity,
    still_lost,
    tables_of,
    without_repeats,
)

if TYPE_CHECKING:
    from pmo_analytics.tables import Problem

_SETTINGS = tuple(field.name for field in fields(Settings))
_LATER_TABLES = ("rules", "progress", "milestones", "sprints")
_LATER_SETTINGS = ("weigh_by_probability", "workweek", "country_workweeks")


class Portfolio:
    """Projects, people and money over a horizon: the question a PMO asks.

    Tables are attributes (`portfolio.projects`, `portfolio.demand`, ...), one
    DataFrame each with the columns of the contract; blank means missing. Edit them
    in place or use `replace`; every verb takes a snapshot where it begins.

    Parameters
    ----------
    name
        Name of the portfolio.
    horizon
        Contiguous PeriodIndex, the periods that are planned.
    settings
        Value and calendar settings.
    capacity
        Given capacity, period x role, FTE, before operations: it replaces the
        people of its roles. The attribute `capacity` is the effective grid: given
        or derived from people, less operations, for every period of the horizon, as
        the tables are now.
    sources
        Table -> frame `source, sheet, row` with the labels of that table: where
        each row was read, so that problems can name it.
    problems
        Problems table of what was found, dropped or converted when reading.
    **tables
        Any of the tables of `TABLES`.

    Raises
    ------
    ConfigError
        If the horizon, a setting or a table name cannot be used.
    """

    _frozen = False

    def __init__(
        self,
        name: str = "",
        *,
        horizon: pd.PeriodIndex,
        settings: Settings | None = None,
        capacity: pd.DataFrame | None = None,
        sources: Mapping[str, pd.DataFrame] | None = None,
        problems: pd.DataFrame | None = None,
        **tables: pd.DataFrame | None,
    ) -> None:
        unknown = [table for table in tables if table not in TABLES]
        if unknown:
            raise ConfigError(
                f"There is no table '{unknown[0]}'{closest(unknown[0], TABLES)}. "
                f"Tables: {', '.join(TABLES)}."
            )
        self._fill(
            Knowledge(), name, horizon, settings, capacity, sources, problems, tables
        )

    def _fill(
        self,
        knowledge: Knowledge,
        name: str,
        horizon: pd.PeriodIndex,
        settings: Settings | None,
        capacity: pd.DataFrame | None,
        sources: Mapping[str, pd.DataFrame] | None,
        problems: pd.DataFrame | None,
        tables: Mapping[str, pd.DataFrame | None],
    ) -> None:
        """Take what a new portfolio is made of, with what is known of it already."""
        self._knowledge = knowledge
        self.name = name
        self.horizon = checked_horizon(horizon)
        self.settings = checked_settings(settings or Settings())
        self.sources = dict(sources or {})
        self.problems = problems_table([]) if problems is None else problems
        self._unread: list[Problem] = []
        self._raw_tables: dict[str, pd.DataFrame] = {}
        reads: dict[str, Remembered] = {}
        for table in TABLES:
            read = reads[table] = knowledge.read(table, tables.get(table), self.freq)
            self._raw_tables[table] = read.frame.copy()
            self._unread += read.found
        given = knowledge.known("capacity", capacity)
        if given is None:
            grid, unread = read_capacity(capacity, self.freq)
            self._unread += unread
            given = knowledge.keep("capacity", grid)
        self._capacity = LiveCapacity(
            knowledge, self.settings, self.horizon, self._raw_tables, reads, given
        )
        self._frozen = True

    def __setattr__(self, name: str, value: object) -> None:
        if self._frozen:
            raise AttributeError(
                f"A portfolio is frozen: use portfolio.replace({name}=...), or edit "
                "the rows of a table in place."
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> pd.DataFrame:
        tables = self.__dict__.get("_raw_tables", {})
        if name in tables:
            return tables[name]
        raise AttributeError(
            f"A portfolio has no table or attribute '{name}'{closest(name, TABLES)}."
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *TABLES]

    def __getstate__(self) -> dict[str, Any]:
        # What is remembered can be worked out again where it is needed.
        return {**self.__dict__, "_knowledge": Knowledge()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._capacity.resume(self._knowledge)

    @property
    def freq(self) -> str:
        """Pandas frequency of the horizon."""
        return str(self.horizon.freqstr)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by name, `capacity` not among them."""
        return dict(self._raw_tables)

    @property
    def capacity(self) -> pd.DataFrame:
        """FTE for projects, period x role: given or of people, less operations.

        It follows edits in place of people, absences and operations; columns edited
        in the grid itself stay as they were edited.
        """
        return self._capacity.grid

    @property
    def given_capacity(self) -> pd.DataFrame:
        """Capacity as rows say it, period x role, FTE, before operations.

        What a loader writes: roles whose capacity comes from people are not in it.
        """
        return self._capacity.supply().given

    def _still_unread(self) -> list[Problem]:
        """Return the cells lost when the portfolio was made and not filled in since."""
        return still_lost(self._unread, self._raw_tables, self.capacity)

    def replace(self, **changes: Any) -> Portfolio:
        """Return a new portfolio with some tables or settings replaced.

        Parameters
        ----------
        **changes
            Table name -> DataFrame; also `name`, `horizon`, `settings`, any
            setting by its own name (`discount=0.01`), or `capacity`: an effective
            grid, period x role, FTE. Columns of `capacity` equal to today's leave
            that role's people and operations in force; a changed column is final
            and drops the operations rows of its role.

        Raises
        ------
        ConfigError
            If a name is unknown, or the frequency changes under offsets.
        DataError
            If a cell of `capacity` is no number.
        """
        known = [*TABLES, *_SETTINGS, "capacity", "horizon", "name", "settings"]
        for key in changes:
            if key not in known:
                raise ConfigError(
                    f"Nothing of a portfolio is called '{key}'{closest(key, known)}."
                )
        carried = [p for p in self._still_unread() if p["table"] not in changes]
        return self._changed(changes, carried)

    def _changed(
        self,
        changes: Mapping[str, Any],
        carried: list[Problem],
        sources: Mapping[str, pd.DataFrame] | None = None,
    ) -> Portfolio:
        """Return a copy with changes, and with what could not be read in the rest."""
        horizon = checked_horizon(changes.get("horizon", self.horizon))
        if horizon.freqstr != self.freq:
            raise ConfigError(
                "The frequency of a portfolio that has offsets cannot be changed "
                f"({self.freq} -> {horizon.freqstr}): an offset counts its periods."
            )
        settings = changes.get("settings", self.settings)
        own = {k: v for k, v in changes.items() if k in _SETTINGS}
        today, given, operations, unread = self._capacity.supply()
        if "capacity" in changes:
            grid, wrong = read_capacity(changes["capacity"], self.freq)
            if wrong:
                raise DataError(problems_table(wrong))
            given, operations = settle_capacity(grid, today, given, operations)
        else:
            carried = [*carried, *unread]
        tables = {**self._raw_tables, "operations": operations}
        tables.update({k: v for k, v in changes.items() if k in TABLES})
        if sources is None:
            sources = {k: v for k, v in self.sources.items() if k not in changes}
        changed = Portfolio.__new__(Portfolio)
        changed._fill(
            Knowledge(self._knowledge),
            changes.get("name", self.name),
            horizon,
            replace_fields(settings, **own),
            given,
            sources,
            self.problems,
            tables,
        )
        for lost in carried:
            frame = changed._raw_tables.get(lost["table"])
            if frame is not None and lost["row"] in frame.index:
                frame.loc[lost["row"], lost["column"]] = None  # not its default
        changed._unread.extend(carried)
        return changed

    def snapshot(self) -> Portfolio:
        """Return a deep copy with every in-place edit taken into account."""
        return self.replace()

    def check(self) -> pd.DataFrame:
        """Return the problems table of the tables as they are now.

        Returns
        -------
        DataFrame
            Columns of `PROBLEM_COLUMNS`; errors first; empty when all is well.
        """
        reads = {
            table: self._knowledge.read(table, frame, self.freq)
            for table, frame in self._raw_tables.items()
        }
        unread = [p for read in reads.values() for p in read.found]
        supply = self._capacity.supply()
        lost = self._still_unread()
        unread = [*_well_spelled(unread, lost), *supply.unread, *lost]
        fresh = self if self._capacity.as_derived else self.snapshot()
        if supply.operations is not self._raw_tables["operations"]:
            left = reads["operations"].frame.loc[supply.operations.index]
            reads["operations"] = Remembered(left, [])
        # The checks get views: what is remembered stays as it is.
        tables = {t: read.frame.copy(deep=False) for t, read in reads.items()}
        problems = unread + without_repeats(
            [p for table, read in reads.items() for p in read.broken(table)],
            unread,
        )

        def of_supply() -> list[Problem]:
            return check_supply(
                tables["people"],
                tables["absences"],
                tables["operations"],
                supply.given,
                self.horizon,
                **self.settings.calendar,
            )

        def of_rules() -> list[Problem]:
            return check_rules(tables, fresh.capacity, self.horizon, self.settings)

        given = self._knowledge.known("capacity", supply.given)
        given = given or Remembered(supply.given, [])
        facts = self._capacity.facts(reads, given)
        problems += self._knowledge.once("supply", facts, of_supply)
        facts = (*facts, self.settings, *reads.values())
        broken = self._knowledge.once("rules", facts, of_rules)
        problems += without_repeats(broken, problems)
        return locate(problems_table(problems), self.sources)

    def validate(self) -> Portfolio:
        """Return a checked snapshot.

        Raises
        ------
        DataError
            If `check` finds an error; it carries all problems at once.
        """
        problems = self.check()
        if has_errors(problems):
            raise DataError(problems)
        return self.snapshot()

    def filter(
        self,
        where: Callable[[pd.DataFrame], pd.Series[bool]] | None = None,
        **columns: Any,
    ) -> Portfolio:
        """Return the portfolio of some projects; people and budgets stay whole.

        Rules that name other projects go; a group asks for no more than it has left.

        Parameters
        ----------
        where
            Function from the projects table to a boolean Series.
        **columns
            Column of `projects` -> value or list of values, all of which must hold.

        Raises
        ------
        ConfigError
            If a column is unknown.
        """
        projects = chosen_rows(self._raw_tables["projects"], where, columns)
        changes = tables_of(projects, self._raw_tables)
        carried = [
            p
            for p in self._still_unread()
            if p["row"] is None
            or p["table"] not in changes
            or p["row"] in changes[p["table"]].index
        ]
        # Rows keep their labels here, so they keep their places in files too.
        return self._changed(changes, carried, self.sources)

    def summary(self) -> pd.Series[Any]:
        """Return what the portfolio holds, a labelled Series for reading."""
        return Facts(_facts_of(self), name="portfolio", dtype=object)

    def __repr__(self) -> str:
        return f"<Portfolio {self.name!r}>\n{self.summary()}"

    def _repr_html_(self) -> str:
        rows = {n: len(frame) for n, frame in self._raw_tables.items() if len(frame)}
        tables = pd.DataFrame({"table": list(rows), "rows": list(rows.values())})
        title = f"Portfolio {self.name}".rstrip()
        return result_html(title, facts_html(self.summary()), table_html(tables))

    def digest(self) -> str:
        """Return a hash of everything that can change an answer."""
        supply = self._capacity.supply()
        tables = {**self._raw_tables, "operations": supply.operations}
        for table in _LATER_TABLES:
            if tables[table].empty:
                del tables[table]  # a digest from before there were any still holds
        state = hashlib.sha256()
        clock = (str(self.horizon[0]), len(self.horizon), self.freq)
        told = f"({self.name!r}, {clock!r}, {_told(self.settings)})"
        state.update(told.encode())
        contents = [self._knowledge.content(t, frame) for t, frame in tables.items()]
        given = self._knowledge.content("capacity", supply.given)
        state.update(content_hash(given, *contents).encode())
        return state.hexdigest()


def _facts_of(portfolio: Portfolio) -> dict[str, Any]:
    horizon = portfolio.horizon
    projects = portfolio.tables["projects"]
    counts = projects["status"].value_counts()
    capacity = portfolio.capacity
    facts: dict[str, Any] = {
        "name": portfolio.name,
        "horizon": f"{format_period(horizon[0])} .. "
        f"{format_period(horizon[-1])} ({len(horizon)} {portfolio.freq})",
    }
    if days := anchored_days(horizon):
        facts["first period"] = days
    facts["projects"] = len(projects)
    facts |= {f"  {status}": int(n) for status, n in counts.items()}
    facts |= {
        "roles": capacity.shape[1],
        "people": int(portfolio.tables["people"]["person"].nunique()),
        "mean capacity, FTE": round(float(capacity.sum(axis=1).mean()), 2)
        if capacity.size
        else 0.0,
        "dependencies": len(portfolio.tables["dependencies"]),
        "groups": int(portfolio.tables["groups"]["group"].nunique()),
        "budget rows": len(portfolio.tables["budget"]),
        "warnings": len(portfolio.problems),
    }
    return facts


def _well_spelled(unread: list[Problem], lost: list[Problem]) -> list[Problem]:
    """Drop columns that look like one's own beside the one that was meant."""
    misspelled = [
        (p["table"], p["column"]) for p in lost if p["rule"] == "misspelled_column"
    ]
    return [p for p in unread if (p["table"], p["column"]) not in misspelled]


def _told(settings: Settings) -> str:
    """Return settings as text; a digest from before there were the later ones holds."""
    own = [
        f"{field.name}={value!r}"
        for field in fields(Settings)
        if (value := getattr(settings, field.name)) != field.default
        or field.name not in _LATER_SETTINGS
    ]
    return f"Settings({', '.join(own)})"


def check_portfolio(portfolio: Portfolio) -> pd.DataFrame:
    """Return the problems table of a portfolio, findings of its reading included.

    Parameters
    ----------
    portfolio
        What is checked.

    Returns
    -------
    DataFrame
        Columns `severity, table, source, sheet, row, column, rule, found, fix`.
    """
    found = portfolio.check()
    rows = [*found.to_dict("records"), *portfolio.problems.to_dict("records")]
    return problems_table(rows).drop_duplicates(ignore_index=True)
