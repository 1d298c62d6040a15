"""What an option costs: others, the project itself, and being late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.rules import worth
from pmo_analytics.tracking.recovery.options import OPTIONS
from pmo_analytics.tracking.recovery.reasons import Trouble

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = (
    *("option", "what", "status", "finish", "late", "deadline_missed"),
    *("cost", "rest_cost", "rest_cost_low", "own_cost", "late_cost"),
    *("purchases", "moved", "moved_projects", "objective", "bound", "checked"),
)
_WHOLE = ("late", "deadline_missed", "moved")


def late_price(
    portfolio: Portfolio,
    trouble: Trouble,
    starts: Mapping[str, int],
    given: float | None,
) -> tuple[float, str]:
    """Return what a period late counts as, and where that comes from.

    Nobody may have said: then it is what the project is worth by its planned periods,
    as if each of them earned its share; of a project that is worth nothing by itself
    what the others of the plan are worth by theirs.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    starts
        Plan of record.
    given
        What was asked for, in the unit of the objective; None = nothing.

    Raises
    ------
    ConfigError
        If that is no price.
    """
    if given is not None:
        if not 0 <= given < np.inf:
            raise ConfigError(f"late_price must be 0 or more, not {given!r}.")
        return given, f"A period late counts as {given:,.6g}, as was asked."
    name = trouble.project
    length = portfolio.projects.set_index("project")["duration"].astype(float)
    values = worth(portfolio, starts)
    own = float(values.get(name, 0.0))
    planned = max(int(length[name]) - trouble.late, 1)
    price = own / planned
    why = f"'{name}' is worth {own:,.6g} and was planned in {planned}"
    if not own > 0:
        others = values[values > 0]
        periods = length.reindex(others.index).sum()
        price = float(others.sum() / periods) if len(others) else 0.0
        why = f"'{name}' has no worth of its own; the others of the plan earn so much"
    return price, (
        f"A period late counts as {price:,.6g}, which nobody priced: {why}"
        " (--late-price sets another)."
    )


def ranked(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return the table of options: the cheapest first, what is impossible last."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(_WHOLE, "Int64"))
    order = table.assign(
        place=table["status"].map({"ok": 0, "infeasible": 1}).fillna(2),
        cost=table["cost"].astype(float).round(6),
        rest=table["rest_cost"].astype(float).round(6),
        kind=table["option"].map(OPTIONS.index),
    ).sort_values(["place", "cost", "late", "rest", "kind"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)
