"""The look of every chart: colours, the canvas, and the one axis of periods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Patch
from matplotlib.ticker import Formatter, FuncFormatter, Locator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from pmo_analytics.clock import base_freq, format_period
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.plan import Plan, baseline
from pmo_analytics.plotting.fonts import settle_text, shorten
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import short_not_counted

# Paul Tol's "muted" scheme: told apart with every common colour-blindness, and
# without the red that means overload.
PALETTE = (
    "#332288",
    "#88CCEE",
    "#44AA99",
    "#DDCC77",
    "#CC6677",
    "#117733",
    "#AA4499",
    "#999933",
    "#882255",
)
OTHER = "#D0D0D0"
INK = "#262626"
QUIET = "#6B6B6B"
RULE = "#E4E4E4"
OVERLOAD = "#C1121F"
LIMIT = "#DDE1E6"
LABEL_WIDTH = 26

STYLE: Mapping[str, Any] = {
    "font.size": 9.0,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": True,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.unicode_minus": False,
    "axes.facecolor": "white",
    "axes.grid": False,
    "axes.linewidth": 0.8,
    "figure.facecolor": "white",
    "figure.titlesize": 12.0,
    "figure.titleweight": "bold",
    "hatch.linewidth": 0.9,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
    "lines.linewidth": 1.6,
}

_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# Steps that fall on the same months, quarters or weeks in every year.
_STEPS = {"M": (1, 2, 3, 6), "Q": (1, 2), "W": (1, 2, 4, 13, 26), "Y": ()}
_YEAR_STEPS = (1, 2, 5, 10, 20, 50, 100)
_LABEL = 0.4  # inches of one label with a gap


@contextmanager
def style() -> Iterator[None]:
    """Apply the look inside a `with` block; the caller's settings come back."""
    # Not rc_context: it would also take back what a backend sets when the first
    # figure loads it, and notebooks would not show that figure.
    parameters: Any = matplotlib.rcParams
    before = {key: parameters[key] for key in STYLE}
    parameters.update(STYLE)
    try:
        yield
    finally:
        parameters.update(before)


@contextmanager
def canvas(
    ax: Axes | None, *, width: float = 9.0, height: float = 4.6
) -> Iterator[Axes]:
    """Give the axes to draw on, a new figure's when `ax` is None; letters settled.

    Parameters
    ----------
    width, height
        Inches of the new figure.
    """
    with style():
        own: Figure | None = None
        if ax is None:
            own, ax = _new_figure(width, height)
        others = set(ax.figure.axes) - {ax}
        foreign = list(ax.texts)
        former = ax.get_legend()
        try:
            yield ax
            added = [a for a in ax.figure.axes if a not in others and a is not ax]
            settle_text([ax, *added], foreign)
            legend = ax.get_legend()
            if (
                legend is not None
                and legend is not former
                and ax.figure.get_layout_engine() is None
            ):
                _make_room(ax, legend)
        except BaseException:
            if own is not None:
                _close(own)
            raise


@contextmanager
def page(*, width: float, height: float) -> Iterator[Figure]:
    """Give a new figure for several charts; letters settled on leaving."""
    with style():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(width, height), layout="constrained")
        try:
            yield figure
            settle_text([figure])
        except BaseException:
            _close(figure)
            raise
        # A notebook shows an open figure once by itself and once as the value of
        # the cell.
        if "inline" in matplotlib.get_backend():
            _close(figure)


def _new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")


def _close(figure: Figure) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)


def as_plan(plan: Plan | Portfolio) -> Plan:
    """Return the plan itself, or the baseline of a portfolio."""
    if isinstance(plan, Plan):
        return plan
    if isinstance(plan, Portfolio):
        return baseline(plan)
    raise ConfigError(
        f"A chart is drawn from a Plan or a Portfolio, not from {type(plan).__name__}."
    )


