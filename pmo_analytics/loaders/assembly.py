"""Raw tables and settings become a Portfolio; what was found travels with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import Settings, parse_day, parse_period, settings_faults
from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.numbers import ALONE
from pmo_analytics.loaders.converting.absence_amounts import to_absence_shares
from pmo_analytics.loaders.converting.clock_columns import settle_clocks
from pmo_analytics.loaders.converting.contracts import to_contract_shares
from pmo_analytics.loaders.converting.layouts import (
    check_spread,
    check_units,
    to_durations,
    to_fte,
    to_long,
    to_offsets,
)
from pmo_analytics.loaders.converting.length_columns import read_lengths
from pmo_analytics.loaders.converting.spans import name_projects, spread_spans, to_spans
from pmo_analytics.loaders.converting.timesheets import read_timesheet
from pmo_analytics.loaders.findings import Place, Problem, RawTable
from pmo_analytics.loaders.horizon import find_horizon
from pmo_analytics.loaders.problems import FILE_RULES
from pmo_analytics.loaders.reading.settings import Declared
from pmo_analytics.loaders.understanding.gates import gates_of
from pmo_analytics.loaders.understanding.headings import NUMBER_COLUMNS, kind_of
from pmo_analytics.loaders.understanding.number_columns import (
    check_currencies,
    companies,
    read_number_columns,
)
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.loaders.understanding.tidying import DATE_KINDS, tidy_table
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import clean_text, conform, locate, table_spec


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
    tidies = _tidied(contents)
    problems += check_currencies(tidies, declared.values.get("value.currency", ""))
    problems += _missing_projects(contents)
    settings = declared.settings
    if faults := settings_faults(settings):
        problems += [declared.place.error("bad_setting", fix=fix) for fix in faults]
        settings = Settings()
    horizon = find_horizon(declared, tidies, problems)
    freq = str(horizon.freqstr)
    starts: dict[Any, pd.Period | None] = {}
    names = cache(lambda: _names(frames.get("projects", pd.DataFrame())))
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


def _tidied(contents: Contents) -> dict[str, Tidy]:
    """Return the tables with their headings and numbers read."""
    declared = contents.declared
    tables, gates = dict(contents.tables), None
    if "projects" in tables and "milestones" not in tables:
        gates = gates_of(tables["projects"], declared.format.dayfirst)
    if gates is not None:
        tables["milestones"] = gates
    tidies = {
        table: tidy
        for table, raw in tables.items()
        if (tidy := tidy_table(raw, declared.format, gates_read=gates is not None))
        is not None
    }
    known = companies(tidies, declared.format)
    for table, tidy in tidies.items():
        read_number_columns(tidy, declared.format, known.get(table, ALONE))
    return tidies


def _missing_projects(contents: Contents) -> list[Problem]:
    """Say once that `projects` is missing, not at every row that names a project."""
    naming = [t for t in ("demand", "spend", "benefits") if t in contents.tables]
    if not naming or "projects" in contents.tables:
        return []
    if any(
        p["severity"] == "error" and p["rule"] in FILE_RULES for p in contents.problems
    ):
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
    different = column.dropna().unique()
    read: dict[Any, pd.Period | None] = {}
    for start in different:
        try:
            read[start] = parse_period(start, freq)
        except ValueError:
            read[start] = None
    for project, start in zip(
        _texts(projects["project"]), column.to_list(), strict=True
    ):
        if project is not None:
            starts[project] = read.get(start)
    return starts


def _texts(cells: pd.Series[Any]) -> list[str | None]:
    """Return ids or names as texts, None where blank."""
    blank = cells.isna().to_list()
    return [
        None if b else clean_text(c)
        for c, b in zip(cells.to_list(), blank, strict=True)
    ]


def _names(projects: pd.DataFrame) -> dict[str, list[str]]:
    """Return folded name of a project -> the ids that have it."""
    found: dict[str, list[str]] = {}
    if {"project", "name"} <= set(projects.columns):
        pairs = zip(_texts(projects["project"]), _texts(projects["name"]), strict=True)
        for project, name in pairs:
            if project is not None and name is not None:
                found.setdefault(fold(name), []).append(project)
    return found


def _groups(tidies: dict[str, Tidy]) -> set[str]:
    cells = tidies["groups"].columns.get("group", []) if "groups" in tidies else []
    return {clean_text(cell) for cell in cells if cell is not None}


# -------------------------------------------------------------------------- horizon
