"""Machine code of kernels: where it is kept and what is removed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pmo_analytics.processes import code_cache

LONG_AGO = 1.0e9
KERNELS = """
from pmo_analytics.processes import {decorator}

@{decorator}
def twice(number):
    return number + number
"""
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import calling
import doubling
print(calling.four_times(3), len(doubling.twice.overloads))
"""
CALLING = """
from doubling import twice
from pmo_analytics.processes import compiled

@compiled
def four_times(number):
    return twice(twice(number))
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache folder of a user."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    return folder


@pytest.fixture
def kernels(tmp_path):
    """A folder of kernels."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "doubling.py").write_text(KERNELS.format(decorator="inner"))
    (folder / "calling.py").write_text(CALLING)
    return folder


def kept(home, name, told, used=None):
    """Machine code as numba keeps it, and for whom."""
    folder = home / name
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "moves.sound-1.py312.nbi").touch()
    if told:
        (folder / "ready").write_text(told)
    if used is not None:
        for path in (folder, folder / "ready"):
            if path.exists():
                os.utime(path, (used, used))
    return folder


def test_code_of_this_installation_before_and_what_nobody_used_is_removed(
    home, kernels
):
    own = f"{kernels}\n{sys.version}"
    before = kept(home, "kernels-000000000001", own)
    unused = kept(home, "kernels-000000000002", "another", LONG_AGO)
    broken_off = kept(home, "kernels-000000000003", "", LONG_AGO)
    others = kept(home, "kernels-000000000004", "another")
    strange = kept(home, "kernels-of-mine", own, LONG_AGO)
    foreign = kept(home, "kernels-000000000005", own)
    (foreign / "part" / "letter.txt").write_text("Dear")
    linked = home / "kernels-000000000006"
    linked.symlink_to(strange)
    code_cache.note_code(kernels)
    assert not any(folder.exists() for folder in (before, unused, broken_off))
    assert all(folder.exists() for folder in (others, strange, linked))
    assert len(list(strange.rglob("*.nbi"))) == 1
    assert [path.name for path in foreign.rglob("*.*")] == ["letter.txt"]
    assert code_cache.code_kept(kernels)


def test_kernels_that_changed_are_looked_for_elsewhere(home, kernels):
    before = code_cache.code_folder(kernels)
    assert before.parent == home
    (kernels / "doubling.py").write_text(KERNELS.format(decorator="compiled"))
    assert code_cache.code_folder(kernels) != before


def test_each_folder_of_kernels_has_its_own_code(home, kernels):
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(kernels)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["12", "1"]
    (folder,) = home.iterdir()
    assert folder == code_cache.code_folder(kernels)
    names = {path.name.split("-")[0] for path in folder.rglob("*.nbi")}
    assert names == {"calling.four_times", "doubling.twice"}
