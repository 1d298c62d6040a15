"""What a workbook shows otherwise than it stores, in .xlsx, .ods and .xls."""

from __future__ import annotations

import datetime as dt
import struct

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pmo_analytics.errors import DataError, row_listing
from pmo_analytics.loaders import read_portfolio
from pmo_analytics.loaders.understanding.sheet_notes import hours_of
from tests.support import books
from tests.support.books import ods_row, record
from tests.support.folders import make_folder, read_quietly, said

SETTINGS = [["start", "2027-01"], ["periods", 12], ["freq", "M"]]
PROJECTS = [["project", "value", "duration"], ["A", 1, 2]]
PEOPLE = [["person", "role"], ["P", "Dev"]]
ONE = 40 * 52.1775 / 12  # hours of 1 FTE in a month


def book(tmp_path, edit=None, **sheets):
    sheets = {"projects": PROJECTS, "people": PEOPLE, **sheets}
    path = books.write_book(tmp_path / "plan.xlsx", {"portfolio": SETTINGS, **sheets})
    if edit is not None:
        opened = openpyxl.load_workbook(path)
        edit(opened)
        opened.save(path)
    return path


def ods(tmp_path, **tables):
    tables = {
        "portfolio": ods_row("start", "2027-01")
        + ods_row("periods", 12.0)
        + ods_row("freq", "M"),
        "projects": ods_row("project", "value", "duration") + ods_row("A", 1.0, 2.0),
        "people": ods_row("person", "role") + ods_row("P", "Dev"),
        **tables,
    }
    return books.write_ods(tmp_path / "plan.ods", tables)


def of_rule(portfolio, rule):
    return portfolio.problems[portfolio.problems["rule"] == rule]


# ---------------------------------------------------------------------------- 1904


def test_unformatted_dates_of_an_old_mac_workbook(tmp_path):
    """44985 days after 1904-01-01 are 2027-03-01; formatted cells say so already."""

    def edit(opened):
        opened.epoch = CALENDAR_MAC_1904
        opened["people"]["D2"].number_format = "yyyy-mm-dd"

    path = book(
        tmp_path,
        edit,
        projects=[["project", "value", "duration", "start"], ["A", 44985, 2, 44985]],
        people=[["person", "role", "start", "end"], ["P", "Dev", 44926, 45106]],
        capacity=[["role", 44926, 44957], ["QA", 1, 2]],
        portfolio=[["start", 44926], ["periods", 12], ["freq", "M"]],
    )
    portfolio = read_quietly(path)
    assert str(portfolio.horizon[0]) == "2027-01"
    assert portfolio.projects["start"].astype(str).to_list() == ["2027-03"]
    assert portfolio.projects["value"].to_list() == [44985]
    days = portfolio.people[["start", "end"]].to_numpy().astype("datetime64[D]")
    assert days.astype(str).tolist() == [["2027-01-01", "2027-06-30"]]
    assert portfolio.capacity["QA"].head(2).to_list() == [1, 2]


def test_day_numbers_count_from_the_day_an_ods_names(tmp_path):
    first = '<table:calculation-settings><table:null-date table:date-value="{}"/>'
    for day, number in (("1904-01-01", 44985.0), ("1899-12-30", 46447.0)):
        path = ods(
            tmp_path,
            projects=ods_row("project", "value", "duration", "start")
            + ods_row("A", 1.0, 2.0, number),
        )
        content = books.zipfile.ZipFile(path).read("content.xml").decode()
        head = first.format(day) + "</table:calculation-settings>"
        content = content.replace("<office:spreadsheet>", "<office:spreadsheet>" + head)
        books.replace_part(path, "content.xml", content)
        assert str(read_quietly(path).projects["start"][0]) == "2027-03"


def xls(tmp_path, extra=b"", **sheets):
    tables = {"portfolio": SETTINGS, "projects": PROJECTS, "people": PEOPLE, **sheets}
    cells = {
        name: {
            (i, j): float(cell) if isinstance(cell, int) else cell
            for i, row in enumerate(rows)
            for j, cell in enumerate(row)
        }
        for name, rows in tables.items()
    }
    return books.write_xls(tmp_path / "plan.xls", cells, extra=extra)


def test_unformatted_dates_of_an_old_binary_mac_workbook(tmp_path):
    path = xls(
        tmp_path,
        record(0x0022, b"\x01\x00"),
        projects=[["project", "value", "duration", "start"], ["A", 1, 2, 44985]],
    )
    assert str(read_quietly(path).projects["start"][0]) == "2027-03"


# ----------------------------------------------------------------------- durations


