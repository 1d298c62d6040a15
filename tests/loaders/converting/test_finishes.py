"""Finishes that contradict durations, and those that do not."""

from __future__ import annotations

import pytest

from pmo_analytics.loaders import load_portfolio, loaded_problems

TOML = '[horizon]\nstart = "2027-01-01"\nperiods = 24\nfreq = "{}"\n'


@pytest.mark.parametrize(
    ("freq", "start", "duration", "finish", "contradicts"),
    [
        ("M", "2027-02-01", 3, "2027-07-31", True),
        ("M", "2027-02", 3, "2027-04", False),
        ("M", "2027-02", 3, "2027-05", True),
        ("M", "2027-02-01", 3, "2027-04-30", False),
        ("M", "2027-02-15", 3, "2027-05-14", False),
        ("M", "2027-02-01", 3, "2027-04-02", False),
        ("M", "2027-02-01", 3, "", False),
        ("M", "", 3, "2027-04-30", False),
        ("M", "2027-02-01", "", "2027-04-30", False),
        ("M", "2027-02-01", 3, "soon", False),
        ("W", "2027-02-01", 2, "2027-02-14", False),
        ("W", "2027-02-01", 2, "2027-03-14", True),
        ("Q", "2027-01-01", 2, "2027-06-30", False),
        ("Q", "2027-01-01", 4, "2027-06-30", True),
    ],
)
def test_duration_and_finish(tmp_path, freq, start, duration, finish, contradicts):
    (tmp_path / "portfolio.toml").write_text(TOML.format(freq))
    (tmp_path / "projects.csv").write_text(
        f"project,value,start,duration,finish\nA,1,{start},{duration},{finish}\n"
    )
    found = loaded_problems(load_portfolio(tmp_path))
    hit = found[found["rule"] == "duration_contradicts_finish"]
    assert len(hit) == contradicts
    if contradicts:
        assert hit["row"].tolist() == [2]
        assert f"finish {finish}" in hit["found"].iat[0]


def test_finish_without_start_is_said_to_be_unused(tmp_path):
    (tmp_path / "portfolio.toml").write_text(TOML.format("M"))
    (tmp_path / "projects.csv").write_text(
        "project,value,start,duration,finish\nA,1,,3,2027-04\nB,1,2027-02,3,2027-04\n"
    )
    found = loaded_problems(load_portfolio(tmp_path))
    assert found[found["rule"] == "finish_without_start"]["row"].tolist() == [2]
