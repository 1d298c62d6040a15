"""Ranges and early warning of every running project, and who has been right so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmo_analytics.tracking.chances import brier, calibration_error
from pmo_analytics.tracking.warning.looks import Side, money, read_looks, time
from pmo_analytics.tracking.warning.methods import (
    METHODS,
    earned_value,
    reference_class,
    rest_of,
    throughput,
)
from pmo_analytics.tracking.warning.risks import (
    Warnings,
    held_out,
    say_drivers,
    warn,
)

_LEVELS = (0.5, 0.8)
# A method is judged by so many looks at least before it is preferred.
_LEAST_CASES = 10
# A method whose p80 held much more or less often than that is not preferred.
_HONEST = 0.1
# Nor one that lost hardly less than earned value at the same looks.
_BETTER = 0.95
# So many finished projects tell how right a method is, those that ended last.
_MOST_JUDGED = 200
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Ranges:
    """Ranges of running projects by every method.

    Parameters
    ----------
    projects
        One row a running project, index `project`: `eac_p50, eac_p80` (currency),
        `finish_p50, finish_p80` (days), of the methods that were most right so far;
        `p_late, p_over` (0-1); `drivers` (words); `cost_method, finish_method`. What
        cannot be told is blank.
    table
        One row a project and method: `project, method, eac_p50, eac_p80, finish_p50,
        finish_p80`.
    record
        One row a method: how right it has been on looks at projects that have finished
        since. `cost_cases, cost_p50_held, cost_p80_held` (share that ended within),
        `cost_loss` (mean pinball loss as a share of the plan), `cost_loss_ratio`
        (against that of earned value at the same looks), and `finish_...`.
    chances
        One row a look at a finished project and what it was asked: `project, as_of,
        what` (`cost`: over its plan, `finish`: late), `said` (the chance that other
        projects teach) and `happened`. `reliability(chances["said"],
        chances["happened"])` is the diagram in numbers.
    says
        How right ranges and chances have been so far, in sentences.
    """

    projects: pd.DataFrame
    table: pd.DataFrame
    record: pd.DataFrame
    chances: pd.DataFrame
    says: tuple[str, ...]

    @staticmethod
    def none() -> Ranges:
        """Return what is known where nothing was ever reported."""
        columns = [
            "project",
            "method",
            "eac_p50",
            "eac_p80",
            "finish_p50",
            "finish_p80",
        ]
        blank = pd.DataFrame()
        return Ranges(blank, pd.DataFrame(columns=columns), blank, blank, ())


def project_ranges(
    looks: pd.DataFrame,
    *,
    simulated: Mapping[str, pd.DataFrame] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Ranges:
    """Return p50 and p80 of cost and finish of running projects, and their risks.

    Parameters
    ----------
    looks
        One row a project and status date: `project, as_of` (day), `bac` (budget at
        completion), `ev`, `ac` (earned value and actual cost so far; currency), and,
        where known, `start, planned_finish` (days of the baseline), `es_days` (earned
        schedule in days; blank = the share earned of the planned days), and for a
        finished project `finished` (day) and `cost` (what it came to). The newest look
        of each project that is not finished is answered.
    simulated
        `cost` and `finish`: frames by project with `p50, p80` (currency; days).
    draws, seed
        Of the Monte Carlo of throughput.

    Raises
    ------
    DataError
        If a column is missing, a cell holds no number or day, or a look is there twice.

    Examples
    --------
    >>> looks = pd.DataFrame({"project": ["A"], "as_of": ["2027-03-31"],
    ...     "bac": [100.0], "ev": [40.0], "ac": [60.0]})
    >>> ranges = project_ranges(looks)
    >>> bool(ranges.projects.loc["A", "eac_p50"] > 120)
    True
    """
    table = read_looks(looks)
    project = pd.factorize(table["project"])[0]
    sides = {"cost": money(table), "finish": time(table)}
    ended = table["finished"].notna() | table["cost"].notna()
    running = ~ended.groupby(table["project"]).transform("any").to_numpy()
    newest = ~table.duplicated("project", keep="last").to_numpy()
    rows = np.flatnonzero(running & newest)
    newest_ended = _last_ended(table, project)
    found: dict[str, dict[str, np.ndarray]] = {}
    judged: dict[str, pd.DataFrame] = {}
    warned: dict[str, Warnings] = {}
    asked: list[pd.DataFrame] = []
    for what, side in sides.items():
        rest = rest_of(side, project)
        found[what] = _all_methods(side, project, rows, draws, seed)
        found[what]["simulation"] = _given(table, rows, what, simulated)
        judged[what] = _judge(side, project, newest_ended, draws, seed)
        warned[what] = warn(side, rest, project, np.isfinite(side.final))
        asked.append(_chances(table, what, side, held_out(side, project)))
    long = _long(table, rows, found)
    record = (
        judged["cost"].add_prefix("cost_").join(judged["finish"].add_prefix("finish_"))
    )
    projects = _best(long, judged, table["project"].to_numpy()[rows])
    projects["p_late"] = warned["finish"].chance[rows]
    projects["p_over"] = warned["cost"].chance[rows]
    projects["drivers"] = [
        "; ".join(filter(None, pair))
        for pair in zip(
            say_drivers(warned["cost"], sides["cost"], rows.tolist(), "cost"),
            say_drivers(warned["finish"], sides["finish"], rows.tolist(), "time"),
            strict=True,
        )
    ]
    chances = pd.concat(asked, ignore_index=True)
    finished = len(newest_ended)
    return Ranges(
        projects, long, record, chances, _sentences(record, chances, finished)
    )


def _chances(
    table: pd.DataFrame, what: str, side: Side, said: np.ndarray
) -> pd.DataFrame:
    """Return what was said of looks at finished projects, and what happened."""
    rows = np.isfinite(said)
    frame = table.loc[rows, ["project", "as_of"]].assign(
        what=what, said=said[rows], happened=side.final[rows] > 1.0 + 1e-9
    )
    return frame.reset_index(drop=True)


def _sentences(
    record: pd.DataFrame, chances: pd.DataFrame, finished: int
) -> tuple[str, ...]:
    """Return how right ranges and chances have been, in words."""
    counts = record.loc["earned_value", ["cost_cases", "finish_cases"]].astype(int)
    if (counts < _LEAST_CASES).all():
        most = counts.max()
        return (
            f"Ranges and chances: {most} report{'' if most == 1 else 's'} of finished"
            " projects, too few to say how right they have been.",
        )
    said = []
    for what, word, event in (
        ("cost", "cost", "going over"),
        ("finish", "finish", "being late"),
    ):
        cases = int(counts[f"{what}_cases"])
        if cases < _LEAST_CASES:
            continue
        held = record.at["earned_value", f"{what}_p80_held"]
        text = (
            f"At {cases} reports of {finished} finished projects the p80 of {word} by"
        )
        text += f" earned value held {100 * held:.0f} % (80 % is right)"
        own = chances[chances["what"] == what]
        if len(own) >= _LEAST_CASES:
            error = calibration_error(own["said"], own["happened"], 5)
            score = brier(own["said"], own["happened"])
            text += f"; chances of {event} were off by {error:.2f} in the mean"
            text += f" (Brier score {score:.2f})"
        said.append(f"{text}.")
    return tuple(said)


def _all_methods(
    side: Side, project: np.ndarray, rows: np.ndarray, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Return p50 and p80 by each method as shares of the plan: shape (rows, 2)."""
    return {
        "earned_value": earned_value(side, rest_of(side, project, rows))[rows],
        "reference_class": reference_class(side, project, rows),
        "throughput": throughput(side, project, rows, draws, seed),
    }


