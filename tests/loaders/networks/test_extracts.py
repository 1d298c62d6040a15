"""Extracts of Project Online: JSON, CSV and workbooks of the reporting service."""

from __future__ import annotations

import csv
import json

import openpyxl
import pandas as pd
import pytest

import pmo_analytics as pmo
from tests.loaders.networks.test_mspdi import assert_balanced

PROJECTS = [
    {
        "ProjectId": "AAAA",
        "ProjectName": "Bridge",
        "ProjectStartDate": "2027-01-04T07:00:00Z",
        "ProjectFinishDate": "2027-02-05T16:00:00Z",
        "ProjectOwnerName": "Ann",
        "ProjectType": 0,
    }
]
TASKS = [
    {
        "ProjectId": "AAAA",
        "TaskId": "T0",
        "TaskName": "Bridge",
        "TaskIndex": 0,
        "TaskIsProjectSummary": True,
        "TaskIsSummary": True,
        "TaskStartDate": "2027-01-25T07:00:00Z",
        "TaskFinishDate": "2027-02-05T16:00:00Z",
    },
    {
        "ProjectId": "AAAA",
        "TaskId": "T1",
        "ParentTaskId": "T0",
        "TaskName": "Design",
        "TaskIndex": 1,
        "TaskStartDate": "2027-01-25T07:00:00Z",
        "TaskFinishDate": "2027-02-05T16:00:00Z",
        "TaskDuration": 80.0,
        "TaskPercentCompleted": 25,
        "TaskActualStartDate": "2027-01-25T07:00:00Z",
        "TaskFixedCost": 100.1,
        "TaskIsActive": True,
    },
]
RESOURCES = [
    {
        "ResourceId": "R1",
        "ResourceName": "Ann",
        "ResourceGroup": "Engineer",
        "ResourceMaxUnits": 1.0,
        "ResourceStandardRate": 50,
        "ResourceType": 2,
        "ResourceIsActive": True,
    },
    {"ResourceId": "R2", "ResourceName": "Bob", "ResourceGroup": "Engineer"},
]
ASSIGNMENTS = [
    {
        "ProjectId": "AAAA",
        "AssignmentId": "W1",
        "TaskId": "T1",
        "ResourceId": "R1",
        "AssignmentWork": 80.0,
        "AssignmentActualWork": 20.0,
        "AssignmentRemainingWork": 60.0,
        "AssignmentCost": 4000.1,
        "AssignmentStartDate": "2027-01-25T07:00:00Z",
        "AssignmentFinishDate": "2027-02-05T16:00:00Z",
    },
    {"ProjectId": "AAAA", "AssignmentId": "W2", "TaskId": "T9", "AssignmentWork": 7.5},
]
DAYS = [
    {
        "ProjectId": "AAAA",
        "AssignmentId": "W1",
        "TimeByDay": day,
        "AssignmentWork": hours,
    }
    for day, hours in (("2027-01-29T00:00:00Z", 60.0), ("2027-02-01T00:00:00Z", 20.0))
]
SETS = {
    "Projects": PROJECTS,
    "Tasks": TASKS,
    "Resources": RESOURCES,
    "Assignments": ASSIGNMENTS,
    "AssignmentTimephasedDataSet": DAYS,
}


def as_json(folder, wrap):
    for name, records in SETS.items():
        text = json.dumps(wrap(records))
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def as_csv(folder):
    for name, records in SETS.items():
        names = list(dict.fromkeys(key for record in records for key in record))
        with (folder / f"od_{name}.csv").open(
            "w", newline="", encoding="utf-8"
        ) as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(records)
    return folder


def as_workbook(folder):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, records in SETS.items():
        sheet = book.create_sheet(name[:31])
        names = list(dict.fromkeys(key for record in records for key in record))
        sheet.append(names)
        for record in records:
            sheet.append([record.get(key) for key in names])
    path = folder / "service.xlsx"
    book.save(path)
    return path


