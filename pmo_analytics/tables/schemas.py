"""What a conformed frame must keep: its cells, and the key of its rows.

`CELL_RULES` is the one truth: `check_table` names the cells that break a rule, and the
pandera schema of a table is made of the same rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import problem
from pmo_analytics.tables.conforming import is_blank
from pmo_analytics.tables.contract import Column, dtype_of, table_spec

if TYPE_CHECKING:
    import pandera.pandas as pa

    from pmo_analytics.tables.contract import Problem

type Cells = Any  # an array of numpy or pandas
type Flags = npt.NDArray[np.bool_]

_MOMENTS = ("period", "start_day", "end_day")


@dataclass(frozen=True)
class CellRule:
    """What the cells of a column must keep, for the columns that it is meant for.

    Parameters
    ----------
    name
        As problems call it.
    breaks
        Column and an array of its cells -> which of them break the rule; None where
        the column knows no such rule.
    fix
        Name of the column and the column -> what to do.
    """

    name: str
    breaks: Callable[[Column, Cells], Flags | None]
    fix: Callable[[str, Column], str]


def _blank(info: Column, cells: Cells) -> Flags | None:
    return np.asarray(pd.isna(cells)) if info.required else None


def _too_low(info: Column, cells: Cells) -> Flags | None:
    return None if info.low is None else _sure(cells < info.low)


def _too_high(info: Column, cells: Cells) -> Flags | None:
    return None if info.high is None else _sure(cells > info.high)


def _no_choice(info: Column, cells: Cells) -> Flags | None:
    if not info.choices:
        return None
    known = {*info.choices}
    # A blank is no text.
    return np.array(
        [isinstance(cell, str) and cell not in known for cell in cells.tolist()],
        dtype=np.bool_,
    )


def _sure(broken: Any) -> Flags:
    """Return which of comparisons came true: those with a blank did not."""
    if isinstance(broken, np.ndarray):
        return broken
    return np.asarray(broken.to_numpy(dtype=bool, na_value=False))


CELL_RULES = (
    CellRule(
        "missing_value",
        _blank,
        lambda name, _: f"Fill in '{name}'.",
    ),
    CellRule(
        "below_minimum",
        _too_low,
        lambda name, info: f"'{name}' must be at least {info.low:g}.",
    ),
    CellRule(
        "above_maximum",
        _too_high,
        lambda name, info: f"'{name}' must be at most {info.high:g}.",
    ),
    CellRule(
        "unknown_word",
        _no_choice,
        lambda _, info: f"Use one of {', '.join(info.choices)}.",
    ),
)


@cache
def schema(name: str) -> pa.DataFrameSchema:
    """Return the pandera schema of a conformed table."""
    import pandera.pandas as pa

    spec = table_spec(name)
    columns = {}
    for column, info in spec.columns.items():
        checks = [
            pa.Check(partial(_keeps, rule, info), name=rule.name, ignore_na=False)
            for rule in CELL_RULES
        ]
        dtype = None if info.kind in _MOMENTS else dtype_of(info, "")
        columns[column] = pa.Column(dtype, checks, nullable=True)
    unique = pa.Check(lambda f: ~_repeats(name, f), name="duplicate_key")
    return pa.DataFrameSchema(columns, checks=[unique] if spec.key else [], name=name)


def _keeps(rule: CellRule, info: Column, cells: pd.Series[Any]) -> pd.Series[bool]:
    broken = rule.breaks(info, _array(cells))
    return pd.Series(True if broken is None else ~broken, index=cells.index)


def _array(cells: pd.Series[Any]) -> Cells:
    return cells.to_numpy() if isinstance(cells.dtype, np.dtype) else cells.array


def check_table(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Return every way in which a conformed frame breaks its schema."""
    if frame.empty:
        return []
    problems = _duplicates(name, frame)
    kinds = dict(zip(frame.columns, frame.dtypes.tolist(), strict=True))
    for column, info in table_spec(name).columns.items():
        if info.kind not in _MOMENTS and str(kinds[column]) != dtype_of(info, ""):
            problems += _wrong_type(name, column, info, frame[column])
            continue
        cells = _array(frame[column])
        for rule in CELL_RULES:
            broken = rule.breaks(info, cells)
            if broken is None or not broken.any():
                continue
            at = np.flatnonzero(broken)
            labels, values = frame.index[at].tolist(), cells[at].tolist()
            fix = rule.fix(column, info)
            problems += [
                problem(
                    "error",
                    name,
                    rule.name,
                    row=label,
                    column=column,
                    found="" if is_blank(value) else value,
                    fix=fix,
                )
                for label, value in zip(labels, values, strict=True)
            ]
    return problems


def _wrong_type(
    name: str, column: str, info: Column, cells: pd.Series[Any]
) -> list[Problem]:
    """Return an error for each cell of a column that was not conformed."""
    return [
        problem(
            "error",
            name,
            "wrong_type",
            row=label,
            column=column,
            found=value,
            fix=f"'{column}' must be a column of kind {info.kind}.",
        )
        for label, value in cells.items()
        if not is_blank(value)
    ]


def _repeats(name: str, frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows have the key of an earlier one; a blank is no key."""
    spec = table_spec(name)
    key = list(spec.key)
    again = frame.duplicated(key, keep="first")
    if not again.any():
        return again
    incomplete = frame[[c for c in key if spec.columns[c].required]].isna()
    return again & ~incomplete.any(axis=1)


def _duplicates(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Return an error for each row whose key is there already."""
    key = list(table_spec(name).key)
    if not key:
        return []
    again = _repeats(name, frame)
    if not again.any():
        return []
    rows = frame.loc[again, key]
    known: dict[tuple[Any, ...], str] = {}
    found = []
    for label, *cells in rows.itertuples(name=None):
        words = tuple(cells)
        text = known.get(words)
        if text is None:
            pairs = zip(key, words, strict=True)
            text = ", ".join(f"{c}={_shown(v)}" for c, v in pairs if not is_blank(v))
            known[words] = text
        found.append(
            problem(
                "error",
                name,
                "duplicate_key",
                row=label,
                column=", ".join(key),
                found=text,
                fix=f"Keep one row for {text}, or make its key differ; rows are never "
                "summed.",
            )
        )
    return found


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return format_period(value) if isinstance(value, pd.Period) else str(value)
