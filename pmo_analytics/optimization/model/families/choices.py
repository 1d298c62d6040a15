"""Each project starts once, or at most once: Y_p <= 1, or = 1 where it must."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import Rows


def write(rows: Rows, options: Options) -> None:
    """Write a row for every project that could start twice, or has to start."""
    count = np.diff(options.first)
    kept = np.flatnonzero(options.must | (count > 1))
    place = np.full(len(count), -1)
    place[kept] = np.arange(len(kept))
    own = place[options.project]
    columns = np.flatnonzero(own >= 0)
    rows.add_block(
        [None] * len(kept),
        own[columns],
        columns,
        np.ones(len(columns)),
        np.where(options.must[kept], 1.0, -np.inf),
        np.ones(len(kept)),
    )
