"""Folders of work in progress: gone with their process, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pmo_analytics.files.drafts import clear_drafts, draft_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from pmo_analytics.files.drafts import draft_folder
with draft_folder(Path(sys.argv[1]), "draft-") as folder:
    (folder / "file").write_text("half")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="kill is sent the POSIX way")


def test_a_draft_is_gone_when_its_block_is_left(tmp_path):
    with draft_folder(tmp_path, "draft-") as folder:
        (folder / "file").write_text("half")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


@posix
def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "draft-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "draft-file").write_text("mine")
    result = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    left = result.stdout.strip()
    assert os.listdir(left) == ["file"]
    with draft_folder(tmp_path, "draft-") as folder:
        assert not os.path.exists(left)
        clear_drafts(tmp_path, "draft-")
        assert folder.is_dir(), "of a process that lives"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["draft-file", "draft-link", "elsewhere"]


def test_where_there_is_nothing_to_clear(tmp_path):
    clear_drafts(tmp_path / "nowhere", "draft-")
