"""Databases for tests: a SQLite file, and a PostgreSQL server of one's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server programs."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: [int(p) for p in folder.parent.name.split(".")],
    )
    found = shutil.which("initdb")
    if folders:
        return folders[-1]
    return Path(found).resolve().parent if found else None


def missing() -> str:
    """Return why no server can be started; blank where one can."""
    if _programs() is None:
        return "PostgreSQL is not installed"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "the driver psycopg is not installed"
    return ""


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server on loopback and give the address of its database."""
    programs = _programs()
    assert programs is not None
    home = Path(tempfile.mkdtemp(prefix="pmo_pg_"))
    # The server refuses to run as root.
    root = os.name == "posix" and os.geteuid() == 0
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    before = user if root else []
    if root:
        os.chown(home, 65534, 65534)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = home / "data"
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off"

    def run(*words: str) -> None:
        subprocess.run(
            [*before, *words], check=True, capture_output=True, timeout=120, cwd=home
        )

    try:
        run(
            str(programs / "initdb"),
            *("-D", str(data), "-U", "pmo", "-A", "trust", "-E", "UTF8"),
            "--no-sync",
        )
        control = str(programs / "pg_ctl")
        log = str(home / "log")
        run(control, "-D", str(data), "-o", options, "-l", log, "-w", "start")
        try:
            yield f"postgresql+psycopg://pmo@127.0.0.1:{port}/postgres"
        finally:
            run(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
