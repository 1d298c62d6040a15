"""Is a workbook safe to open? Sizes, cells and XML are checked before it is.

Readers of workbooks allocate the whole rectangle between the first and the last
cell, and inflate whatever the file holds: a few kilobytes can end the process. So
every part is inflated here piece by piece under a limit, its XML is parsed with
document types forbidden, and the rectangles are measured, before `workbook` hands
the file on. The same pass notes cells that hold errors and formulas without a saved
result, which the reader shows as blank.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.parsers import expat

from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.oldworkbook import check_old_workbook, is_encrypted

MAX_FILE_BYTES = 200 * 2**20
MAX_INFLATED_BYTES = 300 * 2**20
# A part that inflates more than this is a bomb; table data reaches 10 to 30.
MAX_RATIO = 200
RATIO_FROM_BYTES = 10 * 2**20
MAX_ENTRIES = 10_000
MAX_CELLS = 5_000_000
MAX_TEXT = 300_000_000
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
_CHUNK = 2**18
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


@dataclass
class SheetFacts:
    """What a look at the XML of a sheet told.

    Parameters
    ----------
    errors
        (row from 1, column from 0) -> text of the error.
    unsaved
        (row, column) of formulas without a saved result.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    unsaved: set[tuple[int, int]] = field(default_factory=set)


