"""What changed from one status to another: slips, new reds, money, reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pmo_analytics.tracking.result import Status

_SEVERITY = {"green": 1, "amber": 2, "red": 3}
# Smaller changes are no news.
_LEAST_SHARE, _LEAST_DAYS = 0.01, 5
_COLUMNS = ["project", "what", "before", "after", "worse", "text"]


def status_changes(before: Status, after: Status) -> pd.DataFrame:
    """Return what is different of each project, the worse first.

    Returns
    -------
    DataFrame
        Columns `project, what` (`rag`, `reported`, `finish`, `cost`, `milestone`,
        `baseline`, `running`; `manager`, `sponsor`, `program`, `phase`, `status`,
        `deadline`, `budget` where the tables themselves were edited), `before`,
        `after` (texts), `worse` (True, False; blank = neither) and `text`, a sentence.
    """
    rows = [
        row
        for project in after.table.index
        for row in (
            _of_project(project, before, after)
            if project in before.table.index
            else [_row(project, "running", "", "running", None, "is on the list now")]
        )
    ]
    rows += [
        _row(project, "running", "running", "", None, "is no longer on the list")
        for project in before.table.index.difference(after.table.index)
    ]
    rows += _milestones(before.milestones, after.milestones)
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    order = frame["worse"].map({True: 0, False: 2}).fillna(1)
    return frame.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _row(
    project: str, what: str, before: str, after: str, worse: bool | None, text: str
) -> dict[str, Any]:
    return {
        "project": project,
        "what": what,
        "before": before,
        "after": after,
        "worse": worse,
        "text": f"{project} {text}.",
    }


def _of_project(
    project: str, before: Status, after: Status
) -> Iterator[dict[str, Any]]:
    old, new = before.indicators.loc[project], after.indicators.loc[project]
    for what, who in (("rag", ""), ("reported", "is reported ")):
        a, b = _word(old[what]), _word(new[what])
        if a != b and b:
            worse = _SEVERITY.get(b, 0) > _SEVERITY.get(a, 0) if a else b != "green"
            was = f", was {a}" if a else ""
            text = f"{who or 'turned '}{b}{was}"
            if not who:
                text += f": {new['reason']}"
            yield _row(project, what, a, b, worse, text)
    yield from _moved_finish(project, old, new)
    yield from _moved_cost(project, old, new, after.unit_name)
    if _word(old["baseline"]) != _word(new["baseline"]):
        a, b = _word(old["baseline"]), _word(new["baseline"])
        yield _row(project, "baseline", a, b, None, f"has a new baseline: {b}")
    yield from _edited(project, old, new, after.unit_name)


# Column of the indicators -> what is said of a new value, and of none.
_EDITS = {
    "manager": ("is led by {}", "has no manager named"),
    "sponsor": ("has the sponsor {}", "has no sponsor named"),
    "program": ("belongs to {}", "belongs to no program"),
    "phase": ("is in the phase {}", "is in no phase named"),
    "status": ("is {}", "has no status"),
    "deadline": ("has to end by {}", "has no deadline"),
}


def _edited(
    project: str, old: pd.Series[Any], new: pd.Series[Any], unit: str
) -> Iterator[dict[str, Any]]:
    """Say which of a project's own columns, and its budget, were edited."""
    for name, (said, none) in _EDITS.items():
        if name not in old or name not in new:
            continue
        # Days without a time of day, kept or not.
        a, b = (_word(row[name]).removesuffix(" 00:00:00") for row in (old, new))
        if a != b:
            text = (said.format(b) if b else none) + (f", was {a}" if a else "")
            yield _row(project, name, a, b, None, text)
    was, now = old["bac"], new["bac"]
    if not was > 0 or not now > 0 or old.get("unit", unit) != new.get("unit", unit):
        return
    if abs(now - was) >= _LEAST_SHARE * was:
        text = f"has a budget of {now:,.0f} {unit}, {abs(now - was):,.0f} "
        text += f"{'more' if now > was else 'less'} than it had"
        yield _row(project, "budget", f"{was:,.0f}", f"{now:,.0f}", None, text)


def edited_since(kept: pd.DataFrame, after: Status) -> pd.DataFrame:
    """Return what was edited in projects since a status that was kept.

    Parameters
    ----------
    kept
        Index `project`: the columns of an earlier `Status.indicators`.

    Returns
    -------
    DataFrame
        As of `status_changes`.
    """
    # A column without anything was not kept then.
    kept = kept.dropna(axis="columns", how="all")
    if "bac" not in kept:
        kept = kept.assign(bac=float("nan"))
    rows = [
        row
        for project in after.table.index.intersection(kept.index)
        for row in _edited(
            project, kept.loc[project], after.indicators.loc[project], after.unit_name
        )
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _word(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def _moved_finish(
    project: str, old: pd.Series[Any], new: pd.Series[Any]
) -> Iterator[dict[str, Any]]:
    if pd.isna(old["finish"]) or pd.isna(new["finish"]):
        return
    days = (new["finish"] - old["finish"]).days
    if abs(days) >= _LEAST_DAYS:
        a, b = f"{old['finish']:%Y-%m-%d}", f"{new['finish']:%Y-%m-%d}"
        way = "later" if days > 0 else "sooner"
        text = f"at its pace ends {b}, {abs(days)} days {way} than before ({a})"
        yield _row(project, "finish", a, b, days > 0, text)


def _moved_cost(
    project: str, old: pd.Series[Any], new: pd.Series[Any], unit: str
) -> Iterator[dict[str, Any]]:
    if old["unit"] != new["unit"] or not old["eac"] > 0 or not new["eac"] > 0:
        return
    more = new["eac"] - old["eac"]
    if abs(more) >= _LEAST_SHARE * old["eac"]:
        a, b = f"{old['eac']:,.0f}", f"{new['eac']:,.0f}"
        text = f"is to cost {b} {unit}, {abs(more):,.0f} "
        text += f"{'more' if more > 0 else 'less'} than it was"
        yield _row(project, "cost", a, b, bool(more > 0), text)


def _milestones(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[dict[str, Any]]:
    key = ["project", "milestone"]
    both = new.merge(old[[*key, "due", "state"]], "left", key, suffixes=("", "_before"))
    for row in both.to_dict("records"):
        name = f"'{row['milestone']}'"
        if row["state"] == "reached" and row["state_before"] != "reached":
            b = f"{row['actual']:%Y-%m-%d}"
            text = f"reached {name} on {b}"
            late = row["slip_days"] > 0
            if late:
                text += f", {row['slip_days']:.0f} days late"
            yield _row(row["project"], "milestone", "", b, bool(late), text)
        elif pd.notna(row["due_before"]):
            days = (row["due"] - row["due_before"]).days
            if abs(days) >= _LEAST_DAYS:
                a, b = f"{row['due_before']:%Y-%m-%d}", f"{row['due']:%Y-%m-%d}"
                way = "later" if days > 0 else "sooner"
                text = f"expects {name} on {b}, {abs(days)} days {way} ({a})"
                yield _row(row["project"], "milestone", a, b, days > 0, text)
