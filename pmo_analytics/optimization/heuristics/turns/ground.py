"""What all parts of a search share: the model, the best plan, chance, the prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pmo_analytics.optimization.model.array_sink import Matrix
from pmo_analytics.optimization.model.incumbent import Incumbent, Offer
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.symmetry import ordered
from pmo_analytics.optimization.params import SearchParams

Tell = Callable[[np.ndarray], None]


class Turn(NamedTuple):
    """What a turn of one search ended with.

    Attributes
    ----------
    plan
        Option numbers, the best plan of the turn.
    elsewhere
        Whether it began with another plan than the best one.
    """

    plan: np.ndarray
    elsewhere: bool


@dataclass
class Ground:
    """What one search stands on.

    Attributes
    ----------
    order
        The model as it was given.
    options, matrix
        The same, where twins may come in any order: they would only be in the way of
        each other here.
    rng
        Of every random choice.
    known
        The best plan.
    tell
        Called with each better plan, twins in order.
    params
        The numbers that decide the search.
    reduced
        Shape (N,), worth of each option less the price of what it uses; None before
        prices are known.
    """

    order: Options
    options: Options
    matrix: Matrix
    rng: np.random.Generator
    known: Incumbent
    tell: Tell
    params: SearchParams
    reduced: np.ndarray | None = None

    @property
    def best(self) -> np.ndarray:
        """The best plan, option numbers increasing."""
        assert self.known.chosen is not None
        return self.known.chosen

    def take(self, chosen: np.ndarray) -> None:
        """Take a plan if it is better, and tell of it then."""
        if self.known.offer(chosen) is Offer.TAKEN:
            self.tell(ordered(self.order, self.best))
