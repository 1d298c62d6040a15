"""The families of constraints, each written in one module, in the order of their rows.

x[k] = 1 if option k (a project with a start) is taken; Y_p is the sum of x over the
options of p. A family writes rows as (label, columns with coefficients, lower, upper);
the sinks (`array_sink`, `pulp_sink`) store them and know no family.
"""

from __future__ import annotations

from collections.abc import Callable

from pmo_analytics.optimization.model.families import (
    choices,
    dependencies,
    distinct,
    groups,
    hires,
    linear,
    resources,
)
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import Rows

Write = Callable[[Rows, Options], None]

# Family -> what writes it.
FAMILIES: dict[str, Write] = {
    "choices": choices.write,
    "resources": resources.write,
    "dependencies": dependencies.write,
    "groups": groups.write,
    "linear": linear.write,
    "hires": hires.write,
    "distinct": distinct.write,
}
# Families with columns of their own, which only solvers are to see.
WITH_COLUMNS = frozenset({"distinct"})


def write_rows(options: Options, *, with_columns: bool) -> Rows:
    """Return all rows of a model over the options and purchases.

    Parameters
    ----------
    with_columns
        Those of families that need columns of their own, too.
    """
    rows = Rows()
    for family, write in FAMILIES.items():
        if with_columns or family not in WITH_COLUMNS:
            write(rows, options)
    return rows
