"""Workbooks: typed cells, title rows, formulas, old formats; bombs measured first."""

from __future__ import annotations

import contextlib
import datetime as dt
import struct
import zipfile

import openpyxl
import pytest

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.loaders import load_portfolio, write_portfolio
from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.guarding import archive
from pmo_analytics.loaders.guarding.archive import check_workbook
from pmo_analytics.loaders.guarding.old_workbook import check_old_workbook
from pmo_analytics.loaders.reading import workbook
from pmo_analytics.loaders.writing import workbook as writing_workbook
from tests.support import books
from tests.support.books import record
from tests.support.folders import read_quietly, said
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio

SETTINGS = [["start", "2027-01"], ["periods", 6], ["freq", "M"]]
PROJECTS = [["project", "duration"], ["P1", 2]]


def book(tmp_path, **sheets):
    return books.write_book(tmp_path / "plan.xlsx", {"portfolio": SETTINGS, **sheets})


def test_cells_keep_their_types(tmp_path):
    path = book(
        tmp_path,
        项目=[
            ["Portfolio 2027"],
            [],
            ["项目编号", "duration", "start", "deadline", "value", "Own date", "Own"],
            [101, 2, dt.date(2027, 2, 1), "2027-06", 1.5, dt.date(2027, 1, 2), 1],
            ["P2", 1, dt.datetime(2027, 3, 31, 17, 0), 2027, "1.250,50 €", None, "x"],
            [None] * 7,
            ["合计", 3, None, None, 2.5, None, None],
        ],
        people=[["person", "role", "start"], ["Ann", "Dev", 46388]],
    )
    path_book = openpyxl.load_workbook(path)
    path_book["项目"]["D5"] = "2027年6月"
    path_book.save(path)
    portfolio = read_quietly(path)
    projects = portfolio.projects
    assert portfolio.name == "plan"
    assert projects["project"].to_list() == ["101", "P2"]
    assert projects["start"].astype(str).to_list() == ["2027-02", "2027-03"]
    assert projects["deadline"].astype(str).to_list() == ["2027-06", "2027-06"]
    assert projects["value"].to_list() == [1.5, 1250.5]
    assert projects["Own date"].fillna("").to_list() == ["2027-01-02", ""]
    assert projects["Own"].to_list() == ["1", "x"]
    assert portfolio.people["start"].dt.strftime("%Y-%m-%d").to_list() == ["2027-01-01"]
    origin = portfolio.sources["projects"]
    assert origin.to_numpy().tolist() == [
        ["plan.xlsx", "项目", 4],
        ["plan.xlsx", "项目", 5],
    ]
    assert {"title_rows_skipped", "totals_row_dropped", "decimal_comma"} <= said(
        portfolio
    )


def test_sheets_that_are_no_tables(tmp_path):
    path = book(
        tmp_path,
        projects=PROJECTS,
        说明=[["read this"]],
        Guide=[["read this"]],
        Risks=[["a"]],
        Dashboard=[["a"]],
        demand=[],
    )
    workbook = openpyxl.load_workbook(path)
    workbook["projects"].sheet_state = "hidden"
    workbook.save(path)
    portfolio = read_quietly(path)
    assert len(portfolio.projects) == 1
    unknown = portfolio.problems[portfolio.problems["rule"] == "unknown_sheet"]
    assert sorted(unknown["sheet"]) == ["Dashboard", "Risks"]


def test_a_sheet_may_be_given_for_a_table(tmp_path):
    path = book(
        tmp_path, projects=PROJECTS, Tabelle1=[["project", "duration"], ["P9", 1]]
    )
    portfolio = read_quietly(path, tables={"projects": "Tabelle1"})
    assert portfolio.projects["project"].to_list() == ["P9"]


