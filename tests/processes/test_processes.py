"""Processes of ours: what they may run, what stops them, and that none is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pmo_analytics.cli import main
from pmo_analytics.processes.lifetime import stopped_like_ctrl_c
from tests.support.places import ROOT

# Modules that some process of ours loads from somewhere else.
PLANTED = (
    "json numpy queue pandas pulp highspy scipy joblib random socket pickle tempfile"
)
TABLES = {
    "portfolio.toml": '[horizon]\nstart = "2027-01"\nperiods = 6\nfreq = "M"\n',
    "projects.csv": "project,value,duration,status,start\n"
    "A,5,2,approved,2027-01\nB,3,3,approved,2027-01\nC,2,2,proposed,\n",
    "demand.csv": "project,role,offset,fte\n"
    "A,Dev,0,1\nA,Dev,1,1\nB,Dev,0,1\nB,Dev,1,1\nB,Dev,2,1\nC,Dev,0,1\n",
    "capacity.csv": "period,role,fte\n"
    + "".join(f"2027-{m:02d},Dev,1\n" for m in range(1, 7)),
    "history.csv": "period,role,kind,capacity_fte,load_fte\n"
    + "".join(f"2026-{m:02d},Dev,total,1,{0.5 + m / 40}\n" for m in range(1, 13)),
    "scenarios.toml": "\n".join(
        f'[[scenario]]\nname = "{k}"\n[[scenario.change]]\ndo = "add_capacity"\n'
        f'role = "Dev"\nfte = {k}\n'
        for k in (1, 2)
    ),
    "batch.toml": 'portfolio = "."\n[optimize]\nseconds = 300\n'
    "[forecast]\ndraws = 100\n[report]\ncharts = false\n",
}
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Go to a folder of tables, and of modules that tell when they are run."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    told = tmp_path / "was_run"
    for name in PLANTED.split():
        code = f"open({str(told)!r}, 'a').write({name!r})\nraise SystemError\n"
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(folder)
    # As a search path that was put together from a blank one has it.
    monkeypatch.setenv("PYTHONPATH", os.pathsep + os.environ.get("PYTHONPATH", ""))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "optimize . --seconds 300 --no-charts",
        "level . --seconds 300 --no-charts",
        "compare . --scenarios scenarios.toml --seconds 300 --workers 2 --no-charts",
        "simulate . --draws 2000 --workers 2 --no-charts",
        "batch batch.toml --as-of 2026-12-31 --out ../runs",
    ],
    ids=lambda words: words.split()[0],
)
def test_code_beside_the_tables_is_never_run(planted, words, capsys):
    assert main([*words.split(), "--json"]) == 0, capsys.readouterr().err
    assert not (planted.parent / "was_run").exists()


def test_nor_by_python_m_where_the_package_lies_elsewhere(planted):
    result = subprocess.run(
        [sys.executable, "-m", "pmo_analytics", "check", "."],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not (planted.parent / "was_run").exists()


def family(parent: int) -> set[int]:
    """Return the processes that a process has started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:  # it has just ended
                continue
            parents[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    found = {parent}
    while more := {child for child, own in parents.items() if own in found} - found:
        found |= more
    return found - {parent}


def opened(processes: set[int]) -> list[int]:
    """Return handles that become ready when the processes end."""
    handles = []
    for process in processes:
        try:
            handles.append(os.pidfd_open(process))
        except ProcessLookupError:
            continue
    return handles


def left_after(handles: list[int], seconds: float) -> int:
    """Return how many processes are still there when they had so long to end."""
    waiting, deadline = set(handles), time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        left = max(deadline - time.monotonic(), 0)
        waiting -= set(select.select(list(waiting), [], [], left)[0])
    for handle in handles:
        os.close(handle)
    return len(waiting)


OPTIMIZE = [
    *(sys.executable, "-m", "pmo_analytics", "optimize", "data/example"),
    *("--seconds", "300", "--json", "--no-charts"),
]
# What it says first when processes of its own are at work.
SEARCHING = r"\d s  (?!greedy)"
# Two workers, each with a process of its own, that would go on for minutes.
COMPARE = """
from tests.support.tasks import waits
from pmo_analytics.processes.parallel import Work, run_tasks
run_tasks(waits, {"a": {"x": 1}, "b": {"x": 2}}, work=Work(workers=2))
"""


def started(words: list[str], sign: str) -> subprocess.Popen[str]:
    """Start a program and wait until it has said such a line on stderr."""
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(sign, line):
            return process
    raise AssertionError(f"it ended, code {process.wait()}")


@linux
def test_a_stop_that_goes_to_all_keeps_the_plan():
    """As a service is stopped: every process of it is told, and some of them twice."""
    process = started(OPTIMIZE, SEARCHING)
    for told in (process.pid, *family(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError):  # the first ended it
            os.kill(told, signal.SIGTERM)
    stdout, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    facts = json.loads(stdout)
    assert facts["certified"] is True
    assert facts["stopped"] is True


@linux
@pytest.mark.parametrize(
    ("words", "sign", "least"),
    [(OPTIMIZE, SEARCHING, 1), ([sys.executable, "-c", COMPARE], "waiting", 4)],
    ids=["solver", "workers"],
)
def test_nobody_outlives_a_killed_parent(words, sign, least):
    process = started(words, sign)
    handles = opened(family(process.pid))
    assert len(handles) >= least
    process.kill()
    process.communicate()
    assert left_after(handles, 300) == 0


def test_a_stop_is_heard_once_and_only_in_the_block():
    before = signal.getsignal(signal.SIGTERM)
    with stopped_like_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_hangup_that_nohup_ignores_stays_ignored():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_like_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)
