"""Cuts of a certificate: proved again from the tables before they count.

A cut says that the counts of its members add up to no more than `at_most` in any
accepted plan. It is proved from what a plan may use, never from how it was found:

- of a capacity or budget row, by the least use with which the members that a plan can
  select together reach more than `at_most`, by dynamic programming over all projects;
- of a stretch, period by period and project by project (`stretches`);
- of a clique, pair by pair: two starts clash where together with the fixed work they
  need more than a limit allows, where a dependency with one target forbids them, or
  where a group lets only one of the two projects in.

A cut that cannot be proved, or not with moderate effort, is not used: then the bound is
weaker. One that cannot be read is an error, as for multipliers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from operator import or_
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name, read_period
from pmo_analytics.optimization.checker.proofs.cut_reading import (
    Cut,
    bad_cut,
    named_project,
)
from pmo_analytics.optimization.checker.proofs.room import (
    Room,
    budget_units,
    capacity_units,
    room_of,
)
from pmo_analytics.optimization.checker.proofs.stretches import (
    counts_by_start,
    stretch_holds,
)
from pmo_analytics.optimization.checker.proofs.work import Work
from pmo_analytics.optimization.checker.question import (
    Budget,
    Project,
    Question,
    to_float,
)

# Steps of dynamic programming, or pairs, beyond which a cut is not used.
_MOST_STEPS = 2_000_000


# What each allowed start of a project counts, or uses; by project.
ByStart = dict[str, list[int]]


@dataclass
class Proofs:
    """Proofs of cuts from one question, with what many of them need."""

    question: Question
    uses: dict[tuple[str, Any], tuple[ByStart, int, int]] = field(default_factory=dict)
    room: Room | None = None
    room_known: bool = False
    work: Work = field(default_factory=Work)
    known: dict[int, ByStart | None] = field(default_factory=dict)

    def proved(self, cut: Cut) -> ByStart | None:
        """Return what every allowed start counts; None where a cut is not proved.

        Raises
        ------
        ConfigError
            If the cut names what the portfolio does not have.
        """
        if cut.number not in self.known:
            self.known[cut.number] = self._proved(cut)
        return self.known[cut.number]

    def _proved(self, cut: Cut) -> ByStart | None:
        try:
            if cut.row == "clique":
                if not self.work.take(_clique_steps(self.question, cut)):
                    return None
                counts = _starts(self.question, cut)
                return counts if self._clique_holds(counts) else None
            if cut.row == "stretch":
                return self._stretch(cut)
            uses, room, unit = self._uses(cut)
            if not self.work.take(_row_steps(cut, uses)):
                return None
            counts = _steps(self.question, cut, uses, unit)
        except ConfigError as error:
            raise bad_cut(cut.number, error) from None
        least = _least_steps(uses, counts, cut.at_most)
        if least > _MOST_STEPS or not self.work.take(least):
            return None
        holds = _row_holds(self.question, uses, room, counts, cut.at_most)
        return counts if holds else None

    def _stretch(self, cut: Cut) -> ByStart | None:
        role, first = read_cell(self.question, cut.entry)
        _, last = read_cell(self.question, {**cut.entry, "period": cut.entry["until"]})
        if last < first:
            raise ConfigError(f"it ends in {cut.entry['until']!r}, before it begins.")
        rows = [self.load_on(role, t) for t in range(first, last + 1)]
        if not self.work.take(_row_steps(cut, rows[0][0])):
            return None
        counts = counts_by_start(self.question, cut)
        uses, room = [row[0] for row in rows], [row[1] for row in rows]
        holds = stretch_holds(self.question, uses, room, counts, cut.at_most, self.work)
        return counts if holds else None

    def _uses(self, cut: Cut) -> tuple[ByStart, int, int]:
        """Return what each start uses of a cut's row, what may be used, the unit."""
        if cut.row == "capacity":
            return self.load_on(*read_cell(self.question, cut.entry))
        raw = cut.entry["budget"]
        name = (isinstance(raw, str) and read_name(raw)) or ""
        budget = self.question.budgets.get(name)
        if budget is None or budget.limit is None:
            raise ConfigError(f"no budget {raw!r} has this side.")
        return self.spend_on(budget)

    def load_on(self, role: str, t: int) -> tuple[ByStart, int, int]:
        """Return what each start loads on a role, what may be, and the unit."""
        if (role, t) not in self.uses:
            self.work.take(2 * sum(len(p.allowed) for p in _live(self.question)))
            loads = _loads(self.question, role, t)
            room = capacity_units(self.question, role, t)
            self.uses[role, t] = loads, room, self.question.demand_unit
        return self.uses[role, t]

    def spend_on(self, budget: Budget) -> tuple[ByStart, int, int]:
        """Return what each start spends of a budget, what may be, and the unit.

        Without an amount nothing may be: then the second number says nothing.
        """
        question = self.question
        if (budget.name, None) not in self.uses:
            self.work.take(10 * sum(len(p.allowed) for p in _live(self.question)))
            spends = {
                p.name: [
                    sum(
                        units
                        for kind, rows in question.spend.get(p.name, {}).items()
                        if budget.covers(kind)
                        for offset, units in rows
                        if budget.first <= s + offset <= budget.last
                    )
                    for s in p.allowed
                ]
                for p in _live(question)
            }
            room = budget_units(question, budget)
            self.uses[budget.name, None] = spends, room, question.spend_unit
        return self.uses[budget.name, None]

    def _clique_holds(self, counts: ByStart) -> bool:
        """Return whether any two members of different projects clash."""
        if not self.room_known:
            self.room, self.room_known = room_of(self.question), True
        members = [
            (name, s)
            for name, own in counts.items()
            for s, count in zip(self.question.projects[name].allowed, own, strict=True)
            if count
        ]
        if len(members) ** 2 > _MOST_STEPS:
            return False
        found = _same_project(members)
        if self.room is not None:
            for uses, room in _shared(self.question, self.room, members):
                _add_clashes(found, uses, room)
        _add_dependencies(self.question, members, found)
        _add_groups(self.question, members, found)
        every = (1 << len(members)) - 1
        return all(mask == every for mask in found)


