"""The example portfolio: an invented insurer, every table filled, nothing wrong in it.

What a person would type in is in `example_company`; what no one would (monthly
demand, vacations, three years of history, timesheets) is drawn around it here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import Settings, make_horizon
from pmo_analytics.examples import company_text as company
from pmo_analytics.examples.company_past import (
    FIRST,
    PERIODS,
    actuals_of,
    baselines_of,
    history_of,
)
from pmo_analytics.examples.company_status import (
    described,
    milestones_of,
    progress_of,
    sprints_of,
)
from pmo_analytics.portfolio import Portfolio

type Row = dict[str, Any]
type Floats = npt.NDArray[np.float64]


def example_portfolio(seed: int = 2027) -> Portfolio:
    """Return a mid-size insurer's portfolio for 2027 and 2028, by month.

    Every table is filled, every status and rule occurs, and `check` finds nothing.
    Running and approved work fits; the candidates ask for half as much again as is
    left, of developers, data engineers and architects for nearly twice as much.

    Parameters
    ----------
    seed
        Where monthly demand, absences, history, actuals and sprints are drawn from.
        What is named (projects, people, rules, money) is the same for every seed.

    Examples
    --------
    >>> portfolio = example_portfolio()
    >>> len(portfolio.projects), portfolio.capacity.shape
    (47, (24, 10))
    """
    return _drawn(seed).snapshot()


@lru_cache(maxsize=2)
def _drawn(seed: int) -> Portfolio:
    """Return the one that nobody edits: to draw it takes most of a second."""
    demand_rng, people_rng, past_rng, team_rng = np.random.default_rng(seed).spawn(4)
    horizon = make_horizon(str(FIRST), PERIODS, "M")
    roles = _roles()
    projects = described(_projects())
    needs = _needs(projects, roles, demand_rng)
    live = projects[~projects["status"].isin(["done", "cancelled"])]
    demand = needs[needs["project"].isin(live["project"])].reset_index(drop=True)
    spend = _spend(projects)
    people = _people(roles, people_rng)
    bookings = _bookings(projects, demand, people)
    actuals = actuals_of(projects, needs, spend, bookings, roles, past_rng)
    baselines = baselines_of(projects, needs, spend, roles)
    return Portfolio(
        company.NAME,
        horizon=horizon,
        settings=Settings(discount=0.006, source="value", currency="EUR", country="DE"),
        projects=projects,
        demand=demand,
        people=people,
        absences=_absences(people, people_rng),
        operations=_operations(roles),
        bookings=bookings,
        dependencies=company.table_of(company.DEPENDENCIES),
        groups=_groups(),
        blackouts=company.table_of(company.BLACKOUTS),
        spend=spend[spend["project"].isin(live["project"])].reset_index(drop=True),
        budget=_money(company.table_of(company.BUDGET), "amount", "at_least"),
        roles=roles[["role", "parent", "team", "rate"]],
        flex=company.table_of(company.FLEX),
        history=history_of(people, roles, actuals, past_rng),
        actuals=actuals,
        baselines=baselines,
        progress=progress_of(projects, needs, spend, roles, baselines),
        milestones=milestones_of(projects, baselines),
        sprints=sprints_of(team_rng),
    )


def _money(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a frame with columns of thousands turned into currency."""
    amounts = {column: frame[column].astype("float64") * 1000 for column in columns}
    return frame.assign(**amounts)


def _roles() -> pd.DataFrame:
    frame = company.table_of(company.ROLES)
    return frame.astype({"rate": float, "run27": float, "run28": float})


def _projects() -> pd.DataFrame:
    names = company.table_of(company.PROJECTS).set_index("project")
    schedule = company.table_of(company.SCHEDULE).set_index("project")
    forced = company.table_of(company.FORCED).set_index("project")
    frame = names.join(schedule, validate="1:1").join(forced, validate="1:1")
    frame = frame.rename(columns={"chance": "probability"}).reset_index()
    frame["duration"] = frame["duration"].astype(int)
    for column in ("start", "earliest", "latest", "deadline"):
        frame[column] = pd.PeriodIndex(frame[column], freq="M")
    columns = (
        "project name status value duration start earliest latest deadline force "
        "force_reason probability theme program sponsor"
    )
    return _money(frame, "value")[columns.split()]


