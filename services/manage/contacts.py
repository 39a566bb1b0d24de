"""Whom to tell when an endpoint fails: an address that its owner names, and its reader confirms by a button.

The words themselves are written by `pipeline.owner_words`.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.domain import consents
from services.errors import RateLimited
from services.manage import checks, confirming
from services.manage.endpoints import Owner, need, write_audit
from services.runtime import Runtime
from services.storage import endpoints as store
from services.storage import subscribers as people
from services.storage.tables import Subscriber

VIA = "endpoint"
A_DAY = timedelta(days=1)
MAX_ASKED = 50  # a day: each sends a letter to an address that did not ask for it


def set_contact(rt: Runtime, owner: Owner, uid: str, *, email: str, locale: str = "pl") -> None:
    """Ask an address whether it wants word of this endpoint; until then, and without a yes, it gets none.

    Raises RateLimited for a consumer that has very many asked.
    """
    address = checks.email_address(email)
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        since = rt.clock.now() - A_DAY
        if owner is not None and store.contacts_asked(session, row.consumer_id, since=since) >= MAX_ASKED:
            raise RateLimited("Very many contacts were asked today.", retry_after_s=A_DAY.total_seconds())
        label, endpoint_id = f"Webhook: {row.label or row.host}", row.id
    asked = {
        "wishes": [], "labels": [label], "endpoint": endpoint_id, "commercial": False, "via": VIA,
        "locale": checks.locale(locale), "timezone": "Europe/Warsaw",
    }  # fmt: skip

    def also(session: Session, person: Subscriber) -> None:
        row, _, _, _ = need(session, owner, uid)
        row.contact_id, row.contact_confirmed_at = person.id, None
        write_audit(session, owner, "endpoint.contact", row, rt.clock.now())

    confirming.ask(rt, address, labels=[label], asked=asked, also=also)


def remove_contact(rt: Runtime, owner: Owner, uid: str) -> None:
    """Nobody is told any more."""
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        row.contact_id = row.contact_confirmed_at = None
        write_audit(session, owner, "endpoint.contact", row, rt.clock.now())


def confirmed(session: Session, person: Subscriber, endpoint_id: int, *, now: datetime) -> None:
    """The button was pressed; an endpoint that has another contact by now is left alone."""
    if store.confirm_contact(session, endpoint_id, person.id, now=now):
        people.write_consent(
            session, email_hash=person.email_hash, action="endpoint_contact",
            text_version=consents.TEXT_VERSION, via=VIA, at=now,
        )  # fmt: skip
