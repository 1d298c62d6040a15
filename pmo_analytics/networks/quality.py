"""Schedule quality: the 14 points of the DCMA (2009), each with who offends."""

from __future__ import annotations

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.quality_points import Counting, Measure, Sample
from pmo_analytics.networks.quality_variants import LongPath, P6Mcp, PyP6Xer

VARIANTS: dict[str, type[Counting]] = {
    "longpath": LongPath,
    "p6-mcp": P6Mcp,
    "pyp6xer": PyP6Xer,
}
_OPEN = "Exempt: complete, inactive, summaries, level of effort."
_LINKS = "Exempt: links into what is complete, links of summaries and level of effort."
_SOURCE = "DCMA 14-Point Assessment (2009)"
# Point -> name, threshold, who is counted, practice of the GAO Schedule Guide (2015).
POINTS: dict[int, tuple[str, str, str, str]] = {
    1: ("Logic", "<= 5%", f"no predecessor or no successor. {_OPEN}", "2 sequencing"),
    2: ("Leads", "= 0%", f"links with a negative lag. {_LINKS}", "2 sequencing"),
    3: ("Lags", "<= 5%", f"links with a positive lag. {_LINKS}", "2 sequencing"),
    4: (
        "Relationship types",
        ">= 90%",
        f"links finish to start; the others offend. {_LINKS}",
        "2 sequencing",
    ),
    5: (
        "Hard constraints",
        "<= 5%",
        "must start or finish on, start or finish on, no later than. " + _OPEN,
        "7 reasonable float",
    ),
    6: (
        "High float",
        "<= 5%",
        f"total float above 44 working days. {_OPEN}",
        "7 reasonable float",
    ),
    7: (
        "Negative float",
        "= 0%",
        f"total float below 0. {_OPEN}",
        "7 reasonable float",
    ),
    8: (
        "High duration",
        "<= 5%",
        f"original duration above 44 working days. {_OPEN} Milestones too.",
        "4 durations",
    ),
    9: (
        "Invalid dates",
        "= 0%",
        "actual dates after the data date, forecasts before it. Exempt: inactive, "
        "summaries, level of effort.",
        "9 updating",
    ),
    10: (
        "Resources",
        "= 0%",
        f"work without people, material or cost. {_OPEN} Milestones too.",
        "3 resources",
    ),
    11: (
        "Missed tasks",
        "<= 5%",
        "due by the data date (baseline finish), later or not finished. Exempt: "
        "summaries, level of effort, without a baseline.",
        "10 baseline",
    ),
    12: (
        "Critical path test",
        "= 100%",
        "600 working days more on the first open activity of the longest path move "
        "the finish by as many.",
        "6 critical path",
    ),
    13: (
        "Critical path length index",
        ">= 0.95",
        "(length + float) / length of the critical path, working days from the data "
        "date; float to the date by which the project must finish, else to the "
        "baseline finish, else the least float of the longest path.",
        "6 critical path",
    ),
    14: (
        "Baseline execution index",
        ">= 0.95",
        "complete / (due by the data date + without a baseline). Exempt: summaries, "
        "level of effort.",
        "10 baseline",
    ),
}


def check_network(network: Network, variant: str | None = None) -> pd.DataFrame:
    """Return the 14 points of the DCMA for a network.

    Floats are our own (`critical_path`); where links run in a circle they are those
    that the file stores, and points 12 and 13 are not assessed.

    Parameters
    ----------
    variant
        `longpath`, `p6-mcp` or `pyp6xer`: count as that engine does. `numerator` and
        `denominator` are then its counts, thresholds stay.

    Returns
    -------
    pandas.DataFrame
        One row a point.

        - `point, name`.
        - `numerator, denominator, share`: what counts, of how many, and the one over
          the other; of points 12 to 14 working days and activities. Not a number where
          the file says too little to assess a point.
        - `threshold`: as `<= 5%`.
        - `passed`: True, False, or missing where it cannot be assessed.
        - `clause`: source, what counts, who is exempt, and the practice of the GAO
          Schedule Assessment Guide that it belongs to.
        - `offenders`: ids of activities, links as `A -> B`.

    Raises
    ------
    ConfigError
        If there is no such variant.
    """
    if variant is not None and variant not in VARIANTS:
        names = ", ".join(VARIANTS)
        raise ConfigError(f"variant is one of {names}, not {variant!r}.")
    counting = Counting if variant is None else VARIANTS[variant]
    measures = counting(Sample(network)).points()
    rows = [_row(point, measures[point], variant) for point in POINTS]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.astype({"passed": "boolean", "numerator": float, "denominator": float})


_COLUMNS = [
    "point",
    "name",
    "numerator",
    "denominator",
    "share",
    "threshold",
    "passed",
    "clause",
    "offenders",
]


def _row(point: int, measure: Measure, variant: str | None) -> tuple[object, ...]:
    name, threshold, what, practice = POINTS[point]
    clause = f"{_SOURCE}, point {point}: {what} GAO practice {practice}."
    if variant:
        clause = f"Counted as {variant} does. {clause}"
    if measure.note:
        clause = f"{measure.note} {clause}"
    return (
        point,
        name,
        measure.numerator,
        measure.denominator,
        measure.share,
        threshold,
        _passed(measure.share, threshold),
        clause,
        tuple(measure.offenders),
    )


def _passed(share: float, threshold: str) -> bool | None:
    if share != share:
        return None
    sign, text = threshold.split()
    limit = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if sign == "<=":
        return share <= limit + 1e-12
    if sign == ">=":
        return share >= limit - 1e-12
    return abs(share - limit) < 1e-9
