"""Wide people, bookings and money; demand by dates; projects called by name."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from tests.support.folders import make_folder, read_quietly, said

ONE = 40 * 52.1775 / 12
PROJECTS = (
    "project,name,value,duration,start\nP1,New CRM,1,6,2027-01\nP2,Data,1,6,2027-02\n"
)
PEOPLE = "person,role\nAnn,Dev\n"


def read(tmp_path, **files):
    files = {"projects": PROJECTS, "people": PEOPLE, **files}
    return read_quietly(make_folder(tmp_path, files))


def test_wide_people_and_bookings_become_spans(tmp_path):
    portfolio = read(
        tmp_path,
        people="person,role,2027-01,2027-02,2027-03\nAnn,Dev,1,1,0.5\nBob,Dev,,0.8,0\n",
        bookings="person,project,role,Jan 2027,Feb 2027\nAnn,P1,Dev,0.5,0.5\n",
    )
    spans = portfolio.people[["person", "start", "end", "fte"]].astype(str)
    assert spans.to_numpy().tolist() == [
        ["Ann", "2027-01-01", "2027-02-28", "1.0"],
        ["Ann", "2027-03-01", "2027-03-31", "0.5"],
        ["Bob", "2027-02-01", "2027-02-28", "0.8"],
    ]
    booked = portfolio.bookings[["start", "end", "fte"]].astype(str)
    assert booked.to_numpy().tolist() == [["2027-01-01", "2027-02-28", "0.5"]]
    assert "wide_layout" in said(portfolio)


def test_wide_money_by_period_and_by_offset(tmp_path):
    portfolio = read(
        tmp_path,
        spend="project,category,2027-02,2027-03\nP1,IT,10,20\nP2,IT,,5\n",
        benefits="project,0,1\nP1,7,0\n",
        projects=PROJECTS.replace(",1,6", ",,6"),
    )
    assert portfolio.spend[["project", "offset", "amount"]].to_numpy().tolist() == [
        ["P1", 1, 10],
        ["P1", 2, 20],
        ["P2", 1, 5],
    ]
    assert portfolio.benefits[["offset", "amount"]].to_numpy().tolist() == [[0, 7]]
    with pytest.raises(DataError, match=r"spend_before_start.*P2"):
        read(tmp_path, spend="project,2027-01,2027-02\nP2,1,1\n")


def test_demand_by_dates_is_spread_over_working_days(tmp_path):
    """February 2027 has 20 working days, the 15th to the 26th are 10 of them."""
    portfolio = read(
        tmp_path,
        demand="project,role,start,end,fte\nP1,Dev,2027-01-01,2027-02-14,2\n"
        "P1,Dev,2027-02-15,2027-02-28,1\nP2,Dev,2027-02-01,2027-02-28,1\n",
    )
    demand = portfolio.demand.set_index(["project", "offset"])["fte"]
    assert demand.round(9).to_dict() == {("P1", 0): 2, ("P1", 1): 1.5, ("P2", 0): 1}
    assert "spread_over_periods" in said(portfolio)


def test_hours_by_dates_keep_their_sum(tmp_path):
    portfolio = read(
        tmp_path,
        demand="project,role,from,to,hours\nP1,Dev,2027-01-18,2027-04-09,600\n",
    )
    hours = portfolio.demand["fte"] * ONE
    assert hours.sum() == pytest.approx(600)
    # 10, 20, 23 and 7 working days of 60.
    assert hours.round(6).to_list() == [100, 200, 230, 70]


def test_demand_whose_dates_are_wrong(tmp_path):
    head = "project,role,start,end,fte\n"
    for row, rule in (
        ("P1,Dev,2027-03-01,2027-02-01,1", "end_before_start"),
        ("P1,Dev,2027-03-01,,1", "missing_value.*'end'"),
        ("P2,Dev,2027-01-01,2027-03-01,1", "demand_before_start"),
    ):
        with pytest.raises(DataError, match=rule):
            read(tmp_path, demand=f"{head}{row}\n")


def test_projects_called_by_their_names_are_found_and_said(tmp_path):
    portfolio = read(
        tmp_path,
        demand="project,role,offset,fte\nnew crm,Dev,0,1\nP2,Dev,0,1\n",
        dependencies="project,requires\nData,New CRM\n",
    )
    assert portfolio.demand["project"].to_list() == ["P1", "P2"]
    assert portfolio.dependencies["requires"].to_list() == ["P1"]
    found = portfolio.problems[portfolio.problems["rule"] == "project_by_name"]
    assert "'new crm' is 'P1'" in found.set_index("table").loc["demand", "fix"]


def test_a_name_of_two_projects_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"ambiguous_project.*2 projects"):
        read(
            tmp_path,
            projects=PROJECTS.replace("Data", "New CRM"),
            demand="project,role,offset,fte\nNew CRM,Dev,0,1\n",
        )


@pytest.mark.parametrize("months", ["Jan,Feb", "Jan 27,Feb 27", "Januar,Februar"])
def test_months_without_a_clear_year_are_refused(tmp_path, months):
    # As remarks they would leave everybody working full time.
    with pytest.raises(DataError, match="not_a_period"):
        read(tmp_path, people=f"person,role,{months}\nAnn,Dev,1,0.5\n")
