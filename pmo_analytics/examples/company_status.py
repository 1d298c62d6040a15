"""How the projects of the example company are doing: reports, milestones, sprints.

What was reported follows what happened in `company_past`, with the habits of real
reports: more is said to be done than is, delays are admitted late, one colour is green
to the end although the numbers are not, and one report is three weeks old.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.examples import company_text as company
from pmo_analytics.examples.company_past import FIRST, HOURS

type Row = dict[str, Any]
type Floats = npt.NDArray[np.float64]

TODAY = pd.Timestamp("2026-12-31")
_MANAGERS = (
    *("Susanne Busch", "Andrew Shaw", "Dorota Malik", "Martin Kuhn"),
    "Helen Pryce",
)
_PHASES = {
    "done": "Closed",
    "running": "Build",
    "approved": "Plan",
    "proposed": "Business case",
    "paused": "Business case",
    "idea": "Idea",
    "cancelled": "Stopped",
}
_KINDS = {"Regulatory": "Mandatory", "Core systems": "Renewal", "Security": "Platform"}
_GOALS = {
    "Regulatory": "Comply on time",
    "Core systems": "One policy system",
    "Customer": "Win and keep customers",
    "Data": "Decide on data",
    "Security": "Safe in the cloud",
    "Workplace": "Simpler work",
}
# What is done of what was to be done by now; months later than the table of projects
# says; what is reported; how old the last report is, in days.
RUNNING = """
project  | done | late | colours           | age | comment
CORE-MOT | 0.86 | 4    | green amber red   | 0   | Rating engine fails its tests
DORA     | 1.00 | 0    | green green amber | 0   | Two suppliers have not signed
LANDING  | 1.02 | 0    | green             | 2   | First workloads moved
BROKER   | 0.80 | 3    | green             | 23  | On track, pilot is prepared
MDM      | 1.18 | 0    | green             | 4   | Matching rules agreed
"""
_STEPS = (
    ("Requirements agreed", "delivery", 0.25),
    ("Design approved", "gate", 0.45),
    ("Ready for test", "delivery", 0.75),
    ("Go live", "gate", 1.0),
)
# Team, mean velocity, its spread, what is promised above it.
_TEAMS = (
    ("Policy", 34.0, 5.0, 3.0),
    ("Broker", 26.0, 6.0, 4.0),
    ("Data", 22.0, 3.0, 0.0),
)
_FIRST_SPRINT = pd.Timestamp("2026-06-29")


def described(projects: pd.DataFrame) -> pd.DataFrame:
    """Return projects with manager, phase, priority, kind and goal."""
    led = ~projects["status"].isin(["idea", "cancelled"])
    names = [_MANAGERS[k % len(_MANAGERS)] for k in range(len(projects))]
    must = (projects["force"] == "in") | (projects["theme"] == "Regulatory")
    value = projects["value"]
    return projects.assign(
        manager=pd.Series(names, index=projects.index).where(led, None),
        phase=projects["status"].map(_PHASES),
        priority=np.select(
            [must, value >= 2e6, value >= 8e5], ["Must", "High", "Medium"], "Low"
        ),
        kind=projects["theme"].map(_KINDS).fillna("Product"),
        goal=projects["theme"].map(_GOALS),
    )


def progress_of(
    projects: pd.DataFrame,
    needs: pd.DataFrame,
    spend: pd.DataFrame,
    roles: pd.DataFrame,
    baselines: pd.DataFrame,
) -> pd.DataFrame:
    """Return a report a month of each project that has begun.

    Returns
    -------
    DataFrame
        Columns `project, as_of, percent_complete, remaining_hours, forecast_finish,
        rag, comment, author`; what baselines, spend and actuals tell is not in it.
    """
    first = baselines.drop_duplicates("project").set_index("project")
    running = company.table_of(RUNNING).set_index("project")
    rates = roles.set_index("role")["rate"]
    rows: list[Row] = []
    for project in _begun(projects):
        name = project["project"]
        own = needs[needs["project"] == name]
        offsets = range(project["duration"])
        hours = own.groupby("offset")["fte"].sum().reindex(offsets, fill_value=0.0)
        paid = (own["fte"] * own["role"].map(rates)).groupby(own["offset"]).sum()
        bills = spend[spend["project"] == name].groupby("offset")["amount"].sum()
        cost = paid.reindex(offsets, fill_value=0.0) * HOURS
        cost += bills.reindex(offsets, fill_value=0.0)
        promised = _finish(first.at[name, "start"], int(first.at[name, "duration"]))
        told = running.loc[name] if name in running.index else None
        share = np.asarray(cost.cumsum() / cost.sum(), dtype=float)
        rows += _reports(project, float(hours.sum() * HOURS), share, promised, told)
    return pd.DataFrame(rows).sort_values(
        ["as_of", "project"], kind="stable", ignore_index=True
    )


def _reports(
    project: Row,
    hours: float,
    share: Floats,
    promised: pd.Timestamp,
    told: pd.Series[Any] | None,
) -> list[Row]:
    """Return the reports of one project, one a month.

    Parameters
    ----------
    hours
        Of work, all in all.
    share
        Of its cost by the end of each period.
    promised
        Last day as first promised.
    told
        Its row of `RUNNING`; None = it is finished.
    """
    done = _done(share, told)
    months = min(len(share), (FIRST - project["start"]).n)
    rows: list[Row] = []
    for k in range(months):
        day, last = _month_end(project["start"] + k), k == months - 1
        if told is not None and last:
            age = int(told["age"])
            # Of the last month only the part before the report.
            done[k] -= (done[k] - done[k - 1]) * age / day.day
            day -= pd.Timedelta(days=age)
        finish = max(
            _admitted(project, promised, told, (k + 1) / months),
            day + pd.Timedelta(days=21),
        )
        over = k == len(share) - 1
        colour = _colour(told, months - k, finish - promised, over=over)
        rows.append(
            {
                "project": project["project"],
                "as_of": day,
                "percent_complete": float(np.floor(100 * done[k])),
                "remaining_hours": float(round(hours * (1 - done[k]), -1)),
                "forecast_finish": day if over else finish,
                "rag": colour,
                "comment": _comment(told, colour, last=last),
                "author": project["manager"],
            }
        )
    return rows


def milestones_of(projects: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    """Return four milestones of each project that has begun, as seen every month.

    Returns
    -------
    DataFrame
        Columns `project, milestone, as_of, baseline, forecast, actual, kind`.
    """
    running = company.table_of(RUNNING).set_index("project")
    rows: list[Row] = []
    for project in _begun(projects):
        name, begin = project["project"], project["start"].start_time
        late = int(running.at[name, "late"]) if name in running.index else 0
        length = _finish(project["start"], project["duration"] + late) - begin
        last = min(begin + length + pd.Timedelta(days=31), TODAY).normalize()
        for day in pd.date_range(begin, last, freq="ME").union([last]):
            known = baselines[
                (baselines["project"] == name) & (baselines["set_on"] <= day)
            ].iloc[-1]
            rows += _seen(name, begin, length, known, day)
    return pd.DataFrame(rows).sort_values(
        ["as_of", "project"], kind="stable", ignore_index=True
    )


def _seen(
    name: str,
    begin: pd.Timestamp,
    length: pd.Timedelta,
    known: pd.Series[Any],
    day: pd.Timestamp,
) -> list[Row]:
    """Return the milestones of a project as they are seen on a day.

    Parameters
    ----------
    begin, length
        As it will have been in the end.
    known
        Its baseline on the day.
    """
    planned = known["start"].start_time
    span = _finish(known["start"], int(known["duration"])) - planned
    rows: list[Row] = []
    for step, kind, share in _STEPS:
        promised = (planned + span * share).normalize()
        real = (begin + length * share).normalize()
        told = max(0.0, min(1.0, (day - begin) / (real - begin)))
        seen = (promised + (real - promised) * told).normalize()
        rows.append(
            {
                "project": name,
                "milestone": step,
                "as_of": day,
                "baseline": promised,
                "forecast": pd.NaT
                if real <= day
                else max(seen, day + pd.Timedelta(days=7)),
                "actual": real if real <= day else pd.NaT,
                "kind": kind,
            }
        )
    return rows


def sprints_of(rng: np.random.Generator) -> pd.DataFrame:
    """Return thirteen sprints of three teams seen four times each, and one that runs.

    Returns
    -------
    DataFrame
        Columns of the table `sprints`; `delivered` is blank while a sprint runs.
    """
    rows: list[Row] = []
    for team, mean, spread, hope in _TEAMS:
        for k in range(14):
            start = _FIRST_SPRINT + pd.Timedelta(days=14 * k)
            promised = float(np.round(mean + hope + rng.normal(0, 2)))
            moved = rng.poisson([2.0, 1.0]).astype(float)
            end = max(float(np.round(rng.normal(mean, spread))), 4.0)
            end = min(end, promised + float(moved[0]))
            pace = float(rng.uniform(1.1, 2.2))
            runs = start + pd.Timedelta(days=13) > TODAY
            for seen in (0.0, 0.3) if runs else (0.0, 0.3, 0.5, 0.8):
                added, removed = np.round(moved * min(1.0, 1.4 * seen)).tolist()
                done = float(np.round(end * seen**pace))
                rest = max(promised + added - removed - done, 0.0)
                begun = float(np.round(min(rest, 0.35 * mean) * min(1.0, 3 * seen)))
                rows.append(
                    {
                        "team": team,
                        "sprint": f"{team} {k + 1}",
                        "start": start,
                        "end": start + pd.Timedelta(days=13),
                        "planned_days": 14.0,
                        "elapsed": seen,
                        "members": 6.0 if team == "Policy" else 5.0,
                        "committed": promised,
                        "added": added,
                        "removed": removed,
                        "to_do": rest - begun,
                        "in_progress": begun,
                        "done": done,
                        "delivered": np.nan if runs else end,
                    }
                )
    return pd.DataFrame(rows)


def _begun(projects: pd.DataFrame) -> list[Row]:
    begun = projects["status"].isin(["done", "running"]) & (projects["start"] < FIRST)
    rows: list[Row] = projects[begun].to_dict("records")
    return rows


def _month_end(month: pd.Period) -> pd.Timestamp:
    return month.end_time.normalize()


def _finish(start: pd.Period, duration: int) -> pd.Timestamp:
    return _month_end(start + duration - 1)


def _done(share: Floats, told: pd.Series[Any] | None) -> Floats:
    """Return what is said to be done: early on more than is, at the end what is."""
    if told is None:
        return np.asarray(np.minimum(share, 1.0) ** 0.85)
    ramp = np.minimum(np.linspace(0.3, 2.2, len(share)), 1.0)
    return np.maximum.accumulate(share * (1 + (float(told["done"]) - 1) * ramp))


def _admitted(
    project: Row, promised: pd.Timestamp, told: pd.Series[Any] | None, gone: float
) -> pd.Timestamp:
    """Return the finish that is said when a share of the time so far has gone by."""
    more = 0 if told is None else int(told["late"]) // 2
    real = _finish(project["start"], project["duration"] + more)
    if told is not None and str(told["colours"]).split()[-1] == "green":
        real = promised  # nobody admits anything
    return (promised + (real - promised) * gone**2).normalize()


def _colour(
    told: pd.Series[Any] | None, left: int, late: pd.Timedelta, *, over: bool
) -> str:
    """Return the colour of a report, `left` reports before the last one or on it."""
    if told is None:
        return "amber" if late > pd.Timedelta(days=45) and not over else "green"
    colours = str(told["colours"]).split()
    return colours[-min(left, len(colours))]


def _comment(told: pd.Series[Any] | None, colour: str, *, last: bool) -> str | None:
    if told is not None and last:
        return str(told["comment"])
    return "Later than promised, recovery agreed" if colour == "amber" else None
