"""Second objectives: against enumeration, by hand, and what they say of themselves."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.portfolio import Portfolio
from tests.optimization.test_record import RECORD, company, drawn, kept
from tests.support import brute_force
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def ranked(
    portfolio: Portfolio, record: dict[str, int], *, loss: float, strict: bool
) -> tuple[float, int, int] | None:
    """Return the best value, and the least finish and changes it leaves."""
    case = brute_force.read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    free = {p.name for p in live} - kept(portfolio)
    found = []
    for picks in product(*([*p.starts, *([] if p.must else [None])] for p in live)):
        starts = {p.name: s for p, s in zip(live, picks, strict=True) if s is not None}
        if brute_force.broken_rules(case, starts, strict=strict):
            continue
        value = float(brute_force.objective(case, starts))
        finish = sum(max(s + case.projects[n].duration, 0) for n, s in starts.items())
        changes = sum(record.get(n) != starts.get(n) for n in free)
        found.append((value, finish, changes))
    if not found:
        return None
    best = max(value for value, _, _ in found)
    floor = best - loss * abs(best) - 1e-9 * max(1.0, abs(best))
    good = [(finish, changes) for value, finish, changes in found if value >= floor]
    return best, *min(good)


@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_agrees_with_enumeration(loss):
    compared = 0
    for seed in range(100, 108):
        portfolio, record, settings = drawn(seed)
        wanted = ranked(portfolio, record, loss=loss, strict=settings["strict"])
        if wanted is None:
            continue
        first = portfolio.horizon[0]
        plan = optimize(
            portfolio,
            limits=LIMITS,
            strict=settings["strict"],
            record={name: first + s for name, s in record.items()},
            then=("earliest_finish", "fewest_changes"),
            value_loss=loss,
        )
        report = plan.report
        assert report is not None
        stages = {str(row["stage"]): row for row in report.stages}
        assert stages["value"]["measure"] == pytest.approx(wanted[0], abs=1e-7)
        assert stages["earliest_finish"]["measure"] == wanted[1]
        assert stages["fewest_changes"]["measure"] == wanted[2]
        assert all(row["proved"] for row in report.stages)
        check = check_plan(
            plan.portfolio,
            plan.schedule,
            strict=settings["strict"],
            objective=report.objective,
            record=plan.record,
        )
        assert check.certified
        compared += 1
    assert compared > 2


def test_a_little_worth_buys_an_earlier_end():
    portfolio = company()
    # B alone is worth 9 in January; A and C after it end late.
    plan = optimize(portfolio, limits=LIMITS, then=("earliest_finish",))
    assert len(plan.starts) == 3
    less = optimize(
        portfolio, limits=LIMITS, then=("earliest_finish",), value_loss=0.99
    )
    assert len(less.starts) < 3
    assert less.report is not None
    assert less.report.objective is not None
    assert less.report.objective >= 0.01 * plan.objective
    assert less.report.stages[0]["measure"] == pytest.approx(plan.objective)
    assert "then earliest finish" in less.summary().index


def test_changes_are_made_only_where_they_pay():
    portfolio = company(3.0)
    portfolio.projects["value"] = [0.0, 9.0, 8.0]
    # A is worth nothing anywhere: it stays out, or where the record has it.
    plan = optimize(
        portfolio,
        limits=LIMITS,
        record={"A": "2027-03", "B": "2027-01", "C": "2027-01"},
        then=("fewest_changes",),
    )
    assert plan.starts == {"A": 2, "B": 0, "C": 0}
    assert plan.report is not None
    assert plan.report.stages[1]["measure"] == 0


def test_what_cannot_be_asked():
    with pytest.raises(ConfigError, match="did you mean 'earliest_finish'"):
        optimize(company(), then=("earlist_finish",))
    with pytest.raises(ConfigError, match="needs a plan of record"):
        optimize(company(), then=("fewest_changes",))
    with pytest.raises(ConfigError, match="stands twice"):
        optimize(company(), record=RECORD, then=["fewest_changes"] * 2)
    with pytest.raises(ConfigError, match="value_loss"):
        optimize(company(), then=("earliest_finish",), value_loss=5)


def test_without_second_objectives_nothing_is_told_of_them():
    plan = optimize(company(), limits=LIMITS)
    assert plan.report is not None
    assert "stages" not in plan.report.to_dict()
    assert np.isclose(plan.objective, 10 + 9 / 1.1**2 + 8 / 1.1**4)
