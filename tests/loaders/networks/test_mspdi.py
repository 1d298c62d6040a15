"""Microsoft Project XML: every part of it, bad input, hostile files, real files."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from tests.support.counts import tried
from tests.support.places import SHARED

PLANS = SHARED / "data" / "planning_files"
needs_plans = pytest.mark.skipif(
    not PLANS.is_dir(), reason="the planning files of ../shared are not here"
)

FULL = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Project xmlns="http://schemas.microsoft.com/project">
<Name>Bridge.xml</Name><Title>The &lt;bridge&gt;</Title>
<StartDate>2027-01-04T08:00:00</StartDate><StatusDate>2027-01-08T17:00:00</StatusDate>
<CurrencyCode>EUR</CurrencyCode><CalendarUID>1</CalendarUID>
<MinutesPerDay>450</MinutesPerDay>
<ExtendedAttributes><ExtendedAttribute><FieldID>188743731</FieldID>
<FieldName>Text1</FieldName><Alias>Theme</Alias></ExtendedAttribute></ExtendedAttributes>
<Calendars>
<Calendar><UID>1</UID><Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar>
<BaseCalendarUID>-1</BaseCalendarUID><WeekDays>
<WeekDay><DayType>1</DayType><DayWorking>0</DayWorking></WeekDay>
WEEK
<WeekDay><DayType>7</DayType><DayWorking>0</DayWorking></WeekDay>
</WeekDays>
<WorkWeeks><WorkWeek><TimePeriod><FromDate>2027-02-01T00:00:00</FromDate>
<ToDate>2027-02-05T23:59:00</ToDate></TimePeriod><Name>Short</Name><WeekDays>
<WeekDay><DayType>2</DayType><DayWorking>1</DayWorking><WorkingTimes><WorkingTime>
<FromTime>09:00:00</FromTime><ToTime>11:30:00</ToTime></WorkingTime></WorkingTimes>
</WeekDay></WeekDays></WorkWeek></WorkWeeks>
<Exceptions><Exception><EnteredByOccurrences>0</EnteredByOccurrences><TimePeriod>
<FromDate>2027-01-06T00:00:00</FromDate><ToDate>2027-01-06T23:59:00</ToDate>
</TimePeriod><Occurrences>1</Occurrences><Name>Epiphany</Name><Type>1</Type>
<DayWorking>0</DayWorking></Exception>
<Exception><TimePeriod><FromDate>2027-03-01T00:00:00</FromDate>
<ToDate>2027-12-31T23:59:00</ToDate></TimePeriod><Occurrences>3</Occurrences>
<Type>5</Type><Period>1</Period><MonthItem>8</MonthItem><MonthPosition>4</MonthPosition>
<DayWorking>0</DayWorking></Exception></Exceptions></Calendar>
<Calendar><UID>2</UID><Name>Ann</Name><IsBaseCalendar>0</IsBaseCalendar>
<BaseCalendarUID>1</BaseCalendarUID></Calendar>
</Calendars>
<Tasks>
<Task><UID>0</UID><ID>0</ID><Name>Bridge</Name><OutlineLevel>0</OutlineLevel>
<Summary>1</Summary></Task>
<Task><UID>1</UID><ID>1</ID><Name>Design</Name><OutlineLevel>1</OutlineLevel>
<OutlineNumber>1</OutlineNumber><Start>2027-01-04T08:00:00</Start>
<Finish>2027-01-07T17:00:00</Finish><Duration>PT24H0M0S</Duration>
<DurationFormat>7</DurationFormat><PercentComplete>50</PercentComplete>
<ActualStart>2027-01-04T08:00:00</ActualStart><TotalSlack>2400</TotalSlack>
<Cost>120050</Cost><FixedCost>20050</FixedCost><ConstraintType>4</ConstraintType>
<ConstraintDate>2027-01-04T08:00:00</ConstraintDate>
<Deadline>2027-01-15T17:00:00</Deadline><CalendarUID>-1</CalendarUID>
<ExtendedAttribute><FieldID>188743731</FieldID><Value>Roads &amp; rail</Value>
</ExtendedAttribute>
<Baseline><Number>0</Number><Start>2027-01-04T08:00:00</Start>
<Finish>2027-01-06T17:00:00</Finish><Duration>PT16H0M0S</Duration><Work>PT16H0M0S</Work>
<Cost>80000</Cost></Baseline>
<Baseline><Number>3</Number><Start>2027-01-05T08:00:00</Start></Baseline></Task>
<Task><UID>2</UID><ID>2</ID><IsNull>1</IsNull></Task>
<Task><UID>3</UID><ID>3</ID><Name>Build</Name><OutlineLevel>1</OutlineLevel>
<Duration>PT48H0M0S</Duration><DurationFormat>8</DurationFormat><Active>0</Active>
<PredecessorLink><PredecessorUID>1</PredecessorUID><Type>3</Type><LinkLag>-4800</LinkLag>
<LagFormat>7</LagFormat></PredecessorLink>
<PredecessorLink><PredecessorUID>4</PredecessorUID><Type>0</Type><LinkLag>14400</LinkLag>
<LagFormat>8</LagFormat></PredecessorLink></Task>
<Task><UID>4</UID><ID>4</ID><Name>Open</Name><OutlineLevel>1</OutlineLevel>
<Milestone>1</Milestone><PredecessorLink><PredecessorUID>1</PredecessorUID>
<Type>1</Type><LinkLag>50</LinkLag><LagFormat>19</LagFormat></PredecessorLink></Task>
</Tasks>
<Resources>
<Resource><UID>0</UID><ID>0</ID><CalendarUID>9</CalendarUID></Resource>
<Resource><UID>1</UID><ID>1</ID><Name>Ann</Name><Type>1</Type><Group>Engineer</Group>
<MaxUnits>0.5</MaxUnits><StandardRate>50</StandardRate><CalendarUID>2</CalendarUID>
<AvailabilityPeriods><AvailabilityPeriod><AvailableFrom>2027-01-01T00:00:00</AvailableFrom>
<AvailableTo>2027-06-30T23:59:00</AvailableTo><AvailableUnits>0.5</AvailableUnits>
</AvailabilityPeriod></AvailabilityPeriods>
<Rates><Rate><RatesFrom>1984-01-01T00:00:00</RatesFrom><RatesTo>2049-12-31T23:59:00</RatesTo>
<RateTable>0</RateTable><StandardRate>50</StandardRate><CostPerUse>1500</CostPerUse></Rate>
</Rates></Resource>
<Resource><UID>2</UID><ID>2</ID><Name>Steel</Name><Type>0</Type></Resource>
</Resources>
<Assignments>
<Assignment><UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID><Units>0.5</Units>
<Work>PT20H30M0S</Work><ActualWork>PT5H0M0S</ActualWork><RemainingWork>PT15H30M0S</RemainingWork>
<Start>2027-01-04T08:00:00</Start><Finish>2027-01-07T17:00:00</Finish><Cost>100000</Cost>
<WorkContour>8</WorkContour>
<Baseline><Number>0</Number><Work>PT16H0M0S</Work><Cost>800</Cost></Baseline>
<TimephasedData><Type>2</Type><UID>1</UID><Start>2027-01-04T08:00:00</Start>
<Finish>2027-01-05T08:00:00</Finish><Unit>2</Unit><Value>PT5H0M0S</Value></TimephasedData>
<TimephasedData><Type>1</Type><UID>1</UID><Start>2027-01-05T08:00:00</Start>
<Finish>2027-01-06T08:00:00</Finish><Unit>2</Unit><Value></Value></TimephasedData>
<TimephasedData><Type>1</Type><UID>1</UID><Start>2027-01-07T08:00:00</Start>
<Finish>2027-01-07T17:00:00</Finish><Unit>2</Unit><Value>PT15H30M0S</Value></TimephasedData>
</Assignment>
<Assignment><UID>2</UID><TaskUID>1</TaskUID><ResourceUID>2</ResourceUID><Units>4</Units>
<Work>PT4H0M0S</Work></Assignment>
<Assignment><UID>3</UID><TaskUID>3</TaskUID><ResourceUID>-65535</ResourceUID>
<Work>PT8H0M0S</Work></Assignment>
</Assignments></Project>
"""
WEEK = "".join(
    f"<WeekDay><DayType>{day}</DayType><DayWorking>1</DayWorking><WorkingTimes>"
    "<WorkingTime><FromTime>08:00:00</FromTime><ToTime>12:00:00</ToTime></WorkingTime>"
    "<WorkingTime><FromTime>13:00:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime>"
    "<WorkingTime/></WorkingTimes></WeekDay>"
    for day in range(2, 7)
)
FULL = FULL.replace("WEEK", WEEK)


