"""Portfolio analytics, resource-capacity forecasting and optimization for PMOs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> module. Loaded on first use, so that the import stays light.
_PUBLIC = {
    "BatchRun": "batch",
    "run_batch": "batch",
    "BatchConfig": "config",
    "read_config": "config",
    "Empirical": "distributions",
    "Fixed": "distributions",
    "Lognormal": "distributions",
    "Pert": "distributions",
    "Reference": "distributions",
    "Triangular": "distributions",
    "Uniform": "distributions",
    "ConfigError": "errors",
    "DataError": "errors",
    "InfeasibleError": "errors",
    "PmoError": "errors",
    "PmoWarning": "errors",
    "SolverError": "errors",
    "example_portfolio": "examples",
    "generate_portfolio": "generator",
    "backtest": "forecasting.backtesting",
    "choose_models": "forecasting.backtesting",
    "forecast_capacity": "forecasting.capacity",
    "forecast_demand": "forecasting.demand",
    "Forecast": "futures",
    "forecast_headroom": "forecasting.headroom",
    "hire_list": "forecasting.headroom",
    "outlook": "forecasting.outlook",
    "statsforecast_model": "forecasting.models",
    "read_portfolio": "loaders",
    "write_portfolio": "loaders",
    "write_template": "loaders.template",
    "bias": "metrics",
    "coverage": "metrics",
    "crps": "metrics",
    "forecast_losses": "metrics",
    "mase": "metrics",
    "mean_absolute_error": "metrics",
    "pinball": "metrics",
    "rmsse": "metrics",
    "smape": "metrics",
    "check_bound": "optimization.certify",
    "check_plan": "optimization.certify",
    "why_infeasible": "optimization.infeasible",
    "WhyInfeasible": "optimization.infeasible",
    "why_not": "optimization.why_not",
    "WhyNot": "optimization.why_not",
    "level": "optimization.levelling",
    "optimize": "optimization.search",
    "Progress": "optimization.solving",
    "SolveLimits": "optimization.solving",
    "Settings": "periods",
    "make_horizon": "periods",
    "Plan": "plan",
    "SolveReport": "plan",
    "SolveStatus": "plan",
    "baseline": "plan",
    "figure_accuracy": "plotting.accuracy",
    "plot_accuracy": "plotting.accuracy",
    "plot_backtest_errors": "plotting.accuracy",
    "plot_calibration": "plotting.accuracy",
    "plot_budget": "plotting.budget",
    "plot_spend": "plotting.budget",
    "figure_capacity": "plotting.capacity",
    "figure_forecast": "plotting.fan",
    "plot_forecast": "plotting.fan",
    "plot_overload_chance": "plotting.overload",
    "plot_capacity": "plotting.capacity",
    "plot_gantt": "plotting.gantt",
    "plot_progress": "plotting.progress",
    "plot_utilization": "plotting.utilization",
    "plot_finish_ranges": "plotting.simulation",
    "plot_s_curve": "plotting.simulation",
    "plot_tornado": "plotting.simulation",
    "Portfolio": "portfolio",
    "Simulation": "simulation.result",
    "simulate": "simulation.simulating",
    "Spread": "uncertainty",
    "Uncertainty": "uncertainty",
    "read_uncertainty": "uncertainty",
    "forecast_accuracy": "store",
    "learn_intervals": "store",
    "open_store": "store",
    "check_portfolio": "portfolio",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pmo_analytics' has no attribute {name!r}")
    return getattr(import_module(f"pmo_analytics.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
