"""What clashes when no plan is possible: rules, projects, roles and periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import listing
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.workers.running import run_elastic
from pmo_analytics.rules import read_rules, rule_sums

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.portfolio import Portfolio

COLUMNS = ["rule", "project", "role", "period", "needed", "available", "message"]
# The question "what clashes" gets this long at most.
_SECONDS = 20.0


def find_conflicts(
    portfolio: Portfolio, compiled: Compiled, limits: SolveLimits | None
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return what clashes in a portfolio that is said to have no plan.

    First what shows by itself (no start left, groups nobody can satisfy); then the
    elastic model: the smallest total breach of limits, dependencies and groups that
    would let everything in that has to be in.

    Parameters
    ----------
    limits
        Of the elastic model; None = only what shows by itself.

    Returns
    -------
    DataFrame, ndarray or None
        `rule, project, role, period, needed, available, message`. Where the elastic
        model needs no breach the table is empty and the option numbers of its plan
        come with it.
    """
    plan: np.ndarray | None = None
    rows = [_row("group", message=text) for text in compiled.contradictions]
    options = compiled.options
    for p in np.flatnonzero(options.must & (np.diff(options.first) == 0)):
        rows.append(_no_start(portfolio, compiled, compiled.names[p]))
    if not rows and limits is not None:
        event = run_elastic(options, seconds=_SECONDS, limits=limits)
        if event is not None and event.chosen is not None:
            chosen = np.array(event.chosen, dtype=np.int64)
            for told, amount in event.broken:
                label = RowLabel(*told)
                rows.append(_broken(portfolio, compiled, label, amount, chosen))
            plan = None if rows else chosen
        else:
            rows.append(
                _row(
                    "unknown",
                    message="The rules clash; which ones could not be found in time.",
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS), plan


def _row(rule: str, **fields: Any) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS, ""), "rule": rule, **fields}


def _no_start(portfolio: Portfolio, compiled: Compiled, name: str) -> dict[str, Any]:
    why = "blackouts, window and deadline leave it no start"
    if len(compiled.starts[name]):
        wanted = portfolio.dependencies
        requires = wanted.loc[wanted["project"] == name, "requires"]
        why = f"it requires {listing(requires)}, which cannot be selected"
    return _row(
        "no_start", project=name, message=f"'{name}' must be selected, but {why}."
    )


def _broken(
    portfolio: Portfolio,
    compiled: Compiled,
    label: RowLabel,
    amount: float,
    chosen: np.ndarray,
) -> dict[str, Any]:
    """Return the sentence on one rule that the elastic model had to break."""
    kind, number, _ = label
    if kind in ("limit", "least"):
        return _broken_limit(portfolio, compiled, kind, number, chosen)
    if kind in ("linear_most", "linear_least"):
        return _broken_rule(portfolio, compiled, compiled.rows[number], kind, chosen)
    if kind == "distinct":
        row = compiled.counts[number]
        return _broken_rule(portfolio, compiled, row, "linear_most", chosen)
    if kind in ("at_most", "at_least", "same"):
        group = compiled.groups[number]
        return _row(
            "group",
            message=f"Group '{group}' cannot be satisfied: "
            f"{'its members cannot agree' if kind == 'same' else kind} beside what "
            "must be selected.",
        )
    project, requires, rule = compiled.dependencies[number]
    return _row(
        "dependency",
        project=project,
        needed=round(float(amount), 6),
        message=f"'{project}' requires '{requires}' ({rule}), and their dates or "
        "limits do not allow it.",
    )


def _broken_rule(
    portfolio: Portfolio,
    compiled: Compiled,
    row: tuple[str, int],
    kind: str,
    chosen: np.ndarray,
) -> dict[str, Any]:
    """Return the sentence on a rule of one's own."""
    name, t = row
    starts = compiled.starts_of(chosen)
    rule = next(rule for rule in read_rules(portfolio) if rule.name == name)
    needed = float(rule_sums(portfolio, rule, starts)[max(t, 0)])
    most = float(compiled.limits.rules[name][max(t, 0)])
    available = most if kind == "linear_most" else rule.at_least
    period = format_period(portfolio.horizon[t]) if t >= 0 else ""
    counted = [p for p in rule.weights if p in starts]
    allowed, has = f"{available:.6g}", f"{needed:.6g}"
    if allowed == has:
        allowed, has = f"{available:,.17g}", f"{needed:,.17g}"
    word = "at most" if kind == "linear_most" else "at least"
    themes = "" if rule.themes is None else " different themes"
    return _row(
        "rule",
        project=", ".join(counted[:5]),
        period=period,
        needed=round(needed, 6),
        available=available,
        message=f"Rule '{name}' allows {word} {allowed}{themes}"
        f"{' in ' + period if period else ''}, and what must be selected makes it "
        f"{has}: {listing(counted) or 'nobody'}.",
    )


def _broken_limit(
    portfolio: Portfolio,
    compiled: Compiled,
    kind: str,
    resource: int,
    chosen: np.ndarray,
) -> dict[str, Any]:
    options = compiled.options
    roles, periods, budgets = options.sizes.tolist()
    beyond = resource - roles * periods - budgets
    if beyond >= 0:
        side = "linear_most" if kind == "limit" else "linear_least"
        row = compiled.rules[beyond]
        return _broken_rule(portfolio, compiled, row, side, chosen)
    uses = []
    for option in chosen.tolist():
        rows, amounts = options.uses(option)
        own = float(amounts[rows == resource].sum())
        if own > 0:
            uses.append((own, compiled.names[options.project[option]]))
    needed = sum(own for own, _ in uses)
    names = [name for _, name in sorted(uses, reverse=True)]
    if resource < roles * periods:
        role = compiled.roles[resource // periods]
        period = format_period(portfolio.horizon[resource % periods])
        available = float(options.limit[resource])
        return _row(
            "capacity",
            project=", ".join(names[:5]),
            role=role,
            period=period,
            needed=round(needed, 6),
            available=available,
            message=f"{role} is short of {needed - available:.6g} FTE in {period}: "
            f"{needed:.6g} needed by {listing(names)}, {available:.6g} available.",
        )
    budget = portfolio.budget["budget"].iat[resource - roles * periods]
    available = float(
        options.limit[resource] if kind == "limit" else options.least[resource]
    )
    difference = needed - available if kind == "limit" else available - needed
    text = "is short of" if kind == "limit" else "cannot spend the last"
    return _row(
        "budget" if kind == "limit" else "budget_at_least",
        project=", ".join(names[:5]),
        needed=round(needed, 6),
        available=available,
        message=f"Budget '{budget}' {text} {difference:,.2f}: {needed:,.2f} against "
        f"{available:,.2f}, used by {listing(names) or 'nobody'}.",
    )
