"""Networks: the activities, links and people of planning files, and what they tell."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.networks.activities import split_hours
    from pmo_analytics.networks.balancing import Balance
    from pmo_analytics.networks.calendars import NoWorkingTime, WorkCalendar
    from pmo_analytics.networks.floats import critical_path
    from pmo_analytics.networks.frames import FRAMES, frame_of
    from pmo_analytics.networks.network import Network
    from pmo_analytics.networks.quality import check_network
    from pmo_analytics.networks.rolling.parts import PROJECT_FIELD, STATUS_FIELD
    from pmo_analytics.networks.rolling.rolling import (
        RolledUp,
        projects_of,
        roll_up,
        roll_up_balanced,
    )
    from pmo_analytics.networks.story import Story, compare_networks

__getattr__, __dir__, __all__ = face(__name__)
