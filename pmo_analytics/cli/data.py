"""The data: new, check, capacity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import (
    BAD_DATA,
    OK,
    app,
    command,
    print_answer,
    read_data,
)
from pmo_analytics.cli.options import ChartsOption, JsonOption, OutOption, PathArgument
from pmo_analytics.cli.results import draw_plan, say_files
from pmo_analytics.cli.terminal import (
    escaped,
    output,
    plain,
    records,
    show_problems,
    show_table,
)
from pmo_analytics.cli.tracked.schedules import check_schedules
from pmo_analytics.clock import anchored_days
from pmo_analytics.errors import has_errors
from pmo_analytics.reporting import drawn


@app.command()
@command()
def new(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder for the example tables.")
    ] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option(help="Write a template workbook with a guide instead."),
    ] = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="Headings only, without the example's rows.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Write example tables to overwrite with your own, or empty ones to fill in."""
    from pmo_analytics.examples import example_portfolio
    from pmo_analytics.loaders import write_empty, write_portfolio, write_template

    target = xlsx or folder
    if target is None or (xlsx is not None and folder is not None):
        raise typer.BadParameter("Name a folder, or a workbook with --xlsx FILE.")
    occupied = target.is_file() or (target.is_dir() and any(target.iterdir()))
    if occupied and not force:
        raise typer.BadParameter(
            f"{target} is there already; use --force to overwrite."
        )
    if xlsx is not None and xlsx.suffix.lower() != ".xlsx":
        raise typer.BadParameter("The workbook's name must end in .xlsx.")
    portfolio = example_portfolio()
    if empty:
        write_empty(target, portfolio.horizon)
    elif xlsx is not None:
        write_template(xlsx, portfolio)
    else:
        write_portfolio(portfolio, target)
    if json_output:
        print_answer({"status": "ok", "path": str(target)})
    else:
        words = "Fill in projects, demand and people, then: " if empty else "Next: "
        output().print(escaped(f"Wrote {target}. {words}pmo check {target}"))
    return OK


@app.command()
@command()
def check(
    path: PathArgument,
    schedule: Annotated[
        bool,
        typer.Option(
            "--schedule", help="The quality of planning files: the DCMA's 14 points."
        ),
    ] = False,
    variant: Annotated[
        str,
        typer.Option(help="Count points as another engine: longpath, p6-mcp, pyp6xer."),
    ] = "",
    json_output: JsonOption = False,
) -> int:
    """List every problem in the data, with file, row and fix."""
    if variant and not schedule:
        raise typer.BadParameter("--variant goes with --schedule.")
    if schedule:
        return check_schedules(path, variant, json_output=json_output)
    from pmo_analytics.loaders import load_portfolio, planning_problems, read_rolled

    rolled = read_rolled(path)
    portfolio = load_portfolio(path) if rolled is None else rolled.portfolio
    problems = planning_problems(portfolio, networks=rolled is not None)
    errors = int((problems["severity"] == "error").sum())
    if json_output:
        print_answer(
            {
                "status": "failed" if errors else "ok",
                "errors": errors,
                "warnings": len(problems) - errors,
                "first_period": anchored_days(portfolio.horizon) or None,
                "problems": records(problems),
                **({} if rolled is None else {"balance": records(rolled.balance)}),
            }
        )
    else:
        console = output()
        if len(problems):
            show_problems(problems, f"Problems in {path}", console)
        if rolled is not None:
            _show_balance(rolled, console)
        console.print(
            escaped(
                f"{portfolio.name or path}: {_count(errors, 'error')}, "
                f"{_count(len(problems) - errors, 'warning')}."
            )
        )
        if days := anchored_days(portfolio.horizon):
            console.print(escaped(f"The first period {days}."))
    return BAD_DATA if has_errors(problems) else OK


@app.command()
@command()
def capacity(
    path: PathArgument,
    out: OutOption = None,
    committed: Annotated[
        bool, typer.Option(help="Only running and approved projects as load.")
    ] = False,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Show capacity, load of the planned dates, and headroom by role and period."""
    from pmo_analytics.plan import baseline
    from pmo_analytics.reporting import capacity_rows, manifest, write_result
    from pmo_analytics.rules import say_not_counted

    portfolio = read_data(path)
    plan = baseline(portfolio, status=["running", "approved"] if committed else None)
    rows = capacity_rows(plan)
    files = []
    if out is not None:
        names = ("capacity", "utilization")
        with drawn(lambda: draw_plan(plan, names), wanted=charts) as figures:
            files = write_result(
                out,
                tables={"capacity.csv": rows, "not_counted.csv": plan.not_counted},
                facts=manifest(plan.portfolio, command="capacity")
                | {"not_counted": plain(records(plan.not_counted))},
                figures=figures,
            )
    text = rows.assign(period=rows["period"].astype(str))
    if json_output:
        print_answer(
            {
                "status": "ok",
                "portfolio": portfolio.name,
                "rows": records(text),
                "not_counted": records(plan.not_counted),
                "files": [str(file) for file in files],
            }
        )
        return OK
    console = output()
    which = "running and approved projects" if committed else "every planned date"
    show_table(_by_role(plan), f"FTE by role against the load of {which}", console)
    over = text[text["headroom"] < -1e-6].sort_values("headroom")
    if len(over):
        show_table(over, "Overloaded role-periods, worst first", console, most=15)
    elif plan.not_counted.empty:
        console.print("No role is overloaded in any period.")
    else:
        console.print("What is counted overloads nobody. That is not all:")
    for sentence in say_not_counted(plan.not_counted):
        console.print(escaped(sentence), soft_wrap=True)
    say_files(files)
    return OK


def _show_balance(rolled: Any, console: Any) -> None:
    """Print what was read of planning files, used, and listed with reasons."""
    shown = rolled.balance[rolled.balance["read"] != 0]
    title = "What was read is used, or listed with its reason"
    show_table(shown, title, console, most=60)
    listed = rolled.listed
    if len(listed):
        why = listed.groupby(["what", "reason"], sort=False, as_index=False).agg(
            amount=("amount", "sum"), rows=("amount", "size")
        )
        show_table(why, "Listed", console, most=20)
    open_ = rolled.balance.eval("read != used + listed")
    if open_.any():
        what = rolled.balance.loc[open_, "what"].unique()
        console.print(escaped(f"The balance of {', '.join(what)} does not add up."))


def _count(many: int, word: str) -> str:
    return f"{many:,} {word}{'' if many == 1 else 's'}"


def _by_role(plan: Any) -> pd.DataFrame:
    """Return one row per role: means, the tightest period and the overload."""
    rows = []
    for role in plan.load.columns:
        used = plan.utilization[role].astype("float64")
        peak = used.idxmax() if used.notna().any() else None
        rows.append(
            {
                "role": role,
                "mean capacity": plan.capacity[role].mean(),
                "mean load": plan.load[role].mean(),
                "least headroom": plan.headroom[role].min(),
                "peak utilization": None if peak is None else used[peak],
                "peak in": peak,
                "overload in all": plan.overload[role].sum(),
            }
        )
    return pd.DataFrame(rows)
