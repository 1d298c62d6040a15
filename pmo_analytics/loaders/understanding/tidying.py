"""A raw table becomes named, cleaned columns, and every step taken is said."""

from __future__ import annotations

import math
from typing import Any

from pmo_analytics.loaders.aliases import choice_words, fold
from pmo_analytics.loaders.cells.dates import DateFindings, read_dates
from pmo_analytics.loaders.findings import FileFormat, Problem, RawTable
from pmo_analytics.loaders.reading.text import has_controls, without_controls
from pmo_analytics.loaders.understanding.blank_cells import clear_blank_words
from pmo_analytics.loaders.understanding.elsewhere import elsewhere
from pmo_analytics.loaders.understanding.header_rows import (
    fill_merged,
    missing_header,
    without_second_row,
)
from pmo_analytics.loaders.understanding.headings import (
    MAX_COLUMNS,
    Heading,
    find_header,
    kind_of,
    read_headings,
)
from pmo_analytics.loaders.understanding.jira_times import take_jira_times
from pmo_analytics.loaders.understanding.joined_colours import with_one_colour
from pmo_analytics.loaders.understanding.rows import id_columns, split_rows, totals_rows
from pmo_analytics.loaders.understanding.sheet_notes import (
    bad_cells,
    hidden_cells,
    hours_of,
    read_hours,
    table_says_hours,
    with_usual_days,
)
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.loaders.understanding.titles import note_titles
from pmo_analytics.loaders.understanding.wide_layouts import WIDE_TABLES, wide_layout

DATE_KINDS = ("period", "start_day", "end_day")
_CANONICAL = frozenset("0123456789.+-eE")


def tidy_table(
    raw: RawTable, declared: FileFormat, *, gates_read: bool = False
) -> Tidy | None:
    """Return named, cleaned columns of a raw table; None if it is empty.

    Numbers stay as they are written: `number_columns` reads them, once it has seen
    all tables.

    Parameters
    ----------
    gates_read
        Its columns of gates became rows of `milestones`.
    """
    header = find_header(raw)
    if header is None:
        return None
    table, place = raw.place.table, raw.place
    tidy = Tidy(place)
    if len(raw.records[header]) > MAX_COLUMNS:
        tidy.problems.append(
            place.error(
                "too_many_columns",
                row=raw.rows[header],
                found=f"{len(raw.records[header]):,} columns",
                fix=f"A table has at most {MAX_COLUMNS:,} columns. Is the delimiter "
                "right? Delete the columns that are not needed.",
            )
        )
        return tidy
    raw, header, problems = without_second_row(raw, header)
    if (missing := missing_header(raw, header)) is not None:
        tidy.problems.append(missing)
        return tidy
    raw, joined = with_one_colour(raw, header)
    heads = with_usual_days(raw.records[header], raw.facts.shift)
    headings, found = read_headings(heads, place, raw.rows[header])
    cells, tidy.rows, more = split_rows(raw, header)
    take_jira_times(headings, table, cells)
    tidy.problems = problems + joined + found
    tidy.problems += elsewhere(headings, place, raw.rows[header], gates_read=gates_read)
    tidy.problems += more
    tidy.problems += fill_merged(raw, headings, cells, tidy.rows)
    tidy.problems += _unnamed(raw, header, cells)
    tidy.problems += hidden_cells(raw, headings, tidy.rows)
    tidy.columns = {h.name: cells[h.index] for h in headings}
    tidy.texts = {h.name: h.text for h in headings}
    tidy.units = {h.name: h.unit for h in headings if h.unit}
    tidy.factors = {h.name: h.factor for h in headings if h.factor != 1.0}
    tidy.delimiter, tidy.typed = raw.delimiter, raw.typed
    _clean_texts(tidy)
    _drop_totals(tidy)
    _read_words(tidy)
    _read_all_dates(tidy, headings, declared, raw)
    _look_at_formats(tidy, headings, raw)
    _refuse_repeats(tidy)
    note_titles(tidy, headings, raw, header)
    used = {*(h.name for h in headings if h.known), *tidy.spread}
    tidy.problems += bad_cells(raw, headings, tidy.rows, used)
    clear_blank_words(tidy, declared.blank)
    _read_durations(tidy, raw)
    for name in tidy.columns:
        if not kind_of(table, name) and name not in tidy.spread:
            tidy.columns[name] = _own_column(tidy.columns[name], typed=raw.typed)
    return tidy


