"""The text of an XER as its tables: lines %T (table), %F (fields), %R (row), %E (end).

Only the layout is read here. An empty cell stays "", whatever it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pmo_analytics.loaders.findings import Place, Problem, Unreadable
from pmo_analytics.loaders.networks.primavera.code_pages import (
    PAGES,
    decode_by_evidence,
)
from pmo_analytics.loaders.networks.primavera.tables import P6Table

MAX_FILE_BYTES = 300 * 2**20
MAX_ROWS = 5_000_000
MAX_FIELDS = 2_000
MAX_CELL = 5_000_000
_SHOWN = 5


@dataclass
class XerText:
    """The tables of an XER and what was found on the way to them.

    Attributes
    ----------
    header
        Cells of the line ERMHDR: version, date of export, ..., currency.
    tables
        By name. A table that comes twice is one.
    """

    header: list[str]
    tables: dict[str, P6Table]
    encoding: str
    problems: list[Problem]


def read_xer_text(path: Path, source: str) -> XerText:
    """Return the tables of an XER.

    Raises
    ------
    Unreadable
        If it is no XER or too large.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise Unreadable(
            "file_too_large",
            f"The XER has {size / 2**20:.0f} MB; at most {MAX_FILE_BYTES // 2**20} MB "
            "are read. Export fewer projects at once.",
        )
    return parse_xer(path.read_bytes(), source)


def parse_xer(data: bytes, source: str) -> XerText:
    """Return the tables of the bytes of an XER; see `read_xer_text`."""
    decoded = decode_by_evidence(data)
    place = Place("network", source)
    problems = []
    if decoded.reason:
        name = PAGES.get(decoded.encoding, decoded.encoding.upper())
        problems.append(
            place.warning(
                "guessed_encoding",
                found=decoded.encoding,
                fix=f"The file does not say its code page. It was read as {name}: "
                f"{decoded.reason}. Look at names with special letters.",
            )
        )
    gone = decoded.text.count("\ufffd")
    if gone:
        problems.append(
            place.warning(
                "lost_characters",
                found=gone,
                fix=f"{gone} characters of the file are unreadable"
                + ("" if decoded.lost else " and were so when it was written")
                + ". Names that hold them are kept with a mark.",
            )
        )
    return _Parser(place, decoded.encoding, problems).parse(decoded.text)


class _Parser:
    def __init__(self, place: Place, encoding: str, problems: list[Problem]) -> None:
        self.place, self.problems = place, problems
        self.xer = XerText([], {}, encoding, problems)
        self._table: P6Table | None = None
        self._places: list[int] = []  # of the cells of a row in the fields of its table
        self._tables, self._rows = 0, 0
        self._ragged: list[int] = []
        self._orphans: list[int] = []

    def parse(self, text: str) -> XerText:
        ended = False
        for number, line in _records(text.lstrip("\ufeff")):
            mark, _, rest = line.partition("\t")
            if mark == "%R":
                self._row(rest, number)
            elif mark == "%T":
                self._begin(rest.split("\t")[0].strip(), number)
            elif mark == "%F":
                self._fields([cell.strip() for cell in rest.split("\t")], number)
            elif mark == "ERMHDR":
                self.xer.header = [cell.strip() for cell in rest.split("\t")]
            elif mark.strip() == "%E":
                ended = True
                break
        if not self._tables:
            raise Unreadable(
                "no_xer",
                "The file holds no tables (lines that begin with %T), so it is no "
                "XER. Export the project from P6 as XER again.",
                found=text[:40],
            )
        self._said(ended)
        return self.xer

    def _begin(self, name: str, number: int) -> None:
        self._tables += 1
        self._table, self._places = None, []
        self._name = name
        if not name:
            self._orphans.append(number)

    def _fields(self, names: list[str], number: int) -> None:
        if not self._tables or not self._name:
            self._orphans.append(number)
            return
        if len(names) > MAX_FIELDS:
            raise Unreadable(
                "too_many_fields",
                f"A table of the XER has {len(names)} fields; at most {MAX_FIELDS} "
                "are read. The file is damaged: export it again.",
                row=number,
            )
        table = self.xer.tables.setdefault(self._name, P6Table([]))
        for name in names:
            if name not in table.fields:
                table.fields.append(name)
                for row in table.rows:
                    row.append("")
        self._table = table
        self._places = [table.fields.index(name) for name in names]

    def _row(self, rest: str, number: int) -> None:
        if self._table is None:
            self._orphans.append(number)
            return
        self._rows += 1
        if self._rows > MAX_ROWS or len(rest) > MAX_CELL:
            raise Unreadable(
                "too_many_rows",
                f"The XER has more than {MAX_ROWS:,} rows, or a row of more than "
                f"{MAX_CELL:,} characters. Export fewer projects at once.",
                row=number,
            )
        cells = rest.split("\t")
        places, width = self._places, len(self._table.fields)
        if len(cells) > len(places):
            if any(cell.strip() for cell in cells[len(places) :]):
                self._ragged.append(number)
            cells = cells[: len(places)]
        if places != list(range(width)):
            row = [""] * width
            for at, cell in zip(places, cells, strict=False):
                row[at] = cell
        else:
            row = cells + [""] * (width - len(cells))
        self._table.rows.append(row)
        self._table.lines.append(number)

    def _said(self, ended: bool) -> None:
        if self._ragged:
            self._warn(
                "too_many_cells",
                self._ragged,
                "have more cells than their table has fields; what is beyond them was "
                "not read. A tab inside a name does that: remove it in P6.",
            )
        if self._orphans:
            self._warn(
                "row_without_table",
                self._orphans,
                "stand before a table or its fields are named and were not read. The "
                "file is damaged: export it again.",
            )
        if not ended:
            self.problems.append(
                self.place.warning(
                    "truncated_file",
                    fix="The file has no end mark (%E), so it may be cut off and rows "
                    "may be missing. Compare the counts, or export it again.",
                )
            )

    def _warn(self, rule: str, lines: list[int], what: str) -> None:
        shown = ", ".join(map(str, lines[:_SHOWN]))
        more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        self.problems.append(
            self.place.warning(
                rule,
                row=lines[0],
                found=len(lines),
                fix=f"Lines {shown}{more} {what}",
            )
        )


def _records(text: str) -> list[tuple[int, str]]:
    """Return the lines of an XER with their numbers, those cut in pieces put together.

    A note of several lines is written as it is by some exports; what does not begin
    with a mark belongs to the line before.
    """
    records: list[tuple[int, str]] = []
    pieces: list[str] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.startswith(("%R\t", "%T\t", "%F\t", "ERMHDR", "%E")) or not records:
            if pieces:
                records[-1] = (records[-1][0], "\n".join((records[-1][1], *pieces)))
                pieces = []
            records.append((number, line))
        else:
            pieces.append(line)
    if pieces:
        records[-1] = (records[-1][0], "\n".join((records[-1][1], *pieces)))
    return records
