"""Earned value: what was planned, done and spent, and what it will have cost.

Names and formulas are those of PMI's Practice Standard for Earned Value Management and
of ISO 21508: PV planned value, EV earned value, AC actual cost, BAC budget at
completion; CV = EV - AC, SV = EV - PV, CPI = EV / AC, SPI = EV / PV. They hold in money
and in hours alike. Where a ratio has nothing below the line there is no index: missing,
never infinite.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.errors import ConfigError, closest

type Floats = npt.NDArray[np.float64]

# How much of a budget is earned, by its name.
EARNING_RULES = ("percent", "0/100", "50/50", "milestones")


def earned_value(
    *,
    bac: npt.ArrayLike,
    pv: npt.ArrayLike,
    ev: npt.ArrayLike,
    ac: npt.ArrayLike,
    etc: npt.ArrayLike = np.nan,
) -> pd.DataFrame:
    """Return variances, indices and estimates at completion.

    Parameters
    ----------
    bac, pv, ev, ac
        Budget at completion; planned value, earned value and actual cost so far, all in
        one unit: numbers, or arrays of one length. Blank where not known.
    etc
        What is still to be spent by an estimate from the bottom up; blank = none.

    Returns
    -------
    DataFrame
        A row each: `pv, ev, ac, bac, cv, sv, cpi, spi`, the four usual estimates `eac`
        (BAC / CPI: the rate so far goes on), `eac_budget` (AC + BAC - EV: the rest as
        budgeted), `eac_both` (AC + (BAC - EV) / (CPI x SPI): both rates go on) and
        `eac_estimate` (AC + `etc`); of the first, `etc` = EAC - AC and `vac` = BAC -
        EAC; `tcpi` = (BAC - EV) / (BAC - AC) and `tcpi_eac` = (BAC - EV) / (EAC - AC),
        the rate at which the rest has to be done for BAC or for EAC to hold.

    Examples
    --------
    >>> fence = earned_value(bac=4000, pv=3000, ev=2500, ac=2800)
    >>> fence[["cv", "sv", "cpi", "spi", "eac"]].round(3).iloc[0].to_list()
    [-300.0, -500.0, 0.893, 0.833, 4480.0]
    """
    given = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(x, dtype=float)) for x in (bac, pv, ev, ac, etc))
    )
    budget, planned, earned, spent, left = given
    cpi, spi = ratio(earned, spent), ratio(earned, planned)
    eac = ratio(budget, cpi)
    rest = np.maximum(budget - earned, 0.0)
    return pd.DataFrame(
        {
            "pv": planned,
            "ev": earned,
            "ac": spent,
            "bac": budget,
            "cv": earned - spent,
            "sv": earned - planned,
            "cpi": cpi,
            "spi": spi,
            "eac": eac,
            "eac_budget": spent + rest,
            "eac_both": spent + ratio(rest, cpi * spi),
            "eac_estimate": spent + left,
            "etc": eac - spent,
            "vac": budget - eac,
            "tcpi": ratio(budget - earned, budget - spent),
            "tcpi_eac": ratio(budget - earned, eac - spent),
        }
    )


def ratio(above: Floats, below: Floats) -> Floats:
    """Return one divided by the other, missing where that is nothing or not known."""
    sound = np.isfinite(below) & (np.abs(below) > 0)
    with np.errstate(over="ignore"):
        found = above / np.where(sound, below, 1.0)
    return np.where(sound & np.isfinite(found), found, np.nan)


def earned_share(rule: str, complete: float, reached: float) -> float:
    """Return the share of a budget that is earned, 0 to 1, by a rule.

    Parameters
    ----------
    rule
        `percent`: the share of the work that is done; `0/100`: nothing before the end;
        `50/50`: half with the beginning, half with the end; `milestones`: the share of
        the milestones that are reached, each by its weight.
    complete
        Share of the work that is done, 0 to 1; blank = not known.
    reached
        Share of the milestones, by weight; blank = there are none.
    """
    if rule == "milestones":
        return reached
    if np.isnan(complete) or rule == "percent":
        return complete
    if complete >= 1:
        return 1.0
    return 0.5 if rule == "50/50" and complete > 0 else 0.0


def rules_of(rule: str | Mapping[str, str], projects: list[str]) -> dict[str, str]:
    """Return the rule of each project.

    Parameters
    ----------
    rule
        One for all, or project -> rule; `percent` for those that are not in it.

    Raises
    ------
    ConfigError
        If a rule or a project is unknown.
    """
    given = rule if isinstance(rule, Mapping) else dict.fromkeys(projects, rule)
    for project, name in given.items():
        if name not in EARNING_RULES:
            raise ConfigError(
                f"There is no rule '{name}' for earned value"
                f"{closest(name, EARNING_RULES)}. Rules: {', '.join(EARNING_RULES)}."
            )
        if project not in projects:
            raise ConfigError(
                f"No project is called '{project}'{closest(project, projects)}."
            )
    return {project: given.get(project, "percent") for project in projects}
