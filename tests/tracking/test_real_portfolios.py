"""Public lists of projects as an analyst would hand them to status, report and check.

Headings are those of the files; what is added is what the files do not say (a status
date, which projects run).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import DataError, PmoWarning
from pmo_analytics.loaders import load_portfolio, loaded_problems
from tests.support.real_data import GMPP, real

MELBOURNE = "portfolios/melbourne_water/Capital_Delivery_Project_deidentified.csv"
NYC = "portfolios/nyc_capital/projects.geojson"


def raw(path: Path, **options) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False, **options)


def folder(path: Path, start: str, freq: str = "M", more: str = "", **tables) -> Path:
    for name, table in tables.items():
        table.to_csv(path / f"{name}.csv", index=False)
    text = f'[horizon]\nstart = "{start}"\nperiods = 60\nfreq = "{freq}"\n{more}'
    (path / "portfolio.toml").write_text(text)
    return path


def said(path: Path) -> pd.DataFrame:
    return loaded_problems(load_portfolio(path))


def test_a_folder_without_a_table_names_the_files(tmp_path):
    (tmp_path / "Export March.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"'Export March.csv'.*projects\.csv"):
        load_portfolio(tmp_path)


def test_uk_major_projects_as_they_are(tmp_path):
    table = raw(real(GMPP), encoding="utf-8-sig")
    problems = said(folder(tmp_path, "2022-01", projects=table))
    errors = problems[problems["severity"] == "error"]
    # Dates that are exempt from publication, and the durations they leave unknown.
    assert set(errors["rule"]) == {"not_a_period", "missing_value"}
    assert errors["fix"].str.contains("leave the cell blank").any()
    assert errors["fix"].str.len().max() < 250
    other = problems[problems["rule"] == "column_of_another_table"].iloc[0]
    assert other["found"].startswith("IPA Delivery Confidence")
    assert ", SRO Delivery Confidence" in other["found"]
    assert "'progress'" in other["fix"]


def test_uk_major_projects_with_their_colours(tmp_path):
    table = raw(real(GMPP), encoding="utf-8-sig")
    ipa, sro, start, end = (table.columns[k] for k in (5, 6, 8, 9))
    dated = table[table[start].str[:1].str.isdigit() & table[end].str[:1].str.isdigit()]
    colour = dated[ipa].where(dated[ipa] != "", dated[sro])
    told = dated.drop(columns=sro).assign(**{ipa: colour, "Status date": "2022-03-31"})
    told = told[colour.str.len() < 8]
    cost = table.columns[15]
    money = dated[dated[cost].str.startswith("£")]
    path = folder(
        tmp_path,
        "2022-01",
        more='[files]\ndecimal = "."\n',
        projects=dated.assign(status="running"),
        progress=told,
        baselines=money.assign(baseline="approved"),
    )
    with pytest.warns(PmoWarning, match="scaled_units"):
        portfolio = pmo.read_portfolio(path)
    first = portfolio.baselines.set_index("project")["cost"]
    assert first["MOD_0135_2122-Q1"] == pytest.approx(278e6)
    found = pmo.status(portfolio)
    assert f"{found.as_of:%Y-%m-%d}" == "2022-03-31"
    counted = found.indicators["reported"].value_counts()
    assert counted.to_dict() == colour[told.index].str.lower().value_counts().to_dict()
    reasons = found.table["reason"]
    assert reasons.str.contains("only a colour is reported, red").sum() == 25


def test_two_columns_of_colours_are_an_error_that_says_what_to_do(tmp_path):
    table = raw(real(GMPP), encoding="utf-8-sig").head(3)
    # Of one project the two would say different things.
    table.iloc[1, [5, 6]] = ["Red", "Green"]
    problems = said(folder(tmp_path, "2022-01", projects=table, progress=table))
    twice = problems[problems["rule"] == "duplicate_column"].iloc[0]
    assert twice["table"] == "progress"
    assert "Keep one of them, put both into one" in twice["fix"]
    assert (problems["fix"] == "Add the column 'as_of' to the table 'progress'.").any()


def test_two_columns_of_colours_that_never_differ_are_one(tmp_path):
    table = raw(real(GMPP), encoding="utf-8-sig")
    start, end = table.columns[8], table.columns[9]
    dated = table[table[start].str[:1].str.isdigit() & table[end].str[:1].str.isdigit()]
    path = folder(
        tmp_path,
        "2022-01",
        projects=dated.assign(status="running"),
        progress=dated.assign(**{"Status date": "2022-03-31"}),
    )
    joined = said(path).set_index("rule").loc["joined_columns"]
    assert "(146 and 68 colours)" in joined["fix"]
    counted = pmo.status(load_portfolio(path)).indicators["reported"].value_counts()
    ours = dated[list(table.columns[5:7])].stack()
    ours = ours[ours.isin(["Red", "Amber", "Green"])].str.lower().value_counts()
    assert counted.to_dict() == ours.to_dict()


def test_melbourne_water(tmp_path):
    table = raw(real(MELBOURNE), encoding="utf-8-sig")
    problems = said(folder(tmp_path, "2016-01", projects=table))
    errors = problems[problems["severity"] == "error"]
    assert list(errors["rule"]) == ["missing_column"]
    assert "'start' and 'finish'" in errors["fix"].iloc[0]
    other = problems[problems["rule"] == "column_of_another_table"].iloc[0]
    assert other["found"] == "Stage1, Stage2, Stage3"
    assert "'milestones'" in other["fix"]
    # Its gates are read; they tell what is next, and nothing to be late against.
    known = table[(table["BCA"] != "") & (table["Stage3"] != "")]
    named = known.rename(columns={"BCA": "start", "Stage3": "finish"})
    path = folder(tmp_path, "2016-01", projects=named.assign(status="running"))
    gated = pmo.status(load_portfolio(path), as_of="2018-06-30")
    assert len(gated.milestones) == (named[["Stage1", "Stage2"]] != "").sum().sum()
    reached = pd.to_datetime(gated.portfolio.milestones["actual"]) <= gated.as_of
    assert (gated.milestones["state"] == "reached").sum() == reached.sum()
    assert set(gated.milestones["state"]) == {"reached", "soon", "ahead"}
    assert gated.table["rag"].isna().all()
    # As the error says: two of its dates are start and finish, its gates milestones.
    gates = known.melt("ID", ["Stage1", "Stage2", "Stage3"], "Milestone", "Forecast")
    gates = gates.rename(columns={"ID": "Project"}).assign(**{"As of": "2023-06-30"})
    path = folder(
        tmp_path,
        "2016-01",
        projects=named.assign(status="running"),
        milestones=gates,
    )
    with pytest.warns(PmoWarning):
        found = pmo.status(pmo.read_portfolio(path))
    assert len(found.table) == len(known)
    assert len(found.milestones) == (gates["Forecast"] != "").sum()
    assert found.portfolio.projects["program"].notna().all()


def test_new_york_capital_projects(tmp_path):
    with pytest.raises(DataError, match=r"projects\.csv"):
        load_portfolio(real(NYC))
    rows = pd.json_normalize(pd.read_json(real(NYC))["features"].tolist())
    rows.columns = rows.columns.str.removeprefix("properties.")
    rows = rows[rows["project_id"].notna()]
    problems = said(
        folder(tmp_path, "2021", "Y", projects=rows.assign(duration=5, start="2021"))
    )
    errors = problems[problems["severity"] == "error"]
    assert set(errors["rule"]) == {"duplicate_key"}
    rows = rows.drop_duplicates("project_id").head(800)
    years = {f"combined{year}": str(year) for year in range(2021, 2026)}
    spend = rows[["project_id", *years]].rename(columns=years)
    path = folder(
        tmp_path,
        "2021",
        "Y",
        projects=rows[["project_id", "project_description"]].assign(
            status="running", start="2021", duration=5
        ),
        spend=spend,
        baselines=rows[["project_id", "original_budget"]].assign(baseline="original"),
    )
    portfolio = load_portfolio(path)
    found = pmo.status(portfolio, as_of="2021-12-31")
    # A payment back: its project goes without spend, the rest is computed.
    assert list(found.left_out["found"]) == ["-597.0"]
    assert found.left_out["fix"].str.contains("does without the spend").all()
    assert len(found.table) == len(rows)
    bac = found.indicators["bac"].dropna()
    assert bac.sum() == pytest.approx(
        rows["original_budget"].clip(lower=0).sum(), rel=0.3
    )
    name = found.indicators["name"]
    assert name.iloc[0] == rows["project_description"].iloc[0]


def test_tasks_of_sip_are_hours_of_projects(tmp_path):
    tasks = raw(real("effort/SiP/Sip-task-info.csv"), encoding="cp1252")
    dates = raw(real("effort/SiP/est-act-dates.csv"))
    done = tasks.merge(dates[dates["CompletedOn"] != ""], on="TaskNumber")
    done = done.head(2000)
    codes = sorted(set(done["ProjectCode"]))
    path = folder(
        tmp_path,
        "2004-01",
        actuals=done,
        projects=pd.DataFrame(
            {"ProjectCode": codes, "duration": 12, "start": "2004-01"}
        ),
    )
    with pytest.warns(PmoWarning):
        portfolio = pmo.read_portfolio(path)
    # Each row is what one developer spent on a task, 02-Nov-04 a day of November.
    hours = pd.to_numeric(done["DeveloperHoursActual"]).sum()
    assert portfolio.actuals["hours"].sum() == pytest.approx(hours)
    days = pd.to_datetime(done["CompletedOn"], format="%d-%b-%y")
    assert list(portfolio.actuals["period"]) == list(days.dt.to_period("M"))
    assert set(portfolio.actuals["person"]) == set(done["DeveloperID"])


def test_sprints_of_a_community(tmp_path):
    rows = raw(real("sprints/apache_iteration_30.csv"))
    project = pd.DataFrame({"project": ["A"], "duration": [3], "start": ["2014-01"]})
    path = folder(tmp_path, "2014-01", projects=project, sprints=rows)
    portfolio = load_portfolio(path)
    assert not (portfolio.problems["severity"] == "error").any()
    assert len(portfolio.sprints) == len(rows)
    assert (
        portfolio.sprints["members"].sum() == pd.to_numeric(rows["no_teammember"]).sum()
    )


def test_a_jira_export_says_what_it_lacks(tmp_path):
    rows = raw(real("jira/small_export.csv"))
    problems = said(folder(tmp_path, "2025-01", projects=rows))
    errors = problems[problems["severity"] == "error"]
    # Issues of one project are no projects; the days of Jira are read.
    assert {"duplicate_key"} <= set(errors["rule"])
    assert "not_a_period" not in set(errors["rule"])
    assert "To Do" not in set(errors["found"])
    estimates = raw(real("jira/estimates_r1.csv"))
    project = pd.DataFrame({"project": ["A"], "duration": [3], "start": ["2014-01"]})
    problems = said(folder(tmp_path, "2014-01", projects=project, actuals=estimates))
    scaled = problems[problems["rule"] == "scaled_units"].iloc[0]
    assert (scaled["column"], scaled["found"]) == ("hours", "timespent")
    assert "seconds; they are read as hours" in scaled["fix"]
    seconds = pd.to_numeric(estimates["timespent"]).sum()
    hours = load_portfolio(tmp_path).actuals["hours"].sum()
    assert hours == pytest.approx(seconds / 3600)
    other = problems[problems["rule"] == "column_of_another_table"].iloc[0]
    assert other["found"] == "timeestimate"
    assert "seconds" in other["fix"]
