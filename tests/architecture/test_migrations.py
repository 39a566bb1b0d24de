"""The migrations and the tables say the same, and a migration gives up rather than wait long for a lock."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from services.storage import schema
from services.storage.tables import Base

VERSIONS = Path(schema.__file__).parent / "migrations" / "versions"
# Alembic's own comparison does not look at conditions, so the definitions are compared as well.
DEFINITIONS = """
    SELECT conrelid::regclass || ': ' || conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def definitions(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        found = set(connection.execute(text(DEFINITIONS)).scalars())
    return {one for one in found if "alembic_version" not in one}


def test_a_migrated_database_has_the_tables_of_the_code(make_database: Callable[[], str]) -> None:
    engine = create_engine(make_database())
    assert schema.is_current(engine)
    assert not schema.differences(engine)
    engine.dispose()


def test_constraints_and_indexes_are_those_of_the_code(make_database: Callable[[], str]) -> None:
    engine = create_engine(make_database())
    migrated = definitions(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        Base.metadata.create_all(connection)
    said = definitions(engine)
    engine.dispose()
    assert migrated - said == set()
    assert said - migrated == set()


def test_every_migration_sets_a_lock_timeout() -> None:
    assert not [path.name for path in VERSIONS.glob("*.py") if "lock_timeout" not in path.read_text()]


# Keys on what people may have erased, whose rows no whole index finds by their first column.
UNFOUND = """
    SELECT k.conrelid::regclass || '.' || a.attname
      FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
     WHERE k.contype = 'f'
       AND k.confrelid IN ('subscribers'::regclass, 'subscriptions'::regclass, 'issues'::regclass,
                           'deliveries'::regclass, 'endpoints'::regclass)
       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1]
                       AND i.indpred IS NULL)
"""


def test_what_goes_with_a_person_or_an_endpoint_is_found_by_an_index(
    make_database: Callable[[], str],
) -> None:
    engine = create_engine(make_database())
    with engine.connect() as connection:
        assert connection.execute(text(UNFOUND)).scalars().all() == []
    engine.dispose()