def read(tmp_path: Path, text: str | bytes, name: str = "plan.xml") -> pmo.Network:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (network,) = pmo.read_networks(path)
    assert_balanced(network)
    return network


def assert_balanced(network: pmo.Network) -> None:
    balance = network.balance
    assert (balance["read"] == balance["used"] + balance["listed"]).all(), balance
    counts = network.listed.groupby("what")["amount"].sum()
    for what, listed in zip(balance["what"], balance["listed"], strict=True):
        assert counts.get(what, 0.0) == pytest.approx(listed)
    for what in ("tasks", "links", "assignments", "resources", "calendars"):
        used = balance.set_index("what")["used"].get(what, 0)
        assert used == len(getattr(network, what))


@pytest.fixture(scope="module")
def bridge(tmp_path_factory) -> pmo.Network:
    return read(tmp_path_factory.mktemp("bridge"), FULL)


def test_the_project(bridge):
    assert (bridge.project, bridge.name) == ("Bridge", "The <bridge>")
    assert bridge.currency == "EUR"
    assert bridge.data_date == np.datetime64("2027-01-08T17:00")
    assert bridge.hours_per_day == 7.5
    assert bridge.source == "plan.xml"
    assert bridge.problems.empty


def test_tasks(bridge):
    tasks = bridge.tasks
    assert tasks["kind"].tolist() == ["summary", "task", "", "task", "milestone"]
    assert tasks["parent"].tolist() == ["", "0", "", "0", "0"]
    design = tasks.loc["1"]
    assert design["duration_h"] == 24
    assert design["total_float_h"] == 4
    assert (design["cost"], design["fixed_cost"]) == (1200.5, 200.5)
    assert design["constraint"] == "start_no_earlier"
    assert design["baseline_finish"] == pd.Timestamp("2027-01-06 17:00")
    assert tasks["active"].tolist() == [True, True, True, False, True]
    assert tasks.at["3", "duration_unit"] == "elapsed"
    assert bridge.baselines["baseline"].tolist() == ["0", "3"]
    row = bridge.codes.iloc[0]
    assert (row["id"], row["code"], row["value"]) == ("1", "Theme", "Roads & rail")


