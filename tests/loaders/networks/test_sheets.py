"""Spreadsheet exports of P6 and Microsoft Project."""

from __future__ import annotations

import csv

import numpy as np
import openpyxl
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import DataError
from pmo_analytics.loaders.networks.written import (
    is_day_first,
    read_links,
    read_moment,
    read_names,
    read_span,
)
from tests.loaders.networks.test_mspdi import PLANS, assert_balanced, needs_plans

EXPORT = """
ID|Task Name|Duration|Start|Finish|Predecessors|Resource Names|% Complete|Deadline|Cost
1|Bridge|15 days|Mon 1/4/27 8:00 AM|Fri 1/22/27 5:00 PM|||0%|NA|$0.00
2|   Design|5 days|Mon 1/4/27 8:00 AM|Fri 1/8/27 5:00 PM||TEAM|50%|Fri 1/15/27|$1,234.50
3|   Build|10 days?|Mon 1/11/27 8:00 AM|Fri 1/22/27 5:00 PM|2|Ann|0%|NA|$2,000.00
4|   Open|0 days|Fri 1/22/27 5:00 PM|Fri 1/22/27 5:00 PM|LINKS||0%|NA|$0.00
"""
LINKS = "3FS+3d,2SS-4 hrs,3FF+50%,2FS+2ed"
WHOLE = EXPORT.replace("TEAM", "Ann[50%],Bob").replace("LINKS", LINKS)
ROWS = [line.split("|") for line in WHOLE.split("\n")[1:-1]]


def as_csv(tmp_path, rows, delimiter=","):
    path = tmp_path / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def as_workbook(tmp_path, **others):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    for name, rows in others.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "export.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "semicolon", "xlsx"])
def test_an_export_of_microsoft_project(tmp_path, kind):
    path = as_csv(tmp_path, ROWS, ";" if kind == "semicolon" else ",")
    if kind == "xlsx":
        path = as_workbook(tmp_path)
    (network,) = pmo.read_networks(path)
    assert_balanced(network)
    assert network.problems.empty, network.problems
    tasks = network.tasks
    assert tasks["kind"].tolist() == ["summary", "task", "task", "milestone"]
    assert tasks["parent"].tolist() == ["", "1", "1", "1"]
    assert tasks.at["2", "start"] == pd.Timestamp("2027-01-04 08:00")
    assert tasks.at["2", "deadline"] == pd.Timestamp("2027-01-15 17:00")
    assert tasks["duration_h"].tolist() == [120, 40, 80, 0]
    assert tasks.at["2", "cost"] == 1234.5
    assert tasks.at["2", "percent_complete"] == 50
    links = network.links[["task", "requires", "kind", "lag_h", "lag_unit"]]
    assert links.to_numpy().tolist() == [
        ["3", "2", "FS", 0.0, "working"],
        ["4", "3", "FS", 24.0, "working"],
        ["4", "2", "SS", -4.0, "working"],
        ["4", "3", "FF", 40.0, "percent"],
        ["4", "2", "FS", 48.0, "elapsed"],
    ]
    work = network.assignments[["resource", "units", "work_h"]].to_numpy().tolist()
    assert work == [["Ann", 0.5, 20.0], ["Bob", 1.0, 40.0], ["Ann", 1.0, 80.0]]
    portfolio = pmo.networks.roll_up([network])
    assert portfolio.people["person"].tolist() == ["Ann", "Bob"]


def test_headings_without_tasks_are_refused(tmp_path):
    nameless = [""] * len(ROWS[0])
    for rows in (ROWS[:1], [ROWS[0], [*nameless[:-1], "$1.00"]]):
        with pytest.raises(DataError, match="no row that has a name"):
            pmo.read_networks(as_csv(tmp_path, rows))
    (network,) = pmo.read_networks(as_workbook(tmp_path, old=ROWS[:1]))
    assert len(network.tasks) == 4
    assert network.problems["found"].tolist() == ["export old"]


def test_costs_that_nobody_can_mean_are_refused(tmp_path):
    rows = [[cell.replace("$1,234.50", "1" * 20) for cell in row] for row in ROWS]
    with pytest.raises(DataError, match=r"export\.csv.*Cost beyond what anybody"):
        pmo.read_portfolio(as_csv(tmp_path, rows))


