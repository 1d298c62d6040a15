"""recover: a project that ends late among two others, worked by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.clock import Settings, make_horizon
from pmo_analytics.tracking import Recovery, recover
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")
RECORD = {"RED": "2027-01", "A": "2027-01", "B": "2027-03"}


def in_flight(**tables: object) -> pmo.Portfolio:
    """Return a portfolio in which RED takes 4 months instead of 3.

    Dev has 2 FTE. RED runs from January with 1 FTE; A (worth 10) has 1 in January and
    February, B (worth 5) in March and April. In 3 months RED needs 4/3 a month, so A
    and B cannot be beside it: on time, both have to move.
    """
    horizon = make_horizon("2027-01", 8, "M")
    projects = {
        "project": ["RED", "A", "B", "OLD", "IDEA"],
        "status": ["running", "proposed", "proposed", "done", "idea"],
        "value": [100.0, 10.0, 5.0, 1.0, 0.0],
        "duration": [4, 2, 2, 1, 1],
        "start": ["2027-01", None, None, "2026-01", None],
        "earliest": [None, None, None, None, "2027-08"],
    }
    demand = [("RED", "Dev", k, 1.0) for k in range(4)]
    demand += [(name, "Dev", k, 1.0) for name in "AB" for k in range(2)]
    demand += [("IDEA", "Dev", 0, 1.0)]
    baseline = {"project": "RED", "baseline": "approval", "set_on": "2026-12-01"}
    given = {
        "projects": pd.DataFrame(projects),
        "demand": pd.DataFrame(demand, columns=["project", "role", "offset", "fte"]),
        "capacity": pd.DataFrame({"Dev": 2.0}, index=horizon),
        "baselines": pd.DataFrame([baseline | {"start": "2027-01", "duration": 3}]),
    }
    settings = Settings(discount=0.1)
    return pmo.Portfolio(
        "in flight", horizon=horizon, settings=settings, **(given | tables)
    )


@pytest.fixture(scope="module")
def offered() -> Recovery:
    flex = pd.DataFrame(
        [{"role": "Dev", "kind": "contractor", "fte_max": 1.0, "rate": 0.001}]
    )
    return recover(
        in_flight(flex=flex), "RED", record=RECORD, most_moved=2, seconds=AMPLE
    )


def by_option(recovery: Recovery) -> pd.DataFrame:
    return recovery.table.set_index("option")


def test_what_is_wrong_is_said(offered):
    assert offered.reasons == (
        "It ends in 2027-04, 1 period after 2027-03 as baseline 'approval' has it.",
    )
    assert offered.most == 2


def test_every_option_by_hand(offered):
    table = by_option(offered)
    assert set(table.index) == {
        "accept",
        "resequence",
        "people",
        "buy",
        "scope",
        "stop",
    }
    assert set(table["status"]) == {"ok"}
    assert table["checked"].all()
    # Nobody moves; RED is late.
    assert table.loc["accept", ["rest_cost", "late", "moved"]].to_list() == [0, 1, 0]
    # A from January and B from March both go to April: after RED.
    a = 10 - 10 / 1.1**3
    b = 5 / 1.1**2 - 5 / 1.1**3
    assert table.loc["resequence", "rest_cost"] == pytest.approx(a + b)
    assert table.loc["resequence", ["late", "moved"]].to_list() == [0, 2]
    assert set(table.loc["resequence", "moved_projects"].split(", ")) == {"A", "B"}
    # A quarter of its work, and of its value, is left out.
    assert table.loc["scope", "own_cost"] == pytest.approx(25)
    assert table.loc["scope", ["rest_cost", "late", "moved"]].to_list() == [0, 0, 0]
    # A third of an FTE, less the 1e-6 by which FTE may exceed what there is, in three
    # months; hours at 0.001.
    hours = 52.1775 / 12 * 40 * (1 / 3 - 1e-6)
    paid = sum(hours * 0.001 / 1.1**k for k in range(3))
    assert table.loc["buy", "purchases"] == pytest.approx(paid, rel=1e-6)
    assert table.loc["buy", "rest_cost"] == pytest.approx(paid, rel=1e-6)
    assert "Buy 58 hours a month (0.33 FTE)" in table.loc["buy", "what"]
    # Who stops one moves the other one; the cheap one stops.
    assert table.loc["stop", "moved"] == 2
    assert table.loc["stop", "rest_cost"] == pytest.approx(5 / 1.21 + a)


def test_lateness_counts_and_the_cheapest_comes_first(offered):
    """RED is worth 100 and was planned in 3 months: a month late counts as a third."""
    fine = offered.table[offered.table["status"] == "ok"]
    assert offered.late_price == pytest.approx(100 / 3)
    assert "worth 100 and was planned in 3 periods" in offered.late_price_says
    parts = fine[["rest_cost", "own_cost", "late_cost"]].sum(axis=1)
    assert fine["cost"].to_numpy() == pytest.approx(parts.to_numpy())
    assert fine["cost"].round(9).is_monotonic_increasing
    table = by_option(offered)
    assert table.loc["accept", "cost"] == pytest.approx(100 / 3)
    # Keeping the promise costs a little: it comes before what breaks it for nothing.
    assert offered.best == "buy"
    order = list(fine["option"])
    assert order.index("resequence") < order.index("scope") < order.index("accept")
    assert table["deadline_missed"].isna().all()
    assert (fine["rest_cost_low"] <= fine["rest_cost"] + 1e-9).all()


def test_the_price_of_a_period_late_is_an_argument():
    asked = {"record": RECORD, "options": ["accept"], "seconds": AMPLE}
    free = recover(in_flight(), "RED", late_price=0, **asked)
    assert by_option(free).loc["accept", ["cost", "late", "late_cost"]].to_list() == [
        0,
        1,
        0,
    ]
    dear = recover(in_flight(), "RED", late_price=7.5, **asked)
    assert by_option(dear).loc["accept", "cost"] == pytest.approx(7.5)
    with pytest.raises(pmo.ConfigError, match="late_price"):
        recover(in_flight(), "RED", late_price=-1, **asked)
    rows = in_flight().projects.assign(value=[0.0, 10.0, 5.0, 1.0, 0.0])
    rows.loc[0, "deadline"] = pd.Period("2027-02", "M")
    worthless = recover(in_flight(projects=rows), "RED", **asked)
    assert worthless.late_price == pytest.approx((10 + 5 / 1.21) / 4)
    # It should have ended in February and ends in April.
    row = by_option(worthless).loc["accept"]
    assert row[["late", "deadline_missed"]].to_list() == [2, 2]


def test_plans_keep_every_rule_and_few_move(offered):
    for kind, plan in offered.plans.items():
        assert plan.violations.empty, kind
        row = by_option(offered).loc[kind]
        assert row["moved"] <= offered.most
        assert plan.objective == pytest.approx(row["objective"])


def test_what_needs_more_moves_than_allowed_is_refused():
    table = by_option(
        recover(
            in_flight(),
            "RED",
            record=RECORD,
            most_moved=1,
            options=["resequence", "buy"],
        )
    )
    assert table.loc["resequence", "status"] == "infeasible"
    assert "More than 1 other project" in table.loc["resequence", "what"]
    assert table.loc["buy", "status"] == "not possible"
    assert list(table.index) == ["resequence", "buy"]


def test_nobody_else_may_move():
    asked = {"record": RECORD, "options": ["resequence", "people", "stop", "scope"]}
    alone = recover(in_flight(), "RED", most_moved=0, seconds=AMPLE, **asked)
    assert alone.most == 0
    table = by_option(alone)
    assert table["status"].to_dict() == {
        "scope": "ok",
        "resequence": "infeasible",
        "people": "not possible",
        "stop": "not possible",
    }
    assert "Others would have to move" in table.loc["resequence", "what"]


def test_overload_alone_is_trouble_too():
    """One of two developers has left in March: RED and B do not fit there."""
    few = in_flight(baselines=None)
    capacity = few.capacity.copy()
    capacity.loc["2027-03", "Dev"] = 1.0
    few = few.replace(capacity=capacity)
    options = ["people", "stop", "accept"]
    recovery = recover(few, "RED", record=RECORD, options=options)
    assert "Dev is short of 1 FTE in 2027-03" in recovery.reasons[0]
    table = by_option(recovery)
    assert table.loc["people", "moved_projects"] == "B"
    cost = 5 / 1.1**2 - 5 / 1.1**3
    assert table.loc["people", "rest_cost"] == pytest.approx(cost)
    assert table.loc["stop", "rest_cost"] == pytest.approx(5 / 1.21)
    # It waits itself until nothing of it is left in March.
    assert table.loc["accept", ["late", "rest_cost"]].to_list() == [3, 0]


def test_on_track_there_is_nothing_to_recover():
    recovery = recover(in_flight(baselines=None), "RED", record=RECORD)
    assert recovery.reasons == ()
    assert recovery.best is None
    assert recovery.table.empty


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("REDD", "did you mean 'RED'"),
        ("OLD", "'OLD' is done: there is nothing to recover"),
        ("IDEA", "not in the plan of record"),
    ],
)
def test_who_cannot_be_recovered_is_said(project, words):
    with pytest.raises(pmo.ConfigError, match=words):
        recover(in_flight(), project, record=RECORD)
    with pytest.raises(pmo.ConfigError, match="no option 'pray'"):
        recover(in_flight(), "RED", record=RECORD, options=["pray"])


def test_red_by_its_reports_and_on_time_in_the_plan_is_said(tmp_path, capsys):
    """A third is done after three of four months; the plan does not know of it."""
    report = {"project": "RED", "as_of": "2027-03-31", "percent_complete": 30}
    baseline = {"project": "RED", "baseline": "approval", "set_on": "2026-12-01"}
    told = in_flight(
        progress=pd.DataFrame([report]),
        baselines=pd.DataFrame([baseline | {"start": "2027-01", "duration": 4}]),
        actuals=None,
    )
    pmo.write_portfolio(told, tmp_path / "data")
    record = tmp_path / "schedule.csv"
    rows = [f"{name},{start}" for name, start in RECORD.items()]
    record.write_text("\n".join(["project,start", *rows]))
    words = ["recover", str(tmp_path / "data"), "--record", str(record)]
    assert main([*words, "--project", "RED"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "'RED' is on track" in said
    assert "But its status is red: SPI(t)" in said


def test_the_command(tmp_path, capsys):
    pmo.write_portfolio(in_flight(), tmp_path / "data")
    record = tmp_path / "schedule.csv"
    rows = [f"{name},{start}" for name, start in RECORD.items()]
    record.write_text("\n".join(["project,start", *rows]))
    words = ["recover", str(tmp_path / "data"), "--record", str(record), "--json"]
    out = ["--out", str(tmp_path / "out"), "--seconds", "600", "--option", "accept"]
    assert main([*words, "--project", "RED", *out]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "ok"
    assert answer["best"] == "accept"
    assert answer["late_price"] == pytest.approx(100 / 3)
    assert answer["reasons"][0].startswith("It ends in 2027-04")
    assert [row["option"] for row in answer["options"]] == ["accept"]
    assert (tmp_path / "out" / "options.csv").exists()
    assert (tmp_path / "out" / "accept" / "schedule.csv").exists()
    assert main([*words, "--project", "RED", "--option", "pray"]) == 2
    assert "resequence" in json.loads(capsys.readouterr().out)["error"]
    assert main([*words, "--project", "OLD"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "failed"
    assert "nothing to recover" in answer["error"]
    assert main([*words, "--project", "A"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "on_track"
