"""pmo explain and pmo frontier from the outside."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.cli import main
from tests.cli.test_cli import run_json

pytestmark = pytest.mark.usefixtures("warm_module")

FILES = {
    "portfolio.toml": (
        'name = "Funds"\n[horizon]\nstart = "2027-01"\nperiods = 2\nfreq = "M"\n'
    ),
    "projects.csv": "project,value,duration\nA,1000,1\nB,400,1\nC,400,1\n",
    "spend.csv": "project,offset,amount\nA,0,400\nB,0,300\nC,0,200\n",
    "demand.csv": "project,role,offset,fte\nA,Dev,0,1\nB,Dev,0,1\nC,Dev,0,1\n",
    "capacity.csv": "period,role,fte\n2027-01,Dev,3\n2027-02,Dev,3\n",
    "budget.csv": "budget,amount\nChange,500\n",
}


@pytest.fixture
def funds(tmp_path):
    folder = tmp_path / "funds"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_why_b_is_not_in(funds, tmp_path, capsys):
    schedule = tmp_path / "schedule.csv"
    schedule.write_text("project,start\nA,2027-01\n", encoding="utf-8")
    out = tmp_path / "out"
    words = ("explain", funds, "--schedule", schedule, "--project", "B", "--roles")
    code, facts = run_json(capsys, *words, "--seconds", 600, "--out", out)
    assert code == 0
    assert facts["status"] == "ok"
    assert facts["objective"] == 1000
    (why,) = facts["projects"]
    assert why["objective_delta"] == pytest.approx(-200)
    assert {row["start"] for row in why["blocking"]} == {"2027-01", "2027-02"}
    assert "  - Raise budget 'Change' by 200." in facts["sentences"]
    assert [row["how"] for row in facts["roles"]] == ["never binds", "solved"]
    repair = pd.read_csv(out / "repair.csv")
    assert repair[["about", "amount"]].to_numpy().tolist() == [["B", 200]]
    for name in ("why_not.csv", "role_value.csv", "role_value.png", "manifest.json"):
        assert (out / name).stat().st_size > 0


def test_how_far_values_and_the_discount_rate_may_move(funds, tmp_path, capsys):
    # A (1000) or B and C (800): at no discount rate it is better to wait for less.
    schedule = tmp_path / "schedule.csv"
    schedule.write_text("project,start\nA,2027-01\n", encoding="utf-8")
    words = ("explain", funds, "--schedule", schedule, "--values", "--workers", 1)
    out = tmp_path / "out"
    code, facts = run_json(capsys, *words, "--seconds", 600, "--out", out)
    assert code == 0
    row = facts["values"][-1]
    assert (row["kind"], row["low"], row["exact"]) == ("discount", 0.0, True)
    assert row["high"] == pytest.approx(0.0221, abs=1e-4)
    assert facts["sentences"][-1] == row["message"]
    assert "0 % to 2.21 % a month (now 0 % a month)" in row["message"]
    table = pd.read_csv(out / "sensitivity.csv")
    assert table["kind"].tolist() == ["project"] * 3 + ["discount"]


def test_the_proof_beside_a_schedule_is_taken_up(funds, tmp_path, capsys, monkeypatch):
    from pmo_analytics.optimization.explaining import role_value

    out = tmp_path / "plan"
    assert run_json(capsys, "optimize", funds, "--no-charts", "--out", out)[0] == 0
    asked = []
    resolve_all = role_value.resolve_all

    def told(questions, limits, settings, start, work):
        asked.append((list(questions), limits, start))
        return resolve_all(questions, limits, settings, start, work)

    monkeypatch.setattr(role_value, "resolve_all", told)
    words = ("explain", funds, "--schedule", out / "schedule.csv", "--roles")
    more = ("--seconds", 600, "--gap", 0.01, "--workers", 1)
    code, facts = run_json(capsys, *words, *more)
    assert code == 0
    ((questions, limits, start),) = asked
    assert questions == ["Dev -1"], "the plan is not solved again for its bound"
    assert limits.gap == 0.01
    assert start.report.certified_bound == pytest.approx(1000)
    assert start.report.certificate
    # Of other tables it proves nothing, and is not believed.
    budget = (funds / "budget.csv").read_text("utf-8").replace("500", "900")
    (funds / "budget.csv").write_text(budget, encoding="utf-8")
    code, facts = run_json(capsys, *words, *more)
    assert code == 0
    base = [row["base_objective"] for row in facts["roles"]]
    assert base == [1800, 1800]


def test_why_there_is_no_plan(funds, capsys):
    text = "project,value,duration,status\nA,1000,1,approved\nB,400,1,approved\n"
    (funds / "projects.csv").write_text(text, encoding="utf-8")
    for name in ("spend.csv", "demand.csv"):
        lines = (funds / name).read_text("utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("C,")]
        (funds / name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    code, facts = run_json(capsys, "explain", funds, "--seconds", 600)
    assert code == 4
    assert facts["status"] == "infeasible"
    assert facts["clash"]["minimal"] is True
    assert [row["rule"] for row in facts["clash"]["rules"]] == [
        "budget",
        "must",
        "must",
    ]
    assert "  - Raise budget 'Change' by 200." in facts["sentences"]
    assert main(["explain", str(funds), "--infeasible", "--seconds", "600"]) == 4
    assert "These 3 rules cannot hold together" in capsys.readouterr().out


def test_a_frontier_with_its_chart(funds, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("frontier", funds, "--over", "budget", "--levels", "1.8,0.8,1.2")
    code, facts = run_json(
        capsys, *words, "--seconds", 600, "--workers", 1, "--out", out
    )
    assert code == 0
    table = pd.read_csv(out / "frontier.csv")
    assert table["level"].tolist() == [0.8, 1.2, 1.8]
    assert table["objective"].tolist() == [1000, 1400, 1800]
    assert [row["objective"] for row in facts["rows"]] == [1000, 1400, 1800]
    assert facts["knee"]["level"] == 1.2
    assert (out / "frontier.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("exit_code", "words", "message"),
    [
        (3, ("explain", "--project", "D"), "There is no project 'D'"),
        (2, ("frontier", "--over", "bugdet"), "did you mean 'budget'"),
        (2, ("frontier", "--levels", "much"), "Not a level of 'budget'"),
    ],
)
def test_what_cannot_be_asked(funds, capsys, exit_code, words, message):
    verb, *rest = words
    code, facts = run_json(capsys, verb, funds, *rest)
    assert code == exit_code
    assert facts["status"] == "failed"
    assert message in facts["error"]
