"""Charts as numbers: drawn as a vector on a page, native in workbooks and slides.

A picture of a chart cannot be edited and one of 300 charts is megabytes. So what a
report shows as a simple chart is kept as its numbers, and each kind of file draws it in
its own way, from the same ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

# Read in print, by those who see no red, and on both grounds.
COLOURS = ("#1f4e79", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#7f7f7f")
RAG = {"red": "#b3121d", "amber": "#e69f00", "green": "#2e7d32", "not known": "#9aa5b1"}
_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 14, 34, 44
_LABEL_WIDTH = 66
# Width of a letter of a label, rather more than less.
_LETTER = 6.4
# Letters of a label that is written aslant, and of a name in the legend.
_ASLANT, _NAME = 18, 28
_LINE = 18
_DATED = re.compile(r"\d{4}\b")
# Where a value or a label lies.
type Place = Callable[[float], float]


@dataclass(frozen=True)
class Chart:
    """Some series over the same labels.

    Parameters
    ----------
    kind
        `line`, `bar` (side by side) or `stacked`.
    labels
        Of the axis, in order.
    series
        Name -> one number a label; NaN = nothing there.
    unit
        Of the numbers, written at the axis.
    colours
        Name -> colour, where it means something.
    """

    kind: Literal["line", "bar", "stacked"]
    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]
    unit: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)

    def colour(self, name: str) -> str:
        """Return the colour of a series."""
        number = list(self.series).index(name)
        return self.colours.get(name, COLOURS[number % len(COLOURS)])


def svg_of(chart: Chart, alt: str) -> str:
    """Return a chart as one SVG element, which needs no style and no script."""
    low, top, step = _axis(chart)
    inner = _WIDTH - _LEFT - _RIGHT
    width = inner / max(len(chart.labels), 1)

    def across(position: float) -> float:
        return _LEFT + width * position

    def up(value: float) -> float:
        share = (value - low) / (top - low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [*_grid(chart, low, top, step, up)]
    if aslant := _are_aslant(chart, width):
        parts += _names(chart, across)
    else:
        parts += _labels(chart, across)
    if chart.kind == "line":
        parts += _lines(chart, across, up)
    else:
        parts += _bars(chart, across, up, width)
    legend, above = _legend(chart)
    parts += legend
    high = _HEIGHT + above + (_ASLANT * 4 if aslant else 0)
    return (
        f'<svg viewBox="0 {-above} {_WIDTH} {high}" width="{_WIDTH}" height="{high}" '
        'role="img" font-family="inherit" font-size="12" fill="currentColor">'
        f"<title>{escape(alt)}</title>{''.join(parts)}</svg>"
    )


def _axis(chart: Chart) -> tuple[float, float, float]:
    """Return the ends of the axis and the distance of its lines: round numbers."""
    rows = list(chart.series.values())
    if chart.kind == "stacked":
        rows = [[sum(v for v in at if is_there(v)) for at in zip(*rows, strict=True)]]
    there = [v for row in rows for v in row if is_there(v)]
    low, high = min([0.0, *there]), max([0.0, *there])
    if low == high:
        high = 1.0
    rough = (high - low) / 4
    if all(v == round(v) for v in there):
        rough = max(rough, 1.0)  # nobody counts half a project
    size = 10 ** math.floor(math.log10(rough))
    step = next(s * size for s in (1, 2, 2.5, 5, 10) if s * size >= rough)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def is_there(value: float | None) -> bool:
    """Return whether there is a number, to be drawn or written."""
    return value is not None and math.isfinite(value)


def number_format(chart: Chart) -> str:
    """Return how office programs show the numbers of a chart: no more than matters."""
    there = [v for row in chart.series.values() for v in row if is_there(v)]
    largest = max((abs(v) for v in there), default=0.0)
    whole = all(v == round(v) for v in there)
    return "#,##0" if whole or largest >= 100 else "#,##0.00"


def short(value: float) -> str:
    """Return a number as an axis shows it.

    Examples
    --------
    >>> short(2_500_000), short(40_000), short(0.25)
    ('2.5m', '40k', '0.25')
    """
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def _grid(chart: Chart, low: float, high: float, step: float, up: Place) -> list[str]:
    parts = []
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        y = up(value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-opacity="0.18"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{short(value)}</text>"
        )
    if chart.unit:
        parts.append(f'<text x="4" y="14">{escape(chart.unit)}</text>')
    return parts


def _wide(text: str) -> float:
    """Return the width of a text, in letters."""
    return sum(1.9 if c >= "\u1100" else 1.2 if c.isupper() else 1.0 for c in text)


def _cut(text: str, most: float) -> str:
    """Return as much of a text as is at most so many letters wide."""
    if _wide(text) <= most:
        return text
    kept = text
    while kept and _wide(kept) > most - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _are_aslant(chart: Chart, width: float) -> bool:
    """Whether labels are names that do not fit side by side; periods are thinned."""
    if all(_DATED.match(label) for label in chart.labels):
        return False
    return any(_wide(label) * _LETTER > width - 4 for label in chart.labels)


def _names(chart: Chart, across: Place) -> list[str]:
    """Return every label, written aslant."""
    y = _HEIGHT - _BOTTOM + 14
    return [
        f'<text transform="translate({across(number + 0.5) + 4:.1f} {y}) rotate(-35)" '
        f'text-anchor="end">{escape(_cut(label, _ASLANT))}</text>'
        for number, label in enumerate(chart.labels)
    ]


def _labels(chart: Chart, across: Place) -> list[str]:
    """Return as many labels as there is room for, the first and others evenly."""
    room = max(1, (_WIDTH - _LEFT - _RIGHT) // _LABEL_WIDTH)
    every = max(1, math.ceil(len(chart.labels) / room))
    slot = (_WIDTH - _LEFT - _RIGHT) / len(chart.labels) * every if chart.labels else 0
    longest = max(int(slot / _LETTER), 6)
    parts = []
    for number in range(0, len(chart.labels), every):
        text = _cut(chart.labels[number], longest)
        parts.append(
            f'<text x="{across(number + 0.5):.1f}" y="{_HEIGHT - _BOTTOM + 18}" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
    return parts


def _lines(chart: Chart, across: Place, up: Place) -> list[str]:
    parts = []
    for name, values in chart.series.items():
        points = [
            f"{across(number + 0.5):.1f},{up(value):.1f}"
            for number, value in enumerate(values)
            if is_there(value)
        ]
        colour = chart.colour(name)
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            'stroke-width="2.2"/>'
        )
        if points:
            x, y = points[-1].split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="3.2" fill="{colour}"/>')
    return parts


def _bars(chart: Chart, across: Place, up: Place, width: float) -> list[str]:
    parts = []
    count = 1 if chart.kind == "stacked" else len(chart.series)
    wide = width * 0.78 / count
    for number in range(len(chart.labels)):
        bottom = 0.0
        for place, (name, values) in enumerate(chart.series.items()):
            value = values[number]
            if not is_there(value) or value == 0:
                continue
            at = 0 if chart.kind == "stacked" else place
            x = across(number) + width * 0.11 + at * wide
            first, last = sorted((up(bottom), up(bottom + value)))
            parts.append(
                f'<rect x="{x:.1f}" y="{first:.1f}" width="{wide:.1f}" '
                f'height="{last - first:.1f}" fill="{chart.colour(name)}"/>'
            )
            if chart.kind == "stacked":
                bottom += value
    return parts


def _legend(chart: Chart) -> tuple[list[str], int]:
    """Return the names of the series, and the height of the lines above the first."""
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = start = float(_LEFT + 60)
    for name in chart.series:
        text = _cut(name, _NAME)
        wide = 34 + 6.6 * _wide(text)
        if rows[-1] and x + wide > _WIDTH:
            rows.append([])
            x = start
        rows[-1].append((x, text, chart.colour(name)))
        x += wide
    parts = []
    for number, row in enumerate(rows):
        y = _LINE * (number - len(rows) + 1)
        parts += [
            f'<rect x="{x:.0f}" y="{y + 5}" width="11" height="11" fill="{colour}"/>'
            f'<text x="{x + 16:.0f}" y="{y + 15}">{escape(text)}</text>'
            for x, text, colour in row
        ]
    return parts, _LINE * (len(rows) - 1)
