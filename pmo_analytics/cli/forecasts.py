"""Forecasts: forecast."""

from __future__ import annotations

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
from pmo_analytics.cli.results import close, say_files
from pmo_analytics.cli.terminal import escaped, messages, output, show_table

FORECAST_KEYS = ("status", "roles", "periods", "overloaded", "notes", "files")
# Futures drawn by default; fewer where all numbers would not fit into a gigabyte.
_USUAL, _FEWEST, _MOST_NUMBERS = 2000, 200, 50_000_000
# Roles are named as overloaded above this chance.
_LIKELY = 0.5


@app.command()
@command(FORECAST_KEYS)
def forecast(
    path: PathArgument,
    horizon: Annotated[
        int | None, typer.Option(min=1, max=1200, help="Periods; default all.")
    ] = None,
    out: OutOption = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=100,
            max=100_000,
            help="How many futures; default 2000, fewer of very many roles.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model of time series, such as theta or combination.")
    ] = "combination",
    chance: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Accepted chance of overload.")
    ] = 0.2,
    lead: Annotated[
        int, typer.Option(min=0, max=60, help="Periods until somebody hired works.")
    ] = 3,
    ramp: Annotated[
        int, typer.Option(min=0, max=60, help="Periods until who is new works in full.")
    ] = 0,
    store: Annotated[
        str, typer.Option(help="SQLite file or database URL that remembers forecasts.")
    ] = "",
    seed: SeedOption = 0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Forecast capacity, load and headroom with intervals, and whom to hire when."""
    import numpy as np

    from pmo_analytics.batch.store import remembering
    from pmo_analytics.clock.periods import format_period
    from pmo_analytics.forecasting.forecast import facts_of
    from pmo_analytics.forecasting.headroom import forecast_headroom
    from pmo_analytics.forecasting.models import find_model
    from pmo_analytics.forecasting.past import after_history
    from pmo_analytics.forecasting.shortages import forecast_tables, outlook
    from pmo_analytics.optimization.run import versions
    from pmo_analytics.reporting.briefing import forecast_report
    from pmo_analytics.reporting.folder import manifest, write_result
    from pmo_analytics.reporting.page import summary_of, write_page
    from pmo_analytics.reporting.workbook import fitting, write_workbook
    from pmo_analytics.rules.workload import all_roles

    with usage("--model"):
        find_model(model)
    portfolio, moved = after_history(read_data(path))
    if draws is None:
        roles = {*all_roles(portfolio), *portfolio.history["role"].dropna()}
        cells = len(roles) * max(horizon or 0, len(portfolio.horizon), 1)
        draws = int(np.clip(_MOST_NUMBERS // max(cells, 1), _FEWEST, _USUAL))
        if draws < _USUAL:
            moved = [
                *moved,
                f"{draws} futures are drawn instead of {_USUAL:,}, for {len(roles):,} "
                "roles in that many periods need much memory. --draws asks for more.",
            ]
    with remembering(store, portfolio) as memory:
        headroom = forecast_headroom(
            portfolio,
            periods=horizon,
            draws=draws,
            seed=seed,
            model=model,
            ramp=ramp,
            accuracy=memory.learnt,
        )
        memory.keep(headroom)
    notes = [*moved, *headroom.notes]
    tables = forecast_tables(headroom, model=model, chance=chance, lead=lead, ramp=ramp)
    hires = tables["hires.csv"]
    if store:
        tables["accuracy.csv"] = memory.accuracy
        tables["accuracy_by_team.csv"] = memory.by_team
    files = []
    if out is not None:
        sheets, left_out = fitting(tables)
        notes += left_out
        figures: dict[str, Any] = {}
        if charts:
            import matplotlib as mpl

            mpl.use("Agg")  # files only: no display is needed, none is opened
            from pmo_analytics.plotting.pages import forecast_figures

            figures = forecast_figures(
                headroom, tables["backtest.csv"], memory.accuracy
            )
        report = forecast_report(
            headroom,
            portfolio=portfolio.name,
            as_of=format_period(portfolio.horizon[0] - 1),
            hires=hires,
            chance=chance,
            figures=figures,
            tables={"How wrong each model was": tables["losses.csv"]},
            problems=portfolio.problems,
            facts={**versions(), "digest": portfolio.digest(), "seed": seed},
        )
        try:
            files = write_result(
                out,
                tables=tables,
                facts=manifest(
                    portfolio,
                    command="forecast",
                    report={
                        **facts_of(headroom),
                        "notes": notes,
                        "model": model,
                        "versions": versions(),
                    },
                ),
                figures={f"{name}.png": figure for name, figure in figures.items()},
                others={
                    "report.html": lambda path: write_page(path, report),
                    "forecast.xlsx": lambda path: write_workbook(
                        path, sheets, summary=summary_of(report), left_out=left_out
                    ),
                },
            )
        finally:
            close(figures)
    for note in notes:
        messages().print(escaped(note))
    risks = outlook(headroom, chance=chance)
    if json_output:
        print_answer(
            {
                "status": "ok",
                "portfolio": portfolio.name,
                "roles": len(headroom.roles),
                "periods": len(headroom.periods),
                "overloaded": list(risks["role"][risks["p_overload"] > _LIKELY]),
                "notes": notes,
                "files": [str(file) for file in files],
            }
        )
        return OK
    console = output()
    show_table(risks, "Headroom by role in its worst period, FTE", console)
    if len(hires):
        show_table(hires, f"Hires for at most {chance:.0%} overload", console, most=15)
    else:
        console.print(escaped(f"Nobody to hire for at most {chance:.0%} overload."))
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)
    return OK
