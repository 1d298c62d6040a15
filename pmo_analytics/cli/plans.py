"""Plans: optimize, level, verify."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.cli.command import (
    BAD_DATA,
    INFEASIBLE,
    OK,
    app,
    command,
    print_answer,
    read_data,
    seconds_left,
    usage,
)
from pmo_analytics.cli.options import (
    AllSecondsOption,
    ChangePriceOption,
    ChartsOption,
    FlexOption,
    FreezeOption,
    GapOption,
    IntoOption,
    JsonOption,
    MeasureOption,
    MovePriceOption,
    MspdiOption,
    OutOption,
    OverloadChanceOption,
    PathArgument,
    RecordOption,
    RiskUncertaintyOption,
    SchedulesOption,
    SearchFileOption,
    SeedOption,
    SolverOption,
    StrictOption,
    ThenOption,
    ThreadsOption,
    ValueLossOption,
    WeighOption,
    WorkOption,
)
from pmo_analytics.cli.records import known_record, record_terms
from pmo_analytics.cli.results import draw_plan, say_unfinished, say_written
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
from pmo_analytics.reporting import drawn

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
    threads: ThreadsOption = None,
    work: WorkOption = None,
    solver: SolverOption = "highs",
    strict: StrictOption = False,
    flex: FlexOption = False,
    weigh_by_probability: WeighOption = False,
    record: RecordOption = None,
    freeze: FreezeOption = 0,
    change_price: ChangePriceOption = 0.0,
    move_price: MovePriceOption = 0.0,
    then: ThenOption = None,
    value_loss: ValueLossOption = 0.0,
    overload_chance: OverloadChanceOption = None,
    uncertainty: RiskUncertaintyOption = None,
    search_file: SearchFileOption = None,
    mspdi: MspdiOption = None,
    into: IntoOption = None,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Choose and schedule the projects that earn most within all limits."""
    since = time.monotonic()
    from pmo_analytics.optimization import SolveLimits, check_stages, named_solver
    from pmo_analytics.optimization import optimize as search

    with usage("--solver"):
        named_solver(solver, flex)
    with usage("--then"):
        check_stages(then or (), record is not None)
    terms = record_terms(
        record, freeze=freeze, change_price=change_price, move_price=move_price
    )
    numbers = _params(search_file)
    wanted = _Wanted(path, out, charts, json_output, mspdi, into)
    _planning_files(path, into)
    portfolio = read_data(path)
    known = known_record(portfolio, record, terms)
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
            then=then or (),
            value_loss=value_loss,
            risk=_risk(overload_chance, uncertainty),
            params=numbers,
            progress=progress,
        )
    _say_plan(plan, "optimize", wanted)
    return OK


@app.command()
@command((*OPTIMIZE_KEYS, "measure"))
def level(
    path: PathArgument,
    objective: MeasureOption = "makespan",
    seconds: AllSecondsOption = 60.0,
    gap: GapOption = 0.0,
    out: OutOption = None,
    seed: SeedOption = 0,
    work: SchedulesOption = None,
    strict: StrictOption = False,
    mspdi: MspdiOption = None,
    into: IntoOption = None,
    charts: ChartsOption = True,
    json_output: JsonOption = False,
) -> int:
    """Move approved projects so that nobody is overloaded and all ends early.

    A project with a window (earliest, latest) may also move before its planned start.
    """
    since = time.monotonic()
    from pmo_analytics.optimization import MEASURES, SolveLimits
    from pmo_analytics.optimization import level as search

    if objective not in MEASURES:
        raise typer.BadParameter(f"--objective is one of {', '.join(MEASURES)}.")
    wanted = _Wanted(path, out, charts, json_output, mspdi, into)
    _planning_files(path, into)
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
    _say_plan(plan, "level", wanted)
    return OK


def _params(file: Path | None) -> Any:
    """Return the numbers of a search that a file changes, None without a file."""
    from pmo_analytics.files import read_toml
    from pmo_analytics.optimization import SearchParams

    if file is None:
        return None
    with usage("--search"):
        content = read_toml(file)
        if not isinstance(content.get("search"), dict):
            raise ConfigError(
                f"{file} has no section [search], such as annealing.members = 64."
            )
        return SearchParams.of(content["search"])


def _risk(chance: float | None, uncertainty: Path | None) -> Any:
    """Return how much overload is accepted, None where nothing was said of it."""
    from pmo_analytics.optimization import Risk
    from pmo_analytics.uncertainty import read_uncertainty

    if chance is None:
        if uncertainty is not None:
            raise typer.BadParameter("--uncertainty needs --overload-chance.")
        return None
    known = None if uncertainty is None else read_uncertainty(uncertainty)
    return Risk(chance=chance, uncertainty=known)


@dataclass(frozen=True)
class _Wanted:
    """What is to be made of a plan of the data at `path`, as the options say."""

    path: Path
    out: Path | None
    charts: bool
    as_json: bool
    mspdi: Path | None
    into: Path | None


