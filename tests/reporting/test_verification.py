"""verify: a plan in memory or in a folder, recomputed exactly."""

from __future__ import annotations

import json

import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from tests.support.clock import AMPLE
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = pmo.SolveLimits(seconds=AMPLE)


@pytest.fixture(scope="module")
def plan() -> pmo.Plan:
    return pmo.optimize(tiny_portfolio(), limits=LIMITS)


def test_an_optimal_plan_holds_and_its_bound_is_derived_again(plan):
    found = pmo.verify(tiny_portfolio(), plan)
    assert found.certified
    assert found.measure == "worth"
    assert found.objective == pytest.approx(16.6116, abs=1e-4)
    assert found.gap == pytest.approx(0, abs=1e-6)
    assert found.to_dict()["status"] == "ok"
    assert "Every rule holds, exactly." in str(found)
    assert "Every rule holds, exactly." in found._repr_html_()


def test_what_is_claimed_and_wrong_is_said(plan):
    better = pmo.Plan(plan.portfolio, plan.schedule)
    better.report = pmo.SolveReport(pmo.SolveStatus.FEASIBLE, objective=20.0)
    found = pmo.verify(tiny_portfolio(), better)
    assert not found.certified
    assert found.certified_bound is None
    assert "claims 20.000000, which is wrong" in str(found)


def test_a_broken_rule_is_said(plan):
    starts = {"A": "2027-01", "B": "2027-01"}
    found = pmo.verify(tiny_portfolio(), pmo.Plan(tiny_portfolio(), starts))
    assert not found.certified
    assert found.to_dict()["status"] == "broken"
    assert set(found.violations["subject"]) == {"Dev", "Test"}


def test_a_plan_of_record_is_verified_with_its_freeze_and_prices(plan):
    record = pmo.Record({"C": "2027-01"}, freeze=1, change_price=0.25)
    own = pmo.optimize(tiny_portfolio(), limits=LIMITS, record=record)
    found = pmo.verify(tiny_portfolio(), own)
    assert found.certified
    assert found.objective == pytest.approx(own.objective)
    assert found.gap == pytest.approx(0, abs=1e-6)


def test_the_command_says_what_the_verb_says(plan, tmp_path, capsys):
    pmo.write_portfolio(tiny_portfolio(), tmp_path / "data")
    schedule = tmp_path / "schedule.csv"
    plan.schedule.astype(str).to_csv(schedule, index=False)
    code = main(["verify", str(tmp_path / "data"), str(schedule), "--json"])
    line = json.loads(capsys.readouterr().out)
    found = pmo.verify(pmo.read_portfolio(tmp_path / "data"), schedule)
    assert code == 0
    assert line["objective"] == found.objective
    assert line["certified_bound"] is None
    assert found.claimed_objective is None


def test_explain_answers_in_one_object(plan):
    asked: list[str] = []
    found = pmo.explain(plan, ["C"], limits=LIMITS, on_ask=asked.append)
    assert found.status == "ok"
    assert found.answered
    assert asked == ["1 of 1: why not C?"]
    assert [why.project for why in found.projects] == ["C"]
    assert found.sentences[0].startswith("C")
    assert set(found.tables()) == {
        "explanation.csv",
        "why_not.csv",
        "blocking.csv",
        "displaced.csv",
        "repair.csv",
    }
    json.dumps(found.to_dict(), default=str)
    with pytest.raises(pmo.ConfigError, match="no project 'X'"):
        pmo.explain(plan, ["X"], limits=LIMITS)


def test_a_portfolio_without_a_plan_is_explained():
    portfolio = tiny_portfolio()
    # Two starts each, so that no limit is raised for them, and Dev is enough for one.
    rows = portfolio.projects[portfolio.projects["project"] != "B"]
    rows = rows.assign(force="in", latest=portfolio.horizon[1])
    asked: list[str] = []
    tables = {"projects": rows, "demand": portfolio.demand.query("project != 'B'")}
    clashing = portfolio.replace(**tables)
    found = pmo.explain(clashing, limits=LIMITS, on_ask=asked.append)
    assert found.status == "infeasible"
    assert found.plan is None
    assert found.clash is not None
    assert asked == ["No plan keeps every rule; looking for what clashes."]


def test_seconds_of_why_infeasible_warn():
    with pytest.warns(DeprecationWarning, match="limits=SolveLimits"):
        pmo.why_infeasible(tiny_portfolio(), seconds=AMPLE)
