"""The bound that a certificate's multipliers prove."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from operator import mul
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.flex import purchases_bound
from pmo_analytics.optimization.checker.proofs.cuts import (
    ByStart,
    Cut,
    Proofs,
    exact_number,
    read_cell,
)
from pmo_analytics.optimization.checker.proofs.narrowing import narrow_starts
from pmo_analytics.optimization.checker.proofs.room import (
    drop_impossible_starts,
    drop_stranded_projects,
)
from pmo_analytics.optimization.checker.proofs.worth import GRID, Powers, worth_above
from pmo_analytics.optimization.checker.question import (
    Budget,
    Group,
    Kind,
    Project,
    Question,
    state_of,
)
from pmo_analytics.optimization.checker.reading import read_name, read_period
from pmo_analytics.optimization.checker.record import dropped
from pmo_analytics.optimization.checker.tolerance import TOLERANCE


@dataclass
class _Charges:
    """Multipliers gathered by what they charge, as multiples of 1/unit."""

    unit: int
    limits: Fraction = Fraction(0)
    capacity: dict[str, dict[int, int]] = field(default_factory=dict)
    budgets: dict[str, tuple[Budget, int]] = field(default_factory=dict)
    # project -> offset -> charge on every start at that offset or before it
    steps: dict[str, defaultdict[float, int]] = field(default_factory=dict)
    # project -> charge on each allowed start, in their order
    starts: dict[str, list[int]] = field(default_factory=dict)

    def step(self, name: str, until: float, units: int) -> None:
        self.steps.setdefault(name, defaultdict(int))[until] += units


_ENTRY_KEYS: dict[str, tuple[str, ...]] = {
    "capacity": ("role", "period"),
    "budget": ("budget", "side"),
    "group": ("group", "side"),
    "all_or_none": ("group", "project"),
    "dependency": ("project", "requires", "kind", "form"),
    "rule": ("rule", "side"),
}
_FORMS = ("by", "after", "at", "selected")


def read_entries(
    certificate: Mapping[str, Any],
    strict: bool,
    flex: bool = False,
    record: bool = False,
) -> list[tuple[Mapping[str, Any], Fraction]]:
    """Return the entries of a certificate, each with its exact multiplier.

    Parameters
    ----------
    certificate
        JSON object, see the text of `certify`.
    strict, flex, record
        What the certificate must say about itself.

    Raises
    ------
    ConfigError
        If the certificate has another format, or an entry cannot be read.
    """
    known = (
        "format",
        "portfolio",
        "strict",
        "flex",
        "record",
        "multipliers",
        "cuts",
        "branches",
        "enough",
    )
    if not isinstance(certificate, Mapping):
        raise ConfigError("The certificate is no JSON object.")
    for key in certificate:
        if key not in known:
            raise ConfigError(f"The certificate has an unknown part '{key}'.")
    version = certificate.get("format")
    if isinstance(version, bool) or version not in (1, 2, 3):
        raise ConfigError(
            f"The certificate has format {version!r}; 1 to 3 can be checked."
        )
    if certificate.get("strict", False) is not strict:
        raise ConfigError(
            f"The certificate was made with strict={certificate.get('strict', False)!r}"
            f", and strict={strict} is asked for. Use the same."
        )
    for key, wanted in (("flex", flex), ("record", record)):
        if (made := certificate.get(key, False)) is not wanted:
            raise ConfigError(
                f"The certificate was made with {key}={made!r}, and {key}={wanted} is "
                "asked for. Use the same."
            )
    for key, since in (("cuts", 2), ("branches", 3)):
        if certificate.get(key, []) != [] and version < since:
            raise ConfigError(f"A certificate of format {version} cannot have '{key}'.")
    entries = certificate.get("multipliers", [])
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("'multipliers' of the certificate must be a list.")
    return [(entry, _multiplier(n, entry)) for n, entry in enumerate(entries, start=1)]


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
    charges = _Charges(
        math.lcm(*(value.denominator for value in numbers))
        * math.lcm(*(weight.denominator for weight in weights))
    )
    for number, (entry, value) in enumerate(entries, start=1):
        try:
            _charge(question, charges, entry, int(value * charges.unit))
        except ConfigError as error:
            raise _bad_entry(number, entry, str(error)) from None
    drop_impossible_starts(question)
    drop_stranded_projects(question)
    if narrow:
        narrow_starts(question)
    # Only now: a cut need not hold for starts that no accepted plan can have.
    proofs = Proofs(question) if proofs is None else proofs
    for cut in cuts:
        _charge_cut(charges, cut, proofs.proved(cut))
    return _lagrangian(question, charges)


def _charge_cut(charges: _Charges, cut: Cut, counts: ByStart | None) -> None:
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
    if row == "rule" and "period" in entry:
        keys |= {"period"}
    if keys != set(entry):
        wrong = ", ".join(f"'{key}'" for key in sorted(map(str, keys ^ set(entry))))
        raise _bad_entry(number, entry, f"missing or unknown keys: {wrong}.")
    raw = entry["multiplier"]
    value = exact_number(raw)
    if value is None:
        text = f"the multiplier {raw!r} is no number that can be used."
        raise _bad_entry(number, entry, text)
    if value < 0 and row != "all_or_none":
        text = f"the multiplier {raw!r} of an inequality is negative: {dict(entry)}."
        raise _bad_entry(number, entry, text)
    return value


def _charge(
    question: Question, charges: _Charges, entry: Mapping[str, Any], units: int
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
    charges: _Charges,
    entry: Mapping[str, Any],
    multiplier: Fraction,
) -> None:
    rule = question.rules.get(read_name(entry["rule"]) or "")
    if rule is None:
        raise ConfigError(f"no rule is called '{entry['rule']}'.")
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


def _side(value: object, sides: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in sides:
        raise ConfigError(f"unknown side {value!r}; use {' or '.join(sides)}.")
    return value


def _charge_group(
    question: Question, charges: _Charges, group: Group, side: object, units: int
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
    question: Question, charges: _Charges, group: Group, project: object, units: int
) -> None:
    member = read_name(project) or ""
    if not group.all_or_none or member not in group.members:
        raise ConfigError(f"'{member}' is no member of an all-or-none '{group.name}'.")
    for name, sign in ((member, 1), (group.members[0], -1)):
        if name in group.done:
            charges.limits -= Fraction(sign * units, charges.unit)
        elif state_of(question, name) == "live":
            charges.step(name, math.inf, sign * units)


def _charge_dependency(
    question: Question, charges: _Charges, entry: Mapping[str, Any], units: int
) -> None:
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
    charges = _Charges(unit)
    _charge(question, charges, entry, unit)
    counts = {
        name: _step_charges(steps, question.projects[name].allowed)
        for name, steps in charges.steps.items()
    }
    return counts, charges.limits * unit, unit


def _lagrangian(question: Question, charges: _Charges) -> Fraction | None:
    """Return the charged limits plus the best that each project can still earn."""
    prices = _spend_prices(question, charges)
    # One unit for everything, so that options are compared as whole numbers.
    unit = math.lcm(
        charges.unit * question.demand_unit,
        charges.unit * question.spend_unit,
        question.worth_unit * GRID,
    )
    per_worth = unit // (question.worth_unit * GRID)
    per_load = unit // (charges.unit * question.demand_unit)
    per_spend = unit // (charges.unit * question.spend_unit)
    per_step = unit // charges.unit
    powers = Powers(question.growth)
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
    return charges.limits + purchases + total_worth


def _spend_prices(question: Question, charges: _Charges) -> dict[Kind, dict[int, int]]:
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
