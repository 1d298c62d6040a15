"""Distributions of factors: against scipy, by hand, and out of order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pmo_analytics.errors import ConfigError
from pmo_analytics.uncertainty.distributions import (
    Empirical,
    Fixed,
    Lognormal,
    Overruns,
    Pert,
    Triangular,
    Uniform,
)

U = (np.arange(20_000) + 0.5) / 20_000


@pytest.mark.parametrize(
    ("own", "peer"),
    [
        (Uniform(0.5, 2.0), stats.uniform(0.5, 1.5)),
        (Triangular(0.8, 1.0, 2.0), stats.triang(1 / 6, 0.8, 1.2)),
        (Triangular(1.0, 1.0, 2.0), stats.triang(0.0, 1.0, 1.0)),
        (Pert(0.8, 1.0, 2.0), stats.beta(5 / 3, 13 / 3, 0.8, 1.2)),
        (Pert(0.5, 1.5, 1.5), stats.beta(5.0, 1.0, 0.5, 1.0)),
        (Lognormal(1.1, 1.5), stats.lognorm(np.log(1.5 / 1.1) / 0.8416212, 0, 1.1)),
    ],
)
def test_quantiles_are_those_of_scipy(own, peer):
    assert own.ppf(U) == pytest.approx(peer.ppf(U), rel=2e-4)
    assert own.mean == pytest.approx(peer.mean(), rel=1e-6)


@pytest.mark.parametrize(
    "own",
    [
        Fixed(1.2),
        Uniform(0.5, 2.0),
        Triangular(0.8, 1.0, 2.0),
        Triangular(1.0, 1.0, 1.0),
        Pert(0.8, 1.0, 2.0),
        Pert(1.0, 1.0, 1.0),
        Lognormal(1.0, 1.3),
        Lognormal(1.0, 1.0),
        Empirical((1.0, 2.0, 1.5)),
    ],
)
def test_quantiles_rise_and_average_to_the_mean(own):
    drawn = own.ppf(U)
    assert (np.diff(drawn) >= 0).all()
    assert drawn.mean() == pytest.approx(own.mean, rel=2e-3)


def test_pert_weighs_the_mode_four_times():
    assert Pert(1.0, 2.0, 6.0).mean == pytest.approx((1 + 4 * 2 + 6) / 6)


def test_lognormal_by_its_percentiles_and_by_its_moments():
    assert Lognormal(1.1, 1.5).ppf(np.array([0.5, 0.8])) == pytest.approx([1.1, 1.5])
    drawn = Lognormal.from_mean(1.2, 0.3).ppf(U)
    assert drawn.mean() == pytest.approx(1.2, rel=1e-3)
    assert drawn.std() == pytest.approx(0.3, rel=1e-2)
    assert Lognormal.from_mean(1.2, 0.0).ppf(U) == pytest.approx(1.2)
    assert np.isfinite(Lognormal(1.0, 1.2).ppf(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Triangular(1.0, 0.9, 2.0), "increasing order"),
        (lambda: Pert(1.0, 2.0, 1.5), "increasing order"),
        (lambda: Pert(1.0, 1.0, 2.0, weight=0.0), "weight is above 0"),
        (lambda: Uniform(-0.1, 1.0), "at least 0"),
        (lambda: Fixed(float("nan")), "at least 0"),
        (lambda: Lognormal(0.0, 1.0), "above 0"),
        (lambda: Lognormal.from_mean(-1.0, 0.1), "above 0"),
        (lambda: Empirical(()), "at least one value"),
    ],
)
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


def test_a_class_of_its_own_weighs_more_the_larger_it_is():
    ratios = np.array([2.0, 1.0, 1.5, 1.2])
    themes = np.array(["Data", "Data", "Core", None], dtype=object)
    known = Overruns(ratios, ratios, np.zeros(4), themes)
    rows = known.rows("Data", U)
    # Two of its own: 2 / (2 + 8) of the weight is theirs, the rest everybody's.
    share = np.bincount(rows, minlength=4) / len(U)
    assert share == pytest.approx([0.1 + 0.2, 0.1 + 0.2, 0.2, 0.2], abs=1e-3)
    assert (np.diff(ratios[rows]) >= 0).all()
    nobody = np.bincount(known.rows("New", U), minlength=4) / len(U)
    assert nobody == pytest.approx(0.25, abs=1e-3)