def _look_at_formats(tidy: Tidy, headings: list[Heading], raw: RawTable) -> None:
    """Note what only the formats of a workbook's cells show: clocks and currencies."""
    names = {h.index: h.name for h in headings}
    shown = raw.facts.clocks - raw.facts.no_clocks
    tidy.clocked = {names[i] for i in shown if i in names}
    for (index, sign), row in raw.facts.currencies.items():
        if names.get(index) in tidy.money:
            tidy.currencies.setdefault(
                sign, f"{sign} (format, {names[index]}, row {row})"
            )


def _unnamed(raw: RawTable, header: int, cells: list[list[Any]]) -> list[Problem]:
    blank = [
        i
        for i, text in enumerate(raw.records[header])
        if text is None or not str(text).strip()
    ]
    problems = []
    for i in blank:
        first = next((k for k, c in enumerate(cells[i]) if c is not None), None)
        if first is not None:
            problems.append(
                raw.place.error(
                    "unnamed_column",
                    row=raw.rows[header],
                    column=f"{i + 1}",
                    found=cells[i][first],
                    fix=f"Column {i + 1} has cells and no heading. Name it, or clear "
                    "the column.",
                )
            )
    return problems


def _refuse_repeats(tidy: Tidy) -> None:
    """Make a repeated heading an error where it stands for a period or a role."""
    for found in tidy.problems:
        if found["rule"] == "repeated_heading" and found["column"] in tidy.spread:
            found["severity"], found["rule"] = "error", "duplicate_column"
            found["fix"] = (
                f"Two columns are headed '{found['found']}', and both hold data. Add "
                "them up in one column, or rename one."
            )


def _read_durations(tidy: Tidy, raw: RawTable) -> None:
    """Read durations of hour columns as hours; refuse them in all others."""
    table, place = tidy.place.table, tidy.place
    numeric = [n for n in tidy.columns if kind_of(table, n) in ("number", "whole")]
    hours = [n for n in numeric if table_says_hours(table, n)]
    spread = [n for n in tidy.spread if n in tidy.columns]
    if spread and (tidy.measure == "hours" or _only_durations(tidy, spread)):
        tidy.measure = "hours"
        hours += spread
    _, problems = read_hours(raw, tidy.columns, tidy.rows, hours)
    tidy.problems += problems
    if not raw.typed:
        return
    for name in {*numeric, *spread} - {*hours}:
        for row, cell in zip(tidy.rows, tidy.columns[name], strict=True):
            if cell is None or cell.__class__ in (float, str, int):
                continue
            length = hours_of(cell, raw.facts.shift)
            if length is not None:
                tidy.problems.append(
                    place.error(
                        "not_a_number",
                        row=row,
                        column=name,
                        found=f"{length:g} hours",
                        fix="The cell holds a duration or a time of day, and the "
                        "column counts no hours. Write a plain number, or name the "
                        "column 'hours'.",
                    )
                )


def _only_durations(tidy: Tidy, names: list[str]) -> bool:
    """Return whether the filled cells of columns are durations, zeros left aside."""
    met = False
    for name in names:
        for cell in tidy.columns[name]:
            if cell is None or cell == 0:
                continue
            if hours_of(cell) is None:
                return False
            met = True
    return met


def _clean_texts(tidy: Tidy) -> None:
    """Take control characters out of texts, and say so."""
    found = 0
    for name, cells in tidy.columns.items():
        if kind_of(tidy.place.table, name) in ("number", "whole"):
            continue
        texts = {c for c in cells if c.__class__ is str}
        bad = {c for c in texts if has_controls(c)}
        if bad:
            found += len(bad)
            tidy.columns[name] = [
                (without_controls(c) or None) if c.__class__ is str and c in bad else c
                for c in cells
            ]
    if found:
        tidy.problems.append(
            tidy.place.warning(
                "control_characters",
                found=f"{found} texts",
                fix="Invisible control characters were taken out of the text.",
            )
        )


