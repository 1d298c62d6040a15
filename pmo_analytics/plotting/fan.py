"""Fan charts: a forecast by period with its quantiles, after its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting import outlook
from pmo_analytics.formats import percent
from pmo_analytics.plotting.accuracy import (
    figure_accuracy,
    plot_backtest_errors,
    plot_calibration,
)
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.heat_maps import plot_overload_chance
from pmo_analytics.plotting.looks import (
    INK,
    OVERLOAD,
    QUIET,
    at_least_one,
    canvas,
    dress,
    number_axis,
    one_of,
    page,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)

if TYPE_CHECKING:
    from pmo_analytics.forecasting import Forecast

QUANTITY_COLOURS = {"headroom": "#1F7A72", "capacity": "#3A6EA5", "load": "#5B4A9E"}
# Lower and upper quantile of each band with its opacity, the widest first.
_BANDS = (("p10", "p90", 0.22), ("p20", "p80", 0.36))
# With more points than this, a dot on each would hide the line.
_DOTS = 40


def plot_forecast(
    forecast: Forecast, role: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw a forecast of one role or of all as a fan, after its history.

    The inner band holds the middle 60 % of the draws (p20 to p80), both bands
    together the middle 80 % (p10 to p90), the line is the median. Headroom below
    zero is red: there load exceeds capacity.

    Parameters
    ----------
    forecast
        Capacity, load or headroom.
    role
        One role; None = the sum of all roles, draw by draw. In a sum of headroom
        the free people of one role are set off against the overload of others.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, FTE up.

    Raises
    ------
    ConfigError
        If the role is not in the forecast.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> from pmo_analytics.plotting.fan import plot_forecast
    >>> forecast = pmo.forecast_capacity(pmo.example_portfolio(), draws=50)
    >>> ax = plot_forecast(forecast, "Developer", ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Developer: capacity forecast'
    """
    subject = "All roles" if role is None else shorten(role, 48)
    title = f"{subject}: {forecast.quantity} forecast"
    if role is not None:
        _check_role(forecast, role)
    with canvas(ax) as ax:
        if not forecast.roles:
            return write_empty(ax, title, "There are no roles.")
        if role is None:
            forecast = forecast.sum()
            role = forecast.roles[0]
        dress(ax, grid="y")
        drawn = _draw_fan(ax, forecast, role)
        write_title(ax, title, risk_note(forecast, role))
        ax.set_ylabel("FTE")
        write_legend(ax, _entries(forecast.quantity, drawn))
    return ax


