"""Budgets: spend stays between what is asked for and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name
from pmo_analytics.optimization.checker.families.family import Entry, Family
from pmo_analytics.optimization.checker.found import Selection, amount, violation
from pmo_analytics.optimization.checker.proofs.charges import Charges, side_of
from pmo_analytics.optimization.checker.question import (
    Question,
    budget_use,
    spent_of,
    to_float,
)
from pmo_analytics.optimization.checker.tolerance import rounding


def check(question: Question, selection: Selection, rows: list[dict[str, Any]]) -> None:
    """Add what breaks budgets."""
    starts = selection.starts
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
                f"Budget '{budget.name}' ({span}): spend {amount(use)} is "
                f"{amount(abs(use - limit))} {word} {amount(limit)}."
            )
            rows.append(
                violation(rule, budget.name, text, None, to_float(use), to_float(limit))
            )


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge what projects spend of a budget."""
    budget = question.budgets.get(read_name(entry["budget"]) or "")
    side = side_of(entry["side"], ("amount", "at_least"))
    bound = (
        None
        if budget is None
        else (budget.limit if side == "amount" else budget.at_least)
    )
    if budget is None or bound is None:
        raise ConfigError(f"no budget '{entry['budget']}' has this side.")
    sign = 1 if side == "amount" else -1
    paid = sign * bound + budget.grace
    charges.limits += Fraction(units, charges.unit) * paid
    _, before = charges.budgets.get(budget.name, (budget, 0))
    charges.budgets[budget.name] = budget, before + sign * units


BUDGETS = Family(
    check,
    {"budget": Entry(("budget", "side"), charge)},
)
