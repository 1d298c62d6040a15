"""Independent, exact check of a plan and of a bound.

Nothing here shares arithmetic with the model, the windows or the plan: every number
is read from the tables as `Decimal(repr(x))`, added up in integers and compared as a
fraction, and the allowed starts are enumerated again from the rules. So a mistake of
the model writers cannot hide from it.

A certificate is a JSON object. Its multipliers (decimal text or JSON numbers) belong
to rows of the business, all of them "at most" rows, written with Y = selected,
x(s) = starts at offset s and S(t) = starts at offset t or before::

    {"format": 1, "portfolio": "<digest or blank>", "strict": false,
     "multipliers": [
       {"row": "capacity", "role", "period", "multiplier"},  load <= limit
       {"row": "budget", "budget", "side", "multiplier"},
           side "amount": spend <= limit; "at_least": -spend <= -at_least
       {"row": "group", "group", "side", "multiplier"},
           side "at_most": count <= at_most; "at_least": -count <= -at_least
       {"row": "all_or_none", "group", "project", "multiplier"},
           Y(project) - Y(first member) = 0; any sign
       {"row": "dependency", "project", "requires", "kind", "form", "t", "multiplier"}
           form "by":       S_j(t) <= sum over i of S_i(t - low_i)
           form "after":    Y_j - S_j(t + high_i) <= Y_i - S_i(t), one target only
           form "at":       x_j(t) <= sum over i of x_i(t - high_i .. t - low_i)
           form "selected": Y_j <= sum over i of Y_i; no "t"
     ],
     "cuts": [], "branches": []}

low_i and high_i are `lag` and `lag_max`, plus the duration of i where the kind is
finish_start. Offsets count from the first period of the horizon. A `done` member of a
group counts 1, a cancelled or stopped one 0.

The bound is the sum of multiplier x limit plus, project by project, the best of all
allowed starts (and of leaving it out, where that is allowed) after the multipliers
have been charged. It holds for any multipliers, good or bad, so nothing that produced
them needs to be trusted. Limits enter with the tolerance that `check_plan` grants.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from pmo_analytics.errors import (
    ConfigError,
    DataError,
    closest,
    listing,
    problem,
    problems_table,
)
from pmo_analytics.periods import format_period, parse_period

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

_TOLERANCE = Fraction(1, 10**6)
# Powers of the discount factor are rounded outward on this grid.
_GRID = 10**40
# Exact powers beyond this exponent take minutes and mean nothing.
_FARTHEST = 10_000
_VIOLATIONS = ("rule", "subject", "period", "found", "limit", "message")
_INHERITED = ("rule", "subject", "period", "use", "limit")


@dataclass(frozen=True)
class PlanCheck:
    """What the checker found in a plan.

    Parameters
    ----------
    violations
        One row per broken rule: `rule`, `subject` (id of the project, role, budget
        or group), `period` (NaT where none applies), `found` and `limit` (FTE,
        currency, counts, or periods as text), `message`.
    objective
        Worth of the plan, exact, also with discounting. Rows that cannot be used
        (unknown project, unreadable start) add nothing.
    inherited
        Limits that fixed work exceeds on its own, so that its use became the limit:
        `rule` (`capacity` or `budget`), `subject`, `period` (NaT for a budget),
        `use` and the `limit` it exceeds, FTE or currency.
    certified
        No violation and, where an objective was claimed, it agrees within 1e-6
        (absolute or relative, whichever is larger).
    """

    violations: pd.DataFrame
    objective: Fraction
    inherited: pd.DataFrame
    certified: bool


def check_plan(
    portfolio: Portfolio,
    schedule: pd.DataFrame,
    *,
    strict: bool = False,
    objective: float | None = None,
) -> PlanCheck:
    """Hold a schedule against every rule of a portfolio, exactly.

    Parameters
    ----------
    portfolio
        A validated portfolio; its tables are read as they are now.
    schedule
        One row per selected project: `project`, `start` and, if wanted, `finish`
        (last period of work), Periods or text.
    strict
        Do not raise limits that fixed work alone exceeds.
    objective
        The worth somebody claims for the plan.

    Raises
    ------
    ConfigError
        If the schedule lacks the columns `project` and `start`.
    DataError
        If a table holds something that only an unvalidated portfolio can hold.
    """
    question = _read(portfolio, strict)
    rows: list[dict[str, Any]] = []
    starts, unread = _check_rows(question, _schedule_rows(schedule), rows)
    _check_missing(question, starts.keys() | unread, rows)
    _check_capacity(question, starts, rows)
    _check_budgets(question, starts, rows)
    _check_dependencies(question, starts, unread, rows)
    _check_groups(question, starts.keys() | unread, rows)
    worth = _worth(question, starts)
    agrees = objective is None or _agrees(float(objective), worth)
    return PlanCheck(
        violations=_frame(rows, _VIOLATIONS, question),
        objective=worth,
        inherited=_frame(question.inherited, _INHERITED, question),
        certified=agrees and not rows,
    )


def check_bound(
    portfolio: Portfolio,
    certificate: Mapping[str, Any],
    *,
    strict: bool = False,
    skip_impossible: bool = False,
) -> Fraction | None:
    """Return the bound that a certificate proves: no accepted plan is worth more.

    Parameters
    ----------
    portfolio
        A validated portfolio; its tables are read as they are now. The digest in the
        certificate is not compared: rows are found by name, and the bound holds for
        this portfolio wherever the multipliers come from.
    certificate
        JSON object, see the module's text.
    strict
        As in `check_plan`; must agree with the certificate.
    skip_impossible
        Leave out starts with which a project, on top of fixed work, breaks a limit of
        capacity or budget all by itself. `check_plan` refuses them in every plan, so
        the bound still holds, and it is often much lower.

    Returns
    -------
    Fraction or None
        Exact without discounting, else rounded up by less than 1e-30 of the amounts.
        None where a project that must be selected has no start left: there is no
        plan at all, so there is nothing to bound.

    Raises
    ------
    ConfigError
        If the certificate has another format, names rows that do not exist, or has a
        negative multiplier on an inequality.
    DataError
        If a table holds something that only an unvalidated portfolio can hold.
    """
    entries = _entries(certificate, strict)
    question = _read(portfolio, strict)
    charges = _Charges(math.lcm(*(value.denominator for _, value in entries)))
    for number, (entry, value) in enumerate(entries, start=1):
        try:
            _charge(question, charges, entry, int(value * charges.unit))
        except ConfigError as error:
            raise _bad_entry(number, entry, str(error)) from None
    if skip_impossible:
        _drop_impossible_starts(question)
    return _lagrangian(question, charges)


# The question, read once into plain Python.


class _Project(NamedTuple):
    name: str
    state: str  # "live", "done", "cancelled" or "out"
    why: str  # why it must be selected; "" if it need not be
    running: bool
    kept: bool  # its start is given, not chosen
    duration: int
    start: int | None
    earliest: int | None
    latest: int | None
    deadline: int | None
    last: int  # last start that the horizon allows
    theme: str | None
    program: str | None
    blackouts: tuple[tuple[str, int, int], ...]
    allowed: tuple[int, ...]


class _Kind(NamedTuple):
    """What budget filters look at; spend of one kind falls under the same rows."""

    fund: str | None
    category: str | None
    theme: str | None
    program: str | None


class _Budget(NamedTuple):
    name: str
    filters: _Kind
    first: int
    last: int
    limit: Fraction | None  # raised to what fixed work spends
    at_least: Fraction | None

    def covers(self, kind: _Kind) -> bool:
        return all(
            wanted is None or wanted == found
            for wanted, found in zip(self.filters, kind, strict=True)
        )


class _Dependency(NamedTuple):
    project: str
    requires: str
    kind: str
    lag: int
    lag_max: int | None
    single: bool
    known: bool
    targets: tuple[str, ...]  # live projects that can serve
    in_force: bool  # False where dropped, or satisfied by finished work

    def span(self, duration: int) -> tuple[int, int | None]:
        """Return the least and greatest start after the target's start."""
        length = duration if self.kind == "finish_start" else 0
        high = None if self.lag_max is None else self.lag_max + length
        return self.lag + length, high


