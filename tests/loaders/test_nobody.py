"""Files without projects, or without anybody to do them; fiscal years."""

from __future__ import annotations

import pytest

from pmo_analytics.cli import main
from pmo_analytics.errors import has_errors
from pmo_analytics.loaders import load_portfolio, loaded_problems, planning_problems
from tests.support.folders import make_folder, read_quietly

TOML = '[horizon]\nstart = "{}"\nperiods = 4\nfreq = "{}"\n'
PEOPLE = "person,role\nP,Dev\n"
PROJECTS = "project,value,duration\nA,1,1\n"


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"people": PEOPLE}, "projects"),
        ({"people": PEOPLE, "projects": "project,value,duration\n"}, "projects"),
        ({"capacity": "period,role,fte\n2027-01,Dev,1\n"}, "projects"),
        ({"projects": PROJECTS}, "people"),
        ({"projects": PROJECTS, "people": PEOPLE}, None),
        ({"projects": PROJECTS, "spend": "project,offset,amount\nA,0,5\n"}, None),
        ({"people": PEOPLE, "history": "period,role,load_fte\n2026-12,Dev,1\n"}, None),
    ],
)
def test_projects_and_somebody_to_do_them(tmp_path, files, missing):
    make_folder(tmp_path, files, toml=TOML.format("2027-01", "M"))
    portfolio = load_portfolio(tmp_path)
    problems = planning_problems(portfolio)
    # It can be read all the same: people are capacity, too.
    assert not has_errors(loaded_problems(portfolio))
    errors = problems[problems["severity"] == "error"]
    expected = [] if missing is None else [("empty_table", missing)]
    assert list(zip(errors["rule"], errors["table"], strict=True)) == expected


@pytest.mark.parametrize(
    ("start", "freq", "days"),
    [
        ("2027Q1", "Q-MAR", "2027Q1 is 2026-04-01 to 2026-06-30 (Q-MAR)"),
        ("2027", "Y-SEP", "2027 is 2026-10-01 to 2027-09-30 (Y-SEP)"),
        ("2027Q1", "Q", ""),
        ("2027-01", "M", ""),
    ],
)
def test_the_days_of_the_first_fiscal_period_are_said(
    tmp_path, capsys, start, freq, days
):
    files = {"projects": PROJECTS, "people": PEOPLE}
    make_folder(tmp_path, files, toml=TOML.format(start, freq))
    portfolio = load_portfolio(tmp_path)
    assert portfolio.summary().get("first period", "") == days
    main(["check", str(tmp_path)])
    assert (f"The first period {days}." in capsys.readouterr().out) == bool(days)


def test_operations_that_take_nothing_off_are_said(tmp_path):
    files = {
        "projects": "project,value,duration\nA,1,1\n",
        "people": "person,role\nP,Dev\n",
        "operations": "role,start,fte,hours per week\nDev,,,20\nDev,,0.1,\n",
    }
    portfolio = read_quietly(make_folder(tmp_path, files))
    found = portfolio.problems.query("rule == 'no_operations'")
    assert found["row"].to_list() == [2]


def test_a_schedule_without_people_is_whole(tmp_path, capsys):
    """Its network can be judged; what needs people is said."""
    sheet = tmp_path / "plan.csv"
    sheet.write_text(
        "Task Name,Duration,Start,Finish,Predecessors\n"
        "Dig,5 days,2027-01-04,2027-01-08,\n",
        encoding="utf-8",
    )
    assert main(["check", str(sheet)]) == 0
    assert "no capacity, no load" in " ".join(capsys.readouterr().out.split())
    assert main(["check", str(sheet), "--schedule"]) == 0
