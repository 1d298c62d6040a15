"""Changes of projects: dates, selection, worth, effort, new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.scenarios.change import (
    Names,
    When,
    change,
    chosen_projects,
    known_names,
    number_of,
    period_of,
    whole_of,
)
from pmo_analytics.tables import TABLES

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# What moves with a project's clock, and the column that is moved.
_BY_OFFSET = {"demand": "fte", "spend": "amount", "benefits": "amount"}
_MOST_PERIODS = 1200


@change
def delay(portfolio: Portfolio, project: Names, periods: int) -> Portfolio:
    """Let projects slip: everything they may still do comes so many periods later.

    The planned start and the window move; a deadline stays. Of a running project
    what lies behind stays and the rest of its work waits. Negative periods bring a
    project forward, which a running one cannot do.

    Parameters
    ----------
    project
        Key of the project.
    periods
        By how many whole periods; negative = earlier.
    """
    meant = chosen_projects(portfolio, project)
    periods = whole_of(periods, "periods")
    running = meant & (portfolio.projects["status"] == "running")
    if running.any() and periods < 0:
        name = portfolio.projects.loc[running, "project"].iat[0]
        raise ConfigError(
            f"'{name}' is running: it can slip, but not start earlier than it did."
        )
    rows = portfolio.projects.copy()
    waiting = meant & ~running
    dated = waiting & rows["start"].notna()
    windowed = rows["earliest"].notna() | rows["latest"].notna()
    approved = rows["status"] == "approved"
    # An approved project with a start and no window keeps its start: moved, it is
    # enough. All others get a window that begins later.
    floor = waiting & (rows["earliest"].notna() | ~(approved & dated & ~windowed))
    begin = rows["earliest"].fillna(portfolio.horizon[0])
    for column, cells, value in (
        ("start", dated, rows["start"]),
        ("latest", waiting & rows["latest"].notna(), rows["latest"]),
        ("earliest", floor, begin),
    ):
        rows.loc[cells, column] = value[cells] + periods
    moved = portfolio.replace(projects=rows)
    return _running_later(moved, running, periods)


def _running_later(
    portfolio: Portfolio, running: pd.Series[bool], periods: int
) -> Portfolio:
    """Let the work of running projects that is left wait for some periods."""
    if not running.any() or not periods:
        return portfolio
    rows = portfolio.projects.copy()
    first = portfolio.horizon[0].ordinal
    behind = {
        name: max(first - start.ordinal, 0)
        for name, start in rows.loc[running, ["project", "start"]].itertuples(
            index=False
        )
        if not pd.isna(start)
    }
    rows.loc[running, "duration"] += periods
    changes: dict[str, pd.DataFrame] = {"projects": rows}
    for table in _BY_OFFSET:
        frame = portfolio.tables[table].copy()
        since = frame["project"].map(behind)
        later = since.notna() & (frame["offset"] >= since.fillna(0))
        frame.loc[later, "offset"] += periods
        changes[table] = frame
    return portfolio.replace(**changes)


@change
def drop(portfolio: Portfolio, project: Names, reason: str = "") -> Portfolio:
    """Stop or cancel projects: they use nothing and are worth nothing.

    Parameters
    ----------
    project
        Key of the project.
    reason
        Why; stands in `force_reason`.
    """
    return _decided(portfolio, project, "out", reason or "dropped")


@change
def exclude(portfolio: Portfolio, project: Names, reason: str = "") -> Portfolio:
    """Keep projects out (`force` = out).

    Parameters
    ----------
    project
        Key of the project.
    reason
        Why; stands in `force_reason`.
    """
    return _decided(portfolio, project, "out", reason or "excluded")


@change
def require(
    portfolio: Portfolio, project: Names, start: When = None, reason: str = ""
) -> Portfolio:
    """Have projects in, whatever they are worth (`force` = in).

    Parameters
    ----------
    project
        Key of the project.
    reason
        Why; stands in `force_reason`.
    start
        Period in which they have to start; blank = any that is allowed.
    """
    decided = _decided(portfolio, project, "in", reason or "required")
    when = period_of(start, portfolio, "start")
    if when is None:
        return decided
    rows = decided.projects.copy()
    meant = chosen_projects(portfolio, project)
    rows.loc[meant, ["start", "earliest", "latest"]] = when
    return decided.replace(projects=rows)


def _decided(
    portfolio: Portfolio, project: Names, force: str, reason: str
) -> Portfolio:
    rows = portfolio.projects.copy()
    meant = chosen_projects(portfolio, project)
    rows.loc[meant, "force"] = force
    rows.loc[meant, "force_reason"] = reason
    return portfolio.replace(projects=rows)


@change
def change_project(portfolio: Portfolio, project: Names, **columns: Any) -> Portfolio:
    """Write cells of `projects`: `status = "approved"`, `deadline = "2028-06"` ...

    An empty text blanks a cell.

    Parameters
    ----------
    project
        Key of the project.
    columns
        Columns of `projects` with their new values.
    """
    known = [c for c in TABLES["projects"].columns if c != "project"]
    unknown = [c for c in columns if c not in known]
    if unknown:
        raise ConfigError(
            f"projects has no column '{unknown[0]}'{closest(unknown[0], known)}."
        )
    if not columns:
        raise ConfigError(f"change_project needs a column: {', '.join(known)}.")
    meant = chosen_projects(portfolio, project)
    rows = portfolio.projects.astype(object)
    for column, value in columns.items():
        rows.loc[meant, column] = None if value == "" else value
    return portfolio.replace(projects=rows)


@change
def change_value(
    portfolio: Portfolio,
    project: Names | None = None,
    factor: float = 1.0,
    add: float = 0.0,
    theme: str | None = None,
    program: str | None = None,
) -> Portfolio:
    """Change what projects are worth: `factor` x value and benefits, then `add`.

    Parameters
    ----------
    factor
        What each value and benefit is multiplied by.
    project, theme, program
        Which projects; all that match, all where nothing is named.
    add
        Currency or score added to `value`.
    """
    meant = chosen_projects(portfolio, project, theme, program)
    scale, more = number_of(factor, "factor"), number_of(add, "add")
    rows = portfolio.projects.copy()
    rows.loc[meant, "value"] = rows.loc[meant, "value"] * scale
    if more:
        rows.loc[meant, "value"] = rows.loc[meant, "value"].fillna(0.0) + more
    benefits = portfolio.benefits.copy()
    theirs = benefits["project"].isin(rows.loc[meant, "project"])
    benefits.loc[theirs, "amount"] *= scale
    return portfolio.replace(projects=rows, benefits=benefits)


@change
def change_demand(
    portfolio: Portfolio,
    factor: float,
    project: Names | None = None,
    role: Names | None = None,
    theme: str | None = None,
    program: str | None = None,
) -> Portfolio:
    """Multiply the demand of projects, of all their roles where none is named.

    Parameters
    ----------
    factor
        What each FTE of demand is multiplied by.
    project, role, theme, program
        Only demand of these; None = of all.
    """
    meant = chosen_projects(portfolio, project, theme, program)
    rows = portfolio.demand.copy()
    theirs = rows["project"].isin(portfolio.projects.loc[meant, "project"])
    if role is not None:
        known = list(dict.fromkeys(rows["role"]))
        theirs &= rows["role"].isin(known_names(role, known, "role with demand"))
    scaled = rows.loc[theirs, "fte"] * number_of(factor, "factor", 0.0)
    rows.loc[theirs, "fte"] = scaled.round(12)
    return portfolio.replace(demand=rows)


@change
def scale_duration(
    portfolio: Portfolio,
    factor: float,
    project: Names | None = None,
    theme: str | None = None,
    status: str | None = None,
    keep: str = "effort",
) -> Portfolio:
    """Stretch or shorten projects; durations are rounded up to whole periods.

    Of a running project only the periods that are left are scaled.

    Parameters
    ----------
    factor
        What each duration is multiplied by, rounded to whole periods.
    project, theme, status
        Only projects of these; None = all.
    keep
        `effort`: the same person-periods over more or fewer periods. `fte`: as many
        people as before, for longer. Money keeps its amount either way; benefits
        come later by as much as the finish.
    """
    scale = number_of(factor, "factor", 0.01)
    if keep not in ("effort", "fte"):
        raise ConfigError(f"keep is 'effort' or 'fte', not {keep!r}.")
    rows = portfolio.projects.copy()
    meant = chosen_projects(portfolio, project, theme, None, status)
    meant &= rows["duration"].notna() & ~rows["status"].isin(["done", "cancelled"])
    first = portfolio.horizon[0].ordinal
    spans: dict[str, tuple[int, int, int]] = {}
    for at in rows.index[meant]:
        behind = 0
        if rows.at[at, "status"] == "running" and not pd.isna(rows.at[at, "start"]):
            behind = max(first - rows.at[at, "start"].ordinal, 0)
        old = max(int(rows.at[at, "duration"]) - behind, 0)
        # 1e-9: a factor of 1.2 on 10 periods is 12, not 13.
        new = max(int(np.ceil(old * scale - 1e-9)), 1) if old else 0
        if behind + new > _MOST_PERIODS:
            raise ConfigError(
                f"'{rows.at[at, 'project']}' would last {behind + new} periods."
            )
        spans[rows.at[at, "project"]] = (behind, old, new)
        rows.at[at, "duration"] = behind + new
    return portfolio.replace(
        projects=rows,
        demand=_spread(portfolio.demand, "fte", spans, keep == "fte"),
        spend=_spread(portfolio.spend, "amount", spans, False),
        benefits=_after_finish(portfolio.benefits, spans),
    )


def _spread(
    frame: pd.DataFrame,
    column: str,
    spans: Mapping[str, tuple[int, int, int]],
    keep_rate: bool,
) -> pd.DataFrame:
    """Return rows with profiles drawn out over other spans, sums kept.

    The profile counts as flat inside each period: what lay in old period k falls on
    the stretch [k, k + 1) x new / old.
    """
    touched = frame["project"].isin([p for p, (_, a, b) in spans.items() if a != b])
    if not touched.any():
        return frame
    keys = [c for c in frame.columns if c not in ("offset", column)]
    rows: list[pd.DataFrame] = [frame[~touched]]
    for _, part in frame[touched].groupby(keys, dropna=False, sort=False):
        behind, old, new = spans[part["project"].iat[0]]
        offset = part["offset"].to_numpy(dtype=np.int64)
        amount = part[column].to_numpy(dtype=float)
        inside = (offset >= behind) & (offset < behind + old)
        profile = np.zeros(old)
        np.add.at(profile, offset[inside] - behind, amount[inside])
        # What is spread up to the end of each new period is what lay before it.
        ends = np.arange(new + 1) * (old / new)
        total = np.interp(ends, np.arange(old + 1), np.append(0.0, profile.cumsum()))
        drawn = np.diff(total) * (new / old if keep_rate else 1.0)
        at = np.flatnonzero(drawn > 1e-12)
        kept = part[~inside].copy()
        # What comes after the finish still comes after it.
        kept.loc[kept["offset"] >= behind + old, "offset"] += new - old
        fresh = pd.DataFrame({"offset": at + behind, column: drawn[at].round(12)})
        for key in keys:
            fresh[key] = part[key].iat[0]
        rows += [kept, fresh[list(frame.columns)].astype(frame.dtypes.to_dict())]
    return pd.concat(rows, ignore_index=True)


def _after_finish(
    benefits: pd.DataFrame, spans: Mapping[str, tuple[int, int, int]]
) -> pd.DataFrame:
    """Return benefits that come as much later as their project's finish."""
    rows = benefits.copy()
    longer = rows["project"].map({p: b - a for p, (_, a, b) in spans.items()})
    behind = rows["project"].map({p: past for p, (past, _, _) in spans.items()})
    moves = longer.notna() & (rows["offset"] >= behind.fillna(0))
    offset = rows["offset"] + longer.fillna(0).astype("Int64")
    rows["offset"] = rows["offset"].where(~moves, offset.clip(lower=0))
    keys = ["project", "offset"]
    if rows.duplicated(keys).any():  # shorter: two may fall on one offset
        others = {c: "first" for c in rows.columns if c not in (*keys, "amount")}
        rows = rows.groupby(keys, as_index=False, sort=False).agg(
            {"amount": "sum", **others}
        )[list(benefits.columns)]
    return rows


