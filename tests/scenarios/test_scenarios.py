"""Scenarios: parents, files, sweeps, and everything that is refused before a solve."""

from __future__ import annotations

import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.scenarios.change import CHANGES
from pmo_analytics.scenarios.scenario import apply_scenario, apply_scenarios, in_order
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

FILE = """
[[scenario]]
name = "two developers from April"
[[scenario.change]]
do = "add_capacity"
role = "Dev"
fte = 2
start = "2027-04"

[[scenario]]
name = "and B slips"
parent = "two developers from April"
description = "The supplier is late"
[[scenario.change]]
do = "delay"
project = "B"
periods = 1
"""


def read(folder, text, name="scenarios.toml"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return pmo.read_scenarios(file)


def applied(scenarios, name):
    known = {s.name: s for s in in_order(scenarios)}
    return apply_scenario(tiny_portfolio(), known[name], known)


def test_a_child_holds_differences_only(tmp_path):
    scenarios = read(tmp_path, FILE)
    assert [s.name for s in scenarios] == ["two developers from April", "and B slips"]
    assert len(scenarios[1].changes) == 1
    assert scenarios[1].description == "The supplier is late"
    both = applied(scenarios, "and B slips")
    assert both.capacity["Dev"].tolist() == [2.0, 2.0, 2.0, 4.0, 4.0]
    assert str(both.projects["earliest"].iat[1]) == "2027-02"


def test_a_file_may_name_another_one_as_its_parent(tmp_path):
    read(tmp_path, FILE)
    child = """
    parent = "scenarios.toml"
    [[scenario]]
    name = "without C"
    parent = "and B slips"
    [[scenario.change]]
    do = "exclude"
    project = "C"
    """
    scenarios = read(tmp_path, child, "child.toml")
    assert [s.name for s in scenarios][-1] == "without C"
    changed = applied(scenarios, "without C")
    assert changed.projects["force"].iat[2] == "out"
    assert changed.capacity["Dev"].iat[4] == 4.0


def test_a_sweep_of_cuts_says_more_or_less():
    """A cut by minus a tenth is a tenth more: no name leaves that to the reader."""
    told = [s.name for s in pmo.sweep(pmo.cut_budget, "budget", share=[-0.1, 0, 0.125])]
    assert told == ["budget 10 % more", "budget unchanged", "budget 12.5 % less"]
    told = [s.name for s in pmo.sweep(pmo.cut_budget, "budget cut", share=[-0.1])]
    assert told == ["budget 10 % more"]
    named = pmo.sweep(pmo.cut_budget, share=[0.1], budget=["IT", "HR"])
    assert [s.name for s in named] == [
        "budget 10 % less, budget=IT",
        "budget 10 % less, budget=HR",
    ]


def test_a_chain_is_read_and_applied_once(tmp_path, tiny):
    """Each scenario's own changes are made once, on what its parent has become."""
    rows = [
        f'[[scenario]]\nname = "s{k}"\n' + (f'parent = "s{k - 1}"' if k else "")
        for k in range(3000)
    ]
    file = tmp_path / "chain.toml"
    file.write_text("\n".join(reversed(rows)), encoding="utf-8")
    assert len(pmo.read_scenarios(file)) == 3000
    made: list[int] = []

    def grow(portfolio):
        made.append(1)
        return portfolio.replace(capacity=portfolio.capacity + 1.0)

    chain = [pmo.Scenario("c0", grow)]
    for k in range(1, 1200):
        chain.append(
            pmo.Scenario(f"c{k}", *([grow] if k < 5 else []), parent=chain[-1])
        )
    # The last one brings all its parents, deeper than Python calls functions.
    ordered = in_order(chain[-1:])
    assert [s.name for s in ordered] == [s.name for s in chain]
    known = {s.name: s for s in ordered}
    portfolios = apply_scenarios(tiny, ordered, known)
    assert len(made) == 5
    assert (portfolios["c1199"].capacity == tiny.capacity + 5.0).all().all()


def test_a_sweep_goes_through_lists_ranges_and_grids(tmp_path):
    text = """
    [[sweep]]
    name = "people"
    do = "add_capacity"
    role = "Dev"
    fte = {from = -1.0, to = 1.0, steps = 3}
    start = ["2027-01", "2027-03"]
    """
    names = [s.name for s in read(tmp_path, text)]
    assert len(names) == 6
    assert names[0] == "people fte=-1, start=2027-01"
    assert names[-1] == "people fte=1, start=2027-03"
    python = pmo.sweep(pmo.scale_capacity, "all", factor=[0.9, 1.1])
    assert [s.name for s in python] == ["all factor=0.9", "all factor=1.1"]
    with pytest.raises(ConfigError, match="needs a list of values"):
        pmo.sweep(pmo.scale_capacity, factor=0.9)


def test_parents_may_be_objects_and_functions_may_be_plain():
    def without_c(portfolio):
        return portfolio.filter(lambda projects: projects["project"] != "C")

    parent = pmo.Scenario("no C", without_c)
    child = pmo.Scenario("more people", pmo.add_capacity("Dev", fte=1), parent=parent)
    assert [s.name for s in in_order([child])] == ["no C", "more people"]
    changed = applied([child], "more people")
    assert list(changed.projects["project"]) == ["A", "B"]
    assert changed.capacity["Dev"].iat[0] == 3.0
    assert "without_c" in repr(parent)
    assert "add_capacity(role='Dev', fte=1)" in repr(child)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[scenario]]\nname = 'x'\nparnt = 'y'", "parnt is unknown .*'parent'"),
        ("[[scenarios]]\nname = 'x'", "scenarios is unknown .*'scenario'"),
        ("[scenario]\nname = 'x'", r"write \[\[scenario\]\], in double brackets"),
        ("[[scenario]]\nname = 3", "name has to be text"),
        ("[[scenario]]\n[[scenario.change]]\ndo='drop'\nproject='A'", "has no name"),
        ("[[scenario]]\nname = 'base'", "cannot be called 'base'"),
        (
            "[[scenario]]\nname = 'x'\n[[scenario.change]]\ndo = 'add_capacty'",
            "no change 'add_capacty' .did you mean 'add_capacity'",
        ),
        ("[[scenario]]\nname = 'x'\n[[scenario.change]]\nrole = 'Dev'", "it needs do"),
        (
            "[[scenario]]\nname = 'x'\n[[scenario.change]]\ndo = 'delay'\n"
            "project = 'A'\nperiod = 3",
            "delay has no 'period' .did you mean 'periods'",
        ),
        ("[[scenario]]\nname = 'x'\nparent = 'y'", "parent 'y', which is no scenario"),
        (
            "[[scenario]]\nname = 'x'\nparent = 'y'\n[[scenario]]\nname = 'y'\n"
            "parent = 'x'",
            "each other's parents: 'x' -> 'y' -> 'x'",
        ),
        ("[[scenario]]\nname = 'x'\n[[scenario]]\nname = 'x'", "Two scenarios are"),
        ("", "has no .*scenario"),
        ("parent = 'nowhere.toml'", "Cannot read .*nowhere.toml"),
        ("parent = 'scenarios.toml'", "files are each other's parents"),
        ("name = ", "is not TOML"),
        ("[[sweep]]\ndo = 'cut_budget'\nshare = {from = 0, to = 1}", "write {from"),
        ("[[sweep]]\ndo = 'cut_budget'\nshare = 0.1", "needs a list of values"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_everything_wrong_is_said_at_once(tmp_path):
    text = """
    [[scenario]]
    name = "x"
    colour = "red"
    [[scenario.change]]
    do = "fly"
    [[scenario.change]]
    do = "delay"
    project = "A"
    """
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert str(error.value).count("\n") == 3
    assert "delay needs periods" in str(error.value)


def test_unknown_ids_are_refused_before_anything_is_solved(monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("solved")

    monkeypatch.setattr("pmo_analytics.scenarios.comparing.solve", never)
    wrong = pmo.Scenario("late", pmo.delay("BB", periods=1))
    with pytest.raises(
        ConfigError, match=r"'late', change 1 \(delay\): There is no project 'BB'"
    ):
        pmo.compare(tiny_portfolio(), [wrong])
    bad = pmo.Scenario("bad", pmo.change_project("A", duration=0))
    with pytest.raises(DataError, match="Scenario 'bad' leaves bad data"):
        pmo.compare(tiny_portfolio(), [bad])
    nothing = pmo.Scenario("nothing", lambda _portfolio: None)
    with pytest.raises(ConfigError, match="returned no portfolio"):
        pmo.compare(tiny_portfolio(), [nothing])


def test_every_change_can_be_named_in_a_file_and_is_public():
    for name in CHANGES:
        assert getattr(pmo, name) is CHANGES[name]
        assert CHANGES[name].__doc__