def _given(
    table: pd.DataFrame,
    rows: np.ndarray,
    what: str,
    simulated: Mapping[str, pd.DataFrame] | None,
) -> np.ndarray:
    """Return what a simulation said, as shares of the plan."""
    given = (simulated or {}).get(what)
    if given is None:
        return np.full((len(rows), 2), np.nan)
    cells = given[["p50", "p80"]].reindex(table["project"].iloc[rows])
    if what == "cost":
        return cells.to_numpy(dtype=float) / table["bac"].to_numpy()[rows, None]
    start = table["start"].to_numpy()[rows, None]
    planned = table["planned_finish"].to_numpy()[rows, None] - start
    days = cells.apply(pd.to_datetime).to_numpy()
    return np.asarray((days - start) / _DAY / (planned / _DAY))


def _last_ended(table: pd.DataFrame, project: np.ndarray) -> np.ndarray:
    """Return the numbers of the projects that methods are judged by, in order."""
    ends = table["finished"].fillna(table["as_of"]).to_numpy()
    over = np.flatnonzero(
        (table["finished"].notna() | table["cost"].notna()).to_numpy()
    )
    latest = over[np.argsort(ends[over], kind="stable")[::-1]]
    _, first = np.unique(project[latest], return_index=True)
    return np.sort(project[latest[np.sort(first)[:_MOST_JUDGED]]])


