"""Connections and transactions: the one place that makes an engine."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]


def make_engine(database_url: str, *, pool_size: int = 10) -> Engine:
    """An engine that notices a restarted server before it hands out a connection.

    `database_url` is a libpq or SQLAlchemy address; psycopg 3 is always the driver.
    """
    for scheme in ("postgresql://", "postgres://"):
        if database_url.startswith(scheme):
            database_url = "postgresql+psycopg://" + database_url.removeprefix(scheme)
    return create_engine(
        database_url,
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "application_name": "goniec",
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60s -c lock_timeout=10s",
        },
    )


def make_sessions(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)
