"""Independent, exact check of what a levelled plan claims: its measure and its bound.

As in `certify`, every number is read from the tables and nothing is shared with the
search. All projects of the portfolio that are live have to be selected.

A certificate is a JSON object::

    {"format": 1, "measure": "makespan" or "delay",
     "refuted": null or {"finish_by": T, "role": "" or role, "begin": a, "end": b}}

Without `refuted` the bound follows from every project starting as early as its own
rules and the chains of what it requires allow. `refuted` claims that not all work can
end within T periods: `role` is short over the periods a .. b - 1 wherever the windows
that T leaves let the work go; with a blank role the windows alone leave no start.
What it claims is worked out again here; a claim that does not hold is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import blank, read_name, read_period
from pmo_analytics.optimization.checker.question import Project, Question
from pmo_analytics.optimization.checker.reading import read_question
from pmo_analytics.optimization.checker.tolerance import TOLERANCE

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.portfolio import Portfolio

MEASURES = ("makespan", "delay")


def measure_of(
    portfolio: Portfolio, schedule: pd.DataFrame, measure: str, *, strict: bool = False
) -> Fraction:
    """Return the makespan or the weighted delay of a schedule, exactly.

    Parameters
    ----------
    portfolio
        The portfolio whose windows were opened for levelling.
    schedule
        One row per project: `project`, `start`, Periods or text.
    measure
        `makespan`: periods from the first of the horizon to the last finish.
        `delay`: sum of weight x periods late.
    strict
        As in `check_plan`.

    Raises
    ------
    ConfigError
        If there is no such measure, or a row cannot be read.
    """
    question = read_question(portfolio, strict)
    finishes: dict[str, int] = {}
    for name, start in zip(schedule["project"], schedule["start"], strict=True):
        project = question.projects.get(read_name(name) or "")
        offset = read_period(start, question)
        if project is None or offset is None:
            raise ConfigError(
                f"The schedule says that '{name}' starts in '{start}', which is no "
                "project of the portfolio or no period."
            )
        finishes[project.name] = offset + project.duration
    if _known(measure) == "makespan":
        return Fraction(max([0, *finishes.values()]))
    weight = _weights(portfolio, question)
    return sum(
        (
            weight[name] * max(finish - 1 - _due(question.projects[name]), 0)
            for name, finish in finishes.items()
            if name in weight
        ),
        Fraction(0),
    )


def level_bound(
    portfolio: Portfolio, certificate: Mapping[str, Any], *, strict: bool = False
) -> Fraction | None:
    """Return what no plan can undercut, as a certificate proves.

    Parameters
    ----------
    portfolio
        The portfolio whose windows were opened for levelling.
    certificate
        JSON object, see the module's text.
    strict
        As in `check_plan`.

    Returns
    -------
    Fraction or None
        None where links and windows leave some project no start: there is no plan.

    Raises
    ------
    ConfigError
        If the certificate has another format or measure, or names no role.
    """
    if certificate.get("format") != 1:
        raise ConfigError(
            f"This certificate has the format {certificate.get('format')!r}; 1 can be "
            "read."
        )
    measure = _known(certificate.get("measure"))
    question = read_question(portfolio, strict)
    heads = _heads(question)
    if heads is None:
        return None
    projects = question.projects
    if measure == "delay":
        weight = _weights(portfolio, question)
        late = {}
        for name, head in heads.items():
            finish = head + projects[name].duration - 1
            late[name] = max(finish - _due(projects[name]), 0)
        return sum((weight[name] * late[name] for name in heads), Fraction(0))
    bound = max([0, *(heads[name] + projects[name].duration for name in heads)])
    claim = certificate.get("refuted")
    if claim is not None:
        finish = int(claim["finish_by"])
        if finish >= bound and _is_refuted(question, heads, finish, claim):
            bound = finish + 1
    return Fraction(bound)


def _known(measure: object) -> str:
    if measure not in MEASURES:
        raise ConfigError(
            f"There is no measure {measure!r}; levelled plans have makespan or delay."
        )
    return str(measure)


def _due(project: Project) -> int:
    start = project.start
    if start is None:
        start = project.allowed[0] if project.allowed else 0
    return start + project.duration - 1


def _weights(portfolio: Portfolio, question: Question) -> dict[str, Fraction]:
    """Return what a late period costs: the value, or the least of all values."""
    value: dict[str, Fraction] = {}
    rows = portfolio.projects
    for cell, amount in zip(rows["project"], rows["value"].tolist(), strict=True):
        name = read_name(cell) or ""
        project = question.projects.get(name)
        if project is not None and project.state == "live" and not blank(amount):
            exact = Fraction(Decimal(repr(float(amount))))
            if exact > 0:
                value[name] = exact
    least = min(value.values(), default=Fraction(1))
    return {
        project.name: value.get(project.name, least)
        for project in question.projects.values()
        if project.state == "live"
    }


def _heads(question: Question) -> dict[str, int] | None:
    """Return the earliest start of every project by windows and requirements."""
    heads: dict[str, int] = {}
    for project in question.projects.values():
        if project.state != "live":
            continue
        if not project.allowed:
            return None
        heads[project.name] = project.allowed[0]
    moved = True
    while moved:
        moved = False
        for rule in question.dependencies:
            if not rule.in_force or rule.kind == "selected":
                continue
            if not rule.targets:
                return None
            needed = min(
                heads[target] + rule.span(question.projects[target].duration)[0]
                for target in rule.targets
            )
            if needed <= heads[rule.project]:
                continue
            allowed = question.projects[rule.project].allowed
            later = next((s for s in allowed if s >= needed), None)
            if later is None:
                return None
            heads[rule.project] = later
            moved = True
    return heads


def _lasts(
    question: Question, heads: Mapping[str, int], finish: int
) -> dict[str, int] | None:
    """Return the latest start of every project if all is to end within `finish`."""
    lasts: dict[str, int] = {}
    for name in heads:
        project = question.projects[name]
        last = finish - project.duration
        lasts[name] = max((s for s in project.allowed if s <= last), default=-(10**9))
    moved = True
    while moved:
        moved = False
        if any(lasts[name] < heads[name] for name in heads):
            return None
        for rule in question.dependencies:
            if not rule.in_force or rule.kind == "selected" or len(rule.targets) != 1:
                continue
            (target,) = rule.targets
            lag = rule.span(question.projects[target].duration)[0]
            last = lasts[rule.project] - lag
            if last < lasts[target]:
                allowed = question.projects[target].allowed
                lasts[target] = max((s for s in allowed if s <= last), default=-(10**9))
                moved = True
    return lasts


def _is_refuted(
    question: Question, heads: Mapping[str, int], finish: int, claim: Mapping[str, Any]
) -> bool:
    """Return whether all work cannot end within `finish` periods, as claimed."""
    lasts = _lasts(question, heads, finish)
    if lasts is None:
        return True
    role = read_name(claim.get("role"))
    if role is None:
        return False
    if role not in question.roles:
        raise ConfigError(f"The certificate names the role '{role}', which is unknown.")
    begin, end = int(claim["begin"]), int(claim["end"])
    if not 0 <= begin < end <= question.periods:
        return False
    need = 0
    for name in heads:
        uses = question.demand.get(name, {}).get(role)
        if uses:
            need += min(
                sum(units for k, units in uses if begin <= s + k < end)
                for s in question.projects[name].allowed
                if heads[name] <= s <= lasts[name]
            )
    room = sum(
        (question.capacity_limit(role, t) + TOLERANCE for t in range(begin, end)),
        Fraction(0),
    )
    return Fraction(need, question.demand_unit) > room
