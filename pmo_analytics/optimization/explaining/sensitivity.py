"""How far values may move before the choice changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.formats import called
from pmo_analytics.optimization.explaining.discounts.rate_range import discount_range
from pmo_analytics.optimization.explaining.displacing import forced_in
from pmo_analytics.optimization.explaining.resolving import (
    STOPPED,
    Resolved,
    resolve,
    resolve_all,
    settings_of,
)
from pmo_analytics.optimization.explaining.wording import number
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, run_tasks, stoppable
from pmo_analytics.rules import discount_factors, worth_at_zero
from pmo_analytics.tables import allowed_starts, start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = [
    *("kind", "subject", "decision", "now", "low", "high"),
    *("low_flip", "high_flip", "found", "low_found", "high_found"),
    *("exact", "whole_set", "message"),
]
# Multipliers of a theme's value that are looked at, and how often it is solved again
# on each side.
_LEAST, _MOST, _STEPS = 0.0, 3.0, 6
_SAME = 1e-6


@stoppable()
def sensitivity(
    plan: Plan,
    *,
    projects: Sequence[str] | None = None,
    themes: bool = True,
    discount: bool = True,
    limits: SolveLimits | None = None,
    seed: int = 0,
    workers: int | None = None,
    cluster: str = "",
) -> pd.DataFrame:
    """Return how far values may move before the choice changes.

    Of each project that may be in or out the portfolio is solved again with the other
    decision. Between `low` and `high` the bounds prove that the decision of the plan
    stays right; beyond `low_flip` or `high_flip` they prove that it is wrong. With
    both searches closed these meet (`exact`). A range is blank where the bounds prove
    nothing; `found` is where the decision turns by the plans that were found. Of each
    theme the value is multiplied up to where another plan is as good,
    solving again at every crossing. Of the discount rate the range is told in which
    the chosen set stays best (its dates may change): at a few rates the best dates of
    the set and the best plan of any other set are solved for; `low` and `high` are
    proved by the bounds, for every rate between them, `low_found` and `high_found` are
    where another set takes over by the plans that were found.

    Parameters
    ----------
    plan
        The answer that is asked about.
    projects
        Projects to look at; default all that may be in or out.
    themes
        Look at themes, too.
    discount
        Look at the discount rate, too: from 0 to 30 % a year, or twice today's.
    limits
        Of each solve; default 20 seconds.
    seed
        Of the search.
    workers, cluster
        Local processes, default one per core; or the address of a Dask scheduler.

    Returns
    -------
    DataFrame
        One row a project or theme, and one of the discount rate: `kind` (`project`,
        `theme`, `discount`), `subject`, `decision` (`selected`, `not selected`,
        blank), `now` (value at the start of the horizon in currency or score;
        multiplier 1; rate a period), `low, high, low_flip, high_flip, found`,
        `low_found, high_found` (discount only), `exact`;
        `whole_set`: not only this decision but the whole choice stays best in the
        range; `message`.

    Raises
    ------
    ConfigError
        If a project is unknown, or may not be in or out.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.optimize(pmo.example_portfolio(), limits=pmo.SolveLimits(seconds=3))
    >>> table = pmo.sensitivity(plan, projects=["CRM"], themes=False,
    ...                         discount=False, limits=pmo.SolveLimits(seconds=2))
    >>> list(table["subject"])
    ['CRM']
    """
    portfolio = plan.portfolio
    limits = limits or SolveLimits(seconds=20.0)
    windows = start_windows(portfolio.projects, portfolio.horizon)
    free = windows.index[(windows["state"] == "live") & ~windows["must"]].tolist()
    chosen = free if projects is None else list(projects)
    for name in chosen:
        if name not in free:
            hint = closest(name, free)
            raise ConfigError(f"'{name}' is no project that may be in or out{hint}.")
    questions = {
        name: _without(portfolio, name)
        if name in plan.starts
        else forced_in(portfolio, name)
        for name in chosen
    }
    bound = plan.report.bound if plan.report is not None else None
    if bound is None:
        questions["as it is"] = portfolio
    settings = settings_of(plan, seed)
    work = Work(workers, cluster)
    found = resolve_all(questions, limits, settings, plan, work)
    if bound is None:
        bound = found["as it is"].bound
    rows = [
        _project(plan, name, found[name], np.inf if bound is None else bound)
        for name in chosen
    ]
    if themes:
        rows += _themes(plan, limits, settings, work)
    if discount:
        row = discount_range(plan, limits, seed, work)
        row |= {"kind": "discount", "subject": "discount rate", "decision": ""}
        rows.append(row | {"whole_set": row["low"] is not None})
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    numbers = ["now", "low", "high", "low_flip", "high_flip", "found"]
    numbers += ["low_found", "high_found"]
    table[numbers] = table[numbers].astype(float)
    return table.astype({"exact": bool, "whole_set": bool})


def _without(portfolio: Portfolio, project: str) -> Portfolio:
    projects = portfolio.projects.copy()
    row = (projects["project"] == project).to_numpy()
    projects.loc[row, ["force", "force_reason"]] = ["out", "to see what it is worth"]
    return portfolio.replace(projects=projects)


def _project(plan: Plan, name: str, other: Resolved, bound: float) -> dict[str, Any]:
    """Return the range of one project's value.

    A plan with the project is worth more by the change of its value times the
    discount of its start; a plan without it is worth the same.
    """
    portfolio = plan.portfolio
    inside = name in plan.starts
    now = float(worth_at_zero(portfolio, net=False)[name])
    starts = allowed_starts(portfolio.projects, portfolio.blackouts, portfolio.horizon)
    factor = {
        int(s): float(discount_factors(portfolio, {name: int(s)}).iloc[0])
        for s in starts[name]
    }
    row: dict[str, Any] = {
        "kind": "project",
        "subject": name,
        "decision": "selected" if inside else "not selected",
        "now": now,
        "low": -np.inf,
        "high": np.inf,
        "low_flip": None,
        "high_flip": None,
        "exact": False,
        "whole_set": False,
        "message": other.message,
    }
    if other.status == "stopped":
        return row | {"low": None, "high": None}
    if other.status == "infeasible":
        row["exact"] = True
        row["message"] = (
            f"No plan can do without '{name}'."
            if inside
            else f"No plan can hold '{name}'."
        )
        return row
    least, most = min(factor.values()), max(factor.values())
    best, limit, objective = other.objective, other.bound, plan.objective
    margin = np.nan if limit is None else objective - limit
    scale = max(1.0, abs(objective))
    if -_SAME * scale <= margin < 0.0:
        margin = 0.0
    wrong = np.nan if best is None else max(bound, objective) - best
    if inside:
        side, sign, proved = "low", -1.0, factor[plan.starts[name]]
        sure = least
    else:
        side, sign, proved = "high", 1.0, most
        sure = factor[other.starts[name]] if other.starts else most
    row[side] = now + sign * margin / proved if margin >= 0.0 else None
    if best is not None:
        row["found"] = now + sign * (objective - best) / (proved if inside else sure)
    if np.isfinite(wrong):
        row[f"{side}_flip"] = now + sign * wrong / sure
    if row[side] is not None and row[f"{side}_flip"] is not None:
        apart = abs(row[side] - row[f"{side}_flip"])
        row["exact"] = bool(apart <= 1e-4 * max(1.0, abs(now)))
    # A change of a value that all plans with the project share moves them alike.
    settled = bound - objective <= _SAME * scale
    row["whole_set"] = bool(settled and (not inside or most - least < 1e-12))
    return row


def _themes(
    plan: Plan, limits: SolveLimits, settings: dict[str, Any], work: Work
) -> list[dict[str, Any]]:
    themes = plan.portfolio.projects["theme"].dropna().unique().tolist()
    tasks = {
        f"{theme} {side}": {
            "plan": plan,
            "theme": theme,
            "far": far,
            "limits": replace(limits, threads=1) if work.workers != 1 else limits,
            "settings": settings,
        }
        for theme in themes
        for side, far in (("low", _LEAST), ("high", _MOST))
    }
    outcomes = run_tasks(theme_end, tasks, work=work)
    rows = []
    for theme in themes:
        row: dict[str, Any] = {
            "kind": "theme",
            "subject": theme,
            "decision": "",
            "now": 1.0,
            "exact": True,
            "whole_set": True,
            "message": "",
        }
        for side in ("low", "high"):
            outcome = outcomes.get(f"{theme} {side}")
            if outcome is None or outcome.error is not None:
                row["exact"] = row["whole_set"] = False
                row["message"] = STOPPED if outcome is None else str(outcome.error)
                continue
            end, flip, exact = outcome.value
            row[side], row[f"{side}_flip"] = end, flip
            row["exact"] &= exact
        rows.append(row)
    return rows


def theme_end(
    plan: Plan, theme: str, far: float, limits: SolveLimits, settings: dict[str, Any]
) -> tuple[float | None, float | None, bool]:
    """Return how far a theme's value can be multiplied towards `far`.

    The worth of a plan is a straight line in the multiplier. Where another plan is
    better at the far end, the lines cross nearer by; there it is solved again. Plans
    that are best at both ends of a range are best between them.

    Returns
    -------
    tuple
        Multiplier up to which no better plan was found (None: one was found at 1),
        where a better one begins (None: none found), and whether that is proved.
    """
    base, share = plan.objective, _share(plan, theme)
    scale = max(1.0, abs(base))
    at, flip = far, None
    for _ in range(_STEPS):
        question = scaled(plan.portfolio, theme, at)
        other = resolve(question, limits, settings, plan)
        if other.status == "stopped":
            raise KeyboardInterrupt
        found = other.plan(plan.portfolio, strict=plan.strict, record=plan.record)
        if found is None or other.objective is None:
            return None, flip, False
        own = base + (at - 1.0) * share
        if other.objective <= own + _SAME * scale:
            bound = other.bound if other.bound is not None else np.inf
            return at, flip, bool(bound <= own + 1e-5 * scale)
        # The other plan is as good where both lines cross.
        slope = _share(found, theme) - share
        crossing = 1.0 + (base - found.objective) / slope if slope else 1.0
        if (crossing - 1.0) * (far - 1.0) <= 1e-9:
            return None, 1.0, False
        flip, at = crossing, crossing
    return None, flip, False


def _share(plan: Plan, theme: str) -> float:
    """Return what the values of a theme add to the objective of a plan."""
    portfolio = plan.portfolio
    rows = portfolio.projects
    mine = set(rows.loc[rows["theme"] == theme, "project"])
    factors = discount_factors(portfolio, plan.starts)
    values = worth_at_zero(portfolio, net=False).reindex(factors.index) * factors
    return float(values[[name in mine for name in values.index]].sum())


def scaled(portfolio: Portfolio, theme: str, multiplier: float) -> Portfolio:
    """Return the portfolio with the values and benefits of a theme multiplied."""
    projects = portfolio.projects.copy()
    row = (projects["theme"] == theme).to_numpy()
    projects.loc[row, "value"] = projects.loc[row, "value"] * multiplier
    benefits = portfolio.benefits.copy()
    own = benefits["project"].isin(projects.loc[row, "project"])
    benefits.loc[own, "amount"] = benefits.loc[own, "amount"] * multiplier
    return portfolio.replace(projects=projects, benefits=benefits)


def say_sensitivity(
    table: pd.DataFrame, names: Mapping[str, str] | None = None
) -> list[str]:
    """Return the table of `sensitivity` as sentences.

    Parameters
    ----------
    table
        Of `sensitivity`.
    names
        Names of projects by id, of those that have one.
    """
    lines, stopped = [], list[str]()
    for row in table.to_dict("records"):
        if row["message"] == STOPPED:
            kind = "theme " if row["kind"] == "theme" else ""
            stopped.append(f"{kind}'{row['subject']}'")
        elif row["kind"] == "theme":
            lines.append(_say_theme(row))
        elif row["kind"] == "discount":
            lines.append(row["message"])
        elif row["message"].startswith("No plan can"):
            lines.append(f"{row['message']} Its value does not matter.")
        else:
            lines.append(_say_project(row, names or {}))
    if stopped:
        lines.append(f"Not solved, for it was stopped: {', '.join(stopped)}.")
    return lines


def _say_project(row: dict[str, Any], names: Mapping[str, str]) -> str:
    inside = row["decision"] == "selected"
    name, now = called(row["subject"], names), number(row["now"])
    side = "low" if inside else "high"
    edge, flip = row[side], row[f"{side}_flip"]
    stays = "stays in down to" if inside else "stays out up to"
    goes = "goes out below" if inside else "comes in above"
    if row["exact"]:
        return f"{name} {stays} a value of {number(edge)} (now {now}), and {goes} it."
    parts = []
    if not pd.isna(edge):
        parts.append(f"it {stays} {number(edge)} by the bounds")
    if not pd.isna(flip):
        parts.append(f"it {goes} {number(flip)} by the bounds")
    if pd.isna(row["found"]):
        return f"Nothing was found about the value of {name} (now {now})."
    proof = f"; {' and '.join(parts)}" if parts else ""
    turn = f"By the plans found {name} {goes} a value of {number(row['found'])}"
    return f"{turn} (now {now}){proof}."


def _say_theme(row: dict[str, Any]) -> str:
    low, high = row["low"], row["high"]
    name = f"theme '{row['subject']}'"
    if row["message"]:
        return f"For {name} nothing was found: {row['message']}"
    if pd.isna(low) or pd.isna(high):
        return (
            f"For {name} a better plan was found near today's value: the plan is not "
            "settled."
        )
    least = "any lower value" if low <= _LEAST else f"{100 * low:.4g} %"
    most = "any value up to 300 %" if high >= _MOST else f"{100 * high:.4g} %"
    proof = "" if row["exact"] else ", as far as was found"
    return f"The plan stays best for {name} at {least} to {most} of its value{proof}."
