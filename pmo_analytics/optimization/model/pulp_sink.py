"""The selection and scheduling model in PuLP: one function per family of rules.

x[k] = 1 if option k (a project with a start) is taken. Written over S_p(t), the sum
of x over the options of p that start by t, and Y_p, the sum over all of them:

- choice:      Y_p <= 1, or = 1 where p must be selected;
- limits:      sum of use * x <= limit, per role and period and per budget row;
- finish_start and start_start: S_j(t) <= sum over targets i of S_i(t - wait_i), for
  every t. Disaggregated over t, without big-M: the start-date part alone has an
  integral polytope (see Mohring et al., Management Science 49(3), 2003);
- lag_max:     options of j later than t + wait_max need i later than t; for a group
  of targets each start of j needs a target inside the span;
- groups:      counts over Y;
- rules:       sums of weights, between their limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pulp

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.optimization.model.instance import (
    ALL,
    NO_LIMIT,
    NONE,
    TOGETHER,
    Options,
)

# A row of the model by business numbers: kind, number, and what else it needs.
# limit and least: thing. by, after and at: dependency, t. selected: dependency.
# at_most and at_least: group. same: group, project. linear_most and linear_least: row.
Label = tuple[str | int, ...]
Terms = list[tuple[pulp.LpVariable, float]]


@dataclass
class Model:
    """A PuLP problem with its option variables and labelled rows.

    Attributes
    ----------
    x
        Variable of each option.
    y
        Variable of each purchase, as a share of the most that can be bought.
    rows, units
        Labels in the order of the problem's constraints; None for choice rows. And
        what the solver sees as 1 in each.
    slack
        Label -> elastic variable, only where the model was made elastic.
    """

    problem: pulp.LpProblem
    x: list[pulp.LpVariable]
    rows: list[Label | None] = field(default_factory=list)
    slack: dict[Label, pulp.LpVariable] = field(default_factory=dict)
    elastic: bool = False
    y: list[pulp.LpVariable] = field(default_factory=list)
    units: list[float] = field(default_factory=list)

    def add(
        self, label: Label, terms: Terms, sense: int, rhs: float, unit: float = 1.0
    ) -> None:
        """Add one row; in an elastic model, with a slack that costs.

        Parameters
        ----------
        unit
            What the solver is to see as 1.
        """
        if self.elastic:
            slack = self.problem.add_variable(f"s{len(self.slack)}", 0)
            self.slack[label] = slack
            whole = max(unit, abs(rhs))
            terms = [*terms, (slack, whole if sense >= 0 else -whole)]
            if sense == pulp.LpConstraintEQ:
                other = self.problem.add_variable(f"r{len(self.slack)}", 0)
                self.slack[(*label, "down")] = other
                terms.append((other, -whole))
        elif not terms and _holds(sense, rhs):
            return
        if unit != 1.0:
            terms = [(variable, amount / unit) for variable, amount in terms]
            rhs /= unit
        self._append(label, pulp.LpAffineExpression.from_list(terms), sense, rhs, unit)

    def add_choice(self, terms: Terms, must: bool) -> None:
        """Add the choice row of one project."""
        sense = pulp.LpConstraintEQ if must else pulp.LpConstraintLE
        self._append(None, pulp.LpAffineExpression.from_list(terms), sense, 1)

    def _append(
        self,
        label: Label | None,
        expression: pulp.LpAffineExpression,
        sense: int,
        rhs: float,
        unit: float = 1.0,
    ) -> None:
        row = {
            pulp.LpConstraintLE: expression <= rhs,
            pulp.LpConstraintGE: expression >= rhs,
            pulp.LpConstraintEQ: expression == rhs,
        }[sense]
        self.problem.addConstraint(row, f"c{len(self.rows)}")
        self.rows.append(label)
        self.units.append(unit)


# What people call solvers -> what PuLP calls them.
SOLVERS = {
    "highs": "HiGHS",
    "cbc": "COIN_CMD",
    "glpk": "GLPK_CMD",
    "scip": "SCIP_PY",
    "gurobi": "GUROBI",
    "cplex": "CPLEX_PY",
    "xpress": "XPRESS_PY",
    "copt": "COPT",
    "mosek": "MOSEK",
}


def find_solver(name: str) -> str:
    """Return PuLP's name of a solver that is installed.

    Raises
    ------
    ConfigError
        If PuLP does not know the solver, or does not find it on this machine.
    """
    known = {solver.lower(): solver for solver in pulp.listSolvers()}
    found = SOLVERS.get(name.lower(), known.get(name.lower()))
    if found is None:
        hint = closest(name, [*SOLVERS, *known.values()])
        raise ConfigError(
            f"No solver is called '{name}'{hint}. Known: {', '.join(SOLVERS)}."
        )
    if not pulp.getSolver(found, msg=False).available():
        here = ", ".join(pulp.listSolvers(onlyAvailable=True))
        raise ConfigError(
            f"Solver '{name}' is not installed or has no licence here. Installed: "
            f"{here}. Install it as PuLP's documentation says, or leave out the solver."
        )
    return found


def _holds(sense: int, rhs: float) -> bool:
    """Return whether 0 satisfies a row."""
    if sense == pulp.LpConstraintLE:
        return rhs >= 0
    return rhs <= 0 if sense == pulp.LpConstraintGE else rhs == 0


def build_model(options: Options, *, elastic: bool = False) -> Model:
    """Return the whole model, maximising worth.

    Parameters
    ----------
    elastic
        Every rule but the choice rows may be broken at a price, to find out which
        rules clash: the objective becomes the broken amount relative to each limit.
    """
    problem = pulp.LpProblem("portfolio", pulp.LpMaximize)
    x = [
        problem.add_variable(f"x{k}", 0, 1, "Integer")
        for k in range(len(options.project))
    ]
    y = [
        problem.add_variable(f"y{i}", 0, 1, "Continuous")
        for i in range(len(options.buy_resource))
    ]
    model = Model(problem, x, elastic=elastic, y=y)
    add_choices(model, options)
    add_limits(model, options)
    add_dependencies(model, options)
    add_groups(model, options)
    add_rows(model, options)
    add_hires(model, options)
    if elastic:
        terms = [(slack, -1.0) for slack in model.slack.values()]
    else:
        terms = list(zip([*x, *y], options.gains().tolist(), strict=True))
    problem.setObjective(pulp.LpAffineExpression.from_list(terms))
    return model


def _span(options: Options, project: int) -> range:
    return range(options.first[project], options.first[project + 1])


def _selected(model: Model, options: Options, project: int, sign: float = 1.0) -> Terms:
    """Return the terms of Y_p."""
    return [(model.x[k], sign) for k in _span(options, project)]


def _started(
    model: Model, options: Options, project: int, by: int, sign: float = 1.0
) -> Terms:
    """Return the terms of S_p(by)."""
    span = _span(options, project)
    count = int(np.searchsorted(options.start[span.start : span.stop], by, "right"))
    return [(model.x[k], sign) for k in span[:count]]


def _later(
    model: Model, options: Options, project: int, after: int, sign: float = 1.0
) -> Terms:
    """Return the terms of Y_p - S_p(after)."""
    span = _span(options, project)
    count = int(np.searchsorted(options.start[span.start : span.stop], after, "right"))
    return [(model.x[k], sign) for k in span[count:]]


def add_choices(model: Model, options: Options) -> None:
    """Each project starts once, or at most once."""
    for p, must in enumerate(options.must):
        terms = _selected(model, options, p)
        if must or len(terms) > 1:
            model.add_choice(terms, bool(must))


def add_limits(model: Model, options: Options) -> None:
    """Capacity of every role and period, and every budget row."""
    order = np.argsort(options.use_row, kind="stable")
    owner = options.use_option()
    rows = options.use_row[order]
    things = np.arange(len(options.limit) + 1)
    begin = np.searchsorted(rows, things)
    owners, amounts = owner[order].tolist(), options.use_amount[order].tolist()
    largest = options.largest_use()
    sold = _sold(options)
    for thing, limit in enumerate(options.limit.tolist()):
        span = range(begin[thing], begin[thing + 1])
        if np.isfinite(limit) and largest[thing] > limit:
            terms = [(model.x[owners[i]], amounts[i]) for i in span]
            terms += [(model.y[i], -options.buy_most[i]) for i in sold.get(thing, ())]
            unit = float(options.unit[thing])
            model.add(("limit", thing), terms, pulp.LpConstraintLE, limit, unit)
        least = float(options.least[thing])
        if np.isfinite(least) and least > 0:
            terms = [(model.x[owners[i]], amounts[i]) for i in span]
            unit = float(options.unit[thing])
            model.add(("least", thing), terms, pulp.LpConstraintGE, least, unit)


def _sold(options: Options) -> dict[int, list[int]]:
    """Return the purchases that add to each thing."""
    sold: dict[int, list[int]] = {}
    for i, thing in enumerate(options.buy_resource.tolist()):
        for m in range(thing, thing + int(options.buy_length[i])):
            sold.setdefault(m, []).append(i)
    return sold


def add_rows(model: Model, options: Options) -> None:
    """Rules of one's own whose weights may be negative."""
    for r in range(len(options.linear_lower)):
        span = range(options.linear_first[r], options.linear_first[r + 1])
        weights = options.linear_weight
        terms = [(model.x[options.linear_option[i]], float(weights[i])) for i in span]
        lower, upper = float(options.linear_lower[r]), float(options.linear_upper[r])
        unit = float(options.linear_unit[r])
        if np.isfinite(upper):
            model.add(("linear_most", r), terms, pulp.LpConstraintLE, upper, unit)
        if np.isfinite(lower):
            model.add(("linear_least", r), terms, pulp.LpConstraintGE, lower, unit)


