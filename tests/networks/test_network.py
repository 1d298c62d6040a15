"""The noun of planning files: frames, calendars, balance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.networks import FRAMES, Balance, Network, NoWorkingTime, WorkCalendar


def at(text: str) -> int:
    return int(np.datetime64(text, "s").astype(np.int64))


def when(seconds: int) -> str:
    return str(np.datetime64(seconds, "s"))[:16]


def test_an_empty_network_has_every_frame_and_column():
    network = Network("P")
    for name, spec in FRAMES.items():
        frame = getattr(network, name)
        assert frame.empty
        assert list(frame.columns) == list(spec.columns)
        assert frame.dtypes.astype(str).to_dict() == dict(spec.columns)
        assert frame.index.name == (spec.index or None)
    assert list(network.balance.columns) == ["what", "read", "used", "listed"]


def test_blanks_and_own_columns():
    tasks = pd.DataFrame({"task": [1, 2], "name": ["A", None], "colour": ["red", ""]})
    network = Network("P", tasks=tasks)
    assert network.tasks.index.tolist() == ["1", "2"]
    assert network.tasks["name"].tolist() == ["A", ""]
    assert network.tasks["active"].all()
    assert network.tasks["duration_h"].isna().all()
    assert network.tasks["colour"].tolist() == ["red", ""]
    with pytest.raises(ValueError, match="more than once"):
        Network("P", tasks={"task": ["1", "1"]})


@pytest.fixture(scope="module")
def office() -> WorkCalendar:
    return WorkCalendar.standard()


def test_hours_of_an_office_week(office):
    # Friday 27 November 2026 at 16:00 to Monday at 9:00 is an hour and an hour.
    start, finish = at("2026-11-27T16:00"), at("2026-11-30T09:00")
    assert office.between(start, finish) == 2 * 3600
    assert office.between(finish, start) == -2 * 3600
    assert office.between(at("2026-11-28T00:00"), at("2026-11-29T23:59")) == 0


def test_a_finish_is_the_end_of_a_shift_and_a_start_its_beginning(office):
    assert when(office.add(at("2026-11-27T16:00"), 3600)) == "2026-11-27T17:00"
    assert when(office.add(at("2026-11-27T16:00"), 3660)) == "2026-11-30T08:01"
    assert when(office.add(at("2026-11-30T09:00"), -3600)) == "2026-11-30T08:00"
    assert when(office.add(at("2026-11-30T09:00"), -3660)) == "2026-11-27T16:59"
    assert when(office.next_work(at("2026-11-27T17:00"))) == "2026-11-30T08:00"
    assert when(office.previous_work(at("2026-11-30T08:00"))) == "2026-11-27T17:00"
    assert when(office.next_work(at("2026-11-27T12:30"))) == "2026-11-27T13:00"


def test_adding_is_the_inverse_of_measuring_over_years(office):
    random = np.random.default_rng(5)
    start = office.next_work(at("2026-11-27T16:00"))
    for minutes in random.integers(1, 5_000_000, 40).tolist():
        finish = office.add(start, minutes * 60)
        assert office.between(start, finish) == minutes * 60
        assert office.next_work(office.add(finish, -minutes * 60)) == start


def test_arrays_agree_with_single_times(office):
    starts = np.array(["2026-11-27T16:00", "NaT", "2026-01-01T00:00"], "M8[s]")
    ends = np.array(
        ["2026-11-30T09:00", "2026-11-30T09:00", "2026-01-31T00:00"], "M8[s]"
    )
    np.testing.assert_array_equal(office.hours_between(starts, ends), [2, np.nan, 176])
    found = office.add_hours(starts, [2.0, 2.0, 176.0])
    assert found[0] == np.datetime64("2026-11-30T09:00")
    assert np.isnat(found[1])
    assert found[2] == np.datetime64("2026-01-30T17:00")


def test_a_calendar_that_never_works():
    idle = WorkCalendar([()] * 7)
    assert not idle.works
    assert idle.between(0, 10**9) == 0
    with pytest.raises(NoWorkingTime):
        idle.add(0, 60)
    with pytest.raises(NoWorkingTime):
        idle.next_work(0)
    with pytest.raises(NoWorkingTime):
        WorkCalendar.standard().between(0, 10**12)


@pytest.fixture(scope="module")
def layered() -> Network:
    """A calendar, its child with an own Friday, a grandchild that says nothing."""
    day = pd.Timestamp
    rows = [("base", k, None, None, 480, 960) for k in range(1, 6)] + [
        ("base", None, day("2026-12-24"), day("2026-12-26"), None, None),
        ("base", None, day("2026-12-19"), day("2026-12-19"), 540, 720),
        ("base", 1, day("2026-12-28"), day("2026-12-31"), 600, 660),
        ("child", 5, None, None, 1320, 1800),
        ("child", None, day("2026-12-25"), day("2026-12-25"), 480, 540),
    ]
    names = ["calendar", "weekday", "first", "last", "start_minute", "end_minute"]
    calendars = {
        "calendar": ["base", "child", "grandchild", "round"],
        "parent": ["", "base", "child", "round"],
        "default": [True, False, False, False],
    }
    return Network("P", calendars=calendars, shifts=pd.DataFrame(rows, columns=names))


def test_exceptions_weeks_and_inheritance(layered):
    base, child = layered.clock("base"), layered.clock("child")

    def hours(clock, a, b):
        return clock.between(at(a), at(b)) / 3600

    assert hours(base, "2026-12-21T00:00", "2026-12-28T00:00") == 24  # Mon to Wed
    assert hours(base, "2026-12-19T00:00", "2026-12-20T00:00") == 3
    assert hours(base, "2026-12-28T00:00", "2026-12-29T00:00") == 1
    assert hours(base, "2026-12-29T00:00", "2026-12-30T00:00") == 8
    # The child's Friday runs to 6:00 on Saturday, which is one shift.
    assert when(child.add(at("2026-12-04T22:00"), 8 * 3600)) == "2026-12-05T06:00"
    assert hours(child, "2026-12-25T00:00", "2026-12-26T00:00") == 1
    assert hours(child, "2026-12-24T00:00", "2026-12-25T00:00") == 0
    assert layered.clock("grandchild") is child
    assert layered.clock("unknown") is base
    assert layered.clock() is base
    assert layered.clock("round").works


def test_a_balance_adds_up_in_floats_too():
    balance = Balance("plan.xml")
    for amount in (0.1, 0.2, 0.3):
        balance.read("money", amount)
    balance.use("money", 0.3)
    balance.leave("money", "no task", amount=0.3, line=7, name="12")
    frame = balance.frame().set_index("what")
    assert frame.at["money", "read"] == frame.at["money", "used"] + 0.3
    assert balance.listed().iloc[0].tolist() == [
        "money",
        0.3,
        "plan.xml",
        "7",
        "12",
        "no task",
    ]


def test_a_balance_that_does_not_add_up_says_so():
    balance = Balance("plan.xml")
    balance.read("tasks", 3)
    balance.use("tasks", 2)
    row = balance.frame().iloc[0]
    assert row["read"] != row["used"] + row["listed"]
