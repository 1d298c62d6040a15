"""What is uncertain, and what is drawn of it."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.uncertainty.distributions import (
        Empirical,
        Fixed,
        Lognormal,
        Overruns,
        Pert,
        Reference,
        Triangular,
        Uniform,
        read_overruns,
    )
    from pmo_analytics.uncertainty.draw_dates import (
        Dates,
        add_load,
        follow,
        load_of,
        worth_of,
    )
    from pmo_analytics.uncertainty.draw_factors import (
        LEVELS,
        Source,
        block_sizes,
        check_method,
        sample_factors,
    )
    from pmo_analytics.uncertainty.draw_model import Model, model_of, profile_of
    from pmo_analytics.uncertainty.draw_ties import all_or_none, rows_of
    from pmo_analytics.uncertainty.futures import QUANTILES, TOLERANCE, Forecast, Story
    from pmo_analytics.uncertainty.reading import read_uncertainty
    from pmo_analytics.uncertainty.uncertainty import Spread, Uncertainty
    from pmo_analytics.uncertainty.why import WHY_COLUMNS, Why

__getattr__, __dir__, __all__ = face(__name__)
