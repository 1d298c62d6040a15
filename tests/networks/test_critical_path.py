"""The critical path: worked by hand, by properties, and against what P6 stored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders import read_networks
from pmo_analytics.loaders.networks.primavera.xer import xer_networks
from pmo_analytics.networks import Network, critical_path
from tests.support.places import SHARED
from tests.support.xer_files import (
    ALWAYS,
    CALENDAR,
    OFFICE,
    link,
    project,
    task,
    xer_text,
)

PLANS = SHARED / "data" / "planning_files"
# Monday, 4 January 2027 is the data date of all of these.
ACTIVE = {"status_code": "TK_Active", "act_start_date": "2026-12-31 08:00"}
DONE = {
    "status_code": "TK_Complete",
    "act_start_date": "2026-12-30 08:00",
    "act_end_date": "2026-12-31 17:00",
}


def network(tasks, links=(), options=None, calendars=None, **cells):
    tables = project(tasks, links, options)
    tables["PROJECT"] = [{**tables["PROJECT"][0], **cells}]
    if calendars:
        tables["CALENDAR"] = [
            {**CALENDAR, "clndr_id": name, "clndr_data": data}
            for name, data in calendars.items()
        ]
    (found,) = xer_networks(xer_text(tables).encode(), "p.xer")
    return found


def dates(frame, name):
    return [str(t)[5:16] for t in frame.loc[name, ["early_start", "early_finish"]]]


def test_a_chain_over_a_weekend_with_a_holiday():
    tasks = [task("A", 32), task("B", 16), task("C", 8)]
    links = [link("A", "B"), link("A", "C")]
    # Friday 8 January (serial 46395) is a holiday.
    calendars = {"C": OFFICE.format("(0||0(d|46395)())")}
    frame = critical_path(network(tasks, links, calendars=calendars))
    assert dates(frame, "A") == ["01-04 08:00", "01-07 17:00"]
    assert dates(frame, "B") == ["01-11 08:00", "01-12 17:00"]
    assert frame["total_float_h"].to_dict() == {"A": 0, "B": 0, "C": 8}
    assert frame["free_float_h"].to_dict() == {"A": 0, "B": 0, "C": 8}
    assert frame["critical"].to_dict() == {"A": True, "B": True, "C": False}
    assert frame["longest_path"].to_dict() == {"A": True, "B": True, "C": False}
    assert str(frame.loc["C", "late_start"]) == "2027-01-12 08:00:00"


@pytest.mark.parametrize(
    ("kind", "lag", "start", "finish"),
    [
        ("FS", 0, "01-06 08:00", "01-06 17:00"),
        ("FS", 4, "01-06 13:00", "01-07 12:00"),
        ("FS", -8, "01-05 08:00", "01-05 17:00"),
        ("SS", 4, "01-04 13:00", "01-05 12:00"),
        ("FF", 4, "01-05 13:00", "01-06 12:00"),
        # Finish 12 hours after the start: Tuesday noon.
        ("SF", 12, "01-04 13:00", "01-05 12:00"),
    ],
)
def test_the_four_kinds_of_links_with_lags(kind, lag, start, finish):
    tasks = [task("A", 16), task("B", 8)]
    frame = critical_path(network(tasks, [link("A", "B", kind, lag)]))
    assert dates(frame, "B") == [start, finish]


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("rcal_Predecessor", "01-08 08:00"),  # 16 hours of the office: two days
        ("rcal_Successor", "01-06 09:00"),  # of the calendar that always works
        ("rcal_24Hour", "01-06 09:00"),
        ("rcal_ProjDefault", "01-08 08:00"),
    ],
)
def test_lags_run_on_the_calendar_that_the_file_names(word, start):
    tasks = [task("A", 16), task("B", 8, clndr_id="D")]
    options = {"sched_calendar_on_relationship_lag": word}
    calendars = {"C": OFFICE.format(""), "D": ALWAYS}
    case = network(tasks, [link("A", "B", lag=16)], options, calendars)
    # On a calendar that always works the end of Thursday is a start already.
    start = {"01-08 08:00": "01-07 17:00"}.get(start, start)
    assert dates(critical_path(case), "B")[0] == start


@pytest.mark.parametrize(
    ("word", "date", "early", "total"),
    [
        ("CS_MSOA", "2027-01-06 08:00", "01-06 08:00", 16),
        ("CS_MSOB", "2027-01-05 08:00", "01-04 08:00", 8),
        ("CS_MSO", "2027-01-06 08:00", "01-06 08:00", 0),
        ("CS_MEOA", "2027-01-07 17:00", "01-07 08:00", 8),
        ("CS_MEOB", "2027-01-01 17:00", "01-04 08:00", -8),
        ("CS_MEO", "2027-01-06 17:00", "01-06 08:00", 0),
        ("CS_MANDSTART", "2027-01-07 08:00", "01-07 08:00", 0),
        ("CS_MANDFIN", "2027-01-07 17:00", "01-07 08:00", 0),
        ("CS_ALAP", "", "01-08 08:00", 0),
    ],
)
def test_constraints(word, date, early, total):
    # B takes the week, so A of one day has four days of float.
    tasks = [task("A", 8, cstr_type=word, cstr_date=date), task("B", 40)]
    frame = critical_path(network(tasks))
    assert dates(frame, "A")[0] == early
    assert frame.loc["A", "total_float_h"] == total


def test_a_mandatory_start_breaks_the_logic_before_it():
    tasks = [
        task("A", 16),
        task("B", 8, cstr_type="CS_MANDSTART", cstr_date="2027-01-05 08:00"),
    ]
    frame = critical_path(network(tasks, [link("A", "B")]))
    assert dates(frame, "B")[0] == "01-05 08:00"
    assert frame.loc["A", "total_float_h"] == -8


def test_milestones_stand_at_the_end_of_what_is_before_or_the_start_of_what_comes():
    tasks = [
        task("A", 16),
        task("M", 0, task_type="TT_FinMile"),
        task("S", 0, task_type="TT_Mile"),
        task("B", 8),
    ]
    links = [link("A", "M"), link("A", "S"), link("M", "B"), link("S", "B")]
    frame = critical_path(network(tasks, links))
    assert dates(frame, "M") == ["01-05 17:00"] * 2
    assert dates(frame, "S") == ["01-06 08:00"] * 2
    assert dates(frame, "B")[0] == "01-06 08:00"
    assert (frame["total_float_h"] == 0).all()


@pytest.mark.parametrize(
    ("override", "start"), [("N", "01-06 08:00"), ("Y", "01-04 08:00")]
)
def test_progress_out_of_sequence(override, start):
    # B has begun although A, which it waits for, still needs two days.
    tasks = [task("A", 16), task("B", 8, **ACTIVE)]
    options = {"sched_progress_override": override}
    frame = critical_path(network(tasks, [link("A", "B")], options))
    assert dates(frame, "B")[0] == start


def test_what_is_complete_hands_on_what_it_waited_for():
    tasks = [task("A", 16), task("B", 0, **DONE), task("C", 8)]
    links = [link("A", "B"), link("B", "C")]
    frame = critical_path(network(tasks, links))
    assert dates(frame, "C")[0] == "01-06 08:00"
    assert np.isnan(frame.loc["B", "total_float_h"])
    frame = critical_path(network(tasks, links), mode="progress_override")
    assert dates(frame, "C")[0] == "01-04 08:00"


def test_of_a_lag_that_runs_already_the_rest_counts():
    # A ended on Thursday, Friday is one of the three days: two are left.
    tasks = [task("A", 0, **DONE), task("B", 8), task("C", 24, **ACTIVE), task("D", 8)]
    links = [link("A", "B", lag=24), link("C", "D", "SS", 24)]
    frame = critical_path(network(tasks, links))
    assert dates(frame, "B")[0] == "01-06 08:00"
    # C works since Thursday: two days of the lag of three have gone.
    assert dates(frame, "D")[0] == "01-05 08:00"


def test_a_date_by_which_the_project_must_finish_and_open_ends():
    tasks = [task("A", 8), task("B", 16)]
    must = network(tasks, plan_end_date="2027-01-04 17:00")
    assert critical_path(must)["total_float_h"].tolist() == [0, -8]
    open_ = network(tasks, options={"sched_open_critical_flag": "Y"})
    assert critical_path(open_)["total_float_h"].tolist() == [0, 0]


def test_a_level_of_effort_spans_what_it_serves():
    tasks = [task("A", 8), task("B", 16), task("L", 1, task_type="TT_LOE")]
    links = [link("A", "B"), link("A", "L", "SS"), link("L", "B", "FF")]
    frame = critical_path(network(tasks, links))
    assert dates(frame, "L") == ["01-04 08:00", "01-06 17:00"]
    assert frame.loc["L", "total_float_h"] == 0


def test_a_suspended_activity_goes_on_when_it_resumes():
    tasks = [
        task(
            "A",
            8,
            **ACTIVE,
            suspend_date="2027-01-01 17:00",
            resume_date="2027-01-06 08:00",
        )
    ]
    assert dates(critical_path(network(tasks)), "A")[0] == "01-06 08:00"


def test_a_circle_and_a_calendar_without_work_are_refused():
    tasks = [task("A"), task("B"), task("C")]
    links = [link("A", "B"), link("B", "C"), link("C", "B")]
    with pytest.raises(DataError, match="B -> C -> B"):
        critical_path(network(tasks, links))
    never = "(0||CalendarData()((0||DaysOfWeek()((0||1()())(0||2()())))))"
    with pytest.raises(DataError, match="no working time"):
        critical_path(network([task("A")], calendars={"C": never}))


@pytest.mark.parametrize("seed", range(4))
def test_floats_are_what_can_be_lost(seed):
    """By brute force: a start may be later by the total float and by no hour more."""
    rng = np.random.default_rng(seed)
    names = [f"T{k}" for k in range(7)]
    # All kinds on one calendar, those that set starts across two.
    kinds, calendars = (
        (["FS", "SS", "FF", "SF"], "CC") if seed % 2 else (["FS", "SS"], "CD")
    )
    tasks = [
        task(name, int(rng.integers(1, 30)), clndr_id=calendars[k % 2])
        for k, name in enumerate(names)
    ]
    links = [
        link(
            names[a],
            names[b],
            kinds[rng.integers(len(kinds))],
            int(rng.integers(-4, 12)),
        )
        for a in range(7)
        for b in range(a + 1, 7)
        if rng.random() < 0.3
    ]
    case = network(tasks, links, calendars={"C": OFFICE.format(""), "D": ALWAYS})
    plain = critical_path(case)
    finish = plain["early_finish"].max()
    assert (plain["free_float_h"] >= 0).all()
    assert plain["total_float_h"].min() == 0
    for name in names:
        clock = case.clock(case.tasks.loc[name, "calendar"])
        start = int(plain.loc[name, "early_start"].timestamp())
        spare = round(plain.loc[name, "total_float_h"] * 3600)
        for extra, later in ((0, False), (3600, True)):
            changed = case.tasks.copy()
            changed.loc[name, "constraint"] = "start_no_earlier"
            moment = pd.Timestamp(clock.add(start, spare + extra), unit="s")
            changed.loc[name, "constraint_date"] = moment
            moved = critical_path(case.replace(tasks=changed))
            assert (moved["early_finish"].max() > finish) is later, name


@pytest.mark.skipif(not PLANS.exists(), reason="the shared planning files are absent")
def test_the_floats_that_p6_stored_in_real_files():
    compared = 0
    for path in sorted(PLANS.rglob("*.xer")):
        for case in read_networks(path):
            frame = critical_path(case)
            stored = case.tasks.loc[frame.index]
            known = stored["total_float_h"].notna() & (stored["status"] != "complete")
            differ = (frame["total_float_h"] - stored["total_float_h"])[known].abs()
            assert (differ <= 0.1).all(), f"{path.name}: {differ[differ > 0.1]}"
            early = frame.loc[known, ["early_start", "early_finish"]]
            assert early.equals(
                stored.loc[known, ["early_start", "early_finish"]].astype(
                    "datetime64[s]"
                )
            ), path.name
            compared += int(known.sum())
    assert compared > 390


def test_the_frame_has_the_columns_of_the_contract():
    frame = critical_path(network([task("A")]))
    assert list(frame.columns) == [
        "early_start",
        "early_finish",
        "late_start",
        "late_finish",
        "total_float_h",
        "free_float_h",
        "critical",
        "longest_path",
    ]
    assert frame.index.name == "task"
    assert frame["critical"].dtype == bool
    assert pd.api.types.is_datetime64_any_dtype(frame["late_finish"])


@pytest.mark.skipif(not PLANS.is_dir(), reason="no planning files of ../shared")
@pytest.mark.parametrize(
    ("file", "starts", "finishes", "floats"),
    [
        ("mspdisplittask.xml", 2, 2, 2),
        ("mspdiduration.xml", 10, 10, 6),  # elapsed durations
        # People on shifts and around the clock, splits; the file's late dates of the
        # others are those of an earlier finish.
        ("mspditimephased.xml", 30, 29, 14),
    ],
)
def test_microsoft_project_dates_of_people_and_splits(file, starts, finishes, floats):
    (plan,) = read_networks(PLANS / "mspdi" / file)
    path = critical_path(plan)
    tasks = plan.tasks.loc[path.index]
    ahead = (tasks["percent_complete"] < 100) & (tasks["kind"] != "summary")
    for name, count in (("early_start", starts), ("early_finish", finishes)):
        known = ahead & tasks[name].notna()
        assert (path[name] == tasks[name])[known].sum() >= count, name
    off = (path["total_float_h"] - tasks["total_float_h"])[ahead].abs()
    assert (off < 0.1).sum() >= floats


def test_a_task_calendar_beside_those_of_people():
    """Ann works on Fridays; a task waits for her, unless its calendar ignores people.

    With a calendar of its own that does not, both count: Fridays from 8 to 12.
    """
    shifts = [("office", day, 480, 960) for day in range(1, 6)] + [("ann", 5, 480, 960)]
    shifts += [("mornings", day, 360, 720) for day in range(1, 6)]
    shifts += [("weekend", 6, 480, 960)]
    names = ["calendar", "weekday", "start_minute", "end_minute"]
    plan = Network(
        "P",
        start=pd.Timestamp("2027-01-04 08:00"),
        tasks=pd.DataFrame(
            {
                "task": ["1", "2", "3", "4", "5"],
                "kind": "task",
                "duration_h": [16.0, 16.0, 48.0, 8.0, 8.0],
                "calendar": ["", "office", "", "mornings", "weekend"],
                "ignore_resource_calendar": [False, True, False, False, False],
                "duration_unit": ["working", "working", "elapsed", "working", ""],
            }
        ),
        assignments=pd.DataFrame({"task": list("12345"), "resource": "7"}),
        resources={"resource": ["7"], "kind": ["work"], "calendar": ["ann"]},
        calendars={
            "calendar": ["office", "ann", "mornings", "weekend"],
            "default": [True, False, False, False],
        },
        shifts=pd.DataFrame(shifts, columns=names),
    )
    finish = critical_path(plan)["early_finish"]
    assert finish["1"] == pd.Timestamp("2027-01-15 16:00")
    assert finish["2"] == pd.Timestamp("2027-01-05 16:00")
    assert finish["3"] == pd.Timestamp("2027-01-06 08:00")
    assert finish["4"] == pd.Timestamp("2027-01-15 12:00")
    # Ann never works on Saturdays: the task's own calendar counts.
    assert finish["5"] == pd.Timestamp("2027-01-09 16:00")
    both = plan.clock("ann", within="mornings")
    year = [int(pd.Timestamp(day).timestamp()) for day in ("2027-01-01", "2028-01-01")]
    assert both.between(*year) == 53 * 4 * 3600
    assert both.previous_work(year[1]) == year[1] - 12 * 3600
