"""How the starts of one plan differ from those of another: the words for it."""

from __future__ import annotations

from collections.abc import Mapping

# In the order in which they are told.
CHANGES = ("entering", "leaving", "moved", "kept")


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, str]:
    """Return what becomes of every project of either plan.

    Parameters
    ----------
    before, after
        Project -> start, whole periods after the same first one.

    Returns
    -------
    dict
        Project -> `entering`, `leaving`, `moved` or `kept`; those of the plan before
        come first, each in its order.

    Examples
    --------
    >>> difference({"A": 0, "B": 1}, {"B": 2, "C": 0})
    {'A': 'leaving', 'B': 'moved', 'C': 'entering'}
    """
    return {
        project: _change(before.get(project), after.get(project))
        for project in [*before, *(name for name in after if name not in before)]
    }


def _change(before: int | None, after: int | None) -> str:
    if before is None:
        return "entering"
    if after is None:
        return "leaving"
    return "kept" if before == after else "moved"
