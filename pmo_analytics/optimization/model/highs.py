"""HiGHS on arrays: the one file that speaks to highspy directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array

from pmo_analytics.optimization.model.array_sink import Matrix, spelled_out


@dataclass(frozen=True)
class Answer:
    """What HiGHS said.

    Attributes
    ----------
    status
        `optimal`, `feasible`, `infeasible` or `no_solution`.
    x
        Value of each column, None without a solution.
    bound
        Bound on the objective, inf where there is none.
    prices
        Dual value of each row of a relaxation, None otherwise.
    opens
        The same of the members of counts, None without any.
    """

    status: str
    x: np.ndarray | None
    objective: float
    bound: float
    prices: np.ndarray | None = None
    opens: np.ndarray | None = None


Report = Callable[[np.ndarray | None, float], None]


def solve(
    matrix: Matrix,
    worth: np.ndarray,
    *,
    seconds: float,
    integer: bool = True,
    binaries: int | None = None,
    start: np.ndarray | None = None,
    shares: np.ndarray | None = None,
    left: np.ndarray | None = None,
    report: Report | None = None,
    **settings: Any,
) -> Answer:
    """Maximise worth over binaries (or the unit box) within the rows of a matrix.

    Parameters
    ----------
    binaries
        So many columns are 0 or 1, those after them anything between; None = all.
    start
        Columns that are 1 in a feasible solution to begin with.
    shares
        Values of the columns after the binaries in it.
    left
        Which of the binaries may be 1; None = all.
    report
        Called with each better solution (values of the columns) and the bound; with
        None when only the bound may have moved.
    **settings
        Options of HiGHS by name; one thread unless they say otherwise.

    Raises
    ------
    RuntimeError
        If HiGHS refuses the model or an option.
    """
    highs = _quiet(seconds, settings)
    many = len(worth)
    problem = _problem(matrix, worth, integer, many if binaries is None else binaries)
    if left is not None:
        rest = np.ones(problem.num_col_ - len(left))
        problem.col_upper_ = np.concatenate([left.astype(float), rest])
    _done(highs.passModel(problem), "cannot read the model")
    if start is not None:
        values = np.zeros(many)
        values[start] = 1.0
        if shares is not None:
            values[many - len(shares) :] = shares
        if matrix.counts is not None:
            held = matrix.counts.held(start, many)
            values = np.concatenate([values, (held > 0).astype(float)])
        highs.setSolution(len(values), np.arange(len(values), dtype=np.int32), values)
    if report is not None:
        _listen(highs, report)
    _done(highs.run(), "could not run the model")
    return _answer(highs, integer, matrix)


def _quiet(seconds: float, settings: Mapping[str, Any]) -> Any:
    """Return a solver that says nothing, with a time limit and one thread or as set."""
    # The threads of HiGHS belong to the process; a run that asks for another number
    # than the run before is refused unless they are let go first.
    highspy.Highs.resetGlobalScheduler(True)
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("time_limit", float(max(seconds, 0.01)))
    highs.setOptionValue("threads", 1)
    for name, value in settings.items():
        _done(highs.setOptionValue(name, value), f"takes no {name} = {value!r}")
    return highs


def solve_mixed(
    matrix: Matrix,
    worth: np.ndarray,
    upper: np.ndarray,
    whole: np.ndarray,
    *,
    seconds: float,
    **settings: Any,
) -> Answer:
    """Maximise worth over columns from 0 to `upper`, some of them whole numbers.

    Parameters
    ----------
    whole
        Which columns are whole numbers.
    **settings
        As in `solve`.

    Raises
    ------
    RuntimeError
        If HiGHS refuses the model or an option.
    """
    highs = _quiet(seconds, settings)
    problem = _problem(matrix, worth, integer=False)
    problem.col_upper_ = upper
    kinds = highspy.HighsVarType
    problem.integrality_ = [kinds.kInteger if w else kinds.kContinuous for w in whole]
    _done(highs.passModel(problem), "cannot read the model")
    _done(highs.run(), "could not run the model")
    return _answer(highs, True, matrix)


def farkas(matrix: Matrix, seconds: float) -> np.ndarray | None:
    """Return row multipliers that prove the relaxation impossible; None if it is not.

    Rows enter the proof with their lower side where the multiplier is positive, and
    with their upper side where it is negative.
    """
    # A proof needs the rows as they are.
    highs = _quiet(seconds, {"presolve": "off"})
    worth = np.zeros(matrix.a.shape[1])
    _done(highs.passModel(_problem(matrix, worth, False)), "cannot read the model")
    _done(highs.run(), "could not run the model")
    if highs.getModelStatus() != highspy.HighsModelStatus.kInfeasible:
        return None
    _status, known, ray = highs.getDualRay()
    return _per_amount(np.array(ray), matrix.unit) if known else None


class Growing:
    """An LP over the unit box that is solved on as rows are added to it.

    Parameters
    ----------
    worth
        What is maximised.
    matrix
        Rows to begin with.
    **settings
        As in `solve`.

    Raises
    ------
    RuntimeError
        If HiGHS refuses the model or an option.
    """

    def __init__(self, worth: np.ndarray, matrix: Matrix, **settings: Any) -> None:
        self.highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.use(**settings)
        self.matrix = matrix
        self.unit = matrix.unit
        problem = _problem(matrix, worth, integer=False)
        _done(self.highs.passModel(problem), "cannot read the model")

    def add(self, rows: csr_array, upper: np.ndarray) -> None:
        """Add rows @ x <= upper."""
        status = self.highs.addRows(
            len(upper),
            np.full(len(upper), -np.inf),
            upper,
            len(rows.indices),
            rows.indptr[:-1].astype(np.int32),
            rows.indices.astype(np.int32),
            rows.data.astype(float),
        )
        _done(status, "cannot read the rows")

    def use(self, **settings: Any) -> None:
        """Change options of HiGHS from now on."""
        for name, value in settings.items():
            taken = self.highs.setOptionValue(name, value)
            _done(taken, f"takes no {name} = {value!r}")

    def restrict(
        self,
        left: np.ndarray,
        sides: Mapping[int, tuple[float, float]],
        fixed: np.ndarray | None = None,
    ) -> None:
        """Let only some columns be more than 0, and change sides of some rows.

        Parameters
        ----------
        left
            Which columns may be more than 0.
        sides
            Row number -> its lower and upper side from now on.
        fixed
            Which columns have to be 1; None = none.
        """
        numbers = np.arange(len(left), dtype=np.int32)
        least = np.zeros(len(left)) if fixed is None else fixed.astype(float)
        self.highs.changeColsBounds(len(left), numbers, least, left.astype(float))
        for row, (lower, upper) in sides.items():
            if self.unit is not None and row < len(self.unit):
                lower, upper = lower / self.unit[row], upper / self.unit[row]
            self.highs.changeRowBounds(int(row), float(lower), float(upper))

    def ray(self) -> np.ndarray | None:
        """Return what proves that an infeasible model is so, None if nothing does."""
        _, there, ray = self.highs.getDualRay()
        return _per_amount(np.array(ray), self.unit) if there else None

    def solve(self, seconds: float) -> Answer:
        """Return the optimum of all rows so far, within this time."""
        # The clock of a model that is solved again runs on.
        limit = self.highs.getRunTime() + max(seconds, 0.01)
        self.highs.setOptionValue("time_limit", float(limit))
        _done(self.highs.run(), "could not run the model")
        return _answer(self.highs, False, self.matrix)


def _done(status: Any, otherwise: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS {otherwise}.")


def _problem(
    matrix: Matrix, worth: np.ndarray, integer: bool, binaries: int | None = None
) -> Any:
    problem = highspy.HighsLp()
    matrix = spelled_out(matrix)
    a, lower, upper = _in_units(matrix)
    worth = np.concatenate([worth, np.zeros(a.shape[1] - len(worth))])
    problem.num_col_, problem.num_row_ = a.shape[1], a.shape[0]
    problem.sense_ = highspy.ObjSense.kMaximize
    problem.col_cost_ = worth
    problem.col_lower_ = np.zeros(len(worth))
    problem.col_upper_ = np.ones(len(worth))
    problem.row_lower_, problem.row_upper_ = lower, upper
    problem.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    problem.a_matrix_.start_ = a.indptr.astype(np.int32)
    problem.a_matrix_.index_ = a.indices.astype(np.int32)
    problem.a_matrix_.value_ = a.data.astype(float)
    if integer:
        many = len(worth) if binaries is None else binaries
        kinds = highspy.HighsVarType
        rest = [kinds.kContinuous] * (len(worth) - many)
        problem.integrality_ = [kinds.kInteger] * many + rest
    return problem


def _in_units(matrix: Matrix) -> tuple[csc_array, np.ndarray, np.ndarray]:
    """Return the rows as the solver is to see them."""
    if matrix.unit is None or (matrix.unit == 1.0).all():
        return matrix.a, matrix.lower, matrix.upper
    a = csc_array(matrix.a, copy=True)
    a.data /= matrix.unit[a.indices]
    return a, matrix.lower / matrix.unit, matrix.upper / matrix.unit


def _listen(highs: Any, report: Report) -> None:
    kinds = highspy.cb.HighsCallbackType

    def hear(kind: Any, _message: str, data: Any, _input: Any, _own: Any) -> None:
        if kind == kinds.kCallbackMipImprovingSolution:
            report(np.array(data.mip_solution), float(data.mip_dual_bound))
        else:
            report(None, float(data.mip_dual_bound))

    highs.setCallback(hear, None)
    highs.startCallback(kinds.kCallbackMipImprovingSolution)
    highs.startCallback(kinds.kCallbackMipLogging)


def _answer(highs: Any, integer: bool, matrix: Matrix) -> Answer:
    """Return what HiGHS said of the rows and columns of a matrix, and of rows added."""
    info = highs.getInfo()
    state = highs.getModelStatus()
    states = highspy.HighsModelStatus
    feasible = (
        info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    )
    # After an infeasible run the columns hold numbers all the same.
    solved = feasible and state not in (states.kInfeasible, states.kUnbounded)
    solution = highs.getSolution()
    if state == states.kInfeasible:
        return Answer("infeasible", None, -np.inf, np.inf)
    if not integer and solution.dual_valid and state != states.kOptimal:
        # An interior point without its crossover: prices all the same.
        prices, opens = _own_prices(solution.row_dual, matrix)
        return Answer("feasible", None, -np.inf, np.inf, prices, opens)
    if not solved:
        return Answer("no_solution", None, -np.inf, _bound(info, integer))
    status = "optimal" if state == states.kOptimal else "feasible"
    value = float(info.objective_function_value)
    if integer:
        x = np.array(solution.col_value)[: matrix.a.shape[1]]
        return Answer(status, x, value, _bound(info, True))
    if status != "optimal":
        return Answer("no_solution", None, -np.inf, np.inf)
    x = np.array(solution.col_value)[: matrix.a.shape[1]]
    return Answer(status, x, value, value, *_own_prices(solution.row_dual, matrix))


def _own_prices(prices: Any, matrix: Matrix) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the prices of rows of a matrix and of added ones; of members of counts."""
    counts, own = matrix.counts, len(matrix.lower)
    more = 0 if counts is None else len(counts.belongs) + len(counts)
    given = np.array(prices)
    kept = np.concatenate([given[:own], given[own + more :]])
    opens = None if counts is None else given[own : own + len(counts.belongs)]
    return _per_amount(kept, matrix.unit), opens


def _per_amount(prices: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
    """Return prices of rows that the solver saw in units; rows added later have 1."""
    if unit is not None:
        prices[: len(unit)] /= unit
    return prices


def _bound(info: Any, integer: bool) -> float:
    bound = float(info.mip_dual_bound) if integer else np.inf
    return bound if np.isfinite(bound) else np.inf
