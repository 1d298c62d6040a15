"""The process that runs the solver: arrays in, one JSON event a line out.

Kept apart so that a crash, a runaway or a leak of the solver costs one attempt and
not the session. It ends when its standard input closes, that is, with its parent.

Run as `python -m pmo_analytics.optimization._child JOB.npz`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np

from pmo_analytics.optimization.later import load_later

# What others load and no solver's process uses.
_LATER = ("orloge", "numpy.f2py", "numpy.testing")
# Uses of limited things beyond which building the model in PuLP takes longer than
# arrays by more than a second.
_PULP_CARRIES = 30_000
# Options beyond which the relaxation takes too long to be solved time and again, and
# the share of the time that cutting may take.
_CUTS_CARRY = 8_000
_CUTS_SHARE = 0.12


def main(path: str) -> None:
    """Read a job, solve it, report every improvement."""
    load_later(*_LATER)
    # Solvers write to the C standard output; events get a descriptor of their own.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    inbox: list[dict[str, Any]] = []
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    job = json.loads(str(arrays.pop("job")))
    _limit_memory(job.get("memory_gb"))
    lock = threading.Lock()

    def emit(event: str, **facts: Any) -> None:
        with lock:
            events.write(json.dumps({"event": event, **facts}) + "\n")
            events.flush()

    _work(arrays, job, inbox, emit)


def _listen(inbox: list[dict[str, Any]]) -> None:
    """Keep what the parent tells of; end when the parent ends."""
    rest = b""
    while block := os.read(0, 65536):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            inbox.append(json.loads(line))
    os._exit(3)


def _limit_memory(gigabytes: float | None) -> None:
    if gigabytes is None:
        return
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _work(
    arrays: dict[str, np.ndarray],
    job: dict[str, Any],
    inbox: list[dict[str, Any]],
    emit: Any,
) -> None:
    from pmo_analytics.optimization.options import Options

    end = time.monotonic() + job["seconds"]
    options = Options.from_arrays(arrays)
    if job["task"] == "improve":
        _improve(options, job, inbox, end, emit)
    elif job["task"] in ("clash", "repair", "prices"):
        _explain(options, job, end, emit)
    elif job["task"] == "prove":
        # Loaded only here: other solvers cannot be loaded beside HiGHS.
        from pmo_analytics.optimization.branch_job import prove

        prove(options, job, inbox, end, emit)
    elif job["task"] == "solve" and job["solver"] != "HiGHS":
        _solve_elsewhere(options, job, end, emit)
    elif job["task"] == "solve" and len(options.use_row) > _PULP_CARRIES:
        _solve_arrays(options, job, inbox, end, emit)
    elif job["task"] == "polish":
        _polish_plan(options, job, end, emit)
    else:
        _solve(options, job, inbox, end, emit)


def _polish_plan(options: Any, job: dict[str, Any], end: float, emit: Any) -> None:
    """Polish a plan that this process did not find."""
    from pmo_analytics.optimization.formulate import build_model

    model = build_model(options)
    chosen = set(job["start"])
    for k, variable in enumerate(model.x):
        variable.setInitialValue(1 if k in chosen else 0)
    shares = _shares(options, job["start"])
    if shares is not None:
        for variable, share in zip(model.y, shares.tolist(), strict=True):
            variable.setInitialValue(share)
    _polish(model, options, np.array(sorted(chosen)), job, end, emit)


def _solve(
    options: Any, job: dict[str, Any], inbox: list[Any], end: float, emit: Any
) -> None:
    """Solve the model that PuLP writes."""
    from pmo_analytics.optimization.formulate import build_model

    model = build_model(options, elastic=job["task"] == "elastic")
    if job["task"] == "elastic":
        _solve_elastic(model, job, end, emit)
        return
    bounds: list[float] = []
    if job["relax"]:
        bounds.append(_solve_relaxation(model, job, end, emit))
        bounds.append(_cut(options, None, job, end, emit))
    for k in np.flatnonzero(~_needed(options, job)).tolist():
        model.x[k].upBound = 0
    status = _solve_integer(model, options, job, end, emit)
    if status != "optimal" or time.monotonic() >= end:
        return
    chosen = _chosen(model)
    _polish(model, options, chosen, job, end, emit)
    job["start"] = chosen.tolist()
    _prove_optimum(options, job, inbox, bounds, end, emit)


def _solve_elsewhere(options: Any, job: dict[str, Any], end: float, emit: Any) -> None:
    """Solve the model that PuLP writes with another solver that PuLP knows.

    Prices come from the ascent: some solvers cannot be loaded beside HiGHS.
    """
    import pulp

    from pmo_analytics.optimization.formulate import build_model
    from pmo_analytics.optimization.matrix import build_matrix

    # The ascent knows no purchases.
    if job["relax"] and not len(options.buy_thing):
        _ascend(options, build_matrix(options), job, end, emit)
    model = build_model(options)
    # Some of them write their answer to a file after the clock has run out.
    seconds = max(0.95 * (end - time.monotonic()), 0.1)
    stats = model.problem.solve(
        pulp.getSolver(
            job["solver"], msg=False, timeLimit=seconds, gapRel=max(job["gap"], 1e-7)
        )
    )
    status, chosen = _outcome(stats, model)
    emit(
        "solved",
        status=status,
        solver_status=stats.status.name,
        chosen=chosen,
        bound=None if stats.best_bound is None else _finite(stats.best_bound),
    )


def _outcome(stats: Any, model: Any) -> tuple[str, list[int] | None]:
    """Return the status of a PuLP run and the option numbers of its plan."""
    import pulp

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


def _settings(job: dict[str, Any]) -> dict[str, Any]:
    """Return HiGHS options for arrays, as `_solver` has them for PuLP."""
    return {
        "random_seed": job["seed"],
        "presolve": "on" if job["presolve"] else "off",
        "threads": job["threads"],
    }


def _solve_arrays(
    options: Any, job: dict[str, Any], inbox: list[Any], end: float, emit: Any
) -> None:
    """Solve the same model, written as arrays, where PuLP would take too long."""
    from pmo_analytics.optimization import highs
    from pmo_analytics.optimization.matrix import build_matrix

    matrix = build_matrix(options)
    bounds: list[float] = []
    if job["relax"]:
        if not len(options.buy_thing):
            _ascend(options, matrix, job, end, emit)
        bounds.append(_relax_arrays(options, matrix, job, end, emit))
        bounds.append(_cut(options, matrix, job, end, emit))
    more = {} if job["nodes"] is None else {"mip_max_nodes": job["nodes"]}
    told = [float("inf"), 0.0]
    many = len(options.project)

    def report(x: np.ndarray | None, bound: float) -> None:
        if x is not None:
            emit(
                "incumbent", chosen=np.flatnonzero(x[:many] > 0.5).tolist(), bound=None
            )
        elif told[0] - bound > 1e-9 * abs(bound) and time.monotonic() - told[1] > 0.2:
            told[:] = [bound, time.monotonic()]
            emit("bound", bound=_finite(bound))

    answer = highs.solve(
        matrix,
        options.gains(),
        seconds=end - time.monotonic(),
        binaries=many,
        start=np.array(job["start"], dtype=np.int64) if job["start"] else None,
        shares=_shares(options, job["start"]),
        left=_needed(options, job),
        report=report,
        mip_rel_gap=max(job["gap"], 1e-7),
        mip_abs_gap=1e-7,
        mip_feasibility_tolerance=1e-7,
        **_settings(job),
        **more,
    )
    chosen = (
        None if answer.x is None else np.flatnonzero(answer.x[:many] > 0.5).tolist()
    )
    emit(
        "solved",
        status=answer.status,
        solver_status=answer.status,
        chosen=chosen,
        bound=_finite(answer.bound),
    )
    if answer.status == "optimal" and chosen is not None:
        job["start"] = chosen
        _prove_optimum(options, job, inbox, bounds, end, emit)


def _shares(options: Any, chosen: list[int]) -> np.ndarray | None:
    """Return what a choice has to buy, as shares of what can be bought."""
    from pmo_analytics.optimization.buying import cheapest

    if not len(options.buy_thing) or not chosen:
        return None
    bought = cheapest(options, np.array(chosen, dtype=np.int64))
    return None if bought is None else bought / options.buy_most


def _ascend(
    options: Any, matrix: Any, job: dict[str, Any], end: float, emit: Any
) -> None:
    """Report prices that are near those of the LP relaxation, in a second or two."""
    from pmo_analytics.optimization.ascent import ascend

    known = float(options.worth[job["start"]].sum()) if job["start"] else 0.0
    seconds = min(5.0, 0.2 * (end - time.monotonic()))
    prices, bound = ascend(options, matrix, known, seconds)
    told = _told(matrix.labels, prices)
    emit("relaxation", status="Ascent", objective=bound, prices=told)


def _told(labels: Any, prices: Any) -> list[tuple[Any, float]]:
    """Return the prices of rows that have a label, by label."""
    return [
        (label, float(price))
        for label, price in zip(labels, prices, strict=True)
        if label is not None and price
    ]


def _relax_arrays(
    options: Any, matrix: Any, job: dict[str, Any], end: float, emit: Any
) -> float:
    """Solve the LP relaxation of arrays, report the price of every row and the bound.

    By interior point without crossover: prices that are a little off cost a little
    tightness, and the bound told is the one that these very prices prove.
    """
    from pmo_analytics.optimization import highs
    from pmo_analytics.optimization.matrix import bound_of_prices

    answer = highs.solve(
        matrix,
        options.gains(),
        seconds=0.5 * (end - time.monotonic()),
        integer=False,
        solver="ipm",
        run_crossover="off",
        **_settings(job),
    )
    if answer.prices is None:
        emit("relaxation", status=answer.status, objective=None, prices=[])
        return float("inf")
    # Without crossover the solver leaves the sign of a minimisation on them.
    bound, sign = min(
        (bound_of_prices(options, matrix, sign * answer.prices), sign)
        for sign in (1.0, -1.0)
    )
    prices = _told(matrix.labels, sign * answer.prices)
    emit("relaxation", status="Optimal", objective=bound, prices=prices)
    return bound


def _cut(
    options: Any, matrix: Any, job: dict[str, Any], end: float, emit: Any
) -> float:
    """Add cuts to the relaxation for a while, report what that brings, and the bound.

    The cuts become part of the job.
    """
    from pmo_analytics.optimization import cutting
    from pmo_analytics.optimization.matrix import build_matrix

    # Cuts follow from limits that nothing is added to.
    if len(options.project) > _CUTS_CARRY or len(options.buy_thing):
        return float("inf")
    found = None
    # Cuts are extra: what goes wrong with them must not cost the search its solver.
    with contextlib.suppress(RuntimeError, MemoryError):
        found = cutting.tighten(
            options,
            build_matrix(options) if matrix is None else matrix,
            time.monotonic() + _CUTS_SHARE * (end - time.monotonic()),
            _settings(job),
            enough=float(options.worth[job["start"]].sum())
            if job["start"]
            else -np.inf,
        )
    if found is None:
        return float("inf")
    job["tightened"] = found
    facts = dataclasses.asdict(found)
    job["cuts"] = facts["cuts"]
    emit(
        "cuts",
        bound=_finite(found.bound),
        prices=facts["prices"],
        cuts=facts["cuts"],
    )
    return float(found.bound)


def _needed(options: Any, job: dict[str, Any]) -> np.ndarray:
    """Return which options take part in branch and bound, the start's in any case."""
    from pmo_analytics.optimization.alternate import by_row
    from pmo_analytics.optimization.cutting import rows_of_cuts
    from pmo_analytics.optimization.matrix import build_matrix
    from pmo_analytics.optimization.presolve import needed

    found = job.get("tightened")
    reduced, bound, known = options.worth, np.inf, -np.inf
    if found is not None and job["start"]:
        matrix = build_matrix(options)
        paid = matrix.a.T @ by_row(matrix, found.prices)
        rows = rows_of_cuts(options, found.cuts)
        paid = paid + rows.T @ np.array([cut.price for cut in found.cuts])
        reduced, bound = options.worth - paid, found.bound
        known = float(options.worth[job["start"]].sum())
    kept = needed(options, reduced, bound, known)
    kept[job["start"]] = True
    return kept


