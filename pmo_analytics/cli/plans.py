"""Plans: optimize, level, verify."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.cli.command import (
    BAD_DATA,
    INFEASIBLE,
    OK,
    AllSecondsOption,
    ChartsOption,
    GapOption,
    JsonOption,
    OutOption,
    PathArgument,
    SeedOption,
    StrictOption,
    WorkOption,
    app,
    command,
    print_answer,
    read_data,
    seconds_left,
    usage,
)
from pmo_analytics.cli.records import claimed_record, known_record
from pmo_analytics.cli.results import close, draw_plan, say_files, say_unfinished
from pmo_analytics.cli.terminal import (
    Watching,
    escaped,
    messages,
    output,
    plain,
    records,
    show_facts,
    show_table,
)
from pmo_analytics.errors import ConfigError, listing
from pmo_analytics.files.json_file import read_json

OPTIMIZE_KEYS = (
    "status",
    "objective",
    "bound",
    "gap",
    "seconds",
    "projects_selected",
    "certified",
)


@app.command()
@command(OPTIMIZE_KEYS)
def optimize(
    path: PathArgument,
    seconds: AllSecondsOption = 60.0,
    gap: GapOption = 0.0,
    out: OutOption = None,
    seed: SeedOption = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processes at work at once.")
    ] = None,
    work: WorkOption = None,
    solver: Annotated[
        str, typer.Option(help="Solver that PuLP knows: highs, gurobi, cbc ...")
    ] = "highs",
    strict: StrictOption = False,
    flex: Annotated[
        bool, typer.Option("--flex", help="Capacity may be bought: the table flex.")
    ] = False,
    weigh_by_probability: Annotated[
        bool,
        typer.Option(
            "--weigh-by-probability", help="Worth counts times projects.probability."
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="Plan of record: its folder, or the schedule.csv of a plan."),
    ] = None,
    freeze: Annotated[
        int, typer.Option(min=0, help="Periods in which the plan of record holds.")
    ] = 0,
    change_price: Annotated[
        float, typer.Option(min=0.0, help="Price of each changed project.")
    ] = 0.0,
    move_price: Annotated[
        float, typer.Option(min=0.0, help="Price of each period a project moves.")
    ] = 0.0,
    then: Annotated[
        list[str] | None,
        typer.Option(help="Second objective: earliest_finish, fewest_changes."),
    ] = None,
    value_loss: Annotated[
        float,
        typer.Option(min=0.0, max=0.9999, help="What those may cost, 0.01 = 1 %."),
    ] = 0.0,
    overload_chance: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, help="Accepted chance of overload, role by period."
        ),
    ] = None,
    uncertainty: Annotated[
        Path | None,
        typer.Option(help="TOML file on what is uncertain, for the chance."),
    ] = None,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Choose and schedule the projects that earn most within all limits."""
    since = time.monotonic()
    from pmo_analytics.optimization.arguments import named_solver
    from pmo_analytics.optimization.optimizing import optimize as search
    from pmo_analytics.optimization.second_objectives import check_stages
    from pmo_analytics.optimization.workers.running import SolveLimits

    with usage("--solver"):
        named_solver(solver, flex)
    with usage("--then"):
        check_stages(then or (), record is not None)
    if record is None and (freeze or change_price or move_price):
        raise typer.BadParameter("--freeze and prices need --record.")
    portfolio = read_data(path)
    known = None if record is None else known_record(portfolio, record)
    left = seconds_left(seconds, since, out=out, charts=charts)
    limits = SolveLimits(seconds=left, gap=gap, threads=threads, work=work)
    with Watching() as progress:
        plan = search(
            portfolio,
            limits=limits,
            strict=strict,
            flex=flex,
            weigh_by_probability=weigh_by_probability,
            seed=seed,
            solver=solver,
            record=known,
            freeze=freeze,
            change_price=change_price,
            move_price=move_price,
            then=then or (),
            value_loss=value_loss,
            risk=_risk(overload_chance, uncertainty),
            progress=progress,
        )
    _say_plan(
        plan, "optimize", out=out, charts=charts, as_json=json_output, freeze=freeze
    )
    return OK


