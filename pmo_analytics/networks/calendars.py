"""Working time of calendars, to the second: hours between times, times after hours.

Times are whole seconds since 1970-01-01 without zone. A calendar's working time over a
stretch of days is a sorted list of intervals with what was worked before each; both
directions are then one search. The stretch grows as it is asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Span = tuple[int, int]
Shifts = tuple[tuple[int, int], ...]  # minutes of a day, sorted

DAY = 86_400
# Days since 1970 within which calendars answer: the years 1900 to 2200.
_FIRST, _LAST = -25_567, 84_006
_OFFICE: Shifts = ((480, 720), (780, 1020))


class NoWorkingTime(ValueError):
    """A calendar does not work as long as is asked within the years 1900 to 2200."""


class WorkCalendar:
    """When one calendar works, its parents included.

    Parameters
    ----------
    week
        Shifts of Monday to Sunday, minutes of the day.
    weeks
        (first day, last day, weekday -> shifts): other weeks for a while. Days are
        counted since 1970.
    exceptions
        (first day, last day, shifts): days of their own. They come before `weeks`; of
        two for a day the later in the list counts.
    """

    def __init__(
        self,
        week: Iterable[Shifts],
        weeks: Iterable[tuple[int, int, Mapping[int, Shifts]]] = (),
        exceptions: Iterable[tuple[int, int, Shifts]] = (),
    ) -> None:
        self.week = tuple(week)
        self.weeks = tuple(weeks)
        self.exceptions = tuple(exceptions)
        self._low = self._high = 0
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._done: list[int] = []
        # The same as arrays: begins, lengths, done.
        self._arrays = (np.zeros(0, dtype=np.int64),) * 3

    @classmethod
    def standard(cls) -> WorkCalendar:
        """Return 8 to 12 and 13 to 17 from Monday to Friday."""
        return cls([_OFFICE] * 5 + [()] * 2)

    @property
    def works(self) -> bool:
        """Whether there is any working time in an ordinary week."""
        return any(self.week)

    def between(self, start: int, finish: int) -> int:
        """Return the seconds worked between two times; negative where they are swapped.

        Raises
        ------
        NoWorkingTime
            If a time lies outside 1900 to 2200.
        """
        if finish < start:
            return -self.between(finish, start)
        self._cover(start, finish)
        return self._worked(finish) - self._worked(start)

    def add(self, start: int, seconds: int) -> int:
        """Return the time at which so many seconds have been worked since `start`.

        Forward it is the first such time, the end of a shift rather than the start of
        the next; backward (negative seconds) the last, so the start of a shift. With 0
        it is `start` itself.

        Raises
        ------
        NoWorkingTime
            If there is not that much working time.
        """
        if seconds == 0:
            return start
        self._cover(start, start)
        while True:
            goal = self._worked(start) + seconds
            total = (
                self._done[-1] + self._ends[-1] - self._begins[-1]
                if (self._begins)
                else 0
            )
            if 0 <= goal <= total:
                break
            self._grow(ahead=seconds > 0)
        if seconds > 0:
            at = bisect_left(self._done, goal) - 1
        else:
            at = bisect_right(self._done, goal) - 1
        return self._begins[at] + goal - self._done[at]

    def next_work(self, time: int) -> int:
        """Return the first time from `time` on at which work goes on."""
        self._cover(time, time)
        while (at := bisect_right(self._ends, time)) == len(self._ends):
            self._grow(ahead=True)
        return max(time, self._begins[at])

    def previous_work(self, time: int) -> int:
        """Return the last time up to `time` before which work went on."""
        self._cover(time, time)
        while (at := bisect_left(self._begins, time) - 1) < 0:
            self._grow(ahead=False)
        return min(time, self._ends[at])

    def hours_between(self, start: Any, finish: Any) -> npt.NDArray[np.float64]:
        """Return hours worked between arrays of times; NaN where one is blank."""
        a, b = seconds_of(start), seconds_of(finish)
        a, b = np.broadcast_arrays(a, b)
        known = (a != _NAT) & (b != _NAT)
        hours = np.full(a.shape, np.nan)
        if known.any():
            both = np.concatenate([a[known], b[known]])
            self._cover(int(both.min()), int(both.max()))
            worked = self.worked_at(both)
            half = len(both) // 2
            hours[known] = (worked[half:] - worked[:half]) / 3600
        return hours

    def worked_at(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the seconds worked up to times, counted from one fixed moment.

        Only differences of one call mean anything.
        """
        if not len(times):
            return np.zeros(0, dtype=np.int64)
        self._cover(int(times.min()), int(times.max()))
        if not self._begins:
            return np.zeros(len(times), dtype=np.int64)
        begins, lengths, done = self._arrays
        at = np.searchsorted(begins, times, side="right") - 1
        inside = np.clip(times - begins[at], 0, lengths[at])
        return np.where(at < 0, 0, done[at] + inside)

    def add_hours(self, start: Any, hours: Any) -> npt.NDArray[np.datetime64]:
        """Return `add` of arrays of times and hours; NaT where one is blank."""
        begin = seconds_of(start)
        begin, many = np.broadcast_arrays(begin, np.asarray(hours, dtype=float))
        found = np.full(begin.shape, _NAT)
        known = (begin != _NAT) & ~np.isnan(many)
        found[known] = [
            self.add(int(t), round(h * 3600))
            for t, h in zip(begin[known], many[known], strict=True)
        ]
        return found.astype("datetime64[s]")

    def _worked(self, time: int) -> int:
        at = bisect_right(self._begins, time) - 1
        if at < 0:
            return 0
        return self._done[at] + min(time, self._ends[at]) - self._begins[at]

    def _cover(self, first: int, last: int) -> None:
        low, high = first // DAY - 1, last // DAY + 2
        if self._low <= low and high <= self._high and self._high > self._low:
            return
        if low < _FIRST - 2 or high > _LAST + 3:
            raise NoWorkingTime("A time lies outside the years 1900 to 2200.")
        if self._high > self._low:
            low, high = min(low, self._low), max(high, self._high)
        self._build(low - 400, high + 400)

    def _grow(self, *, ahead: bool) -> None:
        span = max(self._high - self._low, 800)
        low = self._low if ahead else max(self._low - span, _FIRST - 500)
        high = min(self._high + span, _LAST + 500) if ahead else self._high
        if (low, high) == (self._low, self._high):
            raise NoWorkingTime("A calendar never works that long.")
        self._build(low, high)

    def _build(self, low: int, high: int) -> None:
        """Work out the intervals of the days from `low` to before `high`."""
        intervals = self._intervals(low, high)
        self._low, self._high = low, high
        self._begins = [begin for begin, _ in intervals]
        self._ends = [end for _, end in intervals]
        lengths = [end - begin for begin, end in intervals]
        self._done = [0, *accumulate(lengths)][: len(lengths)]
        self._arrays = (
            np.array(self._begins, dtype=np.int64),
            np.array(lengths, dtype=np.int64),
            np.array(self._done, dtype=np.int64),
        )

    def _intervals(self, low: int, high: int) -> list[tuple[int, int]]:
        """Return when there is work in the days from `low` to before `high`, sorted."""
        days = [self.week[(day + 3) % 7] for day in range(low, high)]
        for first, last, week in self.weeks:
            for day in range(max(first, low), min(last + 1, high)):
                days[day - low] = week.get((day + 3) % 7, days[day - low])
        for first, last, shifts in self.exceptions:
            for day in range(max(first, low), min(last + 1, high)):
                days[day - low] = shifts
        found: list[tuple[int, int]] = []
        midnight = low * DAY
        for shifts in days:
            for start, end in shifts:
                begin, until = midnight + start * 60, midnight + end * 60
                if found and begin <= found[-1][1]:
                    found[-1] = found[-1][0], max(found[-1][1], until)
                else:
                    found.append((begin, until))
            midnight += DAY
        return found


