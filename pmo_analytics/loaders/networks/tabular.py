"""Rows of CSV files and workbooks that planning tools export."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Any

from pmo_analytics.loaders.aliases import fold, table_names
from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.guarding.archive import check_workbook
from pmo_analytics.loaders.reading.text import decode

MAX_BYTES = 200 * 2**20
_LOOK_BYTES = 2**20
# The texts of an old workbook stand before its cells or behind.
_OLD_BYTES = 16 * 2**20
_CODE_PAGES = (
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "cp1251",
    "cp1250",
    "gb18030",
)
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
Rows = list[list[Any]]
# What else a damaged workbook raises; whoever reads it in full says so.
_DAMAGED = (KeyError, OSError, RuntimeError, ValueError, EOFError)


def tables_of(path: Path) -> tuple[dict[str, Rows], str]:
    """Return sheet -> rows of a file, and the code page where it was guessed.

    A CSV file is one sheet of the name of the file.

    Raises
    ------
    Unreadable
        If it is too large, damaged, or no text.
    """
    if path.suffix.lower() in WORKBOOKS:
        check_workbook(path)
        return _workbook(path), ""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(
            "file_too_large",
            f"At most {MAX_BYTES // 2**20} MB are read. Keep the rows that are needed.",
        )
    text, guess = decode(path.read_bytes())
    text = text.lstrip("\ufeff")
    head = text[:5000]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows: Rows = [list(row) for row in reader]
    except csv.Error as error:
        raise Unreadable(
            "broken_quotes",
            "The quotes of a row do not match. Export the file again.",
            found=str(error),
            row=reader.line_num,
        ) from error
    return {path.stem: rows}, guess


def _workbook(path: Path) -> dict[str, Rows]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(str(path))
        return {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # panics of the reader derive from it
        raise Unreadable(
            "corrupt_file",
            "The workbook is damaged. Open it in Excel and save it.",
            found=str(error)[:200],
        ) from error


def holds_words(
    path: Path,
    head: bytes,
    *groups: Iterable[Iterable[str]],
    beside_tables: bool = False,
) -> bool:
    """Return whether a file holds the words of one of some groups, near its top.

    Parameters
    ----------
    groups
        Each a list of words that must all be there, with the other names of each.
    beside_tables
        Look into a workbook with a sheet of the name of a table of a portfolio too.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _any_group(b"\n".join(head.split(b"\n", 6)[:5]), groups, _CODE_PAGES)
    if path.suffix.lower() == ".xls":
        with path.open("rb") as file:
            return _any_group(file.read(_OLD_BYTES), groups, ("utf-16-le", "latin-1"))
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".xml")][:200]
            text = b"".join(
                _beginning(archive, name)
                for name in names
                if "sharedStrings" in name or "worksheets/" in name
            )
            sheets = re.findall(
                rb'<sheet [^>]*name="([^"]*)"', _beginning(archive, "xl/workbook.xml")
            )
    except (zipfile.BadZipFile, zlib.error, *_DAMAGED):
        return False
    known = table_names()
    if not beside_tables and any(
        known.get(fold(name.decode("utf-8", "replace"))) for name in sheets
    ):
        return False
    plain = unescape(text.decode("utf-8", "ignore")) if b"&#" in text else ""
    return _any_group(plain.encode() or text, groups, ("utf-8",))


def _any_group(
    text: bytes, groups: Iterable[Iterable[Iterable[str]]], pages: Iterable[str]
) -> bool:
    """Return whether some bytes hold the words of a group in one of some code pages."""
    wanted = [[[n.casefold() for n in names] for names in words] for words in groups]
    for page in pages:
        with suppress(UnicodeError):
            plain = text.decode(page, "ignore").casefold()
            for words in wanted:
                if all(any(name in plain for name in names) for names in words):
                    return True
    return False


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(_LOOK_BYTES)
