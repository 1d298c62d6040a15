"""What the multipliers of a certificate charge: limits, uses, starts of projects."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name, read_period
from pmo_analytics.optimization.checker.proofs.cuts import ByStart, Cut, read_cell
from pmo_analytics.optimization.checker.question import (
    Budget,
    Dependency,
    Group,
    Question,
    state_of,
)
from pmo_analytics.optimization.checker.tolerance import TOLERANCE


@dataclass
class Charges:
    """Multipliers gathered by what they charge, as multiples of 1/unit."""

    unit: int
    limits: Fraction = Fraction(0)
    capacity: dict[str, dict[int, int]] = field(default_factory=dict)
    budgets: dict[str, tuple[Budget, int]] = field(default_factory=dict)
    # project -> offset -> charge on every start at that offset or before it
    steps: dict[str, defaultdict[float, int]] = field(default_factory=dict)
    # project -> charge on each allowed start, in their order
    starts: dict[str, list[int]] = field(default_factory=dict)
    # rule on themes, period -> themes at most, theme -> charge on its projects at work
    themes: dict[tuple[str, int], tuple[int, defaultdict[str, int]]] = field(
        default_factory=dict
    )

    def paid(self) -> Fraction:
        """Return what all limits pay at most: of themes, the dearest that may be."""
        units = sum(
            sum(sorted(own.values(), reverse=True)[:most])
            for most, own in self.themes.values()
        )
        return self.limits + Fraction(units, self.unit)

    def step(self, name: str, until: float, units: int) -> None:
        """Charge every start of a project at an offset or before it."""
        self.steps.setdefault(name, defaultdict(int))[until] += units


def charge_cut(charges: Charges, cut: Cut, counts: ByStart | None) -> None:
    """Add one cut, multiplied, to the charges; nothing where it is not proved."""
    if counts is None:
        return
    units = int(cut.multiplier * charges.unit)
    charges.limits += cut.multiplier * cut.at_most
    for name, own in counts.items():
        before = charges.starts.get(name, [0] * len(own))
        charges.starts[name] = [
            charge + units * count for charge, count in zip(before, own, strict=True)
        ]


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Add one row, multiplied, to the charges.

    Raises
    ------
    ConfigError
        If the portfolio has no such row.
    """
    multiplier = Fraction(units, charges.unit)
    if entry["row"] == "capacity":
        role, t = read_cell(question, entry)
        limit = question.capacity_limit(role, t) + TOLERANCE
        charges.limits += multiplier * limit
        prices = charges.capacity.setdefault(role, {})
        prices[t] = prices.get(t, 0) + units
    elif entry["row"] == "budget":
        budget = question.budgets.get(read_name(entry["budget"]) or "")
        side = _side(entry["side"], ("amount", "at_least"))
        bound = (
            None
            if budget is None
            else (budget.limit if side == "amount" else budget.at_least)
        )
        if budget is None or bound is None:
            raise ConfigError(f"no budget '{entry['budget']}' has this side.")
        sign = 1 if side == "amount" else -1
        charges.limits += multiplier * (sign * bound + budget.grace)
        _, before = charges.budgets.get(budget.name, (budget, 0))
        charges.budgets[budget.name] = budget, before + sign * units
    elif entry["row"] == "rule":
        _charge_own_rule(question, charges, entry, multiplier)
    elif entry["row"] == "themes":
        _charge_theme(question, charges, entry, units)
    elif entry["row"] == "dependency":
        _charge_dependency(question, charges, entry, units)
    else:
        group = question.groups.get(read_name(entry["group"]) or "")
        if group is None:
            raise ConfigError(f"no group is called '{entry['group']}'.")
        if entry["row"] == "group":
            _charge_group(question, charges, group, entry["side"], units)
        else:
            _charge_all_or_none(question, charges, group, entry["project"], units)


