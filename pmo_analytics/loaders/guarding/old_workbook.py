"""Is an old binary workbook (.xls) safe to open? Its cells are measured first.

Only as much of the format is read as that needs: the chain of sectors that holds the
stream `Workbook`, its sheets, and row and column of each cell ([MS-CFB], [MS-XLS]).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pmo_analytics.loaders.findings import MAC_SHIFT, SheetFacts, Unreadable
from pmo_analytics.loaders.guarding.number_formats import currency_of, shows_clock

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_BOF, _EOF, _BOUNDSHEET, _FILEPASS = 0x0809, 0x000A, 0x0085, 0x002F
_SST, _CONTINUE, _DIMENSIONS = 0x00FC, 0x003C, 0x0200
_NUMBER, _LABEL, _BOOLERR, _RK, _LABELSST = 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD
_DATEMODE, _UNCALCED, _ROW, _COLINFO, _MERGED = 0x0022, 0x005E, 0x0208, 0x007D, 0x00E5
_FORMAT, _XF = 0x041E, 0x00E0
_RSTRING, _FORMULA, _MULRK, _BLANK, _MULBLANK = 0x00D6, 0x0006, 0x00BD, 0x0201, 0x00BE
_CELLS = {_NUMBER, _LABEL, _BOOLERR, _RK, _LABELSST, _RSTRING, _FORMULA, _MULRK}
_NUMBERS = {_NUMBER, _RK, _FORMULA, _MULRK}
_STATES = {1: "hidden", 2: "very hidden"}
_ERROR_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def check_old_workbook(
    data: bytes, *, max_cells: int, max_text: int
) -> dict[str, SheetFacts]:
    """Return what the reader does not tell, by sheet.

    Raises
    ------
    Unreadable
        If the file is damaged, protected, or its sheets are too large.
    """
    try:
        stream = _stream(data)
        return _check_stream(stream, max_cells, max_text)
    except (struct.error, LookupError, UnicodeDecodeError) as error:
        raise _corrupt() from error


def is_encrypted(data: bytes) -> bool:
    """Return whether this is the wrapping of a workbook with a password."""
    return "EncryptedPackage".encode("utf-16-le") in data


def _corrupt() -> Unreadable:
    return Unreadable(
        "corrupt_file",
        "The workbook is damaged. Open it in Excel and save it as .xlsx.",
    )


def _protected() -> Unreadable:
    return Unreadable(
        "encrypted_file",
        "The workbook is protected with a password. Save a copy without it.",
    )


def _too_large(found: str) -> Unreadable:
    return Unreadable(
        "workbook_too_large",
        "A sheet is larger than any table of a portfolio. Delete empty rows and "
        "columns beyond the data (Ctrl+End shows the last cell), then save it.",
        found=found,
    )


def _stream(data: bytes) -> bytes:
    """Return the stream `Workbook` (or `Book`) of a compound file."""
    file = _Compound(data)
    entries = _entries(file.read(file.first_dir))
    if "encryptedpackage" in entries:
        raise _protected()
    found = entries.get("workbook") or entries.get("book")
    if found is None:
        raise _corrupt()
    start, length = found
    if length >= file.cutoff:
        return file.read(start)[:length]
    root, small = file.read(entries["root entry"][0]), file.small_table()
    parts = (root[n * 64 : n * 64 + 64] for n in _chain(start, small))
    return b"".join(parts)[:length]


class _Compound:
    """The sectors of a compound file, and the table that links them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if self.shift not in (9, 12) or mini_shift != 6:
            raise _corrupt()
        self.links = f"<{(1 << self.shift) // 4}I"
        self.first_dir, self.cutoff, self._small = struct.unpack_from(
            "<I4xII", data, 48
        )
        self.table: list[int] = []
        for number in self._table_sectors():
            if number < 0xFFFFFFFA:
                block = self.sector(number).ljust(1 << self.shift, b"\xff")
                self.table += struct.unpack(self.links, block)
            if len(self.table) > len(data):
                raise _corrupt()

    def _table_sectors(self) -> list[int]:
        found = list(struct.unpack_from("<109I", self.data, 76))
        following, seen = struct.unpack_from("<I", self.data, 68)[0], 0
        while following not in (_END, _FREE):
            block = struct.unpack(self.links, self.sector(following))
            found += block[:-1]
            following, seen = block[-1], seen + 1
            if seen > len(self.data) >> self.shift:
                raise _corrupt()
        return found

    def sector(self, number: int) -> bytes:
        start = (number + 1) << self.shift
        if start >= len(self.data):
            raise _corrupt()
        return self.data[start : start + (1 << self.shift)]

    def read(self, first: int) -> bytes:
        return b"".join(self.sector(n) for n in _chain(first, self.table))

    def small_table(self) -> list[int]:
        return [
            link
            for n in _chain(self._small, self.table)
            for link in struct.unpack(self.links, self.sector(n))
        ]


