"""A change: a function from a portfolio to a new one, with a name and arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, parse_period
from pmo_analytics.errors import ConfigError, closest, listing

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

Names = str | Sequence[str]
type When = str | pd.Period | None
AnyChange = Callable[["Portfolio"], "Portfolio"]


@dataclass(frozen=True)
class Change:
    """One edit of a portfolio, ready to be applied: `change(portfolio)`.

    Attributes
    ----------
    do
        Name of the change, as a scenario file writes it.
    arguments
        Its arguments by name.
    """

    do: str
    arguments: Mapping[str, Any]
    function: Callable[..., Portfolio] = field(repr=False, compare=False)

    def __call__(self, portfolio: Portfolio) -> Portfolio:
        """Return the changed portfolio."""
        return self.function(portfolio, **self.arguments)

    def __str__(self) -> str:
        words = (f"{name}={_text(value)}" for name, value in self.arguments.items())
        return f"{self.do}({', '.join(words)})"


def _text(value: Any) -> str:
    return format_period(value) if isinstance(value, pd.Period) else repr(value)


# Name in scenario files -> what makes the change from its arguments.
CHANGES: dict[str, Callable[..., Change]] = {}


def change(function: Callable[..., Portfolio]) -> Callable[..., Change]:
    """Make a named change of a function whose first parameter is the portfolio.

    The result takes the other parameters and returns a `Change`; it is listed in
    `CHANGES`, so that scenario files can name it.
    """
    name = function.__name__
    signature = inspect.signature(function)
    own = list(signature.parameters.values())[1:]
    takes = signature.replace(parameters=own, return_annotation=Change)

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Change:
        try:
            bound = takes.bind(*args, **kwargs)
        except TypeError as error:
            raise ConfigError(_misuse(name, own, kwargs, error)) from None
        arguments = dict(bound.arguments)
        # Columns given by name stand beside the other arguments.
        for parameter in own:
            if parameter.kind is parameter.VAR_KEYWORD:
                arguments.update(arguments.pop(parameter.name, {}))
        return Change(name, arguments, function)

    make.__signature__ = takes  # type: ignore[attr-defined]
    CHANGES[name] = make
    return make


def _misuse(
    name: str,
    own: Sequence[inspect.Parameter],
    given: Mapping[str, Any],
    error: TypeError,
) -> str:
    """Return the sentence on arguments that a change does not take or lacks."""
    known = [p.name for p in own if p.kind is not p.VAR_KEYWORD]
    unknown = [key for key in given if key not in known]
    if unknown and len(known) == len(own):
        return (
            f"{name} has no '{unknown[0]}'{closest(unknown[0], known)}; it takes "
            f"{', '.join(known)}."
        )
    missing = [
        p.name
        for p in own
        if p.default is p.empty and p.kind is not p.VAR_KEYWORD and p.name not in given
    ]
    if missing:
        return f"{name} needs {', '.join(missing)}; it takes {', '.join(known)}."
    return f"{name}: {error}."


def name_of(edit: AnyChange) -> str:
    """Return how a change, or a plain function used as one, is called in messages."""
    return str(getattr(edit, "do", getattr(edit, "__name__", type(edit).__name__)))


# ---- What the changes share: names, spans and numbers that are checked. ----


def known_names(given: Names, known: Sequence[str], what: str) -> list[str]:
    """Return names as a list, or say which one is unknown.

    Raises
    ------
    ConfigError
        With the closest valid name.
    """
    names = [given] if isinstance(given, str) else list(given)
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        raise ConfigError(
            f"There is no {what} '{unknown[0]}'{closest(unknown[0], known)}."
            + (f" Known: {listing(known, 8)}." if len(known) <= 40 else "")
        )
    return names


def chosen_projects(
    portfolio: Portfolio,
    project: Names | None,
    theme: str | None = None,
    program: str | None = None,
    status: str | None = None,
) -> pd.Series[bool]:
    """Return which rows of `projects` are meant; all where nothing is named."""
    projects = portfolio.projects
    meant = pd.Series(True, index=projects.index)
    if project is not None:
        names = known_names(project, list(projects["project"]), "project")
        meant &= projects["project"].isin(names)
    for column, value in (("theme", theme), ("program", program), ("status", status)):
        if value is not None:
            known = list(dict.fromkeys(projects[column].dropna()))
            known_names(value, known, column)
            meant &= projects[column] == value
    return meant.fillna(False).astype(bool)


def period_of(value: When, portfolio: Portfolio, what: str) -> pd.Period | None:
    """Return a period of the portfolio's clock; None stays None.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    if value is None:
        return None
    try:
        return parse_period(value, portfolio.freq)
    except ValueError as error:
        raise ConfigError(f"{what}: {error}.") from error


def span_of(start: When, end: When, portfolio: Portfolio) -> np.ndarray:
    """Return which periods of the horizon lie from start to end, both included.

    Raises
    ------
    ConfigError
        If none does.
    """
    first = period_of(start, portfolio, "start")
    last = period_of(end, portfolio, "end")
    inside = np.ones(len(portfolio.horizon), dtype=bool)
    if first is not None:
        inside &= np.asarray(portfolio.horizon >= first)
    if last is not None:
        inside &= np.asarray(portfolio.horizon <= last)
    if not inside.any():
        raise ConfigError(
            f"No period of the horizon ({format_period(portfolio.horizon[0])} .. "
            f"{format_period(portfolio.horizon[-1])}) lies from "
            f"{'its beginning' if first is None else format_period(first)} to "
            f"{'its end' if last is None else format_period(last)}."
        )
    return inside


def number_of(value: Any, what: str, least: float | None = None) -> float:
    """Return a finite number, not below `least`.

    Raises
    ------
    ConfigError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ConfigError(f"{what} has to be a number, not {value!r}.")
    number = float(value)
    if not np.isfinite(number) or (least is not None and number < least):
        more = "" if least is None else f" of {least:g} or more"
        raise ConfigError(f"{what} has to be a number{more}, not {value!r}.")
    return number


def whole_of(value: Any, what: str, least: int | None = None) -> int:
    """Return a whole number, not below `least`.

    Raises
    ------
    ConfigError
        If it is none.
    """
    number = number_of(value, what, least)
    if number != int(number):
        raise ConfigError(f"{what} has to be a whole number, not {value!r}.")
    return int(number)
