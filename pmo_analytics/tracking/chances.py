"""Chances learnt from few rows: a logistic regression that leans on what is usual."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

_MOST = 30.0  # of a log-odds: beyond it a chance is 0 or 1 to thirteen digits


def chance(table: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the chance of each row of a table of drivers.

    Parameters
    ----------
    table
        One row a case, one column a driver; the first column is 1.
    weights
        One number a driver, in log-odds.
    """
    odds = np.clip(table @ weights, -_MOST, _MOST)
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def fit_chance(
    table: np.ndarray,
    outcome: np.ndarray,
    *,
    penalty: np.ndarray,
    prior: np.ndarray,
    counts: np.ndarray | None = None,
) -> np.ndarray:
    """Return the weights that explain outcomes best without straying from a prior.

    Penalised maximum likelihood by Newton's method (ridge regression of le Cessie and
    van Houwelingen 1992): the minimum of the negative log-likelihood plus
    `penalty / 2 * (weight - prior)^2`, added up over the drivers.

    Parameters
    ----------
    table
        Drivers of the cases, shape (cases, drivers).
    outcome
        0 or 1, or a share between them, one a case.
    penalty, prior
        One number a driver. The penalty is how many cases the prior is worth.
    counts
        How much each case counts; blank = each once.
    """
    counts = np.ones(len(table)) if counts is None else counts
    weights = prior.astype(float)
    for _ in range(60):
        expected = chance(table, weights)
        slope = table.T @ (counts * (expected - outcome)) + penalty * (weights - prior)
        curved = counts * np.maximum(expected * (1.0 - expected), 1e-9)
        curve = (table * curved[:, None]).T @ table + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        # A step that is too long for the curve it was made of is shortened.
        weights = weights - step * min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return weights


def brier(expected: Any, outcome: Any) -> float:
    """Return the mean squared error of chances (Brier 1950); nan of no cases.

    Parameters
    ----------
    expected
        Chances, 0 to 1.
    outcome
        What happened: 0 or 1.
    """
    gap = np.asarray(expected, dtype=float) - np.asarray(outcome, dtype=float)
    return float((gap**2).mean()) if len(gap) else float("nan")


def reliability(expected: Any, outcome: Any, bins: int = 10) -> pd.DataFrame:
    """Return how often it happened where a chance was said: the reliability table.

    Parameters
    ----------
    expected
        Chances, 0 to 1.
    outcome
        What happened: 0 or 1.
    bins
        Classes of equal width.

    Returns
    -------
    DataFrame
        By class that has cases: `low, high` (its bounds), `cases`, `said` (mean
        chance), `happened` (share), and `error` = |said - happened|. The calibration
        error is the mean of `error`, each class by its cases (Naeini et al. 2015).
    """
    said = np.asarray(expected, dtype=float)
    happened = np.asarray(outcome, dtype=float)
    place = np.minimum((said * bins).astype(int), bins - 1)
    groups = pd.DataFrame({"said": said, "happened": happened}).groupby(place)
    table = groups.mean()
    table.insert(0, "cases", groups.size())
    table.insert(0, "high", (table.index + 1) / bins)
    table.insert(0, "low", table.index / bins)
    return table.assign(error=(table["said"] - table["happened"]).abs()).reset_index(
        drop=True
    )


def calibration_error(expected: Any, outcome: Any, bins: int = 10) -> float:
    """Return the mean distance between chances said and shares that happened.

    Parameters
    ----------
    expected
        Chances, 0 to 1.
    outcome
        What happened: 0 or 1.
    bins
        Classes of equal width.
    """
    table = reliability(expected, outcome, bins)
    if table.empty:
        return float("nan")
    return float(np.average(table["error"], weights=table["cases"]))
