"""Demand, capacity and money of a levelling search, packed into single integers.

All roles of a period lie in one Python integer, one field each with a guard bit on
top: a demand fits where subtracting it leaves all guard bits set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.optimization.model.grain import common_part
from pmo_analytics.rules import (
    Limits,
    all_roles,
    budget_amounts,
    budget_matches,
    budget_spans,
    load_grid,
)
from pmo_analytics.tolerance import ROUNDING, TOLERANCE, exact_sum, exceeds, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Finer amounts than this many parts of one FTE, or of the largest amount of money,
# are rounded up.
_FINEST, _FINEST_MONEY = 10**9, 10**15


def _unit(amounts: Any) -> int:
    """Return the power of ten that makes amounts whole, or the finest one."""
    values = np.unique(np.asarray(amounts, dtype=float))
    for digits in range(7):
        scaled = values * 10**digits
        if (np.abs(scaled - np.round(scaled)) <= 1e-9).all():
            return int(10**digits)
    return _FINEST


def _whole(amount: float, unit: int) -> int:
    """Return an amount in units, rounded up where it has to be."""
    exact = Fraction(Decimal(repr(float(amount)))) * unit
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= Fraction(1, 10**8) else -(-exact // 1)


def _allowed(limit: float, unit: int) -> int:
    """Return a limit in units, the granted tolerance included, rounded down."""
    granted = Fraction(Decimal(repr(float(limit)))) + Fraction(Decimal(repr(TOLERANCE)))
    return granted * unit // 1


@dataclass(frozen=True)
class _Fields:
    """Where each limited thing lies in a packed integer."""

    shift: list[int]
    width: list[int]

    @classmethod
    def of(cls, most: list[int]) -> _Fields:
        """Return fields that hold numbers up to `most` and a guard bit each."""
        width = [max(number, 1).bit_length() for number in most]
        shift = np.concatenate([[0], np.cumsum([w + 1 for w in width])[:-1]])
        return cls([int(s) for s in shift][: len(width)], width)

    def guard(self) -> int:
        return sum(1 << (s + w) for s, w in zip(self.shift, self.width, strict=True))


def _wanted(
    rows: pd.DataFrame, order: list[str], unit: int
) -> tuple[dict[str, dict[int, dict[str, int]]], dict[str, dict[str, int]]]:
    """Return demand by project, offset and role; its peak by role and project."""
    wanted: dict[str, dict[int, dict[str, int]]] = {name: {} for name in order}
    peak: dict[str, dict[str, int]] = {}
    known: dict[float, int] = {}
    for name, role, offset, fte in zip(
        rows["project"], rows["role"], rows["offset"], rows["fte"], strict=True
    ):
        if fte not in known:
            known[fte] = _whole(fte, unit)
        amount = known[fte]
        cell = wanted[name].setdefault(int(offset), {})
        cell[role] = cell.get(role, 0) + amount
        own = peak.setdefault(role, {})
        own[name] = max(own.get(name, 0), cell[role])
    return wanted, peak


def pack_people(
    portfolio: Portfolio,
    order: list[str],
    fixed: Mapping[str, int],
    capacity: pd.DataFrame,
    last: Mapping[str, int],
    duration: Mapping[str, int],
) -> dict[str, Any] | None:
    """Return demand and free capacity, packed; None where fixed work is too much."""
    table = portfolio.demand
    rows = table[(table["fte"] > 0) & table["project"].isin(order)]
    periods = len(portfolio.horizon)
    unit = _unit(rows["fte"])
    wanted, peak = _wanted(rows, order, unit)
    # Without the noise of floats, which could take for nothing what is granted.
    left = np.round(capacity.to_numpy() - load_grid(portfolio, fixed).to_numpy(), 12)
    if (left < -TOLERANCE).any():
        return None
    places = {role: r for r, role in enumerate(all_roles(portfolio))}
    grid = {
        role: [_allowed(x, unit) for x in left[:, places[role]].tolist()]
        for role in peak
    }
    # A role that all projects together cannot fill limits nobody.
    roles = [role for role in peak if sum(peak[role].values()) > min(grid[role])]
    most = {role: sum(peak[role].values()) for role in roles}
    fields = _Fields.of([most[role] for role in roles])
    place = dict(zip(roles, fields.shift, strict=True))
    guard = fields.guard()
    free = [
        guard + sum(min(grid[role][t], most[role]) << place[role] for role in roles)
        for t in range(periods)
    ]
    longest = max((max(offsets, default=0) for offsets in wanted.values()), default=0)
    longest = max([longest, *(int(duration[name]) for name in order)], default=1)
    beyond = guard + sum(most[role] << place[role] for role in roles)
    free += [beyond] * (longest + 2 + max([0, *last.values()]))
    demand = []
    for name in order:
        packed = [
            (k, sum(amount << place[r] for r, amount in cell.items() if r in place))
            for k, cell in sorted(wanted[name].items())
        ]
        demand.append([(k, amount) for k, amount in packed if amount])
    level = [
        own[0][1]
        if len(own) == duration[name] and len({amount for _, amount in own}) == 1
        else None
        for name, own in zip(order, demand, strict=True)
    ]
    return {
        "demand": demand,
        "level": level,
        "free": free,
        "guard": guard,
        "fields": list(zip(roles, fields.shift, fields.width, strict=True)),
        "periods": periods,
    }


def pack_money(
    portfolio: Portfolio,
    order: list[str],
    fixed: Mapping[str, int],
    bounds: Limits,
    starts: Mapping[str, np.ndarray],
) -> dict[str, Any] | None:
    """Return use of the limited budgets, packed; None where fixed work is too much."""
    spend = portfolio.spend
    kept = (spend["amount"] > 0).to_numpy() & spend["project"].isin(order).to_numpy()
    matches = budget_matches(portfolio)[:, kept]
    rows = spend[kept]
    begin, end = budget_spans(portfolio)
    spent = budget_amounts(portfolio, fixed)
    tables: list[dict[str, dict[int, int]]] = []
    purses: list[int] = []
    for b in np.flatnonzero(~np.isnan(bounds.budget)).tolist():
        limit = bounds.budget_limit(b)
        if exceeds(spent[b], limit):
            return None
        amounts = rows["amount"].to_numpy()[matches[b]]
        finest = written(float(amounts.max(initial=1.0))) / _FINEST_MONEY
        part = common_part(amounts) or finest
        own: dict[str, dict[int, int]] = {}
        for name, offset, amount in zip(
            rows["project"][matches[b]],
            rows["offset"][matches[b]],
            rows["amount"][matches[b]],
            strict=True,
        ):
            use = own.setdefault(name, {})
            for start in starts[name].tolist():
                if begin[b] <= start + int(offset) <= end[b]:
                    use[start] = use.get(start, 0) + math.ceil(written(amount) / part)
        given = limit if isinstance(limit, Fraction) else written(limit)
        left = given * (1 + Fraction(ROUNDING)) - exact_sum(spent[b])
        purse = max(math.floor(left / part), 0)
        most = sum(max(use.values(), default=0) for use in own.values())
        if most > purse:
            tables.append(own)
            purses.append(purse)
    fields = _Fields.of(
        [
            max(purse, *(max(use.values(), default=0) for use in own.values()))
            for own, purse in zip(tables, purses, strict=True)
        ]
    )
    guard = fields.guard()
    money: list[dict[int, int] | None] = []
    for name in order:
        total: dict[int, int] = {}
        for own, shift in zip(tables, fields.shift, strict=True):
            for start, amount in own.get(name, {}).items():
                total[start] = total.get(start, 0) + (amount << shift)
        money.append(total or None)
    purse = guard + sum(p << s for p, s in zip(purses, fields.shift, strict=True))
    return {"money": money, "purse": purse, "purse_guard": guard}
