"""The order of tests: what searches comes after what does not.

A search needs machine code, which takes half a minute to make where it is not kept yet.
It is made while the others run; a search that is begun before would wait for it, or
make it once more for itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby, islice, pairwise
from typing import Any

from tests.support.places import ROOT

# Rooms without a search.
_AT_ONCE = ("clock", "files", "forecasting", "loaders", "plotting", "rules", "tables")


def in_order(items: list[Any], workers: int) -> list[Any]:
    """Return tests so that the share of each worker begins with those at once.

    Shares are what lies together in the list, all of one size.
    """
    first = [item for item in items if _at_once(item)]
    later = [item for item in items if not _at_once(item)]
    edges = [len(items) * k // workers for k in range(workers + 1)]
    shares: list[list[Any]] = [[] for _ in range(workers)]
    for _, tests in groupby(first, lambda item: item.path):
        share = min(shares, key=len)
        share += tests
    rest = iter(later)
    for share, (begin, end) in zip(shares, pairwise(edges), strict=True):
        share += islice(rest, max(end - begin - len(share), 0))
    return [test for share in shares for test in share] + list(rest)


def _at_once(item: Any) -> bool:
    inside = item.path.relative_to(ROOT / "tests").parts
    return inside[0] in _AT_ONCE


def begin_kernels() -> subprocess.Popen[bytes] | None:
    """Begin to make the machine code of the search, None where it is there."""
    from pmo_analytics.optimization.heuristics.kernels.cache import in_cache

    if os.name != "posix" or in_cache():
        return None
    code = "from tests.support.warm_solver import compile_kernels; compile_kernels()"
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