def test_wide_sheets_with_dates_numbers_and_offsets_as_headings(tmp_path):
    months = [dt.datetime(2027, m, 1) for m in range(1, 7)]
    path = book(
        tmp_path,
        projects=[["project", "duration"], ["P1", 2]],
        demand=[["project", "role", 0, 1], ["P1", "Dev", 1, 0.5]],
        capacity=[["role", *months, "Total"], ["Dev", 1, 2, 3, 4, 5, 6, 21]],
    )
    portfolio = read_quietly(path)
    assert portfolio.capacity["Dev"].to_list() == [1, 2, 3, 4, 5, 6]
    assert portfolio.demand["offset"].to_list() == [0, 1]
    serials = [46388, 46419, 46447, 46478, 46508, 46539]
    path = book(
        tmp_path, projects=PROJECTS, capacity=[["role", *serials], ["Dev", *range(6)]]
    )
    assert read_quietly(path).capacity["Dev"].to_list() == [0, 1, 2, 3, 4, 5]


def test_formulas_are_read_by_their_saved_result(tmp_path):
    path = book(
        tmp_path, projects=[["project", "value", "duration"], ["P1", "=1+1", 2]]
    )
    with pytest.raises(DataError, match="never calculated") as caught:
        read_quietly(path)
    found = caught.value.problems.set_index("rule").loc["formula_without_value"]
    assert found[["sheet", "row", "column"]].to_list() == ["projects", 2, "value"]
    with zipfile.ZipFile(path) as file:
        part = file.read("xl/worksheets/sheet2.xml").decode()
    books.replace_part(
        path,
        "xl/worksheets/sheet2.xml",
        part.replace("<v />", "<v>2</v>").replace("<v></v>", "<v>2</v>"),
    )
    portfolio = read_quietly(path)
    assert portfolio.projects["value"].to_list() == [2.0]
    assert "formula_without_value" not in said(portfolio)


def test_an_old_workbook(tmp_path):
    cells = {
        "portfolio": {
            (0, 0): "start",
            (0, 1): "2027-01",
            (1, 0): "periods",
            (1, 1): 6.0,
        }
        | {(2, 0): "freq", (2, 1): "M"},
        "项目": {(0, 0): "项目编号", (0, 1): "工期", (0, 2): "value"}
        | {(1, 0): "P1", (1, 1): 2.0, (2, 0): "P2", (2, 1): 1.0},
    }
    for small in (False, True):
        path = books.write_xls(tmp_path / "plan.xls", cells, small=small)
        assert read_quietly(path).projects["duration"].to_list() == [2, 1]
    cells["项目"][2, 2] = "#REF!"
    path = books.write_xls(tmp_path / "plan.xls", cells)
    with pytest.raises(DataError, match=r"error_cell.*row 3, column value .*#REF!"):
        read_quietly(path)


def test_an_opendocument_workbook(tmp_path):
    rows = {
        "portfolio": books.ods_row("start", "2027-01")
        + books.ods_row("periods", 6.0)
        + books.ods_row("freq", "M"),
        "projects": books.ods_row("project", "duration", None)
        + books.ods_row("P1", 2.0)
        + books.ods_row(None, repeat=1_048_000),
    }
    portfolio = read_quietly(books.write_ods(tmp_path / "plan.ods", rows))
    assert portfolio.projects["duration"].to_list() == [2]
    broken = rows | {
        "projects": rows["projects"].replace(
            'office:value-type="float"',
            'office:value-type="string" calcext:value-type="error"',
            1,
        )
    }
    with pytest.raises(DataError, match=r"error_cell.*row 2, column duration"):
        read_quietly(books.write_ods(tmp_path / "plan.ods", broken))


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("MAX_FILE_BYTES", 1000),
        ("MAX_INFLATED_BYTES", 5000),
        ("MAX_ENTRIES", 3),
        ("MAX_CELLS", 20),
    ],
)
def test_every_limit_is_kept(tmp_path, monkeypatch, limit, value):
    path = tmp_path / "plan.xlsx"
    write_portfolio(everything_portfolio(), path)
    assert check_workbook(path)
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(Unreadable, match=r"larg|MB") as caught:
        check_workbook(path)
    assert caught.value.rule in ("file_too_large", "workbook_too_large")


