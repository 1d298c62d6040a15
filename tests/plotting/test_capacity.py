from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.plan import Plan, baseline
from pmo_analytics.plotting import figure_capacity, plot_capacity, plot_headroom
from pmo_analytics.portfolio import Portfolio


def bars(ax, label):
    """Heights of one layer by period."""
    found = [c for c in ax.containers if c.get_label() == label]
    assert len(found) == 1
    assert isinstance(found[0], BarContainer)
    return {round(b.get_x() + b.get_width() / 2): b.get_height() for b in found[0]}


def line(ax):
    steps = [p for p in ax.patches if isinstance(p, StepPatch)]
    return next(p for p in steps if p.get_label() == "capacity").get_data()


def test_stack_and_line_are_load_and_capacity(plan):
    ax = plot_capacity(plan, "Developer")
    assert bars(ax, "Alpha") == {0: 2.0, 1: 2.0, 2: 0.0, 3: 0.0}
    assert bars(ax, "Beta") == {0: 0.0, 1: 1.5, 2: 1.5, 3: 0.0}
    assert list(line(ax).values) == [3.0, 3.0, 2.0, 2.0]
    assert list(line(ax).edges) == [-0.5, 0.5, 1.5, 2.5, 3.5]


def test_overload_is_hatched_from_the_line_to_the_load(plan):
    ax = plot_capacity(plan, "Developer")
    (mark,) = next(c for c in ax.containers if c.get_label() == "overload")
    assert (mark.get_y(), mark.get_height()) == (3.0, 0.5)
    assert mark.get_hatch()
    assert "overload in 1 of 4 periods" in [t.get_text() for t in ax.texts]


def test_no_overload_is_said_and_not_in_the_legend(plan, legend_texts):
    ax = plot_capacity(plan, "Tester")
    assert legend_texts(ax) == ["capacity", "Alpha"]
    assert [t.get_text() for t in ax.texts] == ["no overload"]


def test_legend_follows_the_stack_from_top_to_bottom(plan, legend_texts):
    ax = plot_capacity(plan, "Developer")
    assert legend_texts(ax) == ["capacity", "overload", "Beta", "Alpha"]


def test_titles_and_units(plan):
    ax = plot_capacity(plan, "Developer")
    assert ax.get_title(loc="left") == "Developer: load against capacity"
    assert ax.get_ylabel() == "FTE"


def test_all_roles_add_up_load_and_keep_each_overload(plan):
    ax = plot_capacity(plan)
    total = plan.load.sum(axis=1)
    drawn = sum(pd.Series(bars(ax, name)) for name in ("Alpha", "Beta"))
    assert list(drawn) == list(total) == [3.0, 4.5, 1.5, 0.0]
    assert list(line(ax).values) == [4.0, 4.0, 3.0, 3.0]
    # 4.5 against 4.0 in all, of which the developers are short by 0.5.
    assert bars(ax, "overload") == {1: 0.5}


@pytest.mark.parametrize(("by", "keys"), [("theme", "theme"), ("status", "status")])
def test_stack_by_a_column_of_projects(plan, by, keys):
    ax = plot_capacity(plan, "Developer", by=by)
    rows = plan.load_rows[plan.load_rows["role"] == "Developer"]
    column = plan.portfolio.projects.set_index("project")[keys]
    expected = rows["fte"].groupby(rows["project"].map(column)).sum()
    for name, total in expected.items():
        assert sum(bars(ax, name).values()) == pytest.approx(total)


def test_what_is_beyond_top_is_put_together_and_said(make_plan, legend_texts):
    plan = make_plan(3, projects=30, roles=1, periods=12)
    ax = plot_capacity(plan, "Role 1", top=4)
    used = plan.load_rows["project"].nunique()
    assert legend_texts(ax)[-5] == f"other ({used - 4})"
    assert any(f"the 4 largest of {used} projects" in t.get_text() for t in ax.texts)
    stacked = sum(
        np.array(list(bars(ax, c.get_label()).values()))
        for c in ax.containers
        if c.get_label() != "overload"
    )
    np.testing.assert_allclose(stacked, plan.load["Role 1"])


def test_many_periods_are_step_lines_with_the_same_heights(make_plan):
    plan = make_plan(5, projects=12, roles=2, periods=60)
    ax = plot_capacity(plan, "Role 1", by="theme")
    layers = [
        p
        for p in ax.patches
        if isinstance(p, StepPatch) and p.get_label().startswith("Theme")
    ]
    top = np.max([p.get_data().values for p in layers], axis=0)
    np.testing.assert_allclose(top, plan.load["Role 1"])


def test_status_is_stacked_with_committed_work_at_the_bottom(make_plan, legend_texts):
    plan = make_plan(2, projects=40, roles=1)
    ax = plot_capacity(plan, "Role 1", by="status")
    entries = [t for t in legend_texts(ax) if t not in ("capacity", "overload")]
    order = ["idea", "paused", "proposed", "approved", "running"]
    assert entries == [s for s in order if s in entries]


def test_a_portfolio_stands_for_its_baseline(plan):
    ax = plot_capacity(plan.portfolio, "Developer", by="theme")
    expected = baseline(plan.portfolio).load["Developer"]
    drawn = sum(pd.Series(bars(ax, name)) for name in ("Growth", "Law"))
    assert list(drawn) == list(expected)