WAYS = {
    "answers": lambda folder: as_json(folder, lambda r: {"value": r}),
    "verbose answers": lambda folder: as_json(folder, lambda r: {"d": {"results": r}}),
    "lists": lambda folder: as_json(folder, lambda r: r),
    "csv": as_csv,
    "workbook": as_workbook,
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_every_way_of_saving_a_service(tmp_path, way):
    (network,) = pmo.read_networks(WAYS[way](tmp_path))
    assert_balanced(network)
    assert (network.project, network.fields["Manager"]) == ("Bridge", "Ann")
    tasks = network.tasks
    assert tasks["kind"].tolist() == ["summary", "task"]
    assert tasks["parent"].tolist() == ["", "t0"]
    assert tasks.at["t1", "start"] == pd.Timestamp("2027-01-25 07:00")
    assert tasks.at["t1", "duration_h"] == 80
    assert network.resources["name"].tolist() == ["Ann", "Bob"]
    assert network.assignments["work_h"].tolist() == [80]
    assert network.timephased["hours"].tolist() == [60, 20]
    rules = network.problems["rule"].tolist()
    assert {"no_links", "times_in_utc", "unknown_task"} <= set(rules)
    balance = network.balance.set_index("what")
    assert balance.loc["hours"].tolist() == [87.5, 80, 7.5]
    assert balance.at["money", "used"] == pytest.approx(4100.2)


def test_times_are_moved_to_the_declared_zone_and_days_are_not(tmp_path):
    as_json(tmp_path, lambda r: {"value": r})
    (tmp_path / "portfolio.toml").write_text(
        '[calendar]\ntimezone = "Europe/Berlin"\n', encoding="utf-8"
    )
    (network,) = pmo.read_networks(tmp_path)
    assert network.tasks.at["t1", "start"] == pd.Timestamp("2027-01-25 08:00")
    assert network.timephased["start"].tolist()[0] == pd.Timestamp("2027-01-29")
    told = network.problems.set_index("rule")["fix"]
    assert "moved to Europe/Berlin" in told["times_in_utc"]


def test_a_service_is_a_portfolio(tmp_path):
    as_json(tmp_path, lambda r: {"value": r})
    with pytest.warns(pmo.PmoWarning):
        portfolio = pmo.read_portfolio(tmp_path)
    hours = portfolio.demand.set_index("offset")["fte"] * 40 * 52.1775 / 12
    assert hours[0] == pytest.approx(60)
    assert hours[1] == pytest.approx(20)
    assert portfolio.people["person"].tolist() == ["Ann", "Bob"]
    assert portfolio.projects["status"].tolist() == ["running"]


def test_old_dates_and_damaged_files(tmp_path):
    old = [dict(TASKS[1], TaskStartDate="/Date(1800000000000)/", TaskFinishDate="soon")]
    path = tmp_path / "Tasks.json"
    path.write_text(json.dumps({"d": old}), encoding="utf-8")
    (network,) = pmo.read_networks(path)
    assert network.tasks["start"].iloc[0] == pd.Timestamp("2027-01-15 08:00")
    assert "bad_date" in network.problems["rule"].tolist()
    path.write_text('{"value": [{"ProjectId": "AAAA", ', encoding="utf-8")
    with pytest.raises(pmo.DataError, match="no whole JSON"):
        pmo.read_networks(path)
    path.write_text('[{"ResourceId": "R1", "ResourceName": "A"}]', encoding="utf-8")
    with pytest.raises(pmo.DataError, match="neither Projects nor Tasks"):
        pmo.read_networks(path)
    path.write_text('{"ProjectId":' + "[" * 100_000, encoding="utf-8")
    with pytest.raises(pmo.DataError):
        pmo.read_networks(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", ["1e999", "1e305", "-4e17"])
def test_amounts_that_cannot_be_meant_are_blank_and_said(tmp_path, number):
    folder = as_csv(tmp_path)
    path = folder / "od_Assignments.csv"
    text = path.read_text(encoding="utf-8").replace("4000.1", number)
    path.write_text(text, encoding="utf-8")
    network = pmo.read_networks(folder)[0]
    assert network.assignments["cost"].isna().all()
    told = network.problems
    assert told.loc[told["rule"] == "bad_number", "found"].tolist() == [number]
