"""What other engines count for the 14 points, as JSON: `peers_quality.py FILE...`.

Run by the interpreter of an environment that has longpath, p6-mcp and PyP6XER (the
extra `peers`). Prints engine -> file -> point -> [count, of how many]; of longpath's
point 12 [days, passed], of point 13 [index, passed].
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path


def longpath(path: Path) -> dict[int, list]:
    from longpath import checks, cpm, loader
    from longpath import compare as cmp

    schedule = loader.open_schedule(str(path))
    own = [p for p in schedule.projects.values() if not p.is_baseline_copy]
    project = own[0]
    options = cpm.CpmOptions.for_project(project, schedule.format)
    try:
        result = cpm.run(project, schedule.calendars, options)
    except OverflowError:  # as where links run in a circle: the stored floats count
        result = None
    base, label = cmp.baseline_map(schedule, project)
    found = checks.dcma(checks.Ctx(schedule, project, result, base, label))
    points = {int(c.key.split("_")[0]): [len(c.rows), c.denominator] for c in found}
    passed = {"pass": True, "fail": False, "n/a": None}
    points |= {
        at: [found[at - 1].metric, passed[found[at - 1].result]] for at in (12, 13)
    }
    points[14] = [int(found[13].note.rsplit("completed ", 1)[-1] or 0), points[14][1]]
    return points


def p6_mcp(path: Path) -> dict[int, list]:
    from p6_mcp.domain.schedule import Schedule
    from p6_mcp.parser.reader import XerReader
    from p6_mcp.services.analysis.dcma import run_dcma_assessment

    schedule = Schedule(XerReader().read_path(path), "one")
    projects = schedule.active_projects[:1]
    found = run_dcma_assessment(schedule, projects)["checks"]
    counts = {c["check"]: [c["count"], c["eligible"]] for c in found}
    return counts | {13: [found[12]["metric"], found[12]["passed"]]}


def pyp6xer(path: Path) -> dict[int, list]:
    from xerparser.dcma14.analysis import DCMA14
    from xerparser.reader import Reader

    found = DCMA14(Reader(str(path))).analysis()["analysis"]
    tasks = found["summary"]["activity_cnt"]
    links = found["summary"]["relationship_cnt"]
    return {
        1: [found["successors"]["cnt"] + found["predecessors"]["cnt"], tasks],
        2: [found["leads"]["cnt"], links],
        3: [found["lags"]["cnt"], links],
        4: [found["relations"]["fs_cnt"], links],
        5: [found["constraints"]["cstr_cnt"], tasks],
        6: [found["totalfloat"]["cnt"], tasks],
        7: [found["negativefloat"]["cnt"], tasks],
        8: [found["duration"]["cnt"], tasks],
        9: [found["invaliddates"]["cnt"], tasks],
        10: [found["resources"]["cnt"], tasks],
        11: [found["slippage"]["cnt"], tasks],
        13: [found["critical"]["cnt"], tasks],
    }


ENGINES = {"longpath": longpath, "p6-mcp": p6_mcp, "pyp6xer": pyp6xer}


def main(paths: list[str]) -> None:
    """Print what each engine counts in each file; an error is a text."""
    found: dict[str, dict[str, object]] = {}
    for name, engine in ENGINES.items():
        for path in paths:
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    answer: object = engine(Path(path))
                except Exception as error:
                    answer = f"{type(error).__name__}: {error}"
            found.setdefault(name, {})[path] = answer
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
