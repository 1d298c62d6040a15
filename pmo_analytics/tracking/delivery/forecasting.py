"""Will the sprint deliver what was committed? Chances and ranges from finished ones."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from pmo_analytics.errors import PmoWarning
from pmo_analytics.tracking.chances import chance, fit_chance
from pmo_analytics.tracking.delivery.drivers import SIZE, drivers
from pmo_analytics.tracking.delivery.prior import CHANCE_PRIOR, SHARE_PRIOR
from pmo_analytics.tracking.delivery.ranges import Outcomes
from pmo_analytics.tracking.delivery.reading import KEYS, Sprints, read_sprints

# The prior is worth so many sprints in each driver, and the usual chance so many.
_PRIOR_SPRINTS = 20.0
_PRIOR_LEVEL = 4.0
# A sprint counts half of one that its team finished so many later.
_HALF_LIFE = 15.0
_FEW = 5
_FOLDS = 5


def forecast_delivery(sprints: pd.DataFrame) -> pd.DataFrame:
    """Return the chance that running sprints fall short, and what they will deliver.

    Finished sprints (rows with `delivered`) teach, running ones are answered, each from
    what was seen at its moment and from what its team finished before. The chance is
    a logistic regression that leans on a prior from public sprints of three
    communities, so that a new team, and a company with few finished sprints, gets the
    usual answer until its own sprints say otherwise. The range holds the middle 80 % of
    what was left over in sprints that looked alike, set so that it would have held
    four of five finished sprints of the frame, each without its team.

    Parameters
    ----------
    sprints
        The table `sprints`: `team, sprint, elapsed` (share of the planned time, 0-1),
        `committed`, `done`, `delivered` (blank while it runs) and, where known,
        `planned_days, members, added, removed, to_do, in_progress`, in the team's own
        unit, as seen at that moment. Several moments of one sprint are several rows.
        Sprints of a team are in the order in which they were worked, or have a `start`.
        `committed` may be what was committed at the start or what is in the sprint
        now: whichever, with `added` and `removed`, adds up to the board.

    Returns
    -------
    DataFrame
        One row a running sprint and moment, in the order and with the index given:
        `team, sprint, elapsed`, `p_short` (chance that less is delivered than is
        committed at that moment; 0 where nothing is), `low`, `high` (80 % range of what
        will be delivered; blank without a commitment). `attrs["says"]` tells how
        `committed` was read, what was mended, and how many finished sprints taught.

    Raises
    ------
    DataError
        With each row that cannot be used: a missing column, a moment outside 0-1,
        what is no number, a row that is there twice.

    Warns
    -----
    PmoWarning
        Where fewer than 5 finished sprints teach, and where a sprint is finished in
        one row and runs in another.

    Examples
    --------
    >>> past = [("A", n, 0.5, 20, 8 + n % 5, 15 + n % 7) for n in range(30)]
    >>> columns = ["team", "sprint", "elapsed", "committed", "done", "delivered"]
    >>> sprints = pd.DataFrame([*past, ("A", 30, 0.5, 20, 3, None)], columns=columns)
    >>> bool(forecast_delivery(sprints)["p_short"].iloc[0] > 0.6)
    True
    """
    read = read_sprints(sprints)
    return _answer(sprints, read, CHANCE_PRIOR, SHARE_PRIOR)


def _answer(
    frame: pd.DataFrame, read: Sprints, chance_prior: np.ndarray, share: np.ndarray
) -> pd.DataFrame:
    """Return the answers, leaning on the priors given."""
    blank = ~read.known
    read = _as_running(read)
    known = read.known
    teach = known & (read.commitment > 0)
    asked = ~known & (read.commitment > 0)
    table = drivers(read)
    counts = _counts(read, teach)
    short = (read.delivered < read.commitment)[teach].astype(float)
    weights = _fit(table[teach], short, counts, chance_prior)
    p_short = np.zeros(len(table))
    p_short[asked] = chance(table[asked], weights)
    low, high = _ranges(read, table, teach, asked, counts, share)
    finished = len(np.unique(read.sprint[teach]))
    if finished < _FEW:
        warnings.warn(
            f"{finished} finished sprint{'' if finished == 1 else 's'} with a"
            " commitment: the answers are what is usual elsewhere.",
            PmoWarning,
            stacklevel=3,
        )
    keys = frame.reset_index() if set(frame.index.names) & set(KEYS) else frame
    answer = keys.loc[blank, list(KEYS)].copy()
    answer["p_short"] = p_short[blank]
    answer["low"] = low[blank]
    answer["high"] = high[blank]
    answer.attrs["says"] = f"{finished} finished sprints taught. {read.says}"
    return answer


def _as_running(read: Sprints) -> Sprints:
    """Return sprints with what is finished in one row and asked in another as running.

    Otherwise the answer would be taken from itself.
    """
    finished = np.isin(read.sprint, read.sprint[read.known])
    asked = np.isin(read.sprint, read.sprint[~read.known])
    both = finished & asked
    if not both.any():
        return read
    count = len(np.unique(read.sprint[both]))
    warnings.warn(
        f"{count} sprint{'s have' if count > 1 else ' has'} `delivered` in one row and"
        " none in another: the rows without are answered as if it still ran, and it"
        " teaches nothing. Fill in `delivered` in all rows of a finished sprint.",
        PmoWarning,
        stacklevel=4,
    )
    return replace(read, delivered=np.where(both, np.nan, read.delivered))


def _counts(read: Sprints, teach: np.ndarray) -> np.ndarray:
    """Return how much each row that teaches counts: the newest of a team most.

    Rows of one sprint share what it counts, so that a sprint seen four times does not
    weigh as much as four sprints.
    """
    rows = pd.DataFrame(
        {
            "team": read.team[teach],
            "turn": read.turn[teach],
            "sprint": read.sprint[teach],
        }
    )
    place = rows.groupby("team")["turn"].rank(method="dense")
    age = place.groupby(rows["team"]).transform("max") - place
    fresh = np.exp2(-age.to_numpy() / _HALF_LIFE)
    looks = rows.groupby("sprint")["sprint"].transform("size").to_numpy()
    if not len(fresh):
        return fresh
    return np.asarray(fresh / fresh.mean() / np.sqrt(looks))


def _fit(
    table: np.ndarray, outcome: np.ndarray, counts: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    penalty = np.full(SIZE, _PRIOR_SPRINTS)
    penalty[0] = _PRIOR_LEVEL
    return fit_chance(table, outcome, penalty=penalty, prior=prior, counts=counts)


def _ranges(
    read: Sprints,
    table: np.ndarray,
    teach: np.ndarray,
    asked: np.ndarray,
    counts: np.ndarray,
    prior: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 80 % range of what each row will deliver, blank where not asked."""
    done, elapsed = read.column("done"), read.column("elapsed")
    # What can still come; a tenth where all is done, for what is added or reopened.
    room = np.maximum(read.commitment - done, 0.1 * read.commitment)
    with np.errstate(divide="ignore", invalid="ignore"):
        got = (read.delivered - done) / room
    share = np.clip(got[teach], 0.0, 1.0)
    score = np.zeros(len(table))
    score[asked] = table[asked] @ _fit(table[teach], share, counts, prior)
    # A finished sprint is placed by what others taught: other teams, as a new team is,
    # which an old one can only be known better than; other sprints where teams are few.
    group = read.team[teach]
    if len(np.unique(group)) < _FOLDS:
        group = read.sprint[teach]
    fold = group % _FOLDS
    places = np.flatnonzero(teach)
    for number in range(_FOLDS):
        rest = fold != number
        weights = _fit(table[teach][rest], share[rest], counts[rest], prior)
        own = places[fold == number]
        score[own] = table[own] @ weights
    outcomes = Outcomes(score[teach], got[teach], counts, elapsed[teach], group)
    low, high = np.full(len(table), np.nan), np.full(len(table), np.nan)
    bottom, top = outcomes.ranges(score[asked], elapsed[asked])
    low[asked] = np.maximum(done[asked] + room[asked] * bottom, 0.0)
    high[asked] = np.maximum(done[asked] + room[asked] * top, low[asked])
    return low - read.shift, high - read.shift
