"""Hold the rows of a schedule against every rule of the question."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, closest, listing
from pmo_analytics.optimization.checker.cells import blank, read_name, read_period
from pmo_analytics.optimization.checker.flex import bought_by_role
from pmo_analytics.optimization.checker.question import (
    FARTHEST,
    Dependency,
    Project,
    Question,
    budget_use,
    faults,
    load_of,
    rule_weights,
    spent_of,
    to_float,
)
from pmo_analytics.optimization.checker.tolerance import TOLERANCE, rounding

_VIOLATIONS = ("rule", "subject", "period", "found", "limit", "message")
_INHERITED = ("rule", "subject", "period", "use", "limit")


def broken_rules(
    question: Question,
    schedule: pd.DataFrame,
    bought: Mapping[tuple[int, int], Fraction] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the violations of a schedule, and the starts that count by project.

    Parameters
    ----------
    question
        What the portfolio asks.
    schedule
        One row per selected project: `project`, `start` and, if wanted, `finish`.
    bought
        (offer, period offset) -> FTE; None = nothing.

    Raises
    ------
    ConfigError
        If the schedule lacks the columns `project` and `start`.
    """
    rows: list[dict[str, Any]] = []
    starts, unread = _check_rows(question, _schedule_rows(schedule), rows)
    present = starts.keys() | unread
    _check_missing(question, present, rows)
    _check_capacity(question, starts, bought_by_role(question, bought), rows)
    _check_budgets(question, starts, rows)
    _check_dependencies(question, starts, unread, rows)
    _check_groups(question, present, rows)
    _check_own_rules(question, starts, present, rows)
    return rows, starts


def worth_of(question: Question, starts: Mapping[str, int]) -> Fraction:
    """Return the exact worth of selected projects at their starts."""
    amounts: defaultdict[int, int] = defaultdict(int)
    for name, s in starts.items():
        base = 0 if question.projects[name].running else s
        for offset, units in question.worth.amounts.get(name, {}).items():
            amounts[base + offset] += units
    if question.worth.growth == 1 or not amounts:
        return Fraction(sum(amounts.values()), question.worth.unit)
    # One common denominator, so that a long horizon needs no fraction arithmetic.
    low, high = min(amounts), max(amounts)
    up, down = question.worth.growth.numerator, question.worth.growth.denominator
    total, power = 0, 1
    for k in range(high, low - 1, -1):
        total = total * down + amounts.get(k, 0) * power
        power *= up
    scale = question.worth.unit * up ** (high - low)
    return Fraction(total, scale) * Fraction(down, up) ** low


def agrees(claimed: float, worth: Fraction) -> bool:
    """Return whether a claimed worth is within 1e-6, absolute or relative."""
    if not math.isfinite(claimed):
        return False
    difference = abs(Fraction(Decimal(repr(claimed))) - worth)
    return difference <= TOLERANCE * max(Fraction(1), abs(worth))


