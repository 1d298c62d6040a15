"""Colours over time, and milestones that move."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.plotting.looks import (
    INK,
    PALETTE,
    QUIET,
    canvas,
    dress,
    legend_label,
    number_axis,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.tracking import Status, milestone_trend, periods_between

# Told apart by lightness too; the words stand beside them.
RAG = {"green": "#3A9D5D", "amber": "#F2B134", "red": "#B3261E"}


def plot_rag_history(
    status: Status, *, reported: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw how many running projects were of each colour at the end of each period.

    Parameters
    ----------
    reported
        The colours that humans reported, instead of those by the rules.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, projects up: red at the bottom. Each counts with its newest
        report by then.
    """
    column = "reported" if reported else "rag"
    title = "Colours as reported" if reported else "Colours by the rules"
    with canvas(ax, height=3.6) as ax:
        history = status.history.dropna(subset=[column])
        if history.empty:
            return write_empty(ax, title, "Nothing was reported.")
        freq = status.portfolio.freq
        first = pd.Period(history["as_of"].min(), freq=freq)
        last = pd.Period(status.as_of, freq=freq)
        periods = pd.period_range(first, last, freq=freq)
        counts = np.zeros((3, len(periods)))
        for _, own in history.groupby("project"):
            at = [pd.Period(day, freq=freq).ordinal for day in own["as_of"]]
            place = np.searchsorted(at, [p.ordinal for p in periods], side="right") - 1
            colours = own[column].to_numpy()
            for k, where in enumerate(place):
                if where >= 0:
                    counts[list(RAG)[::-1].index(colours[where]), k] += 1
        dress(ax, grid="y")
        bottom = np.zeros(len(periods))
        for row, colour in zip(counts, list(RAG)[::-1], strict=True):
            ax.bar(
                np.arange(len(periods)),
                row,
                bottom=bottom,
                color=RAG[colour],
                width=0.8,
            )
            bottom += row
        number_axis(ax.yaxis)
        ax.set_ylabel("projects")
        period_axis(ax, periods)
        write_title(ax, title, f"running projects, to {status.as_of:%Y-%m-%d}")
        write_legend(ax, [Patch(color=RAG[c], label=c) for c in RAG])
    return ax


def plot_milestone_slips(
    status: Status, project: str, *, ax: Axes | None = None
) -> Axes:
    """Draw the milestone trend of a project: what was expected when.

    A flat line is a promise that is kept; one that climbs slips; where it meets the
    diagonal the milestone is reached.

    Parameters
    ----------
    project
        One that runs.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Status dates across, expected days up, both in periods.

    Raises
    ------
    ConfigError
        If there is no such project.
    """
    known = status.table.index
    if project not in known:
        raise ConfigError(
            f"'{project}' is not among the running projects{closest(project, known)}."
        )
    title = f"Milestone trend: {project}"
    with canvas(ax, height=4.6) as ax:
        trend = milestone_trend(status.portfolio, project)
        trend = trend[trend.index <= status.as_of]
        if trend.empty:
            return write_empty(ax, title, "It has no milestones with a status date.")
        freq = status.portfolio.freq
        days = pd.Series(trend.to_numpy().ravel()).dropna()
        first = pd.Period(min(trend.index.min(), days.min()), freq=freq)
        last = pd.Period(max(trend.index.max(), days.max()), freq=freq)
        periods = pd.period_range(first, last, freq=freq)
        across = [periods_between(first, day) - 0.5 for day in trend.index]
        dress(ax, grid="y")
        handles = []
        for k, name in enumerate(trend):
            seen = trend[name]
            up = [
                np.nan if pd.isna(d) else periods_between(first, d) - 0.5 for d in seen
            ]
            (line,) = ax.plot(
                across,
                up,
                color=PALETTE[k % len(PALETTE)],
                marker="D",
                markersize=4,
                label=legend_label(name),
            )
            handles.append(line)
        ax.plot([-0.5, len(periods)], [-0.5, len(periods)], color=QUIET, linewidth=0.8)
        ax.set_ylim(-0.5, len(periods) - 0.5)
        period_axis(ax, periods)
        ticks = ax.get_xticks()
        ax.set_yticks(
            [t for t in ticks if 0 <= t < len(periods)],
            [str(periods[int(t)]) for t in ticks if 0 <= t < len(periods)],
        )
        ax.set_xlim(-0.5, min(len(periods), max(across) + 1.5))
        ax.set_xlabel("status date", color=INK)
        write_title(ax, title, "expected day of each milestone, as it was seen")
        write_legend(ax, handles)
    return ax
