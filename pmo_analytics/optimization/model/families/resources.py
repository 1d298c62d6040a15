"""Sums of what options use: capacity, budgets, own rules without negative weights.

sum of use * x <= limit, less what is bought on top; and >= what has to be used.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel, Rows


def write(rows: Rows, options: Options) -> None:
    """Write the limits that all projects could exceed, then what has to be used."""
    largest = options.largest_use()
    limited = np.isfinite(options.limit) & (largest > options.limit)
    wanted = np.isfinite(options.least) & (options.least > 0)
    _write_side(rows, options, "limit", np.flatnonzero(limited))
    _write_side(rows, options, "least", np.flatnonzero(wanted))


def _write_side(rows: Rows, options: Options, form: str, kept: np.ndarray) -> None:
    place = np.full(len(options.limit), -1)
    place[kept] = np.arange(len(kept))
    own = place[options.use.row]
    entry = np.flatnonzero(own >= 0)
    owner = options.use_option()
    row, column, value = own[entry], owner[entry], options.use.amount[entry]
    if form == "limit" and len(options.buy.resource):
        more = _sold(options, place)
        row, column, value = (
            np.concatenate([a, b])
            for a, b in zip((row, column, value), more, strict=True)
        )
    free = np.full(len(kept), np.inf)
    rows.add_block(
        [RowLabel(form, int(resource)) for resource in kept],
        row,
        column,
        value,
        -free if form == "limit" else options.least[kept],
        options.limit[kept] if form == "limit" else free,
    )


def _sold(
    options: Options, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column and coefficient of what purchases add to the limits."""
    o = options
    column = np.repeat(np.arange(len(o.buy.resource)), o.buy.length)
    step = np.arange(len(column)) - np.repeat(
        np.cumsum(o.buy.length) - o.buy.length, o.buy.length
    )
    row = place[o.buy.resource[column] + step]
    kept = row >= 0
    column = column[kept]
    return row[kept], len(o.project) + column, -o.buy.most[column]
