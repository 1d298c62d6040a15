"""Header rows: never taken from data; years over months; merged keys."""

from __future__ import annotations

import openpyxl
import pytest

from pmo_analytics.errors import DataError
from tests.support import books
from tests.support.folders import make_folder, read_quietly, said

PROJECTS = "project,value,duration\nA,1,6\nB,1,6\n"
PEOPLE = "person,role\nP,Dev\n"
SETTINGS = [["start", "2027-01"], ["periods", 6], ["freq", "M"]]


def read(tmp_path, **files):
    files = {"projects": PROJECTS, "people": PEOPLE, **files}
    return read_quietly(make_folder(tmp_path, files))


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("demand", "A,Dev,0,1\nA,Dev,1,1\n"),
        ("people", "Ann,Dev,2027-01-01,,0.5\nBob,Dev,2027-01-01,,1\n"),
        ("spend", "A,CAPEX,0,1000\n"),
        ("capacity", "2027-01,Dev,2\n2027-02,Dev,2\n"),
    ],
)
def test_a_file_without_a_header_says_so(tmp_path, table, text):
    with pytest.raises(DataError, match="missing_header") as caught:
        read(tmp_path, **{table: text})
    found = caught.value.problems
    found = found[found["severity"] == "error"]
    assert found["rule"].to_list() == ["missing_header"]
    assert found["row"].to_list() == [1]


def test_filters_and_facts_above_a_header_are_no_header(tmp_path):
    demand = (
        "Project,(All),Role,(All)\nStart,2027-01,,\n"
        "project,role,offset,fte\nA,Dev,0,1\n"
    )
    portfolio = read(tmp_path, demand=demand)
    assert portfolio.demand["fte"].to_list() == [1]
    skipped = portfolio.problems.set_index("rule").loc["title_rows_skipped"]
    assert skipped["found"] == "Project | (All) | Role | (All) | Start | 2027-01"


def test_data_that_is_worded_like_a_header_stays_data(tmp_path):
    projects = "project,name,value,duration\nvalue,duration,1,2\nname,status,2,1\n"
    portfolio = read(tmp_path, projects=projects)
    assert portfolio.projects["project"].to_list() == ["value", "name"]


def test_a_header_that_comes_again_is_dropped_and_said(tmp_path):
    head = "project,role,offset,fte\n"
    portfolio = read(tmp_path, demand=f"{head}A,Dev,0,1\n{head}B,Dev,0,1\n")
    assert portfolio.demand["project"].to_list() == ["A", "B"]
    found = portfolio.problems.set_index("rule").loc["repeated_header"]
    assert found["row"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "project,role,2027,,,\n,,Jan,Feb,Mar,Apr\nA,Dev,1,2,0,3\n",
        ",,2027,,,\nproject,role,Jan,Feb,Mar,Apr\nA,Dev,1,2,0,3\n",
        ",,2027,2027,2027,2027\nproject,role,1,2,3,4\nA,Dev,1,2,0,3\n",
    ],
)
def test_years_over_months(tmp_path, text):
    projects = PROJECTS.replace("duration", "duration,start").replace(
        ",6", ",6,2027-01"
    )
    portfolio = read(tmp_path, demand=text, projects=projects)
    assert portfolio.demand["offset"].to_list() == [0, 1, 3]
    assert portfolio.demand["fte"].to_list() == [1, 2, 3]
    assert "two_row_header" in said(portfolio)
    assert portfolio.sources["demand"]["row"].to_list() == [3, 3, 3]


def test_years_of_a_yearly_plan_stay_a_header_of_one_row(tmp_path):
    toml = '[horizon]\nstart = "2027"\nperiods = 6\nfreq = "Y"\n'
    files = {
        "projects": PROJECTS.replace("duration", "duration,start").replace(
            ",6", ",6,2027"
        ),
        "people": PEOPLE,
        "demand": "project,role,2027,2028\nA,Dev,1,2\nB,Dev,3,4\n",
    }
    portfolio = read_quietly(make_folder(tmp_path, files, toml=toml))
    assert portfolio.demand["fte"].to_list() == [1, 2, 3, 4]


def test_merged_keys_are_filled_down_and_said(tmp_path):
    sheets = {
        "portfolio": SETTINGS,
        "projects": [
            ["project", "value", "duration", "theme"],
            ["A", 1, 2, "Growth"],
            ["B", 1, 2, None],
        ],
        "people": [["person", "role"], ["P", "Dev"], ["Q", "QA"]],
        "demand": [
            ["project", "role", "offset", "fte"],
            ["A", "Dev", 0, 1],
            [None, "QA", 0, 2],
            [None, "Dev", 1, 3],
            ["B", "Dev", 0, 4],
        ],
    }
    path = books.write_book(tmp_path / "plan.xlsx", sheets)
    with pytest.raises(DataError, match="missing_value"):
        read_quietly(path)
    book = openpyxl.load_workbook(path)
    book["demand"].merge_cells("A2:A4")
    book["projects"].merge_cells("D2:D3")
    book.save(path)
    portfolio = read_quietly(path)
    assert portfolio.demand["project"].to_list() == ["A", "A", "A", "B"]
    assert portfolio.projects["theme"].isna().to_list() == [False, True]
    found = portfolio.problems[portfolio.problems["rule"] == "merged_cells"]
    by_table = found.set_index("table")["fix"]
    assert "rows 3-4" in by_table["demand"]
    assert "blank in row 3" in by_table["projects"]
