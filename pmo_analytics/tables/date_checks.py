"""Dates that contradict each other or leave a project no start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import problem
from pmo_analytics.tables.windows import live_projects, start_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]


def check_dates(tables: Tables, horizon: pd.PeriodIndex) -> list[Problem]:
    """Return projects whose dates contradict each other or leave no start."""
    projects = tables["projects"]
    named = projects[projects["project"].notna() & projects["duration"].notna()]
    windows = start_windows(named, horizon)
    problems: list[Problem] = []
    doubtful = _doubtful(named, windows, horizon)
    begun = _begun(projects, tables.get("progress"))
    named, windows = named[doubtful], windows[doubtful]
    for label, row, window in zip(
        named.index, _records(named, _READ), _records(windows), strict=True
    ):
        problems += [
            found
            for found in _check_project_dates(label, row, window, horizon)
            if found["rule"] != "running_in_the_future" or row["project"] not in begun
        ]
    no_duration = projects["duration"].isna() & live_projects(projects)
    for label, row in projects[no_duration].iterrows() if no_duration.any() else ():
        if row["status"] == "running" and pd.isna(row["start"]):
            problems.append(_running_without_start(label, row["project"]))
    for table, noun in (
        ("blackouts", "blackout"),
        ("bookings", "booking"),
        ("flex", "offer"),
        ("sprints", "sprint"),
    ):
        problems += _check_order(tables[table], table, noun)
    return problems


def _doubtful(
    named: pd.DataFrame, windows: pd.DataFrame, horizon: pd.PeriodIndex
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows `_check_project_dates` might have something to say of.

    Most rows are in order, and looking at each of a long table takes seconds.
    """
    start, earliest, latest, deadline = (
        _after(named[column], horizon)
        for column in ("start", "earliest", "latest", "deadline")
    )
    kept = windows["kept"].to_numpy(dtype=bool)
    duration = named["duration"].to_numpy(dtype=float)
    opening = np.where(kept, start, np.fmax(earliest, np.where(deadline >= 0, 0, -1e9)))
    outside = (start > deadline) | (~kept & ((start < earliest) | (start > latest)))
    elsewhere = kept & ~((start >= 0) & (start < len(horizon)))
    closed = windows["first"].to_numpy() > windows["last"].to_numpy()
    wrong = (earliest > latest) | (opening + duration - 1 > deadline)
    wrong |= outside | elsewhere | closed
    wrong |= windows["running"].to_numpy(dtype=bool)
    live = windows["state"].to_numpy() == "live"
    return np.asarray(live & wrong)


