"""A peer in a process of its own: CP-SAT on the plain time-indexed model.

Run as `python _cpsat_peer.py JOB.npz`. OR-Tools and highspy cannot be loaded into one
process, so nothing here imports PuLP. The rows are those of the plain model; amounts
are scaled to whole numbers exactly, or the instance is refused.
"""

from __future__ import annotations

import math
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix
from pmo_analytics.optimization.model.instance import Options
from tests.benchmarks import _peer

# Amounts are sums of a few table cells; what lies behind the 9th decimal is rounding.
_DECIMALS = 9
_MOST = 2**60
# The largest worth of an option becomes about this whole number.
_WORTH = 1e7


class NotWholeError(ValueError):
    """An amount cannot be scaled to a whole number exactly."""


def whole_row(
    amounts: np.ndarray, lower: float, upper: float
) -> tuple[list[int], int | None, int | None]:
    """Return a row times a power of ten, all whole; None where a side is open.

    Limits are rounded inward, which changes nothing: sums of whole amounts are whole.

    Raises
    ------
    NotWholeError
        If nine decimals do not suffice or the numbers become too large.
    """
    exact = np.round(amounts, _DECIMALS)
    if np.abs(exact - amounts).max(initial=0.0) > 1e-10 * max(
        1.0, np.abs(amounts).max(initial=0.0)
    ):
        raise NotWholeError(f"an amount has more than {_DECIMALS} decimals")
    for decimals in range(_DECIMALS + 1):
        scale = 10**decimals
        scaled = np.round(exact * scale)
        if np.abs(scaled / scale - exact).max(initial=0.0) < 10.0 ** -(_DECIMALS + 1):
            break
    if max(np.abs(scaled).sum(), abs(upper) * scale * math.isfinite(upper)) > _MOST:
        raise NotWholeError("scaled amounts do not fit into 64 bits")
    whole = scaled.astype(np.int64)
    divisor = int(np.gcd.reduce(np.abs(whole))) or 1

    def side(limit: float, rounding: Any) -> int | None:
        if not math.isfinite(limit):
            return None
        return int(rounding(round(limit * scale, 6) / divisor))

    return (
        (whole // divisor).tolist(),
        side(lower, math.ceil),
        side(upper, math.floor),
    )


def whole_worth(options: Options) -> tuple[np.ndarray, float, float]:
    """Return whole worths (rounded down), their scale, and what rounding may hide.

    Any plan earns at most (its whole worth + hidden) / scale.
    """
    worth = options.worth
    if np.all(worth == np.round(worth)) and np.abs(worth).max(initial=0.0) < 1e12:
        return worth.astype(np.int64), 1.0, 0.0
    scale = _WORTH / max(float(np.abs(worth).max(initial=0.0)), 1e-12)
    whole = np.floor(worth * scale).astype(np.int64)
    rest = np.zeros(len(options.must))
    np.maximum.at(rest, options.project, worth * scale - whole)
    return whole, scale, float(rest.sum())


def _solve(options: Options, job: dict[str, Any], tell: _peer.Teller) -> None:
    from ortools.sat.python import cp_model

    try:
        model, x = _build(options, build_matrix(options))
    except NotWholeError as error:
        tell("refused", detail=str(error))
        return
    whole, scale, hidden = whole_worth(options)
    model.maximize(cp_model.LinearExpr.weighted_sum(x, whole.tolist()))
    tell("built")

    class Listener(cp_model.CpSolverSolutionCallback):
        """Tells of every better plan."""

        def on_solution_callback(self) -> None:
            tell("plan", chosen=[k for k, v in enumerate(x) if self.boolean_value(v)])
            tell.better_bound((self.best_objective_bound + hidden) / scale)

    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = tell.left(job["seconds"])
    solver.parameters.num_workers = job["threads"]
    solver.best_bound_callback = lambda bound: tell.better_bound(
        (bound + hidden) / scale
    )
    status = solver.solve(model, Listener())
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    chosen = [k for k, v in enumerate(x) if solver.boolean_value(v)] if found else None
    bound = (solver.best_objective_bound + hidden) / scale if found else None
    tell("solved", status=solver.status_name(status), chosen=chosen, bound=bound)


def _build(options: Options, matrix: Matrix) -> tuple[Any, list[Any]]:
    """Return the model row by row, and its variables."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in options.project]
    rows = csr_array(matrix.a)
    rows.eliminate_zeros()
    for r, label in enumerate(matrix.labels):
        span = slice(rows.indptr[r], rows.indptr[r + 1])
        terms = [x[k] for k in rows.indices[span].tolist()]
        lower, upper = float(matrix.lower[r]), float(matrix.upper[r])
        if label is None:
            add = model.add_exactly_one if lower == 1 else model.add_at_most_one
            add(terms)
            continue
        amounts, low, high = whole_row(rows.data[span], lower, upper)
        expression = cp_model.LinearExpr.weighted_sum(terms, amounts)
        if low is not None and low == high:
            model.add(expression == low)
            continue
        if low is not None:
            model.add(expression >= low)
        if high is not None:
            model.add(expression <= high)
    return model, x


def _cpsat_version() -> str:
    from ortools.sat.python import cp_model  # noqa: F401  (it has to load)

    return f"OR-Tools {version('ortools')}"


if __name__ == "__main__":
    _peer.run({"cpsat": _cpsat_version, "cpsat8": _cpsat_version}, _solve)
