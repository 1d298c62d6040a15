"""Errors, bias and coverage by how far ahead a forecast looked."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.batch.accuracy import ACCURACY_COLUMNS
from pmo_analytics.errors import ConfigError
from pmo_analytics.plotting.accuracy import (
    figure_accuracy,
    plot_accuracy,
    plot_backtest_errors,
    plot_calibration,
)


@pytest.fixture
def backtest():
    """Two roles, two months ahead; the combination is half as wrong as the naive."""
    rows = []
    for role, size in (("Developer", 2.0), ("Tester", 1.0)):
        for lead in (1, 2):
            for model, wrong in (("combination", 0.5), ("naive", 1.0)):
                error = size * lead * wrong
                inside = model == "naive" or lead == 1
                rows.append(
                    {
                        "role": role,
                        "cutoff": pd.Period("2026-10", "M"),
                        "period": pd.Period("2026-10", "M") + lead,
                        "model": model,
                        "forecast": 5.0 + error,
                        "p10": 4.0 if inside else 5.5,
                        "p90": 9.0,
                        "actual": 5.0,
                    }
                )
    table = pd.DataFrame(rows)
    return table.assign(
        cutoff=pd.PeriodIndex(table["cutoff"]), period=pd.PeriodIndex(table["period"])
    )


@pytest.fixture
def accuracy():
    rows = [
        ("load", 1, "Developer", 0.2, 0.1, 1.0, 3),
        ("load", 1, "Tester", 0.6, -0.1, 0.0, 1),
        ("load", 2, "Developer", 0.5, 0.3, 0.5, 2),
        ("capacity", 1, "Developer", 0.1, 0.0, 1.0, 3),
    ]
    names = ["quantity", "lead", "role", "mae", "bias", "inside_p10_p90", "count"]
    table = pd.DataFrame(rows, columns=names)
    table["inside_p20_p80"] = table["inside_p10_p90"] / 2
    assert set(table) == set(ACCURACY_COLUMNS)
    return table


def drawn(ax):
    return [[round(float(y), 9) for y in line.get_ydata()] for line in ax.lines]


def notes(ax):
    return [text.get_text() for text in ax.texts]


def test_errors_are_means_over_roles_by_lead(backtest, legend_texts):
    ax = plot_backtest_errors(backtest)
    assert drawn(ax) == [[0.75, 1.5], [1.5, 3.0]]
    assert ax.lines[0].get_xdata().tolist() == [1, 2]
    assert legend_texts(ax) == ["combination", "naive"]
    assert ax.get_xlabel() == "months ahead"
    assert "combination: error 50% smaller than naive" in notes(ax)
    assert drawn(plot_backtest_errors(backtest, "Tester")) == [[0.5, 1.0], [1.0, 2.0]]


def test_a_model_worse_than_the_naive_is_said(backtest):
    worse = backtest.assign(
        model=backtest["model"].map({"combination": "naive", "naive": "theta"})
    )
    assert "theta: error 100% larger than naive" in notes(plot_backtest_errors(worse))


def test_calibration_is_the_share_inside_by_lead(backtest, legend_texts):
    ax = plot_calibration(backtest)
    assert drawn(ax)[:2] == [[1.0, 0.0], [1.0, 1.0]]
    assert drawn(ax)[2] == [0.8, 0.8]
    assert legend_texts(ax)[-1] == "80 % promised"
    assert "combination 50%; 4 forecasts each" in notes(ax)


@pytest.mark.parametrize("plot", [plot_backtest_errors, plot_calibration])
def test_no_backtest_and_wrong_roles(backtest, plot):
    ax = plot(backtest.head(0))
    assert notes(ax) == ["The history is too short for a backtest."]
    with pytest.raises(ConfigError, match="did you mean 'Tester'"):
        plot(backtest, "Testr")


def test_accuracy_is_weighted_by_the_number_of_forecasts(accuracy, legend_texts):
    ax = plot_accuracy(accuracy)
    assert legend_texts(ax) == ["capacity", "load"]
    assert drawn(ax)[1] == [0.3, 0.5]  # (3 x 0.2 + 1 x 0.6) / 4
    assert "9 forecasts that came due" in notes(ax)
    assert drawn(plot_accuracy(accuracy, "bias"))[1] == [0.05, 0.3]
    assert drawn(plot_accuracy(accuracy, "inside_p10_p90"))[1] == [0.75, 0.5]
    narrow = drawn(plot_accuracy(accuracy, "inside_p20_p80"))
    assert narrow[1] == [0.375, 0.25]
    assert narrow[-1] == [0.6, 0.6]
    with pytest.raises(ConfigError, match="did you mean 'bias'"):
        plot_accuracy(accuracy, "bia")


def test_all_measures_on_one_page(accuracy):
    figure = figure_accuracy(accuracy)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [
        "Mean absolute error",
        "Bias: forecast minus what happened",
        "Inside p10 to p90",
        "Inside p20 to p80",
    ]
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["capacity", "load", "promised"]


def test_nothing_has_come_due(accuracy):
    why = "No forecast has met its actuals yet."
    assert notes(plot_accuracy(accuracy.head(0))) == [why]
    assert [notes(ax) for ax in figure_accuracy(accuracy.head(0)).axes] == [[why]]
