"""What is known of the health of sources, and what the operator was last told of each."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.source_health import Known


@dataclass(frozen=True, slots=True)
class Patient:
    """A source with what is known of it; `name` is its own, if it said one, `told` the state that the
    operator knows."""

    source_id: int
    name: str
    address: str
    institution: str
    told: str
    known: Known


_PATIENTS = text("""
    SELECT s.id, s.kind, s.title, s.address, i.name, s.state, s.stopped_because, s.errors, s.last_error,
           s.first_read_at, s.told_health, s.alarm, array(
               SELECT n.published_at FROM notices n WHERE n.source_id = s.id
               ORDER BY n.published_at DESC LIMIT 20) AS recent
    FROM sources s JOIN institutions i ON i.id = s.institution_id
    WHERE s.id > :after AND (s.id = :only OR CAST(:only AS bigint) IS NULL)
    ORDER BY s.id LIMIT :limit
""")


def patients(session: Session, *, after: int = 0, limit: int = 500, only: int | None = None) -> list[Patient]:
    """Sources by id from one on, or only one of them."""
    rows = session.execute(_PATIENTS, {"after": after, "limit": limit, "only": only})
    return [
        Patient(
            r.id, r.title or "", r.address or "", r.name, r.told_health,
            Known(r.kind, r.state == "stopped", r.stopped_because, r.errors, r.last_error,
                  r.first_read_at, tuple(r.recent), r.alarm),
        )
        for r in rows
    ]  # fmt: skip


def noted(session: Session, patient: Patient, state: str) -> None:
    """The operator knows this state of a source now."""
    note = text("UPDATE sources SET told_health = :state WHERE id = :id")
    session.execute(note, {"state": state, "id": patient.source_id})
