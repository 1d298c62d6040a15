"""Read single cells of a table for the exact checker: ids, periods, exact amounts."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from pmo_analytics.clock import parse_period
from pmo_analytics.errors import DataError, problem, problems_table
from pmo_analytics.optimization.checker.question import Question


def refused(table: str, rule: str, column: str, found: object, fix: str) -> DataError:
    """Return the error of a cell that only an unvalidated portfolio can hold."""
    return DataError(
        problems_table(
            [problem("error", table, rule, column=column, found=found, fix=fix)]
        )
    )


def blank(value: Any) -> bool:
    """Return whether a cell is empty."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def read_name(value: Any) -> str | None:
    """Return an id or word as text in one spelling, None for an empty cell."""
    if blank(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(unicodedata.normalize("NFC", str(value)).split()) or None


def read_names(values: pd.Series[Any]) -> list[str | None]:
    """Return the ids of a column, see `read_name`."""
    cells = values.tolist()
    known = {cell: read_name(cell) for cell in set(cells)}
    return [known[cell] for cell in cells]


def read_offset(value: Any, first: pd.Period) -> int | None:
    """Return a period as whole periods after the first, None for an empty cell."""
    if blank(value):
        return None
    return int(parse_period(value, first.freqstr).ordinal - first.ordinal)


def read_period(value: Any, question: Question) -> int | None:
    """Return the offset of a period, None for one that cannot be read."""
    try:
        return read_offset(value, question.first)
    except (ValueError, TypeError, OverflowError):
        return None


def read_offsets(table: pd.DataFrame, name: str) -> list[int]:
    """Return the offsets of a table that is called so; none may be empty."""
    cells = table["offset"].tolist()
    if any(blank(cell) for cell in set(cells)):
        fix = "Write a whole number in every row."
        raise refused(name, "missing_value", "offset", "", fix)
    return [int(cell) for cell in cells]


def read_whole(value: Any) -> int | None:
    """Return a whole number, None for an empty cell."""
    return None if blank(value) else int(value)


def _ratio(value: float, table: str, column: str) -> tuple[int, int]:
    """Return the decimal number that is written, as numerator and denominator."""
    if not math.isfinite(value):
        raise refused(
            table, "not_a_number", column, value, "Write a finite number in every row."
        )
    return Decimal(repr(value)).as_integer_ratio()


def exact_amount(value: float, table: str, column: str) -> Fraction:
    """Return the decimal number that a cell shows."""
    return Fraction(*_ratio(value, table, column))


def scaled(values: Iterable[float], table: str, column: str) -> tuple[list[int], int]:
    """Return numbers as whole multiples of 1/unit, and the unit; nothing is lost."""
    cells = [float(value) for value in values]
    exact = {cell: _ratio(cell, table, column) for cell in set(cells)}
    unit = math.lcm(*{below for _, below in exact.values()})
    whole = {cell: above * (unit // below) for cell, (above, below) in exact.items()}
    return [whole[cell] for cell in cells], unit


def read_word(
    value: str | None, words: Collection[str], table: str, column: str
) -> str:
    """Return a word of a cell that has to be one of a few."""
    if value is None or value not in words:
        raise refused(
            table, "unknown_word", column, value, f"Use one of {', '.join(words)}."
        )
    return value
