"""The worth of starts, discounted in whole numbers and rounded up, for the checker."""

from __future__ import annotations

import math
from fractions import Fraction

from pmo_analytics.optimization.checker.question import Project, Question
from pmo_analytics.optimization.checker.record import gain_at

# Powers of the discount factor are rounded outward on this grid.
GRID = 10**40


def worth_of_starts(question: Question, project: Project) -> list[Fraction]:
    """Return the worth at each allowed start; with discounting, rounded up."""
    unit = question.worth.unit * GRID
    above = worth_above(question, project, Powers(question.worth.growth))
    return [Fraction(worth, unit) for worth in above]


class Powers:
    """Bounds of (1 + discount) ** -k, as whole multiples of 1/GRID."""

    def __init__(self, growth: Fraction) -> None:
        self.growth = growth
        self.known: dict[int, tuple[int, int]] = {}

    def __call__(self, k: int) -> tuple[int, int]:
        """Return at least and at most how much the power of -k is, on the grid."""
        if k not in self.known:
            base = 1 / self.growth if k >= 0 else self.growth
            low = base.numerator * GRID // base.denominator
            high = -(-base.numerator * GRID // base.denominator)
            bounds, left = (GRID, GRID), abs(k)
            while left:
                if left & 1:
                    bounds = _times(bounds, (low, high))
                low, high = _times((low, high), (low, high))
                left >>= 1
            self.known[k] = bounds
        return self.known[k]


def _times(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Return the product of two positive intervals on the grid, rounded outward."""
    return a[0] * b[0] // GRID, -(-a[1] * b[1] // GRID)


def worth_above(question: Question, project: Project, powers: Powers) -> list[int]:
    """Return the worth at each allowed start, rounded up, in 1/(unit x grid)."""
    amounts = question.worth.amounts.get(project.name, {})
    # Rounded up at offset 0; then the factor that makes the product larger.
    ahead = sum(
        units * powers(offset)[1 if units > 0 else 0]
        for offset, units in amounts.items()
    )
    shifts = [powers(0 if project.running else s) for s in project.allowed]
    worth = [-(-ahead * shift[1 if ahead > 0 else 0] // GRID) for shift in shifts]
    if question.record is None:
        return worth
    unit = question.worth.unit * GRID
    gains = [gain_at(question, project, s) for s in project.allowed]
    return [w + math.ceil(g * unit) for w, g in zip(worth, gains, strict=True)]
