"""Rows of a model stored as a PuLP problem.

x[k] = 1 if option k (a project with a start) is taken, y[i] is a purchase as a share of
the most that can be bought, z[i] whether a theme is
at work in a period. What the rows say is written by `families`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pulp
from scipy.sparse import csr_array

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.optimization.model.array_sink import grains_of
from pmo_analytics.optimization.model.families import write_rows
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel

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
        Labels in the order of the problem's constraints; None for rows about one
        project or one offer alone. And what the solver sees as 1 in each.
    slack
        Elastic variables with the labels of their rows, only where the model was made
        elastic.
    """

    problem: pulp.LpProblem
    x: list[pulp.LpVariable]
    rows: list[RowLabel | None] = field(default_factory=list)
    slack: list[tuple[RowLabel, pulp.LpVariable]] = field(default_factory=list)
    elastic: bool = False
    y: list[pulp.LpVariable] = field(default_factory=list)
    units: list[float] = field(default_factory=list)

    def add(
        self,
        label: RowLabel | None,
        terms: Terms,
        lower: float,
        upper: float,
        unit: float,
    ) -> None:
        """Add one row; in an elastic model those with a label can be broken at a price.

        Parameters
        ----------
        unit
            What the solver is to see as 1.
        """
        side = upper if np.isfinite(upper) else lower
        if self.elastic and label is not None and label.form != "opens":
            whole = max(unit, abs(side))
            if np.isfinite(upper):
                terms = [*terms, (self._broken(label, "s"), -whole)]
            if np.isfinite(lower):
                terms = [*terms, (self._broken(label, "r"), whole)]
        if unit != 1.0:
            terms = [(variable, amount / unit) for variable, amount in terms]
            side /= unit
        expression = pulp.LpAffineExpression.from_list(terms)
        if lower == upper:
            row = expression == side
        else:
            row = expression <= side if np.isfinite(upper) else expression >= side
        self.problem.addConstraint(row, f"c{len(self.rows)}")
        self.rows.append(label)
        self.units.append(unit)

    def _broken(self, label: RowLabel, letter: str) -> pulp.LpVariable:
        """Return a new variable, by how much a row is broken."""
        variable = self.problem.add_variable(f"{letter}{len(self.slack)}", 0)
        self.slack.append((label, variable))
        return variable


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
        for i in range(len(options.buy.resource))
    ]
    z = [
        problem.add_variable(f"z{i}", 0, 1, "Continuous")
        for i in range(len(options.counts.count))
    ]
    model = Model(problem, x, elastic=elastic, y=y)
    _store(model, options, [*x, *y, *z])
    if elastic:
        terms = [(variable, -1.0) for _, variable in model.slack]
    else:
        terms = list(zip([*x, *y], options.gains().tolist(), strict=True))
    problem.setObjective(pulp.LpAffineExpression.from_list(terms))
    return model


def _store(model: Model, options: Options, variables: list[pulp.LpVariable]) -> None:
    """Store what the families write, row by row."""
    rows = write_rows(options, with_columns=True)
    row, column, value = rows.entries()
    a = csr_array((value, (row, column)), shape=(len(rows.labels), len(variables)))
    lower, upper = rows.sides()
    _, unit = grains_of(options, rows.labels)
    columns, amounts, begin = a.indices.tolist(), a.data.tolist(), a.indptr.tolist()
    for r, label in enumerate(rows.labels):
        span = range(begin[r], begin[r + 1])
        terms = [(variables[columns[i]], amounts[i]) for i in span]
        model.add(label, terms, float(lower[r]), float(upper[r]), float(unit[r]))


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
