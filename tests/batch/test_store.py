"""The memory of forecasts: whole or not at all, once, and what is learnt from it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import traceback

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

import pmo_analytics as pmo
from pmo_analytics.batch import store as memory
from pmo_analytics.batch import store_tables
from pmo_analytics.batch.accuracy import forecast_accuracy, learn_intervals
from pmo_analytics.batch.store import open_store
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError, PmoError
from pmo_analytics.forecasting.forecast import Forecast
from pmo_analytics.portfolio import Portfolio
from tests.support import databases
from tests.support.places import ROOT

DECEMBER = pd.Period("2026-12", "M")


def load(
    *columns: list[float], start: str = "2027-01", quantity: str = "load"
) -> Forecast:
    """Return a forecast of Dev, one list of draws a period."""
    draws = np.array(columns, dtype=float).T[:, :, None]
    periods = pd.period_range(start, periods=len(columns), freq="M")
    return Forecast(quantity, periods, ("Dev",), draws, seed=7)


def happened(**months: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "period": [m.replace("_", "-")[1:] for m in months],
            "role": "Dev",
            "kind": "total",
            "load_fte": list(months.values()),
        }
    )


@pytest.fixture(scope="module")
def server():
    why = databases.missing()
    if why:
        pytest.skip(why)
    with databases.postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Give the address of an empty store in each kind of database."""
    if request.param == "sqlite":
        yield tmp_path / "memory.db"
        return
    address = request.getfixturevalue("server")
    yield address
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        store_tables.TABLES.drop_all(connection)
    engine.dispose()


def test_what_is_kept_comes_back(place):
    kept = load([1.0, 3.0], [2.0, 4.0])
    store = open_store(place)
    store.save(kept, portfolio="Ü", as_of=DECEMBER, digest="d", facts={"a": 1})
    store.close()
    again = open_store(place)
    (run,) = again.runs().to_dict("records")
    assert (run["portfolio"], run["as_of"], run["seed"]) == ("Ü", "2026-12", 7)
    assert run["facts"] == {"a": 1}
    rows = again.forecasts()
    assert rows["lead"].tolist() == [1, 2]
    assert rows["period"].tolist() == ["2027-01", "2027-02"]
    assert rows["mean"].tolist() == [2.0, 3.0]
    assert rows["p_overload"].isna().all()
    assert again.forecasts("somebody else").empty
    again.close()


def test_the_same_date_again_takes_its_place(place):
    store = open_store(place)
    for value in (1.0, 2.0):
        store.save(load([value] * 3), portfolio="P", as_of=DECEMBER)
    store.save(load([9.0] * 3), portfolio="P", as_of=DECEMBER, key="other settings")
    assert sorted(store.forecasts()["mean"]) == [2.0, 9.0]
    assert len(store.runs()) == 2
    store.close()


def test_a_run_that_dies_leaves_nothing(place, monkeypatch):
    store = open_store(place)
    store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    rows = memory._rows

    def broken(forecast, as_of):
        return [*rows(forecast, as_of), {"role": None}]

    monkeypatch.setattr(memory, "_rows", broken)
    with pytest.raises(Exception, match=r"."):
        store.save(load([2.0] * 3), portfolio="P", as_of=DECEMBER)
    assert store.forecasts()["mean"].tolist() == [1.0]
    store.close()


WRITER = """
import os, sys
import numpy as np, pandas as pd
from pmo_analytics.forecasting.forecast import Forecast
from pmo_analytics.batch.store import open_store
place = sys.argv[1]
periods = pd.period_range("2027-01", periods=2, freq="M")


def write(who, portfolio, key):
    for k in range(10):
        store = open_store(place)
        draws = np.full((3, 2, 1), float(who))
        store.save(
            Forecast("load", periods, ("Dev",), draws),
            portfolio=portfolio, as_of=pd.Period("2026-12", "M"), key=key or str(k),
        )
        store.close()


def at_once(writers, *words):
    # Each has what it needs before the first begins, so that they write at once.
    children = []
    for who in range(writers):
        child = os.fork()
        if child == 0:
            write(who, *words)
            os._exit(0)
        children.append(child)
    return any([os.waitpid(child, 0)[1] for child in children])


sys.exit(at_once(2, "runs", "") or at_once(4, "one", "the same run"))
"""


