"""What is wrong in progress, milestones and sprints is found, with its row; no more."""

from __future__ import annotations

import pytest

from tests.support.problem_cases import found, problems_of, projects, rows

PROGRESS = "project as_of percent_complete"
MILESTONES = "project milestone as_of baseline forecast actual"
RUNNING = projects(status=["running", "proposed"], start=["2027-01", None])
BASELINE = rows("project baseline start duration", ("A", "one", "2027-01", 2))

# What breaks the rule, what keeps it, what is found: table, rule, row, column.
CASES = {
    "report of a project nobody knows": (
        {"progress": rows(PROGRESS, ("Z", "2027-01-31", 1))},
        {"progress": rows(PROGRESS, ("A", "2027-01-31", 1))},
        ("progress", "unknown_project", 50, "project"),
    ),
    "milestone of a project nobody knows": (
        {"milestones": rows(MILESTONES, ("Z", "m", None, "2027-02-01", None, None))},
        {"milestones": rows(MILESTONES, ("A", "m", None, "2027-02-01", None, None))},
        ("milestones", "unknown_project", 50, "project"),
    ),
    "a status of next year": (
        {"progress": rows(PROGRESS, ("A", "2028-01-31", 1))},
        {"progress": rows(PROGRESS, ("A", "2027-06-30", 1))},
        ("progress", "status_after_horizon", 50, "as_of"),
    ),
    "a cost below zero": (
        {
            "progress": rows(PROGRESS, ("A", "2027-01-31", 1)),
            "actuals": rows("period project amount", ("2027-01", "A", -7)),
        },
        {
            "progress": rows(PROGRESS, ("A", "2027-01-31", 1)),
            "actuals": rows("period project amount", ("2027-01", "A", 7)),
        },
        ("actuals", "negative_cost", 50, "amount"),
    ),
    "dates that go forth and back": (
        {
            "progress": rows(
                PROGRESS,
                *(("A", "2027-01-31", 5), ("A", "2027-03-31", 9)),
                *(("A", "2027-02-28", 7), ("A", "2027-04-30", 9)),
            )
        },
        {  # the newest first is an order too
            "progress": rows(
                PROGRESS,
                *(("A", "2027-03-31", 9), ("B", "2027-01-31", 1)),
                *(("A", "2027-02-28", 7), ("A", "2027-01-31", 5)),
            )
        },
        ("progress", "status_out_of_order", 52, "as_of"),
    ),
    "progress before the start": (
        {
            "projects": projects(start=["2027-03", None]),
            "progress": rows(PROGRESS, ("A", "2027-02-28", 5)),
        },
        {
            "projects": projects(start=["2027-03", None]),
            "progress": rows(PROGRESS, ("A", "2027-02-28", 0), ("A", "2027-03-01", 5)),
        },
        ("progress", "progress_before_start", 50, "percent_complete"),
    ),
    "less done than before": (
        {"progress": rows(PROGRESS, ("A", "2027-02-28", 5), ("A", "2027-01-31", 6))},
        {"progress": rows(PROGRESS, ("A", "2027-02-28", 6), ("A", "2027-01-31", 6))},
        ("progress", "progress_falls", 50, "percent_complete"),
    ),
    "a finish in the past": (
        {
            "progress": rows(
                PROGRESS + " forecast_finish", ("A", "2027-02-28", 50, "2027-02-27")
            )
        },
        {
            "progress": rows(
                PROGRESS + " forecast_finish", ("A", "2027-02-28", 100, "2027-02-27")
            )
        },
        ("progress", "finish_in_the_past", 50, "forecast_finish"),
    ),
    "nothing that it was promised": (
        {"projects": RUNNING, "progress": rows(PROGRESS, ("A", "2027-01-31", 5))},
        {
            "projects": RUNNING,
            "progress": rows(PROGRESS, ("A", "2027-01-31", 5)),
            "baselines": BASELINE,
        },
        ("projects", "no_baseline", 10, "project"),
    ),
    "a milestone without a date": (
        {"milestones": rows(MILESTONES, ("A", "m", "2027-01-31", None, None, None))},
        {"milestones": rows(MILESTONES, ("A", "m", None, None, "2027-02-01", None))},
        ("milestones", "milestone_without_date", 50, "forecast"),
    ),
    "a milestone without a status date beside one with it": (
        {
            "milestones": rows(
                MILESTONES,
                ("A", "m", "2027-01-31", None, "2027-02-01", None),
                ("A", "m", None, None, "2027-03-01", None),
            )
        },
        {"milestones": rows(MILESTONES, ("A", "m", None, None, "2027-02-01", None))},
        ("milestones", "milestone_without_status_date", 51, "as_of"),
    ),
    "reached after it was said": (
        {"milestones": rows(MILESTONES, ("A", "m", "2027-01-31", *3 * ["2027-02-01"]))},
        {"milestones": rows(MILESTONES, ("A", "m", "2027-02-01", *3 * ["2027-02-01"]))},
        ("milestones", "actual_in_the_future", 50, "actual"),
    ),
    "reached and open again": (
        {
            "milestones": rows(
                MILESTONES,
                ("A", "m", "2027-02-28", "2027-01-31", None, None),
                ("A", "m", "2027-01-31", "2027-01-31", None, "2027-01-31"),
            )
        },
        {
            "milestones": rows(
                MILESTONES,
                ("A", "m", "2027-02-28", "2027-01-31", None, "2027-01-31"),
                ("A", "m", "2027-01-31", "2027-01-31", None, None),
            )
        },
        ("milestones", "milestone_undone", 50, "actual"),
    ),
    "a sprint that delivered twice": (
        {
            "sprints": rows(
                "team sprint elapsed delivered", ("T", "S", 0, 5), ("T", "S", 0.3, 6)
            )
        },
        {
            "sprints": rows(
                "team sprint elapsed delivered", ("T", "S", 0, 5), ("T", "R", 0.3, 6)
            )
        },
        ("sprints", "delivered_differs", 51, "delivered"),
    ),
    "a sprint that ends before it starts": (
        {"sprints": rows("team sprint start end", ("T", "S", "2027-02-01", "2027-01"))},
        {"sprints": rows("team sprint start end", ("T", "S", "2027-01-31", "2027-01"))},
        ("sprints", "end_before_start", 50, "end"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_found_with_its_row_and_nothing_else(case):
    broken, kept, (table, rule, row, column) = CASES[case]
    severity = "error" if rule == "end_before_start" else "warning"
    assert (severity, table, rule, row, column) in found(**broken)
    assert rule not in {p["rule"] for p in problems_of(**kept)}
    assert all(p["fix"] for p in problems_of(**broken))


@pytest.mark.parametrize(
    ("columns", "record", "rule"),
    [
        (PROGRESS, ("A", "2027-01-31", 130), "above_maximum"),
        (PROGRESS, ("A", "2027-01-31", -1), "below_minimum"),
        (PROGRESS + " actual_cost", ("A", "2027-01-31", 3, -5), "below_minimum"),
        (PROGRESS, ("A", None, 3), "missing_value"),
        (PROGRESS + " rag", ("A", "2027-01-31", 3, "purple"), "not_a_choice"),
    ],
)
def test_cells_that_mean_nothing_are_errors(columns, record, rule):
    from tests.support.problem_cases import portfolio

    problems = portfolio(progress=rows(columns, record)).check()
    errors = problems[problems["severity"] == "error"]
    assert errors["rule"].to_list() == [rule]
    assert errors["row"].to_list() == [50]
