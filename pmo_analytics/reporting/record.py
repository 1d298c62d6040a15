"""The plan of record in a folder: the one in force, and those before it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import parse_day
from pmo_analytics.errors import ConfigError
from pmo_analytics.files import draft_folder, read_json
from pmo_analytics.loaders import read_schedule
from pmo_analytics.plan import Plan
from pmo_analytics.reporting.folder import finish_result, is_unfinished, write_result

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = ("schedule.csv", "manifest.json")


def save_record(
    plan: Plan | pd.DataFrame,
    folder: str | Path,
    *,
    as_of: str,
    who: str = "",
    why: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Make a plan the plan of record; the one before it is kept under `history`.

    Parameters
    ----------
    plan
        A plan, or its schedule: `project, start` and, if wanted, `finish`.
    folder
        Made where it is missing. `schedule.csv` and `manifest.json` are the plan in
        force; `history/DATE-HASH/` holds the same of each earlier one.
    as_of
        Day from which it is in force, `2027-03-31`.
    who, why
        For whoever asks later.
    facts
        What else the manifest shall say, such as where the plan came from.

    Returns
    -------
    Path
        The schedule in force.

    Raises
    ------
    ConfigError
        If the day cannot be read, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import pmo_analytics as pmo
    >>> plan = pmo.baseline(pmo.example_portfolio())
    >>> folder = tempfile.mkdtemp()
    >>> path = pmo.save_record(plan, folder, as_of="2027-03-31", who="board")
    >>> pmo.read_record(folder)["project"].tolist() == list(plan.starts)
    True
    """
    try:
        day = parse_day(as_of)
    except ValueError as error:
        raise ConfigError(f"The day {as_of!r} cannot be used: {error}.") from error
    folder = Path(folder)
    schedule = plan.schedule if isinstance(plan, Plan) else plan
    own: dict[str, Any] = {"as_of": f"{day:%Y-%m-%d}", "who": who, "why": why}
    if isinstance(plan, Plan):
        own["portfolio"] = plan.portfolio.name
        own["portfolio_digest"] = plan.portfolio.digest()
        if plan.report is not None:
            own["objective"] = plan.report.objective
            own["gap"] = plan.report.gap
    _keep(folder)
    files = write_result(
        folder,
        tables={"schedule.csv": schedule},
        facts={**(facts or {}), **own},
    )
    return files[0]


def _keep(folder: Path) -> None:
    """Copy the record in force into the history, whole or not at all."""
    if not folder.is_dir():
        return
    finish_result(folder)
    history = folder / "history"
    for path in (history, *(folder / name for name in _FILES)):
        if path.is_symlink():
            raise ConfigError(
                f"{path} is a link. A plan of record is kept in a folder of its own, "
                "without links: name another folder, or remove the link."
            )
    if not all((folder / name).is_file() for name in _FILES):
        return
    day = _day(_manifest(folder).get("as_of"))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()[:8]
    place = history / f"{day}-{digest}"
    if place.exists():
        return
    try:
        history.mkdir(exist_ok=True)
        with draft_folder(history, ".draft-") as work:
            draft = work / "record"
            draft.mkdir()
            for name in _FILES:
                shutil.copy2(folder / name, draft / name)
            os.rename(draft, place)
    except OSError as error:
        raise ConfigError(f"Cannot write to {folder}: {error.strerror}.") from error


def _day(text: object) -> str:
    """Return the day of a manifest: anybody may have written it, so nothing else."""
    try:
        return f"{parse_day(str(text)):%Y-%m-%d}"
    except ValueError:
        return "undated"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / "manifest.json")
    except ConfigError as error:
        raise ConfigError(
            f"The manifest of the plan of record cannot be read. {error}"
        ) from error


def read_record(folder: str | Path) -> pd.DataFrame:
    """Return the schedule of the plan of record, as `save_record` wrote it.

    Parameters
    ----------
    folder
        Of the record, or of one in its history.

    Returns
    -------
    DataFrame
        `project, start` and, if written, `finish`, as text; `attrs` hold what the
        manifest says (`as_of`, `who`, `why`, ...).

    Raises
    ------
    ConfigError
        If there is none, or its schedule is not the one that was promoted.
    DataError
        If the schedule cannot be read.
    """
    folder = Path(folder)
    schedule = folder / "schedule.csv"
    if not schedule.is_file():
        raise ConfigError(
            f"There is no plan of record in {folder}. Promote one: pmo promote "
            "DIR/schedule.csv --to FOLDER --as-of DATE."
        )
    facts = _manifest(folder)
    files = facts.get("files")
    wanted = files.get("schedule.csv") if isinstance(files, dict) else None
    found = hashlib.sha256(schedule.read_bytes()).hexdigest()
    if wanted != found and is_unfinished(folder):
        raise ConfigError(
            f"The plan of record in {folder} was being replaced by a run that was "
            "killed. Promote the new one again."
        )
    if wanted != found:
        raise ConfigError(
            f"{schedule} was changed after it was promoted. Promote the changed one, "
            "or take the original back from the history."
        )
    rows = read_schedule(schedule)
    rows.attrs.update({k: v for k, v in facts.items() if k != "files"})
    return rows