@pytest.mark.skipif(os.name != "posix", reason="the writers are forked")
def test_writers_at_once_neither_double_nor_corrupt(place):
    command = [sys.executable, "-c", WRITER, str(place)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    store = open_store(place)
    for portfolio, runs in (("runs", 10), ("one", 1)):
        assert len(store.runs(portfolio)) == runs
        rows = store.forecasts(portfolio)
        assert (rows.groupby("run")["mean"].nunique() == 1).all()
        assert (rows.groupby("run").size() == 2).all()
    store.close()


def test_a_newer_store_is_left_alone(place):
    store = open_store(place)
    with store._writing() as connection:
        connection.execute(sa.update(memory._VERSION).values(version=99))
    store.close()
    with pytest.raises(ConfigError, match="version 99"):
        open_store(place)


def test_an_older_store_is_brought_up(place, monkeypatch):
    open_store(place).close()

    def more(connection):
        connection.exec_driver_sql("ALTER TABLE pmo_runs ADD COLUMN remark TEXT")

    monkeypatch.setattr(memory, "_STEPS", (*memory._STEPS, more))
    monkeypatch.setattr(memory, "SCHEMA_VERSION", len(memory._STEPS))
    store = open_store(place)
    with store._reading() as connection:
        connection.exec_driver_sql("SELECT remark FROM pmo_runs")
    store.close()
    open_store(place).close()  # and only once


def test_a_locked_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_PATIENCE", 0)
    place = tmp_path / "memory.db"
    store = open_store(place)
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(PmoError, match="in use by another run"):
        store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    other.rollback()
    other.close()
    store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    store.close()


def test_a_locked_server_is_named(server, monkeypatch):
    store = open_store(server)
    monkeypatch.setattr(memory, "_PATIENCE", 1)
    other = sa.create_engine(server, poolclass=sa.NullPool)
    with other.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE pmo_runs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(PmoError, match="in use by another run"):
            store.save(load([1.0] * 3), portfolio="locked", as_of=DECEMBER)
    store.save(load([1.0] * 3), portfolio="locked", as_of=DECEMBER)
    with store._writing() as connection:
        store_tables.TABLES.drop_all(connection)
    store.close()


def test_a_file_that_may_only_be_read_is_named(tmp_path):
    place = tmp_path / "memory.db"
    store = open_store(place)
    store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    store.close()
    store = open_store(f"sqlite:///file:{place}?mode=ro&uri=true")
    with pytest.raises(PmoError, match="may only be read"):
        store.save(load([2.0] * 3), portfolio="P", as_of=DECEMBER)
    assert store.forecasts()["mean"].tolist() == [1.0]
    store.close()


def test_a_server_that_may_only_be_read_is_named(server):
    open_store(server).close()
    reader = f"{server}?options=-c%20default_transaction_read_only%3Don"
    store = open_store(reader)
    with pytest.raises(PmoError, match="may only be read"):
        store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    assert store.forecasts().empty
    store.close()
    again = open_store(server)
    with again._writing() as connection:
        store_tables.TABLES.drop_all(connection)
    again.close()


DYING = """
import os, sys
import sqlalchemy as sa
from pmo_analytics.batch import store as memory
store = memory.open_store(sys.argv[1])
with store._writing() as connection:
    connection.execute(sa.delete(memory._FORECASTS))
    print("deleted", flush=True)
    os._exit(9)
"""


def test_a_process_that_dies_half_way_leaves_the_former_run(place):
    store = open_store(place)
    store.save(load([1.0] * 3), portfolio="P", as_of=DECEMBER)
    store.close()
    dead = subprocess.run(
        [sys.executable, "-c", DYING, str(place)], cwd=ROOT, capture_output=True
    )
    assert (dead.returncode, dead.stdout.strip()) == (9, b"deleted")
    store = open_store(place)
    assert store.forecasts()["mean"].tolist() == [1.0]
    store.save(load([2.0] * 3), portfolio="P", as_of=DECEMBER)
    assert store.forecasts()["mean"].tolist() == [2.0]
    store.close()


def test_places_that_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match="folder"):
        open_store(tmp_path / "nowhere" / "memory.db")
    with pytest.raises(ConfigError, match="No database is called"):
        open_store("oracool://x/y")
    (tmp_path / "text.db").write_text("this is a letter" * 100, encoding="utf-8")
    with pytest.raises(PmoError, match="not a database"):
        open_store(tmp_path / "text.db")


