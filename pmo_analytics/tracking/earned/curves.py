"""Earned value over time, and of several projects together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.tracking.earned.promises import Promises
from pmo_analytics.tracking.earned.values import earned_value, ratio

type Floats = npt.NDArray[np.float64]

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


def _told_of_any(rows: pd.DataFrame | Mapping[str, Floats]) -> list[str]:
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
    told: Told,
    projects: list[str],
    as_of: pd.Timestamp,
    unit: str,
    freq: str,
) -> pd.DataFrame:
    """Return cumulative PV, EV and AC of projects by period; see `Status.curve`."""
    known = {p: promises.on(p, as_of) for p in projects}
    held = {p: k for p, k in known.items() if k is not None and k.unit == unit}
    now = pd.Period(as_of, freq=freq).ordinal
    if not held:
        index = pd.PeriodIndex([], freq=freq)
        return pd.DataFrame(columns=["pv", "ev", "ac", "cpi", "spi_t"], index=index)
    first = min(p.start.ordinal for p in held.values())
    last = max([now, *(p.start.ordinal + p.duration - 1 for p in held.values())])
    ordinals = np.arange(first, last + 1)
    planned = np.zeros(len(ordinals))
    for promise in held.values():
        gone = np.maximum(ordinals - promise.start.ordinal + 1, 0)
        planned += np.interp(gone, np.arange(len(promise.curve)), promise.curve)
    # Of a day without a budget the numbers are shares of the time, not amounts.
    rows, of = told.rows(held, unit)
    # As in the sums: of several projects reports of which everything is known.
    whole, known_of = np.ones(len(rows), dtype=bool), _SUMS
    if len(held) > 1:
        known_of = _told_of_any(of)
        whole = ~np.isnan([of[name] for name in known_of]).any(axis=0)
    carry = partial(told.carried, rows, ordinals, now)
    columns = {"pv": planned}
    for name in ("ev", "ac"):
        # The 0 of what has not begun is no cost of all where no other cost is known.
        kept = whole & ~np.isnan(of[name]) & (name in known_of)
        columns[name] = carry(kept, of[name])[:, 0]
    priced = whole & ~np.isnan(of["ev"] + of["ac"])
    columns["cpi"] = ratio(*carry(priced, of["ev"], of["ac"]).T)
    weights = [of["bac"] * of[name] for name in ("es", "at")]
    paced = whole & ~np.isnan(of["spi_t"]) & ~np.isnan(weights).any(axis=0)
    columns["spi_t"] = ratio(*carry(paced, *weights).T)
    index = pd.PeriodIndex.from_ordinals(ordinals, freq=freq)
    return pd.DataFrame(columns, index=index)


class Told:
    """What reports said: arrays made once, for a page has a curve of every project.

    Parameters
    ----------
    history
        Reports of projects, oldest first.
    freq
        Of the periods.
    """

    def __init__(self, history: pd.DataFrame, freq: str) -> None:
        self._of = {
            name: history[name].to_numpy(dtype=float)
            for name in (*_SUMS, "es", "at", "spi_t")
        }
        self._units = history["unit"].to_numpy(dtype=object)
        self._projects, names = pd.factorize(history["project"])
        order = np.argsort(self._projects, kind="stable")
        ends = np.flatnonzero(np.diff(self._projects[order])) + 1
        self._rows = dict(zip(names, np.split(order, ends), strict=False))
        self._at = pd.PeriodIndex(history["as_of"], freq=freq).asi8

    def rows(
        self, projects: Iterable[str], unit: str
    ) -> tuple[npt.NDArray[np.intp], dict[str, Floats]]:
        """Return which reports are those of some projects in a unit, and their numbers.

        The oldest comes first.
        """
        found = [self._rows[name] for name in projects if name in self._rows]
        rows = np.sort(np.concatenate([np.empty(0, dtype=np.intp), *found]))
        rows = rows[self._units[rows] == unit]
        return rows, {name: values[rows] for name, values in self._of.items()}

    def carried(
        self,
        rows: npt.NDArray[np.intp],
        ordinals: npt.NDArray[np.int64],
        now: int,
        kept: npt.NDArray[np.bool_],
        *columns: Floats,
    ) -> Floats:
        """Return sums over projects of what was known last by the ends of periods.

        Parameters
        ----------
        rows, kept, columns
            Reports, which of them count, and their numbers.
        ordinals, now
            The periods, and that of today; later ones are blank.

        Returns
        -------
        ndarray
            Shape (periods, columns).
        """
        total = np.full((len(ordinals), len(columns)), np.nan)
        until, at = ordinals[ordinals <= now], self._at[rows]
        kept_rows = np.flatnonzero(kept)
        projects = self._projects[rows[kept_rows]]
        order = np.argsort(projects, kind="stable")
        ends = np.flatnonzero(np.diff(projects[order])) + 1
        values = np.column_stack(columns)
        for own in np.split(kept_rows[order], ends):
            place = np.searchsorted(at[own], until, side="right")
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
    # Of hundreds of curves: by hand, for each step of a Series takes as long as this.
    planned = curve["pv"].to_numpy(dtype=float)
    spent = curve["ac"].to_numpy(dtype=float)
    added = np.diff(planned, prepend=np.nan)
    told = np.flatnonzero(~np.isnan(spent))
    since = np.full(len(spent), np.nan)
    since[told] = np.diff(spent[told], prepend=0.0)
    return pd.DataFrame(
        {"planned": np.where(np.isnan(added), planned, added), "spent": since},
        index=curve.index,
    )
