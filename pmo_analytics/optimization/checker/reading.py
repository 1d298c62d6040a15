"""Read a portfolio's tables into the exact question of the checker."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.optimization.checker.cells import (
    blank,
    exact_amount,
    read_name,
    read_names,
    read_offset,
    read_offsets,
    read_whole,
    read_word,
    refused,
    scaled,
)
from pmo_analytics.optimization.checker.question import (
    FARTHEST,
    Budget,
    Dependency,
    Group,
    Kind,
    OwnRule,
    Project,
    Question,
    Uses,
    Worth,
    budget_use,
    faults,
    fixed_starts,
    load_of,
    rule_weights,
    spent_of,
    state_of,
    to_float,
)
from pmo_analytics.optimization.checker.tolerance import (
    TOLERANCE,
    largest_rounding,
    rounding,
)

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

_STATUSES = (
    "idea",
    "proposed",
    "paused",
    "approved",
    "running",
    "done",
    "cancelled",
)
_BLACKOUTS = ("start", "finish", "work")
_RULES = ("limit", "all_or_none")
_DEPENDENCIES = ("finish_start", "start_start", "selected")


def read_question(portfolio: Portfolio, strict: bool) -> Question:
    """Return the question that a portfolio asks.

    Parameters
    ----------
    portfolio
        A validated portfolio; its tables are read as they are now.
    strict
        Do not raise limits that fixed work alone exceeds.

    Raises
    ------
    DataError
        If a table holds something that only an unvalidated portfolio can hold.
    """
    horizon = portfolio.horizon
    projects = _read_projects(portfolio)
    demand_rows, demand_unit = scaled(portfolio.demand["fte"], "demand", "fte")
    demand: dict[str, Uses] = {}
    for project, role, offset, units in zip(
        read_names(portfolio.demand["project"]),
        read_names(portfolio.demand["role"]),
        read_offsets(portfolio.demand, "demand"),
        demand_rows,
        strict=True,
    ):
        if (
            project in projects
            and role is not None
            and projects[project].state == "live"
        ):
            uses = demand.setdefault(project, {})
            uses.setdefault(role, []).append((offset, units))
    spend, spend_unit = _read_spend(portfolio, projects)
    worth, worth_unit = _read_worth(portfolio, projects)
    discount = exact_amount(portfolio.settings.discount, "portfolio", "discount")
    grid = portfolio.capacity
    roles = {str(role): None for role in grid.columns}
    capacity = {
        (role, t): exact_amount(fte, "capacity", role)
        for role, column in zip(roles, grid.columns, strict=True)
        for t, fte in enumerate(grid[column].tolist())
        if not blank(fte)
    }
    roles |= {role: None for uses in demand.values() for role in uses}
    question = Question(
        first=horizon[0],
        periods=len(horizon),
        projects=projects,
        demand=demand,
        demand_unit=demand_unit,
        spend=spend,
        spend_unit=spend_unit,
        worth=Worth(worth, worth_unit, 1 + discount),
        capacity=capacity,
        fixed_load={},
        roles=roles,
    )
    fixed = fixed_starts(question)
    if not strict:
        question.fixed_load = load_of(question, fixed)
        _note_inherited(question)
    _read_budgets(question, portfolio, {} if strict else fixed)
    _read_groups(question, portfolio)
    _read_dependencies(question, portfolio)
    _read_own_rules(question, portfolio, {} if strict else fixed)
    return question


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by column; most tables have none."""
    if table.empty:
        return []
    cells = (table[column].tolist() for column in table.columns)
    return [
        dict(zip(table.columns, row, strict=True)) for row in zip(*cells, strict=True)
    ]


