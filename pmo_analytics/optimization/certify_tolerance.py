"""By how much a limit may be exceeded, for the checker: exact, and its own.

FTE by 1e-6. Money, own rules and counts by 2^-52 of the sum of the absolute amounts
that were added, which is what floats of the tables' own numbers can err by.
"""

from __future__ import annotations

from fractions import Fraction

# Of FTE, absolute.
TOLERANCE = Fraction(1, 10**6)
_ROUNDING = Fraction(1, 2**52)


def rounding(size: Fraction) -> Fraction:
    """Return what a sum may be off by that is no FTE.

    Parameters
    ----------
    size
        Sum of the absolute amounts that were added.
    """
    return _ROUNDING * size
