"""A portfolio becomes a workbook: the settings, and one sheet a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.files import written_whole
from pmo_analytics.loaders.reading.settings import flat_settings
from pmo_analytics.loaders.reading.text import has_controls
from pmo_analytics.loaders.reading.workbook import SETTINGS_SHEET
from pmo_analytics.loaders.writing.escape import unescape_text
from pmo_analytics.loaders.writing.folder import number_text, unwritable
from pmo_analytics.portfolio import Portfolio

MAX_SHEET_ROWS = 1_048_575  # below the header


MAX_CELL_CHARACTERS = 32_767


_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")


# Excel counts days from 1900 and believes in a 29 February of that year.
_FIRST_DATE = date(1900, 3, 1)


def write_workbook(
    portfolio: Portfolio, path: Path, frames: Mapping[str, pd.DataFrame]
) -> None:
    """Write a workbook with the settings and one sheet a table.

    Parameters
    ----------
    frames
        Table -> cells as they go into files (None, text, int, float or date).

    Raises
    ------
    ConfigError
        If a table has more rows than a sheet.
    DataError
        If a text is too long for a cell or holds control characters.
    """
    from openpyxl import Workbook

    refuse_unwritable(portfolio, frames)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SETTINGS_SHEET)
    widen(sheet, [24, 40])
    sheet.append(header_row(sheet, ["key", "value"]))
    for key, value in flat_settings(portfolio).items():
        sheet.append([key, cell_of(sheet, value)])
    for table, frame in frames.items():
        add_table(book.create_sheet(table), frame)
    save(book, path)


def refuse_unwritable(portfolio: Portfolio, frames: Mapping[str, pd.DataFrame]) -> None:
    """Raise before anything is written if a sheet or a cell cannot hold something."""
    settings = [v for v in flat_settings(portfolio).values() if isinstance(v, str)]
    texts = {(SETTINGS_SHEET, "name"): settings}
    for table, frame in frames.items():
        if len(frame) > MAX_SHEET_ROWS:
            raise ConfigError(
                f"The table '{table}' has {len(frame):,} rows, more than a sheet "
                "holds. Write the portfolio to a folder instead."
            )
        texts |= {(table, str(c)): [str(c), *frame[c].to_list()] for c in frame.columns}
    for (table, column), cells in texts.items():
        for row, cell in enumerate(cells):
            if cell.__class__ is str and (
                len(cell) > MAX_CELL_CHARACTERS or has_controls(cell)
            ):
                raise unwritable(table, column, row, cell[:60])


def add_table(sheet: Any, frame: pd.DataFrame) -> None:
    """Fill a new sheet with a table: bold, frozen header and the rows."""
    sheet.freeze_panes = "A2"
    names = [str(c) for c in frame.columns]
    widen(sheet, [max(12, min(len(n) + 4, 30)) for n in names])
    sheet.append(header_row(sheet, names))
    columns = [frame[c].to_list() for c in frame.columns]
    for cells in zip(*columns, strict=True):
        sheet.append([cell_of(sheet, cell) for cell in cells])


def header_row(sheet: Any, names: Iterable[str]) -> list[Any]:
    """Return bold header cells, never formulas."""
    from openpyxl.styles import Font

    cells = [text_cell(sheet, name) for name in names]
    for cell in cells:
        cell.font = Font(bold=True)
    return cells


def widen(sheet: Any, widths: Iterable[float]) -> None:
    """Set the widths of the first columns."""
    from openpyxl.utils import get_column_letter

    for position, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(position)].width = width


def text_cell(sheet: Any, text: str) -> Any:
    """Return a cell that holds text and nothing but text."""
    from openpyxl.cell import WriteOnlyCell

    # Readers undo _x0041_, so what looks like it is protected.
    cell = WriteOnlyCell(sheet, value=_ESCAPED.sub("_x005F_x", text))
    cell.data_type = "s"
    return cell


def cell_of(sheet: Any, value: Any) -> Any:
    """Return a value, or a cell, that comes back as exactly this value."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Beyond 2^53 a workbook would round it.
        return value if abs(value) <= 2**53 else text_cell(sheet, str(value))
    if isinstance(value, float):
        # openpyxl keeps 16 digits; the 17th makes the number come back the same.
        if float(f"{value:.16g}") == value:
            return value
        cell = WriteOnlyCell(sheet, value=number_text(value))
        cell.data_type = "n"
        return cell
    if isinstance(value, date):
        if value < _FIRST_DATE:
            return value.isoformat()
        cell = WriteOnlyCell(sheet, value=value)
        cell.number_format = "yyyy-mm-dd"
        return cell
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    if unescape_text(text) != text:
        text = f"'{text}"  # readers take one quote away
    plain = text[:1] not in "=+-@\t#" and "_x" not in text
    return text if plain else text_cell(sheet, text)


def save(book: Any, path: Path) -> None:
    """Save a workbook under a temporary name and rename it."""
    with written_whole(path) as (part,):
        book.save(part)
