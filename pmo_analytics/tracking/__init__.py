"""How projects are doing: status and colours, chances and ranges, the way back."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.tracking.chances import brier, calibration_error, reliability
    from pmo_analytics.tracking.delivery.finishing import (
        finish_by_sprints,
        running_sprints,
    )
    from pmo_analytics.tracking.delivery.forecasting import forecast_delivery
    from pmo_analytics.tracking.earned.curves import money_by_period
    from pmo_analytics.tracking.earned.promises import Promise, periods_between
    from pmo_analytics.tracking.earned.reports import promise_on, reports_of
    from pmo_analytics.tracking.earned.schedules import (
        Limits,
        earned_schedule,
        index_limits,
    )
    from pmo_analytics.tracking.earned.values import EARNING_RULES, earned_value
    from pmo_analytics.tracking.judging.changes import edited_since, status_changes
    from pmo_analytics.tracking.judging.milestones import (
        milestone_status,
        milestone_trend,
        milestone_trends,
        on_time_rate,
    )
    from pmo_analytics.tracking.judging.rag import DIMENSIONS, RULES, Rule, read_rules
    from pmo_analytics.tracking.portfolio_views import (
        benefits_by_period,
        benefits_so_far,
        booked_shares,
        pipeline_stages,
        value_and_risk,
    )
    from pmo_analytics.tracking.recovery.options import OPTIONS
    from pmo_analytics.tracking.recovery.recovering import Recovery, recover
    from pmo_analytics.tracking.result import Status
    from pmo_analytics.tracking.statuses import status
    from pmo_analytics.tracking.usable import read_day, sound_part
    from pmo_analytics.tracking.warning.ranges import Ranges, project_ranges

__getattr__, __dir__, __all__ = face(__name__)
