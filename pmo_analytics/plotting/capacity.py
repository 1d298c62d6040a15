"""Load against capacity: one role, all roles together, or a page of roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    OVERLOAD,
    QUIET,
    as_plan,
    at_least_one,
    canvas,
    dress,
    not_counted_note,
    number_axis,
    overload_mark,
    page,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.plotting.stacks import (
    categories,
    category_order,
    check_role,
    draw_excess,
    draw_layers,
    draw_steps,
    largest_first,
    layer_entries,
    layers,
    stack,
)
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import TOLERANCE

_FREE = "#44AA99"
_PLURALS = {"status": "statuses", "category": "categories"}


def plot_capacity(
    plan: Plan | Portfolio,
    role: str | None = None,
    *,
    by: str = "project",
    top: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw load, stacked, against the capacity line of one role or of all.

    What exceeds capacity is hatched red. For all roles together the hatched part
    is the sum of every role's own overload: a free tester does not help a
    developer, so it can be there although the stack stays below the line.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline: the work as dated in its tables.
    role
        One role; None = all roles together.
    by
        What the stack is made of: `project`, `theme`, `status`, `program`,
        `sponsor` or another text column of the projects table.
    top
        How many of them are shown, those with the most load; the others are drawn
        together as "other (n)".
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, FTE up.

    Raises
    ------
    ConfigError
        If the role or the column does not exist.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> portfolio = pmo.example_portfolio()
    >>> ax = pmo.plot_capacity(portfolio, by="theme", ax=Figure().subplots())
    >>> ax.get_ylabel()
    'FTE'
    """
    plan = as_plan(plan)
    top = at_least_one("top", top)
    roles = list(plan.load.columns) if role is None else [check_role(plan, role)]
    grid = _stacked_load(plan, roles, _keyed_load(plan, by))
    known = category_order(plan, by)
    subject = "All roles" if role is None else shorten(role, 48)
    with canvas(ax) as ax:
        if not roles:
            return write_empty(ax, "Load against capacity", "There are no roles.")
        shown, rest = largest_first(grid, top, known if by == "status" else ())
        drawn = layers(grid, shown, rest, known)
        _draw_panel(ax, plan, roles, drawn)
        notes = [_overload_note(plan, roles)]
        if rest:
            notes.append(
                f"the {len(shown)} largest of {len(shown) + len(rest)} {_plural(by)}"
            )
        notes.append(not_counted_note(plan))
        write_title(
            ax, f"{subject}: load against capacity", "; ".join(n for n in notes if n)
        )
        ax.set_ylabel("FTE")
        write_legend(ax, _entries(plan, roles, drawn))
    return ax


