"""Status exports of planning tools are read by their own headings."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from tests.support.folders import make_folder, read_quietly

PROJECTS = "project,value,duration,start,status\nA,1,3,2027-01,running\n"
DEMAND = "project,role,offset,fte\nA,Dev,0,1\n"
CAPACITY = "period,role,fte\n" + "".join(f"2027-{m:02d},Dev,2\n" for m in range(1, 13))


def read(tmp_path, **files):
    tables = {"projects": PROJECTS, "demand": DEMAND, "capacity": CAPACITY}
    return read_quietly(make_folder(tmp_path, {**tables, **files}))


@pytest.mark.parametrize(
    ("heading", "cells", "read_as"),
    [
        ("percent_complete", ["45", "60"], [45.0, 60.0]),
        ("% Complete", ["45%", "60%"], [45.0, 60.0]),
        ("% Complete", ["0.45", "1"], [45.0, 100.0]),
        ("Physical % Complete", ["45", "100"], [45.0, 100.0]),
        ("Percent Complete (%)", ["45", "60"], [45.0, 60.0]),
        ("percent_complete", ["0.5", "60"], [0.5, 60.0]),
    ],
)
def test_percent_stays_percent(tmp_path, heading, cells, read_as):
    rows = "".join(f"A,2027-0{k + 1}-28,{c}\n" for k, c in enumerate(cells))
    portfolio = read(tmp_path, progress=f"project,as_of,{heading}\n{rows}")
    assert portfolio.progress["percent_complete"].to_list() == read_as


def test_a_share_among_percent_is_refused(tmp_path):
    rows = "A,2027-01-31,0.45\nA,2027-02-28,60\n"
    with pytest.raises(DataError, match="percent_or_share"):
        read(tmp_path, progress=f"Project ID,Status Date,% Complete\n{rows}")


def test_a_microsoft_project_status_export(tmp_path):
    portfolio = read(
        tmp_path,
        progress="Project ID,Status Date,% Complete,Planned Value - PV (BCWS),"
        "Earned Value - EV (BCWP),ACWP,Actual Work,Remaining Work,Finish,Health\n"
        "A,2027-01-31,45%,9000,8000,8500,120,80,2027-03-31T17:00,On track\n",
    )
    row = portfolio.progress.iloc[0]
    assert (row["planned_value"], row["earned_value"]) == (9000, 8000)
    assert (row["actual_cost"], row["actual_hours"]) == (8500, 120)
    assert f"{row['forecast_finish']:%Y-%m-%d}" == "2027-03-31"
    assert row["rag"] == "green"


def test_a_p6_milestone_export_and_a_jira_sprint_report(tmp_path):
    portfolio = read(
        tmp_path,
        milestones="Project Code,Activity Name,Data Date,BL Project Finish,Finish,"
        "Actual Finish\nA,Go live,2027-01-31,2027-03-01,2027-03-15,\n",
        sprints="Board,Sprint Name,Time Elapsed,Commitment,Completed\n"
        "T,Sprint 1,50 %,20,18\nT,Sprint 2,30 %,22,\n",
    )
    stone = portfolio.milestones.iloc[0]
    assert f"{stone['baseline']:%Y-%m-%d} {stone['forecast']:%Y-%m-%d}" == (
        "2027-03-01 2027-03-15"
    )
    assert portfolio.sprints["elapsed"].to_list() == [0.5, 0.3]
    assert portfolio.sprints["delivered"].isna().to_list() == [False, True]


def test_long_comments_are_kept(tmp_path):
    text = "Late. " * 300
    portfolio = read(tmp_path, progress=f"project,as_of,comment\nA,2027-01-31,{text}\n")
    assert portfolio.progress["comment"].iloc[0] == text.strip()
