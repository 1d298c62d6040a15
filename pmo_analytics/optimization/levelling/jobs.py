"""What a levelling search works on: movable projects as plain lists of integers.

Schedules are built by the hundred thousand, so every test has to be one operation on
integers. All roles of a period are packed into one Python integer, one field each
with a guard bit on top: a demand fits where subtracting it leaves all guard bits set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import offsets_from
from pmo_analytics.optimization.model.grain import common_part
from pmo_analytics.rules import (
    Limits,
    all_roles,
    budget_amounts,
    budget_matches,
    budget_spans,
    fixed_starts,
    limits,
    load_grid,
    requirements,
)
from pmo_analytics.tables import allowed_starts, start_windows
from pmo_analytics.tolerance import ROUNDING, TOLERANCE, exact_sum, exceeds, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Finer amounts than this many parts of one FTE, or of the largest amount of money,
# are rounded up.
_FINEST, _FINEST_MONEY = 10**9, 10**15


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
            start = max([first, *(heads[i] + wait for i, wait in self.before[j])])
            start = self.next_start(j, start)
            if start > self.last[j]:
                return None
            heads.append(start)
        return heads

    def tails(self) -> list[int]:
        """Return the least periods from each job's start to the end of all."""
        tails = list(self.duration)
        for j in range(len(tails) - 1, -1, -1):
            for k, wait in self.after[j]:
                tails[j] = max(tails[j], wait + tails[k])
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
        (rules["applies_to"] == "work")
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
    for (i, j), wait in links.items():
        before[number[j]].append((number[i], wait))
        after[number[i]].append((number[j], wait))
    duration = windows["duration"].to_dict()
    bounds = limits(portfolio, strict=strict, fixed=fixed)
    people = _people(portfolio, order, fixed, bounds.capacity, last, duration)
    money = _money(portfolio, order, fixed, bounds, starts)
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
        wait, most = rule.spans[rule.targets[0]]
        if len(rule.spans) > 1 or most is not None:
            return None
        i, j = rule.targets[0], rule.project
        if i in fixed and j in fixed:
            if fixed[j] < fixed[i] + wait:
                return None
        elif i in fixed:
            first[j] = max(first[j], fixed[i] + wait)
        elif j in fixed:
            last[i] = min(last[i], fixed[j] - wait)
        else:
            links[i, j] = max(links.get((i, j), wait), wait)
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


def _unit(amounts: Any) -> int:
    """Return the power of ten that makes amounts whole, or the finest one."""
    values = np.unique(np.asarray(amounts, dtype=float))
    for digits in range(7):
        scaled = values * 10**digits
        if (np.abs(scaled - np.round(scaled)) <= 1e-9).all():
            return int(10**digits)
    return _FINEST