def violations_table(question: Question, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return violations as a table, one row each; columns as in `PlanCheck`."""
    return _frame(rows, _VIOLATIONS, question)


def inherited_table(question: Question) -> pd.DataFrame:
    """Return the limits that fixed work exceeds; columns as in `PlanCheck`."""
    return _frame(question.inherited, _INHERITED, question)


def _frame(
    rows: list[dict[str, Any]], columns: tuple[str, ...], question: Question
) -> pd.DataFrame:
    dtypes: dict[str, Any] = {
        "rule": "str",
        "subject": "str",
        "message": "str",
        "use": "float64",
    }
    if "use" in columns:
        dtypes["limit"] = "float64"
    data: dict[str, Any] = {}
    for column in columns:
        cells = [row[column] for row in rows]
        if column == "period":
            periods = [
                pd.NaT if t is None or abs(t) > FARTHEST else question.first + t
                for t in cells
            ]
            data[column] = pd.PeriodIndex(periods, freq=question.first.freqstr)
        else:
            data[column] = pd.Series(cells, dtype=dtypes.get(column, object))
    return pd.DataFrame(data, columns=list(columns))


def _violation(
    rule: str,
    subject: str,
    message: str,
    period: int | None = None,
    found: object = None,
    limit: object = None,
) -> dict[str, Any]:
    return {
        "rule": rule,
        "subject": subject,
        "period": period,
        "found": found,
        "limit": limit,
        "message": message,
    }


def _amount(value: Fraction) -> str:
    text = f"{to_float(value):,.6f}".rstrip("0").rstrip(".")
    return text if text not in ("0", "-0") or not value else f"{to_float(value):.3g}"


def _shown(value: Any) -> str:
    if blank(value):
        return ""
    return format_period(value) if isinstance(value, pd.Period) else str(value)


def _schedule_rows(schedule: pd.DataFrame) -> list[tuple[str | None, Any, Any]]:
    if "project" not in schedule.columns and schedule.index.name == "project":
        schedule = schedule.reset_index()
    for column in ("project", "start"):
        if column not in schedule.columns:
            found = ", ".join(map(str, schedule.columns))
            raise ConfigError(
                f"The schedule has no column '{column}' (found: {found})."
            )
    blanks = [None] * len(schedule)
    finish = schedule["finish"].tolist() if "finish" in schedule.columns else blanks
    names = [read_name(value) for value in schedule["project"].tolist()]
    return list(zip(names, schedule["start"].tolist(), finish, strict=True))


def _check_rows(
    question: Question,
    schedule: list[tuple[str | None, Any, Any]],
    rows: list[dict[str, Any]],
) -> tuple[dict[str, int], set[str]]:
    """Return the starts that count, and projects whose start cannot be read."""
    starts: dict[str, int] = {}
    unread: set[str] = set()
    seen: set[str] = set()
    for name, start, finish in schedule:
        project = question.projects.get(name or "")
        if project is None or name is None:
            text = f"The schedule names '{name or ''}', which is no project"
            text += closest(name or "", question.projects) + "."
            rows.append(_violation("unknown_project", name or "", text))
            continue
        if name in seen:
            text = f"Project '{name}' stands in the schedule more than once."
            rows.append(_violation("duplicate_project", name, text))
            continue
        seen.add(name)
        if project.state != "live":
            is_ = "forced out" if project.state == "out" else project.state
            text = f"Project '{name}' is {is_} and cannot stand in the schedule."
            rows.append(_violation("not_selectable", name, text, found=is_))
            continue
        s = read_period(start, question)
        if s is None:
            found = _shown(start)
            text = f"The start '{found}' of project '{name}' is no period of this plan."
            rows.append(_violation("window", name, text, found=found))
            unread.add(name)
            continue
        starts[name] = s
        rows += [
            _start_violation(question, project, s, rule, t)
            for rule, t in faults(project, s)
        ]
        rows += _check_finish(question, project, s, finish)
    return starts, unread


def _start_violation(
    question: Question, project: Project, s: int, rule: str, t: int | None
) -> dict[str, Any]:
    end = s + project.duration - 1
    start, finish = question.text(s), question.text(end)
    named = "" if t is None else question.text(t)
    head = f"Project '{project.name}' starts in {start}"
    work = f"Project '{project.name}' works from {start} to {finish}"
    if rule == "start_kept":
        text = f"{head}, but it is {project.why} and keeps its start {named}."
    elif rule == "window":
        early = project.earliest is not None and s < project.earliest
        side = "before its earliest" if early else "after its latest"
        text = f"{head}, {side} start {named}."
    elif rule == "horizon" and s < 0:
        text = f"{head}, before the horizon begins in {named}."
    elif rule == "horizon":
        text = f"{work}; to fit the horizon it must start by {named}."
    elif rule == "deadline":
        text = f"Project '{project.name}' finishes in {finish}, after its deadline "
        text += f"{named}."
    else:
        text = f"{work}, which a blackout that begins in {named} forbids."
    at = end if rule == "deadline" else s
    return _violation(rule, project.name, text, at, question.text(at), named)


def _check_finish(
    question: Question, project: Project, s: int, finish: Any
) -> list[dict[str, Any]]:
    if blank(finish):
        return []
    end = s + project.duration - 1
    if read_period(finish, question) == end:
        return []
    text = (
        f"The schedule says that project '{project.name}' finishes in "
        f"{_shown(finish)}; starting in {question.text(s)} for {project.duration} "
        f"periods it finishes in {question.text(end)}."
    )
    limit = question.text(end)
    return [_violation("finish", project.name, text, end, _shown(finish), limit)]


def _check_missing(
    question: Question, present: Collection[str], rows: list[dict[str, Any]]
) -> None:
    for name, project in question.projects.items():
        if project.why and name not in present:
            text = f"Project '{name}' is {project.why} and must be selected."
            rows.append(_violation("must_be_selected", name, text, limit=project.why))


def _check_capacity(
    question: Question,
    starts: Mapping[str, int],
    more: Mapping[tuple[str, int], Fraction],
    rows: list[dict[str, Any]],
) -> None:
    order = {role: n for n, role in enumerate(question.roles)}
    load = load_of(question, starts)
    for role, t in sorted(load, key=lambda cell: (order[cell[0]], cell[1])):
        use = Fraction(load[role, t], question.demand_unit)
        limit = question.capacity_limit(role, t) + more.get((role, t), 0)
        if use <= limit + TOLERANCE:
            continue
        users = [
            name
            for name, s in starts.items()
            if any(
                s + offset == t and units
                for offset, units in question.demand.get(name, {}).get(role, ())
            )
        ]
        given = (role, t) in question.capacity
        text = (
            f"Role '{role}' in {question.text(t)}: load {_amount(use)} FTE, "
            + (f"capacity {_amount(limit)} FTE" if given else "no capacity is given")
            + f", {_amount(use - limit)} FTE too much. Used by {listing(users)}."
        )
        rows.append(
            _violation("capacity", role, text, t, to_float(use), to_float(limit))
        )


def _check_budgets(
    question: Question, starts: Mapping[str, int], rows: list[dict[str, Any]]
) -> None:
    spent = spent_of(question, starts)
    sizes = spent_of(question, starts, sizes=True)
    for budget in question.budgets.values():
        use = budget_use(question, budget, spent)
        granted = rounding(budget_use(question, budget, sizes))
        span = f"{question.text(budget.first)} .. {question.text(budget.last)}"
        for rule, limit, over, word in (
            ("budget", budget.limit, 1, "over the amount"),
            ("budget_at_least", budget.at_least, -1, "short of the least amount"),
        ):
            if limit is None or (use - limit) * over <= granted:
                continue
            text = (
                f"Budget '{budget.name}' ({span}): spend {_amount(use)} is "
                f"{_amount(abs(use - limit))} {word} {_amount(limit)}."
            )
            rows.append(
                _violation(
                    rule, budget.name, text, None, to_float(use), to_float(limit)
                )
            )


def _check_dependencies(
    question: Question,
    starts: Mapping[str, int],
    unread: Collection[str],
    rows: list[dict[str, Any]],
) -> None:
    for row in question.dependencies:
        j = row.project
        if not row.in_force or (j not in starts and j not in unread):
            continue
        timed = row.kind != "selected"
        if timed and (j in unread or any(i in unread for i in row.targets)):
            continue  # the unreadable start is reported already
        chosen = [i for i in row.targets if i in starts or i in unread]
        spans = [_allowed_span(question, row, i, starts[i]) for i in chosen if timed]
        if chosen and not timed:
            continue
        if any(
            low <= starts[j] and (high is None or starts[j] <= high)
            for low, high, _ in spans
        ):
            continue
        wanted = f"'{row.requires}'" if row.single else f"a member of '{row.requires}'"
        found, limit, period = "", "", None
        if chosen:
            period, found = starts[j], question.text(starts[j])
            limit = "; ".join(text for _, _, text in spans[:5])
            text = (
                f"Project '{j}' starts in {found}, but it requires {wanted} "
                f"({row.kind}), which allows: {limit}."
            )
        elif not row.known:
            text = f"Project '{j}' requires '{row.requires}', which does not exist."
        elif not row.targets:
            text = f"Project '{j}' requires {wanted}, which can never be selected."
        else:
            text = f"Project '{j}' requires {wanted}, which is not selected."
        rows.append(_violation("dependency", j, text, period, found, limit))


def _allowed_span(
    question: Question, row: Dependency, i: str, s: int
) -> tuple[int, int | None, str]:
    low, high = row.span(question.projects[i].duration)
    until = "on" if high is None else f"to {question.text(s + high)}"
    text = f"'{i}' from {question.text(s + low)} {until}"
    return s + low, None if high is None else s + high, text


def _check_groups(
    question: Question, present: Collection[str], rows: list[dict[str, Any]]
) -> None:
    for group in question.groups.values():
        selected = [m for m in group.members if m in present or m in group.done]
        count = len(selected)
        what = f"Group '{group.name}': {count} of {len(group.members)} members selected"
        what += f" ({listing(selected)})" if selected else ""
        if group.at_most is not None and count > group.at_most:
            text = f"{what}, at most {group.at_most} allowed."
            rows.append(
                _violation("group", group.name, text, None, count, group.at_most)
            )
        if group.at_least is not None and count < group.at_least:
            text = f"{what}, at least {group.at_least} needed."
            rows.append(
                _violation("group", group.name, text, None, count, group.at_least)
            )
        if group.all_or_none and 0 < count < len(group.members):
            missing = listing(m for m in group.members if m not in selected)
            text = f"{what}, but it is all or none: {missing} missing."
            rows.append(
                _violation("group", group.name, text, None, count, len(group.members))
            )


def _check_own_rules(
    question: Question,
    starts: Mapping[str, int],
    present: Collection[str],
    rows: list[dict[str, Any]],
) -> None:
    for rule in question.rules.values():
        periods = range(question.periods) if rule.by_period else [None]
        for t in periods:
            selected = present if t is None else starts
            weights = rule_weights(question, rule, selected, t)
            total = sum(weights, Fraction(0))
            granted = rounding(sum(map(abs, weights), Fraction(0)))
            for limit, over, word in (
                (rule.upper(t), 1, "at most"),
                (rule.at_least, -1, "at least"),
            ):
                if limit is None or (total - limit) * over <= granted:
                    continue
                when = "" if t is None else f" in {question.text(t)}"
                text = (
                    f"Rule '{rule.name}' allows {word} {_amount(limit)}{when}; the "
                    f"plan has {_amount(total)}."
                )
                found, allowed = to_float(total), to_float(limit)
                rows.append(_violation("rule", rule.name, text, t, found, allowed))
