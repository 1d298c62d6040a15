"""The model as arrays, solved by HiGHS, where PuLP would take too long to write it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from pmo_analytics.optimization.jobs import (
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    BoundTold,
    News,
    PlanTold,
    Relaxation,
    Solved,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import bound_of_prices, build_matrix
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.workers.steps import (
    add_cuts,
    ascend_prices,
    better_of,
    bound_of,
    by_label,
    finite,
    options_needed,
    prove_optimum,
    settings,
    shares_bought,
)


def solve_arrays(
    options: Any, job: SolveJob, inbox: list[News], end: float, emit: Any
) -> None:
    """Solve the same model, written as arrays, where PuLP would take too long."""
    matrix = build_matrix(options)
    bounds: list[float] = []
    found = None
    if job.relax:
        if not len(options.buy.resource):
            ascend_prices(options, matrix, job, end, emit)
        bounds.append(_relax_arrays(options, matrix, job, end, emit))
        found = add_cuts(options, matrix, job, end, emit)
        bounds.append(bound_of(found))
    more: dict[str, Any] = {} if job.nodes is None else {"mip_max_nodes": job.nodes}
    told = [float("inf"), 0.0]
    many = len(options.project)

    def report(x: np.ndarray | None, bound: float) -> None:
        if x is not None:
            emit(PlanTold(chosen=np.flatnonzero(x[:many] > 0.5).tolist()))
        elif told[0] - bound > 1e-9 * abs(bound) and time.monotonic() - told[1] > 0.2:
            told[:] = [bound, time.monotonic()]
            emit(BoundTold(bound=finite(bound)))

    answer = highs.solve(
        matrix,
        options.gains(),
        seconds=end - time.monotonic(),
        binaries=many,
        start=job.plan if job.start else None,
        shares=shares_bought(options, job.start),
        left=options_needed(options, job, found),
        report=report,
        mip_rel_gap=max(job.gap, 1e-7),
        mip_abs_gap=1e-7,
        mip_feasibility_tolerance=1e-7,
        **settings(job),
        **more,
    )
    chosen = (
        None if answer.x is None else np.flatnonzero(answer.x[:many] > 0.5).tolist()
    )
    bound, name = finite(answer.bound), answer.status
    emit(Solved(status=name, solver_status=name, chosen=chosen, bound=bound))
    if answer.status == "optimal" and chosen is not None:
        plan = better_of(options, matrix, job, np.array(chosen, dtype=np.int64))
        prove_optimum(options, job, plan, found, inbox, bounds, end, emit)


def _relax_arrays(
    options: Any, matrix: Any, job: SolveJob, end: float, emit: Any
) -> float:
    """Solve the LP relaxation of arrays, report the price of every row and the bound.

    By interior point without crossover: prices that are a little off cost a little
    tightness, and the bound told is the one that these very prices prove.
    """
    answer = highs.solve(
        matrix,
        options.gains(),
        seconds=0.5 * (end - time.monotonic()),
        integer=False,
        solver="ipm",
        run_crossover="off",
        **settings(job),
    )
    if answer.prices is None:
        emit(Relaxation(status=answer.status))
        return float("inf")
    opens = np.zeros(0) if answer.opens is None else answer.opens
    # Without crossover the solver leaves the sign of a minimisation on them.
    bound, sign = min(
        (bound_of_prices(options, matrix, sign * answer.prices, sign * opens), sign)
        for sign in (1.0, -1.0)
    )
    prices = by_label(matrix.labels, sign * answer.prices)
    members = [RowLabel("opens", member) for member in range(len(opens))]
    prices += by_label(members, sign * opens)
    emit(Relaxation(status="Optimal", objective=bound, prices=prices))
    return bound
