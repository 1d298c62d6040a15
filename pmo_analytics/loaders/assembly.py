"""Raw tables and settings become a Portfolio; what was found travels with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import (
    Settings,
    canonical_freq,
    make_horizon,
    parse_day,
    parse_period,
    settings_faults,
)
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    has_errors,
    joined_problems,
    problem,
    problem_records,
    problems_table,
)
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.dates import read_date
from pmo_analytics.loaders.cells.numbers import ALONE
from pmo_analytics.loaders.converting.absence_amounts import to_absence_shares
from pmo_analytics.loaders.converting.clock_columns import settle_clocks
from pmo_analytics.loaders.converting.contracts import to_contract_shares
from pmo_analytics.loaders.converting.layouts import (
    Tidy,
    check_spread,
    check_units,
    infer_freq,
    to_durations,
    to_fte,
    to_long,
    to_offsets,
)
from pmo_analytics.loaders.converting.length_columns import read_lengths
from pmo_analytics.loaders.converting.spans import name_projects, spread_spans, to_spans
from pmo_analytics.loaders.converting.timesheets import read_timesheet
from pmo_analytics.loaders.findings import Place, Problem, RawTable
from pmo_analytics.loaders.reading.settings import Declared
from pmo_analytics.loaders.understanding.headings import NUMBER_COLUMNS, kind_of
from pmo_analytics.loaders.understanding.number_columns import (
    check_currencies,
    companies,
    read_number_columns,
)
from pmo_analytics.loaders.understanding.tidying import DATE_KINDS, tidy_table
from pmo_analytics.portfolio import Portfolio, locate
from pmo_analytics.tables import TABLES, clean_text, conform, table_spec

# Without a declared horizon a history is forecast this many periods ahead.
_DEFAULT_PERIODS = 12
# Findings after which (some) rows of a table are missing.
_FILE_RULES = frozenset(
    {
        "binary_file",
        "broken_quotes",
        "corrupt_file",
        "duplicate_table",
        "empty_file",
        "field_too_long",
        "file_too_large",
        "misspelled_table",
        "missing_file",
        "missing_header",
        "too_many_columns",
        "too_many_fields",
        "unknown_encoding",
        "unread_table",
        "unreadable_file",
        "wrong_encoding",
    }
)
# Findings after which the names in a column of a table may be missing.
_COLUMN_FAULTS = {"missing_column", "misspelled_column", "duplicate_column"}
# Finding -> tables whose missing rows cause it; then it merely follows from that.
_CONSEQUENCES = {
    "capacity_missing": {"capacity", "people"},
    "empty_table": {"projects", "people", "history", "capacity"},
    "no_demand_no_spend": {"demand", "spend"},
    "no_value": {"projects", "benefits"},
    "spend_without_budget": {"budget"},
    "unknown_category": {"spend"},
    "unknown_fund": {"spend"},
    "unknown_person": {"people"},
    "unknown_program": {"projects"},
    "unknown_project": {"projects", "groups"},
    "unknown_role": {"capacity", "people"},
    "unknown_theme": {"projects"},
}
# Findings on one row that stand for all of its column.
_COLUMN_RULES = ("ambiguous_number", "ambiguous_date", "percent_or_share")


@dataclass
class Contents:
    """Everything read from a folder or a workbook, before it is understood.

    Parameters
    ----------
    declared
        Settings.
    tables
        Table -> its raw rows.
    problems
        Findings so far.
    label
        Name of the portfolio where it declares none: of its folder or file.
    """

    declared: Declared
    tables: dict[str, RawTable]
    problems: list[Problem] = field(default_factory=list)
    label: str = ""


def assemble(contents: Contents) -> Portfolio:
    """Return the portfolio of what was read; its `problems` are the findings.

    Raises
    ------
    DataError
        If no horizon can be made out.
    """
    declared, problems = contents.declared, list(contents.problems)
    tidies = {
        table: tidy
        for table, raw in contents.tables.items()
        if (tidy := tidy_table(raw, declared.format)) is not None
    }
    known = companies(tidies, declared.format)
    for table, tidy in tidies.items():
        read_number_columns(tidy, declared.format, known.get(table, ALONE))
    problems += check_currencies(tidies, declared.values.get("value.currency", ""))
    problems += _missing_projects(contents)
    settings = declared.settings
    if faults := settings_faults(settings):
        problems += [declared.place.error("bad_setting", fix=fix) for fix in faults]
        settings = Settings()
    horizon = _horizon(declared, tidies, problems)
    freq = str(horizon.freqstr)
    starts: dict[Any, pd.Period | None] = {}
    names: dict[str, list[str]] = {}
    groups = _groups(tidies)
    frames: dict[str, pd.DataFrame] = {}
    sources: dict[str, pd.DataFrame] = {}
    # Projects first: demand by period needs their starts.
    for table, tidy in sorted(tidies.items(), key=lambda pair: pair[0] != "projects"):
        settle_clocks(tidy, declared.zone, settings.hours_per_week)
        check_units(tidy, freq)
        check_spread(tidy, freq)
        to_long(tidy)
        name_projects(tidy, set(starts), names, groups)
        spread_spans(tidy, freq)
        to_spans(tidy, freq)
        to_fte(tidy, freq, settings.hours_per_week)
        to_contract_shares(tidy, settings.hours_per_week)
        to_absence_shares(tidy, settings.hours_per_week)
        if table in ("projects", "baselines"):
            read_lengths(tidy, freq)
        if table == "projects":
            to_durations(tidy, freq)
        read_timesheet(tidy)
        if table in ("demand", "spend", "benefits"):
            to_offsets(tidy, starts, freq)
        frames[table], sources[table] = _typed(tidy, freq)
        problems += tidy.problems
        if table == "projects":
            starts = _starts(frames[table], freq)
            names = _names(frames[table])
    capacity = frames.get("capacity")
    if capacity is not None and not {"role", "fte"} <= set(capacity.columns):
        # Not to be mistaken for a grid: say which column is missing.
        _, unread = conform("capacity", frames.pop("capacity"), freq)
        problems += locate(problems_table(unread), sources).to_dict("records")
    return Portfolio(
        declared.values.get("name", contents.label),
        horizon=horizon,
        settings=settings,
        sources=sources,
        problems=problems_table(problems),
        **frames,
    )


def _missing_projects(contents: Contents) -> list[Problem]:
    """Say once that `projects` is missing, not at every row that names a project."""
    naming = [t for t in ("demand", "spend", "benefits") if t in contents.tables]
    if not naming or "projects" in contents.tables:
        return []
    if any(_is_error(p) and p["rule"] in _FILE_RULES for p in contents.problems):
        return []
    other = contents.tables[naming[0]].place
    place = (
        Place("projects", other.source, "projects")
        if other.sheet
        else Place("projects", "projects.csv")
    )
    return [
        place.error(
            "missing_file",
            fix=f"There is no table 'projects', but '{naming[0]}' names projects. Add "
            f"the {'sheet projects' if other.sheet else 'file projects.csv'}.",
        )
    ]


def loaded_problems(portfolio: Portfolio) -> pd.DataFrame:
    """Return findings of reading and of checking as one problems table.

    Of two findings about one cell the first, from reading, is kept. Where a whole
    table could not be read, findings that merely follow from it are left out.
    """
    reading, checking = portfolio.problems, portfolio.check()
    errors = problem_records(reading[reading["severity"] == "error"])
    kept = np.ones(len(checking), dtype=bool)
    rules = checking["rule"].to_numpy()
    if damaged := _damaged_tables(errors, checking):
        follows = [rule for rule, of in _CONSEQUENCES.items() if of & damaged]
        kept &= ~np.isin(rules, follows)
    if errors:
        kept &= ~_said_already(checking, errors)
    return joined_problems([reading, checking[kept]])


def _said_already(checking: pd.DataFrame, errors: list[Problem]) -> np.ndarray:
    """Return which findings are about cells of which reading has said an error."""
    cells = {_cell(p) for p in errors}
    rows = {_cell(p)[:4] for p in errors if p["row"] is not None}
    whole_columns = {
        (p["table"], column.strip())
        for p in errors
        if p["row"] is None or p["rule"] in _COLUMN_RULES
        for column in str(p["column"]).split(",")
    }
    found = []
    for p in problem_records(checking):
        cell = _cell(p)
        blank = p["rule"] == "missing_value"
        unread = blank or str(p["rule"]).startswith("not_a_")
        found.append(
            cell in cells
            or (unread and (p["table"], p["column"]) in whole_columns)
            # It could not be converted, which has been said.
            or (blank and p["column"] in ("offset", "fte") and cell[:4] in rows)
        )
    return np.array(found, dtype=bool)


def planning_problems(portfolio: Portfolio) -> pd.DataFrame:
    """Return `loaded_problems`, and what is missing for a plan: projects, or people.

    A portfolio without them can be read all the same: a history is forecast, and people
    are capacity.
    """
    problems = loaded_problems(portfolio)
    missing = [] if has_errors(problems) else _nobody_or_nothing(portfolio)
    return joined_problems([problems_table(missing), problems])


def _nobody_or_nothing(portfolio: Portfolio) -> list[Problem]:
    tables = portfolio.tables
    if len(tables["history"]):
        return []
    staffed = bool(portfolio.capacity.notna().to_numpy().any())
    if tables["projects"].empty and (staffed or len(tables["people"])):
        missing, fix = "projects", "There are people, and no projects to plan."
    elif (
        len(tables["projects"])
        and not staffed
        and all(tables[name].empty for name in ("people", "demand", "spend", "budget"))
    ):
        missing, fix = "people", "There are projects, and nobody to do them: neither "
        fix += "people nor capacity, and no money that they spend either."
    else:
        return []
    fix += f" Fill in the table '{missing}'."
    return [problem("error", missing, "empty_table", fix=fix)]


def _damaged_tables(errors: list[Problem], checking: pd.DataFrame) -> set[str]:
    """Return the tables of which rows, or all names in them, are missing."""
    telling = checking["rule"].isin(_FILE_RULES | _COLUMN_FAULTS)
    damaged = set()
    for p in [*errors, *problem_records(checking[telling])]:
        table, rule = p["table"], p["rule"]
        if rule in _FILE_RULES and table == "portfolio":
            return {*TABLES, "capacity"}  # nobody knows which one it was
        if rule in _FILE_RULES:
            damaged.add(table)
        elif rule in _COLUMN_FAULTS:
            spec = table_spec(table).columns.get(p["column"])
            if rule == "misspelled_column" or (spec is not None and spec.required):
                damaged.add(table)
    return damaged


def _cell(p: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(p[k]) for k in ("table", "source", "sheet", "row", "column"))


# --------------------------------------------------------------------------- frames


def _typed(tidy: Tidy, freq: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frame of a table and where each row comes from."""
    table = tidy.place.table
    spec = table_spec(table).columns
    columns = {}
    for name, cells in tidy.columns.items():
        kind = kind_of(table, name)
        if name in NUMBER_COLUMNS and name not in spec:  # hours where none are counted
            name = tidy.texts.get(name, name)
        columns[name] = _series(cells, kind, freq)
    index = pd.RangeIndex(len(tidy.rows))
    frame = pd.DataFrame(columns, index=index)
    origin = pd.DataFrame(
        {
            "source": tidy.place.source,
            "sheet": tidy.place.sheet,
            "row": pd.Series(tidy.rows, index=index, dtype=object),
        },
        index=index,
    )
    return frame, origin


