"""Solve a portfolio so that few projects depart from the plan of record."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pmo_analytics.clock import format_period
from pmo_analytics.errors import DataError, SolverError
from pmo_analytics.optimization import SolveLimits, check_plan, optimize_few
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import worth
from pmo_analytics.tables import start_windows

# Prices of a change in means of what a project is worth: nobody moves for next to
# nothing; where capacity is bought, moving is dear, so that it is bought rather.
_PRICE, _BUYING = 0.002, 2.0
# Beyond so many projects a plan is looked for around the trouble first, in which so
# many may move.
_MANY, _FREE = 60, 12
_GAP = 0.002
# Seconds: less than that finds nothing; and what is kept for the end of a search.
_LEAST, _END = 0.6, 0.3


@dataclass(frozen=True)
class Answer:
    """The best plan found with few changes, and the bound of all such plans.

    `plan` is None where none was found; `why` says why, `open` that time was too short
    to tell. `bound` is an upper bound on
    the worth of every plan that changes as few.
    """

    plan: Plan | None
    bound: float
    why: str = ""
    open: bool = False

    @property
    def worth(self) -> float:
        """What the plan is worth, less purchases; prices of changes do not count."""
        assert self.plan is not None
        return self.plan.objective


@dataclass
class Clock:
    """Time that is left for all that is asked."""

    seconds: float
    since: float

    @classmethod
    def start(cls, seconds: float) -> Clock:
        """Return a clock that begins now."""
        return cls(seconds, time.monotonic())

    @property
    def left(self) -> float:
        """Return the seconds that are left, less what the end of a search takes."""
        return self.seconds - (time.monotonic() - self.since) - _END

    @property
    def is_over(self) -> bool:
        """Return whether no search is worth beginning."""
        return self.left < _LEAST

    def limits(self, share: float) -> SolveLimits:
        """Return the limits of one search that may take a share of what is left."""
        left = max(self.left, _LEAST)
        return SolveLimits(seconds=min(max(share * left, 2.0), left), gap=_GAP)


def moved(
    plan: Plan, starts: Mapping[str, int], apart: Collection[str] = ()
) -> list[str]:
    """Return the projects that a plan starts otherwise, leaves out or brings in."""
    names = dict.fromkeys([*starts, *plan.starts])
    live = set(start_windows(plan.portfolio.projects, plan.portfolio.horizon).index)
    return [
        name
        for name in names
        if name in live
        and name not in apart
        and starts.get(name) != plan.starts.get(name)
    ]


def held(portfolio: Portfolio, starts: Mapping[str, int]) -> Plan | None:
    """Return the plan of record as it is; None where it breaks a rule now.

    What the portfolio forces out is left out, and running work keeps its own start.
    """
    try:
        snapshot = portfolio.validate()
    except DataError:
        return None
    windows = start_windows(snapshot.projects, snapshot.horizon)
    live = windows[windows["state"] == "live"]
    kept = {name: starts[name] for name in live.index if name in starts}
    for name in live.index[live["kept"]]:
        kept[name] = int(live.at[name, "first"])
    plan = Plan.from_starts(snapshot, kept)
    if len(plan.violations) or len(check_plan(snapshot, plan.schedule).violations):
        return None
    return plan


def solve_few(
    portfolio: Portfolio,
    starts: Mapping[str, int],
    most: int,
    *,
    apart: Collection[str],
    clock: Clock,
    share: float,
    kept: Collection[str] = (),
    stays: Collection[str] = (),
    seed: int = 0,
    flex: bool = False,
) -> Answer:
    """Return the best plan found that changes `most` projects at most.

    Parameters
    ----------
    portfolio
        Of a scenario; not checked yet.
    starts
        Plan of record.
    most
        Projects that may move, drop out or come in.
    apart
        Projects that do not count: the one in trouble, and those a scenario names.
    clock, share
        Time that is left, and the share of it for this.
    kept, stays
        Projects that have to be in the plan, and those that keep their start.
    seed, flex
        As in `optimize`.
    """
    begin = None if flex else held(portfolio, starts)
    best = Answer(begin, float("inf"))
    if most < 0 or clock.is_over:
        why = _more_than(most) if most < 0 else "No time was left to look for it."
        return Answer(begin, float("inf"), why, open=most >= 0)
    price = _BUYING if flex else _PRICE
    price *= _unit(portfolio, starts)
    asked: dict[str, Any] = {"apart": apart, "kept": kept, "stays": stays}
    asked |= {"change_price": price, "flex": flex, "seed": seed}
    ends = Clock.start(share * clock.left)
    try:
        if begin is None and not flex and len(portfolio.projects) > _MANY:
            free = {*_in_the_way(portfolio, starts), *apart}
            best = _solved(portfolio, starts, most, ends.limits(0.3), asked, free)
        found = _solved(portfolio, starts, most, ends.limits(1.0), asked, None, best)
    except DataError as error:
        return Answer(best.plan, float("inf"), str(error).splitlines()[0])
    if found.plan is None:
        return Answer(best.plan, found.bound, found.why, found.open)
    if best.plan is not None and best.worth > found.worth:
        found = Answer(best.plan, found.bound)
    return Answer(found.plan, max(found.bound, found.worth))


def _solved(
    portfolio: Portfolio,
    starts: Mapping[str, int],
    most: int,
    limits: SolveLimits,
    asked: dict[str, Any],
    free: Collection[str] | None,
    begin: Answer | None = None,
) -> Answer:
    """Return the answer of one search; its bound is of those who are free."""
    start = None if begin is None or begin.plan is None else begin.plan.starts
    try:
        plan = optimize_few(
            portfolio, starts, most, free=free, start=start, limits=limits, **asked
        )
    except SolverError as error:
        unknown = error.status != "infeasible"
        why = f"No plan with {most} moves was found in {limits.seconds:.0f} seconds."
        why = why if unknown else _more_than(most)
        return Answer(None, float("inf"), why, open=unknown)
    report = plan.report
    bound = float("inf") if report is None or report.bound is None else report.bound
    # A plan that changes as few pays the price at most so many times.
    bound += asked["change_price"] * (most + len(asked["apart"]))
    bought = plan.purchases if plan.buys else None
    return Answer(Plan(portfolio, plan.schedule, purchases=bought), bound)


def _more_than(most: int) -> str:
    if most <= 0:
        return "Others would have to move as well."
    return f"More than {most} other project{'s' * (most > 1)} would have to move."


def _in_the_way(portfolio: Portfolio, starts: Mapping[str, int]) -> list[str]:
    """Return the projects that work where capacity is short now, most work first."""
    snapshot = portfolio.validate()
    known = set(snapshot.projects["project"])
    plan = Plan.from_starts(snapshot, {n: s for n, s in starts.items() if n in known})
    broken = plan.violations
    short = broken[broken["rule"] == "capacity"]
    places = set(zip(short["subject"], short["period"].astype("str"), strict=True))
    demand = snapshot.demand[snapshot.demand["project"].isin(plan.starts)]
    at = demand["project"].map(plan.starts) + demand["offset"]
    first = snapshot.horizon[0]
    there = [
        not places or (role, format_period(first + int(place))) in places
        for role, place in zip(demand["role"], at, strict=True)
    ]
    work = demand[there].groupby("project")["fte"].sum()
    return list(work.sort_values(ascending=False, kind="stable").index[:_FREE])


def _unit(portfolio: Portfolio, starts: Mapping[str, int]) -> float:
    """Return about what one project of the record is worth."""
    known = {n: s for n, s in starts.items() if n in set(portfolio.projects["project"])}
    values = worth(portfolio, known).abs()
    return float(values.mean()) if len(values) else 1.0
