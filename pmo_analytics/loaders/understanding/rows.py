"""The rows of a table: blank ones, titles, headers that come again, totals."""

from __future__ import annotations

from operator import eq
from typing import Any

from pmo_analytics.errors import listing
from pmo_analytics.loaders.aliases import TOTALS, fold
from pmo_analytics.loaders.findings import Place, Problem, RawTable
from pmo_analytics.loaders.understanding.headings import heading_text
from pmo_analytics.loaders.writing.escape import unescape_text
from pmo_analytics.tables import table_spec

_TOTALS = tuple(TOTALS)


def split_rows(
    raw: RawTable, header: int
) -> tuple[list[list[Any]], list[int], list[Problem]]:
    """Return the columns of a table by position, its row numbers, and findings.

    Blank cells are None. Blank rows are dropped; those between filled rows are
    mentioned. Rows with more cells than the header has columns are left out and
    reported.
    """
    place, problems = raw.place, _skipped_titles(raw, header)
    width = len(raw.records[header])
    heads = [heading_text(c) for c in raw.records[header]]
    word = heads[0].partition(" ")[0]
    repeated = []
    body = raw.records[header + 1 :]
    numbers = raw.rows[header + 1 :]
    records, rows, blanks, short = [], [], 0, []
    pending = 0
    for record, number in zip(body, numbers, strict=True):
        if not any(map(_filled, record)):
            pending += 1
            continue
        blanks, pending = blanks + pending, 0
        alike = record[0].__class__ is not str or word in record[0]
        if (
            alike
            and len(record) >= width
            and all(map(eq, heads, map(heading_text, record)))
        ):
            repeated.append(number)
            continue
        if len(record) > width and any(map(_filled, record[width:])):
            problems.append(
                place.error(
                    "too_many_fields",
                    row=number,
                    found=f"{len(record)} fields, the header has {width}",
                    fix="Put quotes around the field that holds the delimiter (a "
                    "decimal comma in a comma-separated file?), or add the heading.",
                )
            )
            continue
        if len(record) < width:
            short.append(number)
            record = [*record, *[None] * (width - len(record))]
        records.append(record)
        rows.append(number)
    problems += _say_rows(place, blanks, repeated, short)
    columns = [
        # Nearly all cells begin with a plain character: nothing to clean.
        [c if c.__class__ is str and "'" < c[:1] < "\x7f" else _clean(c) for c in cells]
        for cells in (zip(*(r[:width] for r in records), strict=True))
    ] or [[] for _ in range(width)]
    return columns, rows, problems


def _skipped_titles(raw: RawTable, header: int) -> list[Problem]:
    if not any(any(map(_filled, record)) for record in raw.records[:header]):
        return []
    return [
        raw.place.warning(
            "title_rows_skipped",
            row=raw.rows[header],
            found=quoted(raw, header),
            fix=f"The header is in row {raw.rows[header]}; the rows above it hold "
            "no data and are not read as such.",
        )
    ]


def _say_rows(
    place: Place, blanks: int, repeated: list[int], short: list[int]
) -> list[Problem]:
    """Return what was done to rows that are not as the others."""
    problems = []
    if blanks:
        problems.append(
            place.warning(
                "blank_rows_dropped",
                found=f"{blanks} rows",
                fix="Blank rows between the data were dropped.",
            )
        )
    if repeated:
        problems.append(
            place.warning(
                "repeated_header",
                row=repeated[0],
                found=f"{len(repeated)} rows",
                fix=f"The header comes again in rows {listing(repeated)}; those rows "
                "were dropped.",
            )
        )
    if short:
        problems.append(
            place.warning(
                "short_rows",
                row=short[0],
                found=f"{len(short)} rows",
                fix=f"Rows {listing(short)} have fewer fields than the header; the "
                "missing ones are taken as blank.",
            )
        )
    return problems


def title_texts(raw: RawTable, header: int) -> list[str]:
    """Return what stands in the rows above the header, a text a cell."""
    return [
        " ".join(str(cell).split())
        for record in raw.records[:header]
        for cell in record
        if _filled(cell)
    ]


def quoted(raw: RawTable, header: int, limit: int = 160) -> str:
    """Return the texts above the header as one quotation."""
    text = " | ".join(title_texts(raw, header))
    return text if len(text) <= limit else text[:limit] + "..."


def _filled(cell: Any) -> bool:
    return not (
        cell is None or cell == "" or (cell.__class__ is str and cell.isspace())
    )


def _clean(cell: Any) -> Any:
    if cell.__class__ is str:
        if not cell or cell.isspace():
            return None
        if cell[0] == "'":
            return unescape_text(cell)
    return cell


def id_columns(table: str) -> list[str]:
    """Return the columns in which a totals row says that it is one."""
    columns = table_spec(table).columns
    ids = [c for c in ("project", "person", "role", "group", "budget") if c in columns]
    return [*ids, "period"]


def totals_rows(columns: dict[str, list[Any]], table: str) -> set[int]:
    """Return positions of rows such as Total, 合计 or 'CRM Total'.

    Where there is nothing else they total nothing: a budget may be called Total.
    """
    found: set[int] = set()
    rows = 0
    for name in id_columns(table):
        cells = columns.get(name)
        if not cells:
            continue
        rows = len(cells)
        texts = {c: fold(c) for c in set(map(str, cells))}
        known = set(texts.values())
        totals = {c for c, text in texts.items() if _is_total(text, known)}
        if totals:
            found |= {i for i, c in enumerate(cells) if str(c) in totals}
    return found if len(found) < rows else set()


def _is_total(text: str, known: set[str]) -> bool:
    if text in TOTALS:
        return True
    if not text.endswith(_TOTALS) and not text.startswith(_TOTALS):
        return False
    return any(
        rest and rest != text and rest in known
        for word in TOTALS
        for rest in (text.removesuffix(word), text.removeprefix(word))
    )
