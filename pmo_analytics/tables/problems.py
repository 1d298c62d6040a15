"""Problems of reading and checks: no cell twice, each with its place; those left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pmo_analytics.tables.contract import Problem

# Where a problem is, in its file.
_PLACE = ("source", "sheet", "row")


def without_repeats(new: list[Problem], old: list[Problem]) -> list[Problem]:
    """Drop findings about cells that already have one."""
    errors = [p for p in old if p["severity"] == "error"]
    if not errors or not new:
        return new
    cells = {(p["table"], p["column"], str(p["row"])) for p in errors}
    columns = {(p["table"], p["column"]) for p in errors if p["row"] is None}
    return [
        p
        for p in new
        if (p["table"], p["column"], str(p["row"])) not in cells
        and (p["rule"] != "missing_value" or (p["table"], p["column"]) not in columns)
    ]


def locate(problems: pd.DataFrame, sources: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return problems with index labels turned into file, sheet and row."""
    open_ones = ~problems["source"].to_numpy().astype(bool)
    places = {name: problems[name].to_numpy(copy=True) for name in _PLACE}
    for table, origin in sources.items():
        here = np.flatnonzero(open_ones & (problems["table"] == table).to_numpy())
        if not len(here) or not len(origin):
            continue
        cells = {name: origin[name].to_numpy(dtype=object) for name in _PLACE}
        number = dict(zip(origin.index, range(len(origin)), strict=True))
        labels = places["row"][here]
        # A blank label is that of no row: the first tells the file.
        at = np.array([-1 if x is None else number.get(x, -1) for x in labels])
        for name in ("source", "sheet"):
            places[name][here] = cells[name][np.maximum(at, 0)]
        places["row"][here[at >= 0]] = cells["row"][at[at >= 0]]
    located = {name: pd.Series(cells, dtype=object) for name, cells in places.items()}
    return problems.reset_index(drop=True).assign(**located)
