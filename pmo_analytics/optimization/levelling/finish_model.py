"""Levelling in the terms of the selection model: cut windows, an end that is late.

The solver maximises worth over options. For lateness the worth of an option is minus
its cost. For the end of all work one more project is added, `the end`, which starts
when the last one has finished and is worth minus its own start.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pmo_analytics.optimization.model.instance import NO_LIMIT, Dependencies, Options


def with_end(
    options: Options, duration: np.ndarray, earliest: int, latest: int
) -> Options:
    """Return the options and those of the end of all work, worth minus its start.

    Parameters
    ----------
    duration
        Shape (P,): periods of each project.
    earliest, latest
        When the end may be.
    """
    end = len(options.must)
    starts = np.arange(earliest, latest + 1)
    count = len(starts)
    uses = len(options.use.row)
    targets = np.arange(end)
    known = options.dependency
    ends = np.ones(end, dtype=np.int64)
    return replace(
        options,
        first=np.append(options.first, len(options.project) + count),
        project=np.append(options.project, np.full(count, end)),
        start=np.append(options.start, starts),
        worth=np.append(np.zeros(len(options.project)), -starts.astype(float)),
        tie=np.append(options.tie, np.zeros(count)),
        must=np.append(options.must, True),
        use=replace(
            options.use, first=np.append(options.use.first, np.full(count, uses))
        ),
        dependency=Dependencies(
            project=np.append(known.project, np.full(end, end)),
            kind=np.append(known.kind, ends),
            first=np.append(known.first, len(known.target) + 1 + targets),
            target=np.append(known.target, targets),
            lag=np.append(known.lag, duration),
            lag_max=np.append(known.lag_max, np.full(end, NO_LIMIT)),
            single=np.append(known.single, ends),
        ),
    )


def end_of(options: Options, chosen: np.ndarray) -> int:
    """Return the option of the end that goes with chosen options of the others.

    Parameters
    ----------
    options
        As `with_end` returns them.
    """
    end = len(options.must) - 1
    own = slice(
        int(options.dependency.first[-1]) - end, int(options.dependency.first[-1])
    )
    lag = options.dependency.lag[own]
    finish = options.start[chosen] + lag[options.project[chosen]]
    lo, hi = int(options.first[end]), int(options.first[end + 1])
    return lo + int(np.searchsorted(options.start[lo:hi], finish.max()))
