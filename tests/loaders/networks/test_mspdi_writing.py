"""Networks and plans written as Microsoft Project XML, and read back."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.loaders import write_dates, write_network
from pmo_analytics.networks import Network, roll_up_balanced
from pmo_analytics.reporting import write_mspdi
from tests.loaders.networks.test_mspdi import FULL, PLANS, needs_plans, read
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def test_a_network_comes_back_as_it_was(tmp_path):
    before = read(tmp_path, FULL)
    (after,) = pmo.read_networks(write_network(before, tmp_path / "copy.xml"))
    frames = ("links", "shifts", "units", "baselines", "timephased")
    for name in frames:
        ours, theirs = (
            getattr(n, name).drop(columns="line", errors="ignore")
            for n in (before, after)
        )
        if name == "shifts":
            key = ["calendar", "weekday", "first", "start_minute"]
            ours, theirs = (
                f.sort_values(key, ignore_index=True) for f in (ours, theirs)
            )
        pd.testing.assert_frame_equal(ours, theirs)
    tasks = "name kind parent start finish duration_h duration_unit active deadline"
    tasks += " constraint constraint_date calendar cost fixed_cost percent_complete"
    work = "task resource units work_h remaining_h start finish cost contour quantity"
    for name, columns in (("tasks", tasks), ("assignments", work)):
        ours, theirs = (getattr(n, name)[columns.split()] for n in (before, after))
        pd.testing.assert_frame_equal(ours, theirs)
    people = ["name", "kind", "calendar", "max_units", "rate", "group"]
    pd.testing.assert_frame_equal(before.resources[people], after.resources[people])
    assert (after.project, after.name, after.currency) == (
        "Bridge",
        "The <bridge>",
        "EUR",
    )
    assert after.data_date == before.data_date


def test_texts_that_xml_cannot_hold(tmp_path):
    odd = read(tmp_path, FULL)
    tasks = odd.tasks.assign(
        name="A \x00\x0b<&> \ud83d\ude00".encode("utf-16", "surrogatepass").decode(
            "utf-16"
        )
    )
    (back,) = pmo.read_networks(
        write_network(odd.replace(tasks=tasks), tmp_path / "odd.xml")
    )
    assert back.tasks["name"].iloc[1] == "A <&> \U0001f600"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A plan, the network of the file that was written of it, its portfolio."""
    plan = pmo.baseline(pmo.example_portfolio())
    path = write_mspdi(plan, tmp_path_factory.mktemp("written") / "plan.xml")
    (network,) = pmo.read_networks(path)
    return plan, network, roll_up_balanced([network])


def test_a_plan_becomes_projects_roles_and_hours(written):
    plan, back, _ = written
    chosen = plan.projects[plan.projects["decision"] == "selected"]
    tops = back.tasks[back.tasks["kind"] == "summary"]
    assert len(tops) == len(chosen)
    demand = plan.portfolio.demand
    demand = demand[demand["project"].isin(chosen["project"])]
    full = 40 * 52.1775 / 12
    assert back.assignments["work_h"].sum() == pytest.approx(
        demand["fte"].sum() * full, abs=0.5
    )
    # The hours of each month and role are those of the plan's load.
    phased = back.timephased.assign(
        month=pd.PeriodIndex(back.timephased["start"], freq="M"),
        role=back.resources["name"].reindex(back.timephased["resource"]).to_numpy(),
    )
    hours = phased.groupby(["month", "role"])["hours"].sum() / full
    load = plan.load.stack()
    for cell, fte in load[load > 0].items():
        assert hours[cell] == pytest.approx(fte, abs=0.01)


def test_names_and_refusals(tmp_path, capsys):
    plan = pmo.baseline(tiny_portfolio())
    with pytest.raises(pmo.ConfigError, match=r"must end in \.xml"):
        write_mspdi(plan, tmp_path / "plan.mpp")
    folder = tmp_path / "data"
    pmo.write_portfolio(tiny_portfolio(), folder)
    words = ["optimize", str(folder), "--json", "--no-charts", "--seconds", "600"]
    assert main([*words, "--mspdi", str(tmp_path / "plan.mpp")]) == 2
    capsys.readouterr()
    file = tmp_path / "plan.xml"
    assert main([*words, "--mspdi", str(file)]) == 0
    answer = json.loads(capsys.readouterr().out)
    (back,) = pmo.read_networks(file)
    tops = back.tasks["kind"] == "summary"
    assert tops.sum() == answer["projects_selected"]


