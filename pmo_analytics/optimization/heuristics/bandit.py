"""Which search goes on: those that reached most of late more often.

The roulette wheel of adaptive large neighbourhood search (Ropke and Pisinger,
Transportation Science 40(4), 2006): each search has a weight, which follows what its
turns reached, and is drawn in proportion to it. A turn counts by how near to the best
plan it came, so that one that is about to find a better one is not given up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pmo_analytics.optimization.params import DEFAULTS, AlternationParams


class Bandit:
    """Searches by name, and what each has reached.

    Parameters
    ----------
    names
        In the order in which they are tried first.
    rng
        Source of every random choice.
    """

    def __init__(
        self,
        names: Sequence[str],
        rng: np.random.Generator,
        params: AlternationParams = DEFAULTS.alternation,
    ) -> None:
        self.rng = rng
        self.p = params
        self.weight: dict[str, float | None] = dict.fromkeys(names)

    def pick(self, possible: Sequence[str]) -> str:
        """Return the search whose turn it is, of those that are possible now."""
        for name, weight in self.weight.items():
            if weight is None and name in possible:
                return name
        names = [name for name in self.weight if name in possible]
        weights = np.array([self.weight[name] or 0.0 for name in names])
        floor = self.p.rarely * weights.sum() + 1e-12
        reached = np.cumsum(np.maximum(weights, floor))
        at = np.searchsorted(reached, self.rng.random() * reached[-1], "right")
        return names[min(int(at), len(names) - 1)]

    def reward(self, name: str, reached: float, before: float) -> None:
        """Take note of the worth that a turn reached, and of the best one before it."""
        if reached > before:
            score = self.p.better
        else:
            near = self.p.near * max(abs(before), 1e-9)
            score = math.exp(-min((before - reached) / near, 50.0))
        weight = self.weight[name]
        follow = self.p.follow
        self.weight[name] = (
            score if weight is None else (1.0 - follow) * weight + follow * score
        )
