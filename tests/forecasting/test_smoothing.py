"""Smoothing fitted by likelihood: by hand, beside a search, and remembered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from pmo_analytics.forecasting.models.combination import weighted_smoothing
from pmo_analytics.forecasting.models.fitting import (
    FIRST_PLACE,
    Past,
    _derived,
    walk,
)
from pmo_analytics.forecasting.models.members import MEMBERS, told_by_members
from pmo_analytics.forecasting.models.registry import MODELS
from pmo_analytics.forecasting.models.rolling import (
    Remembered,
    rolling_origin,
    walked_on,
)
from pmo_analytics.forecasting.models.series import read_series
from pmo_analytics.forecasting.models.smoothing import (
    Shape,
    complex_ahead,
    smooth,
)

RNG = np.random.default_rng(3)
T = np.arange(60)
WAVE = 20 + 0.1 * T + 4 * np.sin(T * np.pi / 6) + RNG.normal(0, 1, (3, 60))


def test_a_walk_by_hand():
    # Half of each error counts; a first level of 4 and a trend of 1.
    past = Past(np.array([[6.0], [9.0]]), np.array([0]), "c", "", False)
    numbers = np.array([0.0, 0.0, 0.0, 0.0, 4.0, 1.0, 0.0])[:, None, None]
    errors, told, last = walk(past, numbers)
    assert errors[:, 0, 0].tolist() == [1.0, 2.5]
    assert last[4, 0, 0] == 7.75
    assert told[0, 0] == 1.0


def test_a_complex_level_by_hand():
    # Smoothing of a half and growth of 0.1: with what is not seen, and without errors.
    past = Past(np.array([[6.0], [7.0]]), np.array([0]), "x", "", False)
    odds = [0.0, np.log(0.6 / 0.4), 0.0, 0.0]
    numbers = np.array([*odds, 5.0, 4.0, 0.0])[:, None, None]
    errors, _, last = walk(past, numbers)
    # 5 + 0.1 x 4 + 0.4 x 1, and unseen 5 - 0.5 x 4 + 2.6 x 1.
    assert errors[:, 0, 0] == pytest.approx([1.0, 1.2])
    level, unseen = 5.8 + 0.1 * 5.6 + 0.4 * 1.2, 5.8 - 0.5 * 5.6 + 2.6 * 1.2
    assert last[[4, 5], 0, 0] == pytest.approx([level, unseen])
    told = complex_ahead(last[:, 0], 2)
    assert told[0] == pytest.approx([level, level + 0.1 * unseen])


def test_a_complex_level_without_growth_is_simple_smoothing():
    past = Past(WAVE.T.copy(), np.zeros(3, dtype=int), "x", "", False)
    numbers = np.array([0.3, 0.0, 0.0, 0.0, 20.0, 13.0, 0.0])[:, None]
    simple, _ = replace(past, trend="").misfit(np.repeat(numbers, 3, 1))
    assert past.misfit(np.repeat(numbers, 3, 1))[0] == pytest.approx(simple)


def test_relative_errors_by_hand():
    # 5 and 5.5 are told: errors of a fifth and of none, times the root of 27.5.
    past = Past(np.array([[6.0], [5.5]]), np.array([0]), "", "", True)
    numbers = np.array([0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0])[:, None]
    errors, told, _ = walk(past, numbers[:, None])
    assert errors[:, 0, 0] == pytest.approx([0.2, 0.0])
    assert told[0, 0] == pytest.approx(27.5**0.5)
    assert past.misfit(numbers)[0][0] == pytest.approx(2 * np.log(27.5 * 0.04 / 2))


@pytest.mark.parametrize(
    "shape",
    [
        *(Shape("", ""), Shape("c", ""), Shape("d", ""), Shape("a", "a")),
        *(Shape("", "m", True), Shape("c", "a"), Shape("x", "")),
    ],
)
def test_a_search_from_what_was_fitted_finds_little_better(shape):
    series = read_series(WAVE[:1])
    fit = smooth(series, shape, 3, 12)
    past = Past(
        series.y.T.copy(), series.first, shape.trend, shape.season, shape.relative
    )

    def misfit(numbers):
        far = past.sure @ (numbers[:4] - past.odds) ** 2
        fit = past.misfit(numbers[:, None])[0][0]
        return fit + far if np.isfinite(fit) and far < 40 else 1e6

    used = fit.numbers[0]
    better = minimize(misfit, used, method="Powell", options={"maxfev": 3000})
    assert better.fun > misfit(used) - 3.0


@pytest.mark.parametrize(
    ("shape", "near"),
    [(Shape("c", "a"), 1e-3), (Shape("d", "a"), 1e-3), (Shape("c", "m", True), 0.1)],
)
def test_places_of_the_season_move_the_errors_one_after_the_other(shape, near):
    # Series that begin in other months; the gradient beside one of differences.
    y = WAVE[:2].copy()
    y[1, :7] = np.nan
    series = read_series(y)
    fit = smooth(series, shape, 3, 12)
    past = Past(
        series.y.T.copy(), series.first, shape.trend, shape.season, shape.relative
    )
    numbers, every = fit.numbers.T.copy(), np.arange(2)
    turn = (np.arange(12)[:, None] - series.first) % 12
    numbers[FIRST_PLACE:] = np.take_along_axis(numbers[FIRST_PLACE:], turn, 0)
    numbers[past.place(3, 12), every] *= 1.05
    used = np.array([0, 2, 4, *range(FIRST_PLACE, FIRST_PLACE + 11)])
    _, _, gradient = _derived(past, numbers, used)

    def squares(place, step):
        moved = numbers.copy()
        moved[past.place(place, 12), every] += step
        moved[past.place(11, 12), every] -= step
        errors, told, _ = walk(past, moved[:, None])
        return (errors[:, 0] ** 2).sum(axis=0) * told[0] ** 2

    slopes = [(squares(k, 1e-5) - squares(k, -1e-5)) / 4e-5 for k in range(11)]
    apart = np.abs(gradient[:, 3:].T - slopes).max()
    assert apart < near * np.abs(slopes).max()


def test_remembered_numbers_forecast_the_same():
    series = read_series(WAVE)
    for shape in (Shape("d", "a"), Shape("c", "m", True), Shape("x", "")):
        fit = smooth(series, shape, 12, 12)
        again = smooth(series, shape, 12, 12, known=fit.numbers)
        assert again.forecast == pytest.approx(fit.forecast, rel=1e-9)
        assert again.misfit == pytest.approx(fit.misfit, rel=1e-9)


def test_going_on_from_the_first_origin_knows_nothing_too_early():
    model, at = MODELS["combination"], [40, 45, 50]
    changed = WAVE.copy()
    changed[:, 50:] += 30.0
    told, actual = walked_on(WAVE, at, 6, 12, model)
    other, _ = walked_on(changed, at, 6, 12, model)
    assert (told == other).all()
    assert actual[:, 0].tolist() == WAVE[:, 40:46].tolist()
    # At the first origin it is the model itself, later nearly so.
    fresh, _ = rolling_origin(WAVE, at, 6, 12, model)
    assert told[:, 0] == pytest.approx(fresh[:, 0], rel=1e-9)
    assert np.abs(told - fresh).max() < 2.0
    known = Remembered()
    first = walked_on(WAVE, at, 6, 12, model, known)[0]
    again, _ = walked_on(WAVE, at, 6, 12, model, known)
    assert again == pytest.approx(first, rel=1e-9)


def test_what_begins_after_the_first_origin_is_fitted_when_it_is_there():
    late = WAVE.copy()
    late[1, :42] = np.nan
    told, _ = walked_on(late, [40, 50], 3, 12, MODELS["combination"])
    assert np.isnan(told[1, 0]).all()
    alone = MODELS["combination"](late[1:2, :50], 3, 12)
    assert told[1, 1] == pytest.approx(alone[0], rel=1e-6)


def test_members_fit_what_they_can():
    short = WAVE[:, -20:].copy()
    short[1, 3] = 0.0
    told, criterion = told_by_members(read_series(short), 3, 12)
    fits = np.isfinite(criterion)
    for member, each in zip(MEMBERS, fits, strict=True):
        assert not (member.shape.season and each.any())
        assert each[0] == each[2]
        assert not (member.logs and each[1])
    assert np.isfinite(told).all()
    long = told_by_members(read_series(WAVE), 3, 12)[1]
    assert {
        m.shape.season for m, c in zip(MEMBERS, long, strict=True) if c[0] < 1e9
    } == {*("", "a", "m")}


def test_growth_goes_on_undamped_where_the_past_says_so():
    line = 10 + 2.0 * T[:36] + RNG.normal(0, 0.3, 36)
    told = weighted_smoothing(read_series(line[None]), 12, 12)[0]
    assert told == pytest.approx(10 + 2.0 * np.arange(36, 48), rel=0.04)


def test_a_season_that_grows_with_the_level_does_so():
    grows = (10 + T) * (1 + 0.4 * np.sin(T * np.pi / 6))
    come = np.arange(60, 72)
    actual = (10 + come) * (1 + 0.4 * np.sin(come * np.pi / 6))
    for name in ("ets", "combination"):
        told = MODELS[name](grows[None], 12, 12)[0]
        assert np.abs(told - actual).mean() < 0.03 * actual.mean()


@pytest.mark.parametrize("trend", ["", "c", "a", "d"])
@pytest.mark.parametrize("season", ["", "a", "m"])
def test_machine_code_walks_as_numpy_does_to_the_last_digit(trend, season):
    # Series that begin at different times, with numbers of all kinds.
    rng = np.random.default_rng(1)
    first = np.array([0, 0, 3, 17])
    y = np.where(np.arange(30)[:, None] >= first, rng.uniform(5, 9, (30, 4)), 0.0)
    numbers = rng.normal(0, 1, (FIRST_PLACE + 12, 3, 4))
    numbers[4:] = rng.uniform(0.5, 6, numbers[4:].shape)
    plain, compiled = (
        walk(Past(y, first, trend, season, season == "m", compiled=each), numbers)
        for each in (False, True)
    )
    for one, other in zip(plain, compiled, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
