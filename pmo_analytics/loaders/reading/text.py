"""Bytes become text: byte order marks, UTF-8, declared and recognised code pages."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable

from pmo_analytics.loaders.findings import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"PK\x03\x04", "a workbook (.xlsx or .ods)"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (.xls)"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed archive"),
)
# Share of characters from the everyday part of a code page that tells real text
# from a wrong reading; the latter scatters over rare characters.
_EVERYDAY = 0.7
_ENOUGH_HANGUL = 12
_FIX = (
    "Save the file as UTF-8 ('CSV UTF-8' in Excel), or declare its code page in "
    "portfolio.toml, for example [files] encoding = 'gb18030'."
)


def decode(data: bytes, declared: str = "") -> tuple[str, str]:
    """Return the text of a file and the code page that was guessed, if any.

    Tried in order: a byte order mark, strict UTF-8, the declared code page, then
    recognition among the code pages of Chinese, Japanese, Korean and European
    Windows.

    Raises
    ------
    Unreadable
        If the bytes are no text, or fit none of these.
    """
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            raise Unreadable(
                "binary_file",
                f"The file is {what} under another name. Save the table as CSV, or "
                "give the workbook itself its own suffix and read that.",
            )
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding, "wrong_encoding"), ""
    if b"\0" in data:
        raise Unreadable(
            "binary_file",
            "The file holds NUL bytes, so it is damaged or no text. " + _FIX,
        )
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    if declared:
        return _strict(data, declared, "wrong_encoding"), ""
    guess = recognise(data)
    if not guess:
        raise Unreadable("unknown_encoding", _FIX)
    return data.decode(guess), guess


def is_encoding(name: str) -> bool:
    """Return whether Python knows a text encoding of this name."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def _strict(data: bytes, encoding: str, rule: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            rule,
            f"The bytes do not fit the encoding {encoding}. {_FIX}",
            found=data[error.start : error.start + 4].hex(" "),
            row=line,
        ) from error


def recognise(data: bytes) -> str:
    """Return the code page that bytes which are not UTF-8 fit best, or ""."""
    scores: dict[str, float] = {}
    for encoding, everyday in _WIDE.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        counts = Counter(c for c in text if not c.isascii())
        total = max(sum(counts.values()), 1)
        scores[encoding] = sum(n * everyday(c) for c, n in counts.items()) / total
        # Korean syllables lie in the same bytes as everyday Chinese: only a longer
        # text that never leaves them is taken for Korean.
        if encoding == "cp949" and (
            scores[encoding] < 0.99
            or sum("가" <= c <= "힣" for c in counts) < _ENOUGH_HANGUL
        ):
            scores[encoding] = 0.0
        if encoding == "cp932" and not _has_kana(counts):
            scores[encoding] = 0.0
    if scores.get("cp949"):
        return "cp949"
    # max keeps the first of equals: the order of _WIDE is the order of trust.
    best = max(scores, key=lambda e: scores[e], default="")
    if best and scores[best] >= _EVERYDAY:
        return best
    return _recognise_single_byte(data)


def _recognise_single_byte(data: bytes) -> str:
    if any(byte < 32 and byte not in b"\t\n\r\f\v" for byte in set(data)):
        return ""
    high = sum(byte >= 0xC0 for byte in data)
    in_runs = sum(len(run) for run in re.findall(rb"[\xa8\xb8\xc0-\xff]{3,}", data))
    if high and in_runs >= 0.6 * high:  # whole words beyond ASCII
        from charset_normalizer import from_bytes

        hit = from_bytes(data[:200_000], cp_isolation=["cp1251", "cp1253"]).best()
        if hit is not None:
            return _if_strict(data, hit.encoding)
    return max(
        (e for e in _LETTERS if _if_strict(data, e)),
        key=lambda e: sum(c in _LETTERS[e] for c in data.decode(e)),
        default="",
    )


def _if_strict(data: bytes, encoding: str) -> str:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return encoding


def _weight(char: str, encoding: str, first: int, everyday: int, rare: int) -> float:
    """Return 1 for an everyday character of a code page, 0.5 for a rarer one."""
    try:
        code = char.encode(encoding)
    except UnicodeEncodeError:
        return 0.0
    if len(code) != 2 or not first <= code[0] <= rare:
        return 0.0
    return 1.0 if code[0] <= everyday else 0.5


def _gb2312(char: str) -> float:
    # Four bytes of GB18030 cannot come about by chance.
    if len(char.encode("gb18030")) == 4:
        return 1.0
    return _weight(char, "gb2312", 0xA1, 0xD7, 0xF7)


def _has_kana(counts: Counter[str]) -> bool:
    kana = sum(n for c, n in counts.items() if "ぁ" <= c <= "ヿ")
    return kana >= 0.1 * sum(counts.values())


_WIDE: dict[str, Callable[[str], float]] = {
    "gb18030": _gb2312,
    "big5": lambda char: _weight(char, "big5", 0xA1, 0xC6, 0xF9),
    "cp932": lambda char: _weight(char, "cp932", 0x81, 0x98, 0x9F),
    "cp949": lambda char: _weight(char, "euc_kr", 0xA1, 0xC8, 0xC8),
}
_LETTERS = {
    "cp1252": frozenset("äöüßÄÖÜéèêëàâçîïôûùñáíóúãõìòåæøœÉÈÀÇÑÓÍÁÚÅÆØÊ"),
    "cp1250": frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰöüÖÜäÄßçÇ"),
}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")


def without_controls(text: str) -> str:
    """Return a text without control characters other than tab and newlines."""
    return _CONTROL.sub("", text)


def has_controls(text: str) -> bool:
    """Return whether a text holds control characters other than tab and newlines."""
    return _CONTROL.search(text) is not None
