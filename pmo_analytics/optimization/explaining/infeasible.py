"""Why no plan exists: the fewest rules that clash, and the least repair."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import SolverError, listing
from pmo_analytics.facts import result_html
from pmo_analytics.optimization.explaining.offered import least_purchases, say_offered
from pmo_analytics.optimization.explaining.repair import (
    REPAIR_COLUMNS,
    least_repair,
    say_repair,
)
from pmo_analytics.optimization.explaining.rulebook import Rulebook, read_rulebook
from pmo_analytics.optimization.explaining.wording import (
    fact_row,
    in_short,
    number,
    say_rule,
    series,
    spans,
)
from pmo_analytics.optimization.jobs import (
    ClashJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    Clashing,
    End,
    Event,
    Step,
    Units,
    Verdict,
)
from pmo_analytics.optimization.run import question_of
from pmo_analytics.optimization.workers.running import run_task
from pmo_analytics.plan import Plan
from pmo_analytics.processes import stop_asked, stoppable
from pmo_analytics.rules import most_offered

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

RULE_COLUMNS = ["rule", "subject", "period", "limit", "proved", "message"]
# Share of the time for the search of the clash; the rest is for the repair.
_FIRST = 0.7
# More projects than this are not listed line by line.
_LISTED = 12
_TOGETHER = {
    "earliest": "must not start before {} (earliest)",
    "latest": "must start by {} (latest)",
    "deadline": "must end by {} (deadline)",
}


@dataclass(frozen=True)
class WhyInfeasible:
    """Which rules clash, and what would let a plan exist.

    Attributes
    ----------
    status
        `infeasible`; `feasible` when a plan exists after all; `unknown` when time was
        up before either was proved.
    rules
        The clash: `rule, subject, period, limit, proved, message`, one row a rule (of
        a capacity a period, or several where they were not told apart in time).
        Without any one row with `proved` the others have a plan; of the rest that is
        not known yet.
    repair
        The cheapest repair of the whole portfolio: `rule, subject, period, amount,
        message`; `amount` in FTE, in money, or in periods that a project moves. An
        excess counts relative to its limit, breaking a rule counts like doubling a
        limit, and leaving out what must be selected like ten of them.
    sentences
        All of it in words.
    plan
        The plan that exists, where the status is `feasible`.
    seconds, clash_seconds, questions
        Wall clock, of all and until the clash was known; and how many models were
        solved for that.
    """

    status: str
    rules: pd.DataFrame
    repair: pd.DataFrame
    sentences: tuple[str, ...]
    plan: Plan | None = field(default=None, repr=False)
    seconds: float = 0.0
    clash_seconds: float | None = None
    questions: int = 0

    @property
    def minimal(self) -> bool:
        """Whether every rule of the clash is proved to be needed for it."""
        return self.status == "infeasible" and bool(self.rules["proved"].all())

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return result_html("Why there is no plan", notes=self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the plan, ready for JSON."""
        return {
            "status": self.status,
            "minimal": self.minimal,
            "rules": self.rules.to_dict("records"),
            "repair": self.repair.to_dict("records"),
            "sentences": list(self.sentences),
            "seconds": self.seconds,
            "clash_seconds": self.clash_seconds,
            "questions": self.questions,
        }


@stoppable()
def why_infeasible(
    portfolio: Portfolio,
    *,
    limits: SolveLimits | None = None,
    strict: bool = False,
    flex: bool = False,
    seed: int = 0,
    seconds: float | None = None,
) -> WhyInfeasible:
    """Find the fewest rules that clash, and the cheapest way out.

    A rule is the capacity of a role in a period, a budget, a dependency, a group, a
    window, a deadline, a blackout, or that a project must be selected or is out.
    Rules are taken away one after the other as long as the rest still has no plan;
    what stays is a clash from which nothing more can be taken. There may be others.
    The limits in force count: what fixed work already exceeds stays as it is.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    limits
        Its seconds are for all of it, default 30; its gap and work do not count. When
        time is up, rules not yet proved to be needed are named as such.
    strict
        Overloads of work that cannot be moved make the portfolio infeasible.
    flex
        Capacity may be bought: all that the table `flex` offers counts as there.
    seed
        Of the solver.
    seconds
        Former name of the seconds of `limits`; warns.

    Raises
    ------
    DataError
        If the portfolio has errors or no projects.
    SolverError
        If the solver failed and nothing is known.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> limits = pmo.SolveLimits(seconds=10)
    >>> pmo.why_infeasible(pmo.example_portfolio(), limits=limits).status
    'feasible'
    """
    if seconds is not None:
        warnings.warn(
            "why_infeasible(seconds=) is called limits=SolveLimits(seconds=) now.",
            DeprecationWarning,
            stacklevel=3,  # through `stoppable`
        )
        limits = SolveLimits(seconds=seconds)
    limits = replace(limits or SolveLimits(seconds=30.0), gap=0.0, work=None)
    seconds = limits.seconds
    begin = time.monotonic()
    snapshot = question_of(portfolio, "to look at")
    offered = most_offered(snapshot, snapshot.capacity.columns) if flex else None
    book = read_rulebook(snapshot, strict=strict, bought=offered)
    state = _find(book, begin, limits, seed)
    if state.verdict != "infeasible":
        return _no_clash(book, state, begin, seconds, flex)
    known = round(time.monotonic() - begin, 3)
    # A child may overrun its clock a little before it is ended.
    left = max(seconds - (time.monotonic() - begin) - 0.9, 0.05 * seconds, 0.3)
    broken, certain = least_repair(book, left, limits, seed)
    rules = _rules_table(book, state)
    repair = pd.DataFrame([row for row, _ in broken], columns=REPAIR_COLUMNS)
    return WhyInfeasible(
        "infeasible",
        rules,
        repair,
        (
            *_say_clash(book, state),
            *say_repair(broken, certain),
            *say_offered(snapshot, flex, [*rules["subject"], *repair["subject"]]),
        ),
        seconds=round(time.monotonic() - begin, 3),
        clash_seconds=known,
        questions=state.asked,
    )


