"""A portfolio becomes a folder of CSV files with `portfolio.toml`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, DataError, problems_table
from pmo_analytics.files import written_whole
from pmo_analytics.loaders.aliases import fold, table_names
from pmo_analytics.loaders.findings import Place
from pmo_analytics.loaders.reading.folder import CSV_SUFFIXES, TOML
from pmo_analytics.loaders.reading.settings import toml_text
from pmo_analytics.loaders.reading.text import has_controls
from pmo_analytics.loaders.writing.escape import escape_text
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import TABLES


def write_folder(
    portfolio: Portfolio, folder: Path, frames: Mapping[str, pd.DataFrame]
) -> None:
    """Write `portfolio.toml` and one CSV file a table.

    Everything is written under temporary names first and then renamed. Files of
    tables that are empty now are removed, no others.

    Parameters
    ----------
    frames
        Table -> cells as they go into files (None, text, int or float).

    Raises
    ------
    ConfigError
        If the folder holds a table under another name, which would then be there
        twice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = {f"{table}.csv" for table in (*TABLES, "capacity")}
    _refuse_doubles(folder, frames, own)
    texts = {TOML: toml_text(portfolio)}
    for table, frame in frames.items():
        texts[f"{table}.csv"] = _csv_text(table, frame)
    with written_whole(*(folder / name for name in texts)) as parts:
        for part, (name, text) in zip(parts, texts.items(), strict=True):
            # Excel takes a file without the mark for the local code page.
            mark = "" if text.isascii() or name == TOML else "\ufeff"
            part.write_bytes((mark + text).encode("utf-8"))
    for name in own - set(texts):
        (folder / name).unlink(missing_ok=True)


def _refuse_doubles(
    folder: Path, frames: Mapping[str, pd.DataFrame], own: set[str]
) -> None:
    names = table_names()
    for path in sorted(folder.iterdir()):
        table = names.get(fold(path.stem))
        if (
            path.suffix.lower() in CSV_SUFFIXES
            and path.name not in own
            and table in (*TABLES, "capacity")
        ):
            state = "also" if table in frames else "still"
            raise ConfigError(
                f"'{path.name}' in {folder.name} would {state} be read as the table "
                f"'{table}'. Move it away, or write to another folder."
            )


def _csv_text(table: str, frame: pd.DataFrame) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_text(str(c)) for c in frame.columns])
    columns = [_csv_cells(table, str(c), frame[c].to_list()) for c in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _csv_cells(table: str, column: str, cells: list[Any]) -> list[Any]:
    for row, cell in enumerate(cells):
        if cell.__class__ is str and (has_controls(cell) or not _encodable(cell)):
            raise unwritable(table, column, row, cell)
    return [
        ""
        if c is None
        else escape_text(c.replace("\r\n", "\n").replace("\r", "\n"))
        if c.__class__ is str
        else number_text(c)
        for c in cells
    ]


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def unwritable(table: str, column: str, row: int, cell: str) -> DataError:
    """Return the error of a text that no file can hold."""
    return DataError(
        problems_table(
            [
                Place(table, "").error(
                    "control_characters",
                    row=row,
                    column=column,
                    found=repr(cell),
                    fix="The text holds characters that files cannot keep. Remove "
                    "them.",
                )
            ]
        )
    )


def number_text(value: float) -> str:
    """Return a number as text that reads back as exactly the same."""
    if isinstance(value, int):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number)
