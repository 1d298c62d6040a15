"""The rows of a model as branches read them, and what prices of them prove.

Every row asks for at most so much, or exactly so much, and a price is what one more is
worth. The checker knows the same rows (`certify_bound`): what prices prove here they
prove there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from pmo_analytics.optimization.bounds.branch_nodes import Domain
from pmo_analytics.optimization.bounds.cut_loop import Cut, rows_of_cuts
from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix, grains_of
from pmo_analytics.optimization.model.instance import TOGETHER, Options
from pmo_analytics.optimization.model.rows import RowLabel

# Significant digits of a price: more of them make the certificate longer, no better.
_DIGITS = 7


class Rows:
    """The rows of a model, then its cuts; those of one project are left out.

    Parameters
    ----------
    options
        The model.
    cuts
        Cuts that hold for every plan.

    Attributes
    ----------
    matrix
        The rows as the model has them.
    labels
        Of the model's rows, in their order.
    cuts
        Those given and those added; their rows come after the others.
    a, upper
        What each option counts in each row, and how much that may come to at most.
    equal
        The rows where it has to come to as much.
    """

    def __init__(self, options: Options, cuts: Sequence[Cut]) -> None:
        self.o = o = options
        self.cuts = list(cuts)
        self.projects = len(o.must)
        self.filled = np.flatnonzero(np.diff(o.first) > 0)
        self.matrix = matrix = build_matrix(o)
        kept, self.labels = [], list[RowLabel]()
        for row, label in enumerate(matrix.labels):
            # What ALL and NONE ask for is among the conclusions of the rules.
            if label is None or (
                label.form == "same" and o.group.all[label.number] != TOGETHER
            ):
                continue
            kept.append(row)
            self.labels.append(label)
        lower, upper = matrix.lower[kept], matrix.upper[kept]
        self.equal = lower == upper
        turned = np.isinf(upper)
        sign = np.where(turned, -1.0, 1.0)
        a = csr_array(matrix.a.tocsr()[kept])
        a.data *= np.repeat(sign, np.diff(a.indptr))
        upper = np.where(turned, -lower, upper)
        for row, label in enumerate(self.labels):
            if label.form in ("limit", "least"):
                resource = label.number
                limit = float(upper[row] + o.slack[resource])
                upper[row] = _granted(a, row, limit, float(o.unit[resource]))
        self.a = csr_array(vstack([a, rows_of_cuts(o, self.cuts)]))
        self.upper = np.concatenate([upper, [float(cut.most) for cut in self.cuts]])
        self.equal = np.concatenate([self.equal, np.zeros(len(self.cuts), dtype=bool)])
        self.turned = self.a.T.tocsr()

    def add(self, cuts: list[Cut]) -> csr_array:
        """Add cuts and return their rows."""
        rows = rows_of_cuts(self.o, cuts)
        self.cuts += cuts
        self.a = csr_array(vstack([self.a, rows]))
        self.turned = self.a.T.tocsr()
        self.upper = np.append(self.upper, [float(cut.most) for cut in cuts])
        self.equal = np.append(self.equal, np.zeros(len(cuts), dtype=bool))
        return rows

    def program(self) -> Matrix:
        """Return the relaxation: a row for each project first, then these."""
        o = self.o
        choice = csr_array(
            (np.ones(len(o.project)), np.arange(len(o.project)), o.first),
            (self.projects, len(o.project)),
        )
        none = np.full(self.projects, -np.inf)
        _, own = grains_of(o, self.labels)
        return Matrix(
            csc_array(vstack([choice, self.a])),
            np.concatenate([none, np.where(self.equal, self.upper, -np.inf)]),
            np.concatenate([np.ones(self.projects), self.upper]),
            [],
            unit=np.concatenate([np.ones(self.projects), own, np.ones(len(self.cuts))]),
        )

    def reduced(self, prices: np.ndarray) -> np.ndarray:
        """Return what each option is worth beyond what it counts, at these prices."""
        less: np.ndarray = self.o.worth - self.turned @ prices
        return less

    def value(
        self, prices: np.ndarray, domain: Domain
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the bound that prices prove, what each option adds, the best of each.

        Of options that are not left, and of projects without one, -inf.
        """
        left, must = domain
        reduced = np.where(left, self.reduced(prices), -np.inf)
        top = np.full(self.projects, -np.inf)
        top[self.filled] = np.maximum.reduceat(reduced, self.o.first[self.filled])
        top = np.where(must, top, np.maximum(top, 0.0))
        return float(prices @ self.upper + top.sum()), reduced, top

    def rounded(self, prices: np.ndarray) -> np.ndarray:
        """Return prices with few digits, of the right sign."""
        prices = np.where(self.equal, prices, np.maximum(prices, 0.0))
        size = np.abs(prices)
        prices = np.where(size > 1e-9 * max(size.max(initial=0.0), 1e-9), prices, 0.0)
        given = prices[prices != 0]
        # Down to a power of ten; dividing by it gives the number with these digits.
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(given))).astype(np.int64)
        up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        prices[prices != 0] = np.round(given * up / down) / up * down
        return prices

    def contradiction(
        self, prices: np.ndarray, ray: np.ndarray, domain: Domain, enough: float
    ) -> np.ndarray:
        """Return prices that prove that a part without a plan has no good one.

        Parameters
        ----------
        prices
            Those to begin with.
        ray
            What the solver says contradicts itself, a price for each row.
        enough
            The bound to be reached.
        """
        ray = np.where(self.equal, ray, np.maximum(ray, 0.0))
        if not ray.any():
            return prices
        ray /= np.abs(ray).max()
        best, least = prices, self.value(prices, domain)[0]
        # No longer than it has to be: the checker's whole numbers have an end.
        length = max(abs(enough), 1.0) * 1e-9
        for _ in range(44):
            if least <= enough:
                break
            tried = self.rounded(prices + length * ray)
            value = self.value(tried, domain)[0]
            if value < least:
                best, least = tried, value
            length *= 2.0
        return best


def _granted(a: csr_array, row: int, granted: float, unit: float) -> float:
    """Return a limit with its tolerance, cut to what uses can add up to."""
    used = a.data[a.indptr[row] : a.indptr[row + 1]] * (1e6 / unit)
    whole = np.round(used)
    if not len(used) or (np.abs(used - whole) > 1e-6).any():
        return granted
    if np.abs(whole).max() > 1e15:
        return granted
    step = int(np.gcd.reduce(np.abs(whole).astype(np.int64)))
    if not step:
        return granted
    return float(np.floor((granted * (1e6 / unit) + 1e-3) / step) * step / 1e6 * unit)


def rule_out(
    options: Options,
    domain: Domain,
    bound: float,
    reduced: np.ndarray,
    top: np.ndarray,
    level: float,
) -> None:
    """Take away what is in no plan that is worth more than a level.

    Parameters
    ----------
    bound, reduced, top
        As `Rows.value` has them for this domain, which is changed.
    """
    left, must = domain
    with np.errstate(invalid="ignore"):
        poor = bound - top[options.project] + reduced <= level
        needed = bound - top <= level
    left &= ~poor
    needed[np.isinf(top)] = False
    must |= needed
