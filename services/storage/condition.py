"""What an operator should look at, asked of the server and of the rows: reads only, and cheap."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.errors import Unavailable
from services.storage import schema


@dataclass(frozen=True, slots=True)
class Server:
    """The database server: its number (150004), its name, and whether the tables are this version's."""

    number: int
    name: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Troubles:
    """How many rows need a person; of sources `manage.source_health` tells."""

    disabled_endpoints: int
    uncertain_deliveries: int
    failed_events: int


def look(engine: Engine) -> Server:
    """Raises Unavailable when the database does not answer."""
    with _told_plainly(), engine.connect() as connection:
        number = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
        name = connection.scalar(text("SHOW server_version"))
    with _told_plainly():
        return Server(int(number or 0), str(name), schema.is_current(engine))


def migrate(engine: Engine) -> None:
    """Bring the tables to this version. Raises Unavailable when the database does not answer or refuses."""
    with _told_plainly():
        schema.migrate(engine)


def troubles(session: Session) -> Troubles:
    row = session.execute(_TROUBLES).one()
    return Troubles(*row)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        reason = type(getattr(exc, "orig", None) or exc).__name__
        raise Unavailable(f"The database does not do what is asked ({reason}).", reason=reason) from exc


_TROUBLES = text("""
    SELECT
        (SELECT count(*) FROM endpoints WHERE state = 'disabled'),
        (SELECT count(*) FROM deliveries WHERE state = 'uncertain'),
        (SELECT count(*) FROM events WHERE error IS NOT NULL AND state <> 'matched')
""")
