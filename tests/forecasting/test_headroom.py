"""Capacity, load and headroom as draws: against the certain arithmetic, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError, PmoWarning
from pmo_analytics.forecasting.forecast import Forecast, widened
from pmo_analytics.portfolio import Portfolio

HORIZON = make_horizon("2027-01", 12, "M")


def one_project(status: str = "approved", **facts: object) -> Portfolio:
    """Return a portfolio of one project of two months and one Dev, from March."""
    row = {"project": "A", "value": 5.0, "duration": 2, "status": status}
    return Portfolio(
        "one",
        horizon=HORIZON,
        projects=pd.DataFrame([{**row, "start": "2027-03", **facts}]),
        demand=pd.DataFrame(
            [("A", "Dev", 0, 1.0), ("A", "Dev", 1, 1.0)],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": 2.0}, index=HORIZON),
    )


def with_finished(portfolio: Portfolio, real: int, planned: int) -> Portfolio:
    """Add a finished project that took `real` instead of `planned` months."""
    done = {"project": "D", "status": "done", "start": "2025-01", "duration": real}
    baseline = ("D", "first", "2025-01", planned, 100.0)
    return portfolio.replace(
        projects=pd.concat([portfolio.projects, pd.DataFrame([done])]),
        baselines=pd.DataFrame(
            [baseline], columns=["project", "baseline", "start", "duration", "effort"]
        ),
        actuals=pd.DataFrame(
            [("2025-01", "D", "Dev", 100.0)],
            columns=["period", "project", "role", "hours"],
        ),
    )


def history_only(**columns: list[float]) -> Portfolio:
    """Return three years of history of one role and nothing else."""
    periods = pd.period_range("2024-01", periods=36, freq="M").astype(str)
    rows = pd.DataFrame({"period": periods, "role": "Dev", "kind": "total", **columns})
    return Portfolio("past", horizon=HORIZON, history=rows)


def test_without_uncertainty_it_is_the_certain_arithmetic():
    running = pmo.example_portfolio().filter(status=["running"])
    headroom = pmo.forecast_headroom(
        running, draws=5, attrition=False, leave=False, overruns=False
    )
    capacity, load = headroom.parts
    assert (capacity.grid("mean") - running.capacity).abs().to_numpy().max() < 1e-9
    asked = list(running.demand["role"].unique())
    apart = load.grid("mean")[asked] - pmo.baseline(running).load[asked]
    assert apart.abs().to_numpy().max() < 1e-5


def test_running_and_approved_work_keeps_its_dates():
    load = pmo.forecast_demand(one_project(), draws=5)
    assert load.grid("p10")["Dev"].tolist() == [0, 0, 1, 1, *[0] * 8]
    assert load.grid("p90").equals(load.grid("p10"))
    assert "without overruns" in " ".join(load.notes)


def test_a_stretched_project_keeps_its_effort():
    load = pmo.forecast_demand(with_finished(one_project(), 8, 4), draws=5)
    expected = [0, 0, 0.5, 0.5, 0.5, 0.5, *[0] * 6]
    assert load.grid("p50")["Dev"].tolist() == pytest.approx(expected)


def test_how_work_ends_after_the_horizon_begins_is_not_known():
    portfolio = with_finished(one_project(), 8, 4)
    late = portfolio.projects.copy()
    late.loc[late["project"] == "D", "start"] = pd.Period("2026-06", "M")
    load = pmo.forecast_demand(portfolio.replace(projects=late), draws=5)
    assert load.grid("p90")["Dev"].tolist() == [0, 0, 1, 1, *[0] * 8]


def test_a_ratio_beyond_belief_is_cut_with_a_note():
    load = pmo.forecast_demand(with_finished(one_project(), 20, 2), draws=5)
    assert "outside 0.25-5 and is cut" in " ".join(load.notes)
    assert load.draws.sum(axis=1).max() == pytest.approx(2.0)


def test_of_running_work_only_what_is_left_is_stretched():
    running = one_project("running", start="2026-12")
    load = pmo.forecast_demand(with_finished(running, 8, 4), draws=5)
    assert load.grid("p50")["Dev"].tolist() == pytest.approx([0.5, 0.5, *[0] * 10])


def test_the_pipeline_is_won_or_lost_and_never_half():
    portfolio = one_project("proposed", probability=0.3, earliest="2027-03")
    load = pmo.forecast_demand(portfolio, draws=4000, overruns=False)
    march = load.draws[:, 2, 0]
    assert set(march.tolist()) == {0.0, 1.0}
    assert march.mean() == pytest.approx(0.3, abs=0.03)


def test_a_candidate_without_a_plan_may_start_in_any_period_it_may():
    portfolio = one_project("proposed", probability=1.0, start=None)
    load = pmo.forecast_demand(portfolio, draws=6000, overruns=False)
    # 11 starts, and each month but the first and the last lies in two of them.
    mean = load.grid("mean")["Dev"]
    assert mean.iloc[1:-1].to_numpy() == pytest.approx(2 / 11, abs=0.02)
    assert mean.iloc[[0, -1]].to_numpy() == pytest.approx(1 / 11, abs=0.02)


def test_what_is_out_uses_nobody():
    for portfolio in (one_project("cancelled"), one_project("proposed", force="out")):
        assert not pmo.forecast_demand(portfolio, draws=50).draws.any()
    forced = one_project("idea", force="in", probability=0.1)
    assert pmo.forecast_demand(forced, draws=50).draws.sum() == pytest.approx(100)


def test_fewer_periods_are_the_beginning_of_more():
    portfolio = pmo.example_portfolio()
    whole = pmo.forecast_headroom(portfolio, draws=50, seed=4)
    part = pmo.forecast_headroom(portfolio, draws=50, seed=4, periods=5)
    assert np.array_equal(whole.draws[:, :5], part.draws)
    assert len(pmo.forecast_headroom(portfolio, draws=50, periods=30).periods) == 30


def test_the_same_seed_gives_the_same_draws_and_another_does_not():
    portfolio = pmo.example_portfolio()
    first, again, other = (
        pmo.forecast_headroom(portfolio, draws=30, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)


def team(**facts: list[object]) -> Portfolio:
    count = len(next(iter(facts.values())))
    people = pd.DataFrame(
        {
            "person": [f"P{k}" for k in range(count)],
            "role": "Dev",
            "start": "2020-01-01",
            "fte": 1.0,
            **facts,
        }
    )
    return Portfolio("team", horizon=HORIZON, people=people)


def test_people_leave_as_is_believed_where_nobody_has_left_before():
    portfolio = team(person=[f"P{k}" for k in range(40)])
    capacity = pmo.forecast_capacity(portfolio, draws=3000)
    left = capacity.grid("mean")["Dev"] / portfolio.capacity["Dev"]
    assert left.iloc[-1] == pytest.approx(1.0 - 0.08, abs=0.01)
    assert "nobody who has left" in " ".join(capacity.notes)
    stay = pmo.forecast_capacity(portfolio, draws=3, attrition=False)
    assert (stay.grid("p10") - portfolio.capacity).abs().to_numpy().max() < 1e-9


def test_leavers_of_the_past_raise_the_chance_to_leave():
    ends = ["2025-06-30"] * 15 + [None] * 15
    many = pmo.forecast_capacity(team(end=ends), draws=2000)
    few = pmo.forecast_capacity(team(end=["2025-06-30", *[None] * 29]), draws=2000)
    after = [
        float((f.grid("mean")["Dev"] / f.grid("p90")["Dev"].max()).iloc[-1])
        for f in (many, few)
    ]
    assert after[0] < after[1] - 0.02


def test_whoever_leaves_is_replaced_if_asked():
    portfolio = team(person=[f"P{k}" for k in range(40)])
    gone = pmo.forecast_capacity(portfolio, draws=500)
    back = pmo.forecast_capacity(portfolio, draws=500, backfill=2)
    assert back.grid("mean").iloc[-1, 0] > gone.grid("mean").iloc[-1, 0] + 0.5
    with pytest.raises(ConfigError, match="backfill"):
        pmo.forecast_capacity(portfolio, draws=5, backfill=-1)


def test_headroom_and_sums_agree_draw_by_draw():
    headroom = pmo.forecast_headroom(pmo.example_portfolio(), draws=40)
    capacity, load = headroom.parts
    apart = (
        capacity.draws - load.draws[:, :, [load.roles.index(r) for r in capacity.roles]]
    )
    assert np.array_equal(headroom.draws, apart)
    total = headroom.sum()
    assert total.draws[:, :, 0] == pytest.approx(headroom.draws.sum(axis=2))
    two = headroom.sum({role: role[:1] for role in headroom.roles})
    assert two.draws.sum(axis=2) == pytest.approx(headroom.draws.sum(axis=2))
    assert list(total.table.columns) == [
        *("role", "period", "quantity", "mean"),
        *("p10", "p20", "p50", "p80", "p90", "p_overload"),
    ]


def test_history_alone_can_be_forecast():
    season = [3.0 + (t % 12) / 4 for t in range(36)]
    portfolio = history_only(load_fte=season, capacity_fte=[5.0] * 36)
    headroom = pmo.forecast_headroom(portfolio, draws=200)
    capacity, load = headroom.parts
    assert load.grid("p50")["Dev"].to_numpy() == pytest.approx(season[:12], abs=0.2)
    assert capacity.grid("p50")["Dev"].to_numpy() == pytest.approx(5.0, abs=0.01)
    assert len(headroom.roles) == 1


def test_one_column_of_history_is_enough_for_its_own_quantity():
    headroom = pmo.forecast_headroom(history_only(load_fte=[2.0] * 36), draws=50)
    assert headroom.roles == ()
    assert headroom.parts[1].roles == ("Dev",)
    assert "No headroom for Dev" in " ".join(headroom.notes)
    assert headroom.table.empty


def test_a_short_history_says_so():
    load = [float("nan")] * 33 + [2.0, 2.5, 2.0]
    with pytest.warns(PmoWarning, match="Dev: 3 values"):
        forecast = pmo.forecast_demand(history_only(load_fte=load), draws=20)
    said = " ".join(forecast.notes)
    assert "Dev: 3 values of history" in said


def test_run_the_business_work_is_counted_once():
    past = pd.DataFrame(
        {
            "period": pd.period_range("2024-01", periods=36, freq="M").astype(str),
            "role": "Dev",
            "kind": "operations",
            "load_fte": 0.5,
        }
    )
    plain = one_project().replace(history=past)
    assert pmo.forecast_demand(plain, draws=9).grid()["Dev"].tolist() == pytest.approx(
        [0.5, 0.5, 1.5, 1.5, *[0.5] * 8]
    )
    lowered = plain.replace(
        operations=pd.DataFrame({"role": ["Dev"], "fte": [0.5]}),
    )
    assert pmo.forecast_demand(lowered, draws=9).grid()["Dev"].max() == 1.0


def made(*columns: list[float]) -> Forecast:
    """Return a headroom forecast of one role, one list of draws a period."""
    draws = np.array(columns, dtype=float).T[:, :, None]
    return Forecast("headroom", HORIZON[: len(columns)], ("Dev",), draws)


def test_a_hire_list_by_hand():
    # Missing in the second month: 1 of 4 futures; in the third all, by up to 2.
    headroom = made([1, 1, 1, 1], [-0.5, 1, 1, 1], [-2, -1, -1, -0.25])
    assert headroom.p_overload["Dev"].tolist() == [0.0, 0.25, 1.0]
    assert headroom.expected_overload["Dev"].tolist() == [0.0, 0.125, 1.0625]
    hires = pmo.hire_list(headroom, chance=0.2, lead=2)
    assert hires["fte"].tolist() == [0.5, 1.5]
    assert hires["total"].tolist() == [0.5, 2.0]
    assert hires["decide_by"].astype(str).tolist() == ["2026-12", "2027-01"]
    assert hires["late"].tolist() == [True, False]
    # Half of the futures may miss: enough for the second best of them.
    assert pmo.hire_list(headroom, chance=0.5)["total"].tolist() == [1.0]


def test_bad_questions_are_named():
    headroom = made([1.0, 2.0])
    for bad in ("p0", "p100", "median", "80"):
        with pytest.raises(ConfigError, match="neither"):
            headroom.grid(bad)
    with pytest.raises(ConfigError, match="chance"):
        pmo.hire_list(headroom, chance=1.5)
    with pytest.raises(ConfigError, match="1 period or more"):
        pmo.forecast_demand(one_project(), periods=0)
    with pytest.raises(ConfigError, match="no forecasting model"):
        pmo.forecast_demand(history_only(load_fte=[1.0] * 36), model="prophet")


def test_intervals_learn_from_accuracy():
    draws = np.array([1.0, 2.0, 3.0])[:, None, None] * np.ones((1, 2, 1))
    learnt = pd.DataFrame(
        {"role": "Dev", "lead": [1, 2], "quantity": "load", "factor": [2.0, 9.0]}
    )
    wide = widened(draws, ("Dev",), "load", learnt)
    assert wide[:, 0, 0].tolist() == [0.0, 2.0, 4.0]
    assert wide[:, 1, 0].tolist() == [-1.0, 2.0, 5.0]  # no more than three times
    assert np.array_equal(widened(draws, ("Dev",), "capacity", learnt), draws)