def _operations(roles: pd.DataFrame) -> pd.DataFrame:
    rows: list[Row] = []
    for role in roles.to_dict("records"):
        for year in (2027, 2028):
            rows.append(
                {
                    "role": role["role"],
                    "start": f"{year}-01-01",
                    "end": f"{year}-12-31",
                    "fte": None,
                    "share": role[f"run{year % 100}"],
                }
            )
    for year in (2027, 2028):  # renewals of motor policies at the turn of the year
        rows.append(
            {
                "role": "Developer",
                "start": f"{year}-11-15",
                "end": f"{year}-12-31",
                "fte": 0.5,
                "share": None,
            }
        )
    return pd.DataFrame(rows)


def _groups() -> pd.DataFrame:
    frame = company.table_of(company.GROUPS)
    frame = frame.assign(project=frame["members"].str.split()).explode("project")
    columns = ["group", "project", "rule", "at_least", "at_most"]
    return frame[columns].reset_index(drop=True)


# ---------------------------------------------------------------------- work and money


def _profile(shape: str, duration: int) -> Floats:
    """Return a project's demand over its life relative to the peak."""
    at = (np.arange(duration) + 0.5) / duration
    if shape == "front":
        return np.clip(1.25 - 0.85 * at, 0.0, 1.0)
    if shape == "back":
        return np.clip(0.15 + 1.15 * at, 0.0, 1.0)
    if shape == "middle":
        return np.clip(np.minimum(0.35 + 2.6 * at, 0.55 + 2.0 * (1 - at)), 0.0, 1.0)
    return np.ones(duration)


