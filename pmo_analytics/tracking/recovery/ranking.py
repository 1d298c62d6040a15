"""What an option costs: others, the project itself, and being late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.rules import worth
from pmo_analytics.tracking.recovery.options import OPTIONS, counted
from pmo_analytics.tracking.recovery.reasons import promise_of

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

COLUMNS = (
    *("option", "what", "status", "finish", "late", "deadline_missed"),
    *("cost", "rest_cost", "rest_cost_low", "own_cost", "late_cost"),
    *(
        "purchases",
        "others_late",
        "moved",
        "moved_projects",
        "objective",
        "bound",
        "checked",
    ),
)
_PLACES = {"ok": 0, "no_solution": 1, "infeasible": 2, "not possible": 3}
_WHOLE = ("late", "deadline_missed", "others_late", "moved")


@dataclass(frozen=True)
class LatePrice:
    """What a period late counts as.

    Nobody may have said: then it is what the project is worth by its planned periods,
    as if each of them earned its share; of a project that is worth nothing by itself
    what the projects of the plan are worth by theirs.

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

    portfolio: Portfolio
    starts: Mapping[str, int]
    given: float | None

    def __post_init__(self) -> None:
        if self.given is not None and not 0 <= self.given < np.inf:
            raise ConfigError(f"late_price must be 0 or more, not {self.given!r}.")

    @cached_property
    def _worth(self) -> pd.Series:
        return worth(self.portfolio, self.starts)

    @cached_property
    def _planned(self) -> pd.Series:
        """Periods of each project, as planned where a baseline says it."""
        length = self.portfolio.projects.set_index("project")["duration"].astype(float)
        for name in self.starts:
            promise, _ = promise_of(self.portfolio, name)
            if promise is not None:
                late = self.starts[name] + length[name] - 1 - promise
                length[name] = max(length[name] - max(late, 0), 1.0)
        return length

    def of(self, project: str) -> float:
        """Return the price of one project."""
        if self.given is not None:
            return self.given
        own = float(self._worth.get(project, 0.0))
        if own > 0:
            return own / float(self._planned[project])
        others = self._worth[self._worth > 0]
        periods = float(self._planned.reindex(others.index).sum())
        return float(others.sum()) / periods if periods else 0.0

    def says(self, project: str) -> str:
        """Return where the price comes from."""
        price = f"A period late counts as {self.of(project):,.0f}"
        if self.of(project) < 100:
            price = f"A period late counts as {self.of(project):,.4g}"
        if self.given is not None:
            return f"{price}, as was asked."
        own = float(self._worth.get(project, 0.0))
        why = f"'{project}' is worth {own:,.0f} and was planned in "
        why += counted(round(self._planned[project]))
        if not own > 0:
            why = f"'{project}' has no worth of its own; the others earn so much"
        return f"{price}: nobody priced it, and {why} (--late-price sets another)."

    def cost_of_others(
        self, plan: Plan, others: list[str]
    ) -> tuple[int, float, list[str]]:
        """Return how many periods later others break their own promises than before.

        With what that costs, and each in words.
        """
        periods, cost, said = 0, 0.0, []
        before = self.portfolio.projects.set_index("project")["duration"]
        after = plan.portfolio.projects.set_index("project")["duration"]
        for name in others:
            promise, by = promise_of(self.portfolio, name)
            if promise is None or name not in plan.starts:
                continue
            was = max(self.starts.get(name, 0) + int(before[name]) - 1 - promise, 0)
            late = max(plan.starts[name] + int(after[name]) - 1 - promise, 0)
            if late > was:
                periods += late - was
                cost += (late - was) * self.of(name)
                said.append(f"'{name}' ends {counted(late)} after {by}.")
        return periods, cost, said


def ranked(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return the table of options: the cheapest first, what is impossible last."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(_WHOLE, "Int64"))
    order = table.assign(
        place=table["status"]
        .map({"ok": 0, "no_solution": 1, "infeasible": 2})
        .fillna(3),
        cost=table["cost"].astype(float).round(6),
        rest=table["rest_cost"].astype(float).round(6),
        kind=table["option"].map(OPTIONS.index),
    ).sort_values(["place", "cost", "late", "rest", "kind"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)
