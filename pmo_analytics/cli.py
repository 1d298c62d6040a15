"""The command line: every command is a thin layer over the public verbs.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 unexpected,
2 usage, 3 bad data or configuration, 4 infeasible or a plan that breaks rules, 6 no
plan in time.
"""

from __future__ import annotations

import functools
import json
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from pmo_analytics.errors import (
    ConfigError,
    DataError,
    InfeasibleError,
    PmoError,
    PmoWarning,
    SolverError,
    has_errors,
)
from pmo_analytics.terminal import (
    Watching,
    escaped,
    lines,
    messages,
    output,
    plain,
    print_json,
    records,
    show_table,
)

OK, UNEXPECTED, USAGE, BAD_DATA, INFEASIBLE, NO_PLAN = 0, 1, 2, 3, 4, 6
OPTIMIZE_KEYS = (
    "status",
    "objective",
    "bound",
    "gap",
    "seconds",
    "projects_selected",
    "certified",
)

app = typer.Typer(
    name="pmo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Portfolio analytics, capacity and proven portfolio plans for PMOs.",
)
PathArgument = Annotated[
    Path, typer.Argument(help="Folder of CSV files with portfolio.toml, or a workbook.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON line on stdout.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the result files.")
]
StrictOption = Annotated[
    bool,
    typer.Option(help="Overloads of work that cannot be moved count as broken rules."),
]
SecondsOption = Annotated[
    float, typer.Option(min=0.1, max=1e6, help="Wall clock of the search.")
]
GapOption = Annotated[
    float, typer.Option(min=0.0, help="Stop at this gap, 0.01 = 1 %.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the search.")]
ChartsOption = Annotated[bool, typer.Option(help="Draw the charts.")]


