"""More people or money never cost anything: whatever the gaps, and only then."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.scenarios.loosening import only_more
from tests.support.clock import AMPLE
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def test_more_of_a_role_is_only_more_and_not_the_other_way_round():
    tiny = tiny_portfolio().validate()
    more = tiny.replace(capacity=tiny.capacity + 1.0)
    assert only_more(tiny, more)
    assert only_more(tiny, tiny)
    assert not only_more(more, tiny)


def test_other_projects_or_another_discount_are_not_only_more():
    tiny = tiny_portfolio().validate()
    dearer = tiny.projects.assign(value=tiny.projects["value"] * 2)
    assert not only_more(tiny, tiny.replace(projects=dearer))
    settings = dataclasses.replace(tiny.settings, discount=0.2)
    assert not only_more(tiny, tiny.replace(settings=settings))


def test_a_role_with_more_here_and_less_there_is_not_only_more():
    tiny = tiny_portfolio().validate()
    capacity = tiny.capacity.copy()
    capacity.iloc[0] += 1.0
    capacity.iloc[1] -= 0.5
    assert not only_more(tiny, tiny.replace(capacity=capacity))


@pytest.mark.parametrize(("before", "after", "more"), [(5, 6, 1), (6, 5, 0)])
def test_budgets_are_compared_by_amount(before, after, more):
    def with_budget(amount):
        rows = pd.DataFrame({"budget": ["B"], "amount": [float(amount)]})
        return tiny_portfolio().replace(budget=rows).validate()

    assert only_more(with_budget(before), with_budget(after)) == bool(more)


@pytest.mark.parametrize("fte", [1.0, -0.5])
def test_no_range_crosses_zero_the_wrong_way(fte):
    tiny = tiny_portfolio()
    plan = pmo.optimize(tiny, limits=pmo.SolveLimits(seconds=AMPLE))
    # As after a search that was stopped early: a bound far above the plan.
    report = dataclasses.replace(plan.report, bound=99.0)
    loose = pmo.Plan.from_starts(plan.portfolio, plan.starts, report=report)
    result = pmo.compare(
        tiny,
        [pmo.Scenario("change", pmo.add_capacity("Test", fte=fte))],
        base=loose,
        limits=pmo.SolveLimits(seconds=AMPLE),
        workers=1,
    )
    row = result.table.iloc[1]
    assert (row["delta_low"] >= 0) if fte > 0 else (row["delta_high"] <= 0)
    said = result.sentences()[1]
    assert ("-" not in said) if fte > 0 else ("+" not in said)
    assert "nan" not in said
    assert not np.isnan(row["delta_low"])
