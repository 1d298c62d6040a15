"""What is held against the rules, and what is found to break them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from pmo_analytics.optimization.checker.question import to_float


class Selection(NamedTuple):
    """What a schedule selects."""

    starts: Mapping[str, int]
    unread: Collection[str]  # selected, with a start that cannot be read
    bought: Mapping[tuple[str, int], Fraction]  # role, period -> FTE

    @property
    def present(self) -> Collection[str]:
        """All that is selected."""
        return {*self.starts, *self.unread}


def violation(
    rule: str,
    subject: str,
    message: str,
    period: int | None = None,
    found: object = None,
    limit: object = None,
) -> dict[str, Any]:
    """Return one row of the table of violations."""
    return {
        "rule": rule,
        "subject": subject,
        "period": period,
        "found": found,
        "limit": limit,
        "message": message,
    }


def amount(value: Fraction) -> str:
    """Return an amount as a message has it."""
    text = f"{to_float(value):,.6f}".rstrip("0").rstrip(".")
    return text if text not in ("0", "-0") or not value else f"{to_float(value):.3g}"