def read_cell(question: Question, entry: Mapping[str, Any]) -> tuple[str, int]:
    """Return the role and the offset of a capacity row.

    Raises
    ------
    ConfigError
        If the portfolio has no such row.
    """
    role = read_name(entry["role"]) if isinstance(entry["role"], str) else None
    t = read_period(entry["period"], question)
    if role is None or role not in question.roles:
        raise ConfigError(f"no role is called {entry['role']!r}.")
    if t is None or not 0 <= t < question.periods:
        raise ConfigError(f"{entry['period']!r} is no period of the horizon.")
    return role, t


def _clique_steps(question: Question, cut: Cut) -> int:
    """Return what to prove a clique takes at most, in steps."""
    members = 0
    for name, first, last in cut.members:
        project = question.projects.get(name)
        starts = len(project.allowed) if project is not None else 0
        members += min(max(int(last - first), -1) + 1, starts)
    # Of each member its uses are looked at, then pairs by whole words of bits.
    return 40 * len(cut.members) + 200 * members + members**2 // 8


def _row_steps(cut: Cut, uses: ByStart) -> int:
    """Return what to count the starts of a cut takes at most, in steps."""
    times: defaultdict[str, int] = defaultdict(int)
    for name, _, _ in cut.members:
        times[name] += 1
    counted = sum(many * (10 + len(uses.get(name, ()))) for name, many in times.items())
    return counted + 5 * len(uses)


def _least_steps(uses: ByStart, counts: ByStart, at_most: int) -> int:
    """Return what the dynamic programming of a row takes at most, in steps."""
    return sum(
        (len(set(own)) + 1) * (at_most + 2)
        for name, own in counts.items()
        if name in uses and any(own)
    )


def _live(question: Question) -> Iterator[Project]:
    for project in question.projects.values():
        if project.state == "live" and project.allowed:
            yield project


def _loads(question: Question, role: str, t: int) -> ByStart:
    """Return what each allowed start loads on a role in a period, demand units."""
    loads: ByStart = {}
    for project in _live(question):
        by_offset: defaultdict[int, int] = defaultdict(int)
        for offset, units in question.demand.get(project.name, {}).get(role, ()):
            by_offset[offset] += units
        loads[project.name] = [by_offset.get(t - s, 0) for s in project.allowed]
    return loads


def _steps(question: Question, cut: Cut, uses: ByStart, unit: int) -> ByStart:
    """Return what each start counts: as the largest use given that it reaches."""
    steps: dict[str, dict[Fraction, int]] = {}
    for name, use, count in cut.members:
        named_project(question, name)
        own = steps.setdefault(name, {})
        if use in own:
            raise ConfigError(f"'{name}' stands twice with the use {to_float(use):g}.")
        own[use] = int(count)
    counts: ByStart = {}
    for name, own in steps.items():
        if name in uses:
            ordered = sorted(own.items())
            counts[name] = [
                next(
                    (n for least, n in reversed(ordered) if least * unit <= used),
                    0,
                )
                for used in uses[name]
            ]
    return counts


