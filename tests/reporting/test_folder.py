"""A result folder is the old result or the new one, whenever the run ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import ANY

import pandas as pd
import pytest

from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError
from pmo_analytics.examples.company import example_portfolio
from pmo_analytics.files.exchange import can_be_replaced
from pmo_analytics.loaders import write_portfolio
from pmo_analytics.reporting import folder
from pmo_analytics.reporting.folder import finish_result, write_result
from tests.support.places import ROOT


class Killed(BaseException):
    """The process ends here."""


def write(out: Path, number: int) -> None:
    write_result(
        out,
        tables={
            name: pd.DataFrame({"number": [number]}) for name in ("a.csv", "b.csv")
        },
        facts={"number": number},
        documents={"c.json": {"number": number}},
    )


def whole(out: Path) -> int:
    """Return the number of a result whose files all belong together."""
    facts = json.loads((out / "manifest.json").read_text("utf-8"))
    for name, digest in facts["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert [p.name for p in out.iterdir() if p.name.startswith(".")] == []
    return int(facts["number"])


@pytest.mark.parametrize("moment", range(8))
def test_a_run_that_dies_at_any_file_leaves_a_whole_result(
    tmp_path, monkeypatch, moment
):
    # As on systems that cannot replace a folder in one step.
    monkeypatch.setattr(folder, "can_be_replaced", lambda _folder: False)
    write(tmp_path, 1)
    left = [moment]

    def counted(real):
        def move(*args):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return real(*args)

        return move

    monkeypatch.setattr(folder.os, "replace", counted(os.replace))
    monkeypatch.setattr(folder.os, "rename", counted(os.rename))
    try:
        write(tmp_path, 2)
        died = False
    except Killed:
        died = True
    monkeypatch.undo()
    finish_result(tmp_path)
    assert whole(tmp_path) == (1 if moment == 0 else 2)
    assert died == (moment < 5)
    monkeypatch.setattr(folder, "can_be_replaced", lambda _folder: moment % 2 == 0)
    write(tmp_path, 3)
    assert whole(tmp_path) == 3


@pytest.mark.skipif(os.name != "posix", reason="kill is sent the POSIX way")
def test_killing_a_search_leaves_the_last_output_whole(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["optimize", "data/example", "--out", str(out), "--seconds", "300"]
    # The first plan is near enough.
    here = [str(ROOT / word) if word == "data/example" else word for word in words]
    assert main([*here, "--gap", "0.9", "--no-charts"]) == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    # Before the search, and in it, whatever is told first.
    for stage in (r"\d s  greedy", r"\d s  (?!greedy)"):
        process = subprocess.Popen(
            [sys.executable, "-m", "pmo_analytics", *words, "--json"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            for line in process.stderr:
                if re.search(stage, line):
                    break
            process.kill()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
        assert {p.name: p.read_bytes() for p in out.iterdir()} == before, stage
    example = str(ROOT / "data" / "example")
    assert main(["verify", example, str(out / "schedule.csv")]) == 0
    capsys.readouterr()


def tree(place: Path) -> dict[str, tuple[int, bytes | str]]:
    """Return every file, link and folder below a place, with what is in it."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(place.rglob("*")):
        held: bytes | str = ""
        if path.is_symlink():
            held = os.readlink(path)
        elif path.is_file():
            held = path.read_bytes()
        found[str(path.relative_to(place))] = (path.lstat().st_mode, held)
    return found


def plant(ready: Path, outside: Path, kind: str) -> None:
    """Put into a folder what is no result of ours, in one of many ways."""
    ready.mkdir()
    inside = {"a.csv": "planted"}
    if kind == "no manifest":
        (ready / "portfolio.toml").write_text("planted")
        return
    if kind == "a name outside":
        inside = {"../victim.txt": "planted"}
        (ready.parent / "victim.txt").write_text("mine")
    if kind == "through a linked folder":
        (ready.parent / "deep").symlink_to(outside)
        inside = {"deep/victim.txt": "planted"}
    if kind == "from a linked folder":
        (ready / "deep").symlink_to(outside)
        inside = {"deep/victim.txt": "mine"}
    for name, text in inside.items():
        path = ready / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_text(text)
    digests = {n: hashlib.sha256(t.encode()).hexdigest() for n, t in inside.items()}
    if kind == "a link":
        (ready / "a.csv").unlink()
        (ready / "a.csv").symlink_to(outside / "victim.txt")
        digests["a.csv"] = hashlib.sha256(b"mine").hexdigest()
    if kind == "another hash":
        digests["a.csv"] = "0" * 64
    text = json.dumps({"files": digests})
    text = {"nested": "[" * 100_000, "a list": "[]"}.get(kind, text)
    (ready / "manifest.json").write_text(text)
    (ready / "extra.csv").write_text("planted too")


