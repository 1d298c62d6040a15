"""Forecasts: forecast."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.cli.command import OK, app, command, print_answer, read_data, usage
from pmo_analytics.cli.options import (
    ChanceOption,
    ChartsOption,
    FuturesOption,
    HorizonOption,
    JsonOption,
    LeadOption,
    ModelOption,
    OutOption,
    PathArgument,
    RampOption,
    RecordOption,
    ScopeOption,
    SeedOption,
    StoreOption,
    WhyOption,
)
from pmo_analytics.cli.records import known_record
from pmo_analytics.cli.results import say_written
from pmo_analytics.cli.terminal import escaped, messages, output, records, show_table
from pmo_analytics.clock import with_period_texts
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.reporting import drawn

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.forecasting import Forecast, Why
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

FORECAST_KEYS = ("status", "roles", "periods", "overloaded", "notes", "files")
# Futures drawn by default; fewer where all numbers would not fit into a gigabyte.
_USUAL, _FEWEST, _MOST_NUMBERS = 2000, 200, 50_000_000
# Roles are named as overloaded above this chance.
_LIKELY = 0.5


@app.command()
@command(FORECAST_KEYS)
def forecast(
    path: PathArgument,
    horizon: HorizonOption = None,
    out: OutOption = None,
    draws: FuturesOption = None,
    model: ModelOption = "combination",
    scope: ScopeOption = "pipeline",
    record: RecordOption = None,
    why: WhyOption = None,
    chance: ChanceOption = 0.2,
    lead: LeadOption = 3,
    ramp: RampOption = 0,
    store: StoreOption = "",
    seed: SeedOption = 0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Forecast capacity, load and headroom with intervals, and whom to hire when.

    --why ROLE says where the forecast of a role comes from instead.
    """
    from pmo_analytics.batch import remembering
    from pmo_analytics.forecasting import (
        after_history,
        forecast_headroom,
        forecast_tables,
    )

    _check_options(model, scope, record)
    portfolio, notes = after_history(read_data(path))
    _check_roles(portfolio, why or ())
    draws, fewer = _futures(portfolio, horizon, draws)
    notes += fewer
    with remembering(store, portfolio) as memory:
        headroom = forecast_headroom(
            portfolio,
            periods=horizon,
            draws=draws,
            seed=seed,
            model=model,
            scope=scope,
            plan=_plan_of(portfolio, record),
            ramp=ramp,
            accuracy=memory.learnt,
        )
        memory.keep(headroom)
    notes = [*notes, *headroom.notes]
    tables = forecast_tables(headroom, model=model, chance=chance, lead=lead, ramp=ramp)
    if store:
        tables |= memory.tables()
    answers = [headroom.why(role) for role in dict.fromkeys(why or ())]
    files: list[Path] = []
    if out is not None:
        asked = {"notes": notes, "model": model, "seed": seed, "chance": chance}
        asked |= {"why": answers}
        files, left_out = _write(out, portfolio, headroom, tables, asked, charts=charts)
        notes += left_out
    for note in notes:
        messages().print(escaped(note))
    if json_output:
        _print(portfolio, headroom, chance, notes, files, answers)
        return OK
    _show(headroom, tables["hires.csv"], chance, answers)
    say_written(out, files)
    return OK


def _check_options(model: str, scope: str, record: Path | None) -> None:
    """Refuse what no portfolio could make right."""
    from pmo_analytics.forecasting import SCOPES, find_model

    with usage("--model"):
        find_model(model)
    with usage("--scope"):
        if scope not in SCOPES:
            raise ConfigError(f"{scope!r} is neither {' nor '.join(SCOPES)}.")
        if (scope == "plan") != (record is not None):
            raise ConfigError(
                "--scope plan and --record belong together: the folder of a plan of "
                "record, or the schedule.csv of a plan."
            )


def _check_roles(portfolio: Portfolio, asked: Sequence[str]) -> None:
    from pmo_analytics.rules import all_roles

    known = {*all_roles(portfolio), *portfolio.capacity.columns}
    known |= {*portfolio.history["role"].dropna()}
    with usage("--why"):
        for role in asked:
            if role not in known:
                raise ConfigError(f"There is no role {role!r}{closest(role, known)}.")


def _plan_of(portfolio: Portfolio, record: Path | None) -> Plan | None:
    """Return the plan of record, None where none is given."""
    if record is None:
        return None
    from pmo_analytics.plan import Plan

    return Plan(portfolio, known_record(portfolio, record, {}).schedule)


