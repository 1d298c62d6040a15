"""Periods, calendars, workweeks and working time."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.clock.calendars import (
        OPEN,
        Ints,
        Place,
        calendar_doubts,
        country_fix,
        days_in_doubt,
        epoch_days,
        find_country,
        period_bounds,
        rest_days,
        weekdays_before,
        worked_before,
        working_days,
    )
    from pmo_analytics.clock.periods import (
        WEEKS_PER_YEAR,
        Settings,
        anchored_days,
        base_freq,
        canonical_freq,
        checked_horizon,
        checked_settings,
        format_period,
        hours_per_fte,
        make_horizon,
        offsets_from,
        parse_day,
        parse_period,
        settings_faults,
        with_period_texts,
    )
    from pmo_analytics.clock.working_time import SLIP, Contract, usual_weeks, weeks_of
    from pmo_analytics.clock.workweek import (
        country_workweeks,
        parse_workweek,
        workweek_text,
    )

__getattr__, __dir__, __all__ = face(__name__)