def _prove_optimum(
    options: Any,
    job: dict[str, Any],
    inbox: list[Any],
    bounds: list[float],
    end: float,
    emit: Any,
) -> None:
    """Prove by branches what the solver only claims, where nothing else does."""
    from pmo_analytics.optimization.branch_job import prove

    if any("proof" in told for told in inbox):
        return
    known = float(options.worth[job["start"]].sum())
    if min(bounds, default=np.inf) > known + 1e-6 * max(1.0, abs(known)):
        prove(options, job, [], end, emit)


def _improve(
    options: Any, job: dict[str, Any], inbox: list[Any], end: float, emit: Any
) -> None:
    """Search around the best plan, whoever found it, until time or rounds are up."""
    from pmo_analytics.optimization.alternate import Search

    def tell(chosen: np.ndarray) -> None:
        emit("improved", chosen=chosen.tolist())

    start = np.array(job["start"], dtype=np.int64)
    search = Search(options, start, job["seed"], tell, inbox)
    if job["rounds"] is not None:
        search.run_counted(job["rounds"], end)
    elif job["kernels"]:
        search.run_kernels(end)
    else:
        search.run(end)
    if search.nearby.complete:
        emit("bound", bound=search.objective)


def _explain(options: Any, job: dict[str, Any], end: float, emit: Any) -> None:
    """Find rules that clash, the cheapest way to break them, or prices."""
    from pmo_analytics.optimization import clash

    if job["task"] == "clash":
        clash.find_clash(options, job, end, emit)
    elif job["task"] == "prices":
        clash.tell_prices(options, end, emit)
    else:
        clash.repair(options, job, end, emit)


