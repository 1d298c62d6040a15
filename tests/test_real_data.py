"""The main job on data that nobody here made."""

from __future__ import annotations

import pytest
from instances import ppssp_portfolio
from real_data import mknap_portfolios, real

from pmo_analytics.optimization.search import optimize
from pmo_analytics.optimization.solving import SolveLimits


@pytest.mark.parametrize("number", range(7))
def test_mknap1_optima_are_proved(number):
    portfolio, optimum = list(mknap_portfolios(real("mkp/mknap1.txt")))[number]
    plan = optimize(portfolio, limits=SolveLimits(seconds=60))
    assert plan.report is not None
    assert plan.report.status == "optimal"
    assert plan.report.certified
    assert plan.objective == pytest.approx(optimum, abs=1e-6)


def test_ppssp_gets_a_certified_plan():
    path = real("ppssp/PI_1_1000_25_0.25_0.01.json")
    plan = optimize(ppssp_portfolio(path), limits=SolveLimits(seconds=45))
    assert plan.report is not None
    assert plan.report.certified
    assert plan.violations.empty
    assert plan.report.certified_bound is not None
    # Published: Gurobi 893,555.816 with a final bound of 900,397.137.
    assert plan.report.certified_bound >= 893_555.8
    assert 700_000 < plan.objective < 900_400
    assert plan.report.gap is not None
    assert plan.report.gap < 0.3