def _judge(
    side: Side, project: np.ndarray, judged: np.ndarray, draws: int, seed: int
) -> pd.DataFrame:
    """Return how right each method was at looks of projects that have finished.

    Each finished project is answered from the others alone.
    """
    said = {name: [np.empty((0, 2))] for name in METHODS}
    came = []
    teaches = side.teaches
    for number in np.intersect1d(judged, project[teaches]):
        own = project == number
        blind = Side(side.used, side.earned, np.where(own, np.nan, side.final))
        rows = np.flatnonzero(own & teaches)
        answers = _all_methods(blind, project, rows, draws, seed)
        for name in METHODS:
            said[name].append(answers.get(name, np.full((len(rows), 2), np.nan)))
        came.append(side.final[rows])
    final = np.concatenate(came) if came else np.zeros(0)
    peer = np.concatenate(said["earned_value"])
    lines = [_judged(np.concatenate(said[name]), peer, final) for name in METHODS]
    return pd.DataFrame(lines, index=pd.Index(METHODS, name="method"))


def _judged(said: np.ndarray, peer: np.ndarray, final: np.ndarray) -> dict[str, float]:
    """Return how right answers were, and their loss against the peer's on the same."""
    known = np.isfinite(said).all(axis=1)
    cases = int(known.sum())
    if not cases:
        blank = dict.fromkeys(("p50_held", "p80_held", "loss", "loss_ratio"), np.nan)
        return {"cases": 0, **blank}
    held = (final[known, None] - said[known] <= 1e-9).mean(axis=0)
    loss, other = (_pinball(a[known], final[known]) for a in (said, peer))
    return {
        "cases": cases,
        "p50_held": float(held[0]),
        "p80_held": float(held[1]),
        "loss": loss,
        "loss_ratio": loss / other if other else np.nan,
    }


def _pinball(said: np.ndarray, final: np.ndarray) -> float:
    gap = final[:, None] - said
    level = np.array(_LEVELS)
    return float(np.maximum(level * gap, (level - 1.0) * gap).mean())


def _long(
    table: pd.DataFrame, rows: np.ndarray, found: Mapping[str, dict[str, np.ndarray]]
) -> pd.DataFrame:
    """Return the ranges of every project and method in currency and days."""
    names = table["project"].to_numpy()[rows]
    bac = table["bac"].to_numpy(dtype=float)[rows, None]
    start = table["start"].to_numpy()[rows, None]
    planned = table["planned_finish"].to_numpy()[rows, None] - start
    parts = []
    for method in METHODS:
        cost = found["cost"][method] * bac
        days = np.ceil(found["finish"][method] * (planned / _DAY))
        finish = start + _days(days)
        part = pd.DataFrame({"project": names, "method": method})
        part["eac_p50"], part["eac_p80"] = cost[:, 0], np.max(cost, axis=1)
        part["finish_p50"], part["finish_p80"] = finish[:, 0], finish[:, 1]
        parts.append(part)
    return (
        pd.concat(parts, ignore_index=True)
        .sort_values("project", kind="stable", ignore_index=True)
        .dropna(subset=["eac_p50", "finish_p50"], how="all")
        .reset_index(drop=True)
    )


def _days(days: np.ndarray) -> np.ndarray:
    """Return whole days as durations, NaT where there are none."""
    # Three centuries: a project that has earned nothing has no end in sight.
    known = np.isfinite(days) & (days < 110_000)
    span = np.full(days.shape, np.timedelta64("NaT", "D"))
    span[known] = days[known].astype("timedelta64[D]")
    return span


def _best(
    long: pd.DataFrame, judged: Mapping[str, pd.DataFrame], names: np.ndarray
) -> pd.DataFrame:
    """Return the ranges by the methods that were most right so far."""
    projects = pd.DataFrame(index=pd.Index(names, name="project"))
    for what, columns in (
        ("cost", ["eac_p50", "eac_p80"]),
        ("finish", ["finish_p50", "finish_p80"]),
    ):
        record = judged[what]
        enough = record["cases"] >= _LEAST_CASES
        honest = (record["p80_held"] - _LEVELS[1]).abs() <= _HONEST
        losses = record["loss_ratio"][enough & honest]
        order = [*losses[losses <= _BETTER].sort_values().index, "earned_value"]
        rank = {name: place for place, name in reversed(list(enumerate(order)))}
        known = long.dropna(subset=columns)
        known = known[known["method"].isin(rank)]
        known = known.sort_values("method", key=lambda c: c.map(rank), kind="stable")
        first = known.drop_duplicates("project").set_index("project")
        projects[columns] = first[columns].reindex(projects.index)
        projects[f"{what}_method"] = first["method"].reindex(projects.index)
    return projects
