"""Rules of one's own: against enumeration in both writers, by hand, in certificates."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pulp
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import ConfigError, InfeasibleError, has_errors
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy, move_earlier
from pmo_analytics.optimization.levelling.level import level
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.pulp_sink import build_model
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.limiting import balance, limit_parallel
from tests.support.brute_force import best_plan, broken_rules, combinations
from tests.support.clock import AMPLE
from tests.support.counts import ALL, tried
from tests.support.instances_random import random_portfolio, with_random_rules

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


@cache
def drawn(seed: int, **size: int) -> Portfolio:
    rng = np.random.default_rng([seed, 19])
    while True:
        portfolio = with_random_rules(rng, random_portfolio(rng, **size))
        few = combinations(portfolio) <= 2000  # enumeration in a moment
        if few and not has_errors(portfolio.check()):
            return portfolio


@pytest.mark.parametrize("chunk", range(tried(2)))
def test_both_writers_agree_with_enumeration(chunk):
    """Without a process per model: many portfolios, both ways of writing them."""
    feasible, each = 0, 18 if ALL else 9
    for seed in range(chunk * each, chunk * each + each):
        portfolio = drawn(seed, max_projects=5, max_periods=6)
        strict = seed % 4 == 3
        compiled = compile_options(portfolio, strict=strict)
        options = compiled.options
        if compiled.contradictions or not len(options.project):
            continue
        wanted, _ = best_plan(portfolio, strict=strict)
        model, matrix = build_model(options), build_matrix(options)
        assert len(model.rows) == len(matrix.labels)
        assert set(model.rows) == set(matrix.labels)
        answer = highs.solve(matrix, options.worth, seconds=AMPLE)
        stats = model.problem.solve(pulp.HiGHS(msg=False))
        assert (answer.status == "optimal") == (wanted is not None)
        assert (stats.status == pulp.LpSolveStatus.Optimal) == (wanted is not None)
        if wanted is None:
            continue
        feasible += 1
        assert answer.objective == pytest.approx(float(wanted), rel=1e-6, abs=1e-6)
        assert stats.objective == pytest.approx(float(wanted), rel=1e-6, abs=1e-6)
        starts = compiled.starts_of(np.flatnonzero(answer.x > 0.5))
        plan = Plan.from_starts(portfolio, starts, strict=strict)
        assert plan.violations.empty, plan.violations["message"].tolist()
        assert check_plan(portfolio, plan.schedule, strict=strict).certified
    assert feasible > 2


def test_optimize_agrees_with_enumeration_and_proves_it():
    outcomes = []
    for seed in range(3000, 3006):
        portfolio = drawn(seed)
        strict = seed % 4 == 3
        wanted, _ = best_plan(portfolio, strict=strict)
        outcomes.append(wanted is not None)
        if wanted is None:
            with pytest.raises(InfeasibleError) as error:
                optimize(portfolio, limits=LIMITS, strict=strict)
            assert error.value.conflicts["message"].str.len().gt(10).all()
            continue
        report = optimize(portfolio, limits=LIMITS, strict=strict).report
        assert report is not None
        assert report.objective == pytest.approx(float(wanted), rel=1e-9, abs=1e-7)
        assert report.status == "optimal", report.attempts
        assert report.certificate is not None
        bound = check_bound(portfolio, report.certificate, strict=strict)
        assert bound is not None
        assert bound >= wanted - Fraction(1, 10**6)
    assert any(outcomes)


def test_the_three_judges_of_a_plan_agree():
    """Enumeration, `violations` and the exact checker name the same rules."""
    rng = np.random.default_rng(4)
    broken = 0
    for seed in range(tried(40)):
        portfolio = drawn(3000 + seed)
        compiled = compile_options(portfolio)
        for _ in range(8):
            starts = {
                name: int(rng.choice(own))
                for name, own in compiled.starts.items()
                if len(own) and rng.random() < 0.7
            }
            wanted = {
                text.removeprefix("rule ")
                for text in broken_rules(portfolio, starts)
                if text.startswith("rule ")
            }
            plan = Plan.from_starts(portfolio, starts)
            for table in (
                plan.violations,
                check_plan(portfolio, plan.schedule).violations,
            ):
                assert set(table.loc[table["rule"] == "rule", "subject"]) == wanted
            broken += len(wanted)
    assert broken > tried(40)


def test_a_bound_holds_whatever_the_multipliers_of_rules():
    rng = np.random.default_rng(8)
    held = 0
    for seed in range(tried(80)):
        portfolio = drawn(2000 + seed, max_projects=4, max_periods=5)
        wanted, _ = best_plan(portfolio)
        if wanted is None:
            continue
        rows: list[dict[str, Any]] = []
        for row in portfolio.rules.drop_duplicates("rule").to_dict("records"):
            for side in ("at_least", "at_most"):
                if pd.isna(row[side]):
                    continue
                entry = {"row": "rule", "rule": row["rule"], "side": side}
                if row["applies_to"] == "work":
                    rows += [
                        {**entry, "period": str(p.start_time.date())}
                        for p in portfolio.horizon
                    ]
                else:
                    rows.append(entry)
        for _ in range(6):
            entries = [{**e, "multiplier": int(rng.integers(0, 30)) / 8} for e in rows]
            certificate = {"format": 1, "strict": False, "multipliers": entries}
            bound = check_bound(portfolio, certificate)
            assert bound is not None
            assert bound >= wanted
            held += 1
    assert held > 20


def test_the_searches_offer_no_plan_that_breaks_a_rule():
    seen = 0
    for seed in range(tried(160)):
        portfolio = drawn(3000 + seed)
        compiled = compile_options(portfolio)
        start = greedy(compiled.options)
        if start is None or not len(start) or best_plan(portfolio)[0] is None:
            continue
        told = [start, move_earlier(compiled.options, start)]
        search = Search(compiled.options, start, seed, told.append, [])
        search.run_counted(1, float("inf"))
        for chosen in told:
            plan = Plan.from_starts(portfolio, compiled.starts_of(chosen))
            table = plan.violations
            assert "rule" not in set(table["rule"]), table["message"].tolist()
        seen += 1
    assert seen > 4


def company(**tables: Any) -> Portfolio:
    """Return four flat projects of three months, two sponsors, enough people."""
    horizon = make_horizon("2027-01", 6, "M")
    names = ["A", "B", "C", "D"]
    return Portfolio(
        "company",
        horizon=horizon,
        settings=Settings(discount=0.01),
        projects=pd.DataFrame(
            {
                "project": names,
                "value": [10.0, 8.0, 6.0, 4.0],
                "duration": 3,
                "sponsor": ["COO", "COO", "COO", "CIO"],
                "theme": ["Red", "Blue", "Blue", "Red"],
            }
        ),
        demand=pd.DataFrame(
            [
                {"project": n, "role": "Dev", "offset": k, "fte": 1.0}
                for n in names
                for k in range(3)
            ]
        ),
        spend=pd.DataFrame(
            {"project": names, "offset": 0, "amount": [60.0, 20.0, 10.0, 10.0]}
        ),
        capacity=pd.DataFrame({"Dev": 4.0}, index=horizon),
        **tables,
    )


def test_one_project_of_a_sponsor_at_a_time():
    plan = optimize(limit_parallel(company(), at_most=1), limits=LIMITS)
    # Two slots of three months for A, B and C: the two of most worth, A first.
    assert plan.starts == {"A": 0, "B": 3, "D": 0}
    assert plan.report is not None
    assert plan.report.status == "optimal"


def test_running_work_above_a_rule_is_inherited_and_not_added_to():
    portfolio = company()
    portfolio.projects["status"] = ["running", "running", "proposed", "proposed"]
    portfolio.projects["start"] = pd.PeriodIndex(
        ["2026-12", "2026-12", None, None], freq="M"
    )
    limited = limit_parallel(portfolio, at_most={"COO": 1})
    plan = optimize(limited, limits=LIMITS)
    assert plan.starts["C"] == 2
    assert plan.inherited["rule"].tolist() == ["rule", "rule"]
    check = check_plan(limited, plan.schedule)
    assert check.certified
    assert check.inherited["rule"].tolist() == ["rule", "rule"]
    with pytest.raises(InfeasibleError, match="parallel sponsor COO"):
        optimize(limited, limits=LIMITS, strict=True)


def test_a_theme_gets_at_most_its_share_of_the_spend():
    plan = optimize(balance(company(), "Red", at_most=0.4), limits=LIMITS)
    # A alone would be 60 of 100; without it Red has 10 of 40.
    assert set(plan.starts) == {"B", "C", "D"}
    plan = optimize(balance(company(), "Red", at_most=0.7), limits=LIMITS)
    assert set(plan.starts) == {"A", "B", "C", "D"}
    by_value = balance(company(), "Blue", of="value", at_least=0.6)
    chosen = set(optimize(by_value, limits=LIMITS).starts)
    # 14 of Blue; with A 14 of 24, with D 14 of 18.
    assert chosen == {"B", "C", "D"}


def test_helpers_say_what_is_wrong():
    with pytest.raises(ConfigError, match="did you mean 'sponsor'"):
        limit_parallel(company(), "sponsr", at_most=1)
    with pytest.raises(ConfigError, match="did you mean 'COO'"):
        limit_parallel(company(), at_most={"CO0": 1})
    with pytest.raises(ConfigError, match="theme 'Green'"):
        balance(company(), "Green", at_most=0.5)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        balance(company(), "Red", at_most=40)
    with pytest.raises(ConfigError, match="spend or of value"):
        balance(company(), "Red", of="cost", at_most=0.5)


def test_the_same_rule_made_twice_is_there_once():
    once = limit_parallel(company(), at_most=2)
    again = limit_parallel(once, at_most=1)
    assert len(again.rules) == len(once.rules)
    assert set(again.rules["at_most"]) == {1.0}


def test_a_rule_with_a_negative_weight_makes_one_follow_from_others():
    """D only beside two of A, B and C: 2 D - A - B - C <= 0."""
    rows = [
        {"rule": "two for one", "project": n, "weight": w, "at_most": 0.0}
        for n, w in (("A", -1), ("B", -1), ("C", -1), ("D", 2))
    ]
    portfolio = company(rules=pd.DataFrame(rows))
    portfolio.projects["value"] = [1.0, -3.0, -4.0, 20.0]
    plan = optimize(portfolio, limits=LIMITS)
    assert set(plan.starts) == {"A", "B", "D"}


def test_what_must_be_done_and_a_rule_that_forbids_it():
    portfolio = limit_parallel(company(), at_most=1)
    portfolio.projects["force"] = "in"
    with pytest.raises(InfeasibleError, match="Rule 'parallel sponsor COO'") as error:
        optimize(portfolio, limits=LIMITS)
    assert set(error.value.conflicts["rule"]) == {"rule"}


def test_levelling_keeps_work_in_parallel_within_its_rule():
    portfolio = company()
    portfolio.projects["status"] = "approved"
    portfolio.projects["start"] = pd.PeriodIndex(["2027-01"] * 4, freq="M")
    portfolio = portfolio.replace(
        projects=portfolio.projects[portfolio.projects["project"] != "C"],
        demand=portfolio.demand[portfolio.demand["project"] != "C"],
        spend=portfolio.spend[portfolio.spend["project"] != "C"],
    )
    plan = level(limit_parallel(portfolio, at_most=1), limits=LIMITS)
    assert sorted([plan.starts["A"], plan.starts["B"]]) == [0, 3]


@pytest.mark.parametrize(
    ("rows", "rule", "severity"),
    [
        ([("r", "Z", 1, "work", None, 1)], "unknown_project", "error"),
        (
            [("r", "A", 1, "work", None, 1), ("r", "B", 1, "work", None, 2)],
            "rule_contradiction",
            "error",
        ),
        ([("r", "A", 1, "work", 2, 1)], "rule_contradiction", "error"),
        ([("r", "A", 1, "work", None, None)], "rule_without_limit", "warning"),
        ([("r", "A", 1, "start", None, 1)], "not_a_choice", "error"),
        ([("r", "A", 1, None, None, 1)] * 2, "duplicate_key", "error"),
    ],
)
def test_rules_that_cannot_be_used_are_named(rows, rule, severity):
    columns = ["rule", "project", "weight", "applies_to", "at_least", "at_most"]
    problems = company(rules=pd.DataFrame(rows, columns=columns)).check()
    found = problems[problems["rule"] == rule]
    assert len(found), problems
    assert set(found["severity"]) == {severity}
    assert set(found["table"]) == {"rules"}


def test_filter_keeps_what_a_rule_still_says():
    rows = [
        ("x", n, w, "selected", 1, 2) for n, w in zip("ABC", (1, 1, 1), strict=True)
    ]
    rows += [
        ("y", n, w, "selected", None, 0) for n, w in zip("ABC", (1, 1, -1), strict=True)
    ]
    columns = ["rule", "project", "weight", "applies_to", "at_least", "at_most"]
    portfolio = company(rules=pd.DataFrame(rows, columns=columns))
    fewer = portfolio.filter(project=["A", "B", "D"]).rules
    assert fewer["rule"].tolist() == ["x", "x"]
    assert fewer["at_least"].isna().all()
    assert fewer["at_most"].tolist() == [2.0, 2.0]
    same = portfolio.filter(project=["A", "B", "C"]).rules
    assert len(same) == 6


def test_no_rules_leave_the_digest_as_it_was():
    portfolio = company()
    assert portfolio.rules.empty
    assert portfolio.digest() != limit_parallel(portfolio, at_most=1).digest()
