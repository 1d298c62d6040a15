"""A workbook to fill in: a guide, the settings, and one sheet a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders.files import file_frames, write_portfolio
from pmo_analytics.loaders.reading.settings import flat_settings
from pmo_analytics.loaders.reading.workbook import SETTINGS_SHEET
from pmo_analytics.loaders.writing.guide import COLUMN_TEXTS, SETTING_TEXTS, TABLE_TEXTS
from pmo_analytics.loaders.writing.workbook import (
    add_table,
    cell_of,
    header_row,
    refuse_unwritable,
    save,
    widen,
)
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import TABLES, Column, empty_table, table_spec

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

GUIDE_SHEET = "guide"
# Rows below the data in which drop-down lists work too.
_SPARE_ROWS = 500
_WORDS = {
    "text": "text",
    "note": "text",
    "number": "number",
    "whole": "whole number",
    "period": "period: 2027-01, 2027-W05, 2027Q1, 2027",
    "start_day": "date: 2027-01-31",
    "end_day": "date: 2027-01-31",
}
# Periods as text: Excel would turn a typed 2027-01 into a date.
_FORMATS = {
    "text": "@",
    "note": "@",
    "period": "@",
    "start_day": "yyyy-mm-dd",
    "end_day": "yyyy-mm-dd",
    "number": "0.00##",
    "whole": "0",
}
_REFERENCES = {
    "project": ("projects", "project"),
    "role": ("roles", "role"),
    "person": ("people", "person"),
}


def write_template(path: Path, portfolio: Portfolio) -> None:
    """Write a workbook with a guide and the rows of a portfolio as examples.

    It is read again by `read_portfolio`. Choice columns, and columns that name
    projects, people and roles, have drop-down lists.

    Parameters
    ----------
    path
        Name ending in .xlsx; an existing file is replaced.
    portfolio
        Its rows are the examples to overwrite.

    Raises
    ------
    ConfigError
        If a table has more rows than a sheet.
    DataError
        If a text holds characters that a workbook cannot keep.
    """
    from openpyxl import Workbook

    frames = _ordered(file_frames(portfolio, dates=True, empty=True))
    refuse_unwritable(portfolio, frames)
    book = Workbook()
    book.remove(book.active)
    _add_guide(book)
    _add_settings(book, portfolio)
    for table, frame in frames.items():
        sheet = book.create_sheet(table)
        add_table(sheet, frame)
        _format_columns(sheet, table, frames[table])
        _add_lists(sheet, table, frames)
    save(book, Path(path))


def write_empty(path: Path, horizon: pd.PeriodIndex) -> None:
    """Write every table with its headings only, and settings to change.

    Parameters
    ----------
    path
        A folder, or a workbook where the name ends in .xlsx.
    horizon
        Periods that the settings begin with.

    Raises
    ------
    ConfigError
        If the folder or the file cannot be written.
    """
    empty = Portfolio("My portfolio", horizon=horizon)
    if path.suffix.lower() == ".xlsx":
        write_template(path, empty)
        return
    write_portfolio(empty, path)
    for table, frame in _ordered(file_frames(empty, dates=True, empty=True)).items():
        try:
            frame.head(0).to_csv(path / f"{table}.csv", index=False)
        except OSError as error:
            raise ConfigError(f"Cannot write to {path}: {error.strerror}.") from error


def _ordered(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return every table in the order of the contract, capacity after demand."""
    order = ["projects", "demand", "capacity"]
    order += [table for table in TABLES if table not in order]
    return {
        table: frames.get(table, empty_table(table, "M").astype(object))
        for table in order
    }


