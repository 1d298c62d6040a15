"""How the projects of a portfolio are doing on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking.delivery.finishing import (
    finish_by_sprints,
    running_sprints,
)
from pmo_analytics.tracking.earned.promises import Spent, day_after
from pmo_analytics.tracking.earned.reports import reports_of
from pmo_analytics.tracking.earned.schedules import index_limits
from pmo_analytics.tracking.earned.values import rules_of
from pmo_analytics.tracking.judging.changes import status_changes
from pmo_analytics.tracking.judging.milestones import (
    MilestoneLog,
    milestone_status,
    of_projects,
)
from pmo_analytics.tracking.judging.rag import Rule, colours_of, judged, read_rules
from pmo_analytics.tracking.result import Status
from pmo_analytics.tracking.usable import (
    last_known_day,
    projects_on,
    read_day,
    said_of_newest_day,
    sound_part,
)
from pmo_analytics.tracking.warning.ranges import Ranges, project_ranges
from pmo_analytics.uncertainty import Uncertainty, read_uncertainty

_FRAME = [
    *("cpi", "spi", "spi_t", "eac", "eac_p50", "eac_p80", "finish_p50", "finish_p80"),
    *("p_late", "p_over", "rag", "reason", "age_days"),
]
_RANGES = [
    *("eac_p50", "eac_p80", "finish_p50", "finish_p80", "p_late", "p_over", "drivers"),
    *("cost_method", "finish_method"),
]
_OF_LOOKS = ("project", "as_of", "percent_complete", "bac", "ev", "ac", "start")
_DESCRIBED = ("name", "program", "theme", "manager", "sponsor", "phase", "status")
_DRAWS = 2_000
# A finish further away than this many planned durations says only that little is done.
_MOST = 20.0


def status(
    portfolio: Portfolio,
    *,
    as_of: str | date | pd.Timestamp | None = None,
    since: str | date | pd.Timestamp | Portfolio | None = None,
    rules: str | Path | Mapping[str, Any] | None = None,
    earned: str | Mapping[str, str] = "percent",
    unit: str = "money",
    left: Mapping[str, float] | None = None,
    teams: Mapping[str, str] | None = None,
    uncertainty: Uncertainty | str | Path | None = None,
) -> Status:
    """Return how the running projects are doing on a day, and why.

    Nothing that was said after the day is used. Planned value comes from the baseline
    in force (spread as the plan of today is), actual cost from `actuals`, earned value
    from percent complete; what a report says itself counts before. Rows of progress,
    milestones, sprints, actuals and baselines that cannot be used are left out and
    listed.

    Parameters
    ----------
    portfolio
        What is looked at; its running projects.
    as_of
        Last day that is known; None = the newest status date of the tables.
    since
        An earlier day, or the portfolio as it was: `changes` say what is different.
        What was edited in `projects` (people, phases, deadlines) only an earlier
        portfolio can tell.
    rules
        Thresholds of the colours: a TOML file or a mapping; None = `rag.RULES`.
    earned
        Rule of earned value, `percent`, `0/100`, `50/50` or `milestones`; or project ->
        rule.
    unit
        `money` or `hours`.
    left
        Project -> what is left to do, in the unit of its team's sprints: their finish
        by the throughput of sprints stands beside the other ranges.
    teams
        Project -> team, where the tables do not tell; see `finish_by_sprints`.
    uncertainty
        What is uncertain, or its TOML file: the finish by a simulation of the dates of
        today stands beside the other ranges; see `simulate`.

    Raises
    ------
    DataError
        If other tables have errors.
    ConfigError
        If a day, a rule or a threshold cannot be used.

    Examples
    --------
    >>> from pmo_analytics.examples import example_portfolio
    >>> now = status(example_portfolio(), as_of="2026-12-31")
    >>> now.table.loc["CORE-MOT", "rag"]
    'red'
    """
    if unit not in ("money", "hours"):
        raise ConfigError(f"Earned value is in money or in hours, not in '{unit}'.")
    thresholds = read_rules(rules)
    rules_of(earned, list(portfolio.projects["project"].dropna()))
    sound, left_out = sound_part(portfolio)
    day = last_known_day(sound) if as_of is None else read_day(as_of)
    earlier, then = _before(sound, since, day)
    work = None
    if left or teams:
        work = finish_by_sprints(sound, left or {}, day=day, teams=teams)
    drawn = None if uncertainty is None else _simulated(sound, uncertainty)
    now = _status(
        sound, day, thresholds, earned, unit, left_out, work=work, drawn=drawn
    )
    if as_of is None:
        now = replace(now, notes=(*said_of_newest_day(sound, day), *now.notes))
    if since is None:
        return now
    before = _status(earlier, then, thresholds, earned, unit, left_out, ranges=False)
    return replace(now, changes=status_changes(before, now))


def _before(
    portfolio: Portfolio,
    since: str | date | pd.Timestamp | Portfolio | None,
    day: pd.Timestamp,
) -> tuple[Portfolio, pd.Timestamp]:
    """Return what a day is held against: the portfolio as it was, and its day.

    Raises
    ------
    ConfigError
        If that is no earlier day.
    """
    if since is None:
        return portfolio, day
    if isinstance(since, Portfolio):
        earlier, _ = sound_part(since)
        return earlier, min(last_known_day(earlier), day)
    then = read_day(since)
    if then >= day:
        raise ConfigError(f"{then:%Y-%m-%d} is not before {day:%Y-%m-%d}.")
    return portfolio, then


def _status(
    portfolio: Portfolio,
    day: pd.Timestamp,
    rules: list[Rule],
    earned: str | Mapping[str, str],
    unit: str,
    left_out: pd.DataFrame,
    *,
    ranges: bool = True,
    work: pd.DataFrame | None = None,
    drawn: pd.DataFrame | None = None,
) -> Status:
    projects, notes = projects_on(portfolio, day)
    by_project = rules_of(earned, list(portfolio.projects["project"].dropna()))
    history = reports_of(portfolio, day, projects, unit=unit, rules=by_project)
    milestones = milestone_status(portfolio, day)
    values = _indicators(portfolio, history, milestones, day, projects)
    looks = _looks(portfolio, history, day, unit) if ranges else pd.DataFrame()
    expected = _ranges(looks, values.index, work, drawn, day)
    values = values.join(expected.projects)
    colours = colours_of(values, rules)
    values = values.join(judged(values, colours, rules))
    unknown = values["rag"].isna()
    told = unknown & values["reported"].notna()
    values["reason"] = values["reason"].mask(
        told, "no numbers: only a colour is reported, " + values["reported"].astype(str)
    )
    silent = unknown & ~told & values["age_days"].notna()
    values["reason"] = values["reason"].mask(
        silent, "no numbers: no percent complete is reported, and no milestone"
    )
    bare = unknown & ~told & ~silent & values["reached"].notna()
    values["reason"] = values["reason"].mask(
        bare, "no report, and its milestones have no baseline"
    )
    values["reason"] = _said_of_waiting(portfolio, values, day, unknown & ~told)
    named = portfolio.projects.set_index("project")
    described = named[[c for c in _DESCRIBED if c in named]].reindex(values.index)
    values = described.join(values)
    mine = milestones[milestones["project"].isin(projects)].reset_index(drop=True)
    running, more = running_sprints(portfolio, day) if ranges else (pd.DataFrame(), ())
    # Of an earlier day only the day itself is compared.
    coloured = _with_colours(portfolio, history, rules, values) if ranges else history
    return Status(
        portfolio,
        day,
        values[_FRAME].copy(),
        values,
        colours,
        mine,
        coloured,
        left_out,
        (*notes, *expected.says, *more),
        None,
        tuple(rules),
        unit,
        expected.table,
        expected.record,
        running,
    )


def _said_of_waiting(
    portfolio: Portfolio,
    values: pd.DataFrame,
    day: pd.Timestamp,
    silent: pd.Series[Any],
) -> pd.Series[Any]:
    """Return the reasons with when a project begins that has not begun.

    Parameters
    ----------
    silent
        Which have no colour.
    """
    starts = portfolio.projects.set_index("project")["start"].reindex(values.index)
    now = pd.Series(
        [pd.NaT if pd.isna(period) else period.start_time for period in starts],
        index=values.index,
        dtype="datetime64[s]",
    ).fillna(values["start"])
    reason, begins = values["reason"], "begins " + now.dt.strftime("%Y-%m-%d")
    reason = reason.mask(silent & (now > day), begins)
    late = (now > day) & ~silent & values["age_days"].isna() & (values["start"] <= day)
    promised = ", promised " + values["start"].dt.strftime("%Y-%m-%d") + "; "
    return reason.mask(late, begins + promised + reason)


def _indicators(
    portfolio: Portfolio,
    history: pd.DataFrame,
    milestones: pd.DataFrame,
    day: pd.Timestamp,
    projects: list[str],
) -> pd.DataFrame:
    """Return everything known of each project, without colours."""
    last = history.groupby("project", sort=False).tail(1).set_index("project")
    values = last.reindex(projects)
    told = set(portfolio.progress.loc[portfolio.progress["as_of"] <= day, "project"])
    fresh = pd.Series([p in told for p in values.index], index=values.index)
    values["age_days"] = (day - values["as_of"]).dt.days.where(fresh).astype(float)
    values = values.join(of_projects(milestones, values.index))
    values = values.join(_limits(history, values))
    values["finish"] = _finishes(portfolio, values, day)
    values["planned_finish"] = _planned(portfolio, values.index)
    values["finish_days"] = (
        values["finish"] - values["baseline_finish"]
    ).dt.days.astype(float)
    deadlines = portfolio.projects.set_index("project")["deadline"]
    ends = deadlines.reindex(values.index)
    last_day = pd.Series(
        [pd.NaT if pd.isna(p) else p.end_time.normalize() for p in ends],
        index=values.index,
        dtype="datetime64[s]",
    )
    values["deadline"] = last_day
    values["deadline_days"] = (values["finish"] - last_day).dt.days.astype(float)
    values["over_share"] = values["eac"] / values["bac"] - 1
    return values


def _planned(portfolio: Portfolio, names: pd.Index) -> pd.Series[Any]:
    """Return the last day of each project by the start and duration of today."""
    projects = portfolio.projects.set_index("project").reindex(names)
    ends = [
        pd.NaT
        if pd.isna(start) or pd.isna(length)
        else (start + int(length) - 1).end_time.normalize()
        for start, length in zip(projects["start"], projects["duration"], strict=True)
    ]
    return pd.Series(ends, index=names, dtype="datetime64[s]")


_OF_LIMITS = ("ev", "ac", "bac", "es", "at", "pd")


def _limits(history: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Return the limits of CPI and SPI(t) at 90 %, and how many reports tell them."""
    of = {n: history[n].to_numpy(dtype=float) for n in _OF_LIMITS}
    rows = {}
    for project, own in history.groupby("project", sort=False).indices.items():
        ev, ac, bac, es, at, planned = (of[name][own] for name in _OF_LIMITS)
        cost = index_limits(ev, ac, total=float(bac[-1]))
        time = index_limits(es, at, total=float(planned[-1]))
        rows[project] = {
            "cpi_low": cost.low,
            "cpi_high": cost.high,
            "cpi_sd": cost.spread,
            "spi_t_low": time.low,
            "spi_t_high": time.high,
            "spi_t_sd": time.spread,
            "n": float(max(cost.periods, time.periods)),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index", dtype=float)
    return frame.reindex(values.index)


def _finishes(
    portfolio: Portfolio, values: pd.DataFrame, day: pd.Timestamp
) -> pd.Series[Any]:
    """Return the day on which each project ends at its pace so far: start + IEAC(t)."""
    found = []
    for row in values.to_dict("records"):
        periods = row["ieac_t"]
        if pd.isna(periods) or pd.isna(row["start"]) or periods > _MOST * row["pd"]:
            found.append(pd.NaT)
            continue
        start = pd.Period(row["start"], freq=portfolio.freq)
        end = day_after(start, float(periods))
        done = row["percent_complete"] >= 100
        found.append(row["as_of"] if done else max(end, day))
    return pd.Series(found, index=values.index, dtype="datetime64[s]")


def _ranges(
    looks: pd.DataFrame,
    names: pd.Index,
    work: pd.DataFrame | None,
    drawn: pd.DataFrame | None,
    day: pd.Timestamp,
) -> Ranges:
    """Return ranges of cost and finish, and the chances to end late or over.

    They are learnt from all reports up to the day, those of finished projects among
    them; without any they are blank. With them comes how right they have been so far.

    Parameters
    ----------
    work
        Of `finish_by_sprints`: stands beside, and where nothing else tells an end.
    drawn
        Index `project`, `p50, p80` (days) of a simulation.
    day
        What has not ended by an older report does not end before this day.
    """
    found = Ranges.none()
    if len(looks):
        found = project_ranges(
            looks, simulated=drawn if drawn is None else {"finish": drawn}
        )
    table, says = found.table, found.says
    if drawn is not None:
        says += (
            "By simulation: the dates of today, with what is left in the horizon "
            "stretched by chance; nobody replans.",
        )
    projects = found.projects.reindex(index=names, columns=_RANGES)
    days = {c: pd.to_datetime(projects[c]) for c in ("finish_p50", "finish_p80")}
    projects = projects.assign(**days).astype(dict.fromkeys(days, "datetime64[s]"))
    last = looks.groupby("project")["percent_complete"].last() if len(looks) else {}
    for frame, own in ((projects, names), (table, table["project"])):
        done = own.map(last).to_numpy(dtype=float) >= 100
        for column in days:
            ends = pd.to_datetime(frame[column])
            frame[column] = ends.mask((ends < day) & ~done, day)
    if work is not None:
        rows = work.reset_index()[["project", "finish_p50", "finish_p80"]]
        rows = rows.dropna().assign(method="sprints").reindex(columns=table.columns)
        table = pd.concat([table, rows], ignore_index=True) if len(table) else rows
        table = table.sort_values("project", kind="stable", ignore_index=True)
        told = projects["finish_p50"].isna() & projects.index.isin(rows["project"])
        for column in days:
            by = work[column].reindex(names).astype("datetime64[s]")
            projects[column] = projects[column].where(~told, by)
        method = projects["finish_method"].astype(object)
        projects["finish_method"] = method.where(~told, "sprints")
        says += tuple(
            f"By sprints, {name}: {text}." for name, text in work["says"].items()
        )
    return Ranges(projects, table, found.record, found.chances, says)


def _simulated(portfolio: Portfolio, uncertainty: Uncertainty | str | Path) -> Any:
    """Return the last days by simulation: index `project`, columns `p50, p80`."""
    from pmo_analytics.simulation import simulate

    if not isinstance(uncertainty, Uncertainty):
        uncertainty = read_uncertainty(uncertainty)
    ends = simulate(portfolio, uncertainty=uncertainty, draws=_DRAWS).finish
    ends = ends.set_index("project")[["p50", "p80"]]
    return ends.apply(lambda periods: periods.dt.to_timestamp(how="end").dt.normalize())


def _looks(
    portfolio: Portfolio, history: pd.DataFrame, day: pd.Timestamp, unit: str
) -> pd.DataFrame:
    """Return one row a project and report, with the end of those that are finished."""
    over = portfolio.projects.dropna(subset=["project", "start", "duration"])
    over = over[(over["status"] == "done") & ~over["project"].isin(history["project"])]
    ends = {
        name: (start + int(duration) - 1).end_time.normalize()
        for name, start, duration in zip(
            over["project"], over["start"], over["duration"], strict=True
        )
    }
    ends = {name: end for name, end in ends.items() if end <= day}
    rows, cost = history, {}
    if ends:
        past = reports_of(portfolio, day, list(ends), unit=unit)
        rows = pd.concat([history, past], ignore_index=True) if len(past) else history
        spent = Spent(portfolio, day, unit)
        cost = {name: spent.until(name, day) for name in ends}
    rows = rows[rows["percent_complete"].notna() & (rows["unit"] == unit)]
    planned = (rows["baseline_finish"] - rows["start"]).dt.days + 1
    return pd.DataFrame(
        {
            **{c: rows[c] for c in _OF_LOOKS},
            "planned_finish": rows["baseline_finish"],
            "es_days": rows["es"] / rows["pd"] * planned,
            "finished": pd.to_datetime(rows["project"].map(ends)),
            "cost": rows["project"].map(cost).astype(float),
        }
    ).reset_index(drop=True)


def _with_colours(
    portfolio: Portfolio,
    history: pd.DataFrame,
    rules: list[Rule],
    now: pd.DataFrame,
) -> pd.DataFrame:
    """Add the colour of each report by the rules, as all was known on its day.

    The newest report of a project has the colour of the status itself.
    """
    told = history[history["percent_complete"].notna() | history["reported"].notna()]
    parts, milestones = [], MilestoneLog(portfolio)
    for day, rows in told.groupby("as_of", sort=True):
        values = rows.set_index("project")
        stones = milestones.on(pd.Timestamp(day))
        parts.append(values.join(of_projects(stones, values.index)).reset_index())
    if not parts:
        return told.assign(rag=None, reason=None)
    values = pd.concat(parts, ignore_index=True)
    values["age_days"] = 0.0
    values["over_share"] = values["eac"] / values["bac"] - 1
    for rule in rules:
        if rule.indicator not in values:
            values[rule.indicator] = np.nan
    verdict = judged(values, colours_of(values, rules), rules)
    found = values.join(verdict[["rag", "reason"]]).sort_values(
        ["project", "as_of"], kind="stable", ignore_index=True
    )
    last = ~found.duplicated("project", keep="last")
    for name in ("rag", "reason"):
        found.loc[last, name] = found.loc[last, "project"].map(now[name])
    return found