@dataclass
class _State:
    """What the search has brought so far."""

    verdict: str = "unknown"
    chosen: list[int] = field(default_factory=list)
    need: list[list[int]] = field(default_factory=list)
    unsure: list[list[int]] = field(default_factory=list)
    asked: int = 0


def _find(book: Rulebook, begin: float, limits: SolveLimits, seed: int) -> _State:
    """Run the deletion filter; where its process dies, go on once without the step."""
    state = _State()
    job = ClashJob(
        seconds=0.0,
        memory_gb=limits.memory_gb,
        seed=seed,
        facts=book.facts(),
        units=book.units(),
    )
    for attempt in range(2):
        left = _FIRST * limits.seconds - (time.monotonic() - begin)
        if left <= 0.05 and attempt:
            break
        options = book.wide.options
        told = run_task(options, replace(job, seconds=max(left, 0.2)))
        steps = [event for event in told if isinstance(event, Step)]
        _take(state, told, steps)
        end = told[-1]
        assert isinstance(end, End)
        if end.code == 0 or end.code is None:
            break
        if state.verdict == "unknown" and attempt:
            raise SolverError(
                [
                    {
                        "solver": "HiGHS",
                        "outcome": "crashed",
                        "detail": end.words[-200:],
                    }
                ]
            )
        if steps:
            last = steps[-1]
            job = replace(
                job,
                resumed=True,
                units=last.rest[1:],
                need=last.need,
                unsure=[*last.unsure, *last.rest[:1]],
            )
    return state


def _take(state: _State, told: Sequence[Event], steps: Sequence[Step]) -> None:
    for event in told:
        if isinstance(event, Verdict):
            state.verdict, state.chosen = event.verdict, event.chosen
    ended = [event for event in told if isinstance(event, Clashing)]
    if ended:
        last = ended[-1]
        state.need, state.unsure = _units(last.need), _units(last.unsure)
        state.asked += last.asked
    elif steps:
        step = steps[-1]
        state.need = _units(step.need)
        state.unsure = _units([*step.unsure, *step.rest])
        state.asked += len(steps)


def _units(told: Units) -> list[list[int]]:
    return [list(unit) for unit in told]


def _no_clash(
    book: Rulebook, state: _State, begin: float, seconds: float, flex: bool
) -> WhyInfeasible:
    plan: Plan | None = None
    status = state.verdict
    if status == "feasible":
        chosen = np.array(state.chosen, dtype=np.int64)
        starts = book.wide.starts_of(chosen)
        plan = Plan.from_starts(
            book.portfolio,
            starts,
            strict=book.strict,
            purchases=least_purchases(book.portfolio, starts, book.strict)
            if flex
            else None,
        )
        if len(plan.violations):
            plan, status = None, "unknown"
    if status == "feasible":
        text = "Nothing clashes: a plan exists that keeps every rule."
        if plan is not None and len(plan.purchases):
            text = (
                "Nothing clashes: with purchases a plan exists that keeps every rule."
            )
        over = len(book.limits.inherited)
        if over:
            text += (
                f" {over} limit{' is' if over == 1 else 's are'} exceeded by work that "
                "cannot be moved and count as raised; strict looks at them too."
            )
    elif stop_asked():
        text = (
            "It was stopped before it was proved that a plan exists or that none does."
        )
    else:
        text = (
            f"Within {number(seconds)} seconds it was neither proved that a plan "
            "exists nor that none does. Allow more time."
        )
    return WhyInfeasible(
        status,
        pd.DataFrame(columns=RULE_COLUMNS),
        pd.DataFrame(columns=REPAIR_COLUMNS),
        (text,),
        plan,
        seconds=round(time.monotonic() - begin, 3),
        questions=state.asked,
    )