def _add_guide(book: Workbook) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill

    sheet = book.create_sheet(GUIDE_SHEET)
    sheet.freeze_panes = "A2"
    widen(sheet, [14, 16, 62, 20, 10, 40, 20])
    sheet.append(
        header_row(
            sheet,
            ["sheet", "column", "meaning", "unit", "required", "allowed", "example"],
        )
    )
    bold = Font(bold=True)
    shade = PatternFill("solid", fgColor="DDE6F0")
    wrap = Alignment(wrap_text=True, vertical="top")

    def add(cells: list[str], *, heading: bool = False) -> None:
        row = []
        for text in cells:
            cell = WriteOnlyCell(sheet, value=text)
            cell.alignment = wrap
            if heading:
                cell.font, cell.fill = bold, shade
            row.append(cell)
        sheet.append(row)

    blank = [""] * 4
    what = "Settings: in each row a key and its value."
    add([SETTINGS_SHEET, "", what, *blank], heading=True)
    for key, meaning in SETTING_TEXTS.items():
        required = "yes" if key in ("start", "periods", "freq") else ""
        text, unit, example = meaning
        add([SETTINGS_SHEET, key, text, unit, required, "", example])
    for table, text in TABLE_TEXTS.items():
        spec = table_spec(table)
        key = f" Key: {', '.join(spec.key)}." if spec.key else ""
        add([table, "", text + key, *blank], heading=True)
        for column, info in spec.columns.items():
            meaning = COLUMN_TEXTS[table][column]
            add(
                [
                    table,
                    column,
                    meaning.text,
                    meaning.unit,
                    "yes" if info.required else "",
                    _allowed(info),
                    meaning.example,
                ]
            )


def _allowed(info: Column) -> str:
    if info.choices:
        return ", ".join(info.choices)
    bounds = []
    if info.low is not None:
        bounds.append(f"at least {info.low:g}")
    if info.high is not None:
        bounds.append(f"at most {info.high:g}")
    return ", ".join([_WORDS[info.kind], *bounds])


def _add_settings(book: Workbook, portfolio: Portfolio) -> None:
    sheet = book.create_sheet(SETTINGS_SHEET)
    sheet.freeze_panes = "A2"
    widen(sheet, [20, 30, 70])
    sheet.append(header_row(sheet, ["key", "value", "meaning"]))
    for dotted, value in flat_settings(portfolio).items():
        key = dotted.rpartition(".")[2]
        cell = cell_of(sheet, value)
        sheet.append([key, cell, SETTING_TEXTS[key].text])


def _format_columns(sheet: Worksheet, table: str, frame: pd.DataFrame) -> None:
    """Give whole columns their number format, rows still to be filled included."""
    from openpyxl.utils import get_column_letter

    for position, name in enumerate(map(str, frame.columns), 1):
        info = table_spec(table).columns.get(name)
        form = _FORMATS.get(info.kind, "") if info is not None else ""
        if name in ("amount", "value", "cost"):
            form = "#,##0.00"
        if form:
            sheet.column_dimensions[get_column_letter(position)].number_format = form
            for row in range(2, len(frame) + 2):
                sheet.cell(row, position).number_format = form


def _add_lists(sheet: Worksheet, table: str, frames: dict[str, pd.DataFrame]) -> None:
    """Attach drop-down lists to the columns whose words are known."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    last = len(frames[table]) + 1 + _SPARE_ROWS
    for position, name in enumerate(map(str, frames[table].columns), 1):
        info = table_spec(table).columns.get(name)
        if info is None:
            continue
        known = _known_range(name, table, frames)
        if info.choices:
            rule = DataValidation("list", formula1=f'"{",".join(info.choices)}"')
            rule.error = f"Use one of {', '.join(info.choices)}."
        elif known:
            rule = DataValidation("list", formula1=known)
            rule.errorStyle = "warning"
            rule.error = f"This {name} is not in its own table yet."
        else:
            continue
        rule.allow_blank = True
        rule.showErrorMessage = True
        letter = get_column_letter(position)
        rule.add(f"{letter}2:{letter}{last}")
        sheet.add_data_validation(rule)


def _known_range(column: str, table: str, frames: dict[str, pd.DataFrame]) -> str:
    """Return the cells that list what a column may name, or ""."""
    from openpyxl.utils import get_column_letter

    goal: Any = _REFERENCES.get(column)
    if goal is None or goal[0] == table:
        return ""
    frame = frames[goal[0]]
    # Projects are always listed in their own table, roles and people may not be.
    if not len(frame) and goal[0] != "projects":
        return ""
    letter = get_column_letter(list(frame.columns).index(goal[1]) + 1)
    return f"{goal[0]}!${letter}$2:${letter}${len(frame) + 1 + _SPARE_ROWS}"
