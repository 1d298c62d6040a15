"""How finely the rows of money and of own rules are counted.

Sums of floats are compared with a limit in the searches, and by solvers with tolerances
of their own. So each row is given a slack, by which floats may exceed the limit and are
still within it, and a unit, in which a solver is to see it. Where all amounts are whole
multiples of one number the slack lies half way to the next sum there can be: then the
answer of floats is the exact one, also after a million additions. What slips through in
rows without such a number is refused by the checker.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from pmo_analytics.tolerance import ROUNDING, written

# The largest coefficient that a solver is shown: its tolerances of 1e-7 then tell a
# cent from ten billion, and its sums are still exact enough.
_LARGEST = 2.0**20
# Numbers up to here are whole in floats.
_WHOLE = 2.0**53
_DIGITS = 22


def common_part(amounts: np.ndarray) -> Fraction | None:
    """Return the largest number that all amounts are whole multiples of.

    None where there are no amounts, or they have more digits than can be counted.
    """
    sizes = np.unique(np.abs(amounts))
    sizes = sizes[sizes > 0]
    if not len(sizes) or not np.isfinite(sizes).all():
        return None
    for digits in range(_DIGITS + 1):
        whole = np.round(sizes * 10.0**digits)
        if whole[-1] >= _WHOLE:
            return None
        # Both are exact, so that the quotient is the float of the decimal number.
        if (whole / 10.0**digits == sizes).all():
            step = int(np.gcd.reduce(whole.astype(np.int64)))
            return Fraction(step, 10**digits)
    return None


def grain(
    amounts: np.ndarray,
    most: float,
    largest: float,
    upper: float | Fraction,
    lower: float | Fraction,
) -> tuple[float, float]:
    """Return the slack and the unit of one row.

    Parameters
    ----------
    amounts
        What is added up, as the tables have it.
    most
        The largest sum of absolute amounts there can be.
    largest
        The largest amount of one option.
    upper, lower
        The limits, infinite or NaN where there is none.
    """
    given = [abs(float(limit)) for limit in (upper, lower) if math.isfinite(limit)]
    size = max(given, default=most)
    # Where nothing is negative, what keeps a limit adds up to no more than that.
    noise = 2.0 * ROUNDING * (most if (amounts < 0).any() else min(size, most))
    part = common_part(amounts)
    unit = max(largest / _LARGEST, float(part or 0.0)) or 1.0
    if part is None or float(part) <= 8.0 * noise or most / float(part) >= _WHOLE:
        return noise, unit
    slack = part / 2
    if not isinstance(upper, float) or math.isfinite(upper):
        limit = upper if isinstance(upper, Fraction) else written(upper)
        fits = math.floor((limit + Fraction(ROUNDING) * abs(limit)) / part)
        slack = min(slack, ((fits + 1) * part - limit) / 2)
    if not isinstance(lower, float) or math.isfinite(lower):
        limit = lower if isinstance(lower, Fraction) else written(lower)
        fits = math.ceil((limit - Fraction(ROUNDING) * abs(limit)) / part)
        slack = min(slack, (limit - (fits - 1) * part) / 2)
    return max(float(slack), noise), unit
