"""The chart of a search."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pmo_analytics.optimization.limits import Progress
from pmo_analytics.plotting.progress import plot_progress

HISTORY = [
    Progress("greedy", 80.0, None, 0.1),
    Progress("LP relaxation", 80.0, 400.0, 0.4),
    Progress("neighbourhoods", 96.0, 130.0, 3.0),
    Progress("done", 100.0, 104.0, 10.0),
]


def test_lines_are_the_best_plan_and_the_bound_as_steps():
    ax = plot_progress(HISTORY, ax=Figure().subplots())
    best, bound = ax.lines
    assert best.get_drawstyle() == "steps-post"
    assert best.get_ydata().tolist() == [80.0, 80.0, 96.0, 100.0]
    assert np.isnan(bound.get_ydata()[0])
    assert bound.get_ydata().tolist()[1:] == [400.0, 130.0, 104.0]
    assert any("gap 4.00%" in text.get_text() for text in ax.texts)


def test_a_first_bound_far_off_does_not_flatten_the_rest():
    ax = plot_progress(HISTORY, ax=Figure().subplots())
    low, high = ax.get_ylim()
    assert low < 80.0
    assert 104.0 < high < 200.0


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ([], "No plan was found"),
        ([Progress("x", None, 5.0, 1.0)], "No plan was found"),
        ([Progress("x", 5.0, None, 1.0)], "no bound"),
    ],
)
def test_searches_without_a_plan_or_a_bound_are_said(history, said):
    ax = plot_progress(history, ax=Figure().subplots())
    texts = [text.get_text() for text in (*ax.texts, *ax.figure.texts)]
    assert any(said in text for text in texts)
