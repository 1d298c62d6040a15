"""The checker against plans and bounds worked out by hand."""

from __future__ import annotations

import ast
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.optimization import certify
from pmo_analytics.optimization.certify import PlanCheck, check_bound, check_plan
from pmo_analytics.periods import Settings, make_horizon
from pmo_analytics.portfolio import Portfolio
from tests.brute_force import best_plan, broken_rules, objective, read_case
from tests.instances import ppssp_portfolio, ppssp_schedules
from tests.instances_random import random_portfolio

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "ppssp"
MICRO = Fraction(1, 10**6)
JAN = pd.Period("2027-01", freq="M")


def month(offset: int | None) -> pd.Period | None:
    """Return the month `offset` periods after January 2027."""
    return None if offset is None else JAN + offset


def make(
    projects: list[dict[str, Any]],
    *,
    periods: int = 6,
    capacity: dict[str, Any] | None = None,
    settings: Settings | None = None,
    **tables: list[dict[str, Any]],
) -> Portfolio:
    """Return a monthly portfolio from 2027-01; dates are offsets from there."""

    def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
        dates = ("start", "earliest", "latest", "deadline", "end")
        return pd.DataFrame(
            [{k: month(v) if k in dates else v for k, v in row.items()} for row in rows]
        )

    horizon = make_horizon("2027-01", periods, "M")
    return Portfolio(
        "hand-worked",
        horizon=horizon,
        settings=settings,
        capacity=None if capacity is None else pd.DataFrame(capacity, index=horizon),
        projects=frame([{"duration": 2, "value": 10.0, **row} for row in projects]),
        **{name: frame(rows) for name, rows in tables.items()},
    )


def plan(starts: dict[str, int]) -> pd.DataFrame:
    """Return the schedule of projects at offsets from January 2027."""
    return pd.DataFrame(
        {"project": list(starts), "start": [JAN + s for s in starts.values()]},
        columns=["project", "start"],
    )


def check(portfolio: Portfolio, strict: bool = False, **starts: int) -> PlanCheck:
    return check_plan(portfolio, plan(starts), strict=strict)


def rules(result: PlanCheck) -> list[str]:
    assert result.certified == result.violations.empty
    return result.violations["rule"].to_list()


def accepted(portfolio: Portfolio, name: str, **others: int) -> list[int]:
    """Return the offsets -4 .. 9 at which one project may start."""
    return [
        s for s in range(-4, 10) if check(portfolio, **{**others, name: s}).certified
    ]


def only(result: PlanCheck) -> Any:
    """Return the single violation."""
    assert len(result.violations) == 1, result.violations["message"].to_list()
    return result.violations.iloc[0]


def certificate(*rows: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "portfolio": "",
        "strict": False,
        "multipliers": list(rows),
        "cuts": [],
        "branches": [],
        **parts,
    }


def row(name: str, multiplier: Any, /, **keys: Any) -> dict[str, Any]:
    return {"row": name, **keys, "multiplier": multiplier}


def test_imports_nothing_of_the_arithmetic_it_checks() -> None:
    tree = ast.parse(Path(certify.__file__).read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    modules = {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    own = {module for module in modules if module and module.startswith("pmo_")}
    assert own == {
        "pmo_analytics.errors",
        "pmo_analytics.periods",
        "pmo_analytics.portfolio",
    }


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


def needs(*rows: tuple[str, str, int, float]) -> list[dict[str, Any]]:
    return [{"project": p, "role": r, "offset": o, "fte": f} for p, r, o, f in rows]


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


# Running A leaves nothing of the single Dev in January; approved B and forced C have
# one start each; D may move, so its own excess is nobody's inheritance.
MIDLIFE = [
    {"project": "A", "status": "running", "start": -1, "duration": 2, "value": 1.0},
    {"project": "B", "status": "approved", "start": 1, "duration": 1, "value": 2.0},
    {"project": "C", "force": "in", "earliest": 2, "latest": 2, "duration": 1},
    {"project": "D", "status": "approved", "earliest": 3, "latest": 4, "duration": 1},
    {"project": "E", "duration": 1, "value": 4.0},
    {"project": "F", "status": "done", "start": -5, "value": 100.0},
    {"project": "G", "status": "cancelled", "value": 100.0},
    {"project": "H", "status": "running", "start": -1, "force": "out", "value": 100.0},
]


def midlife(**tables: Any) -> Portfolio:
    demand = needs(
        ("A", "Dev", 1, 1.5),
        ("B", "Dev", 0, 2.0),
        ("C", "Dev", 0, 3.0),
        ("D", "Dev", 0, 1.0),
        ("E", "Dev", 0, 0.5),
        ("F", "Dev", 5, 9.0),
        ("G", "Dev", 0, 9.0),
        ("H", "Dev", 1, 9.0),
    )
    return make(MIDLIFE, capacity={"Dev": [1.0] * 6}, demand=demand, **tables)


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


def money(*rows: tuple[str, int, float]) -> list[dict[str, Any]]:
    return [{"project": p, "offset": o, "amount": a} for p, o, a in rows]


def test_budget_amount_and_at_least_to_the_last_millionth() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, 60.0), ("A", 1, 40.0), ("B", 0, 0.000001)),
        budget=[{"budget": "year", "amount": 100.0, "at_least": 100.000001}],
    )
    assert check(portfolio, A=0).certified
    assert check(portfolio, A=0, B=0).certified
    found = only(check(portfolio, B=0))
    assert (found["rule"], found["subject"]) == ("budget_at_least", "year")
    assert found["found"] == 0.000001
    dear = portfolio.replace(spend=portfolio.spend.replace(40.0, 40.0000011))
    found = only(check(dear, A=0))
    assert found["rule"] == "budget"
    assert "year" in found["message"]
    short = portfolio.replace(spend=portfolio.spend.replace(40.0, 39.9999999))
    assert only(check(short, A=0))["rule"] == "budget_at_least"
    # Above a million the tolerance grows with the limit: 1e-12 of 1e9 is 0.001.
    spend = pd.DataFrame(money(("A", 0, 1e9), ("B", 0, 0.001)))
    rich = portfolio.replace(
        spend=spend, budget=pd.DataFrame([{"budget": "year", "amount": 1e9}])
    )
    assert check(rich, A=0, B=0).certified
    rich = rich.replace(spend=spend.replace(0.001, 0.0011))
    assert rules(check(rich, A=0, B=0)) == ["budget"]


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


