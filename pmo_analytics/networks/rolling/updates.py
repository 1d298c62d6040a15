"""Updates of one project among planning files: the newest counts, the others tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pmo_analytics.errors import folded, listing, problem
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling import facts

# Share of the activities, by id and name, that two updates of a project have in common.
_ALIKE = 0.5


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

    Updates have one project id, data dates on different days, and at least half of
    their activities in common. Where that is not so they are projects of their own.
    """
    groups: dict[str, list[int]] = {}
    for number, network in enumerate(networks):
        groups.setdefault(folded(network.project), []).append(number)
    found = Updates()
    order: dict[int, list[int]] = {}
    for numbers in groups.values():
        if len(numbers) > 1 and _are_updates([networks[k] for k in numbers]):
            numbers = sorted(numbers, key=lambda k: facts.as_of(networks[k]))
            order[numbers[-1]] = numbers[:-1]
    gone = {k for numbers in order.values() for k in numbers}
    for number, network in enumerate(networks):
        if number in gone:
            continue
        found.newest.append(network)
        older = [networks[k] for k in order.get(number, [])]
        found.older += [(len(found.newest) - 1, other) for other in older]
        if older:
            found.problems.append(_told(network, older))
    return found


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