def add_hires(model: Model, options: Options) -> None:
    """All hires of one offer, whenever they begin, are at most its limit."""
    for hire in np.unique(options.buy_joint[options.buy_joint >= 0]).tolist():
        columns = np.flatnonzero(options.buy_joint == hire).tolist()
        model.add_choice([(model.y[i], 1.0) for i in columns], must=False)


def add_dependencies(model: Model, options: Options) -> None:
    """Every dependency that done work does not serve already."""
    for d, j in enumerate(options.dependency_project.tolist()):
        span = range(options.dependency_first[d], options.dependency_first[d + 1])
        if not options.dependency_kind[d]:
            terms = _selected(model, options, j)
            for i in span:
                terms += _selected(model, options, options.dependency_target[i], -1.0)
            model.add(("selected", d), terms, pulp.LpConstraintLE, 0)
            continue
        bounded = any(options.dependency_lag_max[i] < NO_LIMIT for i in span)
        if bounded and not options.dependency_single[d]:
            _add_each_start(model, options, d, j, span)
            continue
        _add_not_before(model, options, d, j, span)
        if bounded:
            _add_not_after(model, options, d, j, span.start)


def _add_not_before(
    model: Model, options: Options, d: int, j: int, span: range
) -> None:
    """S_j(t) <= sum of S_i(t - wait_i), once for every start t of j."""
    for t in options.start[options.first[j] : options.first[j + 1]].tolist():
        terms = _started(model, options, j, t)
        for i in span:
            by = t - int(options.dependency_lag[i])
            terms += _started(model, options, options.dependency_target[i], by, -1.0)
        model.add(("by", d, t), terms, pulp.LpConstraintLE, 0)


