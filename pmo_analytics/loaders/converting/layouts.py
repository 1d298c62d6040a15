"""From wide to long, from hours to FTE, from calendar periods to offsets.

Wide layouts that are read:

- `demand`: project and role, one column a period (`2027-01`) or offset (`0`, `+1`);
  or project and offset (or period), one column a role;
- `capacity`: role, one column a period; or period, one column a role;
- `spend`, `benefits`: project, one column a period or offset, cells are amounts;
- `people`, `bookings`, `operations`: one column a period, the cells being FTE (then
  `spans` makes rows with start and end of them);
- `history`: the same two as `capacity`, the cells being load, or with a column
  `measure` (`load`, `capacity`) beside the role.
"""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from pmo_analytics.clock import WEEKS_PER_YEAR, hours_per_fte, parse_period
from pmo_analytics.errors import closest, listing
from pmo_analytics.loaders.aliases import TOTALS, choice_words, fold, unit_words
from pmo_analytics.loaders.cells.dates import DayOrMonthFirst, read_date
from pmo_analytics.loaders.converting.finishes import check_finishes
from pmo_analytics.loaders.findings import Problem
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.loaders.understanding.wide_layouts import FTE_TABLES, MONEY_TABLES
from pmo_analytics.tables import clean_text

_KEEP_ZEROS = ("capacity", "history")
_CLEAR_HEADINGS = (
    "Day or month first? Write the headings as 2027-01, or declare [files] dayfirst = "
    "true or false in portfolio.toml."
)


def check_spread(tidy: Tidy, freq: str) -> None:
    """Refuse headings of a wide table that are no period of the portfolio."""
    if tidy.wide != "period":
        return
    seen: dict[int, str] = {}
    wrong: dict[str, list[tuple[str, str]]] = {}
    for name, meaning in list(tidy.spread.items()):
        try:
            ordinal = parse_period(meaning, freq).ordinal
        except ValueError as error:
            unclear = isinstance(read_date(meaning), DayOrMonthFirst)
            rule = "ambiguous_date" if unclear else "not_a_period"
            fix = _CLEAR_HEADINGS if unclear else f"{error}. Correct the heading."
        else:
            if ordinal not in seen:
                seen[ordinal] = name
                continue
            rule = "duplicate_column"
            fix = (
                f"'{seen[ordinal]}' and '{name}' lie in the same period of the "
                "portfolio. Add them up in one column."
            )
        wrong.setdefault(rule, []).append((name, fix))
        del tidy.spread[name], tidy.columns[name]
    for rule, cases in wrong.items():
        name, fix = cases[0]
        names = listing((n for n, _ in cases), 3)
        tidy.problems.append(tidy.place.error(rule, column=name, found=names, fix=fix))


def to_long(tidy: Tidy) -> None:
    """Turn a wide table into rows, in place.

    Blank cells are left out, and zeros of demand. A bad cell stays as it is and is
    refused later, with its row.
    """
    if not tidy.wide:
        return
    if not tidy.spread:  # every heading was refused
        tidy.columns, tidy.rows = {}, []
        return
    table, wide = tidy.place.table, tidy.wide
    dropped = [n for n in tidy.columns if fold(n) in TOTALS and n not in tidy.spread]
    for name in dropped:
        del tidy.columns[name]
        tidy.problems.append(
            tidy.place.warning(
                "totals_column_dropped",
                column=name,
                found=name,
                fix="The column of totals was dropped.",
            )
        )
    kept = [n for n in tidy.columns if n not in tidy.spread]
    value = f"load_{tidy.measure}" if table == "history" else tidy.measure
    value = "amount" if table in MONEY_TABLES else value
    picked, spread_values, values = [], [], []
    for position in range(len(tidy.rows)):
        for name, meaning in tidy.spread.items():
            cell = tidy.columns[name][position]
            if cell is None or (cell == 0 and table not in _KEEP_ZEROS):
                continue
            picked.append(position)
            spread_values.append(meaning)
            values.append(cell)
    tidy.columns = {
        n: [tidy.columns[n][i] for i in picked] for n in kept if n != wide
    } | {wide: spread_values, value: values}
    tidy.rows = [tidy.rows[i] for i in picked]
    first, *_, last = (*tidy.spread, *tidy.spread)
    tidy.problems.append(
        tidy.place.warning(
            "wide_layout",
            column=value,
            found=f"{first} .. {last}",
            fix=f"The {len(tidy.spread)} columns from '{first}' to '{last}' are read "
            f"as one column a {wide}, their cells as {value}.",
        )
    )
    tidy.wide, tidy.spread, tidy.was_wide = "", {}, wide
    if table == "history" and "measure" in tidy.columns:
        _split_measures(tidy)


