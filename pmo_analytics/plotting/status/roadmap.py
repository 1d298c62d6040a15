"""The roadmap of what runs: baseline, progress, milestones, expected end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    LIMIT,
    OTHER,
    canvas,
    dress,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.plotting.status.trends import RAG
from pmo_analytics.tracking import Status, periods_between


def plot_status_roadmap(
    status: Status, *, max_rows: int = 40, ax: Axes | None = None
) -> Axes:
    """Draw the running projects on the calendar, as promised and as expected.

    Parameters
    ----------
    max_rows
        Most projects; the worst come first.
    ax
        Axes to draw on; None = a new figure that grows with the rows.

    Returns
    -------
    Axes
        A row a project: the thin grey bar is its baseline, the wide one runs from its
        start to its expected end in the colour of its status, dark as far as it is
        done, the whisker to p80. Diamonds are milestones, full where they are reached.
    """
    title = "Running projects: promised and expected"
    order = {"red": 0, "amber": 1, "green": 2}
    rows = status.indicators.dropna(subset=["start", "baseline_finish"])
    rows = rows.assign(order=[order.get(str(c), 3) for c in rows["rag"]])
    rows = rows.sort_values(["order", "start"], kind="stable")
    more = max(len(rows) - max_rows, 0)
    rows = rows.head(max_rows)
    height = float(np.clip(1.6 + 0.42 * len(rows), 3.0, 60.0))
    with canvas(ax, width=10.5, height=height) as ax:
        if rows.empty:
            return write_empty(ax, title, "No running project has a start and an end.")
        ends = rows[["baseline_finish", "finish", "finish_p80", "deadline"]].max(axis=1)
        freq = status.portfolio.freq
        first = pd.Period(rows["start"].min(), freq=freq)
        periods = pd.period_range(first, pd.Period(ends.max(), freq=freq), freq=freq)
        dress(ax, grid="x")
        _draw(ax, rows, first)
        _stones(ax, rows.index, status.milestones, first)
        now = periods_between(first, status.as_of) - 0.5
        ax.axvline(now, color=INK, linewidth=1.0, linestyle=":")
        ax.set_ylim(len(rows) - 0.4, -0.6)
        names = [
            shorten(f"{p} {'' if pd.isna(n) else n}", 34)
            for p, n in zip(rows.index, rows["name"], strict=True)
        ]
        ax.set_yticks(range(len(rows)), names)
        period_axis(ax, periods)
        said = f"as of {status.as_of:%Y-%m-%d} (dotted line)"
        said += f"; the worst {max_rows}, {more} more are not shown" if more else ""
        write_title(ax, title, said)
        write_legend(ax, _legend(rows, status.milestones))
    return ax


def _at(first: pd.Period, day: Any) -> float:
    """Return where the end of a day lies on the axis."""
    return periods_between(first, day) - 0.5


def _draw(ax: Axes, rows: pd.DataFrame, first: pd.Period) -> None:
    """Draw bars, whiskers and deadlines of all rows: an artist a kind, not a bar."""
    begin = _places(first, rows["start"] - pd.Timedelta(days=1))
    expected = rows["finish_p50"].fillna(rows["finish"])
    end = _places(first, expected)
    done = rows["percent_complete"].fillna(0.0).to_numpy(dtype=float) / 100
    own = [to_rgba(RAG.get(str(colour), LIMIT)) for colour in rows["rag"]]
    y = np.arange(len(rows), dtype=float)
    promised = _places(first, rows["baseline_finish"])
    _bars(ax, begin, promised, y + 0.3, 0.16, [to_rgba(OTHER)] * len(rows))
    _bars(ax, begin, end, y, 0.36, [(*colour[:3], 0.45) for colour in own])
    _bars(ax, begin, begin + (end - begin) * done, y, 0.36, own)
    late = _places(first, rows["finish_p80"])
    _lines(ax, (end, y), (late, y), own, 2.0)
    limit = _places(first, rows["deadline"].where(expected.notna()))
    ink, wide = [to_rgba(INK)] * len(rows), float(rcParams["lines.linewidth"])
    _lines(ax, (limit, y - 0.35), (limit, y + 0.35), ink, wide)


def _places(first: pd.Period, days: pd.Series[Any]) -> np.ndarray:
    """Return where the ends of days lie on the axis, NaN where there is none."""
    return np.array([np.nan if pd.isna(day) else _at(first, day) for day in days])


def _bars(
    ax: Axes,
    left: np.ndarray,
    right: np.ndarray,
    y: np.ndarray,
    height: float,
    colours: Sequence[Any],
) -> None:
    """Draw horizontal bars as one artist, those of which both ends are known."""
    known = np.flatnonzero(np.isfinite(left) & np.isfinite(right))
    low, high = y - height / 2, y + height / 2
    corners = np.stack(
        [
            np.column_stack([left, low]),
            np.column_stack([right, low]),
            np.column_stack([right, high]),
            np.column_stack([left, high]),
        ],
        axis=1,
    )
    shown = [colours[int(k)] for k in known]
    ax.add_collection(
        PolyCollection(list(corners[known]), facecolors=shown, edgecolors="none"),
        autolim=False,
    )


def _lines(
    ax: Axes,
    begin: tuple[np.ndarray, np.ndarray],
    end: tuple[np.ndarray, np.ndarray],
    colours: Sequence[Any],
    width: float,
) -> None:
    """Draw straight lines as one artist, those of which both ends are known."""
    ends = np.stack([np.column_stack(begin), np.column_stack(end)], axis=1)
    known = np.flatnonzero(np.isfinite(ends).all(axis=(1, 2)))
    ax.add_collection(
        LineCollection(
            list(ends[known]),
            colors=[colours[int(k)] for k in known],
            linewidths=width,
            capstyle="projecting",
        ),
        autolim=False,
    )


def _stones(
    ax: Axes, projects: pd.Index[Any], milestones: pd.DataFrame, first: pd.Period
) -> None:
    """Draw the milestones of all rows, those that are reached in one go."""
    rows = projects.get_indexer(pd.Index(milestones["project"]))
    shown = (rows >= 0) & milestones["due"].notna().to_numpy()
    reached = (milestones["state"] == "reached").to_numpy()
    for kept, face in ((shown & ~reached, "white"), (shown & reached, INK)):
        ax.plot(
            [_at(first, day) for day in milestones["due"][kept]],
            rows[kept],
            marker="D",
            markersize=5,
            markeredgecolor=INK,
            markerfacecolor=face,
            linestyle="none",
        )


def _legend(rows: pd.DataFrame, milestones: pd.DataFrame) -> list[Any]:
    """Return entries of what is drawn."""
    barred = rows[rows[["finish_p50", "finish"]].notna().any(axis=1)]
    stones = milestones[
        milestones["project"].isin(rows.index) & milestones["due"].notna()
    ]
    reached = stones["state"] == "reached"
    line = Line2D([], [], color=INK, label="deadline", marker="|", linestyle="none")
    return [
        Patch(color=OTHER, label="baseline"),
        *(Patch(color=RAG[c], label=c) for c in RAG if (barred["rag"] == c).any()),
        *([Patch(color=LIMIT, label="not known")] * int(barred["rag"].isna().any())),
        *([line] * int(barred["deadline"].notna().any())),
        *(
            Line2D(
                [],
                [],
                marker="D",
                markerfacecolor=face,
                markeredgecolor=INK,
                linestyle="none",
                markersize=5,
                label=label,
            )
            for face, label, drawn in (
                (INK, "reached", reached.any()),
                ("white", "milestone", (~reached).any()),
            )
            if drawn
        ),
    ]