def _add_not_after(model: Model, options: Options, d: int, j: int, i: int) -> None:
    """Options of j after t + wait_max need the one target to start after t."""
    target = int(options.dependency_target[i])
    wait_max = int(options.dependency_lag_max[i])
    for start in options.start[options.first[j] : options.first[j + 1]].tolist():
        t = start - 1 - wait_max
        terms = _later(model, options, j, t + wait_max)
        terms += _later(model, options, target, t, -1.0)
        model.add(("after", d, t), terms, pulp.LpConstraintLE, 0)


def _add_each_start(
    model: Model, options: Options, d: int, j: int, span: range
) -> None:
    """Each start of j needs one target of the group inside its span of starts."""
    for k in _span(options, j):
        t = int(options.start[k])
        terms = [(model.x[k], 1.0)]
        for i in span:
            low = t - int(options.dependency_lag_max[i])
            high = t - int(options.dependency_lag[i])
            terms += [
                (model.x[other], -1.0)
                for other in _span(options, options.dependency_target[i])
                if low <= options.start[other] <= high
            ]
        model.add(("at", d, t), terms, pulp.LpConstraintLE, 0)


def add_groups(model: Model, options: Options) -> None:
    """Count limits and all-or-none."""
    for g, whole in enumerate(options.group_all.tolist()):
        members = options.group_project[
            options.group_first[g] : options.group_first[g + 1]
        ].tolist()
        if whole in (ALL, NONE):
            for p in members:
                terms = _selected(model, options, p)
                wanted = 1 if whole == ALL else 0
                model.add(("same", g, p), terms, pulp.LpConstraintEQ, wanted)
            continue
        if whole == TOGETHER:
            for p in members[1:]:
                terms = _selected(model, options, p)
                terms += _selected(model, options, members[0], -1.0)
                model.add(("same", g, p), terms, pulp.LpConstraintEQ, 0)
            continue
        terms = [term for p in members for term in _selected(model, options, p)]
        if options.group_most[g] < len(members):
            most = float(options.group_most[g])
            model.add(("at_most", g), terms, pulp.LpConstraintLE, most)
        if options.group_least[g] > 0:
            least = float(options.group_least[g])
            model.add(("at_least", g), terms, pulp.LpConstraintGE, least)


def add_floor(model: Model, options: Options, least: float) -> None:
    """Ask for a plan that is worth at least so much."""
    terms = zip([*model.x, *model.y], options.gains().tolist(), strict=True)
    scale = max(1.0, abs(least))
    model.problem.addConstraint(
        pulp.LpAffineExpression.from_list([(v, w / scale) for v, w in terms])
        >= least / scale - 1e-9,
        "worth",
    )


def add_ceiling(model: Model, cost: np.ndarray, most: float) -> None:
    """Ask for a plan whose options cost at most so much, in whole numbers."""
    terms = [(model.x[k], float(cost[k])) for k in np.flatnonzero(cost).tolist()]
    if terms:
        row = pulp.LpAffineExpression.from_list(terms) <= most + 1e-6
        model.problem.addConstraint(row)


def aim_at(model: Model, cost: np.ndarray) -> None:
    """Minimise what the options of the plan cost."""
    terms = list(zip(model.x, (-cost).tolist(), strict=True))
    model.problem.setObjective(pulp.LpAffineExpression.from_list(terms))
