"""The checker against links between projects and the worth of plans, by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pmo_analytics.clock.periods import Settings
from pmo_analytics.errors import DataError
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.portfolio import Portfolio
from tests.support.certify_cases import (
    JAN,
    accepted,
    check,
    make,
    money,
    only,
    plan,
    rules,
    worth,
)

# ------------------------------------------------------------- dependencies and groups


@pytest.mark.parametrize(
    ("fields", "starts"),
    [
        # A works 1..2; B lasts 2 and may start 0..4.
        ({}, [3, 4]),
        ({"kind": "finish_start", "lag": 1}, [4]),
        ({"lag": 2}, []),
        ({"lag": -1}, [2, 3, 4]),
        ({"lag": -9}, [0, 1, 2, 3, 4]),
        ({"lag": 0, "lag_max": 0}, [3]),
        ({"lag": -2, "lag_max": -1}, [1, 2]),
        ({"kind": "start_start"}, [1, 2, 3, 4]),
        ({"kind": "start_start", "lag": 1, "lag_max": 2}, [2, 3]),
        ({"kind": "start_start", "lag": -1, "lag_max": 0}, [0, 1]),
        ({"kind": "selected", "lag": 5}, [0, 1, 2, 3, 4]),
    ],
)
def test_dependency_on_a_project(fields: dict[str, Any], starts: list[int]) -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        dependencies=[{"project": "B", "requires": "A", **fields}],
    )
    assert accepted(portfolio, "B", A=1) == starts
    found = only(check(portfolio, B=4))
    assert (found["rule"], found["subject"]) == ("dependency", "B")
    assert found["message"] == "Project 'B' requires 'A', which is not selected."
    assert check(portfolio, A=1).certified


def test_a_late_dependent_is_told_what_it_may_do() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        dependencies=[{"project": "B", "requires": "A", "lag": 0, "lag_max": 1}],
    )
    assert only(check(portfolio, A=0, B=4))["message"] == (
        "Project 'B' starts in 2027-05, but it requires 'A' (finish_start), which "
        "allows: 'A' from 2027-03 to 2027-04."
    )


@pytest.mark.parametrize(
    ("required", "dependent", "fine"),
    [
        ({"status": "done", "start": -4}, {}, True),
        ({"status": "cancelled"}, {}, False),
        ({"force": "out"}, {}, False),
        ({"status": "done", "force": "out"}, {}, False),
        ({"status": "cancelled"}, {"status": "done", "start": -1}, True),
        ({"status": "cancelled"}, {"status": "cancelled"}, True),
        ({"status": "cancelled"}, {"force": "out"}, True),
    ],
)
def test_dependencies_on_and_of_projects_that_are_not_live(
    required: dict[str, Any], dependent: dict[str, Any], fine: bool
) -> None:
    portfolio = make(
        [{"project": "A", **required}, {"project": "B", **dependent}],
        dependencies=[{"project": "B", "requires": "A", "lag": 99, "lag_max": 99}],
    )
    if dependent:
        assert check(portfolio).certified
        return
    result = check(portfolio, B=0)
    assert result.certified is fine
    if not fine:
        assert "can never be selected" in only(result)["message"]


def test_running_and_approved_dependents_obey_too() -> None:
    # A ran -3 .. -1 and is followed by B (running since -1, too early) and C.
    portfolio = make(
        [
            {"project": "A", "status": "running", "start": -3, "duration": 3},
            {"project": "B", "status": "running", "start": -1},
            {"project": "C", "status": "approved", "start": 0},
        ],
        dependencies=[
            {"project": "B", "requires": "A"},
            {"project": "C", "requires": "A", "lag_max": 0},
        ],
    )
    found = only(check(portfolio, A=-3, B=-1, C=0))
    assert (found["subject"], found["period"]) == ("B", JAN - 1)


def test_dependency_on_a_group() -> None:
    def portfolio(status: str = "proposed", **fields: Any) -> Portfolio:
        return make(
            [
                {"project": "A", "duration": 1},
                {"project": "B", "duration": 3},
                {"project": "C", "status": status, "start": -9},
                {"project": "J"},
            ],
            groups=[{"group": "G", "project": p, "at_most": 9} for p in "ABCJ"],
            dependencies=[{"project": "J", "requires": "G", **fields}],
        )

    assert only(check(portfolio(), J=4))["message"] == (
        "Project 'J' requires a member of 'G', which is not selected."
    )
    assert accepted(portfolio(), "J", A=1) == [2, 3, 4]
    assert accepted(portfolio(), "J", A=1, B=0) == [2, 3, 4]
    # One member has to satisfy both ends: A allows 2, B allows 3 and 4.
    window = {"lag": 0, "lag_max": 1}
    assert accepted(portfolio(**window), "J", A=1, B=0) == [2, 3, 4]
    assert accepted(portfolio(lag=0, lag_max=0), "J", A=0, B=1) == [1, 4]
    assert accepted(portfolio(kind="start_start", lag=2), "J", A=1, B=0) == [2, 3, 4]
    assert accepted(portfolio(status="done"), "J") == [0, 1, 2, 3, 4]
    assert accepted(portfolio(kind="selected"), "J", B=3) == [0, 1, 2, 3, 4]
    assert accepted(portfolio(status="cancelled"), "J") == []


def test_a_project_is_meant_before_a_group_of_its_name() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "G"}, {"project": "J"}],
        groups=[{"group": "G", "project": "A", "at_most": 1}],
        dependencies=[{"project": "J", "requires": "G", "kind": "selected"}],
    )
    assert rules(check(portfolio, A=0, J=0)) == ["dependency"]
    assert check(portfolio, G=0, J=0).certified


def test_group_limits_count_finished_members() -> None:
    def portfolio(**limits: int) -> Portfolio:
        projects = [
            {"project": "A"},
            {"project": "B"},
            {"project": "C", "status": "done"},
            {"project": "D", "status": "cancelled"},
        ]
        rows = [{"group": "G", "project": p, **limits} for p in "ABCD"]
        return make(projects, groups=rows)

    assert check(portfolio(at_most=2), A=0).certified
    found = only(check(portfolio(at_most=2), A=0, B=0))
    assert found[["rule", "subject", "found", "limit"]].to_list() == [
        "group",
        "G",
        3,
        2,
    ]
    assert "'A', 'B', 'C'" in found["message"]
    assert check(portfolio(at_least=2), A=0).certified
    assert only(check(portfolio(at_least=2)))["found"] == 1
    assert check(portfolio(at_least=1)).certified


def test_all_or_none() -> None:
    def portfolio(status: str = "proposed") -> Portfolio:
        names = ("A", "B", "C")
        projects = [{"project": p} for p in "AB"]
        projects.append({"project": "C", "status": status})
        rows = [{"group": "G", "project": p, "rule": "all_or_none"} for p in names]
        return make(projects, groups=rows)

    assert check(portfolio()).certified
    assert check(portfolio(), A=0, B=1, C=4).certified
    assert "'B', 'C' missing" in only(check(portfolio(), A=0))["message"]
    assert check(portfolio("done"), A=0, B=0).certified
    assert rules(check(portfolio("done"))) == ["group"]
    assert check(portfolio("cancelled")).certified
    assert rules(check(portfolio("cancelled"), A=0, B=0)) == ["group"]


# ------------------------------------------------------------------------ the objective


def test_value_is_discounted_from_the_start_and_not_for_running_work() -> None:
    portfolio = make(
        [
            {"project": "A", "value": 121.0},
            {"project": "B", "status": "running", "start": -2, "value": 7.0},
            {"project": "C", "status": "approved", "start": -1, "value": 10.0},
            {"project": "D", "status": "done", "value": 1000.0},
            {"project": "E", "value": None},
        ],
        settings=Settings(discount=0.1),
    )
    # 121 / 1.1^2 + 7 + 10 * 1.1: work approved earlier counts from its own start.
    assert worth(portfolio, A=2, B=-2, C=-1, E=0) == 100 + 7 + 11
    flat = portfolio.replace(discount=0.0)
    assert worth(flat, A=2, B=-2, C=-1) == 138


def test_benefits_count_after_the_horizon_too() -> None:
    portfolio = make(
        [{"project": "A", "value": None}, {"project": "B", "value": None}],
        benefits=money(("A", 0, -4.0), ("A", 1, 5.5), ("A", 30, 2.0), ("B", 3, 1.0)),
        settings=Settings(discount=0.1),
    )
    rate = Fraction(11, 10)
    assert worth(portfolio, A=1) == -4 / rate + Fraction(11, 2) / rate**2 + 2 / rate**31
    running = portfolio.projects.assign(status="running", start=JAN - 5)
    portfolio = portfolio.replace(projects=running)
    assert worth(portfolio, A=-5, B=-5) == (
        -4 + Fraction(11, 2) / rate + 2 / rate**30 + 1 / rate**3
    )


def test_sources_and_net_of_spend() -> None:
    tables: dict[str, Any] = {
        "benefits": money(("A", 1, 22.0)),
        "spend": money(("A", 0, 3.0), ("A", 40, 0.5)),
    }

    def of(**settings: Any) -> Fraction:
        return worth(
            make([{"project": "A"}], settings=Settings(**settings), **tables), A=0
        )

    assert of(source="value") == 10
    assert of(source="benefits") == 22
    assert of(source="sum") == 32
    assert of(source="sum", discount=0.1) == 30
    assert of(source="sum", net_of_spend=True) == Fraction(57, 2)
    expected = 10 - 3 - Fraction(1, 2) / Fraction(11, 10) ** 40
    assert of(source="value", net_of_spend=True, discount=0.1) == expected
    with pytest.raises(DataError, match="both filled"):
        check_plan(make([{"project": "A"}], **tables), plan({}))


def test_blank_source_is_the_one_that_is_filled() -> None:
    benefits = money(("A", 0, 3.0))
    assert worth(make([{"project": "A", "value": None}], benefits=benefits), A=0) == 3
    assert worth(make([{"project": "A"}]), A=0) == 10
    assert worth(make([{"project": "A", "value": None}]), A=0) == 0


def test_decimals_are_taken_as_written() -> None:
    portfolio = make([{"project": "A", "value": 0.1}, {"project": "B", "value": 0.2}])
    assert worth(portfolio, A=0, B=0) == Fraction(3, 10)
    tiny = make([{"project": "A", "value": 1e-300}, {"project": "B", "value": 1e300}])
    assert worth(tiny, A=0, B=0) == Fraction(1, 10**300) + 10**300


def test_a_claimed_objective_must_agree() -> None:
    portfolio = make([{"project": "A", "value": 2e6}])
    for claimed, fine in (
        (2e6, True),
        (2e6 + 2, True),
        (2e6 - 2.1, False),
        (float("nan"), False),
        (float("inf"), False),
    ):
        result = check_plan(portfolio, plan({"A": 0}), objective=claimed)
        assert result.certified is fine
        assert result.violations.empty
    assert check_plan(portfolio, plan({}), objective=1e-6).certified
    assert not check_plan(portfolio, plan({}), objective=2e-6).certified


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"status": "running"}, "'A' is running: give the period"),
        ({"duration": None}, "'A' a duration"),
    ],
)
def test_unvalidated_data_is_refused(project: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        check(make([{"project": "A", **project}]))


def test_numbers_beyond_floats_do_not_crash() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, 1.7e308), ("B", 0, 1.7e308)),
        budget=[{"budget": "b", "amount": 1.7e308}],
    )
    assert only(check(portfolio, A=0, B=0))["found"] == float("inf")
