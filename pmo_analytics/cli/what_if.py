"""What if: compare, recover."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import (
    INFEASIBLE,
    OK,
    SOME_FAILED,
    app,
    command,
    print_answer,
    read_data,
    usage,
)
from pmo_analytics.cli.options import (
    ChangePriceOption,
    ChartsOption,
    ClusterOption,
    FlexOption,
    FreezeOption,
    GapOption,
    JsonOption,
    MovePriceOption,
    OutOption,
    PathArgument,
    RecordOption,
    SecondsOption,
    SeedOption,
    StrictOption,
    ThenOption,
    ValueLossOption,
    WorkersOption,
    WorkOption,
)
from pmo_analytics.cli.records import known_record, record_terms
from pmo_analytics.cli.results import say_written
from pmo_analytics.cli.terminal import (
    Watching,
    escaped,
    messages,
    output,
    records,
    show_table,
)
from pmo_analytics.errors import DataError, listing
from pmo_analytics.reporting import drawn

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.scenarios import Comparison
    from pmo_analytics.tracking import Recovery

RECOVER_KEYS = (
    "status",
    "project",
    "reasons",
    "best",
    "most_moved",
    "late_price",
    "options",
    "files",
)
COMPARE_KEYS = ("status", "scenarios", "failed", "rows", "files")


@app.command()
@command(COMPARE_KEYS)
def compare(
    path: PathArgument,
    scenarios: Annotated[Path, typer.Option(help="TOML file of scenarios.")],
    seconds: SecondsOption = 60.0,
    gap: GapOption = 0.0,
    work: WorkOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = "",
    out: OutOption = None,
    seed: SeedOption = 0,
    strict: StrictOption = False,
    flex: FlexOption = False,
    record: RecordOption = None,
    freeze: FreezeOption = 0,
    change_price: ChangePriceOption = 0.0,
    move_price: MovePriceOption = 0.0,
    then: ThenOption = None,
    value_loss: ValueLossOption = 0.0,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Solve scenarios beside the portfolio as it is, and compare the plans."""
    from pmo_analytics.optimization import SolveLimits, check_stages
    from pmo_analytics.scenarios import Kept, read_scenarios
    from pmo_analytics.scenarios import compare as solve_all

    with usage("--then"):
        check_stages(then or (), record is not None)
    terms = record_terms(
        record, freeze=freeze, change_price=change_price, move_price=move_price
    )
    portfolio = read_data(path)
    listed = read_scenarios(scenarios)
    # Finished answers lie beside the result until it is written: started again, the
    # same command goes on with the rest.
    keep = None if out is None else _beside(out)
    with _kept(keep), Watching() as progress:
        result = solve_all(
            portfolio,
            listed,
            limits=SolveLimits(seconds=seconds, gap=gap, work=work),
            seed=seed,
            strict=strict,
            flex=flex,
            record=known_record(portfolio, record, terms),
            then=then or (),
            value_loss=value_loss,
            workers=workers,
            cluster=cluster,
            keep=keep,
            on_done=_say_done,
            progress=progress,
        )
    files = [] if out is None else _write(result, out, charts)
    if keep is not None and not result.failed:
        Kept(keep).clear()
    if json_output:
        _print_line(result, files)
        return _code(result)
    _print(result, keep)
    say_written(out, files)
    return _code(result)


def _code(result: Comparison) -> int:
    if "infeasible" in set(result.table["status"].iloc[:1]):
        return INFEASIBLE
    return SOME_FAILED if result.failed else OK


def _print_line(result: Comparison, files: list[Path]) -> None:
    """Print the JSON line."""
    facts = {
        "status": {OK: "ok", INFEASIBLE: "infeasible"}.get(_code(result), "failed"),
        "scenarios": len(result.table) - 1,
        "failed": result.failed,
        "rows": records(result.table),
        "files": [str(file) for file in files],
    }
    print_answer(facts)


def _beside(out: Path) -> Path:
    """Return the folder for finished answers, also where the result is `.`."""
    place = Path(os.path.abspath(out))
    return place.parent / f"{place.name}.unfinished"


