"""optimize: from a portfolio to a checked plan with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, InfeasibleError
from pmo_analytics.optimization.arguments import (
    given_record,
    given_starts,
    named_solver,
)
from pmo_analytics.optimization.conflicts import find_conflicts
from pmo_analytics.optimization.limits import ProgressFunction, SolveLimits
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.params import DEFAULTS, SearchParams
from pmo_analytics.optimization.plan_search import PlanSearch
from pmo_analytics.optimization.risk.risk import Risk
from pmo_analytics.optimization.risk.search import plan_under_risk
from pmo_analytics.optimization.run import Run, question_of
from pmo_analytics.optimization.second_objectives import check_stages, refine
from pmo_analytics.plan import Plan
from pmo_analytics.processes import note_stop, stoppable
from pmo_analytics.rules import Record, freeze_record

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Share of the time that is kept for second objectives.
_FOR_STAGES = 1 / 3


@stoppable()
def optimize(
    portfolio: Portfolio,
    *,
    limits: SolveLimits | None = None,
    strict: bool = False,
    flex: bool = False,
    weigh_by_probability: bool = False,
    seed: int = 0,
    solver: str = "highs",
    start: Plan | pd.DataFrame | Mapping[str, object] | None = None,
    record: Record | Plan | pd.DataFrame | Mapping[str, object] | None = None,
    freeze: int = 0,
    change_price: float = 0.0,
    move_price: float = 0.0,
    risk: Risk | None = None,
    then: Sequence[str] = (),
    value_loss: float = 0.0,
    params: SearchParams | None = None,
    progress: ProgressFunction | None = None,
) -> Plan:
    """Choose and schedule the projects that earn most within all limits.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    limits
        When to stop; default one minute.
    strict
        Overloads of work that cannot be moved make the portfolio infeasible instead
        of raising the limits they exceed.
    flex
        Capacity may be bought as the table `flex` offers it, where a plan earns more
        than that costs. The objective is then worth less what is bought, discounted
        alike; worth has to be in the currency of the rates. Overtime and contractors
        are bought period by period, a hire stays to the end of its offer, nothing
        before `lead` periods have passed. Purchases are not held against budgets.
        `plan.purchases` says what to buy.
    weigh_by_probability
        Multiply the worth of each project by its `probability` (blank = 1), net of
        spend where `net_of_spend` subtracts it. False = as the setting of the portfolio
        says, where `value` and `benefits` count in full unless it says otherwise,
        however unlikely a project is. `plan.portfolio` then has the setting.
    seed
        Of the solver, of the searches, and of the greedy's shaken orders.
    solver
        Who does branch and bound: `highs`, which is part of the package, or another
        one that PuLP knows and that is installed, such as `gurobi` or `cbc`. HiGHS
        takes over where it fails.
    start
        A plan or schedule to begin with, for instance of a similar portfolio: what
        no longer fits is moved or left out. The answer is never worse than it where
        it keeps every rule.
    record
        The plan of record: a `Record` with its freeze and the prices of changing it, or
        a plan or a schedule; also begun with, without `start`. `plan.portfolio` then
        has the windows that the freeze leaves. `plan.report` tells worth and
        `change_cost` apart; `plan_changes` says what moved and why.
    freeze, change_price, move_price
        Of `Record`, where the plan of record is not one already.
    risk
        Keep overload unlikely while durations, demand, capacity and wins vary; what it
        comes to in futures that the search has not seen is in `plan.report.risk`. May
        be combined with `record`, not yet with `flex` or `then`.
    then
        Second objectives, minimised in turn among the plans that are worth as much:
        `earliest_finish`, the sum over the selected projects of the periods from the
        first of the horizon to their end; `fewest_changes`, the number of projects
        moved, dropped or brought in against `record`. A third of the time is kept for
        them. `plan.report.stages` tells each measure and whether it was proved.
    value_loss
        How much of the objective they may cost in all, 0.01 = 1 %.
    params
        The numbers that decide the search, for experiments; None = as measured best.
        What is changed stands in `plan.report.params`.
    progress
        Called with a `Progress` whenever the best plan or the bound improves.

    Returns
    -------
    Plan
        With `plan.report`: status, objective, bound, gap, certificate, attempts.
        Ctrl-C returns the best plan found so far, with `plan.report.stopped`.

    Raises
    ------
    ConfigError
        If the solver is unknown, not installed, or cannot do what is asked.
    DataError
        If the portfolio has errors or no projects, or `start` has a row that
        names no project.
    InfeasibleError
        If no plan can satisfy the rules; it says what clashes.
    SolverError
        If no plan was found in time (`status` no_solution) or every attempt failed.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.optimize(pmo.example_portfolio(), limits=pmo.SolveLimits(seconds=5))
    >>> plan.report.certified
    True
    """
    if weigh_by_probability:
        portfolio = portfolio.replace(weigh_by_probability=True)
    if risk is not None and (flex or then):
        other = "flex" if flex else "then"
        raise ConfigError(f"risk cannot be combined with {other} yet.")
    params = params or DEFAULTS
    run = Run(
        limits or SolveLimits(),
        strict=strict,
        seed=seed,
        progress=progress,
        params=params,
    )
    named = named_solver(solver, flex)
    snapshot = question_of(portfolio, "to choose from")
    stages = check_stages(then, record is not None)
    if not 0 <= value_loss < 1:
        raise ConfigError(f"value_loss is a share such as 0.01, not {value_loss!r}.")
    known = given_record(snapshot, record, freeze, change_price, move_price)
    if known is not None:
        snapshot = freeze_record(snapshot, known)
    if risk is not None:
        return _under_risk(snapshot, risk, run, solver, known, start)
    if known is not None:
        start = known.schedule if start is None else start
    guide = None
    if isinstance(start, Plan) and start.report is not None and known is None:
        guide = start.report.certificate
    return solve_valid(
        snapshot,
        run,
        flex=flex,
        record=known,
        solver=named,
        start=None if start is None else given_starts(snapshot, start),
        guide=guide,
        stages=stages,
        value_loss=value_loss,
    )


def _under_risk(
    snapshot: Portfolio,
    risk: Risk,
    run: Run,
    solver: str,
    record: Record | None,
    start: Plan | pd.DataFrame | Mapping[str, object] | None,
) -> Plan:
    """Optimize a frozen snapshot with regard to risk."""
    same: dict[str, Any] = {"strict": run.strict, "seed": run.seed}
    asked: dict[str, Any] = {} if record is None else {"record": record.unfrozen}
    solve = partial(
        optimize,
        solver=solver,
        params=run.params,
        progress=run.progress,
        **same,
        **asked,
    )
    return plan_under_risk(snapshot, risk, run.limits, solve, start=start, **same)


def solve_valid(
    snapshot: Portfolio,
    run: Run,
    *,
    flex: bool = False,
    record: Record | None = None,
    solver: str = "HiGHS",
    start: Mapping[str, int] | None = None,
    guide: Mapping[str, Any] | None = None,
    stages: Sequence[str] = (),
    value_loss: float = 0.0,
    certify_bound: bool = True,
    here: bool = False,
) -> Plan:
    """Optimize a snapshot that is checked already, as re-solves of many have it.

    Parameters
    ----------
    run
        Limits, seed and who is told; its clock runs already.
    solver
        PuLP's name of it.
    start
        Plan to begin with, project -> period offset.
    guide
        Certificate of a similar portfolio: its branches are taken up again.
    certify_bound
        Derive the bound exactly too; the plan is checked in any case.
    here
        This process may die, so that it can do what otherwise a child does.
    """
    compiled = compile_options(snapshot, strict=run.strict, flex=flex, record=record)
    search = PlanSearch(snapshot, compiled, run, solver)
    search.reserve = _FOR_STAGES * run.limits.seconds if stages else 0.0
    if guide is not None:
        search.bound.take_up(guide)
    search.certifies_bound = certify_bound
    search.here = here
    if compiled.contradictions or _without_start(compiled):
        raise InfeasibleError(find_conflicts(snapshot, compiled, None)[0])
    try:
        if start is not None:
            search.start_near(start)
        search.start_greedily()
        if len(compiled.options.project) or search.known.chosen is None:
            search.improve()
        else:
            search.bound.value = search.objective
        if stages:
            refine(search, stages, value_loss)
    except KeyboardInterrupt:
        note_stop()
        if search.known.chosen is None:
            raise
    return search.finish()


def _without_start(compiled: Compiled) -> bool:
    options = compiled.options
    return bool((options.must & (np.diff(options.first) == 0)).any())