# ------------------------------------------------------------- dependencies and groups


@pytest.mark.parametrize(
    ("fields", "starts"),
    [
        # A works 1..2; B lasts 2 and may start 0..4.
        ({}, [3, 4]),
        ({"kind": "finish_start", "lag": 1}, [4]),
        ({"lag": 2}, []),
        ({"lag": -1}, [2, 3, 4]),
        ({"lag": -9}, [0, 1, 2, 3, 4]),
        ({"lag": 0, "lag_max": 0}, [3]),
        ({"lag": -2, "lag_max": -1}, [1, 2]),
        ({"kind": "start_start"}, [1, 2, 3, 4]),
        ({"kind": "start_start", "lag": 1, "lag_max": 2}, [2, 3]),
        ({"kind": "start_start", "lag": -1, "lag_max": 0}, [0, 1]),
        ({"kind": "selected", "lag": 5}, [0, 1, 2, 3, 4]),
    ],
)
def test_dependency_on_a_project(fields: dict[str, Any], starts: list[int]) -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        dependencies=[{"project": "B", "requires": "A", **fields}],
    )
    assert accepted(portfolio, "B", A=1) == starts
    found = only(check(portfolio, B=4))
    assert (found["rule"], found["subject"]) == ("dependency", "B")
    assert found["message"] == "Project 'B' requires 'A', which is not selected."
    assert check(portfolio, A=1).certified


def test_a_late_dependent_is_told_what_it_may_do() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        dependencies=[{"project": "B", "requires": "A", "lag": 0, "lag_max": 1}],
    )
    assert only(check(portfolio, A=0, B=4))["message"] == (
        "Project 'B' starts in 2027-05, but it requires 'A' (finish_start), which "
        "allows: 'A' from 2027-03 to 2027-04."
    )


@pytest.mark.parametrize(
    ("required", "dependent", "fine"),
    [
        ({"status": "done", "start": -4}, {}, True),
        ({"status": "cancelled"}, {}, False),
        ({"force": "out"}, {}, False),
        ({"status": "done", "force": "out"}, {}, False),
        ({"status": "cancelled"}, {"status": "done", "start": -1}, True),
        ({"status": "cancelled"}, {"status": "cancelled"}, True),
        ({"status": "cancelled"}, {"force": "out"}, True),
    ],
)
def test_dependencies_on_and_of_projects_that_are_not_live(
    required: dict[str, Any], dependent: dict[str, Any], fine: bool
) -> None:
    portfolio = make(
        [{"project": "A", **required}, {"project": "B", **dependent}],
        dependencies=[{"project": "B", "requires": "A", "lag": 99, "lag_max": 99}],
    )
    if dependent:
        assert check(portfolio).certified
        return
    result = check(portfolio, B=0)
    assert result.certified is fine
    if not fine:
        assert "can never be selected" in only(result)["message"]


def test_running_and_approved_dependents_obey_too() -> None:
    # A ran -3 .. -1 and is followed by B (running since -1, too early) and C.
    portfolio = make(
        [
            {"project": "A", "status": "running", "start": -3, "duration": 3},
            {"project": "B", "status": "running", "start": -1},
            {"project": "C", "status": "approved", "start": 0},
        ],
        dependencies=[
            {"project": "B", "requires": "A"},
            {"project": "C", "requires": "A", "lag_max": 0},
        ],
    )
    found = only(check(portfolio, A=-3, B=-1, C=0))
    assert (found["subject"], found["period"]) == ("B", JAN - 1)


def test_dependency_on_a_group() -> None:
    def portfolio(status: str = "proposed", **fields: Any) -> Portfolio:
        return make(
            [
                {"project": "A", "duration": 1},
                {"project": "B", "duration": 3},
                {"project": "C", "status": status, "start": -9},
                {"project": "J"},
            ],
            groups=[{"group": "G", "project": p, "at_most": 9} for p in "ABCJ"],
            dependencies=[{"project": "J", "requires": "G", **fields}],
        )

    assert only(check(portfolio(), J=4))["message"] == (
        "Project 'J' requires a member of 'G', which is not selected."
    )
    assert accepted(portfolio(), "J", A=1) == [2, 3, 4]
    assert accepted(portfolio(), "J", A=1, B=0) == [2, 3, 4]
    # One member has to satisfy both ends: A allows 2, B allows 3 and 4.
    window = {"lag": 0, "lag_max": 1}
    assert accepted(portfolio(**window), "J", A=1, B=0) == [2, 3, 4]
    assert accepted(portfolio(lag=0, lag_max=0), "J", A=0, B=1) == [1, 4]
    assert accepted(portfolio(kind="start_start", lag=2), "J", A=1, B=0) == [2, 3, 4]
    assert accepted(portfolio(status="done"), "J") == [0, 1, 2, 3, 4]
    assert accepted(portfolio(kind="selected"), "J", B=3) == [0, 1, 2, 3, 4]
    assert accepted(portfolio(status="cancelled"), "J") == []