def test_names_that_occur_twice_carry_their_id(make_plan, legend_texts):
    plan = make_plan(1, projects=4, roles=1, names=lambda i: "Same")
    entries = legend_texts(plot_capacity(plan, "Role 1"))
    assert len(entries) == len(set(entries))
    assert any(entry.startswith("Same (P") for entry in entries)


def test_a_name_with_a_leading_underscore_is_in_the_legend(make_plan, legend_texts):
    plan = make_plan(1, projects=2, roles=1, names=lambda i: f"_hidden {i}")
    entries = legend_texts(plot_capacity(plan, "Role 1"))
    assert any(entry.strip().startswith("_hidden") for entry in entries)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"role": "Develper"}, "did you mean 'Developer'"),
        ({"by": "themes"}, "did you mean 'theme'"),
        ({"by": "value"}, "by='value' cannot be used"),
        ({"top": 0}, "top=0 must be a whole number"),
        ({"top": 1.5}, "top=1.5 must be a whole number"),
    ],
)
def test_bad_arguments_are_explained_and_leave_no_figure(plan, arguments, message):
    with pytest.raises(ConfigError, match=message):
        plot_capacity(plan, **arguments)
    assert not plt.get_fignums()


def test_something_else_than_a_plan_is_refused(plan):
    with pytest.raises(ConfigError, match="from a Plan or a Portfolio, not from str"):
        plot_capacity("plan.csv")


def test_errors_of_a_portfolio_come_through(plan):
    broken = plan.portfolio.replace(
        projects=plan.portfolio.projects.assign(duration=[3, 2, -1])
    )
    with pytest.raises(DataError, match="duration"):
        plot_capacity(broken)


def test_given_axes_are_used_and_no_figure_is_opened(plan):
    axes = Figure(layout="constrained").subplots()
    assert plot_capacity(plan, "Developer", ax=axes) is axes
    assert not plt.get_fignums()


def test_the_legend_beside_axes_without_layout_narrows_them(plan):
    axes = Figure(figsize=(9, 4)).subplots()
    before = axes.get_position().width
    plot_capacity(plan, "Developer", ax=axes)
    assert 0.4 * before < axes.get_position().width < before


def test_the_legend_goes_inside_where_there_is_no_room(plan):
    axes = Figure(figsize=(2, 2)).subplots()
    before = axes.get_position().width
    plot_capacity(plan, "Developer", ax=axes)
    assert axes.get_position().width == before


def test_panels_one_for_each_role(plan):
    figure = figure_capacity(plan, by="project")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Developer", "Tester"]
    assert [ax.get_title(loc="right") for ax in figure.axes] == [
        "peak 117%",
        "peak 100%",
    ]
    assert list(line(figure.axes[0]).values) == [3.0, 3.0, 2.0, 2.0]
    assert bars(figure.axes[1], "Alpha") == {0: 1.0, 1: 1.0, 2: 0.0, 3: 0.0}
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries == ["capacity", "overload", "Beta", "Alpha"]


def test_the_tightest_roles_are_chosen_and_said(make_plan):
    plan = make_plan(4, projects=20, roles=20, periods=6)
    figure = figure_capacity(plan, max_roles=5)
    assert figure.get_suptitle().endswith("the 5 tightest of 20")
    shown = [ax.get_title(loc="left") for ax in figure.axes]
    peak = plan.utilization.max().fillna(-1)
    assert peak[shown].min() >= peak.drop(shown).max()
    assert len(shown) == 5


def test_named_roles_come_in_their_order_and_uncut(plan):
    figure = figure_capacity(plan, ["Tester", "Developer"], max_roles=1)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Tester", "Developer"]
    assert "tightest" not in figure.get_suptitle()
    with pytest.raises(ConfigError, match="did you mean 'Tester'"):
        figure_capacity(plan, ["Testr"])


def test_headroom_shows_free_capacity_and_overload_apart(plan):
    ax = plot_headroom(plan)
    # Developer 1, -0.5, 0.5, 2 and Tester 0, 0, 1, 1.
    assert bars(ax, "free capacity") == {0: 1.0, 1: 0.0, 2: 1.5, 3: 3.0}
    assert bars(ax, "overload") == {1: -0.5}


def test_a_role_without_capacity_in_some_period_leaves_a_hole(plan):
    grid = plan.portfolio.capacity.assign(Trainer=[1.0, np.nan, np.nan, 1.0])
    portfolio = plan.portfolio.replace(capacity=grid)
    ax = plot_capacity(Plan.from_starts(portfolio, plan.starts), "Trainer")
    assert np.isnan(line(ax).values).tolist() == [False, True, True, False]
    ax.figure.canvas.draw()


def test_nothing_to_draw_is_said(plan):
    empty = Plan.from_starts(Portfolio("", horizon=plan.portfolio.horizon), {})
    for ax in (
        plot_capacity(empty),
        plot_headroom(empty),
        figure_capacity(empty).axes[0],
    ):
        assert "There are no roles." in [t.get_text() for t in ax.texts]
    with pytest.raises(ConfigError, match="the portfolio has no roles"):
        plot_capacity(empty, "Developer")
