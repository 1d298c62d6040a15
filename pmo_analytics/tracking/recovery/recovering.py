"""recover: the ways back on track of a project, solved, checked and ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization import given_record, optimize
from pmo_analytics.plan import Plan
from pmo_analytics.rules import Record
from pmo_analytics.scenarios import Scenario
from pmo_analytics.tables import start_windows
from pmo_analytics.tracking.recovery.moving_few import Clock
from pmo_analytics.tracking.recovery.options import (
    OPTIONS,
    PEOPLE,
    STOP,
    ways_back,
)
from pmo_analytics.tracking.recovery.ranking import LatePrice, ranked
from pmo_analytics.tracking.recovery.reasons import find_trouble, live_row
from pmo_analytics.tracking.recovery.searching import Search

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Recovery:
    """Ways back on track, the cheapest first.

    Parameters
    ----------
    project
        The project in trouble.
    reasons
        What is wrong, in sentences; none where it is on track.
    most
        How many other projects an option may move, stop or bring in.
    late_price, late_price_says
        What a period late counts as, in the unit of the objective, and why.
    table
        One row an option: `option` (accept, resequence, people, buy, scope, stop),
        `what` (words), `status` (`ok`, `infeasible`, `no_solution`: the time was too
        short to tell, `not possible`), `finish` (last
        period), `late` (periods after the promise), `deadline_missed` (periods after
        its deadline, where it has one), `cost` (what it is ranked by: the sum of the
        three that follow), `rest_cost` (worth that the other projects lose against the
        plan of record, purchases included; below 0 where they gain), `own_cost` (worth
        that the project itself loses: left out, or discounted for coming later),
        `late_cost` (periods late x `late_price`, and the same for other projects that
        the option makes break their own promises: `others_late` periods),
        `rest_cost_low` (proved: no plan of this option with as few moves costs the rest
        less), `purchases` (currency),
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
    late_price: float
    late_price_says: str
    plans: Mapping[str, Plan]
    scenarios: Mapping[str, Scenario]

    @property
    def best(self) -> str | None:
        """Return the cheapest option; None where none is possible."""
        fine = self.table[self.table["status"] == "ok"]
        return None if fine.empty else str(fine["option"].iloc[0])


def recover(
    portfolio: Portfolio,
    project: str,
    *,
    record: Record | Plan | pd.DataFrame | Mapping[str, object] | None = None,
    most_moved: float = 0.1,
    late_price: float | None = None,
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
        How many other projects an option may move, stop or bring in: a share below 1
        of those that are running or may be chosen, rounded down but one at least, or
        a number.
    late_price
        What each period after a promise counts as, of any project, in the unit of the
        objective; None = what each is worth by its planned periods.
    options
        Which to try: accept, resequence, people, buy, scope, stop.
    seconds
        Wall clock of everything together.
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
    clock = Clock.start(seconds)
    snapshot = portfolio.validate()
    known = given_record(snapshot, record, 0, 0.0, 0.0)
    if known is None:
        live_row(snapshot, project)
        known = Record(optimize(snapshot, limits=clock.limits(0.2), seed=seed))
    starts = known.starts(snapshot)
    trouble = find_trouble(snapshot, project, starts)
    price = LatePrice(snapshot, starts, late_price)
    said = price.of(project), price.says(project)
    states = start_windows(snapshot.projects, snapshot.horizon)["state"]
    count = int((states == "live").sum()) - 1
    most = int(most_moved)
    if 0 < most_moved < 1:
        most = max(int(most_moved * count), 1)
    if not trouble.reasons:
        return Recovery(project, (), most, ranked([]), *said, {}, {})
    ways, missing = ways_back(snapshot, trouble, starts)
    if most == 0:
        ways = [way for way in ways if not way.named]
        missing |= dict.fromkeys((PEOPLE, STOP), "No other project may move.")
    search = Search(snapshot, trouble, starts, most, price, clock, seed)
    found = search.best_of_each(ways, options)
    rows = [search.row(option, answer) for option, answer in found.values()]
    rows += [
        {"option": kind, "what": text, "status": "not possible", "checked": False}
        for kind, text in missing.items()
        if kind in options
    ]
    return Recovery(
        project,
        trouble.reasons,
        most,
        ranked(rows),
        *said,
        {kind: a.plan for kind, (_, a) in found.items() if a.plan is not None},
        {kind: option.scenario for kind, (option, _) in found.items()},
    )
