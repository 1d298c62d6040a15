"""Rules between tables: each is broken once, and kept by its nearest neighbour."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.checks import check_rules
from tests.support.problem_cases import (
    HORIZON,
    capacity,
    found,
    portfolio,
    problems_of,
    projects,
    rows,
)

DEV = capacity()
BOOKING = "person project role start end fte"

# What breaks the rule, what keeps it, what is found:
# severity, table, rule, row, column.
CASES = {
    "unknown project in demand": (
        {"demand": rows("project role offset fte", ("Z", "Dev", 0, 1))},
        {"demand": rows("project role offset fte", ("A", "Dev", 0, 1))},
        ("error", "demand", "unknown_project", 50, "project"),
    ),
    "unknown project in groups": (
        {"groups": rows("group project at_most", ("g", "A", 1), ("g", "Z", 1))},
        {"groups": rows("group project at_most", ("g", "A", 1), ("g", "B", 1))},
        ("error", "groups", "unknown_project", 51, "project"),
    ),
    "unknown project in blackouts": (
        {"blackouts": rows("project start", ("Z", "2027-01"))},
        {"blackouts": rows("project start", ("A", "2027-05"))},
        ("error", "blackouts", "unknown_project", 50, "project"),
    ),
    "unknown project in spend": (
        {"spend": rows("project offset amount", ("Z", 0, 0))},
        {"spend": rows("project offset amount", ("A", 0, 0))},
        ("error", "spend", "unknown_project", 50, "project"),
    ),
    "unknown project in benefits": (
        {"benefits": rows("project offset amount", ("Z", 0, 1)), "source": "sum"},
        {"benefits": rows("project offset amount", ("A", 0, 1)), "source": "sum"},
        ("error", "benefits", "unknown_project", 50, "project"),
    ),
    "unknown project in bookings": (
        {
            "bookings": rows(
                BOOKING,
                ("P", "Z", "Dev", "2027-01", "2027-01", 1),
            )
        },
        {"bookings": rows(BOOKING, ("P", "A", "Dev", "2027-01", "2027-01", 1))},
        ("error", "bookings", "unknown_project", 50, "project"),
    ),
    "unknown project in dependencies": (
        {"dependencies": rows("project requires", ("Z", "A"))},
        {"dependencies": rows("project requires", ("B", "A"))},
        ("error", "dependencies", "unknown_project", 50, "project"),
    ),
    "unknown requires": (
        {"dependencies": rows("project requires", ("A", "Z"))},
        {
            "dependencies": rows("project requires", ("A", "g")),
            "groups": rows("group project at_most", ("g", "B", 1)),
        },
        ("error", "dependencies", "unknown_project", 50, "requires"),
    ),
    "unknown project in actuals": (
        {"actuals": rows("period project", ("2027-01", "Z"))},
        {"actuals": rows("period project", ("2027-01", None))},
        ("warning", "actuals", "unknown_project", 50, "project"),
    ),
    "unknown project in baselines": (
        {"baselines": rows("project baseline", ("Z", "one"))},
        {"baselines": rows("project baseline", ("A", "one"))},
        ("warning", "baselines", "unknown_project", 50, "project"),
    ),
    "unknown person in bookings": (
        {
            "bookings": rows(BOOKING, ("Q", "A", "Dev", "2027-01", "2027-01", 1)),
            "people": rows("person role", ("P", "Test")),
        },
        {
            "bookings": rows(BOOKING, ("P", "A", "Dev", "2027-01", "2027-01", 1)),
            "people": rows("person role", ("P", "Test")),
        },
        ("error", "bookings", "unknown_person", 50, "person"),
    ),
    "unknown theme in blackouts": (
        {"blackouts": rows("theme start", ("Green", "2027-05"))},
        {"blackouts": rows("theme start", ("Red", "2027-05"))},
        ("warning", "blackouts", "unknown_theme", 50, "theme"),
    ),
    "unknown theme in budget": (
        {"budget": rows("budget theme amount", ("b", "Green", 1))},
        {"budget": rows("budget theme amount", ("b", "Red", 1))},
        ("warning", "budget", "unknown_theme", 50, "theme"),
    ),
    "unknown program in budget": (
        {"budget": rows("budget program amount", ("b", "South", 1))},
        {"budget": rows("budget program amount", ("b", "North", 1))},
        ("warning", "budget", "unknown_program", 50, "program"),
    ),
    "unknown fund in budget": (
        {"budget": rows("budget fund amount", ("b", "Run", 1))},
        {
            "budget": rows("budget fund amount", ("b", "Run", 1)),
            "spend": rows("project fund offset amount", ("A", "Run", 0, 1)),
        },
        ("warning", "budget", "unknown_fund", 50, "fund"),
    ),
    "unknown category in budget": (
        {"budget": rows("budget category amount", ("b", "opex", 1))},
        {
            "budget": rows("budget category amount", ("b", "opex", 1)),
            "spend": rows("project category offset amount", ("A", "opex", 0, 1)),
        },
        ("warning", "budget", "unknown_category", 50, "category"),
    ),
    "no duration": (
        {"projects": projects(duration=[2, None])},
        {
            "projects": projects(duration=[2, None], status=["proposed", "cancelled"]),
            "demand": rows("project role offset fte", ("A", "Dev", 0, 1)),
        },
        ("error", "projects", "missing_value", 11, "duration"),
    ),
    "demand beyond duration": (
        {
            "demand": rows(
                "project role offset fte", ("A", "Dev", 1, 1), ("A", "Dev", 2, 1)
            )
        },
        {
            "demand": rows(
                "project role offset fte", ("A", "Dev", 0, 1), ("A", "Dev", 1, 1)
            )
        },
        ("error", "demand", "demand_beyond_duration", 51, "offset"),
    ),
    "budget without limits": (
        {"budget": rows("budget amount at_least", ("b", None, None))},
        {"budget": rows("budget amount at_least", ("b", None, 0))},
        ("error", "budget", "missing_value", 50, "amount"),
    ),
    "budget contradicts itself": (
        {"budget": rows("budget amount at_least", ("b", 1, 2))},
        {"budget": rows("budget amount at_least", ("b", 2, 2))},
        ("error", "budget", "budget_contradiction", 50, "at_least"),
    ),
    "budget backwards": (
        {"budget": rows("budget amount start end", ("b", 1, "2027-02", "2027-01"))},
        {"budget": rows("budget amount start end", ("b", 1, "2027-02", "2027-02"))},
        ("error", "budget", "end_before_start", 50, "end"),
    ),
    "budget starts before the horizon": (
        {"budget": rows("budget amount start", ("b", 1, "2026-12"))},
        {"budget": rows("budget amount start", ("b", 1, "2027-01"))},
        ("warning", "budget", "outside_horizon", 50, "start, end"),
    ),
    "budget ends after the horizon": (
        {"budget": rows("budget amount end", ("b", 1, "2027-07"))},
        {"budget": rows("budget amount end", ("b", 1, "2027-06"))},
        ("warning", "budget", "outside_horizon", 50, "start, end"),
    ),
    "spend without budget": (
        {
            "spend": rows(
                "project fund offset amount", ("A", "x", 0, 1), ("A", "y", 0, 1)
            ),
            "budget": rows("budget fund amount", ("b", "x", 1)),
        },
        {
            "spend": rows(
                "project fund offset amount", ("A", "x", 0, 1), ("A", "y", 0, 0)
            ),
            "budget": rows("budget fund amount", ("b", "x", 1)),
        },
        ("warning", "spend", "spend_without_budget", 51, "amount"),
    ),
    "role without capacity": (
        {"capacity": DEV.rename(columns={"Dev": "Developer"})},
        {"capacity": DEV},
        ("error", "demand", "unknown_role", 20, "role"),
    ),
    "period without capacity": (
        {"capacity": DEV.iloc[1:]},
        {"capacity": DEV.iloc[1:].assign(Dev=0.0).reindex(HORIZON, fill_value=0.0)},
        ("error", "capacity", "capacity_missing", None, "fte"),
    ),
    "negative capacity": (
        {"capacity": DEV - 2.5},
        {"capacity": DEV - 2.0},
        ("error", "capacity", "below_minimum", None, "fte"),
    ),
    "value and benefits": (
        {"benefits": rows("project offset amount", ("A", 0, 1))},
        {
            "benefits": rows("project offset amount", ("A", 0, 1)),
            "projects": projects(value=[None, None]),
        },
        ("error", "portfolio", "unclear_value_source", None, "source"),
    ),
    "no value": (
        {"projects": projects(value=[1, None])},
        {"projects": projects(value=[1, 0])},
        ("warning", "projects", "no_value", 11, "value"),
    ),
    "no benefits": (
        {"source": "benefits"},
        {
            "source": "benefits",
            "benefits": rows("project offset amount", ("A", 0, 1)),
        },
        ("warning", "benefits", "no_value", None, ""),
    ),
    "neither demand nor spend": (
        {
            "demand": rows(
                "project role offset fte", ("A", "Dev", 0, 1), ("B", "Dev", 0, 0)
            )
        },
        {
            "demand": rows("project role offset fte", ("A", "Dev", 0, 1)),
            "spend": rows("project offset amount", ("B", 7, 1)),
        },
        ("warning", "projects", "no_demand_no_spend", 11, "project"),
    ),
}


def test_the_neighbour_of_all_cases_has_no_problem():
    assert found() == []


@pytest.mark.parametrize("case", CASES)
def test_broken_rule_is_found_where_it_is_broken(case):
    broken, _, expected = CASES[case]
    problems = problems_of(**broken)
    place = ("severity", "table", "rule", "row", "column")
    assert expected in [tuple(p[c] for c in place) for p in problems]
    assert all(p["fix"].endswith(".") for p in problems)


@pytest.mark.parametrize("case", CASES)
def test_kept_rule_is_not_found(case):
    _, kept, expected = CASES[case]
    assert expected[1:3] not in [p[1:3] for p in found(**kept)]


def test_an_empty_portfolio_says_so():
    empty = Portfolio(horizon=HORIZON)
    assert empty.check()["rule"].tolist() == ["empty_table"]
    for name, frame in {
        "projects": projects(),
        "people": rows("person role", ("P", "Dev")),
        "history": rows("period role", ("2026-01", "Dev")),
        "capacity": DEV,
    }.items():
        rules = Portfolio(horizon=HORIZON, **{name: frame}).check()["rule"].tolist()
        assert "empty_table" not in rules


def test_near_names_are_suggested():
    table = portfolio(
        demand=rows(
            "project role offset fte", ("AA", "Devv", 0, 1), ("A", "Devv", 0, 1)
        )
    ).check()
    fixes = dict(zip(table["rule"], table["fix"], strict=True))
    assert "(did you mean 'A'?)" in fixes["unknown_project"]
    assert "1 demand rows name the role 'Devv'" in fixes["unknown_role"]
    assert "(did you mean 'Dev'?)" in fixes["unknown_role"]


def test_demand_beyond_the_duration_says_where_it_ends():
    (problem,) = problems_of(
        demand=rows("project role offset fte", ("B", "Dev", 3, 1), ("A", "Dev", 0, 1))
    )
    assert problem["found"] == "3"
    assert "lasts 3 periods, so offsets end at 2" in problem["fix"]


def test_a_role_is_named_once_with_the_number_of_its_rows():
    demand = rows(
        "project role offset fte",
        ("A", "X", 0, 1),
        ("A", "X", 1, 1),
        ("B", "X", 0, 1),
        ("B", "Y", 0, 1),
        ("B", "Z", 0, 0),
    )
    table = portfolio(demand=demand).check()
    table = table[table["rule"] == "unknown_role"]
    assert table["row"].tolist() == [50, 53]
    assert table["fix"].iloc[0].startswith("3 demand rows")


@pytest.mark.parametrize("status", ["done", "cancelled"])
def test_work_that_uses_nothing_needs_no_capacity_value_or_budget(status):
    parts = {
        "projects": projects(status=["proposed", status], value=[1, None]),
        "demand": rows("project role offset fte", ("A", "Dev", 0, 1), ("B", "X", 0, 1)),
        "spend": rows("project offset amount", ("B", 0, 5)),
    }
    assert found(**parts) == []
    parts["projects"] = projects(force=[None, "out"], value=[1, None])
    assert found(**parts) == []
    parts["projects"] = projects(status=["proposed", "cancelled"], force=[None, "in"])
    assert {p[2] for p in found(**parts)} == {"unknown_role", "spend_without_budget"}


def test_value_source_decides_what_must_be_filled():
    both = {"benefits": rows("project offset amount", ("A", 0, 1))}
    for source in ("value", "benefits", "sum"):
        assert found(**both, source=source) == []
    blank = projects(value=[None, None])
    assert found(projects=blank, source="sum") == []
    assert [p[2] for p in found(projects=blank)] == ["no_value"]
    assert found(projects=blank, **both) == []


def test_missing_periods_of_capacity_are_listed():
    (fix,) = portfolio(capacity=DEV.iloc[1:3]).check()["fix"]
    assert "'2027-01', '2027-04', '2027-05' and 1 more" in fix


def test_budget_of_the_whole_portfolio_covers_blank_funds():
    spend = rows("project offset amount", ("A", 0, 5), ("B", 0, 5))
    assert found(spend=spend, budget=rows("budget amount", ("b", 1))) == []
    least = rows("budget at_least", ("b", 1))
    assert [p[2] for p in found(spend=spend, budget=least)] == ["spend_without_budget"]


def test_thousands_of_unknown_names_take_no_time():
    names = [f"Nobody {k}" for k in range(3000)]
    demand = pd.DataFrame({"project": names, "role": "Dev", "offset": 0, "fte": 1.0})
    many = pd.DataFrame({"project": [f"Project number {k}" for k in range(1000)]})
    tables = portfolio(demand=demand, projects=many.assign(duration=1)).tables
    problems = check_rules(tables, DEV, HORIZON, Settings())
    assert sum(p["rule"] == "unknown_project" for p in problems) == 3000


def test_rules_do_not_fail_on_unreadable_cells():
    for table, frame in portfolio().tables.items():
        wreck = pd.DataFrame({c: ["??", None] for c in frame.columns})
        wrecked = Portfolio(
            horizon=HORIZON,
            **{"projects": projects(), table: wreck},
        )
        rules = set(wrecked.check()["rule"])
        assert rules, table


def test_everything_at_once_has_one_warning(everything):
    problems = everything.check()
    assert problems[["severity", "table", "rule", "row"]].to_numpy().tolist() == [
        ["warning", "projects", "deadline_missed", 0]
    ]
