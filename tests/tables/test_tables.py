"""Cells become values, one column kind at a time; schemas find the rest."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmo_analytics.tables.conforming import (
    clean_text,
    conform,
    empty_table,
    read_column,
)
from pmo_analytics.tables.contract import CAPACITY, TABLES, Column, dtype_of, table_spec
from pmo_analytics.tables.schemas import check_table, schema

BLANKS = [None, "", "  ", np.nan, pd.NA, pd.NaT, Decimal("NaN"), np.float32("nan")]


def cells(*values: object) -> pd.Series:
    return pd.Series(list(values), index=range(10, 10 + len(values)), dtype=object)


def read(column: Column, *values: object, freq: str = "M") -> tuple[list, list]:
    typed, bad = read_column(cells(*values), column, freq)
    assert str(typed.dtype) == dtype_of(column, freq)
    return typed.to_list(), bad


def found_rules(problems: list[dict]) -> list[tuple]:
    return [(p["rule"], p["row"], p["column"]) for p in problems]


# ---------------------------------------------------------------------- kinds of cell


@pytest.mark.parametrize(
    "kind", ["text", "number", "whole", "period", "start_day", "end_day", "choice"]
)
def test_blank_cells_are_blank_in_every_kind(kind):
    values, bad = read(Column(kind, choices=("in", "out")), *BLANKS)
    assert pd.isna(pd.Series(values, dtype=object)).all()
    assert bad == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2, 2.0),
        (-1.5, -1.5),
        ("2", 2.0),
        (" 2.0 ", 2.0),
        ("1e3", 1000.0),
        ("-0.25", -0.25),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (np.int8(3), 3.0),
        (np.float32(0.5), 0.5),
    ],
)
def test_numbers(value, number):
    assert read(Column("number"), value) == ([number], [])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "is not a number"),
        (np.False_, "is not a number"),
        ("true", "write it as 1234.5"),
        ("1_000", "write it as 1234.5"),
        ("1,5", "write it as 1234.5"),
        ("1 000", "write it as 1234.5"),
        ("5%", "write it as 1234.5"),
        ("abc", "write it as 1234.5"),
        ("0x10", "write it as 1234.5"),
        (1 + 2j, "write it as 1234.5"),
        ([1], "write it as 1234.5"),
        (dt.date(2027, 1, 1), "write it as 1234.5"),
        (float("inf"), "is not finite"),
        ("-inf", "is not finite"),
        ("nan", "is not finite"),
        (Decimal("Infinity"), "is not finite"),
        (10**400, "too large"),
    ],
)
def test_what_is_no_number(value, message):
    values, bad = read(Column("number"), 1.0, value)
    assert values[0] == 1.0
    assert np.isnan(values[1])
    ((label, found, fix),) = bad
    assert (label, found) == (11, value)
    assert message in fix
    assert fix.endswith(".")


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2]),
        pd.Series([1.0, 2.0], dtype="float32"),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1.0, 2.0], dtype="Float64"),
        pd.Series(["1", "2"], dtype="str"),
        pd.Series(["1", "2"], dtype="category"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_typed_columns_of_numbers(values):
    typed, bad = read_column(values, Column("number"), "M")
    assert (typed.tolist(), bad) == ([1.0, 2.0], [])
    whole, bad = read_column(values, Column("whole"), "M")
    assert (whole.tolist(), str(whole.dtype), bad) == ([1, 2], "Int64", [])


def test_missing_numbers_of_every_dtype_are_blank():
    for dtype in ("float64", "Int64", "Float64", object):
        values = pd.Series([1, None], dtype=dtype)
        typed, bad = read_column(values, Column("number"), "M")
        assert np.isnan(typed[1])
        assert bad == []


def test_infinite_numbers_of_a_typed_column_are_named():
    typed, bad = read_column(pd.Series([1.0, np.inf, -np.inf]), Column("number"), "M")
    assert typed.isna().tolist() == [False, True, True]
    assert [(label, value) for label, value, _ in bad] == [(1, np.inf), (2, -np.inf)]


def test_bool_columns_are_not_numbers():
    for dtype in (bool, "boolean"):
        _, bad = read_column(pd.Series([True], dtype=dtype), Column("number"), "M")
        assert len(bad) == 1


def test_whole_numbers():
    values, bad = read(Column("whole"), 2, "3", " 4.0 ", 5.0, Decimal(6), -1)
    assert (values, bad) == ([2, 3, 4, 5, 6, -1], [])
    values, bad = read(Column("whole"), 2.5, "x", True, 1e12, float("inf"))
    assert pd.isna(values).all()
    assert [label for label, *_ in bad] == [10, 11, 12, 13, 14]
    assert bad[0][2] == "'2.5' is not a whole number."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  CRM \t upgrade ", "CRM upgrade"),
        ("CRM\u00a0upgrade", "CRM upgrade"),
        ("Cafe\u0301", "Café"),
        (101, "101"),
        (101.0, "101"),
        (np.float64(101), "101"),
        (1.5, "1.5"),
        ("007", "007"),
        (True, "True"),
    ],
)
def test_ids_and_names(value, text):
    assert clean_text(value) == text
    assert read(Column("text"), value) == ([text], [])


def test_texts_have_a_length():
    assert read(Column("text"), "x" * 500)[1] == []
    ((_, _, fix),) = read(Column("text"), "x" * 501)[1]
    assert fix == "the text has 501 characters; at most 500 are read."


def test_choices_forgive_case_and_separators_and_suggest():
    kinds = Column("choice", choices=("finish_start", "selected"))
    assert read(kinds, "Finish-Start", " SELECTED ", "finish start") == (
        ["finish_start", "selected", "finish_start"],
        [],
    )
    _, bad = read(kinds, "selectd", 1)
    assert bad[0][2] == (
        "'selectd' is not one of finish_start, selected (did you mean 'selected'?)."
    )
    assert len(bad) == 2


def test_periods_of_every_origin_in_one_column():
    values, bad = read(
        Column("period"),
        "2027-02",
        dt.date(2027, 2, 3),
        pd.Timestamp("2027-02-03", tz="Asia/Tokyo"),
        pd.Period("2027-02", "M"),
        "2027",
        "soon",
    )
    assert values[:4] == [pd.Period("2027-02", "M")] * 4
    assert [(label, value) for label, value, _ in bad] == [(14, "2027"), (15, "soon")]
    assert "coarser" in bad[0][2]


def test_period_columns_of_another_frequency_are_converted_or_refused():
    days = pd.Series(pd.period_range("2027-01-31", periods=2, freq="D"))
    typed, bad = read_column(days, Column("period"), "M")
    assert (typed.astype(str).tolist(), bad) == (["2027-01", "2027-02"], [])
    years = pd.Series(pd.period_range("2027", periods=2, freq="Y"))
    typed, bad = read_column(years, Column("period"), "M")
    assert typed.isna().all()
    assert len(bad) == 2


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/New_York"])
def test_dates_with_time_zones_are_the_day_on_the_wall(unit, zone):
    moments = pd.Series(pd.to_datetime(["2027-03-01 00:30", "2027-03-31 23:30"]))
    moments = moments.astype(f"datetime64[{unit}]")
    if zone:
        moments = moments.dt.tz_localize(zone)
    days, bad = read_column(moments, Column("start_day"), "M")
    assert (days.dt.strftime("%Y-%m-%d").tolist(), bad) == (
        ["2027-03-01", "2027-03-31"],
        [],
    )
    months, bad = read_column(moments, Column("period"), "M")
    assert (months.astype(str).tolist(), bad) == (["2027-03", "2027-03"], [])


def test_days_of_text():
    assert read(Column("end_day"), "2027-02", "2027-02-03") == (
        [pd.Timestamp("2027-02-28"), pd.Timestamp("2027-02-03")],
        [],
    )
    values, bad = read(Column("start_day"), "2027-02", "3.2.2027")
    assert values[0] == pd.Timestamp("2027-02-01")
    assert [label for label, *_ in bad] == [11]


@given(st.lists(st.none() | st.floats(-1e12, 1e12) | st.integers(-(10**6), 10**6)))
def test_numbers_written_as_text_come_back_exactly(values):
    texts = [None if v is None else repr(v) for v in values]
    typed, bad = read_column(pd.Series(texts, dtype=object), Column("number"), "M")
    assert bad == []
    again = [None if np.isnan(v) else v for v in typed]
    assert again == [None if v is None else float(v) for v in values]


# --------------------------------------------------------------------------- conform


def test_every_table_empty_has_its_columns_and_passes_its_schema():
    for name, spec in {**TABLES, "capacity": CAPACITY}.items():
        empty = empty_table(name, "Q-MAR")
        assert list(empty.columns) == list(spec.columns)
        again, problems = conform(name, None, "Q-MAR")
        pd.testing.assert_frame_equal(again, empty)
        again, problems = conform(name, empty, "Q-MAR")
        pd.testing.assert_frame_equal(again, empty)
        assert problems == []
        assert check_table(name, again) == []
        assert set(spec.key) <= set(spec.columns)
        assert table_spec(name) is spec
        assert schema(name) is schema(name)


def test_missing_columns_appear_and_defaults_fill_blanks():
    frame = pd.DataFrame({"project": ["A", "B"], "status": [None, "Running"]})
    table, problems = conform("projects", frame, "M")
    assert problems == []
    assert list(table.columns) == list(TABLES["projects"].columns)
    assert table["status"].tolist() == ["proposed", "running"]
    defaults = {
        "dependencies": {"kind": "finish_start", "lag": 0},
        "groups": {"rule": "limit"},
        "absences": {"share": 1.0},
        "people": {"fte": 1.0},
        "bookings": {"kind": "soft"},
        "blackouts": {"applies_to": "work"},
        "history": {"kind": "total"},
    }
    for name, filled in defaults.items():
        first = next(iter(TABLES[name].columns))
        value = "2027-01" if name == "history" else "x"
        table, _ = conform(name, pd.DataFrame({first: [value]}), "M")
        assert {c: table[c].iloc[0] for c in filled} == filled


def test_unreadable_cells_do_not_become_the_default():
    frame = pd.DataFrame({"project": ["A", "B"], "status": ["runing", None]})
    frame.index = [4, 9]
    table, problems = conform("projects", frame, "M")
    assert found_rules(problems) == [("not_a_choice", 4, "status")]
    assert table["status"].isna().tolist() == [True, False]
    assert "did you mean 'running'?" in problems[0]["fix"]


def test_conform_is_idempotent_keeps_labels_and_does_not_touch_its_input(everything):
    for name, table in everything.tables.items():
        source = table.copy(deep=True)
        source.index = range(100, 100 + len(source))
        frame = source.copy(deep=True)
        once, problems = conform(name, frame, everything.freq)
        twice, more = conform(name, once, everything.freq)
        assert problems == more == []
        pd.testing.assert_frame_equal(once, source)
        pd.testing.assert_frame_equal(twice, once)
        once.iloc[:, 0] = None
        pd.testing.assert_frame_equal(frame, source)


def test_tables_written_as_text_are_read_back(everything):
    for name, table in everything.tables.items():
        text = table.astype(object).where(table.notna(), "").map(str)
        again, problems = conform(name, text, everything.freq)
        assert problems == []
        pd.testing.assert_frame_equal(again, table)


def test_a_missing_required_column_is_said_once():
    frame = pd.DataFrame({"project": ["A"], "role": ["Dev"], "fte": [1]})
    table, problems = conform("demand", frame, "M")
    assert found_rules(problems) == [("missing_column", None, "offset")]
    assert table["offset"].isna().all()
    assert conform("demand", frame.iloc[:0], "M")[1] == []


@pytest.mark.parametrize(
    ("table", "column", "meant"),
    [
        ("projects", "earlist", "earliest"),
        ("projects", "Duration", "duration"),
        ("projects", " deadline ", "deadline"),
        ("budget", "atleast", "at_least"),
        ("dependencies", "lagmax", "lag_max"),
    ],
)
def test_near_misses_of_columns_are_errors(table, column, meant):
    _, problems = conform(table, pd.DataFrame({column: ["x"]}), "M")
    misspelled = [p for p in problems if p["rule"] == "misspelled_column"]
    assert [(p["column"], p["severity"]) for p in misspelled] == [(column, "error")]
    assert f"'{meant}'" in misspelled[0]["fix"]


def test_columns_of_ones_own_are_kept_at_the_end_and_named():
    frame = pd.DataFrame({"cost_centre": ["K1"], "project": ["A"], 7: ["x"]})
    table, problems = conform("projects", frame, "M")
    assert list(table.columns[-2:]) == ["cost_centre", "7"]
    assert table["cost_centre"].tolist() == ["K1"]
    assert [(p["rule"], p["severity"]) for p in problems] == [
        ("extra_column", "warning")
    ] * 2


def test_a_near_miss_of_a_column_that_is_there_is_a_column_of_ones_own():
    frame = pd.DataFrame({"project": ["A"], "earliest": ["2027-01"], "earlist": ["x"]})
    _, problems = conform("projects", frame, "M")
    assert found_rules(problems) == [("extra_column", None, "earlist")]


def test_a_column_twice_is_an_error_and_the_first_counts():
    frame = pd.DataFrame([["A", "B", 1]], columns=["project", "project", "duration"])
    table, problems = conform("projects", frame, "M")
    assert found_rules(problems) == [("duplicate_column", None, "project")]
    assert table["project"].tolist() == ["A"]


def test_keys_in_the_index_become_columns():
    frame = pd.DataFrame({"project": ["A", "B"], "duration": [1, 2]})
    for indexed in (frame.set_index("project"), frame.set_index("project", drop=False)):
        table, problems = conform("projects", indexed, "M")
        assert problems == []
        assert table["project"].tolist() == ["A", "B"]
        assert table.index.name is None
    rows = pd.DataFrame(
        {"project": ["A"], "role": ["Dev"], "offset": [0], "fte": [1.0]}
    )
    table, _ = conform("demand", rows.set_index(["project", "role", "offset"]), "M")
    assert table["role"].tolist() == ["Dev"]


def test_labels_that_repeat_are_replaced():
    frame = pd.DataFrame({"project": ["A", "B"]}, index=[5, 5])
    table, _ = conform("projects", frame, "M")
    assert table.index.tolist() == [0, 1]
