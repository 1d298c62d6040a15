"""How projects are doing: chances, ranges, warnings, and the way back on track."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.tracking.chances import brier, calibration_error, reliability
    from pmo_analytics.tracking.delivery.forecasting import forecast_delivery
    from pmo_analytics.tracking.warning.ranges import Ranges, project_ranges

__getattr__, __dir__, __all__ = face(__name__)
