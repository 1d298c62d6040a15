"""compare: scenarios solved beside the base, effects told apart from noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError, InfeasibleError
from pmo_analytics.optimization import ProgressFunction, SolveLimits
from pmo_analytics.processes import Work, run_tasks, stop_asked, stoppable
from pmo_analytics.scenarios.answer import (
    STOPPED,
    Answer,
    Kept,
    answer_of,
    solve,
    task_key,
)
from pmo_analytics.scenarios.comparison import Comparison
from pmo_analytics.scenarios.scenario import (
    BASE,
    Scenario,
    apply_scenarios,
    check_scenario,
    in_order,
)

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.processes import Outcome


@dataclass(frozen=True)
class Finished:
    """One scenario that has ended; handed to an `on_done` callable.

    Attributes
    ----------
    done, total
        How many have ended, of how many.
    """

    scenario: str
    status: str
    objective: float | None
    done: int
    total: int


@stoppable()
def compare(
    portfolio: Portfolio,
    scenarios: Iterable[Scenario],
    *,
    limits: SolveLimits | None = None,
    seed: int = 0,
    strict: bool = False,
    base: Plan | None = None,
    workers: int | None = None,
    cluster: str = "",
    keep: str | Path | None = None,
    on_done: Callable[[Finished], None] | None = None,
    progress: ProgressFunction | None = None,
) -> Comparison:
    """Solve the portfolio and every scenario of it, and compare the plans.

    The base is solved first; every scenario begins with its plan. Nothing is solved
    before every change has been applied and every changed table has been checked.

    Parameters
    ----------
    scenarios
        What to compare; parents that are given as objects are compared too.
    limits
        Of each solve; default one minute. Scenarios use one solver thread each.
    base
        Plan of `optimize` on this very portfolio, to save solving it again.
    workers
        Local processes; None = one per core, or those of a `joblib.parallel_config`
        block around the call.
    cluster
        Address of a Dask scheduler, such as `tcp://10.0.0.5:8786`; "" = local.
    keep
        Folder for finished answers: the same call goes on where it was stopped.
    on_done
        Called with a `Finished` for the base and each scenario as it ends.
    progress
        Called with a `Progress` while the base is solved.

    Returns
    -------
    Comparison
        A scenario without a plan is a row with the reason. After Ctrl-C the
        scenarios that had not ended have the status `no_solution`.

    Raises
    ------
    ConfigError
        If a scenario cannot be applied, names a parent that does not exist, or the
        base is no optimized plan of this portfolio.
    DataError
        If the portfolio has errors, or a scenario leaves bad data.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> more = pmo.Scenario("a developer", pmo.add_capacity("Developer", fte=1))
    >>> limits = pmo.SolveLimits(seconds=5, gap=0.05)
    >>> result = pmo.compare(pmo.example_portfolio(), [more], limits=limits, workers=1)
    >>> list(result.table["scenario"])
    ['base', 'a developer']
    """
    limits = limits or SolveLimits()
    work = Work(workers=workers, cluster=cluster)
    snapshot = portfolio.validate()
    listed = in_order(scenarios)
    known = {scenario.name: scenario for scenario in listed}
    questions = apply_scenarios(snapshot, listed, known)
    run = _Run(1 + len(listed), on_done)
    hopeless: dict[str, Answer] = {}
    for name, question in questions.items():
        try:
            questions[name] = check_scenario(question, name)
        except InfeasibleError as error:
            hopeless[name] = Answer("infeasible", str(error))
    kept = Kept(None if keep is None else Path(keep))

    first = _base(snapshot, base, limits, seed, strict, kept, progress)
    if first.starts is None and stop_asked():
        raise KeyboardInterrupt
    run.ended(BASE, first)
    quiet = replace(limits, threads=1)
    for name, answer in hopeless.items():
        run.ended(name, answer)
    open_ones = {n: q for n, q in questions.items() if n not in hopeless}
    keys = {
        name: task_key(question, first.starts, quiet, seed, strict)
        for name, question in open_ones.items()
    }
    tasks: dict[str, Mapping[str, Any]] = {}
    for name, question in open_ones.items():
        known_answer = kept.load(keys[name], question, strict=strict)
        if known_answer is not None:
            run.ended(name, known_answer)
            continue
        tasks[name] = {
            "portfolio": question,
            "start": first.starts,
            "guide": None if first.report is None else first.report["certificate"],
            "limits": quiet,
            "seed": seed,
            "strict": strict,
        }

    def take(name: str, outcome: Outcome) -> None:
        answer = outcome.value
        if answer is None:
            answer = Answer("failed", str(outcome.error))
        kept.save(keys[name], answer)
        run.ended(name, answer)

    run_tasks(solve, tasks, work=work, on_done=take)
    for name in questions:
        if name not in run.answers:
            run.answers[name] = Answer("no_solution", STOPPED)
    return Comparison(
        {BASE: snapshot, **questions},
        {name: run.answers[name] for name in (BASE, *questions)},
        known,
        strict=strict,
    )


class _Run:
    """The answers so far, and who is told."""

    def __init__(self, total: int, on_done: Callable[[Finished], None] | None) -> None:
        self.total = total
        self.on_done = on_done
        self.answers: dict[str, Answer] = {}

    def ended(self, name: str, answer: Answer) -> None:
        self.answers[name] = answer
        if self.on_done is not None:
            objective = None if answer.report is None else answer.report["objective"]
            count = len(self.answers)
            self.on_done(Finished(name, answer.status, objective, count, self.total))


def _base(
    portfolio: Portfolio,
    plan: Plan | None,
    limits: SolveLimits,
    seed: int,
    strict: bool,
    kept: Kept,
    progress: ProgressFunction | None,
) -> Answer:
    """Return the answer of the portfolio as it is."""
    if plan is not None:
        if plan.portfolio.digest() != portfolio.digest():
            raise ConfigError("The base is a plan of another portfolio.")
        return answer_of(plan)
    key = task_key(portfolio, None, limits, seed, strict)
    answer = kept.load(key, portfolio, strict=strict)
    if answer is None:
        answer = solve(portfolio, None, None, limits, seed, strict, progress)
        kept.save(key, answer)
    return answer
