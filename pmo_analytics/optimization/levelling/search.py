"""The search of `level`: schedules, a solver beside them, and who found what."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.optimization.conflicts import find_conflicts
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.levelling.enumeration import Exhaustion
from pmo_analytics.optimization.levelling.genetic import Evolution
from pmo_analytics.optimization.levelling.jobs import Jobs, read_jobs
from pmo_analytics.optimization.levelling.layers import Layering
from pmo_analytics.optimization.levelling.proving import (
    Prover,
    Windows,
    encode_makespan,
)
from pmo_analytics.optimization.levelling.state import Levelling
from pmo_analytics.optimization.messages import (
    Event,
    Improved,
    PlanTold,
    Relaxation,
)
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.run import Run
from pmo_analytics.optimization.workers.race import Found
from pmo_analytics.optimization.workers.running import run_solver
from pmo_analytics.processes import note_stop

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Schedules between two looks at the clock and at what the solver has to say.
_STEPS = 20
# Up to this many options the earliest starts among equal plans are worth a solver.
_MOST_POLISHED = 500
# Seconds without a better schedule after which lateness is left to the solver.
_STILL = 1.5
# Schedules that are built before partial ones are searched in layers, turn by turn;
# and how much of the work after that goes to layers, per unit of the other.
_HEAD_START = 1_500
_LAYERS_SHARE = 2
# Failed schedules in a row after which the general model is asked for a first plan.
_MOST_FAILURES = 300


class LevelSearch(Levelling):
    """One search: schedules, layers, everything there is, and a solver beside them.

    Attributes
    ----------
    conflicts
        What clashes, where nothing can be found.
    """

    def __init__(self, portfolio: Portfolio, measure: str, run: Run) -> None:
        super().__init__(portfolio, measure, run)
        self.reading = 0.0
        self.exhausted: bool | None = None  # all schedules were tried
        self.layering: Layering | None = None
        self.conflicts = pd.DataFrame()

    def find(self) -> None:
        """Look for the best schedule until it is proved or the time is up."""
        try:
            before = self.run.seconds()
            jobs = read_jobs(self.inner, strict=self.run.strict)
            self.reading = self.run.seconds() - before
            impossible = jobs is not None and jobs.heads() is None
            if jobs is not None and not impossible:
                self._build(jobs)
                impossible = self.starts is None and bool(self.exhausted)
            if self.starts is None:
                self._solve(impossible)
            elif jobs is not None:
                self._polish(jobs)
        except KeyboardInterrupt:
            note_stop()
            if self.starts is None:
                raise

    def _build(self, jobs: Jobs) -> None:
        """Build schedules; let the solver look for a proof meanwhile."""
        begin = time.monotonic()
        if not jobs.names:
            self.offer(dict(jobs.fixed))
            assert self.key is not None
            self.tighten(self.key[0])
            self.exhausted = True
            return
        self.tighten(self.cost_of_heads(jobs))
        evolution = Evolution(
            jobs,
            self.cost_of(jobs),
            np.random.default_rng(self.run.seed),
            [float(self.lateness.due[name]) for name in jobs.names],
            justify=self.measure == "makespan",
        )
        if self.measure == "makespan":
            self.layering = Layering(jobs)
        prover = Prover(self, jobs)
        try:
            self._evolve(jobs, evolution, prover)
        except KeyboardInterrupt:
            if evolution.best is not None:
                self._take(jobs, evolution.best[1])
            self.run.note("schedules", "interrupted", time.monotonic() - begin)
            raise
        outcome = "no_solution" if self.starts is None else "feasible"
        built = f"{evolution.builder.built} schedules"
        self.run.note("schedules", outcome, time.monotonic() - begin, built)
        if self.starts is None or self.closed():
            return
        if self.run.limits.work is not None:
            prover.solve_once()
        elif self.run.left() > 2.0:
            prover.search_around()

    def _evolve(self, jobs: Jobs, evolution: Evolution, prover: Prover) -> None:
        moved = time.monotonic()
        with ExitStack() as stack:
            while not self._enough(evolution) and not self.closed():
                better = self._step(jobs, evolution)
                if better:
                    moved = time.monotonic()
                elif self._tired(moved):
                    break
                if better and evolution.best is not None:
                    self._take(jobs, evolution.best[1])
                    self.say("schedules")
                if self.starts is None:
                    if evolution.builder.built > _MOST_FAILURES:
                        self._exhaust(jobs)
                        break
                    continue
                prover.prove_by_work()
                if self.exhausted is None:
                    self._exhaust(jobs)
                self._layer(jobs, evolution)
                self._listen(prover, stack)
            prover.close()

    def _step(self, jobs: Jobs, evolution: Evolution) -> bool:
        """Take a few steps, one of many jobs; return whether any was for the better."""
        better = False
        for _ in range(_STEPS if len(jobs.names) <= 150 else 1):
            better |= evolution.step()
            if self.run.limits.work is not None and self._enough(evolution):
                break
        return better

    def _listen(self, prover: Prover, stack: ExitStack) -> None:
        if self.run.limits.work is None and not self.closed():
            found = prover.listen(stack)
            if found is not None and self.accept(found):
                self.say("solver")

    def _tired(self, moved: float) -> bool:
        """Return whether schedules have stood still for too long.

        Lateness has neighbours that the solver searches better; the end has not.
        """
        if self.measure == "makespan" or self.run.limits.work is not None:
            return False
        return time.monotonic() - moved > max(_STILL, 0.15 * self.run.limits.seconds)

    def _exhaust(self, jobs: Jobs) -> None:
        """Try everything, where that is little."""
        prices = None if self.measure == "makespan" else self.prices_of(jobs)
        best = self.key or (sys.maxsize, sys.maxsize)
        always = 0 if prices is None else self.cost(jobs.fixed)
        wanted = best[0] - always, best[1] - sum(jobs.fixed.values())
        onset, weight = prices or (None, [])
        found = Exhaustion(jobs, onset, weight, wanted)
        self.exhausted = found.complete
        if found.starts is not None:
            self._take(jobs, found.starts)
        if found.complete and self.key is not None:
            self.tighten(self.key[0])
        if found.starts is not None or found.complete:
            self.say("all schedules")

    def _layer(self, jobs: Jobs, evolution: Evolution) -> None:
        """Look for an earlier end in layers, for a share of the work so far."""
        layering = self.layering
        longest = 0.0
        while (
            layering is not None
            and layering.open
            and layering.built
            <= _LAYERS_SHARE * (evolution.builder.built - _HEAD_START)
            and not self.closed()
            and not self._enough(evolution)
            # The next layer may be half as large again, and the checks come after it.
            and self.run.left() > 2 * longest
        ):
            assert self.key is not None
            before = time.monotonic()
            ended = layering.step(self.key[0] - 1)
            longest = max(longest, time.monotonic() - before)
            if ended is None:
                continue
            if ended.starts is not None:
                evolution.take(ended.starts)
                assert evolution.best is not None
                self._take(jobs, evolution.best[1])
                self.say("layers")
            elif ended.complete:
                self.tighten(ended.finish + 1)
                self.run.note(
                    "layers", "infeasible", 0.0, f"nothing ends within {ended.finish}"
                )
                self.say("layers")

    def _enough(self, evolution: Evolution) -> bool:
        # The checks at the end read the tables three times; reading took that long.
        needed = max(0.05, 0.01 * self.run.limits.seconds, 3 * self.reading)
        if self.run.left() <= (0.0 if evolution.best is None else needed):
            return True
        work = self.run.limits.work
        built = evolution.builder.built
        if self.layering is not None:
            built += self.layering.built
        return work is not None and built >= work

    def _take(self, jobs: Jobs, starts: list[int]) -> None:
        own = dict(zip(jobs.names, starts, strict=True))
        self.offer({**jobs.fixed, **own})

    def _solve(self, impossible: bool) -> None:
        """Solve the general model, for rules that schedules do not know.

        What schedules found impossible is asked for what clashes at once.
        """
        compiled = self.compiled() or compile_options(
            self.inner, strict=self.run.strict
        )
        options = compiled.options
        if (
            compiled.contradictions
            or (options.must & (np.diff(options.first) == 0)).any()
        ):
            self.conflicts = find_conflicts(self.inner, compiled, None)[0]
            return
        if not compiled.names:
            self.offer({})
            self.tighten(0)
            return
        if impossible and self._find_conflicts(compiled):
            return
        options = self.priced(compiled)
        first = greedy(replace(options, worth=-options.tie))
        model = options
        if self.measure == "makespan":
            model, first = encode_makespan(options, self.lengths(compiled), first)
        self._run(model, first, compiled)

    def _run(
        self, model: Options, first: np.ndarray | None, compiled: Compiled
    ) -> None:
        """Run the solver, once more without presolve where that may help."""
        for presolve in (True, False):
            seconds = self.run.left()
            if seconds <= 0.05:
                break
            begin = time.monotonic()
            found = run_solver(
                model,
                seconds=max(0.95 * seconds - 0.5, 0.5 * seconds),
                limits=self.run.limits,
                seed=self.run.seed,
                start=first,
                presolve=presolve,
                relax=True,
                on_event=lambda event: self._hear(event, compiled),
            )
            outcome = self._judge(found, compiled)
            name = "HiGHS" if presolve else "HiGHS without presolve"
            self.run.note(name, outcome, time.monotonic() - begin, found.detail)
            if found.interrupted:
                raise KeyboardInterrupt
            if outcome == "infeasible":
                if self._find_conflicts(compiled):
                    break
            elif outcome != "crashed":
                break

    def _find_conflicts(self, compiled: Compiled) -> bool:
        """Ask the elastic model what clashes; False where it finds that all fits."""
        self.say("looking for what clashes")
        self.conflicts, chosen = find_conflicts(self.inner, compiled, self.run.limits)
        if chosen is not None:
            self.accept(compiled.starts_of(chosen))
        return chosen is None

    def _hear(self, event: Event, compiled: Compiled) -> None:
        """Take what a child reports."""
        if isinstance(event, PlanTold | Improved):
            self.accept(self.starts_of(event.chosen, compiled))
            self.say("solver")
        bound = event.claims
        if isinstance(event, Relaxation):
            bound = event.objective
        if bound is not None:
            self.tighten(self.bound_from(bound))
            self.say("solver")

    def _judge(self, found: Found, compiled: Compiled) -> str:
        accepted = True
        chosen = list(found.incumbents or [])
        if found.polished is not None:
            chosen.append(found.polished)
        for plan in chosen:
            accepted = self.accept(self.starts_of(plan, compiled))
        if found.outcome in ("crashed", "interrupted", "timeout"):
            return found.outcome
        if not accepted:
            found.detail += "; the checker refused the plan"
            return "refused"
        if found.outcome == "infeasible" and self.starts is not None:
            return "wrong_infeasible"
        if found.bound is not None:
            self.tighten(self.bound_from(found.bound))
        return found.outcome

    def _polish(self, jobs: Jobs) -> None:
        """Among plans of equal cost look for the one with the earliest starts."""
        assert self.key is not None
        assert self.starts is not None
        # How far it comes is a matter of time, which a work limit leaves out.
        counted = self.run.limits.work is not None
        if self.exhausted or counted or self.run.left() < 0.5 or not self.closed():
            return
        if sum(self.starts[n] for n in jobs.names) == sum(jobs.heads() or []):
            return
        compiled = self.compiled()
        if compiled is None:
            return
        options = self.priced(compiled)
        keep = Windows(self, jobs, compiled).keep(self.key[0])
        if keep.sum() > _MOST_POLISHED:
            return
        begin = time.monotonic()
        small = options.only(keep)
        numbers = np.flatnonzero(keep)
        chosen = compiled.chosen(self.starts)
        assert chosen is not None
        if self.measure == "makespan":
            small = replace(small, worth=-small.tie)
        found = run_solver(
            small,
            seconds=min(0.2 * self.run.limits.seconds, 0.9 * self.run.left()),
            limits=self.run.limits,
            seed=self.run.seed,
            start=np.searchsorted(numbers, chosen),
            relax=False,
        )
        plans = [*(found.incumbents or []), found.polished]
        for plan in plans:
            if plan is not None:
                self.accept(compiled.starts_of(numbers[plan]))
        seconds = time.monotonic() - begin
        name = "HiGHS, earliest starts"
        self.run.note(name, found.outcome, seconds, found.detail)
