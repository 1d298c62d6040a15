"""A result folder is the old result or the new one, whenever the run ends."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pmo_analytics.cli import main
from pmo_analytics.reporting import folder
from pmo_analytics.reporting.folder import finish_result, write_result

ROOT = Path(__file__).resolve().parents[2]


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
    write(tmp_path, 3)
    assert whole(tmp_path) == 3


@pytest.mark.skipif(os.name != "posix", reason="kill is sent the POSIX way")
def test_killing_a_search_leaves_the_last_output_whole(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["optimize", "data/example", "--out", str(out), "--seconds"]
    assert main([str(ROOT / w) if "/" in w else w for w in words] + ["3"]) == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for stage in ("greedy", "LP relaxation"):
        process = subprocess.Popen(
            [sys.executable, "-m", "pmo_analytics", *words, "300", "--json"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            for line in process.stderr:
                if stage in line:
                    break
            process.kill()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
        assert {p.name: p.read_bytes() for p in out.iterdir()} == before, stage
    example = str(ROOT / "data" / "example")
    assert main(["verify", example, str(out / "schedule.csv")]) == 0
    capsys.readouterr()
