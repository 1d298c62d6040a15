"""The model of `formulate` as one sparse matrix, row by row the same.

Written with numpy alone, for sizes where a Python loop over every coefficient costs
more than the search, and for the many small models of the neighbourhood search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from pmo_analytics.optimization.model.instance import (
    ALL,
    NO_LIMIT,
    NONE,
    TOGETHER,
    Options,
)
from pmo_analytics.tolerance import TOLERANCE

Label = tuple[str | int, ...]


@dataclass(frozen=True)
class Matrix:
    """lower <= a @ x <= upper over the options x, one column each.

    Attributes
    ----------
    a
        Sparse, rows x options; after them, where capacity is sold, one column per
        purchase, as a share of the most that can be bought.
    labels
        Label of each row as in `formulate`; None for choice rows.
    slack
        By how much sums of floats may exceed each row; None = by the tolerance of FTE.
    unit
        What a solver is to see as 1 in each row; None = 1 everywhere.
    """

    a: csc_array
    lower: np.ndarray
    upper: np.ndarray
    labels: list[Label | None]
    slack: np.ndarray | float = TOLERANCE
    unit: np.ndarray | None = None


class _Rows:
    """Rows being gathered: columns and coefficients in pieces."""

    def __init__(self) -> None:
        self.row: list[np.ndarray] = []
        self.column: list[np.ndarray] = []
        self.value: list[np.ndarray] = []
        self.lower: list[np.ndarray] = []
        self.upper: list[np.ndarray] = []
        self.labels: list[Label | None] = []

    def add(
        self,
        label: Label | None,
        pieces: list[tuple[np.ndarray, float]],
        lower: float,
        upper: float,
    ) -> None:
        """Add one row; a piece is column numbers with one coefficient for all."""
        if lower <= 0 <= upper and not any(len(columns) for columns, _ in pieces):
            return
        number = len(self.labels)
        for columns, coefficient in pieces:
            self.row.append(np.full(len(columns), number))
            self.column.append(columns)
            self.value.append(np.full(len(columns), coefficient))
        self.lower.append(np.array([lower]))
        self.upper.append(np.array([upper]))
        self.labels.append(label)

    def add_block(
        self,
        labels: list[Label | None],
        row: np.ndarray,
        column: np.ndarray,
        value: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
    ) -> None:
        """Add many rows at once; `row` counts from 0 within the block."""
        self.row.append(row + len(self.labels))
        self.column.append(column)
        self.value.append(value)
        self.lower.append(lower)
        self.upper.append(upper)
        self.labels += labels

    def matrix(self, columns: int) -> Matrix:
        row = np.concatenate(self.row) if self.row else np.zeros(0, dtype=np.int64)
        column = np.concatenate(self.column) if self.row else row
        value = np.concatenate(self.value) if self.row else np.zeros(0)
        # csc_array adds up what falls on one place, as S_j - S_i does for i = j.
        a = csc_array((value, (row, column)), shape=(len(self.labels), columns))
        return Matrix(
            a,
            np.concatenate(self.lower) if self.lower else np.zeros(0),
            np.concatenate(self.upper) if self.upper else np.zeros(0),
            self.labels,
        )


def build_matrix(options: Options) -> Matrix:
    """Return the whole model of the options."""
    rows = _Rows()
    _add_choices(rows, options)
    _add_limits(rows, options)
    _add_dependencies(rows, options)
    _add_groups(rows, options)
    _add_own_rules(rows, options)
    _add_hires(rows, options)
    matrix = rows.matrix(len(options.project) + len(options.buy_resource))
    slack, unit = grains_of(options, matrix.labels)
    return replace(matrix, slack=slack, unit=unit)


def grains_of(
    options: Options, labels: Sequence[Label | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slack and the unit of each row of a model."""
    slack, unit = np.full(len(labels), TOLERANCE), np.ones(len(labels))
    for row, label in enumerate(labels):
        kind = "" if label is None else label[0]
        if label is not None and kind in ("limit", "least"):
            thing = int(label[1])
            slack[row], unit[row] = options.slack[thing], options.unit[thing]
        elif label is not None and kind in ("linear_most", "linear_least"):
            r = int(label[1])
            slack[row], unit[row] = options.linear_slack[r], options.linear_unit[r]
    return slack, unit


def holds(matrix: Matrix, chosen: np.ndarray) -> bool:
    """Return whether these options, and nothing else, keep every row."""
    x = np.zeros(matrix.a.shape[1])
    x[chosen] = 1.0
    used = matrix.a @ x
    above = used <= matrix.upper + matrix.slack
    return bool((above & (used >= matrix.lower - matrix.slack)).all())


