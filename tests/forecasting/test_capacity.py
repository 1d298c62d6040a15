"""People to come: leave as history had it, hires with lead time and ramp."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.leave import years_of_leave
from pmo_analytics.portfolio import Portfolio

HORIZON = make_horizon("2027-01", 12, "M")
PAST = pd.period_range("2025-01", periods=24, freq="M")
# One in five is away in August, one in ten in December.
AWAY = np.array([0, 0, 0, 0, 0, 0, 0, 0.2, 0, 0, 0, 0.1])


def team(away: np.ndarray = AWAY, **tables: object) -> Portfolio:
    """Return two people and two years of their history."""
    people = pd.DataFrame(
        {"person": ["A", "B"], "role": "Dev", "start": "2020-01-01", "fte": 1.0}
    )
    alone = Portfolio("team", horizon=PAST, people=people)
    real = alone.capacity["Dev"].to_numpy() * (1.0 - np.tile(away, 2))
    history = pd.DataFrame(
        {"period": PAST.astype(str), "role": "Dev", "kind": "total"}
    ).assign(capacity_fte=real)
    parts = {"people": people, "history": history, **tables}
    return Portfolio("team", horizon=HORIZON, **parts)


def share(portfolio: Portfolio, **how: object) -> np.ndarray:
    """Return capacity beside that of the contracts."""
    bare = team().replace(absences=portfolio.absences.iloc[:0]).capacity["Dev"]
    how = {"attrition": False, "draws": 50, **how}
    told = pmo.forecast_capacity(portfolio, **how)
    return (told.grid("p50")["Dev"] / bare).to_numpy()


def test_leave_comes_as_it_did():
    years, said = years_of_leave(team())
    assert years == pytest.approx(np.stack([AWAY, AWAY]), abs=1e-5)
    assert "away 2%" in said
    assert share(team()) == pytest.approx(1.0 - AWAY, abs=1e-5)
    assert share(team(), leave=False) == pytest.approx(1.0)


def test_what_is_booked_is_not_taken_twice():
    whole = pd.DataFrame(
        {"person": ["A"], "start": ["2027-08-01"], "end": ["2027-08-31"]}
    )
    told = share(team(absences=whole))
    # Half of the team is booked in August already, more than the fifth of the past.
    assert told[7] == pytest.approx(0.5)
    assert told[11] == pytest.approx(0.9, abs=1e-5)


def test_a_draw_repeats_a_whole_year():
    history = team().history
    first = history["period"] < pd.Period("2026-01", "M")
    history.loc[first, "capacity_fte"] *= 0.5
    told = pmo.forecast_capacity(
        team().replace(history=history), draws=400, attrition=False
    )
    ratio = told.draws[:, :, 0] / told.draws[:, :, 0].max(axis=0)
    low = ratio < 0.75
    assert 0.35 < low.mean() < 0.65
    assert (low.all(axis=1) | ~low.any(axis=1)).all()


def test_more_capacity_than_contracts_is_no_leave():
    portfolio = team(away=np.full(12, -0.5))
    assert share(portfolio) == pytest.approx(1.0)
    notes = pmo.forecast_capacity(portfolio, draws=5).notes
    assert "people who left are missing" in " ".join(notes)


def test_no_history_no_leave():
    portfolio = team(history=team().history.iloc[:5])
    assert share(portfolio) == pytest.approx(1.0)
    assert not [
        n for n in pmo.forecast_capacity(portfolio, draws=5).notes if "Leave" in n
    ]


def hires(*rows: tuple[str, float, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["role", "fte", "decide_by"])
    table["decide_by"] = [pd.Period(p, "M") for p in table["decide_by"]]
    return table


def test_hires_begin_after_their_lead_and_grow():
    new = hires(("Dev", 2.0, "2027-02"), ("Dev", 1.0, "2026-06"))
    how = {"leave": False, "draws": 4000, "lead": 3, "ramp": 1}
    for attrition in (False, True):
        with_them, without = (
            pmo.forecast_capacity(team(), attrition=attrition, hires=h, **how)
            for h in (new, None)
        )
        more = (with_them.grid("mean") - without.grid("mean"))["Dev"].to_numpy()
        # Decided too late counts as decided now. Half of the first month, then all.
        all_stay = np.array([0, 0, 0, 0.5, 2, 3, *[3] * 6])
        if not attrition:
            assert more == pytest.approx(all_stay, abs=1e-6)
    # Some leave again: 8 % a year.
    assert more[-1] == pytest.approx(3 - 2 * 0.08 * 7 / 12 - 0.08 * 8 / 12, abs=0.05)


def test_who_begins_inside_the_horizon_grows_too():
    people = team().people
    people.loc[1, "start"] = pd.Timestamp("2027-03-01")
    portfolio = team(people=people)
    bare = portfolio.capacity["Dev"].to_numpy()
    told = pmo.forecast_capacity(
        portfolio, draws=3, attrition=False, leave=False, ramp=3
    )
    ratio = told.grid("p50")["Dev"].to_numpy() / bare
    expected = [1, 1, 1.25 / 2, 1.5 / 2, 1.75 / 2, *[1.0] * 7]
    assert ratio == pytest.approx(expected)


def test_hires_that_cannot_be():
    for table, words in (
        (hires(("Devv", 1.0, "2027-02")), "did you mean 'Dev'"),
        (hires(("Dev", 1.0, "2027-02")).drop(columns="fte"), "lack the columns"),
        (hires(("Dev", 1.0, "2027-02")).assign(decide_by="2027-02"), "Period"),
    ):
        with pytest.raises(ConfigError, match=words):
            pmo.forecast_capacity(team(), draws=3, hires=table)
    with pytest.raises(ConfigError, match="ramp is a number"):
        pmo.forecast_capacity(team(), draws=3, ramp=-1)


def test_the_hire_list_brings_the_chance_down():
    # Without budgets, which would leave candidates out that people are short for.
    portfolio = pmo.example_portfolio()
    portfolio = portfolio.replace(budget=portfolio.budget.iloc[:0])
    headroom = pmo.forecast_headroom(portfolio, draws=400, periods=12)
    wanted = pmo.hire_list(headroom, chance=0.2, lead={"Developer": 1}, ramp=2)
    first = wanted[wanted["role"] == "Developer"].iloc[0]
    assert first["period"] - first["decide_by"] == 3 * first["period"].freq
    other = wanted[wanted["role"] == "Tester"].iloc[0]
    assert other["period"] - other["decide_by"] == 5 * other["period"].freq
    soon = pmo.hire_list(headroom, chance=0.2, lead=0)
    after = pmo.forecast_headroom(portfolio, draws=400, periods=12, hires=soon)
    # They were asked for to the tenth; a few of the new ones leave again.
    assert after.p_overload.max().max() < 0.35
    assert headroom.p_overload.max().min() > 0.5
