"""Projects that are the same in everything, so that a bound may take them in order.

Two candidates are twins where they have the same starts, worth, demand and spend, and
no dependency, group or rule names either. Exchanging their starts makes of an accepted
plan another one of the same worth; so of the best plans one has each set of twins in
order: a later one starts no earlier than the one before, and only beside it. A bound on
the plans in order is a bound on all plans. The order is written as dependencies of kind
`start_start` without lag, which certificates may then name; plans need not keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmo_analytics.optimization.checker.question import Dependency, Question


def order_twins(question: Question) -> list[tuple[str, str]]:
    """Add the order of twins to the dependencies; return (twin, the one before).

    Not where changes of a plan of record have a price, which differ between twins.
    """
    if question.record is not None:
        return []
    pairs = _pairs(question)
    for name, before in pairs:
        row = Dependency(
            project=name,
            requires=before,
            kind="start_start",
            lag=0,
            lag_max=None,
            single=True,
            known=True,
            targets=(before,),
            in_force=True,
        )
        question.dependencies.append(row)
        question.dependency_rows[name, before, row.kind] = row
    return pairs


def _pairs(question: Question) -> list[tuple[str, str]]:
    named = {name for row in question.dependencies for name in _names(row)}
    for group in question.groups.values():
        named.update(group.members)
    for rule in question.rules.values():
        named.update(rule.weights)
    last: dict[object, str] = {}
    pairs = []
    for name, project in question.projects.items():
        if project.state != "live" or project.why or project.kept or name in named:
            continue
        if not project.allowed:
            continue
        sameness = (
            project.duration,
            project.allowed,
            _amounts(question.demand.get(name, {})),
            _amounts(question.spend.get(name, {})),
            tuple(sorted(question.worth.amounts.get(name, {}).items())),
        )
        if sameness in last:
            pairs.append((name, last[sameness]))
        last[sameness] = name
    return pairs


def _names(row: Dependency) -> tuple[str, ...]:
    return row.project, row.requires, *row.targets


def _amounts(uses: Mapping[Any, list[tuple[int, int]]]) -> frozenset[object]:
    return frozenset((key, tuple(sorted(rows))) for key, rows in uses.items())