def test_durations_are_hours_in_columns_of_hours(tmp_path):
    def edit(opened):
        sheet = opened["demand"]
        for row, days, form in (
            (2, 120.5 / 24, "[h]:mm"),
            (3, 8 / 24, "[h]:mm"),
            (4, 8.25 / 24, "h:mm"),
            (5, 1.5, "h:mm"),
            (6, 61.5, "hh:mm:ss"),
        ):
            sheet.cell(row, 4, days).number_format = form
        sheet.cell(7, 4, "7:30")
        sheet.cell(8, 4, 12)

    rows = [["A", "Dev", i, 0] for i in range(7)]
    path = book(
        tmp_path,
        edit,
        projects=[["project", "value", "duration"], ["A", 1, 7]],
        demand=[["project", "role", "offset", "hours"], *rows],
    )
    hours = read_quietly(path).demand["fte"] * ONE
    assert hours.round(9).to_list() == [120.5, 8, 8.25, 36, 61.5 * 24, 7.5, 12]


def test_durations_in_a_wide_table_make_it_one_of_hours(tmp_path):
    def edit(opened):
        for cell, days in (("C2", 160 / 24), ("D2", 80.5 / 24)):
            opened["demand"][cell].value = days
            opened["demand"][cell].number_format = "[h]:mm"

    path = book(
        tmp_path,
        edit,
        demand=[["project", "role", "0", "1"], ["A", "Dev", 0, 0]],
    )
    portfolio = read_quietly(path)
    assert (portfolio.demand["fte"] * ONE).round(9).to_list() == [160, 80.5]
    assert {"durations_read", "converted_to_fte"} <= said(portfolio)


def test_a_duration_elsewhere_is_refused_in_words(tmp_path):
    def edit(opened):
        opened["demand"]["D2"].value = 0.25
        opened["demand"]["D2"].number_format = "h:mm"

    path = book(
        tmp_path, edit, demand=[["project", "role", "offset", "fte"], ["A", "Dev", 0]]
    )
    with pytest.raises(DataError, match=r"row 2, column fte.*6 hours.*a duration"):
        read_quietly(path)


def test_clock_texts_of_csv_files_are_hours(tmp_path):
    path = make_folder(
        tmp_path,
        {
            "projects": "project,value,duration\nA,1,2\n",
            "people": "person,role\nP,Dev\n",
            "demand": "project,role,offset,hours\nA,Dev,0,120:30\nA,Dev,1,8:00\n",
        },
    )
    assert (read_quietly(path).demand["fte"] * ONE).round(9).to_list() == [120.5, 8]


@pytest.mark.parametrize("cell", ["8", "8:75", "2027-01-01", 7.5, dt.date(2027, 1, 1)])
def test_what_is_no_duration(cell):
    assert hours_of(cell) is None


# ------------------------------------------------------------------- bare formulas


def test_a_formula_that_was_never_calculated_is_an_error_in_every_format(tmp_path):
    formula = '<table:table-cell table:formula="of:=1/2"/>'
    row = ods_row("P", "Dev").replace("</table:table-row>", formula)
    blank = struct.pack("<HHH", 1, 2, 0) + b"\x03\0\0\0\0\0\xff\xff" + b"\0" * 8
    for path in (
        book(tmp_path, people=[["person", "role", "fte"], ["P", "Dev", "=1/2"]]),
        ods(
            tmp_path,
            people=ods_row("person", "role", "fte") + row + "</table:table-row>",
        ),
        xls(
            tmp_path,
            people=[["person", "role", "fte"], ["P", "Dev", record(0x0006, blank)]],
        ),
    ):
        with pytest.raises(DataError, match=r"formula_without_value.*row 2.*never"):
            read_quietly(path)


def test_zeros_of_a_program_that_cannot_calculate(tmp_path):
    """Some writers save 0 for every formula and ask for calculation on opening."""
    path = book(tmp_path, people=[["person", "role", "fte"], ["P", "Dev", "=1/2"]])
    part = "xl/worksheets/sheet3.xml"
    content = books.zipfile.ZipFile(path).read(part).decode()
    saved = content.replace("<v></v>", "<v>0</v>").replace("<v />", "<v>0</v>")
    books.replace_part(path, part, saved)
    with pytest.raises(DataError, match="formula_without_value"):
        read_quietly(path)
    main = books.zipfile.ZipFile(path).read("xl/workbook.xml").decode()
    books.replace_part(path, "xl/workbook.xml", main.replace('fullCalcOnLoad="1"', ""))
    assert read_quietly(path).people["fte"].to_list() == [0]


