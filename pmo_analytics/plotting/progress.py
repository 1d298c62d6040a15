"""How a search went: the best plan and the bound over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from pmo_analytics.evidence import relative_gap
from pmo_analytics.plotting.looks import (
    INK,
    OVERLOAD,
    PALETTE,
    canvas,
    dress,
    write_empty,
    write_title,
)

if TYPE_CHECKING:
    from pmo_analytics.optimization import Progress


def plot_progress(history: Sequence[Progress], *, ax: Axes | None = None) -> Axes:
    """Draw the objective of the best plan and the bound over the seconds of a search.

    Parameters
    ----------
    history
        What `optimize` told its `progress` callable, in order, for instance
        `history.append`.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Seconds across, objective up. The shaded space is the gap that is left.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> history = [pmo.Progress("greedy", 8.0, None, 0.1),
    ...            pmo.Progress("LP relaxation", 8.0, 12.0, 0.3),
    ...            pmo.Progress("done", 10.0, 10.5, 4.0)]
    >>> from matplotlib.figure import Figure
    >>> ax = pmo.plot_progress(history, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Best plan and bound over time'
    """
    title = "Best plan and bound over time"
    with canvas(ax, height=3.6) as ax:
        if not any(step.objective is not None for step in history):
            return write_empty(ax, title, "No plan was found.")
        dress(ax)
        seconds = np.array([step.seconds for step in history], dtype=float)
        best = _numbers([step.objective for step in history])
        bound = _numbers([step.bound for step in history])
        ax.step(seconds, best, where="post", color=PALETTE[0], linewidth=2.0)
        ax.step(seconds, bound, where="post", color=OVERLOAD, linewidth=1.4)
        known = ~np.isnan(best) & ~np.isnan(bound)
        ax.fill_between(
            seconds,
            best,
            bound,
            where=known,
            step="post",
            color=PALETTE[0],
            alpha=0.08,
            linewidth=0,
        )
        ax.set_xlim(0.0, max(float(seconds.max()), 1e-3) * 1.14)
        _limit(ax, best, bound)
        for name, values, color in (
            ("bound", bound, OVERLOAD),
            ("best plan", best, PALETTE[0]),
        ):
            if not np.isnan(values[-1]):
                ax.annotate(
                    name,
                    (float(seconds[-1]), float(values[-1])),
                    xytext=(5, 4 if name == "bound" else -4),
                    textcoords="offset points",
                    va="bottom" if name == "bound" else "top",
                    color=color,
                    fontsize=9,
                )
        ax.set_xlabel("seconds")
        ax.set_ylabel("objective")
        ax.yaxis.set_major_formatter(lambda x, _: _plain(x))
        ax.tick_params(labelcolor=INK)
        write_title(ax, title, _note(best, bound))
    return ax


def _numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def _limit(ax: Axes, best: np.ndarray, bound: np.ndarray) -> None:
    """Show the race near its end: a first bound far off would flatten the rest."""
    low, high = float(np.nanmin(best)), float(np.nanmax(best))
    top = high
    if not np.isnan(bound).all():
        last = float(bound[~np.isnan(bound)][-1])
        top = min(float(np.nanmax(bound)), last + 2.0 * max(last - low, 0.0))
    room = 0.08 * max(top - low, 1e-6 * max(abs(top), 1.0))
    ax.set_ylim(low - room, top + room)


def _note(best: np.ndarray, bound: np.ndarray) -> str:
    last = float(best[~np.isnan(best)][-1])
    if np.isnan(bound).all():
        return f"best plan {_plain(last)}, no bound"
    limit = float(bound[~np.isnan(bound)][-1])
    gap = relative_gap(last, limit)
    return f"best plan {_plain(last)}, bound {_plain(limit)}, gap {gap:.2%}"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:,.6g}"