@app.command()
@command((*OPTIMIZE_KEYS, "measure"))
def level(
    path: PathArgument,
    objective: Annotated[
        str, typer.Option(help="What is minimised: makespan or delay.")
    ] = "makespan",
    seconds: AllSecondsOption = 60.0,
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
    """Move approved projects so that nobody is overloaded and all ends early.

    A project with a window (earliest, latest) may also move before its planned start.
    """
    since = time.monotonic()
    from pmo_analytics.optimization.checker.level import MEASURES
    from pmo_analytics.optimization.levelling.level import level as search
    from pmo_analytics.optimization.workers.running import SolveLimits

    if objective not in MEASURES:
        raise typer.BadParameter(f"--objective is one of {', '.join(MEASURES)}.")
    portfolio = read_data(path)
    left = seconds_left(seconds, since, out=out, charts=charts)
    limits = SolveLimits(seconds=left, gap=gap, work=work)
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


def _risk(chance: float | None, uncertainty: Path | None) -> Any:
    """Return how much overload is accepted, None where nothing was said of it."""
    from pmo_analytics.optimization.risk.risk import Risk
    from pmo_analytics.uncertainty.uncertainty import read_uncertainty

    if chance is None:
        if uncertainty is not None:
            raise typer.BadParameter("--uncertainty needs --overload-chance.")
        return None
    known = None if uncertainty is None else read_uncertainty(uncertainty)
    return Risk(chance=chance, uncertainty=known)


def _say_plan(
    plan: Any,
    verb: str,
    *,
    out: Path | None,
    charts: bool,
    as_json: bool,
    freeze: int = 0,
) -> None:
    """Write the files of a plan that a verb found, and print it.

    It is printed in any case: where it cannot be written, that is what is left of it.
    """
    changes = None
    if plan.record is not None:
        from pmo_analytics.differences import plan_changes

        changes = plan_changes(plan.record.schedule, plan)
    files: list[Path] = []
    lost = ""
    try:
        if out is not None:
            files = _write_plan(plan, verb, out, charts, changes, freeze)
    except ConfigError as error:
        lost = f"{error} The plan is printed in full instead."
    for attempt in plan.report.attempts:
        if attempt.get("outcome") == "crashed":
            said = f"{attempt.get('solver')} did not work: {attempt.get('detail')}"
            messages().print(escaped(said), style="yellow")
    if as_json:
        facts = {**dict.fromkeys(OPTIMIZE_KEYS), **plan.report.to_dict()}
        facts["projects_selected"] = len(plan.starts)
        facts["inherited"] = records(plan.inherited)
        if plan.buys:
            facts["purchases"] = records(plan.purchases)
        if changes is not None:
            facts["changes"] = records(changes[changes["change"] != "kept"])
        facts["files"] = [str(file) for file in files]
        if lost:
            facts |= {"error": lost, "schedule": records(plan.schedule)}
        print_answer(facts)
        _end_where(lost)
        return
    console = output()
    chosen = plan.projects.loc[plan.projects["decision"] == "selected"]
    shown = ["project", "name", "status", "start", "finish", "moved", "worth"]
    most = {"most": len(chosen)} if lost else {}
    show_table(chosen[shown], "Selected projects", console, **most)
    if len(plan.inherited):
        show_table(plan.inherited, "Inherited: fixed work above the limit", console)
    show_facts(plan.summary(), console)
    if verb == "level" and (early := _moved_earlier(chosen)):
        console.print(escaped(early))
    for sentence in plan.purchase_sentences:
        console.print(escaped(sentence))
    if changes is not None:
        from pmo_analytics.differences import change_sentences
        from pmo_analytics.formats import names_of

        for sentence in change_sentences(changes, names_of(plan.projects)):
            console.print(escaped(sentence))
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)
    _end_where(lost)


def _end_where(lost: str) -> None:
    """End the command where its files could not be written."""
    if lost:
        messages().print(escaped(lost), style="red")
        raise typer.Exit(BAD_DATA)


def _moved_earlier(chosen: Any) -> str:
    """Return which projects levelling starts before their planned start, and why."""
    early = chosen[chosen["moved"].fillna(0) < 0]
    if early.empty:
        return ""
    return (
        f"Moved earlier than planned, inside their windows: "
        f"{listing(early['project'])}. Clear `earliest` and `latest`, or set "
        "`earliest` to the planned start, of what must not come earlier."
    )


