"""Timesheets: hours between clock times, and rows that say nothing."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from tests.support.folders import make_folder, read_quietly, said

FILES = {
    "projects": "project,value,duration\nA,1,2\n",
    "demand": "project,role,offset,fte\nA,Dev,0,0.1\n",
    "people": "person,role,fte\nP,Dev,1\n",
}


def actuals(tmp_path, text: str):
    return read_quietly(make_folder(tmp_path, FILES | {"actuals": text}))


@pytest.mark.parametrize(
    "text",
    [
        "person,date,checkin,checkout\nP,2026-11-02,08:00:00,16:30:00\n",
        "person,date,Clock in,Clock out\nP,2026-11-02,8:00 AM,4:30 PM\n",
        "person,date,Kommen,Gehen\nP,02.11.2026,08:00,16:30\n",
        "person,date,start,end\nP,2026-11-02,2026-11-02T08:00,2026-11-02T16:30\n",
        "person,start,end\nP,2026-11-02 08:00:00,2026-11-02 16:30:00\n",
        "person,start time,end time\nP,2026-11-02 20:00,2026-11-03 04:30\n",
    ],
)
def test_hours_between_clock_times(tmp_path, text):
    portfolio = actuals(tmp_path, text)
    assert portfolio.actuals["hours"].to_list() == [8.5]
    assert portfolio.actuals["period"].astype(str).to_list() == ["2026-11"]
    assert "hours_from_clock" in said(portfolio)


def test_hours_that_are_given_are_kept(tmp_path):
    text = (
        "person,date,hours,start,end\n"
        "P,2026-11-02,7.5,08:00,16:30\nP,2026-11-03,,08:00,12:00\n"
    )
    assert actuals(tmp_path, text).actuals["hours"].to_list() == [7.5, 4.0]


@pytest.mark.parametrize(
    "text",
    [
        "person,date\nP,2026-11-02\nP,2026-11-03\n",
        "person,date,hours\nP,2026-11-02,\nP,2026-11-03,\n",
        "person,date,time spent\nP,2026-11-02,8\n",
        "person,date,start,end,break\nP,2026-11-02,08:00,16:30,30\n",
        "person,date,start,end\nP,2026-11-02,16:30,08:00\n",
    ],
)
def test_a_timesheet_without_hours_is_an_error(tmp_path, text):
    with pytest.raises(DataError, match="no_hours_no_amount"):
        actuals(tmp_path, text)


def test_single_rows_without_hours_are_said(tmp_path):
    text = (
        "person,date,hours,amount\nP,2026-11-02,8,\nP,2026-11-03,,\nP,2026-11-04,,5\n"
    )
    portfolio = actuals(tmp_path, text)
    found = portfolio.problems.set_index("rule").loc["no_hours_no_amount"]
    assert (found["severity"], found["row"], found["found"]) == ("warning", 3, "1 rows")
