"""Dependencies: whoever is selected has what it requires, in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name
from pmo_analytics.optimization.checker.families.family import Entry, Family
from pmo_analytics.optimization.checker.found import Selection, violation
from pmo_analytics.optimization.checker.proofs.charges import Charges
from pmo_analytics.optimization.checker.question import Dependency, Question


def check(question: Question, selection: Selection, rows: list[dict[str, Any]]) -> None:
    """Add what breaks dependencies."""
    starts, unread = selection.starts, selection.unread
    for row in question.dependencies:
        j = row.project
        if not row.in_force or (j not in starts and j not in unread):
            continue
        timed = row.kind != "selected"
        if timed and (j in unread or any(i in unread for i in row.targets)):
            continue  # the unreadable start is reported already
        chosen = [i for i in row.targets if i in starts or i in unread]
        spans = [_allowed_span(question, row, i, starts[i]) for i in chosen if timed]
        if chosen and not timed:
            continue
        if any(
            low <= starts[j] and (high is None or starts[j] <= high)
            for low, high, _ in spans
        ):
            continue
        wanted = f"'{row.requires}'" if row.single else f"a member of '{row.requires}'"
        found, limit, period = "", "", None
        if chosen:
            period, found = starts[j], question.text(starts[j])
            limit = "; ".join(text for _, _, text in spans[:5])
            text = (
                f"Project '{j}' starts in {found}, but it requires {wanted} "
                f"({row.kind}), which allows: {limit}."
            )
        elif not row.known:
            text = f"Project '{j}' requires '{row.requires}', which does not exist."
        elif not row.targets:
            text = f"Project '{j}' requires {wanted}, which can never be selected."
        else:
            text = f"Project '{j}' requires {wanted}, which is not selected."
        rows.append(violation("dependency", j, text, period, found, limit))


def _allowed_span(
    question: Question, row: Dependency, i: str, s: int
) -> tuple[int, int | None, str]:
    low, high = row.span(question.projects[i].duration)
    until = "on" if high is None else f"to {question.text(s + high)}"
    text = f"'{i}' from {question.text(s + low)} {until}"
    return s + low, None if high is None else s + high, text


def _dependency_of(question: Question, entry: Mapping[str, Any]) -> Dependency:
    """Return the dependency of an entry, whose form must be one that it has."""
    names = [read_name(entry[part]) or "" for part in ("project", "requires", "kind")]
    row = question.dependency_rows.get((names[0], names[1], names[2]))
    if row is None:
        raise ConfigError("there is no such dependency: " + ", ".join(names) + ".")
    form, t = entry["form"], entry.get("t", 0)
    if form != "selected" and row.kind == "selected":
        raise ConfigError(f"a dependency of kind 'selected' has no form '{form}'.")
    if form == "after" and (not row.single or row.lag_max is None):
        raise ConfigError("the form 'after' needs a single project and a lag_max.")
    if isinstance(t, bool) or not isinstance(t, int):
        raise ConfigError(f"t must be a whole number, not {t!r}.")
    return row


def charge(
    question: Question, charges: Charges, entry: Mapping[str, Any], units: int
) -> None:
    """Charge who asks, and pay who can serve."""
    row = _dependency_of(question, entry)
    if not row.in_force:
        return  # nothing is restricted: the row reads 0 <= 0
    form, t = entry["form"], entry.get("t", 0)
    j = row.project
    if form in ("selected", "after"):
        charges.step(j, math.inf, units)
    else:
        charges.step(j, t, units)
    if form == "at":
        charges.step(j, t - 1, -units)
    elif form == "after":
        _, high = row.span(question.projects[row.requires].duration)
        charges.step(j, t + (high or 0), -units)
    for i in row.targets:
        low, high = row.span(question.projects[i].duration)
        if form in ("selected", "after"):
            charges.step(i, math.inf, -units)
        else:
            charges.step(i, t - low, -units)
        if form == "after":
            charges.step(i, t, units)
        elif form == "at" and high is not None:
            charges.step(i, t - high - 1, units)


DEPENDENCIES = Family(
    check,
    {"dependency": Entry(("project", "requires", "kind", "form"), charge)},
)
