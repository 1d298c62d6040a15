"""Portfolio analytics, resource-capacity forecasting and optimization for PMOs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pmo_analytics.errors import DataError as DataError

# Public name -> module. Loaded on first use, so that the import stays light.
_PUBLIC = {
    "ConfigError": "errors",
    "DataError": "errors",
    "InfeasibleError": "errors",
    "PmoError": "errors",
    "PmoWarning": "errors",
    "SolverError": "errors",
    "Portfolio": "portfolio",
    "Settings": "periods",
    "check_portfolio": "portfolio",
    "make_horizon": "periods",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pmo_analytics' has no attribute {name!r}")
    return getattr(import_module(f"pmo_analytics.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
