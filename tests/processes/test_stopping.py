"""Ctrl-C holds for all of a verb; what was not solved is called so, never answered."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.optimization.bounds import certificate
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.checker.proofs.work import MOST_STEPS
from pmo_analytics.optimization.explaining.resolving import STOPPED
from pmo_analytics.optimization.explaining.role_value import say_role_values
from pmo_analytics.optimization.explaining.sensitivity import say_sensitivity
from pmo_analytics.optimization.messages import (
    CutsTold,
)
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.plan_search import PlanSearch
from pmo_analytics.optimization.run import Run
from pmo_analytics.processes.parallel import Work, run_tasks
from pmo_analytics.processes.stopping import note_stop, stop_asked, stoppable
from tests.support.small_portfolios import tiny_portfolio


@pytest.fixture
def stopped():
    """Stand where a first search of a verb was stopped."""
    with stoppable():
        note_stop()
        yield


@pytest.fixture
def plan():
    return pmo.Plan(tiny_portfolio(), {"A": "2027-01", "B": "2027-03"})


def test_a_stop_holds_for_the_outermost_block_and_no_longer():
    note_stop()
    assert not stop_asked()
    with stoppable():
        with stoppable() as inner:
            note_stop()
        assert inner.asked
        assert stop_asked()
    assert not stop_asked()


def test_tasks_that_come_after_a_stop_are_not_begun():
    begun = []

    def work(number):
        begun.append(number)
        if number == 1:
            raise KeyboardInterrupt
        return number

    with stoppable():
        here = Work(workers=1)
        tasks = {str(k): {"number": k} for k in range(3)}
        done = run_tasks(work, tasks, work=here)
        assert list(done) == ["0"]
        assert run_tasks(work, {"later": {"number": 5}}, work=here) == {}
    assert begun == [0, 1]


def test_a_search_that_is_stopped_gives_its_plan_and_says_so(monkeypatch):
    def interrupt(*_args, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "pmo_analytics.optimization.workers.running.Race.run", interrupt
    )
    plan = pmo.optimize(tiny_portfolio())
    assert plan.report.stopped
    assert plan.report.certified
    assert plan.report.to_dict()["stopped"] is True
    assert "stopped" in plan.summary().index
    monkeypatch.undo()
    assert not pmo.optimize(tiny_portfolio().filter(project="A")).report.stopped


@pytest.mark.parametrize(("interrupted", "proofs"), [(False, 3), (True, 1)])
def test_a_stopped_search_has_one_bound_proved(monkeypatch, interrupted, proofs):
    asked = []

    def proving(*args, work, **named):
        asked.append(work.left)
        return check_bound(*args, work=work, **named)

    monkeypatch.setattr(certificate, "check_bound", proving)
    portfolio = tiny_portfolio().validate()
    run = Run(pmo.SolveLimits(seconds=1e6), strict=False, seed=0, progress=None)
    search = PlanSearch(portfolio, compile_options(portfolio), run, "HiGHS")
    search.start_greedily()
    search.bound.prices = [(["limit", 0], 1.0)]
    search.bound.cuts = CutsTold(prices=search.bound.prices, cuts=[], bound=1e9)
    with stoppable():
        if interrupted:
            note_stop()
        plan = search.finish()
    assert plan.report.stopped == interrupted
    assert plan.report.certified_bound >= plan.report.objective
    assert len(asked) == proofs
    assert (max(asked) < MOST_STEPS) == interrupted


def test_roles_that_were_not_solved_are_called_so(stopped, plan):
    table = pmo.role_value(plan, workers=1)
    open_ones = table[table["how"] != "never binds"]
    assert (open_ones["how"] == "stopped").all()
    assert open_ones[["value", "low", "high"]].isna().all().all()
    said = " ".join(say_role_values(table))
    assert "Not solved, for it was stopped: 1 FTE more of Dev" in said
    assert "nothing" not in said


def test_values_that_were_not_solved_are_called_so(stopped, plan):
    table = pmo.sensitivity(plan, workers=1)
    assert (table["message"] == STOPPED).all()
    assert not table["exact"].any()
    assert not table["whole_set"].any()
    (sentence,) = say_sensitivity(table)
    assert sentence.startswith("Not solved, for it was stopped: 'A'")
    assert "theme 'Red'" in sentence
    assert "'discount rate'" in sentence


def test_levels_that_were_not_solved_have_no_plan(stopped):
    result = pmo.frontier(tiny_portfolio(), "capacity", points=[0.9, 1.1], workers=1)
    assert list(result.table["status"]) == ["stopped", "stopped"]
    assert result.table["objective"].isna().all()
    assert result.sentences == ("Not solved, for it was stopped: 90 %, 110 %.",)


def test_why_says_that_it_was_stopped(stopped, plan):
    why = pmo.why_not(plan, "C")
    assert why.status == "unknown"
    assert "It was stopped before" in str(why)
    clash = pmo.why_infeasible(tiny_portfolio())
    assert clash.status == "unknown"
    assert str(clash).startswith("It was stopped before")


def test_scenarios_that_were_not_solved_are_named(tmp_path, monkeypatch):
    base = pmo.optimize(tiny_portfolio())
    more = [pmo.Scenario(name, pmo.drop(name)) for name in ("A", "B")]
    with stoppable():
        note_stop()
        result = pmo.compare(
            base.portfolio, more, base=base, workers=1, keep=tmp_path / "kept"
        )
    assert result.failed == ["A", "B"]
    assert "'A' was not solved. The comparison was stopped" in result.sentences()[1]
    assert list((tmp_path / "kept").iterdir()) == []

    def interrupt(*_args, **_named):
        raise KeyboardInterrupt

    # Stopped when all are solved: each keeps the plan that it found itself.
    monkeypatch.setattr("pmo_analytics.scenarios.comparison.share_plans", interrupt)
    again = pmo.compare(base.portfolio, more, base=base, workers=1)
    assert again.failed == []
    assert list(again.plans) == ["base", "A", "B"]


def test_json_and_manifest_list_what_the_data_warns_of(tmp_path, capsys):
    from pmo_analytics.cli import main

    data = tmp_path / "my data"
    data.mkdir()
    (data / "portfolio.toml").write_text(
        'name = "W"\n[horizon]\nstart = "2027-01"\nperiods = 3\nfreq = "M"\n'
    )
    (data / "projects.csv").write_text(
        "project,value,duration,status,start\nA,5,2,running,2027-01\nB,3,2,proposed,\n"
    )
    (data / "demand.csv").write_text("project,role,offset,fte\nA,Dev,0,1\n")
    (data / "capacity.csv").write_text(
        "period,role,fte\n" + "".join(f"2027-0{m},Dev,1\n" for m in (1, 2, 3))
    )
    out = tmp_path / "out"
    words = ["capacity", str(data), "--no-charts", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["warnings"] == len(facts["problems"]) == 1
    assert facts["problems"][0]["rule"] == "no_demand_no_spend"
    assert "1 warning in the data: `pmo check '" in said.err
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["problems"] == facts["problems"]
    assert manifest["stopped"] is False
    assert [row["project"] for row in manifest["not_counted"]] == ["B"]
    assert pd.read_csv(out / "not_counted.csv")["project"].tolist() == ["B"]
    # A sheet that cannot be written is found out before anything is read.
    words[-1] = str(data / "projects.csv")
    words[1] = "no such data"
    assert main([*words, "--json"]) == 3
    assert "Cannot write to" in json.loads(capsys.readouterr().out)["error"]
