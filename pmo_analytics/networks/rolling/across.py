"""Links between tasks of different projects become dependencies of the projects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pmo_analytics.clock import hours_per_fte
from pmo_analytics.errors import folded, problem
from pmo_analytics.networks.balancing import Balance
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling.facts import root_of

Span = tuple[Any, Any]
_WHOLE = {"FS": "finish_start", "SS": "start_start"}


def dependency_rows(
    networks: Sequence[Network],
    ids: Sequence[str],
    spans: Sequence[Span],
    freq: str,
    balances: Sequence[Balance],
) -> tuple[pd.DataFrame | None, list[dict[str, Any]]]:
    """Return the table `dependencies`, and problems; links are counted.

    A link from the middle of one project to the middle of another ties their starts:
    `start_start` with the lag that keeps the required date before the waiting one, in
    whole periods. A link of whole projects, from summary to summary, is what it says.
    Of several of a kind between two projects the longest counts.
    """
    numbers = _numbers(networks)
    lags: dict[tuple[str, str, str], int] = {}
    told: list[dict[str, Any]] = []
    for number, (network, balance) in enumerate(zip(networks, balances, strict=True)):
        links = network.links
        across = (links["requires_project"] != "") | (links["task_project"] != "")
        balance.use("links", int((~across).sum()))
        for row in links[across].to_dict("records"):
            ends = _ends(row, number, numbers)
            kind, lag = _tied(row, ends, networks, spans, freq)
            if ends is None or lag is None or ends[0] == ends[1]:
                reason = _reason(row)
                line = None if row["line"] != row["line"] else int(row["line"])
                balance.leave("links", reason, line=line, name=row["task"])
                told.append(_unknown(network, row, reason, line))
                continue
            balance.use("links")
            key = ids[ends[0]], ids[ends[1]], kind
            lags[key] = max(lag, lags.get(key, lag))
    rows = [
        {"project": a, "requires": b, "kind": kind, "lag": lag}
        for (a, b, kind), lag in lags.items()
    ]
    return (pd.DataFrame(rows) if rows else None), told


def _numbers(networks: Sequence[Network]) -> dict[str, int]:
    """Return the number of a network by each name that a link may call it."""
    found: dict[str, int] = {}
    for number, network in enumerate(networks):
        file = network.source.rpartition(".")[0]
        names = (network.project, network.name, file, network.fields.get("id", ""))
        for name in names:
            if name:
                found.setdefault(folded(name), number)
    return found


def _ends(
    row: dict[str, Any], own: int, numbers: dict[str, int]
) -> tuple[int, int] | None:
    """Return the numbers of the waiting and of the required project."""
    found = []
    for column in ("task_project", "requires_project"):
        name = row[column]
        if not name:
            found.append(own)
            continue
        # Microsoft Project writes the path of the file, with the task behind it.
        parts = [p for p in re.split(r"[\\/]", name) if p]
        words = [name, *(re.sub(r"\.(mpp|xml|xer)$", "", p, flags=re.I) for p in parts)]
        known = [numbers[folded(w)] for w in words if folded(w) in numbers]
        if not known:
            return None
        found.append(known[0])
    return found[0], found[1]


def _tied(
    row: dict[str, Any],
    ends: tuple[int, int] | None,
    networks: Sequence[Network],
    spans: Sequence[Span],
    freq: str,
) -> tuple[str, int | None]:
    """Return kind and lag of the dependency that a link is; no lag = it is none."""
    if ends is None:
        return "", None
    roots = [root_of(networks[end]) for end in ends]
    kind = _WHOLE.get(row["kind"])
    if kind and roots == [row["task"], row["requires"]]:
        hours = hours_per_fte(freq, networks[ends[0]].hours_per_day * 5)
        return kind, 0 if row["lag_h"] != row["lag_h"] else round(row["lag_h"] / hours)
    return "start_start", _lag(row, ends, networks, spans, freq)


def _lag(
    row: dict[str, Any],
    ends: tuple[int, int],
    networks: Sequence[Network],
    spans: Sequence[Span],
    freq: str,
) -> int | None:
    waiting, required = (networks[end].tasks for end in ends)
    task = str(row["task"])
    other = re.split(r"[\\/]", str(row["requires"]))[-1]
    if task not in waiting.index:
        return None
    if other not in required.index:
        alike = required.index[required["code"] == other]
        if len(alike) != 1:
            return None
        other = str(alike[0])
    kind = str(row["kind"])
    before = required.at[other, "finish" if kind[0] == "F" else "start"]
    after = waiting.at[task, "finish" if kind[1] == "F" else "start"]
    begins = [spans[end][0] for end in ends]
    if any(pd.isna(day) for day in (before, after, *begins)):
        return None
    ahead, own, first, second = (
        pd.Period(day, freq=freq).ordinal for day in (before, after, *begins)
    )
    return (ahead - second) - (own - first)


def _reason(row: dict[str, Any]) -> str:
    name = row["requires_project"] or row["task_project"]
    return f"its other end, in '{name}', is not among the files"


def _unknown(
    network: Network, row: dict[str, Any], reason: str, line: int | None
) -> dict[str, Any]:
    fix = f"A link between '{row['task']}' and '{row['requires']}' holds nobody: "
    fix += f"{reason}. Put that file beside the others."
    return problem(
        "warning",
        "dependencies",
        "unknown_project",
        source=network.source,
        row=line,
        found=row["requires"],
        fix=fix,
    )
