"""Prices of the rows by Lagrangian ascent, where the LP relaxation takes too long.

Any prices at all prove a bound (`bound_of_prices`); these get near the LP relaxation's
in seconds on sizes where an LP solver needs minutes.
"""

from __future__ import annotations

import time

import numpy as np

from pmo_analytics.optimization.model.array_sink import Matrix, bound_of_prices
from pmo_analytics.optimization.model.instance import Options

# Iterations without a better bound after which the step is halved.
_PATIENCE = 20
_SMALLEST_STEP = 1e-3
# How much of the direction before is kept, as Camerini, Fratta and Maffioli deflect it
# (Mathematical Programming Study 3, 1975).
_MEMORY = 0.7


def ascend(
    options: Options, matrix: Matrix, known: float, seconds: float
) -> tuple[np.ndarray, float]:
    """Return prices of all rows and the bound that they prove.

    Projected subgradient steps of Polyak's length towards a level between the bound
    and the best plan known; for rows scaled to unit length.

    Parameters
    ----------
    known
        Objective of a feasible plan.
    seconds
        Wall clock.
    """
    end = time.monotonic() + seconds
    a = matrix.a
    rows = a.shape[0]
    counted = np.array([label is not None for label in matrix.labels], dtype=bool)
    up = np.isfinite(matrix.upper) & counted
    down = np.isfinite(matrix.lower) & counted
    lowest = np.where(down, -np.inf, 0.0)
    highest = np.where(up, np.inf, 0.0)
    upper = np.where(up, matrix.upper, np.inf)
    lower = np.where(down, matrix.lower, -np.inf)
    length = np.sqrt(np.bincount(a.indices, a.data**2, minlength=rows))
    length = np.maximum(length, 1e-9)
    transposed = a.T.tocsr()
    first = options.first[:-1][np.diff(options.first) > 0]
    must = options.must[np.diff(options.first) > 0]
    price = np.zeros(rows)
    best_price, best = price, bound_of_prices(options, matrix, price)
    direction = np.zeros(rows)
    step, still = 1.0, 0
    while time.monotonic() < end and step > _SMALLEST_STEP:
        reduced = options.worth - transposed @ (price / length)
        top = np.maximum.reduceat(reduced, first)
        taken = must | (top > 0)
        side = np.where(price > 0, upper, np.where(price < 0, lower, 0.0))
        value = float((price / length) @ side + top[taken].sum())
        if value < best - 1e-6 * abs(best):
            best, best_price, still = value, price.copy(), 0
        else:
            still += 1
            if still >= _PATIENCE:
                step, still = step / 2.0, 0
                price = best_price.copy()
                direction[:] = 0.0
                continue
        chosen = _argmax(reduced, options.first, top)[taken]
        x = np.zeros(a.shape[1])
        x[chosen] = 1.0
        use = a @ x
        broken = np.maximum(use - upper, 0.0) + np.minimum(use - lower, 0.0)
        broken = np.where(price > 0, use - upper, broken)
        slope = np.where(price < 0, use - lower, broken) / length
        direction = slope + _MEMORY * direction
        norm = float(direction @ direction)
        if norm <= 1e-18:
            break
        aim = max(value - known, 1e-4 * abs(value))
        price = np.clip(price + step * aim / norm * direction, lowest, highest)
    return best_price / length, bound_of_prices(options, matrix, best_price / length)


def _argmax(values: np.ndarray, first: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Return the place of the largest value of each stretch that is not empty."""
    size = np.diff(first)
    size = size[size > 0]
    at = np.flatnonzero(values >= np.repeat(top, size))
    owner = np.repeat(np.arange(len(size)), size)[at]
    _, place = np.unique(owner, return_index=True)
    return np.asarray(at[place])
