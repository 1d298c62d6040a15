"""What a network says of its project: dates, status, progress, milestones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import folded
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling.parts import STATUS_FIELD

# Names of codes and fields that say what a project belongs to, folded.
_CODES = {
    "theme": {"theme", "thema", "strategictheme", "category", "portfolio"},
    "program": {"program", "programme", "programm", "programa"},
    "value": {"value", "score", "benefit", "npv", "nutzen"},
    "priority": {"priority", "prioritat"},
    "phase": {"phase", "stage", "gate"},
    "status": {folded(STATUS_FIELD)},
}
_STATUSES = ("idea", "proposed", "paused", "approved", "running", "done", "cancelled")


def leaf_tasks(network: Network) -> pd.DataFrame:
    """Return tasks and milestones that are active and no sums of others."""
    tasks = network.tasks
    wanted = tasks["kind"].isin(["task", "milestone", "level_of_effort"])
    return tasks[wanted & tasks["active"]]


def span_of(network: Network) -> tuple[Any, Any]:
    """Return first start and last finish of the tasks, else what the file says."""
    leaves = leaf_tasks(network)
    start, finish = leaves["start"].min(), leaves["finish"].max()
    start = network.start if pd.isna(start) else start
    finish = network.finish if pd.isna(finish) else finish
    start, finish = pd.Timestamp(start), pd.Timestamp(finish)
    if pd.isna(finish) or (pd.notna(start) and finish < start):
        finish = start
    return start, finish


def status_of(network: Network) -> str:
    """Return done, running or proposed, by the progress of tasks.

    A summary task that is a project may say it itself (`PMO status`).
    """
    said = code_of(network, "status")
    if said in _STATUSES:
        return said
    leaves = leaf_tasks(network)
    complete = leaves["actual_finish"].notna() | (leaves["percent_complete"] >= 100)
    if len(leaves) and complete.all():
        return "done"
    begun = leaves["actual_start"].notna() | (leaves["percent_complete"] > 0)
    return "running" if begun.any() else "proposed"


def root_of(network: Network) -> str:
    """Return the id of the one task above all others, "" where there is none."""
    tasks = network.tasks
    tops = tasks[(tasks["parent"] == "") & (tasks["kind"] != "")]
    one = len(tops) == 1 and tops["kind"].iloc[0] == "summary"
    return str(tops.index[0]) if one else ""


def code_of(network: Network, what: str, chosen: str = "") -> str:
    """Return the theme, program, ... that codes of the project give it.

    Parameters
    ----------
    chosen
        Name of the code or field to take, instead of those that are known.
    """
    wanted = {folded(chosen)} if chosen else _CODES[what]
    codes, root = network.codes, root_of(network)
    own = codes[
        (codes["of"] == "project") | ((codes["of"] == "task") & (codes["id"] == root))
    ]
    for code, value in zip(own["code"], own["value"], strict=True):
        if folded(code) in wanted and value:
            return str(value)
    for name, value in network.fields.items():
        if folded(name) in wanted and value and value != "0":
            return str(value)
    return ""


def deadline_of(network: Network, finish: Any) -> Any:
    """Return the deadline of the project: of its summary, or of what ends last."""
    tasks, root = network.tasks, root_of(network)
    if root and pd.notna(tasks.at[root, "deadline"]):
        return tasks.at[root, "deadline"]
    last = leaf_tasks(network)
    last = last[last["finish"] == finish]
    return last["deadline"].min() if len(last) else pd.NaT


def as_of(network: Network) -> Any:
    """Return the day that progress is reported for, NaT where nothing says it."""
    if pd.notna(network.data_date):
        return pd.Timestamp(network.data_date).normalize()
    for name in ("LastSaved", "CurrentDate"):
        day = pd.to_datetime(network.fields.get(name, ""), errors="coerce")
        if pd.notna(day):
            return day.normalize()
    return pd.NaT


def progress_row(network: Network, project: str, finish: Any) -> dict[str, Any] | None:
    """Return the row of `progress`; None where no day is known or nothing begun."""
    day = as_of(network)
    work = network.assignments[["work_h", "actual_h", "remaining_h"]].sum()
    leaves = leaf_tasks(network)
    if pd.isna(day) or not len(leaves):
        return None
    if work["work_h"] > 0:
        percent = 100 * work["actual_h"] / work["work_h"]
    else:
        length = leaves["duration_h"].fillna(0).to_numpy()
        length = length if length.sum() > 0 else np.ones(len(leaves))
        done = leaves["percent_complete"].fillna(0).to_numpy()
        percent = float((done * length).sum() / length.sum())
    money = network.assignments["actual_cost"].sum()
    return {
        "project": project,
        "as_of": day,
        "percent_complete": round(min(max(float(percent), 0.0), 100.0), 6),
        "actual_cost": float(money) if money > 0 else np.nan,
        "actual_hours": float(work["actual_h"]),
        "remaining_hours": float(max(work["remaining_h"], 0.0)),
        "forecast_finish": pd.NaT if pd.isna(finish) else finish.normalize(),
    }


def milestone_rows(network: Network, project: str) -> list[dict[str, Any]]:
    """Return the rows of `milestones`, with names that are unique in the project."""
    day = as_of(network)
    found = leaf_tasks(network)
    found = found[(found["kind"] == "milestone") & found["finish"].notna()]
    if pd.isna(day):
        return []
    seen: dict[str, int] = {}
    rows = []
    for uid, row in found.to_dict("index").items():
        name = row["name"] or f"Milestone {row['code'] or uid}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name} ({row['code'] or uid})"
        rows.append(
            {
                "project": project,
                "milestone": name,
                "as_of": day,
                "baseline": _day(row["baseline_finish"]),
                "forecast": _day(row["finish"]),
                "actual": _day(row["actual_finish"]),
            }
        )
    return rows


def baseline_rows(network: Network, project: str, freq: str) -> list[dict[str, Any]]:
    """Return the rows of `baselines`: one for each baseline that has dates."""
    leaves = set(leaf_tasks(network).index)
    frame = network.baselines
    frame = frame[frame["task"].isin(list(leaves)) & frame["start"].notna()]
    rows = []
    for name, own in frame.groupby("baseline", sort=False):
        start, finish = own["start"].min(), own["finish"].max()
        if pd.isna(finish) or finish < start:
            continue
        first, last = (pd.Period(day, freq=freq) for day in (start, finish))
        effort, cost = own["work_h"].sum(), own["cost"].sum()
        rows.append(
            {
                "project": project,
                "baseline": str(name),
                "start": first,
                "duration": last.ordinal - first.ordinal + 1,
                "effort": float(effort) if effort > 0 else np.nan,
                "cost": float(cost) if cost > 0 else np.nan,
            }
        )
    return rows


def plan_row(network: Network, project: str, freq: str) -> dict[str, Any] | None:
    """Return the plan of a project that has not begun as a row of `baselines`."""
    start, finish = span_of(network)
    if status_of(network) != "proposed" or pd.isna(start):
        return None
    first, last = (pd.Period(day, freq=freq) for day in (start, finish))
    effort, cost = network.assignments["work_h"].sum(), network.tasks["cost"]
    cost = cost[network.tasks["kind"] != "summary"].sum()
    return {
        "project": project,
        "baseline": "first update",
        "set_on": as_of(network),
        "start": first,
        "duration": last.ordinal - first.ordinal + 1,
        "effort": float(effort) if effort > 0 else np.nan,
        "cost": float(cost) if cost > 0 else np.nan,
    }


def project_ids(networks: Sequence[Network]) -> tuple[list[str], list[int]]:
    """Return an id for each network, and which had to get one of their own."""
    ids: list[str] = []
    seen: dict[str, int] = {}
    twice = []
    for number, network in enumerate(networks):
        name = (
            network.project or network.name or network.source or f"Project {number + 1}"
        )
        key = folded(name)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            twice.append(number)
            name = f"{name} ({network.source.rpartition('.')[0] or seen[key]})"
            while name in ids:
                seen[key] += 1
                name = f"{name} {seen[key]}"
        ids.append(name)
    return ids, twice


def _day(time: Any) -> Any:
    return pd.NaT if pd.isna(time) else pd.Timestamp(time).normalize()
