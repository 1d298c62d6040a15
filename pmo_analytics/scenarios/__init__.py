"""What if: named edits of a portfolio, solved and compared."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.scenarios.answer import Kept
    from pmo_analytics.scenarios.change import AnyChange
    from pmo_analytics.scenarios.changes import (
        Change,
        add_capacity,
        add_project,
        change_demand,
        change_discount,
        change_project,
        change_value,
        cut_budget,
        delay,
        drop,
        exclude,
        freeze_hiring,
        hire,
        lose_person,
        require,
        scale_capacity,
        scale_duration,
        shift_budget,
    )
    from pmo_analytics.scenarios.comparing import compare
    from pmo_analytics.scenarios.comparison import Comparison
    from pmo_analytics.scenarios.reading import read_scenarios
    from pmo_analytics.scenarios.scenario import (
        BASE,
        Scenario,
        changed_portfolio,
        sweep,
    )

__getattr__, __dir__, __all__ = face(__name__)