def test_bad_cells_are_told_and_the_rest_is_read(tmp_path):
    rows = [list(row) for row in ROWS]
    rows[2][2], rows[3][3], rows[4][5] = "-5 days", "soon", "3FS+3d,99,2 or so"
    rows.append(list(ROWS[4]))
    (network,) = pmo.read_networks(as_csv(tmp_path, rows))
    assert_balanced(network)
    told = network.problems.set_index("rule")["row"]
    assert told["negative_duration"] == 3
    assert told["bad_date"] == 4
    assert told["unknown_task"] == 5
    assert told["bad_link"] == 5
    assert told["duplicate_id"] == 6
    assert len(network.tasks) == 4


def test_which_number_is_the_day():
    assert is_day_first(["01/02/2027", "13/02/2027"]) is True
    assert is_day_first(["01/02/2027", "02/13/2027"]) is False
    assert is_day_first(["Mon 1/4/27 8:00 AM"]) is False  # the 4th is a Monday
    assert is_day_first(["Thu 1/4/27"]) is True
    assert is_day_first(["01/02/2027", "2027-01-13", None]) is None


@pytest.mark.parametrize(
    ("text", "day_first", "found"),
    [
        ("29/08/2023 08:00", True, "2023-08-29T08:00"),
        ("12-Jan-24 A", True, "2024-01-12T08:00"),
        ("12-Jan-24*", True, "2024-01-12T08:00"),
        ("Tue 12/31/26 12:30 PM", False, "2026-12-31T12:30"),
        ("12/31/26 12:05 AM", False, "2026-12-31T00:05"),
        ("2027-01-04", False, "2027-01-04T08:00"),
        ("2027-01-04T17:30:00", False, "2027-01-04T17:30"),
        ("January 4, 2027 8:00 AM", False, "2027-01-04T08:00"),
        ("NA", False, "NaT"),
        ("", False, "NaT"),
        ("31/02/2027", True, None),
        ("soon", True, None),
    ],
)
def test_dates(text, day_first, found):
    read = read_moment(text, day_first, late=False)
    if found is None:
        assert read is None
    else:
        assert np.datetime_as_string(read, "m") == found


@pytest.mark.parametrize(
    ("text", "hours", "elapsed"),
    [
        ("5 days", 40, False),
        ("5", 40, False),
        ("1 wk", 40, False),
        ("2 mons", 320, False),
        ("4 hrs", 4, False),
        ("30 mins", 0.5, False),
        ("1 eday", 24, True),
        ("0 days?", 0, False),
        ("1,5d", 12, False),
    ],
)
def test_lengths(text, hours, elapsed):
    assert read_span(text, 8.0) == (hours, elapsed)


def test_what_is_no_length():
    assert read_span("some time", 8.0) is None
    assert read_span("5 parsecs", 8.0) is None


def test_names_and_links_in_one_cell():
    names = list(read_names("Ann[50%],Bob, Steel[3 t]"))
    assert names == [("Ann", 0.5), ("Bob", 1.0), ("Steel", 1.0)]
    links = list(read_links("A1040: SS, A18160: FF 10", 8.0))
    assert [(k.requires, k.kind, k.hours) for k in links] == [
        ("A1040", "SS", 0.0),
        ("A18160", "FF", 80.0),
    ]
    assert [k.requires for k in read_links(12.0, 8.0)] == ["12"]
    # What stands between a sign and its number may be a tab or a space of print.
    (link,) = read_links("3FF+\t50\u00a0%", 8.0)
    assert (link.kind, link.percent) == ("FF", 50.0)


def test_a_portfolio_of_tables_is_no_export(tmp_path):
    example = pmo.example_portfolio()
    book = pmo.write_portfolio(example, tmp_path / "portfolio.xlsx")
    with pytest.raises(pmo.DataError, match="no planning file"):
        pmo.read_networks(book)
    assert len(pmo.read_portfolio(book).projects) == len(example.projects)


@needs_plans
def test_the_export_of_p6_says_each_link_twice():
    path = PLANS / "more" / "p6_spreadsheet_export.csv"
    (network,) = pmo.read_networks(path)
    assert_balanced(network)
    assert network.problems.empty
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(network.tasks) == len(rows) == 1261
    ahead = sorted(
        (link.requires, row["Activity ID"], link.kind, link.hours)
        for row in rows
        for link in read_links(row["Successor Details"], 8.0)
    )
    links = network.links[["task", "requires", "kind", "lag_h"]].to_numpy().tolist()
    assert sorted(map(tuple, links)) == ahead
    assert str(network.tasks["finish"].max())[:10] == "2024-08-13"
