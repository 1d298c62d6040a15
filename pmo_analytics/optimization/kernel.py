"""The model of the options that the LP relaxation likes best.

Kernel search (Angelelli, Mansini and Speranza, Computers & Operations Research 37(11),
2010): where the relaxation is nearly right, good plans are made of the options with
the largest reduced worth, and the model of those is far easier than the whole one.
Where the relaxation is far off it finds nothing, and repacking the plan is better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pmo_analytics.optimization.highs import solve
from pmo_analytics.optimization.matrix import Matrix, part_of
from pmo_analytics.optimization.options import Options

# Share of its work that the solver spends on looking for plans.
_EFFORT = 0.3


def solve_kernel(
    options: Options,
    matrix: Matrix,
    plan: np.ndarray,
    liking: np.ndarray,
    size: int,
    seconds: float,
    seed: int,
    tell: Callable[[np.ndarray], None],
) -> str:
    """Solve the model of some options and of those in the plan; return the status.

    The plan itself is not told to the solver: from scratch it finds other ones, and
    better ones sooner, than around a plan that is good already.

    Parameters
    ----------
    options, matrix
        The whole model.
    plan
        Option numbers of a feasible plan.
    liking
        How much the relaxation likes each option: its reduced worth.
    size
        How many options take part.
    seed
        Of the solver.
    tell
        Called with each better plan.
    """
    columns = np.union1d(np.argsort(-liking, kind="stable")[:size], plan)
    small = part_of(matrix, columns, np.zeros(len(matrix.labels)))

    def hear(x: np.ndarray | None, _bound: float) -> None:
        if x is not None:
            tell(columns[x > 0.5])

    answer = solve(
        small,
        options.worth[columns],
        seconds=seconds,
        report=hear,
        random_seed=seed,
        mip_rel_gap=1e-4,
        mip_heuristic_effort=_EFFORT,
    )
    return answer.status
