"""When a project may start: status, force, window, deadline, horizon, blackouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import offsets_from

CANDIDATES = ("idea", "proposed", "paused")


def live_projects(projects: pd.DataFrame) -> pd.Series[Any]:
    """Return which rows of `projects` can use people or money, a boolean Series."""
    status = projects["status"].to_numpy(dtype=object)
    force = projects["force"].to_numpy(dtype=object)
    out = (force == "out") | ((status == "cancelled") & (force != "in"))
    return pd.Series(~out & (status != "done"), index=projects.index)


def live_names(projects: pd.DataFrame) -> set[str]:
    """Return the names of the projects that can use people or money."""
    live = live_projects(projects).tolist()
    names = zip(projects["project"].tolist(), live, strict=True)
    return {name for name, lives in names if lives and isinstance(name, str)}


def by_project(projects: pd.DataFrame, column: str) -> dict[str, Any]:
    """Return the filled cells of a column of `projects` by project."""
    filled = projects[column].notna().tolist()
    found: dict[str, Any] = {}
    for name, cell, full in zip(
        projects["project"].tolist(), projects[column].tolist(), filled, strict=True
    ):
        if full and isinstance(name, str):
            found.setdefault(name, cell)
    return found


def start_windows(projects: pd.DataFrame, horizon: pd.PeriodIndex) -> pd.DataFrame:
    """Return what each project's own row says about its start.

    Parameters
    ----------
    projects
        Conformed `projects` table.
    horizon
        The portfolio's periods, T of them.

    Returns
    -------
    DataFrame
        Index `project`. `state`: `live` (may or must use people), `done` (counts
        as selected, uses nothing) or `out` (not selected). `must`: has to be
        selected. `running`. `kept`: the start is the table's own and not a choice.
        `first`, `last`: smallest and largest start allowed by the row itself, in
        periods after the first of the horizon (negative = before it); empty when
        `first > last`. `duration`: periods (0 where the table has none).
        Blackouts are not in it; see `allowed_starts`.
    """
    periods = len(horizon)
    status = projects["status"].to_numpy(dtype=object)
    force = projects["force"].to_numpy(dtype=object)
    out = (force == "out") | ((status == "cancelled") & (force != "in"))
    done = (status == "done") & ~out
    live = ~out & ~done
    running = live & (status == "running")
    approved = live & (status == "approved")
    must = running | approved | (live & (force == "in"))

    duration = projects["duration"].fillna(0).to_numpy(dtype=np.int64)
    start = offsets_from(projects["start"], horizon)
    earliest = offsets_from(projects["earliest"], horizon)
    latest = offsets_from(projects["latest"], horizon)
    deadline = offsets_from(projects["deadline"], horizon)

    no_window = np.isnan(earliest) & np.isnan(latest)
    kept = running | (approved & no_window & ~np.isnan(start))
    by_deadline = np.where(np.isnan(deadline), np.inf, deadline - duration + 1)
    fits = np.where(approved, periods - 1, periods - duration)
    first = np.fmax(np.where(np.isnan(earliest), 0, earliest), 0)
    last = np.fmin(
        np.fmin(np.where(np.isnan(latest), np.inf, latest), fits), by_deadline
    )
    # A running project without a start is reported by the checks; here it has
    # no allowed start.
    own = np.where(np.isnan(start), 0, start)
    first = np.where(kept, own, first)
    last = np.where(kept, np.where(running, own, np.fmin(own, by_deadline)), last)
    last = np.where(running & np.isnan(start), first - 1, last)
    return pd.DataFrame(
        {
            "state": np.select([live, done], ["live", "done"], "out"),
            "must": must,
            "running": running,
            "kept": kept,
            "first": first.astype(np.int64),
            "last": last.astype(np.int64),
            "duration": duration,
        },
        index=pd.Index(projects["project"], name="project"),
    )


def blackout_spans(
    blackouts: pd.DataFrame, horizon: pd.PeriodIndex
) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last offset of each blackout row; blanks = the horizon's."""
    start = offsets_from(blackouts["start"], horizon)
    end = offsets_from(blackouts["end"], horizon)
    return (
        np.where(np.isnan(start), 0, start).astype(np.int64),
        np.where(np.isnan(end), len(horizon) - 1, end).astype(np.int64),
    )


def allowed_starts(
    projects: pd.DataFrame,
    blackouts: pd.DataFrame,
    horizon: pd.PeriodIndex,
    windows: pd.DataFrame | None = None,
) -> dict[str, np.ndarray]:
    """Return every start that a live project's own rules allow.

    Parameters
    ----------
    projects, blackouts
        Conformed tables.
    horizon
        The portfolio's periods.
    windows
        Of `start_windows`, where they are known.

    Returns
    -------
    dict
        Project -> increasing integer offsets from the first period of the
        horizon, possibly none. Projects that are done or out are not in it.
    """
    if windows is None:
        windows = start_windows(projects, horizon)
    live = (windows["state"] == "live").to_numpy()
    names = projects["project"].to_numpy(dtype=object)[live].tolist()
    first, last, duration = (
        windows[column].to_numpy(dtype=np.int64)[live]
        for column in ("first", "last", "duration")
    )
    # All starts of all projects in one row, those of a project side by side.
    count = np.maximum(last - first + 1, 0)
    ends = np.cumsum(count)
    owner = np.repeat(np.arange(len(names)), count)
    starts = np.arange(len(owner)) - np.repeat(ends - count - first, count)
    free = np.ones(len(owner), dtype=bool)
    moving = np.repeat(~windows["running"].to_numpy(dtype=bool)[live], count)
    themes = projects["theme"].to_numpy(dtype=object)[live]
    place = {name: i for i, name in enumerate(names)}
    spans = zip(*blackout_spans(blackouts, horizon), strict=True)
    for (begin, end), project, theme, applies_to in zip(
        spans,
        blackouts["project"],
        blackouts["theme"],
        blackouts["applies_to"],
        strict=True,
    ):
        part = slice(None)
        if not pd.isna(project):
            # It says more than a theme beside it.
            i = place.get(project)
            if i is None:
                continue
            part = slice(ends[i] - count[i], ends[i])
        mine = moving[part]
        if pd.isna(project) and not pd.isna(theme):
            mine = mine & (themes == theme)[owner]
        own = starts[part]
        blocked = _blocked(own, duration[owner[part]], begin, end, applies_to)
        free[part] &= ~(mine & blocked)
    return _by_project(names, ends, starts, free)


def _by_project(
    names: list[str], ends: np.ndarray, starts: np.ndarray, free: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the free starts of each project, which lie up to its end."""
    kept = np.concatenate([[0], np.cumsum(free)])[np.concatenate([[0], ends])]
    left = starts[free]
    return {
        str(name): left[begin:end]
        for name, begin, end in zip(names, kept[:-1], kept[1:], strict=True)
    }


def _blocked(
    starts: np.ndarray, duration: np.ndarray, first: int, last: int, applies_to: str
) -> np.ndarray:
    """Return which starts a blackout from `first` to `last` forbids."""
    finish = starts + duration - 1
    if applies_to == "start":
        return np.asarray((starts >= first) & (starts <= last))
    if applies_to == "finish":
        return np.asarray((finish >= first) & (finish <= last))
    return np.asarray((starts <= last) & (finish >= first))
