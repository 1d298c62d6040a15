"""Where the forecast of one role comes from: its parts, its history, its breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.plotting.fan import QUANTITY_COLOURS, past_shown, risk_note
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    OTHER,
    OVERLOAD,
    QUIET,
    canvas,
    colours,
    dress,
    legend_label,
    number_axis,
    period_axis,
    write_legend,
    write_title,
)

if TYPE_CHECKING:
    from pmo_analytics.forecasting import Forecast, Why

# Parts that are drawn apart, the largest; the rest together.
_APART = 5
_LOST: dict[str, Any] = {"facecolor": "white", "edgecolor": QUIET, "linewidth": 0.4}
_RING: dict[str, Any] = {
    "color": OVERLOAD,
    "marker": "o",
    "markersize": 7,
    "fillstyle": "none",
    "linestyle": "",
}
_OF_HISTORY = (
    ": level",
    ": trend",
    ": season",
    ": working days",
    ": range, off centre",
)


def plot_why(forecast: Forecast, role: str, *, ax: Axes | None = None) -> Axes:
    """Draw where the forecast of one role comes from.

    Bars are what the mean adds up from, the largest projects apart; the line is the
    median and the thin ones p10 and p90. Of headroom the bars are its load and the line
    its capacity. Before it lies the history, grey as it counted where that differs,
    with level shifts and ended trends as lines and outliers as rings.

    Parameters
    ----------
    forecast
        Of `forecast_capacity`, `forecast_demand` or `forecast_headroom`.
    role
        One of its roles.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, FTE up.

    Raises
    ------
    ConfigError
        If the role is not in the forecast, or nothing is kept of how it was made.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> from pmo_analytics.plotting import plot_why
    >>> forecast = pmo.forecast_capacity(pmo.example_portfolio(), draws=50)
    >>> plot_why(forecast, "Developer", ax=Figure().subplots()).get_title(loc="left")
    'Developer: what its capacity is made of'
    """
    known = [part for part in forecast.parts if role in part.roles]
    shown = known[-1] if known else forecast
    why = shown.why(role)
    line = known[0] if len(known) > 1 else shown
    past = past_shown(shown, role)
    with canvas(ax) as ax:
        dress(ax, grid="y")
        periods = shown.periods
        first = min(past.index[0], periods[0]) if len(past) else periods[0]
        period_axis(ax, pd.period_range(first, periods[-1], freq=periods.freq))
        x = np.arange(len(periods)) + float(periods[0].ordinal - first.ordinal)
        entries = _draw_parts(ax, x, why, QUANTITY_COLOURS[shown.quantity])
        entries += _draw_lines(ax, x, line, role)
        if len(past):
            entries += _draw_counted(ax, past, why, first)
            ax.axvline(x[0] - 0.5, color=QUIET, linewidth=0.8, linestyle="--")
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        number_axis(ax.yaxis)
        ax.set_ylabel("FTE")
        made = f"what its {shown.quantity} is made of"
        told = "its load beside its capacity" if len(known) > 1 else made
        subject = f"{shorten(role, 40)}: {told}"
        write_title(
            ax, subject, risk_note(forecast, role) if role in forecast.roles else ""
        )
        write_legend(ax, entries)
    return ax


def _stacked(why: Why) -> pd.DataFrame:
    """Return parts to lay on each other: a history is one, the least are the rest."""
    names = [
        next(
            (
                f"history: {name.removesuffix(end)}"
                for end in _OF_HISTORY
                if end in name
            ),
            name,
        )
        for name in why.parts.columns
    ]
    together = why.parts.T.groupby(np.array(names, dtype=object), sort=False).sum().T
    sizes = together.abs().sum().sort_values(ascending=False, kind="stable")
    sizes = sizes[sizes > 1e-9]
    if len(sizes) <= _APART + 1:
        return together[list(sizes.index)]
    rest = together[list(sizes.index[_APART:])].sum(axis=1)
    return together[list(sizes.index[:_APART])].assign(
        **{f"{len(sizes) - _APART} others": rest}
    )


def _draw_parts(ax: Axes, x: np.ndarray, why: Why, colour: str) -> list[Artist]:
    """Draw the parts on each other; of capacity what is lost lies on top, hatched."""
    grid = _stacked(why)
    bottom = np.zeros(len(x))
    lost = [name for name in grid if float(grid[name].sum()) < 0.0]
    kept = [name for name in grid if name not in lost]
    light = colours(kept, kept) if len(kept) > 1 else dict.fromkeys(kept, colour)
    entries: list[Artist] = []
    for name in kept:
        values = grid[name].to_numpy()
        if not entries and lost:
            values = values + grid[lost].sum(axis=1).to_numpy()
        label = legend_label(name)
        if not entries and lost:
            label = f"{label}, what is left"
        face = OTHER if name.endswith(" others") else light[name]
        ax.bar(x, values, 0.84, bottom, color=face, alpha=0.55, linewidth=0)
        entries.append(Patch(label=label, facecolor=face, alpha=0.55))
        bottom = bottom + values
    for name, hatch in zip(lost, ("////", "....", "xxxx") * len(lost), strict=False):
        values = -grid[name].to_numpy()
        ax.bar(x, values, 0.84, bottom, hatch=hatch, **_LOST)
        entries.append(Patch(label=f"less {legend_label(name)}", hatch=hatch, **_LOST))
        bottom = bottom + values
    return entries


def _draw_lines(ax: Axes, x: np.ndarray, forecast: Forecast, role: str) -> list[Artist]:
    """Draw median, p10 and p90; return the entries of the legend."""
    dark = INK if forecast.quantity != "capacity" else QUANTITY_COLOURS["capacity"]
    for which, width, kind in (("p10", 0.9, ":"), ("p50", 1.8, "-"), ("p90", 0.9, ":")):
        values = forecast.grid(which)[role].to_numpy()
        ax.plot(x, values, color=dark, linewidth=width, linestyle=kind, zorder=3)
    name = forecast.quantity
    return [
        Line2D([], [], color=dark, linewidth=1.8, label=f"{name}, median"),
        Line2D([], [], color=dark, linewidth=0.9, linestyle=":", label="p10 and p90"),
    ]


def _draw_counted(
    ax: Axes, past: pd.Series[Any], why: Why, first: pd.Period
) -> list[Artist]:
    """Draw the history, what counted of it, and its breaks."""
    at = past.index.astype("int64").to_numpy() - first.ordinal
    values = past.to_numpy(dtype=float)
    ax.plot(at, values, color=INK, linewidth=1.2, marker="o", markersize=2.2, zorder=4)
    entries: list[Artist] = [
        Line2D([], [], color=INK, linewidth=1.2, marker="o", markersize=2.2)
    ]
    entries[0].set_label("history")
    if not len(why.past):
        return entries
    counted = why.past["counted"].reindex(past.index).to_numpy(dtype=float)
    if np.nanmax(np.abs(counted - values), initial=0.0) > 1e-6:
        ax.plot(at, counted, color=QUIET, linewidth=1.0, linestyle="-.", zorder=2.5)
        label = "as it counted"
        entries.append(Line2D([], [], color=QUIET, linestyle="-.", label=label))
    marks = why.breaks[why.breaks["period"].isin(past.index)]
    for mark in marks.itertuples():
        place = mark.period.ordinal - first.ordinal
        if mark.kind in ("shift", "trend"):
            ax.axvline(place - 0.5, color=OVERLOAD, linewidth=1.0, alpha=0.7)
        else:
            ax.plot(place, float(past[mark.period]), zorder=5, **_RING)
    kinds = set(marks["kind"])
    if kinds & {"shift", "trend"}:
        entries.append(Line2D([], [], color=OVERLOAD, linewidth=1.0, label="break"))
    if kinds & {"outlier", "last"}:
        entries.append(Line2D([], [], label="outlier", **_RING))
    return entries
