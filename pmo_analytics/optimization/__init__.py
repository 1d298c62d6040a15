"""Choosing projects and their starts, with proof."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.optimization.arguments import given_record, named_solver
    from pmo_analytics.optimization.checker.check import check_bound, check_plan
    from pmo_analytics.optimization.checker.level import (
        MEASURES,
        level_bound,
        measure_of,
    )
    from pmo_analytics.optimization.checker.proofs.work import Work
    from pmo_analytics.optimization.explaining.explanation import (
        Explanation,
        check_named,
        explain,
        explain_clash,
    )
    from pmo_analytics.optimization.explaining.frontier import (
        Frontier,
        frontier,
        name_level,
        positions,
    )
    from pmo_analytics.optimization.explaining.frontier_levels import read_levels
    from pmo_analytics.optimization.explaining.infeasible import (
        WhyInfeasible,
        why_infeasible,
    )
    from pmo_analytics.optimization.explaining.resolving import Resolved
    from pmo_analytics.optimization.explaining.role_value import role_value
    from pmo_analytics.optimization.explaining.sensitivity import sensitivity
    from pmo_analytics.optimization.explaining.why_not import WhyNot, why_not
    from pmo_analytics.optimization.explaining.wording import number, series
    from pmo_analytics.optimization.few_changes import optimize_few
    from pmo_analytics.optimization.levelling.jobs import levelled_question
    from pmo_analytics.optimization.levelling.level import level
    from pmo_analytics.optimization.limits import (
        Progress,
        ProgressFunction,
        SolveLimits,
    )
    from pmo_analytics.optimization.model.compiling import Compiled, compile_options
    from pmo_analytics.optimization.optimizing import optimize, solve_valid
    from pmo_analytics.optimization.params import SearchParams
    from pmo_analytics.optimization.risk.risk import Risk
    from pmo_analytics.optimization.run import Run, question_of
    from pmo_analytics.optimization.second_objectives import check_stages

__getattr__, __dir__, __all__ = face(__name__)
