"""What stands in the way of one more project beside a plan, start by start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.formats import called, names_of
from pmo_analytics.optimization.explaining.wording import (
    money,
    number,
    say_dependency,
    say_group,
    series,
    spans,
    the_project,
    when,
)
from pmo_analytics.rules import (
    Limits,
    budget_amounts,
    find_violations,
    load_grid,
    requirements,
    worth,
)
from pmo_analytics.tables import start_windows
from pmo_analytics.tolerance import TOLERANCE, exceeds

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

BLOCKING_COLUMNS = ["start", "rule", "subject", "period", "needed", "free", "short"]
BLOCKING_COLUMNS += ["message"]
# More shortages than this are left to the table and to the repair.
_SHORT = 3


def standing(
    portfolio: Portfolio,
    plan: Plan,
    project: str,
    starts: np.ndarray,
    limits: Limits,
) -> pd.DataFrame:
    """Return what a project lacks at each of its starts beside a plan.

    Parameters
    ----------
    starts
        The starts that its own rules allow.
    limits
        Limits in force, with what the plan buys.

    Returns
    -------
    DataFrame
        `start` (Period), `rule` (`capacity`, `budget`, `dependency`, `group`, or what
        else is broken), `subject, period, needed, free, short, message`; FTE or
        currency.
    """
    free = limits.capacity.to_numpy() - load_grid(portfolio, plan.starts).to_numpy()
    spent = budget_amounts(portfolio, plan.starts)
    closed = [
        _row("group", group, say_group(portfolio, group))
        for group in _closed(portfolio, plan, project)
    ]
    rows: list[dict[str, Any]] = []
    for start in starts.tolist():
        own: list[dict[str, Any]] = [
            *_people(portfolio, project, start, free, limits),
            *_money(portfolio, project, start, spent, limits),
            *_links(portfolio, plan, project, start),
            *closed,
        ]
        if not own:
            own = _anything_else(portfolio, plan, project, start)
        rows += [{**row, "start": portfolio.horizon[0] + start} for row in own]
    table = pd.DataFrame(rows, columns=BLOCKING_COLUMNS)
    return table.astype({"needed": float, "free": float, "short": float})


def _row(rule: str, subject: str, message: str, **more: Any) -> dict[str, Any]:
    fields = {"period": "", "needed": np.nan, "free": np.nan, "short": np.nan}
    return {**fields, "rule": rule, "subject": subject, "message": message, **more}


def _people(
    portfolio: Portfolio, project: str, start: int, free: np.ndarray, limits: Limits
) -> list[dict[str, Any]]:
    needed = load_grid(portfolio, {project: start}).to_numpy()
    rows = []
    for t, r in np.argwhere((needed > 0) & (needed > free + TOLERANCE)):
        role, period = str(limits.capacity.columns[r]), when(portfolio, int(t))
        want, have = float(needed[t, r]), float(max(free[t, r], 0.0))
        left = f"{role} has {number(have)} FTE left in {period}"
        text = f"{left}, {number(want)} are needed."
        rows.append(
            _row(
                "capacity",
                role,
                text,
                period=period,
                needed=want,
                free=have,
                short=want - have,
            )
        )
    return rows


def _money(
    portfolio: Portfolio,
    project: str,
    start: int,
    spent: list[np.ndarray],
    limits: Limits,
) -> list[dict[str, Any]]:
    rows = []
    for b, needed in enumerate(budget_amounts(portfolio, {project: start})):
        want = math.fsum(needed)
        both = [*spent[b].tolist(), *needed.tolist()]
        if want <= 0 or not exceeds(both, limits.budget_limit(b)):
            continue
        name = str(portfolio.budget["budget"].iat[b])
        have = max(float(limits.budget[b]) - math.fsum(spent[b]), 0.0)
        text = (
            f"Budget '{name}' has {money(portfolio, have)} left, "
            f"{money(portfolio, want)} are needed."
        )
        rows.append(
            _row("budget", name, text, needed=want, free=have, short=want - have)
        )
    return rows


def _links(
    portfolio: Portfolio, plan: Plan, project: str, start: int
) -> list[dict[str, Any]]:
    windows = start_windows(portfolio.projects, portfolio.horizon)
    rows = []
    for rule in requirements(portfolio, windows):
        if rule.project != project:
            continue
        serving = [i for i in rule.targets if i in plan.starts]
        if any(rule.served(start, i, plan.starts[i]) for i in serving):
            continue
        text = say_dependency(portfolio, project, rule.requires, rule.kind)
        if serving:
            dates = [
                f"{the_project(portfolio, i)} starts {when(portfolio, plan.starts[i])}"
                for i in serving
            ]
            text += f" In the plan {series(dates)}."
        else:
            text += f" {the_project(portfolio, rule.requires)} is not in the plan."
        rows.append(_row("dependency", rule.requires, text))
    return rows


def _anything_else(
    portfolio: Portfolio, plan: Plan, project: str, start: int
) -> list[dict[str, Any]]:
    """Return every other rule that is broken with the project and not without it."""

    def broken(starts: dict[str, int]) -> pd.DataFrame:
        bought = plan.purchases if plan.buys else None
        return find_violations(portfolio, starts, strict=plan.strict, purchases=bought)

    found = broken({**plan.starts, project: start})
    before = set(broken(plan.starts)["message"]) if len(found) else set()
    return [
        _row(str(row.rule), str(row.subject), str(row.message), period=str(row.period))
        for row in found.itertuples()
        if row.message not in before
    ]


def _closed(portfolio: Portfolio, plan: Plan, project: str) -> list[str]:
    """Return groups that do not take one more project, or not this one alone."""
    state = start_windows(portfolio.projects, portfolio.horizon)["state"]
    found = []
    for name, rows in portfolio.groups.groupby("group", sort=False):
        members = rows["project"].tolist()
        if project not in members:
            continue
        inside = [m for m in members if m in plan.starts or state[m] == "done"]
        most = rows["at_most"].iat[0]
        if rows["rule"].iat[0] == "all_or_none":
            if len(inside) < len(members) - 1:
                found.append(str(name))
        elif not pd.isna(most) and len(inside) + 1 > int(most):
            found.append(str(name))
    return found


def say_standing(
    portfolio: Portfolio, project: str, starts: np.ndarray, blocking: pd.DataFrame
) -> list[str]:
    """Return what stands in the way, in words: in general, and at the best start."""
    name = called(project, names_of(portfolio.projects))
    first = portfolio.horizon[0]
    held = set(blocking["start"])
    open_ = [s for s in starts.tolist() if first + s not in held]
    if open_:
        gain = float(worth(portfolio, {project: open_[0]}).iloc[0])
        text = (
            f"Nothing stands in the way of {name} beside the plan in "
            f"{spans(portfolio, open_)}"
        )
        if gain > 0:
            return [f"{text}: from {when(portfolio, open_[0])} it adds {number(gain)}."]
        return [f"{text}, but it is worth {number(gain)}: it does not pay."]
    many = len(starts)
    counts = blocking.drop_duplicates(["start", "rule", "subject"])
    counts = counts.groupby(["rule", "subject"], sort=False).size()
    counts = counts.sort_values(ascending=False, kind="stable")
    words = []
    for (rule, subject), count in counts.items():
        resource = {
            "capacity": str(subject),
            "budget": f"budget '{subject}'",
            "dependency": f"{the_project(portfolio, subject)}, which it requires",
            "group": f"group '{subject}'",
        }.get(str(rule), f"rule '{subject}'")
        words.append(f"{resource} in {int(count)}")
    shown = words[:5] + ([f"{len(words) - 5} more"] if len(words) > 5 else [])
    lines = [
        f"{name} could start in {spans(portfolio, starts.tolist())}. Of these "
        f"{many} starts beside the plan, something stands in the way of each: "
        f"{series(shown)}."
        if many > 1
        else f"{name} can start in {spans(portfolio, starts.tolist())} only, and "
        f"{listing_of(words)} in the way."
    ]
    return lines + _best_start(portfolio, blocking)


def listing_of(words: list[str]) -> str:
    """Return things that stand, without the count of starts: `Dev and Ops stand`."""
    names = [word.rsplit(" in ", 1)[0] for word in words]
    return f"{series(names)} {'stands' if len(names) == 1 else 'stand'}"


def _best_start(portfolio: Portfolio, blocking: pd.DataFrame) -> list[str]:
    """Return what is short at the start where least is, in words."""
    relative = blocking["short"] / blocking["needed"]
    cost = relative.fillna(10.0).groupby(blocking["start"]).sum()
    start = cost.idxmin()
    rows = blocking[blocking["start"] == start]
    begin = when(portfolio, start.ordinal - portfolio.horizon[0].ordinal)
    parts = []
    people = rows[rows["rule"] == "capacity"]
    for role, own in people.groupby("subject", sort=False):
        by_amount: dict[str, list[str]] = {}
        for row in own.itertuples():
            by_amount.setdefault(number(row.short), []).append(row.period)
        texts = [
            f"{amount} FTE of {role} in {_periods(portfolio, months)}"
            for amount, months in by_amount.items()
        ]
        parts += texts
    for row in rows[rows["rule"] == "budget"].itertuples():
        parts.append(f"{money(portfolio, row.short)} in budget '{row.subject}'")
    lines = []
    if parts and len(parts) <= _SHORT:
        lines.append(f"Nearest is {begin}: there it lacks {series(parts)}.")
    others = rows[~rows["rule"].isin(["capacity", "budget"])]
    lines += [str(text) for text in others["message"]]
    return lines


def _periods(portfolio: Portfolio, names: list[str]) -> str:
    known = {when(portfolio, t): t for t in range(len(portfolio.horizon))}
    return spans(portfolio, [known[name] for name in names])