def _whole(amount: float, unit: int) -> int:
    """Return an amount in units, rounded up where it has to be."""
    exact = Fraction(Decimal(repr(float(amount)))) * unit
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= Fraction(1, 10**8) else -(-exact // 1)


def _allowed(limit: float, unit: int) -> int:
    """Return a limit in units, the granted tolerance included, rounded down."""
    granted = Fraction(Decimal(repr(float(limit)))) + Fraction(Decimal(repr(TOLERANCE)))
    return granted * unit // 1


@dataclass(frozen=True)
class _Fields:
    """Where each limited thing lies in a packed integer."""

    shift: list[int]
    width: list[int]

    @classmethod
    def of(cls, most: list[int]) -> _Fields:
        """Return fields that hold numbers up to `most` and a guard bit each."""
        width = [max(number, 1).bit_length() for number in most]
        shift = np.concatenate([[0], np.cumsum([w + 1 for w in width])[:-1]])
        return cls([int(s) for s in shift][: len(width)], width)

    def guard(self) -> int:
        return sum(1 << (s + w) for s, w in zip(self.shift, self.width, strict=True))


def _people(
    portfolio: Portfolio,
    order: list[str],
    fixed: Mapping[str, int],
    capacity: pd.DataFrame,
    last: Mapping[str, int],
    duration: Mapping[str, int],
) -> dict[str, Any] | None:
    """Return demand and free capacity, packed; None where fixed work is too much."""
    table = portfolio.demand
    rows = table[(table["fte"] > 0) & table["project"].isin(order)]
    periods = len(portfolio.horizon)
    unit = _unit(rows["fte"])
    wanted: dict[str, dict[int, dict[str, int]]] = {name: {} for name in order}
    peak: dict[str, dict[str, int]] = {}
    known: dict[float, int] = {}
    for name, role, offset, fte in zip(
        rows["project"], rows["role"], rows["offset"], rows["fte"], strict=True
    ):
        if fte not in known:
            known[fte] = _whole(fte, unit)
        amount = known[fte]
        cell = wanted[name].setdefault(int(offset), {})
        cell[role] = cell.get(role, 0) + amount
        own = peak.setdefault(role, {})
        own[name] = max(own.get(name, 0), cell[role])
    # Without the noise of floats, which could take for nothing what is granted.
    left = np.round(capacity.to_numpy() - load_grid(portfolio, fixed).to_numpy(), 12)
    if (left < -TOLERANCE).any():
        return None
    places = {role: r for r, role in enumerate(all_roles(portfolio))}
    grid = {
        role: [_allowed(x, unit) for x in left[:, places[role]].tolist()]
        for role in peak
    }
    # A role that all projects together cannot fill limits nobody.
    roles = [role for role in peak if sum(peak[role].values()) > min(grid[role])]
    most = {role: sum(peak[role].values()) for role in roles}
    fields = _Fields.of([most[role] for role in roles])
    place = dict(zip(roles, fields.shift, strict=True))
    guard = fields.guard()
    free = [
        guard + sum(min(grid[role][t], most[role]) << place[role] for role in roles)
        for t in range(periods)
    ]
    longest = max((max(offsets, default=0) for offsets in wanted.values()), default=0)
    longest = max([longest, *(int(duration[name]) for name in order)], default=1)
    beyond = guard + sum(most[role] << place[role] for role in roles)
    free += [beyond] * (longest + 2 + max([0, *last.values()]))
    demand = []
    for name in order:
        packed = [
            (k, sum(amount << place[r] for r, amount in cell.items() if r in place))
            for k, cell in sorted(wanted[name].items())
        ]
        demand.append([(k, amount) for k, amount in packed if amount])
    level = [
        own[0][1]
        if len(own) == duration[name] and len({amount for _, amount in own}) == 1
        else None
        for name, own in zip(order, demand, strict=True)
    ]
    return {
        "demand": demand,
        "level": level,
        "free": free,
        "guard": guard,
        "fields": list(zip(roles, fields.shift, fields.width, strict=True)),
        "periods": periods,
    }


def _money(
    portfolio: Portfolio,
    order: list[str],
    fixed: Mapping[str, int],
    bounds: Limits,
    starts: Mapping[str, np.ndarray],
) -> dict[str, Any] | None:
    """Return use of the limited budgets, packed; None where fixed work is too much."""
    spend = portfolio.spend
    kept = (spend["amount"] > 0).to_numpy() & spend["project"].isin(order).to_numpy()
    matches = budget_matches(portfolio)[:, kept]
    rows = spend[kept]
    begin, end = budget_spans(portfolio)
    spent = budget_amounts(portfolio, fixed)
    tables: list[dict[str, dict[int, int]]] = []
    purses: list[int] = []
    for b in np.flatnonzero(~np.isnan(bounds.budget)).tolist():
        limit = bounds.budget_limit(b)
        if exceeds(spent[b], limit):
            return None
        amounts = rows["amount"].to_numpy()[matches[b]]
        finest = written(float(amounts.max(initial=1.0))) / _FINEST_MONEY
        part = common_part(amounts) or finest
        own: dict[str, dict[int, int]] = {}
        for name, offset, amount in zip(
            rows["project"][matches[b]],
            rows["offset"][matches[b]],
            rows["amount"][matches[b]],
            strict=True,
        ):
            use = own.setdefault(name, {})
            for start in starts[name].tolist():
                if begin[b] <= start + int(offset) <= end[b]:
                    use[start] = use.get(start, 0) + math.ceil(written(amount) / part)
        given = limit if isinstance(limit, Fraction) else written(limit)
        left = given * (1 + Fraction(ROUNDING)) - exact_sum(spent[b])
        purse = max(math.floor(left / part), 0)
        most = sum(max(use.values(), default=0) for use in own.values())
        if most > purse:
            tables.append(own)
            purses.append(purse)
    fields = _Fields.of(
        [
            max(purse, *(max(use.values(), default=0) for use in own.values()))
            for own, purse in zip(tables, purses, strict=True)
        ]
    )
    guard = fields.guard()
    money: list[dict[int, int] | None] = []
    for name in order:
        total: dict[int, int] = {}
        for own, shift in zip(tables, fields.shift, strict=True):
            for start, amount in own.get(name, {}).items():
                total[start] = total.get(start, 0) + (amount << shift)
        money.append(total or None)
    purse = guard + sum(p << s for p, s in zip(purses, fields.shift, strict=True))
    return {"money": money, "purse": purse, "purse_guard": guard}
