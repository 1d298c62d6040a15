"""The tables: their columns, and how cells become values.

`TABLES` is the contract of files and of frames. `conform` turns any frame with
these columns into the one shape used inside and reports every cell it cannot
read; `schemas.check_table` holds a conformed frame against its schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

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
# Colours of a status, from good to bad.
COLOURS = ("green", "amber", "red")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind
        `text`, `note` (a long text), `number`, `whole`, `period`, `start_day`,
        `end_day` (a period stands for its first or last day) or `choice`.
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
_DAY = Column("end_day", required=True)

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
            "manager": _TEXT,
            "phase": _TEXT,
            "priority": _TEXT,
            "kind": _TEXT,
            "goal": _TEXT,
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
            "applies_to": _choice("selected", "work", "themes", default="selected"),
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
            "event": _choice("shift", "outlier", "usual"),
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
            "benefit": _NUMBER,
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
    "progress": Table(
        {
            "project": _ID,
            "as_of": _DAY,
            "percent_complete": Column("number", low=0, high=100),
            "planned_value": _AMOUNT,
            "earned_value": _AMOUNT,
            "actual_cost": _AMOUNT,
            "actual_hours": _AMOUNT,
            "remaining_hours": _AMOUNT,
            "forecast_finish": _TO,
            "rag": _choice(*COLOURS),
            "comment": Column("note"),
            "author": _TEXT,
        },
        ("project", "as_of"),
    ),
    "milestones": Table(
        {
            "project": _ID,
            "milestone": _ID,
            "as_of": _TO,
            "baseline": _TO,
            "forecast": _TO,
            "actual": _TO,
            "kind": _TEXT,
        },
        ("project", "milestone", "as_of"),
    ),
    "sprints": Table(
        {
            "team": _ID,
            "sprint": _ID,
            "start": _FROM,
            "end": _TO,
            "planned_days": _AMOUNT,
            "elapsed": _SHARE,
            "members": _AMOUNT,
            "committed": _AMOUNT,
            "added": _AMOUNT,
            "removed": _AMOUNT,
            "to_do": _AMOUNT,
            "in_progress": _AMOUNT,
            "done": _AMOUNT,
            "delivered": _AMOUNT,
        },
        ("team", "sprint", "elapsed"),
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
    "note": "str",
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
