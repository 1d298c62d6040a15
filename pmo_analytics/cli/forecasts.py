"""Forecasts: forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pandas as pd
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
)
from pmo_analytics.cli.results import close, say_files
from pmo_analytics.terminal import escaped, messages, output, print_json, show_table

FORECAST_KEYS = ("status", "roles", "periods", "overloaded", "notes", "files")
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
        int, typer.Option(min=100, max=100_000, help="How many futures.")
    ] = 2000,
    model: Annotated[
        str, typer.Option(help="Model of time series, such as theta or combination.")
    ] = "combination",
    chance: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Accepted chance of overload.")
    ] = 0.2,
    lead: Annotated[
        int, typer.Option(min=0, max=60, help="Periods until somebody hired works.")
    ] = 3,
    store: Annotated[
        str | None,
        typer.Option(help="SQLite file or database URL that remembers forecasts."),
    ] = None,
    seed: SeedOption = 0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Forecast capacity, load and headroom with intervals, and whom to hire when."""
    from pmo_analytics.forecasting.backtesting import backtest
    from pmo_analytics.forecasting.forecast import facts_of
    from pmo_analytics.forecasting.headroom import forecast_headroom, hire_list
    from pmo_analytics.forecasting.models import find_model
    from pmo_analytics.forecasting.outlook import outlook
    from pmo_analytics.loaders import loaded_problems, read_portfolio
    from pmo_analytics.optimization.run import versions
    from pmo_analytics.periods import format_period
    from pmo_analytics.reporting.briefing import forecast_report
    from pmo_analytics.reporting.folder import manifest, write_result
    from pmo_analytics.reporting.page import write_page
    from pmo_analytics.reporting.workbook import write_workbook

    find_model(model)
    portfolio = read_portfolio(path)
    with _remembered(store, portfolio) as (learnt, accuracy, keep):
        headroom = forecast_headroom(
            portfolio,
            periods=horizon,
            draws=draws,
            seed=seed,
            model=model,
            accuracy=learnt,
        )
        keep(headroom)
    capacity, load = headroom.parts
    table = pd.concat(
        [f.table for f in (capacity, load, headroom) if f.roles], ignore_index=True
    )
    past = load.history if len(load.history) else capacity.history
    tried = backtest(past, horizon=min(len(headroom.periods), 12), models=(model,))
    hires = hire_list(headroom, chance=chance, lead=lead)
    files = []
    if out is not None:
        tables = {"forecast.csv": table, "backtest.csv": tried, "hires.csv": hires}
        if store is not None:
            tables["accuracy.csv"] = accuracy
        figures = _draw(headroom, tried, accuracy) if charts else {}
        report = forecast_report(
            headroom,
            portfolio=portfolio.name,
            as_of=format_period(portfolio.horizon[0] - 1),
            hires=hires,
            chance=chance,
            figures=figures,
            problems=loaded_problems(portfolio),
            facts={**versions(), "digest": portfolio.digest(), "seed": seed},
        )
        try:
            files = write_result(
                out,
                tables=tables,
                facts=manifest(
                    portfolio, command="forecast", report=facts_of(headroom)
                ),
                figures={f"{name}.png": figure for name, figure in figures.items()},
                others={
                    "report.html": lambda path: write_page(path, report),
                    "forecast.xlsx": lambda path: write_workbook(path, tables),
                },
            )
        finally:
            close(figures)
    for note in headroom.notes:
        messages().print(escaped(note))
    risks = outlook(headroom, chance=chance)
    if json_output:
        print_json(
            {
                "status": "ok",
                "portfolio": portfolio.name,
                "roles": len(headroom.roles),
                "periods": len(headroom.periods),
                "overloaded": list(risks["role"][risks["p_overload"] > _LIKELY]),
                "notes": list(headroom.notes),
                "files": [str(file) for file in files],
            }
        )
        return OK
    console = output()
    shown = risks.assign(p_overload=risks["p_overload"].map("{:.0%}".format))
    show_table(shown, "Headroom by role in its worst period, FTE", console)
    if len(hires):
        text = hires.assign(p_overload=hires["p_overload"].map("{:.0%}".format))
        show_table(text, f"Hires for at most {chance:.0%} overload", console, most=15)
    else:
        console.print(escaped(f"Nobody to hire for at most {chance:.0%} overload."))
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)
    return OK


@contextmanager
def _remembered(
    place: str | None, portfolio: Any
) -> Iterator[tuple[pd.DataFrame | None, pd.DataFrame, Callable[[Any], None]]]:
    """Give what former forecasts teach, how right they were, and what keeps one."""
    if place is None:
        yield None, pd.DataFrame(), lambda _headroom: None
        return
    from pmo_analytics.optimization.run import versions
    from pmo_analytics.store import forecast_accuracy, learn_intervals, open_store

    memory = open_store(place)
    try:
        past = portfolio.history
        past = past[past["period"] < portfolio.horizon[0]]
        name = portfolio.name

        def keep(headroom: Any) -> None:
            memory.save(
                *headroom.parts,
                headroom,
                portfolio=name,
                as_of=portfolio.horizon[0] - 1,
                digest=portfolio.digest(),
                facts={"versions": versions(), "notes": list(headroom.notes)},
            )

        learnt = learn_intervals(memory, past, portfolio=name)
        yield learnt, forecast_accuracy(memory, past, portfolio=name), keep
    finally:
        memory.close()


def _draw(headroom: Any, tried: pd.DataFrame, accuracy: pd.DataFrame) -> Any:
    """Return the charts of a forecast by name."""
    import matplotlib as mpl

    mpl.use("Agg")  # files only: no display is needed, none is opened
    from pmo_analytics.plotting.accuracy import (
        figure_accuracy,
        plot_backtest_errors,
        plot_calibration,
    )
    from pmo_analytics.plotting.fan import figure_forecast
    from pmo_analytics.plotting.overload import plot_overload_chance

    figures: dict[str, Any] = {}
    if headroom.roles:
        figures["headroom"] = figure_forecast(headroom)
        figures["overload"] = plot_overload_chance(headroom).figure
    for part in headroom.parts:
        if part.roles:
            figures[part.quantity] = figure_forecast(part)
    if len(tried):
        figures["backtest"] = plot_backtest_errors(tried).figure
        figures["calibration"] = plot_calibration(tried).figure
    if len(accuracy):
        figures["accuracy"] = figure_accuracy(accuracy)
    return figures
