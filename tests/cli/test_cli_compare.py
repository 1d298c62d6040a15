"""pmo compare from the outside: files, exit codes, going on where it stopped."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.scenarios import comparing as room
from pmo_analytics.scenarios.comparison import COLUMNS
from tests.support.places import ROOT
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

SCENARIOS = """
[[scenario]]
name = "one more"
[[scenario.change]]
do = "add_capacity"
role = "Dev"
fte = 1

[[scenario]]
name = "all/in"
parent = "one more"
[[scenario.change]]
do = "require"
project = ["A", "B", "C"]
[[scenario.change]]
do = "add_capacity"
role = "Test"
fte = -1
"""


@pytest.fixture
def folder(tmp_path):
    pmo.write_portfolio(tiny_portfolio(), tmp_path / "tiny")
    (tmp_path / "scenarios.toml").write_text(SCENARIOS, encoding="utf-8")
    return tmp_path


def run(folder, capsys, *more):
    words = ["compare", folder / "tiny", "--scenarios", folder / "scenarios.toml"]
    limits = ["--seconds", 300, "--workers", 1, "--json"]
    code = main([str(w) for w in (*words, *limits, *more)])
    out = capsys.readouterr().out
    assert out.count("\n") == 1, out
    return code, json.loads(out)


def test_compare_writes_a_row_and_a_folder_per_scenario(folder, capsys):
    out = folder / "out"
    code, facts = run(folder, capsys, "--out", out)
    assert code == 0
    assert facts["status"] == "ok"
    table = pd.read_csv(out / "comparison.csv")
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert table["scenario"].tolist() == ["base", "one more", "all/in"]
    assert table["status"].tolist() == ["optimal", "optimal", "infeasible"]
    assert table["objective_delta"].iat[1] == pytest.approx(5 / 1.21)
    assert "Test is short of" in table["reason"].iat[2]
    schedule = pd.read_csv(out / "one more" / "schedule.csv")
    assert list(schedule.columns) == ["project", "start", "finish"]
    assert (out / "base" / "schedule.csv").is_file()
    assert not (out / "all").exists()
    for chart in ("comparison.png", "moves.png", "core.png"):
        assert (out / chart).stat().st_size > 5000
    assert not (folder / "out.unfinished").exists()
    reports = json.loads((out / "manifest.json").read_text())["reports"]
    assert reports["one more"]["certified"] is True


def test_a_scenario_that_fails_is_exit_code_5_and_is_tried_again(
    folder, capsys, monkeypatch
):
    solve = room.solve

    def broken(portfolio, start, *args, **options):
        if start is not None:
            raise RuntimeError("a worker gone mad")
        return solve(portfolio, start, *args, **options)

    monkeypatch.setattr(room, "solve", broken)
    out = folder / "out"
    code, facts = run(folder, capsys, "--out", out, "--no-charts")
    assert code == 5
    assert facts["failed"] == ["one more", "all/in"]
    assert "gone mad" in facts["rows"][1]["reason"]
    monkeypatch.setattr(room, "solve", solve)
    code, facts = run(folder, capsys, "--out", out, "--no-charts")
    assert code == 0
    assert facts["failed"] == []


def test_what_cannot_be_compared_is_exit_code_3(folder, capsys):
    (folder / "scenarios.toml").write_text(
        '[[scenario]]\nname = "x"\n[[scenario.change]]\ndo = "delay"\n'
        'project = "D"\nperiods = 1\n',
        encoding="utf-8",
    )
    code, facts = run(folder, capsys, "--out", folder / "out")
    assert code == 3
    assert "There is no project 'D'" in facts["error"]
    assert not (folder / "out").exists()
    (folder / "scenarios.toml").unlink()
    assert run(folder, capsys)[0] == 3


def test_an_infeasible_base_is_exit_code_4(folder, capsys):
    pmo.write_portfolio(pmo.require(["A", "B", "C"])(tiny_portfolio()), folder / "tiny")
    code, facts = run(folder, capsys)
    assert code == 4
    assert facts["rows"][0]["status"] == "infeasible"


def test_the_files_of_the_readme_can_be_applied_to_the_example():
    from pmo_analytics.scenarios.scenario import apply_scenario, check_scenario

    portfolio = pmo.read_portfolio(ROOT / "data" / "example")
    listed = pmo.read_scenarios(ROOT / "data" / "scenarios_budget.toml")
    known = {s.name: s for s in listed}
    assert len(listed) == 3 + 1 + 5
    for scenario in listed:
        changed = apply_scenario(portfolio, scenario, known)
        assert check_scenario(
            changed, scenario.name
        ).digest() != portfolio.digest() or (scenario.name.endswith("unchanged"))
