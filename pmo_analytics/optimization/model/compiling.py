"""From a portfolio to its options, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import offsets_from
from pmo_analytics.optimization.model.grain import grain, grant_people
from pmo_analytics.optimization.model.instance import (
    Options,
    Purchases,
    Uses,
    largest_sums,
)
from pmo_analytics.optimization.model.purchasing import cheapest, most_bought, round_up
from pmo_analytics.optimization.model.rule_arrays import (
    Row,
    dependency_arrays,
    distinct_arrays,
    group_arrays,
    kept_rows,
    linear_arrays,
    own_rules,
)
from pmo_analytics.rules import (
    Limits,
    all_roles,
    budget_matches,
    budget_spans,
    fixed_starts,
    limits,
    offers,
    purchases_table,
    record_gains,
    requirements,
    worth_at_zero,
)
from pmo_analytics.tables import allowed_starts, start_windows
from pmo_analytics.tolerance import TOLERANCE

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.rules import Record


@dataclass(frozen=True)
class Compiled:
    """Options with the names that the arrays leave out.

    Attributes
    ----------
    names
        Project of each number; `roles`, `dependencies` (project, requires, kind)
        and `groups` likewise.
    anchors
        Per group, the member whose fate decides for ALL and NONE, else "".
    contradictions
        Sentences on rules that no choice can satisfy, whatever the model says.
    starts
        Project -> starts allowed by its own rules, before any were removed.
    limits
        Limits in force, inherited ones raised.
    fixed
        Work nobody can move: project -> start.
    flex
        Whether capacity may be bought.
    rules
        (rule, period offset or -1) of each limited thing after the budgets.
    record
        Plan of record whose changes have a price, if any.
    rows
        (rule, period offset or -1) of each rule with weights of either sign.
    counts
        (rule, period offset) of each count of themes.
    """

    options: Options
    names: list[str]
    roles: list[str]
    dependencies: list[tuple[str, str, str]]
    groups: list[str]
    anchors: list[str]
    contradictions: list[str]
    starts: dict[str, np.ndarray]
    limits: Limits
    fixed: dict[str, int]
    flex: bool = False
    rules: list[tuple[str, int]] = field(default_factory=list)
    rows: list[tuple[str, int]] = field(default_factory=list)
    counts: list[tuple[str, int]] = field(default_factory=list)
    record: Record | None = None

    def starts_of(self, chosen: np.ndarray) -> dict[str, int]:
        """Return project -> start of chosen option numbers."""
        o = self.options
        return {self.names[o.project[k]]: int(o.start[k]) for k in chosen}

    def purchases_of(
        self, portfolio: Portfolio, chosen: np.ndarray
    ) -> pd.DataFrame | None:
        """Return the cheapest purchases of chosen options; None if none are sold.

        A choice that no purchases make work has an empty table.
        """
        o = self.options
        if not self.flex:
            return None
        bought = cheapest(o, chosen)
        periods = int(o.sizes[1])
        total: dict[tuple[int, int], float] = {}
        if bought is None:
            return purchases_table(portfolio, total)
        for i in np.flatnonzero(bought).tolist():
            begin = int(o.buy.resource[i]) % periods
            for t in range(begin, begin + int(o.buy.length[i])):
                key = int(o.buy.offer[i]), t
                most = float(o.buy.most[i])
                on_board = float(round_up(total.get(key, 0.0) + float(bought[i])))
                total[key] = min(on_board, most)
        return purchases_table(portfolio, total)

    def chosen(self, starts: Mapping[str, int]) -> np.ndarray | None:
        """Return the option numbers of a schedule; None if one is not an option."""
        number = {name: p for p, name in enumerate(self.names)}
        result = []
        for name, start in starts.items():
            p = number.get(name)
            if p is None:
                return None
            lo, hi = self.options.first[p], self.options.first[p + 1]
            at = lo + int(np.searchsorted(self.options.start[lo:hi], start))
            if at == hi or self.options.start[at] != start:
                return None
            result.append(at)
        return np.array(sorted(result), dtype=np.int64)


def compile_options(
    portfolio: Portfolio,
    *,
    strict: bool = False,
    flex: bool = False,
    record: Record | None = None,
) -> Compiled:
    """Return the options of a valid portfolio.

    With `flex` its offers of capacity are columns of the model; with a `record` worth
    is less the price of changing it.

    Starts that break a limit together with the fixed work alone, and projects that
    require something nobody can select, are left out; nothing feasible is lost.
    """
    windows = start_windows(portfolio.projects, portfolio.horizon)
    starts = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    fixed = fixed_starts(portfolio, starts)
    bounds = limits(portfolio, strict=strict, fixed=fixed)
    names = list(starts)
    rules = requirements(portfolio, windows)
    roles = all_roles(portfolio)
    periods, budgets = len(portfolio.horizon), len(portfolio.budget)
    limit = np.concatenate([bounds.capacity.to_numpy().T.ravel(), bounds.budget])
    limit = np.where(np.isnan(limit), np.inf, limit)
    at_least = portfolio.budget["at_least"].to_numpy(dtype=float)
    least = np.concatenate(
        [
            np.full(len(roles) * periods, -np.inf),
            np.where(np.isnan(at_least), -np.inf, at_least),
        ]
    )

    number = {name: p for p, name in enumerate(names)}
    project = np.repeat(np.arange(len(names)), [len(starts[n]) for n in names])
    start = (
        np.concatenate([starts[n] for n in names])
        if names
        else np.zeros(0, dtype=np.int64)
    ).astype(np.int64)
    own = own_rules(portfolio, bounds, number, project, start, windows)
    sums = [row for row in own if row.weights_positive]
    limit = np.concatenate([limit, [row.upper for row in sums]])
    least = np.concatenate([least, [row.lower for row in sums]])
    use_option, use_row, use_amount = _uses(
        portfolio, number, project, start, roles, periods, budgets, sums
    )
    slack, unit = grains(
        portfolio, bounds, project[use_option], use_row, use_amount, sums, len(limit)
    )
    limit, slack, unit = grant_people(portfolio, bounds, limit, slack, unit)
    buy = _purchases(portfolio, roles) if flex else Purchases()
    most = limit + most_bought(len(limit), buy)
    keep = _usable(
        number,
        fixed,
        project,
        use_option,
        use_row,
        use_amount,
        most + slack,
        windows,
        names,
    )
    keep &= ~_unservable(project, rules, number)
    renumber = np.cumsum(keep) - 1
    others = kept_rows([row for row in own if not row.weights_positive], keep)
    kept_use = keep[use_option]
    project, start = project[keep], start[keep]
    use_option, use_row, use_amount = (
        renumber[use_option[kept_use]],
        use_row[kept_use],
        use_amount[kept_use],
    )
    use_first = np.searchsorted(use_option, np.arange(len(project) + 1))
    # Once more without what cannot be chosen: it may be far larger than the limit.
    slack, unit = grains(
        portfolio,
        bounds,
        project[use_option],
        use_row,
        use_amount,
        [row._replace(weight=row.weight[keep[row.option]]) for row in sums],
        len(limit),
        {names[p] for p in np.unique(project).tolist()},
    )
    limit, slack, unit = grant_people(portfolio, bounds, limit, slack, unit)
    dependencies, linked = dependency_arrays(rules, number)
    themes, distinct = distinct_arrays(
        portfolio, bounds, number, project, start, windows
    )
    groups, anchors, contradictions, counted = group_arrays(portfolio, windows, number)
    worth = _worth(portfolio, names, project, start, windows)
    constant = 0.0
    if record is not None:
        gains, constant = record_gains(portfolio, record, names, project, start)
        worth = worth + gains
    options = Options(
        first=np.searchsorted(project, np.arange(len(names) + 1)),
        project=project,
        start=start,
        worth=worth,
        tie=_tie(portfolio, names, project, start, fixed),
        must=windows.loc[names, "must"].to_numpy(dtype=bool),
        use=Uses(use_first, use_row, use_amount),
        limit=limit,
        least=least,
        dependency=linked,
        group=counted,
        counts=distinct,
        sizes=np.array([len(roles), periods, budgets], dtype=np.int64),
        slack=slack,
        unit=unit,
        linear=linear_arrays(others, renumber, project),
        constant=np.array([constant]),
        buy=buy,
    )
    return Compiled(
        options=options,
        names=names,
        roles=roles,
        dependencies=dependencies,
        groups=groups,
        anchors=anchors,
        contradictions=contradictions,
        starts=starts,
        limits=bounds,
        fixed=fixed,
        flex=flex,
        record=record,
        rules=[(row.rule, row.period) for row in sums],
        rows=[(row.rule, row.period) for row in others],
        counts=themes,
    )


def grains(
    portfolio: Portfolio,
    bounds: Limits,
    project: np.ndarray,
    use_row: np.ndarray,
    use_amount: np.ndarray,
    sums: list[Row],
    resources: int,
    only: set[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return slack and unit of every limited thing; of people see `grant_people`."""
    slack, unit = np.full(resources, TOLERANCE), np.ones(resources)
    most = largest_sums(project, use_row, use_amount, resources)
    largest = np.zeros(resources)
    np.maximum.at(largest, use_row, use_amount)
    spend = portfolio.spend["amount"].to_numpy()
    matches = budget_matches(portfolio)
    if only is not None:
        matches = matches & portfolio.spend["project"].isin(only).to_numpy()
    at_least = portfolio.budget["at_least"].to_numpy(dtype=float)
    first = resources - len(sums) - len(matches)
    rows: list[tuple[np.ndarray, float | Fraction, float | Fraction]] = [
        (spend[hit], bounds.budget_limit(b), float(at_least[b]))
        for b, hit in enumerate(matches)
    ]
    rows += [(row.weight, row.exact[1], row.exact[0]) for row in sums]
    for resource, (amounts, upper, lower) in enumerate(rows, first):
        slack[resource], unit[resource] = grain(
            amounts, float(most[resource]), float(largest[resource]), upper, lower
        )
    return slack, unit