def _failure(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return exit code and JSON facts of an error."""
    facts: dict[str, Any] = {"status": "failed", "error": str(error)}
    if isinstance(error, DataError):
        facts["problems"] = records(error.problems)
        return BAD_DATA, facts
    if isinstance(error, ConfigError):
        return BAD_DATA, facts
    if isinstance(error, InfeasibleError):
        facts["status"] = "infeasible"
        facts["conflicts"] = records(error.conflicts)
        return INFEASIBLE, facts
    if isinstance(error, SolverError):
        facts["status"] = error.status
        facts["attempts"] = error.attempts
        return (NO_PLAN if error.status == "no_solution" else UNEXPECTED), facts
    if isinstance(error, KeyboardInterrupt):
        facts["status"] = "no_solution"
        facts["error"] = "Interrupted before there was a result."
        return NO_PLAN, facts
    return UNEXPECTED, facts


def command(keys: Sequence[str] = ("status",)) -> Callable[..., Any]:
    """Make a command that turns errors into a message, JSON facts and an exit code.

    Parameters
    ----------
    keys
        Keys that the JSON line has on failures too, null where unknown.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapped(*args: Any, **options: Any) -> None:
            as_json = bool(options.get("json_output"))
            try:
                with warnings.catch_warnings():
                    # Reading says what it changed; commands print it themselves.
                    warnings.simplefilter("ignore", PmoWarning)
                    code = function(*args, **options)
            except (PmoError, KeyboardInterrupt, OSError) as error:
                code, facts = _failure(error)
                if as_json:
                    print_json({**dict.fromkeys(keys), **facts})
                messages().print(escaped(facts["error"]), style="red")
            raise typer.Exit(code)

        return wrapped

    return decorate


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
    force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Write example tables to overwrite with your own."""
    from pmo_analytics.examples import example_portfolio
    from pmo_analytics.loaders import write_portfolio
    from pmo_analytics.loaders.template import write_template

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
    if xlsx is not None:
        write_template(xlsx, portfolio)
    else:
        write_portfolio(portfolio, target)
    if json_output:
        print_json({"status": "ok", "path": str(target)})
    else:
        output().print(f"Wrote {escaped(str(target))}. Next: pmo check {target}")
    return OK


@app.command()
@command()
def check(path: PathArgument, json_output: JsonOption = False) -> int:
    """List every problem in the data, with file, row and fix."""
    from pmo_analytics.loaders import load_portfolio, loaded_problems

    portfolio = load_portfolio(path)
    problems = loaded_problems(portfolio)
    errors = int((problems["severity"] == "error").sum())
    if json_output:
        print_json(
            {
                "status": "failed" if errors else "ok",
                "errors": errors,
                "warnings": len(problems) - errors,
                "problems": records(problems),
            }
        )
    else:
        console = output()
        if len(problems):
            show_table(problems, f"Problems in {path}", console, most=200)
        console.print(
            escaped(
                f"{portfolio.name or path}: {errors} errors, "
                f"{len(problems) - errors} warnings."
            )
        )
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
    from pmo_analytics.loaders import read_portfolio
    from pmo_analytics.plan import baseline
    from pmo_analytics.reporting.folder import capacity_rows, manifest, write_result

    portfolio = read_portfolio(path)
    plan = baseline(portfolio, status=["running", "approved"] if committed else None)
    rows = capacity_rows(plan)
    files = []
    if out is not None:
        figures = _draw(plan, ("capacity", "utilization")) if charts else {}
        files = write_result(
            out,
            tables={"capacity.csv": rows},
            facts=manifest(plan.portfolio, command="capacity"),
            figures=figures,
        )
    text = rows.assign(period=rows["period"].astype(str))
    if json_output:
        print_json(
            {
                "status": "ok",
                "portfolio": portfolio.name,
                "rows": records(text),
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
    else:
        console.print("No role is overloaded in any period.")
    _say_files(files)
    return OK


def _by_role(plan: Any) -> pd.DataFrame:
    """Return one row per role: means, the tightest period and the overload."""
    from pmo_analytics.periods import format_period

    rows = []
    for role in plan.load.columns:
        used = plan.utilization[role].astype("float64")
        peak = used.idxmax() if used.notna().any() else None
        rows.append(
            {
                "role": role,
                "capacity (mean)": plan.capacity[role].mean(),
                "load (mean)": plan.load[role].mean(),
                "headroom (least)": plan.headroom[role].min(),
                "peak": "" if peak is None else f"{used[peak]:.0%}",
                "peak in": "" if peak is None else format_period(peak),
                "overload (sum)": plan.overload[role].sum(),
            }
        )
    return pd.DataFrame(rows)


def _say_files(files: Sequence[Path]) -> None:
    if files:
        names = ", ".join(file.name for file in files)
        messages().print(escaped(f"Wrote {files[0].parent}: {names}"))


@app.command()
@command(OPTIMIZE_KEYS)
def optimize(
    path: PathArgument,
    seconds: SecondsOption = 60.0,
    gap: GapOption = 0.0,
    out: OutOption = None,
    seed: SeedOption = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processes at work at once.")
    ] = None,
    work: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many nodes, for equal answers."),
    ] = None,
    solver: Annotated[
        str, typer.Option(help="Solver that PuLP knows: highs, gurobi, cbc ...")
    ] = "highs",
    strict: StrictOption = False,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Choose and schedule the projects that earn most within all limits."""
    from pmo_analytics.loaders import read_portfolio
    from pmo_analytics.optimization.search import optimize as search
    from pmo_analytics.optimization.solving import SolveLimits

    portfolio = read_portfolio(path)
    limits = SolveLimits(seconds=seconds, gap=gap, threads=threads, work=work)
    with Watching() as progress:
        plan = search(
            portfolio,
            limits=limits,
            strict=strict,
            seed=seed,
            solver=solver,
            progress=progress,
        )
    _say_plan(plan, "optimize", out=out, charts=charts, as_json=json_output)
    return OK


@app.command()
@command((*OPTIMIZE_KEYS, "measure"))
def level(
    path: PathArgument,
    objective: Annotated[
        str, typer.Option(help="What is minimised: makespan or delay.")
    ] = "makespan",
    seconds: SecondsOption = 60.0,
    gap: GapOption = 0.0,
    out: OutOption = None,
    seed: SeedOption = 0,
    work: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many schedules, for equal answers."),
    ] = None,
    strict: StrictOption = False,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Move approved projects so that nobody is overloaded and all ends early."""
    from pmo_analytics.loaders import read_portfolio
    from pmo_analytics.optimization.certify_level import MEASURES
    from pmo_analytics.optimization.levelling import level as search
    from pmo_analytics.optimization.solving import SolveLimits

    if objective not in MEASURES:
        raise typer.BadParameter(f"--objective is one of {', '.join(MEASURES)}.")
    portfolio = read_portfolio(path)
    limits = SolveLimits(seconds=seconds, gap=gap, work=work)
    with Watching(minimised=True) as progress:
        plan = search(
            portfolio,
            objective=objective,
            limits=limits,
            strict=strict,
            seed=seed,
            progress=progress,
        )
    _say_plan(plan, "level", out=out, charts=charts, as_json=json_output)
    return OK


def _say_plan(
    plan: Any, verb: str, *, out: Path | None, charts: bool, as_json: bool
) -> None:
    """Write the files of a plan that a verb found, and print it."""
    files = [] if out is None else _write_plan(plan, verb, out, charts)
    if as_json:
        facts = {**dict.fromkeys(OPTIMIZE_KEYS), **plan.report.to_dict()}
        facts["projects_selected"] = len(plan.starts)
        facts["inherited"] = records(plan.inherited)
        facts["files"] = [str(file) for file in files]
        print_json(facts)
        return
    console = output()
    chosen = plan.projects.loc[plan.projects["decision"] == "selected"]
    shown = ["project", "name", "status", "start", "finish", "moved", "worth"]
    show_table(chosen[shown], "Selected projects", console)
    if len(plan.inherited):
        show_table(plan.inherited, "Inherited: fixed work above the limit", console)
    console.print(escaped(lines(plan.summary())))
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    _say_files(files)


def _draw(plan: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the named charts of a plan by file name."""
    import matplotlib as mpl

    mpl.use("Agg")  # files only: no display is needed, none is opened
    from pmo_analytics.plotting.budget import plot_budget
    from pmo_analytics.plotting.capacity import figure_capacity
    from pmo_analytics.plotting.gantt import plot_gantt
    from pmo_analytics.plotting.utilization import plot_utilization

    draw: dict[str, Callable[[], Any]] = {
        "gantt": lambda: plot_gantt(plan).figure,
        "utilization": lambda: plot_utilization(plan).figure,
        "capacity": lambda: figure_capacity(plan),
        "budget": lambda: plot_budget(plan).figure,
    }
    return {f"{name}.png": draw[name]() for name in names}


def _write_plan(plan: Any, verb: str, out: Path, charts: bool) -> list[Path]:
    from pmo_analytics.reporting.folder import manifest, plan_tables, write_result

    names = ("gantt", "utilization", "capacity", "budget")
    figures = _draw(plan, names) if charts else {}
    facts = manifest(plan.portfolio, command=verb, report=plain(plan.report.to_dict()))
    try:
        return write_result(
            out,
            tables=plan_tables(plan),
            facts=facts,
            documents={"certificate.json": plan.report.certificate},
            figures=figures,
        )
    finally:
        _close(figures)


def _close(figures: Mapping[str, Any]) -> None:
    """Let go of charts, which would stay in memory until the process ends."""
    if figures:
        import matplotlib.pyplot as plt

        for figure in figures.values():
            plt.close(figure)


@app.command()
@command(("status", "certified", "objective"))
def verify(
    path: PathArgument,
    schedule: Annotated[Path, typer.Argument(help="schedule.csv of a plan.")],
    strict: StrictOption = False,
    json_output: JsonOption = False,
) -> int:
    """Recompute a plan exactly from the tables and say what is broken."""
    from pmo_analytics.loaders import read_portfolio
    from pmo_analytics.loaders.schedule import read_schedule
    from pmo_analytics.optimization.certify import check_bound, check_plan
    from pmo_analytics.optimization.certify_level import level_bound, measure_of
    from pmo_analytics.optimization.jobs import levelled_question
    from pmo_analytics.plan import relative_gap
    from pmo_analytics.reporting.folder import finish_result

    portfolio = read_portfolio(path).validate()
    finish_result(schedule.parent)
    claimed = _claims(schedule)
    rows = read_schedule(schedule)
    measure = claimed.get("measure", "worth")
    if measure == "worth":
        result = check_plan(
            portfolio, rows, strict=strict, objective=claimed.get("objective")
        )
        objective, certified = float(result.objective), result.certified
        prove = check_bound
    else:
        # A levelled plan may delay what keeps its start in the portfolio as it stands.
        portfolio = levelled_question(portfolio)
        result = check_plan(portfolio, rows, strict=strict)
        objective = float(measure_of(portfolio, rows, measure, strict=strict))
        wanted = claimed.get("objective", objective)
        certified = result.certified and math.isclose(wanted, objective, rel_tol=1e-9)
        prove = level_bound
    bound = gap = None
    if "certificate" in claimed:
        exact = prove(portfolio, claimed["certificate"], strict=strict)
        bound = None if exact is None else float(exact)
    if bound is not None:
        sign = 1.0 if measure == "worth" else -1.0
        gap = relative_gap(sign * objective, sign * bound)
    facts = {
        "status": "broken" if len(result.violations) else "ok",
        "certified": certified,
        "measure": measure,
        "objective": objective,
        "claimed_objective": claimed.get("objective"),
        "certified_bound": bound,
        "gap": gap,
        "violations": records(result.violations),
        "inherited": records(result.inherited),
    }
    if json_output:
        print_json(facts)
    else:
        console = output()
        if len(result.violations):
            shown = result.violations[["rule", "subject", "period", "message"]]
            show_table(shown, "Broken rules", console)
        if len(result.inherited):
            show_table(
                result.inherited, "Inherited: fixed work above the limit", console
            )
        console.print(escaped(_verdict(facts)))
    return OK if certified else INFEASIBLE


def _claims(schedule: Path) -> dict[str, Any]:
    """Return what the files beside a schedule claim: objective and certificate."""
    claims: dict[str, Any] = {}
    manifest = schedule.with_name("manifest.json")
    certificate = schedule.with_name("certificate.json")
    try:
        if manifest.is_file():
            report = json.loads(manifest.read_text("utf-8")).get("report") or {}
            if report.get("objective") is not None:
                claims["objective"] = float(report["objective"])
            claims["measure"] = str(report.get("measure", "worth"))
        if certificate.is_file():
            claims["certificate"] = json.loads(certificate.read_text("utf-8"))
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"The files beside {schedule.name} cannot be read: {error}. Write the plan "
            "again, or move manifest.json and certificate.json away."
        ) from error
    return claims


