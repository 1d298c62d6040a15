"""Machine code of the search: whether it is there, and who is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pmo_analytics.optimization.heuristics.kernels import cache
from pmo_analytics.processes import writable_folder

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
    for function in (writable_folder, cache._say):
        function.cache_clear()
    yield tmp_path
    for function in (writable_folder, cache._say):
        function.cache_clear()


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
    assert not list(home.rglob("ready"))


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
