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
