"""Histories as they come: a fallback with a warning of the role, or an error."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import PmoWarning
from pmo_analytics.portfolio import Portfolio

MONTHS = pd.period_range("2024-01", periods=36, freq="M")
WAVE = [3.0 + (t % 12) / 4 + (t * 7 % 5) / 20 for t in range(36)]
CONTRACT = [
    *("role", "period", "quantity", "mean"),
    *("p10", "p20", "p50", "p80", "p90", "p_overload"),
]


def rows(role: str = "Dev", months: pd.PeriodIndex = MONTHS, **columns: object):
    return pd.DataFrame(
        {"period": months.astype(str), "role": role, "kind": "total", **columns}
    )


def told(history: pd.DataFrame):
    portfolio = Portfolio(
        "H", horizon=make_horizon("2027-01", 12, "M"), history=history
    )
    return pmo.forecast_demand(portfolio, periods=6, draws=100)


def few(values: list[float]) -> pd.DataFrame:
    return rows(months=MONTHS[-len(values) :], load_fte=values)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (few(WAVE[-15:]), "Dev: 15 values of history, no more than two years"),
        (few([2.5]), "Dev: 1 value of history, too few"),
        (rows(load_fte=0.0), "Dev: every value of the history is 0"),
        (rows(load_fte=WAVE).drop([5, 6, 20]), "Dev: 3 periods inside its history"),
        (
            rows(load_fte=WAVE).head(30),
            "Dev: its history ends in 2026-06; .* the 6 periods after it",
        ),
        (
            pd.concat([rows(load_fte=WAVE), rows("New", MONTHS[-8:], load_fte=1.5)]),
            "New: 8 values of history",
        ),
    ],
)
def test_a_fallback_with_a_warning_that_names_the_role(history, words):
    with pytest.warns(PmoWarning, match=words):
        forecast = told(history)
    assert np.isfinite(forecast.draws).all()
    assert (forecast.draws >= 0.0).all()
    assert np.isfinite(forecast.grid("p50").to_numpy()).all()


def test_one_value_is_repeated_and_zeros_stay_zeros():
    with pytest.warns(PmoWarning):
        forecast = told(few([2.5]))
    assert forecast.grid("p50")["Dev"].tolist() == pytest.approx([2.5] * 6, abs=0.4)
    with pytest.warns(PmoWarning):
        forecast = told(rows(load_fte=0.0))
    assert not forecast.draws.round(6).any()


def test_many_short_histories_share_a_sentence():
    histories = [
        rows(f"R{k:02}", MONTHS[-3 - k % 2 :], load_fte=1.0 + k) for k in range(25)
    ]
    with pytest.warns(PmoWarning) as said:
        forecast = told(pd.concat(histories))
    (note,) = [note for note in forecast.notes if "rule of thumb" in note]
    assert note.startswith("R00, R01, R02, ")
    assert "R19 and 5 more: 3 to 4 values of history, too few" in note
    assert len([w for w in said if "R00" in str(w.message)]) == 1


def test_many_histories_that_end_early_or_move_share_a_sentence():
    step = [5.0 + t * 7 % 5 / 20 + 7.0 * (t >= 20) for t in range(36)]
    calm = [5.0 + t * 7 % 5 / 20 for t in range(36)]
    ended = [rows(f"E{k}", load_fte=calm).head(30 - k) for k in range(5)]
    moved = [rows(f"M{k}", load_fte=step) for k in range(5)]
    with pytest.warns(PmoWarning):
        notes = told(pd.concat([*ended, *moved])).notes
    (end,) = [note for note in notes if "ends in" in note]
    assert end.startswith(
        "E0, E1, E2, E3, E4: their history ends in 2026-02 to 2026-06; the last value "
        "stands for the 6 to 10 periods after it."
    )
    (move,) = [note for note in notes if "new level" in note]
    assert move.startswith("M0 (rises by ")
    assert "FTE in 2025-09), M1 (rises" in move


def test_rows_of_the_future_are_left_out_and_named():
    later = pd.period_range("2025-01", periods=36, freq="M")
    with (
        pytest.warns(PmoWarning, match="Dev: 12 rows of history lie in or after"),
        pytest.warns(PmoWarning, match="Dev: 24 values"),
    ):
        forecast = told(rows(months=later, load_fte=WAVE))
    with pytest.warns(PmoWarning, match="Dev: 24 values"):
        known = told(rows(months=later, load_fte=WAVE).head(24))
    assert np.array_equal(forecast.draws, known.draws)
    assert "Dev: 12 rows of history lie in or after 2027-01" in forecast.notes[0]


def written(folder: Path, history: pd.DataFrame, toml: str = "") -> Path:
    (folder / "portfolio.toml").write_text(toml or 'name = "H"\n', encoding="utf-8")
    history.to_csv(folder / "history.csv", index=False)
    return folder


def run(folder: Path, capsys, *words: str) -> tuple[int, dict]:
    code = main(["forecast", str(folder), "--json", "--no-charts", *words])
    (line,) = capsys.readouterr().out.splitlines()
    return code, json.loads(line)


@pytest.mark.parametrize("column", ["load_fte", "capacity_fte"])
@pytest.mark.parametrize("start", ["", "2025-06", "2030-01"])
def test_a_history_alone_is_forecast_from_its_end(tmp_path, capsys, column, start):
    many = [rows(f"R{k}", **{column: np.array(WAVE) * k}) for k in range(1, 5)]
    toml = 'name = "H"\n'
    if start:
        toml += f'[horizon]\nstart = "{start}"\nperiods = 12\nfreq = "M"\n'
    folder = written(tmp_path, pd.concat(many), toml)
    out = tmp_path / "out"
    code, _ = run(folder, capsys, "--horizon", "6", "--out", str(out))
    assert code == 0
    table = pd.read_csv(out / "forecast.csv")
    assert list(table.columns) == CONTRACT
    assert set(table["quantity"]) == {column.removesuffix("_fte")}
    assert sorted(set(table["role"])) == ["R1", "R2", "R3", "R4"]
    months = [f"2027-{m:02d}" for m in range(1, 7)]
    assert table.loc[table["role"] == "R1", "period"].tolist() == months
    order = ["p10", "p20", "p50", "p80", "p90"]
    assert (table[order].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    backtest = pd.read_csv(out / "backtest.csv")
    assert list(backtest.columns) == [
        *("role", "cutoff", "period", "model", "forecast", "p10", "p90", "actual")
    ]
    assert {"combination", "naive", "seasonal_naive"} == set(backtest["model"])
    facts = json.loads((out / "manifest.json").read_text("utf-8"))["report"]
    assert facts["seed"] == 0
    assert facts["versions"]["numpy"] == np.__version__
    moved = [note for note in facts["notes"] if "begins after" in note]
    assert len(moved) == bool(start)


def test_what_cannot_be_forecast_is_an_error_with_its_row(tmp_path, capsys):
    twice = pd.concat([rows(load_fte=WAVE), rows(load_fte=WAVE).tail(1)])
    code, facts = run(written(tmp_path, twice), capsys)
    assert code == 3
    (problem,) = facts["problems"]
    assert (problem["rule"], problem["row"]) == ("duplicate_key", 38)
    code, facts = run(written(tmp_path, rows(load_fte=[-1.0, *WAVE[1:]])), capsys)
    assert (code, facts["problems"][0]["row"]) == (3, 2)
    code, facts = run(written(tmp_path, rows(load_fte=float("nan"))), capsys)
    assert code == 3
    assert "nothing to forecast" in facts["error"]


def test_a_probability_outside_its_range_is_an_error_with_its_row(tmp_path, capsys):
    (tmp_path / "projects.csv").write_text(
        "project,value,duration,probability\nA,1,2,0.5\nB,1,2,1.5\nC,1,2,-0.1\n"
    )
    (tmp_path / "demand.csv").write_text("project,role,offset,fte\nA,Dev,0,1\n")
    (tmp_path / "capacity.csv").write_text(
        "period,role,fte\n" + "".join(f"2027-{m:02d},Dev,2\n" for m in range(1, 13))
    )
    toml = 'name = "H"\n[horizon]\nstart = "2027-01"\nperiods = 12\nfreq = "M"\n'
    code, facts = run(written(tmp_path, rows(load_fte=WAVE), toml), capsys)
    assert code == 3
    wrong = [p for p in facts["problems"] if p["column"] == "probability"]
    assert sorted(p["row"] for p in wrong) == [3, 4]
