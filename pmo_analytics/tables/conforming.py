"""Any frame with the columns of a table becomes the one shape used inside."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from pmo_analytics.clock import parse_day, parse_period
from pmo_analytics.errors import problem, suggester
from pmo_analytics.tables.contract import Column, Problem, Table, dtype_of, table_spec

# What a cell of a workbook can hold.
_NOTE = 32_767

type _Reader = Callable[[object, Column, str], object]


def empty_table(name: str, freq: str) -> pd.DataFrame:
    """Return a table without rows, with every canonical column and its dtype."""
    return _empty(name, freq).copy()


@cache
def _empty(name: str, freq: str) -> pd.DataFrame:
    spec = table_spec(name)
    return pd.DataFrame(
        {
            column: pd.Series([], dtype=dtype_of(info, freq))
            for column, info in spec.columns.items()
        }
    )


def is_without_rows(name: str, frame: pd.DataFrame) -> bool:
    """Return whether a frame is an empty table with the columns of the contract."""
    if len(frame.index):
        return False
    return list(frame.columns) == list(table_spec(name).columns)


def conform(
    name: str, frame: pd.DataFrame | None, freq: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return a copy of a frame in the shape used inside, and what was unreadable.

    Parameters
    ----------
    name
        Table name, a key of `TABLES` or `capacity`.
    frame
        Canonical columns in any order, cells as text or typed; None = empty.
    freq
        pandas frequency of the portfolio.

    Returns
    -------
    DataFrame, list of problem rows
        Index labels are kept: problems name rows by them. A cell that could not
        be read is blank in the frame.
    """
    if frame is None or is_without_rows(name, frame):
        return empty_table(name, freq), []
    spec = table_spec(name)
    frame = _with_unique_labels(frame, spec)
    frame, problems = _with_unique_columns(name, frame)
    columns: dict[str, Any] = {}
    for column in spec.columns:
        columns[column], found = _conformed(name, column, frame, freq)
        problems += found
    for column in frame.columns:
        if column in spec.columns:
            continue
        columns[column] = frame[column].array.copy()
        problems.append(_unknown_column(name, column, spec, frame))
    return pd.DataFrame(columns, index=frame.index), problems


def _conformed(
    name: str, column: str, frame: pd.DataFrame, freq: str
) -> tuple[Any, list[Problem]]:
    """Return a column of the contract as its type, and its unreadable cells."""
    info = table_spec(name).columns[column]
    if column not in frame.columns:
        missing = info.required and len(frame)
        problems = [_missing_column(name, column, frame)] if missing else []
        values = _blanks(dtype_of(info, freq), len(frame))
    else:
        read, bad = read_column(frame[column], info, freq)
        values = read.array
        rule = f"not_a_{info.kind}"
        problems = [
            problem("error", name, rule, row=label, column=column, found=found, fix=fix)
            for label, found, fix in bad
        ]
    if info.default is not None and (blank := np.asarray(pd.isna(values))).any():
        if problems:
            blank &= ~frame.index.isin([p["row"] for p in problems])
        values = values.copy()
        values[blank] = info.default
    return values, problems


# Its name is looked up again for every column of every table otherwise.
_dtype = cache(pandas_dtype)


@cache
def _blank(dtype: str) -> Any:
    return pd.Series([None], dtype=dtype).array


def _blanks(dtype: str, count: int) -> Any:
    """Return an array without a filled cell."""
    return _blank(dtype).take(np.zeros(count, dtype=np.intp))


def _with_unique_labels(frame: pd.DataFrame, spec: Table) -> pd.DataFrame:
    named = [n for n in frame.index.names if n in spec.columns]
    if named and not set(named) & set(frame.columns):
        return frame.reset_index()
    if not frame.index.is_unique or isinstance(frame.index, pd.MultiIndex):
        return frame.reset_index(drop=True)
    # An index named like a column would be ambiguous wherever rows are grouped.
    return frame.rename_axis(index=None)


def _with_unique_columns(
    name: str, frame: pd.DataFrame
) -> tuple[pd.DataFrame, list[Problem]]:
    if frame.columns.is_unique and all(type(c) is str for c in frame.columns):
        return frame, []
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()].unique()
    problems = [
        problem(
            "error",
            name,
            "duplicate_column",
            column=column,
            found=column,
            fix=f"The table '{name}' has the column '{column}' more than once. Keep "
            "one of them.",
        )
        for column in twice
    ]
    return frame.loc[:, ~frame.columns.duplicated()], problems


def _missing_column(name: str, column: str, frame: pd.DataFrame) -> Problem:
    return problem(
        "error",
        name,
        "missing_column",
        column=column,
        found=", ".join(str(c)[:40] for c in frame.columns),
        fix=f"Add the column '{column}' to the table '{name}'.",
    )


def _unknown_column(
    name: str, column: str, spec: Table, frame: pd.DataFrame
) -> Problem:
    absent = [c for c in spec.columns if c not in frame.columns]
    near = get_close_matches(column.casefold().strip(), absent, n=1, cutoff=0.8)
    if near:
        return problem(
            "error",
            name,
            "misspelled_column",
            column=column,
            found=column,
            fix=f"Rename the column to '{near[0]}', or to something less alike if it "
            "is a column of your own.",
        )
    return problem(
        "warning",
        name,
        "extra_column",
        column=column,
        found=column,
        fix="The column is kept and not used.",
    )


