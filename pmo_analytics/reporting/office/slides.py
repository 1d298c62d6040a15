"""A report as slides: the message, then a part a slide, with charts to be edited."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.formats import NUMBERS, kind_of, label_of, text_of
from pmo_analytics.reporting.charts import is_there
from pmo_analytics.reporting.figures import png_of
from pmo_analytics.reporting.page import Report, Section

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.reporting.charts import Chart

_MISSING = (
    "Slides need python-pptx. Install the extra 'office': "
    "pip install 'pmo_analytics[office]'."
)
# What can be read from the back of a room; the rest is in the workbook.
_MOST_ROWS, _MOST_COLUMNS = 12, 8
_TITLE_ONLY = 5
_COLOURS = {"red": "B3121D", "amber": "FFD27D", "green": "2E7D32"}


def write_slides(path: Path, report: Report, template: Path | None = None) -> None:
    """Write a report as slides.

    The first slide has the message and the numbers that matter most. Each part with a
    chart has a slide for it, each part with a table one for its first rows; what is
    left out is said there. Charts are native: a double click shows their numbers.

    Parameters
    ----------
    path
        File ending in .pptx; the folder must exist.
    report
        Content.
    template
        Slides of yours, whose masters are used; its own slides come first. None = a
        plain one, 16 to 9.

    Raises
    ------
    ConfigError
        If python-pptx is missing, the template cannot be read, or the file not written.
    """
    show = _presentation(template)
    _message(show, report)
    for section in report.sections:
        if section.chart is not None:
            _chart_slide(show, section, section.chart)
        elif section.figure is not None:
            _picture_slide(show, section)
        if section.table is not None and not section.table.empty:
            _table_slide(show, section, section.table)
    try:
        show.save(str(path))
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def _presentation(template: Path | None) -> Any:
    try:
        from pptx import Presentation
        from pptx.exc import PackageNotFoundError
        from pptx.util import Inches
    except ImportError as error:
        raise ConfigError(_MISSING) from error
    if template is None:
        show = Presentation()
        show.slide_width, show.slide_height = Inches(13.333), Inches(7.5)
        return show
    try:
        show = Presentation(str(template))
    except (OSError, KeyError, ValueError, PackageNotFoundError) as error:
        raise ConfigError(
            f"The template {template} cannot be read as slides. Save it as .pptx."
        ) from error
    return show


def _slide(show: Any, title: str, said: str) -> tuple[Any, Any, Any]:
    """Return a new slide with a title and a sentence, and the size that is left."""
    from pptx.util import Inches, Pt

    layouts = show.slide_layouts
    layout = layouts[min(_TITLE_ONLY, len(layouts) - 1)]
    slide = show.slides.add_slide(layout)
    width, height = show.slide_width, show.slide_height
    head = slide.shapes.title
    if head is None:
        head = slide.shapes.add_textbox(Inches(0.5), Inches(0.3), width, Inches(0.8))
    head.left, head.top = Inches(0.5), Inches(0.25)
    head.width, head.height = width - Inches(1), Inches(0.8)
    head.text_frame.text = title
    head.text_frame.paragraphs[0].font.size = Pt(30)
    if said:
        box = slide.shapes.add_textbox(
            Inches(0.5), Inches(1.05), width - Inches(1), Inches(0.6)
        )
        box.text_frame.word_wrap = True
        box.text_frame.text = said
        box.text_frame.paragraphs[0].font.size = Pt(16)
    return slide, width, height


def _message(show: Any, report: Report) -> None:
    from pptx.util import Inches, Pt

    title = f"{report.title}: {report.portfolio}" if report.portfolio else report.title
    slide, width, _ = _slide(show, title, f"As of {report.as_of}")
    box = slide.shapes.add_textbox(
        Inches(0.5), Inches(1.8), width - Inches(1), Inches(5)
    )
    frame = box.text_frame
    frame.word_wrap = True
    frame.text = report.summary
    frame.paragraphs[0].font.size = Pt(20)
    for fact in report.headline:
        line = frame.add_paragraph()
        note = f" ({fact.note})" if fact.note else ""
        line.text = f"{fact.label}: {fact.value}{note}"
        line.font.size = Pt(18)
        line.font.bold = fact.alarm


def _chart_slide(show: Any, section: Section, chart: Chart) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
    from pptx.util import Inches, Pt

    kinds = {
        "line": XL_CHART_TYPE.LINE,
        "bar": XL_CHART_TYPE.COLUMN_CLUSTERED,
        "stacked": XL_CHART_TYPE.COLUMN_STACKED,
    }
    slide, width, height = _slide(show, section.title, section.takeaway)
    data = CategoryChartData(number_format="#,##0.00")
    data.categories = list(chart.labels)
    for name, values in chart.series.items():
        data.add_series(name, [v if is_there(v) else None for v in values])
    frame = slide.shapes.add_chart(
        kinds[chart.kind],
        Inches(0.5),
        Inches(1.75),
        width - Inches(1),
        height - Inches(2.1),
        data,
    )
    native = frame.chart
    native.has_legend = True
    native.legend.position = XL_LEGEND_POSITION.BOTTOM
    native.legend.include_in_layout = False
    native.font.size = Pt(12)
    for series, name in zip(native.plots[0].series, chart.series, strict=True):
        colour = RGBColor.from_string(chart.colour(name).lstrip("#").upper())
        if chart.kind == "line":
            series.smooth = False
            series.format.line.color.rgb = colour
        else:
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = colour


def _picture_slide(show: Any, section: Section) -> None:
    from pptx.util import Inches

    figure = section.figure
    assert figure is not None
    slide, width, height = _slide(show, section.title, section.takeaway)
    across, down = figure.get_size_inches()
    room = (width - Inches(1), height - Inches(2.0))
    share = min(room[0] / across, room[1] / down)
    picture = slide.shapes.add_picture(
        io.BytesIO(png_of(figure)),
        Inches(0.5),
        Inches(1.7),
        int(across * share),
        int(down * share),
    )
    # Read aloud to those who do not see it.
    picture._element.nvPicPr.cNvPr.set("descr", section.alt or section.title)


def _table_slide(show: Any, section: Section, table: pd.DataFrame) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Inches, Pt

    shown = table.iloc[:_MOST_ROWS, :_MOST_COLUMNS]
    said = section.takeaway
    if shown.shape != table.shape:
        rest = (
            f"Here {shown.shape[0]} of {table.shape[0]} rows and {shown.shape[1]} of "
            f"{table.shape[1]} columns; the workbook has all."
        )
        said = f"{said} {rest}".strip()
    slide, width, _ = _slide(show, section.title, said)
    frame = slide.shapes.add_table(
        len(shown) + 1,
        len(shown.columns),
        Inches(0.5),
        Inches(1.75),
        width - Inches(1),
        Inches(0.35) * (len(shown) + 1),
    )
    kinds = [kind_of(name, shown[name]) for name in shown.columns]
    for place, (name, kind) in enumerate(zip(shown.columns, kinds, strict=True)):
        texts = [label_of(name), *(text_of(cell, kind) for cell in shown[name])]
        for row, text in enumerate(texts):
            cell = frame.table.cell(row, place)
            cell.text = text
            line = cell.text_frame.paragraphs[0]
            line.font.size = Pt(11)
            if kind in NUMBERS:
                line.alignment = PP_ALIGN.RIGHT
            if row and text in _COLOURS:
                cell.fill.solid()
                cell.fill.fore_color.rgb = RGBColor.from_string(_COLOURS[text])
                dark = text == "amber"
                line.font.color.rgb = (
                    RGBColor(0, 0, 0) if dark else RGBColor(255, 255, 255)
                )
