"""What an FTE is worth: by hand, and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.explaining.role_value import (
    changed,
    role_value,
    say_role_values,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from tests.optimization.explaining.test_why_not import portfolio_of
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def test_three_projects_and_one_developer():
    # One month, X 5, Y 3, Z 1: with one X, with two X and Y, without any nobody.
    plan = optimize(portfolio_of({"X": 5, "Y": 3, "Z": 1}), limits=LIMITS)
    table = role_value(plan, limits=LIMITS, workers=1).set_index("change")
    assert table["value"].to_dict() == pytest.approx({1.0: 3.0, -1.0: -5.0})
    assert table["low"].to_dict() == pytest.approx({1.0: 3.0, -1.0: -5.0}, abs=1e-3)
    assert table["high"].to_dict() == pytest.approx({1.0: 3.0, -1.0: -5.0}, abs=1e-3)
    assert table["entering"].to_dict() == {1.0: "Y", -1.0: ""}
    assert table["leaving"].to_dict() == {1.0: "", -1.0: "X"}
    assert table["lp_price"].abs().max() <= 5.0
    two = role_value(plan, fte=2.0, limits=LIMITS, workers=1)
    assert two.loc[two["change"] == 2.0, "value"].tolist() == pytest.approx([4.0])


@pytest.fixture(scope="module")
def unbinding(warm_module):
    """Return what a role is worth of which there is more than enough."""
    plan = optimize(portfolio_of({"X": 5, "Y": 3}, capacity=4.0), limits=LIMITS)
    return role_value(plan, limits=LIMITS, workers=1)


def test_a_role_that_never_binds_is_worth_exactly_nothing(unbinding):
    assert unbinding["how"].tolist() == ["never binds"] * 2
    assert unbinding[["value", "low", "high"]].to_numpy().tolist() == [[0.0] * 3] * 2
    assert say_role_values(unbinding) == [
        "'Dev' never binds: neither more nor less changes anything."
    ]


def test_more_lets_in_what_alone_was_too_much():
    # Y needs two developers: no start of it fits into one, so no row shows it.
    portfolio = portfolio_of({"X": 5, "Y": 9}, fte={"X": 1.0, "Y": 2.0})
    plan = optimize(portfolio, limits=LIMITS)
    table = role_value(plan, limits=LIMITS, workers=1).set_index("change")
    assert table.at[1.0, "value"] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("change", "value", "low", "high", "says"),
    [
        (1.0, 3.7e-9, 0.0, 4.1e-9, "brings nothing."),
        (1.0, 3.7e-9, 3.7e-9, 3.7e-9, "brings nothing."),
        (-1.0, -3.7e-9, -3.7e-9, 0.0, "costs nothing."),
        (1.0, 3.7e-9, 0.0, 0.4, "changed nothing in the time given; it may bring up"),
        (1.0, 0.25, 3.7e-9, 0.5, "brings 0.25 (between 0 and 0.5)."),
        (1.0, 3e-6, 3e-6, 3e-6, "brings 3e-06."),
    ],
)
def test_a_difference_below_rounding_is_said_as_nothing(
    unbinding, change, value, low, high, says
):
    table = unbinding.iloc[:1].assign(
        how="solved", change=change, value=value, low=low, high=high
    )
    (text,) = say_role_values(table.assign(entering="", leaving="Y", objective=8.0))
    assert says in text
    assert ("another plan of the same worth: out goes" in text) == (abs(value) < 1e-8)
    assert "e-09" not in text


def test_the_window_counts():
    portfolio = portfolio_of({"X": 5, "Y": 3, "Z": 1}, periods=2)
    plan = optimize(portfolio, limits=LIMITS)  # X and Y
    table = role_value(
        plan, window=("2027-02", "2027-02"), limits=LIMITS, workers=1
    ).set_index("change")
    assert table["value"].to_dict() == pytest.approx({1.0: 1.0, -1.0: -3.0})
    assert {str(p) for p in table["start"]} == {"2027-02"}
    text = say_role_values(table.reset_index())
    assert "1 FTE less of Dev from 2027-02 to 2027-02 costs 3. Out goes 'Y'." in text


def test_without_it_no_plan_is_left():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3}, periods=2, more={"status": ["approved", "approved"]}
    )
    plan = optimize(portfolio, limits=LIMITS)
    table = role_value(plan, limits=LIMITS, workers=1).set_index("change")
    assert table.at[-1.0, "how"] == "infeasible"
    assert np.isnan(table.at[-1.0, "value"])
    text = "\n".join(say_role_values(table.reset_index()))
    assert "With 1 FTE less of Dev from 2027-01 to 2027-02 no plan is left" in text


def test_a_plan_that_is_not_the_best_is_found_out():
    portfolio = portfolio_of({"X": 5, "Y": 3})
    plan = Plan(portfolio, {"Y": "2027-01"})
    table = role_value(plan, limits=LIMITS, workers=1).set_index("change")
    # It has no bound of its own, so it is solved again: 5, and with one more 8.
    assert table["base_objective"].tolist() == pytest.approx([5.0, 5.0])
    assert table["value"].to_dict() == pytest.approx({1.0: 3.0, -1.0: -5.0})


def test_values_are_those_of_brute_force():
    rng = np.random.default_rng(3)
    solved = 0
    while solved < 1:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=4).validate()
        base, _ = best_plan(portfolio)
        if base is None or float(base) == 0:
            continue
        plan = optimize(portfolio, limits=LIMITS)
        last = len(portfolio.horizon) - 1
        role = str(portfolio.capacity.columns[0])
        table = role_value(plan, roles=[role], fte=0.5, limits=LIMITS, workers=1)
        for row in table.itertuples():
            other = changed(portfolio, role, 0, last, row.change)
            best, _ = best_plan(other)
            if best is None:
                assert row.how == "infeasible"
                continue
            exact = float(best - base)
            assert row.value == pytest.approx(exact, abs=1e-5)
            assert row.low - 1e-3 <= exact <= row.high + 1e-3
            solved += row.how == "solved"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"roles": ["dev"]}, "did you mean 'Dev'"),
        ({"fte": 0.0}, "must be positive"),
        ({"window": ("2028-01", "2028-02")}, "no period of the horizon"),
        ({"window": ("soon", "2028-02")}, "first and a last period"),
    ],
)
def test_what_cannot_be_asked(arguments, message):
    plan = Plan(portfolio_of({"X": 5}), {"X": "2027-01"})
    with pytest.raises(ConfigError, match=message):
        role_value(plan, **arguments)
