"""Networks and plans written as Microsoft Project XML, and read back."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.loaders import write_network
from pmo_analytics.reporting import write_mspdi
from tests.loaders.networks.test_mspdi import FULL, read


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


def test_a_plan_becomes_projects_roles_and_hours(tmp_path):
    plan = pmo.baseline(pmo.example_portfolio())
    (back,) = pmo.read_networks(write_mspdi(plan, tmp_path / "plan.xml"))
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
    plan = pmo.baseline(pmo.example_portfolio())
    with pytest.raises(pmo.ConfigError, match=r"must end in \.xml"):
        write_mspdi(plan, tmp_path / "plan.mpp")
    folder = tmp_path / "data"
    pmo.write_portfolio(pmo.example_portfolio(), folder)
    words = ["optimize", str(folder), "--json", "--no-charts", "--seconds", "5"]
    assert main([*words, "--mspdi", str(tmp_path / "plan.mpp")]) == 2
    capsys.readouterr()
    file = tmp_path / "plan.xml"
    assert main([*words, "--mspdi", str(file)]) == 0
    answer = json.loads(capsys.readouterr().out)
    (back,) = pmo.read_networks(file)
    tops = back.tasks["kind"] == "summary"
    assert tops.sum() == answer["projects_selected"]
