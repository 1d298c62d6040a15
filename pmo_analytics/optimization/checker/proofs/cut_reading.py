"""Cuts of a certificate, read: what one says, before anything of it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import read_name
from pmo_analytics.optimization.checker.question import Project, Question

_KEYS = {
    "capacity": ("role", "period", "at_most"),
    "budget": ("budget", "side", "at_most"),
    "stretch": ("role", "period", "until", "at_most"),
    "clique": (),
}
_LARGEST_COUNT = 10**6


@dataclass(frozen=True)
class Cut:
    """One entry of `cuts`, read but not proved; for `members` see `certify`."""

    number: int
    row: str
    entry: Mapping[str, Any]
    members: list[tuple[str, Fraction, Fraction]]
    at_most: int
    multiplier: Fraction


def exact_number(raw: object) -> Fraction | None:
    """Return a decimal text or a JSON number exactly, None if it is neither."""
    try:
        if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
            return None
        if isinstance(raw, str) and len(raw) > 1000:
            return None
        value = Decimal(repr(float(raw)) if isinstance(raw, float) else raw)
    except (ValueError, InvalidOperation):
        return None
    # A huge exponent would ask for gigabytes of digits.
    if not value.is_finite() or abs(value.adjusted()) > 400:
        return None
    return Fraction(value)


def read_cuts(entries: object) -> list[Cut]:
    """Return the cuts of a certificate.

    Raises
    ------
    ConfigError
        If they are no list, or one of them cannot be read.
    """
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("'cuts' of the certificate must be a list.")
    cuts = []
    for number, entry in enumerate(entries, start=1):
        try:
            cuts.append(_read(number, entry))
        except ConfigError as error:
            raise bad_cut(number, error) from None
    return cuts


def bad_cut(number: int, error: ConfigError) -> ConfigError:
    """Return an error that names the cut it is about."""
    return ConfigError(f"Certificate, cut {number}: {error}")


def _read(number: int, entry: object) -> Cut:
    if not isinstance(entry, Mapping):
        raise ConfigError("it is no JSON object.")
    row = entry.get("row")
    if not isinstance(row, str) or row not in _KEYS:
        raise ConfigError(f"unknown row {row!r}; use {', '.join(_KEYS)}.")
    keys = {"row", "members", "multiplier", *_KEYS[row]}
    if keys != set(entry):
        wrong = ", ".join(f"'{key}'" for key in sorted(map(str, keys ^ set(entry))))
        raise ConfigError(f"missing or unknown keys: {wrong}.")
    if row == "budget" and entry["side"] != "amount":
        raise ConfigError(f"a cut has the side 'amount', not {entry['side']!r}.")
    multiplier = exact_number(entry["multiplier"])
    if multiplier is None or multiplier < 0:
        text = "is no number that can be used, or negative."
        raise ConfigError(f"the multiplier {entry['multiplier']!r} {text}")
    at_most = _count(entry["at_most"]) if row != "clique" else 1
    members = entry["members"]
    if not isinstance(members, (list, tuple)):
        raise ConfigError("'members' must be a list.")
    read = [_read_member(row, member) for member in members]
    return Cut(number, row, entry, read, at_most, multiplier)


def _read_member(row: str, member: object) -> tuple[str, Fraction, Fraction]:
    if not isinstance(member, (list, tuple)) or len(member) != 3:
        raise ConfigError(f"a member must be a list of three, not {member!r}.")
    name = read_name(member[0]) if isinstance(member[0], str) else None
    if name is None:
        raise ConfigError(f"{member[0]!r} is no name of a project.")
    starts = {"clique": member[1:], "stretch": member[1:2]}.get(row, ())
    for start in starts:
        if isinstance(start, bool) or not isinstance(start, int):
            raise ConfigError(f"a start must be a whole number, not {start!r}.")
    if row == "clique":
        return name, Fraction(member[1]), Fraction(member[2])
    if row == "stretch":
        return name, Fraction(member[1]), Fraction(_count(member[2]))
    use = exact_number(member[1])
    if use is None:
        raise ConfigError(f"the use {member[1]!r} of '{name}' is no number.")
    return name, use, Fraction(_count(member[2]))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"a count must be a whole number, not {value!r}.")
    if not 0 <= value <= _LARGEST_COUNT:
        raise ConfigError(f"a count must be 0 .. {_LARGEST_COUNT:,}, not {value}.")
    return value


def named_project(question: Question, name: str) -> Project:
    """Return a project by its name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    project = question.projects.get(name)
    if project is None:
        raise ConfigError(f"no project is called '{name}'.")
    return project
