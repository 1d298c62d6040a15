"""Who works on what in a spreadsheet export: rows of people become frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd

from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.networks import Balance

_KINDS = {"material": "material", "cost": "cost", "rtmat": "material"}
_NAN = float("nan")


class Assigned(NamedTuple):
    """One assignment as it is written; NaN and NaT where nothing is.

    Parameters
    ----------
    task
        "" = the row names a task that is not known: `found`.
    kind
        Folded word of the file.
    amount
        Hours, or pieces of material.
    """

    task: str
    found: str
    line: int
    resource: str
    kind: str = ""
    role: str = ""
    units: float = 1.0
    amount: float = _NAN
    actual: float = _NAN
    remaining: float = _NAN
    start: Any = None
    finish: Any = None
    cost: float = _NAN


def people_frames(
    assigned: Iterable[Assigned],
    resources: Mapping[str, Mapping[str, Any]],
    tasks: pd.DataFrame,
    balance: Balance,
    told: Told,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames of resources and assignments, and count them.

    Parameters
    ----------
    resources
        Id -> name and kind, where a sheet says them.
    tasks
        Column `task`, in the order of the sheet.
    """
    of_task = tasks.set_index("task")
    people = dict(resources)
    rows = []
    for one in assigned:
        people.setdefault(one.resource, {"name": one.resource, "kind": one.kind})
        kind = _KINDS.get(people[one.resource]["kind"] or one.kind, "work")
        balance.read("assignments")
        hours = one.amount if kind == "work" and one.amount == one.amount else 0.0
        balance.read("hours", Fraction(repr(hours)))
        if not one.task:
            _leave(one, hours, balance, told)
            continue
        rows.append(_row(one, kind, hours, of_task.loc[one.task]))
    balance.use("assignments", len(rows))
    balance.use("hours", sum(Fraction(repr(row["work_h"])) for row in rows))
    balance.read("resources", len(people))
    balance.use("resources", len(people))
    frame = pd.DataFrame(
        {
            "resource": list(people),
            "name": [of["name"] for of in people.values()],
            "kind": [_KINDS.get(of["kind"], "work") for of in people.values()],
        }
    )
    return frame, pd.DataFrame(rows)


def _leave(one: Assigned, hours: float, balance: Balance, told: Told) -> None:
    reason = f"its task '{one.found}' is not in the sheet, or there are several of it"
    balance.leave("assignments", reason, line=one.line, name=one.resource)
    amount = Fraction(repr(hours))
    balance.leave("hours", reason, amount=amount, line=one.line, name=one.resource)
    fix = f"An assignment of '{one.resource}' is left out: {reason}."
    told.warn("assignments", "unknown_task", fix, line=one.line, found=one.found)


def _row(one: Assigned, kind: str, hours: float, task: pd.Series) -> dict[str, Any]:
    done = task["percent_complete"]
    share = done / 100 if done == done else 0.0
    actual, remaining = one.actual, one.remaining
    if kind != "work":
        actual = remaining = 0.0
    if actual != actual:
        actual = hours - remaining if remaining == remaining else hours * share
    if remaining != remaining:
        remaining = hours - actual
    return {
        "task": one.task,
        "resource": one.resource,
        "role": one.role,
        "units": one.units,
        "work_h": hours,
        "actual_h": actual,
        "remaining_h": remaining,
        "start": task["start"] if one.start is None else one.start,
        "finish": task["finish"] if one.finish is None else one.finish,
        "cost": one.cost,
        "quantity": one.amount if kind == "material" else _NAN,
        "line": one.line,
    }