def _after(
    periods: pd.Series[Any], horizon: pd.PeriodIndex
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return periods as numbers, 0 = the first of the horizon, NaN where blank."""
    numbers = pd.PeriodIndex(periods).asi8 - np.int64(horizon[0].ordinal)
    return np.where(periods.isna(), np.nan, numbers)


def _begun(projects: pd.DataFrame, progress: pd.DataFrame | None) -> set[Any]:
    """Return projects with a report of after their start: they do run."""
    if progress is None or progress.empty:
        return set()
    starts = dict(zip(projects["project"], projects["start"], strict=True))
    return {
        name
        for name, day in zip(progress["project"], progress["as_of"], strict=True)
        if isinstance(day, pd.Timestamp)
        and isinstance(start := starts.get(name), pd.Period)
        and start.start_time <= day
    }


# What the checks of one project read of its row.
_READ = ["project", "duration", "force", "start", "earliest", "latest", "deadline"]


def _records(
    frame: pd.DataFrame, columns: Iterable[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a frame by column name."""
    names = list(frame.columns if columns is None else columns)
    for cells in zip(*(frame[name].tolist() for name in names), strict=True):
        yield dict(zip(names, cells, strict=True))


def _check_order(frame: pd.DataFrame, table: str, noun: str) -> list[Problem]:
    if frame.empty:
        return []
    backwards = frame["start"].notna() & (frame["end"] < frame["start"])
    wrong = frame.loc[backwards.to_numpy(dtype=bool), "end"]

    def text(end: Any) -> str:
        return format_period(end) if isinstance(end, pd.Period) else f"{end:%Y-%m-%d}"

    texts = {end: text(end) for end in wrong.unique()}
    fix = f"Let the {noun} end when it starts or later; both are included."
    return [
        problem(
            "error",
            table,
            "end_before_start",
            row=label,
            column="end",
            found=texts[end],
            fix=fix,
        )
        for label, end in zip(wrong.index, wrong.tolist(), strict=True)
    ]


def _running_without_start(label: object, name: object) -> Problem:
    return problem(
        "error",
        "projects",
        "running_without_start",
        row=label,
        column="start",
        fix=f"Project '{name}' is running: give the period in which it started.",
    )


def _check_project_dates(
    label: object,
    row: Mapping[Any, Any],
    window: Mapping[Any, Any],
    horizon: pd.PeriodIndex,
) -> list[Problem]:
    name, duration = row["project"], int(row["duration"])

    def at(column: str) -> float:
        value = row[column]
        return float("nan") if pd.isna(value) else value.ordinal - horizon[0].ordinal

    start, earliest, latest, deadline = (
        at(c) for c in ("start", "earliest", "latest", "deadline")
    )
    if window["running"]:
        return _check_running(label, name, duration, start, deadline, horizon)
    if earliest > latest:
        return [_no_window(label, row)]
    kept = window["kept"]
    # A window that has wholly passed is time gone by, not a contradiction.
    opening = start if kept else np.fmax(earliest, 0 if deadline >= 0 else -1e9)
    if opening + duration - 1 > deadline:
        return [_too_short(label, row, duration)]
    problems = []
    if start > deadline:
        problems.append(_start_outside(label, row, "deadline", "is after its deadline"))
    elif not kept and start < earliest:
        problems.append(_start_outside(label, row, "earliest", "is before its window"))
    elif not kept and start > latest:
        problems.append(_start_outside(label, row, "latest", "is after its window"))
    if kept and not 0 <= start < len(horizon):
        problems.append(_start_elsewhere(label, row, before=start < 0))
    elif window["first"] > window["last"]:
        problems.append(_no_start(label, name, row, window, duration, horizon))
    return problems


def _no_window(label: object, row: Mapping[Any, Any]) -> Problem:
    return problem(
        "error",
        "projects",
        "window_contradiction",
        row=label,
        column="latest",
        found=f"{format_period(row['earliest'])} .. {format_period(row['latest'])}",
        fix=f"The earliest start of '{row['project']}' is after its latest. Swap or "
        "correct them.",
    )


def _too_short(label: object, row: Mapping[Any, Any], duration: int) -> Problem:
    return problem(
        "error",
        "projects",
        "window_too_short",
        row=label,
        column="deadline",
        found=format_period(row["deadline"]),
        fix=f"'{row['project']}' lasts {duration} periods and cannot finish by its "
        "deadline even at its first allowed start. Move the deadline, the window or "
        "the duration.",
    )


def _start_outside(
    label: object, row: Mapping[Any, Any], column: str, where: str
) -> Problem:
    return problem(
        "warning",
        "projects",
        "start_contradicts_window",
        row=label,
        column="start",
        found=f"start {format_period(row['start'])}, {column} "
        f"{format_period(row[column])}",
        fix=f"The start of '{row['project']}' {where}, and the window and the deadline "
        "count. Correct one of them.",
    )


def _start_elsewhere(label: object, row: Mapping[Any, Any], *, before: bool) -> Problem:
    """Return the warning of an approved project that starts outside the horizon."""
    rule, fix = "outside_horizon", "starts after the horizon ends and uses nothing "
    fix += "inside it."
    if before:
        rule, fix = "approved_in_the_past", "is approved and starts before the horizon."
        fix += " If it is under way, set its status to running."
    return problem(
        "warning",
        "projects",
        rule,
        row=label,
        column="start",
        found=format_period(row["start"]),
        fix=f"'{row['project']}' {fix}",
    )


def _no_start(
    label: object,
    name: object,
    row: Mapping[Any, Any],
    window: Mapping[Any, Any],
    duration: int,
    horizon: pd.PeriodIndex,
) -> Problem:
    span = f"{format_period(horizon[0])} .. {format_period(horizon[-1])}"
    dates = ", ".join(
        f"{column} {format_period(row[column])}"
        for column in ("earliest", "latest", "deadline")
        if not pd.isna(row[column])
    )
    why = f"lasts {duration} periods and has no start inside the horizon {span}"
    if window["must"]:
        word = "forced in" if row["force"] == "in" else "approved"
        return problem(
            "error",
            "projects",
            "impossible_force",
            row=label,
            column="force" if row["force"] == "in" else "status",
            found=dates or f"duration {duration}",
            fix=f"'{name}' is {word} but {why}. Widen its window, shorten it, or "
            "lengthen the horizon.",
        )
    return problem(
        "warning",
        "projects",
        "outside_horizon",
        row=label,
        column="duration",
        found=dates or f"duration {duration}",
        fix=f"'{name}' {why}; it can never be chosen.",
    )


def _check_running(
    label: object,
    name: object,
    duration: int,
    start: float,
    deadline: float,
    horizon: pd.PeriodIndex,
) -> list[Problem]:
    if np.isnan(start):
        return [_running_without_start(label, name)]
    problems = []
    if start + duration <= 0:
        problems.append(
            problem(
                "warning",
                "projects",
                "running_has_ended",
                row=label,
                column="duration",
                found=f"duration {duration}",
                fix=f"'{name}' is running but ends before the horizon. Set it to done "
                "or give the duration now expected.",
            )
        )
    if start > 0:
        problems.append(
            problem(
                "warning",
                "projects",
                "running_in_the_future",
                row=label,
                column="start",
                found=format_period(horizon[0] + int(start)),
                fix=f"'{name}' is running but starts after the horizon begins. Is it "
                "approved?",
            )
        )
    if start + duration - 1 > deadline:
        problems.append(
            problem(
                "warning",
                "projects",
                "deadline_missed",
                row=label,
                column="deadline",
                found=format_period(horizon[0] + int(deadline)),
                fix=f"'{name}' is running and will finish after its deadline; the "
                "deadline is not applied to it.",
            )
        )
    return problems
