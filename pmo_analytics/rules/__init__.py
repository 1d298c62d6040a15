"""What a plan has to keep, costs and uses: work, links, limits, purchases, record."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.rules.dependencies import requirements
    from pmo_analytics.rules.differences import CHANGES, difference
    from pmo_analytics.rules.limiting import (
        balance,
        limit_parallel,
        limit_themes,
        with_rules,
    )
    from pmo_analytics.rules.linear_rules import read_rules, rule_sums
    from pmo_analytics.rules.purchases import (
        bought_grid,
        most_offered,
        offers,
        purchase_cost,
        purchase_sentences,
        purchases_table,
        read_purchases,
    )
    from pmo_analytics.rules.record import (
        Record,
        change_cost,
        freeze_record,
        priced_projects,
        record_gains,
    )
    from pmo_analytics.rules.undated import (
        no_projects,
        not_counted,
        say_not_counted,
        short_not_counted,
    )
    from pmo_analytics.rules.violations import find_violations
    from pmo_analytics.rules.workload import (
        TOLERANCE,
        Limits,
        all_roles,
        budget_amounts,
        budget_matches,
        budget_spans,
        budget_use,
        chances,
        counts_value,
        discount_factors,
        fixed_starts,
        limits,
        load_grid,
        load_rows,
        spend_rows,
        stretched,
        stretched_length,
        worth,
        worth_at_zero,
    )

__getattr__, __dir__, __all__ = face(__name__)
