"""Real parts for every test: PostgreSQL and Redis of their own, a fresh migrated database each time."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, create_engine, text
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from services import embedded
from services.clock import Clock, FrozenClock
from services.embedded import Engines
from services.runtime import Runtime
from services.settings import Settings
from services.storage import schema

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

hypothesis_settings.register_profile("goniec", deadline=None, derandomize=True, max_examples=60)
hypothesis_settings.load_profile("goniec")

OpenRuntime = Callable[..., Runtime]


# What takes seconds to begin is begun in one process of the suite alone: a house, a browser.
TOGETHER = ("tests/journeys/", "tests/services/web/test_axe.py")


class Together(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist leaves it untyped
    """Hands out tests one by one, but those that stand on the same costly thing to one process, and first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; among themselves all stay in the order that chance gave them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """PostgreSQL and Redis for this test process, not durable, ended with it."""
    with embedded.start_scratch(tmp_path_factory.mktemp("engines")) as running:
        yield running


@pytest.fixture(scope="session")
def make_database(engines: Engines) -> Iterator[Callable[[], str]]:
    """Gives the address of a new, migrated, empty database: a copy of a template, in a blink."""
    admin = create_engine(engines.database_url, isolation_level="AUTOCOMMIT")

    def create(name: str, template: str) -> str:
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'))
        return admin.url.set(database=name).render_as_string(hide_password=False)

    migrated = create_engine(create("goniec_template", "template0"))
    schema.migrate(migrated)
    migrated.dispose()
    yield lambda: create(f"goniec_{secrets.token_hex(6)}", "goniec_template")
    admin.dispose()


MANY_ROWS = 5_000


class Emptied:
    """Databases that a test has left: emptied, they are as new, for a tenth of what a new one costs."""

    def __init__(self, create: Callable[[], str]) -> None:
        self._create = create
        self._free: list[str] = []
        self._kept: dict[str, Engine] = {}  # a connection that has seen all tables empties them in no time

    def take(self) -> str:
        return self._free.pop() if self._free else self._create()

    def give_back(self, address: str) -> None:
        """Empty it, whoever is still connected; the ids of rows begin at one again."""
        if address not in self._kept:
            self._kept[address] = _broom(address)
        engine = self._kept[address]
        if not schema.is_current(engine):
            self._kept.pop(address).dispose()
            return  # a test has made another one of it
        with engine.connect() as connection:
            connection.execute(_TURN_OUT)
            tables = connection.scalars(_TABLES).all()
            full = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in tables)
            for name in connection.exec_driver_sql(full).scalars().all():
                if connection.exec_driver_sql(f"DELETE FROM {name}").rowcount > MANY_ROWS:
                    connection.exec_driver_sql(f"VACUUM {name}")
            connection.execute(_BEGIN_AT_ONE)
        self._free.append(address)

    def close(self) -> None:
        for engine in self._kept.values():
            engine.dispose()


def _broom(address: str) -> Engine:
    """One connection, for which no trigger fires; a new one where a test has ended it."""
    return create_engine(
        address, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True,
        connect_args={"options": "-c session_replication_role=replica"},
    )  # fmt: skip


_TURN_OUT = text("""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
""")
_TABLES = text("""
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
""")
_BEGIN_AT_ONE = text("""
    SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences
    WHERE last_value IS NOT NULL
""")


@pytest.fixture(scope="session")
def emptied(make_database: Callable[[], str]) -> Iterator[Emptied]:
    databases = Emptied(make_database)
    yield databases
    databases.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOON)


@pytest.fixture
def make_settings(engines: Engines, emptied: Emptied, tmp_path: Path) -> Iterator[Callable[..., Settings]]:
    """Settings over an empty database and an empty Redis; the test states only what it is about."""
    database_url = emptied.take()
    with redis.Redis.from_url(engines.redis_url) as client:
        client.flushall()

    def build(**given: Any) -> Settings:
        return Settings(
            **{
                "data_dir": tmp_path / "data",
                "secret_key": "a secret for tests that nobody else knows",
                "database_url": database_url,
                "redis_url": engines.redis_url,
                "mail_from": "Goniec <goniec@goniec.example>",
                "base_url": "http://goniec.example",
                "allow_networks": "127.0.0.0/8",
                **given,
            }
        )

    yield build
    emptied.give_back(database_url)


@pytest.fixture
def open_runtime(make_settings: Callable[..., Settings], clock: FrozenClock) -> Iterator[OpenRuntime]:
    """Opens runtimes over one database; settings by keyword, `at` for another clock, `resolve` for names."""
    opened: list[Runtime] = []

    def build(
        *, at: Clock | None = None, resolve: dict[str, list[str]] | None = None, **given: Any
    ) -> Runtime:
        rt = Runtime.open(make_settings(**given), clock=at or clock, resolve=resolve)
        opened.append(rt)
        return rt

    yield build
    for rt in opened:
        rt.close()


@pytest.fixture
def rt(open_runtime: OpenRuntime) -> Runtime:
    """A runtime with a clock that stands at noon (UTC) of 23 November 2026."""
    return open_runtime()
