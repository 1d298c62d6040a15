from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.plan import Plan
from pmo_analytics.plotting import plot_utilization
from pmo_analytics.portfolio import Portfolio


def cells(ax):
    """Texts in the grid by (role, period)."""
    found = {}
    for text in ax.texts:
        x, y = text.get_position()
        if text.get_ha() == "center":
            found[round(y), round(x)] = text.get_text()
    return found


def test_colours_and_texts_are_the_utilization(plan):
    ax = plot_utilization(plan)
    mesh = ax.collections[0]
    np.testing.assert_allclose(
        mesh.get_array().reshape(2, 4), plan.utilization.T.to_numpy()
    )
    assert cells(ax) == {
        (0, 0): "67",
        (0, 1): "117",
        (0, 2): "75",
        (0, 3): "0",
        (1, 0): "100",
        (1, 1): "100",
        (1, 2): "0",
        (1, 3): "0",
    }


def test_roles_stand_in_the_order_of_the_portfolio(plan):
    ax = plot_utilization(plan)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Developer", "Tester"]
    assert ax.yaxis_inverted()


def test_the_colour_jumps_just_above_full(plan):
    mesh = plot_utilization(plan).collections[0]
    full, over = mesh.cmap(mesh.norm([1.0, 1.01]))
    assert full[2] > 0.9  # nearly white
    assert over[0] > 0.9 > 0.6 > over[2]  # orange
    room, idle = mesh.cmap(mesh.norm([0.9, 0.0]))
    assert idle[2] > idle[0]  # blue
    assert room[2] > 0.9


def test_load_without_capacity_and_neither(plan):
    grid = plan.portfolio.capacity.assign(Tester=0.0)
    without = Plan.from_starts(plan.portfolio.replace(capacity=grid), plan.starts)
    ax = plot_utilization(without)
    assert [cells(ax).get((1, t)) for t in range(4)] == ["∞", "∞", None, None]
    drawn = ax.collections[0].get_array().reshape(2, 4)
    assert drawn.mask[1].tolist() == [False, False, True, True]


def test_overload_is_counted_in_the_note(plan):
    ax = plot_utilization(plan)
    assert "1 of 2 roles overloaded in some period" in [t.get_text() for t in ax.texts]


@pytest.mark.parametrize(("roles", "periods", "written"), [(3, 12, True), (40, 60, 0)])
def test_percentages_only_where_they_fit(make_plan, roles, periods, written):
    plan = make_plan(1, projects=5, roles=roles, periods=periods)
    assert bool(cells(plot_utilization(plan))) is bool(written)


def test_no_roles(plan):
    empty = Plan.from_starts(Portfolio("", horizon=plan.portfolio.horizon), {})
    ax = plot_utilization(empty)
    assert [t.get_text() for t in ax.texts] == ["There are no roles."]