def _split_measures(tidy: Tidy) -> None:
    """Let rows marked `capacity` and `load` share one row per period and role."""
    words = choice_words("history", "measure")
    measures = tidy.columns.pop("measure")
    values = tidy.columns.pop(f"load_{tidy.measure}")
    rows, merged = [], []
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = [n for n in ("period", "role", "kind") if n in tidy.columns]
    for i, (measure, cell) in enumerate(zip(measures, values, strict=True)):
        word = words.get(fold(str(measure or "load")))
        if word is None:
            tidy.problems.append(
                tidy.place.error(
                    "unknown_word",
                    row=tidy.rows[i],
                    column="measure",
                    found=measure,
                    fix="Use load or capacity"
                    f"{closest(measure, ('load', 'capacity'))}.",
                )
            )
            continue
        key = tuple(tidy.columns[n][i] for n in keys)
        record = seen.get(key)
        if record is None or f"{word}_{tidy.measure}" in record:
            record = {n: cells[i] for n, cells in tidy.columns.items()}
            seen[key] = record
            merged.append(record)
            rows.append(tidy.rows[i])
        record[f"{word}_{tidy.measure}"] = cell
    names = [*tidy.columns, *(f"{s}_{tidy.measure}" for s in ("capacity", "load"))]
    tidy.columns = {n: [record.get(n) for record in merged] for n in names}
    tidy.rows = rows


def check_units(tidy: Tidy, freq: str) -> None:
    """Refuse columns that count in other periods than the portfolio's."""
    for name, unit in tidy.units.items():
        if unit and unit != freq.partition("-")[0] and name in tidy.columns:
            tidy.problems.append(
                tidy.place.error(
                    "unit_mismatch",
                    column=name,
                    found=tidy.texts.get(name, name),
                    fix=f"'{name}' counts whole periods of the portfolio, and its "
                    f"frequency is {freq}. Convert the numbers and the heading.",
                )
            )


def to_fte(tidy: Tidy, freq: str, hours_per_week: float) -> None:
    """Turn hours, person-days, -weeks and -months into FTE, in place."""
    table = tidy.place.table
    if table not in FTE_TABLES:
        return
    one = hours_per_fte(freq, hours_per_week)
    hours = {
        "fte": one,
        "hours": 1.0,
        "person_days": hours_per_week / 5,
        "person_weeks": hours_per_week,
        "person_months": hours_per_week * WEEKS_PER_YEAR / 12,
    }
    sides = ("capacity_", "load_") if table == "history" else ("",)
    for side in sides:
        given = [u for u in hours if f"{side}{u}" in tidy.columns]
        if len(given) > 1:
            names = [f"{side}{u}" for u in given]
            tidy.problems.append(
                tidy.place.error(
                    "two_units",
                    column=f"{side}fte",
                    found=", ".join(tidy.texts.get(n, n) for n in names),
                    fix=f"Give {' or '.join(names)}, not both; remove one column.",
                )
            )
            for unit in given[1:]:
                del tidy.columns[f"{side}{unit}"]
        if not given:
            continue
        name, target = f"{side}{given[0]}", f"{side}fte"
        cells = tidy.columns.pop(name)
        if given[0] != "fte":
            cells = [_scaled(c, hours[given[0]] / one) for c in cells]
            tidy.problems.append(_converted(tidy, name, given[0], freq, hours))
        elif "unit" in tidy.columns:
            cells = _by_row(tidy, cells, hours, freq)
        tidy.columns[target] = cells
    # What a unit word says is done; otherwise the column stays a note of the user's.
    if "unit" in tidy.columns:
        del tidy.columns["unit"]


