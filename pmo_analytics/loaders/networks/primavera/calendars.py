"""Calendars of P6 as frames: which there are, and when they work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.primavera.tables import P6File

_NO_WORK: list[tuple[Any, Any]] = [(None, None)]


def calendars_of(file: P6File) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `calendars` and `shifts` of a file; say which cannot be read."""
    rows = file.rows("CALENDAR")
    uids = rows.text("clndr_id")
    frame = pd.DataFrame(
        {
            "calendar": uids,
            "name": rows.text("clndr_name"),
            "parent": rows.text("base_clndr_id"),
            "hours_per_day": rows.number("day_hr_cnt"),
            "line": np.array(rows.lines, dtype=float),
        }
    ).drop_duplicates("calendar")
    cells = [file.calendars.get(uid) for uid in frame["calendar"]]
    frame["delete_signs"] = [d is not None and d.delete_signs for d in cells]
    broken: list[tuple[int, str]] = []
    shifts: list[tuple[Any, ...]] = []
    for line, uid, name in zip(rows.lines, uids, rows.text("clndr_name"), strict=True):
        data = file.calendars.get(uid)
        if data is None:
            continue
        if not data.sound:
            broken.append((line, name or uid))
        for weekday in range(1, 8) if data.week else ():
            for shift in data.week.get(weekday) or _NO_WORK:
                shifts.append((uid, weekday, None, None, *shift))
        for day, times in data.exceptions.items():
            for shift in times or _NO_WORK:
                shifts.append((uid, None, day, day, *shift))
    file.said(
        "broken_calendar",
        "CALENDAR.clndr_data",
        broken,
        "The working time of these calendars cannot be read to its end. What could be "
        "read counts, else Monday to Friday, 8 to 12 and 13 to 17.",
    )
    _missing_calendars(file, set(uids))
    columns = ["calendar", "weekday", "first", "last", "start_minute", "end_minute"]
    table = pd.DataFrame(shifts, columns=columns)
    for name in ("first", "last"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
    for name in ("weekday", "start_minute", "end_minute"):
        table[name] = table[name].astype(float)
    return frame, table


def _missing_calendars(file: P6File, known: set[str]) -> None:
    instead = "That of the project counts."
    if not known:
        instead = "No calendar is: Monday to Friday, 8 to 12 and 13 to 17 counts."
    for table, key in (("TASK", "task_code"), ("RSRC", "rsrc_short_name")):
        rows = file.rows(table)
        file.said(
            "missing_calendar",
            f"{table}.clndr_id",
            [
                (line, name)
                for line, uid, name in zip(
                    rows.lines, rows.text("clndr_id"), rows.text(key), strict=True
                )
                if uid and uid not in known
            ],
            f"The calendars of these are not in the file. {instead}",
        )
