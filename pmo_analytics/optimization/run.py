"""One call of optimize or level: its clock, its record of attempts, its failures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from pmo_analytics.errors import DataError, SolverError, problem, problems_table
from pmo_analytics.optimization.limits import Progress, ProgressFunction, SolveLimits
from pmo_analytics.optimization.params import DEFAULTS, SearchParams

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


class Run:
    """What a search may spend, what it has tried, and who is told.

    Parameters
    ----------
    limits
        When to stop.
    strict
        Whether overloads of work that cannot be moved count as broken rules.
    seed
        Of every random choice.
    progress
        Called with a `Progress`; None = nobody.
    params
        The numbers that decide it.
    """

    def __init__(
        self,
        limits: SolveLimits,
        *,
        strict: bool,
        seed: int,
        progress: ProgressFunction | None,
        params: SearchParams = DEFAULTS,
    ) -> None:
        self.limits = limits
        self.strict = strict
        self.seed = seed
        self.progress = progress
        self.params = params
        self.begin = time.monotonic()
        self.attempts: list[Mapping[str, object]] = []

    def seconds(self) -> float:
        """Return the wall clock since the beginning."""
        return time.monotonic() - self.begin

    def left(self) -> float:
        """Return the wall clock that is left."""
        return self.limits.seconds - self.seconds()

    def say(self, stage: str, objective: float | None, bound: float | None) -> None:
        """Tell the caller where the search stands."""
        if self.progress is not None:
            self.progress(Progress(stage, objective, bound, self.seconds()))

    def note(self, solver: str, outcome: str, seconds: float, detail: str = "") -> None:
        """Add one attempt to the record."""
        self.attempts.append(
            {
                "solver": solver,
                "outcome": outcome,
                "seconds": round(seconds, 3),
                "detail": detail,
            }
        )

    def raise_nothing_found(self, without: Sequence[str]) -> NoReturn:
        """Raise what a search without a plan has to say.

        Parameters
        ----------
        without
            Solvers of the attempts that do not count: the first, quick ones.
        """
        runs = {a["outcome"] for a in self.attempts if a["solver"] not in without}
        if runs and runs <= {"crashed", "refused"}:
            raise SolverError(self.attempts)
        raise SolverError(
            self.attempts,
            f"No plan was found in {self.seconds():.0f} seconds, and none was proved "
            "impossible. Allow more time.",
            status="no_solution",
        )


def question_of(
    portfolio: Portfolio, purpose: str, *, checked: bool = False
) -> Portfolio:
    """Return a checked snapshot with at least one project.

    Parameters
    ----------
    purpose
        What the projects are for, for the message: "to choose from".
    checked
        It is a checked snapshot already.

    Raises
    ------
    DataError
        If the portfolio has errors or no projects.
    """
    snapshot = portfolio if checked else portfolio.validate()
    if snapshot.projects.empty:
        fix = f"There are no projects {purpose}."
        raise DataError(
            problems_table([problem("error", "projects", "empty_table", fix=fix)])
        )
    return snapshot
