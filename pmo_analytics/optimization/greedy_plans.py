"""Plans made without a solver: to begin with, by prices, and of what is left over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.optimization.heuristics.greedy import greedy, move_earlier
from pmo_analytics.optimization.model.incumbent import Offer
from pmo_analytics.optimization.model.purchasing import most_bought
from pmo_analytics.optimization.model.rows import RowLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from pmo_analytics.optimization.messages import (
        Prices,
    )
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.optimization.run import Run


class GreedyPlans:
    """Plans that the greedy makes, each of which is offered.

    Attributes
    ----------
    seconds
        That the first plan took.
    """

    def __init__(
        self, compiled: Compiled, run: Run, offer: Callable[[np.ndarray], Offer]
    ) -> None:
        self.compiled, self.run, self.offer = compiled, run, offer
        self.seconds = 0.0

    def near(self, starts: Mapping[str, int]) -> None:
        """Make plans near another one; what does not fit is moved or left out."""
        names = self.compiled.names
        near = np.array([starts.get(name, np.nan) for name in names], dtype=float)
        live = {name: start for name, start in starts.items() if name in names}
        whole = self.compiled.chosen(live)
        fitted = greedy(self.compiled.options, near=near)
        for plan in (whole, fitted):
            if plan is not None:
                self.offer(plan)

    def first(self) -> None:
        """Find a first plan; shake the order if the plain one finds none."""
        rng = np.random.default_rng(self.run.seed)
        begin = time.monotonic()
        options = self.compiled.options
        for attempt in range(1 + self.run.params.start.shakes):
            chosen = greedy(options, noise=rng if attempt else None)
            if chosen is not None:
                offer = self.offer(move_earlier(options, chosen))
                if offer is not Offer.REFUSED:
                    break
            if self.run.left() < 0.5 * self.run.limits.seconds:
                break
        if self.compiled.flex:
            self._with_purchases()
        self.seconds = time.monotonic() - begin

    def _with_purchases(self) -> None:
        """Fill as if all that is sold were there, then buy what that needs."""
        o = self.compiled.options
        limit = o.limit + most_bought(len(o.limit), o.buy)
        chosen = greedy(replace(o, limit=limit))
        if chosen is not None:
            self.offer(chosen)

    def by_price(self, told: Prices) -> None:
        """Fill once more, priced by the LP relaxation."""
        options = self.compiled.options
        prices = np.zeros(len(options.limit))
        for row, price in told:
            label = RowLabel(*row)
            if label.form == "limit":
                prices[label.number] = max(price, 0.0)
        chosen = greedy(options, prices=prices)
        if chosen is not None:
            self.offer(move_earlier(options, chosen))

    def filled(self, best: np.ndarray) -> None:
        """Add what still fits beside the best plan: to a solver it may be nothing."""
        options = self.compiled.options
        near = np.full(len(self.compiled.names), np.nan)
        near[options.project[best]] = options.start[best]
        filled = greedy(options, near=near)
        if filled is not None:
            self.offer(filled)

    def repaired(self, refused: np.ndarray) -> None:
        """Leave one project out of a refused plan: by so much it breaks no more."""
        options = self.compiled.options
        free = refused[~options.must[options.project[refused]]]
        for k in free[np.argsort(options.worth[free])][
            : self.run.params.start.repairs
        ].tolist():
            offer = self.offer(refused[refused != k])
            if offer is Offer.TAKEN or self.run.left() <= 0:
                return
