"""optimize(..., risk=...): plans that keep overload unlikely, tested in new futures.

The model itself knows no chances. A plan is found by solving it with less capacity,
where the futures of the plan before need a buffer, and by moves that are counted in a
sample of futures; what it is worth is then told by draws that no search has seen. The
plan keeps every rule of the portfolio as it stands, and the bound of the portfolio
holds for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import InfeasibleError, SolverError
from pmo_analytics.evidence import OPTIMAL_GAP, SolveStatus, relative_gap
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.risk.evidence import evidence
from pmo_analytics.optimization.risk.moves import (
    Aim,
    leave_out,
    refilled,
    search_moves,
    what_stays,
)
from pmo_analytics.optimization.risk.risk import Risk
from pmo_analytics.optimization.risk.sample import Sample, tail_mean
from pmo_analytics.plan import Plan
from pmo_analytics.processes import note_stop, stop_asked
from pmo_analytics.uncertainty import Uncertainty

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Times that the portfolio is solved with less capacity.
_ROUNDS = 4
# Shares of the clock: the plan without regard to risk, and each further solution.
_FIRST, _EACH = 0.25, 0.08
# And the dates of what has to be in; and each look for a plan with spare capacity.
_MUSTS = 0.07
_RELIEF, _RELIEFS = 0.05, 6
# Moves for each unit of `SolveLimits.work`.
_MOVES_A_UNIT = 100
# The limit that holds in the sample is lower by so many standard errors, so that it
# holds in other draws too.
_MARGIN = 1.0


def plan_under_risk(
    portfolio: Portfolio,
    risk: Risk,
    limits: SolveLimits,
    solve: Callable[..., Plan],
    *,
    start: Any,
    strict: bool,
    seed: int,
) -> Plan:
    """Return a plan that keeps overload unlikely, with the evidence of it.

    Parameters
    ----------
    solve
        `optimize` with its other arguments; called with a portfolio, `limits`, and
        `start`.
    start
        A plan to begin with, or None.

    Raises
    ------
    SolverError
        If no plan was found that keeps the chance.
    """
    first = partial(solve, start=start)
    search = _RiskSearch(
        portfolio, risk, limits, solve, first, strict=strict, seed=seed
    )
    try:
        if not search.met and not stop_asked():
            if risk.measure == "chance":
                search.tighten()
            else:
                search.relieve()
            search.polish()
    except KeyboardInterrupt:
        note_stop()
    return search.finish()


class _RiskSearch:
    """One search: the plan without regard to risk, the sample, the best plan."""

    def __init__(
        self,
        portfolio: Portfolio,
        risk: Risk,
        limits: SolveLimits,
        solve: Callable[..., Plan],
        first: Callable[..., Plan],
        *,
        strict: bool,
        seed: int,
    ) -> None:
        self.begin = time.monotonic()
        self.risk, self.limits, self.solve = risk, limits, solve
        self.strict, self.seed = strict, seed
        self.base = first(portfolio, limits=self._part(_FIRST))
        self.portfolio = self.base.portfolio
        self.compiled: Compiled = compile_options(
            self.portfolio, strict=strict, record=self.base.record
        )
        # What no option changes: the price of dropping all of a plan of record.
        self.constant = float(self.compiled.options.constant.sum())
        self.uncertainty = risk.uncertainty or Uncertainty()
        self.sample = Sample(
            self.portfolio,
            self.compiled.names,
            self.uncertainty,
            risk.draws,
            risk.seed,
        )
        spread = np.sqrt(risk.chance * (1.0 - risk.chance) / risk.draws)
        allowed = max(risk.chance - _MARGIN * spread, 0.5 * risk.chance)
        self.allowed = np.full(self.sample.load.shape[:2], allowed)
        self.tried: list[tuple[tuple[float, float], np.ndarray]] = []
        self.best: np.ndarray | None = None
        self.best_cost = (np.inf, np.inf)
        self.aim = self._aim()
        # What has to be in the plan, where it is too likely too much by itself.
        self.mandatory: dict[str, int] = {}
        if risk.measure == "chance":
            self._inherit()
        self.base_cost = self.offer(self.base)

    def _inherit(self) -> None:
        """Raise the limit where what has to be done exceeds it by itself."""
        chosen = self.compiled.chosen(self.base.starts)
        assert chosen is not None
        stays = what_stays(self.compiled, chosen)
        work = self.limits.work
        stays = search_moves(
            self.compiled,
            stays,
            self.sample,
            self.aim,
            np.random.default_rng(self.seed),
            until=time.monotonic() + _MUSTS * self.limits.seconds,
            most=_MOVES_A_UNIT * work if work else None,
            only_shift=True,
        )
        starts = self.compiled.starts_of(stays)
        self.sample.take(starts)
        chance = self.sample.chance
        if (chance > self.allowed).any():
            self.mandatory = starts
            self.allowed = np.maximum(self.allowed, chance)
        self.offer(stays)

    def _part(self, share: float) -> SolveLimits:
        return replace(self.limits, seconds=max(share * self.limits.seconds, 0.5))

    def _aim(self) -> Aim:
        if self.risk.measure == "cvar":
            floor = self.base.objective
            floor -= (1.0 - self.risk.keep) * abs(floor) + 1e-9 * abs(floor)
            floor -= self.constant
            tail = self.risk.tail

            def cost(sample: Sample, _: float) -> tuple[float, float]:
                return 0.0, tail_mean(sample.overload, tail)

            def weights(sample: Sample) -> np.ndarray:
                return np.asarray(sample.missing.sum(axis=2))

            return Aim(cost, weights, floor)

        def excess(sample: Sample) -> np.ndarray:
            return np.maximum(sample.chance - self.allowed - 1e-9, 0.0)

        def cost_of_chance(sample: Sample, objective: float) -> tuple[float, float]:
            return float(excess(sample).sum()), -objective

        return Aim(cost_of_chance, excess)

    @property
    def met(self) -> bool:
        """Whether the plan without regard to risk is as good as can be."""
        return self.base_cost[0 if self.risk.measure == "chance" else 1] <= 0

    def offer(self, plan: Plan | np.ndarray) -> tuple[float, float]:
        """Take a plan if it is better in the sample; return its cost."""
        chosen = self.compiled.chosen(plan.starts) if isinstance(plan, Plan) else plan
        if chosen is None:
            return (np.inf, np.inf)
        self.sample.take(self.compiled.starts_of(chosen))
        objective = float(self.compiled.options.worth[chosen].sum())
        cost = self.aim.cost(self.sample, objective)
        if objective >= self.aim.floor and cost < self.best_cost:
            own = Plan.from_starts(self.portfolio, self.compiled.starts_of(chosen))
            check = check_plan(
                self.portfolio,
                own.schedule,
                strict=self.strict,
                objective=objective + self.constant,
                record=self.base.record,
            )
            if check.certified:
                self.best, self.best_cost = chosen, cost
        self.tried.append((cost, chosen))
        return cost

    def tighten(self) -> None:
        """Solve with less capacity where futures need a buffer."""
        capacity = self.compiled.limits.capacity.to_numpy().T
        least = self._least()
        buffer = np.zeros_like(capacity)
        plan = self.base
        held = self._held()
        before = (np.inf, np.inf)
        for _ in range(_ROUNDS):
            cost = self.offer(plan)
            if before[0] <= 0 and cost >= before:
                break
            before = cost
            needed = self._needed(capacity)
            above = self.sample.chance > self.allowed + 1e-9
            if cost[0] > 0:
                # What is too likely needs the whole buffer; the rest goes half way.
                buffer = np.where(
                    above, np.maximum(buffer, needed), (buffer + needed) / 2.0
                )
            else:
                buffer = np.where(needed < buffer, (buffer + needed) / 2.0, buffer)
            buffer = np.clip(buffer, 0.0, np.maximum(capacity - least, 0.0))
            tight = pd.DataFrame(
                np.maximum(capacity - buffer, 0.0).T.round(6),
                index=self.portfolio.horizon,
                columns=self.compiled.limits.capacity.columns,
            )
            if self._late(0.6):
                break
            try:
                plan = self.solve(
                    self.portfolio.replace(capacity=tight, **held),
                    limits=self._part(_EACH),
                    start=self._starts(plan),
                )
            except (InfeasibleError, SolverError):
                buffer = buffer / 2.0
        else:
            self.offer(plan)

    def relieve(self) -> None:
        """Look for plans worth as much that leave a part of the buffer free.

        As much of it as can be, halving the step where it is too much.
        """
        capacity = self.compiled.limits.capacity.to_numpy().T
        rng = np.random.default_rng(self.seed)
        work = self.limits.work
        begin, part, step = self.compiled.chosen(self.base.starts), 0.0, 0.2
        room = np.maximum(capacity - self._least(), 0.0)
        for _ in range(_RELIEFS):
            assert begin is not None
            self.sample.take(self.compiled.starts_of(begin))
            spare = np.minimum((part + step) * self._needed(capacity), room)
            rest = np.zeros(len(self.compiled.options.limit) - spare.size)
            found = refilled(
                self.compiled,
                begin,
                np.concatenate([spare.ravel(), rest]),
                rng,
                until=time.monotonic() + _RELIEF * self.limits.seconds,
                most=_MOVES_A_UNIT * work if work else None,
            )
            if found is None:
                step /= 2.0
                continue
            self.offer(found)
            if float(self.compiled.options.worth[found].sum()) >= self.aim.floor:
                begin, part = found, part + step
            else:
                step /= 2.0

    def _held(self) -> dict[str, pd.DataFrame]:
        """Return the tables that hold what has to be in at its best dates."""
        if not self.mandatory:
            return {}
        projects = self.portfolio.projects.copy()
        first = self.portfolio.horizon[0]
        for name, start in self.mandatory.items():
            p = self.compiled.names.index(name)
            if self.compiled.options.must[p] and len(self.compiled.starts[name]) > 1:
                row = projects["project"] == name
                projects.loc[row, ["earliest", "latest"]] = first + start
        return {"projects": projects}

    def _starts(self, plan: Plan) -> pd.DataFrame:
        return plan.schedule[["project", "start"]]

    def _late(self, share: float) -> bool:
        late = time.monotonic() - self.begin > share * self.limits.seconds
        return late or stop_asked()

    def _least(self) -> np.ndarray:
        """Return the load of what has to be in, FTE."""
        o = self.compiled.options
        load = np.zeros(len(o.limit))
        for name, start in (self.mandatory or self.base.starts).items():
            p = self.compiled.names.index(name)
            if o.must[p]:
                option = self.compiled.chosen({name: start})
                if option is not None:
                    rows, amounts = o.uses(int(option[0]))
                    load[rows] += amounts
        roles, periods = int(o.sizes[0]), int(o.sizes[1])
        return load[: roles * periods].reshape(roles, periods)

    def _needed(self, capacity: np.ndarray) -> np.ndarray:
        """Return the buffer that the last plan would need in each cell, FTE.

        How much more than planned load and capacity come to differ with the accepted
        chance; where the plan has no work, as much as the role needs elsewhere.
        """
        o = self.compiled.options
        chosen = self.compiled.chosen(self.sample.starts)
        load = np.zeros(len(o.limit))
        for option in [] if chosen is None else chosen.tolist():
            rows, amounts = o.uses(option)
            load[rows] += amounts
        planned = load[: capacity.size].reshape(capacity.shape)
        apart = np.sort(self.sample.apart, axis=2)
        at = np.ceil((1.0 - self.allowed) * self.sample.draws - 1e-9).astype(int) - 1
        at = np.clip(at, 0, self.sample.draws - 1)
        worst = np.take_along_axis(apart, at[:, :, None], axis=2)[:, :, 0]
        needed = worst - (planned - capacity)
        busy = planned > 0.5 * capacity
        for role in range(len(needed)):
            if busy[role].any():
                usual = float(np.mean(needed[role][busy[role]]))
                needed[role][~busy[role]] = np.maximum(
                    needed[role][~busy[role]], 0.5 * usual
                )
        return np.maximum(needed, 0.0)

    def polish(self) -> None:
        """Move projects while there is time, counted in the sample."""
        rng = np.random.default_rng(self.seed)
        if self.risk.measure == "chance":
            # What is too likely too much is mended by leaving something out.
            for chosen in [plan for cost, plan in self.tried if cost[0] > 0][-3:]:
                self.offer(leave_out(self.compiled, chosen, self.sample, self.aim))
        begin = self.best
        assert begin is not None
        work = self.limits.work
        found = search_moves(
            self.compiled,
            begin,
            self.sample,
            self.aim,
            rng,
            until=self.begin + 0.95 * self.limits.seconds,
            most=_MOVES_A_UNIT * work if work else None,
        )
        self.offer(found)

    def finish(self) -> Plan:
        """Return the best plan, certified, with what new draws say of it."""
        assert self.best is not None
        if self.best_cost[0] > 0:
            self._check_likely()
        starts = self.compiled.starts_of(self.best)
        objective = float(self.compiled.options.worth[self.best].sum())
        objective += self.constant
        report = self.base.report
        assert report is not None
        status = SolveStatus.FEASIBLE
        if (
            report.bound is not None
            and relative_gap(objective, report.bound) <= OPTIMAL_GAP
        ):
            status = SolveStatus.OPTIMAL
        report = replace(
            report,
            status=status,
            objective=objective,
            seconds=round(time.monotonic() - self.begin, 3),
            risk=self._evidence(starts),
            stopped=stop_asked(),
        )
        record = self.base.record
        plan = Plan.from_starts(
            self.portfolio, starts, report=report, strict=self.strict, record=record
        )
        if record is not None:
            worth = float(plan.worth.sum())
            plan.report = replace(report, worth=worth, change_cost=plan.change_cost)
        return plan

    def _evidence(self, starts: Mapping[str, int]) -> dict[str, Any]:
        self.sample.take(starts)
        return evidence(
            self.risk,
            self.base,
            starts,
            self.mandatory,
            self.sample,
            self.compiled.roles,
        )

    def _check_likely(self) -> None:
        """Raise SolverError where the chance is too high, not just near it."""
        assert self.best is not None
        self.sample.take(self.compiled.starts_of(self.best))
        chance = self.sample.chance
        excess = chance - np.maximum(self.allowed, self.risk.chance)
        cells = [
            f"{self.compiled.roles[role]} in "
            f"{format_period(self.portfolio.horizon[period])} "
            f"({chance[role, period]:.0%})"
            for role, period in np.argwhere(excess > 1e-9).tolist()
        ]
        if not cells:
            return
        raise SolverError(
            [{"solver": "risk", "outcome": "no_solution"}],
            "No plan was found in which the chance of overload stays at "
            f"{self.risk.chance:.0%} or below: {', '.join(cells[:5])}. Accept a higher "
            "chance, allow more time, or add capacity there.",
            status="no_solution",
        )