def test_cells_without_references_are_placed(tmp_path):
    rows = (
        "<row><c><v>1</v></c><c t='e'><v>#N/A</v></c></row><row><c/><c><f>A1</f></c>"
        "<c t='str'><f>B1</f><v></v></c></row>"
    )
    path = books.replace_part(
        book(tmp_path, projects=PROJECTS),
        "xl/worksheets/sheet2.xml",
        books.sheet_xml(rows),
    )
    facts = check_workbook(path)["projects"]
    assert facts.errors == {(1, 1): "#N/A"}
    assert facts.unsaved == {(2, 1)}


def test_prefixed_xml_is_measured_too(tmp_path):
    sheet = (
        f'<x:worksheet xmlns:x="{books.MAIN}"><x:sheetData><x:row r="1048576">'
        '<x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    path = books.replace_part(
        book(tmp_path, projects=PROJECTS), "xl/worksheets/sheet2.xml", sheet
    )
    with pytest.raises(Unreadable, match="Ctrl"):
        check_workbook(path)


def test_formatted_cells_without_content_do_not_count(tmp_path):
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row>'
    path = books.replace_part(
        book(tmp_path, projects=PROJECTS),
        "xl/worksheets/sheet2.xml",
        books.sheet_xml(rows + '<row r="1048576"/>'),
    )
    assert check_workbook(path)["projects"].errors == {}


def test_texts_that_look_like_formulas_stay_text(tmp_path):
    texts = ["=1+1", "+1", "-1", "@A1", "#REF!", "_x0041_", "a_x000D_b"]
    portfolio = tiny_portfolio()
    projects = portfolio.projects.iloc[[0] * len(texts)].reset_index(drop=True)
    projects["project"] = [f"P{i}" for i in range(len(texts))]
    portfolio = portfolio.replace(
        projects=projects.assign(name=texts), demand=portfolio.demand.iloc[:0]
    )
    path = write_portfolio(portfolio, tmp_path / "out.xlsx")
    assert read_quietly(path).projects["name"].to_list() == texts
    sheet = openpyxl.load_workbook(path)["projects"]
    assert {cell.data_type for cell in sheet["B"]} == {"s"}


def test_dates_before_1900_and_numbers_of_17_digits(tmp_path):
    portfolio = everything_portfolio()
    people = portfolio.people.assign(rate=[0.1 + 0.2, 1e-300])
    people["start"] = [dt.datetime(1900, 1, 15), dt.datetime(1900, 3, 1)]
    portfolio = portfolio.replace(people=people)
    again = read_quietly(write_portfolio(portfolio, tmp_path / "out.xlsx"))
    assert again.people["rate"].to_list() == [0.1 + 0.2, 1e-300]
    assert again.people["start"].to_list() == portfolio.people["start"].to_list()


SHARED = record(
    0x00FC,
    struct.pack("<II", 9, 3)
    + struct.pack("<HB", 7, 0)
    + b"project"
    + struct.pack("<HBHI", 4, 0x0D, 1, 6)
    + "项目".encode("utf-16-le"),
) + record(
    0x003C,  # goes on inside the characters, in one byte each, then runs and phonetics
    b"\x00ab" + b"\0" * 4 + b"\0" * 6 + struct.pack("<HB", 2, 0) + b"P1",
)


def label(row: int, column: int, index: int) -> bytes:
    return record(0x00FD, struct.pack("<HHHI", row, column, 0, index))


def packed(row: int, *numbers: int) -> bytes:
    """Return whole numbers in one record, from column 1 on."""
    cells = b"".join(struct.pack("<HI", 0, n << 2 | 2) for n in numbers)
    return record(
        0x00BD,
        struct.pack("<HH", row, 1) + cells + struct.pack("<H", len(numbers)),
    )