def _charge_own_rule(
    question: Question,
    charges: Charges,
    entry: Mapping[str, Any],
    multiplier: Fraction,
) -> None:
    rule = question.rules.get(read_name(entry["rule"]) or "")
    if rule is None:
        raise ConfigError(f"no rule is called '{entry['rule']}'.")
    if rule.of_themes:
        raise ConfigError(f"rule '{rule.name}' counts themes: its row is 'themes'.")
    if rule.by_period != ("period" in entry):
        need = "needs a" if rule.by_period else "has no"
        raise ConfigError(f"rule '{rule.name}' {need} period.")
    t = read_period(entry["period"], question) if rule.by_period else None
    if rule.by_period and (t is None or not 0 <= t < question.periods):
        raise ConfigError(f"{entry['period']!r} is no period of the horizon.")
    least = _side(entry["side"], ("at_most", "at_least")) == "at_least"
    limit = rule.at_least if least else rule.upper(t)
    if limit is None:
        raise ConfigError(f"rule '{rule.name}' has no {entry['side']}.")
    sign = -1 if least else 1
    charges.limits += multiplier * (sign * limit + rule.grace)
    for name, weight in rule.weights.items():
        state = state_of(question, name)
        amount = sign * weight * multiplier
        units = int(amount * charges.unit)
        if state == "done" and t is None:
            charges.limits -= amount
        elif state == "live" and t is None:
            charges.step(name, math.inf, units)
        elif state == "live" and t is not None:
            charges.step(name, t, units)
            charges.step(name, t - question.projects[name].duration, -units)


def _charge_theme(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge a project at work in a period, and let its theme pay that.

    Charges on the projects of a theme are paid where the theme is at work: all of them
    together at most by as many themes as there may be, the dearest ones.
    """
    rule = question.rules.get(read_name(entry["rule"]) or "")
    name = read_name(entry["project"]) or ""
    if rule is None or not rule.of_themes or name not in rule.weights:
        raise ConfigError(f"no rule on themes '{entry['rule']}' counts '{name}'.")
    t = read_period(entry["period"], question)
    if t is None or not 0 <= t < question.periods:
        raise ConfigError(f"{entry['period']!r} is no period of the horizon.")
    most, theme = rule.upper(t), question.projects[name].theme
    if most is None or theme is None:
        raise ConfigError(f"rule '{rule.name}' does not limit '{name}'.")
    if state_of(question, name) != "live":
        return
    charges.step(name, t, units)
    charges.step(name, t - question.projects[name].duration, -units)
    held = (max(math.floor(most), 0), defaultdict[str, int](int))
    charges.themes.setdefault((rule.name, t), held)[1][theme] += units


def _side(value: object, sides: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in sides:
        raise ConfigError(f"unknown side {value!r}; use {' or '.join(sides)}.")
    return value


def _charge_group(
    question: Question, charges: Charges, group: Group, side: object, units: int
) -> None:
    least = _side(side, ("at_most", "at_least")) == "at_least"
    limit = group.at_least if least else group.at_most
    if limit is None:
        raise ConfigError(f"group '{group.name}' has no {side}.")
    sign = -1 if least else 1
    left = sign * (limit - len(group.done))
    charges.limits += Fraction(units * left, charges.unit)
    for member in group.members:
        if state_of(question, member) == "live":
            charges.step(member, math.inf, sign * units)


def _charge_all_or_none(
    question: Question, charges: Charges, group: Group, project: object, units: int
) -> None:
    member = read_name(project) or ""
    if not group.all_or_none or member not in group.members:
        raise ConfigError(f"'{member}' is no member of an all-or-none '{group.name}'.")
    for name, sign in ((member, 1), (group.members[0], -1)):
        if name in group.done:
            charges.limits -= Fraction(sign * units, charges.unit)
        elif state_of(question, name) == "live":
            charges.step(name, math.inf, sign * units)


def _dependency_of(question: Question, entry: Mapping[str, Any]) -> Dependency:
    """Return the dependency of an entry, whose form must be one that it has."""
    names = [read_name(entry[part]) or "" for part in ("project", "requires", "kind")]
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
    return row


def _charge_dependency(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    row = _dependency_of(question, entry)
    if not row.in_force:
        return  # nothing is restricted: the row reads 0 <= 0
    form, t = entry["form"], entry.get("t", 0)
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
