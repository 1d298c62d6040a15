"""From spans of days to periods, and from a column a period to spans of days.

- `demand` by `start` and `end`: FTE hold on the working days of the span, hours and
  person-days are spread evenly over them;
- `people`, `bookings` and `operations` with one column a period: equal neighbours
  become one row from the first to the last day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, parse_day, parse_period
from pmo_analytics.errors import listing
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.loaders.understanding.wide_layouts import SPANS
from pmo_analytics.tables import clean_text

_VALUES = ("fte", "hours", "person_days", "person_weeks", "person_months")


def to_spans(tidy: Tidy, freq: str) -> None:
    """Turn a `period` of people, bookings or operations into start and end, in place.

    Only what a wide table was spread into has such a column.
    """
    if tidy.place.table not in SPANS or tidy.was_wide != "period":
        return
    periods = [parse_period(text, freq) for text in tidy.columns.pop("period")]
    value = next(n for n in _VALUES if n in tidy.columns)
    runs: list[list[int]] = []
    order = sorted(range(len(periods)), key=lambda i: (tidy.rows[i], periods[i]))
    for i in order:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and tidy.rows[last] == tidy.rows[i]
            and periods[last] + 1 == periods[i]
            and tidy.columns[value][last] == tidy.columns[value][i]
        ):
            runs[-1].append(i)
        else:
            runs.append([i])
    first = [run[0] for run in runs]
    tidy.columns = {n: [cells[i] for i in first] for n, cells in tidy.columns.items()}
    tidy.columns["start"] = [_day(periods[run[0]].start_time) for run in runs]
    tidy.columns["end"] = [_day(periods[run[-1]].end_time) for run in runs]
    tidy.rows = [tidy.rows[i] for i in first]


def _day(moment: pd.Timestamp) -> str:
    return moment.strftime("%Y-%m-%d")


def spread_spans(tidy: Tidy, freq: str) -> None:
    """Turn demand from `start` to `end` into demand by period, in place."""
    columns = tidy.columns
    if tidy.place.table != "demand" or not {"start", "end"} <= columns.keys():
        return
    if any(
        any(c is not None for c in columns.get(n, [])) for n in ("offset", "period")
    ):
        return  # the dates are a remark
    value = next((n for n in _VALUES if n in columns), None)
    if value is None:
        return
    units = columns.get("unit", [None] * len(tidy.rows))
    records: list[dict[str, Any]] = []
    rows: list[int] = []
    seen: dict[tuple[Any, ...], int] = {}
    added = 0
    for i, row in enumerate(tidy.rows):
        record = {n: cells[i] for n, cells in columns.items()}
        start, end = record.pop("start"), record.pop("end")
        days = _span(tidy, row, start, end)
        if days is None:
            records.append({**record, "period": None, value: None})
            rows.append(row)
            continue
        rate = value == "fte" and fold(str(units[i] or "fte")) in ("fte", "ftes")
        amount = record[value]
        for period, share in _shares(*days, freq, rate=rate):
            part = amount * share if amount.__class__ is float else amount
            key = (record.get("project"), record.get("role"), period, units[i])
            same = seen.get(key)
            before = None if same is None else records[same][value]
            if same is not None and before.__class__ is part.__class__ is float:
                records[same][value] = before + part
                added += rows[same] != row
                continue
            seen[key] = len(records)
            records.append({**record, "period": period, value: part})
            rows.append(row)
    names = dict.fromkeys(
        [*(n for n in columns if n not in ("start", "end")), "period"]
    )
    tidy.columns = {n: [r.get(n) for r in records] for n in names}
    tidy.rows = rows
    held = (
        "FTE hold on the working days of the span, so a period it only touches has less"
        if value == "fte"
        else "they are spread evenly over the working days of the span"
    )
    summed = f" Rows of one role that overlap were added up ({added} times)."
    tidy.problems.append(
        tidy.place.warning(
            "spread_over_periods",
            column="start, end",
            found=f"{len(set(rows))} rows",
            fix=f"The demand is given from start to end: {held}."
            f"{summed if added else ''}",
        )
    )


def _span(tidy: Tidy, row: int, start: Any, end: Any) -> tuple[Any, Any] | None:
    """Return first and last day, None after reporting what is wrong with them."""
    days = []
    for column, cell in (("start", start), ("end", end)):
        if cell is None:
            say, found = "missing_value", ""
            fix = f"Fill in '{column}', or give the demand by period or offset."
        else:
            try:
                days.append(parse_day(cell, end=column == "end"))
            except ValueError as error:
                say, found, fix = f"not_a_{column}_day", str(cell), f"{error}."
            else:
                continue
        tidy.problems.append(
            tidy.place.error(say, row=row, column=column, found=found, fix=fix)
        )
    if len(days) < 2:
        return None
    first, last = (pd.Timestamp(day).normalize() for day in days)
    if last < first:
        tidy.problems.append(
            tidy.place.error(
                "end_before_start",
                row=row,
                column="end",
                found=str(end),
                fix="The demand ends before it starts. Correct one of them.",
            )
        )
        return None
    return first, last


def _shares(
    first: pd.Timestamp, last: pd.Timestamp, freq: str, *, rate: bool
) -> list[tuple[str, float]]:
    """Return (period, share): of a period's working days, or of the span's."""
    periods = pd.period_range(
        parse_period(_day(first), freq), parse_period(_day(last), freq), freq=freq
    )
    count = _working if _working(first, last) else _calendar
    out = []
    for period in periods:
        begin, stop = period.start_time.normalize(), period.end_time.normalize()
        inside = count(max(first, begin), min(last, stop))
        whole = count(begin, stop) if rate else count(first, last)
        if inside:
            out.append((format_period(period), inside / whole))
    return out


def _working(first: pd.Timestamp, last: pd.Timestamp) -> int:
    one = np.timedelta64(1, "D")
    days = [np.datetime64(day.date(), "D") for day in (first, last)]
    return int(np.busday_count(days[0], days[1] + one))


def _calendar(first: pd.Timestamp, last: pd.Timestamp) -> int:
    return (last - first).days + 1


def name_projects(
    tidy: Tidy,
    ids: set[str],
    names: Callable[[], Mapping[str, list[str]]],
    groups: set[str],
) -> None:
    """Put ids in place of the names by which a table calls projects.

    Parameters
    ----------
    ids
        All projects.
    names
        Returns folded name of a project -> the ids that have it.
    groups
        Groups, which a dependency may require.
    """
    for column in ("project", "requires"):
        cells = tidy.columns.get(column)
        if not cells or tidy.place.table == "projects":
            continue
        known = ids | groups if column == "requires" else ids
        meant: dict[Any, str] = {}
        unclear: dict[str, tuple[int, list[str]]] = {}
        first: dict[Any, int] = {}
        for i, cell in enumerate(cells):
            first.setdefault(cell, i)
        for cell, i in first.items():
            if cell is None:
                continue
            text = clean_text(cell)
            found = [] if text in known else names().get(fold(text), [])
            if len(found) == 1:
                meant[cell] = found[0]
            elif found and text not in unclear:
                unclear[text] = (i, found)
        for text, (i, found) in unclear.items():
            tidy.problems.append(
                tidy.place.error(
                    "ambiguous_project",
                    row=tidy.rows[i],
                    column=column,
                    found=text,
                    fix=f"'{text}' is the name of {len(found)} projects "
                    f"({listing(found, 3)}). Write the id instead.",
                )
            )
        if not meant:
            continue
        tidy.columns[column] = [
            cell if cell is None else meant.get(cell, cell) for cell in cells
        ]
        name, project = next(iter(meant.items()))
        tidy.problems.append(
            tidy.place.warning(
                "project_by_name",
                column=column,
                found=f"{len(meant)} names",
                fix="Projects are called by their names here and were found by them: "
                f"'{name}' is '{project}'"
                + (f", and {len(meant) - 1} more." if len(meant) > 1 else "."),
            )
        )