def is_blank(value: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, NaT, NA or white space."""
    if value is None or isinstance(value, str):
        return value is None or not value.strip()
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def read_column(
    values: pd.Series[Any], info: Column, freq: str
) -> tuple[pd.Series[Any], list[tuple[Any, object, str]]]:
    """Return the typed column and (label, found, fix) of each unreadable cell."""
    dtype = dtype_of(info, freq)
    kind = info.kind
    if kind == "number" and values.dtype.kind in "fiu":
        numbers = values.astype("float64")
        if not np.isinf(numbers.to_numpy()).any():
            return numbers, []
        bad = [
            (label, value, "Write a finite number.")
            for label, value in numbers[np.isinf(numbers)].items()
        ]
        return numbers.replace([np.inf, -np.inf], np.nan), bad
    if str(values.dtype) == dtype and kind in ("whole", "period"):
        return values.copy(), []
    if kind in ("start_day", "end_day") and values.dtype.kind == "M":
        days = values.dt.tz_localize(None) if values.dt.tz is not None else values
        return days.dt.normalize().astype(_dtype(dtype)), []
    if values.isna().all():
        return pd.Series(_blanks(dtype, len(values)), index=values.index), []
    read = _choice_reader(info) if kind == "choice" else _READERS[kind]
    out: list[object] = []
    bad = []
    # Ids and words come again and again: each is read once, with what is wrong with it.
    known: dict[str, tuple[object, str]] = {}
    for i, value in enumerate(values.to_list()):
        if value is None:
            out.append(None)
            continue
        answer = known.get(value) if type(value) is str else None
        if answer is None:
            answer = _read_cell(read, value, info, freq)
            if type(value) is str:
                known[value] = answer
        out.append(answer[0])
        if answer[1]:
            bad.append((values.index[i], value, answer[1]))
    if kind == "period":
        ordinals = [pd.NaT if value is None else value for value in out]
        return pd.Series(pd.PeriodIndex(ordinals, freq=freq), index=values.index), bad
    return pd.Series(out, index=values.index, dtype=_dtype(dtype)), bad


def _read_cell(
    read: _Reader,
    value: object,
    info: Column,
    freq: str,
) -> tuple[object, str]:
    """Return what a cell holds, None if blank or unreadable, and what is wrong."""
    if is_blank(value):
        return None, ""
    try:
        return read(value, info, freq), ""
    except (ValueError, OverflowError) as error:
        return None, _sentence(str(error))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else text + "."


def clean_text(value: object) -> str:
    """Return an id or a name as text: NFC, trimmed, 101.0 as 101."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    words = text.split()
    return words[0] if len(words) == 1 else " ".join(words)


def _read_text(value: object, _info: Column, _freq: str) -> str:
    text = clean_text(value)
    if len(text) > 500:
        raise ValueError(f"the text has {len(text)} characters; at most 500 are read")
    return text


def _read_note(value: object, _info: Column, _freq: str) -> str:
    text = clean_text(value)
    if len(text) > _NOTE:
        raise ValueError(
            f"the text has {len(text):,} characters; at most {_NOTE:,} are read"
        )
    return text


def _read_number(value: object, _info: Column, _freq: str) -> float:
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is not a number; write it as 1234.5") from None
    if isinstance(value, str) and "_" in value:
        raise ValueError(f"'{value}' is not a number; write it as 1234.5")
    if not math.isfinite(number):
        raise ValueError(f"'{value}' is not finite; write a number or leave it blank")
    return number


def _read_whole(value: object, info: Column, freq: str) -> int:
    number = _read_number(value, info, freq)
    if abs(number - round(number)) > 1e-9 or abs(number) > 1e9:
        raise ValueError(f"'{value}' is not a whole number")
    return round(number)


# Longer texts are remarks in place of a word.
_REMARK = 40


def _choice_reader(info: Column) -> _Reader:
    """Return what reads the cells of one column of choices."""
    nearest, words = suggester(info.choices), ", ".join(info.choices)

    def read(value: object, info: Column, _freq: str) -> str:
        word = clean_text(value).casefold().replace("-", "_").replace(" ", "_")
        if word in info.choices:
            return word
        text = " ".join(str(value).split())
        if len(text) > _REMARK:
            raise ValueError(
                f"'{text[:_REMARK]}…' is not one of {words}; clear the cell if it is "
                "not known"
            )
        raise ValueError(f"'{value}' is not one of {words}{nearest(word)}")

    return read


_READERS: dict[str, _Reader] = {
    "text": _read_text,
    "note": _read_note,
    "number": _read_number,
    "whole": _read_whole,
    "period": lambda value, _info, freq: parse_period(value, freq),
    "start_day": lambda value, _info, _freq: parse_day(value),
    "end_day": lambda value, _info, _freq: parse_day(value, end=True),
}