def _chain(first: int, table: list[int]) -> Iterator[int]:
    count = 0
    while first not in (_END, _FREE):
        yield first
        first, count = table[first], count + 1
        if count > len(table):
            raise _corrupt()


def _entries(directory: bytes) -> dict[str, tuple[int, int]]:
    """Return name -> first sector and length of the streams of a compound file."""
    entries: dict[str, tuple[int, int]] = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le")
        if name:
            place = struct.unpack_from("<II", directory, at + 116)
            entries.setdefault(name.casefold(), place)
    return entries


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


@dataclass
class _Book:
    """What a workbook says of its sheets before they come."""

    offsets: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    shift: int = 0
    shared: list[bytes] = field(default_factory=list)
    wide: bool = True
    codes: dict[int, str] = field(default_factory=dict)
    formats: list[int] = field(default_factory=list)

    def shown(self) -> list[tuple[str, bool]]:
        """Return of each cell format its currency, and whether it shows a time."""
        return [
            (currency_of(code), shows_clock(number, code))
            for number in self.formats
            for code in [self.codes.get(number, "")]
        ]


def _book(stream: bytes) -> _Book:
    book, last = _Book(), 0
    for kind, body in _records(stream, 0):
        if kind == _BOF:
            book.wide = struct.unpack_from("<H", body)[0] >= 0x0600
        elif kind == _FILEPASS:
            raise _protected()
        elif kind == _BOUNDSHEET:
            name = _sheet_name(body, book.wide)
            book.offsets[name] = struct.unpack_from("<I", body)[0]
            book.states[name] = _STATES.get(body[4] & 3, "")
        elif kind == _FORMAT:
            number = struct.unpack_from("<H", body)[0]
            book.codes[number] = _format_code(body, book.wide)
        elif kind == _XF:
            book.formats.append(struct.unpack_from("<H", body, 2)[0])
        elif kind == _DATEMODE:
            book.shift = MAC_SHIFT if body[:1] == b"\x01" else 0
        elif kind == _SST or (kind == _CONTINUE and last == _SST):
            book.shared.append(body)
            kind = _SST
        elif kind == _EOF:
            break
        last = kind
    return book


def _check_stream(
    stream: bytes, max_cells: int, max_text: int
) -> dict[str, SheetFacts]:
    book = _book(stream)
    lengths = _shared_lengths(book.shared)
    result: dict[str, _Sheet] = {}
    used: Counter[int] = Counter()
    cells = area = 0
    shown = book.shown()
    for name, offset in book.offsets.items():
        sheet = _check_sheet(stream, offset, book.wide, used, shown)
        rows, columns = sheet.rows, sheet.columns
        cells += sheet.count
        area += rows * columns
        if cells > max_cells or rows * columns > max_cells or area > 2 * max_cells:
            raise _too_large(f"{name}: {rows:,} rows x {columns:,} columns")
        sheet.facts.state, sheet.facts.shift = book.states[name], book.shift
        result[name] = sheet
    text = sum(n * lengths[i] for i, n in used.items() if i < len(lengths))
    if text > max_text:
        raise _too_large(f"{text / 1e6:,.0f} million characters of text")
    # A program that cannot calculate saves 0 and says so, or a blank text everywhere.
    results = any(sheet.results for sheet in result.values())
    for sheet in result.values():
        sheet.facts.unsaved |= sheet.zeros if sheet.uncalculated else set()
        sheet.facts.unsaved |= set() if results else sheet.blanks
    return {name: sheet.facts for name, sheet in result.items()}


