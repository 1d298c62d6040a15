"""Read and write whole portfolios: a folder of CSV files, or one workbook."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, DataError, PmoWarning, has_errors
from pmo_analytics.loaders.assembly import Contents, assemble
from pmo_analytics.loaders.bad_rows import without_bad_rows
from pmo_analytics.loaders.findings import Place, fatal
from pmo_analytics.loaders.networks.languages import TONGUES
from pmo_analytics.loaders.networks.portfolio import read_rolled
from pmo_analytics.loaders.problems import loaded_problems
from pmo_analytics.loaders.reading.folder import TOML, read_folder
from pmo_analytics.loaders.reading.workbook import read_workbook
from pmo_analytics.loaders.writing.folder import write_folder
from pmo_analytics.loaders.writing.workbook import write_workbook
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import TABLES, table_spec

# Ending of a file -> what reads it: settings, raw tables and findings. A new loader is
# a module in `reading` and its line here.
_READERS = dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), read_workbook)
_NO_FOLDER = (
    *_READERS,
    ".xlsb",
    ".csv",
    ".tsv",
    ".txt",
    ".json",
    ".xml",
    ".zip",
    ".pdf",
)


def read_portfolio(
    path: str | Path,
    *,
    tables: Mapping[str, str] | None = None,
    bad_rows: Literal["raise", "drop"] = "raise",
) -> Portfolio:
    """Read a portfolio from a folder of CSV files, a workbook or planning files.

    Files and sheets are found by name, columns by name too, in the usual languages;
    wide layouts, hours and person-days, local numbers and dates are converted where
    they can be read in one way only. Every step is kept in `portfolio.problems`.

    Parameters
    ----------
    path
        A folder, its `portfolio.toml`, a workbook (.xlsx, .xlsm, .xls, .ods), or a
        planning file or folder of such (see `read_networks`), each project of which is
        a project here (see `networks.roll_up`).
    tables
        Table -> name of the file in the folder or of the sheet that holds it, for
        names that are no known word; None = all by name.
    bad_rows
        `drop` leaves out the rows that have errors, and what depends on them, and
        lists each as a warning `row_left_out`. A project that loses a row of its
        demand, spend or benefits is left out as a whole.

    Returns
    -------
    Portfolio
        Checked. `problems` holds the warnings of reading and checking.

    Raises
    ------
    DataError
        If anything is wrong; it lists every problem at once.
    ConfigError
        If `tables` names a table that does not exist.

    Warns
    -----
    PmoWarning
        Once, when there are warnings.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from pmo_analytics.examples.company import example_portfolio
    >>> portfolio = example_portfolio()
    >>> folder = write_portfolio(portfolio, mkdtemp())
    >>> read_portfolio(folder).digest() == portfolio.digest()
    True
    """
    portfolio = load_portfolio(path, tables=tables)
    if bad_rows == "drop":
        portfolio = without_bad_rows(portfolio)
    problems = loaded_problems(portfolio)
    if has_errors(problems):
        raise DataError(problems)
    # A finished portfolio is frozen for users; this one is not handed out yet.
    object.__setattr__(portfolio, "problems", problems)
    if len(problems):
        rules = ", ".join(dict.fromkeys(problems["rule"]))
        many = f"{len(problems):,} warning{'' if len(problems) == 1 else 's'}"
        warnings.warn(
            f"{many} while reading {Path(path).name} ({rules}); see "
            "portfolio.problems.",
            PmoWarning,
            stacklevel=2,
        )
    return portfolio


def load_portfolio(
    path: str | Path, *, tables: Mapping[str, str] | None = None
) -> Portfolio:
    """Read a portfolio without holding it against its rules.

    For showing everything that is wrong: `loaded_problems(load_portfolio(path))`.

    Parameters
    ----------
    path, tables
        As in `read_portfolio`.

    Returns
    -------
    Portfolio
        Its `problems` are the findings of reading, errors included. Cells that
        could not be read are blank.

    Raises
    ------
    DataError
        If the path does not exist, a workbook or `portfolio.toml` cannot be read,
        or there is no horizon.
    ConfigError
        If `tables` names a table that does not exist.
    """
    unknown = [t for t in tables or {} if t not in (*TABLES, "capacity")]
    if unknown:
        raise ConfigError(
            f"There is no table '{unknown[0]}'. Tables: "
            f"{', '.join((*TABLES, 'capacity'))}."
        )
    path = Path(path)
    if path.name.casefold() == TOML:
        path = path.parent
    place = Place("portfolio", Path(path).name or str(path))
    if not path.exists():
        raise fatal(
            place,
            "missing_file",
            "There is no such file or folder. Check the path.",
            found=str(path),
        )
    if (rolled := read_rolled(path)) is not None:
        return rolled.portfolio
    folder = path.is_dir()
    read = read_folder if folder else _READERS.get(path.suffix.lower())
    if read is None:
        raise fatal(
            place,
            "unsupported_file",
            f"A portfolio is a folder with CSV files and {TOML}, a workbook "
            f"({', '.join(_READERS)}), or a planning file. Exports of planning tools "
            f"are known by headings in {', '.join(t.name for t in TONGUES)}. Put a "
            "list that is none of these into a folder as projects.csv, and give the "
            "folder; unpack a .zip first.",
            found=path.name,
        )
    label = path.resolve().name if folder else path.stem
    return assemble(Contents(*read(path, tables), label))


def write_portfolio(
    portfolio: Portfolio, path: str | Path, *, overwrite: bool = True
) -> Path:
    """Write a portfolio to a folder of CSV files or to a workbook.

    Reading it back gives equal tables. Files are written under temporary names and
    renamed, so that a run that dies leaves the previous result whole.

    Parameters
    ----------
    portfolio
        What is written.
    path
        A name ending in .xlsx for a workbook, any other for a folder.
    overwrite
        Replace what is there. Tables that are empty now lose their file; other
        files of the folder stay.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ConfigError
        If the path is there and `overwrite` is False, if its suffix is of another
        kind of file, if the folder holds a table under another name, or if the
        system refuses to write.
    DataError
        If a text holds characters that files cannot keep.
    """
    path = Path(path)
    if path.name.casefold() == TOML:
        path = path.parent
    try:
        return _write(portfolio, path, overwrite)
    except OSError as error:
        raise ConfigError(f"Cannot write to {path}: {error.strerror}.") from error


def _write(portfolio: Portfolio, path: Path, overwrite: bool) -> Path:
    frames = file_frames(portfolio, dates=path.suffix.lower() == ".xlsx")
    if path.suffix.lower() == ".xlsx":
        if path.is_dir() or (path.exists() and not overwrite):
            raise ConfigError(f"'{path.name}' is there already. Use another name.")
        write_workbook(portfolio, path, frames)
        return path
    if path.suffix.lower() in _NO_FOLDER or path.is_file():
        raise ConfigError(
            f"'{path.name}' cannot be written: a portfolio is written to a folder or "
            "to an .xlsx workbook."
        )
    if not overwrite and path.is_dir() and any(path.iterdir()):
        raise ConfigError(f"The folder '{path.name}' is not empty. Use another name.")
    write_folder(portfolio, path, frames)
    return path


def file_frames(
    portfolio: Portfolio, *, dates: bool = False, empty: bool = False
) -> dict[str, pd.DataFrame]:
    """Return the tables as they go into files.

    Parameters
    ----------
    dates
        Leave days as date objects (workbooks) instead of ISO texts.
    empty
        Keep tables without rows, and blank columns.

    Returns
    -------
    dict
        Table -> frame of objects: None, text, int, float or date. Canonical columns
        first and in order, then the user's own; blank optional columns left out.
    """
    given = portfolio.given_capacity
    long = given.melt(ignore_index=False, value_name="fte", var_name="role").dropna()
    tables = {
        "projects": portfolio.projects,
        "demand": portfolio.demand,
        "capacity": long.reset_index()[["period", "role", "fte"]],
        **portfolio.tables,
    }
    frames = {}
    for table, frame in tables.items():
        if not len(frame) and not empty:
            continue
        spec = table_spec(table)
        columns = {}
        for name in frame.columns:
            info = spec.columns.get(name)
            cells = _cells(frame[name], dates=dates)
            optional = info is not None and not info.required and name not in spec.key
            if empty or not optional or any(c is not None for c in cells):
                columns[name] = pd.Series(cells, dtype=object)
        frames[table] = pd.DataFrame(columns)
    return frames


def _cells(values: pd.Series[Any], *, dates: bool) -> list[Any]:
    """Return the cells of a column as None, text, int, float or date."""
    blank = values.isna().to_numpy()
    kind = values.dtype.kind
    cells: list[Any]
    if isinstance(values.dtype, pd.PeriodDtype):
        texts = {p: format_period(p) for p in values.dropna().unique()}
        cells = [texts.get(p) for p in values.to_list()]
    elif kind == "M":
        days = values.dt.date
        cells = [d if dates or d is pd.NaT else d.isoformat() for d in days.to_list()]
    elif kind in "iu":
        cells = [None if b else int(v) for v, b in zip(values, blank, strict=True)]
    elif kind == "f":
        cells = values.astype(float).to_list()
    else:
        cells = [
            None if b else v if type(v) in (int, float) else str(v)
            for v, b in zip(values.to_list(), blank, strict=True)
        ]
    return [None if b else c for c, b in zip(cells, blank, strict=True)]
