from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import matplotlib
import matplotlib.pyplot as plt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.plotting import (
    figure_capacity,
    plot_budget,
    plot_capacity,
    plot_gantt,
    plot_headroom,
    plot_spend,
    plot_utilization,
    style,
)
from pmo_analytics.plotting.looks import (
    PALETTE,
    colours,
    money_unit,
    period_axis,
    period_labels,
    period_ticks,
)

CHARTS = (
    plot_capacity,
    plot_headroom,
    plot_utilization,
    plot_gantt,
    plot_budget,
    plot_spend,
)


def labels(start, periods, freq, most=12):
    horizon = make_horizon(start, periods, freq)
    ticks = period_ticks(horizon, most)
    return dict(zip(ticks, period_labels(horizon, ticks), strict=True))


def test_a_year_of_months():
    found = labels("2027-01", 12, "M")
    assert list(found.values()) == [
        *["Jan\n2027", "Feb", "Mar", "Apr", "May", "Jun"],
        *["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    ]


def test_months_are_the_same_in_every_year():
    found = labels("2027-03", 30, "M")
    assert found == {
        1: "Apr\n2027",
        4: "Jul",
        7: "Oct",
        10: "Jan\n2028",
        13: "Apr",
        16: "Jul",
        19: "Oct",
        22: "Jan\n2029",
        25: "Apr",
        28: "Jul",
    }


def test_weeks_leave_out_week_53():
    # 2026 has 53 ISO weeks.
    found = labels("2026-W41", 26, "W")
    assert list(found.values()) == [
        *["W41\n2026", "W43", "W45", "W47", "W49", "W51"],
        *["W01\n2027", "W03", "W05", "W07", "W09", "W11", "W13"],
    ]


def test_quarters_of_a_fiscal_year():
    assert list(labels("2027Q3", 4, "Q-MAR").values()) == [
        *["Q3\n2027", "Q4", "Q1\n2028", "Q2"],
    ]


def test_years_stand_alone():
    assert labels("2027", 3, "Y") == {0: "2027", 1: "2028", 2: "2029"}
    assert labels("2027", 3, "Y-MAR") == {0: "2027", 1: "2028", 2: "2029"}


def test_long_horizons_show_only_years():
    assert set(labels("2027-01", 240, "M").values()) == {
        str(year) for year in range(2028, 2047, 2)
    }


@given(
    st.sampled_from(["W", "M", "Q", "Y", "Q-MAR", "Y-JUN"]),
    st.integers(1, 170),
    st.integers(2, 12),
)
def test_there_are_labels_and_never_too_many(freq, periods, most):
    horizon = make_horizon("2026" if freq[0] == "Y" else "2026-09-01", periods, freq)
    ticks = period_ticks(horizon, most)
    assert 1 <= len(ticks) <= most + 1
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize("freq", ["W", "M", "Q", "Y"])
@pytest.mark.parametrize("periods", [1, 5, 13, 37, 60, 104, 150])
@pytest.mark.parametrize("width", [2.0, 5.0, 9.0])
def test_labels_do_not_touch(freq, periods, width):
    ax = Figure(figsize=(width, 2)).subplots()
    period_axis(ax, make_horizon("2026-01-05", periods, freq))
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
    boxes.sort(key=lambda box: box.x0)
    assert boxes
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_a_position_outside_the_horizon_has_no_label():
    horizon = make_horizon("2027-01", 3, "M")
    assert period_labels(horizon, [-1, 0, 3]) == ["", "Jan\n2027", ""]


def test_format_of_the_cursor():
    ax = Figure().subplots()
    period_axis(ax, make_horizon("2027-01", 3, "M"))
    assert ax.format_xdata(1.2) == "2027-02"
    assert ax.format_xdata(7.0) == ""


def test_colours_stay_with_their_categories():
    known = ["a", "b", "c"]
    assert colours(["c"], known)["c"] == colours(["a", "b", "c"], known)["c"]
    many = [str(i) for i in range(30)]
    assert [colours(["7", "3"], many)[c] for c in ("3", "7")] == list(PALETTE[:2])
    assert len(set(colours(many[:27], many[:27]).values())) == 27


def test_units_of_money():
    assert money_unit("", 10.0) == (1.0, "currency")
    assert money_unit("", 5e6) == (1e6, "currency, million")
    assert money_unit("EUR", -5e6) == (1e6, "EUR million")


@pytest.mark.parametrize("chart", [*CHARTS, figure_capacity])
def test_settings_of_the_caller_are_left_alone(plan, chart):
    before = dict(matplotlib.rcParams)
    chart(plan)
    assert dict(matplotlib.rcParams) == before


def test_the_style_can_be_used_for_other_charts():
    before = matplotlib.rcParams["axes.titleweight"]
    with style():
        assert matplotlib.rcParams["axes.titleweight"] == "bold"
    assert matplotlib.rcParams["axes.titleweight"] == before


def test_what_a_backend_sets_when_the_first_chart_loads_it_stays(tmp_path):
    # Notebooks show a figure only while their backend's interactive mode is on.
    (tmp_path / "late_backend.py").write_text(
        "import matplotlib\n"
        "from matplotlib.backends.backend_agg import *\n"
        "from matplotlib.backends.backend_agg import _BackendAgg\n"
        "backend_version = '1'\n"
        "matplotlib.interactive(True)\n"
    )
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import matplotlib\n"
        "matplotlib.use('module://late_backend')\n"
        "import pandas as pd\n"
        "from pmo_analytics.plan import Plan\n"
        "from pmo_analytics.plotting import plot_capacity\n"
        "from pmo_analytics.portfolio import Portfolio\n"
        "horizon = pd.period_range('2027-01', periods=2, freq='M')\n"
        "plot_capacity(Plan.from_starts(Portfolio(horizon=horizon), {}))\n"
        "print(matplotlib.is_interactive())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_axes_of_a_subfigure(plan, chart):
    figure = Figure(figsize=(12, 5))
    ax = figure.subfigures(1, 2)[1].subplots()
    assert chart(plan, ax=ax) is ax
    figure.canvas.draw()


@pytest.mark.parametrize("chart", CHARTS)
def test_one_figure_is_opened_when_no_axes_are_given(plan, chart):
    ax = chart(plan)
    assert [ax.figure.number] == plt.get_fignums()
    assert ax.get_title(loc="left")
