"""A portfolio as a folder of CSV files with `portfolio.toml`.

Row numbers in problems are lines of the file: the line on which a record begins,
the header usually being line 1. Files are found by name, in any of the languages of
`aliases`; delimiter, code page, decimal mark and date order are recognised, or
declared in `[files]` of `portfolio.toml` (see `settings`).
"""

from __future__ import annotations

import csv
import io
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import DataError, listing, problems_table
from pmo_analytics.loaders.aliases import fold, table_names
from pmo_analytics.loaders.findings import (
    FileFormat,
    Place,
    Problem,
    RawTable,
    Unreadable,
    fatal,
)
from pmo_analytics.loaders.reading.settings import Declared, read_toml
from pmo_analytics.loaders.reading.table_names import (
    left_out,
    missing_choice,
    named_table,
    unknown_name,
    unread_copy,
)
from pmo_analytics.loaders.reading.text import decode
from pmo_analytics.loaders.understanding.headings import known_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


TOML = "portfolio.toml"
MAX_FILE_BYTES = 200 * 2**20
# The reader of TOML needs half a second a megabyte.
MAX_TOML_BYTES = 10 * 2**20
MAX_FIELDS = 20_000_000
CSV_SUFFIXES = (".csv", ".tsv")
_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 20
_SAMPLE_BYTES = 100_000
# Kinds of files in which a table may wait that a folder does not read.
_FOREIGN = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb", ".txt", ".json", ".parquet")


def read_folder(
    folder: Path, tables: Mapping[str, str] | None = None
) -> tuple[Declared, dict[str, RawTable], list[Problem]]:
    """Return settings, raw tables and findings of a folder.

    Parameters
    ----------
    tables
        Table -> file name, for files whose names tell nothing.

    Raises
    ------
    DataError
        If `portfolio.toml` cannot be read, or the folder holds no table.
    """
    declared, problems = read_toml_file(folder)
    names = sorted(p.name for p in folder.iterdir() if p.is_file())
    ignored, found = left_out(declared.place, declared.ignored, names)
    problems += found
    listed = {name: folder / name for name in names if name not in ignored}
    files, found = _match_files(listed, tables or {})
    problems += found
    raws: dict[str, RawTable] = {}
    for table, path in files.items():
        place = Place(table, path.name)
        try:
            raws[table], said = read_csv(path, place, declared.format)
            problems += said
        except Unreadable as error:
            problems.append(place.unreadable(error))
        except OSError as error:
            problems.append(_unreadable_file(place, error))
    if not files and not any(p["severity"] == "error" for p in problems):
        books = [
            p.name
            for p in sorted(folder.iterdir())
            if p.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods")
            and not p.name.startswith("~$")
        ]
        hint = f" There is a workbook: read '{books[0]}' itself." if books else ""
        csvs = [p.name for p in sorted(folder.iterdir()) if p.suffix.lower() == ".csv"]
        if csvs:
            hint = (
                f" It has {listing(csvs, 3)}: rename the file that lists the projects "
                "to projects.csv, and others to the table they hold (progress.csv, "
                "milestones.csv, actuals.csv, spend.csv, ...)."
            )
        raise fatal(
            Place("portfolio", folder.name),
            "missing_file",
            f"The folder holds no table. Put at least projects.csv into it.{hint}",
        )
    return declared, raws, problems


def _unreadable_file(place: Place, error: OSError) -> Problem:
    return place.error(
        "unreadable_file",
        found=error.strerror or "",
        fix="The file cannot be opened. Check its rights, and that no other program "
        "locks it.",
    )


def read_toml_file(folder: Path) -> tuple[Declared, list[Problem]]:
    """Return what the `portfolio.toml` of a folder declares, nothing without one."""
    place = Place("portfolio", TOML)
    path = next((p for p in folder.iterdir() if p.name.casefold() == TOML), None)
    if path is None:
        return Declared(place), []
    try:
        text, guess = decode(_bytes(path))
        declared, problems = read_toml(text.lstrip("\ufeff"), place)
    except Unreadable as error:
        raise fatal(place, error.rule, error.fix, found=error.found) from error
    except (ValueError, RecursionError) as error:
        raise fatal(
            place,
            "unreadable_toml",
            "The file is no TOML. Texts and periods stand in quotes: start = "
            '"2027-01".',
            found=str(error),
        ) from error
    except OSError as error:
        raise DataError(problems_table([_unreadable_file(place, error)])) from error
    if guess:
        problems.append(_guessed(place, guess, text))
    return declared, problems


def _bytes(path: Path) -> bytes:
    most = MAX_TOML_BYTES if path.name.casefold() == TOML else MAX_FILE_BYTES
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(
            "unreadable_file",
            "This is no file but a folder, a device or a pipe. Put the file there.",
        )
    if found.st_size > most:
        raise Unreadable(
            "file_too_large",
            f"The file has {found.st_size / 2**20:.0f} MB; at most {most // 2**20} "
            "MB are read. Keep only the rows that are needed.",
        )
    with path.open("rb") as file:
        return file.read(most)


