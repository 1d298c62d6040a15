"""Planning files as such: how good a schedule is, and how it moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.cli.command import BAD_DATA, OK, print_answer
from pmo_analytics.cli.terminal import (
    escaped,
    output,
    plain,
    records,
    show_problems,
    show_table,
)
from pmo_analytics.errors import has_errors, joined_problems

_SHOWN = 3


def check_schedules(path: Path, variant: str, *, json_output: bool) -> int:
    """Print the 14 points of every network of planning files."""
    from pmo_analytics.loaders import read_networks
    from pmo_analytics.networks import check_network

    networks = read_networks(path)
    checked = [(n, check_network(n, variant or None)) for n in networks]
    problems = joined_problems([network.problems for network in networks])
    problems = problems.drop_duplicates(ignore_index=True)
    errors = int((problems["severity"] == "error").sum())
    if json_output:
        answer = {
            "status": "failed" if errors else "ok",
            "errors": errors,
            "schedules": [
                {
                    "project": network.project,
                    "source": network.source,
                    "failed": int((~points["passed"].fillna(True)).sum()),
                    "points": plain(records(points)),
                }
                for network, points in checked
            ],
            "problems": records(problems),
        }
        print_answer(answer)
        return BAD_DATA if errors else OK
    console = output()
    if len(problems):
        show_problems(problems, f"Problems in {path}", console)
    for network, points in checked:
        title = f"{network.project} ({network.source}): 14 points of the DCMA"
        show_table(_shown(points), title, console)
        passed = points["passed"]
        failed, unknown = int((~passed.fillna(True)).sum()), int(passed.isna().sum())
        console.print(
            escaped(
                f"{network.project}: {14 - failed - unknown} points passed, {failed} "
                f"failed, {unknown} cannot be assessed."
            )
        )
    return BAD_DATA if has_errors(problems) else OK


def _shown(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points in words."""
    words = {True: "yes", False: "no"}
    return pd.DataFrame(
        {
            "point": [f"{p}. {n}" for p, n in points[["point", "name"]].to_numpy()],
            "count": [
                "not assessed" if n != n else f"{n:,.10g} of {d:,.10g}"
                for n, d in points[["numerator", "denominator"]].to_numpy()
            ],
            "limit": points["threshold"],
            "found": [
                _share(*row) for row in points[["share", "threshold"]].to_numpy()
            ],
            "passed": [words.get(p, "") for p in points["passed"].to_numpy(object)],
            "offenders": [_some(names) for names in points["offenders"]],
        }
    )


def _share(share: Any, threshold: str) -> str:
    if share != share:
        return ""
    return f"{share:.1%}" if threshold.endswith("%") else f"{share:.2f}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
