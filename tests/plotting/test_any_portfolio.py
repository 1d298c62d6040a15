"""No combination of portfolio and arguments breaks a chart or clips its texts."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from pmo_analytics.plan import Plan
from pmo_analytics.plotting import (
    figure_capacity,
    plot_budget,
    plot_capacity,
    plot_gantt,
    plot_headroom,
    plot_spend,
    plot_utilization,
)
from tests.support.counts import tried

BY = st.sampled_from(["project", "theme", "status", "sponsor", "program"])
MONEY = st.sampled_from(["fund", "category", "theme", "project"])
TOP = st.integers(1, 12)
CHARTS = st.one_of(
    st.tuples(st.just(plot_capacity), st.fixed_dictionaries({"by": BY, "top": TOP})),
    st.tuples(
        st.just(figure_capacity),
        st.fixed_dictionaries({"by": BY, "top": TOP, "max_roles": st.integers(1, 9)}),
    ),
    st.tuples(
        st.just(plot_gantt),
        st.fixed_dictionaries(
            {
                "color": BY,
                "max_rows": st.integers(1, 40),
                "show_windows": st.booleans(),
            }
        ),
    ),
    st.tuples(st.just(plot_utilization), st.just({})),
    st.tuples(st.just(plot_headroom), st.just({})),
    st.tuples(
        st.just(plot_budget), st.fixed_dictionaries({"max_rows": st.integers(1, 25)})
    ),
    st.tuples(
        st.just(plot_spend),
        st.fixed_dictionaries({"by": MONEY, "top": TOP, "cumulative": st.booleans()}),
    ),
)


def clipped(figure):
    """Texts that stick out of the figure."""
    page = figure.bbox
    found = []
    unseen = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval())
        <= tick.get_loc()
        <= max(axis.get_view_interval())
    }
    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible() or id(text) in unseen:
            continue
        box = text.get_window_extent()
        if (
            min(box.x0 - page.x0, box.y0 - page.y0) < -2
            or max(box.x1 - page.x1, box.y1 - page.y1) > 2
        ):
            found.append(text.get_text())
    return found


@settings(
    max_examples=tried(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    chart=CHARTS,
    seed=st.integers(0, 10_000),
    projects=st.integers(0, 25),
    roles=st.integers(0, 14),
    periods=st.integers(1, 60),
    freq=st.sampled_from(["W", "M", "Q", "Y", "Q-MAR", "Y-MAR"]),
    themes=st.integers(0, 15),
    budgets=st.integers(0, 30),
)
def test_no_combination_breaks_a_chart(
    make_plan, chart, seed, projects, roles, periods, freq, themes, budgets
):
    plan = make_plan(
        seed,
        projects=projects,
        roles=roles,
        periods=periods,
        freq=freq,
        start="2026" if freq[0] == "Y" else "2026-03-30",
        themes=themes,
        budgets=budgets,
    )
    draw, arguments = chart
    result = draw(plan, **arguments)
    figure = getattr(result, "figure", None) or result
    figure.canvas.draw()
    assert not clipped(figure)
    plt.close("all")


@pytest.mark.parametrize(("projects", "roles", "periods"), [(8, 3, 12), (40, 40, 60)])
@pytest.mark.parametrize(
    "chart",
    [plot_capacity, figure_capacity, plot_gantt, plot_utilization, plot_budget],
)
def test_long_names_are_not_clipped(make_plan, chart, projects, roles, periods):
    plan = make_plan(
        2,
        projects=projects,
        roles=roles,
        periods=periods,
        names=lambda i: f"Replacement of the customer relationship system, part {i}",
    )
    long = {r: f"{r}: senior specialist, Pune and Manila" for r in plan.load.columns}
    tables = {
        table: frame.assign(role=frame["role"].map(long))
        for table, frame in (("demand", plan.portfolio.demand),)
    }
    portfolio = plan.portfolio.replace(
        capacity=plan.portfolio.capacity.rename(columns=long),
        name="Portfolio of the whole group " * 6,
        **tables,
    )
    result = chart(Plan.from_starts(portfolio, plan.starts))
    figure = getattr(result, "figure", None) or result
    figure.canvas.draw()
    assert not clipped(figure)


def test_no_warning_comes_from_drawing_again(plan):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot_gantt(plan)
        for _ in range(3):
            ax.figure.canvas.draw()
