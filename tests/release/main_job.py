"""The main job with the `pmo` of some environment, from a folder of its own.

`make dist` runs it: `python tests/release/main_job.py ENVIRONMENT/bin`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def run_main_job(programs: Path, folder: Path) -> dict[str, object]:
    """Write the example, check, optimize and verify it, and return what was said.

    Parameters
    ----------
    programs
        Folder that holds `pmo`.
    folder
        Where to work: away from the sources.

    Raises
    ------
    RuntimeError
        If a command fails, with what it said.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    answer: dict[str, object] = {}
    for words in (
        "new mydata",
        "check mydata",
        "optimize mydata --seconds 5 --gap 0.5 --json --out plan",
        "verify mydata plan/schedule.csv",
    ):
        done = subprocess.run(
            [programs / "pmo", *words.split()],
            cwd=folder,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pmo {words}: {done.returncode}\n{done.stderr[-2000:]}")
        if "--json" in words:
            answer = json.loads(done.stdout)
    return answer


def main() -> None:
    """Run it and say which Python it was."""
    programs = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        answer = run_main_job(programs, Path(folder))
    version = subprocess.run(
        [programs / "python", "--version"], capture_output=True, text=True, check=True
    )
    selected = answer["projects_selected"]
    print(f"{version.stdout.strip()}: {selected} projects, {answer['certified']=}")


if __name__ == "__main__":
    main()
