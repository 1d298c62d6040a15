"""Microsoft Project XML of 50,000 tasks and 200,000 assignments: read by us and mpxj.

`python tests/benchmarks/bench_networks.py [TASKS ASSIGNMENTS]` writes such a file to a
temporary folder, as Microsoft Project writes it (59 elements a task, 46 an assignment,
time-phased data), reads it with this package and with mpxj (extra `mpxj`, Java), each
in a process of its own, and prints CPU seconds (user and system, threads of Java
included), wall seconds and the peak of memory. It ends with 1 where ours is not twice
as fast in CPU time.

`python tests/benchmarks/bench_networks.py --mutations 10000` reads so many damaged
files: each is read with an exact balance or refused with our own error.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TASK_TAIL = "".join(
    f"<{name}>0</{name}>"
    for name in [
        "ResumeValid",
        "EffortDriven",
        "Recurring",
        "OverAllocated",
        "Estimated",
        "Critical",
        "IsSubproject",
        "IsSubprojectReadOnly",
        "ExternalTask",
        "StartVariance",
        "FinishVariance",
        "WorkVariance",
        "FreeSlack",
        "TotalSlack",
        "FixedCost",
        "PercentComplete",
        "PercentWorkComplete",
        "Cost",
        "OvertimeCost",
        "ActualCost",
        "ActualOvertimeCost",
        "RemainingCost",
        "RemainingOvertimeCost",
        "ACWP",
        "CV",
        "ConstraintType",
        "LevelAssignments",
        "LevelingCanSplit",
        "LevelingDelay",
        "IgnoreResourceCalendar",
        "HideBar",
        "Rollup",
        "BCWS",
        "BCWP",
        "PhysicalPercentComplete",
        "EarnedValueMethod",
    ]
) + "".join(
    f"<{name}>PT0H0M0S</{name}>"
    for name in [
        "OvertimeWork",
        "ActualDuration",
        "ActualWork",
        "ActualOvertimeWork",
        "RegularWork",
        "RemainingWork",
        "RemainingOvertimeWork",
    ]
)
_ASSIGNMENT_TAIL = "".join(
    f"<{name}>0</{name}>"
    for name in [
        "PercentWorkComplete",
        "ActualCost",
        "ActualOvertimeCost",
        "ACWP",
        "Confirmed",
        "CostRateTable",
        "CostVariance",
        "CV",
        "Delay",
        "FinishVariance",
        "WorkVariance",
        "FixedMaterial",
        "LevelingDelay",
        "LinkedFields",
        "Milestone",
        "Overallocated",
        "OvertimeCost",
        "RemainingCost",
        "RemainingOvertimeCost",
        "ResponsePending",
        "StartVariance",
        "UpdateNeeded",
        "VAC",
        "WorkContour",
        "BCWS",
        "BCWP",
        "BookingType",
    ]
) + "".join(
    f"<{name}>PT0H0M0S</{name}>"
    for name in [
        "ActualOvertimeWork",
        "ActualWork",
        "OvertimeWork",
        "RemainingOvertimeWork",
    ]
)
_SHIFTS = "".join(
    f"<WorkingTime><FromTime>{a}</FromTime><ToTime>{b}</ToTime></WorkingTime>"
    for a, b in (("08:00:00", "12:00:00"), ("13:00:00", "17:00:00"))
)
_PEOPLE, _GROUP = 500, 50


def _day(number: int) -> str:
    weeks, day = divmod(number, 5)
    month, rest = divmod(weeks * 7 + day, 28)
    return f"{2027 + month // 12}-{month % 12 + 1:02}-{rest + 1:02}"


def write_plan(path: Path, tasks: int, assignments: int) -> None:
    """Write a plan of people who work on tasks in groups of fifty."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<Project xmlns="http://schemas.microsoft.com/project"><Name>large</Name>'
            "<StartDate>2027-01-01T08:00:00</StartDate><CalendarUID>1</CalendarUID>"
            "<MinutesPerDay>480</MinutesPerDay><Calendars><Calendar><UID>1</UID>"
            "<Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar>"
            "<BaseCalendarUID>-1</BaseCalendarUID><WeekDays>"
        )
        for day in range(1, 8):
            works = int(day not in (1, 7))
            file.write(f"<WeekDay><DayType>{day}</DayType><DayWorking>{works}")
            times = f"<WorkingTimes>{_SHIFTS}</WorkingTimes>" if works else ""
            file.write(f"</DayWorking>{times}</WeekDay>")
        file.write("</WeekDays></Calendar></Calendars><Tasks>\n")
        for number in range(1, tasks + 1):
            file.write(_task(number))
        file.write("</Tasks><Resources>\n")
        for number in range(1, _PEOPLE + 1):
            file.write(
                f"<Resource><UID>{number}</UID><ID>{number}</ID><Name>Person {number}"
                f"</Name><Type>1</Type><Group>Role {number % 10}</Group><MaxUnits>1"
                "</MaxUnits><StandardRate>50</StandardRate></Resource>\n"
            )
        file.write("</Resources><Assignments>\n")
        for number in range(1, assignments + 1):
            file.write(_assignment(number, tasks))
        file.write("</Assignments></Project>\n")


