"""Utilization of every role in every period, as a heat map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, TwoSlopeNorm
from matplotlib.ticker import FixedLocator, FuncFormatter

from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    as_plan,
    canvas,
    dress,
    not_counted_note,
    period_axis,
    write_empty,
    write_title,
)
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import TOLERANCE

_FULL = 2.0


def plot_utilization(plan: Plan | Portfolio, *, ax: Axes | None = None) -> Axes:
    """Draw utilization (load / capacity) as a heat map, role x period.

    Blue is room, white is full and red is overload, with a step in colour at
    100 %. Hatched grey cells have neither load nor capacity. The percentage is
    written into the cells where it fits.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    ax
        Axes to draw on; None = a new figure that grows with the roles.

    Returns
    -------
    Axes
        Periods across, roles down in the portfolio's order. Colours end at 200 %.

    Raises
    ------
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> ax = pmo.plot_utilization(pmo.example_portfolio(), ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Utilization by role'
    """
    plan = as_plan(plan)
    ratios = plan.utilization.T
    roles, periods = ratios.shape
    width = float(np.clip(3.2 + 0.46 * periods, 7.0, 13.0))
    height = float(np.clip(1.3 + 0.3 * roles, 2.4, 60.0))
    with canvas(ax, width=width, height=height) as ax:
        title = "Utilization by role"
        if not roles:
            return write_empty(ax, title, "There are no roles.")
        dress(ax)
        values = ratios.to_numpy(dtype=float)
        ax.set_facecolor("#F0F0F0")
        lined = roles * periods <= 1500
        mesh = ax.pcolormesh(
            np.arange(periods + 1) - 0.5,
            np.arange(roles + 1) - 0.5,
            # A role that has load and no capacity at all is infinitely used.
            np.ma.masked_invalid(np.where(np.isinf(values), 10.0, values)),
            cmap=_colours(),
            # Exactly full is not overload yet.
            norm=TwoSlopeNorm(vmin=0.0, vcenter=1.0 + TOLERANCE, vmax=_FULL),
            edgecolors="white" if lined else "none",
            linewidth=0.8 if lined else 0.0,
        )
        period_axis(ax, plan.portfolio.horizon, years=not lined)
        ax.set_ylim(roles - 0.5, -0.5)
        room = ax.get_window_extent().height / ax.figure.dpi * 72 / roles
        ax.set_yticks(
            range(roles),
            [shorten(role, 30) for role in ratios.index],
            fontsize=float(np.clip(0.72 * room, 4.0, 8.5)),
        )
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        if _fits(ax, roles, periods):
            _write_cells(ax, values)
        bar = ax.figure.colorbar(
            mesh, ax=ax, extend="max", pad=0.02, shrink=min(1.0, 3.0 / height + 0.25)
        )
        bar.ax.yaxis.set_major_locator(FixedLocator([0.0, 0.5, 1.0, 1.5, 2.0]))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
        bar.ax.tick_params(labelsize=8.5, length=3)
        bar.outline.set_visible(False)
        bar.set_label("load / capacity")
        over = (plan.overload > TOLERANCE).any(axis=0)
        note = (
            f"{int(over.sum())} of {roles} roles overloaded in some period"
            if over.any()
            else "no overload"
        )
        if missing := not_counted_note(plan):
            note = f"{note}; {missing}"
        write_title(ax, title, note)
    return ax


def _colours() -> ListedColormap:
    """Return blue to white up to the middle, then from orange to dark red."""
    below = LinearSegmentedColormap.from_list("room", ["#4A7FB5", "#C5D9EA", "#FAFAF7"])
    above = LinearSegmentedColormap.from_list("over", ["#F2A07B", "#D6463B", "#7F0D1E"])
    steps = np.linspace(0.0, 1.0, 128)
    return ListedColormap(np.vstack([below(steps), above(steps)]), name="use")


def _fits(ax: Axes, roles: int, periods: int) -> bool:
    box = ax.get_window_extent()
    dpi = ax.figure.dpi
    # The layout still takes room for names and colour bar.
    return 0.8 * box.width / dpi / periods >= 0.3 and box.height / dpi / roles >= 0.17


def _write_cells(ax: Axes, values: np.ndarray) -> None:
    for (role, period), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        percent = "∞" if np.isinf(value) else f"{100 * value:.0f}"
        ax.text(
            period,
            role,
            percent if len(percent) <= 4 else ">999",
            ha="center",
            va="center",
            fontsize=7.5,
            fontweight="bold" if value > 1 + TOLERANCE else "normal",
            color="white" if value > 1.3 or value < 0.12 else "#262626",
        )
