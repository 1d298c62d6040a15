"""Charts of a forecast: fans, the chance of overload, and errors of the past."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.forecasting.forecast import Forecast
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.style import (
    INK,
    OVERLOAD,
    PALETTE,
    QUIET,
    at_least_one,
    canvas,
    dress,
    number_axis,
    page,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)

_WIDE, _NARROW, _MIDDLE = "#C9DCEC", "#8FB6D6", "#1F5F8B"
_NAMES = {"capacity": "Capacity", "load": "Load", "headroom": "Headroom"}


def plot_forecast(
    forecast: Forecast,
    role: str | None = None,
    *,
    past: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw what may come of one role as a fan, after what has been.

    Parameters
    ----------
    forecast
        Of capacity, load or headroom.
    role
        Role to show; None = all together.
    past
        Most periods of history shown before.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        FTE by period: the median, the ranges p20-p80 and p10-p90, and history.

    Raises
    ------
    ConfigError
        If there is no such role.
    """
    if role is None:
        forecast, role = forecast.sum(), "all roles"
    elif role not in forecast.roles:
        raise ConfigError(
            f"The forecast has no role {role!r}{closest(role, forecast.roles)}."
        )
    with canvas(ax, width=9.0, height=4.2) as ax:
        dress(ax, grid="y")
        _draw_fan(ax, forecast, role, past)
        title = f"{_NAMES.get(forecast.quantity, forecast.quantity)}: {role}"
        write_title(ax, title, f"{len(forecast.draws):,} futures, FTE")
        write_legend(ax, _entries(forecast))
    return ax


