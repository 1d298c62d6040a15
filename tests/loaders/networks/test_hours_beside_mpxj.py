"""Hours by month and person, beside those of mpxj and those that a file spreads."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.networks import Network
from pmo_analytics.networks.rolling.balances import whole
from pmo_analytics.networks.rolling.spreading import MILLI, spread
from tests.loaders.networks.test_mspdi import PLANS, needs_plans
from tests.loaders.networks.test_through_mpxj import needs_java

FILES = [
    *("mspdi/mp_j30_a2_nr1.xml", "mspdi/mp_j30_a5_nr1.xml", "mspdi/mspdiresource.xml"),
    *("mspdi/mspditimephased.xml", "mspdi/mspdiassignmentfields.xml"),
    *("xer_exports/MDL4D.xer", "xer_exports/MDL4RA.xer", "xer_exports/wk2.xer"),
    *("xer_exports/building_sample.xer", "xer/resource-rates-test.xer"),
    "more/test.xer",
]
# Where mpxj says otherwise, and why ours stands.
OTHERWISE = {
    # It counts overtime in the hours and once more.
    "mspdiassignmentfields.xml": {"Resource One", "Resource Two"},
    # Its months add up to less than the hours of the assignment, 2,319 of 8,000 h.
    "wk2.xer": {"MAISON", "STELL FIXER"},
    # Hours of resource-dependent activities: up to 2 h in another month.
    "MDL4D.xer": {"Weekly Expenses"},
    "MDL4RA.xer": {"Weekly Expenses"},
}
MPXJ = """
import collections, json, sys
import jpype, mpxj
jpype.startJVM("-Xmx1g")
found = {}
reader = jpype.JClass("org.mpxj.reader.UniversalProjectReader")
Time = jpype.JClass("java.time.LocalDateTime")
Range = jpype.JClass("org.mpxj.LocalDateTimeRange")
hours = jpype.JClass("org.mpxj.TimeUnit").HOURS
for file in sys.argv[1:]:
    cells = found[file] = collections.defaultdict(float)
    for row in reader().read(file).getResourceAssignments():
        person, start, finish = row.getResource(), row.getStart(), row.getFinish()
        if person is None or start is None or finish is None:
            continue
        month = Time.of(start.getYear(), start.getMonthValue(), 1, 0, 0)
        months = jpype.JClass("java.util.ArrayList")()
        while not month.isAfter(finish):
            months.add(Range(month, month.plusMonths(1)))
            month = month.plusMonths(1)
        for month, work in zip(months, row.getTimephasedWork(months, hours)):
            if work is not None:
                key = f"{person.getName()}|{str(month.getStart())[:7]}"
                cells[key] += float(work.getDuration())
