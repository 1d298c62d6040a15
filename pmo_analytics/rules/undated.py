"""What a baseline cannot count: work that is wanted and has no date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Projects that a sentence names.
_NAMED = 8


def not_counted(
    portfolio: Portfolio, status: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the projects that the dates of the tables leave out of the load.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    status
        The statuses that are asked for; None = all.

    Returns
    -------
    DataFrame
        `project, name, status`, `must` (has to be done: approved, or forced in),
        `fte` (most that it needs in one period, all roles together) and `reason`.
        Where approved work is asked for, what is forced in belongs to it.
    """
    rows = portfolio.projects
    windows = start_windows(rows, portfolio.horizon)
    live = (windows["state"] == "live").to_numpy()
    must = windows["must"].to_numpy()
    forced = (rows["force"] == "in").to_numpy(dtype=bool, na_value=False)
    undated = rows["start"].isna().to_numpy()
    asked, left = live, live & undated
    if status is not None:
        asked = live & rows["status"].isin(list(status)).to_numpy()
        left = asked & undated
        if "approved" in status:
            left |= live & ~asked & forced
    lacks = pd.Series("no start", index=rows.index, dtype="str")
    lacks = lacks.mask(~undated, "not approved")
    ordered = forced & ~rows["status"].isin(["approved", "running"]).to_numpy()
    reason = lacks.mask(ordered, "forced in, " + lacks)
    found = rows.loc[left, ["project", "name", "status"]].copy()
    found["must"] = must[left]
    found["fte"] = found["project"].map(_peaks(portfolio)).fillna(0.0).astype(float)
    found["reason"] = reason[left]
    return found.reset_index(drop=True)


def no_projects() -> pd.DataFrame:
    """Return the table of `not_counted` where everything is counted."""
    return pd.DataFrame(
        {
            "project": pd.Series(dtype="str"),
            "name": pd.Series(dtype="str"),
            "status": pd.Series(dtype="str"),
            "must": pd.Series(dtype="bool"),
            "fte": pd.Series(dtype="float64"),
            "reason": pd.Series(dtype="str"),
        }
    )


def _peaks(portfolio: Portfolio) -> pd.Series[float]:
    """Return the most FTE that a project needs in one period, by project."""
    sums = portfolio.demand.groupby(["project", "offset"])["fte"].sum()
    return sums.groupby("project").max()


def say_not_counted(table: pd.DataFrame) -> list[str]:
    """Return sentences on a table of `not_counted`; none where it is empty."""
    lines = []
    for must in (True, False):
        own = table[table["must"] == must]
        if own.empty:
            continue
        facts = own[["project", "status", "reason"]].itertuples(index=False)
        named = [f"{name} ({status}, {reason})" for name, status, reason in facts]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        what = f"{_amount(own, 'must' if must else 'may')}"
        lines.append(f"Not counted: {what}: {', '.join(named[:_NAMED])}{more}.")
    return lines


def short_not_counted(table: pd.DataFrame) -> str:
    """Return how much is not counted, for a title or a line; "" where all is."""
    must, may = table[table["must"]], int((~table["must"]).sum())
    parts = [_amount(must, "must")] if len(must) else []
    if may:
        parts.append(f"{may} project{'s' if may > 1 else ''} that may be")
    return ", ".join(parts)


def _amount(table: pd.DataFrame, verb: str) -> str:
    count, fte = len(table), float(table["fte"].sum())
    many = count > 1
    need = f" ({'up to ' if many else ''}{fte:.6g} FTE)" if fte else ""
    return f"{count} project{'s' if many else ''} that {verb} be done{need}"
