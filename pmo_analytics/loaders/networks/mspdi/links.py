"""Links between tasks of Microsoft Project XML."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.cells import Told
from pmo_analytics.loaders.networks.mspdi.nested import Nested

_KINDS = {"0": "FF", "1": "FS", "2": "SF", "3": "SS", "": "FS"}
_PERCENT = {"19", "51"}
_ELAPSED_PERCENT = {"20", "52"}
_ELAPSED = {"4", "6", "8", "10", "12", "36", "38", "40", "42", "44"}


def read_links(
    nested: Nested, tasks: pd.DataFrame, told: Told
) -> tuple[pd.DataFrame, list[tuple[int, str, str]]]:
    """Return the frame `links`, and line, task and reason of those left out.

    A lag of n % is n % of the duration of the task that is required.
    """
    cells = nested.cells("PredecessorLink", told)
    requires = cells.texts("PredecessorUID")
    formats = cells.texts("LagFormat")
    lag = cells.numbers("LinkLag")
    lag[np.isnan(lag)] = 0.0
    elapsed = np.array([f in _ELAPSED for f in formats], dtype=bool)
    percent = np.array([f in _PERCENT | _ELAPSED_PERCENT for f in formats], dtype=bool)
    of_percent = np.array([f in _ELAPSED_PERCENT for f in formats], dtype=bool)
    duration = dict(zip(tasks["task"], tasks["duration_h"], strict=True))
    length = np.array([duration.get(uid, np.nan) for uid in requires], dtype=float)
    unit = np.where(elapsed, "elapsed", "working")
    unit = np.where(percent, np.where(of_percent, "elapsed_percent", "percent"), unit)
    kinds = cells.texts("Type")
    links = pd.DataFrame(
        {
            "task": cells.ids,
            "requires": requires,
            "kind": [_KINDS.get(text, "FS") for text in kinds],
            "lag_h": np.where(percent, lag / 100 * np.nan_to_num(length), lag / 600),
            "lag_unit": unit,
            "lag_percent": np.where(percent, lag, np.nan),
            "requires_project": cells.texts("CrossProjectName"),
            "line": cells.lines,
        }
    )
    odd = [row for row, text in enumerate(kinds) if text not in _KINDS]
    for row in odd:
        fix = f"A link of task '{cells.ids[row]}' has a type that is not known; it "
        fix += "counts as finish to start."
        line = cells.lines[row]
        told.warn("links", "unknown_kind", fix, line=line, found=kinds[row])
    known = set(duration)
    dropped, left = [], np.zeros(len(links), dtype=bool)
    for row, (uid, other, project) in enumerate(
        zip(cells.ids, requires, cells.texts("CrossProjectName"), strict=True)
    ):
        reason = ""
        if other == uid:
            reason = "a task cannot wait for itself"
        elif other not in known and not project:
            reason = f"its predecessor '{other}' is not in the file"
        if reason:
            left[row] = True
            dropped.append((cells.lines[row], uid, reason))
            rule = "self_link" if other == uid else "unknown_task"
            fix = f"A link of task '{uid}' is left out: {reason}. Correct it in "
            fix += "Microsoft Project."
            told.warn("links", rule, fix, line=cells.lines[row], found=other)
    return links[~left].reset_index(drop=True), dropped
