"""The factors of every draw.

Draws come in blocks, each a Latin hypercube or a scrambled Sobol sequence of its own.
The blocks depend on the number of draws alone, so results do not depend on how many
are worked on at a time or by whom; and the spread between blocks tells the Monte Carlo
error honestly, which a formula for independent draws does not.

What happens to a project, a driver, a role or a person is drawn from a stream of its
own name: it is the same in every plan of the same seed, and plans can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.uncertainty.distributions import Fixed, Reference
from pmo_analytics.uncertainty.draw_model import Model
from pmo_analytics.uncertainty.uncertainty import driver_factor

METHODS = ("lhs", "sobol", "random")
BLOCKS = 20
# Columns of uniform numbers of a project, always drawn in this order.
DURATION, DEMAND, VALUE, WIN = range(4)
# Classes that a continuous source is told apart into, to see what it moves.
LEVELS = 12


@dataclass(frozen=True)
class Source:
    """Something uncertain, and which class of it each draw has.

    Attributes
    ----------
    kind
        `driver`, `win`, `overrun` (of finished projects), `duration`, `demand`,
        `value`, `capacity` or `attrition`.
    level
        Class of each draw, small factors first; of an event 0 = it did not come.
    """

    kind: str
    name: str
    level: np.ndarray


@dataclass(frozen=True)
class Factors:
    """What some draws bring. P projects, R roles, T periods, D draws.

    Attributes
    ----------
    duration, demand, value, won
        (P, D).
    by_role
        Drivers of demand of some roles: (which projects, which roles, factor).
    capacity
        (R, T, D) FTE; of one draw where nothing about it is uncertain.
    """

    duration: np.ndarray
    demand: np.ndarray
    value: np.ndarray
    won: np.ndarray
    by_role: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
    capacity: np.ndarray
    sources: list[Source] = field(default_factory=list)

    def amount(self, project: int, used: Sequence[int]) -> np.ndarray:
        """Return the factor on the FTE of each used role, 0 where it is lost."""
        base = self.demand[project] * self.won[project]
        amount = np.repeat(base[None, :], len(used), axis=0)
        for projects, roles, factor in self.by_role:
            if projects[project]:
                amount[roles[list(used)]] *= factor
        return amount


def block_sizes(draws: int) -> list[int]:
    """Return how many draws each block has; they differ by one at most."""
    count = int(np.clip(draws // 10, 2, BLOCKS))
    return [len(part) for part in np.array_split(np.arange(draws), count)]


def check_method(method: str) -> None:
    """Raise ConfigError unless there is such a way to draw."""
    if method not in METHODS:
        raise ConfigError(
            f"method is one of {', '.join(METHODS)}, not {method!r}"
            f"{closest(method, METHODS)}."
        )


def _stream(seed: int, name: str, block: int) -> np.random.Generator:
    """Return the stream of a name in a block: of the purpose, never of a worker."""
    digest = hashlib.sha256(name.encode()).digest()
    key = tuple(np.frombuffer(digest[:16], dtype=np.uint32).tolist())
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(*key, block)))
    )


def uniforms(
    wanted: Sequence[tuple[str, int]], seed: int, method: str, block: int, size: int
) -> np.ndarray:
    """Return uniform numbers of one block, one row for each thing drawn.

    Parameters
    ----------
    wanted
        Names of streams, and how many rows each has.
    """
    total = sum(rows for _, rows in wanted)
    if method == "sobol":
        from scipy.stats import qmc

        if not total:
            return np.zeros((0, size))
        engine = qmc.Sobol(total, scramble=True, rng=_stream(seed, "sobol", block))
        points = engine.random_base2(max(int(np.ceil(np.log2(size))), 0))
        return np.asarray(points[:size].T)
    result = np.empty((total, size))
    at = 0
    for name, rows in wanted:
        rng = _stream(seed, name, block)
        for _ in range(rows):
            result[at] = rng.random(size)
            if method == "lhs":
                result[at] = (result[at] + rng.permutation(size)) / size
            at += 1
    return result


def sample_factors(
    model: Model, seed: int, method: str, blocks: Sequence[tuple[int, int]]
) -> Factors:
    """Return the factors of some blocks of draws, one after the other.

    Parameters
    ----------
    blocks
        (number, size) of each.
    """
    assert model.uncertainty.drivers is not None
    drivers = list(dict.fromkeys(model.uncertainty.drivers["driver"]))
    spread_roles = [
        role
        for role in model.roles
        if not isinstance(model.uncertainty.distribution("capacity", role=role), Fixed)
    ]
    people = list(dict.fromkeys(person for person, *_ in model.persons))
    wanted = [(f"driver:{name}", 1) for name in drivers]
    wanted += [(f"capacity:{role}", 1) for role in spread_roles]
    wanted += [(f"person:{name}", 1) for name in people]
    wanted += [(f"project:{name}", 4) for name in model.names]
    u = np.hstack([uniforms(wanted, seed, method, *block) for block in blocks])
    drawn = dict(zip(drivers, u, strict=False))
    own = u[len(u) - 4 * len(model.names) :].reshape(len(model.names), 4, u.shape[1])
    factors = _project_factors(model, own)
    rest = u[len(drivers) : len(u) - 4 * len(model.names)]
    spread = dict(zip(spread_roles, rest, strict=False))
    persons = dict(zip(people, rest[len(spread_roles) :], strict=True))
    capacity = _capacity(model, drawn, spread, persons, factors)
    for row in model.uncertainty.drivers.to_dict("records"):
        _strike(model, row, drawn[row["driver"]], factors)
    for name in drivers:
        rows = model.uncertainty.drivers
        chance = float(rows.loc[rows["driver"] == name, "probability"].iat[0])
        factors.sources.append(Source("driver", name, _event(drawn[name], chance)))
    return replace(factors, capacity=capacity)


def _event(u: np.ndarray, chance: float) -> np.ndarray:
    """Return 0 where a driver does not come, else a class of how hard it strikes."""
    size = (u - (1.0 - chance)) / max(chance, 1e-12)
    return np.where(u >= 1.0 - chance, 1 + np.floor(size * (LEVELS - 1)), 0.0).astype(
        np.int8
    )


def _levels(u: np.ndarray) -> np.ndarray:
    return (u * LEVELS).astype(np.int8)


def _project_factors(model: Model, u: np.ndarray) -> Factors:
    """Return each project's own factors, before drivers, and their sources."""
    shape = (len(model.names), u.shape[-1])
    one = {name: np.ones(shape) for name in ("duration", "demand", "value")}
    won = np.ones(shape, dtype=bool)
    sources: list[Source] = []
    column = {"duration": DURATION, "demand": DEMAND, "value": VALUE}
    tied = {i: tie for tie in model.ties for i in tie}
    for i, name in enumerate(model.names):
        about = {
            "project": name,
            "theme": model.themes[i],
            "status": model.statuses[i],
        }
        kinds = {q: model.uncertainty.distribution(q, **about) for q in one}
        rows = None
        for quantity, distribution in kinds.items():
            own = u[i, column[quantity]]
            if isinstance(distribution, Reference):
                # Duration and effort of one finished project belong together.
                if rows is None:
                    rows = model.overruns.rows(model.themes[i], own)
                    if len(model.overruns.duration) > 1:
                        sources.append(Source("overrun", name, _levels(own)))
                ratios = model.overruns
                one[quantity][i] = (
                    ratios.duration if quantity == "duration" else ratios.effort
                )[rows]
            elif isinstance(distribution, Fixed):
                one[quantity][i] = distribution.mean
            else:
                one[quantity][i] = distribution.ppf(own)
                sources.append(Source(quantity, name, _levels(own)))
        if model.chance[i] < 1.0:
            together = tied.get(i, (i,))
            won[i] = u[together[0], WIN] >= 1.0 - model.chance[i]
            if i == min(together):  # one event, however many it decides on
                event = ", ".join(model.names[m] for m in together)
                sources.append(Source("win", event, won[i].astype(np.int8)))
    return Factors(
        one["duration"],
        one["demand"],
        one["value"],
        won,
        [],
        np.empty((0, 0, 0)),
        sources,
    )


