"""The best plan that departs from a plan of record in a few projects at most."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pmo_analytics.errors import SolverError
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.model.instance import LinearRows
from pmo_analytics.optimization.plan_search import PlanSearch
from pmo_analytics.optimization.run import Run, question_of
from pmo_analytics.rules import Record, priced_projects

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

# Name of the row that counts changes; no rule of a table has it.
_ROW = "changed projects"


def optimize_few(
    portfolio: Portfolio,
    starts: Mapping[str, int],
    most: int,
    *,
    apart: Collection[str] = (),
    free: Collection[str] | None = None,
    kept: Collection[str] = (),
    stays: Collection[str] = (),
    change_price: float = 0.0,
    flex: bool = False,
    start: Mapping[str, int] | None = None,
    limits: SolveLimits,
    seed: int = 0,
) -> Plan:
    """Return the best plan that moves, drops or brings in `most` projects at most.

    One more row of the model counts them, so that the bound of the report holds for
    every plan that changes as few, and for those alone; it is not certified.

    Parameters
    ----------
    starts
        Plan of record: project -> periods after the first of the horizon.
    most
        Projects that may depart from it.
    apart
        Projects that do not count.
    free
        Projects that may depart from it at all; None = all.
    kept
        Projects that have to be selected.
    stays
        Projects that keep their start of the record where the rules allow it.
    change_price
        Of each change, in the unit of worth.
    flex
        Whether capacity may be bought.
    start
        Plan to begin with; None = the plan of record.
    limits, seed
        As in `optimize`.

    Raises
    ------
    DataError
        If the portfolio has errors.
    SolverError
        If no such plan was found; status `infeasible` where the model has none.
    """
    snapshot = question_of(portfolio, "to choose from")
    known = set(snapshot.projects["project"])
    before = {name: offset for name, offset in starts.items() if name in known}
    first = snapshot.horizon[0]
    dated = {name: first + offset for name, offset in before.items()}
    record = Record(dated, change_price=change_price)
    compiled = compile_options(snapshot, flex=flex, record=record)
    counted = [n for n in priced_projects(snapshot) if n not in apart]
    compiled = _with_row(compiled, before, most, counted)
    held = [] if free is None else [n for n in counted if n not in free]
    compiled = _held_back(compiled, before, {*held, *stays}, kept)
    run = Run(limits, strict=False, seed=seed, progress=None)
    search = _FewSearch(snapshot, compiled, run, "HiGHS")
    options = compiled.options
    if compiled.contradictions or (options.must & (np.diff(options.first) == 0)).any():
        search.raise_infeasible()
    search.start_near(before if start is None else start)
    search.start_greedily()
    search.improve()
    return search.finish()


class _FewSearch(PlanSearch):
    """A search with a row that no table knows, so that nothing of it is certified."""

    def certified(self, chosen: np.ndarray, objective: float) -> bool:
        """Return whether the checker accepts a plan that changes few enough."""
        if not self.compiled.options.rows_hold(chosen):
            return False
        return super().certified(chosen, objective)

    def raise_infeasible(self) -> NoReturn:
        """Raise that no plan changes as few."""
        raise SolverError(
            self.run.attempts, "No plan changes as few.", status="infeasible"
        )

    def _confirm_infeasible(self) -> bool:
        """Return that it is: what clashes is the number of changes, and is known."""
        self.impossible = True
        return True

    def _evidence(self) -> tuple[Mapping[str, Any], float | None]:
        return {}, None

    def _raise_nothing_found(self) -> NoReturn:
        if self.impossible:
            self.raise_infeasible()
        super()._raise_nothing_found()


def _with_row(
    compiled: Compiled, starts: Mapping[str, int], most: int, counted: list[str]
) -> Compiled:
    """Return the model in which so many of the counted projects change at most.

    Whoever is not in the record and comes in counts 1; whoever is in it counts 1 less
    the option of its start there.
    """
    o = compiled.options
    number = {name: p for p, name in enumerate(compiled.names)}
    weight = np.zeros(len(o.project))
    room = float(most)
    for name in counted:
        span = o.span(number[name])
        if name not in starts:
            weight[span] = 1.0
            continue
        room -= 1.0
        weight[span[o.start[span] == starts[name]]] = -1.0
    own = np.flatnonzero(weight)
    rows = o.linear
    linear = LinearRows(
        first=np.append(rows.first, rows.first[-1] + len(own)),
        option=np.append(rows.option, own),
        weight=np.append(rows.weight, weight[own]),
        lower=np.append(rows.lower, -np.inf),
        upper=np.append(rows.upper, room),
        slack=np.append(rows.slack, 0.0),
        unit=np.append(rows.unit, 1.0),
    )
    options = replace(o, linear=linear)
    return replace(compiled, options=options, rows=[*compiled.rows, (_ROW, -1)])


def _held_back(
    compiled: Compiled,
    starts: Mapping[str, int],
    stays: Collection[str],
    kept: Collection[str],
) -> Compiled:
    """Return the model in which some projects keep their place in the record.

    Those that must be in and cannot keep it stay free.
    """
    o = compiled.options
    must = o.must | np.isin(compiled.names, list(kept))
    keep = np.ones(len(o.project), dtype=bool)
    for p, name in enumerate(compiled.names):
        if name not in stays:
            continue
        span = o.span(p)
        same = (o.start[span] == starts[name]) if name in starts else False
        if np.any(same) or not must[p]:
            keep[span] = same
    return replace(compiled, options=o.only(keep, must))
