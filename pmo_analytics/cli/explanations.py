"""Explanations: explain, frontier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.cli.command import (
    INFEASIBLE,
    NO_PLAN,
    OK,
    SOME_FAILED,
    app,
    command,
    print_answer,
    read_data,
    usage,
)
from pmo_analytics.cli.options import (
    ChartsOption,
    ClusterOption,
    FlexOption,
    GapOption,
    InfeasibleOption,
    JsonOption,
    LevelsOption,
    OfOption,
    OutOption,
    OverOption,
    PathArgument,
    PlanOption,
    PointsOption,
    ProjectOption,
    RolesOption,
    SecondsOption,
    SeedOption,
    StrictOption,
    ValuesOption,
    WorkersOption,
    WorkOption,
)
from pmo_analytics.cli.results import say_written
from pmo_analytics.cli.terminal import (
    Watching,
    escaped,
    messages,
    output,
    plain,
    records,
    show_table,
)
from pmo_analytics.clock import with_period_texts
from pmo_analytics.errors import ConfigError
from pmo_analytics.processes import stop_asked
from pmo_analytics.reporting import drawn

if TYPE_CHECKING:
    from pmo_analytics.evidence import SolveReport
    from pmo_analytics.optimization import Explanation, Frontier
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.reporting import Claims

EXPLAIN_KEYS = ("status", "objective", "sentences", "projects", "roles", "values")
FRONTIER_KEYS = ("status", "over", "knee", "rows", "sentences", "files")


@app.command()
@command((*EXPLAIN_KEYS, "clash", "files"))
def explain(
    path: PathArgument,
    schedule: PlanOption = None,
    project: ProjectOption = None,
    infeasible: InfeasibleOption = False,
    roles: RolesOption = False,
    values: ValuesOption = False,
    flex: FlexOption = False,
    seconds: SecondsOption = 20.0,
    gap: GapOption = 0.0,
    workers: WorkersOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    strict: StrictOption = False,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Say why projects are not in a plan, what FTE are worth, or why no plan exists.

    --seconds is for each search: the plan, and every question about it. With few of
    them --gap 0.01 leaves smaller gaps than none: branches alone, over at 1 %.
    """
    from pmo_analytics.optimization import SolveLimits, check_named, explain_clash
    from pmo_analytics.optimization import explain as ask

    portfolio = read_data(path)
    check_named(portfolio, project or ())
    limits = SolveLimits(seconds=seconds, gap=gap)
    if infeasible:
        answer = explain_clash(
            portfolio, strict=strict, flex=flex, limits=limits, seed=seed
        )
    else:
        question: Portfolio | Plan = portfolio
        if schedule is not None:
            question = _written_plan(portfolio, schedule, strict, flex)
        with Watching() as progress:
            answer = ask(
                question,
                project,
                roles=roles,
                values=values,
                strict=strict,
                flex=flex,
                limits=limits,
                seed=seed,
                workers=workers,
                on_ask=lambda said: messages().print(escaped(said)),
                progress=progress,
            )
    files = [] if out is None else _write_explanation(answer, out, charts)
    if json_output:
        print_answer({**answer.to_dict(), "files": [str(file) for file in files]})
    else:
        for line in answer.sentences:
            output().print(escaped(line), soft_wrap=True)
        say_written(out, files)
    return _code(answer)


def _code(answer: Explanation) -> int:
    if answer.stopped and answer.status == "no_solution" and answer.answered:
        return SOME_FAILED
    codes = {"ok": OK, "infeasible": INFEASIBLE, "no_solution": NO_PLAN}
    return codes[answer.status]


def _written_plan(
    portfolio: Portfolio, schedule: Path, strict: bool, flex: bool
) -> Plan:
    """Return a plan that lies in a folder, with what its certificate proves."""
    from pmo_analytics.reporting import read_plan

    plan, claims = read_plan(portfolio, schedule, strict=strict, flex=flex)
    plan.report = _proved(plan, claims, schedule)
    return plan


