"""The critical path of a network: early and late dates, floats, the longest path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError, problem, problems_table
from pmo_analytics.networks.activities import (
    COMPLETE,
    Logic,
    Options,
    logic_of,
)
from pmo_analytics.networks.calendars import NoWorkingTime
from pmo_analytics.networks.efforts import place_efforts
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.passes import Dates, schedule

_HOUR = 3600
_SLIP = 1 / 60


def critical_path(network: Network, **options: Any) -> pd.DataFrame:
    """Return early and late dates and floats of the activities of a network.

    Forward and backward pass to the minute, each activity on its own calendar, lags on
    the calendar that the file names, with the constraints, the data date and the rules
    for progress out of sequence that the file states (`Options`). Dates of what has
    started are those of its remaining work, as P6 has them. A network of Microsoft
    Project keeps the actual dates of what has started, and its deadlines limit floats.

    Parameters
    ----------
    network
        Links from and to other projects do not count; the dates that P6 took over from
        there do. A link of a summary counts for every activity below it.
    **options
        Fields of `Options` to schedule otherwise than the file states, such as
        `mode="progress_override"` or `float_by="smallest"`.

    Returns
    -------
    pandas.DataFrame
        Index `task`: the activities that are active, without summaries.

        - `early_start, early_finish, late_start, late_finish`: to the second.
        - `total_float_h, free_float_h`: working hours of the activity's calendar; NaN
          for what is complete.
        - `critical`: total float at most that of the file (usually 0), or on the
          longest path where the file says so.
        - `longest_path`: whether driving links lead from here to the last finish.

    Raises
    ------
    DataError
        If links run in a circle, or a calendar has too little working time.
    TypeError
        If there is no such option.

    Notes
    -----
    P6 computes no new float for an As Late As Possible activity that it cannot move:
    its file then holds the float of an earlier calculation.
    """
    return frame_of_dates(*scheduled(network, options))


def scheduled(network: Network, options: dict[str, Any]) -> tuple[Logic, Dates]:
    """Return a network and its dates as the passes have them; see `critical_path`."""
    chosen = replace(Options.of(network), **options)
    logic = logic_of(network, chosen)
    try:
        dates = schedule(logic)
        place_efforts(logic, dates)
    except NoWorkingTime as error:
        raise DataError(problems_table([_idle(logic, network)])) from error
    return logic, dates


def _idle(logic: Logic, network: Network) -> dict[str, Any]:
    """Return the problem of the calendars that work too little."""
    calendars = network.tasks["calendar"].reindex(logic.ids)
    names = {
        str(network.calendars["name"].get(calendar, calendar) or calendar)
        for activity, calendar in zip(logic.activities, calendars, strict=True)
        if not activity.clock.works
    }
    return problem(
        "error",
        "network",
        "no_working_time",
        found=", ".join(sorted(names)[:3]),
        source=network.source,
        fix="Work cannot be placed between the years 1900 and 2200: a calendar has no "
        "working time, or a duration or a date is far too large. Correct it in the "
        "planning tool.",
    )


def frame_of_dates(logic: Logic, dates: Dates) -> pd.DataFrame:
    """Return the table of `critical_path`."""
    total = _total_floats(logic, dates)
    free = _free_floats(logic, dates)
    longest = _longest_path(logic, dates)
    complete = np.array([a.status == COMPLETE for a in logic.activities], dtype=bool)
    total[complete], free[complete] = np.nan, np.nan
    if logic.options.critical_by == "longest_path":
        critical = longest & ~complete
    else:
        critical = total <= logic.options.critical_float_h + _SLIP
    frame = pd.DataFrame(
        {
            "early_start": dates.early_start,
            "early_finish": dates.early_finish,
            "late_start": dates.late_start,
            "late_finish": dates.late_finish,
        },
        index=pd.Index(logic.ids, dtype="str", name="task"),
    ).astype("datetime64[s]")
    return frame.assign(
        total_float_h=total, free_float_h=free, critical=critical, longest_path=longest
    )


def _total_floats(logic: Logic, dates: Dates) -> Any:
    found = np.full(len(logic.ids), np.nan)
    by = logic.options.float_by
    for at, activity in enumerate(logic.activities):
        clock = activity.float_clock or activity.clock
        finish = clock.between(dates.early_finish[at], dates.late_finish[at])
        if by == "finish":
            found[at] = finish
            continue
        start = clock.between(dates.early_start[at], dates.late_start[at])
        found[at] = start if by == "start" else min(start, finish)
    return found / _HOUR


def _free_floats(logic: Logic, dates: Dates) -> Any:
    efforts = set(logic.efforts)
    found = np.full(len(logic.ids), np.nan)
    for at, activity in enumerate(logic.activities):
        clock = activity.float_clock or activity.clock
        if activity.expected is not None or at in efforts:
            found[at] = 0  # P6 leaves what has an expected finish no free float
            continue
        own = []
        for link in logic.out[at]:
            if id(link) not in dates.lag:
                continue
            start = link.kind in ("FS", "SS")
            other = (dates.early_start if start else dates.early_finish)[link.after]
            mine = (
                dates.early_finish if link.kind in ("FS", "FF") else (dates.early_start)
            )
            moment = link.clock.add(mine[at], dates.lag[id(link)])
            own.append(clock.between(moment, other))
        if not own:
            own = [clock.between(dates.early_finish[at], dates.finish)]
        found[at] = max(0, min(own))
    return found / _HOUR


def _longest_path(logic: Logic, dates: Dates) -> Any:
    """Return which activities drive the last finish, through driving links alone."""
    found = np.zeros(len(logic.ids), dtype=bool)
    open_ = [k for k in logic.order if logic.activities[k].status != COMPLETE]
    if not open_:
        return found
    end = max(dates.early_finish[k] for k in open_)
    waiting = [k for k in open_ if dates.early_finish[k] == end]
    while waiting:
        at = waiting.pop()
        if found[at]:
            continue
        found[at] = True
        waiting += [x.before for x in logic.into[at] if id(x) in dates.driving]
    complete = [a.status == COMPLETE for a in logic.activities]
    return found & ~np.array(complete, dtype=bool)
