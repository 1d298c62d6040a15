"""Have all kernels ready: from the cache in less than a second, else compiled.

Compiling takes some ten seconds and mostly waits for nobody: it goes on in a thread
while exact models, which are not Python, are solved.
"""

from __future__ import annotations

import threading
from functools import cache

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    Climate,
    Model,
    empty_state,
    room_for,
)
from pmo_analytics.optimization.heuristics.kernels.cache import in_cache, note_ready


class Loading:
    """Kernels that are made ready.

    Parameters
    ----------
    model
        Of any portfolio: all have the same kinds of arrays.
    """

    def __init__(self, model: Model) -> None:
        self.thread = threading.Thread(target=self._load, args=(model,), daemon=True)
        self.failed: BaseException | None = None
        # Set when whole plans can be annealed: that comes first.
        self.anneals = threading.Event()
        self.thread.start()

    def ready(self, seconds: float | None = None) -> bool:
        """Return whether all are ready, after so many seconds at most; None = ever.

        Raises
        ------
        BaseException
            What made it fail.
        """
        self.thread.join(seconds)
        if self.failed is not None:
            raise self.failed
        return not self.thread.is_alive()

    def _load(self, model: Model) -> None:
        try:
            load(model, self.anneals)
        except BaseException as error:  # it is told to whoever waits
            self.failed = error


@cache
def _ready() -> list[bool]:
    return []


def load(model: Model, anneals: threading.Event | None = None) -> None:
    """Call every kernel once, without anything to do."""
    if not _ready():
        _call_all(model, anneals)
        note_ready()
        _ready().append(True)
    if anneals is not None:
        anneals.set()


def _call_all(model: Model, anneals: threading.Event | None) -> None:
    from pmo_analytics.optimization.heuristics.kernels import (
        annealing,
        mending,
        repacking,
    )
    from pmo_analytics.optimization.heuristics.kernels.moves import sound

    state, room, rng = empty_state(model), room_for(model), np.random.default_rng(0)
    none, pool = state.chosen.copy(), np.zeros(0, dtype=np.int64)
    score = np.zeros(len(model.option))
    climate = Climate(1.0, 1.0, 0.1, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    sound(model, state)
    annealing.anneal(model, state, climate, rng, 0, pool, none, 0.0)
    mending.mend(model, empty_state(model))
    if anneals is not None:
        anneals.set()
    repacking.repack(model, state, room, score, rng, 0, 1.0, 2, none, 0.0)
    repacking.complete(model, empty_state(model), room, score, rng)


def at_hand() -> bool:
    """Return whether the kernels are there, or in the cache."""
    return bool(_ready()) or in_cache()
