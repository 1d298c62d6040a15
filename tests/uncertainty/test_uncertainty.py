"""The file that says what is uncertain, and what of it fits a portfolio."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.uncertainty.uncertainty import Spread, Uncertainty, driver_factor

WHOLE = """
wins = false
keep = "fte"
drivers = "drivers.csv"

[duration]
kind = "pert"
low = 0.9
mode = 1
high = 1.6

[[duration.for]]
theme = "Data"
kind = "lognormal"
p50 = 1.1
p80 = 1.5

[[duration.for]]
project = "LAKE"
status = "proposed"
kind = "fixed"
value = 1.3

[demand]
kind = "lognormal"
mean = 1.1
sd = 0.2

[value]
kind = "empirical"
values = [0.8, 1, 1.3]

[[capacity.for]]
role = "Tester"
kind = "triangular"
low = 0.7
mode = 0.9
high = 1

[attrition]
share = 0.01

[[driver]]
driver = "Vendor late"
probability = 0.3
multiplies = "duration"
low = 1.0
mode = 1.1
high = 1.4
theme = "Core systems"
"""


def read(tmp_path, text: str) -> Uncertainty:
    file = tmp_path / "uncertainty.toml"
    file.write_text(text, encoding="utf-8")
    return pmo.read_uncertainty(file)


def test_a_whole_file(tmp_path):
    (tmp_path / "drivers.csv").write_text(
        "driver,probability,multiplies,low,high,role\nFlu,0.2,capacity,0.8,0.9,\n"
    )
    found = read(tmp_path, WHOLE)
    assert not found.wins
    assert found.keep == "fte"
    assert found.attrition_of("Tester") == 0.01
    about = {"project": "CRM", "theme": "Customer", "status": "proposed"}
    assert found.distribution("duration", **about) == pmo.uncertainty.Pert(0.9, 1, 1.6)
    data = {**about, "theme": "Data"}
    assert found.distribution("duration", **data) == pmo.uncertainty.Lognormal(1.1, 1.5)
    lake = {**data, "project": "LAKE"}
    assert found.distribution("duration", **lake) == pmo.uncertainty.Fixed(1.3)
    running = {**lake, "status": "running"}
    assert found.distribution("duration", **running) == pmo.uncertainty.Lognormal(
        1.1, 1.5
    )
    assert found.distribution("demand", **about).mean == pytest.approx(1.1)
    assert found.distribution("value", **about).mean == pytest.approx(3.1 / 3)
    assert found.distribution("capacity", role="Tester").mean == pytest.approx(2.6 / 3)
    assert found.distribution("capacity", role="Developer") == pmo.uncertainty.Fixed(
        1.0
    )
    drivers = found.drivers.set_index("driver")
    assert drivers.at["Vendor late", "theme"] == "Core systems"
    # Without a most likely factor it is the middle.
    assert drivers.at["Flu", "mode"] == pytest.approx(0.85)
    found.check(pmo.example_portfolio())


def test_an_empty_file_is_what_is_planned_but_for_wins(tmp_path):
    found = read(tmp_path, "")
    assert found.wins
    about = {"project": "CRM", "theme": "Data", "status": "proposed"}
    for quantity in ("duration", "demand", "value"):
        assert found.distribution(quantity, **about) == pmo.uncertainty.Fixed(1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duratoin = 1", "duratoin is unknown .did you mean 'duration'"),
        ("[duration]\nkind = 'pret'", "not 'pret' .did you mean 'pert'"),
        ("[duration]\nkind = 'pert'\nlow = 1", "pert needs 'mode', 'high'"),
        (
            "[duration]\nkind='pert'\nlow=1\nmode=1\nhihg=2\nhigh=2",
            "hihg is unknown .did you mean 'high'",
        ),
        ("[duration]\nkind='pert'\nlow=2\nmode=1\nhigh=3", "increasing order"),
        ("[duration]\nkind='pert'\nlow='1'\nmode=1\nhigh=3", "low is a number"),
        ("duration = 1.2", r"\[duration\] has to be a section"),
        ("[[duration.for]]\ntheme='x'", "kind is one of"),
        (
            "[[duration.for]]\nthme='x'\nkind='fixed'",
            "thme is unknown .did you mean 'theme'",
        ),
        ("[[duration.for]]\ntheme=3\nkind='fixed'", "theme is text"),
        ("[value]\nkind='reference'", "finished projects tell nothing of value"),
        ("[value]\nkind='empirical'\nvalues=1", "a list of numbers"),
        ("[value]\nkind='empirical'\nvalues=['a']", "a list of numbers"),
        ("[[capacity.for]]\ntheme='x'\nkind='fixed'", "theme is unknown"),
        ("wins = 1", "wins is true or false"),
        ("keep = 'efort'", "'efort' .did you mean 'effort'"),
        ("[attrition]\nrate = 0.1", "rate is unknown"),
        ("[attrition]\nshare = 1.5", "from 0 to below 1"),
        ("[attrition]\nshare = 'x'", "share is a number"),
        ("[[attrition.for]]\nrole='x'", "role and share"),
        ("drivers = 'none.csv'", "none.csv cannot be read"),
        ("drivers = 1", "drivers is the name of a CSV file"),
        ("[driver]\ndriver='x'", r"drivers are written \[\[driver\]\]"),
        ("[[driver]]\ndriver='x'\nprob=1", "'prob' is unknown"),
        ("[[driver]]\ndriver='x'", "'probability' is missing"),
        ("not toml", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, text)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    with pytest.raises(ConfigError, match=r"wnis is unknown.*kind is one of"):
        read(tmp_path, "wnis = true\n[value]\nkind = 'x'")
    with pytest.raises(ConfigError, match="Cannot read"):
        pmo.read_uncertainty(tmp_path / "nothing.toml")


ROW = {
    "driver": "Late",
    "probability": 0.5,
    "multiplies": "duration",
    "low": 1.0,
    "mode": 1.2,
    "high": 2.0,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probability": 1.5}, "probability is a number from 0 to 1"),
        ({"probability": "often"}, "probability is a number from 0 to 1"),
        ({"multiplies": "durations"}, "did you mean 'duration'"),
        ({"mode": 3.0}, "low, mode and high"),
        ({"low": -1.0}, "low, mode and high"),
        ({"role": "Dev"}, "duration has no role"),
        ({"multiplies": "capacity", "theme": "x"}, "capacity has a role"),
        ({"driver": ""}, "every driver needs a name"),
    ],
)
def test_drivers_that_cannot_be_are_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        Uncertainty(drivers=pd.DataFrame([{**ROW, **change}]))


def test_a_driver_has_one_probability():
    rows = pd.DataFrame([ROW, {**ROW, "multiplies": "demand", "probability": 0.4}])
    with pytest.raises(ConfigError, match="one probability on all of its rows"):
        Uncertainty(drivers=rows)


@pytest.mark.parametrize(
    ("uncertainty", "said"),
    [
        (
            Uncertainty(duration=[Spread(pmo.uncertainty.Fixed(1.1), project="CRN")]),
            "'CRN' is not in the portfolio .did you mean 'CRM'",
        ),
        (
            Uncertainty(capacity=[Spread(pmo.uncertainty.Fixed(1.1), role="Testr")]),
            "did you mean 'Tester'",
        ),
        (
            Uncertainty(drivers=pd.DataFrame([{**ROW, "theme": "Dta"}])),
            "did you mean 'Data'",
        ),
        (Uncertainty(attrition={"Testre": 0.1}), "did you mean 'Tester'"),
    ],
)
def test_names_that_the_portfolio_does_not_have(uncertainty, said):
    with pytest.raises(ConfigError, match=said):
        pmo.simulate(pmo.example_portfolio(), uncertainty=uncertainty, draws=20)


def test_distributions_that_do_not_fit_their_quantity():
    with pytest.raises(ConfigError, match="cannot be told apart by role"):
        Uncertainty(value=[Spread(pmo.uncertainty.Fixed(1.0), role="Dev")])
    with pytest.raises(ConfigError, match="is a distribution"):
        Uncertainty(value=1.2)
    with pytest.raises(ConfigError, match="is a distribution"):
        Uncertainty(value=[pmo.uncertainty.Fixed(1.0)])


def test_a_driver_strikes_in_its_share_of_the_draws():
    u = (np.arange(1000) + 0.5) / 1000
    factor = driver_factor({**ROW, "probability": 0.3}, u)
    assert (factor == 1.0).sum() == 700
    assert factor[700:].mean() == pytest.approx(4.2 / 3, abs=1e-3)
    assert (driver_factor({**ROW, "probability": 0.0}, u) == 1.0).all()
