"""Capacity: given, from people, edited and replaced, read from rows and columns."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.capacity_grid import read_capacity, settle_capacity
from tests.support.problem_cases import HORIZON, capacity, portfolio, rows

# --------------------------------------------- capacity: given, derived, final


def staffed(**changes: object) -> Portfolio:
    """Return Dev given, Test from people, operations on both."""
    parts = {
        "capacity": capacity(),
        "people": rows("person role fte", ("Ann", "Test", 1.0), ("Bob", "Test", 0.5)),
        "operations": rows("role fte share", ("Dev", 0.5, None), ("Test", None, 0.5)),
        **changes,
    }
    return portfolio(**parts)


def test_effective_capacity_is_given_or_from_people_less_operations():
    case = staffed()
    assert case.capacity["Dev"].tolist() == [1.5] * 6
    # January 2027: 21 weekdays of 52.1775 / 12 * 5.
    fte = 1.5 * 21 / (52.1775 / 12 * 5)
    assert case.capacity["Test"].iloc[0] == round(0.5 * fte, 6)
    assert case.given_capacity.columns.tolist() == ["Dev"]
    assert case.given_capacity["Dev"].tolist() == [2.0] * 6


def test_a_grid_equal_to_todays_keeps_people_and_operations():
    case = staffed()
    same = case.replace(capacity=case.capacity)
    assert same.given_capacity.equals(case.given_capacity)
    assert len(same.operations) == 2


def test_a_changed_column_is_final_and_drops_its_operations():
    case = staffed()
    grid = case.capacity.assign(Test=7.0)
    changed = case.replace(capacity=grid)
    pd.testing.assert_frame_equal(changed.capacity, grid)
    assert changed.operations["role"].tolist() == ["Dev"]
    assert changed.given_capacity.columns.tolist() == ["Dev", "Test"]
    # Dev still has its rows before operations.
    assert changed.given_capacity["Dev"].tolist() == [2.0] * 6
    assert changed.replace(operations=None).capacity["Dev"].tolist() == [2.0] * 6
    rules = changed.check()["rule"].tolist()
    assert rules == ["capacity_replaces_people"]


def test_the_wanted_grid_is_what_comes_out():
    case = staffed()
    for grid in (
        case.capacity * 0.8,
        case.capacity.assign(Dev=1 / 3),
        case.capacity[["Test", "Dev"]] + 0.1,
        case.capacity.assign(New=4.0),
        case.capacity.assign(Dev=0.0, Test=0.0),
    ):
        result = case.replace(capacity=grid).capacity
        pd.testing.assert_frame_equal(result[grid.columns], grid, check_names=False)


def test_a_role_that_the_grid_no_longer_has():
    case = staffed()
    without_dev = case.replace(capacity=case.capacity[["Test"]])
    assert without_dev.capacity.columns.tolist() == ["Test"]
    # People cannot be taken away by a grid that says nothing about their role.
    without_test = case.replace(capacity=case.capacity[["Dev"]])
    pd.testing.assert_frame_equal(without_test.capacity, case.capacity)


def test_a_grid_with_a_hole_is_an_error_where_it_is_needed():
    case = staffed()
    holed = case.replace(capacity=case.capacity.iloc[1:])
    assert holed.capacity.isna().sum().tolist() == [1, 1]
    found = holed.check()
    assert found.loc[found["severity"] == "error", "rule"].tolist() == [
        "capacity_missing"
    ]


def test_settling_equal_grids_returns_what_was_there():
    case = staffed()
    given, operations = case.given_capacity, case.operations
    settled = settle_capacity(case.capacity, case.capacity, given, operations)
    assert settled[0] is given
    assert settled[1] is operations


# ----------------------------------------------------------------- capacity from files


def test_long_and_wide_capacity_are_the_same_grid():
    wide = pd.DataFrame({"Dev": [1.0, 2.0], "Test": [3.0, 4.0]}, index=HORIZON[:2])
    expected, _ = read_capacity(wide, "M")
    texts = wide.set_axis(["2027-01", "2027-02"], axis=0)
    long = wide.rename_axis("period").melt(
        ignore_index=False, var_name="role", value_name="fte"
    )
    for form in (
        texts,
        texts.rename_axis("period").reset_index(),
        wide.set_axis(wide.index.to_timestamp(), axis=0),
        wide.iloc[::-1],
        wide.astype(str),
        wide.rename(columns={"Dev": " Dev "}),
        long.reset_index(),
        long.reset_index().sample(frac=1, random_state=1).sort_values("role"),
        long.reset_index().astype(str),
    ):
        grid, problems = read_capacity(form, "M")
        assert problems == []
        pd.testing.assert_frame_equal(grid, expected)
    assert expected.index.name == "period"
    assert expected.columns.name == "role"


def test_capacity_rows_are_never_summed():
    long = rows(
        "period role fte",
        ("2027-01", "Dev", 1),
        ("2027-01", "Dev", 2),
        ("2027", "Dev", 1),
    )
    grid, problems = read_capacity(long, "M")
    assert [(p["rule"], p["row"]) for p in problems] == [
        ("not_a_period", 52),
        ("duplicate_key", 51),
    ]
    assert grid["Dev"].tolist() == [1.0]


@pytest.mark.parametrize("value", [True, "1_0", float("inf"), "many"])
def test_cells_of_a_grid_are_numbers(value):
    frame = pd.DataFrame({"Dev": pd.Series([value, " 2.0 "], dtype=object)})
    grid, problems = read_capacity(frame.set_axis(HORIZON[:2], axis=0), "M")
    assert [(p["rule"], p["row"], p["column"]) for p in problems] == [
        ("not_a_number", "2027-01", "Dev")
    ]
    assert grid["Dev"].isna().tolist() == [True, False]
    blank = pd.DataFrame({"Dev": [" ", None]}, index=HORIZON[:2], dtype=object)
    assert read_capacity(blank, "M")[1] == []


def test_grids_that_cannot_be_read():
    with pytest.raises(ConfigError, match="capacity: '2027' is coarser"):
        read_capacity(pd.DataFrame({"Dev": [1.0]}, index=["2027"]), "M")
    with pytest.raises(ConfigError, match="names a period or a role twice"):
        read_capacity(pd.DataFrame({"Dev": [1.0] * 2}, index=["2027-01"] * 2), "M")
    with pytest.raises(ConfigError, match="names a period or a role twice"):
        read_capacity(pd.DataFrame([[1, 2]], ["2027-01"], ["Dev", " Dev"]), "M")
    with pytest.raises(ConfigError, match="0 is not a period"):
        read_capacity(pd.DataFrame({"Dev": [1.0]}), "M")


# ------------------------------------------------------------------------ edit in place


def test_edits_of_tables_count_at_the_next_verb_and_not_in_a_finished_plan(tiny):
    case = tiny.snapshot()
    plan = Plan(case, {"A": "2027-01", "B": "2027-03"})
    objective, load = plan.objective, plan.load.copy()
    case.projects.loc[0, "value"] = 1000.0
    case.demand["fte"] *= 3
    case.capacity.loc["2027-01", "Dev"] = 0.0
    assert (plan.objective, len(plan.violations)) == (objective, 0)
    pd.testing.assert_frame_equal(plan.load, load)
    again = Plan(case, {"A": "2027-01", "B": "2027-03"})
    assert again.objective == pytest.approx(1000 + 8 / 1.21)
    pd.testing.assert_frame_equal(again.load, 3 * load)
    assert again.capacity.loc["2027-01", "Dev"] == 0.0
    assert set(again.violations["rule"]) == {"capacity"}
    assert case.digest() == again.portfolio.digest()


def test_edited_people_absences_and_operations_change_derived_capacity():
    away = rows("person start end", ("Ann", "2027-02-01", "2027-01-31"))
    case = staffed(absences=away)
    before = case.capacity["Test"].iloc[0]
    case.people.loc[50, "fte"] = 0.5
    assert case.snapshot().capacity["Test"].iloc[0] == pytest.approx(
        before * 2 / 3, abs=1e-6
    )
    case.operations.loc[51, "share"] = 0.0
    assert case.snapshot().capacity["Test"].iloc[0] == pytest.approx(
        before * 4 / 3, abs=1e-6
    )
    case.absences.loc[50, "start"] = pd.Timestamp("2027-01-01")
    assert case.snapshot().capacity["Test"].iloc[0] == pytest.approx(
        before * 2 / 3, abs=1e-6
    )
    assert case.snapshot().capacity["Test"].iloc[1] > before


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.people.__setitem__("fte", 0.0),
        lambda p: p.people.loc.__setitem__((50, "fte"), 0.25),
        lambda p: p.people.at.__setitem__((51, "role"), "Dev"),
        lambda p: p.people.iloc.__setitem__((0, 0), "Zoe"),
        lambda p: p.people.__setitem__("country", "DE"),
        lambda p: p.people.drop(index=50, inplace=True),
        lambda p: p.people.loc.__setitem__(99, {"person": "C", "role": "New"}),
        lambda p: p.people.insert(0, "note", "x"),
        lambda p: p.absences.drop(p.absences.index, inplace=True),
        lambda p: p.absences.__setitem__("share", 0.5),
        lambda p: p.operations.__setitem__("share", 1.0),
        lambda p: p.operations.drop(p.operations.index, inplace=True),
        lambda p: p.demand.__setitem__("fte", 0.1),
    ],
    ids=range(13),
)
@pytest.mark.filterwarnings("ignore:.*deprecat")  # of ways in which people edit
def test_capacity_follows_edits_in_place(edit):
    away = rows("person start end", ("Ann", "2027-02-01", "2027-03-31"))
    case = staffed(absences=away)
    edit(case)
    fresh = Portfolio(
        horizon=case.horizon, capacity=case.given_capacity, **case.tables
    ).capacity
    pd.testing.assert_frame_equal(case.capacity, fresh)
    assert case.capacity is case.capacity
    less = case.replace(capacity=case.capacity * 0.9)
    pd.testing.assert_frame_equal(less.capacity, fresh * 0.9)
    pd.testing.assert_frame_equal(case.snapshot().capacity, fresh)
    pd.testing.assert_frame_equal(Plan.from_starts(case, {}).capacity, fresh)
    again = pickle.loads(pickle.dumps(case))
    case.people["fte"] = again.people["fte"] = 0.0
    assert again.capacity.get("Test", pd.Series([0.0])).max() == 0.0
    pd.testing.assert_frame_equal(again.capacity, case.capacity)


@pytest.mark.filterwarnings("ignore:.*deprecat")
def test_what_was_edited_in_capacity_outlasts_edits_of_people():
    case = staffed()
    case.capacity["Test"] = 9.0
    case.capacity["New"] = 1.0
    del case.capacity["Dev"]
    case.people.drop(index=[50, 51], inplace=True)
    assert case.capacity.columns.tolist() == ["Test", "New"]
    assert case.capacity["Test"].tolist() == [9.0] * 6
    case.people.loc[60] = {"person": "Zoe", "role": "Tester", "fte": 1.0}
    assert case.capacity.columns.tolist() == ["Tester", "Test", "New"]
    pd.testing.assert_frame_equal(
        case.snapshot().capacity, case.capacity, check_like=True
    )


def test_an_edited_column_of_capacity_is_final_whatever_people_say():
    case = staffed()
    case.capacity["Test"] = 9.0
    case.people.loc[50, "fte"] = 0.1
    snapshot = case.snapshot()
    assert snapshot.capacity["Test"].tolist() == [9.0] * 6
    assert snapshot.capacity["Dev"].tolist() == [1.5] * 6
    assert snapshot.operations["role"].tolist() == ["Dev"]
    case.capacity["New"] = 1.0
    assert case.snapshot().capacity["New"].tolist() == [1.0] * 6
    del case.capacity["Dev"]
    assert "Dev" not in case.snapshot().capacity


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.capacity.__setitem__("Test", -1.0),
        lambda p: p.capacity.__setitem__("Dev", "x"),
        lambda p: p.capacity.__delitem__("Dev"),
        lambda p: p.capacity.__setitem__("New", 1.0),
        lambda p: p.capacity.__setitem__("Dev", np.inf),
        lambda p: p.people.__setitem__("fte", 0.0),
        lambda p: p.people.__setitem__("fte", "half"),
        lambda p: p.operations.__setitem__("share", 7.0),
        lambda p: p.projects.__setitem__("status", "approved"),
        lambda p: p.projects.__setitem__("duration", 0),
        lambda p: p.projects.__delitem__("duration"),
        lambda p: p.demand.__setitem__("role", "Dve"),
    ],
    ids=range(12),
)
def test_the_check_sees_edits_as_a_snapshot_would(edit):
    case = staffed()
    edit(case)
    columns = ["severity", "table", "rule", "row", "column", "found"]
    found = case.check()[columns].drop_duplicates(ignore_index=True)
    again = case.snapshot().check()[columns].drop_duplicates(ignore_index=True)
    by = ["severity", "table", "rule", "column", "found"]
    pd.testing.assert_frame_equal(
        found.sort_values(by, ignore_index=True),
        again.sort_values(by, ignore_index=True),
    )


def test_an_infinite_or_negative_cell_of_capacity_is_not_lost():
    case = staffed()
    case.capacity.loc["2027-02", "Dev"] = np.inf
    with pytest.raises(DataError, match="capacity, row 2027-02, column Dev"):
        case.validate()
    with pytest.raises(DataError, match="capacity, row 2027-02, column Dev"):
        case.replace(name="other").validate()
    case.capacity.loc["2027-02", "Dev"] = 2.0
    assert case.validate().capacity.loc["2027-02", "Dev"] == 2.0
    # Operations must not hide it either.
    below = staffed(capacity=capacity() - 3)
    assert "below_minimum" in below.check()["rule"].tolist()


def test_days_and_gaps_among_objects_are_no_edit():
    # What an edit leaves in a column of mixed kinds, which depends on pandas.
    case = staffed()
    for cells in ([pd.NaT, pd.NaT], [float("nan"), None], [date(2027, 1, 1), pd.NaT]):
        case.people["start"] = pd.Series(cells, index=case.people.index, dtype=object)
        assert case.capacity is case.capacity
