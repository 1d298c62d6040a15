"""What finished work of the same class really took, against its first plan.

Reference classes after Flyvbjerg (Project Management Journal 37(3), 2006): ratios are
drawn as they happened, never averaged, because overruns of IT work have fat tails
(Flyvbjerg, Budzier et al., Journal of Management Information Systems 39(3), 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# So many finished projects of its own make a class count as much as all the others.
_SHRINK = 8.0
# Ratios are cut here, and it is said: one data error must not rule the tail.
_LEAST_RATIO, _MOST_RATIO = 0.25, 5.0


@dataclass(frozen=True)
class Overruns:
    """Ratios of finished projects, each with its class.

    Attributes
    ----------
    duration, effort
        Real by first planned; one row a project.
    slip
        Periods that it began later than first planned.
    themes
        Class of each project.
    """

    duration: np.ndarray
    effort: np.ndarray
    slip: np.ndarray
    themes: np.ndarray
    note: str = ""

    def draw(self, theme: object, draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return row numbers, drawn more often from the same class the larger it is."""
        everyone = np.arange(len(self.duration))
        own = everyone[self.themes == theme]
        mixed = rng.choice(everyone, draws)
        if not len(own):
            return np.asarray(mixed)
        same = rng.random(draws) < len(own) / (len(own) + _SHRINK)
        return np.where(same, rng.choice(own, draws), mixed)


def read_overruns(portfolio: Portfolio) -> Overruns:
    """Return the overruns of the finished projects that have a baseline.

    The first baseline of each is what it is held against. Effort is that of `actuals`
    in hours; without any of a project its effort went as its duration did.
    """
    done = portfolio.projects[portfolio.projects["status"] == "done"]
    base = portfolio.baselines.sort_values("set_on", na_position="first")
    base = base.drop_duplicates("project", keep="first").set_index("project")
    hours = portfolio.actuals.groupby("project")["hours"].sum()
    rows = []
    for project in done.itertuples():
        if project.project not in base.index:
            continue
        plan = base.loc[project.project]
        if not plan["duration"] > 0 or pd.isna(project.duration):
            continue
        ratio = float(project.duration) / float(plan["duration"])
        spent = float(hours.get(project.project, 0.0))
        effort = (
            spent / float(plan["effort"]) if spent and plan["effort"] > 0 else ratio
        )
        slip = 0
        if pd.notna(project.start) and pd.notna(plan["start"]):
            slip = (project.start - plan["start"]).n
        rows.append((ratio, effort, slip, project.theme))
    if not rows:
        return Overruns(
            np.ones(1),
            np.ones(1),
            np.zeros(1, dtype=np.int64),
            np.array([None], dtype=object),
            "No finished project has a baseline: projects are forecast as planned, "
            "without overruns.",
        )
    columns = list(zip(*rows, strict=True))
    few = f"Overruns come from {len(rows)} finished projects."
    return Overruns(
        np.clip(columns[0], _LEAST_RATIO, _MOST_RATIO),
        np.clip(columns[1], _LEAST_RATIO, _MOST_RATIO),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=object),
        few,
    )
