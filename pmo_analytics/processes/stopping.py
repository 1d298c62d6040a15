"""Ctrl-C: once it ends the search at work, and with it all that would come after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Stop:
    """Whether what a block holds was told to stop.

    Attributes
    ----------
    asked
        A search inside was stopped and gave what it had; nothing new may begin.
    """

    asked: bool = False


_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let a stop hold for everything in the block; of nested blocks for the outermost.

    Without this each of many solves would have to be stopped one by one.
    """
    known = _stop.get()
    if known is not None:
        yield known
        return
    stop = Stop()
    token = _stop.set(stop)
    try:
        yield stop
    finally:
        _stop.reset(token)


def note_stop() -> None:
    """Take note of Ctrl-C where a search catches it to keep what it has."""
    stop = _stop.get()
    if stop is not None:
        stop.asked = True


def stop_asked() -> bool:
    """Return whether the block that is at work was told to stop."""
    stop = _stop.get()
    return stop is not None and stop.asked
