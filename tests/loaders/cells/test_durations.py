"""Durations with a unit: whole periods, or refused where a day may be two things."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.cells.durations import read_length
from tests.support.folders import HORIZON, make_folder, read_quietly, said


def periods(text: str, freq: str) -> list[int] | None:
    length = read_length(text)
    return None if length is None else length.periods(freq)


@pytest.mark.parametrize(
    ("text", "freq", "counts"),
    [
        ("3 months", "M", [3]),
        ("3 mons", "M", [3]),
        ("1 Monat", "M", [1]),
        ("3 mois", "M", [3]),
        ("2 meses", "M", [2]),
        ("3个月", "M", [3]),
        ("1 year", "M", [12]),
        ("2 quarters", "M", [6]),
        ("2 wks", "M", [1]),
        ("6 weeks?", "M", [2]),
        ("13 weeks", "M", [3]),
        ("52 weeks", "M", [12]),
        ("1.5 months", "M", [2]),
        ("5 days", "M", [1]),
        ("5 Tage", "W", [1]),
        ("10d", "W", [2]),
        ("20 days", "W", [4, 3]),
        ("20 edays", "W", [3]),
        ("60 days", "M", [3, 2]),
        ("3 months", "W", [13]),
        ("1 an", "W", [52]),
        ("3 months", "Q", [1]),
        ("0 days", "M", [0]),
        ("3m", "M", None),
        ("3", "M", None),
        ("three months", "M", None),
        ("3 moons", "M", None),
        ("3-6 months", "M", None),
    ],
)
def test_lengths_of_time(text, freq, counts):
    assert periods(text, freq) == counts


def test_durations_of_a_file(tmp_path):
    text = "project,value,duration\nA,1,3 months\nB,1,6 weeks\nC,1,2\n"
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}))
    assert portfolio.projects["duration"].to_list() == [3, 2, 2]
    found = portfolio.problems.set_index("rule").loc["converted_duration"]
    assert (found["row"], found["found"]) == (3, "6 weeks (1 cells)")


def test_plain_units_are_nothing_to_say(tmp_path):
    text = "project,value,duration\nA,1,3 months\nB,1,1 month\n"
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}, toml=HORIZON))
    assert "converted_duration" not in said(portfolio)


@pytest.mark.parametrize("cell", ["60 days", "3m", "3 moons"])
def test_durations_that_may_be_two_things(tmp_path, cell):
    text = f"project,value,duration\nA,1,{cell}\n"
    with pytest.raises(DataError, match=r"ambiguous_duration|not_a_whole"):
        read_quietly(make_folder(tmp_path, {"projects": text}))
