"""Dependencies and groups that contradict themselves or each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import DataError
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.link_checks import check_dependencies
from tests.support.problem_cases import found, portfolio, problems_of, projects, rows

LINK = "project requires kind lag lag_max"
HORIZON = make_horizon("2027-01", 12, "M")


def links(*records: tuple, **project_columns: list) -> list[dict]:
    """Return what is wrong with dependencies between A (2), B (3), C (1) and D (1)."""
    names = list("ABCD")
    columns = {"duration": [2, 3, 1, 1], "status": ["proposed"] * 4, **project_columns}
    tables = Portfolio(
        horizon=HORIZON,
        projects=pd.DataFrame({"project": names, **columns}),
        dependencies=rows(LINK, *((*r, None) for r in records)),
    ).tables
    return check_dependencies(tables)


def test_a_project_does_not_require_itself():
    (problem,) = links(("A", "A", None, 0))
    assert (problem["rule"], problem["row"], problem["column"]) == (
        "depends_on_itself",
        50,
        "requires",
    )
    assert links(("B", "A", None, 0)) == []


def test_lags_in_order():
    broken = rows(LINK, ("B", "A", None, 2, 1))
    assert found(dependencies=broken) == [
        ("error", "dependencies", "lag_contradiction", 50, "lag_max")
    ]
    for lag, most in ((1, 1), (-2, -1), (0, None), (None, 0)):
        assert found(dependencies=rows(LINK, ("B", "A", None, lag, most))) == []


def test_a_name_of_a_project_and_of_a_group():
    groups = rows("group project at_most", ("A", "B", 1), ("g", "B", 1))
    assert found(groups=groups, dependencies=rows(LINK, ("B", "A", None, 0, None))) == [
        ("warning", "dependencies", "ambiguous_name", 50, "requires")
    ]
    assert (
        found(groups=groups, dependencies=rows(LINK, ("A", "g", None, 0, None))) == []
    )


# ---------------------------------------------------------------------------- cycles


@pytest.mark.parametrize(
    ("records", "positive"),
    [
        # A needs B finished and B needs A finished: 2 + 3 > 0.
        ([("A", "B", "finish_start", 0), ("B", "A", "finish_start", 0)], True),
        ([("A", "B", "finish_start", -3), ("B", "A", "finish_start", -2)], False),
        ([("A", "B", "finish_start", -3), ("B", "A", "finish_start", -1)], True),
        ([("A", "B", "finish_start", -9), ("B", "A", "finish_start", 0)], False),
        ([("A", "B", "start_start", 0), ("B", "A", "start_start", 0)], False),
        ([("A", "B", "start_start", 1), ("B", "A", "start_start", -1)], False),
        ([("A", "B", "start_start", 1), ("B", "A", "start_start", 0)], True),
        ([("A", "B", "selected", 0), ("B", "A", "selected", 0)], False),
        ([("A", "B", "finish_start", 0), ("B", "A", "selected", 9)], False),
        # Length of the required project: A -> B costs A's 2, back costs -2.
        ([("B", "A", "finish_start", 0), ("A", "B", "start_start", -2)], False),
        ([("B", "A", "finish_start", 0), ("A", "B", "start_start", -1)], True),
        # The stricter of two rows for one pair counts.
        (
            [
                ("A", "B", "start_start", -9),
                ("B", "A", "finish_start", 0),
                ("A", "B", "finish_start", 0),
            ],
            True,
        ),
        ([(a, b, None, 0) for a, b in ("BA", "CB", "DC", "AD")], True),
        ([(a, b, None, 0) for a, b in ("BA", "CB", "DC", "DA")], False),
        ([("B", "A", None, 0), ("A", "C", None, 0), ("C", "B", None, -6)], False),
        ([("B", "A", None, 0), ("A", "C", None, 0), ("C", "B", None, -5)], True),
    ],
)
def test_only_cycles_of_positive_length_are_errors(records, positive):
    rules = [p["rule"] for p in links(*records)]
    assert rules == (["cyclic_dependency"] if positive else [])


def test_a_cycle_names_its_way_and_one_of_its_rows():
    (problem,) = links(
        ("D", "A", None, 0),
        ("B", "A", None, 0),
        ("C", "B", None, 0),
        ("A", "C", None, 0),
    )
    way = problem["found"].split(" -> ")
    assert way[0] == way[-1]
    assert set(way) == {"A", "B", "C"}
    steps = {("A", "B"), ("B", "C"), ("C", "A")}
    assert set(pairwise(way)) == steps
    assert problem["row"] in (51, 52, 53)
    last = {51: ("A", "B"), 52: ("B", "C"), 53: ("C", "A")}[problem["row"]]
    assert way[-2:] == list(last)


@pytest.mark.parametrize("gone", ["done", "cancelled"])
def test_a_cycle_through_work_that_is_over_is_none(gone):
    cycle = [("A", "B", None, 0), ("B", "A", None, 0)]
    assert links(*cycle, status=["proposed", gone, "idea", "idea"]) == []
    assert links(*cycle, force=[None, "out", None, None]) == []
    assert len(links(*cycle, status=["running", "approved", "idea", "idea"])) == 1


def test_a_requirement_that_any_member_of_a_group_can_serve_is_no_cycle():
    groups = rows("group project at_most", ("g", "A", 2), ("g", "B", 2))
    assert (
        found(
            groups=groups,
            dependencies=rows(
                LINK, ("A", "g", None, 0, None), ("B", "g", None, 0, None)
            ),
        )
        == []
    )


def slow_positive_cycle(lengths: dict[tuple[int, int], float], size: int) -> bool:
    """Return whether any simple cycle is positive, by walking all of them."""

    def walk(start: int, node: int, seen: set[int], length: float) -> bool:
        for (i, j), more in lengths.items():
            if i != node:
                continue
            if j == start and length + more > 0:
                return True
            if (
                j > start
                and j not in seen
                and walk(start, j, seen | {j}, length + more)
            ):
                return True
        return False

    return any(walk(k, k, {k}, 0.0) for k in range(size))


@pytest.mark.parametrize("seed", range(20))
def test_cycles_are_those_that_a_walk_over_all_cycles_finds(seed):
    rng = np.random.default_rng(seed)
    size = 6
    durations = rng.integers(1, 4, size)
    records, lengths = [], {}
    for _ in range(rng.integers(4, 11)):
        j, i = rng.choice(size, 2, replace=False).tolist()
        kind = str(rng.choice(["finish_start", "start_start", "selected"]))
        lag = int(rng.integers(-4, 2))
        records.append((f"P{j}", f"P{i}", kind, lag))
        if kind != "selected":
            length = lag + (int(durations[i]) if kind == "finish_start" else 0)
            lengths[i, j] = max(length, lengths.get((i, j), -99))
    tables = Portfolio(
        horizon=HORIZON,
        projects=pd.DataFrame(
            {"project": [f"P{k}" for k in range(size)], "duration": durations}
        ),
        dependencies=pd.DataFrame(
            records, columns=["project", "requires", "kind", "lag"]
        ),
    ).tables
    rules = [p["rule"] for p in check_dependencies(tables)]
    assert rules == ["cyclic_dependency"] * slow_positive_cycle(lengths, size)


def test_a_long_chain_is_not_a_cycle():
    names = [f"P{k:04d}" for k in range(600)]
    tables = Portfolio(
        horizon=HORIZON,
        projects=pd.DataFrame({"project": names, "duration": 1}),
        # Written from the end, the order in which few steps are final at once.
        dependencies=pd.DataFrame({"project": names[1:], "requires": names[:-1]})[::-1],
    ).tables
    assert check_dependencies(tables) == []


def test_an_unreadable_lag_is_reported_and_does_not_stop_the_check():
    broken = portfolio(dependencies=rows(LINK, ("B", "A", None, 0, None)))
    broken.dependencies["lag"] = "soon"
    with pytest.raises(DataError, match="not_a_whole") as error:
        broken.validate()
    assert error.value.problems["row"].tolist() == [50]


# ---------------------------------------------------------------------------- groups


GROUP = "group project rule at_least at_most"


@pytest.mark.parametrize(
    ("first", "second", "severity", "rule", "column"),
    [
        ((None, 1, 2), (None, 1, 2), None, None, None),
        (("all_or_none", None, None), ("all_or_none", None, None), None, None, None),
        ((None, 0, None), (None, 0, None), None, None, None),
        ((None, 2, None), (None, 2, None), None, None, None),
        ((None, 1, 1), (None, 1, 1), None, None, None),
        ((None, None, 1), (None, None, 2), "error", "group_contradiction", "at_most"),
        (
            (None, None, 1),
            (None, None, None),
            "error",
            "group_contradiction",
            "at_most",
        ),
        (
            ("limit", None, 1),
            ("all_or_none", None, 2),
            "error",
            "group_contradiction",
            "rule, at_most",
        ),
        (
            ("all_or_none", 1, None),
            ("all_or_none", 1, None),
            "error",
            "group_contradiction",
            "",
        ),
        ((None, 2, 1), (None, 2, 1), "error", "group_contradiction", ""),
        ((None, 3, None), (None, 3, None), "error", "group_contradiction", ""),
        ((None, None, None), (None, None, None), "warning", "group_without_limit", ""),
    ],
)
def test_groups(first, second, severity, rule, column):
    groups = rows(GROUP, ("g", "A", *first), ("g", "B", *second))
    problems = found(groups=groups)
    if severity is None:
        assert problems == []
    else:
        assert problems == [(severity, "groups", rule, 51, column)]


def test_groups_are_told_apart():
    groups = rows(
        GROUP,
        ("g", "A", None, None, 1),
        ("h", "A", None, None, 2),
        ("g", "B", None, 3, 1),
    )
    (problem,) = problems_of(groups=groups)
    assert problem["found"] == "g"
    assert "'g'" in problem["fix"]
    assert found(groups=groups.iloc[:2], projects=projects()) == []
