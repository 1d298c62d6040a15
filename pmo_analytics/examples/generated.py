"""Portfolios of any size from a seed, for benchmarks and tests."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import Settings, base_freq, format_period, make_horizon
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.portfolio import Portfolio

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Texts = npt.NDArray[np.object_]

STEP = 0.25  # FTE
THEMES = np.array(["Customer", "Data", "Regulatory", "Security", "Workplace"], object)
PROGRAMS = np.array([None, "Growth", "Renewal", "Cloud"], object)
FUNDS = np.array(["Change", "Technology"], object)
# What becomes of projects in mid-life; `window` is approved with one, `in` and `out`
# are forced.
_MID_LIFE = {
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
_REASONS = {"in": "Ordered by the board", "out": "Sponsor withdrew"}
_PER_YEAR = {"W": 52, "M": 12, "Q": 4, "Y": 1}


@dataclass(frozen=True)
class _Kind:
    """What one kind of portfolio looks like; ranges hold both ends."""

    duration: tuple[int, int]
    roles: tuple[int, int]  # of one project
    peak: tuple[float, float]  # FTE of one role of one project
    varying: float  # how far demand of one offset strays from the mean
    dependent: float  # share of projects that wait for another one
    chain: tuple[int, int]  # projects in a row that wait for each other
    even: bool = False  # peaks as often large as small; else small ones more often


KINDS = {
    "mixed": _Kind((3, 12), (2, 4), (0.25, 3.0), 0.35, 0.15, (2, 3)),
    "few_big": _Kind((6, 12), (1, 2), (3.0, 8.0), 0.3, 0.1, (2, 2)),
    "many_small": _Kind((3, 6), (2, 3), (0.25, 1.0), 0.4, 0.1, (2, 2)),
    "chains": _Kind((3, 6), (2, 4), (0.25, 2.5), 0.35, 0.85, (4, 7)),
    # Roles that are pools of many people, asked by many projects at a time.
    "pools": _Kind((3, 12), (5, 8), (0.25, 3.0), 0.15, 0.15, (2, 3), even=True),
    "pools_big": _Kind((6, 12), (4, 6), (1.0, 6.0), 0.15, 0.1, (2, 2), even=True),
    "pools_small": _Kind((3, 6), (6, 10), (0.25, 2.0), 0.15, 0.1, (2, 2), even=True),
    "pools_chains": _Kind((3, 9), (5, 8), (0.25, 3.0), 0.15, 0.85, (4, 7), even=True),
}


def generate_portfolio(
    n_projects: int = 50,
    n_roles: int = 8,
    n_periods: int = 24,
    seed: int = 0,
    *,
    kind: str = "mixed",
    mid_life: bool = False,
    inherited: bool = False,
    fit: float = 0.4,
    freq: str = "M",
    start: str = "2027-01",
    discount: float = 0.005,
) -> Portfolio:
    """Return a random portfolio in which selection and dates both matter.

    Values follow effort with noise; capacity and yearly budgets let about `fit` of
    all work happen. There are windows, deadlines, dependencies, groups, a blackout
    and two funds. Fixed work always fits unless `inherited` is set: doing it alone,
    at the dates it was generated with, breaks no rule.

    Parameters
    ----------
    n_projects, n_roles, n_periods
        Size: at least 1 each.
    seed
        Same seed and arguments, same tables.
    kind
        `mixed`; `few_big`: few roles per project, each with many FTE;
        `many_small`; `chains`: most projects wait for another one. In all of these a
        role has room for two to five projects at a time; `pools`, `pools_big`,
        `pools_small` and `pools_chains` have roles of many people, 5 to 40 FTE with
        200 projects, and projects that ask for a part of several of them.
    mid_life
        Some projects are running since before the horizon, approved, forced in or
        out, paused, done or cancelled.
    inherited
        With `mid_life`: running work alone exceeds capacity in one early period.
    fit
        Share of all work that capacity and budgets have room for.
    freq, start
        Length and first one of the periods.
    discount
        Rate per period.

    Raises
    ------
    ConfigError
        If the kind is unknown or a size is below 1.

    Examples
    --------
    >>> portfolio = generate_portfolio(30, 5, 18, seed=1, kind="few_big")
    >>> portfolio.capacity.shape
    (18, 5)
    """
    if kind not in KINDS:
        raise ConfigError(
            f"There is no kind '{kind}'{closest(kind, KINDS)}. "
            f"Kinds: {', '.join(KINDS)}."
        )
    if min(n_projects, n_roles, n_periods) < 1:
        raise ConfigError("Projects, roles and periods must be at least 1 each.")
    draw = _Draw(
        np.random.default_rng(seed), KINDS[kind], n_projects, n_roles, n_periods
    )
    horizon = make_horizon(start, n_periods, freq)
    capacity = draw.scale_to(fit)
    dates = _Dates(draw, capacity, mid_life)
    if inherited and mid_life:
        dates.overload(capacity)
    spend = _spend(draw)
    tables = {
        "projects": _projects(draw, dates, horizon),
        "demand": draw.demand,
        "dependencies": _dependencies(draw, dates),
        "groups": _groups(draw, dates),
        "blackouts": _blackouts(draw, dates, horizon),
        "spend": spend,
        "budget": _budget(draw, dates, spend, horizon, fit),
    }
    return Portfolio(
        f"{kind} {n_projects} x {n_periods} x {n_roles}, seed {seed}",
        horizon=horizon,
        settings=Settings(discount=discount, source="value", currency="EUR"),
        capacity=pd.DataFrame(
            capacity, index=horizon, columns=pd.Index(draw.role_names, name="role")
        ),
        **tables,
    )


def _numbered(prefix: str, count: int) -> Texts:
    width = max(len(str(count)), 2)
    return np.array([f"{prefix}{k:0{width}}" for k in range(1, count + 1)], object)


def _stepped(values: Floats) -> Floats:
    return np.round(np.asarray(values) / STEP) * STEP


class _Draw:
    """Projects with durations and demand, before any date or limit."""

    def __init__(
        self,
        rng: np.random.Generator,
        kind: _Kind,
        n_projects: int,
        n_roles: int,
        n_periods: int,
    ) -> None:
        self.rng, self.kind = rng, kind
        self.n, self.n_roles, self.periods = n_projects, n_roles, n_periods
        self.names = _numbered("P", n_projects)
        self.role_names = _numbered("Role ", n_roles)
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
            _stepped(peak[pair] * noise * (1 + tilt * (at - 0.5))), STEP
        )

    def scale_to(self, fit: float) -> Floats:
        """Return capacity, period x role, and cut demand that could never be met."""
        work = np.bincount(self.role, self.fte, self.n_roles)
        level = np.maximum(fit * work / self.periods, 0.75)
        level = level * self.rng.uniform(0.85, 1.15, self.n_roles)
        wave = self.rng.uniform(0.85, 1.1, (self.periods, self.n_roles))
        capacity = np.maximum(_stepped(level * wave), STEP)
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


class _Dates:
    """Statuses, starts and windows; a plan of the mandatory work proves it fits."""

    def __init__(self, draw: _Draw, capacity: Floats, mid_life: bool) -> None:
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

    def _mid_life(self, draw: _Draw, capacity: Floats) -> None:
        """Hand out statuses; mandatory work as long as it fits, else it stays."""
        rng, n, periods = draw.rng, draw.n, draw.periods
        wish = rng.choice(list(_MID_LIFE), n, p=list(_MID_LIFE.values()))
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
        short = max(STEP, float(_stepped(0.2 * fixed[period, role])))
        if fixed[period, role] > 0:
            capacity[period, role] = fixed[period, role] - short


def _projects(draw: _Draw, dates: _Dates, horizon: pd.PeriodIndex) -> pd.DataFrame:
    rng, n = draw.rng, draw.n
    noise = np.exp(rng.normal(0.0, 0.45, n))

    def periods(offsets: Ints, blank: npt.NDArray[np.bool_]) -> pd.PeriodIndex:
        ordinals = horizon[0].ordinal + offsets
        values = pd.PeriodIndex.from_ordinals(ordinals, freq=horizon.freqstr)
        return values.where(~blank)

    has_start = dates.mandatory & (dates.status != "proposed")
    past = dates.status == "done"
    start = np.where(past, -draw.duration - rng.integers(0, 6, n), dates.planned)
    return pd.DataFrame(
        {
            "project": draw.names,
            "name": [f"Project {name}" for name in draw.names],
            "status": dates.status,
            "value": np.maximum(np.round(10 * draw.effort * noise), 1.0),
            "duration": pd.array(draw.duration, dtype="Int64"),
            "start": periods(start, ~(has_start | past)),
            "earliest": periods(dates.earliest, dates.earliest < 0),
            "latest": periods(dates.latest, dates.latest >= draw.periods),
            "deadline": periods(dates.deadline, dates.deadline >= draw.periods),
            "force": dates.force,
            "force_reason": [_REASONS.get(force) for force in dates.force],
            "probability": np.where(dates.mandatory, 1.0, rng.integers(4, 20, n) / 20),
            "theme": rng.choice(THEMES, n),
            "program": rng.choice(PROGRAMS, n),
        }
    )


def _dependencies(draw: _Draw, dates: _Dates) -> pd.DataFrame:
    """Return rows of candidates; what they wait for comes earlier in a fixed order."""
    rng, kind = draw.rng, draw.kind
    rows: list[tuple[str, str, str, int, int | None]] = []
    usable = np.flatnonzero(
        dates.candidate | dates.mandatory | (dates.status == "done")
    )
    order = rng.permutation(usable)
    # Mandatory and done work can be waited for, so it stands at the head of chains.
    waiting = order[dates.candidate[order]]
    heads = order[~dates.candidate[order]]
    wanted = round(kind.dependent * len(waiting))
    at = 0
    while len(rows) < wanted and at + 1 < len(waiting):
        chain = waiting[at : at + int(rng.integers(*kind.chain, endpoint=True))]
        at += len(chain)
        if len(heads) and rng.random() < 0.15:
            chain = np.concatenate(([rng.choice(heads)], chain[1:]))
        end = 0
        for i, j in pairwise(chain):
            word = str(rng.choice(["finish_start"] * 8 + ["start_start", "selected"]))
            lag = int(rng.choice([0, 0, 0, 0, 1, 2, -1])) if word != "selected" else 0
            end += int(draw.duration[i]) + max(lag, 0)
            if end + draw.duration[j] > draw.periods:
                break  # nobody could finish it
            lag_max = lag + 6 if rng.random() < 0.1 and word != "selected" else None
            rows.append((draw.names[j], draw.names[i], word, lag, lag_max))
    frame = pd.DataFrame(
        rows, columns=["project", "requires", "kind", "lag", "lag_max"], dtype=object
    )
    if kind.chain[1] <= 3 and len(waiting) - at >= 2:  # two that need each other
        a, b = draw.names[waiting[-2:]]
        pair = [(a, b, "selected", 0, None), (b, a, "selected", 0, None)]
        frame = pd.concat([frame, pd.DataFrame(pair, columns=frame.columns)])
    return frame.astype({"lag": "Int64", "lag_max": "Int64"}).reset_index(drop=True)


def _groups(draw: _Draw, dates: _Dates) -> pd.DataFrame:
    """Return groups of candidates: rivals, and sets that only make sense together."""
    rng = draw.rng
    order = rng.permutation(np.flatnonzero(dates.candidate))
    rows: list[dict[str, Any]] = []
    at, group = 0, 0
    while at < 0.2 * len(order):
        together = rng.random() < 0.25
        size = 2 if together else int(rng.integers(2, 5))
        members = order[at : at + size]
        at, group = at + size, group + 1
        if len(members) < 2:
            break
        rows += [
            {
                "group": f"G{group:02}",
                "project": draw.names[member],
                "rule": "all_or_none" if together else "limit",
                "at_least": None,
                "at_most": None if together else max(1, size // 2),
            }
            for member in members
        ]
    columns = ["group", "project", "rule", "at_least", "at_most"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"at_least": "Int64", "at_most": "Int64"})


def _blackouts(draw: _Draw, dates: _Dates, horizon: pd.PeriodIndex) -> pd.DataFrame:
    """Return one freeze per year: nothing finishes in its last period."""
    per_year = _PER_YEAR[base_freq(str(horizon.freqstr))]
    frozen = np.arange(per_year - 1, draw.periods, per_year)
    if per_year == 1 or len(frozen) == 0:
        frozen = frozen[:0]
    finish = dates.planned + draw.duration - 1
    busy = finish[dates.mandatory & (dates.status != "running")]
    frozen = frozen[~np.isin(frozen, busy)]
    return pd.DataFrame(
        {
            "project": None,
            "theme": None,
            "start": horizon[frozen],
            "end": horizon[frozen],
            "applies_to": "finish",
        }
    )


def _spend(draw: _Draw) -> pd.DataFrame:
    """Return investment in the first period and running cost in all of them."""
    rng, n = draw.rng, draw.n
    total = np.maximum(np.round(draw.effort * np.exp(rng.normal(1.0, 0.4, n))), 4.0)
    capital = np.round(total * rng.uniform(0.2, 0.7, n))
    fund = rng.choice(FUNDS, n, p=[0.7, 0.3])
    project = np.repeat(np.arange(n), draw.duration)
    begin = np.cumsum(draw.duration) - draw.duration
    offset = np.arange(len(project)) - begin[project]
    each = np.round((total - capital) / draw.duration)[project]
    running = each > 0
    return pd.DataFrame(
        {
            "project": draw.names[np.concatenate((np.arange(n), project[running]))],
            "fund": fund[np.concatenate((np.arange(n), project[running]))],
            "category": np.repeat(
                np.array(["capex", "opex"], object), [n, int(running.sum())]
            ),
            "offset": pd.array(
                np.concatenate((np.zeros(n, np.int64), offset[running])), dtype="Int64"
            ),
            "amount": np.concatenate((capital, each[running])),
        }
    )


def _budget(
    draw: _Draw,
    dates: _Dates,
    spend: pd.DataFrame,
    horizon: pd.PeriodIndex,
    fit: float,
) -> pd.DataFrame:
    """Return one amount per fund and year; what mandatory work spends fits in."""
    per_year = _PER_YEAR[base_freq(str(horizon.freqstr))]
    length = min(per_year, draw.periods) if per_year > 1 else min(3, draw.periods)
    index = {name: k for k, name in enumerate(draw.names)}
    project = spend["project"].map(index).to_numpy(dtype=np.int64)
    fund, amount = spend["fund"].to_numpy(object), spend["amount"].to_numpy(float)
    period = dates.planned[project] + spend["offset"].to_numpy(dtype=np.int64)
    rows: list[dict[str, Any]] = []
    for name in FUNDS[np.isin(FUNDS, fund)]:
        own = fund == name
        total = amount[own & (dates.candidate | dates.mandatory)[project]].sum()
        for begin in range(0, draw.periods, length):
            end = min(begin + length, draw.periods) - 1
            mine = own & dates.mandatory[project] & (period >= begin) & (period <= end)
            share = 1.2 * fit * (end - begin + 1) / draw.periods
            rows.append(
                {
                    "budget": f"{name} from {format_period(horizon[begin])}",
                    "fund": name,
                    "start": horizon[begin],
                    "end": horizon[end],
                    "amount": float(
                        np.ceil(max(share * total, 1.1 * amount[mine].sum(), 1.0))
                    ),
                }
            )
    return pd.DataFrame(rows)
