"""Several projects in one file: summary tasks that carry the id of a project."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import folded, problems_table
from pmo_analytics.networks.balancing import Balance
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling.balances import held_by

# Custom fields of tasks that say which project they are, and where in its life.
PROJECT_FIELD, STATUS_FIELD = "PMO project", "PMO status"
_FOLDED = folded(PROJECT_FIELD)


def parts_of(network: Network) -> list[Network]:
    """Return the projects that a file marks, else the network as it is.

    A summary task with a custom field `PMO project` is the project of that id, with all
    tasks below; links between two are links across projects. What no such task holds
    is a project of its own, under the id of the file.
    """
    marks = _marks(network)
    if not marks:
        return [network]
    owner = _owners(network, marks)
    tasks = network.tasks
    rest = (owner == "").to_numpy().copy()
    loose = rest & tasks["kind"].isin(["task", "milestone", "level_of_effort"])
    loose |= rest & tasks.index.isin(network.assignments["task"])
    if "fixed_cost" in tasks:
        loose |= rest & (tasks["fixed_cost"].fillna(0) != 0)
    tops = list(dict.fromkeys(owner[~rest]))
    parts = [_part(network, owner, top, marks) for top in tops]
    if loose.any():
        parts.append(_part(network, owner, "", marks))
        rest[:] = False
    balances = [_balance_of(part) for part in parts]
    _complete(network, parts, balances[0], rest)
    return [
        part.replace(
            balance=balance.frame(),
            listed=balance.listed(),
            problems=part.problems if number == 0 else problems_table([]),
        )
        for number, (part, balance) in enumerate(zip(parts, balances, strict=True))
    ]


def _marks(network: Network) -> dict[str, str]:
    """Return task -> id of the project that it is."""
    codes = network.codes
    own = codes[(codes["of"] == "task") & (codes["value"] != "")]
    own = own[own["code"].map(folded) == _FOLDED]
    own = own[own["id"].isin(network.tasks.index)]
    return dict(zip(own["id"], own["value"].str.strip(), strict=True))


def _owners(network: Network, marks: dict[str, str]) -> pd.Series:
    """Return the marked task at or above each task, the highest; "" for none."""
    parents = network.tasks["parent"].to_dict()
    owners = []
    for uid in network.tasks.index:
        found, seen, at = "", set(), uid
        while at in parents and at not in seen:
            seen.add(at)
            found = at if at in marks else found
            at = parents[at]
        owners.append(found)
    return pd.Series(owners, index=network.tasks.index, dtype="str")


def _part(
    network: Network, owner: pd.Series, top: str, marks: dict[str, str]
) -> Network:
    """Return the tasks of one marked task ("" = of none) as a network."""
    here = set(owner.index[owner == top])
    assignments = network.assignments
    kept = assignments["task"].isin(here)
    place = pd.Series(np.cumsum(kept) - 1, index=assignments.index)[kept]
    phased = network.timephased
    phased = phased[phased["row"].isin(place.index)]
    codes = network.codes
    assigned = set(assignments["assignment"][kept])
    of_part = ~codes["of"].isin(["task", "assignment"])
    of_part |= (codes["of"] == "task") & codes["id"].isin(here)
    of_part |= (codes["of"] == "assignment") & codes["id"].isin(assigned)
    changes: dict[str, Any] = {
        "tasks": network.tasks[owner == top],
        "links": _links(network, owner, top, marks),
        "assignments": assignments[kept].reset_index(drop=True),
        "timephased": phased.assign(row=phased["row"].map(place)),
        "baselines": network.baselines[network.baselines["task"].isin(here)],
        "codes": codes[of_part],
    }
    if top:
        row = network.tasks.loc[top]
        # Its parent is not in it.
        changes["tasks"] = changes["tasks"].assign(
            parent=lambda t: t["parent"].where(t.index != top, "")
        )
        changes |= {"project": marks[top], "name": row["name"] or marks[top]}
        changes |= {"start": row["start"], "finish": row["finish"]}
    return network.replace(**changes)


def _links(
    network: Network, owner: pd.Series, top: str, marks: dict[str, str]
) -> pd.DataFrame:
    """Return the links of a part; the other end of one across is named."""
    links = network.links
    waits = links["task"].map(owner)
    own = links[(waits == top) & (links["task_project"] == "")]
    other = own["requires"].map(owner)
    across = (own["requires_project"] == "") & other.notna() & (other != top)
    names = other.map(lambda uid: marks.get(uid, network.project))
    return own.assign(
        requires_project=own["requires_project"].where(~across, names)
    ).reset_index(drop=True)


def _balance_of(part: Network) -> Balance:
    """Return what a part holds."""
    balance = Balance(part.source)
    for what, amount in held_by(part).items():
        balance.read(what, amount)
        balance.use(what, amount)
    return balance


def _complete(
    network: Network, parts: list[Network], balance: Balance, rest: Any
) -> None:
    """Add to the balance of the first part what the file has beside the parts."""
    for row in network.listed.to_dict("records"):
        line, amount = row["line"] or None, float(row["amount"])
        balance.read(row["what"], amount)
        balance.leave(
            row["what"], row["reason"], amount=amount, line=line, name=row["id"]
        )
    for uid, row in network.tasks[rest].to_dict("index").items():
        reason = "sums up the projects of the file" if row["kind"] else "a blank row"
        line = None if row["line"] != row["line"] else int(row["line"])
        balance.read("tasks")
        balance.leave("tasks", reason, line=line, name=str(uid))
    lost = len(network.links) - sum(len(part.links) for part in parts)
    if lost:
        balance.read("links", lost)
        balance.leave("links", "it waits for all projects of the file", amount=lost)
    held = ("tasks", "links", "hours", "money")
    for row in network.balance.to_dict("records"):
        if row["what"] not in held:
            balance.read(row["what"], float(row["used"]))
            balance.use(row["what"], float(row["used"]))
