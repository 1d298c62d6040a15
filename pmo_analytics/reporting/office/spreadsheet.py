"""A report as a workbook: a sheet a part, real dates, native charts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.formats import NUMBERS, Kind, kind_of, label_of, text_of
from pmo_analytics.reporting.charts import is_there
from pmo_analytics.reporting.page import Report, Section, summary_of
from pmo_analytics.reporting.workbook import (
    FIRST_YEAR,
    FORMATS,
    PERIOD_FORMATS,
    fitting_text,
    sheet_names,
    width_of,
)

if TYPE_CHECKING:
    from pmo_analytics.reporting.charts import Chart

_A4 = 9  # as Excel numbers the sizes of paper
_KINDS = {"line": ("line", ""), "bar": ("column", ""), "stacked": ("column", "stacked")}
_SUMMARY = "Summary"
_CHART_WIDTH, _CHART_HEIGHT = 760, 320


def write_spreadsheet(path: Path, report: Report) -> None:
    """Write a report as a workbook.

    The first sheet has the message and the numbers that matter most; each part of the
    report with a table has a sheet, with its chart as one of Excel's own. Headings stay
    in sight, columns can be filtered, sheets print across on A4. No cell is a formula.

    Parameters
    ----------
    path
        File ending in .xlsx; the folder must exist.
    report
        Content.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """
    import xlsxwriter

    shown = [s for s in report.sections if s.table is not None and not s.table.empty]
    names = sheet_names([_SUMMARY, *(section.title for section in shown)])
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            _summary(book, names[0], report, dict(zip(names[1:], shown, strict=True)))
            for name, section in zip(names[1:], shown, strict=True):
                _sheet(book, name, section)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise ConfigError(f"Cannot write {path}: {error}.") from error


def _summary(book: Any, name: str, report: Report, parts: dict[str, Section]) -> None:
    """Write the first sheet: what it says in short, and what lies where."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    title = book.add_format({"bold": True, "font_size": 18})
    bold = book.add_format({"bold": True, "valign": "top"})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, fitting_text(report.title), title)
    row = 2
    for label, value in summary_of(report).items():
        sheet.write_string(row, 0, fitting_text(label), bold)
        sheet.write_string(row, 1, fitting_text(value), plain)
        row += 1
    row += 1
    for part, section in parts.items():
        place = part.replace("'", "''")
        sheet.write_url(row, 0, f"internal:'{place}'!A1", string=part)
        sheet.write_string(row, 1, fitting_text(section.takeaway), plain)
        row += 1


def _sheet(book: Any, name: str, section: Section) -> None:
    """Write one part: its table, and its chart to the right of it."""
    table = section.table
    assert table is not None
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    kinds = [kind_of(column, table[column]) for column in table.columns]
    forms = {kind: book.add_format({"num_format": f}) for kind, f in FORMATS.items()}
    for place, (column, kind) in enumerate(zip(table.columns, kinds, strict=True)):
        label = fitting_text(label_of(column))
        sheet.write_string(0, place, label, bold)
        sheet.set_column(place, place, width_of(label, kind, table[column]))
        for row, value in enumerate(table[column].tolist(), 1):
            _write(book, sheet, (row, place), value, kind, forms)
    sheet.autofilter(0, 0, len(table), max(len(table.columns) - 1, 0))
    if section.chart is not None:
        _add_chart(book, sheet, name, section, len(table.columns) + 1)


def _write(
    book: Any,
    sheet: Any,
    place: tuple[int, int],
    value: object,
    kind: Kind,
    forms: dict[Kind, Any],
) -> None:
    """Write a cell as what it is: a number, a real date, or text; blank for nothing."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return
    if kind == "period" and isinstance(value, pd.Period):
        form = PERIOD_FORMATS.get(value.freqstr)
        if form is not None and value.year >= FIRST_YEAR:
            dated = book.add_format({"num_format": form})
            sheet.write_datetime(*place, value.start_time.to_pydatetime(), dated)
            return
    if kind == "date" and isinstance(value, pd.Timestamp):
        day = value.to_pydatetime().replace(tzinfo=None)
        sheet.write_datetime(*place, day, forms["date"])
    elif kind == "flag":
        sheet.write_boolean(*place, bool(value))
    elif kind in NUMBERS and isinstance(value, (int, float)) and math.isfinite(value):
        sheet.write_number(*place, value, forms[kind])
    else:
        sheet.write_string(*place, fitting_text(text_of(value, kind)))


def _add_chart(book: Any, sheet: Any, name: str, section: Section, place: int) -> None:
    """Add a native chart, with its numbers in columns of their own beside it."""
    chart: Chart | None = section.chart
    assert chart is not None
    kind, sub = _KINDS[chart.kind]
    native = book.add_chart({"type": kind, **({"subtype": sub} if sub else {})})
    bold = book.add_format({"bold": True})
    number = book.add_format({"num_format": "#,##0.00"})
    # Below the picture, so that the numbers can be seen and changed.
    first = 19
    last = first + len(chart.labels)
    for row, label in enumerate(chart.labels, first + 1):
        sheet.write_string(row, place, fitting_text(label))
    for at, (series, values) in enumerate(chart.series.items(), place + 1):
        sheet.write_string(first, at, fitting_text(series), bold)
        for row, value in enumerate(values, first + 1):
            if is_there(value):
                sheet.write_number(row, at, value, number)
        colour = {"color": chart.colour(series)}
        native.add_series(
            {
                "name": [name, first, at],
                "categories": [name, first + 1, place, last, place],
                "values": [name, first + 1, at, last, at],
                **({"line": colour} if chart.kind == "line" else {"fill": colour}),
            }
        )
    native.set_title({"name": section.title, "name_font": {"size": 12}})
    native.set_y_axis({"name": chart.unit, "major_gridlines": {"visible": True}})
    native.set_legend({"position": "bottom"})
    native.set_size({"width": _CHART_WIDTH, "height": _CHART_HEIGHT})
    sheet.insert_chart(0, place, native, {"description": section.takeaway})
