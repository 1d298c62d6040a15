"""Why a project is not in: numbers worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.explaining.displacing import changes
from pmo_analytics.optimization.explaining.why_not import why_not
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def portfolio_of(
    values: dict[str, float],
    *,
    periods: int = 1,
    freq: str = "M",
    fte: dict[str, float] | None = None,
    capacity: float = 1.0,
    more: dict | None = None,
    **tables,
) -> Portfolio:
    """Return projects of one period that need a developer each, or what `fte` says."""
    horizon = make_horizon("2027-01" if freq == "M" else "2027-W01", periods, freq)
    names = list(values)
    need = fte or dict.fromkeys(names, 1.0)
    projects = {"project": names, "value": list(values.values()), "duration": 1}
    return Portfolio(
        "by hand",
        horizon=horizon,
        projects=pd.DataFrame({**projects, **(more or {})}),
        demand=pd.DataFrame(
            {
                "project": list(need),
                "role": "Dev",
                "offset": 0,
                "fte": list(need.values()),
            }
        ),
        capacity=pd.DataFrame({"Dev": capacity}, index=horizon),
        **tables,
    )


@pytest.fixture(scope="module")
def funded() -> Plan:
    """Budget 500; A costs 400 and is worth 1000, B 300 and 400, C 200 and 400."""
    portfolio = portfolio_of(
        {"A": 1000, "B": 400, "C": 400},
        capacity=9.0,
        spend=pd.DataFrame(
            {"project": list("ABC"), "offset": 0, "amount": [400.0, 300.0, 200.0]}
        ),
        budget=pd.DataFrame({"budget": ["Total"], "amount": [500.0]}),
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert set(plan.starts) == {"A"}
    return plan


def test_two_hundred_of_budget_are_missing(funded):
    why = why_not(funded, "B", limits=LIMITS)
    (row,) = why.blocking.to_dict("records")
    assert (row["rule"], row["subject"]) == ("budget", "Total")
    assert (row["needed"], row["free"], row["short"]) == (300, 100, 200)
    (row,) = why.repair.to_dict("records")
    assert (row["others"], row["subject"], row["amount"]) == ("stay", "Total", 200)
    # With B only C fits beside it: 400 + 400 - 1000.
    assert why.status == "worse"
    assert why.objective_delta == pytest.approx(-200)
    assert why.delta_low == pytest.approx(-200, abs=1e-3)
    assert why.delta_high == pytest.approx(-200, abs=1e-3)
    changed = why.displaced.set_index("project")["change"].to_dict()
    assert changed == {"A": "leaving", "B": "entering", "C": "entering"}
    text = str(why)
    assert "budget 'Total' stands in the way" in text
    assert "there it lacks 200 in budget 'Total'" in text
    assert "Taking 'B' in would cost 200 of the objective." in text
    assert "It would take the place of 'A' (worth 1,000)." in text
    assert "Raise budget 'Total' by 200." in text


def test_one_hundred_more_let_the_other_one_in(funded):
    why = why_not(funded, "C", limits=LIMITS)
    assert why.repair["amount"].tolist() == [100]
    assert why.objective_delta == pytest.approx(-200)


def test_forty_hours_of_three_roles_for_four_weeks():
    horizon = make_horizon("2027-W01", 4, "W")
    roles = ["Architect", "Carpenter", "Plumber"]
    portfolio = Portfolio(
        "roles",
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": list("ABC"), "value": [100.0, 50.0, 75.0], "duration": 4}
        ),
        demand=pd.DataFrame(
            [
                {"project": p, "role": r, "offset": k, "fte": 1.0}
                for p in "ABC"
                for r in roles
                for k in range(4)
            ]
        ),
        capacity=pd.DataFrame(2.0, index=horizon, columns=roles),  # 80 h a week
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert plan.objective == 175
    why = why_not(plan, "B", limits=LIMITS)
    assert len(why.blocking) == 12
    assert set(why.blocking["short"]) == {1.0}
    assert why.objective_delta == pytest.approx(-25)  # A and B instead of A and C
    assert why.repair["amount"].tolist() == [1.0] * 12
    assert "Add 1 FTE in 2027-W01 to 2027-W04 to Plumber." in str(why)


def test_an_equally_good_plan():
    plan = optimize(portfolio_of({"X": 5, "Y": 5}), limits=LIMITS)
    (out,) = {"X", "Y"} - set(plan.starts)
    why = why_not(plan, out, limits=LIMITS)
    assert why.status == "equal"
    assert f"'{out}' is in another plan that is just as good." in why.sentences


def test_a_plan_by_hand_that_left_room():
    portfolio = portfolio_of({"X": 5, "Y": 3}, periods=2)
    why = why_not(Plan(portfolio, {"X": "2027-01"}), "Y", limits=LIMITS)
    assert why.status == "better"
    assert why.objective_delta == pytest.approx(3)
    assert why.sentences[0] == (
        "Nothing stands in the way of 'Y' beside the plan in 2027-02: from 2027-02 it "
        "adds 3."
    )
    assert set(why.blocking["start"].astype(str)) == {"2027-01"}


def test_what_does_not_pay():
    portfolio = portfolio_of({"X": 5, "Y": -3}, periods=2)
    plan = optimize(portfolio, limits=LIMITS)
    why = why_not(plan, "Y", limits=LIMITS)
    assert why.status == "worse"
    assert "it is worth -3: it does not pay" in why.sentences[0]


def test_others_that_may_move_make_it_cheaper():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3}, periods=2, more={"latest": [None, "2027-01"]}
    )
    plan = Plan(portfolio, {"X": "2027-01"})
    why = why_not(plan, "Y", limits=LIMITS)
    assert why.repair["others"].tolist() == ["stay"]
    assert why.repair["amount"].tolist() == [1.0]
    assert (
        "If 'X' may move, 'Y' fits from 2027-01 on, and nothing has to be added."
        in why.sentences
    )


def test_forced_out_and_cancelled():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3},
        more={"force": ["out", None], "force_reason": ["no sponsor", None]},
    )
    plan = optimize(portfolio, limits=LIMITS)
    why = why_not(plan, "X", limits=LIMITS)
    assert why.sentences[0].startswith("'X' is forced out: no sponsor.")
    assert "Let in, 'X' would bring 2 by the plans found." in why.sentences
    assert why.status == "better"
    assert why.objective_delta == pytest.approx(2)


def test_a_window_that_leaves_no_start():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3},
        periods=3,
        more={"latest": ["2027-02", None]},
        blackouts=pd.DataFrame(
            {"project": ["X"], "start": ["2027-01"], "end": ["2027-02"]}
        ).assign(applies_to="work"),
    )
    plan = optimize(portfolio, limits=LIMITS)
    why = why_not(plan, "X", limits=LIMITS)
    assert why.status == "impossible"
    assert "Its own rules leave 'X' no start at all:" in why.sentences
    assert "  - 'X' must start by 2027-02 (latest)." in why.sentences
    assert (
        "  - 'X' must not be worked on from 2027-01 until 2027-02 (blackout)."
        in why.sentences
    )
    (row,) = why.repair.to_dict("records")
    assert row["rule"] in ("latest", "blackout")


def test_what_it_requires_is_not_in():
    portfolio = portfolio_of(
        {"X": 5, "Y": -9, "Z": 3},
        periods=3,
        dependencies=pd.DataFrame({"project": ["X"], "requires": ["Y"]}),
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert set(plan.starts) == {"Z"}
    why = why_not(plan, "X", limits=LIMITS)
    assert set(why.blocking["rule"]) == {"dependency", "capacity"}
    assert why.status == "worse"
    assert why.objective_delta == pytest.approx(-4)
    assert (
        "'X' must not start before 'Y' ends. 'Y' is not in the plan." in why.sentences
    )
    assert "fits together with 'Y' from" in str(why)


def test_a_group_that_is_full():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3},
        periods=2,
        more={"status": ["approved", "proposed"]},
        groups=pd.DataFrame(
            {"group": "one", "project": list("XY"), "rule": "limit", "at_most": 1}
        ),
    )
    plan = optimize(portfolio, limits=LIMITS)
    why = why_not(plan, "Y", limits=LIMITS)
    assert why.status == "impossible"
    assert "No plan at all can hold 'Y', whatever else is left out" in str(why)
    assert "'X' is approved and stays in." in str(why)
    assert why.repair["rule"].tolist() == ["group"]


def test_one_start_that_is_too_much_does_not_raise_the_limit():
    portfolio = portfolio_of({"X": 5, "Y": 9}, fte={"X": 1.0, "Y": 2.0})
    plan = optimize(portfolio, limits=LIMITS)
    assert set(plan.starts) == {"X"}
    why = why_not(plan, "Y", limits=LIMITS)
    assert why.status == "impossible"
    assert "Add 2 FTE in 2027-01 to Dev." in str(why)


def test_a_rule_of_ones_own():
    rule = {"rule": "few", "weight": 1.0, "applies_to": "selected", "at_most": 1.0}
    portfolio = portfolio_of(
        {"X": 5, "Y": 3},
        periods=2,
        capacity=2.0,
        rules=pd.DataFrame([{**rule, "project": name} for name in "XY"]),
    )
    plan = optimize(portfolio, limits=LIMITS)
    why = why_not(plan, "Y", limits=LIMITS)
    assert set(why.blocking["rule"]) == {"rule"}
    assert "rule 'few' in 2" in why.sentences[0]
    assert why.objective_delta == pytest.approx(-2)
    assert why.repair["rule"].tolist() == ["rule"]
    assert "Loosen rule 'few' by 1: Rule 'few' asks that 'X', 'Y'," in str(why)


def test_who_is_in(funded):
    why = why_not(funded, "A")
    assert why.status == "selected"
    assert str(why) == "'A' is in the plan, 2027-01 to 2027-01, worth 1,000."
    assert why.blocking.empty


def test_a_name_that_is_nearly_right(funded):
    with pytest.raises(ConfigError, match=r"no project 'a'.*mean 'A'"):
        why_not(funded, "a")


def test_changes_between_plans():
    portfolio = portfolio_of({"X": 5, "Y": 3, "Z": 1}, periods=2)
    table = changes(
        Plan(portfolio, {"X": "2027-01", "Y": "2027-02"}),
        Plan(portfolio, {"X": "2027-02", "Z": "2027-01"}),
    )
    found = table.set_index("project")["change"].to_dict()
    assert found == {"X": "moved", "Y": "leaving", "Z": "entering"}
    assert table["new_worth"].isna().tolist() == [False, True, False]
