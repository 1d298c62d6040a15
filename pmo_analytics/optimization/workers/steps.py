"""What a solver's process does beside branch and bound, whoever writes the model.

Prices of the relaxation, cuts, options that can be left out, and the proof by branches.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.jobs import (
    Job,
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    CutsTold,
    Cutting,
    News,
    ProvedElsewhere,
    Relaxation,
)
from pmo_analytics.optimization.model.array_sink import holds
from pmo_analytics.optimization.model.purchasing import value_of

if TYPE_CHECKING:
    from pmo_analytics.optimization.bounds.cut_loop import Tightened

# The share of the time that cutting may take, and with that of stretches. Branches wait
# for it: where they follow they are left more, and still more of a search of less than
# so many seconds.
_CUTS_SHARE, _STRETCHES_SHARE = 0.15, 0.6
_BEFORE_BRANCHES, _SOON_BRANCHES, _SHORT = 0.4, 0.2, 40.0


def settings(job: Job) -> dict[str, Any]:
    """Return HiGHS options for arrays, as `pulp_job` has them for PuLP."""
    return {
        "random_seed": job.seed,
        "presolve": "on" if job.presolve else "off",
        "threads": job.threads,
    }


def shares_bought(options: Any, chosen: Sequence[int]) -> np.ndarray | None:
    """Return what a choice has to buy, as shares of what can be bought."""
    from pmo_analytics.optimization.model.purchasing import cheapest

    if not len(options.buy.resource) or not chosen:
        return None
    bought = cheapest(options, np.array(chosen, dtype=np.int64))
    return None if bought is None else bought / options.buy.most


def ascend_prices(options: Any, matrix: Any, job: Job, end: float, emit: Any) -> None:
    """Report prices that are near those of the LP relaxation, in a second or two."""
    from pmo_analytics.optimization.bounds.lagrangian import ascend

    known = float(options.worth[job.plan].sum())
    seconds = min(5.0, 0.2 * (end - time.monotonic()))
    prices, bound = ascend(options, matrix, known, seconds)
    told = by_label(matrix.labels, prices)
    emit(Relaxation(status="Ascent", objective=bound, prices=told))


def by_label(labels: Any, prices: Any) -> list[tuple[Any, float]]:
    """Return the prices of rows that have a label, by label."""
    return [
        (label, float(price))
        for label, price in zip(labels, prices, strict=True)
        if label is not None and price
    ]


def add_cuts(
    options: Any, matrix: Any, job: Job, end: float, emit: Any
) -> Tightened | None:
    """Add cuts to the relaxation for a while, report what that brings, and return it.

    Told are also their beginning and their end: a bound that stands still meanwhile
    says nothing of the solver.
    """
    from pmo_analytics.optimization.bounds import cut_loop
    from pmo_analytics.optimization.model.array_sink import build_matrix
    from pmo_analytics.optimization.model.instance import carries_cuts

    if not carries_cuts(options):
        return None
    last: Tightened | None = None

    def tell(found: Tightened) -> None:
        nonlocal last
        last = found
        facts = dataclasses.asdict(found)
        bound = finite(found.bound)
        emit(CutsTold(bound=bound, prices=facts["prices"], cuts=facts["cuts"]))

    emit(Cutting(over=False))
    begin, found = time.monotonic(), None
    share = _share_of_stretches(options, end - begin)
    # Cuts are extra: what goes wrong with them must not cost the search its solver.
    with contextlib.suppress(RuntimeError, MemoryError):
        found = cut_loop.tighten(
            options,
            build_matrix(options) if matrix is None else matrix,
            begin + _CUTS_SHARE * (end - begin),
            settings(job),
            enough=float(options.worth[job.plan].sum()) if job.start else -np.inf,
            tell=tell,
            stretches_until=begin + share * (end - begin),
        )
    if found is not None:
        tell(found)
    emit(Cutting(over=True))
    return last


def _share_of_stretches(options: Any, seconds: float) -> float:
    """Return the share of this time after which cutting ends."""
    from pmo_analytics.optimization.model.instance import carries_branches

    if not carries_branches(options):
        return _STRETCHES_SHARE
    return _SOON_BRANCHES if seconds < _SHORT else _BEFORE_BRANCHES


def bound_of(found: Tightened | None) -> float:
    """Return the bound that cuts have brought."""
    return float("inf") if found is None else float(found.bound)


def options_needed(options: Any, job: Job, found: Tightened | None) -> np.ndarray:
    """Return which options take part in branch and bound, the start's in any case."""
    from pmo_analytics.optimization.bounds.cut_loop import rows_of_cuts
    from pmo_analytics.optimization.heuristics.alternation import by_row
    from pmo_analytics.optimization.model.array_sink import build_matrix
    from pmo_analytics.optimization.model.presolve import needed

    reduced, bound, known = options.worth, np.inf, -np.inf
    if found is not None and job.start:
        matrix = build_matrix(options)
        paid = matrix.a.T @ by_row(matrix, found.prices)
        rows = rows_of_cuts(options, found.cuts)
        paid = paid + rows.T @ np.array([cut.price for cut in found.cuts])
        reduced, bound = options.worth - paid, found.bound
        known = float(options.worth[job.plan].sum())
    kept = needed(options, reduced, bound, known)
    kept[job.plan] = True
    return kept


def better_of(options: Any, matrix: Any, job: Job, chosen: Any) -> Any:
    """Return the better one of the plan to begin with and that of a solver.

    The one of the solver may break a rule by what the solver takes for nothing, or be
    worse by what it does; None where there is no plan then.
    """
    known = job.plan
    if not len(options.buy.resource) and not holds(matrix, chosen):
        return known if job.start else None
    if job.start and value_of(options, known) > value_of(options, chosen):
        return known
    return chosen


def prove_optimum(
    options: Any,
    job: SolveJob,
    plan: np.ndarray | None,
    found: Tightened | None,
    inbox: list[News],
    bounds: list[float],
    end: float,
    emit: Any,
) -> None:
    """Prove by branches what the solver only claims, where nothing else does.

    With `most_nodes` 0 nobody asks for that.

    Parameters
    ----------
    plan
        The optimum that is claimed.
    found
        What cuts have brought.
    """
    from pmo_analytics.optimization.workers.proof_job import prove

    if not job.most_nodes or any(isinstance(told, ProvedElsewhere) for told in inbox):
        return
    start = [] if plan is None else plan.tolist()
    known = float(options.worth[plan].sum()) if start else 0.0
    enough = known + 1e-6 * max(1.0, abs(known))
    if not start or min(bounds, default=np.inf) > enough:
        cuts = [] if found is None else dataclasses.asdict(found)["cuts"]
        prove(options, job.proof(start=start, cuts=cuts), [], end, emit)


def finite(number: float) -> float | None:
    """Return a number as JSON has it: None where it is infinite."""
    return float(number) if np.isfinite(number) else None
