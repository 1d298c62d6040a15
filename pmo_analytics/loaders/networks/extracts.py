"""Extracts of Project Online and Project Server (OData) become networks.

People saved the sets of the reporting service as JSON, CSV or sheets of a workbook:
Projects, Tasks, Resources, Assignments, and their time-phased sets and baselines. One
folder (or workbook) is one service. Times of the service are UTC; the service tells no
links and no calendars, which is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.cells.zones import is_zone
from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.tabular import WORKBOOKS, holds_words, tables_of
from pmo_analytics.networks import Balance, Network

MAX_BYTES = 500 * 2**20
_SUFFIXES = (".json", ".csv", ".xlsx", ".xlsm")
# Set -> fields that only it has, to tell sets without a name.
_SETS = {
    "assignment_days": ("AssignmentId", "TimeByDay"),
    "assignments": ("AssignmentId", "AssignmentWork"),
    "baselines": ("TaskId", "BaselineNumber", "TaskBaselineStartDate"),
    "tasks": ("TaskId", "TaskStartDate"),
    "resources": ("ResourceId", "ResourceName"),
    "projects": ("ProjectId", "ProjectStartDate"),
}
_VERBOSE_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_KINDS = {"0": "material", "1": "work", "2": "work", "3": "cost"}
_MOST = 1e15  # hours or money that anybody can mean
Record = dict[str, Any]
_TASK_NUMBERS = {
    "duration_h": "TaskDuration",
    "remaining_h": "TaskRemainingDuration",
    "percent_complete": "TaskPercentCompleted",
    "total_float_h": "TaskTotalSlack",
    "free_float_h": "TaskFreeSlack",
    "cost": "TaskCost",
    "actual_cost": "TaskActualCost",
    "fixed_cost": "TaskFixedCost",
    "work_h": "TaskWork",
    "actual_work_h": "TaskActualWork",
    "remaining_work_h": "TaskRemainingWork",
}


def is_extract(path: Path, head: bytes) -> bool:
    """Return whether a file is a set of the reporting service."""
    if path.suffix.lower() == ".json":
        plain = head.replace(b"\0", b"")
        marks = (b'"ProjectId"', b'"ResourceId"', b"$metadata#", b'"odata.')
        return any(mark in plain for mark in marks)
    groups = (
        (("ProjectId",), ("ProjectStartDate",)),
        (("TaskId",), ("TaskStartDate",)),
        (("ResourceId",), ("ResourceName",)),
        (("AssignmentId",), ("AssignmentWork",)),
    )
    return holds_words(path, head, *groups, beside_tables=True)


def read_extracts(path: Path, *, zone: str = "") -> list[Network]:
    """Return the networks of a service, one a project.

    Parameters
    ----------
    path
        Any file of the extract; the others are looked for beside it.
    zone
        Time zone of the people (`Europe/Berlin`); "" = that of `portfolio.toml` in the
        folder, else times stay UTC, and that is said.

    Raises
    ------
    Unreadable
        If a file is damaged, or there are neither projects nor tasks.
    """
    zone = zone or _declared_zone(path.parent)
    return _Service(path, zone).networks()


def _declared_zone(folder: Path) -> str:
    file = folder / "portfolio.toml"
    if not file.is_file():
        return ""
    text = file.read_text(encoding="utf-8", errors="replace")
    match = re.search(r"^\s*timezone\s*=\s*[\"']([^\"']+)[\"']", text, re.MULTILINE)
    return match[1] if match and is_zone(match[1]) else ""


class _Service:
    """The sets of one folder or workbook while they are read."""

    def __init__(self, path: Path, zone: str) -> None:
        self.zone = zone
        self.sets: dict[str, list[Record]] = {name: [] for name in _SETS}
        self.files: dict[str, str] = {}
        self.unread: list[str] = []
        one = path.suffix.lower() in WORKBOOKS
        for file in [path] if one else _beside(path):
            for records in _records(file):
                self._take(file.name, records)
        if not self.sets["tasks"] and not self.sets["projects"]:
            raise Unreadable(
                "missing_set",
                "The extract has neither Projects nor Tasks. Put all sets that were "
                "saved (Projects, Tasks, Resources, Assignments) into one folder.",
            )

    def _take(self, file: str, records: list[Record]) -> None:
        names = set().union(*records[:20]) if records else set()
        for name, marks in _SETS.items():
            if set(marks) <= names:
                self.sets[name] += records
                self.files.setdefault(name, file)
                return
        if records:
            self.unread.append(file)

    def networks(self) -> list[Network]:
        """Return a network for each project, in the order of the service."""
        projects = {_id(r, "ProjectId"): r for r in self.sets["projects"]}
        for record in self.sets["tasks"]:
            own = {"ProjectName": record.get("ProjectName")}
            projects.setdefault(_id(record, "ProjectId"), own)
        by_project: dict[str, dict[str, list[Record]]] = {p: {} for p in projects}
        for name in ("tasks", "assignments", "assignment_days", "baselines"):
            for record in self.sets[name]:
                sets = by_project.get(_id(record, "ProjectId"), {})
                sets.setdefault(name, []).append(record)
        pool = {_id(r, "ResourceId"): r for r in self.sets["resources"]}
        free = set(pool) - {_id(r, "ResourceId") for r in self.sets["assignments"]}
        found = []
        for number, (uid, record) in enumerate(projects.items()):
            if not by_project[uid].get("tasks") and _is_service(record):
                continue
            others = free if number == 0 else set()
            project = _Project(self, uid, record, by_project[uid], pool, others)
            found.append(project.network())
        return found


def _is_service(record: Record) -> bool:
    """Return whether a project is the one that holds timesheet lines, of no tasks."""
    return str(record.get("ProjectType", "")) in ("7", "Timesheet")


def _beside(path: Path) -> list[Path]:
    """Return the files of an extract in a folder."""
    found = []
    for file in sorted(path.parent.iterdir()):
        if file.suffix.lower() not in _SUFFIXES or not file.is_file():
            continue
        if file.suffix.lower() in WORKBOOKS and file != path:
            continue
        with file.open("rb") as opened:
            head = opened.read(4096)
        if file == path or is_extract(file, head):
            found.append(file)
    return found


def _records(path: Path) -> Iterable[list[Record]]:
    """Yield the records of each set in a file."""
    if path.suffix.lower() != ".json":
        tables, _ = tables_of(path)
        for rows in tables.values():
            if rows:
                names = [str(cell).strip() for cell in rows[0]]
                yield [dict(zip(names, row, strict=False)) for row in rows[1:]]
        return
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(
            "file_too_large",
            f"At most {MAX_BYTES // 2**20} MB are read. Save the sets by year.",
        )
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Unreadable(
            "corrupt_file",
            "The file is no whole JSON: it is damaged or was cut off. Save it again.",
            found=str(error)[:200],
        ) from error
    yield from _json_sets(data, 0)


def _json_sets(data: Any, depth: int) -> Iterable[list[Record]]:
    """Yield lists of records wherever an answer of OData may keep them."""
    if depth > 4:
        return
    if isinstance(data, list):
        records = [record for record in data if isinstance(record, dict)]
        plain = (isinstance(v, str | int | float) for r in records for v in r.values())
        if any(plain):
            yield records
        else:
            for part in data:
                yield from _json_sets(part, depth + 1)
    elif isinstance(data, dict):
        for part in data.values():
            if isinstance(part, list | dict):
                yield from _json_sets(part, depth + 1)


def _id(record: Record, name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value).strip().lower()


class _Project:
    """One project while its frames are made."""

    def __init__(
        self,
        service: _Service,
        uid: str,
        record: Record,
        own: dict[str, list[Record]],
        pool: dict[str, Record],
        others: set[str],
    ) -> None:
        self.service, self.uid, self.record = service, uid, record
        self.own, self.pool, self.others = own, pool, others
        self.file = service.files.get("tasks", service.files.get("projects", ""))
        self.told = Told(self.file)
        self.balance = Balance(self.file)
        self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        fix = "The reporting service tells no links and no calendars: tasks have their "
        fix += "dates, and hours lie on Monday to Friday, 8 to 17."
        self.told.warn("links", "no_links", fix)
        where = f"moved to {self.service.zone}" if self.service.zone else "left in UTC"
        fix = f"Times of the service are UTC; they are {where}."
        if not self.service.zone:
            fix += " Declare [calendar] timezone in portfolio.toml of the folder."
        self.told.warn("tasks", "times_in_utc", fix)
        for file in self.service.unread:
            fix = "This file is no set that is read; Projects, Tasks, Resources, "
            fix += "Assignments, their days and baselines are."
            self.told.warn("network", "unread_set", fix, found=file)

    def network(self) -> Network:
        """Return the network of the project."""
        name = str(self.record.get("ProjectName") or self.uid)
        tasks = self._tasks()
        resources = self._resources()
        assignments = self._assignments(set(tasks["task"]))
        said = {k: str(v) for k, v in self.record.items() if isinstance(v, str | int)}
        manager = str(self.record.get("ProjectOwnerName") or "")
        return Network(
            name,
            name=name,
            source=self.file,
            data_date=self._time(self.record.get("ProjectStatusDate")),
            currency=str(self.record.get("ProjectCurrency") or ""),
            start=self._time(self.record.get("ProjectStartDate")),
            finish=self._time(self.record.get("ProjectFinishDate")),
            fields=said | {"id": self.uid, "Manager": manager},
            tasks=tasks,
            resources=resources,
            assignments=assignments,
            timephased=self._days(assignments),
            balance=self.balance.frame(),
            listed=self.balance.listed(),
            problems=problems_table(self.told.all()),
        )

    def _time(self, value: Any) -> Any:
        """Return a time in the declared zone; NaT for a blank."""
        if value is None or value == "":
            return pd.NaT
        text = str(value)
        if match := _VERBOSE_DATE.fullmatch(text):
            time = pd.Timestamp(int(match[1]), unit="ms")
        else:
            time = pd.to_datetime(text, errors="coerce", utc=True)
            if pd.isna(time) or not 1900 <= time.year < 2200:
                fix = f"'{text[:40]}' is no date and counts as blank."
                self.told.warn("tasks", "bad_date", fix, found=text[:40])
                return pd.NaT
            time = time.tz_localize(None)
        if self.service.zone:
            home = ZoneInfo(self.service.zone)
            time = time.tz_localize("UTC").tz_convert(home).tz_localize(None)
        return time.floor("s")

    def _times(self, records: list[Record], name: str) -> np.ndarray:
        times = [self._time(record.get(name)) for record in records]
        return pd.Series(times, dtype="datetime64[s]").to_numpy()

    def _numbers(self, records: list[Record], name: str) -> np.ndarray:
        cells = pd.Series([record.get(name) for record in records], dtype=object)
        found = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        beyond = np.abs(found) > _MOST
        for cell in cells[beyond].head(1):
            fix = f"{name} holds numbers that cannot be meant; they count as blank."
            self.told.warn("network", "bad_number", fix, column=name, found=cell)
        return np.where(beyond, np.nan, found)

    def _kept(self, name: str, key: str, frame: str) -> list[Record]:
        """Return the records of a set with an id of their own; others are listed."""
        seen: set[str] = set()
        kept = []
        for record in self.own.get(name, []):
            self.balance.read(frame)
            uid = _id(record, key)
            if not uid or uid in seen:
                reason = "another has this id" if uid else "it has no id"
                self.balance.leave(frame, reason, name=uid)
                fix = f"A record of {frame} is left out: {reason}."
                self.told.warn(frame, "duplicate_id", fix, found=uid)
                continue
            seen.add(uid)
            kept.append(record)
        return kept

    def _tasks(self) -> pd.DataFrame:
        records = self._kept("tasks", "TaskId", "tasks")
        index = self._numbers(records, "TaskIndex")
        if not np.isnan(index).any():
            records = [records[k] for k in np.argsort(index, kind="stable")]
        summary = _flags(records, "TaskIsSummary") | _flags(
            records, "TaskIsProjectSummary"
        )
        kind = np.where(_flags(records, "TaskIsMilestone"), "milestone", "task")
        ids = {_id(r, "TaskId") for r in records}
        parents = [_id(r, "ParentTaskId") for r in records]
        own = [_id(r, "TaskId") for r in records]
        times = {
            "start": "TaskStartDate",
            "finish": "TaskFinishDate",
            "actual_start": "TaskActualStartDate",
            "actual_finish": "TaskActualFinishDate",
            "deadline": "TaskDeadline",
        }
        tasks = pd.DataFrame(
            {
                "task": own,
                "name": [str(r.get("TaskName") or "") for r in records],
                "wbs": [str(r.get("TaskWBS") or "") for r in records],
                "parent": [
                    p if p in ids and p != uid else ""
                    for p, uid in zip(parents, own, strict=True)
                ],
                "kind": np.where(summary, "summary", kind),
                "active": _flags(records, "TaskIsActive", blank=True),
                "critical": _flags(records, "TaskIsCritical"),
                **{column: self._times(records, at) for column, at in times.items()},
                **{c: self._numbers(records, at) for c, at in _TASK_NUMBERS.items()},
            }
        )
        first = self._baseline()
        for name in ("start", "finish"):
            column = f"baseline_{name}"
            tasks[column] = first[name].reindex(tasks["task"]).to_numpy()
        self.balance.use("tasks", len(tasks))
        for cost in tasks["fixed_cost"].fillna(0).tolist():
            self.balance.read("money", Fraction(repr(round(cost, 6))))
        tasks["fixed_cost"] = tasks["fixed_cost"].round(6)
        used = tasks["fixed_cost"].fillna(0).tolist()
        self.balance.use("money", sum(Fraction(repr(c)) for c in used))
        return tasks

    def _baseline(self) -> pd.DataFrame:
        records = [
            r
            for r in self.own.get("baselines", [])
            if str(r.get("BaselineNumber")) in ("0", "0.0")
        ]
        frame = pd.DataFrame(
            {
                "task": [_id(r, "TaskId") for r in records],
                "start": self._times(records, "TaskBaselineStartDate"),
                "finish": self._times(records, "TaskBaselineFinishDate"),
            }
        )
        return frame.drop_duplicates("task").set_index("task")

    def _resources(self) -> pd.DataFrame:
        used = {_id(r, "ResourceId") for r in self.own.get("assignments", [])}
        records = [r for uid, r in self.pool.items() if uid in used | self.others]
        self.balance.read("resources", len(records))
        self.balance.use("resources", len(records))
        return pd.DataFrame(
            {
                "resource": [_id(r, "ResourceId") for r in records],
                "name": [str(r.get("ResourceName") or "") for r in records],
                "kind": [
                    _KINDS.get(str(r.get("ResourceType", "1")), "work") for r in records
                ],
                "group": [str(r.get("ResourceGroup") or "") for r in records],
                "email": [str(r.get("ResourceEmailAddress") or "") for r in records],
                "guid": [_id(r, "ResourceId") for r in records],
                "account": [str(r.get("ResourceNTAccount") or "") for r in records],
                "max_units": self._numbers(records, "ResourceMaxUnits"),
                "rate": self._numbers(records, "ResourceStandardRate"),
                "generic": _flags(records, "ResourceIsGeneric"),
                "active": _flags(records, "ResourceIsActive", blank=True),
            }
        )

    def _assignments(self, tasks: set[str]) -> pd.DataFrame:
        records = self._kept("assignments", "AssignmentId", "assignments")
        times = {"start": "AssignmentStartDate", "finish": "AssignmentFinishDate"}
        numbers = {
            "work_h": "AssignmentWork",
            "actual_h": "AssignmentActualWork",
            "remaining_h": "AssignmentRemainingWork",
            "units": "AssignmentPeakUnits",
            "cost": "AssignmentCost",
            "actual_cost": "AssignmentActualCost",
        }
        frame = pd.DataFrame(
            {
                "assignment": [_id(r, "AssignmentId") for r in records],
                "task": [_id(r, "TaskId") for r in records],
                "resource": [_id(r, "ResourceId") for r in records],
                **{column: self._times(records, at) for column, at in times.items()},
                **{
                    column: self._numbers(records, at).round(6)
                    for column, at in numbers.items()
                },
            }
        )
        known = frame["task"].isin(list(tasks))
        for what, column in (("hours", "work_h"), ("money", "cost")):
            amounts = frame[column].fillna(0)
            self.balance.read(what, sum(Fraction(repr(a)) for a in amounts.tolist()))
            kept = amounts[known].tolist()
            self.balance.use(what, sum(Fraction(repr(a)) for a in kept))
        for row in frame[~known].to_dict("records"):
            reason = f"its task '{row['task']}' is not in the extract"
            fix = f"Assignment '{row['assignment']}' is left out: {reason}."
            self.told.warn("assignments", "unknown_task", fix, found=row["task"])
            for what, amount in (
                ("assignments", 1),
                ("hours", row["work_h"]),
                ("money", row["cost"]),
            ):
                if amount == amount and amount:
                    name = row["assignment"]
                    self.balance.leave(what, reason, amount=amount, name=name)
        self.balance.use("assignments", int(known.sum()))
        frame["resource"] = frame["resource"].where(
            frame["resource"].isin(list(self.pool)), ""
        )
        return frame[known].reset_index(drop=True)

    def _days(self, assignments: pd.DataFrame) -> pd.DataFrame:
        """Return the hours of each day where the service was asked for them."""
        place = dict(zip(assignments["assignment"], assignments.index, strict=True))
        records = [
            r
            for r in self.own.get("assignment_days", [])
            if _id(r, "AssignmentId") in place
        ]
        row = np.array([place[_id(r, "AssignmentId")] for r in records], dtype=int)
        # A day is a day, not a moment: it is not moved to another zone.
        days = pd.to_datetime(
            [str(r.get("TimeByDay"))[:10] for r in records],
            format="%Y-%m-%d",
            errors="coerce",
        )
        frame = pd.DataFrame(
            {
                "row": row,
                "kind": "remaining",
                "start": days.astype("datetime64[s]"),
                "finish": days.astype("datetime64[s]") + pd.Timedelta("1D"),
                "hours": self._numbers(records, "AssignmentWork"),
                "task": assignments["task"].to_numpy()[row],
                "resource": assignments["resource"].to_numpy()[row],
            }
        )
        return frame[frame["hours"] > 0].reset_index(drop=True)


def _flags(records: list[Record], name: str, *, blank: bool = False) -> np.ndarray:
    words = ("true", "1", "1.0", "yes")
    return np.array(
        [
            blank if r.get(name) in (None, "") else str(r[name]).lower() in words
            for r in records
        ],
        dtype=bool,
    )
