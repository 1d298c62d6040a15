"""What a node of the branches is divided by: a project, at one of its starts."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.bounds.branch_nodes import Domain, Node
from pmo_analytics.optimization.model.instance import Options

# Projects tried before a node is divided, and how often one is tried at all.
TRIED, _RELIABLE = 4, 4
# Nearer to a whole number than this is one.
WHOLE = 1e-6


class Choices:
    """What may be divided, the most promising first, by what it has brought so far."""

    def __init__(self, options: Options) -> None:
        self.o = options
        self.projects = len(options.must)
        self.filled = np.flatnonzero(np.diff(options.first) > 0)
        # Gain of each project's early and late side, summed, and how often tried.
        self.gains = np.zeros((self.projects, 2))
        self.tries = np.zeros((self.projects, 2))

    def learn(self, project: int, side: int, gain: float) -> None:
        """Remember what dividing a project has brought on one side."""
        self.gains[project, side] += gain
        self.tries[project, side] += 1

    def known(self, project: int) -> bool:
        """Return whether a project has been tried often enough to be judged."""
        return bool(self.tries[project].min() >= _RELIABLE)

    def candidates(self, node: Node) -> list[tuple[int, int]]:
        """Return (project, last early start) to divide by, the most promising first."""
        o = self.o
        found: list[tuple[float, int, int]] = []
        count = np.bincount(o.project[node.left], minlength=self.projects)
        open_ones = (count > 1) | ((count == 1) & ~node.must)
        if node.x is not None:
            x = np.where(node.left, node.x, 0.0).astype(float)
            chosen = np.bincount(o.project, x, minlength=self.projects)
            largest = np.zeros(self.projects)
            largest[self.filled] = np.maximum.reduceat(x, o.first[self.filled])
            whole = (chosen >= 1 - WHOLE) | node.must
            split = np.where(whole, largest < 1 - WHOLE, True)
            open_ones &= (chosen >= WHOLE) & split
        for p in np.flatnonzero(open_ones).tolist():
            lo, hi = int(o.first[p]), int(o.first[p + 1])
            left = np.flatnonzero(node.left[lo:hi])
            last = int(o.start[lo + left[-1]])
            if node.x is None:
                found.append((0.0, p, last if not node.must[p] else last - 1))
            elif not whole[p]:
                selected = float(chosen[p])
                found.append((min(selected, 1 - selected), p, last))
            else:
                so_far = np.cumsum(x[lo:hi])[left]
                at = int(np.argmin(np.abs(so_far[:-1] - 0.5))) if len(left) > 1 else 0
                middle = float(so_far[at])
                found.append(
                    (0.7 * min(middle, 1 - middle), p, int(o.start[lo + left[at]]))
                )
        if not found:
            # A plan of the relaxation that the rounding of its prices kept open.
            return self._any(node)
        if self.tries.any():
            typical = self.gains.sum(axis=0) / np.maximum(self.tries.sum(axis=0), 1)
            known = self.tries > 0
            mean = np.where(known, self.gains / np.maximum(self.tries, 1), typical)
            promise = np.maximum(mean, 1e-9).prod(axis=1)
            found = [(promise[p] * (0.1 + share), p, t) for share, p, t in found]
        found.sort(key=lambda one: (-one[0], one[1]))
        return [(p, t) for _, p, t in found]

    def _any(self, node: Node) -> list[tuple[int, int]]:
        """Return the projects that still have a choice, each at its first start."""
        o = self.o
        found = []
        for p in self.filled.tolist():
            left = np.flatnonzero(node.left[o.first[p] : o.first[p + 1]])
            if len(left) > 1 or (len(left) == 1 and not node.must[p]):
                found.append((p, int(o.start[o.first[p] + left[0]])))
        return found[:TRIED]


def settles(options: Options, domain: Domain) -> bool:
    """Return whether one choice is left to be made of every project."""
    left, must = domain
    count = np.bincount(options.project[left], minlength=len(must))
    return bool((count == must).all())


def part_of(
    options: Options, node: Node, project: int, last: int, late: bool
) -> Domain:
    """Return the part of a node where a project starts early, or late or not at all.

    Parameters
    ----------
    last
        Last start of the early side.
    """
    left, must = node.left.copy(), node.must.copy()
    span = slice(options.first[project], options.first[project + 1])
    early = options.start[span] <= last
    left[span] &= ~early if late else early
    if not late:
        must[project] = True
    return left, must
