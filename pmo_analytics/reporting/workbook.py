"""Result tables as one Excel workbook, a sheet a table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.facts import text_of_fact
from pmo_analytics.formats import NUMBERS, Kind, kind_of, label_of, text_of
from pmo_analytics.loaders import (
    MAX_CELL_CHARACTERS,
    MAX_SHEET_ROWS,
    cell_of,
    header_row,
    save,
    widen,
)

# Months and years are dates; of weeks and quarters no format shows the number, so they
# are text in the forms that the loaders read.
PERIOD_FORMATS = {"M": "yyyy-mm", "Y-DEC": "yyyy"}
FORMATS: Mapping[Kind, str] = {
    "date": "yyyy-mm-dd",
    "whole": "#,##0",
    "percent": "0.0%",
    "ratio": "0.00%",
    "money": "#,##0",
    "number": "#,##0.00",
}
# Before that Excel knows no dates.
FIRST_YEAR = 1901
_NARROWEST, _WIDEST = 10, 48
_A4 = 9  # as Excel numbers the sizes of paper
# Rows that are looked at for the width of a column.
_SAMPLE = 400
_SHEET_WIDTH = 31
# Rows beyond which a table is left to its CSV file: nobody reads them, and Excel takes
# as long to open them as we do to write them.
_MOST_ROWS = 20_000
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
# What XML cannot hold; openpyxl refuses it.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def fitting(
    tables: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables that a workbook is opened for, and which are too long for that.

    Returns
    -------
    tuple
        The tables of at most 20,000 rows; a sentence about each of the others.
    """
    kept = {name: t for name, t in tables.items() if len(t) <= _MOST_ROWS}
    return kept, [
        f"{name} has {len(table):,} rows, too many to read in a workbook, and is not "
        "in it; the CSV file has all of them."
        for name, table in tables.items()
        if name not in kept
    ]


