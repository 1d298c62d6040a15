"""Why no plan exists: clashes worked out by hand, and minimal by brute force."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import SolverError
from pmo_analytics.optimization.explaining.infeasible import why_infeasible
from pmo_analytics.optimization.explaining.rulebook import read_rulebook
from pmo_analytics.optimization.jobs import (
    ClashJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    Clashing,
)
from pmo_analytics.optimization.workers import infeasible_subset
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.workload import limits
from tests.support.brute_force import best_plan, combinations, exact
from tests.support.clashes import only
from tests.support.clock import AMPLE
from tests.support.instances_random import random_portfolio, with_random_rules

pytestmark = pytest.mark.usefixtures("warm_module")


def portfolio_of(projects: str, *, periods: int = 3, **tables) -> Portfolio:
    """Return a portfolio whose projects are written `name value duration force`."""
    rows = [line.split() for line in projects.splitlines() if line.strip()]
    frame = pd.DataFrame(rows, columns=["project", "value", "duration", "force"])
    frame = frame.astype({"value": float, "duration": int})
    frame["force"] = frame["force"].where(frame["force"] != "-")
    return Portfolio(
        "by hand",
        horizon=make_horizon("2027-01", periods, "M"),
        projects=frame.assign(**tables.pop("more", {})),
        **tables,
    )


def analysts(periods: int = 1) -> Portfolio:
    """Three projects need the one Marketing Analyst each; two exist."""
    horizon = make_horizon("2027-01", periods, "M")
    return portfolio_of(
        "X 1 1 in\nY 1 1 in\nZ 1 1 in",
        periods=periods,
        demand=pd.DataFrame(
            {"project": list("XYZ"), "role": "Analyst", "offset": 0, "fte": 1.0}
        ),
        capacity=pd.DataFrame({"Analyst": 2.0}, index=horizon),
    )


def test_three_projects_need_three_analysts_and_there_are_two():
    why = why_infeasible(analysts(), limits=SolveLimits(seconds=AMPLE), strict=True)
    assert why.status == "infeasible"
    assert why.minimal
    found = set(zip(why.rules["rule"], why.rules["subject"], strict=True))
    assert found == {("capacity", "Analyst"), *(("must", p) for p in "XYZ")}
    assert why.rules["limit"].dropna().tolist() == [2.0]
    (repair,) = why.repair.to_dict("records")
    assert (repair["subject"], repair["period"]) == ("Analyst", "2027-01")
    assert repair["amount"] == pytest.approx(1.0)
    text = str(why)
    assert "These 4 rules cannot hold together" in text
    assert "Analyst has 2 FTE in 2027-01; 'X' needs 1 FTE, 'Y' needs 1 FTE" in text
    assert "Add 1 FTE in 2027-01 to Analyst." in text


def test_with_two_months_they_follow_each_other_and_a_plan_is_shown():
    why = why_infeasible(analysts(2), limits=SolveLimits(seconds=AMPLE))
    assert why.status == "feasible"
    assert not why.minimal
    assert why.plan is not None
    assert len(why.plan.starts) == 3
    assert why.plan.violations.empty
    assert str(why) == "Nothing clashes: a plan exists that keeps every rule."


def test_overloads_of_work_that_cannot_be_moved_are_said():
    why = why_infeasible(analysts(), limits=SolveLimits(seconds=AMPLE))
    assert why.status == "feasible"
    assert "1 limit is exceeded by work that cannot be moved" in str(why)


def test_a_budget_of_500_against_400_and_300():
    portfolio = portfolio_of(
        "A 1000 1 in\nB 400 1 in\nC 400 1 -",
        spend=pd.DataFrame(
            {"project": list("ABC"), "offset": 0, "amount": [400.0, 300.0, 200.0]}
        ),
        budget=pd.DataFrame({"budget": ["Total"], "amount": [500.0]}),
    )
    why = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert why.minimal
    assert set(why.rules["rule"]) == {"budget", "must"}
    assert "Budget 'Total' allows at most 500." in str(why)
    assert "Raise budget 'Total' by 200." in str(why)


def test_a_deadline_that_comes_before_what_is_waited_for():
    portfolio = portfolio_of(
        "A 1 2 in\nB 1 2 in",
        periods=6,
        more={"deadline": [None, "2027-03"]},
        demand=pd.DataFrame(
            {"project": list("AB"), "role": "Dev", "offset": 0, "fte": 0.1}
        ),
        capacity=pd.DataFrame({"Dev": 1.0}, index=make_horizon("2027-01", 6, "M")),
        dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"]}),
    )
    why = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert why.minimal
    # That A is forced in says nothing more: B asks for it.
    assert list(why.rules["rule"]) == ["deadline", "dependency", "must"]
    assert "'B' must end by 2027-03 (deadline)." in str(why)
    assert "'B' must not start before 'A' ends." in str(why)


def test_who_is_out_and_needed():
    portfolio = portfolio_of(
        "A 1 1 out\nB 1 1 in",
        more={"force_reason": ["no money", None]},
        demand=pd.DataFrame(
            {"project": list("AB"), "role": "Dev", "offset": 0, "fte": 0.1}
        ),
        capacity=pd.DataFrame({"Dev": 1.0}, index=make_horizon("2027-01", 3, "M")),
        dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"]}),
    )
    why = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert list(why.rules["rule"]) == ["out", "dependency", "must"]
    assert "'A' is forced out: no money." in str(why)
    assert why.minimal


def test_a_solver_that_dies_is_an_error(solver_dies):
    with pytest.raises(SolverError, match="HiGHS"):
        why_infeasible(analysts(), limits=SolveLimits(seconds=AMPLE))


def clash_of(book) -> list[int]:
    """Return the rules of the clash that the filter finds in this process."""
    told = []
    infeasible_subset.find_clash(
        book.wide.options,
        ClashJob(seconds=AMPLE, facts=book.facts(), units=book.units()),
        time.monotonic() + AMPLE,
        told.append,
    )
    assert isinstance(told[-1], Clashing)
    assert not told[-1].unsure
    return [k for unit in told[-1].need for k in unit]


def infeasible_portfolios(seed: int, count: int, *, with_rules: bool = False):
    rng = np.random.default_rng(seed)
    while count:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5).validate()
        if with_rules:
            if best_plan(portfolio)[0] is None:
                continue
            portfolio = with_random_rules(rng, portfolio).validate()
            if (limits(portfolio).inherited["rule"] == "rule").any():
                continue
        if best_plan(portfolio)[0] is None:
            count -= 1
            yield portfolio


@pytest.mark.parametrize("with_rules", [False, True])
def test_without_any_one_rule_the_others_have_a_plan(with_rules):
    sizes, kinds = [], set()
    seed = 11 if with_rules else 16
    for portfolio in infeasible_portfolios(seed, 3, with_rules=with_rules):
        book = read_rulebook(portfolio)
        found = clash_of(book)
        kept = only(book, found)
        assert best_plan(kept, strict=True) == (None, None)
        for rule in found:
            others = only(book, [k for k in found if k != rule])
            if combinations(others) <= 20_000:
                assert best_plan(others, strict=True)[0] is not None, book.rules[rule]
        sizes.append(len(found))
        kinds |= {book.rules[k].kind for k in found}
    assert max(sizes) > (1 if with_rules else 2)
    assert ("rule" in kinds) is with_rules


def test_the_repair_makes_a_plan_possible():
    kinds = set()
    for portfolio in infeasible_portfolios(5, 3):
        book = read_rulebook(portfolio)
        why = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE))
        assert why.status == "infeasible"
        assert len(why.repair)
        limits = ("capacity", "budget", "budget_at_least")
        gone = {
            (row.rule, row.subject)
            for row in why.repair.itertuples()
            if row.rule not in limits
        }
        case = only(
            book,
            [k for k, r in enumerate(book.rules) if (r.kind, r.subject) not in gone],
        )
        names = portfolio.budget["budget"].tolist()
        for row in why.repair.itertuples():
            kinds.add(row.rule)
            more = exact(row.amount) + exact(0.01 if row.rule != "capacity" else 0)
            if row.rule == "capacity":
                period = portfolio.horizon.get_loc(
                    pd.Period(row.period, portfolio.freq)
                )
                case.capacity[row.subject, int(period)] += more
            elif row.rule == "budget":
                case.budgets[names.index(row.subject)]["amount"] += more
            elif row.rule == "budget_at_least":
                case.budgets[names.index(row.subject)]["at_least"] -= more
        assert best_plan(case, strict=True)[0] is not None
    assert len(kinds) > 1


class Oracle:
    """Rules that clash as soon as one of some sets is complete."""

    def __init__(self, sets: list[set[int]], count: int, silent: set[int]) -> None:
        self.sets, self.rules, self.silent = sets, count, silent
        self.asked = 0

    def active(self, kept: list[int]) -> np.ndarray:
        mask = np.zeros(self.rules, dtype=bool)
        mask[kept] = True
        return mask

    def check(self, active: np.ndarray, seconds: float) -> tuple[str, None]:
        self.asked += 1
        kept = set(np.flatnonzero(active).tolist())
        if any(own <= kept for own in self.sets):
            return infeasible_subset.INFEASIBLE, None
        missing = set(range(self.rules)) - kept
        return (
            infeasible_subset.UNKNOWN
            if missing & self.silent
            else infeasible_subset.FEASIBLE
        ), None


@pytest.mark.parametrize("seed", range(20))
def test_the_filter_leaves_a_set_from_which_nothing_can_be_taken(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 60))
    sets = [
        set(rng.choice(count, int(rng.integers(1, 6)), replace=True).tolist())
        for _ in range(3)
    ]
    oracle = Oracle(sets, count, set())
    search = infeasible_subset.Filter(
        oracle, time.monotonic() + AMPLE, lambda *_, **__: None
    )
    need, unsure = search.run([[k] for k in range(count)], [], [])
    found = {k for unit in need for k in unit}
    assert not unsure
    assert found in sets
    assert not any(own < found for own in sets)


def test_what_is_not_answered_is_not_called_proved():
    oracle = Oracle([{1, 4, 7}], 10, silent={4})
    search = infeasible_subset.Filter(
        oracle, time.monotonic() + AMPLE, lambda *_, **__: None
    )
    need, unsure = search.run([[k] for k in range(10)], [], [])
    assert sorted(need) == [[1], [7]]
    assert unsure == [[4]]


def test_the_months_of_a_role_are_told_apart_or_stay_together():
    oracle = Oracle([{0, 2, 3}], 4, set())
    search = infeasible_subset.Filter(
        oracle, time.monotonic() + AMPLE, lambda *_, **__: None
    )
    need, unsure = search.run([[0], [1, 2, 3]], [], [])
    assert (need, unsure) == ([[0], [1, 2, 3]], [])
    assert search.refine(need[1], need, unsure) == ([[0], [2], [3]], [])
    late = infeasible_subset.Filter(oracle, 0.0, lambda *_, **__: None)
    assert late.refine(need[1], need, unsure) == ([[0], [1, 2, 3]], [])


def test_when_time_is_up_the_rest_is_not_proved():
    search = infeasible_subset.Filter(
        Oracle([{1}], 3, set()), 0.0, lambda *_, **__: None
    )
    assert search.run([[0], [1]], [[2]], []) == ([[2]], [[0], [1]])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize(
    ("side", "limit", "wanted"),
    [
        ("amount", 7.0, "infeasible"),
        ("amount", 8.0, "feasible"),
        ("amount", 4.0, "infeasible"),
        ("at_least", 9.0, "infeasible"),
        ("at_least", 8.0, "feasible"),
    ],
)
def test_money_clashes_by_the_limit_in_force(scale, side, limit, wanted):
    # Both are in and cost 4 each: a limit of 7 is no near miss, though less than one
    # step of 4 below.
    portfolio = portfolio_of(
        "A 1 1 in\nB 1 1 in",
        spend=pd.DataFrame({"project": list("AB"), "offset": 0, "amount": 4.0 * scale}),
        budget=pd.DataFrame({"budget": ["Total"], side: [limit * scale]}),
    )
    book = read_rulebook(portfolio, strict=True)
    search = infeasible_subset.Clash(book.wide.options, book.facts())
    verdict, _ = search.check(np.ones(search.rules, dtype=bool), 5.0)
    assert verdict == wanted
