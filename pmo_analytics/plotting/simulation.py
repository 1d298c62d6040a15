"""Charts of a simulation: what moves it, when projects end, how sure the value is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pmo_analytics.clock import format_period
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.gantt import plot_gantt
from pmo_analytics.plotting.heat_maps import plot_overload_chance
from pmo_analytics.plotting.looks import (
    INK,
    QUIET,
    at_least_one,
    canvas,
    dress,
    money_unit,
    number_axis,
    one_of,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.simulation import OUTCOMES, Simulation

if TYPE_CHECKING:
    from matplotlib.axis import Axis

_LOW, _HIGH = "#88CCEE", "#332288"
_BAND = "#5B4A9E"
CURVES = ("value", "effort")


def plot_tornado(
    simulation: Simulation,
    outcome: str = "value",
    *,
    max_rows: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw what moves an outcome, the largest swing on top.

    Parameters
    ----------
    simulation
        Of `simulate`.
    outcome
        `value`, `finish` (of the last project) or `overload` (of all roles).
    max_rows
        Largest number of sources.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Mean outcome across, where each source is low and where it is high (of a driver
        or a win: where it does not come and where it does).

    Raises
    ------
    ConfigError
        If there is no such outcome.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> simulation = pmo.simulate(pmo.example_portfolio(), draws=100)
    >>> ax = pmo.plot_tornado(simulation, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'What moves the value'
    """
    one_of("outcome", outcome, OUTCOMES)
    max_rows = at_least_one("max_rows", max_rows)
    rows = simulation.tornado
    rows = rows[(rows["outcome"] == outcome) & (rows["swing"] != 0)]
    # What may be mere chance is not shown.
    rows = rows[rows["swing"].abs() >= 3.0 * rows["se"].fillna(0.0)].head(max_rows)
    what = {"finish": "last finish", "overload": "overload"}.get(outcome, "value")
    title = f"What moves the {what}"
    height = float(np.clip(1.5 + 0.3 * len(rows), 2.4, 40.0))
    with canvas(ax, width=9.0, height=height) as ax:
        if rows.empty:
            return write_empty(ax, title, "Nothing that is uncertain moves it.")
        dress(ax, grid="x")
        y = np.arange(len(rows))
        middle = simulation.means[outcome]
        for column, colour in (("low", _LOW), ("high", _HIGH)):
            ends = rows[column].to_numpy()
            ax.barh(y, ends - middle, 0.62, left=middle, color=colour, zorder=2)
        ax.axvline(middle, color=INK, linewidth=1.0, zorder=3)
        ax.set_yticks(
            y,
            [
                shorten(f"{row.source}: {row.kind}", 40)
                for row in rows.itertuples(index=False)
            ],
        )
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        _outcome_axis(ax.xaxis, simulation, outcome)
        shares = rows["share"].to_numpy()
        note = (
            "mean outcome in the third of the draws where each is lowest and highest; "
            f"the first explains {shares[0]:.0%} of the variance"
        )
        write_title(ax, title, note)
        write_legend(
            ax,
            [
                Patch(facecolor=_LOW, label="low, or does not come"),
                Patch(facecolor=_HIGH, label="high, or comes"),
                Line2D([], [], color=INK, linewidth=1.0, label="mean"),
            ],
        )
    return ax


def _outcome_axis(axis: Axis, simulation: Simulation, outcome: str) -> None:
    portfolio = simulation.plan.portfolio
    if outcome == "value":
        largest = float(np.abs(simulation.value["value"]).max())
        scale, unit = money_unit(portfolio.settings.currency, largest)
        number_axis(axis, scale=scale)
        axis.set_label_text(f"value, {unit}")
    elif outcome == "overload":
        number_axis(axis)
        axis.set_label_text("overload, FTE-periods")
    else:
        number_axis(axis)
        first = portfolio.horizon[0] - 1
        axis.set_major_formatter(
            FuncFormatter(lambda x, _: format_period(first + round(x)))
        )
        axis.set_label_text("mean last finish")


