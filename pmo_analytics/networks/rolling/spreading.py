"""Hours and money of assignments over periods, to the working hour of a calendar.

Hours are whole milliseconds here and money whole millionths, so that what is spread
over periods adds up to what there was, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.networks.calendars import WorkCalendar, seconds_of
from pmo_analytics.networks.network import Network

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MILLI = 3_600_000
# Share of full work in each tenth of an assignment's working time, by contour.
_SHAPES = {
    "back_loaded": (10, 15, 25, 50, 50, 75, 75, 100, 100, 100),
    "front_loaded": (100, 100, 100, 75, 75, 50, 50, 25, 15, 10),
    "double_peak": (25, 50, 100, 50, 25, 25, 50, 100, 50, 25),
    "early_peak": (25, 50, 100, 100, 75, 50, 50, 25, 15, 10),
    "late_peak": (10, 15, 25, 50, 50, 75, 100, 100, 50, 25),
    "bell": (10, 20, 40, 80, 100, 100, 80, 40, 20, 10),
    "turtle": (25, 50, 75, 100, 100, 100, 100, 75, 50, 25),
}


def clock_of(network: Network, task: str, resource: str) -> WorkCalendar:
    """Return the calendar on which a resource works on a task.

    In Microsoft Project that of the resource; where the task has one of its own what
    both work, or that alone where it ignores those of resources or nobody is named. In
    Primavera that of the activity, unless its type is resource dependent.
    """
    tasks, resources = network.tasks, network.resources
    own = str(tasks.at[task, "calendar"]) if task in tasks.index else ""
    ignores = "ignore_resource_calendar" in tasks and task in tasks.index
    if own and ignores and tasks.at[task, "ignore_resource_calendar"]:
        return network.clock(own)
    if own and "type" in tasks and tasks.at[task, "type"] != "TT_Rsrc":
        return network.clock(own)
    if resource in resources.index and (theirs := resources.at[resource, "calendar"]):
        return network.clock(str(theirs), within=own if ignores else "")
    return network.clock(own)


def spread(network: Network, rows: pd.DataFrame, freq: str) -> pd.DataFrame:
    """Return `row, period, amount`: amounts of assignments over periods.

    Parameters
    ----------
    rows
        `task, resource, start, finish, contour, work_h, amount` (whole); the index is
        that of `network.assignments`, or negative for what is no assignment.

    Returns
    -------
    DataFrame
        `row` of the index, ordinal of the `period`, `amount`; amounts of a row add up
        to what it has.

    Notes
    -----
    Where the file spreads the hours itself (`timephased`) that is the shape, and what
    it leaves out lies evenly behind; else a contour, else they lie evenly over the
    working time. A span without working time counts by the clock.
    """
    own = network.timephased
    own = own[own["kind"].isin(["remaining", "actual"]) & own["row"].isin(rows.index)]
    own = own[own["start"].notna() & own["finish"].notna() & (own["hours"] > 0)]
    pieces = [_own_pieces(own, rows), _even_pieces(network, rows, set(own["row"]))]
    whole = pd.concat([piece for piece in pieces if len(piece)] or pieces[:1])
    if not len(whole):
        return pd.DataFrame({"row": [], "period": [], "amount": []}).astype("int64")
    whole["amount"] = _apportioned(
        whole["row"].to_numpy(),
        whole["weight"].to_numpy(),
        rows["amount"].reindex(whole["row"]).to_numpy(),
    )
    whole = whole[whole["amount"] > 0]
    return _by_period(network, whole, freq)


def _own_pieces(own: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the pieces of a file, and one for what they leave until the finish."""
    frame = own.rename(columns={"hours": "weight"})
    frame = frame.assign(row=frame["row"].astype("int64"))
    names = ["row", "start", "finish", "weight", "task", "resource"]
    told = frame.groupby("row").agg(weight=("weight", "sum"), start=("finish", "max"))
    rest = rows.loc[told.index].assign(start=told["start"])
    rest["weight"] = rest["work_h"] - told["weight"]
    open_ = (rest["weight"] > 0.01 * rest["work_h"]) & (rest["finish"] > rest["start"])
    rest = rest[open_].rename_axis("row").reset_index()
    whole = pd.concat([frame[names], rest[names]]) if len(rest) else frame[names]
    return whole.sort_values(["row", "start"], kind="stable")


