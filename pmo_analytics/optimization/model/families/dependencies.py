"""Dependencies, over S_p(t): the sum of the options of p that start by t.

- finish_start and start_start: S_j(t) <= sum over targets i of S_i(t - lag_i), for
  every t. Disaggregated over t, without big-M: the start-date part alone has an
  integral polytope (see Mohring et al., Management Science 49(3), 2003);
- lag_max:     options of j later than t + lag_max need i later than t; for a group
  of targets each start of j needs a target inside the span;
- selected:    Y_j <= sum of Y_i, sums over all options.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import NO_LIMIT, Options
from pmo_analytics.optimization.model.rows import RowLabel, Rows


def write(rows: Rows, options: Options) -> None:
    """Write every dependency that done work does not serve already."""
    o = options
    for d, j in enumerate(o.dependency.project.tolist()):
        span = range(o.dependency.first[d], o.dependency.first[d + 1])
        if not o.dependency.kind[d]:
            targets = [int(o.dependency.target[i]) for i in span]
            pieces = [(o.span(j), 1.0), *((o.span(i), -1.0) for i in targets)]
            rows.add(RowLabel("selected", d), pieces, -np.inf, 0.0)
            continue
        bounded = any(o.dependency.lag_max[i] < NO_LIMIT for i in span)
        if bounded and not o.dependency.single[d]:
            _each_start(rows, o, d, j, span)
            continue
        _not_before(rows, o, d, j, span)
        if bounded:
            _not_after(rows, o, d, j, span.start)


def _not_before(rows: Rows, o: Options, d: int, j: int, span: range) -> None:
    """S_j(t) <= sum of S_i(t - lag_i), once for every start t of j."""
    for t in o.start[o.first[j] : o.first[j + 1]].tolist():
        pieces = [(_until(o, j, t), 1.0)]
        for i in span:
            by = t - int(o.dependency.lag[i])
            pieces.append((_until(o, int(o.dependency.target[i]), by), -1.0))
        rows.add(RowLabel("by", d, t), pieces, -np.inf, 0.0)


def _not_after(rows: Rows, o: Options, d: int, j: int, i: int) -> None:
    """Options of j after t + lag_max need the one target to start after t."""
    target = int(o.dependency.target[i])
    lag_max = int(o.dependency.lag_max[i])
    for start in o.start[o.first[j] : o.first[j + 1]].tolist():
        t = start - 1 - lag_max
        pieces = [(_after(o, j, t + lag_max), 1.0), (_after(o, target, t), -1.0)]
        rows.add(RowLabel("after", d, t), pieces, -np.inf, 0.0)


def _each_start(rows: Rows, o: Options, d: int, j: int, span: range) -> None:
    """Each start of j needs one target of the group inside its span of starts."""
    starts = o.start[o.first[j] : o.first[j + 1]].tolist()
    for k, t in enumerate(starts, int(o.first[j])):
        pieces = [(np.array([k]), 1.0)]
        for i in span:
            target = int(o.dependency.target[i])
            early = _after(o, target, t - int(o.dependency.lag_max[i]) - 1)
            late = t - int(o.dependency.lag[i])
            pieces.append((early[o.start[early] <= late], -1.0))
        rows.add(RowLabel("at", d, t), pieces, -np.inf, 0.0)


def _until(options: Options, project: int, by: int) -> np.ndarray:
    """Return the options of a project that start by then."""
    lo, hi = options.first[project], options.first[project + 1]
    return np.arange(lo, lo + np.searchsorted(options.start[lo:hi], by, "right"))


def _after(options: Options, project: int, then: int) -> np.ndarray:
    """Return the options of a project that start later than then."""
    lo, hi = options.first[project], options.first[project + 1]
    return np.arange(lo + np.searchsorted(options.start[lo:hi], then, "right"), hi)
