"""Networks from the XML of Primavera P6 (PMXML), several projects and baselines too.

Its elements become the tables of an XER, so that both are read by the same rules.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np

from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.networks.plain_xml import (
    as_text,
    elements,
    leaves,
    plain_xml,
)
from pmo_analytics.loaders.networks.primavera.calendar_data import CalendarData, Shift
from pmo_analytics.loaders.networks.primavera.pmxml_words import (
    GLOBAL,
    OF_PROJECTS,
    OPTIONS,
    PROJECT,
    Element,
)
from pmo_analytics.loaders.networks.primavera.projects import networks_of
from pmo_analytics.loaders.networks.primavera.tables import P6File, P6Table
from pmo_analytics.networks import Network

_VERSION = re.compile(rb"Primavera/P6(?:Professional)?/V([\d.]+)/")
_DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_HEAD_BYTES = 4096
_VALUES = b"Text Double Integer Cost StartDate FinishDate Indicator CodeValue".split()


def read_pmxml(path: Path, source: str = "") -> list[Network]:
    """Return the projects of a PMXML, those of which it holds only a part included.

    Raises
    ------
    Unreadable
        If the file is no PMXML, damaged or too large.
    """
    with path.open("rb") as opened:
        version = _VERSION.search(opened.read(_HEAD_BYTES))
    reader = _Reader(plain_xml(path), source or path.name)
    file = reader.read()
    file.version = version[1].decode() if version else ""
    return networks_of(file)


class _Reader:
    def __init__(self, data: bytes, source: str) -> None:
        self.data = data
        self.file = P6File(source, {}, [])
        self._breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10)

    def read(self) -> P6File:
        projects = 0
        # P6 lists the projects of a file in elements of the same name.
        listed = range(
            self.data.find(b"<ProjectList>"), self.data.find(b"</ProjectList>")
        )
        for tag in ("Project", "BaselineProject"):
            for at, content in elements(self.data, tag):
                if at in listed:
                    continue
                projects += 1
                self._project(at + len(tag) + 2, content, str(projects))
        if not projects:
            raise Unreadable(
                "no_projects",
                "The file holds no <Project>, so there is no schedule in it. Export "
                "the project from P6 as XML again.",
            )
        for tag, element in GLOBAL.items():
            self._rows(tag, element, 0, len(self.data))
        self._own_rates()
        self._calendars()
        self.file.currency = self._currency()
        return self.file

    def _line(self, position: int) -> int:
        return int(np.searchsorted(self._breaks, position)) + 1

    def _add(self, table: str, row: dict[str, str], position: int) -> None:
        found = self.file.tables.setdefault(table, P6Table(list(row)))
        for name in row:
            if name not in found.fields:
                found.fields.append(name)
                for old in found.rows:
                    old.append("")
        found.rows.append([row.get(name, "") for name in found.fields])
        found.lines.append(self._line(position))

    def _project(self, begin: int, content: bytes, number: str) -> None:
        end = begin + len(content)
        firsts = [content.find(f"<{tag}>".encode()) for tag in OF_PROJECTS]
        head = content[: min([at for at in firsts if at >= 0], default=len(content))]
        row = _cells(PROJECT, head)
        row["proj_id"] = project = row["proj_id"] or f"project {number}"
        row["proj_short_name"] = row["proj_short_name"] or project
        self._add("PROJECT", row, begin)
        self._options(project, begin, content)
        for tag, element in OF_PROJECTS.items():
            self._rows(tag, element, begin, end, project)
        for code in self._codes(head):
            kind, value = code
            self._add(
                "PROJPCAT",
                {"proj_id": project, "proj_catg_type_id": kind, "proj_catg_id": value},
                begin,
            )
        self._user_fields(head, project, begin)

    def _options(self, project: str, begin: int, content: bytes) -> None:
        for at, found in elements(content, "ScheduleOptions"):
            row = _cells(OPTIONS, found)
            mode = row.pop("sequence")
            row["sched_retained_logic"] = "N" if mode == "Actual Dates" else "Y"
            override = "Y" if mode == "Progress Override" else "N"
            row["sched_progress_override"] = override
            self._add("SCHEDOPTIONS", {"proj_id": project, **row}, begin + at)

    def _rows(
        self, tag: str, element: Element, begin: int, end: int, project: str = ""
    ) -> None:
        for at, content in elements(self.data, tag, begin, end):
            row = _cells(element, content)
            if project:
                row["proj_id"] = project
            if tag == "Activity":
                self._activity(row, content, at)
            self._add(element.table, row, at)

    def _activity(self, row: dict[str, str], content: bytes, at: int) -> None:
        share = row.pop("phys_share").replace(",", ".")
        row["phys_complete_pct"] = _percent(share)
        for kind, value in self._codes(content):
            self._add(
                "TASKACTV",
                {
                    "task_id": row["task_id"],
                    "actv_code_type_id": kind,
                    "actv_code_id": value,
                },
                at,
            )
        self._user_fields(content, row["task_id"], at)

    def _codes(self, content: bytes) -> list[tuple[str, str]]:
        """Return type and value of the codes that an element holds."""
        if b"<ValueObjectId>" not in content:
            return []
        return [
            (as_text(found.get(b"TypeObjectId")), as_text(found.get(b"ValueObjectId")))
            for _, code in elements(content, "Code")
            if b"ValueObjectId" in (found := leaves(code))
        ]

    def _user_fields(self, content: bytes, owner: str, at: int) -> None:
        for _, field in elements(content, "UDF"):
            found = leaves(field)
            value = next((as_text(found[k]) for k in _VALUES if found.get(k)), "")
            row = {
                "udf_type_id": as_text(found.get(b"TypeObjectId")),
                "fk_id": owner,
                "udf_text": value,
            }
            self._add("UDFVALUE", row, at)

    def _own_rates(self) -> None:
        """Take rates and units from resources where they stand there (version 8)."""
        if "RSRCRATE" in self.file.tables:
            return
        for at, content in elements(self.data, "Resource"):
            cells = leaves(content)
            units = as_text(cells.get(b"MaxUnitsPerTime"))
            price = as_text(cells.get(b"PricePerUnit"))
            if units or price:
                row = {
                    "rsrc_id": as_text(cells.get(b"ObjectId")),
                    "cost_per_qty": price,
                    "max_qty_per_hr": units,
                }
                self._add("RSRCRATE", row, at)

    def _calendars(self) -> None:
        for at, content in elements(self.data, "Calendar"):
            cells = leaves(content)
            uid = as_text(cells.get(b"ObjectId"))
            row = {
                "clndr_id": uid,
                "clndr_name": as_text(cells.get(b"Name")),
                "base_clndr_id": as_text(cells.get(b"BaseCalendarObjectId")),
                "day_hr_cnt": as_text(cells.get(b"HoursPerDay")),
            }
            self._add("CALENDAR", row, at)
            self.file.calendars[uid] = _working_time(content)

    def _currency(self) -> str:
        for _, content in elements(self.data, "Currency"):
            cells = leaves(content)
            if as_text(cells.get(b"ExchangeRate")) in ("1", "1.0"):
                return as_text(cells.get(b"Id"))
        return ""


def _cells(element: Element, content: bytes) -> dict[str, str]:
    cells = leaves(content)
    row = {}
    for name, tags in element.fields.items():
        texts = (as_text(cells.get(tag.encode())) for tag in tags.split())
        text = next((text for text in texts if text), "")
        row[name] = element.words.get(name, {}).get(text, text)
    return row


def _percent(share: str) -> str:
    """Return a share (0 to 1) as a percentage."""
    try:
        return repr(float(share) * 100)
    except ValueError:
        return ""


def _working_time(content: bytes) -> CalendarData:
    """Return the working time of a calendar; a shift ends with its last minute."""
    week: dict[int, list[Shift]] = {}
    exceptions: dict[date, list[Shift]] = {}
    sound = True
    for _, day in elements(content, "StandardWorkHours"):
        name = as_text(leaves(day).get(b"DayOfWeek"))
        if name not in _DAYS:
            sound = False
            continue
        shifts, whole = _shifts(day)
        week.setdefault(_DAYS.index(name) + 1, []).extend(shifts)
        sound &= whole
    for _, day in elements(content, "HolidayOrException"):
        text = as_text(leaves(day).get(b"Date"))[:10]
        try:
            when = date.fromisoformat(text)
        except ValueError:
            sound = False
            continue
        shifts, whole = _shifts(day)
        exceptions.setdefault(when, []).extend(shifts)
        sound &= whole
    return CalendarData(week, exceptions, sound)


def _shifts(content: bytes) -> tuple[list[Shift], bool]:
    found: list[Shift] = []
    sound = True
    for _, time in elements(content, "WorkTime"):
        cells = leaves(time)
        if not cells:
            continue  # a day without work
        start = _CLOCK.match(as_text(cells.get(b"Start")))
        finish = _CLOCK.match(as_text(cells.get(b"Finish")))
        if start is None or finish is None:
            sound = False
            continue
        first = int(start[1]) * 60 + int(start[2])
        last = int(finish[1]) * 60 + int(finish[2])
        # 11:59 is the last minute that is worked; newer files say 12:00.
        last += last % 60 == 59
        if last <= first:
            last += 24 * 60
        if first < 24 * 60 and last <= 48 * 60:
            found.append((first, last))
        else:
            sound = False
    return found, sound
