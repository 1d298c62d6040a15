"""The configuration of a batch: a TOML file with a known schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.files import read_toml
from pmo_analytics.optimization import SearchParams


@dataclass(frozen=True)
class ForecastSettings:
    """Section `[forecast]`.

    Parameters
    ----------
    periods
        How many, 0 = those of the horizon.
    draws
        How many futures.
    model
        Of time series.
    chance
        Chance of overload that is accepted.
    lead
        Periods until somebody hired works.
    ramp
        Periods until who is new works in full.
    """

    periods: int = 0
    draws: int = 2000
    model: str = "combination"
    chance: float = 0.2
    lead: int = 3
    ramp: int = 0


@dataclass(frozen=True)
class OptimizeSettings:
    """Section `[optimize]`.

    Parameters
    ----------
    run
        False leaves the plan out.
    seconds
        Wall clock.
    gap
        Stop at this gap.
    work
        Nodes and rounds instead of the clock, for equal answers; 0 = the clock.
    capacity
        `known`, or a quantile of the forecast such as `p20`.
    """

    run: bool = True
    seconds: float = 60.0
    gap: float = 0.01
    work: int = 0
    capacity: str = "known"


@dataclass(frozen=True)
class CompareSettings:
    """Section `[compare]`: scenarios, solved as `[optimize]` says.

    Parameters
    ----------
    scenarios
        Scenario file; a relative path is one beside the configuration; blank = none.
    workers
        Local processes; 0 = one per core.
    cluster
        Address of a Dask scheduler; blank = local.
    """

    scenarios: str = ""
    workers: int = 0
    cluster: str = ""


@dataclass(frozen=True)
class StatusSettings:
    """Section `[status]`: how the running projects are doing.

    Parameters
    ----------
    run
        False leaves it out.
    rules
        TOML file of thresholds; a relative path is one beside the configuration;
        blank = those of the house.
    earned
        Rule of earned value: percent, 0/100, 50/50 or milestones.
    """

    run: bool = True
    rules: str = ""
    earned: str = "percent"


@dataclass(frozen=True)
class ReportSettings:
    """Section `[report]`.

    Parameters
    ----------
    charts
        Draw charts.
    keep
        How many runs stay; 0 = all.
    """

    charts: bool = True
    keep: int = 0


@dataclass(frozen=True)
class BatchConfig:
    """What a batch does; keys before the first section.

    Parameters
    ----------
    portfolio
        Folder or workbook; a relative path is one beside the configuration.
    store
        SQLite file or database URL that remembers forecasts; blank = none.
    seed
        Of everything random.
    search
        Section `[search]`: the numbers that decide the search for the plan, such as
        `annealing.members = 64`; blank = as measured best.
    """

    portfolio: Path
    store: str = ""
    seed: int = 0
    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    optimize: OptimizeSettings = field(default_factory=OptimizeSettings)
    compare: CompareSettings = field(default_factory=CompareSettings)
    status: StatusSettings = field(default_factory=StatusSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    search: SearchParams = field(default_factory=SearchParams)


_SECTIONS = {
    "forecast": ForecastSettings,
    "optimize": OptimizeSettings,
    "compare": CompareSettings,
    "status": StatusSettings,
    "report": ReportSettings,
}
_TOP: dict[str, Any] = {"portfolio": "", "store": "", "seed": 0}
_LEAST = {
    "draws": 100,
    "chance": 0.01,
    "lead": 0,
    "ramp": 0,
    "periods": 0,
    "seconds": 0.1,
    "gap": 0.0,
    "work": 0,
    "keep": 0,
    "workers": 0,
    "seed": 0,
}
_MOST = {"chance": 0.99}


def read_config(path: str | Path) -> BatchConfig:
    """Read the configuration of a batch.

    Parameters
    ----------
    path
        TOML file: `portfolio`, `store`, `seed`, and the sections `[forecast]`,
        `[optimize]`, `[compare]`, `[status]`, `[report]` and `[search]`.

    Raises
    ------
    ConfigError
        If it cannot be read; every unknown key and wrong value is named at once.
    """
    path = Path(path)
    content = read_toml(path)
    wrong: list[str] = []
    sections: dict[str, Any] = {}
    try:
        sections["search"] = search_params(content)
    except ConfigError as error:
        wrong.append(f"[search] {str(error).rstrip('.')}")
    content.pop("search", None)
    for name, kind in _SECTIONS.items():
        known = {f.name: f.default for f in fields(kind)}
        given = content.pop(name, {})
        if not isinstance(given, dict):
            wrong.append(f"[{name}] has to be a section")
            continue
        sections[name] = kind(**_checked(given, known, f"[{name}] ", wrong))
    top = _checked(content, _TOP, "", wrong, known=[*_TOP, *_SECTIONS, "search"])
    if "portfolio" not in content:
        wrong.append("portfolio is missing: name a folder or a workbook")
    quantile = sections.get("optimize", OptimizeSettings()).capacity
    digits = quantile.removeprefix("p")
    if quantile != "known" and not (digits.isdigit() and 0 < int(digits) < 100):
        wrong.append(f"[optimize] capacity is 'known' or p1 .. p99, not {quantile!r}")
    if wrong:
        raise ConfigError(f"{path.name} cannot be used: " + "; ".join(wrong) + ".")
    folder = path.resolve().parent
    for name, key in (("compare", "scenarios"), ("status", "rules")):
        file = getattr(sections.get(name), key, "")
        if file:
            sections[name] = replace(sections[name], **{key: str(folder / file)})
    return BatchConfig(
        portfolio=folder / str(top["portfolio"]),
        store=_store_of(str(top.get("store", "")), path),
        seed=int(top.get("seed", 0)),
        **sections,
    )


def _store_of(store: str, path: Path) -> str:
    """Return the address of a store, or its file beside the configuration."""
    if not store or "://" in store:
        return store
    if re.match(r"[A-Za-z][A-Za-z0-9+]+:.*@", store):
        raise ConfigError(
            f"{path.name}: the address of the store cannot be read; it looks like "
            "postgresql+psycopg://user:password@host:5432/name."
        )
    return str(path.resolve().parent / store)


def search_params(content: Mapping[str, Any]) -> SearchParams:
    """Return the numbers of the section `[search]` of a TOML file.

    Raises
    ------
    ConfigError
        If there is no such number, or it cannot be that.
    """
    given = content.get("search", {})
    if not isinstance(given, Mapping):
        raise ConfigError("has to be a section")
    return SearchParams.of(given)


def _checked(
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    where: str,
    wrong: list[str],
    known: list[str] | None = None,
) -> dict[str, Any]:
    """Return the values that can be used; add what is wrong with the others."""
    result: dict[str, Any] = {}
    for key, value in given.items():
        if key not in defaults:
            wrong.append(
                f"{where}{key} is unknown{closest(key, known or list(defaults))}"
            )
            continue
        kind = type(defaults[key])
        fits = isinstance(value, kind) and not (
            kind is not bool and isinstance(value, bool)
        )
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            fits, value = True, float(value)
        if not fits:
            wrong.append(f"{where}{key} has to be {_WORDS[kind]}, not {_shown(value)}")
        elif key in _LEAST and not _LEAST[key] <= value <= _MOST.get(key, 1e9):
            most = f" .. {_MOST[key]}" if key in _MOST else " or more"
            wrong.append(f"{where}{key} has to be {_LEAST[key]}{most}, not {value!r}")
        else:
            result[key] = value
    return result


def _shown(value: Any) -> str:
    """Return a wrong value for a message; it may be an address with a password."""
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, list):
        return "a list"
    return "an address" if isinstance(value, str) and ":" in value else repr(value)


_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
