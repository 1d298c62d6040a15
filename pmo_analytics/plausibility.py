"""What can be read and is hardly meant: other units, people twice over, twins of names.

Every function takes conformed tables and returns rows of the problems table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import listing, problem
from pmo_analytics.windows import live_projects

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.periods import Settings

Problem = dict[str, Any]
Tables = dict[str, "pd.DataFrame"]


def check_chances(tables: Tables, settings: Settings) -> list[Problem]:
    """Return projects that count in full although worth counts times probability."""
    projects = tables["projects"]
    if not settings.weigh_by_probability:
        return []
    blank = projects[live_projects(projects) & projects["probability"].isna()]
    if blank.empty:
        return []
    return [
        problem(
            "warning",
            "projects",
            "no_probability",
            row=blank.index[0],
            column="probability",
            found=f"{len(blank)} projects",
            fix="Worth counts times probability, and a project without one counts in "
            f"full: {listing(blank['project'])}.",
        )
    ]