def test_bare_formulas_and_errors_where_nobody_looks_are_notes(tmp_path):
    path = book(
        tmp_path,
        projects=[
            ["project", "name", "value", "duration", "note", "note", "more"],
            ["A", "=1", 1, 2, "#N/A", 1, "=2"],
            ["B", "b", 1, 2, "#REF!", 2, "x"],
        ],
    )
    portfolio = read_portfolio_dropping(path)
    assert portfolio.projects["project"].to_list() == ["A", "B"]
    assert {"error_cell", "formula_without_value", "repeated_heading"} <= said(
        portfolio
    )
    found = of_rule(portfolio, "error_cell").iloc[0]
    assert (found["severity"], found["row"], found["column"]) == ("warning", 2, "note")
    assert "rows 2-3" in found["fix"]


def read_portfolio_dropping(path):
    return read_quietly(path, bad_rows="drop")


def test_repeated_headings_of_periods_and_roles_are_errors(tmp_path):
    for head in (["role", "2027-01", "2027-01"], ["period", "Dev", "Dev"]):
        path = book(tmp_path, capacity=[head, ["2027-01", 1, 2]])
        with pytest.raises(DataError, match=r"duplicate_column.*both hold data"):
            read_quietly(path)


def test_settings_whose_formula_has_no_result(tmp_path):
    path = book(
        tmp_path,
        portfolio=[*SETTINGS, ["discount", "=0.01/12"], ["country", "#N/A"]],
    )
    with pytest.raises(DataError) as caught:
        read_quietly(path)
    rows = caught.value.problems.set_index("rule")["row"]
    assert rows["formula_without_value"] == 4
    assert rows["error_cell"] == 5


# -------------------------------------------------------------------------- hidden


def test_hidden_sheets_rows_and_columns_are_read_and_said(tmp_path):
    def edit(opened):
        opened["people"].sheet_state = "veryHidden"
        opened["projects"].row_dimensions[3].hidden = True
        opened["projects"].row_dimensions[4].hidden = True
        opened["projects"].column_dimensions["B"].hidden = True

    path = book(
        tmp_path, edit, projects=[*PROJECTS, ["B", 1, 2], ["C", 1, 2], ["D", 1, 2]]
    )
    portfolio = read_quietly(path)
    assert len(portfolio.projects) == 4
    sheet = of_rule(portfolio, "hidden_sheet").iloc[0]
    assert sheet["sheet"] == "people"
    assert "very hidden" in sheet["fix"]
    rows = of_rule(portfolio, "hidden_rows").iloc[0]
    assert (rows["row"], rows["found"]) == (3, "2 rows")
    assert "rows 3-4" in rows["fix"]
    assert "'value'" in of_rule(portfolio, "hidden_columns").iloc[0]["fix"]
    assert not said(read_quietly(book(tmp_path))) & {"hidden_rows", "hidden_sheet"}


def test_hidden_rows_and_columns_of_an_ods(tmp_path):
    hidden = ods_row("B", 1.0, 2.0, repeat=2).replace(
        "<table:table-row ", '<table:table-row table:visibility="filter" ', 1
    )
    column = '<table:table-column table:number-columns-repeated="1"/>'
    path = ods(
        tmp_path,
        projects=column
        + column.replace(
            "<table:table-column ", '<table:table-column table:visibility="collapse" '
        )
        + ods_row("project", "value", "duration")
        + ods_row("A", 1.0, 2.0)
        + hidden.replace("2", "1", 0),
    )
    content = books.zipfile.ZipFile(path).read("content.xml").decode()
    content = content.replace(
        '<table:table table:name="people">',
        '<table:table table:name="people" table:style-name="ta2">',
    ).replace(
        "<office:body>",
        '<office:automatic-styles><s:style xmlns:s="urn:s" s:name="ta2"><s:table-'
        'properties xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'table:display="false"/></s:style></office:automatic-styles><office:body>',
    )
    books.replace_part(path, "content.xml", content)
    with pytest.raises(DataError) as caught:  # B is there twice
        read_quietly(path)
    found = caught.value.problems
    assert {"hidden_rows", "hidden_columns", "hidden_sheet"} <= set(found["rule"])
    assert found.set_index("rule").loc["hidden_rows", "found"] == "2 rows"


