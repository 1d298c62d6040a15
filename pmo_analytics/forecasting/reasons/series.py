"""What a history says of its future: level, trend, season, breaks, model, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting.breaks import Break
from pmo_analytics.forecasting.intervals import past_errors
from pmo_analytics.forecasting.models.registry import NAIVE, find_model, name_of
from pmo_analytics.forecasting.models.siblings import lent_by
from pmo_analytics.forecasting.reasons.piece import (
    SMALL,
    Piece,
    counted,
    each,
    fte,
    shown,
)
from pmo_analytics.forecasting.reasons.seen import Seen

# Periods ahead that errors are told of, at most.
_MOST_AHEAD = 12
_NAIVE_WORDS = {
    "naive": "repeating the last value",
    "seasonal_naive": "repeating last year",
}


def tell_series(
    piece: Piece,
    seen: Seen,
    role: str,
    periods: pd.PeriodIndex,
    mean: np.ndarray,
    what: str,
) -> None:
    """Say what is forecast from the history of a role, and from what.

    Parameters
    ----------
    mean
        Of the futures of this history, by period.
    what
        What it is the history of.
    """
    k = list(seen.past.columns).index(role)
    path = _path(seen, k, len(periods))
    level, trend, season = split(path, seen.season, len(periods))
    by_days = path[: len(periods)] * (
        seen.days.ahead(len(seen.past), len(periods))[k] - 1.0
    )
    # What the range adds on one side, where it is cut at 0, stays a part of its own.
    piece.parts |= {
        f"{what}: level": np.full(len(periods), level),
        f"{what}: trend": trend,
        f"{what}: season": season,
        **({f"{what}: working days": by_days} if seen.days.follows[k] else {}),
        f"{what}: range, off centre": mean - path[: len(periods)] - by_days,
    }
    _tell_shape(piece, seen, k, periods, level, trend, season)
    if seen.days.follows[k]:
        piece.say(
            "season",
            "Besides, it follows the working days of each period, as hours do.",
        )
    _tell_breaks(piece, seen, k)
    _tell_model(piece, seen, k, len(periods))
    _tell_range(piece, seen, k, len(periods))
    _tell_history(piece, seen, k, what)


def _path(seen: Seen, k: int, ahead: int) -> np.ndarray:
    """Return the model's forecast, two seasons long at least."""
    model = find_model(seen.used[k])
    reach = max(ahead, 2 * seen.season)
    path = np.nan_to_num(model(seen.calm.y[k : k + 1], reach, seen.season)[0])
    return np.asarray(path * seen.loan.ahead(len(seen.past), reach)[k])