class CommonCalendar(WorkCalendar):
    """When two calendars both work."""

    def __init__(self, one: WorkCalendar, other: WorkCalendar) -> None:
        weeks = zip(one.week, other.week, strict=True)
        super().__init__([tuple(_common([*a], [*b])) for a, b in weeks])
        self._both = one, other

    def _intervals(self, low: int, high: int) -> list[tuple[int, int]]:
        one, other = (calendar._intervals(low, high) for calendar in self._both)
        return _common(one, other)


def _common(one: list[Span], other: list[Span]) -> list[Span]:
    """Return what lies in intervals of both lists, each sorted and without overlaps."""
    found, a, b = [], 0, 0
    while a < len(one) and b < len(other):
        begin, end = max(one[a][0], other[b][0]), min(one[a][1], other[b][1])
        if begin < end:
            found.append((begin, end))
        if one[a][1] < other[b][1]:
            a += 1
        else:
            b += 1
    return found


_NAT = np.iinfo(np.int64).min


def seconds_of(times: Any) -> npt.NDArray[np.int64]:
    """Return times as whole seconds since 1970, as the clocks count."""
    return np.asarray(times, dtype="datetime64[s]").astype(np.int64)


def work_calendars(
    calendars: pd.DataFrame, shifts: pd.DataFrame
) -> dict[str, WorkCalendar]:
    """Return the working time of every calendar by id.

    A calendar that says nothing of its own is the same object as its parent. A weekday
    that neither it nor a parent names does not work; one without any week works 8 to 12
    and 13 to 17 from Monday to Friday.
    """
    own = {str(k): rows for k, rows in shifts.groupby("calendar", sort=False)}
    parents = dict(zip(calendars.index, calendars["parent"], strict=True))
    found: dict[str, WorkCalendar] = {}
    for name in parents:
        line = [name]
        while (up := parents.get(line[-1], "")) and up not in line:
            line.append(up)
        speaking = tuple(k for k in line if k in own)
        key = speaking[0] if speaking else ""
        if key not in found or key == name:
            found[key] = _compiled([own[k] for k in reversed(speaking)])
        found[name] = found[key]
    return {name: found[name] for name in parents}


