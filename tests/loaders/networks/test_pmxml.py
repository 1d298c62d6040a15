"""PMXML: the tables of P6 as XML, and real files of four kinds."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders import read_networks
from pmo_analytics.networks import critical_path
from tests.support.places import SHARED

PLANS = SHARED / "data" / "planning_files"

CALENDAR = """<Calendar><ObjectId>7</ObjectId><Name>Office</Name>
<HoursPerDay>8</HoursPerDay><StandardWorkWeek>{week}</StandardWorkWeek>
<HolidayOrExceptions><HolidayOrException><Date>2027-01-05T00:00:00</Date>
<WorkTime xsi:nil="true" /></HolidayOrException></HolidayOrExceptions></Calendar>"""
DAY = """<StandardWorkHours><DayOfWeek>{day}</DayOfWeek>
<WorkTime><Start>08:00:00</Start><Finish>11:59:00</Finish></WorkTime>
<WorkTime><Start>13:00:00</Start><Finish>17:00:00</Finish></WorkTime>
</StandardWorkHours>"""
WEEK = "".join(
    DAY.format(day=day)
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
)
ACTIVITY = """<Activity><ObjectId>{uid}</ObjectId><Id>{code}</Id>
<Name>{code} &amp; co</Name>
<Type>Task Dependent</Type><Status>Not Started</Status>
<PercentCompleteType>Physical</PercentCompleteType>
<PhysicalPercentComplete>0,25</PhysicalPercentComplete>
<CalendarObjectId>7</CalendarObjectId><WBSObjectId>3</WBSObjectId>
<PlannedDuration>{hours}</PlannedDuration><RemainingDuration>{hours}</RemainingDuration>
<PlannedStartDate>{start}</PlannedStartDate><PlannedFinishDate>{start}</PlannedFinishDate>
<PrimaryConstraintType>{word}</PrimaryConstraintType>
<PrimaryConstraintDate>2027-01-06T08:00:00</PrimaryConstraintDate>
<UDF><TypeObjectId>5</TypeObjectId><Text>north</Text></UDF>
<Code><TypeObjectId>1</TypeObjectId><ValueObjectId>2</ValueObjectId></Code>
</Activity>"""
LINK = """<Relationship><ObjectId>{uid}</ObjectId><Lag>{lag}</Lag><Type>{kind}</Type>
<PredecessorActivityObjectId>{a}</PredecessorActivityObjectId>
<PredecessorProjectObjectId>{p}</PredecessorProjectObjectId>
<SuccessorActivityObjectId>{b}</SuccessorActivityObjectId>
<SuccessorProjectObjectId>{q}</SuccessorProjectObjectId></Relationship>"""


def activity(uid, code, hours="8", start="2027-01-04T08:00:00", word=""):
    return ACTIVITY.format(uid=uid, code=code, hours=hours, start=start, word=word)


def link(uid, a, b, kind="Finish to Start", lag="0", p="1", q="1"):
    return LINK.format(uid=uid, a=a, b=b, kind=kind, lag=lag, p=p, q=q)


def document(*projects, head="", rest=""):
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{head}<APIBusinessObjects '
        'xmlns="http://xmlns.oracle.com/Primavera/P6Professional/V20.12/API/'
        'BusinessObjects" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<Currency><Id>EUR</Id><ExchangeRate>1</ExchangeRate></Currency>"
        "<UDFType><ObjectId>5</ObjectId><SubjectArea>Activity</SubjectArea>"
        "<Title>Area</Title></UDFType><ActivityCodeType><ObjectId>1</ObjectId>"
        "<Name>Phase</Name></ActivityCodeType><ActivityCode><ObjectId>2</ObjectId>"
        "<CodeValue>ENG</CodeValue><Description>Engineering</Description>"
        f"</ActivityCode>{CALENDAR.format(week=WEEK)}{''.join(projects)}{rest}"
        "</APIBusinessObjects>"
    )


def project(content, uid="1", tag="Project", more=""):
    return (
        f"<{tag}><ObjectId>{uid}</ObjectId><Id>P{uid}</Id><Name>Plant</Name>"
        "<ActivityDefaultCalendarObjectId>7</ActivityDefaultCalendarObjectId>"
        f"<DataDate>2027-01-04T08:00:00</DataDate>{more}<WBS><ObjectId>3</ObjectId>"
        "<Code>W</Code><Name>Work</Name><ParentObjectId xsi:nil='true'/></WBS>"
        f"{content}</{tag}>"
    )


def read(tmp_path, text):
    path = tmp_path / "p.xml"
    path.write_text(text, encoding="utf-8")
    return read_networks(path)


def test_activities_links_calendars_codes(tmp_path):
    content = (
        activity(10, "A", hours="12,0")
        + activity(11, "B", word="Start On or After")
        + link(1, 10, 11, lag="4")
        + link(2, 10, 99, q="2")
        + "<ScheduleOptions><OutOfSequenceScheduleType>Progress Override"
        "</OutOfSequenceScheduleType></ScheduleOptions>"
    )
    (network,) = read(tmp_path, document(project(content)))
    tasks = network.tasks
    assert list(tasks.index) == ["W", "A", "B"]
    assert tasks.loc["A", ["name", "duration_h"]].tolist() == ["A & co", 12]
    assert tasks.loc["B", "constraint"] == "start_no_earlier"
    assert tasks.loc["A", "physical_percent"] == 25
    assert network.links["lag_h"].tolist() == [4, 0]
    assert network.links["task_project"].tolist() == ["", "2"]
    assert (network.currency, network.status_mode) == ("EUR", "progress_override")
    assert network.fields["version"] == "20.12"
    codes = network.codes[network.codes["id"] == "A"].set_index("code")["value"]
    assert codes.to_dict() == {"Phase": "ENG", "Area": "north"}
    # 12 hours from Monday: a holiday on Tuesday, 11:59 is noon, 17:00 is 17:00.
    frame = critical_path(network)
    assert frame["early_finish"].astype(str).to_list() == [
        "2027-01-06 12:00:00",
        "2027-01-07 17:00:00",
    ]


def test_a_file_may_say_what_it_is_in_its_name(tmp_path):
    (tmp_path / "p.pmxml").write_text(document(project(activity(10, "A"))))
    (network,) = read_networks(tmp_path)
    assert network.tasks.index.tolist() == ["W", "A"]


def test_the_list_of_projects_is_no_project(tmp_path):
    listed = '<ProjectList><Project ObjectId="1"><Id>P1</Id></Project></ProjectList>'
    text = document(project(activity(10, "A")))
    head, mark, rest = text.partition("<Project>")
    (network,) = read(tmp_path, head + listed + mark + rest)
    assert network.tasks.index.tolist() == ["W", "A"]


def test_a_baseline_belongs_to_its_project(tmp_path):
    own = "<CurrentBaselineProjectObjectId>2</CurrentBaselineProjectObjectId>"
    base = "<OriginalProjectObjectId>1</OriginalProjectObjectId>"
    (network,) = read(
        tmp_path,
        document(
            project(activity(10, "A"), more=own),
            project(
                activity(20, "A", start="2026-12-01T08:00:00"),
                uid="2",
                tag="BaselineProject",
                more=base,
            ),
        ),
    )
    assert network.tasks.loc["A", "baseline_start"] == pd.Timestamp("2026-12-01 08:00")
    assert network.baselines["baseline"].tolist() == ["P2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(project("")).replace("</Project>", ""), "no whole XML"),
        (document(project(""), head="<!DOCTYPE a [<!ENTITY b 'c'>]>"), "document type"),
        (document(), "no <Project>"),
    ],
)
def test_what_is_no_pmxml_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


@pytest.mark.skipif(not PLANS.exists(), reason="the shared planning files are absent")
def test_counts_of_real_files():
    rows = pd.read_csv(PLANS / "MPXJ_counts_more.csv", on_bad_lines="skip")
    rows = rows[rows["type"] == "PMXML"]
    names = ["tasks", "summary", "milestones", "resources", "assignments", "calendars"]
    names += ["links", "baseline_finish_tasks", "actual_start_tasks", "complete_tasks"]
    for file, expected in rows.groupby("file"):
        found = []
        for network in read_networks(PLANS / "more" / str(file)):
            kinds = network.tasks["kind"].value_counts()
            # Links within the project: the other reader leaves those across out.
            across = network.links["requires_project"] + network.links["task_project"]
            found.append(
                (
                    len(network.tasks),
                    kinds.get("summary", 0),
                    kinds.get("milestone", 0),
                    len(network.resources),
                    len(network.assignments),
                    len(network.calendars),
                    int((across == "").sum()),
                    network.tasks["baseline_finish"].count(),
                    network.tasks["actual_start"].count(),
                    network.tasks["actual_finish"].count(),
                )
            )
        given = [tuple(int(cell) for cell in row) for row in expected[names].to_numpy()]
        assert sorted(found) == sorted(given), file


@pytest.mark.skipif(not PLANS.exists(), reason="the shared planning files are absent")
def test_a_file_without_ids_that_others_cannot_read():
    (network,) = read_networks(PLANS / "more" / "primavera.xml")
    assert network.project == "detail_elaboration_iteration"
    kinds = network.tasks["kind"].value_counts()
    assert (kinds["task"], kinds["summary"], len(network.links)) == (137, 40, 498)
    balance = network.balance
    assert (balance["read"] == balance["used"] + balance["listed"]).all()
    # One assignment names an activity that is not there.
    assert network.listed["what"].tolist() == ["assignments", "hours"]
