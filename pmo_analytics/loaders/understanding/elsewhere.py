"""Columns that are of no use in their table, but would be in another one."""

from __future__ import annotations

from collections.abc import Sequence

from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.findings import Place, Problem
from pmo_analytics.loaders.understanding.gates import is_gate
from pmo_analytics.loaders.understanding.headings import (
    Heading,
    known_columns,
    shortened,
)

# As Jira calls its fields, by the names of its columns and of its interface.
_JIRA_TIMES = frozenset(
    fold(word)
    for field in ("timespent", "timeestimate", "timeoriginalestimate")
    for word in (field, f"aggregate{field}")
) | frozenset(
    fold(sign + words)
    for words in ("Time Spent", "Original Estimate", "Remaining Estimate")
    for sign in ("", "Σ ")
)
_LISTED = 5


def elsewhere(
    headings: Sequence[Heading], place: Place, row: int, *, gates_read: bool = False
) -> list[Problem]:
    """Return warnings of columns that are not read here, and where they are.

    Colours are not moved: whose counts, and of which day it is, no heading says.

    Parameters
    ----------
    headings
        Of the table, as they were understood.
    place, row
        Where the row of headings is.
    gates_read
        Whether dates of gates became rows of `milestones`.
    """
    free = [h.text for h in headings if not h.known]
    problems = []
    if place.table == "projects":
        colours = [t for t in free if known_columns("progress", [t]) == ["rag"]]
        problems += _warning(
            place,
            row,
            colours,
            "colours are read from 'progress', a row a project and day: project, "
            "as_of, rag. Of two columns of colours keep one, or put both into one.",
        )
        gates = [t for t in free if is_gate(t)]
        problems += _warning(
            place,
            row,
            gates,
            "Read into 'milestones', rows of the kind gate: each counts as reached on "
            "its day, and before that day as forecast. What was promised, and what is "
            "late, only a table 'milestones' of yours can say."
            if gates_read
            else "dates of gates are read from 'milestones', a row a gate: project, "
            "milestone, as_of, and forecast or actual.",
        )
    if place.table in ("projects", "actuals", "demand", "progress"):
        times = [t for t in free if fold(t) in _JIRA_TIMES]
        problems += _warning(
            place,
            row,
            times,
            "Jira exports these times in seconds, sums (Σ) with those of subtasks. "
            "Divide them by 3600 before you head them 'hours' (actuals, demand) or "
            "'remaining_hours' (progress).",
        )
    return problems


def _warning(place: Place, row: int, texts: Sequence[str], what: str) -> list[Problem]:
    if not texts:
        return []
    found = ", ".join(shortened(text) for text in texts[:_LISTED])
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return [
        place.warning(
            "column_of_another_table",
            row=row,
            found=found + more,
            fix=what if what.startswith("Read into") else f"Not read here: {what}",
        )
    ]