def _even_pieces(
    network: Network, rows: pd.DataFrame, told: set[float]
) -> pd.DataFrame:
    """Return one piece for each assignment, ten for one with a contour."""
    rest = rows[~rows.index.isin(list(told))]
    frame = pd.DataFrame(
        {
            "row": rest.index.to_numpy(dtype="int64"),
            "start": rest["start"].to_numpy(),
            "finish": rest["finish"].to_numpy(),
            "weight": 1.0,
            "task": rest["task"].to_numpy(),
            "resource": rest["resource"].to_numpy(),
        }
    )
    shaped = rest["contour"].isin(list(_SHAPES)).to_numpy()
    tenths = [
        piece
        for row, contour in zip(
            frame[shaped].itertuples(index=False), rest["contour"][shaped], strict=True
        )
        for piece in _tenths(network, row, _SHAPES[contour])
    ]
    if not tenths:
        return frame
    shapes = pd.DataFrame(tenths, columns=frame.columns).astype(frame.dtypes)
    return pd.concat([frame[~shaped], shapes])


def _tenths(
    network: Network, row: Any, shape: tuple[int, ...]
) -> list[tuple[Any, ...]]:
    clock = clock_of(network, row.task, row.resource)
    first, last = (int(np.datetime64(t, "s").astype("int64")) for t in row[1:3])
    worked = clock.between(first, last)
    if worked <= 0:
        return [tuple(row)]
    edges = [clock.add(first, worked * k // 10) for k in range(11)]
    return [
        (
            row.row,
            np.datetime64(a, "s"),
            np.datetime64(b, "s"),
            w,
            row.task,
            row.resource,
        )
        for a, b, w in zip(edges, edges[1:], shape, strict=False)
    ]


def _apportioned(group: Ints, weight: Floats, total: Ints) -> Ints:
    """Return whole shares of each group's total, in order, that add up to it."""
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(group[order]) != 0))
    sizes = np.diff(np.append(first, len(group)))
    summed = np.add.reduceat(weight[order], first)
    before = np.cumsum(weight[order])
    start = np.repeat(before[first] - weight[order][first], sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (before - start) / np.repeat(summed, sizes)
    ends = np.rint(np.nan_to_num(share) * total[order]).astype(np.int64)
    ends[np.append(first[1:], len(group)) - 1] = total[order][first]
    begins = np.empty_like(ends)
    begins[1:] = ends[:-1]
    begins[first] = 0
    found = np.empty(len(group), dtype=np.int64)
    found[order] = np.maximum(ends - begins, 0)
    return found


def _by_period(network: Network, pieces: pd.DataFrame, freq: str) -> pd.DataFrame:
    """Return pieces cut at the ends of periods."""
    first = pd.PeriodIndex(pieces["start"], freq=freq)
    last = pd.PeriodIndex(pieces["finish"], freq=freq)
    low, high = first.asi8, np.maximum(last.asi8, first.asi8)
    # A piece that ends where a period begins has nothing in it.
    begins = last.start_time.to_numpy() == pieces["finish"].to_numpy()
    high = np.where(begins & (high > low), high - 1, high)
    one = low == high
    done = pd.DataFrame(
        {"row": pieces["row"], "period": low, "amount": pieces["amount"]}
    )[one]
    rest = pieces[~one]
    if not len(rest):
        return done.groupby(["row", "period"], as_index=False).sum()
    count = (high - low + 1)[~one]
    at = np.repeat(np.arange(len(rest)), count)
    period = np.repeat(low[~one], count) + np.concatenate([np.arange(n) for n in count])
    index = pd.PeriodIndex.from_ordinals(period, freq=freq)
    begin = np.maximum(seconds_of(index.start_time), seconds_of(rest["start"])[at])
    end = np.minimum(seconds_of((index + 1).start_time), seconds_of(rest["finish"])[at])
    weight = _worked(network, rest, at, begin, end)
    total = rest["amount"].to_numpy()[at]
    cut = pd.DataFrame({"row": rest["row"].to_numpy()[at], "period": period})
    cut["amount"] = _apportioned(at, weight, total)
    whole = pd.concat([done, cut[cut["amount"] > 0]])
    return whole.groupby(["row", "period"], as_index=False).sum()


def _worked(
    network: Network, rest: pd.DataFrame, at: Ints, begin: Ints, end: Ints
) -> Floats:
    """Return the working time of each cut, by the clock where a piece has none."""
    pairs = list(zip(rest["task"], rest["resource"], strict=True))
    known = {pair: clock_of(network, *pair) for pair in dict.fromkeys(pairs)}
    clocks = {id(clock): clock for clock in known.values()}
    of_piece = np.array([id(known[pair]) for pair in pairs])
    weight = np.zeros(len(at))
    for key, clock in clocks.items():
        here = of_piece[at] == key
        both = clock.worked_at(np.concatenate([begin[here], end[here]]))
        half = len(both) // 2
        weight[here] = both[half:] - both[:half]
    none = np.bincount(at, weights=weight, minlength=len(rest))[at] <= 0
    weight[none] = (end - begin)[none]
    return weight
