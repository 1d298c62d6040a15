"""The families of constraints, each written in one module, in the order of their rows.

x[k] = 1 if option k (a project with a start) is taken; Y_p is the sum of x over the
options of p. A family writes rows as (label, columns with coefficients, lower, upper);
the sinks (`array_sink`, `pulp_sink`) store them and know no family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Family:
    """One family of constraints.

    Attributes
    ----------
    write
        Writes its rows.
    clauses
        Form of its labelled rows -> the numbers of a rulebook (`Rulebook.job`) that
        may hold the rule to which such a row belongs.
    amounts
        Its rows say how much, and not how many or whether.
    with_columns
        It has columns of its own, which only solvers are to see.
    """

    write: Callable[[Rows, Options], None]
    clauses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amounts: bool = False
    with_columns: bool = False


_GROUP = dict.fromkeys(("at_most", "at_least", "same"), ("group",))
_DEPENDENCY = dict.fromkeys(("by", "after", "at", "selected"), ("dependency",))

FAMILIES: dict[str, Family] = {
    "choices": Family(choices.write),
    "resources": Family(
        resources.write,
        {
            "limit": ("capacity", "budget", "linear_resource"),
            "least": ("budget_at_least", "linear_resource"),
        },
        amounts=True,
    ),
    "dependencies": Family(dependencies.write, _DEPENDENCY),
    "groups": Family(groups.write, _GROUP),
    "linear": Family(
        linear.write,
        dict.fromkeys(("linear_most", "linear_least"), ("linear_row",)),
        amounts=True,
    ),
    "hires": Family(hires.write),
    "distinct": Family(
        distinct.write,
        {"distinct": ("distinct",), "opens": ()},
        amounts=True,
        with_columns=True,
    ),
}
# Form of a row -> where a rulebook has its rule.
CLAUSES = {
    form: kinds
    for family in FAMILIES.values()
    for form, kinds in family.clauses.items()
}
# Forms that say how much.
AMOUNTS = frozenset(
    form
    for family in FAMILIES.values()
    if family.amounts
    for form, kinds in family.clauses.items()
    if kinds
)


def write_rows(options: Options, *, with_columns: bool) -> Rows:
    """Return all rows of a model over the options and purchases.

    Parameters
    ----------
    with_columns
        Those of families that need columns of their own, too.
    """
    rows = Rows()
    for family in FAMILIES.values():
        if with_columns or not family.with_columns:
            family.write(rows, options)
    return rows
