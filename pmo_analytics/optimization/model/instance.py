"""The arrays of a portfolio: every start a project may take, and what it uses.

An option is one project with one start. Its use of every limited thing (capacity of
a role in a period, a budget row) and its worth are worked out once, by `compiling`;
models, greedy and bounds are all written over options. Only numpy is needed here, so
that a solver's process starts fast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from pmo_analytics.optimization.model.counts import Counts

NO_LIMIT = np.iinfo(np.int64).max // 4
# What an all-or-none group asks of the members that may still be selected: to agree,
# or, beside a member that is done or out, to be selected or not.
TOGETHER, ALL, NONE = 1, 2, 3
# Options, and cells of options x limits, beyond which a node of branches takes too
# long, here or in the checker.
_MOST_BRANCHED, _MOST_CELLS = 2_000, 3_000_000
# Options beyond which the relaxation takes too long to be solved time and again.
_MOST_CUT = 8_000


def _no_numbers() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


def _one_zero() -> np.ndarray:
    return np.zeros(1, dtype=np.int64)


def _nothing() -> np.ndarray:
    return np.zeros(1)


def _no_amounts() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class Uses:
    """What each option uses: CSR over options, rows increasing.

    Attributes
    ----------
    first
        Shape (N + 1,).
    row, amount
        Limited thing, and how much of it.
    """

    first: np.ndarray
    row: np.ndarray
    amount: np.ndarray


@dataclass(frozen=True)
class Dependencies:
    """Dependencies in force. D of them, each with projects that can serve it.

    Attributes
    ----------
    project, kind, first
        Shape (D,), (D,), (D + 1,): who asks; 1 = by start dates, 0 = selection only;
        where its targets are.
    target, lag, lag_max
        Projects that can serve and the periods from their start to the start of
        `project` (NO_LIMIT = no upper limit).
    single
        Shape (D,): it names one project, not a group.
    """

    project: np.ndarray
    kind: np.ndarray
    first: np.ndarray
    target: np.ndarray
    lag: np.ndarray
    lag_max: np.ndarray
    single: np.ndarray


@dataclass(frozen=True)
class Groups:
    """Groups of projects. G of them.

    Attributes
    ----------
    first, project
        CSR over groups: members that may be selected.
    least, most, all
        Shape (G,): least (0 = none) and most (NO_LIMIT = none) of those members;
        and 0 = only these limits, TOGETHER, ALL or NONE.
    """

    first: np.ndarray
    project: np.ndarray
    least: np.ndarray
    most: np.ndarray
    all: np.ndarray


@dataclass(frozen=True)
class LinearRows:
    """Rules with weights of either sign.

    Attributes
    ----------
    first, option, weight
        CSR over rules: options and what each adds.
    lower, upper
        Limits of those sums, infinite where there is none.
    slack, unit
        By how much sums of floats may exceed them, and the amount that a solver is to
        see as 1, see `grain`.
    """

    first: np.ndarray = field(default_factory=_one_zero)
    option: np.ndarray = field(default_factory=_no_numbers)
    weight: np.ndarray = field(default_factory=_no_amounts)
    lower: np.ndarray = field(default_factory=_no_amounts)
    upper: np.ndarray = field(default_factory=_no_amounts)
    slack: np.ndarray = field(default_factory=_no_amounts)
    unit: np.ndarray = field(default_factory=_no_amounts)


@dataclass(frozen=True)
class Purchases:
    """Capacity that can be bought. F columns, each of an offer (row of `flex`, from 1).

    Attributes
    ----------
    offer, resource, length
        Shape (F,): a column adds to the limits of `length` resources from `resource`
        on: of one period, or for a hire of all periods until the offer ends.
    joint
        Number of the hire whose columns together are at most `most`, else -1.
    cost, most
        Cost of 1 FTE over all its periods, discounted; most FTE.
    """

    offer: np.ndarray = field(default_factory=_no_numbers)
    resource: np.ndarray = field(default_factory=_no_numbers)
    length: np.ndarray = field(default_factory=_no_numbers)
    joint: np.ndarray = field(default_factory=_no_numbers)
    cost: np.ndarray = field(default_factory=_no_amounts)
    most: np.ndarray = field(default_factory=_no_amounts)

    def only(self, columns: np.ndarray) -> Purchases:
        """Return some of the columns."""
        return Purchases(*(getattr(self, f.name)[columns] for f in fields(self)))


# Arrays that belong together travel as `name of the group_name`.
_PARTS: dict[str, type[Any]] = {
    "use": Uses,
    "dependency": Dependencies,
    "group": Groups,
    "linear": LinearRows,
    "counts": Counts,
    "buy": Purchases,
}


@dataclass(frozen=True)
class Options:
    """The arrays of one portfolio. P projects, N options, M limited things.

    Limited things are numbered: role r in period t is `r * periods + t`; after all
    of those comes one number per budget row, and then one per rule, or rule and
    period, whose weights are not negative.

    Attributes
    ----------
    first
        Shape (P + 1,): options of project p are `first[p] .. first[p + 1] - 1`,
        starts increasing.
    project, start, worth
        Shape (N,): project number, start offset, contribution to the objective.
    tie
        Shape (N,): what ties are broken by, smallest sum first.
    must
        Shape (P,): has to be selected.
    use
        What options use of limited things.
    limit
        Shape (M,): amount available; inf where nothing limits it.
    least
        Shape (M,): amount that has to be used; -inf where none.
    dependency, group
        Of projects.
    sizes
        `[roles, periods, budgets]`.
    slack
        Shape (M,): by how much sums of floats may exceed a limit and are still within
        it, see `grain`.
    unit
        Shape (M,): the amount that a solver is to see as 1.
    linear
        Rules with weights of either sign.
    counts
        Counts of different themes at work.
    constant
        Shape (1,): part of the objective that no option decides; the model is written
        without it.
    buy
        Capacity that can be bought.
    twin
        Shape (P,) or empty: the project before it among those that are the same in
        everything, else -1. Their order is then the last of the rules.
    """

    first: np.ndarray
    project: np.ndarray
    start: np.ndarray
    worth: np.ndarray
    tie: np.ndarray
    must: np.ndarray
    use: Uses
    limit: np.ndarray
    least: np.ndarray
    dependency: Dependencies
    group: Groups
    sizes: np.ndarray
    slack: np.ndarray = field(default_factory=_no_amounts)
    unit: np.ndarray = field(default_factory=_no_amounts)
    linear: LinearRows = field(default_factory=LinearRows)
    counts: Counts = field(default_factory=Counts)
    constant: np.ndarray = field(default_factory=_nothing)
    buy: Purchases = field(default_factory=Purchases)
    twin: np.ndarray = field(default_factory=_no_numbers)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array by name, for npz."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        parts = {name: plain.pop(name) for name in _PARTS}
        return plain | {
            f"{name}_{f.name}": getattr(part, f.name)
            for name, part in parts.items()
            for f in fields(part)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Options:
        """Return the options that `arrays` gave."""
        own: dict[str, Any] = {
            name: kind(**{f.name: arrays[f"{name}_{f.name}"] for f in fields(kind)})
            for name, kind in _PARTS.items()
        }
        plain = [f.name for f in fields(cls) if f.name not in own]
        own |= {name: arrays[name] for name in plain}
        return cls(**own)

    def gains(self) -> np.ndarray:
        """Return what each column of the model adds to the objective.

        After the options come the purchases as shares of the most there is.
        """
        if not len(self.buy.resource):
            return self.worth
        return np.concatenate([self.worth, -self.buy.cost * self.buy.most])

    def only(self, keep: np.ndarray, must: np.ndarray | None = None) -> Options:
        """Return the same question with some options; every number but theirs stays.

        Parameters
        ----------
        keep
            Shape (N,), which options remain.
        must
            Shape (P,), projects that have to be selected; None = the same ones.
        """
        count = np.diff(self.use.first)
        used = np.repeat(keep, count)
        project = self.project[keep]
        place = np.cumsum(keep) - 1
        linear, counts = self.linear, self.counts
        stays, counted = keep[linear.option], keep[counts.column]
        return replace(
            self,
            first=np.searchsorted(project, np.arange(len(self.first))),
            project=project,
            start=self.start[keep],
            worth=self.worth[keep],
            tie=self.tie[keep],
            must=self.must if must is None else must,
            use=Uses(_begins(count[keep]), self.use.row[used], self.use.amount[used]),
            linear=replace(
                linear,
                first=_begins(stays)[linear.first],
                option=place[linear.option[stays]],
                weight=linear.weight[stays],
            ),
            counts=replace(
                counts,
                first=_begins(counted)[counts.first],
                column=place[counts.column[counted]],
            ),
        )

    def span(self, project: int) -> np.ndarray:
        """Return the options of a project."""
        return np.arange(self.first[project], self.first[project + 1])

    def uses(self, option: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the limited things that an option uses, and how much of each."""
        span = slice(self.use.first[option], self.use.first[option + 1])
        return self.use.row[span], self.use.amount[span]

    def use_option(self) -> np.ndarray:
        """Return the option that each use belongs to, as long as `use.row`."""
        return np.repeat(np.arange(len(self.project)), np.diff(self.use.first))

    def rows_hold(self, chosen: np.ndarray) -> bool:
        """Return whether a choice keeps the rules that are no sums of its uses."""
        if not self.counts.hold(chosen, len(self.project)):
            return False
        if len(self.linear.first) == 1:
            return True
        taken = np.zeros(len(self.project))
        taken[chosen] = 1.0
        owner = np.repeat(np.arange(len(self.linear.lower)), np.diff(self.linear.first))
        sums = np.bincount(
            owner,
            self.linear.weight * taken[self.linear.option],
            minlength=len(self.linear.lower),
        )
        return bool(
            (sums <= self.linear.upper + self.linear.slack).all()
            and (sums >= self.linear.lower - self.linear.slack).all()
        )

    def most_worth(self) -> float:
        """Return what no plan exceeds, with no limits: the best of each project."""
        best = np.full(len(self.must), -np.inf)
        np.maximum.at(best, self.project, self.worth)
        best = np.where(self.must, best, np.maximum(best, 0.0))
        return math.fsum(best[np.isfinite(best)])

    def largest_use(self) -> np.ndarray:
        """Return the most that all projects together could use of each thing, (M,)."""
        owner = self.project[self.use_option()]
        return largest_sums(owner, self.use.row, self.use.amount, len(self.limit))


def _begins(sizes: np.ndarray) -> np.ndarray:
    """Return where each of some stretches begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def largest_sums(
    project: np.ndarray, row: np.ndarray, amount: np.ndarray, rows: int
) -> np.ndarray:
    """Return the most that one option of each project could add up to, by row."""
    key = project * np.int64(max(rows, 1)) + row
    unique, place = np.unique(key, return_inverse=True)
    peak = np.zeros(len(unique))
    np.maximum.at(peak, place, amount)
    return np.bincount(unique % max(rows, 1), peak, minlength=rows)


def carries_branches(options: Options) -> bool:
    """Return whether a proof by branches is worth its time on options like these."""
    many = len(options.project)
    if len(options.buy.resource) or len(options.counts):
        return False
    return 0 < many <= _MOST_BRANCHED and many * len(options.limit) <= _MOST_CELLS


def carries_cuts(options: Options) -> bool:
    """Return whether the relaxation of options like these can be solved many times.

    Cuts follow from limits that nothing is added to.
    """
    return len(options.project) <= _MOST_CUT and not len(options.buy.resource)
