"""`pmo status` on one screen and as JSON, with bad rows, and its exit codes."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from rich.cells import cell_len

from pmo_analytics import tracking
from pmo_analytics.cli import main
from pmo_analytics.loaders import read_portfolio
from pmo_analytics.reporting import status_report
from pmo_analytics.tracking import status
from tests.support.asked_once import asked_once
from tests.support.places import ROOT

EXAMPLE = ROOT / "data" / "example"


@pytest.fixture(scope="module", autouse=True)
def asked_on_screen_and_as_json():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking, "status", asked_once(tracking.status))
        yield


@pytest.fixture(scope="module")
def screen():
    """Return what one call prints, and its JSON line."""
    import contextlib
    import io

    texts = []
    for more in ([], ["--json"]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            words = ["status", str(EXAMPLE), "--since", "2026-11-30"]
            assert main([*words, *more]) == 0
        texts.append(out.getvalue())
    return texts[0], json.loads(texts[1])


def test_one_screen_says_what_is_wrong_and_why(screen):
    text, _ = screen
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 45
    assert "2 red, 2 amber, 1 green, 1 not known" in text
    assert "CPI 0.78 (red below 0.85)" in text
    assert "said green, 23 days old" in text
    assert "Since 2026-11-30" in text
    worst = [text.index(p) for p in ("CORE-MOT", "BROKER", "DORA", "LANDING", "COACH")]
    assert worst == sorted(worst)


def test_json_has_the_frame_and_what_changed(screen):
    _, facts = screen
    assert (facts["status"], facts["as_of"]) == ("ok", "2026-12-31")
    rows = {row["project"]: row for row in facts["projects"]}
    assert rows["CORE-MOT"]["rag"] == "red"
    assert rows["CORE-MOT"]["deadline"] == "2027-09-30"
    assert {"cpi", "spi", "spi_t", "eac", "p_late", "reason", "age_days"} <= set(
        rows["CORE-MOT"]
    )
    assert any(c["what"] == "reported" for c in facts["changes"])
    assert facts["summary"]["  red"] == 2
    assert {p["program"] for p in facts["programs"]} >= {"Growth", "all"}


@pytest.fixture
def mine(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(EXAMPLE, folder)
    return folder


def test_bad_rows_are_named_and_the_rest_is_worked_out(mine, tmp_path, capsys):
    file = mine / "progress.csv"
    table = pd.read_csv(file)
    at = table.index[(table["project"] == "DORA")][-1]
    table.loc[at, "percent_complete"] = 140
    table.to_csv(file, index=False)
    out = tmp_path / "out"
    assert main(["status", str(mine), "--out", str(out)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"Rows that could not be used: 1; progress row {at + 2}" in text
    assert "must be at most 100" in text
    written = pd.read_csv(out / "status.csv", index_col="project")
    assert written.loc["DORA", "age_days"] == 31
    assert written.loc["CORE-MOT", "rag"] == "red"
    assert len(pd.read_csv(out / "status_history.csv")) > 25
    assert main(["check", str(mine)]) == 3


def test_errors_elsewhere_stop_it_and_wrong_usage_is_said(mine, capsys):
    (mine / "projects.csv").write_text("project,value,duration\nA,1,0\n")
    assert main(["status", str(mine), "--json"]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert facts["status"] == "failed"
    assert facts["problems"]
    assert main(["status", str(EXAMPLE), "--as-of", "31.12.2026"]) == 2
    assert main(["status", str(EXAMPLE), "--rules", "nowhere.toml"]) == 3
    assert "cannot be read" in capsys.readouterr().err


def test_a_portfolio_with_nothing_in_progress_says_so(mine, capsys):
    text = (mine / "projects.csv").read_text(encoding="utf-8-sig")
    (mine / "projects.csv").write_text(text.replace(",running,", ",done,"))
    assert main(["status", str(mine)]) == 0
    said = capsys.readouterr().out
    assert "No project is in progress: " in said
    assert "14 done" in said


def test_each_date_says_which_it_is_and_wide_letters_keep_to_the_screen(mine, capsys):
    text = (mine / "projects.csv").read_text(encoding="utf-8-sig")
    wide = text.replace("Broker portal relaunch", "经纪人门户网站重新上线项目" * 3)
    (mine / "projects.csv").write_text(wide, encoding="utf-8")
    assert main(["status", str(mine), "--since", str(EXAMPLE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    # By the table projects, and by what the reports let expect.
    assert "planned end 2027-07-31, expected 2027-10-28 (p80 2028-02-07)" in said


@pytest.fixture
def newest(mine):
    """Leave the reports of the last month alone, for a quick status."""
    for name in ("progress", "milestones", "sprints"):
        file = mine / f"{name}.csv"
        table = pd.read_csv(file)
        day = "end" if name == "sprints" else "as_of"
        table[~(table[day] < "2026-12")].to_csv(file, index=False)
    return mine


def test_benefits_are_those_of_the_report(screen, newest, tmp_path, capsys):
    mine = newest
    _, facts = screen
    assert (facts["benefits"], facts["benefits_by_period"]) == (None, [])
    late = [f"IFRS17,{offset},20000" for offset in range(24, 40)]
    text = "\n".join(["project,offset,amount", *late])
    (mine / "benefits.csv").write_text(text)
    for came, said in (
        ("", "240.00k EUR promised by 2026-12-31; none is recorded that came in"),
        ("30000", "90.00k EUR came in of 240.00k promised by 2026-12-31 (38 %)"),
    ):
        file = mine / "actuals.csv"
        table = pd.read_csv(file)
        table["benefit"] = None
        if came:
            more = {"project": "IFRS17", "benefit": came}
            months = [more | {"period": f"2026-0{m}"} for m in (2, 3, 9)]
            table = pd.concat([table, pd.DataFrame(months)])
        table.to_csv(file, index=False)
        assert main(["status", str(mine)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert f"Benefits: {said}" in lines
        assert max(map(cell_len, lines)) <= 80
    words = ["status", str(mine), "--json", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    found = status(read_portfolio(mine))
    section = next(s for s in status_report(found)[0].sections if s.title == "Benefits")
    known = facts["benefits"]
    assert f"{known['actual']:,.0f} EUR came in" in section.takeaway
    assert f"of {known['planned']:,.0f} promised by" in section.takeaway
    shown = section.table.iloc[-1]
    assert shown["planned benefit"] == known["planned_in_all"] == 320_000
    assert shown["expected benefit"] == known["expected_in_all"]
    by_period = pd.DataFrame(facts["benefits_by_period"])
    assert by_period["planned"].sum() == known["planned_in_all"]
    assert by_period["actual"].sum() == known["actual"] == 90_000
    written = pd.read_csv(tmp_path / "out" / "benefits.csv")
    assert written["planned"].to_list() == by_period["planned"].to_list()


def test_ways_back_do_without_rows_of_status_that_are_wrong(tmp_path, capsys):
    months = [f"2027-{month:02d}" for month in range(1, 13)]
    tables = {
        "projects": "project,status,value,duration,start,deadline\n"
        "A,running,9,4,2027-01,2027-03\n",
        "demand": "project,role,offset,fte\nA,Dev,0,1\n",
        "capacity": "period,role,fte\n" + "".join(f"{m},Dev,2\n" for m in months),
        "progress": "project,as_of,percent_complete\nA,2027-01-31,145\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    horizon = '[horizon]\nstart = "2027-01"\nperiods = 12\nfreq = "M"\n'
    (tmp_path / "portfolio.toml").write_text(horizon)
    asked = ["--project", "A", "--option", "accept", "--seconds", "20", "--json"]
    assert main(["recover", str(tmp_path), *asked]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["best"] == "accept"
    told = " ".join(said.err.split())
    assert "could not be used: 1; progress row 2, percent_complete" in told
