"""Every named change, by the name that scenario files use."""

from __future__ import annotations

from pmo_analytics.scenarios.change import CHANGES, Change
from pmo_analytics.scenarios.money_changes import (
    change_discount,
    cut_budget,
    shift_budget,
)
from pmo_analytics.scenarios.people_changes import (
    add_capacity,
    freeze_hiring,
    hire,
    lose_person,
    scale_capacity,
)
from pmo_analytics.scenarios.project_changes import (
    add_project,
    change_demand,
    change_project,
    change_value,
    delay,
    drop,
    exclude,
    require,
    scale_duration,
)

__all__ = [
    "CHANGES",
    "Change",
    "add_capacity",
    "add_project",
    "change_demand",
    "change_discount",
    "change_project",
    "change_value",
    "cut_budget",
    "delay",
    "drop",
    "exclude",
    "freeze_hiring",
    "hire",
    "lose_person",
    "require",
    "scale_capacity",
    "scale_duration",
    "shift_budget",
]