def test_a_project_is_meant_before_a_group_of_its_name() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "G"}, {"project": "J"}],
        groups=[{"group": "G", "project": "A", "at_most": 1}],
        dependencies=[{"project": "J", "requires": "G", "kind": "selected"}],
    )
    assert rules(check(portfolio, A=0, J=0)) == ["dependency"]
    assert check(portfolio, G=0, J=0).certified


def test_group_limits_count_finished_members() -> None:
    def portfolio(**limits: int) -> Portfolio:
        projects = [
            {"project": "A"},
            {"project": "B"},
            {"project": "C", "status": "done"},
            {"project": "D", "status": "cancelled"},
        ]
        rows = [{"group": "G", "project": p, **limits} for p in "ABCD"]
        return make(projects, groups=rows)

    assert check(portfolio(at_most=2), A=0).certified
    found = only(check(portfolio(at_most=2), A=0, B=0))
    assert found[["rule", "subject", "found", "limit"]].to_list() == [
        "group",
        "G",
        3,
        2,
    ]
    assert "'A', 'B', 'C'" in found["message"]
    assert check(portfolio(at_least=2), A=0).certified
    assert only(check(portfolio(at_least=2)))["found"] == 1
    assert check(portfolio(at_least=1)).certified


def test_all_or_none() -> None:
    def portfolio(status: str = "proposed") -> Portfolio:
        names = ("A", "B", "C")
        projects = [{"project": p} for p in "AB"]
        projects.append({"project": "C", "status": status})
        rows = [{"group": "G", "project": p, "rule": "all_or_none"} for p in names]
        return make(projects, groups=rows)

    assert check(portfolio()).certified
    assert check(portfolio(), A=0, B=1, C=4).certified
    assert "'B', 'C' missing" in only(check(portfolio(), A=0))["message"]
    assert check(portfolio("done"), A=0, B=0).certified
    assert rules(check(portfolio("done"))) == ["group"]
    assert check(portfolio("cancelled")).certified
    assert rules(check(portfolio("cancelled"), A=0, B=0)) == ["group"]


# ------------------------------------------------------------------------ the objective


def worth(portfolio: Portfolio, **starts: int) -> Fraction:
    result = check(portfolio, **starts)
    assert result.certified
    return result.objective


def test_value_is_discounted_from_the_start_and_not_for_running_work() -> None:
    portfolio = make(
        [
            {"project": "A", "value": 121.0},
            {"project": "B", "status": "running", "start": -2, "value": 7.0},
            {"project": "C", "status": "approved", "start": -1, "value": 10.0},
            {"project": "D", "status": "done", "value": 1000.0},
            {"project": "E", "value": None},
        ],
        settings=Settings(discount=0.1),
    )
    # 121 / 1.1^2 + 7 + 10 * 1.1: work approved earlier counts from its own start.
    assert worth(portfolio, A=2, B=-2, C=-1, E=0) == 100 + 7 + 11
    flat = portfolio.replace(discount=0.0)
    assert worth(flat, A=2, B=-2, C=-1) == 138


def test_benefits_count_after_the_horizon_too() -> None:
    portfolio = make(
        [{"project": "A", "value": None}, {"project": "B", "value": None}],
        benefits=money(("A", 0, -4.0), ("A", 1, 5.5), ("A", 30, 2.0), ("B", 3, 1.0)),
        settings=Settings(discount=0.1),
    )
    rate = Fraction(11, 10)
    assert worth(portfolio, A=1) == -4 / rate + Fraction(11, 2) / rate**2 + 2 / rate**31
    running = portfolio.projects.assign(status="running", start=JAN - 5)
    portfolio = portfolio.replace(projects=running)
    assert worth(portfolio, A=-5, B=-5) == (
        -4 + Fraction(11, 2) / rate + 2 / rate**30 + 1 / rate**3
    )


def test_sources_and_net_of_spend() -> None:
    tables: dict[str, Any] = {
        "benefits": money(("A", 1, 22.0)),
        "spend": money(("A", 0, 3.0), ("A", 40, 0.5)),
    }

    def of(**settings: Any) -> Fraction:
        return worth(
            make([{"project": "A"}], settings=Settings(**settings), **tables), A=0
        )

    assert of(source="value") == 10
    assert of(source="benefits") == 22
    assert of(source="sum") == 32
    assert of(source="sum", discount=0.1) == 30
    assert of(source="sum", net_of_spend=True) == Fraction(57, 2)
    expected = 10 - 3 - Fraction(1, 2) / Fraction(11, 10) ** 40
    assert of(source="value", net_of_spend=True, discount=0.1) == expected
    with pytest.raises(DataError, match="both filled"):
        check_plan(make([{"project": "A"}], **tables), plan({}))


def test_blank_source_is_the_one_that_is_filled() -> None:
    benefits = money(("A", 0, 3.0))
    assert worth(make([{"project": "A", "value": None}], benefits=benefits), A=0) == 3
    assert worth(make([{"project": "A"}]), A=0) == 10
    assert worth(make([{"project": "A", "value": None}]), A=0) == 0


def test_decimals_are_taken_as_written() -> None:
    portfolio = make([{"project": "A", "value": 0.1}, {"project": "B", "value": 0.2}])
    assert worth(portfolio, A=0, B=0) == Fraction(3, 10)
    tiny = make([{"project": "A", "value": 1e-300}, {"project": "B", "value": 1e300}])
    assert worth(tiny, A=0, B=0) == Fraction(1, 10**300) + 10**300


