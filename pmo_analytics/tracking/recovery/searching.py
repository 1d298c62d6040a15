"""The search for the best of each option, in the time that all of them share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import ConfigError, DataError, InfeasibleError
from pmo_analytics.optimization import check_plan
from pmo_analytics.plan import Plan
from pmo_analytics.scenarios import changed_portfolio
from pmo_analytics.tracking.recovery.moving_few import (
    Answer,
    Clock,
    held,
    moved,
    solve_few,
)
from pmo_analytics.tracking.recovery.options import (
    ACCEPT,
    OPTIONS,
    PEOPLE,
    STOP,
    Option,
    counted,
    say_period,
)
from pmo_analytics.tracking.recovery.ranking import LatePrice
from pmo_analytics.tracking.recovery.reasons import Trouble

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

Found = tuple[Option, Answer]
# Named others for whom others still are asked to make room.
_ASKED = 3
# Share of the time for what needs no search.
_QUICK = 0.4


@dataclass(frozen=True)
class Search:
    """What all options of one project share.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    trouble, starts
        Of the project, in the plan of record.
    most
        Other projects that may move.
    price
        Of a period late.
    clock
        Time that is left for all.
    seed
        Of the searches.
    """

    portfolio: Portfolio
    trouble: Trouble
    starts: Mapping[str, int]
    most: int
    price: LatePrice
    clock: Clock
    seed: int

    def best_of_each(
        self, options: Sequence[Option], kinds: Collection[str]
    ) -> dict[str, Found]:
        """Return the best option and answer of each kind that is asked for.

        First what is known without a search, where nobody else moves; what needs one
        gets an even share of the time that is left then. Whoever frees too little by
        stopping does not free enough by waiting either.
        """
        ends = Clock(_QUICK * self.clock.seconds, self.clock.since)
        stops = [option for option in options if option.kind == STOP]
        known: dict[str, Answer] = {}
        for option in stops:
            if not ends.is_over:
                known[option.named[0]] = self._quick(option)
        little = {name for name, answer in known.items() if answer.plan is None}
        enough = [
            o
            for o in options
            if o.kind in kinds
            and (
                o.kind != PEOPLE
                or o.few
                or o.named[0] not in little
                or dict(o.shifts)[o.named[0]] == 1
            )
        ]
        found: dict[str, Found] = {}
        waiting: list[list[Option]] = []
        for kind in [k for k in OPTIONS if any(o.kind == k for o in enough)]:
            own = [option for option in enough if option.kind == kind]
            best = self._known(own, known if kind == STOP else {}, ends)
            if best is None:
                waiting.append(own)
            else:
                found[kind] = best
        for number, own in enumerate(waiting):
            found[own[0].kind] = self._searched(own, 1.0 / (len(waiting) - number))
        return found

    def _known(
        self, options: Sequence[Option], known: Mapping[str, Answer], ends: Clock
    ) -> Found | None:
        """Return the best of options in which nobody else moves; None = none does.

        `known` are answers that are there already, by the project that is named.
        """
        fine: list[Found] = []
        waited: set[str] = set()
        for option in options:
            answer = known.get(option.named[0]) if option.named else None
            if answer is None and ends.is_over:
                break
            # Who could wait less costs no less by waiting longer.
            if waited.isdisjoint(name for name, _ in option.shifts):
                answer = answer or self._quick(option)
                waited |= self._enough(option, answer)
                if answer.plan is not None:
                    fine.append((option, answer))
        if not fine:
            return None
        return min(fine, key=lambda pair: self._cost(*pair))

    def _searched(self, options: Sequence[Option], share: float) -> Found:
        """Return the best of options in which others may move too."""
        # One option of each that names others: whichever wait, or the shortest.
        named: dict[tuple[str, ...], Option] = {}
        for option in options:
            if option.named not in named or option.few:
                named[option.named] = option
        asked = list(named.values())[:_ASKED]
        ends = Clock.start(max(share * self.clock.left, 0.0))
        found: list[Found] = []
        for number, option in enumerate(asked):
            if found and ends.is_over:
                break
            answer = self._few(option, ends, 1.0 / (len(asked) - number))
            found.append((option, answer))
        fine = [pair for pair in found if pair[1].plan is not None]
        return min(fine, key=lambda pair: self._cost(*pair)) if fine else found[0]

    def _few(self, option: Option, ends: Clock, share: float) -> Answer:
        """Return the best answer to one option."""
        try:
            changed = self._changed(option)
        except (ConfigError, DataError, InfeasibleError) as error:
            return Answer(None, np.inf, str(error).splitlines()[0])
        return solve_few(
            changed,
            self._dates(option),
            self.most - len(option.named),
            apart={self.trouble.project, *option.named},
            clock=ends,
            share=share,
            kept={self.trouble.project, *dict(option.shifts)},
            stays=() if option.kind == ACCEPT else {self.trouble.project},
            seed=self.seed,
            flex=option.flex,
        )

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

    @cached_property
    def _before(self) -> tuple[float, float]:
        """Worth of the others and of the project in the plan of record."""
        return self._worth(Plan.from_starts(self.portfolio, self.starts))

    def _worth(self, plan: Plan) -> tuple[float, float]:
        """Return the worth of the other projects less purchases, and the project's."""
        own = float(plan.worth.get(self.trouble.project, 0.0))
        return float(plan.worth.sum()) - own - plan.purchase_cost, own

    def _late(self, option: Option, plan: Plan) -> tuple[int, int]:
        """Return the last period of the project, and the periods after its promise."""
        length = plan.portfolio.projects.set_index("project")["duration"]
        start = plan.starts[self.trouble.project]
        finish = start + int(length[self.trouble.project]) - 1
        promise = self.trouble.promise
        return finish, option.late if promise is None else max(finish - promise, 0)

    def _cost(self, option: Option, answer: Answer) -> float:
        """Return what an option costs everybody, lateness included."""
        row = self.row(option, answer)
        return float(row["cost"])

    def row(self, option: Option, answer: Answer) -> dict[str, Any]:
        """Return the row of an option."""
        base = {"option": option.kind, "what": option.what}
        plan = answer.plan
        if plan is None:
            why = answer.why or "No plan within the moves that are allowed."
            status = "no_solution" if answer.open else "infeasible"
            text = f"{option.what} {why}"
            return base | {"what": text, "status": status, "checked": False}
        rest_before, own_before = self._before
        rest, own = self._worth(plan)
        others = moved(plan, self.starts, {self.trouble.project})
        others = list(dict.fromkeys([*option.named, *others]))
        finish, late = self._late(option, plan)
        later, paid, said = self.price.cost_of_others(plan, others)
        late_cost = late * self.price.of(self.trouble.project) + paid
        deadline = self.trouble.deadline
        proof = check_plan(
            plan.portfolio,
            plan.schedule,
            purchases=plan.purchases if plan.buys else None,
        )
        if plan.buys:
            base["what"] = " ".join([option.what, *plan.purchase_sentences])
        if option.few and option.named:
            waits = plan.starts[option.named[0]] - self.starts[option.named[0]]
            base["what"] = option.what.replace("waits", f"waits {counted(waits)}")
        base["what"] = " ".join([base["what"], *said])
        return base | {
            "status": "ok",
            "finish": say_period(self.portfolio, finish),
            "late": late,
            "deadline_missed": None if deadline is None else max(finish - deadline, 0),
            "cost": rest_before - rest + own_before - own + late_cost,
            "rest_cost": rest_before - rest,
            "rest_cost_low": _known(rest_before - (answer.bound - own)),
            "own_cost": own_before - own,
            "late_cost": late_cost,
            "purchases": plan.purchase_cost,
            "others_late": later,
            "moved": len(others),
            "moved_projects": ", ".join(others),
            "objective": answer.worth,
            "bound": _known(answer.bound),
            "checked": proof.violations.empty,
        }


def _known(number: float) -> float:
    """Return a number; nan where nothing is proved."""
    return number if np.isfinite(number) else np.nan
