"""The search of `level`: schedules, a solver beside them, and who found what."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.conflicts import find_conflicts
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.levelling.energetic import Refutation, path_bound
from pmo_analytics.optimization.levelling.enumeration import Exhaustion
from pmo_analytics.optimization.levelling.finish_model import cut
from pmo_analytics.optimization.levelling.genetic import Evolution
from pmo_analytics.optimization.levelling.jobs import (
    Jobs,
    Lateness,
    lateness_of,
    levelled_question,
    read_jobs,
)
from pmo_analytics.optimization.levelling.layers import Layering
from pmo_analytics.optimization.levelling.proving import (
    Prover,
    Windows,
    encode_makespan,
)
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.run import Run
from pmo_analytics.optimization.workers.process import Event
from pmo_analytics.optimization.workers.race import Found
from pmo_analytics.optimization.workers.running import run_solver
from pmo_analytics.plan import Plan, relative_gap
from pmo_analytics.processes import note_stop
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Schedules between two looks at the clock and at what the solver has to say.
_STEPS = 20
# Uses of limited things that are compiled without a second thought.
_MOST_USES = 2_000_000
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


class Levelling:
    """The state of one search: the best starts, the bound, and all attempts.

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
    conflicts
        What clashes, where nothing can be found.
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
        self.reading = 0.0
        self.exhausted: bool | None = None  # all schedules were tried
        self.layering: Layering | None = None
        self.conflicts = pd.DataFrame()
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

    # --------------------------------------------------------------------- the search

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
            self._cost_of(jobs),
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
                better = False
                for _ in range(_STEPS if len(jobs.names) <= 150 else 1):
                    better |= evolution.step()
                    if self.run.limits.work is not None and self._enough(evolution):
                        break
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
                if self.run.limits.work is None and not self.closed():
                    found = prover.listen(stack)
                    if found is not None and self.accept(found):
                        self.say("solver")
            prover.close()

    def _tired(self, moved: float) -> bool:
        """Return whether schedules have stood still for too long.

        Lateness has neighbours that the solver searches better; the end has not.
        """
        if self.measure == "makespan" or self.run.limits.work is not None:
            return False
        return time.monotonic() - moved > max(_STILL, 0.15 * self.run.limits.seconds)

    def _exhaust(self, jobs: Jobs) -> None:
        """Try everything, where that is little."""
        prices = None if self.measure == "makespan" else self._prices_of(jobs)
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

    def _cost_of(self, jobs: Jobs) -> Any:
        """Return the function from starts of jobs to the measure."""
        duration = jobs.duration
        if self.measure == "makespan":
            floor = jobs.fixed_finish
            return lambda starts: max(floor, *map(add, starts, duration))
        onset, weight = self._prices_of(jobs)
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

    def _prices_of(self, jobs: Jobs) -> tuple[list[int], list[int]]:
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
        return int(self._cost_of(jobs)(heads))

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
        if event["event"] in ("incumbent", "improved"):
            self.accept(self.starts_of(event["chosen"], compiled))
            self.say("solver")
        bound = event.get("bound")
        if event["event"] == "relaxation":
            bound = event["objective"]
        if bound is not None:
            self.tighten(self.bound_from(bound))
            self.say("solver")

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
        small = cut(options, keep)
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