def broken_rows(matrix: Matrix, chosen: np.ndarray) -> list[tuple[Label, float]]:
    """Return the rows that a choice breaks, and by how much."""
    x = np.zeros(matrix.a.shape[1])
    x[chosen] = 1.0
    used = matrix.a @ x
    off = np.maximum(used - matrix.upper, matrix.lower - used)
    broken = np.flatnonzero(off > matrix.slack)
    named = [(matrix.labels[row], float(off[row])) for row in broken.tolist()]
    return [(label, amount) for label, amount in named if label is not None]


def bound_of_prices(options: Options, matrix: Matrix, prices: np.ndarray) -> float:
    """Return the Lagrangian bound of row prices: no plan is worth more.

    Prices of rows with one project in them are not needed and left out: of each
    project the best option is taken. A price whose sign says nothing counts as 0.
    """
    counted = np.array([label is not None for label in matrix.labels], dtype=bool)
    price = np.where(counted, prices, 0.0)
    price = np.where(np.isinf(matrix.upper), np.minimum(price, 0.0), price)
    price = np.where(np.isinf(matrix.lower), np.maximum(price, 0.0), price)
    side = np.where(price > 0, matrix.upper, matrix.lower)
    paid = float((price * np.where(price == 0, 0.0, side)).sum())
    best = np.full(len(options.must), -np.inf)
    reduced = options.gains() - matrix.a.T @ price
    np.maximum.at(best, options.project, reduced[: len(options.project)])
    paid += _best_purchases(options, reduced[len(options.project) :])
    best = np.where(options.must, best, np.maximum(best, 0.0))
    return paid + float(best[np.diff(options.first) > 0].sum())


def _best_purchases(options: Options, reduced: np.ndarray) -> float:
    """Return what purchases bring at most: of the columns of a hire, the best one."""
    if not len(reduced):
        return 0.0
    gain = np.maximum(reduced, 0.0)
    alone = options.buy_joint < 0
    best = np.zeros(int(options.buy_joint.max()) + 1)
    np.maximum.at(best, options.buy_joint[~alone], gain[~alone])
    return float(gain[alone].sum() + best.sum())


def _add_own_rules(rows: _Rows, options: Options) -> None:
    o = options
    for label, finite in (
        ("linear_most", np.isfinite(o.linear_upper)),
        ("linear_least", np.isfinite(o.linear_lower)),
    ):
        kept = np.flatnonzero(finite)
        place = np.full(len(finite), -1)
        place[kept] = np.arange(len(kept))
        row = place[np.repeat(np.arange(len(finite)), np.diff(o.linear_first))]
        entry = row >= 0
        free = np.full(len(kept), np.inf)
        rows.add_block(
            [(label, int(r)) for r in kept],
            row[entry],
            o.linear_option[entry],
            o.linear_weight[entry],
            -free if label == "linear_most" else o.linear_lower[kept],
            o.linear_upper[kept] if label == "linear_most" else free,
        )


def _add_hires(rows: _Rows, options: Options) -> None:
    """All hires of one offer are at most its limit; their shares at most 1."""
    for hire in np.unique(options.buy_joint[options.buy_joint >= 0]):
        columns = len(options.project) + np.flatnonzero(options.buy_joint == hire)
        rows.add(None, [(columns, 1.0)], -np.inf, 1.0)


def _span(options: Options, project: int) -> np.ndarray:
    return np.arange(options.first[project], options.first[project + 1])


def _until(options: Options, project: int, by: int) -> np.ndarray:
    """Return the options of a project that start by then."""
    lo, hi = options.first[project], options.first[project + 1]
    return np.arange(lo, lo + np.searchsorted(options.start[lo:hi], by, "right"))


def _after(options: Options, project: int, then: int) -> np.ndarray:
    """Return the options of a project that start later than then."""
    lo, hi = options.first[project], options.first[project + 1]
    return np.arange(lo + np.searchsorted(options.start[lo:hi], then, "right"), hi)


def _add_choices(rows: _Rows, options: Options) -> None:
    count = np.diff(options.first)
    kept = np.flatnonzero(options.must | (count > 1))
    place = np.full(len(count), -1)
    place[kept] = np.arange(len(kept))
    own = place[options.project]
    columns = np.flatnonzero(own >= 0)
    rows.add_block(
        [None] * len(kept),
        own[columns],
        columns,
        np.ones(len(columns)),
        np.where(options.must[kept], 1.0, -np.inf),
        np.ones(len(kept)),
    )