def _needs(
    projects: pd.DataFrame, roles: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return demand of every project, finished ones as they turned out in the end.

    Returns
    -------
    DataFrame
        Columns `project, role, offset, fte`.
    """
    by_code = roles.set_index("code")
    durations = projects.set_index("project")["duration"]
    parts = []
    for row in company.table_of(company.NEEDS).to_dict("records"):
        duration = int(durations[row["project"]])
        words = row["needs"].split()
        for code, peak in zip(words[::2], map(float, words[1::2]), strict=True):
            shape = _profile(str(by_code.at[code, "shape"]), duration)
            fte = np.round(peak * shape * rng.normal(1.0, 0.08, duration), 1)
            offset = np.flatnonzero(fte > 0)
            parts.append(
                pd.DataFrame(
                    {
                        "project": row["project"],
                        "role": by_code.at[code, "role"],
                        "offset": offset,
                        "fte": fte[offset],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _spend(projects: pd.DataFrame) -> pd.DataFrame:
    """Return spend: investment up front and at the end, running costs every period.

    Returns
    -------
    DataFrame
        Columns `project, fund, category, offset, amount`, whole thousands.
    """
    durations = projects.set_index("project")["duration"]
    rows: list[Row] = []
    for row in company.table_of(company.NEEDS).to_dict("records"):
        duration = int(durations[row["project"]])
        weights = np.zeros(duration)
        weights[[0, duration // 2, duration - 1]] = 0.5, 0.3, 0.2
        for category, total, weight in (
            ("capex", int(row["cap"]), weights),
            ("opex", int(row["op"]), np.full(duration, 1 / duration)),
        ):
            # Rounded sums differ by whole thousands and end at the total.
            amounts = np.diff(np.round(np.cumsum(weight) * total), prepend=0.0)
            rows += [
                {
                    "project": row["project"],
                    "fund": row["fund"],
                    "category": category,
                    "offset": int(offset),
                    "amount": float(amounts[offset] * 1000),
                }
                for offset in np.flatnonzero(amounts > 0)
            ]
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------ people


def _people(roles: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return dated rows of the staff, pay by role, country and person."""
    pay = {"DE": 1.0, "GB": 1.08, "PL": 0.72}
    by_role = roles.set_index("role")
    changes = {person: (day, rows) for person, day, rows in company.CHANGES}
    rows: list[Row] = []
    for role, text in company.PEOPLE.items():
        for entry in text.split(","):
            person, country = entry.strip().rsplit(" ", 1)
            long_ago = pd.Timestamp(
                2010 + int(rng.integers(14)), rng.integers(1, 13), 1
            )
            start = pd.Timestamp(company.HIRED.get(person, long_ago))
            wage = float(by_role.at[role, "rate"]) * pay[country]
            row = {
                "person": person,
                "role": role,
                "start": start,
                "end": pd.Timestamp(company.LEAVERS.get(person, pd.NaT)),
                "fte": company.PART_TIME.get(person, 1.0),
                "country": country,
                "team": by_role.at[role, "team"],
                "rate": float(round(wage * rng.uniform(0.94, 1.06))),
            }
            rows.append(row)
            if person in changes:
                day, later = changes[person]
                row["end"] = pd.Timestamp(day) - pd.Timedelta(days=1)
                rows += [
                    {
                        **row,
                        "role": name,
                        "team": by_role.at[name, "team"],
                        "start": pd.Timestamp(day),
                        "end": pd.NaT,
                        "fte": share,
                    }
                    for name, share in later
                ]
    return pd.DataFrame(rows)


def _absences(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return vacations, training and parental leave while people are employed."""
    spans = people.groupby("person", sort=False).agg(
        start=("start", "min"), end=("end", lambda ends: ends.max(skipna=False))
    )
    rows: list[Row] = []
    for person, span in spans.iterrows():
        for year in (2027, 2028):
            rows += [
                {"person": person, "start": begin, "end": end, "kind": kind}
                for begin, end, kind in _year_off(year, rng)
                if begin >= span["start"]
                and (pd.isna(span["end"]) or end <= span["end"])
            ]
    frame = pd.DataFrame(rows).assign(share=1.0)
    leave = pd.DataFrame(
        company.PARENTAL_LEAVE, columns=["person", "start", "end", "share"]
    ).assign(kind="parental leave")
    dates = {c: pd.to_datetime(leave[c]) for c in ("start", "end")}
    joined = pd.concat([frame, leave.assign(**dates)], ignore_index=True)
    return joined[["person", "start", "end", "kind", "share"]]


def _year_off(
    year: int, rng: np.random.Generator
) -> list[tuple[pd.Timestamp, pd.Timestamp, str]]:
    """Return one person's (first day, last day, kind) of one year, about 28 days."""

    def weeks(first: int, last: int, count: int) -> tuple[pd.Timestamp, pd.Timestamp]:
        begin = pd.Timestamp.fromisocalendar(
            year, int(rng.integers(first, last + 1)), 1
        )
        return begin, begin + pd.Timedelta(days=7 * count - 3)

    days = [
        (*weeks(6, 19, 1), "vacation"),
        (*weeks(24, 36, int(rng.choice([2, 2, 3]))), "vacation"),
        (*weeks(39, 46, 1), "vacation"),
    ]
    if rng.random() < 0.4:
        begin, end = pd.Timestamp(year, 12, 23), pd.Timestamp(year, 12, 31)
        days.append((begin, end, "vacation"))
    if rng.random() < 0.5:
        begin, _ = weeks(10, 24, 1)
        days.append((begin, begin + pd.Timedelta(days=2), "training"))
    return days


def _bookings(
    projects: pd.DataFrame, demand: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """Return who works on running projects: about four fifths of what they ask for.

    Nobody is booked outside the own employment or for more than four fifths of it.
    """
    running = projects[projects["status"] == "running"]
    left = {row.Index: 0.8 * float(row.fte) for row in people.itertuples()}
    rows: list[Row] = []
    for project in running.to_dict("records"):
        begin = project["start"].start_time.normalize()
        end = (project["start"] + project["duration"] - 1).end_time.normalize()
        asked = demand[demand["project"] == project["project"]]
        ahead = asked[asked["offset"] >= (FIRST - project["start"]).n]
        for role, mean in ahead.groupby("role", sort=False)["fte"].mean().items():
            wanted = round(0.8 * float(mean), 1)
            staff = people[
                (people["role"] == role)
                & (people["start"] <= begin)
                & ~(people["end"] < end)
            ]
            kind = "hard"
            for label in sorted(staff.index, key=lambda k: -left[k]):
                share = round(min(wanted, left[label], 0.6), 1)
                if share < 0.1 or share > left[label] + 1e-9:
                    continue
                left[label] -= share
                wanted = round(wanted - share, 1)
                rows.append(
                    {
                        "person": people.at[label, "person"],
                        "project": project["project"],
                        "role": role,
                        "start": begin,
                        "end": end,
                        "fte": share,
                        "kind": kind,
                    }
                )
                kind = "soft"
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------- the past