@change
def add_project(
    portfolio: Portfolio,
    project: str,
    duration: int,
    demand: Mapping[str, Any] | None = None,
    spend: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Portfolio:
    """Add a project, a proposed one unless `status` says otherwise.

    Parameters
    ----------
    project
        Key of the new project.
    duration
        How long it lasts, whole periods.
    demand
        Role -> FTE in every period of the project, or a list with one number for
        each.
    spend
        Fund -> amount spread evenly over the project, or a list by period.
    **columns
        Further columns of `projects`, such as `value` or `theme`.
    """
    if project in set(portfolio.projects["project"]):
        raise ConfigError(f"There is a project '{project}' already.")
    known = [c for c in TABLES["projects"].columns if c not in ("project", "duration")]
    unknown = [c for c in columns if c not in known]
    if unknown:
        raise ConfigError(
            f"projects has no column '{unknown[0]}'{closest(unknown[0], known)}."
        )
    periods = whole_of(duration, "duration", 1)
    roles = [*portfolio.capacity.columns, *portfolio.demand["role"].unique()]
    wanted = [
        {"project": project, "role": role, "offset": k, "fte": fte}
        for role, given in (demand or {}).items()
        for k, fte in enumerate(_profile(given, periods, f"demand of {role}"))
        if known_names(role, list(dict.fromkeys(roles)), "role") and fte
    ]
    paid = [
        {"project": project, "fund": fund, "offset": k, "amount": amount}
        for fund, given in (spend or {}).items()
        for k, amount in enumerate(
            _profile(given, periods, f"spend of {fund}", whole=True)
        )
        if amount
    ]
    own = {"project": project, "status": "proposed", "duration": periods, **columns}
    return portfolio.replace(
        projects=_more(portfolio.projects, [own]),
        demand=_more(portfolio.demand, wanted),
        spend=_more(portfolio.spend, paid),
    )


def _profile(
    given: Any, periods: int, what: str, *, whole: bool = False
) -> list[float]:
    """Return one number per period of a number or a list."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        if len(given) > periods:
            raise ConfigError(
                f"{what} has {len(given)} numbers for {periods} periods of work."
            )
        return [number_of(value, what, 0.0) for value in given]
    number = number_of(given, what, 0.0)
    return [number / periods if whole else number] * periods


def _more(frame: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table with further rows."""
    if not rows:
        return frame
    fresh = pd.DataFrame(rows, dtype=object).reindex(columns=frame.columns)
    return pd.concat([frame.astype(object), fresh], ignore_index=True)
