"""Branches of a certificate: the tree walked through again, in whole numbers.

Each node is a part of all plans: the root is all of them, and a node that is divided
hands the plans in which a project starts at an offset or before it to the first part,
all others to the second. Going down, the starts that no plan of a part can have are
removed (`certify_narrowing`), and then those with which the bound of the node's prices
is no more than `enough`. A project without which it is no more must be selected. So no
plan is worth more than `enough` or the largest bound of the nodes that are not divided;
a part without a plan has none. Nothing is believed of the tree but that it is one: its
prices may be anything.

Amounts, worth and prices are whole multiples of one unit, so that numpy adds them up
exactly; where a sum might not fit into 64 bits, the branches are not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.proofs.bound import row_of
from pmo_analytics.optimization.checker.proofs.cut_reading import Cut, exact_number
from pmo_analytics.optimization.checker.proofs.cuts import Proofs
from pmo_analytics.optimization.checker.proofs.narrowing import (
    LARGEST,
    MOST_CELLS,
    Narrowing,
    coarse,
)
from pmo_analytics.optimization.checker.proofs.work import Work
from pmo_analytics.optimization.checker.proofs.worth import worth_of_starts
from pmo_analytics.optimization.checker.question import Question
from pmo_analytics.optimization.checker.record import dropped

# Steps that the largest worth is made of, about.
_FINE = 10**15
# Products of numbers that are too long for 64 bits, for all nodes together.
_MOST_FINE = 5_000_000


@dataclass(frozen=True)
class Branch:
    """One node, read but not proved.

    Attributes
    ----------
    rows, prices
        Numbers of rows, from 0, and their exact prices.
    project, last
        What it is divided by: a project and the last start of the first part; blank
        where it is not divided.
    """

    rows: list[int]
    prices: list[Fraction]
    project: str = ""
    last: int = 0


@dataclass(frozen=True)
class Tree:
    """The branches of a certificate, nodes before their parts."""

    enough: Fraction
    nodes: list[Branch]


def read_branches(certificate: Mapping[str, Any], rows: int) -> Tree | None:
    """Return the branches of a certificate, None where it has none.

    Parameters
    ----------
    certificate
        JSON object, see the text of `certify`.
    rows
        How many multipliers and cuts it has.

    Raises
    ------
    ConfigError
        If they cannot be read.
    """
    entries = certificate.get("branches", [])
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("'branches' of the certificate must be a list.")
    if not entries:
        return None
    enough = exact_number(certificate.get("enough"))
    if enough is None:
        raise ConfigError("A certificate with branches says what is 'enough'.")
    nodes = []
    for number, entry in enumerate(entries, start=1):
        try:
            nodes.append(_read(entry, rows))
        except ConfigError as error:
            raise ConfigError(f"Certificate, branch {number}: {error}") from None
    ends = 1
    for number, node in enumerate(nodes):
        if ends == 0:
            raise ConfigError(f"Certificate, branch {number + 1}: it is part of none.")
        ends += 1 if node.project else -1
    if ends:
        raise ConfigError("The branches of the certificate break off.")
    return Tree(enough, nodes)


def _read(entry: object, rows: int) -> Branch:
    if not isinstance(entry, Mapping) or not (
        {"prices"} <= set(entry) <= {"prices", "split"}
    ):
        raise ConfigError("it needs 'prices' and may have 'split', nothing else.")
    numbers, prices = [], []
    listed = entry["prices"]
    for pair in listed if isinstance(listed, (list, tuple)) else [None]:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ConfigError("'prices' must be a list of [row, price].")
        number, price = pair[0], exact_number(pair[1])
        if isinstance(number, bool) or not isinstance(number, int):
            raise ConfigError(f"{number!r} is no number of a row.")
        if not 1 <= number <= rows or price is None:
            raise ConfigError(f"there is no row or no price like {list(pair)}.")
        numbers.append(number - 1)
        prices.append(price)
    if len(set(numbers)) < len(numbers):
        raise ConfigError("a row stands twice.")
    split = entry.get("split")
    if split is None:
        return Branch(numbers, prices)
    if (
        not isinstance(split, (list, tuple))
        or len(split) != 2
        or not isinstance(split[0], str)
        or not split[0]
        or isinstance(split[1], bool)
        or not isinstance(split[1], int)
        or abs(split[1]) > LARGEST
    ):
        raise ConfigError("'split' must be [project, last start].")
    return Branch(numbers, prices, split[0], split[1])


def tree_bound(
    question: Question,
    tree: Tree,
    entries: Sequence[Mapping[str, Any]],
    cuts: Sequence[Cut],
    proofs: Proofs,
) -> Fraction | None:
    """Return the bound that branches prove, None where they cannot be used.

    Parameters
    ----------
    question
        What the portfolio asks, without the starts that no accepted plan can have.
    entries, cuts
        The rows that prices belong to, multipliers first.
    proofs
        Of the cuts; one that is not proved counts nothing.

    Raises
    ------
    ConfigError
        If the branches name a project that the portfolio does not have, or give an
        inequality a negative price.
    """
    for node in tree.nodes:
        if node.project and node.project not in question.projects:
            raise ConfigError(f"Certificate: no project is called '{node.project}'.")
        for number, price in zip(node.rows, node.prices, strict=True):
            free = number < len(entries) and entries[number]["row"] == "all_or_none"
            if price < 0 and not free:
                raise ConfigError(
                    f"Certificate: a branch gives row {number + 1}, an inequality, "
                    f"the negative price {float(price):g}."
                )
    walk = _Walk.of(question, proofs)
    if walk is None or not walk.add_rows(question, entries, cuts, proofs):
        return None
    bound = walk.bound(tree)
    return None if bound is None else bound - dropped(question)


class _Walk:
    """What a walk needs: the starts and their worth, and the rows that have prices."""

    def __init__(self, starts: Narrowing, worth: np.ndarray, scale: int) -> None:
        self.at = starts
        self.worth = worth
        self.scale = scale
        self.rows = np.zeros((0, len(worth)), dtype=np.int64)
        self.heads: list[int] = []
        self.units: list[Fraction] = []
        self.peaks: list[int] = []
        # Rows that are coarse in `rows`, as they are: counts, most, units of a whole.
        self.fine: dict[int, tuple[np.ndarray, int, Fraction]] = {}
        self.fine_left = _MOST_FINE
        self.work = Work()

    @classmethod
    def of(cls, question: Question, proofs: Proofs) -> _Walk | None:
        """Return the arrays, None where they would be too large or inexact."""
        starts = Narrowing.of(question, proofs)
        if starts is None or not starts.limited:
            return None
        exact = [w for p in starts.projects for w in worth_of_starts(question, p)]
        largest = max(abs(w) for w in exact)
        scale = 1
        while scale < _FINE and largest * scale * 10 <= _FINE:
            scale *= 10
        worth = [math.ceil(w * scale) for w in exact]
        if max(map(abs, worth)) > LARGEST // 4:
            return None
        walk = cls(starts, np.array(worth, dtype=np.int64), scale)
        walk.work = proofs.work
        return walk

    def add_rows(
        self,
        question: Question,
        entries: Sequence[Mapping[str, Any]],
        cuts: Sequence[Cut],
        proofs: Proofs,
    ) -> bool:
        """Write the rows that prices belong to; return whether they fit."""
        many = len(entries) + len(cuts)
        if many * len(self.worth) > MOST_CELLS:
            return False
        self.rows = np.zeros((many, len(self.worth)), dtype=np.int64)
        for number, entry in enumerate(entries):
            counts, limit, unit = row_of(question, entry, proofs)
            exact = coarse(counts, math.floor(limit), unit, 2**4096)
            counts, head, whole = coarse(counts, math.floor(limit), unit)
            for name, own in counts.items():
                p = self.at.number.get(name)
                if p is None:
                    continue
                if max(map(abs, own)) > LARGEST:
                    return False
                self.rows[number, self.at.first[p] : self.at.first[p + 1]] = own
            if whole != exact[2]:
                self.fine[number] = self._spread(exact[0]), exact[1], exact[2]
            self.heads.append(head)
            self.units.append(whole)
        for number, cut in enumerate(cuts, start=len(entries)):
            proved = proofs.proved(cut)
            self.heads.append(cut.at_most if proved is not None else 0)
            self.units.append(Fraction(1))
            for name, own in (proved or {}).items():
                p = self.at.number.get(name)
                if p is not None:
                    span = slice(self.at.first[p], self.at.first[p + 1])
                    self.rows[number, span] = own
        self.peaks = [int(peak) for peak in np.abs(self.rows).max(axis=1, initial=0)]
        return max(map(abs, self.heads), default=0) <= LARGEST

    def _spread(self, counts: Mapping[str, list[int]]) -> np.ndarray:
        """Return counts of any size over all starts."""
        row = np.zeros(len(self.worth), dtype=object)
        for name, own in counts.items():
            p = self.at.number.get(name)
            if p is not None:
                row[self.at.first[p] : self.at.first[p + 1]] = own
        return row

    # ------------------------------------------------------------------ the walk
    def bound(self, tree: Tree) -> Fraction | None:
        """Return what no plan exceeds, by all nodes of the tree.

        None where there was not enough work for the first of them.
        """
        enough = math.ceil(tree.enough * self.scale)
        most: int | None = None
        waiting: list[tuple[np.ndarray, np.ndarray, int | None]] = [
            (*self.at.everything(), None)
        ]
        for node in tree.nodes:
            left, must, ceiling = waiting.pop()
            if not self.work.take(self._steps(node)):
                # Not looked at: all that is left is no better than what is above it.
                if node is tree.nodes[0]:
                    return None
                # Of what has no bound above it there is no plan.
                above = [
                    c for c in (ceiling, *(c for *_, c in waiting)) if c is not None
                ]
                most = max([*above, enough if most is None else most])
                break
            bound = self._visit(node, left, must, enough)
            if bound is not None and bound > enough and not node.project:
                finer = self._finer(node, left, must)
                bound = bound if finer is None else min(bound, finer)
            if bound is not None and ceiling is not None:
                bound = min(bound, ceiling)
            if node.project:
                early, late = self._parts(node, left, must)
                waiting.append((*late, bound))
                waiting.append((*early, bound))
                if bound is None:
                    left[:] = False  # no part of it has a plan either
                    for part in (early, late):
                        part[0][:], part[1][:] = False, True
            elif bound is not None:
                most = bound if most is None else max(most, bound)
        total = enough if most is None else max(enough, most)
        return Fraction(total, self.scale)

    def _steps(self, node: Branch) -> int:
        """Return what to visit a node takes, in steps."""
        cells = len(self.worth) * (self.at.room.size + len(node.rows) + 10)
        return 3_000 + cells // 50

    def _parts(
        self, node: Branch, left: np.ndarray, must: np.ndarray
    ) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Return the domains of the two parts of a node."""
        early, late = (left.copy(), must.copy()), (left.copy(), must.copy())
        p = self.at.number.get(node.project)
        if p is None:  # nobody can select it: the first part has no plan
            early[0][:], early[1][:] = False, True
            return early, late
        span = slice(self.at.first[p], self.at.first[p + 1])
        by_then = self.at.starts[span] <= node.last
        early[0][span] &= by_then
        early[1][p] = True
        late[0][span] &= ~by_then
        return early, late

    def _visit(
        self, node: Branch, left: np.ndarray, must: np.ndarray, enough: int
    ) -> int | None:
        """Return the bound of a node, None without a plan; narrow its domain."""
        if not self.at.narrow(left, must):
            return None
        whole = self._whole(node)
        if whole is None:
            whole = [0] * len(node.rows)
        prices = np.array(whole, dtype=np.int64)
        gains = self.worth - prices @ self.rows[node.rows]
        gains[~left] = -LARGEST * 2
        tops = np.maximum.reduceat(gains, self.at.first[:-1])
        tops = np.where(must, tops, np.maximum(tops, 0))
        paid = sum(m * self.heads[r] for m, r in zip(whole, node.rows, strict=True))
        bound = paid + sum(tops.tolist())
        # bound - top + gain <= enough: sums of numbers below 2**62 each.
        slack = bound - enough
        if slack <= 0:
            left[:] = False
            must[:] = True
            return bound
        if slack < LARGEST:
            left &= tops[self.at.owner] - gains < slack
            must |= tops >= slack
        return bound

    def _finer(self, node: Branch, left: np.ndarray, must: np.ndarray) -> int | None:
        """Return the bound of a node in numbers of any length.

        None where 64 bits did as well, or there has been enough of that.
        """
        if self._whole(node) is not None and not self.fine.keys() & set(node.rows):
            return None
        cost = len(self.worth) * (1 + len(node.rows))
        if cost > self.fine_left:
            return None
        self.fine_left -= cost
        rows = [
            self.fine[row]
            if row in self.fine
            else (self.rows[row].astype(object), self.heads[row], self.units[row])
            for row in node.rows
        ]
        prices = [
            price * self.scale / unit
            for price, (_, _, unit) in zip(node.prices, rows, strict=True)
        ]
        below = math.lcm(*(price.denominator for price in prices))
        gains = self.worth.astype(object) * below
        paid = 0
        for price, (counts, head, _) in zip(prices, rows, strict=True):
            whole = int(price * below)
            gains = gains - counts * whole
            paid += whole * head
        for p in range(len(self.at.projects)):
            span = slice(self.at.first[p], self.at.first[p + 1])
            own = gains[span][left[span]].tolist()
            paid += max(own, default=0) if must[p] else max([0, *own])
        return -(-paid // below)

    def _whole(self, node: Branch) -> list[int] | None:
        """Return the prices of a node in whole units; None if sums might not fit."""
        whole = [
            price.numerator
            * self.scale
            * self.units[row].denominator
            // (price.denominator * self.units[row].numerator)
            for row, price in zip(node.rows, node.prices, strict=True)
        ]
        peak = sum(
            abs(m) * self.peaks[row] for row, m in zip(node.rows, whole, strict=True)
        )
        return whole if peak < LARGEST // 4 else None