KINDS = [
    *("no manifest", "a name outside", "through a linked folder"),
    *("from a linked folder", "a link", "another hash", "nested", "a list"),
]


@pytest.mark.skipif(os.name != "posix", reason="links are made the POSIX way")
@pytest.mark.parametrize("kind", KINDS)
def test_what_others_have_put_there_is_never_moved(tmp_path, kind):
    out, outside = tmp_path / "out", tmp_path / "outside"
    write(out, 1)
    outside.mkdir()
    (outside / "victim.txt").write_text("mine")
    plant(out / ".ready", outside, kind)
    before = {n: f for n, f in tree(out).items() if not n.startswith(".ready")}
    finish_result(out)
    assert tree(out) == before
    assert tree(outside) == {"victim.txt": (ANY, b"mine")}


@pytest.mark.skipif(os.name != "posix", reason="links are made the POSIX way")
def test_a_link_in_place_of_the_folder_of_files_on_their_way(tmp_path):
    out, outside = tmp_path / "out", tmp_path / "outside"
    write(out, 1)
    outside.mkdir()
    plant(outside / "x", outside, "fine")
    (out / ".ready").symlink_to(outside / "x")
    before = tree(outside)
    write(out, 2)
    assert whole(out) == 2
    assert tree(outside) == before


def test_commands_that_read_write_nothing(tmp_path, capsys):
    """Even where a result was on its way to its place; it is said."""
    data, out = tmp_path / "data", tmp_path / "out"
    write_portfolio(example_portfolio(), data)
    out.mkdir()
    (out / "schedule.csv").write_text("project,start\n")
    plant(out / ".ready", tmp_path, "fine")
    before = tree(tmp_path)
    for words in (["verify", data, out / "schedule.csv"], ["check", data]):
        main(list(map(str, words)))
    assert tree(tmp_path) == before
    assert "may be of two results" in capsys.readouterr().err


def test_whoever_reads_sees_one_result_or_the_other(tmp_path):
    """Never files of both, and never none, however often it is written."""
    if not can_be_replaced(tmp_path):
        pytest.skip("this system replaces no folders in one step")
    out = tmp_path / "out"
    write(out, 0)
    (out / "notes.txt").write_text("mine")
    mixed: list[str] = []
    seen: set[bytes] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                first = (out / "manifest.json").read_bytes()
                files = json.loads(first)["files"]
                found = {n: (out / n).read_bytes() for n in files}
                (out / "notes.txt").read_bytes()
            except OSError as error:
                mixed.append(str(error))
                continue
            if (out / "manifest.json").read_bytes() == first:
                seen.add(first)
                mixed.extend(
                    name
                    for name, digest in files.items()
                    if hashlib.sha256(found[name]).hexdigest() != digest
                )

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 30):
        write(out, number)
    over.set()
    reader.join()
    assert mixed == []
    assert len(seen) > 2
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_folder_somebody_works_in_stays_the_same_one(tmp_path, monkeypatch):
    write(tmp_path / "out", 1)
    monkeypatch.chdir(tmp_path / "out")
    before = os.stat(".").st_ino
    write(Path(), 2)
    assert os.stat(".").st_ino == before
    assert whole(Path()) == 2


def test_what_is_not_of_the_result_stays(tmp_path):
    out = tmp_path / "out"
    write(out, 1)
    (out / "history" / "old").mkdir(parents=True)
    (out / "history" / "old" / "schedule.csv").write_text("old")
    (out / "notes.txt").write_text("mine")
    write(out, 2)
    assert whole(out) == 2
    assert (out / "history" / "old" / "schedule.csv").read_text() == "old"
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["portfolio.toml", "projects.csv"])
def test_a_result_never_replaces_tables_of_a_portfolio(tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / "budget.csv").write_text("mine", encoding="utf-8")
    tables = {"budget.csv": pd.DataFrame({"spend": [1.0]})}
    with pytest.raises(ConfigError, match="holds the data of a portfolio"):
        write_result(tmp_path, tables=tables, facts={})
    assert (tmp_path / "budget.csv").read_text("utf-8") == "mine"


def test_a_command_does_not_write_among_its_data(tmp_path, capsys, monkeypatch):
    """`cd mydata; pmo optimize . --out .` took the place of the user's budget."""
    data = write_portfolio(example_portfolio(), tmp_path / "data")
    before = {file.name: file.read_bytes() for file in data.iterdir()}
    monkeypatch.chdir(data)
    for out in (".", str(data), "../data"):
        assert main(["capacity", ".", "--out", out]) == 3
        assert "Name another folder" in " ".join(capsys.readouterr().err.split())
    assert {file.name: file.read_bytes() for file in data.iterdir()} == before
