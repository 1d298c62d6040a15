"""Ranges for what a running project will cost and when it ends, by several methods.

All of them are shares of the plan (1 = as planned), for money and for time alike:

- `earned_value`: what is used, and the rest at the pace so far, pulled towards that of
  finished projects while little is earned (IEAC, IEAC(t); Lipke et al. 2009 for the
  spread as a lognormal).
- `reference_class`: how the finished projects ended that had used as much by then
  (Flyvbjerg 2006).
- `throughput`: Monte Carlo of the steps between the project's own looks.
- `simulation`: what a simulation of the plan said, where one is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.tracking.warning.looks import Side

METHODS = ("earned_value", "reference_class", "throughput", "simulation")
# Standard normal quantile of 80 %.
_Z80 = 0.8416212335729143
# Earned share at which the own pace counts as much as that of others.
_EVEN = 0.3
# What is usual before any project is finished: no overrun, and this spread (of the
# logarithm) in what the rest takes; worth so many finished looks.
_SPREAD, _SPREAD_LOOKS = 0.35, 8.0
_LEVEL_PROJECTS = 3.0
# Looks are alike within about so much of the work.
_NEAR = 0.12
_LEAST_REFERENCE = 5
_LEAST_STEPS = 3
_LEAST, _MOST = 0.05, 20.0


@dataclass(frozen=True)
class Rest:
    """What the rest of a project takes against its plan: lognormal.

    `level` is the logarithm of the median of each look, `spread` the standard deviation
    of the logarithm.
    """

    level: np.ndarray
    spread: np.ndarray


def rest_of(side: Side, project: np.ndarray, rows: np.ndarray | None = None) -> Rest:
    """Return what the rest of each look takes, as finished projects teach it.

    Parameters
    ----------
    side
        Money or time of the looks.
    project
        Number of each look's project.
    rows
        Looks whose spread is asked for, which takes time; None = all.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = np.log(np.clip(side.used / side.earned, _LEAST, _MOST))
    earned = np.clip(np.nan_to_num(side.earned), 0.0, 1.0)
    own = earned / (earned + _EVEN)
    pace = np.where(side.earned > 0, pace, 0.0)
    teaches = side.teaches
    ended = _by_project(np.log(np.clip(side.final, _LEAST, _MOST)), project, teaches)
    usual = 0.0
    if len(ended):
        usual = np.median(ended) * len(ended) / (len(ended) + _LEVEL_PROJECTS)
    level = own * np.nan_to_num(pace) + (1.0 - own) * usual
    missed = np.log(np.clip(side.rest_factor[teaches], _LEAST, _MOST)) - level[teaches]
    asked = np.arange(len(earned)) if rows is None else rows
    spread = np.full(len(earned), np.nan)
    spread[asked] = _spread(np.abs(missed), earned[teaches], earned[asked])
    return Rest(level, spread)


def _spread(missed: np.ndarray, at: np.ndarray, earned: np.ndarray) -> np.ndarray:
    """Return the spread at each share earned, from what was missed nearby.

    The 60th percent of what was missed stands for it, so that p80 holds four of five
    and one runaway does not widen all ranges.
    """
    order = np.argsort(missed, kind="stable")
    missed, at = missed[order], at[order]
    # Looks within a thousandth of the work are alike.
    shares, which = np.unique(np.round(earned, 3), return_inverse=True)
    spread = np.full(len(shares), _SPREAD)
    for row, share in enumerate(shares):
        near = np.exp(-0.5 * ((at - share) / _NEAR) ** 2)
        count = near.sum()
        if count < 1e-6:
            continue
        place = np.searchsorted(np.cumsum(near), 0.6 * count)
        wide = missed[min(place, len(missed) - 1)] / _Z80
        own = count / (count + _SPREAD_LOOKS)
        spread[row] = np.sqrt(own * wide**2 + (1.0 - own) * _SPREAD**2)
    return np.asarray(np.maximum(spread, 0.02)[which])


