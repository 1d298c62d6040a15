"""One scenario solved: a plain answer that goes to workers, files and back."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmo_analytics.errors import ConfigError, InfeasibleError, PmoError, SolverError
from pmo_analytics.evidence import OPTIMAL_GAP, SolveReport, SolveStatus, relative_gap
from pmo_analytics.files import read_json, written_whole
from pmo_analytics.optimization import (
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

# What reading a file that anybody may have written can raise.
_MALFORMED = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    RecursionError,
)
_OWN = re.compile(r"[0-9a-f]{64}\.json|\.[0-9a-f]{64}\.json\.[-\d]+\.part")


STOPPED = "The comparison was stopped before it was solved."


@dataclass(frozen=True)
class Answer:
    """What became of one scenario.

    Attributes
    ----------
    status
        As of a `SolveReport`.
    reason
        Why there is no plan, blank where there is one.
    starts
        Project -> whole periods after the first of the horizon; None without a plan.
    report
        The evidence as plain data, certificate included.
    """

    status: str
    reason: str = ""
    starts: Mapping[str, int] | None = None
    report: Mapping[str, Any] | None = None

    def plan(self, portfolio: Portfolio, *, strict: bool) -> Plan | None:
        """Return the plan on a checked snapshot, None where there is none."""
        if self.starts is None or self.report is None:
            return None
        known = {f.name for f in fields(SolveReport)}
        facts = {k: v for k, v in self.report.items() if k in known}
        facts["status"] = SolveStatus(facts["status"])
        return Plan.from_starts(
            portfolio, self.starts, report=SolveReport(**facts), strict=strict
        )


def solve(
    portfolio: Portfolio,
    start: Mapping[str, int] | None,
    guide: Mapping[str, Any] | None,
    limits: SolveLimits,
    seed: int,
    strict: bool,
    progress: ProgressFunction | None = None,
) -> Answer:
    """Solve one checked portfolio; that it has no plan is an answer too.

    Parameters
    ----------
    start, guide
        Plan to begin with, project -> period offset, and its certificate; None =
        none: the base, whose bound is certified too, and whose plan counts also where
        Ctrl-C stopped the search.
    """
    if stop_asked():
        return Answer("no_solution", STOPPED)
    run = Run(limits, strict=strict, seed=seed, progress=progress)
    if start is not None:
        live = set(portfolio.projects["project"])
        start = {project: at for project, at in start.items() if project in live}
    try:
        plan = solve_valid(
            question_of(portfolio, "to choose from", checked=True),
            run,
            start=start,
            guide=guide,
            certify_bound=start is None,
            here=expendable(),
        )
    except InfeasibleError as error:
        return Answer("infeasible", str(error))
    except SolverError as error:
        return Answer(error.status, str(error))
    except KeyboardInterrupt:
        note_stop()
        return Answer("no_solution", STOPPED)
    assert plan.report is not None
    if plan.report.stopped and start is not None:
        return Answer("no_solution", STOPPED)
    return answer_of(plan)


def answer_of(plan: Plan) -> Answer:
    """Return an optimized plan as plain data.

    Raises
    ------
    ConfigError
        If it is not a plan that `optimize` found.
    """
    if plan.report is None or plan.report.measure != "worth":
        raise ConfigError("The base has to be a plan of `optimize`, with its report.")
    facts = asdict(plan.report)
    facts["status"] = str(plan.report.status)
    return Answer(facts["status"], "", dict(plan.starts), json.loads(json.dumps(facts)))


def plan_hash(starts: Mapping[str, int] | None) -> str:
    """Return a hash of start dates."""
    rows = "" if starts is None else json.dumps(sorted(starts.items()))
    return hashlib.sha256(rows.encode()).hexdigest()


def task_key(
    portfolio: Portfolio,
    base: Mapping[str, int] | None,
    limits: SolveLimits,
    seed: int,
    strict: bool,
) -> str:
    """Return what an answer depends on, as a hash."""
    from pmo_analytics import __version__

    stops = (limits.seconds, limits.gap, limits.work)
    facts = (portfolio.digest(), plan_hash(base), stops, seed, strict, __version__)
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

    def load(self, key: str, portfolio: Portfolio, *, strict: bool) -> Answer | None:
        """Return a finished answer that still holds, None where there is none.

        Anybody may have edited the file: the plan counts where the checker accepts it,
        and of its bound what the certificate proves.
        """
        if self.folder is None:
            return None
        with contextlib.suppress(PmoError, *_MALFORMED):
            content = read_json(self.folder / f"{key}.json")
            return _rechecked(Answer(**content), portfolio, strict=strict)
        return None

    def save(self, key: str, answer: Answer) -> None:
        """Keep an answer that another run may use; whole or not at all.

        That there is no plan is not kept: nothing in the file could prove it.
        """
        stopped = answer.report is not None and answer.report.get("stopped", False)
        if self.folder is None or answer.starts is None or stopped:
            return
        with written_whole(self.folder / f"{key}.json") as (draft,):
            draft.write_text(json.dumps(asdict(answer)), encoding="utf-8")

    def clear(self) -> None:
        """Remove the answers, and the folder where nothing else is in it."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if _OWN.fullmatch(path.name) and not path.is_dir():
                    path.unlink()
            self.folder.rmdir()


def _rechecked(answer: Answer, portfolio: Portfolio, *, strict: bool) -> Answer | None:
    """Return what of an answer can be proved, None where it has to be found again."""
    plan = answer.plan(portfolio, strict=strict)
    if plan is None or plan.report is None:
        return None
    report = plan.report
    check = check_plan(
        portfolio, plan.schedule, strict=strict, objective=report.objective
    )
    if not check.certified:
        return None
    objective = float(check.objective)
    proved = check_bound(portfolio, report.certificate or {}, strict=strict)
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
    return answer_of(
        Plan.from_starts(portfolio, plan.starts, report=sure, strict=strict)
    )
