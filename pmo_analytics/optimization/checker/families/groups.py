"""Groups: so many members at least, at most, or all or none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError, listing
from pmo_analytics.optimization.checker.cells import read_name
from pmo_analytics.optimization.checker.families.family import Entry, Family
from pmo_analytics.optimization.checker.found import Selection, violation
from pmo_analytics.optimization.checker.proofs.charges import Charges, side_of
from pmo_analytics.optimization.checker.question import Group, Question, state_of


def check(question: Question, selection: Selection, rows: list[dict[str, Any]]) -> None:
    """Add what breaks groups."""
    present = selection.present
    for group in question.groups.values():
        selected = [m for m in group.members if m in present or m in group.done]
        count = len(selected)
        what = f"Group '{group.name}': {count} of {len(group.members)} members selected"
        what += f" ({listing(selected)})" if selected else ""
        if group.at_most is not None and count > group.at_most:
            text = f"{what}, at most {group.at_most} allowed."
            rows.append(
                violation("group", group.name, text, None, count, group.at_most)
            )
        if group.at_least is not None and count < group.at_least:
            text = f"{what}, at least {group.at_least} needed."
            rows.append(
                violation("group", group.name, text, None, count, group.at_least)
            )
        if group.all_or_none and 0 < count < len(group.members):
            missing = listing(m for m in group.members if m not in selected)
            text = f"{what}, but it is all or none: {missing} missing."
            rows.append(
                violation("group", group.name, text, None, count, len(group.members))
            )


def _group_of(question: Question, entry: Mapping[str, Any]) -> Group:
    group = question.groups.get(read_name(entry["group"]) or "")
    if group is None:
        raise ConfigError(f"no group is called '{entry['group']}'.")
    return group


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge the selection of members."""
    group, side = _group_of(question, entry), entry["side"]
    least = side_of(side, ("at_most", "at_least")) == "at_least"
    limit = group.at_least if least else group.at_most
    if limit is None:
        raise ConfigError(f"group '{group.name}' has no {side}.")
    sign = -1 if least else 1
    left = sign * (limit - len(group.done))
    charges.limits += Fraction(units * left, charges.unit)
    for member in group.members:
        if state_of(question, member) == "live":
            charges.step(member, math.inf, sign * units)


def charge_all_or_none(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge a member, and pay the first one."""
    group, member = _group_of(question, entry), read_name(entry["project"]) or ""
    if not group.all_or_none or member not in group.members:
        raise ConfigError(f"'{member}' is no member of an all-or-none '{group.name}'.")
    for name, sign in ((member, 1), (group.members[0], -1)):
        if name in group.done:
            charges.limits -= Fraction(sign * units, charges.unit)
        elif state_of(question, name) == "live":
            charges.step(name, math.inf, sign * units)


GROUPS = Family(
    check,
    {
        "group": Entry(("group", "side"), charge),
        "all_or_none": Entry(("group", "project"), charge_all_or_none),
    },
)
