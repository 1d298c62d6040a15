"""Which rules clash: a deletion filter over the rules of a rulebook.

Runs in the solver's process, on arrays. A rule is taken away by dropping its rows, or
by opening the starts that it alone forbids. What cannot be needed for a clash is left
out of every model: projects that nothing asks for can always be refused.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from pmo_analytics.optimization.jobs import (
    ClashJob,
    RuleFacts,
)
from pmo_analytics.optimization.messages import (
    Clashing,
    PricesTold,
    Step,
    Verdict,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import (
    Matrix,
    bound_of_prices,
    build_matrix,
    spelled_out,
)
from pmo_analytics.optimization.model.families import AMOUNTS, CLAUSES
from pmo_analytics.optimization.model.instance import ALL, TOGETHER, Options
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.tolerance import TOLERANCE

# Of what floats may exceed a limit by half is granted here, so that what is called
# impossible is impossible for the checker too.
_GRANTED = 0.5
# Form of a row -> where the rulebook has its rule.
_KINDS = {**CLAUSES, "must": ("must",)}
_SETTINGS: dict[str, Any] = {"mip_feasibility_tolerance": 1e-7}
# Largest share of the time that is left which one question may take.
_QUESTION = 0.2
FEASIBLE, INFEASIBLE, UNKNOWN = "feasible", "infeasible", "unknown"


class Clash:
    """The rows of the model, each with the rule it belongs to.

    Parameters
    ----------
    options
        The wide options of a rulebook.
    facts
        What `Rulebook.facts` gave.
    granted
        The share of their slack by which limits may be exceeded.
    """

    def __init__(
        self, options: Options, facts: RuleFacts, granted: float = _GRANTED
    ) -> None:
        self.options = options
        self.rules = facts.rules
        of = {kind: {int(a): int(b) for a, b in of} for kind, of in facts.of.items()}
        bare = dataclasses.replace(
            options, must=np.zeros(len(options.must), dtype=bool)
        )
        # With the columns of counts, which a rule may take part in.
        matrix = spelled_out(build_matrix(bare))
        self.columns = matrix.a.shape[1]
        labels = list(matrix.labels)
        must = np.flatnonzero(options.must)
        own = np.full(len(options.must), -1)
        own[must] = np.arange(len(must))
        columns = np.flatnonzero(own[options.project] >= 0)
        asked = csr_array(
            (np.ones(len(columns)), (own[options.project[columns]], columns)),
            shape=(len(must), self.columns),
        )
        labels += [RowLabel("must", int(p)) for p in must]
        empty = list(facts.empty_groups)
        labels += [RowLabel("at_least", int(g)) for g in empty]
        nothing = csr_array((len(empty), self.columns))
        self.a: csr_array = vstack([matrix.a.tocsr(), asked, nothing], format="csr")
        more = len(must) + len(empty)
        self.lower = np.concatenate([matrix.lower, np.ones(more)])
        self.upper = np.concatenate([matrix.upper, np.full(more, np.inf)])
        self.labels = labels
        self.rule = np.array([_rule(label, of) for label in labels], dtype=np.int64)
        money = np.array(
            [label is not None and label.form in AMOUNTS for label in labels],
            dtype=bool,
        )
        self.slack = np.concatenate([matrix.slack, np.full(more, TOLERANCE)])
        self.unit = np.concatenate([matrix.unit, np.ones(more)])
        self.upper[money] += granted * self.slack[money]
        self.lower[money] -= granted * self.slack[money]
        self.forbidden = np.array(facts.forbidden, dtype=np.int64).reshape(2, -1)
        # Rows of kinds that this module does not know of may ask for anything.
        self.simple = all(label is None or label.form in _KINDS for label in labels)
        self.limiting = {
            int(k) for kind in ("capacity", "budget") for k in of[kind].values()
        }
        self.known: list[np.ndarray] = []  # plans found, as what each of them breaks
        self.asked = 0

    def active(self, kept: list[int]) -> np.ndarray:
        """Return a mask of rules."""
        mask = np.zeros(self.rules, dtype=bool)
        mask[kept] = True
        return mask

    def check(
        self, active: np.ndarray, seconds: float
    ) -> tuple[str, np.ndarray | None]:
        """Return whether some plan keeps the rules of a mask, and such a plan."""
        for broken in self.known:
            if not (broken & active).any():
                return FEASIBLE, None
        matrix, _rows, columns = self.model(active)
        self.asked += 1
        if not len(columns):
            fits = (matrix.lower <= 0).all() and (matrix.upper >= 0).all()
            answer = (FEASIBLE if fits else INFEASIBLE), np.zeros(0)
        else:
            found = highs.solve(
                matrix, np.zeros(len(columns)), seconds=seconds, **_SETTINGS
            )
            status = FEASIBLE if found.x is not None else found.status
            answer = status, np.zeros(0) if found.x is None else found.x
        status, x = answer
        if status == INFEASIBLE:
            return INFEASIBLE, None
        if status != FEASIBLE:
            return UNKNOWN, None
        whole = np.zeros(self.columns)
        whole[columns] = np.round(x)
        broken = self.broken(whole)
        if (broken & active).any():
            return UNKNOWN, None
        self.known.append(broken)
        return FEASIBLE, whole

    def broken(self, x: np.ndarray) -> np.ndarray:
        """Return which rules a choice of options breaks, by our own arithmetic."""
        use = self.a @ x
        noise = 0.1 * self.slack
        wrong = (use < self.lower - noise) | (use > self.upper + noise)
        mask = np.zeros(self.rules, dtype=bool)
        rules = self.rule[wrong]
        mask[rules[rules >= 0]] = True
        option, rule = self.forbidden
        mask[rule[x[option] > 0.5]] = True
        return mask

    def _on(self, active: np.ndarray) -> np.ndarray:
        """Return which rows are in force."""
        if not self.rules:
            return np.ones(len(self.rule), dtype=bool)
        return (self.rule < 0) | active[self.rule]

    def model(self, active: np.ndarray) -> tuple[Matrix, np.ndarray, np.ndarray]:
        """Return the rows in force, their numbers, and the options they are about."""
        open_ = np.ones(len(self.options.project), dtype=bool)
        option, rule = self.forbidden
        open_[option[active[rule]]] = False
        if self.simple:
            open_ &= self.wanted(active)[self.options.project]
        columns = self.with_counts(np.flatnonzero(open_))
        rows = np.flatnonzero(self._on(active))
        part = self.a[rows][:, columns]
        needed = np.diff(part.indptr) > 0
        needed |= (self.lower[rows] > 0) | (self.upper[rows] < 0)
        rows = rows[needed]
        part = part[np.flatnonzero(needed)].tocsc()
        unit = self.unit[rows]
        matrix = Matrix(part, self.lower[rows], self.upper[rows], [], unit=unit)
        return matrix, rows, columns

    def with_counts(self, options: np.ndarray) -> np.ndarray:
        """Return some options and all columns of counts, which come after them."""
        more = np.arange(len(self.options.project), self.columns)
        return np.concatenate([options, more])

    def wanted(self, active: np.ndarray) -> np.ndarray:
        """Return the projects that a rule in force may ask for; others can stay out."""
        o = self.options
        wanted = np.zeros(len(o.must), dtype=bool)
        on = self._on(active)
        groups: set[int] = set()
        follows: list[tuple[int, list[int]]] = []
        served: set[int] = set()
        for row in np.flatnonzero(on):
            label = self.labels[row]
            if label is None:
                continue
            form, number, at = label
            if form == "must":
                wanted[number] = True
            elif form == "at_least":
                groups.add(number)
            elif form == "same" and o.group.all[number] == ALL:
                wanted[at] = True
            elif form in ("least", "linear_most", "linear_least"):
                wanted[o.project[self.a[[row]].indices]] = True
            elif form == "same" and o.group.all[number] == TOGETHER:
                members = self._members(number)
                follows += [(member, members) for member in members]
            elif _KINDS[form] == ("dependency",):
                served.add(number)
        for g in groups:
            wanted[self._members(g)] = True
        for d in served:
            targets = o.dependency.target[
                o.dependency.first[d] : o.dependency.first[d + 1]
            ].tolist()
            follows.append((int(o.dependency.project[d]), targets))
        grew = True
        while grew:
            grew = False
            for project, others in follows:
                if wanted[project] and not wanted[others].all():
                    wanted[others] = True
                    grew = True
        return wanted

    def _members(self, group: int) -> list[int]:
        o = self.options
        return o.group.project[o.group.first[group] : o.group.first[group + 1]].tolist()

    def proof(self, active: np.ndarray, seconds: float) -> list[int] | None:
        """Return the rules in a proof that the LP relaxation of a mask has no plan.

        None where the relaxation has one. The multipliers of an impossible relaxation
        say which rows the proof uses, and which starts would spoil it.
        """
        matrix, rows, columns = self.model(active)
        self.asked += 1
        if not len(columns):
            return None
        ray = highs.farkas(matrix, seconds)
        if ray is None:
            return None
        size = np.abs(ray) * self.unit[rows]
        small = 1e-9 * size.max()
        used = self.rule[rows[size > small]]
        kept = set(used[used >= 0].tolist())
        # An option helps where it would let the rows of the proof be satisfied.
        weight = np.zeros(len(self.lower))
        weight[rows] = ray
        gain = self.a.T @ weight
        option, rule = self.forbidden
        on = active[rule] & (gain[option] > small)
        for k in np.unique(option[on]):
            against = rule[on & (option == k)]
            if not kept & set(against.tolist()):
                kept.add(int(against[-1]))
        return sorted(kept)


def _rule(label: RowLabel | None, of: dict[str, dict[int, int]]) -> int:
    if label is None or label.form not in _KINDS:
        return -1
    for kind in _KINDS[label.form]:
        if label.number in of[kind]:
            return of[kind][label.number]
    return -1


class Filter:
    """A deletion filter over units of rules that are kept or dropped together."""

    def __init__(self, clash: Clash, end: float, emit: Any) -> None:
        self.clash = clash
        self.end = end
        self.emit = emit

    def left(self) -> float:
        """Return the time that is left."""
        return self.end - time.monotonic()

    def ask(self, units: list[list[int]]) -> str:
        """Return whether a plan keeps the rules of some units."""
        if self.left() <= 0.05:
            return UNKNOWN
        active = self.clash.active([k for unit in units for k in unit])
        seconds = max(_QUESTION * self.left(), min(1.0, self.left()))
        return self.clash.check(active, seconds)[0]

    def screen(self, units: list[list[int]]) -> list[list[int]]:
        """Return units that clash by the LP relaxation, as few as come easily.

        Tried with all rules, and with one limited thing at a time: who is short of
        one role says more than who is a little short of everything. Then unit after
        unit is left out, and the proof of each time takes others with it. Where the
        relaxation has plans, all units come back.
        """
        clash = self.clash
        many = {k for unit in units for k in unit if k in clash.limiting}
        whole = clash.active([k for unit in units for k in unit])
        tries = [whole]
        for unit in units:
            if set(unit) <= many:
                alone = whole.copy()
                alone[sorted(many - set(unit))] = False
                tries.append(alone)
        until = time.monotonic() + 0.3 * self.left()
        best: list[list[int]] | None = None
        for active in tries:
            if best is not None and time.monotonic() > until:
                break
            kept = clash.proof(active, 0.5 * self.left())
            if kept is None and active is whole:
                return units
            if kept is not None:
                found = _within(units, kept)
                if best is None or len(found) < len(best):
                    best = found
        assert best is not None
        until = time.monotonic() + 0.5 * self.left()
        for unit in list(best):
            if time.monotonic() > until:
                break
            left = [other for other in best if other != unit]
            if len(left) == len(best):
                continue  # an earlier proof has done without it
            active = clash.active([k for other in left for k in other])
            kept = clash.proof(active, 0.2 * self.left())
            if kept is not None:
                best = _within(best, kept)
        return best

    def run(
        self, rest: list[list[int]], need: list[list[int]], unsure: list[list[int]]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Return units that are needed, and units not proved to be needed.

        Pieces are dropped at once, larger ones after every success.
        """
        need, unsure = list(need), list(unsure)
        size = max(len(rest) // 2, 1)
        while rest:
            size = min(size, len(rest))
            self.emit(Step(rest=rest, need=need, unsure=unsure))
            if self.left() <= 0.05:
                return need, [*unsure, *rest]
            verdict = self.ask([*need, *unsure, *rest[size:]])
            if verdict == INFEASIBLE:
                rest = rest[size:]
                size *= 2
            elif size > 1:
                size = max(size // 4, 1)
            else:
                (need if verdict == FEASIBLE else unsure).append(rest[0])
                rest = rest[1:]
                size = 2
        return need, unsure

    def refine(
        self, many: list[int], need: list[list[int]], unsure: list[list[int]]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Look at the rules of one unit one by one.

        Where that is not settled in time, what is left of the unit stays together: as
        a whole it is as needed as it was.
        """
        fixed = [unit for unit in [*need, *unsure] if unit is not many]
        found, open_ = self.run([[k] for k in many], fixed, [])
        parts = found[len(fixed) :]
        if open_:
            parts = [[k for unit in [*parts, *open_] for k in unit]]
        sure = any(unit is many for unit in need)
        need = [unit for unit in need if unit is not many] + (parts if sure else [])
        unsure = [unit for unit in unsure if unit is not many]
        return need, unsure + ([] if sure else parts)


def _within(units: list[list[int]], kept: list[int]) -> list[list[int]]:
    """Return units without the rules that a proof does not need."""
    own = set(kept)
    parts = [[k for k in unit if k in own] for unit in units]
    return [part for part in parts if part]


def find_clash(options: Options, job: ClashJob, end: float, emit: Any) -> None:
    """Report whether the rules clash and, if so, which few of them."""
    clash = Clash(options, job.facts)
    search = Filter(clash, end, emit)
    units = [list(unit) for unit in job.units]
    need: list[list[int]] = [list(unit) for unit in job.need]
    unsure: list[list[int]] = [list(unit) for unit in job.unsure]
    if not job.resumed:
        active = np.ones(clash.rules, dtype=bool)
        verdict, x = clash.check(active, max(0.6 * search.left(), 0.1))
        own = len(options.project)
        chosen = [] if x is None else np.flatnonzero(x[:own] > 0.5).tolist()
        emit(Verdict(verdict=verdict, chosen=chosen))
        if verdict != INFEASIBLE:
            return
        narrowed = search.screen(units)
        if search.ask(narrowed) == INFEASIBLE:
            units = narrowed
    need, unsure = search.run(units, need, unsure)
    emit(Clashing(need=need, unsure=unsure, asked=clash.asked))
    for many in [unit for unit in [*need, *unsure] if len(unit) > 1]:
        need, unsure = search.refine(many, need, unsure)
    emit(Clashing(need=need, unsure=unsure, asked=clash.asked))


def tell_prices(options: Options, end: float, emit: Any) -> None:
    """Report the prices of the LP relaxation by row, and the bound they prove."""
    matrix = build_matrix(options)
    answer = highs.solve(
        matrix, options.gains(), seconds=end - time.monotonic(), integer=False
    )
    if answer.prices is None:
        return
    bound, sign = min(
        (bound_of_prices(options, matrix, sign * answer.prices), sign)
        for sign in (1.0, -1.0)
    )
    emit(PricesTold(prices=(sign * answer.prices).tolist(), bound=bound))
