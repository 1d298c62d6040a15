"""The public names, and an import that loads nothing heavy."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

import pmo_analytics
from pmo_analytics.moved import MOVED
from tests.support.fresh_process import assert_runs

# Pinned by hand: a name appears or goes only on purpose.
PUBLIC = {
    "Change",
    "Comparison",
    "Scenario",
    "add_capacity",
    "add_project",
    "change_demand",
    "change_discount",
    "change_project",
    "change_value",
    "compare",
    "cut_budget",
    "delay",
    "drop",
    "exclude",
    "freeze_hiring",
    "hire",
    "lose_person",
    "plot_comparison",
    "plot_core",
    "plot_moves",
    "read_scenarios",
    "require",
    "scale_capacity",
    "scale_duration",
    "shift_budget",
    "sweep",
    "__version__",
    "balance",
    "baseline",
    "limit_parallel",
    "plan_changes",
    "read_record",
    "save_record",
    "check_bound",
    "check_plan",
    "check_portfolio",
    "ConfigError",
    "DataError",
    "example_portfolio",
    "figure_capacity",
    "generate_portfolio",
    "InfeasibleError",
    "level",
    "make_horizon",
    "optimize",
    "Risk",
    "Plan",
    "plot_budget",
    "plot_capacity",
    "plot_gantt",
    "plot_progress",
    "plot_spend",
    "plot_utilization",
    "plot_finish_ranges",
    "plot_s_curve",
    "plot_tornado",
    "PmoError",
    "PmoWarning",
    "Portfolio",
    "Progress",
    "Empirical",
    "Fixed",
    "Lognormal",
    "Pert",
    "Reference",
    "Triangular",
    "Uniform",
    "Simulation",
    "simulate",
    "Spread",
    "Uncertainty",
    "read_uncertainty",
    "backtest",
    "BatchConfig",
    "BatchRun",
    "read_config",
    "run_batch",
    "choose_models",
    "figure_accuracy",
    "figure_forecast",
    "Forecast",
    "forecast_accuracy",
    "forecast_capacity",
    "forecast_demand",
    "forecast_headroom",
    "hire_list",
    "learn_intervals",
    "open_store",
    "outlook",
    "statsforecast_model",
    "bias",
    "coverage",
    "crps",
    "forecast_losses",
    "mase",
    "mean_absolute_error",
    "pinball",
    "rmsse",
    "smape",
    "plot_accuracy",
    "plot_backtest_errors",
    "plot_calibration",
    "plot_forecast",
    "plot_overload_chance",
    "read_portfolio",
    "Settings",
    "SearchParams",
    "SolveLimits",
    "SolveReport",
    "SolverError",
    "SolveStatus",
    "why_infeasible",
    "WhyInfeasible",
    "why_not",
    "frontier",
    "role_value",
    "sensitivity",
    "plot_frontier",
    "plot_role_value",
    "Frontier",
    "WhyNot",
    "write_portfolio",
    "write_template",
}
HEAVY = (
    "matplotlib",
    "pulp",
    "highspy",
    "pandera",
    "scipy.stats",
    "sqlalchemy",
    "openpyxl",
    "typer",
)


def test_the_public_names():
    assert set(pmo_analytics.__all__) == PUBLIC
    assert len(pmo_analytics.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_explained(name):
    thing = getattr(pmo_analytics, name)
    if name != "__version__":
        assert thing.__doc__
        assert thing.__name__ == name
        assert thing.__module__.startswith("pmo_analytics.")


def test_dir_lists_the_public_names():
    assert dir(pmo_analytics) == sorted(PUBLIC)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'optimise'"):
        _ = pmo_analytics.optimise
    with pytest.raises(ImportError, match="optimise"):
        from pmo_analytics import optimise  # noqa: F401


def test_the_import_is_light():
    code = f"""
import sys
import pmo_analytics
heavy = [name for name in {HEAVY!r} if name in sys.modules]
assert not heavy, heavy
try:
    pmo_analytics.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error), error
else:
    raise SystemExit("no AttributeError")
pmo_analytics.Portfolio, pmo_analytics.Plan, pmo_analytics.baseline
heavy = [name for name in {HEAVY!r} if name in sys.modules]
assert not heavy, heavy
"""
    assert_runs(code)


@pytest.mark.parametrize("old", sorted(MOVED))
def test_modules_are_found_by_their_old_names(old):
    sys.modules.pop(f"pmo_analytics.{old}", None)
    room, _, leaf = f"pmo_analytics.{old}".rpartition(".")
    assert leaf not in import_module(room).__all__, "it would hide a public name"
    with pytest.warns(
        DeprecationWarning, match=f"has moved to pmo_analytics.{MOVED[old]};"
    ):
        module = import_module(f"pmo_analytics.{old}")
    assert module is import_module(f"pmo_analytics.{MOVED[old]}")
    sys.modules.pop(f"pmo_analytics.{old}")


def test_a_module_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"pmo_analytics\.nothing"):
        import_module("pmo_analytics.nothing")
