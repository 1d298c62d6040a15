"""The heat map of the chance of overload."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.plotting.heat_maps import plot_overload_chance
from tests.support.forecasts import hand_worked, random_forecast


def cells(ax):
    """Texts in the grid by (role, period)."""
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in ax.texts
        if text.get_ha() == "center"
    }


def test_colours_and_numbers_are_the_chances():
    ax = plot_overload_chance(hand_worked())
    expected = [[0.75, 0.25, 0], [0, 0, 0], [1, 1, 1]]
    drawn = ax.collections[0].get_array().reshape(3, 3)
    np.testing.assert_allclose(drawn, expected)
    texts = [[cells(ax)[r, p] for p in range(3)] for r in range(3)]
    assert texts == [["75", "25", "0"], ["0"] * 3, ["100"] * 3]


def test_a_small_chance_is_not_none_and_a_great_one_not_certain():
    forecast = random_forecast(1, 2)
    draws = np.ones((1000, 2, 1))
    draws[:3, 0] = -1.0
    draws[3:, 1] = -1.0
    ax = plot_overload_chance(dataclasses.replace(forecast, draws=draws))
    assert cells(ax) == {(0, 0): "<1", (0, 1): ">99"}


def test_the_note_counts_roles():
    def note(forecast):
        return plot_overload_chance(forecast).texts[-1].get_text()

    assert note(hand_worked()) == "2 of 3 roles reach 50 % in some period"
    calm = dataclasses.replace(hand_worked(), draws=np.ones((4, 3, 3)))
    assert note(calm) == "no role reaches 20 % in any period"


def test_of_many_roles_the_tightest_are_shown_in_their_own_order():
    ax = plot_overload_chance(hand_worked(), max_roles=2)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Developer", "Architect"]
    assert ax.get_title(loc="left") == "Chance of overload by role: the 2 tightest of 3"


@pytest.mark.parametrize(("roles", "periods", "written"), [(10, 24, True), (3, 60, 0)])
def test_numbers_only_where_they_fit(roles, periods, written):
    ax = plot_overload_chance(random_forecast(roles, periods))
    assert bool(cells(ax)) is bool(written)


def test_other_quantities_have_no_overload():
    with pytest.raises(ConfigError, match="forecast of headroom, not of load"):
        plot_overload_chance(dataclasses.replace(hand_worked(), quantity="load"))
