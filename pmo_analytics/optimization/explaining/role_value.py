"""What one FTE more or less of a role is worth, by solving again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, parse_period
from pmo_analytics.errors import ConfigError, closest, listing
from pmo_analytics.formats import called
from pmo_analytics.optimization.explaining.resolving import (
    Resolved,
    resolve_all,
    settings_of,
)
from pmo_analytics.optimization.explaining.wording import is_nothing, number, series
from pmo_analytics.optimization.jobs import (
    PricesJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    PricesTold,
)
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.workers.running import run_task
from pmo_analytics.plan import Plan
from pmo_analytics.processes import Work, stoppable
from pmo_analytics.rules import all_roles, difference
from pmo_analytics.rules import limits as limits_of

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = [
    *("role", "change", "start", "end", "value", "low", "high", "how"),
    *("objective", "bound", "base_objective", "entering", "leaving"),
    *("overload", "lp_price", "message"),
]
# Projects of a sentence; more are counted.
_NAMED = 4
_PLENTY = 1e9
# Time for the LP relaxation, whose prices say which roles come first.
_SCREEN = 20.0


@stoppable()
def role_value(
    plan: Plan,
    *,
    window: tuple[object, object] | None = None,
    fte: float = 1.0,
    roles: Sequence[str] | None = None,
    limits: SolveLimits | None = None,
    seed: int = 0,
    workers: int | None = None,
    cluster: str = "",
) -> pd.DataFrame:
    """Return what more and less of each role over a window is worth.

    The portfolio is solved again with the capacity changed, from the plan; prices of
    the LP relaxation only say which role comes first. Roles that cannot bind, whatever
    is selected, are worth exactly 0 and are not solved. More capacity never makes the
    best plan worse, so a plan that is found with less of a role counts for the
    portfolio as it is, too, and a bound with more of one.

    Parameters
    ----------
    plan
        The answer to begin with.
    window
        First and last period in which the capacity changes; default the horizon.
    fte
        By how much, up and down; capacity does not fall below 0.
    roles
        Roles to look at; default all.
    limits
        Of each solve; default 20 seconds.
    seed
        Of the search.
    workers, cluster
        Local processes, default one per core; or the address of a Dask scheduler.

    Returns
    -------
    DataFrame
        Two rows a role, those with the largest effect first: `role, change` (FTE),
        `start, end` (Period), `value` (change of the objective by the plans found),
        `low, high` (what the bounds allow), `how` (`never binds`, `solved`,
        `infeasible`, `stopped` by Ctrl-C before its end, or the status of a search
        that found nothing; then nothing is said of its value), `objective,
        bound`, `base_objective` (of the best plan known for the portfolio as it is),
        `entering, leaving` (projects), `overload` (FTE-periods of work that cannot be
        moved above the lower capacity), `lp_price` (what the LP relaxation says, a
        hint), `message`.

    Raises
    ------
    ConfigError
        If a role or a window is unknown, or `fte` is not positive.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.optimize(pmo.example_portfolio(), limits=pmo.SolveLimits(seconds=3))
    >>> values = pmo.role_value(plan, roles=["Tester"],
    ...                         limits=pmo.SolveLimits(seconds=2))
    >>> list(values["change"].abs())
    [1.0, 1.0]
    """
    portfolio = plan.portfolio
    first, last = _window(portfolio, window)
    known = all_roles(portfolio)
    chosen = known if roles is None else list(roles)
    for role in chosen:
        if role not in known:
            raise ConfigError(f"There is no role '{role}'{closest(role, known)}.")
    if not fte > 0:
        raise ConfigError(f"fte must be positive, not {fte!r}.")
    limits = limits or SolveLimits(seconds=20.0)
    idle = _never_binding(portfolio, plan.strict, first, last, fte)
    prices = _lp_prices(plan, limits, seed, first, last)
    todo = sorted(
        ((role, sign) for role in chosen for sign in (1, -1)),
        key=lambda pair: -abs(prices.get(pair[0], 0.0)),
    )
    questions = {
        f"{role} {sign:+d}": changed(portfolio, role, first, last, sign * fte)
        for role, sign in todo
        if (role, sign) not in idle
    }
    if plan.report is None or plan.report.bound is None:
        questions = {"as it is": portfolio, **questions}
    settings = settings_of(plan, seed)
    place = Work(workers, cluster)
    found = resolve_all(questions, limits, settings, plan, place)
    rows = _rows(plan, todo, idle, found, fte)
    for row in rows:
        row["start"], row["end"] = portfolio.horizon[first], portfolio.horizon[last]
        price = prices.get(row["role"])
        row["lp_price"] = None if price is None else price * row["change"]
        row["overload"] = _overload(portfolio, plan, row, first, last)
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    numbers = ["value", "low", "high", "objective", "bound", "lp_price", "overload"]
    table[numbers] = table[numbers].astype(float)
    effect = table["value"].abs().groupby(table["role"]).transform("max").fillna(np.inf)
    order = effect.sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _window(
    portfolio: Portfolio, window: tuple[object, object] | None
) -> tuple[int, int]:
    """Return first and last period as offsets inside the horizon."""
    if window is None:
        return 0, len(portfolio.horizon) - 1
    try:
        start, end = (parse_period(x, portfolio.freq) for x in window)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The window is a first and a last period: {error}."
        ) from error
    zero = portfolio.horizon[0].ordinal
    first, last = start.ordinal - zero, end.ordinal - zero
    if first > last or last < 0 or first >= len(portfolio.horizon):
        raise ConfigError(
            f"The window {format_period(start)} to {format_period(end)} has no period "
            "of the horizon."
        )
    return max(first, 0), min(last, len(portfolio.horizon) - 1)


def changed(
    portfolio: Portfolio, role: str, first: int, last: int, fte: float
) -> Portfolio:
    """Return the portfolio with more or less of a role over a window."""
    capacity = portfolio.capacity.copy()
    if role not in capacity.columns:
        capacity[role] = 0.0
    place = capacity.columns.get_loc(role)
    own = capacity.iloc[first : last + 1, place].fillna(0.0) + fte
    capacity.iloc[first : last + 1, place] = own.clip(lower=0.0).round(6)
    return portfolio.replace(capacity=capacity)


def _never_binding(
    portfolio: Portfolio, strict: bool, first: int, last: int, fte: float
) -> set[tuple[str, int]]:
    """Return the changes that no choice of projects and dates could notice."""
    plenty = portfolio.replace(capacity=portfolio.capacity * 0.0 + _PLENTY)
    compiled = compile_options(plenty, strict=strict)
    periods = len(portfolio.horizon)
    limit = limits_of(portfolio, strict=strict).capacity
    most = compiled.options.largest_use()
    result = set()
    for r, role in enumerate(compiled.roles):
        use = most[r * periods + first : r * periods + last + 1]
        have = limit[role].to_numpy()[first : last + 1]
        if (use <= have).all():
            result.add((role, 1))
        if (use <= have - fte).all():
            result.add((role, -1))
    return result


def _lp_prices(
    plan: Plan, limits: SolveLimits, seed: int, first: int, last: int
) -> dict[str, float]:
    """Return what the LP relaxation says one FTE over the window is worth."""
    compiled = compile_options(plan.portfolio, strict=plan.strict, flex=plan.buys)
    options = compiled.options
    seconds = min(_SCREEN, limits.seconds)
    job = PricesJob(seconds=seconds, memory_gb=limits.memory_gb, seed=seed)
    told = run_task(options, job)
    answer = next((event for event in told if isinstance(event, PricesTold)), None)
    if answer is None:
        return {}
    periods = len(plan.portfolio.horizon)
    labels = build_matrix(options).labels
    total = dict.fromkeys(compiled.roles, 0.0)
    for label, price in zip(labels, answer.prices, strict=True):
        if label is None or label.form != "limit":
            continue
        role, period = divmod(label.number, periods)
        if role < len(compiled.roles) and first <= period <= last:
            total[compiled.roles[role]] += max(float(price), 0.0)
    return total


def _rows(
    plan: Plan,
    todo: list[tuple[str, int]],
    idle: set[tuple[str, int]],
    found: dict[str, Resolved],
    fte: float,
) -> list[dict[str, Any]]:
    best, bound, starts = _base(plan, found)
    rows = []
    for role, sign in todo:
        row: dict[str, Any] = {
            "role": role,
            "change": sign * fte,
            "base_objective": best,
            "entering": "",
            "leaving": "",
            "message": "",
        }
        if (role, sign) in idle:
            row |= {"value": 0.0, "low": 0.0, "high": 0.0, "how": "never binds"}
            row |= {"objective": best, "bound": bound}
            rows.append(row)
            continue
        answer = found[f"{role} {sign:+d}"]
        row["how"] = "solved" if answer.starts is not None else answer.status
        row["message"] = answer.message
        row |= _interval(answer, sign, best, bound)
        # With more of a role the plan known without it counts where it is no worse.
        gain = None if answer.objective is None else answer.objective - best
        kept = sign > 0 and gain is not None and (gain <= 0 or is_nothing(gain, best))
        if answer.starts is not None and not kept:
            changes = difference(starts, answer.starts)
            for change in ("entering", "leaving"):
                row[change] = ", ".join(n for n, c in changes.items() if c == change)
        rows.append(row)
    return rows


def _base(
    plan: Plan, found: dict[str, Resolved]
) -> tuple[float, float | None, dict[str, int]]:
    """Return the best plan known for the portfolio as it is, and its bound."""
    best, starts = plan.objective, plan.starts
    bounds = [plan.report.bound] if plan.report is not None else []
    for key, answer in found.items():
        more = key.endswith("+1")
        if not more and answer.objective is not None and answer.objective > best:
            best, starts = answer.objective, answer.starts or {}
        if more or key == "as it is":
            bounds.append(answer.bound)
    known = [bound for bound in bounds if bound is not None]
    bound = min(known, default=None)
    return best, None if bound is None else max(bound, best), starts


def _interval(
    answer: Resolved, sign: int, best: float, bound: float | None
) -> dict[str, float | None]:
    """Return objective, bound and what they say about the worth of a change."""
    objective, own = answer.objective, answer.bound
    if objective is None:
        return dict.fromkeys(("objective", "bound", "value", "low", "high"))
    if sign > 0:
        # The plan known without the change is a plan with it, too.
        objective = max(objective, best)
        own = None if own is None else max(own, objective)
        return {
            "objective": objective,
            "bound": own,
            "value": objective - best,
            "low": None if bound is None else max(objective - bound, 0.0),
            "high": None if own is None else own - best,
        }
    if bound is not None:
        own = bound if own is None else min(own, bound)
    own = None if own is None else max(own, objective)
    return {
        "objective": objective,
        "bound": own,
        "value": objective - best,
        "low": None if bound is None else objective - bound,
        "high": None if own is None else min(own - best, 0.0),
    }


def _overload(
    portfolio: Portfolio, plan: Plan, row: dict[str, Any], first: int, last: int
) -> float:
    """Return by how much work that cannot be moved exceeds a lower capacity more."""
    if row["change"] > 0 or plan.strict:
        return 0.0
    less = changed(portfolio, row["role"], first, last, row["change"])
    over = []
    for question in (portfolio, less):
        rows = limits_of(question).inherited
        own = rows[(rows["rule"] == "capacity") & (rows["subject"] == row["role"])]
        over.append(float((own["use"] - own["limit"]).sum()))
    return round(over[1] - over[0], 6)


def say_role_values(
    table: pd.DataFrame, names: Mapping[str, str] | None = None
) -> list[str]:
    """Return the table of `role_value` as sentences.

    Parameters
    ----------
    table
        Of `role_value`.
    names
        Names of projects by id, of those that have one.
    """
    lines, stopped = [], list[str]()
    idle = table[table["how"] == "never binds"]
    for row in table[table["how"] != "never binds"].to_dict("records"):
        more = row["change"] > 0
        span = f"from {format_period(row['start'])} to {format_period(row['end'])}"
        amount = number(abs(row["change"]))
        what = f"{amount} FTE {'more' if more else 'less'} of {row['role']}"
        head = f"{what} {span}"
        if row["how"] == "stopped":
            stopped.append(
                f"{amount} FTE {'more' if more else 'less'} of {row['role']}"
            )
            continue
        if row["how"] == "failed":
            lines.append(f"{head} was not solved: {row['message']}")
            continue
        if row["how"] == "infeasible":
            lines.append(f"With {head} no plan is left: {row['message']}")
            continue
        if pd.isna(row["value"]):
            lines.append(f"With {head} no plan was found in time.")
            continue
        lines.append(f"{head} {_worth(row, more)}.{_news(row, names or {})}")
    if stopped:
        lines.append(f"Not solved, for it was stopped: {', '.join(stopped)}.")
    never = [
        role
        for role, own in idle.groupby("role", sort=False)
        if len(own) == len(table[table["role"] == role])
    ]
    if never:
        many = len(never) > 1
        lines.append(
            f"{listing(never, 10)} never {'bind' if many else 'binds'}: neither more "
            "nor less changes anything."
        )
    return lines


def _worth(row: dict[str, Any], more: bool) -> str:
    value = abs(row["value"])
    low, high = (_plain(row[end], row) for end in ("low", "high"))
    nothing = is_nothing(value, row["objective"])
    if pd.isna(low) or pd.isna(high):
        if nothing:
            return "changed nothing in the time given; no bound says what it may"
        between = ""
    else:
        ends = sorted([abs(low), abs(high)]) if more or high <= 0 else [0.0, abs(low)]
        spread = ends[1] - ends[0]
        between = (
            ""
            if spread <= 1e-6 * max(1.0, ends[1])
            else f" (between {number(ends[0])} and {number(ends[1])})"
        )
    if nothing and between:
        most = number(max(abs(low), abs(high)))
        verb = "bring" if more else "cost"
        return f"changed nothing in the time given; it may {verb} up to {most}"
    if nothing:
        return "brings nothing" if more else "costs nothing"
    return f"{'brings' if more else 'costs'} {number(value)}{between}"


def _plain(end: float, row: dict[str, Any]) -> float:
    """Return an end of the interval, 0 where it is below rounding."""
    return 0.0 if is_nothing(end, row["objective"]) else end


def _news(row: dict[str, Any], names: Mapping[str, str]) -> str:
    words = []
    for column, one, many in (
        ("entering", "in comes", "in come"),
        ("leaving", "out goes", "out go"),
    ):
        if row[column]:
            own = row[column].split(", ")
            shown = [called(project, names) for project in own[:_NAMED]]
            if len(own) > _NAMED:
                shown.append(f"{len(own) - _NAMED} more")
            words.append(f"{one if len(own) == 1 else many} {series(shown)}")
    text = "; ".join(words)
    # Of equal worth is another plan, not an effect of the role.
    same = is_nothing(row["value"], row["objective"])
    head = "by another plan of the same worth: " if same else ""
    text = f"{head}{text}"
    text = f" {text[0].upper()}{text[1:]}." if words else ""
    if row["overload"] > 0:
        over = number(row["overload"])
        text += f" Work that cannot be moved would overload it by {over} FTE-periods."
    return text
