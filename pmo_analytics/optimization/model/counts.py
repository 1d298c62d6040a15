"""Counts of different classes: at most N themes at work in a period.

A class of a count (a theme in a period) is open where an option of one of its members
(a project at work then) is taken. As rows that needs a column per class, z = 1 where it
is open: the options of each member add up to at most z, and the z of a count to at most
its limit; z need not be whole. Solvers are given those columns (`Counts.write`);
everybody else asks which classes a choice holds open and what still fits (`Room`), so
that the columns of all searches stay the options.

What a count proves needs no z: members that are charged for being taken pay at most as
much as the dearest classes, as many as may be open (`Counts.dearest`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pmo_analytics.optimization.model.rows import RowLabel, Rows


def _none() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


def _begin() -> np.ndarray:
    return np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Counts:
    """Counts of different classes. C counts, S classes, L members.

    Attributes
    ----------
    most
        Shape (C,): how many classes of each count may be open.
    count
        Shape (S,): the count that each class belongs to, increasing.
    belongs
        Shape (L,): the class that each member opens, increasing.
    first, column
        CSR over members: columns that open its class, at most one of them 1.
    """

    most: np.ndarray = field(default_factory=_none)
    count: np.ndarray = field(default_factory=_none)
    belongs: np.ndarray = field(default_factory=_none)
    first: np.ndarray = field(default_factory=_begin)
    column: np.ndarray = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.most)

    def classes(self) -> np.ndarray:
        """Return the class that each entry of `column` opens."""
        return np.repeat(self.belongs, np.diff(self.first))

    def held(self, chosen: np.ndarray, columns: int) -> np.ndarray:
        """Return how many chosen columns hold each class open, (S,)."""
        taken = np.zeros(columns)
        taken[chosen] = 1.0
        weight = taken[self.column]
        return np.bincount(self.classes(), weight, len(self.count)).astype(np.int64)

    def shut(self, held: np.ndarray) -> np.ndarray:
        """Return which classes cannot be opened beside those that are held, (S,)."""
        opened = np.bincount(self.count, held > 0, len(self.most))
        return (held == 0) & (opened >= self.most)[self.count]

    def hold(self, chosen: np.ndarray, columns: int) -> bool:
        """Return whether a choice of columns opens no more classes than it may."""
        if not len(self):
            return True
        return bool((self.excess(self.held(chosen, columns)) <= 0).all())

    def excess(self, held: np.ndarray) -> np.ndarray:
        """Return how many classes of each count are open beyond its limit, (C,)."""
        return np.bincount(self.count, held > 0, len(self.most)) - self.most

    def dearest(self, prices: np.ndarray) -> float:
        """Return what members with prices of at least 0 pay together at most."""
        own = np.bincount(self.belongs, prices, len(self.count))
        order = np.lexsort((-own, self.count))
        first = np.searchsorted(self.count, np.arange(len(self)))
        rank = np.arange(len(own)) - first[self.count[order]]
        return float(own[order][rank < self.most[self.count[order]]].sum())

    def paid_by(self, prices: np.ndarray, columns: int) -> np.ndarray:
        """Return what prices of the members charge each column."""
        each = np.repeat(np.maximum(prices, 0.0), np.diff(self.first))
        return np.bincount(self.column, each, columns)

    def part(self, columns: np.ndarray, kept: np.ndarray, many: int) -> Counts:
        """Return what remains to be counted of some columns beside those that are kept.

        Parameters
        ----------
        columns
            Columns that stay open, which are numbered anew in their order.
        kept
            Columns that are 1 whatever is chosen of the others.
        many
            Columns there are.
        """
        held = self.held(kept, many) > 0
        most = self.most - np.bincount(self.count, held, len(self.most))
        place = np.full(many, -1)
        place[columns] = np.arange(len(columns))
        stays = ~held[self.classes()] & (place[self.column] >= 0)
        owner = np.repeat(np.arange(len(self.belongs)), np.diff(self.first))[stays]
        members, at = np.unique(owner, return_inverse=True)
        return Counts(
            most,
            self.count,
            self.belongs[members],
            np.searchsorted(at, np.arange(len(members) + 1)).astype(np.int64),
            place[self.column[stays]],
        )

    def write(self, rows: Rows, columns: int) -> None:
        """Write the rows of every member and count; z of each class after `columns`."""
        if not len(self):
            return
        size = np.diff(self.first)
        member = np.repeat(np.arange(len(size)), size)
        opens = np.arange(len(size))
        rows.add_block(
            [RowLabel("opens", member) for member in range(len(size))],
            np.concatenate([member, opens]),
            np.concatenate([self.column, columns + self.belongs]),
            np.concatenate([np.ones(len(member)), -np.ones(len(size))]),
            np.full(len(size), -np.inf),
            np.zeros(len(size)),
        )
        rows.add_block(
            [RowLabel("distinct", c) for c in range(len(self))],
            self.count,
            columns + np.arange(len(self.count)),
            np.ones(len(self.count)),
            np.full(len(self), -np.inf),
            self.most.astype(float),
        )


class Room:
    """Which options still fit the counts beside a plan that is being built.

    Parameters
    ----------
    counts, many
        Counts over so many options.

    Attributes
    ----------
    held
        How many placed options hold each class open; may be set back to a copy.
    """

    def __init__(self, counts: Counts, many: int) -> None:
        self.counts = counts
        classes, option = self.counts.classes(), self.counts.column
        order = np.argsort(option, kind="stable")
        self._class = classes[order]
        self._first = np.searchsorted(option[order], np.arange(many + 1))
        self.held = np.zeros(len(self.counts.count), dtype=np.int64)

    def take(self, option: int, sign: int = 1) -> None:
        """Place an option, or with -1 take it away."""
        if len(self.held):
            span = slice(self._first[option], self._first[option + 1])
            self.held[self._class[span]] += sign

    def hold(self, chosen: np.ndarray) -> None:
        """Begin with another plan."""
        if len(self.held):
            self.held = self.counts.held(chosen, len(self._first) - 1)

    def shut(self) -> np.ndarray:
        """Return which classes cannot be opened now, (S,)."""
        return self.counts.shut(self.held)

    def options_of(self, kind: int) -> np.ndarray:
        """Return the options that open a class."""
        lo, hi = np.searchsorted(self.counts.belongs, [kind, kind + 1])
        return self.counts.column[self.counts.first[lo] : self.counts.first[hi]]

    def in_the_way(
        self, option: int, chosen: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return placed options of a class, at random, of each count that is full.

        Parameters
        ----------
        option
            That is to come in.
        chosen
            Shape (P,): option of each project, -1 = none.
        """
        own = self._class[self._first[option] : self._first[option + 1]]
        found = [np.zeros(0, dtype=np.int64)]
        for kind in own[self.shut()[own]].tolist() if len(self.held) else []:
            open_ = self.held > 0
            rivals = np.flatnonzero(
                open_ & (self.counts.count == self.counts.count[kind])
            )
            if len(rivals):
                options = self.options_of(int(rng.choice(rivals)))
                found.append(options[np.isin(options, chosen)])
        return np.unique(np.concatenate(found))

    def fits(self, lo: int, hi: int) -> np.ndarray:
        """Return which of the options lo .. hi - 1 open nothing that is shut."""
        if not len(self.held):
            return np.ones(hi - lo, dtype=bool)
        begin, end = self._first[lo], self._first[hi]
        owner = np.repeat(np.arange(hi - lo), np.diff(self._first[lo : hi + 1]))
        shut = self.shut()[self._class[begin:end]]
        return np.bincount(owner[shut], minlength=hi - lo) == 0
