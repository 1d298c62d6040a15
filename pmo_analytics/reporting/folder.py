"""A result as a folder of CSV tables, charts, a certificate and a manifest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import with_period_texts
from pmo_analytics.errors import ConfigError
from pmo_analytics.files import (
    can_be_replaced,
    clear_drafts,
    draft_folder,
    read_json,
    replace_folder,
)
from pmo_analytics.loaders import escape_frame
from pmo_analytics.processes import stop_asked
from pmo_analytics.reporting.figures import png_of
from pmo_analytics.tables import TABLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio


def grid_rows(**grids: pd.DataFrame) -> pd.DataFrame:
    """Return grids side by side as rows: `period, role` and one column per grid.

    Parameters
    ----------
    **grids
        Column name -> period x role grid, all with the same labels.
    """
    columns = {
        name: grid.rename_axis(index="period", columns="role").T.stack()
        for name, grid in grids.items()
    }
    rows = pd.DataFrame(columns).reset_index()
    return rows[["period", "role", *grids]]


def capacity_rows(plan: Plan) -> pd.DataFrame:
    """Return `period, role, capacity, load, headroom, utilization`, FTE and ratio."""
    return grid_rows(
        capacity=plan.capacity.fillna(0.0),
        load=plan.load,
        headroom=plan.headroom,
        utilization=plan.utilization.astype("float64"),
    )


def plan_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the tables of a plan by file name."""
    return {
        "schedule.csv": plan.schedule,
        **({"purchases.csv": plan.purchases} if plan.buys else {}),
        "decisions.csv": plan.projects,
        "load.csv": capacity_rows(plan),
        "budget.csv": plan.budget,
        "inherited.csv": plan.inherited,
        "violations.csv": plan.violations,
    }


# More warnings than this are counted, not listed.
_LISTED = 1000


def data_facts(problems: pd.DataFrame) -> dict[str, Any]:
    """Return what a problems table says, for JSON.

    `warnings` (how many) and `problems` (the first 1,000 rows).
    """
    rows = json.loads(problems.head(_LISTED).to_json(orient="records"))
    errors = int((problems["severity"] == "error").sum())
    return {"warnings": len(problems) - errors, "problems": rows}


