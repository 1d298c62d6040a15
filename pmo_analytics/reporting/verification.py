"""verify: a plan recomputed exactly from the tables, and its claims beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.evidence import relative_gap
from pmo_analytics.facts import result_html, table_html
from pmo_analytics.loaders import read_schedule
from pmo_analytics.optimization import (
    Work,
    check_bound,
    check_plan,
    level_bound,
    levelled_question,
    measure_of,
)
from pmo_analytics.plan import Plan
from pmo_analytics.reporting.claims import Claims, claims_of, read_claims

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Verification:
    """What of a plan holds, exactly.

    Attributes
    ----------
    certified
        Every rule holds, and the objective is the one that is claimed, if any is.
    measure
        What the objective is: `worth`, or what `level` minimises.
    objective, claimed_objective
        Recomputed from the tables; as the manifest or the report says, None = nothing.
    certified_bound, gap
        What the certificate proves, derived again; None where there is none.
    violations, inherited
        As of `check_plan`: broken rules; fixed work that is above a limit.
    proof_cut_short
        Checking the proof was stopped after a fixed amount of work: the bound may be
        weaker than the one that is claimed.
    """

    certified: bool
    measure: str
    objective: float
    claimed_objective: float | None
    certified_bound: float | None
    gap: float | None
    violations: pd.DataFrame
    inherited: pd.DataFrame
    proof_cut_short: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words."""
        broken = len(self.violations)
        levelled = self.measure != "worth"
        name = self.measure.capitalize() if levelled else "Objective"
        lines = [
            f"{broken} rule{' is' if broken == 1 else 's are'} broken."
            if broken
            else "Every rule holds, exactly.",
            f"{name} {self.objective:,.6f}, recomputed from the tables.",
        ]
        if self.claimed_objective is not None and not broken and not self.certified:
            lines.append(
                f"The manifest claims {self.claimed_objective:,.6f}, which is wrong."
            )
        if self.certified_bound is not None:
            lines.append(
                f"No plan can {'undercut' if levelled else 'exceed'} "
                f"{self.certified_bound:,.6f} (re-derived from "
                f"certificate.json): gap {self.gap:.3%}."
            )
        if self.proof_cut_short:
            lines.append(
                "The proof in certificate.json is longer than what is followed: "
                "checking it was stopped after a fixed amount of work (a minute or "
                "two), so that this bound may be weaker than the one it claims."
            )
        return tuple(lines)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        tables = [table_html(self.violations)] if len(self.violations) else []
        return result_html("What of the plan holds", *tables, notes=self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "status": "broken" if len(self.violations) else "ok",
            "certified": self.certified,
            "measure": self.measure,
            "objective": self.objective,
            "claimed_objective": self.claimed_objective,
            "certified_bound": self.certified_bound,
            "gap": self.gap,
            "proof_cut_short": self.proof_cut_short,
            "violations": self.violations.to_dict("records"),
            "inherited": self.inherited.to_dict("records"),
        }


def verify(
    portfolio: Portfolio, plan: Plan | str | Path, *, strict: bool = False
) -> Verification:
    """Recompute a plan exactly from the tables and say what is broken.

    Nothing that the search worked with is used: rules, objective and bound are derived
    from the tables by the checker alone.

    Parameters
    ----------
    portfolio
        The question that the plan answers.
    plan
        Path of the `schedule.csv` of a plan, whose claims (objective, certificate,
        purchases, plan of record) are read from the files beside it; or a plan in
        memory with its report.
    strict
        Overloads of work that cannot be moved count as broken rules.

    Raises
    ------
    DataError
        If the portfolio has errors, or the schedule cannot be read.
    ConfigError
        If what lies beside the schedule cannot be read, or the certificate is of other
        tables.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> portfolio = pmo.example_portfolio()
    >>> plan = pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds=5))
    >>> pmo.verify(portfolio, plan).certified
    True
    """
    portfolio = portfolio.validate()
    if isinstance(plan, Plan):
        claims, rows = claims_of(plan), plan.schedule
    else:
        schedule = Path(plan)
        claims, rows = read_claims(schedule, portfolio.freq), read_schedule(schedule)
    if claims.measure == "worth":
        return _of_worth(claims.question(portfolio), rows, claims, strict)
    return _of_level(portfolio, rows, claims, strict)


def _of_worth(
    portfolio: Portfolio, rows: pd.DataFrame, claims: Claims, strict: bool
) -> Verification:
    work = Work()
    result = check_plan(
        portfolio,
        rows,
        strict=strict,
        objective=claims.objective,
        purchases=claims.purchases,
        record=claims.record,
    )
    objective = float(result.objective)
    bound = None
    if claims.certificate is not None:
        bound = check_bound(
            portfolio,
            claims.certificate,
            strict=strict,
            flex=claims.purchases is not None,
            record=claims.record,
            work=work,
        )
    known = None if bound is None else float(bound)
    return Verification(
        certified=result.certified,
        measure="worth",
        objective=objective,
        claimed_objective=claims.objective,
        certified_bound=known,
        gap=None if known is None else relative_gap(objective, known),
        violations=result.violations,
        inherited=result.inherited,
        proof_cut_short=work.short,
    )


def _of_level(
    portfolio: Portfolio, rows: pd.DataFrame, claims: Claims, strict: bool
) -> Verification:
    # A levelled plan may delay what keeps its start in the portfolio as it stands.
    portfolio = levelled_question(portfolio)
    measure = claims.measure
    result = check_plan(portfolio, rows, strict=strict)
    objective = float(measure_of(portfolio, rows, measure, strict=strict))
    wanted = objective if claims.objective is None else claims.objective
    bound = None
    if claims.certificate is not None:
        bound = level_bound(portfolio, claims.certificate, strict=strict)
    known = None if bound is None else float(bound)
    return Verification(
        certified=result.certified and math.isclose(wanted, objective, rel_tol=1e-9),
        measure=measure,
        objective=objective,
        claimed_objective=claims.objective,
        certified_bound=known,
        gap=None if known is None else relative_gap(-objective, -known),
        violations=result.violations,
        inherited=result.inherited,
    )