def test_a_plan_reads_back_as_its_projects(written):
    plan, _, rolled = written
    balance = rolled.balance
    assert (balance["read"] == balance["used"] + balance["listed"]).all()
    chosen = plan.projects[plan.projects["decision"] == "selected"]
    back = rolled.portfolio.projects
    for ours, theirs in (
        ("project", "project"),
        ("name", "name"),
        ("status", "status"),
        ("theme", "theme"),
        ("start", "start"),
    ):
        assert back[ours].tolist() == chosen[theirs].tolist(), ours
    assert back["value"].tolist() == pytest.approx(chosen["worth"].tolist())
    duration = plan.portfolio.projects.set_index("project")["duration"]
    assert back["duration"].tolist() == duration[chosen["project"]].tolist()
    kept = {"CORE-HOME", "CORE-LIFE"}
    table = plan.portfolio.dependencies
    table = table[table["project"].isin(kept)]
    names = ["project", "requires", "kind", "lag"]
    assert (
        rolled.portfolio.dependencies[names].values.tolist()
        == table[names].values.tolist()
    )


def test_a_plan_reads_back_with_its_hours_and_capacity(written):
    plan, _, rolled = written
    again = pmo.baseline(rolled.portfolio)
    load = again.load.loc[plan.load.index, plan.load.columns]
    pd.testing.assert_frame_equal(load, plan.load, atol=1e-5)
    more = again.capacity.loc[plan.load.index, plan.load.columns] - plan.capacity
    # Units are rounded up.
    assert more.min().min() > -1e-6
    assert more.max().max() < 2e-4
    assert not pmo.check_portfolio(rolled.portfolio)["severity"].eq("error").any()
    told = set(rolled.portfolio.problems["rule"])
    assert not told & {"hours_and_share_differ", "no_value", "duplicate_project"}


def test_projects_that_a_custom_field_marks_and_the_rest(tmp_path):
    """What a user marks in Microsoft Project; tasks elsewhere are a project too."""
    tasks = pd.DataFrame(
        {
            "task": ["1", "2", "3", "4", "5"],
            "name": ["Bridge", "Pillars", "Tunnel", "Dig", "Party"],
            "kind": ["summary", "task", "summary", "task", "task"],
            "parent": ["", "1", "", "3", ""],
            "start": pd.Timestamp("2027-01-04 08:00"),
            "finish": pd.Timestamp("2027-01-08 17:00"),
            "duration_h": 40.0,
        }
    )
    links = {"task": ["4", "5"], "requires": ["2", "1"], "kind": ["FS", "FS"]}
    marks = {"of": "task", "id": ["1", "3"], "code": "pmo Project", "value": ["B", "T"]}
    plain = Network("Works", source="works.xml", tasks=tasks, links=pd.DataFrame(links))
    (plan,) = pmo.read_networks(
        write_network(plain.replace(codes=pd.DataFrame(marks)), tmp_path / "works.xml")
    )
    rolled = roll_up_balanced([plan])
    assert rolled.portfolio.projects["project"].tolist() == ["B", "T", "Works"]
    rows = rolled.portfolio.dependencies
    assert rows[["project", "requires"]].values.tolist() == [["T", "B"], ["Works", "B"]]
    balance = rolled.balance.groupby("what")[["read", "used", "listed"]].sum()
    assert balance.loc["tasks"].tolist() == [5, 3, 2]
    assert balance.loc["links"].tolist() == [2, 2, 0]


def test_codes_of_tasks_are_text_fields(tmp_path):
    odd = read(tmp_path, FULL)
    names = [f"Code {n}" for n in range(31)] + ["Text2"]
    codes = pd.DataFrame({"of": "task", "id": "1", "code": names, "value": names})
    with pytest.warns(pmo.PmoWarning, match="Code 29', 'Code 30'"):
        path = write_network(odd.replace(codes=codes), tmp_path / "codes.xml")
    (back,) = pmo.read_networks(path)
    own = back.codes[back.codes["of"] == "task"]
    assert own["code"].tolist() == [*names[:29], "Text2"]
    assert (own["code"] == own["value"]).all()


def leaves_of(path) -> list[tuple[str, str]]:
    """Return way and text of every element of an XML file, in order."""

    def walk(element, way):
        name = f"{way}/{element.tag.rpartition('}')[2]}"
        yield name, (element.text or "").strip()
        for child in element:
            yield from walk(child, name)

    return list(walk(ElementTree.parse(path).getroot(), ""))


def changed(before, after) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """Return what has another text, and what was added, of two XML files."""
    ours, theirs = leaves_of(before), leaves_of(after)
    added = {}
    while len(theirs) > len(ours):
        at = next(
            n for n, pair in enumerate([*ours, ("", "")]) if pair[0] != theirs[n][0]
        )
        name, text = theirs.pop(at)
        added[name] = text
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    pairs = zip(ours, theirs, strict=True)
    return [(a[0], a[1], b[1]) for a, b in pairs if a[1] != b[1]], added


