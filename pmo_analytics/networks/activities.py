"""A network as the passes of the critical path see it: activities, links, options.

Times are whole seconds since 1970, as in `WorkCalendar`; None = not known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError, problem, problems_table
from pmo_analytics.networks.calendars import NoWorkingTime, WorkCalendar
from pmo_analytics.networks.network import Network

NOT_STARTED, ACTIVE, COMPLETE = 0, 1, 2
TASK, START_MILESTONE, FINISH_MILESTONE = 0, 1, 2
_STATUS = {"not_started": NOT_STARTED, "active": ACTIVE, "complete": COMPLETE}
_NAT = np.iinfo(np.int64).min
_SHOWN = 8


class Elapsed:
    """The calendar that always works, for lags in elapsed time."""

    def add(self, start: int, seconds: int) -> int:
        """Return `start` and so many seconds."""
        return start + seconds

    def between(self, start: int, finish: int) -> int:
        """Return the seconds between."""
        return finish - start


ELAPSED = Elapsed()
_ALWAYS = WorkCalendar([((0, 1440),)] * 7)


@dataclass(frozen=True)
class Options:
    """How a network is scheduled.

    Parameters
    ----------
    scheduler
        `p6`: remaining work starts at the data date, complete activities hand logic on.
        `msp`: started tasks keep their start, floats are the smaller of both ends.
    mode
        `retained_logic`, `progress_override`, `actual_dates` (as retained logic).
    lag_calendar
        `predecessor`, `successor`, `project`, `24h`.
    float_by
        `finish`, `start`, `smallest`.
    critical_by
        `float` (at most `critical_float_h`) or `longest_path`.
    must_finish
        Late dates run back from here instead of from the last finish.
    """

    scheduler: str = "p6"
    mode: str = "retained_logic"
    lag_calendar: str = "predecessor"
    float_by: str = "finish"
    critical_by: str = "float"
    critical_float_h: float = 0.0
    must_finish: int | None = None
    open_ends_critical: bool = False
    start_lag_from: str = "early"
    use_expected_finish: bool = False

    @classmethod
    def of(cls, network: Network) -> Options:
        """Return the options that the file of a network states."""
        said = network.fields
        scheduler = said.get("scheduler", "msp")
        of_p6 = scheduler == "p6"
        return cls(
            scheduler,
            network.status_mode or "retained_logic",
            network.lag_calendar or ("predecessor" if of_p6 else "successor"),
            said.get("float_by", "finish" if of_p6 else "smallest"),
            said.get("critical_by", "float"),
            _number(said.get("critical_float_h", "")),
            _moment(said.get("must_finish", "")),
            said.get("open_ends_critical", "N") == "Y",
            said.get("start_lag_from", "early"),
            said.get("use_expected_finish", "N") == "Y",
        )


@dataclass
class Activity:
    """One activity; `left` is the working time that remains, in seconds."""

    at: int
    clock: WorkCalendar
    left: int
    status: int
    shape: int
    started: int | None
    finished: int | None
    done: int = 0
    constraints: list[tuple[str, int]] = field(default_factory=list)
    alap: bool = False
    expected: int | None = None
    resume: int | None = None
    not_before: int | None = None
    not_after: int | None = None
    # What floats count on, where that is not the clock that the work runs on.
    float_clock: WorkCalendar | None = None


@dataclass
class Link:
    """One link between activities, by their places; `lag` in seconds."""

    before: int
    after: int
    kind: str
    lag: int
    clock: WorkCalendar | Elapsed
    row: int


@dataclass
class Logic:
    """The part of a network that is scheduled.

    Attributes
    ----------
    ids
        Of the activities, in their order.
    order
        Places in an order in which predecessors come first.
    into, out
        Links of each activity, by its place.
    efforts
        Places in `ids` of what spans others (level of effort); they have no part in
        `order`.
    """

    network: Network
    options: Options
    ids: list[str]
    activities: list[Activity]
    into: list[list[Link]]
    out: list[list[Link]]
    order: list[int]
    efforts: list[int]
    data_date: int
    effort_links: list[Link]


def logic_of(network: Network, options: Options) -> Logic:
    """Return activities and links of a network, sorted.

    Raises
    ------
    DataError
        If the links run in a circle.
    """
    tasks = network.tasks
    tasks = tasks[(tasks["kind"] != "summary") & tasks["active"]]
    ids = list(tasks.index)
    data_date = _data_date(network, tasks)
    activities = _activities(network, tasks, options, data_date)
    links = _links(network, ids, activities, options)
    efforts = np.flatnonzero(tasks["kind"] == "level_of_effort").tolist()
    spanning = set(efforts)
    into: list[list[Link]] = [[] for _ in ids]
    out: list[list[Link]] = [[] for _ in ids]
    effort_links = []
    for link in links:
        if link.before in spanning or link.after in spanning:
            effort_links.append(link)
            continue
        into[link.after].append(link)
        out[link.before].append(link)
    order = _sorted(ids, into, out, spanning)
    return Logic(
        network,
        options,
        ids,
        activities,
        into,
        out,
        order,
        efforts,
        data_date,
        effort_links,
    )


def _data_date(network: Network, tasks: pd.DataFrame) -> int:
    """Return the data date, else the start of the project."""
    for time in (network.data_date, network.start, tasks["start"].min()):
        if pd.notna(time):
            return int(pd.Timestamp(time).timestamp())
    return 0


def _activities(
    network: Network, tasks: pd.DataFrame, options: Options, data_date: int
) -> list[Activity]:
    calendars = _calendars(network, tasks)
    status = _statuses(tasks)
    left = _left(tasks, status)
    shapes = _shapes(tasks)
    times = {
        name: _moments(tasks, name)
        for name in (
            "actual_start",
            "actual_finish",
            "constraint_date",
            "constraint2_date",
            "expected_finish",
            "suspend",
            "resume",
            "external_early_start",
            "external_late_finish",
            "deadline",
        )
    }
    words = {name: tasks[name].tolist() for name in ("constraint", "constraint2")}
    found = []
    for at, clock in enumerate(calendars):
        started = times["actual_start"][at]
        given = [
            (words["constraint"][at], times["constraint_date"][at]),
            (words["constraint2"][at], times["constraint2_date"][at]),
        ]
        if options.scheduler == "msp":
            given.append(("finish_no_later", times["deadline"][at]))
        constraints = [(word, date) for word, date in given if word and date]
        activity = Activity(
            at,
            clock,
            left[at],
            status[at],
            shapes[at],
            started,
            times["actual_finish"][at],
            constraints=constraints,
            alap="alap" in (words["constraint"][at], words["constraint2"][at]),
            expected=times["expected_finish"][at]
            if options.use_expected_finish
            else None,
            not_before=times["external_early_start"][at],
            not_after=times["external_late_finish"][at],
        )
        if options.scheduler == "msp" and clock is not _ALWAYS:
            activity.float_clock = network.clock(tasks["calendar"].iloc[at])
        if times["suspend"][at] is not None:
            activity.resume = times["resume"][at]
        if status[at] == ACTIVE and started is not None and started < data_date:
            activity.done = clock.between(started, data_date)
        found.append(activity)
    return found


def _calendars(network: Network, tasks: pd.DataFrame) -> list[WorkCalendar]:
    """Return the calendar of each task; that of its people where they drive it.

    Of several people the one who works least sets the pace. In Microsoft Project a
    calendar of the task's own counts beside theirs. A duration in elapsed time runs day
    and night.
    """
    found = [network.clock(name) for name in tasks["calendar"]]
    driven = dict.fromkeys(tasks.index[_driven_by_people(tasks)], "")
    if driven and len(network.assignments):
        if "type" not in tasks:
            driven = tasks.loc[list(driven), "calendar"].to_dict()
        resources = network.resources
        own = resources["calendar"][resources["kind"] == "work"].to_dict()
        rows = network.assignments[network.assignments["task"].isin(list(driven))]
        slowest: dict[str, WorkCalendar] = {}
        for task, resource in zip(rows["task"], rows["resource"], strict=True):
            if name := own.get(resource, ""):
                clock = network.clock(name, within=driven[task])
                if task not in slowest or _pace(clock) < _pace(slowest[task]):
                    slowest[task] = clock
        found = [
            slowest.get(task, c) for task, c in zip(tasks.index, found, strict=True)
        ]
    if "duration_unit" in tasks:
        elapsed = (tasks["duration_unit"] == "elapsed").tolist()
        found = [_ALWAYS if e else c for e, c in zip(elapsed, found, strict=True)]
    return found


def _driven_by_people(tasks: pd.DataFrame) -> Any:
    """Return which tasks run on the calendars of people.

    In Primavera those of type resource dependent, in Microsoft Project all but those
    whose own calendar ignores those of people.
    """
    if "type" in tasks:
        return tasks["type"] == "TT_Rsrc"
    if "ignore_resource_calendar" in tasks:
        return ~tasks["ignore_resource_calendar"].astype(bool) | (
            tasks["calendar"] == ""
        )
    return np.zeros(len(tasks), dtype=bool)


def split_hours(network: Network) -> pd.Series:
    """Return for how many working hours each task of Microsoft Project is interrupted.

    That is what lies between start and finish beyond the duration, of tasks that have
    not begun.
    """
    tasks = network.tasks
    asked = (tasks["kind"] == "task") & tasks["actual_start"].isna()
    asked &= ~tasks["manual"] & (tasks["duration_h"] > 0)
    own = tasks[asked]
    clocks = _calendars(network, own)
    keys = np.array([id(clock) for clock in clocks], dtype=np.int64)
    span = np.full(len(own), np.nan)
    for clock in {id(c): c for c in clocks}.values():
        here = keys == id(clock)
        try:
            span[here] = clock.hours_between(own["start"][here], own["finish"][here])
        except NoWorkingTime:
            continue
    beyond = pd.Series(span - own["duration_h"].to_numpy(), index=own.index)
    beyond = beyond.where(beyond > 1 / 60, 0.0)
    return beyond.reindex(tasks.index).fillna(0.0)


def _pace(clock: WorkCalendar) -> int:
    """Return the minutes that a calendar works in a week."""
    return sum(end - start for day in clock.week for start, end in day)


def _statuses(tasks: pd.DataFrame) -> list[int]:
    if "status" in tasks:
        return [_STATUS.get(word, NOT_STARTED) for word in tasks["status"]]
    done = tasks["actual_finish"].notna() | (tasks["percent_complete"] >= 100)
    begun = tasks["actual_start"].notna() | (tasks["percent_complete"] > 0)
    return [
        COMPLETE if d else ACTIVE if b else NOT_STARTED
        for d, b in zip(done, begun, strict=True)
    ]


def _left(tasks: pd.DataFrame, status: list[int]) -> list[int]:
    """Return the remaining working time; what is not stated is all of the duration."""
    hours = tasks["remaining_h"].fillna(tasks["duration_h"]).fillna(0.0)
    if "duration_unit" in tasks:
        # Some writers of Microsoft Project's files leave 0 there.
        empty = (hours == 0) & (np.array(status) == NOT_STARTED)
        hours = hours.where(~empty, tasks["duration_h"].fillna(0.0))
    if "split_h" in tasks:
        hours += tasks["split_h"].where(np.array(status) == NOT_STARTED, 0.0)
    seconds = (hours.clip(lower=0.0) * 60).round().astype(np.int64) * 60
    milestones = (tasks["kind"] == "milestone").to_numpy()
    return [
        0 if state == COMPLETE or milestone else value
        for value, state, milestone in zip(
            seconds.tolist(), status, milestones, strict=True
        )
    ]


def _shapes(tasks: pd.DataFrame) -> list[int]:
    milestone = (tasks["kind"] == "milestone").tolist()
    if "type" not in tasks:
        # A milestone of Microsoft Project is a point after what comes before it.
        return [FINISH_MILESTONE if m else TASK for m in milestone]
    finish = (tasks["type"] == "TT_FinMile").tolist()
    return [
        TASK if not m else FINISH_MILESTONE if f else START_MILESTONE
        for m, f in zip(milestone, finish, strict=True)
    ]


def _moments(tasks: pd.DataFrame, name: str) -> list[int | None]:
    if name not in tasks:
        return [None] * len(tasks)
    seconds = tasks[name].to_numpy("datetime64[s]").astype(np.int64).tolist()
    return [None if value == _NAT else value for value in seconds]


def _links(
    network: Network, ids: list[str], activities: list[Activity], options: Options
) -> list[Link]:
    """Return the links inside the network; those of summaries go to what they hold."""
    at = {name: k for k, name in enumerate(ids)}
    leaves = _leaves(network, at)
    frame = network.links
    project: Any = network.clock()
    found = []
    cells = zip(
        frame["task"].tolist(),
        frame["requires"].tolist(),
        frame["kind"].tolist(),
        frame["lag_h"].fillna(0.0).tolist(),
        frame["lag_unit"].tolist(),
        (frame["requires_project"] + frame["task_project"]).tolist(),
        strict=True,
    )
    for row, (task, requires, kind, lag_h, unit, across) in enumerate(cells):
        if across:
            continue
        for before in leaves.get(requires, ()):
            for after in leaves.get(task, ()):
                if unit.startswith("elapsed") or options.lag_calendar == "24h":
                    clock: WorkCalendar | Elapsed = ELAPSED
                elif options.lag_calendar == "predecessor":
                    clock = activities[before].clock
                elif options.lag_calendar == "successor":
                    clock = activities[after].clock
                else:
                    clock = project
                lag = round(lag_h * 60) * 60
                found.append(Link(before, after, kind, lag, clock, row))
    return found


def _leaves(network: Network, at: dict[str, int]) -> dict[str, list[int]]:
    """Return the activities that a task stands for: itself, or all below a summary."""
    found = {name: [place] for name, place in at.items()}
    tasks = network.tasks
    named = set(network.links["task"]) | set(network.links["requires"])
    summaries = named & set(tasks.index[tasks["kind"] == "summary"])
    if not summaries:
        return found
    parent = dict(zip(tasks.index, tasks["parent"], strict=True))
    below = defaultdict(list)
    for name, place in at.items():
        up, seen = parent.get(name, ""), set()
        while up and up not in seen:
            if up in summaries:
                below[up].append(place)
            seen.add(up)
            up = parent.get(up, "")
    return found | below


def _sorted(
    ids: list[str],
    into: list[list[Link]],
    out: list[list[Link]],
    without: set[int],
) -> list[int]:
    waiting = [len(links) for links in into]
    order = [k for k in range(len(ids)) if not waiting[k] and k not in without]
    for at in order:
        for link in out[at]:
            waiting[link.after] -= 1
            if not waiting[link.after]:
                order.append(link.after)
    if len(order) + len(without) < len(ids):
        raise DataError(problems_table([_circle(ids, into, waiting)]))
    return order


def _circle(ids: list[str], into: list[list[Link]], waiting: list[int]) -> Any:
    """Return the problem of one circle among the activities that still wait."""
    path, seen = [next(k for k, n in enumerate(waiting) if n)], set()
    while path[-1] not in seen:
        seen.add(path[-1])
        path.append(next(x.before for x in into[path[-1]] if waiting[x.before]))
    circle = path[path.index(path[-1]) :][::-1]
    names = [ids[k] for k in circle[:_SHOWN]]
    more = f" -> ... ({len(circle) - 1} in all)" if len(circle) > _SHOWN else ""
    return problem(
        "error",
        "network",
        "circular_links",
        found=" -> ".join(names) + more,
        fix="These activities wait for each other in a circle, so there is no critical "
        "path. Delete one of their links in the planning tool.",
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _moment(text: str) -> int | None:
    time = pd.to_datetime(text, errors="coerce") if text else pd.NaT
    return None if pd.isna(time) else int(time.timestamp())
