"""SiP: ten years of tasks of one company, as looks at pieces of work (Jones 2019)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MOMENTS = (0.25, 0.5, 0.75)


def sip_looks(folder: Path, least: int = 8) -> pd.DataFrame:
    """Return looks at each project breakdown with so many dated tasks at least.

    A breakdown is a piece of work with tasks of its own; it is seen when a quarter,
    half and three quarters of its estimated hours are finished. Hours estimated stand
    for money planned. `bac` counts all its tasks, also those estimated later.
    """
    tasks = pd.read_csv(folder / "Sip-task-info.csv", encoding="latin1")
    tasks = tasks.drop_duplicates("TaskNumber")
    dates = pd.read_csv(folder / "est-act-dates.csv").drop_duplicates("TaskNumber")
    tasks = tasks.merge(dates, on="TaskNumber")
    tasks["day"] = pd.to_datetime(tasks["CompletedOn"], format="%d-%b-%y")
    tasks = tasks.dropna(subset=["day"])
    hours = tasks.groupby("TaskNumber")["HoursActual"].first()
    tasks["spent"] = tasks["TaskNumber"].map(hours)
    rows = []
    for name, own in tasks.groupby(["ProjectCode", "ProjectBreakdownCode"]):
        own = own.sort_values(["day", "TaskNumber"])
        bac = own["HoursEstimate"].sum()
        if len(own) < least or not bac > 0:
            continue
        share = own["HoursEstimate"].cumsum() / bac
        for moment in MOMENTS:
            at = int(np.searchsorted(share.to_numpy(), moment))
            seen = own.iloc[: at + 1]
            if at + 1 >= len(own):
                continue
            rows.append(
                {
                    "project": "/".join(name),
                    "as_of": seen["day"].iloc[-1],
                    "moment": moment,
                    "bac": bac,
                    "ev": seen["HoursEstimate"].sum(),
                    "ac": seen["spent"].sum(),
                    "ended": own["day"].iloc[-1],
                    "came_to": own["spent"].sum(),
                    "tasks": len(own),
                }
            )
    looks = pd.DataFrame(rows).drop_duplicates(["project", "as_of"])
    return looks.reset_index(drop=True)
