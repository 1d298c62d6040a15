"""Earned value over time, and of several projects together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.tracking.earned.promises import Promises
from pmo_analytics.tracking.earned.values import earned_value, ratio

_SUMS = ["pv", "ev", "ac", "bac"]


def counted_in(indicators: pd.DataFrame) -> pd.Series[bool]:
    """Return which projects are in sums and curves of several: all of them is known.

    Where no project has any cost, or any progress, the rest adds up without it.

    Parameters
    ----------
    indicators
        Of a status, index `project`. What has not begun has earned and spent 0.
    """
    rows = indicators[indicators["unit"] != "time"]
    told = indicators[_told_of_any(rows)].notna().all(axis=1)
    return told & (indicators["unit"] != "time")


def _told_of_any(rows: pd.DataFrame) -> list[str]:
    """Return which of PV, EV, AC and BAC something is known of; of none = all."""
    return [name for name in _SUMS if (rows[name] > 0).any()] or _SUMS


def sums_of(indicators: pd.DataFrame, words: pd.Series[str]) -> pd.DataFrame:
    """Return earned value of projects together, by a word each, and of all.

    Parameters
    ----------
    indicators
        Of a status, index `project`.
    words
        Index `project`; blank = "none".

    Returns
    -------
    DataFrame
        As `Status.by`; `spi_t` is earned time over time gone by, sum(BAC x ES) /
        sum(BAC x AT).
    """
    whole = counted_in(indicators)
    groups = words.fillna("none").astype(str)
    rows = {}
    for name in [*sorted(groups.unique()), "all"]:
        own = indicators if name == "all" else indicators[groups == name]
        counted = own[whole.reindex(own.index)]
        # What has not begun has spent nothing; of the others it may not be known.
        sums = counted[_SUMS].sum(min_count=1)
        sums = sums.where(counted[_SUMS].notna().all())
        budget = counted["bac"].where(counted["spi_t"].notna())
        pace = ratio(
            np.array([(budget * counted["es"]).sum()]),
            np.array([(budget * counted["at"]).sum()]),
        )
        rows[name] = {
            "projects": len(own),
            **{c: int((own["rag"] == c).sum()) for c in ("red", "amber", "green")},
            "not_counted": len(own) - len(counted),
            # What is left is known of all together or not at all.
            **earned_value(
                **{n: sums[n] for n in _SUMS},
                etc=counted["estimate"].sum(skipna=False) if len(counted) else np.nan,
            )
            .iloc[0]
            .to_dict(),
            "spi_t": float(pace[0]),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(words.name)


def curve_of(
    promises: Promises,
    history: pd.DataFrame,
    projects: list[str],
    as_of: pd.Timestamp,
    unit: str,
    freq: str,
) -> pd.DataFrame:
    """Return cumulative PV, EV and AC of projects by period; see `Status.curve`."""
    known = {p: promises.on(p, as_of) for p in projects}
    held = {p: k for p, k in known.items() if k is not None and k.unit == unit}
    now = pd.Period(as_of, freq=freq)
    if not held:
        index = pd.PeriodIndex([], freq=freq)
        return pd.DataFrame(columns=["pv", "ev", "ac", "cpi", "spi_t"], index=index)
    first = min(p.start for p in held.values())
    last = max([now, *(p.start + p.duration - 1 for p in held.values())])
    index = pd.period_range(first, last, freq=freq)
    ordinals = index.asi8
    planned = np.zeros(len(index))
    for promise in held.values():
        gone = np.maximum(ordinals - promise.start.ordinal + 1, 0)
        planned += np.interp(gone, np.arange(len(promise.curve)), promise.curve)
    frame = pd.DataFrame({"pv": planned}, index=index)
    # Of a day without a budget the numbers are shares of the time, not amounts.
    reports = history[history["project"].isin(held) & (history["unit"] == unit)]
    told = _Told(reports, ordinals[ordinals <= now.ordinal], index)
    # As in the sums: of several projects reports of which everything is known.
    whole, known_of = np.ones(len(reports), dtype=bool), _SUMS
    if len(held) > 1:
        known_of = _told_of_any(reports)
        whole = reports[known_of].notna().all(axis=1).to_numpy()
    for name in ("ev", "ac"):
        # The 0 of what has not begun is no cost of all where no other cost is known.
        kept = whole & ~np.isnan(told.of[name]) & (name in known_of)
        frame[name] = told.carried(kept, told.of[name])[:, 0]
    priced = whole & ~np.isnan(told.of["ev"] + told.of["ac"])
    frame["cpi"] = ratio(*told.carried(priced, told.of["ev"], told.of["ac"]).T)
    weights = [told.of["bac"] * told.of[name] for name in ("es", "at")]
    paced = whole & ~np.isnan(told.of["spi_t"]) & ~np.isnan(weights).any(axis=0)
    frame["spi_t"] = ratio(*told.carried(paced, *weights).T)
    return frame


class _Told:
    """What reports said, and what of it was known last by the end of each period.

    Parameters
    ----------
    reports
        Of some projects, oldest first.
    until
        Ordinals of the periods up to today; later ones are blank.
    index
        All periods.
    """

    def __init__(
        self, reports: pd.DataFrame, until: np.ndarray, index: pd.PeriodIndex
    ) -> None:
        self.of = {
            name: reports[name].to_numpy(dtype=float)
            for name in (*_SUMS, "es", "at", "spi_t")
        }
        self._projects = pd.factorize(reports["project"])[0]
        self._at = pd.PeriodIndex(reports["as_of"], freq=index.freq).asi8
        self._until, self._length = until, len(index)

    def carried(self, kept: np.ndarray, *columns: np.ndarray) -> np.ndarray:
        """Return the sums over projects, shape (periods, columns)."""
        total = np.full((self._length, len(columns)), np.nan)
        rows = np.flatnonzero(kept)
        order = np.argsort(self._projects[rows], kind="stable")
        ends = np.flatnonzero(np.diff(self._projects[rows[order]])) + 1
        values = np.column_stack(columns)
        for own in np.split(rows[order], ends):
            place = np.searchsorted(self._at[own], self._until, side="right")
            seen = np.flatnonzero(place > 0)
            total[seen] = np.nan_to_num(total[seen]) + values[own[place[seen] - 1]]
        return total


def money_by_period(curve: pd.DataFrame) -> pd.DataFrame:
    """Return what was planned for each period, and what was spent in it.

    Parameters
    ----------
    curve
        Of `Status.curve`, cumulative.

    Returns
    -------
    DataFrame
        Index PeriodIndex: `planned, spent`; `spent` ends with the last report. What was
        spent before the first report is in its period.
    """
    spent = curve["ac"].astype(float)
    before = spent.ffill().shift(fill_value=0.0).fillna(0.0)
    return pd.DataFrame(
        {
            "planned": curve["pv"].diff().fillna(curve["pv"]),
            "spent": spent - before,
        }
    )