def test_links_and_their_lags(bridge):
    links = bridge.links[["task", "requires", "kind", "lag_h", "lag_unit"]]
    assert links.to_numpy().tolist() == [
        ["3", "1", "SS", -8.0, "working"],
        ["3", "4", "FF", 24.0, "elapsed"],
        ["4", "1", "FS", 12.0, "percent"],  # half of 24 hours
    ]


def test_people_and_their_hours(bridge):
    people = bridge.resources
    assert people["kind"].tolist() == ["work", "work", "material"]
    assert people.at["1", "max_units"] == 0.5
    assert bridge.units["units"].tolist() == [0.5]
    assert bridge.rates[["rate", "per_use"]].iloc[0].tolist() == [50, 15]
    work = bridge.assignments
    assert work["work_h"].tolist() == [20.5, 0, 8]
    assert work["quantity"].tolist()[1] == 4
    assert work["resource"].tolist() == ["1", "2", ""]
    assert work["contour"].tolist()[0] == "contoured"
    assert work["baseline_work_h"].tolist()[0] == 16
    phased = bridge.timephased[["kind", "hours", "resource"]].to_numpy().tolist()
    assert phased == [["actual", 5.0, "1"], ["remaining", 15.5, "1"]]
    balance = bridge.balance.set_index("what")["read"]
    assert balance["hours"] == 28.5
    assert balance["quantity"] == 4
    assert balance["money"] == 1200.5


def test_calendars(bridge):
    clock = bridge.clock("2")

    def hours(first: str, last: str) -> float:
        times = np.array([first, last], "M8[s]")
        return clock.hours_between(times[:1], times[1:])[0]

    assert hours("2027-01-04", "2027-01-09") == 32  # the 6th is free
    assert hours("2027-02-01", "2027-02-02") == 2.5
    assert hours("2027-02-02", "2027-02-03") == 8
    # The last Friday of March, April and May is free, of June it is not.
    free = [d for d in pd.date_range("2027-03-01", "2027-07-01") if d.weekday() < 5]
    free = [d.date().isoformat() for d in free if not hours(d, d + pd.Timedelta("1D"))]
    assert free == ["2027-03-26", "2027-04-30", "2027-05-28"]


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.replace("<Tasks>", "<!-- a comment\n --><Tasks>"),
        lambda text: re.sub(r"<(/?)(\w)", r"<\1p:\2", text.split("?>", 1)[1]).replace(
            "xmlns=", "xmlns:p="
        ),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("UTF-8", "windows-1252").encode("cp1252"),
        lambda text: text.replace("UTF-8", "gb18030").encode("gb18030"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("<Name>Design</Name>", "<Name a='b'>Design</Name>"),
        lambda text: text.replace("Design<", "<![CDATA[Design]]><"),
        lambda text: text.replace("\n", ""),
    ],
)
def test_one_plan_in_many_ways_of_writing_it(bridge, tmp_path, written):
    text = written(FULL)
    if isinstance(text, str) and not text.startswith(("<?", "\ufeff")):
        text = '<?xml version="1.0"?>' + text
    if isinstance(text, bytes) and text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = FULL.replace("UTF-8", "UTF-16").encode("utf-16")
    other = read(tmp_path, text)
    for name in ("tasks", "links", "assignments", "resources", "shifts", "codes"):
        ours, theirs = (
            getattr(n, name).drop(columns="line", errors="ignore")
            for n in (bridge, other)
        )
        pd.testing.assert_frame_equal(ours, theirs)


