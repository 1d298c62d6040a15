"""The status of the projects every night, and its trend without typing."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from pmo_analytics.batch.config import StatusSettings
from pmo_analytics.errors import DataError, describe_problems, problems_table
from pmo_analytics.loaders import load_portfolio, read_portfolio
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking import Status, edited_since, sound_part, status

_LOG = logging.getLogger(__name__)


def read_sound(path: Path) -> tuple[Portfolio, pd.DataFrame]:
    """Return the portfolio, and the rows of status in it that could not be used."""
    try:
        return read_portfolio(path), problems_table([])
    except DataError as error:
        read, left_out = sound_part(load_portfolio(path), plans=True)
        if left_out.empty:
            raise
        for line in describe_problems(left_out).splitlines():
            _LOG.warning("left out of the status: %s", line)
        warnings = error.problems[error.problems["severity"] != "error"]
        object.__setattr__(read, "problems", warnings.reset_index(drop=True))
        return read, left_out


def status_of(
    settings: StatusSettings, portfolio: Portfolio, day: date, kept: pd.DataFrame
) -> Status | None:
    """Return the status on a day, with what changed since the last one that was kept.

    None where it is not asked for, or nothing was ever reported.

    Parameters
    ----------
    portfolio
        As it was read: nothing after the day is used.
    kept
        Statuses of former nights.
    """
    told = portfolio.progress["as_of"].notna().any() or len(portfolio.milestones)
    if not settings.run or not told:
        return None
    earlier = sorted(d for d in set(kept.get("as_of", ())) if d < day.isoformat())
    found = status(
        portfolio,
        as_of=day,
        since=earlier[-1] if earlier else None,
        rules=settings.rules or None,
        earned=settings.earned,
    )
    if found.changes is None:
        return found
    before = kept[kept["as_of"] == earlier[-1]].set_index("project")
    changes = pd.concat([found.changes, edited_since(before, found)])
    changes = changes.drop_duplicates(["project", "what", "after"], ignore_index=True)
    return replace(found, changes=changes)


def status_tables(found: Status, kept: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the files of a status: projects, milestones, changes, trend.

    Parameters
    ----------
    kept
        Statuses of nights; those of former days, and this one, are the trend.
    """
    day = f"{found.as_of:%Y-%m-%d}"
    projects = found.indicators.drop(columns="notes").reset_index()
    tables = {"status.csv": projects, "milestones.csv": found.milestones}
    if len(found.left_out):
        tables["status_left_out.csv"] = found.left_out
    if found.changes is not None:
        tables["status_changes.csv"] = found.changes
    tables["status_trend.csv"] = status_trend(
        pd.concat(
            [
                kept[kept["as_of"] < day] if len(kept) else kept,
                projects.assign(as_of=day),
            ],
            ignore_index=True,
        )
    )
    return tables


def status_trend(kept: pd.DataFrame) -> pd.DataFrame:
    """Return how many projects were of each colour on each day that was kept.

    Returns
    -------
    DataFrame
        Columns `as_of, projects, red, amber, green, not_known`, then `said_red,
        said_amber, said_green`: as a human reported them.
    """
    rows = []
    for day, own in kept.groupby("as_of", sort=True):
        colours = ("red", "amber", "green")
        rows.append(
            {
                "as_of": day,
                "projects": len(own),
                **{c: int((own["rag"] == c).sum()) for c in colours},
                "not_known": int(own["rag"].isna().sum()),
                **{f"said_{c}": int((own["reported"] == c).sum()) for c in colours},
            }
        )
    return pd.DataFrame(rows)