def _series(cells: list[Any], kind: str, freq: str) -> pd.Series[Any]:
    """Return cells as the type the portfolio wants, as objects if some do not fit.

    The portfolio reports cells that do not fit; here the bulk is made fast.
    """
    if kind in ("number", "whole"):
        numbers = _floats(cells)
        if numbers is not None and kind == "number":
            return pd.Series(numbers)
        if numbers is not None:
            blank = np.isnan(numbers)
            whole = np.where(blank, 0.0, numbers)
            if (np.abs(whole) <= 1e9).all() and (whole == np.round(whole)).all():
                return pd.Series(pd.arrays.IntegerArray(whole.astype("int64"), blank))
    elif kind in DATE_KINDS:
        try:
            return _clock_series(cells, kind, freq)
        except (ValueError, OverflowError):
            pass
    elif not kind:
        own = _floats(cells)
        if own is None or np.isnan(own).all():
            return pd.Series(cells, dtype="str")
        return pd.Series(own)
    return pd.Series(cells, dtype=object)


def _floats(cells: list[Any]) -> np.ndarray | None:
    if not all(c is None or c.__class__ is float for c in cells):
        return None
    return np.array([np.nan if c is None else c for c in cells], dtype=float)


def _clock_series(cells: list[Any], kind: str, freq: str) -> pd.Series[Any]:
    different = {c for c in cells if c is not None}
    if kind == "period":
        ordinals = {c: parse_period(c, freq).ordinal for c in different}
        blank = pd.NaT.value
        values = np.array([ordinals.get(c, blank) for c in cells], dtype="int64")
        return pd.Series(pd.PeriodIndex.from_ordinals(values, freq=freq))
    days = {c: parse_day(c, end=kind == "end_day").to_numpy() for c in different}
    nothing = np.datetime64("NaT", "s")
    return pd.Series(
        np.array([days.get(c, nothing) for c in cells], dtype="datetime64[s]")
    )


