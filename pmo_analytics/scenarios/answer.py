"""One scenario solved: a plain answer that goes to workers, files and back."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError, InfeasibleError, PmoError, SolverError
from pmo_analytics.evidence import OPTIMAL_GAP, SolveStatus, relative_gap
from pmo_analytics.files import read_json, written_whole
from pmo_analytics.optimization import (
    Resolved,
    Run,
    check_bound,
    check_plan,
    question_of,
    solve_valid,
)
from pmo_analytics.plan import Plan
from pmo_analytics.processes import expendable, note_stop, stop_asked

if TYPE_CHECKING:
    from pmo_analytics.optimization import ProgressFunction, SolveLimits
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.rules import Record

# What reading a file that anybody may have written can raise.
_MALFORMED = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    RecursionError,
)
_OWN = re.compile(r"[0-9a-f]{64}\.json|\.[0-9a-f]{64}\.json\.[-\d]+\.part")


STOPPED = "The comparison was stopped before it was solved."


@dataclass(frozen=True)
class Terms:
    """How every portfolio of a comparison is asked; see `compare`."""

    limits: SolveLimits
    seed: int = 0
    strict: bool = False
    flex: bool = False
    record: Record | None = None
    then: tuple[str, ...] = ()
    value_loss: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether worth alone decides: one scenario's plan may then serve another."""
        return not (self.flex or self.then or self.record is not None)

    def key(self) -> str:
        """Return all of it as text."""
        stops = (self.limits.seconds, self.limits.gap, self.limits.work)
        record: Any = None
        if self.record is not None:
            prices = self.record.change_price, self.record.move_price
            dates = self.record.schedule.astype(str).to_csv(index=False)
            record = (dates, self.record.freeze, *prices)
        rest = (self.flex, record, self.then, self.value_loss)
        return repr((stops, self.seed, self.strict, *rest))


def solve(
    portfolio: Portfolio,
    start: Mapping[str, int] | None,
    guide: Mapping[str, Any] | None,
    terms: Terms,
    progress: ProgressFunction | None = None,
) -> Resolved:
    """Solve one checked portfolio; that it has no plan is an answer too.

    Parameters
    ----------
    start, guide
        Plan to begin with, project -> period offset, and its certificate; None =
        none: the base, whose bound is certified too, and whose plan counts also where
        Ctrl-C stopped the search.
    """
    if stop_asked():
        return Resolved(message=STOPPED)
    run = Run(terms.limits, strict=terms.strict, seed=terms.seed, progress=progress)
    begin = start
    if begin is None and terms.record is not None:
        begin = terms.record.starts(portfolio)
    if begin is not None:
        live = set(portfolio.projects["project"])
        begin = {project: at for project, at in begin.items() if project in live}
    try:
        plan = solve_valid(
            question_of(portfolio, "to choose from", checked=True),
            run,
            flex=terms.flex,
            record=terms.record,
            start=begin,
            guide=guide if terms.plain else None,
            stages=terms.then,
            value_loss=terms.value_loss,
            certify_bound=start is None,
            here=expendable(),
        )
    except InfeasibleError as error:
        return Resolved(status="infeasible", message=str(error))
    except SolverError as error:
        return Resolved(status=error.status, message=str(error))
    except KeyboardInterrupt:
        note_stop()
        return Resolved(message=STOPPED)
    assert plan.report is not None
    if plan.report.stopped and start is not None:
        return Resolved(message=STOPPED)
    return answer_of(plan)


def answer_of(plan: Plan) -> Resolved:
    """Return an optimized plan as an answer.

    Raises
    ------
    ConfigError
        If it is not a plan that `optimize` found.
    """
    if plan.report is None or plan.report.measure != "worth":
        raise ConfigError("The base has to be a plan of `optimize`, with its report.")
    bought = plan.purchases if plan.buys else None
    status = str(plan.report.status)
    return Resolved(dict(plan.starts), bought, plan.report, status)


def plan_hash(starts: Mapping[str, int] | None) -> str:
    """Return a hash of start dates."""
    rows = "" if starts is None else json.dumps(sorted(starts.items()))
    return hashlib.sha256(rows.encode()).hexdigest()


def task_key(portfolio: Portfolio, base: Mapping[str, int] | None, terms: Terms) -> str:
    """Return what an answer depends on, as a hash."""
    from pmo_analytics import __version__

    facts = (portfolio.digest(), plan_hash(base), terms.key(), __version__)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


class Kept:
    """Finished answers in a folder, one JSON file each, so that a run can go on.

    Parameters
    ----------
    folder
        Made where it is missing; None keeps nothing.

    Raises
    ------
    ConfigError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"Cannot write to {folder}: {error.strerror}."
                ) from error

    def load(self, key: str, portfolio: Portfolio, terms: Terms) -> Resolved | None:
        """Return a finished answer that still holds, None where there is none.

        Anybody may have edited the file: the plan counts where the checker accepts it,
        and of its bound what the certificate proves.
        """
        if self.folder is None:
            return None
        with contextlib.suppress(PmoError, *_MALFORMED):
            content = read_json(self.folder / f"{key}.json")
            return _rechecked(Resolved.from_dict(content, portfolio), portfolio, terms)
        return None

    def save(self, key: str, answer: Resolved) -> None:
        """Keep an answer that another run may use; whole or not at all.

        That there is no plan is not kept: nothing in the file could prove it.
        """
        stopped = answer.report is not None and answer.report.stopped
        if self.folder is None or answer.starts is None or stopped:
            return
        with written_whole(self.folder / f"{key}.json") as (draft,):
            draft.write_text(json.dumps(answer.to_dict()), encoding="utf-8")

    def clear(self) -> None:
        """Remove the answers, and the folder where nothing else is in it."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if _OWN.fullmatch(path.name) and not path.is_dir():
                    path.unlink()
            self.folder.rmdir()


def _rechecked(answer: Resolved, portfolio: Portfolio, terms: Terms) -> Resolved | None:
    """Return what of an answer can be proved, None where it has to be found again."""
    strict, record = terms.strict, terms.record
    plan = answer.plan(portfolio, strict=strict, record=record)
    if plan is None or plan.report is None:
        return None
    report = plan.report
    bought = plan.purchases if plan.buys else None
    check = check_plan(
        portfolio,
        plan.schedule,
        strict=strict,
        objective=report.objective,
        purchases=bought,
        record=record,
    )
    if not check.certified:
        return None
    objective = float(check.objective)
    proved = check_bound(
        portfolio,
        report.certificate or {},
        strict=strict,
        flex=plan.buys,
        record=record,
    )
    bound = None if proved is None else max(float(proved), objective)
    if bound is not None and report.bound is not None:
        # The proof is derived anew, and may differ by what `optimal` allows.
        claimed = max(float(report.bound), objective)
        if abs(claimed - bound) <= OPTIMAL_GAP * abs(bound):
            bound = claimed
    near = bound is not None and relative_gap(objective, bound) <= OPTIMAL_GAP
    if report.status is SolveStatus.OPTIMAL and not near:
        return None  # it was quick to find
    status = SolveStatus.OPTIMAL if near else SolveStatus.FEASIBLE
    sure = replace(
        report,
        status=status,
        objective=objective,
        bound=bound,
        certified=True,
        certified_bound=None if report.certified_bound is None else bound,
        attempts=tuple(dict(attempt) for attempt in report.attempts),
    )
    return Resolved(dict(plan.starts), bought, sure, str(status))