class _Group(NamedTuple):
    name: str
    members: tuple[str, ...]
    all_or_none: bool
    at_least: int | None
    at_most: int | None
    done: frozenset[str]


_Uses = dict[str, list[tuple[int, int]]]


@dataclass
class _Question:
    first: pd.Period
    periods: int
    projects: dict[str, _Project]
    demand: dict[str, _Uses]  # project -> role -> (offset, units)
    demand_unit: int
    spend: dict[str, dict[_Kind, list[tuple[int, int]]]]
    spend_unit: int
    worth: dict[str, dict[int, int]]  # project -> offset -> units
    worth_unit: int
    growth: Fraction  # 1 + discount
    capacity: dict[tuple[str, int], Fraction]
    fixed_load: dict[tuple[str, int], int]
    roles: dict[str, None]  # every role with capacity or demand, in order
    budgets: dict[str, _Budget] = field(default_factory=dict)
    dependencies: list[_Dependency] = field(default_factory=list)
    dependency_rows: dict[tuple[str, str, str], _Dependency] = field(
        default_factory=dict
    )
    groups: dict[str, _Group] = field(default_factory=dict)
    inherited: list[dict[str, Any]] = field(default_factory=list)

    def text(self, offset: int) -> str:
        if abs(offset) > _FARTHEST:
            return f"{offset:+,} periods from {format_period(self.first)}"
        return format_period(self.first + offset)

    def capacity_limit(self, role: str, t: int) -> Fraction:
        """Return FTE that may be loaded; a missing cell is 0 and never raised."""
        given = self.capacity.get((role, t))
        if given is None:
            return Fraction(0)
        fixed = Fraction(self.fixed_load.get((role, t), 0), self.demand_unit)
        return max(given, fixed, Fraction(0))


def _refuse(table: str, rule: str, column: str, found: object, fix: str) -> DataError:
    return DataError(
        problems_table(
            [problem("error", table, rule, column=column, found=found, fix=fix)]
        )
    )


