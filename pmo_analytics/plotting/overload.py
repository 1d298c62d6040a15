"""The chance of overload of every role in every period, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, FuncFormatter

from pmo_analytics.forecasting import outlook
from pmo_analytics.formats import percent
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    QUIET,
    at_least_one,
    canvas,
    dress,
    period_axis,
    write_empty,
    write_title,
)

if TYPE_CHECKING:
    from pmo_analytics.forecasting import Forecast

# White is safe; one hue after the other gets darker, so that grey print keeps it.
_COLOURS = LinearSegmentedColormap.from_list(
    "risk", ["#FBFAF6", "#FCE3B0", "#F5A25D", "#D6463B", "#7F0D1E"]
)


def plot_overload_chance(
    headroom: Forecast, *, max_roles: int = 30, ax: Axes | None = None
) -> Axes:
    """Draw the probability of overload as a heat map, role x period.

    The percentage is written into the cells where it fits. Grey cells have no
    forecast.

    Parameters
    ----------
    headroom
        Forecast of headroom.
    max_roles
        If there are more roles, those that may miss most are shown.
    ax
        Axes to draw on; None = a new figure that grows with the roles.

    Returns
    -------
    Axes
        Periods across, roles down in the forecast's order.

    Raises
    ------
    ConfigError
        If the forecast is not one of headroom.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> headroom = pmo.forecast_headroom(pmo.example_portfolio(), draws=50)
    >>> ax = pmo.plot_overload_chance(headroom, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Chance of overload by role'
    """
    ranked = outlook(headroom)
    max_roles = at_least_one("max_roles", max_roles)
    shown = list(headroom.roles)
    title = "Chance of overload by role"
    if len(shown) > max_roles:
        worst = set(ranked["role"].head(max_roles))
        shown = [role for role in shown if role in worst]
        title += f": the {max_roles} tightest of {len(headroom.roles)}"
    periods = len(headroom.periods)
    width = float(np.clip(3.2 + 0.46 * periods, 7.0, 13.0))
    height = float(np.clip(1.3 + 0.3 * len(shown), 2.4, 60.0))
    with canvas(ax, width=width, height=height) as ax:
        if not shown:
            return write_empty(ax, title, "There are no roles.")
        dress(ax)
        rows = headroom.table.pivot(index="role", columns="period", values="p_overload")
        chances = rows.reindex(index=shown, columns=headroom.periods).to_numpy(float)
        ax.set_facecolor("#E9E9E9")
        lined = chances.size <= 1500
        mesh = ax.pcolormesh(
            np.arange(periods + 1) - 0.5,
            np.arange(len(shown) + 1) - 0.5,
            np.ma.masked_invalid(chances),
            cmap=_COLOURS,
            vmin=0.0,
            vmax=1.0,
            edgecolors="white" if lined else "none",
            linewidth=0.8 if lined else 0.0,
        )
        period_axis(ax, headroom.periods, years=not lined)
        ax.set_ylim(len(shown) - 0.5, -0.5)
        box = ax.get_window_extent()
        cell = box.height / ax.figure.dpi / len(shown)
        ax.set_yticks(
            range(len(shown)),
            [shorten(role, 30) for role in shown],
            fontsize=float(np.clip(0.72 * 72 * cell, 4.0, 8.5)),
        )
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        # The layout still takes room for names and colour bar.
        if 0.8 * box.width / ax.figure.dpi / periods >= 0.3 and cell >= 0.17:
            _write_cells(ax, chances)
        bar = ax.figure.colorbar(
            mesh, ax=ax, pad=0.02, shrink=min(1.0, 3.0 / height + 0.25)
        )
        bar.ax.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
        bar.ax.tick_params(labelsize=8.5, length=3)
        bar.outline.set_visible(False)
        bar.set_label("probability")
        write_title(ax, title, _note(chances))
    return ax


def _write_cells(ax: Axes, chances: np.ndarray) -> None:
    for (role, period), chance in np.ndenumerate(chances):
        if np.isnan(chance):
            continue
        colour = "white" if chance > 0.62 else INK
        ax.text(
            period,
            role,
            percent(chance).removesuffix(" %"),
            ha="center",
            va="center",
            fontsize=7.5,
            fontweight="bold" if chance >= 0.5 else "normal",
            color=colour if chance else QUIET,
        )


def _note(chances: np.ndarray) -> str:
    peak = np.nan_to_num(chances).max(axis=1)
    likely = int((peak >= 0.5).sum())
    some = int(((peak >= 0.2) & (peak < 0.5)).sum())
    if not likely and not some:
        return "no role reaches 20 % in any period"
    parts = []
    if likely:
        parts.append(f"{likely} of {len(peak)} roles reach 50 % in some period")
    if some:
        parts.append(f"{some} {'more ' if likely else 'roles '}reach 20 %")
    return "; ".join(parts)
