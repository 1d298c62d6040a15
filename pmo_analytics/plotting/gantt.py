"""Dates over time: the roadmap of a plan, and milestones from update to update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.clock import offsets_from
from pmo_analytics.networks import Story
from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    LABEL_WIDTH,
    OTHER,
    OVERLOAD,
    PALETTE,
    QUIET,
    as_plan,
    at_least_one,
    canvas,
    colours,
    dress,
    legend_label,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.plotting.stacks import categories, category_order, project_labels
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import allowed_starts, start_windows

_TALL = 28


def plot_gantt(
    plan: Plan | Portfolio,
    *,
    color: str = "theme",
    max_rows: int = 60,
    show_windows: bool = True,
    finish: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the roadmap: when each selected project runs.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline.
    color
        What colours mean: `theme`, `status`, `program`, `sponsor` or another text
        column of the projects table. Beyond nine categories the rest is grey.
    max_rows
        Largest number of projects; if there are more, those that must be in the
        plan come first, then those worth most.
    show_windows
        Draw a thin line from the earliest allowed start to the latest allowed
        finish of projects that can move.
    finish
        Table `finish` of a simulation: adds when each project will be over with a
        chance of 50 % and of 80 %, and its deadline with the chance to meet it.
    ax
        Axes to draw on; None = a new figure that grows with the rows.

    Returns
    -------
    Axes
        Periods across, projects down in the order of their starts. A white dot
        marks a project that must be selected (running, approved or forced in), a hollow
        triangle its planned start where the plan moves it, an arrow what lies
        outside the horizon.

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
    >>> portfolio = pmo.example_portfolio()
    >>> ax = pmo.plot_gantt(portfolio, color="status", ax=Figure().subplots())
    >>> len(ax.get_yticklabels()) > 0
    True
    """
    plan = as_plan(plan)
    max_rows = at_least_one("max_rows", max_rows)
    groups = categories(plan, color, argument="color")
    known = category_order(plan, color)
    rows = _rows(plan, max_rows)
    selected = len(plan.starts)
    height = float(np.clip(1.35 + 0.235 * len(rows), 3.0, 200.0))
    with canvas(ax, width=10.5, height=height) as ax:
        title = "Roadmap"
        if plan.portfolio.name:
            title += f": {shorten(plan.portfolio.name, 56)}"
        if rows.empty:
            return write_empty(ax, title, "No project is selected.")
        dress(ax)
        _draw_frame(ax, plan, rows)
        category = rows["project"].map(groups)
        palette, legend = _palette(category, known)
        _draw_bars(ax, plan, rows, [palette[c] for c in category])
        legend += _draw_marks(ax, plan, rows, show_windows)
        if finish is not None:
            legend += _draw_ranges(ax, plan, rows, finish)
        notes = [_selected_note(plan)]
        if len(rows) < selected:
            first = " after those that must be in" if rows["must"].any() else ""
            notes.append(f"{len(rows)} of {selected} shown, by worth{first}")
        write_title(ax, title, "; ".join(notes), above=_above(rows))
        write_legend(ax, legend, title=shorten(color, LABEL_WIDTH))
    return ax


def _rows(plan: Plan, most: int) -> pd.DataFrame:
    """Return the projects to show, with offsets `s` to `f`, in the order of starts."""
    rows = plan.projects[plan.projects["decision"] == "selected"].reset_index(drop=True)
    must = start_windows(plan.portfolio.projects, plan.portfolio.horizon)["must"]
    rows["must"] = rows["project"].map(must).astype(bool)
    rows["s"] = offsets_from(rows["start"], plan.portfolio.horizon)
    rows["f"] = offsets_from(rows["finish"], plan.portfolio.horizon)
    rows["planned"] = offsets_from(rows["planned_start"], plan.portfolio.horizon)
    ranked = rows.sort_values(["must", "worth"], ascending=False, kind="stable")
    kept = rows.loc[sorted(ranked.index[:most])]
    return kept.sort_values(["s", "f"], kind="stable").reset_index(drop=True)


def _selected_note(plan: Plan) -> str:
    decisions = plan.projects["decision"]
    open_ = int(decisions.isin(["selected", "not selected"]).sum())
    return f"{len(plan.starts)} of {open_} projects selected"


def _above(rows: pd.DataFrame) -> float:
    return 27.0 if len(rows) >= _TALL else 0.0