def _blank(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _name(value: Any) -> str | None:
    if _blank(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(unicodedata.normalize("NFC", str(value)).split()) or None


def _names(values: pd.Series[Any]) -> list[str | None]:
    cells = values.tolist()
    known = {cell: _name(cell) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _offsets(table: pd.DataFrame, name: str) -> list[int]:
    cells = table["offset"].tolist()
    if any(_blank(cell) for cell in set(cells)):
        fix = "Write a whole number in every row."
        raise _refuse(name, "missing_value", "offset", "", fix)
    return [int(cell) for cell in cells]


def _whole(value: Any) -> int | None:
    return None if _blank(value) else int(value)


def _ratio(value: float, table: str, column: str) -> tuple[int, int]:
    """Return the decimal number that is written, as numerator and denominator."""
    if not math.isfinite(value):
        raise _refuse(
            table, "not_a_number", column, value, "Write a finite number in every row."
        )
    return Decimal(repr(value)).as_integer_ratio()


def _exact(value: float, table: str, column: str) -> Fraction:
    return Fraction(*_ratio(value, table, column))


def _scaled(values: Iterable[float], table: str, column: str) -> tuple[list[int], int]:
    """Return numbers as whole multiples of 1/unit, and the unit; nothing is lost."""
    cells = [float(value) for value in values]
    exact = {cell: _ratio(cell, table, column) for cell in set(cells)}
    unit = math.lcm(*{below for _, below in exact.values()})
    whole = {cell: above * (unit // below) for cell, (above, below) in exact.items()}
    return [whole[cell] for cell in cells], unit


def _word(value: str | None, words: Collection[str], table: str, column: str) -> str:
    if value is None or value not in words:
        raise _refuse(
            table, "unknown_word", column, value, f"Use one of {', '.join(words)}."
        )
    return value


def _read(portfolio: Portfolio, strict: bool) -> _Question:
    horizon = portfolio.horizon
    projects = _read_projects(portfolio)
    demand_rows, demand_unit = _scaled(portfolio.demand["fte"], "demand", "fte")
    demand: dict[str, _Uses] = {}
    for project, role, offset, units in zip(
        _names(portfolio.demand["project"]),
        _names(portfolio.demand["role"]),
        _offsets(portfolio.demand, "demand"),
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
    grid = portfolio.capacity
    roles = {str(role): None for role in grid.columns}
    capacity = {
        (role, t): _exact(fte, "capacity", role)
        for role, column in zip(roles, grid.columns, strict=True)
        for t, fte in enumerate(grid[column].tolist())
        if not _blank(fte)
    }
    roles |= {role: None for uses in demand.values() for role in uses}
    question = _Question(
        first=horizon[0],
        periods=len(horizon),
        projects=projects,
        demand=demand,
        demand_unit=demand_unit,
        spend=spend,
        spend_unit=spend_unit,
        worth=worth,
        worth_unit=worth_unit,
        growth=1 + _exact(portfolio.settings.discount, "portfolio", "discount"),
        capacity=capacity,
        fixed_load={},
        roles=roles,
    )
    fixed = _fixed(question)
    if not strict:
        question.fixed_load = _load(question, fixed)
        _note_inherited(question)
    _read_budgets(question, portfolio, {} if strict else fixed)
    _read_groups(question, portfolio)
    _read_dependencies(question, portfolio)
    return question


def _fixed(question: _Question) -> dict[str, int]:
    """Return starts of projects that every plan contains, and only so."""
    return {
        p.name: p.allowed[0]
        for p in question.projects.values()
        if p.why and len(p.allowed) == 1
    }


def _read_projects(portfolio: Portfolio) -> dict[str, _Project]:
    table = portfolio.projects
    first, periods = portfolio.horizon[0], len(portfolio.horizon)
    blackouts = portfolio.blackouts
    closed = [
        (
            _name(row["project"]),
            _name(row["theme"]),
            _word(_name(row["applies_to"]), _BLACKOUTS, "blackouts", "applies_to"),
            0 if (begin := _offset(row["start"], first)) is None else begin,
            periods - 1 if (end := _offset(row["end"], first)) is None else end,
        )
        for row in blackouts.to_dict("records")
    ]
    projects: dict[str, _Project] = {}
    for row in table.to_dict("records"):
        name = _name(row["project"])
        if name is None or name in projects:
            raise _refuse(
                "projects",
                "duplicate_key",
                "project",
                name,
                "Give every project one row.",
            )
        theme = _name(row["theme"])
        own = tuple(
            (applies_to, begin, end)
            for project, of_theme, applies_to, begin, end in closed
            if (project == name if project else of_theme in (None, theme))
        )
        projects[name] = _read_project(name, row, own, first, periods)
    return projects


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


def _offset(value: Any, first: pd.Period) -> int | None:
    if _blank(value):
        return None
    return int(parse_period(value, first.freqstr).ordinal - first.ordinal)


def _read_project(
    name: str,
    row: Mapping[Any, Any],
    blackouts: tuple[tuple[str, int, int], ...],
    first: pd.Period,
    periods: int,
) -> _Project:
    status = _word(_name(row["status"]) or "proposed", _STATUSES, "projects", "status")
    force = _word(_name(row["force"]) or "", ("", "in", "out"), "projects", "force")
    if force == "out":
        state = "out"
    elif status == "done" or (status == "cancelled" and not force):
        state = status
    else:
        state = "live"
    live = state == "live"
    running, approved = live and status == "running", live and status == "approved"
    duration, start = _whole(row["duration"]), _offset(row["start"], first)
    earliest, latest = _offset(row["earliest"], first), _offset(row["latest"], first)
    if live and (duration is None or duration < 1):
        fix = f"Give project '{name}' a duration of at least 1 period."
        raise _refuse("projects", "missing_value", "duration", duration, fix)
    if running and start is None:
        fix = f"Project '{name}' is running: give the period in which it started."
        raise _refuse("projects", "running_without_start", "start", "", fix)
    kept = running or (
        approved and start is not None and earliest is None and latest is None
    )
    why = "running" if running else "approved" if approved else "forced in"
    project = _Project(
        name=name,
        state=state,
        why=why if live and (running or approved or force) else "",
        running=running,
        kept=kept,
        duration=duration or 1,
        start=start,
        earliest=earliest,
        latest=latest,
        deadline=_offset(row["deadline"], first),
        last=periods - 1 if approved else periods - (duration or 1),
        theme=_name(row["theme"]),
        program=_name(row["program"]),
        blackouts=blackouts,
        allowed=(),
    )
    if not live:
        return project
    candidates = (start,) if kept and start is not None else range(project.last + 1)
    return project._replace(
        allowed=tuple(s for s in candidates if not any(_faults(project, s)))
    )


def _faults(project: _Project, s: int) -> Iterator[tuple[str, int | None]]:
    """Yield each rule that a start at offset `s` breaks, and the period it names."""
    finish = s + project.duration - 1
    if project.kept and s != project.start:
        yield "start_kept", project.start
    if project.running:
        return
    if not project.kept:
        if project.earliest is not None and s < project.earliest:
            yield "window", project.earliest
        if project.latest is not None and s > project.latest:
            yield "window", project.latest
        if s < 0:
            yield "horizon", 0
        if s > project.last:
            yield "horizon", project.last
    if project.deadline is not None and finish > project.deadline:
        yield "deadline", project.deadline
    for applies_to, begin, end in project.blackouts:
        low = finish if applies_to == "finish" else s
        high = s if applies_to == "start" else finish
        if low <= end and high >= begin:
            yield "blackout", begin


def _read_spend(
    portfolio: Portfolio, projects: Mapping[str, _Project]
) -> tuple[dict[str, dict[_Kind, list[tuple[int, int]]]], int]:
    table = portfolio.spend
    amounts, unit = _scaled(table["amount"], "spend", "amount")
    spend: dict[str, dict[_Kind, list[tuple[int, int]]]] = {}
    for name, fund, category, offset, units in zip(
        _names(table["project"]),
        _names(table["fund"]),
        _names(table["category"]),
        _offsets(table, "spend"),
        amounts,
        strict=True,
    ):
        project = projects.get(name or "")
        if project is not None and project.state == "live":
            kind = _Kind(fund, category, project.theme, project.program)
            kinds = spend.setdefault(project.name, {})
            kinds.setdefault(kind, []).append((offset, units))
    return spend, unit


def _read_worth(
    portfolio: Portfolio, projects: Mapping[str, _Project]
) -> tuple[dict[str, dict[int, int]], int]:
    settings = portfolio.settings
    given, benefits = portfolio.projects["value"], portfolio.benefits
    source = settings.source
    if not source:
        source = "benefits" if len(benefits) else "value"
        if len(benefits) and not given.isna().all():
            fix = "projects.value and benefits are both filled: set the value source."
            raise _refuse("portfolio", "unclear_value_source", "source", "", fix)
    # project, offset, amount, sign
    parts: list[tuple[str | None, int, float, int]] = []
    if source in ("value", "sum"):
        names = _names(portfolio.projects["project"])
        parts += [
            (name, 0, float(value), 1)
            for name, value in zip(names, given.tolist(), strict=True)
            if not _blank(value)
        ]
    tables = [("benefits", 1)] if source in ("benefits", "sum") else []
    tables += [("spend", -1)] if settings.net_of_spend else []
    for title, sign in tables:
        table = portfolio.tables[title]
        parts += [
            (name, offset, float(amount), sign)
            for name, offset, amount in zip(
                _names(table["project"]),
                _offsets(table, title),
                table["amount"].tolist(),
                strict=True,
            )
        ]
    units, unit = _scaled((amount for _, _, amount, _ in parts), "benefits", "amount")
    worth: dict[str, dict[int, int]] = {}
    for (name, offset, _, sign), number in zip(parts, units, strict=True):
        project = projects.get(name or "")
        if project is None or project.state != "live":
            continue
        if offset > _FARTHEST and settings.discount:
            fix = f"Nothing can be discounted more than {_FARTHEST:,} periods."
            raise _refuse("benefits", "above_maximum", "offset", offset, fix)
        amounts = worth.setdefault(project.name, {})
        amounts[offset] = amounts.get(offset, 0) + sign * number
    return worth, unit


def _read_budgets(
    question: _Question, portfolio: Portfolio, fixed: Mapping[str, int]
) -> None:
    last = question.periods - 1
    spent = _spent(question, fixed)
    for row in portfolio.budget.to_dict("records"):
        name = _name(row["budget"]) or ""
        begin = _offset(row["start"], question.first)
        end = _offset(row["end"], question.first)
        amount, at_least = (
            None
            if _blank(row[column])
            else _exact(float(row[column]), "budget", column)
            for column in ("amount", "at_least")
        )
        if name in question.budgets:
            fix = "Give every budget row its own name."
            raise _refuse("budget", "duplicate_key", "budget", name, fix)
        budget = _Budget(
            name=name,
            filters=_Kind(*(_name(row[column]) for column in _Kind._fields)),
            first=0 if begin is None else max(begin, 0),
            last=last if end is None else min(end, last),
            limit=amount,
            at_least=at_least,
        )
        if amount is not None:
            use = _budget_use(question, budget, spent)
            budget = budget._replace(limit=max(amount, use))
            if use > amount + _grace(amount):
                question.inherited.append(_inherited("budget", name, None, use, amount))
        question.budgets[name] = budget


def _read_groups(question: _Question, portfolio: Portfolio) -> None:
    members: dict[str, list[Mapping[Any, Any]]] = {}
    for row in portfolio.groups.to_dict("records"):
        if (name := _name(row["group"])) is not None:
            members.setdefault(name, []).append(row)
    for name, rows in members.items():
        names = dict.fromkeys(_name(row["project"]) or "" for row in rows)
        rules = {
            _word(_name(row["rule"]) or "limit", _RULES, "groups", "rule")
            for row in rows
        }
        # Rows of a group agree in checked data; else the tightest counts.
        least = [n for row in rows if (n := _whole(row["at_least"])) is not None]
        most = [n for row in rows if (n := _whole(row["at_most"])) is not None]
        question.groups[name] = _Group(
            name=name,
            members=tuple(names),
            all_or_none="all_or_none" in rules,
            at_least=max(least, default=None),
            at_most=min(most, default=None),
            done=frozenset(m for m in names if _state(question, m) == "done"),
        )


_RULES = ("limit", "all_or_none")
_DEPENDENCIES = ("finish_start", "start_start", "selected")


def _state(question: _Question, name: str | None) -> str:
    project = question.projects.get(name or "")
    return "unknown" if project is None else project.state


def _read_dependencies(question: _Question, portfolio: Portfolio) -> None:
    for row in portfolio.dependencies.to_dict("records"):
        project, requires = _name(row["project"]) or "", _name(row["requires"]) or ""
        kind = _word(
            _name(row["kind"]) or "finish_start", _DEPENDENCIES, "dependencies", "kind"
        )
        single = requires in question.projects
        group = question.groups.get(requires)
        members = (requires,) if single else group.members if group else ()
        others = [name for name in members if name != project]
        satisfied = any(_state(question, name) == "done" for name in others)
        dependency = _Dependency(
            project=project,
            requires=requires,
            kind=kind,
            lag=_whole(row["lag"]) or 0,
            lag_max=_whole(row["lag_max"]),
            single=single,
            known=single or group is not None,
            targets=tuple(n for n in others if _state(question, n) == "live"),
            in_force=_state(question, project) == "live" and not satisfied,
        )
        question.dependencies.append(dependency)
        question.dependency_rows.setdefault((project, requires, kind), dependency)


# Use of people and money by given starts.


def _load(question: _Question, starts: Mapping[str, int]) -> dict[tuple[str, int], int]:
    """Return load by role and period in demand units."""
    load: defaultdict[tuple[str, int], int] = defaultdict(int)
    for name, s in starts.items():
        for role, uses in question.demand.get(name, {}).items():
            for offset, units in uses:
                if 0 <= s + offset < question.periods:
                    load[role, s + offset] += units
    return load


def _spent(question: _Question, starts: Mapping[str, int]) -> dict[_Kind, list[int]]:
    """Return spend by kind, one sum per period, in spend units."""
    spent: dict[_Kind, list[int]] = {}
    for name, s in starts.items():
        for kind, uses in question.spend.get(name, {}).items():
            sums = spent.setdefault(kind, [0] * question.periods)
            for offset, units in uses:
                if 0 <= s + offset < question.periods:
                    sums[s + offset] += units
    return spent


def _budget_use(
    question: _Question, budget: _Budget, spent: Mapping[_Kind, list[int]]
) -> Fraction:
    units = sum(
        sum(sums[budget.first : budget.last + 1])
        for kind, sums in spent.items()
        if budget.covers(kind)
    )
    return Fraction(units, question.spend_unit)


def _grace(limit: Fraction) -> Fraction:
    """Return the tolerance of a budget: 1e-6, above a million 1e-12 of the limit."""
    return max(_TOLERANCE, abs(limit) / 10**12)


def _inherited(
    rule: str, subject: str, t: int | None, use: Fraction, limit: Fraction
) -> dict[str, Any]:
    return {
        "rule": rule,
        "subject": subject,
        "period": t,
        "use": _float(use),
        "limit": _float(limit),
    }


def _note_inherited(question: _Question) -> None:
    for role in question.roles:
        for t in range(question.periods):
            given = question.capacity.get((role, t))
            if given is None:
                continue
            limit = question.capacity_limit(role, t)
            if limit > max(given, Fraction(0)) + _TOLERANCE:
                question.inherited.append(_inherited("capacity", role, t, limit, given))


def _worth(question: _Question, starts: Mapping[str, int]) -> Fraction:
    """Return the exact worth of selected projects at their starts."""
    amounts: defaultdict[int, int] = defaultdict(int)
    for name, s in starts.items():
        base = 0 if question.projects[name].running else s
        for offset, units in question.worth.get(name, {}).items():
            amounts[base + offset] += units
    if question.growth == 1 or not amounts:
        return Fraction(sum(amounts.values()), question.worth_unit)
    # One common denominator, so that a long horizon needs no fraction arithmetic.
    low, high = min(amounts), max(amounts)
    up, down = question.growth.numerator, question.growth.denominator
    total, power = 0, 1
    for k in range(high, low - 1, -1):
        total = total * down + amounts.get(k, 0) * power
        power *= up
    scale = question.worth_unit * up ** (high - low)
    return Fraction(total, scale) * Fraction(down, up) ** low


def _agrees(claimed: float, worth: Fraction) -> bool:
    if not math.isfinite(claimed):
        return False
    difference = abs(Fraction(Decimal(repr(claimed))) - worth)
    return difference <= _TOLERANCE * max(Fraction(1), abs(worth))


# The rules of a plan.


def _frame(
    rows: list[dict[str, Any]], columns: tuple[str, ...], question: _Question
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
                pd.NaT if t is None or abs(t) > _FARTHEST else question.first + t
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


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _amount(value: Fraction) -> str:
    text = f"{_float(value):,.6f}".rstrip("0").rstrip(".")
    return text if text not in ("0", "-0") or not value else f"{_float(value):.3g}"


def _shown(value: Any) -> str:
    if _blank(value):
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
    names = [_name(value) for value in schedule["project"].tolist()]
    return list(zip(names, schedule["start"].tolist(), finish, strict=True))


def _read_period(value: Any, question: _Question) -> int | None:
    try:
        return _offset(value, question.first)
    except (ValueError, TypeError, OverflowError):
        return None


def _check_rows(
    question: _Question,
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
        s = _read_period(start, question)
        if s is None:
            found = _shown(start)
            text = f"The start '{found}' of project '{name}' is no period of this plan."
            rows.append(_violation("window", name, text, found=found))
            unread.add(name)
            continue
        starts[name] = s
        rows += [
            _start_violation(question, project, s, rule, t)
            for rule, t in _faults(project, s)
        ]
        rows += _check_finish(question, project, s, finish)
    return starts, unread


def _start_violation(
    question: _Question, project: _Project, s: int, rule: str, t: int | None
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
    question: _Question, project: _Project, s: int, finish: Any
) -> list[dict[str, Any]]:
    if _blank(finish):
        return []
    end = s + project.duration - 1
    if _read_period(finish, question) == end:
        return []
    text = (
        f"The schedule says that project '{project.name}' finishes in "
        f"{_shown(finish)}; starting in {question.text(s)} for {project.duration} "
        f"periods it finishes in {question.text(end)}."
    )
    limit = question.text(end)
    return [_violation("finish", project.name, text, end, _shown(finish), limit)]


def _check_missing(
    question: _Question, present: Collection[str], rows: list[dict[str, Any]]
) -> None:
    for name, project in question.projects.items():
        if project.why and name not in present:
            text = f"Project '{name}' is {project.why} and must be selected."
            rows.append(_violation("must_be_selected", name, text, limit=project.why))


def _check_capacity(
    question: _Question, starts: Mapping[str, int], rows: list[dict[str, Any]]
) -> None:
    order = {role: n for n, role in enumerate(question.roles)}
    load = _load(question, starts)
    for role, t in sorted(load, key=lambda cell: (order[cell[0]], cell[1])):
        use = Fraction(load[role, t], question.demand_unit)
        limit = question.capacity_limit(role, t)
        if use <= limit + _TOLERANCE:
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
        rows.append(_violation("capacity", role, text, t, _float(use), _float(limit)))


def _check_budgets(
    question: _Question, starts: Mapping[str, int], rows: list[dict[str, Any]]
) -> None:
    spent = _spent(question, starts)
    for budget in question.budgets.values():
        use = _budget_use(question, budget, spent)
        span = f"{question.text(budget.first)} .. {question.text(budget.last)}"
        for rule, limit, over, word in (
            ("budget", budget.limit, 1, "over the amount"),
            ("budget_at_least", budget.at_least, -1, "short of the least amount"),
        ):
            if limit is None or (use - limit) * over <= _grace(limit):
                continue
            text = (
                f"Budget '{budget.name}' ({span}): spend {_amount(use)} is "
                f"{_amount(abs(use - limit))} {word} {_amount(limit)}."
            )
            rows.append(
                _violation(rule, budget.name, text, None, _float(use), _float(limit))
            )


def _check_dependencies(
    question: _Question,
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
    question: _Question, row: _Dependency, i: str, s: int
) -> tuple[int, int | None, str]:
    low, high = row.span(question.projects[i].duration)
    until = "on" if high is None else f"to {question.text(s + high)}"
    text = f"'{i}' from {question.text(s + low)} {until}"
    return s + low, None if high is None else s + high, text


def _check_groups(
    question: _Question, present: Collection[str], rows: list[dict[str, Any]]
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


# The bound.


@dataclass
class _Charges:
    """Multipliers gathered by what they charge, as multiples of 1/unit."""

    unit: int
    limits: Fraction = Fraction(0)
    capacity: dict[str, dict[int, int]] = field(default_factory=dict)
    budgets: list[tuple[_Budget, int]] = field(default_factory=list)
    # project -> offset -> charge on every start at that offset or before it
    steps: dict[str, defaultdict[float, int]] = field(default_factory=dict)

    def step(self, name: str, until: float, units: int) -> None:
        self.steps.setdefault(name, defaultdict(int))[until] += units


_ENTRY_KEYS: dict[str, tuple[str, ...]] = {
    "capacity": ("role", "period"),
    "budget": ("budget", "side"),
    "group": ("group", "side"),
    "all_or_none": ("group", "project"),
    "dependency": ("project", "requires", "kind", "form"),
}
_FORMS = ("by", "after", "at", "selected")


def _entries(
    certificate: Mapping[str, Any], strict: bool
) -> list[tuple[Mapping[str, Any], Fraction]]:
    known = ("format", "portfolio", "strict", "multipliers", "cuts", "branches")
    if not isinstance(certificate, Mapping):
        raise ConfigError("The certificate is no JSON object.")
    for key in certificate:
        if key not in known:
            raise ConfigError(f"The certificate has an unknown part '{key}'.")
    version = certificate.get("format")
    if isinstance(version, bool) or version != 1:
        raise ConfigError(f"The certificate has format {version!r}; 1 can be checked.")
    if certificate.get("strict", False) is not strict:
        raise ConfigError(
            f"The certificate was made with strict={certificate.get('strict', False)!r}"
            f", and strict={strict} is asked for. Use the same."
        )
    for key in ("cuts", "branches"):
        if certificate.get(key, []) != []:
            raise ConfigError(f"A certificate of format 1 cannot have '{key}'.")
    entries = certificate.get("multipliers", [])
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("'multipliers' of the certificate must be a list.")
    return [(entry, _multiplier(n, entry)) for n, entry in enumerate(entries, start=1)]


def _bad_entry(number: int, entry: object, text: str) -> ConfigError:
    row = entry.get("row") if isinstance(entry, Mapping) else None
    return ConfigError(f"Certificate, multiplier {number} ({row}): {text}")


def _multiplier(number: int, entry: object) -> Fraction:
    """Return the multiplier of an entry whose keys have been checked."""
    if not isinstance(entry, Mapping):
        raise _bad_entry(number, entry, "it is no JSON object.")
    row = entry.get("row")
    if not isinstance(row, str) or row not in _ENTRY_KEYS:
        raise _bad_entry(number, entry, f"unknown row; use {', '.join(_ENTRY_KEYS)}.")
    keys = {"row", "multiplier", *_ENTRY_KEYS[row]}
    if not all(isinstance(v, (str, int, float, Decimal)) for v in entry.values()):
        raise _bad_entry(number, entry, "every value must be a text or a number.")
    if row == "dependency":
        if entry.get("form") not in _FORMS:
            text = f"unknown form {entry.get('form')!r}; use {', '.join(_FORMS)}."
            raise _bad_entry(number, entry, text)
        keys |= {"t"} if entry["form"] != "selected" else set()
    if keys != set(entry):
        wrong = ", ".join(f"'{key}'" for key in sorted(map(str, keys ^ set(entry))))
        raise _bad_entry(number, entry, f"missing or unknown keys: {wrong}.")
    raw = entry["multiplier"]
    try:
        if isinstance(raw, bool) or (isinstance(raw, str) and len(raw) > 1000):
            raise ValueError
        value = Decimal(repr(float(raw)) if isinstance(raw, float) else raw)
        # A huge exponent would ask for gigabytes of digits.
        if not value.is_finite() or abs(value.adjusted()) > 400:
            raise ValueError
    except (ValueError, InvalidOperation):
        text = f"the multiplier {raw!r} is no number that can be used."
        raise _bad_entry(number, entry, text) from None
    if value < 0 and row != "all_or_none":
        text = f"the multiplier {raw!r} of an inequality is negative: {dict(entry)}."
        raise _bad_entry(number, entry, text)
    return Fraction(value)


def _charge(
    question: _Question, charges: _Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Add one row, multiplied, to the charges.

    Raises
    ------
    ConfigError
        If the portfolio has no such row.
    """
    multiplier = Fraction(units, charges.unit)
    if entry["row"] == "capacity":
        role = _name(entry["role"]) or ""
        t = _read_period(entry["period"], question)
        if role not in question.roles:
            raise ConfigError(f"no role is called '{role}'.")
        if t is None or not 0 <= t < question.periods:
            raise ConfigError(f"{entry['period']!r} is no period of the horizon.")
        limit = question.capacity_limit(role, t) + _TOLERANCE
        charges.limits += multiplier * limit
        prices = charges.capacity.setdefault(role, {})
        prices[t] = prices.get(t, 0) + units
    elif entry["row"] == "budget":
        budget = question.budgets.get(_name(entry["budget"]) or "")
        side = _side(entry["side"], ("amount", "at_least"))
        bound = (
            None
            if budget is None
            else (budget.limit if side == "amount" else budget.at_least)
        )
        if budget is None or bound is None:
            raise ConfigError(f"no budget '{entry['budget']}' has this side.")
        sign = 1 if side == "amount" else -1
        charges.limits += multiplier * (sign * bound + _grace(bound))
        charges.budgets.append((budget, sign * units))
    elif entry["row"] == "dependency":
        _charge_dependency(question, charges, entry, units)
    else:
        group = question.groups.get(_name(entry["group"]) or "")
        if group is None:
            raise ConfigError(f"no group is called '{entry['group']}'.")
        if entry["row"] == "group":
            _charge_group(question, charges, group, entry["side"], units)
        else:
            _charge_all_or_none(question, charges, group, entry["project"], units)


def _side(value: object, sides: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in sides:
        raise ConfigError(f"unknown side {value!r}; use {' or '.join(sides)}.")
    return value


def _charge_group(
    question: _Question, charges: _Charges, group: _Group, side: object, units: int
) -> None:
    least = _side(side, ("at_most", "at_least")) == "at_least"
    limit = group.at_least if least else group.at_most
    if limit is None:
        raise ConfigError(f"group '{group.name}' has no {side}.")
    sign = -1 if least else 1
    left = sign * (limit - len(group.done))
    charges.limits += Fraction(units * left, charges.unit)
    for member in group.members:
        if _state(question, member) == "live":
            charges.step(member, math.inf, sign * units)


def _charge_all_or_none(
    question: _Question, charges: _Charges, group: _Group, project: object, units: int
) -> None:
    member = _name(project) or ""
    if not group.all_or_none or member not in group.members:
        raise ConfigError(f"'{member}' is no member of an all-or-none '{group.name}'.")
    for name, sign in ((member, 1), (group.members[0], -1)):
        if name in group.done:
            charges.limits -= Fraction(sign * units, charges.unit)
        elif _state(question, name) == "live":
            charges.step(name, math.inf, sign * units)


def _charge_dependency(
    question: _Question, charges: _Charges, entry: Mapping[str, Any], units: int
) -> None:
    names = [_name(entry[part]) or "" for part in ("project", "requires", "kind")]
    row = question.dependency_rows.get((names[0], names[1], names[2]))
    if row is None:
        raise ConfigError("there is no such dependency: " + ", ".join(names) + ".")
    form, t = entry["form"], entry.get("t", 0)
    if form != "selected" and row.kind == "selected":
        raise ConfigError(f"a dependency of kind 'selected' has no form '{form}'.")
    if form == "after" and (not row.single or row.lag_max is None):
        raise ConfigError("the form 'after' needs a single project and a lag_max.")
    if isinstance(t, bool) or not isinstance(t, int):
        raise ConfigError(f"t must be a whole number, not {t!r}.")
    if not row.in_force:
        return  # nothing is restricted: the row reads 0 <= 0
    j = row.project
    if form in ("selected", "after"):
        charges.step(j, math.inf, units)
    else:
        charges.step(j, t, units)
    if form == "at":
        charges.step(j, t - 1, -units)
    elif form == "after":
        _, high = row.span(question.projects[row.requires].duration)
        charges.step(j, t + (high or 0), -units)
    for i in row.targets:
        low, high = row.span(question.projects[i].duration)
        if form in ("selected", "after"):
            charges.step(i, math.inf, -units)
        else:
            charges.step(i, t - low, -units)
        if form == "after":
            charges.step(i, t, units)
        elif form == "at" and high is not None:
            charges.step(i, t - high - 1, units)


def _drop_impossible_starts(question: _Question) -> None:
    """Remove starts that no accepted plan can have beside the fixed work."""
    # With negative numbers one project could make room for another.
    uses = [u for roles in question.demand.values() for u in roles.values()]
    uses += [u for kinds in question.spend.values() for u in kinds.values()]
    if any(units < 0 for rows in uses for _, units in rows):
        return
    fixed = _fixed(question)
    load, spent = _load(question, fixed), _spent(question, fixed)
    room = {
        role: [
            math.floor(
                (question.capacity_limit(role, t) + _TOLERANCE) * question.demand_unit
            )
            - load.get((role, t), 0)
            for t in range(question.periods)
        ]
        for role in question.roles
    }
    money = [
        (budget, math.floor((limit + _grace(limit)) * question.spend_unit) - used)
        for budget in question.budgets.values()
        if (limit := budget.limit) is not None
        for used in [int(_budget_use(question, budget, spent) * question.spend_unit)]
    ]
    for name, project in question.projects.items():
        if name in fixed or not project.allowed:
            continue
        kept = set(project.allowed)
        for role, rows in question.demand.get(name, {}).items():
            kept -= _overloading(rows, kept, room[role])
        for budget, left in money:
            kept -= _overspending(question, project, kept, budget, left)
        if len(kept) < len(project.allowed):
            allowed = tuple(s for s in project.allowed if s in kept)
            question.projects[name] = project._replace(allowed=allowed)


def _overloading(
    rows: list[tuple[int, int]], starts: Collection[int], room: list[int]
) -> set[int]:
    """Return the starts with which one project alone overloads a role."""
    sums: defaultdict[int, int] = defaultdict(int)
    for offset, units in rows:
        sums[offset] += units
    # An unloaded period is never a violation, however little room it has.
    needs = [(o, u) for o, u in sums.items() if u > 0]
    if max((u for _, u in needs), default=0) <= min(room):
        return set()
    return {
        s
        for s in starts
        if any(0 <= s + o < len(room) and u > room[s + o] for o, u in needs)
    }


def _overspending(
    question: _Question,
    project: _Project,
    starts: Collection[int],
    budget: _Budget,
    left: int,
) -> set[int]:
    """Return the starts with which one project alone breaks a budget."""
    kinds = question.spend.get(project.name, {})
    rows = [row for kind, uses in kinds.items() if budget.covers(kind) for row in uses]
    if sum(units for _, units in rows) <= left:
        return set()
    return {
        s
        for s in starts
        if sum(u for o, u in rows if budget.first <= s + o <= budget.last) > left
    }


def _lagrangian(question: _Question, charges: _Charges) -> Fraction | None:
    """Return the charged limits plus the best that each project can still earn."""
    prices = _spend_prices(question, charges)
    # One unit for everything, so that options are compared as whole numbers.
    unit = math.lcm(
        charges.unit * question.demand_unit,
        charges.unit * question.spend_unit,
        question.worth_unit * _GRID,
    )
    per_worth = unit // (question.worth_unit * _GRID)
    per_load = unit // (charges.unit * question.demand_unit)
    per_spend = unit // (charges.unit * question.spend_unit)
    per_step = unit // charges.unit
    powers = _Powers(question.growth)
    total = 0
    for name, project in question.projects.items():
        if project.state != "live" or not (project.allowed or project.why):
            continue
        if not project.allowed:
            return None
        gains = [
            worth * per_worth - step * per_step
            for worth, step in zip(
                _worth_above(question, project, powers),
                _step_charges(charges.steps.get(name, {}), project.allowed),
                strict=True,
            )
        ]
        for role, uses in question.demand.get(name, {}).items():
            if role in charges.capacity:
                _subtract(gains, project, uses, charges.capacity[role], per_load)
        for kind, uses in question.spend.get(name, {}).items():
            if prices[kind]:
                _subtract(gains, project, uses, prices[kind], per_spend)
        best = max(gains)
        total += best if project.why else max(best, 0)
    return charges.limits + Fraction(total, unit)


def _spend_prices(
    question: _Question, charges: _Charges
) -> dict[_Kind, dict[int, int]]:
    """Return the charge on one currency unit by kind of spend and period."""
    prices: dict[_Kind, dict[int, int]] = {
        kind: {} for kinds in question.spend.values() for kind in kinds
    }
    for kind, by_period in prices.items():
        for budget, units in charges.budgets:
            if budget.covers(kind):
                for t in range(budget.first, budget.last + 1):
                    by_period[t] = by_period.get(t, 0) + units
    return prices


def _subtract(
    gains: list[int],
    project: _Project,
    uses: list[tuple[int, int]],
    price: Mapping[int, int],
    factor: int,
) -> None:
    """Charge every allowed start for what it uses where that has a price."""
    low, high = min(price), max(price)
    earliest, latest = project.allowed[0], project.allowed[-1]
    relevant = [(o, u) for o, u in uses if low - latest <= o <= high - earliest]
    if not relevant:
        return
    # Dense by offset and by period: a start is then one product of two lists.
    begin = min(o for o, _ in relevant)
    amounts = [0] * (max(o for o, _ in relevant) - begin + 1)
    for offset, units in relevant:
        amounts[offset - begin] += units
    span = latest - earliest + len(amounts)
    costs = [price.get(earliest + begin + t, 0) for t in range(span)]
    for n, s in enumerate(project.allowed):
        at = s - earliest
        gains[n] -= factor * sum(map(mul, amounts, costs[at : at + len(amounts)]))


def _step_charges(steps: Mapping[float, int], allowed: tuple[int, ...]) -> list[int]:
    """Return for each allowed start the sum of the steps that reach it."""
    ends = sorted(steps)
    charges = [0] * len(allowed)
    total = 0
    for n in range(len(allowed) - 1, -1, -1):
        while ends and ends[-1] >= allowed[n]:
            total += steps[ends.pop()]
        charges[n] = total
    return charges


class _Powers:
    """Bounds of (1 + discount) ** -k, as whole multiples of 1/_GRID."""

    def __init__(self, growth: Fraction) -> None:
        self.growth = growth
        self.known: dict[int, tuple[int, int]] = {}

    def __call__(self, k: int) -> tuple[int, int]:
        if k not in self.known:
            base = 1 / self.growth if k >= 0 else self.growth
            low = base.numerator * _GRID // base.denominator
            high = -(-base.numerator * _GRID // base.denominator)
            bounds, left = (_GRID, _GRID), abs(k)
            while left:
                if left & 1:
                    bounds = _times(bounds, (low, high))
                low, high = _times((low, high), (low, high))
                left >>= 1
            self.known[k] = bounds
        return self.known[k]


def _times(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Return the product of two positive intervals on the grid, rounded outward."""
    return a[0] * b[0] // _GRID, -(-a[1] * b[1] // _GRID)


def _worth_above(question: _Question, project: _Project, powers: _Powers) -> list[int]:
    """Return the worth at each allowed start, rounded up, in 1/(unit x grid)."""
    amounts = question.worth.get(project.name, {})
    # Rounded up at offset 0; then the factor that makes the product larger.
    ahead = sum(
        units * powers(offset)[1 if units > 0 else 0]
        for offset, units in amounts.items()
    )
    shifts = [powers(0 if project.running else s) for s in project.allowed]
    return [-(-ahead * shift[1 if ahead > 0 else 0] // _GRID) for shift in shifts]
