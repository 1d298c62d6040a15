"""Forecasts from several origins, as if it were then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmo_analytics.forecasting.models.members import Memory
from pmo_analytics.forecasting.models.registry import Model, remembering


class Remembered:
    """Numbers of models by the past they were fitted to: no past is fitted twice.

    Of the same series in the same rows, such as those of several cutoffs.
    """

    def __init__(self) -> None:
        self._known: list[tuple[np.ndarray, Memory]] = []

    def recall(self, past: np.ndarray) -> Memory:
        """Return what is known of series (S, T), by their rows."""
        memory: Memory = {}
        for before, known in self._known:
            if before.shape != past.shape:
                continue
            same = ((before == past) | (np.isnan(before) & np.isnan(past))).all(axis=1)
            for key, numbers in known.items():
                own = memory.setdefault(key, np.full_like(numbers, np.nan))
                rows = same & np.isfinite(numbers[:, 0])
                own[rows] = numbers[rows]
        return memory

    def keep(self, past: np.ndarray, memory: Memory) -> None:
        """Remember the numbers of series (S, T)."""
        whole = {}
        for key, numbers in memory.items():
            whole[key] = np.full((len(past), numbers.shape[1]), np.nan)
            whole[key][: len(numbers)] = numbers
        self._known.append((past.copy(), whole))


def rolling_origin(
    y: np.ndarray,
    origins: list[int],
    horizon: int,
    season: int,
    model: Model,
    *,
    pasts: Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast from several origins at once.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    origins
        Columns at which the future begins, above 0.
    pasts
        What is forecast from at each origin, as long; by default `y` before it.

    Returns
    -------
    tuple of ndarray
        Forecasts and actual values, shape (S, origins, horizon); actual values that are
        not known are NaN.
    """
    past, actual = _pasts(y, origins, horizon, pasts)
    told = model(past.reshape(-1, y.shape[1]), horizon, season)
    return told.reshape(len(origins), len(y), horizon).transpose(1, 0, 2), actual


def walked_on(
    y: np.ndarray,
    origins: list[int],
    horizon: int,
    season: int,
    model: Model,
    known: Remembered | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast from several origins, ascending, with what was fitted at the first one.

    As `rolling_origin`, a dozen times as fast: a model that remembers its numbers is
    fitted to what was known at the first origin, and goes on from there with the values
    that came in. Other models are fitted again.
    """
    fit = remembering(model)
    if fit is None:
        return rolling_origin(y, origins, horizon, season, model)
    past, actual = _pasts(y, origins, horizon, None)
    begin, count = origins[0], len(y)
    first = y[:, :begin]
    memory = {} if known is None else known.recall(first)
    told = [fit(past[0], horizon, season, memory)]
    if known is not None:
        known.keep(first, memory)
    if len(origins) > 1:
        # A series without a value had nothing to be fitted to.
        empty = ~np.isfinite(first).any(axis=1)
        later: Memory = {}
        for key, numbers in memory.items():
            whole = np.full((count, numbers.shape[1]), np.nan)
            whole[: len(numbers)] = numbers
            whole[empty] = np.nan
            later[key] = np.tile(whole, (len(origins) - 1, 1))
        rest = past[1:].reshape(-1, y.shape[1])
        told.extend(fit(rest, horizon, season, later).reshape(-1, count, horizon))
    return np.array(told).transpose(1, 0, 2), actual


def _pasts(
    y: np.ndarray,
    origins: list[int],
    horizon: int,
    pasts: Sequence[np.ndarray] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return pasts (origins, S, T), all ending at the right, and what came after."""
    count, periods = y.shape
    past = np.full((len(origins), count, periods), np.nan)
    actual = np.full((count, len(origins), horizon), np.nan)
    for k, origin in enumerate(origins):
        past[k, :, periods - origin :] = y[:, :origin] if pasts is None else pasts[k]
        known = y[:, origin : origin + horizon]
        actual[:, k, : known.shape[1]] = known
    return past, actual
