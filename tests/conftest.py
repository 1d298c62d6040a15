"""Portfolios that many tests read; whoever edits one in place takes a snapshot."""

from __future__ import annotations

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
