"""Presolve: nothing that a best plan needs is lost, against enumeration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.optimization.model.array_sink import bound_of_prices, build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.highs import solve
from pmo_analytics.optimization.model.presolve import (
    Presolve,
    dominated,
    needed,
    tightened,
)
from tests.support.brute_force import best_plan
from tests.support.certify_cases import make, needs
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import drawn


def starts(portfolio) -> dict[str, list[int]]:
    compiled = compile_options(portfolio)
    options = tightened(compiled.options)
    return {
        name: options.start[options.first[p] : options.first[p + 1]].tolist()
        for p, name in enumerate(compiled.names)
    }


def test_windows_are_tightened_along_a_chain() -> None:
    projects = [{"project": p, "duration": 2, "value": 5.0} for p in "ABC"]
    chain = [
        {"project": "B", "requires": "A", "lag": 1},
        {
            "project": "C",
            "requires": "B",
            "kind": "start_start",
            "lag": 2,
            "lag_max": 2,
        },
    ]
    # A needs nobody, so it may start at any time; B after 2 + 1, C 2 after B.
    assert starts(make(projects, periods=8, dependencies=chain)) == {
        "A": [0, 1, 2, 3, 4, 5, 6],
        "B": [3, 4, 5, 6],
        "C": [5, 6],
    }
    # If C must be, so must the others, in time for it.
    projects[2]["force"] = "in"
    assert starts(make(projects, periods=8, dependencies=chain)) == {
        "A": [0, 1],
        "B": [3, 4],
        "C": [5, 6],
    }


def test_what_must_be_takes_room_wherever_it_goes() -> None:
    portfolio = make(
        [
            {"project": "A", "duration": 3, "force": "in", "latest": 1},
            {"project": "B", "duration": 1},
        ],
        periods=4,
        capacity={"Dev": [1.0] * 4},
        demand=needs(*(("A", "Dev", o, 1.0) for o in range(3)), ("B", "Dev", 0, 0.5)),
    )
    # A is at work in 1 and 2, whether it starts in 0 or in 1.
    assert starts(portfolio) == {"A": [0, 1], "B": [0, 3]}


def test_groups_follow_what_must_be() -> None:
    projects = [{"project": p, "duration": 1} for p in "ABCD"]
    projects[0]["force"] = "in"
    portfolio = make(
        projects,
        periods=2,
        groups=[
            *({"group": "G", "project": p, "at_most": 1} for p in "AB"),
            *({"group": "H", "project": p, "rule": "all_or_none"} for p in "BC"),
            *({"group": "I", "project": p, "rule": "all_or_none"} for p in "AD"),
        ],
    )
    assert starts(portfolio) == {"A": [0, 1], "B": [], "C": [], "D": [0, 1]}
    options = tightened(compile_options(portfolio).options)
    assert options.must.tolist() == [True, False, False, True]


def test_a_start_that_another_one_beats_is_not_needed() -> None:
    portfolio = make(
        [{"project": "A", "duration": 1}, {"project": "B", "duration": 1}],
        periods=3,
        capacity={"Dev": [1.0, 2.0, 1.0]},
        demand=needs(("A", "Dev", 0, 1.0), ("B", "Dev", 0, 0.5)),
    )
    # Two fit in the middle at any time, so there nobody is in the way: it is as good
    # as the start before, but later; the last one is later and no better.
    assert dominated(compile_options(portfolio).options).tolist() == [
        *(False, False, True),
        *(False, False, True),
    ]
    linked = portfolio.replace(
        dependencies=pd.DataFrame({"project": ["B"], "requires": ["A"]})
    )
    assert not dominated(compile_options(linked).options).any()


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_the_best_plan_remains(chunk: int) -> None:
    gone, beaten, priced = 0, 0, 0
    for seed in range(chunk * 20, chunk * 20 + 20):
        portfolio = drawn(seed)
        strict = seed % 4 == 3
        best, plan = best_plan(portfolio, strict=strict)
        compiled = compile_options(portfolio, strict=strict)
        options = compiled.options
        left, must = np.ones(len(options.project), dtype=bool), options.must.copy()
        possible = Presolve(options).tighten(left, must)
        if best is None or not len(options.project):
            continue
        assert possible
        chosen = compiled.chosen(plan)
        assert left[chosen].all(), seed
        selected = np.zeros(len(must), dtype=bool)
        selected[options.project[chosen]] = True
        assert selected[must].all(), seed
        gone += int((~left).sum())
        fewer = tightened(options)
        kept = ~dominated(fewer)
        beaten += int((~kept).sum())
        tie = options.tie[chosen].sum()
        assert optimum(fewer.only(kept), tie) == pytest.approx(float(best)), seed
        if not len(fewer.project):
            continue
        matrix = build_matrix(fewer)
        relaxed = solve(matrix, fewer.worth, seconds=AMPLE, integer=False)
        reduced = fewer.worth - matrix.a.T @ relaxed.prices
        reduced = _own_rows_paid(fewer, matrix, relaxed.prices, reduced)
        bound = bound_of_prices(fewer, matrix, relaxed.prices)
        kept = needed(fewer, reduced, bound, float(best))
        priced += int((~kept).sum())
        assert optimum(fewer.only(kept), tie) == pytest.approx(float(best)), seed
    assert gone
    assert priced > beaten


def _own_rows_paid(options, matrix, prices, reduced):
    """Give back what rows of a single project charge: the bound leaves them out."""
    own = np.array([label is None for label in matrix.labels], dtype=bool)
    return reduced + matrix.a.T @ np.where(own, prices, 0.0)


def optimum(options, tie: float) -> float:
    """Return the optimum; of plans worth as much, one has ties no worse than this."""
    if not len(options.project):
        return 0.0
    matrix = build_matrix(options)
    answer = solve(matrix, options.worth, seconds=AMPLE, mip_rel_gap=1e-9)
    assert answer.x is not None
    bar = np.ones(len(options.project)) * options.worth
    earliest = solve(
        with_row(matrix, bar, answer.objective - 1e-7), -options.tie, seconds=AMPLE
    )
    assert earliest.x is not None
    assert options.tie[earliest.x > 0.5].sum() <= tie + 1e-6
    return answer.objective


def with_row(matrix, values: np.ndarray, least: float):
    """Return the matrix with one more row: values @ x >= least."""
    from scipy.sparse import csc_array, vstack

    from pmo_analytics.optimization.model.array_sink import Matrix

    return Matrix(
        csc_array(vstack([matrix.a, values[np.newaxis, :]])),
        np.append(matrix.lower, least),
        np.append(matrix.upper, np.inf),
        [*matrix.labels, None],
    )
