"""When a project may start."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.tables.conforming import conform
from pmo_analytics.tables.windows import (
    allowed_starts,
    blackout_spans,
    by_project,
    live_projects,
    start_windows,
)
from tests.support.brute_force import read_case
from tests.support.instances_random import drawn

HORIZON = make_horizon("2027-01", 6, "M")


def month(offset: float | None) -> pd.Period | None:
    return None if pd.isna(offset) else HORIZON[0] + int(offset)


def project(status: str, duration: int = 2, **fields: object) -> pd.DataFrame:
    row = {"project": "P", "status": status, "duration": duration, **fields}
    for column in ("start", "earliest", "latest", "deadline"):
        row[column] = month(row.get(column))
    table, problems = conform("projects", pd.DataFrame([row]), "M")
    assert problems == []
    return table


def starts(projects: pd.DataFrame, *blackouts: tuple) -> list[int] | None:
    columns = ["project", "theme", "start", "end", "applies_to"]
    rows = pd.DataFrame(list(blackouts), columns=columns)
    for column in ("start", "end"):
        rows[column] = rows[column].map(month)
    table, problems = conform("blackouts", rows, "M")
    assert problems == []
    allowed = allowed_starts(projects, table, HORIZON).get("P")
    return None if allowed is None else allowed.tolist()


@pytest.mark.parametrize(
    ("status", "force", "state", "must", "running"),
    [
        ("idea", None, "live", False, False),
        ("proposed", None, "live", False, False),
        ("paused", None, "live", False, False),
        ("approved", None, "live", True, False),
        ("running", None, "live", True, True),
        ("done", None, "done", False, False),
        ("cancelled", None, "out", False, False),
        ("idea", "in", "live", True, False),
        ("paused", "in", "live", True, False),
        ("cancelled", "in", "live", True, False),
        ("approved", "in", "live", True, False),
        ("running", "in", "live", True, True),
        ("done", "in", "done", False, False),
        ("proposed", "out", "out", False, False),
        ("approved", "out", "out", False, False),
        ("running", "out", "out", False, False),
        ("done", "out", "out", False, False),
    ],
)
def test_status_and_force(status, force, state, must, running):
    table = project(status, start=0, force=force)
    window = start_windows(table, HORIZON).loc["P"]
    assert (window["state"], window["must"], window["running"]) == (
        state,
        must,
        running,
    )
    assert live_projects(table).tolist() == [state == "live"]
    assert (starts(table) is None) == (state != "live")


@pytest.mark.parametrize("status", ["idea", "proposed", "paused"])
@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"start": 3}, [0, 1, 2, 3, 4]),  # a wish, not a rule
        ({"earliest": 2}, [2, 3, 4]),
        ({"earliest": -3}, [0, 1, 2, 3, 4]),
        ({"latest": 1}, [0, 1]),
        ({"latest": 9}, [0, 1, 2, 3, 4]),
        ({"latest": -1}, []),
        ({"earliest": 5}, []),
        ({"deadline": 3}, [0, 1, 2]),  # finish in 3 at the latest
        ({"deadline": 0}, []),
        ({"earliest": 1, "latest": 4, "deadline": 3}, [1, 2]),
        ({"duration": 6}, [0]),
        ({"duration": 7}, []),
    ],
)
def test_candidates_finish_inside_window_deadline_and_horizon(status, fields, allowed):
    assert starts(project(status, **fields)) == allowed
    assert starts(project(status, **fields, force="in")) == allowed
    assert starts(project("cancelled", **fields, force="in")) == allowed


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"start": 3}, [3]),
        ({"start": -2}, [-2]),
        ({"start": 9}, [9]),
        ({"start": 3, "deadline": 4}, [3]),
        ({"start": 3, "deadline": 3}, []),
        ({"start": 3, "earliest": 2}, [2, 3, 4, 5]),  # may end after the horizon
        ({"start": 0, "latest": 1}, [0, 1]),
        ({"start": 0, "earliest": -2, "latest": 0}, [0]),
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"deadline": 3}, [0, 1, 2]),
        ({"earliest": 6}, []),
    ],
)
def test_approved_projects_keep_their_start_unless_they_have_a_window(fields, allowed):
    assert starts(project("approved", **fields)) == allowed
    kept = "start" in fields and not {"earliest", "latest"} & set(fields)
    window = start_windows(project("approved", **fields), HORIZON).loc["P"]
    assert window["kept"] == kept


@pytest.mark.parametrize("start", [-5, -1, 0, 4, 9])
def test_running_projects_ignore_windows_deadlines_and_blackouts(start):
    table = project("running", start=start, earliest=2, latest=3, deadline=0)
    assert starts(table, (None, None, None, None, "work")) == [start]


def test_a_running_project_without_a_start_has_no_start():
    assert starts(project("running")) == []


@pytest.mark.parametrize(
    ("applies_to", "allowed"),
    [
        ("start", [0, 1, 4]),
        ("finish", [0, 3, 4]),
        ("work", [0, 4]),
    ],
)
def test_blackouts_by_what_they_apply_to(applies_to, allowed):
    # Two periods of work, closed in offsets 2 and 3.
    assert starts(project("proposed"), (None, None, 2, 3, applies_to)) == allowed


@pytest.mark.parametrize(
    ("row", "concerned"),
    [
        (("P", None), True),
        (("Q", None), False),
        ((None, "Red"), True),
        ((None, "Blue"), False),
        (("P", "Blue"), True),  # the project says more than the theme
        (("Q", "Red"), False),
        ((None, None), True),
    ],
)
def test_whom_a_blackout_concerns(row, concerned):
    table = project("proposed", theme="Red")
    left = starts(table, (*row, None, None, "start"))
    assert left == ([] if concerned else [0, 1, 2, 3, 4])
    bare = project("proposed")
    assert starts(bare, (None, "Red", None, None, "start")) == [0, 1, 2, 3, 4]


def test_blackouts_add_up_and_blanks_are_the_ends_of_the_horizon():
    table = project("proposed")
    closed = [(None, None, None, 0, "start"), (None, None, 5, None, "finish")]
    assert starts(table, *closed) == [1, 2, 3]
    rows, _ = conform(
        "blackouts", pd.DataFrame({"start": [None, "2027-03"], "end": [None] * 2}), "M"
    )
    first, last = blackout_spans(rows, HORIZON)
    assert (first.tolist(), last.tolist()) == ([0, 2], [5, 5])


def test_blackouts_reach_outside_the_horizon():
    # An approved project that keeps a start before it, or ends after it.
    assert starts(project("approved", start=-2), (None, None, -2, -2, "start")) == []
    assert starts(project("approved", start=-2), (None, None, None, 1, "work")) == [-2]
    assert starts(project("approved", start=5), (None, None, 6, 8, "finish")) == []


def test_a_project_without_a_duration_has_length_zero():
    table = project("proposed").assign(duration=pd.array([None], dtype="Int64"))
    assert start_windows(table, HORIZON)["duration"].tolist() == [0]


def test_cells_by_project_take_the_first_filled_row():
    table = pd.DataFrame(
        {"project": ["A", "A", None, "B"], "theme": [None, "x", "y", "z"]}
    )
    assert by_project(table, "theme") == {"A": "x", "B": "z"}


@pytest.mark.parametrize("seed", range(8))
def test_allowed_starts_are_those_of_the_naive_checker(seed):
    portfolio = drawn(seed)
    allowed = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    live = [p for p in read_case(portfolio).projects.values() if p.state == "live"]
    assert {name: list(s) for name, s in allowed.items()} == {
        p.name: p.starts for p in live
    }
