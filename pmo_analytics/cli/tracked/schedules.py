"""Planning files as such: how good a schedule is, and how it moved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import BAD_DATA, OK, app, command, print_answer
from pmo_analytics.cli.options import ChartsOption, JsonOption, OutOption
from pmo_analytics.cli.results import say_files
from pmo_analytics.cli.terminal import (
    escaped,
    output,
    plain,
    records,
    show_problems,
    show_table,
)
from pmo_analytics.errors import has_errors, joined_problems
from pmo_analytics.reporting import drawn

_SHOWN = 3


def check_schedules(path: Path, variant: str, *, json_output: bool) -> int:
    """Print the 14 points of every network of planning files."""
    from pmo_analytics.loaders import read_networks
    from pmo_analytics.networks import check_network

    networks = read_networks(path, bad_files="drop")
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


@app.command()
@command()
def story(
    path: Annotated[
        Path, typer.Argument(help="Folder with the updates of one project.")
    ],
    out: OutOption = None,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Tell how a project's finish moved from update to update, and what moved it."""
    from pmo_analytics.loaders import read_networks
    from pmo_analytics.networks import compare_networks
    from pmo_analytics.reporting import write_result

    told = compare_networks(read_networks(path))
    files = []
    if out is not None:
        with drawn(lambda: _trend(told), wanted=charts) as figures:
            tables = {
                f"{name}.csv": getattr(told, name)
                for name in ("finishes", "milestones", "changes", "slip")
            }
            facts = {"command": "story", "updates": len(told.finishes)}
            files = write_result(out, tables=tables, facts=facts, figures=figures)
    if json_output:
        answer = {
            "status": "ok",
            "slip_days": float(told.slip["days"].sum()),
            "finishes": plain(records(told.finishes)),
            "slip": plain(records(told.slip)),
            "changes": plain(records(told.changes)),
            "milestones": plain(records(told.milestones)),
        }
        print_answer(answer)
    else:
        _show_story(told)
    say_files(files)
    return OK


def _trend(told: Any) -> dict[str, Any]:
    from pmo_analytics.plotting import plot_milestone_trend

    return {"milestones": plot_milestone_trend(told).figure}


def _show_story(told: Any) -> None:
    """Print finishes, causes and what changed."""
    console = output()
    finishes = told.finishes[["update", "data_date", "finish", "slip_days"]]
    days = {name: finishes[name].dt.strftime("%Y-%m-%d") for name in _DATES}
    show_table(finishes.assign(**days), "The finish from update to update", console)
    if len(told.slip):
        causes = told.slip[["update", "what", "days"]]
        show_table(causes, "What moved it, in days", console)
    if len(told.changes):
        counts = told.changes.groupby(["update", "what"], sort=False, as_index=False)
        shown = counts.agg(count=("id", "size"), examples=("id", _first))
        show_table(shown, "What changed", console)
    total = told.slip["days"].sum()
    words = f"{len(told.finishes)} updates: the finish moved by {total:+,.1f} days."
    console.print(escaped(words))


_DATES = ("data_date", "finish")


def _first(ids: pd.Series) -> str:
    return _some(tuple(ids))
