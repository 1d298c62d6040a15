"""What is uncertain, read from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, closest, listing
from pmo_analytics.files import read_toml
from pmo_analytics.uncertainty.distributions import KINDS, Distribution, Lognormal
from pmo_analytics.uncertainty.uncertainty import (
    FILTERS,
    QUANTITIES,
    Spread,
    Uncertainty,
)

_TOP = ("keep", "wins", "drivers", *QUANTITIES, "attrition", "driver")


def read_uncertainty(path: str | Path) -> Uncertainty:
    """Read what is uncertain from a TOML file.

    ```toml
    wins = true              # candidates are won with their probability
    keep = "effort"          # or "fte": overruns keep people at work for longer
    drivers = "drivers.csv"  # optional: a table, beside the file

    [duration]               # also [demand], [value] and [capacity]
    kind = "pert"            # fixed, uniform, triangular, pert, lognormal, empirical,
    low = 0.9                # or reference: as finished projects of the theme
    mode = 1.0
    high = 1.6

    [[duration.for]]         # the last that fits counts
    theme = "Data"           # or project, status; of capacity: role
    kind = "lognormal"
    p50 = 1.1                # or mean and sd
    p80 = 1.5

    [attrition]
    share = 0.01             # of the people leave in a period

    [[driver]]
    driver = "Vendor late"
    probability = 0.3
    multiplies = "duration"
    low = 1.0
    mode = 1.1
    high = 1.4
    theme = "Core systems"
    ```

    What is left out is as planned, except that `wins` is true.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ConfigError
        If it cannot be read; every unknown key and wrong value is named at once.
    """
    path = Path(path)
    content = read_toml(path)
    wrong = [f"{k} is unknown{closest(k, _TOP)}" for k in content if k not in _TOP]
    given: dict[str, Any] = {
        quantity: _read_spreads(quantity, content.get(quantity, {}), wrong)
        for quantity in QUANTITIES
    }
    given["attrition"] = _read_attrition(content.get("attrition", {}), wrong)
    if isinstance(content.get("wins", True), bool):
        given["wins"] = content.get("wins", True)
    else:
        wrong.append(f"wins is true or false, not {content['wins']!r}")
    given["keep"] = content.get("keep", "effort")
    given["drivers"] = _drivers_of(content, path, wrong)
    if wrong:
        raise ConfigError(f"{path.name} cannot be used: {'; '.join(wrong)}.")
    try:
        return Uncertainty(**given)
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from error


def _read_spreads(quantity: str, section: Any, wrong: list[str]) -> list[Spread]:
    if not isinstance(section, dict):
        wrong.append(f"[{quantity}] has to be a section")
        return []
    section = dict(section)
    rows = section.pop("for", [])
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        wrong.append(f"exceptions are written [[{quantity}.for]]")
        rows = []
    filters = FILTERS[quantity]
    spreads = []
    for row in [section, *rows] if section else rows:
        where = f"[{quantity}]" if row is section else f"[[{quantity}.for]]"
        about = {k: v for k, v in row.items() if k in filters and row is not section}
        numbers = {k: v for k, v in row.items() if k not in about}
        for name, value in about.items():
            if not isinstance(value, str):
                wrong.append(f"{where} {name} is text, not {value!r}")
        others = filters if row is not section else ()
        found = _read_distribution(where, numbers, others, wrong)
        if found is not None:
            spreads.append(Spread(found, **about))
    return spreads


def _read_distribution(
    where: str, row: dict[str, Any], others: Sequence[str], wrong: list[str]
) -> Distribution | None:
    kind = row.pop("kind", None)
    if kind not in KINDS:
        wrong.append(
            f"{where} kind is one of {', '.join(KINDS)}, not {kind!r}"
            f"{closest(kind, KINDS)}"
        )
        return None
    make: Any = KINDS[kind]
    keys = [f.name for f in fields(make)]
    if kind == "lognormal" and {"mean", "sd"} & set(row):
        make, keys = Lognormal.from_mean, ["mean", "sd"]
    unknown = [k for k in row if k not in keys]
    wrong += [
        f"{where} {k} is unknown{closest(k, [*keys, *others, 'kind'])}" for k in unknown
    ]
    needed = [k for k in keys if k not in ("weight", "value") and k not in row]
    if needed:
        wrong.append(f"{where} {kind} needs {listing(needed)}")
    for key, value in row.items():
        many = value if isinstance(value, list) else [value]
        wrong_kind = isinstance(value, list) != (key == "values")
        if wrong_kind or any(
            isinstance(v, bool) or not isinstance(v, (int, float)) for v in many
        ):
            what = "a list of numbers" if key == "values" else "a number"
            wrong.append(f"{where} {key} is {what}, not {value!r}")
            return None
    if unknown or needed:
        return None
    if "values" in row:
        row["values"] = tuple(row["values"])
    try:
        return make(**row)
    except (ConfigError, TypeError) as error:
        wrong.append(f"{where} {str(error).rstrip('.')}")
        return None


def _read_attrition(section: Any, wrong: list[str]) -> float | dict[str, float]:
    if isinstance(section, (int, float)) and not isinstance(section, bool):
        return float(section)
    if not isinstance(section, dict):
        wrong.append("[attrition] has to be a section with share")
        return 0.0
    rows = section.get("for", [])
    unknown = [k for k in section if k not in ("share", "for")]
    wrong += [
        f"[attrition] {k} is unknown{closest(k, ('share', 'for'))}" for k in unknown
    ]
    if not isinstance(rows, list) or not all(
        isinstance(r, dict) and set(r) == {"role", "share"} for r in rows
    ):
        wrong.append("[[attrition.for]] has the keys role and share")
        return 0.0
    shares = [section.get("share", 0.0), *(row["share"] for row in rows)]
    if any(isinstance(s, bool) or not isinstance(s, (int, float)) for s in shares):
        wrong.append("[attrition] share is a number")
        return 0.0
    if not rows:
        return float(shares[0])
    if shares[0]:
        wrong.append("[attrition] has either one share for all or [[attrition.for]]")
    return {row["role"]: float(row["share"]) for row in rows}


def _drivers_of(
    content: Mapping[str, Any], path: Path, wrong: list[str]
) -> pd.DataFrame | None:
    rows = content.get("driver", [])
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        wrong.append("drivers are written [[driver]]")
        return None
    file = content.get("drivers", "")
    if not isinstance(file, str):
        wrong.append("drivers is the name of a CSV file")
        return None
    tables = [pd.DataFrame(rows)] if rows else []
    if file:
        try:
            tables.append(pd.read_csv(path.parent / file, encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            wrong.append(f"drivers: {file} cannot be read ({error})")
    return pd.concat(tables, ignore_index=True) if tables else None
