"""The numbers that decide a search: looked at when given, handed down, reported."""

from __future__ import annotations

from dataclasses import fields

import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.params import (
    AnnealingParams,
    DivingParams,
    RaceParams,
    SearchParams,
    StartParams,
)
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def test_params_travel_as_json_and_back():
    params = SearchParams(
        annealing=AnnealingParams(members=64, cheap=(0.1, 0.2)),
        race=RaceParams(look=0.25),
    )
    changed = params.changed()
    assert changed == {
        "race": {"look": 0.25},
        "annealing": {"members": 64, "cheap": [0.1, 0.2]},
    }
    assert SearchParams.of(changed) == params
    assert SearchParams().changed() == {}
    assert SearchParams.of({}) == SearchParams()


def test_every_number_is_described():
    for one in fields(SearchParams):
        text = type(one.default).__doc__
        described = {
            name.strip()
            for line in text.split("Parameters")[1].splitlines()
            if line.startswith("    ") and not line.startswith("     ")
            for name in line.split(",")
        }
        assert {field.name for field in fields(one.default)} <= described


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"anealing": {}}, "did you mean 'annealing'"),
        ({"annealing": {"member": 1}}, "did you mean 'members'"),
        ({"annealing": 3}, "a table of numbers"),
        ({"annealing": {"members": 1}}, "a whole number from 2, not 1"),
        ({"annealing": {"members": 2.5}}, "a whole number"),
        ({"annealing": {"paired": 1.5}}, "a number from 0 to 1, not 1.5"),
        ({"annealing": {"blur": float("nan")}}, "a number from 0, not nan"),
        ({"annealing": {"blur": True}}, "a number from 0, not True"),
        ({"annealing": {"blur": "warm"}}, "a number from 0, not 'warm'"),
        ({"annealing": {"cheap": [2.0, 1.0]}}, "the smaller one first"),
        ({"annealing": {"cheap": 2.0}}, "two numbers"),
    ],
)
def test_what_cannot_be_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        SearchParams.of(given)


def test_numbers_that_moved_are_taken_by_their_old_names():
    old = {"alternation": {"growth": 1.2, "hottest": 1.0, "kept": [0.5, 0.6]}}
    with pytest.warns(DeprecationWarning, match="is re") as told:
        params = SearchParams.of({**old, "repacking": {"many": 7}})
    assert params.changed() == {
        "alternation": {"growth": 1.2},
        "repacking": {"hottest": 1.0, "many": 7},
        "rebuilding": {"kept": [0.5, 0.6]},
    }
    assert [str(one.message) for one in told] == [
        "alternation.hottest is repacking.hottest now.",
        "alternation.kept is rebuilding.kept now.",
    ]


def test_params_of_another_search_are_refused():
    with pytest.raises(ConfigError, match=r"SearchParams\.lns is LnsParams"):
        SearchParams(lns=DivingParams())


def test_what_was_changed_stands_in_the_report():
    portfolio = tiny_portfolio()
    params = SearchParams(start=StartParams(shakes=1))
    report = pmo.optimize(portfolio, params=params).report
    assert report.params == {"start": {"shakes": 1}}
    assert report.to_dict()["params"] == report.params
    assert "params" not in pmo.optimize(portfolio).report.to_dict()