def test_a_claimed_objective_must_agree() -> None:
    portfolio = make([{"project": "A", "value": 2e6}])
    for claimed, fine in (
        (2e6, True),
        (2e6 + 2, True),
        (2e6 - 2.1, False),
        (float("nan"), False),
        (float("inf"), False),
    ):
        result = check_plan(portfolio, plan({"A": 0}), objective=claimed)
        assert result.certified is fine
        assert result.violations.empty
    assert check_plan(portfolio, plan({}), objective=1e-6).certified
    assert not check_plan(portfolio, plan({}), objective=2e-6).certified


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"status": "running"}, "'A' is running: give the period"),
        ({"duration": None}, "'A' a duration"),
    ],
)
def test_unvalidated_data_is_refused(project: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        check(make([{"project": "A", **project}]))


def test_numbers_beyond_floats_do_not_crash() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, 1.7e308), ("B", 0, 1.7e308)),
        budget=[{"budget": "b", "amount": 1.7e308}],
    )
    assert only(check(portfolio, A=0, B=0))["found"] == float("inf")


# ---------------------------------------------------------------------------- the bound


def oracle(hours: float) -> Portfolio:
    """Return the vendor's example: 3 projects, 40 h of 3 roles for 4 weeks each."""
    roles = ("Architect", "Carpenter", "Plumber")
    horizon = make_horizon("2027-W01", 4, "W")
    values = {"A": 100.0, "B": 50.0, "C": 75.0}
    return Portfolio(
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": list(values), "value": list(values.values()), "duration": 4}
        ),
        demand=pd.DataFrame(
            needs(*((p, r, o, 1.0) for p in values for r in roles for o in range(4)))
        ),
        capacity=pd.DataFrame(dict.fromkeys(roles, hours / 40), index=horizon),
    )


@pytest.mark.parametrize(
    ("hours", "best"), [(80, 175), (90, 175), (119, 175), (120, 225)]
)
def test_the_vendors_example(hours: float, best: int) -> None:
    portfolio = oracle(hours)
    first = portfolio.horizon[0]
    values = []
    for chosen in product((0, 1), repeat=3):
        names = [p for p, yes in zip("ABC", chosen, strict=True) if yes]
        schedule = pd.DataFrame({"project": names, "start": [first] * len(names)})
        result = check_plan(portfolio, schedule)
        values += [result.objective] if result.certified else []
    assert max(values) == best


def test_the_linear_bound_of_the_vendors_example() -> None:
    # One architect-week worth 50: 2.25 * 50 + (100 - 50) + 0 + (75 - 50) = 187.5,
    # and the tolerance of 1e-6 FTE costs 50e-6.
    price = row("capacity", "50", role="Architect", period="2027-W02")
    assert check_bound(oracle(90), certificate(price)) == Fraction(375, 2) + 50 * MICRO
    # Spread over two rows, as number and as text, it is the same bound.
    half = [
        row("capacity", 25, role="Carpenter", period="2027-W01"),
        row("capacity", "2.5e1", role="Plumber", period="2027-W04"),
    ]
    assert check_bound(oracle(90), certificate(*half)) == Fraction(375, 2) + 50 * MICRO
    assert check_bound(oracle(90), certificate()) == 225


def test_bound_of_a_budget_with_moving_starts() -> None:
    portfolio = make(
        [{"project": "A", "value": 10.0}, {"project": "B", "value": 6.0}],
        periods=3,
        spend=money(("A", 0, 4.0), ("A", 1, 2.0), ("B", 0, 3.0)),
        budget=[{"budget": "b", "start": 0, "end": 1, "amount": 5.0, "at_least": 1.0}],
    )
    # Starts 0, 1: A spends 6 or 4, B 3 of the 5; at 1.5 each: 7.5 + (10-6) + (6-4.5).
    price = row("budget", "1.5", budget="b", side="amount")
    expected = Fraction(13) + Fraction(3, 2) * MICRO
    assert check_bound(portfolio, certificate(price)) == expected
    # A premium of 1.5 on spending: -1.5 + (10 + 9) + (6 + 4.5).
    price = row("budget", "1.5", budget="b", side="at_least")
    expected = Fraction(28) + Fraction(3, 2) * MICRO
    assert check_bound(portfolio, certificate(price)) == expected


def test_bound_of_must_do_work_has_no_way_out() -> None:
    portfolio = make(
        [
            {"project": "A", "value": -8.0, "status": "approved", "start": 0},
            {"project": "B", "value": -5.0},
        ]
    )
    assert check_bound(portfolio, certificate()) == -8


def test_bound_uses_raised_limits_unless_strict() -> None:
    starts = {"A": -1, "B": 1, "C": 2, "D": 3}
    price = row("capacity", 4, role="Dev", period="2027-03")  # C uses 3 of 1 FTE
    # 4 * 3 + A 1 + B 2 + (C 10 - 12) + D 10 + E (4 at another start).
    assert (
        check_bound(midlife(), certificate(price))
        == 12 + 1 + 2 - 2 + 10 + 4 + 4 * MICRO
    )
    strict = certificate(price, strict=True)
    bound = check_bound(midlife(), strict, strict=True)
    assert bound == 4 + 1 + 2 - 2 + 10 + 4 + 4 * MICRO
    assert check(midlife(), **starts).objective <= 27
    with pytest.raises(ConfigError, match="strict=True"):
        check_bound(midlife(), strict)


