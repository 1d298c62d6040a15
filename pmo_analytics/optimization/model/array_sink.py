"""Rows of a model stored as one sparse matrix.

With numpy alone, for sizes where a Python loop over every coefficient costs more than
the search, and for the many small models of the neighbourhood search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack, vstack

from pmo_analytics.optimization.model.counts import Counts
from pmo_analytics.optimization.model.families import write_rows
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel, Rows
from pmo_analytics.tolerance import TOLERANCE


@dataclass(frozen=True)
class Matrix:
    """lower <= a @ x <= upper over the options x, one column each.

    Attributes
    ----------
    a
        Sparse, rows x options; after them, where capacity is sold, one column per
        purchase, as a share of the most that can be bought.
    labels
        Label of each row; None for those about one project or one offer alone.
    slack
        By how much sums of floats may exceed each row; None = by the tolerance of FTE.
    unit
        What a solver is to see as 1 in each row; None = 1 everywhere.
    counts
        Counts of different themes over the options; a solver sees them as rows with
        columns of their own, after all others (`spelled_out`). None = there are none.
    """

    a: csc_array
    lower: np.ndarray
    upper: np.ndarray
    labels: list[RowLabel | None]
    slack: np.ndarray | float = TOLERANCE
    unit: np.ndarray | None = None
    counts: Counts | None = None


def build_matrix(options: Options) -> Matrix:
    """Return the whole model of the options."""
    rows = write_rows(options, with_columns=False)
    row, column, value = rows.entries()
    columns = len(options.project) + len(options.buy.resource)
    # csc_array adds up what falls on one place, as S_j - S_i does for i = j.
    a = csc_array((value, (row, column)), shape=(len(rows.labels), columns))
    lower, upper = rows.sides()
    slack, unit = grains_of(options, rows.labels)
    counts = options.counts if len(options.counts) else None
    return Matrix(a, lower, upper, rows.labels, slack, unit, counts)


def spelled_out(matrix: Matrix) -> Matrix:
    """Return a matrix with its counts as rows, and a column for each of their classes.

    Both come after the others.
    """
    counts = matrix.counts
    if counts is None:
        return matrix
    rows = Rows()
    many = matrix.a.shape[1]
    counts.write(rows, many)
    row, column, value = rows.entries()
    shape = (len(rows.labels), many + len(counts.count))
    more = csr_array((value, (row, column)), shape=shape)
    wide = csc_array((matrix.a.shape[0], len(counts.count)))
    lower, upper = rows.sides()
    ones = np.ones(len(rows.labels))
    slack = np.broadcast_to(matrix.slack, len(matrix.lower))
    return Matrix(
        vstack([hstack([matrix.a, wide]), more], format="csc"),
        np.concatenate([matrix.lower, lower]),
        np.concatenate([matrix.upper, upper]),
        [*matrix.labels, *rows.labels],
        np.concatenate([slack, TOLERANCE * ones]),
        None if matrix.unit is None else np.concatenate([matrix.unit, ones]),
    )


def grains_of(
    options: Options, labels: Sequence[RowLabel | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slack and the unit of each row of a model."""
    o = options
    slack, unit = np.full(len(labels), TOLERANCE), np.ones(len(labels))
    for row, label in enumerate(labels):
        if label is None:
            continue
        if label.form in ("limit", "least"):
            slack[row], unit[row] = o.slack[label.number], o.unit[label.number]
        elif label.form in ("linear_most", "linear_least"):
            slack[row] = o.linear.slack[label.number]
            unit[row] = o.linear.unit[label.number]
    return slack, unit


def holds(matrix: Matrix, chosen: np.ndarray) -> bool:
    """Return whether these options, and nothing else, keep every row."""
    x = np.zeros(matrix.a.shape[1])
    x[chosen] = 1.0
    used = matrix.a @ x
    above = used <= matrix.upper + matrix.slack
    if matrix.counts is not None and not matrix.counts.hold(chosen, len(x)):
        return False
    return bool((above & (used >= matrix.lower - matrix.slack)).all())


def broken_rows(matrix: Matrix, chosen: np.ndarray) -> list[tuple[RowLabel, float]]:
    """Return the rows that a choice breaks, and by how much."""
    x = np.zeros(matrix.a.shape[1])
    x[chosen] = 1.0
    used = matrix.a @ x
    off = np.maximum(used - matrix.upper, matrix.lower - used)
    broken = np.flatnonzero(off > matrix.slack)
    named = [(matrix.labels[row], float(off[row])) for row in broken.tolist()]
    if matrix.counts is not None:
        excess = matrix.counts.excess(matrix.counts.held(chosen, len(x)))
        named += [
            (RowLabel("distinct", int(c)), float(excess[c]))
            for c in np.flatnonzero(excess > 0)
        ]
    return [(label, amount) for label, amount in named if label is not None]


def bound_of_prices(
    options: Options,
    matrix: Matrix,
    prices: np.ndarray,
    opens: np.ndarray | None = None,
) -> float:
    """Return the Lagrangian bound of row prices: no plan is worth more.

    Prices of rows with one project in them are not needed and left out: of each
    project the best option is taken. A price whose sign says nothing counts as 0.

    Parameters
    ----------
    opens
        Prices of the members of counts; None = 0.
    """
    counted = np.array([label is not None for label in matrix.labels], dtype=bool)
    price = np.where(counted, prices, 0.0)
    price = np.where(np.isinf(matrix.upper), np.minimum(price, 0.0), price)
    price = np.where(np.isinf(matrix.lower), np.maximum(price, 0.0), price)
    side = np.where(price > 0, matrix.upper, matrix.lower)
    paid = float((price * np.where(price == 0, 0.0, side)).sum())
    best = np.full(len(options.must), -np.inf)
    reduced = options.gains() - matrix.a.T @ price
    if opens is not None and matrix.counts is not None:
        paid += matrix.counts.dearest(np.maximum(opens, 0.0))
        reduced -= matrix.counts.paid_by(opens, len(reduced))
    np.maximum.at(best, options.project, reduced[: len(options.project)])
    paid += _best_purchases(options, reduced[len(options.project) :])
    best = np.where(options.must, best, np.maximum(best, 0.0))
    return paid + float(best[np.diff(options.first) > 0].sum())


def _best_purchases(options: Options, reduced: np.ndarray) -> float:
    """Return what purchases bring at most: of the columns of a hire, the best one."""
    if not len(reduced):
        return 0.0
    gain = np.maximum(reduced, 0.0)
    alone = options.buy.joint < 0
    best = np.zeros(int(options.buy.joint.max()) + 1)
    np.maximum.at(best, options.buy.joint[~alone], gain[~alone])
    return float(gain[alone].sum() + best.sum())


def part_of(
    matrix: Matrix, columns: np.ndarray, rest: np.ndarray, kept: np.ndarray
) -> Matrix:
    """Return the rows that some columns take part in, less what the rest uses.

    Parameters
    ----------
    rest
        What the other columns use of each row.
    kept
        Those of them that are 1.
    """
    part = matrix.a[:, columns]
    rows = np.unique(part.indices)
    return Matrix(
        part.tocsr()[rows].tocsc(),
        matrix.lower[rows] - rest[rows],
        matrix.upper[rows] - rest[rows],
        [],
        _some(matrix.slack, rows),
        None if matrix.unit is None else matrix.unit[rows],
        None
        if matrix.counts is None
        else matrix.counts.part(columns, kept, matrix.a.shape[1]),
    )


def _some(slack: np.ndarray | float, rows: np.ndarray) -> np.ndarray | float:
    return slack[rows] if isinstance(slack, np.ndarray) else slack
