"""Fixtures of the optimizer's tests."""

from __future__ import annotations

import pytest

from pmo_analytics.optimization import solving


@pytest.fixture
def solver_dies(monkeypatch):
    """Every solver process is killed as soon as it has begun."""
    start = solving._start

    def start_and_kill(*args):
        process = start(*args)
        process.kill()
        return process

    monkeypatch.setattr(solving, "_start", start_and_kill)