def _compiled(layers: list[pd.DataFrame]) -> WorkCalendar:
    """Return the calendar of layers of shifts, parents first."""
    week: dict[int, Shifts] = {}
    weeks: list[tuple[int, int, dict[int, Shifts]]] = []
    exceptions: list[tuple[int, int, Shifts]] = []
    for rows in layers:
        usual, others, single = _layer(rows)
        week |= usual
        weeks += [(a, b, days) for (a, b), days in others.items()]
        exceptions += [(a, b, kept) for (a, b), kept in single.items()]
    if not week:
        return WorkCalendar(WorkCalendar.standard().week, weeks, exceptions)
    return WorkCalendar([week.get(k, ()) for k in range(7)], weeks, exceptions)


def _layer(
    rows: pd.DataFrame,
) -> tuple[dict[int, Shifts], dict[Span, dict[int, Shifts]], dict[Span, Shifts]]:
    """Return the usual week, the weeks of some days and the exceptions of shifts."""
    week: dict[int, Shifts] = {}
    weeks: dict[Span, dict[int, Shifts]] = {}
    single: dict[Span, Shifts] = {}
    first = rows["first"].to_numpy().astype("datetime64[D]").astype(np.int64)
    last = rows["last"].to_numpy().astype("datetime64[D]").astype(np.int64)
    cells = zip(
        rows["weekday"].tolist(),
        zip(first.tolist(), last.tolist(), strict=True),
        rows["start_minute"].tolist(),
        rows["end_minute"].tolist(),
        strict=True,
    )
    for weekday, span, start, end in cells:
        shift: Shifts = () if start != start else ((int(start), int(end)),)
        dated = span[0] != _NAT
        if weekday != weekday:
            single[span] = tuple(sorted((*single.get(span, ()), *shift)))
            continue
        day = int(weekday) - 1
        here = weeks.setdefault(span, {}) if dated else week
        here[day] = tuple(sorted((*here.get(day, ()), *shift)))
    return week, weeks, single
