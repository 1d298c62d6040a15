"""The tables of a portfolio: contract, schemas, checks, and what is read off them."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.tables.cache import (
        Knowledge,
        Remembered,
        content_hash,
        frame_content,
    )
    from pmo_analytics.tables.capacity_grid import (
        LiveCapacity,
        read_capacity,
        settle_capacity,
    )
    from pmo_analytics.tables.checks import check_rules
    from pmo_analytics.tables.conforming import clean_text, conform, empty_table
    from pmo_analytics.tables.contract import (
        COLOURS,
        STATUSES,
        TABLES,
        Column,
        Problem,
        table_spec,
    )
    from pmo_analytics.tables.problems import locate, still_lost, without_repeats
    from pmo_analytics.tables.subset import chosen_rows, tables_of
    from pmo_analytics.tables.supply import (
        effective_capacity,
        people_capacity,
        person_capacity,
    )
    from pmo_analytics.tables.supply_checks import check_supply
    from pmo_analytics.tables.windows import (
        CANDIDATES,
        allowed_starts,
        by_project,
        live_projects,
        start_windows,
    )

__getattr__, __dir__, __all__ = face(__name__)
