"""What makes a forecast of draws: learnt widths, and facts for a manifest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.uncertainty import QUANTILES, TOLERANCE, Forecast, Why

__all__ = ["QUANTILES", "TOLERANCE", "Forecast", "Why", "facts_of", "widened"]

# A learnt factor outside of this is a break in the data, not a lesson.
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 3.0


def widened(
    draws: np.ndarray,
    roles: tuple[str, ...],
    quantity: str,
    accuracy: pd.DataFrame | None,
) -> np.ndarray:
    """Return draws spread around their median as past forecasts turned out.

    Parameters
    ----------
    draws
        Shape (draws, periods, roles); the first period has lead 1.
    accuracy
        Columns `role, lead, quantity, factor`: how much wider intervals should have
        been; leads beyond the last known one take that one's.
    """
    if accuracy is None or not len(accuracy):
        return draws
    rows = accuracy[accuracy["quantity"] == quantity]
    factor = np.ones(draws.shape[1:])
    leads = np.arange(1, draws.shape[1] + 1)
    for role, known in rows.sort_values("lead").groupby("role"):
        if role in roles:
            at = known["lead"].to_numpy(dtype=float)
            values = known["factor"].to_numpy(dtype=float)
            factor[:, roles.index(str(role))] = np.interp(leads, at, values)
    factor = np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR)
    middle = np.median(draws, axis=0)
    return np.asarray(middle + factor * (draws - middle))


def facts_of(forecast: Forecast) -> dict[str, Any]:
    """Return what a manifest says of a forecast."""
    return {
        "draws": len(forecast.draws),
        "seed": forecast.seed,
        "scope": forecast.scope,
        "notes": list(forecast.notes),
    }
