"""Groups and dependencies hold in every future of the pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio

HORIZON = make_horizon("2027-01", 6, "M")


def pipeline(chances: dict[str, float | None], **tables: pd.DataFrame) -> Portfolio:
    """Return projects that need one FTE of a role of their own name for a month."""
    projects = pd.DataFrame(
        {"project": list(chances), "value": 1.0, "duration": 1, "start": "2027-02"}
    ).assign(probability=list(chances.values()))
    extra = tables.pop("projects", pd.DataFrame())
    if len(extra):
        projects = projects.merge(extra, how="left", on="project")
    demand = pd.DataFrame({"project": list(chances), "role": list(chances)})
    return Portfolio(
        "pipeline",
        horizon=HORIZON,
        projects=projects,
        demand=demand.assign(offset=0, fte=1.0),
        capacity=pd.DataFrame(9.0, index=HORIZON, columns=list(chances)),
        **tables,
    )


def group(rule: str, members: str, **limits: float) -> pd.DataFrame:
    table = pd.DataFrame({"group": rule + members, "project": list(members)})
    return table.assign(rule=rule, **limits)


def at_most_one(members: str) -> pd.DataFrame:
    return group("limit", members, at_most=1)


def came(portfolio: Portfolio, draws: int = 4000) -> tuple[pd.DataFrame, str]:
    """Return draw x project whether it comes, and all that is said."""
    load = pmo.forecast_demand(portfolio, draws=draws)
    there = pd.DataFrame(load.draws[:, 1] > 0, columns=list(load.roles))
    return there, " ".join(load.notes)


def test_at_most_one_of_two_certain_ones():
    there, said = came(pipeline({"A": 1.0, "B": 1.0}, groups=at_most_one("AB")))
    assert (there.sum(axis=1) == 1).all()
    assert there["A"].mean() == pytest.approx(0.5, abs=0.03)
    assert "Groups and dependencies hold in every future" in said
    assert "% (alone 100%), B " in said


def test_of_those_that_are_too_many_the_likelier_one_stays_more_often():
    there, _ = came(pipeline({"A": 0.9, "B": 0.3}, groups=at_most_one("AB")))
    assert (there.sum(axis=1) <= 1).all()
    # B comes where it is drawn (0.3), and A is not (0.1) or is less keen: of both
    # drawn each is the keener one in half of the futures.
    assert there["B"].mean() == pytest.approx(0.3 * (0.1 + 0.9 / 2), abs=0.03)
    assert there["A"].mean() == pytest.approx(0.9 * (0.7 + 0.3 / 2), abs=0.03)


def test_at_least_brings_others():
    there, _ = came(
        pipeline(
            {"A": 0.2, "B": 0.2, "C": 0.0}, groups=group("limit", "ABC", at_least=1)
        )
    )
    assert (there[["A", "B"]].sum(axis=1) >= 1).all()
    assert not there["C"].any()
    two = group("limit", "AB", at_least=2)
    there, said = came(pipeline({"A": 0.0, "B": 1.0}, groups=two))
    assert there["B"].all()
    assert "in 100% of the futures fewer of its members come" in said


def test_all_or_none_comes_as_often_as_its_least_likely_member():
    there, _ = came(pipeline({"A": 0.5, "B": 0.7}, groups=group("all_or_none", "AB")))
    assert (there["A"] == there["B"]).all()
    assert there["A"].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", ["selected", "finish_start", "start_start"])
def test_what_requires_something_lost_does_not_come(kind):
    links = pd.DataFrame(
        [("B", "A", kind, -3), ("C", "B", kind, -3)],
        columns=["project", "requires", "kind", "lag"],
    )
    there, said = came(pipeline({"A": 0.5, "B": 1.0, "C": 1.0}, dependencies=links))
    assert (there["B"] == there["A"]).all()
    assert (there["C"] == there["A"]).all()
    assert "% (alone 100%), C " in said


@pytest.mark.parametrize("how", [{"status": "approved"}, {"force": "in"}])
def test_forced_and_approved_members_count(how):
    sure = pd.DataFrame([{"project": "A", **how}])
    chances = {"A": 0.1, "B": 1.0, "C": 0.2}
    there, _ = came(pipeline(chances, projects=sure, groups=at_most_one("AB")))
    assert there["A"].all()
    assert not there["B"].any()
    there, _ = came(pipeline(chances, projects=sure, groups=group("all_or_none", "AC")))
    assert there[["A", "C"]].to_numpy().all()


def test_what_is_out_takes_its_group_with_it():
    out = pd.DataFrame([{"project": "A", "force": "out"}])
    there, _ = came(
        pipeline({"A": 1.0, "B": 1.0}, projects=out, groups=group("all_or_none", "AB"))
    )
    assert not there.to_numpy().any()


def test_what_is_assumed_is_said():
    portfolio = pipeline({"A": None, "B": None})
    projects = portfolio.projects.copy()
    projects.loc[0, "status"] = "idea"
    projects["start"] = pd.NaT
    _, said = came(portfolio.replace(projects=projects), draws=50)
    assert "Probability: 2 candidates have none" in said
    assert "0.2 for idea (A); 0.5 for proposed (B)" in said
    assert "Dates: 2 candidates have no planned start" in said
    _, said = came(pipeline({"A": 0.5}), draws=50)
    assert "Probability" not in said
    assert "Dates" not in said


def money(spend: dict[str, float], **budget: object) -> dict[str, pd.DataFrame]:
    """Return the tables of one amount a project in its first period, and a budget."""
    rows = pd.DataFrame({"project": list(spend), "amount": list(spend.values())})
    limit = pd.DataFrame([{"budget": "All", **budget}])
    return {"spend": rows.assign(offset=0, fund="F", category="C"), "budget": limit}


def test_a_budget_holds_in_every_future():
    tables = money({"A": 6.0, "B": 4.0, "C": 0.0}, amount=9.0)
    there, said = came(pipeline({"A": 1.0, "B": 1.0, "C": 1.0}, **tables))
    assert (there["A"] ^ there["B"]).all()
    assert there["C"].all()
    assert there["A"].mean() == pytest.approx(0.5, abs=0.03)
    assert "Groups, dependencies and budgets hold in every future" in said
    # 0.1 + 0.2 keeps 0.3; and a budget of another time limits nothing.
    tables = money({"A": 0.1, "B": 0.2}, amount=0.3)
    assert came(pipeline({"A": 1.0, "B": 1.0}, **tables))[0].to_numpy().all()
    tables = money({"A": 6.0, "B": 4.0}, amount=1.0, start="2027-03")
    assert came(pipeline({"A": 1.0, "B": 1.0}, **tables))[0].to_numpy().all()


def test_what_comes_anyway_spends_first():
    sure = pd.DataFrame({"project": ["A"], "status": ["approved"]})
    tables = money({"A": 6.0, "B": 4.0, "C": 3.0}, amount=9.0)
    there, _ = came(pipeline({"A": 0.1, "B": 1.0, "C": 1.0}, projects=sure, **tables))
    assert there["A"].all()
    assert not there["B"].any()
    assert there["C"].all()
    tables = money({"A": 6.0, "B": 4.0, "C": 3.0}, amount=5.0)
    there, _ = came(pipeline({"A": 0.1, "B": 1.0, "C": 1.0}, projects=sure, **tables))
    assert there["A"].all()
    assert not there[["B", "C"]].to_numpy().any()


@settings(max_examples=6, deadline=None)
@given(
    amounts=st.lists(st.sampled_from([0.0, 0.1, 0.2, 7.0]), min_size=4, max_size=4),
    limit=st.sampled_from([0.0, 0.3, 7.0, 7.2]),
    end=st.sampled_from(["2027-02", "2027-04", None]),
    tied=st.booleans(),
)
def test_every_future_keeps_its_budgets(amounts, limit, end, tied):
    tables = money(dict(zip("ABCD", amounts, strict=True)), amount=limit, end=end)
    if tied:
        tables["groups"] = group("all_or_none", "AB")
    portfolio = pipeline(dict.fromkeys("ABCD", 0.7), **tables)
    projects = portfolio.projects.copy()
    projects["start"] = pd.NaT
    portfolio = portfolio.replace(projects=projects)
    load = pmo.forecast_demand(portfolio, draws=25, overruns=False)
    # Many of them are the same.
    for future in np.unique(load.draws > 0, axis=0):
        where = future.argmax(axis=0)
        come = future.any(axis=0)
        starts = {
            role: HORIZON[at]
            for role, at, there in zip(load.roles, where, come, strict=True)
            if there
        }
        broken = Plan(portfolio, starts).violations
        assert broken.empty, broken


@settings(max_examples=8, deadline=None)
@given(
    chances=st.lists(st.sampled_from([0.0, 0.3, 0.6, 1.0]), min_size=5, max_size=5),
    most=st.integers(1, 2),
    least=st.integers(0, 1),
    requires=st.sampled_from("ABCDE"),
)
def test_every_future_is_a_portfolio_that_the_rules_allow(
    chances, most, least, requires
):
    groups = pd.concat(
        [
            group("limit", "ABC", at_most=most, at_least=least),
            group("all_or_none", "CD"),
        ]
    )
    links = pd.DataFrame([{"project": "E", "requires": "B", "kind": "selected"}])
    if requires not in "EB":
        links.loc[1] = ["B", requires, "selected"]
    portfolio = pipeline(
        dict(zip("ABCDE", chances, strict=True)), groups=groups, dependencies=links
    )
    there, said = came(portfolio, draws=60)
    again, _ = came(portfolio, draws=60)
    assert there.equals(again)
    assert (there[list("ABC")].sum(axis=1) <= most).all()
    assert (there["C"] == there["D"]).all()
    assert (there["B"] | ~there["E"]).all()
    if requires not in "EB":
        assert (there[requires] | ~there["B"]).all()
    if "fewer of its members" not in said:
        assert (there[list("ABC")].sum(axis=1) >= least).all()
    for k, chance in enumerate(chances):
        assert chance > 0.0 or not there.iloc[:, k].any()
    assert np.isfinite(there.to_numpy()).all()


def test_committed_work_alone_and_the_plan_as_it_is():
    portfolio = pipeline(
        {"Sure": None, "In": 0.5, "Out": 0.5},
        projects=pd.DataFrame({"project": ["Sure"], "status": ["approved"]}),
    )

    def load(**which):
        told = pmo.forecast_demand(portfolio, draws=100, overruns=False, **which)
        return told.draws, " ".join(told.notes)

    draws, said = load(scope="committed")
    assert (draws.sum(axis=1) == [1.0, 0.0, 0.0]).all()
    assert "2 candidates are left out" in said
    plan = Plan(portfolio, {"Sure": HORIZON[1], "In": HORIZON[4]})
    draws, said = load(scope="plan", plan=plan)
    assert (draws[:, 1, 0] == 1.0).all()
    assert (draws[:, 4, 1] == 1.0).all()
    assert (draws.sum(axis=1) == [1.0, 1.0, 0.0]).all()
    assert "1 candidates are in the plan and come for sure, 1 are not" in said
    assert 0 < load()[0][:, :, 2].mean() < 1
    for wrong in ({"scope": "plan"}, {"plan": plan}):
        with pytest.raises(ConfigError, match="belong together"):
            load(**wrong)
    with pytest.raises(ConfigError, match="There is no scope 'planned'"):
        load(scope="planned")
