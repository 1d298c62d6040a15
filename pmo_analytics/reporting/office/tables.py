"""Tables on slides: as many rows as fit, columns as wide as what they hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pmo_analytics.formats import NUMBERS, kind_of, label_of, text_of
from pmo_analytics.reporting.office.deck import Deck, add_slide, clean, say
from pmo_analytics.reporting.page import Section

if TYPE_CHECKING:
    import pandas as pd

# What can be read from the back of a room; the rest is in the workbook.
_MOST_ROWS, _MOST_COLUMNS = 12, 8
_COLOURS = {"red": "B3121D", "amber": "FFD27D", "green": "2E7D32"}
# Inches: a line of a table with its rims, a letter of it.
_LINE, _ROW_RIM, _LETTER, _CELL_RIM = 0.19, 0.1, 0.088, 0.22
# Columns get no more letters than this when room is shared out; letters of a cell.
_WIDEST, _NARROWEST, _LONGEST = 60, 7, 240


def add_table_slide(deck: Deck, section: Section, table: pd.DataFrame) -> None:
    """Add a slide with the first rows and columns; what is not on it is said."""
    from pptx.util import Inches

    shown = table.iloc[:_MOST_ROWS, :_MOST_COLUMNS]
    kinds = [kind_of(name, shown[name]) for name in shown.columns]
    texts = [
        [clean(label_of(name)), *(_short(text_of(c, kind)) for c in shown[name])]
        for name, kind in zip(shown.columns, kinds, strict=True)
    ]
    slide, room = add_slide(deck, section.title)
    widths = _widths(texts, room.width)
    lines = [
        max(
            _lines(column[row], wide)
            for column, wide in zip(texts, widths, strict=True)
        )
        for row in range(len(shown) + 1)
    ]
    heights = [n * _LINE + _ROW_RIM for n in lines]
    while len(heights) > 2 and sum(heights) > room.height:
        heights.pop()
    say(slide, room, _said(section, shown.iloc[: len(heights) - 1], table))
    frame = slide.shapes.add_table(
        len(heights),
        len(widths),
        *map(Inches, (room.left, room.top, room.width, sum(heights))),
    )
    for column, wide in zip(frame.table.columns, widths, strict=True):
        column.width = Inches(wide)
    for row, high in zip(frame.table.rows, heights, strict=True):
        row.height = Inches(high)
    for place, (column, kind) in enumerate(zip(texts, kinds, strict=True)):
        for row in range(len(heights)):
            _fill(frame.table.cell(row, place), column[row], kind in NUMBERS, row > 0)


def _said(section: Section, shown: pd.DataFrame, table: pd.DataFrame) -> str:
    """Return the sentence of a table, and what of it is not on the slide."""
    parts = [
        f"{has} of {all_} {what}"
        for has, all_, what in zip(
            shown.shape, table.shape, ("rows", "columns"), strict=True
        )
        if has < all_
    ]
    rest = f"Here {' and '.join(parts)}; the workbook has all." if parts else ""
    return f"{section.takeaway} {rest}".strip()


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _wide(text: str, capital: float = 1.2) -> int:
    # Letters beyond Latin, Greek and Cyrillic are twice as wide, capitals a fifth.
    return math.ceil(
        sum(2.0 if c >= "\u1100" else capital if c.isupper() else 1.0 for c in text)
    )


def _widths(texts: list[list[str]], width: float) -> list[float]:
    """Share the width out by what the columns hold, long ones giving way first."""
    needs = [
        _LETTER * min(max(_NARROWEST, *map(_wide, column)), _WIDEST) + _CELL_RIM
        for column in texts
    ]
    spare = width - sum(needs)
    if spare >= 0:
        return [need + spare / len(needs) for need in needs]
    words = [
        _LETTER * min(max(_wide(w) for t in column for w in (t.split() or [""])), 24)
        + _CELL_RIM
        for column in texts
    ]
    least = [min(need, word) for need, word in zip(needs, words, strict=True)]
    give = sum(needs) - sum(least)
    if give <= 0 or sum(least) > width:
        return [need * width / sum(needs) for need in needs]
    share = (width - sum(least)) / give
    return [low + share * (need - low) for need, low in zip(needs, least, strict=True)]


def _lines(text: str, wide: float) -> int:
    """Return how many lines a text takes in a column, words kept whole."""
    letters = max(int((wide - _CELL_RIM) / _LETTER), 1)
    lines, at = 1, 0
    for word in text.split():
        long = _wide(word, capital=1.0)
        if at and at + 1 + long > letters:
            lines, at = lines + 1, 0
        at += long + (1 if at else 0)
        lines, at = lines + (at - 1) // letters, (at - 1) % letters + 1
    return lines


def _fill(cell: Any, text: str, number: bool, below: bool) -> None:
    """Write a cell; the words of a status have its colour."""
    from pptx.dml.color import RGBColor
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    cell.text = text
    line = cell.text_frame.paragraphs[0]
    line.font.size = Pt(11)
    if number:
        line.alignment = PP_ALIGN.RIGHT
    if below and text in _COLOURS:
        cell.fill.solid()
        cell.fill.fore_color.rgb = RGBColor.from_string(_COLOURS[text])
        line.font.color.rgb = RGBColor.from_string(
            "000000" if text == "amber" else "FFFFFF"
        )
        line.font.bold = True
        line.alignment = PP_ALIGN.CENTER