def _verdict(facts: Mapping[str, Any]) -> str:
    broken = len(facts["violations"])
    levelled = facts["measure"] != "worth"
    name = facts["measure"].capitalize() if levelled else "Objective"
    lines = [
        f"{broken} rules are broken." if broken else "Every rule holds, exactly.",
        f"{name} {facts['objective']:,.6f}, recomputed from the tables.",
    ]
    claimed = facts["claimed_objective"]
    if claimed is not None and not broken and not facts["certified"]:
        lines.append(f"The manifest claims {claimed:,.6f}, which is wrong.")
    if facts["certified_bound"] is not None:
        lines.append(
            f"No plan can {'undercut' if levelled else 'exceed'} "
            f"{facts['certified_bound']:,.6f} (re-derived from "
            f"certificate.json): gap {facts['gap']:.3%}."
        )
    return "\n".join(lines)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    if version:
        from pmo_analytics import __version__

        sys.stdout.write(f"pmo_analytics {__version__}\n")
        raise typer.Exit(OK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments
        Words after the program's name; None = those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=words, prog_name="pmo", standalone_mode=False)
    except typer.TyperException as error:
        if "--json" in words:
            print_json({"status": "failed", "error": error.format_message()})
        messages().print(escaped(f"Error: {error.format_message()}"), style="red")
        messages().print("See --help for the commands and their options.")
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return NO_PLAN
    except Exception as error:  # the last resort of a command line
        if "--json" in words:
            print_json(
                {"status": "failed", "error": f"{type(error).__name__}: {error}"}
            )
        raise
    return int(code or OK)


def run() -> None:
    """Entry point of the `pmo` command."""
    sys.exit(main())
