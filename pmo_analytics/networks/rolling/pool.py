"""People of many planning files as one pool: who is who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pmo_analytics.errors import folded, problem
from pmo_analytics.networks.network import Network

# What tells the same person in two files, beside the name.
_IDS = ("email", "account", "code")
# The same where two files took it from one server; each file may make its own, so that
# two different ones tell nothing.
_SHARED = ("guid",)


@dataclass
class Pool:
    """Resources of many networks as one set.

    Parameters
    ----------
    members
        One row each: `member` (its name in the portfolio), `role`, `kind`, `generic`,
        `active`, `max_units`, `rate`, `network` and `resource` (where its calendar is).
    places
        (number of the network, resource id) -> member.
    doubts
        Problems: who was matched by name only, who may be one person and is kept
        apart, what two files say differently.
    """

    members: pd.DataFrame
    places: dict[tuple[int, str], str]
    doubts: list[dict[str, Any]] = field(default_factory=list)


def pooled(networks: Sequence[Network]) -> Pool:
    """Return the resources of networks, each person once.

    Two are one where an e-mail address, account or code is the same, or else the name
    (case, accents and spaces aside) and no such id tells them apart. Ids that a file
    counts for itself tell nothing about other files.
    """
    rows = [
        (number, str(uid), row)
        for number, network in enumerate(networks)
        for uid, row in network.resources.to_dict("index").items()
        if row["name"] or row["line"] == row["line"]
    ]
    # Rows without a name that stand for work of nobody are no people.
    rows = [r for r in rows if r[2]["name"] or r[1] != "0"]
    doubts: list[dict[str, Any]] = []
    groups = _groups(networks, rows, doubts)
    names: dict[str, int] = {}
    members, places = [], {}
    for group in groups:
        first = rows[group[0]][2]
        name = first["name"] or f"Resource {rows[group[0]][1]}"
        names[folded(name)] = names.get(folded(name), 0) + 1
        if names[folded(name)] > 1:
            name = f"{name} ({names[folded(name)]})"
        members.append(_member(name, [rows[k] for k in group]))
        _tell_differences(networks, name, [rows[k] for k in group], doubts)
        for k in group:
            places[rows[k][0], rows[k][1]] = name
    columns = ["member", "role", "kind", "generic", "active", "max_units", "rate"]
    columns += ["network", "resource"]
    return Pool(pd.DataFrame(members, columns=columns), places, doubts)


def _groups(
    networks: Sequence[Network],
    rows: list[tuple[int, str, dict[str, Any]]],
    doubts: list[dict[str, Any]],
) -> list[list[int]]:
    """Return rows that are one resource, in the order in which they first stand."""
    leader = list(range(len(rows)))

    def lead(k: int) -> int:
        while leader[k] != k:
            k = leader[k]
        return k

    for kind in (*_SHARED, *_IDS):
        seen: dict[tuple[str, str], int] = {}
        for k, (_, _, row) in enumerate(rows):
            if value := folded(row.get(kind, "") or ""):
                other = seen.setdefault((value, row["kind"]), k)
                leader[max(lead(k), lead(other))] = min(lead(k), lead(other))
    by_name: dict[tuple[str, str], list[int]] = {}
    for k, (_, _, row) in enumerate(rows):
        if row["name"]:
            by_name.setdefault((folded(row["name"]), row["kind"]), []).append(k)
    for alike in by_name.values():
        first = alike[0]
        for k in alike[1:]:
            if lead(k) == lead(first):
                continue
            if rows[k][0] == rows[first][0] or _differ(rows[first][2], rows[k][2]):
                doubts.append(_apart(networks, rows[first], rows[k]))
            else:
                leader[max(lead(k), lead(first))] = min(lead(k), lead(first))
    groups: dict[int, list[int]] = {}
    for k in range(len(rows)):
        groups.setdefault(lead(k), []).append(k)
    return list(groups.values())


def _differ(one: dict[str, Any], other: dict[str, Any]) -> bool:
    pairs = ((one.get(kind, ""), other.get(kind, "")) for kind in _IDS)
    return any(a and b and folded(a) != folded(b) for a, b in pairs)


def _apart(
    networks: Sequence[Network],
    one: tuple[int, str, dict[str, Any]],
    other: tuple[int, str, dict[str, Any]],
) -> dict[str, Any]:
    places = [networks[n].source or networks[n].project for n, _, _ in (one, other)]
    name = one[2]["name"]
    if one[0] == other[0]:
        fix = f"Two resources of the file are called '{name}' and have different ids, "
        fix += "so they are kept apart. If they are one, make them one there."
    else:
        fix = f"'{name}' of {places[0]} and of {places[1]} have one name and different "
        fix += "ids, so they are kept apart. If they are one, give both files the same "
        fix += "e-mail address or code."
    found = str(other[2]["name"])
    return problem(
        "warning", "people", "same_name", found=found, source=places[1], fix=fix
    )


def _member(name: str, rows: list[tuple[int, str, dict[str, Any]]]) -> tuple[Any, ...]:
    number, uid, row = rows[0]
    units = [r["max_units"] for _, _, r in rows if r["max_units"] == r["max_units"]]
    role = next(
        (r["role"] or r["group"] for _, _, r in rows if r["role"] or r["group"]), ""
    )
    return (
        name,
        role or name,
        row["kind"],
        bool(row["generic"]),
        any(r["active"] for _, _, r in rows),
        max(units) if units else 1.0,
        next((r["rate"] for _, _, r in rows if r["rate"] == r["rate"]), float("nan")),
        number,
        uid,
    )


def _tell_differences(
    networks: Sequence[Network],
    name: str,
    rows: list[tuple[int, str, dict[str, Any]]],
    doubts: list[dict[str, Any]],
) -> None:
    source = networks[rows[-1][0]].source
    names = {folded(r["name"]): r["name"] for _, _, r in rows if r["name"]}
    if len(names) > 1:
        fix = f"{', '.join(names.values())} have one id in the files, so they count "
        fix += f"as one person, '{name}'. Correct the id of one if they are not."
        doubts.append(
            problem("warning", "people", "one_id", found=name, source=source, fix=fix)
        )
    units = {r["max_units"] for _, _, r in rows if r["max_units"] == r["max_units"]}
    if len(units) > 1:
        told = ", ".join(f"{u:.0%}" for u in sorted(units))
        fix = f"The files give '{name}' {told} of full time; the most counts."
        doubts.append(problem("warning", "people", "units_differ", found=told, fix=fix))
