"""Solving many variants of one question, each from the plan of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import with_period_texts
from pmo_analytics.errors import DataError, InfeasibleError, SolverError
from pmo_analytics.evidence import SolveReport, SolveStatus
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, note_stop, run_tasks, stop_asked
from pmo_analytics.rules import read_purchases

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.rules import Record


STOPPED = "It was stopped before this was solved."


@dataclass(frozen=True)
class Resolved:
    """What one variant brought.

    Attributes
    ----------
    starts, purchases, report
        Of its plan; None without one.
    status, message
        As of a search, or `stopped` where Ctrl-C came before its end; why there is no
        plan.
    """

    starts: dict[str, int] | None = None
    purchases: pd.DataFrame | None = None
    report: SolveReport | None = None
    status: str = "no_solution"
    message: str = ""
    conflicts: pd.DataFrame = field(default_factory=pd.DataFrame)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, certificate included, without conflicts."""
        report, bought = None, None
        if self.report is not None:
            report = {**asdict(self.report), "status": str(self.report.status)}
        if self.purchases is not None:
            rows = with_period_texts(self.purchases[["offer", "period", "fte"]])
            bought = rows.to_dict("records")
        return {
            "status": self.status,
            "message": self.message,
            "starts": self.starts,
            "purchases": bought,
            "report": report,
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any], portfolio: Portfolio) -> Resolved:
        """Return what `to_dict` made plain, for a checked portfolio."""
        report, bought = facts["report"], facts["purchases"]
        if report is not None:
            known = {f.name for f in fields(SolveReport)}
            own = {k: v for k, v in report.items() if k in known}
            report = SolveReport(**{**own, "status": SolveStatus(own["status"])})
        if bought is not None:
            columns = ["offer", "period", "fte"]
            bought = read_purchases(portfolio, pd.DataFrame(bought, columns=columns))
        return cls(facts["starts"], bought, report, facts["status"], facts["message"])

    @property
    def objective(self) -> float | None:
        """Objective of its plan."""
        return None if self.report is None else self.report.objective

    @property
    def bound(self) -> float | None:
        """Bound of its search."""
        return None if self.report is None else self.report.bound

    def plan(
        self,
        portfolio: Portfolio,
        *,
        strict: bool = False,
        record: Record | None = None,
    ) -> Plan | None:
        """Return its plan on a portfolio."""
        if self.starts is None:
            return None
        return Plan.from_starts(
            portfolio,
            self.starts,
            report=self.report,
            strict=strict,
            purchases=self.purchases,
            record=record,
        )


def settings_of(plan: Plan, seed: int) -> dict[str, Any]:
    """Return the arguments of `optimize` that ask what a plan is an answer to."""
    settings: dict[str, Any] = {"strict": plan.strict, "seed": seed, "flex": plan.buys}
    if plan.record is not None:
        # Its freeze is written in the windows of the plan's portfolio.
        settings["record"] = plan.record.unfrozen
    return settings


def resolve(
    portfolio: Portfolio,
    limits: SolveLimits,
    settings: Mapping[str, Any],
    start: Plan | None = None,
) -> Resolved:
    """Solve one variant; what cannot be solved is an answer, too.

    Parameters
    ----------
    settings
        Other arguments of `optimize`.
    """
    if stop_asked():
        return Resolved(status="stopped", message=STOPPED)
    try:
        plan = optimize(portfolio, limits=limits, start=start, **settings)
    except KeyboardInterrupt:
        note_stop()
        return Resolved(status="stopped", message=STOPPED)
    except InfeasibleError as error:
        message = str(error.conflicts["message"].iat[0])
        return Resolved(status="infeasible", message=message, conflicts=error.conflicts)
    except DataError as error:  # a change may leave a project no start at all
        return Resolved(status="infeasible", message=str(error.problems["fix"].iat[0]))
    except SolverError as error:
        return Resolved(status=error.status, message=str(error).splitlines()[0])
    assert plan.report is not None
    if plan.report.stopped:
        return Resolved(status="stopped", message=STOPPED)
    return Resolved(
        plan.starts,
        plan.purchases if plan.buys else None,
        plan.report,
        str(plan.report.status),
    )


def resolve_all(
    questions: Mapping[str, Portfolio],
    limits: SolveLimits,
    settings: Mapping[str, Any],
    start: Plan | None,
    work: Work | None,
) -> dict[str, Resolved]:
    """Solve many variants, all from the same plan, on local processes or a cluster.

    Several at once have one thread each.
    """
    work = work or Work()
    several = work.workers != 1 or bool(work.cluster)
    if several and len(questions) > 1:
        limits = replace(limits, threads=1)
    tasks = {
        key: {
            "portfolio": question,
            "limits": limits,
            "settings": dict(settings),
            "start": start,
        }
        for key, question in questions.items()
    }
    outcomes = run_tasks(resolve, tasks, work=work)
    found = {}
    for key in questions:
        outcome = outcomes.get(key)
        if outcome is None:
            found[key] = Resolved(status="stopped", message=STOPPED)
        elif outcome.error is not None:
            found[key] = Resolved(status="failed", message=str(outcome.error))
        else:
            found[key] = outcome.value
    return found
