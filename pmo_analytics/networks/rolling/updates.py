"""Updates of one project among planning files: the newest counts, the others tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pandas as pd

from pmo_analytics.errors import folded, listing, problem
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling import facts

# Share of the activities, by id and name, that two updates of a project have in common;
# and what two projects have that are perhaps updates of one.
_ALIKE, _VERY_ALIKE = 0.5, 0.8
# Fewer activities in common say nothing.
_FEW = 10
# What people put behind the name of an update: a day, or its number.
_DATED = re.compile(
    r"(?:19|20)\d\d[-._/ ]?\d\d?[-._/ ]?\d\d?|\d\d?[-._/ ]\d\d?[-._/ ](?:19|20)?\d\d"
    r"|\b(?:update|upd|rev|revision|version|v)[-._ ]?\d+\b",
    re.IGNORECASE,
)


@dataclass
class Updates:
    """Networks that count, and older ones of the same projects.

    Parameters
    ----------
    newest
        In the order in which they were given.
    older
        (place in `newest`, network), the oldest of a project first.
    problems
        What was taken for an update of what.
    """

    newest: list[Network] = field(default_factory=list)
    older: list[tuple[int, Network]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


def split_updates(networks: Sequence[Network]) -> Updates:
    """Return networks, those apart that are older updates of another.

    Updates have one project id (or ids, or names, that are one but for the day of the
    update), data dates on different days, and at least half of their activities in
    common. Where that is not so they are projects of their own; those that are very
    much alike are told.
    """
    found = Updates()
    clusters = [[number] for number in range(len(networks))]
    for name in (_id, _undated_id, _undated_name):
        clusters = _joined(networks, clusters, name)
    order = {numbers[-1]: numbers[:-1] for numbers in clusters}
    gone = {k for numbers in order.values() for k in numbers}
    for number, network in enumerate(networks):
        if number in gone:
            continue
        found.newest.append(network)
        older = [networks[k] for k in order.get(number, [])]
        found.older += [(len(found.newest) - 1, other) for other in older]
        if older:
            found.problems.append(_told(network, older))
    found.problems += _alike(found.newest)
    return found


def _joined(
    networks: Sequence[Network],
    clusters: list[list[int]],
    name: Callable[[Network], str],
) -> list[list[int]]:
    """Return clusters of updates, those of one name joined; the newest is last."""
    groups: dict[str, list[list[int]]] = {}
    for number, numbers in enumerate(clusters):
        # Without a name each stays alone.
        key = name(networks[numbers[-1]]) or f" {number}"
        groups.setdefault(key, []).append(numbers)
    found = []
    for group in groups.values():
        numbers = [k for own in group for k in own]
        if len(group) > 1 and _are_updates([networks[k] for k in numbers]):
            found.append(sorted(numbers, key=lambda k: facts.as_of(networks[k])))
        else:
            found += group
    return found


def _id(network: Network) -> str:
    return folded(network.project)


def _undated_id(network: Network) -> str:
    return _undated(network.project)


def _undated_name(network: Network) -> str:
    return _undated(network.name)


def _undated(text: str) -> str:
    """Return a name without the day or number of an update; "" = there is none."""
    bare = _DATED.sub("", text)
    return "" if bare == text else folded(bare)


def _alike(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Tell projects that have most of their activities in common, on other days."""
    by_activity: dict[tuple[str, str], list[int]] = {}
    sizes = []
    for number, network in enumerate(networks):
        own = {*zip(network.tasks.index, network.tasks["name"], strict=True)}
        sizes.append(len(own))
        for activity in own:
            by_activity.setdefault(activity, []).append(number)
    common: Counter[tuple[int, int]] = Counter()
    for numbers in by_activity.values():
        if len(numbers) <= _FEW:
            common.update(combinations(numbers, 2))
    told = []
    for (one, other), many in sorted(common.items()):
        first, second = networks[one], networks[other]
        share = many / max(min(sizes[one], sizes[other]), 1)
        days = facts.as_of(first), facts.as_of(second)
        if (
            many < _FEW
            or share < _VERY_ALIKE
            or days[0] == days[1]
            or any(pd.isna(day) for day in days)
        ):
            continue
        fix = f"'{first.project}' and '{second.project}' have {many} activities in "
        fix += "common and other data dates: if they are updates of one project, its "
        fix += "work counts twice. Keep the newest alone in the folder, or give both "
        fix += "one project id; `pmo story` compares them."
        found = listing([first.source, second.source])
        told.append(problem("warning", "projects", "alike", found=found, fix=fix))
    return told


def _are_updates(networks: Sequence[Network]) -> bool:
    days = [facts.as_of(network) for network in networks]
    if any(pd.isna(day) for day in days) or len(set(days)) < len(days):
        return False
    sets = [set(zip(n.tasks.index, n.tasks["name"], strict=True)) for n in networks]
    newest = sets[days.index(max(days))]
    return all(
        len(newest & other) >= _ALIKE * max(min(len(newest), len(other)), 1)
        for other in sets
    )


def _told(newest: Network, older: Sequence[Network]) -> dict[str, Any]:
    day = f"{facts.as_of(newest):%Y-%m-%d}"
    fix = f"These are older updates of '{newest.project}', of which {newest.source} of "
    fix += f"{day} counts. The older ones give progress and milestones of their days, "
    fix += (
        "and the first one the baseline if it had not begun and the newest has none. "
    )
    fix += "`pmo story` compares them."
    return problem(
        "warning",
        "projects",
        "older_updates",
        source=newest.source,
        found=listing([network.source for network in older]),
        fix=fix,
    )