def _scaled(cell: Any, factor: float) -> Any:
    return cell * factor if cell.__class__ is float else cell


def _converted(
    tidy: Tidy, name: str, unit: str, freq: str, hours: dict[str, float]
) -> Problem:
    span = (
        " in each period, not in all from start to end"
        if tidy.place.table in ("operations", "bookings")
        else ""
    )
    count = hours["fte"] / hours[unit]
    return tidy.place.warning(
        "converted_to_fte",
        column=name,
        found=tidy.texts.get(name, name),
        fix=f"Converted to FTE: 1 FTE is {count:.10g} {unit.replace('_', ' ')} in a "
        f"period of {freq}; the numbers are taken as {unit.replace('_', ' ')}"
        f"{span or ' in the period'}.",
    )


def _by_row(
    tidy: Tidy, cells: list[Any], hours: dict[str, float], freq: str
) -> list[Any]:
    words = unit_words()
    out, used = [], {}
    for i, (cell, unit) in enumerate(zip(cells, tidy.columns["unit"], strict=True)):
        word = "fte" if unit is None else words.get(fold(str(unit)))
        if word is None:
            tidy.problems.append(
                tidy.place.error(
                    "unknown_unit",
                    row=tidy.rows[i],
                    column="unit",
                    found=unit,
                    fix=f"Use one of {', '.join(hours)}{closest(unit, hours)}.",
                )
            )
        elif word != "fte":
            used[word] = True
            cell = _scaled(cell, hours[word] / hours["fte"])
        out.append(cell)
    for word in used:
        tidy.problems.append(_converted(tidy, "unit", word, freq, hours))
    return out


def to_offsets(tidy: Tidy, starts: dict[Any, pd.Period | None], freq: str) -> None:
    """Turn a `period` of demand or money into periods after its project's start.

    Parameters
    ----------
    starts
        Project -> start, None where the table has none.
    """
    if "period" not in tidy.columns:
        return
    offsets = tidy.columns.get("offset")
    if offsets is not None and any(o is not None for o in offsets):
        return  # the period is a remark
    table = tidy.place.table
    cells = tidy.columns.pop("period")
    projects = [
        None if p is None else clean_text(p)
        for p in tidy.columns.get("project", [None] * len(cells))
    ]
    ordinals = _ordinals(tidy, cells, freq)
    first: dict[Any, int] = {}
    for project, ordinal in zip(projects, ordinals, strict=True):
        if ordinal is not None:
            first[project] = min(first.get(project, ordinal), ordinal)
    homeless: set[Any] = set()
    out: list[Any] = []
    for i, (project, ordinal) in enumerate(zip(projects, ordinals, strict=True)):
        if ordinal is None:
            out.append(None)
            continue
        start = starts.get(project)
        # Without a start rows still get different offsets: one finding is enough.
        origin = first[project] if start is None else start.ordinal
        if start is None and project in starts and project not in homeless:
            homeless.add(project)
            tidy.problems.append(
                tidy.place.error(
                    "project_without_start",
                    row=tidy.rows[i],
                    column="period",
                    found=project,
                    fix=f"The {table} of '{project}' is given by period, but the "
                    "project has no start. Give it one in 'projects', or write "
                    "offsets (0 = the first period) instead of periods.",
                )
            )
        if ordinal < origin:
            tidy.problems.append(
                tidy.place.error(
                    f"{table}_before_start",
                    row=tidy.rows[i],
                    column="period",
                    found=cells[i],
                    fix=f"'{project}' starts in {start}; its {table} cannot lie before "
                    "that. Correct the period or the start.",
                )
            )
            out.append(None)
            continue
        out.append(ordinal - origin)
    tidy.columns["offset"] = out


