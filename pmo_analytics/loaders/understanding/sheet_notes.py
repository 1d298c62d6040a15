"""What a workbook shows otherwise than it stores: errors, hidden cells, durations.

Each function looks at one table of a workbook beside its named columns and returns
what an analyst has to know; cells of tables that nobody uses are a note at most.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from pmo_analytics.errors import row_listing
from pmo_analytics.loaders.findings import FIRST_DAY, Problem, RawTable
from pmo_analytics.loaders.understanding.headings import HOURS_OF, Heading, kind_of

# A blank label changes no answer.
_LABELS = frozenset(("name", "force_reason"))
# Day numbers of 1954 to 2119, as `locales` takes them for dates.
_SERIALS = range(20_000, 80_001)
_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?")
_HOUR_COLUMNS = frozenset(("hours", "capacity_hours", "load_hours", *HOURS_OF))


def hidden_cells(
    raw: RawTable, headings: list[Heading], rows: list[int]
) -> list[Problem]:
    """Return warnings of a hidden sheet, hidden rows and hidden columns that are read.

    Parameters
    ----------
    rows
        Rows of the sheet that the table has.
    """
    facts, place = raw.facts, raw.place
    problems = []
    if facts.state and rows:
        problems.append(
            place.warning(
                "hidden_sheet",
                found=f"{place.sheet}: {len(rows):,} rows",
                fix=f"The sheet '{place.sheet}' is {facts.state} in the workbook, and "
                f"its {len(rows):,} rows are read like all others. Delete the sheet if "
                "it is not in force, or unhide it.",
            )
        )
    runs = sorted(facts.hidden_rows)
    hidden = [row for row in rows if runs and _within(runs, row)]
    if hidden:
        problems.append(
            place.warning(
                "hidden_rows",
                row=hidden[0],
                found=f"{len(hidden):,} rows",
                fix=f"{len(hidden):,} of {len(rows):,} rows are hidden, by hand or by "
                f"a filter, and are read like all others ({row_listing(hidden)}). "
                "Delete them if they are not in force, or unhide them.",
            )
        )
    columns = [
        h.text
        for h in headings
        if any(first <= h.index <= last for first, last in facts.hidden_columns)
    ]
    if columns and rows:
        names = ", ".join(f"'{name}'" for name in columns[:5])
        more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
        problems.append(
            place.warning(
                "hidden_columns",
                column=columns[0],
                found=f"{len(columns)} columns",
                fix=f"Hidden columns are read like all others: {names}{more}. Delete "
                "them if they are not in force, or unhide them.",
            )
        )
    return problems


def _within(runs: list[tuple[int, int]], row: int) -> bool:
    at = bisect_right(runs, (row, math.inf)) - 1
    return at >= 0 and runs[at][0] <= row <= runs[at][1]


def bad_cells(
    raw: RawTable, headings: list[Heading], rows: list[int], used: Iterable[str]
) -> list[Problem]:
    """Return cells that hold an error, or a formula that was never calculated.

    Parameters
    ----------
    used
        Names of the columns in which a cell has a meaning; elsewhere it is a note.
    """
    place, here, known = raw.place, set(rows), set(used)
    names = {h.index: h.name for h in headings}
    problems, noted = [], dict[str, list[tuple[int, str]]]()
    for (row, index), text in sorted(raw.facts.errors.items()):
        name = names.get(index)
        if row not in here or name is None:
            continue
        if name not in known:
            noted.setdefault(name, []).append((row, text))
            continue
        problems.append(
            place.error(
                "error_cell",
                row=row,
                column=name,
                found=text,
                fix="The formula in this cell fails. Correct it, or write its value.",
            )
        )
    for name, cells in noted.items():
        problems.append(
            place.warning(
                "error_cell",
                row=cells[0][0],
                column=name,
                found=f"{cells[0][1]} ({len(cells):,} cells)",
                fix="Formulas of a column that is not used fail "
                f"({row_listing(r for r, _ in cells)}); the cells are taken as blank.",
            )
        )
    bare: dict[str, list[int]] = {}
    for row, index in sorted(raw.facts.unsaved):
        if row in here and index in names:
            bare.setdefault(names[index], []).append(row)
    for name, lines in bare.items():
        say = place.error if name in known - _LABELS else place.warning
        problems.append(
            say(
                "formula_without_value",
                row=lines[0],
                column=name,
                found=f"{len(lines):,} cells",
                fix=f"The formulas in {row_listing(lines)} were never calculated, so "
                "nobody knows their results"
                + (
                    ", and a blank cell would mean something else. "
                    if name in known - _LABELS
                    else ". The column is read as blank there. "
                )
                + "Open the workbook in Excel or LibreOffice, save it, and read it "
                "again.",
            )
        )
    return problems


def with_usual_days(cells: list[Any], shift: int) -> list[Any]:
    """Return cells with the day numbers of an old Mac workbook as usual ones."""
    if not shift:
        return cells
    return [
        cell + shift
        if cell.__class__ in (float, int) and math.floor(cell) + shift in _SERIALS
        else cell
        for cell in cells
    ]


def hours_of(cell: Any, shift: int = 0) -> float | None:
    """Return a duration or time of day as hours; None = it is neither.

    Parameters
    ----------
    shift
        Days by which day 0 of the workbook is later than usual.

    Examples
    --------
    >>> hours_of(timedelta(hours=120, minutes=30)), hours_of("8:15")
    (120.5, 8.25)
    """
    if isinstance(cell, timedelta):
        return cell.total_seconds() / 3600
    if isinstance(cell, time):
        return cell.hour + cell.minute / 60 + cell.second / 3600
    if isinstance(cell, str):
        match = _CLOCK.fullmatch(cell.strip())
        if match is None:
            return None
        return int(match[1]) + int(match[2]) / 60 + int(match[3] or 0) / 3600
    if not isinstance(cell, date):
        return None
    # Beyond 24 hours a time of day becomes a date just after day 0.
    day = cell.date() if isinstance(cell, datetime) else cell
    number = (day - FIRST_DAY).days - shift
    if not shift and number < 61:
        number -= 1  # Excel believes in a 29 February 1900
    if not 0 <= number < 3_660:
        return None
    clock = cell.time() if isinstance(cell, datetime) else time()
    return 24 * number + clock.hour + clock.minute / 60 + clock.second / 3600


def read_hours(
    raw: RawTable, columns: dict[str, list[Any]], rows: list[int], names: Iterable[str]
) -> tuple[set[str], list[Problem]]:
    """Turn durations in columns into hours, in place, and say so.

    Returns
    -------
    set, list
        Columns in which durations were met, and findings.
    """
    table, shift = raw.place.table, raw.facts.shift
    met: dict[str, list[int]] = {}
    for name in names:
        cells = columns[name]
        for i, cell in enumerate(cells):
            if cell is None or cell.__class__ in (float, int):
                continue
            hours = hours_of(cell, shift)
            if hours is not None:
                cells[i] = hours
                met.setdefault(name, []).append(rows[i])
    problems = [
        raw.place.warning(
            "durations_read",
            row=lines[0],
            column=name,
            found=f"{len(lines):,} cells",
            fix=f"Durations such as 7:30 are read as hours: 7:30 is 7.5 hours "
            f"({row_listing(lines)}).",
        )
        for name, lines in met.items()
        if not table_says_hours(table, name)
    ]
    return set(met), problems


def table_says_hours(table: str, name: str) -> bool:
    """Return whether a column counts in hours by its own name."""
    return name in _HOUR_COLUMNS and kind_of(table, name) == "number"
