"""Code pages are recognised or refused, and formulas never leave as formulas."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.reading.text import decode, is_encoding
from pmo_analytics.loaders.writing.escape import (
    escape_frame,
    escape_text,
    unescape_text,
)

CHINESE = "项目,角色\nP1,开发\n"
TEXTS = [
    ("gb18030", CHINESE),
    ("gb18030", "项目\n甲\n"),
    ("gb18030", "period,role,fte\n2027-01,测试工程师,3\n"),
    ("gb18030", "person\n张伟\n李娜\n王芳\n赵鑫\n"),
    ("gb18030", "项目\n鑫淼喆𠀀㐀\n开发\n"),
    ("big5", "專案,角色\nP1,開發人員\n"),
    ("big5", "人員,角色\n王小明,工程師\n"),
    ("cp932", "案件,役割\nP1,システム開発\n"),
    ("cp949", "프로젝트,역할,상태\nP1,개발자,진행중\nP2,데이터센터 이전,승인됨\n"),
    ("cp1252", "project,name\nP1,Müller Größe\n"),
    ("cp1252", "project,name\nP1,façade à côté\n"),
    ("cp1252", "project,name\nP1,Ñandú “x” \u2013 5 €\n"),
    ("cp1252", "role\n€\n"),
    ("cp1250", "project,name\nP1,Żółw łódź\nP2,Kraków\n"),
    ("cp1250", "project,name\nP1,Příliš žluťoučký kůň\n"),
    ("cp1251", "project,name\nP1,Проект внедрения\nP2,Разработчик\n"),
    ("cp1253", "project,name\nP1,Σύστημα διαχείρισης\n"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_code_pages_are_recognised(encoding, text):
    assert decode(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]
)
def test_unicode_is_no_guess(encoding):
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    assert decode(mark + CHINESE.encode(encoding)) == (CHINESE, "")


def test_a_declared_code_page_wins_over_recognition():
    polish = "Øresund\n".encode("cp1252")
    assert decode(polish, "cp1250") == ("Řresund\n", "")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"PK\x03\x04", "binary_file"),
        (b"%PDF-1.7", "binary_file"),
        (b"a\0b", "binary_file"),
        (b"a,\x01\x81\x8d\xff", "unknown_encoding"),
        (b"\xff\xfea", "wrong_encoding"),
    ],
)
def test_what_is_no_text_is_refused(data, rule):
    with pytest.raises(Unreadable, match=r"\.") as caught:
        decode(data)
    assert caught.value.rule == rule


def test_a_wrong_declaration_names_the_line():
    with pytest.raises(Unreadable, match="do not fit the encoding ascii") as caught:
        decode(b"a\nb\n\xe9\n", "ascii")
    assert caught.value.row == 3


@pytest.mark.parametrize("name", ["utf-8", "GB18030", "cp1252"])
def test_encodings_by_name(name):
    assert is_encoding(name)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "zip", "a\0b", "ü"])
def test_no_text_encodings(name):
    assert not is_encoding(name)


PAYLOADS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    '"=1',
    "'=1",
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "\uff1d1+1",
    "\uff0bcmd",
    "\uff0d1",
    "\uff20SUM(A1)",
    "\ufe661",
    "\u3000\uff1d1",
    "\u200b=1",
    "\ufeff=1",
    "\xa0=1",
    "\x00=1",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_formulas_are_escaped(payload):
    escaped = escape_text(payload)
    assert escaped == f"'{payload}"
    assert unescape_text(escaped) == payload


@pytest.mark.parametrize("text", ["", "R&D", "a=b", "'quoted'", "Dev - Pune", "1-2"])
def test_plain_text_is_left_alone(text):
    assert escape_text(text) == text
    assert unescape_text(text) == text


@settings(deadline=None)
@given(st.text(alphabet="='\"+-@ \t\ra1\uff1d\uff20\u200b\u3000"))
def test_escaping_is_undone_exactly(text):
    assert unescape_text(escape_text(text)) == text


def test_nothing_that_looks_like_a_formula_is_left():
    """Whatever a spreadsheet may fold characters to before it looks at the first."""
    for sign in map(chr, range(0x110000)):
        folded = unicodedata.normalize("NFKC", sign).strip()
        if folded[:1] in tuple("=+-@"):
            assert escape_text(f"{sign}1") == f"'{sign}1", f"U+{ord(sign):04X}"


def test_frames_are_escaped_and_numbers_are_not():
    frame = pd.DataFrame(
        {"=a": ["=1", None], "n": [-1.5, 2.0], "p": pd.period_range("2027", periods=2)}
    )
    safe = escape_frame(frame)
    assert list(safe.columns) == ["'=a", "n", "p"]
    assert safe["'=a"].to_list()[0] == "'=1"
    assert safe["'=a"].isna().to_list() == [False, True]
    assert safe["n"].equals(frame["n"])
    assert safe["p"].equals(frame["p"])
    assert list(frame.columns) == ["=a", "n", "p"]
