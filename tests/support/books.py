"""Workbooks built by hand: small portfolios, old binary ones, and bombs."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import openpyxl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF


def write_book(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """Write sheets of plain cells; text stays text, also `=1+1`."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def replace_part(path: Path, part: str, content: str | bytes) -> Path:
    """Put other content into one part of a zip file."""
    with zipfile.ZipFile(path) as old:
        parts = {entry.filename: old.read(entry) for entry in old.infolist()}
    parts[part] = content.encode() if isinstance(content, str) else content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return path


def sheet_xml(rows: str, before: str = "") -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return (
        f'{head}{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>'
        "</worksheet>"
    )


def lie_about_size(path: Path, part: str, claimed: int, content: bytes) -> Path:
    """Store a part whose headers claim that it is small."""
    replace_part(path, part, content)
    data = bytearray(path.read_bytes())
    true_size, name = struct.pack("<I", len(content)), part.encode()
    crc = struct.pack("<I", zlib.crc32(content[:claimed]))
    at = 0
    while (at := data.find(name, at + 1)) >= 0:
        for shift in (-8, -22):  # local header, central directory
            if data[at + shift : at + shift + 4] == true_size:
                data[at + shift : at + shift + 4] = struct.pack("<I", claimed)
                data[at + shift - 8 : at + shift - 4] = crc
    path.write_bytes(bytes(data))
    return path


# ------------------------------------------------------------------------------ ods


def write_ods(path: Path, tables: dict[str, str]) -> Path:
    """Write an OpenDocument spreadsheet from the XML of its rows."""
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:"
        "xmlns:calcext:1.0",
    }
    spaces = " ".join(f'xmlns:{k}="{v}"' for k, v in names.items())
    body = "".join(
        f'<table:table table:name="{name}">{rows}</table:table>'
        for name, rows in tables.items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", kind, zipfile.ZIP_STORED)
        file.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}>'
            f"<office:body><office:spreadsheet>{body}</office:spreadsheet>"
            "</office:body></office:document-content>",
        )
        file.writestr(
            "META-INF/manifest.xml",
            f'<?xml version="1.0"?><m:manifest xmlns:m="{manifest}"><m:file-entry '
            f'm:full-path="/" m:media-type="{kind}"/></m:manifest>',
        )
    return path


def ods_row(*cells: object, repeat: int = 1) -> str:
    out = f'<table:table-row table:number-rows-repeated="{repeat}">'
    for cell in cells:
        if cell is None:
            out += "<table:table-cell/>"
        elif isinstance(cell, float):
            out += (
                f'<table:table-cell office:value-type="float" office:value="{cell}">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
        else:
            out += (
                '<table:table-cell office:value-type="string">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
    return out + "</table:table-row>"


# ------------------------------------------------------------------------------ xls


def write_xls(
    path: Path,
    sheets: dict[str, dict[tuple[int, int], object]],
    *,
    small: bool = False,
    extra: bytes = b"",
) -> Path:
    """Write an old binary workbook; cells by (row, column) from 0, `#` = error.

    Parameters
    ----------
    small
        Leave the stream below 4,096 bytes, where the format stores it otherwise.
    extra
        Records about the whole workbook, such as shared strings.
    """
    stream = _workbook_stream(sheets, extra)
    if small:
        path.write_bytes(_small_compound(stream))
    else:
        path.write_bytes(compound({"Workbook": stream}))
    return path


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _begin(kind: int) -> bytes:
    return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0x41, 6))


def _sheet_stream(cells: dict[tuple[int, int], object]) -> bytes:
    out = _begin(0x0010)
    for (row, column), value in sorted(cells.items()):
        head = struct.pack("<HHH", row, column, 0)
        if isinstance(value, bytes):  # a record of its own
            out += value
        elif isinstance(value, str) and value.startswith("#"):
            out += record(0x0205, head + b"\x17\x01")
        elif isinstance(value, str):
            text = value.encode("utf-16-le")
            out += record(0x0204, head + struct.pack("<HB", len(value), 1) + text)
        else:
            out += record(0x0203, head + struct.pack("<d", value))
    return out + record(0x000A)


def _workbook_stream(
    sheets: dict[str, dict[tuple[int, int], object]], extra: bytes
) -> bytes:
    bodies = [_sheet_stream(cells) for cells in sheets.values()]

    def globals_with(offsets: list[int]) -> bytes:
        out = _begin(0x0005)
        for name, offset in zip(sheets, offsets, strict=True):
            text = name.encode("utf-16-le")
            out += record(
                0x0085, struct.pack("<IBBBB", offset, 0, 0, len(name), 1) + text
            )
        return out + extra + record(0x000A)

    at = len(globals_with([0] * len(bodies)))
    offsets = []
    for body in bodies:
        offsets.append(at)
        at += len(body)
    return globals_with(offsets) + b"".join(bodies)


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )


def _header(fat: int, directory: int, mini_fat: int, minis: int) -> bytes:
    return (
        bytes.fromhex("D0CF11E0A1B11AE1")
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
        + struct.pack("<IIIII", 0, 1, directory, 0, 4096)
        + struct.pack("<IIII", mini_fat, minis, _END, 0)
        + struct.pack("<109I", fat, *[_FREE] * 108)
    )


def compound(streams: dict[str, bytes]) -> bytes:
    """Return a compound file with one stream of at least 4,096 bytes."""
    ((name, stream),) = streams.items()
    padded = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    count = len(padded) // 512
    fat = [*range(1, count), _END, _END, 0xFFFFFFFD]
    directory = _entry("Root Entry", 5, 1, _END, 0)
    directory += _entry(name, 2, _FREE, 0, len(padded))
    assert len(fat) <= 128
    return (
        _header(count + 1, count, _END, 0)
        + padded
        + directory.ljust(512, b"\0")
        + struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    )


def _small_compound(stream: bytes) -> bytes:
    """Return a compound file whose one stream lies in the mini stream."""
    assert len(stream) < 4096
    minis = -(-len(stream) // 64)
    padded = stream.ljust(-(-len(stream) // 512) * 512, b"\0")
    count = len(padded) // 512
    mini_fat = [*range(1, minis), _END, *[_FREE] * (128 - minis)]
    fat = [*range(1, count), _END, _END, _END, 0xFFFFFFFD]
    directory = _entry("Root Entry", 5, 1, 0, len(padded))
    directory += _entry("Workbook", 2, _FREE, 0, len(stream))
    return (
        _header(count + 2, count, count + 1, 1)
        + padded
        + directory.ljust(512, b"\0")
        + struct.pack("<128I", *mini_fat)
        + struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    )