def not_counted_note(plan: Plan) -> str:
    """Return what a title says of work without a date; "" where all is counted."""
    missing = short_not_counted(plan.not_counted)
    return f"not counted: {missing}" if missing else ""


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` if it is allowed.

    Raises
    ------
    ConfigError
        If it is not.
    """
    choices = list(allowed)
    if value not in choices:
        raise ConfigError(
            f"{name}={value!r} cannot be used{closest(value, choices)}; "
            f"use one of {', '.join(choices)}."
        )
    return str(value)


def at_least_one(name: str, value: int) -> int:
    """Return a whole number of at least 1.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ConfigError(f"{name}={value!r} must be a whole number of at least 1.")
    return int(value)


def dress(ax: Axes, *, grid: Literal["x", "y"] | None = None) -> None:
    """Give axes their spines, ticks and light grid; works on anybody's axes."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#9A9A9A")
    ax.tick_params(
        which="both",
        colors=QUIET,
        labelcolor=INK,
        labelsize=8.5,
        length=3,
        width=0.8,
        labelfontfamily=matplotlib.rcParams["font.family"],
    )
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(9)
        label.set_color(INK)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(visible=True, axis=grid, color=RULE, linewidth=0.8)


def write_title(ax: Axes, title: str, note: str = "", *, above: float = 0.0) -> None:
    """Write the subject, and below it in grey what the reader has to know.

    Parameters
    ----------
    above
        Points that tick labels on the upper edge take.
    """
    ax.set_title(title, loc="left", pad=above + (20 if note else 7))
    if note:
        ax.annotate(
            note,
            (0, 1),
            xytext=(0, above + 6),
            xycoords="axes fraction",
            textcoords="offset points",
            color=QUIET,
            fontsize=8.5,
        )


def write_empty(ax: Axes, title: str, why: str) -> Axes:
    """Draw axes that say why there is nothing to see."""
    ax.set_title(title, loc="left")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.text(
        0.5,
        0.5,
        why,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=QUIET,
        wrap=True,
    )
    return ax


def legend_label(text: object) -> str:
    """Return text as a legend shows it; one that begins with _ would be left out."""
    label = shorten(text, LABEL_WIDTH)
    return f" {label}" if label.startswith("_") else label


def write_legend(
    ax: Axes, handles: Sequence[Artist], *, title: str = "", beyond: float = 0.0
) -> Legend:
    """Put the legend beside the chart, or inside where there is no room.

    Parameters
    ----------
    beyond
        Points to leave free to the right of the axes for a second scale.
    """
    labels = [str(handle.get_label()) for handle in handles]
    return ax.legend(
        handles,
        labels,
        title=title or None,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        bbox_transform=ax.transAxes
        + ScaledTranslation(beyond / 72, 0, ax.figure.dpi_scale_trans),
        borderaxespad=0.2,
    )


def _make_room(ax: Axes, legend: Legend) -> None:
    """Narrow axes that no layout engine places, as a colour bar does."""
    edge = ax.get_window_extent().x1
    taken = (legend.get_window_extent().x1 - edge) / ax.figure.bbox.width
    box = ax.get_position()
    if box.width - taken > 0.4 * box.width:
        ax.set_position((box.x0, box.y0, box.width - taken, box.height))
        return
    legend.set_bbox_to_anchor(None)
    legend.set_loc("upper right")
    legend.set_frame_on(True)


def overload_mark(label: str = "overload") -> Patch:
    """Return the legend entry of whatever exceeds a limit."""
    return Patch(
        facecolor="white",
        edgecolor=OVERLOAD,
        hatch="//////",
        linewidth=1.0,
        label=label,
    )


def colours(shown: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return a colour for each category, the same one in every chart.

    Parameters
    ----------
    shown
        Categories of this chart.
    known
        All categories of the portfolio in order of first appearance. As long as
        they are as few as the colours, each keeps its own even where others are
        missing; otherwise colours go to those shown.
    """
    order = [c for c in known if c in set(shown)]
    order += [c for c in shown if c not in set(known)]
    if len(known) <= len(PALETTE):
        order = [*known, *(c for c in order if c not in set(known))]
    return {c: _colour(i) for i, c in enumerate(order)}


def _colour(number: int) -> str:
    """Return the palette's colour; further rounds of it are lighter."""
    light = (0.0, 0.45, 0.7)[number // len(PALETTE) % 3]
    red, green, blue = (
        part + (1 - part) * light for part in to_rgb(PALETTE[number % len(PALETTE)])
    )
    return to_hex((red, green, blue)).upper()


def period_parts(period: Any) -> tuple[int, int]:
    """Return year and number within it as a file writes them: 2027-W05 -> 2027, 5."""
    text = format_period(period)
    return int(text[:4]), int(text[4:].lstrip("-WQ") or 1)


def period_ticks(
    periods: pd.PeriodIndex, most: int = 12, apart: float = 1.0
) -> list[int]:
    """Return the positions of about `most` periods to label.

    They are the same months, quarters or weeks in every year.

    Parameters
    ----------
    apart
        Smallest distance of two labels, in periods.
    """
    parts = [period_parts(period) for period in periods]
    # A week 53 would crowd the first week of the next year.
    candidates = [
        [
            i
            for i, (_, number) in enumerate(parts)
            if (number - 1) % step == 0 and not (step > 1 and number == 53)
        ]
        for step in _STEPS[base_freq(str(periods.freqstr))]
    ]
    candidates += [
        [
            i
            for i, (year, number) in enumerate(parts)
            if number == 1 and year % years == 0
        ]
        for years in _YEAR_STEPS
    ]
    for picked in candidates:
        # One more than asked, so that a year of weeks is labelled every fourth.
        if 0 < len(picked) <= most + 1 and all(
            b - a >= apart for a, b in pairwise(picked)
        ):
            return picked
    return [0]


def period_labels(periods: pd.PeriodIndex, positions: Sequence[int]) -> list[str]:
    """Return a label for each position, the year below the first one of a year.

    Where only years begin at the positions, the year alone.
    """
    unit = base_freq(str(periods.freqstr))
    parts = [
        period_parts(periods[i]) if 0 <= i < len(periods) else (0, 0) for i in positions
    ]
    if unit == "Y" or (len(parts) > 1 and all(number == 1 for _, number in parts)):
        return [str(year or "") for year, _ in parts]
    labels = []
    last = None
    for year, number in parts:
        name = {"M": _MONTHS[(number - 1) % 12], "Q": f"Q{number}"}.get(
            unit, f"W{number:02d}"
        )
        labels.append("" if not number else name if year == last else f"{name}\n{year}")
        last = year
    return labels


class _PeriodLocator(Locator):
    """Places as many labels as the axes have room for when they are drawn."""

    def __init__(self, periods: pd.PeriodIndex) -> None:
        self.periods = periods

    def __call__(self) -> list[int]:
        ax = self.axis.axes  # type: ignore[union-attr]
        inches = ax.get_window_extent().width / ax.figure.dpi
        lower, upper = sorted(ax.get_xlim())
        apart = _LABEL * (upper - lower) / max(inches, 0.1)
        return period_ticks(self.periods, 12, apart)

    def tick_values(self, vmin: float, vmax: float) -> list[int]:
        return [i for i in self() if vmin <= i <= vmax]


class _PeriodFormatter(Formatter):
    """Writes a period; its year below the first one of each year."""

    def __init__(self, periods: pd.PeriodIndex) -> None:
        self.periods = periods

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        inside = 0 <= round(x) < len(self.periods)
        return format_period(self.periods[round(x)]) if inside else ""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return period_labels(self.periods, [round(x) for x in values])


def period_axis(ax: Axes, periods: pd.PeriodIndex, *, years: bool = True) -> None:
    """Make the x axis one of periods: the first lies at 0, the next at 1, ...

    The only place where a Period becomes a position and a label.

    Parameters
    ----------
    years
        Draw a light line where a year begins.
    """
    ax.set_xlim(-0.5, len(periods) - 0.5)
    ax.xaxis.set_major_locator(_PeriodLocator(periods))
    ax.xaxis.set_major_formatter(_PeriodFormatter(periods))
    starts = [
        i
        for i, period in enumerate(periods)
        if i and period_parts(period)[1] == 1 and base_freq(periods.freqstr) != "Y"
    ]
    if years and len(starts) <= 12:
        for i in starts:
            ax.axvline(i - 0.5, color="#BDBDBD", linewidth=0.7, linestyle=":", zorder=0)


def number_axis(axis: Axis, *, scale: float = 1.0, most: int = 6) -> None:
    """Label an axis with plain numbers, divided by `scale`."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / scale:,.6g}"))


def money_unit(currency: str, largest: float) -> tuple[float, str]:
    """Return what amounts are divided by, and the unit to write beside them."""
    name = shorten(currency, 16) or "currency"
    for scale, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if abs(largest) >= 2 * scale:
            return scale, f"{name} {word}" if currency else f"{name}, {word}"
    return 1.0, name