def test_bound_of_group_rows_counts_finished_members() -> None:
    portfolio = make(
        [
            {"project": "A", "value": 5.0},
            {"project": "B", "value": 3.0},
            {"project": "C", "status": "done"},
            {"project": "D", "status": "cancelled", "value": 9.0},
        ],
        groups=[
            {"group": "G", "project": p, "at_least": 1, "at_most": 2} for p in "ABCD"
        ],
    )
    # C takes one of two places: 3 * 1 + (5 - 3) + 0.
    assert check_bound(
        portfolio, certificate(row("group", 3, group="G", side="at_most"))
    ) == Fraction(5)
    # C is the one that is needed: 2 * 0 + (5 + 2) + (3 + 2).
    assert check_bound(
        portfolio, certificate(row("group", 2, group="G", side="at_least"))
    ) == Fraction(12)


@pytest.mark.parametrize(
    ("status", "best"),
    [("proposed", 5 - 3 - 1), ("done", 5 - 3), ("cancelled", 0)],
)
def test_bound_of_all_or_none(status: str, best: int) -> None:
    portfolio = make(
        [
            {"project": "A", "value": 5.0},
            {"project": "B", "value": -3.0},
            {"project": "C", "value": -1.0, "status": status},
        ],
        groups=[{"group": "G", "project": p, "rule": "all_or_none"} for p in "ABC"],
    )
    # Hand the losses of B and C on to A; a finished C pulls A and B in, a cancelled
    # one keeps them out.
    shares = {"proposed": (-3, -1), "done": (-3, -2), "cancelled": (-3, -2)}[status]
    rows = [
        row("all_or_none", m, group="G", project=p)
        for p, m in zip("BC", shares, strict=True)
    ]
    assert check_bound(portfolio, certificate(*rows)) == best
    first = row("all_or_none", "-7.5", group="G", project="A")
    assert check_bound(portfolio, certificate(*rows, first)) == best


def dependent(kind: str = "finish_start", **fields: Any) -> Portfolio:
    """Return B (9) that needs the costly A (-5); both last 2 of 6 periods."""
    return make(
        [{"project": "A", "value": -5.0}, {"project": "B", "value": 9.0}],
        dependencies=[{"project": "B", "requires": "A", "kind": kind, **fields}],
    )


def link(form: str, multiplier: Any, kind: str = "finish_start", **t: int) -> Any:
    return row(
        "dependency",
        multiplier,
        project="B",
        requires="A",
        kind=kind,
        form=form,
        **t,
    )


def test_bound_of_dependency_rows() -> None:
    def bound(portfolio: Portfolio, *rows: dict[str, Any]) -> Fraction | None:
        return check_bound(portfolio, certificate(*rows))

    assert bound(dependent()) == 9
    assert bound(dependent(), link("selected", 5)) == 4
    assert bound(dependent("selected"), link("selected", 5, "selected")) == 4
    # B by 4 needs A by 2, and B has no later start: as good as "selected".
    assert bound(dependent(), link("by", 5, t=4)) == 4
    # B by 3 needs A by 1, but B may start in 4.
    assert bound(dependent(), link("by", 5, t=3)) == 9
    # B by 1 can have no A before: with 9 on that row, starts 2.. remain.
    assert bound(dependent(), link("by", 9, t=1)) == 9
    assert bound(dependent(lag=3), link("by", 9, t=4)) == 0
    # A row for each start of B; 2, 3 and 4 share the subsidy of A at 0.
    at = [link("at", 9, t=0), link("at", 9, t=1)]
    assert bound(dependent(), *at) == 9
    assert bound(dependent(), *at, link("at", 9, t=2), link("at", 9, t=3)) == 22
    # With lag_max 0, B at 2, 3, 4 needs A exactly at 0, 1, 2.
    tight = [*at, *(link("at", 5, t=t) for t in (2, 3, 4))]
    assert bound(dependent(lag_max=0), *tight) == 4
    # B after t + 2 needs A after t: from t = -1 on that is every B.
    assert bound(dependent(lag_max=0), link("after", 5, t=-1)) == 9
    late = [link("after", 5, t=-1), link("by", 9, t=1)]
    assert bound(dependent(lag_max=0), *late) == 4


@pytest.mark.parametrize(
    ("entry", "lag_max", "helpful"),
    [
        # B starts in 4 and A lasts 2: with lag_max 0 only A in 2 serves, with 1 also 1.
        (link("at", 9, t=4), 0, [2]),
        (link("at", 9, t=4), 1, [1, 2]),
        (link("by", 9, t=4), 0, [0, 1, 2]),
        (link("after", 9, t=1), 0, [2, 3, 4]),
        (link("after", 9, t=0), 1, [1, 2, 3, 4]),
    ],
)
def test_which_starts_a_dependency_row_pays_for(
    entry: dict[str, Any], lag_max: int, helpful: list[int]
) -> None:
    for s in range(5):
        portfolio = make(
            [
                {"project": "A", "value": -5.0, "earliest": s, "latest": s},
                {"project": "B", "value": 9.0, "earliest": 4},
            ],
            dependencies=[{"project": "B", "requires": "A", "lag_max": lag_max}],
        )
        assert check_bound(portfolio, certificate(entry)) == (4 if s in helpful else 0)


def test_dependency_rows_that_restrict_nothing_charge_nothing() -> None:
    portfolio = dependent()
    done = portfolio.replace(
        projects=portfolio.projects.assign(status=["done", "proposed"])
    )
    assert check_bound(done, certificate(link("by", 5, t=4))) == 9
    gone = portfolio.replace(
        projects=portfolio.projects.assign(status=["cancelled", "proposed"])
    )
    assert check_bound(gone, certificate(link("by", 9, t=4))) == 0
    assert check_bound(gone, certificate(link("selected", 9))) == 0
    dropped = portfolio.replace(
        projects=portfolio.projects.assign(status=["proposed", "done"])
    )
    assert check_bound(dropped, certificate(link("by", 9, t=4))) == 0


