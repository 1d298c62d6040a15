"""What a status can be worked out from: rows without errors, a day, the projects."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, DataError, listing, problems_table
from pmo_analytics.portfolio import Portfolio, check_portfolio

# Tables of which a row can go without making a project look other than it is planned.
_OWN = ("progress", "milestones", "sprints", "actuals", "baselines")
# Tables of which a project needs every row: a part of its money is another budget.
_WHOLE = ("spend",)
# A status date so far after all others, and after the horizon, is not taken for today.
_ALONE = pd.Timedelta(days=183)
# A day that one of so many projects alone has reached, so long after all others.
_FEW, _MONTH = 3, pd.Timedelta(days=31)
# Cells of a report without which the rest of it holds.
_BESIDES = (
    *("planned_value", "earned_value", "actual_cost", "actual_hours"),
    *("remaining_hours", "forecast_finish", "rag", "comment", "author"),
)


def sound_part(
    portfolio: Portfolio, *, plans: bool = False
) -> tuple[Portfolio, pd.DataFrame]:
    """Return a portfolio without the rows of status that have errors, and those.

    Of a report, cells that the rest does not need go alone. Spend that has errors goes
    for the whole project.

    Parameters
    ----------
    plans
        Plans are made of what is returned: errors in spend are refused as well.

    Raises
    ------
    DataError
        If there are errors in other tables, or of whole columns.
    """
    problems = check_portfolio(portfolio)
    errors = problems[problems["severity"] == "error"]
    if errors.empty:
        return portfolio.snapshot(), errors
    ours = _OWN if plans else (*_OWN, *_WHOLE)
    row_of_ours = errors["table"].isin(ours) & errors["row"].notna()
    if not row_of_ours.all():
        raise DataError(problems)
    kept = {}
    for table, wrong in errors.groupby("table"):
        frame = portfolio.tables[str(table)]
        source = portfolio.sources.get(str(table))
        cells = wrong["column"].isin(_BESIDES) & (table == "progress")
        frame = frame.copy()
        for column, own in wrong[cells].groupby("column"):
            bad = _at(frame, source, set(own["row"]))
            frame[column] = frame[column].mask(bad)
        gone = _at(frame, source, set(wrong.loc[~cells, "row"]))
        if table in _WHOLE:
            gone = frame["project"].isin(frame.loc[gone, "project"].dropna()) | gone
        kept[str(table)] = frame[~gone]
    cell = (errors["table"] == "progress") & errors["column"].isin(_BESIDES)
    for which, without in (
        (errors["table"].isin(_WHOLE), "the spend of this project"),
        (cell, "this cell"),
    ):
        said = errors["fix"] + f" The status does without {without}."
        errors = errors.assign(fix=errors["fix"].mask(which, said))
    return portfolio.replace(**kept), problems_table(errors.to_dict("records"))


def _at(frame: pd.DataFrame, source: pd.DataFrame | None, rows: set[Any]) -> Any:
    """Return which lines of a table are of these rows of its file."""
    if source is None:
        return frame.index.isin(rows)
    return frame.index.isin(source.index[source["row"].isin(rows)])


def read_day(day: str | date | pd.Timestamp) -> pd.Timestamp:
    """Return a day that is given as text, 2027-03-31, or as a date.

    Raises
    ------
    ConfigError
        If it is none.
    """
    try:
        read = date.fromisoformat(day) if isinstance(day, str) else day
        return pd.Timestamp(read).normalize()
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{day!r} is no date: write 2027-03-31.") from error


def last_known_day(portfolio: Portfolio) -> pd.Timestamp:
    """Return the newest day on which something was reported.

    A day after the horizon that stands half a year beyond all others is a mistyped one.

    Raises
    ------
    ConfigError
        If nothing was: then the day has to be named.
    """
    days = pd.concat([portfolio.progress["as_of"], portfolio.milestones["as_of"]])
    known = days.dropna().drop_duplicates().sort_values()
    while len(known) > 1:
        alone = known.iloc[-1] - known.iloc[-2] > _ALONE
        if not alone or known.iloc[-1] <= portfolio.horizon[-1].end_time:
            break
        known = known.iloc[:-1]
    if len(known):
        return pd.Timestamp(known.iloc[-1])
    raise ConfigError(
        "No report and no milestone has a date, so it is not known of which day the "
        "status is: name it, --as-of 2027-03-31 (as_of=)."
    )


def said_of_newest_day(portfolio: Portfolio, day: pd.Timestamp) -> tuple[str, ...]:
    """Return what is to be known of a day that was not named, where it stands alone.

    A single project that reports more than a month after all others moves the day for
    all of them: their reports are old by it.
    """
    told = [
        portfolio.progress[["project", "as_of"]],
        portfolio.milestones[["project", "as_of"]],
    ]
    days = pd.concat(told).dropna().groupby("project")["as_of"].max()
    days = days[days <= day].sort_values()
    if len(days) < _FEW or days.iloc[-1] - days.iloc[-2] <= _MONTH:
        return ()
    return (
        f"The day is the newest status date, of '{days.index[-1]}' alone; all others "
        f"end by {days.iloc[-2]:%Y-%m-%d}. Another day: --as-of (as_of=).",
    )


def projects_on(portfolio: Portfolio, day: pd.Timestamp) -> tuple[list[str], list[str]]:
    """Return the projects whose status on a day is asked for, and what is to be said.

    They are those that run; approved and paused ones that were reported on; and what is
    done now and was reported as not done then.
    """
    projects = portfolio.projects.dropna(subset=["project"])
    told = portfolio.progress.dropna(subset=["project", "as_of"])
    before = told[told["as_of"] <= day].sort_values("as_of", kind="stable")
    last = before.drop_duplicates("project", keep="last").set_index("project")
    after = set(told.loc[told["as_of"] > day, "project"])
    percent: dict[Any, float] = last["percent_complete"].to_dict()
    names = []
    for name, state, start in zip(
        projects["project"], projects["status"], projects["start"], strict=True
    ):
        begun = name in percent or not (pd.notna(start) and start.start_time > day)
        running = state == "running" and (begun or name not in after)
        reported = state in ("approved", "paused") and name in percent
        then = state == "done" and name in after and percent.get(name, 100.0) < 100
        if running or reported or then:
            names.append(str(name))
    notes = []
    later = int((told["as_of"] > day).sum())
    if later:
        notes.append(f"Reports of days after {day:%Y-%m-%d}, not used: {later}.")
    for what, rows in (
        ("Reports", told),
        ("Milestones", portfolio.milestones),
        ("Hours or costs", portfolio.actuals),
    ):
        strange = rows["project"].dropna()
        strange = strange[~strange.isin(projects["project"])].unique()
        if len(strange):
            notes.append(f"{what} of unknown projects: {listing(strange, 3)}.")
    dates = portfolio.milestones[["baseline", "forecast", "actual"]]
    if bare := int(dates.isna().all(axis=1).sum()):
        notes.append(f"Milestones without any date, not used: {bare}.")
    begun_by = [pd.notna(s) and s.end_time <= day for s in projects["start"]]
    waiting = (projects["status"] == "approved") & ~projects["project"].isin(names)
    started = projects[waiting & pd.Series(begun_by, index=projects.index)]
    if len(started):
        which = listing(started["project"], 3)
        notes.append(f"Approved, should have begun, and no report: {which}.")
    return names, notes
