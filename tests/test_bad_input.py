"""Malformed input of every kind: each is refused, with file, row and a fix.

A command reads each of `CASES`: `case.make(folder)` spoils a good portfolio in an empty
folder and returns the path to read.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from pmo_analytics import loaders
from pmo_analytics.cli import main
from pmo_analytics.errors import DataError
from pmo_analytics.loaders import load_portfolio, read_portfolio
from tests.support import books

MONTHS = [f"2027-{m:02d}" for m in range(1, 13)]
GOOD = {
    "portfolio.toml": [
        'name = "small"',
        "[horizon]",
        'start = "2027-01"',
        "periods = 12",
        'freq = "M"',
        "[value]",
        "discount = 0.01",
        'source = ""',
        "[calendar]",
        "hours_per_week = 40",
    ],
    "projects.csv": [
        "project,status,value,duration,start,earliest,latest,deadline,force",
        "P1,running,100,3,2027-01,,,,",
        "P2,proposed,80,2,,,,,",
        "P3,idea,60,2,,,,,",
    ],
    "demand.csv": [
        "project,role,offset,fte",
        "P1,Dev,0,1",
        "P1,Dev,1,1",
        "P1,Dev,2,1",
        "P2,Dev,0,1",
        "P3,Test,0,0.5",
    ],
    "capacity.csv": [
        "period,role,fte",
        *(f"{month},{role},2" for role in ("Dev", "Test") for month in MONTHS),
    ],
    "people.csv": [
        "person,role,start,end,fte",
        "Ann,Ops,2027-01-01,,1",
        "Bob,Ops,2027-01-01,2027-12-31,0.5",
    ],
    "dependencies.csv": ["project,requires,kind,lag,lag_max", "P3,P2,finish_start,0,"],
    "groups.csv": [
        "group,project,rule,at_least,at_most",
        "G,P2,limit,0,2",
        "G,P3,limit,0,2",
    ],
    "spend.csv": ["project,fund,offset,amount", "P2,main,0,10", "P3,main,1,20"],
    "budget.csv": ["budget,fund,start,end,amount,at_least", "all,main,,,100,"],
}


@dataclass(frozen=True)
class Case:
    """One malformed input.

    Parameters
    ----------
    name
        What is wrong, in words.
    spoil
        Takes the folder of a good portfolio; returns the path to read, None = the
        folder.
    rule, source
        Rule and file that an error must name.
    row
        Row that it must name; None = none in particular.
    """

    name: str
    spoil: Callable[[Path], Path | None]
    rule: str
    source: str
    row: int | None = None

    def make(self, folder: Path) -> Path:
        """Write a good portfolio, spoil it, and return the path to read."""
        good_folder(folder)
        return self.spoil(folder) or folder


def good_folder(folder: Path) -> Path:
    """Write a portfolio without any problem."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in GOOD.items():
        write(folder, name, lines)
    return folder


def good_sheets() -> dict[str, list[list[object]]]:
    """Return the same portfolio as sheets."""
    sheets: dict[str, list[list[object]]] = {
        "portfolio": [["start", "2027-01"], ["periods", 12], ["freq", "M"]]
    }
    for name, lines in GOOD.items():
        if name.endswith(".csv"):
            sheets[name.removesuffix(".csv")] = [
                [_typed(cell) for cell in line.split(",")] for line in lines
            ]
    return sheets


