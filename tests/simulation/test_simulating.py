"""Futures of a plan: worked by hand, against the certain arithmetic, repeatable."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.processes.parallel import run_tasks
from pmo_analytics.simulation import simulating
from pmo_analytics.uncertainty.uncertainty import Spread, Uncertainty, certain
from tests.support import clusters

HORIZON = make_horizon("2027-01", 8, "M")
# 20 blocks of 20 draws: a Latin hypercube hits a quarter of each exactly.
DRAWS = 400


def chain(**facts: object) -> Portfolio:
    """Return A (2 months of one Dev) and B (1 month), which waits for A."""
    rows = [
        {"project": "A", "value": 100.0, "duration": 2, "start": "2027-01"},
        {"project": "B", "value": 50.0, "duration": 1, "start": "2027-03"},
    ]
    for row in rows:
        row["status"] = "approved"
        row |= {k[2:]: v for k, v in facts.items() if k[0] == row["project"].lower()}
    return Portfolio(
        "chain",
        horizon=HORIZON,
        projects=pd.DataFrame(rows),
        demand=pd.DataFrame(
            [("A", "Dev", 0, 1.0), ("A", "Dev", 1, 1.0), ("B", "Dev", 0, 1.0)],
            columns=["project", "role", "offset", "fte"],
        ),
        dependencies=pd.DataFrame(
            [("B", "A", facts.get("kind", "finish_start"), facts.get("lag", 0))],
            columns=["project", "requires", "kind", "lag"],
        ),
        capacity=pd.DataFrame({"Dev": 1.0}, index=HORIZON),
        settings=pmo.Settings(discount=0.1),
    )


def driver(name="Late", chance=0.25, what="duration", factor=2.0, **filters):
    row = {"driver": name, "probability": chance, "multiplies": what}
    return {**row, "low": factor, "mode": factor, "high": factor, **filters}


def sure(*drivers: dict[str, object], **more: object) -> Uncertainty:
    """Return that nothing is uncertain but some drivers."""
    given = {
        "duration": pmo.uncertainty.Fixed(),
        "demand": pmo.uncertainty.Fixed(),
        "wins": False,
        **more,
    }
    return Uncertainty(drivers=pd.DataFrame(list(drivers)), **given)


LATE = sure(driver(project="A"))


def means(simulation) -> list[float]:
    return simulation.load.grid("mean")["Dev"].tolist()


def test_a_chain_whose_first_project_takes_twice_as_long_in_a_quarter_of_the_draws():
    simulation = pmo.simulate(
        chain(b_deadline="2027-03"), uncertainty=LATE, draws=DRAWS
    )
    finish = simulation.finish.set_index("project")
    assert finish["p50"].astype(str).tolist() == ["2027-02", "2027-03"]
    assert finish["p80"].astype(str).tolist() == ["2027-04", "2027-05"]
    assert finish["late"].tolist() == [0.5, 0.5]
    assert finish.at["B", "p_deadline"] == 0.75
    assert finish.at["B", "p_deadline_se"] == 0.0
    assert np.isnan(finish.at["A", "p_deadline"])
    # In time: 1, 1 and B; late: half a person for four months, then B.
    on_time, late = [1, 1, 1, 0, 0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5, 1, 0, 0, 0]
    expected = [0.75 * a + 0.25 * b for a, b in zip(on_time, late, strict=True)]
    assert means(simulation) == pytest.approx(expected)
    worth = 0.75 * (100 + 50 / 1.1**2) + 0.25 * (100 / 1.1**2 + 50 / 1.1**4)
    value = simulation.value.set_index("quantile")
    assert value.at["mean", "value"] == pytest.approx(worth)
    assert value.at["planned", "value"] == pytest.approx(100 + 50 / 1.1**2)
    assert value.at["p20", "value"] == pytest.approx(100 / 1.1**2 + 50 / 1.1**4)
    critical = simulation.criticality.set_index("project")
    assert critical["critical"].to_dict() == {"A": 1.0, "B": 1.0}
    assert critical["pushes"].to_dict() == {"A": 0.25, "B": 0.0}


def test_the_tornado_of_the_chain():
    simulation = pmo.simulate(chain(), uncertainty=LATE, draws=DRAWS)
    rows = simulation.tornado.set_index("outcome")
    assert rows["kind"].unique().tolist() == ["driver"]
    finish = rows.loc["finish"]
    assert (finish["low"], finish["high"], finish["swing"]) == (3.0, 5.0, 2.0)
    assert finish["share"] == pytest.approx(1.0)
    assert rows.at["overload", "swing"] == 0.0


def test_a_stretched_project_may_keep_its_people_instead_of_its_effort():
    keeping = sure(driver(project="A"), keep="fte")
    late = pmo.simulate(chain(), uncertainty=keeping, draws=DRAWS).load.grid("p90")
    assert late["Dev"].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]


def test_slack_takes_up_a_delay():
    simulation = pmo.simulate(chain(b_start="2027-04"), uncertainty=LATE, draws=DRAWS)
    finish = simulation.finish.set_index("project")
    assert finish.at["B", "late"] == 0.25
    critical = simulation.criticality.set_index("project")
    assert critical["critical"].to_dict() == {"A": 0.25, "B": 1.0}


def test_a_link_that_the_plan_breaks_keeps_its_distance():
    broken = chain(b_start="2027-02")
    assert means(pmo.simulate(broken, uncertainty=certain(), draws=20))[:4] == [
        *(1.0, 2.0, 0.0, 0.0)
    ]
    finish = pmo.simulate(broken, uncertainty=LATE, draws=DRAWS).finish
    assert finish["late"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("kind", "lag", "late"),
    [
        ("finish_start", -1, 0.25),
        ("start_start", 1, 0.0),
        ("selected", 0, 0.0),
    ],
)
def test_kinds_of_links(kind, lag, late):
    portfolio = chain(kind=kind, lag=lag)
    finish = pmo.simulate(portfolio, uncertainty=LATE, draws=DRAWS).finish
    assert finish["late"].tolist() == [0.5, late]


def test_what_has_begun_is_not_pushed_and_only_its_rest_is_stretched():
    portfolio = chain(
        a_status="running", a_start="2026-12", b_status="running", b_start="2027-01"
    )
    simulation = pmo.simulate(portfolio, uncertainty=LATE, draws=DRAWS)
    # One month of A is left: it takes two in a quarter of the draws.
    assert simulation.finish["late"].tolist() == [0.25, 0.0]
    assert means(simulation)[:3] == pytest.approx([1 + 0.75 + 0.125, 0.125, 0.0])


def test_what_is_lost_takes_with_it_what_requires_it():
    portfolio = chain(a_status="proposed", a_probability=0.75)
    simulation = pmo.simulate(
        portfolio, uncertainty=sure(wins=True), draws=DRAWS, seed=3
    )
    assert simulation.finish["p_win"].tolist() == [0.75, 0.75]
    assert means(simulation)[:3] == pytest.approx([0.75] * 3)
    value = simulation.value.set_index("quantile").at["mean", "value"]
    assert value == pytest.approx(0.75 * (100 + 50 / 1.1**2))
    rows = simulation.tornado.set_index("outcome")
    assert rows.at["value", "low"] == 0.0
    assert not pmo.simulate(portfolio, uncertainty=sure(), draws=20).notes


def test_what_needs_each_other_is_lost_together():
    portfolio = chain(
        a_status="proposed",
        a_probability=0.75,
        b_status="proposed",
        b_probability=0.6,
    )
    mutual = pd.DataFrame(
        [("B", "A", "selected"), ("A", "B", "selected")],
        columns=["project", "requires", "kind"],
    )
    simulation = pmo.simulate(
        portfolio.replace(dependencies=mutual),
        uncertainty=sure(wins=True),
        draws=4000,
    )
    assert simulation.finish["p_win"].tolist() == pytest.approx([0.45] * 2, abs=0.02)
    together = simulation.won_draws[:, 0] == simulation.won_draws[:, 1]
    assert together.all()


def tied(*groups: tuple[str, str], rule: str = "all_or_none", **facts) -> Portfolio:
    """Return A (won with 0.8) and B (0.5), which ask nothing of each other, tied."""
    open_ = {"a_status": "proposed", "a_probability": 0.8}
    open_ |= {"b_status": "proposed", "b_probability": 0.5}
    portfolio = chain(**{**open_, **facts})
    rows = [(group, project, rule) for group, project in groups]
    return portfolio.replace(
        dependencies=portfolio.dependencies.iloc[:0],
        groups=pd.DataFrame(rows, columns=["group", "project", "rule"]),
    )


def test_members_of_all_or_none_are_lost_together_or_not_at_all():
    both = tied(("G", "A"), ("G", "B"))
    found = pmo.simulate(both, uncertainty=sure(wins=True), draws=DRAWS)
    # The smaller of 0.8 and 0.5, exact in a Latin hypercube; load as the plan's.
    assert found.finish["p_win"].tolist() == [0.5, 0.5]
    assert (found.won_draws[:, 0] == found.won_draws[:, 1]).all()
    worth = 100 + 50 / 1.1**2
    assert np.unique(found.value_draws) == pytest.approx([0.0, worth])
    assert means(found)[:3] == pytest.approx([0.5] * 3)
    # One event decides on both, and it explains all there is.
    row = found.tornado.set_index("outcome").loc["value"]
    assert (row["source"], row["swing"]) == ("A, B", pytest.approx(worth))
    assert any("tied by groups all_or_none" in note for note in found.notes)


def test_one_certain_member_makes_all_of_them_certain():
    for facts in ({"b_status": "approved"}, {"b_status": "done"}):
        both = tied(("G", "A"), ("G", "B"), **facts)
        found = pmo.simulate(both, uncertainty=sure(wins=True), draws=DRAWS)
        assert found.won_draws.all()


def test_what_one_member_requires_decides_on_all():
    portfolio = tied(("G", "A"), ("G", "B"), b_probability=1.0, a_probability=1.0)
    third = {"project": "C", "value": 1.0, "duration": 1, "start": "2027-01"}
    third |= {"status": "proposed", "probability": 0.25}
    more = portfolio.replace(
        projects=pd.concat([portfolio.projects, pd.DataFrame([third])]),
        dependencies=pd.DataFrame(
            [{"project": "B", "requires": "C", "kind": "selected"}]
        ),
    )
    found = pmo.simulate(more, uncertainty=sure(wins=True), draws=DRAWS)
    assert found.finish["p_win"].tolist() == [0.25] * 3


def test_other_groups_change_no_draw():
    apart = tied(rule="limit")
    found = pmo.simulate(apart, uncertainty=sure(wins=True), draws=DRAWS)
    assert found.finish["p_win"].tolist() == [0.8, 0.5]
    for groups in ((("G", "A"),), (("G", "A"), ("H", "B"))):
        alone = pmo.simulate(tied(*groups), uncertainty=sure(wins=True), draws=DRAWS)
        assert (alone.won_draws == found.won_draws).all()


def test_a_group_is_served_by_whichever_member_is_first():
    portfolio = chain()
    third = {"project": "C", "value": 1.0, "duration": 3, "start": "2027-01"}
    either = portfolio.replace(
        projects=pd.concat([portfolio.projects, pd.DataFrame([third])]),
        groups=pd.DataFrame({"group": "G", "project": ["A", "C"], "rule": "limit"}),
        dependencies=pd.DataFrame([{"project": "B", "requires": "G"}]),
        demand=pd.concat(
            [
                portfolio.demand,
                pd.DataFrame(
                    [{"project": "C", "role": "Dev", "offset": 0, "fte": 0.1}]
                ),
            ]
        ),
    )
    plan = pmo.Plan(either, {"A": "2027-01", "B": "2027-03", "C": "2027-01"})
    # Where A is late (end of April) C serves at the end of March.
    finish = pmo.simulate(plan, uncertainty=LATE, draws=DRAWS).finish
    assert finish.set_index("project")["late"].to_dict() == {
        "A": 0.5,
        "B": 0.25,
        "C": 0.0,
    }


def test_a_ring_of_links_is_no_endless_push():
    portfolio = chain()
    ring = pd.DataFrame(
        [("B", "A", "finish_start", 0), ("A", "B", "start_start", -6)],
        columns=["project", "requires", "kind", "lag"],
    )
    finish = pmo.simulate(
        portfolio.replace(dependencies=ring), uncertainty=LATE, draws=DRAWS
    ).finish
    assert finish["late"].tolist() == [0.5, 0.5]


def test_drivers_of_demand_by_role_and_of_capacity():
    uncertainty = sure(
        driver("Scope", 0.25, "demand", 1.5, role="Dev"),
        driver("Flu", 0.5, "capacity", 0.6),
    )
    simulation = pmo.simulate(chain(), uncertainty=uncertainty, draws=DRAWS)
    assert means(simulation)[:4] == pytest.approx([1.125] * 3 + [0.0])
    assert simulation.capacity.grid("mean")["Dev"].tolist() == pytest.approx([0.8] * 8)
    # Nothing, one of them, or both: each of the four futures happens.
    seen = np.unique(simulation.headroom.draws[:, 0, 0].astype(float).round(3))
    assert seen.tolist() == [-0.9, -0.5, -0.4, 0.0]
    row = simulation.overload.iloc[0]
    assert row["p_overload"] == pytest.approx(1 - 0.75 * 0.5, abs=0.05)
    total = simulation.expected_overload.to_numpy().sum()
    assert total == pytest.approx(simulation.overload_draws.mean(), rel=1e-5)


def test_drivers_move_totals_together():
    """Shared, the spread of a sum is that of its parts added up."""
    portfolio = chain(b_start="2027-01", kind="selected")
    shared = sure(driver("Scope", 0.5, "demand", 2.0))
    load = pmo.simulate(portfolio, uncertainty=shared, draws=DRAWS).load.draws[:, 0, 0]
    assert load.std() == pytest.approx(1.0)
    own = sure(demand=pmo.uncertainty.Empirical((1.0, 2.0)))
    load = pmo.simulate(portfolio, uncertainty=own, draws=DRAWS).load.draws[:, 0, 0]
    assert load.std() == pytest.approx(0.5**0.5, rel=0.1)


def test_people_leave():
    people = pd.DataFrame(
        {"person": list("abcd"), "role": "Dev", "start": "2020-01-01", "fte": 1.0}
    )
    full = chain()
    portfolio = Portfolio(
        "team",
        horizon=HORIZON,
        projects=full.projects,
        demand=full.demand,
        people=people,
    )
    uncertainty = sure(attrition=0.1)
    left = (
        pmo.simulate(portfolio, uncertainty=uncertainty, draws=2000).capacity.grid(
            "mean"
        )
        / portfolio.capacity
    )
    expected = 0.9 ** np.arange(1, 9)
    assert left["Dev"].to_numpy() == pytest.approx(expected, abs=0.01)
    # A role of which only FTE are known: as many people as they need.
    given = pmo.simulate(chain(), uncertainty=sure(attrition={"Dev": 0.1}), draws=DRAWS)
    assert set(given.capacity.draws.ravel().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["mixed", "chains"])
def test_without_uncertainty_it_is_the_plan(kind, seed):
    portfolio = pmo.generate_portfolio(
        25, 4, 15, seed=seed, kind=kind, mid_life=True, discount=0.02
    ).replace(net_of_spend=True)
    starts = {
        row.project: row.start for row in pmo.baseline(portfolio).schedule.itertuples()
    }
    rng = np.random.default_rng(seed)
    for name in portfolio.projects["project"]:
        starts.setdefault(name, portfolio.horizon[int(rng.integers(0, 15))])
    for plan in (pmo.baseline(portfolio), pmo.Plan(portfolio, starts)):
        simulation = pmo.simulate(plan, uncertainty=certain(), draws=20)
        apart = simulation.load.draws - plan.load.to_numpy()
        assert np.abs(apart).max() < 1e-5  # kept in single precision
        assert (simulation.headroom.draws.min(axis=0) < -1e-6).tolist() == (
            plan.overload.to_numpy() > 1e-6
        ).tolist()
        value = simulation.value.set_index("quantile")["value"]
        assert value["p50"] == pytest.approx(plan.objective)
        finish = simulation.finish
        assert (finish["p80"] == plan.schedule["finish"]).all()
        assert (finish["late"] == 0).all()
        assert simulation.tornado.empty


NOISY = Uncertainty(
    duration=pmo.uncertainty.Pert(0.8, 1.0, 2.0),
    demand=pmo.uncertainty.Triangular(0.8, 1.0, 1.5),
    value=pmo.uncertainty.Lognormal(1.0, 1.3),
    capacity=[Spread(pmo.uncertainty.Uniform(0.8, 1.0), role="Role 01")],
    drivers=pd.DataFrame([driver("Vendor", 0.3, factor=1.5)]),
)


@cache
def generated() -> pmo.Plan:
    return pmo.baseline(pmo.generate_portfolio(20, 3, 12, seed=1, mid_life=True))


def noisy(**options) -> pmo.simulation.Simulation:
    return pmo.simulate(generated(), uncertainty=NOISY, **{"draws": 300, **options})


def tables(simulation) -> list[pd.DataFrame]:
    return [
        simulation.finish,
        simulation.overload,
        simulation.value,
        simulation.criticality,
        simulation.tornado,
        simulation.grids("headroom"),
    ]


@pytest.mark.parametrize("method", ["lhs", "sobol", "random"])
def test_the_same_seed_gives_the_same_tables_for_any_size_of_chunk(method, monkeypatch):
    expected = tables(noisy(method=method, seed=4))
    for size in (1, 100):
        monkeypatch.setattr(simulating, "_AT_A_TIME", size)
        for table, other in zip(
            tables(noisy(method=method, seed=4)), expected, strict=True
        ):
            pd.testing.assert_frame_equal(table, other, check_exact=True)
    assert not noisy(method=method, seed=5).value.equals(expected[2])


def test_workers_give_the_same_tables(monkeypatch):
    expected = tables(noisy())
    monkeypatch.setattr(simulating, "_AT_A_TIME", 150)
    for table, other in zip(tables(noisy(workers=2)), expected, strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)


def test_a_cluster_gives_the_same_tables_and_a_worker_may_die(monkeypatch):
    if clusters.missing():
        pytest.skip(clusters.missing())
    expected = tables(noisy())
    monkeypatch.setattr(simulating, "_AT_A_TIME", 40)
    with clusters.cluster() as started:
        monkeypatch.setattr(simulating, "run_tasks", started.killing(run_tasks))
        found = tables(noisy(cluster=started.address))
        assert started.workers[0].wait(timeout=60) != 0
    for table, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)


def test_all_ways_to_draw_mean_the_same():
    values = {
        method: noisy(method=method, draws=4000).value.set_index("quantile")
        for method in ("lhs", "sobol", "random")
    }
    plain = values["random"].loc["mean"]
    for found in values.values():
        apart = abs(found.at["mean", "value"] - plain["value"])
        assert apart < 5 * (plain["se"] + found.at["mean", "se"])
    # Stratified draws know the mean better.
    assert values["lhs"].at["mean", "se"] < plain["se"]
    assert values["sobol"].at["mean", "se"] < plain["se"]


def test_the_error_falls_with_the_draws_and_is_about_right():
    few, many = noisy(draws=400), noisy(draws=10_000)
    assert (many.value["se"][1:] < few.value["se"][1:]).all()
    error = many.overload["p_overload_se"].mean() / few.overload["p_overload_se"].mean()
    assert error == pytest.approx(0.2, rel=0.4)
    # The true error of 30 runs against what one run says of itself.
    runs = [noisy(draws=200, seed=k).value.set_index("quantile") for k in range(30)]
    spread = np.std([run.at["p80", "value"] for run in runs], ddof=1)
    said = np.mean([run.at["p80", "se"] for run in runs])
    assert 0.6 < said / spread < 1.7


@pytest.mark.parametrize("seed", range(5))
def test_longer_projects_never_end_earlier(seed):
    portfolio = pmo.generate_portfolio(12, 3, 12, seed=seed, kind="chains")
    rng = np.random.default_rng(seed)
    names = portfolio.projects["project"]
    plan = pmo.Plan(
        portfolio, {n: portfolio.horizon[int(rng.integers(0, 8))] for n in names}
    )
    short, long = (
        pmo.simulate(
            plan,
            uncertainty=sure(duration=pmo.uncertainty.Pert(1.0, mode, 3.0)),
            draws=40,
            seed=seed,
        ).finish_draws
        for mode in (1.2, 2.5)
    )
    assert (long >= short).all()
    assert (long > short).any()


def test_a_project_has_the_same_fate_in_every_plan():
    portfolio = chain(kind="selected")
    both = pmo.simulate(portfolio, uncertainty=NOISY_ALL, draws=100)
    alone = pmo.simulate(
        pmo.Plan(portfolio, {"A": "2027-03"}), uncertainty=NOISY_ALL, draws=100
    )
    length = both.finish_draws[:, 0] - both.start_draws[:, 0]
    assert (alone.finish_draws[:, 0] - alone.start_draws[:, 0] == length).all()


NOISY_ALL = Uncertainty(
    duration=pmo.uncertainty.Pert(0.8, 1.0, 4.0), demand=pmo.uncertainty.Fixed()
)


def test_overruns_come_from_finished_projects_by_default():
    simulation = pmo.simulate(pmo.example_portfolio(), draws=200)
    assert "8 finished projects" in " ".join(simulation.notes)
    assert set(simulation.tornado["kind"]) == {"overrun"}
    grids = simulation.grids()
    assert grids.index.names == ["quantile", "period"]
    assert (grids.loc["p90"] >= grids.loc["p10"]).all().all()


def test_an_empty_plan_is_simulated_too():
    portfolio = chain()
    simulation = pmo.simulate(pmo.Plan(portfolio, {}), draws=20)
    assert simulation.finish.empty
    assert simulation.criticality.empty
    assert simulation.p_overload.to_numpy().sum() == 0
    assert simulation.value["value"].tolist() == [0.0] * 7
    assert "no projects" in " ".join(simulation.notes)
    assert "2027" in repr(simulation)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"draws": 5}, "at least 20"),
        ({"draws": 1e4}, "whole number"),
        ({"method": "sobool"}, "did you mean 'sobol'"),
        ({"workers": 0}, "workers"),
    ],
)
def test_arguments_that_cannot_be(options, said):
    with pytest.raises(ConfigError, match=said):
        pmo.simulate(chain(), **options)
    with pytest.raises(ConfigError, match="not str"):
        pmo.simulate("chain")
    with pytest.raises(ConfigError, match="load, capacity or headroom"):
        pmo.simulate(chain(), draws=20).grids("laod")
