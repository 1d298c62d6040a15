"""The plan of record in a folder, and through the commands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pmo_analytics.cli.commands import app
from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders import write_portfolio
from pmo_analytics.plan import Plan
from pmo_analytics.reporting.record import read_record, save_record
from tests.optimization.test_record import RECORD, company

pytestmark = pytest.mark.usefixtures("warm_module")


def test_a_record_is_kept_and_its_history_too(tmp_path):
    first = Plan(company(), RECORD)
    second = Plan(company(), {"A": "2027-01"})
    save_record(first, tmp_path, as_of="2027-01-15", who="board", why="yearly plan")
    assert read_record(tmp_path)["project"].tolist() == ["A", "B", "C"]
    assert read_record(tmp_path).attrs["who"] == "board"
    save_record(second, tmp_path, as_of="2027-02-15")
    assert read_record(tmp_path)["project"].tolist() == ["A"]
    (old,) = (tmp_path / "history").iterdir()
    assert old.name.startswith("2027-01-15-")
    assert read_record(old)["start"].tolist() == ["2027-05", "2027-03", "2027-01"]
    # The same once more: the one in force joins the history, nothing is lost.
    save_record(first, tmp_path, as_of="2027-03-15")
    assert len(list((tmp_path / "history").iterdir())) == 2


def test_a_record_that_was_edited_is_refused(tmp_path):
    path = save_record(Plan(company(), RECORD), tmp_path, as_of="2027-01-15")
    path.write_text(path.read_text("utf-8").replace("2027-05", "2027-04"), "utf-8")
    with pytest.raises(ConfigError, match="changed after it was promoted"):
        read_record(tmp_path)
    with pytest.raises(ConfigError, match="no plan of record"):
        read_record(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="cannot be used"):
        save_record(Plan(company(), RECORD), tmp_path, as_of="soon")


@pytest.mark.parametrize("day", ["../../../victim", "/tmp/victim", "", 5, None, "a/b"])
def test_the_day_of_a_manifest_is_a_day_and_no_path(tmp_path, day):
    folder = tmp_path / "one" / "two" / "record"
    save_record(Plan(company(), RECORD), folder, as_of="2027-01-15")
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "as_of": day}))
    save_record(Plan(company(), {"A": "2027-01"}), folder, as_of="2027-02-15")
    (old,) = (folder / "history").iterdir()
    assert old.name.startswith("undated-")
    assert [p.name for p in tmp_path.iterdir()] == ["one"]
    assert [p.name for p in (tmp_path / "one" / "two").iterdir()] == ["record"]


@pytest.mark.skipif(os.name != "posix", reason="links are made the POSIX way")
@pytest.mark.parametrize("name", ["history", "schedule.csv", "manifest.json"])
def test_a_record_writes_and_copies_through_no_link(tmp_path, name):
    folder, outside = tmp_path / "record", tmp_path / "outside"
    save_record(Plan(company(), RECORD), folder, as_of="2027-01-15")
    outside.mkdir()
    (outside / "secret").write_text("mine")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside if name == "history" else outside / "secret")
    with pytest.raises(ConfigError, match="is a link"):
        save_record(Plan(company(), RECORD), folder, as_of="2027-02-15")
    assert [p.name for p in outside.iterdir()] == ["secret"]


def run(*args: str | Path) -> tuple[int, dict]:
    result = CliRunner().invoke(app, [str(a) for a in args])
    text = result.stdout.strip().splitlines()
    return result.exit_code, json.loads(text[-1]) if text else {}


def test_promote_replan_and_verify(tmp_path):
    write_portfolio(company(2.0), tmp_path / "data")
    plan = tmp_path / "plan"
    plan.mkdir()
    pd.DataFrame({"project": list(RECORD), "start": list(RECORD.values())}).to_csv(
        plan / "schedule.csv", index=False
    )
    record = tmp_path / "record"
    code, facts = run(
        *("promote", plan / "schedule.csv", "--to", record),
        *("--as-of", "2027-01-31", "--who", "board", "--json"),
    )
    assert (code, facts["status"]) == (0, "ok")
    out = tmp_path / "new"
    code, facts = run(
        *("optimize", tmp_path / "data", "--record", record, "--freeze", 2),
        *("--change-price", 0.5, "--move-price", 0.1, "--seconds", 300),
        *("--out", out, "--no-charts", "--json"),
    )
    assert code == 0
    assert facts["status"] == "optimal"
    changes = pd.read_csv(out / "changes.csv").set_index("project")
    # B may come in March as the record says; A moves there by two months.
    assert changes["change"].to_dict() == {"A": "moved", "B": "kept", "C": "kept"}
    assert facts["change_cost"] == pytest.approx(0.7)
    assert facts["objective"] == pytest.approx(facts["worth"] - 0.7)
    assert [row["project"] for row in facts["changes"]] == ["A"]
    code, checked = run("verify", tmp_path / "data", out / "schedule.csv", "--json")
    assert code == 0, checked
    assert checked["objective"] == pytest.approx(facts["objective"])
    assert checked["certified_bound"] is not None
    moved = (out / "schedule.csv").read_text("utf-8").replace("2027-01", "2027-02")
    (out / "schedule.csv").write_text(moved.replace("2027-02,2027-02", ""), "utf-8")
    code, checked = run("verify", tmp_path / "data", out / "schedule.csv", "--json")
    assert code == 4