def _rules_table(book: Rulebook, state: _State) -> pd.DataFrame:
    rows = []
    units = [(unit, True) for unit in state.need]
    units += [(unit, False) for unit in state.unsure]
    for unit, proved in sorted(units, key=lambda pair: min(pair[0])):
        rule = book.rules[unit[0]]
        period: str = ""
        limit: float | None = None
        if rule.kind == "capacity":
            own = _months(book, unit)
            period = spans(book.portfolio, own)
            limit = next(iter(own.values())) if len(set(own.values())) == 1 else None
        elif rule.kind == "budget":
            limit = float(book.wide.options.limit[rule.number])
        elif rule.kind == "budget_at_least":
            limit = float(book.wide.options.least[rule.number])
        message = say_rule(book, rule)
        if len(unit) > 1:
            message = f"{rule.subject} has {in_short(book.portfolio, own)}."
        rows.append(
            {
                "rule": rule.kind,
                "subject": rule.subject,
                "period": period,
                "limit": limit,
                "proved": proved,
                "message": message,
            }
        )
    table = pd.DataFrame(rows, columns=RULE_COLUMNS)
    return table.astype({"limit": "float64", "proved": "bool"})


def _months(book: Rulebook, numbers: list[int]) -> dict[int, float]:
    """Return period -> FTE of rules that are capacity of one role."""
    periods = len(book.portfolio.horizon)
    resources = sorted(book.rules[k].number for k in numbers)
    limit = book.wide.options.limit
    return {resource % periods: float(limit[resource]) for resource in resources}


def _say_clash(book: Rulebook, state: _State) -> list[str]:
    every = sorted(k for unit in [*state.need, *state.unsure] for k in unit)
    lines = _rule_lines(book, every)
    count = _count(book, every)
    many = count > 1
    head = (
        f"No plan exists. These {count} rules cannot hold together:"
        if many
        else "No plan exists. This rule cannot be kept by anybody:"
    )
    result = [head, *(f"  - {line}" for line in lines)]
    if not state.unsure:
        if many:
            result.append(
                "Nothing else is needed for this clash: give way on any one of them "
                "and the others can hold together."
            )
        return result
    doubtful = _rule_lines(book, sorted(k for unit in state.unsure for k in unit))
    shown = "; ".join(line.rstrip(".") for line in doubtful[:5])
    more = f" and {len(doubtful) - 5} more" if len(doubtful) > 5 else ""
    why = "It was stopped" if stop_asked() else "Time was up"
    result.append(
        f"{why}: some of these may have nothing to do with the clash, namely: "
        f"{shown}{more}."
    )
    return result


def _count(book: Rulebook, numbers: list[int]) -> int:
    """Return how many rules there are, the capacity of a role counted once."""
    rules = [book.rules[k] for k in numbers]
    roles = {rule.subject for rule in rules if rule.kind == "capacity"}
    return len(roles) + sum(rule.kind != "capacity" for rule in rules)


def _rule_lines(book: Rulebook, numbers: list[int]) -> list[str]:
    """Return a sentence per rule, the periods of one role in one sentence."""
    lines: list[str] = []
    kinds: dict[tuple[str, str], list[int]] = {}
    for k in numbers:
        rule = book.rules[k]
        name = {"capacity": rule.subject, "must": ""}.get(rule.kind, str(k))
        if rule.kind in ("earliest", "latest", "deadline"):
            name = format_period(fact_row(book.portfolio, rule.subject)[rule.kind])
        kinds.setdefault((rule.kind, name), []).append(k)
    people: dict[str, dict[int, float]] = {}
    for (kind, name), own in kinds.items():
        subjects = [book.rules[k].subject for k in own]
        if kind == "capacity":
            people[name] = _months(book, own)
        elif kind == "must" and len(own) > _LISTED:
            lines.append(
                f"{len(own)} projects are forced in, approved or running: "
                f"{listing(subjects, 10)}."
            )
        elif kind in _TOGETHER and len(own) > 2:
            lines.append(f"{listing(subjects, 10)} {_TOGETHER[kind].format(name)}.")
        else:
            lines += [say_rule(book, book.rules[k]) for k in own]
    about = {
        name
        for k in numbers
        if book.rules[k].kind in ("must", "dependency", "group")
        for name in book.projects_of(book.rules[k])
    }
    return [
        *(
            f"{role} has {in_short(book.portfolio, own)}"
            f"{_asked_for(book, role, about)}."
            for role, own in people.items()
        ),
        *lines,
    ]


def _asked_for(book: Rulebook, role: str, projects: set[str]) -> str:
    """Return what some projects need of a role: `; 'A' needs up to 2 FTE`."""
    demand = book.portfolio.demand
    rows = demand[(demand["role"] == role) & (demand["fte"] > 0)]
    parts = []
    for name, own in rows[rows["project"].isin(projects)].groupby(
        "project", sort=False
    ):
        months = f" for {len(own)} periods" if len(own) > 1 else ""
        up_to = "up to " if own["fte"].nunique() > 1 else ""
        need = number(float(own["fte"].max()))
        parts.append(f"'{name}' needs {up_to}{need} FTE{months}")
    shown = (
        [*parts[:6], f"{len(parts) - 6} more need it too"]
        if (len(parts) > 6)
        else parts
    )
    return f"; {series(shown)}" if shown else ""