def _read_projects(portfolio: Portfolio) -> dict[str, Project]:
    table = portfolio.projects
    first, periods = portfolio.horizon[0], len(portfolio.horizon)
    blackouts = portfolio.blackouts
    closed = [
        (
            read_name(row["project"]),
            read_name(row["theme"]),
            read_word(
                read_name(row["applies_to"]), _BLACKOUTS, "blackouts", "applies_to"
            ),
            0 if (begin := read_offset(row["start"], first)) is None else begin,
            periods - 1 if (end := read_offset(row["end"], first)) is None else end,
        )
        for row in records(blackouts)
    ]
    projects: dict[str, Project] = {}
    for row in records(table):
        name = read_name(row["project"])
        if name is None or name in projects:
            raise refused(
                "projects",
                "duplicate_key",
                "project",
                name,
                "Give every project one row.",
            )
        theme = read_name(row["theme"])
        own = tuple(
            (applies_to, begin, end)
            for project, of_theme, applies_to, begin, end in closed
            if (project == name if project else of_theme in (None, theme))
        )
        projects[name] = _read_project(name, row, own, first, periods)
    return projects


def _read_project(
    name: str,
    row: Mapping[Any, Any],
    blackouts: tuple[tuple[str, int, int], ...],
    first: pd.Period,
    periods: int,
) -> Project:
    status = read_word(
        read_name(row["status"]) or "proposed", _STATUSES, "projects", "status"
    )
    force = read_word(
        read_name(row["force"]) or "", ("", "in", "out"), "projects", "force"
    )
    if force == "out":
        state = "out"
    elif status == "done" or (status == "cancelled" and not force):
        state = status
    else:
        state = "live"
    live = state == "live"
    running, approved = live and status == "running", live and status == "approved"
    duration, start = read_whole(row["duration"]), read_offset(row["start"], first)
    earliest, latest = (
        read_offset(row["earliest"], first),
        read_offset(row["latest"], first),
    )
    if live and (duration is None or duration < 1):
        fix = f"Give project '{name}' a duration of at least 1 period."
        raise refused("projects", "missing_value", "duration", duration, fix)
    if running and start is None:
        fix = f"Project '{name}' is running: give the period in which it started."
        raise refused("projects", "running_without_start", "start", "", fix)
    kept = running or (
        approved and start is not None and earliest is None and latest is None
    )
    why = "running" if running else "approved" if approved else "forced in"
    project = Project(
        name=name,
        state=state,
        why=why if live and (running or approved or force) else "",
        running=running,
        kept=kept,
        duration=duration or 1,
        start=start,
        earliest=earliest,
        latest=latest,
        deadline=read_offset(row["deadline"], first),
        last=periods - 1 if approved else periods - (duration or 1),
        theme=read_name(row["theme"]),
        program=read_name(row["program"]),
        blackouts=blackouts,
        allowed=(),
    )
    if not live:
        return project
    candidates = (start,) if kept and start is not None else range(project.last + 1)
    return project._replace(
        allowed=tuple(s for s in candidates if not any(faults(project, s)))
    )


def _read_spend(
    portfolio: Portfolio, projects: Mapping[str, Project]
) -> tuple[dict[str, dict[Kind, list[tuple[int, int]]]], int]:
    table = portfolio.spend
    amounts, unit = scaled(table["amount"], "spend", "amount")
    spend: dict[str, dict[Kind, list[tuple[int, int]]]] = {}
    for name, fund, category, offset, units in zip(
        read_names(table["project"]),
        read_names(table["fund"]),
        read_names(table["category"]),
        read_offsets(table, "spend"),
        amounts,
        strict=True,
    ):
        project = projects.get(name or "")
        if project is not None and project.state == "live":
            kind = Kind(fund, category, project.theme, project.program)
            kinds = spend.setdefault(project.name, {})
            kinds.setdefault(kind, []).append((offset, units))
    return spend, unit


