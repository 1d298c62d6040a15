"""Plans that help each other: one scenario's plan may be better for another one too.

A search that stops at a gap may miss a plan that its neighbour has found. Without
this a project that slips could seem to earn money.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.evidence import OPTIMAL_GAP, SolveStatus, relative_gap
from pmo_analytics.optimization import Compiled, check_plan, compile_options
from pmo_analytics.plan import Plan
from pmo_analytics.tolerance import ROUNDING

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def share_plans(
    portfolios: Mapping[str, Portfolio], plans: Mapping[str, Plan], *, strict: bool
) -> dict[str, Plan]:
    """Return for each portfolio the best of all plans that keep its rules.

    Parameters
    ----------
    portfolios
        Scenario -> checked portfolio.
    plans
        Scenario -> plan of `optimize`; the exact checker judges each exchange.
    """
    shared: dict[str, Plan] = {}
    found = {name: frozenset(plan.starts.items()) for name, plan in plans.items()}
    for name, plan in plans.items():
        portfolio = portfolios[name]
        # Every other plan once, under the scenario that comes first.
        others: dict[frozenset[tuple[str, int]], str] = {}
        for other, candidate in plans.items():
            if other != name and _same_clock(portfolio, candidate):
                others.setdefault(found[other], other)
        sources = list(others.values())
        shared[name] = _best(portfolio, plan, {s: plans[s] for s in sources}, strict)
    return shared


def _same_clock(portfolio: Portfolio, plan: Plan) -> bool:
    return bool(portfolio.horizon.equals(plan.portfolio.horizon))


def _best(
    portfolio: Portfolio, plan: Plan, others: Mapping[str, Plan], strict: bool
) -> Plan:
    """Return the best of a portfolio's own plan and the plans of other scenarios."""
    assert plan.report is not None
    assert plan.report.objective is not None
    known = plan.report.objective
    compiled = compile_options(portfolio, strict=strict)
    worth = _worth_here(compiled, others, known)
    while worth:
        # The last of those that are each worth more than all before them.
        source, most = "", known
        for other, value in worth.items():
            if _is_more(value, most):
                source, most = other, value
        better = Plan.from_starts(
            portfolio,
            others[source].starts,
            report=replace(plan.report, objective=most),
            strict=strict,
        )
        check = check_plan(portfolio, better.schedule, strict=strict, objective=most)
        if check.certified:
            return _credited(better, source)
        del worth[source]
    return plan


def _is_more(worth: float, than: float) -> bool:
    return worth > than + 4 * ROUNDING * max(abs(worth), abs(than))


def _worth_here(
    compiled: Compiled, plans: Mapping[str, Plan], known: float
) -> dict[str, float]:
    """Return what plans are worth in another portfolio, of those that are worth more.

    Quick, before the exact check of the best: starts, what has to be selected, people
    and money; dependencies and groups are left to that check.
    """
    options = compiled.options
    number = {name: p for p, name in enumerate(compiled.names)}
    pairs = zip(options.project.tolist(), options.start.tolist(), strict=True)
    place = {pair: k for k, pair in enumerate(pairs)}
    count = np.diff(options.use.first)
    must = np.flatnonzero(options.must)
    slack = options.slack
    result: dict[str, float] = {}
    for source, plan in plans.items():
        at = [place.get((number.get(n, -1), s), -1) for n, s in plan.starts.items()]
        chosen = np.sort(np.array(at, dtype=np.int64))
        if (chosen < 0).any() or not np.isin(must, options.project[chosen]).all():
            continue
        worth = math.fsum(options.worth[chosen])
        if not _is_more(worth, known):
            continue
        own = count[chosen]
        step = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        entry = np.repeat(options.use.first[chosen], own) + step
        used = np.bincount(
            options.use.row[entry],
            options.use.amount[entry],
            minlength=len(options.limit),
        )
        fits = (used <= options.limit + slack) & (used >= options.least - slack)
        if fits.all() and options.rows_hold(chosen):
            result[source] = worth
    return result


def _credited(plan: Plan, source: str) -> Plan:
    """Return a plan whose report says where it came from and how near it is."""
    report = plan.report
    assert report is not None
    assert report.objective is not None
    objective, bound = report.objective, report.bound
    status = SolveStatus.FEASIBLE
    if bound is not None:
        bound = max(bound, objective)
        if relative_gap(objective, bound) <= OPTIMAL_GAP:
            status = SolveStatus.OPTIMAL
    attempt = {
        "solver": f"plan of '{source}'",
        "outcome": "feasible",
        "seconds": 0.0,
        "detail": "found for another scenario, better here too",
    }
    report = replace(
        report, status=status, bound=bound, attempts=(*report.attempts, attempt)
    )
    return Plan.from_starts(
        plan.portfolio, plan.starts, report=report, strict=plan.strict
    )
