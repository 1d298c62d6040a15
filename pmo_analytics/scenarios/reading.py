"""Scenario files: TOML that names a parent and holds differences only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.files import read_toml
from pmo_analytics.scenarios.changes import CHANGES, Change
from pmo_analytics.scenarios.scenario import Scenario, in_order, sweep

_TOP = ("parent", "scenario", "sweep")
_SCENARIO = ("name", "parent", "description", "change")
# A sweep's own keys; all others are arguments of its change.
_SWEEP = ("name", "parent", "do")
_RANGE = ("from", "to", "steps")
_LARGEST = 5_000_000


def read_scenarios(path: str | Path) -> list[Scenario]:
    """Read a scenario file, after the files that it names as parents.

    Parameters
    ----------
    path
        TOML with `[[scenario]]` tables (`name`, `parent`, `description`, and
        `[[scenario.change]]` tables with `do` and the arguments of that change),
        `[[sweep]]` tables (`name`, `do`, arguments of which at least one is a list
        or `{from, to, steps}`), and at the top `parent = "other.toml"`: a file
        beside it whose scenarios come first and can be parents.

    Returns
    -------
    list of Scenario
        Parents before children, otherwise in the order of the files.

    Raises
    ------
    ConfigError
        If a file cannot be read, or an unknown key, change or parent is in it: all
        of them are named, each with the closest valid name.
    """
    wrong: list[str] = []
    scenarios = _read(Path(path), wrong)
    if wrong:
        raise ConfigError(
            "The scenarios cannot be used:\n" + "\n".join(f"  - {w}" for w in wrong)
        )
    if not scenarios:
        raise ConfigError(f"{Path(path).name} has no [[scenario]] and no [[sweep]].")
    return in_order(scenarios)


def _read(path: Path, wrong: list[str]) -> list[Scenario]:
    """Return the scenarios of a file, after those of the files above it."""
    line: dict[Path, dict[str, Any]] = {}
    above: Path | None = path
    while above is not None:
        here = above.resolve()
        if here in line:
            circle = " -> ".join(file.name for file in [*line, here])
            raise ConfigError(f"These files are each other's parents: {circle}.")
        content = line[here] = _content(above)
        parent = content.get("parent")
        if parent is not None and not isinstance(parent, str):
            wrong.append(f"{above.name}: parent has to be the name of a file")
        above = above.parent / parent if isinstance(parent, str) else None
    scenarios: list[Scenario] = []
    for file, content in reversed(line.items()):
        scenarios += _of_file(file, content, wrong)
    return scenarios


def _of_file(
    path: Path, content: Mapping[str, Any], wrong: list[str]
) -> list[Scenario]:
    """Return the scenarios that stand in one file."""
    for key in content:
        if key not in _TOP:
            wrong.append(f"{path.name}: {key} is unknown{closest(key, _TOP)}")
    scenarios: list[Scenario] = []
    for table, read in (("scenario", _scenario), ("sweep", _swept)):
        rows = content.get(table, [])
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            wrong.append(f"{path.name}: write [[{table}]], in double brackets")
            continue
        for number, row in enumerate(rows, 1):
            name = row.get("name")
            called = f"'{name}'" if isinstance(name, str) else f"number {number}"
            scenarios += read(row, f"{path.name}: {table} {called}", wrong)
    return scenarios


def _content(path: Path) -> dict[str, Any]:
    if path.is_file() and path.stat().st_size > _LARGEST:
        raise ConfigError(f"{path.name} is too large for a scenario file.")
    return read_toml(path)


def _scenario(row: Mapping[str, Any], where: str, wrong: list[str]) -> list[Scenario]:
    for key in row:
        if key not in _SCENARIO:
            wrong.append(f"{where}: {key} is unknown{closest(key, _SCENARIO)}")
    edits = row.get("change", [])
    if not isinstance(edits, list) or not all(isinstance(e, dict) for e in edits):
        wrong.append(f"{where}: write [[scenario.change]], in double brackets")
        return []
    changes = [
        made
        for number, edit in enumerate(edits, 1)
        if (made := _change(edit, f"{where}, change {number}", wrong)) is not None
    ]
    facts = {}
    for key in ("name", "parent", "description"):
        if key in row and not isinstance(row[key], str):
            wrong.append(f"{where}: {key} has to be text")
            return []
        facts[key] = row.get(key, "")
    if not facts["name"]:
        wrong.append(f"{where}: it has no name")
        return []
    try:
        return [
            Scenario(
                facts["name"],
                *changes,
                parent=facts["parent"] or None,
                description=facts["description"],
            )
        ]
    except ConfigError as error:
        wrong.append(f"{where}: {error}")
        return []


def _maker(row: Mapping[str, Any], where: str, wrong: list[str]) -> Any:
    """Return the function that `do` names, None where it names none."""
    do = row.get("do")
    if not isinstance(do, str):
        wrong.append(f'{where}: it needs do = "...", one of {", ".join(CHANGES)}')
        return None
    if do not in CHANGES:
        wrong.append(
            f"{where}: there is no change '{do}'{closest(do, CHANGES)}; known: "
            f"{', '.join(CHANGES)}"
        )
        return None
    return CHANGES[do]


def _change(row: Mapping[str, Any], where: str, wrong: list[str]) -> Change | None:
    make = _maker(row, where, wrong)
    if make is None:
        return None
    try:
        made: Change = make(**{key: row[key] for key in row if key != "do"})
    except ConfigError as error:
        wrong.append(f"{where}: {error}")
        return None
    return made


def _swept(row: Mapping[str, Any], where: str, wrong: list[str]) -> list[Scenario]:
    make = _maker(row, where, wrong)
    if make is None:
        return []
    values: dict[str, Any] = {}
    for key, value in row.items():
        if key in _SWEEP:
            continue
        if isinstance(value, dict) and set(value) & set(_RANGE):
            value = _points(value, f"{where}, {key}", wrong)
        values[key] = value
    try:
        parent = row.get("parent") or None
        return sweep(make, str(row.get("name", "")), parent=parent, **values)
    except ConfigError as error:
        wrong.append(f"{where}: {error}")
        return []


def _points(given: Mapping[str, Any], where: str, wrong: list[str]) -> list[float]:
    """Return the numbers from one end of a range to the other, both included."""
    numbers = [given.get(key) for key in _RANGE]
    fits = set(given) == set(_RANGE) and all(
        isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers
    )
    steps = given.get("steps")
    if not fits or not isinstance(steps, int) or not 2 <= steps <= 1000:
        wrong.append(f"{where}: write {{from = -0.2, to = 0.2, steps = 5}}")
        return [0.0]
    low, high = float(given["from"]), float(given["to"])
    return [round(low + (high - low) * k / (steps - 1), 12) for k in range(steps)]