BAD = [
    ("<PredecessorUID>4<", "<PredecessorUID>99<", "unknown_task", "99"),
    ("<PredecessorUID>4<", "<PredecessorUID>3<", "self_link", "3"),
    ("<UID>2</UID><Name>Ann", "<UID>8</UID><Name>Ann", "unknown_calendar", "2"),
    ("<Duration>PT24H0M0S", "<Duration>-PT24H0M0S", "negative_duration", "1"),
    ("<Duration>PT24H0M0S", "<Duration>three days", "bad_duration", "three days"),
    ("<Finish>2027-01-07T", "<Finish>2026-01-07T", "finish_before_start", "1"),
    ("<Start>2027-01-04T08", "<Start>2027-13-04T08", "bad_date", "2027-13-04T08:00:00"),
    ("<Start>2027-01-04T08", "<Start>9999-01-04T08", "bad_date", "9999-01-04T08:00:00"),
    ("<Name>Ann</Name><Type>", "<Type>", "missing_name", "1"),
    ("<TaskUID>3<", "<TaskUID>0<", "assignment_on_summary", "0"),
    ("<TaskUID>3<", "<TaskUID>77<", "unknown_task", "77"),
    ("<ResourceUID>-65535<", "<ResourceUID>5<", "unknown_resource", "5"),
    ("<UID>4</UID><ID>4", "<UID>1</UID><ID>4", "duplicate_id", "1"),
    ("<FromTime>09:00:00", "<FromTime>nine", "bad_calendar", "nine"),
    ("<StatusDate>2027-01-08", "<StatusDate>yesterday", "bad_value", ""),
    ("<Cost>100000<", "<Cost>1e999<", "bad_number", "1e999"),
]


@pytest.mark.parametrize(("good", "bad", "rule", "found"), BAD)
def test_bad_input_is_told_and_the_rest_is_read(tmp_path, good, bad, rule, found):
    assert good in FULL
    text = FULL.replace(good, bad, 1)
    if rule == "assignment_on_summary":
        text = text.replace("<ResourceUID>-65535<", "<ResourceUID>1<")
    network = read(tmp_path, text)
    told = network.problems[network.problems["rule"] == rule]
    assert len(told), network.problems
    assert told["source"].eq("plan.xml").all()
    assert found in told["found"].tolist()
    if rule != "bad_value":
        assert told["row"].iloc[0] > 3
    assert "Design" in network.tasks["name"].tolist()


