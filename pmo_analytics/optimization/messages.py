"""What processes tell each other: events of a child, and news for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

Units = Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What one process tells another, as JSON.

    Classes below `Job`, `Event` and `News` are known by their `kind` as soon as they
    are written down here.
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
