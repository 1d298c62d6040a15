from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.container import BarContainer

from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan
from pmo_analytics.plotting import plot_budget, plot_spend


def widths(ax, label):
    (found,) = [c for c in ax.containers if c.get_label() == label]
    return [bar.get_width() for bar in found]


def remarks(ax):
    return [t.get_text() for t in ax.texts]


def test_amount_spend_and_what_exceeds(plan):
    # Alpha's money of its first period fell into December: 500 of Capex and
    # 100 + 300 of Opex fall inside the horizon.
    ax = plot_budget(plan)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Capex", "Opex", "Least"]
    assert widths(ax, "amount") == [400.0, 1000.0]
    assert widths(ax, "spend") == [500.0, 400.0, 900.0]
    assert widths(ax, "over budget") == [100.0]
    assert ax.get_xlabel() == "amount (EUR)"


def test_inherited_least_and_share_are_noted(plan, legend_texts):
    ax = plot_budget(plan)
    # The running project alone takes the 500: nobody broke a rule.
    assert remarks(ax) == [
        "125%, inherited",
        "40%",
        "no upper limit, below the least",
    ]
    assert legend_texts(ax) == [
        "amount (at most)",
        "spend",
        "over budget",
        "spend at least",
        "inherited limit",
    ]


def test_chosen_budgets(plan):
    ax = plot_budget(plan, "Opex")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Opex"]
    ax = plot_budget(plan, ["Opex", "Capex"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Capex", "Opex"]
    with pytest.raises(ConfigError, match="did you mean 'Opex'"):
        plot_budget(plan, "Opx")


def test_many_budgets_the_tightest_are_shown_and_said(make_plan):
    plan = make_plan(2, projects=20, budgets=40)
    ax = plot_budget(plan)
    assert "the 20 tightest of 40 budgets" in remarks(ax)
    table = plan.budget.set_index("budget")
    used = table["spend"] / table["amount"]
    shown = [t.get_text() for t in ax.get_yticklabels()]
    assert used[shown].min() >= used.drop(shown).max()


def test_remarks_end_inside_the_axes(plan):
    ax = plot_budget(plan)
    ax.figure.canvas.draw()
    edge = ax.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= edge for text in ax.texts)


def test_no_budgets(make_plan):
    ax = plot_budget(make_plan(1, budgets=0))
    assert remarks(ax) == ["There are no budgets."]


def test_spend_by_fund(plan, legend_texts):
    ax = plot_spend(plan)
    heights = {
        c.get_label(): [bar.get_height() for bar in c]
        for c in ax.containers
        if isinstance(c, BarContainer)
    }
    # Beta starts in February and spends 300 there; Alpha 500 in January.
    assert heights == {
        "Capex": [500.0, 0.0, 0.0, 0.0],
        "Opex": [0.0, 400.0, 0.0, 0.0],
    }
    assert legend_texts(ax) == ["Opex", "Capex"]
    assert ax.get_ylabel() == "spend (EUR)"
    assert ax.get_title(loc="left") == "Spend by fund"


@pytest.mark.parametrize("by", ["category", "theme", "project", "status"])
def test_spend_adds_up_whatever_the_stack(plan, by):
    ax = plot_spend(plan, by)
    total = sum(bar.get_height() for c in ax.containers for bar in c)
    assert total == plan.spend["amount"].sum() == 900.0


def test_cumulative_spend(plan, legend_texts):
    ax = plot_spend(plan, cumulative=True)
    (side,) = [a for a in ax.figure.axes if a is not ax]
    assert list(side.lines[0].get_ydata()) == [500.0, 900.0, 900.0, 900.0]
    assert side.get_ylabel() == "cumulative (EUR)"
    assert legend_texts(ax)[0] == "cumulative"


def test_beyond_top(make_plan, legend_texts):
    plan = make_plan(1, projects=20)
    ax = plot_spend(plan, "project", top=3)
    assert legend_texts(ax)[0].startswith("other (")


def test_unknown_column(plan):
    with pytest.raises(ConfigError, match=r"did you mean 'category'.*fund"):
        plot_spend(plan, "categry")


def test_nothing_spent(plan):
    portfolio = plan.portfolio.replace(spend=pd.DataFrame(plan.portfolio.spend[:0]))
    ax = plot_spend(Plan.from_starts(portfolio, plan.starts))
    assert remarks(ax) == ["Nothing is spent inside the horizon."]


@pytest.mark.parametrize(
    ("amount", "unit"),
    [(300.0, "EUR"), (3e4, "EUR thousand"), (3e7, "EUR million"), (4e9, "EUR billion")],
)
def test_large_amounts_have_a_larger_unit(plan, amount, unit):
    spend = plan.portfolio.spend.assign(amount=amount)
    larger = Plan.from_starts(plan.portfolio.replace(spend=spend), plan.starts)
    assert plot_spend(larger).get_ylabel() == f"spend ({unit})"
