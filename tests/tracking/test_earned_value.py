"""Earned value as the literature works it out, and what cannot be worked out."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.tracking import earned_value
from pmo_analytics.tracking.earned.values import earned_share, rules_of

# Worked examples: what is given, what is published (rounded as there).
PUBLISHED = {
    "R. Mulcahy, PMP Exam Prep: a fence of four sides, day three": (
        {"bac": 4000, "pv": 3000, "ev": 2500, "ac": 2800},
        {"cv": -300, "sv": -500, "cpi": 0.893, "spi": 0.833, "eac": 4480, "vac": -480},
    ),
    "the same: to be spent yet": (
        {"bac": 4000, "pv": 3000, "ev": 2500, "ac": 2800},
        {"etc": 1680},
    ),
    "UT Dallas, Advanced Topics in Project Management: half of a year": (
        {"bac": 100_000, "pv": 55_000, "ev": 50_000, "ac": 45_000},
        {"cv": 5000, "sv": -5000, "cpi": 1.111, "spi": 0.909, "eac": 90_000},
    ),
    "Construction Methods and Project Management: month six": (
        {"bac": 1_000_000, "pv": 500_000, "ev": 450_000, "ac": 480_000},
        {"cv": -30_000, "sv": -50_000, "cpi": 0.938, "spi": 0.9, "eac": 1_066_667},
    ),
    "the same book: a storm that comes once": (
        {"bac": 2_000_000, "pv": 1_000_000, "ev": 1_000_000, "ac": 1_100_000},
        {"eac_budget": 2_100_000},
    ),
    "the same book: the budget has to hold": (
        {"bac": 5_000_000, "pv": np.nan, "ev": 2_000_000, "ac": 2_500_000},
        {"tcpi": 1.2},
    ),
    "What's in Earned Value Management, part IV: one task, from the bottom up": (
        {"bac": 10_000, "pv": 10_000, "ev": 9_166.67, "ac": 11_000, "etc": 1000},
        {"eac_estimate": 12_000, "cv": -1_833.33, "sv": -833.33},
    ),
    "civil engineers' board: the rate so far goes on": (
        {"bac": 5_000_000, "pv": np.nan, "ev": 1_500_000, "ac": 1_800_000},
        {"eac": 6_000_000, "cpi": 0.833},
    ),
    "civil engineers' board: to complete": (
        {"bac": 10_000_000, "pv": np.nan, "ev": 3_000_000, "ac": 3_500_000},
        {"cpi": 0.857, "tcpi": 1.077},
    ),
    "project FG after three of six months": (
        {"bac": 200_000, "pv": 120_000, "ev": 60_000, "ac": 90_000},
        {"cv": -30_000, "sv": -60_000, "cpi": 0.667, "spi": 0.5, "eac": 300_000},
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_worked_examples_of_the_literature(case):
    given, published = PUBLISHED[case]
    found = earned_value(**given).iloc[0]
    for name, value in published.items():
        digits = 3 if abs(value) < 10 else 0
        assert round(found[name], digits) == pytest.approx(round(value, digits)), name


def test_what_is_to_be_spent_is_held_against_what_was_spent_not_against_what_is_done():
    # One popular page prints ETC = EAC - EV.
    found = earned_value(bac=4000, pv=3000, ev=2500, ac=2800).iloc[0]
    assert found["ac"] + found["etc"] == pytest.approx(found["eac"])


def test_both_rates_together():
    found = earned_value(bac=1000, pv=500, ev=400, ac=500).iloc[0]
    assert found["eac_both"] == pytest.approx(500 + 600 / (0.8 * 0.8))


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"bac": 100, "pv": 0, "ev": 0, "ac": 0}, ["cpi", "spi", "eac", "eac_both"]),
        ({"bac": 100, "pv": 100, "ev": 100, "ac": 100}, ["tcpi", "tcpi_eac"]),
        ({"bac": 100, "pv": 50, "ev": np.nan, "ac": 10}, ["cv", "sv", "cpi", "spi"]),
        ({"bac": np.nan, "pv": 50, "ev": 40, "ac": 10}, ["eac", "vac", "tcpi"]),
    ],
)
def test_no_index_is_better_than_an_infinite_one(given, missing):
    found = earned_value(**given).iloc[0]
    assert found[missing].isna().all()
    assert not np.isinf(found.to_numpy(dtype=float)).any()


@pytest.mark.parametrize(
    ("rule", "complete", "reached", "share"),
    [
        ("percent", 0.3, 0.5, 0.3),
        ("0/100", 0.99, 0.5, 0.0),
        ("0/100", 1.0, 0.5, 1.0),
        ("50/50", 0.0, 0.5, 0.0),
        ("50/50", 0.01, 0.5, 0.5),
        ("50/50", 1.0, 0.5, 1.0),
        ("milestones", 0.3, 0.5, 0.5),
    ],
)
def test_rules_of_earning(rule, complete, reached, share):
    assert earned_share(rule, complete, reached) == share


def test_rules_that_nobody_knows_are_refused():
    with pytest.raises(ConfigError, match="percent, 0/100"):
        rules_of("persent", ["A"])
    with pytest.raises(ConfigError, match="No project is called 'A2'"):
        rules_of({"A2": "percent"}, ["A1"])
    assert rules_of({"A": "50/50"}, ["A", "B"]) == {"A": "50/50", "B": "percent"}