def write_workbook(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    summary: Mapping[str, object] | None = None,
    left_out: Sequence[str] = (),
) -> None:
    """Write tables into a workbook, each on a sheet of its own.

    Headings are words, bold, and stay in sight; columns can be filtered. Numbers are
    shown by what they are: FTE with two decimals, chances as percentages. Months and
    years are dates, weeks and quarters text in the forms that the loaders read. Sheets
    print on A4 across, as wide as the page, with the headings on each. No cell is a
    formula.

    Parameters
    ----------
    path
        File ending in .xlsx; one that exists is replaced when the new one is whole.
    tables
        Name -> table, in the order of the sheets. The ending .csv of a name is left
        out; names that a sheet cannot have are made to fit.
    summary
        Fact -> value, for a sheet of their own before the others, which it lists.
    left_out
        What is not in the workbook, of `fitting`; the summary says it.

    Raises
    ------
    ConfigError
        If a table has more rows than a sheet, there is no table, or the file cannot
        be written.
    """
    from openpyxl import Workbook

    if not tables:
        raise ConfigError("A workbook needs at least one table.")
    for name, table in tables.items():
        if len(table) > MAX_SHEET_ROWS:
            raise ConfigError(
                f"The table '{name}' has {len(table):,} rows, more than a sheet "
                "holds. Leave it out of the workbook; the CSV file has all of them."
            )
    path = Path(path)
    try:
        # First of all: a half-made workbook leaves temporary files open.
        path.parent.mkdir(parents=True, exist_ok=True)
        book = Workbook(write_only=True)
        if summary is not None:
            missing = {f"Not here {k + 1}": text for k, text in enumerate(left_out)}
            tables = {"Summary": _summary({**summary, **missing}, tables), **tables}
        for name, table in zip(sheet_names(tables), tables.values(), strict=True):
            _add_sheet(book.create_sheet(name), table)
        save(book, path)
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def _summary(
    facts: Mapping[str, object], tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the first sheet: the facts, and then what the other sheets hold."""
    names = sheet_names(["Summary", *tables])[1:]
    rows = [
        *((str(name), text_of_fact(value)) for name, value in facts.items()),
        *(
            (f"Sheet {name}", f"{len(table):,} row{'' if len(table) == 1 else 's'}")
            for name, table in zip(names, tables.values(), strict=True)
        ),
    ]
    return pd.DataFrame(rows, columns=["what", "answer"], dtype=object)


def sheet_names(tables: Iterable[str]) -> list[str]:
    """Return a name for each sheet; Excel compares them without case."""
    taken: dict[str, None] = {}
    names = []
    for given in tables:
        plain = _FORBIDDEN.sub(" ", _CONTROLS.sub("", given.removesuffix(".csv")))
        plain = plain.strip(" '") or "table"
        name, number = plain[:_SHEET_WIDTH].rstrip(" '"), 1
        while name.casefold() in taken:
            number += 1
            ending = f" ({number})"
            name = plain[: _SHEET_WIDTH - len(ending)].rstrip(" '") + ending
        taken[name.casefold()] = None
        names.append(name)
    return names


def _add_sheet(sheet: Any, table: pd.DataFrame) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    kinds = [kind_of(name, table[name]) for name in table.columns]
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    widen(
        sheet,
        [
            width_of(label_of(name), kind, table[name])
            for name, kind in zip(table.columns, kinds, strict=True)
        ],
    )
    if len(table.columns):
        last = get_column_letter(len(table.columns))
        sheet.auto_filter.ref = f"A1:{last}{len(table) + 1}"
    sheet.append(
        header_row(sheet, [fitting_text(label_of(name)) for name in table.columns])
    )
    columns = [
        _cells(sheet, table[name].to_list(), kind)
        for name, kind in zip(table.columns, kinds, strict=True)
    ]
    for cells in zip(*columns, strict=True):
        sheet.append(cells)


def _cells(sheet: Any, values: Iterable[Any], kind: Kind) -> Iterator[Any]:
    """Give the cells of a column, one after the other.

    A cell is written as soon as its row is complete, so numbers of one column are one
    cell that is filled again: to give a format takes as long as to write.
    """
    from openpyxl.cell import WriteOnlyCell

    if kind not in NUMBERS:
        yield from (_cell(sheet, value, kind) for value in values)
        return
    cell = WriteOnlyCell(sheet)
    cell.number_format = FORMATS[kind]
    for value in values:
        if isinstance(value, float) and math.isfinite(value):
            cell.value = value
            yield cell
        else:
            yield _cell(sheet, value, kind)


def width_of(name: str, kind: Kind, column: pd.Series[Any]) -> float:
    """Return a width that shows the header with its filter button, and the cells."""
    texts = (text_of(cell, kind) for cell in column.head(_SAMPLE))
    longest = max((_columns(text) for text in texts), default=0)
    return min(max(longest + 2, _columns(name) + 4, _NARROWEST), _WIDEST)


def _columns(text: str) -> int:
    # Letters beyond Latin, Greek and Cyrillic are wide in the fonts of Excel.
    return sum(2 if c >= "\u1100" else 1 for c in text)


def _cell(sheet: Any, value: Any, kind: Kind) -> Any:
    """Return a cell with the number format of its column; blank for nothing."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if kind == "period":
        form = PERIOD_FORMATS.get(value.freqstr)
        if form is None or value.year < FIRST_YEAR:
            return cell_of(sheet, text_of(value, kind))
        cell = WriteOnlyCell(sheet, value=value.start_time.date())
        cell.number_format = form
        return cell
    if kind == "text" or value in (float("inf"), -float("inf")):
        if kind == "text" and isinstance(value, (bool, int, float)):
            return cell_of(sheet, value)
        return cell_of(sheet, fitting_text(text_of(value, kind)))
    if kind == "flag":
        return bool(value)
    form = FORMATS[kind]
    if kind == "date":
        # A sheet knows no time zones.
        value = value.to_pydatetime().replace(tzinfo=None)
        if value.time() == time.min:
            return cell_of(sheet, value.date())
        form = "yyyy-mm-dd hh:mm"
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = form
    return cell


def fitting_text(text: str) -> str:
    """Return text as a cell can hold it."""
    kept = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    if len(kept) > MAX_CELL_CHARACTERS:
        return kept[: MAX_CELL_CHARACTERS - 1] + "…"
    return kept
