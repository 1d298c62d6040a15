"""The tables: their columns, and how cells become values.

`TABLES` is the contract of files and of frames. `conform` turns any frame with
these columns into the one shape used inside and reports every cell it cannot
read; `schemas.check_table` holds a conformed frame against its schema.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import parse_day, parse_period
from pmo_analytics.errors import closest, problem

if TYPE_CHECKING:
    from collections.abc import Callable

Problem = dict[str, Any]

STATUSES = (
    "idea",
    "proposed",
    "paused",
    "approved",
    "running",
    "done",
    "cancelled",
)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind
        `text`, `number`, `whole`, `period`, `start_day`, `end_day` (a period
        stands for its first or last day) or `choice`.
    required
        No cell may be blank.
    low, high
        Smallest and largest number allowed.
    choices
        Allowed words of a `choice`.
    default
        What a blank cell means.
    """

    kind: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    default: object = None


@dataclass(frozen=True)
class Table:
    """One table: its columns in order and its key (empty: rows may repeat)."""

    columns: dict[str, Column]
    key: tuple[str, ...] = ()


def _text(required: bool = False) -> Column:
    return Column("text", required)


def _choice(*choices: str, default: str | None = None) -> Column:
    return Column("choice", choices=choices, default=default)


_ID = Column("text", required=True)
_TEXT = Column("text")
_NUMBER = Column("number")
_AMOUNT = Column("number", low=0)
_SHARE = Column("number", low=0, high=1)
_PERIOD = Column("period")
_OFFSET = Column("whole", required=True, low=0)
_FROM = Column("start_day")
_TO = Column("end_day")

TABLES: dict[str, Table] = {
    "projects": Table(
        {
            "project": _ID,
            "name": _TEXT,
            "status": _choice(*STATUSES, default="proposed"),
            "value": _NUMBER,
            "duration": Column("whole", low=1),
            "start": _PERIOD,
            "earliest": _PERIOD,
            "latest": _PERIOD,
            "deadline": _PERIOD,
            "force": _choice("in", "out"),
            "force_reason": _TEXT,
            "probability": _SHARE,
            "theme": _TEXT,
            "program": _TEXT,
            "sponsor": _TEXT,
        },
        ("project",),
    ),
    "demand": Table(
        {
            "project": _ID,
            "role": _ID,
            "offset": _OFFSET,
            "fte": Column("number", required=True, low=0),
        },
        ("project", "role", "offset"),
    ),
    "people": Table(
        {
            "person": _ID,
            "role": _ID,
            "start": _FROM,
            "end": _TO,
            "fte": Column("number", low=0, default=1.0),
            "country": _TEXT,
            "workweek": _TEXT,
            "team": _TEXT,
            "rate": _AMOUNT,
        },
        ("person", "role", "start"),
    ),
    "absences": Table(
        {
            "person": _ID,
            "start": Column("start_day", required=True),
            "end": Column("end_day", required=True),
            "kind": _TEXT,
            "share": Column("number", low=0, high=1, default=1.0),
        }
    ),
    "operations": Table(
        {"role": _ID, "start": _FROM, "end": _TO, "fte": _AMOUNT, "share": _SHARE}
    ),
    "bookings": Table(
        {
            "person": _ID,
            "project": _ID,
            "role": _ID,
            "start": Column("start_day", required=True),
            "end": Column("end_day", required=True),
            "fte": Column("number", required=True, low=0),
            "kind": _choice("soft", "hard", default="soft"),
        }
    ),
    "dependencies": Table(
        {
            "project": _ID,
            "requires": _ID,
            "kind": _choice(
                "finish_start", "start_start", "selected", default="finish_start"
            ),
            "lag": Column("whole", default=0),
            "lag_max": Column("whole"),
        },
        ("project", "requires", "kind"),
    ),
    "groups": Table(
        {
            "group": _ID,
            "project": _ID,
            "rule": _choice("limit", "all_or_none", default="limit"),
            "at_least": Column("whole", low=0),
            "at_most": Column("whole", low=0),
        },
        ("group", "project"),
    ),
    "rules": Table(
        {
            "rule": _ID,
            "project": _ID,
            "weight": Column("number", default=1.0),
            "applies_to": _choice("selected", "work", default="selected"),
            "at_least": _NUMBER,
            "at_most": _NUMBER,
        },
        ("rule", "project"),
    ),
    "blackouts": Table(
        {
            "project": _TEXT,
            "theme": _TEXT,
            "start": _PERIOD,
            "end": _PERIOD,
            "applies_to": _choice("start", "finish", "work", default="work"),
        }
    ),
    "spend": Table(
        {
            "project": _ID,
            "fund": _TEXT,
            "category": _TEXT,
            "offset": _OFFSET,
            "amount": Column("number", required=True, low=0),
        },
        ("project", "fund", "category", "offset"),
    ),
    "budget": Table(
        {
            "budget": _ID,
            "fund": _TEXT,
            "category": _TEXT,
            "theme": _TEXT,
            "program": _TEXT,
            "start": _PERIOD,
            "end": _PERIOD,
            "amount": _AMOUNT,
            "at_least": _AMOUNT,
        },
        ("budget",),
    ),
    "benefits": Table(
        {
            "project": _ID,
            "offset": _OFFSET,
            "amount": Column("number", required=True),
        },
        ("project", "offset"),
    ),
    "roles": Table(
        {"role": _ID, "parent": _TEXT, "team": _TEXT, "rate": _AMOUNT}, ("role",)
    ),
    "flex": Table(
        {
            "role": _ID,
            "kind": _choice("overtime", "contractor", "hire"),
            "start": _PERIOD,
            "end": _PERIOD,
            "fte_max": _AMOUNT,
            "rate": _AMOUNT,
            "lead": Column("whole", low=0),
        }
    ),
    "history": Table(
        {
            "period": Column("period", required=True),
            "role": _ID,
            "kind": _choice("project", "operations", "total", default="total"),
            "capacity_fte": _AMOUNT,
            "load_fte": _AMOUNT,
        },
        ("period", "role", "kind"),
    ),
    "actuals": Table(
        {
            "period": Column("period", required=True),
            "project": _TEXT,
            "role": _TEXT,
            "person": _TEXT,
            "hours": _AMOUNT,
            "amount": _NUMBER,
        }
    ),
    "baselines": Table(
        {
            "project": _ID,
            "baseline": _ID,
            "set_on": _FROM,
            "start": _PERIOD,
            "duration": Column("whole", low=1),
            "effort": _AMOUNT,
            "cost": _AMOUNT,
        },
        ("project", "baseline"),
    ),
}
# Capacity is a grid in memory and rows in files; loaders read it with this.
CAPACITY = Table(
    {
        "period": Column("period", required=True),
        "role": _ID,
        "fte": Column("number", required=True, low=0),
    },
    ("period", "role"),
)

