"""Early warning: the chance that a running project ends late or over, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pmo_analytics.tracking.chances import chance, fit_chance
from pmo_analytics.tracking.warning.looks import Side
from pmo_analytics.tracking.warning.methods import Rest, chance_beyond_plan, rest_of

# A normal distribution is about a logistic one with this scale.
_LOGISTIC = 1.7
# What the formula of earned value says, and how many looks it takes to correct it.
_PRIOR = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
_PENALTY = np.array([2.0, 12.0, 6.0, 6.0, 6.0])
# Parts that finished projects are split in to see how right chances have been.
_PARTS = 5


@dataclass(frozen=True)
class Warnings:
    """Chances of looks and the drivers behind them.

    `chance` has one entry a look, `table` the drivers by look, `weights` one a driver.
    """

    chance: np.ndarray
    table: np.ndarray
    weights: np.ndarray


def warn(side: Side, rest: Rest, project: np.ndarray, teaches: np.ndarray) -> Warnings:
    """Return the chance that each look's project ends beyond its plan.

    A logistic regression on what earned value says of the look, the last steps of the
    project, how much is earned and how the projects before it ended. It begins as the
    formula of earned value and is corrected by finished projects, never by the
    look's own end unless the look teaches.

    Parameters
    ----------
    side, rest
        Money or time of the looks, and what their rest takes.
    project
        Number of each look's project; looks in order of their days.
    teaches
        Looks that teach: of finished projects.
    """
    table = _drivers(side, rest, project)
    teaches = teaches & side.teaches
    beyond = (side.final > 1.0 + 1e-9)[teaches].astype(float)
    _, number, looks = np.unique(
        project[teaches], return_inverse=True, return_counts=True
    )
    weights = fit_chance(
        table[teaches],
        beyond,
        penalty=_PENALTY,
        prior=_PRIOR,
        # Looks of one project end the same way: together they are worth a few.
        counts=1.0 / np.sqrt(looks[number]),
    )
    return Warnings(
        np.where(side.usable, chance(table, weights), np.nan), table, weights
    )


def held_out(side: Side, project: np.ndarray) -> np.ndarray:
    """Return the chance of each look of a finished project, taught by other projects.

    The projects are split in five parts, each answered from the other four; nan for
    looks of running projects and where too few have finished to split.
    """
    known = np.isfinite(side.final)
    said = np.full(len(project), np.nan)
    if len(np.unique(project[side.teaches])) < 2 * _PARTS:
        return said
    for part in range(_PARTS):
        own = project % _PARTS == part
        blind = Side(side.used, side.earned, np.where(own, np.nan, side.final))
        warned = warn(blind, rest_of(blind, project), project, known & ~own)
        said[own] = warned.chance[own]
    return np.where(side.teaches, said, np.nan)


def _drivers(side: Side, rest: Rest, project: np.ndarray) -> np.ndarray:
    """Return the drivers of every look; looks that are not usable get zeros."""
    beyond = _LOGISTIC * chance_beyond_plan(side, rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = np.log(np.clip(side.used / side.earned, 0.05, 20.0))
    recent = np.zeros(len(pace))
    order = np.argsort(project, kind="stable")
    used, earned = np.diff(side.used[order]), np.diff(side.earned[order])
    with np.errstate(divide="ignore", invalid="ignore"):
        last = np.log(np.clip(used / earned, 0.05, 20.0))
    follows = project[order][1:] == project[order][:-1]
    later = order[1:][follows]
    recent[later] = last[follows] - pace[later]
    table = np.column_stack(
        [
            np.ones(len(pace)),
            beyond,
            np.clip(recent, -1.5, 1.5),
            side.earned - 0.5,
            np.clip(pace, -1.5, 1.5),
        ]
    )
    return np.nan_to_num(table, nan=0.0, posinf=0.0, neginf=0.0)


def say_drivers(
    warnings: Warnings, side: Side, rows: Sequence[int], what: str
) -> list[str]:
    """Return why each look is warned of, in words; "" where nothing speaks for it.

    Parameters
    ----------
    what
        `cost` or `time`.
    """
    return [_said(warnings, side, row, what) for row in rows]


def _said(warnings: Warnings, side: Side, row: int, what: str) -> str:
    if not np.isfinite(warnings.chance[row]):
        return ""
    used, earned = side.used[row], side.earned[row]
    gone = "of the budget is spent" if what == "cost" else "of the time is gone"
    parts = [f"{used:.0%} {gone} for {earned:.0%} of the work"]
    recent = warnings.table[row, 2]
    if abs(recent) > 0.1:
        trend = "worse" if recent > 0 else "better"
        parts.append(f"the last step went {trend} than those before")
    if used >= 1:
        parts = [f"{used:.0%} {gone} and {1 - earned:.0%} of the work is left"]
    return "; ".join(parts)
