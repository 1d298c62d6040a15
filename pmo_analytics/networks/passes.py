"""Forward and backward pass through a network, each activity on its own calendar.

The rules are those that Oracle documents for the scheduling options of P6 and that its
stored dates show:

- Remaining work starts at the data date or later. Complete activities have none, and
  hand on what they waited for themselves (retained logic).
- A start is a moment at which work begins, a finish one at which it ends; what a link
  demands is moved to the next of them on the calendar of the activity.
- An activity is worked without a break: where a link or a constraint demands a later
  finish, its start moves too.
- Of a lag that runs already, from a start or finish that happened, the rest counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from pmo_analytics.networks.activities import (
    ACTIVE,
    COMPLETE,
    FINISH_MILESTONE,
    NOT_STARTED,
    START_MILESTONE,
    Activity,
    Link,
    Logic,
)

_FROM_FINISH = ("FS", "FF")
_TO_START = ("FS", "SS")
_START_BOUNDS = ("start_no_earlier", "start_on")
_FINISH_BOUNDS = ("finish_no_earlier", "finish_on")
_MANDATORY = ("must_start_on", "must_finish_on")
_LATEST_START = ("start_no_later", "start_on")
_LATEST_FINISH = ("finish_no_later", "finish_on")


@dataclass
class Dates:
    """Early and late dates of the remaining work, in seconds, by place.

    Attributes
    ----------
    left
        Remaining working time that was scheduled.
    lag
        Lag of each link that counted, by `id(link)`; links that did not count are
        missing.
    driving
        Links that set the dates of their successor, by `id(link)`.
    """

    early_start: list[int]
    early_finish: list[int]
    late_start: list[int]
    late_finish: list[int]
    left: list[int]
    lag: dict[int, int]
    driving: set[int]
    finish: int = 0


def schedule(logic: Logic) -> Dates:
    """Return early and late dates of a network, As Late As Possible included."""
    dates = _early(logic, [activity.left for activity in logic.activities])
    for at in reversed(logic.order):
        _backward(logic, dates, at)
    for at in reversed(logic.order):
        if logic.activities[at].alap:
            _as_late_as_possible(logic, dates, at)
    return dates


def finish_after(logic: Logic, at: int, extra: int) -> int:
    """Return the early finish of a network when one activity takes longer.

    Parameters
    ----------
    extra
        Working time in seconds on the calendar of the activity.
    """
    left = [activity.left for activity in logic.activities]
    left[at] += extra
    return _early(logic, left).finish


# ---------------------------------------------------------------------------- forward


def _early(logic: Logic, left: list[int]) -> Dates:
    """Return the early dates of a network with so much work left."""
    count = len(logic.ids)
    starts, finishes, late, later = ([logic.data_date] * count for _ in range(4))
    dates = Dates(starts, finishes, late, later, left, {}, set())
    for at in logic.order:
        _forward(logic, dates, at)
    ends = [dates.early_finish[at] for at in logic.order]
    dates.finish = max(ends, default=logic.data_date)
    return dates


def _forward(logic: Logic, dates: Dates, at: int) -> None:
    activity = logic.activities[at]
    starts: list[tuple[int, Link | None]] = [(logic.data_date, None)]
    finishes: list[tuple[int, Link | None]] = []
    if logic.options.scheduler == "msp" and activity.status != NOT_STARTED:
        _as_it_happened(logic, dates, activity)
        return
    for link in logic.into[at]:
        moment = _demand(logic, dates, link)
        if moment is None:
            continue
        wanted = starts if link.kind in _TO_START else finishes
        wanted.append((moment, link))
    _bounded(activity, starts, finishes)
    if activity.status == NOT_STARTED and _fixed(activity, dates):
        return
    _place(activity, dates, starts, finishes)
    _expected(logic, dates, activity, bool(finishes))


def _as_it_happened(logic: Logic, dates: Dates, activity: Activity) -> None:
    """Place a started task of Microsoft Project, which keeps its actual start."""
    at, clock = activity.at, activity.clock
    begun = logic.data_date if activity.started is None else activity.started
    dates.early_start[at] = begun
    if activity.status == COMPLETE:
        dates.early_finish[at] = (
            begun if activity.finished is None else (activity.finished)
        )
        dates.left[at] = 0
        for link in logic.into[at]:
            dates.lag[id(link)] = link.lag
        return
    stored = logic.network.tasks["finish"].get(logic.ids[at])
    worked = clock.add(begun, _whole_duration(logic, at))
    dates.early_finish[at] = worked
    if stored is not None and stored == stored:
        # Splits and the rest of the work are as the file has them.
        dates.early_finish[at] = int(stored.timestamp())
    dates.left[at] = clock.between(begun, dates.early_finish[at])
    for link in logic.into[at]:
        dates.lag[id(link)] = link.lag


def _whole_duration(logic: Logic, at: int) -> int:
    hours = logic.network.tasks["duration_h"].get(logic.ids[at], 0.0)
    return round(hours * 60) * 60 if hours == hours else 0


def _demand(logic: Logic, dates: Dates, link: Link) -> int | None:
    """Return the moment that a link demands of its successor, None for none."""
    before, after = logic.activities[link.before], logic.activities[link.after]
    if after.status != NOT_STARTED and logic.options.mode == "progress_override":
        return None
    lag = link.lag
    if logic.options.scheduler == "p6":
        lag = _rest_of_lag(logic, before, link)
    dates.lag[id(link)] = lag
    base = dates.early_finish if link.kind in _FROM_FINISH else dates.early_start
    moment = base[link.before]
    return link.clock.add(moment, lag) if lag else moment


def _rest_of_lag(logic: Logic, before: Activity, link: Link) -> int:
    """Return what is left of a lag that began with something that has happened."""
    lag = link.lag
    if before.status == NOT_STARTED:
        return lag
    if before.status == COMPLETE:
        begun = before.finished if link.kind in _FROM_FINISH else before.started
        if begun is None or begun > logic.data_date:
            return lag
        return max(0, lag - link.clock.between(begun, logic.data_date))
    if link.kind in _FROM_FINISH:
        return lag
    if logic.options.start_lag_from == "actual" and before.started is not None:
        return max(0, lag - link.clock.between(before.started, logic.data_date))
    return max(0, lag - before.done)


def _bounded(
    activity: Activity,
    starts: list[tuple[int, Link | None]],
    finishes: list[tuple[int, Link | None]],
) -> None:
    """Add what constraints, other projects and a suspension demand."""
    if activity.status == COMPLETE:
        return
    for word, date in activity.constraints:
        if word in _START_BOUNDS and activity.status == NOT_STARTED:
            starts.append((date, None))
        elif word in _FINISH_BOUNDS:
            finishes.append((date, None))
    if activity.not_before is not None and activity.status == NOT_STARTED:
        starts.append((activity.not_before, None))
    if activity.resume is not None and activity.status == ACTIVE:
        starts.append((activity.resume, None))


def _fixed(activity: Activity, dates: Dates) -> bool:
    """Place an activity that a mandatory constraint puts on a date, despite links."""
    clock, at, left = activity.clock, activity.at, dates.left[activity.at]
    for word, date in activity.constraints:
        if word == "must_start_on":
            start = clock.next_work(date)
            dates.early_start[at] = start
            dates.early_finish[at] = clock.add(start, left)
            return True
        if word == "must_finish_on":
            finish = clock.previous_work(date) if left else date
            dates.early_finish[at] = finish
            dates.early_start[at] = clock.add(finish, -left)
            return True
    return False


def _place(
    activity: Activity,
    dates: Dates,
    starts: list[tuple[int, Link | None]],
    finishes: list[tuple[int, Link | None]],
) -> None:
    """Place an activity at the latest of what is demanded, and note what drove it."""
    at, clock, left = activity.at, activity.clock, dates.left[activity.at]
    moments = [(_start(activity, moment), link) for moment, link in starts]
    start = max(moment for moment, _ in moments)
    drivers = [link for moment, link in moments if moment == start and link]
    finish = clock.add(start, left)
    if finishes:
        last = max(moment for moment, _ in finishes)
        extra = clock.between(finish, last)
        if extra >= 0:
            by_finish = [
                link
                for moment, link in finishes
                if link and clock.between(moment, last) == 0
            ]
            drivers = by_finish if extra else drivers + by_finish
        if extra > 0:
            finish = _working(activity, last)
            start = clock.add(finish, -left)
    dates.early_start[at], dates.early_finish[at] = start, finish
    dates.driving.update(id(link) for link in drivers)


def _start(activity: Activity, moment: int) -> int:
    """Return the first moment from one on at which an activity can start."""
    clock = activity.clock
    if activity.status == COMPLETE:
        return moment
    if activity.shape == FINISH_MILESTONE and clock.previous_work(moment) == moment:
        return moment  # the end of a shift is where a finish milestone stands
    return clock.next_work(moment)


def _working(activity: Activity, moment: int) -> int:
    """Return a finish that is on working time or on its border, else the next one."""
    clock = activity.clock
    if activity.shape == START_MILESTONE:
        return clock.next_work(moment)
    if clock.previous_work(moment) == moment:
        return moment
    return clock.next_work(moment)


def _expected(logic: Logic, dates: Dates, activity: Activity, by_finish: bool) -> None:
    """Let the expected finish set the remaining duration, as P6 does where asked."""
    at, wanted = activity.at, activity.expected
    if wanted is None or activity.status == COMPLETE or by_finish or activity.alap:
        return
    if wanted < max(dates.early_start[at], logic.data_date):
        return
    if activity.clock.between(dates.early_finish[at], wanted) == 0:
        return
    dates.early_finish[at] = wanted
    dates.left[at] = activity.clock.between(dates.early_start[at], wanted)


# --------------------------------------------------------------------------- backward


def _backward(logic: Logic, dates: Dates, at: int) -> None:
    activity = logic.activities[at]
    clock, left = activity.clock, dates.left[at]
    end = dates.finish
    if logic.options.must_finish is not None:
        end = logic.options.must_finish
    limits = [end]
    counted = [link for link in logic.out[at] if id(link) in dates.lag]
    if logic.options.open_ends_critical and not counted:
        limits.append(dates.early_finish[at])
    moments = [(_limit(dates, link), link.kind in _FROM_FINISH) for link in counted]
    limits += [moment for moment, of_finish in moments if of_finish]
    by_start = [(m, clock.add(m, left)) for m, of_finish in moments if not of_finish]
    limits += [end for _, end in by_start]
    if activity.status != COMPLETE:
        limits += _limits_of_constraints(activity, left)
    finish = dates.early_finish[at] if _mandatory(activity) else min(limits)
    if activity.status == COMPLETE:
        start = finish
    else:
        start, finish = _late(activity, finish, left)
    # What a start allows stays at the end of a shift where it falls behind one.
    for moment, end in by_start:
        if left and end == min(limits) and clock.between(moment, start) == 0:
            working = clock.next_work(moment) == moment
            start = moment if working else clock.previous_work(moment)
    dates.late_start[at], dates.late_finish[at] = start, finish


def _mandatory(activity: Activity) -> bool:
    words = {word for word, _ in activity.constraints}
    return activity.status == NOT_STARTED and not words.isdisjoint(_MANDATORY)


def _late(activity: Activity, finish: int, left: int) -> tuple[int, int]:
    """Return late start and finish from the latest moment that is allowed."""
    clock = activity.clock
    last = clock.previous_work(finish)
    if activity.shape == START_MILESTONE and clock.next_work(finish) == finish:
        return finish, finish  # the start of a shift is where it stands
    return clock.next_work(clock.add(last, -left)) if left else last, last


def _limit(dates: Dates, link: Link) -> int:
    """Return the latest start or finish that one successor allows its predecessor."""
    lag = dates.lag[id(link)]
    late = dates.late_start if link.kind in _TO_START else dates.late_finish
    moment = late[link.after]
    return link.clock.add(moment, -lag) if lag else moment


def _limits_of_constraints(activity: Activity, left: int) -> list[int]:
    found = []
    for word, date in activity.constraints:
        if word in _LATEST_FINISH:
            found.append(date)
        elif word in _LATEST_START and activity.status == NOT_STARTED:
            found.append(activity.clock.add(date, left))
    if activity.not_after is not None:
        found.append(activity.not_after)
    return found


def _as_late_as_possible(logic: Logic, dates: Dates, at: int) -> None:
    """Move an activity to the end of its free float, where it delays nobody."""
    activity = logic.activities[at]
    if activity.status != NOT_STARTED:
        return
    clock, left = activity.clock, dates.left[at]
    limits = []
    for link in logic.out[at]:
        if id(link) not in dates.lag:
            continue
        early = dates.early_start if link.kind in _TO_START else dates.early_finish
        moment = early[link.after]
        if lag := dates.lag[id(link)]:
            moment = link.clock.add(moment, -lag)
        if link.kind not in _FROM_FINISH:
            moment = clock.add(moment, left)
        limits.append(moment)
    finish = min(limits, default=dates.late_finish[at])
    if clock.between(dates.early_finish[at], finish) <= 0:
        return
    if activity.shape == START_MILESTONE:
        start = finish = clock.next_work(finish)
    else:
        start, finish = _late(activity, finish, left)
    dates.early_start[at], dates.early_finish[at] = start, finish