def _span(number: int) -> tuple[str, str, int]:
    days = 1 + number % 9
    first = number * 7 % 500
    return _day(first), _day(first + days - 1), days * 8


def _task(number: int) -> str:
    top = number % _GROUP == 1
    start, finish, hours = _span(number)
    link = (
        f"<PredecessorLink><PredecessorUID>{number - 1}</PredecessorUID><Type>1</Type>"
        "<CrossProject>0</CrossProject><LinkLag>0</LinkLag><LagFormat>7</LagFormat>"
        "</PredecessorLink>"
    )
    return (
        f"<Task><UID>{number}</UID><ID>{number}</ID><Name>Task {number}</Name>"
        f"<Type>0</Type><IsNull>0</IsNull><WBS>{number}</WBS><OutlineLevel>"
        f"{1 if top else 2}</OutlineLevel><Priority>500</Priority><Start>{start}"
        f"T08:00:00</Start><Finish>{finish}T17:00:00</Finish><Duration>PT{hours}H0M0S"
        f"</Duration><DurationFormat>7</DurationFormat><Work>PT{hours}H0M0S</Work>"
        f"<Milestone>0</Milestone><Summary>{int(top)}</Summary>{_TASK_TAIL}"
        f"<CalendarUID>-1</CalendarUID>{'' if number % _GROUP in (1, 2) else link}"
        "</Task>\n"
    )


def _assignment(number: int, tasks: int) -> str:
    task = number % tasks + 1
    task += task % _GROUP == 1
    start, finish, hours = _span(task)
    return (
        f"<Assignment><UID>{number}</UID><TaskUID>{task}</TaskUID><ResourceUID>"
        f"{number * 13 % _PEOPLE + 1}</ResourceUID><Cost>{hours * 5000}</Cost><Finish>"
        f"{finish}T17:00:00</Finish><HasFixedRateUnits>1</HasFixedRateUnits>"
        f"<RegularWork>PT{hours}H0M0S</RegularWork><RemainingWork>PT{hours}H0M0S"
        f"</RemainingWork><Start>{start}T08:00:00</Start><Units>1</Units><Work>PT"
        f"{hours}H0M0S</Work>{_ASSIGNMENT_TAIL}<TimephasedData><Type>1</Type><UID>"
        f"{number}</UID><Start>{start}T08:00:00</Start><Finish>{finish}T17:00:00"
        f"</Finish><Unit>2</Unit><Value>PT{hours}H0M0S</Value></TimephasedData>"
        "</Assignment>\n"
    )


def _ours(path: str) -> list[int]:
    import pmo_analytics as pmo

    (network,) = pmo.read_networks(path)
    return [len(network.tasks), len(network.assignments), len(network.links)]


