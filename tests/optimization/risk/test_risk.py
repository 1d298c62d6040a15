"""Plans that keep overload unlikely: by hand, against every plan, and in new draws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.risk import search as risk_room
from pmo_analytics.optimization.risk.moves import Aim, search_moves
from pmo_analytics.optimization.risk.sample import Sample, tail_mean, try_plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.uncertainty.uncertainty import Uncertainty
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

HORIZON = make_horizon("2027-01", 2, "M")
# So many nodes and moves, not a clock: the same plan on any machine.
WORK = pmo.SolveLimits(seconds=AMPLE, work=5, threads=1)
MORE = pmo.SolveLimits(seconds=AMPLE, work=6, threads=1)


@pytest.fixture(autouse=True)
def _one_round(monkeypatch):
    """Let moves do the work: a solver's process for each round takes long."""
    monkeypatch.setattr(risk_room, "_ROUNDS", 1)


def pair(**facts: object) -> Portfolio:
    """Return two candidates that fill the only role together, or take turns."""
    rows = [
        {"project": name, "value": 1.0, "duration": 1, "status": "proposed", **facts}
        for name in "AB"
    ]
    return Portfolio(
        "pair",
        horizon=HORIZON,
        projects=pd.DataFrame(rows),
        demand=pd.DataFrame(
            [("A", "Dev", 0, 0.5), ("B", "Dev", 0, 0.5)],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": 1.0}, index=HORIZON),
        settings=pmo.Settings(discount=0.1),
    )


def scope(chance: float) -> Uncertainty:
    """Return that all demand is half as much again with a chance."""
    row = {"driver": "Scope", "probability": chance, "multiplies": "demand"}
    row |= {"low": 1.5, "mode": 1.5, "high": 1.5}
    return Uncertainty(
        duration=pmo.uncertainty.Fixed(),
        demand=pmo.uncertainty.Fixed(),
        wins=False,
        drivers=pd.DataFrame([row]),
    )


def chosen(portfolio, risk) -> pmo.Plan:
    return pmo.optimize(portfolio, limits=WORK, risk=risk)


def test_projects_take_turns_where_together_they_are_too_likely_too_much():
    both_at_once = chosen(pair(), pmo.Risk(chance=0.4, uncertainty=scope(0.3)))
    assert both_at_once.objective == 2.0
    in_turn = chosen(pair(), pmo.Risk(chance=0.2, uncertainty=scope(0.3)))
    assert in_turn.objective == pytest.approx(1 + 1 / 1.1)
    report = in_turn.report
    assert report.certified
    assert report.bound == pytest.approx(2.0)
    assert report.status == "feasible"
    assert report.risk["met"]
    assert report.risk["test"]["highest_chance"] == 0.0
    assert report.risk["without"]["highest_chance"] == pytest.approx(0.3, abs=0.01)
    assert report.risk["without"]["objective"] == 2.0
    assert in_turn.summary()["price of less risk"] == round(1 - 1 / 1.1, 2)


def test_changes_of_the_plan_of_record_have_their_price_under_risk():
    risk = pmo.Risk(chance=0.2, uncertainty=scope(0.3))

    def again(record, **options):
        return pmo.optimize(pair(), limits=WORK, risk=risk, record=record, **options)

    # Without regard to risk B would come forward: 2 - 0.06. In turn they stay.
    asked = {"change_price": 0.05, "move_price": 0.01}
    stays = again({"A": "2027-01", "B": "2027-02"}, **asked)
    assert stays.starts == {"A": 0, "B": 1}
    assert stays.objective == pytest.approx(1 + 1 / 1.1)
    assert stays.report.risk["without"]["objective"] == pytest.approx(1.94)
    assert again({"A": "2027-02", "B": "2027-01"}, **asked).starts == {"A": 1, "B": 0}
    # Side by side on record: one waits, which costs 0.2; leaving it out costs more.
    moved = again({"A": "2027-01", "B": "2027-01"}, change_price=0.2)
    assert sorted(moved.starts.values()) == [0, 1]
    assert moved.objective == pytest.approx(1 + 1 / 1.1 - 0.2)
    report = moved.report
    assert report.objective == pytest.approx(moved.objective)
    assert report.worth == pytest.approx(1 + 1 / 1.1)
    assert report.change_cost == pytest.approx(0.2)
    assert report.bound == pytest.approx(2.0)
    assert report.risk["met"]
    check = check_plan(
        moved.portfolio,
        moved.schedule,
        objective=report.objective,
        record=moved.record,
    )
    assert check.certified


def test_a_frozen_period_stays_as_it_is_on_record_under_risk():
    risk = pmo.Risk(chance=0.2, uncertainty=scope(0.3))
    record = {"B": "2027-01"}
    plan = pmo.optimize(pair(), limits=WORK, risk=risk, record=record, freeze=1)
    assert plan.starts == {"A": 1, "B": 0}


def test_where_there_is_no_other_date_one_stays_out():
    plan = chosen(pair(latest="2027-01"), pmo.Risk(uncertainty=scope(0.3)))
    assert plan.objective == 1.0
    assert len(plan.starts) == 1


def test_what_has_to_be_done_may_be_too_likely_too_much():
    """Its best dates are kept, and nothing may make it likelier."""
    portfolio = pair(status="approved", earliest="2027-01", latest="2027-02")
    third = {"project": "C", "value": 9.0, "duration": 1, "status": "proposed"}
    more = portfolio.replace(
        projects=pd.concat([portfolio.projects, pd.DataFrame([third])]),
        demand=pd.concat(
            [
                portfolio.demand,
                pd.DataFrame(
                    [{"project": "C", "role": "Dev", "offset": 0, "fte": 0.1}]
                ),
            ]
        ),
        capacity=pd.DataFrame({"Dev": 0.7}, index=HORIZON),
    )
    # One in each month, each overloaded with a chance of 30 % already.
    plan = chosen(more, pmo.Risk(uncertainty=scope(0.3)))
    assert sorted(plan.starts.values()) == [0, 0, 1]
    risk = plan.report.risk
    assert [(row["role"], row["period"]) for row in risk["inherited"]] == [
        ("Dev", "2027-01"),
        ("Dev", "2027-02"),
    ]
    assert risk["met"]


def test_work_that_nobody_can_move_sets_its_own_limit():
    portfolio = pair(status="running", start="2027-01")
    plan = chosen(portfolio, pmo.Risk(uncertainty=scope(0.3)))
    assert len(plan.starts) == 2
    assert len(plan.report.risk["inherited"]) == 1
    assert plan.report.risk["met"]


def test_moves_separate_what_has_to_be_done():
    portfolio = pair(status="approved", earliest="2027-01", latest="2027-02")
    plan = chosen(portfolio, pmo.Risk(uncertainty=scope(0.3)))
    assert sorted(plan.starts.values()) == [0, 1]
    assert plan.report.risk["inherited"] == []
    # Also where something else that is optional has to be there in the end.
    third = {"project": "C", "value": 9.0, "duration": 1, "status": "proposed"}
    more = portfolio.replace(
        projects=pd.concat([portfolio.projects, pd.DataFrame([third])]),
        groups=pd.DataFrame([{"group": "G", "project": "C", "at_least": 1}]),
        spend=pd.DataFrame([{"project": "C", "offset": 0, "amount": 1.0}]),
    )
    plan = chosen(more, pmo.Risk(uncertainty=scope(0.3)))
    assert sorted(plan.starts[name] for name in "AB") == [0, 1]
    assert plan.report.risk["inherited"] == []


def varied(**more: object) -> Uncertainty:
    given = {
        "duration": pmo.uncertainty.Triangular(0.7, 1.0, 1.3),
        "demand": pmo.uncertainty.Triangular(0.6, 1.0, 1.4),
        "capacity": pmo.uncertainty.Triangular(0.9, 1.0, 1.1),
        "wins": False,
    }
    return Uncertainty(**{**given, **more})


@pytest.mark.parametrize("seed", range(2))
def test_no_plan_at_all_is_better_in_the_sample(seed):
    portfolio = pmo.generate_portfolio(4, 2, 6, seed=seed, fit=0.6).validate()
    risk = pmo.Risk(chance=0.1, uncertainty=varied(), draws=200, test_draws=200)
    compiled = compile_options(portfolio)
    o = compiled.options
    sample = Sample(portfolio, compiled.names, varied(), risk.draws, risk.seed)
    allowed = 0.1 - np.sqrt(0.09 / 200)
    best = 0.0
    ways = [[-1, *range(o.first[p], o.first[p + 1])] for p in range(len(o.must))]
    for options in product(*ways):
        starts = compiled.starts_of(np.array([k for k in options if k >= 0]))
        plan = pmo.Plan.from_starts(portfolio, starts)
        if plan.objective <= best or len(plan.violations):
            continue
        sample.take(starts)
        if (sample.chance <= allowed + 1e-9).all():
            best = plan.objective
    plan = chosen(portfolio, risk)
    assert plan.objective == pytest.approx(best)
    if seed == 0:
        again = chosen(portfolio, risk)
        assert again.starts == plan.starts
        assert again.report.risk == plan.report.risk


def test_rounds_with_less_capacity_come_near_by_themselves(monkeypatch):
    """Without a single move: what does not fit the chance is left out at last."""
    monkeypatch.setattr(risk_room, "_ROUNDS", 3)
    monkeypatch.setattr(risk_room, "_MOVES_A_UNIT", 0)
    portfolio = pmo.generate_portfolio(12, 2, 12, seed=0)
    risk = pmo.Risk(uncertainty=varied(), draws=200, test_draws=2000)
    report = chosen(portfolio, risk).report.risk
    assert report["in_sample"] <= 0.2
    assert report["met"]
    assert report["without"]["highest_chance"] > 0.3


def test_at_equal_value_there_is_less_overload_in_new_futures():
    """The whole table: `python tests/benchmarks/bench_risk.py`."""
    portfolio = pmo.generate_portfolio(15, 3, 12, seed=0, discount=0.0)
    risk = pmo.Risk("cvar", keep=1.0, uncertainty=varied(), draws=200)
    plan = pmo.optimize(portfolio, limits=MORE, risk=risk)
    assert plan.report.certified
    assert plan.violations.empty
    test, without = plan.report.risk["test"], plan.report.risk["without"]
    assert plan.objective >= without["objective"] - 1e-6
    gain = plan.report.risk["gain"]
    assert gain["cvar"] > 5 * gain["cvar_se"] > 0
    assert gain["overload"] == pytest.approx(without["overload"] - test["overload"])
    assert gain["overload"] > 5 * gain["overload_se"] > 0
    # What the report says of new futures is what a simulation of them says.
    seed = plan.report.risk["test_seed"]
    simulation = pmo.simulate(plan, uncertainty=varied(), draws=10_000, seed=seed)
    assert test["cvar"] == pytest.approx(tail_mean(simulation.overload_draws, 0.1))
    assert test["overload"] == pytest.approx(simulation.overload_draws.mean())


def test_the_sample_is_what_simulate_draws():
    portfolio = pmo.generate_portfolio(15, 3, 12, seed=2, mid_life=True)
    plan = pmo.baseline(portfolio)
    uncertainty = varied(wins=True)
    simulation = pmo.simulate(plan, uncertainty=uncertainty, draws=300, seed=5)
    names = list(compile_options(plan.portfolio).names)
    sample = Sample(plan.portfolio, names, uncertainty, 300, 5)
    sample.take(plan.starts)
    expected = simulation.p_overload.to_numpy().T
    assert sample.chance == pytest.approx(expected)
    assert sample.overload == pytest.approx(simulation.overload_draws)
    trial = try_plan(plan.portfolio, plan.starts, uncertainty, 300, 5)
    assert trial.chance == pytest.approx(expected)
    assert trial.value == pytest.approx(simulation.value_draws)


def test_changes_of_a_plan_add_up():
    portfolio = pmo.generate_portfolio(20, 3, 12, seed=3, kind="chains").validate()
    compiled = compile_options(portfolio)
    sample = Sample(portfolio, compiled.names, varied(), 100, 0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        options = [
            int(rng.integers(a, b))
            for a, b in zip(
                compiled.options.first[:-1], compiled.options.first[1:], strict=True
            )
            if b > a and rng.random() < 0.5
        ]
        starts = compiled.starts_of(np.array(options, dtype=np.int64))
        before = sample.kept()
        sample.take(starts)
        if rng.random() < 0.3:
            sample.back(before)
    fresh = Sample(portfolio, compiled.names, varied(), 100, 0)
    fresh.take(sample.starts)
    assert sample.load == pytest.approx(fresh.load, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_moves_keep_every_rule(seed):
    kind = ["mixed", "chains", "many_small"][seed % 3]
    portfolio = pmo.generate_portfolio(
        25, 4, 18, seed=seed, kind=kind, mid_life=seed > 2
    ).validate()
    compiled = compile_options(portfolio)
    chosen = greedy(compiled.options)
    sample = Sample(portfolio, compiled.names, varied(), 100, 0)
    seen = []

    def cost(_: Sample, objective: float) -> tuple[float, float]:
        # Every move is an improvement, so that all of them are kept.
        seen.append(objective)
        return 0.0, -float(len(seen))

    aim = Aim(cost, lambda sample: sample.missing.sum(axis=2))
    for _ in range(8):
        chosen = search_moves(
            compiled,
            chosen,
            sample,
            aim,
            np.random.default_rng(seed),
            until=np.inf,
            most=40,
        )
        plan = pmo.Plan.from_starts(portfolio, compiled.starts_of(chosen))
        worth = float(compiled.options.worth[chosen].sum())
        check = pmo.check_plan(portfolio, plan.schedule, objective=worth)
        assert check.certified, check.violations["message"].tolist()
    assert len(seen) > 30


def test_the_mean_of_a_tail():
    numbers = np.array([4.0, 1.0, 3.0, 2.0])
    assert tail_mean(numbers, 0.5) == 3.5
    assert tail_mean(numbers, 0.375) == pytest.approx((4.0 + 0.5 * 3.0) / 1.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measure": "cvr"}, "did you mean 'cvar'"),
        ({"chance": 1.0}, "chance lies between"),
        ({"tail": 0.0}, "tail lies between"),
        ({"keep": 1.5}, "keep is a share"),
        ({"draws": 10}, "draws is at least 100"),
        ({"test_draws": 10}, "test_draws is at least 100"),
    ],
)
def test_risks_that_cannot_be(options, said):
    with pytest.raises(ConfigError, match=said):
        pmo.Risk(**options)
    with pytest.raises(ConfigError, match="cannot be combined with flex"):
        pmo.optimize(pair(), flex=True, risk=pmo.Risk())
