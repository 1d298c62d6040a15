"""How a certificate names each row of the model: one function per family.

`@entry` registers the forms that a function names; a form without one has no multiplier
in a certificate, and the bound holds without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pmo_analytics.clock import format_period

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.optimization.model.rows import RowLabel
    from pmo_analytics.portfolio import Portfolio

type Entry = Callable[[Portfolio, Compiled, RowLabel], dict[str, Any]]

# Form of a row -> what names it.
ENTRIES: dict[str, Entry] = {}
# Forms that ask for at least so much.
AT_LEAST = frozenset({"least", "at_least", "linear_least"})


def entry(*forms: str) -> Callable[[Entry], Entry]:
    """Register how rows of some forms are named."""

    def register(function: Entry) -> Entry:
        ENTRIES.update(dict.fromkeys(forms, function))
        return function

    return register


@entry("limit", "least")
def _resource(
    portfolio: Portfolio, compiled: Compiled, label: RowLabel
) -> dict[str, Any]:
    """Return the row of a capacity, a budget, or a rule without negative weights."""
    roles, periods, budgets = compiled.options.sizes.tolist()
    number = label.number
    beyond = number - roles * periods - budgets
    if beyond >= 0:
        return _own_rule(portfolio, compiled.rules[beyond], label.form)
    if number < roles * periods:
        return {
            "row": "capacity",
            "role": compiled.roles[number // periods],
            "period": format_period(portfolio.horizon[number % periods]),
        }
    budget = portfolio.budget["budget"].iat[number - roles * periods]
    side = "amount" if label.form == "limit" else "at_least"
    return {"row": "budget", "budget": budget, "side": side}


@entry("linear_most", "linear_least")
def _linear(
    portfolio: Portfolio, compiled: Compiled, label: RowLabel
) -> dict[str, Any]:
    return _own_rule(portfolio, compiled.rows[label.number], label.form)


def _own_rule(portfolio: Portfolio, row: tuple[str, int], form: str) -> dict[str, Any]:
    rule, t = row
    side = "at_least" if form in AT_LEAST else "at_most"
    named = {"row": "rule", "rule": rule, "side": side}
    return named if t < 0 else {**named, "period": format_period(portfolio.horizon[t])}


@entry("opens")
def _theme(portfolio: Portfolio, compiled: Compiled, label: RowLabel) -> dict[str, Any]:
    """Return the row of a project at work, which its theme pays for."""
    o = compiled.options
    option = o.counts.column[o.counts.first[label.number]]
    rule, t = compiled.counts[o.counts.count[o.counts.belongs[label.number]]]
    return {
        "row": "themes",
        "rule": rule,
        "project": compiled.names[o.project[option]],
        "period": format_period(portfolio.horizon[t]),
    }


@entry("at_most", "at_least")
def _group(_: Portfolio, compiled: Compiled, label: RowLabel) -> dict[str, Any]:
    return {"row": "group", "group": compiled.groups[label.number], "side": label.form}


@entry("same")
def _all_or_none(_: Portfolio, compiled: Compiled, label: RowLabel) -> dict[str, Any]:
    assert label.at is not None
    group, member = compiled.groups[label.number], compiled.names[label.at]
    return {"row": "all_or_none", "group": group, "project": member}


@entry("by", "after", "at", "selected")
def _dependency(_: Portfolio, compiled: Compiled, label: RowLabel) -> dict[str, Any]:
    project, requires, kind = compiled.dependencies[label.number]
    row = {
        "row": "dependency",
        "project": project,
        "requires": requires,
        "kind": kind,
        "form": label.form,
    }
    return row if label.at is None else {**row, "t": label.at}
