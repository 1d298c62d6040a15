"""Spreadsheet exports of P6 and Microsoft Project become networks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.networks.beside import Row, headings_of
from pmo_analytics.loaders.networks.languages import ENGLISH, TONGUES
from pmo_analytics.loaders.networks.sheet_cells import DAY, TIMES, SheetCells, as_word
from pmo_analytics.loaders.networks.sheet_people import Assigned, people_frames
from pmo_analytics.loaders.networks.tabular import Rows, holds_words, tables_of
from pmo_analytics.loaders.networks.tongues import folded
from pmo_analytics.loaders.networks.written import (
    Link,
    read_links,
    read_moment,
    read_names,
    read_share,
)
from pmo_analytics.networks import Network

_CONSTRAINTS = {
    "startonorafter": "start_no_earlier",
    "startonorbefore": "start_no_later",
    "finishonorafter": "finish_no_earlier",
    "finishonorbefore": "finish_no_later",
    "starton": "start_on",
    "finishon": "finish_on",
    "mandatorystart": "must_start_on",
    "mandatoryfinish": "must_finish_on",
}
_FREE = {"", "none", "assoonaspossible"}
_WHOLE_LINKS = {
    "finishtostart": "FS",
    "starttostart": "SS",
    "finishtofinish": "FF",
    "starttofinish": "SF",
}
_YES = {"yes", "y", "1", "true", "ja", "oui", "si", "sim", "tak", "да", "是"}
_DONE = {
    *("completed", "complete", "abgeschlossen", "termine", "terminee", "completada"),
    *("completado", "concluida", "concluido", "completata", "завершено", "завершена"),
}
_BEGUN = {
    *("inprogress", "inbearbeitung", "encours", "encurso", "emandamento", "incorso"),
    *("впроцессе", "выполняется"),
}


def is_sheet(path: Path, head: bytes) -> bool:
    """Return whether a file is an export of tasks with their links."""
    p6 = (("Activity ID",), ("Activity Name",))
    stored = (("task_code",), ("task_name",))
    marks = (tuple(tongue.marks.values()) for tongue in TONGUES)
    return holds_words(path, head, p6, stored, *marks)


def read_sheets(path: Path) -> list[Network]:
    """Return the networks of an export, one for each sheet that holds tasks.

    Links and assignments on sheets of their own belong to the one sheet of tasks.

    Raises
    ------
    Unreadable
        If the file is damaged, or no sheet has columns of tasks and tasks under them.
    """
    tables, guess = tables_of(path)
    found: list[_Sheet] = []
    without: list[_Sheet] = []
    others: dict[str, Rows] = {}
    for sheet, rows in tables.items():
        header = headings_of(rows)
        if header is not None:
            name = path.stem if len(tables) == 1 else f"{path.stem} {sheet}"
            own = _Sheet(path.name, name, rows, *header)
            (found if own.ids else without).append(own)
        elif rows:
            others[sheet] = rows
    if found and guess:
        fix = f"The file is not UTF-8; it is read as {guess}."
        found[0].told.warn("network", "encoding_guessed", fix)
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
            "its start or duration, and its predecessors. Headings are read in "
            f"{', '.join(tongue.name for tongue in TONGUES)}.",
        )
    for own in without:
        fix = "A sheet is left out: no row of it has a name or a start."
        found[0].told.warn("tasks", "no_tasks", fix, found=own.name)
    if len(found) == 1:
        found[0].name = path.stem
        unread = found[0].beside.take(others)
    else:
        unread = list(others)
    for sheet in unread:
        fix = "This sheet is not read: its headings are not those of tasks, links, "
        fix += "resources or assignments, or there are several sheets of tasks."
        found[0].told.warn("network", "unread_sheet", fix, found=sheet)
    return [own.network() for own in found]


class _Sheet(SheetCells):
    """One sheet while it is read."""

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
            hours_per_day=DAY,
            tasks=tasks,
            links=links,
            resources=resources,
            assignments=assignments,
            balance=self.balance.frame(),
            listed=self.balance.listed(),
            problems=problems_table(self.told.all()),
        )

    def _tasks(self) -> pd.DataFrame:
        times = {column: self._moments(column) for column in TIMES}
        # A milestone of P6 has one of the two.
        for one, other in (("start", "finish"), ("finish", "start")):
            blank = np.isnat(times[one])
            times[one][blank] = times[other][blank]
        duration, elapsed = self._spans("duration")
        raw = [str(self._cell(row, "name") or "") for row in self.rows]
        parents, above = self._parents(raw)
        types = [self._plain(row, "type").lower() for row in self.rows]
        marked = [folded(self._cell(row, "milestone")) in _YES for row in self.rows]
        point = np.array(["milestone" in t for t in types]) | np.array(marked, bool)
        days = [times[end].astype("datetime64[D]") for end in ("start", "finish")]
        point |= (duration == 0) & (days[0] == days[1])
        # Days without a time: a milestone is at the end of its day.
        times["start"] = np.where(point, times["finish"], times["start"])
        kind = np.where(point, "milestone", "task")
        level = ["level of effort" in t for t in types]
        kind = np.where(np.array(level, bool), "level_of_effort", kind)
        kind = np.where([uid in above for uid in self.ids], "summary", kind)
        status = [folded(self._cell(row, "status")) for row in self.rows]
        done = np.array([s in _DONE for s in status], bool)
        begun = done | np.array([s in _BEGUN for s in status], bool)
        percent = self._numbers("percent")
        percent = np.where(np.isnan(percent) & done, 100.0, percent)
        actual = times["actual_start"]
        actual = np.where(begun & np.isnat(actual), times["start"], actual)
        ended = times["actual_finish"]
        ended = np.where(done & np.isnat(ended), times["finish"], ended)
        active = [folded(self._cell(row, "active")) for row in self.rows]
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
                "constraint": self._constraints(),
                "cost": self._numbers("cost"),
                "code": self.ids,
                "active": [word in _YES or word == "" for word in active],
                "line": self.lines,
                **floats,
            }
        )

    def _constraints(self) -> list[str]:
        known = {**_CONSTRAINTS, **ENGLISH.constraints, **self.tongue.constraints}
        found = []
        for at, row in enumerate(self.rows):
            cell = self._cell(row, "constraint")
            word = folded(cell)
            if word not in known and word not in _FREE:
                self._bad("unknown_constraint", "constraint", at, cell)
            found.append(known.get(word, ""))
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
        rows = []
        for uid, line, link in self._written_links():
            self.balance.read("links")
            if isinstance(link, Link) and link.requires in known and uid in known:
                rows.append(_link_row(uid, link, known, line))
                continue
            rule, other, reason = self._why(uid, link, known)
            self.balance.leave("links", reason, line=line, name=uid)
            fix = f"A link of '{uid}' is left out: {reason}."
            self.told.warn("links", rule, fix, line=line, found=other)
        self.balance.use("links", len(rows))
        return pd.DataFrame(rows)

    def _why(
        self, uid: str, link: Link | str, known: Mapping[str, float]
    ) -> tuple[str, str, str]:
        """Return rule, culprit and reason of a link that is left out."""
        if isinstance(link, Link):
            end, other = "predecessor", link.requires
            letters = re.fullmatch(r"(.+?)[^\W\d_]{2}", other)
            if other in known:
                end, other = "successor", uid
            if letters is None or letters[1] not in known:
                return "unknown_task", other, f"its {end} '{other}' is not in the sheet"
            link = other
        return "bad_link", link, f"'{link}' is no link in {self.tongue.name}"

    def _written_links(self) -> Iterator[tuple[str, int, Link | str]]:
        """Yield task, line and link (or the text of what is none) of the file."""
        if not ({"details", "predecessors"} & {*self.columns} or self.beside.links):
            fix = "No column says which task comes before which, so there are no links "
            fix += "and the critical path is every task on its own. Export the column "
            fix += "of predecessors too."
            self.told.warn("links", "no_links", fix)
        if "links" in self.beside.found:
            for row in self.beside.links:
                yield as_word(row.cells.get("task")), row.line, self._stored_link(row)
            return
        column = "details" if "details" in self.columns else "predecessors"
        for at, cells in enumerate(self.rows):
            cell = self._cell(cells, column)
            for link in read_links(cell, DAY, self.tongue, comma=self.comma):
                yield self.ids[at], self.lines[at], link

    def _stored_link(self, row: Row) -> Link | str:
        """Return the link of a row of a sheet of links."""
        other = as_word(row.cells.get("requires"))
        word = as_word(row.cells.get("kind")).upper().removeprefix("PR_") or "FS"
        kind = self.tongue.links.get(word) or _WHOLE_LINKS.get(folded(word))
        unit = self._unit("lag", row.units.get("lag", "d"))
        span = self._span(row.cells.get("lag"), unit or "d")
        if kind is None or span is None or not other:
            return " ".join(
                as_word(row.cells.get(c)) for c in ("requires", "kind", "lag")
            )
        hours = 0.0 if span.hours != span.hours else span.hours
        return Link(other, kind, hours, "working", float("nan"))

    def _work(self, tasks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return resources and assignments: of their own sheet, else of the names."""
        beside = "assignments" in self.beside.found
        assigned = self._assigned(tasks) if beside else self._named(tasks)
        resources = {
            as_word(row.cells.get("resource")): {
                "name": as_word(row.cells.get("name")),
                "kind": folded(row.cells.get("kind")),
            }
            for row in self.beside.resources
        }
        # Microsoft Project assigns by name.
        if beside and not any("resource" in r.cells for r in self.beside.assignments):
            resources = {of["name"]: of for of in resources.values()}
        found = (assigned, resources, tasks, self.balance, self.told)
        return people_frames(*found)

    def _named(self, tasks: pd.DataFrame) -> Iterator[Assigned]:
        """Yield the assignments of the column of names."""
        work = self._spans("work")[0]
        length = tasks["duration_h"].to_numpy()
        for at, row in enumerate(self.rows):
            named = list(read_names(self._cell(row, "resources")))
            total = sum(units for _, units in named) or 1.0
            for name, units in named:
                hours = length[at] * units
                if work[at] == work[at]:
                    hours = work[at] * units / total
                hours = round(float(np.nan_to_num(hours)), 6)
                uid, line = self.ids[at], self.lines[at]
                yield Assigned(uid, uid, line, name, units=units, amount=hours)

    def _assigned(self, tasks: pd.DataFrame) -> Iterator[Assigned]:
        """Yield the assignments of a sheet of their own."""
        length = dict(zip(self.ids, tasks["duration_h"], strict=True))
        named = tasks.drop_duplicates("name", keep=False).set_index("name")["task"]
        for row in self.beside.assignments:
            cells = row.cells
            uid = as_word(cells.get("task"))
            found = uid or as_word(cells.get("task_name"))
            uid = uid if uid in length else str(named.get(found, ""))
            amounts = {c: self._amount(row, c) for c in ("work", "actual", "remaining")}
            amount = amounts["work"]
            if amount != amount and "work" not in cells and uid:
                amount = float(np.nan_to_num(length[uid]))
            resource = as_word(cells.get("resource")) or as_word(
                cells.get("resource_name")
            )
            units = read_share(cells.get("units"))
            cost = self._number(cells.get("cost"))
            yield Assigned(
                uid,
                found,
                row.line,
                resource,
                folded(cells.get("kind")),
                as_word(cells.get("role")),
                units,
                round(amount, 6),
                amounts["actual"],
                amounts["remaining"],
                self._moment_of(row, "start"),
                self._moment_of(row, "finish"),
                np.nan if cost is None else cost,
            )

    def _amount(self, row: Row, column: str) -> float:
        cell = row.cells.get(column)
        unit = self._unit(column, row.units.get(column, "h")) or "h"
        span = self._span(cell, unit)
        if span is None:
            self._bad_beside("bad_duration", column, row)
        return np.nan if span is None else span.hours

    def _moment_of(self, row: Row, column: str) -> Any:
        cell = row.cells.get(column)
        late = column == "finish"
        found = read_moment(cell, self.day_first, late=late, tongue=self.tongue)
        if found is None:
            self._bad_beside("bad_date", column, row)
        return None if found is None or np.isnat(found) else found

    def _bad_beside(self, rule: str, column: str, row: Row) -> None:
        text = str(row.cells.get(column))[:40]
        fix = f"'{text}' of an assignment cannot be read and counts as blank."
        line = row.line
        self.told.warn("assignments", rule, fix, line=line, column=column, found=text)


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
