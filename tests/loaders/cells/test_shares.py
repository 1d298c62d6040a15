"""Percent or shares: the whole column decides, and what may be both is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.cells.numbers import read_numbers
from pmo_analytics.loaders.cells.shares import weigh_shares
from tests.support.folders import HORIZON, make_folder, read_quietly, said


def shares(table: str, heading: str, *cells: object) -> list[object] | str:
    """Return the shares read from a column, or the rule by which it is refused."""
    read, _ = read_numbers({"x": list(cells)})
    found = weigh_shares(table, heading, list(cells), read["x"])
    if found.wrong:
        return found.rule
    signed = [str(c).strip().endswith("%") for c in cells]
    return [
        v if s else v * found.factor for v, s in zip(read["x"], signed, strict=True)
    ]


@pytest.mark.parametrize("table", ["people", "bookings", "absences", "demand"])
@pytest.mark.parametrize("heading", ["Percent", "%", "FTE %", "Prozent", "百分比"])
def test_a_heading_of_percent_means_percent(table, heading):
    assert shares(table, heading, "100", "50") == [1.0, 0.5]
    assert shares(table, heading, "0", "20") == [0.0, 0.2]
    assert shares(table, heading, "100%", "50") == [1.0, 0.5]
    assert shares(table, heading, "50%", "100%") == [0.5, 1.0]
    # A workbook formats 0.5 as 50 %.
    assert shares(table, heading, 1.0, 0.5) == [1.0, 0.5]


@pytest.mark.parametrize("heading", ["Percent", "FTE %", "Allocation"])
@pytest.mark.parametrize("cells", [("100", "1"), ("50", "0.5"), ("1", "20", "0")])
def test_one_column_is_percent_or_shares_and_not_both(heading, cells):
    assert shares("people", heading, *cells) == "percent_or_share"


def test_neutral_headings_follow_their_cells():
    assert shares("people", "Allocation", "100", "50") == [1.0, 0.5]
    assert shares("people", "Allocation", "1", "0.5") == [1.0, 0.5]
    assert shares("bookings", "Anteil", "40", "60") == [0.4, 0.6]
    assert shares("demand", "Allocation", "0.5", "2") == [0.5, 2.0]
    assert shares("demand", "Allocation", "50", "20") == "percent_or_share"


def test_a_person_is_no_fifty_fte():
    assert shares("people", "fte", "50", "100") == "percent_or_share"
    assert shares("people", "fte", "1", "0.5", "2") == [1.0, 0.5, 2.0]
    assert shares("demand", "fte", "12", "30") == [12.0, 30.0]


def test_one_percent_of_operations_or_all_of_it():
    assert shares("operations", "Percent", "1", "1") == "percent_or_share"
    assert shares("operations", "Percent", "20") == [0.2]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=6),
    st.sampled_from(["{}", "{}%", "{} %"]),
    st.sampled_from(["Percent", "Allocation", "fte", "Anteil %"]),
)
def test_a_percentage_is_never_read_as_another(percents, form, heading):
    wanted = [p / 100 for p in percents]
    read = shares("people", heading, *(form.format(p) for p in percents))
    plain = form == "{}" and max(percents) < 5  # as small as FTE of a person
    assert read == "percent_or_share" or read == pytest.approx(wanted) or plain


PROJECTS = "project,value,duration\nA,1,1\n"
DEMAND = "project,role,offset,fte\nA,Dev,0,0.1\n"


@pytest.mark.parametrize(
    ("heading", "full", "half"),
    [
        ("Percent", "100", "50"),
        ("weekly hours", "40", "20"),
        ("hours per week", "40", "20"),
        ("Hours/week", "40", "20"),
        ("Wochenstunden", "40", "20"),
        ("hours", "40", "20"),
        ("FTE (hours)", "40", "20"),
        ("hours per day", "8", "4"),
        ("hours per month", "173.925", "86.9625"),
        ("Pensum", "100", "50"),
    ],
)
def test_every_way_to_write_a_half_timer(tmp_path, heading, full, half):
    people = f"person,role,{heading}\nP,Dev,{full}\nQ,Dev,{half}\n"
    folder = make_folder(
        tmp_path, {"projects": PROJECTS, "demand": DEMAND, "people": people}
    )
    portfolio = read_quietly(folder)
    assert portfolio.people["fte"].to_list() == pytest.approx([1.0, 0.5])
    assert said(portfolio) & {"scaled_units", "converted_to_fte"}


@pytest.mark.parametrize(
    ("heading", "cells", "rule"),
    [
        ("hours", ["160", "80"], "unlikely_hours"),
        ("weekly hours", ["1", "0.5"], "unlikely_hours"),
        ("fte", ["100", "50"], "percent_or_share"),
        ("fte", ["100", "1"], "percent_or_share"),
        ("share", ["100", "50"], "percent_or_share"),
    ],
)
def test_contracts_that_do_not_fit_their_heading(tmp_path, heading, cells, rule):
    rows = "".join(f"P{i},Dev,{c}\n" for i, c in enumerate(cells))
    folder = make_folder(
        tmp_path,
        {"projects": PROJECTS, "demand": DEMAND, "people": f"person,role,{heading}\n"}
        | {"people": f"person,role,{heading}\n{rows}"},
    )
    with pytest.raises(DataError, match=rule):
        read_quietly(folder)


@pytest.mark.parametrize(
    ("heading", "cells", "fte", "question"),
    [
        ("days per week", ["1", "0.5"], None, r"\(of 5\)"),
        ("days per week (of 5)", ["1", "0.5"], [0.2, 0.1], ""),
        ("Tage pro Woche (von 5)", ["1", "0.5"], [0.2, 0.1], ""),
        ("hours", ["8", "6"], None, "Hours a day, or a week"),
        ("hours per week", ["8", "6"], [0.2, 0.15], "more than a day a week"),
        ("hours per week (of 40)", ["8", "6"], [0.2, 0.15], ""),
        ("hours per week (of 35)", ["35", "7"], [1.0, 0.2], ""),
    ],
)
def test_people_who_work_a_day_a_week_or_less(tmp_path, heading, cells, fte, question):
    """A heading that says what a full contract has leaves no question open."""
    people = f"person,role,{heading}\nP,Dev,{cells[0]}\nQ,Dev,{cells[1]}\n"
    files = {"projects": PROJECTS, "people": people}
    folder = make_folder(tmp_path, files)
    if fte is None:
        with pytest.raises(DataError, match=f"unlikely_hours.*{question}"):
            read_quietly(folder)
        return
    portfolio = read_quietly(folder)
    assert portfolio.people["fte"].to_list() == pytest.approx(fte)
    fix = portfolio.problems.set_index("rule").loc["converted_to_fte", "fix"]
    assert (question in fix) if question else ("if these are" not in fix)


def test_percent_in_every_table_that_has_a_share(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": "project,value,duration,probability (%)\nA,1,1,80\nB,1,1,5\n",
            "demand": "project,role,offset,percent\nA,Dev,0,150\nB,Dev,0,50\n",
            "people": "person,role,%\nP,Dev,100\nQ,Dev,50\n",
            "operations": "role,percent\nDev,20\n",
            "absences": "person,start,end,percent\nP,2027-01-04,2027-01-04,50\n",
            "bookings": "person,project,role,start,end,allocation\n"
            "P,A,Dev,2027-01-01,2027-01-31,50\n",
        },
        toml=HORIZON,
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["probability"].to_list() == [0.8, 0.05]
    assert portfolio.demand["fte"].to_list() == [1.5, 0.5]
    assert portfolio.people["fte"].to_list() == [1.0, 0.5]
    assert portfolio.operations["share"].to_list() == [0.2]
    assert portfolio.absences["share"].to_list() == [0.5]
    assert portfolio.bookings["fte"].to_list() == [0.5]


def test_maximum_units_are_shares_of_a_person(tmp_path):
    files = {
        "projects": "project,value,duration\nA,1,1\n",
        "people": "Resource Name,Role,Max Units\nP,Dev,100\nQ,Dev,50\n",
    }
    portfolio = read_quietly(make_folder(tmp_path, files))
    assert portfolio.people["fte"].to_list() == [1.0, 0.5]


def test_days_per_week_are_shares_of_five(tmp_path):
    files = {
        "projects": "project,value,duration\nA,1,1\n",
        "people": "Person;Rolle;Tage pro Woche\nP;Dev;4\nQ;Dev;2,5\nR;Dev;5\n",
    }
    portfolio = read_quietly(make_folder(tmp_path, files))
    assert portfolio.people["fte"].to_list() == [0.8, 0.5, 1.0]
    files["people"] = files["people"].replace("2,5", "20")
    with pytest.raises(DataError, match="unlikely_hours"):
        read_quietly(make_folder(tmp_path, files))
