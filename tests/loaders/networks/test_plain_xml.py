"""Records of plain XML, taken apart by the pattern of their kind or one by one."""

from __future__ import annotations

import numpy as np

from pmo_analytics.loaders.networks.plain_xml import Records, elements, leaves

NAMES = ("A", "B", "C", "D")


def by_hand(record):
    """Return what a record holds, element by element."""
    inner = [content for _, content in elements(record, "In")]
    rest = record
    for content in inner:
        rest = rest.replace(b"<In>" + content + b"</In>", b"", 1)
    own = leaves(rest)
    return [own.get(name.encode()) for name in NAMES], inner


def record_of(rng):
    """Return a record: mostly in order, some things missing, odd or twice."""
    parts = [
        f"<{name}>{rng.integers(100) if rng.random() < 0.9 else ''}</{name}>"
        for name in ("X", *NAMES, "Y")
        if rng.random() < 0.7
    ]
    inside = [f"<In>\n<A>in{k}</A><B/></In> " for k in range(rng.integers(4))]
    parts.insert(rng.integers(len(parts) + 1) if rng.random() < 0.1 else 0, "<E/>")
    parts += inside
    if rng.random() < 0.1:
        parts.append("<Box><A>boxed</A></Box><B>twice</B>")
    if rng.random() < 0.1:
        rng.shuffle(parts)
    return "\n ".join(["", *parts, ""]).encode()


def test_a_pattern_reads_what_reading_one_by_one_reads():
    rng = np.random.default_rng(5)
    records = Records(NAMES, ["In"])
    for _ in range(2_000):
        record = record_of(rng)
        *own, inside = records.of(record)
        wanted, inner = by_hand(record)
        assert own == wanted, record
        assert [c for _, c in elements(inside or b"", "In")] == inner, record
        assert (inside is None) == (not inner)
