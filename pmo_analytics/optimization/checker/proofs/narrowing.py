"""Starts that no accepted plan can have, by what must be selected: the checker's own.

From the projects that must be selected and the starts that are left of each follows
what else cannot be:

- what the projects that must be selected use at least leaves too little room;
- no start that is left of any target serves a dependency;
- a group has its most already, or needs all that are left of it.

And a project must be selected that is the only one left to serve one that must, or
that a group needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from pmo_analytics.optimization.checker.proofs.cuts import Proofs
from pmo_analytics.optimization.checker.question import (
    OwnRule,
    Project,
    Question,
    state_of,
)

# Sums stay below this, so that 64 bits hold them.
LARGEST = 2**61
# Cells of starts x limits beyond which limits are left out.
MOST_CELLS = 3_000_000
# Units that the largest use of a limit is divided into at most: where it has a price,
# and where its sums only have to fit into 64 bits.
_FINEST = 10**7
_LONGEST = 10**15


def narrow_starts(question: Question) -> None:
    """Remove starts that no accepted plan can have.

    Projects that every plan has are marked as such. Where there is no plan at all
    everything stays as it is.
    """
    found = Narrowing.of(question, Proofs(question))
    if found is None:
        return
    left, must = found.everything()
    if not found.narrow(left, must):
        return
    for p, project in enumerate(found.projects):
        span = slice(found.first[p], found.first[p + 1])
        kept = zip(project.allowed, left[span].tolist(), strict=True)
        question.projects[project.name] = project._replace(
            allowed=tuple(s for s, stays in kept if stays),
            why=project.why or ("required" if must[p] else ""),
        )


class Narrowing:
    """The arrays of a question: starts of its live projects, what they use.

    Attributes
    ----------
    projects
        Those with a start left, in order.
    number
        Name -> place among them.
    first
        Starts of project p are `first[p] .. first[p + 1] - 1`.
    owner, starts
        Project and offset of each start.
    limited
        Whether limits are among what conclusions are drawn from.
    """

    def __init__(self, question: Question, projects: list[Project]) -> None:
        self.projects = projects
        self.number = {project.name: p for p, project in enumerate(projects)}
        counts = [len(project.allowed) for project in projects]
        self.first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.owner = np.repeat(np.arange(len(projects)), counts)
        self.starts = np.array(
            [s for project in projects for s in project.allowed], dtype=np.int64
        )
        self.limited = False
        self.room = np.zeros(0, dtype=np.int64)
        self.use = np.zeros((len(self.starts), 0), dtype=np.int64)
        self.links: list[tuple[int, list[tuple[int, np.ndarray]]]] = []
        self.groups: list[tuple[np.ndarray, int, int, str]] = []
        self._read_links(question)
        self._read_groups(question)

    @classmethod
    def of(cls, question: Question, proofs: Proofs) -> Narrowing | None:
        """Return the arrays, None where no project has a start.

        Limits are left out where there are too many of them, or numbers that 64 bits
        might not hold, or negative uses, which would make room.
        """
        projects = [
            p for p in question.projects.values() if p.state == "live" and p.allowed
        ]
        options = sum(len(p.allowed) for p in projects)
        if not options:
            return None
        found = cls(question, projects)
        resources = len(question.roles) * question.periods + len(question.budgets)
        resources += len(question.rules) * question.periods
        if options * resources <= MOST_CELLS:
            found.limited = found._read_limits(question, proofs)
        return found

    def _read_limits(self, question: Question, proofs: Proofs) -> bool:
        """Write what starts use of each limit; return whether all of it can be used."""
        columns, rooms = [], []
        for uses, room in _limits(question, proofs):
            column = [u for p in self.projects for u in uses[p.name]]
            if min(column) < 0 or sum(column) > LARGEST or room > LARGEST:
                return False
            if any(column):
                columns.append(column)
                rooms.append(max(room, 0))
        if columns:
            self.use = np.array(columns, dtype=np.int64).T.copy()
            self.room = np.array(rooms, dtype=np.int64)
        return True

    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which starts are left, and which projects must be, to begin with."""
        left = np.ones(len(self.starts), dtype=bool)
        return left, np.array([bool(p.why) for p in self.projects], dtype=bool)

    def _read_links(self, question: Question) -> None:
        for row in question.dependencies:
            j = self.number.get(row.project)
            if not row.in_force or j is None:
                continue
            served = []
            for name in row.targets:
                i = self.number.get(name)
                if i is None:
                    continue
                own, theirs = self._starts_of(j), self._starts_of(i)
                fits = np.ones((len(own), len(theirs)), dtype=bool)
                if row.kind != "selected":
                    low, high = row.span(question.projects[name].duration)
                    lag = own[:, np.newaxis] - theirs[np.newaxis, :]
                    fits = lag >= low
                    if high is not None:
                        fits &= lag <= high
                served.append((i, fits))
            self.links.append((j, served))

    def _starts_of(self, p: int) -> np.ndarray:
        return self.starts[self.first[p] : self.first[p + 1]]

    def _read_groups(self, question: Question) -> None:
        """Note members with a start, least and most of them, and who are all or none.

        The last is "all" beside a finished member, "none" beside one that is out.
        """
        for group in question.groups.values():
            inside = [self.number[m] for m in group.members if m in self.number]
            members = np.array(inside, dtype=np.int64)
            done = len(group.done)
            least = 0 if group.at_least is None else group.at_least - done
            most = len(inside) if group.at_most is None else group.at_most - done
            together = ""
            if group.all_or_none:
                whole = len(inside) + done == len(group.members)
                together = "together" if whole else "none"
                if done:
                    together = "all" if whole else "never"
            self.groups.append((members, least, most, together))

    def narrow(self, left: np.ndarray, must: np.ndarray) -> bool:
        """Remove starts that no plan of this part can have; False without a plan."""
        while True:
            before = int(left.sum()), int(must.sum())
            if not (
                self._make_room(left, must)
                and self._follow(left, must)
                and self._count(left, must)
            ):
                return False
            if before == (int(left.sum()), int(must.sum())):
                return True

    def _make_room(self, left: np.ndarray, must: np.ndarray) -> bool:
        alive = np.add.reduceat(left, self.first[:-1]) > 0
        if (must & ~alive).any():
            return False
        inside = np.flatnonzero(must)
        if not self.room.size:
            return True
        least = np.zeros((len(self.projects), len(self.room)), dtype=np.int64)
        for p in inside.tolist():
            span = np.arange(self.first[p], self.first[p + 1])
            least[p] = self.use[span[left[span]]].min(axis=0)
        spare = self.room - least.sum(axis=0)
        if (spare < 0).any():
            return False
        here = np.flatnonzero(left)
        over = self.use[here] > spare + least[self.owner[here]]
        left[here[over.any(axis=1)]] = False
        return True

    def _follow(self, left: np.ndarray, must: np.ndarray) -> bool:
        for j, served in self.links:
            own = left[self.first[j] : self.first[j + 1]]
            if not own.any():
                if must[j]:
                    return False
                continue
            can = np.zeros(len(own), dtype=bool)
            by = []
            for i, fits in served:
                theirs = left[self.first[i] : self.first[i + 1]]
                mine = fits[:, theirs].any(axis=1) & own
                can |= mine
                if mine.any():
                    by.append((i, fits))
            own &= can
            if not must[j]:
                continue
            if not own.any():
                return False
            if len(by) == 1:
                i, fits = by[0]
                must[i] = True
                theirs = left[self.first[i] : self.first[i + 1]]
                theirs &= fits[own].any(axis=0)
        return True

    def _count(self, left: np.ndarray, must: np.ndarray) -> bool:
        alive = np.add.reduceat(left, self.first[:-1]) > 0
        for members, least, most, together in self.groups:
            living, chosen = alive[members], must[members]
            if together == "never" or living.sum() < least or chosen.sum() > most:
                return False
            out = members[:0]
            if together == "none" or (together and not living.all()):
                out = members
            elif together == "all" or (together and chosen.any()):
                must[members] = True
            if together == "all" and not living.all():
                return False
            if chosen.sum() == most:
                out = np.union1d(out, members[~chosen])
            if least > 0 and living.sum() == least:
                must[members[living]] = True
            for p in out.tolist():
                if must[p]:
                    return False
                left[self.first[p] : self.first[p + 1]] = False
                alive[p] = False
        return True


