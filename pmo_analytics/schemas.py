"""One pandera schema per table: what a conformed frame must keep."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.errors import problem
from pmo_analytics.periods import format_period
from pmo_analytics.tables import Column, dtype_of, is_blank, table_spec

if TYPE_CHECKING:
    import pandera.pandas as pa

    from pmo_analytics.tables import Problem

_MOMENTS = ("period", "start_day", "end_day")


@cache
def schema(name: str) -> pa.DataFrameSchema:
    """Return the pandera schema of a conformed table."""
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
    if spec.key:
        key = list(spec.key)

        def unique(frame: pd.DataFrame) -> pd.Series[bool]:
            incomplete = frame[[c for c in key if spec.columns[c].required]].isna()
            return ~frame.duplicated(key, keep="first") | incomplete.any(axis=1)

        rules.append(pa.Check(unique, name="duplicate_key"))
    return pa.DataFrameSchema(columns, checks=rules, name=name)


def check_table(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Return every way in which a conformed frame breaks its schema."""
    if frame.empty or _is_sound(name, frame):
        return []
    import pandera.errors

    try:
        schema(name).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return []
    problems = []
    duplicates = cases[cases["check"] == "duplicate_key"]
    for label in dict.fromkeys(duplicates["index"]):
        problems.append(_duplicate(name, frame, label))
    for case in cases[cases["check"] != "duplicate_key"].to_dict("records"):
        problems.append(_broken_cell(name, case))
    return problems


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


def _duplicate(name: str, frame: pd.DataFrame, label: object) -> Problem:
    key = list(table_spec(name).key)
    row = frame.loc[label, key]
    text = ", ".join(f"{c}={_shown(row[c])}" for c in key if not is_blank(row[c]))
    return problem(
        "error",
        name,
        "duplicate_key",
        row=label,
        column=", ".join(key),
        found=text,
        fix=f"Keep one row for {text}, or make its key differ; rows are never summed.",
    )


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return format_period(value) if isinstance(value, pd.Period) else str(value)


def _broken_cell(name: str, case: dict[Any, Any]) -> Problem:
    column = str(case["column"])
    info = table_spec(name).columns.get(column, Column("text"))
    check = str(case["check"])
    found = "" if is_blank(case["failure_case"]) else case["failure_case"]
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
    label = case["index"]
    return problem(
        "error",
        name,
        rule,
        row=None if is_blank(label) else label,
        column=column,
        found=found,
        fix=fix,
    )
