"""Can all end by some period? Partial schedules layer by layer, side by side.

Layer k holds partial schedules of k jobs. Jobs are added in the order of their starts,
each at the first period that fits, so that every schedule worth having passes through
every layer. Three rules keep a layer small, and none of them loses the last schedule
that ends in time:

* Nothing is kept whose jobs to come cannot end in time, by links or by their work.
* A job is not added where another one could be done before it starts (left shift).
* Of two partial schedules of the same jobs one goes if the other leaves at least as
  much at any later time (the cutset rule of Demeulemeester and Herroelen, Management
  Science 38(12), 1992).

Where a layer still outgrows a width, the best of it are kept: then what is found holds,
but nothing is proved. Arithmetic is on whole numbers; only the choice of the best is
not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pmo_analytics.optimization.levelling.jobs import Jobs

# Partial schedules that a layer keeps, one search after the other.
_WIDTHS = (400, 1_600, 6_400, 25_600)
# Of a layer times the jobs, or times the periods of the longest: memory.
_MOST_CELLS = 1_000_000
# A set of jobs is the bits of one integer, and so is the room in a period.
_MOST_JOBS = _MOST_BITS = 62
_MOST_PERIODS = 2_000
# Sums over all periods have to be exact in doubles.
_MOST_FIELD = 40
# Dates by which work is counted.
_MOST_ENDS = 8
# Neighbours in a sorted layer that are compared.
_COMPARED = 24
# What a layer costs beside its partial schedules, in jobs placed.
_OVERHEAD = 200
_NO_LINK = -10_000


def in_layers(jobs: Jobs) -> bool:
    """Return whether layers can hold the schedules of these jobs.

    They have to be few, to need the same in every period of their work, windows without
    gaps, no limited budget, and no job that may start before one it follows.
    """
    count = len(jobs.names)
    widths = [width for _, _, width in jobs.fields]
    return (
        1 < count <= _MOST_JOBS
        and 0 < sum(width + 1 for width in widths) <= _MOST_BITS
        and max(widths) <= _MOST_FIELD
        and min(jobs.first) >= 0
        and all(
            jobs.following[j] is None
            and jobs.money[j] is None
            and (jobs.level[j] is not None or not jobs.demand[j])
            and all(lag >= 0 for _, lag in jobs.before[j])
            for j in range(count)
        )
    )


class Layers:
    """One search for a schedule that ends in time.

    Parameters
    ----------
    jobs
        What is to be placed; `in_layers` holds, and links and windows agree.
    finish
        All ends before this period.
    width
        Partial schedules that a layer keeps.
    mirrored
        From the end to the beginning. Links keep their order only where jobs follow
        the end of others, see `can_mirror`.

    Attributes
    ----------
    starts
        A schedule that ends in time, None so far.
    complete
        Nothing was left out: without a schedule at the end there is none.
    """

    def __init__(
        self, jobs: Jobs, finish: int, width: int, *, mirrored: bool = False
    ) -> None:
        count = len(jobs.names)
        heads, tails = jobs.heads(), jobs.tails()
        assert heads is not None
        self.finish, self.width, self.mirrored = finish, width, mirrored
        self.starts: list[int] | None = None
        self.complete = True
        length = np.array(jobs.duration)
        head = np.array(heads)
        last = np.minimum(jobs.last, finish - np.array(tails))
        lag = np.full((count, count), _NO_LINK)
        for j in range(count):
            for i, periods in jobs.before[j]:
                lag[i, j] = periods
        free, need = _rooms(jobs, finish)
        if mirrored:
            # A start counts from the end backwards, and so does a wait.
            linked = lag > _NO_LINK
            lag = np.where(linked, lag + length - length[:, None], _NO_LINK).T
            head, last = finish - last - length, finish - head - length
            free = free[:, ::-1]
        self.length, self.head, self.last = length, head, last
        self.lag = lag.astype(np.int16)
        self.linked = (lag > _NO_LINK).astype(float)
        self.follows = self.linked.sum(axis=0)
        # From this long after its start on a job is of no matter to anybody.
        self.matters = np.maximum(length, lag.max(axis=1)).astype(np.int16)
        self.need = need
        self.level = np.maximum(free.mean(axis=1), 1.0)
        self.cumulated = np.concatenate(
            [np.zeros((len(free), 1)), np.cumsum(free, axis=1)], axis=1
        )
        self.packed = _pack(free, need)
        self.offsets = np.arange(int(length.max()))
        self.ends = np.array(self._dates())
        # Per job, and per date and role: work that has to be done by then at least.
        must = np.clip(self.ends[:, None] - self.last, 0, length)
        self.must = (must[:, None, :] * need).astype(float).reshape(-1, count).T
        self.room_by = self.cumulated[:, self.ends].T.reshape(-1)

    def _dates(self) -> list[int]:
        """Return the dates by which work is counted, the end among them."""
        dates = np.unique(np.clip(self.last + self.length, 1, self.finish))
        if len(dates) > _MOST_ENDS:
            dates = dates[np.linspace(0, len(dates) - 1, _MOST_ENDS).astype(int)]
        return sorted({*dates.tolist(), self.finish})

    def steps(self) -> Iterator[int]:
        """Go layer by layer; yield how many partial schedules were looked at."""
        count = len(self.length)
        if (self.last < self.head).any():
            return
        done = np.zeros((1, count), dtype=bool)
        start = np.zeros((1, count), dtype=np.int16)
        ready = self.head.astype(np.int16)[None, :]
        now = np.zeros(1, dtype=np.int16)
        free = self.packed.room[None, :]
        members = np.zeros(1, dtype=np.int64)
        # Work by each date: of what is placed all that is, of the rest what must be.
        work = self.must.sum(axis=0)[None, :]
        for _ in range(count):
            i, j, s = self._children(done, ready, now, free)
            rows = np.arange(len(i))
            start, done = start[i], done[i]
            start[rows, j], done[rows, j] = s, True
            now = s.astype(np.int16)
            ready = np.maximum(ready[i], now[:, None] + self.lag[j])
            members = members[i] | np.int64(1) << j
            work = work[i] + self._added(j, s)
            good, score = self._judged(done, start, ready, now, work)
            kept = np.flatnonzero(good)
            kept = self._undominated(kept, members, done, start, now)
            if len(kept) > self.width:
                self.complete = False
                best = np.argsort(-score[kept], kind="stable")[: self.width]
                kept = kept[np.sort(best)]
            yield len(i)
            if not len(kept):
                return
            free = self._reduced(free[i[kept]], j[kept], s[kept])
            start, done, ready = start[kept], done[kept], ready[kept]
            now, members, work = now[kept], members[kept], work[kept]
        found = start[0].astype(np.int64)
        if self.mirrored:
            found = self.finish - found - self.length
        self.starts = found.tolist()

    def _children(
        self, done: np.ndarray, ready: np.ndarray, now: np.ndarray, free: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows of the layer, the jobs that can be next, and their starts."""
        open_jobs = ~done & (done @ self.linked == self.follows)
        i, j = np.nonzero(open_jobs)
        s = np.maximum(ready[i, j], now[i]).astype(np.int64)
        length, last = self.length[j], self.last[j]
        active, packed = np.arange(len(i)), self.packed
        while len(active):
            own = s[active]
            at = np.minimum(own[:, None] + self.offsets, self.finish - 1)
            left = free[i[active][:, None], at] - packed.need[j[active]][:, None]
            short = (left & packed.guard) != packed.guard
            short &= self.offsets < length[active][:, None]
            # It cannot start until after the last period that is short.
            behind = len(self.offsets) - short[:, ::-1].argmax(axis=1)
            moved = short.any(axis=1)
            s[active] = np.where(moved, own + behind, own)
            active = active[moved & (s[active] <= last[active])]
        placed = s <= last
        dead = np.zeros(len(done), dtype=bool)
        dead[i[~placed]] = True
        # Whoever starts after another could be done comes after that one.
        soonest = np.full(len(done), self.finish)
        np.minimum.at(soonest, i, s + length)
        keep = ~dead[i] & (s < soonest[i])
        return i[keep], j[keep], s[keep]

    def _added(self, j: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return what placing jobs adds to the work by each date."""
        inside = np.clip(self.ends - s[:, None], 0, self.length[j][:, None])
        own = inside[:, :, None] * self.need.T[j][:, None, :]
        return np.asarray(own.reshape(len(j), self.must.shape[1]) - self.must[j])

    def _judged(
        self,
        done: np.ndarray,
        start: np.ndarray,
        ready: np.ndarray,
        now: np.ndarray,
        work: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which can still end in time by links and work, and how good they are.

        Good is one with much room beyond the work to come, and with time to spare.
        """
        spare = self.last.astype(np.int16) - np.maximum(ready, now[:, None])
        spare = np.where(done, np.int16(self.finish), spare).min(axis=1)
        good = spare >= 0
        # Room that is gone by now without work in it.
        past = np.minimum(now[:, None] - start, self.length.astype(np.int16))
        idle = (
            self.cumulated.T[now] - np.where(done, past, 0).astype(float) @ self.need.T
        )
        over = self.room_by - work - np.tile(idle, len(self.ends))
        over = over.reshape(len(now), len(self.ends), len(self.need))
        good &= ((over >= 0).all(axis=2) | (now[:, None] >= self.ends)).all(axis=1)
        # The last date is the end.
        share = over[:, -1] / self.level
        score = share.min(axis=1) + 0.5 * share.mean(axis=1)
        return good, score + 0.2 * np.minimum(spare, 10)

    def _undominated(
        self,
        kept: np.ndarray,
        members: np.ndarray,
        done: np.ndarray,
        start: np.ndarray,
        now: np.ndarray,
    ) -> np.ndarray:
        """Return the rows that no other one of the same jobs leaves more than.

        A row leaves no less than another if it is not behind in time, and if each of
        its jobs started no later or is of no matter any more at the other's time.
        """
        here = now[kept][:, None]
        until = np.where(done[kept], start[kept] + self.matters, here)
        until = np.maximum(until, here)
        order = np.lexsort((until.sum(axis=1, dtype=np.int64), members[kept]))
        kept, until = kept[order], until[order]
        same = members[kept]
        gone = np.zeros(len(kept), dtype=bool)
        for k in range(1, min(_COMPARED, len(kept) - 1) + 1):
            alike = same[k:] == same[:-k]
            if not alike.any():
                break
            later = np.flatnonzero(alike & ~gone[k:])
            gone[later + k] = (until[later] <= until[later + k]).all(axis=1)
        return kept[~gone]

    def _reduced(self, free: np.ndarray, j: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return the room that is left when each row's job is placed."""
        row, k = np.nonzero(self.offsets < self.length[j][:, None])
        free[row, s[row] + k] -= self.packed.need[j[row]]
        return free


def can_mirror(jobs: Jobs) -> bool:
    """Return whether links keep their order when time runs backwards."""
    length = jobs.duration
    return all(
        lag + length[j] >= length[i]
        for j, before in enumerate(jobs.before)
        for i, lag in before
    )


def _rooms(jobs: Jobs, finish: int) -> tuple[np.ndarray, np.ndarray]:
    """Return room per role and period, and need per role and job."""
    free, need = [], []
    for _, shift, width in jobs.fields:
        mask = (1 << width) - 1
        free.append([packed >> shift & mask for packed in jobs.free[:finish]])
        need.append([(own or 0) >> shift & mask for own in jobs.level])
    return np.array(free, dtype=np.int64), np.array(need, dtype=np.int64)


class _Packed(NamedTuple):
    """All roles in one number: guard bits, room per period and need per job."""

    guard: int
    room: np.ndarray
    need: np.ndarray


def _pack(free: np.ndarray, need: np.ndarray) -> _Packed:
    """Return room per role and period, and need per role and job, as numbers."""
    shift = guard = 0
    room = np.zeros(free.shape[1], dtype=np.int64)
    packed = np.zeros(need.shape[1], dtype=np.int64)
    for own_free, own_need in zip(free, need, strict=True):
        bits = int(max(own_free.max(), own_need.max())).bit_length()
        room += own_free << shift
        packed += own_need << shift
        guard |= 1 << (shift + bits)
        shift += bits + 1
    return _Packed(guard, room + guard, packed)


class Layering:
    """Searches in layers one after the other, wider each time, from both ends.

    Attributes
    ----------
    built
        Work done, in schedules of all jobs.
    width
        What the next search keeps, None where there is none to come.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.placed = 0
        size = max(len(jobs.names), *jobs.duration)
        self.plan = [
            (width, mirrored)
            for width in _WIDTHS
            for mirrored in ((False, True) if can_mirror(jobs) else (False,))
            if width * size <= _MOST_CELLS
        ]
        if not in_layers(jobs):
            self.plan = []
        self.layers: Layers | None = None
        self.steps: Iterator[int] = iter(())

    @property
    def built(self) -> int:
        """Work done so far, in schedules of all jobs."""
        return self.placed // len(self.jobs.names)

    @property
    def open(self) -> bool:
        """Whether there is anything left to try."""
        return bool(self.plan)

    def step(self, finish: int) -> Layers | None:
        """Go on by one layer; return the search if that ended it.

        Parameters
        ----------
        finish
            All is to end before this period. Where that changes, the search begins
            anew.
        """
        if self.layers is None or self.layers.finish != finish:
            if finish > min(_MOST_PERIODS, len(self.jobs.free)):
                self.plan = []
                return None
            width, mirrored = self.plan[0]
            self.layers = Layers(self.jobs, finish, width, mirrored=mirrored)
            self.steps = self.layers.steps()
        ended = self.layers
        looked_at = next(self.steps, None)
        if looked_at is not None:
            self.placed += looked_at + _OVERHEAD
            return None
        self.layers = None
        if ended.starts is None:
            self.plan = [] if ended.complete else self.plan[1:]
        return ended
