"""One search for a plan: the best one, the bound, and what proves it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from pmo_analytics.errors import InfeasibleError
from pmo_analytics.evidence import OPTIMAL_GAP, SolveReport, SolveStatus, relative_gap
from pmo_analytics.optimization.bounds.certificate import (
    best_certificate,
    bound_here,
    read_guide,
    unchecked_certificate,
)
from pmo_analytics.optimization.checker.check import check_plan, read_once
from pmo_analytics.optimization.checker.proofs.work import MOST_STEPS
from pmo_analytics.optimization.conflicts import find_conflicts
from pmo_analytics.optimization.heuristics.greedy import greedy, move_earlier
from pmo_analytics.optimization.model.instance import carries_branches, carries_cuts
from pmo_analytics.optimization.model.presolve import tightened
from pmo_analytics.optimization.model.purchasing import most_bought, value_of
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.model.symmetry import in_order, ordered, without_order
from pmo_analytics.optimization.model.twins import find_twins
from pmo_analytics.optimization.workers.messages import (
    BoundTold,
    CutsTold,
    Event,
    Impossible,
    Improved,
    Incumbent,
    Prices,
    Proof,
    Relaxation,
    Tree,
)
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

# Steps of the checker for the proof of a search that was stopped, a second or two.
_STOPPED_STEPS = 5_000_000


class PlanSearch:
    """The state of one search: the best plan, the bound, and what proves it."""

    def __init__(
        self, portfolio: Portfolio, compiled: Compiled, run: Run, solver: str
    ) -> None:
        self.portfolio = portfolio
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
        self.greedy_seconds = 0.0
        self.stages: list[dict[str, object]] = []
        self.constant = float(compiled.options.constant[0])
        self.run = run
        self.solver = solver
        self.best: np.ndarray | None = None
        self.objective: float | None = None
        # A bound is never missing: without a better one nothing limits the projects.
        self.loosest = self.ordered.options.most_worth() + self.constant
        self.bound: float | None = self.loosest
        self.found: Found | None = None
        self.guide: Mapping[str, Any] | None = None
        self.certifies_bound = True
        self.here = False
        self.prices: Prices = ()
        self.cuts: CutsTold | None = None
        self.tree: Tree | None = None
        self.conflicts = pd.DataFrame()
        # Branches have shown that no choice keeps every rule.
        self.impossible = False

    def say(self, stage: str) -> None:
        """Tell of the best plan and the bound, and what is going on."""
        self.run.say(stage, self.objective, self.bound)

    def offer(self, chosen: np.ndarray, *, polished: bool = False) -> bool:
        """Take a plan if the exact checker accepts it and it is no worse."""
        chosen = ordered(self.ordered.options, chosen)
        objective = value_of(self.compiled.options, chosen) + self.constant
        if objective == -np.inf:
            return False
        scale = self.noise(chosen, objective)
        if self.objective is not None and (
            objective < self.objective - scale
            or (objective <= self.objective + scale and not polished)
        ):
            return True
        if not self.certified(chosen, objective):
            return False
        self.best, self.objective = chosen, objective
        return True

    def _repair(self, chosen: np.ndarray) -> None:
        """Leave one project out of a refused plan: by so much it breaks no more."""
        options = self.compiled.options
        free = chosen[~options.must[options.project[chosen]]]
        for k in free[np.argsort(options.worth[free])][
            : self.run.params.start.repairs
        ].tolist():
            before = self.objective
            self.offer(chosen[chosen != k])
            if self.objective != before or self.run.left() <= 0:
                return

    def noise(self, chosen: np.ndarray, objective: float) -> float:
        """Return what an objective may be off by: nearer ones are the same."""
        if self.compiled.flex:  # amounts that are bought are rounded
            return 1e-9 * max(1.0, abs(objective))
        return rounding([*self.compiled.options.worth[chosen], self.constant])

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

    def take_up(self, certificate: Mapping[str, Any]) -> None:
        """Take up what was proved of a similar portfolio: its prices and branches."""
        self.guide = read_guide(self.portfolio, self.ordered, certificate)
        self._tighten(bound_here(self.portfolio, self.ordered, certificate))

    def start_near(self, starts: Mapping[str, int]) -> None:
        """Begin with another plan; what does not fit is moved or left out."""
        begin = time.monotonic()
        names = self.compiled.names
        near = np.array([starts.get(name, np.nan) for name in names], dtype=float)
        live = {name: start for name, start in starts.items() if name in names}
        whole = self.compiled.chosen(live)
        plans = [whole] if whole is not None else []
        fitted = greedy(self.compiled.options, near=near)
        if fitted is not None:
            plans.append(fitted)
        for plan in plans:
            self.offer(plan)
        outcome = "no_solution" if self.best is None else "feasible"
        self.run.note("start", outcome, time.monotonic() - begin)
        self.say("plan to begin with")

    def _plan(self, chosen: np.ndarray, report: SolveReport | None = None) -> Plan:
        return Plan.from_starts(
            self.portfolio,
            self.compiled.starts_of(chosen),
            report=report,
            strict=self.run.strict,
            purchases=self.compiled.purchases_of(self.portfolio, chosen),
            record=self.compiled.record,
        )

    def start_greedily(self) -> None:
        """Find a first plan; shake the order if the plain one finds none."""
        rng = np.random.default_rng(self.run.seed)
        begin = time.monotonic()
        for attempt in range(1 + self.run.params.start.shakes):
            chosen = greedy(self.compiled.options, noise=rng if attempt else None)
            if chosen is not None and self.offer(
                move_earlier(self.compiled.options, chosen)
            ):
                break
            if self.run.left() < 0.5 * self.run.limits.seconds:
                break
        if self.compiled.flex:
            self._greedy_with_purchases()
        self.greedy_seconds = time.monotonic() - begin
        outcome = "no_solution" if self.best is None else "feasible"
        self.run.note("greedy", outcome, time.monotonic() - begin)
        self.say("greedy")

    def _greedy_with_purchases(self) -> None:
        """Fill as if all that is sold were there, then buy what that needs."""
        o = self.compiled.options
        more = most_bought(
            len(o.limit), o.buy_resource, o.buy_length, o.buy_joint, o.buy_most
        )
        chosen = greedy(replace(o, limit=o.limit + more))
        if chosen is not None:
            self.offer(chosen)

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
                start=self.best,
                solver=solver,
                presolve=presolve,
                relax=presolve or not self.prices,
                guide=self.guide,
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
            if outcome == "timeout" and self.best is not None:
                break
            claimed = outcome == "infeasible" or self.impossible
            if claimed and self.best is None and self._confirm_infeasible():
                break

    def _polish(self) -> None:
        """Look for the earliest starts among the plans that are worth as much."""
        assert self.best is not None
        seconds = 0.5 * self.run.left()
        if seconds < 0.2:
            return
        chosen = run_polish(
            self.compiled.options,
            self.best.tolist(),
            seconds=seconds,
            limits=self.run.limits,
            seed=self.run.seed,
        )
        if chosen is not None:
            self.offer(np.array(chosen, dtype=np.int64), polished=True)

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
        before = self.objective
        if isinstance(event, Relaxation):
            self._hear_prices(event)
        elif isinstance(event, CutsTold) and event.bound is not None:
            if self.cuts is None or event.bound <= (self.cuts.bound or 0.0):
                self.cuts = event
            self._tighten(event.bound)
            self.say("LP relaxation with cuts")
        elif isinstance(event, Incumbent | Improved):
            self.offer(np.array(event.chosen, dtype=np.int64))
            self._tighten(event.claims)
            searched = isinstance(event, Improved)
            self.say("neighbourhoods" if searched else "branch and bound")
        elif isinstance(event, BoundTold):
            self._tighten(event.bound)
            self.say("branch and bound")
        elif isinstance(event, Impossible):
            self.impossible = True
        elif isinstance(event, Proof | Tree):
            if isinstance(event, Tree) and (
                self.tree is None or event.bound <= self.tree.bound
            ):
                self.tree = event
            self._tighten(event.bound)
            self.say("branches")
        if self.best is None or self.objective == before:
            return None
        return [int(k) for k in self.best]

    def _hear_prices(self, event: Relaxation) -> None:
        """Take the prices of the LP relaxation, and a plan that is made by them."""
        if event.objective is None:
            return
        bound = event.objective + self.constant
        if self.bound is None or bound <= self.bound or not self.prices:
            self.prices = event.prices
        self._tighten(event.objective)
        took = self.greedy_seconds + self.check_seconds
        if self.run.left() > self.run.params.start.checks * took:
            self._greedy_by_price()
        self.say("LP relaxation")

    def _tighten(self, bound: float | None) -> None:
        """Take a bound of the model, which is written without the constant."""
        if bound is not None:
            bound += self.constant
            self.bound = bound if self.bound is None else min(self.bound, bound)

    def _greedy_by_price(self) -> None:
        """Fill once more, priced by the LP relaxation."""
        options = self.compiled.options
        prices = np.zeros(len(options.limit))
        for told, price in self.prices:
            label = RowLabel(*told)
            if label.form == "limit":
                prices[label.number] = max(price, 0.0)
        chosen = greedy(options, prices=prices)
        if chosen is not None:
            self.offer(move_earlier(options, chosen))

    def _judge(self, found: Found) -> str:
        """Take what can be used of a run; return the outcome to note."""
        accepted = True
        # The best one first: where it is accepted the others need no check.
        for chosen in reversed(found.incumbents or []):
            taken = self.offer(np.array(chosen, dtype=np.int64))
            if not taken:
                self._repair(np.array(chosen, dtype=np.int64))
            accepted &= taken
        if found.interrupted or found.outcome in ("crashed", "timeout"):
            return found.outcome
        if found.outcome == "infeasible" and self.best is not None:
            found.detail += "; but a checked plan exists"
            return "wrong_infeasible"
        if not accepted:
            found.detail += "; the checker refused the plan"
            return "refused"
        if found.outcome in ("optimal", "proved", "feasible", "no_solution"):
            self._tighten(found.bound)
        if found.polished is not None:
            self.offer(np.array(found.polished, dtype=np.int64), polished=True)
        if found.outcome == "optimal" and self._far():
            found.detail += "; but its own bound is far from its plan"
            return "wrong_optimal"
        return found.outcome

    def _far(self) -> bool:
        """Return whether the bound is further off than a proved optimum allows."""
        if self.objective is None or self.bound is None:
            return False
        allowed = max(self.run.limits.gap, 1e-5)
        return relative_gap(self.objective, self.bound) > allowed

    def finish(self) -> Plan:
        """Return the best plan with its report, or raise what went wrong."""
        if self.best is None:
            self._raise_nothing_found()
        assert self.best is not None
        assert self.objective is not None
        certificate: Mapping[str, Any] = {}
        certified_bound: float | None = None
        try:
            if not self.stages and self.run.left() > 2.0 * self.greedy_seconds:
                self._fill()
            certificate, certified_bound = self._evidence()
        except KeyboardInterrupt:
            note_stop()
        bound = self.bound
        if certified_bound is not None:
            bound = certified_bound if bound is None else min(bound, certified_bound)
        if bound is not None and bound < self.objective:
            slip = self.objective - bound
            if slip > 1e-6 * max(1.0, abs(self.objective)):
                # The claim is refuted by a plan that the checker accepts.
                bound = self.loosest if certified_bound is None else certified_bound
                bound = max(bound, self.objective)
            else:
                bound = self.objective
        status = SolveStatus.FEASIBLE
        if bound is not None and relative_gap(self.objective, bound) <= OPTIMAL_GAP:
            status = SolveStatus.OPTIMAL
        self.bound = bound
        self.say("done")
        report = SolveReport(
            status=status,
            objective=self.objective,
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
        plan = self._plan(self.best, report)
        if self.compiled.flex or self.compiled.record is not None:
            plan.report = replace(
                report,
                worth=float(plan.worth.sum()),
                purchase_cost=plan.purchase_cost if self.compiled.flex else None,
                change_cost=None if self.compiled.record is None else plan.change_cost,
            )
        return plan

    def _fill(self) -> None:
        """Add what still fits beside the best plan: to a solver it may be nothing."""
        assert self.best is not None
        options = self.compiled.options
        near = np.full(len(self.compiled.names), np.nan)
        near[options.project[self.best]] = options.start[self.best]
        filled = greedy(options, near=near)
        if filled is not None:
            self.offer(filled)

    def _evidence(self) -> tuple[Mapping[str, Any], float | None]:
        """Return the certificate that proves most, and the bound it proves."""
        priced: list[tuple[Any, Any]] = [(self.prices, [])] if self.prices else []
        if self.cuts is not None:
            priced.append((self.cuts.prices, self.cuts.cuts))
        tree = self.tree
        if tree is not None and self.cuts is not None:
            # A young tree may prove less than cuts that came after it began.
            tree = None if (self.cuts.bound or 0.0) < tree.bound else tree
        if not self.certifies_bound:
            written = unchecked_certificate(
                self.portfolio,
                self.ordered,
                strict=self.run.strict,
                priced=priced,
                tree=None if tree is None else tree.told,
            )
            return written, None
        stopped = stop_asked()  # somebody waits: one proof, and not a long one
        until = self.run.begin + self.run.limits.seconds - self.check_seconds
        return best_certificate(
            self.portfolio,
            self.ordered,
            strict=self.run.strict,
            priced=priced,
            tree=None if tree is None else tree.told,
            question=self.question,
            until=-math.inf if stopped else until,
            steps=_STOPPED_STEPS if stopped else MOST_STEPS,
        )

    def _raise_nothing_found(self) -> NoReturn:
        if self.found is not None and self.found.interrupted:
            raise KeyboardInterrupt
        if len(self.conflicts):
            raise InfeasibleError(self.conflicts)
        self.run.raise_nothing_found(without=("start", "greedy"))
