"""The model that PuLP writes, solved by HiGHS or by another solver that PuLP knows."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pulp

from pmo_analytics.optimization.jobs import (
    Job,
    PolishJob,
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    BoundTold,
    Broken,
    News,
    PlanTold,
    Polished,
    Relaxation,
    Solved,
    StageTold,
)
from pmo_analytics.optimization.model.array_sink import broken_rows, build_matrix
from pmo_analytics.optimization.model.pulp_sink import (
    add_ceiling,
    add_floor,
    aim_at,
    build_model,
)
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.workers.steps import (
    add_cuts,
    ascend_prices,
    better_of,
    bound_of,
    by_label,
    finite,
    options_needed,
    prove_optimum,
    shares_bought,
)


def solve_written(
    options: Any, job: SolveJob, inbox: list[News], end: float, emit: Any
) -> None:
    """Solve the model that PuLP writes."""
    model = build_model(options)
    bounds: list[float] = []
    found = None
    if job.relax:
        bounds.append(_solve_relaxation(model, job, end, emit))
        found = add_cuts(options, None, job, end, emit)
        bounds.append(bound_of(found))
    for k in np.flatnonzero(~options_needed(options, job, found)).tolist():
        model.x[k].upBound = 0
    status = _solve_integer(model, options, job, end, emit)
    if status != "optimal" or time.monotonic() >= end:
        return
    plan = better_of(options, build_matrix(options), job, _chosen(model))
    if plan is not None:
        own = PolishJob(**job.shared(), polish_seconds=job.polish_seconds)
        _polish(model, options, plan, own, end, emit)
    prove_optimum(options, job, plan, found, inbox, bounds, end, emit)


def solve_elastic(options: Any, job: Job, end: float, emit: Any) -> None:
    """Report the plan that breaks as little as can be."""
    _solve_elastic(build_model(options, elastic=True), options, job, end, emit)


def solve_elsewhere(options: Any, job: SolveJob, end: float, emit: Any) -> None:
    """Solve the model that PuLP writes with another solver that PuLP knows.

    Prices come from the ascent: some solvers cannot be loaded beside HiGHS.
    """
    # The ascent knows no purchases.
    if job.relax and not len(options.buy.resource):
        ascend_prices(options, build_matrix(options), job, end, emit)
    model = build_model(options)
    # Some of them write their answer to a file after the clock has run out.
    seconds = max(0.95 * (end - time.monotonic()), 0.1)
    stats = model.problem.solve(
        pulp.getSolver(
            job.solver, msg=False, timeLimit=seconds, gapRel=max(job.gap, 1e-7)
        )
    )
    status, chosen = _outcome(stats, model)
    bound = None if stats.best_bound is None else finite(stats.best_bound)
    name = stats.status.name
    emit(Solved(status=status, solver_status=name, chosen=chosen, bound=bound))


def polish_plan(options: Any, job: PolishJob, end: float, emit: Any) -> None:
    """Polish a plan that this process did not find."""
    model = build_model(options)
    chosen = set(job.start)
    for k, variable in enumerate(model.x):
        variable.setInitialValue(1 if k in chosen else 0)
    shares = shares_bought(options, job.start)
    if shares is not None:
        for variable, share in zip(model.y, shares.tolist(), strict=True):
            variable.setInitialValue(share)
    _polish(model, options, np.array(sorted(chosen)), job, end, emit)


def _outcome(stats: Any, model: Any) -> tuple[str, list[int] | None]:
    """Return the status of a PuLP run and the option numbers of its plan."""
    states = pulp.LpSolveStatus
    status = {
        states.Optimal: "optimal",
        states.GapLimit: "feasible",
        states.Infeasible: "infeasible",
    }.get(stats.status, "feasible" if stats.has_solution else "no_solution")
    if not stats.has_solution:
        return status if status == "infeasible" else "no_solution", None
    return status, _chosen(model).tolist()


def _chosen(model: Any) -> np.ndarray:
    """Return the option numbers of the plan that a PuLP model holds."""
    values = np.array([variable.varValue or 0.0 for variable in model.x])
    return np.flatnonzero(values > 0.5)


def _solver(job: Job, end: float, **more: Any) -> Any:
    return pulp.HiGHS(
        msg=False,
        timeLimit=max(end - time.monotonic(), 0.05),
        threads=job.threads,
        random_seed=job.seed,
        presolve="on" if job.presolve else "off",
        **more,
    )


def _solve_relaxation(model: Any, job: Job, end: float, emit: Any) -> float:
    """Solve the LP relaxation, report the price of every row and return the bound."""
    until = time.monotonic() + 0.5 * (end - time.monotonic())
    stats = model.problem.solve(_solver(job, until, mip=False))
    if stats.status != pulp.LpSolveStatus.Optimal:
        emit(Relaxation(status=stats.status.name))
        return float("inf")
    found = zip(model.problem.constraints(), model.units, strict=True)
    prices = by_label(model.rows, [row.pi / unit for row, unit in found])
    objective = float(stats.objective)
    emit(Relaxation(status="Optimal", objective=objective, prices=prices))
    return objective


def _reporter(count: int, emit: Any) -> tuple[Any, list[Any]]:
    """Return a HiGHS callback that reports incumbents and bounds, and its kinds."""
    import highspy

    kinds = highspy.cb.HighsCallbackType
    last = [float("inf"), 0.0]

    def report(kind: Any, _message: str, data: Any, _input: Any, _own: Any) -> None:
        if kind == kinds.kCallbackMipImprovingSolution:
            values = np.asarray(data.mip_solution)[:count]
            chosen = np.flatnonzero(values > 0.5).tolist()
            emit(PlanTold(chosen=chosen, bound=finite(data.mip_dual_bound)))
            return
        bound = float(data.mip_dual_bound)
        better = last[0] - bound > 1e-9 * abs(bound)
        if better and time.monotonic() - last[1] > 0.2:
            last[:] = [bound, time.monotonic()]
            emit(BoundTold(bound=finite(bound)))

    return report, [kinds.kCallbackMipImprovingSolution, kinds.kCallbackMipLogging]


def _solve_integer(
    model: Any, options: Any, job: SolveJob, end: float, emit: Any
) -> str:
    chosen = set(job.start)
    for k, variable in enumerate(model.x):
        if chosen:
            variable.setInitialValue(1 if k in chosen else 0)
    shares = shares_bought(options, job.start)
    if shares is not None:
        for variable, share in zip(model.y, shares.tolist(), strict=True):
            variable.setInitialValue(share)
    report, kinds = _reporter(len(model.x), emit)
    more: dict[str, Any] = {}
    if job.nodes is not None:
        more["mip_max_nodes"] = job.nodes
    stats = model.problem.solve(
        _solver(
            job,
            end,
            warmStart=bool(chosen),
            gapRel=max(job.gap, 1e-7),
            gapAbs=1e-7,
            mip_feasibility_tolerance=1e-7,
            callbackTuple=(report, None),
            callbacksToActivate=kinds,
            **more,
        )
    )
    status, best = _outcome(stats, model)
    bound = None if stats.best_bound is None else finite(stats.best_bound)
    name = stats.status.name
    emit(Solved(status=status, solver_status=name, chosen=best, bound=bound))
    return status if best is not None else "no_solution"


def _polish(
    model: Any,
    options: Any,
    chosen: np.ndarray,
    job: PolishJob,
    end: float,
    emit: Any,
) -> None:
    """Among the plans of equal worth, look for the one with the earliest starts.

    Second objectives of the job come before that, each in what the one before leaves.
    """
    add_floor(model, options, value_of(options, chosen) - job.loss)
    costs = [np.array(cost, dtype=float) for cost in job.costs]
    for number, cost in enumerate(costs):
        left = end - time.monotonic()
        until = time.monotonic() + left / (len(costs) - number + 1)
        if left <= 0.05:
            return
        aim_at(model, cost)
        stats = model.problem.solve(
            _solver(
                job,
                until,
                warmStart=True,
                gapRel=1e-9,
                gapAbs=1e-6,
                mip_feasibility_tolerance=1e-9,
            )
        )
        if stats.has_solution:
            chosen = _chosen(model)
        bound = None if stats.best_bound is None else finite(-stats.best_bound)
        emit(StageTold(number=number, chosen=chosen.tolist(), least=bound))
        add_ceiling(model, cost, float(cost[chosen].sum()))
    # Starts first; then as few projects as possible, so that nothing worthless that
    # costs nothing comes in.
    many = len(options.must) + 1
    aim_at(model, options.tie * many + 1.0)
    until = min(end, time.monotonic() + job.polish_seconds)
    stats = model.problem.solve(
        _solver(job, until, warmStart=True, mip_feasibility_tolerance=1e-9)
    )
    if stats.has_solution:
        emit(Polished(chosen=_chosen(model).tolist()))


def _solve_elastic(model: Any, options: Any, job: Job, end: float, emit: Any) -> None:
    stats = model.problem.solve(_solver(job, end, gapRel=1e-4))
    if not stats.has_solution:
        emit(Broken(status=stats.status.name))
        return
    broken = [
        (label, variable.varValue)
        for label, variable in model.slack
        if (variable.varValue or 0.0) > 1e-7
    ]
    if not broken and not len(options.buy.resource):
        # What a solver takes for nothing may be a rule broken all the same.
        broken = broken_rows(build_matrix(options), _chosen(model))
    chosen = _chosen(model).tolist()
    emit(Broken(status=stats.status.name, chosen=chosen, broken=broken))
