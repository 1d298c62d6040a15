"""At most so many different themes at work: by hand, against enumeration, explained."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pandas as pd
import pulp
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import ConfigError, InfeasibleError, has_errors
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.explaining.infeasible import why_infeasible
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.greedy import greedy, move_earlier
from pmo_analytics.optimization.heuristics.partial_diving import Rebuilder
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.levelling.level import level
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix, holds
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.pulp_sink import build_model
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.limiting import limit_themes
from tests.support.brute_force import (
    best_plan,
    broken_rules,
    combinations,
    read_case,
)
from tests.support.clock import AMPLE
from tests.support.counts import ALL, tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def company(themes: str, periods: int = 4, **columns: list[object]) -> Portfolio:
    """Return projects of two months, one letter a theme, that need nobody."""
    names = [f"P{k}" for k in range(len(themes))]
    table = {
        "project": names,
        "value": [10.0 * (k + 1) for k in range(len(names))],
        "duration": [2] * len(names),
        "theme": [None if t == "-" else t for t in themes],
    }
    spend = pd.DataFrame(
        {"project": names, "offset": 0, "amount": 1.0, "fund": "x", "category": "y"}
    )
    return Portfolio(
        projects=pd.DataFrame({**table, **columns}),
        spend=spend,
        horizon=make_horizon("2027-01", periods, "M"),
        settings=Settings(),
    )


def themes_at_work(portfolio: Portfolio, starts: dict[str, int]) -> int:
    """Return the most different themes at work in a period."""
    return _themes_at_work(*_of_themes(portfolio), starts)


def _of_themes(portfolio: Portfolio) -> tuple[dict[str, tuple[str, int]], int]:
    """Return theme and duration of each project that counts, and the periods."""
    own = set(portfolio.rules["project"])
    columns = (portfolio.projects[c] for c in ("project", "theme", "duration"))
    facts = {
        name: (theme, int(duration))
        for name, theme, duration in zip(*columns, strict=True)
        if name in own and not pd.isna(theme)
    }
    return facts, len(portfolio.horizon)


def _themes_at_work(
    facts: dict[str, tuple[str, int]], periods: int, starts: dict[str, int]
) -> int:
    work: dict[int, set[str]] = {}
    for name, start in starts.items():
        if name not in facts:
            continue
        theme, duration = facts[name]
        for t in range(start, start + duration):
            if 0 <= t < periods:
                work.setdefault(t, set()).add(theme)
    return max(map(len, work.values()), default=0)


# How many draws of the first seeds are refused: to look takes longer than to ask.
_REFUSED = dict(enumerate([3, 2, 13, 2, 13, 1, 5, 18]))


@cache
def drawn(seed: int, **size: int) -> Portfolio:
    """Return a small portfolio with every other rule, whose themes are limited."""
    for draw in itertools.count(_REFUSED.get(seed, 0)):
        rng = np.random.default_rng([seed, 77, draw])
        portfolio = random_portfolio(rng, **size)
        themes = rng.choice(["A", "B", "C", "D"], len(portfolio.projects))
        # Blackouts of themes that nobody has any more leave more to choose.
        if combinations(portfolio) > 1500:
            continue
        projects = portfolio.projects.assign(theme=themes)
        portfolio = portfolio.replace(projects=projects)
        case = read_case(portfolio)
        # Most are refused: first by what is cheap to see.
        if combinations(case) > 1500 or any(p.fixed for p in case.projects.values()):
            continue
        if all(p.state != "live" for p in case.projects.values()):
            continue
        limited = limit_themes(portfolio, at_most=1 + seed % 4 // 3)
        compiled = compile_options(limited)
        if not compiled.names or not len(compiled.options.counts):
            continue
        if not has_errors(portfolio.check()):
            return limited
    raise AssertionError


def enumerated(portfolio: Portfolio) -> float | None:
    """Return the best worth of all starts and refusals, the themes counted here."""
    free = portfolio.replace(rules=None)
    compiled = compile_options(free)
    o, case, facts = compiled.options, read_case(free), _of_themes(portfolio)
    choices = [[None, *range(o.first[p], o.first[p + 1])] for p in range(len(o.must))]
    at_most = portfolio.rules["at_most"].iat[0]
    best = None
    for choice in itertools.product(*choices):
        chosen = np.array([k for k in choice if k is not None], dtype=np.int64)
        worth = math.fsum(o.worth[chosen])
        if best is not None and worth <= best:
            continue
        starts = compiled.starts_of(chosen)
        if _themes_at_work(*facts, starts) > at_most:
            continue
        if not broken_rules(case, starts):
            best = worth
    return best


def test_two_themes_take_turns():
    """By hand: with one theme at a time A's two projects leave two months for C's."""
    portfolio = limit_themes(company("ABAC"), at_most=1)
    compiled = compile_options(portfolio)
    matrix = build_matrix(compiled.options)
    answer = highs.solve(matrix, compiled.options.gains(), seconds=AMPLE)
    # P0 and P2 (10 + 30) in two months, P3 (40) in the other two; P1 would be a third.
    assert answer.objective == pytest.approx(80.0)
    assert len(compiled.options.counts) == 4
    free = limit_themes(company("ABAC"), at_most=3)
    assert not len(compile_options(free).options.counts)


def test_projects_without_theme_and_outside_the_rule_do_not_count():
    portfolio = limit_themes(company("AB-"), at_most=1)
    assert portfolio.rules["project"].tolist() == ["P0", "P1"]
    rules = portfolio.rules
    loose = portfolio.replace(rules=rules[rules["project"] == "P0"])
    for some, broken in ((portfolio, 2), (loose, 0)):
        plan = Plan.from_starts(some, {"P0": 0, "P1": 0, "P2": 0})
        assert len(plan.violations) == broken
        checked = check_plan(some, plan.schedule)
        assert len(checked.violations) == broken


def test_models_and_searches_agree_with_enumeration():
    told: list[np.ndarray] = []
    tight = 0
    for seed in range(32 if ALL else 8):
        portfolio = drawn(seed, max_projects=4, max_periods=5)
        wanted = enumerated(portfolio)
        compiled = compile_options(portfolio)
        o = compiled.options
        if compiled.contradictions or not len(o.project):
            continue
        matrix, model = build_matrix(o), build_model(o)
        answer = highs.solve(matrix, o.gains(), seconds=AMPLE)
        stats = model.problem.solve(pulp.HiGHS(msg=False))
        assert (answer.x is None) == (wanted is None) == (not stats.has_solution)
        start = greedy(o)
        if wanted is None or answer.x is None:
            assert start is None
            continue
        free = best_plan(portfolio.replace(rules=None))[0]
        tight += free is not None and float(free) > wanted + 1e-9
        assert answer.objective == pytest.approx(wanted)
        assert stats.objective == pytest.approx(wanted)
        exact = check_bound(portfolio, {"strict": False, "format": 3})
        assert exact is not None
        assert float(exact) >= wanted - 1e-9
        told[:] = [np.flatnonzero(answer.x > 0.5)]
        if start is not None:
            told += [start, move_earlier(o, start)]
            search = Search(o, start, seed, told.append, [])
            search.run_counted(1, math.inf)
        for chosen in told:
            plan = Plan.from_starts(portfolio, compiled.starts_of(chosen))
            assert plan.violations.empty
            assert check_plan(portfolio, plan.schedule).certified
    assert tight >= 2


@pytest.fixture(scope="module")
def middle() -> Portfolio:
    """Return thirty projects of five themes, two of them at work at a time."""
    themes = "ABCDE" * 6
    lengths = [1 + k % 4 for k in range(30)]
    return limit_themes(company(themes, 9, duration=list(lengths)), at_most=2)


def test_dives_and_repacking_keep_it(middle):
    o = compile_options(middle).options
    matrix = build_matrix(o)
    start = greedy(o)
    assert start is not None
    rng = np.random.default_rng(3)
    ruiner = Ruiner(o, start, rng)
    for _ in range(60):
        ruiner.rounds()
        assert holds(matrix, ruiner.best)
        # What is counted as it goes is what counting anew gives.
        placed = ruiner.chosen()
        again = o.counts.held(placed, len(o.project))
        assert (again == ruiner.state.holding).all()
        assert o.counts.hold(placed, len(o.project))
    diver = Diver(o, matrix, 1)
    assert diver.begin(AMPLE)
    rebuilder = Rebuilder(matrix, diver, rng)
    made = [rebuilder.round(start, ruiner, math.inf) for _ in range(6)]
    assert all(plan is None or holds(matrix, plan) for plan in made)
    assert any(plan is not None for plan in made)


def test_a_plan_is_optimal_and_its_bound_holds():
    portfolio = limit_themes(company("ABACB"), at_most=1)
    plan = optimize(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert themes_at_work(portfolio, plan.starts) == 1
    report = plan.report
    assert report is not None
    assert report.certified
    exact = check_bound(portfolio, report.certificate)
    assert exact is not None
    assert float(exact) >= plan.objective


def test_running_work_of_more_themes_is_the_limit():
    portfolio = company("ABC", status=["running", "running", "proposed"])
    projects = portfolio.projects.assign(start=["2027-01", "2027-02", None])
    portfolio = limit_themes(portfolio.replace(projects=projects), at_most=1)
    starts = {"P0": 0, "P1": 1}
    plan = Plan.from_starts(portfolio, starts)
    assert plan.violations.empty
    checked = check_plan(portfolio, plan.schedule)
    assert checked.certified
    assert checked.inherited["rule"].tolist() == ["rule"]
    assert checked.inherited["use"].tolist() == [2.0]
    worse = Plan.from_starts(portfolio, {**starts, "P2": 1})
    assert not worse.violations.empty
    assert not check_plan(portfolio, worse.schedule).certified


def test_what_cannot_be_is_explained_by_the_rule():
    """Two forced projects of two months in three: they are together in the second."""
    portfolio = limit_themes(company("AB", 3, force=["in", "in"]), at_most=1)
    with pytest.raises(InfeasibleError) as caught:
        optimize(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert "rule" in set(caught.value.conflicts["rule"])
    why = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert set(why.rules["rule"]) == {"rule", "must"}
    assert "allows at most 1 different themes at work in every period" in str(why)
    assert "Loosen rule 'themes in parallel' by 1" in str(why)


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"at_least": 1.0}, "leave its at_least blank"),
        ({"at_most": 1.5}, "give a whole number"),
        ({"weight": 2.0}, "leave the weights blank"),
    ],
)
def test_what_a_rule_on_themes_cannot_mean_is_said(changes, fix):
    portfolio = limit_themes(company("AB"), at_most=1)
    rules = portfolio.rules.assign(**changes)
    problems = portfolio.replace(rules=rules).check()
    assert problems["fix"].str.contains(fix).any()
    assert has_errors(problems)


def test_any_prices_of_themes_prove_a_bound_that_holds():
    """By hand, then with prices drawn at random against enumeration."""
    # Both are worth 10 + 20; two months in two: 30, and one theme pays 30 at most.
    portfolio = limit_themes(company("AB", 2), at_most=1)
    entry = {"row": "themes", "rule": "themes in parallel", "period": "2027-01"}
    dear = [("P0", 10), ("P1", 20)]
    entries = [{**entry, "project": p, "multiplier": u} for p, u in dear]
    given = {"format": 3, "strict": False}
    assert check_bound(portfolio, {**given, "multipliers": []}) == 30
    assert check_bound(portfolio, {**given, "multipliers": entries}) == 20
    rng = np.random.default_rng(8)
    for seed in range(tried(12)):
        portfolio = drawn(seed, max_projects=4, max_periods=5)
        wanted = enumerated(portfolio)
        for _ in range(8 if wanted is not None else 0):
            entries = [
                {**entry, "project": p, "period": str(t.start_time.date())}
                for p in portfolio.rules["project"]
                for t in portfolio.horizon
            ]
            priced = [{**e, "multiplier": int(rng.integers(9)) / 2} for e in entries]
            bound = check_bound(portfolio, {**given, "multipliers": priced})
            assert bound is not None
            assert float(bound) >= wanted - 1e-9


def test_a_certificate_names_projects_that_their_theme_pays_for():
    portfolio = limit_themes(company("ABACB"), at_most=1)
    plan = optimize(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert plan.report is not None
    rows = {row["row"] for row in plan.report.certificate["multipliers"]}
    assert rows == {"themes"}
    assert plan.report.certified_bound < portfolio.projects["value"].sum()


def test_a_count_has_no_sum_to_be_priced():
    portfolio = limit_themes(company("AB"), at_most=1)
    entry = {"row": "rule", "rule": "themes in parallel", "side": "at_most"}
    entry |= {"period": "2027-01", "multiplier": 1}
    with pytest.raises(ConfigError, match="counts themes: its row is 'themes'"):
        check_bound(portfolio, {"format": 3, "strict": False, "multipliers": [entry]})


def test_levelling_keeps_it():
    """By hand: three projects of two months, one theme at a time, in six months."""
    portfolio = limit_themes(company("ABC", 6, force=["in"] * 3), at_most=1)
    levelled = level(portfolio, limits=SolveLimits(seconds=AMPLE))
    assert themes_at_work(portfolio, levelled.starts) == 1
    assert levelled.violations.empty