def _solver(job: dict[str, Any], end: float, **more: Any) -> Any:
    import pulp

    return pulp.HiGHS(
        msg=False,
        timeLimit=max(end - time.monotonic(), 0.05),
        threads=job["threads"],
        random_seed=job["seed"],
        presolve="on" if job["presolve"] else "off",
        **more,
    )


def _solve_relaxation(model: Any, job: dict[str, Any], end: float, emit: Any) -> float:
    """Solve the LP relaxation, report the price of every row and return the bound."""
    import pulp

    until = time.monotonic() + 0.5 * (end - time.monotonic())
    stats = model.problem.solve(_solver(job, until, mip=False))
    if stats.status != pulp.LpSolveStatus.Optimal:
        emit("relaxation", status=stats.status.name, objective=None, prices=[])
        return float("inf")
    prices = _told(model.rows, [row.pi for row in model.problem.constraints()])
    emit(
        "relaxation", status="Optimal", objective=float(stats.objective), prices=prices
    )
    return float(stats.objective)


def _reporter(count: int, emit: Any) -> tuple[Any, list[Any]]:
    """Return a HiGHS callback that reports incumbents and bounds, and its kinds."""
    import highspy

    kinds = highspy.cb.HighsCallbackType
    last = [float("inf"), 0.0]

    def report(kind: Any, _message: str, data: Any, _input: Any, _own: Any) -> None:
        if kind == kinds.kCallbackMipImprovingSolution:
            values = np.asarray(data.mip_solution)[:count]
            emit(
                "incumbent",
                chosen=np.flatnonzero(values > 0.5).tolist(),
                objective=float(data.objective_function_value),
                bound=_finite(data.mip_dual_bound),
            )
            return
        bound = float(data.mip_dual_bound)
        better = last[0] - bound > 1e-9 * abs(bound)
        if better and time.monotonic() - last[1] > 0.2:
            last[:] = [bound, time.monotonic()]
            emit("bound", bound=_finite(bound))

    return report, [kinds.kCallbackMipImprovingSolution, kinds.kCallbackMipLogging]


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _solve_integer(
    model: Any, options: Any, job: dict[str, Any], end: float, emit: Any
) -> str:
    chosen = set(job["start"])
    for k, variable in enumerate(model.x):
        if chosen:
            variable.setInitialValue(1 if k in chosen else 0)
    shares = _shares(options, job["start"])
    if shares is not None:
        for variable, share in zip(model.y, shares.tolist(), strict=True):
            variable.setInitialValue(share)
    report, kinds = _reporter(len(model.x), emit)
    more: dict[str, Any] = {}
    if job["nodes"] is not None:
        more["mip_max_nodes"] = job["nodes"]
    stats = model.problem.solve(
        _solver(
            job,
            end,
            warmStart=bool(chosen),
            gapRel=max(job["gap"], 1e-7),
            gapAbs=1e-7,
            mip_feasibility_tolerance=1e-7,
            callbackTuple=(report, None),
            callbacksToActivate=kinds,
            **more,
        )
    )
    status, best = _outcome(stats, model)
    bound = None if stats.best_bound is None else _finite(stats.best_bound)
    emit(
        "solved",
        status=status,
        solver_status=stats.status.name,
        chosen=best,
        bound=bound,
    )
    return status if best is not None else "no_solution"


