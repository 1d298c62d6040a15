"""What moved between two plans, and why it could not stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.formats import called
from pmo_analytics.plan import Plan, read_starts
from pmo_analytics.rules import difference, find_violations, worth

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def plan_changes(
    old: Plan | pd.DataFrame | Mapping[str, object], new: Plan
) -> pd.DataFrame:
    """Return what a plan changes of an earlier one, project by project.

    Parameters
    ----------
    old
        The plan of record, a plan or a schedule (`project, start`). Projects that the
        new plan's portfolio does not have are left out.
    new
        The plan held against it.

    Returns
    -------
    DataFrame
        One row per project of either plan: `project`, `change` (`entering`, `leaving`,
        `moved`, `kept`), `from` and `to` (start, Period), `periods` (moved, later is
        positive), `worth_delta` (worth now less worth then, both as the new portfolio
        counts it) and `why`: of what moved or left, the first rule that would break in
        the new plan had it stayed; blank where none would, so that worth decided.

    Raises
    ------
    DataError
        If a row of the schedule has no project or no readable start.
    """
    portfolio = new.portfolio
    before = _starts(portfolio, old)
    after = dict(new.starts)
    was = worth(portfolio, before).to_dict()
    now = worth(portfolio, after).to_dict()
    present = _broken(new, after)
    rows: list[dict[str, Any]] = []
    changes = difference(before, after)
    for project in portfolio.projects["project"]:
        a, b = before.get(project), after.get(project)
        change = changes.get(project)
        if change is None:
            continue
        why = ""
        if a is not None and change in ("leaving", "moved"):
            why = _why(new, {**after, project: a}, present)
        rows.append(
            {
                "project": project,
                "change": change,
                "from": a,
                "to": b,
                "periods": b - a if a is not None and b is not None else None,
                "worth_delta": float(now.get(project, 0.0) - was.get(project, 0.0)),
                "why": why,
            }
        )
    return _table(portfolio, rows)


def _starts(
    portfolio: Portfolio, old: Plan | pd.DataFrame | Mapping[str, object]
) -> dict[str, int]:
    known = set(portfolio.projects["project"])
    if isinstance(old, Plan):
        old = old.schedule
    if isinstance(old, Mapping):
        return read_starts(portfolio, {p: s for p, s in old.items() if p in known})
    if "project" in old.columns:
        old = old[old["project"].isin(known)]
    return read_starts(portfolio, old)


def _broken(plan: Plan, starts: Mapping[str, int]) -> pd.DataFrame:
    bought = plan.purchases if plan.buys else None
    return find_violations(plan.portfolio, starts, strict=plan.strict, purchases=bought)


def _why(plan: Plan, starts: Mapping[str, int], present: pd.DataFrame) -> str:
    """Return the first rule that starts break and the plan does not."""
    key = ["rule", "subject", "period"]
    known = set(present[key].itertuples(index=False, name=None))
    table = _broken(plan, starts)
    for rule, subject, period, message in zip(
        table["rule"], table["subject"], table["period"], table["message"], strict=True
    ):
        if (rule, subject, period) not in known:
            return str(message)
    return ""


def _table(portfolio: Portfolio, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["project", "change", "from", "to", "periods", "worth_delta", "why"]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    first = portfolio.horizon[0].ordinal
    for side in ("from", "to"):
        ordinals = [pd.NaT if s is None else s + first for s in table[side]]
        table[side] = pd.Series(
            pd.PeriodIndex(
                [
                    o if o is pd.NaT else pd.Period(ordinal=int(o), freq=portfolio.freq)
                    for o in ordinals
                ],
                freq=portfolio.freq,
            ),
            index=table.index,
        )
    return table.astype(
        {
            "project": "str",
            "change": "str",
            "periods": "Int64",
            "worth_delta": np.float64,
            "why": "str",
        }
    )


def change_sentences(
    changes: pd.DataFrame, names: Mapping[str, str] | None = None
) -> list[str]:
    """Return one sentence per project that is entering, leaving or moved.

    Parameters
    ----------
    changes
        Of `plan_changes`.
    names
        Names by id, of those that have one.
    """
    sentences = []
    for row in changes.to_dict("records"):
        name = called(row["project"], names or {})
        if row["change"] == "entering":
            text = f"{name} enters and starts in {row['to']}."
        elif row["change"] == "leaving":
            text = f"{name} leaves; it was to start in {row['from']}."
        elif row["change"] == "moved":
            count = abs(row["periods"])
            text = f"{name} starts {count} period{'s' if count != 1 else ''} "
            text += "later" if row["periods"] > 0 else "earlier"
            text += f", in {row['to']} instead of {row['from']}."
        else:
            continue
        if row["why"]:
            text += f" Had it stayed: {row['why']}"
        sentences.append(text)
    return sentences
