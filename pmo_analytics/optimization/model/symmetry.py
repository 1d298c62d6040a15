"""Projects that are the same in everything, taken in order by solver and proof.

Without an order a proof looks at every way to exchange them. Which they are: `twins`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.optimization.model.instance import NO_LIMIT, Dependencies, Options

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.compiling import Compiled


def in_order(compiled: Compiled, twins: Sequence[tuple[str, str]]) -> Compiled:
    """Return the same question with twins in order.

    Parameters
    ----------
    twins
        Projects that are the same as another one, each with the one before.
    """
    o = compiled.options
    number = {name: p for p, name in enumerate(compiled.names)}
    pairs = [
        (number[name], number[before])
        for name, before in twins
        if name in number and before in number
    ]
    if not pairs:
        return compiled
    many = len(pairs)
    ours, theirs = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    before = np.full(len(o.must), -1, dtype=np.int64)
    before[ours] = theirs
    known = o.dependency
    asked = Dependencies(
        project=np.append(known.project, ours),
        kind=np.append(known.kind, np.ones(many, dtype=known.kind.dtype)),
        first=np.append(known.first, known.first[-1] + np.arange(1, many + 1)),
        target=np.append(known.target, theirs),
        lag=np.append(known.lag, np.zeros(many, dtype=np.int64)),
        lag_max=np.append(known.lag_max, np.full(many, NO_LIMIT)),
        single=np.append(known.single, np.ones(many, dtype=bool)),
    )
    options = replace(o, twin=before, dependency=asked)
    names = compiled.names
    rules = [(names[a], names[b], "start_start") for a, b in pairs]
    return replace(
        compiled, options=options, dependencies=[*compiled.dependencies, *rules]
    )


def without_order(options: Options) -> Options:
    """Return the same question without the order of twins, as searches have it."""
    o = options
    many = int((o.twin >= 0).sum())
    if not many:
        return o
    known = o.dependency
    end = len(known.project) - many
    targets = int(known.first[end])
    asked = Dependencies(
        known.project[:end],
        known.kind[:end],
        known.first[: end + 1],
        known.target[:targets],
        known.lag[:targets],
        known.lag_max[:targets],
        known.single[:end],
    )
    return replace(o, twin=o.twin[:0], dependency=asked)


def ordered(options: Options, chosen: np.ndarray) -> np.ndarray:
    """Return a plan of the same worth with twins in order, by option numbers."""
    o = options
    if not (o.twin >= 0).any():
        return chosen
    start = np.full(len(o.must), NO_LIMIT)
    start[o.project[chosen]] = o.start[chosen]
    sets: dict[int, list[int]] = {}
    first = np.arange(len(o.must))
    # A twin stands after the one before it.
    for p in np.flatnonzero(o.twin >= 0).tolist():
        first[p] = first[o.twin[p]]
        sets.setdefault(int(first[p]), [int(first[p])]).append(p)
    for members in sets.values():
        start[members] = np.sort(start[members])
    result = []
    for p in np.flatnonzero(start < NO_LIMIT).tolist():
        lo, hi = int(o.first[p]), int(o.first[p + 1])
        at = lo + int(np.searchsorted(o.start[lo:hi], start[p]))
        if at >= hi or o.start[at] != start[p]:
            return chosen
        result.append(at)
    return np.array(result, dtype=np.int64)
