"""Solving again at single discount rates, and what that proves of the rates between.

By x = 1 / (1 + rate) the objective is convex but for what is taken off (`curves`),
and so is the best of any number of plans: two bounds at two rates bound every rate
between them by the straight line that joins them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.optimization.explaining.discounts.curves import (
    Curve,
    bending,
    curve_of,
    highest,
    last_where,
)
from pmo_analytics.optimization.explaining.resolving import (
    Resolved,
    resolve,
    settings_of,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.plan import Plan
from pmo_analytics.rules import with_rules
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

_SAME = 1e-6


@dataclass(frozen=True)
class Probe:
    """What solving again at one rate brought.

    Attributes
    ----------
    x
        1 / (1 + rate).
    own, other
        Best plan of the chosen set, and of any other set.
    """

    x: float
    own: Resolved
    other: Resolved


def solved_at(
    plan: Plan,
    rate: float,
    own: bool,
    limits: SolveLimits,
    seed: int,
    start: Plan | None = None,
) -> Resolved:
    """Return the best plan of the chosen set, or of any other, at a rate."""
    portfolio = plan.portfolio.replace(discount=rate)
    windows = start_windows(portfolio.projects, portfolio.horizon)
    free = windows.index[(windows["state"] == "live") & ~windows["must"]]
    inside = [name for name in free if name in plan.starts]
    if own:
        projects = portfolio.projects.copy()
        others = projects["project"].isin(set(free) - set(inside))
        projects.loc[others, ["force", "force_reason"]] = ["out", "not chosen"]
        question = portfolio.replace(projects=projects)
        rows: list[dict[str, object]] = [
            {"project": name, "weight": 1.0, "at_least": float(len(inside))}
            for name in inside
        ]
    elif len(free) == 0:
        nothing = pd.DataFrame({"message": ["Nothing may be in or out."]})
        return Resolved(status="infeasible", conflicts=nothing)
    else:
        question = portfolio
        rows = [
            {
                "project": name,
                "weight": 1.0 if name in plan.starts else -1.0,
                "at_most": float(len(inside) - 1),
            }
            for name in free
        ]
    name = _unused(portfolio)
    rows = [{"rule": name, "applies_to": "selected", **row} for row in rows]
    question = with_rules(question, rows) if rows else question
    return resolve(question, limits, settings_of(plan, seed), start or plan)


def _unused(portfolio: Portfolio) -> str:
    name = "the chosen set"
    while name in set(portfolio.rules["rule"]):
        name += "'"
    return name


def impossible(found: Resolved) -> bool:
    """Return whether it is proved that no plan keeps every rule."""
    return found.status == "infeasible" and len(found.conflicts) > 0


def reach_of(rate: float) -> float:
    """Return 1 / (1 + rate)."""
    return 1.0 / (1.0 + rate)


class Known:
    """Plans, bounds and what follows from them between the rates of the probes."""

    def __init__(self, plan: Plan, first: Probe) -> None:
        self.plan = plan
        self.first = first
        self.probes: list[Probe] = []
        # Of a plan that breaks rules its set counts, not its dates.
        self.own: list[Curve] = [curve_of(plan)] if plan.violations.empty else []
        self.others: list[tuple[Curve, Resolved]] = []
        self.scale = _SAME * max(1.0, abs(plan.objective))
        self.above = {first.x: first.own.bound}
        self._take(first)

    def _take(self, probe: Probe) -> None:
        self.probes.append(probe)
        self.above[probe.x] = probe.own.bound
        own = self._plan(probe.own)
        if own is not None:
            self.own.append(curve_of(own))
        other = self._plan(probe.other)
        if other is not None:
            self.others.append((curve_of(other), probe.other))

    def _plan(self, found: Resolved) -> Plan | None:
        return found.plan(
            self.plan.portfolio, strict=self.plan.strict, record=self.plan.record
        )

    def probe(
        self, x: float, limits: SolveLimits, seed: int, *, others: bool = True
    ) -> None:
        """Solve again at a rate, from the nearest plans known."""
        rate = 1.0 / x - 1.0
        own = solved_at(self.plan, rate, True, limits, seed)
        if not others:
            plan = self._plan(own)
            self.above[x] = own.bound
            if plan is not None:
                self.own.append(curve_of(plan))
            return
        start = max(self.others, key=lambda pair: pair[0].at(x), default=None)
        begin = None if start is None else self._plan(start[1])
        other = solved_at(self.plan, rate, False, limits, seed, begin)
        self._take(Probe(x, own, other))

    def best_own(self, x: float) -> float:
        """Return the most that the chosen set was found to be worth."""
        return max(curve.at(x) for curve in self.own)

    def short(self) -> float | None:
        """Return by which share another set may be better today, by the bounds."""
        bound, own = self._bound(self.first), self.best_own(self.first.x)
        return None if bound is None or not own else (bound - own) / abs(own)

    def proved_worse(self, x: float) -> bool:
        """Return whether another set is better than any dates of the chosen one."""
        most = self.above.get(x)
        if most is None or not self.others:
            return False
        most = max(most, self.best_own(x))
        return max(curve.at(x) for curve, _ in self.others) > most + self.scale

    def takeover(self, reach: float) -> tuple[float, Resolved] | None:
        """Return where, nearest to today's rate, another set is better, and which."""
        if not self.others:
            return None

        def lead(x: float) -> float:
            best = max(curve.at(x) for curve, _ in self.others)
            return best - self.best_own(x) - self.scale

        grid = np.linspace(self.first.x, reach, 200)
        at = next((i for i, x in enumerate(grid.tolist()) if lead(x) > 0.0), None)
        if at is None:
            return None
        inside, beyond = float(grid[max(at - 1, 0)]), float(grid[at])
        rival = max(self.others, key=lambda pair: pair[0].at(beyond))[1]
        if at > 0:
            inside = last_where(lambda x: lead(x) <= 0.0, inside, beyond)
        return inside, rival

    def proved_to(self, reach: float) -> float | None:
        """Return how far from today's rate the chosen set is proved to be best."""
        outward = 1.0 if reach >= self.first.x else -1.0
        points = sorted(
            (p for p in self.probes if outward * (reach - p.x) >= 0),
            key=lambda p: outward * p.x,
        )
        edge: float | None = None
        before: float | None = None
        for point in points:
            bound = self._bound(point)
            if edge is not None and before is not None:
                edge = self._along(edge, before, point)
                if edge != point.x:
                    return edge
            if bound is None or bound > self.best_own(point.x) + self.scale:
                return edge
            edge, before = point.x, bound
        return edge

    def _bound(self, probe: Probe) -> float | None:
        if impossible(probe.other):
            return -np.inf
        bound = probe.other.bound
        report = self.plan.report
        if report is None or report.bound is None or report.risk is not None:
            return bound
        # What bounds every plan bounds those of other sets.
        if probe is self.first and report.measure == "worth":
            bound = report.bound if bound is None else min(bound, report.bound)
        return bound

    def _along(self, start: float, bound: float, point: Probe) -> float:
        """Return how far from a proved rate to the next one the proof holds."""
        end = self._bound(point)
        if end is None or end == np.inf:
            return start
        if end == -np.inf:
            return point.x
        low, high = sorted((start, point.x))
        heights = [bound, end] if start == low else [end, bound]
        bend = 0.5 * bending(self.plan.portfolio, high, buys=self.plan.buys)

        def excess(x: float) -> float:
            others = float(np.interp(x, [low, high], heights))
            others += bend * (x - low) * (high - x)
            return others - max(c.below(x, low, high) for c in self.own)

        # Concave: a line and a parabola less convex curves.
        if excess(start) > self.scale:
            return start
        top = highest(excess, low, high)
        if excess(top) <= self.scale:
            if excess(point.x) <= self.scale:
                return point.x
            top = point.x
        return last_where(lambda x: excess(x) <= self.scale, start, top)
