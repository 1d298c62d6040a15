"""Rules made in one call: projects in parallel, and shares of a theme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.rules.workload import worth_at_zero
from pmo_analytics.tables import live_projects

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def limit_parallel(
    portfolio: Portfolio, by: str = "sponsor", *, at_most: int | Mapping[str, int]
) -> Portfolio:
    """Return the portfolio with at most so many projects at work at once.

    Parameters
    ----------
    portfolio
        Portfolio as it is; it stays unchanged.
    by
        Column of `projects`: one rule for each of its words, such as each sponsor,
        theme, program or team. Projects where it is blank are not counted.
    at_most
        Projects at work in any one period; or word -> number, the other words then
        have no limit. Where running work alone exceeds it, that is the limit.

    Raises
    ------
    ConfigError
        If there is no such column or word, or a number is negative.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> limited = pmo.limit_parallel(pmo.example_portfolio(), "sponsor", at_most=4)
    >>> limited.rules["applies_to"].unique().tolist()
    ['work']
    """
    projects = portfolio.projects
    if by not in projects.columns:
        raise ConfigError(
            f"projects has no column '{by}'{closest(by, projects.columns)}."
        )
    words = projects.loc[live_projects(projects), by].dropna()
    given = (
        dict(at_most)
        if isinstance(at_most, Mapping)
        else dict.fromkeys(words.unique(), at_most)
    )
    rows = []
    for word, most in given.items():
        if word not in set(words):
            raise ConfigError(
                f"No live project has the {by} '{word}'{closest(word, set(words))}."
            )
        if most < 0:
            raise ConfigError(f"at_most is {most} for '{word}': write 0 or more.")
        members = projects.loc[words.index[words == word], "project"]
        rows += [
            {
                "rule": f"parallel {by} {word}",
                "project": member,
                "applies_to": "work",
                "at_most": float(most),
            }
            for member in members
        ]
    return with_rules(portfolio, rows)


def limit_themes(
    portfolio: Portfolio, *, at_most: int, name: str = "themes in parallel"
) -> Portfolio:
    """Return the portfolio with at most so many different themes at work at once.

    Every project with a theme counts. Where running work alone has more themes, those
    are the limit.

    Parameters
    ----------
    portfolio
        Portfolio as it is; it stays unchanged.
    at_most
        Different themes at work in any one period.
    name
        Of the rule.

    Raises
    ------
    ConfigError
        If no live project has a theme, or the number is negative.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> limited = pmo.limit_themes(pmo.example_portfolio(), at_most=3)
    >>> limited.rules["applies_to"].unique().tolist()
    ['themes']
    """
    projects = portfolio.projects[live_projects(portfolio.projects)]
    members = projects.loc[projects["theme"].notna(), "project"]
    if members.empty:
        raise ConfigError("No live project has a theme: fill in the column 'theme'.")
    if at_most < 0:
        raise ConfigError(f"at_most is {at_most}: write 0 or more.")
    row = {"rule": name, "applies_to": "themes", "at_most": float(at_most)}
    return with_rules(portfolio, [{**row, "project": member} for member in members])


def balance(
    portfolio: Portfolio,
    theme: str,
    *,
    of: str = "spend",
    at_least: float | None = None,
    at_most: float | None = None,
) -> Portfolio:
    """Return the portfolio with the share of a theme kept between limits.

    The share is the theme's part of the whole amount of all selected projects that are
    not done. Every project counts with one amount wherever it starts: `spend`, all its
    rows of `spend`; or `value`, its value and benefits as the objective counts them,
    discounted to its own start, nothing subtracted. A plan without any keeps the rule.

    Parameters
    ----------
    portfolio
        Portfolio as it is; it stays unchanged.
    theme
        Theme whose share is limited.
    of
        `spend` or `value`.
    at_least, at_most
        Limits of the share, 0 to 1.

    Raises
    ------
    ConfigError
        If there is no such theme or amount, or a limit is no share.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> portfolio = pmo.example_portfolio()
    >>> theme = portfolio.projects["theme"].iat[0]
    >>> balanced = pmo.balance(portfolio, theme, of="spend", at_most=0.4)
    >>> len(balanced.rules) > 0
    True
    """
    projects = portfolio.projects[live_projects(portfolio.projects)]
    _check_balance(projects, theme, of, at_least, at_most)
    if of == "spend":
        amounts = portfolio.spend.groupby("project")["amount"].sum()
    else:
        amounts = worth_at_zero(portfolio, net=False)
    rows = []
    for side, share in (("at_least", at_least), ("at_most", at_most)):
        if share is None:
            continue
        for project, own in zip(projects["project"], projects["theme"], strict=True):
            amount = float(amounts.get(project, 0.0))
            weight = round(amount * ((own == theme) - share), 6)
            if weight:
                rows.append(
                    {
                        "rule": f"{theme} {side.replace('_', ' ')} {share:.6g} of {of}",
                        "project": project,
                        "weight": weight,
                        "applies_to": "selected",
                        side: 0.0,
                    }
                )
    return with_rules(portfolio, rows)


def _check_balance(
    projects: pd.DataFrame,
    theme: str,
    of: str,
    at_least: float | None,
    at_most: float | None,
) -> None:
    themes = set(projects["theme"].dropna())
    if theme not in themes:
        raise ConfigError(
            f"No live project has the theme '{theme}'{closest(theme, themes)}."
        )
    if of not in ("spend", "value"):
        raise ConfigError(
            f"A share is of spend or of value, not of '{of}'"
            f"{closest(of, ('spend', 'value'))}."
        )
    for share in (at_least, at_most):
        if share is not None and not 0 <= share <= 1:
            raise ConfigError(f"A share lies between 0 and 1; {share!r} does not.")
    if at_least is None and at_most is None:
        raise ConfigError("Give at_least, at_most or both.")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise ConfigError(f"at_least {at_least} is more than at_most {at_most}.")


def with_rules(portfolio: Portfolio, rows: list[dict[str, object]]) -> Portfolio:
    """Return the portfolio with rules added; one of the same name is replaced."""
    names = {row["rule"] for row in rows}
    kept = portfolio.rules[~portfolio.rules["rule"].isin(names)]
    columns = ["rule", "project", "weight", "applies_to", "at_least", "at_most"]
    added = pd.DataFrame(rows, columns=columns, dtype=object)
    added["weight"] = added["weight"].where(added["weight"].notna(), 1.0)
    both = [frame.astype(object) for frame in (kept, added) if len(frame)]
    table = pd.concat(both, ignore_index=True) if both else None
    return portfolio.replace(rules=table)
