"""The tables of some projects: what belongs to them, and what rules have left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, closest

# Rows of these belong to one project each.
_OWN = (
    *("demand", "spend", "benefits", "bookings", "baselines", "groups"),
    *("progress", "milestones"),
)


def chosen_rows(
    projects: pd.DataFrame,
    where: Callable[[pd.DataFrame], pd.Series[bool]] | None,
    columns: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the rows of `projects` for which everything holds.

    Parameters
    ----------
    where
        Function from the table to a boolean Series; None = all.
    columns
        Column -> value, or list of values.

    Raises
    ------
    ConfigError
        If a column is unknown.
    """
    keep = pd.Series(True, index=projects.index)
    if where is not None:
        keep &= where(projects).astype(bool)
    for column, value in columns.items():
        if column not in projects.columns:
            raise ConfigError(
                f"projects has no column '{column}'{closest(column, projects.columns)}."
            )
        if isinstance(value, (list, tuple, set, frozenset)):
            keep &= projects[column].isin(list(value))
        else:
            keep &= projects[column] == value
    return projects[keep.fillna(False)]


def tables_of(
    projects: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the tables in which projects are named, with the rows of some.

    Rules that name others go; a group asks for no more than it has left. Rows keep
    their labels.

    Parameters
    ----------
    projects
        The rows of `projects` that are kept.
    tables
        All tables of the portfolio, conformed.
    """
    names = set(projects["project"])
    kept = {t: tables[t][tables[t]["project"].isin(names)] for t in _OWN}
    # A group that lost members cannot ask for more than it has left.
    left = kept["groups"].groupby("group")["project"].transform("size")
    least = kept["groups"]["at_least"].clip(upper=left.astype("Int64"))
    kept["groups"] = kept["groups"].assign(at_least=least)
    # A sum that lost members is not the sum that its limits were meant for: what
    # is at most allowed of non-negative weights still is, the rest goes.
    rules = tables["rules"]
    lost = rules["rule"].isin(rules.loc[~rules["project"].isin(names), "rule"])
    mixed = rules["rule"].isin(rules.loc[rules["weight"] < 0, "rule"])
    rules = rules[rules["project"].isin(names) & ~(lost & mixed)]
    kept["rules"] = rules.assign(at_least=rules["at_least"].mask(lost))
    links = tables["dependencies"]
    links = links[links["project"].isin(names)]
    known = names | set(kept["groups"]["group"])
    kept["dependencies"] = links[links["requires"].isin(known)]
    for table in ("blackouts", "actuals"):
        about = tables[table]["project"]
        kept[table] = tables[table][about.isna() | about.isin(names)]
    return {"projects": projects, **kept}
