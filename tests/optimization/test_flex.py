"""Capacity that is bought: against enumeration, by hand, and against tampering."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import pulp
import pytest
from scipy.optimize import linprog

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import ConfigError, DataError, InfeasibleError, has_errors
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization import optimizing
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import bound_of_prices, build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.pulp_sink import build_model
from pmo_analytics.optimization.model.purchasing import cheapest, value_of
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.purchases import purchase_sentences
from tests.support import brute_force
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)
HOURS = {"W": 40.0, "M": 173.925, "Q": 521.775, "Y": 2087.1}


def with_offers(rng: np.random.Generator) -> Portfolio:
    """Return a tiny random portfolio, most often one where buying pays."""
    anything = rng.random() < 0.25
    while True:
        portfolio = draw_offers(rng)
        if anything or _optimum(portfolio, True) != _optimum(portfolio, False):
            return portfolio


def _optimum(portfolio: Portfolio, flex: bool) -> float:
    options = compile_options(portfolio, flex=flex).options
    if not len(options.project):
        return 0.0
    answer = highs.solve(
        build_matrix(options),
        options.gains(),
        seconds=AMPLE,
        binaries=len(options.project),
    )
    return round(answer.objective, 6)


def draw_offers(rng: np.random.Generator) -> Portfolio:
    """Return a tiny random portfolio with little capacity and offers of more."""
    while True:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5)
        horizon = portfolio.horizon
        hours = HOURS[portfolio.freq[0]]
        rows = []
        for _ in range(int(rng.integers(2, 6))):
            start, end = sorted(rng.integers(-1, len(horizon) + 1, 2).tolist())
            rows.append(
                {
                    "role": str(rng.choice(portfolio.capacity.columns)),
                    "kind": str(rng.choice(["overtime", "contractor", "hire"])),
                    "start": horizon[0] + start if rng.random() < 0.35 else None,
                    "end": horizon[0] + end if rng.random() < 0.35 else None,
                    "fte_max": float(rng.choice([0.5, 1.0, 1.5, 2.0, 4.0])),
                    "rate": round(float(rng.uniform(0.05, 3.0)) / hours, 6),
                    "lead": int(rng.integers(0, 3)) if rng.random() < 0.5 else None,
                }
            )
        # Neither capacity nor offers change what can be chosen.
        if brute_force.combinations(portfolio) > 600:
            continue
        portfolio = portfolio.replace(
            capacity=(portfolio.capacity * 0.4).round(4), flex=pd.DataFrame(rows)
        )
        if not has_errors(portfolio.check()):
            return portfolio


def purchase_cost(
    portfolio: Portfolio, short: dict[tuple[str, int], float]
) -> float | None:
    """Return the least cost of covering shortages, with people on board per period."""
    periods = len(portfolio.horizon)
    first = portfolio.horizon[0]
    hours = HOURS[portfolio.freq[0]]
    costs: list[float] = []
    bounds: list[tuple[float, float]] = []
    covers: dict[tuple[str, int], list[int]] = {}
    stays: list[tuple[int, int]] = []
    for row in portfolio.flex.to_dict("records"):
        begin = 0 if pd.isna(row["start"]) else (row["start"] - first).n
        begin = max(begin, 0, 0 if pd.isna(row["lead"]) else int(row["lead"]))
        end = periods - 1 if pd.isna(row["end"]) else (row["end"] - first).n
        before = None
        for t in range(begin, min(end, periods - 1) + 1):
            factor = (1 + portfolio.settings.discount) ** -t
            costs.append(row["rate"] * hours * factor)
            bounds.append((0.0, row["fte_max"]))
            covers.setdefault((row["role"], t), []).append(len(costs) - 1)
            if row["kind"] == "hire":
                if before is not None:
                    stays.append((before, len(costs) - 1))
                before = len(costs) - 1
    if not short:
        return 0.0
    if not costs:
        return None
    a, b = [], []
    for cell, amount in short.items():
        line = np.zeros(len(costs))
        line[covers.get(cell, [])] = -1.0
        a.append(line)
        b.append(-amount)
    for before, after in stays:
        line = np.zeros(len(costs))
        line[before], line[after] = 1.0, -1.0
        a.append(line)
        b.append(0.0)
    answer = linprog(costs, A_ub=np.array(a), b_ub=b, bounds=bounds)
    return float(answer.fun) if answer.status == 0 else None


def enumerated(portfolio: Portfolio, *, strict: bool) -> float | None:
    """Return the best worth less purchases over all choices, the worthiest first.

    Purchases only cost: what is worth no more than the best so far cannot pass it.
    """
    case = brute_force.read_case(portfolio)
    limits, _ = brute_force.limits(case, strict)
    live = [p for p in case.projects.values() if p.state == "live"]
    worth = {
        (p.name, s): brute_force.worth(case, p.name, s) for p in live for s in p.starts
    }
    choices = []
    for picks in product(*([*p.starts, *([] if p.must else [None])] for p in live)):
        starts = {p.name: s for p, s in zip(live, picks, strict=True) if s is not None}
        choices.append((float(sum(worth[way] for way in starts.items())), starts))
    best = None
    for value, starts in sorted(choices, key=lambda choice: -choice[0]):
        if best is not None and value <= best:
            break
        broken = brute_force.broken_rules(case, starts, strict=strict)
        if any(not text.startswith("capacity") for text in broken):
            continue
        short = {}
        used = brute_force.summed(case, starts) if broken else {}
        for cell, load in used.items():
            limit = limits[cell]
            if load > limit + brute_force.TOLERANCE:
                short[cell] = float(load - limit)
        cost = purchase_cost(portfolio, short)
        if cost is not None:
            best = value - cost if best is None else max(best, value - cost)
    return best


def agree(portfolio: Portfolio, *, strict: bool) -> tuple[bool, bool]:
    """Hold optimize against enumeration; return whether feasible and buying."""
    wanted = enumerated(portfolio, strict=strict)
    if wanted is None:
        with pytest.raises(InfeasibleError):
            optimize(portfolio, flex=True, limits=LIMITS, strict=strict)
        return False, False
    plan = optimize(portfolio, flex=True, limits=LIMITS, strict=strict)
    report = plan.report
    assert report is not None
    assert report.objective == pytest.approx(wanted, rel=1e-6, abs=1e-5)
    assert plan.objective == pytest.approx(report.objective, rel=1e-9, abs=1e-9)
    assert report.status == "optimal", report.attempts
    assert plan.violations.empty
    check = check_plan(
        portfolio,
        plan.schedule,
        strict=strict,
        objective=report.objective,
        purchases=plan.purchases,
    )
    assert check.certified, check.violations["message"].tolist()
    assert report.certificate is not None
    bound = check_bound(portfolio, report.certificate, strict=strict, flex=True)
    assert bound is not None
    assert bound >= Fraction(wanted) - Fraction(1, 10**5)
    return True, bool(len(plan.purchases))


@pytest.mark.parametrize("chunk", range(tried(3)))
def test_agrees_with_enumeration(chunk):
    outcomes = []
    for seed in range(chunk * 4, chunk * 4 + 4):
        # Of the first ones few draws are refused: to look takes longer than to ask.
        portfolio = with_offers(np.random.default_rng([seed, 73]))
        outcomes.append(agree(portfolio, strict=seed % 4 == 3))
    assert any(feasible for feasible, _ in outcomes)
    assert any(buying for _, buying in outcomes)


def test_both_writers_agree_and_prices_prove_a_bound():
    compared = 0
    for seed in range(tried(25)):
        portfolio = draw_offers(np.random.default_rng([seed, 5]))
        options = compile_options(portfolio, flex=True).options
        if not len(options.project):
            continue
        model, matrix = build_model(options), build_matrix(options)
        assert len(model.rows) == len(matrix.labels)
        assert set(model.rows) == set(matrix.labels)
        for integer in (True, False):
            stats = model.problem.solve(pulp.HiGHS(msg=False, mip=integer))
            answer = highs.solve(
                matrix,
                options.gains(),
                seconds=AMPLE,
                integer=integer,
                binaries=len(options.project),
            )
            if stats.status != pulp.LpSolveStatus.Optimal:
                assert answer.status != "optimal"
                continue
            assert answer.objective == pytest.approx(
                stats.objective, rel=1e-6, abs=1e-6
            )
            if integer:
                chosen = np.flatnonzero(answer.x[: len(options.project)] > 0.5)
                assert value_of(options, chosen) == pytest.approx(
                    answer.objective, rel=1e-5, abs=1e-5
                )
            else:
                compared += 1
                bound = bound_of_prices(options, matrix, answer.prices)
                assert bound == pytest.approx(answer.objective, rel=1e-6, abs=1e-6)
    assert compared > tried(25) // 2


def company(flex: list[dict[str, Any]], capacity: float = 1.0) -> Portfolio:
    """Return a project worth 50 that needs 2 FTE of Dev in February and March."""
    horizon = make_horizon("2027-01", 4, "M")
    return Portfolio(
        "company",
        horizon=horizon,
        settings=Settings(discount=0.0, currency="EUR"),
        projects=pd.DataFrame(
            {
                "project": ["A"],
                "value": [50_000.0],
                "duration": [2],
                "earliest": ["2027-02"],
                "latest": ["2027-02"],
            }
        ),
        demand=pd.DataFrame(
            {"project": ["A"] * 2, "role": "Dev", "offset": [0, 1], "fte": [2.5, 2.0]}
        ),
        capacity=pd.DataFrame({"Dev": capacity}, index=horizon),
        flex=pd.DataFrame(flex),
    )


CONTRACTOR = {"role": "Dev", "kind": "contractor", "fte_max": 2.0, "rate": 100.0}


def test_buys_one_and_a_half_contractors_in_february():
    plan = optimize(company([CONTRACTOR]), flex=True, limits=LIMITS)
    assert plan.purchases[["offer", "role", "kind"]].values.tolist() == [
        [1, "Dev", "contractor"],
        [1, "Dev", "contractor"],
    ]
    assert plan.purchases["fte"].tolist() == [1.5, 1.0]
    # 100 an hour, 173.925 hours a month.
    assert plan.purchases["cost"].tolist() == pytest.approx([26_088.75, 17_392.5])
    assert plan.objective == pytest.approx(50_000 - 43_481.25)
    assert plan.purchase_sentences == [
        "Buy 1.5 FTE of contractor for Dev in 2027-02: 26,089 EUR.",
        "Buy 1 FTE of contractor for Dev in 2027-03: 17,392 EUR.",
    ]
    assert plan.overload.to_numpy().sum() == 0
    assert plan.summary()["cost of bought capacity"] == 43_481.25


def test_hard_capacity_is_the_default():
    plan = optimize(company([CONTRACTOR]), limits=LIMITS)
    assert plan.starts == {}
    assert plan.purchases.empty
    assert not plan.buys


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 150.0},  # dearer than what it brings
        {"fte_max": 1.0},  # not enough
        {"lead": 2},  # too late
        {"end": "2027-02"},  # too short
        {"kind": "hire", "rate": 95.0},  # stays, and costs, until April
    ],
)
def test_an_offer_that_does_not_help_is_not_taken(change):
    plan = optimize(company([CONTRACTOR | change]), flex=True, limits=LIMITS)
    assert plan.starts == {}
    assert plan.report is not None
    assert plan.report.status == "optimal"


def test_a_hire_stays_to_the_end_of_its_offer():
    hire = {"role": "Dev", "kind": "hire", "fte_max": 2.0, "rate": 60.0}
    plan = optimize(company([hire, CONTRACTOR]), flex=True, limits=LIMITS)
    # One hired from February to April, half a contractor in February.
    assert plan.purchases[["offer", "fte"]].values.tolist() == [
        [1, 1.0],
        [1, 1.0],
        [1, 1.0],
        [2, 0.5],
    ]
    assert plan.purchase_sentences[0].startswith(
        "Hire 1 FTE for Dev from 2027-02 to 2027-04"
    )


def test_the_rate_of_the_role_serves_where_an_offer_has_none():
    portfolio = company([{**CONTRACTOR, "rate": None}]).replace(
        roles=pd.DataFrame({"role": ["Dev"], "rate": [100.0]})
    )
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    assert plan.objective == pytest.approx(50_000 - 43_481.25)


def test_the_checker_refuses_what_the_offers_do_not_allow():
    portfolio = company(
        [CONTRACTOR, {"role": "Dev", "kind": "hire", "fte_max": 2.0, "rate": 60.0}]
    )
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    good = plan.purchases
    assert check_plan(portfolio, plan.schedule, purchases=good).certified
    assert not check_plan(portfolio, plan.schedule).certified  # nothing bought

    def broken(rows: pd.DataFrame) -> set[str]:
        return set(
            check_plan(portfolio, plan.schedule, purchases=rows).violations["rule"]
        )

    assert broken(good.assign(fte=good["fte"] / 2)) >= {"capacity"}
    assert broken(good.assign(fte=good["fte"] * 3)) >= {"flex"}
    assert broken(good.assign(cost=1.0)) >= {"flex"}
    assert broken(good.assign(role="Test")) >= {"flex"}
    assert broken(good.assign(offer=9)) >= {"flex"}
    assert broken(good.assign(fte=-good["fte"])) >= {"flex"}
    assert broken(pd.concat([good, good])) == {"flex"}
    assert broken(good[good["period"] != good["period"].max()]) >= {"flex"}
    shorter = Plan(portfolio, plan.schedule, purchases=good.iloc[:-1])
    assert "flex" in set(shorter.violations["rule"])


def test_a_certificate_says_whether_capacity_may_be_bought():
    portfolio = company([CONTRACTOR])
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    assert plan.report is not None
    assert plan.report.certificate is not None
    with pytest.raises(ConfigError, match="flex=True"):
        check_bound(portfolio, plan.report.certificate)
    hard = optimize(portfolio, limits=LIMITS).report
    assert hard is not None
    assert hard.certificate is not None
    assert "flex" not in hard.certificate
    with pytest.raises(ConfigError, match="flex=False"):
        check_bound(portfolio, hard.certificate, flex=True)


@pytest.mark.parametrize(
    ("change", "rule", "column"),
    [
        ({"role": "Dve"}, "unknown_role", "role"),
        ({"rate": None}, "missing_value", "rate"),
        ({"fte_max": None}, "missing_value", "fte_max"),
        ({"kind": None}, "missing_value", "kind"),
        ({"start": "2027-03", "end": "2027-02"}, "end_before_start", "end"),
    ],
)
def test_offers_that_cannot_be_used_are_errors(change, rule, column):
    portfolio = company([CONTRACTOR | change])
    problems = portfolio.check()
    row = problems[problems["rule"] == rule].iloc[0]
    assert (row["table"], row["column"]) == ("flex", column)
    with pytest.raises(DataError):
        optimize(portfolio, flex=True)


def test_a_solver_that_rounds_is_refused(monkeypatch):
    import pmo_analytics.optimization.model.pulp_sink as formulate

    monkeypatch.setattr(formulate, "find_solver", lambda _name: "CPSAT")
    with pytest.raises(ConfigError, match="whole FTE"):
        optimizing.optimize(company([CONTRACTOR]), flex=True, solver="cpsat")


def test_greedy_purchases_are_the_cheapest():
    """The linear program of hires agrees with the order of prices without them."""
    offers = [CONTRACTOR | {"rate": r, "fte_max": m} for r, m in ((90, 1), (80, 0.25))]
    options = compile_options(company(offers, capacity=1.5), flex=True).options
    bought = cheapest(options, np.array([0]))
    assert bought is not None
    by_offer = {
        (int(o), int(t)): float(b)
        for o, t, b in zip(options.buy.offer, options.buy.resource, bought, strict=True)
        if b
    }
    assert by_offer == {(2, 1): 0.25, (1, 1): 0.75, (2, 2): 0.25, (1, 2): 0.25}


def test_the_searches_buy_and_only_ever_improve():
    portfolio = generate_portfolio(
        n_projects=40, n_roles=4, n_periods=12, seed=2, mid_life=True
    )
    hours = HOURS[portfolio.freq[0]]
    worth = float(portfolio.projects["value"].median())
    flex = [
        {"role": role, "kind": kind, "fte_max": 1.0, "rate": worth * share / hours}
        for role in portfolio.capacity.columns
        for kind, share in (("overtime", 0.02), ("hire", 0.01))
    ]
    portfolio = portfolio.replace(flex=pd.DataFrame(flex))
    compiled = compile_options(portfolio, flex=True)
    options = compiled.options
    start = greedy(options)
    assert start is not None
    values = [value_of(options, start)]

    def tell(chosen: np.ndarray) -> None:
        plan = Plan.from_starts(
            portfolio,
            compiled.starts_of(chosen),
            purchases=compiled.purchases_of(portfolio, chosen),
        )
        check = check_plan(
            portfolio,
            plan.schedule,
            purchases=plan.purchases,
            objective=value_of(options, chosen),
        )
        assert check.certified
        assert plan.violations.empty
        values.append(value_of(options, chosen))
        bought.append(len(plan.purchases))

    bought: list[int] = []
    Search(options, start, 1, tell, []).run_counted(3, float("inf"))
    # The search may add up what is bought in another order.
    assert all(new >= old * (1 - 1e-12) for old, new in pairwise(values))
    assert values[-1] > values[0]
    assert max(bought) > 0


def test_odd_amounts_are_said_in_hours_that_can_be_bought():
    portfolio = company([CONTRACTOR]).validate()
    rows = pd.DataFrame(
        {
            "offer": [1],
            "role": ["Dev"],
            "kind": ["overtime"],
            "period": [portfolio.horizon[1]],
            "fte": [0.013767],
            "cost": [240.0],
        }
    )
    # 0.013767 of 173.925 hours a month: 2.39 hours, so three.
    assert purchase_sentences(portfolio, rows) == [
        "Buy 3 hours a month (0.014 FTE) of overtime for Dev in 2027-02: 240 EUR."
    ]
