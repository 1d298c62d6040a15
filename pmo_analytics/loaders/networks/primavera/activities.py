"""Tasks of one project of P6: its WBS as summaries, its activities, their baselines."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.primavera.cells import Numbers, Times
from pmo_analytics.loaders.networks.primavera.tables import P6File, Rows, unique
from pmo_analytics.networks import Balance

KINDS = {
    "TT_Task": "task",
    "TT_Rsrc": "task",
    "TT_Mile": "milestone",
    "TT_FinMile": "milestone",
    "TT_LOE": "level_of_effort",
    "TT_WBS": "level_of_effort",
}
CONSTRAINTS = {
    "CS_MSO": "start_on",
    "CS_MSOA": "start_no_earlier",
    "CS_MSOB": "start_no_later",
    "CS_MEO": "finish_on",
    "CS_MEOA": "finish_no_earlier",
    "CS_MEOB": "finish_no_later",
    "CS_MANDSTART": "must_start_on",
    "CS_MANDFIN": "must_finish_on",
    "CS_ALAP": "alap",
}
STATUS = {
    "TK_NotStart": "not_started",
    "TK_Active": "active",
    "TK_Complete": "complete",
}


class Wbs(NamedTuple):
    """The WBS of a project: rows in the order of its tree, ids, paths, parents."""

    order: list[str]
    path: dict[str, str]
    parent: dict[str, str]
    name: dict[str, str]
    line: dict[str, int]


def wbs_of(file: P6File, project: str) -> Wbs:
    """Return the WBS of a project; what hangs on itself hangs on nothing."""
    rows = file.rows("PROJWBS", project)
    records = rows.records("wbs_id", "parent_wbs_id", "wbs_short_name", "wbs_name")
    lines = dict(zip((r[0] for r in records), rows.lines, strict=True))
    parent = {own: up if up in lines else "" for own, up, _, _ in records}
    short = {own: code or own for own, _, code, _ in records}
    children: dict[str, list[str]] = {}
    for own, up in parent.items():
        children.setdefault(up, []).append(own)
    order: list[str] = []
    path: dict[str, str] = {}
    waiting = list(reversed(children.get("", [])))
    while len(order) < len(parent):
        if not waiting:  # a circle of parents: its first member becomes a root
            loose = next(own for own in parent if own not in path)
            parent[loose] = ""
            waiting.append(loose)
        own = waiting.pop()
        if own in path:
            continue
        up = parent[own]
        path[own] = f"{path[up]}.{short[own]}" if up else short[own]
        order.append(own)
        waiting.extend(reversed(children.get(own, [])))
    return Wbs(order, path, parent, {r[0]: r[3] for r in records}, lines)


class Activities(NamedTuple):
    """The activities of a project, and how other tables call them."""

    frame: pd.DataFrame
    by_uid: dict[str, str]
    uids: list[str]


def activities_of(file: P6File, project: str, balance: Balance) -> Activities:
    """Return the activities of a project as rows of `tasks`, index `task`."""
    rows = file.rows("TASK", project)
    uids, codes, lines = rows.text("task_id"), rows.text("task_code"), rows.lines
    balance.read("tasks", len(rows))
    ids, changed = unique(codes, uids)
    named = [(lines[k], codes[k] or "(blank)") for k in changed]
    file.said(
        "duplicate_activity",
        "TASK.task_code",
        named,
        "These activity ids stand more than once or are blank. The others of a name "
        "are known by the id of the database in brackets. Renumber them in P6.",
        severity="error",
    )
    frame = pd.DataFrame({"task": ids, **_columns(file, rows)})
    frame["line"] = np.array(lines, dtype=float)
    _checked(file, frame)
    return Activities(frame, dict(zip(uids, ids, strict=True)), uids)


def _columns(file: P6File, rows: Rows) -> dict[str, Any]:
    types = rows.text("task_type")
    status = [STATUS.get(cell, cell) for cell in rows.text("status_code")]
    _unknown(file, rows, "task_type", types, KINDS)
    started, done = rows.time("act_start_date"), rows.time("act_end_date")
    planned = rows.time("target_start_date"), rows.time("target_end_date")
    early = rows.time("early_start_date"), rows.time("early_end_date")
    remaining = rows.time("restart_date"), rows.time("reend_date")
    duration = rows.number("target_drtn_hr_cnt")
    left = rows.number("remain_drtn_hr_cnt")
    physical = rows.number("phys_complete_pct")
    work = _sums(rows, "act_work_qty", "act_equip_qty")
    rest = _sums(rows, "remain_work_qty", "remain_equip_qty")
    return {
        "uid": rows.text("task_id"),
        "name": rows.text("task_name"),
        "code": rows.text("task_code"),
        "kind": [KINDS.get(cell, "task") for cell in types],
        "type": types,
        "status": status,
        "start": _first(started, remaining[0], early[0], planned[0]),
        "finish": _first(done, remaining[1], early[1], planned[1]),
        "duration_h": duration,
        "remaining_h": left,
        "percent_complete": _percent(
            status,
            rows.text("complete_pct_type"),
            (duration, left, physical),
            (work, rest),
        ),
        "physical_percent": physical,
        "actual_start": started,
        "actual_finish": done,
        "planned_start": planned[0],
        "planned_finish": planned[1],
        "early_start": early[0],
        "early_finish": early[1],
        "late_start": rows.time("late_start_date"),
        "late_finish": rows.time("late_end_date"),
        "constraint": _constraints(file, rows, "cstr_type"),
        "constraint_date": rows.time("cstr_date"),
        "constraint2": _constraints(file, rows, "cstr_type2"),
        "constraint2_date": rows.time("cstr_date2"),
        "expected_finish": rows.time("expect_end_date"),
        "external_early_start": rows.time("external_early_start_date"),
        "external_late_finish": rows.time("external_late_end_date"),
        "suspend": rows.time("suspend_date"),
        "resume": rows.time("resume_date"),
        "calendar": rows.text("clndr_id"),
        "total_float_h": rows.number("total_float_hr_cnt"),
        "free_float_h": rows.number("free_float_hr_cnt"),
        "on_longest_path": rows.flag("driving_path_flag"),
        "wbs_id": rows.text("wbs_id"),
        "duration_type": rows.text("duration_type"),
        "percent_type": rows.text("complete_pct_type"),
    }


def _first(*choices: Times) -> Times:
    """Return, for each place, the first of some times that is not blank."""
    found = choices[0].copy()
    for other in choices[1:]:
        blank = np.isnat(found)
        found[blank] = other[blank]
    return found


def _sums(rows: Rows, *names: str) -> Numbers:
    return np.nansum([rows.number(name) for name in names], axis=0)


def _percent(
    status: list[str],
    kinds: list[str],
    length: tuple[Numbers, Numbers, Numbers],
    work: tuple[Numbers, Numbers],
) -> Numbers:
    """Return percent complete as P6 shows it, by the kind that each activity has."""
    duration, left, physical = length
    with np.errstate(divide="ignore", invalid="ignore"):
        by_duration = np.clip((duration - left) / duration, 0, 1) * 100
        by_units = work[0] / (work[0] + work[1]) * 100
    by_duration = np.nan_to_num(by_duration)
    kind = np.array(kinds, dtype=object)
    found = np.where(
        kind == "CP_Phys",
        np.nan_to_num(physical),
        np.where(kind == "CP_Units", np.nan_to_num(by_units), by_duration),
    )
    state = np.array(status, dtype=object)
    found = np.where(state == "complete", 100.0, found)
    return np.where(state == "not_started", 0.0, found)


def _constraints(file: P6File, rows: Rows, name: str) -> list[str]:
    cells = rows.text(name)
    _unknown(file, rows, name, cells, {**CONSTRAINTS, "": ""})
    return [CONSTRAINTS.get(cell, "") for cell in cells]


def _unknown(
    file: P6File, rows: Rows, name: str, cells: list[str], known: dict[str, str]
) -> None:
    lines = rows.lines
    file.said(
        "unknown_word",
        f"TASK.{name}",
        [(lines[k], repr(c)) for k, c in enumerate(cells) if c not in known],
        "These words are not of P6. A kind of activity counts as an ordinary one, a "
        "constraint as none.",
    )


def _checked(file: P6File, frame: pd.DataFrame) -> None:
    """Say which activities contradict themselves."""

    def said(rule: str, column: str, wrong: Any, fix: str) -> None:
        bad = frame[np.asarray(wrong)]
        items = zip(bad["line"].astype(int), bad["task"], strict=True)
        file.said(rule, f"TASK.{column}", items, fix)

    said(
        "negative_duration",
        "target_drtn_hr_cnt",
        (frame["duration_h"] < 0) | (frame["remaining_h"] < 0),
        "These durations are negative. They count as 0 in the critical path.",
    )
    said(
        "contradicting_dates",
        "act_end_date",
        frame["actual_finish"] < frame["actual_start"],
        "These activities finished before they started. Correct the actual dates.",
    )
    said(
        "contradicting_status",
        "status_code",
        ((frame["status"] == "complete") & frame["actual_finish"].isna())
        | ((frame["status"] == "active") & frame["actual_start"].isna()),
        "These activities are started or complete and have no actual date for it. "
        "Enter it in P6.",
    )


def with_summaries(frame: pd.DataFrame, wbs: Wbs, file: P6File) -> pd.DataFrame:
    """Return activities with the WBS above them as summaries, in the order of the tree.

    Dates of a summary span those of what it holds; it has started when one of them has
    and is finished when all are.
    """
    rank = {own: k for k, own in enumerate(wbs.order)}
    path = [wbs.path.get(own, "") for own in frame["wbs_id"]]
    file.said(
        "missing_wbs",
        "TASK.wbs_id",
        [
            (int(line), task)
            for line, task, own, at in zip(
                frame["line"], frame["task"], frame["wbs_id"], path, strict=True
            )
            if own and not at
        ],
        "The WBS of these activities is not in the file. They hang on the project.",
    )
    ids = _summary_ids(wbs, set(frame["task"]))
    frame = frame.assign(wbs=path, parent=[ids.get(k, "") for k in frame["wbs_id"]])
    above = pd.DataFrame(
        {
            "task": [ids[own] for own in wbs.order],
            "uid": wbs.order,
            "wbs": [wbs.path[own] for own in wbs.order],
            "parent": [ids.get(wbs.parent[own], "") for own in wbs.order],
            "name": [wbs.name[own] for own in wbs.order],
            "code": [wbs.path[own] for own in wbs.order],
            "kind": "summary",
            "line": np.array([wbs.line[own] for own in wbs.order], dtype=float),
            "wbs_id": wbs.order,
            **_spans(frame, wbs),
        }
    )
    both = pd.concat([above, frame], ignore_index=True)
    place = both["wbs_id"].map(rank).fillna(len(rank)).to_numpy()
    below = (both["kind"] != "summary").to_numpy()
    order = np.lexsort((np.arange(len(both)), below, place))
    return both.iloc[order].drop(columns="wbs_id").reset_index(drop=True)


def _summary_ids(wbs: Wbs, taken: set[str]) -> dict[str, str]:
    ids, used = {}, set(taken)
    for own in wbs.order:
        name = wbs.path[own]
        if name in used:
            name = f"{name} ({own})"
        used.add(name)
        ids[own] = name
    return ids


_BLANK = np.iinfo(np.int64).min
_LATEST = np.iinfo(np.int64).max
_SPANS = (
    ("start", min),
    ("finish", max),
    ("actual_start", min),
    ("baseline_start", min),
    ("baseline_finish", max),
    ("early_start", min),
    ("early_finish", max),
    ("late_start", min),
    ("late_finish", max),
)


def _spans(frame: pd.DataFrame, wbs: Wbs) -> dict[str, Any]:
    """Return the dates of summaries, in the order of the tree."""
    rank = {own: k for k, own in enumerate(wbs.order)}
    above = [rank.get(wbs.parent[own], -1) for own in wbs.order]
    places = np.array([rank.get(own, -1) for own in frame["wbs_id"]], dtype=int)
    found: dict[str, Any] = {}
    for name, pick in _SPANS:
        times = frame[name].to_numpy("datetime64[s]")
        known = ~np.isnat(times) & (places >= 0)
        seconds = times[known].astype(np.int64)
        least = pick is min
        none = _LATEST if least else -_LATEST
        best = np.full(len(wbs.order), none)
        meet = np.minimum if least else np.maximum
        meet.at(best, places[known], seconds)
        spans = best.tolist()
        for child in range(len(spans) - 1, -1, -1):
            up = above[child]
            if up >= 0:
                spans[up] = pick(spans[up], spans[child])
        best = np.array(spans, dtype=np.int64)
        best[best == none] = _BLANK
        found[name] = pd.Series(best.astype("datetime64[s]"))
    done = _finished(frame, wbs)
    found["actual_finish"] = found["finish"].where(
        pd.Series([done.get(k, False) for k in wbs.order], dtype=bool)
    )
    return found


def _finished(frame: pd.DataFrame, wbs: Wbs) -> dict[str, bool]:
    done = {
        str(k): bool(v)
        for k, v in frame["actual_finish"]
        .notna()
        .groupby(frame["wbs_id"])
        .all()
        .items()
    }
    for child in reversed(wbs.order):
        up = wbs.parent[child]
        if up and child in done:
            done[up] = done[child] and done.get(up, True)
    return done