def _by_project(
    values: np.ndarray, project: np.ndarray, teaches: np.ndarray
) -> np.ndarray:
    """Return one value a finished project."""
    _, first = np.unique(project[teaches], return_index=True)
    return values[teaches][first]


def earned_value(side: Side, rest: Rest) -> np.ndarray:
    """Return p50 and p80 of the final share of each look: shape (looks, 2)."""
    left = np.maximum(1.0 - side.earned, 0.0)
    steps = np.array([0.0, _Z80])
    factor = np.exp(rest.level[:, None] + rest.spread[:, None] * steps)
    return np.asarray(side.used[:, None] + left[:, None] * factor)


def chance_beyond_plan(side: Side, rest: Rest) -> np.ndarray:
    """Return how many spreads each look lies above what the plan allows.

    Positive where the plan is more likely exceeded than not; the chance of a lognormal
    is the normal distribution of it.
    """
    left = np.maximum(1.0 - side.earned, 1e-6)
    allowed = (1.0 - side.used) / left
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.log(np.maximum(allowed, 1e-6))
    return np.asarray(np.clip((rest.level - room) / rest.spread, -4.0, 4.0))


def reference_class(side: Side, project: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return p50 and p80 from finished projects that had not ended by then.

    Parameters
    ----------
    side, project
        Money or time, and the project's number, of all looks.
    rows
        Looks that are asked for; no project is its own reference.
    """
    known = np.isfinite(side.final)
    _, first = np.unique(project[known], return_index=True)
    own, final = project[known][first], side.final[known][first]
    found = np.full((len(rows), 2), np.nan)
    for place, row in enumerate(rows):
        others = final[(own != project[row]) & (final > side.used[row])]
        if len(others) >= _LEAST_REFERENCE:
            found[place] = np.quantile(others, [0.5, 0.8])
    return found


def throughput(
    side: Side, project: np.ndarray, rows: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Return p50 and p80 by drawing steps that the project has made so far.

    Parameters
    ----------
    side, project
        Money or time, and the project's number, of all looks in order of their days.
    rows
        Looks that are asked for; each draws from the looks up to it.
    """
    found = np.full((len(rows), 2), np.nan)
    for place, row in enumerate(rows):
        own = np.flatnonzero(project[: row + 1] == project[row])
        earned = np.diff(side.earned[own], prepend=0.0)
        used = np.diff(side.used[own], prepend=0.0)
        sound = np.isfinite(earned) & np.isfinite(used) & (earned > 0) & (used > 0)
        if sound.sum() < _LEAST_STEPS or not side.usable[row]:
            continue
        rng = np.random.default_rng([seed, int(project[row]), len(own)])
        found[place] = _drawn(earned[sound], used[sound], side, row, draws, rng)
    return found


def _drawn(
    earned: np.ndarray,
    used: np.ndarray,
    side: Side,
    row: int,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return p50 and p80 of what is used when drawn steps have earned the rest."""
    left = 1.0 - side.earned[row]
    count = int(min(np.ceil(2.0 * left / earned.mean()) + 5, 500))
    chosen = rng.integers(len(earned), size=(draws, count))
    done = np.cumsum(earned[chosen], axis=1)
    gone = np.cumsum(used[chosen], axis=1)
    reached = np.argmax(done >= left, axis=1)
    # Who never gets there goes on at the pace of its draws.
    short = done[:, -1] < left
    reached[short] = count - 1
    at = np.arange(draws)
    before = done[at, reached] - earned[chosen[at, reached]]
    part = np.where(short, 1.0, (left - before) / earned[chosen[at, reached]])
    spent = gone[at, reached] - (1.0 - part) * used[chosen[at, reached]]
    spent = np.where(short, gone[:, -1] * left / done[:, -1], spent)
    return side.used[row] + np.quantile(spent, [0.5, 0.8])
