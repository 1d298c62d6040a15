"""Groups: counts over Y_p, and all or none."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import ALL, NONE, TOGETHER, Options
from pmo_analytics.optimization.model.rows import RowLabel, Rows


def write(rows: Rows, options: Options) -> None:
    """Write count limits, and what all-or-none asks of each member."""
    o = options
    for g, whole in enumerate(o.group.all.tolist()):
        members = o.group.project[o.group.first[g] : o.group.first[g + 1]].tolist()
        if whole in (ALL, NONE):
            wanted = 1.0 if whole == ALL else 0.0
            for p in members:
                rows.add(RowLabel("same", g, p), [(o.span(p), 1.0)], wanted, wanted)
        elif whole == TOGETHER:
            for p in members[1:]:
                pieces = [(o.span(p), 1.0), (o.span(members[0]), -1.0)]
                rows.add(RowLabel("same", g, p), pieces, 0.0, 0.0)
        else:
            pieces = [(o.span(p), 1.0) for p in members]
            most, least = float(o.group.most[g]), float(o.group.least[g])
            if o.group.most[g] < len(members):
                rows.add(RowLabel("at_most", g), pieces, -np.inf, most)
            if least > 0:
                rows.add(RowLabel("at_least", g), pieces, least, np.inf)
