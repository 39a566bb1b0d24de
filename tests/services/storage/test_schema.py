"""The migrated database is the one that the code expects, and what must never change cannot."""

from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.runtime import Runtime
from services.storage import schema
from services.storage.session import make_engine


def test_the_migrations_make_exactly_the_tables_of_the_code(rt: Runtime) -> None:
    assert schema.differences(rt.engine) == []
    assert schema.is_current(rt.engine)


def test_two_that_migrate_at_once_wait_for_each_other(make_database: Callable[[], str]) -> None:
    engine = make_engine(make_database())
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    assert not schema.is_current(engine)

    threads = [Thread(target=schema.migrate, args=(engine,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert schema.differences(engine) == []
    assert schema.is_current(engine)
    engine.dispose()


@pytest.mark.parametrize("change", ["UPDATE consents SET action = 'x'", "DELETE FROM consents"])
def test_the_ledger_of_consents_cannot_be_changed(rt: Runtime, change: str) -> None:
    with rt.begin() as session:
        session.execute(
            text(
                "INSERT INTO consents (email_hash, action, text_version, via, at)"
                " VALUES ('h', 'confirm', '1', 'web', now())"
            )
        )

    with pytest.raises(DBAPIError), rt.begin() as session:
        session.execute(text(change))


def test_an_error_of_the_database_repeats_nothing_of_what_was_given_to_it(rt: Runtime) -> None:
    with pytest.raises(DBAPIError) as raised, rt.begin() as session:
        session.execute(text("SELECT CAST(:a AS bigint) / 0, CAST(:b AS text)"), {"a": 1, "b": "a body"})
    assert "a body" not in str(raised.value)
