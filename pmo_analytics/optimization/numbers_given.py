"""What every kind of search parameters does: look at numbers, take them, tell them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pmo_analytics.errors import ConfigError, closest

Range = tuple[float, float]


def share(default: float) -> Any:
    """Return a field that is a share: from 0 to 1."""
    return field(default=default, metadata={"most": 1.0})


def count(default: int, least: int = 1) -> Any:
    """Return a field that is a whole number."""
    return field(default=default, metadata={"least": least})


@dataclass(frozen=True)
class Params:
    """Numbers that are looked at when they are given."""

    def __post_init__(self) -> None:
        for one in fields(self):
            _look(type(self).__name__, one.name, getattr(self, one.name), one)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return params with some numbers given by name; the others are the defaults.

        Raises
        ------
        ConfigError
            If there is no such number, or it cannot be that.
        """
        names = [one.name for one in fields(cls)]
        for name in given:
            if name not in names:
                raise ConfigError(
                    f"{cls.__name__} has no '{name}'{closest(name, names)}. It has: "
                    f"{', '.join(names)}."
                )
        ranges = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return cls(**ranges)

    def changed(self) -> dict[str, Any]:
        """Return what differs from the defaults, ready for JSON."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = {one.name: one.default for one in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in own.items()
            if value != plain[name]
        }


def _look(owner: str, name: str, value: Any, one: Any) -> None:
    """Refuse what the number of a field cannot be."""
    parts = value if isinstance(value, tuple) else (value,)
    pair = isinstance(one.default, tuple)
    whole = isinstance(one.default, int)
    most, least = one.metadata.get("most", math.inf), one.metadata.get("least", 0)
    fine = len(parts) == (2 if pair else 1) and isinstance(value, tuple) == pair
    for part in parts:
        number = isinstance(part, int | float) and not isinstance(part, bool)
        fine = fine and number and math.isfinite(part) and least <= part <= most
        fine = fine and (not whole or isinstance(part, int))
    if fine and list(parts) == sorted(parts):
        return
    kind = "a whole number" if whole else "a number"
    kind = "two numbers, the smaller one first," if pair else kind
    span = f"from {least}" + ("" if most == math.inf else f" to {most:g}")
    raise ConfigError(f"{owner}.{name} is {kind} {span}, not {value!r}.")


def moved_to(
    given: Mapping[str, Any], former: str, homes: Mapping[str, type[Params]]
) -> Mapping[str, Any]:
    """Return numbers by their names of now, with a warning for each of before.

    Parameters
    ----------
    given
        Name of a search -> name -> number.
    former
        The search that had the numbers of all those in `homes` once.
    """
    own = given.get(former)
    if not isinstance(own, Mapping):
        return given
    now: dict[str, Any] = {**given, former: dict(own)}
    for home, kind in homes.items():
        for name in [one.name for one in fields(kind) if one.name in own]:
            warnings.warn(
                f"{former}.{name} is {home}.{name} now.",
                DeprecationWarning,
                stacklevel=3,
            )
            now[home] = {name: now[former].pop(name), **now.get(home, {})}
    return now