def test_bound_is_rounded_up_with_discounting() -> None:
    rate = Fraction(103, 100)
    portfolio = make(
        [
            {"project": "A", "value": 10.0, "earliest": 3},
            {"project": "B", "value": -7.0, "force": "in"},
            {"project": "C", "value": 5.0, "status": "running", "start": -2},
            {"project": "D", "value": 3.0, "status": "approved", "start": -2},
        ],
        settings=Settings(discount=0.03),
    )
    exact = 10 / rate**3 - 7 / rate**4 + 5 + 3 * rate**2
    bound = check_bound(portfolio, certificate())
    assert bound is not None
    assert exact <= bound < exact + Fraction(1, 10**30)
    assert worth(portfolio, A=3, B=4, C=-2, D=-2) == exact


def test_late_benefits_and_losses_are_rounded_outward_too() -> None:
    rate = Fraction(103, 100)
    for amount in (8.0, -8.0):
        portfolio = make(
            [{"project": "A", "value": None, "status": "approved", "start": 3}],
            benefits=money(("A", 7, amount), ("A", 9, amount)),
            settings=Settings(discount=0.03),
        )
        exact = Fraction(amount) * (rate**-10 + rate**-12)
        bound = check_bound(portfolio, certificate())
        assert bound is not None
        assert exact <= bound < exact + Fraction(1, 10**30)


def test_bound_charges_what_each_start_uses() -> None:
    # Starts 3 and 4 both work in period 4 of 0..5, once with 1 and once with 2 FTE.
    portfolio = make(
        [{"project": "A", "earliest": 3}],
        capacity={"Dev": [0.0] * 6},
        demand=needs(("A", "Dev", 0, 2.0), ("A", "Dev", 1, 1.0)),
    )
    price = row("capacity", 4, role="Dev", period="2027-05")
    assert check_bound(portfolio, certificate(price)) == 10 - 4 + 4 * MICRO


def test_bound_charges_nothing_outside_the_horizon() -> None:
    portfolio = make(
        [{"project": "A", "status": "approved", "start": 5}],
        spend=money(("A", 0, 1.0), ("A", 1, 4.0)),
        budget=[{"budget": "b", "start": -3, "end": 9, "amount": 2.0}],
    )
    price = row("budget", 2, budget="b", side="amount")
    assert check_bound(portfolio, certificate(price)) == 2 * 2 + 10 - 2 + 2 * MICRO


def test_starts_stay_where_a_negative_amount_could_make_room() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        capacity={"Dev": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 2.0), ("B", "Dev", 0, -1.0)),
    )
    assert check(portfolio, A=0, B=0).certified
    assert check_bound(portfolio, certificate(), skip_impossible=True) == 20


def test_no_bound_where_a_project_has_no_way() -> None:
    portfolio = make([{"project": "A", "force": "in", "duration": 9}])
    assert check_bound(portfolio, certificate()) is None
    portfolio = make([{"project": "A", "duration": 9}])
    assert check_bound(portfolio, certificate()) == 0


