"""Connections and transactions: the one place that makes an engine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from services.errors import Unavailable

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
        hide_parameters=True,  # they carry addresses and bodies, and errors are written down
        connect_args={
            "connect_timeout": 5,
            "application_name": "goniec",
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60s -c lock_timeout=10s",
        },
    )


def make_sessions(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: Sessions) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on an exception.

    Raises Unavailable when the database cannot be reached or went away in the middle.
    """
    try:
        with sessions.begin() as session:
            yield session
    except PoolTimeout as exc:
        raise Unavailable("The database has no connection free; try again in a moment.") from exc
    except DBAPIError as exc:
        if is_away(exc):
            raise Unavailable("The database cannot be reached; try again in a moment.") from exc
        raise


def patiently(sessions: Sessions, change: Callable[[Session], R], *, sleep: Callable[[float], None]) -> R:
    """Run `change` in a transaction of its own, again for half a minute while the server is away.

    `change` must be idempotent: a connection may break after the commit reached the server.
    """

    def once() -> R:
        with transaction(sessions) as session:
            return change(session)

    return outlasting(once, sleep=sleep)


def outlasting(act: Callable[[], R], *, sleep: Callable[[float], None]) -> R:
    """The same for an `act` that has transactions of its own."""
    for _ in range(PATIENCE):
        try:
            return act()
        except Unavailable:
            sleep(0.5)
    return act()


def is_away(exc: DBAPIError) -> bool:
    """Whether the same may succeed in a moment: a broken connection, no server at the address, one that is
    starting or ending (SQLSTATE 57P, 08), a deadlock that it ended at our cost (40P01), or a lock that
    somebody held for longer than we wait (55P03)."""
    if exc.connection_invalidated:
        return True
    state = getattr(exc.orig, "sqlstate", None)
    return isinstance(exc, OperationalError | InterfaceError) and (
        state is None or state.startswith(("57P", "08")) or state in ("40P01", "55P03")
    )
