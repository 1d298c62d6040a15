"""What outsiders found unsaid: left out of a load, not read, stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pmo_analytics.cli import main

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"


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
