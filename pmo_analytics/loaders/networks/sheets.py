"""Spreadsheet exports of P6 and Microsoft Project become networks."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.tabular import Rows, holds_words, tables_of
from pmo_analytics.loaders.networks.written import (
    Link,
    is_day_first,
    read_links,
    read_moment,
    read_names,
    read_span,
)
from pmo_analytics.networks import Balance, Network

# Column -> what tools call it, letters and digits only.
_WORDS = {
    "id": "activityid id taskid",
    "unique": "uniqueid",
    "name": "activityname taskname name",
    "status": "activitystatus status",
    "wbs": "wbscode wbs outlinenumber",
    "level": "outlinelevel",
    "duration": "atcompletionduration duration originalduration scheduledduration",
    "remaining": "remainingduration",
    "start": "start startdate",
    "finish": "finish finishdate",
    "actual_start": "actualstart",
    "actual_finish": "actualfinish",
    "baseline_start": "baselinestart blprojectstart",
    "baseline_finish": "baselinefinish blprojectfinish",
    "deadline": "deadline",
    "free_float_h": "freefloat freeslack",
    "total_float_h": "totalfloat totalslack",
    "predecessors": "predecessors",
    "details": "predecessordetails",
    "constraint": "primaryconstraint constrainttype",
    "constraint_date": "primaryconstraintdate constraintdate",
    "type": "activitytype",
    "milestone": "milestone",
    "active": "active",
    "percent": "complete percentcomplete activitycomplete",
    "resources": "resourcenames resources",
    "work": "work",
    "cost": "cost atcompletiontotalcost budgetedtotalcost",
}
_NAMES = {word: column for column, words in _WORDS.items() for word in words.split()}
_CONSTRAINTS = {
    "startonorafter": "start_no_earlier",
    "startnoearlierthan": "start_no_earlier",
    "startonorbefore": "start_no_later",
    "startnolaterthan": "start_no_later",
    "finishonorafter": "finish_no_earlier",
    "finishnoearlierthan": "finish_no_earlier",
    "finishonorbefore": "finish_no_later",
    "finishnolaterthan": "finish_no_later",
    "starton": "start_on",
    "finishon": "finish_on",
    "muststarton": "must_start_on",
    "mustfinishon": "must_finish_on",
    "mandatorystart": "must_start_on",
    "mandatoryfinish": "must_finish_on",
    "aslateaspossible": "alap",
}
_TIMES = (
    *("start", "finish", "actual_start", "actual_finish", "baseline_start"),
    *("baseline_finish", "deadline", "constraint_date"),
)
_DAY = 8.0
_HEADER_ROWS = 10
_YES = {"yes", "y", "1", "true", "ja", "oui", "si"}


def is_sheet(path: Path, head: bytes) -> bool:
    """Return whether a file is an export of tasks with their links."""
    p6 = (b"Activity ID", b"Activity Name")
    project = (b"Predecessors", b"Duration", b"Start")
    return holds_words(path, head, p6, project)


def read_sheets(path: Path) -> list[Network]:
    """Return the networks of an export, one for each sheet that holds tasks.

    Raises
    ------
    Unreadable
        If the file is damaged, or no sheet has columns of tasks and tasks under them.
    """
    tables, guess = tables_of(path)
    found: list[_Sheet] = []
    without: list[_Sheet] = []
    for sheet, rows in tables.items():
        header = _header(rows)
        if header is not None:
            name = path.stem if len(tables) == 1 else f"{path.stem} {sheet}"
            own = _Sheet(path.name, name, rows, header, guess)
            (found if own.ids else without).append(own)
    if without and not found:
        raise Unreadable(
            "no_tasks",
            "There are the columns of an export, and under them no row that has a name "
            "or a start. Export the tasks again.",
        )
    if not found:
        raise Unreadable(
            "missing_header",
            "No sheet has the columns of an export: the name of a task or activity, "
            "its start or duration, and its predecessors.",
        )
    for own in without:
        fix = "A sheet is left out: no row of it has a name or a start."
        found[0].told.warn("tasks", "no_tasks", fix, found=own.name)
    return [own.network() for own in found]


def _key(cell: Any) -> tuple[str, str]:
    """Return the word of a heading and its unit, as in `Duration(d)`."""
    text = str(cell or "").replace("(*)", "")
    unit = re.search(r"\(([a-z%])\)\s*$", text)
    text = re.sub(r"\([^)]*\)\s*$", "", text)
    return re.sub(r"[^a-z0-9]", "", text.lower()), unit[1] if unit else ""


def _header(rows: Rows) -> int | None:
    """Return the row of the headings; None where there is none."""
    best, most = None, 2
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        found = {_NAMES[k] for k, _ in map(_key, row) if k in _NAMES}
        enough = "name" in found and found & {"start", "duration"}
        if enough and len(found) > most:
            best, most = number, len(found)
    return best


class _Sheet:
    """One sheet while it is read."""

    def __init__(
        self, file: str, name: str, rows: Rows, header: int, guess: str
    ) -> None:
        self.name = name
        self.file = file
        self.told = Told(file)
        self.balance = Balance(file)
        self.columns: dict[str, int] = {}
        self.units: dict[str, str] = {}
        for at, cell in enumerate(rows[header]):
            word, unit = _key(cell)
            if word in _NAMES:
                self.columns.setdefault(_NAMES[word], at)
                self.units.setdefault(_NAMES[word], unit)
        self.rows: Rows = []
        self.lines: list[int] = []
        self.ids: list[str] = []
        if guess:
            fix = f"The file is not UTF-8; it is read as {guess}."
            self.told.warn("network", "encoding_guessed", fix)
        self._take(rows, header)
        self.day_first = self._day_first()

    def _take(self, rows: Rows, header: int) -> None:
        seen: set[str] = set()
        for number, row in enumerate(rows[header + 1 :], start=header + 2):
            if not any(str(cell or "").strip() for cell in row):
                continue
            self.balance.read("tasks")
            uid = self._plain(row, "id") or self._plain(row, "unique") or str(number)
            name = self._plain(row, "name")
            if not name and not self._plain(row, "start"):
                self.balance.leave("tasks", "a row without a name", line=number)
                continue
            if uid in seen:
                reason = "another row has this id"
                self.balance.leave("tasks", reason, line=number, name=uid)
                fix = f"Row {number} is left out: {reason}, '{uid}'."
                self.told.warn("tasks", "duplicate_id", fix, line=number, found=uid)
                continue
            seen.add(uid)
            self.rows.append(row)
            self.lines.append(number)
            self.ids.append(uid)
        self.balance.use("tasks", len(self.rows))

    def _cell(self, row: list[Any], column: str) -> Any:
        at = self.columns.get(column)
        return None if at is None or at >= len(row) else row[at]

    def _plain(self, row: list[Any], column: str) -> str:
        cell = self._cell(row, column)
        if isinstance(cell, float) and cell == int(cell):
            return str(int(cell))
        return str(cell).strip() if cell is not None else ""

    def _day_first(self) -> bool:
        cells = [
            self._cell(row, column)
            for row in self.rows
            for column in _TIMES
            if column in self.columns
        ]
        found = is_day_first(cells)
        if found is None and any(re.match(r"\d{1,2}[/.]", str(c or "")) for c in cells):
            fix = "Nothing tells whether 03/04 is 3 April or 4 March; it is read as "
            fix += "4 March. Export dates with the year first, or with the weekday."
            self.told.warn("tasks", "ambiguous_dates", fix)
        return bool(found)

    def network(self) -> Network:
        """Return the network of the sheet."""
        tasks = self._tasks()
        links = self._links(tasks)
        resources, assignments = self._work(tasks)
        start = tasks["start"].min()
        return Network(
            self.name,
            name=self.name,
            source=self.file,
            start=start,
            finish=tasks["finish"].max(),
            hours_per_day=_DAY,
            tasks=tasks,
            links=links,
            resources=resources,
            assignments=assignments,
            balance=self.balance.frame(),
            listed=self.balance.listed(),
            problems=problems_table(self.told.all()),
        )

    def _tasks(self) -> pd.DataFrame:
        times = {column: self._moments(column) for column in _TIMES}
        # A milestone of P6 has one of the two.
        for one, other in (("start", "finish"), ("finish", "start")):
            blank = np.isnat(times[one])
            times[one][blank] = times[other][blank]
        duration, elapsed = self._spans("duration")
        raw = [str(self._cell(row, "name") or "") for row in self.rows]
        parents, above = self._parents(raw)
        types = [self._plain(row, "type").lower() for row in self.rows]
        marked = [self._plain(row, "milestone").lower() in _YES for row in self.rows]
        point = np.array(["milestone" in t for t in types]) | np.array(marked, bool)
        point |= (duration == 0) & (times["start"] == times["finish"])
        kind = np.where(point, "milestone", "task")
        level = ["level of effort" in t for t in types]
        kind = np.where(np.array(level, bool), "level_of_effort", kind)
        kind = np.where([uid in above for uid in self.ids], "summary", kind)
        status = [self._plain(row, "status").lower() for row in self.rows]
        begun = np.array([s in ("in progress", "completed") for s in status], bool)
        done = np.array([s == "completed" for s in status], bool)
        percent = self._numbers("percent")
        percent = np.where(np.isnan(percent) & done, 100.0, percent)
        actual = times["actual_start"]
        actual = np.where(begun & np.isnat(actual), times["start"], actual)
        ended = times["actual_finish"]
        ended = np.where(done & np.isnat(ended), times["finish"], ended)
        active = [self._plain(row, "active").lower() for row in self.rows]
        constraints = [_key(self._cell(row, "constraint"))[0] for row in self.rows]
        floats = {c: self._spans(c)[0] for c in ("total_float_h", "free_float_h")}
        return pd.DataFrame(
            {
                "task": self.ids,
                "wbs": [self._plain(row, "wbs") for row in self.rows],
                "parent": parents,
                "name": [name.strip() for name in raw],
                "kind": kind,
                **times,
                "actual_start": actual,
                "actual_finish": ended,
                "duration_h": duration,
                "duration_unit": np.where(elapsed, "elapsed", "working"),
                "remaining_h": self._spans("remaining")[0],
                "percent_complete": percent,
                "constraint": [_CONSTRAINTS.get(word, "") for word in constraints],
                "cost": self._numbers("cost"),
                "code": self.ids,
                "active": [word in _YES or word == "" for word in active],
                "line": self.lines,
                **floats,
            }
        )

    def _moments(self, column: str) -> np.ndarray:
        late = "finish" in column or column == "deadline"
        found = np.full(len(self.rows), "NaT", dtype="datetime64[s]")
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            moment = read_moment(cell, self.day_first, late=late)
            if moment is None:
                self._bad("bad_date", column, at, cell)
            else:
                found[at] = moment
        return found

    def _bad(self, rule: str, column: str, at: int, cell: Any) -> None:
        text = str(cell)[:40]
        fix = f"'{text}' of '{self.ids[at]}' cannot be read and counts as blank."
        line = self.lines[at]
        self.told.warn("tasks", rule, fix, line=line, column=column, found=text)

    def _spans(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return lengths in hours, and which count hours of the clock."""
        hours = np.full(len(self.rows), np.nan)
        elapsed = np.zeros(len(self.rows), dtype=bool)
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            span = read_span(cell, _DAY, self.units.get(column) or "d")
            negative = column == "duration" and span is not None and span.hours < 0
            if span is None or negative:
                rule = "negative_duration" if negative else "bad_duration"
                self._bad(rule, column, at, cell)
                continue
            hours[at], elapsed[at] = span
        return hours, elapsed

    def _numbers(self, column: str) -> np.ndarray:
        found = np.full(len(self.rows), np.nan)
        for at, row in enumerate(self.rows):
            cell = self._cell(row, column)
            text = re.sub(r"[^\d.,\-]", "", str(cell if cell is not None else ""))
            if text.count(",") == 1 and "." not in text and len(text.split(",")[1]) < 3:
                text = text.replace(",", ".")
            try:
                found[at] = float(text.replace(",", "")) if text else np.nan
            except ValueError:
                self._bad("bad_number", column, at, cell)
        # A share of 1 that a workbook shows as 100 %.
        if column == "percent" and len(found) and np.nanmax([*found, 0]) <= 1:
            typed = any(isinstance(self._cell(r, column), float) for r in self.rows)
            found = found * 100 if typed else found
        return found

    def _parents(self, names: list[str]) -> tuple[list[str], set[str]]:
        """Return the task above each: by outline level, else by indented names."""
        if "level" in self.columns:
            depth = self._numbers("level")
        else:
            indents = [len(name) - len(name.lstrip()) for name in names]
            depth = np.array(indents, dtype=float)
        parents, open_ = [], [("", -1.0)]
        for uid, own in zip(self.ids, depth.tolist(), strict=True):
            while len(open_) > 1 and open_[-1][1] >= own:
                open_.pop()
            parents.append(open_[-1][0])
            open_.append((uid, own))
        return parents, set(parents) - {""}

    def _links(self, tasks: pd.DataFrame) -> pd.DataFrame:
        known = dict(zip(self.ids, tasks["duration_h"], strict=True))
        column = "details" if "details" in self.columns else "predecessors"
        rows = []
        for at, row in enumerate(self.rows):
            uid, line = self.ids[at], self.lines[at]
            for link in read_links(self._cell(row, column), _DAY):
                self.balance.read("links")
                if isinstance(link, str) or link.requires not in known:
                    other = link if isinstance(link, str) else link.requires
                    reason = f"its predecessor '{other}' is not in the sheet"
                    if isinstance(link, str):
                        reason = f"'{link}' cannot be read"
                    self.balance.leave("links", reason, line=line, name=uid)
                    fix = f"A link of '{uid}' is left out: {reason}."
                    rule = "bad_link" if isinstance(link, str) else "unknown_task"
                    self.told.warn("links", rule, fix, line=line, found=other)
                    continue
                rows.append(_link_row(uid, link, known, line))
        self.balance.use("links", len(rows))
        return pd.DataFrame(rows)

    def _work(self, tasks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return resources and assignments of the column of names."""
        work = self._spans_in_hours("work")
        length = tasks["duration_h"].to_numpy()
        people: dict[str, None] = {}
        rows = []
        for at, row in enumerate(self.rows):
            named = list(read_names(self._cell(row, "resources")))
            total = sum(units for _, units in named) or 1.0
            self.balance.read("assignments", len(named))
            for name, units in named:
                people.setdefault(name)
                hours = length[at] * units
                if work[at] == work[at]:
                    hours = work[at] * units / total
                rows.append(
                    {
                        "task": self.ids[at],
                        "resource": name,
                        "units": units,
                        "work_h": round(float(np.nan_to_num(hours)), 6),
                        "start": tasks["start"].iloc[at],
                        "finish": tasks["finish"].iloc[at],
                        "line": self.lines[at],
                    }
                )
        self.balance.use("assignments", len(rows))
        self.balance.read("resources", len(people))
        self.balance.use("resources", len(people))
        assignments = pd.DataFrame(rows)
        if rows:
            done = tasks.set_index("task")["percent_complete"].fillna(0) / 100
            share = done.reindex(assignments["task"]).to_numpy()
            assignments["actual_h"] = assignments["work_h"] * share
            assignments["remaining_h"] = assignments["work_h"] * (1 - share)
            hours = sum(Fraction(repr(h)) for h in assignments["work_h"].tolist())
            self.balance.read("hours", hours)
            self.balance.use("hours", hours)
        resources = pd.DataFrame(
            {"resource": list(people), "name": list(people), "kind": "work"}
        )
        return resources, assignments

    def _spans_in_hours(self, column: str) -> np.ndarray:
        self.units.setdefault(column, "")
        self.units[column] = self.units[column] or "h"
        return self._spans(column)[0]


def _link_row(
    uid: str, link: Link, known: dict[str, float], line: int
) -> dict[str, Any]:
    hours = link.hours
    if link.percent == link.percent:
        length = known[link.requires]
        hours = link.percent / 100 * (length if length == length else 0.0)
    return {
        "task": uid,
        "requires": link.requires,
        "kind": link.kind,
        "lag_h": hours,
        "lag_unit": link.unit,
        "lag_percent": link.percent,
        "line": line,
    }