def _futures(
    portfolio: Portfolio, horizon: int | None, asked: int | None
) -> tuple[int, list[str]]:
    """Return how many futures are asked for, or else fit into memory, and a note."""
    from pmo_analytics.rules import all_roles

    if asked is not None:
        return asked, []
    roles = {*all_roles(portfolio), *portfolio.history["role"].dropna()}
    cells = len(roles) * max(horizon or 0, len(portfolio.horizon), 1)
    draws = min(max(_MOST_NUMBERS // max(cells, 1), _FEWEST), _USUAL)
    if draws == _USUAL:
        return draws, []
    return draws, [
        f"{draws} futures are drawn instead of {_USUAL:,}, for {len(roles):,} "
        "roles in that many periods need much memory. --draws asks for more."
    ]


def _print(
    portfolio: Portfolio,
    headroom: Forecast,
    chance: float,
    notes: list[str],
    files: list[Path],
    answers: Sequence[Why],
) -> None:
    """Print the JSON line."""
    from pmo_analytics.forecasting import outlook

    risks = outlook(headroom, chance=chance)
    print_answer(
        {
            "status": "ok",
            "portfolio": portfolio.name,
            "roles": len(headroom.roles),
            "periods": len(headroom.periods),
            "overloaded": list(risks["role"][risks["p_overload"] > _LIKELY]),
            "scope": headroom.scope,
            "notes": notes,
            "files": [str(file) for file in files],
            **(
                {"why": [_facts_of_why(answer) for answer in answers]}
                if answers
                else {}
            ),
        }
    )


def _facts_of_why(answer: Why) -> dict[str, Any]:
    numbers = with_period_texts(answer.table)
    return {
        "role": answer.role,
        "quantity": answer.quantity,
        "said": dict(answer.said),
        "numbers": records(numbers),
    }


def _show_why(answers: Sequence[Why]) -> None:
    """Print the sentences, then their numbers."""
    console = output()
    for answer in answers:
        console.print(escaped(f"{answer}\n"), soft_wrap=True)
        table = answer.table.drop(
            columns="quantity" if answer.quantity != "headroom" else []
        )
        show_table(table, f"Numbers of {answer.role}", console, most=200)


def _show(
    headroom: Forecast, hires: pd.DataFrame, chance: float, answers: Sequence[Why]
) -> None:
    """Print who runs short and whom to hire, or the answers asked for."""
    from pmo_analytics.forecasting import outlook

    if answers:
        _show_why(answers)
        return
    console = output()
    if headroom.roles:
        risks = outlook(headroom, chance=chance)
        show_table(risks, "Headroom by role in its worst period, FTE", console)
    for part in headroom.parts:
        _show_alone(part, set(headroom.roles))
    if len(hires):
        show_table(hires, f"Hires for at most {chance:.0%} overload", console, most=15)
    elif headroom.roles:
        console.print(escaped(f"Nobody to hire for at most {chance:.0%} overload."))


def _show_alone(part: Forecast, beside: Container[str]) -> None:
    """Print capacity or load of roles of which the other one is not known."""
    alone = part.table[[role not in beside for role in part.table["role"]]]
    if alone.empty:
        return
    ends = alone[alone["period"].isin([part.periods[0], part.periods[-1]])]
    ends = ends.sort_values(["role", "period"])[["role", "period", "p20", "p50", "p80"]]
    title = f"{part.quantity.capitalize()} alone, first and last period, FTE"
    show_table(ends, title, output())


def _write(
    out: Path,
    portfolio: Portfolio,
    headroom: Forecast,
    tables: Mapping[str, pd.DataFrame],
    asked: Mapping[str, Any],
    *,
    charts: bool,
) -> tuple[list[Path], list[str]]:
    """Write the files; return them and what the workbook leaves out."""
    from pmo_analytics.clock import format_period
    from pmo_analytics.forecasting import facts_of
    from pmo_analytics.reporting import (
        fitting,
        folder_names,
        forecast_report,
        manifest,
        summary_of,
        why_table,
        write_page,
        write_result,
        write_workbook,
    )
    from pmo_analytics.versions import versions

    if asked["why"]:
        tables = {**tables, "why.csv": why_table(asked["why"])}
    sheets, left_out = fitting(tables)
    found = {
        **facts_of(headroom),
        "notes": [*asked["notes"], *left_out],
        "model": asked["model"],
        "versions": versions(),
    }
    facts = {**versions(), "digest": portfolio.digest(), "seed": asked["seed"]}
    told = folder_names(answer.role for answer in asked["why"])
    with drawn(lambda: _figures(headroom, tables, told), wanted=charts) as figures:
        report = forecast_report(
            headroom,
            portfolio=portfolio.name,
            as_of=format_period(portfolio.horizon[0] - 1),
            hires=tables["hires.csv"],
            chance=asked["chance"],
            figures=figures,
            losses=tables["losses.csv"],
            problems=portfolio.problems,
            facts=facts,
            why=asked["why"],
        )
        files = write_result(
            out,
            tables=tables,
            facts=manifest(portfolio, command="forecast", report=found),
            figures=figures,
            others={
                "report.html": lambda path: write_page(path, report),
                "forecast.xlsx": lambda path: write_workbook(
                    path, sheets, summary=summary_of(report), left_out=left_out
                ),
            },
        )
    return files, left_out


def _figures(
    headroom: Forecast, tables: Mapping[str, pd.DataFrame], told: Mapping[str, str]
) -> dict[str, Any]:
    """Return the charts; of those who are told why too, role -> name of its file."""
    from pmo_analytics.plotting import forecast_figures, plot_why

    figures: dict[str, Any] = forecast_figures(
        headroom, tables["backtest.csv"], tables.get("accuracy.csv")
    )
    for role, name in told.items():
        figures[f"why/{name}"] = plot_why(headroom, role).figure
    return figures
