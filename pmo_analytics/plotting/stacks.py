"""Categories of projects on a chart, and stacks of them over the periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import plain
from pmo_analytics.plotting.looks import OTHER, OVERLOAD, colours, legend_label, one_of
from pmo_analytics.rules import TOLERANCE

# Committed work first: it lies at the bottom of a stack.
_STATUS_ORDER = (
    "running",
    "approved",
    "proposed",
    "paused",
    "idea",
    "cancelled",
    "done",
)
# With more periods than this, bars are narrow: one filled step line each instead.
_BARS = 40
_WIDTH = 0.84


def project_labels(plan: Plan) -> pd.Series[Any]:
    """Return what to call each project, Series by project: its name where it has one.

    Names that occur twice carry the id as well.
    """
    projects = plan.portfolio.projects
    ids = projects["project"]
    names = projects["name"].fillna("").map(plain)
    names = names.where(names != "", ids)
    twice = names.duplicated(keep=False)
    labels = names.where(~twice, names + " (" + ids + ")")
    return labels.set_axis(pd.Index(ids, name="project"))


def categories(
    plan: Plan, by: str, *, argument: str = "by", more: Sequence[str] = ()
) -> pd.Series[Any]:
    """Return the category of each project as text, Series by project.

    Parameters
    ----------
    by
        `project`, or a text column of the projects table.
    argument, more
        What the caller's argument is called, and what else it may be, for the
        error.

    Raises
    ------
    ConfigError
        If there is no such column.
    """
    if by == "project":
        return project_labels(plan)
    projects = plan.portfolio.projects
    # Only text sorts projects into few classes; numbers and dates do not.
    usable = [
        str(c) for c in projects.columns if pd.api.types.is_string_dtype(projects[c])
    ]
    one_of(argument, by, [*more, *usable])
    own = filled(projects[by], f"no {by}")
    return own.set_axis(pd.Index(projects["project"], name="project"))


def filled(column: pd.Series[Any], blank: str) -> pd.Series[Any]:
    """Return a column as texts, `blank` where it has none."""
    texts = column.astype(object).map(plain, na_action="ignore")
    return texts.where(texts.notna(), blank)


def category_order(plan: Plan, by: str) -> list[str]:
    """Return every category of the portfolio in the order that colours follow."""
    found = list(dict.fromkeys(categories(plan, by)))
    if by == "status":
        ranks = {status: i for i, status in enumerate(_STATUS_ORDER)}
        return list(_STATUS_ORDER[:5]) + [
            status
            for status in sorted(found, key=lambda s: ranks.get(s, 99))
            if status not in _STATUS_ORDER[:5]
        ]
    blank = f"no {by}"
    return [c for c in found if c != blank] + [c for c in found if c == blank]


def check_role(plan: Plan, role: str) -> str:
    """Return the role if the plan has it.

    Raises
    ------
    ConfigError
        If it has not.
    """
    roles = list(plan.load.columns)
    if not roles:
        raise ConfigError(f"There is no role '{role}': the portfolio has no roles.")
    return one_of("role", role, roles)


def stack(
    rows: pd.DataFrame, keys: pd.Series[Any], amount: str, periods: pd.PeriodIndex
) -> pd.DataFrame:
    """Return rows as a grid, period x category, with zeros where nothing falls.

    Parameters
    ----------
    rows
        Columns `period` and `amount` (its name).
    keys
        Category of each row.
    """
    order = list(dict.fromkeys(keys))
    grid = rows[amount].groupby([rows["period"], keys.rename("key")]).sum().unstack()
    return grid.reindex(index=periods, columns=order).fillna(0.0)


def largest_first(
    grid: pd.DataFrame, top: int, order: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the categories to show, and those to put together as the rest.

    Parameters
    ----------
    grid
        period x category.
    order
        Order of those shown; blank: largest first.
    """
    used = grid.mean()
    ranked = list(used[used > 0].sort_values(ascending=False, kind="stable").index)
    shown, rest = ranked[:top], ranked[top:]
    if order:
        ranks = {name: i for i, name in enumerate(order)}
        shown = sorted(shown, key=lambda name: ranks.get(name, len(ranks)))
    return shown, rest


def layers(
    grid: pd.DataFrame, shown: Sequence[str], rest: Sequence[str], known: Sequence[str]
) -> list[tuple[str, str, pd.Series[Any]]]:
    """Return label, colour and heights of each layer, the bottom one first."""
    palette = colours(shown, known)
    result = [
        (legend_label(name), palette[name], grid[name])
        for name in shown
        if name in grid
    ]
    others = [name for name in rest if name in grid]
    if rest:
        result.append((f"other ({len(rest)})", OTHER, grid[others].sum(axis=1)))
    return result


def layer_entries(
    drawn: Sequence[tuple[str, str, pd.Series[Any]]],
) -> list[Artist]:
    """Return the legend's entries of layers from top to bottom."""
    return [Patch(facecolor=colour, label=label) for label, colour, _ in drawn[::-1]]


def draw_layers(ax: Axes, drawn: Sequence[tuple[str, str, pd.Series[Any]]]) -> float:
    """Draw layers on each other; return the height of the highest stack."""
    below = np.zeros(len(drawn[0][2]) if drawn else 0)
    for label, colour, heights in drawn:
        values = heights.to_numpy(dtype=float)
        draw_steps(ax, values, below, facecolor=colour, label=label)
        below = below + values
    return float(below.max(initial=0.0))


def draw_steps(
    ax: Axes, heights: np.ndarray, bottom: np.ndarray, *, facecolor: str, label: str
) -> None:
    """Draw one height for each period: bars, or a filled step line if many."""
    if len(heights) > _BARS:
        ax.stairs(
            bottom + heights,
            _edges(len(heights)),
            baseline=bottom,
            fill=True,
            facecolor=facecolor,
            label=label,
        )
        return
    ax.bar(
        np.arange(len(heights)),
        heights,
        _WIDTH,
        bottom=bottom,
        facecolor=facecolor,
        edgecolor="white",
        linewidth=0.5,
        label=label,
    )


def draw_excess(ax: Axes, heights: np.ndarray, bottom: np.ndarray) -> bool:
    """Hatch what exceeds a limit, period by period; return whether there is any."""
    present = np.abs(heights) > TOLERANCE
    if not present.any():
        return False
    look: dict[str, Any] = {
        "facecolor": (1.0, 1.0, 1.0, 0.7),
        "edgecolor": OVERLOAD,
        "hatch": "//////",
        "label": "overload",
        "zorder": 3,
    }
    if len(heights) > _BARS:
        ax.stairs(
            np.where(present, bottom + heights, bottom),
            _edges(len(heights)),
            baseline=bottom,
            fill=True,
            **look,
        )
    else:
        x = np.flatnonzero(present)
        ax.bar(
            x,
            heights[present],
            _WIDTH,
            bottom=bottom[present],
            linewidth=1.0,
            **look,
        )
    return True


def _edges(periods: int) -> np.ndarray:
    return np.arange(periods + 1) - 0.5
