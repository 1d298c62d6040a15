"""For which discount rates the chosen set stays best: both ends, and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import listing
from pmo_analytics.optimization.explaining.discounts.probes import (
    Known,
    Probe,
    impossible,
    reach_of,
    solved_at,
)
from pmo_analytics.optimization.explaining.resolving import STOPPED, Resolved
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, run_tasks, stop_asked

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Rates that are looked at: from none to this one a year, or to twice today's.
_FAR_A_YEAR = 0.3
_A_YEAR = {"W": 52, "M": 12, "Q": 4, "Y": 1}
_WORD = {"W": "week", "M": "month", "Q": "quarter", "Y": "year"}
# Rates at which it is solved again on each side.
_STEPS = 6
# How far behind an end it is tried to prove that another set is better.
_BEYOND = 0.01


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
    if not Known(plan, first).own:
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
    row["message"] = _say(plan, sides, here, ends, Known(plan, first).short())
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
    entering, leaving
        What takes over there.
    """

    proved: float | None
    reached: float
    found: float | None
    flip: float | None
    entering: tuple[str, ...]
    leaving: tuple[str, ...]

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
    known = Known(plan, first)
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
    known = Known(plan, first)
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
    entering: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    found = None
    if takeover is not None:
        found, starts = takeover[0], takeover[1].starts or {}
        entering = tuple(name for name in starts if name not in plan.starts)
        leaving = tuple(name for name in plan.starts if name not in starts)
    at = [None if x is None else 1.0 / x - 1.0 for x in (edge, found, flip)]
    ends = [None if rate is None else _tidy(rate, here, far) for rate in at]
    last = _tidy(1.0 / reach - 1.0, here, far)
    return Side(ends[0], last, ends[1], ends[2], entering, leaving)


def _tidy(rate: float, here: float, far: float) -> float:
    """Return a rate without the dust of going to x and back."""
    for exact in (here, far):
        if abs(rate - exact) <= 1e-9:
            return exact
    return rate


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
        words = [f"{listing(side.entering, 4)} comes in"] if side.entering else []
        words += [f"{listing(side.leaving, 4)} goes out"] if side.leaving else []
        sure = "" if side.flip is None else f", proved at {_rate(side.flip)}"
        text += f" {word} {_rate(side.found)} {' and '.join(words)}{sure}."
    if low.found is None or high.found is None:
        ends = f"{_rate(looked['low'])} to {_rate(looked['high'])}"
        text += f" Rates from {ends} were looked at."
    return text


def _rate(rate: float) -> str:
    return f"{100.0 * rate:.3g} %"
