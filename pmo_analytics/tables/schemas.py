"""One pandera schema per table: what a conformed frame must keep."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import problem
from pmo_analytics.tables.contract import Column, dtype_of, is_blank, table_spec

if TYPE_CHECKING:
    import pandera.pandas as pa

    from pmo_analytics.tables.contract import Problem

_MOMENTS = ("period", "start_day", "end_day")


def schema(name: str) -> pa.DataFrameSchema:
    """Return the pandera schema of a conformed table."""
    return _schema(name, keys=True)


def _cell_schema(name: str) -> pa.DataFrameSchema:
    """Return the schema without its key: pandera lists a broken one cell by cell."""
    return _schema(name, keys=False)


@cache
def _schema(name: str, *, keys: bool) -> pa.DataFrameSchema:
    import pandera.pandas as pa

    spec = table_spec(name)
    columns = {}
    for column, info in spec.columns.items():
        checks = []
        if info.low is not None:
            checks.append(pa.Check.ge(info.low, name="below_minimum"))
        if info.high is not None:
            checks.append(pa.Check.le(info.high, name="above_maximum"))
        if info.choices:
            checks.append(pa.Check.isin(info.choices, name="unknown_word"))
        moment = info.kind in _MOMENTS
        dtype = None if moment else dtype_of(info, "")
        columns[column] = pa.Column(dtype, checks, nullable=not info.required)
    rules = []
    if spec.key and keys:
        rules.append(pa.Check(lambda f: ~_repeats(name, f), name="duplicate_key"))
    return pa.DataFrameSchema(columns, checks=rules, name=name)


def check_table(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Return every way in which a conformed frame breaks its schema."""
    if frame.empty or _is_sound(name, frame):
        return []
    import pandera.errors

    problems = _duplicates(name, frame)
    try:
        _cell_schema(name).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return problems
    return problems + [
        _broken_cell(name, case)
        for case in zip(
            *(cases[c].to_list() for c in ("column", "check", "failure_case", "index")),
            strict=True,
        )
    ]


def _is_sound(name: str, frame: pd.DataFrame) -> bool:
    """Return whether a frame surely keeps its schema.

    Most do, and pandera, which names each cell that does not, takes long to say so.
    """
    spec = table_spec(name)
    if not set(spec.columns) <= set(frame.columns):
        return False
    for column, info in spec.columns.items():
        values = frame[column]
        blank = values.isna()
        moment = info.kind in _MOMENTS
        if not moment and str(values.dtype) != dtype_of(info, ""):
            return False
        if info.required and blank.any():
            return False
        if info.low is not None and not (values.ge(info.low) | blank).all():
            return False
        if info.high is not None and not (values.le(info.high) | blank).all():
            return False
        if info.choices and not (values.isin(info.choices) | blank).all():
            return False
    return not (spec.key and frame.duplicated(list(spec.key)).any())


def _repeats(name: str, frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows have the key of an earlier one; a blank is no key."""
    spec = table_spec(name)
    key = list(spec.key)
    incomplete = frame[[c for c in key if spec.columns[c].required]].isna()
    return frame.duplicated(key, keep="first") & ~incomplete.any(axis=1)


def _duplicates(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Return an error for each row whose key is there already."""
    key = list(table_spec(name).key)
    if not key:
        return []
    rows = frame.loc[_repeats(name, frame), key]
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


def _broken_cell(name: str, case: tuple[Any, ...]) -> Problem:
    column, check, value, label = str(case[0]), str(case[1]), case[2], case[3]
    info = table_spec(name).columns.get(column, Column("text"))
    found = "" if is_blank(value) else value
    if check == "not_nullable":
        rule, fix = "missing_value", f"Fill in '{column}'."
    elif check.startswith("greater_than") or check == "below_minimum":
        rule = "below_minimum"
        fix = f"'{column}' must be at least {info.low:g}."
    elif check.startswith("less_than") or check == "above_maximum":
        rule = "above_maximum"
        fix = f"'{column}' must be at most {info.high:g}."
    elif info.choices:
        rule, fix = "unknown_word", f"Use one of {', '.join(info.choices)}."
    else:
        rule = "wrong_type"
        fix = f"'{column}' must be a column of kind {info.kind}."
    return problem(
        "error",
        name,
        rule,
        row=None if is_blank(label) else label,
        column=column,
        found=found,
        fix=fix,
    )
