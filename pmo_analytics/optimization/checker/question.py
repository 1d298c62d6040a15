"""The question a checker answers: one portfolio in plain, exact numbers.

Amounts are whole multiples of a unit, limits are fractions, periods are offsets from
the first period of the horizon. `certify_reading` fills it from the tables.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.optimization.checker.tolerance import TOLERANCE, largest_rounding

# Exact powers beyond this exponent take minutes and mean nothing.
FARTHEST = 10_000


class Project(NamedTuple):
    """One project; periods are offsets from the first of the horizon."""

    name: str
    state: str  # "live", "done", "cancelled" or "out"
    why: str  # why it must be selected; "" if it need not be
    running: bool
    kept: bool  # its start is given, not chosen
    duration: int
    start: int | None
    earliest: int | None
    latest: int | None
    deadline: int | None
    last: int  # last start that the horizon allows
    theme: str | None
    program: str | None
    blackouts: tuple[tuple[str, int, int], ...]
    allowed: tuple[int, ...]


class Kind(NamedTuple):
    """What budget filters look at; spend of one kind falls under the same rows."""

    fund: str | None
    category: str | None
    theme: str | None
    program: str | None


class Budget(NamedTuple):
    """One budget row, its span cut to the horizon."""

    name: str
    filters: Kind
    first: int
    last: int
    limit: Fraction | None  # raised to what fixed work spends
    at_least: Fraction | None
    grace: Fraction  # tolerance of the largest sum there can be

    def covers(self, kind: Kind) -> bool:
        """Return whether spend of this kind falls under the row."""
        return all(
            wanted is None or wanted == found
            for wanted, found in zip(self.filters, kind, strict=True)
        )


class Dependency(NamedTuple):
    """One dependency row: `project` after a target that `requires` names."""

    project: str
    requires: str
    kind: str
    lag: int
    lag_max: int | None
    single: bool
    known: bool
    targets: tuple[str, ...]  # live projects that can serve
    in_force: bool  # False where dropped, or satisfied by finished work

    def span(self, duration: int) -> tuple[int, int | None]:
        """Return the least and greatest start after the target's start."""
        length = duration if self.kind == "finish_start" else 0
        high = None if self.lag_max is None else self.lag_max + length
        return self.lag + length, high


class Group(NamedTuple):
    """One group with the rules of all its rows."""

    name: str
    members: tuple[str, ...]
    all_or_none: bool
    at_least: int | None
    at_most: int | None
    done: frozenset[str]


class OwnRule(NamedTuple):
    """One rule of the table `rules`: a sum of weights, or of themes, between limits."""

    name: str
    by_period: bool  # over projects at work, in every period
    of_themes: bool  # every different theme counts 1, whatever the weights
    weights: dict[str, Fraction]
    at_least: Fraction | None
    at_most: Fraction | None
    raised: dict[int, Fraction]  # period -> what fixed work adds up to, if above

    def upper(self, t: int | None) -> Fraction | None:
        """Return the upper limit in force; t is None where it applies once."""
        return self.at_most if t is None else self.raised.get(t, self.at_most)

    @property
    def grace(self) -> Fraction:
        """Return the tolerance of the largest sum there can be."""
        limits = [self.at_least, self.at_most, *self.raised.values()]
        return largest_rounding(self.weights.values(), limits)


class RecordPrices(NamedTuple):
    """The plan of record and what changes of it cost."""

    starts: dict[str, int]
    change: Fraction  # of a changed project
    move: Fraction  # of a period moved


class Offer(NamedTuple):
    """One row of `flex`: capacity that can be bought from `first` to `last`."""

    number: int
    role: str
    kind: str
    first: int
    last: int
    most: Fraction
    cost: Fraction  # of 1 FTE in one period


Uses = dict[str, list[tuple[int, int]]]


class Worth(NamedTuple):
    """What projects bring in, before it is discounted."""

    amounts: dict[str, dict[int, int]]  # project -> offset -> units
    unit: int
    growth: Fraction  # 1 + discount


