"""What the sample of a search and new draws say of a plan under risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.clock import format_period
from pmo_analytics.optimization.risk.sample import Sample, Trial, tail_mean, try_plan
from pmo_analytics.rules import TOLERANCE
from pmo_analytics.uncertainty import Uncertainty

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.optimization.risk.risk import Risk
    from pmo_analytics.plan import Plan


def evidence(
    risk: Risk,
    base: Plan,
    starts: Mapping[str, int],
    mandatory: Mapping[str, int],
    sample: Sample,
    roles: Sequence[str],
) -> dict[str, Any]:
    """Return what the sample and new draws say, with and without regard to risk.

    Parameters
    ----------
    risk
        What is accepted.
    base
        The plan without regard to risk.
    starts
        Of the plan under risk.
    mandatory
        Starts of what has to be in, where it is too likely too much by itself.
    sample
        Futures of the search, with the plan under risk taken.
    roles
        Rows of the chances.
    """
    # Far from any seed that a user would give to the search as well.
    test_seed = risk.seed + 2**31
    tried = partial(
        try_plan,
        uncertainty=risk.uncertainty or Uncertainty(),
        draws=risk.test_draws,
        seed=test_seed,
    )
    portfolio = base.portfolio
    own, other = tried(portfolio, starts), tried(portfolio, base.starts)
    fixed = np.zeros(own.chance.shape)
    if mandatory:
        fixed = tried(portfolio, mandatory).chance
    facts: dict[str, Any] = {
        "measure": risk.measure,
        "draws": risk.draws,
        "seed": risk.seed,
        "test_draws": risk.test_draws,
        "test_seed": test_seed,
    }
    if risk.measure == "chance":
        free = fixed <= risk.chance
        facts |= _of_chance(risk, own, fixed, sample, roles, portfolio.horizon)
    else:
        facts |= {
            "tail": risk.tail,
            "keep": risk.keep,
            "in_sample": tail_mean(sample.overload, risk.tail),
        }
        free = np.ones_like(fixed, dtype=bool)
    facts["test"] = _facts(risk, own, free)
    # Less overload than without regard to risk, in the same draws.
    gain, gain_se = own.less(other)
    tail_gain, tail_gain_se = own.less(other, risk.tail)
    facts["gain"] = {
        "overload": gain,
        "overload_se": gain_se,
        "cvar": tail_gain,
        "cvar_se": tail_gain_se,
    }
    facts["without"] = {"objective": base.objective, **_facts(risk, other, free)}
    return facts


def _of_chance(
    risk: Risk,
    own: Trial,
    fixed: np.ndarray,
    sample: Sample,
    roles: Sequence[str],
    horizon: pd.PeriodIndex,
) -> dict[str, Any]:
    """Return whether new draws keep the chance, and where it is inherited."""
    free = fixed <= risk.chance
    limit = np.maximum(risk.chance, fixed)
    error = np.sqrt(limit * (1.0 - limit) / risk.test_draws)
    above = int((own.chance > limit + 2.0 * error).sum())
    inherited = [
        {
            "role": roles[role],
            "period": format_period(horizon[period]),
            "chance": float(fixed[role, period]),
        }
        for role, period in np.argwhere(~free).tolist()
    ]
    return {
        "limit": risk.chance,
        "inherited": inherited,
        "in_sample": _most(np.where(free, sample.chance, 0.0)),
        "above": above,
        "met": above == 0,
    }


def _facts(risk: Risk, trial: Trial, free: np.ndarray) -> dict[str, float]:
    """Return what new draws say of one plan."""
    any_ = (trial.total > TOLERANCE).astype(float)
    most = _most(np.where(free, trial.chance, 0.0))
    tail = risk.tail
    return {
        "highest_chance": most,
        "highest_chance_se": float(np.sqrt(most * (1.0 - most) / risk.test_draws)),
        "any_overload": float(any_.mean()),
        "any_overload_se": trial.error(any_),
        "overload": float(trial.total.mean()),
        "overload_se": trial.error(trial.total),
        "cvar": tail_mean(trial.total, tail),
        "cvar_se": trial.error(trial.total, tail),
        "value": float(trial.value.mean()),
        "value_se": trial.error(trial.value),
    }


def _most(chance: np.ndarray) -> float:
    return float(chance.max(initial=0.0))
