"""Which category a project belongs to on a chart, its label and its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan
from pmo_analytics.plotting.fonts import plain
from pmo_analytics.plotting.looks import one_of

# Committed work first: it lies at the bottom of a stack.
_STATUS_ORDER = (
    "running",
    "approved",
    "proposed",
    "paused",
    "idea",
    "cancelled",
    "done",
)


def project_labels(plan: Plan) -> pd.Series[Any]:
    """Return what to call each project, Series by project: its name where it has one.

    Names that occur twice carry the id as well.
    """
    projects = plan.portfolio.projects
    ids = projects["project"]
    names = projects["name"].fillna("").map(plain)
    names = names.where(names != "", ids)
    twice = names.duplicated(keep=False)
    labels = names.where(~twice, names + " (" + ids + ")")
    return labels.set_axis(pd.Index(ids, name="project"))


def categories(
    plan: Plan, by: str, *, argument: str = "by", more: Sequence[str] = ()
) -> pd.Series[Any]:
    """Return the category of each project as text, Series by project.

    Parameters
    ----------
    by
        `project`, or a text column of the projects table.
    argument, more
        What the caller's argument is called, and what else it may be, for the
        error.

    Raises
    ------
    ConfigError
        If there is no such column.
    """
    if by == "project":
        return project_labels(plan)
    projects = plan.portfolio.projects
    # Only text sorts projects into few classes; numbers and dates do not.
    usable = [
        str(c) for c in projects.columns if pd.api.types.is_string_dtype(projects[c])
    ]
    one_of(argument, by, [*more, *usable])
    own = filled(projects[by], f"no {by}")
    return own.set_axis(pd.Index(projects["project"], name="project"))


def filled(column: pd.Series[Any], blank: str) -> pd.Series[Any]:
    """Return a column as texts, `blank` where it has none."""
    texts = column.astype(object).map(plain, na_action="ignore")
    return texts.where(texts.notna(), blank)


def category_order(plan: Plan, by: str) -> list[str]:
    """Return every category of the portfolio in the order that colours follow."""
    found = list(dict.fromkeys(categories(plan, by)))
    if by == "status":
        ranks = {status: i for i, status in enumerate(_STATUS_ORDER)}
        return list(_STATUS_ORDER[:5]) + [
            status
            for status in sorted(found, key=lambda s: ranks.get(s, 99))
            if status not in _STATUS_ORDER[:5]
        ]
    blank = f"no {by}"
    return [c for c in found if c != blank] + [c for c in found if c == blank]


def check_role(plan: Plan, role: str) -> str:
    """Return the role if the plan has it.

    Raises
    ------
    ConfigError
        If it has not.
    """
    roles = list(plan.load.columns)
    if not roles:
        raise ConfigError(f"There is no role '{role}': the portfolio has no roles.")
    return one_of("role", role, roles)