def test_passwords_are_never_said():
    if databases.missing() == "the driver psycopg is not installed":
        pytest.skip("the driver psycopg is not installed")
    with pytest.raises(PmoError) as caught:
        open_store("postgresql+psycopg://pmo:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
    assert "did not work" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://pmo@127.0.0.1:1/none?password=secret",
        "postgresql://127.0.0.1:1/none?user=pmo&password=secret",
        "postgres://pmo:secret@127.0.0.1:1/none",
        "postgresql+psycopg://pmo:secret@127.0.0.1:1/none?unheard_of=secret",
        "postgresql+psycopg://pmo:pass@secret@127.0.0.1:1/none",
        "postgresql+psycopg://pmo:pass@secret:word@127.0.0.1:1/none",
        "postgresql+psycopg://pmo:secret@127.0.0.1:port/none",
        "postgresql:pmo:secret@127.0.0.1/none",
        "postgresql:/pmo:secret@127.0.0.1/none",
        "oracool://pmo:secret@127.0.0.1/none",
        "sqlite:///{folder}/memory.db?password=secret",
        "sqlite://pmo:secret@host/memory.db",
        "://secret",
    ],
)
def test_no_address_says_its_password(address, tmp_path):
    """Neither the error nor what a traceback would show with it."""
    if databases.missing() == "the driver psycopg is not installed":
        pytest.skip("the driver psycopg is not installed")
    try:
        open_store(address.format(folder=tmp_path)).close()
    except PmoError as error:
        shown = "".join(traceback.format_exception_only(error))
        seen = error.__cause__ or (None if error.__suppress_context__ else error)
        assert "secret" not in shown
        assert seen is None or "secret" not in str(seen)


def test_names_of_any_length(place):
    """Long ones are cut in the same way everywhere, and stay apart."""
    store = open_store(place)
    names = ["Ü" * 1000, "Ü" * 1000 + "b", "short"]
    for k, name in enumerate(names):
        for _ in range(2):
            store.save(load([float(k)] * 3), portfolio=name, as_of=DECEMBER, key=name)
    assert [store.forecasts(n)["mean"].iat[0] for n in names] == [0.0, 1.0, 2.0]
    assert len(store.runs()) == 3
    assert store.runs("short")["portfolio"].tolist() == ["short"]
    long_role = Forecast("load", store_periods(), ("R" * 500,), np.ones((3, 1, 1)))
    store.save(long_role, portfolio="roles", as_of=DECEMBER)
    assert store.forecasts("roles")["role"].tolist() == ["R" * 500]
    store.close()


def store_periods():
    return pd.period_range("2027-01", periods=1, freq="M")


def write_and_be_cut_off(store, server):
    """Delete everything, and lose the connection before that is final."""
    killer = sa.create_engine(server, poolclass=sa.NullPool)
    with store._writing() as connection:
        connection.execute(sa.delete(memory._FORECASTS))
        ours = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with killer.begin() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({ours})")
        connection.execute(sa.delete(memory._RUNS))


def test_a_lost_server_is_said_and_nothing_is_lost(server):
    store = open_store(server)
    store.save(load([1.0] * 3), portfolio="lost", as_of=DECEMBER)
    with pytest.raises(PmoError, match="did not work"):
        write_and_be_cut_off(store, server)
    assert store.forecasts("lost")["mean"].tolist() == [1.0]
    store.save(load([2.0] * 3), portfolio="lost", as_of=DECEMBER)
    assert store.forecasts("lost")["mean"].tolist() == [2.0]
    with store._writing() as connection:
        store_tables.TABLES.drop_all(connection)
    store.close()


def test_a_forecast_of_the_past_is_refused(tmp_path):
    store = open_store(tmp_path / "memory.db")
    with pytest.raises(ConfigError, match="known already"):
        store.save(load([1.0]), portfolio="P", as_of=pd.Period("2027-01", "M"))
    store.close()


