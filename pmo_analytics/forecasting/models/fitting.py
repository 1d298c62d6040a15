"""Numbers of exponential smoothing, fitted to many series side by side.

The steps of Levenberg and Marquardt (Marquardt, SIAM Journal on Applied Mathematics
11(2), 1963), for all series at once: each gets lanes, one with its numbers as they are
and one for each of them moved a little (of the places of the season only for the first:
the others move the errors as that does, later), and all lanes walk through the past
together. So one walk tells the errors and how each number moves them, without a loop
over series and without a solver.

The numbers, in rows: log odds of the level's smoothing, of the trend's as a share of
that, of the season's as a share of what is left of it, and of the damping; the first
level, the first trend, the places of the first season. A complex level has its growth
in place of the trend's smoothing, and what is not seen of it in place of the trend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

LEVEL, RISE, FIRST_PLACE = 4, 5, 6
# Where log odds begin, which is what is believed of them; how surely, as the inverse
# of their variance; and how far they go.
_ODDS, _SURE = np.array([0.0, -2.0, -2.0, 1.0]), np.array([0.2, 0.2, 0.2, 0.2])
# The same of a complex level: the second stands for growth, of which none is believed.
_ODDS_COMPLEX, _SURE_COMPLEX = _ODDS * (1, 0, 1, 1), _SURE * (5, 1, 1, 1)
_FAR, _LEAP = 7.0, 2.0
# Damping lies between this and this much more.
_DAMPED, _DAMPING = 0.8, 0.19
# Walks at most: without the places of the season, the same from the numbers of another
# shape, and then with the places, which mostly are right after two. A fit ends where
# twice the log likelihood gained, or can hope for, less than this.
_WALKS, _WALKS_NEAR, _WALKS_SEASON, _ENOUGH, _HOPE = 8, 6, 3, 0.3, 0.1
# Steps of derivatives: of log odds, and of states in typical changes of the series.
_ODDS_STEP, _STATE_STEP = 1e-4, 1e-3
# Share of the mean that an error of counts as none.
_EXACT = 1e-7


@dataclass(frozen=True)
class Past:
    """What is known of series, and the shape that they are fitted with.

    Attributes
    ----------
    y
        Shape (T, S), 0 before each series begins.
    first
        Shape (S,), ascending: where that is.
    trend, season, relative
        As of `smoothing.Shape`.
    compiled
        Machine code goes through them: the same numbers, in a third of the time.
    """

    y: np.ndarray
    first: np.ndarray
    trend: str
    season: str
    relative: bool
    compiled: bool = False

    @property
    def length(self) -> np.ndarray:
        """Return how many values each series has."""
        return len(self.y) - self.first

    @property
    def odds(self) -> np.ndarray:
        """Return what is believed of log odds, shape (4,)."""
        return _ODDS_COMPLEX if self.trend == "x" else _ODDS

    @property
    def sure(self) -> np.ndarray:
        """Return how surely that is believed, shape (4,)."""
        return _SURE_COMPLEX if self.trend == "x" else _SURE

    @cached_property
    def size(self) -> np.ndarray:
        """Return the mean size of each series, and its typical change below."""
        mean = np.abs(self.y).sum(axis=0) / self.length
        later = np.arange(1, len(self.y))[:, None] > self.first
        moves = np.where(later, np.abs(np.diff(self.y, axis=0)), 0.0).sum(axis=0)
        change = moves / np.maximum(self.length - 1, 1)
        return np.array([mean, np.maximum(change, 1e-6 * mean) + 1e-150])

    @cached_property
    def inside(self) -> np.ndarray:
        """Return where the values of each series are, shape (S, T)."""
        return np.asarray(np.arange(len(self.y)) >= self.first[:, None])

    def rows(self, which: np.ndarray) -> Past:
        """Return some of the series, without the time before the first of them."""
        y = np.ascontiguousarray(self.y[:, which])
        part = replace(self, y=y, first=self.first[which])
        part.__dict__["size"] = self.size[:, which]
        return part

    def place(self, number: int, places: int) -> np.ndarray:
        """Return the rows of a place of the season of each series, from its first on.

        Places lie by column: so series that begin at different times stand together,
        and each has the same numbers alone.
        """
        return np.asarray(FIRST_PLACE + (number + self.first) % places)

    def misfit(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return T log(mean squared error) with numbers (N, S), and the last states."""
        errors, told, last = _walked(self, numbers[:, None])
        power = (errors[:, 0] ** 2).sum(axis=1) * told[0] ** 2
        return self._misfit(power), last[:, 0]

    def _misfit(self, power: np.ndarray) -> np.ndarray:
        least = (_EXACT * self.size[0]) ** 2 + 1e-300
        return np.asarray(self.length * np.log(power / self.length + least))


