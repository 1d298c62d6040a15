"""Headers that are more than one row of names: years over months, merged keys."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pmo_analytics.errors import row_listing
from pmo_analytics.loaders.cells.dates import read_date
from pmo_analytics.loaders.findings import Problem, RawTable
from pmo_analytics.loaders.understanding.headings import (
    Heading,
    heading_text,
    known_names,
)
from pmo_analytics.loaders.understanding.rows import id_columns
from pmo_analytics.tables import table_spec

_YEAR = re.compile(r"(?:FY ?|GJ ?)?((?:19|20|21)\d\d)年?", re.IGNORECASE)


def without_second_row(
    raw: RawTable, header: int
) -> tuple[RawTable, int, list[Problem]]:
    """Return a table in which years over months are one header row.

    Returns
    -------
    RawTable, int, list
        The table, the position of its header, and what was done.
    """
    pairs = [(header, header + 1), (header - 1, header)]
    for upper, lower in pairs:
        if upper < 0 or lower >= len(raw.records):
            continue
        joined = _joined(raw.records[upper], raw.records[lower])
        if not joined:
            continue
        own = set(_filled(raw.records[lower]))
        if upper == header and not own <= set(joined):
            continue  # a row of data
        names = raw.records[header]
        width = max(len(names), max(joined) + 1)
        names = [*names, *[None] * (width - len(names))]
        cells = [joined.get(k, cell) for k, cell in enumerate(names)]
        records = [*raw.records[:upper], cells, *raw.records[lower + 1 :]]
        rows = [*raw.rows[:upper], raw.rows[lower], *raw.rows[lower + 1 :]]
        first = next(iter(joined))
        said = raw.place.warning(
            "two_row_header",
            row=raw.rows[lower],
            found=f"{heading_text(raw.records[lower][first])} under a year",
            fix=f"Rows {raw.rows[upper]} and {raw.rows[lower]} are read as one header: "
            f"column {first + 1} is {joined[first]}.",
        )
        return replace(raw, records=records, rows=rows), upper, [said]
    return raw, header, []


def _joined(upper: list[Any], lower: list[Any]) -> dict[int, str]:
    """Return column -> period of cells below a year; empty if any is no period."""
    joined: dict[int, str] = {}
    year = ""
    for k, cell in enumerate(lower):
        above = heading_text(upper[k]) if k < len(upper) else ""
        if above:
            match = _YEAR.fullmatch(above)
            year = match[1] if match else ""
        text = heading_text(cell)
        if not year or not text:
            continue
        period = _period(year, text)
        if not period:
            return {}
        joined[k] = period
    return joined if len(joined) > 1 else {}


def _period(year: str, text: str) -> str:
    if text.isdecimal():
        return f"{year}-{int(text):02d}" if 1 <= int(text) <= 12 else ""
    for words in (f"{text} {year}", f"{year} {text}", f"{year}{text}"):
        read = read_date(words)
        if isinstance(read, str):
            return read
    return ""


def _filled(record: list[Any]) -> list[int]:
    return [k for k, cell in enumerate(record) if heading_text(cell)]


def missing_header(raw: RawTable, header: int) -> Problem | None:
    """Return the error of a table whose first row is data already."""
    cells = [c for c in raw.records[header] if heading_text(c)]
    if known_names(raw.place.table, cells) or not any(map(_is_data, cells)):
        return None
    columns = table_spec(raw.place.table).columns
    needed = [name for name, info in columns.items() if info.required]
    return raw.place.error(
        "missing_header",
        row=raw.rows[header],
        found=", ".join(heading_text(c) for c in cells[:5]),
        fix="No row names the columns of this table; the first one looks like data. "
        f"Write a header row above it: {', '.join(needed or columns)}.",
    )


def _is_data(cell: Any) -> bool:
    text = heading_text(cell)
    try:
        float(text.replace(",", "."))
    except ValueError:
        return read_date(cell) is not None
    return True


def fill_merged(
    raw: RawTable, headings: list[Heading], cells: list[list[Any]], rows: list[int]
) -> list[Problem]:
    """Repeat merged keys in all their rows, in place; say what else is merged.

    Parameters
    ----------
    cells
        Columns by position.
    rows
        Row of the sheet of each of their cells.
    """
    if not raw.facts.merged:
        return []
    place, table = raw.place, raw.place.table
    keys = {*id_columns(table), *table_spec(table).key}
    at = {row: i for i, row in enumerate(rows)}
    names = {h.index: h for h in headings if h.known}
    filled: dict[str, list[int]] = {}
    blank: dict[str, list[int]] = {}
    for top, left, bottom, _ in raw.facts.merged:
        heading = names.get(left)
        if heading is None or bottom == top or top not in at:
            continue
        column = cells[left]
        value = column[at[top]]
        below = [r for r in range(top + 1, bottom + 1) if r in at]
        below = [r for r in below if column[at[r]] is None]
        if value is None or not below:
            continue
        if heading.name not in keys:
            blank.setdefault(heading.text, []).extend(below)
            continue
        for row in below:
            column[at[row]] = value
        filled.setdefault(heading.text, []).extend(below)
    problems = [
        place.warning(
            "merged_cells",
            row=lines[0],
            column=name,
            found=f"{len(lines):,} cells",
            fix=f"Merged cells of '{name}' are read in all of their rows; filled in "
            f"were {row_listing(lines)}.",
        )
        for name, lines in filled.items()
    ]
    return problems + [
        place.warning(
            "merged_cells",
            row=lines[0],
            column=name,
            found=f"{len(lines):,} cells",
            fix=f"Merged cells of '{name}' count in their first row only and are blank "
            f"in {row_listing(lines)}. Write the value into each row it is meant for.",
        )
        for name, lines in blank.items()
    ]
