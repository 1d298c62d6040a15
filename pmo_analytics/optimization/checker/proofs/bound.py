"""The bound that a certificate's multipliers prove."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from operator import mul
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name
from pmo_analytics.optimization.checker.families.registry import charge
from pmo_analytics.optimization.checker.flex import purchases_bound
from pmo_analytics.optimization.checker.proofs.charges import Charges, charge_cut
from pmo_analytics.optimization.checker.proofs.cut_reading import Cut
from pmo_analytics.optimization.checker.proofs.cuts import (
    ByStart,
    Proofs,
    read_cell,
)
from pmo_analytics.optimization.checker.proofs.entries import bad_entry
from pmo_analytics.optimization.checker.proofs.narrowing import narrow_starts
from pmo_analytics.optimization.checker.proofs.room import (
    drop_impossible_starts,
    drop_stranded_projects,
)
from pmo_analytics.optimization.checker.proofs.worth import GRID, Powers, worth_above
from pmo_analytics.optimization.checker.question import Kind, Project, Question
from pmo_analytics.optimization.checker.record import dropped


def bound_of(
    question: Question,
    entries: list[tuple[Mapping[str, Any], Fraction]],
    cuts: Sequence[Cut] = (),
    proofs: Proofs | None = None,
    narrow: bool = False,
) -> Fraction | None:
    """Return the bound that entries prove, None where there is no plan at all.

    Parameters
    ----------
    question
        What the portfolio asks; starts that no accepted plan can have are removed
        from it.
    entries
        (entry of the certificate, its multiplier), as `read_entries` returns them.
    cuts
        Cuts of the certificate; those that cannot be proved are left out.
    proofs
        Of the cuts, for the same question; nothing may have been asked of them yet.
    narrow
        Draw conclusions from what must be selected first (`certify_narrowing`).

    Raises
    ------
    ConfigError
        If an entry or a cut names a row that the portfolio does not have.
    """
    numbers = [value for _, value in entries] + [cut.multiplier for cut in cuts]
    # Weights of rules multiply multipliers, and both have to stay whole.
    weights = [w for rule in question.rules.values() for w in rule.weights.values()]
    charges = Charges(
        math.lcm(*(value.denominator for value in numbers))
        * math.lcm(*(weight.denominator for weight in weights))
    )
    for number, (entry, value) in enumerate(entries, start=1):
        try:
            charge(question, charges, entry, int(value * charges.unit))
        except ConfigError as error:
            raise bad_entry(number, entry, str(error)) from None
    drop_impossible_starts(question)
    drop_stranded_projects(question)
    if narrow:
        narrow_starts(question)
    # Only now: a cut need not hold for starts that no accepted plan can have.
    proofs = Proofs(question) if proofs is None else proofs
    for cut in cuts:
        charge_cut(charges, cut, proofs.proved(cut))
    return _lagrangian(question, charges)


def row_of(
    question: Question, entry: Mapping[str, Any], proofs: Proofs
) -> tuple[ByStart, Fraction, int]:
    """Return a row by itself: what each start counts, at most how much, the unit.

    Counts and the limit are multiples of 1/unit.

    Parameters
    ----------
    question
        What the portfolio asks.
    entry
        Of the certificate, read before.
    proofs
        Where uses are known.
    """
    if entry["row"] == "capacity":
        uses, room, unit = proofs.load_on(*read_cell(question, entry))
        return uses, Fraction(room), unit
    if entry["row"] == "budget":
        budget = question.budgets[read_name(entry["budget"]) or ""]
        uses, room, unit = proofs.spend_on(budget)
        if entry["side"] == "amount":
            return uses, Fraction(room), unit
        least = budget.at_least or Fraction(0)
        turned = {name: [-units for units in own] for name, own in uses.items()}
        return turned, (budget.grace - least) * unit, unit
    unit = 1
    if entry["row"] == "rule":
        rule = question.rules[read_name(entry["rule"]) or ""]
        unit = math.lcm(*(weight.denominator for weight in rule.weights.values()))
    charges = Charges(unit)
    charge(question, charges, entry, unit)
    counts = {
        name: _step_charges(steps, question.projects[name].allowed)
        for name, steps in charges.steps.items()
    }
    return counts, charges.paid() * unit, unit


def _lagrangian(question: Question, charges: Charges) -> Fraction | None:
    """Return the charged limits plus the best that each project can still earn."""
    prices = _spend_prices(question, charges)
    # One unit for everything, so that options are compared as whole numbers.
    unit = math.lcm(
        charges.unit * question.demand_unit,
        charges.unit * question.spend_unit,
        question.worth.unit * GRID,
    )
    per_worth = unit // (question.worth.unit * GRID)
    per_load = unit // (charges.unit * question.demand_unit)
    per_spend = unit // (charges.unit * question.spend_unit)
    per_step = unit // charges.unit
    powers = Powers(question.worth.growth)
    total = 0
    for name, project in question.projects.items():
        if project.state != "live" or not (project.allowed or project.why):
            continue
        if not project.allowed:
            return None
        gains = [
            worth * per_worth - (step + charge) * per_step
            for worth, step, charge in zip(
                worth_above(question, project, powers),
                _step_charges(charges.steps.get(name, {}), project.allowed),
                charges.starts.get(name, [0] * len(project.allowed)),
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
    purchases = purchases_bound(question, charges.capacity, charges.unit)
    total_worth = Fraction(total, unit) - dropped(question)
    return charges.paid() + purchases + total_worth


def _spend_prices(question: Question, charges: Charges) -> dict[Kind, dict[int, int]]:
    """Return the charge on one currency unit by kind of spend and period."""
    prices: dict[Kind, dict[int, int]] = {
        kind: {} for kinds in question.spend.values() for kind in kinds
    }
    for kind, by_period in prices.items():
        for budget, units in charges.budgets.values():
            if budget.covers(kind):
                for t in range(budget.first, budget.last + 1):
                    by_period[t] = by_period.get(t, 0) + units
    return prices


def _subtract(
    gains: list[int],
    project: Project,
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