def _draw_frame(ax: Axes, plan: Plan, rows: pd.DataFrame) -> None:
    period_axis(ax, plan.portfolio.horizon)
    periods = len(plan.portfolio.horizon)
    # Room for the arrows of what lies outside the horizon.
    margin = 0.014 * periods
    ax.set_xlim(-0.5 - margin, periods - 0.5 + margin)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    room = ax.get_window_extent().height / ax.figure.dpi * 72 / len(rows)
    labels = project_labels(plan)
    ax.set_yticks(
        range(len(rows)),
        [shorten(labels[p], 36) for p in rows["project"]],
        fontsize=float(np.clip(0.72 * room, 4.0, 8.5)),
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    if len(rows) > 1:
        ax.hlines(
            np.arange(len(rows) - 1) + 0.5,
            -0.5,
            periods - 0.5,
            color="#EFEFEF",
            linewidth=0.7,
            zorder=0,
        )
    if len(rows) >= _TALL:
        ax.tick_params(axis="x", top=True, labeltop=True)


def _palette(
    category: pd.Series[str], known: Sequence[str]
) -> tuple[dict[str, str], list[Artist]]:
    """Return category -> colour and the legend's entries; the rarest may be grey."""
    present = category.value_counts()
    shown = [c for c in known if c in present.index]
    if len(shown) > len(PALETTE):
        common = set(present.index[: len(PALETTE)])
        shown = [c for c in shown if c in common]
    rest = [c for c in present.index if c not in set(shown)]
    palette = {c: colour for c, colour in colours(shown, known).items() if c in shown}
    handles: list[Artist] = [
        Patch(facecolor=palette[c], label=legend_label(c)) for c in shown
    ]
    if rest:
        handles.append(Patch(facecolor=OTHER, label=f"other ({len(rest)})"))
    return palette | dict.fromkeys(rest, OTHER), handles


def _draw_bars(ax: Axes, plan: Plan, rows: pd.DataFrame, shades: Sequence[str]) -> None:
    last = len(plan.portfolio.horizon) - 1
    left = np.clip(rows["s"].to_numpy(), 0, last + 1) - 0.5
    right = np.clip(rows["f"].to_numpy(), -1, last) + 0.5
    y = np.arange(len(rows))
    ax.barh(y, right - left, 0.62, left=left, color=list(shades), zorder=2)
    margin = 0.014 * (last + 1)
    for outside, marker, at in (
        (rows["s"].to_numpy() < 0, "<", -0.5 - 0.45 * margin),
        (rows["f"].to_numpy() > last, ">", last + 0.5 + 0.45 * margin),
    ):
        ax.scatter(
            np.full(int(outside.sum()), at),
            y[outside],
            marker=marker,
            s=18,
            color=[shade for shade, out in zip(shades, outside, strict=True) if out],
            linewidths=0,
            zorder=3,
        )


def _draw_marks(
    ax: Axes, plan: Plan, rows: pd.DataFrame, show_windows: bool
) -> list[Artist]:
    """Draw windows, must marks and planned starts; return their legend entries."""
    last = len(plan.portfolio.horizon) - 1
    y = np.arange(len(rows))
    handles: list[Artist] = []
    if show_windows:
        first, end = _windows(plan, rows)
        free = ~np.isnan(first)
        if free.any():
            ax.hlines(
                y[free],
                np.clip(first[free], 0, None) - 0.5,
                np.clip(end[free], None, last) + 0.5,
                color="#A8A8A8",
                linewidth=1.1,
                zorder=1,
            )
            handles.append(
                Line2D([], [], color="#A8A8A8", linewidth=1.1, label="allowed window")
            )
    # A dot, as diamonds mean milestones to everyone who plans.
    # What is over before the horizon begins has no bar to carry the mark.
    must = rows["must"].to_numpy() & (rows["f"] >= 0).to_numpy()
    if must.any():
        middle = (
            np.clip(rows["s"].to_numpy(), 0, last)
            + np.clip(rows["f"].to_numpy(), 0, last)
        ) / 2
        ax.scatter(
            middle[must],
            y[must],
            marker="o",
            s=17,
            facecolor="white",
            edgecolor=INK,
            linewidth=0.7,
            zorder=4,
        )
        handles.append(_mark("o", "must be selected", "white", 4.6))
    moved = (rows["moved"].fillna(0) != 0).to_numpy(dtype=bool)
    moved &= (rows["planned"].to_numpy() >= 0) & (rows["planned"].to_numpy() <= last)
    if moved.any():
        ax.scatter(
            rows["planned"].to_numpy()[moved] - 0.5,
            y[moved],
            marker=">",
            s=22,
            facecolor="white",
            edgecolor=INK,
            linewidth=0.8,
            zorder=5,
        )
        handles.append(_mark(">", "planned start (moved)", "white", 5.0))
    if ((rows["s"] < 0) | (rows["f"] > last)).any():
        handles.append(_mark("<", "outside the horizon", QUIET, 5.0, edge=QUIET))
    return handles


def _draw_ranges(
    ax: Axes, plan: Plan, rows: pd.DataFrame, finish: pd.DataFrame
) -> list[Artist]:
    """Draw p50 to p80 of each finish and the deadlines; return legend entries."""
    last = len(plan.portfolio.horizon) - 1
    known = finish.set_index("project").reindex(rows["project"])
    end = {
        name: offsets_from(known[name], plan.portfolio.horizon) + 0.5
        for name in ("p50", "p80", "deadline")
    }
    y = np.arange(len(rows))
    seen = end["p50"] <= last + 0.5
    ax.hlines(
        y[seen],
        end["p50"][seen],
        np.fmin(end["p80"][seen], last + 0.5),
        color=INK,
        linewidth=2.4,
        zorder=6,
    )
    ax.scatter(end["p50"][seen], y[seen], s=20, color=INK, linewidths=0, zorder=7)
    inside = seen & (end["p80"] <= last + 0.5)
    ax.scatter(
        end["p80"][inside],
        y[inside],
        marker="|",
        s=60,
        color=INK,
        linewidths=2,
        zorder=7,
    )
    bar: dict[str, Any] = {
        "color": INK,
        "linewidth": 2.4,
        "marker": "o",
        "markersize": 4.5,
    }
    label = "finish, p50 to p80 (> later)"
    handles: list[Artist] = [Line2D([], [], **bar, markevery=[0], label=label)]
    beyond = end["p50"] > last + 0.5
    ax.scatter(
        np.full(int(beyond.sum()), last + 0.5),
        y[beyond],
        marker=">",
        s=26,
        color=INK,
        linewidths=0,
        zorder=7,
    )
    due = end["deadline"] <= last + 0.5
    if due.any():
        right = np.fmin(np.fmax(end["deadline"], end["p80"]), last + 0.5)
        chances = known["p_deadline"].to_numpy()
        _draw_deadlines(ax, y[due], end["deadline"][due], right[due], chances[due])
        handles.append(
            _mark("v", "deadline, and chance to meet it", OVERLOAD, 5.0, edge=OVERLOAD)
        )
    return handles


def _draw_deadlines(
    ax: Axes,
    rows: np.ndarray,
    deadlines: np.ndarray,
    right: np.ndarray,
    chances: np.ndarray,
) -> None:
    """Draw deadlines above their bars, and right of those the chance to meet them."""
    ax.scatter(
        deadlines,
        rows - 0.36,
        marker="v",
        s=26,
        color=OVERLOAD,
        linewidths=0,
        zorder=8,
    )
    for row, edge, chance in zip(rows, right, chances, strict=True):
        ax.annotate(
            f"{chance:.0%}",
            (edge, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=OVERLOAD,
            zorder=9,
        )


def _mark(
    marker: str, label: str, face: str, size: float, *, edge: str = INK
) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor=face,
        markeredgecolor=edge,
        markeredgewidth=0.8,
        label=label,
    )


def _windows(plan: Plan, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return first allowed start and last allowed finish; blank where fixed."""
    tables = plan.portfolio
    allowed = allowed_starts(tables.projects, tables.blackouts, tables.horizon)
    length = (rows["f"] - rows["s"]).to_numpy()
    first = np.full(len(rows), np.nan)
    end = np.full(len(rows), np.nan)
    for i, project in enumerate(rows["project"]):
        starts = allowed.get(project, np.array([]))
        if len(starts) > 1:
            first[i], end[i] = starts[0], starts[-1] + length[i]
    return first, end


def plot_milestone_trend(
    story: Story, *, most: int = 12, ax: Axes | None = None
) -> Axes:
    """Draw the milestone trend chart: forecast dates over the dates of the updates.

    A line that stays level is on time, one that climbs slips; a milestone that is
    reached ends on the diagonal.

    Parameters
    ----------
    story
        Of `compare_networks`.
    most
        Milestones that are drawn: those that moved most.
    ax
        Axes to draw on; None = a new figure.
    """
    at_least_one("most", most)
    rows = story.milestones.dropna(subset=["data_date", "forecast"])
    title = "Milestones from update to update"
    with canvas(ax, height=5.0) as ax:
        # What was reached before the first update has no trend.
        last = rows.groupby("milestone", sort=False)["forecast"].transform("max")
        rows = rows[last >= rows["data_date"].min()]
        reached = rows["actual"].notna()
        before = reached.groupby(rows["milestone"]).cumsum() - reached
        rows = rows[before == 0]
        moved = rows.groupby("milestone", sort=False)["forecast"].agg(["min", "max"])
        moved = (moved["max"] - moved["min"]).sort_values(
            ascending=False, kind="stable"
        )
        if not len(moved):
            return write_empty(ax, title, "No update holds a milestone ahead of it.")
        dress(ax, grid="y")
        shown = list(moved.index[:most])
        colour = colours(shown, shown)
        for name in shown:
            own = rows[rows["milestone"] == name].sort_values("data_date")
            label = legend_label(shorten(f"{name} {own['name'].iloc[-1]}", LABEL_WIDTH))
            ax.plot(
                own["data_date"].to_numpy(),
                own["forecast"].to_numpy(),
                marker="o",
                color=colour[name],
                label=label,
            )
        drawn = rows[rows["milestone"].isin(shown)]
        days = drawn[["data_date", "forecast"]].stack()
        ends = [drawn["data_date"].min(), min(drawn["data_date"].max(), days.max())]
        ax.plot(ends, ends, color=QUIET, linewidth=1, linestyle=":", label="reached")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(DateFormatter("%d %b %Y"))
        ax.tick_params(axis="x", rotation=20)
        ax.set_xlabel("Data date of the update")
        ax.set_ylabel("Forecast date")
        note = ""
        if len(moved) > most:
            note = f"the {most} of {len(moved)} that moved most"
        write_title(ax, title, note)
        write_legend(ax, ax.get_legend_handles_labels()[0])
    return ax