AHEAD = FULL.replace("<ActualStart>2027-01-04T08:00:00</ActualStart>", "")


def test_new_dates_leave_all_else_of_a_file_as_it_stands(tmp_path):
    plan = read(tmp_path, AHEAD)
    tasks = plan.tasks.copy()
    tasks.loc["1", "start"] = pd.Timestamp("2027-01-11 08:00")
    tasks.loc["1", "finish"] = pd.Timestamp("2027-01-13 17:00")
    out = write_dates(
        plan.replace(tasks=tasks), tmp_path / "plan.xml", tmp_path / "o.xml"
    )
    found, added = changed(tmp_path / "plan.xml", out)
    top = "/Project/Tasks/Task"
    # A week of the clock behind the start of the project, in tenths of a minute.
    assert added == {f"{top}/LevelingDelay": str(7 * 24 * 60 * 10)}
    assert found[:2] == [
        (f"{top}/Start", "2027-01-04T08:00:00", "2027-01-11T08:00:00"),
        (f"{top}/Finish", "2027-01-07T17:00:00", "2027-01-13T17:00:00"),
    ]
    work = "/Project/Assignments/Assignment"
    assert found[2:4] == [
        (f"{work}/Start", "2027-01-04T08:00:00", "2027-01-11T08:00:00"),
        (f"{work}/Finish", "2027-01-07T17:00:00", "2027-01-13T17:00:00"),
    ]
    assert {way for way, _, _ in found[4:]} <= {
        f"{work}/TimephasedData/Start",
        f"{work}/TimephasedData/Finish",
    }
    # Work that was done stays where it was.
    (back,) = pmo.read_networks(out)
    for ours, theirs in zip(
        plan.timephased.itertuples(), back.timephased.itertuples(), strict=True
    ):
        assert ours.hours == theirs.hours
        assert (ours.start == theirs.start) is (ours.kind != "remaining")


def test_dates_that_cannot_be_written_are_refused(tmp_path):
    plan = read(tmp_path, FULL)
    tasks = plan.tasks.assign(start=pd.Timestamp("2027-01-11 08:00"))
    path = tmp_path / "plan.xml"
    with pytest.raises(pmo.ConfigError, match=r"have begun cannot start .* '1'"):
        write_dates(plan.replace(tasks=tasks), path, tmp_path / "o.xml")
    fewer = plan.replace(tasks=plan.tasks.drop(index="1"))
    with pytest.raises(pmo.ConfigError, match="other tasks: '1'"):
        write_dates(fewer, path, tmp_path / "o.xml")
    with pytest.raises(pmo.ConfigError, match=r"end in \.xml"):
        write_dates(plan, path, tmp_path / "o.mpp")
    assert not (tmp_path / "o.xml").exists()
    # Nothing moved, nothing changed.
    same = write_dates(plan, path, tmp_path / "o.xml")
    assert same.read_bytes() == path.read_bytes()


@needs_plans
def test_a_levelled_plan_goes_into_the_file_it_was_made_of(tmp_path):
    """A published schedule of two projects of MPSPLIB, written into their file."""
    path = PLANS / "mspdi" / "mp_j30_a2_nr1.xml"
    (plan,) = pmo.read_networks(path)
    levelled = path.with_name("mp_j30_a2_nr1_P-SGS-MINSLK_TMS74.xml")
    (other,) = pmo.read_networks(levelled)
    dates = other.tasks.set_index("name")[["start", "finish"]]
    own = plan.tasks["kind"] != "summary"
    tasks = plan.tasks.copy()
    for name in ("start", "finish"):
        new = dates[name].reindex(tasks["name"]).to_numpy()
        tasks[name] = np.where(own, new, tasks[name])
    out = write_dates(plan.replace(tasks=tasks), path, tmp_path / "levelled.xml")
    found, added = changed(path, out)
    assert not added
    assert {way.rpartition("/")[2] for way, _, _ in found} == {
        *("Start", "Finish", "LevelingDelay", "FinishDate"),
    }
    (back,) = pmo.read_networks(out)
    for name in ("start", "finish"):
        assert (back.tasks[name] == tasks[name])[own].all()
        assert back.tasks[name].iloc[0] == other.tasks[name].iloc[0]
    # The delays are those that keep the links: none lets a task start too early.
    assert (back.tasks["start"] >= plan.tasks["start"])[own].all()
