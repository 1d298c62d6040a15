"""Independent, exact check of a plan and of a bound.

Nothing here shares arithmetic with the model, the windows or the plan: every number
is read from the tables as `Decimal(repr(x))`, added up in integers and compared as a
fraction, and the allowed starts are enumerated again from the rules. So a mistake of
the model writers cannot hide from it.

A certificate is a JSON object. Its multipliers (decimal text or JSON numbers) belong
to rows of the business, all of them "at most" rows, written with Y = selected,
x(s) = starts at offset s and S(t) = starts at offset t or before::

    {"format": 1, "portfolio": "<digest or blank>", "strict": false,
     "multipliers": [
       {"row": "capacity", "role", "period", "multiplier"},  load <= limit
       {"row": "budget", "budget", "side", "multiplier"},
           side "amount": spend <= limit; "at_least": -spend <= -at_least
       {"row": "group", "group", "side", "multiplier"},
           side "at_most": count <= at_most; "at_least": -count <= -at_least
       {"row": "all_or_none", "group", "project", "multiplier"},
           Y(project) - Y(first member) = 0; any sign
       {"row": "dependency", "project", "requires", "kind", "form", "t", "multiplier"}
           form "by":       S_j(t) <= sum over i of S_i(t - low_i)
           form "after":    Y_j - S_j(t + high_i) <= Y_i - S_i(t), one target only
           form "at":       x_j(t) <= sum over i of x_i(t - high_i .. t - low_i)
           form "selected": Y_j <= sum over i of Y_i; no "t"
       {"row": "rule", "rule", "side", "multiplier"}, of work also "period"
           side "at_most": sum of weights <= at_most; "at_least": -sum <= -at_least
       {"row": "themes", "rule", "project", "period", "multiplier"}
           the project at work <= its theme at work; of all of a rule and period
           together the sum of the largest sums by theme, as many as there may be
     ],
     "cuts": [
       {"row": "capacity", "role", "period", "members", "at_most", "multiplier"},
       {"row": "budget", "budget", "side", "members", "at_most", "multiplier"},
           side "amount"; members [project, use, count]: a start that uses this much
           of the row or more counts this, up to the next use given for the project;
           sum of counts <= at_most
       {"row": "stretch", "role", "period", "until", "members", "at_most",
        "multiplier"},
           of the role from one period to the other; members [project, start, count]:
           this start or a later one counts this, up to the next start given
       {"row": "clique", "members", "multiplier"}
           members [project, first start, last start]: at most one of these starts
     ],
     "branches": [
       {"prices": [[number, price], ...], "split": [project, last start]}, ...
           numbers count the multipliers from 1, then the cuts; no "split" where the
           node is not divided. Each node comes before its two parts, first the plans
           in which the project starts at the last start given or before, then the rest
     ],
     "enough": "4037.2"}

With "flex": true the plan may buy capacity as the table `flex` offers it: load less
what is bought is at most the limit, and the bound gains, per offer, the most that its
FTE can bring: of overtime and contractors max(0, multiplier - cost) in every period, of
a hire the best of all first periods, summed from there to the end of the offer.

With "record": true worth is less the price of changing the plan of record; `enough`
is then counted before the price of dropping all of it is taken off.

Cuts need "format": 2. Each is proved again before it counts, see `certify_cuts`; one
that does not hold for every plan that `check_plan` accepts is left out. Branches need
"format": 3, and `enough`: a worth from which on nobody asks how good a plan is. The
bound they prove is never less than that, see `certify_branches`. With "format": 3, too,
starts are left out that what must be selected rules out, see `certify_narrowing`.

low_i and high_i are `lag` and `lag_max`, plus the duration of i where the kind is
finish_start. Offsets count from the first period of the horizon. A `done` member of a
group counts 1, a cancelled or stopped one 0.

The bound is the sum of multiplier x limit plus, project by project, the best of all
allowed starts (and of leaving it out, where that is allowed) after the multipliers
have been charged. It holds for any multipliers, good or bad, so nothing that produced
them needs to be trusted. Limits enter with the tolerance that `check_plan` grants.

Projects that are the same in everything are taken in order, as if a later one had a
dependency of kind start_start on the one before, which a certificate may name like any
other: of the best plans one is like that, see `certify_twins`.

Two sorts of starts are left out first, because `check_plan` refuses them in every plan:
those with which a project, on top of the fixed work, breaks a limit of capacity or
budget all by itself (not looked for where a demand or spend is negative, which could
make room), and all starts of a project with a dependency that no target can serve,
because each is cancelled, forced out or without a start left itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.optimization.checker.flex import cost_of, read_offers, read_purchases
from pmo_analytics.optimization.checker.proofs.bound import bound_of
from pmo_analytics.optimization.checker.proofs.branches import read_branches, tree_bound
from pmo_analytics.optimization.checker.proofs.cut_reading import read_cuts
from pmo_analytics.optimization.checker.proofs.cuts import Proofs
from pmo_analytics.optimization.checker.proofs.entries import read_entries
from pmo_analytics.optimization.checker.proofs.twins import order_twins
from pmo_analytics.optimization.checker.proofs.work import Work
from pmo_analytics.optimization.checker.reading import read_question
from pmo_analytics.optimization.checker.record import changes_of, read_record
from pmo_analytics.optimization.checker.rules import (
    agrees,
    broken_rules,
    inherited_table,
    violations_table,
    worth_of,
)

if TYPE_CHECKING:
    from pmo_analytics.optimization.checker.question import Question
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.rules import Record


@dataclass(frozen=True)
class PlanCheck:
    """What the checker found in a plan.

    Parameters
    ----------
    violations
        One row per broken rule: `rule`, `subject` (id of the project, role, budget
        or group), `period` (NaT where none applies), `found` and `limit` (FTE,
        currency, counts, or periods as text), `message`.
    objective
        Worth of the plan less the cost of its purchases and changes, exact, also with
        discounting. Rows that cannot be used
        (unknown project, unreadable start) add nothing.
    inherited
        Limits that fixed work exceeds on its own, so that its use became the limit:
        `rule` (`capacity` or `budget`), `subject`, `period` (NaT for a budget),
        `use` and the `limit` it exceeds, FTE or currency.
    certified
        No violation and, where an objective was claimed, it agrees within 1e-6
        (absolute or relative, whichever is larger).
    """

    violations: pd.DataFrame
    objective: Fraction
    inherited: pd.DataFrame
    certified: bool


def check_plan(
    portfolio: Portfolio,
    schedule: pd.DataFrame,
    *,
    strict: bool = False,
    objective: float | None = None,
    purchases: pd.DataFrame | None = None,
    record: Record | None = None,
    question: Question | None = None,
) -> PlanCheck:
    """Hold a schedule against every rule of a portfolio, exactly.

    Parameters
    ----------
    portfolio
        A validated portfolio; its tables are read as they are now.
    schedule
        One row per selected project: `project`, `start` and, if wanted, `finish`
        (last period of work), Periods or text.
    strict
        Do not raise limits that fixed work alone exceeds.
    objective
        The worth somebody claims for the plan; less what it buys, if it does.
    purchases
        What is bought of the offers of `flex`, one row per offer and period: `offer`
        (row of `flex`, from 1), `period`, `fte` and, if wanted, `role`, `kind` and
        `cost`; None = nothing may be bought.
    record
        Plan of record; the objective is less the price of changing it.
    question
        What `read_once` gave for this very portfolio; None = read it now.

    Raises
    ------
    ConfigError
        If the schedule lacks the columns `project` and `start`, or the purchases
        `offer`, `period` and `fte`.
    DataError
        If a table holds something that only an unvalidated portfolio can hold.
    """
    question = read_question(portfolio, strict) if question is None else question
    bought = None
    wrong: list[dict[str, Any]] = []
    if purchases is not None:
        read_offers(question, portfolio)
        bought, wrong = read_purchases(question, purchases)
    rows, starts = broken_rules(question, schedule, bought)
    rows += wrong
    worth = worth_of(question, starts) - cost_of(question, bought)
    if record is not None:
        read_record(question, record)
        worth -= changes_of(question, starts)
    confirmed = objective is None or agrees(float(objective), worth)
    return PlanCheck(
        violations=violations_table(question, rows),
        objective=worth,
        inherited=inherited_table(question),
        certified=confirmed and not rows,
    )


def check_bound(
    portfolio: Portfolio,
    certificate: Mapping[str, Any],
    *,
    strict: bool = False,
    flex: bool = False,
    record: Record | None = None,
    question: Question | None = None,
    work: Work | None = None,
) -> Fraction | None:
    """Return the bound that a certificate proves: no accepted plan is worth more.

    Parameters
    ----------
    portfolio
        A validated portfolio; its tables are read as they are now. The digest in the
        certificate is not compared: rows are found by name, and the bound holds for
        this portfolio wherever the multipliers come from.
    certificate
        JSON object, see the module's text.
    strict
        As in `check_plan`; must agree with the certificate.
    flex
        Capacity may be bought; must agree with the certificate.
    record
        Plan of record whose changes have a price; given where the certificate says so.
    question
        What `read_once` gave for this very portfolio; None = read it now.
    work
        The steps that it may take, and whether they sufficed: what comes after them
        counts nothing, so that the bound is weaker, never wrong. None = as many as
        `pmo verify` gives.

    Returns
    -------
    Fraction or None
        Exact without discounting, else rounded up by less than 1e-30 of the amounts.
        None where a project that must be selected has no start left after what the
        module's text leaves out: there is no plan at all, so there is nothing to
        bound.

    Raises
    ------
    ConfigError
        If the certificate has another format, names rows that do not exist, or has a
        negative multiplier on an inequality.
    DataError
        If a table holds something that only an unvalidated portfolio can hold.
    """
    # A certificate that cannot be read is said before the tables are.
    entries = read_entries(certificate, strict, flex, record is not None)
    cuts = read_cuts(certificate.get("cuts", []))
    tree = read_branches(certificate, len(entries) + len(cuts))
    # What is proved changes it; another proof begins with what was read.
    question = read_once(portfolio, strict=strict) if question is None else question
    question = replace(
        question,
        projects=dict(question.projects),
        dependencies=list(question.dependencies),
        dependency_rows=dict(question.dependency_rows),
        offers=dict(question.offers),
    )
    if flex:
        read_offers(question, portfolio)
    if record is not None:
        read_record(question, record)
    order_twins(question)
    proofs = Proofs(question, work=Work() if work is None else work)
    narrow = certificate["format"] == 3 and not flex
    bound = bound_of(question, entries, cuts, proofs, narrow=narrow)
    if bound is None or tree is None or flex:
        return bound
    branched = tree_bound(question, tree, [entry for entry, _ in entries], cuts, proofs)
    return bound if branched is None else min(bound, branched)


def read_once(portfolio: Portfolio, *, strict: bool = False) -> Question:
    """Return what the checker reads of a portfolio, for many checks of the same one.

    To read it takes longer than to check a plan. The portfolio must not change.
    """
    return read_question(portfolio, strict)
