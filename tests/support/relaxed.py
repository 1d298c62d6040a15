"""The relaxation of a model as tests of the search need it: prices, and a diver."""

from __future__ import annotations

import time
from typing import Any

from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix
from pmo_analytics.optimization.model.instance import Options
from tests.support.clock import AMPLE


def far() -> float:
    """Return a moment by which anything is done, on however busy a machine."""
    return time.monotonic() + 1e6


def diver_of(options: Options, seed: int) -> tuple[Matrix, Diver]:
    matrix = build_matrix(options)
    diver = Diver(options, matrix, seed)
    assert diver.begin(60.0)
    return matrix, diver


def prices_of(options: Options) -> list[tuple[list[Any], float]]:
    """Return the prices of the rows as a search is told them."""
    matrix = build_matrix(options)
    relaxed = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    return [
        (label, float(price))
        for label, price in zip(matrix.labels, relaxed.prices, strict=True)
        if label is not None
    ]
