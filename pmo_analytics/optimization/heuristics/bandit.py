"""Which search goes on: those that reached most of late more often.

The roulette wheel of adaptive large neighbourhood search (Ropke and Pisinger,
Transportation Science 40(4), 2006): each search has a weight, which follows what its
turns reached, and is drawn in proportion to it and to how short its turns are, so
that it gets time in proportion. A turn that began elsewhere counts by how near to the
best plan it came, so that one that is about to find a better one is not given up; one
that began with the best plan has to better it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pmo_analytics.optimization.params import DEFAULTS, TurnsParams


class Bandit:
    """Searches by name, and what each has reached.

    Parameters
    ----------
    names
        In the order in which they are tried first.
    rng
        Source of every random choice.
    favoured
        One that gets more of the time for what it reaches, though no more than others
        where it reaches nothing.
    """

    def __init__(
        self,
        names: Sequence[str],
        rng: np.random.Generator,
        params: TurnsParams = DEFAULTS.turns,
        favoured: str = "",
    ) -> None:
        self.rng = rng
        self.p = params
        self.favoured = favoured
        self.weight: dict[str, float | None] = dict.fromkeys(names)
        # Seconds of its last turn.
        self.spent: dict[str, float] = dict.fromkeys(names, 1.0)

    def pick(self, possible: Sequence[str]) -> str:
        """Return the search whose turn it is, of those that are possible now."""
        for name, weight in self.weight.items():
            if weight is None and name in possible:
                return name
        names = [name for name in self.weight if name in possible]
        weights = np.array([self.weight[name] or 0.0 for name in names])
        favour = [self.p.favour if name == self.favoured else 1.0 for name in names]
        # Where nothing reaches anything all are tried alike.
        least = self.p.rarely * max(weights.sum(), 1.0)
        # Time, and as many turns as it takes to spend it.
        wanted = np.maximum(weights * favour, least)
        reached = np.cumsum(wanted / [self.spent[name] for name in names])
        at = np.searchsorted(reached, self.rng.random() * reached[-1], "right")
        return names[min(int(at), len(names) - 1)]

    def reward(
        self,
        name: str,
        reached: float,
        before: float,
        spent: float = 1.0,
        elsewhere: bool = True,
    ) -> None:
        """Take note of what a turn reached.

        Parameters
        ----------
        reached, before
            Worth of its plan, and of the best one before it.
        spent
            Seconds it took.
        elsewhere
            Whether it began with another plan than the best one.
        """
        self.spent[name] = max(spent, 0.05)
        near = self.p.near * max(abs(before), 1e-9)
        gained = self.p.better * -math.expm1(-max(reached - before, 0.0) / near)
        close = math.exp(-min(max(before - reached, 0.0) / near, 50.0))
        score = gained + (close if elsewhere else 0.0)
        weight = self.weight[name]
        follow = self.p.follow
        self.weight[name] = (
            score if weight is None else (1.0 - follow) * weight + follow * score
        )
