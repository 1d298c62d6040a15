"""What a schedule breaks: one function per rule, one table for all."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.rules.dependencies import requirements
from pmo_analytics.rules.linear_rules import read_rules, rule_amounts
from pmo_analytics.rules.purchases import bought_grid, broken_offers
from pmo_analytics.rules.workload import (
    Limits,
    Starts,
    budget_amounts,
    fixed_starts,
    limits,
    load_grid,
    overloaded_cells,
)
from pmo_analytics.tables import allowed_starts, start_windows
from pmo_analytics.tolerance import exact_sum, exceeds, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = ["rule", "subject", "period", "found", "limit", "message"]
Violation = dict[str, Any]


def find_violations(
    portfolio: Portfolio,
    starts: Starts,
    *,
    strict: bool = False,
    purchases: pd.DataFrame | None = None,
    windows: pd.DataFrame | None = None,
    bounds: Limits | None = None,
) -> pd.DataFrame:
    """Return every rule that start dates break.

    Parameters
    ----------
    portfolio
        A valid portfolio.
    starts
        Project -> start, whole periods after the first of the horizon.
    strict
        Count overloads of work that cannot be moved, too.
    purchases
        Capacity that is bought, as `purchases_table` returns it.
    windows, bounds
        Of `start_windows` and `limits`, where they are known.

    Returns
    -------
    DataFrame
        `rule, subject, period, found, limit, message`; empty when feasible.
    """
    if windows is None:
        windows = start_windows(portfolio.projects, portfolio.horizon)
    if bounds is None:
        fixed = None if strict else fixed_starts(portfolio, windows=windows)
        bounds = limits(portfolio, strict=strict, fixed=fixed)
    rows = [
        *_selection(windows, starts),
        *_windows(portfolio, starts, windows),
        *_capacity(portfolio, starts, bounds, purchases),
        *_budgets(portfolio, starts, bounds),
        *_dependencies(portfolio, starts, windows),
        *_groups(portfolio, starts, windows),
        *_own_rules(portfolio, starts, bounds),
        *_offers(portfolio, purchases),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _violation(
    rule: str,
    subject: object,
    message: str,
    *,
    period: str = "",
    found: object = "",
    limit: object = "",
) -> Violation:
    return {
        "rule": rule,
        "subject": subject,
        "period": period,
        "found": found,
        "limit": limit,
        "message": message,
    }


def _selection(windows: pd.DataFrame, starts: Starts) -> list[Violation]:
    rows = []
    for name in starts:
        if windows.at[name, "state"] != "live":
            rows.append(
                _violation(
                    "not_selectable",
                    name,
                    f"'{name}' is done, cancelled or forced out and cannot be "
                    "scheduled.",
                )
            )
    for name in windows.index[windows["must"]]:
        if name not in starts:
            rows.append(
                _violation(
                    "must_be_selected",
                    name,
                    f"'{name}' is running, approved or forced in, and is not in the "
                    "plan.",
                )
            )
    return rows


def _windows(
    portfolio: Portfolio, starts: Starts, windows: pd.DataFrame
) -> list[Violation]:
    allowed = allowed_starts(
        portfolio.projects, portfolio.blackouts, portfolio.horizon, windows
    )
    rows = []
    for name, start in starts.items():
        if name not in allowed or start in allowed[name]:
            continue
        first, last = windows.at[name, "first"], windows.at[name, "last"]
        when = format_period(portfolio.horizon[0] + start)
        if windows.at[name, "kept"] and start != first:
            rule, why = "start_kept", "it keeps its own start"
        elif first <= start <= last:
            rule, why = "blackout", "a blackout forbids it"
        else:
            rule, why = (
                "window",
                "window, deadline and horizon leave "
                + (
                    f"{format_period(portfolio.horizon[0] + int(first))} .. "
                    f"{format_period(portfolio.horizon[0] + int(last))}"
                    if first <= last
                    else "no start at all"
                ),
            )
        rows.append(
            _violation(
                rule, name, f"'{name}' cannot start in {when}: {why}.", period=when
            )
        )
    return rows


def _capacity(
    portfolio: Portfolio,
    starts: Starts,
    bounds: Limits,
    purchases: pd.DataFrame | None,
) -> list[Violation]:
    load = load_grid(portfolio, starts).to_numpy()
    given = capacity = bounds.capacity.to_numpy()
    if purchases is not None and len(purchases):
        more = bought_grid(portfolio, purchases, bounds.capacity.columns)
        capacity = np.maximum(capacity, 0.0) + more.to_numpy()

    def exactly(t: int, r: int) -> Fraction:
        role, period = bounds.capacity.columns[r], portfolio.horizon[t]
        limit = bounds.exact_capacity.get((t, r), written(max(given[t, r], 0.0)))
        if purchases is None:
            return limit
        own = (purchases["role"] == role) & (purchases["period"] == period)
        return limit + exact_sum(purchases.loc[own, "fte"])

    rows = []
    over = overloaded_cells(portfolio, starts, capacity, exactly)
    for t, r in np.argwhere(over).tolist():
        period = format_period(portfolio.horizon[t])
        role = bounds.capacity.columns[r]
        rows.append(
            _violation(
                "capacity",
                role,
                f"{role} is short of {load[t, r] - capacity[t, r]:.6g} FTE in "
                f"{period}: load {load[t, r]:.6g}, capacity {capacity[t, r]:.6g}.",
                period=period,
                found=load[t, r],
                limit=capacity[t, r],
            )
        )
    return rows


def _budgets(portfolio: Portfolio, starts: Starts, bounds: Limits) -> list[Violation]:
    rows = []
    budget = portfolio.budget
    amounts = budget_amounts(portfolio, starts)
    spent = [float(own.sum()) for own in amounts]
    least = budget["at_least"].to_numpy(dtype=float)
    for b in range(len(budget)):
        name = budget["budget"].iat[b]
        if exceeds(amounts[b], bounds.budget_limit(b)):
            off, use, most = _money(amounts[b], bounds.budget[b])
            rows.append(
                _violation(
                    "budget",
                    name,
                    f"Budget '{name}' is overspent by {off}: {use} of {most}.",
                    found=spent[b],
                    limit=bounds.budget[b],
                )
            )
        if exceeds(amounts[b], least[b], below=True):
            _, use, fewest = _money(amounts[b], least[b])
            rows.append(
                _violation(
                    "budget_at_least",
                    name,
                    f"Budget '{name}' must spend at least {fewest} and spends {use}.",
                    found=spent[b],
                    limit=least[b],
                )
            )
    return rows


def _money(amounts: np.ndarray, limit: float) -> tuple[str, str, str]:
    """Return how far amounts are from a limit, their sum and the limit as text."""
    off = abs(float(exact_sum(amounts.tolist()) - written(limit)))
    numbers = (off, float(amounts.sum()), float(limit))
    if off >= 0.005:
        return f"{numbers[0]:,.2f}", f"{numbers[1]:,.2f}", f"{numbers[2]:,.2f}"
    # In cents nothing of it would be seen.
    return _all_digits(numbers[0]), _all_digits(numbers[1]), _all_digits(numbers[2])


def _all_digits(number: float) -> str:
    return f"{Decimal(repr(number)):,f}"


def _dependencies(
    portfolio: Portfolio, starts: Starts, windows: pd.DataFrame
) -> list[Violation]:
    rows = []
    for rule in requirements(portfolio, windows):
        if rule.project not in starts:
            continue
        start = starts[rule.project]
        serving = [i for i in rule.targets if i in starts]
        if any(rule.served(start, i, starts[i]) for i in serving):
            continue
        when = format_period(portfolio.horizon[0] + start) if serving else ""
        what = f"'{rule.project}' requires '{rule.requires}' ({rule.kind})"
        if not serving:
            message = f"{what}, which is not selected."
        else:
            dates = ", ".join(
                f"'{i}' starts {format_period(portfolio.horizon[0] + starts[i])}"
                for i in serving
            )
            message = f"{what}, but it starts {when} while {dates}."
        rows.append(_violation("dependency", rule.project, message, period=when))
    return rows


def _own_rules(portfolio: Portfolio, starts: Starts, bounds: Limits) -> list[Violation]:
    rows: list[Violation] = []
    for rule in read_rules(portfolio):
        for t, own in enumerate(rule_amounts(portfolio, rule, starts)):
            found = math.fsum(own)
            for limit, word, below in (
                (bounds.rule_limit(rule, t), "at most", False),
                (rule.at_least, "at least", True),
            ):
                if not exceeds(own, limit, below=below):
                    continue
                period = format_period(portfolio.horizon[t]) if rule.by_period else ""
                themes = "" if rule.themes is None else " different themes"
                allowed, has = f"{float(limit):.6g}", f"{found:.6g}"
                if allowed == has:
                    allowed, has = _all_digits(float(limit)), _all_digits(found)
                rows.append(
                    _violation(
                        "rule",
                        rule.name,
                        f"Rule '{rule.name}' allows {word} {allowed}{themes}"
                        f"{' in ' + period if period else ''}; the plan has {has}.",
                        period=period,
                        found=found,
                        limit=float(limit),
                    )
                )
    return rows


def _offers(portfolio: Portfolio, purchases: pd.DataFrame | None) -> list[Violation]:
    if purchases is None or purchases.empty:
        return []
    return [
        _violation("flex", str(offer), text, period=period, found=found, limit=limit)
        for offer, period, found, limit, text in broken_offers(portfolio, purchases)
    ]


def _groups(
    portfolio: Portfolio, starts: Starts, windows: pd.DataFrame
) -> list[Violation]:
    state = windows["state"].to_dict()
    rows = []
    for name, group in portfolio.groups.groupby("group", sort=False):
        members = list(group["project"])
        chosen = [m for m in members if m in starts or state[m] == "done"]
        least, most = group["at_least"].iat[0], group["at_most"].iat[0]
        if group["rule"].iat[0] == "all_or_none":
            if 0 < len(chosen) < len(members):
                missing = [m for m in members if m not in chosen]
                rows.append(
                    _violation(
                        "group",
                        name,
                        f"Group '{name}' is all or none: {', '.join(chosen)} selected, "
                        f"{', '.join(missing)} not.",
                        found=len(chosen),
                        limit=len(members),
                    )
                )
            continue
        if not pd.isna(most) and len(chosen) > most:
            rows.append(
                _violation(
                    "group",
                    name,
                    f"Group '{name}' allows {most} of its projects and has "
                    f"{len(chosen)}: {', '.join(chosen)}.",
                    found=len(chosen),
                    limit=int(most),
                )
            )
        if not pd.isna(least) and len(chosen) < least:
            rows.append(
                _violation(
                    "group",
                    name,
                    f"Group '{name}' needs {least} of its projects and has "
                    f"{len(chosen)}.",
                    found=len(chosen),
                    limit=int(least),
                )
            )
    return rows
