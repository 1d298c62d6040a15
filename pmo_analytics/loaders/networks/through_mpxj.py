"""Planning files of other tools, read through mpxj (extra `mpxj`, needs Java).

mpxj reads the file in a process of its own and writes it as Microsoft Project XML,
which is then read like any other: no Java ever runs in the process of an analysis.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from pmo_analytics.errors import problem_records, problems_table
from pmo_analytics.loaders.findings import Place, Unreadable
from pmo_analytics.loaders.networks.mspdi.reading import read_mspdi
from pmo_analytics.networks import Network

MAX_BYTES = 500 * 2**20
# Seconds for one file; a plan of 50,000 tasks takes about a minute.
PATIENCE = 600.0
_NO_MPXJ, _NO_JAVA, _UNREADABLE = 11, 12, 13


def read_through_mpxj(path: Path) -> list[Network]:
    """Return the networks of a file of Microsoft Project, Asta, GanttProject, ...

    Raises
    ------
    Unreadable
        If the extra `mpxj` or Java is missing, or mpxj cannot read the file.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(
            "file_too_large",
            f"At most {MAX_BYTES // 2**20} MB are read. Save the projects one by one.",
        )
    with tempfile.TemporaryDirectory(prefix="pmo-mpxj-") as folder:
        answer = _asked(path.resolve(), Path(folder))
        if answer.code:
            raise _refusal(answer, path.suffix)
        files = sorted(Path(folder).glob("*.xml"))
        networks = [network for file in files for network in read_mspdi(file)]
    return [_named(n, path, k, len(networks)) for k, n in enumerate(networks)]


@dataclass(frozen=True)
class _Answer:
    code: int
    said: str


def _asked(path: Path, folder: Path) -> _Answer:
    command = [sys.executable, "-m", __name__, str(path), str(folder)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return _Answer(_UNREADABLE, f"not read within {PATIENCE:.0f} seconds")
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return _Answer(done.returncode, lines[-1].strip() if lines else "")


def _refusal(answer: _Answer, suffix: str) -> Unreadable:
    if answer.code == _NO_MPXJ:
        return Unreadable(
            "missing_extra",
            f"Files ending in {suffix} are read through mpxj. Install it with "
            "pip install 'pmo_analytics[mpxj]' (and Java), or save the file as XML "
            "in Microsoft Project.",
        )
    if answer.code == _NO_JAVA:
        return Unreadable(
            "missing_java",
            f"Files ending in {suffix} are read through mpxj, which needs Java (11 or "
            "later), and none was found. Install Java, or save the file as XML in "
            "Microsoft Project.",
        )
    return Unreadable(
        "corrupt_file",
        "mpxj cannot read the file. Open it in the tool that wrote it, save it again, "
        "or save it as Microsoft Project XML.",
        found=answer.said[:200],
    )


def _named(network: Network, path: Path, number: int, count: int) -> Network:
    """Return a network under the name of its own file."""
    title = network.fields.get("Title", "")
    project = path.stem if count == 1 else title or f"{path.stem} {number + 1}"
    problems = [
        p | {"source": path.name, "row": None, "fix": f"{p['fix']}"}
        for p in problem_records(network.problems)
    ]
    place = Place("network", path.name)
    fix = "The file was read through mpxj, as the XML that it makes of it; rows of it "
    fix += "are not known."
    if problems:
        problems.append(place.warning("read_through_mpxj", fix=fix))
    listed = network.listed.assign(file=path.name, line="")
    return _without_placeholders(network).replace(
        project=project,
        name=title or project,
        source=path.name,
        listed=listed,
        problems=problems_table(problems),
    )


def _without_placeholders(network: Network) -> Network:
    """Return a network without the assignments of nobody that mpxj adds.

    It writes one for each summary task, with the hours of the tasks below.
    """
    work = network.assignments
    kinds = network.tasks["kind"].reindex(work["task"]).to_numpy()
    kept = (work["resource"] != "") | (kinds != "summary")
    if kept.all():
        return network
    place = np.cumsum(kept.to_numpy()) - 1
    phased = network.timephased
    phased = phased[kept.reindex(phased["row"]).to_numpy(dtype=bool)]
    phased = phased.assign(row=place[phased["row"].to_numpy(dtype=int)])
    gone = {
        "assignments": float((~kept).sum()),
        "hours": float(work.loc[~kept, "work_h"].sum()),
        "money": float(work.loc[~kept, "cost"].sum()),
    }
    balance = network.balance.copy()
    less = balance["what"].map(gone).fillna(0.0)
    balance["used"] -= less
    balance["read"] = balance["used"] + balance["listed"]
    return network.replace(
        assignments=work[kept].reset_index(drop=True),
        timephased=phased.reset_index(drop=True),
        balance=balance,
    )


def _convert(path: str, folder: str) -> int:
    """Write the projects of a file as XML; run in a process of its own."""
    try:
        import jpype

        import_module("mpxj")  # tells the Java machine where its classes are
    except ImportError:
        return _NO_MPXJ
    try:
        if not jpype.isJVMStarted():
            jpype.startJVM(
                "-Dlog4j2.loggerContextFactory=org.apache.logging.log4j."
                "simple.SimpleLoggerContextFactory"
            )
    except Exception as error:  # whatever keeps Java from starting
        sys.stderr.write(f"{error}\n")
        return _NO_JAVA
    try:
        reader = jpype.JClass("org.mpxj.reader.UniversalProjectReader")()
        writer = jpype.JClass("org.mpxj.mspdi.MSPDIWriter")
        projects = list(reader.readAll(path))
        if not projects:
            sys.stderr.write("no project in the file\n")
            return _UNREADABLE
        for number, project in enumerate(projects):
            made = writer()
            made.setWriteTimephasedData(True)
            made.setMicrosoftProjectCompatibleOutput(False)
            made.write(project, str(Path(folder) / f"{number:04}.xml"))
    except Exception as error:  # of Java, of any kind
        sys.stderr.write(f"{error}\n")
        return _UNREADABLE
    return 0


if __name__ == "__main__":
    code = _convert(*sys.argv[1:3])
    if code:
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    sys.stderr.flush()
    sys.exit(code)
