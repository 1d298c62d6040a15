"""The order of tests: none is lost, and searches wait for their machine code."""

from __future__ import annotations

from itertools import groupby, pairwise
from types import SimpleNamespace

import pytest

from tests.support.places import ROOT
from tests.support.running_order import in_order

ROOMS = {"clock": 7, "optimization": 40, "loaders": 9, "reporting": 11, "tables": 1}


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_each_share_begins_with_what_does_not_search(workers):
    items = [
        SimpleNamespace(path=ROOT / "tests" / room / f"test_{part}.py", room=room)
        for room, many in ROOMS.items()
        for part in range(3)
        for _ in range(many)
    ]
    order = in_order(items, workers)
    assert sorted(map(id, order)) == sorted(map(id, items))
    edges = [len(items) * k // workers for k in range(workers + 1)]
    for begin, end in pairwise(edges):
        at_once = [
            item.room in ("clock", "loaders", "tables") for item in order[begin:end]
        ]
        assert [known for known, _ in groupby(at_once)] == [True, False]
