"""What a levelling search works on: movable projects as plain lists of integers.

Schedules are built by the hundred thousand, so every test has to be one operation on
integers: all roles of a period are packed into one (`packing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import offsets_from
from pmo_analytics.optimization.levelling.packing import pack_money, pack_people
from pmo_analytics.rules import fixed_starts, limits, requirements
from pmo_analytics.tables import allowed_starts, start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Lateness:
    """How late a project is, and what a period of it costs.

    Attributes
    ----------
    due
        Project -> finish that is in time, periods after the first of the horizon;
        work that ends with period t has finish t.
    weight
        Project -> cost of one period late, whole multiples of 1 / `unit`.
    """

    due: Mapping[str, int]
    weight: Mapping[str, int]
    unit: int


@dataclass(frozen=True)
class Jobs:
    """The movable projects, numbered so that predecessors come first.

    Attributes
    ----------
    names, duration
        Id and periods of each job.
    first, last
        Smallest and largest start that its own rules and fixed work allow.
    following
        Per job None, or where its window has gaps: start -> next allowed start.
    before, after
        Per job (other job, periods from the earlier start to the later start).
    demand
        Per job (offset, packed demand) of the offsets with any.
    level
        Per job the packed demand if it is the same in every period of work, else
        None.
    free
        Per period the packed capacity that fixed work leaves; free of limits after
        the horizon.
    guard
        The guard bits of `free`.
    fields
        (role, lowest bit, bits) of each role that can be short.
    periods
        Length of the horizon.
    money
        Per job None, or start -> packed use of the limited budgets.
    purse, purse_guard
        What fixed work leaves of the budgets, packed, and its guard bits.
    fixed
        Work that cannot be moved, project -> start.
    fixed_finish
        Periods from the first of the horizon until fixed work ends, at least 0.
    """

    names: list[str]
    duration: list[int]
    first: list[int]
    last: list[int]
    following: list[dict[int, int] | None]
    before: list[list[tuple[int, int]]]
    after: list[list[tuple[int, int]]]
    demand: list[list[tuple[int, int]]]
    level: list[int | None]
    free: list[int]
    guard: int
    fields: list[tuple[str, int, int]]
    periods: int
    money: list[dict[int, int] | None]
    purse: int
    purse_guard: int
    fixed: dict[str, int]
    fixed_finish: int

    def heads(self) -> list[int] | None:
        """Return the earliest start of each job by links and windows alone.

        None where some window ends before that.
        """
        heads: list[int] = []
        for j, first in enumerate(self.first):
            start = max([first, *(heads[i] + lag for i, lag in self.before[j])])
            start = self.next_start(j, start)
            if start > self.last[j]:
                return None
            heads.append(start)
        return heads

    def tails(self) -> list[int]:
        """Return the least periods from each job's start to the end of all."""
        tails = list(self.duration)
        for j in range(len(tails) - 1, -1, -1):
            for k, lag in self.after[j]:
                tails[j] = max(tails[j], lag + tails[k])
        return tails

    def next_start(self, j: int, start: int) -> int:
        """Return the first allowed start of a job from `start` on; `last` + 1 if none.

        Links and other work are not looked at.
        """
        jump = self.following[j]
        if jump is None or start > self.last[j]:
            return start
        return jump[max(start, self.first[j])]


