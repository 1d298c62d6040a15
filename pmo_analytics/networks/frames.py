"""The frames of a network: their columns, types and what a blank is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

TEXT, NUMBER, TIME, FLAG = "str", "float64", "datetime64[s]", "bool"


@dataclass(frozen=True)
class FrameSpec:
    """Index and columns of one frame; a reader may add columns of its own.

    Parameters
    ----------
    index
        Name of the index, a unique text; "" = rows are counted from 0.
    columns
        Column -> type. A blank is "" in a text, NaN in a number, NaT in a time, and a
        flag is as in `flags`, else False.
    """

    index: str
    columns: Mapping[str, str]


def _of(**kinds: str) -> dict[str, str]:
    """Return column -> type from type -> names."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


# Columns as DESIGN names them stand first; the order is that of the frames.
FRAMES: dict[str, FrameSpec] = {
    "tasks": FrameSpec(
        "task",
        {
            **dict.fromkeys(("wbs", "parent", "name", "kind"), TEXT),
            **dict.fromkeys(("start", "finish"), TIME),
            **dict.fromkeys(("duration_h", "remaining_h", "percent_complete"), NUMBER),
            **dict.fromkeys(("actual_start", "actual_finish"), TIME),
            **dict.fromkeys(("baseline_start", "baseline_finish"), TIME),
            "constraint": TEXT,
            **dict.fromkeys(("constraint_date", "deadline"), TIME),
            "calendar": TEXT,
            **dict.fromkeys(("total_float_h", "cost", "actual_cost"), NUMBER),
            # Beyond DESIGN.
            "code": TEXT,
            **dict.fromkeys(("work_h", "actual_work_h", "remaining_work_h"), NUMBER),
            **dict.fromkeys(("free_float_h", "physical_percent", "priority"), NUMBER),
            **dict.fromkeys(("active", "critical", "manual"), FLAG),
            **dict.fromkeys(("early_start", "early_finish"), TIME),
            **dict.fromkeys(("late_start", "late_finish"), TIME),
            **dict.fromkeys(("suspend", "resume"), TIME),
            "constraint2": TEXT,
            "constraint2_date": TIME,
            "line": NUMBER,
        },
    ),
    "links": FrameSpec(
        "",
        {
            **dict.fromkeys(("task", "requires", "kind"), TEXT),
            "lag_h": NUMBER,
            "lag_unit": TEXT,
            # Beyond DESIGN.
            "lag_percent": NUMBER,
            "requires_project": TEXT,
            "task_project": TEXT,
            "line": NUMBER,
        },
    ),
    "assignments": FrameSpec(
        "",
        {
            **dict.fromkeys(("task", "resource", "role"), TEXT),
            **dict.fromkeys(("units", "work_h", "actual_h", "remaining_h"), NUMBER),
            **dict.fromkeys(("start", "finish"), TIME),
            "cost": NUMBER,
            # Beyond DESIGN.
            **dict.fromkeys(("actual_cost", "overtime_h", "quantity"), NUMBER),
            **dict.fromkeys(("baseline_work_h", "baseline_cost"), NUMBER),
            "contour": TEXT,
            "assignment": TEXT,
            "line": NUMBER,
        },
    ),
    "resources": FrameSpec(
        "resource",
        {
            **dict.fromkeys(("name", "kind", "calendar"), TEXT),
            **dict.fromkeys(("max_units", "rate"), NUMBER),
            # Beyond DESIGN.
            **dict.fromkeys(("role", "group", "code", "email", "unit"), TEXT),
            "generic": FLAG,
            "active": FLAG,
            "line": NUMBER,
        },
    ),
    "calendars": FrameSpec(
        "calendar",
        {
            **dict.fromkeys(("name", "parent"), TEXT),
            "default": FLAG,
            "hours_per_day": NUMBER,
            "line": NUMBER,
        },
    ),
    "shifts": FrameSpec(
        "",
        {
            "calendar": TEXT,
            "weekday": NUMBER,
            **dict.fromkeys(("first", "last"), TIME),
            **dict.fromkeys(("start_minute", "end_minute"), NUMBER),
            "name": TEXT,
        },
    ),
    "baselines": FrameSpec(
        "",
        {
            "task": TEXT,
            "baseline": TEXT,
            **dict.fromkeys(("start", "finish"), TIME),
            **dict.fromkeys(("duration_h", "work_h", "cost"), NUMBER),
        },
    ),
    "codes": FrameSpec("", _of(str="of id code value description")),
    "timephased": FrameSpec(
        "",
        {
            **dict.fromkeys(("task", "resource", "kind"), TEXT),
            **dict.fromkeys(("start", "finish"), TIME),
            **dict.fromkeys(("hours", "cost"), NUMBER),
            "row": NUMBER,
        },
    ),
    "rates": FrameSpec(
        "",
        {
            **dict.fromkeys(("resource", "table"), TEXT),
            **dict.fromkeys(("start", "finish"), TIME),
            **dict.fromkeys(("rate", "overtime_rate", "per_use"), NUMBER),
        },
    ),
    "units": FrameSpec(
        "",
        {
            "resource": TEXT,
            **dict.fromkeys(("start", "finish"), TIME),
            "units": NUMBER,
        },
    ),
    "balance": FrameSpec(
        "", {"what": TEXT, "read": NUMBER, "used": NUMBER, "listed": NUMBER}
    ),
    "listed": FrameSpec(
        "",
        {
            "what": TEXT,
            "amount": NUMBER,
            **dict.fromkeys(("file", "line", "id", "reason"), TEXT),
        },
    ),
}
# Flags that are true where a reader says nothing.
_TRUE = {"active"}