@contextmanager
def _kept(folder: Path | None) -> Iterator[None]:
    """Say where finished scenarios are, should Ctrl-C come before all is written."""
    try:
        yield
    except KeyboardInterrupt:
        if folder is not None and folder.is_dir() and any(folder.iterdir()):
            messages().print(
                escaped(
                    f"Finished scenarios are kept in {folder}: the same command "
                    "goes on with the rest."
                )
            )
        raise


def _say_done(finished: Any) -> None:
    worth = "" if finished.objective is None else f"  {finished.objective:,.2f}"
    messages().print(
        escaped(
            f"{finished.done} of {finished.total}: {finished.scenario}  "
            f"{finished.status}{worth}"
        )
    )


def _print(result: Comparison, keep: Path | None) -> None:
    console = output()
    table = result.table
    shown = table[
        ["scenario", "status", "objective", "delta_low", "delta_high", "effect", "gap"]
    ]
    show_table(shown, "Scenarios against the base", console, most=200)
    for sentence in result.sentences():
        console.print(escaped(sentence))
    if result.failed and keep is not None:
        messages().print(
            escaped(
                f"Not solved: {listing(result.failed, 20)}. The same command goes on "
                "with them."
            )
        )


def _write(result: Comparison, out: Path, charts: bool) -> list[Path]:
    from pmo_analytics.cli.terminal import plain
    from pmo_analytics.reporting import comparison_tables, manifest, write_result

    reports = {
        name: plain(plan.report.to_dict())
        for name, plan in result.plans.items()
        if plan.report is not None
    }
    base = next(iter(result.portfolios.values()))
    facts = manifest(base, command="compare") | {"reports": reports}
    with drawn(lambda: _draw(result), wanted=charts) as figures:
        return write_result(
            out, tables=comparison_tables(result), facts=facts, figures=figures
        )


def _draw(result: Comparison) -> dict[str, Any]:
    from pmo_analytics.plotting import plot_comparison, plot_core, plot_moves

    return {
        "comparison": plot_comparison(result).figure,
        "moves": plot_moves(result).figure,
        "core": plot_core(result).figure,
    }


@app.command()
@command(RECOVER_KEYS)
def recover(
    path: PathArgument,
    project: Annotated[str, typer.Option(help="Id of the project in trouble.")],
    record: RecordOption = None,
    most_moved: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Other projects an option may move: a share below 1, or how many.",
        ),
    ] = 0.1,
    late_price: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="What a period late counts as, in the unit of the objective; without "
            "it, what the project is worth by its planned periods.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this one, may be given several times: accept, resequence, "
            "people, buy, scope, stop."
        ),
    ] = None,
    seconds: SecondsOption = 60.0,
    out: OutOption = None,
    seed: SeedOption = 0,
    json_output: JsonOption = False,
) -> int:
    """Find ways to get a project back on track, each solved and checked."""
    from pmo_analytics.tracking import OPTIONS
    from pmo_analytics.tracking import recover as find_ways

    unknown = [name for name in option or () if name not in OPTIONS]
    if unknown:
        raise typer.BadParameter(f"'{unknown[0]}' is none of {', '.join(OPTIONS)}.")
    portfolio = _read_sound(path)
    known = known_record(portfolio, record, {})
    result = find_ways(
        portfolio,
        project,
        record=known,
        most_moved=most_moved,
        late_price=late_price,
        options=option or OPTIONS,
        seconds=seconds,
        seed=seed,
    )
    if known is None:
        messages().print(
            "No plan of record was given (--record): the best plan of these tables, "
            "found first, stands for it."
        )
    files = [] if out is None else _write_recovery(result, portfolio, out)
    if json_output:
        _print_recovery(result, files)
    else:
        _show_recovery(result, portfolio)
        say_written(out, files)
    return INFEASIBLE if result.reasons and result.best is None else OK


