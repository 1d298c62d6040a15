"""Room that fixed work leaves, in whole units, for the checker's proofs.

And the starts that it rules out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction
from typing import NamedTuple

from pmo_analytics.optimization.checker.question import (
    Budget,
    Project,
    Question,
    budget_use,
    fixed_starts,
    load_of,
    spent_of,
)
from pmo_analytics.optimization.checker.tolerance import TOLERANCE


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
        (budget, budget_units(question, budget) - used)
        for budget in question.budgets.values()
        if budget.limit is not None
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


def budget_units(question: Question, budget: Budget) -> int:
    """Return the spend units that may be spent, the tolerance included.

    Without an amount nothing may be.
    """
    limit = budget.limit or Fraction(0)
    return math.floor((limit + budget.grace) * question.spend_unit)


def drop_impossible_starts(question: Question) -> None:
    """Remove starts that no accepted plan can have beside the fixed work."""
    room = room_of(question)
    if room is None:
        return
    for name, project in question.projects.items():
        if name in room.fixed or not project.allowed:
            continue
        kept = set(project.allowed)
        for role, rows in question.demand.get(name, {}).items():
            kept -= _overloading(rows, kept, room.roles[role])
        # Nothing is negative here: who can pay for all of it can pay for a part.
        kinds = question.spend.get(name, {})
        whole = sum(units for rows in kinds.values() for _, units in rows)
        for budget, left in room.budgets:
            if whole > left:
                kept -= _overspending(question, project, kept, budget, left)
        if len(kept) < len(project.allowed):
            allowed = tuple(s for s in project.allowed if s in kept)
            question.projects[name] = project._replace(allowed=allowed)


def drop_stranded_projects(question: Question) -> None:
    """Remove the starts of projects that require what no plan can select."""
    dropped = True
    while dropped:
        dropped = False
        for row in question.dependencies:
            # A row in force names a live project and nothing that is done already.
            if not row.in_force or not question.projects[row.project].allowed:
                continue
            if not any(question.projects[i].allowed for i in row.targets):
                project = question.projects[row.project]
                question.projects[row.project] = project._replace(allowed=())
                dropped = True


def _overloading(
    rows: list[tuple[int, int]], starts: Collection[int], room: list[int]
) -> set[int]:
    """Return the starts with which one project alone overloads a role."""
    sums: defaultdict[int, int] = defaultdict(int)
    for offset, units in rows:
        sums[offset] += units
    # An unloaded period is never a violation, however little room it has.
    needs = [(o, u) for o, u in sums.items() if u > 0]
    if max((u for _, u in needs), default=0) <= min(room):
        return set()
    return {
        s
        for s in starts
        if any(0 <= s + o < len(room) and u > room[s + o] for o, u in needs)
    }


def _overspending(
    question: Question,
    project: Project,
    starts: Collection[int],
    budget: Budget,
    left: int,
) -> set[int]:
    """Return the starts with which one project alone breaks a budget."""
    kinds = question.spend.get(project.name, {})
    rows = [row for kind, uses in kinds.items() if budget.covers(kind) for row in uses]
    if sum(units for _, units in rows) <= left:
        return set()
    return {
        s
        for s in starts
        if sum(u for o, u in rows if budget.first <= s + o <= budget.last) > left
    }