def _read_worth(
    portfolio: Portfolio, projects: Mapping[str, Project]
) -> tuple[dict[str, dict[int, int]], int]:
    settings = portfolio.settings
    given, benefits = portfolio.projects["value"], portfolio.benefits
    source = settings.source
    if not source:
        source = "benefits" if len(benefits) else "value"
        if len(benefits) and not given.isna().all():
            fix = "projects.value and benefits are both filled: set the value source."
            raise refused("portfolio", "unclear_value_source", "source", "", fix)
    # project, offset, amount, sign
    parts: list[tuple[str | None, int, float, int]] = []
    if source in ("value", "sum"):
        names = read_names(portfolio.projects["project"])
        parts += [
            (name, 0, float(value), 1)
            for name, value in zip(names, given.tolist(), strict=True)
            if not blank(value)
        ]
    tables = [("benefits", 1)] if source in ("benefits", "sum") else []
    tables += [("spend", -1)] if settings.net_of_spend else []
    for title, sign in tables:
        table = portfolio.tables[title]
        parts += [
            (name, offset, float(amount), sign)
            for name, offset, amount in zip(
                read_names(table["project"]),
                read_offsets(table, title),
                table["amount"].tolist(),
                strict=True,
            )
        ]
    units, unit = scaled((amount for _, _, amount, _ in parts), "benefits", "amount")
    chance, whole = _read_chances(portfolio)
    worth: dict[str, dict[int, int]] = {}
    for (name, offset, _, sign), number in zip(parts, units, strict=True):
        project = projects.get(name or "")
        if project is None or project.state != "live":
            continue
        if offset > FARTHEST and settings.discount:
            fix = f"Nothing can be discounted more than {FARTHEST:,} periods."
            raise refused("benefits", "above_maximum", "offset", offset, fix)
        amounts = worth.setdefault(project.name, {})
        own = chance.get(project.name, whole)
        amounts[offset] = amounts.get(offset, 0) + sign * number * own
    return worth, unit * whole


def _read_chances(portfolio: Portfolio) -> tuple[dict[str, int], int]:
    """Return by what worth is multiplied, and by what it is divided again."""
    if not portfolio.settings.weigh_by_probability:
        return {}, 1
    column = portfolio.projects["probability"].tolist()
    names = read_names(portfolio.projects["project"])
    known = [
        (name, float(cell))
        for name, cell in zip(names, column, strict=True)
        if name is not None and not blank(cell)
    ]
    units, unit = scaled((cell for _, cell in known), "projects", "probability")
    return {name: own for (name, _), own in zip(known, units, strict=True)}, unit


def _read_budgets(
    question: Question, portfolio: Portfolio, fixed: Mapping[str, int]
) -> None:
    last = question.periods - 1
    spent = spent_of(question, fixed)
    fixed_sizes = spent_of(question, fixed, sizes=True)
    # The sum of the positive and of the negative amounts by kind.
    sizes: dict[Kind, list[Fraction]] = {}
    for kinds in question.spend.values():
        for kind, uses in kinds.items():
            parts = sizes.setdefault(kind, [Fraction(0), Fraction(0)])
            for side, sign in enumerate((1, -1)):
                own = sum(units for _, units in uses if units * sign > 0)
                parts[side] += Fraction(own, question.spend_unit)
    for row in records(portfolio.budget):
        name = read_name(row["budget"]) or ""
        begin = read_offset(row["start"], question.first)
        end = read_offset(row["end"], question.first)
        amount, at_least = (
            None
            if blank(row[column])
            else exact_amount(float(row[column]), "budget", column)
            for column in ("amount", "at_least")
        )
        if name in question.budgets:
            fix = "Give every budget row its own name."
            raise refused("budget", "duplicate_key", "budget", name, fix)
        budget = Budget(
            name=name,
            filters=Kind(*(read_name(row[column]) for column in Kind._fields)),
            first=0 if begin is None else max(begin, 0),
            last=last if end is None else min(end, last),
            limit=amount,
            at_least=at_least,
            grace=Fraction(0),
        )
        if amount is not None:
            use = budget_use(question, budget, spent)
            if use - amount > rounding(budget_use(question, budget, fixed_sizes)):
                budget = budget._replace(limit=use)
                question.inherited.append(_inherited("budget", name, None, use, amount))
        amounts = [a for kind, own in sizes.items() if budget.covers(kind) for a in own]
        granted = largest_rounding(amounts, [budget.limit, at_least])
        question.budgets[name] = budget._replace(grace=granted)


