"""Jobs: what a process is asked to do.

A job does not change while it is done. What is found on the way is handed on, and what
follows from it is a job of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from pmo_analytics.optimization.messages import Message, Units
from pmo_analytics.optimization.params import DEFAULTS, SearchParams


@dataclass(frozen=True, kw_only=True)
class Job(Message):
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

    known: ClassVar[dict[str, type[Any]]] = {}

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
        plan = [int(k) for k in self.start]
        return {**super().written(), "start": plan, "params": self.params.changed()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """Return the job that was written down."""
        params = SearchParams.of(written.get("params", {}))
        return super().read({**written, "params": params})

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

    kind: ClassVar[str] = "solve"

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

    kind: ClassVar[str] = "improve"

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

    kind: ClassVar[str] = "prove"

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

    kind: ClassVar[str] = "polish"

    polish_seconds: float = 1.0
    loss: float = 0.0
    costs: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, kw_only=True)
class ElasticJob(Job):
    """Find a plan that breaks as little as can be."""

    kind: ClassVar[str] = "elastic"


@dataclass(frozen=True, kw_only=True)
class PricesJob(Job):
    """Tell the prices of the LP relaxation."""

    kind: ClassVar[str] = "prices"


@dataclass(frozen=True)
class RuleFacts:
    """What a process has to know of the rules of a rulebook, by their numbers.

    Attributes
    ----------
    rules
        How many there are.
    of
        Kind of rule -> number of a row, a project or a resource of the model, and rule.
    forbidden
        Options that a rule forbids, and the rule of each.
    empty_groups
        Groups that ask for more than there can be.
    """

    rules: int = 0
    of: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    forbidden: Sequence[Sequence[int]] = ((), ())
    empty_groups: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class RulesJob(Job):
    """A job about rules; `facts` may be as JSON has them."""

    facts: RuleFacts = RuleFacts()

    def __post_init__(self) -> None:
        if isinstance(self.facts, Mapping):
            object.__setattr__(self, "facts", RuleFacts(**self.facts))

    def written(self) -> dict[str, Any]:
        """Return the job as JSON has it."""
        return {**super().written(), "facts": asdict(self.facts)}


@dataclass(frozen=True, kw_only=True)
class ClashJob(RulesJob):
    """Find the few rules that clash.

    Attributes
    ----------
    units
        Rules to look at, together where they stand or fall together.
    need, unsure, resumed
        Where a search stands that has been begun before: needed, not proved to be.
    """

    kind: ClassVar[str] = "clash"

    units: Units = ()
    need: Units = ()
    unsure: Units = ()
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class RepairJob(RulesJob):
    """Find the cheapest way to break rules.

    Attributes
    ----------
    prices
        Of each rule: of breaking it once, of a limit for each unit above it; None = it
        cannot be broken.
    costs
        Of each option.
    gap
        Stop at this gap.
    """

    kind: ClassVar[str] = "repair"

    prices: Sequence[float | None] = ()
    costs: Sequence[float] = ()
    gap: float = 0.0
