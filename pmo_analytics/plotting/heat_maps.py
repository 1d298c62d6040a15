"""Heat maps, role x period: utilization of a plan, and the chance of overload."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import (
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    Normalize,
    TwoSlopeNorm,
)
from matplotlib.ticker import FixedLocator, FuncFormatter

from pmo_analytics.formats import percent
from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    QUIET,
    as_plan,
    at_least_one,
    canvas,
    dress,
    not_counted_note,
    period_axis,
    write_empty,
    write_title,
)
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import TOLERANCE

if TYPE_CHECKING:
    from pmo_analytics.forecasting import Forecast

_FULL = 2.0
# White is safe; one hue after the other gets darker, so that grey print keeps it.
_RISK = LinearSegmentedColormap.from_list(
    "risk", ["#FBFAF6", "#FCE3B0", "#F5A25D", "#D6463B", "#7F0D1E"]
)


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
    with _canvas(ax, roles, periods) as ax:
        title = "Utilization by role"
        if not roles:
            return write_empty(ax, title, "There are no roles.")
        values = ratios.to_numpy(dtype=float)
        look = _look_of_shares("load / capacity")
        # A role that has load and no capacity at all is infinitely used.
        drawn = np.where(np.isinf(values), 10.0, values)
        if _draw(ax, drawn, list(ratios.index), plan.portfolio.horizon, look):
            _write_shares(ax, values)
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
    # Charts of a plan do without forecasts.
    from pmo_analytics.forecasting import outlook

    ranked = outlook(headroom)
    max_roles = at_least_one("max_roles", max_roles)
    shown = list(headroom.roles)
    title = "Chance of overload by role"
    if len(shown) > max_roles:
        worst = set(ranked["role"].head(max_roles))
        shown = [role for role in shown if role in worst]
        title += f": the {max_roles} tightest of {len(headroom.roles)}"
    with _canvas(ax, len(shown), len(headroom.periods)) as ax:
        if not shown:
            return write_empty(ax, title, "There are no roles.")
        rows = headroom.table.pivot(index="role", columns="period", values="p_overload")
        chances = rows.reindex(index=shown, columns=headroom.periods).to_numpy(float)
        look = _Look(
            cmap=_RISK,
            norm=Normalize(0.0, 1.0),
            ticks=(0.0, 0.25, 0.5, 0.75, 1.0),
            beyond=False,
            label="probability",
            background="#E9E9E9",
        )
        if _draw(ax, chances, shown, headroom.periods, look):
            _write_chances(ax, chances)
        write_title(ax, title, _note(chances))
    return ax


def plot_bookings(
    shares: pd.DataFrame, *, max_people: int = 40, ax: Axes | None = None
) -> Axes:
    """Draw how much of each person's contract is booked, person x week.

    Blue is room, white is all of the contract, red is more than that, grey is nothing
    booked; the percentage is written into the cells where it fits.

    Parameters
    ----------
    shares
        Of `tracking.booked_shares`: who is booked most stands first.
    max_people
        How many are drawn; the title says of how many.
    ax
        Axes to draw on; None = a new figure that grows with the people.

    Returns
    -------
    Axes
        Weeks across, people down. Colours end at 200 %.
    """
    at_least_one("max_people", max_people)
    title, shown = "Who is booked", shares.head(max_people)
    if len(shown) < len(shares):
        title += f": the {max_people} most booked of {len(shares)} people"
    with _canvas(ax, len(shown), shown.shape[1]) as ax:
        if shown.empty:
            return write_empty(ax, title, "Nobody is booked in these weeks.")
        values = shown.to_numpy(dtype=float)
        look = _look_of_shares("booked / contract")
        drawn = np.where(np.isinf(values), 10.0, np.where(values > 0, values, np.nan))
        names = [str(name) for name in shown.index]
        if _draw(ax, drawn, names, pd.PeriodIndex(shown.columns), look):
            _write_shares(ax, np.where(values > 0, values, np.nan))
        over = int((shares > 1 + TOLERANCE).any(axis=1).sum())
        note = f"{over} of {len(shares)} people booked over 100 % in some week"
        write_title(ax, title, note if over else "nobody is booked over 100 %")
    return ax


@dataclass(frozen=True)
class _Look:
    """Colours of a heat map, and the marks of its colour bar.

    Attributes
    ----------
    beyond
        Whether values may lie beyond the last colour.
    """

    cmap: Colormap
    norm: Normalize
    ticks: tuple[float, ...]
    beyond: bool
    label: str
    background: str


def _canvas(ax: Axes | None, roles: int, periods: int) -> AbstractContextManager[Axes]:
    """Return axes that grow with roles and periods."""
    width = float(np.clip(3.2 + 0.46 * periods, 7.0, 13.0))
    return canvas(ax, width=width, height=_height(roles))


def _height(roles: int) -> float:
    return float(np.clip(1.3 + 0.3 * roles, 2.4, 60.0))


def _draw(
    ax: Axes,
    values: np.ndarray,
    roles: Sequence[str],
    periods: pd.PeriodIndex,
    look: _Look,
) -> bool:
    """Draw values, shape (roles, periods); return whether numbers fit into the cells.

    What is not a number stays as the background.
    """
    dress(ax)
    ax.set_facecolor(look.background)
    lined = values.size <= 1500
    mesh = ax.pcolormesh(
        np.arange(len(periods) + 1) - 0.5,
        np.arange(len(roles) + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=look.cmap,
        norm=look.norm,
        edgecolors="white" if lined else "none",
        linewidth=0.8 if lined else 0.0,
    )
    period_axis(ax, periods, years=not lined)
    ax.set_ylim(len(roles) - 0.5, -0.5)
    box = ax.get_window_extent()
    cell = box.height / ax.figure.dpi / len(roles)
    # The layout still takes room for names and colour bar.
    fits = 0.8 * box.width / ax.figure.dpi / len(periods) >= 0.3 and cell >= 0.17
    ax.set_yticks(
        range(len(roles)),
        [shorten(role, 30) for role in roles],
        fontsize=float(np.clip(0.72 * 72 * cell, 4.0, 8.5)),
    )
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    bar = ax.figure.colorbar(
        mesh,
        ax=ax,
        extend="max" if look.beyond else "neither",
        pad=0.02,
        shrink=min(1.0, 3.0 / _height(len(roles)) + 0.25),
    )
    bar.ax.yaxis.set_major_locator(FixedLocator(look.ticks))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
    bar.ax.tick_params(labelsize=8.5, length=3)
    bar.outline.set_visible(False)
    bar.set_label(look.label)
    return fits


def _look_of_shares(label: str) -> _Look:
    """Return how shares of what there is are drawn; exactly full is no overload yet."""
    return _Look(
        cmap=_room_and_overload(),
        norm=TwoSlopeNorm(vmin=0.0, vcenter=1.0 + TOLERANCE, vmax=_FULL),
        ticks=(0.0, 0.5, 1.0, 1.5, 2.0),
        beyond=True,
        label=label,
        background="#F0F0F0",
    )


def _room_and_overload() -> ListedColormap:
    """Return blue to white up to the middle, then from orange to dark red."""
    below = LinearSegmentedColormap.from_list("room", ["#4A7FB5", "#C5D9EA", "#FAFAF7"])
    above = LinearSegmentedColormap.from_list("over", ["#F2A07B", "#D6463B", "#7F0D1E"])
    steps = np.linspace(0.0, 1.0, 128)
    return ListedColormap(np.vstack([below(steps), above(steps)]), name="use")


def _write_shares(ax: Axes, values: np.ndarray) -> None:
    for (role, period), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        share = "∞" if np.isinf(value) else f"{100 * value:.0f}"
        ax.text(
            period,
            role,
            share if len(share) <= 4 else ">999",
            ha="center",
            va="center",
            in_layout=False,  # inside its cell: hundreds need not be measured
            fontsize=7.5,
            fontweight="bold" if value > 1 + TOLERANCE else "normal",
            color="white" if value > 1.3 or value < 0.12 else "#262626",
        )


def _write_chances(ax: Axes, chances: np.ndarray) -> None:
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
            in_layout=False,
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