def _starts(projects: pd.DataFrame, freq: str) -> dict[Any, pd.Period | None]:
    starts: dict[Any, pd.Period | None] = {}
    if "project" not in projects:
        return starts
    column = projects.get("start", pd.Series([None] * len(projects), dtype=object))
    for project, start in zip(projects["project"], column, strict=True):
        if project is None or pd.isna(project):
            continue
        try:
            read = None if pd.isna(start) else parse_period(start, freq)
        except ValueError:
            read = None
        starts[clean_text(project)] = read
    return starts


def _names(projects: pd.DataFrame) -> dict[str, list[str]]:
    """Return folded name of a project -> the ids that have it."""
    found: dict[str, list[str]] = {}
    if {"project", "name"} <= set(projects.columns):
        for project, name in zip(projects["project"], projects["name"], strict=True):
            if not pd.isna(project) and not pd.isna(name):
                found.setdefault(fold(str(name)), []).append(clean_text(project))
    return found


def _groups(tidies: dict[str, Tidy]) -> set[str]:
    cells = tidies["groups"].columns.get("group", []) if "groups" in tidies else []
    return {clean_text(cell) for cell in cells if cell is not None}


# -------------------------------------------------------------------------- horizon


def _horizon(
    declared: Declared, tidies: dict[str, Tidy], problems: list[Problem]
) -> pd.PeriodIndex:
    values = {
        name: declared.values.get(f"horizon.{name}")
        for name in ("start", "periods", "freq")
    }
    history = tidies.get("history")
    projects = tidies.get("projects")
    if (
        values["start"] is None
        and history is not None
        and history.rows
        and not (projects and projects.rows)
        and not any(p["table"] == "portfolio" for p in problems if _is_error(p))
    ):
        return _after_history(declared, history, values)
    start = values["start"]
    read = read_date(start, serials=True)
    if isinstance(read, str):
        start = read
    missing = [
        n
        for n in ("start", "periods")
        if values[n] is None and not _reported(problems, f"horizon.{n}")
    ]
    if missing:
        problems.append(
            declared.place.error(
                "missing_horizon",
                column=", ".join(f"horizon.{n}" for n in missing),
                fix="Say which periods are planned: in portfolio.toml [horizon] with "
                "start = '2027-01', periods = 24 and freq = 'M'; in a workbook the "
                "same keys on the sheet 'portfolio'.",
            )
        )
    freq = values["freq"] or infer_freq([start])
    if start is not None and not freq:
        problems.append(
            declared.place.error(
                "missing_horizon",
                column="horizon.freq",
                found=start,
                fix="Say if the periods are weeks, months, quarters or years: "
                "[horizon] freq = 'M'.",
            )
        )
    everything = problems + [p for tidy in tidies.values() for p in tidy.problems]
    if start is None or values["periods"] is None or not freq:
        raise DataError(problems_table(everything))
    try:
        return make_horizon(start, values["periods"], freq)
    except ConfigError as error:
        fix = str(error).removesuffix(".") + "."
        everything.append(declared.place.error("bad_horizon", fix=fix))
        raise DataError(problems_table(everything)) from error


