"""Headings, totals, blank rows and row numbers."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders import aliases, column_words
from pmo_analytics.loaders.findings import Place, RawTable
from pmo_analytics.loaders.understanding.headings import find_header, read_headings
from pmo_analytics.tables.contract import TABLES, table_spec
from tests.support.folders import HORIZON, make_folder, read_quietly, said

ALL = (*TABLES, "capacity")


def headings(table: str, *texts: str) -> tuple[list, list]:
    return read_headings(list(texts), Place(table, "x.csv"), 1)


@pytest.mark.parametrize("table", ALL)
def test_every_column_is_known_by_its_name(table):
    columns = list(table_spec(table).columns)
    found, problems = headings(table, *columns)
    assert problems == []
    assert [h.name for h in found] == columns
    assert all(h.known for h in found)


@pytest.mark.parametrize("table", ALL)
def test_an_alias_has_one_meaning(table):
    owner: dict[str, str] = {}
    for column, words in column_words.COLUMN_WORDS[table].items():
        for word in (column, *words.split("|")):
            folded = aliases.fold(word)
            assert owner.setdefault(folded, column) == column, word
    for column, words in column_words.WEAK_WORDS.get(table, {}).items():
        for word in words.split("|"):
            assert owner.get(aliases.fold(word), "name") in ("name", column), word


def test_a_table_name_has_one_meaning():
    owner: dict[str, str] = {}
    for table, words in aliases._TABLES.items():
        for word in (table, *words.split("|")):
            assert owner.setdefault(aliases.fold(word), table) == table, word
    assert set(ALL) < set(owner.values())
    assert not aliases.GUIDE_SHEETS & set(owner)


def test_a_choice_word_has_one_meaning():
    for (table, column), words in aliases._WORDS.items():
        owner: dict[str, str] = {}
        for word, others in words.items():
            for alias in (word, *others.split("|")):
                assert owner.setdefault(aliases.fold(alias), word) == word, alias
        if column != "measure":
            assert set(words) <= set(table_spec(table).columns[column].choices)


@pytest.mark.parametrize(
    ("table", "text", "name"),
    [
        ("projects", "Project ID", "project"),
        ("projects", "project-key", "project"),
        ("projects", "项目编号", "project"),
        ("projects", "專案編號", "project"),
        ("projects", "Planned Start", "start"),
        ("projects", "Start (planned)", "start"),
        ("projects", "計劃開始", "start"),
        ("projects", "Frühester Beginn", "earliest"),
        ("projects", "Durée", "duration"),
        ("projects", "工期\uff08月\uff09", "duration"),
        ("projects", "duration_months", "duration"),
        ("demand", "Rolle", "role"),
        ("demand", "岗位", "role"),
        ("demand", "Person-Days", "person_days"),
        ("demand", "人天", "person_days"),
        ("demand", "需求(人天)", "person_days"),
        ("demand", "Demand (hours)", "hours"),
        ("history", "Load (h)", "load_hours"),
        ("people", "FTE %", "fte"),
        ("people", "% FTE", "fte"),
        ("people", "周工时", "weekly_hours"),
        ("people", "员工姓名", "person"),
        ("dependencies", "Predecessor", "requires"),
        ("budget", "上限", "amount"),
    ],
)
def test_usual_words_are_known(table, text, name):
    found, problems = headings(table, text)
    assert problems == []
    assert [(h.name, h.known) for h in found] == [(name, True)]


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("value", 1.0),
        ("Value (EUR)", 1.0),
        ("Value [k€]", 1e3),
        ("Value (£m)", 1e6),
        ("Value (£bn) (with taxes)", 1e9),
        ("Value (whole life) (k€)", 1e3),
        ("价值(万元)", 1e4),
        ("Value (M€)", 1e6),
        ("價值(億元)", 1e8),
        ("value (%)", 0.01),
    ],
)
def test_units_in_a_heading_scale_the_numbers(text, factor):
    found, problems = headings("projects", text)
    assert problems == []
    assert (found[0].name, found[0].factor) == ("value", factor)


def test_scaling_is_said(tmp_path):
    folder = make_folder(
        tmp_path,
        {"项目": "项目,价值(万元),工期,成功概率(%)\nP1,12.5,2,80\n"},
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [125_000.0]
    assert portfolio.projects["probability"].to_list() == [0.8]
    assert "scaled_units" in said(portfolio)


def test_names_identify_projects_where_nothing_else_does(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": "Project name,duration\nCustomer system,2\n",
            "demand": "project name,role,offset,fte\nCustomer system,Dev,0,1\n",
            "capacity": "role,2027-01,2027-02,2027-03,2027-04,2027-05,2027-06\n"
            "Dev,1,1,1,1,1,1\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["project"].to_list() == ["Customer system"]
    assert portfolio.demand["project"].to_list() == ["Customer system"]
    assert "name_as_id" in said(portfolio)


@pytest.mark.parametrize("key", ["项目编号", "ID", "编号", "Project key"])
def test_a_key_beside_a_name_keeps_both(tmp_path, key):
    folder = make_folder(
        tmp_path, {"projects": f"{key},项目名称,工期\nP1,客户系统,2\n"}
    )
    projects = read_quietly(folder).projects
    assert projects[["project", "name"]].to_numpy().tolist() == [["P1", "客户系统"]]


@pytest.mark.parametrize(
    ("records", "header"),
    [
        ([["project", "value"]], 0),
        ([["Portfolio 2027"], [], ["project", "value"]], 2),
        ([["Projects", ""], ["", ""], ["project", "value"], ["P1", "3"]], 2),
        ([["as of", "today"], ["project", "value"]], 1),
        ([["nothing", "known"], ["a", "b"]], 0),
        ([["project"], ["P1"]], 0),
        ([[], []], None),
    ],
)
def test_the_header_is_found_below_titles(records, header):
    raw = RawTable(Place("projects", "x.csv"), records, list(range(1, 9)))
    assert find_header(raw) == header


def test_rows_are_numbered_as_in_the_file(tmp_path):
    text = (
        "Portfolio 2027,,\n"  # line 1
        "\n"
        "project,name,duration\n"
        'P1,"two\nlines",2\n'  # lines 4 and 5
        "\n"
        ",,\n"
        "P2,plain,1\n"  # line 8
        "Total,,3\n"
        "\n"
    )
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}))
    origin = portfolio.sources["projects"]
    assert origin["row"].to_list() == [4, 8]
    assert set(origin["source"]) == {"projects.csv"}
    assert portfolio.projects["name"].to_list() == ["two lines", "plain"]
    found = portfolio.problems.set_index("rule")
    assert found.at["title_rows_skipped", "row"] == 3
    assert found.at["totals_row_dropped", "row"] == 9
    assert found.at["blank_rows_dropped", "found"] == "2 rows"


@pytest.mark.parametrize(
    "word", ["Total", "SUM", "合计", "小計", "Gesamt", "Grand Total"]
)
def test_totals_are_dropped_and_said(tmp_path, word):
    folder = make_folder(
        tmp_path,
        {
            "projects": f"project,duration\nP1,2\n{word},2\n",
            "demand": "project,role,offset,fte\nP1,Dev,0,1\nP1,Dev,1,1\n"
            f"P1 {word},,,2\nP1,{word},,2\n{word},,,2\n",
            "capacity": "role,"
            + ",".join(f"2027-{m:02d}" for m in range(1, 7))
            + f",{word}\nDev,1,1,1,1,1,1,6\n{word},1,1,1,1,1,1,6\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["project"].to_list() == ["P1"]
    assert len(portfolio.demand) == 2
    assert list(portfolio.capacity.columns) == ["Dev"]
    found = portfolio.problems
    dropped = found[found["rule"] == "totals_row_dropped"]
    assert sorted(dropped[["source", "row"]].to_numpy().tolist()) == [
        ["capacity.csv", 3],
        ["demand.csv", 4],
        ["demand.csv", 5],
        ["demand.csv", 6],
        ["projects.csv", 3],
    ]
    assert "totals_column_dropped" in set(found["rule"])


def test_a_budget_may_be_called_total(tmp_path):
    tables = {
        "projects": "project,duration\nP1,2\n",
        "budget": "budget,amount\nTotal,7\n",
        "spend": "project,fund,category,offset,amount\nP1,f,c,0,4\n",
    }
    folder = make_folder(tmp_path, tables)
    portfolio = read_quietly(folder)
    assert portfolio.budget["amount"].to_list() == [7.0]
    assert "totals_row_dropped" not in set(portfolio.problems["rule"])


def test_a_total_in_a_choice_is_no_total(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "history": "period,role,kind,load_fte\n"
            "2026-11,Dev,合计,2\n2026-12,Dev,total,3\n"
        },
        toml="",
    )
    history = read_quietly(folder).history
    assert history["kind"].to_list() == ["total", "total"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("In Progress", "running"),
        ("进行中", "running"),
        ("已完成", "done"),
        ("已批准", "approved"),
        ("暫停", "paused"),
        ("Abgeschlossen", "done"),
        ("On-Hold", "paused"),
        ("Planned", "proposed"),
        ("canceled", "cancelled"),
    ],
)
def test_status_words_of_other_tools(tmp_path, word, status):
    folder = make_folder(
        tmp_path, {"projects": f"project,status,duration,start\nP1,{word},2,2027-01\n"}
    )
    assert read_quietly(folder).projects["status"].to_list() == [status]


def test_own_columns_are_kept_as_numbers_or_text(tmp_path):
    text = (
        "project,duration,Score X,WBS,Code,note\n"
        "P1,2,1.5,1.10,007,'=A1\n"
        "P2,2,-2,1.2,008,\n"
    )
    projects = read_quietly(make_folder(tmp_path, {"projects": text})).projects
    assert projects["Score X"].to_list() == [1.5, -2.0]
    assert projects["WBS"].to_list() == ["1.10", "1.2"]
    assert projects["Code"].to_list() == ["007", "008"]
    assert projects["note"].to_list()[0] == "=A1"
    assert list(projects.columns)[-4:] == ["Score X", "WBS", "Code", "note"]


def test_short_rows_are_filled_and_said(tmp_path):
    portfolio = read_quietly(
        make_folder(tmp_path, {"projects": "project,duration,theme\nP1,2\nP2,1,A\n"})
    )
    assert portfolio.projects["theme"].isna().to_list() == [True, False]
    assert "short_rows" in said(portfolio)


def test_control_characters_are_taken_out(tmp_path):
    portfolio = read_quietly(
        make_folder(tmp_path, {"projects": "project,duration\nP\x011,2\n"})
    )
    assert portfolio.projects["project"].to_list() == ["P1"]
    assert "control_characters" in said(portfolio)


@pytest.mark.parametrize(
    ("heading", "value"),
    [("Value in TEUR", 5000.0), ("Wert k€", 5000.0), ("Value EUR", 5.0)],
)
def test_units_behind_a_heading_without_brackets(tmp_path, heading, value):
    folder = make_folder(tmp_path, {"projects": f"project,{heading},duration\nA,5,1\n"})
    assert read_quietly(folder).projects["value"].to_list() == [value]


def test_a_plain_heading_goes_before_one_with_a_unit_behind(tmp_path):
    text = "project,value,Value EUR,duration\nA,1,5,1\n"
    folder = make_folder(tmp_path, {"projects": text})
    assert read_quietly(folder).projects["value"].to_list() == [1.0]


def test_currency_behind_a_heading_is_held_against_the_declared_one(tmp_path):
    folder = make_folder(
        tmp_path,
        {"projects": "project,Value in USD,duration\nA,5,1\n"},
        toml=HORIZON + '[value]\ncurrency = "EUR"\n',
    )
    with pytest.raises(DataError, match="mixed_currencies"):
        read_quietly(folder)
