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
    "__version__",
    "add_capacity",
    "add_project",
    "backtest",
    "balance",
    "baseline",
    "change_demand",
    "change_discount",
    "change_project",
    "change_value",
    "check_bound",
    "check_plan",
    "check_portfolio",
    "compare",
    "ConfigError",
    "cut_budget",
    "DataError",
    "delay",
    "drop",
    "example_portfolio",
    "exclude",
    "explain",
    "figure_capacity",
    "figure_forecast",
    "Forecast",
    "forecast_accuracy",
    "forecast_capacity",
    "forecast_delivery",
    "forecast_demand",
    "forecast_headroom",
    "freeze_hiring",
    "frontier",
    "generate_portfolio",
    "hire",
    "hire_list",
    "InfeasibleError",
    "learn_intervals",
    "level",
    "limit_parallel",
    "limit_themes",
    "lose_person",
    "make_horizon",
    "Network",
    "open_store",
    "optimize",
    "outlook",
    "Plan",
    "plan_changes",
    "plot_budget",
    "plot_capacity",
    "plot_comparison",
    "plot_core",
    "plot_finish_ranges",
    "plot_forecast",
    "plot_frontier",
    "plot_gantt",
    "plot_moves",
    "plot_overload_chance",
    "plot_progress",
    "plot_role_value",
    "plot_s_curve",
    "plot_spend",
    "plot_tornado",
    "plot_utilization",
    "PmoError",
    "PmoWarning",
    "Portfolio",
    "Progress",
    "read_networks",
    "read_portfolio",
    "read_record",
    "read_scenarios",
    "read_uncertainty",
    "Record",
    "recover",
    "require",
    "Risk",
    "role_value",
    "run_batch",
    "save_record",
    "scale_capacity",
    "scale_duration",
    "Scenario",
    "SearchParams",
    "sensitivity",
    "Settings",
    "shift_budget",
    "simulate",
    "status",
    "SolveLimits",
    "SolveReport",
    "SolverError",
    "SolveStatus",
    "sweep",
    "Uncertainty",
    "verify",
    "why_infeasible",
    "why_not",
    "write_mspdi",
    "write_portfolio",
}
# Former names -> the room that offers them.
FORMER = {
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
ROOMS = {
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
    resource = getattr(pmo_analytics, name)
    if name != "__version__":
        assert resource.__doc__
        assert resource.__name__ == name
        assert resource.__module__.startswith("pmo_analytics.")


def test_dir_lists_the_public_names():
    assert dir(pmo_analytics) == sorted(PUBLIC | ROOMS)


def test_the_root_has_a_hundred_names_at_most():
    assert len(PUBLIC) <= 100


@pytest.mark.parametrize("name", sorted(FORMER))
def test_a_name_that_moved_works_and_says_where_it_is(name):
    room = getattr(pmo_analytics, FORMER[name])
    said = rf"pmo_analytics\.{name} is called pmo_analytics\.{FORMER[name]}\.{name} now"
    with pytest.warns(DeprecationWarning, match=said):
        assert getattr(pmo_analytics, name) is getattr(room, name)
    assert name not in dir(pmo_analytics)


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_rooms_are_attributes(name):
    assert getattr(pmo_analytics, name).__name__ == f"pmo_analytics.{name}"


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
