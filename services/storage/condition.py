"""What an operator should look at, asked of the rows: reads only, and cheap."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Troubles:
    """How many rows need a person. `silent` sources answer but brought nothing new for sixty days."""

    broken_sources: int
    silent_sources: int
    disabled_endpoints: int
    uncertain_deliveries: int
    failed_events: int


_TROUBLES = text("""
    SELECT
        (SELECT count(*) FROM sources WHERE kind <> 'push' AND (errors >= 3 OR state = 'stopped'))
            AS broken_sources,
        (SELECT count(*) FROM sources WHERE kind <> 'push' AND errors = 0
            AND coalesce(last_entry_at, first_read_at) < CAST(:now AS timestamptz) - interval '60 days')
            AS silent_sources,
        (SELECT count(*) FROM endpoints WHERE state = 'disabled') AS disabled_endpoints,
        (SELECT count(*) FROM deliveries WHERE state = 'uncertain') AS uncertain_deliveries,
        (SELECT count(*) FROM events WHERE error IS NOT NULL AND state <> 'matched') AS failed_events
""")


def troubles(session: Session, *, now: datetime) -> Troubles:
    row = session.execute(_TROUBLES, {"now": now}).one()
    return Troubles(*row)


def server_version(engine: Engine) -> tuple[int, str]:
    """The number and the name of the database server; raises what SQLAlchemy raises when it is away."""
    with engine.connect() as connection:
        number = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
        name = connection.scalar(text("SHOW server_version"))
    return int(number or 0), str(name)
