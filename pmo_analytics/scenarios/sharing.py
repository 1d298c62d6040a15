"""Plans that help each other: one scenario's plan may be better for another one too.

A search that stops at a gap may miss a plan that its neighbour has found. Without
this a project that slips could seem to earn money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.optimization.certify import check_plan
from pmo_analytics.optimization.compiling import Compiled, compile_options
from pmo_analytics.plan import OPTIMAL_GAP, Plan, SolveStatus, relative_gap
from pmo_analytics.workload import TOLERANCE

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
    for name, plan in plans.items():
        portfolio = portfolios[name]
        compiled = compile_options(portfolio, strict=strict)
        best, source = plan, ""
        for other, candidate in plans.items():
            if other == name or not _same_clock(portfolio, candidate):
                continue
            better = _better(compiled, portfolio, candidate, best, strict)
            if better is not None:
                best, source = better, other
        shared[name] = _credited(best, source) if source else plan
    return shared


def _same_clock(portfolio: Portfolio, plan: Plan) -> bool:
    return bool(portfolio.horizon.equals(plan.portfolio.horizon))


def _better(
    compiled: Compiled, portfolio: Portfolio, candidate: Plan, best: Plan, strict: bool
) -> Plan | None:
    """Return a candidate as a plan of the portfolio if it is worth more there."""
    assert best.report is not None
    assert best.report.objective is not None
    chosen = compiled.chosen(candidate.starts)
    if chosen is None:
        return None
    options = compiled.options
    worth = float(options.worth[chosen].sum())
    known = best.report.objective
    if worth <= known + 1e-9 * max(1.0, abs(known)) or not _fits(compiled, chosen):
        return None
    plan = Plan.from_starts(
        portfolio,
        candidate.starts,
        report=replace(best.report, objective=worth),
        strict=strict,
    )
    check = check_plan(portfolio, plan.schedule, strict=strict, objective=worth)
    return plan if check.certified else None


def _fits(compiled: Compiled, chosen: np.ndarray) -> bool:
    """Return whether capacity and budgets hold: quick, before the exact check."""
    options = compiled.options
    spans = [np.arange(options.use_first[k], options.use_first[k + 1]) for k in chosen]
    if not spans:
        return True
    entries = np.concatenate(spans)
    used = np.bincount(
        options.use_row[entries],
        options.use_amount[entries],
        minlength=len(options.limit),
    )
    return bool((used <= options.limit + TOLERANCE).all())


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
