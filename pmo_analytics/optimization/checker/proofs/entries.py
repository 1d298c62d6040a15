"""Read the entries of a certificate, each with its exact multiplier."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.families.registry import ENTRIES
from pmo_analytics.optimization.checker.proofs.cut_reading import exact_number

_PARTS = {
    *("format", "portfolio", "strict", "flex", "record"),
    *("multipliers", "cuts", "branches", "enough"),
}
_FORMS = ("by", "after", "at", "selected")


def read_entries(
    certificate: Mapping[str, Any],
    strict: bool,
    flex: bool = False,
    record: bool = False,
) -> list[tuple[Mapping[str, Any], Fraction]]:
    """Return the entries of a certificate, each with its exact multiplier.

    Parameters
    ----------
    certificate
        JSON object, see the text of `certify`.
    strict, flex, record
        What the certificate must say about itself.

    Raises
    ------
    ConfigError
        If the certificate has another format, or an entry cannot be read.
    """
    _check_parts(certificate)
    if certificate.get("strict", False) is not strict:
        raise ConfigError(
            f"The certificate was made with strict={certificate.get('strict', False)!r}"
            f", and strict={strict} is asked for. Use the same."
        )
    for key, wanted in (("flex", flex), ("record", record)):
        if (made := certificate.get(key, False)) is not wanted:
            raise ConfigError(
                f"The certificate was made with {key}={made!r}, and {key}={wanted} is "
                "asked for. Use the same."
            )
    version = certificate["format"]
    for key, since in (("cuts", 2), ("branches", 3)):
        if certificate.get(key, []) != [] and version < since:
            raise ConfigError(f"A certificate of format {version} cannot have '{key}'.")
    entries = certificate.get("multipliers", [])
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("'multipliers' of the certificate must be a list.")
    return [(entry, _multiplier(n, entry)) for n, entry in enumerate(entries, start=1)]


def _check_parts(certificate: object) -> None:
    """Raise ConfigError unless this is a certificate of a known format."""
    if not isinstance(certificate, Mapping):
        raise ConfigError("The certificate is no JSON object.")
    for key in certificate:
        if key not in _PARTS:
            raise ConfigError(f"The certificate has an unknown part '{key}'.")
    version = certificate.get("format")
    if isinstance(version, bool) or version not in (1, 2, 3):
        raise ConfigError(
            f"The certificate has format {version!r}; 1 to 3 can be checked."
        )


def bad_entry(number: int, entry: object, text: str) -> ConfigError:
    """Return the error of one entry, which names its row."""
    row = entry.get("row") if isinstance(entry, Mapping) else None
    return ConfigError(f"Certificate, multiplier {number} ({row}): {text}")


def _multiplier(number: int, entry: object) -> Fraction:
    """Return the multiplier of an entry whose keys have been checked."""
    if not isinstance(entry, Mapping):
        raise bad_entry(number, entry, "it is no JSON object.")
    row = entry.get("row")
    if not isinstance(row, str) or row not in ENTRIES:
        raise bad_entry(number, entry, f"unknown row; use {', '.join(ENTRIES)}.")
    keys = {"row", "multiplier", *ENTRIES[row].keys}
    if not all(isinstance(v, (str, int, float, Decimal)) for v in entry.values()):
        raise bad_entry(number, entry, "every value must be a text or a number.")
    if row == "dependency":
        if entry.get("form") not in _FORMS:
            text = f"unknown form {entry.get('form')!r}; use {', '.join(_FORMS)}."
            raise bad_entry(number, entry, text)
        keys |= {"t"} if entry["form"] != "selected" else set()
    if row == "rule" and "period" in entry:
        keys |= {"period"}
    if keys != set(entry):
        wrong = ", ".join(f"'{key}'" for key in sorted(map(str, keys ^ set(entry))))
        raise bad_entry(number, entry, f"missing or unknown keys: {wrong}.")
    raw = entry["multiplier"]
    value = exact_number(raw)
    if value is None:
        text = f"the multiplier {raw!r} is no number that can be used."
        raise bad_entry(number, entry, text)
    if value < 0 and row != "all_or_none":
        text = f"the multiplier {raw!r} of an inequality is negative: {dict(entry)}."
        raise bad_entry(number, entry, text)
    return value
