"""Starts of a plan, written into copies of the planning files that it is of."""

from __future__ import annotations

import re
import shutil

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.loaders import write_network, write_starts
from pmo_analytics.loaders.networks.through_mpxj import read_through_mpxj

TASKS = """ID,Task Name,Duration,Start,Finish,Predecessors,Resource Names
1,design,10 days,Mon 1/4/27 8:00 AM,Fri 1/15/27 5:00 PM,,Ann
2,build,20 days,Mon 1/18/27 8:00 AM,Fri 2/12/27 5:00 PM,1,Ann
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two projects of one person at one time."""
    (tmp_path / "made").mkdir()
    (tmp_path / "plans" / "north").mkdir(parents=True)
    for name, place in (("Alpha", "plans"), ("Beta", "plans/north")):
        sheet = tmp_path / "made" / f"{name}.csv"
        sheet.write_text(TASKS, encoding="utf-8")
        (network,) = pmo.read_networks(sheet)
        write_network(network, tmp_path / place / f"{name}.xml")
    return tmp_path / "plans"


def test_a_project_moves_by_whole_weeks(folder, tmp_path):
    starts = {"Alpha": pd.Period("2027-01", "M"), "Beta": pd.Period("2027-03", "M")}
    told = write_starts(starts, folder, tmp_path / "out")
    assert told["weeks"].tolist() == [0, 8]
    assert told["note"].tolist() == ["starts in this period already", ""]
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["Beta.xml"]
    (old,) = pmo.read_networks(folder / "north" / "Beta.xml")
    (new,) = pmo.read_networks(tmp_path / "out" / "Beta.xml")
    for column in ("start", "finish"):
        later = new.tasks[column] - old.tasks[column]
        assert set(later) == {pd.Timedelta(weeks=8)}
    assert new.links.equals(old.links)
    assert new.assignments["work_h"].tolist() == old.assignments["work_h"].tolist()
    portfolio = pmo.networks.roll_up(pmo.read_networks(tmp_path / "out"))
    assert str(portfolio.projects["start"].iloc[0]) == "2027-03"


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java here")
def test_another_reader_finds_the_new_dates(folder, tmp_path):
    pytest.importorskip("mpxj")
    write_starts({"Beta": pd.Period("2027-03", "M")}, folder, tmp_path / "out")
    (theirs,) = read_through_mpxj(tmp_path / "out" / "Beta.xml")
    starts = theirs.tasks["start"].dt.strftime("%Y-%m-%d %H:%M").tolist()
    assert starts == ["2027-03-01 08:00", "2027-03-15 08:00"]
    assert theirs.assignments["start"].tolist() == theirs.tasks["start"].tolist()


def test_what_is_not_written_is_said(folder, tmp_path):
    file = folder / "Alpha.xml"
    text = file.read_text(encoding="utf-8")
    begun = re.sub(
        r"(<UID>1</UID>.*?</Finish>)",
        r"\1<ActualStart>2027-01-04T08:00:00</ActualStart>",
        text,
        count=1,
        flags=re.DOTALL,
    )
    file.write_text(begun, encoding="utf-8")
    (folder / "Gamma.csv").write_text(TASKS, encoding="utf-8")
    later = dict.fromkeys(["Alpha", "Gamma"], pd.Period("2027-05", "M"))
    told = write_starts(later, folder, tmp_path / "out").set_index("project")
    assert (told["file"] == "").all()
    assert told.loc["Alpha", "note"] == "has begun, so it stays where it is"
    assert told.loc["Beta", "note"] == "not in the plan"
    assert "only written into Microsoft Project XML" in told.loc["Gamma", "note"]
    with pytest.raises(pmo.ConfigError, match="name another folder"):
        write_starts(later, folder, folder)


def test_optimize_writes_the_files_again(folder, tmp_path, capsys):
    words = ["optimize", str(folder), "--seconds", "5", "--work", "1"]
    assert main([*words, "--into", str(tmp_path / "out")]) == 0
    assert "Wrote 1 planning file to" in capsys.readouterr().err
    assert len(list((tmp_path / "out").iterdir())) == 1
    # Copies among the files would be read with them the next time.
    assert main([*words, "--into", str(folder / "new")]) == 2
    assert main(["optimize", str(tmp_path), "--into", str(tmp_path)]) == 2


def test_levelling_proposals_says_that_there_is_nothing_to_level(folder, capsys):
    assert main(["level", str(folder), "--seconds", "2"]) == 0
    assert "No project is approved or running" in capsys.readouterr().out.replace(
        "\n", " "
    )


def test_a_folder_is_the_program_of_its_files(folder):
    portfolio = pmo.networks.roll_up(pmo.read_networks(folder))
    programs = portfolio.projects.set_index("project")["program"].fillna("")
    assert programs.to_dict() == {"Alpha": "", "Beta": "north"}


def test_a_damaged_file_is_told_beside_the_others(folder, capsys):
    (folder / "broken.xer").write_text("ERMHDR\t", encoding="utf-8")
    (folder / "damaged.xml").write_text(
        '<Project xmlns="http://schemas.microsoft.com/project"><Tasks>',
        encoding="utf-8",
    )
    for words in (["check", str(folder)], ["check", str(folder), "--schedule"]):
        assert main(words) == 3
        said = " ".join(capsys.readouterr().out.split())
        assert "damaged.xml" in said
        assert "Alpha" in said
    assert main(["capacity", str(folder)]) == 3
