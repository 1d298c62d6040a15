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
    use_first, use_row, use_amount
        CSR over options: limited thing and amount of it, increasing.
    limit
        Shape (M,): amount available; inf where nothing limits it.
    least
        Shape (M,): amount that has to be used; -inf where none.
    dependency_project, dependency_kind, dependency_first
        Shape (D,), (D,), (D + 1,): dependencies in force; kind 1 = by start dates,
        0 = selection only. `dependency_first` points into the next three.
    dependency_target, dependency_lag, dependency_lag_max
        Projects that can serve and the periods from their start to the start of
        `dependency_project` (NO_LIMIT = no upper limit).
    dependency_single
        Shape (D,): the dependency names one project, not a group.
    group_first, group_project
        CSR over groups: members that may be selected.
    group_least, group_most, group_all
        Shape (G,): least (0 = none) and most (NO_LIMIT = none) of those members;
        and 0 = only these limits, TOGETHER, ALL or NONE.
    sizes
        `[roles, periods, budgets]`.
    linear_first, linear_option, linear_weight
        CSR over the rules with weights of either sign: options and what each adds.
    linear_lower, linear_upper
        Limits of those sums, infinite where there is none.
    distinct_most, distinct_count, distinct_class, distinct_first, distinct_option
        Counts of different themes at work, see `counts.Counts`.
    slack, linear_slack
        Shape (M,) and as `linear_lower`: by how much sums of floats may exceed a limit
        and are still within it, see `grain`.
    unit, linear_unit
        Likewise: the amount that a solver is to see as 1.
    constant
        Shape (1,): part of the objective that no option decides; the model is written
        without it.
    buy_offer, buy_resource, buy_length
        Shape (F,): capacity that can be bought. A column belongs to an offer (row of
        `flex`, from 1) and adds to the limits of `buy_length` resources from
        `buy_resource` on: of one period, or for a hire of all periods until the offer
        ends.
    buy_joint
        Number of the hire whose columns together are at most `buy_most`, else -1.
    twin
        Shape (P,) or empty: the project before it among those that are the same in
        everything, else -1. Their order is then the last of the rules.
    buy_cost, buy_most
        Cost of 1 FTE over all its periods, discounted; most FTE.
    """

    first: np.ndarray
    project: np.ndarray
    start: np.ndarray
    worth: np.ndarray
    tie: np.ndarray
    must: np.ndarray
    use_first: np.ndarray
    use_row: np.ndarray
    use_amount: np.ndarray
    limit: np.ndarray
    least: np.ndarray
    dependency_project: np.ndarray
    dependency_kind: np.ndarray
    dependency_first: np.ndarray
    dependency_target: np.ndarray
    dependency_lag: np.ndarray
    dependency_lag_max: np.ndarray
    dependency_single: np.ndarray
    group_first: np.ndarray
    group_project: np.ndarray
    group_least: np.ndarray
    group_most: np.ndarray
    group_all: np.ndarray
    sizes: np.ndarray
    linear_first: np.ndarray = field(default_factory=_one_zero)
    linear_option: np.ndarray = field(default_factory=_no_numbers)
    linear_weight: np.ndarray = field(default_factory=_no_amounts)
    linear_lower: np.ndarray = field(default_factory=_no_amounts)
    linear_upper: np.ndarray = field(default_factory=_no_amounts)
    distinct_most: np.ndarray = field(default_factory=_no_numbers)
    distinct_count: np.ndarray = field(default_factory=_no_numbers)
    distinct_class: np.ndarray = field(default_factory=_no_numbers)
    distinct_first: np.ndarray = field(default_factory=_one_zero)
    distinct_option: np.ndarray = field(default_factory=_no_numbers)
    slack: np.ndarray = field(default_factory=_no_amounts)
    unit: np.ndarray = field(default_factory=_no_amounts)
    linear_slack: np.ndarray = field(default_factory=_no_amounts)
    linear_unit: np.ndarray = field(default_factory=_no_amounts)
    constant: np.ndarray = field(default_factory=_nothing)
    twin: np.ndarray = field(default_factory=_no_numbers)
    buy_offer: np.ndarray = field(default_factory=_no_numbers)
    buy_resource: np.ndarray = field(default_factory=_no_numbers)
    buy_length: np.ndarray = field(default_factory=_no_numbers)
    buy_joint: np.ndarray = field(default_factory=_no_numbers)
    buy_cost: np.ndarray = field(default_factory=_no_amounts)
    buy_most: np.ndarray = field(default_factory=_no_amounts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array by name, for npz."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Options:
        """Return the options that `arrays` gave."""
        return cls(**{f.name: arrays[f.name] for f in fields(cls)})

    def gains(self) -> np.ndarray:
        """Return what each column of the model adds to the objective.

        After the options come the purchases as shares of their `buy_most`.
        """
        if not len(self.buy_resource):
            return self.worth
        return np.concatenate([self.worth, -self.buy_cost * self.buy_most])

    def only(self, keep: np.ndarray, must: np.ndarray | None = None) -> Options:
        """Return the same question with some options; every number but theirs stays.

        Parameters
        ----------
        keep
            Shape (N,), which options remain.
        must
            Shape (P,), projects that have to be selected; None = the same ones.
        """
        count = np.diff(self.use_first)
        used = np.repeat(keep, count)
        project = self.project[keep]
        return replace(
            self,
            **self._cut(keep),
            first=np.searchsorted(project, np.arange(len(self.first))),
            project=project,
            start=self.start[keep],
            worth=self.worth[keep],
            tie=self.tie[keep],
            must=self.must if must is None else must,
            use_first=np.concatenate([[0], np.cumsum(count[keep])]).astype(np.int64),
            use_row=self.use_row[used],
            use_amount=self.use_amount[used],
        )

    def _cut(self, keep: np.ndarray) -> dict[str, np.ndarray]:
        """Return the rows over options, of those that are kept."""
        place, cut = np.cumsum(keep) - 1, {}
        for kind in ("linear", "distinct"):
            first = getattr(self, f"{kind}_first")
            option = getattr(self, f"{kind}_option")
            before = np.concatenate([[0], np.cumsum(keep[option])]).astype(np.int64)
            cut[f"{kind}_first"] = before[first]
            cut[f"{kind}_option"] = place[option[keep[option]]]
        cut["linear_weight"] = self.linear_weight[keep[self.linear_option]]
        return cut

    def span(self, project: int) -> np.ndarray:
        """Return the options of a project."""
        return np.arange(self.first[project], self.first[project + 1])

    def uses(self, option: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the limited things that an option uses, and how much of each."""
        span = slice(self.use_first[option], self.use_first[option + 1])
        return self.use_row[span], self.use_amount[span]

    def use_option(self) -> np.ndarray:
        """Return the option that each use belongs to, as long as `use_row`."""
        return np.repeat(np.arange(len(self.project)), np.diff(self.use_first))

    @property
    def counts(self) -> Counts:
        """The counts of different themes."""
        return Counts(
            self.distinct_most,
            self.distinct_count,
            self.distinct_class,
            self.distinct_first,
            self.distinct_option,
        )

    def rows_hold(self, chosen: np.ndarray) -> bool:
        """Return whether a choice keeps the rules that are no sums of its uses."""
        if not self.counts.hold(chosen, len(self.project)):
            return False
        if len(self.linear_first) == 1:
            return True
        taken = np.zeros(len(self.project))
        taken[chosen] = 1.0
        owner = np.repeat(np.arange(len(self.linear_lower)), np.diff(self.linear_first))
        sums = np.bincount(
            owner,
            self.linear_weight * taken[self.linear_option],
            minlength=len(self.linear_lower),
        )
        return bool(
            (sums <= self.linear_upper + self.linear_slack).all()
            and (sums >= self.linear_lower - self.linear_slack).all()
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
        return largest_sums(owner, self.use_row, self.use_amount, len(self.limit))


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
    if len(options.buy_resource) or len(options.counts):
        return False
    return 0 < many <= _MOST_BRANCHED and many * len(options.limit) <= _MOST_CELLS


def carries_cuts(options: Options) -> bool:
    """Return whether the relaxation of options like these can be solved many times.

    Cuts follow from limits that nothing is added to.
    """
    return len(options.project) <= _MOST_CUT and not len(options.buy_resource)
