"""The wheel holds what the package needs, and works away from the sources."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.release.lower_bounds import oldest
from tests.release.main_job import run_main_job
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as `make dist` does, without a network."""
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_holds_every_file_of_the_package(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "pmo_analytics"
    for path in package.rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in name:
            assert name in inside, name
    assert not [name for name in inside if name.startswith(("tests/", "data/"))]


def test_the_main_job_runs_from_the_wheel(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=os.name != "nt")
    (site,) = environment.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    # What it depends on is had from here; the sources are not.
    (site / "dependencies.pth").write_text(str(Path(pd.__file__).parents[1]))
    programs = environment / "bin"
    script = programs / "pmo"
    script.write_text(
        f"#!{programs / 'python'}\nimport sys\nfrom pmo_analytics.cli import run\n"
        "sys.exit(run())\n"
    )
    script.chmod(0o755)
    code = "import pmo_analytics; print(pmo_analytics.__file__)"
    where = subprocess.run(
        [programs / "python", "-P", "-c", code],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)
    work = tmp_path / "work"
    work.mkdir()
    answer = run_main_job(programs, work)
    assert answer["certified"] is True
    assert answer["projects_selected"] > 10


def test_every_dependency_has_a_lower_bound():
    assert oldest(["pandas>=3.0,<4", "psycopg[binary]>=3.2,<4"]) == [
        "pandas==3.0",
        "psycopg==3.2",
    ]
    with pytest.raises(ValueError, match="has no lower bound"):
        oldest(["numpy<3"])
