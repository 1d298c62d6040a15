"""A file or folder of planning files as a portfolio."""

from __future__ import annotations

from pathlib import Path

from pmo_analytics.errors import joined_problems, problems_table
from pmo_analytics.loaders.aliases import fold, table_names
from pmo_analytics.loaders.findings import Problem
from pmo_analytics.loaders.horizon import find_horizon
from pmo_analytics.loaders.networks.reading import (
    planning_files,
    read_files,
    read_networks,
    reader_of,
)
from pmo_analytics.loaders.reading.folder import CSV_SUFFIXES, TOML, read_toml_file
from pmo_analytics.loaders.reading.table_names import left_out
from pmo_analytics.networks import Network, RolledUp, roll_up_balanced


def holds_networks(path: Path) -> bool:
    """Return whether a path is a planning file, or a folder of such and no tables."""
    if path.is_file():
        return reader_of(path) is not None
    if not path.is_dir():
        return False
    names = table_names()
    tables = any(
        file.suffix.lower() in CSV_SUFFIXES and names.get(fold(file.stem))
        for file in path.iterdir()
    )
    return not tables and bool(planning_files(path))


def files_of(path: Path) -> tuple[list[Path] | None, list[Problem]]:
    """Return the files that the toml of a folder leaves; None = it leaves out none."""
    if not path.is_dir():
        return None, []
    declared, problems = read_toml_file(path)
    if not declared.ignored:
        return None, problems
    files = planning_files(path)
    names = [file.name for file in files]
    ignored, told = left_out(declared.place, declared.ignored, names)
    return [file for file in files if file.name not in ignored], problems + told


def networks_of(path: Path, files: list[Path] | None) -> list[Network]:
    """Return the networks of a path, or of some files of it."""
    if files is None:
        return read_networks(path, bad_files="drop")
    return read_files([(file, path) for file in files], [], "drop")


def read_rolled(path: str | Path) -> RolledUp | None:
    """Return the portfolio of planning files with its balance.

    `portfolio.toml` of the folder declares name, horizon and settings, where it is
    there. What it leaves out is made of the files.

    Returns
    -------
    RolledUp or None
        None where the path holds tables, or nothing that is read.

    Raises
    ------
    DataError
        If a file cannot be used, or no task has a date.
    """
    path = Path(path)
    if path.name.casefold() == TOML:
        path = path.parent
    if not holds_networks(path):
        return None
    name, horizon, settings, freq = path.resolve().stem, None, None, "M"
    files, problems = files_of(path)
    if path.is_dir():
        declared, _ = read_toml_file(path)
        name = str(declared.values.get("name", path.resolve().name))
        freq = str(declared.values.get("horizon.freq") or "M")
        if declared.values.get("horizon.start") is not None:
            horizon = find_horizon(declared, {}, problems)
        if any(key.startswith(("value.", "calendar.")) for key in declared.values):
            settings = declared.settings
    networks = networks_of(path, files)
    rolled = roll_up_balanced(
        networks, name=name, freq=freq, horizon=horizon, settings=settings
    )
    found = joined_problems([problems_table(problems), rolled.portfolio.problems])
    # A finished portfolio is frozen for users; this one is not handed out yet.
    object.__setattr__(rolled.portfolio, "problems", found)
    return rolled
