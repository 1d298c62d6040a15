"""The decimal mark of a folder, and the currencies of its amounts."""

from __future__ import annotations

import struct

import pytest

from pmo_analytics.errors import DataError
from tests.support import books
from tests.support.books import record
from tests.support.folders import HORIZON, make_folder, read_quietly, said

PROJECTS = "project;value;duration\nA;250.000;2\nB;180.500;2\n"
SPEND = "project;offset;amount\nA;0;120.000\n"


def test_one_decimal_comma_decides_for_the_folder(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": PROJECTS,
            "spend": SPEND,
            "budget": "budget;amount\nIT;150.000,50\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [250_000, 180_500]
    assert portfolio.spend["amount"].to_list() == [120_000]
    found = portfolio.problems.query("rule == 'decimal_of_folder'")
    assert sorted(found["table"]) == ["projects", "spend"]
    assert found["fix"].str.contains("150.000,50").all()


def test_the_mirror_image(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": 'project,value,duration\nA,"1,500",2\n',
            "spend": "project,offset,amount\nA,0,120.5\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [1500]
    assert "decimal_of_folder" in said(portfolio)


@pytest.mark.parametrize(
    "files",
    [
        {"projects": PROJECTS},
        {"projects": PROJECTS.replace(";", "\t")},
        # Commas separate the fields, and days are written as in Germany.
        {"projects": "project,value,duration,start\nA,250.125,2,01.02.2027\n"},
        # An English file beside a German one proves nothing of it.
        {"projects": PROJECTS, "spend": "project,offset,amount\nA,0,120.5\n"},
        # Three decimals of money, whatever other files hold.
        {
            "projects": "project,value,duration\nA,150.000,2\n",
            "spend": "project,offset,amount\nA,0,120.5\n",
        },
        {
            "projects": "project\tvalue\tduration\tstart\nA\t250.125\t2\t01.02.2027\n",
            "spend": "project,offset,amount\nA,0,120.5\n",
        },
        # A folder that contradicts itself.
        {
            "projects": PROJECTS.replace(";", ","),
            "spend": "project,offset,amount\nA,0,120.5\n",
            "budget": "budget;amount\nIT;150.000,50\n",
        },
    ],
)
def test_a_point_that_may_mean_two_things_is_refused(tmp_path, files):
    with pytest.raises(DataError, match="ambiguous_number"):
        read_quietly(make_folder(tmp_path, files))


def test_plain_numbers_are_plain_in_every_file(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": "project;value;duration\nA;250000;2\nB;1250.125;2\n",
            "spend": "project,offset,amount\nA,0,120.125\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [250_000, 1250.125]
    assert portfolio.spend["amount"].to_list() == [120.125]
    assert not said(portfolio) & {"decimal_of_folder", "three_decimals"}


def test_a_declared_mark_ends_all_doubt(tmp_path):
    toml = HORIZON + "[files]\ndecimal = ','\n"
    folder = make_folder(tmp_path, {"projects": PROJECTS, "spend": SPEND}, toml=toml)
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [250_000, 180_500]
    assert not said(portfolio) & {"decimal_of_folder", "three_decimals"}


def money(amounts: list[str], currency: str = "", heading: str = "amount") -> dict:
    rows = "".join(f'A,{i},"{a}"\n' for i, a in enumerate(amounts))
    toml = HORIZON + (f"[value]\ncurrency = '{currency}'\n" if currency else "")
    return {
        "files": {
            "projects": "project,value,duration\nA,1000,6\n",
            "spend": f"project,offset,{heading}\n{rows}",
        },
        "toml": toml,
    }


@pytest.mark.parametrize(
    "content",
    [
        money(["€100", "$100"]),
        money(["100 EUR", "100 USD"]),
        money(["$100"], "EUR"),
        money(["C$100", "US$100"]),
        money(["¥100", "€1.2m"]),
        money(["100"], "EUR", "amount (USD)"),
        money(["100"], "EUR", "Amount (k$)"),
        money(["£5", "₹5"], "GBP million"),
    ],
)
def test_several_currencies_are_refused(tmp_path, content):
    with pytest.raises(DataError, match="mixed_currencies"):
        read_quietly(make_folder(tmp_path, **content))


@pytest.mark.parametrize(
    "content",
    [
        money(["€100", "100 EUR"], "Euro"),
        money(["$100", "US$100"], "USD"),
        money(["$100"], "CAD"),
        money(["£100"], "GBP million"),
        money(["￥100", "100元"], "CNY"),
        money(["100"], "kEUR", "amount (EUR)"),
        money(["€100"], "points"),
    ],
)
def test_one_currency_is_one_however_it_is_written(tmp_path, content):
    portfolio = read_quietly(make_folder(tmp_path, **content))
    assert set(portfolio.spend["amount"]) == {100}


def test_a_column_of_currencies_counts_too(tmp_path):
    files = {
        "projects": "project,value,duration\nA,1000,6\n",
        "spend": "project,offset,amount,currency\nA,0,1,EUR\nA,1,1,USD\n",
    }
    with pytest.raises(DataError, match="mixed_currencies"):
        read_quietly(make_folder(tmp_path, files))


def test_tables_are_held_together(tmp_path):
    files = {
        "projects": "project,value,duration\nA,€1000,6\n",
        "budget": "budget,amount\nall,$500\n",
    }
    with pytest.raises(DataError, match=r"mixed_currencies.*\$500"):
        read_quietly(make_folder(tmp_path, files))


@pytest.mark.parametrize(
    ("formats", "mixed"),
    [
        (('#,##0.00 "€"', "[$$-409]#,##0.00"), True),
        (("[$€-407] #,##0", '"€" #,##0'), False),
        (('"USD" #,##0', '"$"#,##0.00'), False),
        (("#,##0.00", '"€" #,##0'), False),
        (('[Red]-#,##0 "hours"', "[$-409]#,##0"), False),
    ],
)
def test_formats_of_a_workbook_name_currencies_too(tmp_path, formats, mixed):
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "portfolio"
    for row in (("start", "2027-01"), ("periods", 6), ("freq", "M")):
        sheet.append(row)
    projects = book.create_sheet("projects")
    spend = book.create_sheet("spend")
    for row in (("project", "value", "duration"), ("A", 5, 2)):
        projects.append(row)
    for row in (("project", "offset", "amount"), ("A", 0, 100), ("A", 1, 200)):
        spend.append(row)
    for row, code in enumerate(formats, 2):
        spend.cell(row, 3).number_format = code
    book.save(tmp_path / "a.xlsx")
    if mixed:
        with pytest.raises(DataError, match="mixed_currencies"):
            read_quietly(tmp_path / "a.xlsx")
    else:
        portfolio = read_quietly(tmp_path / "a.xlsx")
        assert portfolio.spend["amount"].to_list() == [100, 200]


FORMATS = [
    (("#,##0.00 [$€-407]", "[$$-409]#,##0.00"), True),
    (('"€" #,##0', "[$€-407] #,##0"), False),
    (("General", "#,##0.00"), False),
]
SHEETS = {
    "portfolio": [["start", "2027-01"], ["periods", 6], ["freq", "M"]],
    "projects": [["project", "value", "duration", "start"], ["A", 5, 2, "2027-01"]],
    "people": [["person", "role"], ["P", "Dev"]],
}


def _two_amounts(path, formats, *, wide=False):
    """Write an old workbook whose two amounts have formats of their own."""
    unicode = [struct.pack("<HB", len(f), 1) + f.encode("utf-16-le") for f in formats]
    extra = b"".join(
        record(0x041E, struct.pack("<H", 164 + i) + code)
        for i, code in enumerate(unicode)
    )
    extra += b"".join(record(0x00E0, struct.pack("<HH16x", 0, 164 + i)) for i in (0, 1))
    first, second = (
        struct.pack("<d", 100.0),
        struct.pack("<i", 200 << 2 | 2),  # RK: a whole number in 30 bits
    )
    head = (
        ["project", "2027-01", "2027-02"] if wide else ["project", "offset", "amount"]
    )
    rows = [head, ["A", 0], ["A", 1]]
    sheets = {
        name: {
            (i, j): float(cell) if isinstance(cell, int) else cell
            for i, row in enumerate(cells)
            for j, cell in enumerate(row)
        }
        for name, cells in (SHEETS | {"spend": rows[:2] if wide else rows}).items()
    }
    if wide:
        pair = struct.pack("<HIHI", 0, 100 << 2 | 2, 1, 200 << 2 | 2)
        body = struct.pack("<HH", 1, 1) + pair + struct.pack("<H", 2)
        sheets["spend"][1, 1] = record(0x00BD, body)
    else:
        sheets["spend"][1, 2] = record(0x0203, struct.pack("<HHH", 1, 2, 0) + first)
        sheets["spend"][2, 2] = record(0x027E, struct.pack("<HHH", 2, 2, 1) + second)
    return books.write_xls(path, sheets, extra=extra)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("formats", "mixed"), FORMATS)
def test_formats_of_an_old_workbook_name_currencies_too(tmp_path, formats, mixed, wide):
    path = _two_amounts(tmp_path / "a.xls", formats, wide=wide)
    if mixed:
        with pytest.raises(DataError, match=r"mixed_currencies.*€.*\$"):
            read_quietly(path)
    else:
        assert read_quietly(path).spend["amount"].to_list() == [100, 200]


@pytest.mark.parametrize(
    ("cells", "mixed"),
    [
        (('office:currency="EUR"', 'office:currency="USD"'), True),
        (('office:currency="EUR"', 'table:style-name="euro"'), False),
        (('table:style-name="euro"', 'office:currency="USD"'), True),
        (('table:style-name="euro"', ""), True),  # the column shows dollars
    ],
)
def test_an_ods_names_currencies_too(tmp_path, cells, mixed):
    def row(offset, amount, attributes):
        text = books.ods_row("A", float(offset), float(amount))
        head, _, tail = text.rpartition("office:value-type")
        return f"{head}{attributes} office:value-type{tail}"

    tables = {n: "".join(books.ods_row(*r) for r in _f(c)) for n, c in SHEETS.items()}
    columns = (
        '<table:table-column table:number-columns-repeated="2"/><table:table-column '
        'table:default-cell-style-name="dollar"/>'
    )
    tables["spend"] = columns + books.ods_row("project", "offset", "amount")
    tables["spend"] += row(0, 100, cells[0]) + row(1, 200, cells[1])
    path = books.write_ods(tmp_path / "a.ods", tables)
    styles = "".join(
        f'<number:currency-style style:name="f{name}"><number:currency-symbol>{sign}'
        f"</number:currency-symbol></number:currency-style>"
        f'<style:style style:name="{name}" style:data-style-name="f{name}"/>'
        for name, sign in (("euro", "€"), ("dollar", "$"))
    )
    spaces = 'xmlns:number="urn:n" xmlns:style="urn:s"'
    content = books.zipfile.ZipFile(path).read("content.xml").decode()
    content = content.replace(
        "<office:body>",
        f"<office:automatic-styles {spaces}>{styles}</office:automatic-styles>"
        "<office:body>",
    )
    books.replace_part(path, "content.xml", content)
    if mixed:
        with pytest.raises(DataError, match="mixed_currencies"):
            read_quietly(path)
    else:
        assert read_quietly(path).spend["amount"].to_list() == [100, 200]


def _f(rows):
    return [[float(c) if isinstance(c, int) else c for c in row] for row in rows]


def test_amounts_by_period_are_money_too(tmp_path):
    """`150.000` in a column a period is as ambiguous as in a column of amounts."""
    files = {
        "projects": "project,value,duration,start\nA,5,2,2027-01\n",
        "spend": "project,2027-01,2027-02\nA,150.000,120.000\n",
    }
    with pytest.raises(DataError, match="ambiguous_number"):
        read_quietly(make_folder(tmp_path, files))
