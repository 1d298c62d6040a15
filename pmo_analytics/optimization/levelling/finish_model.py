"""Levelling in the terms of the selection model: cut windows, an end that is late.

The solver maximises worth over options. For lateness the worth of an option is minus
its cost. For the end of all work one more project is added, `the end`, which starts
when the last one has finished and is worth minus its own start.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pmo_analytics.optimization.model.instance import NO_LIMIT, Options


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
    uses = len(options.use_row)
    targets = np.arange(end)
    rules = len(options.dependency_target)
    return replace(
        options,
        first=np.append(options.first, len(options.project) + count),
        project=np.append(options.project, np.full(count, end)),
        start=np.append(options.start, starts),
        worth=np.append(np.zeros(len(options.project)), -starts.astype(float)),
        tie=np.append(options.tie, np.zeros(count)),
        must=np.append(options.must, True),
        use_first=np.append(options.use_first, np.full(count, uses)),
        dependency_project=np.append(options.dependency_project, np.full(end, end)),
        dependency_kind=np.append(
            options.dependency_kind, np.ones(end, dtype=np.int64)
        ),
        dependency_first=np.append(options.dependency_first, rules + 1 + targets),
        dependency_target=np.append(options.dependency_target, targets),
        dependency_lag=np.append(options.dependency_lag, duration),
        dependency_lag_max=np.append(
            options.dependency_lag_max, np.full(end, NO_LIMIT)
        ),
        dependency_single=np.append(
            options.dependency_single, np.ones(end, dtype=np.int64)
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
        int(options.dependency_first[-1]) - end, int(options.dependency_first[-1])
    )
    lag = options.dependency_lag[own]
    finish = options.start[chosen] + lag[options.project[chosen]]
    lo, hi = int(options.first[end]), int(options.first[end + 1])
    return lo + int(np.searchsorted(options.start[lo:hi], finish.max()))
