"""Why a project is not in a plan: what stands in its way, what it would cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.facts import result_html
from pmo_analytics.formats import called, names_of
from pmo_analytics.optimization.explaining.displacing import DISPLACED_COLUMNS, Asked
from pmo_analytics.optimization.explaining.offered import say_buying
from pmo_analytics.optimization.explaining.repair import repair_rows
from pmo_analytics.optimization.explaining.rulebook import Rulebook, read_rulebook
from pmo_analytics.optimization.explaining.standing import (
    BLOCKING_COLUMNS,
    say_standing,
    standing,
)
from pmo_analytics.optimization.explaining.wording import (
    number,
    say_rule,
    say_state,
    the_projects,
    when,
)
from pmo_analytics.optimization.jobs import (
    RepairJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    Repair,
)
from pmo_analytics.optimization.workers.running import run_task
from pmo_analytics.plan import Plan
from pmo_analytics.processes import stoppable
from pmo_analytics.rules import bought_grid
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

REPAIR_COLUMNS = ["others", "start", "rule", "subject", "period", "amount", "message"]
# Taking part without need, and breaking a rule that is no limit.
_NEEDLESS, _RULE = 1e-3, 100.0


@dataclass(frozen=True)
class WhyNot:
    """Why a project is not in a plan, and what would let it in.

    Attributes
    ----------
    project, status
        `selected` or `done`: it is in. `worse`, `equal`, `better`: the best plan that
        was found with it, beside the plan asked about. `impossible`: no plan at all
        can hold it. `unknown`: no plan with it was found in time.
    sentences
        All of it in words.
    blocking
        What stands in the way of each start beside the plan as it is: `start, rule,
        subject, period, needed, free, short, message`; FTE or currency.
    displaced
        What would change to take it in: `project, name, change` (`entering`,
        `leaving`, `moved`), `start, new_start` (Period), `worth, new_worth`.
    repair
        The least that lets it in beside all that is chosen: `others` (`stay` at their
        dates, or `may move` inside their windows), `start`, `rule, subject, period,
        amount, message`; FTE or currency. An excess counts relative to its limit.
    objective_delta, delta_low, delta_high
        Objective with it less the objective of the plan, as found; and the interval
        that the bounds of both allow.
    plan
        The best plan found with it.
    """

    project: str
    status: str
    sentences: tuple[str, ...]
    blocking: pd.DataFrame = field(repr=False)
    displaced: pd.DataFrame = field(repr=False)
    repair: pd.DataFrame = field(repr=False)
    objective_delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None
    plan: Plan | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return result_html(f"Why not {self.project}?", notes=self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the plan, ready for JSON."""
        tables = {
            name: getattr(self, name).to_dict("records")
            for name in ("blocking", "displaced", "repair")
        }
        return {
            "project": self.project,
            "status": self.status,
            "sentences": list(self.sentences),
            "objective_delta": self.objective_delta,
            "delta_low": self.delta_low,
            "delta_high": self.delta_high,
            **tables,
        }


@stoppable()
def why_not(
    plan: Plan, project: str, *, limits: SolveLimits | None = None, seed: int = 0
) -> WhyNot:
    """Say why a project is not in a plan, what it would displace and what it lacks.

    What it would displace comes from solving again with it in, beginning with the
    plan. A project that is forced out or cancelled is looked at as if it were not.

    Parameters
    ----------
    plan
        The answer that is asked about.
    project
        Id of the project.
    limits
        Of the search with it in; default 20 seconds. A plan without a bound of its
        own is given as long again to get one.
    seed
        Of the search.

    Raises
    ------
    ConfigError
        If the portfolio has no such project.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.baseline(pmo.example_portfolio(), status=["running", "approved"])
    >>> pmo.why_not(plan, "CORE-MOT").status
    'selected'
    """
    portfolio = plan.portfolio
    names = portfolio.projects["project"].tolist()
    if project not in names:
        raise ConfigError(f"There is no project '{project}'{closest(project, names)}.")
    name = called(project, names_of(portfolio.projects))
    limits = limits or SolveLimits(seconds=20.0)
    state = start_windows(portfolio.projects, portfolio.horizon)["state"]
    if project in plan.starts or state[project] == "done":
        return _is_in(plan, project)
    released = _released(portfolio, project)
    bought = None
    if plan.buys:
        bought = bought_grid(portfolio, plan.purchases, portfolio.capacity.columns)
    book = read_rulebook(released, strict=plan.strict, bought=bought)
    lines = []
    if state[project] == "out":
        lines.append(
            f"{name} {say_state(portfolio, project)}. Nothing else was asked; if "
            "it were not:"
        )
    starts = book.allowed[project]
    forbidden = [] if len(starts) else _own_rules(book, project)
    blocking = standing(released, plan, project, starts, book.limits)
    if len(starts):
        lines += say_standing(released, project, starts, blocking)
    repair, texts = _least_repair(book, plan, project, limits, seed)
    asked = Asked(plan, project, released, limits, seed)
    asked.solve()
    lines += forbidden or asked.sentences()
    if forbidden:
        lines.insert(
            len(lines) - len(forbidden),
            f"Its own rules leave {name} no start at all:",
        )
    lines += texts
    return WhyNot(
        project,
        "impossible" if forbidden else asked.status,
        tuple(lines),
        blocking,
        asked.displaced(),
        repair,
        asked.delta,
        asked.low,
        asked.high,
        asked.plan,
    )