def _read_groups(question: Question, portfolio: Portfolio) -> None:
    members: dict[str, list[Mapping[Any, Any]]] = {}
    for row in records(portfolio.groups):
        if (name := read_name(row["group"])) is not None:
            members.setdefault(name, []).append(row)
    for name, rows in members.items():
        names = dict.fromkeys(read_name(row["project"]) or "" for row in rows)
        rules = {
            read_word(read_name(row["rule"]) or "limit", _RULES, "groups", "rule")
            for row in rows
        }
        # Rows of a group agree in checked data; else the tightest counts.
        least = [n for row in rows if (n := read_whole(row["at_least"])) is not None]
        most = [n for row in rows if (n := read_whole(row["at_most"])) is not None]
        question.groups[name] = Group(
            name=name,
            members=tuple(names),
            all_or_none="all_or_none" in rules,
            at_least=max(least, default=None),
            at_most=min(most, default=None),
            done=frozenset(m for m in names if state_of(question, m) == "done"),
        )


def _read_dependencies(question: Question, portfolio: Portfolio) -> None:
    for row in records(portfolio.dependencies):
        project, requires = (
            read_name(row["project"]) or "",
            read_name(row["requires"]) or "",
        )
        kind = read_word(
            read_name(row["kind"]) or "finish_start",
            _DEPENDENCIES,
            "dependencies",
            "kind",
        )
        single = requires in question.projects
        group = question.groups.get(requires)
        members = (requires,) if single else group.members if group else ()
        others = [name for name in members if name != project]
        satisfied = any(state_of(question, name) == "done" for name in others)
        dependency = Dependency(
            project=project,
            requires=requires,
            kind=kind,
            lag=read_whole(row["lag"]) or 0,
            lag_max=read_whole(row["lag_max"]),
            single=single,
            known=single or group is not None,
            targets=tuple(n for n in others if state_of(question, n) == "live"),
            in_force=state_of(question, project) == "live" and not satisfied,
        )
        question.dependencies.append(dependency)
        question.dependency_rows.setdefault((project, requires, kind), dependency)


def _read_own_rules(
    question: Question, portfolio: Portfolio, fixed: Mapping[str, int]
) -> None:
    for row in records(portfolio.rules):
        name, project = read_name(row["rule"]) or "", read_name(row["project"]) or ""
        applies_to = read_word(
            read_name(row["applies_to"]) or "selected",
            ("selected", "work", "themes"),
            "rules",
            "applies_to",
        )
        least, most = (
            None if blank(row[c]) else exact_amount(float(row[c]), "rules", c)
            for c in ("at_least", "at_most")
        )
        rule = question.rules.setdefault(
            name,
            OwnRule(
                name,
                applies_to != "selected",
                applies_to == "themes",
                {},
                least,
                most,
                {},
            ),
        )
        if project in rule.weights:
            fix = f"Give every project one row of rule '{name}'."
            raise refused("rules", "duplicate_key", "project", project, fix)
        weight = 1.0 if blank(row["weight"]) else float(row["weight"])
        rule.weights[project] = exact_amount(weight, "rules", "weight")
    for rule in question.rules.values():
        if not rule.by_period or rule.at_most is None or not fixed:
            continue
        for t in range(question.periods):
            weights = rule_weights(question, rule, fixed, t)
            use = sum(weights, Fraction(0))
            granted = rounding(sum(map(abs, weights), Fraction(0)))
            if use > 0 and use - rule.at_most > granted:
                rule.raised[t] = use
                question.inherited.append(
                    _inherited("rule", rule.name, t, use, rule.at_most)
                )


def _inherited(
    rule: str, subject: str, t: int | None, use: Fraction, limit: Fraction
) -> dict[str, Any]:
    return {
        "rule": rule,
        "subject": subject,
        "period": t,
        "use": to_float(use),
        "limit": to_float(limit),
    }


def _note_inherited(question: Question) -> None:
    for role in question.roles:
        for t in range(question.periods):
            given = question.capacity.get((role, t))
            if given is None or not question.fixed_load.get((role, t)):
                continue  # only fixed work raises a limit
            limit = question.capacity_limit(role, t)
            if limit > max(given, Fraction(0)) + TOLERANCE:
                question.inherited.append(_inherited("capacity", role, t, limit, given))
