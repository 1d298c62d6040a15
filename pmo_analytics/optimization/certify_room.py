"""Room that fixed work leaves, in whole units, for the checker's proofs."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from pmo_analytics.optimization.certify_question import (
    TOLERANCE,
    Budget,
    Question,
    budget_use,
    fixed_starts,
    grace,
    load_of,
    spent_of,
)


class Room(NamedTuple):
    """What an accepted plan may use on top of the fixed work."""

    fixed: dict[str, int]  # starts of the fixed work
    roles: dict[str, list[int]]  # role -> room by period, demand units
    budgets: list[tuple[Budget, int]]  # room in spend units


def room_of(question: Question) -> Room | None:
    """Return the room, None where a negative amount could make more of it."""
    uses = [u for roles in question.demand.values() for u in roles.values()]
    uses += [u for kinds in question.spend.values() for u in kinds.values()]
    if any(units < 0 for rows in uses for _, units in rows):
        return None
    fixed = fixed_starts(question)
    load, spent = load_of(question, fixed), spent_of(question, fixed)
    roles = {
        role: [
            capacity_units(question, role, t) - load.get((role, t), 0)
            for t in range(question.periods)
        ]
        for role in question.roles
    }
    budgets = [
        (budget, budget_units(question, limit) - used)
        for budget in question.budgets.values()
        if (limit := budget.limit) is not None
        for used in [int(budget_use(question, budget, spent) * question.spend_unit)]
    ]
    return Room(fixed, roles, budgets)


def capacity_units(question: Question, role: str, t: int) -> int:
    """Return the demand units that may be loaded, the tolerance included.

    All that can be bought included, too.
    """
    limit = question.capacity_limit(role, t) + TOLERANCE
    limit += question.most_for_sale(role, t)
    return math.floor(limit * question.demand_unit)


def budget_units(question: Question, limit: Fraction) -> int:
    """Return the spend units that may be spent, the tolerance included."""
    return math.floor((limit + grace(limit)) * question.spend_unit)
