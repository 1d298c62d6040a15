"""The checker against single plans worked out by hand: rows, starts, people, money."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pmo_analytics
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.violations import find_violations
from tests.support.certify_cases import (
    JAN,
    accepted,
    check,
    make,
    midlife,
    money,
    needs,
    only,
    plan,
    rules,
)

ROOM = Path(pmo_analytics.__file__).parent / "optimization" / "checker"
SIBLINGS = sorted(path for path in ROOM.rglob("*.py") if path.stem != "__init__")


def imported(tree: ast.Module) -> set[str]:
    """Return the modules of the package that a module imports anywhere."""
    nodes = list(ast.walk(tree))
    modules = {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    return {module for module in modules if module and module.startswith("pmo_")}


@pytest.mark.parametrize("path", SIBLINGS, ids=lambda path: path.stem)
def test_imports_nothing_of_the_arithmetic_it_checks(path: Path) -> None:
    allowed = {
        "pmo_analytics.optimization.checker."
        + ".".join(other.relative_to(ROOM).with_suffix("").parts)
        for other in SIBLINGS
    }
    allowed |= {"pmo_analytics.errors", "pmo_analytics.clock"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {"pmo_analytics.portfolio", "pmo_analytics.rules"}
    assert imported(tree) <= allowed | named
    # The portfolio and the plan of record serve annotations only.
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    assert imported(tree) <= allowed


# ---------------------------------------------------------------- rows of the schedule


def test_empty_plan_of_candidates_is_fine_and_worth_nothing() -> None:
    result = check(make([{"project": "A"}]))
    assert result.certified
    assert result.objective == 0
    assert list(result.violations.columns) == [
        "rule",
        "subject",
        "period",
        "found",
        "limit",
        "message",
    ]
    assert list(result.inherited.columns) == [
        "rule",
        "subject",
        "period",
        "use",
        "limit",
    ]


def test_unknown_project_is_named_with_the_nearest_known_one() -> None:
    found = only(check(make([{"project": "CRM rollout"}]), **{"CRM rolout": 0}))
    assert found["rule"] == "unknown_project"
    assert found["subject"] == "CRM rolout"
    assert "did you mean 'CRM rollout'" in found["message"]


def test_duplicate_project() -> None:
    portfolio = make([{"project": "A"}, {"project": "B"}])
    schedule = pd.concat([plan({"A": 0, "B": 1}), plan({"A": 2})])
    result = check_plan(portfolio, schedule)
    assert only(result)["rule"] == "duplicate_project"
    assert result.objective == 20


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "done", "start": -3}, "done"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "proposed", "force": "out"}, "forced out"),
        ({"status": "running", "start": -1, "force": "out"}, "forced out"),
        ({"status": "approved", "start": 1, "force": "out"}, "forced out"),
        ({"status": "done", "start": -3, "force": "out"}, "forced out"),
        ({"status": "done", "start": -3, "force": "in"}, "done"),
    ],
)
def test_not_selectable(fields: dict[str, Any], word: str) -> None:
    portfolio = make(
        [{"project": "A", **fields}],
        capacity={"Dev": [0.0] * 6},
        demand=[{"project": "A", "role": "Dev", "offset": 0, "fte": 1.0}],
    )
    assert check(portfolio).certified
    result = check(portfolio, A=1)
    assert only(result)["rule"] == "not_selectable"
    assert word in only(result)["message"]
    assert result.objective == 0


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "running", "start": 0}, "running"),
        ({"status": "approved"}, "approved"),
        ({"status": "approved", "start": 1}, "approved"),
        ({"status": "idea", "force": "in"}, "forced in"),
        ({"status": "cancelled", "force": "in"}, "forced in"),
        ({"status": "running", "start": 0, "force": "in"}, "running"),
    ],
)
def test_must_be_selected(fields: dict[str, Any], word: str) -> None:
    portfolio = make([{"project": "A", **fields}, {"project": "B"}])
    found = only(check(portfolio, B=0))
    assert (found["rule"], found["subject"]) == ("must_be_selected", "A")
    assert word in found["message"]
    assert check(portfolio, B=0, A=fields.get("start", 0)).certified


@pytest.mark.parametrize("start", ["next spring", "", None, pd.NaT, "2027", True, 3.5])
def test_a_start_that_cannot_be_read_is_a_violation(start: object) -> None:
    portfolio = make(
        [{"project": "A", "status": "approved"}, {"project": "B"}],
        dependencies=[{"project": "B", "requires": "A"}],
        groups=[{"group": "G", "project": "A", "at_least": 1}],
    )
    rows = {"project": ["A", "B"], "start": pd.Series([start, "2027-03"], dtype=object)}
    result = check_plan(portfolio, pd.DataFrame(rows))
    found = only(result)
    assert (found["rule"], found["subject"]) == ("window", "A")
    assert "no period" in found["message"]
    assert result.objective == 10


def test_starts_and_ids_may_be_text_or_numbers() -> None:
    portfolio = make([{"project": "7"}, {"project": "B"}])
    schedule = pd.DataFrame({"project": [7.0, 8.0], "start": ["2027-01-31", "2027-02"]})
    found = only(check_plan(portfolio, schedule))
    assert (found["rule"], found["subject"]) == ("unknown_project", "8")
    indexed = plan({"B": 0}).set_index("project")
    assert check_plan(portfolio, indexed).certified


def test_a_schedule_without_its_columns_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no column 'start' \(found: project, begin"):
        check_plan(make([{"project": "A"}]), pd.DataFrame(columns=["project", "begin"]))


def test_finish_must_be_start_plus_duration_less_one() -> None:
    portfolio = make([{"project": "A", "duration": 3}])
    schedule = plan({"A": 1})
    for finish, fine in (
        (JAN + 3, True),
        ("2027-04", True),
        (None, True),
        (JAN + 4, False),
        ("2027-03", False),
        ("later", False),
    ):
        result = check_plan(portfolio, schedule.assign(finish=[finish]))
        assert rules(result) == ([] if fine else ["finish"])
    assert "finishes in later" in only(result)["message"]
    assert only(result)["limit"] == "2027-04"


# -------------------------------------------------------------------- allowed starts


@pytest.mark.parametrize(
    ("fields", "starts"),
    [
        # Candidates finish inside the horizon of 6.
        ({}, [0, 1, 2, 3, 4]),
        ({"status": "idea", "duration": 6}, [0]),
        ({"status": "paused", "duration": 7}, []),
        ({"earliest": 2}, [2, 3, 4]),
        ({"earliest": -2, "latest": 1}, [0, 1]),
        ({"earliest": 2, "latest": 2}, [2]),
        ({"deadline": 3}, [0, 1, 2]),
        ({"deadline": 1}, [0]),
        ({"deadline": 8, "latest": 9}, [0, 1, 2, 3, 4]),
        # A planned start binds a candidate to nothing, nor does force.
        ({"start": 3}, [0, 1, 2, 3, 4]),
        ({"status": "cancelled", "force": "in", "start": 3}, [0, 1, 2, 3, 4]),
        ({"status": "paused", "force": "in", "earliest": 3}, [3, 4]),
        # Approved work may end later, and keeps its start where it has no window.
        ({"status": "approved"}, [0, 1, 2, 3, 4, 5]),
        ({"status": "approved", "deadline": 5}, [0, 1, 2, 3, 4]),
        ({"status": "approved", "earliest": 4}, [4, 5]),
        ({"status": "approved", "latest": 1, "start": 3}, [0, 1]),
        ({"status": "approved", "earliest": -3, "start": -1}, [0, 1, 2, 3, 4, 5]),
        ({"status": "approved", "start": 3}, [3]),
        ({"status": "approved", "start": -2}, [-2]),
        ({"status": "approved", "start": 8}, [8]),
        ({"status": "approved", "start": 3, "force": "in"}, [3]),
        ({"status": "approved", "start": 3, "deadline": 4}, [3]),
        ({"status": "approved", "start": 3, "deadline": 3}, []),
        # Running work keeps its start, whatever window and deadline say.
        ({"status": "running", "start": -3, "duration": 9}, [-3]),
        ({"status": "running", "start": 2, "earliest": 4, "deadline": 1}, [2]),
    ],
)
def test_allowed_starts(fields: dict[str, Any], starts: list[int]) -> None:
    assert accepted(make([{"project": "A", **fields}]), "A") == starts


@pytest.mark.parametrize(
    ("fields", "start", "rule", "words"),
    [
        ({"earliest": 2}, 1, "window", "before its earliest start 2027-03"),
        ({"latest": 2}, 3, "window", "after its latest start 2027-03"),
        (
            {"deadline": 3},
            3,
            "deadline",
            "finishes in 2027-05, after its deadline 2027-04",
        ),
        ({}, 5, "horizon", "works from 2027-06 to 2027-07; .* start by 2027-05"),
        ({}, -1, "horizon", "starts in 2026-12, before the horizon begins in 2027-01"),
        ({"status": "approved"}, 6, "horizon", "start by 2027-06"),
        ({"status": "running", "start": -1}, 0, "start_kept", "running .* 2026-12"),
        ({"status": "approved", "start": 2}, 1, "start_kept", "approved .* 2027-03"),
    ],
)
def test_a_wrong_start_names_its_rule(
    fields: dict[str, Any], start: int, rule: str, words: str
) -> None:
    result = check(make([{"project": "A", **fields}]), A=start)
    found = only(result)
    assert (found["rule"], found["subject"]) == (rule, "A")
    assert pd.Series([found["message"]]).str.contains(words).item(), found["message"]


@pytest.mark.parametrize(
    ("blackout", "starts"),
    [
        # Duration 2 in 6 periods: starts 0..4.
        ({"project": "A", "applies_to": "start", "start": 1, "end": 2}, [0, 3, 4]),
        ({"project": "A", "applies_to": "finish", "start": 1, "end": 2}, [2, 3, 4]),
        ({"project": "A", "applies_to": "work", "start": 2, "end": 2}, [0, 3, 4]),
        ({"project": "A", "start": 2, "end": 2}, [0, 3, 4]),
        ({"project": "A", "start": None, "end": 1}, [2, 3, 4]),
        ({"project": "A", "start": 4, "end": None}, [0, 1, 2]),
        ({"project": "A"}, []),
        ({"theme": "Red", "applies_to": "start", "start": 0, "end": 2}, [3, 4]),
        ({"theme": "Blue", "start": 0, "end": 5}, [0, 1, 2, 3, 4]),
        ({"applies_to": "finish", "start": 5, "end": 9}, [0, 1, 2, 3]),
        ({"project": "B", "theme": "Red", "start": 0, "end": 5}, [0, 1, 2, 3, 4]),
        ({"project": "A", "theme": "Blue", "start": 0, "end": 1}, [2, 3, 4]),
    ],
)
def test_blackouts(blackout: dict[str, Any], starts: list[int]) -> None:
    portfolio = make(
        [{"project": "A", "theme": "Red"}, {"project": "B"}], blackouts=[blackout]
    )
    assert accepted(portfolio, "A") == starts
    for s in {0, 1, 2, 3, 4} - set(starts):
        assert only(check(portfolio, A=s))["rule"] == "blackout"


def test_blackouts_bind_approved_work_and_leave_running_work_alone() -> None:
    everywhere = [{"start": -9, "end": 9}]
    running = make(
        [{"project": "A", "status": "running", "start": -1}], blackouts=everywhere
    )
    assert accepted(running, "A") == [-1]
    kept = make(
        [{"project": "A", "status": "approved", "start": 1}],
        blackouts=[{"applies_to": "start", "start": 1, "end": 1}],
    )
    found = only(check(kept, A=1))
    assert found["rule"] == "blackout"
    assert "2027-02" in found["message"]


def test_other_clocks_count_their_own_periods() -> None:
    for first, freq in (("2026-W51", "W"), ("2027Q2", "Q-MAR"), ("2027", "Y")):
        horizon = make_horizon(first, 5, freq)
        portfolio = Portfolio(
            horizon=horizon,
            projects=pd.DataFrame(
                {
                    "project": ["A", "B"],
                    "duration": [2, 1],
                    "earliest": [horizon[2], horizon[0]],
                    "value": 1.0,
                }
            ),
            dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"]}),
        )
        fine = pd.DataFrame({"project": ["A", "B"], "start": [horizon[2], horizon[4]]})
        assert check_plan(portfolio, fine).certified
        early = fine.assign(start=[horizon[1], horizon[3]])
        assert rules(check_plan(portfolio, early)) == ["window"]


# ------------------------------------------------------------------ capacity and money


def test_capacity_to_the_last_millionth() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}, {"project": "C"}],
        capacity={"Dev": [0.3, 0.3, 0.3, 0.3, 0.3, 0.3]},
        # 0.1 + 0.2 is more than 0.3 in floats and is not so here.
        demand=needs(
            ("A", "Dev", 0, 0.1), ("B", "Dev", 0, 0.2), ("C", "Dev", 0, 0.000001)
        ),
    )
    assert check(portfolio, A=2, B=2).certified
    assert check(portfolio, A=2, B=2, C=2).certified
    over = portfolio.replace(demand=portfolio.demand.replace(0.000001, 0.00000101))
    found = only(check(over, A=2, B=2, C=2))
    assert (found["rule"], found["subject"]) == ("capacity", "Dev")
    assert found["period"] == JAN + 2
    assert found["limit"] == 0.3
    assert check(over, A=2, B=2, C=1).certified


def test_capacity_names_role_period_amounts_and_projects() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        capacity={"Dev": [2.0, 1.5, 2.0, 2.0, 2.0, 2.0], "Test": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 1.0), ("A", "Dev", 1, 1.0), ("B", "Dev", 1, 0.75)),
    )
    found = only(check(portfolio, A=0, B=0))
    assert found["message"] == (
        "Role 'Dev' in 2027-02: load 1.75 FTE, capacity 1.5 FTE, 0.25 FTE too much. "
        "Used by 'A', 'B'."
    )
    assert check(portfolio, A=0, B=1).certified


def test_only_periods_inside_the_horizon_are_checked() -> None:
    portfolio = make(
        [
            {"project": "A", "status": "running", "start": -2, "duration": 4},
            {"project": "B", "status": "approved", "start": 5, "duration": 3},
        ],
        capacity={"Dev": [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]},
        demand=needs(
            ("A", "Dev", 0, 9.0),
            ("A", "Dev", 1, 9.0),
            ("A", "Dev", 2, 1.0),
            ("B", "Dev", 0, 1.0),
            ("B", "Dev", 1, 9.0),
        ),
    )
    assert check(portfolio, A=-2, B=5, strict=True).certified


def test_a_demanded_role_without_capacity_has_none() -> None:
    portfolio = make([{"project": "A"}], demand=needs(("A", "Dev", 0, 1.0)))
    assert "no capacity is given" in only(check(portfolio, A=0))["message"]
    assert check(portfolio).certified


def test_fixed_work_raises_the_limits_it_breaks_and_nothing_else() -> None:
    base = {"A": -1, "B": 1, "C": 2, "D": 3}
    result = check(midlife(), **base)
    assert result.certified
    assert result.objective == 1 + 2 + 10 + 10
    assert result.inherited["rule"].to_list() == ["capacity"] * 3
    assert result.inherited["subject"].to_list() == ["Dev"] * 3
    assert result.inherited["period"].to_list() == [JAN, JAN + 1, JAN + 2]
    assert result.inherited["use"].to_list() == [1.5, 2.0, 3.0]
    assert result.inherited["limit"].to_list() == [1.0, 1.0, 1.0]
    # Beside fixed work there is no room, and beside D only as capacity says.
    for s in range(4):
        found = only(check(midlife(), **base, E=s))
        assert (found["rule"], found["period"]) == ("capacity", JAN + s)
    assert check(midlife(), **base, E=4).certified


def test_strict_raises_nothing() -> None:
    result = check(midlife(), A=-1, B=1, C=2, D=3, strict=True)
    assert rules(result) == ["capacity"] * 3
    assert result.violations["limit"].to_list() == [1.0] * 3
    assert result.inherited.empty


def test_two_allowed_starts_are_not_fixed() -> None:
    demand = needs(("A", "Dev", 0, 2.0))
    for latest, fixed in ((2, True), (3, False)):
        for extra in ({"status": "approved"}, {"force": "in"}):
            project = {"project": "A", "earliest": 2, "latest": latest, **extra}
            portfolio = make([project], capacity={"Dev": [1.0] * 6}, demand=demand)
            assert check(portfolio, A=2).certified is fixed
    # A blackout or a deadline that leaves one start makes it fixed too.
    project = {"project": "A", "force": "in", "deadline": 2}
    portfolio = make(
        [project],
        capacity={"Dev": [1.0] * 6},
        demand=demand,
        blackouts=[{"applies_to": "start", "start": 0, "end": 0}],
    )
    assert check(portfolio, A=1).certified
    # The same project as a free candidate is not.
    free = portfolio.replace(projects=portfolio.projects.assign(force=None))
    assert rules(check(free, A=1)) == ["capacity"]


def test_budget_amount_and_at_least_to_the_last_digit() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, 60.0), ("A", 1, 40.0), ("B", 0, 0.000001)),
        budget=[{"budget": "year", "amount": 100.000001, "at_least": 100.0}],
    )
    assert check(portfolio, A=0).certified
    assert check(portfolio, A=0, B=0).certified
    found = only(check(portfolio, B=0))
    assert (found["rule"], found["subject"]) == ("budget_at_least", "year")
    assert found["found"] == 0.000001
    dear = portfolio.replace(spend=portfolio.spend.replace(40.0, 40.0000000001))
    found = only(check(dear, A=0, B=0))
    assert found["rule"] == "budget"
    assert "year" in found["message"]
    short = portfolio.replace(spend=portfolio.spend.replace(40.0, 39.9999999999))
    assert only(check(short, A=0))["rule"] == "budget_at_least"


@pytest.mark.parametrize(
    ("amounts", "limit", "fine"),
    [
        # What floats of these very numbers err by is granted, 2^-52 of 10,000 here,
        ((9999.99, 0.01), 9999.999999999998, True),
        # and no more than that.
        ((9999.99, 0.01), 9999.999999999996, False),
        ((0.1, 0.2), 0.3, True),
        ((1e10, 0.01), 1e10, False),
        ((2.5e9, 7.5e9), 1e10, True),
        ((400_000_000_001.0, 600_000_000_000.0), 1e12, False),
        ((0.9e-6, 1.1e-6), 1.9e-6, False),
        ((0.9e-6, 1.1e-6), 2e-6, True),
        ((1e13, 1.0), 1e13, False),
    ],
)
def test_money_is_held_to_the_digits_that_floats_carry(
    amounts: tuple[float, float], limit: float, fine: bool
) -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, amounts[0]), ("B", 0, amounts[1])),
        budget=[{"budget": "year", "amount": limit}],
    )
    assert check(portfolio, A=0, B=0).certified is fine
    assert find_violations(portfolio, {"A": 0, "B": 0}).empty is fine


@pytest.mark.parametrize(
    ("filters", "spent"),
    [
        ({}, 31.0),
        ({"fund": "North"}, 5.0),
        ({"category": "capex"}, 9.0),
        ({"fund": "North", "category": "capex"}, 1.0),
        ({"theme": "Red"}, 15.0),
        ({"program": "X"}, 16.0),
        ({"start": 1, "end": 1}, 18.0),
        ({"start": 2}, 8.0),
        ({"end": 0}, 5.0),
        ({"start": -5, "end": 1}, 23.0),
        ({"theme": "Red", "start": 2, "end": 9}, 8.0),
        ({"theme": "Green"}, 0.0),
    ],
)
def test_budget_filters_and_spans(filters: dict[str, Any], spent: float) -> None:
    # A (Red) starts in period 1, B (program X) in period 0.
    spend = [
        {"project": "A", "fund": "North", "category": None, "offset": 0, "amount": 4.0},
        {"project": "A", "fund": None, "category": "capex", "offset": 1, "amount": 8.0},
        {"project": "A", "offset": 9, "amount": 64.0},  # after the horizon
        {
            "project": "A",
            "fund": "South",
            "category": "opex",
            "offset": 0,
            "amount": 3.0,
        },
        {
            "project": "B",
            "fund": "North",
            "category": "capex",
            "offset": 0,
            "amount": 1.0,
        },
        {
            "project": "B",
            "fund": "South",
            "category": "opex",
            "offset": 0,
            "amount": 4.0,
        },
        {
            "project": "B",
            "fund": "South",
            "category": None,
            "offset": 1,
            "amount": 11.0,
        },
    ]
    projects = [{"project": "A", "theme": "Red"}, {"project": "B", "program": "X"}]
    for amount, fine in ((spent, True), (spent - 0.5, False)):
        budget = [{"budget": "b", "amount": max(amount, 0), **filters}]
        result = check(make(projects, spend=spend, budget=budget), A=1, B=0)
        assert result.certified is (fine or amount < 0)
    budget = [{"budget": "b", "at_least": spent + 0.5, **filters}]
    result = check(make(projects, spend=spend, budget=budget), A=1, B=0)
    assert only(result)["found"] == spent


def test_inherited_budget() -> None:
    portfolio = make(
        [
            {"project": "A", "status": "running", "start": -1, "duration": 3},
            {"project": "B"},
        ],
        spend=money(("A", 0, 99.0), ("A", 1, 30.0), ("A", 2, 20.0), ("B", 0, 1.0)),
        budget=[
            {"budget": "all", "amount": 40.0},
            {"budget": "enough", "amount": 51.0},
            {"budget": "nothing", "start": 1, "end": 1, "amount": 0.0},
            {"budget": "March", "start": 2, "end": 2, "at_least": 2.0},
        ],
    )
    result = check(portfolio, A=-1)
    assert result.inherited.drop(columns="period").to_dict("records") == [
        {"rule": "budget", "subject": "all", "use": 50.0, "limit": 40.0},
        {"rule": "budget", "subject": "nothing", "use": 20.0, "limit": 0.0},
    ]
    assert only(result)["subject"] == "March"  # a least amount is never lowered
    assert rules(check(portfolio, A=-1, B=2)) == ["budget", "budget_at_least"]
    strict = check(portfolio, A=-1, strict=True)
    assert strict.violations["subject"].to_list() == ["all", "nothing", "March"]