def figure_capacity(
    plan: Plan | Portfolio,
    roles: Sequence[str] | None = None,
    *,
    by: str = "status",
    top: int = 8,
    max_roles: int = 12,
) -> Figure:
    """Draw one panel of load against capacity for each role.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    roles
        Roles to show, in this order; None = all roles, and if they are more than
        `max_roles` those with the highest utilization in any period.
    by
        What the stacks are made of; see `plot_capacity`.
    top
        How many categories are shown, those with the most load over all panels.
    max_roles
        Largest number of panels where `roles` is None.

    Returns
    -------
    Figure
        Each panel has its own FTE scale; its upper right corner says the highest
        utilization. A notebook shows the figure as the value of a cell's last line.

    Raises
    ------
    ConfigError
        If a role or the column does not exist.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> figure = pmo.figure_capacity(pmo.example_portfolio())
    >>> len(figure.axes) > 1
    True
    >>> import matplotlib.pyplot as plt; plt.close(figure)
    """
    plan = as_plan(plan)
    top = at_least_one("top", top)
    max_roles = at_least_one("max_roles", max_roles)
    every = list(plan.load.columns)
    if roles is None:
        wanted = every if len(every) <= max_roles else _tightest(plan, max_roles)
    else:
        named = [roles] if isinstance(roles, str) else list(roles)
        wanted = [check_role(plan, role) for role in dict.fromkeys(named)]
    known = category_order(plan, by)
    rows = _keyed_load(plan, by)
    grid = _stacked_load(plan, wanted, rows)
    shown, rest = largest_first(grid, top, known if by == "status" else ())
    title = "Load against capacity by role"
    if roles is None and len(wanted) < len(every):
        title += f": the {len(wanted)} tightest of {len(every)}"
    if missing := not_counted_note(plan):
        title += f"\n{missing}"
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
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, role in zip(panels, wanted, strict=False):
            own = _stacked_load(plan, [role], rows)
            _draw_panel(ax, plan, [role], layers(own, shown, rest, known))
            ax.set_title(shorten(role, 30), fontsize=9.5)
            _write_peak(ax, plan, role)
            ax.set_ylabel("FTE")
        for ax in panels[len(wanted) :]:
            ax.remove()
        entries = _entries(plan, wanted, layers(grid, shown, rest, known))
        lines = -(-len(entries) // (2 * columns))
        figure.legend(
            entries,
            [str(entry.get_label()) for entry in entries],
            loc="outside lower center",
            ncols=-(-len(entries) // lines),
        )
    return figure


def plot_headroom(
    plan: Plan | Portfolio, role: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw what is free above zero and overload below it, by period.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    role
        One role; None = all roles: what is free in some roles is not set off
        against the overload of others.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, FTE up.

    Raises
    ------
    ConfigError
        If the role does not exist.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> from pmo_analytics.plotting import plot_headroom
    >>> ax = plot_headroom(pmo.example_portfolio(), ax=Figure().subplots())
    >>> ax.get_ylabel()
    'FTE'
    """
    plan = as_plan(plan)
    roles = list(plan.load.columns) if role is None else [check_role(plan, role)]
    free = plan.headroom[roles].clip(lower=0.0).sum(axis=1).to_numpy()
    over = plan.overload[roles].sum(axis=1).to_numpy()
    subject = "All roles" if role is None else shorten(role, 48)
    with canvas(ax, height=3.4) as ax:
        if not roles:
            return write_empty(ax, "Headroom", "There are no roles.")
        dress(ax, grid="y")
        period_axis(ax, plan.portfolio.horizon)
        draw_steps(
            ax, free, np.zeros(len(free)), facecolor=_FREE, label="free capacity"
        )
        handles: list[Artist] = [Patch(facecolor=_FREE, label="free capacity")]
        if draw_excess(ax, -over, np.zeros(len(over))):
            handles.append(overload_mark())
        ax.axhline(0, color=INK, linewidth=0.9)
        number_axis(ax.yaxis)
        notes = [_overload_note(plan, roles), not_counted_note(plan)]
        write_title(ax, f"{subject}: headroom", "; ".join(n for n in notes if n))
        ax.set_ylabel("FTE")
        write_legend(ax, handles)
    return ax


def _keyed_load(plan: Plan, by: str) -> pd.DataFrame:
    """Return load by project with the category of each row, `key`."""
    rows = plan.load_rows
    return rows.assign(key=rows["project"].map(categories(plan, by)))


def _stacked_load(plan: Plan, roles: Sequence[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Return load of some roles, period x category, FTE."""
    rows = rows[rows["role"].isin(list(roles))]
    return stack(rows, rows["key"], "fte", plan.load.index)


def _draw_panel(
    ax: Axes,
    plan: Plan,
    roles: Sequence[str],
    drawn: Sequence[tuple[str, str, pd.Series[Any]]],
) -> None:
    """Draw the stack, what of it is overload, and the capacity line."""
    dress(ax, grid="y")
    period_axis(ax, plan.portfolio.horizon)
    periods = len(plan.portfolio.horizon)
    draw_layers(ax, drawn)
    load = plan.load[list(roles)].sum(axis=1).to_numpy()
    over = plan.overload[list(roles)].sum(axis=1).to_numpy()
    # A role alone keeps its blanks: there the line has a hole.
    line = plan.capacity[list(roles)].sum(axis=1, min_count=1).to_numpy(dtype=float)
    draw_excess(ax, over, load - over)
    ax.stairs(
        line,
        np.arange(periods + 1) - 0.5,
        baseline=None,
        color=INK,
        linewidth=1.8,
        label="capacity",
        zorder=4,
    )
    highest = max(load.max(initial=0.0), np.nan_to_num(line).max(initial=0.0))
    ax.set_ylim(0, highest * 1.08 or 1.0)
    number_axis(ax.yaxis)


def _entries(
    plan: Plan,
    roles: Sequence[str],
    drawn: Sequence[tuple[str, str, pd.Series[Any]]],
) -> list[Artist]:
    """Return the legend's entries, the stack's from top to bottom."""
    entries: list[Artist] = [Line2D([], [], color=INK, linewidth=1.8, label="capacity")]
    if (plan.overload[list(roles)] > TOLERANCE).to_numpy().any():
        entries.append(overload_mark())
    return entries + layer_entries(drawn)


def _overload_note(plan: Plan, roles: Sequence[str]) -> str:
    over = (plan.overload[list(roles)] > TOLERANCE).any(axis=1)
    if not over.any():
        return "no overload"
    where = f"{int(over.sum())} of {len(over)} periods"
    if len(roles) > 1:
        return f"some role is overloaded in {where}"
    return f"overload in {where}"


def _tightest(plan: Plan, most: int) -> list[str]:
    """Return the roles with the highest utilization in any period, tightest first."""
    peak = plan.utilization.max()
    lasting = plan.overload.mean()
    order = pd.DataFrame({"peak": peak.fillna(-1.0), "lasting": lasting})
    ranked = order.sort_values(["peak", "lasting"], ascending=False, kind="stable")
    return [str(role) for role in ranked.index[:most]]


def _write_peak(ax: Axes, plan: Plan, role: str) -> None:
    peak = plan.utilization[role].max()
    over = plan.overload[role].max() > TOLERANCE
    if pd.isna(peak):
        text = "no load"
    elif np.isinf(peak):
        text = "load without capacity"
    else:
        text = f"peak {peak:.0%}"
    ax.set_title(
        text,
        loc="right",
        fontsize=8.5,
        fontweight="normal",
        color=OVERLOAD if over else QUIET,
    )


def _plural(by: str) -> str:
    return _PLURALS.get(by, f"{by}s")
