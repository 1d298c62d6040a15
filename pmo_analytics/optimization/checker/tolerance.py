"""By how much a limit may be exceeded, for the checker: exact, and its own.

FTE by 1e-6. Money, own rules and counts by 2^-52 of the sum of the absolute amounts
that were added, which is what floats of the tables' own numbers can err by.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

# Of FTE, absolute.
TOLERANCE = Fraction(1, 10**6)
_ROUNDING = Fraction(1, 2**52)


def largest_rounding(
    amounts: Iterable[Fraction], limits: Iterable[Fraction | None]
) -> Fraction:
    """Return what any sum may be off by that keeps these limits, or is below them.

    Without negative amounts a sum is as large as its absolute amounts, so that no more
    than the limits counts.

    Parameters
    ----------
    amounts
        All that may be added.
    limits
        Of the sum; None = none.
    """
    listed = list(amounts)
    size = sum(map(abs, listed), Fraction(0))
    given = [abs(limit) for limit in limits if limit is not None]
    if given and min(listed, default=Fraction(0)) >= 0:
        size = min(size, max(given) / (1 - _ROUNDING))
    return rounding(size)


def rounding(size: Fraction) -> Fraction:
    """Return what a sum may be off by that is no FTE.

    Parameters
    ----------
    size
        Sum of the absolute amounts that were added.
    """
    return _ROUNDING * size
