"""Connections and transactions: the one place that makes an engine."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]
R = TypeVar("R")
PATIENCE = 60


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


def patiently(sessions: Sessions, change: Callable[[Session], R], *, sleep: Callable[[float], None]) -> R:
    """Run `change` in a transaction of its own, again for half a minute while the server is away.

    `change` must be idempotent: a connection may break after the commit reached the server.
    """
    for left in range(PATIENCE, -1, -1):
        try:
            with sessions.begin() as session:
                return change(session)
        except DBAPIError as exc:
            if left == 0 or not (exc.connection_invalidated or _is_starting(exc)):
                raise
            sleep(0.5)
    raise AssertionError("unreachable")


def _is_starting(exc: DBAPIError) -> bool:
    """No server at the address, or one that is starting up or shutting down (SQLSTATE class 57P)."""
    state = getattr(exc.orig, "sqlstate", None)
    return state is None or state.startswith(("57P", "08"))