HOSTILE = {
    "entities": '<?xml version="1.0"?><!DOCTYPE Project [<!ENTITY a "b">]>'
    '<Project xmlns="http://schemas.microsoft.com/project"><Name>&a;</Name></Project>',
    "bomb": '<?xml version="1.0"?><!DOCTYPE Project [<!ENTITY a "aaaaaaaaaa">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Project '
    'xmlns="http://schemas.microsoft.com/project"><Name>&b;</Name></Project>',
    "a file of the system": '<!DOCTYPE Project SYSTEM "file:///etc/passwd">'
    '<Project xmlns="http://schemas.microsoft.com/project"/>',
    "deep": '<Project xmlns="http://schemas.microsoft.com/project">' + "<a>" * 999_999,
    "deep with a comment": '<Project xmlns="http://schemas.microsoft.com/project">'
    "<!-- -->" + "<a>" * 500,
    "cut off": FULL[: len(FULL) // 2],
    "wrong code page": FULL.replace("Design", "Entw\udcfcrfe").encode(
        "utf-8", "surrogateescape"
    ),
    "unknown code page": FULL.replace("UTF-8", "klingon"),
    "nul": FULL.replace("Design", "Des\0ign"),
    "two roots": FULL + FULL[40:],
    "crossed tags": FULL.replace("</Task>\n<Task>", "</Tasks>\n<Task>"),
    "entity that is not declared": FULL.replace("Design", "&design;"),
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_files_are_refused(tmp_path, kind):
    path = tmp_path / "plan.xml"
    text = HOSTILE[kind]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(pmo.DataError, match=r"plan\.xml"):
        pmo.read_networks(path)


def test_a_file_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("pmo_analytics.loaders.networks.plain_xml.MAX_BYTES", 100)
    with pytest.raises(pmo.DataError, match="file_too_large"):
        read(tmp_path, FULL)


def mutated(data: bytes, random_: random.Random) -> bytes:
    """Return a file with a few bytes, values and elements changed."""
    changed = bytearray(data)
    odd = [b"-1", b"9" * 30, b"", b"nan", b"PT-5H", b"9999-12-31T23:59:59", b"&#0;"]
    for _ in range(random_.randint(1, 4)):
        values = list(re.finditer(rb"<(\w+)>([^<>]*)</\1>", bytes(changed)))
        one, other = random_.choice(values), random_.choice(values)
        kind = random_.randrange(5)
        if kind == 0:
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        elif kind == 1:
            changed[one.start(2) : one.end(2)] = random_.choice(odd)
        elif kind == 2:
            del changed[one.start() : one.end()]
        elif kind == 3:
            changed[one.start() : one.end()] = other.group(0)
        else:
            changed[one.start() : one.start()] = one.group(0)
    return bytes(changed)


def test_mutations_are_read_or_refused(tmp_path):
    random_ = random.Random(21)
    path = tmp_path / "plan.xml"
    outcomes = set()
    for _ in range(tried(60)):
        path.write_bytes(mutated(FULL.encode(), random_))
        try:
            for network in pmo.read_networks(path):
                assert_balanced(network)
            outcomes.add("read")
        except pmo.DataError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def counted() -> dict[str, list[int]]:
    """Return file -> what another reader counts: tasks to links."""
    names = ("tasks", "resources", "assignments", "calendars", "links")
    counts = {}
    for file in ("MPXJ_counts.csv", "MPXJ_counts_more.csv"):
        text = (PLANS / file).read_text(encoding="utf-8").splitlines()
        for row in csv.DictReader(text):
            if row["type"] == "MSPDI":
                counts[row["file"]] = [int(row[name]) for name in names]
    return counts


# The file holds two calendars; the other reader drops the one of no resource.
EXPLAINED = {"CopyToProjectEmpty.xml": [1, 0, 0, 2, 0]}


@needs_plans
def test_real_files_hold_what_another_reader_counts():
    for file, expected in counted().items():
        path = next(PLANS.rglob(file))
        (network,) = pmo.read_networks(path)
        assert_balanced(network)
        frames = network.tasks, network.resources, network.assignments
        found = [len(f) for f in (*frames, network.calendars, network.links)]
        assert found == EXPLAINED.get(file, expected), file


@needs_plans
def test_the_fields_of_real_files():
    (durations,) = pmo.read_networks(PLANS / "mspdi" / "mspdiduration.xml")
    assert durations.tasks["duration_unit"].eq("elapsed").sum() > 0
    (split,) = pmo.read_networks(PLANS / "mspdi" / "mspdisplittask.xml")
    assert len(split.timephased)
    (baselines,) = pmo.read_networks(PLANS / "mspdi" / "baselines.xml")
    own = baselines.baselines
    assert own["baseline"].tolist() == [str(n) for n in range(1, 11)]
    assert own["work_h"].tolist() == list(range(1, 11))
    assert own["cost"].tolist() == list(range(1, 11))


def test_dates_of_a_baseline_are_not_those_of_its_time_phased_data(tmp_path):
    phased = "<TimephasedData><Type>4</Type><Start>2027-02-01T08:00:00</Start>"
    phased += "<Finish>2027-02-02T17:00:00</Finish></TimephasedData>"
    path = tmp_path / "plan.xml"
    path.write_text(FULL.replace("<Baseline><Number>", f"<Baseline>{phased}<Number>"))
    (network,) = pmo.read_networks(path)
    rows = network.baselines[["baseline", "start"]]
    assert rows["start"].tolist() == [
        pd.Timestamp("2027-01-04 08:00"),
        pd.Timestamp("2027-01-05 08:00"),
    ]
