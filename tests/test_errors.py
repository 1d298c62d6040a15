"""Errors and the problems table."""

from __future__ import annotations

import copy
import pickle

import pandas as pd
import pytest

from pmo_analytics.errors import (
    PROBLEM_COLUMNS,
    ConfigError,
    DataError,
    InfeasibleError,
    PmoError,
    SolverError,
    closest,
    describe_problems,
    has_errors,
    listing,
    problem,
    problems_table,
    suggester,
)

WARNING = problem("warning", "projects", "no_value", row=3, fix="Add one.")
ERROR = problem(
    "error", "demand", "not_a_number", row=7, column="fte", found=1.5, fix="Write it."
)


def conflicts(count: int) -> pd.DataFrame:
    return pd.DataFrame({"message": [f"clash {k}" for k in range(count)]})


def test_problems_keep_their_order_with_errors_first_and_row_labels_as_they_are():
    nowhere = problem("error", "groups", "group_contradiction")
    table = problems_table([WARNING, ERROR, nowhere])
    assert tuple(table.columns) == PROBLEM_COLUMNS
    assert table["severity"].tolist() == ["error", "error", "warning"]
    assert table["row"].tolist() == [7, None, 3]
    assert table["found"].tolist() == ["1.5", "", ""]
    assert problems_table([]).empty
    assert tuple(problems_table([]).columns) == PROBLEM_COLUMNS


def test_only_errors_are_errors():
    assert has_errors(problems_table([WARNING, ERROR]))
    assert not has_errors(problems_table([WARNING]))
    assert not has_errors(problems_table([]))


def test_text_names_place_rule_and_fix():
    placed = {**ERROR, "source": "demand.csv", "sheet": "Sheet1", "row": 14}
    text = describe_problems(problems_table([placed, WARNING]))
    assert text.splitlines() == [
        "1 error and 1 warning in the data.",
        "  error [not_a_number] demand.csv, sheet Sheet1, row 14, column fte "
        "(found: 1.5): Write it.",
        "  warning [no_value] projects, row 3: Add one.",
    ]
    many = problems_table({**ERROR, "rule": f"rule {i}"} for i in range(12))
    assert describe_problems(many).startswith("12 errors and 0 warnings")
    assert describe_problems(many).endswith("... and 2 more; see `.problems`")


def test_many_problems_of_one_kind_are_counted():
    placed = [{**ERROR, "source": "demand.csv", "row": row} for row in range(2, 900)]
    found = problems_table([*placed, WARNING])
    lines = describe_problems(found).splitlines()
    assert lines[0] == "898 errors and 1 warning in the data."
    assert len(lines) == 7
    assert lines[5].endswith("Write it. The same 893 times more (rows 7-899).")
    assert "no_value" in lines[6]


def test_data_error_carries_its_table_and_escapes_it():
    nasty = problem("error", "projects", "x", found="<script>alert(1)</script>")
    error = DataError(problems_table([nasty]))
    assert len(error.problems) == 1
    assert "<script>" not in error._repr_html_()
    assert "&lt;script&gt;" in error._repr_html_()


def test_infeasible_error_shows_ten_conflicts():
    error = InfeasibleError(conflicts(12))
    assert len(error.conflicts) == 12
    assert str(error).splitlines()[0] == "No plan satisfies all rules. What clashes:"
    assert str(error).endswith("... and 2 more")
    assert str(InfeasibleError(conflicts(10))).endswith("clash 9")
    assert str(InfeasibleError(conflicts(1), "No.")) == "No.\n  - clash 0"


def test_solver_error_lists_attempts_and_says_how_it_ended():
    error = SolverError(
        [{"solver": "highs", "outcome": "crashed", "detail": "code 11"}],
        status="no_solution",
    )
    assert error.status == "no_solution"
    assert str(error).endswith("  - highs: crashed code 11")
    assert SolverError([]).status == "failed"


@pytest.mark.parametrize(
    "error",
    [
        DataError(problems_table([ERROR])),
        InfeasibleError(conflicts(2), "Nothing fits."),
        SolverError([{"solver": "highs", "outcome": "x"}], "No.", status="no_solution"),
        ConfigError("wrong"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickle"])
def test_errors_survive_the_way_to_another_process(error, copied):
    error.add_note("seen on Monday")
    again = pickle.loads(pickle.dumps(error)) if copied == "pickle" else copied(error)
    assert type(again) is type(error)
    assert isinstance(again, PmoError)
    assert str(again) == str(error)
    assert again.__notes__ == error.__notes__
    assert again.__dict__.keys() == error.__dict__.keys()
    if isinstance(error, SolverError):
        assert (again.status, again.attempts) == (error.status, error.attempts)
    if isinstance(error, DataError):
        pd.testing.assert_frame_equal(again.problems, error.problems)


def test_nearest_names():
    assert (
        closest("Devloper", ["Tester", "Developer"]) == " (did you mean 'Developer'?)"
    )
    assert closest("DEVELOPER", ["Developer"]) == " (did you mean 'Developer'?)"
    assert closest("Painter", ["Developer"]) == ""
    assert closest("x", []) == ""


def test_the_suggester_stops_searching_but_remembers():
    nearest = suggester(["Developer"], limit=1)
    assert nearest("Devloper") == " (did you mean 'Developer'?)"
    assert nearest("Develper") == ""
    assert nearest("Devloper") == " (did you mean 'Developer'?)"


def test_listing_cuts_long_lists():
    assert listing(["a", 2]) == "'a', '2'"
    assert listing("abcdefg", limit=2) == "'a', 'b' and 5 more"
    assert listing([]) == ""
