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
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.optimization.checker.cells import blank, read_name, read_period
from pmo_analytics.optimization.checker.families.registry import FAMILIES
from pmo_analytics.optimization.checker.flex import bought_by_role
from pmo_analytics.optimization.checker.found import Selection, violation
from pmo_analytics.optimization.checker.question import (
    FARTHEST,
    Project,
    Question,
    faults,
)
from pmo_analytics.optimization.checker.tolerance import TOLERANCE

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
    selection = Selection(starts, unread, bought_by_role(question, bought))
    _check_missing(question, selection.present, rows)
    for family in FAMILIES.values():
        family.check(question, selection, rows)
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
            rows.append(violation("unknown_project", name or "", text))
            continue
        if name in seen:
            text = f"Project '{name}' stands in the schedule more than once."
            rows.append(violation("duplicate_project", name, text))
            continue
        seen.add(name)
        if project.state != "live":
            is_ = "forced out" if project.state == "out" else project.state
            text = f"Project '{name}' is {is_} and cannot stand in the schedule."
            rows.append(violation("not_selectable", name, text, found=is_))
            continue
        s = read_period(start, question)
        if s is None:
            found = _shown(start)
            text = f"The start '{found}' of project '{name}' is no period of this plan."
            rows.append(violation("window", name, text, found=found))
            unread.add(name)
            continue
        starts[name] = s
        rows += [
            _startviolation(question, project, s, rule, t)
            for rule, t in faults(project, s)
        ]
        rows += _check_finish(question, project, s, finish)
    return starts, unread


def _startviolation(
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
    return violation(rule, project.name, text, at, question.text(at), named)


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
    return [violation("finish", project.name, text, end, _shown(finish), limit)]


def _check_missing(
    question: Question, present: Collection[str], rows: list[dict[str, Any]]
) -> None:
    for name, project in question.projects.items():
        if project.why and name not in present:
            text = f"Project '{name}' is {project.why} and must be selected."
            rows.append(violation("must_be_selected", name, text, limit=project.why))
