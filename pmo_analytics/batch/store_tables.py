"""The tables of a store, and the steps that bring an older one up to them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from pmo_analytics.forecasting import QUANTILES

# Columns of projects that people edit, kept so that the next night can tell.
EDITED = ("manager", "sponsor", "program", "phase", "status", "deadline")

TABLES = sa.MetaData()
VERSION = sa.Table(
    "pmo_schema", TABLES, sa.Column("version", sa.Integer, nullable=False)
)
RUNS = sa.Table(
    "pmo_runs",
    TABLES,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("portfolio", sa.String(200), nullable=False),
    sa.Column("as_of", sa.String(20), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("freq", sa.String(10), nullable=False),
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.UniqueConstraint("portfolio", "as_of", "key", name="pmo_one_run"),
)
FORECASTS = sa.Table(
    "pmo_forecasts",
    TABLES,
    sa.Column("run", sa.Integer, sa.ForeignKey("pmo_runs.run"), nullable=False),
    sa.Column("role", sa.String(200), nullable=False),
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("lead", sa.Integer, nullable=False),
    sa.Column("quantity", sa.String(20), nullable=False),
    *(sa.Column(name, sa.Float) for name in ("mean", *QUANTILES, "p_overload")),
    sa.Index("pmo_forecasts_of_a_run", "run"),
)

# What was said of projects on a day; a day is kept once.
STATUSES = sa.Table(
    "pmo_statuses",
    TABLES,
    sa.Column("portfolio", sa.String(200), nullable=False),
    sa.Column("as_of", sa.String(20), nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.Float)
        for name in (
            *("percent_complete", "cpi", "spi", "spi_t", "bac", "ac", "eac"),
            *("eac_p50", "eac_p80", "p_late", "p_over", "slip_days", "age_days"),
        )
    ),
    *(sa.Column(name, sa.String(20)) for name in ("finish_p50", "finish_p80")),
    *(sa.Column(name, sa.String(20)) for name in ("rag", "reported")),
    sa.Column("reason", sa.Text),
    *(sa.Column(name, sa.Text) for name in EDITED),
    sa.Index("pmo_statuses_of_a_day", "portfolio", "as_of"),
)


def _edited_columns(connection: sa.Connection) -> None:
    # A store that is new has them already.
    there = {c["name"] for c in sa.inspect(connection).get_columns("pmo_statuses")}
    for name in EDITED:
        if name not in there:
            connection.exec_driver_sql(
                f"ALTER TABLE pmo_statuses ADD COLUMN {name} TEXT"
            )


def _first_tables(connection: sa.Connection) -> None:
    RUNS.create(connection)
    FORECASTS.create(connection)


def _names_of_any_length(connection: sa.Connection) -> None:
    # SQLite does not hold texts to a length.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "ALTER TABLE pmo_forecasts ALTER COLUMN role TYPE text"
        )


# Step k brings a store from version k to k + 1; steps are added and never changed.
STEPS: tuple[Callable[[sa.Connection], None], ...] = (
    _first_tables,
    _names_of_any_length,
    lambda connection: STATUSES.create(connection),
    _edited_columns,
)
