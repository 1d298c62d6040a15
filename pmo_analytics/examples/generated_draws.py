"""What a generated portfolio is drawn from: sizes, dates and their spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Texts = npt.NDArray[np.object_]

STEP = 0.25  # FTE
THEMES = np.array(["Customer", "Data", "Regulatory", "Security", "Workplace"], object)
PROGRAMS = np.array([None, "Growth", "Renewal", "Cloud"], object)
# What becomes of projects in mid-life; `window` is approved with one, `in` and `out`
# are forced.
MID_LIFE = {
    "idea": 0.1,
    "proposed": 0.46,
    "paused": 0.05,
    "approved": 0.06,
    "window": 0.06,
    "running": 0.12,
    "done": 0.05,
    "cancelled": 0.04,
    "in": 0.03,
    "out": 0.03,
}
REASONS = {"in": "Ordered by the board", "out": "Sponsor withdrew"}
PER_YEAR = {"W": 52, "M": 12, "Q": 4, "Y": 1}


@dataclass(frozen=True)
class Kind:
    """What one kind of portfolio looks like; ranges hold both ends."""

    duration: tuple[int, int]
    roles: tuple[int, int]  # of one project
    peak: tuple[float, float]  # FTE of one role of one project
    varying: float  # how far demand of one offset strays from the mean
    dependent: float  # share of projects that wait for another one
    chain: tuple[int, int]  # projects in a row that wait for each other
    even: bool = False  # peaks as often large as small; else small ones more often


KINDS = {
    "mixed": Kind((3, 12), (2, 4), (0.25, 3.0), 0.35, 0.15, (2, 3)),
    "few_big": Kind((6, 12), (1, 2), (3.0, 8.0), 0.3, 0.1, (2, 2)),
    "many_small": Kind((3, 6), (2, 3), (0.25, 1.0), 0.4, 0.1, (2, 2)),
    "chains": Kind((3, 6), (2, 4), (0.25, 2.5), 0.35, 0.85, (4, 7)),
    # Roles that are pools of many people, asked by many projects at a time.
    "pools": Kind((3, 12), (5, 8), (0.25, 3.0), 0.15, 0.15, (2, 3), even=True),
    "pools_big": Kind((6, 12), (4, 6), (1.0, 6.0), 0.15, 0.1, (2, 2), even=True),
    "pools_small": Kind((3, 6), (6, 10), (0.25, 2.0), 0.15, 0.1, (2, 2), even=True),
    "pools_chains": Kind((3, 9), (5, 8), (0.25, 3.0), 0.15, 0.85, (4, 7), even=True),
}


def numbered(prefix: str, count: int) -> Texts:
    """Return names with a number, all of one length."""
    width = max(len(str(count)), 2)
    return np.array([f"{prefix}{k:0{width}}" for k in range(1, count + 1)], object)


def stepped(values: Floats) -> Floats:
    """Return amounts in whole steps, FTE."""
    return np.round(np.asarray(values) / STEP) * STEP


class Draw:
    """Projects with durations and demand, before any date or limit."""

    def __init__(
        self,
        rng: np.random.Generator,
        kind: Kind,
        n_projects: int,
        n_roles: int,
        n_periods: int,
    ) -> None:
        self.rng, self.kind = rng, kind
        self.n, self.n_roles, self.periods = n_projects, n_roles, n_periods
        self.names = numbered("P", n_projects)
        self.role_names = numbered("Role ", n_roles)
        # Most of the horizon is enough for a project, so that dates are a choice.
        longest = max(min(kind.duration[1], 2 * n_periods // 3), 1)
        shortest = min(kind.duration[0], longest)
        self.duration = rng.integers(shortest, longest + 1, n_projects)

        low, high = (min(count, n_roles) for count in kind.roles)
        count = rng.integers(low, high + 1, n_projects)
        # The first `count` of a random order of the roles, popular ones in front.
        weight = rng.random((n_projects, n_roles)) ** (
            1 / rng.uniform(0.5, 2.0, n_roles)
        )
        order = np.argsort(-weight, axis=1)
        used = np.arange(n_roles) < count[:, np.newaxis]
        project, place = np.nonzero(used)
        role = order[project, place]
        low_peak, high_peak = kind.peak if kind.even else np.log(kind.peak)
        peak = rng.uniform(low_peak, high_peak, len(role))
        peak = peak if kind.even else np.exp(peak)

        # One row per project, role and offset.
        length = self.duration[project]
        pair = np.repeat(np.arange(len(role)), length)
        self.project, self.role = project[pair], role[pair]
        self.offset = np.arange(len(pair)) - np.repeat(
            np.cumsum(length) - length, length
        )
        noise = rng.uniform(1 - kind.varying, 1 + kind.varying, len(pair))
        at = (self.offset + 0.5) / length[pair]
        tilt = rng.uniform(-0.6, 0.6, len(role))[pair]  # early or late in its life
        self.fte = np.maximum(
            stepped(peak[pair] * noise * (1 + tilt * (at - 0.5))), STEP
        )

    def scale_to(self, fit: float) -> Floats:
        """Return capacity, period x role, and cut demand that could never be met."""
        work = np.bincount(self.role, self.fte, self.n_roles)
        level = np.maximum(fit * work / self.periods, 0.75)
        level = level * self.rng.uniform(0.85, 1.15, self.n_roles)
        wave = self.rng.uniform(0.85, 1.1, (self.periods, self.n_roles))
        capacity = np.maximum(stepped(level * wave), STEP)
        largest = np.maximum(np.floor(0.9 * capacity.min(axis=0) / STEP) * STEP, STEP)
        self.fte = np.minimum(self.fte, largest[self.role])
        return capacity

    @property
    def effort(self) -> Floats:
        """FTE-periods of each project."""
        return np.bincount(self.project, self.fte, self.n)

    @property
    def demand(self) -> pd.DataFrame:
        """The `demand` table."""
        return pd.DataFrame(
            {
                "project": self.names[self.project],
                "role": self.role_names[self.role],
                "offset": pd.array(self.offset, dtype="Int64"),
                "fte": self.fte,
            }
        )

    def load(self, project: int, start: int) -> tuple[tuple[Ints, Ints], Floats]:
        """Return (period, role) cells inside the horizon and the FTE in each."""
        first, last = np.searchsorted(self.project, [project, project + 1])
        period = start + self.offset[first:last]
        inside = (period >= 0) & (period < self.periods)
        cells = (period[inside], self.role[first:last][inside])
        return cells, self.fte[first:last][inside]


class Dates:
    """Statuses, starts and windows; a plan of the mandatory work proves it fits."""

    def __init__(self, draw: Draw, capacity: Floats, mid_life: bool) -> None:
        rng, n, periods = draw.rng, draw.n, draw.periods
        self.status = np.full(n, "proposed", object)
        self.force = np.full(n, None, object)
        self.load = np.zeros_like(capacity)  # of all mandatory work
        self.movable = np.zeros_like(capacity)  # of that which has a choice of dates
        # Where mandatory work was put; the same dates satisfy every other rule.
        self.planned = np.zeros(n, np.int64)
        self.mandatory = np.zeros(n, bool)
        self.own_window = np.zeros(n, bool)
        if mid_life:
            self._mid_life(draw, capacity)
        self.candidate = ~self.mandatory & np.isin(
            self.status, ["idea", "proposed", "paused"]
        )
        self.latest_fit = periods - draw.duration
        slack = np.maximum(self.latest_fit, 0)
        first = (rng.random(n) * 0.6 * slack).astype(np.int64)
        width = np.maximum((rng.random(n) * 0.7 * periods).astype(np.int64), 2)
        earliest = np.where(rng.random(n) < 0.3, first, -1)
        latest = np.where(rng.random(n) < 0.2, np.maximum(earliest, 0) + width, periods)
        deadline = np.where(
            rng.random(n) < 0.15,
            np.maximum(earliest, 0) + draw.duration - 1 + width,
            periods,
        )
        windowed = self.mandatory & self.own_window
        around = rng.integers(0, 4, (2, n))
        earliest = np.where(windowed, np.maximum(self.planned - around[0], 0), earliest)
        latest = np.where(windowed, self.planned + 1 + around[1], latest)
        deadline = np.where(self.mandatory, periods, deadline)
        kept = self.mandatory & ~windowed
        self.earliest = np.where(kept, -1, earliest)
        self.latest = np.where(kept, periods, latest)
        self.deadline = np.where(kept, periods, deadline)

    def _mid_life(self, draw: Draw, capacity: Floats) -> None:
        """Hand out statuses; mandatory work as long as it fits, else it stays."""
        rng, n, periods = draw.rng, draw.n, draw.periods
        wish = rng.choice(list(MID_LIFE), n, p=list(MID_LIFE.values()))
        plain = np.isin(wish, ["idea", "paused", "done", "cancelled"])
        self.status[plain] = wish[plain]
        self.force[wish == "out"] = "out"
        # A share of capacity stays free for choices.
        room = 0.75 * capacity
        for k in np.flatnonzero(np.isin(wish, ["running", "approved", "window", "in"])):
            duration = int(draw.duration[k])
            if wish[k] == "running":
                start = -int(rng.integers(0, duration))
            elif wish[k] == "in":
                start = int(rng.integers(0, periods - duration + 1))
            else:
                start = int(rng.integers(0, periods))
            cells, fte = draw.load(int(k), start)
            if (self.load[cells] + fte > room[cells]).any():
                continue
            self.load[cells] += fte
            if wish[k] in ("window", "in"):
                self.movable[cells] += fte
            self.mandatory[k], self.planned[k] = True, start
            self.own_window[k] = wish[k] == "window"
            if wish[k] == "in":
                self.force[k] = "in"
            else:
                self.status[k] = "running" if wish[k] == "running" else "approved"

    def overload(self, capacity: Floats) -> None:
        """Lower capacity below the load of fixed work, in one early cell."""
        fixed = np.where(self.movable > 0, 0.0, self.load)[:3]
        period, role = np.unravel_index(np.argmax(fixed), fixed.shape)
        short = max(STEP, float(stepped(0.2 * fixed[period, role])))
        if fixed[period, role] > 0:
            capacity[period, role] = fixed[period, role] - short
