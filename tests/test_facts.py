"""Results in notebooks: escaped, with their key figures, numbers grouped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.facts import Facts, facts_html, table_html
from tests.support.clock import AMPLE
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

BAD = "<script>alert(1)</script>"


def test_facts_stay_numbers_and_read_with_separators():
    facts = Facts({"objective": 1234567.5, "selected": 1200, "ok": True}, dtype=object)
    assert facts["objective"] == 1234567.5
    assert "1,234,567.50" in repr(facts)
    assert "1,200" in str(facts)
    assert "1,234,567.50" in facts_html(facts)
    assert "True" in repr(facts)


def test_tables_are_escaped_and_say_what_is_left_out():
    table = pd.DataFrame({"project": [BAD] * 25, "p_overload": [0.004] * 25})
    html = table_html(table, most=20)
    assert "<script>" not in html
    assert "&lt;1 %" in html
    assert "chance of overload" in html
    assert "5 more rows" in html


def test_a_forecast_says_what_it_is_and_what_was_assumed():
    periods = pd.period_range("2027-01", periods=2, freq="M")
    draws = np.array([[[1.0], [-2.0]], [[1.0], [3.0]]])
    forecast = pmo.Forecast("headroom", periods, (BAD,), draws, notes=(BAD,))
    html = forecast._repr_html_()
    assert "Forecast of headroom" in html
    assert "2027-02" in html  # the period in which it may miss people
    assert "50 %" in html
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 2
    nothing = pmo.Forecast("load", periods, (), np.zeros((2, 2, 0)))
    assert "nothing" in nothing._repr_html_()


@pytest.mark.parametrize("quantity", ["capacity", "load"])
def test_a_forecast_names_its_extreme_period(quantity):
    periods = pd.period_range("2027-01", periods=2, freq="M")
    draws = np.array([[[1.0], [5.0]], [[1.0], [5.0]]])
    html = pmo.Forecast(quantity, periods, ("Dev",), draws)._repr_html_()
    assert ("2027-02" if quantity == "load" else "lowest in") in html


def test_a_comparison_says_how_sure_each_plan_is():
    portfolio = tiny_portfolio().replace(name=BAD)
    result = pmo.compare(
        portfolio,
        [pmo.Scenario(BAD, pmo.add_capacity("Dev", fte=1))],
        limits=pmo.SolveLimits(seconds=AMPLE),
        workers=1,
    )
    html = result._repr_html_()
    for word in ("status", "bound", "gap", "certified", "objective"):
        assert f">{word}</th>" in html
    assert "<script>" not in html
    assert "16.61" in html
    assert "True" in html or "yes" in html
