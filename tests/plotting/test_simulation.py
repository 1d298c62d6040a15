"""Charts of a simulation show the numbers of its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.plotting.simulation import simulation_figures
from pmo_analytics.uncertainty.uncertainty import certain


@pytest.fixture(scope="module")
def simulation() -> pmo.simulation.Simulation:
    drivers = pd.DataFrame(
        [("Vendor late", 0.3, "duration", 1.1, 1.6, "Core systems")],
        columns=["driver", "probability", "multiplies", "low", "high", "theme"],
    )
    uncertainty = pmo.Uncertainty(
        value=pmo.uncertainty.Lognormal(1.0, 1.3), drivers=drivers
    )
    return pmo.simulate(pmo.example_portfolio(), uncertainty=uncertainty, draws=2000)


@pytest.fixture(scope="module")
def sure() -> pmo.simulation.Simulation:
    return pmo.simulate(pmo.example_portfolio(), uncertainty=certain(), draws=20)


@pytest.mark.parametrize("outcome", ["value", "finish", "overload"])
def test_the_tornado_shows_the_largest_swings_and_no_noise(simulation, outcome):
    ax = pmo.plot_tornado(simulation, outcome, max_rows=5)
    rows = simulation.tornado
    rows = rows[(rows["outcome"] == outcome) & (rows["swing"] != 0)]
    rows = rows[rows["swing"].abs() >= 3 * rows["se"]].head(5)
    names = [label.get_text() for label in ax.get_yticklabels()]
    expected = [f"{row.source}: {row.kind}" for row in rows.itertuples()]
    assert names == expected
    middle = simulation.means[outcome]
    widths = [patch.get_width() for patch in ax.patches]
    wanted = [*(rows["low"] - middle), *(rows["high"] - middle)]
    assert widths == pytest.approx(wanted)


def test_a_driver_is_in_the_tornado_of_the_finish(simulation):
    ax = pmo.plot_tornado(simulation, "finish")
    assert "Vendor late: driver" in [t.get_text() for t in ax.get_yticklabels()]


def test_the_s_curve_of_the_value(simulation):
    ax = pmo.plot_s_curve(simulation)
    rows = simulation.value.set_index("quantile")["value"]
    texts = [text.get_text() for text in ax.texts]
    assert f"p50: {rows['p50'] / 1e6:,.3g}" in texts
    assert f"as planned: {rows['planned'] / 1e6:,.3g}" in texts
    value, chance = ax.lines[0].get_data()
    assert np.interp(rows["p80"], value, chance) == pytest.approx(0.8, abs=0.01)


def test_the_s_curve_of_the_work(simulation):
    ax = pmo.plot_s_curve(simulation, "effort")
    planned = simulation.plan.load.to_numpy().sum(axis=1).cumsum()
    assert ax.lines[1].get_ydata() == pytest.approx(planned)


def test_ranges_on_the_roadmap(simulation):
    ax = pmo.plot_finish_ranges(simulation)
    texts = [text.get_text() for text in ax.texts]
    finish = simulation.finish
    for chance in finish["p_deadline"].dropna():
        assert f"{chance:.0%}" in texts
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "deadline, and chance to meet it" in labels
    assert len(ax.get_yticklabels()) == len(finish)


def test_without_uncertainty_there_is_little_to_see(sure):
    ax = pmo.plot_tornado(sure)
    assert ax.texts[0].get_text() == "Nothing that is uncertain moves it."
    figures = simulation_figures(sure)
    assert set(figures) == {
        "finish",
        "value",
        "effort",
        "tornado_value",
        "tornado_finish",
        "tornado_overload",
        "overload",
    }


def test_what_cannot_be_drawn(sure):
    with pytest.raises(ConfigError, match="did you mean 'value'"):
        pmo.plot_tornado(sure, "vlaue")
    with pytest.raises(ConfigError, match="of='spend'"):
        pmo.plot_s_curve(sure, "spend")