def _mpxj(path: str) -> list[int]:
    import jpype
    import mpxj

    jpype.startJVM("-Xmx3g")
    del mpxj
    reader = jpype.JClass("org.mpxj.reader.UniversalProjectReader")()
    project = reader.read(path)
    assignments = project.getResourceAssignments().size()
    return [int(project.getTasks().size()), int(assignments), -1]


READERS: dict[str, Callable[[str], list[int]]] = {"ours": _ours, "mpxj": _mpxj}


def _measured(name: str, path: Path) -> dict[str, Any]:
    """Return what a reader needs for a file, in a process of its own."""
    since = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"reader": name, "error": done.stderr.strip().splitlines()[-1:]}
    wall = round(time.monotonic() - since, 1)
    return {"reader": name, "wall_s": wall} | json.loads(done.stdout.splitlines()[-1])


def mutations(count: int) -> int:
    """Return how many of so many damaged files raise what is no error of ours."""
    import pmo_analytics as pmo

    random_ = random.Random(1)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.xml"
        write_plan(path, 60, 40)
        whole = path.read_bytes()
        outcomes = {"read": 0, "refused": 0}
        for _ in range(count):
            path.write_bytes(_damaged(whole, random_))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    for network in pmo.read_networks(path):
                        balance = network.balance
                        used = balance["used"] + balance["listed"]
                        assert (balance["read"] == used).all(), balance
                outcomes["read"] += 1
            except pmo.DataError:
                outcomes["refused"] += 1
            except Exception as error:
                bad += 1
                print(type(error).__name__, error)
        print(outcomes, f"{bad} neither")
    return bad


def _damaged(data: bytes, random_: random.Random) -> bytes:
    changed = bytearray(data)
    odd = [b"-1", b"9" * 30, b"", b"nan", b"PT-5H", b"9999-12-31T23:59:59", b"&#0;"]
    for _ in range(random_.randint(1, 5)):
        at = random_.randrange(max(len(changed) - 400, 1))
        near = re.search(rb"<(\w+)>([^<>]*)</\1>", bytes(changed[at : at + 400]))
        kind = random_.randrange(6)
        if kind == 0 or near is None:
            changed[at] = random_.randrange(256)
        elif kind == 1:
            changed[at + near.start(2) : at + near.end(2)] = random_.choice(odd)
        elif kind == 2:
            del changed[at + near.start() : at + near.end()]
        elif kind == 3:
            changed[at:at] = near.group(0)
        elif kind == 4:
            del changed[at : at + random_.randrange(1, 40)]
        elif random_.random() < 0.2:
            del changed[at:]
            changed += b"x"
    return bytes(changed)


def main() -> int:
    """Run what the arguments ask for."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("sizes", nargs="*", type=int, default=[50_000, 200_000])
    asked.add_argument("--mutations", type=int)
    asked.add_argument("--only", nargs=2)
    arguments = asked.parse_args()
    if arguments.only:
        name, path = arguments.only
        counts = READERS[name](path)
        used = resource.getrusage(resource.RUSAGE_SELF)
        facts = {
            "cpu_s": round(used.ru_utime + used.ru_stime, 1),
            "peak_gb": round(used.ru_maxrss / 2**20, 2),
            "counts": counts,
        }
        print(json.dumps(facts))
        return 0
    if arguments.mutations:
        return int(mutations(arguments.mutations) > 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.xml"
        write_plan(path, *arguments.sizes)
        print(f"{path.stat().st_size / 2**20:,.0f} MB, {arguments.sizes}")
        found = [_measured(name, path) for name in READERS]
    for row in found:
        print(json.dumps(row))
    ours, theirs = (row.get("cpu_s") for row in found)
    if ours is None or theirs is None:
        return 1
    print(f"mpxj needs {theirs / ours:.1f} times the CPU time")
    return int(theirs < 2 * ours)


if __name__ == "__main__":
    sys.exit(main())
