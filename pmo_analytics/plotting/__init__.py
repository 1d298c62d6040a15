"""Charts of a plan and of a forecast: load, the roadmap, money, fans, accuracy.

`plot_*` draws one chart on the axes given (or on a new figure) and returns the
axes; `figure_*` makes a page of its own and returns the figure. Nothing is shown
and nothing is written: a notebook displays the figure, and
`ax.figure.savefig("capacity.png")` keeps it. A batch that makes many charts hands
in axes of its own, `matplotlib.figure.Figure(layout="constrained").subplots()`, so
that none stays open.

Charts draw what a plan says (`load`, `capacity`, `overload`, `spend`, ...) and
decide nothing. Those of plans take a Plan, or a Portfolio for its baseline.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pmo_analytics.plotting.style import style

# Public name -> module. Loaded on first use: who draws a plan does without forecasts.
_PUBLIC = {
    "figure_accuracy": "accuracy",
    "figure_capacity": "capacity",
    "figure_forecast": "fan",
    "plot_accuracy": "accuracy",
    "plot_backtest_errors": "accuracy",
    "plot_budget": "budget",
    "plot_calibration": "accuracy",
    "plot_capacity": "capacity",
    "plot_forecast": "fan",
    "plot_frontier": "frontier",
    "plot_gantt": "gantt",
    "plot_headroom": "capacity",
    "plot_overload_chance": "overload",
    "plot_progress": "progress",
    "plot_role_value": "frontier",
    "plot_spend": "budget",
    "plot_utilization": "utilization",
}

__all__ = [
    "figure_accuracy",
    "figure_capacity",
    "figure_forecast",
    "plot_accuracy",
    "plot_backtest_errors",
    "plot_budget",
    "plot_calibration",
    "plot_capacity",
    "plot_forecast",
    "plot_frontier",
    "plot_gantt",
    "plot_headroom",
    "plot_overload_chance",
    "plot_progress",
    "plot_role_value",
    "plot_spend",
    "plot_utilization",
    "style",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(
            f"module 'pmo_analytics.plotting' has no attribute {name!r}"
        )
    return getattr(import_module(f"pmo_analytics.plotting.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