def _typed(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text or None


def write(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def line(name: str, row: int, text: str) -> Callable[[Path], None]:
    """Return a spoiler that puts another line (from 1) into a file."""

    def spoil(folder: Path) -> None:
        lines = list(GOOD[name])
        lines[row - 1 : row] = [text]
        write(folder, name, lines)

    return spoil


def lines(name: str, *texts: str) -> Callable[[Path], None]:
    return lambda folder: write(folder, name, list(texts))


def more(name: str, *texts: str) -> Callable[[Path], None]:
    return lambda folder: write(folder, name, [*GOOD[name], *texts])


def raw(name: str, content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return spoil


def gone(*names: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return spoil


def toml(old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = "\n".join(GOOD["portfolio.toml"])
        assert old in text
        write(folder, "portfolio.toml", [text.replace(old, new)])

    return spoil


def declared(key: str, then: Callable[[Path], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        write(folder, "portfolio.toml", [*GOOD["portfolio.toml"], "[files]", key])
        then(folder)

    return spoil


def book(**sheets: list[list[object]] | None) -> Callable[[Path], Path]:
    """Return a spoiler that makes a workbook, with some sheets exchanged."""

    def spoil(folder: Path) -> Path:
        chosen = {**good_sheets(), **sheets}
        return books.write_book(
            folder / "plan.xlsx", {k: v for k, v in chosen.items() if v is not None}
        )

    return spoil


def part(content: str | bytes) -> Callable[[Path], Path]:
    """Return a spoiler that exchanges the XML of the sheet `projects`."""

    def spoil(folder: Path) -> Path:
        return books.replace_part(book()(folder), "xl/worksheets/sheet2.xml", content)

    return spoil


def other(name: str, content: bytes) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return spoil


def plain_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "plan.xlsx", "w") as file:
        file.writestr("readme.txt", "no workbook")
    return folder / "plan.xlsx"


def truncated(folder: Path) -> Path:
    path = book()(folder)
    path.write_bytes(path.read_bytes()[:-400])
    return path


def damaged(folder: Path) -> Path:
    path = book()(folder)
    data = bytearray(path.read_bytes())
    at = data.find(b"xl/worksheets/sheet2.xml") + 60
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(bytes(data))
    return path


def liar(folder: Path) -> Path:
    bomb = books.sheet_xml("").encode() + b" " * 400_000_000
    return books.lie_about_size(book()(folder), "xl/worksheets/sheet2.xml", 300, bomb)


def one_string_many_times(folder: Path) -> Path:
    path = book()(folder)
    strings = f'<sst xmlns="{books.MAIN}"><si><t>{"x" * 32_000}</t></si></sst>'
    books.replace_part(path, "xl/sharedStrings.xml", strings)
    cell = '<c r="A{0}" t="s"><v>0</v></c>'
    rows = "".join(f'<row r="{i}">{cell.format(i)}</row>' for i in range(1, 20_001))
    return books.replace_part(path, "xl/worksheets/sheet2.xml", books.sheet_xml(rows))


def encrypted(folder: Path) -> Path:
    path = folder / "plan.xlsx"
    path.write_bytes(books.compound({"EncryptedPackage": b"secret"}))
    return path


def xls_bomb(folder: Path) -> Path:
    far: dict[tuple[int, int], object] = {(0, 0): "project", (65_535, 65_535): 1.0}
    return books.write_xls(folder / "plan.xls", {"projects": far})


def ods_bomb(folder: Path) -> Path:
    rows = books.ods_row("project", "x", repeat=1_000_000).replace(
        "<table:table-cell ", '<table:table-cell table:number-columns-repeated="900" '
    )
    return books.write_ods(folder / "plan.ods", {"projects": rows})


FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576">'
PROJECTS = GOOD["projects.csv"][0]
EMPTY = {name: rows[:1] for name, rows in GOOD.items() if name.endswith(".csv")}


def all_empty(folder: Path) -> None:
    for name, rows in EMPTY.items():
        write(folder, name, rows)


# fmt: off
CASES = [
    # ------------------------------------------------------------------ no such thing
    Case("path that is not there", lambda f: f / "nowhere", "missing_file", "nowhere"),
    Case("folder without tables", gone(*EMPTY), "missing_file", "portfolio"),
    Case("no projects", gone("projects.csv"), "missing_file", "projects.csv"),
    Case("file and no folder", lambda f: f / "demand.csv", "unsupported_file",
         "demand.csv"),
    Case("nothing but headers", all_empty, "empty_table", ""),
    # ----------------------------------------------------------------------- settings
    Case("no portfolio.toml", gone("portfolio.toml"), "missing_horizon",
         "portfolio.toml"),
    Case("broken toml", toml('"2027-01"', "2027-01"), "unreadable_toml",
         "portfolio.toml"),
    Case("toml that is no text", raw("portfolio.toml", b"\0\1\2"), "binary_file",
         "portfolio.toml"),
    Case("misspelled setting", toml("periods =", "perids ="), "unknown_setting",
         "portfolio.toml"),
    Case("setting in the wrong section", toml("[value]", "[horizon.value]"),
         "unknown_setting", "portfolio.toml"),
    Case("number of periods in words", toml("= 12", '= "twelve"'), "bad_setting",
         "portfolio.toml"),
    Case("no periods", toml("= 12", "= 0"), "bad_horizon", "portfolio.toml"),
    Case("endless horizon", toml("= 12", "= 1000000"), "bad_horizon", "portfolio.toml"),
    Case("frequency nobody knows", toml('"M"', '"fortnight"'), "bad_horizon",
         "portfolio.toml"),
    Case("13th month", toml("2027-01", "2027-13"), "bad_horizon", "portfolio.toml"),
    Case("discount that is no number", toml("= 0.01", "= nan"), "bad_setting",
         "portfolio.toml"),
    Case("discount in words", toml("= 0.01", '= "low"'), "bad_setting",
         "portfolio.toml"),
    Case("unknown source of value", toml('source = ""', 'source = "profit"'),
         "bad_setting", "portfolio.toml"),
    Case("week without hours", toml("= 40", "= 0"), "bad_setting", "portfolio.toml"),
    Case("unknown encoding", declared("encoding = 'klingon'", lambda f: None),
         "bad_setting", "portfolio.toml"),
    # -------------------------------------------------------------------------- cells
    Case("text where a number belongs", line("demand.csv", 3, "P1,Dev,1,lots"),
         "not_a_number", "demand.csv", 3),
    Case("NaN", line("demand.csv", 4, "P1,Dev,2,NaN"), "not_a_number", "demand.csv", 4),
    Case("infinity", line("demand.csv", 5, "P2,Dev,0,inf"), "not_a_number",
         "demand.csv", 5),
    Case("overflow", line("projects.csv", 3, "P2,proposed,1e999,2,,,,,"),
         "not_a_number", "projects.csv", 3),
    Case("negative demand", line("demand.csv", 6, "P3,Test,0,-0.5"), "below_minimum",
         "demand.csv", 6),
    Case("half a period", line("projects.csv", 4, "P3,idea,60,2.5,,,,,"), "not_a_whole",
         "projects.csv", 4),
    Case("no duration", line("projects.csv", 4, "P3,idea,60,,,,,,"), "missing_value",
         "projects.csv", 4),
    Case("duration of 0", line("projects.csv", 4, "P3,idea,60,0,,,,,"), "below_minimum",
         "projects.csv", 4),
    Case("no project id", more("projects.csv", ",idea,60,2,,,,,"), "missing_value",
         "projects.csv", 5),
    Case("31 February", line("projects.csv", 2, "P1,running,100,3,2027-02-31,,,,"),
         "not_a_period", "projects.csv", 2),
    Case("31 February of a person", line("people.csv", 2, "Ann,Ops,2027-02-31,,1"),
         "not_a_start_day", "people.csv", 2),
    Case("week 60", line("projects.csv", 3, "P2,proposed,80,2,,2027-W60,,,"),
         "not_a_period", "projects.csv", 3),
    Case("year in a monthly portfolio",
         line("projects.csv", 3, "P2,proposed,80,2,,2027,,,"), "not_a_period",
         "projects.csv", 3),
    Case("unknown status", line("projects.csv", 3, "P2,zombie,80,2,,,,,"),
         "not_a_choice", "projects.csv", 3),
    Case("share above 1",
         lines("absences.csv", "person,start,end,share",
             "Ann,2027-01-04,2027-01-08,1.5"), "above_maximum", "absences.csv", 2),
    Case("endless text", more("projects.csv", "P" * 600 + ",idea,1,2,,,,,"),
         "not_a_text", "projects.csv", 5),
    # ------------------------------------------------------------- numbers and dates
    Case("comma and point mixed",
         lines("demand.csv", "project;role;offset;fte", "P1;Dev;0;0,5",
             "P1;Dev;1;0.5"), "mixed_decimals", "demand.csv", 2),
    Case("decimals or thousands",
         lines("projects.csv", "project;duration;value", "P1;3;1,250", "P2;2;3,000",
               "P3;2;"),
         "ambiguous_number", "projects.csv", 2),
    Case("March or April", line("people.csv", 2, "Ann,Ops,03/04/2027,,1"),
         "ambiguous_date", "people.csv", 2),
    Case("both orders of dates",
         lines("people.csv", "person,role,start", "Ann,Ops,31/12/2026",
             "Bob,Ops,12/31/2026"), "mixed_dates", "people.csv", 3),
    Case("two-digit year", line("people.csv", 2, "Ann,Ops,31.12.26,,1"),
         "not_a_start_day", "people.csv", 2),
    # --------------------------------------------------------------------------- keys
    Case("project twice", more("projects.csv", "P2,idea,1,1,,,,,"), "duplicate_key",
         "projects.csv", 5),
    Case("demand twice", more("demand.csv", "P1,Dev,0,2"), "duplicate_key",
         "demand.csv", 7),
    Case("capacity twice", more("capacity.csv", "2027-03,Dev,9"), "duplicate_key",
         "capacity.csv", 26),
    Case("unknown project", line("demand.csv", 5, "P9,Dev,0,1"), "unknown_project",
         "demand.csv", 5),
    Case("unknown role", line("demand.csv", 6, "P3,Tset,0,0.5"), "unknown_role",
         "demand.csv", 6),
    Case("unknown requirement", line("dependencies.csv", 2, "P3,P8,finish_start,0,"),
         "unknown_project", "dependencies.csv", 2),
    Case("booking of a stranger",
         lines("bookings.csv", "person,project,role,start,end,fte",
             "Eve,P1,Dev,2027-01-01,2027-01-31,1"), "unknown_person", "bookings.csv",
         2),
    # -------------------------------------------------------------------------- rules
    Case("cycle", more("dependencies.csv", "P2,P3,finish_start,0,"),
         "cyclic_dependency", "dependencies.csv"),
    Case("project that needs itself", line("dependencies.csv", 2, "P3,P3,selected,0,"),
         "depends_on_itself", "dependencies.csv", 2),
    Case("lag_max below lag", line("dependencies.csv", 2, "P3,P2,finish_start,3,1"),
         "lag_contradiction", "dependencies.csv", 2),
    Case("forced in, no start", line("projects.csv", 3, "P2,idea,80,20,,,,,in"),
         "impossible_force", "projects.csv", 3),
    Case("earliest after latest",
         line("projects.csv", 3, "P2,idea,80,2,,2027-06,2027-03,,"),
         "window_contradiction", "projects.csv", 3),
    Case("deadline too early", line("projects.csv", 3, "P2,idea,80,2,,,,2027-01,"),
         "window_too_short", "projects.csv", 3),
    Case("running since when", line("projects.csv", 2, "P1,running,100,3,,,,,"),
         "running_without_start", "projects.csv", 2),
    Case("demand after the end", line("demand.csv", 5, "P2,Dev,2,1"),
         "demand_beyond_duration", "demand.csv", 5),
    Case("month without capacity", line("capacity.csv", 7, "2028-07,Dev,2"),
         "capacity_missing", "capacity.csv"),
    Case("end before start", line("people.csv", 3, "Bob,Ops,2027-12-31,2027-01-01,1"),
         "end_before_start", "people.csv", 3),
    Case("budget that contradicts itself", line("budget.csv", 2, "all,main,,,100,200"),
         "budget_contradiction", "budget.csv", 2),
    Case("group with two limits", line("groups.csv", 3, "G,P3,limit,0,1"),
         "group_contradiction", "groups.csv"),
    Case("value and benefits", lines("benefits.csv", "project,offset,amount", "P2,1,5"),
         "unclear_value_source", ""),
    # ------------------------------------------------------------------------ columns
    Case("missing column", lines("demand.csv", "project,role,offset", "P1,Dev,0"),
         "missing_column", "demand.csv"),
    Case("misspelled column", line("projects.csv", 1, PROJECTS.replace("st,", "t,")),
         "misspelled_column", "projects.csv"),
    Case("column twice", line("projects.csv", 1, PROJECTS.replace("latest", "start")),
         "duplicate_column", "projects.csv", 1),
    Case("column under two names",
         line("projects.csv", 1, PROJECTS.replace("latest", "start date")),
         "duplicate_column", "projects.csv", 1),
    Case("column without a name",
         line("projects.csv", 1, PROJECTS.replace("value", "")), "unnamed_column",
         "projects.csv", 1),
    Case("unit nobody knows",
         line("projects.csv", 1, PROJECTS.replace("value", "value (bags)")),
         "unknown_unit", "projects.csv", 1),
    Case("duration in weeks",
         line("projects.csv", 1, PROJECTS.replace("duration", "duration (weeks)")),
         "unit_mismatch", "projects.csv"),
    Case("hours and FTE",
         lines("demand.csv", "project,role,offset,fte,hours", "P1,Dev,0,1,160"),
         "two_units", "demand.csv"),
    Case("demand before the start",
         lines("demand.csv", "project,role,period,fte", "P1,Dev,2027-01,1",
             "P1,Dev,2026-12,1"), "demand_before_start", "demand.csv", 3),
    Case("demand by period, no start",
         lines("demand.csv", "project,role,period,fte", "P1,Dev,2027-01,1",
             "P2,Dev,2027-01,1"), "project_without_start", "demand.csv", 3),
    Case("wide column in no period",
         lines("capacity.csv", ",".join(["role", *MONTHS, "2027-13"]),
               "Dev" + ",1" * 13, "Test" + ",1" * 13),
         "not_a_period", "capacity.csv"),
    # -------------------------------------------------------------------------- files
    Case("field too many", line("demand.csv", 3, "P1,Dev,1,1,5"), "too_many_fields",
         "demand.csv", 3),
    Case("broken quotes", line("demand.csv", 3, '"P1"x,Dev,1,1'), "broken_quotes",
         "demand.csv", 3),
    Case("quote never closed", line("demand.csv", 4, '"P1,Dev,2,1'), "broken_quotes",
         "demand.csv", 4),
    Case("field of 200,000 characters", more("demand.csv", "P1,Dev,2," + "1" * 200_000),
         "field_too_long", "demand.csv", 7),
    Case("7,000 columns", lines("demand.csv", "project,role" + ",x" * 7000),
         "too_many_columns", "demand.csv", 1),
    Case("empty file", raw("demand.csv", b""), "empty_file", "demand.csv"),
    Case("NUL bytes", raw("demand.csv", b"project,role\0,fte\n"), "binary_file",
         "demand.csv"),
    Case("workbook called csv", raw("demand.csv", b"PK\x03\x04" + b"\0" * 30),
         "binary_file", "demand.csv"),
    Case("wrong encoding declared",
         declared("encoding = 'ascii'", raw("demand.csv",
             b"project,role\nP1,D\xe9v\n")), "wrong_encoding", "demand.csv", 2),
    Case("no encoding fits",
         raw("demand.csv", b"project,role\nP1,\x01\x81\x8d\x90\xff\n"),
         "unknown_encoding", "demand.csv"),
    Case("half a UTF-16 file", raw("demand.csv", b"\xff\xfep\0r\0o"), "wrong_encoding",
         "demand.csv"),
    Case("misspelled file", lambda f: (f / "demand.csv").rename(f / "demnd.csv").parent,
         "misspelled_table", "demnd.csv"),
    Case("two files for a table", lines("需求.csv", "project,role,offset,fte"),
         "duplicate_table", "需求.csv"),
    # ---------------------------------------------------------------------- workbooks
    Case("text called xlsx", other("plan.xlsx", b"project,role\n"), "corrupt_file",
         "plan.xlsx"),
    Case("archive and no workbook", plain_zip, "corrupt_file", "plan.xlsx"),
    Case("half a workbook", truncated, "corrupt_file", "plan.xlsx"),
    Case("damaged sheet", damaged, "corrupt_file", "plan.xlsx"),
    Case("sheet that is no XML", part("<worksheet><sheetData>"), "corrupt_file",
         "plan.xlsx"),
    Case("password", encrypted, "encrypted_file", "plan.xlsx"),
    Case("zip bomb", part(books.sheet_xml("").encode() + b" " * 60_000_000),
         "workbook_too_large", "plan.xlsx"),
    Case("zip bomb that lies", liar, "workbook_too_large", "plan.xlsx"),
    Case("cell at the far end", part(books.sheet_xml(f"{FAR}<v>1</v></c></row>")),
         "workbook_too_large", "plan.xlsx"),
    Case("cell beyond the end",
         part(books.sheet_xml('<row r="1"><c r="ZZZ1"><v>1</v></c></row>')),
         "workbook_too_large", "plan.xlsx"),
    Case("one long text many times", one_string_many_times, "workbook_too_large",
         "plan.xlsx"),
    Case("entity bomb", part(books.sheet_xml("", '<!DOCTYPE x [<!ENTITY a "b">]>')),
         "forbidden_xml", "plan.xlsx"),
    Case("xls bomb", xls_bomb, "workbook_too_large", "plan.xls"),
    Case("ods bomb", ods_bomb, "workbook_too_large", "plan.ods"),
    Case("xls that is none", other("plan.xls", bytes.fromhex("D0CF11E0A1B11AE1") * 99),
         "corrupt_file", "plan.xls"),
    Case("two sheets for a table", book(需求=[["project"]]), "duplicate_table",
         "plan.xlsx"),
    Case("no sheet with settings", book(portfolio=None), "missing_horizon",
         "plan.xlsx"),
    Case("unknown setting on the sheet",
         book(portfolio=[["start", "2027-01"], ["periods", 12], ["freq", "M"],
             ["curency", "EUR"]]), "unknown_setting", "plan.xlsx", 4),
    Case("no sheet is a table",
         lambda f: books.write_book(f / "plan.xlsx", {"Tabelle1": [["a"]]}),
         "missing_file", "plan.xlsx"),
    Case("text for a number on a sheet",
         book(demand=[["project", "role", "offset", "fte"], ["P1", "Dev", 0, 1],
             ["P1", "Dev", 1, "lots"]]), "not_a_number", "plan.xlsx", 3),
    Case("error in a cell",
         book(demand=[["project", "role", "offset", "fte"], ["P1", "Dev", 0,
             "#REF!"]]), "error_cell", "plan.xlsx", 2),
]
# fmt: on


def test_the_good_portfolio_is_good(tmp_path):
    portfolio = read_portfolio(good_folder(tmp_path))
    assert portfolio.problems.empty
    same = read_portfolio(book()(tmp_path))
    assert same.problems.empty
    assert same.projects.equals(portfolio.projects)


def test_there_are_many_cases_with_names_of_their_own():
    assert len(CASES) >= 45
    assert len({case.name for case in CASES}) == len(CASES)


class Refused(NamedTuple):
    """What came of a case: of `read_portfolio`, and of the command that called it."""

    case: Case
    message: str
    problems: pd.DataFrame
    code: int
    printed: str
    out: Path


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def refused(request, tmp_path_factory):
    """Let a command read a bad portfolio, once; return all that comes of it."""
    place = tmp_path_factory.mktemp("bad")
    path = request.param.make(place / "portfolio")
    raised = []

    def reading(*words: Any, **options: Any) -> Any:
        try:
            return read_portfolio(*words, **options)
        except DataError as error:
            raised.append(error)
            raise

    out = place / "result"
    words = ["optimize", str(path), "--seconds", "300", "--out", str(out), "--json"]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "read_portfolio", reading)
        with redirect_stdout(said), redirect_stderr(io.StringIO()):
            code = main(words)
    (error,) = raised
    return Refused(
        request.param, str(error), error.problems, code, said.getvalue(), out
    )


def test_bad_input_is_exit_code_3(refused):
    assert refused.code == 3
    assert refused.printed.count("\n") == 1
    facts = json.loads(refused.printed)
    assert facts["status"] == "failed"
    assert len(facts["problems"]) == len(refused.problems)
    assert all(p["fix"] for p in facts["problems"] if p["severity"] == "error")
    assert not refused.out.exists()


def test_bad_input_is_refused(refused):
    case, problems = refused.case, refused.problems
    assert case.rule in refused.message
    errors = problems[problems["severity"] == "error"]
    hits = errors[(errors["rule"] == case.rule) & (errors["source"] == case.source)]
    if case.row is not None:
        hits = hits[hits["row"] == case.row]
    assert len(hits), errors[["rule", "source", "row", "found"]].to_string()
    assert (errors["fix"].str.len() > 10).all()
    assert errors["fix"].str.endswith((".", "?", '""')).all()


def test_one_mistake_is_one_error(refused):
    """What merely follows from a mistake is not reported beside it."""
    problems = refused.problems
    rules = problems.loc[problems["severity"] == "error", "rule"]
    assert len(rules) <= 2, problems[["severity", "rule", "source", "row", "found"]]


def test_every_mistake_is_listed_at_once(tmp_path):
    good_folder(tmp_path)
    line("demand.csv", 3, "P1,Dev,1,lots")(tmp_path)
    line("people.csv", 2, "Ann,Ops,2027-02-31,,1")(tmp_path)
    more("projects.csv", "P2,idea,1,1,,,,,")(tmp_path)
    with pytest.raises(DataError, match="3 errors") as caught:
        read_portfolio(tmp_path)
    assert set(caught.value.problems["source"]) == {
        "demand.csv",
        "people.csv",
        "projects.csv",
    }


def test_what_has_another_cause_is_still_listed(tmp_path):
    good_folder(tmp_path)
    (tmp_path / "people.csv").write_bytes(b"")
    line("demand.csv", 5, "P9,Dev,0,1")(tmp_path)
    with pytest.raises(DataError, match="2 errors") as caught:
        read_portfolio(tmp_path)
    assert set(caught.value.problems["rule"]) >= {"empty_file", "unknown_project"}


def test_loading_shows_bad_cells_instead_of_raising(tmp_path):
    good_folder(tmp_path)
    line("demand.csv", 3, "P1,Dev,1,lots")(tmp_path)
    portfolio = load_portfolio(tmp_path)
    assert portfolio.demand["fte"].isna().sum() == 1
    assert portfolio.check()["rule"].to_list() == ["not_a_number"]