def test_accuracy_by_hand(tmp_path):
    store = open_store(tmp_path / "memory.db")
    spread = [float(k) for k in range(11)]  # p10 1, p20 2, median 5, p80 8, p90 9
    store.save(load(spread, spread), portfolio="P", as_of=DECEMBER)
    later = load(spread, start="2027-02")
    store.save(later, portfolio="P", as_of=pd.Period("2027-01", "M"))
    table = forecast_accuracy(store, happened(m2027_01=8.5, m2027_02=3.0))
    assert table["lead"].tolist() == [1, 2]
    assert table["count"].tolist() == [2, 1]
    # Lead 1: 5 against 8.5 and against 3.
    assert table["bias"].tolist() == pytest.approx([-0.75, 2.0])
    assert table["mae"].tolist() == pytest.approx([2.75, 2.0])
    assert table["inside_p10_p90"].tolist() == [1.0, 1.0]
    assert table["inside_p20_p80"].tolist() == [0.5, 1.0]
    assert forecast_accuracy(store, happened(m2030_01=1.0)).empty
    store.close()


def test_accuracy_by_team_by_hand(tmp_path):
    store = open_store(tmp_path / "memory.db")
    periods = pd.period_range("2027-01", periods=1, freq="M")
    draws = np.array([[[4.0, 1.0, 9.0]], [[6.0, 3.0, 9.0]]])
    told = Forecast("load", periods, ("Dev", "Test", "Boss"), draws)
    store.save(told, portfolio="P", as_of=DECEMBER)
    came = pd.concat(
        [
            happened(m2027_01=load_fte).assign(role=role)
            for role, load_fte in (("Dev", 5.5), ("Test", 3.5), ("Boss", 1.0))
        ]
    )
    table = forecast_accuracy(store, came, teams={"Dev": "IT", "Test": "IT"})
    (row,) = table.to_dict("records")
    # 5 against 5.5 and 2 against 3.5, which is above p90; Boss has no team.
    assert (row["team"], row["lead"], row["count"]) == ("IT", 1, 2)
    assert (row["bias"], row["mae"]) == (-1.0, 1.0)
    assert row["inside_p10_p90"] == 0.5
    store.close()


def test_intervals_learn_to_be_wider(tmp_path):
    store = open_store(tmp_path / "memory.db")
    narrow = [4.9, 5.0, 5.1] * 4
    periods = [f"2027-{m:02d}" for m in range(1, 13)]
    store.save(load(*[narrow] * 12), portfolio="P", as_of=DECEMBER)
    actual = happened(**{f"m{p.replace('-', '_')}": 5.0 + 0.3 for p in periods})
    learnt = learn_intervals(store, actual)
    assert learnt["factor"].tolist() == pytest.approx([3.0, 3.0])
    assert learnt["lead"].tolist() == [1, 12]
    exact = learn_intervals(store, happened(m2027_01=5.0))
    assert exact["factor"].tolist() == [0.5]
    store.close()


def test_twelve_dates_replayed_build_an_accuracy_table(tmp_path):
    rng = np.random.default_rng(1)
    months = pd.period_range("2023-01", periods=60, freq="M")
    values = 5 + np.sin(np.arange(60) * 2 * np.pi / 12) + rng.normal(0, 0.3, 60)
    history = pd.DataFrame(
        {"period": months.astype(str), "role": "Dev", "kind": "total"}
    ).assign(load_fte=values.round(3))
    store = open_store(tmp_path / "memory.db")
    for k in range(36, 48):
        horizon = make_horizon(str(months[k]), 6, "M")
        known = Portfolio("P", horizon=horizon, history=history.iloc[:k])
        learnt = learn_intervals(store, history.iloc[:k])
        told = pmo.forecast_demand(
            known, draws=300, accuracy=learnt, model="seasonal_naive"
        )
        store.save(told, portfolio="P", as_of=months[k - 1], digest=known.digest())
    table = forecast_accuracy(store, history)
    assert table["lead"].tolist() == [1, 2, 3, 4, 5, 6]
    assert (table["count"] == 12).all()
    assert table["mae"].max() < 0.8
    assert 0.55 < table["inside_p10_p90"].mean() <= 1.0
    store.close()
