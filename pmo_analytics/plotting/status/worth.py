"""The S-curve of earned value with its indices, and money by period."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.plotting.looks import (
    INK,
    LIMIT,
    OVERLOAD,
    PALETTE,
    QUIET,
    canvas,
    dress,
    money_unit,
    number_axis,
    page,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.tracking import Status, money_by_period


def figure_earned_value(status: Status, project: str | None = None) -> Figure:
    """Draw planned value, earned value and actual cost, and CPI and SPI(t) below.

    Parameters
    ----------
    project
        None = all running projects together.

    Raises
    ------
    ConfigError
        If there is no such project.
    """
    with page(width=9.0, height=5.8) as figure:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
        plot_earned_value(status, project, ax=top)
        curve = status.curve(project)
        if curve["ev"].isna().all():
            write_empty(below, "", "No report tells an index.")
            return figure
        dress(below, grid="y")
        at = np.arange(len(curve))
        handles = []
        for name, label, colour in (
            ("cpi", "CPI", OVERLOAD),
            ("spi_t", "SPI(t)", PALETTE[0]),
        ):
            (line,) = below.plot(
                at, curve[name], color=colour, label=label, marker="o", markersize=3
            )
            handles.append(line)
        below.axhline(1.0, color=QUIET, linewidth=0.8)
        period_axis(below, curve.index)
        write_legend(below, handles)
    return figure


def plot_earned_value(
    status: Status, project: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the S-curve: planned value, and earned value and actual cost so far.

    Parameters
    ----------
    project
        None = all running projects together.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, cumulative money (or hours) up. The dashed line leads from
        actual cost to the estimate at completion.

    Raises
    ------
    ConfigError
        If there is no such project.
    """
    title = f"Earned value: {project or 'all running projects'}"
    with canvas(ax) as ax:
        curve = status.curve(project)
        if curve.empty:
            return write_empty(ax, title, "Nothing is known that value is held to.")
        scale, unit = _unit(status, float(np.nanmax(curve[["pv", "ac"]].to_numpy())))
        dress(ax, grid="y")
        at = np.arange(len(curve))
        handles = []
        for name, label, colour in (
            ("pv", "planned (PV)", QUIET),
            ("ev", "earned (EV)", PALETTE[0]),
            ("ac", "spent (AC)", OVERLOAD),
        ):
            width = 2.0 if name != "pv" else 1.4
            (line,) = ax.plot(
                at, curve[name], color=colour, label=label, linewidth=width
            )
            handles.append(line)
        known = curve["ac"].last_valid_index()
        row = status.by("program").loc["all"]
        eac = row["eac"] if project is None else status.table.loc[project, "eac"]
        if known is not None and pd.notna(eac):
            place = curve.index.get_loc(known)
            ax.plot(
                [place, len(curve) - 1],
                [curve.loc[known, "ac"], eac],
                color=OVERLOAD,
                linewidth=1.2,
                linestyle="--",
            )
            handles.append(
                Line2D([], [], color=OVERLOAD, linestyle="--", label="expected (EAC)")
            )
            ax.axvline(place, color=INK, linewidth=0.8, linestyle=":")
        number_axis(ax.yaxis, scale=scale)
        ax.set_ylabel(unit)
        ax.set_ylim(bottom=0.0)
        period_axis(ax, curve.index)
        note = f"cumulative, as of {status.as_of:%Y-%m-%d}"
        write_title(ax, title, note + ("" if project else _apart(status)))
        write_legend(ax, handles)
    return ax


def plot_status_money(status: Status, *, ax: Axes | None = None) -> Axes:
    """Draw money by period: planned and spent of each, budget and expected in the end.

    Returns
    -------
    Axes
        Periods across, money up. Bars stand for what was planned in a period and what
        was spent; the title says budget, spent and expected cost of all of them.
    """
    title = "Money of the running projects, by period"
    with canvas(ax, height=4.0) as ax:
        curve = status.curve()
        if curve.empty:
            return write_empty(ax, title, "No budget is known.")
        money = money_by_period(curve)
        planned, spent = money["planned"], money["spent"]
        scale, unit = _unit(status, float(np.nanmax(money.to_numpy())))
        dress(ax, grid="y")
        at = np.arange(len(curve))
        ax.bar(at - 0.2, planned, 0.4, color=LIMIT, label="planned")
        ax.bar(at + 0.2, np.nan_to_num(spent), 0.4, color=OVERLOAD, label="spent")
        bars = [
            Patch(color=LIMIT, label="planned"),
            Patch(color=OVERLOAD, label="spent"),
        ]
        number_axis(ax.yaxis, scale=scale)
        ax.set_ylabel(unit)
        period_axis(ax, curve.index)
        row = status.by("program").loc["all"]
        note = f"budget {row['bac']:,.0f}, spent {row['ac']:,.0f}"
        if pd.notna(row["eac"]):
            note += f", expected {row['eac']:,.0f} {status.unit_name}"
        note += _apart(status)
        write_title(ax, title, note)
        write_legend(ax, bars)
    return ax


def _apart(status: Status) -> str:
    """Say which projects are left off, where the others are drawn."""
    apart = status.left_off()
    if not apart or len(apart) == len(status.table):
        return ""
    some = f"{', '.join(apart[:3])}{', ...' if len(apart) > 3 else ''}"
    return f"; without {some}: not enough known"


def _unit(status: Status, largest: float) -> tuple[float, str]:
    if status.unit == "hours":
        return 1.0, "hours"
    return money_unit(status.portfolio.settings.currency, largest)
