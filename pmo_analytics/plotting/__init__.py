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

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.plotting.accuracy import (
        figure_accuracy,
        plot_accuracy,
        plot_backtest_errors,
        plot_calibration,
        plot_reliability,
    )
    from pmo_analytics.plotting.budget import plot_budget, plot_spend
    from pmo_analytics.plotting.capacity import (
        figure_capacity,
        plot_capacity,
        plot_headroom,
    )
    from pmo_analytics.plotting.fan import (
        figure_forecast,
        forecast_figures,
        plot_forecast,
    )
    from pmo_analytics.plotting.frontier import plot_frontier, plot_role_value
    from pmo_analytics.plotting.gantt import plot_gantt, plot_milestone_trend
    from pmo_analytics.plotting.heat_maps import (
        plot_bookings,
        plot_overload_chance,
        plot_utilization,
    )
    from pmo_analytics.plotting.looks import style
    from pmo_analytics.plotting.progress import plot_progress
    from pmo_analytics.plotting.scenarios import plot_comparison, plot_core, plot_moves
    from pmo_analytics.plotting.simulation import (
        plot_finish_ranges,
        plot_s_curve,
        plot_tornado,
        simulation_figures,
    )
    from pmo_analytics.plotting.status.portfolio import (
        plot_benefits,
        plot_pipeline,
        plot_value_risk,
    )
    from pmo_analytics.plotting.status.roadmap import plot_status_roadmap
    from pmo_analytics.plotting.status.trends import (
        plot_milestone_slips,
        plot_rag_history,
    )
    from pmo_analytics.plotting.status.worth import (
        figure_earned_value,
        plot_earned_value,
        plot_status_money,
    )
    from pmo_analytics.plotting.why import plot_why

__getattr__, __dir__, __all__ = face(__name__)
