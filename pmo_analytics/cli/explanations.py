"""Explanations: explain, frontier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import (
    INFEASIBLE,
    NO_PLAN,
    OK,
    SOME_FAILED,
    ChartsOption,
    ClusterOption,
    GapOption,
    JsonOption,
    OutOption,
    PathArgument,
    SecondsOption,
    SeedOption,
    StrictOption,
    WorkersOption,
    app,
    command,
    print_answer,
    read_data,
    usage,
)
from pmo_analytics.cli.results import close, say_files
from pmo_analytics.cli.terminal import (
    Watching,
    escaped,
    messages,
    output,
    records,
    show_table,
)
from pmo_analytics.errors import ConfigError, InfeasibleError, closest
from pmo_analytics.processes.stopping import stop_asked

if TYPE_CHECKING:
    from pmo_analytics.optimization.explain.frontier import Frontier
    from pmo_analytics.optimization.explain.infeasible import WhyInfeasible
    from pmo_analytics.optimization.explain.why_not import WhyNot
    from pmo_analytics.plan import Plan, SolveReport
    from pmo_analytics.portfolio import Portfolio

EXPLAIN_KEYS = ("status", "objective", "sentences", "projects", "roles", "values")
FRONTIER_KEYS = ("status", "over", "knee", "rows", "sentences", "files")


@app.command()
@command((*EXPLAIN_KEYS, "clash", "files"))
def explain(
    path: PathArgument,
    schedule: Annotated[
        Path | None,
        typer.Option(
            help="schedule.csv of the plan asked about; default: solve first."
        ),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(help="Why is it not in? May be given several times; default all."),
    ] = None,
    infeasible: Annotated[
        bool, typer.Option("--infeasible", help="Why is there no plan at all?")
    ] = False,
    roles: Annotated[
        bool, typer.Option("--roles", help="What is one FTE of each role worth?")
    ] = False,
    values: Annotated[
        bool,
        typer.Option(
            "--values",
            help="How far may values and the discount rate move without changing it?",
        ),
    ] = False,
    flex: Annotated[
        bool, typer.Option("--flex", help="Capacity may be bought: the table flex.")
    ] = False,
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
    from pmo_analytics.optimization.explain.infeasible import why_infeasible
    from pmo_analytics.optimization.workers.running import SolveLimits

    portfolio = read_data(path)
    known = portfolio.projects["project"].tolist()
    for name in project or []:
        if name not in known:
            raise ConfigError(f"There is no project '{name}'{closest(name, known)}.")
    answer = _Answer(portfolio)
    limits = SolveLimits(seconds=seconds, gap=gap)
    if infeasible:
        answer.clash = why_infeasible(
            portfolio, seconds=seconds, strict=strict, flex=flex, seed=seed
        )
    else:
        plan = _plan_of(portfolio, schedule, limits, seed, strict, flex)
        if plan is None:
            messages().print("No plan keeps every rule; looking for what clashes.")
            answer.clash = why_infeasible(
                portfolio, seconds=seconds, strict=strict, flex=flex, seed=seed
            )
        else:
            answer.ask(plan, project, roles, values, limits, seed, workers)
    files = [] if out is None else answer.write(out, charts)
    if json_output:
        print_answer({**answer.facts(), "files": [str(file) for file in files]})
    else:
        answer.show()
        if out is None:
            messages().print("Nothing was written; name a folder with --out DIR.")
        say_files(files)
    return answer.code()


def _plan_of(
    portfolio: Portfolio,
    schedule: Path | None,
    limits: Any,
    seed: int,
    strict: bool,
    flex: bool,
) -> Plan | None:
    """Return the plan asked about; None where none can keep every rule.

    What lies beside a schedule and says what it buys belongs to it.
    """
    from pmo_analytics.cli.plans import claims_beside
    from pmo_analytics.cli.records import claimed_record
    from pmo_analytics.loaders.schedule import read_schedule
    from pmo_analytics.optimization.optimizing import optimize
    from pmo_analytics.plan import Plan
    from pmo_analytics.rules.record import freeze_record

    if schedule is not None:
        claims = claims_beside(schedule)
        plan = Plan(
            portfolio,
            read_schedule(schedule),
            strict=strict,
            purchases=claims.get("purchases"),
        )
        snapshot, record = plan.portfolio, None
        if "record" in claims:
            record = claimed_record(snapshot, schedule, claims["record"])
            snapshot = freeze_record(snapshot, record, int(claims["record"]["freeze"]))
        buys = flex or plan.buys
        plan = Plan.from_starts(
            snapshot,
            plan.starts,
            strict=strict,
            purchases=plan.purchases if buys else None,
            record=record,
        )
        plan.report = _proved(plan, claims, schedule)
        return plan
    try:
        with Watching() as progress:
            return optimize(
                portfolio,
                limits=limits,
                seed=seed,
                strict=strict,
                flex=flex,
                progress=progress,
            )
    except InfeasibleError:
        return None


def _proved(plan: Plan, claims: dict[str, Any], schedule: Path) -> SolveReport | None:
    """Return what the certificate beside a schedule proves, derived again.

    With it nothing has to be solved for a bound, and its branches are taken up.
    """
    from pmo_analytics.optimization.checker.check import check_bound
    from pmo_analytics.plan import SolveReport, SolveStatus

    certificate = claims.get("certificate")
    measure = claims.get("measure", "worth")
    if certificate is None or measure != "worth" or len(plan.violations):
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


class _Answer:
    """What was asked and answered."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.plan: Plan | None = None
        self.clash: WhyInfeasible | None = None
        self.projects: list[WhyNot] = []
        self.roles: pd.DataFrame | None = None
        self.values: pd.DataFrame | None = None
        self.unasked: list[str] = []

    def ask(
        self,
        plan: Plan,
        projects: list[str] | None,
        roles: bool,
        values: bool,
        limits: Any,
        seed: int,
        workers: int | None,
    ) -> None:
        """Ask about a plan."""
        from pmo_analytics.optimization.explain.role_value import role_value
        from pmo_analytics.optimization.explain.sensitivity import sensitivity
        from pmo_analytics.optimization.explain.why_not import why_not

        self.plan = plan
        decisions = plan.projects
        left_out = decisions.loc[decisions["decision"] == "not selected", "project"]
        names = projects or ([] if roles or values else left_out.tolist())
        for k, name in enumerate(names, 1):
            if stop_asked():
                self.unasked = [f"why not '{left}'" for left in names[k - 1 :]]
                break
            messages().print(escaped(f"{k} of {len(names)}: why not {name}?"))
            self.projects.append(why_not(plan, name, limits=limits, seed=seed))
        if stop_asked():
            self.unasked += ["what roles are worth"] if roles else []
            self.unasked += ["how far values may move"] if values else []
            return
        if roles:
            messages().print("Solving with more and less of each role.")
            self.roles = role_value(plan, limits=limits, seed=seed, workers=workers)
        if values and stop_asked():
            self.unasked.append("how far values may move")
        elif values:
            messages().print("Solving with each project in or out.")
            self.values = sensitivity(plan, limits=limits, seed=seed, workers=workers)

    def sentences(self) -> list[str]:
        """Return everything in words."""
        from pmo_analytics.formats import names_of
        from pmo_analytics.optimization.explain.role_value import say_role_values
        from pmo_analytics.optimization.explain.sensitivity import say_sensitivity

        names = names_of(self.portfolio.projects)
        lines = [] if self.clash is None else list(self.clash.sentences)
        if self.plan is not None and len(self.plan.violations):
            lines.append(
                f"The schedule itself breaks {len(self.plan.violations)} rules, so "
                "what follows compares it with plans that do not: see pmo verify."
            )
        for why in self.projects:
            name = names.get(why.project, "")
            head = f"{why.project} ({name}):" if name else f"{why.project}:"
            lines += [*([""] if lines else []), head, *why.sentences]
        if self.roles is not None:
            lines += [*([""] if lines else []), *say_role_values(self.roles, names)]
        if self.values is not None:
            lines += [*([""] if lines else []), *say_sensitivity(self.values, names)]
        if self.unasked:
            lines.append(f"Not asked, for it was stopped: {', '.join(self.unasked)}.")
        return lines

    def code(self) -> int:
        if self.clash is None or self.clash.status == "feasible":
            if stop_asked():
                return SOME_FAILED if self._answered() else NO_PLAN
            return OK
        return INFEASIBLE if self.clash.status == "infeasible" else NO_PLAN

    def _answered(self) -> bool:
        """Return whether anything that was asked has an answer."""
        solved = [why for why in self.projects if why.status != "unknown"]
        roles = self.roles is not None and self.roles["value"].notna().any()
        values = self.values is not None and self.values["found"].notna().any()
        return bool(solved or roles or values or self.clash is not None)

    def facts(self) -> dict[str, Any]:
        """Return the answer for JSON."""
        status = "ok" if self.clash is None else self.clash.status
        if self.code() in (SOME_FAILED, NO_PLAN):
            status = "no_solution"
        return {
            "status": "ok" if status == "feasible" else status,
            "objective": None if self.plan is None else self.plan.objective,
            "sentences": [line for line in self.sentences() if line],
            "projects": [_flat(why.to_dict()) for why in self.projects],
            "roles": None if self.roles is None else records(_texts(self.roles)),
            "values": None if self.values is None else records(_texts(self.values)),
            "clash": None if self.clash is None else self.clash.to_dict(),
        }

    def show(self) -> None:
        console = output()
        for line in self.sentences():
            console.print(escaped(line), soft_wrap=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what there is to write, by file name."""
        lines = [line for line in self.sentences() if line]
        tables = {"explanation.csv": pd.DataFrame({"sentence": lines})}
        if self.clash is not None:
            tables["clash.csv"] = self.clash.rules
            tables["repair.csv"] = self.clash.repair
        if self.projects:
            tables["why_not.csv"] = pd.DataFrame(
                [
                    {
                        "project": why.project,
                        "status": why.status,
                        "objective_delta": why.objective_delta,
                        "delta_low": why.delta_low,
                        "delta_high": why.delta_high,
                    }
                    for why in self.projects
                ]
            )
            for name in ("blocking", "displaced", "repair"):
                tables[f"{name}.csv"] = _joined(self.projects, name)
        if self.roles is not None:
            tables["role_value.csv"] = self.roles
        if self.values is not None:
            tables["sensitivity.csv"] = self.values
        return tables

    def write(self, out: Path, charts: bool) -> list[Path]:
        from pmo_analytics.reporting.folder import manifest, write_result

        figures: dict[str, Any] = {}
        if charts and self.roles is not None:
            import matplotlib as mpl

            mpl.use("Agg")  # files only: no display is needed, none is opened
            from pmo_analytics.plotting.frontier import plot_role_value

            figures["role_value.png"] = plot_role_value(self.roles).figure
        facts = manifest(self.portfolio.validate(), command="explain")
        try:
            return write_result(out, tables=self.tables(), facts=facts, figures=figures)
        finally:
            close(figures)


def _joined(answers: list[WhyNot], name: str) -> pd.DataFrame:
    """Return one table of several answers, with the project asked about."""
    parts = []
    for why in answers:
        table = _texts(getattr(why, name))
        table.insert(0, "about", why.project)
        parts.append(table)
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or parts[:1], ignore_index=True)


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with Periods in the form that the loaders read."""
    from pmo_analytics.clock.periods import format_period

    def text(cell: Any) -> Any:
        if isinstance(cell, pd.Period):
            return format_period(cell)
        return None if cell is pd.NaT else cell

    result = table.copy()
    for column in result.columns:
        kind = result[column].dtype
        if isinstance(kind, pd.PeriodDtype) or pd.api.types.is_object_dtype(kind):
            result[column] = pd.Series(
                [text(cell) for cell in result[column]],
                index=result.index,
                dtype=object,
            )
    return result


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: records(_texts(pd.DataFrame(value)))
        if key in ("blocking", "displaced", "repair")
        else value
        for key, value in facts.items()
    }


