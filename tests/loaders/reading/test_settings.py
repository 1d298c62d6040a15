"""portfolio.toml and the settings sheet: read strictly, written so that it reads."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.loaders.findings import FileFormat, Place
from pmo_analytics.loaders.reading.settings import read_sheet, read_toml, toml_text
from pmo_analytics.portfolio import Portfolio
from tests.support.counts import tried

HERE = Place("portfolio", "portfolio.toml")
FULL = """
name = "组合"
[horizon]
start = "2027-01"
periods = 24
freq = "M"
[value]
discount = 0.005
source = "sum"
net_of_spend = true
currency = "EUR"
[calendar]
hours_per_week = 38.5
country = "DE"
[files]
encoding = "gb18030"
decimal = ","
dayfirst = true
delimiter = ";"
"""


def toml(text: str):
    return read_toml(text, HERE)


def sheet(*rows: list):
    return read_sheet(enumerate(rows, 1), Place("portfolio", "a.xlsx", "portfolio"))


def test_every_setting_is_read():
    declared, problems = toml(FULL)
    assert problems == []
    assert declared.values["name"] == "组合"
    assert declared.values["horizon.start"] == "2027-01"
    assert declared.values["horizon.periods"] == 24
    assert declared.settings == Settings(0.005, "sum", True, "EUR", 38.5, "DE")
    assert declared.format == FileFormat("gb18030", ",", True, ";")


@pytest.mark.parametrize(
    ("text", "start"),
    [("2027-01-01", dt.date(2027, 1, 1)), ("2027", 2027), ('"2027Q1"', "2027Q1")],
)
def test_the_start_may_be_a_date_a_year_or_text(text, start):
    declared, problems = toml(f"[horizon]\nstart = {text}")
    assert problems == []
    assert declared.values["horizon.start"] == start


@pytest.mark.parametrize(
    ("text", "rule", "fix"),
    [
        ("[horizon]\nperids = 3", "unknown_setting", "did you mean 'horizon.periods'"),
        ("periods = 3", "unknown_setting", r"belongs into the section \[horizon\]"),
        ("[horizont]\nstart = 1", "unknown_setting", "horizont"),
        ("horizon = 3", "unknown_setting", "horizon"),
        ("name = 3", "bad_setting", "text in quotes"),
        ("[horizon]\nperiods = 2.5", "bad_setting", "whole number"),
        ("[horizon]\nperiods = true", "bad_setting", "number"),
        ("[horizon]\nstart = 10:30:00", "bad_setting", "period"),
        ("[value]\ndiscount = inf", "bad_setting", "finite"),
        ("[value]\ndiscount = '1'", "bad_setting", "number"),
        ("[value]\nnet_of_spend = 1", "bad_setting", "true or false"),
        ("[files]\ndecimal = ';'", "bad_setting", "'.' or ','"),
        ("[files]\ndelimiter = ';;'", "bad_setting", "one character"),
        ("[files]\ndelimiter = 'a'", "bad_setting", "one character"),
        ("[files]\nencoding = 'base64'", "bad_setting", "no encoding"),
    ],
)
def test_wrong_settings_are_named(text, rule, fix):
    _, problems = toml(text)
    assert [p["rule"] for p in problems] == [rule]
    with pytest.raises(AssertionError, match=fix):
        raise AssertionError(problems[0]["fix"])


def test_a_sheet_has_the_same_settings():
    declared, problems = sheet(
        ["Portfolio settings"],
        ["key", "value", "note"],
        [None, None, None],
        ["name", "A", "the name"],
        ["horizon.start", dt.date(2027, 1, 1)],
        ["期数", 12.0],
        ["Freq", "M"],
        ["Discount rate", "0.5%"],
        ["hours per week", 40.0],
        ["net_of_spend", "yes"],
        ["country", None, "a remark and no value"],
        ["day first", False],
    )
    assert problems == []
    assert declared.values == {
        "name": "A",
        "horizon.start": dt.date(2027, 1, 1),
        "horizon.periods": 12,
        "horizon.freq": "M",
        "value.discount": 0.005,
        "calendar.hours_per_week": 40.0,
        "value.net_of_spend": True,
        "files.dayfirst": False,
    }
    assert declared.rows["horizon.periods"] == 6


def test_a_wrong_setting_of_a_sheet_names_its_row():
    _, problems = sheet(["curency", "EUR"], ["periods", "many"])
    assert [(p["rule"], p["row"]) for p in problems] == [
        ("unknown_setting", 1),
        ("bad_setting", 2),
    ]
    assert "did you mean 'currency'" in problems[0]["fix"]


@settings(max_examples=tried(100), deadline=None)
@given(st.text(), st.text(max_size=5), st.floats(0, 1))
def test_what_is_written_is_read(name, currency, discount):
    settings = Settings(discount=discount, currency=currency.strip())
    horizon = make_horizon("2027-W05", 3, "W")
    portfolio = Portfolio(name, horizon=horizon, settings=settings)
    declared, problems = toml(toml_text(portfolio))
    assert problems == []
    assert declared.values["name"] == name
    assert declared.settings == settings
    assert declared.values["horizon.start"] == "2027-W05"
    assert declared.values["horizon.freq"] == "W"


@pytest.mark.parametrize("freq", ["W", "M", "Q", "Y", "Q-MAR", "Y-MAR"])
def test_the_frequency_keeps_its_anchor(freq):
    horizon = make_horizon("2027-03-31", 2, freq)
    declared, _ = toml(toml_text(Portfolio(horizon=horizon)))
    assert declared.values["horizon.freq"] == freq
    again = make_horizon(
        declared.values["horizon.start"], declared.values["horizon.periods"], freq
    )
    assert again.equals(horizon)
