"""What is known of a levelling question: its cost, the best schedule, the bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.evidence import relative_gap
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.levelling.energetic import Refutation, path_bound
from pmo_analytics.optimization.levelling.jobs import (
    Jobs,
    Lateness,
    lateness_of,
    levelled_question,
)
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.run import Run
from pmo_analytics.plan import Plan
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Uses of limited things that are compiled without a second thought.
_MOST_USES = 2_000_000


class Levelling:
    """What is known of one question: the best starts, the bound, and what refutes.

    Attributes
    ----------
    inner
        The portfolio with opened windows, all of whose live projects are selected.
    starts, key
        Best schedule, and its cost and sum of starts; None so far.
    bound
        What no schedule costs less than, in whole units.
    refuted
        An end that links or work rule out, and why.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        measure: str,
        run: Run,
    ) -> None:
        self.portfolio = portfolio
        self.inner = levelled_question(portfolio)
        self.measure = measure
        self.run = run
        windows = start_windows(self.inner.projects, self.inner.horizon)
        self.duration: dict[str, int] = windows["duration"].to_dict()
        self.lateness: Lateness = lateness_of(self.inner)
        self.starts: dict[str, int] | None = None
        self.key: tuple[int, int] | None = None
        self.bound: int | None = None  # in units of `lateness` for delay
        self.refuted: tuple[int, Refutation] | None = None
        self._compiled: Compiled | None = None

    # ------------------------------------------------------------------ what it costs

    @property
    def unit(self) -> int:
        """Units of cost in one of the measure."""
        return self.lateness.unit if self.measure == "delay" else 1

    def cost(self, starts: Mapping[str, int]) -> int:
        """Return the measure of a schedule, in whole units."""
        if self.measure == "makespan":
            return max([0, *(s + self.duration[name] for name, s in starts.items())])
        due, weight = self.lateness.due, self.lateness.weight
        return sum(
            weight[name] * max(s + self.duration[name] - 1 - due[name], 0)
            for name, s in starts.items()
        )

    def cost_of(self, jobs: Jobs) -> Any:
        """Return the function from starts of jobs to the measure."""
        duration = jobs.duration
        if self.measure == "makespan":
            floor = jobs.fixed_finish
            return lambda starts: max(floor, *map(add, starts, duration))
        onset, weight = self.prices_of(jobs)
        always = self.cost(jobs.fixed)
        return lambda starts: (
            always
            + sum(
                [
                    w * (s - o)
                    for s, o, w in zip(starts, onset, weight, strict=True)
                    if s > o
                ]
            )
        )

    def prices_of(self, jobs: Jobs) -> tuple[list[int], list[int]]:
        """Return the last start of each job that is in time, and a period's cost."""
        late = self.lateness
        pairs = zip(jobs.names, jobs.duration, strict=True)
        onset = [late.due[name] - length + 1 for name, length in pairs]
        return onset, [late.weight[name] for name in jobs.names]

    def cost_of_heads(self, jobs: Jobs) -> int:
        """Return the cost if links and windows were the only rules."""
        if self.measure == "makespan":
            return path_bound(jobs)
        heads = jobs.heads()
        assert heads is not None
        return int(self.cost_of(jobs)(heads))

    # ------------------------------------------------------------------ what is known

    def offer(self, starts: dict[str, int]) -> None:
        """Take a schedule if it is better."""
        key = self.cost(starts), sum(starts.values())
        if self.key is None or key < self.key:
            self.starts, self.key = starts, key

    def tighten(self, bound: int) -> None:
        """Take a lower bound of the cost."""
        self.bound = bound if self.bound is None else max(self.bound, bound)

    def closed(self) -> bool:
        """Return whether the best plan is as good as it has to be."""
        if self.key is None or self.bound is None:
            return False
        gap = relative_gap(-float(self.key[0]), -float(self.bound))
        return gap <= max(self.run.limits.gap, 0.0)

    def say(self, stage: str) -> None:
        """Tell the caller where the search stands."""
        objective = None if self.key is None else self.key[0] / self.unit
        bound = None if self.bound is None else self.bound / self.unit
        self.run.say(stage, objective, bound)

    # -------------------------------------------------------- as options of the model

    def compiled(self) -> Compiled | None:
        """Return the options of the inner portfolio; None if they are too many."""
        if self._compiled is None:
            demand = self.inner.demand
            used = int(demand["project"].isin(list(self.duration)).sum())
            if used * len(self.inner.horizon) > _MOST_USES:
                return None
            self._compiled = compile_options(self.inner, strict=self.run.strict)
        return self._compiled

    def priced(self, compiled: Compiled) -> Options:
        """Return options whose worth is minus the delay, ties by earliest starts."""
        options = compiled.options
        worth = np.zeros(len(options.project))
        if self.measure == "delay":
            names = compiled.names
            due = np.array([self.lateness.due[n] for n in names], dtype=np.int64)
            length = np.array([self.duration[n] for n in names], dtype=np.int64)
            weight = np.array([float(self.lateness.weight[n]) for n in names])
            late = options.start + (length - 1 - due)[options.project]
            worth = -np.maximum(late, 0) * (weight / self.unit)[options.project]
        tie = options.start.astype(float)
        return replace(options, worth=worth, tie=tie)

    def lengths(self, compiled: Compiled) -> np.ndarray:
        """Return the periods of each project by number."""
        return np.array([self.duration[n] for n in compiled.names], dtype=np.int64)

    def starts_of(self, chosen: list[int], compiled: Compiled) -> dict[str, int]:
        """Return the starts of option numbers; those of the end are left out."""
        own = [k for k in chosen if k < len(compiled.options.project)]
        return compiled.starts_of(np.array(own, dtype=np.int64))

    def bound_from(self, bound: float) -> int:
        """Return the smallest measure that a bound on the model's worth allows."""
        return int(
            np.ceil(-bound * self.unit - 1e-6 * max(1.0, abs(bound * self.unit)))
        )

    def accept(self, starts: dict[str, int]) -> bool:
        """Take a schedule of the solver if the exact checker accepts it."""
        plan = Plan.from_starts(self.inner, starts, strict=self.run.strict)
        if not check_plan(self.inner, plan.schedule, strict=self.run.strict).certified:
            return False
        self.offer(starts)
        return True
