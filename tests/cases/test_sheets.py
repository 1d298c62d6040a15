"""Cases from outside about workbooks, files and headers, each with its right answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.errors import DataError
from tests.support.folders import read_quietly
from tests.support.places import SHARED

CASES = SHARED / "cases"


def case(path: str) -> Path:
    file = CASES / path
    if not file.exists():
        pytest.skip(f"the case is not here: ../shared/cases/{path}")
    return file


def test_20_days_of_a_1904_workbook_in_general_format():
    portfolio = read_quietly(case("20-excel-1904-general-format/book.xlsx"))
    assert portfolio.projects["start"].astype(str).to_list() == ["2027-03"]
    days = portfolio.people[["start", "end"]].iloc[0].astype(str).to_list()
    assert [d[:10] for d in days] == ["2027-01-01", "2027-06-30"]


def test_21_formulas_that_were_never_calculated():
    path = case("21-excel-formula-never-saved-people/book.xlsx")
    with pytest.raises(DataError) as caught:
        read_quietly(path)
    found = caught.value.problems
    found = found[found["rule"] == "formula_without_value"]
    assert set(found["column"]) == {"fte", "end"}
    assert set(found["severity"]) == {"error"}


@pytest.mark.parametrize("bad_rows", ["raise", "drop"])
def test_23_an_error_in_a_remark(bad_rows):
    path = case("23-excel-na-in-remark-column/book.xlsx")
    portfolio = read_quietly(path, bad_rows=bad_rows)
    assert portfolio.projects["project"].to_list() == ["A", "B"]
    assert len(portfolio.demand) == 2


def test_44_durations_of_excel_are_hours():
    portfolio = read_quietly(case("44-excel-duration-format/book.xlsx"))
    hours = portfolio.demand["fte"] * 40 * 52.1775 / 12
    assert hours.round(9).to_list() == [120.5, 8]


def test_63_no_project_is_lighter_than_its_file_says():
    path = case("63-bad-rows-drop-hole/bad_rows_drop_hole")
    portfolio = read_quietly(path, bad_rows="drop")
    assert portfolio.projects["project"].to_list() == ["B"]
    assert portfolio.demand["project"].to_list() == ["B"]
    left_out = portfolio.problems[portfolio.problems["rule"] == "row_left_out"]
    (found,) = left_out[left_out["table"] == "projects"]["fix"]
    assert "'A' was left out" in found
    assert "demand row 3" in found


def test_64_a_hidden_sheet_is_said():
    path = case("64-hidden-budget-sheet/hidden_budget_sheet.xlsx")
    portfolio = read_quietly(path)
    assert portfolio.budget["amount"].to_list() == [1]
    found = portfolio.problems.set_index("rule").loc["hidden_sheet"]
    assert found["sheet"] == "budget"
    assert "1 rows" in found["found"]


def test_66_a_sheet_that_looks_like_a_table():
    path = case("66-unread-sheet/unread_demand_sheet.xlsx")
    with pytest.raises(DataError, match=r"unread_table.*demand \(hours\)"):
        read_quietly(path)


def test_67_percent_in_a_title():
    portfolio = read_quietly(case("67-title-row-with-unit/y1.xlsx"))
    assert portfolio.demand["fte"].to_list() == [0.5, 0.8, 0.5]
    found = portfolio.problems.set_index("rule").loc["title_rows_skipped", "found"]
    assert found == "Resource demand in % of a full-time employee"