def _proved(plan: Plan, claims: Claims, schedule: Path) -> SolveReport | None:
    """Return what the certificate beside a schedule proves, derived again.

    With it nothing has to be solved for a bound, and its branches are taken up.
    """
    from pmo_analytics.evidence import SolveReport, SolveStatus
    from pmo_analytics.optimization import check_bound

    certificate = claims.certificate
    if certificate is None or claims.measure != "worth" or len(plan.violations):
        return None
    try:
        bound = check_bound(
            plan.portfolio,
            certificate,
            strict=plan.strict,
            flex=plan.buys,
            record=plan.record,
        )
    except ConfigError:
        messages().print(
            escaped(f"The certificate beside {schedule.name} is of other tables.")
        )
        return None
    if bound is None or float(bound) < plan.objective:
        return None
    return SolveReport(
        SolveStatus.FEASIBLE,
        objective=plan.objective,
        bound=float(bound),
        certified_bound=float(bound),
        certificate=certificate,
    )


def _write_explanation(answer: Explanation, out: Path, charts: bool) -> list[Path]:
    from pmo_analytics.reporting import manifest, write_result

    def draw() -> dict[str, Any]:
        from pmo_analytics.plotting import plot_role_value

        assert answer.roles is not None
        return {"role_value": plot_role_value(answer.roles).figure}

    facts = manifest(answer.portfolio.validate(), command="explain")
    with drawn(draw, wanted=charts and answer.roles is not None) as figures:
        return write_result(out, tables=answer.tables(), facts=facts, figures=figures)


@app.command()
@command(FRONTIER_KEYS)
def frontier(
    path: PathArgument,
    over: OverOption = "budget",
    of: OfOption = "",
    points: PointsOption = 9,
    levels: LevelsOption = "",
    seconds: SecondsOption = 20.0,
    gap: GapOption = 0.0,
    work: WorkOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = "",
    out: OutOption = None,
    seed: SeedOption = 0,
    strict: StrictOption = False,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Find the best plan at every level of budget, people or time, and the knee.

    --seconds is for each level.
    """
    from pmo_analytics.optimization import SolveLimits, read_levels
    from pmo_analytics.optimization import frontier as solve_all

    with usage("--over, --levels"):
        given = read_levels(over, levels)
    portfolio = read_data(path)
    result = solve_all(
        portfolio,
        over,
        of=of,
        points=given or points,
        limits=SolveLimits(seconds=seconds, gap=gap, work=work),
        strict=strict,
        seed=seed,
        workers=workers,
        cluster=cluster,
    )
    files = [] if out is None else _write_frontier(portfolio, result, out, charts)
    code = _frontier_code(result)
    if json_output:
        _print_frontier(result, code, files)
    else:
        _show_frontier(result)
        say_written(out, files)
    return code


def _frontier_code(result: Frontier) -> int:
    if result.table["objective"].notna().any():
        return SOME_FAILED if stop_asked() else OK
    infeasible = result.table["status"].eq("infeasible").all()
    return INFEASIBLE if infeasible else NO_PLAN


def _print_frontier(result: Frontier, code: int, files: list[Path]) -> None:
    table = with_period_texts(result.table)
    print_answer(
        {
            "status": {OK: "ok", INFEASIBLE: "infeasible"}.get(code, "no_solution"),
            "over": result.over,
            "knee": next(iter(records(table[table["knee"]])), None),
            "rows": records(table),
            "sentences": list(result.sentences),
            "files": [str(file) for file in files],
        }
    )


def _show_frontier(result: Frontier) -> None:
    from pmo_analytics.optimization import name_level

    console = output()
    table = result.table
    shown = pd.DataFrame(
        {
            "level": [name_level(level, result.over) for level in table["level"]],
            "status": table["status"],
            "objective": table["objective"],
            "bound": table["bound"],
            "gap": table["gap"],
            "projects": table["projects_selected"].astype("Int64"),
            "spend": table["spend"],
            "knee": table["knee"].map({True: "knee", False: ""}),
        }
    )
    show_table(shown, f"Best plan over {result.of or result.over}", console)
    for sentence in result.sentences:
        console.print(escaped(sentence), soft_wrap=True)


def _write_frontier(
    portfolio: Portfolio, result: Frontier, out: Path, charts: bool
) -> list[Path]:
    from pmo_analytics.reporting import manifest, write_result

    def draw() -> dict[str, Any]:
        from pmo_analytics.plotting import plot_frontier

        return {"frontier": plot_frontier(result).figure}

    reports = [
        None if plan is None or plan.report is None else plain(plan.report.to_dict())
        for plan in result.plans
    ]
    facts = manifest(portfolio.validate(), command="frontier")
    with drawn(draw, wanted=charts) as figures:
        return write_result(
            out,
            tables={"frontier.csv": with_period_texts(result.table)},
            facts=facts | {"over": result.over, "of": result.of, "reports": reports},
            figures=figures,
        )
