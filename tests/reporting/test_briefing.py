"""The report of a forecast: which roles run short, when, by how much, how surely."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from pmo_analytics.forecasting.headroom import hire_list
from pmo_analytics.reporting.briefing import forecast_report
from pmo_analytics.reporting.page import page_html
from tests.support.forecasts import hand_worked


def report(forecast, **more):
    return forecast_report(forecast, portfolio="Group IT", as_of="2026-12-31", **more)


def test_the_message_names_role_period_amount_and_chance():
    made = report(hand_worked())
    assert made.summary == (
        "At risk of overload: Architect (100 % in 2027-03, 4.0 FTE short in the "
        "median); Developer (75 % in 2027-01, 1.0 FTE short in the median)."
    )
    assert made.as_of == "2026-12-31, looking at 2027-01 to 2027-03"
    values = {fact.label: fact.value for fact in made.headline}
    assert values["Roles more likely short than not"] == "2 of 3"
    assert values["Most at risk"] == "Architect"
    assert made.headline[0].alarm


def test_hires_are_added_up_by_role_with_their_first_dates():
    hires = hire_list(hand_worked(), chance=0.2, lead=2)
    made = report(hand_worked(), hires=hires)
    facts = {fact.label: fact for fact in made.headline}
    assert facts["To hire"].value == "5.0 FTE"
    assert facts["Hiring begins"].value == "now"
    assert facts["Hiring begins"].note == "first needed in 2027-01, was due 2026-11"
    assert "5.0 FTE would bring every chance to 20 % or less" in made.summary
    (section,) = [s for s in made.sections if s.title == "Whom to hire"]
    rows = section.table.set_index("role")
    assert rows["fte"].to_dict() == {"Architect": 4.0, "Developer": 1.0}
    assert rows["needed_from"].astype(str).to_list() == ["2027-01", "2027-01"]
    assert rows["late"].to_list() == [True, True]


def test_nobody_is_short():
    calm = dataclasses.replace(hand_worked(), draws=np.ones((4, 3, 3)))
    made = report(calm, hires=hire_list(calm))
    assert made.summary == "No role reaches a 20 % chance of overload in any period."
    assert not any(fact.alarm for fact in made.headline)
    assert [fact.label for fact in made.headline] == [
        "Roles more likely short than not",
        "To hire",
    ]


def test_charts_stand_in_their_order_and_only_those_there_are():
    figures = {name: Figure() for name in ("accuracy", "load", "headroom", "overload")}
    made = report(hand_worked(), figures=figures)
    drawn = [s.figure for s in made.sections if s.figure is not None]
    wanted = [figures[n] for n in ("overload", "headroom", "load", "accuracy")]
    assert [id(figure) for figure in drawn] == [id(figure) for figure in wanted]


@pytest.mark.parametrize("roles", [0, 3])
def test_it_becomes_a_page(roles):
    forecast = dataclasses.replace(hand_worked(), notes=("8% leave in a year.",))
    if not roles:
        forecast = dataclasses.replace(forecast, roles=(), draws=np.zeros((4, 3, 0)))
    html = page_html(report(forecast, hires=hire_list(forecast)))
    assert "8% leave in a year." in html
    assert ("Architect" in html) is bool(roles)