def test_shared_strings_and_packed_numbers_of_old_workbooks(tmp_path):
    """As Excel writes them; the reader and the measuring agree."""
    cells = {(0, 0): label(0, 0, 0), (0, 1): "duration", (0, 2): "value"}
    cells |= {(1, 0): label(1, 0, 2), (1, 1): packed(1, 2, 7)}
    cells |= {(2, 0): label(2, 0, 1), (2, 1): packed(2, 1, 8)}
    sheets = {"projects": cells}
    sheets["portfolio"] = {(0, 0): "start", (0, 1): "2027-01", (1, 0): "periods"}
    sheets["portfolio"] |= {(1, 1): 6.0, (2, 0): "freq", (2, 1): "M"}
    path = books.write_xls(tmp_path / "plan.xls", sheets, extra=SHARED)
    projects = read_quietly(path).projects
    assert projects["project"].to_list() == ["P1", "项目ab"]
    assert projects[["duration", "value"]].to_numpy().tolist() == [[2, 7], [1, 8]]
    data = path.read_bytes()
    # 7 + 2 + 4 characters, and 12 cells.
    check_old_workbook(data, max_cells=18, max_text=13)
    with pytest.raises(Unreadable, match="Ctrl"):
        check_old_workbook(data, max_cells=18, max_text=12)
    with pytest.raises(Unreadable, match="Ctrl"):
        check_old_workbook(data, max_cells=8, max_text=13)


@pytest.mark.parametrize("position", range(0, 2048, 37))
def test_damaged_old_workbooks_never_do_worse_than_an_error(tmp_path, position):
    cells = {"projects": {(0, 0): "project", (0, 1): "duration", (1, 0): 1.0}}
    path = books.write_xls(tmp_path / "plan.xls", cells, small=True, extra=SHARED)
    data = bytearray(path.read_bytes())
    data[position : position + 4] = b"\xfe\xff\x7f\x41"
    path.write_bytes(bytes(data))
    with contextlib.suppress(DataError):
        load_portfolio(path)


def test_a_protected_old_workbook(tmp_path):
    path = books.write_xls(
        tmp_path / "plan.xls", {"projects": {}}, extra=record(0x002F, b"\0" * 4)
    )
    with pytest.raises(DataError, match="password"):
        load_portfolio(path)


def test_two_parts_of_one_name_are_refused(tmp_path):
    path = book(tmp_path, projects=PROJECTS)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("XL/workbook.xml", "other")
    with pytest.raises(DataError, match="Two parts"):
        load_portfolio(path)


def test_unusual_packing_is_refused(tmp_path):
    path = book(tmp_path, projects=PROJECTS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as file:
        file.writestr("docProps/more.xml", "x" * 500)
    with pytest.raises(DataError, match="packed in an unusual way"):
        load_portfolio(path)


def test_a_sheet_that_is_asked_for_and_not_there(tmp_path):
    path = book(tmp_path, projects=PROJECTS, Tabelle1=[["project"]])
    with pytest.raises(DataError, match=r"did you mean 'Tabelle1'"):
        read_quietly(path, tables={"demand": "Tabelle2"})


def test_a_table_too_long_for_a_sheet(tmp_path, monkeypatch):
    monkeypatch.setattr(writing_workbook, "MAX_SHEET_ROWS", 2)
    with pytest.raises(ConfigError, match="Write the portfolio to a folder"):
        write_portfolio(tiny_portfolio(), tmp_path / "out.xlsx")


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    path = book(tmp_path, projects=PROJECTS)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(workbook, "check_workbook", refuse)
    with pytest.raises(DataError, match=r"unreadable_file.*Permission denied"):
        load_portfolio(path)


def test_what_is_measured_is_what_is_read(tmp_path):
    """The reader goes by the suffix, so suffix and content have to agree."""
    good = book(tmp_path, projects=PROJECTS).read_bytes()
    old = books.write_xls(tmp_path / "old.xls", {"projects": {}}).read_bytes()
    ods = books.write_ods(tmp_path / "open.ods", {"projects": ""}).read_bytes()
    for name, content in [
        ("a.ods", good),
        ("a.xls", good),
        ("b.xlsx", old),
        ("c.xlsx", ods),
        ("C.XLSX", ods),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="under another suffix"):
            load_portfolio(tmp_path / name)
    for part in ("content.xml", "xl/workbook.bin"):
        path = books.replace_part(book(tmp_path, projects=PROJECTS), part, "<a/>")
        with pytest.raises(DataError, match="corrupt_file"):
            load_portfolio(path)
