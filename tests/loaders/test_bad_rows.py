"""`bad_rows="drop"`: what is left out is named, what cannot be known is refused."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError, PmoWarning
from pmo_analytics.loaders import read_portfolio

TOML = 'name = "x"\n[horizon]\nstart = "2027-01"\nperiods = 6\nfreq = "M"\n'


def folder(tmp_path, projects: str, **tables: str):
    files = {
        "portfolio.toml": TOML,
        "projects.csv": projects,
        "capacity.csv": "period,role,fte\n"
        + "".join(f"2027-{m:02d},Dev,2\n" for m in range(1, 7)),
        **{f"{name}.csv": text for name, text in tables.items()},
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def read(path):
    with pytest.warns(PmoWarning, match="row_left_out"):
        return read_portfolio(path, bad_rows="drop")


def test_bad_rows_go_with_what_depends_on_them_and_are_named(tmp_path):
    path = folder(
        tmp_path,
        "project,value,duration\nA,5,2\nB,secret,2\nC,3,0\nD,4,1\n",
        demand="project,role,offset,fte\nA,Dev,0,1\nB,Dev,0,1\nC,Dev,0,1\nD,Dev,0,1\n",
        dependencies="project,requires\nD,B\n",
    )
    portfolio = read(path)
    assert list(portfolio.projects["project"]) == ["A", "D"]
    assert list(portfolio.demand["project"]) == ["A", "D"]
    assert portfolio.dependencies.empty
    left_out = portfolio.problems[portfolio.problems["rule"] == "row_left_out"]
    assert set(zip(left_out["source"], left_out["row"], strict=True)) == {
        ("projects.csv", 3),
        ("projects.csv", 4),
        ("demand.csv", 3),
        ("demand.csv", 4),
        ("dependencies.csv", 2),
    }
    assert left_out["fix"].str.startswith("The row was left out").all()


def test_numbers_that_can_be_read_in_two_ways_are_still_an_error(tmp_path):
    """Leaving out the one row that is named would silently blank the column."""
    path = folder(tmp_path, 'project,value,duration\nA,"1,234",2\nB,"2,345",2\n')
    with pytest.raises(DataError, match="ambiguous_number"):
        read_portfolio(path, bad_rows="drop")


def test_a_role_that_nobody_has_is_still_an_error(tmp_path):
    path = folder(
        tmp_path,
        "project,value,duration\nA,5,2\n",
        demand="project,role,offset,fte\nA,Dve,0,1\n",
    )
    with pytest.raises(DataError, match="unknown_role"):
        read_portfolio(path, bad_rows="drop")


def test_durations_from_finish_dates(tmp_path):
    path = folder(
        tmp_path,
        "project,value,start,finish\nA,5,2027-02-10,2027-04-30\nB,1,2027-03,2027-02\n"
        "C,2,2027-01,soon\n",
        demand="project,role,offset,fte\nA,Dev,0,1\nB,Dev,0,1\nC,Dev,0,1\n",
    )
    with pytest.raises(DataError, match="finish_before_start") as error:
        read_portfolio(path)
    rules = error.value.problems.groupby("rule")["row"].apply(set)
    assert rules["finish_before_start"] == {3}
    assert 4 in rules["not_a_period"]
    portfolio = read(path)
    assert dict(
        zip(portfolio.projects["project"], portfolio.projects["duration"], strict=True)
    ) == {"A": 3}


PROJECTS = "project,value,duration\nAlpha,5,2\nBeta,2,2\nGamma,1,1\n"


@pytest.mark.parametrize(
    ("table", "head", "bad"),
    [
        ("demand", "project,role,offset,fte", "Alpha,Dev,1,tbd"),
        ("demand", "project,role,offset,fte", "Alpha,Dev,7,1"),
        ("demand", "project,role,offset,fte", "Alpha,,1,1"),
        ("demand", "project,role,offset,fte", "Alhpa,Dev,1,1"),
        ("demand", "project,role,offset,fte", "Alpha,Dev,0,2"),
        ("spend", "project,offset,amount", "Alpha,1,x"),
        ("spend", "project,offset,amount", "Alpha,-1,5"),
        ("benefits", "project,offset,amount", "Alpha,1,?"),
    ],
)
def test_a_project_that_loses_a_row_is_left_out_as_a_whole(tmp_path, table, head, bad):
    good = {
        "demand": "Alpha,Dev,0,1\nBeta,Dev,0,1",
        "spend": "Alpha,0,9\nBeta,0,9",
        "benefits": "Alpha,0,9\nBeta,0,9",
    }[table]
    projects = (
        PROJECTS.replace(",5,", ",,").replace(",2,2", ",,2").replace(",1,1", ",,1")
    )
    path = folder(
        tmp_path,
        projects if table == "benefits" else PROJECTS,
        **{table: f"{head}\n{good}\n{bad}\n"},
        dependencies="project,requires\nGamma,Alpha\n",
    )
    portfolio = read(path)
    assert list(portfolio.projects["project"]) == ["Beta", "Gamma"]
    assert list(portfolio.tables[table]["project"]) == ["Beta"]
    assert portfolio.dependencies.empty
    left_out = portfolio.problems[portfolio.problems["rule"] == "row_left_out"]
    (found,) = left_out[left_out["table"] == "projects"]["fix"]
    assert "'Alpha' was left out" in found
    assert f"{table} row 4" in found
    lost = portfolio.problems[portfolio.problems["table"] == "dependencies"]
    assert lost["fix"].str.contains("no longer waits").all()


def test_rows_of_projects_that_nobody_knows_touch_no_other_project(tmp_path):
    path = folder(
        tmp_path,
        PROJECTS,
        demand="project,role,offset,fte\nAlpha,Dev,0,1\nOld things,Dev,0,1\n",
    )
    assert len(read(path).projects) == 3


def test_what_was_converted_is_still_said_when_rows_go(tmp_path):
    path = folder(
        tmp_path,
        PROJECTS,
        demand="project,role,offset,hours\nAlpha,Dev,0,100\nBeta,Dev,0,x\n",
    )
    assert "converted_to_fte" in set(read(path).problems["rule"])


def test_a_row_that_may_be_a_projects_takes_it_along_or_is_said(tmp_path):
    path = folder(
        tmp_path,
        "project,value,duration\nA,5,2\nB,4,2\n",
        demand="project,role,offset,fte\nA,Dev,0,1\na,Dev,1,1\nB,Dev,0,1\n,Dev,1,1\n",
    )
    portfolio = read(path)
    assert list(portfolio.projects["project"]) == ["B"]
    nameless = portfolio.problems.query("table == 'demand' and row == 5")
    assert nameless["fix"].str.contains("lighter").all()