def _say_unused(tidy: Tidy, starts: list[Any], finishes: list[Any]) -> None:
    """Warn of finishes that nothing is counted to, as there is no start."""
    alone = [
        i
        for i, (start, finish) in enumerate(zip(starts, finishes, strict=True))
        if start is None and finish is not None
    ]
    if alone:
        tidy.problems.append(
            tidy.place.warning(
                "finish_without_start",
                row=tidy.rows[alone[0]],
                column="finish",
                found=f"{finishes[alone[0]]} ({len(alone)} rows)",
                fix="A finish without a start is not used. Give the start, or call the "
                "column 'deadline' if the projects have to end by then.",
            )
        )


def to_durations(tidy: Tidy, freq: str) -> None:
    """Work out missing durations of projects from `start` and `finish`, in place."""
    if "finish" not in tidy.columns:
        return
    finishes = tidy.columns.pop("finish")
    starts = tidy.columns.get("start", [None] * len(finishes))
    durations = list(tidy.columns.get("duration", [None] * len(finishes)))
    check_finishes(tidy, starts, finishes, durations, freq)
    wanted = [
        start is not None and finish is not None and duration is None
        for start, finish, duration in zip(starts, finishes, durations, strict=True)
    ]
    _say_unused(tidy, starts, finishes)
    if not any(wanted):
        return  # the finish is a remark
    first = _ordinals(tidy, starts, freq, wanted, "start")
    last = _ordinals(tidy, finishes, freq, wanted, "finish")
    counted = 0
    for i, (begin, end) in enumerate(zip(first, last, strict=True)):
        if begin is None or end is None:
            continue
        if end < begin:
            tidy.problems.append(
                tidy.place.error(
                    "finish_before_start",
                    row=tidy.rows[i],
                    column="finish",
                    found=finishes[i],
                    fix="The project finishes before it starts. Correct one of them.",
                )
            )
            continue
        durations[i] = float(end - begin + 1)
        counted += 1
    tidy.columns["duration"] = durations
    tidy.problems.append(
        tidy.place.warning(
            "duration_from_finish",
            column="finish",
            found=f"{counted} rows",
            fix="The duration was counted from start to finish, both included.",
        )
    )


def _ordinals(
    tidy: Tidy,
    cells: list[Any],
    freq: str,
    wanted: list[bool] | None = None,
    column: str = "period",
) -> list[int | None]:
    """Return the ordinal of each wanted cell and report what is no period."""
    # What is wrong as text: an error would keep all that was at work when it arose.
    read: dict[Any, int | str | None] = {None: None}
    out: list[int | None] = []
    for i, cell in enumerate(cells):
        if wanted is not None and not wanted[i]:
            out.append(None)
            continue
        if cell not in read:
            try:
                read[cell] = parse_period(cell, freq).ordinal
            except ValueError as error:
                read[cell] = str(error)
        value = read[cell]
        if value is None or isinstance(value, str):
            problem = tidy.place.error(
                "missing_value" if value is None else "not_a_period",
                row=tidy.rows[i],
                column=column,
                found="" if cell is None else cell,
                fix=f"Fill in '{column}'." if value is None else f"{value}.",
            )
            tidy.problems.append(problem)
            out.append(None)
        else:
            out.append(value)
    return out


def infer_freq(texts: list[Any]) -> str:
    """Return W, M, Q or Y as the form of period texts tells, "" if it does not."""
    forms = {
        "W": r"\d{4}-W\d{2}",
        "M": r"\d{4}-\d{2}",
        "Q": r"\d{4}-?Q[1-4]",
        "Y": r"\d{4}",
    }
    texts = sorted({str(t) for t in texts if t is not None})
    for freq, form in forms.items():
        if texts and all(re.fullmatch(form, t) for t in texts):
            return freq
    return _freq_of_days(texts)


def _freq_of_days(texts: list[str]) -> str:
    """Return M or W for dates that are first days of months, or a week apart."""
    days = pd.to_datetime(pd.Series(texts), format="%Y-%m-%d", errors="coerce")
    if days.isna().any() or len(days) < 2:
        return ""
    gaps = days.diff().dropna().dt.days
    if (days.dt.day == 1).all() and gaps.min() <= 31:
        return "M"
    shortest = float(gaps.min())
    if math.isclose(shortest, 7) and days.dt.day_of_week.nunique() == 1:
        return "W"
    return ""
