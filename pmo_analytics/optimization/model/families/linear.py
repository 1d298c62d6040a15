"""Own rules with weights of either sign: sums of weights between their limits."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel, Rows


def write(rows: Rows, options: Options) -> None:
    """Write the upper limits, then the lower ones."""
    o = options
    free = np.full(len(o.linear.lower), np.inf)
    _write_side(rows, o, "linear_most", -free, o.linear.upper)
    _write_side(rows, o, "linear_least", o.linear.lower, free)


def _write_side(
    rows: Rows, o: Options, form: str, lower: np.ndarray, upper: np.ndarray
) -> None:
    kept = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
    place = np.full(len(lower), -1)
    place[kept] = np.arange(len(kept))
    row = place[np.repeat(np.arange(len(lower)), np.diff(o.linear.first))]
    entry = row >= 0
    rows.add_block(
        [RowLabel(form, int(r)) for r in kept],
        row[entry],
        o.linear.option[entry],
        o.linear.weight[entry],
        lower[kept],
        upper[kept],
    )
