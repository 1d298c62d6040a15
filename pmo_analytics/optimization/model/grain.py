"""How finely the rows of people, of money and of own rules are counted.

Sums of floats are compared with a limit in the searches, and by solvers with tolerances
of their own. So each row is given a slack, by which floats may exceed the limit and are
still within it, and a unit, in which a solver is to see it. Where all amounts are whole
multiples of one number the slack lies half way to the next sum there can be: then the
answer of floats is the exact one, also after a million additions. What slips through in
rows without such a number is refused by the checker.

FTE may exceed a limit by 1e-6, which solvers are not told: they have tolerances of that
size themselves. Where some sum there can be lies in between, that sum is the limit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.tolerance import ROUNDING, TOLERANCE, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.rules import Limits

# The largest coefficient that a solver is shown: its tolerances of 1e-7 then tell a
# cent from ten billion, and its sums are still exact enough.
_LARGEST = 2.0**20
# Numbers up to here are whole in floats.
_WHOLE = 2.0**53
_DIGITS = 22
# A limit that the next sum exceeds by less than this many FTE is near to it: a solver
# is to see the row in fine units.
_NEAR = 1e-5


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


def people_grain(
    limit: Fraction, part: Fraction | None, largest: float
) -> tuple[float, float, float]:
    """Return the limit that a solver is to keep, the slack and the unit of one row.

    Parameters
    ----------
    limit
        FTE that there are.
    part
        What all amounts are whole multiples of, None where that is not known.
    largest
        The largest amount.
    """
    granted = limit + written(TOLERANCE)
    if part is None:
        noise = 4.0 * ROUNDING * float(granted)
        return float(granted), noise, largest / _LARGEST or 1.0
    fits = granted // part * part
    near = fits > limit or fits + part - limit <= _NEAR
    unit = max(largest / _LARGEST, float(part)) if near else 1.0
    if fits <= limit:
        return float(limit), TOLERANCE, unit
    noise = 4.0 * ROUNDING * float(fits)
    return float(fits), max(min(TOLERANCE, float(part) / 2.0), noise), unit


def grant_people(
    portfolio: Portfolio,
    bounds: Limits,
    limit: np.ndarray,
    slack: np.ndarray,
    unit: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return limit, slack and unit of every limited thing, with what FTE are granted.

    Parameters
    ----------
    bounds
        The limits in force.
    limit, slack, unit
        Of every limited thing: each role's periods first, roles as in `bounds`.
    """
    limit, slack, unit = limit.copy(), slack.copy(), unit.copy()
    demand = portfolio.demand
    fte, role = demand["fte"].to_numpy(dtype=float), demand["role"]
    own = pd.Series(fte).groupby(role.to_numpy(dtype=object)).unique()
    given = np.maximum(bounds.capacity.to_numpy(), 0.0)
    periods = len(given)
    for r, name in enumerate(bounds.capacity.columns):
        amounts = own.get(name, np.zeros(0))
        part, largest = common_part(amounts), float(max(amounts, default=0.0))
        for t in range(periods if largest > 0 else 0):
            there = bounds.exact_capacity.get((t, r), written(given[t, r]))
            k = r * periods + t
            limit[k], slack[k], unit[k] = people_grain(there, part, largest)
    return limit, slack, unit
