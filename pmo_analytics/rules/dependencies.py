"""Which project has to be served by which other one, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


class Requirement:
    """One dependency that still has to be served by a selected project.

    Attributes
    ----------
    project, requires, kind
        As in the table.
    targets
        Projects that could serve it, in table order.
    """

    def __init__(
        self,
        project: str,
        requires: str,
        kind: str,
        targets: list[str],
        spans: dict[str, tuple[int, int | None]],
    ) -> None:
        self.project = project
        self.requires = requires
        self.kind = kind
        self.targets = targets
        self.spans = spans

    def served(self, start: int, target: str, target_start: int) -> bool:
        """Return whether a target that starts then serves a start of the project."""
        if self.kind == "selected":
            return True
        least, most = self.spans[target]
        lag = start - target_start
        return lag >= least and (most is None or lag <= most)


def requirements(portfolio: Portfolio, windows: pd.DataFrame) -> list[Requirement]:
    """Return the dependencies in force, those of done work left out.

    Each target has the least and the most periods from its start to the start of
    the project that requires it.
    """
    members = {
        str(group): list(rows["project"])
        for group, rows in portfolio.groups.groupby("group", sort=False)
    }
    state = windows["state"].to_dict()
    durations = windows["duration"].to_dict()
    result = []
    for row in portfolio.dependencies.to_dict("records"):
        j, requires, kind = row["project"], row["requires"], row["kind"]
        if state[j] != "live":
            continue
        single = requires in state
        named = [requires] if single else [i for i in members[requires] if i != j]
        if any(state[i] == "done" for i in named):
            continue
        lag = int(row["lag"])
        lag_max = None if pd.isna(row["lag_max"]) else int(row["lag_max"])
        spans = {}
        for i in named:
            length = int(durations[i]) if kind == "finish_start" else 0
            most = None if lag_max is None else length + lag_max
            spans[i] = (length + lag, most)
        targets = [i for i in named if state[i] == "live"]
        result.append(Requirement(j, requires, kind, targets, spans))
    return result
