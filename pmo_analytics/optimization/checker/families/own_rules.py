"""Rules of one's own: sums of weights, or of different themes, between limits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name, read_period
from pmo_analytics.optimization.checker.families.family import Entry, Family
from pmo_analytics.optimization.checker.found import Selection, amount, violation
from pmo_analytics.optimization.checker.proofs.charges import Charges, side_of
from pmo_analytics.optimization.checker.question import (
    Question,
    rule_weights,
    state_of,
    to_float,
)
from pmo_analytics.optimization.checker.tolerance import rounding


def check(question: Question, selection: Selection, rows: list[dict[str, Any]]) -> None:
    """Add what breaks rules of one's own."""
    starts, present = selection.starts, selection.present
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
                    f"Rule '{rule.name}' allows {word} {amount(limit)}{when}; the "
                    f"plan has {amount(total)}."
                )
                found, allowed = to_float(total), to_float(limit)
                rows.append(violation("rule", rule.name, text, t, found, allowed))


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge the weights of projects, selected or at work."""
    multiplier = Fraction(units, charges.unit)
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
    least = side_of(entry["side"], ("at_most", "at_least")) == "at_least"
    limit = rule.at_least if least else rule.upper(t)
    if limit is None:
        raise ConfigError(f"rule '{rule.name}' has no {entry['side']}.")
    sign = -1 if least else 1
    charges.limits += multiplier * (sign * limit + rule.grace)
    for name, weight in rule.weights.items():
        state = state_of(question, name)
        paid = sign * weight * multiplier
        own = int(paid * charges.unit)
        if state == "done" and t is None:
            charges.limits -= paid
        elif state == "live" and t is None:
            charges.step(name, math.inf, own)
        elif state == "live" and t is not None:
            charges.step(name, t, own)
            charges.step(name, t - question.projects[name].duration, -own)


def charge_theme(
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


OWN_RULES = Family(
    check,
    {
        "rule": Entry(("rule", "side"), charge),
        "themes": Entry(("rule", "project", "period"), charge_theme),
    },
)