def manifest(
    portfolio: Portfolio, *, command: str, report: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what a result was made from and how.

    Parameters
    ----------
    command
        Name of the verb.
    report
        Evidence of the search, if there was one.

    Returns
    -------
    dict
        Among other facts `stopped`: whether Ctrl-C ended the search before its
        limits; `warnings` and `problems` of the data.
    """
    facts: dict[str, Any] = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "portfolio": portfolio.name,
        "portfolio_digest": portfolio.digest(),
        "stopped": stop_asked(),
        **data_facts(portfolio.problems),
    }
    if portfolio.settings.weigh_by_probability:
        facts["weigh_by_probability"] = True
    if report is not None:
        facts["report"] = dict(report)
    return facts


MANIFEST = "manifest.json"
# A whole result whose files are on their way to their places.
_READY = ".ready"
_DRAFT = ".draft-"
# What no result has, and the folder of a portfolio does.
_OF_DATA = ("portfolio.toml", "projects.csv", "projects.tsv")
# What a loader would take for data.
_TABLES = {f"{table}.csv" for table in (*TABLES, "capacity")}


def write_result(
    out: Path,
    *,
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
    documents: Mapping[str, Any] | None = None,
    figures: Mapping[str, Figure] | None = None,
    others: Mapping[str, Callable[[Path], None]] | None = None,
    last: Callable[[], None] | None = None,
) -> list[Path]:
    """Write a result into a folder; what was there stays until all is written.

    Where the system can, the folder is replaced in one step: whoever reads it sees the
    former result or the new one. Elsewhere, and where somebody works in the folder, the
    files take their places one by one, the manifest last.

    Parameters
    ----------
    out
        Folder, made where it is missing. Files of the same names are replaced.
    tables
        File name, `folder/name` for one in a folder -> table, as CSV in UTF-8; text
        that a spreadsheet would take for a formula is escaped.
    facts
        Content of `manifest.json`; the SHA-256 of every other file is added.
    documents
        File name -> JSON content.
    figures
        File name without its ending -> chart, as PNG.
    others
        File name -> what writes it to the path it is given.
    last
        Called when everything is written and before anything takes its place: if it
        fails the folder stays as it was.

    Returns
    -------
    list of Path
        The files, the manifest last.

    Raises
    ------
    ConfigError
        If the folder cannot be written, or holds the data of a portfolio and the
        result has a table of the same name, or something in it is in the way of a file.
    """
    real = Path(os.path.realpath(out))
    if _TABLES & set(tables):
        _refuse_data(real, out)
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        if real.is_dir():
            finish_result(real)
        whole = can_be_replaced(real) and not (real.exists() and not real.is_dir())
        if not whole:
            real.mkdir(exist_ok=True)
            clear_drafts(real.parent, _DRAFT)
        with draft_folder(real.parent if whole else real, _DRAFT) as work:
            draft = work / "result"
            draft.mkdir()
            names = _fill(draft, tables, facts, documents, figures, others)
            _refuse_taken(real, out, names)
            if last is not None:
                last()
            if not (whole and replace_folder(draft, real)):
                real.mkdir(exist_ok=True)
                os.rename(draft, real / _READY)
                finish_result(real)
    except OSError as error:
        raise ConfigError(f"Cannot write to {out}: {error.strerror}.") from error
    return [out / name for name in names]


def _refuse_taken(folder: Path, out: Path, names: Iterable[str]) -> None:
    """Refuse before anything moves: half of the files would be new, half old.

    Raises
    ------
    ConfigError
        If a folder has the name of a file of the result or the other way round, or
        another program holds a file.
    """
    for name in names:
        place = folder / name
        above = [p for p in place.parents if folder in p.parents]
        if place.is_dir() or any(p.exists() and not p.is_dir() for p in above):
            what = "a folder" if place.is_dir() else "a file"
            where = name if place.is_dir() else name.split("/")[0]
            raise ConfigError(
                f"Cannot write to {out}: {where} is {what} there, in the way of the "
                "result. Move it, or name another folder."
            )
        if place.exists() and _is_held(place):
            raise ConfigError(
                f"Cannot write to {out}: {name} is open in another program. Close it "
                "there and run this again; what is in the folder stays as it was."
            )


def _is_held(path: Path) -> bool:
    """Return whether a file cannot be replaced, as Windows does with open ones."""
    if os.name != "nt":
        return False
    try:
        with path.open("r+b"):
            return False
    except PermissionError:
        return True


def _refuse_data(folder: Path, out: Path, data: Path | None = None) -> None:
    """Refuse to write a result among tables: its `budget.csv` would take their place.

    Parameters
    ----------
    folder, out
        Where the result goes, and how the user named that.
    data
        What the result is made from, where that is known.

    Raises
    ------
    ConfigError
        If the folder holds the tables of a portfolio.
    """
    own = data is not None and data.is_dir() and folder == Path(os.path.realpath(data))
    if own or any((folder / name).is_file() for name in _OF_DATA):
        raise ConfigError(
            f"Cannot write to {out}: the folder holds the data of a portfolio, and "
            "files of the result would replace some of it. Name another folder."
        )


def try_folder(out: Path, data: Path | None = None, *, tables: bool = True) -> None:
    """Find out whether a result can be written, before anybody works for it.

    What is made for that is removed again.

    Parameters
    ----------
    out
        Where the result goes.
    data
        What it is made from, where that is known.
    tables
        Whether the result may have tables that are called like those of a portfolio.

    Raises
    ------
    ConfigError
        If the folder cannot be made or written, or holds the data of a portfolio.
    """
    if tables:
        _refuse_data(Path(os.path.realpath(out)), out, data)
    missing = [path for path in (out, *out.parents) if not path.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=".draft-", dir=out)).rmdir()
    except OSError as error:
        raise ConfigError(f"Cannot write to {out}: {error.strerror}.") from error
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def _fill(
    draft: Path,
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
    documents: Mapping[str, Any] | None,
    figures: Mapping[str, Figure] | None,
    others: Mapping[str, Callable[[Path], None]] | None,
) -> list[str]:
    """Write all files of a result into a folder and return their names."""
    names = []
    charts = {f"{name}.png": figure for name, figure in (figures or {}).items()}
    for name in (*tables, *(documents or {}), *charts, *(others or {})):
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        escape_frame(with_period_texts(table)).to_csv(draft / name, index=False)
        names.append(name)
    for name, content in (documents or {}).items():
        _write_json(draft / name, content)
        names.append(name)
    for name, figure in charts.items():
        (draft / name).write_bytes(png_of(figure))
        names.append(name)
    for name, write in (others or {}).items():
        try:
            write(draft / name)
        except ConfigError as error:
            # It names the draft, which nobody knows; who calls names the folder.
            raise _of_system(error) or error from None
        names.append(name)
    hashes = {name: _hash(draft / name) for name in names}
    _write_json(draft / MANIFEST, {**facts, "files": hashes})
    return [*names, MANIFEST]


def _of_system(error: BaseException | None) -> OSError | None:
    """Return what the system refused, where that is why something failed."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error
        error = error.__cause__
    return None


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What a folder's name may have at most, in bytes of UTF-8: a script of three bytes a
# letter, and a number after it, stay below what file systems carry.
_LONGEST = 150
# Endings of the files that a result has beside its folders.
_FILES = re.compile(r"\.(csv|json|png|html|xlsx|pptx|toml)$", re.IGNORECASE)


def folder_names(labels: Iterable[str]) -> dict[str, str]:
    """Return label -> name of a folder for it: the label itself where that is safe.

    Characters that a file system refuses or nobody sees become `_`, what is too long
    is cut, what is called like a file of a result is not; labels that would fall
    together, also where upper and lower case are one, get a number.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label in labels:
        safe = re.sub(r'[<>:"/\\|?*]', "_", unicodedata.normalize("NFC", label))
        safe = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in safe)
        safe = safe.encode()[:_LONGEST].decode(errors="ignore").strip(" .") or "_"
        safe = _FILES.sub(r"_\1", safe)
        if safe.split(".")[0].rstrip().upper() in _RESERVED or safe.startswith("."):
            safe = f"_{safe}"
        name, number = safe, 2
        while name.casefold() in taken:
            name, number = f"{safe} ({number})", number + 1
        taken.add(name.casefold())
        names[label] = name
    return names


# Names that Windows keeps for devices.
_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{d}{k}" for d in ("COM", "LPT") for k in range(1, 10)),
}


def finish_result(out: Path) -> None:
    """Put the files of a result in their places, of a run that died doing so.

    Only for who is about to write there. The rename of the draft is the moment from
    which the new result counts, where a folder cannot be replaced as a whole; who
    writes next moves what was left. What is not a whole result is removed: anybody
    may have put it there.
    """
    ready = out / _READY
    if ready.is_symlink():
        ready.unlink()
    if not ready.is_dir():
        return
    for name in _unfinished(out, ready):
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(ready / name, target)
    shutil.rmtree(ready)


def is_unfinished(out: Path) -> bool:
    """Return whether a result of this folder was being put in place by a dead run."""
    return (out / _READY).is_dir()


def _unfinished(out: Path, ready: Path) -> list[str]:
    """Return the files still to be moved, the manifest last; none if not all is well.

    Those that the manifest names and that are what it says, in one folder or the
    other, and no links.
    """
    try:
        files = read_json(ready / MANIFEST)["files"]
        left = []
        for name, digest in files.items():
            moved = not os.path.lexists(ready / name)
            place = out if moved else ready
            if not (
                _is_plain(name)
                and _no_links(out, name, missing=True)
                and _no_links(place, name)
                and _hash(place / name) == digest
            ):
                return []
            if not moved:
                left.append(name)
    except (ConfigError, OSError, LookupError, AttributeError, ValueError, TypeError):
        return []
    return [*left, MANIFEST] if _no_links(ready, MANIFEST) else []


def _is_plain(name: str) -> bool:
    """Return whether a name stays inside the folder that it is looked for in."""
    parts = name.split("/")
    return not (
        {"", ".", "..", _READY} & {*parts}
        or name == MANIFEST
        or any(sign in name for sign in "\\:\0")
    )


def _no_links(folder: Path, name: str, *, missing: bool = False) -> bool:
    """Return whether a name leads through folders to a file, and through no links."""
    path = folder
    *folders, last = name.split("/")
    for part in folders:
        path = path / part
        if missing and not os.path.lexists(path):
            return True
        if not stat.S_ISDIR(path.lstat().st_mode):
            return False
    path = path / last
    if missing and not os.path.lexists(path):
        return True
    return stat.S_ISREG(path.lstat().st_mode)


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
