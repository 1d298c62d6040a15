"""Rules of one's own: sums over projects that have to stay between limits.

A rule of the table `rules` gives projects a weight. Where it applies to `selected`, the
weights of the selected projects are added up once, done ones included. Where it applies
to `work`, those of the projects at work are added up in every period of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.windows import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    by_period
        It applies to work, in every period; else once, to what is selected.
    weights
        Project -> weight, without those that are cancelled or forced out.
    done
        What done projects add.
    at_least, at_most
        Limits, infinite where there is none.
    """

    name: str
    by_period: bool
    weights: Mapping[str, float]
    done: float
    at_least: float
    at_most: float


def read_rules(portfolio: Portfolio) -> list[Rule]:
    """Return the rules of a valid portfolio."""
    if portfolio.rules.empty:
        return []
    windows = start_windows(portfolio.projects, portfolio.horizon)
    state = windows["state"].to_dict()
    found = []
    for name, rows in portfolio.rules.groupby("rule", sort=False):
        by_period = bool(rows["applies_to"].iat[0] == "work")
        least, most = rows["at_least"].iat[0], rows["at_most"].iat[0]
        pairs = list(zip(rows["project"], rows["weight"], strict=True))
        done = sum(w for p, w in pairs if state[p] == "done" and not by_period)
        found.append(
            Rule(
                name=str(name),
                by_period=by_period,
                weights={p: float(w) for p, w in pairs if state[p] == "live"},
                done=float(done),
                at_least=-np.inf if pd.isna(least) else float(least),
                at_most=np.inf if pd.isna(most) else float(most),
            )
        )
    return found


def rule_sums(
    portfolio: Portfolio, rule: Rule, starts: Mapping[str, int]
) -> np.ndarray:
    """Return what a rule adds up: one sum, or one per period of the horizon."""
    if not rule.by_period:
        own = sum(w for p, w in rule.weights.items() if p in starts)
        return np.array([rule.done + own])
    windows = start_windows(portfolio.projects, portfolio.horizon)
    length = windows["duration"].to_dict()
    sums = np.zeros(len(portfolio.horizon))
    for project, weight in rule.weights.items():
        if project in starts:
            begin = starts[project]
            sums[max(begin, 0) : max(begin + int(length[project]), 0)] += weight
    return sums


def rule_limits(
    portfolio: Portfolio, rule: Rule, fixed: Mapping[str, int]
) -> np.ndarray:
    """Return the upper limits in force, raised to what fixed work adds up to.

    Only where that is above 0: no work at all raises nothing.

    Parameters
    ----------
    fixed
        Work nobody can move, project -> start; empty raises nothing.
    """
    count = len(portfolio.horizon) if rule.by_period else 1
    limits = np.full(count, rule.at_most)
    if rule.by_period and fixed:
        sums = rule_sums(portfolio, rule, fixed)
        limits = np.where(sums > np.maximum(limits, 0.0), sums, limits)
    return limits
