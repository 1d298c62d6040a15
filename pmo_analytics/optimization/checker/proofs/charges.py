"""What the multipliers of a certificate charge: limits, uses, starts of projects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.proofs.cut_reading import Cut
from pmo_analytics.optimization.checker.proofs.cuts import ByStart
from pmo_analytics.optimization.checker.question import (
    Budget,
)


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


def side_of(value: object, sides: tuple[str, ...]) -> str:
    """Return which side of a row an entry names."""
    if not isinstance(value, str) or value not in sides:
        raise ConfigError(f"unknown side {value!r}; use {' or '.join(sides)}.")
    return value