def _strike(
    model: Model, row: Mapping[str, Any], u: np.ndarray, factors: Factors
) -> None:
    """Multiply what one row of `drivers` multiplies, but for capacity."""
    if row["multiplies"] == "capacity":
        return
    hit = np.array(
        [
            (not row["project"] or row["project"] == name)
            and (not row["theme"] or row["theme"] == theme)
            for name, theme in zip(model.names, model.themes, strict=True)
        ],
        dtype=bool,
    )
    factor = driver_factor(row, u)
    if row["role"]:
        roles = np.array([role == row["role"] for role in model.roles])
        factors.by_role.append((hit, roles, factor))
    else:
        target: np.ndarray = getattr(factors, row["multiplies"])
        target[hit] *= factor


def _capacity(
    model: Model,
    drivers: Mapping[str, np.ndarray],
    spread: Mapping[str, np.ndarray],
    persons: Mapping[str, np.ndarray],
    factors: Factors,
) -> np.ndarray:
    """Return the capacity of every draw, (R, T, D) or (R, T, 1) where it is certain."""
    assert model.uncertainty.drivers is not None
    struck = model.uncertainty.drivers
    struck = struck[struck["multiplies"] == "capacity"]
    draws = factors.won.shape[1]
    uncertain = bool(len(spread) or len(persons) or len(struck))
    capacity = np.repeat(model.capacity[:, :, None], draws if uncertain else 1, axis=2)
    for k, role in enumerate(model.roles):
        distribution = model.uncertainty.distribution("capacity", role=role)
        assert not isinstance(distribution, Reference)
        if role in spread:
            capacity[k] *= distribution.ppf(spread[role])
            factors.sources.append(Source("capacity", role, _levels(spread[role])))
        elif distribution.mean != 1.0:
            capacity[k] *= distribution.mean
    for row in struck.to_dict("records"):
        factor = driver_factor(row, drivers[row["driver"]])
        for k, role in enumerate(model.roles):
            if row["role"] in ("", role):
                capacity[k] *= factor
    _leave(model, persons, capacity, factors)
    return capacity + model.bought[:, :, None]


def _leave(
    model: Model,
    persons: Mapping[str, np.ndarray],
    capacity: np.ndarray,
    factors: Factors,
) -> None:
    """Take off capacity what people who leave would have given."""
    when = np.arange(1, model.periods + 1)[:, None]
    for k, role in enumerate(model.roles):
        own = [person for person in model.persons if person[1] == k]
        if not own:
            continue
        total = np.sum([fte for _, _, fte, _ in own], axis=0)
        missing = np.zeros(capacity.shape[1:])
        leavers = np.zeros(capacity.shape[2], dtype=np.int8)
        for name, _, fte, rate in own:
            # Still there after t periods with the chance (1 - rate)^t.
            stays = (1.0 - persons[name])[None, :] <= (1.0 - rate) ** when
            missing += np.where(stays, 0.0, fte[:, None])
            leavers = np.minimum(leavers + ~stays[-1], LEVELS - 1).astype(np.int8)
        share = missing / np.where(total > 0, total, 1.0)[:, None]
        capacity[k] *= 1.0 - share
        factors.sources.append(Source("attrition", role, leavers))