print(json.dumps(found))
"""


def by_month(network: Network) -> pd.Series:
    """Return the hours of each person and month, as a portfolio has them."""
    rows = network.assignments
    kinds = network.resources["kind"].reindex(rows["resource"]).to_numpy()
    rows = rows[(kinds == "work") & rows["start"].notna() & rows["finish"].notna()]
    rows = rows.assign(amount=whole(rows["work_h"], MILLI, network))
    spreads = spread(network, rows[rows["amount"] > 0], "M")
    uid = rows["resource"].reindex(spreads["row"])
    name = network.resources["name"].reindex(uid).to_numpy()
    month = pd.PeriodIndex.from_ordinals(spreads["period"], freq="M").astype(str)
    hours = spreads["amount"].to_numpy() / MILLI
    return pd.Series(hours, index=[name, month]).groupby(level=[0, 1]).sum()


@needs_plans
@needs_java
def test_hours_of_months_and_people_are_those_of_mpxj():
    command = [sys.executable, "-c", MPXJ, *(str(PLANS / file) for file in FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cells = 0
    for file, told in json.loads(done.stdout.splitlines()[-1]).items():
        (network,) = pmo.read_networks(file)
        ours = by_month(network)
        keys = [tuple(key.rsplit("|", 1)) for key in told]
        theirs = pd.Series(list(told.values()), index=pd.MultiIndex.from_tuples(keys))
        material = network.resources["name"][network.resources["kind"] != "work"]
        both = pd.DataFrame({"ours": ours, "theirs": theirs}).fillna(0.0)
        both = both[~both.index.get_level_values(0).isin(material)]
        differ = both[(both["ours"] - both["theirs"]).abs() > 0.05]
        known = OTHERWISE.get(network.source, set())
        assert set(differ.index.get_level_values(0)) <= known, (file, differ)
        cells += len(both) - len(differ)
    assert cells > 350


@needs_plans
@pytest.mark.parametrize("file", ["mspditimephased.xml", "mspdiassignmentfields.xml"])
def test_hours_are_those_that_the_file_spreads(file):
    """What the file says of its own hours, a month, is the third opinion."""
    (network,) = pmo.read_networks(PLANS / "mspdi" / file)
    own = network.timephased
    own = own[own["kind"].isin(["remaining", "actual"])]
    last = own["finish"] - pd.Timedelta("1s")
    inside = own["start"].dt.to_period("M") == last.dt.to_period("M")
    month = own["start"].dt.to_period("M").astype(str)
    said = own.groupby("row")["hours"].sum()
    work = network.assignments["work_h"].reindex(said.index)
    whole_rows = said.index[(said - work).abs() < 0.01].difference(own["row"][~inside])
    assert len(whole_rows) > 0
    kept = own["row"].isin(whole_rows)
    name = network.resources["name"].reindex(own["resource"]).to_numpy()
    hours = own["hours"][kept].groupby([name[kept], month[kept].to_numpy()]).sum()
    alone = network.replace(assignments=network.assignments.loc[whole_rows.astype(int)])
    # Rows are counted anew in a frame.
    places = pd.Series(range(len(whole_rows)), index=whole_rows)
    alone = alone.replace(timephased=own[kept].assign(row=own["row"][kept].map(places)))
    ours = by_month(alone)
    assert set(ours.index) == set(hours.index)
    assert (ours - hours).abs().max() < 0.01


def test_what_a_file_leaves_out_lies_behind():
    """Done in January 10 of 30 h, as the file says; the rest is ahead, in February."""
    start, finish = pd.Timestamp("2027-01-25 08:00"), pd.Timestamp("2027-02-05 17:00")
    done = pd.Timestamp("2027-01-29 17:00")
    row = {"task": ["1"], "resource": "1", "start": start, "finish": finish}
    network = Network(
        "P",
        tasks=pd.DataFrame({"task": ["1"]}),
        resources=pd.DataFrame({"resource": ["1"], "name": "Ann", "kind": "work"}),
        assignments=pd.DataFrame({**row, "work_h": 30.0}),
        timephased=pd.DataFrame(
            {**row, "finish": done, "hours": 10.0, "kind": "actual", "row": 0}
        ),
    )
    assert by_month(network).tolist() == [10.0, 20.0]


def test_activities_of_p6_are_worked_on_their_own_calendar():
    """Ann works on Fridays; a task-dependent activity runs Monday to Friday."""
    week = [(1, 480, 960), (2, 480, 960), (3, 480, 960), (4, 480, 960), (5, 480, 960)]
    shifts = [("office", *shift) for shift in week] + [("ann", 5, 480, 960)]
    names = ["calendar", "weekday", "start_minute", "end_minute"]
    for kind, january in (("TT_Task", 40.0), ("TT_Rsrc", 0.0), ("TT_LOE", 40.0)):
        network = Network(
            "P",
            tasks=pd.DataFrame({"task": ["A"], "calendar": "office", "type": kind}),
            assignments=pd.DataFrame(
                {
                    "task": ["A"],
                    "resource": "1",
                    "work_h": 80.0,
                    "start": pd.Timestamp("2027-01-25 08:00"),
                    "finish": pd.Timestamp("2027-02-05 16:00"),
                }
            ),
            resources=pd.DataFrame(
                {"resource": ["1"], "name": "Ann", "kind": "work", "calendar": "ann"}
            ),
            calendars={"calendar": ["office", "ann"]},
            shifts=pd.DataFrame(shifts, columns=names),
        )
        hours = by_month(network)
        # Fridays: 29 January and 5 February.
        expected = 40.0 if kind == "TT_Rsrc" else january
        assert hours["Ann", "2027-01"] == pytest.approx(expected)
        assert hours["Ann", "2027-02"] == pytest.approx(80 - expected)
        assert np.isclose(hours.sum(), 80)
