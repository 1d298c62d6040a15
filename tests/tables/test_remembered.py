"""What a portfolio remembers of its tables never changes what it says of them."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import cache
from pmo_analytics.tables.cache import Knowledge, Remembered
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio
from tests.support.problem_cases import portfolio, projects, rows
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio


def rules(case: Portfolio) -> list[tuple]:
    table = case.check()
    return list(zip(table["table"], table["rule"], table["row"], strict=True))


def forgetful(case: Portfolio) -> Portfolio:
    """Return the same portfolio with nothing remembered."""
    copied: Portfolio = pickle.loads(pickle.dumps(case))
    assert not copied._knowledge._tables
    assert not copied._knowledge._answers
    return copied


def assert_says_the_same(case: Portfolio) -> None:
    fresh = forgetful(case)
    pd.testing.assert_frame_equal(case.check(), fresh.check())
    assert case.digest() == fresh.digest()
    copied, other = case.snapshot(), forgetful(case).snapshot()
    assert copied.digest() == other.digest()
    pd.testing.assert_frame_equal(copied.capacity, other.capacity)
    for name, frame in copied.tables.items():
        pd.testing.assert_frame_equal(frame, other.tables[name])
    pd.testing.assert_frame_equal(copied.check(), other.check())


# ------------------------------------------------------------------ edits still count


def test_an_edit_after_a_replace_is_seen():
    first = tiny_portfolio().validate()
    copied = first.replace(name="other")
    assert rules(copied) == []
    before = copied.digest()
    copied.demand.loc[0, "fte"] = -1.0
    copied.projects.loc[1, "duration"] = 0
    expected = [("projects", "below_minimum", 1), ("demand", "below_minimum", 0)]
    assert rules(copied)[:2] == expected
    assert copied.digest() != before
    assert rules(copied.replace(discount=0.0))[:2] == expected
    assert rules(copied.snapshot())[:2] == expected
    # The one it was made from and its other copies are not touched.
    assert rules(first) == rules(first.replace(name="third")) == []
    copied.demand.loc[0, "fte"] = 2.0
    copied.projects.loc[1, "duration"] = 2
    assert rules(copied) == []
    assert copied.digest() == before


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("demand", "fte", 0.25),  # floats, whole numbers, words and periods
        ("demand", "offset", 1),
        ("projects", "theme", "Green"),
        ("projects", "earliest", pd.Period("2027-02", "M")),
    ],
)
def test_an_edit_behind_the_back_of_pandas_is_seen(table, column, value):
    case = tiny_portfolio().validate()
    copied = case.replace(name="other")
    copied.check()
    before = copied.digest()
    array = copied.tables[table][column].array
    assert array[0] != value
    array[0] = value
    assert copied.digest() != before
    assert copied.snapshot().tables[table][column].iloc[0] == value
    assert case.tables[table][column].iloc[0] != value
    assert case.digest() == case.replace().digest() != copied.digest()


def test_an_edit_inside_a_cell_is_seen():
    notes: list[list[str]] = [["a"], ["b"]]
    case = portfolio(projects=projects(notes=notes)).snapshot()
    before = case.digest()
    case.projects.loc[10, "notes"].append("c")
    assert case.digest() != before
    assert case.snapshot().projects.loc[10, "notes"] == ["a", "c"]


def test_edited_people_change_capacity_and_what_is_said_of_them():
    case = everything_portfolio().validate()
    copied = case.replace(name="other")
    copied.people.loc[0, "fte"] = 0.5
    copied.absences.loc[0, "person"] = "Anne"
    assert ("absences", "unknown_person", 0) in rules(copied)
    assert ("absences", "unknown_person", 0) not in rules(case.replace())
    more = copied.snapshot().capacity["Test"]
    assert (more < case.capacity["Test"]).all()
    pd.testing.assert_frame_equal(case.replace().capacity, case.capacity)


# --------------------------------------------------------------- problems are not lost


def test_problems_of_a_table_that_did_not_change_are_said_again():
    demand = rows("project role offset fte", ("A", "Dev", 0, -1), ("B", "Dev", 0, 1))
    people = rows("person role fte", ("Ann", "Dev", 7.0), ("Ann", "Dev", 1.0))
    case = portfolio(demand=demand, people=people, capacity=None)
    expected = rules(case)
    assert ("demand", "below_minimum", 50) in expected
    assert ("people", "duplicate_key", 51) in expected
    assert ("people", "person_over_one_fte", 50) in expected
    assert rules(case) == expected
    for copied in (
        case.replace(name="x"),
        case.replace(projects=projects(value=[5.0, 6.0])),
        case.snapshot().replace(projects=projects(theme=["Blue", "Red"])).snapshot(),
    ):
        assert rules(copied) == expected
        assert rules(copied) == expected


def test_a_column_of_ones_own_is_noted_in_every_copy():
    case = portfolio(projects=projects(mood=["good", "bad"]))
    assert rules(case.snapshot().replace(discount=0.1)) == rules(case)
    assert ("projects", "extra_column", None) in rules(case)


def test_a_cell_that_was_not_read_does_not_become_its_default():
    people = rows("person role fte", ("Ann", "Dev", "much"), ("Bob", "Dev", 1.0))
    case = portfolio(people=people, capacity=None)
    for copied in (case, case.replace(name="x"), case.snapshot().snapshot()):
        assert ("people", "not_a_number", 50) in rules(copied)
        assert rules(copied) == rules(forgetful(copied))
        assert pd.isna(copied.people.loc[50, "fte"])


def test_offers_that_leave_with_their_role_are_not_looked_for():
    """A changed column of capacity drops the operations of its role."""
    case = everything_portfolio().validate()
    case.capacity.loc[:, "Dev"] = 1.0
    assert_says_the_same(case)
    assert case.snapshot().operations["role"].tolist() == ["Test"]


def random_edit(rng: np.random.Generator, case: Portfolio) -> Portfolio:
    """Return the portfolio edited in place, or a copy of it with something new."""
    frames = {name: f for name, f in case.tables.items() if len(f)}
    name = str(rng.choice(list(frames)))
    frame = frames[name]
    row, column = rng.choice(frame.index), str(rng.choice(frame.columns))
    match rng.integers(7):
        case 0:
            frame.loc[row, column] = frame[column].iloc[rng.integers(len(frame))]
        case 1:
            frame.loc[row, column] = None
        case 2:
            return case.replace(**{name: frame.iloc[rng.integers(2) :]})
        case 3:
            return case.replace(**{name: frame.astype(object)})
        case 4:
            factor = rng.choice([1.0, 0.5], case.capacity.shape[1])
            return case.replace(capacity=case.capacity * factor)
        case 5:
            case.capacity.iloc[0] *= 1.5
        case _:
            return case.snapshot()
    return case


@pytest.mark.parametrize("seed", range(tried(5)))
def test_nothing_that_is_said_depends_on_what_is_remembered(seed):
    rng = np.random.default_rng(seed)
    case = everything_portfolio() if seed % 2 else random_portfolio(rng)
    for _ in range(4):
        case = random_edit(rng, case)
        assert_says_the_same(case)


# ------------------------------------------------------------------- work that is saved


def test_only_what_changed_is_read_and_checked_again(monkeypatch):
    case = everything_portfolio().validate()
    case.check()
    done: list[str] = []

    def told(verb):
        def call(name, *others):
            done.append(f"{verb.__name__} {name}")
            return verb(name, *others)

        return call

    for name in ("conform", "check_table"):
        monkeypatch.setattr(cache, name, told(getattr(cache, name)))
    hashes = cache.frame_content
    counted: list[int] = []
    monkeypatch.setattr(
        cache, "frame_content", lambda f: counted.append(len(f)) or hashes(f)
    )
    case.digest()
    counted.clear()
    rows = case.projects.assign(value=case.projects["value"] * 2)
    other = case.replace(projects=rows)
    other.check()
    other.snapshot().check()
    other.digest()
    assert done == ["conform projects", "check_table projects"]
    assert counted == [len(rows)]


# --------------------------------------------------------------------------- the same?

FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})


def same_frame(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return Remembered(one, []).holds(other)


@pytest.mark.parametrize(
    "other",
    [
        FRAME.assign(a=[1.0, 3.0]),
        FRAME.assign(a=[1, 2]),
        FRAME.assign(b=["x", ""]),
        FRAME[["b", "a"]],
        FRAME.rename(columns={"a": "c"}),
        FRAME.set_axis([0.0, 1.0]),
        FRAME.set_axis([1, 0]),
        FRAME.rename_axis("row"),
        FRAME.rename_axis("column", axis=1),
        FRAME.iloc[:1],
        FRAME.assign(c=1.0),
        FRAME.astype({"b": object}),
    ],
)
def test_frames_that_differ_are_told_apart(other):
    assert not same_frame(FRAME, other)
    assert not same_frame(other, FRAME)
    assert same_frame(other, other.copy())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, "x"], [True, "x"]),
        ([1, "x"], [1.0, "x"]),
        ([None, "x"], [np.nan, "x"]),
        ([["a"], "x"], [["a"], "x"]),  # may change inside while nobody looks
    ],
)
def test_cells_that_pandas_takes_for_equal_are_told_apart(one, other):
    frames = [pd.DataFrame({"a": pd.Series(v, dtype=object)}) for v in (one, other)]
    assert not same_frame(*frames)
    labels = [frame.set_index("a").assign(b=1.0).rename_axis(None) for frame in frames]
    assert not same_frame(*labels)


def test_cells_without_insides_are_compared():
    plain = ["a", 1, 2.5, None, float("nan"), False, date(2027, 1, 1), pd.NaT]
    cells = pd.Series(plain, dtype=object)
    assert same_frame(pd.DataFrame({"a": cells}), pd.DataFrame({"a": cells.copy()}))
    lists = pd.Series([[1], "x"], dtype=object)
    assert not same_frame(pd.DataFrame({"a": lists}), pd.DataFrame({"a": lists}))


def test_an_answer_is_kept_for_its_facts_only():
    knowledge, asked = Knowledge(), iter(range(10))
    assert knowledge.once("x", (1, "a"), lambda: next(asked)) == 0
    assert knowledge.once("x", (1, "a"), lambda: next(asked)) == 0
    assert knowledge.once("y", (1, "a"), lambda: next(asked)) == 1
    assert knowledge.once("x", (2, "a"), lambda: next(asked)) == 2
    later = Knowledge(knowledge)
    assert later.once("x", (1, "a"), lambda: next(asked)) == 3
    assert knowledge.once("x", (2, "a"), lambda: next(asked)) == 2
