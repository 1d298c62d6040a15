from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan
from pmo_analytics.plotting import plot_gantt
from pmo_analytics.plotting.looks import OTHER
from pmo_analytics.portfolio import Portfolio


def rows(ax):
    return [t.get_text() for t in ax.get_yticklabels()]


def spans(ax):
    """Left and right end of each bar, by its label."""
    return {
        name: (bar.get_x(), bar.get_x() + bar.get_width())
        for name, bar in zip(rows(ax), ax.containers[0], strict=True)
    }


def markers(ax):
    """Positions of the markers, by row."""
    return [
        tuple(point)
        for collection in ax.collections
        if hasattr(collection, "get_sizes")
        for point in collection.get_offsets()
    ]


def one(horizon, starts, **columns):
    """A plan of projects with the given columns."""
    projects = pd.DataFrame({"status": "proposed", "value": 1.0, **columns})
    portfolio = Portfolio("x", horizon=horizon, projects=projects)
    return Plan.from_starts(portfolio.snapshot(), starts)


def test_bars_span_start_to_finish_inside_the_horizon(plan):
    ax = plot_gantt(plan)
    # Alpha runs from December to February, Beta from February to March.
    assert spans(ax) == {"Alpha": (-0.5, 1.5), "Beta": (0.5, 2.5)}
    assert "2 of 3 projects selected" in [t.get_text() for t in ax.texts]


def test_the_first_to_start_is_on_top(make_plan):
    plan = make_plan(3, projects=20)
    ax = plot_gantt(plan)
    assert ax.yaxis_inverted()
    lefts = [bar.get_x() for bar in ax.containers[0]]
    assert lefts == sorted(lefts)


def test_a_project_that_began_before_has_an_arrow(plan, legend_texts):
    ax = plot_gantt(plan)
    assert any(x < -0.5 and y == 0 for x, y in markers(ax))
    assert "outside the horizon" in legend_texts(ax)
    inside = one(make_horizon("2027-01", 6, "M"), {"A": 1}, project=["A"], duration=[2])
    assert "outside the horizon" not in legend_texts(plot_gantt(inside))


def test_must_and_moved_projects_are_marked(plan, legend_texts):
    ax = plot_gantt(plan)
    # Alpha (running) in the middle of its visible bar; Beta was planned for January.
    assert (0.5, 0.0) in markers(ax)
    assert (-0.5, 1.0) in markers(ax)
    assert {"must be selected", "planned start (moved)"} <= set(legend_texts(ax))


def test_a_project_over_before_the_horizon_has_only_its_arrow():
    horizon = make_horizon("2027-01", 6, "M")
    plan = one(
        horizon,
        {"A": -3, "B": 0},
        project=["A", "B"],
        status=["running", "proposed"],
        duration=[2, 2],
        start=["2026-10", None],
    )
    ax = plot_gantt(plan)
    assert spans(ax)["A"] == (-0.5, -0.5)
    assert [y for _, y in markers(ax)] == [0.0]


def test_windows_span_first_start_to_last_finish(legend_texts):
    plan = one(
        make_horizon("2027-01", 12, "M"),
        {"A": 4, "B": 0},
        project=["A", "B"],
        duration=[2, 2],
        earliest=["2027-03", "2027-01"],
        latest=["2027-08", "2027-01"],
    )
    ax = plot_gantt(plan)
    windows = [c for c in ax.collections if hasattr(c, "get_segments")][-1]
    # May start from March to August, so may run until September.
    (segment,) = windows.get_segments()
    np.testing.assert_allclose(segment, [[1.5, 1.0], [8.5, 1.0]])
    assert "allowed window" in legend_texts(ax)
    assert "allowed window" not in legend_texts(plot_gantt(plan, show_windows=False))


def test_colours_are_those_of_the_legend(plan):
    ax = plot_gantt(plan, color="theme")
    legend = ax.get_legend()
    assert legend.get_title().get_text() == "theme"
    shown = {
        text.get_text(): to_hex(handle.get_facecolor())
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        if hasattr(handle, "get_facecolor")
    }
    drawn = [to_hex(bar.get_facecolor()) for bar in ax.containers[0]]
    assert drawn == [shown["Growth"], shown["Law"]]


def test_a_theme_keeps_its_colour_in_another_plan(plan):
    both = plot_gantt(plan).containers[0]
    alone = plot_gantt(Plan.from_starts(plan.portfolio, {"B": 1})).containers[0]
    assert alone[0].get_facecolor() == both[1].get_facecolor()


def test_too_many_categories_are_grey(make_plan, legend_texts):
    plan = make_plan(1, projects=60)
    ax = plot_gantt(plan, color="sponsor")
    used = plan.portfolio.projects.set_index("project")["sponsor"][list(plan.starts)]
    assert f"other ({used.nunique() - 9})" in legend_texts(ax)
    assert OTHER.lower() in {to_hex(bar.get_facecolor()) for bar in ax.containers[0]}


def test_beyond_max_rows_must_come_first_then_worth(make_plan):
    plan = make_plan(6, projects=300, periods=24)
    selected = len(plan.starts)
    ax = plot_gantt(plan, max_rows=60)
    assert len(rows(ax)) == 60
    assert any(f"60 of {selected} shown, by worth" in t.get_text() for t in ax.texts)
    table = plan.projects[plan.projects["decision"] == "selected"].set_index("name")
    shown, hidden = table.loc[rows(ax)], table.drop(rows(ax))
    must = {"running", "approved"}
    left_out = hidden[hidden["status"].isin(must)]
    taken = shown[shown["status"].isin(must)]
    if left_out.empty:
        rest = shown[~shown["status"].isin(must)]
        assert rest["worth"].min() >= hidden["worth"].max()
    else:
        assert len(taken) == 60
        assert taken["worth"].min() >= left_out["worth"].max()


def test_the_figure_grows_with_the_rows(make_plan):
    small = plot_gantt(make_plan(1, projects=8)).figure.get_figheight()
    large = plot_gantt(make_plan(1, projects=60)).figure.get_figheight()
    assert small < 5 < large


def test_unknown_column(plan):
    with pytest.raises(ConfigError, match=r"color='tehme' .*did you mean 'theme'"):
        plot_gantt(plan, color="tehme")


def test_no_project_selected(plan):
    ax = plot_gantt(Plan.from_starts(plan.portfolio, {}))
    assert [t.get_text() for t in ax.texts] == ["No project is selected."]
    assert ax.get_title(loc="left") == "Roadmap: Group IT"
