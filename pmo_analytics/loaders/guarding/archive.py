"""Is a workbook safe to open? Sizes, cells and XML are checked before it is.

Readers of workbooks allocate the whole rectangle between the first and the last
cell, and inflate whatever the file holds: a few kilobytes can end the process. So
every part is inflated here piece by piece under a limit, its XML is parsed with
document types forbidden, and the rectangles are measured, before `workbook` hands
the file on. The same pass notes what the reader does not tell (`SheetFacts`): errors,
formulas without a saved result, what is hidden, merged cells, the first day of the
calendar (`xlsxsheets`, `odssheets`).
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from pmo_analytics.loaders.findings import SheetFacts, Unreadable
from pmo_analytics.loaders.guarding.ods_sheets import OdsScan
from pmo_analytics.loaders.guarding.old_workbook import check_old_workbook, is_encrypted
from pmo_analytics.loaders.guarding.sheet_scan import Budget, Scan, Target, too_large
from pmo_analytics.loaders.guarding.xlsx_sheets import XlsxScan

MAX_FILE_BYTES = 200 * 2**20
MAX_INFLATED_BYTES = 300 * 2**20
# A part that inflates more than this is a bomb; table data reaches 10 to 30.
MAX_RATIO = 200
RATIO_FROM_BYTES = 10 * 2**20
MAX_ENTRIES = 10_000
MAX_CELLS = 5_000_000
MAX_TEXT = 300_000_000
_CHUNK = 2**18


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
        return check_old_workbook(
            path.read_bytes(), max_cells=MAX_CELLS, max_text=MAX_TEXT
        )
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


# ------------------------------------------------------------------------------ zip


def _check_zip(archive: zipfile.ZipFile, suffix: str) -> dict[str, SheetFacts]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise too_large(f"{len(entries)} parts")
    declared = sum(entry.file_size for entry in entries)
    if declared > MAX_INFLATED_BYTES:
        raise too_large(f"{declared / 2**20:.0f} MB when inflated")
    parts = {entry.filename.casefold(): entry for entry in entries}
    if len(parts) < len(entries):
        raise Unreadable(
            "corrupt_file",
            "Two parts of the workbook have the same name. Save it again in Excel.",
        )
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise _protected()
    budget = Budget(MAX_INFLATED_BYTES, MAX_CELLS, MAX_TEXT)
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
        return _scan(archive, parts, XlsxScan(budget), budget)
    if kinds == [".ods"] and suffix == ".ods":
        return _scan(archive, parts, OdsScan(budget), budget)
    if len(kinds) == 1:
        raise _misnamed(kinds[0])
    raise Unreadable(
        "corrupt_file",
        "The file is an archive and no workbook that can be read (.xlsx, .xlsm, .xls "
        "or .ods). Save it as .xlsx.",
        found=", ".join(list(parts)[:3]),
    )


def _scan(
    archive: zipfile.ZipFile,
    parts: dict[str, zipfile.ZipInfo],
    scan: Scan,
    budget: Budget,
) -> dict[str, SheetFacts]:
    """Inflate every part, those that explain others first, and look at the XML."""
    first = [name for name in scan.first if name in parts]
    for name in (*first, *(n for n in parts if n not in first)):
        target = scan.target(name)
        if target is None:
            _skim(archive, parts[name], budget)
        else:
            _feed(archive, parts[name], budget, target)
    return scan.facts()


def _protected() -> Unreadable:
    return Unreadable(
        "encrypted_file",
        "The workbook is protected with a password. Save a copy without it.",
    )


def _inflate(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget
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
                raise too_large(f"{entry.filename} inflates more than {MAX_RATIO}-fold")
            yield piece
    if not plain:
        if not engine.eof:
            raise EOFError(f"{entry.filename} ends too early")
        yield engine.flush()


def _feed(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    budget: Budget,
    target: Target,
) -> None:
    """Inflate a part and parse it into a target.

    The rules are those of defusedxml with document types forbidden; its own parsers
    are several times slower, and sheets are large.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    target.parser = parser
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


def _skim(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> None:
    """Inflate a part that the reader leaves alone; only its size and DTDs count."""
    tail = b""
    for piece in _inflate(archive, entry, budget):
        if b"<!DOCTYPE" in tail + piece:
            _forbidden()
        tail = piece[-16:]
