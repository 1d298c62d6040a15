"""The objective of a plan as a curve over discount rates.

Worth is a sum of amounts times powers of x = 1 / (1 + rate). Where no amount is
negative it is convex in x. What amounts taken off (spend, purchases) bend the other way
is bounded by their second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.rules import chances, counts_value, offers
from pmo_analytics.tables import allowed_starts, start_windows

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Curve:
    """Objective of a plan by x: gains less costs, each an amount by power of x."""

    gains: np.ndarray
    costs: np.ndarray

    def at(self, x: float) -> float:
        """Return its height."""
        return _sum(self.gains, x) - _sum(self.costs, x)

    def below(self, x: float, low: float, high: float) -> float:
        """Return at most its height between two x, convex in x there."""
        ends = [_sum(self.costs, low), _sum(self.costs, high)]
        return _sum(self.gains, x) - float(np.interp(x, [low, high], ends))


def last_where(holds: Callable[[float], bool], inside: float, beyond: float) -> float:
    """Return where, from inside to beyond, something stops to hold; by halving."""
    for _ in range(60):
        middle = 0.5 * (inside + beyond)
        if holds(middle):
            inside = middle
        else:
            beyond = middle
    return inside


def highest(concave: Callable[[float], float], low: float, high: float) -> float:
    """Return where a concave function is highest, by ternary search."""
    for _ in range(100):
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        if concave(left) < concave(right):
            low = left
        else:
            high = right
    return 0.5 * (low + high)


def _sum(amounts: np.ndarray, x: float) -> float:
    return float(np.polynomial.polynomial.polyval(x, amounts))


def _terms(portfolio: Portfolio) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield project, offset and signed amount of all that worth is made of."""
    by_value, by_benefits = counts_value(portfolio)
    projects = portfolio.projects
    names = projects["project"].to_numpy(dtype=object)
    weights = chances(portfolio)
    if by_value:
        values = projects["value"].fillna(0.0).to_numpy(dtype=float)
        yield names, np.zeros(len(names), dtype=np.int64), weights * values
    tables = [(portfolio.benefits, 1.0)] if by_benefits else []
    if portfolio.settings.net_of_spend:
        tables.append((portfolio.spend, -1.0))
    weight = dict(zip(names, weights, strict=True))
    for rows, sign in tables:
        owners = rows["project"].to_numpy(dtype=object)
        own = np.array([weight[owner] for owner in owners], dtype=float)
        yield (
            owners,
            rows["offset"].to_numpy(dtype=np.int64),
            sign * own * rows["amount"].to_numpy(dtype=float),
        )


def curve_of(plan: Plan) -> Curve:
    """Return the objective of a plan by the discount rate."""
    portfolio = plan.portfolio
    windows = start_windows(portfolio.projects, portfolio.horizon)
    counted = {
        name: 0 if windows.at[name, "running"] else start
        for name, start in plan.starts.items()
    }
    total: dict[int, list[float]] = {0: [0.0, plan.change_cost]}
    for names, offsets, amounts in _terms(portfolio):
        for name, offset, amount in zip(names, offsets, amounts, strict=True):
            if name in counted and amount:
                both = total.setdefault(counted[name] + int(offset), [0.0, 0.0])
                both[int(amount < 0)] += abs(float(amount))
    if plan.buys:
        after = plan.purchases["period"].astype("int64") - portfolio.horizon[0].ordinal
        for power, cost in zip(after, plan.purchases["cost"], strict=True):
            total.setdefault(int(power), [0.0, 0.0])[1] += float(cost)
    table = np.zeros((2, max(total) + 1))
    for power, both in total.items():
        table[:, power] = both
    return Curve(table[0], table[1])


def bending(portfolio: Portfolio, x: float, *, buys: bool) -> float:
    """Return at most the second derivative of all costs of any plan, up to x."""

    def second(power: np.ndarray) -> np.ndarray:
        return np.asarray(power * (power - 1) * x ** np.maximum(power - 2.0, 0.0))

    windows = start_windows(portfolio.projects, portfolio.horizon)
    starts = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    own: dict[str, np.ndarray] = {}
    for names, offsets, amounts in _terms(portfolio):
        for name, offset, amount in zip(names, offsets, amounts, strict=True):
            if amount >= 0 or name not in starts or not len(starts[name]):
                continue
            at = 0 * starts[name] if windows.at[name, "running"] else starts[name]
            more = -float(amount) * second(at + int(offset))
            own[name] = own.get(name, 0.0) + more
    total = sum(float(each.max()) for each in own.values())
    if buys:
        for row in offers(portfolio).itertuples():
            after = np.arange(row.first, row.last + 1)
            total += float(row.fte_max * row.cost * second(after).sum())
    return total
