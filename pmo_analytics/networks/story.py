"""The story of updates: how the finish of one project moved, and what moved it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.networks.floats import scheduled
from pmo_analytics.networks.network import Network

_DAY = pd.Timedelta(days=1)
_PROGRESS = (
    "status",
    "actual_start",
    "actual_finish",
    "remaining_h",
    "percent_complete",
    "suspend",
    "resume",
    "expected_finish",
)
_CONSTRAINTS = ("constraint", "constraint_date", "constraint2", "constraint2_date")
_LINK_KEYS = ["task", "requires", "kind", "requires_project"]
# In the order in which they are made: each is what it changes after those before it.
CAUSES = {
    "progress": "Progress and a later data date",
    "durations": "Durations of what has not started",
    "activities": "Activities added and removed, with their links",
    "links": "Links and lags between the others",
    "constraints": "Constraints",
    "calendars": "Calendars",
    "options": "Scheduling options and what else the files say",
    "stored": "Dates in the files that their logic does not give",
}


@dataclass(frozen=True)
class Story:
    """What happened from update to update of one project.

    Attributes
    ----------
    finishes
        One row an update, by data date: `update, project, source, data_date, finish,
        slip_days` (since the update before).
    milestones
        `milestone, name, update, data_date, forecast, actual, baseline`: the rows of a
        milestone trend chart.
    changes
        `update, what, id, before, after, moved_days`: activities and links that were
        added, removed or changed, and by how much the finish of the activity (of the
        successor, for links) moved.
    slip
        `update, cause, days, what`: what moved the finish, cause by cause. `days` adds
        up to the last finish minus the first.
    """

    finishes: pd.DataFrame
    milestones: pd.DataFrame
    changes: pd.DataFrame
    slip: pd.DataFrame

    def __repr__(self) -> str:
        days = self.slip["days"].sum()
        return f"Story({len(self.finishes)} updates, {days:+.1f} days)"


def compare_networks(networks: Sequence[Network]) -> Story:
    """Compare the updates of one project: baseline and status files, in any order.

    Activities are matched by id. For the causes of a slip the older network is turned
    into the newer one step by step (`CAUSES`), and its critical path worked out after
    each; what a step moves belongs to its cause. The order is fixed, so causes that
    work together are booked under the first.

    Parameters
    ----------
    networks
        At least one. They are put in the order of their data dates; those without one
        stay where they are given.

    Raises
    ------
    ConfigError
        If there is no network, or two have no activity in common.
    """
    if not networks:
        raise ConfigError("There is no network to compare.")
    updates = _in_order(list(networks))
    for k in range(1, len(updates)):
        updates[k] = _aligned(updates[k], updates[k - 1])
    names = _names(updates)
    for old, new in pairwise(updates):
        if not set(_work(old).index) & set(_work(new).index):
            raise ConfigError(
                f"{old.source or old.project} and {new.source or new.project} have no "
                "activity in common: they are not updates of one project."
            )
    finishes = [_finish(network) for network in updates]
    slips = [
        row
        for k, (old, new) in enumerate(pairwise(updates))
        for row in _causes(old, new, names[k + 1], finishes[k], finishes[k + 1])
    ]
    changes = [
        row
        for k, (old, new) in enumerate(pairwise(updates))
        for row in _changes(old, new, names[k + 1])
    ]
    return Story(
        _finishes(updates, names, finishes),
        _milestones(updates, names),
        pd.DataFrame(changes, columns=_CHANGE_COLUMNS),
        pd.DataFrame(slips, columns=["update", "cause", "days", "what"]),
    )


_CHANGE_COLUMNS = ["update", "what", "id", "before", "after", "moved_days"]


def _in_order(networks: list[Network]) -> list[Network]:
    """Return networks by data date; those without one keep their place."""
    dated = [n for n in networks if pd.notna(n.data_date)]
    ordered = iter(sorted(dated, key=lambda n: pd.Timestamp(n.data_date)))
    return [next(ordered) if pd.notna(n.data_date) else n for n in networks]


def _names(networks: list[Network]) -> list[str]:
    """Return what to call updates: their files, numbered where these are alike."""
    names = [network.source or network.project for network in networks]
    if len(set(names)) == len(names):
        return names
    return [f"{k + 1}. {name}" for k, name in enumerate(names)]


def _aligned(network: Network, older: Network) -> Network:
    """Return a network whose calendars have the ids of those of the same name.

    The ids are those of a database, and another one with every import.
    """
    calendars = older.calendars["name"]
    known = {name: own for own, name in calendars.items() if name}
    taken = set(older.calendars.index)
    ids = {}
    for own, name in network.calendars["name"].items():
        fresh = str(own)
        while fresh in taken:
            fresh += "'"
        ids[own] = known.pop(name, fresh)
    frames = {
        "tasks": network.tasks.assign(calendar=_renamed(network.tasks, ids)),
        "resources": network.resources.assign(
            calendar=_renamed(network.resources, ids)
        ),
        "shifts": network.shifts.assign(calendar=_renamed(network.shifts, ids)),
        "calendars": network.calendars.rename(index=ids).assign(
            parent=[ids.get(k, k) for k in network.calendars["parent"]]
        ),
    }
    return network.replace(**frames)


def _renamed(frame: pd.DataFrame, ids: dict[Any, str]) -> list[str]:
    return [ids.get(k, k) for k in frame["calendar"]]


def _work(network: Network) -> pd.DataFrame:
    """Return the tasks that a finish depends on."""
    tasks = network.tasks
    kinds = ("summary", "level_of_effort")
    return tasks[~tasks["kind"].isin(kinds) & tasks["active"]]


def _finish(network: Network) -> pd.Timestamp:
    """Return the last finish of a network as its file has it."""
    return _work(network)["finish"].max()


def _finishes(
    updates: list[Network], names: list[str], finishes: list[pd.Timestamp]
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "update": names,
            "project": [n.project for n in updates],
            "source": [n.source for n in updates],
            "data_date": pd.to_datetime([n.data_date for n in updates]),
            "finish": pd.to_datetime(finishes),
        }
    )
    return frame.assign(slip_days=frame["finish"].diff() / _DAY)


def _milestones(updates: list[Network], names: list[str]) -> pd.DataFrame:
    parts = []
    for network, name in zip(updates, names, strict=True):
        rows = network.tasks[network.tasks["kind"] == "milestone"]
        parts.append(
            pd.DataFrame(
                {
                    "milestone": rows.index,
                    "name": rows["name"].to_numpy(),
                    "update": name,
                    "data_date": pd.Timestamp(network.data_date),
                    "forecast": rows["finish"].to_numpy(),
                    "actual": rows["actual_finish"]
                    .fillna(rows["actual_start"])
                    .to_numpy(),
                    "baseline": rows["baseline_finish"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


# ----------------------------------------------------------------------------- causes


def _causes(
    old: Network,
    new: Network,
    name: str,
    before: pd.Timestamp,
    after: pd.Timestamp,
) -> list[tuple[str, str, float, str]]:
    """Return update, cause, days and words for what moved the finish."""
    total = (after - before) / _DAY
    place = first = _computed(old)
    rows = []
    for cause, network in _steps(old, new):
        moved = _computed(network)
        if moved is not None and place is not None:
            rows.append((cause, (moved - place) / 86_400))
            place = moved
    last = _computed(new)
    if first is None or last is None or place is None:
        # Without a critical path at both ends nothing can be told apart.
        rows = []
    elif place != last:
        rows.append(("options", (last - place) / 86_400))
    known = sum(days for _, days in rows)
    if abs(total - known) > 1e-9:
        rows.append(("stored", total - known))
    return [(name, cause, days, CAUSES[cause]) for cause, days in rows if days]


def _computed(network: Network) -> int | None:
    """Return the finish that the logic of a network gives, in seconds."""
    try:
        logic, dates = scheduled(network, {})
    except DataError:
        return None
    done = [a.finished for a in logic.activities if a.finished is not None]
    open_ = [
        dates.early_finish[k] for k in logic.order if logic.activities[k].status < 2
    ]
    return max(done + open_, default=dates.finish)


def _steps(old: Network, new: Network) -> Iterator[tuple[str, Network]]:
    """Yield the older network with one change after the other, towards the newer."""
    tasks, target = old.tasks.copy(), new.tasks
    common = tasks.index.intersection(target.index)
    begun = _begun(target).reindex(common, fill_value=False)
    started, waiting = common[begun.to_numpy()], common[~begun.to_numpy()]
    _take(tasks, target, started, _PROGRESS)
    step = old.replace(tasks=tasks, data_date=new.data_date)
    yield "progress", step
    tasks = tasks.copy()
    _take(tasks, target, waiting, ("duration_h", *_PROGRESS))
    step = step.replace(tasks=tasks)
    yield "durations", step
    gone, fresh = tasks.index.difference(target.index), target.index.difference(common)
    tasks = pd.concat([tasks.drop(index=gone), target.loc[fresh]])
    links = old.links[~_touches(old.links, gone)]
    links = pd.concat([links, new.links[_touches(new.links, fresh)]], ignore_index=True)
    added = new.calendars.index.difference(old.calendars.index)
    calendars = pd.concat([old.calendars, new.calendars.loc[added]])
    shifts = pd.concat([old.shifts, new.shifts[new.shifts["calendar"].isin(added)]])
    step = step.replace(
        tasks=tasks,
        links=links,
        calendars=calendars,
        shifts=shifts.reset_index(drop=True),
    )
    yield "activities", step
    step = step.replace(links=new.links)
    yield "links", step
    tasks = tasks.copy()
    _take(tasks, target, common, _CONSTRAINTS)
    step = step.replace(tasks=tasks)
    yield "constraints", step
    tasks = tasks.copy()
    _take(tasks, target, common, ("calendar",))
    yield (
        "calendars",
        step.replace(tasks=tasks, calendars=new.calendars, shifts=new.shifts),
    )


def _begun(tasks: pd.DataFrame) -> pd.Series:
    begun = tasks["actual_start"].notna() | (tasks["percent_complete"] > 0)
    return begun | (tasks["status"] != "not_started") if "status" in tasks else begun


def _take(
    tasks: pd.DataFrame, target: pd.DataFrame, ids: pd.Index, names: Sequence[str]
) -> None:
    """Write columns of the target into tasks, for some of them."""
    for name in names:
        if name in tasks and name in target:
            tasks.loc[ids, name] = target.loc[ids, name]


def _touches(links: pd.DataFrame, ids: pd.Index) -> Any:
    return links["task"].isin(ids) | links["requires"].isin(ids)


# ---------------------------------------------------------------------------- changes


def _changes(old: Network, new: Network, name: str) -> list[tuple[Any, ...]]:
    """Return what differs between two updates, and how far that task moved."""
    before, after = _work(old), _work(new)
    common = before.index.intersection(after.index)
    moved = (after["finish"].reindex(common) - before["finish"].reindex(common)) / _DAY
    rows: list[tuple[Any, ...]] = [
        (name, "activity added", k, "", after.loc[k, "name"], np.nan)
        for k in after.index.difference(common)
    ]
    rows += [
        (name, "activity removed", k, before.loc[k, "name"], "", np.nan)
        for k in before.index.difference(common)
    ]
    for column, what in (
        ("duration_h", "duration changed"),
        ("constraint", "constraint changed"),
        ("constraint_date", "constraint date changed"),
        ("calendar", "calendar changed"),
    ):
        a, b = before.loc[common, column], after.loc[common, column]
        same = (a == b) | (a.isna() & b.isna())
        rows += [
            (name, what, k, _text(a[k]), _text(b[k]), moved[k])
            for k in common[~same.to_numpy(dtype=bool)]
        ]
    return rows + _link_changes(old, new, name, moved)


def _link_changes(
    old: Network, new: Network, name: str, moved: pd.Series
) -> list[tuple[Any, ...]]:
    # Two links of one kind between the same two are one here, with the longest lag.
    a = old.links.groupby(_LINK_KEYS, sort=False)["lag_h"].max()
    b = new.links.groupby(_LINK_KEYS, sort=False)["lag_h"].max()
    found: list[tuple[Any, ...]] = []
    for what, keys in (
        ("link added", b.index.difference(a.index, sort=False)),
        ("link removed", a.index.difference(b.index, sort=False)),
        ("lag changed", a.index.intersection(b.index, sort=False)),
    ):
        for key in keys:
            lags = a.get(key, np.nan), b.get(key, np.nan)
            if lags[0] == lags[1]:
                continue
            task, requires, kind, project = key
            other = f"{project}/{requires}" if project else requires
            texts = [_link(kind, lag) for lag in lags]
            shift = moved.get(task, np.nan)
            found.append((name, what, f"{other} -> {task}", *texts, shift))
    return found


def _link(kind: str, lag_h: float) -> str:
    if lag_h != lag_h:
        return ""
    return f"{kind}{lag_h:+g}h" if lag_h else kind


def _text(cell: Any) -> str:
    if cell is pd.NaT or cell != cell:
        return ""
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