def _starts(question: Question, cut: Cut) -> ByStart:
    """Return 1 for each allowed start that is a member, else 0."""
    counts: ByStart = {}
    for name, first, last in cut.members:
        project = named_project(question, name)
        if project.state != "live":
            continue
        own = counts.setdefault(name, [0] * len(project.allowed))
        for n, s in enumerate(project.allowed):
            if first <= s <= last:
                if own[n]:
                    raise ConfigError(f"'{name}' stands twice with the start {s}.")
                own[n] = 1
    return counts


def _row_holds(
    question: Question, uses: ByStart, room: int, counts: ByStart, at_most: int
) -> bool:
    """Return whether no choice that fits into the room counts more than at most."""
    least: list[int | None] = [0] + [None] * (at_most + 1)
    for name, used in uses.items():
        if min(used) < 0:
            return False  # one project could make room for another
        must = bool(question.projects[name].why)
        own = counts.get(name)
        if own is None or not any(own):
            room -= min(used) if must else 0
            continue
        cheapest: dict[int, int] = {} if must else {0: 0}
        for use, count in zip(used, own, strict=True):
            cheapest[count] = min(use, cheapest.get(count, use))
        least = _joined(least, cheapest)
    over = least[-1]
    return room >= 0 and (over is None or over > room)


def _joined(least: list[int | None], cheapest: dict[int, int]) -> list[int | None]:
    """Return the least use by count, the last for all above, with one more project."""
    last = len(least) - 1
    result: list[int | None] = [None] * len(least)
    for count, use in cheapest.items():
        for before, used in enumerate(least):
            if used is not None:
                n = min(before + count, last)
                now = result[n]
                if now is None or used + use < now:
                    result[n] = used + use
    return result


def _same_project(members: list[tuple[str, int]]) -> list[int]:
    masks: defaultdict[str, int] = defaultdict(int)
    for n, (name, _) in enumerate(members):
        masks[name] |= 1 << n
    return [masks[name] for name, _ in members]


def _shared(
    question: Question, room: Room, members: list[tuple[str, int]]
) -> Iterator[tuple[list[tuple[int, int]], int]]:
    """Yield for each limit the (use, member number) of movable work, and the room."""
    # What fixed work uses is taken off the room already.
    movable = [
        (n, name, s) for n, (name, s) in enumerate(members) if name not in room.fixed
    ]
    cells: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for n, name, s in movable:
        for cell, units in _load_at(question, name, s):
            cells.setdefault(cell, []).append((units, n))
    for (role, t), uses in cells.items():
        yield uses, room.roles[role][t]
    for budget, left in room.budgets:
        spends = []
        for n, name, s in movable:
            used = sum(
                units
                for kind, rows in question.spend.get(name, {}).items()
                if budget.covers(kind)
                for offset, units in rows
                if budget.first <= s + offset <= budget.last
            )
            if used:
                spends.append((used, n))
        yield spends, left


def _load_at(
    question: Question, name: str, s: int
) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield (role, period) and units of what a start uses inside the horizon."""
    for role, rows in question.demand.get(name, {}).items():
        sums: defaultdict[int, int] = defaultdict(int)
        for offset, units in rows:
            sums[s + offset] += units
        for t, units in sums.items():
            if units and 0 <= t < question.periods:
                yield (role, t), units


def _add_clashes(found: list[int], uses: list[tuple[int, int]], room: int) -> None:
    """Note the pairs that together use more than the room."""
    if len(uses) < 2:
        return
    ordered = sorted(uses, reverse=True)
    if ordered[0][0] + ordered[1][0] <= room:
        return
    sizes = [-use for use, _ in ordered]
    masks = [0, *accumulate((1 << n for _, n in ordered), or_)]
    for use, n in ordered:
        found[n] |= masks[bisect_left(sizes, use - room)]


def _add_dependencies(
    question: Question, members: list[tuple[str, int]], found: list[int]
) -> None:
    numbers: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for n, (name, s) in enumerate(members):
        numbers[name].append((n, s))
    for row in question.dependencies:
        if not row.in_force or row.kind == "selected" or len(row.targets) != 1:
            continue
        low, high = row.span(question.projects[row.targets[0]].duration)
        for n, s in numbers.get(row.project, ()):
            for m, other in numbers.get(row.targets[0], ()):
                if s - other < low or (high is not None and s - other > high):
                    found[n] |= 1 << m
                    found[m] |= 1 << n


def _add_groups(
    question: Question, members: list[tuple[str, int]], found: list[int]
) -> None:
    for group in question.groups.values():
        if group.at_most is None or group.at_most - len(group.done) > 1:
            continue
        inside = set(group.members)
        numbers = [n for n, (name, _) in enumerate(members) if name in inside]
        mask = sum(1 << n for n in numbers)
        for n in numbers:
            found[n] |= mask
