"""People of a pool as tables of a portfolio: who, in which role, when away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import listing, problem
from pmo_analytics.networks.calendars import WorkCalendar
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling.pool import Pool

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# What planning tools write for "from ever" and "for ever".
_FIRST, _LAST = np.datetime64("1990-01-01", "s"), np.datetime64("2045-01-01", "s")
# A resource with more units than this is a pool of machines, not of people.
_MOST = 500


class Staff:
    """Tables `people` and `absences`, and who of the pool is in them as a person."""

    def __init__(
        self,
        networks: Sequence[Network],
        pool: Pool,
        horizon: pd.PeriodIndex,
        full: float,
    ) -> None:
        self.networks = networks
        self.full = full
        self.problems: list[dict[str, Any]] = []
        self.named: set[str] = set()
        self._people: list[dict[str, Any]] = []
        self._absences: list[dict[str, Any]] = []
        self._away: dict[int, list[tuple[Any, Any, float]]] = {}
        self._extra: list[str] = []
        self._days = np.arange(
            horizon[0].start_time.date(),
            (horizon[-1] + 1).start_time.date(),
            dtype="datetime64[D]",
        )
        work = pool.members[pool.members["kind"] == "work"]
        real = work[~work["generic"] & work["active"]]
        staffed = set(real["role"])
        for row in work.to_dict("records"):
            if row["generic"] or not row["active"]:
                if row["role"] in staffed:
                    continue
                staffed.add(row["role"])
            self._add(row)
        if self._extra:
            fix = "Their calendars have days on which they work longer than in their "
            fix += "usual week; these hours are no capacity here."
            found = listing(self._extra)
            self.problems.append(
                problem("warning", "people", "extra_hours", found=found, fix=fix)
            )

    @property
    def people(self) -> pd.DataFrame:
        """Table `people`."""
        names = ["person", "role", "start", "end", "fte", "workweek", "rate"]
        return pd.DataFrame(self._people, columns=names)

    @property
    def absences(self) -> pd.DataFrame:
        """Table `absences`: days of calendars that are no usual ones."""
        names = ["person", "start", "end", "kind", "share"]
        return pd.DataFrame(self._absences, columns=names)

    def _add(self, row: dict[str, Any]) -> None:
        network = self.networks[row["network"]]
        calendar = network.resources.at[row["resource"], "calendar"]
        clock = network.clock(str(calendar))
        units = network.units[network.units["resource"] == row["resource"]]
        blank = units["units"].isna()
        if blank.any():
            fix = f"Units of '{row['member']}' that are no number are left out."
            self.problems.append(problem("warning", "people", "no_units", fix=fix))
            units = units[~blank]
        most = float(units["units"].max()) if len(units) else row["max_units"]
        count = min(max(ceil(most - 1e-9), 1), _MOST)
        if most > _MOST:
            fix = f"'{row['member']}' has {most:,.0f} units; {_MOST} count."
            self.problems.append(problem("warning", "people", "many_units", fix=fix))
        if count == 1 and not row["generic"]:
            self.named.add(row["member"])
        spans = _spans(units, row["max_units"])
        for k in range(count):
            person = row["member"] if count == 1 else f"{row['member']} #{k + 1}"
            own = _joined(
                [(a, b, min(u - k, 1.0)) for a, b, u in spans if u - k > 1e-9]
            )
            for start, end, share in own:
                fte, week = _contract(clock, share, self.full)
                self._people.append(
                    {
                        "person": person,
                        "role": row["role"],
                        "start": start,
                        "end": end,
                        "fte": round(fte, 6),
                        "workweek": week,
                        "rate": row["rate"] if row["rate"] > 0 else np.nan,
                    }
                )
            for first, last, share in self._absent(clock, person):
                for start, end in _inside(first, last, own):
                    self._absences.append(
                        {
                            "person": person,
                            "start": start,
                            "end": end,
                            "kind": "calendar",
                            "share": share,
                        }
                    )

    def _absent(self, clock: WorkCalendar, person: str) -> list[tuple[Any, Any, float]]:
        """Return first day, last day and share of what a calendar takes off."""
        if id(clock) not in self._away:
            edges = np.append(
                self._days, self._days[-1] + np.timedelta64(1, "D")
            ).astype("datetime64[s]")
            hours = np.diff(clock.worked_at(edges.astype(np.int64))) / 3600
            usual = np.array(_hours(clock))[(self._days.astype(np.int64) + 3) % 7]
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(usual > 0, 1 - hours / usual, 0.0)
            self._away[id(clock)] = _runs(self._days, share, usual > 0)
            if (hours > usual + 1e-3).any():
                self._extra.append(person)
        return self._away[id(clock)]


def _contract(clock: WorkCalendar, share: float, full: float) -> tuple[float, str]:
    """Return `fte` and `workweek` of who works a share of a calendar's hours.

    The share stands in one of them only: days alone share the hours of `fte`; where the
    week is no full contract of equal days, `workweek` has the person's own hours.
    """
    hours = _hours(clock)
    worked = {day: h for day, h in zip(_DAYS, hours, strict=True) if h > 0}
    week = sum(hours)
    if not worked:
        return 0.0, ""
    if share >= 1:
        return 1.0, ", ".join(f"{day} {h:.10g}" for day, h in worked.items())
    if abs(week - full) < 1e-6 and len(set(worked.values())) == 1:
        return share, " ".join(worked)
    own = ", ".join(f"{day} {h * share:.10g}" for day, h in worked.items())
    return min(week * share / full, 1.0), own


def week_hours(clock: WorkCalendar) -> float:
    """Return the hours of the usual week of a calendar."""
    return sum(_hours(clock))


def _hours(clock: WorkCalendar) -> list[float]:
    """Return hours from Monday to Sunday."""
    return [
        min(sum(end - start for start, end in shifts) / 60, 24.0)
        for shifts in clock.week
    ]


def _spans(units: pd.DataFrame, most: float) -> list[tuple[Any, Any, float]]:
    if not len(units):
        return [(pd.NaT, pd.NaT, most)]
    rows = []
    for row in units.sort_values("start").itertuples():
        start = row.start.normalize() if row.start > _FIRST else pd.NaT
        # What ends at midnight ends with the day before.
        ends = row.finish < _LAST
        end = (row.finish - pd.Timedelta("1s")).normalize() if ends else pd.NaT
        if row.units > 0:
            rows.append((start, end, float(row.units)))
    return rows


def _joined(spans: list[tuple[Any, Any, float]]) -> list[tuple[Any, Any, float]]:
    """Return spans, those of one share that follow each other as one."""
    joined: list[tuple[Any, Any, float]] = []
    for start, end, share in spans:
        if joined:
            first, last, before = joined[-1]
            if abs(before - share) < 1e-9 and start == last + pd.Timedelta(days=1):
                joined[-1] = first, end, share
                continue
        joined.append((start, end, share))
    return joined


def _inside(
    first: Any, last: Any, spans: list[tuple[Any, Any, float]]
) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of days away that lie within spans of employment."""
    for start, end, _ in spans:
        begin = first if pd.isna(start) else max(first, start)
        until = last if pd.isna(end) else min(last, end)
        if begin <= until:
            yield begin, until


def _runs(
    days: np.ndarray, share: np.ndarray, working: np.ndarray
) -> list[tuple[Any, Any, float]]:
    """Return runs of days with the same share off; days off anyway do not end one."""
    runs: list[list[Any]] = []
    for day, off in zip(days[working], np.round(share[working], 6), strict=True):
        if off <= 0:
            runs.append([None, None, 0.0])
        elif runs and runs[-1][2] == off and runs[-1][0] is not None:
            runs[-1][1] = day
        else:
            runs.append([day, day, float(off)])
    return [
        (pd.Timestamp(first), pd.Timestamp(last), off)
        for first, last, off in runs
        if first is not None
    ]