def _is_error(p: Problem) -> bool:
    return bool(p["severity"] == "error")


def _reported(problems: list[Problem], column: str) -> bool:
    return any(p["column"] == column for p in problems)


def _after_history(
    declared: Declared, history: Tidy, values: dict[str, Any]
) -> pd.PeriodIndex:
    texts = (
        list(history.spread.values())
        if history.wide == "period"
        else history.columns.get("period", [])
    )
    place = history.place
    freq = values["freq"] or infer_freq(texts)
    if not freq:
        raise DataError(
            problems_table(
                [
                    declared.place.error(
                        "missing_horizon",
                        column="horizon.freq",
                        fix="Without a [horizon] it begins after the history, but the "
                        "periods of the history do not tell if they are weeks, months, "
                        "quarters or years. Declare [horizon] freq.",
                    )
                ]
            )
        )
    try:
        freq = canonical_freq(freq)
        last = max(parse_period(t, freq) for t in texts if t is not None)
        return make_horizon(last + 1, values["periods"] or _DEFAULT_PERIODS, freq)
    except (ConfigError, ValueError) as error:
        raise DataError(
            problems_table(
                [
                    place.error(
                        "bad_horizon",
                        column="period",
                        fix="The horizon begins after the history, but: "
                        f"{str(error).removesuffix('.')}.",
                    )
                ]
            )
        ) from error
