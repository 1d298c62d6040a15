"""Level of effort: activities that last as long as what they are linked to."""

from __future__ import annotations

from pmo_analytics.networks.activities import Link, Logic
from pmo_analytics.networks.passes import Dates

_FROM_FINISH = ("FS", "FF")
_TO_START = ("FS", "SS")


def place_efforts(logic: Logic, dates: Dates) -> None:
    """Span each level of effort from the first start to the last finish that it serves.

    They carry no logic on: they are placed after everything else, those linked to
    others of their kind after these as far as links allow.
    """
    links: dict[int, list[Link]] = {at: [] for at in logic.efforts}
    for link in logic.effort_links:
        for end in (link.before, link.after):
            if end in links:
                links[end].append(link)
    placed: set[int] = set()
    waiting = list(logic.efforts)
    while waiting:
        ready = [k for k in waiting if not _others(k, links[k], waiting)]
        for at in ready or waiting:
            known = [x for x in links[at] if not _loose(x, at, waiting)]
            _span(logic, dates, at, known)
            placed.add(at)
        waiting = [k for k in waiting if k not in placed]


def _other(link: Link, at: int) -> int:
    return link.before if link.after == at else link.after


def _loose(link: Link, at: int, waiting: list[int]) -> bool:
    return _other(link, at) in waiting


def _others(at: int, links: list[Link], waiting: list[int]) -> bool:
    return any(_other(link, at) in waiting for link in links)


def _span(logic: Logic, dates: Dates, at: int, links: list[Link]) -> None:
    early = dates.early_start, dates.early_finish
    late = dates.late_start, dates.late_finish
    activity = logic.activities[at]
    clock = activity.clock
    for begin, end in (early, late):
        starts: list[int] = []
        finishes: list[int] = []
        for link in links:
            begins, moment = _end(link, at, begin, end)
            (starts if begins else finishes).append(moment)
        if not starts and not finishes:
            starts = [logic.data_date]
        start = min(starts) if starts else clock.add(max(finishes), -activity.left)
        if starts:
            start = max(start, logic.data_date)
        begin[at] = clock.next_work(start)
        finish = max(finishes) if finishes else clock.add(begin[at], activity.left)
        end[at] = max(clock.previous_work(finish), begin[at])
    dates.left[at] = clock.between(dates.early_start[at], dates.early_finish[at])


def _end(link: Link, at: int, begin: list[int], end: list[int]) -> tuple[bool, int]:
    """Return whether a link sets the start of an effort, else its finish, and when."""
    if link.after == at:
        base = end if link.kind in _FROM_FINISH else begin
        return link.kind in _TO_START, link.clock.add(base[link.before], link.lag)
    base = begin if link.kind in _TO_START else end
    moment = link.clock.add(base[link.after], -link.lag)
    return link.kind not in _FROM_FINISH, moment
