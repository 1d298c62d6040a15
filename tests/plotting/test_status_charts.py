"""Charts of a status draw its own numbers, and say where there is nothing to draw."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import pmo_analytics as pmo
from pmo_analytics import plotting
from pmo_analytics.errors import ConfigError


@pytest.fixture(scope="module")
def status():
    return pmo.status(pmo.example_portfolio())


@pytest.fixture(scope="module")
def bare():
    portfolio = pmo.example_portfolio().replace(progress=None, milestones=None)
    return pmo.status(portfolio.replace(baselines=None), as_of="2026-12-31")


def axes():
    return Figure(layout="constrained").subplots()


def test_colours_over_time_end_with_those_of_the_status(status):
    ax = plotting.plot_rag_history(status, ax=axes())
    last = max(bar.get_x() for bar in ax.patches)
    tops = [round(b.get_height()) for b in ax.patches if b.get_x() == last]
    assert tops == [2, 2, 1]  # red, amber, green
    told = plotting.plot_rag_history(status, reported=True, ax=axes())
    tops = [round(b.get_height()) for b in told.patches if b.get_x() == last]
    assert tops == [1, 1, 3]


def test_the_s_curve_ends_at_what_was_earned_and_leads_to_the_estimate(status):
    ax = plotting.plot_earned_value(status, "CORE-MOT", ax=axes())
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    row = status.indicators.loc["CORE-MOT"]
    earned = [v for v in lines["earned (EV)"] if v == v]
    assert earned[-1] == pytest.approx(row["ev"])
    dashed = next(line for line in ax.lines if line.get_linestyle() == "--")
    assert dashed.get_ydata()[-1] == pytest.approx(row["eac"])
    figure = plotting.figure_earned_value(status)
    assert len(figure.axes) == 2
    plt.close(figure)


def test_money_adds_up_to_what_was_spent(status):
    ax = plotting.plot_status_money(status, ax=axes())
    bars = {c.get_label(): sum(b.get_height() for b in c) for c in ax.containers}
    assert bars["spent"] == pytest.approx(status.by("program").loc["all", "ac"])


def test_the_trend_has_a_line_a_milestone(status):
    ax = plotting.plot_milestone_slips(status, "CORE-MOT", ax=axes())
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [
        "Requirements agreed",
        "Design approved",
        "Ready for test",
        "Go live",
    ]
    with pytest.raises(ConfigError, match="did you mean 'CORE-MOT'"):
        plotting.plot_milestone_slips(status, "CORE-MOD")


def test_the_roadmap_has_a_row_a_project_the_worst_first(status):
    ax = plotting.plot_status_roadmap(status, ax=axes())
    names = [label.get_text().split()[0] for label in ax.get_yticklabels()]
    assert names[:2] == ["CORE-MOT", "BROKER"]
    assert set(names) == set(status.table.index)
    stones = [line for line in ax.lines if line.get_marker() == "D"]
    assert sum(len(line.get_xdata()) for line in stones) == len(status.milestones)


@pytest.mark.parametrize(
    "draw",
    [
        plotting.plot_rag_history,
        plotting.plot_earned_value,
        plotting.plot_status_money,
        plotting.plot_status_roadmap,
    ],
)
def test_nothing_reported_is_said_or_drawn_as_far_as_it_goes(bare, draw):
    assert draw(bare, ax=axes()).get_title(loc="left")
    with pytest.raises(ConfigError, match="not among the running"):
        plotting.plot_earned_value(bare, "NOBODY")
