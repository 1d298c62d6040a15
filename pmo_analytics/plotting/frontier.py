"""What more of a limit would bring, with the knee; what one FTE is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from pmo_analytics.optimization import name_level, positions
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    OVERLOAD,
    PALETTE,
    QUIET,
    at_least_one,
    canvas,
    dress,
    money_unit,
    number_axis,
    write_empty,
    write_legend,
    write_title,
)

if TYPE_CHECKING:
    from pmo_analytics.optimization import Frontier

_ACROSS = {
    "budget": "budget, share of today's",
    "capacity": "capacity, share of today's",
    "spend": "spend inside the horizon at most",
    "projects": "projects at most",
    "finish": "last project finished by",
}


def plot_frontier(frontier: Frontier, *, ax: Axes | None = None) -> Axes:
    """Draw the best objective over a limit, with what the bounds leave open.

    Parameters
    ----------
    frontier
        What `frontier()` returned.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Levels across, objective up. Bars reach up to the bound; filled points are
        better than every smaller level; crosses are levels without a plan.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> result = pmo.frontier(pmo.example_portfolio(), points=[0.9, 1.1],
    ...                       limits=pmo.SolveLimits(seconds=2, gap=0.05))
    >>> from matplotlib.figure import Figure
    >>> ax = pmo.plot_frontier(result, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Best plan over the budget'
    """
    table, over = frontier.table, frontier.over
    title = f"Best plan over the {_subject(frontier)}"
    with canvas(ax, width=8.0, height=4.4) as ax:
        known = table["objective"].notna().to_numpy()
        if not known.any():
            return write_empty(ax, title, "No level has a plan.")
        dress(ax, grid="y")
        x = positions(table)
        best = table["objective"].to_numpy(dtype=float)
        bound = table["bound"].fillna(table["objective"]).to_numpy(dtype=float)
        scale, unit = _unit(frontier, float(np.nanmax(bound)))
        efficient = table["efficient"].to_numpy(dtype=bool) & known
        ax.step(
            x[known],
            best[known],
            where="post",
            color=PALETTE[0],
            linewidth=1.4,
            alpha=0.7,
        )
        ax.errorbar(
            x[known],
            best[known],
            yerr=np.stack([np.zeros(known.sum()), (bound - best)[known]]),
            fmt="none",
            ecolor=QUIET,
            elinewidth=1.1,
            capsize=3.5,
        )
        ax.plot(x[efficient], best[efficient], "o", color=PALETTE[0], markersize=6)
        rest = known & ~efficient
        ax.plot(
            x[rest], best[rest], "o", color=PALETTE[0], markersize=6, fillstyle="none"
        )
        low, high = float(np.nanmin(best)), float(np.nanmax(bound[known]))
        room = max(high - low, 1e-9 * max(abs(high), 1.0))
        ax.set_ylim(low - 0.14 * room, high + 0.12 * room)
        if (~known).any():
            floor = np.full((~known).sum(), low - 0.07 * room)
            ax.plot(x[~known], floor, "x", color=OVERLOAD, markersize=7)
        _mark_knee(ax, frontier, x)
        _label_levels(ax, frontier, x)
        number_axis(ax.yaxis, scale=scale)
        ax.set_ylabel(f"objective, {unit}" if unit else "objective")
        ax.set_xlabel(_ACROSS[over])
        write_title(ax, title, _note(table, rest.any(), (~known).any()))
    return ax


def _subject(frontier: Frontier) -> str:
    if frontier.of:
        kind = "budget" if frontier.over == "budget" else "capacity of"
        return f"{kind} {shorten(frontier.of, 30)}"
    return {
        "projects": "number of projects",
        "finish": "last finish",
    }.get(frontier.over, frontier.over)


def _unit(frontier: Frontier, largest: float) -> tuple[float, str]:
    plan = next((plan for plan in frontier.plans if plan is not None), None)
    currency = "" if plan is None else plan.portfolio.settings.currency
    scale, unit = money_unit(currency, largest)
    if not currency:
        unit = unit.removeprefix("currency").removeprefix(", ")
    return scale, unit


def _mark_knee(ax: Axes, frontier: Frontier, x: np.ndarray) -> None:
    knee = frontier.knee
    if knee is None:
        return
    at = float(x[frontier.table["knee"].to_numpy(dtype=bool)][0])
    ax.plot(
        [at],
        [knee["objective"]],
        "o",
        markersize=13,
        fillstyle="none",
        color=OVERLOAD,
        markeredgewidth=1.6,
    )
    ax.annotate(
        f"knee, {name_level(knee['level'], frontier.over)}",
        (at, float(knee["objective"])),
        xytext=(10, -16),
        textcoords="offset points",
        color=OVERLOAD,
        fontsize=9,
    )


def _label_levels(ax: Axes, frontier: Frontier, x: np.ndarray) -> None:
    levels = frontier.table["level"].tolist()
    if frontier.over in ("budget", "capacity"):
        ax.xaxis.set_major_locator(FixedLocator(_thinned(x)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %"))
    elif frontier.over == "finish":
        shown = _thinned(x)
        names = dict(zip(x.tolist(), levels, strict=True))
        ax.set_xticks(shown, [name_level(names[v], "finish") for v in shown])
    elif frontier.over == "projects":
        ax.xaxis.set_major_locator(FixedLocator(_thinned(x)))
    else:
        scale, unit = _unit(frontier, float(x.max()))
        number_axis(ax.xaxis, scale=scale)
        if unit:
            ax.set_xlabel(f"{_ACROSS['spend']}, {unit}")


def _thinned(x: np.ndarray, most: int = 10) -> list[float]:
    step = -(-len(x) // most)
    return x[::step].tolist()


def _note(table: pd.DataFrame, flat: bool, missing: bool) -> str:
    gap = table["gain"].notna().any() and table["gap"].max()
    parts = [f"bars reach to the bound, gaps up to {gap:.1%}" if gap else "proved best"]
    if flat:
        parts.append("hollow: no better than a smaller one")
    if missing:
        parts.append("cross: no plan")
    return "; ".join(parts)


def plot_role_value(
    values: pd.DataFrame, *, max_roles: int = 20, ax: Axes | None = None
) -> Axes:
    """Draw what one FTE more and one FTE less of each role is worth.

    Parameters
    ----------
    values
        What `role_value()` returned.
    max_roles
        If there are more roles, those with the largest effect are shown.
    ax
        Axes to draw on; None = a new figure that grows with the roles.

    Returns
    -------
    Axes
        Change of the objective across, roles down, largest effect first. Lines reach
        from the least to the most that the bounds allow.

    Examples
    --------
    >>> import pandas as pd
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> values = pd.DataFrame({"role": ["Dev", "Dev"], "change": [1.0, -1.0],
    ...                        "value": [8.0, -5.0], "low": [6.0, -7.0],
    ...                        "high": [9.0, -5.0]})
    >>> ax = pmo.plot_role_value(values, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Worth of one FTE by role'
    """
    max_roles = at_least_one("max_roles", max_roles)
    known = values[values["value"].notna()]
    fte = float(known["change"].abs().max()) if len(known) else 1.0
    title = f"Worth of {'one' if fte == 1 else f'{fte:g}'} FTE by role"
    effect = known["value"].abs().groupby(known["role"]).max()
    order = effect.sort_values(ascending=False, kind="stable").index.tolist()
    more = len(order) - max_roles
    order = order[:max_roles]
    height = float(np.clip(1.5 + 0.42 * len(order), 2.4, 40.0))
    with canvas(ax, width=9.0, height=height) as ax:
        if not order:
            return write_empty(ax, title, "No role was valued.")
        dress(ax, grid="x")
        for change, color, shift, name in (
            (1, PALETTE[2], -0.17, "more"),
            (-1, PALETTE[4], 0.17, "less"),
        ):
            rows = known[np.sign(known["change"]) == change].set_index("role")
            rows = rows.reindex([role for role in order if role in rows.index])
            y = np.array([order.index(role) for role in rows.index]) + shift
            value = rows["value"].to_numpy(dtype=float)
            ax.barh(y, value, height=0.3, color=color, label=f"{fte:g} FTE {name}")
            low = rows["low"].fillna(rows["value"]).to_numpy(dtype=float)
            high = rows["high"].fillna(rows["value"]).to_numpy(dtype=float)
            ax.hlines(y, low, high, color=INK, linewidth=1.0)
            ends = np.concatenate([low, high])
            ax.plot(ends, np.tile(y, 2), "|", color=INK, markersize=6)
        ax.axvline(0.0, color="#9A9A9A", linewidth=0.8)
        ax.set_yticks(range(len(order)), [shorten(role, 30) for role in order])
        ax.set_ylim(len(order) - 0.5, -0.5)
        largest = float(known[["low", "high", "value"]].abs().max().max())
        scale, unit = money_unit("", largest)
        number_axis(ax.xaxis, scale=scale)
        unit = unit.removeprefix("currency").removeprefix(", ")
        ax.set_xlabel(f"change of the objective{', ' + unit if unit else ''}")
        write_legend(ax, ax.get_legend_handles_labels()[0])
        note = "lines: what the bounds allow"
        if more > 0:
            note += f"; {more} roles with a smaller effect are not shown"
        write_title(ax, title, note)
    return ax
