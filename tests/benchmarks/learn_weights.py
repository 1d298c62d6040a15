"""Learns how much each member of the combination counts, and prints it.

    python tests/benchmarks/learn_weights.py      a few minutes

From the M1 and M3 competitions, of each set alone and of both, with what that gives on
each: so that a whole set is left out. The numbers of both are those of
`pmo_analytics/forecasting/models/combination.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.optimize import minimize

from pmo_analytics.forecasting.models.combination import Liking
from pmo_analytics.forecasting.models.members import MEMBERS, told_by_members
from pmo_analytics.forecasting.models.series import read_series
from tests.benchmarks.bench_forecast import KINDS, SETS, competition, losses

# Numbers of `Liking`, the last of them by its logarithm.
NAMES = [field.name for field in fields(Liking)]
# What draws log odds to 0: a set has few kinds of series.
RIDGE = 0.002


@dataclass(frozen=True)
class Told:
    """What the members say of a set: forecasts, criteria, and what came after."""

    y: np.ndarray
    actual: np.ndarray
    season: int
    members: np.ndarray
    apart: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Return what errors of each series are divided by, shape (S, 1)."""
        moves = np.abs(self.y[:, self.season :] - self.y[:, : -self.season])
        return np.asarray(np.nanmean(moves, axis=1)[:, None])


def read(name: str, kind: str) -> Told:
    """Return what the members say of a kind of series of a set."""
    horizon, season = KINDS[kind]
    y, actual = competition(name, kind)
    known = np.nanmean(np.abs(y[:, season:] - y[:, :-season]), axis=1) > 0.0
    series = read_series(y[known])
    members, criterion = told_by_members(series, horizon, season)
    rows = series.order
    members = np.maximum(members, 0.0)
    apart = criterion - criterion.min(axis=0)
    return Told(y[known][rows], actual[known][rows], season, members, apart)


# Members x numbers: 1 where a number counts.
PARTS = np.array(
    [
        [Liking(**{name: float(name == wanted) for name in NAMES}).of(member)
         for wanted in NAMES[:-1]]
        for member in MEMBERS
    ]
)  # fmt: skip


def forecast(told: Told, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (members, S) and the forecast (S, H) that they give."""
    patience = 2.0 * np.exp(numbers[-1])
    odds = (PARTS @ numbers[:-1])[:, None] - told.apart / patience
    weight = np.exp(odds - odds.max(axis=0))
    weight /= weight.sum(axis=0)
    return weight, (weight[:, :, None] * told.members).sum(axis=0)


def loss(numbers: np.ndarray, sets: list[Told]) -> tuple[float, np.ndarray]:
    """Return scaled and relative errors beside those of the plain mean; derivatives."""
    total, slope = RIDGE * (numbers[:-1] ** 2).sum(), 2.0 * RIDGE * numbers
    slope[-1] = 0.0
    for told in sets:
        weight, mean = forecast(told, numbers)
        _, plain = forecast(told, np.append(np.zeros(len(NAMES) - 1), 4.0))
        error, usual = mean - told.actual, np.abs(plain - told.actual)
        both = np.abs(mean) + np.abs(told.actual) + 1e-9
        scaled = 1.0 / told.scale / (usual / told.scale).mean() / error.size
        relative = 1.0 / (usual / both).mean() / error.size
        total += (np.abs(error) * (scaled + relative / both)).sum() / len(sets)
        each = np.sign(error) * (scaled + relative / both)
        each -= relative * np.abs(error) / both**2
        moved = weight * ((told.members - mean) * each).sum(axis=2) / len(sets)
        slope[:-1] += PARTS.T @ moved.sum(axis=1)
        apart = np.where(weight > 0.0, told.apart, 0.0)
        slope[-1] += (moved * apart).sum() / (2.0 * np.exp(numbers[-1]))
    return float(total), slope


def learnt(sets: list[Told]) -> np.ndarray:
    """Return the best numbers for some sets."""
    begin = np.append(np.zeros(len(NAMES) - 1), np.log(4.0))
    bounds = [(-6.0, 6.0)] * (len(NAMES) - 1) + [(-1.0, 4.0)]
    found = minimize(loss, begin, (sets,), "L-BFGS-B", jac=True, bounds=bounds)
    return np.asarray(found.x)


def main() -> None:
    """Print the numbers and what they give."""
    for title, kinds in (
        ("long enough for a season", ("MONTHLY", "QUARTERLY")),
        ("others", ("YEARLY",)),
    ):
        told = {(name, kind): read(name, kind) for name in SETS for kind in kinds}
        for source in (("M1",), ("M3",), ("M1", "M3")):
            numbers = learnt(
                [each for (name, _), each in told.items() if name in source]
            )
            values = np.append(numbers[:-1], np.exp(numbers[-1])).round(2)
            print(f"{title}, learnt on {' and '.join(source)}:")
            print("   ", dict(zip(NAMES, values.tolist(), strict=True)))
            for (name, kind), each in told.items():
                mean = forecast(each, numbers)[1]
                smape, mase = losses(each.y, mean, each.actual, each.season)
                left_out = "" if name in source else ", left out"
                print(
                    f"    {name} {kind}: sMAPE {smape:.2f}, MASE {mase:.4f}{left_out}"
                )


if __name__ == "__main__":
    main()
