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
    from pmo_analytics.loaders import read_portfolio
    from pmo_analytics.reporting.folder import manifest, write_result

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
        figures = _draw(headroom, load, capacity, tried) if charts else {}
        facts = manifest(portfolio, command="forecast", report=facts_of(headroom))
        tables = {"forecast.csv": table, "backtest.csv": tried, "hires.csv": hires}
        if store is not None:
            tables["accuracy.csv"] = accuracy
        try:
            files = write_result(out, tables=tables, facts=facts, figures=figures)
        finally:
            close(figures)
    for note in headroom.notes:
        messages().print(escaped(note))
    worst = _worst(headroom)
    if json_output:
        print_json(
            {
                "status": "ok",
                "portfolio": portfolio.name,
                "roles": len(headroom.roles),
                "periods": len(headroom.periods),
                "overloaded": list(worst["role"][worst["chance"] > _LIKELY]),
                "notes": list(headroom.notes),
                "files": [str(file) for file in files],
            }
        )
        return OK
    console = output()
    shown = worst.assign(chance=worst["chance"].map("{:.0%}".format))
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


def _worst(headroom: Any) -> pd.DataFrame:
    """Return each role's period with the highest chance of overload."""
    chance, low, middle = headroom.p_overload, headroom.grid("p20"), headroom.grid()
    rows = []
    for role in headroom.roles:
        # Of equally likely periods the one that misses most.
        order = pd.DataFrame({"chance": chance[role], "middle": -middle[role]})
        period = order.sort_values(["chance", "middle"]).index[-1]
        rows.append(
            {
                "role": role,
                "period": str(period),
                "chance": chance.at[period, role],
                "p20": low.at[period, role],
                "p50": middle.at[period, role],
            }
        )
    columns = ["role", "period", "chance", "p20", "p50"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("chance", ascending=False, kind="stable")


def _draw(headroom: Any, load: Any, capacity: Any, tried: pd.DataFrame) -> Any:
    """Return the charts of a forecast by file name."""
    import matplotlib as mpl

    mpl.use("Agg")  # files only: no display is needed, none is opened
    from pmo_analytics.plotting.forecast import (
        figure_forecast,
        plot_backtest_errors,
        plot_calibration,
        plot_overload_chance,
    )

    figures: dict[str, Any] = {}
    for name, one in (("headroom", headroom), ("load", load), ("capacity", capacity)):
        if one.roles:
            figures[f"{name}.png"] = figure_forecast(one)
    if headroom.roles:
        figures["overload.png"] = plot_overload_chance(headroom).figure
    figures["backtest.png"] = plot_backtest_errors(tried).figure
    figures["calibration.png"] = plot_calibration(tried).figure
    return figures
