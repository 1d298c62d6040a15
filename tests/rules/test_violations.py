"""Every rule broken by hand; the three checkers agree on random starts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import format_period
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.dependencies import requirements
from pmo_analytics.rules.violations import COLUMNS, find_violations
from pmo_analytics.tables.windows import start_windows
from tests.support.brute_force import best_plan, broken_rules, objective, read_case
from tests.support.counts import tried
from tests.support.instances_random import drawn
from tests.support.problem_cases import portfolio, projects, rows
from tests.support.small_portfolios import EVERYTHING_STARTS


def broken(case: Portfolio, starts: dict[str, int], **options: bool) -> list[tuple]:
    table = find_violations(case, starts, **options)
    assert list(table.columns) == COLUMNS
    assert table["message"].str.endswith(".").all()
    return list(zip(table["rule"], table["subject"], table["period"], strict=True))


def moved(**starts: int | None) -> dict[str, int]:
    """Return the feasible starts of `everything` with some changed or left out."""
    merged = {**EVERYTHING_STARTS, **starts}
    return {name: start for name, start in merged.items() if start is not None}


def test_feasible_plans_break_nothing(tiny, everything):
    assert broken(tiny, {"A": 0, "B": 2}) == []
    assert broken(tiny, {}) == []
    assert broken(everything, EVERYTHING_STARTS) == []


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        # Selection.
        (moved(OLD=0), [("not_selectable", "OLD", "")]),
        (moved(NIX=0), {"NIX", "few"}),
        (moved(ERP=None, NET=None), {"ERP", "NET"}),
        (moved(OUT=-1), [("not_selectable", "OUT", "")]),
        (moved(NEW=None), {"NEW", "twins"}),
        # Windows.
        (moved(ERP=0), [("start_kept", "ERP", "2027-01")]),
        (moved(LAW=2), [("start_kept", "LAW", "2027-03")]),
        (moved(NET=4), [("window", "NET", "2027-05")]),
        (moved(APP=0), {"APP"}),
        (moved(CRM=4), [("window", "CRM", "2027-05")]),
        (moved(NEW=0), [("blackout", "NEW", "2027-01")]),
        # A finish in March is forbidden to theme B.
        (moved(NEW=1), [("blackout", "NEW", "2027-02")]),
        # NET has to wait for ERP (start_start, 1), which it always does.
        # CRM starts 1 period before LAW is over, up to 2 after: offsets 2 to 5. In 1
        # it would also make 4 FTE of ERP, LAW, NEW and itself.
        (moved(CRM=1), {"CRM", "Dev"}),
        (moved(CRM=2), [("capacity", "Dev", "2027-03")]),
        # APP needs NEW or LAW finished: LAW ends in 2.
        (moved(APP=2, NEW=3), [("dependency", "APP", "2027-03")]),
        (moved(APP=3), []),
        # Groups: few needs 1 of CRM, APP (and NIX).
        (moved(CRM=None), []),
        (moved(CRM=None, APP=None), {"few", "all"}),
    ],
)
def test_rules_of_everything(everything, starts, expected):
    found = broken(everything, starts)
    if isinstance(expected, set):
        assert {subject for _, subject, _ in found} == expected
    else:
        assert found == expected


def test_capacity_says_how_much_is_missing(tiny):
    table = find_violations(tiny, {"A": 0, "B": 1})
    assert table[
        ["rule", "subject", "period", "found", "limit"]
    ].to_numpy().tolist() == [
        ["capacity", "Dev", "2027-02", 3.0, 2.0],
        ["capacity", "Test", "2027-02", 1.5, 1.0],
    ]
    assert table["message"].iloc[1] == (
        "Test is short of 0.5 FTE in 2027-02: load 1.5, capacity 1."
    )


@pytest.mark.parametrize(("spare", "count"), [(0.9e-6, 0), (2e-6, 1)])
def test_the_tolerance_is_a_millionth(tiny, spare, count):
    case = tiny.replace(capacity=tiny.capacity - spare)
    assert len(find_violations(case, {"C": 0})) == 3 * count


def test_budgets_from_above_and_below():
    case = portfolio(
        spend=rows("project offset amount", ("A", 0, 1200.5), ("B", 1, 300.0)),
        budget=rows("budget amount at_least", ("b", 1400.0, 400.0)),
    )
    over = find_violations(case, {"A": 0, "B": 2}).to_dict("records")
    assert [(v["rule"], v["found"], v["limit"]) for v in over] == [
        ("budget", 1500.5, 1400.0)
    ]
    assert over[0]["message"] == (
        "Budget 'b' is overspent by 100.50: 1,500.50 of 1,400.00."
    )
    under = find_violations(case, {"B": 2}).to_dict("records")
    assert [(v["rule"], v["found"], v["limit"]) for v in under] == [
        ("budget_at_least", 300.0, 400.0)
    ]
    for least, fine in (
        (300.0, True),
        (300.00000000000006, True),
        (300.0000009, False),
    ):
        enough = case.replace(budget=rows("budget at_least", ("b", least)))
        assert (broken(enough, {"B": 2}) == []) == fine
    # Starting outside saves the money of the periods outside.
    assert broken(case, {"A": 0, "B": 5})[0][0] == "window"
    assert "budget" not in {rule for rule, *_ in broken(case, {"A": 0, "B": 5})}


def test_fixed_overloads_are_inherited_unless_strict():
    case = portfolio(
        projects=projects(status=["running", "proposed"], start=["2027-01", None]),
        demand=rows(
            "project role offset fte",
            ("A", "Dev", 0, 3.0),
            ("B", "Dev", 0, 0.5),
        ),
        spend=rows("project offset amount", ("A", 0, 9.0), ("B", 0, 1.0)),
        budget=rows("budget amount", ("b", 5.0)),
    )
    assert broken(case, {"A": 0}) == []
    assert broken(case, {"A": 0}, strict=True) == [
        ("capacity", "Dev", "2027-01"),
        ("budget", "b", ""),
    ]
    # Beside it nothing more fits, where it is short.
    assert broken(case, {"A": 0, "B": 0}) == [
        ("capacity", "Dev", "2027-01"),
        ("budget", "b", ""),
    ]
    assert broken(case, {"A": 0, "B": 1}) == [("budget", "b", "")]


@pytest.mark.parametrize(
    ("project", "start", "rule", "reason"),
    [
        ({"status": "approved", "start": "2027-02"}, 2, "start_kept", "its own start"),
        ({"status": "running", "start": "2027-02"}, 0, "start_kept", "its own start"),
        (
            {"earliest": "2027-02", "latest": "2027-03"},
            0,
            "window",
            "2027-02 .. 2027-03",
        ),
        (
            {"earliest": "2027-02", "latest": "2027-03"},
            3,
            "window",
            "2027-02 .. 2027-03",
        ),
        ({"deadline": "2026-12"}, 0, "window", "no start at all"),
        ({}, 5, "window", "2027-01 .. 2027-05"),
        ({}, -1, "window", "2027-01 .. 2027-05"),
    ],
)
def test_starts_that_are_not_allowed_say_why(project, start, rule, reason):
    columns = {key: [value, None] for key, value in project.items()}
    (found,) = find_violations(
        portfolio(projects=projects(**columns)), {"A": start}
    ).to_dict("records")
    assert (found["rule"], found["subject"]) == (rule, "A")
    assert reason in found["message"]


def test_a_kept_start_in_a_blackout_blames_the_blackout():
    case = portfolio(
        projects=projects(status=["approved", None], start=["2027-02", None]),
        blackouts=rows("project start end", ("A", "2027-03", "2027-03")),
    )
    (found,) = find_violations(case, {"A": 1}).to_dict("records")
    assert (found["rule"], found["period"]) == ("blackout", "2027-02")
    assert "a blackout forbids it" in found["message"]
    assert broken(case, {"A": 3})[0][0] == "start_kept"


# ------------------------------------------------------------------------ dependencies


def linked(*links: tuple, **parts: object) -> Portfolio:
    """Return A (2 periods), B (3 periods) and C (1 period) without any other rule."""
    three = pd.DataFrame(
        {
            "project": ["A", "B", "C"],
            "value": 1.0,
            "duration": [2, 3, 1],
            "status": parts.pop("status", ["proposed"] * 3),
            "force": parts.pop("force", [None] * 3),
        }
    )
    return portfolio(
        projects=three,
        demand=None,
        dependencies=rows("project requires kind lag lag_max", *links),
        **parts,
    )


@pytest.mark.parametrize(
    ("link", "allowed"),
    [
        # Starts of C that A, started in 1 and ended in 2, allows.
        (("C", "A", "finish_start", 0, None), {3, 4, 5}),
        (("C", "A", "finish_start", 1, None), {4, 5}),
        (("C", "A", "finish_start", -2, None), {1, 2, 3, 4, 5}),
        (("C", "A", "finish_start", 0, 0), {3}),
        (("C", "A", "finish_start", -1, 1), {2, 3, 4}),
        (("C", "A", "start_start", 0, None), {1, 2, 3, 4, 5}),
        (("C", "A", "start_start", 2, 3), {3, 4}),
        (("C", "A", "selected", 3, 3), {0, 1, 2, 3, 4, 5}),
    ],
)
def test_kinds_and_lags(link, allowed):
    case = linked(link)
    assert {s for s in range(6) if not broken(case, {"A": 1, "C": s})} == allowed
    # Without A there is nothing to wait for, and without C nobody waits.
    assert [r for r, *_ in broken(case, {"C": 4})] == ["dependency"]
    assert broken(case, {"A": 1}) == []


def test_one_member_of_a_group_that_keeps_both_bounds_is_enough():
    groups = rows("group project at_most", *(("g", p, 3) for p in "ABC"))
    case = linked(("C", "g", "finish_start", 0, 0), groups=groups)
    assert broken(case, {"A": 0, "B": 0, "C": 2}) == []  # right after A
    assert broken(case, {"A": 0, "B": 0, "C": 3}) == []  # right after B
    assert [r for r, *_ in broken(case, {"A": 0, "B": 0, "C": 4})] == ["dependency"]
    # C is a member too and never serves itself.
    assert [r for r, *_ in broken(case, {"C": 4})] == ["dependency"]


@pytest.mark.parametrize(
    ("status", "force", "fine"),
    [
        ("done", None, True),
        ("cancelled", None, False),
        ("proposed", "out", False),
        ("done", "out", False),
    ],
)
@pytest.mark.parametrize("kind", ["finish_start", "start_start", "selected"])
def test_work_that_is_over_serves_or_never_will(status, force, fine, kind):
    own = {"status": [status, "proposed", "proposed"], "force": [force, None, None]}
    case = linked(("C", "A", kind, 5, 5), **own)
    assert (broken(case, {"C": 0}) == []) == fine
    groups = rows("group project at_most", ("g", "A", 3), ("g", "B", 3))
    case = linked(("C", "g", kind, 5, 5), groups=groups, **own)
    assert (broken(case, {"C": 0}) == []) == fine


def test_requirements_leave_out_what_is_served_or_not_asked():
    own = {"status": ["done", "proposed", "cancelled"]}
    case = linked(("B", "A", None, 0, None), ("C", "B", None, 0, None), **own)
    windows = start_windows(case.projects, case.horizon)
    assert requirements(case, windows) == []
    case = linked(("B", "A", None, 1, 2), ("C", "B", "start_start", -1, None))
    first, second = requirements(case, start_windows(case.projects, case.horizon))
    assert (first.project, first.targets, first.spans) == ("B", ["A"], {"A": (3, 4)})
    assert (second.kind, second.spans) == ("start_start", {"B": (-1, None)})
    assert first.served(5, "A", 1)
    assert not first.served(6, "A", 1)


def test_a_project_is_meant_before_a_group_of_its_name():
    groups = rows("group project at_most", ("A", "B", 1))
    case = linked(("C", "A", None, 0, None), groups=groups)
    assert broken(case, {"A": 0, "C": 2}) == []
    assert [r for r, *_ in broken(case, {"B": 0, "C": 4})] == ["dependency"]


# ------------------------------------------------------------------------------ groups


@pytest.mark.parametrize(
    ("limits", "counts"),
    [
        (("limit", None, 1), {0, 1}),
        (("limit", 2, None), {2, 3}),
        (("limit", 1, 2), {1, 2}),
        (("limit", 0, 0), {0}),
        (("all_or_none", None, None), {0, 3}),
    ],
)
def test_how_many_of_a_group(limits, counts):
    members = rows(
        "group project rule at_least at_most", *(("g", p, *limits) for p in "ABC")
    )
    case = linked(groups=members)
    for count in range(4):
        found = broken(case, dict.fromkeys("ABC"[:count], 0))
        assert (found == []) == (count in counts)
        assert {rule for rule, *_ in found} <= {"group"}


def test_done_members_count_and_cancelled_ones_do_not():
    one = rows("group project at_least at_most", *(("g", p, 1, 1) for p in "AB"))
    done = linked(groups=one, status=["done", "proposed", "proposed"])
    assert broken(done, {}) == []
    assert [r for r, *_ in broken(done, {"B": 0})] == ["group"]
    gone = linked(groups=one, status=["cancelled", "proposed", "proposed"])
    assert [r for r, *_ in broken(gone, {})] == ["group"]
    assert broken(gone, {"B": 0}) == []
    both = rows("group project rule", *(("g", p, "all_or_none") for p in "AB"))
    done = linked(groups=both, status=["done", "proposed", "proposed"])
    assert [r for r, *_ in broken(done, {})] == ["group"]
    assert broken(done, {"B": 0}) == []
    gone = linked(groups=both, status=["cancelled", "proposed", "proposed"])
    assert [r for r, *_ in broken(gone, {"B": 0})] == ["group"]
    assert broken(gone, {}) == []


# -------------------------------------------------- three checkers, one answer


def tries(case: Portfolio, seed: int, count: int) -> list[dict[str, int]]:
    """Return starts: the best ones, near misses of them, random allowed and not."""
    rng = np.random.default_rng(seed)
    live = [p for p in read_case(case).projects.values() if p.state == "live"]
    _, best = best_plan(case)
    found = [{}] if best is None else [best]
    for k in range(count):
        starts = {}
        for project in live:
            dice = rng.random()
            if best and k % 2:
                if dice < 0.75:
                    starts[project.name] = best.get(project.name, -99)
            elif project.starts and (dice < 0.7 or (project.must and dice < 0.95)):
                starts[project.name] = int(rng.choice(project.starts))
            if dice > 0.93:
                starts[project.name] = int(rng.integers(-3, len(case.horizon) + 3))
        found.append({name: s for name, s in starts.items() if s != -99})
    return found


@pytest.mark.parametrize("seed", range(tried(40)))
def test_checkers_agree_on_random_starts_of_random_portfolios(seed):
    case = drawn(seed)
    naive = read_case(case)
    for number, starts in enumerate(tries(case, seed, 5)):
        strict = bool(number % 3 == 2)
        fine = broken_rules(naive, starts, strict=strict) == []
        plan = Plan.from_starts(case, starts, strict=strict)
        checked = check_plan(case, plan.schedule, strict=strict)
        assert plan.violations.empty == fine
        assert checked.violations.empty == fine
        exact = objective(naive, starts)
        assert checked.objective == exact
        assert abs(Fraction(plan.objective) - exact) <= abs(exact) * Fraction(1, 10**9)
        assert broken_cells(plan.violations) == broken_cells(checked.violations)


def broken_cells(table: pd.DataFrame) -> set[tuple]:
    """Return (rule, subject, period as text) of the rules both checkers name alike."""
    own = table[table["rule"].isin(["capacity", "budget", "group", "dependency"])]
    periods = [p if isinstance(p, str) else format_period(p) for p in own["period"]]
    return set(zip(own["rule"], own["subject"], periods, strict=True))
