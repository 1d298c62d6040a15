"""Sprints of a portfolio on a day: how the running ones go, and when the work ends."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, DataError, PmoWarning, closest, listing
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking.delivery.forecasting import forecast_delivery

_LEAST_SPRINTS = 3
# Velocities are drawn from so many sprints of the team, the newest ones.
_NEWEST = 20
# Further away than this many sprints nothing can be said.
_MOST_SPRINTS = 500
_DAY = np.timedelta64(1, "D")
RUNNING = ["team", "sprint", "elapsed", "seen", "committed", "done"]


def sprints_on(sprints: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of sprints that were known on a day.

    What was seen later goes, and what a sprint delivered that had not ended by then.
    Rows without a start are taken as they are: nothing tells when they were seen.

    Parameters
    ----------
    sprints
        The table `sprints`.
    day
        Last day that is known.

    Returns
    -------
    DataFrame
        The rows with `seen` and `ends` (days, NaT without a start).
    """
    length = pd.to_timedelta(sprints["planned_days"], unit="D")
    ends = sprints["end"].fillna(sprints["start"] + length - pd.Timedelta(days=1))
    gone = sprints["elapsed"] * (ends - sprints["start"] + pd.Timedelta(days=1))
    days = (gone / pd.Timedelta(days=1)).round() - 1
    seen = sprints["start"] + pd.to_timedelta(days.clip(lower=0), unit="D")
    table = sprints.assign(seen=seen, ends=ends)
    table = table[~(table["seen"] > day) & ~(table["start"] > day)]
    over = ~(table["ends"] > day)
    return table.assign(delivered=table["delivered"].where(over))


