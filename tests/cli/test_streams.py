"""Results that nobody takes, files that are none, full disks: said, and no more."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from pmo_analytics.cli import main, streams
from pmo_analytics.cli.streams import guarded_streams
from tests.cli.test_cli import SMALL

pytestmark = pytest.mark.usefixtures("warm_module")


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


class Broken(io.StringIO):
    """A stream that cannot be written to from the second word on."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        if self.tell():
            raise OSError(self.number, os.strerror(self.number))
        return super().write(text)


@pytest.mark.parametrize(("number", "code"), [(28, 1), (32, 0), (None, 0)])
def test_the_work_goes_on_where_nobody_reads(
    small, tmp_path, monkeypatch, capsys, number, code
):
    """Full disk, closed pipe, no standard output at all: the plan is written."""
    monkeypatch.setattr(sys, "stdout", None if number is None else Broken(number))
    out = tmp_path / "out"
    words = ["optimize", str(small), "--seconds", "300", "--no-charts"]
    assert main([*words, "--out", str(out)]) == code
    assert (out / "schedule.csv").is_file()
    said = capsys.readouterr().err
    assert ("could not be written to standard output" in said) == (code == 1)
    assert "Traceback" not in said


def test_signs_that_the_terminal_does_not_know():
    former = sys.stdout
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    sys.stdout = plain
    try:
        with guarded_streams() as out:
            print("Ü", end="")
        assert plain.buffer.getvalue() == b"\\xdc"
        assert out.error is None
    finally:
        sys.stdout = former


def run_json(capsys, *words: object) -> tuple[int, dict[str, object]]:
    code = main([*map(str, words), "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    return code, json.loads(line)


def fill_disk(*_words: object, **_options: object) -> None:
    raise OSError(28, os.strerror(28))


def test_a_plan_that_cannot_be_written_is_printed(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streams.os, "rename", fill_disk)
    monkeypatch.setattr("pmo_analytics.reporting.folder.replace_folder", fill_disk)
    out = tmp_path / "out"
    code, facts = run_json(
        capsys, "optimize", small, "--seconds", 300, "--no-charts", "--out", out
    )
    assert code == 3
    assert str(out) in str(facts["error"])
    assert "No space left" in str(facts["error"])
    assert len(facts["schedule"]) == facts["projects_selected"] == 3
    assert list(tmp_path.iterdir()) == [small]


def test_a_solver_that_cannot_be_given_its_job_costs_no_plan(
    small, monkeypatch, capsys
):
    monkeypatch.setattr("numpy.savez", fill_disk)
    code = main(["optimize", str(small), "--seconds", "300", "--json"])
    said = capsys.readouterr()
    assert code == 0
    assert json.loads(said.out)["certified"] is True
    assert "Make room there" in said.err


BAD_TOML = {
    "nested": "a = " + "[" * 50_000,
    "a number": "a = " + "9" * 5_000,
    "large": "#" * (10 * 2**20 + 1),
    "a device": Path("/dev/zero"),
    "a pipe": "",
}


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes of POSIX")
@pytest.mark.parametrize("kind", BAD_TOML)
def test_toml_that_is_none(small, tmp_path, capsys, kind):
    """As settings of the tables, scenarios, their parent, uncertainty and batch."""
    bad = tmp_path / "bad.toml"
    held = BAD_TOML[kind]
    if isinstance(held, Path):
        bad.symlink_to(held)
    elif kind == "a pipe":
        os.mkfifo(bad)
    else:
        bad.write_text(held)
    child = tmp_path / "child.toml"
    child.write_text('parent = "bad.toml"\n')
    commands = [
        ["compare", small, "--scenarios", bad],
        ["compare", small, "--scenarios", child],
        ["simulate", small, "--uncertainty", bad],
        ["batch", bad, "--as-of", "2027-03-31", "--out", tmp_path / "runs"],
    ]
    for words in commands:
        code, facts = run_json(capsys, *words)
        assert (code, facts["status"]) == (3, "failed"), words
        assert facts["error"], words
    (small / "portfolio.toml").unlink()
    (small / "portfolio.toml").symlink_to(bad)
    code, facts = run_json(capsys, "check", small)
    assert code == 3


NESTED = "[" * 100_000
BAD_JSON = [
    *(NESTED, '{"a":' * 100_000, "[]", "", '{"files": 1}', "\xff"),
    *('{"record": "x"}', '{"record": {}}', '{"report": []}'),
    *('{"report": {"objective": "x"}}', '{"report": {"measure": 5}}'),
]


def beside_a_schedule(folder, name, text):
    schedule = folder / "schedule.csv"
    schedule.write_text("project,start\nA,2027-02\nC,2026-12\n")
    schedule.with_name(name).write_text(text, encoding="latin-1")
    return schedule


@pytest.mark.parametrize("name", ["manifest.json", "certificate.json"])
@pytest.mark.parametrize("text", BAD_JSON, ids=range(len(BAD_JSON)))
def test_files_beside_a_schedule_that_are_none(small, tmp_path, capsys, name, text):
    schedule = beside_a_schedule(tmp_path, name, text)
    code, facts = run_json(capsys, "verify", small, schedule)
    assert code in (3, 4) if name == "certificate.json" else code in (0, 3, 4)
    assert facts["status"] == ("failed" if code == 3 else "broken" if code else "ok")


def test_other_readers_of_a_manifest_that_is_none(small, tmp_path, capsys):
    schedule = beside_a_schedule(tmp_path, "manifest.json", NESTED)
    for words in (
        ["simulate", small, "--schedule", schedule, "--draws", 20],
        ["promote", schedule, "--to", tmp_path / "record", "--as-of", "2027-01-01"],
    ):
        code, facts = run_json(capsys, *words)
        assert (code, facts["status"]) == (3, "failed")
    assert not (tmp_path / "record").exists()


def test_the_folder_of_results_may_be_this_one(small, tmp_path, monkeypatch, capsys):
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    (tmp_path / "s.toml").write_text(
        '[[scenario]]\nname = "x"\n[[scenario.change]]\ndo = "drop"\nproject = "A"\n'
    )
    code, facts = run_json(
        capsys,
        *("compare", small, "--scenarios", tmp_path / "s.toml", "--workers", 1),
        *("--seconds", 300, "--no-charts", "--out", "."),
    )
    assert code == 0, facts
    assert (place / "comparison.csv").is_file()
    assert not (tmp_path / "here.unfinished").exists()
