"""For which discount rates the chosen set stays best.

By x = 1 / (1 + rate) the objective is convex but for what is taken off
(`discount_curves`), and so is the best of any number of plans: two bounds at two rates
bound every rate between them by the straight line that joins them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import listing
from pmo_analytics.optimization.explaining.discount_curves import (
    Curve,
    bending,
    curve_of,
    highest,
    last_where,
)
from pmo_analytics.optimization.explaining.resolving import (
    STOPPED,
    Resolved,
    resolve,
    settings_of,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, run_tasks, stop_asked
from pmo_analytics.rules import with_rules
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Rates that are looked at: from none to this one a year, or to twice today's.
_FAR_A_YEAR = 0.3
_A_YEAR = {"W": 52, "M": 12, "Q": 4, "Y": 1}
_WORD = {"W": "week", "M": "month", "Q": "quarter", "Y": "year"}
# Rates at which it is solved again on each side.
_STEPS = 6
_SAME = 1e-6
# How far behind an end it is tried to prove that another set is better.
_BEYOND = 0.01


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


def discount_range(
    plan: Plan, limits: SolveLimits, seed: int, work: Work
) -> dict[str, Any]:
    """Return for which discount rates the chosen set stays best, one row.

    At a few rates two questions are solved: the best dates of the chosen set, and the
    best plan of any other set. Between these rates convexity carries the bounds.

    Returns
    -------
    dict
        `now, low, high` (proved, with all rates between), `low_found, high_found`
        (where another set takes over by the plans found, None: nowhere),
        `low_flip, high_flip` (where bounds prove another set better), `exact`,
        `message`.
    """
    portfolio = plan.portfolio
    here = float(portfolio.settings.discount)
    least, most = rates_looked_at(portfolio)
    several = work.workers != 1 or bool(work.cluster)
    limits = replace(limits, threads=1) if several else limits
    common = {"plan": plan, "limits": limits, "seed": seed}
    kinds = {"own": {**common, "rate": here, "own": True}}
    kinds["other"] = {**common, "rate": here, "own": False}
    solved = run_tasks(solved_at, kinds, work=work)
    if stop_asked():
        return {"now": here, "exact": False, "low": None, "message": STOPPED}
    first = Probe(1.0 / (1.0 + here), *(_told(solved, key) for key in kinds))
    if not _Known(plan, first).own:
        text = "No plan of exactly the chosen projects keeps every rule"
        if not impossible(first.own):
            text += ", as far as was found in time"
        return {
            "now": here,
            "exact": False,
            "low": None,
            "message": f"{text}: no discount rate makes them the best choice.",
        }
    tasks = {
        side: {**common, "first": first, "far": far}
        for side, far in (("low", least), ("high", most))
        if far != here
    }
    outcomes = run_tasks(side_of, tasks, work=work)
    if stop_asked():
        return {"now": here, "exact": False, "low": None, "message": STOPPED}
    sides = {}
    for side in ("low", "high"):
        outcome = outcomes.get(side)
        if side not in tasks:
            sides[side] = _at_the_end(plan, first, here)
        elif outcome is None or outcome.error is not None:
            sides[side] = Side(None, here, None, None, (), ())
        else:
            sides[side] = outcome.value
    row: dict[str, Any] = {"now": here}
    for name, known in sides.items():
        row |= {
            name: known.proved,
            f"{name}_found": known.found,
            f"{name}_flip": known.flip,
        }
    row["exact"] = all(side.exact(here) for side in sides.values())
    ends = {"low": least, "high": most}
    row["message"] = _say(plan, sides, here, ends, _Known(plan, first).short())
    return row


def rates_looked_at(portfolio: Portfolio) -> tuple[float, float]:
    """Return the least and the largest rate a period that are looked at."""
    here = float(portfolio.settings.discount)
    year = _A_YEAR[portfolio.freq[0]]
    most = (1.0 + _FAR_A_YEAR) ** (1.0 / year) - 1.0
    return min(here, 0.0), min(round(max(most, 2.0 * here), 6), 10.0)


def _told(outcomes: dict[str, Any], key: str) -> Resolved:
    outcome = outcomes.get(key)
    if outcome is None or outcome.error is not None:
        text = "Interrupted." if outcome is None else str(outcome.error)
        return Resolved(status="failed", message=text)
    answer: Resolved = outcome.value
    return answer


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


@dataclass(frozen=True)
class Side:
    """What is known of the rates to one side of today's.

    Attributes
    ----------
    proved
        Farthest rate up to which the chosen set is proved to be best; None: not
        even at today's.
    reached
        Farthest rate up to which nothing better was found.
    found, flip
        Where another set takes over by the plans found; where it is proved.
    enters, leaves
        What takes over there.
    """

    proved: float | None
    reached: float
    found: float | None
    flip: float | None
    enters: tuple[str, ...]
    leaves: tuple[str, ...]

    def exact(self, here: float) -> bool:
        """Return whether proof and plans found meet."""
        if self.proved is None:
            return False
        near = 1e-3 * abs(self.reached - here) + 1e-9
        if abs(self.proved - self.reached) > near:
            return False
        if self.found is None:
            return True
        beyond = 2.0 * _BEYOND * abs(self.reached - here) + 1e-6
        return self.flip is not None and abs(self.flip - self.reached) <= beyond


def _at_the_end(plan: Plan, first: Probe, here: float) -> Side:
    """Return the side on which today's rate is the last one looked at."""
    known = _Known(plan, first)
    edge = known.proved_to(first.x)
    return Side(None if edge is None else here, here, None, None, (), ())


