"""Named changes: what each does to the tables, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.portfolio import Portfolio
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio


def people_portfolio() -> Portfolio:
    """Two people of one role, no holidays, so that a month is nearly 1 FTE each."""
    horizon = make_horizon("2027-01", 4, "M")
    people = [("Ann", "Dev", None, None, 1.0), ("Bob", "Dev", "2027-03-01", None, 1.0)]
    return Portfolio(
        "people",
        horizon=horizon,
        people=pd.DataFrame(people, columns=["person", "role", "start", "end", "fte"]),
        projects=pd.DataFrame({"project": ["A"], "value": [1.0], "duration": [1]}),
        demand=pd.DataFrame(
            {"project": ["A"], "role": ["Dev"], "offset": [0], "fte": [0.5]}
        ),
    )


def project(portfolio, name):
    return portfolio.projects.set_index("project").loc[name]


def profile(portfolio, name, table="demand", column="fte"):
    rows = portfolio.tables[table]
    rows = rows[rows["project"] == name]
    return rows.groupby("offset")[column].sum().to_dict()


def test_capacity_is_added_over_a_span():
    changed = pmo.add_capacity("Dev", fte=1.5, start="2027-02", end="2027-03")(
        tiny_portfolio()
    )
    assert changed.capacity["Dev"].tolist() == [2.0, 3.5, 3.5, 2.0, 2.0]
    assert changed.capacity["Test"].tolist() == [1.0] * 5
    less = pmo.add_capacity("Dev", fte=-2)(tiny_portfolio())
    assert less.capacity["Dev"].tolist() == [0.0] * 5
    with pytest.raises(ConfigError, match="Dev would have -1 FTE in 2027-01"):
        pmo.add_capacity("Dev", fte=-3)(tiny_portfolio())


def test_capacity_is_scaled():
    changed = pmo.scale_capacity(0.5, role="Test", start="2027-05")(tiny_portfolio())
    assert changed.capacity["Test"].tolist() == [1.0, 1.0, 1.0, 1.0, 0.5]
    assert changed.capacity["Dev"].tolist() == [2.0] * 5


def test_a_hire_counts_by_the_calendar_and_grows_into_the_work():
    before = people_portfolio()
    changed = pmo.hire("Dev", start="2027-02", ramp=1)(before)
    added = (changed.capacity - before.capacity)["Dev"]
    one = before.capacity["Dev"]  # Ann alone in January and February
    assert added.iloc[0] == 0.0
    assert added.iloc[1] == pytest.approx(one.iloc[1] / 2, abs=1e-6)
    assert added.iloc[2] == pytest.approx(one.iloc[2] / 2, abs=1e-6)  # Ann and Bob
    assert len(changed.people) == 4
    assert changed.check().empty


def test_a_hire_into_a_role_with_given_capacity_counts_too():
    before = tiny_portfolio()
    changed = pmo.hire("Dev", fte=1.5, start="2027-04")(before)
    added = (changed.capacity - before.capacity)["Dev"].to_numpy()
    by_people = pmo.hire("Dev", fte=1.5, start="2027-04")(
        before.replace(capacity=before.capacity[["Test"]])
    )
    assert added[:3].tolist() == [0.0, 0.0, 0.0]
    assert added[3] == pytest.approx(by_people.capacity["Dev"].iloc[3], abs=1e-6)
    assert added[3] > 1.3


def test_a_hiring_freeze_leaves_out_who_has_not_come_yet():
    before = people_portfolio()
    changed = pmo.freeze_hiring()(before)
    assert changed.people["person"].tolist() == ["Ann"]
    one_of_two = before.capacity["Dev"].iloc[2] / 2
    assert changed.capacity["Dev"].iloc[2] == pytest.approx(one_of_two, abs=1e-6)
    later = pmo.freeze_hiring(start="2027-04")(before)
    assert later.people["person"].tolist() == ["Ann", "Bob"]


def test_a_person_lost_counts_until_the_day_before():
    before = people_portfolio()
    changed = pmo.lose_person("Ann", start="2027-02")(before)
    assert changed.capacity["Dev"].iloc[0] == before.capacity["Dev"].iloc[0]
    assert changed.capacity["Dev"].iloc[1] == 0.0
    one_of_two = before.capacity["Dev"].iloc[2] / 2
    assert changed.capacity["Dev"].iloc[2] == pytest.approx(one_of_two, abs=1e-6)
    with pytest.raises(ConfigError, match=r"no person 'An' .did you mean 'Ann'"):
        pmo.lose_person("An")(before)


def test_a_person_lost_after_capacity_was_added_is_lost_all_the_same():
    before = people_portfolio()
    both = pmo.lose_person("Ann")(pmo.add_capacity("Dev", fte=3)(before))
    alone = pmo.lose_person("Ann")(before)
    assert np.allclose(both.capacity["Dev"], alone.capacity["Dev"] + 3, atol=1e-6)


def test_a_slip_moves_start_and_window_and_keeps_the_deadline():
    changed = pmo.delay(["CRM", "NET", "LAW"], periods=1)(everything_portfolio())
    crm = project(changed, "CRM")
    assert str(crm["earliest"]) == "2027-02"
    assert str(crm["deadline"]) == "2027-06"
    net = project(changed, "NET")
    assert (str(net["earliest"]), str(net["latest"])) == ("2027-03", "2027-05")
    law = project(changed, "LAW")  # keeps its start, which moved, and gets no window
    assert str(law["start"]) == "2027-03"
    assert pd.isna(law["earliest"])


def test_what_is_left_of_running_work_waits():
    before = everything_portfolio()
    changed = pmo.delay("ERP", periods=2)(before)
    erp, was = project(changed, "ERP"), project(before, "ERP")
    assert erp["start"] == was["start"]
    assert erp["duration"] == was["duration"] + 2
    old, new = profile(before, "ERP"), profile(changed, "ERP")
    assert new == {k if k < 1 else k + 2: v for k, v in old.items()}
    with pytest.raises(ConfigError, match="running: it can slip"):
        pmo.delay("ERP", periods=-1)(before)


def test_projects_are_forced_out_and_in():
    before = everything_portfolio()
    for change in (pmo.drop("CRM"), pmo.exclude(["CRM"])):
        assert project(change(before), "CRM")["force"] == "out"
    changed = pmo.require("CRM", start="2027-03", reason="The regulator insists")(
        before
    )
    crm = project(changed, "CRM")
    assert crm["force"] == "in"
    assert crm["force_reason"] == "The regulator insists"
    assert str(crm["earliest"]) == str(crm["latest"]) == "2027-03"


def test_cells_of_projects_are_written():
    changed = pmo.change_project("CRM", status="approved", deadline="")(
        everything_portfolio()
    )
    assert project(changed, "CRM")["status"] == "approved"
    assert pd.isna(project(changed, "CRM")["deadline"])
    with pytest.raises(ConfigError, match=r"no column 'dedline'.*'deadline'"):
        pmo.change_project("CRM", dedline="2028-01")(everything_portfolio())


def test_value_and_demand_change_where_they_are_named():
    before = tiny_portfolio()
    dearer = pmo.change_value(theme="Blue", factor=2, add=1)(before)
    assert dearer.projects["value"].tolist() == [10.0, 17.0, 11.0]
    busier = pmo.change_demand(1.5, project="A", role="Dev")(before)
    assert profile(busier, "A") == {0: 3.0, 1: 3.5}
    assert profile(busier, "B") == profile(before, "B")
    with pytest.raises(ConfigError, match=r"no theme 'Bleu' .did you mean 'Blue'"):
        pmo.change_value(theme="Bleu", factor=2)(before)


def test_budgets_are_cut_and_shifted():
    before = everything_portfolio()
    amounts = before.budget.set_index("budget")["amount"]
    filled = list(amounts[amounts.notna()].index)
    cut = pmo.cut_budget(0.1)(before).budget.set_index("budget")
    assert np.allclose(cut["amount"].dropna(), amounts.dropna() * 0.9)
    assert not (cut["at_least"] > cut["amount"]).any()
    one = pmo.cut_budget(-0.5, budget=filled[0])(before).budget.set_index("budget")
    assert one["amount"][filled[0]] == amounts[filled[0]] * 1.5
    assert one["amount"][filled[1]] == amounts[filled[1]]
    moved = pmo.shift_budget(1.0, filled[0], filled[1])(before).budget
    assert moved["amount"].sum() == before.budget["amount"].sum()
    with pytest.raises(ConfigError, match="less than the"):
        pmo.shift_budget(1e9, filled[0], filled[1])(before)
    with pytest.raises(ConfigError, match="cannot be cut by more than all"):
        pmo.cut_budget(1.1)(before)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.2, 1.5, 2.0, 3.0])
def test_stretched_work_keeps_its_effort_or_its_people(factor):
    before = tiny_portfolio()
    effort = pmo.scale_duration(factor)(before)
    people = pmo.scale_duration(factor, keep="fte")(before)
    for name in "ABC":
        old = project(before, name)["duration"]
        new = int(np.ceil(old * factor - 1e-9))
        assert project(effort, name)["duration"] == new
        for role in ("Dev", "Test"):
            sums = []
            for portfolio in (before, effort, people):
                rows = portfolio.demand[portfolio.demand["project"] == name]
                sums.append(rows.loc[rows["role"] == role, "fte"].sum())
            assert sums[1] == pytest.approx(sums[0])
            assert sums[2] == pytest.approx(sums[0] * new / old)
    assert max(profile(effort, "C")) < project(effort, "C")["duration"]


def test_a_profile_is_drawn_out_as_it_is():
    """Test work of A lies in the second of two months; of four, in the last two."""
    changed = pmo.scale_duration(2, project="A")(tiny_portfolio())
    rows = changed.demand[changed.demand["project"] == "A"]
    tests = rows[rows["role"] == "Test"].set_index("offset")["fte"]
    assert tests.to_dict() == {2: 0.25, 3: 0.25}
    developers = rows[rows["role"] == "Dev"].set_index("offset")["fte"]
    assert developers.to_dict() == dict.fromkeys(range(4), 1.0)


def test_of_running_work_only_what_is_left_is_stretched():
    before = everything_portfolio()
    changed = pmo.scale_duration(2, project="ERP")(before)
    # Of 4 periods one lies behind: 1 + 2 x 3.
    assert project(changed, "ERP")["duration"] == 7
    old, new = profile(before, "ERP"), profile(changed, "ERP")
    assert new.get(0) == old.get(0)
    assert sum(new.values()) == pytest.approx(sum(old.values()))


def test_money_and_benefits_move_with_the_finish():
    before = tiny_portfolio().replace(
        spend=pd.DataFrame({"project": "A", "fund": "X", "offset": [0], "amount": 8.0}),
        benefits=pd.DataFrame({"project": "A", "offset": [2, 3], "amount": [5.0, 6.0]}),
        source="benefits",
    )
    before.projects["value"] = np.nan
    changed = pmo.scale_duration(2, project="A")(before)
    assert profile(changed, "A", "spend", "amount") == {0: 4.0, 1: 4.0}
    assert profile(changed, "A", "benefits", "amount") == {4: 5.0, 5: 6.0}


def test_a_new_project_comes_with_its_demand_and_spend():
    changed = pmo.add_project(
        "D",
        duration=2,
        demand={"Dev": 1, "Test": [0, 0.5]},
        spend={"Change": 10},
        value=7,
        theme="Red",
    )(tiny_portfolio())
    assert changed.check().empty or (changed.check()["severity"] != "error").all()
    assert project(changed, "D")["status"] == "proposed"
    assert profile(changed, "D") == {0: 1.0, 1: 1.5}
    assert profile(changed, "D", "spend", "amount") == {0: 5.0, 1: 5.0}
    with pytest.raises(ConfigError, match="project 'A' already"):
        pmo.add_project("A", duration=1)(tiny_portfolio())
    with pytest.raises(ConfigError, match=r"no role 'Devs' .did you mean 'Dev'"):
        pmo.add_project("D", duration=1, demand={"Devs": 1})(tiny_portfolio())
    with pytest.raises(ConfigError, match="3 numbers for 2 periods"):
        pmo.add_project("D", duration=2, demand={"Dev": [1, 1, 1]})(tiny_portfolio())


def test_a_change_leaves_the_portfolio_it_is_given_alone():
    before = everything_portfolio()
    digest = before.digest()
    for edit in (
        pmo.add_capacity("Dev", fte=1),
        pmo.hire("Test", fte=2, start="2027-02"),
        pmo.freeze_hiring(),
        pmo.delay(["ERP", "CRM"], periods=1),
        pmo.cut_budget(0.5),
        pmo.scale_duration(1.5),
        pmo.change_value(factor=2),
        pmo.change_demand(2),
        pmo.drop("CRM"),
        pmo.change_discount(0.02),
    ):
        assert edit(before).digest() != digest
    assert before.digest() == digest


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pmo.add_capacity("Dev", ftee=1), "no 'ftee' .did you mean 'fte'"),
        (lambda: pmo.add_capacity(role="Dev"), "add_capacity needs fte"),
        (lambda: pmo.add_capacity("Dev", fte=1, start="2027-13"), "start: "),
        (lambda: pmo.add_capacity("Dev", fte="two"), "fte has to be a number"),
        (lambda: pmo.add_capacity("Dev", 1, start="2031-01"), "No period of the"),
        (lambda: pmo.delay("A", periods=1.5), "periods has to be a whole number"),
        (lambda: pmo.scale_duration(2, keep="people"), "keep is 'effort' or 'fte'"),
        (lambda: pmo.scale_capacity(-1), "factor has to be a number of 0 or more"),
    ],
)
def test_misuse_is_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()(tiny_portfolio())