def running_sprints(
    portfolio: Portfolio, day: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the chance of each running sprint to deliver less than committed.

    Parameters
    ----------
    portfolio
        Its table `sprints`.
    day
        Last day that is known.

    Returns
    -------
    tuple
        One row a running sprint, at its newest look: `team, sprint, elapsed, seen`
        (day), `committed, done` (in the team's unit), `p_short, low, high` of
        `forecast_delivery`; and what is to be known of them, in sentences.
    """
    known = sprints_on(portfolio.sprints, day)
    needed = known[["team", "sprint", "elapsed", "committed", "done"]].notna()
    sound = known[needed.all(axis=1)]
    notes = []
    if len(known) > len(sound):
        lost = len(known) - len(sound)
        notes.append(f"Sprints without elapsed, committed or done, not used: {lost}.")
    newest = sound.sort_values("elapsed", kind="stable")
    newest = newest.drop_duplicates(["team", "sprint"], keep="last")
    runs = newest["delivered"].isna()
    asked = newest[runs].sort_index()
    empty = pd.DataFrame(columns=[*RUNNING, "p_short", "low", "high"])
    if asked.empty:
        return empty, tuple(notes)
    late = asked[asked["ends"] < day]
    if len(late):
        names = listing(late["team"] + " " + late["sprint"], 3)
        notes.append(
            f"Sprints that have ended and say not what they delivered: {names}."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PmoWarning)
        try:
            answer = forecast_delivery(
                pd.concat([sound[~sound.index.isin(asked.index)], asked])
            )
        except DataError as error:
            first = error.problems.iloc[0]
            notes.append(f"Nothing is said of running sprints: {first['fix']}")
            return empty, tuple(notes)
    notes += [f"Sprints: {warning.message}" for warning in caught]
    said = answer[["p_short", "low", "high"]].reindex(asked.index)
    return asked[RUNNING].join(said).reset_index(drop=True), tuple(notes)


def finish_by_sprints(
    portfolio: Portfolio,
    left: Mapping[str, float],
    *,
    day: pd.Timestamp,
    teams: Mapping[str, str] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return when projects end by the throughput of the teams that work for them.

    Monte Carlo: what the newest finished sprints of a team delivered, 20 at most, is
    drawn with replacement until what is left is done; a sprint counts in part. Several
    projects of one team share what it delivers, so all of them end when the work of all
    is done.

    Parameters
    ----------
    portfolio
        Its table `sprints`; `bookings` and `people` for the teams that are not named.
    left
        Project -> what is left to do on the day, in the unit of its team's sprints.
    day
        Last day that is known.
    teams
        Project -> team. A project without one has the only team there is, or the only
        one with sprints among the teams of the people who are booked on it.
    draws, seed
        Of the Monte Carlo.

    Returns
    -------
    DataFrame
        Index `project`: `team`, `left`, `sprints` (from how many was drawn), `velocity`
        (their mean), `finish_p50, finish_p80` (days; blank where the sprints cannot
        tell), `says` (what was assumed, or is missing).

    Raises
    ------
    ConfigError
        If a project or a team is unknown, no team can be told, or an amount is none.
    """
    known = sprints_on(portfolio.sprints, day)
    worked = _teams(portfolio, known, left, teams or {})
    rows = {}
    for team in dict.fromkeys(worked.values()):
        own = [project for project, its in worked.items() if its == team]
        whole = float(sum(left[project] for project in own))
        answer = _finish(known[known["team"] == team], team, whole, day, draws, seed)
        if pd.notna(answer["finish_p50"]):
            answer["says"] = f"{answer['says']}, all of it for {listing(own, 3)}"
        for project in own:
            rows[project] = answer | {"left": float(left[project])}
    columns = [
        "team",
        "left",
        "sprints",
        "velocity",
        "finish_p50",
        "finish_p80",
        "says",
    ]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    days = {name: pd.to_datetime(frame[name]) for name in ("finish_p50", "finish_p80")}
    return frame.assign(**days).rename_axis("project")


def _teams(
    portfolio: Portfolio,
    known: pd.DataFrame,
    left: Mapping[str, float],
    teams: Mapping[str, str],
) -> dict[str, str]:
    """Return the team of each project that is asked for."""
    projects = set(portfolio.projects["project"].dropna())
    there = list(dict.fromkeys(known["team"].dropna()))
    for project in (*left, *teams):
        if project not in projects:
            near = closest(project, projects)
            raise ConfigError(f"There is no project '{project}'{near}.")
    for project in teams:
        if project not in left:
            raise ConfigError(
                f"What is left of {project}? Say it: --left {project}=120."
            )
    if not there:
        raise ConfigError(
            "No sprint is known by that day: the finish by sprints needs the table "
            "'sprints'."
        )
    found = {}
    for project, amount in left.items():
        if not (np.isfinite(amount) and amount > 0):
            raise ConfigError(f"What is left of {project} is {amount:g}: above 0.")
        team = teams.get(project) or _team_of(portfolio, project, there)
        if team not in there:
            near = closest(team, set(there)) or f": {listing(there, 8)}"
            raise ConfigError(f"No sprint of a team '{team}'{near}.")
        found[project] = team
    return found


def _team_of(portfolio: Portfolio, project: str, there: list[str]) -> str:
    """Return the team that a project has, as far as the tables tell."""
    if len(there) == 1:
        return there[0]
    booked = portfolio.bookings.loc[portfolio.bookings["project"] == project, "person"]
    people = portfolio.people
    own = set(people.loc[people["person"].isin(booked), "team"].dropna()) & set(there)
    if len(own) == 1:
        return str(own.pop())
    raise ConfigError(
        f"Whose sprints are those of {project}? Name the team: --team "
        f"{project}={there[0]}. There are {listing(there, 8)}."
    )


def _finish(
    sprints: pd.DataFrame,
    team: str,
    left: float,
    day: pd.Timestamp,
    draws: int,
    seed: int,
) -> dict[str, object]:
    """Return when a team has done what is left, and what that was told from."""
    last = sprints.drop_duplicates("sprint", keep="last")
    order = last["start"] if last["start"].notna().all() else last.index.to_series()
    last = last.loc[order.sort_values(kind="stable").index]
    done = last.loc[last["delivered"].notna(), "delivered"].to_numpy(dtype=float)
    done = np.maximum(done[-_NEWEST:], 0.0)
    days = _days_of_a_sprint(last)
    mean = float(done.mean()) if len(done) else np.nan
    answer: dict[str, object] = {"team": team, "sprints": len(done), "velocity": mean}
    answer |= {"finish_p50": pd.NaT, "finish_p80": pd.NaT}
    if len(done) < _LEAST_SPRINTS:
        says = f"{team} has finished {len(done)} sprints; it takes {_LEAST_SPRINTS}"
    elif np.isnan(days):
        says = f"How long are the sprints of {team}? Fill in start or planned_days"
    elif left > _MOST_SPRINTS * mean:
        says = f"{team} would need more than {_MOST_SPRINTS} sprints"
    else:
        rng = np.random.default_rng(seed)
        count = int(2.0 * left / mean) + 10
        drawn = np.cumsum(rng.choice(done, size=(draws, count)), axis=1)
        # Who is not there after twice the usual sprints goes on at the mean.
        beyond = count + (left - drawn[:, -1]) / mean
        at = np.minimum((drawn < left).sum(axis=1), count - 1)
        row = np.arange(draws)
        before = np.where(at > 0, drawn[row, at - 1], 0.0)
        step = drawn[row, at] - before
        with np.errstate(divide="ignore", invalid="ignore"):
            within = at + (left - before) / step
        took = np.where(drawn[:, -1] < left, beyond, within)
        for name, share in (("finish_p50", 0.5), ("finish_p80", 0.8)):
            answer[name] = day + pd.Timedelta(
                days=np.ceil(np.quantile(took, share) * days)
            )
        says = f"drawn from {len(done)} sprints of {team}"
        says += f" ({mean:.3g} each, {days:g} days)"
    return answer | {"says": says}


def _days_of_a_sprint(last: pd.DataFrame) -> float:
    """Return the days from one sprint to the next: by starts, as planned, as dated."""
    steps = last["start"].dropna().sort_values().diff() / _DAY
    dated = (last["ends"] - last["start"]) / _DAY + 1
    for days in (steps, last["planned_days"], dated):
        known = days[days > 0]
        if len(known) >= (_LEAST_SPRINTS if days is steps else 1):
            return float(known.median())
    return np.nan