def _add_limits(rows: _Rows, options: Options) -> None:
    things = len(options.limit)
    owner = options.use_option()
    largest = options.largest_use()
    for kind, wanted, side in (
        ("limit", np.isfinite(options.limit) & (largest > options.limit), 1),
        ("least", np.isfinite(options.least) & (options.least > 0), -1),
    ):
        kept = np.flatnonzero(wanted)
        place = np.full(things, -1)
        place[kept] = np.arange(len(kept))
        own = place[options.use_row]
        entry = np.flatnonzero(own >= 0)
        row, column, value = own[entry], owner[entry], options.use_amount[entry]
        if side > 0 and len(options.buy_resource):
            more = _sold(options, place)
            row, column, value = (
                np.concatenate([a, b])
                for a, b in zip((row, column, value), more, strict=True)
            )
        free = np.full(len(kept), np.inf)
        rows.add_block(
            [(kind, int(thing)) for thing in kept],
            row,
            column,
            value,
            -free if side > 0 else options.least[kept],
            options.limit[kept] if side > 0 else free,
        )


def _sold(
    options: Options, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column and coefficient of what purchases add to the limits."""
    o = options
    column = np.repeat(np.arange(len(o.buy_resource)), o.buy_length)
    step = np.arange(len(column)) - np.repeat(
        np.cumsum(o.buy_length) - o.buy_length, o.buy_length
    )
    row = place[o.buy_resource[column] + step]
    kept = row >= 0
    column = column[kept]
    return row[kept], len(o.project) + column, -o.buy_most[column]


def _add_dependencies(rows: _Rows, options: Options) -> None:
    o = options
    for d, j in enumerate(o.dependency_project.tolist()):
        span = range(o.dependency_first[d], o.dependency_first[d + 1])
        targets = [int(o.dependency_target[i]) for i in span]
        if not o.dependency_kind[d]:
            pieces = [(_span(o, j), 1.0), *((_span(o, i), -1.0) for i in targets)]
            rows.add(("selected", d), pieces, -np.inf, 0.0)
            continue
        starts = o.start[o.first[j] : o.first[j + 1]].tolist()
        bounded = any(o.dependency_lag_max[i] < NO_LIMIT for i in span)
        if bounded and not o.dependency_single[d]:
            for k, t in enumerate(starts, int(o.first[j])):
                pieces = [(np.array([k]), 1.0)]
                for i in span:
                    early = _after(
                        o,
                        int(o.dependency_target[i]),
                        t - int(o.dependency_lag_max[i]) - 1,
                    )
                    late = t - int(o.dependency_lag[i])
                    pieces.append((early[o.start[early] <= late], -1.0))
                rows.add(("at", d, t), pieces, -np.inf, 0.0)
            continue
        for t in starts:
            pieces = [(_until(o, j, t), 1.0)]
            for i in span:
                by = t - int(o.dependency_lag[i])
                pieces.append((_until(o, int(o.dependency_target[i]), by), -1.0))
            rows.add(("by", d, t), pieces, -np.inf, 0.0)
        if bounded:
            wait_max = int(o.dependency_lag_max[span.start])
            for start in starts:
                t = start - 1 - wait_max
                pieces = [
                    (_after(o, j, t + wait_max), 1.0),
                    (_after(o, targets[0], t), -1.0),
                ]
                rows.add(("after", d, t), pieces, -np.inf, 0.0)


def _add_groups(rows: _Rows, options: Options) -> None:
    o = options
    for g, whole in enumerate(o.group_all.tolist()):
        members = o.group_project[o.group_first[g] : o.group_first[g + 1]].tolist()
        if whole in (ALL, NONE):
            wanted = 1.0 if whole == ALL else 0.0
            for p in members:
                rows.add(("same", g, p), [(_span(o, p), 1.0)], wanted, wanted)
        elif whole == TOGETHER:
            for p in members[1:]:
                pieces = [(_span(o, p), 1.0), (_span(o, members[0]), -1.0)]
                rows.add(("same", g, p), pieces, 0.0, 0.0)
        else:
            pieces = [(_span(o, p), 1.0) for p in members]
            if o.group_most[g] < len(members):
                rows.add(("at_most", g), pieces, -np.inf, float(o.group_most[g]))
            if o.group_least[g] > 0:
                rows.add(("at_least", g), pieces, float(o.group_least[g]), np.inf)


def part_of(matrix: Matrix, columns: np.ndarray, rest: np.ndarray) -> Matrix:
    """Return the rows that some columns take part in, less what the rest uses."""
    part = matrix.a[:, columns]
    rows = np.unique(part.indices)
    return Matrix(
        part.tocsr()[rows].tocsc(),
        matrix.lower[rows] - rest[rows],
        matrix.upper[rows] - rest[rows],
        [],
        _some(matrix.slack, rows),
        None if matrix.unit is None else matrix.unit[rows],
    )


def _some(slack: np.ndarray | float, rows: np.ndarray) -> np.ndarray | float:
    return slack[rows] if isinstance(slack, np.ndarray) else slack
