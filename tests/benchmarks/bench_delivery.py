"""How good the chances and ranges of sprints are, on sprints of three communities.

    python tests/benchmarks/bench_delivery.py [--learn | --each SPRINTS]

Each community alone, the last 30 % of its sprints held back: by sprint number, by file,
by team. `--each 12`: the same sprints, twelve at a time, each time with all that had
finished by then, as a team asks; without it nothing of the last 30 % is ever known. The
peer is a logistic regression on velocity done and time elapsed alone, fitted on the
same rows. The prior is refitted without the community that is judged (the rows
`others`), so nothing of it is known. `--learn` prints the prior of all.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.tracking import brier, calibration_error, forecast_delivery
from pmo_analytics.tracking.chances import chance, fit_chance
from pmo_analytics.tracking.delivery import forecasting as module
from pmo_analytics.tracking.delivery.drivers import SIZE, drivers
from pmo_analytics.tracking.delivery.reading import read_sprints
from tests.support.real_data import DATA
from tests.support.sprints import COMMUNITIES, MOMENTS, read_community, split

FOLDER = DATA / "sprints"
PENALTY = 10.0


def learn(frames: list[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """Return the priors of chance and share that finished sprints teach."""
    tables, short, share = [], [], []
    for frame in frames:
        read = read_sprints(frame)
        done = read.column("done")
        room = np.maximum(read.commitment - done, 0.1 * read.commitment)
        tables.append(drivers(read))
        short.append(read.delivered < read.commitment)
        share.append(np.clip((read.delivered - done) / room, 0, 1))
    penalty = np.full(SIZE, PENALTY)
    penalty[0] = 0.0
    both = [
        fit_chance(
            np.vstack(tables),
            np.concatenate(outcome).astype(float),
            penalty=penalty,
            prior=np.zeros(SIZE),
        )
        for outcome in (short, share)
    ]
    return both[0], both[1]


def peer(known: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    """Return the chances by velocity done against time elapsed alone."""

    def table(frame: pd.DataFrame) -> np.ndarray:
        whole = frame["committed"] + frame["added"] - frame["removed"]
        ahead = (frame["done"] / whole).clip(0, 2) - frame["elapsed"]
        return np.column_stack([np.ones(len(frame)), ahead])

    weights = fit_chance(
        table(known),
        known["short"].to_numpy(dtype=float),
        penalty=np.array([0.0, 1e-3]),
        prior=np.zeros(2),
    )
    return chance(table(asked), weights)


def judged(frame: pd.DataFrame, order: str) -> pd.DataFrame:
    """Return the held-back rows with our answer and the peer's."""
    late = split(frame, order)
    given = frame.drop(columns="short").assign(
        delivered=frame["delivered"].where(~late)
    )
    answer = forecast_delivery(given)
    asked = frame[late]
    return asked.assign(
        p=answer["p_short"],
        low=answer["low"],
        high=answer["high"],
        peer=peer(frame[~late], asked),
    )


def judged_in_turn(frame: pd.DataFrame, order: str, each: int) -> pd.DataFrame:
    """Return the same rows answered `each` at a time, from all that came before."""
    late = split(frame, order).to_numpy()
    place = np.arange(len(frame), dtype=float)
    if order == "sprint":
        place = frame["sprint"].rank(method="first").to_numpy()
    if order == "team":
        turn = frame.groupby("team")["team"].cumcount()
        place = (turn / frame.groupby("team")["team"].transform("size")).to_numpy()
    by = np.argsort(place, kind="stable")
    frame, late = frame.iloc[by], late[by]
    answers = []
    asked = np.flatnonzero(late)
    for first in range(0, len(asked), each):
        own = asked[first : first + each]
        known = frame.iloc[: own[0]]
        rows = frame.iloc[own]
        blank = rows.drop(columns="short").assign(delivered=np.nan)
        given = pd.concat([known.drop(columns="short"), blank], ignore_index=True)
        answer = forecast_delivery(given)
        columns = {n: answer[n].to_numpy() for n in ("low", "high")}
        p = answer["p_short"].to_numpy()
        answers.append(rows.assign(p=p, peer=peer(known, rows), **columns))
    return pd.concat(answers)


def line(name: str, table: pd.DataFrame) -> str:
    """Return the figures of rows that were judged."""
    ours, theirs = (
        brier(table["p"], table["short"]),
        brier(table["peer"], table["short"]),
    )
    held = table["delivered"].between(table["low"] - 1e-9, table["high"] + 1e-9).mean()
    error = calibration_error(table["p"], table["short"])
    return (
        f"{name:<26} {len(table):>5}  {ours:.3f}  {theirs:.3f}"
        f"  {1 - ours / theirs:>6.1%}  {error:.3f}  {held:>6.1%}"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learn", action="store_true")
    if not FOLDER.exists():
        print("sprints: not here")
        return
    frames = {
        (c, m): read_community(FOLDER, c, m) for c in COMMUNITIES for m in MOMENTS
    }
    short = {key: frame.drop(columns="short") for key, frame in frames.items()}
    parser.add_argument("--each", type=int, metavar="SPRINTS")
    options = parser.parse_args()
    if options.learn:
        for prior in learn(list(short.values())):
            print(np.array2string(prior.round(2), separator=", ", max_line_width=80))
        return
    warnings.simplefilter("error")
    whole = module.CHANCE_PRIOR, module.SHARE_PRIOR
    print(f"{'':<26} rows  ours   peer   better  error  held of 80 %")
    for prior in ("of all", "others"):
        for order in ("team", "sprint", "file"):
            for moment in MOMENTS:
                rows = []
                for community in COMMUNITIES:
                    module.CHANCE_PRIOR, module.SHARE_PRIOR = whole
                    if prior == "others":
                        rest = [f for (c, _), f in short.items() if c != community]
                        module.CHANCE_PRIOR, module.SHARE_PRIOR = learn(rest)
                    frame = frames[community, moment]
                    rows.append(
                        judged_in_turn(frame, order, options.each)
                        if options.each
                        else judged(frame, order)
                    )
                name = f"prior {prior}, by {order}, {moment} %"
                print(line(name, pd.concat(rows)), flush=True)
                for community, table in zip(COMMUNITIES, rows, strict=True):
                    print(line(f"    {community}", table), flush=True)


if __name__ == "__main__":
    main()
