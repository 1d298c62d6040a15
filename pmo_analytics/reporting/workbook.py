"""Reports and result tables as Excel workbooks: real dates, native charts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.facts import text_of_fact
from pmo_analytics.files import written_whole
from pmo_analytics.formats import NUMBERS, Kind, kind_of, label_of, text_of
from pmo_analytics.loaders import MAX_CELL_CHARACTERS, MAX_SHEET_ROWS
from pmo_analytics.reporting.charts import Chart, is_there, number_format
from pmo_analytics.reporting.page import Report, problems_section, summary_of

# Months and years are dates; of weeks and quarters no format shows the number, so they
# are text in the forms that the loaders read.
_PERIOD_FORMATS = {"M": "yyyy-mm", "Y-DEC": "yyyy"}
_WITH_TIME = "yyyy-mm-dd hh:mm"
_FORMATS: Mapping[Kind, str] = {
    "date": "yyyy-mm-dd",
    "whole": "#,##0",
    "percent": "0.0%",
    "ratio": "0.00%",
    "money": "#,##0",
    "number": "#,##0.00",
}
# Before that Excel knows no dates.
_FIRST_YEAR = 1901
_NARROWEST, _WIDEST = 10, 48
_A4 = 9  # as Excel numbers the sizes of paper
# Rows that are looked at for the width of a column.
_SAMPLE = 400
_SHEET_WIDTH = 31
# Rows beyond which a table is left to its CSV file: nobody reads them, and Excel takes
# as long to open them as we do to write them.
_MOST_ROWS = 20_000
# Letters across a page, height of a line, and the lines of a cell that are shown.
_PAPER, _LINE, _MOST_LINES = 150, 15, 12
_EXACT = 2**53  # beyond, Excel rounds whole numbers
_KINDS = {"line": ("line", ""), "bar": ("column", ""), "stacked": ("column", "stacked")}
_CHART_SIZE = {"width": 760, "height": 320}
_SUMMARY = "Summary"
# Ground and ink of a status.
_RAG_CELLS = {
    "red": ("#B3121D", "#FFFFFF"),
    "amber": ("#FFD27D", "#1D2733"),
    "green": ("#2E7D32", "#FFFFFF"),
}
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# What XML cannot hold.
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
    names: Mapping[str, str] | None = None,
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
    names
        Project -> its name, which stands beside it in every table of projects.

    Raises
    ------
    ConfigError
        If a table has more rows than a sheet, there is no table, or the file cannot
        be written.
    """
    if not tables:
        raise ConfigError("A workbook needs at least one table.")
    for name, table in tables.items():
        if len(table) > MAX_SHEET_ROWS:
            raise ConfigError(
                f"The table '{name}' has {len(table):,} rows, more than a sheet "
                "holds. Leave it out of the workbook; the CSV file has all of them."
            )
    tables = {name: _readable(t, names or {}) for name, t in tables.items()}
    if summary is not None:
        missing = {f"Not here {k + 1}": text for k, text in enumerate(left_out)}
        inside = {
            name: f"{len(table):,} row{'' if len(table) == 1 else 's'}"
            for name, table in tables.items()
        }
        first = _summary({**summary, **missing}, inside)
        tables = {_SUMMARY: first, **tables}
    with _book(path) as book:
        for name, table in zip(sheet_names(tables), tables.values(), strict=True):
            _add_sheet(book, name, table, named=_naming(table))


def write_spreadsheet(path: Path, report: Report) -> None:
    """Write a report as a workbook.

    The first sheet has the message and the numbers that matter most, and leads to the
    others; each part of the report with a table has a sheet, with its chart as one of
    Excel's own. Sheets look as those of `write_workbook`.

    Parameters
    ----------
    path
        File ending in .xlsx; one that exists is replaced when the new one is whole.
    report
        Content.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """
    parts = list(report.sections)
    if report.problems is not None:
        parts.append(problems_section(report.problems))
    shown = [s for s in parts if s.table is not None and not s.table.empty]
    facts = {"Report": report.title, **summary_of(report)}
    inside = [(section.title, section.takeaway) for section in shown]
    names = sheet_names([_SUMMARY, *(title for title, _ in inside)])
    first = _summary(facts, dict(zip(names[1:], (t for _, t in inside), strict=True)))
    with _book(path) as book:
        sheet = _add_sheet(book, names[0], first)
        link = _Forms(book).link()
        for row, name in enumerate(names[1:], 1 + len(facts)):
            place = name.replace("'", "''")
            where, said = f"internal:'{place}'!A1", f"Sheet {name}"
            sheet.write_url(row, 0, where, link, string=said)
        for name, section in zip(names[1:], shown, strict=True):
            assert section.table is not None
            sheet = _add_sheet(book, name, section.table, named=1)
            if section.chart is not None:
                native = _add_chart(book, sheet, name, section.chart, section.table)
                native.set_title({"name": section.title, "name_font": {"size": 12}})


