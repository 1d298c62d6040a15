"""level: everything approved stays, nobody is overloaded, all ends early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pmo_analytics.errors import ConfigError, InfeasibleError, SolverError, closest
from pmo_analytics.evidence import OPTIMAL_GAP, SolveReport, SolveStatus, relative_gap
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.checker.level import MEASURES, level_bound, measure_of
from pmo_analytics.optimization.levelling.search import LevelSearch
from pmo_analytics.optimization.limits import ProgressFunction, SolveLimits
from pmo_analytics.optimization.run import Run, question_of
from pmo_analytics.plan import Plan
from pmo_analytics.processes import stop_asked, stoppable
from pmo_analytics.versions import versions

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@stoppable()
def level(
    portfolio: Portfolio,
    *,
    objective: str = "makespan",
    limits: SolveLimits | None = None,
    seed: int = 0,
    progress: ProgressFunction | None = None,
    strict: bool = False,
) -> Plan:
    """Move approved projects so that nobody is overloaded and all ends early.

    All running and approved projects and those forced in are selected, nothing else.
    Running ones stay where they are. An approved project with a planned start and no
    window may be delayed and is never moved before its planned start (a start outside
    the horizon is kept). With a window (`earliest` or `latest`) it moves inside that,
    also to before its planned start: clear the window, or set `earliest` to the
    planned start, where it must not come earlier. With neither it may start from the
    first period on. Every other rule keeps its meaning, but for what groups
    and budgets ask for at least: that is asked of a choice. Approved work may end after
    the horizon, where capacity is not known and not checked: give a horizon that holds
    all of it.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    objective
        What is minimised; ties go to the smallest sum of starts. `makespan`: periods
        from the first of the horizon to the last finish. `delay`: sum of weight x
        periods that a project finishes later than planned, or than its window allows
        at best where it has no planned start. It weighs its `value`; without a
        positive one as much as the least valued of the others; all weigh 1 where no
        project has a value.
    limits
        When to stop; default one minute. `work` counts schedules, partial ones by
        their share, and then nodes of the solver's tree.
    seed
        Of the search and of the solver.
    progress
        Called with a `Progress` whenever the best plan or the bound improves.
    strict
        Overloads of work that cannot be moved make the portfolio infeasible instead
        of raising the limits they exceed.

    Returns
    -------
    Plan
        On `portfolio` where it is a plan of that as it stands; else on the portfolio
        of `levelled_question`, whose `projects` still hold the planned starts, so that
        `plan.projects["moved"]` tells the delays. `plan.report.measure` is the
        objective. Ctrl-C returns the best plan found so far.

    Raises
    ------
    ConfigError
        If there is no such objective.
    DataError
        If the portfolio has errors or no projects.
    InfeasibleError
        If it cannot be done inside the horizon; it says what clashes.
    SolverError
        If no plan was found in time (`status` no_solution) or every attempt failed.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.level(pmo.example_portfolio(), limits=pmo.SolveLimits(seconds=5))
    >>> plan.report.certified
    True
    """
    run = Run(limits or SolveLimits(), strict=strict, seed=seed, progress=progress)
    if objective not in MEASURES:
        raise ConfigError(
            f"Levelling has no objective {objective!r}{closest(objective, MEASURES)}: "
            "use makespan or delay."
        )
    search = LevelSearch(question_of(portfolio, "to level"), objective, run)
    search.find()
    return _finish(search)


def _finish(search: LevelSearch) -> Plan:
    """Return the best plan with its report, or raise what went wrong."""
    if search.starts is None or search.key is None:
        _raise_nothing_found(search)
    assert search.starts is not None
    assert search.key is not None
    plan = Plan.from_starts(search.inner, search.starts, strict=search.run.strict)
    check = check_plan(search.inner, plan.schedule, strict=search.run.strict)
    exact = measure_of(
        search.inner, plan.schedule, search.measure, strict=search.run.strict
    )
    if not check.certified or exact * search.unit != search.key[0]:
        search.run.note("checker", "refused", 0.0, "the schedule was refused")
        raise SolverError(search.run.attempts)
    certificate = _certificate(search)
    proved = level_bound(search.inner, certificate, strict=search.run.strict)
    objective = float(exact)
    bound = None if search.bound is None else search.bound / search.unit
    if proved is not None:
        bound = float(proved) if bound is None else max(bound, float(proved))
    if bound is not None and bound > objective:
        # A claim that a checked plan refutes is not believed.
        slip = bound - objective > 1e-6 * max(1.0, objective)
        bound = float(proved) if slip and proved is not None else objective
    status = SolveStatus.FEASIBLE
    if bound is not None and relative_gap(-objective, -bound) <= OPTIMAL_GAP:
        status = SolveStatus.OPTIMAL
    search.say("done")
    report = SolveReport(
        status=status,
        objective=objective,
        bound=bound,
        certified=True,
        certified_bound=None if proved is None else float(proved),
        seconds=round(search.run.seconds(), 3),
        seed=search.run.seed,
        solver="schedules and HiGHS",
        versions=versions(),
        attempts=tuple(search.run.attempts),
        certificate=certificate,
        measure=search.measure,
        stopped=stop_asked(),
    )
    home = search.inner
    own = check_plan(search.portfolio, plan.schedule, strict=search.run.strict)
    if own.certified:
        home = search.portfolio
    return Plan.from_starts(
        home, search.starts, report=report, strict=search.run.strict
    )


def _certificate(search: LevelSearch) -> dict[str, Any]:
    refuted = None
    if search.refuted is not None:
        finish, why = search.refuted
        refuted = {
            "finish_by": finish,
            "role": why.role,
            "begin": why.begin,
            "end": why.end,
        }
    return {"format": 1, "measure": search.measure, "refuted": refuted}


def _raise_nothing_found(search: LevelSearch) -> NoReturn:
    if len(search.conflicts):
        raise InfeasibleError(
            search.conflicts,
            "What is running, approved or forced in cannot satisfy all rules, and "
            "levelling selects nothing else. What clashes:",
        )
    search.run.raise_nothing_found(without=("schedules",))