def plot_finish_ranges(
    simulation: Simulation,
    *,
    color: str = "theme",
    max_rows: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """Draw the roadmap with the range of each finish.

    Parameters
    ----------
    simulation
        Of `simulate`.
    color, max_rows
        As in `plot_gantt`.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Bars as planned; a line from the period by whose end a project is over with a
        chance of 50 % to that of 80 %; deadlines with the chance to meet them.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> simulation = pmo.simulate(pmo.example_portfolio(), draws=100)
    >>> ax = pmo.plot_finish_ranges(simulation, ax=Figure().subplots())
    >>> len(ax.get_yticklabels())
    9
    """
    return plot_gantt(
        simulation.plan,
        color=color,
        max_rows=max_rows,
        show_windows=False,
        finish=simulation.finish,
        ax=ax,
    )


def plot_s_curve(
    simulation: Simulation, of: str = "value", *, ax: Axes | None = None
) -> Axes:
    """Draw how sure the value is, or the work done over time.

    Parameters
    ----------
    simulation
        Of `simulate`.
    of
        `value`: its cumulative distribution; `effort`: FTE-periods of all roles from
        the first period on, with the band in which four of five futures lie.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Value across and the chance to earn less up; or periods across and work up.

    Raises
    ------
    ConfigError
        If there is no such curve.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> simulation = pmo.simulate(pmo.example_portfolio(), draws=100)
    >>> ax = pmo.plot_s_curve(simulation, "effort", ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Work over time'
    """
    one_of("of", of, CURVES)
    with canvas(ax, width=8.6, height=4.2) as ax:
        dress(ax, grid="y")
        if of == "value":
            _draw_value(ax, simulation)
        else:
            _draw_effort(ax, simulation)
    return ax


def _draw_value(ax: Axes, simulation: Simulation) -> None:
    curve = simulation.value_curve
    rows = simulation.value.set_index("quantile")["value"]
    scale, unit = money_unit(
        simulation.plan.portfolio.settings.currency, float(np.abs(rows).max())
    )
    ax.plot(curve["value"], curve["chance"], color=_BAND, linewidth=2.0, zorder=3)
    for name in ("p10", "p50", "p90"):
        chance = int(name[1:]) / 100.0
        ax.plot(rows[name], chance, marker="o", markersize=5, color=_BAND, zorder=4)
        ax.annotate(
            f"{name}: {rows[name] / scale:,.3g}",
            (rows[name], chance),
            xytext=(-8, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color=INK,
        )
    ax.axvline(rows["planned"], color=QUIET, linestyle="--", linewidth=1.2, zorder=2)
    ax.annotate(
        f"as planned: {rows['planned'] / scale:,.3g}",
        (rows["planned"], 0.02),
        xytext=(-4, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="bottom",
        fontsize=8.5,
        color=QUIET,
    )
    ax.set_ylim(0.0, 1.0)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.0%}"))
    ax.set_ylabel("chance to earn less")
    number_axis(ax.xaxis, scale=scale)
    ax.set_xlabel(f"value, {unit}")
    write_title(ax, "How sure the value is", f"{simulation.draws:,} draws")


def _draw_effort(ax: Axes, simulation: Simulation) -> None:
    curve = simulation.effort_curve
    at = np.arange(len(curve))
    ax.fill_between(
        at, curve["p10"], curve["p90"], color=_BAND, alpha=0.25, linewidth=0
    )
    ax.plot(at, curve["p50"], color=_BAND, linewidth=2.0)
    ax.plot(at, curve["planned"], color=QUIET, linestyle="--", linewidth=1.2)
    period_axis(ax, pd.PeriodIndex(curve.index))
    ax.set_ylim(bottom=0.0)
    number_axis(ax.yaxis)
    ax.set_ylabel("FTE-periods, all roles")
    write_title(ax, "Work over time", "cumulated from the first period of the horizon")
    write_legend(
        ax,
        [
            Line2D([], [], color=_BAND, linewidth=2.0, label="median"),
            Patch(facecolor=_BAND, alpha=0.25, label="p10 to p90"),
            Line2D([], [], color=QUIET, linestyle="--", label="as planned"),
        ],
    )


def simulation_figures(simulation: Simulation) -> dict[str, Figure]:
    """Return the charts of a simulation by name, as a folder holds them."""
    drawn = {
        "finish": plot_finish_ranges(simulation),
        "value": plot_s_curve(simulation),
        "effort": plot_s_curve(simulation, "effort"),
        "tornado_value": plot_tornado(simulation),
        "tornado_finish": plot_tornado(simulation, "finish"),
        "tornado_overload": plot_tornado(simulation, "overload"),
        "overload": plot_overload_chance(simulation.headroom),
    }
    figures = {}
    for name, ax in drawn.items():
        figure = ax.figure
        assert isinstance(figure, Figure)
        figures[name] = figure
    return figures
