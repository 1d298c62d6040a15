"""A portfolio as a workbook: one sheet a table, settings on the sheet `portfolio`.

Row numbers in problems are those of the sheet. Hidden sheets, rows and columns are
read like others, and said; sheets whose names are no table are mentioned, sheets that
explain (`guide`, `lists`, 说明) are passed over.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import DataError, problems_table
from pmo_analytics.loaders.aliases import GUIDE_SHEETS, fold, table_names
from pmo_analytics.loaders.findings import (
    Place,
    Problem,
    RawTable,
    SheetFacts,
    Unreadable,
)
from pmo_analytics.loaders.guarding.archive import check_workbook
from pmo_analytics.loaders.guarding.ods_sheets import without_gaps
from pmo_analytics.loaders.reading.settings import Declared, read_sheet
from pmo_analytics.loaders.reading.table_names import (
    left_out,
    missing_choice,
    unknown_name,
)
from pmo_analytics.loaders.understanding.sheet_notes import with_usual_days

if TYPE_CHECKING:
    from collections.abc import Mapping


SETTINGS_SHEET = "portfolio"
# Of a sheet whose name is no table, to see what it might be.
_FIRST_ROWS = 100


def read_workbook(
    path: Path, tables: Mapping[str, str] | None = None
) -> tuple[Declared, dict[str, RawTable], list[Problem]]:
    """Return settings, raw tables and findings of a workbook.

    Parameters
    ----------
    tables
        Table -> sheet name, for sheets whose names tell nothing.

    Raises
    ------
    DataError
        If the file is no workbook, damaged, protected or too large.
    """
    place = Place("portfolio", path.name)
    try:
        facts = check_workbook(path)
        lean = without_gaps(path, facts)
        book = _book(path, lean)
        listed = _worksheets(book)
        free = [sheet for sheet in listed if sheet not in (tables or {}).values()]
        declared, problems = _settings(path, lean, free, facts)
        sheets, found = _match_sheets(
            path, book, listed, declared.ignored, tables or {}
        )
        raws = {
            table: _raw_table(path, lean, Place(table, path.name, sheet), facts)
            for table, sheet in sheets.items()
            if table != SETTINGS_SHEET
        }
    except Unreadable as error:
        raise DataError(problems_table([place.unreadable(error)])) from error
    except OSError as error:
        fix = "The file cannot be opened. Is it open in Excel, or not yours to read?"
        raise DataError(
            problems_table(
                [place.error("unreadable_file", found=error.strerror or "", fix=fix)]
            )
        ) from error
    return declared, raws, found + problems


def _settings(
    path: Path, lean: bytes | None, sheets: list[str], facts: dict[str, SheetFacts]
) -> tuple[Declared, list[Problem]]:
    """Return what the sheet `portfolio` declares, nothing without one."""
    names = table_names()
    own = (sheet for sheet in sheets if names.get(fold(sheet)) == SETTINGS_SHEET)
    sheet = next(own, None)
    if sheet is None:
        return Declared(Place(SETTINGS_SHEET, path.name)), []
    raw = _raw_table(path, lean, Place(SETTINGS_SHEET, path.name, sheet), facts)
    shift = raw.facts.shift
    records = [with_usual_days(record, shift) for record in raw.records]
    declared, found = read_sheet(zip(raw.rows, records, strict=True), raw.place)
    return declared, found + _bad_settings(raw)


def _worksheets(book: Any) -> list[str]:
    return [
        meta.name
        for meta in book.sheets_metadata
        if str(meta.typ).endswith("WorkSheet")
    ]


def _bad_settings(raw: RawTable) -> list[Problem]:
    """Return settings whose formula has no result, and a hidden sheet."""
    bad = raw.facts.errors | dict.fromkeys(raw.facts.unsaved, "no result")
    problems = [
        raw.place.error(
            "error_cell" if place in raw.facts.errors else "formula_without_value",
            row=place[0],
            found=found,
            fix="The formula of this setting has no result. Write its value, or open "
            "the workbook in Excel or LibreOffice and save it.",
        )
        for place, found in sorted(bad.items())
    ]
    if raw.facts.state:
        problems.append(
            raw.place.warning(
                "hidden_sheet",
                found=raw.place.sheet,
                fix=f"The sheet '{raw.place.sheet}' is {raw.facts.state} in the "
                "workbook, and its settings are in force. Unhide it.",
            )
        )
    return problems


def _book(path: Path, lean: bytes | None = None) -> Any:
    import python_calamine

    try:
        return python_calamine.load_workbook(io.BytesIO(lean) if lean else str(path))
    except BaseException as error:  # panics of the reader derive from it
        raise _damaged(error) from error


def _damaged(error: BaseException) -> BaseException:
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return error
    return Unreadable(
        "corrupt_file",
        "The workbook is damaged. Open it in Excel, let it be repaired, and save it.",
        found=str(error)[:200],
    )


def _match_sheets(
    path: Path,
    book: Any,
    sheets: list[str],
    ignore: tuple[str, ...],
    chosen: Mapping[str, str],
) -> tuple[dict[str, str], list[Problem]]:
    names = table_names()
    place = Place(SETTINGS_SHEET, path.name, SETTINGS_SHEET)
    ignored, problems = left_out(place, ignore, sheets)
    listed = [sheet for sheet in sheets if sheet not in ignored]
    matched: dict[str, str] = {}
    unknown = []
    for table, sheet in chosen.items():
        if sheet in listed:
            matched[table] = sheet
        else:
            place = Place(table, path.name, sheet)
            problems.append(missing_choice(place, "workbook", listed))
    for sheet in listed:
        if sheet in matched.values():
            continue
        table = names.get(fold(sheet), "")
        if table in chosen or (not table and fold(sheet) in GUIDE_SHEETS):
            continue
        if not table:
            unknown.append(sheet)
        elif table in matched:
            problems.append(
                Place(table, path.name, sheet).error(
                    "duplicate_table",
                    found=f"{matched[table]}, {sheet}",
                    fix=f"Both sheets hold the table '{table}'. Rename or delete one.",
                )
            )
        else:
            matched[table] = sheet
    problems += [
        unknown_name(
            Place("portfolio", path.name, sheet),
            sheet,
            matched,
            _cells_of(book, sheet, _FIRST_ROWS),
            chosen,
        )
        for sheet in unknown
    ]
    if not matched.keys() - {SETTINGS_SHEET}:
        problems.append(
            Place("portfolio", path.name).error(
                "missing_file",
                found=", ".join(listed[:5]),
                fix="No sheet of the workbook is a table. Name the sheets 'projects', "
                "'demand', 'capacity', 'people' and so on.",
            )
        )
    return matched, problems


def _raw_table(
    path: Path, lean: bytes | None, place: Place, facts: dict[str, SheetFacts]
) -> RawTable:
    records = _cells_of(_book(path, lean), place.sheet)
    fact = facts.get(place.sheet, SheetFacts())
    return RawTable(
        place, records, _row_numbers(len(records), fact), typed=True, facts=fact
    )


def _cells_of(book: Any, sheet: str, rows: int | None = None) -> list[list[Any]]:
    try:
        reader = book.get_sheet_by_name(sheet)
        cells: list[list[Any]] = reader.to_python(skip_empty_area=False, nrows=rows)
    except BaseException as error:  # panics of the reader derive from it
        raise _damaged(error) from error
    return cells


def _row_numbers(count: int, fact: SheetFacts) -> list[int]:
    """Return the row of the sheet in which each record stands."""
    numbers: list[int] = []
    shift = 0
    for last, size in sorted(fact.gaps):
        numbers += range(len(numbers) + shift + 1, last + 1)
        shift += size
    return [*numbers, *range(len(numbers) + shift + 1, count + shift + 1)][:count]
