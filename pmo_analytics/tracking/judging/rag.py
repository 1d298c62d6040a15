"""Red, amber, green by rules: thresholds are arguments, and each colour has a reason.

There is no common standard of thresholds; those of `RULES` are a beginning. A rule
names an indicator and the values from which it is amber and red; which way is bad
follows from the two, or from the indicator where there is one of them only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, closest

RULES: dict[str, dict[str, float]] = {
    "cpi": {"amber": 0.95, "red": 0.85},
    "spi_t": {"amber": 0.95, "red": 0.85},
    "overdue": {"amber": 1, "red": 3},
    "slip_days": {"amber": 15, "red": 45},
    "deadline_days": {"amber": 1, "red": 31},
    "p_late": {"amber": 0.8},
    "p_over": {"amber": 0.8},
    "age_days": {"amber": 35},
}
# Indicator -> its dimension, whether less is worse, and how its value is said.
_KNOWN: dict[str, tuple[str, bool, str]] = {
    "cpi": ("money", True, "CPI {:.2f}"),
    "spi": ("time", True, "SPI {:.2f}"),
    "spi_t": ("time", True, "SPI(t) {:.2f}"),
    "over_share": ("money", False, "EAC {:+.0f} % of budget"),
    "vac": ("money", True, "VAC {:,.0f}"),
    "overdue": ("milestones", False, "{:.0f} overdue"),
    "slip_days": ("milestones", False, "slip of {:.0f} days"),
    "finish_days": ("time", False, "end {:.0f} days after baseline"),
    "deadline_days": ("time", False, "end {:.0f} days after deadline"),
    "p_late": ("time", False, "{:.0f} % chance to end late"),
    "p_over": ("money", False, "{:.0f} % chance to cost more"),
    "age_days": ("report", False, "status {:.0f} days old"),
}
# Of these 0.8 is said as 80 %.
_SHARES = ("over_share", "p_late", "p_over")
DIMENSIONS = ("money", "time", "milestones", "report")
_SEVERITY = {"": 0, "green": 1, "amber": 2, "red": 3}


@dataclass(frozen=True)
class Rule:
    """When an indicator is amber, and when red.

    Parameters
    ----------
    indicator
        Its name.
    amber, red
        Where each begins, the value itself included; None = never.
    falling
        Less is worse.
    """

    indicator: str
    amber: float | None
    red: float | None
    falling: bool

    @property
    def dimension(self) -> str:
        """Of the indicator: money, time, milestones or report."""
        return _KNOWN[self.indicator][0]

    def colour(self, value: float) -> str:
        """Return the colour of a value, "" where it is not known."""
        if pd.isna(value):
            return ""
        for colour, edge in (("red", self.red), ("amber", self.amber)):
            if edge is not None and (value < edge if self.falling else value >= edge):
                return colour
        return "green"

    def reason(self, value: float, colour: str, what: str = "") -> str:
        """Return value and threshold in words: CPI 0.79 (red below 0.85)."""
        edge = self.red if colour == "red" else self.amber
        word = "below" if self.falling else "from"
        share = self.indicator in _SHARES
        limit = f"{edge:g}"
        if share and edge is not None:
            limit = f"{100 * edge:g} %"
        form, shown = _KNOWN[self.indicator][2], 100 * value if share else value
        said = form.format(shown)
        if f"{shown:.2f}" == f"{edge:.2f}" and "{:.2f}" in form and value != edge:
            # 0.8478 is below 0.85, and 0.85 is not.
            said = form.replace(".2f", ".4f").format(shown)
        return f"{what and what + ': '}{said} ({colour} {word} {limit})"


def read_rules(rules: str | Path | Mapping[str, Any] | None = None) -> list[Rule]:
    """Return the rules of a TOML file, of a mapping, or those of the house.

    A table an indicator: `[cpi]`, `amber = 0.95`, `red = 0.85`. Only what is named
    holds: a file takes the place of all rules of the house.

    Raises
    ------
    ConfigError
        If the file cannot be read, an indicator or a colour is unknown, or a threshold
        is no number.

    Examples
    --------
    >>> [r.colour(0.9) for r in read_rules({"cpi": {"amber": 0.95, "red": 0.85}})]
    ['amber']
    """
    given: Mapping[str, Any]
    if rules is None:
        given = RULES
    elif isinstance(rules, Mapping):
        given = rules
    else:
        try:
            given = tomllib.loads(Path(rules).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(
                f"The rules in {rules} cannot be read: {error}."
            ) from None
    if not given:
        raise ConfigError(
            "There is no rule in it: write [cpi], then amber = 0.95 and red = 0.85."
        )
    return [_rule(name, edges) for name, edges in given.items()]


def _rule(name: str, edges: Any) -> Rule:
    if name not in _KNOWN:
        raise ConfigError(
            f"No indicator is called '{name}'{closest(name, _KNOWN)}. Indicators: "
            f"{', '.join(_KNOWN)}."
        )
    if not isinstance(edges, Mapping) or not edges or set(edges) - {"amber", "red"}:
        raise ConfigError(
            f"The rule '{name}' needs the numbers amber and red, or one of them."
        )
    for colour, edge in edges.items():
        if isinstance(edge, bool) or not isinstance(edge, (int, float)):
            raise ConfigError(f"{colour} of the rule '{name}' is no number: {edge!r}.")
    amber, red = edges.get("amber"), edges.get("red")
    falling = _KNOWN[name][1]
    if amber is not None and red is not None and (red > amber) == falling:
        raise ConfigError(
            f"The rule '{name}' is red at {red:g} before it is amber at {amber:g}: "
            f"{'less' if falling else 'more'} is worse there."
        )
    return Rule(name, amber, red, falling)


def colours_of(values: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """Return the colour of each project by each rule.

    Parameters
    ----------
    values
        Index `project`, a column an indicator.

    Returns
    -------
    DataFrame
        Index `project`, a column a rule; cells green, amber, red or "" = not known.
    """
    return pd.DataFrame(
        {
            rule.indicator: pd.Series(
                [rule.colour(v) for v in values[rule.indicator]],
                index=values.index,
                dtype="str",
            )
            for rule in rules
        },
        index=values.index,
    )


def judged(
    values: pd.DataFrame, colours: pd.DataFrame, rules: list[Rule]
) -> pd.DataFrame:
    """Return colour and reason of each project: the worst of its indicators.

    Returns
    -------
    DataFrame
        Index `project`, columns `rag` (blank where nothing is known), `reason` (each
        indicator of that colour with its value and threshold) and one a dimension.
    """
    rows = []
    slipped = values.get("slipped", pd.Series(index=values.index, dtype="str")).tolist()
    said = {r.indicator: colours[r.indicator].tolist() for r in rules}
    numbers = {r.indicator: values[r.indicator].tolist() for r in rules}
    for at in range(len(values)):
        cells = {r.indicator: str(said[r.indicator][at]) for r in rules}
        told = [r for r in rules if r.dimension != "report" and cells[r.indicator]]
        worst = max(cells.values(), key=_SEVERITY.__getitem__, default="")
        # A fresh status alone is no news that all is well.
        rag = worst if told or worst not in ("", "green") else ""
        why = [
            r.reason(
                float(numbers[r.indicator][at]),
                rag,
                str(slipped[at]) if r.indicator == "slip_days" else "",
            )
            for r in rules
            if rag in ("amber", "red") and cells[r.indicator] == rag
        ]
        rows.append(
            {
                "rag": rag or None,
                "reason": "; ".join(why) or _calm(rag),
                **{
                    name: max(
                        (cells[r.indicator] for r in rules if r.dimension == name),
                        key=_SEVERITY.__getitem__,
                        default="",
                    )
                    or None
                    for name in DIMENSIONS
                },
            }
        )
    columns = ["rag", "reason", *DIMENSIONS]
    return pd.DataFrame(rows, index=values.index, columns=columns, dtype="str")


def _calm(rag: str) -> str:
    return "all within limits" if rag else "nothing is known: no report, no milestone"
