"""Second objectives: what is minimised among the plans of equal worth, in turn."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.evidence import OPTIMAL_GAP, relative_gap
from pmo_analytics.optimization.jobs import (
    PolishJob,
)
from pmo_analytics.optimization.messages import (
    Event,
    Polished,
    StageTold,
)
from pmo_analytics.optimization.workers.running import run_task
from pmo_analytics.rules import priced_projects
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.optimization.plan_search import PlanSearch
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


def refine(search: PlanSearch, names: Sequence[str], loss: float) -> None:
    """Minimise second objectives in turn, at the cost of a share of the first."""
    if search.known.chosen is None or search.objective is None:
        return
    stages = [make_stage(n, search.portfolio, search.compiled) for n in names]
    value = search.objective
    floor = value - loss * abs(value)
    limit = search.bound.value
    proved = limit is not None and relative_gap(value, limit) <= OPTIMAL_GAP
    first = {"stage": "value", "measure": value, "bound": limit}
    search.stages.append({**first, "proved": proved})
    seconds = search.run.left() - 0.5
    begin = time.monotonic()
    events: list[Event] = []
    if seconds > 0.2 and len(search.known.chosen):
        job = PolishJob(
            seconds=seconds,
            memory_gb=search.run.limits.memory_gb,
            seed=search.run.seed,
            start=search.known.chosen.tolist(),
            polish_seconds=seconds,
            loss=value - floor,
            costs=[stage.cost.tolist() for stage in stages],
        )
        events = run_task(search.compiled.options, job)
    least: dict[int, float | None] = {}
    for event in events:
        if isinstance(event, StageTold | Polished):
            chosen = np.array(event.chosen, dtype=np.int64)
            _take(search, chosen, floor, stages)
        if isinstance(event, StageTold):
            least[event.number] = event.least
    for number, stage in enumerate(stages):
        measure, bound = stage.measure(search.known.chosen), None
        claimed = least.get(number)
        if claimed is not None:
            bound = min(math.ceil(claimed - 1e-6) + stage.constant, measure)
        proved = proved and bound == measure
        row = {"stage": stage.name, "measure": measure, "bound": bound}
        search.stages.append({**row, "proved": proved})
    outcome = "optimal" if proved else "feasible"
    search.run.note("second objectives", outcome, time.monotonic() - begin)


def _take(
    search: PlanSearch, chosen: np.ndarray, floor: float, stages: Sequence[Stage]
) -> None:
    """Take a plan that is worth enough and better by the second objectives."""
    best = search.known.chosen
    assert best is not None
    new = [stage.measure(chosen) for stage in stages]
    if new <= [stage.measure(best) for stage in stages]:
        search.known.offer(chosen, least=floor)
