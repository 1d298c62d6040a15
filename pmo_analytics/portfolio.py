"""Portfolio: the question, as tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.checks import check_rules
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    closest,
    has_errors,
    problem,
    problems_table,
)
from pmo_analytics.periods import Settings, format_period, parse_period
from pmo_analytics.supply import check_supply, effective_capacity
from pmo_analytics.tables import TABLES, check_table, conform, empty_table

if TYPE_CHECKING:
    from pmo_analytics.tables import Problem

# The tables that capacity is worked out from.
_SUPPLY = ("people", "absences", "operations")


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
        or derived from people, less operations, for every period of the horizon.
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
        self.name = name
        self.horizon = _checked_horizon(horizon)
        self.settings = _checked_settings(settings or Settings())
        self.sources = dict(sources or {})
        self.problems = problems_table([]) if problems is None else problems
        self._unread: list[Problem] = []
        self._raw_tables: dict[str, pd.DataFrame] = {}
        for table in TABLES:
            frame, unread = conform(table, tables.get(table), self.freq)
            self._raw_tables[table] = frame
            self._unread += unread
        self._given, unread = _capacity_grid(capacity, self.freq)
        self._unread += unread
        self.capacity = self._derive()
        self._derived = self.capacity.copy()
        self._supply_key = self._key()
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
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def freq(self) -> str:
        """Pandas frequency of the horizon."""
        return str(self.horizon.freqstr)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by name, `capacity` not among them."""
        return dict(self._raw_tables)

    @property
    def given_capacity(self) -> pd.DataFrame:
        """Capacity as rows say it, period x role, FTE, before operations.

        What a loader writes: roles whose capacity comes from people are not in it.
        """
        given, _operations = self._settled_supply()
        return given

    def _derive(self) -> pd.DataFrame:
        return effective_capacity(
            self.horizon,
            given=self._given,
            people=self._raw_tables["people"],
            absences=self._raw_tables["absences"],
            operations=self._raw_tables["operations"],
            hours_per_week=self.settings.hours_per_week,
            country=self.settings.country,
        )

    def _key(self) -> str:
        return frame_hash(*(self._raw_tables[t] for t in _SUPPLY), self._given)

    def _settled_supply(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return given capacity and operations that yield today's `capacity`.

        Columns of `capacity` that were edited are final, operations included, so
        their operations rows go.
        """
        return settle_capacity(
            self.capacity, self._derived, self._given, self._raw_tables["operations"]
        )

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
        """
        settings_names = {f.name for f in fields(Settings)}
        for key in changes:
            if key not in {
                *TABLES,
                *settings_names,
                "name",
                "horizon",
                "settings",
            } and (key != "capacity"):
                known = [*TABLES, *settings_names, "capacity", "horizon", "name"]
                raise ConfigError(
                    f"Nothing of a portfolio is called '{key}'{closest(key, known)}."
                )
        horizon = changes.get("horizon", self.horizon)
        if horizon.freqstr != self.freq:
            raise ConfigError(
                "The frequency of a portfolio that has offsets cannot be changed "
                f"({self.freq} -> {horizon.freqstr}): an offset counts its periods."
            )
        settings = changes.get("settings", self.settings)
        own = {k: v for k, v in changes.items() if k in settings_names}
        given, operations = self._settled_supply()
        if "capacity" in changes:
            grid, unread = _capacity_grid(changes["capacity"], self.freq)
            if unread:
                raise DataError(problems_table(unread))
            given, operations = settle_capacity(
                grid, self.capacity, given, operations, drop=True
            )
        tables = {**self._raw_tables, "operations": operations}
        tables.update({k: v for k, v in changes.items() if k in TABLES})
        return Portfolio(
            changes.get("name", self.name),
            horizon=horizon,
            settings=replace_fields(settings, **own),
            capacity=given,
            sources={
                k: v
                for k, v in self.sources.items()
                if k not in changes and (k != "operations" or operations is tables[k])
            },
            problems=self.problems,
            **tables,
        )

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
        unread: list[Problem] = []
        tables: dict[str, pd.DataFrame] = {}
        for table, frame in self._raw_tables.items():
            tables[table], found = conform(table, frame, self.freq)
            unread += found
        # Cells lost when the portfolio was made are blank by now: keep their report,
        # but only once per column note.
        seen = {(p["table"], p["rule"], p["column"], str(p["row"])) for p in unread}
        unread += [
            p
            for p in self._unread
            if (p["table"], p["rule"], p["column"], str(p["row"])) not in seen
        ]
        fresh = self if self._key() == self._supply_key else self.snapshot()
        given = self._given
        problems = unread + _without_repeats(
            [p for table, frame in tables.items() for p in check_table(table, frame)],
            unread,
        )
        problems += check_supply(
            tables["people"],
            tables["absences"],
            tables["operations"],
            given,
            self.horizon,
            hours_per_week=self.settings.hours_per_week,
            country=self.settings.country,
        )
        problems += _without_repeats(
            check_rules(tables, fresh.capacity, self.horizon, self.settings), problems
        )
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
        projects = self._raw_tables["projects"]
        keep = pd.Series(True, index=projects.index)
        if where is not None:
            keep &= where(projects).astype(bool)
        for column, value in columns.items():
            if column not in projects.columns:
                raise ConfigError(
                    f"projects has no column '{column}'"
                    f"{closest(column, projects.columns)}."
                )
            if isinstance(value, (list, tuple, set, frozenset)):
                keep &= projects[column].isin(list(value))
            else:
                keep &= projects[column] == value
        names = set(projects.loc[keep.fillna(False), "project"])
        changes: dict[str, Any] = {"projects": projects[keep.fillna(False)]}
        for table in ("demand", "spend", "benefits", "groups", "dependencies"):
            frame = self._raw_tables[table]
            changes[table] = frame[frame["project"].isin(names)]
        groups = set(changes["groups"]["group"])
        requires = changes["dependencies"]["requires"]
        changes["dependencies"] = changes["dependencies"][
            requires.isin(names) | requires.isin(groups)
        ]
        blackouts = self._raw_tables["blackouts"]
        changes["blackouts"] = blackouts[
            blackouts["project"].isna() | blackouts["project"].isin(names)
        ]
        bookings = self._raw_tables["bookings"]
        changes["bookings"] = bookings[bookings["project"].isin(names)]
        return self.replace(**changes)

    def summary(self) -> pd.Series[Any]:
        """Return what the portfolio holds, a labelled Series for reading."""
        projects = self._raw_tables["projects"]
        counts = projects["status"].value_counts()
        capacity = self.capacity
        facts: dict[str, Any] = {
            "name": self.name,
            "horizon": f"{format_period(self.horizon[0])} .. "
            f"{format_period(self.horizon[-1])} ({len(self.horizon)} {self.freq})",
            "projects": len(projects),
        }
        facts |= {f"  {status}": int(n) for status, n in counts.items()}
        facts |= {
            "roles": capacity.shape[1],
            "people": int(self._raw_tables["people"]["person"].nunique()),
            "mean capacity, FTE": round(float(capacity.sum(axis=1).mean()), 2)
            if capacity.size
            else 0.0,
            "dependencies": len(self._raw_tables["dependencies"]),
            "groups": int(self._raw_tables["groups"]["group"].nunique()),
            "budget rows": len(self._raw_tables["budget"]),
            "warnings": len(self.problems),
        }
        return pd.Series(facts, name="portfolio", dtype=object)

    def __repr__(self) -> str:
        return f"<Portfolio {self.name!r}>\n{self.summary().to_string()}"

    def _repr_html_(self) -> str:
        facts = self.summary().rename("").to_frame().to_html(escape=True)
        tables = pd.Series(
            {
                name: len(frame)
                for name, frame in self._raw_tables.items()
                if len(frame)
            },
            name="rows",
            dtype=object,
        )
        return f"{facts}{tables.to_frame().to_html(escape=True)}"

    def digest(self) -> str:
        """Return a hash of everything that can change an answer."""
        given, operations = self._settled_supply()
        tables = {**self._raw_tables, "operations": operations}
        state = hashlib.sha256()
        state.update(repr((self.name, str(self.horizon), self.settings)).encode())
        state.update(frame_hash(given, *tables.values()).encode())
        return state.hexdigest()


def check_portfolio(portfolio: Portfolio) -> pd.DataFrame:
    """Return the problems table of a portfolio, findings of its reading included.

    Returns
    -------
    DataFrame
        Columns `severity, table, source, sheet, row, column, rule, found, fix`.
    """
    found = portfolio.check()
    rows = [*found.to_dict("records"), *portfolio.problems.to_dict("records")]
    return problems_table(rows).drop_duplicates(ignore_index=True)


def settle_capacity(
    grid: pd.DataFrame,
    derived: pd.DataFrame,
    given: pd.DataFrame,
    operations: pd.DataFrame,
    *,
    drop: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the given capacity and operations that make `grid` the effective one.

    Parameters
    ----------
    grid, derived
        Wanted effective capacity and the one that `given`, people and `operations`
        yield, period x role, FTE. Equal columns keep their origin.
    drop
        A role that `grid` no longer has loses its given rows too.
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
    dropped = (
        [role for role in given.columns if role not in grid.columns] if drop else []
    )
    if not changed and not dropped:
        return given, operations
    kept = given.drop(columns=[r for r in given.columns if r in {*changed, *dropped}])
    joined = pd.concat([kept, grid[changed]], axis=1)
    joined.index = pd.PeriodIndex(joined.index, freq=grid.index.freq, name="period")
    joined.columns = pd.Index(joined.columns, name="role")
    order = [r for r in given.columns if r in joined.columns]
    order += [r for r in joined.columns if r not in order]
    return joined[order], operations[~operations["role"].isin(changed)]


def _capacity_grid(
    capacity: pd.DataFrame | None, freq: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return given capacity as a grid; long rows are accepted too."""
    if capacity is None or capacity.shape[1] == 0 or capacity.empty:
        index = pd.PeriodIndex([], freq=freq, name="period")
        return pd.DataFrame(index=index, columns=pd.Index([], name="role")), []
    if "role" in capacity.columns and "fte" in capacity.columns:
        rows, problems = conform("capacity", capacity, freq)
        problems = problems + _without_repeats(check_table("capacity", rows), problems)
        rows = rows.dropna(subset=["period", "role"]).drop_duplicates(
            ["period", "role"]
        )
        grid = rows.pivot(index="period", columns="role", values="fte")
        grid = grid[list(dict.fromkeys(rows["role"]))]
    else:
        problems = []
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
        grid, problems = _numeric_grid(grid)
    if not grid.index.is_unique or not grid.columns.is_unique:
        raise ConfigError("capacity names a period or a role twice.")
    grid = grid.sort_index().astype("float64")
    grid.index = pd.PeriodIndex(grid.index, freq=freq, name="period")
    grid.columns = pd.Index([str(c) for c in grid.columns], name="role", dtype="str")
    return grid, problems


def _numeric_grid(grid: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    problems = []
    numbers = grid.apply(pd.to_numeric, errors="coerce").astype("float64")
    wrong = (numbers.isna() & grid.notna()) | ~np.isfinite(numbers.fillna(0.0))
    for row, column in zip(*np.nonzero(wrong.to_numpy()), strict=True):
        problems.append(
            problem(
                "error",
                "capacity",
                "not_a_number",
                row=format_period(grid.index[row]),
                column=str(grid.columns[column]),
                found=grid.iat[row, column],
                fix="Write a finite number.",
            )
        )
    return numbers.mask(wrong), problems


def _without_repeats(new: list[Problem], old: list[Problem]) -> list[Problem]:
    """Drop findings about cells that already have one."""
    cells = {
        (p["table"], p["column"], str(p["row"]))
        for p in old
        if p["severity"] == "error"
    }
    columns = {
        (p["table"], p["column"])
        for p in old
        if p["severity"] == "error" and p["row"] is None
    }
    return [
        p
        for p in new
        if (p["table"], p["column"], str(p["row"])) not in cells
        and (p["rule"] != "missing_value" or (p["table"], p["column"]) not in columns)
    ]


def locate(problems: pd.DataFrame, sources: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return problems with index labels turned into file, sheet and row."""
    rows = problems.to_dict("records")
    for row in rows:
        origin = sources.get(row["table"])
        if origin is None or row["source"]:
            continue
        if row["row"] is not None and row["row"] in origin.index:
            place = origin.loc[row["row"]]
            row["source"], row["sheet"] = place["source"], place["sheet"]
            row["row"] = place["row"]
        elif len(origin):
            row["source"] = origin["source"].iloc[0]
            row["sheet"] = origin["sheet"].iloc[0]
    return problems_table(rows)


def frame_hash(*frames: pd.DataFrame) -> str:
    """Return a hash of values, labels and column names of frames."""
    state = hashlib.sha256()
    for frame in frames:
        state.update(repr(list(frame.columns)).encode())
        plain = frame.reset_index()
        for column in plain.columns:
            values = plain[column]
            if isinstance(values.dtype, pd.PeriodDtype):
                values = values.astype("int64")
            try:
                hashed = pd.util.hash_pandas_object(values, index=False)
                state.update(hashed.to_numpy().tobytes())
            except TypeError:
                state.update(repr(values.to_list()).encode())
    return state.hexdigest()


def _checked_horizon(horizon: pd.PeriodIndex) -> pd.PeriodIndex:
    if not isinstance(horizon, pd.PeriodIndex) or not len(horizon):
        raise ConfigError(
            "horizon must be a PeriodIndex with at least one period; see make_horizon."
        )
    if not (np.diff(horizon.astype("int64")) == 1).all():
        raise ConfigError("The horizon must be contiguous periods in order.")
    return horizon.rename("period")


def _checked_settings(settings: Settings) -> Settings:
    if not np.isfinite(settings.discount) or not -0.99 <= settings.discount <= 10:
        raise ConfigError(
            f"[value] discount is {settings.discount!r}: write a rate per period such "
            "as 0.005."
        )
    if settings.source not in ("", "value", "benefits", "sum"):
        raise ConfigError(
            f"[value] source is {settings.source!r}: use value, benefits or sum"
            f"{closest(settings.source, ('value', 'benefits', 'sum'))}."
        )
    if not 0 < settings.hours_per_week <= 168:
        raise ConfigError(
            f"[calendar] hours_per_week is {settings.hours_per_week!r}; it must lie "
            "between 0 and 168."
        )
    return settings


def empty_tables(freq: str) -> dict[str, pd.DataFrame]:
    """Return every table empty, to fill in."""
    return {name: empty_table(name, freq) for name in TABLES}
