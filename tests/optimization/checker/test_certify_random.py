"""The checker against plain enumeration of random portfolios."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import best_plan, broken_rules, objective, read_case
from tests.support.certify_cases import certificate, rules
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio


def random_starts(
    portfolio: Portfolio, rng: np.random.Generator, *, most: int
) -> list[dict[str, int]]:
    """Return combinations of allowed starts, refusals and a few wild starts."""
    case = read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    options: list[list[int | None]] = [
        [None, *p.starts, int(rng.integers(-3, case.periods + 2))] for p in live
    ]
    chosen = list(product(*options))
    if len(chosen) > most:
        picks = rng.choice(len(chosen), most, replace=False)
        chosen = [chosen[k] for k in picks]
    return [
        {p.name: s for p, s in zip(live, starts, strict=True) if s is not None}
        for starts in chosen
    ]


def of(portfolio: Portfolio, starts: dict[str, int]) -> pd.DataFrame:
    first = portfolio.horizon[0]
    return pd.DataFrame(
        {"project": list(starts), "start": [first + s for s in starts.values()]},
        columns=["project", "start"],
    )


@pytest.mark.parametrize("seed", range(tried(12)))
def test_accepts_exactly_what_plain_enumeration_accepts(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    portfolio = random_portfolio(rng, max_projects=4, max_periods=6)
    case = read_case(portfolio)
    for starts in random_starts(portfolio, rng, most=40):
        for strict in (False, True):
            result = check_plan(portfolio, of(portfolio, starts), strict=strict)
            broken = broken_rules(case, starts, strict=strict)
            assert result.certified is not bool(broken), (starts, broken)
            assert result.objective == objective(case, starts)


@pytest.mark.parametrize("seed", range(tried(12)))
def test_mutated_plans_are_refused(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])
    starts = None
    while not starts:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=6)
        _, starts = best_plan(portfolio)
    schedule = of(portfolio, starts)
    assert check_plan(portfolio, schedule).certified
    twice = pd.concat([schedule, schedule.iloc[:1]])
    assert "duplicate_project" in rules(check_plan(portfolio, twice))
    stranger = schedule.assign(project=["?", *schedule["project"].iloc[1:]])
    assert "unknown_project" in rules(check_plan(portfolio, stranger))
    far = schedule.assign(start=schedule["start"] + 99)
    assert set(rules(check_plan(portfolio, far))) >= {"horizon"} or set(
        rules(check_plan(portfolio, far))
    ) >= {"start_kept"}
    wrong = schedule.assign(finish=schedule["start"] + 99)
    assert rules(check_plan(portfolio, wrong)) == ["finish"] * len(schedule)
    claimed = float(check_plan(portfolio, schedule).objective) + 1
    assert not check_plan(portfolio, schedule, objective=claimed).certified


def all_rows(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return every row that a certificate may name, without multipliers."""
    rows: list[dict[str, Any]] = [
        {"row": "capacity", "role": role, "period": str(period.start_time.date())}
        for role in portfolio.capacity.columns
        for period in portfolio.horizon
    ]
    for budget in portfolio.budget.to_dict("records"):
        rows += [
            {"row": "budget", "budget": budget["budget"], "side": side}
            for side in ("amount", "at_least")
            if not pd.isna(budget[side])
        ]
    for member in portfolio.groups.to_dict("records"):
        key = {"group": member["group"]}
        if member["rule"] == "all_or_none":
            rows.append({"row": "all_or_none", **key, "project": member["project"]})
        rows += [
            {"row": "group", **key, "side": side}
            for side in ("at_least", "at_most")
            if not pd.isna(member[side])
        ]
    for link_ in portfolio.dependencies.to_dict("records"):
        key = {"row": "dependency"} | {
            column: link_[column] for column in ("project", "requires", "kind")
        }
        rows.append({**key, "form": "selected"})
        if link_["kind"] == "selected":
            continue
        single = link_["requires"] in set(portfolio.projects["project"])
        forms = ["by", "at"]
        forms += ["after"] if single and not pd.isna(link_["lag_max"]) else []
        rows += [
            {**key, "form": form, "t": t}
            for form in forms
            for t in range(-3, len(portfolio.horizon) + 2)
        ]
    return rows


@pytest.mark.parametrize("seed", range(tried(12)))
def test_no_accepted_plan_beats_any_bound(seed: int) -> None:
    rng = np.random.default_rng([seed, 3])
    rows: list[dict[str, Any]] = []
    best, strict, most = None, bool(seed % 2), Fraction(0)
    while best is None or len(rows) < 8:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5)
        rows = all_rows(portfolio)
        best, _ = best_plan(portfolio, strict)
    for starts in random_starts(portfolio, rng, most=150):
        result = check_plan(portfolio, of(portfolio, starts), strict=strict)
        if result.certified:
            most = max(most, result.objective, best)
            assert result.objective <= best

    def bound(multipliers: list[int]) -> Fraction:
        entries = [
            {**entry, "multiplier": f"{m / 16}"}
            for entry, m in zip(rows, multipliers, strict=True)
            if m
        ]
        found = check_bound(
            portfolio,
            certificate(*entries, strict=strict),
            strict=strict,
        )
        assert found is not None
        assert found >= best
        return found

    # Random multipliers say little; a search for the least bound presses every row
    # as far as it goes, and a row that is wrong anywhere would give way.
    free = [entry["row"] == "all_or_none" for entry in rows]
    current = [0] * len(rows)
    least = bound(current)
    for step in range(120):
        trial = list(current)
        for k in rng.integers(0, len(rows), int(rng.integers(1, 4))):
            trial[k] += int(rng.integers(-40, 81) if step % 2 else rng.integers(-8, 17))
            trial[k] = trial[k] if free[k] else max(trial[k], 0)
        found = bound(trial)
        if found <= least:
            least, current = found, trial
