"""Jobs, events and news: what a process is asked to do, tells of, and is told of.

A job does not change while it is done. What is found on the way is handed on, and what
follows from it is a job of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from pmo_analytics.optimization.params import DEFAULTS, SearchParams


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all jobs have.

    Attributes
    ----------
    seconds
        Wall clock.
    start
        Option numbers of the plan known, empty without one.
    memory_gb
        Of the process, where the system enforces a limit.
    params
        The numbers that decide a search.
    """

    task: ClassVar[str] = ""

    seconds: float
    seed: int = 0
    threads: int = 1
    memory_gb: float | None = None
    presolve: bool = True
    start: Sequence[int] = ()
    params: SearchParams = DEFAULTS

    @property
    def plan(self) -> np.ndarray:
        """The plan known, as an array of option numbers."""
        return np.array(self.start, dtype=np.int64)

    def written(self) -> dict[str, Any]:
        """Return the job as JSON has it."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        plan = [int(k) for k in self.start]
        changed = self.params.changed()
        return {**own, "task": self.task, "start": plan, "params": changed}

    def shared(self) -> dict[str, Any]:
        """Return what a job that follows from this one has from it."""
        return {one.name: getattr(self, one.name) for one in fields(Job)}


@dataclass(frozen=True, kw_only=True)
class SolveJob(Job):
    """Solve the model.

    Attributes
    ----------
    solver
        PuLP's name of it.
    gap
        Stop at this gap.
    nodes
        Of the solver's tree at most, None = as many as there is time for.
    relax
        Solve the LP relaxation first, for prices and a bound.
    polish_seconds
        For the earliest starts among plans of equal worth.
    most_nodes
        Of a proof by branches, 0 = nobody asks for one.
    """

    task: ClassVar[str] = "solve"

    solver: str = "HiGHS"
    gap: float = 0.0
    nodes: int | None = None
    relax: bool = True
    polish_seconds: float = 1.0
    most_nodes: int = 0

    def proof(self, **more: Any) -> ProveJob:
        """Return the job to prove by branches what this one solves."""
        own = {"gap": self.gap, "most_nodes": self.most_nodes}
        return ProveJob(**{**self.shared(), **own, **more})

    def search(self, **more: Any) -> ImproveJob:
        """Return the job to search around the best plan of this one."""
        return ImproveJob(**{**self.shared(), **more})


@dataclass(frozen=True, kw_only=True)
class ImproveJob(Job):
    """Search around a plan; for a number of rounds, or until time is up."""

    task: ClassVar[str] = "improve"

    rounds: int | None = None


@dataclass(frozen=True, kw_only=True)
class ProveJob(Job):
    """Prove by branches how good a plan is.

    Attributes
    ----------
    gap
        Only plans that are better by this share are sought.
    most_nodes
        Of the tree.
    cuts
        The fields of each `cut_loop.Cut` that holds for every plan.
    guide
        Branches of a similar model.
    alone
        Nobody else looks for plans.
    """

    task: ClassVar[str] = "prove"

    gap: float = 0.0
    most_nodes: int = 0
    cuts: Sequence[Mapping[str, Any]] = ()
    guide: Mapping[str, Any] | None = None
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class PolishJob(Job):
    """Look for the earliest starts among plans that are worth as much.

    Attributes
    ----------
    polish_seconds
        For that alone.
    loss
        Of worth that second objectives may cost.
    costs
        What each option costs by each second objective, in whole numbers.
    """

    task: ClassVar[str] = "polish"

    polish_seconds: float = 1.0
    loss: float = 0.0
    costs: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, kw_only=True)
class ElasticJob(Job):
    """Find a plan that breaks as little as can be."""

    task: ClassVar[str] = "elastic"


@dataclass(frozen=True, kw_only=True)
class PricesJob(Job):
    """Tell the prices of the LP relaxation."""

    task: ClassVar[str] = "prices"


@dataclass(frozen=True, kw_only=True)
class ClashJob(Job):
    """Find the few rules that clash.

    Attributes
    ----------
    facts
        What `Rulebook.job` says of the rules, and where the search for them stands.
    """

    task: ClassVar[str] = "clash"

    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RepairJob(ClashJob):
    """Find the cheapest way to break rules; `facts` has the prices, too."""

    task: ClassVar[str] = "repair"


JOBS: dict[str, type[Job]] = {
    kind.task: kind
    for kind in (
        SolveJob,
        ImproveJob,
        ProveJob,
        PolishJob,
        ElasticJob,
        PricesJob,
        ClashJob,
        RepairJob,
    )
}


def read_job(written: Mapping[str, Any]) -> Job:
    """Return the job that was written down."""
    facts = dict(written)
    kind = JOBS[facts.pop("task")]
    return kind(**{**facts, "params": SearchParams.of(facts.get("params", {}))})


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is told while a job is done, one JSON line each.

    Classes below `Event` and `News` are known by their `kind` as soon as they are
    written down here.
    """

    kind: ClassVar[str] = ""
    known: ClassVar[dict[str, type[Any]]] = {}

    def __init_subclass__(cls) -> None:
        cls.known[cls.kind] = cls

    def written(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"kind": self.kind, **own}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """Return what was written down."""
        facts = dict(written)
        message: Self = cls.known[facts.pop("kind")](**facts)
        return message


