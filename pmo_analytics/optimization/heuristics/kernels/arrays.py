"""A model as the kernels see it, and a plan with what it uses.

Everything that is a sum over options is a row with an upper and a lower side: capacity,
budgets, own rules of either sign, limits of groups. What is none has a list of its own:
dependencies (`needs`, `serves`), projects that come and go together (`unit`), and
counts of different themes (`opens`). Blackouts, windows and prices of a record are in
the options already. Purchases are none of this: kernels work in the room that a plan
has bought (`purchasing.with_room_of`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pmo_analytics.optimization.heuristics.units import units_of
from pmo_analytics.optimization.model.instance import ALL, NO_LIMIT, NONE, Options

_FAR = 2**30
# A plain number is a type of its own to numba: what is given one is compiled again.
ZERO: Any = np.int64(0)
NOBODY: Any = np.int64(-1)


class Model(NamedTuple):
    """The arrays of a model. P projects, N options, R rows, D dependencies, U units.

    Few arrays of many fields: what a kernel is given makes it slow to compile.

    Attributes
    ----------
    project
        Shape (P,): `first .. end - 1` are its options, `need_first .. need_end - 1` in
        `list` the dependencies by which it asks for others, `serve_first ..` those by
        which it may serve others; `unit` is its unit, -1 = none; `roles` it uses, as
        bits. It `must` be in, is as it is (`held`), has links to look at (`linked`).
    option
        Shape (N,): whose it is, `start`, `end` (first period without work), `worth`,
        where its uses are, and in `list` the classes that it opens. `plain`: it only
        adds, to rows without a lower side.
    use
        Shape (uses,): `row`, and the `amount` added to it.
    row
        Shape (R,): `upper` and `lower` side with their slack, `scale` = 1 / the largest
        amount.
    link
        Shape (D,): who asks (`asker`), whether start dates count (`by_start`), and
        where those are that can serve.
    target
        Whom a dependency asks for, and the `lag` and `lag_max` to wait for it.
    unit
        Shape (U,): where its members are in `list`.
    list
        Numbers that others point into.
    count_of, most
        Count of each class, and how many of its classes may be open.
    """

    project: np.ndarray
    option: np.ndarray
    use: np.ndarray
    row: np.ndarray
    link: np.ndarray
    target: np.ndarray
    unit: np.ndarray
    list: np.ndarray
    count_of: np.ndarray
    most: np.ndarray


class State(NamedTuple):
    """A plan, what it uses, and what was changed since.

    Attributes
    ----------
    chosen
        Shape (P,): option of each project, -1 = not in.
    used
        Shape (R,): sum of each row.
    inside
        Shape (U,): members of each unit that are in.
    holding, opened
        Options that hold each class open, and open classes of each count.
    worth, broken
        Shape (1,): of the plan, and what is broken by it where that is counted.
    log, length
        Changes in order: whose, and the option before; shape (1,): how many.
    mark, waiting, place
        Shape (R,), (P,) and (P,): to work in.
    """

    chosen: np.ndarray
    used: np.ndarray
    inside: np.ndarray
    holding: np.ndarray
    opened: np.ndarray
    worth: np.ndarray
    broken: np.ndarray
    log: np.ndarray
    length: np.ndarray
    mark: np.ndarray
    waiting: np.ndarray
    place: np.ndarray


class Room(NamedTuple):
    """Places to work in.

    Attributes
    ----------
    may
        Shape (N,): options that may come in, and how well they are liked.
    look
        Shape (P,): in which round a project was seen, distances, and factors.
    round
        Shape (1,): number of the round.
    """

    may: np.ndarray
    look: np.ndarray
    round: np.ndarray


class Climate(NamedTuple):
    """What a stretch of annealing goes by, in units of the objective.

    Attributes
    ----------
    heat
        Temperature.
    price, step
        Of what exceeds a row, in largest amounts of it; and how much more a row costs
        that is exceeded at all, as such an amount.
    link, must
        Price of a dependency or unit broken, and of a project that has to be in.
    paired, stays, drawn, out
        Share of moves in which a second project leaves or moves; of those in which it
        moves; in which the option is drawn by price; in which a selected one leaves.
    """

    heat: float
    price: float
    step: float
    link: float
    must: float
    paired: float
    stays: float
    drawn: float
    out: float


def model_of(options: Options) -> Model:
    """Return the arrays of a model without purchases."""
    o = options
    lists: list[np.ndarray] = []
    project = _projects(o, lists)
    option, use, row = _options(o, lists)
    spans = o.dependency.first
    link = _records(
        asker=o.dependency.project,
        by_start=o.dependency.kind != 0,
        first=spans[:-1],
        end=spans[1:],
    )
    target = _records(
        project=o.dependency.target,
        lag=np.clip(o.dependency.lag, -_FAR, _FAR),
        lag_max=np.clip(o.dependency.lag_max, -_FAR, _FAR),
    )
    members = np.flatnonzero(project["unit"] >= 0)
    first, end = _listed(
        project["unit"][members],
        int(project["unit"].max(initial=-1)) + 1,
        members,
        lists,
    )
    return Model(
        project=project,
        option=option,
        use=use,
        row=row,
        link=link,
        target=target,
        unit=_records(first=first, end=end),
        list=np.concatenate([np.zeros(0, dtype=np.int64), *lists]),
        count_of=o.counts.count.astype(np.int64),
        most=o.counts.most.astype(np.int64),
    )


def empty_state(model: Model) -> State:
    """Return the state of the empty plan."""
    projects = len(model.project)
    return State(
        chosen=np.full(projects, -1, dtype=np.int64),
        used=np.zeros(len(model.row)),
        inside=np.zeros(len(model.unit), dtype=np.int64),
        holding=np.zeros(len(model.count_of), dtype=np.int64),
        opened=np.zeros(len(model.most), dtype=np.int64),
        worth=np.zeros(1),
        broken=np.zeros(1),
        log=np.zeros(4 * projects + 16, [("project", np.int64), ("before", np.int64)]),
        length=np.zeros(1, dtype=np.int64),
        mark=np.zeros(len(model.row), dtype=np.int64),
        waiting=np.zeros(projects + 1, dtype=np.int64),
        place=np.zeros(projects, dtype=np.int64),
    )


def room_for(model: Model) -> Room:
    """Return places to work in for a model."""
    may = [("liking", float), ("option", np.int64)]
    look = [("near", float), ("noise", float), ("seen", np.int64)]
    return Room(
        may=np.zeros(len(model.option), np.dtype(may, align=True)),
        look=np.zeros(len(model.project), np.dtype(look, align=True)),
        round=np.zeros(1, dtype=np.int64),
    )


def _records(**columns: np.ndarray) -> np.ndarray:
    """Return columns as one array of records.

    All whole numbers are of one kind: kernels are compiled for each they are given.
    """
    kinds: list[tuple[str, Any]] = []
    for name, values in columns.items():
        whole = np.issubdtype(values.dtype, np.integer)
        kinds.append((name, np.int64 if whole else values.dtype))
    made = np.zeros(len(next(iter(columns.values()))), np.dtype(kinds, align=True))
    for name, values in columns.items():
        made[name] = values
    return made


def _projects(o: Options, lists: list[np.ndarray]) -> np.ndarray:
    unit, _ = units_of(o)
    # What a unit says already need not be asked for again.
    asked = np.repeat(np.arange(len(o.dependency.kind)), np.diff(o.dependency.first))
    own = unit[o.dependency.project[asked]]
    within = (own >= 0) & (own == unit[o.dependency.target])
    said = (o.dependency.kind == 0) & (
        np.bincount(asked[within], minlength=len(o.dependency.kind)) > 0
    )
    asks, pairs = np.flatnonzero(~said), ~said[asked]
    many = len(o.must)
    need_first, need_end = _listed(o.dependency.project[asks], many, asks, lists)
    serve_first, serve_end = _listed(
        o.dependency.target[pairs], many, asked[pairs], lists
    )
    must, held = _fixed(o)
    return _records(
        roles=_roles(o),
        first=o.first[:-1],
        end=o.first[1:],
        need_first=need_first,
        need_end=need_end,
        serve_first=serve_first,
        serve_end=serve_end,
        unit=unit,
        must=must,
        held=held,
        linked=(need_end > need_first) | (serve_end > serve_first) | (unit >= 0),
    )


def _options(
    o: Options, lists: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the options, their uses, and the rows."""
    many = len(o.project)
    owner, row, amount, upper, lower = _rows(o)
    if (np.diff(owner) < 0).any():
        order = np.argsort(owner, kind="stable")
        owner, row, amount = owner[order], row[order], amount[order]
    spans = np.searchsorted(owner, np.arange(many + 1))
    largest = np.zeros(len(upper))
    np.maximum.at(largest, row, np.abs(amount))
    odd = np.bincount(owner[(amount < 0) | np.isfinite(lower[row])], minlength=many)
    class_first, class_end = _listed(o.counts.column, many, o.counts.classes(), lists)
    option = _records(
        worth=o.worth.astype(float),
        project=o.project,
        start=o.start,
        end=_ends(o),
        use_first=spans[:-1],
        use_end=spans[1:],
        class_first=class_first,
        class_end=class_end,
        plain=odd == 0,
    )
    use = _records(amount=amount.astype(float), row=row)
    scale = 1.0 / np.maximum(largest, 1e-9)
    return option, use, _records(upper=upper, lower=lower, scale=scale)


