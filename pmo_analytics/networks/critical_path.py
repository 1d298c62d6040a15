"""The critical path of a network: early and late dates, floats, the longest path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.networks.activities import (
    COMPLETE,
    FINISH_MILESTONE,
    Logic,
    Options,
    logic_of,
)
from pmo_analytics.networks.efforts import place_efforts
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.passes import Dates, schedule

_HOUR = 3600
_SLIP = 1 / 60


def critical_path(network: Network, **options: Any) -> pd.DataFrame:
    return _frame(*_scheduled(network, options))


def _scheduled(network: Network, options: dict[str, Any]) -> tuple[Logic, Dates]:
    chosen = replace(Options.of(network), **options)
    logic = logic_of(network, chosen)
    dates = schedule(logic)
    place_efforts(logic, dates)
    return logic, dates


def _frame(logic: Logic, dates: Dates) -> pd.DataFrame:
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
        clock = activity.clock
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
        clock = activity.clock
        if activity.expected is not None or at in efforts:
            found[at] = 0  # P6 leaves what has an expected finish no free float
            continue
        own = []
        for link in logic.out[at]:
            if id(link) not in dates.lag:
                continue
            start = link.kind in ("FS", "SS")
            other = (dates.early_start if start else dates.early_finish)[link.after]
            mine = dates.early_finish if link.kind in ("FS", "FF") else (
                dates.early_start
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
