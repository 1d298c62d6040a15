"""Fans: the bands are the quantiles, red is below zero, history where it belongs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pmo_analytics.errors import ConfigError
from pmo_analytics.plotting.fan import figure_forecast, plot_forecast
from pmo_analytics.plotting.heat_maps import plot_overload_chance
from pmo_analytics.plotting.looks import OVERLOAD
from tests.plotting.test_any_portfolio import clipped
from tests.support.forecasts import hand_worked, random_forecast


def bands(ax):
    """Heights of the bands as (lowest, highest) by x, the widest first, one colour."""
    found = []
    for band in ax.collections[:2]:
        points = pd.DataFrame(band.get_paths()[0].vertices, columns=["x", "y"])
        found.append(points.groupby("x")["y"].agg(["min", "max"]))
    return found


def notes(ax):
    return [text.get_text() for text in ax.texts]


def test_bands_and_median_are_the_quantiles():
    forecast = random_forecast(2, 12)
    ax = plot_forecast(forecast, "Role 2")
    for band, (low, high) in zip(
        bands(ax), (("p10", "p90"), ("p20", "p80")), strict=True
    ):
        np.testing.assert_allclose(band["min"], forecast.grid(low)["Role 2"])
        np.testing.assert_allclose(band["max"], forecast.grid(high)["Role 2"])
        assert band.index.tolist() == list(range(24, 36))
    median = [line for line in ax.lines if len(line.get_xdata()) == 12]
    assert len(median) == 2
    np.testing.assert_allclose(median[0].get_ydata(), forecast.grid("p50")["Role 2"])


def test_below_zero_is_red_and_above_is_not():
    ax = plot_forecast(random_forecast(1), "Role 1")
    colours = [tuple(band.get_facecolor()[0][:3]) for band in ax.collections]
    red = [colour == to_rgb(OVERLOAD) for colour in colours]
    assert red == [False, False, True, True]
    window = ax.transData.inverted().transform_bbox
    upper, lower = (window(ax.collections[k].get_clip_box()) for k in (0, 2))
    assert upper.y0 == pytest.approx(0)
    assert lower.y1 == pytest.approx(0)


@pytest.mark.parametrize("quantity", ["capacity", "load"])
def test_capacity_and_load_know_no_red(quantity, legend_texts):
    ax = plot_forecast(random_forecast(1, quantity=quantity), "Role 1")
    assert len(ax.collections) == 2
    assert "overload" not in legend_texts(ax)
    assert ax.get_ylim()[0] > 0  # far above zero, which would flatten the fan


def test_history_stands_before_the_forecast(legend_texts):
    ax = plot_forecast(hand_worked(), "Developer")
    (line,) = [line for line in ax.lines if line.get_label() == "history"]
    assert line.get_xdata().tolist() == [0, 1]
    assert line.get_ydata().tolist() == [0.5, 1.5]
    assert bands(ax)[0].index.tolist() == [2, 3, 4]
    assert "history" in legend_texts(ax)
    without = plot_forecast(hand_worked(), "Architect")
    assert "history" not in legend_texts(without)
    assert bands(without)[0].index.tolist() == [0, 1, 2]


def test_a_blank_end_of_history_leaves_its_place():
    ax = plot_forecast(hand_worked(), "Tester")
    (line,) = [line for line in ax.lines if line.get_label() == "history"]
    assert line.get_xdata().tolist() == [0]
    assert bands(ax)[0].index.tolist() == [2, 3, 4]


def test_of_a_long_history_the_last_part_is_shown():
    ax = plot_forecast(random_forecast(1, 12, history=120), "Role 1")
    (line,) = [line for line in ax.lines if line.get_label() == "history"]
    assert len(line.get_xdata()) == 24


def test_history_that_ended_long_ago_is_not_shown():
    forecast = random_forecast(1, 6)
    old = forecast.history.set_axis(forecast.history.index - 200, axis=0)
    ax = plot_forecast(dataclasses.replace(forecast, history=old), "Role 1")
    assert bands(ax)[0].index[0] == 0


def test_the_note_says_the_highest_chance_and_when():
    assert "chance of overload up to 75 % (2027-01)" in notes(
        plot_forecast(hand_worked(), "Developer")
    )
    # Of several certain overloads the one with most missing.
    assert "chance of overload up to 100 % (2027-03)" in notes(
        plot_forecast(hand_worked(), "Architect")
    )
    assert "no chance of overload" in notes(plot_forecast(hand_worked(), "Tester"))


def test_all_roles_are_summed_draw_by_draw():
    ax = plot_forecast(hand_worked())
    # January: -1 + 2 - 2 three times, once 1 + 2 - 2; March: 2 + 2 - 4.
    median = next(line for line in ax.lines if len(line.get_xdata()) == 3)
    assert median.get_ydata().tolist() == [-1.0, 1.0, 0.0]
    assert ax.get_title(loc="left") == "All roles: headroom forecast"


def test_one_period_has_a_width():
    ax = plot_forecast(random_forecast(1, 1, history=2), "Role 1")
    assert bands(ax)[0].index.tolist() == pytest.approx([1.7, 2.3])


def test_a_wrong_role_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"did you mean 'Developer'"):
        plot_forecast(hand_worked(), "Devloper")
    with pytest.raises(ConfigError, match="role='X'"):
        figure_forecast(hand_worked(), ["X"])


def test_panels_stand_in_the_order_of_the_forecast():
    figure = figure_forecast(hand_worked())
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["Developer", "Tester", "Architect"]
    chances = [ax.get_title(loc="right") for ax in figure.axes]
    assert chances == [f"overload chance {c} %" for c in (75, 0, 100)]


def test_of_many_roles_those_that_may_miss_most_are_shown():
    figure = figure_forecast(hand_worked(), max_roles=2)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "Architect",
        "Developer",
    ]
    assert "the 2 tightest of 3" in figure.get_suptitle()
    largest = figure_forecast(
        dataclasses.replace(hand_worked(), quantity="load"), max_roles=1
    )
    assert [ax.get_title(loc="left") for ax in largest.axes] == ["Tester"]


def test_no_roles():
    none = dataclasses.replace(hand_worked(), roles=(), draws=np.zeros((4, 3, 0)))
    assert notes(plot_forecast(none)) == ["There are no roles."]
    assert notes(plot_overload_chance(none)) == ["There are no roles."]
    assert [notes(ax) for ax in figure_forecast(none).axes] == [["There are no roles."]]


LONG = ["Senior cloud platform reliability engineering lead, Pune", "$x$_%", "_a", "B"]


@pytest.mark.parametrize(
    ("roles", "periods", "freq", "start"),
    [
        (1, 1, "M", "2027-01"),
        (LONG, 3, "Q", "2027Q1"),
        (LONG, 60, "M", "2027-01"),
        (30, 60, "W", "2027-W05"),
        (5, 6, "Y", "2027"),
    ],
)
def test_no_shape_of_forecast_breaks_or_clips_a_chart(roles, periods, freq, start):
    forecast = random_forecast(roles, periods, freq=freq, start=start)
    charts = [
        plot_forecast(forecast, forecast.roles[0]).figure,
        figure_forecast(forecast),
        plot_overload_chance(forecast).figure,
    ]
    for figure in charts:
        figure.canvas.draw()
    assert [clipped(figure) for figure in charts] == [[], [], []]


def test_drawn_on_axes_of_the_caller():
    ax = Figure().subplots()
    assert plot_forecast(hand_worked(), "Tester", ax=ax) is ax
