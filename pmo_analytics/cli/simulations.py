"""Simulations: simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.cli.command import OK, app, command, print_answer, read_data, usage
from pmo_analytics.cli.options import (
    ChartsOption,
    DatesOption,
    DrawsOption,
    JsonOption,
    MethodOption,
    OutOption,
    PathArgument,
    SeedOption,
    UncertaintyOption,
)
from pmo_analytics.cli.results import say_unfinished, say_written
from pmo_analytics.cli.terminal import (
    escaped,
    messages,
    output,
    plain,
    show_facts,
    show_table,
)
from pmo_analytics.reporting import drawn

SIMULATE_KEYS = (
    "status",
    "draws",
    "value",
    "overload",
    "unlikely_deadlines",
    "overloaded",
    "notes",
    "files",
)
# Deadlines and roles are named beyond this chance.
_LIKELY = 0.5


@app.command()
@command(SIMULATE_KEYS)
def simulate(
    path: PathArgument,
    schedule: DatesOption = None,
    uncertainty: UncertaintyOption = None,
    draws: DrawsOption = 10_000,
    method: MethodOption = "lhs",
    workers: Annotated[int, typer.Option(min=1, help="Processes at work at once.")] = 1,
    cluster: Annotated[str, typer.Option(help="Address of a Dask scheduler.")] = "",
    out: OutOption = None,
    seed: SeedOption = 0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Draw many futures of a plan: dates, load and value with their chances."""
    from pmo_analytics.loaders import read_schedule
    from pmo_analytics.plan import Plan, baseline
    from pmo_analytics.reporting import read_claims
    from pmo_analytics.simulation import simulate as draw
    from pmo_analytics.uncertainty import check_method, read_uncertainty

    with usage("--method"):
        check_method(method)
    known = None if uncertainty is None else read_uncertainty(uncertainty)
    portfolio = read_data(path)
    if schedule is None:
        plan = baseline(portfolio)
    else:
        say_unfinished(schedule.parent)
        bought = read_claims(schedule, portfolio.freq).purchases
        plan = Plan(portfolio, read_schedule(schedule), purchases=bought)
    found = draw(
        plan,
        uncertainty=known,
        draws=draws,
        seed=seed,
        method=method,
        workers=workers,
        cluster=cluster,
    )
    files = [] if out is None else _write(found, out, charts)
    for note in found.notes:
        messages().print(escaped(note))
    if json_output:
        _print(found, files)
    else:
        _show(found)
        say_written(out, files)
    return OK


def _print(found: Any, files: list[Path]) -> None:
    """Print the JSON line."""
    late = found.finish[found.finish["p_deadline"] < _LIKELY]
    worst = found.overload.groupby("role", sort=False)["p_overload"].max()
    print_answer(
        {
            "status": "ok",
            "draws": found.draws,
            "value": plain(found.value.set_index("quantile")["value"].to_dict()),
            "overload": float(found.overload_draws.mean()),
            "unlikely_deadlines": list(late["project"]),
            "overloaded": list(worst.index[worst > _LIKELY]),
            "notes": list(found.notes),
            "files": [str(file) for file in files],
        }
    )


def _show(found: Any) -> None:
    console = output()
    shown = found.finish[
        ["project", "name", "finish", "p50", "p80", "deadline", "p_deadline", "p_win"]
    ]
    show_table(shown, "When projects end", console)
    rows = found.tornado
    rows = rows[(rows["outcome"] == "value") & (rows["swing"] != 0)].head(8)
    if len(rows):
        show_table(rows.drop(columns="outcome"), "What moves the value", console)
    show_facts(found.summary(), console)


def _write(found: Any, out: Path, charts: bool) -> list[Path]:
    from pmo_analytics.reporting import manifest, write_result
    from pmo_analytics.versions import versions

    def draw() -> dict[str, Any]:
        from pmo_analytics.plotting import simulation_figures

        return simulation_figures(found)

    report = {
        "draws": found.draws,
        "seed": found.seed,
        "method": found.method,
        "notes": list(found.notes),
        "versions": versions(),
        "summary": {key: str(value) for key, value in found.summary().items()},
    }
    with drawn(draw, wanted=charts) as figures:
        return write_result(
            out,
            tables={
                "finish.csv": found.finish,
                "overload.csv": found.overload,
                "value.csv": found.value,
                "tornado.csv": found.tornado,
                "criticality.csv": found.criticality,
            },
            facts=manifest(found.plan.portfolio, command="simulate", report=report),
            figures=figures,
        )
