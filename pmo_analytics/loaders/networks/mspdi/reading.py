"""Microsoft Project XML (MSPDI) becomes a network.

Money in the file is in hundredths, LinkLag and slack in tenths of a minute, durations
in ISO 8601. What the file says twice is read once: sums on summary tasks and resources
are those of Microsoft Project and not added up again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.networks.cells import Told, read_number, read_time
from pmo_analytics.loaders.networks.mspdi.calendars import read_calendars
from pmo_analytics.loaders.networks.mspdi.file import MspdiFile
from pmo_analytics.loaders.networks.mspdi.links import read_links
from pmo_analytics.loaders.networks.mspdi.nested import (
    Nested,
    read_baselines,
    read_codes,
    read_timephased,
)
from pmo_analytics.loaders.networks.mspdi.people import (
    read_assignments,
    read_rates,
    read_resources,
    read_units,
)
from pmo_analytics.loaders.networks.mspdi.tasks import read_tasks
from pmo_analytics.loaders.networks.plain_xml import as_text, plain_xml
from pmo_analytics.networks import Network, split_hours

# Names that a tool gives and nobody chose; the file's name says more.
_NAMELESS = re.compile(r"(project ?\d*|noname|untitled|)", re.IGNORECASE)


def read_mspdi(path: Path) -> list[Network]:
    """Return the network of a file, in a list.

    Raises
    ------
    Unreadable
        If it is too large, no whole XML, or no project of Microsoft Project.
    """
    file = MspdiFile(path.name, plain_xml(path))
    # Every part in the order in which others need it.
    calendars, shifts = _calendars(file)
    known = set(calendars["calendar"])
    tasks, of_tasks = read_tasks(file, known)
    links = _links(file, tasks, of_tasks)
    resources, of_resources = read_resources(file, known)
    assignments, of_assignments = read_assignments(file, tasks, resources)
    labels = file.labels()
    baselines = read_baselines(of_tasks, file.told)
    timephased = read_timephased(of_assignments, assignments, file.told)
    _add_baselines(tasks, assignments, baselines, of_assignments, file.told)
    codes = [
        read_codes(nested, of, labels, file.told)
        for of, nested in (
            ("task", of_tasks),
            ("resource", of_resources),
            ("assignment", of_assignments),
        )
    ]
    network = Network(
        **_of_project(file),
        tasks=tasks,
        links=links,
        assignments=assignments,
        resources=resources,
        calendars=calendars,
        shifts=shifts,
        baselines=baselines,
        codes=pd.concat(codes, ignore_index=True),
        timephased=timephased,
        rates=read_rates(of_resources, file.told),
        units=read_units(of_resources, file.told),
        balance=file.balance.frame(),
        listed=file.balance.listed(),
        problems=problems_table(file.told.all()),
    )
    split = network.tasks.assign(split_h=split_hours(network))
    return [network.replace(tasks=split)]


def _of_project(file: MspdiFile) -> dict[str, Any]:
    """Return what the file says of the project itself."""
    said = {k.decode(): text for k, v in file.project.items() if (text := as_text(v))}
    minutes = file.say("MinutesPerDay", read_number)
    stem = re.sub(r"\.(xml|mpp)$", "", said.get("Name", ""), flags=re.IGNORECASE)
    project = stem
    if _NAMELESS.fullmatch(stem):
        project = file.name.rpartition(".")[0] or file.name
    return {
        "project": project,
        "name": said.get("Title", project),
        "data_date": file.say("StatusDate", read_time),
        "currency": said.get("CurrencyCode", said.get("CurrencySymbol", "")),
        "source": file.name,
        "start": file.say("StartDate", read_time),
        "finish": file.say("FinishDate", read_time),
        "hours_per_day": minutes / 60 if minutes and minutes > 0 else 8.0,
        "status_mode": "retained_logic",
        "fields": said,
    }


def _calendars(file: MspdiFile) -> tuple[pd.DataFrame, pd.DataFrame]:
    begin, end = file.parts["Calendars"]
    rows, shifts, count = read_calendars(file.data, begin, end, file.told)
    file.balance.read("calendars", count)
    for row in rows:
        if "left" in row:
            reason = "it has no id of its own"
            line, name = row["line"], row["id"]
            file.balance.leave("calendars", reason, line=line, name=name)
    names = ["calendar", "name", "parent", "base", "line"]
    calendars = pd.DataFrame(
        [[row[name] for name in names] for row in rows if "left" not in row],
        columns=names,
    )
    own = as_text(file.project.get(b"CalendarUID"))
    calendars["base"] = calendars["base"].astype(bool)
    calendars["default"] = calendars["calendar"] == own
    if len(calendars) and not calendars["default"].any():
        base = np.flatnonzero(calendars["base"])
        calendars["default"] = calendars.index == (base[0] if len(base) else 0)
    file.balance.use("calendars", len(calendars))
    return calendars, pd.DataFrame(shifts)


def _links(file: MspdiFile, tasks: pd.DataFrame, nested: Nested) -> pd.DataFrame:
    links, left_out = read_links(nested, tasks, file.told)
    file.balance.read("links", nested.count("PredecessorLink"))
    file.balance.use("links", len(links))
    for line, uid, reason in left_out:
        file.balance.leave("links", reason, line=line, name=uid)
    if gone := nested.dropped("PredecessorLink"):
        file.balance.read("links", gone)
        file.balance.leave("links", "its task is left out", amount=gone)
    return links


def _add_baselines(
    tasks: pd.DataFrame,
    assignments: pd.DataFrame,
    baselines: pd.DataFrame,
    of_assignments: Nested,
    told: Told,
) -> None:
    """Put baseline 0 beside tasks and assignments."""
    first = baselines[baselines["baseline"] == "0"].drop_duplicates("task")
    first = first.set_index("task")
    for name in ("start", "finish"):
        tasks[f"baseline_{name}"] = first[name].reindex(tasks["task"]).to_numpy()
    own = read_baselines(of_assignments, told)
    own = own[own["baseline"] == "0"].drop_duplicates("task").set_index("task")
    for name in ("work_h", "cost"):
        values = own[name].reindex(assignments["assignment"]).to_numpy()
        assignments[f"baseline_{name}"] = values