def check_workbook(path: Path) -> dict[str, SheetFacts]:
    """Return facts by sheet name of a workbook that is safe to open.

    Raises
    ------
    Unreadable
        If it is no workbook, damaged, protected, or too large in any respect.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise Unreadable(
            "file_too_large",
            f"The workbook has {size / 2**20:.0f} MB; at most "
            f"{MAX_FILE_BYTES // 2**20} MB are read. Keep only the tables.",
        )
    with path.open("rb") as file:
        magic = file.read(8)
    # The reader goes by the suffix: what is measured must be what it will read.
    old = magic.startswith(b"\xd0\xcf\x11\xe0")
    suffix = path.suffix.lower()
    if old and suffix != ".xls" and not is_encrypted(path.read_bytes()):
        raise _misnamed(".xls")
    if old:
        return {
            name: SheetFacts(errors=errors)
            for name, errors in check_old_workbook(
                path.read_bytes(), max_cells=MAX_CELLS, max_text=MAX_TEXT
            ).items()
        }
    if not magic.startswith(b"PK"):
        raise Unreadable(
            "corrupt_file",
            "The file is no workbook, whatever its name says. Open it in Excel and "
            "save it as .xlsx.",
            found=magic.decode("latin-1"),
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return _check_zip(archive, suffix)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        expat.ExpatError,
        EOFError,
        KeyError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise _corrupt(error) from error


def _corrupt(error: Exception) -> Unreadable:
    return Unreadable(
        "corrupt_file",
        "The workbook is damaged. Open it in Excel, let it be repaired, and save it.",
        found=str(error)[:200],
    )


def _misnamed(kind: str) -> Unreadable:
    return Unreadable(
        "misnamed_file",
        f"The content is that of an {kind} workbook under another suffix. Save it as "
        ".xlsx.",
        found=kind,
    )


def _too_large(found: str) -> Unreadable:
    return Unreadable(
        "workbook_too_large",
        "The workbook is larger inside than any table of a portfolio. Delete sheets "
        "that are no tables, and empty rows and columns beyond the data (Ctrl+End "
        "shows the last cell), then save it.",
        found=found,
    )


# ------------------------------------------------------------------------------ zip


def _check_zip(archive: zipfile.ZipFile, suffix: str) -> dict[str, SheetFacts]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _too_large(f"{len(entries)} parts")
    declared = sum(entry.file_size for entry in entries)
    if declared > MAX_INFLATED_BYTES:
        raise _too_large(f"{declared / 2**20:.0f} MB when inflated")
    parts = {entry.filename.casefold(): entry for entry in entries}
    if len(parts) < len(entries):
        raise Unreadable(
            "corrupt_file",
            "Two parts of the workbook have the same name. Save it again in Excel.",
        )
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise _protected()
    budget = _Budget()
    kinds = [
        kind
        for kind, part in (
            (".xlsx", "xl/workbook.xml"),
            (".ods", "content.xml"),
            (".xlsb", "xl/workbook.bin"),
        )
        if part in parts
    ]
    if kinds == [".xlsx"] and suffix in (".xlsx", ".xlsm"):
        return _check_xlsx(archive, parts, budget)
    if kinds == [".ods"] and suffix == ".ods":
        facts = _OdsContent()
        for name, entry in parts.items():
            if name == "content.xml":
                _feed(archive, entry, budget, facts)
            else:
                _skim(archive, entry, budget)
        return facts.sheets
    if len(kinds) == 1:
        raise _misnamed(kinds[0])
    raise Unreadable(
        "corrupt_file",
        "The file is an archive and no workbook that can be read (.xlsx, .xlsm, .xls "
        "or .ods). Save it as .xlsx.",
        found=", ".join(list(parts)[:3]),
    )


def _protected() -> Unreadable:
    return Unreadable(
        "encrypted_file",
        "The workbook is protected with a password. Save a copy without it.",
    )


@dataclass
class _Budget:
    """Bytes, cells and characters that the whole workbook may still use."""

    inflated: int = 0
    cells: int = 0
    area: int = 0

    def spend_bytes(self, count: int) -> None:
        self.inflated += count
        if self.inflated > MAX_INFLATED_BYTES:
            raise _too_large(f"more than {MAX_INFLATED_BYTES // 2**20} MB inflated")

    def spend_area(self, rows: int, columns: int) -> None:
        self.area += rows * columns
        if rows * columns > MAX_CELLS or self.area > 2 * MAX_CELLS:
            raise _too_large(f"a sheet of {rows:,} rows x {columns:,} columns")


def _inflate(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget
) -> Iterator[bytes]:
    """Yield the content of a part, whatever size its header claims."""
    file = archive.fp
    if file is None or entry.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise Unreadable(
            "corrupt_file",
            "The workbook is packed in an unusual way. Save it again in Excel.",
            found=entry.filename,
        )
    file.seek(entry.header_offset)
    head = file.read(30)
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no header of {entry.filename}")
    file.seek(sum(struct.unpack("<HH", head[26:30])), 1)
    left, total = entry.compress_size, 0
    plain = entry.compress_type == zipfile.ZIP_STORED
    engine = zlib.decompressobj(-15)
    while left > 0 and not engine.eof:
        packed = file.read(min(_CHUNK, left))
        if not packed:
            raise EOFError(f"{entry.filename} ends too early")
        left -= len(packed)
        while packed and not engine.eof:
            if plain:
                piece, packed = packed, b""
            else:
                piece = engine.decompress(packed, _CHUNK)
                packed = engine.unconsumed_tail
            budget.spend_bytes(len(piece))
            total += len(piece)
            if total > RATIO_FROM_BYTES and total > MAX_RATIO * entry.compress_size:
                raise _too_large(
                    f"{entry.filename} inflates more than {MAX_RATIO}-fold"
                )
            yield piece
    if not plain:
        if not engine.eof:
            raise EOFError(f"{entry.filename} ends too early")
        yield engine.flush()


def _feed(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    budget: _Budget,
    target: _Target,
) -> None:
    """Inflate a part and parse it into a target.

    The rules are those of defusedxml with document types forbidden; its own parsers
    are several times slower, and sheets are large.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _forbidden
    parser.EntityDeclHandler = _forbidden
    parser.UnparsedEntityDeclHandler = _forbidden
    parser.ExternalEntityRefHandler = _forbidden
    parser.StartElementHandler = target.start
    parser.CharacterDataHandler = target.data
    if target.ends:
        parser.EndElementHandler = target.end
    for piece in _inflate(archive, entry, budget):
        parser.Parse(piece, False)
    parser.Parse(b"", True)
    target.close()


