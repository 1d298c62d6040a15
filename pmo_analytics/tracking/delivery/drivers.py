"""What tells whether a sprint will deliver: its board, the team's past, the clock."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.tracking.delivery.reading import Sprints

# Weight of the sprint before the last one against the last one.
_FADING = 0.85
# A team's past is worth itself against so many sprints of the usual team.
_USUAL_SPRINTS = 3.0
# Of the sprints of three public communities: where nobody has finished one yet.
_USUAL_SHORT, _USUAL_SHARE = 0.65, 0.55
# Driver -> factor that brings it to about the same spread as the others.
DRIVERS: dict[str, float] = {
    "always": 1.0,
    "done share against time": 3.0,
    "done share squared": 2.0,
    "all done": 1.0,
    "nothing done": 1.0,
    "share in progress": 2.0,
    "nothing to do": 1.0,
    "nothing open": 1.0,
    "size of the commitment": 1.0,
    "members": 1.0,
    "planned days": 1.0,
    "share added": 2.0,
    "share removed": 2.0,
    "anything added": 0.7,
    "past sprints that fell short": 3.0,
    "past share delivered": 3.0,
    "usual velocity against commitment": 1.0,
    "left against the usual pace": 1.0,
    "last sprint fell short": 1.0,
}
SIZE = 2 * len(DRIVERS)


def drivers(sprints: Sprints) -> np.ndarray:
    """Return the drivers of every row: shape (rows, twice the drivers).

    The second half are the same drivers times the clock, so that each may weigh
    another way late in the sprint. Rows without a commitment are nonsense here.
    """
    commitment = np.maximum(sprints.commitment, 1e-9)
    done = sprints.column("done")
    elapsed = sprints.column("elapsed")
    open_, doing = sprints.column("to_do"), sprints.column("in_progress")
    added = sprints.column("added")
    share = np.clip(done / commitment, 0.0, 1.0)
    started = np.maximum(sprints.column("committed"), 1.0)
    board = np.column_stack(
        [
            np.ones(len(done)),
            share - 0.5 * elapsed,
            share**2,
            done >= commitment,
            done <= 0,
            np.clip(doing / commitment, 0.0, 1.0),
            open_ <= 0,
            open_ + doing <= 0,
            np.log1p(commitment) - 3.0,
            np.log1p(sprints.column("members")) - 1.5,
            np.log1p(np.clip(sprints.column("planned_days"), 0.0, 60.0)) - 2.5,
            np.clip(added / commitment, 0.0, 1.0),
            np.clip(sprints.column("removed") / started, 0.0, 1.0),
            added > 0,
        ]
    )
    past = _past(sprints, commitment, done, elapsed)
    table = np.column_stack([board, past]) * np.array(list(DRIVERS.values()))
    return np.column_stack([table, table * (1.5 * (elapsed[:, None] - 0.4))])


def _past(
    sprints: Sprints, commitment: np.ndarray, done: np.ndarray, elapsed: np.ndarray
) -> np.ndarray:
    """Return what the team's earlier sprints say about each row."""
    known = sprints.known & (sprints.commitment > 0)
    short = (sprints.delivered < sprints.commitment)[known].astype(float)
    share = np.minimum(sprints.delivered[known] / commitment[known], 1.0)
    usual_short = short.mean() if known.any() else _USUAL_SHORT
    usual_share = share.mean() if known.any() else _USUAL_SHARE
    before = _before(sprints)
    count = before["count"]
    trust = count / (count + _USUAL_SPRINTS)
    velocity = before["velocity"]
    ratio = np.clip(np.log((velocity + 1.0) / (commitment + 1.0)), -2.0, 2.0)
    left = commitment - done - velocity * (1.0 - elapsed)
    return np.column_stack(
        [
            trust * (before["short"] - usual_short),
            trust * (before["share"] - usual_share),
            trust * ratio,
            trust * np.clip(left / commitment, -1.0, 1.0),
            trust * (before["last"] - usual_short),
        ]
    )


def _before(sprints: Sprints) -> dict[str, np.ndarray]:
    """Return, by row, faded means over the finished sprints before it of its team.

    A sprint that runs has every finished one of its team behind it; a finished one has
    those that came earlier, so that what is learnt was known at that moment.
    """
    outcomes = pd.DataFrame(
        {
            "team": sprints.team,
            "sprint": sprints.sprint,
            "turn": sprints.turn,
            "elapsed": sprints.column("elapsed"),
            "delivered": sprints.delivered,
            "commitment": sprints.commitment,
        }
    )
    # One outcome a sprint: the last look at it.
    last = outcomes.sort_values(["elapsed"], kind="stable").drop_duplicates(
        "sprint", keep="last"
    )
    last = last.sort_values(["team", "turn"], kind="stable")
    names = ("short", "share", "velocity", "count", "last")
    by_sprint = np.zeros((sprints.sprint.max() + 1, len(names)))
    for _, own in last.groupby("team", sort=False):
        finished = own[own["delivered"].notna() & (own["commitment"] > 0)]
        sums = np.zeros(len(names))
        states = {}
        for row in finished.itertuples():
            states[row.sprint] = sums.copy()
            short = float(row.delivered < row.commitment)
            share = min(row.delivered / row.commitment, 1.0)
            sums = _FADING * sums + np.array([short, share, row.delivered, 1.0, 0.0])
            sums[4] = short
        for row in own.itertuples():
            if np.isfinite(row.delivered) and row.sprint not in states:
                # Finished without a commitment: what came before it.
                earlier = finished[finished["turn"] < row.turn]["sprint"]
                states[row.sprint] = (
                    states[earlier.iloc[-1]] if len(earlier) else 0 * sums
                )
            by_sprint[row.sprint] = states.get(row.sprint, sums)
    found = dict(zip(names, by_sprint[sprints.sprint].T, strict=True))
    weight = np.maximum(found["count"], 1e-9)
    return {
        name: cells / weight if name in ("short", "share", "velocity") else cells
        for name, cells in found.items()
    }
