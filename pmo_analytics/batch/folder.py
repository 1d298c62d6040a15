"""The folder of the runs: its lock, the last good one, those that are too old."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from pmo_analytics.errors import ConfigError, SolverError
from pmo_analytics.files import read_json
from pmo_analytics.reporting import MANIFEST, finish_result

_LOG = logging.getLogger(__name__)


def keep_good(folder: Path) -> None:
    """Raise where a run that was stopped would take the place of a good one."""
    try:
        facts = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (ValueError, OSError):
        good = False
    else:
        good = not facts.get("stopped", False)
    if good:
        raise SolverError(
            [],
            f"The run was stopped before its end. {folder} holds a whole run of the "
            "same date and stays as it is.",
            status="no_solution",
        )
    _LOG.warning("stopped before its end: this run is marked so, and is not the latest")


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold the lock of the folder; the system lets it go when the process ends."""
    with ExitStack() as held:
        file = held.enter_context((out / ".lock").open("a+b"))
        try:
            if os.name == "posix":
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                getattr(msvcrt, "locking")(file.fileno(), 2, 1)  # noqa: B009
        except OSError as error:
            raise ConfigError(
                f"Another batch is at work in {out}. Wait for it, or name another "
                "folder."
            ) from error
        yield


def point_to(out: Path, folder: Path) -> None:
    """Say which run was the last good one."""
    draft = out / ".latest.json"
    draft.write_text(json.dumps({"run": folder.name}) + "\n", encoding="utf-8")
    os.replace(draft, out / "latest.json")


def clear(out: Path, keep: int, newest: Path) -> None:
    """Remove the oldest runs beyond `keep`, and only what a batch wrote."""
    if not keep:
        return
    runs = [f for f in out.iterdir() if f != newest and _is_run(f)]
    for folder in sorted(runs)[: max(len(runs) - keep + 1, 0)]:
        finish_result(folder)
        own = {*_written(folder), MANIFEST}
        there = {
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }
        if there <= own:
            shutil.rmtree(folder)


def _is_run(folder: Path) -> bool:
    """Return whether a folder, and not a link to one, is a run of a batch."""
    try:
        date.fromisoformat(folder.name)
        facts = read_json(folder / MANIFEST)
    except (ValueError, ConfigError):
        return False
    whole = folder.is_dir() and not folder.is_symlink()
    return whole and bool(facts.get("command") == "batch")


def _written(folder: Path) -> set[str]:
    """Return the names of the files that the manifest of a run lists."""
    files = read_json(folder / MANIFEST).get("files")
    return set(files) if isinstance(files, dict) else set()
