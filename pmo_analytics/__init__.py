"""Portfolio analytics, resource-capacity forecasting and optimization for PMOs."""

import sys
from importlib import import_module

# As little as can be: until `__main__` begins, `python -m pmo_analytics` looks for all
# of it in the folder that it is started in.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.2.0"

# Public name -> module. Loaded on first use, so that the import stays light.
_PUBLIC = {
    "forecast_accuracy": "batch",
    "learn_intervals": "batch",
    "open_store": "batch",
    "run_batch": "batch",
    "make_horizon": "clock",
    "Settings": "clock",
    "plan_changes": "differences",
    "ConfigError": "errors",
    "DataError": "errors",
    "InfeasibleError": "errors",
    "PmoError": "errors",
    "PmoWarning": "errors",
    "SolverError": "errors",
    "SolveReport": "evidence",
    "SolveStatus": "evidence",
    "example_portfolio": "examples",
    "generate_portfolio": "examples",
    "backtest": "forecasting",
    "forecast_capacity": "forecasting",
    "forecast_demand": "forecasting",
    "forecast_headroom": "forecasting",
    "hire_list": "forecasting",
    "outlook": "forecasting",
    "read_networks": "loaders",
    "read_portfolio": "loaders",
    "write_portfolio": "loaders",
    "Network": "networks",
    "check_bound": "optimization",
    "check_plan": "optimization",
    "explain": "optimization",
    "frontier": "optimization",
    "level": "optimization",
    "optimize": "optimization",
    "Progress": "optimization",
    "Risk": "optimization",
    "role_value": "optimization",
    "SearchParams": "optimization",
    "sensitivity": "optimization",
    "SolveLimits": "optimization",
    "why_infeasible": "optimization",
    "why_not": "optimization",
    "baseline": "plan",
    "Plan": "plan",
    "figure_capacity": "plotting",
    "figure_forecast": "plotting",
    "plot_budget": "plotting",
    "plot_capacity": "plotting",
    "plot_comparison": "plotting",
    "plot_core": "plotting",
    "plot_finish_ranges": "plotting",
    "plot_forecast": "plotting",
    "plot_frontier": "plotting",
    "plot_gantt": "plotting",
    "plot_moves": "plotting",
    "plot_overload_chance": "plotting",
    "plot_progress": "plotting",
    "plot_role_value": "plotting",
    "plot_s_curve": "plotting",
    "plot_spend": "plotting",
    "plot_tornado": "plotting",
    "plot_utilization": "plotting",
    "check_portfolio": "portfolio",
    "Portfolio": "portfolio",
    "read_record": "reporting",
    "save_record": "reporting",
    "verify": "reporting",
    "write_mspdi": "reporting",
    "balance": "rules",
    "limit_parallel": "rules",
    "limit_themes": "rules",
    "Record": "rules",
    "add_capacity": "scenarios",
    "add_project": "scenarios",
    "change_demand": "scenarios",
    "change_discount": "scenarios",
    "change_project": "scenarios",
    "change_value": "scenarios",
    "compare": "scenarios",
    "cut_budget": "scenarios",
    "delay": "scenarios",
    "drop": "scenarios",
    "exclude": "scenarios",
    "freeze_hiring": "scenarios",
    "hire": "scenarios",
    "lose_person": "scenarios",
    "read_scenarios": "scenarios",
    "require": "scenarios",
    "scale_capacity": "scenarios",
    "scale_duration": "scenarios",
    "Scenario": "scenarios",
    "shift_budget": "scenarios",
    "sweep": "scenarios",
    "simulate": "simulation",
    "forecast_delivery": "tracking",
    "status": "tracking",
    "recover": "tracking",
    "Forecast": "uncertainty",
    "read_uncertainty": "uncertainty",
    "Uncertainty": "uncertainty",
}
# Rooms that offer more, as attributes: `pmo.metrics.crps`.
_ROOMS = (
    "batch",
    "forecasting",
    "loaders",
    "metrics",
    "networks",
    "optimization",
    "plotting",
    "reporting",
    "scenarios",
    "simulation",
    "tracking",
    "uncertainty",
)
# Former public name -> the room where it is now.
_MOVED = {
    "bias": "metrics",
    "coverage": "metrics",
    "crps": "metrics",
    "forecast_losses": "metrics",
    "mase": "metrics",
    "mean_absolute_error": "metrics",
    "pinball": "metrics",
    "rmsse": "metrics",
    "smape": "metrics",
    "Empirical": "uncertainty",
    "Fixed": "uncertainty",
    "Lognormal": "uncertainty",
    "Pert": "uncertainty",
    "Reference": "uncertainty",
    "Triangular": "uncertainty",
    "Uniform": "uncertainty",
    "Spread": "uncertainty",
    "BatchConfig": "batch",
    "BatchRun": "batch",
    "read_config": "batch",
    "Frontier": "optimization",
    "WhyInfeasible": "optimization",
    "WhyNot": "optimization",
    "Change": "scenarios",
    "Comparison": "scenarios",
    "Simulation": "simulation",
    "figure_accuracy": "plotting",
    "plot_accuracy": "plotting",
    "plot_backtest_errors": "plotting",
    "plot_calibration": "plotting",
    "choose_models": "forecasting",
    "statsforecast_model": "forecasting",
    "write_template": "loaders",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> "Any":
    if name in _ROOMS:
        return import_module(f"pmo_analytics.{name}")
    if name in _MOVED:
        import warnings

        place = f"pmo_analytics.{_MOVED[name]}"
        warnings.warn(
            f"pmo_analytics.{name} is called {place}.{name} now.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(place), name)
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
    return sorted([*__all__, *_ROOMS])
