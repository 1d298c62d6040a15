"""Solve a portfolio so that few projects depart from the plan of record."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pmo_analytics.clock import format_period
from pmo_analytics.errors import DataError, InfeasibleError, SolverError
from pmo_analytics.optimization import SolveLimits, check_plan, optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import Record, worth
from pmo_analytics.tables import start_windows

# Prices of a change in means of what a project is worth: near by, until few enough
# move, and in the whole portfolio, where a higher price proves more of plans that
# change few.
_NEAR, _WHOLE = (0.01, 0.1, 0.5, 2.0), (0.15, 0.6)
_BUYING = (2.0,)
_FREE = 12
_GAP = 0.002
# Seconds of a search: less finds nothing on a busy machine.
_LEAST = 3.0


@dataclass(frozen=True)
class Answer:
    """The best plan found with few changes, and the bound of all such plans.

    `plan` is None where none was found; `why` says why. `bound` is an upper bound on
    the worth of every plan that changes as few.
    """

    plan: Plan | None
    bound: float
    why: str = ""

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
    def is_over(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() - self.since >= self.seconds

    def part(self, share: float) -> float:
        """Return a share of what is left, some seconds at least."""
        left = self.seconds - (time.monotonic() - self.since)
        return max(share * left, _LEAST)

    def limits(self, share: float) -> SolveLimits:
        """Return the limits of one search that may take a share of what is left."""
        return SolveLimits(seconds=self.part(share), gap=_GAP)


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


def pin(
    portfolio: Portfolio, starts: Mapping[str, int], free: Collection[str] = ()
) -> Portfolio:
    """Return the portfolio in which only `free` projects may depart from the record.

    Work with a single start raises the limits that it exceeds. What is pinned here must
    not: limits are raised for what was fixed before, and the answer has to be found
    with `strict`.
    """
    rows = portfolio.projects.copy()
    windows = start_windows(rows, portfolio.horizon)
    first = portfolio.horizon[0]
    for label, name in rows["project"].items():
        window = windows.loc[name]
        if name in free or window["state"] != "live" or window["kept"]:
            continue
        if name in starts:
            rows.loc[label, ["earliest", "latest"]] = first + starts[name]
            if not window["must"]:
                rows.loc[label, "force"] = "in"
                rows.loc[label, "force_reason"] = "plan of record"
        elif not window["must"]:
            rows.loc[label, "force"] = "out"
            rows.loc[label, "force_reason"] = "not in the plan of record"
    raised = Plan.from_starts(portfolio, {}).inherited
    capacity = portfolio.capacity.copy()
    budget = portfolio.budget.copy()
    for row in raised.itertuples():
        if row.rule == "capacity":
            capacity.loc[row.period, row.subject] = row.use
        else:
            budget.loc[budget["budget"] == row.subject, "amount"] = row.use
    return portfolio.replace(projects=rows, capacity=capacity, budget=budget)


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
    seed, flex
        As in `optimize`.
    """
    begin = None if flex else held(portfolio, starts)
    ends = Clock.start(clock.part(share))
    if most <= 0:
        if begin is not None:
            return Answer(begin, begin.objective)
        return Answer(None, float("inf"), "Others would have to move as well.")
    unit = _unit(portfolio, starts)
    best = Answer(begin, float("inf"))
    if begin is None and not flex:
        best = _around(portfolio, starts, most, apart, ends, seed)
    bound = float("inf")
    # Where nobody has to move, one search says what could be had at best.
    # Where capacity is bought, moving is dear, so that it is bought rather.
    prices = _BUYING if flex else _WHOLE if begin is None else _WHOLE[-1:]
    for number, price in enumerate(prices):
        if best.plan is not None and (
            ends.is_over or bound - best.worth <= _GAP * abs(best.worth)
        ):
            break
        part = 1.0 / (len(prices) - number)
        record = Record(_dated(portfolio, starts), change_price=price * unit)
        answer = _solved(
            portfolio,
            ends.limits(part),
            seed=seed,
            flex=flex,
            record=record,
            start=best.plan,
        )
        if answer.plan is None:
            return best if best.plan is not None else answer
        # A plan that changes as few pays the price at most so many times.
        bound = min(bound, answer.bound + record.change_price * most)
        if len(moved(answer.plan, starts, apart)) <= most:
            best = _better(best, answer)
    if best.plan is None:
        why = f"More than {most} other project{'s' * (most > 1)} would have to move."
        return Answer(None, bound, why)
    return Answer(best.plan, max(bound, best.worth))


def _around(
    portfolio: Portfolio,
    starts: Mapping[str, int],
    most: int,
    apart: Collection[str],
    ends: Clock,
    seed: int,
) -> Answer:
    """Return the best plan in which only projects in the way move; few do."""
    free = {*_in_the_way(portfolio, starts), *apart}
    pinned = pin(portfolio, starts, free)
    unit = _unit(portfolio, starts)
    answer = Answer(None, float("inf"))
    for price in _NEAR:
        if ends.is_over:
            break
        record = Record(_dated(portfolio, starts), change_price=price * unit)
        found = _solved(
            portfolio,
            ends.limits(0.15),
            pinned=pinned,
            seed=seed,
            record=record,
        )
        if found.plan is None:
            break
        if len(moved(found.plan, starts, apart)) <= most:
            answer = found
            break
    return answer


def _in_the_way(portfolio: Portfolio, starts: Mapping[str, int]) -> list[str]:
    """Return the projects that work where capacity is short now, most work first."""
    try:
        snapshot = portfolio.validate()
    except DataError:
        return []
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


def _solved(
    portfolio: Portfolio,
    limits: SolveLimits,
    *,
    pinned: Portfolio | None = None,
    **asked: Any,
) -> Answer:
    """Return the answer of one search; what was found in `pinned` holds here too."""
    try:
        plan = optimize(
            portfolio if pinned is None else pinned,
            limits=limits,
            strict=pinned is not None,
            **asked,
        )
    except (InfeasibleError, DataError, SolverError) as error:
        return Answer(None, float("inf"), _first_line(error))
    report = plan.report
    bound = float("inf") if report is None or report.bound is None else report.bound
    bought = plan.purchases if plan.buys else None
    plan = Plan(portfolio, plan.schedule, purchases=bought)
    if pinned is not None and len(plan.violations):
        return Answer(None, float("inf"), str(plan.violations["message"].iloc[0]))
    return Answer(plan, bound)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return " ".join(line.strip(" -") for line in lines[:2])


def _better(one: Answer, other: Answer) -> Answer:
    if other.plan is None:
        return one
    if one.plan is None or other.worth > one.worth:
        return other
    return one


def _dated(portfolio: Portfolio, starts: Mapping[str, int]) -> dict[str, object]:
    first = portfolio.horizon[0]
    known = set(portfolio.projects["project"])
    return {name: first + start for name, start in starts.items() if name in known}