def _polish(
    model: Any,
    options: Any,
    chosen: np.ndarray,
    job: dict[str, Any],
    end: float,
    emit: Any,
) -> None:
    """Among the plans of equal worth, look for the one with the earliest starts.

    Second objectives of the job come before that, each in what the one before leaves.
    """
    from pmo_analytics.optimization.buying import value_of
    from pmo_analytics.optimization.formulate import add_ceiling, add_floor, aim_at

    add_floor(model, options, value_of(options, chosen) - job.get("loss", 0.0))
    costs = [np.array(cost, dtype=float) for cost in job.get("costs", [])]
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
        bound = None if stats.best_bound is None else _finite(-stats.best_bound)
        emit("stage", number=number, chosen=chosen.tolist(), least=bound)
        add_ceiling(model, cost, float(cost[chosen].sum()))
    # Starts first; then as few projects as possible, so that nothing worthless that
    # costs nothing comes in.
    many = len(options.must) + 1
    aim_at(model, options.tie * many + 1.0)
    until = min(end, time.monotonic() + job["polish_seconds"])
    stats = model.problem.solve(
        _solver(job, until, warmStart=True, mip_feasibility_tolerance=1e-9)
    )
    if stats.has_solution:
        emit("polished", chosen=_chosen(model).tolist())


def _solve_elastic(model: Any, job: dict[str, Any], end: float, emit: Any) -> None:
    stats = model.problem.solve(_solver(job, end, gapRel=1e-4))
    if not stats.has_solution:
        emit("elastic", status=stats.status.name, chosen=None, broken=[])
        return
    broken = [
        (label, variable.varValue)
        for label, variable in model.slack.items()
        if (variable.varValue or 0.0) > 1e-7
    ]
    emit(
        "elastic",
        status=stats.status.name,
        chosen=_chosen(model).tolist(),
        broken=broken,
    )


if __name__ == "__main__":
    main(sys.argv[1])
    # Without this the interpreter would wait for the thread that watches stdin, and
    # for whatever the solver does when it is unloaded.
    sys.stderr.flush()
    os._exit(0)