def figure_forecast(
    forecast: Forecast, *, past: int = 12, max_roles: int = 12
) -> Figure:
    """Draw one fan for each role.

    Parameters
    ----------
    forecast
        Of capacity, load or headroom.
    past
        Most periods of history shown before.
    max_roles
        Largest number of panels; of headroom the roles that may miss most are shown.

    Returns
    -------
    Figure
        Each panel has its own FTE scale.
    """
    max_roles = at_least_one("max_roles", max_roles)
    roles = list(forecast.roles)
    title = f"{_NAMES.get(forecast.quantity, forecast.quantity)} by role"
    if len(roles) > max_roles:
        middle = forecast.grid("p50").min()
        roles = list(middle.sort_values().index[:max_roles])
        title += f": {max_roles} of {len(forecast.roles)}"
    columns = min(3, max(len(roles), 1)) if len(roles) != 4 else 2
    lines = max(-(-len(roles) // columns), 1)
    size = {"width": max(4.2 * columns, 6.0), "height": max(2.15 * lines + 1.0, 3.6)}
    with page(**size) as figure:
        figure.suptitle(title, x=0.01, ha="left")
        if not roles:
            ax = figure.subplots()
            write_empty(ax, "", "There are no roles with a forecast.")
            return figure
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, role in zip(panels, roles, strict=False):
            dress(ax, grid="y")
            _draw_fan(ax, forecast, role, past)
            ax.set_title(shorten(role, 30), fontsize=9.5, loc="left")
            ax.set_ylabel("FTE")
        for ax in panels[len(roles) :]:
            ax.remove()
        entries = _entries(forecast)
        figure.legend(
            entries,
            [str(entry.get_label()) for entry in entries],
            loc="outside lower center",
            ncols=len(entries),
        )
    return figure


def _draw_fan(ax: Axes, forecast: Forecast, role: str, past: int) -> None:
    history = pd.Series(dtype=float)
    if role in forecast.history.columns:
        history = forecast.history[role].iloc[-past:] if past else history
    periods = forecast.periods
    if len(history):
        periods = pd.PeriodIndex(history.index).append(forecast.periods)
    begin = len(history)
    x = np.arange(begin, len(periods))
    column = forecast.draws[:, :, forecast.roles.index(role)]
    low, lower, middle, upper, high = np.quantile(
        column, (0.1, 0.2, 0.5, 0.8, 0.9), axis=0
    )
    ax.fill_between(x, low, high, color=_WIDE, linewidth=0)
    ax.fill_between(x, lower, upper, color=_NARROW, linewidth=0)
    ax.plot(x, middle, color=_MIDDLE, linewidth=1.8)
    if begin:
        ax.plot(np.arange(begin), history, color=INK, linewidth=1.2)
        ax.axvline(begin - 0.5, color=QUIET, linewidth=0.8)
    if forecast.quantity == "headroom":
        ax.axhline(0.0, color=OVERLOAD, linewidth=1.0)
    period_axis(ax, periods)
    number_axis(ax.yaxis, most=5)


def _entries(forecast: Forecast) -> list[Patch | Line2D]:
    entries: list[Patch | Line2D] = [
        Line2D([], [], color=_MIDDLE, linewidth=1.8, label="median"),
        Patch(color=_NARROW, label="p20 - p80"),
        Patch(color=_WIDE, label="p10 - p90"),
    ]
    if len(forecast.history.columns):
        entries.append(Line2D([], [], color=INK, linewidth=1.2, label="history"))
    if forecast.quantity == "headroom":
        entries.append(Line2D([], [], color=OVERLOAD, label="overload below"))
    return entries


def plot_overload_chance(headroom: Forecast, *, ax: Axes | None = None) -> Axes:
    """Draw the chance of overload as a heat map, role x period.

    Parameters
    ----------
    headroom
        Of `forecast_headroom`.
    ax
        Axes to draw on; None = a new figure that grows with the roles.

    Returns
    -------
    Axes
        Periods across, roles down; per cent in the cells where they fit.

    Raises
    ------
    ConfigError
        If the forecast is not one of headroom.
    """
    if headroom.quantity != "headroom":
        raise ConfigError("The chance of overload comes from forecast_headroom.")
    chance = headroom.p_overload.T
    roles, periods = chance.shape
    width = float(np.clip(3.2 + 0.46 * periods, 7.0, 13.0))
    height = float(np.clip(1.3 + 0.3 * roles, 2.4, 60.0))
    with canvas(ax, width=width, height=height) as ax:
        title = "Chance of overload"
        if not roles:
            return write_empty(ax, title, "There are no roles with a forecast.")
        dress(ax)
        values = chance.to_numpy(dtype=float)
        mesh = ax.pcolormesh(
            np.arange(periods + 1) - 0.5,
            np.arange(roles + 1) - 0.5,
            values,
            cmap="OrRd",
            vmin=0.0,
            vmax=1.0,
            edgecolors="white",
            linewidth=0.8 if periods <= 60 else 0.0,
        )
        period_axis(ax, headroom.periods, years=False)
        ax.set_ylim(roles - 0.5, -0.5)
        ax.set_yticks(range(roles), [shorten(role, 30) for role in chance.index])
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        if periods <= 30:
            for (row, column), value in np.ndenumerate(values):
                ax.text(
                    column,
                    row,
                    f"{100 * value:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if value > 0.65 else INK,
                )
        bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, shrink=0.8)
        bar.ax.yaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        bar.ax.tick_params(labelsize=8.5, length=3)
        bar.outline.set_visible(False)
        likely = int((values.max(axis=1) > 0.5).sum())
        note = (
            f"{likely} of {roles} roles more likely than not in some period, per cent"
        )
        write_title(ax, title, note)
    return ax


def plot_backtest_errors(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the mean absolute error of each model by how far ahead it looked.

    Parameters
    ----------
    table
        Of `backtest`.
    ax
        Axes to draw on; None = a new figure.
    """
    with canvas(ax, width=8.0, height=4.0) as ax:
        title = "Errors of forecasts made in the past"
        if not len(table):
            return write_empty(ax, title, "The history is too short for a backtest.")
        dress(ax, grid="y")
        lead = [
            (p - c).n for p, c in zip(table["period"], table["cutoff"], strict=True)
        ]
        error = (table["forecast"] - table["actual"]).abs()
        by = error.groupby([pd.Series(lead, index=table.index), table["model"]]).mean()
        grid = by.unstack()
        for k, model in enumerate(grid.columns):
            ax.plot(grid.index, grid[model], marker="o", markersize=3, color=PALETTE[k])
        ax.set_xlabel("periods ahead")
        ax.set_ylabel("mean absolute error, FTE")
        ax.set_ylim(bottom=0.0)
        number_axis(ax.yaxis, most=5)
        cutoffs = table["cutoff"].nunique()
        note = f"{table['role'].nunique()} roles, {cutoffs} cutoffs"
        write_title(ax, title, note)
        lines = [
            Line2D([], [], color=PALETTE[k], label=str(model).replace("_", " "))
            for k, model in enumerate(grid.columns)
        ]
        write_legend(ax, lines)
    return ax


def plot_calibration(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how often the 80 % interval of each model held what happened.

    Parameters
    ----------
    table
        Of `backtest`, whose p10 - p90 should hold 80 %.
    ax
        Axes to draw on; None = a new figure.
    """
    with canvas(ax, width=7.0, height=3.2) as ax:
        title = "Share of the past inside the 80 % interval"
        if not len(table):
            return write_empty(ax, title, "The history is too short for a backtest.")
        dress(ax, grid="x")
        inside = (table["actual"] >= table["p10"]) & (table["actual"] <= table["p90"])
        share = inside.groupby(table["model"]).mean().sort_index()
        names = [str(model).replace("_", " ") for model in share.index]
        ax.barh(names, share, color=_NARROW, height=0.55)
        ax.axvline(0.8, color=OVERLOAD, linewidth=1.2)
        for k, value in enumerate(share):
            ax.text(min(value, 0.97) - 0.01, k, f"{value:.0%}", ha="right", va="center")
        ax.set_xlim(0.0, 1.0)
        ax.invert_yaxis()
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        write_title(ax, title, "80 % is asked for (line)")
    return ax