def _match_files(
    listed: dict[str, Path], chosen: Mapping[str, str]
) -> tuple[dict[str, Path], list[Problem]]:
    """Return table -> file, by name, of the files of a folder."""
    names = table_names()
    matched: dict[str, Path] = {}
    problems: list[Problem] = []
    for table, name in chosen.items():
        if name not in listed:
            problems.append(missing_choice(Place(table, name), "folder", listed))
        else:
            matched[table] = listed[name]
    unknown = []
    for path in listed.values():
        if path.suffix.lower() not in CSV_SUFFIXES or path in matched.values():
            continue
        if path.name.startswith((".", "~")):
            continue
        table = names.get(fold(path.stem), "")
        if table and table != "portfolio" and table in chosen:
            table = ""  # another file was chosen for it
        if not table or table == "portfolio":
            unknown.append(path)
        elif table in matched:
            problems.append(
                Place(table, path.name).error(
                    "duplicate_table",
                    found=f"{matched[table].name}, {path.name}",
                    fix=f"Both files hold the table '{table}'. Keep one of them in the "
                    "folder.",
                )
            )
        else:
            matched[table] = path
    problems += [
        unknown_name(
            Place("portfolio", path.name), path.stem, matched, _first_rows(path), chosen
        )
        for path in unknown
    ]
    return matched, problems + _foreign_tables(listed.values(), matched)


def _foreign_tables(
    paths: Iterable[Path], matched: Mapping[str, Path]
) -> list[Problem]:
    """Return an error for each table that waits in a file of another kind."""
    problems = []
    for path in paths:
        table = named_table(path.stem)[0]
        foreign = path.suffix.lower() in _FOREIGN and not path.name.startswith("~")
        if foreign and table and table not in matched and matched:
            problems.append(unread_copy(Place(table, path.name), table))
    return problems


def _first_rows(path: Path) -> list[list[Any]]:
    """Return the first records of a file whose name is no table, as far as they go."""
    with path.open("rb") as file:
        data = file.read(_SAMPLE_BYTES)
    head = data.rpartition(b"\n")[0] or data
    try:
        text, _ = decode(head)
        lines = text.lstrip("\ufeff").splitlines()[:_SAMPLE_LINES]
        table = named_table(path.stem)[0] or "projects"
        delimiter = _delimiter("\n".join(lines), table)
        return [list(record) for record in csv.reader(lines, delimiter=delimiter)]
    except (Unreadable, csv.Error):
        return []


def read_csv(
    path: Path, place: Place, declared: FileFormat
) -> tuple[RawTable, list[Problem]]:
    """Return the records of a CSV file and what was recognised.

    Raises
    ------
    Unreadable
        If the file is no text, is too large or its quotes are broken.
    """
    text, guess = decode(_bytes(path), declared.encoding)
    problems = [_guessed(place, guess, text)] if guess else []
    if not text.strip():
        raise Unreadable(
            "empty_file",
            "The file is empty. Write a header line, or remove the file.",
        )
    head = text.split("\n", 1)[0].strip()
    delimiter = declared.delimiter
    first = 1
    if head.casefold().startswith("sep=") and len(head) == 5:
        delimiter, first = delimiter or head[4], 2
        text = text.split("\n", 1)[1] if "\n" in text else ""
    delimiter = delimiter or _delimiter(text, place.table)
    if text.count(delimiter) + text.count("\n") > MAX_FIELDS:
        raise Unreadable(
            "file_too_large",
            f"The file has more than {MAX_FIELDS // 10**6} million fields. Keep only "
            "the rows that are needed.",
        )
    records, lines = _records(text, delimiter, first)
    return RawTable(place, records, lines, delimiter=delimiter), problems


def _guessed(place: Place, encoding: str, text: str) -> Problem:
    words = re.split(r"[\s,;|]+", text[:1_000_000])
    sample = next((w for w in words if not w.isascii()), "")
    return place.warning(
        "encoding_guessed",
        found=sample[:40],
        fix=f"The file is not UTF-8; it is read as {encoding}. If the text looks "
        "wrong, declare [files] encoding in portfolio.toml.",
    )


def _records(
    text: str, delimiter: str, first: int
) -> tuple[list[list[Any]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, lines = [], []
    line = first
    try:
        for record in reader:
            records.append(record)
            lines.append(line)
            line = reader.line_num + first
    except csv.Error as error:
        if "field limit" in str(error):
            raise Unreadable(
                "field_too_long",
                "A field is longer than 131,072 characters. Is a quote missing?",
                row=line,
            ) from error
        raise Unreadable(
            "broken_quotes",
            "The quotes of this row do not match. A quote inside a quoted text is "
            'written twice: "".',
            found=str(error),
            row=line,
        ) from error
    return records, lines


def _delimiter(text: str, table: str) -> str:
    """Return the delimiter under which the first lines name most known columns."""
    sample = io.StringIO(text[:100_000], newline="")
    lines = [line for _, line in zip(range(_SAMPLE_LINES), sample, strict=False)]
    best, best_score = ",", (0, 0)
    for delimiter in _DELIMITERS:
        for cells in csv.reader(lines, delimiter=delimiter):
            score = (known_names(table, list(cells)), len(cells))
            if score > best_score and len(cells) > 1:
                best, best_score = delimiter, score
    return best
