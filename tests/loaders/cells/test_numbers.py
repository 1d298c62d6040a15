"""Numbers: read in one way only, decided once per file."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.loaders.cells.currencies import go_together
from pmo_analytics.loaders.cells.numbers import Company, read_numbers


def numbers(*cells: object, declared: str = "") -> list[object]:
    read, _ = read_numbers({"x": list(cells)}, declared)
    return read["x"]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1", 1.0),
        ("-2.5", -2.5),
        (" 3 ", 3.0),
        ("1e3", 1000.0),
        ("1.5E+3", 1500.0),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u00a0234.5", 1234.5),
        ("1'234.50", 1234.5),
        ("1\u2019234,50", 1234.5),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("0,5", 0.5),
        ("0,125", 0.125),
        ("12,3456", 12.3456),
        ("1234,567", 1234.567),
        (".5", 0.5),
        (",5", 0.5),
        ("12%", 0.12),
        ("7 %", 0.07),
        ("12,5%", 0.125),
        ("€ 1.200,50", 1200.5),
        ("-€5.25", -5.25),
        ("5.25 €", 5.25),
        ("¥1,200,000", 1200000.0),
        ("￥1,200,000", 1200000.0),
        ("1200.5元", 1200.5),
        ("CNY 20", 20.0),
        ("20 EUR", 20.0),
        ("12.5万", 125000.0),
        ("3亿元", 300000000.0),
        ("\u22121.5", -1.5),
        ("\u2013500", -500.0),
        ("(500)", -500.0),
        ("500-", -500.0),
        ("($1,200.50)", -1200.5),
        ("(1.200,50 €)", -1200.5),
        ("$(500)", -500.0),
        ("€1.2m", 1_200_000.0),
        ("1.5k", 1500.0),
        ("1.005k", 1005.0),
        ("500 T€", 500_000.0),
        ("2,5 Mio. €", 2_500_000.0),
        ("3 bn", 3e9),
        ("1.200,50 EUR", 1200.5),
        ("500 USD", 500.0),
        ("Rs. 1,23,456", 123_456.0),
        ("12,34,567.50", 1_234_567.5),
        ("1\u202f234\u202f567", 1_234_567.0),
        ("\uff11\uff12\uff0e\uff15", 12.5),
    ],
)
def test_a_number_that_can_be_read_in_one_way(cell, number):
    assert numbers(cell) == [number]


@pytest.mark.parametrize(
    "cell",
    [
        "lots",
        "1.2.3",
        "1,2,3",
        "12 34",
        "1,23,45",
        "-(5)",
        "(-5)",
        "5-5",
        "--1",
        "1_000",
        "NaN",
        "inf",
        "1e999",
        "0x10",
        "5h",
        "€",
        "%",
        "1,234.5.6",
        "True",
    ],
)
def test_what_is_no_number_stays_as_it_is(cell):
    assert numbers(cell) == [cell]


@pytest.mark.parametrize("cell", [True, dt.date(2027, 1, 1), float("inf")])
def test_other_types_stay_as_they_are(cell):
    assert numbers(cell) == [cell]


def test_blank_stays_blank():
    assert numbers(None, "1", None) == [None, 1.0, None]
    assert numbers(None, "1,5") == [None, 1.5]


def test_one_cell_decides_for_the_file():
    read, found = read_numbers({"a": ["1.250", "3.000"], "b": ["0,5", "7"]})
    assert read == {"a": [1250.0, 3000.0], "b": [0.5, 7.0]}
    assert found.decimal == ","
    assert found.inferred
    assert found.commas == ("b", 0, "0,5")


def test_a_decimal_point_makes_commas_thousands():
    read, found = read_numbers({"a": ["1,250"], "b": ["0.5"]})
    assert read == {"a": [1250.0], "b": [0.5]}
    assert found.grouped == "1,250"


def test_points_alone_are_decimal_points():
    read, found = read_numbers({"a": ["1.250", "3.000"]})
    assert read == {"a": [1.25, 3.0]}
    assert not found.inferred


def test_commas_alone_are_ambiguous():
    read, found = read_numbers({"a": ["7", "1,250", "3,000"]})
    assert read == {"a": [7.0, "1,250", "3,000"]}
    assert found.ambiguous == {"a": (1, "1,250", 2)}


def test_a_declared_mark_ends_all_doubt():
    assert numbers("1,250", "1.250,5", declared=",") == [1.25, 1250.5]
    assert numbers("1.250", declared=",") == [1250.0]
    assert numbers("1,250", declared=".") == [1250.0]
    assert numbers("0.5", declared=",") == ["0.5"]
    assert numbers("5", "7", declared=",") == [5.0, 7.0]


def test_contradictions_are_found_and_not_averaged():
    read, found = read_numbers({"a": ["0,5", "0.5"]})
    assert found.points
    assert found.commas
    assert read == {"a": ["0,5", 0.5]}


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_plain_numbers_come_back_exactly(values):
    assert numbers(*map(repr, values)) == values
    assert numbers(*values) == values


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 99))
def test_both_local_forms_mean_the_same(whole, cents):
    english = f"{whole:,}.{cents:02d}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert numbers(english) == numbers(german) == [float(f"{whole}.{cents:02d}")]


def test_a_point_before_three_digits_in_a_country_of_commas():
    local = Company(local=True)
    read, found = read_numbers({"a": ["250.000", "7"]}, company=local)
    assert read == {"a": ["250.000", 7.0]}
    assert found.ambiguous == {"a": (0, "250.000", 1)}
    assert numbers("250.000", "0.5") == [250.0, 0.5]
    read, _ = read_numbers({"a": ["250.000", "0.5"]}, company=local)
    assert read == {"a": [250.0, 0.5]}


@pytest.mark.parametrize(
    ("proven", "cell", "number"),
    [
        (",", "250.000", 250_000.0),
        (",", "1,500", 1.5),
        (".", "1,500", 1500.0),
        (".", "250.000", 250.0),
    ],
)
def test_other_files_of_the_folder_decide_and_it_is_said(proven, cell, number):
    read, found = read_numbers({"a": [cell, "7"]}, company=Company(proven, "'0'"))
    assert read == {"a": [number, 7.0]}
    assert found.by_company == cell


def test_three_decimals_of_money_are_doubted_and_of_hours_said():
    columns = {"amount": ["250.000"], "hours": ["7.500"]}
    read, found = read_numbers(columns, money={"amount"})
    assert read == {"amount": ["250.000"], "hours": [7.5]}
    assert list(found.ambiguous) == ["amount"]
    assert found.three_decimals == "7.500"


@pytest.mark.parametrize(("cell", "number"), [("1.000", 1.0), ("0,750", 0.75)])
def test_a_share_is_no_thousand(cell, number):
    read, _ = read_numbers(
        {"fte": [cell]}, bounded={"fte"}, company=Company(local=True)
    )
    assert read == {"fte": [number]}


def test_sizes_are_words_of_money_alone():
    read, found = read_numbers({"amount": ["1.2m"], "hours": ["30m"]}, money={"amount"})
    assert read == {"amount": [1.2e6], "hours": ["30m"]}
    assert found.scaled == "1.2m"


# How countries write numbers: decimal mark, mark of thousands.
LOCALES = [(".", ","), (",", "."), (",", "\u202f"), (".", "\u2019"), (".", "")]


@settings(deadline=None)
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=4),
    st.sampled_from(LOCALES),
    st.integers(0, 3),
    st.sampled_from(["", ",", "."]),
    st.booleans(),
)
def test_a_local_number_is_never_read_as_another(values, marks, places, proven, local):
    decimal, thousands = marks
    if proven and proven != decimal:
        return  # a folder that contradicts itself is another matter
    wanted = [round(v, places) for v in values]
    cells = [
        f"{v:,.{places}f}".translate({ord(","): thousands, ord("."): decimal})
        for v in wanted
    ]
    if decimal == "." and places == 3 and not proven:
        return  # read as it stands, and said
    if thousands == "." and not (proven or local):
        return  # nothing shows another country: tested above
    read, _ = read_numbers({"x": list(cells)}, company=Company(proven, "", local))
    for cell, value, number in zip(cells, wanted, read["x"], strict=True):
        assert number == cell or number == float(value)


@pytest.mark.parametrize(
    ("written", "together"),
    [
        (["€", "EUR", "k€"], True),
        (["$", "CAD"], True),
        (["$", "USD", "C$"], False),
        (["¥", "CNY", "RMB", "元"], True),
        (["¥", "JPY", "元"], False),
        (["£", "GBP million"], True),
        (["€", "$", "¥"], False),
        (["kr", "SEK"], True),
        (["points", "€"], True),
    ],
)
def test_signs_go_together_where_one_currency_is_left(written, together):
    assert go_together(dict.fromkeys(written, "")) is together


def test_dashes_for_no_cents():
    cells = ["1.200,-", "€ 3.400,--", "12,-", "7,50"]
    assert read_numbers({"x": cells})[0]["x"] == [1200.0, 3400.0, 12.0, 7.5]
    cells = ["1'200.-", "CHF 1200.\u2013", "1200-", "5.25"]
    assert read_numbers({"x": cells})[0]["x"] == [1200.0, 1200.0, -1200.0, 5.25]
