"""Level shifts: found where they are and not elsewhere, said, and used."""

from __future__ import annotations

from unittest.mock import ANY

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pmo_analytics as pmo
from pmo_analytics.clock import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.breaks import steady
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.intervals import series_draws, spread_of
from pmo_analytics.forecasting.models.registry import MODELS
from pmo_analytics.portfolio import Portfolio
from tests.support.counts import tried

RNG = np.random.default_rng(7)


def future(values, *, freq: str = "M", horizon: int = 12, model: str = "combination"):
    """Return p10, p50 and p90 by period, and the notes."""
    periods = pd.period_range("2020-01-01", periods=len(values), freq=freq)
    past = pd.DataFrame({"Dev": np.asarray(values, dtype=float)}, index=periods)
    draws, notes = history_draws(past, horizon, 200, np.random.default_rng(0), model)
    assert (draws >= 0.0).all()
    return *np.quantile(draws[:, :, 0], (0.1, 0.5, 0.9), axis=0), notes


def test_a_shift_by_hand():
    # A rise is added to what was before; a fall makes that smaller in proportion.
    calm = steady(np.array([[5.0] * 9 + [8.0] * 6, [8.0] * 9 + [4.0] * 6]), 12)
    assert calm.y.tolist() == [[8.0] * 15, [4.0] * 15]
    assert calm.since.tolist() == [9, 9]
    assert [(s.row, s.column) for s in calm.breaks] == [(0, 9), (1, 9)]
    assert [s.size for s in calm.breaks] == pytest.approx([3.0, -4.0])


@settings(max_examples=tried(80), deadline=None)
@given(
    before=st.integers(8, 40),
    after=st.integers(2, 12),
    low=st.floats(1, 20),
    size=st.floats(3, 100),
    falls=st.booleans(),
    seed=st.integers(0, 100),
)
def test_a_shift_is_found_and_the_past_is_on_the_new_level(
    before, after, low, size, falls, seed
):
    levels = (low + size, low) if falls else (low, low + size)
    values = np.repeat(levels, (before, after))
    shaken = np.random.default_rng(seed).uniform(-0.05, 0.05, before + after)
    calm = steady((values + shaken)[None, :], 12)
    assert calm.since.tolist() == [before]
    assert np.abs(calm.y - levels[1]).max() < 0.2


def test_it_is_forecast_from_the_new_level_and_said():
    shaken = np.random.default_rng(0).uniform(-0.05, 0.05, 30)
    p10, p50, p90, notes = future(np.repeat([5.0, 12.0], (24, 6)) + shaken)
    assert np.abs(p50 - 12.0).max() < 0.2
    assert (p90 - p10).max() < 1.0
    assert any(
        note.startswith("Dev: the level of its history rises by 7")
        and "2022-01" in note
        for note in notes
    )


@pytest.mark.parametrize(
    "rows",
    [
        10 + RNG.normal(0, 1, (200, 36)),
        50 + RNG.normal(0, 1, (200, 36)).cumsum(axis=1),
        np.arange(36) + RNG.normal(0, 1, (200, 36)),
        10 + 3 * np.sin(np.arange(36) * np.pi / 6) + RNG.normal(0, 0.3, (200, 36)),
        10 + 4.0 * (np.arange(36) % 12 > 8) + RNG.normal(0, 0.3, (200, 36)),
        RNG.poisson(3, (200, 36)).astype(float),
        10 * 1.05 ** np.arange(36) * (1 + 0.05 * RNG.normal(size=(200, 36))),
        RNG.binomial(1, 0.2, (200, 36)) * RNG.gamma(2.0, 5.0, (200, 36)),
    ],
    ids=["noise", "walk", "ramp", "wave", "block", "counts", "growth", "intermittent"],
)
def test_what_has_not_moved_for_good_is_left_alone(rows):
    assert (steady(rows, 12).since > 0).mean() <= 0.05


@pytest.mark.parametrize("model", MODELS)
def test_every_model_follows_a_shift(model):
    values = np.array([3, 4, 3, 2, 3, 4, 3, 2, 103, 104, 103, 102, 103]) / 10
    with pytest.warns(UserWarning, match="13 values"):
        _, p50, p90, _ = future(values, horizon=6, model=model)
    assert (p50 > 9.7).all()  # Croston's correction takes a twentieth off
    assert (p50 < 10.6).all()
    assert p90.max() < 11.0


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_median_of_the_draws_is_the_forecast(model, count):
    rng = np.random.default_rng(count)
    y = 20 + rng.normal(0, 1, (count, 40)).cumsum(axis=1)
    y[0, 20:] += 30.0  # a model that is wrong to one side is so too
    past = steady(y, 12, find=False)
    draws, _ = series_draws(past, 6, 12, 100, rng, model=model)
    told = MODELS[model](y, 6, 12)
    scale = spread_of(y, 6, 12, MODELS[model]).scale
    apart = np.abs(np.median(draws, axis=0).T - told)
    assert (apart <= 0.02 * scale + 1e-9).all()


