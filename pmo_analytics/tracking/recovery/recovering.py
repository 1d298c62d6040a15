"""recover: the ways back on track of a project, solved, checked and ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, DataError, InfeasibleError
from pmo_analytics.optimization import check_plan, given_record, optimize
from pmo_analytics.plan import Plan
from pmo_analytics.rules import Record
from pmo_analytics.scenarios import Scenario, changed_portfolio
from pmo_analytics.tracking.recovery.moving_few import (
    Answer,
    Clock,
    held,
    moved,
    solve_few,
)
from pmo_analytics.tracking.recovery.options import (
    OPTIONS,
    Option,
    say_period,
    ways_back,
)
from pmo_analytics.tracking.recovery.reasons import Trouble, find_trouble

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = (
    "option",
    "what",
    "status",
    "finish",
    "late",
    "rest_cost",
    "rest_cost_low",
    "own_cost",
    "purchases",
    "moved",
    "moved_projects",
    "objective",
    "bound",
    "checked",
)


@dataclass(frozen=True)
class Recovery:
    """Ways back on track, the one that costs the rest least first.

    Parameters
    ----------
    project
        The project in trouble.
    reasons
        What is wrong, in sentences; none where it is on track.
    most
        How many other projects an option may move, stop or bring in.
    table
        One row an option: `option` (accept, resequence, people, buy, scope, stop),
        `what` (words), `status` (`ok`, `infeasible`, `not possible`), `finish` (last
        period), `late` (periods after the promise), `rest_cost` (worth that the other
        projects lose against the plan of record, purchases included),
        `rest_cost_low` (proved: no plan of this option with as few moves costs less),
        `own_cost` (worth that the project itself loses), `purchases` (currency),
        `moved` and `moved_projects` (other projects), `objective`, `bound` (worth of
        the portfolio, and what is proved of it), `checked` (the exact checker found no
        broken rule). Worth in the unit of the objective.
    plans, scenarios
        By option: the plan, and the changes it was solved with.
    """

    project: str
    reasons: tuple[str, ...]
    most: int
    table: pd.DataFrame
    plans: Mapping[str, Plan]
    scenarios: Mapping[str, Scenario]

    @property
    def best(self) -> str | None:
        """Return the option that costs the rest least; None where none is possible."""
        fine = self.table[self.table["status"] == "ok"]
        return None if fine.empty else str(fine["option"].iloc[0])


def recover(
    portfolio: Portfolio,
    project: str,
    *,
    record: Record | Plan | pd.DataFrame | Mapping[str, object] | None = None,
    most_moved: float = 0.1,
    options: Sequence[str] = OPTIONS,
    seconds: float = 60.0,
    seed: int = 0,
) -> Recovery:
    """Find ways to get a project back on track, each solved and checked.

    A project is off track where its forecast in force (`start` and `duration`) ends
    after its newest baseline or its deadline, whichever is earlier, or where rules that
    it has a part in are broken by the plan of record now. Options: accept the slip,
    re-sequence others so that it ends on time with the same effort, have a named other
    project wait and give its people, buy capacity of the table `flex`, cut scope (its
    value falls alike), stop a named other project.

    Parameters
    ----------
    portfolio
        As it stands today: durations are forecasts in force, capacity what is there.
    project
        Its id.
    record
        Plan of record; None = the best plan of the tables as they stand, looked for
        in a fifth of the time.
    most_moved
        How many other projects of the plan an option may move, stop or bring in: a
        share below 1, rounded down but one at least, or a number.
    options
        Which to try: accept, resequence, people, buy, scope, stop.
    seconds
        Wall clock of all options together.
    seed
        Of the searches.

    Raises
    ------
    ConfigError
        If there is no such project, it has ended, or the plan of record leaves it out.
    DataError
        If the portfolio has errors.
    InfeasibleError, SolverError
        Without a record, where the tables have no plan.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> portfolio = pmo.example_portfolio()
    >>> recovery = pmo.recover(portfolio, "CORE-MOT", seconds=10, options=["accept"])
    >>> recovery.reasons
    ("It ends in 2027-07, 1 period after 2027-06 as baseline 'replanned' has it.",)
    """
    unknown = [kind for kind in options if kind not in OPTIONS]
    if unknown:
        known_ones = ", ".join(OPTIONS)
        raise ConfigError(f"There is no option '{unknown[0]}': {known_ones}.")
    if not most_moved >= 0:
        raise ConfigError(f"most_moved is {most_moved!r}: write a share or a number.")
    snapshot = portfolio.validate()
    clock = Clock.start(seconds)
    known = given_record(snapshot, record, 0, 0.0, 0.0)
    if known is None:
        known = Record(optimize(snapshot, limits=clock.limits(0.2), seed=seed))
    starts = known.starts(snapshot)
    trouble = find_trouble(snapshot, project, starts)
    count = len(starts) - 1
    most = int(most_moved) if most_moved >= 1 else max(int(most_moved * count), 1)
    if not trouble.reasons:
        return Recovery(project, (), most, pd.DataFrame(columns=list(COLUMNS)), {}, {})
    ways, missing = ways_back(snapshot, trouble, starts)
    search = _Search(snapshot, trouble, starts, most, clock, seed)
    found = {}
    kinds = [k for k in OPTIONS if k in options and any(w.kind == k for w in ways)]
    for number, kind in enumerate(kinds):
        own = [option for option in ways if option.kind == kind]
        found[kind] = search.best_of(own, 1.0 / (len(kinds) - number))
    rows = [search.row(option, answer) for option, answer in found.values()]
    rows += [
        {"option": kind, "what": text, "status": "not possible", "checked": False}
        for kind, text in missing.items()
        if kind in options
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype({"late": "Int64", "moved": "Int64"})
    order = table.assign(
        place=table["status"].map({"ok": 0, "infeasible": 1}).fillna(2),
        rest=table["rest_cost"].astype(float).round(6),
        own=table["own_cost"].astype(float).round(6),
        kind=table["option"].map(OPTIONS.index),
    ).sort_values(["place", "rest", "own", "late", "kind"], kind="stable")
    return Recovery(
        project,
        trouble.reasons,
        most,
        table.loc[order.index].reset_index(drop=True),
        {kind: a.plan for kind, (_, a) in found.items() if a.plan is not None},
        {kind: option.scenario for kind, (option, _) in found.items()},
    )


@dataclass(frozen=True)
class _Search:
    """What all options of one project share."""

    portfolio: Portfolio
    trouble: Trouble
    starts: Mapping[str, int]
    most: int
    clock: Clock
    seed: int

    def best_of(self, options: Sequence[Option], share: float) -> tuple[Option, Answer]:
        """Return the best of the options of one kind."""
        answers: list[tuple[Option, Answer]] = []
        ends = Clock.start(self.clock.part(share))
        waited: set[str] = set()
        for option in options:
            if ends.is_over and answers:
                break
            # Who could wait less costs no less by waiting longer.
            if waited.isdisjoint(name for name, _ in option.shifts):
                answers.append((option, self._quick(option)))
                waited |= self._enough(*answers[-1])
        fine = [(o, a) for o, a in answers if a.plan is not None and not o.few]
        if fine and not options[0].flex:
            return min(fine, key=lambda pair: (self._cost(pair[1]), pair[0].late))
        option = options[0]
        try:
            changed = self._changed(option)
        except (ConfigError, DataError, InfeasibleError) as error:
            return option, Answer(None, np.inf, str(error).splitlines()[0])
        starts = self._dates(option)
        room = self.most - len(option.named)
        answer = solve_few(
            changed,
            starts,
            room,
            apart={self.trouble.project, *option.named},
            clock=self.clock,
            share=share,
            seed=self.seed,
            flex=option.flex,
        )
        if option.flex and answer.plan is None:
            answer = replace(answer, why=answer.why or "What is offered does not do.")
        return option, answer

    def _enough(self, option: Option, answer: Answer) -> set[str]:
        """Return the projects whose wait does, where a longer one gains nothing."""
        if answer.plan is None or self.portfolio.settings.discount < 0:
            return set()
        worth = answer.plan.worth
        return {
            name
            for name, _ in option.shifts
            if name == self.trouble.project or worth.get(name, 0.0) >= 0
        }

    def _changed(self, option: Option) -> Portfolio:
        """Return the portfolio of an option."""
        return changed_portfolio(self.portfolio, option.scenario)

    def _dates(self, option: Option) -> dict[str, int]:
        """Return the plan of record with what the scenario itself moves or stops."""
        dates = dict(self.starts)
        for name, periods in option.shifts:
            dates[name] += periods
        for name in option.named:
            if name not in dict(option.shifts):
                dates.pop(name)
        return dates

    def _quick(self, option: Option) -> Answer:
        """Return the answer where nobody else moves, if that keeps every rule."""
        if option.few or option.flex:
            return Answer(None, np.inf)
        try:
            plan = held(self._changed(option), self._dates(option))
        except (ConfigError, DataError, InfeasibleError) as error:
            return Answer(None, np.inf, str(error).splitlines()[0])
        return Answer(plan, np.inf if plan is None else plan.objective)

    def _worth(self, plan: Plan) -> tuple[float, float]:
        """Return the worth of the other projects less purchases, and the project's."""
        own = float(plan.worth.get(self.trouble.project, 0.0))
        return float(plan.worth.sum()) - own - plan.purchase_cost, own

    def _cost(self, answer: Answer) -> float:
        assert answer.plan is not None
        return -self._worth(answer.plan)[0]

    def row(self, option: Option, answer: Answer) -> dict[str, Any]:
        """Return the row of an option."""
        base = {"option": option.kind, "what": option.what}
        plan = answer.plan
        if plan is None:
            why = answer.why or "No plan within the moves that are allowed."
            what = f"{option.what} {why}"
            return base | {"what": what, "status": "infeasible", "checked": False}
        reference = Plan.from_starts(self.portfolio, self.starts)
        rest_before, own_before = self._worth(reference)
        rest, own = self._worth(plan)
        others = moved(plan, self.starts, {self.trouble.project})
        others = list(dict.fromkeys([*option.named, *others]))
        length = plan.portfolio.projects.set_index("project")["duration"]
        start = plan.starts[self.trouble.project]
        finish = start + int(length[self.trouble.project]) - 1
        proof = check_plan(
            plan.portfolio,
            plan.schedule,
            purchases=plan.purchases if plan.buys else None,
        )
        promise = self.trouble.promise
        if plan.buys:
            base["what"] = " ".join([option.what, *plan.purchase_sentences])
        return base | {
            "status": "ok",
            "finish": say_period(self.portfolio, finish),
            "late": option.late if promise is None else max(finish - promise, 0),
            "rest_cost": rest_before - rest,
            "rest_cost_low": _known(rest_before - (answer.bound - own)),
            "own_cost": own_before - own,
            "purchases": plan.purchase_cost,
            "moved": len(others),
            "moved_projects": ", ".join(others),
            "objective": answer.worth,
            "bound": _known(answer.bound),
            "checked": proof.violations.empty,
        }


def _known(number: float) -> float:
    """Return a number; nan where nothing is proved."""
    return number if np.isfinite(number) else np.nan
