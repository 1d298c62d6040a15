"""`pmo simulate` from the outside: its files, its JSON line, bad input."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from pmo_analytics.cli import main
from tests.cli.test_cli import run_json, small
from tests.support.places import ROOT

__all__ = ["small"]


def test_simulate_writes_the_contract(small, tmp_path, capsys):
    plan = tmp_path / "plan.csv"
    plan.write_text("project,start\nA,2027-03\nC,2026-12\n", encoding="utf-8")
    what = tmp_path / "u.toml"
    what.write_text(
        "[[duration.for]]\nproject = 'A'\nkind = 'uniform'\nlow = 1\nhigh = 2\n"
    )
    out = tmp_path / "sim"
    code, facts = run_json(
        capsys,
        *("simulate", small, "--schedule", plan, "--uncertainty", what),
        *("--draws", 400, "--seed", 3, "--out", out),
    )
    assert code == 0
    assert facts["status"] == "ok"
    assert facts["draws"] == 400
    assert facts["value"]["planned"] == 7.0
    finish = pd.read_csv(out / "finish.csv")
    # A takes 2, 3 or 4 months; rounded, half of the draws take 3.
    assert finish[["project", "finish", "p50", "p80"]].to_numpy().tolist() == [
        ["A", "2027-04", "2027-05", "2027-06"],
        ["C", "2027-01", "2027-01", "2027-01"],
    ]
    assert {"p_deadline", "p50_se", "p80_se"} <= set(finish.columns)
    assert list(pd.read_csv(out / "value.csv").columns) == ["quantile", "value", "se"]
    overload = pd.read_csv(out / "overload.csv")
    assert len(overload) == 6
    assert {"role", "period", "p_overload", "p_overload_se"} <= set(overload.columns)
    assert "swing" in pd.read_csv(out / "tornado.csv").columns
    assert "critical" in pd.read_csv(out / "criticality.csv").columns
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["command"] == "simulate"
    assert manifest["report"]["seed"] == 3
    for name in ("finish", "tornado_value", "value", "overload"):
        assert (out / f"{name}.png").stat().st_size > 3000


def test_without_a_schedule_the_planned_dates_are_simulated(small, capsys):
    assert main(["simulate", str(small), "--draws", "40", "--no-charts"]) == 0
    printed = capsys.readouterr().out
    assert "When projects end" in printed
    assert "C" in printed


def test_the_file_of_the_example_is_one(tmp_path, capsys):
    code, facts = run_json(
        capsys,
        *("simulate", ROOT / "data" / "example", "--draws", 100),
        *("--uncertainty", ROOT / "data" / "uncertainty.toml"),
    )
    assert code == 0
    assert facts["files"] == []
    assert "CORE-HOME" in facts["unlikely_deadlines"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--method", "sobl"], 2, "did you mean 'sobol'"),
        (["--draws", "3"], 2, "draws"),
        (["--uncertainty", "none.toml"], 3, "Cannot read"),
        (["--schedule", "none.csv"], 3, "none.csv"),
    ],
)
def test_what_cannot_be_used(words, code, said, small, capsys):
    found, facts = run_json(capsys, "simulate", small, *words)
    assert found == code
    assert said in facts["error"]


def test_a_name_that_is_not_there(small, tmp_path, capsys):
    what = tmp_path / "u.toml"
    what.write_text("[[capacity.for]]\nrole = 'Dve'\nkind = 'fixed'\nvalue = 0.9\n")
    code, facts = run_json(capsys, "simulate", small, "--uncertainty", what)
    assert code == 3
    assert "'Dve' is not in the portfolio (did you mean 'Dev'?)" in facts["error"]


def test_a_plan_with_an_accepted_chance_of_overload(small, tmp_path, capsys):
    what = tmp_path / "u.toml"
    what.write_text(
        "[[driver]]\ndriver = 'Scope'\nprobability = 0.3\nmultiplies = 'demand'\n"
        "low = 1.2\nhigh = 1.2\nproject = 'B'\n"
    )
    words = ("optimize", small, "--seconds", 300, "--work", 2, "--uncertainty", what)
    code, facts = run_json(capsys, *words, "--overload-chance", 0.2)
    assert code == 0
    # B fills the only role and asks for more than there is in 30 % of the futures.
    assert facts["risk"]["without"]["highest_chance"] == pytest.approx(0.3, abs=0.02)
    assert facts["risk"]["test"]["highest_chance"] == 0.0
    assert facts["objective"] == 7.0
    code, facts = run_json(capsys, *words)
    assert code == 2
    assert "--overload-chance" in facts["error"]