_DTYPES = {
    "text": "str",
    "choice": "str",
    "number": "float64",
    "whole": "Int64",
    "start_day": "datetime64[s]",
    "end_day": "datetime64[s]",
}


def table_spec(name: str) -> Table:
    """Return the specification of a table by name, `capacity` included."""
    return CAPACITY if name == "capacity" else TABLES[name]


def dtype_of(column: Column, freq: str) -> str:
    """Return the pandas dtype of a conformed column."""
    return f"period[{freq}]" if column.kind == "period" else _DTYPES[column.kind]


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
    if frame is None:
        return empty_table(name, freq), []
    spec = table_spec(name)
    # Most tables of most portfolios are empty, and made anew time and again.
    if frame.empty and list(frame.columns) == list(spec.columns):
        empty = _empty(name, freq)
        if list(frame.dtypes) == list(empty.dtypes):
            return empty.copy(), []
    frame = _with_unique_labels(frame, spec)
    frame, problems = _with_unique_columns(name, frame)
    columns: dict[str, pd.Series[Any]] = {}
    for column, info in spec.columns.items():
        if column in frame.columns:
            values, bad = read_column(frame[column], info, freq)
            for label, found, fix in bad:
                problems.append(
                    problem(
                        "error",
                        name,
                        f"not_a_{info.kind}",
                        row=label,
                        column=column,
                        found=found,
                        fix=fix,
                    )
                )
        else:
            if info.required and len(frame):
                problems.append(
                    problem(
                        "error",
                        name,
                        "missing_column",
                        column=column,
                        found=", ".join(map(str, frame.columns)),
                        fix=f"Add the column '{column}' to the table '{name}'.",
                    )
                )
            values = pd.Series(
                [None] * len(frame), index=frame.index, dtype=dtype_of(info, freq)
            )
        if info.default is not None:
            blank = values.isna()
            if blank.any():
                unread = {p["row"] for p in problems if p["column"] == column}
                blank &= ~values.index.isin(unread)
                values = values.mask(blank, info.default)
        columns[column] = values
    for column in frame.columns:
        if column in spec.columns:
            continue
        columns[column] = frame[column].copy()
        problems.append(_unknown_column(name, column, spec, frame))
    return pd.DataFrame(columns, index=frame.index), problems


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
        return days.dt.normalize().astype(dtype), []
    read: Callable[[object, Column, str], object] = _READERS[kind]
    out: list[object] = []
    bad = []
    # Ids and words come again and again: each is read once, with what is wrong with it.
    known: dict[str, tuple[object, str]] = {}
    for i, value in enumerate(values.to_list()):
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
        return pd.Series(
            pd.PeriodIndex(ordinals, freq=freq), index=values.index, dtype=dtype
        ), bad
    return pd.Series(out, index=values.index, dtype=dtype), bad


def _read_cell(
    read: Callable[[object, Column, str], object],
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
    text = unicodedata.normalize("NFC", str(value))
    return " ".join(text.split())


def _read_text(value: object, _info: Column, _freq: str) -> str:
    text = clean_text(value)
    if len(text) > 500:
        raise ValueError(f"the text has {len(text)} characters; at most 500 are read")
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


def _read_choice(value: object, info: Column, _freq: str) -> str:
    word = clean_text(value).casefold().replace("-", "_").replace(" ", "_")
    if word in info.choices:
        return word
    hint = closest(word, info.choices)
    raise ValueError(f"'{value}' is not one of {', '.join(info.choices)}{hint}")


_READERS: dict[str, Callable[[object, Column, str], object]] = {
    "text": _read_text,
    "number": _read_number,
    "whole": _read_whole,
    "choice": _read_choice,
    "period": lambda value, _info, freq: parse_period(value, freq),
    "start_day": lambda value, _info, _freq: parse_day(value),
    "end_day": lambda value, _info, _freq: parse_day(value, end=True),
}
