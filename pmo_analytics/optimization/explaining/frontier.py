"""What more budget, people or time would bring: best plans along one limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import InfeasibleError, SolverError
from pmo_analytics.evidence import relative_gap
from pmo_analytics.facts import result_html, table_html
from pmo_analytics.optimization.explaining.frontier_levels import levels_of, question_at
from pmo_analytics.optimization.explaining.resolving import (
    Resolved,
    resolve,
    resolve_all,
)
from pmo_analytics.optimization.explaining.wording import is_nothing, number
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.run import question_of
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, stoppable

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = [
    *("level", "status", "objective", "bound", "gap", "certified_bound"),
    *("gain", "gain_low", "gain_high", "projects_selected", "spend", "fte"),
    *("last_finish", "efficient", "knee", "message"),
]
# A knee less than this share of the whole rise above the chord is none.
_BEND = 0.02


@dataclass(frozen=True)
class Frontier:
    """Best plans along one limit.

    Attributes
    ----------
    over, of
        What was varied, and of which budget or role ("" = all).
    table
        One row per level, the smallest first: `level` (factor, currency, projects or
        Period), `status, objective, bound, gap, certified_bound`; `gain` to the level
        before and what the bounds allow it to be (`gain_low`, `gain_high`);
        `projects_selected, spend` (inside the horizon), `fte` (FTE-periods),
        `last_finish` (Period); `efficient`: no smaller level is as good; `knee`;
        `message` of levels without a plan.
    plans
        Plan of each level, None where there is none.
    sentences
        All of it in words.
    """

    over: str
    of: str
    table: pd.DataFrame
    plans: tuple[Plan | None, ...] = field(repr=False)
    sentences: tuple[str, ...]

    @property
    def knee(self) -> pd.Series[Any] | None:
        """Row of the knee: the efficient point farthest above the chord.

        The chord joins the first and the last efficient point, both axes scaled to
        1. None where nothing bends.
        """
        rows = self.table[self.table["knee"]]
        return None if rows.empty else rows.iloc[0]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        shown = self.table.drop(columns=["efficient", "message"], errors="ignore")
        return result_html(
            f"Best plans over {self.of or self.over}",
            table_html(shown, most=len(shown)),
            notes=self.sentences,
        )


@stoppable()
def frontier(
    portfolio: Portfolio,
    over: str = "budget",
    *,
    of: str = "",
    points: int | Sequence[Any] = 9,
    limits: SolveLimits | None = None,
    strict: bool = False,
    flex: bool = False,
    seed: int = 0,
    start: Plan | None = None,
    workers: int | None = None,
    cluster: str = "",
) -> Frontier:
    """Solve the portfolio again and again along one limit.

    A plan that keeps a smaller limit keeps a larger one too. So no level is worse than
    the ones below it, and its bound is no looser than the ones above it.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    over
        What is varied. `budget` and `capacity` are multiplied, all of them or one. A
        second objective is held at most at each level (epsilon constraint): `spend`
        (money inside the horizon), `projects` (how many are selected) or `finish`
        (period in which the last project ends that is not running yet).
    of
        One budget or role; "" = all.
    points
        How many levels, or the levels themselves. By default factors from 0.6 to
        1.4, or from what fixed work needs to what the best plan takes.
    limits
        Of each level; default 20 seconds.
    strict, flex, seed
        As in `optimize`.
    start
        A plan to begin with.
    workers, cluster
        Local processes, default one per core; or the address of a Dask scheduler.

    Raises
    ------
    ConfigError
        If something cannot be varied, or a level is not possible.
    DataError
        If the portfolio has errors or no projects.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> result = pmo.frontier(
    ...     pmo.example_portfolio(), "budget", points=[0.9, 1.1],
    ...     limits=pmo.SolveLimits(seconds=2, gap=0.05))
    >>> bool(result.table["objective"].is_monotonic_increasing)
    True
    """
    snapshot = question_of(portfolio, "to choose from")
    limits = limits or SolveLimits(seconds=20.0)
    kind = question_at(snapshot, over, of)
    settings = {"strict": strict, "flex": flex, "seed": seed}
    if isinstance(points, int) and over not in ("budget", "capacity"):
        free = resolve(snapshot, limits, settings, start)
        start = free.plan(snapshot, strict=strict)
        if free.status == "stopped":
            raise KeyboardInterrupt
        if start is None and free.status == "infeasible":
            raise InfeasibleError(free.conflicts)
        if start is None:
            raise SolverError([], free.message, status=free.status)
    levels = levels_of(snapshot, over, points, start)
    questions = [kind(level) for level in levels]
    found = _along(questions, levels, limits, settings, start, Work(workers, cluster))
    return _result(over, of, levels, questions, found, strict)


def _along(
    questions: list[Portfolio],
    levels: list[Any],
    limits: SolveLimits,
    settings: Mapping[str, Any],
    start: Plan | None,
    work: Work,
) -> list[Resolved]:
    """Solve the smallest level, then all others from its plan."""
    first = resolve(questions[0], limits, settings, start)
    begin = first.plan(questions[0]) or start
    others = dict(zip(map(str, levels[1:]), questions[1:], strict=True))
    return [first, *resolve_all(others, limits, settings, begin, work).values()]


def _result(
    over: str,
    of: str,
    levels: list[Any],
    questions: list[Portfolio],
    found: list[Resolved],
    strict: bool,
) -> Frontier:
    plans, messages = _shared(questions, found, strict)
    bounds = [p.bound for p in found]
    certified = [
        p.report.certified_bound if p.report is not None else None for p in found
    ]
    rows = []
    for i, (level, plan) in enumerate(zip(levels, plans, strict=True)):
        bound, proved = _least(bounds[i:]), _least(certified[i:])
        objective = None if plan is None else plan.objective
        if objective is None:
            bound = proved = None
        elif bound is not None:
            bound = max(bound, objective)
        rows.append(
            {
                "level": level,
                "status": found[i].status if plan is None else "feasible",
                "objective": objective,
                "bound": bound,
                "gap": None
                if objective is None or bound is None
                else relative_gap(objective, bound),
                "certified_bound": proved,
                "message": messages[i],
                **({} if plan is None else _facts(plan)),
            }
        )
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    numbers = ["objective", "bound", "gap", "certified_bound", "spend", "fte"]
    numbers += ["projects_selected"]
    table[numbers] = table[numbers].astype(float)
    table["last_finish"] = pd.array(
        table["last_finish"].tolist(), dtype=pd.PeriodDtype(questions[0].freq)
    )
    table.loc[table["gap"] <= 1e-6, "status"] = "optimal"
    table["gain"] = table["objective"].diff()
    table["gain_low"] = (table["objective"] - table["bound"].shift()).clip(lower=0.0)
    table["gain_high"] = table["bound"] - table["objective"].shift()
    table.loc[table["gain"].isna(), ["gain_low", "gain_high"]] = np.nan
    table["efficient"] = _efficient(table["objective"].to_numpy())
    table["knee"] = False
    at = _knee_of(table, over)
    if at is not None:
        table.loc[at, "knee"] = True
    return Frontier(over, of, table, tuple(plans), tuple(_say(table, over, of)))


def _least(values: list[float | None]) -> float | None:
    """Return the least bound: what no plan of a larger level exceeds."""
    known = [value for value in values if value is not None]
    return min(known, default=None)


def _shared(
    questions: list[Portfolio], found: list[Resolved], strict: bool
) -> tuple[list[Plan | None], list[str]]:
    """Return the best plan of each level, whichever level it was found at."""
    known = [
        plan
        for question, point in zip(questions, found, strict=True)
        if (plan := point.plan(question, strict=strict)) is not None
    ]
    known.sort(key=lambda plan: -plan.objective)
    plans: list[Plan | None] = []
    messages = []
    for question, point in zip(questions, found, strict=True):
        own: Plan | None = None
        for plan in known:
            moved = Plan.from_starts(
                question,
                plan.starts,
                report=point.report,
                strict=strict,
                purchases=plan.purchases if plan.buys else None,
            )
            if moved.violations.empty:
                own = moved
                break
        if point.status == "stopped":
            own = None  # what another level brought would be no answer of its own
        plans.append(own)
        messages.append("" if own is not None else point.message)
    return plans, messages


def _facts(plan: Plan) -> dict[str, Any]:
    finish = plan.schedule["finish"]
    return {
        "projects_selected": len(plan.starts),
        "spend": float(plan.spend["amount"].sum()),
        "fte": float(plan.load.to_numpy().sum()),
        "last_finish": finish.max() if len(finish) else pd.NaT,
    }


def _efficient(objective: np.ndarray) -> np.ndarray:
    """Return which levels are better than every smaller one."""
    best, flags = -np.inf, []
    for value in objective.tolist():
        better = not np.isnan(value) and (
            best == -np.inf or (value > best and not is_nothing(value - best, best))
        )
        flags.append(better)
        if not np.isnan(value):
            best = max(best, value)
    return np.array(flags, dtype=bool)


def positions(table: pd.DataFrame) -> np.ndarray:
    """Return the levels of a frontier as numbers; Periods by their place."""
    levels = table["level"].tolist()
    if levels and isinstance(levels[0], pd.Period):
        return np.array([period.ordinal for period in levels], dtype=float)
    return np.array(levels, dtype=float)


def _knee_of(table: pd.DataFrame, _over: str) -> Any:
    """Return the label of the efficient point farthest above the chord."""
    rows = np.flatnonzero(table["efficient"].to_numpy())
    if len(rows) < 3:
        return None
    x = positions(table)[rows]
    y = table["objective"].to_numpy()[rows]
    x = (x - x[0]) / (x[-1] - x[0])
    y = (y - y[0]) / (y[-1] - y[0])
    above = y - x
    best = int(above.argmax())
    return table.index[rows[best]] if above[best] > _BEND else None


def name_level(level: Any, over: str) -> str:
    """Return a level as people say it: `90 %`, `1,200,000` or `2027-06`."""
    if over in ("budget", "capacity"):
        return f"{number(100.0 * float(level))} %"
    return (
        format_period(level) if isinstance(level, pd.Period) else number(float(level))
    )


def _say(table: pd.DataFrame, over: str, of: str) -> list[str]:
    """Return the frontier in words."""
    resource = {
        "budget": f"budget '{of}'" if of else "all budgets",
        "capacity": f"the capacity of {of}" if of else "all capacity",
        "spend": "spend",
        "projects": "projects",
        "finish": "the last finish",
    }[over]
    scaled = over in ("budget", "capacity")
    known = table[table["objective"].notna()]
    lines = []
    stopped = table.loc[table["status"] == "stopped", "level"]
    if len(stopped):
        names = ", ".join(name_level(level, over) for level in stopped)
        lines.append(f"Not solved, for it was stopped: {names}.")
    missing = table["objective"].isna() & (table["status"] != "stopped")
    for row in table[missing].itertuples():
        level = name_level(row.level, over)
        where = (
            f"At {level} of {resource}"
            if scaled
            else f"With {resource} at most {level}"
        )
        none = "there is no plan" if row.status == "infeasible" else "none was found"
        lines.append(f"{where} {none}: {row.message}")
    if len(known) < 2:
        return lines
    first, last = known.iloc[0], known.iloc[-1]
    of_what = f" of {resource}" if scaled else ""
    lead = "" if scaled else f"With {resource} at most "
    ends = number(first["objective"]), number(last["objective"])
    same = ends[0] == ends[1]
    change = f"stays at {ends[0]}" if same else f"grows from {ends[0]} to {ends[1]}"
    lines.insert(
        0,
        f"{lead or 'From '}{name_level(first['level'], over)}{of_what} to "
        f"{name_level(last['level'], over)} the objective {change}.",
    )
    knee = table[table["knee"]]
    if len(knee):
        row = knee.iloc[0]
        before = row["objective"] - first["objective"]
        after = last["objective"] - row["objective"]
        lines.append(
            f"The knee is at {name_level(row['level'], over)}: up to there it gains "
            f"{number(before)}, from there on {number(after)}."
        )
    flat = known[~known["efficient"]]
    if len(flat):
        names = ", ".join(name_level(level, over) for level in flat["level"])
        lines.append(f"No gain was found from the level before at {names}.")
    gap = known["gap"].max()
    if gap > 1e-6:
        lines.append(
            f"The gaps are up to {gap:.2%}; a gain that may be 0 by the bounds is "
            "inside them and may be none."
        )
    return lines