def test_an_odd_number_of_draws_has_the_forecast_among_them():
    y = 20 + np.random.default_rng(0).normal(0, 1, (2, 40))
    past = steady(y, 12, find=False)
    draws, _ = series_draws(past, 3, 12, 7, np.random.default_rng(0))
    told = MODELS["combination"](y, 3, 12)
    assert pytest.approx(told) == np.median(draws, axis=0).T


@pytest.mark.parametrize(
    ("line", "freq", "horizon"),
    [(range(1, 40), "W-SUN", 26), (range(1, 25), "M", 12), (range(1, 13), "M", 6)],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_straight_ramp_continues(line, freq, horizon):
    p10, p50, p90, notes = future(line, freq=freq, horizon=horizon)
    goes_on = len(line) + np.arange(1, horizon + 1)
    assert (np.diff(p50) > 0).all()
    assert (p50 > 0.75 * goes_on).all()
    assert (p50 < 1.1 * goes_on).all()
    assert (p10 > 0.5 * goes_on).all()
    assert (p90 < 1.6 * goes_on).all()
    assert not any("level" in note for note in notes)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "values", [[2.5], [2.0, 3.0], [2.0, 2.5, 2.0], [2.0, 2.5, 2.0, 3.0, 2.0, 2.5]]
)
def test_a_role_of_a_few_months_stays_about_where_it_is(values):
    p10, p50, p90, _ = future(values)
    assert np.abs(p50 - np.mean(values)).max() < 0.6
    assert (p10 < p50).all()
    assert (p50 < p90).all()
    assert p90.max() < 2 * max(values)


def test_a_role_that_begins_or_ends_has_moved_too():
    assert future([0.0] * 20 + [2.0] * 5)[1] == pytest.approx(2.0)
    assert future([5.0] * 26 + [0.0] * 6)[2] == pytest.approx(0.0)


