"""Earned value over time, and of several projects together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.tracking.earned.promises import Promises, periods_between
from pmo_analytics.tracking.earned.schedules import schedule_of
from pmo_analytics.tracking.earned.values import earned_value, ratio

_SUMS = ["pv", "ev", "ac", "bac"]


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
    whole = indicators[_SUMS].notna().all(axis=1) & (indicators["unit"] != "time")
    groups = words.fillna("none").astype(str)
    rows = {}
    for name in [*sorted(groups.unique()), "all"]:
        own = indicators if name == "all" else indicators[groups == name]
        counted = own[whole.reindex(own.index)]
        sums = counted[_SUMS].sum(min_count=1)
        budget = counted["bac"].where(counted["spi_t"].notna())
        pace = ratio(
            np.array([(budget * counted["es"]).sum()]),
            np.array([(budget * counted["at"]).sum()]),
        )
        rows[name] = {
            "projects": len(own),
            **{c: int((own["rag"] == c).sum()) for c in ("red", "amber", "green")},
            "not_counted": len(own) - len(counted),
            **earned_value(**{n: sums[n] for n in _SUMS}).iloc[0].to_dict(),
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
    ends = [p.end_time.normalize() for p in index]
    planned = np.zeros(len(index))
    for promise in held.values():
        planned += [promise.planned(max(promise.gone(day), 0.0)) for day in ends]
    frame = pd.DataFrame({"pv": planned}, index=index)
    reports = history[history["project"].isin(held)]
    for name in ("ev", "ac"):
        frame[name] = _carried(reports, name, index, now)
    frame["cpi"] = ratio(frame["ev"].to_numpy(), frame["ac"].to_numpy())
    curve = np.concatenate([[0.0], planned])
    gone = np.array([periods_between(first, day) for day in ends])
    gone = np.where(index == now, periods_between(first, as_of), gone)
    es = schedule_of(curve, frame["ev"].to_numpy(dtype=float))
    frame["spi_t"] = ratio(es, gone)
    return frame


def _carried(
    reports: pd.DataFrame, name: str, index: pd.PeriodIndex, now: pd.Period
) -> np.ndarray:
    """Return the sum over projects of what was known last by the end of each period."""
    total = np.full(len(index), np.nan)
    ordinals = np.array([p.ordinal for p in index])
    for _, own in reports.dropna(subset=[name]).groupby("project", sort=False):
        at = np.array([pd.Period(d, freq=index.freq).ordinal for d in own["as_of"]])
        place = np.searchsorted(at, ordinals, side="right") - 1
        values = own[name].to_numpy(dtype=float)
        held = np.where(place >= 0, values[np.maximum(place, 0)], 0.0)
        total = np.where(place >= 0, np.nan_to_num(total) + held, total)
    return np.where(ordinals <= now.ordinal, total, np.nan)
