"""Portfolios that many tests read; whoever edits one in place takes a snapshot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.small_portfolios import everything_portfolio, tiny_portfolio

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@pytest.fixture(scope="session")
def tiny() -> Portfolio:
    return tiny_portfolio()


@pytest.fixture(scope="session")
def everything() -> Portfolio:
    return everything_portfolio()


@pytest.fixture(scope="session")
def solver_server():
    from tests.warm_solver import Server

    server = Server()
    yield server
    server.close()


@pytest.fixture
def warm_solver(request, monkeypatch):
    """Solver processes are forks of one that has loaded everything."""
    if os.name == "posix":
        from pmo_analytics.optimization import solving

        server = request.getfixturevalue("solver_server")
        monkeypatch.setattr(solving, "_start", server.start)
