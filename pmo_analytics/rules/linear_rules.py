"""Rules of one's own: sums over projects that have to stay between limits.

A rule of the table `rules` gives projects a weight. Where it applies to `selected`, the
weights of the selected projects are added up once, done ones included. Where it applies
to `work`, those of the projects at work are added up in every period of the horizon.
Where it applies to `themes`, every different theme of the projects at work counts 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.tables import start_windows
from pmo_analytics.tolerance import exact_sum, exceeds

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    by_period
        It applies to work or themes, in every period; else once, to what is selected.
    weights
        Project -> weight, without those that are cancelled or forced out.
    finished
        Weights that done projects add.
    at_least, at_most
        Limits, infinite where there is none.
    themes
        Project -> theme where the rule counts themes; else None.
    """

    name: str
    by_period: bool
    weights: Mapping[str, float]
    finished: tuple[float, ...]
    at_least: float
    at_most: float
    themes: Mapping[str, str] | None = None

    @property
    def done(self) -> float:
        """What done projects add."""
        return math.fsum(self.finished)


def read_rules(portfolio: Portfolio) -> list[Rule]:
    """Return the rules of a valid portfolio."""
    if portfolio.rules.empty:
        return []
    windows = start_windows(portfolio.projects, portfolio.horizon)
    state = windows["state"].to_dict()
    theme = portfolio.projects.set_index("project")["theme"].dropna().to_dict()
    found = []
    for name, rows in portfolio.rules.groupby("rule", sort=False):
        by_period = bool(rows["applies_to"].iat[0] != "selected")
        counts_themes = rows["applies_to"].iat[0] == "themes"
        least, most = rows["at_least"].iat[0], rows["at_most"].iat[0]
        pairs = list(zip(rows["project"], rows["weight"], strict=True))
        if counts_themes:
            pairs = [(p, 1.0) for p, _ in pairs if p in theme]
        done = [float(w) for p, w in pairs if state[p] == "done" and not by_period]
        found.append(
            Rule(
                name=str(name),
                by_period=by_period,
                weights={p: float(w) for p, w in pairs if state[p] == "live"},
                finished=tuple(done),
                at_least=-np.inf if pd.isna(least) else float(least),
                at_most=np.inf if pd.isna(most) else float(most),
                themes={p: theme[p] for p, _ in pairs} if counts_themes else None,
            )
        )
    return found


def rule_amounts(
    portfolio: Portfolio, rule: Rule, starts: Mapping[str, int]
) -> list[list[float]]:
    """Return what a rule adds up: once, or once per period.

    Weights, or 1 for every different theme.
    """
    chosen = [(p, weight) for p, weight in rule.weights.items() if p in starts]
    if not rule.by_period:
        return [[*rule.finished, *(weight for _, weight in chosen)]]
    windows = start_windows(portfolio.projects, portfolio.horizon)
    length = windows["duration"].to_dict()
    amounts: list[list[float]] = [[] for _ in portfolio.horizon]
    seen: set[tuple[int, str]] = set()
    for project, weight in chosen:
        begin, end = starts[project], starts[project] + int(length[project])
        for t in range(max(begin, 0), min(end, len(amounts))):
            if rule.themes is not None:
                if (t, rule.themes[project]) in seen:
                    continue
                seen.add((t, rule.themes[project]))
            amounts[t].append(weight)
    return amounts


def rule_sums(
    portfolio: Portfolio, rule: Rule, starts: Mapping[str, int]
) -> np.ndarray:
    """Return what a rule adds up: one sum, or one per period of the horizon."""
    return np.array([math.fsum(own) for own in rule_amounts(portfolio, rule, starts)])


def rule_limits(portfolio: Portfolio, rule: Rule) -> np.ndarray:
    """Return the upper limits of a rule: one, or one per period of the horizon."""
    count = len(portfolio.horizon) if rule.by_period else 1
    return np.full(count, rule.at_most)


def raised_periods(
    portfolio: Portfolio, rule: Rule, fixed: Mapping[str, int]
) -> dict[int, Fraction]:
    """Return the periods in which fixed work alone is above the limit, and its sum.

    Only where that is above 0: no work at all raises nothing.

    Parameters
    ----------
    fixed
        Work nobody can move, project -> start; empty raises nothing.
    """
    if not (rule.by_period and fixed):
        return {}
    return {
        t: exact_sum(own)
        for t, own in enumerate(rule_amounts(portfolio, rule, fixed))
        if exceeds(own, rule.at_most) and exact_sum(own) > 0
    }
