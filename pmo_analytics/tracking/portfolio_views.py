"""Tables of a whole portfolio: value against risk, stages, benefits, bookings."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking.result import Status
from pmo_analytics.tracking.usable import read_day

STAGES = ("idea", "proposed", "approved", "running", "done")
_DAY = np.timedelta64(1, "D")


def value_and_risk(status: Status) -> pd.DataFrame:
    """Return what each live project is worth, and how likely it goes wrong.

    Returns
    -------
    DataFrame
        Index `project`: `name, kind` (running, candidate), `value` (of `projects`, else
        the sum of its benefits), `risk` (0-1: of a running project the larger of its
        chances to end late and to cost more, of a candidate 1 - `probability`), `cost`
        (budget at completion, else all its spend) and `rag`. Blank where unknown.
    """
    portfolio = status.portfolio
    projects = portfolio.projects.dropna(subset=["project"]).set_index("project")
    spend = portfolio.spend.groupby("project")["amount"].sum()
    frame = pd.DataFrame({"name": projects["name"]})
    running = projects.index.isin(status.table.index)
    waiting = projects["status"].isin(["idea", "proposed", "paused", "approved"])
    frame["kind"] = np.where(running, "running", "candidate")
    frame["value"] = _worth(portfolio, projects)
    chances = status.table[["p_late", "p_over"]].max(axis=1).reindex(projects.index)
    frame["risk"] = chances.where(running, 1.0 - projects["probability"])
    bac = status.indicators["bac"].where(status.indicators["unit"] == "money")
    frame["cost"] = bac.reindex(projects.index).fillna(spend.reindex(projects.index))
    frame["rag"] = status.table["rag"].reindex(projects.index)
    return frame[running | waiting]


def _worth(portfolio: Portfolio, projects: pd.DataFrame) -> pd.Series[float]:
    """Return the value of projects, else the sum of their benefits."""
    benefits = portfolio.benefits.groupby("project")["amount"].sum()
    return projects["value"].fillna(benefits.reindex(projects.index))


def pipeline_stages(
    portfolio: Portfolio,
    as_of: str | date | pd.Timestamp,
    *,
    entered: str = "",
) -> pd.DataFrame:
    """Return how many projects are at each stage, how long, how many got further.

    Cancelled and paused projects stand at no stage; `attrs["beside"]` counts them.

    Parameters
    ----------
    as_of
        Day to which ages are counted.
    entered
        Column of one's own in `projects`: the day on which an idea or a proposal was
        handed in. Approved projects have waited since their first baseline, running
        ones since their start.

    Returns
    -------
    DataFrame
        Index `stage` (idea, proposed, approved, running, done): `projects`, `value`
        (their sum, of benefits where there is no value; blank where none is known),
        `reached` (those of this stage and all later ones), `conversion` (share of
        `reached` that is further; blank of the last), `age_days` and `oldest_days`
        (median and largest), `dated` (how many these are of).

    Raises
    ------
    ConfigError
        If there is no such column, or the day is none.
    """
    day = read_day(as_of)
    projects = portfolio.projects.dropna(subset=["project"]).set_index("project")
    if entered and entered not in projects:
        near = closest(entered, list(projects))
        raise ConfigError(f"The table projects has no column '{entered}'{near}.")
    stage = projects["status"].fillna("idea")
    since = pd.Series(pd.NaT, index=projects.index, dtype="datetime64[ns]")
    if entered:
        handed = pd.to_datetime(projects[entered].astype(object), errors="coerce")
        since = handed.where(stage.isin(["idea", "proposed"]), since)
    first = pd.to_datetime(portfolio.baselines.groupby("project")["set_on"].min())
    since = since.mask(stage == "approved", first.reindex(projects.index))
    starts = pd.Series(
        [pd.NaT if pd.isna(p) else p.start_time for p in projects["start"]],
        index=projects.index,
        dtype="datetime64[ns]",
    )
    since = since.mask(stage == "running", starts)
    age = (day - since).dt.days.astype(float)
    age = age.where(age >= 0)
    worth = _worth(portfolio, projects)
    rows = {}
    for name in STAGES:
        own = stage == name
        rows[name] = {
            "projects": int(own.sum()),
            "value": float(worth[own].sum(min_count=1)),
            "age_days": age[own].median(),
            "oldest_days": age[own].max(),
            "dated": int(age[own].notna().sum()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("stage")
    reached = table["projects"][::-1].cumsum()[::-1]
    table.insert(2, "reached", reached)
    later = reached.shift(-1)
    table.insert(3, "conversion", (later / reached).where(reached > 0))
    table.attrs["beside"] = {
        word: int((stage == word).sum()) for word in ("paused", "cancelled")
    }
    return table


def benefits_by_period(status: Status) -> pd.DataFrame:
    """Return benefits as they were promised, as they are to come now, as they came in.

    Compared are the table `benefits`, at the dates of the baseline in force, the same
    at the dates of today (of a running project what comes after its end moves by as
    many periods as that does), and the column `benefit` of `actuals`.

    Returns
    -------
    DataFrame
        Index PeriodIndex: `planned, expected` (currency, of the period) of projects
        that run, are approved with a start, or are done; where `actuals` tells of any
        benefit `actual` too, blank after the period of the day. Empty without benefits.
    """
    portfolio = status.portfolio
    projects = portfolio.projects.dropna(subset=["project", "start"])
    projects = projects[projects["status"].isin(["running", "approved", "done"])]
    late = _periods_late(status)
    rows: list[tuple[pd.Period, float, float]] = []
    benefits = portfolio.benefits.dropna(subset=["project", "offset", "amount"])
    by_project = dict(iter(benefits.groupby("project")))
    base = portfolio.baselines.dropna(subset=["start"])
    base = base[~(pd.to_datetime(base["set_on"]) > status.as_of)]
    promised = base.groupby("project")["start"].last()
    for name, start, length in zip(
        *(projects["project"], projects["start"], projects["duration"]), strict=True
    ):
        own = by_project.get(name)
        if own is None:
            continue
        first = promised.get(name, start)
        slip = late.get(name, 0)
        for offset, amount in zip(own["offset"], own["amount"], strict=True):
            after = slip if pd.notna(length) and offset >= length else 0
            rows.append((first + int(offset), float(amount), 0.0))
            rows.append((start + int(offset) + after, 0.0, float(amount)))
    if not rows:
        return pd.DataFrame(columns=["planned", "expected"], dtype=float)
    frame = pd.DataFrame(rows, columns=["period", "planned", "expected"])
    sums = frame.groupby("period").sum()
    now = pd.Period(status.as_of, freq=portfolio.freq)
    came = portfolio.actuals.dropna(subset=["benefit", "period"])
    came = came[came["project"].isin(projects["project"]) & (came["period"] <= now)]
    known = [*sums.index, *came["period"]]
    every = pd.period_range(min(known), max(known), freq=portfolio.freq)
    table = sums.reindex(every, fill_value=0.0).rename_axis("period")
    if len(came):
        actual = came.groupby("period")["benefit"].sum().reindex(every, fill_value=0.0)
        table["actual"] = actual.where(every <= now)
    return table


def benefits_so_far(status: Status) -> pd.Series[float] | None:
    """Return the benefits promised and come in by the day, and those of all periods.

    Returns
    -------
    Series
        `planned, expected, actual`: cumulative, to the end of the period of the day
        (`actual` blank where `actuals` tells of no benefit); `planned_in_all`,
        `expected_in_all`: of all periods. None = no benefits are known.
    """
    table = benefits_by_period(status)
    if table.empty:
        return None
    now = pd.Period(status.as_of, freq=status.portfolio.freq)
    by_now = table[table.index <= now]
    return pd.Series(
        {
            "planned": by_now["planned"].sum(),
            "expected": by_now["expected"].sum(),
            "actual": by_now["actual"].sum() if "actual" in table else np.nan,
            "planned_in_all": table["planned"].sum(),
            "expected_in_all": table["expected"].sum(),
        },
        dtype=float,
    )


def _periods_late(status: Status) -> dict[str, int]:
    """Return by how many periods each running project is to end later than planned."""
    values, freq = status.indicators, status.portfolio.freq
    ends = values["finish_p50"].fillna(values["finish"])
    found = {}
    for name, end, planned in zip(
        values.index, ends, values["baseline_finish"], strict=True
    ):
        if pd.notna(end) and pd.notna(planned):
            moved = pd.Period(end, freq=freq).ordinal
            found[str(name)] = moved - pd.Period(planned, freq=freq).ordinal
    return found


def booked_shares(
    portfolio: Portfolio, start: str | date | pd.Timestamp, *, weeks: int = 26
) -> pd.DataFrame:
    """Return how much of each person's contract is booked, week by week.

    Parameters
    ----------
    start
        A day of the first week.
    weeks
        How many weeks.

    Returns
    -------
    DataFrame
        Index `person`, who is booked most first, columns weeks (PeriodIndex): bookings,
        soft and hard, over the shares of a contract in `people`; 1 = all of it, inf =
        booked without a contract there. Weekdays count from Monday to Friday; holidays
        and absences are not taken off. People whom the table does not list count as
        full time.
    """
    first = pd.Period(read_day(start), freq="W")
    periods = pd.period_range(first, periods=weeks, freq="W", name="week")
    mondays = periods.start_time.to_numpy().astype("datetime64[D]")
    booked = _by_week(portfolio.bookings, mondays)
    contract = _by_week(portfolio.people, mondays).reindex(booked.index)
    given = contract.fillna(1.0).to_numpy()
    wanted = booked.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(wanted > 0, wanted / given, 0.0)
    frame = pd.DataFrame(share, index=booked.index, columns=periods)
    frame = frame[(share > 0).any(axis=1)]
    order = np.lexsort((-frame.sum(axis=1).to_numpy(), -frame.max(axis=1).to_numpy()))
    return frame.iloc[order]


def _by_week(rows: pd.DataFrame, mondays: np.ndarray) -> pd.DataFrame:
    """Return the FTE of each person by week, from rows with a start and an end."""
    rows = rows.dropna(subset=["person"])
    begin = pd.to_datetime(rows["start"]).fillna(pd.Timestamp("1900-01-01"))
    end = pd.to_datetime(rows["end"]).fillna(pd.Timestamp("2200-01-01"))
    first = np.maximum(begin.to_numpy().astype("datetime64[D]")[:, None], mondays)
    after = end.to_numpy().astype("datetime64[D]")[:, None] + _DAY
    last = np.maximum(np.minimum(after, mondays + 5 * _DAY), first)
    days = np.busday_count(first, last) / 5.0
    fte = rows["fte"].fillna(1.0).to_numpy(dtype=float)[:, None]
    frame = pd.DataFrame(days * fte, index=pd.Index(rows["person"], name="person"))
    return frame.groupby(level=0).sum()
