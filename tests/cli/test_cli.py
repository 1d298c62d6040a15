"""The command line from the outside: exit codes, one JSON line, files, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.cli.plans import OPTIMIZE_KEYS
from tests.support.places import ROOT

pytestmark = pytest.mark.usefixtures("warm_module")

EXAMPLE = ROOT / "data" / "example"

SMALL = {
    "portfolio.toml": (
        'name = "Small"\n[horizon]\nstart = "2027-01"\nperiods = 6\nfreq = "M"\n'
    ),
    "projects.csv": "project,value,duration,status,start\n"
    "A,5,2,proposed,\nB,3,3,proposed,\nC,2,2,running,2026-12\n",
    "demand.csv": "project,role,offset,fte\n"
    "A,Dev,0,1\nA,Dev,1,1\nB,Dev,0,1\nB,Dev,1,1\nB,Dev,2,1\nC,Dev,0,1\nC,Dev,1,1\n",
    "capacity.csv": "period,role,fte\n"
    + "".join(f"2027-{m:02d},Dev,1\n" for m in range(1, 7)),
}


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run_json(capsys, *words: object) -> tuple[int, dict[str, object]]:
    """Run a command with --json; return the exit code and its one line."""
    code = main([*map(str, words), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1, out
    return code, json.loads(out)


def test_optimize_writes_a_plan_that_verify_accepts(small, tmp_path, capsys):
    out = tmp_path / "out"
    code, facts = run_json(capsys, "optimize", small, "--seconds", 300, "--out", out)
    assert code == 0
    assert {*OPTIMIZE_KEYS} <= {*facts}
    assert facts["status"] == "optimal"
    assert facts["certified"] is True
    assert facts["objective"] == 10
    assert facts["projects_selected"] == 3
    schedule = pd.read_csv(out / "schedule.csv")
    assert list(schedule.columns) == ["project", "start", "finish"]
    assert schedule.set_index("project")["start"].to_dict() == {
        "A": "2027-02",
        "B": "2027-04",
        "C": "2026-12",
    }
    for name in ("load.csv", "certificate.json", "manifest.json", "gantt.png"):
        assert (out / name).stat().st_size > 0
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["report"]["objective"] == 10
    code, facts = run_json(capsys, "verify", small, out / "schedule.csv")
    assert code == 0
    assert facts["certified"] is True
    assert facts["certified_bound"] == pytest.approx(10, abs=1e-3)


def test_verify_names_what_a_hand_edited_plan_breaks(small, tmp_path, capsys):
    schedule = tmp_path / "schedule.csv"
    schedule.write_text("project,start,finish\nA,2027-01,2027-02\nC,2026-12,2027-01\n")
    code, facts = run_json(capsys, "verify", small, schedule)
    assert code == 4
    assert facts["status"] == "broken"
    assert facts["certified"] is False
    (broken,) = facts["violations"]
    assert (broken["rule"], broken["subject"], broken["period"]) == (
        "capacity",
        "Dev",
        "2027-01",
    )


def test_verify_does_not_believe_the_manifest(small, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["optimize", str(small), "--no-charts", "--out", str(out)]) == 0
    capsys.readouterr()
    path = out / "manifest.json"
    facts = json.loads(path.read_text("utf-8"))
    facts["report"]["objective"] = 11.0
    path.write_text(json.dumps(facts), encoding="utf-8")
    code, facts = run_json(capsys, "verify", small, out / "schedule.csv")
    assert code == 4
    assert facts["objective"] == 10
    assert facts["violations"] == []


LEVEL_PROJECTS = (
    "project,duration,status,start\nA,3,approved,2027-01\n"
    "B,2,approved,2027-02\nC,1,proposed,\n"
)
LEVEL_DEMAND = "project,role,offset,fte\n" + "".join(
    f"{name},Dev,{k},1\n"
    for name, length in (("A", 3), ("B", 2))
    for k in range(length)
)


@pytest.fixture
def overbooked(small):
    (small / "projects.csv").write_text(LEVEL_PROJECTS)
    (small / "demand.csv").write_text(LEVEL_DEMAND)
    return small


@pytest.mark.parametrize(("objective", "value"), [("makespan", 5), ("delay", 2)])
def test_level_writes_a_plan_that_verify_accepts(
    overbooked, tmp_path, capsys, objective, value
):
    out = tmp_path / "out"
    code, facts = run_json(
        capsys,
        *("level", overbooked, "--objective", objective, "--seconds", 300),
        *("--out", out, "--no-charts"),
    )
    assert code == 0
    assert {*OPTIMIZE_KEYS, "measure"} <= {*facts}
    assert (facts["measure"], facts["objective"]) == (objective, value)
    assert facts["status"] == "optimal"
    assert facts["certified"] is True
    assert facts["projects_selected"] == 2
    schedule = pd.read_csv(out / "schedule.csv").set_index("project")
    assert schedule["start"].to_dict() == {"A": "2027-01", "B": "2027-04"}
    decisions = pd.read_csv(out / "decisions.csv").set_index("project")
    assert decisions["moved"]["B"] == 2
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["command"] == "level"
    code, facts = run_json(capsys, "verify", overbooked, out / "schedule.csv")
    assert code == 0
    assert facts["certified"] is True
    assert (facts["measure"], facts["objective"]) == (objective, value)
    assert facts["certified_bound"] <= value
    manifest["report"]["objective"] = value - 1
    (out / "manifest.json").write_text(json.dumps(manifest))
    code, facts = run_json(capsys, "verify", overbooked, out / "schedule.csv")
    assert code == 4
    assert (facts["objective"], facts["violations"]) == (value, [])


def test_level_in_words(overbooked, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["level", str(overbooked), "--seconds", "300", "--out", str(out)]
    file = tmp_path / "plan.xml"
    assert main([*words, "--mspdi", str(file)]) == 0
    (again,) = pmo.read_networks(file)
    starts = pd.read_csv(out / "schedule.csv")["start"]
    assert str(again.tasks["start"].min())[:7] == starts.min()
    text = capsys.readouterr().out
    assert "makespan" in text
    assert "2027-04" in text
    assert (out / "gantt.png").exists()
    assert main(["verify", str(overbooked), str(out / "schedule.csv")]) == 0
    assert "No plan can undercut" in capsys.readouterr().out


def test_level_that_does_not_fit_is_exit_code_4(overbooked, tmp_path, capsys):
    projects = LEVEL_PROJECTS.replace("start\n", "start,deadline\n", 1)
    projects = projects.replace("2027-02\n", "2027-02,2027-04\n")
    projects = projects.replace("2027-01\n", "2027-01,2027-04\n")
    (overbooked / "projects.csv").write_text(projects)
    out = tmp_path / "out"
    code, facts = run_json(capsys, "level", overbooked, "--seconds", 300, "--out", out)
    assert code == 4
    assert facts["status"] == "infeasible"
    assert facts["conflicts"][0]["role"] == "Dev"
    assert not out.exists()


@pytest.mark.parametrize(
    "text", ["project,begin\nA,2027-01\n", "", "project,start\nA,x\n"]
)
def test_verify_of_an_unreadable_schedule(small, tmp_path, capsys, text):
    schedule = tmp_path / "schedule.csv"
    schedule.write_text(text)
    code, facts = run_json(capsys, "verify", small, schedule)
    assert code in (3, 4)
    assert facts["status"] in ("failed", "broken")


def test_infeasible_is_exit_code_4_and_names_the_clash(small, tmp_path, capsys):
    projects = small / "projects.csv"
    projects.write_text(
        "project,value,duration,force\nA,5,6,in\nB,3,6,in\n", encoding="utf-8"
    )
    (small / "demand.csv").write_text(
        "project,role,offset,fte\nA,Dev,3,0.8\nB,Dev,3,0.8\n", encoding="utf-8"
    )
    out = tmp_path / "out"
    code, facts = run_json(
        capsys, "optimize", small, "--strict", "--seconds", 300, "--out", out
    )
    assert code == 4
    assert facts["status"] == "infeasible"
    assert {*OPTIMIZE_KEYS} <= {*facts}
    assert facts["conflicts"][0]["role"] == "Dev"
    assert facts["conflicts"][0]["period"] == "2027-04"
    assert not out.exists()


def test_bad_data_is_exit_code_3_and_leaves_results_alone(small, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["optimize", str(small), "--no-charts", "--out", str(out)]) == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    demand = small / "demand.csv"
    demand.write_text(demand.read_text().replace("B,Dev,0,1", "B,Dve,0,many"))
    capsys.readouterr()
    code, facts = run_json(capsys, "optimize", small, "--seconds", 300, "--out", out)
    assert code == 3
    where = {(p["rule"], p["source"], p["row"]) for p in facts["problems"]}
    assert ("not_a_number", "demand.csv", 4) in where
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_check_says_where_and_what_to_do(small, capsys):
    demand = small / "demand.csv"
    demand.write_text(demand.read_text().replace("B,Dev,0,1", "B,Dve,0,1"))
    assert main(["check", str(small)]) == 3
    out = capsys.readouterr().out
    for word in ("demand.csv", "unknown_role", "Dve", "did you mean"):
        assert word in out
    assert "1 error, " in out
    code, facts = run_json(capsys, "check", small)
    assert (code, facts["errors"]) == (3, 1)


def test_capacity_rows(small, tmp_path, capsys):
    out = tmp_path / "out"
    code, facts = run_json(capsys, "capacity", small, "--out", out)
    assert code == 0
    first = facts["rows"][0]
    assert first == {
        "period": "2027-01",
        "role": "Dev",
        "capacity": 1.0,
        "load": 1.0,
        "headroom": 0.0,
        "utilization": 1.0,
    }
    assert len(pd.read_csv(out / "capacity.csv")) == 6
    assert (out / "capacity.png").exists()


def test_new_refuses_to_overwrite(tmp_path, capsys):
    target = tmp_path / "mine"
    assert main(["new", str(target)]) == 0
    (target / "projects.csv").write_text("project\nMine\n")
    assert main(["new", str(target)]) == 2
    assert (target / "projects.csv").read_text() == "project\nMine\n"
    assert main(["new", str(target), "--force"]) == 0
    assert main(["check", str(target)]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_new_workbook_can_be_read_again(tmp_path, capsys):
    target = tmp_path / "mine.xlsx"
    assert main(["new", "--xlsx", str(target)]) == 0
    capsys.readouterr()
    code, facts = run_json(capsys, "check", target)
    assert (code, facts["errors"]) == (0, 0)
    assert main(["new", "--xlsx", str(tmp_path / "mine.txt")]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["optimize"],
        ["optimise", "x"],
        ["optimize", "x", "--secs", "3"],
        ["optimize", "x", "--seconds", "soon"],
        ["optimize", "x", "--seconds", "-1"],
        ["level", "x", "--objective", "worth"],
        ["optimize", "x", "--solver", "highspeed"],
        ["optimize", "x", "--then", "latest_finish"],
        ["optimize", "x", "--then", "fewest_changes"],
        ["optimize", "x", "--freeze", "3"],
        ["optimize", "x", "--value-loss", "2"],
        ["simulate", "x", "--method", "dice"],
        ["frontier", "x", "--over", "mood"],
        ["batch", "x.toml", "--as-of", "31.12.2026", "--out", "no/such/folder"],
        ["new"],
    ],
)
def test_wrong_usage_is_exit_code_2(words, capsys):
    code, facts = run_json(capsys, *words)
    assert code == 2
    assert facts["status"] == "failed"
    assert facts["error"]


def test_names_that_look_like_markup_are_printed_as_they_are(small, capsys):
    projects = small / "projects.csv"
    text = projects.read_text().replace("A,5", "[red]A,5")
    projects.write_text(text)
    demand = small / "demand.csv"
    demand.write_text(demand.read_text().replace("A,Dev", "[red]A,Dev"))
    assert main(["optimize", str(small), "--seconds", "300"]) == 0
    assert "[red]A" in capsys.readouterr().out


def test_an_output_that_cannot_be_written(small, tmp_path, capsys):
    blocker = tmp_path / "out"
    blocker.write_text("a file")
    code, facts = run_json(
        capsys, "optimize", small, "--seconds", 300, "--out", blocker
    )
    assert code == 3
    assert "Cannot write" in str(facts["error"])
    assert blocker.read_text() == "a file"


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pmo_analytics", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that run in the background are born deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
def test_ctrl_c_keeps_the_best_plan(tmp_path):
    """Interrupted as soon as there is a plan; the answer is whole and certified."""
    out = tmp_path / "out"
    words = ("optimize", "data/example", "--seconds", "300", "--no-charts", "--json")
    process = start(*words, "--out", str(out))
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(r"\d s  (?!greedy)", line):
            break
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    facts = json.loads(stdout)
    assert facts["certified"] is True
    assert facts["stopped"] is True
    assert (out / "schedule.csv").exists()
    assert main(["verify", str(EXAMPLE), str(out / "schedule.csv")]) == 0


def test_as_a_module_from_anywhere(small, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "pmo_analytics", "optimize", str(small), "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "optimal"
    shutil.rmtree(tmp_path / "out", ignore_errors=True)


def test_forecast_writes_the_contract(small, tmp_path, capsys):
    out = tmp_path / "fc"
    code, facts = run_json(capsys, "forecast", small, "--horizon", 4, "--out", out)
    assert code == 0
    assert facts["status"] == "ok"
    table = pd.read_csv(out / "forecast.csv")
    assert list(table.columns) == [
        *("role", "period", "quantity", "mean"),
        *("p10", "p20", "p50", "p80", "p90", "p_overload"),
    ]
    assert set(table["quantity"]) == {"capacity", "load", "headroom"}
    assert len(table) == 3 * 4
    assert table["p_overload"].notna().sum() == 4
    assert (out / "manifest.json").exists()
    assert (out / "headroom.png").stat().st_size > 5000
    assert "Capacity outlook" in (out / "report.html").read_text("utf-8")
    sheets = pd.read_excel(out / "forecast.xlsx", sheet_name=None, engine="openpyxl")
    assert len(sheets["forecast"]) == 12


def test_forecast_of_a_history_alone(tmp_path, capsys):
    folder = tmp_path / "past"
    folder.mkdir()
    (folder / "portfolio.toml").write_text('name = "Past"\n', encoding="utf-8")
    months = pd.period_range("2023-01", periods=40, freq="M")
    rows = [f"{m},R{k},{2 + k + (m.month % 3)}" for m in months for k in range(3)]
    text = "period,role,load_fte\n" + "\n".join(rows)
    (folder / "history.csv").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    code, _ = run_json(
        capsys, "forecast", folder, "--horizon", 6, "--no-charts", "--out", out
    )
    assert code == 0
    table = pd.read_csv(out / "forecast.csv")
    assert set(table["quantity"]) == {"load"}
    assert sorted(set(table["period"])) == [f"2026-{m:02d}" for m in range(5, 11)]
    r0 = table[table["role"] == "R0"].set_index("period")["p50"]
    assert r0.to_dict() == pytest.approx(
        {f"2026-{m:02d}": 2 + m % 3 for m in range(5, 11)}, abs=0.3
    )
    tried = pd.read_csv(out / "backtest.csv")
    assert list(tried.columns) == [
        *("role", "cutoff", "period", "model", "forecast", "p10", "p90", "actual")
    ]
    assert set(tried["role"]) == {"R0", "R1", "R2"}


def test_forecast_of_committed_projects_alone(small, capsys):
    few = "forecast", small, "--horizon", 2, "--draws", 100, "--scope"
    code, facts = run_json(capsys, *few, "committed")
    assert code == 0
    assert any("candidates are left out" in note for note in facts["notes"])
    code, facts = run_json(capsys, *few, "all")
    assert code == 2
    assert "neither pipeline nor committed" in facts["error"]


def test_forecast_remembers_and_learns(tmp_path, capsys):
    months = pd.period_range("2023-01", periods=40, freq="M")
    memory = tmp_path / "memory.db"
    for known in (36, 37, 38):
        folder = tmp_path / f"past{known}"
        folder.mkdir()
        (folder / "portfolio.toml").write_text('name = "Past"\n', encoding="utf-8")
        rows = [f"{m},Dev,{2 + (m.month % 3)},9" for m in months[:known]]
        text = "period,role,load_fte,capacity_fte\n" + "\n".join(rows)
        (folder / "history.csv").write_text(text, encoding="utf-8")
        code, _ = run_json(
            *(capsys, "forecast", folder, "--horizon", 3, "--model", "theta"),
            *("--store", memory, "--no-charts", "--out", folder),
        )
        assert code == 0
    accuracy = pd.read_csv(folder / "accuracy.csv")
    one = accuracy[(accuracy["lead"] == 1) & (accuracy["quantity"] == "load")]
    assert one["count"].tolist() == [2]
    # The same month again takes the place of the former run.
    quick = "forecast", folder, "--model", "theta", "--store"
    assert run_json(capsys, *quick, memory)[0] == 0
    code, facts = run_json(capsys, *quick, tmp_path / "x" / "y")
    assert code == 3
    assert "folder" in str(facts["error"])


def test_forecast_in_words(small, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # where no heading folds
    assert main(["forecast", str(small)]) == 0
    said = capsys.readouterr()
    assert "at risk from" in " ".join(said.out.split())
    assert "Hires" in said.out or "Nobody to hire" in said.out
    assert "Nothing was written" in said.err


def test_load_without_capacity_is_shown_alone(tmp_path, capsys):
    (tmp_path / "portfolio.toml").write_text(
        '[horizon]\nstart = "2027-01"\nperiods = 6\n'
    )
    rows = [f"2026-{month:02d},Dev,total,5" for month in range(1, 13)]
    head = "period,role,kind,load_fte"
    (tmp_path / "history.csv").write_text("\n".join([head, *rows]))
    assert main(["forecast", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Load alone" in said
    assert "5.00" in said
    # Whether anybody has to be hired is not known.
    assert "Nobody to hire" not in said


def test_forecast_with_a_misspelt_model(small, capsys):
    code, facts = run_json(capsys, "forecast", small, "--model", "thetta")
    assert code == 2
    assert "did you mean 'theta'" in str(facts["error"])


def test_at_most_one_of_two_comes_in_every_future_of_the_command(tmp_path, capsys):
    folder = tmp_path / "two"
    folder.mkdir()
    files = {
        "portfolio.toml": 'name = "Two"\n[horizon]\nstart = "2027-01"\nperiods = 2\n'
        'freq = "M"\n',
        "projects.csv": "project,value,duration,status,start,probability\n"
        "A,5,2,proposed,2027-01,1\nB,3,2,proposed,2027-01,1\n",
        "demand.csv": "project,role,offset,fte\nA,Dev,0,1\nA,Dev,1,1\n"
        "B,Dev,0,1\nB,Dev,1,1\n",
        "groups.csv": "group,project,rule,at_most\nG,A,limit,1\nG,B,limit,1\n",
        "capacity.csv": "period,role,fte\n2027-01,Dev,2\n2027-02,Dev,2\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    code, facts = run_json(
        capsys,
        "forecast",
        folder,
        "--draws",
        100,
        "--no-charts",
        "--out",
        tmp_path / "o",
    )
    assert code == 0
    assert any("hold in every future" in note for note in facts["notes"])
    table = pd.read_csv(tmp_path / "o" / "forecast.csv")
    load = table[table["quantity"] == "load"]
    assert (load[["mean", "p10", "p90"]] == 1.0).all(axis=None)


def test_forecast_says_why_and_shows_the_plan(tmp_path, small, capsys):
    few = "forecast", small, "--horizon", 2, "--draws", 100
    plan = tmp_path / "plan"
    assert run_json(capsys, "optimize", small, "--no-charts", "--out", plan)[0] == 0
    record = "--scope", "plan", "--record", plan / "schedule.csv"
    out = tmp_path / "out"
    role = pmo.read_portfolio(small).demand["role"].iloc[0]
    asked = *few, *record, "--why", role, "--out", out
    code, facts = run_json(capsys, *asked, "--no-charts")
    assert code == 0
    assert facts["scope"] == "plan"
    assert any("are in the plan and come for sure" in n for n in facts["notes"])
    (why,) = facts["why"]
    assert why["role"] == role
    assert why["said"]["load"].startswith("As planned")
    table = pd.read_csv(out / "why.csv")
    assert len(table) == len(why["numbers"])
    assert json.loads((out / "manifest.json").read_text())["report"]["scope"] == "plan"
    page = (out / "report.html").read_text()
    assert f"Why {role}" in page
    assert "its candidates for sure" in page
    for wrong in (("--scope", "plan"), ("--record", plan), ("--why", "Nobody")):
        code, facts = run_json(capsys, *few, *wrong)
        assert code == 2, facts
