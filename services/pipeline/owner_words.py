"""Owners of endpoints are told by letter that one fails, was disabled, or takes calls again.

Once for each step of an outage; the letter is written with the row that asked for it settled, in one
transaction. Who confirmed no address hears nothing, and the log says so.
"""

import hashlib
import json

from sqlalchemy.orm import Session

from services import log as logs
from services.domain.health import DISABLED_AFTER
from services.runtime import Runtime
from services.storage import bodies, issues
from services.storage import owner_words as store
from services.storage.owner_words import Word

BATCH = 50
KIND = "endpoint"
_VERSION = 1

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Write what is due; returns how many letters."""
    written = 0
    while not rt.stopping.is_set():
        now = rt.clock.now()
        with rt.begin() as session:
            words = store.due(session, now=now, limit=BATCH)
            for word in words:
                if word.subscriber_id is not None:
                    _write(rt, session, word, word.subscriber_id)
            if words:
                store.settle(session, words)
        told = sum(word.subscriber_id is not None for word in words)
        written += told
        if len(words) > told:
            log.warning("endpoint.nobody_to_tell", words=len(words) - told)
        if not words:
            break
    if written:
        rt.bell.ring("deliver_mail")
    return written


def _write(rt: Runtime, session: Session, word: Word, subscriber_id: int) -> None:
    now = rt.clock.now()
    facts = {
        "step": word.step, "name": word.label, "because": word.because, "since": word.since, "at": word.at,
        "until": word.since + DISABLED_AFTER, "zone": word.timezone,
    }  # fmt: skip
    body = rt.renderer.email(KIND, word.locale, facts)
    said = json.dumps([_VERSION, rt.settings.base_url, word.locale, word.id, facts], default=str)
    digest = hashlib.sha256(said.encode()).digest()
    bodies.add_content(
        session, hash=digest, salt=body.salt, subject=body.subject, text=body.text, html=body.html, now=now
    )
    letter = issues.NewIssue(
        subscriber_id=subscriber_id, kind=KIND, window_key=f"{KIND}:{word.id}", content_hash=digest,
        slots={}, events=(), candidates=(),
    )  # fmt: skip
    issues.add_issues(session, [letter], now=now)
