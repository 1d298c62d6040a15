"""level against hand-worked cases, against enumeration, and on published instances."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    InfeasibleError,
    SolverError,
    has_errors,
)
from pmo_analytics.optimization.checker.level import level_bound, measure_of
from pmo_analytics.optimization.levelling import search
from pmo_analytics.optimization.levelling.jobs import levelled_question
from pmo_analytics.optimization.levelling.level import level
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import (
    TOLERANCE,
    Case,
    _broken_logic,
    broken_rules,
    costs,
    exact,
    limits,
    loads,
    read_case,
)
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_levelling import psplib_optima, psplib_portfolio
from tests.support.instances_random import random_portfolio
from tests.support.real_data import real

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)
# What enumeration does in a moment.
MOST = 40_000


def one_role(
    rows: list[tuple], *, capacity: float | list[float] = 1.0, periods: int = 12, **more
) -> Portfolio:
    """Return projects (name, status, duration, fte[, start]) of one role, Dev."""
    horizon = make_horizon("2027-01", periods, "M")
    named = [(*row, None)[:5] for row in rows]
    return Portfolio(
        "one role",
        horizon=horizon,
        projects=pd.DataFrame(
            {
                "project": [r[0] for r in named],
                "status": [r[1] for r in named],
                "duration": [r[2] for r in named],
                "start": [r[4] for r in named],
            }
        ),
        demand=pd.DataFrame(
            [(r[0], "Dev", k, r[3]) for r in named for k in range(r[2])],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": capacity}, index=horizon),
        **more,
    )


def set_cells(portfolio: Portfolio, column: str, cells: dict[str, object]) -> Portfolio:
    projects = portfolio.projects.astype({column: object})
    for name, cell in cells.items():
        projects.loc[projects["project"] == name, column] = cell
    return portfolio.replace(projects=projects)


def test_one_after_the_other_when_there_is_one_developer():
    rows = [("A", "approved", 3, 1.0), ("B", "approved", 2, 1.0)]
    plan = level(one_role(rows), limits=LIMITS)
    assert plan.report is not None
    assert plan.report.measure == "makespan"
    assert (plan.report.objective, plan.report.bound) == (5.0, 5.0)
    assert plan.report.certified_bound == 5.0
    assert plan.report.status == "optimal"
    assert plan.report.gap == 0
    # The smaller sum of starts: the short one first.
    assert plan.starts == {"A": 2, "B": 0}
    assert plan.summary()["makespan"] == 5.0
    assert plan.violations.empty


def test_the_planned_overload_is_levelled_and_nothing_comes_earlier():
    """Planned: A Jan-Mar and B Feb-Mar on one developer. B waits until April."""
    rows = [
        ("A", "approved", 3, 1.0, "2027-01"),
        ("B", "approved", 2, 1.0, "2027-02"),
        ("X", "proposed", 1, 1.0),
    ]
    portfolio = one_role(rows)
    plan = level(portfolio, limits=LIMITS)
    assert plan.starts == {"A": 0, "B": 3}
    assert plan.report is not None
    assert plan.report.objective == 5
    projects = plan.projects.set_index("project")
    assert projects["moved"].to_dict()["B"] == 2
    assert projects["decision"].to_dict()["X"] == "out"
    # As it stands, B keeps its start: the plan is one of the opened portfolio.
    assert plan.portfolio is not portfolio
    assert plan.violations.empty


def test_a_plan_that_was_fine_already_stays_on_its_own_portfolio():
    rows = [("A", "approved", 2, 1.0, "2027-01"), ("B", "approved", 2, 1.0, "2027-03")]
    plan = level(one_role([*rows, ("X", "idea", 1, 1.0)]), limits=LIMITS)
    assert plan.starts == {"A": 0, "B": 2}
    decision = plan.projects.set_index("project")["decision"]
    assert decision["X"] == "not selected"


def test_running_work_stays_and_counts():
    rows = [("R", "running", 4, 1.0, "2026-12"), ("A", "approved", 2, 0.5)]
    plan = level(one_role(rows), limits=LIMITS)
    assert plan.starts == {"R": -1, "A": 3}
    assert plan.report is not None
    assert plan.report.objective == 5


def test_a_window_lets_a_project_come_before_its_planned_start():
    portfolio = one_role([("A", "approved", 2, 1.0, "2027-04")])
    assert level(portfolio, limits=LIMITS).starts == {"A": 3}
    opened = set_cells(portfolio, "earliest", {"A": "2027-02"})
    assert level(opened, limits=LIMITS).starts == {"A": 1}


def test_forced_in_is_levelled_too():
    portfolio = one_role([("A", "proposed", 2, 1.0), ("B", "idea", 1, 1.0)])
    plan = level(set_cells(portfolio, "force", {"A": "in"}), limits=LIMITS)
    assert plan.starts == {"A": 0}


def test_nothing_to_level():
    plan = level(one_role([("A", "proposed", 2, 1.0)]), limits=LIMITS)
    assert plan.starts == {}
    assert plan.report is not None
    assert plan.report.status == "optimal"
    assert plan.report.objective == 0


def test_only_fixed_work():
    rows = [("R", "running", 4, 1.0, "2026-12"), ("S", "running", 2, 1.0, "2027-01")]
    plan = level(one_role(rows), limits=LIMITS)
    assert plan.report is not None
    assert (plan.report.objective, plan.report.status) == (3.0, "optimal")
    # Two running on one developer: the limit is inherited, nobody can move them.
    assert len(plan.inherited) == 2


def test_delay_weighs_value():
    """B waits for A or A for B: the one worth 10 comes first."""
    rows = [("A", "approved", 3, 1.0, "2027-01"), ("B", "approved", 2, 1.0, "2027-01")]
    portfolio = set_cells(one_role(rows), "value", {"A": 10.0, "B": 1.0})
    plan = level(portfolio, objective="delay", limits=LIMITS)
    assert plan.starts == {"A": 0, "B": 3}
    assert plan.report is not None
    assert plan.report.objective == 3.0
    swapped = set_cells(portfolio, "value", {"A": 1.0, "B": 10.0})
    plan = level(swapped, objective="delay", limits=LIMITS)
    assert plan.starts == {"A": 2, "B": 0}
    assert plan.report is not None
    assert plan.report.objective == 2.0
    # Without a value B weighs as much as the least valued, so order does not pay.
    none = set_cells(portfolio, "value", {"A": 1.0, "B": None})
    plan = level(none, objective="delay", limits=LIMITS)
    assert plan.starts == {"A": 2, "B": 0}


def test_delay_without_planned_start_counts_from_the_earliest():
    rows = [("A", "approved", 2, 1.0), ("B", "approved", 2, 1.0)]
    portfolio = set_cells(one_role(rows), "earliest", {"B": "2027-02"})
    plan = level(portfolio, objective="delay", limits=LIMITS)
    assert plan.starts == {"A": 0, "B": 2}
    assert plan.report is not None
    assert (plan.report.objective, plan.report.bound) == (1.0, 1.0)
    assert plan.summary()["delay"] == 1.0


def test_budgets_blackouts_and_deadlines_hold():
    rows = [("A", "approved", 1, 0.1), ("B", "approved", 1, 0.1)]
    portfolio = one_role(
        rows,
        spend=pd.DataFrame(
            {"project": ["A", "B"], "offset": [0, 0], "amount": [6.0, 6.0]}
        ),
        budget=pd.DataFrame({"budget": ["first"], "end": ["2027-03"], "amount": [10]}),
        blackouts=pd.DataFrame({"start": ["2027-04"], "end": ["2027-04"]}),
    )
    plan = level(portfolio, limits=LIMITS)
    assert sorted(plan.starts.values()) == [0, 4]
    portfolio = set_cells(portfolio, "deadline", {"A": "2027-03"})
    assert level(portfolio, limits=LIMITS).starts == {"A": 0, "B": 4}


def test_demand_that_changes_from_period_to_period():
    horizon = make_horizon("2027-01", 8, "M")
    portfolio = Portfolio(
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": ["A", "B"], "status": "approved", "duration": [3, 3]}
        ),
        demand=pd.DataFrame(
            [("A", "Dev", k, f) for k, f in enumerate([1.0, 0.25, 0.1])]
            + [("B", "Dev", k, f) for k, f in enumerate([0.75, 0.9, 0.2])],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": 1.0}, index=horizon),
    )
    plan = level(portfolio, limits=LIMITS)
    # B one month after A: 1.0, 0.25 + 0.75, 0.1 + 0.9, 0.2.
    assert plan.starts == {"A": 0, "B": 1}


def test_a_longest_lag_needs_the_general_model():
    """Serial schedules cannot keep lag_max: B at most one month after A's end."""
    rows = [("A", "approved", 1, 1.0), ("B", "approved", 1, 1.0)]
    portfolio = one_role(
        rows,
        capacity=[1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        dependencies=pd.DataFrame(
            {"project": ["B"], "requires": ["A"], "lag": [0], "lag_max": [1]}
        ),
    )
    plan = level(portfolio, limits=LIMITS)
    assert plan.starts == {"A": 3, "B": 4}
    assert plan.report is not None
    assert (plan.report.status, plan.report.objective) == ("optimal", 5.0)


def test_what_cannot_be_done_says_what_clashes():
    rows = [("A", "approved", 4, 1.0), ("B", "approved", 4, 1.0)]
    portfolio = one_role(rows, periods=6)
    portfolio = set_cells(portfolio, "deadline", {"A": "2027-06", "B": "2027-06"})
    with pytest.raises(InfeasibleError, match="Dev is short") as error:
        level(portfolio, limits=LIMITS)
    assert error.value.conflicts["role"].eq("Dev").all()


def test_links_that_do_not_fit_the_deadline():
    rows = [("A", "approved", 4, 0.1), ("B", "approved", 4, 0.1)]
    portfolio = one_role(
        rows, dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"]})
    )
    portfolio = set_cells(portfolio, "deadline", {"B": "2027-06"})
    with pytest.raises(InfeasibleError, match="'B' requires 'A'"):
        level(portfolio, limits=LIMITS)


def test_a_dependency_on_what_is_not_selected_cannot_be_kept():
    rows = [("A", "approved", 2, 0.1), ("X", "proposed", 1, 0.1)]
    portfolio = one_role(
        rows, dependencies=pd.DataFrame({"project": ["A"], "requires": ["X"]})
    )
    with pytest.raises(InfeasibleError, match="requires 'X', which cannot be selected"):
        level(portfolio, limits=LIMITS)


def test_strict_does_not_inherit():
    rows = [("R", "running", 4, 2.0, "2026-12"), ("A", "approved", 2, 0.5)]
    assert level(one_role(rows), limits=LIMITS).starts["A"] == 3
    with pytest.raises(InfeasibleError, match="Dev is short"):
        level(one_role(rows), limits=LIMITS, strict=True)


def test_bad_questions():
    portfolio = one_role([("A", "approved", 2, 1.0)])
    with pytest.raises(ConfigError, match="did you mean 'makespan'"):
        level(portfolio, objective="makespam")
    horizon = make_horizon("2027-01", 2, "M")
    empty = Portfolio(
        horizon=horizon, capacity=pd.DataFrame({"Dev": 1.0}, index=horizon)
    )
    with pytest.raises(DataError, match="no projects"):
        level(empty)


def test_no_plan_in_time_is_not_called_infeasible(monkeypatch):
    monkeypatch.setattr(search, "read_jobs", lambda *_a, **_k: None)
    monkeypatch.setattr(search, "greedy", lambda *_a, **_k: None)
    monkeypatch.setattr(
        search,
        "run_solver",
        lambda *_a, **_k: search.Found("no_solution", incumbents=[]),
    )
    with pytest.raises(SolverError, match="Allow more time") as error:
        level(one_role([("A", "approved", 2, 1.0)]), limits=LIMITS)
    assert error.value.status == "no_solution"


def test_ctrl_c_returns_the_best_schedule():
    rows = [(f"P{i:02d}", "approved", 1 + i % 4, 0.3 + i % 3 / 10) for i in range(40)]

    seen = []

    def interrupt(progress):
        seen.append(progress.objective)
        if len(seen) == 1:
            raise KeyboardInterrupt

    plan = level(one_role(rows, periods=60), limits=LIMITS, progress=interrupt)
    assert plan.violations.empty
    assert plan.report is not None
    assert plan.report.certified


def many(count: int) -> Portfolio:
    """Return more approved projects than can be tried out, on 9.5 developers."""
    rng = np.random.default_rng(4)
    rows = [
        (f"P{i:02d}", "approved", *rng.integers((1, 2), (5, 9)).tolist())
        for i in range(count)
    ]
    return one_role(rows, capacity=9.5, periods=60)


@pytest.mark.usefixtures("solver_dies")
def test_a_solver_that_dies_costs_nothing_but_the_proof():
    limits = SolveLimits(seconds=AMPLE, work=30)
    plan = level(many(30), objective="delay", limits=limits)
    assert plan.violations.empty
    assert plan.report is not None
    assert plan.report.status == "feasible"
    outcomes = {a["solver"]: a["outcome"] for a in plan.report.attempts}
    assert outcomes["HiGHS beside schedules"] == "crashed"


@pytest.mark.parametrize("objective", ["makespan", "delay"])
def test_the_same_work_gives_the_same_plan(objective):
    portfolio = many(8)
    limits = SolveLimits(seconds=AMPLE, work=30)
    plans = [
        level(portfolio, objective=objective, limits=limits, seed=2) for _ in range(2)
    ]
    assert plans[0].starts == plans[1].starts
    # The solver beside the schedules came to its own end.
    assert plans[0].report is not None
    outcomes = {a["solver"]: a["outcome"] for a in plans[0].report.attempts}
    assert outcomes["HiGHS beside schedules"] in ("ended", "infeasible")


# ------------------------------------------------------------------- enumeration


def opened(portfolio: Portfolio) -> Portfolio:
    """Return the levelled question, written a second time."""
    rows = portfolio.projects.to_dict("records")
    first, periods = portfolio.horizon[0].ordinal, len(portfolio.horizon)
    for row in rows:
        stays = row["status"] in ("approved", "running") or row["force"] == "in"
        if not stays and row["status"] not in ("done", "cancelled"):
            row["force"] = "out"
        alone = pd.isna(row["earliest"]) and pd.isna(row["latest"])
        planned = None if pd.isna(row["start"]) else row["start"].ordinal - first
        if row["status"] == "approved" and alone and planned in range(periods):
            row["earliest"] = row["start"]
    return portfolio.replace(projects=pd.DataFrame(rows))


def cost_of(portfolio: Portfolio, case: Case, starts: dict[str, int], kind: str):
    finish = {n: s + case.projects[n].duration for n, s in starts.items()}
    if kind == "makespan":
        return Fraction(max([0, *finish.values()]))
    rows = portfolio.projects.set_index("project")
    values = {n: rows["value"][n] for n in starts}
    positive = {n: exact(v) for n, v in values.items() if v > 0}
    least = min(positive.values(), default=Fraction(1))
    total = Fraction(0)
    for name in starts:
        planned = rows["start"][name]
        begin = min(case.projects[name].starts)
        if not pd.isna(planned):
            begin = planned.ordinal - portfolio.horizon[0].ordinal
        late = starts[name] - begin
        total += positive.get(name, least) * max(late, 0)
    return total


def best_level(portfolio: Portfolio, kind: str, strict: bool):
    """Return the least (cost, sum of starts) by trying everything, None if nothing."""
    case = read_case(portfolio)
    capacity, amounts = limits(case, strict)
    live = [p for p in case.projects.values() if p.state == "live"]
    assert all(p.must for p in live)
    used: Counter = Counter()
    spent = [Fraction(0)] * len(amounts)
    starts: dict[str, int] = {}
    best = None

    def choose(k: int) -> None:
        nonlocal best
        if k == len(live):
            key = cost_of(portfolio, case, starts, kind), sum(starts.values())
            if (best is None or key < best) and not _broken_logic(
                case, starts, strict=False
            ):
                best = key
            return
        for start in live[k].starts:
            load = loads(case, live[k].name, start)
            money = [costs(case, b, live[k].name, start) for b in case.budgets]
            fits = all(
                used[c] + x <= capacity[c] + TOLERANCE for c, x in load.items()
            ) and all(
                a is None or s + m <= a + TOLERANCE
                for a, s, m in zip(amounts, spent, money, strict=True)
            )
            if not fits:
                continue
            used.update(load)
            starts[live[k].name] = start
            spent[:] = [s + m for s, m in zip(spent, money, strict=True)]
            choose(k + 1)
            spent[:] = [s - m for s, m in zip(spent, money, strict=True)]
            del starts[live[k].name]
            used.subtract(load)

    choose(0)
    return best


def mostly_approved(rng: np.random.Generator) -> Portfolio:
    """Return a random portfolio in which most candidates are approved."""
    while True:
        portfolio = random_portfolio(rng)
        projects = portfolio.projects.copy()
        turned = (
            projects["status"].isin(["idea", "proposed", "paused"]).to_numpy(copy=True)
        )
        turned &= rng.random(len(projects)) < 0.75
        projects.loc[turned, "status"] = "approved"
        dropped = turned & (rng.random(len(projects)) < 0.5)
        projects.loc[dropped, "force"] = None
        portfolio = portfolio.replace(projects=projects)
        if has_errors(portfolio.check()):
            continue
        case = read_case(opened(portfolio))
        live = [p for p in case.projects.values() if p.state == "live"]
        if live and np.prod([float(max(len(p.starts), 1)) for p in live]) <= MOST:
            return portfolio


def agree(portfolio: Portfolio, kind: str, strict: bool) -> str:
    """Hold level against enumeration; return what came out."""
    question = opened(portfolio)
    best = best_level(question, kind, strict)
    if best is None:
        with pytest.raises(InfeasibleError, match="clash") as error:
            level(portfolio, objective=kind, limits=LIMITS, strict=strict)
        assert len(error.value.conflicts)
        return "infeasible"
    plan = level(portfolio, objective=kind, limits=LIMITS, strict=strict)
    report = plan.report
    assert report is not None
    assert report.objective == pytest.approx(float(best[0]), rel=1e-9)
    assert report.status == "optimal", report.attempts
    assert not broken_rules(question, plan.starts, strict=strict)
    assert plan.violations.empty
    assert sum(plan.starts.values()) <= best[1], report.attempts
    inner = levelled_question(portfolio.validate())
    assert measure_of(inner, plan.schedule, kind, strict=strict) == best[0]
    assert report.certificate is not None
    bound = level_bound(inner, report.certificate, strict=strict)
    assert bound is not None
    assert bound <= best[0]
    assert report.certified_bound == float(bound)
    kept = portfolio.projects.set_index("project")
    for name, row in plan.projects.set_index("project").iterrows():
        alone = pd.isna(kept["earliest"][name]) and pd.isna(kept["latest"][name])
        if row["status"] == "approved" and alone and name in plan.starts:
            assert pd.isna(row["moved"]) or row["moved"] >= 0
    return "feasible"


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_level_agrees_with_enumeration(chunk):
    rng = np.random.default_rng([27, chunk])
    seen: Counter = Counter()
    for number in range(5):
        portfolio = mostly_approved(rng)
        kind = ("makespan", "delay")[number % 2]
        seen[agree(portfolio, kind, strict=number % 5 == 0)] += 1
    assert seen["feasible"] >= 1


# --------------------------------------------------------------- published instances


@pytest.mark.parametrize("name", ["j301_1", "j3018_3", "j3031_5", "j3048_10"])
def test_published_optima(name):
    optimum = psplib_optima(real("psplib/j30opt.sm"))[name]
    portfolio = psplib_portfolio(real(f"psplib/j30/{name}.sm"))
    plan = level(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert plan.report is not None
    assert plan.report.objective == optimum
    assert pmo.check_plan(plan.portfolio, plan.schedule).certified


def test_the_bound_of_a_hard_instance():
    """The optimum is 58; links alone prove 34, links and work 47 and more."""
    portfolio = psplib_portfolio(real("psplib/j30/j3013_1.sm"))
    plan = level(portfolio, limits=SolveLimits(seconds=3), seed=1)
    assert plan.report is not None
    assert plan.report.status == "feasible"
    assert plan.report.certified_bound is not None
    assert 34 < plan.report.certified_bound <= plan.report.bound <= 58
    assert 58 <= plan.report.objective <= 61
