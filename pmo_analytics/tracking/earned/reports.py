"""The reports of projects, each with what was planned, done and spent by its day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking.earned.promises import Promise, Promises, Spent
from pmo_analytics.tracking.earned.schedules import schedule_of
from pmo_analytics.tracking.earned.values import earned_share, earned_value, ratio

_NUMBERS = ("percent_complete", "pv", "ev", "ac", "bac", "es", "at", "pd", "estimate")
_COLUMNS = [
    *("project", "as_of", *_NUMBERS),
    *("start", "baseline_finish", "baseline", "unit", "reported", "forecast_finish"),
    *("comment", "author", "notes"),
]


def reports_of(
    portfolio: Portfolio,
    as_of: pd.Timestamp,
    projects: list[str],
    *,
    unit: str = "money",
    rules: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return every report of projects by a day, oldest first, with earned value.

    Parameters
    ----------
    rules
        Project -> rule of earned value; `percent` where it is not in it.

    Returns
    -------
    DataFrame
        Columns `project, as_of, percent_complete, pv, ev, ac, bac, es, at, pd,
        estimate, start, baseline_finish, baseline, unit, reported, forecast_finish,
        comment, author, notes`, and of `earned_value` and earned schedule `cv ...
        tcpi_eac, sv_t, spi_t, ieac_t`. `estimate`, by which `eac_estimate` is, are the
        remaining hours of the report, in money at what an hour has cost so far. What a
        report says itself counts before what is worked out; `notes` say what was taken
        from elsewhere. What begins after the day by the dates of today, with no report
        and nothing booked, has earned and spent 0.
    """
    promises, spent = Promises(portfolio, unit), Spent(portfolio, as_of, unit)
    hours = spent if unit == "hours" else Spent(portfolio, as_of, "hours")
    reached = _Reached(portfolio)
    told = portfolio.progress
    told = told[(told["as_of"] <= as_of) & told["project"].isin(projects)]
    told = told.sort_values(["project", "as_of"], kind="stable")
    known = set(told["project"])
    rows = told.to_dict("records")
    # Of a project without a report, what was planned by now and spent is known.
    waiting = _not_begun(portfolio, as_of)
    rows += [
        {"project": p, "as_of": as_of, "waiting": p in waiting}
        for p in projects
        if p not in known
    ]
    found = [
        _report(
            row,
            promises,
            spent,
            hours,
            reached,
            unit,
            (rules or {}).get(row["project"]),
        )
        for row in rows
    ]
    frame = pd.DataFrame(found, columns=_COLUMNS)
    # Of nobody, or of nothing known, they are numbers as well.
    frame = frame.astype(dict.fromkeys(_NUMBERS, float))
    for name in ("as_of", "start", "baseline_finish", "forecast_finish"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return _with_indices(frame)


def _not_begun(portfolio: Portfolio, day: pd.Timestamp) -> set[str]:
    """Return the projects that begin after a day by the dates of today."""
    projects = portfolio.projects.dropna(subset=["project", "start"])
    return {
        str(project)
        for project, start in zip(projects["project"], projects["start"], strict=True)
        if start.start_time > day
    }


def _with_indices(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the indicators of earned value and earned schedule."""
    given = {n: frame[n].to_numpy() for n in ("bac", "pv", "ev", "ac")}
    values = earned_value(**given, etc=frame["estimate"].to_numpy())
    values.index = frame.index
    es, gone, planned = (frame[n].to_numpy(dtype=float) for n in ("es", "at", "pd"))
    gone = np.where(gone > 0, gone, np.nan)  # not begun: there is no pace yet
    spi_t = ratio(es, gone)
    more = pd.DataFrame(
        {"sv_t": es - gone, "spi_t": spi_t, "ieac_t": ratio(planned, spi_t)},
        index=frame.index,
    )
    added = [c for c in values.columns if c not in frame.columns]
    return pd.concat([frame, values[added], more], axis=1)


def _report(
    row: dict[Any, Any],
    promises: Promises,
    spent: Spent,
    hours: Spent,
    reached: _Reached,
    unit: str,
    rule: str | None,
) -> dict[str, Any]:
    project, day = row["project"], row["as_of"]
    promise = promises.on(project, day)
    percent = _number(row, "percent_complete")
    cost = _spent(row, spent, unit)
    waiting = bool(row.get("waiting")) and np.isnan(cost)
    cost = 0.0 if waiting else cost
    # More credits than costs: whatever that is, no index can be made of it.
    ac = cost if not cost < 0 else np.nan
    facts = {
        "project": project,
        "as_of": day,
        "percent_complete": percent,
        "reported": row.get("rag"),
        "forecast_finish": row.get("forecast_finish", pd.NaT),
        "comment": row.get("comment"),
        "author": row.get("author"),
        "ac": ac,
        "estimate": np.nan,
        "unit": "",
        "baseline": "",
        "notes": ("no start and duration are known: nothing to be held against",),
    }
    if promise is None:
        return facts
    done = reached.on(project, day) if rule == "milestones" else np.nan
    share = 0.0 if waiting else earned_share(rule or "percent", percent / 100, done)
    ev = _amount(row, "earned_value", promise)
    beyond = ev > promise.bac * (1 + 1e-9)
    ev = share * promise.bac if np.isnan(ev) or beyond else ev
    gone = promise.gone(day)
    pv = _amount(row, "planned_value", promise)
    pv = promise.planned(gone) if np.isnan(pv) else pv
    return {
        **facts,
        "pv": pv,
        "ev": ev,
        "ac": np.nan if promise.unit == "time" else ac,
        "estimate": promise.bac if waiting else _estimate(row, ac, hours, unit),
        "bac": promise.bac,
        "es": float(schedule_of(promise.curve, np.array([ev]))[0]),
        "at": gone,
        "pd": float(promise.duration),
        "start": promise.start.start_time,
        "baseline_finish": promise.finish,
        "baseline": promise.name,
        "unit": promise.unit,
        "notes": (
            *promise.notes,
            *_lacking(cost, ev, beyond, promise, percent, share),
            *_unpriced(cost, spent.unpriced.get(project)),
        ),
    }


def _number(row: dict[Any, Any], name: str) -> float:
    value = row.get(name)
    return np.nan if value is None or pd.isna(value) else float(value)


def _amount(row: dict[Any, Any], name: str, promise: Promise) -> float:
    """Return what a report says itself, in money alone."""
    return _number(row, name) if promise.unit == "money" else np.nan


def _spent(row: dict[Any, Any], spent: Spent, unit: str) -> float:
    own = _number(row, "actual_cost" if unit == "money" else "actual_hours")
    return spent.until(row["project"], row["as_of"]) if np.isnan(own) else own


def _estimate(row: dict[Any, Any], ac: float, hours: Spent, unit: str) -> float:
    """Return what is still to be spent by the remaining hours that were reported."""
    left = _number(row, "remaining_hours")
    if unit == "hours" or np.isnan(left):
        return left
    done = _spent(row, hours, "hours")
    return left * ac / done if done > 0 else np.nan


def _lacking(
    cost: float,
    ev: float,
    beyond: bool,
    promise: Promise,
    percent: float,
    share: float,
) -> Iterator[str]:
    """Yield what could not be worked out, or cannot be right, and why."""
    if np.isnan(share):
        yield (
            "no percent complete is reported: no earned value"
            if np.isnan(percent)
            else "it has no milestones to earn value by"
        )
    if promise.unit == "time":
        return
    if beyond:
        yield "more is said to be earned than its budget: percent complete counts"
    if cost < 0:
        yield "more was credited than spent: no cost, no CPI"
    elif cost == 0 and ev > 0:
        yield "work is done and its cost is 0: are costs missing?"


def _unpriced(cost: float, hours: float | None) -> Iterator[str]:
    if hours:
        what = "no CPI" if np.isnan(cost) else "not in its cost"
        yield f"{hours:,.0f} hours have neither amount nor rate: {what}"
    elif np.isnan(cost):
        yield "nothing was booked and no cost is reported: no CPI"


class _Reached:
    """Which share of the milestones of projects was reached by a day, by weight.

    A column `weight` of one's own in the table milestones counts; else all are equal.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio

    @cached_property
    def _ends(self) -> dict[str, tuple[Any, Any]]:
        """Project -> days and weights; worked out where a rule asks for them."""
        rows = self._portfolio.milestones
        weight = pd.Series(1.0, index=rows.index)
        if "weight" in rows:
            weight = pd.to_numeric(rows["weight"], errors="coerce").fillna(1.0)
        last = rows.assign(weight=weight).groupby(["project", "milestone"])
        ends = pd.DataFrame(
            {"actual": last["actual"].max(), "weight": last["weight"].last()}
        )
        return {
            str(project): (
                own["actual"].to_numpy(),
                own["weight"].to_numpy(dtype=float),
            )
            for project, own in ends.groupby(level=0)
        }

    def on(self, project: str, day: pd.Timestamp) -> float:
        """Return the share, blank where there are no milestones."""
        if project not in self._ends:
            return np.nan
        actual, weight = self._ends[project]
        total = float(weight.sum())
        if not total > 0:
            return np.nan
        return float(weight[actual <= day.to_datetime64()].sum()) / total


def promise_on(
    portfolio: Portfolio, project: str, day: pd.Timestamp, unit: str = "money"
) -> Promise | None:
    """Return what a project is held against on a day; None = nothing dated is known."""
    return Promises(portfolio, unit).on(project, day)
