"""Files and sheets that look like tables and are not read are never passed over."""

from __future__ import annotations

import openpyxl
import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.reading.table_names import named_table
from tests.support import books
from tests.support.folders import HORIZON, make_folder, read_quietly, said

PROJECTS = "project,value,duration\nA,1,2\n"
PEOPLE = "person,role\nP,Dev\n"
DEMAND = "project,role,offset,fte\nA,Dev,0,1\n"
SETTINGS = [["start", "2027-01"], ["periods", 6], ["freq", "M"]]


@pytest.mark.parametrize(
    ("name", "table", "begins"),
    [
        ("demand (hours)", "demand", True),
        ("demand_2027", "demand", True),
        ("DemandHours", "demand", True),
        ("Projects - copy", "projects", True),
        ("Projekte Kopie", "projects", True),
        ("Demnad 2027", "demand", True),
        ("resource requirements v2", "demand", True),
        ("需求 (旧)", "demand", True),
        ("需求2027", "demand", True),
        ("Copy of demand", "demand", False),
        ("2027 budget", "budget", False),
        ("Bedarf alt", "demand", True),
        ("Dashboard", "", False),
        ("Trunk", "", False),
        ("notes", "", False),
    ],
)
def test_a_name_that_holds_the_name_of_a_table(name, table, begins):
    assert named_table(name) == (table, begins)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("demand (hours).csv", "demand"),
        ("demand_2027.csv", "demand"),
        ("Copy of demand.csv", "demand"),
        ("Bedarf 2027.tsv", "demand"),
    ],
)
def test_a_file_that_looks_like_a_table_is_an_error(tmp_path, name, table):
    text = DEMAND.replace(",", "\t") if name.endswith("tsv") else DEMAND
    files = {"projects": PROJECTS, "people": PEOPLE, name: text}
    with pytest.raises(DataError, match="unread_table") as caught:
        read_quietly(make_folder(tmp_path, files))
    (found,) = caught.value.problems.query("severity == 'error'").to_dict("records")
    assert (found["table"], found["source"]) == (table, name)


def test_a_copy_beside_the_table_itself_is_an_error(tmp_path):
    files = {"projects": PROJECTS, "people": PEOPLE, "Projects - copy": PROJECTS}
    with pytest.raises(DataError, match="Another file is read as 'projects'"):
        read_quietly(make_folder(tmp_path, files))


def test_what_has_no_column_of_the_table_is_a_warning(tmp_path):
    files = {
        "projects": PROJECTS,
        "people": PEOPLE,
        "project charter": "heading,text\n1,We do it\n",
        "budget pivot": "Row Labels,Sum of x\nA,1\n",
        "people empty": "",
        "people torn": b"\xff\xfe\x00".decode("latin-1"),
    }
    portfolio = read_quietly(make_folder(tmp_path, files, encoding="latin-1"))
    assert "unknown_file" in said(portfolio)
    assert "unread_table" not in said(portfolio)


def test_a_table_in_a_workbook_beside_the_files_is_an_error(tmp_path):
    path = make_folder(tmp_path, {"projects": PROJECTS, "people": PEOPLE})
    books.write_book(path / "projects.xlsx", {"x": [["a"]]})
    books.write_book(path / "Report.xlsx", {"x": [["a"]]})
    assert not said(read_quietly(path)) & {"unread_table"}
    books.write_book(path / "demand.xlsx", {"x": [["a"]]})
    with pytest.raises(DataError, match=r"unread_table.*Save it as 'demand.csv'"):
        read_quietly(path)


@pytest.mark.parametrize("state", ["visible", "hidden", "veryHidden"])
@pytest.mark.parametrize("name", ["demand (hours)", "需求 2027", "Bedarf alt"])
def test_a_sheet_that_looks_like_a_table_is_an_error(tmp_path, name, state):
    sheets = {
        "portfolio": SETTINGS,
        "projects": [["project", "duration", "start"], ["A", 2, "2027-01"]],
        "people": [["person", "role"], ["P", "Dev"]],
        name: [["Title"], [], ["project", "role", "2027-01"], ["A", "Dev", 160]],
    }
    path = books.write_book(tmp_path / "plan.xlsx", sheets)
    book = openpyxl.load_workbook(path)
    book[name].sheet_state = state
    book.save(path)
    with pytest.raises(DataError, match="unread_table") as caught:
        read_quietly(path)
    (found,) = caught.value.problems.query("severity == 'error'").to_dict("records")
    assert found["sheet"] == name
    assert ("write 'hours' above" in found["fix"]) == ("hours" in name)
    # Whoever says which sheet is the table has decided.
    assert len(read_quietly(path, tables={"demand": name}).demand) == 1


IGNORE = HORIZON + "[files]\nignore = ['OLD_*.csv', 'demand (hours).csv']\n"


def test_files_that_are_ignored_are_said_and_not_read(tmp_path):
    files = {
        "projects": PROJECTS,
        "people": PEOPLE,
        "demand": DEMAND,
        "demand (hours)": DEMAND,
        "old_demand": DEMAND,
    }
    portfolio = read_quietly(make_folder(tmp_path, files, toml=IGNORE))
    (found,) = portfolio.problems.to_dict("records")
    assert found["rule"] == "ignored_files"
    assert found["found"] == "demand (hours).csv, old_demand.csv"


def test_what_is_ignored_has_to_be_there(tmp_path):
    files = {"projects": PROJECTS, "people": PEOPLE, "old_demand.csv": DEMAND}
    portfolio = read_quietly(make_folder(tmp_path, files, toml=IGNORE))
    found = portfolio.problems.set_index("rule")["found"]
    assert found["ignores_nothing"] == "demand (hours).csv"


def test_sheets_that_are_ignored(tmp_path):
    rows = [line.split(",") for line in DEMAND.split()]
    sheets = {
        "portfolio": [*SETTINGS, ["ignore", "demand (*, Dashboard"]],
        "projects": [line.split(",") for line in PROJECTS.split()],
        "people": [line.split(",") for line in PEOPLE.split()],
        "demand (hours)": rows,
        "Dashboard": [["x"]],
    }
    portfolio = read_quietly(books.write_book(tmp_path / "a.xlsx", sheets))
    assert "ignored_sheets" in said(portfolio)
    assert portfolio.demand.empty