def walk(past: Past, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk through the past with numbers (N, P, S): P of them for each series.

    Returns
    -------
    tuple of ndarray
        Errors, shape (T, P, S); where they are relative, the geometric mean of what
        was told, shape (P, S), else 1; and the last states, shape (N, P, S), with what
        log odds stand for in place of these.
    """
    errors, told, state = _walked(past, numbers)
    return errors.transpose(2, 1, 0), told, state


def _walked(
    past: Past, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk as `walk` does; errors of shape (S, P, T), those of a series together."""
    state = np.array(numbers)
    state[:LEVEL] = 1.0 / (1.0 + np.exp(-numbers[:LEVEL]))
    if past.trend == "x":
        state[1] -= 0.5
    else:
        state[1] *= state[0]
    state[2] *= 1.0 - state[0]
    state[3] = _DAMPED + _DAMPING * state[3] if past.trend == "d" else 1.0
    if not past.trend:
        state[RISE] = 0.0
    with np.errstate(all="ignore"):
        errors = _steps(past, state)
        if not past.relative:
            return errors, np.ones(numbers.shape[1:]), state
        values, inside = past.y.T[:, None], past.inside[:, None]
        told = np.where(inside, values - errors, 1.0)
        errors = np.where(inside, errors / told, 0.0)
        logs = np.log(told).sum(axis=2)
        return errors, np.exp(logs.T / past.length), state


def _steps(past: Past, state: np.ndarray) -> np.ndarray:
    """Take states (N, P, S) through the past, in place; return errors (S, P, T).

    Series lie side by side in memory: so all of them take a step together, those that
    begin first on top.
    """
    if past.compiled:
        from pmo_analytics.forecasting.models.kernel import steps

        return steps(past.y, past.first, state, past.trend, past.season)
    errors = np.zeros((len(past.y), *state.shape[1:]))
    began = np.searchsorted(past.first, np.arange(len(past.y)), side="right")
    for k in np.unique(began[began > 0]).tolist():
        begin, end = np.searchsorted(began, [k, k + 1]).tolist()
        live = state[:, :, :k]
        values, here = past.y[begin:end, :k], errors[begin:end, :, :k]
        if past.trend == "x":
            _go_complex(values, live, here)
        else:
            _go(past, values, live, here, begin)
    return np.ascontiguousarray(errors.transpose(2, 1, 0))


def _go(
    past: Past, values: np.ndarray, state: np.ndarray, errors: np.ndarray, begin: int
) -> None:
    """Take states (N, P, S) through values (T, S) from column `begin` on, in place.

    Nothing in the loop asks for memory: that takes as long as the sums.
    """
    alpha, beta, gamma, phi, level, rise = state[:FIRST_PLACE]
    places = state[FIRST_PLACE:]
    moves = past.trend in ("a", "d")
    step, told = np.empty(level.shape), np.empty(level.shape)
    for t, (value, error) in enumerate(zip(values, errors, strict=True), begin):
        if past.trend == "d":
            np.multiply(phi, rise, out=rise)
        if past.trend:
            np.add(level, rise, out=level)
        base = error
        if past.season:
            place = places[t % len(places)]
            put_on = np.multiply if past.season == "m" else np.add
            put_on(level, place, out=told)
            np.subtract(value, told, out=error)
            np.multiply(gamma, error, out=step)
            if past.season == "m":
                np.divide(step, level, out=step)
                np.divide(error, place, out=told)
                base = told
            np.add(place, step, out=place)
        else:
            np.subtract(value, level, out=error)
        np.multiply(alpha, base, out=step)
        np.add(level, step, out=level)
        if moves:
            np.multiply(beta, base, out=step)
            np.add(rise, step, out=rise)


def _go_complex(values: np.ndarray, state: np.ndarray, errors: np.ndarray) -> None:
    """Take complex levels through values, as `_go` does (`smoothing.complex_ahead`)."""
    alpha, growth, _, _, level, unseen = state[:FIRST_PLACE]
    apart, both = alpha - growth, alpha + growth + 2.0
    for value, error in zip(values, errors, strict=True):
        np.subtract(value, level, out=error)
        left = level - alpha * unseen
        level += growth * unseen
        level += apart * error
        np.add(left, both * error, out=unseen)


def fitted(past: Past, opening: np.ndarray, *, places: bool = True) -> np.ndarray:
    """Return the best numbers (N, S), from an opening on.

    The smallest T log(mean squared error) + the sum of
    `Past.sure` (log odds - `Past.odds`)^2. Of a
    shape with relative errors these are taken times the geometric mean of what was
    told, which is the likelihood of either; the places of a season add up to as much
    as in the opening, or stay what they are there without `places`.
    """
    used = [0, LEVEL]
    used += [1] if past.trend in ("a", "d", "x") else []
    used += [3] if past.trend == "d" else []
    used += [RISE] if past.trend not in ("", "h") else []
    used += [2] if past.season else []
    walks = _WALKS if places else _WALKS_NEAR
    numbers = _improved(past, opening, np.array(sorted(used)), walks)
    if places and past.season and len(opening) - FIRST_PLACE <= MOST_PLACES:
        used += range(FIRST_PLACE, len(opening) - 1)
        numbers = _improved(past, numbers, np.array(sorted(used)), _WALKS_SEASON)
    return numbers


# Places of a season that are fitted; of longer ones too few years are known.
MOST_PLACES = 12


def _improved(
    past: Past, opening: np.ndarray, used: np.ndarray, walks: int
) -> np.ndarray:
    count, numbers = len(used), opening.shape[1]
    best, goal = opening.copy(), np.full(numbers, np.inf)
    pull, size = np.full(numbers, 0.01), np.zeros(numbers)
    matrix, slope = np.zeros((numbers, count, count)), np.zeros((numbers, count))
    rows, trial = np.arange(numbers), opening.copy()
    for turn in range(walks):
        part, last = past.rows(rows), turn == walks - 1
        if last:
            # Nothing is moved after it: how the numbers move errors need not be known.
            fit, _ = part.misfit(trial)
        else:
            power, normal, gradient = _derived(part, trial, used)
            fit = part._misfit(power)
        away = trial[:LEVEL] - past.odds[:, None]
        told = fit + past.sure @ away**2
        better = told < goal[rows]
        gain = goal[rows] - told
        won = rows[better]
        best[:, won], goal[won] = trial[:, better], told[better]
        if last:
            break
        matrix[won], slope[won] = normal[better], gradient[better]
        size[won] = power[better]
        pull[rows] *= np.where(better, 0.2, 10.0)
        still = np.where(better, gain > _ENOUGH, pull[rows] < 1e3)
        rows = rows[still & np.isfinite(goal[rows])]
        if not len(rows):
            break
        move = _solved(matrix[rows], slope[rows], np.maximum(pull[rows], 1e-7))
        # What the squares say is to be won yet.
        hoped = -(move * slope[rows]).sum(axis=1) / np.maximum(size[rows], 1e-300)
        worth = past.length[rows] * hoped > _HOPE
        rows, move = rows[worth], move[worth]
        if not len(rows):
            break
        trial = _moved(past.rows(rows), best[:, rows], used, move.T)
    return best


def _derived(
    past: Past, numbers: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sum of squares, and half the second and first derivatives of it.

    Shapes (S,), (S, n, n) and (S, n); of what is believed the derivatives as well.
    """
    mean, change = past.size
    plain = used[used < FIRST_PLACE]
    step = np.full((len(used), numbers.shape[1]), _ODDS_STEP)
    step[used >= LEVEL] = _STATE_STEP * change
    if past.season == "m":
        step[used >= FIRST_PLACE] /= np.maximum(mean, 1e-150)
    with_places = len(plain) < len(used)
    lanes = np.repeat(numbers[:, None], len(plain) + 1 + with_places, axis=1)
    for lane, (number, size) in enumerate(zip(plain, step, strict=False), 1):
        lanes[number, lane] += size
    if with_places:
        # One lane for all places: each moves the errors as the one before, later.
        places, every = len(numbers) - FIRST_PLACE, np.arange(numbers.shape[1])
        lanes[past.place(0, places), -1, every] += step[-1]
    errors, told, _ = _walked(past, lanes)
    with np.errstate(all="ignore"):
        raw = errors[:, 0], errors[:, -1]
        own, moved = raw[0], errors[:, 1 : len(plain) + 1]
        if past.relative:
            own = own * told[0][:, None]
            moved = moved * told[1 : len(plain) + 1].T[:, :, None]
        slopes = np.empty((own.shape[0], len(used), own.shape[1]))
        np.subtract(moved, own[:, None], out=slopes[:, : len(plain)])
        if with_places:
            late, lag = slopes[:, len(plain) :], raw[1] - raw[0]
            if not past.relative:
                _delayed(past, numbers, lag, late)
            else:
                # The logarithm of what is told is what moves alike, and the mean of
                # what is told with it, which errors are taken times.
                _delayed(past, numbers, lag / (1.0 + raw[0]), late)
                mean_told = late.sum(axis=2) / past.length[:, None]
                late *= (1.0 + raw[0])[:, None]
                late -= raw[0][:, None] * mean_told[:, :, None]
                late *= told[0][:, None, None]
        power = (own**2).sum(axis=1)
        each = 1.0 / step.T
        normal = slopes @ slopes.transpose(0, 2, 1)
        normal *= each[:, :, None] * each[:, None]
        gradient = (slopes @ own[:, :, None])[:, :, 0] * each
    belief = power / past.length
    for k in np.flatnonzero(used < LEVEL):
        normal[:, k, k] += past.sure[used[k]] * belief
        away = numbers[used[k]] - past.odds[used[k]]
        gradient[:, k] += past.sure[used[k]] * belief * away
    return power, normal, gradient


def _delayed(
    past: Past, numbers: np.ndarray, moved: np.ndarray, slopes: np.ndarray
) -> None:
    """Write how each place of the season moves the errors (S, places - 1, T).

    As the first one does, `moved` (S, T), so many periods later; and the last one the
    other way. That is exact where the season is added; where it is multiplied it holds
    for shares of the places, as far as errors are small beside what is told.
    """
    count, periods = moved.shape
    places = len(numbers) - FIRST_PLACE
    padded = np.zeros((count, periods + places - 1))
    padded[:, places - 1 :] = moved
    late = np.lib.stride_tricks.sliding_window_view(padded, periods, axis=1)[:, ::-1]
    if past.season != "m":
        np.subtract(late[:, :-1], late[:, -1:], out=slopes)
        return
    rows = np.array([past.place(k, places) for k in range(places)])
    own = numbers[rows, np.arange(count)].T[:, :, None]
    np.multiply(late[:, :-1], own[:, :1] / own[:, :-1], out=slopes)
    slopes -= late[:, -1:] * (own[:, :1] / own[:, -1:])


def _solved(matrix: np.ndarray, slope: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Return the step that lowers the squares most, drawn to none by `pull`."""
    size = np.sqrt(np.maximum(np.einsum("snn->sn", matrix), 0.0))
    size = np.where(size > 0.0, size, 1.0)
    even = matrix / size[:, :, None] / size[:, None, :]
    places = np.arange(matrix.shape[1])
    even[:, places, places] = 1.0 + pull[:, None]
    move = np.linalg.solve(even, (-slope / size)[:, :, None])[:, :, 0]
    return np.asarray(move / size)


def _moved(
    past: Past, best: np.ndarray, used: np.ndarray, move: np.ndarray
) -> np.ndarray:
    """Return numbers (N, S) and a move (n, S) of those that are used."""
    result = best.copy()
    places, every = len(best) - FIRST_PLACE, np.arange(best.shape[1])
    for number, step in zip(used, move, strict=True):
        if number < LEVEL:
            moved = result[number] + np.clip(step, -_LEAP, _LEAP)
            result[number] = np.clip(moved, -_FAR, _FAR)
        elif number < FIRST_PLACE:
            result[number] += step
        else:
            result[past.place(number - FIRST_PLACE, places), every] += step
            result[past.place(places - 1, places), every] -= step
    return result