def _read_sound(path: Path) -> Portfolio:
    """Return a portfolio to plan with: rows of status that have errors are left out."""
    from pmo_analytics.loaders import load_portfolio
    from pmo_analytics.tracking import sound_part

    try:
        return read_data(path)
    except DataError:
        portfolio, left_out = sound_part(load_portfolio(path), plans=True)
        if left_out.empty:
            raise
    first = left_out.iloc[0]
    where = f"{first['table']} row {first['row']}, {first['column']}"
    text = f"Rows of status that could not be used: {len(left_out)}; {where}. "
    messages().print(escaped(f"{text}{first['fix']} See pmo check."), style="yellow")
    return portfolio


def _print_recovery(result: Recovery, files: list[Path]) -> None:
    """Print the JSON line."""
    status = "ok" if result.best else "infeasible" if result.reasons else "on_track"
    print_answer(
        {
            "status": status,
            "project": result.project,
            "reasons": list(result.reasons),
            "best": result.best,
            "most_moved": result.most,
            "late_price": result.late_price,
            "options": records(result.table),
            "files": [str(file) for file in files],
        }
    )


def _say_on_track(project: str, portfolio: Portfolio) -> Iterator[str]:
    """Return that nothing is to be recovered, and what reports say against it."""
    from pmo_analytics.tracking import status

    yield f"'{project}' is on track: there is nothing to recover."
    if not (portfolio.progress["project"] == project).any():
        return
    table = status(portfolio).table
    if project in table.index and table.at[project, "rag"] in ("red", "amber"):
        row = table.loc[project]
        yield (
            f"But its status is {row['rag']}: {row['reason']}. The plan does not know"
            " of it: write the duration that is in force into the table projects, and"
            " ways back are looked for."
        )


def _show_recovery(result: Recovery, portfolio: Portfolio) -> None:
    console = output()
    if not result.reasons:
        for line in _say_on_track(result.project, portfolio):
            console.print(escaped(line))
        return
    for reason in result.reasons:
        console.print(escaped(reason))
    fine = result.table[result.table["status"] == "ok"]
    columns = ["option", "finish", "late", "cost", "rest_cost", "own_cost"]
    columns += ["late_cost", "moved"]
    if len(fine):
        many = "" if result.most == 1 else "s"
        title = f"Ways back, at most {result.most} other project{many} moved"
        show_table(fine[columns], title, console)
    for row in result.table.to_dict("records"):
        console.print(escaped(_say_option(row)))
    console.print(escaped(result.late_price_says))
    console.print(
        "cost = rest_cost (what the others lose against the plan of record, purchases "
        "included) + own_cost (what it loses itself) + late_cost."
    )


def _say_option(row: Mapping[str, Any]) -> str:
    """Return what an option does, whom it moves and what is known of it."""
    if row["status"] != "ok":
        return f"{row['option']} ({row['status']}): {row['what']}"
    text = f"{row['option']}: {row['what']}"
    if row["moved_projects"]:
        text += f" Moves {row['moved_projects']}."
    missed = row["deadline_missed"]
    if not pd.isna(missed) and missed > 0:
        text += f" Its deadline is missed by {missed} period{'s' * (missed > 1)}."
    low = row["rest_cost_low"]
    if pd.isna(low) or low < 0 < row["rest_cost"] - low:
        text += " No bound says that it could not cost the others less."
    elif low < row["rest_cost"] - 0.01 * max(abs(row["rest_cost"]), 1.0):
        text += f" By the bounds it might cost the others only {low:,.0f}."
    return text if row["checked"] else f"{text} The checker found broken rules in it."


def _write_recovery(result: Recovery, portfolio: Any, out: Path) -> list[Path]:
    from pmo_analytics.reporting import manifest, write_result

    tables = {"options.csv": result.table}
    for name, plan in result.plans.items():
        tables[f"{name}/schedule.csv"] = plan.schedule
    facts = manifest(portfolio, command="recover")
    facts |= {"project": result.project, "reasons": list(result.reasons)}
    return write_result(out, tables=tables, facts=facts, figures={})
