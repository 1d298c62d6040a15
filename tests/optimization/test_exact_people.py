"""FTE around what exactly fits: the optimizer finds what the exact checker accepts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import InfeasibleError
from tests.support.certify_cases import make, needs
from tests.support.clock import AMPLE
from tests.support.counts import tried

GRANTED = Fraction(1, 10**6)
# Half of what is granted, all of it, and what is above it.
NUDGES = (0.0, 0.5e-6, -0.5e-6, -1e-6, -1.5e-6, 1.5e-6)
# Amounts with one part in common, and finer ones than the tolerance.
GRIDS = ((0.1, 1), (0.05, 2), (0.5, 1), (1 / 3, 9), (0.0123457, 7))


def exact(number: float) -> Fraction:
    return Fraction(Decimal(repr(float(number))))


def question(seed: int, *, must: bool) -> tuple[pmo.Portfolio, list[float], float]:
    """Return projects of one role and one period, nearly fitting into its capacity."""
    rng = np.random.default_rng(seed)
    step, digits = GRIDS[seed % len(GRIDS)]
    count = int(rng.integers(2, 5))
    amounts = [round(step * k, digits) for k in rng.integers(1, 12, count).tolist()]
    inside = rng.random(count) < (1.0 if must else 0.6)
    fits = float(sum(map(exact, np.array(amounts)[inside]), Fraction(0)))
    capacity = max(fits + NUDGES[int(rng.integers(len(NUDGES)))], 0.0)
    names = [f"P{i}" for i in range(count)]
    status = {"status": "approved"} if must else {}
    portfolio = make(
        [
            {
                "project": name,
                "value": float(2 ** (count - i)) + i,
                "duration": 1,
                **status,
            }
            for i, name in enumerate(names)
        ],
        periods=1,
        demand=needs(*((n, "Dev", 0, a) for n, a in zip(names, amounts, strict=True))),
        capacity={"Dev": [capacity]},
    )
    return portfolio, amounts, capacity


def best_worth(portfolio: pmo.Portfolio, amounts: list[float], most: float) -> float:
    """Return the worth of the best selection that the checker's tolerance accepts."""
    values = portfolio.projects["value"].tolist()
    allowed = exact(most) + GRANTED
    best = 0.0
    for mask in range(2 ** len(amounts)):
        chosen = [i for i in range(len(amounts)) if mask >> i & 1]
        if sum((exact(amounts[i]) for i in chosen), Fraction(0)) <= allowed:
            best = max(best, sum(values[i] for i in chosen))
    return best


@pytest.mark.usefixtures("warm_solver")
@pytest.mark.parametrize("seed", range(tried(40)))
def test_a_choice_of_what_fits(seed: int) -> None:
    portfolio, amounts, capacity = question(seed, must=False)
    limits = pmo.SolveLimits(seconds=AMPLE, threads=1)
    report = pmo.optimize(portfolio, limits=limits).report
    best = best_worth(portfolio, amounts, capacity)
    assert report.objective == best
    assert report.certified
    assert best <= report.bound <= report.certified_bound


@pytest.mark.usefixtures("warm_solver")
@pytest.mark.parametrize("seed", range(tried(40)))
def test_what_must_be_done_fits_or_is_infeasible(seed: int) -> None:
    portfolio, amounts, capacity = question(seed, must=True)
    limits = pmo.SolveLimits(seconds=AMPLE, threads=1)
    if sum(map(exact, amounts), Fraction(0)) <= exact(capacity) + GRANTED:
        plan = pmo.optimize(portfolio, strict=True, limits=limits)
        assert plan.report.certified
        assert len(plan.starts) == len(amounts)
        assert plan.violations.empty
    else:
        with pytest.raises(InfeasibleError, match="Dev is short"):
            pmo.optimize(portfolio, strict=True, limits=limits)