def test_impossible_starts_can_be_left_out() -> None:
    portfolio = make(
        [
            {"project": "R", "status": "running", "start": -1, "value": 0.0},
            {"project": "A", "value": 10.0},
            {"project": "B", "value": 7.0},
            {"project": "C", "value": 5.0},
        ],
        settings=Settings(discount=0.25),
        capacity={"Dev": [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]},
        demand=needs(
            ("R", "Dev", 1, 1.0),
            ("A", "Dev", 0, 1.5),
            ("B", "Dev", 0, 1.000001),
            ("C", "Dev", 0, 1.000002),
        ),
        spend=money(("C", 0, 5.000001), ("C", 1, 8.0)),
        budget=[{"budget": "b", "amount": 5.0, "start": 0, "end": 3}],
    )
    # Beside R there is room for B to the last millionth and for nobody else; C in
    # April spends the last millionth of money, its 8 fall into May.
    plain = check_bound(portfolio, certificate())
    assert plain == 22
    bound = check_bound(portfolio, certificate(), skip_impossible=True)
    expected = 8 + 7 + 5 / Fraction(5, 4) ** 3
    assert bound is not None
    assert expected <= bound < expected + Fraction(1, 10**30)
    assert worth(portfolio, R=-1, A=1, B=0, C=3) == expected
    must = portfolio.projects.assign(force=[None, "in", None, None])
    must["latest"] = [pd.NaT, JAN, pd.NaT, pd.NaT]
    must["earliest"] = [pd.NaT, JAN - 1, pd.NaT, pd.NaT]
    fixed = portfolio.replace(projects=must)
    assert check_bound(fixed, certificate(), skip_impossible=True) is not None
    strict = certificate(strict=True)
    assert not check(fixed, R=-1, A=0, strict=True).certified
    assert check_bound(fixed, strict, strict=True, skip_impossible=True) is not None


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"format": 2}, "format 2"),
        ({"format": None}, "format None"),
        ({"format": True}, "format True"),
        ({"cuts": [{"row": "clique"}]}, "cannot have 'cuts'"),
        ({"branches": [1]}, "cannot have 'branches'"),
        ({"bound": 3}, "unknown part 'bound'"),
        ({"multipliers": {}}, "must be a list"),
        ({"strict": 1}, "strict=1"),
    ],
)
def test_certificates_of_another_shape_are_refused(
    parts: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        check_bound(oracle(90), certificate(**parts))


CELL = {"role": "Dev", "period": "2027-01"}
LINK = {"project": "B", "requires": "A", "kind": "finish_start"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("capacity", "no JSON object"),
        ({"multiplier": 1}, "unknown row"),
        (row("cover", 1), "unknown row"),
        (row("capacity", -1, **CELL), r"multiplier 1 \(capacity\): .* negative.*'Dev'"),
        (row("capacity", "-1e-9", **CELL), "negative"),
        (row("capacity", "1/3", **CELL), "no number"),
        (row("capacity", "1e999999999", **CELL), "no number"),
        (row("capacity", "0." + "1" * 2000, **CELL), "no number"),
        (row("capacity", float("nan"), **CELL), "no number"),
        (row("capacity", True, **CELL), "no number"),
        (row("capacity", None, **CELL), "a text or a number"),
        (row("capacity", 1, role=["Dev"], period="2027-01"), "a text or a number"),
        (row("capacity", 1, role="Dev"), "keys: 'period'"),
        (row("capacity", 1, **CELL, side="amount"), "keys: 'side'"),
        (row("capacity", 1, role="Tester", period="2027-01"), "no role"),
        (row("capacity", 1, role="Dev", period="2027-07"), "no period of the horizon"),
        (row("capacity", 1, role="Dev", period="soon"), "no period of the horizon"),
        (row("budget", 1, budget="b", side="at_most"), "unknown side"),
        (row("budget", 1, budget="b", side="at_least"), "has this side"),
        (row("budget", 1, budget="c", side="amount"), "no budget 'c'"),
        (row("group", 1, group="G", side="at_least"), "has no at_least"),
        (row("group", 1, group="H", side="at_most"), "no group"),
        (row("group", -1, group="G", side="at_most"), "negative"),
        (row("all_or_none", 1, group="G", project="A"), "no member"),
        (row("all_or_none", 1, group="N", project="B"), "no member"),
        (row("dependency", 1, **LINK, form="never"), "unknown form"),
        (row("dependency", 1, **LINK, form="by"), "keys: 't'"),
        (row("dependency", 1, **LINK, form="by", t="3"), "whole number"),
        (row("dependency", 1, **LINK, form="selected", t=3), "keys: 't'"),
        (row("dependency", 1, **LINK, form="after", t=3), "a lag_max"),
        (row("dependency", -1, **LINK, form="by", t=3), "negative"),
        (
            row("dependency", 1, **{**LINK, "kind": "selected"}, form="at", t=3),
            "no form",
        ),
        (row("dependency", 1, **{**LINK, "requires": "G"}, form="by", t=3), "no such"),
        (
            row(
                "dependency",
                1,
                project="A",
                requires="G",
                kind="finish_start",
                form="after",
                t=0,
            ),
            "single project",
        ),
    ],
)
def test_multipliers_that_mean_nothing_are_refused(entry: Any, words: str) -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        capacity={"Dev": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 1.0)),
        budget=[{"budget": "b", "amount": 3.0}],
        groups=[
            {"group": "G", "project": "B", "at_most": 1},
            {"group": "N", "project": "A", "rule": "all_or_none"},
        ],
        dependencies=[
            LINK,
            {**LINK, "kind": "selected"},
            {"project": "A", "requires": "G", "lag_max": 1},
        ],
    )
    with pytest.raises(ConfigError, match=words):
        check_bound(portfolio, certificate(entry))


# ---------------------------------------------------------- against plain enumeration


def random_starts(
    portfolio: Portfolio, rng: np.random.Generator, *, most: int
) -> list[dict[str, int]]:
    """Return combinations of allowed starts, refusals and a few wild starts."""
    case = read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    options: list[list[int | None]] = [
        [None, *p.starts, int(rng.integers(-3, case.periods + 2))] for p in live
    ]
    chosen = list(product(*options))
    if len(chosen) > most:
        picks = rng.choice(len(chosen), most, replace=False)
        chosen = [chosen[k] for k in picks]
    return [
        {p.name: s for p, s in zip(live, starts, strict=True) if s is not None}
        for starts in chosen
    ]


def of(portfolio: Portfolio, starts: dict[str, int]) -> pd.DataFrame:
    first = portfolio.horizon[0]
    return pd.DataFrame(
        {"project": list(starts), "start": [first + s for s in starts.values()]},
        columns=["project", "start"],
    )


@pytest.mark.parametrize("seed", range(12))
def test_accepts_exactly_what_plain_enumeration_accepts(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    portfolio = random_portfolio(rng, max_projects=4, max_periods=6)
    case = read_case(portfolio)
    for starts in random_starts(portfolio, rng, most=40):
        for strict in (False, True):
            result = check_plan(portfolio, of(portfolio, starts), strict=strict)
            broken = broken_rules(case, starts, strict=strict)
            assert result.certified is not bool(broken), (starts, broken)
            assert result.objective == objective(case, starts)


@pytest.mark.parametrize("seed", range(12))
def test_mutated_plans_are_refused(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])
    starts = None
    while not starts:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=6)
        _, starts = best_plan(portfolio)
    schedule = of(portfolio, starts)
    assert check_plan(portfolio, schedule).certified
    twice = pd.concat([schedule, schedule.iloc[:1]])
    assert "duplicate_project" in rules(check_plan(portfolio, twice))
    stranger = schedule.assign(project=["?", *schedule["project"].iloc[1:]])
    assert "unknown_project" in rules(check_plan(portfolio, stranger))
    far = schedule.assign(start=schedule["start"] + 99)
    assert set(rules(check_plan(portfolio, far))) >= {"horizon"} or set(
        rules(check_plan(portfolio, far))
    ) >= {"start_kept"}
    wrong = schedule.assign(finish=schedule["start"] + 99)
    assert rules(check_plan(portfolio, wrong)) == ["finish"] * len(schedule)
    claimed = float(check_plan(portfolio, schedule).objective) + 1
    assert not check_plan(portfolio, schedule, objective=claimed).certified


