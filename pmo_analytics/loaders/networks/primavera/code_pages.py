"""The code page of a planning file that does not name it, found by evidence.

P6 writes an XER in the code page of the Windows that it runs on and says nowhere which
one. Two witnesses are heard: the signs of the currencies, whose table every XER holds
(the euro is 0x88 in Cyrillic Windows and 0x80 elsewhere), and the words, which are
plausible in one page and gibberish in the others.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

import numpy as np

# In the order of trust: the first of equals is taken.
PAGES = {
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1256": "Windows-1256 (Arabic)",
    "gb18030": "GB18030 (Chinese)",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNS = {"EUR": "€", "GBP": "£￡", "JPY": "¥￥", "CNY": "¥￥", "ILS": "₪"}
_SIGN_VOTE = 5.0
_MOST_WORDS = 20_000
# A file of which this share of the bytes beyond ASCII is sound UTF-8 was UTF-8.
_MOSTLY = 0.9
_LOST = "\ufffd".encode()
_LETTER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_COMMON = {
    "cp1252": frozenset("äöüßÄÖÜéèêëàâçîïôûùñáíóúãõìòåæøœÉÈÀÇÑÓÍÁÚÅÆØÊ"),
    "cp1250": frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰöüÖÜäÄß"),
}


class Decoded(NamedTuple):
    """The text of a file, its encoding, and what speaks for it ("" if it is certain).

    `lost` counts characters that fit the encoding nowhere.
    """

    text: str
    encoding: str
    reason: str
    lost: int


def decode_by_evidence(data: bytes) -> Decoded:
    """Return the text of a planning file whose encoding is not declared."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding, "")
    if wide := _wide_without_mark(data):
        return _decoded(data, wide, "every second byte is empty")
    try:
        return Decoded(data.decode("utf-8"), "utf-8", "", 0)
    except UnicodeDecodeError:
        pass
    high = int((np.frombuffer(data, dtype=np.uint8) >= 0x80).sum())
    read = data.decode("utf-8", "replace")
    if read.count("\ufffd") - data.count(_LOST) <= (1 - _MOSTLY) * high:
        return _decoded(data, "utf-8", "nearly all of it is UTF-8")
    votes = dict.fromkeys(PAGES, 0.0)
    signs = _currency_signs(data)
    for encoding in votes:
        votes[encoding] += _SIGN_VOTE * _agreeing(signs, encoding)
    by_signs = max(votes.values()) > 0
    words = _odd_words(_without_currencies(data))
    for word in words:
        for encoding in votes:
            votes[encoding] += _plausible(word, encoding)
    best = max(votes, key=lambda encoding: votes[encoding])
    if votes[best] <= 0:
        return _decoded(data, "cp1252", "nothing speaks for another one")
    parts = ["the currency signs"] * by_signs + ["the words"] * bool(words)
    return _decoded(data, best, " and ".join(parts) + " fit it best")


def _decoded(data: bytes, encoding: str, reason: str) -> Decoded:
    text = data.decode(encoding, "replace")
    # Signs that were replaced before the file was written are not lost here.
    before = data.count(_LOST) if encoding.startswith("utf-8") else 0
    return Decoded(text, encoding, reason, max(0, text.count("\ufffd") - before))


def _wide_without_mark(data: bytes) -> str:
    head = data[:4096]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > 0.6 * len(head) / 2 and even == 0:
        return "utf-16-le"
    if even > 0.6 * len(head) / 2 and odd == 0:
        return "utf-16-be"
    return ""


def _odd_words(data: bytes) -> list[bytes]:
    """Return the different words with letters beyond ASCII, the first of them."""
    places = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) >= 0x80)
    found: dict[bytes, None] = {}
    at = 0
    while at < len(places) and len(found) < _MOST_WORDS:
        begin = end = int(places[at])
        while begin and data[begin - 1] in _LETTER:
            begin -= 1
        while end < len(data) and (data[end] >= 0x80 or data[end] in _LETTER):
            end += 1
        found[data[begin:end]] = None
        at = int(np.searchsorted(places, end))
    return list(found)


def _currency_part(data: bytes) -> tuple[int, int]:
    start = data.find(b"%T\tCURRTYPE")
    if start < 0:
        return 0, 0
    end = data.find(b"%T", start + 2)
    return start, len(data) if end < 0 else end


def _without_currencies(data: bytes) -> bytes:
    start, end = _currency_part(data)
    return data[:start] + data[end:]


def _currency_signs(data: bytes) -> list[tuple[bytes, str]]:
    """Return the signs beyond ASCII, each with what it should look like."""
    start, end = _currency_part(data)
    found: list[tuple[bytes, str]] = []
    fields: list[bytes] = []
    for line in data[start:end].splitlines():
        cells = line.split(b"\t")
        if cells[0] == b"%F":
            fields = cells
        if cells[0] != b"%R" or b"curr_symbol" not in fields:
            continue
        row = dict(zip(fields, cells, strict=False))
        name = row.get(b"curr_short_name", b"").decode("ascii", "replace").strip()
        sign = row.get(b"curr_symbol", b"").strip()
        if name in _SIGNS and any(byte >= 0x80 for byte in sign):
            found.append((sign, _SIGNS[name]))
    return found


def _agreeing(signs: list[tuple[bytes, str]], encoding: str) -> int:
    return sum(sign.decode(encoding, "replace") in list(want) for sign, want in signs)


def _plausible(word: bytes, encoding: str) -> float:
    """Return how well a word reads in a code page: -1 to 1 for each odd letter."""
    try:
        text = word.decode(encoding)
    except UnicodeDecodeError:
        return -3.0
    odd = [c for c in text if not c.isascii()]
    if encoding == "gb18030":
        return sum(_everyday_chinese(c) for c in odd)
    if not all(c.isalpha() for c in odd):
        return -1.0 * len(odd)
    cased = text.islower() or text.isupper() or text[1:].islower()
    if encoding == "cp1251":
        whole = all("\u0400" <= c <= "\u04ff" for c in text) and cased
        return len(odd) if whole else -1.0 * len(odd)
    if encoding == "cp1256":
        if all("\u0600" <= c <= "\u06ff" for c in text):
            return float(len(odd))
        # The French letters of this page stand where Western Europe has them.
        return -1.0 * len(odd)
    if not cased or (len(odd) > 2 and len(odd) > 0.6 * len(text)):
        return -1.0 * len(odd)
    return sum(1.0 if c in _COMMON[encoding] else 0.2 for c in odd)


def _everyday_chinese(char: str) -> float:
    try:
        code = char.encode("gb2312")
    except UnicodeEncodeError:
        return -1.0
    if len(code) != 2:
        return -1.0
    # Two bytes a character: as much for both as for two letters.
    return 2.0 if 0xB0 <= code[0] <= 0xD7 or code[0] == 0xA3 else 0.2