def side_of(
    plan: Plan, first: Probe, far: float, limits: SolveLimits, seed: int
) -> Side:
    """Return what is known of the rates from today's to another one.

    Where another set is better at the far end, it takes over nearer by, where the
    curves of both cross; there it is solved again. What is not proved then is solved
    again in its middle.
    """
    known = _Known(plan, first)
    here, end = float(plan.portfolio.settings.discount), reach_of(far)
    edge = known.proved_to(first.x)
    if impossible(first.other) and edge is not None:
        return Side(far, far, None, None, (), ())
    takeover = known.takeover(end)
    todo = reach = end if takeover is None else takeover[0]
    for _ in range(_STEPS):
        if reach == first.x:
            break
        known.probe(todo, limits, seed)
        takeover = known.takeover(end)
        reach = end if takeover is None else takeover[0]
        edge = known.proved_to(reach)
        span = abs(first.x - reach)
        looked = [p.x for p in known.probes]
        if min(abs(x - reach) for x in looked) > 1e-4 * span:
            todo = reach
        elif edge is None or abs(edge - reach) <= 1e-4 * span:
            break
        else:
            ahead = [x for x in looked if (x - edge) * (reach - edge) > 0]
            nearest = min([*ahead, reach], key=lambda x: abs(x - edge))
            todo = 0.5 * (edge + nearest)
            if abs(todo - edge) <= 1e-3 * span:
                break
    if takeover is not None and reach != first.x:
        rate = 1.0 / reach - 1.0
        known.probe(
            reach_of(rate + _BEYOND * (rate - here)), limits, seed, others=False
        )
    worse = [x for x in known.above if known.proved_worse(x)]
    worse = [x for x in worse if (x - first.x) * (end - first.x) > 0 or x == first.x]
    flip = min(worse, key=lambda x: abs(x - first.x), default=None)
    enters: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    found = None
    if takeover is not None:
        found, starts = takeover[0], takeover[1].starts or {}
        enters = tuple(name for name in starts if name not in plan.starts)
        leaves = tuple(name for name in plan.starts if name not in starts)
    at = [None if x is None else 1.0 / x - 1.0 for x in (edge, found, flip)]
    ends = [None if rate is None else _tidy(rate, here, far) for rate in at]
    last = _tidy(1.0 / reach - 1.0, here, far)
    return Side(ends[0], last, ends[1], ends[2], enters, leaves)


def impossible(found: Resolved) -> bool:
    """Return whether it is proved that no plan keeps every rule."""
    return found.status == "infeasible" and len(found.conflicts) > 0


def reach_of(rate: float) -> float:
    """Return 1 / (1 + rate)."""
    return 1.0 / (1.0 + rate)


def _tidy(rate: float, here: float, far: float) -> float:
    """Return a rate without the dust of going to x and back."""
    for exact in (here, far):
        if abs(rate - exact) <= 1e-9:
            return exact
    return rate


class _Known:
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


def _say(
    plan: Plan,
    sides: dict[str, Side],
    here: float,
    looked: dict[str, float],
    short: float | None,
) -> str:
    """Return the range in words."""
    low, high = sides["low"], sides["high"]
    each = _WORD[plan.portfolio.freq[0]]
    now = f"(now {_rate(here)} a {each})"
    if here in (low.found, high.found):
        return (
            f"At today's discount rate {now} a better set of projects was found: the "
            "plan is not settled. Optimize again, with more time or from this plan."
        )
    span = f"{_rate(low.reached)} to {_rate(high.reached)} a {each}"
    exact = low.exact(here) and high.exact(here)
    head = f"The chosen projects stay the best choice at a discount rate of {span}"
    if exact:
        text = f"{head} {now}; the bounds prove it."
    elif low.proved is None or high.proved is None:
        most = "" if short is None else f": another set may be worth {short:.2%} more"
        text = (
            f"By the plans found the chosen projects stay the best choice at a "
            f"discount rate of {span} {now}; nothing refutes that, and the bounds do "
            f"not prove it, not even at today's rate{most}."
        )
    else:
        proved = f"{_rate(low.proved)} to {_rate(high.proved)}"
        text = (
            f"By the plans found the chosen projects stay the best choice at a "
            f"discount rate of {span} {now}; the bounds prove it from {proved}."
        )
    for name, word in (("low", "Below"), ("high", "Above")):
        side = sides[name]
        if side.found is None:
            continue
        words = [f"{listing(side.enters, 4)} comes in"] if side.enters else []
        words += [f"{listing(side.leaves, 4)} goes out"] if side.leaves else []
        sure = "" if side.flip is None else f", proved at {_rate(side.flip)}"
        text += f" {word} {_rate(side.found)} {' and '.join(words)}{sure}."
    if low.found is None or high.found is None:
        ends = f"{_rate(looked['low'])} to {_rate(looked['high'])}"
        text += f" Rates from {ends} were looked at."
    return text


def _rate(rate: float) -> str:
    return f"{100.0 * rate:.3g} %"
