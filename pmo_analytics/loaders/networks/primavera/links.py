"""Links between the activities of P6, those to other projects included."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.primavera.tables import P6File
from pmo_analytics.networks import Balance

LINKS = {"PR_FS": "FS", "PR_SS": "SS", "PR_FF": "FF", "PR_SF": "SF"}
_LINK_COLUMNS = [
    "task",
    "requires",
    "kind",
    "lag_h",
    "lag_unit",
    "requires_project",
    "task_project",
    "line",
]
_Items = list[tuple[int, str]]


class Names(NamedTuple):
    """What links call things: id of the database -> name.

    Attributes
    ----------
    projects, tasks
        Of the whole file.
    own
        Activities of the project itself.
    """

    projects: dict[str, str]
    tasks: dict[str, str]
    own: dict[str, str]


def links_of(file: P6File, uid: str, names: Names, balance: Balance) -> pd.DataFrame:
    """Return the links into the activities of a project.

    Those from other projects are kept and named, also where these are not in the file.
    """
    rows = file.rows("TASKPRED", uid)
    balance.read("links", len(rows))
    cells = rows.records(
        "task_id", "pred_task_id", "pred_proj_id", "pred_type", "task_pred_id"
    )
    # An XER holds a link with its successor, a PMXML also with its predecessor.
    other = [k if k != uid else "" for k in rows.text("succ_proj_id")]
    lags = np.nan_to_num(rows.number("lag_hr_cnt"))
    found: list[dict[str, Any]] = []
    lost: _Items = []
    away: _Items = []
    odd: _Items = []
    for line, lag, onto, (task, pred, project, kind, name) in zip(
        rows.lines, lags, other, cells, strict=True
    ):
        across = project not in ("", uid)
        before = names.own.get(pred, "")
        if across:
            before = names.tasks.get(pred, "") or pred
            away.append((line, f"{names.projects.get(project, project)}/{before}"))
        after = names.own.get(task, "")
        if onto and not after:
            after = names.tasks.get(task, "") or task
            away.append((line, f"{names.projects.get(onto, onto)}/{after}"))
        if not after or not before:
            missing = pred if after else task
            lost.append((line, missing))
            reason = f"Activity {missing} is not in the project."
            balance.leave("links", reason, line=line, name=name)
            continue
        if kind not in LINKS:
            odd.append((line, repr(kind)))
        found.append(
            {
                "task": after,
                "requires": before,
                "kind": LINKS.get(kind, "FS"),
                "lag_h": lag,
                "lag_unit": "working",
                "requires_project": names.projects.get(project, project)
                if across
                else "",
                "task_project": names.projects.get(onto, onto) if onto else "",
                "line": float(line),
            }
        )
    balance.use("links", len(found))
    _say(file, lost, away, odd)
    return pd.DataFrame(found, columns=_LINK_COLUMNS)


def _say(file: P6File, lost: _Items, away: _Items, odd: _Items) -> None:
    """Say which links are lost, lead elsewhere or are of no known kind."""
    file.said(
        "missing_task",
        "TASKPRED.pred_task_id",
        lost,
        "These activities are not in the project, so their links were not used. "
        "Export the project again, or delete the links in P6.",
    )
    file.said(
        "external_link",
        "TASKPRED.pred_proj_id",
        away,
        "These links come from other projects or lead there. They are kept and named; "
        "the dates that P6 took over from there count in the critical path.",
    )
    file.said(
        "unknown_word",
        "TASKPRED.pred_type",
        odd,
        "These are no kinds of links of P6. They count as finish-start.",
    )