def _say_plan(plan: Any, verb: str, wanted: _Wanted) -> None:
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
        if wanted.out is not None:
            files = _write_plan(plan, verb, wanted.out, wanted.charts, changes)
        if wanted.mspdi is not None:
            from pmo_analytics.reporting import write_mspdi

            write_mspdi(plan, wanted.mspdi)
            messages().print(escaped(f"Wrote {wanted.mspdi}."))
        if wanted.into is not None:
            _write_into(plan, wanted.path, wanted.into)
    except ConfigError as error:
        lost = f"{error} The plan is printed in full instead."
    for attempt in plan.report.attempts:
        if attempt.get("outcome") == "crashed":
            said = f"{attempt.get('solver')} did not work: {attempt.get('detail')}"
            messages().print(escaped(said), style="yellow")
    if wanted.as_json:
        _print_plan(plan, changes, files, lost)
    else:
        _show_plan(plan, verb, changes, whole=bool(lost))
        if wanted.out is not None or (wanted.mspdi is None and wanted.into is None):
            say_written(wanted.out, files)
    if lost:
        messages().print(escaped(lost), style="red")
        raise typer.Exit(BAD_DATA)


def _planning_files(path: Path, into: Path | None) -> None:
    """Refuse --into where nothing was read of planning files."""
    from pmo_analytics.loaders import holds_networks

    if into is None:
        return
    if not holds_networks(path):
        raise typer.BadParameter(f"--into goes with planning files; {path} holds none.")
    read = (path if path.is_dir() else path.parent).resolve()
    inside = (
        [into.resolve(), *into.resolve().parents] if path.is_dir() else [into.resolve()]
    )
    if read in inside:
        raise typer.BadParameter(
            f"--into {into} is where the planning files are read from: name another "
            "folder."
        )


def _write_into(plan: Any, path: Path, into: Path) -> None:
    """Write the planning files again with the dates of a plan, and say which."""
    from pmo_analytics.loaders import write_starts

    schedule = plan.schedule
    starts = dict(zip(schedule["project"], schedule["start"], strict=True))
    told = write_starts(starts, path, into)
    console = messages()
    show_table(told, "Planning files with the dates of the plan", console)
    files = told.loc[told["file"] != "", "file"].nunique()
    word = "planning file" if files == 1 else "planning files"
    console.print(escaped(f"Wrote {files} {word} to {into}."))


def _print_plan(plan: Any, changes: Any, files: list[Path], lost: str) -> None:
    """Print the JSON line of a plan."""
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


def _show_plan(plan: Any, verb: str, changes: Any, *, whole: bool) -> None:
    """Print a plan as tables and sentences; `whole` with every selected project."""
    console = output()
    chosen = plan.projects.loc[plan.projects["decision"] == "selected"]
    shown = ["project", "name", "status", "start", "finish", "moved", "worth"]
    most = {"most": len(chosen)} if whole else {}
    show_table(chosen[shown], "Selected projects", console, **most)
    _show_inherited(plan.inherited)
    show_facts(plan.summary(), console)
    sentences = list(plan.purchase_sentences)
    if verb == "level":
        sentences = [*_nothing_to_level(plan), *_moved_earlier(chosen), *sentences]
    if changes is not None:
        from pmo_analytics.differences import change_sentences
        from pmo_analytics.formats import names_of

        sentences += change_sentences(changes, names_of(plan.projects))
    for sentence in sentences:
        console.print(escaped(sentence))


def _show_inherited(inherited: Any) -> None:
    if len(inherited):
        show_table(inherited, "Inherited: fixed work above the limit", output())


def _nothing_to_level(plan: Any) -> list[str]:
    """Say why a levelled plan is empty where there are projects."""
    if len(plan.starts) or plan.projects.empty:
        return []
    return [
        "No project is approved or running, so there was nothing to level: the others "
        "are candidates. Approve them (status, or in Microsoft Project a custom field "
        "'PMO status'), or let pmo optimize choose among them."
    ]


def _moved_earlier(chosen: Any) -> list[str]:
    """Say which projects levelling starts before their planned start, and why."""
    early = chosen[chosen["moved"].fillna(0) < 0]
    if early.empty:
        return []
    return [
        f"Moved earlier than planned, inside their windows: "
        f"{listing(early['project'])}. Clear `earliest` and `latest`, or set "
        "`earliest` to the planned start, of what must not come earlier."
    ]


def _write_plan(
    plan: Any, verb: str, out: Path, charts: bool, changes: Any
) -> list[Path]:
    from pmo_analytics.reporting import manifest, plan_tables, write_result

    facts = manifest(plan.portfolio, command=verb, report=plain(plan.report.to_dict()))
    tables = plan_tables(plan)
    if changes is not None:
        facts["record"] = {
            "freeze": plan.record.freeze,
            "change_price": plan.record.change_price,
            "move_price": plan.record.move_price,
        }
        tables |= {"changes.csv": changes, "record.csv": plan.record.schedule}
    names = ("gantt", "utilization", "capacity", "budget")
    with drawn(lambda: draw_plan(plan, names), wanted=charts) as figures:
        return write_result(
            out,
            tables=tables,
            facts=facts,
            documents={"certificate.json": plan.report.certificate},
            figures=figures,
        )


@app.command()
@command(("status", "certified", "objective"))
def verify(
    path: PathArgument,
    schedule: Annotated[Path, typer.Argument(help="schedule.csv of a plan.")],
    strict: StrictOption = False,
    json_output: JsonOption = False,
) -> int:
    """Recompute a plan exactly from the tables and say what is broken."""
    from pmo_analytics.reporting import verify as recompute

    portfolio = read_data(path)
    say_unfinished(schedule.parent)
    result = recompute(portfolio, schedule, strict=strict)
    if json_output:
        print_answer(result.to_dict())
    else:
        if len(result.violations):
            shown = result.violations[["rule", "subject", "period", "message"]]
            show_table(shown, "Broken rules", output())
        _show_inherited(result.inherited)
        output().print(escaped(str(result)))
    return OK if result.certified else INFEASIBLE
