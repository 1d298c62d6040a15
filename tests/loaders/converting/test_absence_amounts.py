"""Hours and days beside absences, worked by hand: July 2027 has 22 working days."""

from __future__ import annotations

import pytest

from pmo_analytics.clock.periods import hours_per_fte
from tests.support.folders import make_folder, read_quietly, said

FILES = {
    "projects": "project,value,duration\nA,1,1\n",
    "demand": "project,role,offset,fte\nA,Dev,0,0.1\n",
    "people": "person,role\nP,Dev\n",
}
JULY = '[horizon]\nstart = "2027-07"\nperiods = 1\nfreq = "M"\n'


@pytest.mark.parametrize(
    ("absences", "days"),
    [
        ("person,start,end,hours\nP,2027-07-05,2027-07-05,4\n", 21.5),
        ("person,start,end,hours\nP,2027-07-05,2027-07-05,8\n", 21.0),
        ("Person;Von;Bis;Tage\nP;05.07.2027;05.07.2027;0,5\n", 21.5),
        ("person,start,end,days,share\nP,2027-07-05,2027-07-05,0.5,0.25\n", 21.75),
        ("person,start,end,days\nP,2027-07-05,2027-07-09,5\n", 17.0),
        ("person,start,end,hours\nP,2027-07-05,2027-07-05,\n", 21.0),
    ],
)
def test_part_of_one_day(tmp_path, absences, days):
    folder = make_folder(tmp_path, FILES | {"absences": absences}, toml=JULY)
    portfolio = read_quietly(folder)
    hours = float(portfolio.capacity["Dev"].iloc[0]) * hours_per_fte("M")
    assert hours / 8 == pytest.approx(days, abs=1e-3)
    assert ("parts_of_days" in said(portfolio)) == (days == 21.5)


def test_part_of_several_days_is_said(tmp_path):
    text = "person,start,end,days\nP,2027-07-05,2027-07-09,4.5\n"
    portfolio = read_quietly(make_folder(tmp_path, FILES | {"absences": text}))
    assert portfolio.absences["share"].to_list() == [1.0]
    assert "parts_of_days" in said(portfolio)


def test_hours_that_no_table_counts_are_said_to_be_unused(tmp_path):
    text = "project,offset,amount,hours\nA,0,5,7\n"
    portfolio = read_quietly(make_folder(tmp_path, FILES | {"spend": text}))
    found = portfolio.problems.query("rule == 'extra_column'")
    assert found["column"].to_list() == ["hours"]
