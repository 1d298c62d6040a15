"""The best bound that is known of a portfolio, and what proves it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pmo_analytics.optimization.bounds.certificate import (
    best_certificate,
    bound_here,
    read_guide,
    unchecked_certificate,
)
from pmo_analytics.optimization.checker.proofs.work import MOST_STEPS
from pmo_analytics.optimization.messages import (
    CutsTold,
    Event,
    Prices,
    Tree,
)

if TYPE_CHECKING:
    from pmo_analytics.optimization.checker.question import Question
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.portfolio import Portfolio

# Steps of the checker for the proof of a search that was stopped, a second or two.
_STOPPED_STEPS = 5_000_000


class KnownBound:
    """The best bound, and what proves it: prices, cuts, branches.

    Parameters
    ----------
    portfolio, compiled
        The question, and its model with twins in order.

    Attributes
    ----------
    loosest
        What nothing exceeds, whatever is proved.
    value
        The best bound; never None before somebody says so.
    guide
        Branches of a similar model.
    """

    def __init__(self, portfolio: Portfolio, compiled: Compiled) -> None:
        self.portfolio, self.compiled = portfolio, compiled
        options = compiled.options
        self.constant = float(options.constant[0])
        # A bound is never missing: without a better one nothing limits the projects.
        self.loosest = options.most_worth() + self.constant
        self.value: float | None = self.loosest
        self.guide: Mapping[str, Any] | None = None
        self.prices: Prices = ()
        self.cuts: CutsTold | None = None
        self.tree: Tree | None = None

    def take_up(self, certificate: Mapping[str, Any]) -> None:
        """Take up what was proved of a similar portfolio: its prices and branches."""
        self.guide = read_guide(self.portfolio, self.compiled, certificate)
        self.tighten(bound_here(self.portfolio, self.compiled, certificate))

    def tighten(self, bound: float | None) -> None:
        """Take a bound of the model, which is written without the constant."""
        if bound is not None:
            bound += self.constant
            self.value = bound if self.value is None else min(self.value, bound)

    def hear(self, event: Event) -> None:
        """Take the bound that an event tells of, and what proves it."""
        if isinstance(event, CutsTold) and event.bound is not None:
            if self.cuts is None or event.bound <= (self.cuts.bound or 0.0):
                self.cuts = event
        elif isinstance(event, Tree) and (
            self.tree is None or event.bound <= self.tree.bound
        ):
            self.tree = event
        self.tighten(event.claims)

    def hear_prices(self, objective: float, prices: Prices) -> None:
        """Take the objective and the prices of the LP relaxation."""
        bound = objective + self.constant
        if self.value is None or bound <= self.value or not self.prices:
            self.prices = prices
        self.tighten(objective)

    def proved(
        self, question: Question | None, *, strict: bool, until: float, stopped: bool
    ) -> tuple[Mapping[str, Any], float | None]:
        """Return the certificate that proves most, and the bound it proves.

        Parameters
        ----------
        question
            The portfolio as the checker reads it; None = nothing is checked.
        until
            Monotonic time to be done by.
        stopped
            Somebody waits: one proof, and not a long one.
        """
        priced: list[tuple[Any, Any]] = [(self.prices, [])] if self.prices else []
        if self.cuts is not None:
            priced.append((self.cuts.prices, self.cuts.cuts))
        tree = self.tree
        if tree is not None and self.cuts is not None:
            # A young tree may prove less than cuts that came after it began.
            tree = None if (self.cuts.bound or 0.0) < tree.bound else tree
        told = None if tree is None else tree.told
        known: dict[str, Any] = {"strict": strict, "priced": priced, "tree": told}
        if question is None:
            return unchecked_certificate(self.portfolio, self.compiled, **known), None
        return best_certificate(
            self.portfolio,
            self.compiled,
            **known,
            question=question,
            until=-math.inf if stopped else until,
            steps=_STOPPED_STEPS if stopped else MOST_STEPS,
        )
