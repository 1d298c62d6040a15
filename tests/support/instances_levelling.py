"""Published scheduling instances as portfolios: each activity becomes a project.

PSPLIB (one project of 30 activities) and MPSPLIB (up to 20 projects that share
resources). Dummy activities of no duration are left out, and what they link is linked
directly.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.portfolio import Portfolio


def psplib_portfolio(path: Path) -> Portfolio:
    """Return a PSPLIB `.sm` file as a portfolio of approved projects in weeks."""
    text = Path(path).read_text(encoding="latin-1")
    links = _section(text, "PRECEDENCE RELATIONS:")
    jobs = _section(text, "REQUESTS/DURATIONS:")
    limits = [int(x) for x in _section(text, "RESOURCEAVAILABILITIES:")[0]]
    before: dict[int, list[int]] = {int(row[0]): [] for row in jobs}
    for row in links:
        for follower in row[3:]:
            before[int(follower)].append(int(row[0]))
    horizon = re.search(r"horizon\s*:\s*(\d+)", text)
    assert horizon is not None
    return _portfolio(
        Path(path).stem,
        duration={int(row[0]): int(row[2]) for row in jobs},
        before=before,
        needs={
            int(row[0]): {f"R{r + 1}": int(n) for r, n in enumerate(row[3:])}
            for row in jobs
        },
        limits={f"R{r + 1}": n for r, n in enumerate(limits)},
        release={},
        periods=int(horizon[1]),
    )


def _section(text: str, title: str) -> list[list[str]]:
    """Return the rows of numbers below a title."""
    below = text[text.index(title) :].splitlines()[1:]
    rows = []
    for line in below:
        if line.startswith("*"):
            break
        if re.match(r"\s*\d", line):
            rows.append(line.split())
    return rows


def psplib_optima(path: Path) -> dict[str, int]:
    """Return instance -> optimal makespan of a PSPLIB `opt.sm` file."""
    optima = {}
    for line in Path(path).read_text(encoding="latin-1").splitlines():
        match = re.match(r"(\d+)\s+(\d+)\s+(\d+)\s+[\d.]+\s*$", line)
        if match:
            optima[f"j30{match[1]}_{match[2]}"] = int(match[3])
    return optima


def mpsplib_portfolio(path: Path, periods: int) -> Portfolio:
    """Return an MPSPLIB instance (JSON) as a portfolio of approved projects in weeks.

    Parameters
    ----------
    periods
        Length of the horizon.
    """
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    activities = data["activities"]
    roles = [resource["name"] for resource in data["resources"]]
    return _portfolio(
        data["name"],
        duration={k: a["duration"] for k, a in enumerate(activities)},
        before={k: a["pred"] for k, a in enumerate(activities)},
        needs={
            k: {roles[int(r)]: n for r, n in a["req"].items()}
            for k, a in enumerate(activities)
        },
        limits={r["name"]: r["capacity"] for r in data["resources"]},
        release={
            k: data["projects"][a["project"]]["release"]
            for k, a in enumerate(activities)
        },
        periods=periods,
        program={
            k: data["projects"][a["project"]]["name"] for k, a in enumerate(activities)
        },
    )


def mpsplib_published(path: Path) -> dict[str, int]:
    """Return instance -> published total makespan."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return {
            row["instance"]: int(row["TMS_total_makespan"])
            for row in csv.DictReader(file)
        }


def _portfolio(
    name: str,
    *,
    duration: Mapping[int, int],
    before: Mapping[int, Sequence[int]],
    needs: Mapping[int, Mapping[str, int]],
    limits: Mapping[str, int],
    release: Mapping[int, int],
    periods: int,
    program: Mapping[int, str] | None = None,
) -> Portfolio:
    horizon = make_horizon("2027-W01", periods, "W")
    real = [k for k in duration if duration[k] > 0]
    ids = {k: f"A{k:04d}" for k in real}

    def served_by(k: int) -> set[int]:
        """Return the real activities before k, through those of no duration."""
        found: set[int] = set()
        todo, seen = list(before[k]), set(before[k])
        while todo:
            i = todo.pop()
            if duration[i] > 0:
                found.add(i)
                continue
            more = [m for m in before[i] if m not in seen]
            seen.update(more)
            todo += more
        return found

    demand = [
        (ids[k], role, offset, float(fte))
        for k in real
        for role, fte in needs[k].items()
        if fte > 0
        for offset in range(duration[k])
    ]
    links = [(ids[k], ids[i]) for k in real for i in sorted(served_by(k))]
    return Portfolio(
        name,
        horizon=horizon,
        projects=pd.DataFrame(
            {
                "project": [ids[k] for k in real],
                "status": "approved",
                "duration": [duration[k] for k in real],
                "earliest": [
                    horizon[release[k]] if release.get(k) else pd.NaT for k in real
                ],
                "program": [program[k] if program else None for k in real],
            }
        ),
        demand=pd.DataFrame(demand, columns=["project", "role", "offset", "fte"]),
        capacity=pd.DataFrame(
            np.tile(np.array(list(limits.values()), dtype=float), (periods, 1)),
            index=horizon,
            columns=list(limits),
        ),
        dependencies=pd.DataFrame(links, columns=["project", "requires"]),
    )
