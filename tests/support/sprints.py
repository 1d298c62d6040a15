"""Sprints of public communities (Choetkiertikul et al. 2017), and generated ones."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

COMMUNITIES = ("apache", "jboss", "jira")
MOMENTS = (0, 30, 50, 80)
_SOURCE = {
    "boardid": "team",
    "sprintid": "sprint",
    "planday": "planned_days",
    "no_teammember": "members",
    "vel_starttime": "committed",
    "vel_added": "added",
    "vel_removed": "removed",
    "vel_todo": "to_do",
    "vel_inprogress": "in_progress",
    "vel_done": "done",
}


def read_community(folder: Path, community: str, moment: int) -> pd.DataFrame:
    """Return the sprints of a community with a commitment, seen at a moment.

    `vel_diff` is what was delivered less what was committed at that moment. Names of
    sprints hold commas that nobody quoted.
    """
    path = folder / f"{community}_iteration_{moment}.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        head, *lines = csv.reader(file)
    wide = [[*row[:2], "", *row[len(row) - len(head) + 3 :]] for row in lines]
    raw = pd.DataFrame(wide, columns=head).drop(columns="name").astype(float)
    frame = raw.rename(columns=_SOURCE)[list(_SOURCE.values())]
    frame["team"] = community + frame["team"].astype(int).astype("str")
    frame["elapsed"] = moment / 100
    whole = frame["committed"] + frame["added"] - frame["removed"]
    frame["delivered"] = whole + raw["vel_diff"]
    frame["short"] = raw["vel_diff"] < 0
    return frame[(whole > 0) & (frame["committed"] > 0)].reset_index(drop=True)


def split(frame: pd.DataFrame, order: str) -> pd.Series:
    """Return which rows are the last 30 %: by sprint number, by file, by team."""
    if order == "sprint":
        place = frame["sprint"].rank(method="first") - 1
        return place >= 0.7 * len(frame)
    if order == "file":
        return pd.Series(np.arange(len(frame)) >= 0.7 * len(frame), frame.index)
    place = frame.groupby("team").cumcount()
    return place >= 0.7 * frame.groupby("team")["team"].transform("size")


def generated_sprints(seed: int, teams: int = 8, sprints: int = 25) -> pd.DataFrame:
    """Return sprints of teams that differ in how much of a commitment they deliver.

    Each is seen at 30, 50 and 80 % of its time; `truth` is the share that its team
    delivers in the mean.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for team in range(teams):
        ability = rng.uniform(0.5, 1.2)
        for sprint in range(sprints):
            committed = int(rng.integers(15, 60))
            delivered = int(min(committed * rng.normal(ability, 0.2), committed + 5))
            delivered = max(delivered, 0)
            for elapsed in (0.3, 0.5, 0.8):
                done = int(delivered * min(elapsed * rng.uniform(0.85, 1.1), 1.0))
                doing = int((committed - done) * 0.3) if done < committed else 0
                left = max(committed - done - doing, 0)
                sprint_now = (f"T{team}", f"S{sprint}", elapsed, 14, 6, committed)
                board = (0, 0, left, doing, done, delivered, ability)
                rows.append((*sprint_now, *board))
    columns = ["team", "sprint", "elapsed", "planned_days", "members", "committed"]
    columns += ["added", "removed", "to_do", "in_progress", "done", "delivered"]
    return pd.DataFrame(rows, columns=[*columns, "truth"])
