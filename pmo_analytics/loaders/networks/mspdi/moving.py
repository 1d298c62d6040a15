"""The starts of a plan go into copies of the planning files that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders.networks.mspdi.reading import read_mspdi
from pmo_analytics.loaders.networks.mspdi.rewriting import write_dates
from pmo_analytics.loaders.networks.portfolio import files_of, networks_of
from pmo_analytics.loaders.networks.reading import planning_files, reader_of
from pmo_analytics.networks import Network, projects_of

_WEEK = pd.Timedelta(days=7)
_FIXED = ("must_start_on", "must_finish_on", "start_on", "finish_on")


def write_starts(
    starts: Mapping[str, pd.Period], path: str | Path, folder: str | Path
) -> pd.DataFrame:
    """Write Microsoft Project files again, their projects moved to other starts.

    All tasks of a project move by the same number of weeks, so that days of the week
    stay; the first then starts in the period that is asked for, about as late in it as
    in that of the file. All else of a file stays as it is; see `write_dates`.

    Parameters
    ----------
    starts
        Project -> period in which it starts, as in a plan of `read_portfolio(path)`.
    path
        The planning file, or the folder of them.
    folder
        Where the copies go, under the names of the files; what is there is replaced.

    Returns
    -------
    pandas.DataFrame
        A row for each project: `project, file` (the copy; "" = none was written),
        `weeks` (by which it moved), `note` (why nothing was written, or what Microsoft
        Project will move back).

    Raises
    ------
    ConfigError
        If the folder is that of the files themselves, or nothing can be written.
    """
    path, folder = Path(path), Path(folder)
    left, _ = files_of(path)
    files = left or (planning_files(path) if path.is_dir() else [path])
    if any(file.resolve().parent == folder.resolve() for file in files):
        raise ConfigError(f"{folder} holds the planning files: name another folder.")
    rows: list[dict[str, Any]] = []
    moves: dict[Path, dict[str, Network]] = {}
    for project, network in projects_of(networks_of(path, left)).items():
        own = [file for file in files if file.name == network.source]
        start = starts.get(project)
        weeks, note = (0, "not in the plan")
        if start is not None:
            weeks, note = _weeks(network, start)
        if weeks and (reason := _unwritable(own)):
            note = reason
        elif weeks:
            moves.setdefault(own[0], {})[project] = network
        rows.append({"project": project, "file": "", "weeks": weeks, "note": note})
    told = pd.DataFrame(rows, columns=["project", "file", "weeks", "note"])
    told = told.set_index("project")
    for file, parts in moves.items():
        told.loc[list(parts), "file"] = str(
            _rewritten(file, parts, told["weeks"].to_dict(), folder)
        )
    return told.reset_index()


def _weeks(network: Network, start: pd.Period) -> tuple[int, str]:
    """Return by how many weeks a project moves, and what there is to say."""
    tasks = network.tasks
    leaves = tasks[tasks["kind"].isin(["task", "milestone"]) & tasks["active"]]
    first = leaves["start"].min()
    if pd.isna(first):
        return 0, "no task has a date"
    held = pd.Period(first, freq=start.freq)
    if held == start:
        return 0, "starts in this period already"
    if leaves["actual_start"].notna().any():
        return 0, "has begun, so it stays where it is"
    weeks = round((start.start_time - held.start_time) / _WEEK)
    while pd.Period(first + weeks * _WEEK, freq=start.freq) < start:
        weeks += 1
    while pd.Period(first + weeks * _WEEK, freq=start.freq) > start:
        weeks -= 1
    fixed = leaves["constraint"].isin(_FIXED).sum()
    note = f"{fixed} tasks must be on a day: Microsoft Project moves them back"
    return weeks, note if fixed else ""


def _unwritable(own: list[Path]) -> str:
    """Return why no copy of a file can be made; "" = it can."""
    if len(own) != 1:
        return "several files have its name" if own else "its file is not known"
    reader = reader_of(own[0])
    if reader is None or not reader.home.startswith("mspdi"):
        return "dates are only written into Microsoft Project XML (.xml)"
    return ""


def _rewritten(
    file: Path, parts: Mapping[str, Network], weeks: Mapping[str, int], folder: Path
) -> Path:
    (network,) = read_mspdi(file)
    tasks = network.tasks.copy()
    for project, part in parts.items():
        own = tasks.index.isin(part.tasks.index)
        tasks.loc[own, ["start", "finish"]] += weeks[project] * _WEEK
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"Cannot write to {folder}: {error.strerror}.") from error
    return write_dates(network.replace(tasks=tasks), file, folder / file.name)