def all_rows(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return every row that a certificate may name, without multipliers."""
    rows: list[dict[str, Any]] = [
        {"row": "capacity", "role": role, "period": str(period.start_time.date())}
        for role in portfolio.capacity.columns
        for period in portfolio.horizon
    ]
    for budget in portfolio.budget.to_dict("records"):
        rows += [
            {"row": "budget", "budget": budget["budget"], "side": side}
            for side in ("amount", "at_least")
            if not pd.isna(budget[side])
        ]
    for member in portfolio.groups.to_dict("records"):
        key = {"group": member["group"]}
        if member["rule"] == "all_or_none":
            rows.append({"row": "all_or_none", **key, "project": member["project"]})
        rows += [
            {"row": "group", **key, "side": side}
            for side in ("at_least", "at_most")
            if not pd.isna(member[side])
        ]
    for link_ in portfolio.dependencies.to_dict("records"):
        key = {"row": "dependency"} | {
            column: link_[column] for column in ("project", "requires", "kind")
        }
        rows.append({**key, "form": "selected"})
        if link_["kind"] == "selected":
            continue
        single = link_["requires"] in set(portfolio.projects["project"])
        forms = ["by", "at"]
        forms += ["after"] if single and not pd.isna(link_["lag_max"]) else []
        rows += [
            {**key, "form": form, "t": t}
            for form in forms
            for t in range(-3, len(portfolio.horizon) + 2)
        ]
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_no_accepted_plan_beats_any_bound(seed: int) -> None:
    rng = np.random.default_rng([seed, 3])
    rows: list[dict[str, Any]] = []
    best, strict, most = None, bool(seed % 2), Fraction(0)
    while best is None or len(rows) < 8:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5)
        rows = all_rows(portfolio)
        best, _ = best_plan(portfolio, strict)
    for starts in random_starts(portfolio, rng, most=150):
        result = check_plan(portfolio, of(portfolio, starts), strict=strict)
        if result.certified:
            most = max(most, result.objective, best)
            assert result.objective <= best

    def bound(multipliers: list[int], skip: bool) -> Fraction:
        entries = [
            {**entry, "multiplier": f"{m / 16}"}
            for entry, m in zip(rows, multipliers, strict=True)
            if m
        ]
        found = check_bound(
            portfolio,
            certificate(*entries, strict=strict),
            strict=strict,
            skip_impossible=skip,
        )
        assert found is not None
        assert found >= best
        return found

    # Random multipliers say little; a search for the least bound presses every row
    # as far as it goes, and a row that is wrong anywhere would give way.
    free = [entry["row"] == "all_or_none" for entry in rows]
    current = [0] * len(rows)
    least = bound(current, skip=False)
    for step in range(120):
        trial = list(current)
        for k in rng.integers(0, len(rows), int(rng.integers(1, 4))):
            trial[k] += int(rng.integers(-40, 81) if step % 2 else rng.integers(-8, 17))
            trial[k] = trial[k] if free[k] else max(trial[k], 0)
        found = bound(trial, skip=False)
        assert bound(trial, skip=True) <= found
        if found <= least:
            least, current = found, trial


# --------------------------------------------------------------------- real instances


@pytest.fixture(scope="module")
def ppssp() -> Portfolio:
    path = DATA / "PI_1_1000_25_0.25_0.01.json"
    if not path.exists():
        pytest.skip("the PPSSP instances are not at ../shared/data/ppssp")
    return ppssp_portfolio(path)


def test_published_solutions_are_certified(ppssp: Portfolio) -> None:
    published = ppssp_schedules(DATA / "PI_1_published_solutions.json", ppssp.horizon)
    assert len(published) == 5
    for solver, (schedule, value) in published.items():
        result = check_plan(ppssp, schedule, objective=value)
        assert result.certified, (solver, result.violations["message"].to_list()[:5])
        assert abs(result.objective - Fraction(value)) < Fraction(1, 1000)
        assert result.inherited.empty


def test_published_solutions_with_a_mutation_are_refused(ppssp: Portfolio) -> None:
    published = ppssp_schedules(DATA / "PI_1_published_solutions.json", ppssp.horizon)
    schedule, value = published["Gurobi_600_0.01"]
    moved = schedule["start"].mask(schedule.index == 7, ppssp.horizon[25])
    assert "window" in rules(check_plan(ppssp, schedule.assign(start=moved)))
    rushed = schedule.assign(start=ppssp.horizon[0])
    assert set(rules(check_plan(ppssp, rushed))) == {"budget", "dependency"}
    fewer = check_plan(ppssp, schedule.iloc[1:], objective=value)
    assert not fewer.certified


def test_bound_of_a_published_instance_holds(ppssp: Portfolio) -> None:
    # Uniform prices on all money: poor multipliers, and still a bound.
    rows = [
        row("budget", "0.2", budget=name, side="amount")
        for name in ppssp.budget["budget"]
        if name.startswith("all")
    ]
    bound = check_bound(ppssp, certificate(*rows), skip_impossible=True)
    assert bound is not None
    assert Fraction(893_555) < bound < Fraction(1_649_684)
