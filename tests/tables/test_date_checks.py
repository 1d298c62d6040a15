"""Dates that contradict each other or leave no start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmo_analytics.errors import listing
from pmo_analytics.tables import date_checks
from pmo_analytics.tables.windows import start_windows
from tests.support.problem_cases import found, portfolio, problems_of, projects, rows

BOOKING = "person project role start end fte"


def dated(status: str, duration: int | None = 2, **fields: str) -> dict:
    """Return the parts of a portfolio whose second project has these dates."""
    both = {column: [None, value] for column, value in fields.items()}
    both = {"force": [None, None], **both, "status": ["proposed", status]}
    return {
        "projects": projects(duration=[2, duration], **both),
        "demand": rows("project role offset fte", *((p, "Dev", 0, 1) for p in "AB")),
    }


# Status, fields; severity, rule and column of what is found in row 11, or nothing.
CASES = [
    ("proposed", {}, None),
    (
        "proposed",
        {"earliest": "2027-03", "latest": "2027-02"},
        ("error", "window_contradiction", "latest"),
    ),
    ("proposed", {"earliest": "2027-03", "latest": "2027-03"}, None),
    (
        "approved",
        {"earliest": "2027-03", "latest": "2027-02"},
        ("error", "window_contradiction", "latest"),
    ),
    (
        "proposed",
        {"earliest": "2027-03", "deadline": "2027-03"},
        ("error", "window_too_short", "deadline"),
    ),
    ("proposed", {"earliest": "2027-03", "deadline": "2027-04"}, None),
    (
        "proposed",
        {"deadline": "2027-01"},
        ("error", "window_too_short", "deadline"),
    ),
    ("proposed", {"deadline": "2027-02"}, None),
    # A deadline that has passed: the project can only not be chosen.
    (
        "proposed",
        {"deadline": "2026-12"},
        ("warning", "outside_horizon", "duration"),
    ),
    (
        "proposed",
        {"earliest": "2026-12", "deadline": "2026-12"},
        ("error", "window_too_short", "deadline"),
    ),
    (
        "proposed",
        {"earliest": "2026-06", "latest": "2026-12"},
        ("warning", "outside_horizon", "duration"),
    ),
    (
        "proposed",
        {"earliest": "2027-06"},
        ("warning", "outside_horizon", "duration"),
    ),
    ("proposed", {"earliest": "2027-05"}, None),
    ("proposed", {"duration": 7}, ("warning", "outside_horizon", "duration")),
    ("proposed", {"duration": 6}, None),
    (
        "proposed",
        {"force": "in", "earliest": "2027-06"},
        ("error", "impossible_force", "force"),
    ),
    ("proposed", {"force": "in", "earliest": "2027-05"}, None),
    (
        "cancelled",
        {"force": "in", "earliest": "2027-06"},
        ("error", "impossible_force", "force"),
    ),
    (
        "approved",
        {"earliest": "2027-07"},
        ("error", "impossible_force", "status"),
    ),
    ("approved", {"earliest": "2027-06"}, None),
    (
        "approved",
        {"start": "2027-02", "deadline": "2027-02"},
        ("error", "window_too_short", "deadline"),
    ),
    ("approved", {"start": "2027-02", "deadline": "2027-03"}, None),
    (
        "approved",
        {"start": "2026-12"},
        ("warning", "approved_in_the_past", "start"),
    ),
    ("approved", {"start": "2026-12", "latest": "2027-01"}, None),
    ("approved", {"start": "2027-01"}, None),
    ("approved", {"start": "2027-07"}, ("warning", "outside_horizon", "start")),
    ("approved", {"start": "2027-06"}, None),
    ("running", {}, ("error", "running_without_start", "start")),
    ("running", {"start": "2026-12"}, None),
    (
        "running",
        {"start": "2026-11"},
        ("warning", "running_has_ended", "duration"),
    ),
    (
        "running",
        {"start": "2027-02"},
        ("warning", "running_in_the_future", "start"),
    ),
    ("running", {"start": "2027-01"}, None),
    (
        "running",
        {"start": "2026-12", "deadline": "2026-12"},
        ("warning", "deadline_missed", "deadline"),
    ),
    ("running", {"start": "2026-12", "deadline": "2027-01"}, None),
    # Windows and contradictions of work that runs, is done or is out are its own.
    (
        "running",
        {"start": "2026-12", "earliest": "2027-03", "latest": "2027-02"},
        None,
    ),
    ("done", {"earliest": "2027-03", "latest": "2027-02"}, None),
    ("cancelled", {"earliest": "2027-03", "latest": "2027-02"}, None),
    (
        "approved",
        {"force": "out", "earliest": "2027-03", "latest": "2027-02"},
        None,
    ),
]


def case_id(value: object) -> str:
    if isinstance(value, dict):
        return listing(f"{k} {v}" for k, v in value.items()) or "-"
    return "fine" if value is None else str(value)


@pytest.mark.parametrize(("status", "fields", "expected"), CASES, ids=case_id)
def test_dates_of_a_project(status, fields, expected):
    problems = found(**dated(status, **fields))
    if expected is None:
        assert problems == []
    else:
        severity, rule, column = expected
        assert problems == [(severity, "projects", rule, 11, column)]


def test_a_running_project_without_start_and_duration_lacks_both():
    rules = {p[2] for p in found(**dated("running", duration=None))}
    assert rules == {"missing_value", "running_without_start"}


def test_texts_name_project_dates_and_what_to_do():
    (future,) = problems_of(**dated("running", start="2027-04"))
    assert future["found"] == "2027-04"
    (missed,) = problems_of(**dated("running", start="2027-01", deadline="2026-11"))
    assert missed["found"] == "2026-11"
    (late,) = problems_of(**dated("approved", earliest="2027-07", latest="2027-09"))
    assert late["found"] == "earliest 2027-07, latest 2027-09"
    assert "'B' is approved but lasts 2 periods" in late["fix"]
    assert "2027-01 .. 2027-06" in late["fix"]
    (forced,) = problems_of(**dated("idea", duration=9, force="in"))
    assert forced["found"] == "duration 9"
    assert "'B' is forced in" in forced["fix"]


@pytest.mark.parametrize(
    ("table", "columns", "row"),
    [
        ("blackouts", "project start end", ("A", "{}", "{}")),
        ("bookings", BOOKING, ("P", "A", "Dev", "{}-02", "{}-02", 1)),
        (
            "flex",
            "role kind start end fte_max rate",
            ("Dev", "hire", "{}", "{}", 1, 50),
        ),
    ],
)
def test_rows_that_end_before_they_start(table, columns, row):
    def filled(first: str, last: str) -> dict:
        months = iter((first, last))
        values = [str(v).format(next(months)) if "{}" in str(v) else v for v in row]
        return {table: rows(columns, tuple(values))}

    (problem,) = problems_of(**filled("2027-05", "2027-04"))
    assert (problem["severity"], problem["table"], problem["row"]) == (
        "error",
        table,
        50,
    )
    assert (problem["rule"], problem["column"]) == ("end_before_start", "end")
    assert problem["found"].startswith("2027-04")
    assert found(**filled("2027-05", "2027-05")) == []
    assert found(**filled("2027-04", "2027-05")) == []


def test_open_ends_are_not_backwards():
    assert (
        found(
            blackouts=rows(
                "project start end", ("A", None, "2027-01"), ("A", "2027-06", None)
            )
        )
        == []
    )


def test_rows_without_an_id_do_not_stop_the_check():
    parts = dated("running")
    parts["projects"].loc[11, "project"] = None
    rules = portfolio(**parts).check()["rule"].tolist()
    assert "missing_value" in rules


PERIODS = st.one_of(st.none(), st.sampled_from(["2026-11", "2027-01", "2027-04"]))


@given(
    st.sampled_from(["proposed", "approved", "running", "done", "cancelled"]),
    st.integers(1, 14),
    st.fixed_dictionaries(
        dict.fromkeys(("start", "earliest", "latest", "deadline"), PERIODS)
    ),
    st.sampled_from([None, "in", "out"]),
)
def test_no_row_with_a_problem_is_passed_over(status, duration, dates, force):
    """Rows are looked at one by one only where a first look at all finds a doubt."""
    given_portfolio = portfolio(**dated(status, duration, force=force, **dates))
    tables, horizon = given_portfolio.tables, given_portfolio.horizon
    quick = date_checks.check_dates(tables, horizon)
    live = start_windows(tables["projects"], horizon)["state"].to_numpy() == "live"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(date_checks, "_doubtful", lambda *_: live)
        assert date_checks.check_dates(tables, horizon) == quick
