"""Earned schedule by the papers that made it, and limits worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.errors import ConfigError
from pmo_analytics.tracking import earned_schedule, index_limits
from tests.support.counts import tried


def test_seven_months_gone_and_earned_to_the_fifth():
    # W. Lipke, Earned Schedule, International Metrics Congress 2007: ten months of
    # plan, seven gone by, the value of five earned.
    found = earned_schedule(np.arange(10, 110, 10), ev=50, at=7).iloc[0]
    assert (found["es"], found["sv_t"]) == (5, -2)
    assert found["spi_t"] == pytest.approx(5 / 7)
    # K. Henderson 2004: IEAC(t) = PD / SPI(t).
    assert found["ieac_t"] == pytest.approx(14)


def test_the_share_of_a_period_that_is_not_complete():
    # ES = C + I, I = (EV - PV_C) / (PV_C+1 - PV_C): three whole months and 5 of 20.
    found = earned_schedule([10, 30, 60, 80], ev=65, at=4).iloc[0]
    assert found["es"] == pytest.approx(3.25)
    assert found["tspi"] != found["tspi"]  # no time is left: no pace can do it


def test_a_late_project_that_ends_is_still_late():
    # The reason to have it (Lipke 2003): SPI comes back to 1, SPI(t) does not.
    found = earned_schedule([25, 50, 75, 100], ev=[60, 80, 100], at=[4, 5, 6])
    assert found["es"].to_list() == pytest.approx([2.4, 3.2, 4.0])
    assert found["spi_t"].iloc[-1] == pytest.approx(4 / 6)
    assert found["ieac_t"].iloc[-1] == pytest.approx(6)


def test_nothing_done_and_plans_that_pause():
    found = earned_schedule([0, 0, 10, 10, 20], ev=[0, 10, 15, 20], at=[2, 3, 4, 5])
    assert found["es"].to_list() == pytest.approx([0, 4, 4.5, 5])
    assert found["spi_t"].iloc[0] == 0
    assert np.isnan(found["ieac_t"].iloc[0])
    assert np.isnan(earned_schedule([10], ev=np.nan, at=1)["es"].iloc[0])


@pytest.mark.parametrize("planned", [[], [0, 0], [10, 5], [1, np.nan]])
def test_plans_that_cannot_be_used(planned):
    with pytest.raises(ConfigError, match="must not fall"):
        earned_schedule(planned, ev=1, at=1)


@settings(max_examples=tried(60), deadline=None)
@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=12),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_more_earned_is_never_earlier_and_the_plan_gives_itself(steps, one, other):
    plan = np.cumsum(steps)
    low, high = sorted((one, other))
    found = earned_schedule(plan, ev=[low * plan[-1], high * plan[-1]], at=1)["es"]
    assert found[0] <= found[1] + 1e-9
    itself = earned_schedule(plan, ev=plan, at=np.arange(1, len(plan) + 1))
    assert itself["spi_t"].to_list() == pytest.approx([1.0] * len(plan))


def test_limits_worked_out_by_hand():
    # Periodic indices 0.8, 1.0, 0.9 around 0.9: s = 0.11175; AF = sqrt(73 / 91).
    low, value, high, spread, periods = index_limits(
        [8, 18, 27], [10, 20, 30], total=100, level=0.9
    )
    assert (value, periods) == (pytest.approx(0.9), 3)
    assert spread == pytest.approx(0.11175, abs=1e-5)
    assert low == pytest.approx(0.9 * np.exp(-0.095046), abs=1e-5)
    assert high == pytest.approx(0.9 * np.exp(0.095046), abs=1e-5)


def test_limits_close_at_the_end_and_are_not_there_at_the_beginning():
    done = index_limits([40, 70, 100], [50, 80, 110], total=100)
    assert done.low == done.value == done.high
    first = index_limits([8], [10], total=100)
    assert first.value == pytest.approx(0.8)
    assert np.isnan([first.low, first.high]).all()