def levelled_question(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio that levelling answers: no choice, but room to move.

    What need not be selected is forced out. Approved projects that would keep their
    planned start may start later: it becomes their `earliest`. What groups and budgets
    ask for at least is left out: it is asked of the choice, and there is none. Of the
    rules those stay that limit work in a period.
    """
    projects = portfolio.projects.copy()
    windows = start_windows(projects, portfolio.horizon)
    live = (windows["state"] == "live").to_numpy()
    free = live & ~windows["must"].to_numpy()
    reason = "not selected: levelling moves only what is running, approved or forced in"
    projects.loc[free, ["force", "force_reason"]] = ["out", reason]
    planned = offsets_from(projects["start"], portfolio.horizon)
    opened = (
        (windows["kept"] & ~windows["running"]).to_numpy()
        & (planned >= 0)
        & (planned < len(portfolio.horizon))
    )
    projects.loc[opened, "earliest"] = projects.loc[opened, "start"]
    groups, budget, rules = portfolio.groups, portfolio.budget, portfolio.rules
    negative = rules.loc[rules["weight"] < 0, "rule"]
    parallel = rules[
        rules["applies_to"].isin(["work", "themes"])
        & rules["at_most"].notna()
        & ~rules["rule"].isin(negative)
    ]
    limiting = (groups["rule"] == "all_or_none") | groups["at_most"].notna()
    return portfolio.replace(
        projects=projects,
        groups=groups[limiting].assign(at_least=None),
        rules=parallel.assign(at_least=None),
        budget=budget[budget["amount"].notna()].assign(at_least=None),
    )


def lateness_of(portfolio: Portfolio) -> Lateness:
    """Return due dates and weights of every live project.

    Due is the planned finish where there is a planned start, else the finish of the
    earliest start that the project's own window and blackouts allow. A project weighs
    its value; one without a positive value as much as the least valued of those that
    have one; all weigh 1 where nobody has.
    """
    projects = portfolio.projects
    starts = allowed_starts(projects, portfolio.blackouts, portfolio.horizon)
    planned = offsets_from(projects["start"], portfolio.horizon)
    names = projects["project"].tolist()
    lasts = projects["duration"].fillna(1).astype(int).tolist()
    due, value = {}, {}
    for name, start, length, worth in zip(
        names, planned.tolist(), lasts, projects["value"].tolist(), strict=True
    ):
        own = starts.get(name)
        if own is None:
            continue
        early = int(own[0]) if len(own) else 0
        due[name] = (early if start != start else int(start)) + length - 1
        if worth > 0:
            value[name] = Fraction(Decimal(repr(float(worth))))
    least = min(value.values(), default=Fraction(1))
    weight = {name: value.get(name, least) for name in due}
    unit = int(np.lcm.reduce([w.denominator for w in weight.values()] or [1]))
    return Lateness(due, {n: int(w * unit) for n, w in weight.items()}, unit)


def read_jobs(portfolio: Portfolio, *, strict: bool = False) -> Jobs | None:
    """Return the jobs of a portfolio all of whose live projects are selected.

    None where a rule is in force that building a schedule job by job cannot keep: an
    upper limit of a lag, a dependency on a group, links in a circle, a rule of one's
    own, money that has to be spent, a group that the selection breaks; or where fixed
    work clashes.
    """
    starts = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    windows = start_windows(portfolio.projects, portfolio.horizon)
    fixed = fixed_starts(portfolio, starts)
    at_least = portfolio.budget["at_least"].to_numpy(dtype=float)
    if (
        any(len(own) == 0 for own in starts.values())
        or (at_least > 0).any()
        or len(portfolio.rules)
        or not _groups_hold(portfolio, windows)
    ):
        return None
    names = [name for name in starts if name not in fixed]
    first = {name: int(starts[name][0]) for name in names}
    last = {name: int(starts[name][-1]) for name in names}
    links = _links(portfolio, windows, fixed, first, last)
    order = None if links is None else _sorted(names, links)
    if order is None or links is None:
        return None
    number = {name: j for j, name in enumerate(order)}
    before: list[list[tuple[int, int]]] = [[] for _ in order]
    after: list[list[tuple[int, int]]] = [[] for _ in order]
    for (i, j), lag in links.items():
        before[number[j]].append((number[i], lag))
        after[number[i]].append((number[j], lag))
    duration = windows["duration"].to_dict()
    bounds = limits(portfolio, strict=strict, fixed=fixed)
    people = pack_people(portfolio, order, fixed, bounds.capacity, last, duration)
    money = pack_money(portfolio, order, fixed, bounds, starts)
    if people is None or money is None:
        return None
    finish = [fixed[name] + int(duration[name]) for name in fixed]
    return Jobs(
        names=order,
        duration=[int(duration[name]) for name in order],
        first=[first[name] for name in order],
        last=[last[name] for name in order],
        following=[_following(starts[name]) for name in order],
        before=before,
        after=after,
        **people,
        **money,
        fixed=fixed,
        fixed_finish=max([0, *finish]),
    )


def _groups_hold(portfolio: Portfolio, windows: pd.DataFrame) -> bool:
    state = windows["state"]
    for _, rows in portfolio.groups.groupby("group", sort=False):
        inside = int((state.loc[rows["project"]] != "out").sum())
        if rows["rule"].iat[0] == "all_or_none":
            if 0 < inside < len(rows):
                return False
            continue
        least, most = rows["at_least"].iat[0], rows["at_most"].iat[0]
        if not pd.isna(least) and inside < least:
            return False
        if not pd.isna(most) and inside > most:
            return False
    return True


def _links(
    portfolio: Portfolio,
    windows: pd.DataFrame,
    fixed: Mapping[str, int],
    first: dict[str, int],
    last: dict[str, int],
) -> dict[tuple[str, str], int] | None:
    """Return (earlier, later) -> wait of movable pairs; narrow windows by fixed work.

    None where a rule is not of that kind or fixed work breaks it.
    """
    links: dict[tuple[str, str], int] = {}
    for rule in requirements(portfolio, windows):
        if not rule.targets:
            return None
        if rule.kind == "selected":
            continue
        lag, most = rule.spans[rule.targets[0]]
        if len(rule.spans) > 1 or most is not None:
            return None
        i, j = rule.targets[0], rule.project
        if i in fixed and j in fixed:
            if fixed[j] < fixed[i] + lag:
                return None
        elif i in fixed:
            first[j] = max(first[j], fixed[i] + lag)
        elif j in fixed:
            last[i] = min(last[i], fixed[j] - lag)
        else:
            links[i, j] = max(links.get((i, j), lag), lag)
    return links


def _sorted(names: list[str], links: Mapping[tuple[str, str], int]) -> list[str] | None:
    """Return names with predecessors first; None where links go in a circle."""
    waiting = dict.fromkeys(names, 0)
    later: dict[str, list[str]] = {name: [] for name in names}
    for i, j in links:
        waiting[j] += 1
        later[i].append(j)
    order = [name for name in names if not waiting[name]]
    for name in order:
        for j in later[name]:
            waiting[j] -= 1
            if not waiting[j]:
                order.append(j)
    return order if len(order) == len(names) else None


def _following(starts: np.ndarray) -> dict[int, int] | None:
    if len(starts) == starts[-1] - starts[0] + 1:
        return None
    span = np.arange(starts[0], starts[-1] + 1)
    after = starts[np.searchsorted(starts, span)]
    return dict(zip(span.tolist(), after.tolist(), strict=True))
