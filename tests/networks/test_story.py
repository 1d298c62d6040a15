"""The story of updates: causes that add up, and what changed."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders.networks.primavera.xer import xer_networks
from pmo_analytics.networks import compare_networks
from tests.support.xer_files import CALENDAR, OFFICE, link, project, task, xer_text

DONE = {"status_code": "TK_Complete", "act_start_date": "2027-01-04 08:00"}


def tables(tasks, links, day="2027-01-04 08:00", calendar="C", exceptions=""):
    found = project([{**row, "clndr_id": calendar} for row in tasks], links)
    head = {**found["PROJECT"][0], "last_recalc_date": day, "clndr_id": calendar}
    data = OFFICE.format(exceptions)
    found["PROJECT"] = [head]
    found["CALENDAR"] = [{**CALENDAR, "clndr_id": calendar, "clndr_data": data}]
    return found


def placed(code, hours, start, finish, **cells):
    """A task with the early dates that its file stores."""
    return task(
        code,
        hours,
        restart_date=f"2027-01-{start}",
        reend_date=f"2027-01-{finish}",
        **cells,
    )


@pytest.fixture(scope="module")
def first():
    # A and B one after the other, two days each: Thursday evening.
    return tables(
        [
            placed("A", 16, "04 08:00", "05 17:00"),
            placed("B", 16, "06 08:00", "07 17:00"),
            placed("M", 0, "07 17:00", "07 17:00", task_type="TT_FinMile"),
        ],
        [link("A", "B"), link("B", "M")],
    )


@pytest.fixture(scope="module")
def second():
    # A took three days; B needs three; C of a day comes between them, and the lag of a
    # day before M is new. The calendar has another id, and Monday the 18th is free.
    return tables(
        [
            task(
                "A",
                16,
                **DONE,
                act_end_date="2027-01-06 17:00",
                remain_drtn_hr_cnt=0,
                restart_date="",
            ),
            placed("C", 8, "07 08:00", "07 17:00"),
            placed("B", 24, "08 08:00", "12 17:00"),
            placed("M", 0, "13 17:00", "13 17:00", task_type="TT_FinMile"),
        ],
        [link("A", "C"), link("C", "B"), link("B", "M", lag=8)],
        day="2027-01-07 08:00",
        calendar="other",
        exceptions="(0||0(d|46405)())",
    )


def read(found, name):
    return xer_networks(xer_text(found).encode(), name)[0]


@pytest.fixture(scope="module")
def told(first, second):
    # The order is that of the data dates.
    return compare_networks([read(second, "2.xer"), read(first, "1.xer")])


def test_the_causes_add_up_and_are_those_that_were_made(told):
    finish = told.finishes["finish"]
    assert told.finishes["update"].tolist() == ["1.xer", "2.xer"]
    days = (finish.iloc[-1] - finish.iloc[0]) / pd.Timedelta(days=1)
    assert days == 6
    assert told.slip["days"].sum() == pytest.approx(days)
    # One day for A, then three of a weekend for the third day of B, one for C, and one
    # for the lag.
    causes = told.slip.set_index("cause")["days"]
    assert causes.to_dict() == {
        "progress": 1,
        "durations": 3,
        "activities": 1,
        "links": 1,
    }


def test_what_changed_is_listed_with_what_it_moved(told):
    rows = told.changes.set_index(["what", "id"])
    assert set(rows.index) == {
        ("activity added", "C"),
        ("duration changed", "B"),
        ("link added", "A -> C"),
        ("link added", "C -> B"),
        ("link removed", "A -> B"),
        ("lag changed", "B -> M"),
    }
    assert rows.loc[("duration changed", "B"), ["before", "after"]].tolist() == [
        "16",
        "24",
    ]
    assert rows.loc[("lag changed", "B -> M"), "after"] == "FS+8h"
    assert rows.loc[("lag changed", "B -> M"), "moved_days"] == 6


def test_milestones_by_update(told):
    rows = told.milestones
    assert rows["milestone"].tolist() == ["M", "M"]
    assert rows["forecast"].astype(str).tolist() == [
        "2027-01-07 17:00:00",
        "2027-01-13 17:00:00",
    ]


def test_a_date_that_logic_does_not_give_has_its_own_cause(first):
    shifted = {**first, "TASK": [dict(row) for row in first["TASK"]]}
    shifted["TASK"][-1]["reend_date"] = "2027-01-09 17:00"
    told = compare_networks([read(first, "1.xer"), read(shifted, "2.xer")])
    assert told.slip[["cause", "days"]].to_numpy().tolist() == [["stored", 2.0]]


def test_a_circle_leaves_the_whole_slip_untold(first, second):
    circle = {**second, "TASKPRED": [*second["TASKPRED"], link("M", "C")]}
    told = compare_networks([read(first, "1.xer"), read(circle, "2.xer")])
    assert told.slip[["cause", "days"]].to_numpy().tolist() == [["stored", 6.0]]


def test_networks_of_different_projects_are_refused(first):
    other = read(tables([task("X")], []), "x.xer")
    with pytest.raises(ConfigError, match="no activity in common"):
        compare_networks([read(first, "1.xer"), other])
    with pytest.raises(ConfigError, match="no network"):
        compare_networks([])


def test_the_command_line(tmp_path, first, second, capsys):
    (tmp_path / "1.xer").write_text(xer_text(first))
    (tmp_path / "2.xer").write_text(xer_text(second))
    out = tmp_path / "out"
    assert main(["story", str(tmp_path), "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["slip_days"] == 6
    names = {file.name for file in out.iterdir()}
    assert {"slip.csv", "changes.csv", "milestones.png", "manifest.json"} <= names
    assert main(["story", str(tmp_path)]) == 0
    assert "moved by +6.0 days" in capsys.readouterr().out
