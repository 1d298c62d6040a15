"""Second objectives: what is minimised among the plans of equal worth, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.rules import priced_projects
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.portfolio import Portfolio

STAGES = ("earliest_finish", "fewest_changes")


class Stage(NamedTuple):
    """One measure: the sum of whole numbers over the options of a plan.

    Attributes
    ----------
    cost
        Shape (N,), whole numbers.
    constant
        What every plan has of it besides.
    """

    name: str
    cost: np.ndarray
    constant: int

    def measure(self, chosen: np.ndarray) -> int:
        """Return the measure of a plan."""
        return self.constant + round(float(self.cost[chosen].sum()))


def check_stages(then: Sequence[str], record: bool) -> tuple[str, ...]:
    """Return the names of second objectives.

    Raises
    ------
    ConfigError
        If one is unknown, stands twice, or needs a plan of record that is not given.
    """
    names = (then,) if isinstance(then, str) else tuple(then)
    for name in names:
        if name not in STAGES:
            raise ConfigError(
                f"There is no second objective '{name}'{closest(name, STAGES)}. Use "
                f"{' or '.join(STAGES)}."
            )
    if len(set(names)) < len(names):
        raise ConfigError("A second objective stands twice.")
    if "fewest_changes" in names and not record:
        raise ConfigError("fewest_changes needs a plan of record: give record.")
    return names


def make_stage(name: str, portfolio: Portfolio, compiled: Compiled) -> Stage:
    """Return a second objective over the options of a portfolio."""
    o = compiled.options
    if name == "earliest_finish":
        windows = start_windows(portfolio.projects, portfolio.horizon)
        length = windows.loc[compiled.names, "duration"].to_numpy(dtype=np.int64)
        finish = np.maximum(o.start + length[o.project], 0)
        return Stage(name, finish.astype(float), 0)
    assert compiled.record is not None
    before = compiled.record.starts(portfolio)
    priced = set(priced_projects(portfolio))
    cost = np.zeros(len(o.project))
    constant = 0
    for p, project in enumerate(compiled.names):
        if project not in priced:
            continue
        own = np.arange(o.first[p], o.first[p + 1])
        if project in before:
            constant += 1
            cost[own[o.start[own] == before[project]]] = -1.0
        else:
            cost[own] = 1.0
    return Stage(name, cost, constant)
