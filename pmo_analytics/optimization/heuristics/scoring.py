"""Which options are tried first: worth per cost at prices of what is limited."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options


def scarcity(options: Options) -> np.ndarray:
    """Return 1 / limit of each limited thing, 0 where nothing limits it, (M,)."""
    scarce = np.zeros(len(options.limit))
    limited = np.isfinite(options.limit) & (options.limit > 0)
    scarce[limited] = 1.0 / options.limit[limited]
    return scarce


def density(
    options: Options, prices: np.ndarray, adjusted: np.ndarray | None = None
) -> np.ndarray:
    """Return the worth per cost of each option, above 0, (N,).

    Parameters
    ----------
    prices
        Shape (M,), at least 0.
    adjusted
        Worth of each option with what it does for others; None = its worth.
    """
    o = options
    typical = float(np.median(o.worth[o.worth > 0])) if (o.worth > 0).any() else 1.0
    count = max(float(np.median(np.diff(o.use.first))), 1.0)
    # Every thing costs a little, or options that use only free ones rank endless.
    floor = 0.02 * typical / count
    each = prices + floor * scarcity(o)
    cost = np.bincount(
        o.use_option(), o.use.amount * each[o.use.row], minlength=len(o.project)
    )
    worth = o.worth if adjusted is None else adjusted
    score = np.where(worth > 0, worth / np.maximum(cost, 1e-9 * typical), worth * 1e-6)
    return np.maximum(score, 1e-12)
