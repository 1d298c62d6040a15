"""Money: budgets against what the plan spends, and spend by period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    LIMIT,
    OVERLOAD,
    QUIET,
    as_plan,
    at_least_one,
    canvas,
    dress,
    money_unit,
    not_counted_note,
    number_axis,
    one_of,
    overload_mark,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.plotting.stacks import (
    categories,
    category_order,
    draw_layers,
    filled,
    largest_first,
    layer_entries,
    layers,
    stack,
)
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import TOLERANCE

_SPEND = "#3B6EA5"


def plot_budget(
    plan: Plan | Portfolio,
    budget: str | Sequence[str] | None = None,
    *,
    max_rows: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw each budget with what the plan spends of it.

    The pale bar is the amount, the narrow one the spend, hatched red where it
    exceeds the amount; a black tick is the least that has to be spent. A dashed
    line is the inherited limit: work that cannot be moved takes more than the
    amount, so its use is the limit in force.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    budget
        Budgets to show; None = all, and if they are more than `max_rows` those
        that are broken or nearest to their amounts.
    max_rows
        Largest number of budgets.
    ax
        Axes to draw on; None = a new figure that grows with the rows.

    Returns
    -------
    Axes
        Currency across, budgets down.

    Raises
    ------
    ConfigError
        If there is no such budget.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> ax = pmo.plot_budget(pmo.example_portfolio(), ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Budgets: amount against spend'
    """
    plan = as_plan(plan)
    max_rows = at_least_one("max_rows", max_rows)
    rows = plan.budget.copy()
    if budget is not None:
        named = [budget] if isinstance(budget, str) else list(budget)
        for name in named:
            one_of("budget", name, rows["budget"])
        rows = rows[rows["budget"].isin(named)]
    every = len(rows)
    if every > max_rows:
        rows = rows.loc[_tightness(rows).index[:max_rows]]
    raised = plan.inherited[plan.inherited["rule"] == "budget"]
    rows["limit"] = rows["budget"].map(raised.set_index("subject")["use"]).astype(float)
    rows["remark"] = [_remark(row) for row in rows.itertuples()]
    rows["end"] = rows[["amount", "spend", "at_least", "limit"]].max(axis=1)
    height = float(np.clip(1.5 + 0.36 * len(rows), 2.6, 60.0))
    with canvas(ax, height=height) as ax:
        title = "Budgets: amount against spend"
        if rows.empty:
            return write_empty(ax, title, "There are no budgets.")
        dress(ax, grid="x")
        handles = _draw_budgets(ax, rows)
        largest = float(rows["end"].max())
        scale, unit = money_unit(plan.portfolio.settings.currency, largest)
        ax.set_xlim(0, _right_edge(ax, rows) or 1.0)
        number_axis(ax.xaxis, scale=scale)
        ax.set_xlabel(f"amount ({unit})")
        notes = [not_counted_note(plan)]
        if len(rows) < every:
            notes.append(f"the {len(rows)} tightest of {every} budgets")
        write_title(ax, title, "; ".join(n for n in notes if n))
        write_legend(ax, handles)
    return ax


def _tightness(rows: pd.DataFrame) -> pd.DataFrame:
    """Return budgets with broken ones first, then by the share that is spent."""
    broken = (rows["headroom"] < -TOLERANCE) | (
        rows["spend"] < rows["at_least"] - TOLERANCE
    )
    used = rows["spend"] / rows["amount"]
    order = pd.DataFrame({"broken": broken, "used": used.fillna(-1.0)})
    return order.sort_values(["broken", "used"], ascending=False, kind="stable")


def _draw_budgets(ax: Axes, rows: pd.DataFrame) -> list[Artist]:
    y = np.arange(len(rows))
    amount = rows["amount"].to_numpy()
    spend = rows["spend"].to_numpy()
    limited = ~np.isnan(amount)
    within = np.where(limited, np.fmin(spend, amount), spend)
    ax.barh(y[limited], amount[limited], 0.66, color=LIMIT, label="amount")
    ax.barh(y, spend, 0.3, color=_SPEND, label="spend", zorder=2)
    handles: list[Artist] = [
        Patch(facecolor=LIMIT, label="amount (at most)"),
        Patch(facecolor=_SPEND, label="spend"),
    ]
    over = limited & (spend > amount + TOLERANCE)
    if over.any():
        ax.barh(
            y[over],
            (spend - within)[over],
            0.3,
            left=within[over],
            facecolor="white",
            edgecolor=OVERLOAD,
            hatch="//////",
            linewidth=1.0,
            label="over budget",
            zorder=3,
        )
        handles.append(overload_mark("over budget"))
    for column, label, line in (
        ("at_least", "spend at least", "-"),
        ("limit", "inherited limit", (0, (2, 1.2))),
    ):
        at = rows[column].to_numpy(dtype=float)
        present = ~np.isnan(at)
        if present.any():
            look: dict[str, Any] = {"color": INK, "linewidth": 1.8, "linestyle": line}
            ax.vlines(
                at[present],
                y[present] - 0.4,
                y[present] + 0.4,
                label=label,
                zorder=4,
                **look,
            )
            handles.append(Line2D([], [], label=label, **look))
    _write_remarks(ax, rows)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(y, [shorten(name, 34) for name in rows["budget"]])
    ax.tick_params(axis="y", length=0)
    return handles