def figure_forecast(
    forecast: Forecast,
    roles: Sequence[str] | None = None,
    *,
    max_roles: int = 12,
) -> Figure:
    """Draw one fan for each role.

    Parameters
    ----------
    forecast
        Capacity, load or headroom.
    roles
        Roles to show, in this order; None = all roles, and if they are more than
        `max_roles` those that may miss most, for capacity and load the largest.
    max_roles
        Largest number of panels where `roles` is None.

    Returns
    -------
    Figure
        Each panel has its own FTE scale. For headroom its upper right corner says
        the highest chance of overload in any period.

    Raises
    ------
    ConfigError
        If a role is not in the forecast.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from pmo_analytics.plotting.fan import figure_forecast
    >>> forecast = pmo.forecast_capacity(pmo.example_portfolio(), draws=50)
    >>> figure = figure_forecast(forecast, ["Developer", "Tester"])
    >>> len(figure.axes)
    2
    >>> import matplotlib.pyplot as plt; plt.close(figure)
    """
    max_roles = at_least_one("max_roles", max_roles)
    if roles is None:
        wanted = list(forecast.roles)
        if len(wanted) > max_roles:
            wanted = _ranked(forecast)[:max_roles]
    else:
        named = [roles] if isinstance(roles, str) else list(roles)
        wanted = [_check_role(forecast, role) for role in dict.fromkeys(named)]
    title = f"{forecast.quantity.capitalize()} forecast by role"
    if roles is None and len(wanted) < len(forecast.roles):
        chosen = "tightest" if forecast.quantity == "headroom" else "largest"
        title += f": the {len(wanted)} {chosen} of {len(forecast.roles)}"
    columns = min(3, len(wanted)) if len(wanted) != 4 else 2
    lines = -(-len(wanted) // max(columns, 1))
    with page(
        width=max(4.2 * columns, 6.0), height=max(2.15 * lines + 1.0, 3.6)
    ) as figure:
        figure.suptitle(title, x=0.01, ha="left")
        if not wanted:
            ax = figure.subplots()
            dress(ax)
            write_empty(ax, "", "There are no roles.")
            return figure
        chances: dict[str, float] = {}
        if forecast.quantity == "headroom":
            chances = outlook(forecast).set_index("role")["p_overload"].to_dict()
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        drawn: set[str] = set()
        for ax, role in zip(panels, wanted, strict=False):
            dress(ax, grid="y")
            drawn |= _draw_fan(ax, forecast, role)
            ax.set_title(shorten(role, 27), fontsize=9.5)
            if role in chances:
                _write_chance(ax, chances[role])
            ax.set_ylabel("FTE")
        for ax in panels[len(wanted) :]:
            ax.remove()
        entries = _entries(forecast.quantity, drawn)
        lines = -(-len(entries) // (2 * columns))
        figure.legend(
            entries,
            [str(entry.get_label()) for entry in entries],
            loc="outside lower center",
            ncols=-(-len(entries) // lines),
        )
    return figure


def _ranked(forecast: Forecast) -> list[str]:
    """Return the roles in the order of risk, of size where it is not headroom."""
    if forecast.quantity == "headroom":
        return [str(role) for role in outlook(forecast)["role"]]
    sizes = forecast.grid("p50").mean()
    return [str(role) for role in sizes.sort_values(ascending=False).index]


def _check_role(forecast: Forecast, role: str) -> str:
    if not forecast.roles:
        raise ConfigError(f"There is no role '{role}': the forecast has no roles.")
    return one_of("role", role, forecast.roles)


def _draw_fan(ax: Axes, forecast: Forecast, role: str) -> set[str]:
    """Draw history, bands and median; return what there was to draw beside these."""
    past = past_shown(forecast, role)
    periods = forecast.periods
    first = min(past.index[0], periods[0]) if len(past) else periods[0]
    period_axis(ax, pd.period_range(first, periods[-1], freq=periods.freq))
    begin = int(periods[0].ordinal - first.ordinal)
    x = np.arange(begin, begin + len(periods), dtype=float)
    grids = {
        which: forecast.grid(which)[role].to_numpy(dtype=float)
        for which in ("p10", "p20", "p50", "p80", "p90")
    }
    drawn = set()
    values = np.concatenate([past.to_numpy(dtype=float), *grids.values()])
    low, high = _limits(values, forecast.quantity)
    colour = QUANTITY_COLOURS[forecast.quantity]
    if forecast.quantity == "headroom":
        ax.axhline(0, color=INK, linewidth=0.9, zorder=1.5)
        _draw_bands(ax, x, grids, colour, (0.0, high))
        _draw_bands(ax, x, grids, OVERLOAD, (low, 0.0))
        if grids["p10"].min() < 0:
            drawn.add("overload")
    else:
        _draw_bands(ax, x, grids, colour, (low, high))
    if len(past):
        at = past.index.astype("int64").to_numpy() - first.ordinal
        ax.plot(
            at,
            past.to_numpy(dtype=float),
            color=INK,
            linewidth=1.3,
            marker="o" if len(past) <= _DOTS else "",
            markersize=2.4,
            label="history",
            zorder=3,
        )
        ax.axvline(begin - 0.5, color=QUIET, linewidth=0.8, linestyle="--")
        drawn.add("history")
    ax.set_ylim(low, high)
    number_axis(ax.yaxis)
    return drawn


def _draw_bands(
    ax: Axes,
    x: np.ndarray,
    grids: dict[str, np.ndarray],
    colour: str,
    visible: tuple[float, float],
) -> None:
    """Draw the bands and the median, only what lies inside the visible heights."""
    window = Rectangle(
        (-1.0, visible[0]),
        float(x[-1]) + 2.0,
        visible[1] - visible[0],
        transform=ax.transData,
    )
    if len(x) == 1:
        # One period has no width of its own.
        x = np.array([x[0] - 0.3, x[0] + 0.3])
        grids = {which: np.repeat(values, 2) for which, values in grids.items()}
    for lower, upper, alpha in _BANDS:
        band = ax.fill_between(
            x, grids[lower], grids[upper], color=colour, alpha=alpha, linewidth=0
        )
        band.set_clip_path(window)
    (line,) = ax.plot(x, grids["p50"], color=colour, linewidth=1.9, zorder=2.5)
    line.set_clip_path(window)


def past_shown(forecast: Forecast, role: str) -> pd.Series[Any]:
    """Return the last known periods of a role that are worth showing, in order.

    As many as make the fan readable: half as many again as are forecast, at least
    24, and nothing from the blank periods at both ends.
    """
    frame = forecast.history
    if role not in frame.columns:
        return pd.Series([], index=forecast.periods[:0], dtype=float)
    known = frame[role].sort_index()
    inside = known.index[known.notna()]
    earliest = forecast.periods[0] - max(24, len(forecast.periods) * 3 // 2)
    if not len(inside) or inside[-1] < earliest:
        return known.iloc[:0]
    return known.loc[max(inside[0], earliest) : inside[-1]]


def _limits(values: np.ndarray, quantity: str) -> tuple[float, float]:
    """Return the ends of the FTE axis.

    Zero is shown, but for capacity and load far above it: there it would flatten
    the fan.
    """
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    if quantity == "headroom" or low <= 0.5 * high:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.06 * (high - low) or 1.0
    below = room if quantity == "headroom" or low else 0.0
    return low - below, high + room


def _entries(quantity: str, drawn: set[str]) -> list[Artist]:
    """Return the legend's entries from the known to the uncertain."""
    colour = QUANTITY_COLOURS[quantity]
    entries: list[Artist] = []
    if "history" in drawn:
        entries.append(Line2D([], [], color=INK, linewidth=1.3, label="history"))
    entries.append(Line2D([], [], color=colour, linewidth=1.9, label="median"))
    # The inner band lies on the outer one, so it is darker than its own colour.
    for (lower, upper, _), alpha in zip(_BANDS[::-1], (0.5, 0.22), strict=True):
        entries.append(
            Patch(facecolor=colour, alpha=alpha, label=f"{lower} to {upper}")
        )
    if "overload" in drawn:
        entries.append(Patch(facecolor=OVERLOAD, alpha=0.5, label="overload"))
    return entries


def risk_note(forecast: Forecast, role: str) -> str:
    """Return what the reader has to know: the risk, or the range of the median."""
    if forecast.quantity != "headroom":
        median = forecast.grid("p50")[role]
        return f"median {median.min():,.1f} to {median.max():,.1f} FTE"
    risk = outlook(forecast).set_index("role").loc[role]
    if not risk["p_overload"]:
        return "no chance of overload"
    return (
        f"chance of overload up to {percent(risk['p_overload'])} "
        f"({format_period(risk['worst'])})"
    )


def _write_chance(ax: Axes, chance: float) -> None:
    ax.set_title(
        f"overload chance {percent(chance)}",
        loc="right",
        fontsize=8.5,
        fontweight="normal",
        color=OVERLOAD if chance >= 0.5 else QUIET,
    )


def forecast_figures(
    headroom: Forecast, backtest: pd.DataFrame, accuracy: pd.DataFrame | None = None
) -> dict[str, Figure]:
    """Return the charts by name; those with nothing to show are left out.

    Parameters
    ----------
    headroom
        Of `forecast_headroom`.
    backtest, accuracy
        Of `backtest` and `forecast_accuracy`; may be empty, and the latter missing.
    """
    figures: dict[str, Figure] = {}
    if headroom.roles:
        figures["overload"] = _whole(plot_overload_chance(headroom).figure)
        figures["headroom"] = figure_forecast(headroom)
    for part in headroom.parts:
        if part.roles:
            figures[part.quantity] = figure_forecast(part)
    if len(backtest):
        figures["backtest"] = _whole(plot_backtest_errors(backtest).figure)
        figures["calibration"] = _whole(plot_calibration(backtest).figure)
    if accuracy is not None and len(accuracy):
        figures["accuracy"] = figure_accuracy(accuracy)
    return figures


def _whole(figure: object) -> Figure:
    assert isinstance(figure, Figure)
    return figure
