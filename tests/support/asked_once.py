"""Answers that are given again where the same is asked of the same portfolio."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pmo_analytics.portfolio import Portfolio


def asked_once[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """Return the function, which works each thing out once.

    For tests of what is done with an answer, not of the answer.
    """
    known: dict[object, R] = {}
    form = inspect.signature(call)

    @functools.wraps(call)
    def ask(*words: P.args, **options: P.kwargs) -> R:
        asked = form.bind(*words, **options)
        asked.apply_defaults()
        key = tuple(_known_by(value) for value in asked.arguments.values())
        if key not in known:
            known[key] = call(*words, **options)
        return known[key]

    return ask


def _known_by(value: Any) -> str:
    return value.digest() if isinstance(value, Portfolio) else repr(value)