def _write_remarks(ax: Axes, rows: pd.DataFrame) -> None:
    """Write behind each bar how much of the amount is spent, and what is wrong."""
    for i, row in enumerate(rows.itertuples()):
        in_force = row.amount if np.isnan(row.limit) else row.limit
        short = row.spend < row.at_least - TOLERANCE
        broken = short or row.spend > in_force + TOLERANCE
        ax.annotate(
            row.remark,
            (row.end, i),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=OVERLOAD if broken else QUIET,
        )


def _remark(row: Any) -> str:
    words = [_share(row.spend, row.amount)]
    if not np.isnan(row.limit):
        words.append("inherited")
    if row.spend < row.at_least - TOLERANCE:
        words.append("below the least")
    return ", ".join(word for word in words if word)


def _right_edge(ax: Axes, rows: pd.DataFrame) -> float:
    """Return where the axis has to end so that the remarks fit behind the bars."""
    # The layout will narrow the axes for the names and the legend.
    inches = 0.75 * ax.get_window_extent().width / ax.figure.dpi
    room = (0.15 + 0.075 * rows["remark"].str.len()) / inches
    return float((rows["end"] / (1.0 - room.clip(upper=0.6))).max())


def _share(spend: float, amount: float) -> str:
    if np.isnan(amount):
        return "no upper limit"
    if amount == 0:
        return "amount 0" if spend > TOLERANCE else ""
    return f"{spend / amount:.0%}" if spend < 10 * amount else "> 999%"


def plot_spend(
    plan: Plan | Portfolio,
    by: str = "fund",
    *,
    top: int = 8,
    cumulative: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw spend by period, stacked by fund, category or theme.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    by
        `fund`, `category`, or `project`, `theme`, `status`, `program` and other
        text columns of the projects table.
    top
        How many of them are shown, those with the most spend; the others are
        drawn together as "other (n)".
    cumulative
        Add a line of the spend up to each period, with its own scale on the right.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, currency up. Only spend inside the horizon.

    Raises
    ------
    ConfigError
        If there is no such column.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> ax = pmo.plot_spend(pmo.example_portfolio(), "theme", ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Spend by theme'
    """
    plan = as_plan(plan)
    top = at_least_one("top", top)
    rows = plan.spend
    if by in ("fund", "category"):
        keys = filled(rows[by], f"no {by}")
        every = dict.fromkeys(filled(plan.portfolio.spend[by], f"no {by}"))
        known = sorted(every, key=lambda name: name == f"no {by}")
    else:
        groups = categories(plan, by, more=("fund", "category"))
        keys = rows["project"].map(groups)
        known = category_order(plan, by)
    with canvas(ax) as ax:
        title = f"Spend by {by}"
        if rows.empty or not (rows["amount"] > 0).any():
            return write_empty(ax, title, "Nothing is spent inside the horizon.")
        grid = stack(rows, keys, "amount", plan.load.index)
        shown, rest = largest_first(grid, top, known if by == "status" else ())
        dress(ax, grid="y")
        period_axis(ax, plan.portfolio.horizon)
        drawn = layers(grid, shown, rest, known)
        highest = draw_layers(ax, drawn)
        handles = layer_entries(drawn)
        scale, unit = money_unit(plan.portfolio.settings.currency, highest)
        ax.set_ylim(0, highest * 1.08)
        number_axis(ax.yaxis, scale=scale)
        ax.set_ylabel(f"spend ({unit})")
        notes = [not_counted_note(plan)]
        if rest:
            notes.append(f"the {len(shown)} largest of {len(shown) + len(rest)}")
        write_title(ax, title, "; ".join(n for n in notes if n))
        if cumulative:
            handles.insert(0, _draw_cumulative(ax, plan, grid))
        write_legend(ax, handles, beyond=54.0 if cumulative else 0.0)
    return ax


def _draw_cumulative(ax: Axes, plan: Plan, grid: pd.DataFrame) -> Artist:
    side = ax.twinx()
    total = grid.sum(axis=1).cumsum().to_numpy()
    (line,) = side.plot(
        np.arange(len(total)), total, color=INK, linewidth=1.6, label="cumulative"
    )
    dress(side)
    side.spines["left"].set_visible(False)
    side.spines["bottom"].set_visible(False)
    side.spines["right"].set_visible(True)
    scale, unit = money_unit(plan.portfolio.settings.currency, float(total[-1]))
    side.set_ylim(0, float(total[-1]) * 1.08)
    number_axis(side.yaxis, scale=scale)
    side.set_ylabel(f"cumulative ({unit})")
    return line
