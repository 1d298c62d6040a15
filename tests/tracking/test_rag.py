"""Colours by rules: each says which value of which indicator made it."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.tracking import RULES, read_rules
from pmo_analytics.tracking.judging.rag import colours_of, judged

CPI = {"cpi": {"amber": 0.95, "red": 0.85}}


@pytest.mark.parametrize(
    ("rules", "value", "colour"),
    [
        (CPI, 0.95, "green"),
        (CPI, 0.949, "amber"),
        (CPI, 0.85, "amber"),
        (CPI, 0.84, "red"),
        (CPI, float("nan"), ""),
        ({"slip_days": {"amber": 15, "red": 45}}, 14, "green"),
        ({"slip_days": {"amber": 15, "red": 45}}, 15, "amber"),
        ({"slip_days": {"amber": 15, "red": 45}}, 45, "red"),
        ({"age_days": {"amber": 35}}, 400, "amber"),
        ({"overdue": {"red": 1}}, 1, "red"),
    ],
)
def test_where_colours_begin(rules, value, colour):
    assert read_rules(rules)[0].colour(value) == colour


def judge(rules, **values):
    rules = read_rules(rules)
    frame = pd.DataFrame(values, index=pd.Index(["A"], name="project"))
    return judged(frame, colours_of(frame, rules), rules).loc["A"]


def test_the_worst_indicator_decides_and_says_so():
    rules = {**CPI, "slip_days": {"amber": 15, "red": 45}, "age_days": {"amber": 35}}
    found = judge(
        rules, cpi=[0.9], slip_days=[60.0], age_days=[1.0], slipped=["Go live"]
    )
    assert found["rag"] == "red"
    assert found["reason"] == "Go live: slip of 60 days (red from 45)"
    assert (found["money"], found["milestones"]) == ("amber", "red")
    assert found["report"] == "green"


def test_all_reasons_of_that_colour_are_named():
    rules = {**CPI, "spi_t": {"amber": 0.95}}
    found = judge(rules, cpi=[0.9], spi_t=[0.5])
    assert found["reason"] == (
        "CPI 0.90 (amber below 0.95); SPI(t) 0.50 (amber below 0.95)"
    )


def test_nothing_known_has_no_colour_and_a_fresh_report_is_no_green():
    rules = {**CPI, "age_days": {"amber": 35}}
    found = judge(rules, cpi=[float("nan")], age_days=[0.0])
    assert pd.isna(found["rag"])
    assert "nothing is known" in found["reason"]
    assert judge(rules, cpi=[float("nan")], age_days=[90.0])["rag"] == "amber"


def test_rules_of_a_file_take_the_place_of_those_of_the_house(tmp_path):
    file = tmp_path / "rag.toml"
    file.write_text("[cpi]\namber = 1.0\nred = 0.5\n")
    assert [r.indicator for r in read_rules(file)] == ["cpi"]
    assert [r.indicator for r in read_rules()] == list(RULES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cpy]\nred = 1", "did you mean 'cpi'"),
        ("[cpi]\nyellow = 1", "amber and red"),
        ("cpi = 1", "amber and red"),
        ("[cpi]\nred = '1'", "is no number"),
        ("[cpi]\nred = true", "is no number"),
        ("[cpi]\namber = 0.8\nred = 0.9", "less is worse"),
        ("[slip_days]\namber = 45\nred = 15", "more is worse"),
        ("", "no rule"),
        ("[cpi", "cannot be read"),
    ],
)
def test_rules_that_cannot_be_used(tmp_path, text, said):
    file = tmp_path / "rag.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_rules(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules(tmp_path / "none.toml")
