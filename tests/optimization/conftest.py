"""Fixtures of the optimizer's tests."""

from __future__ import annotations

import pytest

from pmo_analytics.optimization.workers import process


@pytest.fixture
def solver_dies(monkeypatch):
    """Every solver process is killed as soon as it has begun."""
    start = process.start_process

    def start_and_kill(*args):
        process = start(*args)
        process.kill()
        return process

    monkeypatch.setattr(process, "start_process", start_and_kill)
