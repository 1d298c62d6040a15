"""Projects that come together or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def all_or_none(groups: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the sets of projects that `all_or_none` groups tie to each other.

    Groups that share a project are one set.

    Parameters
    ----------
    groups
        Table `groups`.
    """
    rows = groups[groups["rule"] == "all_or_none"].dropna(subset=["group", "project"])
    sets: list[dict[str, None]] = []
    for _, members in rows.groupby("group", sort=False)["project"]:
        joined = dict.fromkeys(str(member) for member in members)
        apart = []
        for known in sets:
            if known.keys() & joined.keys():
                joined = {**known, **joined}
            else:
                apart.append(known)
        sets = [*apart, joined]
    return [tuple(members) for members in sets]


def rows_of(members: Sequence[str], number: dict[str, int]) -> list[int]:
    """Return the numbers of those that have one."""
    return [number[member] for member in members if member in number]
