"""All families of rules that the checker knows.

A new one is a module here with a line in `FAMILIES`, and what `question` and `reading`
hold of it. What follows from it for starts stands in `proofs.narrowing`; no proof is
wrong without that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmo_analytics.optimization.checker.families.budgets import BUDGETS
from pmo_analytics.optimization.checker.families.capacity import CAPACITY
from pmo_analytics.optimization.checker.families.dependencies import DEPENDENCIES
from pmo_analytics.optimization.checker.families.family import Family
from pmo_analytics.optimization.checker.families.groups import GROUPS
from pmo_analytics.optimization.checker.families.own_rules import OWN_RULES
from pmo_analytics.optimization.checker.proofs.charges import Charges
from pmo_analytics.optimization.checker.question import Question

FAMILIES: dict[str, Family] = {
    "capacity": CAPACITY,
    "budgets": BUDGETS,
    "dependencies": DEPENDENCIES,
    "groups": GROUPS,
    "own_rules": OWN_RULES,
}
# Every kind of entry that a certificate may have.
ENTRIES = {
    row: entry for family in FAMILIES.values() for row, entry in family.entries.items()
}


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Add one row of a certificate, multiplied, to the charges.

    Raises
    ------
    ConfigError
        If the portfolio has no such row.
    """
    ENTRIES[entry["row"]].charge(question, charges, entry, units)
