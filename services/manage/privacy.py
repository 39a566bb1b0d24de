"""A person's data given out whole, or taken out (GDPR, articles 15, 17 and 20).

What outlives an erasure is the consent ledger, which knows only a keyed hash, and a suppression if asked for.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.domain import consents, links, seal
from services.domain.events import rfc3339
from services.manage import checks
from services.manage.persons import CONFIRM_WITHIN, need
from services.runtime import Runtime
from services.storage import audit, endpoints, feedback, leaving
from services.storage import mutes as muted
from services.storage import subscribers as store
from services.storage.tables import Subscriber

FORGOTTEN_A_BATCH = 200


def export(rt: Runtime, who: int | str) -> dict[str, Any]:
    """Everything kept about a person (id or address), as JSON-ready values."""
    with rt.begin() as session:
        person = need(rt, session, who)
        blocked = store.suppression(session, person.email_hash)
        return {
            "email": person.email,
            "state": person.state,
            "locale": person.locale,
            "timezone": person.timezone,
            "commercial": person.commercial,
            "paused_until": rfc3339(person.paused_until) if person.paused_until else None,
            "cadence": person.cadence,
            "quiet_from": person.quiet_from,
            "quiet_until": person.quiet_until,
            "daily_budget": person.daily_budget,
            "created_at": rfc3339(person.created_at),
            "confirmed_at": rfc3339(person.confirmed_at) if person.confirmed_at else None,
            "last_heard_of": rfc3339(person.heard_at) if person.heard_at else None,
            "asked_to_stay": rfc3339(person.asked_at) if person.asked_at else None,
            "reminded_to_stay": rfc3339(person.reminded_at) if person.reminded_at else None,
            "suppressed": blocked.reason if blocked else None,
            "subscriptions": [
                {
                    "label": row.label, "query": row.query, "canonical": canonical, "channel": row.channel,
                    "cadence": row.cadence, "created_at": rfc3339(row.created_at),
                    "paused_until": rfc3339(row.paused_until) if row.paused_until else None,
                }
                for row, canonical in store.subscriptions_of(session, person.id)
            ],
            "muted": [
                {
                    "kind": one.row.kind, "label": one.row.label,
                    "until": rfc3339(one.row.until) if one.row.until else None,
                    "created_at": rfc3339(one.row.created_at),
                }
                for one in muted.of_subscriber(session, person.id, now=rt.clock.now())
            ],
            "contact_of": [
                {
                    "endpoint": one.label or one.host,
                    "confirmed_at": rfc3339(one.contact_confirmed_at) if one.contact_confirmed_at else None,
                }
                for one in endpoints.told_of(session, person.id)
            ],
            "consents": [
                {"action": c.action, "text_version": c.text_version, "via": c.via, "at": rfc3339(c.at)}
                for c in store.consents(session, person.email_hash)
            ],
            "letters": [
                {"kind": issue.kind, "composed_at": rfc3339(issue.created_at), "state": state,
                 "finished_at": rfc3339(finished) if finished else None}
                for issue, state, finished in store.issues_of(session, person.id)
            ],
        }  # fmt: skip


def erase(
    rt: Runtime, who: int | str, *, suppress: bool = False, via: str = "web", by: str = "subscriber"
) -> None:
    """Take a person out. With `suppress` the keyed hash stays, so that nobody can sign them up again."""
    with rt.begin() as session:
        _erase(rt, session, need(rt, session, who), suppress=suppress, via=via, by=by)


def allow_again(rt: Runtime, email: str, *, by: str = "operator") -> bool:
    """Lift a suppression (a bounce that was mended); False when none stood."""
    digest = seal.email_hash(rt.settings.secret_key, checks.email_address(email))
    with rt.begin() as session:
        lifted = store.lift(session, digest)
        if lifted:
            feedback.forgive(session, digest)
            audit.write_line(
                session, at=rt.clock.now(), actor=by, action="suppression.lift", target=digest.hex()[:12]
            )
        return lifted


def forget_unconfirmed(rt: Runtime) -> int:
    """Take out sign-ups whose link has run out; returns how many. To be called now and then."""
    before = rt.clock.now() - CONFIRM_WITHIN - timedelta(days=1)
    with rt.begin() as session:
        ids = store.unconfirmed_before(session, before, limit=FORGOTTEN_A_BATCH)
        for subscriber_id in ids:
            store.remove(session, subscriber_id)
        return len(ids)


def manage_link(rt: Runtime, who: int | str) -> str:
    """A person's link to their own page, for an operator who answers their letter."""
    with rt.begin() as session:
        person = need(rt, session, who)
        return links.manage_url(rt.settings.base_url, rt.settings.secret_key, person.id)


def _erase(
    rt: Runtime, session: Session, person: Subscriber, *, suppress: bool, via: str, by: str
) -> None:  # fmt: skip
    now, digest, subscriber_id = rt.clock.now(), person.email_hash, person.id
    leaving.drop_all(session, subscriber_id)
    store.write_consent(
        session, email_hash=digest, action="erase", text_version=consents.TEXT_VERSION, via=via, at=now
    )
    if suppress:
        store.suppress(session, email_hash=digest, reason="erased", detail=None, at=now)
    session.flush()
    session.expunge(person)
    store.remove(session, subscriber_id)
    audit.write_line(session, at=now, actor=by, action="subscriber.erase", target=str(subscriber_id))
