"""Second objectives of a search, once it has its plan."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.second_objectives import Stage, make_stage
from pmo_analytics.optimization.workers.running import run_task
from pmo_analytics.plan import OPTIMAL_GAP, relative_gap

if TYPE_CHECKING:
    from pmo_analytics.optimization.plan_search import PlanSearch


def refine(search: PlanSearch, names: Sequence[str], loss: float) -> None:
    """Minimise second objectives in turn, at the cost of a share of the first."""
    if search.best is None or search.objective is None:
        return
    stages = [make_stage(n, search.portfolio, search.compiled) for n in names]
    value = search.objective
    floor = value - loss * abs(value)
    proved = search.bound is not None and (
        relative_gap(value, search.bound) <= OPTIMAL_GAP
    )
    first = {"stage": "value", "measure": value, "bound": search.bound}
    search.stages.append({**first, "proved": proved})
    seconds = search.run.left() - 0.5
    begin = time.monotonic()
    events: list[dict[str, Any]] = []
    if seconds > 0.2 and len(search.best):
        job = {
            "start": search.best.tolist(),
            "costs": [stage.cost.tolist() for stage in stages],
            "loss": value - floor,
            "polish_seconds": seconds,
        }
        events = run_task(
            search.compiled.options,
            "polish",
            job,
            seconds=seconds,
            limits=search.run.limits,
            seed=search.run.seed,
        )
    least: dict[int, float | None] = {}
    for event in events:
        if event["event"] in ("stage", "polished"):
            chosen = np.array(event["chosen"], dtype=np.int64)
            _take(search, chosen, floor, stages)
        if event["event"] == "stage":
            least[event["number"]] = event["least"]
    for number, stage in enumerate(stages):
        measure, bound = stage.measure(search.best), None
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
    assert search.best is not None
    objective = value_of(search.compiled.options, chosen) + search.constant
    if objective < floor - 1e-9 * max(1.0, abs(floor)):
        return
    new = [stage.measure(chosen) for stage in stages]
    if new > [stage.measure(search.best) for stage in stages]:
        return
    if search.certified(chosen, objective):
        search.best, search.objective = chosen, objective