@dataclass
class Question:
    """All that a plan is held against, read once from the tables."""

    first: pd.Period
    periods: int
    projects: dict[str, Project]
    demand: dict[str, Uses]  # project -> role -> (offset, units)
    demand_unit: int
    spend: dict[str, dict[Kind, list[tuple[int, int]]]]
    spend_unit: int
    worth: Worth
    capacity: dict[tuple[str, int], Fraction]
    fixed_load: dict[tuple[str, int], int]
    roles: dict[str, None]  # every role with capacity or demand, in order
    budgets: dict[str, Budget] = field(default_factory=dict)
    dependencies: list[Dependency] = field(default_factory=list)
    dependency_rows: dict[tuple[str, str, str], Dependency] = field(
        default_factory=dict
    )
    groups: dict[str, Group] = field(default_factory=dict)
    inherited: list[dict[str, Any]] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    rules: dict[str, OwnRule] = field(default_factory=dict)
    record: RecordPrices | None = None

    def text(self, offset: int) -> str:
        """Return the period at an offset as the reader writes it."""
        if abs(offset) > FARTHEST:
            return f"{offset:+,} periods from {format_period(self.first)}"
        return format_period(self.first + offset)

    def capacity_limit(self, role: str, t: int) -> Fraction:
        """Return FTE that may be loaded; a missing cell is 0 and never raised."""
        given = self.capacity.get((role, t))
        if given is None:
            return Fraction(0)
        limit = max(given, Fraction(0))
        fixed = Fraction(self.fixed_load.get((role, t), 0), self.demand_unit)
        return fixed if fixed > limit + TOLERANCE else limit

    def most_for_sale(self, role: str, t: int) -> Fraction:
        """Return the FTE that all offers together can add."""
        return sum(
            (
                offer.most
                for offer in self.offers.values()
                if offer.role == role and offer.first <= t <= offer.last
            ),
            Fraction(0),
        )


def state_of(question: Question, name: str | None) -> str:
    """Return the state of a project, "unknown" where there is none of this name."""
    project = question.projects.get(name or "")
    return "unknown" if project is None else project.state


def faults(project: Project, s: int) -> Iterator[tuple[str, int | None]]:
    """Yield each rule that a start at offset `s` breaks, and the period it names."""
    finish = s + project.duration - 1
    if project.kept and s != project.start:
        yield "start_kept", project.start
    if project.running:
        return
    if not project.kept:
        yield from _outside(project, s)
    if project.deadline is not None and finish > project.deadline:
        yield "deadline", project.deadline
    for applies_to, begin, end in project.blackouts:
        low = finish if applies_to == "finish" else s
        high = s if applies_to == "start" else finish
        if low <= end and high >= begin:
            yield "blackout", begin


def _outside(project: Project, s: int) -> Iterator[tuple[str, int | None]]:
    """Yield the ends of the window and of the horizon that a start lies beyond."""
    if project.earliest is not None and s < project.earliest:
        yield "window", project.earliest
    if project.latest is not None and s > project.latest:
        yield "window", project.latest
    if s < 0:
        yield "horizon", 0
    if s > project.last:
        yield "horizon", project.last


def fixed_starts(question: Question) -> dict[str, int]:
    """Return starts of projects that every plan contains, and only so."""
    return {
        p.name: p.allowed[0]
        for p in question.projects.values()
        if p.why and len(p.allowed) == 1
    }


def rule_weights(
    question: Question, rule: OwnRule, selected: Collection[str], t: int | None
) -> list[Fraction]:
    """Return what a rule adds up: of what is selected and done, or at work in t.

    Weights, or 1 for every different theme.

    Parameters
    ----------
    selected
        Live projects; for work a mapping to their starts.
    """
    weights = []
    themes: set[str | None] = set()
    for name, weight in rule.weights.items():
        state = state_of(question, name)
        if t is None:
            counts = state == "done" or (state == "live" and name in selected)
        else:
            counts = (
                state == "live"
                and isinstance(selected, Mapping)
                and name in selected
                and 0 <= t - selected[name] < question.projects[name].duration
            )
        if counts:
            weights.append(weight)
            themes.add(question.projects[name].theme)
    if rule.of_themes:
        return [Fraction(1)] * len(themes - {None})
    return weights


def load_of(
    question: Question, starts: Mapping[str, int]
) -> dict[tuple[str, int], int]:
    """Return load by role and period in demand units."""
    load: defaultdict[tuple[str, int], int] = defaultdict(int)
    for name, s in starts.items():
        for role, uses in question.demand.get(name, {}).items():
            for offset, units in uses:
                if 0 <= s + offset < question.periods:
                    load[role, s + offset] += units
    return load


def spent_of(
    question: Question, starts: Mapping[str, int], *, sizes: bool = False
) -> dict[Kind, list[int]]:
    """Return spend by kind, one sum per period, in spend units.

    With `sizes` of absolute amounts.
    """
    spent: dict[Kind, list[int]] = {}
    for name, s in starts.items():
        for kind, uses in question.spend.get(name, {}).items():
            sums = spent.setdefault(kind, [0] * question.periods)
            for offset, units in uses:
                if 0 <= s + offset < question.periods:
                    sums[s + offset] += abs(units) if sizes else units
    return spent


def budget_use(
    question: Question, budget: Budget, spent: Mapping[Kind, list[int]]
) -> Fraction:
    """Return what a budget row covers of the spend in `spent_of`, in currency."""
    units = sum(
        sum(sums[budget.first : budget.last + 1])
        for kind, sums in spent.items()
        if budget.covers(kind)
    )
    return Fraction(units, question.spend_unit)


def to_float(value: Fraction) -> float:
    """Return the nearest float, infinite where no float is large enough."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
