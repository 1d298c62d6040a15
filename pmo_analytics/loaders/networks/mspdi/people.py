"""Resources and assignments of Microsoft Project XML."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.mspdi.file import (
    NOBODY,
    MspdiFile,
    money_of,
    sum_of,
    sum_of_hours,
)
from pmo_analytics.loaders.networks.mspdi.nested import Nested

CONTOURS = {
    "0": "flat",
    "1": "back_loaded",
    "2": "front_loaded",
    "3": "double_peak",
    "4": "early_peak",
    "5": "late_peak",
    "6": "bell",
    "7": "turtle",
    "8": "contoured",
}

# Column of the frame -> element, by the kind of its cells.
_RESOURCE_TEXTS = {
    "name": "Name",
    "group": "Group",
    "code": "Code",
    "email": "EmailAddress",
    "unit": "MaterialLabel",
    "guid": "GUID",
    "account": "NTAccount",
    "initials": "Initials",
}
_RESOURCE_NUMBERS = {
    "max_units": "MaxUnits",
    "rate": "StandardRate",
    "overtime_rate": "OvertimeRate",
}
_RESOURCES = [
    *_RESOURCE_TEXTS.values(),
    *_RESOURCE_NUMBERS.values(),
    *("Type", "IsNull", "IsCostResource", "IsGeneric", "IsInactive", "CostPerUse"),
    "CalendarUID",
]
_TIMES = {
    "start": "Start",
    "finish": "Finish",
    "actual_start": "ActualStart",
    "actual_finish": "ActualFinish",
    "suspend": "Stop",
    "resume": "Resume",
}
_HOURS = {
    "work_h": "Work",
    "actual_h": "ActualWork",
    "remaining_h": "RemainingWork",
    "overtime_h": "OvertimeWork",
}
_ASSIGNMENTS = [
    *_TIMES.values(),
    *_HOURS.values(),
    *("TaskUID", "ResourceUID", "Units", "Cost", "ActualCost", "WorkContour"),
    "CostRateTable",
]


def read_resources(file: MspdiFile, calendars: set[str]) -> tuple[pd.DataFrame, Nested]:
    """Return the frame `resources`, and what lies inside resources."""
    cells, nested = file.cells("Resource", "resources", _RESOURCES)
    words = {"0": "material", "2": "cost"}
    kind = [words.get(text, "work") for text in cells.texts("Type")]
    # 0 is what Microsoft Project keeps for work of nobody.
    nobody = [row for row, uid in enumerate(cells.ids) if uid == "0"]
    blank = {*nobody, *np.flatnonzero(cells.flags("IsNull")).tolist()}
    for row, name in enumerate(cells.texts("Name")):
        if not name and row not in blank:
            fix = f"Resource '{cells.ids[row]}' has no name. It is called "
            fix += f"'Resource {cells.ids[row]}' where a name is needed."
            line, uid = cells.lines[row], cells.ids[row]
            file.told.warn("resources", "missing_name", fix, line=line, found=uid)
    resources = pd.DataFrame(
        {
            "resource": cells.ids,
            "kind": np.where(cells.flags("IsCostResource"), "cost", kind),
            "calendar": file.calendar_ids(cells, calendars, blank),
            "generic": cells.flags("IsGeneric"),
            "active": ~cells.flags("IsInactive"),
            "line": cells.lines,
            "per_use": money_of(cells, "CostPerUse"),
            **{column: cells.texts(name) for column, name in _RESOURCE_TEXTS.items()},
            **{column: cells.numbers(at) for column, at in _RESOURCE_NUMBERS.items()},
        }
    )
    file.balance.use("resources", len(resources))
    return resources, nested


def read_assignments(
    file: MspdiFile, tasks: pd.DataFrame, resources: pd.DataFrame
) -> tuple[pd.DataFrame, Nested]:
    """Return the frame `assignments`, and what lies inside assignments.

    What is not done in hours (material, cost) has a `quantity` and no hours of work.
    """
    cells, nested = file.cells("Assignment", "assignments", _ASSIGNMENTS)
    owners = cells.texts("ResourceUID")
    resource = ["" if NOBODY.fullmatch(uid) else uid for uid in owners]
    kinds = dict(zip(resources["resource"], resources["kind"], strict=True))
    people = np.array([kinds.get(uid, "work") == "work" for uid in resource], bool)
    work = cells.columns.get("Work", ())
    file.read_hours([w for w, own in zip(work, people, strict=True) if own], "hours")
    others = [w for w, own in zip(work, people, strict=True) if not own]
    if others:
        file.read_hours(others, "quantity")
    file.read_money(cells.columns.get("Cost", ()))
    hours = {column: cells.hours(name) for column, name in _HOURS.items()}
    contours = cells.texts("WorkContour")
    assignments = pd.DataFrame(
        {
            "task": cells.texts("TaskUID"),
            "resource": resource,
            "units": cells.numbers("Units"),
            **{column: np.where(people, h, 0.0) for column, h in hours.items()},
            **{column: cells.times(name) for column, name in _TIMES.items()},
            "cost": money_of(cells, "Cost"),
            "actual_cost": money_of(cells, "ActualCost"),
            "quantity": np.where(people, np.nan, hours["work_h"]),
            "contour": [CONTOURS.get(text, "") for text in contours],
            "assignment": cells.ids,
            "line": cells.lines,
            "rate_table": cells.texts("CostRateTable"),
        }
    )
    return _kept(file, assignments, tasks, set(kinds)), nested


def _kept(
    file: MspdiFile, assignments: pd.DataFrame, tasks: pd.DataFrame, resources: set[str]
) -> pd.DataFrame:
    """Return the assignments whose task is there; others are listed."""
    kinds = dict(zip(tasks["task"], tasks["kind"], strict=True))
    known = assignments["task"].isin(list(kinds))
    for row in assignments[~known].to_dict("records"):
        reason = f"its task '{row['task']}' is not in the file"
        fix = f"Assignment '{row['assignment']}' is left out: {reason}. Correct it in "
        _warn(file, "unknown_task", fix + "Microsoft Project.", row, row["task"])
        place = {"line": row["line"], "name": row["assignment"]}
        file.balance.leave("assignments", reason, **place)
        for what, amount in (
            ("hours", sum_of_hours(np.nan_to_num([row["work_h"]]))),
            ("quantity", sum_of_hours(np.nan_to_num([row["quantity"]]))),
            ("money", sum_of(np.array([row["cost"]]))),
        ):
            if amount:
                file.balance.leave(what, reason, amount=amount, **place)
    named = known & (assignments["resource"] != "")
    unknown = named & ~assignments["resource"].isin(list(resources))
    for row in assignments[unknown].to_dict("records"):
        fix = f"Resource '{row['resource']}' of assignment '{row['assignment']}' is "
        fix += "not in the file. Its hours count, without a person."
        _warn(file, "unknown_resource", fix, row, row["resource"])
    summary = named & (assignments["task"].map(kinds) == "summary")
    for row in assignments[summary].to_dict("records"):
        fix = f"Assignment '{row['assignment']}' is on the summary task "
        fix += f"'{row['task']}'. Its hours count beside those of the tasks below."
        _warn(file, "assignment_on_summary", fix, row, row["task"])
    kept = assignments[known].reset_index(drop=True)
    file.balance.use("assignments", len(kept))
    file.balance.use("hours", sum_of_hours(kept["work_h"].fillna(0).to_numpy()))
    if kept["quantity"].notna().any():
        quantity = kept["quantity"].fillna(0).to_numpy()
        file.balance.use("quantity", sum_of_hours(quantity))
    file.balance.use("money", sum_of(kept["cost"].to_numpy()))
    return kept


def _warn(
    file: MspdiFile, rule: str, fix: str, row: dict[str, Any], found: str
) -> None:
    file.told.warn("assignments", rule, fix, line=row["line"], found=found)


def read_rates(nested: Nested, told: Told) -> pd.DataFrame:
    """Return the rate tables of resources."""
    cells = nested.cells("Rate", told)
    return pd.DataFrame(
        {
            "resource": cells.ids,
            "table": cells.texts("RateTable"),
            "start": cells.times("RatesFrom"),
            "finish": cells.times("RatesTo"),
            "rate": cells.numbers("StandardRate"),
            "overtime_rate": cells.numbers("OvertimeRate"),
            "per_use": money_of(cells, "CostPerUse"),
        }
    )


def read_units(nested: Nested, told: Told) -> pd.DataFrame:
    """Return the units of resources by date."""
    cells = nested.cells("AvailabilityPeriod", told)
    return pd.DataFrame(
        {
            "resource": cells.ids,
            "start": cells.times("AvailableFrom"),
            "finish": cells.times("AvailableTo"),
            "units": cells.numbers("AvailableUnits"),
        }
    )