@settings(max_examples=tried(80), deadline=None)
@given(
    rises=st.integers(12, 40),
    stays=st.integers(3, 18),
    slope=st.floats(0.2, 5),
    falls=st.booleans(),
)
def test_a_trend_that_has_ended_is_not_continued(rises, stays, slope, falls):
    way = np.concatenate([np.arange(rises), np.full(stays, rises - 1)]) * slope + 1.0
    calm = steady((way[::-1] if falls else way)[None, :], 12)
    if falls:  # flat first: nothing has ended
        assert not [each for each in calm.breaks if each.kind == "trend"]
        return
    assert [(each.kind, each.column) for each in calm.breaks] == [("trend", rises - 1)]
    assert calm.y[0] == pytest.approx(np.full(len(way), way[-1]), rel=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_ended_trend_is_forecast_where_it_ended_and_said():
    shaken = np.random.default_rng(0).uniform(-0.05, 0.05, 32)
    way = np.concatenate([np.arange(1.0, 25.0), np.full(8, 24.0)])
    _, p50, p90, notes = future(way + shaken)
    assert np.abs(p50 - 24.0).max() < 0.2
    assert p90.max() < 24.5
    assert any("rose by 1 FTE a period until 2021-12" in note for note in notes)


@settings(max_examples=tried(80), deadline=None)
@given(at=st.integers(1, 34), size=st.floats(3, 100), seed=st.integers(0, 100))
def test_an_outlier_does_not_count(at, size, seed):
    values = 5.0 + np.random.default_rng(seed).uniform(-0.05, 0.05, 36)
    values[at] += size
    calm = steady(values[None, :], 12)
    assert [(each.kind, each.column) for each in calm.breaks] == [("outlier", at)]
    assert np.abs(calm.y - 5.0).max() < 0.2
    assert calm.since.tolist() == [0]


def test_an_outlier_is_said_and_forecast_as_if_it_had_not_been():
    values = [5.0] * 20 + [50.0] + [5.0] * 15
    p10, p50, p90, notes = future(values)
    assert p50 == pytest.approx(5.0, abs=0.01)
    assert (p90 - p10).max() < 0.1
    said = "Dev: its history has an outlier, 50 FTE in 2021-09 instead of about 5."
    assert any(note.startswith(said) for note in notes)


@pytest.mark.parametrize("floor", [0.0, 5.0])
def test_what_comes_every_eleventh_month_is_neither_season_nor_outlier(floor):
    values = np.full(48, floor)
    values[10::11] = 20.0
    assert not steady(values[None, :], 12).breaks
    _, p50, _, _ = future(values, horizon=24)
    assert p50.max() - p50.min() < 0.1 * (20.0 - floor)
    assert p50.mean() == pytest.approx(values.mean(), rel=0.1)


def test_what_the_last_value_alone_tells_is_believed_by_its_size():
    def told(last):
        shaken = np.random.default_rng(1).uniform(-0.02, 0.02, 36)
        p10, p50, p90, notes = future(np.append(np.full(35, 10.0), last) + shaken)
        assert any("the last value of its history stands out" in n for n in notes)
        return p10.mean(), p50.mean(), p90.mean()

    low, middle, high = told(11.0)
    assert middle == pytest.approx(11.0, abs=0.1)
    assert low < 10.1
    low, middle, high = told(16.0)
    assert 12.0 < middle < 15.0
    assert low < 10.5
    assert high > 15.5
    _, middle, high = told(60.0)
    assert middle == pytest.approx(10.0, abs=0.1)
    assert high < 21.0


def test_what_is_said_of_a_value_holds_whatever_is_found():
    steps = np.repeat([5.0, 8.0], (20, 16))[None, :]
    assert not steady(steps, 12, said=[(0, 20, "usual")]).breaks
    assert not steady(steps, 12, find=False).breaks
    moved = steady(steps, 12, said=[(0, 21, "shift")]).breaks
    assert [(each.column, each.kind) for each in moved] == [(21, "shift")]
    single = np.full(36, 5.0)
    single[20] = 9.0
    calm = steady(single[None, :], 12, said=[(0, 20, "usual")])
    assert calm.y.tolist() == [single.tolist()]
    calm = steady(np.linspace(1.0, 2.0, 6)[None, :], 12, said=[(0, 3, "outlier")])
    assert calm.y[0, 3] == pytest.approx(1.6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_analyst_overrules_by_a_column_or_an_argument():
    months = pd.period_range("2024-01", periods=36, freq="M")
    values = np.repeat([5.0, 12.0], (24, 12))
    history = pd.DataFrame(
        {"period": months.astype(str), "role": "Dev", "kind": "total"}
    ).assign(capacity_fte=values, load_fte=values)
    horizon = make_horizon("2027-01", 3, "M")

    def middle(history, breaks=True):
        portfolio = Portfolio("H", horizon=horizon, history=history)
        headroom = pmo.forecast_headroom(portfolio, draws=100, breaks=breaks)
        moved = [note for note in headroom.notes if "level of its history" in note]
        return headroom.parts[0].grid("p50")["Dev"].iloc[0], moved

    assert middle(history) == (pytest.approx(12.0), [ANY])
    events = history.assign(event=np.where(np.arange(36) == 24, "usual", ""))
    assert middle(events)[1] == []
    assert middle(history, breaks=False)[1] == []
    said = pd.DataFrame({"period": [months[24]], "role": ["Dev"], "event": ["usual"]})
    assert middle(history, breaks=said)[1] == []
    assert middle(events, breaks=said.assign(event="shift"))[1] == [ANY]
    with pytest.raises(ConfigError, match="no event 'jump' in breaks"):
        middle(history, breaks=said.assign(event="jump"))
    with pytest.raises(ConfigError, match="lacks the columns"):
        middle(history, breaks=said[["role"]])


def test_what_comes_and_goes_stays_within_its_values():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        values = rng.binomial(1, 0.25, 72) * rng.lognormal(5, 1, 72)
        _, p50, p90, notes = future(values + 0.0005, horizon=24)
        assert p90.max() <= values.max() + 1e-3
        assert p50.max() < 2.5 * values.mean()
        assert not any("naive" in note for note in notes)


# What comes from outside: values, frequency, and what p10 and p90 have to lie within.
_STEADY = 10 + np.random.default_rng(2).uniform(-0.3, 0.3, 40)
KINDS = {
    "two shifts": (np.repeat([5.0, 12.0, 3.0], [14, 12, 10]), "M", 2.5, 3.5),
    "two shifts up": (np.repeat([5.0, 12.0, 30.0], [14, 12, 10]), "M", 29.0, 31.0),
    "zeros, then 5": (np.repeat([0.0, 5.0], [30, 4]), "M", 4.9, 5.1),
    "5, then zeros": (np.repeat([5.0, 0.0], [24, 3]), "M", 0.0, 0.1),
    "nothing ever": (np.zeros(24), "M", 0.0, 0.0),
    "a huge outlier": (np.insert(_STEADY, 20, 900.0), "M", 9.0, 11.5),
    "a huge last value": (np.append(_STEADY, 900.0), "M", 0.0, 21.0),
    "quarters after a shift": (np.repeat([5.0, 15.0], [8, 5]), "Q", 14.0, 16.0),
    "weeks after a shift": (np.repeat([5.0, 105.0], [50, 20]), "W", 104.0, 106.0),
    "two months": (np.array([3.0, 4.0]), "M", 1.0, 6.0),
}


@pytest.mark.filterwarnings("ignore::pmo_analytics.errors.PmoWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_histories_from_outside(kind):
    values, freq, least, most = KINDS[kind]
    p10, p50, p90, _ = future(values, freq=freq)
    assert p10.min() >= least - 1e-6
    assert p90.max() <= most + 1e-6
    assert (p10 <= p50 + 1e-6).all()
    assert (p50 <= p90 + 1e-6).all()
