"""The walk of smoothing through the past, as machine code.

The same sums in the same order as `fitting._go`, so the same numbers to the last digit;
series by series, which needs no memory between one step and the next. Loads numba: who
needs it imports it inside a function.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.processes import compiled

_TRENDS = {"": 0, "h": 1, "c": 1, "a": 2, "d": 3, "x": 4}
_SEASONS = {"": 0, "a": 1, "m": 2}


def steps(
    y: np.ndarray, first: np.ndarray, state: np.ndarray, trend: str, season: str
) -> np.ndarray:
    """Take states (N, P, S) through the past (T, S), in place; return errors (S, P, T).

    Parameters
    ----------
    y, first, trend, season
        As of `fitting.Past`.
    """
    errors = np.zeros((state.shape[2], state.shape[1], len(y)))
    kind = _TRENDS[trend], _SEASONS[season]
    _go(y, first, state, np.empty(state.shape[:2]), errors, *kind)
    return errors


@compiled
def _go(
    y: np.ndarray,
    first: np.ndarray,
    state: np.ndarray,
    own: np.ndarray,
    errors: np.ndarray,
    trend: int,
    season: int,
) -> None:
    """As `fitting._go`, with the states of one series at a time in `own` (N, P)."""
    numbers, lanes, count = state.shape
    for s in range(count):
        for n in range(numbers):
            for p in range(lanes):
                own[n, p] = state[n, p, s]
        for t in range(first[s], y.shape[0]):
            place = 6 + t % (numbers - 6)
            for p in range(lanes):
                level, rise = own[4, p], own[5, p]
                if trend == 3:
                    rise = own[3, p] * rise
                if trend == 4:
                    # As `fitting._go_complex`.
                    alpha, growth = own[0, p], own[1, p]
                    error = y[t, s] - level
                    own[4, p] = (level + growth * rise) + (alpha - growth) * error
                    own[5, p] = (level - alpha * rise) + (alpha + growth + 2.0) * error
                    errors[s, p, t] = error
                    continue
                if trend > 0:
                    level = level + rise
                if season == 0:
                    error = y[t, s] - level
                    base = error
                elif season == 1:
                    error = y[t, s] - (level + own[place, p])
                    own[place, p] = own[place, p] + own[2, p] * error
                    base = error
                else:
                    error = y[t, s] - level * own[place, p]
                    base = error / own[place, p]
                    own[place, p] = own[place, p] + (own[2, p] * error) / level
                own[4, p] = level + own[0, p] * base
                if trend > 1:
                    rise = rise + own[1, p] * base
                own[5, p] = rise
                errors[s, p, t] = error
        for n in range(numbers):
            for p in range(lanes):
                state[n, p, s] = own[n, p]
