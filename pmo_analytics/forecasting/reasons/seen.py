"""What was seen of histories and chosen for them, kept for whoever asks why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.breaks import Steady
from pmo_analytics.forecasting.models.registry import Model
from pmo_analytics.forecasting.models.siblings import Loan
from pmo_analytics.forecasting.models.working_days import Days


@dataclass(frozen=True, eq=False)
class Seen:
    """The histories that were forecast, a column each.

    Attributes
    ----------
    past
        Period x role, FTE, as it is.
    calm
        The same, role by role, as it counted: without breaks and outliers.
    season
        Periods of a season.
    asked
        Model that was asked for.
    used
        Model of each role.
    wrong
        Role x model: mean absolute errors on the past; None where nothing was compared.
    short
        Roles whose past was too short to try a model on.
    loan
        What siblings lend; `calm` is without their season.
    days
        Which roles follow the working days; `calm` is without these.
    """

    past: pd.DataFrame
    calm: Steady
    season: int
    asked: str | Model
    used: tuple[str | Model, ...]
    wrong: pd.DataFrame | None
    short: np.ndarray
    loan: Loan
    days: Days