def test_hidden_rows_columns_and_sheets_of_an_old_workbook(tmp_path):
    row = struct.pack("<HHHHHHI", 1, 0, 3, 0, 0, 0, 0x20)
    column = struct.pack("<HHHHHH", 1, 1, 0, 0, 1, 0)
    path = xls(tmp_path)
    data = path.read_bytes()
    mark = "people".encode("utf-16-le")
    at = data.index(mark)
    data = data[: at - 4] + b"\x01" + data[at - 3 :]
    path.write_bytes(data)
    assert "hidden_sheet" in said(read_quietly(path))
    path = xls(
        tmp_path,
        projects=[
            ["project", "value", "duration", record(0x0208, row)],
            ["A", 1, 2, record(0x007D, column)],
        ],
    )
    assert {"hidden_rows", "hidden_columns"} <= said(read_quietly(path))


# ----------------------------------------------------------------- repeated blanks


@pytest.mark.parametrize("columns", [0, 9])
def test_repeated_blank_rows_and_columns_of_an_ods_are_nothing(tmp_path, columns):
    blank = '<table:table-cell table:number-columns-repeated="16000"/>'
    empty = '<table:table-cell office:value-type="string"><text:p/></table:table-cell>'
    rows = (
        ods_row("project", "value", "duration", *(f"c{i}" for i in range(columns)))
        + ods_row("A", 1.0, 2.0).replace("</table:table-row>", blank + empty)
        + "</table:table-row><table:table-row-group>"
        + f'<table:table-row table:number-rows-repeated="1000000">{blank}{empty}'
        "</table:table-row></table:table-row-group>"
        + ods_row("B", "x", 2.0)
        + f'<table:table-row table:number-rows-repeated="48573">{empty}'
        "</table:table-row>"
    )
    with pytest.raises(DataError) as caught:
        read_quietly(ods(tmp_path, projects=rows))
    found = caught.value.problems.iloc[0]
    assert (found["row"], found["found"]) == (1_000_003, "x")
    portfolio = read_quietly(ods(tmp_path, projects=rows.replace(">x<", ">7<")))
    assert portfolio.projects["project"].to_list() == ["A", "B"]
    assert portfolio.sources["projects"]["row"].to_list() == [2, 1_000_003]


def test_rows_are_listed_as_runs():
    assert row_listing([7]) == "row 7"
    assert row_listing([9, 3, 4, 5]) == "rows 3-5, 9"
    assert row_listing(range(1, 40, 2)) == "rows 1, 3, 5, 7, 9 and 15 more"


def test_a_clean_workbook_has_no_notes(tmp_path):
    demand = [["project", "role", "offset", "fte"], ["A", "Dev", 0, 0.5]]
    assert read_portfolio(book(tmp_path, demand=demand)).problems.empty


@pytest.mark.parametrize(("parts", "days"), [("year day hours", 1), ("year day", 2)])
@pytest.mark.parametrize("suffix", ["ods", "xls"])
def test_an_end_at_midnight_in_other_workbooks(tmp_path, suffix, parts, days):
    """6 July 0:00 is the end of the 5th where the format shows a time of day."""
    clock = "hours" in parts
    if suffix == "ods":
        cell = '<table:table-cell table:style-name="d" office:value-type="date" '
        cells = "".join(
            f'{cell}office:date-value="2027-07-0{d}"/>'.replace(
                '"/>', 'T00:00:00"/>' if clock else '"/>'
            )
            for d in (5, 6)
        )
        row = books.ods_row("P").replace("</table:table-row>", cells)
        heads = books.ods_row("person", "start", "end")
        path = ods(tmp_path, absences=heads + row + "</table:table-row>")
        inside = "".join(f"<number:{part}/>" for part in parts.split())
        content = books.zipfile.ZipFile(path).read("content.xml").decode()
        content = content.replace(
            "<office:body>",
            '<office:automatic-styles xmlns:number="urn:n" xmlns:style="urn:s">'
            f'<number:date-style style:name="f">{inside}</number:date-style>'
            '<style:style style:name="d" style:data-style-name="f"/>'
            "</office:automatic-styles><office:body>",
        )
        books.replace_part(path, "content.xml", content)
    else:
        code = "yyyy-mm-dd hh:mm" if clock else "yyyy-mm-dd"
        text = struct.pack("<HB", len(code), 1) + code.encode("utf-16-le")
        extra = record(0x041E, struct.pack("<H", 164) + text)
        extra += b"".join(record(0x00E0, struct.pack("<HH16x", 0, f)) for f in (0, 164))
        dates = [
            record(0x0203, struct.pack("<HHHd", 1, column, 1, 46572.0 + column))
            for column in (1, 2)
        ]
        rows = [["person", "start", "end"], ["P", *dates]]
        path = xls(tmp_path, extra, absences=rows)
    absence = read_quietly(path).absences.iloc[0]
    assert (absence["end"] - absence["start"]).days + 1 == days