def _write_plan(
    plan: Any, verb: str, out: Path, charts: bool, changes: Any, freeze: int
) -> list[Path]:
    from pmo_analytics.reporting.folder import manifest, plan_tables, write_result

    names = ("gantt", "utilization", "capacity", "budget")
    figures = draw_plan(plan, names) if charts else {}
    facts = manifest(plan.portfolio, command=verb, report=plain(plan.report.to_dict()))
    tables = plan_tables(plan)
    if changes is not None:
        facts["record"] = {
            "freeze": freeze,
            "change_price": plan.record.change_price,
            "move_price": plan.record.move_price,
        }
        tables |= {"changes.csv": changes, "record.csv": plan.record.schedule}
    try:
        return write_result(
            out,
            tables=tables,
            facts=facts,
            documents={"certificate.json": plan.report.certificate},
            figures=figures,
        )
    finally:
        close(figures)


@app.command()
@command(("status", "certified", "objective"))
def verify(
    path: PathArgument,
    schedule: Annotated[Path, typer.Argument(help="schedule.csv of a plan.")],
    strict: StrictOption = False,
    json_output: JsonOption = False,
) -> int:
    """Recompute a plan exactly from the tables and say what is broken."""
    from pmo_analytics.loaders.schedule import read_schedule
    from pmo_analytics.optimization.checker.check import check_bound, check_plan
    from pmo_analytics.optimization.checker.level import level_bound, measure_of
    from pmo_analytics.optimization.checker.proofs.work import Work
    from pmo_analytics.optimization.levelling.jobs import levelled_question
    from pmo_analytics.plan import relative_gap
    from pmo_analytics.rules.record import freeze_record

    portfolio = read_data(path).validate()
    say_unfinished(schedule.parent)
    claimed = claims_beside(schedule)
    rows = read_schedule(schedule)
    measure = claimed.get("measure", "worth")
    if claimed.get("weigh_by_probability"):
        portfolio = portfolio.replace(weigh_by_probability=True)
    record, work = None, Work()
    if "record" in claimed:
        record = claimed_record(portfolio, schedule, claimed["record"])
        portfolio = freeze_record(portfolio, record, int(claimed["record"]["freeze"]))
    if measure == "worth":
        result = check_plan(
            portfolio,
            rows,
            strict=strict,
            objective=claimed.get("objective"),
            purchases=claimed.get("purchases"),
            record=record,
        )
        objective, certified = float(result.objective), result.certified
        prove = partial(
            check_bound, flex="purchases" in claimed, record=record, work=work
        )
    else:
        # A levelled plan may delay what keeps its start in the portfolio as it stands.
        portfolio = levelled_question(portfolio)
        result = check_plan(portfolio, rows, strict=strict)
        objective = float(measure_of(portfolio, rows, measure, strict=strict))
        wanted = claimed.get("objective", objective)
        certified = result.certified and math.isclose(wanted, objective, rel_tol=1e-9)
        prove = partial(level_bound)
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
        "proof_cut_short": work.short,
        "violations": records(result.violations),
        "inherited": records(result.inherited),
    }
    if json_output:
        print_answer(facts)
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


def claims_beside(schedule: Path) -> dict[str, Any]:
    """Return what the files beside a schedule claim.

    Its objective and certificate, and what it buys.
    """
    from pmo_analytics.loaders.schedule import read_purchases

    claims: dict[str, Any] = {}
    manifest = schedule.with_name("manifest.json")
    certificate = schedule.with_name("certificate.json")
    purchases = schedule.with_name("purchases.csv")
    try:
        if manifest.is_file():
            facts = read_json(manifest)
            report = facts.get("report") or {}
            if report.get("objective") is not None:
                claims["objective"] = float(report["objective"])
            claims["measure"] = str(report.get("measure", "worth"))
            # A file that an older result left there does not count.
            if "purchases.csv" in facts.get("files", {}):
                claims["purchases"] = read_purchases(purchases)
            claims["weigh_by_probability"] = bool(facts.get("weigh_by_probability"))
            if "record" in facts:
                claims["record"] = facts["record"]
        if certificate.is_file():
            claims["certificate"] = read_json(certificate)
    except (ConfigError, ValueError, TypeError, AttributeError) as error:
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
        f"{broken} rule{' is' if broken == 1 else 's are'} broken."
        if broken
        else "Every rule holds, exactly.",
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
    if facts["proof_cut_short"]:
        lines.append(
            "The proof in certificate.json is longer than what is followed: checking "
            "it was stopped after a fixed amount of work (a minute or two), so that "
            "this bound may be weaker than the one it claims."
        )
    return "\n".join(lines)
