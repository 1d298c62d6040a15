"""The best plan that is known, for whoever looks for a better one."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.purchasing import value_of


class Offer(StrEnum):
    """What became of a plan that was offered."""

    TAKEN = "taken"
    NO_BETTER = "no better"
    REFUSED = "refused"


class Incumbent:
    """The best plan known and its objective: whoever finds a plan offers it.

    Parameters
    ----------
    options
        The model.
    chosen
        Option numbers of a feasible plan to begin with; None = none is known.
    constant
        Part of the objective that no option decides.
    accepts
        Asked whether a plan, worth this objective, may be taken: an exact check; None =
        whoever offers plans has checked them.
    noise
        What the objective of a plan may be off by: nearer ones are the same; None = 0.

    Attributes
    ----------
    chosen
        Option numbers, increasing; None without a plan.
    objective
        Of it, the cheapest purchases subtracted; -inf without a plan.
    """

    def __init__(
        self,
        options: Options,
        chosen: np.ndarray | None = None,
        *,
        constant: float = 0.0,
        accepts: Callable[[np.ndarray, float], bool] | None = None,
        noise: Callable[[np.ndarray, float], float] | None = None,
    ) -> None:
        self.options, self.constant = options, constant
        self.accepts, self.noise = accepts, noise
        self.chosen: np.ndarray | None = None
        self.objective = -np.inf
        if chosen is not None:
            self.chosen = np.sort(chosen)
            self.objective = value_of(options, chosen) + constant

    def offer(self, chosen: np.ndarray, *, least: float | None = None) -> Offer:
        """Take a plan if it is better and is accepted.

        Parameters
        ----------
        chosen
            Option numbers of it.
        least
            It is better for another reason: taken if it is worth no less than this.
        """
        objective = value_of(self.options, chosen) + self.constant
        if objective == -np.inf:
            return Offer.REFUSED
        noise = 0.0 if self.noise is None else self.noise(chosen, objective)
        if least is None:
            better = objective > self.objective + noise
        else:
            better = objective >= least - noise
        if not better:
            return Offer.NO_BETTER
        if self.accepts is not None and not self.accepts(chosen, objective):
            return Offer.REFUSED
        self.chosen, self.objective = np.sort(chosen), objective
        return Offer.TAKEN
