"""All hires of one offer, whenever they begin, are at most its limit."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import Rows


def write(rows: Rows, options: Options) -> None:
    """Write the shares of each hire, together at most 1."""
    for hire in np.unique(options.buy.joint[options.buy.joint >= 0]):
        columns = len(options.project) + np.flatnonzero(options.buy.joint == hire)
        rows.add(None, [(columns, 1.0)], -np.inf, 1.0)