def _readable(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table for a reader: the names of projects, days written as text.

    The names stand behind the column `project` of a table that has none of them.
    """
    days = [column for column in table.columns if _are_days(table[column])]
    shown = table.assign(**{c: pd.to_datetime(table[c]) for c in days})
    if "project" in shown and "name" not in shown:
        told = [names.get(str(project)) for project in shown["project"]]
        if any(told):
            behind = shown.columns.get_loc("project") + 1
            shown.insert(behind, "name", pd.Series(told, shown.index, dtype=object))
    return shown


def _naming(table: pd.DataFrame) -> int:
    """Return how many columns at the left of a table of projects name its rows."""
    left = [*table.columns[:2]]
    return len(left) if left == ["project", "name"] else int(left[:1] == ["project"])


def _are_days(cells: pd.Series[Any]) -> bool:
    """Return whether a column is text and nothing but days such as 2026-12-31."""
    if kind_of(cells.name, cells) != "text":
        return False
    known = cells[cells.notna()]
    return len(known) > 0 and all(
        isinstance(cell, str) and _is_day(cell) for cell in known
    )


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@contextmanager
def _book(path: Path) -> Iterator[Any]:
    """Give a workbook to fill; it takes its place when it is whole."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    try:
        with (
            written_whole(Path(path)) as (part,),
            xlsxwriter.Workbook(str(part), options) as book,
        ):
            yield book
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        said = getattr(error, "strerror", None) or error
        raise ConfigError(f"Cannot write {path}: {said}.") from error


def _summary(facts: Mapping[str, object], inside: Mapping[str, str]) -> pd.DataFrame:
    """Return the first sheet: the facts, and then what the other sheets hold."""
    names = sheet_names([_SUMMARY, *inside])[1:]
    rows = [
        *((str(name), text_of_fact(value)) for name, value in facts.items()),
        *(
            (f"Sheet {name}", said)
            for name, said in zip(names, inside.values(), strict=True)
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


def _add_sheet(book: Any, name: str, table: pd.DataFrame, *, named: int = 0) -> Any:
    """Write a table on a sheet of its own.

    Parameters
    ----------
    named
        Columns that stay in sight, as they name the rows.
    """
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.freeze_panes(1, named)
    sheet.repeat_rows(0)
    forms = _Forms(book)
    heights: dict[int, int] = {}
    across = 0.0
    for place, column in enumerate(table.columns):
        kind = kind_of(column, table[column])
        label = fitting_text(label_of(column))
        wide = width_of(label, kind, table[column])
        across += wide
        right = kind in NUMBERS or kind in ("period", "date")
        sheet.write_string(0, place, label, forms.heading(right))
        sheet.set_column(place, place, wide)
        for row, value in enumerate(table[column].tolist(), 1):
            _write(sheet, (row, place), value, kind, forms)
            if wide == _WIDEST and isinstance(value, str):
                lines = -(-_columns(fitting_text(value)) // (_WIDEST - 4))
                heights[row] = max(heights.get(row, 1), lines)
    for row, lines in heights.items():
        if lines > 1:
            sheet.set_row(row, _LINE * min(lines, _MOST_LINES))
    # As text it is written out; the number 1 is left to the reader's default.
    pages = max(1, round(across / _PAPER))
    sheet.fit_to_pages(str(pages), 0)
    if pages > 1 and named:
        sheet.repeat_columns(0, named - 1)
    if len(table.columns):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    return sheet


class _Forms:
    """The looks of cells in one book, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def _form(self, **look: Any) -> Any:
        key = tuple(look.items())
        if key not in self._made:
            self._made[key] = self._book.add_format({"valign": "top", **look})
        return self._made[key]

    def heading(self, right: bool) -> Any:
        side = "right" if right else "left"
        indent = 0 if right else 1
        return self._form(
            bold=True, bottom=1, text_wrap=True, align=side, indent=indent
        )

    def link(self) -> Any:
        """Return the look of what leads to another sheet."""
        return self._form(font_color="#0563C1", underline=1, indent=1)

    def number(self, text: str) -> Any:
        return self._form(num_format=text)

    def text(self, said: str) -> Any:
        """Return the look of words; those of a status have its colour."""
        if said in _RAG_CELLS:
            ground, ink = _RAG_CELLS[said]
            return self._form(
                bold=True, align="center", bg_color=ground, font_color=ink
            )
        return self._form(text_wrap=True, indent=1, align="left")


def _write(
    sheet: Any, place: tuple[int, int], value: Any, kind: Kind, forms: _Forms
) -> None:
    """Write a cell as what it is: a number, a real date, or text; blank for nothing."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return
    if kind == "flag" or (kind == "text" and isinstance(value, bool)):
        sheet.write_boolean(*place, bool(value))
    elif isinstance(value, (int, float)) and math.isfinite(value):
        if kind in NUMBERS:
            sheet.write_number(*place, value, forms.number(_FORMATS[kind]))
        elif abs(value) <= _EXACT:
            sheet.write_number(*place, value)
        else:
            sheet.write_string(*place, str(value))
    elif form := _form_of_day(value, kind):
        day = value.start_time if isinstance(value, pd.Period) else value
        # A sheet knows no time zones.
        sheet.write_datetime(
            *place, day.to_pydatetime().replace(tzinfo=None), forms.number(form)
        )
    else:
        said = fitting_text(text_of(value, kind))
        sheet.write_string(*place, said, forms.text(said))


def _form_of_day(value: Any, kind: Kind) -> str:
    """Return how a day or a period is shown as a date; "" where it stays text."""
    if kind not in ("period", "date") or value.year < _FIRST_YEAR:
        return ""
    if isinstance(value, pd.Period):
        return _PERIOD_FORMATS.get(value.freqstr, "")
    return _FORMATS["date"] if value == value.normalize() else _WITH_TIME


def width_of(name: str, kind: Kind, column: pd.Series[Any]) -> float:
    """Return a width that shows the header with its filter button, and the cells."""
    texts = (text_of(cell, kind) for cell in column.head(_SAMPLE))
    longest = max((_columns(text) for text in texts), default=0)
    return min(max(longest + 2, _columns(name) + 4, _NARROWEST), _WIDEST)


def _columns(text: str) -> int:
    # Letters beyond Latin, Greek and Cyrillic are wide in the fonts of Excel.
    return sum(2 if c >= "\u1100" else 1 for c in text)


def _add_chart(
    book: Any, sheet: Any, name: str, chart: Chart, table: pd.DataFrame
) -> Any:
    """Add a native chart, with its numbers in columns of their own beside the table."""
    place = len(table.columns) + 1
    kind, sub = _KINDS[chart.kind]
    native = book.add_chart({"type": kind, **({"subtype": sub} if sub else {})})
    columns = _columns_of(chart, table)
    if columns:
        first = 0
        labels = 0
    else:
        # Below the picture, so that the numbers can be seen and changed.
        first, labels = 19, place
        columns = _write_numbers(book, sheet, (first, place), chart)
    last = first + len(chart.labels)
    for at, series in zip(columns, chart.series, strict=True):
        colour = {"color": chart.colour(series)}
        native.add_series(
            {
                "name": [name, first, at],
                "categories": [name, first + 1, labels, last, labels],
                "values": [name, first + 1, at, last, at],
                **({"line": colour} if chart.kind == "line" else {"fill": colour}),
            }
        )
    # Dates as labels would make an axis of days.
    native.set_x_axis({"text_axis": True})
    native.set_y_axis(
        {
            "name": chart.unit,
            "major_gridlines": {"visible": True},
            "num_format": number_format(chart),
        }
    )
    native.set_legend({"position": "bottom"})
    native.set_size(_CHART_SIZE)
    sheet.insert_chart(0, place, native)
    return native


def _columns_of(chart: Chart, table: pd.DataFrame) -> list[int]:
    """Return the columns of a table that are the series of its chart; none if not."""
    first = table.iloc[: len(chart.labels), 0]
    if len(table) < len(chart.labels):
        return []
    kind = kind_of(table.columns[0], table.iloc[:, 0])
    if [text_of(cell, kind) for cell in first] != list(chart.labels):
        return []
    found = []
    for series, values in chart.series.items():
        if series not in table:
            return []
        cells = table[series].iloc[: len(values)].to_numpy(dtype=float)
        if not np.array_equal(cells, np.array(values, dtype=float), equal_nan=True):
            return []
        found.append(table.columns.get_loc(series))
    return found


def _write_numbers(
    book: Any, sheet: Any, corner: tuple[int, int], chart: Chart
) -> list[int]:
    """Write the numbers of a chart; the columns of its series."""
    first, place = corner
    bold = book.add_format({"bold": True, "align": "right"})
    number = book.add_format({"num_format": number_format(chart)})
    for row, label in enumerate(chart.labels, first + 1):
        sheet.write_string(row, place, fitting_text(label))
    longest = max((_columns(label) for label in chart.labels), default=0)
    sheet.set_column(place, place, min(max(longest + 2, _NARROWEST), _WIDEST))
    columns = []
    for at, (series, values) in enumerate(chart.series.items(), place + 1):
        sheet.write_string(first, at, fitting_text(series), bold)
        sheet.set_column(at, at, max(_columns(series) + 2, 14))
        for row, value in enumerate(values, first + 1):
            if is_there(value):
                sheet.write_number(row, at, value, number)
        columns.append(at)
    return columns


def fitting_text(text: str) -> str:
    """Return text as a cell can hold it."""
    kept = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    if len(kept) > MAX_CELL_CHARACTERS:
        return kept[: MAX_CELL_CHARACTERS - 1] + "…"
    return kept
