"""Memory: every forecast with the day it was made, and how right it turned out.

A store is a SQLite file or a PostgreSQL database. A run is written in one transaction:
it is there as a whole or not at all, and one of the same portfolio, date and key takes
the place of the former.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from pmo_analytics.batch.store_tables import FORECASTS as _FORECASTS
from pmo_analytics.batch.store_tables import RUNS as _RUNS
from pmo_analytics.batch.store_tables import STATUSES as _STATUSES
from pmo_analytics.batch.store_tables import STEPS as _STEPS
from pmo_analytics.batch.store_tables import VERSION as _VERSION
from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, PmoError
from pmo_analytics.forecasting import Forecast

# Seconds that a writer waits for another one.
_PATIENCE = 30
_TRIES = 3
# A name of a run that is longer is cut, and told apart by its hash: databases take no
# longer ones into an index, and all of them shall do the same.
_LONGEST = 200

SCHEMA_VERSION = len(_STEPS)


class Store:
    """An open store; see `open_store`."""

    def __init__(
        self, engine: sa.Engine, name: str, secrets: tuple[str, ...] = ()
    ) -> None:
        self._engine = engine
        self.name = name
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"<Store {self.name}>"

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes all come to be, or none."""
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(
                        f"SET LOCAL lock_timeout = '{_PATIENCE}s'"
                    )
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise _explained(self.name, error, self._secrets) from None

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _explained(self.name, error, self._secrets) from None

    def save(
        self,
        *forecasts: Forecast,
        portfolio: str,
        as_of: pd.Period,
        digest: str = "",
        key: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep forecasts; return the number of the run.

        Parameters
        ----------
        *forecasts
            Of one date: capacity, load, headroom.
        portfolio
            Name of the portfolio.
        as_of
            Last period that was known.
        digest
            Of the input, `Portfolio.digest()`.
        key
            Tells apart runs of the same portfolio and date; one with the same key
            takes the place of the former.
        facts
            Versions, settings, notes: whatever JSON can hold.

        Raises
        ------
        PmoError
            If the store cannot be written; nothing of the run is in it then.
        """
        if not forecasts:
            raise ConfigError("There is no forecast to keep.")
        name = {
            "portfolio": _kept_name(portfolio),
            "as_of": format_period(as_of),
            "key": _kept_name(key),
        }
        run = {
            **name,
            "freq": as_of.freqstr,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seed": forecasts[0].seed,
            "digest": digest,
            "facts": json.dumps(dict(facts or {}), sort_keys=True, default=str),
        }
        rows = [row for f in forecasts for row in _rows(f, as_of)]
        for attempt in range(_TRIES):
            try:
                return self._replace(name, run, rows)
            except IntegrityError as error:
                # Somebody else has just written the same run.
                if attempt == _TRIES - 1:
                    raise _explained(self.name, error, self._secrets) from None
        raise AssertionError  # the loop returns or raises

    def _replace(
        self,
        name: Mapping[str, Any],
        run: Mapping[str, Any],
        rows: list[dict[str, Any]],
    ) -> int:
        same = sa.and_(*(_RUNS.c[column] == value for column, value in name.items()))
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                # Of two that write the same run one waits, as SQLite has it.
                number = zlib.crc32(repr(sorted(name.items())).encode()) & 0x7FFFFFFF
                connection.exec_driver_sql(
                    f"SELECT pg_advisory_xact_lock(727274, {number})"
                )
            for former in connection.execute(sa.select(_RUNS.c.run).where(same)):
                mine = _FORECASTS.c.run == former.run
                connection.execute(sa.delete(_FORECASTS).where(mine))
                connection.execute(sa.delete(_RUNS).where(_RUNS.c.run == former.run))
            insert = sa.insert(_RUNS).values(**run).returning(_RUNS.c.run)
            number = int(connection.execute(insert).scalar_one())
            if rows:
                numbered = [{**row, "run": number} for row in rows]
                connection.execute(sa.insert(_FORECASTS), numbered)
        return number

    def runs(self, portfolio: str | None = None) -> pd.DataFrame:
        """Return the runs kept, oldest date first.

        Returns
        -------
        DataFrame
            `run, portfolio, as_of, key, made_at, seed, digest, facts` (a mapping).
        """
        query = sa.select(_RUNS)
        if portfolio is not None:
            query = query.where(_RUNS.c.portfolio == _kept_name(portfolio))
        with self._reading() as connection:
            rows = [row._asdict() for row in connection.execute(query)]
        table = pd.DataFrame(rows, columns=[c.name for c in _RUNS.columns])
        table["facts"] = [json.loads(text) for text in table["facts"]]
        return table.sort_values(["as_of", "run"], ignore_index=True)

    def forecasts(self, portfolio: str | None = None) -> pd.DataFrame:
        """Return every forecast kept.

        Returns
        -------
        DataFrame
            `run, portfolio, as_of, freq, role, period, lead, quantity, mean`, the
            quantiles and `p_overload`; `lead` is the number of periods from `as_of`.
        """
        told = [_RUNS.c.portfolio, _RUNS.c.as_of, _RUNS.c.freq]
        columns = [_FORECASTS.c.run, *told, *list(_FORECASTS.c)[1:]]
        query = sa.select(*columns).join(_RUNS, _RUNS.c.run == _FORECASTS.c.run)
        if portfolio is not None:
            query = query.where(_RUNS.c.portfolio == _kept_name(portfolio))
        with self._reading() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return pd.DataFrame(rows, columns=[c.name for c in columns])

    def save_statuses(self, table: pd.DataFrame, *, portfolio: str, as_of: str) -> None:
        """Keep the status of projects on a day; one of that day before goes.

        Parameters
        ----------
        table
            Index `project`, columns as in `Status.indicators`; those that the store
            does not know are left out.
        as_of
            The day, 2027-03-31.
        """
        name = _kept_name(portfolio)
        known = [c.name for c in _STATUSES.columns if c.name in table.columns]
        rows = table[known].astype(object).where(table[known].notna(), None)
        days = [c for c in rows if table[c].dtype.kind == "M"]
        rows = rows.assign(
            **{
                c: table[c].dt.strftime("%Y-%m-%d").where(table[c].notna(), None)
                for c in days
            }
        )
        cells = [
            {"project": str(p), "portfolio": name, **row, "as_of": as_of}
            for p, row in zip(rows.index, rows.to_dict("records"), strict=True)
        ]
        same = (_STATUSES.c.portfolio == name) & (_STATUSES.c.as_of == as_of)
        with self._writing() as connection:
            connection.execute(sa.delete(_STATUSES).where(same))
            if cells:
                connection.execute(sa.insert(_STATUSES), cells)

    def statuses(self, portfolio: str | None = None) -> pd.DataFrame:
        """Return every status kept, the oldest day first.

        Returns
        -------
        DataFrame
            `portfolio, as_of` (text), `project` and the columns of the store.
        """
        query = sa.select(_STATUSES).order_by(_STATUSES.c.as_of)
        if portfolio is not None:
            query = query.where(_STATUSES.c.portfolio == _kept_name(portfolio))
        with self._reading() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return pd.DataFrame(rows, columns=[c.name for c in _STATUSES.columns])


def _kept_name(text: str) -> str:
    """Return the name of a portfolio or of a run as it is kept."""
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[: _LONGEST - 20]}... {digest}"


def _rows(forecast: Forecast, as_of: pd.Period) -> list[dict[str, Any]]:
    table = forecast.table
    if table.empty:
        return []
    lead = [period.ordinal - as_of.ordinal for period in table["period"]]
    if min(lead) < 1:
        raise ConfigError(
            f"A forecast as of {format_period(as_of)} cannot begin in "
            f"{format_period(forecast.periods[0])}: that was known already."
        )
    table = table.assign(
        period=[format_period(period) for period in table["period"]], lead=lead
    )
    table = table.astype(object).where(table.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def open_store(place: str | Path) -> Store:
    """Open a store and bring its tables to this version; make it where there is none.

    Parameters
    ----------
    place
        Path of a SQLite file, or a URL such as `postgresql+psycopg://user@host/name`
        (extra `postgres`).

    Raises
    ------
    ConfigError
        If the URL cannot be read, its driver is missing, or a newer version of the
        package has written the store.
    PmoError
        If the database cannot be reached or written.
    """
    url = _url(place)
    # The query may hold a password too, and drivers quote what they do not know.
    name = url.set(query={}).render_as_string(hide_password=True)
    secrets = _secrets(url)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.query and "uri" not in url.query:
        raise ConfigError(f"The store {name} is a file: its address has no '?...'.")
    if sqlite and url.database and not url.database.startswith("file:"):
        name = url.database
        folder = Path(url.database).parent
        if not folder.is_dir():
            raise ConfigError(f"The folder {folder} of the store is not there.")
    try:
        engine = sa.create_engine(
            url,
            pool_pre_ping=True,
            connect_args={"timeout" if sqlite else "connect_timeout": _PATIENCE},
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{name} needs the driver {error.name!r}: install pmo_analytics[postgres]."
        ) from error
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise _unusable(name, error, secrets) from None
    if sqlite:
        _write_at_once(engine)
    store = Store(engine, name, secrets)
    try:
        _bring_up(store)
    except (TypeError, ValueError) as error:
        # What the driver says of an address that it cannot use.
        store.close()
        raise _unusable(name, error, secrets) from None
    except BaseException:
        store.close()
        raise
    return store


def _url(place: str | Path) -> URL:
    """Return where a store is.

    Nothing of an address that cannot be read is said: what is wrong with it may be that
    its password stands where the host should.
    """
    text = str(place)
    if "://" not in text:
        if re.match(r"[A-Za-z][A-Za-z0-9+]+:.*@", text):
            raise ConfigError(_ADDRESS)
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        known = url.get_backend_name() if "+" not in url.drivername else ""
    except (ArgumentError, ValueError):
        raise ConfigError(_ADDRESS) from None
    if "@" in (url.host or "") or "@" in (url.database or ""):
        raise ConfigError(
            f"{_ADDRESS} In a password @ is written %40, / is %2F, : is %3A, # is %23."
        )
    if known in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    try:
        url.get_dialect()
    except NoSuchModuleError:
        raise ConfigError(f"No database is called {url.drivername!r}.") from None
    except ModuleNotFoundError:  # said when it is opened
        pass
    return url


_ADDRESS = (
    "The address of the store cannot be read; it looks like "
    "postgresql+psycopg://user:password@host:5432/name."
)


def _secrets(url: URL) -> tuple[str, ...]:
    """Return what of an address is never to be said."""
    query = [
        value
        for values in url.query.values()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return tuple(text for text in (url.password, *query) if text)


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _unusable(name: str, error: Exception, secrets: tuple[str, ...]) -> ConfigError:
    words = _hidden(str(error).strip().partition("\n")[0], secrets)
    return ConfigError(
        f"The store {name} cannot be opened: {words}. Correct its address."
    )


def _write_at_once(engine: sa.Engine) -> None:
    """Take the lock of a SQLite file when a transaction begins, not in its middle."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _bring_up(store: Store) -> None:
    """Make the tables, or bring those of an older version up to this one."""
    with store._writing() as connection:
        if connection.dialect.name == "postgresql":
            # Two that open a new store at the same time would both make its tables.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727274)")
        if not sa.inspect(connection).has_table(_VERSION.name):
            _VERSION.create(connection)
            connection.execute(sa.insert(_VERSION).values(version=0))
        version = int(connection.execute(sa.select(_VERSION.c.version)).scalar_one())
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"The store {store.name} has version {version}; this package knows "
                f"{SCHEMA_VERSION}. Install the newer package that has written it."
            )
        for step in _STEPS[version:]:
            step(connection)
        if version < SCHEMA_VERSION:
            connection.execute(sa.update(_VERSION).values(version=SCHEMA_VERSION))


def _explained(
    name: str, error: SQLAlchemyError, secrets: tuple[str, ...] = ()
) -> PmoError:
    """Return an error for an analyst, without passwords or SQL."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = _hidden(str(cause).strip().partition("\n")[0] or "no reason", secrets)
    if "locked" in text or "lock timeout" in text:
        return PmoError(
            f"The store {name} is in use by another run for more than {_PATIENCE} "
            "seconds. Nothing was written; try again when that run is over."
        )
    if "readonly" in text or "read-only" in text:
        return PmoError(
            f"The store {name} may only be read. Nothing was written; give the right "
            "to write to it, or name another one."
        )
    return PmoError(
        f"The store {name} did not work: {text}. Nothing of this run is in it; run it "
        "again when the database can be reached."
    )
