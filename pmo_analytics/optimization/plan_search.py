"""One search for a plan: the best one, the bound, and what proves it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from pmo_analytics.errors import InfeasibleError
from pmo_analytics.evidence import OPTIMAL_GAP, SolveReport, SolveStatus, relative_gap
from pmo_analytics.optimization.bounds.known_bound import KnownBound
from pmo_analytics.optimization.checker.check import check_plan, read_once
from pmo_analytics.optimization.conflicts import find_conflicts
from pmo_analytics.optimization.greedy_plans import GreedyPlans
from pmo_analytics.optimization.messages import (
    BoundTold,
    CutsTold,
    Event,
    Impossible,
    Improved,
    PlanTold,
    Proof,
    Relaxation,
    Tree,
)
from pmo_analytics.optimization.model.incumbent import Incumbent, Offer
from pmo_analytics.optimization.model.instance import carries_branches, carries_cuts
from pmo_analytics.optimization.model.presolve import tightened
from pmo_analytics.optimization.model.symmetry import in_order, ordered, without_order
from pmo_analytics.optimization.model.twins import find_twins
from pmo_analytics.optimization.workers.running import run_polish, run_solver
from pmo_analytics.plan import Plan
from pmo_analytics.processes import note_stop, stop_asked
from pmo_analytics.tolerance import rounding
from pmo_analytics.versions import versions

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.optimization.run import Run
    from pmo_analytics.optimization.workers.race import Found
    from pmo_analytics.portfolio import Portfolio

# What is said to be going on when a process tells of a plan or a bound.
_STAGES: dict[type[Event], str] = {
    CutsTold: "LP relaxation with cuts",
    PlanTold: "branch and bound",
    Improved: "neighbourhoods",
    BoundTold: "branch and bound",
    Proof: "branches",
    Tree: "branches",
}


class PlanSearch:
    """The state of one search: the best plan, the bound, and how far it is.

    Attributes
    ----------
    whole, ordered, compiled
        The model with all starts, with those that are possible and twins in order, and
        with twins in any order.
    known, bound
        The best plan, and the best bound with what proves it.
    plans
        Those made without a solver.
    reserve
        Seconds that are kept back for what comes after.
    """

    def __init__(
        self, portfolio: Portfolio, compiled: Compiled, run: Run, solver: str
    ) -> None:
        self.portfolio, self.run, self.solver = portfolio, run, solver
        # What clashes is explained with all starts; plans need only possible ones.
        self.whole = compiled
        # Solver and proof take projects that are the same in order.
        if compiled.record is None and carries_branches(compiled.options):
            compiled = in_order(compiled, find_twins(portfolio))
        self.ordered = replace(compiled, options=tightened(compiled.options))
        self.compiled = replace(
            self.ordered, options=without_order(self.ordered.options)
        )
        self.reserve = 0.0
        # The checker reads the portfolio once; how long a check of it takes.
        begin = time.monotonic()
        self.question = read_once(portfolio, strict=run.strict)
        self.read_seconds = time.monotonic() - begin
        self.check_seconds = 0.0
        self.stages: list[dict[str, object]] = []
        self.bound = KnownBound(portfolio, self.ordered)
        self.known = Incumbent(
            self.compiled.options,
            constant=self.bound.constant,
            accepts=self.certified,
            noise=self._noise,
        )
        self.plans = GreedyPlans(self.compiled, run, self.offer)
        self.found: Found | None = None
        self.certifies_bound = True
        self.here = False
        self.conflicts = pd.DataFrame()
        # Branches have shown that no choice keeps every rule.
        self.impossible = False

    @property
    def objective(self) -> float | None:
        """Of the best plan; None without one."""
        return None if self.known.chosen is None else self.known.objective

    def say(self, stage: str) -> None:
        """Tell of the best plan and the bound, and what is going on."""
        self.run.say(stage, self.objective, self.bound.value)

    def offer(self, chosen: np.ndarray, *, least: float | None = None) -> Offer:
        """Take a plan if it is better and the exact checker accepts it."""
        return self.known.offer(ordered(self.ordered.options, chosen), least=least)

    def _noise(self, chosen: np.ndarray, objective: float) -> float:
        if self.compiled.flex:  # amounts that are bought are rounded
            return 1e-9 * max(1.0, abs(objective))
        worth = self.compiled.options.worth[chosen]
        return rounding([*worth, self.bound.constant])

    def certified(self, chosen: np.ndarray, objective: float) -> bool:
        """Return whether the exact checker accepts a plan and its objective."""
        begin = time.monotonic()
        plan = self._plan(chosen)
        certified = check_plan(
            self.portfolio,
            plan.schedule,
            strict=self.run.strict,
            objective=objective,
            purchases=plan.purchases if self.compiled.flex else None,
            record=self.compiled.record,
            question=self.question,
        ).certified
        self.check_seconds = max(self.check_seconds, time.monotonic() - begin)
        return certified

    def start_near(self, starts: Mapping[str, int]) -> None:
        """Begin with another plan; what does not fit is moved or left out."""
        begin = time.monotonic()
        self.plans.near(starts)
        self._note_first("start", begin, "plan to begin with")

    def start_greedily(self) -> None:
        """Find a first plan."""
        begin = time.monotonic()
        self.plans.first()
        self._note_first("greedy", begin, "greedy")

    def _note_first(self, solver: str, begin: float, stage: str) -> None:
        outcome = "no_solution" if self.known.chosen is None else "feasible"
        self.run.note(solver, outcome, time.monotonic() - begin)
        self.say(stage)

    def _plan(self, chosen: np.ndarray, report: SolveReport | None = None) -> Plan:
        return Plan.from_starts(
            self.portfolio,
            self.compiled.starts_of(chosen),
            report=report,
            strict=self.run.strict,
            purchases=self.compiled.purchases_of(self.portfolio, chosen),
            record=self.compiled.record,
        )

    def improve(self) -> None:
        """Run the solver; where its answer cannot be used, run it another way."""
        rungs = [("HiGHS", True), ("HiGHS", False)]
        if self.solver != "HiGHS":
            rungs.insert(0, (self.solver, True))
        options = self.ordered.options
        params = self.run.params
        checked = params.proof.checked_cuts if carries_cuts(options) else 0.0
        if carries_branches(options):
            checked = params.proof.checked
        for solver, presolve in rungs:
            seconds = self.run.left() - self.reserve
            if seconds <= 0.05:
                break
            checks = params.start.checks * self.check_seconds
            proof = max(checks, params.start.readings * self.read_seconds)
            kept = max(0.7, (0.02 + checked) * seconds, proof)
            found = run_solver(
                options,
                seconds=max(seconds - kept, 0.5 * seconds),
                limits=self.run.limits,
                seed=self.run.seed,
                start=self.known.chosen,
                solver=solver,
                presolve=presolve,
                relax=presolve or not self.bound.prices,
                guide=self.bound.guide,
                on_event=self._on_event,
                here=self.here,
                checked=self.certifies_bound,
                params=params,
            )
            outcome = self._judge(found)
            self.run.note(
                solver if presolve else f"{solver} without presolve",
                outcome,
                found.seconds,
                "; ".join([found.detail, *found.notes]),
            )
            self.found = found
            if outcome == "proved":
                self._polish()
            final = ("optimal", "proved", "feasible", "no_solution", "interrupted")
            if outcome in final and not self.impossible:
                break
            if outcome == "timeout" and self.known.chosen is not None:
                break
            claimed = outcome == "infeasible" or self.impossible
            nothing = self.known.chosen is None
            if claimed and nothing and self._confirm_infeasible():
                break

    def _polish(self) -> None:
        """Look for the earliest starts among the plans that are worth as much."""
        assert self.known.chosen is not None
        seconds = 0.5 * self.run.left()
        if seconds < 0.2:
            return
        chosen = run_polish(
            self.compiled.options,
            self.known.chosen.tolist(),
            seconds=seconds,
            limits=self.run.limits,
            seed=self.run.seed,
        )
        self._offer_polished(chosen)

    def _offer_polished(self, chosen: Sequence[int] | None) -> None:
        if chosen is not None:
            plan = np.array(chosen, dtype=np.int64)
            self.offer(plan, least=self.known.objective)

    def _confirm_infeasible(self) -> bool:
        """Ask the elastic model what clashes; if nothing does, the claim was wrong."""
        self.say("looking for what clashes")
        self.conflicts, chosen = find_conflicts(
            self.portfolio, self.whole, self.run.limits
        )
        if chosen is not None:
            chosen = self.compiled.chosen(self.whole.starts_of(chosen))
        if chosen is not None:
            self.offer(chosen)
        return bool(len(self.conflicts))

    def _on_event(self, event: Event) -> list[int] | None:
        """Take what a child reports; return the best plan if this made it better."""
        before = self.known.objective
        if isinstance(event, Relaxation):
            self._hear_prices(event)
        elif isinstance(event, Impossible):
            self.impossible = True
        elif type(event) in _STAGES:
            if isinstance(event, PlanTold | Improved):
                self.offer(np.array(event.chosen, dtype=np.int64))
            self.bound.hear(event)
            self.say(_STAGES[type(event)])
        if self.known.chosen is None or self.known.objective == before:
            return None
        return [int(k) for k in self.known.chosen]

    def _hear_prices(self, event: Relaxation) -> None:
        """Take the prices of the LP relaxation, and a plan that is made by them."""
        if event.objective is None:
            return
        self.bound.hear_prices(event.objective, event.prices)
        took = self.plans.seconds + self.check_seconds
        if self.run.left() > self.run.params.start.checks * took:
            self.plans.by_price(self.bound.prices)
        self.say("LP relaxation")

    def _judge(self, found: Found) -> str:
        """Take what can be used of a run; return the outcome to note."""
        accepted = True
        # The best one first: where it is accepted the others need no check.
        for chosen in reversed(found.incumbents or []):
            plan = np.array(chosen, dtype=np.int64)
            if self.offer(plan) is Offer.REFUSED:
                self.plans.repaired(plan)
                accepted = False
        if found.interrupted or found.outcome in ("crashed", "timeout"):
            return found.outcome
        if found.outcome == "infeasible" and self.known.chosen is not None:
            found.detail += "; but a checked plan exists"
            return "wrong_infeasible"
        if not accepted:
            found.detail += "; the checker refused the plan"
            return "refused"
        if found.outcome in ("optimal", "proved", "feasible", "no_solution"):
            self.bound.tighten(found.bound)
        self._offer_polished(found.polished)
        if found.outcome == "optimal" and self._far():
            found.detail += "; but its own bound is far from its plan"
            return "wrong_optimal"
        return found.outcome

    def _far(self) -> bool:
        """Return whether the bound is further off than a proved optimum allows."""
        if self.objective is None or self.bound.value is None:
            return False
        allowed = max(self.run.limits.gap, 1e-5)
        return relative_gap(self.objective, self.bound.value) > allowed

    def finish(self) -> Plan:
        """Return the best plan with its report, or raise what went wrong."""
        if self.known.chosen is None:
            self._raise_nothing_found()
        certificate: Mapping[str, Any] = {}
        certified_bound: float | None = None
        try:
            if not self.stages and self.run.left() > 2.0 * self.plans.seconds:
                self.plans.filled(self.known.chosen)
            certificate, certified_bound = self._evidence()
        except KeyboardInterrupt:
            note_stop()
        bound, status = self._final_bound(certified_bound)
        self.bound.value = bound
        self.say("done")
        report = SolveReport(
            status=status,
            objective=self.known.objective,
            bound=bound,
            certified=True,
            certified_bound=certified_bound,
            seconds=round(self.run.seconds(), 3),
            seed=self.run.seed,
            solver=self.solver if self.found is not None else "greedy",
            versions=versions(),
            attempts=tuple(self.run.attempts),
            certificate=certificate,
            stages=tuple(self.stages),
            stopped=stop_asked(),
            params=self.run.params.changed(),
        )
        plan = self._plan(self.known.chosen, report)
        if self.compiled.flex or self.compiled.record is not None:
            plan.report = replace(
                report,
                worth=float(plan.worth.sum()),
                purchase_cost=plan.purchase_cost if self.compiled.flex else None,
                change_cost=None if self.compiled.record is None else plan.change_cost,
            )
        return plan

    def _final_bound(self, certified: float | None) -> tuple[float | None, SolveStatus]:
        """Return the bound to be told beside one that is proved, and what it makes."""
        bound, objective = self.bound.value, self.known.objective
        if certified is not None:
            bound = certified if bound is None else min(bound, certified)
        if bound is not None and bound < objective:
            slip = objective - bound
            if slip > 1e-6 * max(1.0, abs(objective)):
                # The claim is refuted by a plan that the checker accepts.
                bound = self.bound.loosest if certified is None else certified
            bound = max(bound, objective)
        if bound is not None and relative_gap(objective, bound) <= OPTIMAL_GAP:
            return bound, SolveStatus.OPTIMAL
        return bound, SolveStatus.FEASIBLE

    def _evidence(self) -> tuple[Mapping[str, Any], float | None]:
        """Return the certificate that proves most, and the bound it proves."""
        return self.bound.proved(
            self.question if self.certifies_bound else None,
            strict=self.run.strict,
            until=self.run.begin + self.run.limits.seconds - self.check_seconds,
            stopped=stop_asked(),
        )

    def _raise_nothing_found(self) -> NoReturn:
        if self.found is not None and self.found.interrupted:
            raise KeyboardInterrupt
        if len(self.conflicts):
            raise InfeasibleError(self.conflicts)
        self.run.raise_nothing_found(without=("start", "greedy"))
