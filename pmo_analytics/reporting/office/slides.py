"""A report as slides: the message, then a part a slide, with charts to be edited."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.reporting.charts import is_there, number_format
from pmo_analytics.reporting.figures import png_of
from pmo_analytics.reporting.office.deck import (
    ACCENT,
    INK,
    QUIET,
    Deck,
    add_slide,
    clean,
    left,
    look,
    open_deck,
)
from pmo_analytics.reporting.office.tables import add_table_slide
from pmo_analytics.reporting.page import Fact, Report, Section

if TYPE_CHECKING:
    from pmo_analytics.reporting.charts import Chart

# Labels of an axis beyond which every second, third, ... is written.
_MOST_LABELS = 16
_ALARM, _CARD, _ALARM_CARD = "B3121D", "F4F6F8", "FDF0EF"


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
    deck = open_deck(template)
    _message(deck, report)
    for section in report.sections:
        if section.chart is not None:
            _chart_slide(deck, section, section.chart)
        elif section.figure is not None:
            _picture_slide(deck, section)
        if section.table is not None and not section.table.empty:
            add_table_slide(deck, section, section.table)
    try:
        deck.show.save(str(path))
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def _message(deck: Deck, report: Report) -> None:
    """Add the first slide: the numbers that matter most, and what to make of them."""
    from pptx.util import Inches

    title = f"{report.title}: {report.portfolio}" if report.portfolio else report.title
    slide, room = add_slide(deck, title, f"As of {report.as_of}")
    top = room.top
    facts = list(report.headline)
    for number, fact in enumerate(facts):
        gap, count = 0.15, len(facts)
        wide = (room.width - gap * (count - 1)) / count
        _card(slide, fact, (room.left + number * (wide + gap), top, wide, 1.5))
    if facts:
        top += 1.8
    if report.summary:
        box = slide.shapes.add_textbox(
            Inches(room.left), Inches(top), Inches(room.width), Inches(2.5)
        )
        box.text_frame.word_wrap = True
        box.text_frame.text = clean(report.summary)
        long = len(report.summary) > 400
        look(box.text_frame.paragraphs[0], 14 if long else 18, INK)


def _card(slide: Any, fact: Fact, place: tuple[float, float, float, float]) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.enum.text import MSO_ANCHOR
    from pptx.util import Inches

    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Inches, place))
    shape.shadow.inherit = False
    shape.fill.solid()
    ground = _ALARM_CARD if fact.alarm else _CARD
    shape.fill.fore_color.rgb = RGBColor.from_string(ground)
    shape.line.color.rgb = RGBColor.from_string(_ALARM if fact.alarm else ACCENT)
    frame = shape.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.text = clean(fact.label)
    lines = [(frame.paragraphs[0], 12, QUIET, False)]
    # Long amounts in five narrow cards.
    size = 22 if len(fact.value) <= 10 + 2 * (place[2] > 2.4) else 15
    for text, letters, colour, bold in (
        (fact.value, size, _ALARM if fact.alarm else INK, True),
        (fact.note, 11, QUIET, False),
    ):
        if text:
            line = frame.add_paragraph()
            line.text = clean(text)
            lines.append((line, letters, colour, bold))
    for line, letters, colour, bold in lines:
        look(line, letters, colour, bold=bold)
        line.alignment = left()


def _chart_slide(deck: Deck, section: Section, chart: Chart) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_MARKER_STYLE
    from pptx.util import Inches, Pt

    kinds = {
        "line": XL_CHART_TYPE.LINE,
        "bar": XL_CHART_TYPE.COLUMN_CLUSTERED,
        "stacked": XL_CHART_TYPE.COLUMN_STACKED,
    }
    slide, room = add_slide(deck, section.title, section.takeaway)
    data = CategoryChartData(number_format=number_format(chart))
    data.categories = [clean(label) for label in chart.labels]
    for name, values in chart.series.items():
        data.add_series(clean(name), [v if is_there(v) else None for v in values])
    frame = slide.shapes.add_chart(
        kinds[chart.kind],
        *map(Inches, (room.left, room.top, room.width, room.height)),
        data,
    )
    native = frame.chart
    native.has_legend = True
    native.legend.position = XL_LEGEND_POSITION.BOTTOM
    native.legend.include_in_layout = False
    native.font.size = Pt(12)
    axis = native.value_axis
    axis.tick_labels.number_format = number_format(chart)
    axis.tick_labels.number_format_is_linked = False
    axis.major_gridlines.format.line.color.rgb = RGBColor.from_string("DDE2E8")
    if chart.unit:
        axis.has_title = True
        axis.axis_title.text_frame.text = clean(chart.unit)
        axis.axis_title.text_frame.paragraphs[0].font.size = Pt(12)
    if chart.kind == "line" or len(chart.labels) > _MOST_LABELS:
        _thin(native.category_axis, len(chart.labels))
    for series, name in zip(native.plots[0].series, chart.series, strict=True):
        colour = RGBColor.from_string(chart.colour(name).lstrip("#").upper())
        if chart.kind == "line":
            series.smooth = False
            series.format.line.color.rgb = colour
            series.format.line.width = Pt(2.25)
            points = sum(is_there(value) for value in chart.series[name])
            # A line of one point would not be seen.
            series.marker.style = (
                XL_MARKER_STYLE.CIRCLE if points == 1 else XL_MARKER_STYLE.NONE
            )
        else:
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = colour


def _thin(axis: Any, labels: int) -> None:
    """Write as many labels of an axis as there is room for."""
    every = -(-labels // _MOST_LABELS)
    if every > 1:
        element = axis._element
        skip = element.makeelement(
            element.tag.replace("catAx", "tickLblSkip"), {"val": str(every)}
        )
        # The order of the elements is that of the format: before `noMultiLvlLbl`.
        later = element.find(element.tag.replace("catAx", "noMultiLvlLbl"))
        if later is None:
            element.append(skip)
        else:
            later.addprevious(skip)


def _picture_slide(deck: Deck, section: Section) -> None:
    from pptx.util import Inches

    figure = section.slide or section.figure
    assert figure is not None
    slide, room = add_slide(deck, section.title, section.takeaway)
    across, down = figure.get_size_inches()
    share = min(room.width / across, room.height / down)
    picture = slide.shapes.add_picture(
        io.BytesIO(png_of(figure)),
        Inches(room.left + (room.width - across * share) / 2),
        Inches(room.top),
        Inches(across * share),
        Inches(down * share),
    )
    # Read aloud to those who do not see it.
    picture._element.nvPicPr.cNvPr.set("descr", clean(section.alt or section.title))
