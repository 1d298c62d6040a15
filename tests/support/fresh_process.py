"""Code in a Python of its own, for what depends on what has been loaded so far."""

from __future__ import annotations

import subprocess
import sys

from tests.support.places import ROOT


def assert_runs(code: str) -> None:
    """Run code from the root of the project; it has to end well and say nothing."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