@dataclass
class _Sheet:
    """Extent and facts of a sheet, and its formulas that show 0 or a blank text.

    `shown` tells of each cell format its currency, and whether it shows a time.
    """

    shown: list[tuple[str, bool]] = field(default_factory=list)
    facts: SheetFacts = field(default_factory=SheetFacts)
    rows: int = 0
    columns: int = 0
    count: int = 0
    uncalculated: bool = False
    results: bool = False
    zeros: set[tuple[int, int]] = field(default_factory=set)
    blanks: set[tuple[int, int]] = field(default_factory=set)

    def note_cell(self, kind: int, body: bytes, used: Counter[int]) -> None:
        """Count a cell, or several beside each other; `used` counts shared texts."""
        row, column = struct.unpack_from("<HH", body)
        place = row + 1, column
        if kind == _MULRK:
            self.count += max((len(body) - 6) // 6 - 1, 0)
            column = max(column, struct.unpack_from("<H", body, len(body) - 2)[0])
        elif kind == _LABELSST:
            used[struct.unpack_from("<I", body, 6)[0]] += 1
        elif kind == _BOOLERR and len(body) >= 8 and body[7]:
            self.facts.errors[place] = _ERROR_TEXTS.get(body[6], "#ERROR")
        elif kind == _FORMULA:
            self.note_formula(place, body)
        if kind in _NUMBERS:
            self.note_formats(kind, place, body)
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)
        self.count += 1

    def note_formats(self, kind: int, place: tuple[int, int], body: bytes) -> None:
        """Look at the formats of a number, or of several beside each other."""
        row, first = place
        last = len(body) - 5 if kind == _MULRK else 5
        for column, at in enumerate(range(4, last, 6), first):
            index = struct.unpack_from("<H", body, at)[0]
            sign, clock = self.shown[index] if index < len(self.shown) else ("", False)
            (self.facts.clocks if clock else self.facts.no_clocks).add(column)
            if sign:
                self.facts.currencies.setdefault((column, sign), row)

    def note_formula(self, place: tuple[int, int], body: bytes) -> None:
        """Look at the result that was saved with a formula."""
        special = body[12:14] == b"\xff\xff"
        if special and body[6:7] == b"\x02":
            self.facts.errors[place] = _ERROR_TEXTS.get(body[8], "#ERROR")
        elif special and body[6:7] == b"\x03":
            self.blanks.add(place)
        elif not any(body[6:14]):
            self.zeros.add(place)
        else:
            self.results = True


def _format_code(body: bytes, wide: bool) -> str:
    if not wide:
        return body[3 : 3 + body[2]].decode("latin-1")
    count, flags = struct.unpack_from("<HB", body, 2)
    if flags & 1:
        return body[5 : 5 + 2 * count].decode("utf-16-le")
    return body[5 : 5 + count].decode("latin-1")


def _sheet_name(body: bytes, wide: bool) -> str:
    count = body[6]
    if not wide:
        return body[7 : 7 + count].decode("latin-1")
    if body[7] & 1:
        return body[8 : 8 + 2 * count].decode("utf-16-le")
    return body[8 : 8 + count].decode("latin-1")


def _check_sheet(
    stream: bytes,
    offset: int,
    wide: bool,
    used: Counter[int],
    shown: list[tuple[str, bool]],
) -> _Sheet:
    sheet = _Sheet(shown)
    facts = sheet.facts
    for kind, body in _records(stream, offset):
        if kind == _EOF:
            break
        if kind == _DIMENSIONS:
            # The reader reserves memory by it.
            form = "<4xI2xH" if wide and len(body) >= 14 else "<2xH2xH"
            claimed = struct.unpack_from(form, body)
            sheet.rows = max(sheet.rows, claimed[0])
            sheet.columns = max(sheet.columns, claimed[1])
        elif kind in _CELLS:
            sheet.note_cell(kind, body, used)
        elif kind == _UNCALCED:
            sheet.uncalculated = True
        elif kind == _ROW and len(body) >= 14 and body[12] & 0x20:
            row = struct.unpack_from("<H", body)[0] + 1
            facts.hidden_rows.append((row, row))
        elif kind == _COLINFO and len(body) >= 10 and body[8] & 1:
            facts.hidden_columns.append(struct.unpack_from("<HH", body))
        elif kind == _MERGED and wide:
            for at in range(2, len(body) - 7, 8):
                top, bottom, left, right = struct.unpack_from("<HHHH", body, at)
                facts.merged.append((top + 1, left, bottom + 1, right))
    return sheet


def _shared_lengths(blocks: list[bytes]) -> list[int]:
    """Return the number of characters of each shared string.

    A string may go on in the next block, which then begins with a new flag byte if
    the break is inside its characters.
    """
    if not blocks:
        return []
    total = struct.unpack_from("<I", blocks[0], 4)[0]
    lengths: list[int] = []
    block, at = 0, 8
    while len(lengths) < total and block < len(blocks):
        if at >= len(blocks[block]):
            block, at = block + 1, at - len(blocks[block])
            continue
        body = blocks[block]
        characters, flags = struct.unpack_from("<HB", body, at)
        at += 3
        extra = 0
        if flags & 0x08:
            extra += 4 * struct.unpack_from("<H", body, at)[0]
            at += 2
        if flags & 0x04:
            extra += struct.unpack_from("<I", body, at)[0]
            at += 4
        lengths.append(characters)
        left = characters
        while left:
            width = 2 if flags & 1 else 1
            here = min(left, (len(blocks[block]) - at) // width)
            left, at = left - here, at + here * width
            if left:
                block += 1
                flags, at = blocks[block][0], 1
        at += extra
    return lengths
