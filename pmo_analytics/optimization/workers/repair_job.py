"""The cheapest way to break rules so that the rest has a plan."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from pmo_analytics.optimization.jobs import (
    RepairJob,
)
from pmo_analytics.optimization.messages import (
    Repair,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix
from pmo_analytics.optimization.model.families import AMOUNTS
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.workers.infeasible_subset import Clash


def repair(options: Options, job: RepairJob, end: float, emit: Any) -> None:
    """Report the cheapest way to break rules so that the rest has a plan.

    The price of a rule is for breaking it once, of a limit for each unit above it;
    a rule without a price cannot be broken.
    """
    clash = Clash(options, job.facts, 0.0)
    price = np.array([np.inf if p is None else p for p in job.prices], dtype=np.float64)
    option, rule = clash.forbidden
    cost = np.array(job.costs or np.zeros(len(options.project)), dtype=float)
    np.add.at(cost, option, price[rule])
    wanted = np.ones(len(options.must), dtype=bool)
    if clash.simple:
        wanted = clash.wanted(np.ones(clash.rules, dtype=bool))
    columns = np.flatnonzero(np.isfinite(cost) & wanted[options.project])
    own = len(columns)
    columns = clash.with_counts(columns)
    cost = np.append(cost, np.zeros(clash.columns - len(cost)))
    slack = _slack(clash, price)
    a = csc_array(
        np.zeros((0, 0))
        if not len(clash.lower)
        else _beside(clash.a[:, columns], slack)
    )
    count = len(columns)
    owners = np.array([s[0] for s in slack], dtype=np.int64)
    weights = np.array([s[1] for s in slack], dtype=float)
    whole = np.array([s[2] for s in slack], dtype=bool)
    answer = highs.solve_mixed(
        Matrix(a, clash.lower, clash.upper, [], unit=clash.unit),
        -np.concatenate([cost[columns], weights]),
        np.concatenate([np.ones(count), np.where(whole, 1.0, np.inf)]),
        np.concatenate([np.ones(count, dtype=bool), whole]),
        seconds=end - time.monotonic(),
        mip_rel_gap=job.gap,
        mip_feasibility_tolerance=1e-7,
    )
    if answer.x is None:
        emit(Repair(status=answer.status))
        return
    amount = np.zeros(clash.rules)
    np.add.at(amount, owners, answer.x[count:])
    chosen = columns[:own][answer.x[:own] > 0.5]
    taken = np.isin(option, chosen)
    np.add.at(amount, rule[taken], 1.0)
    emit(
        Repair(
            status=answer.status,
            chosen=chosen.tolist(),
            broken=[(int(k), float(amount[k])) for k in np.flatnonzero(amount > 1e-6)],
            objective=answer.objective,
            bound=answer.bound if np.isfinite(answer.bound) else None,
        )
    )


Slack = tuple[int, float, bool, np.ndarray, float]


def _slack(clash: Clash, price: np.ndarray) -> list[Slack]:
    """Return rule, price, whole or not, rows and sign of every way to break one."""
    result: list[Slack] = []
    by_rule: dict[int, list[int]] = {}
    for row, k in enumerate(clash.rule.tolist()):
        if k >= 0 and np.isfinite(price[k]):
            by_rule.setdefault(k, []).append(row)
    for k, rows in by_rule.items():
        labels = [clash.labels[row] for row in rows]
        kind = labels[0].form if labels[0] else ""
        own = np.array(rows)
        high = own[np.isfinite(clash.upper[own])]
        low = own[np.isfinite(clash.lower[own])]
        if kind in ("at_most", "at_least"):
            high, low = high[:1], low[:1]
        for part, sign in ((high, -1.0), (low, 1.0)):
            if len(part):
                whole = kind not in (*AMOUNTS, "at_most", "at_least")
                result.append((k, float(price[k]), whole, part, sign))
    return result


def _beside(a: Any, slack: list[Slack]) -> csc_array:
    """Return a matrix with one column more for every way to break a rule."""
    from scipy.sparse import hstack

    rows = [part for *_, part, _sign in slack]
    count = [len(part) for part in rows]
    extra = csc_array(
        (
            np.repeat([s[4] for s in slack], count),
            (
                np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
                np.repeat(np.arange(len(slack)), count),
            ),
        ),
        shape=(a.shape[0], len(slack)),
    )
    return hstack([a, extra], format="csc")