@dataclass(frozen=True, kw_only=True)
class Event(Message):
    """What a process tells of."""

    known: ClassVar[dict[str, type[Any]]] = {}

    @property
    def claims(self) -> float | None:
        """The bound that it tells of, None without one."""
        bound: float | None = getattr(self, "bound", None)
        return bound


Prices = Sequence[tuple[Any, float]]


@dataclass(frozen=True, kw_only=True)
class Relaxation(Event):
    """The LP relaxation: its objective and prices by label, or why there is none."""

    kind: ClassVar[str] = "relaxation"

    status: str
    objective: float | None = None
    prices: Prices = ()


@dataclass(frozen=True, kw_only=True)
class BoundTold(Event):
    """A better bound."""

    kind: ClassVar[str] = "bound"

    bound: float | None


@dataclass(frozen=True, kw_only=True)
class PlanTold(Event):
    """A plan of the solver, as option numbers."""

    kind: ClassVar[str] = "incumbent"

    chosen: list[int]
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Improved(Event):
    """A better plan of a search or a proof."""

    kind: ClassVar[str] = "improved"

    chosen: list[int]


@dataclass(frozen=True, kw_only=True)
class Solved(Event):
    """The end of branch and bound; `status` is ours, `solver_status` the solver's."""

    kind: ClassVar[str] = "solved"

    status: str
    solver_status: str
    chosen: list[int] | None = None
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Cutting(Event):
    """Cutting begins, or is over."""

    kind: ClassVar[str] = "cutting"

    over: bool


@dataclass(frozen=True, kw_only=True)
class CutsTold(Event):
    """Cuts as the fields of each `cut_loop.Cut`, with prices and bound."""

    kind: ClassVar[str] = "cuts"

    bound: float | None
    prices: Prices
    cuts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class StageTold(Event):
    """A second objective: the plan, and what the objective is at least."""

    kind: ClassVar[str] = "stage"

    number: int
    chosen: list[int]
    least: float | None


@dataclass(frozen=True, kw_only=True)
class Polished(Event):
    """The plan with the earliest starts among those worth as much."""

    kind: ClassVar[str] = "polished"

    chosen: list[int]


@dataclass(frozen=True, kw_only=True)
class Proof(Event):
    """The bound of a proof that is going on."""

    kind: ClassVar[str] = "proof"

    bound: float | None


@dataclass(frozen=True, kw_only=True)
class Tree(Event):
    """The branches so far, as `Branches.told` has them, and whether that is all."""

    kind: ClassVar[str] = "tree"

    bound: float
    closed: bool
    told: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Impossible(Event):
    """There is no plan at all."""

    kind: ClassVar[str] = "impossible"


@dataclass(frozen=True, kw_only=True)
class Broken(Event):
    """The plan that breaks as little as can be, and what it breaks, by how much."""

    kind: ClassVar[str] = "elastic"

    status: str
    chosen: list[int] | None = None
    broken: Sequence[tuple[Any, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Repair(Broken):
    """The cheapest way to break rules, by number."""

    kind: ClassVar[str] = "repair"

    objective: float | None = None
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class PricesTold(Event):
    """The prices of the LP relaxation by row, and the bound they prove."""

    kind: ClassVar[str] = "prices"

    prices: Sequence[float]
    bound: float


@dataclass(frozen=True, kw_only=True)
class Verdict(Event):
    """Whether all rules together can be kept, and a plan where they can."""

    kind: ClassVar[str] = "verdict"

    verdict: str
    chosen: list[int]


Units = Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """Where the search for a clash stands: rules to look at, needed, not proved."""

    kind: ClassVar[str] = "step"

    rest: Units
    need: Units
    unsure: Units


@dataclass(frozen=True, kw_only=True)
class Clashing(Event):
    """The rules that clash: needed, not proved to be needed; questions asked."""

    kind: ClassVar[str] = "clash"

    need: Units
    unsure: Units
    asked: int


@dataclass(frozen=True, kw_only=True)
class End(Event):
    """A process is gone: its exit code, None where it was ended, and last words."""

    kind: ClassVar[str] = "end"

    code: int | None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class News(Message):
    """What a process at work is told of."""

    known: ClassVar[dict[str, type[Any]]] = {}


@dataclass(frozen=True, kw_only=True)
class BetterPlan(News):
    """A plan that others have found, as option numbers."""

    kind: ClassVar[str] = "plan"

    chosen: list[int]


@dataclass(frozen=True, kw_only=True)
class NewPrices(News):
    """The prices of the LP relaxation by label."""

    kind: ClassVar[str] = "prices"

    prices: Prices


@dataclass(frozen=True, kw_only=True)
class Enough(News):
    """The bound suffices: tell of the branches so far, and that is all."""

    kind: ClassVar[str] = "enough"


@dataclass(frozen=True, kw_only=True)
class ProvedElsewhere(News):
    """Another process proves by branches."""

    kind: ClassVar[str] = "proved_elsewhere"
