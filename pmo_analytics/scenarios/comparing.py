"""compare: scenarios solved beside the base, effects told apart from noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError, InfeasibleError
from pmo_analytics.optimization import (
    ProgressFunction,
    Resolved,
    SolveLimits,
    check_stages,
    given_record,
)
from pmo_analytics.processes import Work, run_tasks, stop_asked, stoppable
from pmo_analytics.rules import freeze_record
from pmo_analytics.scenarios.answer import (
    STOPPED,
    Kept,
    Terms,
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
    import pandas as pd

    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.processes import Outcome
    from pmo_analytics.rules import Record


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
    flex: bool = False,
    record: Record | Plan | pd.DataFrame | Mapping[str, object] | None = None,
    then: Sequence[str] = (),
    value_loss: float = 0.0,
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
    portfolio
        What the scenarios change: the base.
    scenarios
        What to compare; parents that are given as objects are compared too.
    limits
        Of each solve; default one minute. Scenarios use one solver thread each.
    seed, strict, flex, then, value_loss
        As in `optimize`, of each solve.
    record
        The plan of record, as in `optimize`: every scenario is held against it.
    base
        Plan of `optimize` on this very portfolio, asked alike, to save solving it
        again.
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
    work = Work(workers=workers, cluster=cluster)
    stages = tuple(check_stages(then, record is not None))
    snapshot = portfolio.validate()
    held = given_record(snapshot, record, 0, 0.0, 0.0)
    terms = Terms(limits or SolveLimits(), seed, strict, flex, held, stages, value_loss)
    listed = in_order(scenarios)
    known = {scenario.name: scenario for scenario in listed}
    run = _Run(terms, Kept(None if keep is None else Path(keep)), on_done)
    run.total = 1 + len(listed)
    questions = run.questions(apply_scenarios(snapshot, listed, known))
    if held is not None:
        snapshot = freeze_record(snapshot, held)
    first = run.base(snapshot, base, progress)
    if first.starts is None and stop_asked():
        raise KeyboardInterrupt
    run.ended(BASE, first)
    for name, answer in run.hopeless.items():
        run.ended(name, answer)
    run.rest(questions, first, work)
    return Comparison(
        {BASE: snapshot, **questions},
        {name: run.answers[name] for name in (BASE, *questions)},
        known,
        terms,
    )


class _Run:
    """The answers so far, and who is told."""

    def __init__(
        self, terms: Terms, kept: Kept, on_done: Callable[[Finished], None] | None
    ) -> None:
        self.terms = terms
        self.kept = kept
        self.on_done = on_done
        self.total = 0
        self.answers: dict[str, Resolved] = {}
        self.hopeless: dict[str, Resolved] = {}

    def ended(self, name: str, answer: Resolved) -> None:
        """Take an answer, and tell of it."""
        self.answers[name] = answer
        if self.on_done is not None:
            count = len(self.answers)
            self.on_done(
                Finished(name, answer.status, answer.objective, count, self.total)
            )

    def questions(self, changed: Mapping[str, Portfolio]) -> dict[str, Portfolio]:
        """Return the checked portfolios; those that can have no plan are noted."""
        questions = dict(changed)
        for name, question in changed.items():
            try:
                questions[name] = check_scenario(question, name)
            except InfeasibleError as error:
                answer = Resolved(status="infeasible", message=str(error))
                self.hopeless[name] = answer
            else:
                if self.terms.record is not None:
                    held = freeze_record(questions[name], self.terms.record)
                    questions[name] = held
        return questions

    def base(
        self,
        portfolio: Portfolio,
        plan: Plan | None,
        progress: ProgressFunction | None,
    ) -> Resolved:
        """Return the answer of the portfolio as it is."""
        if plan is not None:
            if plan.portfolio.digest() != portfolio.digest():
                raise ConfigError("The base is a plan of another portfolio.")
            return answer_of(plan)
        key = task_key(portfolio, None, self.terms)
        answer = self.kept.load(key, portfolio, self.terms)
        if answer is None:
            answer = solve(portfolio, None, None, self.terms, progress)
            self.kept.save(key, answer)
        return answer

    def rest(
        self, questions: Mapping[str, Portfolio], first: Resolved, work: Work
    ) -> None:
        """Solve every scenario that has no answer yet, from the plan of the base."""
        quiet = replace(self.terms, limits=replace(self.terms.limits, threads=1))
        guide = None if first.report is None else first.report.certificate
        begin = {"start": first.starts, "guide": guide, "terms": quiet}
        keys: dict[str, str] = {}
        tasks: dict[str, Mapping[str, Any]] = {}
        for name, question in questions.items():
            if name in self.hopeless:
                continue
            keys[name] = task_key(question, first.starts, quiet)
            answer = self.kept.load(keys[name], question, quiet)
            if answer is not None:
                self.ended(name, answer)
            else:
                tasks[name] = {"portfolio": question, **begin}

        def take(name: str, outcome: Outcome) -> None:
            answer = outcome.value
            if answer is None:
                answer = Resolved(status="failed", message=str(outcome.error))
            self.kept.save(keys[name], answer)
            self.ended(name, answer)

        run_tasks(solve, tasks, work=work, on_done=take)
        for name in questions:
            self.answers.setdefault(name, Resolved(message=STOPPED))
