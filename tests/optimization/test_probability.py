"""Worth times probability, in the optimizer, the checker and plain enumeration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.workload import worth_at_zero
from tests.support.brute_force import best_plan, objective
from tests.support.certify_cases import make, money, plan, worth
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def one_of_two(**settings: object) -> Portfolio:
    """Return two projects of which one fits: the greater is the less likely."""
    return make(
        [
            {"project": "A", "value": 10.0, "probability": 0.3, "duration": 6},
            {"project": "B", "value": 8.0, "duration": 6},
        ],
        capacity={"Dev": 1.0},
        demand=[{"project": p, "role": "Dev", "offset": 0, "fte": 1.0} for p in "AB"],
        settings=Settings(**settings),  # type: ignore[arg-type]
    )


def test_probability_counts_only_where_it_is_asked_for() -> None:
    limits = SolveLimits(seconds=AMPLE)
    plain = optimize(one_of_two(), limits=limits)
    assert (list(plain.starts), plain.objective) == (["A"], 10.0)
    weighed = optimize(one_of_two(), limits=limits, weigh_by_probability=True)
    assert (list(weighed.starts), weighed.objective) == (["B"], 8.0)
    assert weighed.portfolio.settings.weigh_by_probability
    assert weighed.report is not None
    assert weighed.report.certified
    assert weighed.report.gap == 0
    assert "1 projects have none" in weighed.summary()["worth counts"]
    proved = check_bound(weighed.portfolio, weighed.report.certificate or {})
    assert proved is not None
    assert float(proved) == pytest.approx(8.0)


def test_worth_is_weighed_as_written_spend_included() -> None:
    portfolio = make(
        [{"project": "A", "value": 10.0, "probability": 0.1}],
        benefits=money(("A", 1, 22.0)),
        spend=money(("A", 0, 3.0)),
        settings=Settings(
            source="sum", discount=0.1, net_of_spend=True, weigh_by_probability=True
        ),
    )
    assert worth(portfolio, A=0) == Fraction(27, 10)
    assert worth(portfolio, A=1) == Fraction(27, 11)
    assert worth_at_zero(portfolio).tolist() == pytest.approx([2.7])


def test_blank_probability_counts_in_full_and_is_said() -> None:
    portfolio = one_of_two(weigh_by_probability=True)
    assert worth(portfolio, A=0) == 3
    assert worth(portfolio, B=0) == 8
    found = portfolio.check().query("rule == 'no_probability'")
    assert found["severity"].tolist() == ["warning"]
    assert "'B'" in found["fix"].iat[0]
    assert one_of_two().check().query("rule == 'no_probability'").empty


def test_a_claim_without_probability_is_refused() -> None:
    portfolio = one_of_two(weigh_by_probability=True)
    assert check_plan(portfolio, plan({"A": 0}), objective=3.0).certified
    assert not check_plan(portfolio, plan({"A": 0}), objective=10.0).certified


@pytest.mark.parametrize("seed", range(tried(10)))
def test_agrees_with_plain_enumeration(seed: int) -> None:
    rng = np.random.default_rng([seed, 17])
    portfolio = random_portfolio(rng, max_projects=4, max_periods=6)
    chance = rng.choice([0.0, 0.05, 0.5, 0.75, 1.0, np.nan], len(portfolio.projects))
    portfolio = portfolio.replace(
        projects=portfolio.projects.assign(probability=chance),
        weigh_by_probability=True,
    )
    best, starts = best_plan(portfolio)
    if starts is None:
        return
    first = portfolio.horizon[0]
    schedule = pd.DataFrame(
        {"project": list(starts), "start": [first + s for s in starts.values()]}
    )
    result = check_plan(portfolio, schedule)
    assert result.certified
    assert result.objective == objective(portfolio, starts) == best


def test_the_digest_tells_the_setting_and_holds_without_it() -> None:
    off, on = one_of_two(), one_of_two(weigh_by_probability=True)
    assert off.digest() != on.digest()
    assert off.digest() == one_of_two(weigh_by_probability=False).digest()
