"""Scenarios side by side: what they earn, what they move, what is always chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from pmo_analytics.formats import called, names_of
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    OTHER,
    OVERLOAD,
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
from pmo_analytics.scenarios import BASE

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.scenarios import Comparison

# Blue and red stay apart for the colour-blind and in grey print.
_EFFECTS = {
    "better": "#2A6F97",
    "worse": OVERLOAD,
    "noise": "#B9BDC3",
    "none": "#B9BDC3",
}
_MOVES = {"entering": "#2A6F97", "moved": "#F2B84B", "leaving": OVERLOAD}
MINUS = "\N{MINUS SIGN}"
_SIGNS = {"entering": "+", "leaving": MINUS}


def plot_comparison(
    comparison: Comparison, *, max_scenarios: int = 40, ax: Axes | None = None
) -> Axes:
    """Draw what each scenario adds or costs against the base, with its range.

    The bar is the difference of the objectives; the line the range that both bounds
    allow. A range that holds 0 is noise and drawn in grey.

    Parameters
    ----------
    comparison
        What `compare` returned.
    max_scenarios
        If there are more, those with the largest differences are shown.
    ax
        Axes to draw on; None = a new figure that grows with the scenarios.

    Returns
    -------
    Axes
        One bar per scenario, in the order of the table.
    """
    most = at_least_one("max_scenarios", max_scenarios)
    table = comparison.table
    rows = table[table["scenario"] != BASE]
    title = "What the scenarios change"
    if len(rows) > most:
        largest = rows["objective_delta"].abs().fillna(np.inf).nlargest(most).index
        title += f": the {most} largest of {len(rows)}"
        rows = rows.loc[rows.index.isin(largest)]
    height = float(np.clip(1.6 + 0.36 * len(rows), 2.6, 40.0))
    with canvas(ax, width=9.0, height=height) as ax:
        if not rows["objective_delta"].notna().any():
            return write_empty(ax, title, "No scenario has a plan to compare.")
        dress(ax, grid="x")
        place = np.arange(len(rows))
        delta, low, high = (
            rows[c].to_numpy(dtype=float)
            for c in ("objective_delta", "delta_low", "delta_high")
        )
        effects = [e or "noise" for e in rows["effect"]]
        ax.barh(place, delta, color=[_EFFECTS[e] for e in effects], height=0.62)
        ax.hlines(place, low, high, color=INK, linewidth=1.3)
        for ends in (low, high):
            ax.plot(ends, place, "|", color=INK, markersize=7)
        ax.axvline(0.0, color=QUIET, linewidth=0.9)
        for at, status in zip(place, rows["status"], strict=True):
            if np.isnan(delta[at]):
                ax.annotate(
                    "infeasible" if status == "infeasible" else "not solved",
                    (0.0, at),
                    xytext=(5, 0),
                    textcoords="offset points",
                    va="center",
                    color=OVERLOAD,
                    fontsize=8.5,
                )
        ax.set_yticks(place, [shorten(name, 44) for name in rows["scenario"]])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        currency = comparison.portfolios[BASE].settings.currency
        scale, unit = money_unit(currency, float(np.nanmax(np.abs([low, high]))))
        number_axis(ax.xaxis, scale=scale)
        ax.set_xlabel(f"objective against the base, {unit}")
        shown = dict.fromkeys("noise" if e == "none" else e for e in effects)
        words = {"better": "better", "worse": "worse", "noise": "within the gaps"}
        handles = [
            Patch(color=_EFFECTS[e], label=words[e]) for e in words if e in shown
        ]
        write_legend(ax, handles)
        write_title(ax, title, "Lines: the range that the bounds of both plans allow.")
    return ax


def plot_moves(
    comparison: Comparison, *, max_projects: int = 40, ax: Axes | None = None
) -> Axes:
    """Draw which projects enter, leave or move in which scenario, as a matrix.

    Parameters
    ----------
    comparison
        What `compare` returned.
    max_projects
        If there are more, those that change in most scenarios are shown.
    ax
        Axes to draw on; None = a new figure that grows with both sides.

    Returns
    -------
    Axes
        Scenarios across, projects down; a moved project has its periods written in.
    """
    most = at_least_one("max_projects", max_projects)
    changes = comparison.changes
    scenarios = [name for name in comparison.plans if name != BASE]
    counts = changes["project"].value_counts()
    order = list(dict.fromkeys(changes["project"]))
    order.sort(key=lambda project: -counts[project])
    title = "Who enters, leaves and moves"
    if len(order) > most:
        title += f": {most} of {len(order)} projects"
        order = order[:most]
    width = float(np.clip(3.2 + 0.42 * len(scenarios), 6.0, 16.0))
    height = float(np.clip(1.9 + 0.25 * len(order), 2.6, 40.0))
    with canvas(ax, width=width, height=height) as ax:
        if not order:
            return write_empty(ax, title, "Every scenario keeps the plan of the base.")
        dress(ax)
        _fill_cells(ax, changes, scenarios, order)
        ax.set_xlim(-0.5, len(scenarios) - 0.5)
        ax.set_ylim(len(order) - 0.5, -0.5)
        ax.set_xticks(
            range(len(scenarios)),
            [shorten(name, 34) for name in scenarios],
            rotation=40 if len(scenarios) > 1 else 0,
            ha="right" if len(scenarios) > 1 else "center",
            rotation_mode="anchor",
        )
        names: dict[str, str] = {}
        for portfolio in comparison.portfolios.values():
            names |= names_of(portfolio.projects)
        ax.set_yticks(range(len(order)), [_label(project, names) for project in order])
        ax.set_xticks(np.arange(len(scenarios) + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(len(order) + 1) - 0.5, minor=True)
        ax.grid(visible=True, which="minor", color="#EDEDED", linewidth=0.8)
        ax.tick_params(which="both", length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        words = {"entering": "enters", "moved": "moves, periods", "leaving": "leaves"}
        shown = set(changes["change"])
        write_legend(
            ax, [Patch(color=_MOVES[k], label=words[k]) for k in words if k in shown]
        )
        write_title(ax, title, "Against the plan of the base.")
    return ax


def _fill_cells(
    ax: Axes, changes: pd.DataFrame, scenarios: Sequence[str], order: Sequence[str]
) -> None:
    """Colour the cell of each change, and write into it what it is."""
    down = {project: k for k, project in enumerate(order)}
    across = {name: k for k, name in enumerate(scenarios)}
    small = float(np.clip(150 / max(len(scenarios), 1), 5.0, 8.0))
    for row in changes[changes["project"].isin(order)].itertuples():
        x, y = across[row.scenario], down[row.project]
        corner = (x - 0.46, y - 0.44)
        colour = _MOVES[row.change]
        ax.add_patch(Rectangle(corner, 0.92, 0.88, color=colour, linewidth=0))
        mark = _SIGNS.get(row.change) or f"{row.periods:+d}"
        ax.text(
            x,
            y,
            mark.replace("-", MINUS),
            ha="center",
            va="center",
            fontsize=small,
            color=INK if row.change == "moved" else "white",
        )


def plot_core(
    comparison: Comparison, *, max_projects: int = 60, ax: Axes | None = None
) -> Axes:
    """Draw in which share of the plans each project is chosen: the core index.

    Parameters
    ----------
    comparison
        What `compare` returned.
    max_projects
        If there are more, those are shown on which the plans differ most.
    ax
        Axes to draw on; None = a new figure that grows with the projects.

    Returns
    -------
    Axes
        One bar per project, the most often chosen first.
    """
    most = at_least_one("max_projects", max_projects)
    core = comparison.core
    title = "How often each project is chosen"
    if len(core) > most:
        nearest = (core["share"] - 0.5).abs().nsmallest(most).index
        title += f": {most} of {len(core)}"
        core = core.loc[core.index.isin(nearest)]
    height = float(np.clip(1.2 + 0.21 * len(core), 2.6, 40.0))
    with canvas(ax, width=8.0, height=height) as ax:
        if core.empty:
            return write_empty(ax, title, "There are no projects.")
        dress(ax, grid="x")
        place = np.arange(len(core))
        share = core["share"].to_numpy(dtype=float)
        always, never = share >= 1.0, share <= 0.0
        colour = np.where(always, "#2A6F97", np.where(never, OTHER, "#8FB8D0"))
        ax.barh(place, share, color=list(colour), height=0.7)
        names = names_of(core)
        labels = [_label(project, names) for project in core["project"]]
        ax.set_yticks(place, labels, fontsize=7.5)
        ax.set_ylim(len(core) - 0.4, -0.6)
        ax.set_xlim(0.0, 1.0)
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        ax.tick_params(axis="y", length=0)
        plans = int(core["plans"].iat[0])
        ax.set_xlabel(f"share of {plans} plans, the base among them")
        write_title(ax, title, "Dark: in every plan, whatever happens. Blank: in none.")
    return ax


def _label(project: str, names: Mapping[str, str]) -> str:
    """Return a project's id with its name, as far as there is room."""
    return shorten(called(project, names).strip("'"), 44)
