"""Evidence: how good a plan is, and how that was found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd

from pmo_analytics.facts import facts_html, result_html


class SolveStatus(StrEnum):
    """How a search for a plan ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    NO_SOLUTION = "no_solution"
    FAILED = "failed"


OPTIMAL_GAP = 1e-6


@dataclass(frozen=True)
class SolveReport:
    """The evidence that travels with an optimized plan.

    Attributes
    ----------
    status
        `optimal` when the gap is at most 1e-6.
    objective, bound
        What was maximised, and what no plan can exceed as the solver claims; of a
        levelled plan what was minimised, and what no plan can undercut.
    certified
        Plan and objective were verified exactly from the tables.
    certified_bound
        Bound re-derived by the checker from `certificate`, None without one.
    seconds
        Wall clock of the whole search.
    stopped
        Ctrl-C ended the search before its limits; the plan is the best until then.
    attempts
        One mapping per solver run: solver, outcome, seconds, detail.
    certificate
        JSON-like object that lets anyone re-derive `certified_bound`.
    measure
        What `objective` is: `worth` is maximised; `makespan` (periods from the first
        of the horizon to the last finish) and `delay` (weighted periods late) are
        minimised.
    worth, purchase_cost, change_cost
        What the objective is made of where capacity may be bought or a plan of record
        has a price: worth less what is bought, less the price of the changes.
    risk
        What `optimize(..., risk=...)` found out about overload: measure, limit, what
        it is in the draws of the search and in others, and what it would be without.
    params
        What `optimize(..., params=)` changed of the numbers that decide a search.
    stages
        One mapping per objective where there are second ones, in order: `stage`,
        `measure`, `bound` and `proved`, which is the solver's word, given what the
        stages before left.
    seed
        Seed of the search.
    solver
        Solver that had the last word.
    versions
        Versions of what the answer depends on.
    """

    status: SolveStatus
    objective: float | None = None
    bound: float | None = None
    certified: bool = False
    certified_bound: float | None = None
    seconds: float = 0.0
    seed: int = 0
    solver: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    attempts: Sequence[Mapping[str, object]] = ()
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)
    measure: str = "worth"
    worth: float | None = None
    purchase_cost: float | None = None
    change_cost: float | None = None
    risk: Mapping[str, Any] | None = None
    stages: Sequence[Mapping[str, object]] = ()
    stopped: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """(bound - objective) / |objective|, the distance left to the bound.

        (objective - bound) / |objective| where the measure is minimised.
        """
        if self.objective is None or self.bound is None:
            return None
        if self.measure == "worth":
            return relative_gap(self.objective, self.bound)
        return relative_gap(-self.objective, -self.bound)

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence without the certificate, ready for JSON."""
        facts = asdict(self)
        facts.pop("certificate")
        for part in ("worth", "purchase_cost", "change_cost"):
            if facts[part] is None:
                del facts[part]
        for part in ("stages", "params"):
            if not facts[part]:
                del facts[part]
        return {**facts, "status": str(self.status), "gap": self.gap}

    def bound_facts(self) -> dict[str, Any]:
        """Return how near the plan is to the best one, for a summary."""
        if self.bound is None:
            return {}
        facts: dict[str, Any] = {
            "bound": round(self.bound, 2),
            "gap": share_text(self.gap),
            "certified": self.certified,
        }
        if self.certified_bound is not None:
            facts["certified bound"] = round(self.certified_bound, 2)
        return facts

    def risk_facts(self) -> dict[str, Any]:
        """Return how likely overload is, for a summary."""
        if self.risk is None:
            return {}
        test, before = self.risk["test"], self.risk["without"]
        return {
            "highest chance of overload": (
                f"{test['highest_chance']:.1%} in new futures, without regard to risk "
                f"{before['highest_chance']:.1%}"
            ),
            "mean overload, FTE-periods": (
                f"{test['overload']:.3g} in new futures, without regard to risk "
                f"{before['overload']:.3g}"
            ),
            "price of less risk": round(
                before["objective"] - (self.objective or 0.0), 2
            ),
        }

    def stage_facts(self) -> dict[str, Any]:
        """Return what second objectives came to, for a summary."""
        facts: dict[str, Any] = {}
        for stage in self.stages[1:]:
            proved = "proved" if stage["proved"] else "not proved"
            name = str(stage["stage"]).replace("_", " ")
            facts[f"then {name}"] = f"{stage['measure']} ({proved})"
        return facts

    def _repr_html_(self) -> str:
        known = {
            "status": str(self.status),
            "objective" if self.measure == "worth" else self.measure: self.objective,
            "bound": self.bound,
            "gap": share_text(self.gap),
            "certified": self.certified,
            "certified bound": self.certified_bound,
            "seconds": self.seconds,
            "solver": self.solver,
            "seed": self.seed,
        }
        return result_html(
            "How good the plan is", facts_html(pd.Series(known, dtype=object))
        )


def relative_gap(objective: float, bound: float) -> float:
    """Return (bound - objective) / |objective|, never below 0; inf at objective 0."""
    difference = max(bound - objective, 0.0)
    if difference <= 1e-12 * max(1.0, abs(objective)):
        return 0.0
    return difference / abs(objective) if objective else float("inf")


def share_text(ratio: float | None) -> str:
    """Return a ratio as a percentage, blank where there is none."""
    return "" if ratio is None else f"{ratio:.2%}"
