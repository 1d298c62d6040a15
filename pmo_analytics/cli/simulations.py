"""Simulations: simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.cli.command import (
    OK,
    ChartsOption,
    JsonOption,
    OutOption,
    PathArgument,
    SeedOption,
    app,
    command,
    print_answer,
    read_data,
    usage,
)
from pmo_analytics.cli.plans import claims_beside
from pmo_analytics.cli.results import close, say_files, say_unfinished
from pmo_analytics.cli.terminal import (
    escaped,
    messages,
    output,
    plain,
    show_facts,
    show_table,
)

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
    schedule: Annotated[
        Path | None,
        typer.Option(help="schedule.csv of a plan; default the planned dates."),
    ] = None,
    uncertainty: Annotated[
        Path | None, typer.Option(help="TOML file that says what is uncertain.")
    ] = None,
    draws: Annotated[
        int, typer.Option(min=20, max=1_000_000, help="How many futures.")
    ] = 10_000,
    method: Annotated[str, typer.Option(help="lhs, sobol or random.")] = "lhs",
    workers: Annotated[int, typer.Option(min=1, help="Processes at work at once.")] = 1,
    cluster: Annotated[str, typer.Option(help="Address of a Dask scheduler.")] = "",
    out: OutOption = None,
    seed: SeedOption = 0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Draw many futures of a plan: dates, load and value with their chances."""
    from pmo_analytics.loaders.schedule import read_schedule
    from pmo_analytics.plan import Plan, baseline
    from pmo_analytics.simulation.simulating import simulate as draw
    from pmo_analytics.uncertainty.draw_factors import check_method
    from pmo_analytics.uncertainty.uncertainty import read_uncertainty

    with usage("--method"):
        check_method(method)
    known = None if uncertainty is None else read_uncertainty(uncertainty)
    portfolio = read_data(path)
    if schedule is None:
        plan = baseline(portfolio)
    else:
        say_unfinished(schedule.parent)
        bought = claims_beside(schedule).get("purchases")
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
    late = found.finish[found.finish["p_deadline"] < _LIKELY]
    worst = found.overload.groupby("role", sort=False)["p_overload"].max()
    overloaded = list(worst.index[worst > _LIKELY])
    if json_output:
        print_answer(
            {
                "status": "ok",
                "draws": found.draws,
                "value": plain(found.value.set_index("quantile")["value"].to_dict()),
                "overload": float(found.overload_draws.mean()),
                "unlikely_deadlines": list(late["project"]),
                "overloaded": overloaded,
                "notes": list(found.notes),
                "files": [str(file) for file in files],
            }
        )
        return OK
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
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)
    return OK


def _write(found: Any, out: Path, charts: bool) -> list[Path]:
    from pmo_analytics.optimization.run import versions
    from pmo_analytics.reporting.folder import manifest, write_result

    figures: dict[str, Any] = {}
    if charts:
        import matplotlib as mpl

        mpl.use("Agg")  # files only: no display is needed, none is opened
        from pmo_analytics.plotting.simulation import simulation_figures

        figures = {
            f"{name}.png": figure for name, figure in simulation_figures(found).items()
        }
    report = {
        "draws": found.draws,
        "seed": found.seed,
        "method": found.method,
        "notes": list(found.notes),
        "versions": versions(),
        "summary": {key: str(value) for key, value in found.summary().items()},
    }
    try:
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
    finally:
        close(figures)