def _forbidden(*_: object) -> int:
    raise Unreadable(
        "forbidden_xml",
        "The workbook holds document type declarations or entities, which no "
        "spreadsheet writes. Save the tables in a new workbook.",
    )


def _skim(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> None:
    """Inflate a part that the reader leaves alone; only its size and DTDs count."""
    tail = b""
    for piece in _inflate(archive, entry, budget):
        if b"<!DOCTYPE" in tail + piece:
            _forbidden()
        tail = piece[-16:]


class _Target:
    """Takes elements with whatever prefix they have; keeps nothing."""

    ends = False

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        pass

    def end(self, tag: str) -> None:
        pass

    def data(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


def _local(name: str) -> str:
    return name.rpartition(":")[2]


# ----------------------------------------------------------------------------- xlsx


def _check_xlsx(
    archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo], budget: _Budget
) -> dict[str, SheetFacts]:
    book, links, strings = _Book(), _Links(), _Strings()
    special = {
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": links,
        "xl/sharedstrings.xml": strings,
    }
    for name, target in special.items():
        if name in parts:
            _feed(archive, parts[name], budget, target)
    sheets: dict[str, str] = {}
    for sheet, link in book.sheets.items():
        goal = links.targets.get(link, "")
        place = PurePosixPath("xl", goal) if not goal.startswith("/") else goal
        sheets[str(place).lstrip("/").casefold()] = sheet
    facts: dict[str, SheetFacts] = {}
    used: Counter[int] = Counter()
    for name, entry in parts.items():
        if name in special:
            continue
        if name in sheets or name.startswith("xl/worksheets/sheet"):
            cells = _Cells(budget)
            _feed(archive, entry, budget, cells)
            budget.spend_area(cells.last_row, cells.last_column)
            used.update(cells.strings)
            if name in sheets:
                facts[sheets[name]] = cells.facts
        elif name == "xl/styles.xml":
            _feed(archive, entry, budget, _Target())
        else:
            _skim(archive, entry, budget)
    lengths = strings.lengths
    text = sum(n * lengths[i] for i, n in used.items() if 0 <= i < len(lengths))
    if text > MAX_TEXT:
        raise _too_large(f"{text / 1e6:,.0f} million characters of text")
    return facts


class _Book(_Target):
    """Collects sheet name -> relation of `xl/workbook.xml`."""

    def __init__(self) -> None:
        self.sheets: dict[str, str] = {}

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if _local(tag) == "sheet" and "name" in attrs:
            link = next((v for k, v in attrs.items() if _local(k) == "id"), "")
            self.sheets[attrs["name"]] = link


class _Links(_Target):
    """Collects relation -> part of `xl/_rels/workbook.xml.rels`."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attrs: dict[str, str]) -> None:  # noqa: ARG002
        if "Id" in attrs and "Target" in attrs:
            self.targets[attrs["Id"]] = attrs["Target"]


class _Strings(_Target):
    """Collects the length of each shared string."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, tag: str, attrs: dict[str, str]) -> None:  # noqa: ARG002
        if _local(tag) == "si":
            self.lengths.append(0)

    def data(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class _Cells(_Target):
    """Measures a worksheet: last filled row and column, errors, bare formulas.

    A cell is finished where the next one begins, which saves a call per element.
    """

    def __init__(self, budget: _Budget) -> None:
        self.budget = budget
        self.facts = SheetFacts()
        self.strings: Counter[int] = Counter()
        self.last_row = self.last_column = 0
        self._row = self._column = 0
        self._kind = self._text = ""
        self._open = self._in_value = self._inline = self._formula = False
        self._letters: dict[str, int] = {}

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = tag if ":" not in tag else _local(tag)
        self._in_value = name == "v"
        if name == "c":
            if self._open:
                self.close()
            self.budget.cells += 1
            if self.budget.cells > MAX_CELLS:
                raise _too_large(f"more than {MAX_CELLS:,} cells")
            self._place(attrs.get("r"))
            self._kind = attrs.get("t", "")
            self._text, self._inline, self._formula = "", False, False
            self._open = True
        elif name == "f":
            self._formula = True
        elif name == "is":
            self._inline = True
        elif name == "row":
            if self._open:
                self.close()
            self._row = int(attrs["r"]) if "r" in attrs else self._row + 1
            self._column = 0
            if not 1 <= self._row <= MAX_ROWS:
                raise _too_large(f"row {self._row}")

    def data(self, text: str) -> None:
        if self._in_value:
            self._text += text

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        text = self._text.strip()
        if not text and not self._inline:
            if self._formula and self._kind != "str":
                self.facts.unsaved.add((self._row, self._column - 1))
            return
        if self._row > self.last_row:
            self.last_row = self._row
        if self._column > self.last_column:
            self.last_column = self._column
        if self._kind == "e":
            self.facts.errors[self._row, self._column - 1] = text
        elif self._kind == "s" and text.isdecimal():
            self.strings[int(text)] += 1

    def _place(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
            return
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise ValueError(f"cell {reference!r}")
        letters = match[1]
        column = self._letters.get(letters)
        if column is None:
            column = 0
            for letter in letters.upper():
                column = column * 26 + ord(letter) - 64
            self._letters[letters] = column
        self._row, self._column = int(match[2]), column
        if not 1 <= self._row <= MAX_ROWS or column > MAX_COLUMNS:
            raise _too_large(f"cell {reference}")


# ------------------------------------------------------------------------------ ods


class _OdsContent(_Target):
    """Measures the tables of an OpenDocument spreadsheet."""

    ends = True

    def __init__(self) -> None:
        self.sheets: dict[str, SheetFacts] = {}
        self._facts = SheetFacts()
        self._row = self._column = self._last_column = 0
        self._row_repeat = self._cell_repeat = 1
        self._row_filled = 0
        self._cell_text = 0
        self._filled = self._error = False
        self._depth = 0
        self._row_text = self._text = 0
        self._area = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        name = _local(tag)
        plain = {_local(key): value for key, value in attrs.items()}
        if name == "table":
            self._facts = self.sheets[plain.get("name", "")] = SheetFacts()
            self._row = self._last_column = 0
        elif name == "table-row":
            self._row_repeat = _repeats(plain.get("number-rows-repeated"))
            self._column = self._row_filled = self._row_text = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._cell_repeat = _repeats(plain.get("number-columns-repeated"))
            self._filled = "value-type" in plain or "formula" in plain
            self._error = any(
                _local(k) == "value-type" and v == "error" for k, v in attrs.items()
            )
            self._cell_text, self._depth = len(plain.get("string-value", "")), 1

    def data(self, text: str) -> None:
        if self._depth:
            self._cell_text += len(text)

    def end(self, tag: str) -> None:
        name = _local(tag)
        if name in ("table-cell", "covered-table-cell"):
            self._column += self._cell_repeat
            self._depth = 0
            if self._filled or self._cell_text:
                self._row_filled = self._column
                self._row_text += self._cell_text * self._cell_repeat
                if self._error:
                    place = (self._row + 1, self._column - self._cell_repeat)
                    self._facts.errors[place] = "#ERROR"
        elif name == "table-row":
            self._row += self._row_repeat
            if not self._row_filled:
                return
            self._last_column = max(self._last_column, self._row_filled)
            self._text += self._row_text * self._row_repeat
            area = self._row * self._last_column
            if area > MAX_CELLS or self._text > MAX_TEXT:
                raise _too_large(f"{self._row:,} rows x {self._last_column:,} columns")
        elif name == "table":
            self._area += self._row * self._last_column
            if self._area > 2 * MAX_CELLS:
                raise _too_large(f"{self._area:,} cells")


def _repeats(text: str | None) -> int:
    count = int(text) if text else 1
    if not 1 <= count <= 2**24:
        raise ValueError(f"repeated {text} times")
    return count
