"""Capacity: no role is asked for more than there is."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import listing
from pmo_analytics.optimization.checker.families.family import Entry, Family
from pmo_analytics.optimization.checker.found import Selection, amount, violation
from pmo_analytics.optimization.checker.proofs.charges import Charges
from pmo_analytics.optimization.checker.proofs.cuts import read_cell
from pmo_analytics.optimization.checker.question import Question, load_of, to_float
from pmo_analytics.optimization.checker.tolerance import TOLERANCE


def check(question: Question, selection: Selection, rows: list[dict[str, Any]]) -> None:
    """Add what breaks capacities."""
    starts, more = selection.starts, selection.bought
    order = {role: n for n, role in enumerate(question.roles)}
    load = load_of(question, starts)
    for role, t in sorted(load, key=lambda cell: (order[cell[0]], cell[1])):
        use = Fraction(load[role, t], question.demand_unit)
        limit = question.capacity_limit(role, t) + more.get((role, t), 0)
        if use <= limit + TOLERANCE:
            continue
        users = [
            name
            for name, s in starts.items()
            if any(
                s + offset == t and units
                for offset, units in question.demand.get(name, {}).get(role, ())
            )
        ]
        given = (role, t) in question.capacity
        text = (
            f"Role '{role}' in {question.text(t)}: load {amount(use)} FTE, "
            + (f"capacity {amount(limit)} FTE" if given else "no capacity is given")
            + f", {amount(use - limit)} FTE too much. Used by {listing(users)}."
        )
        rows.append(
            violation("capacity", role, text, t, to_float(use), to_float(limit))
        )


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge what projects use of a role in a period."""
    role, t = read_cell(question, entry)
    limit = question.capacity_limit(role, t) + TOLERANCE
    charges.limits += Fraction(units, charges.unit) * limit
    prices = charges.capacity.setdefault(role, {})
    prices[t] = prices.get(t, 0) + units


CAPACITY = Family(
    check,
    {"capacity": Entry(("role", "period"), charge)},
)