def coarse(
    counts: dict[str, list[int]], most: int, unit: int, finest: int = _FINEST
) -> tuple[dict[str, list[int]], int, Fraction]:
    """Return a row in units that are not too fine, with all plans that kept it.

    Everything is divided by what all counts are multiples of, which loses nothing.
    Hours turned into FTE have sixteen digits all the same; sums of numbers like that
    may not fit into 64 bits, and prices per unit of them would be nothing. A project
    starts once, so that rounding to the nearest adds half a unit for each at most.

    Parameters
    ----------
    counts
        Project -> what each start counts.
    most
        What the sum may be at most.
    unit
        Units of a whole; counts and `most` are in them.
    finest
        The largest count that is left as it is.
    """
    step = math.gcd(*(count for own in counts.values() for count in own))
    if step > 1:
        counts = {name: [c // step for c in own] for name, own in counts.items()}
        most //= step
    whole = Fraction(unit, max(step, 1))
    peak = max((abs(c) for own in counts.values() for c in own), default=0)
    if peak <= finest:
        return counts, most, whole
    rounded = {
        name: [(2 * count * finest + peak) // (2 * peak) for count in own]
        for name, own in counts.items()
    }
    return rounded, -(-most * finest // peak) + len(counts), whole * finest / peak


def _limits(
    question: Question, proofs: Proofs
) -> list[tuple[Mapping[str, list[int]], int]]:
    """Return uses by project and start, and room, of every limit."""
    found: list[tuple[Mapping[str, list[int]], int]] = []
    for role in question.roles:
        for t in range(question.periods):
            found.append(coarse(*proofs.load_on(role, t), _LONGEST)[:2])
    for budget in question.budgets.values():
        if budget.limit is not None:
            found.append(coarse(*proofs.spend_on(budget), _LONGEST)[:2])
    for rule in question.rules.values():
        found += _rule_limits(question, rule)
    return found


def _rule_limits(
    question: Question, rule: OwnRule
) -> Iterator[tuple[Mapping[str, list[int]], int]]:
    """Yield uses and room of a rule, of every period where it counts work."""
    weights = rule.weights
    if rule.of_themes:
        return  # no sum over projects
    if min(weights.values(), default=Fraction(0)) < 0:
        return
    unit = math.lcm(*(weight.denominator for weight in weights.values()))
    live = [p for p in question.projects.values() if p.state == "live" and p.allowed]
    for t in range(question.periods) if rule.by_period else [None]:
        upper = rule.upper(t)
        if upper is None:
            continue
        room = upper + rule.grace
        if t is None:
            for name, weight in weights.items():
                room -= weight if state_of(question, name) == "done" else 0
        uses = {}
        for p in live:
            units = int(weights.get(p.name, Fraction(0)) * unit)
            uses[p.name] = [
                units if t is None or 0 <= t - s < p.duration else 0 for s in p.allowed
            ]
        yield coarse(uses, math.floor(room * unit), unit, _LONGEST)[:2]