def _is_in(plan: Plan, project: str) -> WhyNot:
    rows = plan.projects.set_index("project")
    name = called(project, names_of(plan.projects))
    if project in plan.starts:
        row = rows.loc[project]
        start, finish = (plan.schedule.set_index("project").loc[project]).tolist()
        text = (
            f"{name} is in the plan, {start} to {finish}, worth "
            f"{number(float(row['worth']))}."
        )
    else:
        text = f"{name} is done: it counts as selected and uses nothing any more."
    return WhyNot(
        project,
        "selected" if project in plan.starts else "done",
        (text,),
        pd.DataFrame(columns=BLOCKING_COLUMNS),
        pd.DataFrame(columns=DISPLACED_COLUMNS),
        pd.DataFrame(columns=REPAIR_COLUMNS),
    )


def _released(portfolio: Portfolio, project: str) -> Portfolio:
    """Return the portfolio with a project no longer kept out."""
    projects = portfolio.projects.copy()
    row = (projects["project"] == project).to_numpy()
    state = start_windows(projects, portfolio.horizon)["state"]
    if state[project] == "out":
        projects.loc[row, ["status", "force"]] = ["proposed", None]
    elif project not in set(state.index[state == "live"]):
        return portfolio
    return portfolio.replace(projects=projects)


def _own_rules(book: Rulebook, project: str) -> list[str]:
    """Return the rules that forbid every start of a project, as sentences."""
    p = book.wide.names.index(project)
    options = book.wide.options
    span = range(options.first[p], options.first[p + 1])
    if not len(span):
        length = int(
            book.portfolio.projects.set_index("project").at[project, "duration"]
        )
        return [
            f"  - It lasts {length} periods and the horizon has "
            f"{len(book.portfolio.horizon)}."
        ]
    option, rule = book.forbidden
    found = sorted(set(rule[np.isin(option, np.array(span))].tolist()))
    return [f"  - {say_rule(book, book.rules[k])}" for k in found]


def _least_repair(
    book: Rulebook, plan: Plan, project: str, limits: SolveLimits, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Return table and sentences of the least that lets a project in."""
    tables, lines = [], []
    paid: float | None = None
    for others in ("stay", "may move"):
        if paid is not None and paid <= 1e-9:
            break
        found = _repair(book, plan, project, others, limits, seed)
        if found is None:
            continue
        cost, starts, rows, moved, entering = found
        start = book.portfolio.horizon[0] + starts[project]
        if paid is not None and cost > paid - 1e-6:
            break
        paid = cost
        table = pd.DataFrame([row for row, _ in rows]).assign(
            others=others, start=start
        )
        table = table.reindex(columns=REPAIR_COLUMNS)
        tables.append(table)
        lines += _say_repair(book, project, others, start, rows, moved, entering)
        lines += say_buying(book.portfolio, plan, starts, table)
    if not tables:
        return pd.DataFrame(columns=REPAIR_COLUMNS), lines
    return pd.concat(tables, ignore_index=True), lines


def _repair(
    book: Rulebook,
    plan: Plan,
    project: str,
    others: str,
    limits: SolveLimits,
    seed: int,
) -> tuple[float, dict[str, int], Any, list[str], list[str]] | None:
    """Solve for the cheapest excess; where limits are not enough, break rules too."""
    options, names = book.wide.options, book.wide.names
    chosen = {*plan.starts, project}
    must = np.array([name in chosen for name in names], dtype=bool)
    costs = np.zeros(len(options.project))
    for p, name in enumerate(names):
        span = slice(options.first[p], options.first[p + 1])
        if name not in chosen:
            costs[span] = _NEEDLESS
        elif name != project and others == "stay":
            costs[span] = np.inf
            costs[span][options.start[span] == plan.starts[name]] = 0.0
        else:
            # Among equals everybody stays where it is, and starts early.
            here = plan.starts.get(name, 0)
            costs[span] = 1e-6 * np.abs(options.start[span] - here)
    known = book.facts()
    known = dataclasses.replace(known, of={**known.of, "must": []})
    wide = dataclasses.replace(options, must=must)
    for price in (None, _RULE):
        prices: list[float | None] = []
        for rule in book.rules:
            if rule.kind in ("capacity", "budget"):
                prices.append(1.0 / max(1.0, float(options.limit[rule.number])))
            elif rule.kind == "must":
                prices.append(None)
            else:
                prices.append(price)
        told = run_task(
            wide,
            RepairJob(
                seconds=0.5 * limits.seconds,
                memory_gb=limits.memory_gb,
                seed=seed,
                facts=known,
                prices=prices,
                costs=costs.tolist(),
                gap=1e-4,
            ),
        )
        answer = next((e for e in told if isinstance(e, Repair)), None)
        if answer is not None and answer.chosen is not None:
            starts = book.wide.starts_of(np.array(answer.chosen, dtype=np.int64))
            broken = {int(k): float(amount) for k, amount in answer.broken}
            rows = repair_rows(book, broken, starts)
            cost = sum(amount * float(prices[k] or 0.0) for k, amount in broken.items())
            moved = [n for n, s in plan.starts.items() if starts.get(n, s) != s]
            entering = [n for n in starts if n not in chosen]
            return cost, starts, rows, moved, entering
    return None


def _say_repair(
    book: Rulebook,
    project: str,
    others: str,
    start: pd.Period,
    rows: Any,
    moved: list[str],
    entering: list[str],
) -> list[str]:
    begin = when(book.portfolio, start.ordinal - book.portfolio.horizon[0].ordinal)
    name = called(project, names_of(book.portfolio.projects))
    also = (
        f" together with {the_projects(book.portfolio, entering)}" if entering else ""
    )
    if others == "stay":
        beside = f"Beside all that is chosen {name} fits{also} from {begin} on"
    else:
        who = the_projects(book.portfolio, moved)
        beside = f"If {who} may move, {name} fits{also} from {begin} on"
    texts = [text for _, text in rows if text]
    if not texts:
        return [f"{beside}, and nothing has to be added."]
    return [f"{beside} with the least to add:", *(f"  - {text}" for text in texts)]
