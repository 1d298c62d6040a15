"""At most N different themes at work in a period, see `counts`.

Over a column z per theme and period, 1 where the theme is at work:

- sum of the options of p at work in t <= z, for every project p of the theme;
- sum of z over the themes in t        <= N.
"""

from __future__ import annotations

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import Rows


def write(rows: Rows, options: Options) -> None:
    """Write the counts, their columns after those of options and purchases."""
    columns = len(options.project) + len(options.buy.resource)
    options.counts.write(rows, columns)
