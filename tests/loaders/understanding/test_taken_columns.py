"""Columns that are read where it is sure what they say: colours, gates, seconds."""

from __future__ import annotations

import pytest

from pmo_analytics.loaders.findings import FileFormat, Place, RawTable
from pmo_analytics.loaders.understanding.gates import gates_of
from pmo_analytics.loaders.understanding.headings import read_headings
from pmo_analytics.loaders.understanding.jira_times import take_jira_times
from pmo_analytics.loaders.understanding.tidying import tidy_table


def raw(table: str, *records: list[str]) -> RawTable:
    return RawTable(
        Place(table, f"{table}.csv"), [*records], [*range(1, len(records) + 1)]
    )


def test_colours_that_never_differ_are_one():
    table = raw(
        "progress",
        ["project", "as_of", "RAG", "Health"],
        ["A", "2027-01-31", "Red", ""],
        ["B", "2027-01-31", "exempt", "green"],
        ["C", "2027-01-31", "", "not given"],
        ["D", "2027-01-31", "amber", "Amber"],
    )
    tidy = tidy_table(table, FileFormat())
    assert tidy.columns["rag"] == ["red", "green", "not given", "amber"]
    (said,) = [p for p in tidy.problems if p["rule"] == "joined_columns"]
    assert "(2 and 1 colours)" in said["fix"]
    table.records[4][3] = "green"
    rules = [p["rule"] for p in tidy_table(table, FileFormat()).problems]
    assert "duplicate_column" in rules
    assert "joined_columns" not in rules


@pytest.mark.parametrize(
    ("days", "read"),
    [
        (["2027-02-01", "2027-05-01", ""], True),
        (["01/02/2027", "25/05/2027", ""], True),
        (["01/02/2027", "02/05/2027", ""], False),
        (["2027-02-01", "passed", ""], False),
        (["", "", ""], False),
    ],
)
def test_gates_are_read_where_every_cell_is_a_day(days, read):
    first, second, third = days
    table = raw(
        "projects",
        ["ID", "Gate 1", "Gate 2"],
        ["A", first, second],
        ["B", third, ""],
        ["", first, ""],
    )
    found = gates_of(table)
    if not read:
        assert found is None
        return
    assert [record[:2] for record in found.records[1:]] == [
        ["A", "Gate 1"],
        ["A", "Gate 2"],
    ]
    assert found.rows == [1, 2, 2]
    assert found.records[1][3] == "gate"


@pytest.mark.parametrize(
    ("table", "heading", "cells", "name"),
    [
        ("actuals", "timespent", ["3600", "", "90"], "hours"),
        ("actuals", "Time Spent", ["3600", "5400"], "hours"),
        ("actuals", "Time Spent", ["8", "60"], ""),
        ("actuals", "Time Spent", ["1.5"], ""),
        ("actuals", "timespent", ["2h"], ""),
        ("actuals", "Σ Time Spent", ["3600"], ""),
        ("demand", "Original Estimate", ["28800"], "hours"),
        ("progress", "timeestimate", ["7200"], "remaining_hours"),
        ("progress", "Time Spent", ["7200"], "actual_hours"),
    ],
)
def test_seconds_of_jira_are_hours_where_it_is_sure(table, heading, cells, name):
    headings, _ = read_headings(["project", heading], Place(table, "x.csv"), 1)
    take_jira_times(headings, table, [["A"] * len(cells), cells])
    assert headings[1].known == bool(name)
    if name:
        assert headings[1].name == name
        assert headings[1].factor == pytest.approx(1 / 3600)


def test_no_seconds_are_read_beside_hours():
    headings, _ = read_headings(["hours", "timespent"], Place("actuals", "x.csv"), 1)
    take_jira_times(headings, "actuals", [["1"], ["3600"]])
    assert not headings[1].known
