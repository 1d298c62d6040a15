"""How good the early warning and the ranges of cost are, on ten years of SiP tasks.

    python tests/benchmarks/bench_warning.py

The pieces of work that had ended by a day teach; those that ended later are answered,
each at a quarter, half and three quarters of its hours: in one table those seen after a
day at which 40 to 70 % had ended, in the other every look once, on its own day, with
what had ended by then (ten pieces at least). Peers: the share of those that taught
which went over (base rate), and a logistic regression on the ratio of hours spent and
estimated so far alone. All learn from the same rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.tracking import brier, calibration_error, project_ranges, reliability
from pmo_analytics.tracking.chances import chance, fit_chance
from tests.support.real_data import DATA
from tests.support.sip import MOMENTS, sip_looks

SHARES = (0.4, 0.5, 0.6, 0.7)


def ratio_so_far(known: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    """Return the chances by the ratio of spent and estimated so far alone."""

    def table(frame: pd.DataFrame) -> np.ndarray:
        ratio = np.log((frame["ac"] / frame["ev"]).clip(0.05, 20))
        return np.column_stack([np.ones(len(frame)), ratio])

    weights = fit_chance(
        table(known),
        known["over"].to_numpy(dtype=float),
        penalty=np.array([0.0, 1e-3]),
        prior=np.zeros(2),
    )
    return chance(table(asked), weights)


def judged(looks: pd.DataFrame, share: float, moment: float) -> pd.DataFrame:
    """Return the looks at a moment after a day, answered from what ended before."""
    ends = looks.groupby("project")["ended"].first().sort_values()
    day = ends.iloc[int(share * len(ends))]
    known = looks[looks["ended"] <= day]
    later = looks[(looks["ended"] > day) & (looks["as_of"] > day)]
    later = later[later["moment"] == moment]
    return answered(known, later)


def answered(known: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Return looks with our answer and those of the peers, taught by known ones."""
    both = pd.concat(
        [
            known.assign(finished=known["ended"], cost=known["came_to"]),
            later.assign(finished=pd.NaT, cost=np.nan),
        ]
    )
    answer = project_ranges(both).projects
    own = later.set_index("project")
    return own.assign(
        p=answer["p_over"],
        base=known.groupby("project")["over"].first().mean(),
        ratio=ratio_so_far(known, later),
        p50=answer["eac_p50"],
        p80=answer["eac_p80"],
        method=answer["cost_method"],
    )


def one_by_one(looks: pd.DataFrame, least: int = 10) -> pd.DataFrame:
    """Return every look answered on its day from what had ended by then."""
    parts = []
    for day, asked in looks.groupby("as_of"):
        known = looks[
            (looks["ended"] <= day) & ~looks["project"].isin(asked["project"])
        ]
        if known["project"].nunique() >= least:
            parts.append(answered(known, asked))
    return pd.concat(parts)


def main() -> None:
    """Print the tables."""
    folder = DATA / "effort" / "SiP"
    if not folder.exists():
        print("SiP: not here")
        return
    looks = sip_looks(folder)
    looks["over"] = looks["came_to"] > looks["bac"]
    print(f"{looks['project'].nunique()} pieces of work, {len(looks)} looks")
    tables = []
    print("taught by  seen at  rows  ours   base   ratio  error  p50 held  p80 held")
    for share in SHARES:
        for moment in MOMENTS:
            table = judged(looks, share, moment)
            tables.append(table.assign(moment=moment))
            print(line(f"{share:>8.0%}  {moment:>7.0%}", table), flush=True)
    every = pd.concat(tables)
    for moment in MOMENTS:
        print(line(f"     all  {moment:>7.0%}", every[every["moment"] == moment]))
    for least in (8, 3):
        looks = sip_looks(folder, least)
        looks["over"] = looks["came_to"] > looks["bac"]
        once = one_by_one(looks)
        print(f"every look once, pieces of {least} tasks at least")
        for moment in MOMENTS:
            print(line(f"          {moment:>7.0%}", once[once["moment"] == moment]))
        print(line("              all", once), flush=True)
    print(reliability(every["p"], every["over"]).round(3).to_string())


def line(name: str, table: pd.DataFrame) -> str:
    """Return the figures of looks that were judged."""
    scores = [brier(table[column], table["over"]) for column in ("p", "base", "ratio")]
    held = [
        (table["came_to"] <= table[column] + 1e-9).mean() for column in ("p50", "p80")
    ]
    text = "  ".join(f"{score:.3f}" for score in scores)
    error = calibration_error(table["p"], table["over"], 5)
    shares = f"  {held[0]:>8.1%}  {held[1]:>8.1%}"
    return f"{name}  {len(table):>4}  {text}  {error:.3f}" + shares


if __name__ == "__main__":
    main()