def _listed(
    key: np.ndarray, many: int, values: np.ndarray, lists: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Add values to the lists, by key; return where those of each key begin and end."""
    before = sum(map(len, lists))
    order = np.argsort(key, kind="stable")
    lists.append(values[order].astype(np.int64))
    spans = before + np.searchsorted(key[order], np.arange(many + 1))
    return spans[:-1], spans[1:]


def _rows(o: Options) -> tuple[np.ndarray, ...]:
    """Return option, row and amount of every use, and the sides of the rows.

    Rows that have no side are left out.
    """
    members = np.repeat(np.arange(len(o.group.all)), np.diff(o.group.first))
    counted = o.group.all[members] == 0
    size = np.diff(o.first)[o.group.project]
    option = np.concatenate(
        [np.zeros(0, dtype=np.int64), *(o.span(p) for p in o.group.project[counted])]
    )
    group = np.repeat(members[counted], size[counted])
    linear = np.repeat(np.arange(len(o.linear.lower)), np.diff(o.linear.first))
    limits, sums = len(o.limit), len(o.linear.lower)
    owner = np.concatenate([o.use_option(), o.linear.option, option])
    row = np.concatenate([o.use.row, limits + linear, limits + sums + group])
    amount = np.concatenate([o.use.amount, o.linear.weight, np.ones(len(option))])
    most = np.where(o.group.most < NO_LIMIT, o.group.most + 0.5, np.inf)
    least = np.where(o.group.least > 0, o.group.least - 0.5, -np.inf)
    slack = o.slack if len(o.slack) else np.zeros(limits)
    upper = np.concatenate([o.limit + slack, o.linear.upper + o.linear.slack, most])
    floor = np.where(o.least > 0, o.least - slack, -np.inf)
    lower = np.concatenate([floor, o.linear.lower - o.linear.slack, least])
    binds = np.isfinite(upper) | np.isfinite(lower)
    if binds.all():
        return owner, row, amount, upper, lower
    used = binds[row]
    place = np.cumsum(binds) - 1
    return owner[used], place[row[used]], amount[used], upper[binds], lower[binds]


def _ends(o: Options) -> np.ndarray:
    """Return the first period in which each option needs nobody any more."""
    cells = int(o.sizes[0] * o.sizes[1])
    end = o.start + 1
    people = o.use.row < cells
    periods = o.use.row[people] % max(int(o.sizes[1]), 1)
    np.maximum.at(end, o.use_option()[people], periods + 1)
    return end


def _roles(o: Options) -> np.ndarray:
    """Return the roles that each project uses, as bits; some may share a bit."""
    people = o.use.row < int(o.sizes[0] * o.sizes[1])
    role = o.use.row[people] // max(int(o.sizes[1]), 1) % 63
    bits = np.zeros(len(o.must), dtype=np.int64)
    owner = o.project[o.use_option()[people]]
    np.bitwise_or.at(bits, owner, np.int64(1) << role.astype(np.int64))
    return bits


def _fixed(o: Options) -> tuple[np.ndarray, np.ndarray]:
    """Return which projects have to be in, and which are as they are."""
    must = o.must.copy()
    held = np.zeros(len(must), dtype=bool)
    members = np.repeat(np.arange(len(o.group.all)), np.diff(o.group.first))
    must[o.group.project[o.group.all[members] == ALL]] = True
    held[o.group.project[o.group.all[members] == NONE]] = True
    held |= must & (np.diff(o.first) <= 1)
    held |= np.diff(o.first) == 0
    return must, held
