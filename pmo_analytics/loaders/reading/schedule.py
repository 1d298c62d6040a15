"""A schedule file: `project, start` and, if wanted, `finish`, as `optimize` writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pmo_analytics.errors import DataError, problems_table
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.dates import read_date
from pmo_analytics.loaders.findings import FileFormat, Place, Unreadable, fatal
from pmo_analytics.loaders.reading.folder import read_csv
from pmo_analytics.loaders.understanding.headings import find_header, heading_text
from pmo_analytics.loaders.understanding.rows import split_rows
from pmo_analytics.loaders.writing.escape import unescape_text
from pmo_analytics.tables import clean_text


def read_schedule(path: str | Path) -> pd.DataFrame:
    """Read a schedule from a CSV file.

    Parameters
    ----------
    path
        Columns `project`, `start` and, if wanted, `finish` (last period of work).

    Returns
    -------
    DataFrame
        Index: rows of the file, from 0. The file's columns as text, None = blank;
        periods in the form the strict parser reads.

    Raises
    ------
    DataError
        If the file cannot be read or lacks `project` or `start`.
    """
    path = Path(path)
    place = Place("schedule", path.name)
    if not path.is_file():
        raise fatal(
            place,
            "missing_file",
            "There is no such file. Give the schedule.csv of a plan.",
            found=str(path),
        )
    try:
        # Headings of a schedule are those of `projects`.
        raw, _ = read_csv(path, Place("projects", path.name), FileFormat())
    except Unreadable as error:
        raise DataError(problems_table([place.unreadable(error)])) from error
    except OSError as error:
        raise fatal(
            place,
            "unreadable_file",
            "The file cannot be opened.",
            found=error.strerror or "",
        ) from error
    header = find_header(raw)
    names = [] if header is None else [heading_text(c) for c in raw.records[header]]
    known = {fold(n): n for n in ("project", "start", "finish")}
    names = [known.get(fold(n), n) for n in names]
    missing = [n for n in ("project", "start") if n not in names]
    if header is None or missing:
        raise fatal(
            place,
            "missing_column",
            f"A schedule has the columns project and start; {' and '.join(missing)} "
            "is missing.",
            found=", ".join(names),
        )
    cells, _, problems = split_rows(raw, header)
    errors = [{**p, "table": "schedule"} for p in problems if p["severity"] == "error"]
    if errors:
        raise DataError(problems_table(errors))
    columns = {}
    for name, column in zip(names, cells, strict=True):
        if name in ("start", "finish"):
            read = {c: read_date(c) for c in set(column)}
            column = [r if isinstance(r := read[c], str) else c for c in column]
        elif name == "project":
            column = [None if c is None else clean_text(c) for c in column]
        if name and name not in columns:
            columns[name] = pd.Series(column, dtype=object)
    return pd.DataFrame(columns)


def read_purchases(path: str | Path) -> pd.DataFrame:
    """Read purchases from a CSV file, as `optimize` writes them.

    Parameters
    ----------
    path
        Columns `offer, period, fte` and what else there is.

    Returns
    -------
    DataFrame
        The file's cells as text, None = blank.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        rows = pd.read_csv(path, dtype=object, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise fatal(
            Place("purchases", path.name),
            "unreadable_file",
            "The file of purchases cannot be read. Write the plan again.",
            found=str(error),
        ) from error
    return rows.replace("", None).map(
        lambda cell: unescape_text(cell) if isinstance(cell, str) else cell
    )
