"""Machine code of the kernels: where it is kept, who is told, what is removed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pmo_analytics.optimization.heuristics.kernels import cache

LONG_AGO = 1.0e9
SOUND = """
import pmo_analytics as pmo
from pmo_analytics.optimization.heuristics.kernels import arrays, cache, moves
from pmo_analytics.optimization.model.compiling import compile_options

options = compile_options(pmo.generate_portfolio(3, 2, 12, seed=0)).options
model = arrays.model_of(options)
print(moves.sound(model, arrays.empty_state(model)), cache.in_cache())
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache folder of a user who has told nobody of it yet."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    for function in (cache.writable_folder, cache._say):
        function.cache_clear()
    yield tmp_path
    for function in (cache.writable_folder, cache._say):
        function.cache_clear()


def kept(home, name, told, used=None):
    """Machine code as numba keeps it, and for whom."""
    folder = home / name
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "moves.sound-1.py312.nbi").touch()
    if told:
        (folder / cache.READY).write_text(told)
    if used is not None:
        for path in (folder, folder / cache.READY):
            if path.exists():
                os.utime(path, (used, used))
    return folder


def test_code_of_this_installation_before_and_what_nobody_used_is_removed(home):
    own = cache._installation()
    before = kept(home, "kernels-000000000001", own)
    unused = kept(home, "kernels-000000000002", "another", LONG_AGO)
    broken_off = kept(home, "kernels-000000000003", "", LONG_AGO)
    others = kept(home, "kernels-000000000004", "another")
    strange = kept(home, "kernels-of-mine", own, LONG_AGO)
    foreign = kept(home, "kernels-000000000005", own)
    (foreign / "part" / "letter.txt").write_text("Dear")
    linked = home / "kernels-000000000006"
    linked.symlink_to(strange)
    cache.note_ready()
    assert not any(folder.exists() for folder in (before, unused, broken_off))
    assert all(folder.exists() for folder in (others, strange, linked))
    assert len(list(strange.rglob("*.nbi"))) == 1
    assert [path.name for path in foreign.rglob("*.*")] == ["letter.txt"]
    assert cache.in_cache()


def test_a_cold_cache_is_told_once(home, caplog):
    assert not cache.in_cache()
    assert cache.say_if_cold()
    assert cache.say_if_cold()
    (told,) = [record.getMessage() for record in caplog.records]
    assert "Preparing the search for this machine (once" in told
    cache.note_ready()
    assert not cache.say_if_cold()


def test_without_a_folder_each_run_prepares(home, monkeypatch, caplog):
    (home / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(home / "file"))
    assert cache.say_if_cold()
    assert "in each run: its cache cannot be written" in caplog.text
    cache.note_ready()
    assert not cache.in_cache()


def test_plain_python_is_always_ready_and_keeps_nothing(home, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not cache.say_if_cold()
    cache.note_ready()
    assert not list(home.rglob(cache.READY))


@pytest.mark.parametrize(("plain", "ready"), [("0", "False"), ("1", "True")])
def test_kernels_work_where_nothing_can_be_written(tmp_path, plain, ready):
    (tmp_path / "file").touch()
    own = {"NUMBA_CACHE_DIR": str(tmp_path / "file"), "NUMBA_DISABLE_JIT": plain}
    done = subprocess.run(
        [sys.executable, "-c", SOUND],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", ready]
