"""Tasks of Microsoft Project XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.cells import Cells, Floats, Told
from pmo_analytics.loaders.networks.mspdi.file import (
    MspdiFile,
    money_of,
    sum_of,
)
from pmo_analytics.loaders.networks.mspdi.nested import Nested

CONSTRAINTS = {
    "0": "",
    "1": "alap",
    "2": "must_start_on",
    "3": "must_finish_on",
    "4": "start_no_earlier",
    "5": "start_no_later",
    "6": "finish_no_earlier",
    "7": "finish_no_later",
}
# Formats of durations that are elapsed time, of 24 hours a day.
ELAPSED = {"4", "6", "8", "10", "12", "20", "36", "38", "40", "42", "44", "52"}
# Column of the frame -> element, by the kind of its cells.
_TEXTS = {
    "name": "Name",
    "code": "ID",
    "duration_format": "DurationFormat",
    "external_project": "ExternalTaskProject",
    "subproject": "SubprojectName",
    "guid": "GUID",
    "notes": "Notes",
}
_TIMES = {
    "start": "Start",
    "finish": "Finish",
    "actual_start": "ActualStart",
    "actual_finish": "ActualFinish",
    "constraint_date": "ConstraintDate",
    "deadline": "Deadline",
    "early_start": "EarlyStart",
    "early_finish": "EarlyFinish",
    "late_start": "LateStart",
    "late_finish": "LateFinish",
    "suspend": "Stop",
    "resume": "Resume",
}
_HOURS = {
    "work_h": "Work",
    "actual_work_h": "ActualWork",
    "remaining_work_h": "RemainingWork",
}
_NUMBERS = {
    "percent_complete": "PercentComplete",
    "physical_percent": "PhysicalPercentComplete",
    "priority": "Priority",
}
_MONEY = {"cost": "Cost", "actual_cost": "ActualCost", "fixed_cost": "FixedCost"}
_FLAGS = {
    "critical": "Critical",
    "manual": "Manual",
    "ignore_resource_calendar": "IgnoreResourceCalendar",
    "external": "ExternalTask",
}
_OTHERS = (
    *("WBS", "OutlineNumber", "OutlineLevel", "IsNull", "Duration", "Milestone"),
    *("Summary", "RemainingDuration", "ConstraintType", "CalendarUID", "TotalSlack"),
    *("FreeSlack", "Active"),
)
_ELEMENTS = [
    element
    for columns in (_TEXTS, _TIMES, _HOURS, _NUMBERS, _MONEY, _FLAGS)
    for element in columns.values()
] + [*_OTHERS]


def read_tasks(file: MspdiFile, calendars: set[str]) -> tuple[pd.DataFrame, Nested]:
    """Return the frame `tasks`, and what lies inside tasks.

    Blank rows of Microsoft Project are tasks of no kind. A duration in elapsed time
    counts hours of the clock (`duration_unit` elapsed).
    """
    cells, nested = file.cells("Task", "tasks", _ELEMENTS)
    null = cells.flags("IsNull")
    kind = np.where(cells.flags("Milestone"), "milestone", "task")
    kind = np.where(cells.flags("Summary"), "summary", kind)
    constraints = cells.texts("ConstraintType")
    level = cells.numbers("OutlineLevel")
    numbers = zip(cells.texts("WBS"), cells.texts("OutlineNumber"), strict=True)
    tasks = pd.DataFrame(
        {
            "task": cells.ids,
            "wbs": [own or outline for own, outline in numbers],
            "parent": _parents(cells.ids, level, null),
            "kind": np.where(null, "", kind),
            "duration_h": _not_negative(cells, "Duration"),
            "remaining_h": _not_negative(cells, "RemainingDuration"),
            "constraint": [CONSTRAINTS.get(text, "") for text in constraints],
            "calendar": file.calendar_ids(cells, calendars, np.flatnonzero(null)),
            "total_float_h": cells.numbers("TotalSlack", 600),
            "free_float_h": cells.numbers("FreeSlack", 600),
            "active": cells.flags("Active", blank=True),
            "line": cells.lines,
            **{column: cells.texts(name) for column, name in _TEXTS.items()},
            **{column: cells.times(name) for column, name in _TIMES.items()},
            **{column: cells.hours(name) for column, name in _HOURS.items()},
            **{column: cells.numbers(name) for column, name in _NUMBERS.items()},
            **{column: money_of(cells, name) for column, name in _MONEY.items()},
            **{column: cells.flags(name) for column, name in _FLAGS.items()},
        }
    )
    elapsed = tasks["duration_format"].isin(list(ELAPSED))
    tasks["duration_unit"] = np.where(elapsed, "elapsed", "working")
    file.balance.use("tasks", len(tasks))
    file.read_money(cells.columns.get("FixedCost", ()))
    file.balance.use("money", sum_of(tasks["fixed_cost"].to_numpy()))
    _check_dates(tasks, file.told)
    return tasks, nested


def _parents(ids: Sequence[str], level: Floats, null: Any) -> list[str]:
    """Return the task above each: the last one of a lower outline level."""
    open_: list[tuple[float, str]] = []
    parents = []
    for uid, depth, blank in zip(ids, level.tolist(), null, strict=True):
        if blank or depth != depth:
            parents.append("")
            continue
        while open_ and open_[-1][0] >= depth:
            open_.pop()
        parents.append(open_[-1][1] if open_ else "")
        open_.append((depth, uid))
    return parents


def _not_negative(cells: Cells, name: str) -> Floats:
    hours = cells.hours(name)
    for row in np.flatnonzero(hours < 0).tolist():
        fix = f"Task '{cells.ids[row]}' has a negative duration, which counts as "
        fix += "blank. Correct it in Microsoft Project."
        line = cells.lines[row]
        cells.told.warn(
            "tasks",
            "negative_duration",
            fix,
            line=line,
            column=name,
            found=cells.ids[row],
        )
    return np.where(hours < 0, np.nan, hours)


def _check_dates(tasks: pd.DataFrame, told: Told) -> None:
    for first, last in (("start", "finish"), ("actual_start", "actual_finish")):
        for row in tasks[tasks[first] > tasks[last]].itertuples():
            fix = f"Task '{row.task}' ends before it begins. Correct its dates in "
            fix += "Microsoft Project."
            told.warn(
                "tasks",
                "finish_before_start",
                fix,
                line=row.line,
                column=last,
                found=row.task,
            )