@app.command()
@command(FRONTIER_KEYS)
def frontier(
    path: PathArgument,
    over: Annotated[
        str, typer.Option(help="budget, capacity, spend, projects or finish.")
    ] = "budget",
    of: Annotated[str, typer.Option(help="One budget or role; default all.")] = "",
    points: Annotated[int, typer.Option(min=2, max=200, help="How many levels.")] = 9,
    levels: Annotated[
        str, typer.Option(help="The levels themselves, such as 0.8,0.9,1.")
    ] = "",
    seconds: SecondsOption = 20.0,
    gap: GapOption = 0.0,
    work: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many nodes, for equal answers."),
    ] = None,
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
    from pmo_analytics.optimization.explain.frontier import frontier as solve_all
    from pmo_analytics.optimization.explain.frontier import read_levels
    from pmo_analytics.optimization.workers.running import SolveLimits

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
    known = result.table["objective"].notna().any()
    infeasible = result.table["status"].eq("infeasible").all()
    code = OK if known else INFEASIBLE if infeasible else NO_PLAN
    if known and stop_asked():
        code = SOME_FAILED
    if json_output:
        table = _texts(result.table)
        print_answer(
            {
                "status": {OK: "ok", INFEASIBLE: "infeasible"}.get(code, "no_solution"),
                "over": over,
                "knee": next(iter(records(table[table["knee"]])), None),
                "rows": records(table),
                "sentences": list(result.sentences),
                "files": [str(file) for file in files],
            }
        )
        return code
    _show_frontier(result)
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)
    return code


def _show_frontier(result: Frontier) -> None:
    from pmo_analytics.optimization.explain.frontier import name_level

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
    from pmo_analytics.cli.terminal import plain
    from pmo_analytics.reporting.folder import manifest, write_result

    figures: dict[str, Any] = {}
    if charts:
        import matplotlib as mpl

        mpl.use("Agg")  # files only: no display is needed, none is opened
        from pmo_analytics.plotting.frontier import plot_frontier

        figures["frontier.png"] = plot_frontier(result).figure
    reports = [
        None if plan is None or plan.report is None else plain(plan.report.to_dict())
        for plan in result.plans
    ]
    facts = manifest(portfolio.validate(), command="frontier")
    try:
        return write_result(
            out,
            tables={"frontier.csv": _texts(result.table)},
            facts=facts | {"over": result.over, "of": result.of, "reports": reports},
            figures=figures,
        )
    finally:
        close(figures)
