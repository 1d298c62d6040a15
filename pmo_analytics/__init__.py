"""Portfolio analytics, resource-capacity forecasting and optimization for PMOs."""

import sys
from importlib import import_module

# As little as can be: until `__main__` begins, `python -m pmo_analytics` looks for all
# of it in the folder that it is started in.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

# Public name -> module. Loaded on first use, so that the import stays light.
_PUBLIC = {
    "BatchRun": "batch",
    "run_batch": "batch",
    "BatchConfig": "batch",
    "read_config": "batch",
    "Empirical": "uncertainty",
    "Fixed": "uncertainty",
    "Lognormal": "uncertainty",
    "Pert": "uncertainty",
    "Reference": "uncertainty",
    "Triangular": "uncertainty",
    "Uniform": "uncertainty",
    "ConfigError": "errors",
    "DataError": "errors",
    "InfeasibleError": "errors",
    "PmoError": "errors",
    "PmoWarning": "errors",
    "SolverError": "errors",
    "example_portfolio": "examples",
    "generate_portfolio": "examples",
    "backtest": "forecasting",
    "choose_models": "forecasting",
    "forecast_capacity": "forecasting",
    "forecast_demand": "forecasting",
    "Forecast": "uncertainty",
    "forecast_headroom": "forecasting",
    "hire_list": "forecasting",
    "outlook": "forecasting",
    "statsforecast_model": "forecasting",
    "balance": "rules",
    "limit_parallel": "rules",
    "read_portfolio": "loaders",
    "write_portfolio": "loaders",
    "write_template": "loaders",
    "bias": "metrics",
    "coverage": "metrics",
    "crps": "metrics",
    "forecast_losses": "metrics",
    "mase": "metrics",
    "mean_absolute_error": "metrics",
    "pinball": "metrics",
    "rmsse": "metrics",
    "smape": "metrics",
    "check_bound": "optimization",
    "check_plan": "optimization",
    "why_infeasible": "optimization",
    "WhyInfeasible": "optimization",
    "why_not": "optimization",
    "frontier": "optimization",
    "Frontier": "optimization",
    "role_value": "optimization",
    "sensitivity": "optimization",
    "WhyNot": "optimization",
    "level": "optimization",
    "Risk": "optimization",
    "optimize": "optimization",
    "Progress": "optimization",
    "SearchParams": "optimization",
    "SolveLimits": "optimization",
    "Settings": "clock",
    "make_horizon": "clock",
    "Plan": "plan",
    "SolveReport": "evidence",
    "SolveStatus": "evidence",
    "baseline": "plan",
    "plan_changes": "differences",
    "read_record": "reporting",
    "save_record": "reporting",
    "figure_accuracy": "plotting",
    "plot_accuracy": "plotting",
    "plot_backtest_errors": "plotting",
    "plot_calibration": "plotting",
    "plot_budget": "plotting",
    "plot_spend": "plotting",
    "figure_capacity": "plotting",
    "figure_forecast": "plotting",
    "plot_forecast": "plotting",
    "plot_overload_chance": "plotting",
    "plot_capacity": "plotting",
    "plot_frontier": "plotting",
    "plot_role_value": "plotting",
    "plot_gantt": "plotting",
    "plot_progress": "plotting",
    "plot_utilization": "plotting",
    "plot_finish_ranges": "plotting",
    "plot_s_curve": "plotting",
    "plot_tornado": "plotting",
    "plot_comparison": "plotting",
    "plot_core": "plotting",
    "plot_moves": "plotting",
    "Portfolio": "portfolio",
    "Simulation": "simulation",
    "simulate": "simulation",
    "Spread": "uncertainty",
    "Uncertainty": "uncertainty",
    "read_uncertainty": "uncertainty",
    "forecast_accuracy": "batch",
    "learn_intervals": "batch",
    "open_store": "batch",
    "check_portfolio": "portfolio",
    "Scenario": "scenarios",
    "sweep": "scenarios",
    "read_scenarios": "scenarios",
    "compare": "scenarios",
    "Comparison": "scenarios",
    "Change": "scenarios",
    "add_capacity": "scenarios",
    "add_project": "scenarios",
    "change_demand": "scenarios",
    "change_discount": "scenarios",
    "change_project": "scenarios",
    "change_value": "scenarios",
    "cut_budget": "scenarios",
    "delay": "scenarios",
    "drop": "scenarios",
    "exclude": "scenarios",
    "freeze_hiring": "scenarios",
    "hire": "scenarios",
    "lose_person": "scenarios",
    "require": "scenarios",
    "scale_capacity": "scenarios",
    "scale_duration": "scenarios",
    "shift_budget": "scenarios",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> "Any":
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pmo_analytics' has no attribute {name!r}")
    return getattr(import_module(f"pmo_analytics.{_PUBLIC[name]}"), name)


class _Moved:
    """Finds modules by the names they had before; asked when nobody else knows one."""

    @staticmethod
    def find_spec(name: str, _path: "Any" = None, _target: "Any" = None) -> "Any":
        if not name.startswith("pmo_analytics."):
            return None
        return import_module("pmo_analytics.moved").find(name)


sys.meta_path.append(_Moved)


def __dir__() -> list[str]:
    return sorted(__all__)
