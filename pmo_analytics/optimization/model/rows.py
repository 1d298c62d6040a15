"""Rows of a model as families of constraints write them, and the name of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class RowLabel(NamedTuple):
    """One row of the model by business numbers; between processes a list of three.

    Attributes
    ----------
    form
        What it says, one of the forms of a family in `families.FAMILIES`.
    number
        Of the resource, dependency, group or rule that it belongs to.
    at
        Project of an all-or-none group, or start of a dependency; None elsewhere.
    """

    form: str
    number: int
    at: int | None = None


# Columns with one coefficient for all of them.
Piece = tuple[np.ndarray, float]


class Rows:
    """Rows being gathered, in their order: columns and coefficients in pieces.

    Attributes
    ----------
    labels
        Of each row; None where it is about one project or one offer alone.
    """

    def __init__(self) -> None:
        self.labels: list[RowLabel | None] = []
        self._row: list[np.ndarray] = []
        self._column: list[np.ndarray] = []
        self._value: list[np.ndarray] = []
        self._lower: list[np.ndarray] = []
        self._upper: list[np.ndarray] = []

    def add(
        self, label: RowLabel | None, pieces: list[Piece], lower: float, upper: float
    ) -> None:
        """Add one row, unless it is about nothing and holds."""
        if lower <= 0 <= upper and not any(len(columns) for columns, _ in pieces):
            return
        number = len(self.labels)
        for columns, coefficient in pieces:
            self._row.append(np.full(len(columns), number))
            self._column.append(columns)
            self._value.append(np.full(len(columns), coefficient))
        self._lower.append(np.array([lower]))
        self._upper.append(np.array([upper]))
        self.labels.append(label)

    def add_block(
        self,
        labels: list[RowLabel] | list[None],
        row: np.ndarray,
        column: np.ndarray,
        value: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
    ) -> None:
        """Add many rows at once; `row` counts from 0 within the block."""
        self._row.append(row + len(self.labels))
        self._column.append(column)
        self._value.append(value)
        self._lower.append(lower)
        self._upper.append(upper)
        self.labels += labels

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and coefficient of everything that was written."""
        if not self._row:
            none = np.zeros(0, dtype=np.int64)
            return none, none, np.zeros(0)
        return (
            np.concatenate(self._row),
            np.concatenate(self._column),
            np.concatenate(self._value),
        )

    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper side of each row."""
        if not self._lower:
            return np.zeros(0), np.zeros(0)
        return np.concatenate(self._lower), np.concatenate(self._upper)
