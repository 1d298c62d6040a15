"""What outsiders found unsaid: left out of a load, not read, stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pmo_analytics.cli import main
from tests.support.places import SHARED

CASES = SHARED / "cases"


def case(path: str) -> Path:
    """Return a file of the cases, or skip the test."""
    file = CASES / path
    if not file.exists():
        pytest.skip(f"the case is not here: ../shared/cases/{path}")
    return file


def test_60_approved_work_without_a_date_is_named(capsys):
    folder = case("60-approved-without-date/approved_without_date")
    assert main(["capacity", str(folder), "--committed"]) == 0
    out = capsys.readouterr().out
    assert "No role is overloaded" not in out
    assert "1 project that must be done (5 FTE): B (approved, no start)" in out
    assert main(["capacity", str(folder), "--committed", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [(r["project"], r["fte"]) for r in facts["not_counted"]] == [("B", 5.0)]


def test_66_every_command_lists_the_sheet_that_is_not_read(tmp_path, capsys):
    book = case("66-unread-sheet/unread_demand_sheet.xlsx")
    out = tmp_path / "out"
    words = ["capacity", str(book), "--no-charts", "--out", str(out), "--json"]
    code = main(words)
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert "demand (hours)" in {row["sheet"] for row in facts["problems"]}
    if code == 0:  # a warning is on stderr and in the manifest too
        assert f"{facts['warnings']} warnings in the data" in said.err
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
        assert manifest["problems"] == facts["problems"]
    else:
        assert code == 3
        assert not out.exists()
