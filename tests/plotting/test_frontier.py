"""Charts of frontiers and of what an FTE is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.optimization.explaining.frontier import COLUMNS, Frontier
from pmo_analytics.plotting.frontier import plot_frontier, plot_role_value

pytestmark = pytest.mark.usefixtures("warm_module")


def frontier_of(levels, objective, bound, *, over="budget", knee=None) -> Frontier:
    table = pd.DataFrame({"level": levels, "objective": objective, "bound": bound})
    table = table.reindex(columns=COLUMNS)
    table["gain"] = table["objective"].diff()
    table["gap"] = (table["bound"] - table["objective"]) / table["objective"]
    best = table["objective"].cummax().shift()
    better = table["objective"].notna() & ~(table["objective"] <= best)
    table["efficient"] = better
    table["knee"] = [level == knee for level in levels]
    return Frontier(over, "", table, (None,) * len(levels), ())


def test_points_bars_and_knee():
    result = frontier_of(
        [0.8, 0.9, 1.0, 1.1],
        [np.nan, 10.0, 14.0, 14.0],
        [np.nan, 11.0, 14.0, 15.0],
        knee=1.0,
    )
    ax = plot_frontier(result)
    by_style = [line for line in ax.lines if line.get_marker() in ("o", "x")]
    filled, hollow, cross, ring = by_style
    assert filled.get_xydata().tolist() == [[0.9, 10.0], [1.0, 14.0]]
    assert hollow.get_xydata().tolist() == [[1.1, 14.0]]
    assert cross.get_xdata().tolist() == [0.8]
    assert ring.get_xydata().tolist() == [[1.0, 14.0]]
    (bars,) = [c for c in ax.collections if len(c.get_segments())]
    tops = [segment[1][1] for segment in bars.get_segments()]
    assert tops == [11.0, 14.0, 15.0]
    texts = [text.get_text() for text in ax.texts]
    assert "knee, 100 %" in texts
    assert any("hollow" in t and "cross: no plan" in t for t in texts)


def test_periods_across_and_nothing_to_see():
    periods = list(pd.period_range("2027-01", periods=3, freq="M"))
    ax = plot_frontier(
        frontier_of(periods, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], over="finish")
    )
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["2027-01", "2027-02", "2027-03"]
    none = plot_frontier(frontier_of([1.0], [np.nan], [np.nan]))
    assert none.texts[0].get_text() == "No level has a plan."


def test_roles_by_effect_with_their_intervals():
    values = pd.DataFrame(
        {
            "role": ["Dev", "Dev", "Ops", "Ops", "QA"],
            "change": [1.0, -1.0, 1.0, -1.0, -1.0],
            "value": [2.0, -3.0, 0.0, -9.0, np.nan],
            "low": [1.0, -4.0, 0.0, -9.5, np.nan],
            "high": [3.0, -3.0, 0.0, -8.0, np.nan],
        }
    )
    ax = plot_role_value(values)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Ops", "Dev"]
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == [0.0, 2.0, -9.0, -3.0]
    one = plot_role_value(values, max_roles=1)
    assert "1 roles with a smaller effect" in one.texts[-1].get_text()


@pytest.mark.parametrize("rows", [0, 1])
def test_no_roles(rows):
    table = pd.DataFrame({"role": ["A"], "change": [1.0], "value": [np.nan]}).head(rows)
    ax = plot_role_value(table)
    assert ax.texts[0].get_text() == "No role was valued."
