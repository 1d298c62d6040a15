"""Milestones on a day: due, reached, missed, and how far they have slipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.portfolio import Portfolio

type Days = npt.NDArray[np.datetime64]
type Whole = npt.NDArray[np.intp]

# Days in which a milestone that comes up is said to be next.
SOON = 30
_BLANK, _DAY = np.datetime64("NaT", "s"), np.timedelta64(1, "D")


def milestone_status(portfolio: Portfolio, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return each milestone as it stood on a day.

    Returns
    -------
    DataFrame
        One row a milestone in the order of `due`: `project, milestone, kind, baseline,
        first_baseline, forecast, actual` (days), `due` (actual, else forecast, else
        baseline), `state` (`reached`, `overdue`: its day is over and it is not reached;
        `soon`: within 30 days; `ahead`), `slip_days` (of `due` behind `baseline`; not
        known without one), `seen` (day of the status that says so) and `moves` (how
        often its forecast has been moved).
    """
    return MilestoneLog(portfolio).on(as_of)


class MilestoneLog:
    """What was seen of milestones, put in order once for many days."""

    def __init__(self, portfolio: Portfolio) -> None:
        rows = portfolio.milestones
        rows = rows[rows["project"].isin(portfolio.projects["project"])]
        rows = rows.dropna(subset=_DATES, how="all")
        self._rows = rows.sort_values("as_of", kind="stable", na_position="first")
        self._seen = self._rows["as_of"].to_numpy("datetime64[s]")
        self._dates = {c: self._rows[c].to_numpy("datetime64[s]") for c in _DATES}
        pairs = [self._rows["project"], self._rows["milestone"]]
        self._codes = self._rows.groupby(pairs, sort=False).ngroup().to_numpy()

    def on(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return each milestone as it stood on a day; see `milestone_status`."""
        day = np.datetime64(as_of, "s")
        told = int((np.isnat(self._seen) | (self._seen <= day)).sum())
        if not told:
            return _nothing()
        seen, number = self._seen[:told], pd.factorize(self._codes[:told])[0]
        planned, forecast, actual = (self._dates[name][:told] for name in _DATES)
        # What is to be reached after the day on which that was said is a forecast.
        early = actual > np.where(seen < day, seen, day)
        forecast = np.where(early & np.isnat(forecast), actual, forecast)
        actual = np.where(early, _BLANK, actual)
        # The rows of one milestone, the newest last: later ones take the place of
        # earlier.
        count = int(number.max()) + 1
        last = np.empty(count, dtype=np.intp)
        last[number] = np.arange(told)
        known = np.flatnonzero(~np.isnat(planned))
        first, newest = np.full(count, _BLANK), np.full(count, _BLANK)
        newest[number[known]] = planned[known]
        first[number[known[::-1]]] = planned[known[::-1]]
        rows = self._rows.iloc[last]
        state = {
            "project": rows["project"].array,
            "milestone": rows["milestone"].array,
            "kind": rows["kind"].array,
            "baseline": newest,
            "first_baseline": first,
            "forecast": forecast[last],
            "actual": actual[last],
            "seen": seen[last],
            "moves": _moves(number, forecast, count),
        }
        state |= _stand(newest, forecast[last], actual[last], day)
        return pd.DataFrame(state)[_COLUMNS].sort_values(
            ["due", "project"], kind="stable", ignore_index=True
        )


def _moves(number: Whole, forecast: Days, count: int) -> Whole:
    """Return how often the forecast of each milestone has been moved."""
    known = ~np.isnat(forecast)
    number, forecast = number[known], forecast[known]
    order = np.lexsort((forecast, number))
    number, forecast = number[order], forecast[order]
    fresh = np.ones(len(number), dtype=bool)
    fresh[1:] = (np.diff(number) != 0) | (forecast[1:] != forecast[:-1])
    return np.maximum(np.bincount(number[fresh], minlength=count) - 1, 0)


def _stand(
    baseline: Days, forecast: Days, actual: Days, day: np.datetime64
) -> dict[str, npt.NDArray[Any]]:
    """Return when milestones are due, their states, and how far they have slipped."""
    due = np.where(np.isnat(forecast), baseline, forecast)
    due = np.where(np.isnat(actual), due, actual)
    reached, over = ~np.isnat(actual), due < day
    words = np.select(
        [reached, over, due <= day + np.timedelta64(SOON, "D")],
        ["reached", "overdue", "soon"],
        "ahead",
    )
    slip, late = (np.floor((end - baseline) / _DAY) for end in (due, day))
    # An open milestone whose day is over slips by one more day every day.
    slip = np.where(over & ~reached, np.fmax(slip, late), slip)
    return {"due": due, "state": words, "slip_days": slip}


_DATES = ["baseline", "forecast", "actual"]
_COLUMNS = [
    *("project", "milestone", "kind", "baseline", "first_baseline", "forecast"),
    *("actual", "due", "state", "slip_days", "seen", "moves"),
]


def _nothing() -> pd.DataFrame:
    days = ("baseline", "first_baseline", "forecast", "actual", "due", "seen")
    return pd.DataFrame(
        {
            name: pd.Series(
                dtype="datetime64[s]"
                if name in days
                else "float64"
                if name in ("slip_days", "moves")
                else "str"
            )
            for name in _COLUMNS
        }
    )


def on_time_rate(milestones: pd.DataFrame, as_of: pd.Timestamp) -> tuple[int, int]:
    """Return how many milestones were reached in time, and how many were due by then.

    Parameters
    ----------
    milestones
        From `milestone_status`; those without a baseline do not count.
    """
    due = milestones[milestones["baseline"] <= as_of]
    return int((due["actual"] <= due["baseline"]).sum()), len(due)


def milestone_trend(portfolio: Portfolio, project: str) -> pd.DataFrame:
    """Return what was expected of the milestones of a project on each status date.

    Returns
    -------
    DataFrame
        Index `as_of`, a column a milestone in the order of their dates; cells are the
        days expected then, or reached.
    """
    rows = portfolio.milestones
    return _trend(_dated(rows[rows["project"] == project]))


def milestone_trends(portfolio: Portfolio) -> dict[str, pd.DataFrame]:
    """Return project -> the trend of its milestones, of those that have any."""
    rows = _dated(portfolio.milestones)
    return {str(p): _trend(own) for p, own in rows.groupby("project", sort=False)}


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what was seen on a day, with the day that was `expected` then."""
    rows = rows[rows["as_of"].notna()]
    expected = rows["actual"].fillna(rows["forecast"]).fillna(rows["baseline"])
    return rows[["project", "milestone", "as_of"]].assign(expected=expected)


def _trend(rows: pd.DataFrame) -> pd.DataFrame:
    # By hand: a report asks for hundreds, and a pivot takes ten times as long.
    at, days = pd.factorize(rows["as_of"], sort=True)
    of, names = pd.factorize(rows["milestone"], sort=True)
    cells = np.full((len(days), len(names)), _BLANK)
    cells[at, of] = rows["expected"].to_numpy("datetime64[s]")
    last = np.full(len(names), _BLANK)
    for row in cells:
        last = np.where(np.isnat(row), last, row)
    order = np.argsort(last, kind="stable")  # NaT comes last
    return pd.DataFrame(
        cells[:, order],
        index=pd.DatetimeIndex(days, name="as_of"),
        columns=pd.Index(names[order], name="milestone"),
    )


def of_projects(milestones: pd.DataFrame, projects: pd.Index) -> pd.DataFrame:
    """Return what the milestones say of each project.

    Returns
    -------
    DataFrame
        Index `project`: `slip_days` (most of the milestones that are not reached),
        `slipped` (which one), `overdue` (how many; blank where nothing could be),
        `next_milestone`, `next_due`, `reached` (share of all).
    """
    open_ones = milestones[milestones["state"] != "reached"]
    worst = open_ones.dropna(subset=["slip_days"]).sort_values(
        "slip_days", kind="stable", ascending=False
    )
    worst = worst.drop_duplicates("project").set_index("project")
    coming = open_ones.drop_duplicates("project").set_index("project")
    # What has only the day it was reached, or will be, can never be late: no news.
    over = milestones["state"] == "overdue"
    held = milestones["baseline"].notna() | over
    held |= milestones["forecast"].notna() & milestones["seen"].notna()
    late = over[held].groupby(milestones.loc[held, "project"]).sum()
    done = (milestones["state"] == "reached").groupby(milestones["project"]).mean()
    return pd.DataFrame(
        {
            "slip_days": worst["slip_days"].reindex(projects),
            "slipped": worst["milestone"].reindex(projects),
            "overdue": late.astype(float).reindex(projects),
            "next_milestone": coming["milestone"].reindex(projects),
            "next_due": coming["due"].reindex(projects),
            "reached": done.reindex(projects),
        },
        index=projects,
    )
