"""Folders of CSV files: found by name, read in any language, written whole."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError, DataError, PmoWarning
from pmo_analytics.loaders import (
    load_portfolio,
    loaded_problems,
    read_portfolio,
    write_portfolio,
)
from pmo_analytics.loaders.reading import folder
from tests.support.folders import HORIZON, assert_same, make_folder, read_quietly, said
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio

PROJECTS = "project,duration\nP1,2\n"
CHINESE = {
    "项目": "项目编号,项目名称,状态,价值\uff08万元\uff09,工期(月),计划开始,强制\n"
    "P1,客户关系管理系统升级,进行中,120,3,2026年12月,\n"
    "P2,数据中心搬迁,提议,80.5,2,,是\n"
    "P3,“新零售”平台,想法,60,2,,\n"
    "合计,,,260.5,,,\n",
    "需求": "项目编号,岗位,期间,人天\n"
    "P1,开发工程师,2026年12月,10\n"
    "P1,开发工程师,2027年1月,20\n"
    "P1,测试工程师,2027年2月,5\n",
    "产能": "月份,开发工程师,测试工程师\n"
    + "".join(f"2027年{m}月,6,2.5\n" for m in range(1, 7)),
    "依赖关系": "项目,前置项目,依赖类型,滞后\nP3,P2,完成-开始,1\n",
    "预算": "预算名称,预算金额(万元)\n全部,300\n",
    "支出": "项目,偏移,金额(元)\nP2,0,10000\nP3,0,20000\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_folder(tmp_path, encoding):
    folder = make_folder(
        tmp_path, CHINESE, toml=f'name = "组合"\n{HORIZON}', encoding=encoding
    )
    portfolio = read_quietly(folder)
    assert portfolio.name == "组合"
    assert portfolio.projects["project"].to_list() == ["P1", "P2", "P3"]
    assert portfolio.projects["name"].to_list() == [
        "客户关系管理系统升级",
        "数据中心搬迁",
        "“新零售”平台",
    ]
    assert portfolio.projects["status"].to_list() == ["running", "proposed", "idea"]
    assert portfolio.projects["value"].to_list() == [1_200_000, 805_000, 600_000]
    assert portfolio.projects["force"].fillna("").to_list() == ["", "in", ""]
    assert portfolio.demand["offset"].to_list() == [0, 1, 2]
    assert portfolio.demand["fte"].to_list() == pytest.approx(
        [80 / 173.925, 160 / 173.925, 40 / 173.925]
    )
    assert list(portfolio.capacity.columns) == ["开发工程师", "测试工程师"]
    assert portfolio.dependencies["kind"].to_list() == ["finish_start"]
    assert portfolio.budget["amount"].to_list() == [3_000_000]
    guesses = portfolio.problems[portfolio.problems["rule"] == "encoding_guessed"]
    assert len(guesses) == (len(CHINESE) if encoding == "gb18030" else 0)
    assert set(guesses["fix"].str.contains("gb18030")) <= {True}
    dropped = portfolio.problems.set_index("rule").loc["totals_row_dropped"]
    assert (dropped["source"], dropped["row"]) == ("项目.csv", 5)


def test_traditional_chinese_in_big5(tmp_path):
    folder = make_folder(
        tmp_path,
        {"專案": "專案編號,名稱,狀態,歷時\nP1,客戶關係管理系統升級,已核准,3\n"},
        encoding="big5",
    )
    projects = read_quietly(folder).projects
    assert projects.loc[0, ["name", "status", "duration"]].to_list() == [
        "客戶關係管理系統升級",
        "approved",
        3,
    ]


def test_one_warning_points_to_the_caller(tmp_path):
    folder = make_folder(tmp_path, CHINESE)
    with pytest.warns(
        PmoWarning, match=r"warnings while reading .*portfolio.problems"
    ) as w:
        read_portfolio(folder)
    assert [hit.filename for hit in w] == [__file__]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path, delimiter, newline):
    text = "project,name,duration\nP1,A,2\nP2,B,1\n"
    text = text.replace(",", delimiter).replace("\n", newline)
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}))
    assert portfolio.projects["name"].to_list() == ["A", "B"]
    assert portfolio.sources["projects"]["row"].to_list() == [2, 3]


def test_the_delimiter_is_the_one_that_names_columns(tmp_path):
    text = "Projects; as of today, draft, v2, final\nproject;duration\nP1;2\n"
    assert len(read_quietly(make_folder(tmp_path, {"projects": text})).projects) == 1


def test_excel_may_name_the_delimiter(tmp_path):
    portfolio = read_quietly(
        make_folder(tmp_path, {"projects": "sep=|\nproject|duration\nP1|2\n"})
    )
    assert portfolio.sources["projects"]["row"].to_list() == [3]


def test_a_declared_format_wins(tmp_path):
    toml = HORIZON + "[files]\ndelimiter = '~'\nencoding = 'cp1250'\ndecimal = ','\n"
    folder = make_folder(
        tmp_path,
        {"projects": "project~value~duration\nØ~1.250,5~2\n"},
        toml=toml,
        encoding="cp1252",
    )
    projects = read_quietly(folder).projects
    assert projects["project"].to_list() == ["Ř"]
    assert projects["value"].to_list() == [1250.5]


def test_decimal_commas_and_day_first_dates_are_said(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": "Projekt;Nutzwert;Dauer\nA;1.250,50 €;2\nB;3.000;1\n",
            "people": "Mitarbeiter;Rolle;Von;Bis;Anteil\n"
            "Ann;Dev;01.02.2027;31.12.2027;80%\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.projects["value"].to_list() == [1250.5, 3000.0]
    assert portfolio.people["start"].to_list() == [pd.Timestamp("2027-02-01")]
    assert portfolio.people["end"].to_list() == [pd.Timestamp("2027-12-31")]
    assert portfolio.people["fte"].to_list() == [0.8]
    found = portfolio.problems.set_index("rule")
    assert found.loc["decimal_comma", ["source", "row"]].to_list() == [
        "projects.csv",
        2,
    ]
    assert found.loc["day_first", ["source", "found"]].to_list() == [
        "people.csv",
        "31.12.2027",
    ]
    assert {"percent", "currency_sign"} <= said(portfolio)


def test_files_that_are_no_tables(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": PROJECTS,
            "old": PROJECTS,
            "risks": "a\n",
            "my notes": "a\n",
            "readme.txt": "a",
            ".hidden": "a",
            "~$projects.csv": "a",
        },
    )
    problems = read_quietly(folder).problems
    unknown = problems[problems["rule"] == "unknown_file"]
    assert sorted(unknown["source"]) == [
        "my notes.csv",
        "old.csv",
        "risks.csv",
    ]


def test_a_name_may_be_given_for_a_table(tmp_path):
    folder = make_folder(
        tmp_path, {"liste 3": "project,duration\nP9,2\n", "projects": PROJECTS}
    )
    portfolio = read_quietly(folder, tables={"projects": "liste 3.csv"})
    assert portfolio.projects["project"].to_list() == ["P9"]
    with pytest.raises(DataError, match=r"did you mean 'liste 3.csv'"):
        read_portfolio(folder, tables={"projects": "liste 4.csv"})
    with pytest.raises(ConfigError, match="There is no table 'project'"):
        read_portfolio(folder, tables={"project": "liste 3.csv"})


def test_the_toml_may_be_named_instead_of_its_folder(tmp_path):
    folder = make_folder(tmp_path / "plans", {"projects": PROJECTS})
    portfolio = read_quietly(folder / "portfolio.toml")
    assert portfolio.name == "plans"
    assert_same(portfolio, read_quietly(folder))


def test_a_toml_of_notepad(tmp_path):
    folder = make_folder(tmp_path, {"projects": PROJECTS}, toml="")
    text = f'name = "组合"\n{HORIZON}'
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        (folder / "portfolio.toml").write_bytes(text.encode(encoding))
        assert read_quietly(folder).name == "组合"


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("2027", "2027"),
        ('"2027年1月"', "2027-01"),
        ('"2027Q1"', "2027Q1"),
        ('"2027/W5"', "2027-02-01/2027-02-07"),
    ],
)
def test_the_form_of_the_start_tells_the_frequency(tmp_path, start, first):
    folder = make_folder(
        tmp_path,
        {"projects": PROJECTS},
        toml=f"[horizon]\nstart = {start}\nperiods = 6\n",
    )
    assert str(read_quietly(folder).horizon[0]) == first


def test_a_date_does_not_tell_the_frequency(tmp_path):
    folder = make_folder(
        tmp_path,
        {"projects": PROJECTS},
        toml="[horizon]\nstart = 2027-01-01\nperiods = 6\n",
    )
    with pytest.raises(DataError, match="weeks, months, quarters or years"):
        read_portfolio(folder)


@pytest.mark.parametrize("make", [tiny_portfolio, everything_portfolio])
def test_what_is_written_is_read(tmp_path, make):
    portfolio = make()
    target = tmp_path / "out"
    assert write_portfolio(portfolio, target) == target
    assert_same(portfolio, read_quietly(target))
    assert read_quietly(target).digest() == portfolio.digest()


def test_writing_again_leaves_nothing_stale_and_nothing_else_touched(tmp_path):
    target = tmp_path / "out"
    write_portfolio(everything_portfolio(), target)
    (target / "notes.txt").write_text("mine")
    (target / "extra.csv").write_text("mine")
    assert (target / "budget.csv").exists()
    write_portfolio(tiny_portfolio(), target)
    assert sorted(p.name for p in target.iterdir()) == [
        "capacity.csv",
        "demand.csv",
        "extra.csv",
        "notes.txt",
        "portfolio.toml",
        "projects.csv",
    ]
    assert_same(tiny_portfolio(), read_quietly(target))


def test_a_run_that_dies_leaves_the_old_files_whole(tmp_path, monkeypatch):
    target = tmp_path / "out"
    write_portfolio(everything_portfolio(), target)
    before = {p.name: p.read_bytes() for p in target.iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ConfigError, match="No space left"):
        write_portfolio(tiny_portfolio(), target)
    with pytest.raises(ConfigError, match="No space left"):
        write_portfolio(tiny_portfolio(), tmp_path / "out.xlsx")
    assert {p.name: p.read_bytes() for p in target.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_table_under_another_name_is_never_doubled(tmp_path):
    folder = make_folder(tmp_path, CHINESE)
    with pytest.raises(ConfigError, match=r"'产能.csv' .* would also be read"):
        write_portfolio(tiny_portfolio(), folder)
    assert not (folder / "projects.csv").exists()


def test_what_may_not_be_written(tmp_path):
    portfolio = tiny_portfolio()
    write_portfolio(portfolio, tmp_path / "out")
    with pytest.raises(ConfigError, match="not empty"):
        write_portfolio(portfolio, tmp_path / "out", overwrite=False)
    write_portfolio(portfolio, tmp_path / "out.xlsx")
    with pytest.raises(ConfigError, match="there already"):
        write_portfolio(portfolio, tmp_path / "out.xlsx", overwrite=False)
    for name in ("a.csv", "a.xls", "a.ods", "a.json"):
        with pytest.raises(ConfigError, match="cannot be written"):
            write_portfolio(portfolio, tmp_path / name)
    bad = portfolio.replace(projects=portfolio.projects.assign(note="a\x00b"))
    for name in ("b", "b.xlsx"):
        with pytest.raises(DataError, match="characters that files cannot keep"):
            write_portfolio(bad, tmp_path / name)


def test_formulas_do_not_leave_as_formulas(tmp_path):
    portfolio = tiny_portfolio()
    text = "=HYPERLINK(1)"
    projects = portfolio.projects.assign(
        name=text, value=[-1.0, 2.0, 3.0], **{"@own": text}
    )
    portfolio = portfolio.replace(projects=projects)
    write_portfolio(portfolio, tmp_path / "out")
    lines = (tmp_path / "out" / "projects.csv").read_text("utf-8").splitlines()
    assert lines[0].endswith(",'@own")
    assert lines[1] == f"A,'{text},proposed,-1,2,Red,'{text}"
    assert_same(portfolio, read_quietly(tmp_path / "out"))


def test_only_text_beyond_ascii_carries_a_mark(tmp_path):
    portfolio = tiny_portfolio()
    portfolio = portfolio.replace(projects=portfolio.projects.assign(name="项目"))
    write_portfolio(portfolio, tmp_path / "out")
    assert (tmp_path / "out" / "projects.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (tmp_path / "out" / "demand.csv").read_bytes().startswith(b"project")
    assert_same(portfolio, read_quietly(tmp_path / "out"))


def test_reading_and_checking_are_one_table_without_repeats(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "projects": "project,status,duration,start\n"
            "P1,running,2,2027-01\nP2,idea,1,\n",
            "demand": "project,role,period,fte\nP1,Dev,2026-12,1\nP2,Dev,2027-01,x\n",
            "capacity": "period,role,fte\n"
            + "".join(f"2027-{m:02d},Dev,1\n" for m in range(1, 7)),
        },
    )
    problems = loaded_problems(load_portfolio(folder))
    errors = problems[problems["severity"] == "error"]
    assert errors[["rule", "row", "column"]].to_numpy().tolist() == [
        ["demand_before_start", 2, "period"],
        ["project_without_start", 3, "period"],
        ["not_a_number", 3, "fte"],
    ]


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    make_folder(tmp_path, {"projects": PROJECTS})

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(folder, "_bytes", refuse)
    with pytest.raises(DataError, match=r"portfolio.toml .*Permission denied"):
        load_portfolio(tmp_path)
    (tmp_path / "portfolio.toml").unlink()
    with pytest.raises(DataError, match=r"projects.csv .*Permission denied"):
        load_portfolio(tmp_path)


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_FILE_BYTES", 30), ("MAX_FIELDS", 5)]
)
def test_every_limit_is_kept(tmp_path, monkeypatch, limit, value):
    make_folder(tmp_path, {"projects": PROJECTS * 3}, toml="")
    monkeypatch.setattr(folder, limit, value)
    with pytest.raises(DataError, match="file_too_large"):
        load_portfolio(tmp_path)


def test_a_folder_with_a_workbook_says_so(tmp_path):
    folder = make_folder(tmp_path, {"plan.xlsx": "x"})
    with pytest.raises(DataError, match=r"read 'plan.xlsx' itself"):
        load_portfolio(folder)
