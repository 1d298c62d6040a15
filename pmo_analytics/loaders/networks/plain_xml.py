"""XML of planning files as plain text: checked once, then read as bytes.

Planning files of a large programme hold millions of elements, and a call of Python for
each of them is what makes reading slow. So an XML file is parsed once by a parser that
calls nobody, which proves that it is well formed; its elements are then found in the
bytes. That is sound for plain XML only: UTF-8, no prefixes, no attributes but those of
the root, no comments and no CDATA. Any other file is first written anew in that form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np
from defusedxml import DTDForbidden

from pmo_analytics.loaders.findings import Unreadable

MAX_BYTES = 2**30
MAX_DEPTH = 200
_CHUNK = 2**20
# Tags that may be open at once by a count that a cut tag can put off by one.
_MOST_OPEN = 10_000
# A tag that is not plain: an attribute, a prefix, a comment, CDATA, an instruction.
_NOT_PLAIN = re.compile(rb"<(?!/?[A-Za-z_][\w.-]*/?>)")
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml(?P<declared>[^>]*)\?>)?\s*"
    rb"<(?P<root>[A-Za-z_][\w.-]*)(?:\s[^<>]*)?>"
)
_UTF_8 = re.compile(rb"""encoding\s*=\s*["'](utf-?8|us-ascii)["']""", re.IGNORECASE)
_EMPTY = re.compile(rb"<[^<>]*/>")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
_BLANK, _BANG, _SLASH, _LESS, _MORE, _ASK = b" !/<>?"
LEAF = re.compile(rb"<([A-Za-z_][\w.-]*)>([^<]*)</")


def plain_xml(path: Path) -> bytes:
    """Return the XML of a file in plain form: its lines are those of the file.

    Raises
    ------
    Unreadable
        If it is too large, no XML, damaged, nested too deep, or holds a document type
        (which can define entities that fill the memory).
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise Unreadable(
            "file_too_large",
            f"The file has {size / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20:,} MB "
            "are read. Export the projects one by one.",
        )
    data = path.read_bytes()
    if not data.strip():
        raise Unreadable("empty_file", "The file is empty. Export it again.")
    try:
        if _is_plain(data):
            _check(data)
            return data
        return _rewritten(data)
    except DTDForbidden as error:
        raise Unreadable(
            "document_type",
            "The file holds a document type (<!DOCTYPE>), as no planning tool writes "
            "one; it could define entities that fill the memory. Export it again.",
        ) from error
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Unreadable(
            "corrupt_file",
            "The file is no whole XML: it is damaged or was cut off. Export it again.",
            found=str(error)[:200],
            row=getattr(error, "lineno", None),
        ) from error


def _is_plain(data: bytes) -> bool:
    root = _ROOT.match(data)
    if root is None or b":" in root["root"]:
        return False
    declared = root["declared"] or b""
    if b"encoding" in declared and not _UTF_8.search(declared):
        return False
    if b"xmlns:" not in root[0] and not _has_odd_bytes(data, root.end()):
        return True
    return _NOT_PLAIN.search(data, root.end()) is None


def _has_odd_bytes(data: bytes, begin: int) -> bool:
    """Return whether anything hints at tags that are not plain; no = all are.

    Without a prefix that the root declares, such a tag has `=`, begins with `<!` or
    `<?`, or has a blank before its end.
    """
    if data.find(b"=", begin) >= 0:
        return True
    cells = np.frombuffer(data, np.uint8, offset=begin)
    for at in range(0, len(cells), _CHUNK):
        chunk = cells[at : at + _CHUNK + 2]
        after = chunk[1:][chunk[:-1] == _LESS]
        ends = np.flatnonzero(chunk[2:] == _MORE) + 2
        before = chunk[ends - 1]
        empty = ends[before == _SLASH]
        if (
            (after == _BANG).any()
            or (after == _ASK).any()
            or (before <= _BLANK).any()
            or (chunk[empty - 2] <= _BLANK).any()
        ):
            return True
    return False


def _parser() -> Any:
    """Return a parser that refuses document types where they begin."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.buffer_text = True
    return parser


def _refuse(name: str, system: str | None, public: str | None, _: int) -> None:
    raise DTDForbidden(name, system, public)


def _check(data: bytes) -> None:
    """Prove that plain XML is well formed, and not nested without end."""
    parser = _parser()
    open_, counted = 0, 0
    for at in range(0, len(data), _CHUNK):
        chunk = data[at : at + _CHUNK]
        # A tag that is empty counts as one that stays open, until that matters.
        open_ += chunk.count(b"<") - 2 * chunk.count(b"</")
        if open_ > _MOST_OPEN:
            open_ -= len(_EMPTY.findall(data, counted, at + _CHUNK))
            counted = at + _CHUNK
        if open_ > _MOST_OPEN:
            raise _too_deep()
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _too_deep() -> Unreadable:
    return Unreadable(
        "nested_too_deep",
        "Elements of the file are nested deeper than those of any planning file. "
        "Export it again.",
    )


def _rewritten(data: bytes) -> bytes:
    """Return XML in plain form: local names, no attributes, the same line breaks."""
    parts: list[str] = []
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        parts.append(f"<{tag.rpartition(' ')[2]}>")
        # A blank value may be marked by an attribute only, which says nothing more.
        del attributes

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        parts.append(f"</{tag.rpartition(' ')[2]}>")

    def comment(text: str) -> None:
        parts.append("\n" * text.count("\n"))

    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: parts.append(escape(text))
    parser.CommentHandler = comment
    try:
        parser.Parse(data, True)
    except ValueError:  # a code page of several bytes, which the parser does not know
        declared = _DECLARED.match(data)
        if declared is None or parts:
            raise
        text = data.decode(declared[1].decode("ascii"))
        return _rewritten(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode())
    return "".join(parts).encode()


def section(data: bytes, tag: str) -> tuple[int, int]:
    """Return where the content of the first element of a name begins and ends.

    Both are 0 where there is none.
    """
    begin = data.find(f"<{tag}>".encode())
    if begin < 0:
        return 0, 0
    end = data.find(f"</{tag}>".encode(), begin)
    return begin + len(tag) + 2, end


def elements(
    data: bytes, tag: str, begin: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield position and content of the elements of a name, in order.

    Elements of one name must not lie inside each other.
    """
    opening, closing = f"<{tag}>".encode(), f"</{tag}>".encode()
    end = len(data) if end is None else end
    at = data.find(opening, begin, end)
    while at >= 0:
        start = at + len(opening)
        stop = data.find(closing, start, end)
        if stop < 0:
            return
        yield at, data[start:stop]
        at = data.find(opening, stop + len(closing), end)


def leaves(content: bytes) -> dict[bytes, bytes]:
    """Return name -> text of the elements without children; the first of a name."""
    return dict(reversed(LEAF.findall(content)))


class Records:
    """Takes records of one kind apart: their own texts, and what lies inside them.

    Records of a kind hold their elements in one order, which is learned from them: in
    one pattern, every element may be there or not. What is of another shape (an element
    twice, in another order, with others inside) is taken apart without it, with the
    same answer.

    Parameters
    ----------
    names
        Of elements without children; the first of a name counts.
    inside
        Of records that lie inside, any number of each.
    """

    def __init__(self, names: Sequence[str], inside: Sequence[str] = ()) -> None:
        self._names = [name.encode() for name in names]
        self._inside = [tag.encode() for tag in inside]
        self._runs = {tag: re.compile(_run_of(tag)) for tag in self._inside}
        either = b"|".join(self._inside)
        self._any = re.compile(rb"<(%s)>.*?</\1>\s*" % either, re.DOTALL)
        self._order: list[bytes] = []
        self._missed, self._patience = 0, 1
        self._compile()

    def of(self, content: bytes) -> Sequence[bytes | None]:
        """Return the text of each name, then the records of each tag; None for none."""
        found = self._match(content)
        if found is not None:
            return found.group(*self._groups)
        self._learn(content)
        return self._one_by_one(content)

    def _compile(self) -> None:
        wanted = [*self._names, *self._inside]
        order = [*self._order, *(tag for tag in wanted if tag not in self._order)]
        pieces = [rb"\s*+"]
        places: dict[bytes, int] = {}
        for tag in order:
            text = self._runs[tag].pattern if tag in self._runs else _leaf_of(tag)
            if tag in wanted:
                places[tag] = len(places) + 1
            pieces.append(rb"(?:%s)?+" % (text if tag in wanted else _silent(text)))
        self._groups = [places[tag] for tag in wanted]
        self._match = re.compile(b"".join(pieces)).fullmatch

    def _learn(self, content: bytes) -> None:
        """Put elements that are new where they stand; ever more seldom."""
        at = 0
        for tag in self._tags(content):
            if tag not in self._order:
                self._order.insert(at, tag)
            at = self._order.index(tag) + 1
        self._missed += 1
        if self._missed >= self._patience:
            self._missed, self._patience = 0, 2 * self._patience
            self._compile()

    def _tags(self, content: bytes) -> Iterator[bytes]:
        at = 0
        while found := _OPENING.search(content, at):
            tag, run = found[1], self._runs.get(found[1])
            inner = run and run.match(content, found.start())
            at = inner.end() if inner else found.end()
            yield tag

    def _one_by_one(self, content: bytes) -> list[bytes | None]:
        runs: dict[bytes, list[bytes]] = {}
        for found in self._any.finditer(content) if self._inside else ():
            runs.setdefault(found[1], []).append(found[0])
        own = leaves(self._any.sub(b"", content) if runs else content)
        return [own.get(name) for name in self._names] + [
            b"".join(runs[tag]) if tag in runs else None for tag in self._inside
        ]


_OPENING = re.compile(rb"<([A-Za-z_][\w.-]*/?)>")


def _leaf_of(tag: bytes) -> bytes:
    if tag.endswith(b"/"):
        return rb"<%s>\s*+" % re.escape(tag)
    return rb"<%b>([^<]*+)</%b>\s*+" % (re.escape(tag), re.escape(tag))


def _run_of(tag: bytes) -> bytes:
    tag = re.escape(tag)
    one = rb"<%b>(?:[^<]*+<(?!/%b>))*+[^<]*+</%b>\s*+" % (tag, tag, tag)
    return rb"((?:%b)++)" % one


def _silent(text: bytes) -> bytes:
    return text.replace(b"([^<]*+)", b"[^<]*+")


def as_text(cell: bytes | None) -> str:
    """Return the text of an element, its entities resolved."""
    if not cell:
        return ""
    text = cell.decode("utf-8", "replace").strip()
    return unescape(text) if "&" in text else text


class Lines:
    """Counts lines up to positions that are asked for in ascending order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at, self._line = 0, 1

    def of(self, position: int) -> int:
        """Return the line of a position; files of one line have only that."""
        self._line += self._data.count(b"\n", self._at, position)
        self._at = position
        return self._line