def _purchases(portfolio: Portfolio, roles: list[str]) -> Purchases:
    """Return the columns of capacity that can be bought."""
    place = {role: r for r, role in enumerate(roles)}
    periods = len(portfolio.horizon)
    factor = (1.0 + portfolio.settings.discount) ** -np.arange(periods, dtype=float)
    rows: list[tuple[int, int, int, int, float, float]] = []
    for offer, row in offers(portfolio).iterrows():
        if row["role"] not in place:
            continue
        begin = place[row["role"]] * periods
        for t in range(int(row["first"]), int(row["last"]) + 1):
            hire = row["kind"] == "hire"
            length = int(row["last"]) - t + 1 if hire else 1
            cost = float(row["cost"]) * float(factor[t : t + length].sum())
            joint = int(str(offer)) if hire else -1
            most = float(row["fte_max"])
            rows.append((int(str(offer)), begin + t, length, joint, cost, most))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    kinds = [np.int64] * 4 + [float] * 2
    return Purchases(*map(np.array, columns, kinds))


def _pairs(
    rows: pd.DataFrame, number: Mapping[str, int], first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (row, option) for every option of every row's project."""
    p = np.array([number.get(n, -1) for n in rows["project"].tolist()], dtype=np.int64)
    known = np.flatnonzero(p >= 0)
    p = p[known]
    count = first[p + 1] - first[p]
    row = np.repeat(known, count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, np.repeat(first[p], count) + step


def _uses(
    portfolio: Portfolio,
    number: Mapping[str, int],
    project: np.ndarray,
    start: np.ndarray,
    roles: list[str],
    periods: int,
    budgets: int,
    rules: list[Row],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return option, limited thing and amount of all uses, in CSR order."""
    first = np.searchsorted(project, np.arange(len(number) + 1))
    demand = portfolio.demand[portfolio.demand["fte"] > 0].reset_index(drop=True)
    row, option = _pairs(demand, number, first)
    period = start[option] + demand["offset"].to_numpy(dtype=np.int64)[row]
    inside = (period >= 0) & (period < periods)
    number_of = {name: i for i, name in enumerate(roles)}
    role = np.array([number_of[r] for r in demand["role"].tolist()], dtype=np.int64)
    parts = [
        (
            option[inside],
            role[row[inside]] * periods + period[inside],
            demand["fte"].to_numpy()[row[inside]],
        )
    ]
    positive = (portfolio.spend["amount"] > 0).to_numpy()
    spend = portfolio.spend[positive].reset_index(drop=True)
    row, option = _pairs(spend, number, first)
    period = start[option] + spend["offset"].to_numpy(dtype=np.int64)[row]
    amount = spend["amount"].to_numpy()[row]
    matches = budget_matches(portfolio)[:, positive]
    begin, end = budget_spans(portfolio)
    for b in range(budgets):
        hit = matches[b, row] & (period >= begin[b]) & (period <= end[b])
        place = np.full(int(hit.sum()), len(roles) * periods + b)
        parts.append((option[hit], place, amount[hit]))
    begin_rules = len(roles) * periods + budgets
    for place_of_rule, rule in enumerate(rules, begin_rules):
        parts.append(
            (rule.option, np.full(len(rule.option), place_of_rule), rule.weight)
        )
    resources = begin_rules + len(rules)
    key = np.concatenate([o * np.int64(resources) + r for o, r, _ in parts])
    unique, inverse = np.unique(key, return_inverse=True)
    total = np.bincount(
        inverse, np.concatenate([a for *_, a in parts]), minlength=len(unique)
    )
    return unique // max(resources, 1), unique % max(resources, 1), total


def _usable(
    number: Mapping[str, int],
    fixed: Mapping[str, int],
    project: np.ndarray,
    use_option: np.ndarray,
    use_row: np.ndarray,
    use_amount: np.ndarray,
    room: np.ndarray,
    windows: pd.DataFrame,
    names: list[str],
) -> np.ndarray:
    """Return which options fit beside the fixed work; must projects keep theirs.

    The options of a project that must be selected stay, so that a clash is found
    and named by the model and not by an empty list.
    """
    is_fixed = np.zeros(len(names), dtype=bool)
    is_fixed[[number[name] for name in fixed]] = True
    by_fixed = is_fixed[project[use_option]]
    taken = np.bincount(use_row[by_fixed], use_amount[by_fixed], minlength=len(room))
    over = use_amount + taken[use_row] > room[use_row]
    must = windows.loc[names, "must"].to_numpy(dtype=bool)
    keep = np.ones(len(project), dtype=bool)
    keep[use_option[over]] = False
    return keep | must[project]


def _unservable(
    project: np.ndarray, rules: list[Any], number: Mapping[str, int]
) -> np.ndarray:
    """Return options of projects that require what nobody can select."""
    lost = [number[rule.project] for rule in rules if not rule.targets]
    return np.isin(project, lost)


def _worth(
    portfolio: Portfolio,
    names: list[str],
    project: np.ndarray,
    start: np.ndarray,
    windows: pd.DataFrame,
) -> np.ndarray:
    at_zero = worth_at_zero(portfolio).reindex(names).to_numpy()
    running = windows.loc[names, "running"].to_numpy(dtype=bool)
    counted = np.where(running[project], 0, start)
    return np.asarray(
        at_zero[project] * (1.0 + portfolio.settings.discount) ** -counted.astype(float)
    )


def _tie(
    portfolio: Portfolio,
    names: list[str],
    project: np.ndarray,
    start: np.ndarray,
    fixed: Mapping[str, int],
) -> np.ndarray:
    """Return what ties are broken by: early starts, approved near their plan."""
    rows = portfolio.projects
    row = {name: k for k, name in enumerate(rows["project"].tolist())}
    at = np.array([row[name] for name in names], dtype=np.int64)
    planned = offsets_from(rows["start"], portfolio.horizon)[at]
    approved = rows["status"].to_numpy(dtype=object)[at] == "approved"
    near = approved & ~np.isnan(planned)
    near_planned = np.abs(start - np.where(near, planned, 0)[project])
    cost = np.where(near[project], near_planned, start).astype(float)
    still = np.array([name in fixed for name in names], dtype=bool)
    return np.where(still[project], 0.0, cost)
