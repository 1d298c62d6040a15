"""The versions that an answer depends on."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version


def versions() -> dict[str, str]:
    """Return the versions that an answer depends on."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    result = {"python": python_version()}
    for package in ("pmo_analytics", "pulp", "highspy", "pandas", "numpy"):
        try:
            result[package] = version(package)
        except PackageNotFoundError:
            from pmo_analytics import __version__

            result[package] = __version__ if package == "pmo_analytics" else "unknown"
    return result
