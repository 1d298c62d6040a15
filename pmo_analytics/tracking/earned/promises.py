"""What was promised of a project, and what it has cost: baselines, plan and actuals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import hours_per_fte
from pmo_analytics.portfolio import Portfolio

type Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Promise:
    """What a project is held against on a day.

    Parameters
    ----------
    name
        Of the baseline; "" = the plan of today.
    start
        First period.
    duration
        Periods.
    bac
        Budget at completion, in the unit of the curve; 1 where only time is known.
    curve
        Cumulative planned value, 0 at the start and then at the end of each period.
    unit
        `money`, `hours` or `time`.
    notes
        What was taken from elsewhere.
    """

    name: str
    start: pd.Period
    duration: int
    bac: float
    curve: Floats
    unit: str
    notes: tuple[str, ...] = ()

    def planned(self, gone: float) -> float:
        """Return planned value after some periods, from the start."""
        return float(np.interp(gone, np.arange(len(self.curve)), self.curve))

    def gone(self, day: pd.Timestamp) -> float:
        """Return how many periods are over at the end of a day, from the start."""
        return periods_between(self.start, day)

    def day(self, periods: float) -> pd.Timestamp:
        """Return the last day of so many periods of work."""
        return day_after(self.start, periods)

    @cached_property
    def finish(self) -> pd.Timestamp:
        """Last day of the baseline."""
        return self.day(float(self.duration))


def periods_between(start: pd.Period, day: pd.Timestamp) -> float:
    """Return the periods from the beginning of one to the end of a day; may be < 0."""
    ordinal, share = _placed(day, start.freqstr)
    return float(ordinal - start.ordinal + share)


@lru_cache(maxsize=10_000)
def _placed(day: pd.Timestamp, freq: str) -> tuple[int, float]:
    """Return the period of a day, and which share of it is over at its end."""
    period = pd.Period(day, freq=freq)
    first = period.start_time.normalize()
    length = (period.end_time.normalize() - first).days + 1
    return period.ordinal, ((day - first).days + 1) / length


def day_after(start: pd.Period, periods: float) -> pd.Timestamp:
    """Return the last day when so many periods have gone by since the start of one."""
    whole = int(np.ceil(periods - 1e-9)) - 1
    period = start + whole
    first = period.start_time.normalize()
    length = (period.end_time.normalize() - first).days + 1
    days = int(np.ceil((periods - whole) * length - 1e-6))
    return first + pd.Timedelta(days=days - 1)


class Promises:
    """The promises of a portfolio, by project and day.

    Parameters
    ----------
    unit
        `money` or `hours`.
    """

    def __init__(self, portfolio: Portfolio, unit: str = "money") -> None:
        projects = portfolio.projects
        self._unit = unit
        self._projects = {row["project"]: row for row in projects.to_dict("records")}
        self._work = _by_offset(portfolio, unit)
        plans = portfolio.baselines.sort_values(
            "set_on", kind="stable", na_position="first"
        )
        self._made: dict[tuple[str, int], Promise | None] = {}
        self._baselines: dict[str, list[dict[Any, Any]]] = {}
        for row in plans.to_dict("records"):
            self._baselines.setdefault(row["project"], []).append(row)

    def on(self, project: str, day: pd.Timestamp) -> Promise | None:
        """Return what holds at the end of a day; None = nothing dated is known."""
        known = [
            b
            for b in self._baselines.get(project, [])
            if pd.isna(b["set_on"]) or b["set_on"] <= day
        ]
        key = project, len(known)
        if key not in self._made:
            self._made[key] = self._promise(project, known[-1] if known else {})
        return self._made[key]

    def _promise(self, project: str, base: dict[Any, Any]) -> Promise | None:
        plan = self._projects[project]
        notes = []
        start: Any = base.get("start")
        duration: Any = base.get("duration")
        if base and (pd.isna(start) or pd.isna(duration)):
            notes.append("the baseline has no start or duration: those of today")
        if not base:
            notes.append("no baseline: held against the plan of today")
        start = plan["start"] if pd.isna(start) else start
        duration = plan["duration"] if pd.isna(duration) else duration
        if pd.isna(start) or pd.isna(duration):
            return None
        given = base.get("cost" if self._unit == "money" else "effort")
        work = self._work.get(project)
        bac, unit = self._budget(given, work, base, notes)
        curve = _stretched(work, int(duration)) * bac
        name = str(base.get("baseline", ""))
        return Promise(name, start, int(duration), bac, curve, unit, tuple(notes))

    def _budget(
        self, given: Any, work: Floats | None, base: dict[Any, Any], notes: list[str]
    ) -> tuple[float, str]:
        """Return budget and unit; what the baseline does not say is noted."""
        if given is not None and not pd.isna(given) and given > 0:
            return float(given), self._unit
        if work is not None and work.sum() > 0:
            if base:
                what = "cost" if self._unit == "money" else "effort"
                notes.append(f"the baseline has no {what}: that of the plan of today")
            return float(work.sum()), self._unit
        notes.append("no budget is known: only time is held against the plan")
        return 1.0, "time"


def _stretched(work: Floats | None, duration: int) -> Floats:
    """Return the shape of a plan over another duration: 0 ... 1, evenly if unknown."""
    if work is None or not work.sum() > 0:
        return np.linspace(0.0, 1.0, duration + 1)
    shape = np.concatenate([[0.0], np.cumsum(work) / work.sum()])
    at = np.linspace(0.0, len(work), duration + 1)
    shaped: Floats = np.interp(at, np.arange(len(shape)), shape)
    shaped[-1] = 1.0
    return shaped


def _by_offset(portfolio: Portfolio, unit: str) -> dict[str, Floats]:
    """Return the cost, or the hours, of the plan of today by period after the start."""
    hours = hours_per_fte(portfolio.freq, portfolio.settings.hours_per_week)
    demand = portfolio.demand
    amount = demand["fte"] * hours
    if unit == "money":
        rates = portfolio.roles.set_index("role")["rate"]
        amount = amount * demand["role"].map(rates).fillna(0.0).astype(float)
    parts = [demand[["project", "offset"]].assign(amount=amount)]
    if unit == "money":
        parts.append(portfolio.spend[["project", "offset", "amount"]])
    rows = pd.concat(parts, ignore_index=True)
    projects = portfolio.projects
    durations: dict[Any, Any] = dict(
        zip(projects["project"], projects["duration"], strict=True)
    )
    offsets = rows["offset"].to_numpy(dtype=int)
    amounts: Floats = rows["amount"].to_numpy(dtype=float)
    found: dict[str, Floats] = {}
    for project, own in rows.groupby("project", sort=False).indices.items():
        long: Any = durations.get(project)
        if pd.isna(long):
            continue
        inside = own[offsets[own] < int(long)]
        found[str(project)] = np.bincount(
            offsets[inside], amounts[inside], minlength=int(long)
        )
    return found


class Spent:
    """What projects have cost by the end of a day, from `actuals`.

    Parameters
    ----------
    unit
        `money`: the amount, or hours times the rate of the person, else of the role;
        `hours`.
    as_of
        Last day that is known: what is booked in its period is all there is by then.
        Of the period that an earlier day falls into, days count in proportion.

    Attributes
    ----------
    unpriced
        Project -> hours that have neither an amount nor a rate.
    """

    def __init__(
        self, portfolio: Portfolio, as_of: pd.Timestamp, unit: str = "money"
    ) -> None:
        rows = portfolio.actuals.dropna(subset=["project"])
        self._as_of = as_of
        self._now = pd.Period(as_of, freq=portfolio.freq)
        rows = rows[rows["period"] <= self._now]
        self.unpriced: dict[str, float] = {}
        if unit == "hours":
            amount = rows["hours"]
        else:
            amount = rows["amount"].fillna(rows["hours"] * _rates(portfolio, rows))
            lost = rows[amount.isna() & (rows["hours"] > 0)]
            self.unpriced = lost.groupby("project")["hours"].sum().to_dict()
        known = rows.assign(counted=amount).dropna(subset=["counted"])
        sums = known.groupby(["project", "period"])["counted"].sum()
        self._sums: dict[str, tuple[Floats, Floats]] = {}
        for project, own in sums.groupby(level=0):
            own = own.droplevel(0).sort_index()
            ordinals = np.array([p.ordinal for p in own.index], dtype=float)
            self._sums[str(project)] = ordinals, own.to_numpy(dtype=float)

    def until(self, project: str, day: pd.Timestamp) -> float:
        """Return what was spent by the end of a day; blank = nothing is booked."""
        if project not in self._sums:
            return np.nan
        ordinals, amounts = self._sums[project]
        period = pd.Period(day, freq=self._now.freq)
        share = periods_between(period, day)
        if period == self._now:
            share /= periods_between(period, self._as_of)
        whole = float(amounts[ordinals < period.ordinal].sum())
        return whole + share * float(amounts[ordinals == period.ordinal].sum())

    def by_period(self, project: str) -> pd.Series[float]:
        """Return what was spent in each period that has something."""
        ordinals, amounts = self._sums.get(project, (np.empty(0), np.empty(0)))
        index = pd.PeriodIndex.from_ordinals(
            ordinals.astype("int64"), freq=self._now.freq
        )
        return pd.Series(amounts, index=index)


def _rates(portfolio: Portfolio, rows: pd.DataFrame) -> pd.Series[float]:
    """Return what an hour of each row costs: by person in that period, else by role."""
    roles = portfolio.roles.set_index("role")["rate"]
    found = rows["role"].map(roles).astype(float)
    staff = portfolio.people.dropna(subset=["rate"])
    if staff.empty or rows["person"].isna().all():
        return found
    dated = staff.sort_values("start", kind="stable", na_position="first")
    by_person: dict[str, list[tuple[Any, float]]] = {}
    for person, start, rate in zip(
        dated["person"], dated["start"], dated["rate"], strict=True
    ):
        by_person.setdefault(person, []).append((start, float(rate)))
    paid = [
        _rate_on(by_person.get(person, []), period)
        for person, period in zip(rows["person"], rows["period"], strict=True)
    ]
    return pd.Series(paid, index=rows.index, dtype=float).fillna(found)


def _rate_on(known: list[tuple[Any, float]], period: pd.Period) -> float:
    begun = [r for day, r in known if pd.isna(day) or day <= period.end_time]
    if begun:
        return begun[-1]
    return known[0][1] if known else np.nan