def _drop_totals(tidy: Tidy) -> None:
    dropped = totals_rows(tidy.columns, tidy.place.table)
    if not dropped:
        return
    for position in sorted(dropped):
        label = next(
            tidy.columns[c][position]
            for c in id_columns(tidy.place.table)
            if c in tidy.columns and tidy.columns[c][position] is not None
        )
        tidy.problems.append(
            tidy.place.warning(
                "totals_row_dropped",
                row=tidy.rows[position],
                found=label,
                fix="The row of totals was dropped.",
            )
        )
    keep = [i for i in range(len(tidy.rows)) if i not in dropped]
    tidy.rows = [tidy.rows[i] for i in keep]
    tidy.columns = {n: [cells[i] for i in keep] for n, cells in tidy.columns.items()}


def _read_words(tidy: Tidy) -> None:
    """Turn choice words of other languages into the contract's."""
    table = tidy.place.table
    for name, cells in tidy.columns.items():
        if kind_of(table, name) != "choice":
            continue
        words = choice_words(table, name)
        tidy.columns[name] = [
            c if c is None else words.get(fold(_as_text(c)), c) or None for c in cells
        ]


def _read_all_dates(
    tidy: Tidy, headings: list[Heading], declared: FileFormat, raw: RawTable
) -> None:
    table = tidy.place.table
    dated = {
        n: with_usual_days(cells, raw.facts.shift)
        for n, cells in tidy.columns.items()
        if kind_of(table, n) in DATE_KINDS
    }
    free = [h.text for h in headings if not h.known]
    wide_table = table in WIDE_TABLES
    read, findings = read_dates(
        dated,
        declared.dayfirst,
        serials=raw.typed,
        headers=free if wide_table and not dated else (),
    )
    tidy.columns.update(read)
    tidy.clocks, tidy.dotted = findings.clocks, findings.dotted
    _say_dates(tidy, findings, declared)
    tidy.wide, tidy.spread = wide_layout(
        table, headings, dayfirst=findings.dayfirst, serials=raw.typed
    )


def _say_dates(tidy: Tidy, found: DateFindings, declared: FileFormat) -> None:
    place = tidy.place
    for name, (index, text, count) in found.ambiguous.items():
        tidy.problems.append(
            place.error(
                "ambiguous_date",
                row=tidy.rows[index],
                column=name,
                found=f"{text} ({count} cells)",
                fix="Day or month first? Write dates as 2027-12-31, or declare "
                "[files] dayfirst = true or false in portfolio.toml.",
            )
        )
    if not found.inferred:
        return
    day, month = found.day_first, found.month_first
    if day is not None and month is not None:
        column, index, text = month
        tidy.problems.append(
            place.error(
                "mixed_dates",
                row=tidy.rows[index] if column else None,
                column=column,
                found=f"{text}, {day[2]}",
                fix=f"'{day[2]}' has the day first and '{text}' the month. Write all "
                "dates as 2027-12-31.",
            )
        )
        return
    rule, sample = ("day_first", day) if day else ("month_first", month)
    if sample is not None and declared.dayfirst is None:
        tidy.problems.append(
            place.warning(
                rule,
                row=tidy.rows[sample[1]] if sample[0] else None,
                column=sample[0],
                found=sample[2],
                fix="Dates of this file are read with the "
                f"{'day' if rule == 'day_first' else 'month'} first, as this one "
                "must be.",
            )
        )


def _own_column(cells: list[Any], *, typed: bool) -> list[Any]:
    """Return a column of the user's own: numbers if all cells are, else text."""
    filled = [c for c in cells if c is not None]
    if typed and all(c.__class__ in (float, int) for c in filled):
        return [None if c is None else float(c) for c in cells]
    if not typed and filled and all(_is_plain_number(c) for c in filled):
        return [None if c is None else float(c) for c in cells]
    return [None if c is None else _as_text(c) for c in cells]


def _is_plain_number(text: Any) -> bool:
    """Return whether a text is a number and not a code such as 007 or 1E5."""
    if text.__class__ is not str or not set(text) <= _CANONICAL:
        return False
    try:
        value = float(text)
    except ValueError:
        return False
    return text in (repr(value), f"{value:.0f}") and math.isfinite(value)


def _as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, str):
        return cell.replace("\r\n", "\n").replace("\r", "\n")
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
