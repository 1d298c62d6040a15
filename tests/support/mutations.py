"""Damaged files: random mutations of the bytes of a sound one."""

from __future__ import annotations

import io
import zipfile

import numpy as np

# What is put into a file in place of some of its bytes.
NASTY = [
    b"",
    b"\0",
    b"\x7f",
    b"\xff\xfe",
    b"\t",
    b"\r\n",
    b"%T\tTASK\n",
    b"%F\ttask_id\tproj_id\n",
    b"%E\n",
    b"-1",
    b"1e308",
    b"-1e15",
    b"NaN",
    b"inf",
    b"99999999999999999999",
    b"0000-00-00 00:00",
    b"9999-12-31 23:59",
    b"2027-02-30 25:61",
    b"(0||1()(" * 50,
    b"(d|9999999999)",
    b"s|99:99|f|00:00",
    b"</Project>",
    b"<Activity>",
    b"<![CDATA[",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b"<a>" * 300,
    "Größe Ж 中".encode("gb18030"),
]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with one to six damages."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not found:
            break
        at = int(rng.integers(len(found)))
        length = int(rng.integers(1, 40))
        kind = int(rng.integers(7))
        if kind == 0:
            found[at] = int(rng.integers(256))
        elif kind == 1:
            del found[at : at + length]
        elif kind == 2:
            found[at:at] = found[at : at + length] * int(rng.integers(1, 4))
        elif kind == 3:
            found[at : at + length] = NASTY[int(rng.integers(len(NASTY)))]
        elif kind == 4:
            found[at:at] = NASTY[int(rng.integers(len(NASTY)))]
        elif kind == 5:
            found = _numbers_changed(found, rng, at)
        elif rng.random() < 0.3:
            del found[at:]
    return bytes(found)


def mutated_inside(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a workbook that is a sound archive with one damaged part."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(parts)[int(rng.integers(len(parts)))]
    parts[name] = mutated(parts[name], rng)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for own, content in parts.items():
            archive.writestr(own, content)
    return made.getvalue()


def _numbers_changed(data: bytearray, rng: np.random.Generator, at: int) -> bytearray:
    """Change a digit near a place: ids then point elsewhere, dates to other days."""
    for place in range(at, min(at + 200, len(data))):
        if data[place : place + 1].isdigit():
            data[place] = 48 + int(rng.integers(10))
            break
    return data
