"""Ranges of what sprints deliver: what came of those that looked alike."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from pmo_analytics.tracking.delivery.prior import USUAL_GAINS, USUAL_MOMENTS

LEVEL = 0.80
# In fresh sprints a range held about two points less than in those it was made of.
_OPTIMISM = 0.02
_TAILS = np.linspace(0.02, 0.48, 47)
# Sprints that look alike: a share of all, and at least so many.
_ALIKE, _AT_LEAST = 0.15, 25
_PADDED = 30
# Moments count as alike within so much of the planned time.
_NEAR = 0.15
_MOST = 4000
_HAIR = 1e-9


class Outcomes:
    """What finished sprints gained after the moment they were seen at.

    Parameters
    ----------
    score
        Where each lies between hopeless and sure, in log-odds.
    gain
        What it delivered beyond what was done, as a share of what was left.
    counts
        How much it counts.
    elapsed
        The moment, as a share of the planned time.
    group
        Number of its team, or of the sprint where teams are few: no sprint is judged
        by its own group.
    """

    def __init__(
        self,
        score: np.ndarray,
        gain: np.ndarray,
        counts: np.ndarray,
        elapsed: np.ndarray,
        group: np.ndarray,
    ) -> None:
        order = np.argsort(score, kind="stable")
        pads = max(_PADDED - len(score), 0)
        at = float(np.median(elapsed)) if len(elapsed) else 0.5
        usual = _usual_gains(at, pads)
        middle = float(np.median(score)) if len(score) else 0.0
        self.score = np.r_[score[order], np.full(pads, middle)]
        self.gain = np.r_[gain[order], usual]
        self.counts = np.r_[counts[order], np.ones(pads)]
        self.elapsed = np.r_[elapsed[order], np.full(pads, at)]
        self.group = np.r_[group[order], np.full(pads, -1)]
        again = np.argsort(self.score, kind="stable")
        for name in ("score", "gain", "counts", "elapsed", "group"):
            setattr(self, name, getattr(self, name)[again])
        self.real = self.group >= 0
        self.nearby: dict[float, np.ndarray] = {}

    def ranges(
        self, score: np.ndarray, elapsed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the 80 % range of the gain, one of each a row."""
        ends = np.empty((2, len(score)))
        tails = {moment: self.tail(moment) for moment in np.unique(elapsed).tolist()}
        for at, (own, moment) in enumerate(zip(score, elapsed.tolist(), strict=True)):
            tail = tails[moment]
            low, high = self._ends(float(own), moment, group=-2)
            ends[0, at] = np.interp(tail, _TAILS, low)
            ends[1, at] = np.interp(tail, _TAILS, high)
        return ends[0], ends[1]

    def tail(self, moment: float) -> float:
        """Return what to cut off at each end at a moment so that 80 % are held.

        Outcomes come in lumps (nothing more, all of it), so that a range from the 10th
        to the 90th percent would hold more than 80 %.
        """
        held, near = self._held
        weight = near[2] * np.exp(-0.5 * ((near[1] - moment) / (0.5 * _NEAR)) ** 2)
        if not weight.sum() > 0:
            return 0.1
        share = weight @ held / weight.sum()
        return float(_TAILS[np.argmin(np.abs(share - LEVEL - _OPTIMISM))])

    @cached_property
    def _held(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which finished sprints each tail would have held: rows x tails."""
        rows = np.flatnonzero(self.real)
        rows = rows[:: max(1, len(rows) // _MOST)]
        held = np.zeros((len(rows), len(_TAILS)))
        for place, row in enumerate(rows):
            low, high = self._ends(
                float(self.score[row]), float(self.elapsed[row]), int(self.group[row])
            )
            gain = self.gain[row]
            held[place] = (gain >= low - _HAIR) & (gain <= high + _HAIR)
        return held, np.stack([rows, self.elapsed[rows], self.counts[rows]])

    def _near(self, moment: float) -> np.ndarray:
        """Return the sprints seen at about that moment; all where they are few."""
        if moment not in self.nearby:
            alike = np.abs(self.elapsed - moment) <= _NEAR
            few = alike.sum() < _AT_LEAST
            self.nearby[moment] = np.flatnonzero(alike | few)
        return self.nearby[moment]

    def _ends(
        self, score: float, moment: float, group: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends for each tail from the sprints that look alike."""
        rows = self._near(moment)
        others = rows[self.group[rows] != group]
        rows = others if len(others) else rows
        width = min(max(int(_ALIKE * len(rows)), _AT_LEAST), len(rows))
        middle = np.searchsorted(self.score[rows], score) - width // 2
        first = int(np.clip(middle, 0, len(rows) - width))
        rows = rows[first : first + width]
        order = rows[np.argsort(self.gain[rows], kind="stable")]
        weight = self.counts[order]
        passed = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
        gains = self.gain[order]
        return np.interp(_TAILS, passed, gains), np.interp(1 - _TAILS, passed, gains)


def _usual_gains(moment: float, count: int) -> np.ndarray:
    """Return gains that are usual at a moment, in even steps from low to high."""
    if not count:
        return np.zeros(0)
    rows = [np.interp(moment, USUAL_MOMENTS, column) for column in USUAL_GAINS.T]
    steps = (np.arange(count) + 0.5) / count
    return np.interp(steps, np.linspace(0.05, 0.95, len(rows)), rows)