def frame_of(name: str, given: Any = None) -> pd.DataFrame:
    """Return a frame with the columns and types of its spec; others are kept as given.

    Parameters
    ----------
    name
        A frame of `FRAMES`.
    given
        A DataFrame, a mapping of columns, or None for no rows.

    Raises
    ------
    ValueError
        If the index is not unique.
    """
    spec = FRAMES[name]
    frame = pd.DataFrame() if given is None else pd.DataFrame(given)
    if spec.index and spec.index in frame.columns:
        frame = frame.set_index(spec.index)
    columns = {
        column: _column(frame, column, kind) for column, kind in spec.columns.items()
    }
    others = {c: frame[c] for c in frame.columns if c not in columns}
    index: pd.Index = pd.RangeIndex(len(frame))
    if spec.index:
        index = pd.Index(_texts(frame.index), dtype=TEXT, name=spec.index)
        if not index.is_unique:
            twice = index[index.duplicated()].tolist()[:3]
            raise ValueError(f"{name}: {spec.index} {twice} stands more than once")
    whole = {**columns, **{c: s.to_numpy() for c, s in others.items()}}
    return pd.DataFrame(whole, index=index)


def _column(frame: pd.DataFrame, name: str, kind: str) -> Any:
    if name not in frame.columns:
        return _blanks(name, kind, len(frame))
    cells = frame[name]
    if kind == TEXT:
        return pd.array(_texts(cells), dtype=TEXT)
    if kind == TIME:
        return cells.astype(TIME).to_numpy()
    if kind == FLAG:
        return cells.to_numpy(dtype=bool)
    return cells.to_numpy(dtype=float, na_value=np.nan)


def _blanks(name: str, kind: str, count: int) -> Any:
    if kind == TEXT:
        return pd.array([""] * count, dtype=TEXT)
    if kind == TIME:
        return np.full(count, "NaT", dtype=TIME)
    if kind == FLAG:
        return np.full(count, name in _TRUE)
    return np.full(count, np.nan)


def _texts(cells: Any) -> Any:
    """Return cells as texts, blanks as ""."""
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.fillna("") if cells.hasnans else cells
    return [
        ""
        if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell
        else str(cell)
        for cell in cells.tolist()
    ]
