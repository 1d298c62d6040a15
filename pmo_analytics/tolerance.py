"""By how much a limit may be exceeded without being broken: one answer for all.

FTE may be exceeded by 1e-6, whatever the size. Money, own rules and counts may be
exceeded by what floats of the tables' own numbers can err by, 2^-52 of the sum of the
absolute amounts that were added, and by nothing more: 0.1 + 0.2 keeps a limit of 0.3,
and a cent over ten billion does not.

Floats are compared first. Where they cannot tell, the decimal numbers that the tables
show are added up exactly. The checker has its own twin of this (`certify_tolerance`).

A module of its own, which imports nothing of the package: the solver's process needs
the numbers, and no table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

# Of FTE, absolute.
TOLERANCE = 1e-6
# Of everything else, as a share of what was added up.
ROUNDING = 2.0**-52
# What float sums are trusted to, as a share of what was added up.
_TRUSTED = 64 * ROUNDING


def written(number: float) -> Fraction:
    """Return the decimal number that a float shows, exactly."""
    return Fraction(Decimal(repr(float(number))))


def exact_sum(amounts: Iterable[float]) -> Fraction:
    """Return the sum of the decimal numbers that floats show."""
    return sum(map(written, amounts), Fraction(0))


def rounding(amounts: Iterable[float]) -> float:
    """Return what the sum of amounts, no FTE, may be off by."""
    return ROUNDING * math.fsum(map(abs, amounts))


def exceeds(
    amounts: Iterable[float],
    limit: float | Fraction,
    *,
    fte: bool = False,
    below: bool = False,
) -> bool:
    """Return whether amounts add up to more than a limit, beyond the tolerance.

    Parameters
    ----------
    amounts
        What is added up, one number per row of a table.
    limit
        A number of a table, or an exact sum; NaN and infinite = nothing limits it.
    fte
        The amounts are FTE.
    below
        Ask instead whether they add up to less than the limit.
    """
    if not isinstance(limit, Fraction) and not math.isfinite(limit):
        return False
    amounts = [float(amount) for amount in amounts]
    sign = -1 if below else 1
    size = math.fsum(map(abs, amounts))
    granted = TOLERANCE if fte else ROUNDING * size
    over = sign * (math.fsum(amounts) - float(limit)) - granted
    if abs(over) > _TRUSTED * (size + abs(float(limit))):
        return over > 0
    exact = limit if isinstance(limit, Fraction) else written(limit)
    allowed = (
        written(TOLERANCE) if fte else Fraction(ROUNDING) * exact_sum(map(abs, amounts))
    )
    return sign * (exact_sum(amounts) - exact) > allowed