def split(
    path: np.ndarray, season: int, ahead: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return level, trend and season of a forecast, which add up to it.

    The slope is what a season later is more on average, the season what the first one
    is away from a line of that slope, the level where that line begins, one period
    before the forecast, and the trend what is left.

    Parameters
    ----------
    path
        Forecasts, two seasons or more.
    ahead
        How many of them are asked for.

    Returns
    -------
    tuple
        A number, and two arrays of `ahead` values.
    """
    season = max(season, 1)
    slope = float((path[season : 2 * season] - path[:season]).mean()) / season
    steps = np.arange(1, season + 1)
    level = float((path[:season] - slope * steps).mean())
    pattern = path[:season] - slope * steps - level
    waves = pattern[np.arange(ahead) % season]
    return level, path[:ahead] - level - waves, waves


def _tell_shape(
    piece: Piece,
    seen: Seen,
    k: int,
    periods: pd.PeriodIndex,
    level: float,
    trend: np.ndarray,
    season: np.ndarray,
) -> None:
    own = seen.past.iloc[:, k].dropna()
    small = max(SMALL, 0.01 * abs(level))
    last = ""
    if len(own):
        end = own.index[-1]
        last = f"; the last value is {fte(own.iloc[-1])} in {format_period(end)}"
        piece.add("level", "last value", own.iloc[-1], end)
    piece.say("level", f"The forecast begins from {fte(level)} FTE{last}.")
    piece.add("level", "where the forecast begins", level)
    rise = float(trend[-1])
    end = format_period(periods[-1])
    if np.abs(trend).max() < small:
        piece.say("trend", "None: the level stays.")
    else:
        piece.say("trend", f"{fte(rise, sign=True)} FTE until {end}.")
    piece.add("trend", "until the end", rise, periods[-1])
    if seen.season > 1 and np.ptp(season) >= small:
        high, low = int(season.argmax()), int(season.argmin())
        piece.say(
            "season",
            f"Highest in {format_period(periods[high])} "
            f"({fte(season[high], sign=True)} FTE), lowest in "
            f"{format_period(periods[low])} ({fte(season[low], sign=True)} FTE)."
            f"{_lent(seen, k)}",
        )
        piece.add("season", "highest", season[high], periods[high])
        piece.add("season", "lowest", season[low], periods[low])
        return
    least = 2 * seen.season + 1
    short = 1 < len(own) < least and seen.season > 1
    piece.say(
        "season",
        f"None: {counted(len(own), 'value')} of history, a season needs {least}."
        if short
        else f"None: no {each(periods)} of a year is like that of another."
        if seen.season > 1
        else "None: periods are years.",
    )


def _lent(seen: Seen, k: int) -> str:
    text = lent_by(seen.loan, k)
    return f" {text[:1].upper()}{text[1:]}"


def _tell_breaks(piece: Piece, seen: Seen, k: int) -> None:
    own = [one for one in seen.calm.breaks if one.row == k]
    index = seen.past.index
    rows = [(index[one.column], one.kind, one.size) for one in own]
    if rows:
        piece.breaks = pd.DataFrame(rows, columns=list(piece.breaks.columns))
    levels = [one for one in own if one.kind in ("shift", "trend")]
    singles = [one for one in own if one.kind in ("outlier", "last")]
    for topic, some, none in (
        ("break", levels, "None: the history is on one level, or moves all the time."),
        ("outliers", singles, "None."),
    ):
        texts = [_break_text(seen, one) for one in some]
        rule = " The column event of history overrules." if texts else ""
        piece.say(topic, (f"{shown(texts)}.{rule}" if texts else none))
        for one in some:
            piece.add(topic, one.kind, one.size, index[one.column])


def _break_text(seen: Seen, one: Break) -> str:
    when = format_period(seen.past.index[one.column])
    size = fte(one.size, sign=True)
    if one.kind == "shift":
        return f"the level moves by {size} FTE in {when}; values before are moved along"
    if one.kind == "trend":
        return f"a trend ended in {when}; it is not continued"
    if one.kind == "last":
        return (
            f"the last value, {when}, stands out by {size} FTE, of which "
            f"{one.stays:.0%} is taken to stay"
        )
    return f"{when} stands out by {size} FTE and does not count"


def _tell_model(piece: Piece, seen: Seen, k: int, ahead: int) -> None:
    asked, used = name_of(seen.asked), name_of(seen.used[k])
    role = seen.past.columns[k]
    wrong = None if seen.wrong is None else seen.wrong.loc[role].dropna()
    known = wrong is not None and asked in wrong and len(wrong) > 1
    if not known or wrong is None:
        why = (
            "the history is too short to try it on the past"
            if seen.short[k]
            else "it was asked for and nothing else was tried"
        )
        piece.say("model", f"{used}: {why}.")
        return
    for name, error in wrong.items():
        piece.add("model", f"mean error of {name} on the past", error)
    steps = min(ahead, _MOST_AHEAD)
    others = ", ".join(
        f"{fte(wrong[name])} for {_NAIVE_WORDS[name]}"
        for name in NAIVE
        if name in wrong
    )
    if used == asked:
        piece.say(
            "model",
            f"{used}: forecast again from earlier, up to {counted(steps, 'period')} "
            f"ahead, it was wrong by {fte(wrong[asked])} FTE on average, against "
            f"{others}.",
        )
    else:
        piece.say(
            "model",
            f"{used}, not {asked}: forecast again from earlier, {asked} was wrong by "
            f"{fte(wrong[asked])} FTE on average, far more than {used} "
            f"({others}).",
        )


def _tell_range(piece: Piece, seen: Seen, k: int, ahead: int) -> None:
    calm = seen.calm
    errors = past_errors(
        calm.y[k : k + 1],
        ahead,
        seen.season,
        find_model(seen.used[k]),
        since=calm.since[k : k + 1],
    )
    known = np.isfinite(errors)
    number, cutoffs = int(known.sum()), int(known.any(axis=2).sum())
    others = seen.past.shape[1] - 1
    beside = f" and those of {counted(others, 'other role')}" if others else ""
    if number:
        after = " since the break" if calm.since[k] else ""
        piece.say(
            "range",
            f"From how wrong the model was: {counted(number, 'error')} of this role's "
            f"own past{after}, from {counted(cutoffs, 'cutoff')}{beside}, laid on "
            "either side alike.",
        )
    else:
        piece.say(
            "range",
            "The history is too short for errors of its own, so the range comes from "
            f"how its values move{beside.replace(' and those', ' and the errors')}.",
        )
    piece.add("range", "errors of its own past", number, unit="count")
    if calm.reach[k] > 0:
        piece.say(
            "range",
            f"It reaches {fte(calm.reach[k])} FTE to either side at least, for the "
            "last value may be a new level.",
        )


def _tell_history(piece: Piece, seen: Seen, k: int, what: str) -> None:
    own = seen.past.iloc[:, k]
    known = own.dropna()
    if known.empty:
        piece.say("history", f"There is no value of {what}.")
        return
    first, last = known.index[0], known.index[-1]
    gaps = len(own.loc[first:last]) - len(known)
    text = (
        f"{counted(len(known), 'value')} of {what} counted, "
        f"{format_period(first)} to {format_period(last)}"
    )
    if gaps:
        text += f"; {counted(gaps, 'gap')} filled on a straight line"
    since = int(seen.calm.since[k])
    if since:
        text += f"; errors from before {format_period(own.index[since])} do not"
    piece.say("history", f"{text}.")
    piece.add("history", "values that counted", len(known), unit="count")
    factor = seen.loan.past(len(own))[k] * seen.days.past(len(own))[k]
    counted_as = seen.calm.y[k] * factor
    piece.past = pd.DataFrame(
        {"history": own, "counted": counted_as},
        index=own.index,
    ).loc[first:]
