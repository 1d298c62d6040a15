"""Milestones on a day: due, reached, missed, and how far they have slipped."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.portfolio import Portfolio

# Days in which a milestone that comes up is said to be next.
SOON = 30


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
    rows = portfolio.milestones
    told = rows[rows["as_of"].isna() | (rows["as_of"] <= as_of)]
    told = told[told["project"].isin(portfolio.projects["project"])]
    told = told.dropna(subset=["baseline", "forecast", "actual"], how="all")
    told = told.sort_values("as_of", kind="stable", na_position="first")
    if told.empty:
        return _nothing()
    # What is to be reached after the day on which that was said is a forecast.
    said = told["as_of"].fillna(as_of)
    early = told["actual"] > said.where(said < as_of, as_of)
    told = told.assign(
        forecast=told["forecast"].mask(early & told["forecast"].isna(), told["actual"]),
        actual=told["actual"].mask(early),
    )
    key = ["project", "milestone"]
    number = told.groupby(key, sort=False).ngroup().to_numpy()
    last = told.drop_duplicates(key, keep="last").set_index(key)
    # The rows of one milestone, the newest last: later ones take the place of earlier.
    planned = told["baseline"].to_numpy()
    known = np.flatnonzero(~np.isnat(planned))
    first, newest = (np.full(len(last), np.datetime64("NaT", "s")) for _ in range(2))
    newest[number[known]] = planned[known]
    first[number[known[::-1]]] = planned[known[::-1]]
    asked = pd.DataFrame({"of": number, "forecast": told["forecast"].to_numpy()})
    different = asked.dropna().drop_duplicates()["of"]
    moves = np.bincount(different, minlength=len(last)) - 1
    # In the order in which milestones come up first.
    order = np.argsort(number[~told.duplicated(key, keep="last").to_numpy()])
    last = last.iloc[order]
    state = pd.DataFrame(
        {
            "kind": last["kind"],
            "baseline": newest,
            "first_baseline": first,
            "forecast": last["forecast"],
            "actual": last["actual"],
            "seen": last["as_of"],
            "moves": np.maximum(moves, 0),
        },
        index=last.index,
    )
    due = state["actual"].fillna(state["forecast"]).fillna(state["baseline"])
    reached = state["actual"].notna()
    words = np.select(
        [reached, due < as_of, due <= as_of + pd.Timedelta(days=SOON)],
        ["reached", "overdue", "soon"],
        "ahead",
    )
    state = state.assign(
        due=due, state=words, slip_days=(due - state["baseline"]).dt.days.astype(float)
    )
    # An open milestone whose day is over slips by one more day every day.
    late = (as_of - state["baseline"]).dt.days.astype(float)
    over = state["state"] == "overdue"
    state["slip_days"] = state["slip_days"].mask(
        over, np.fmax(state["slip_days"], late)
    )
    return state.reset_index().sort_values(
        ["due", "project"], kind="stable", ignore_index=True
    )[_COLUMNS]


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
    blank = np.datetime64("NaT", "s")
    cells = np.full((len(days), len(names)), blank)
    cells[at, of] = rows["expected"].to_numpy("datetime64[s]")
    last = np.full(len(names), blank)
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
