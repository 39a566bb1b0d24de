"""The letter with the button: nothing that a stranger types does anything until its reader presses that.

What is said never depends on whether an address is known here.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.domain import consents, links, seal
from services.manage import letters
from services.manage.persons import CONFIRM_WITHIN
from services.runtime import Runtime
from services.storage import subscribers as store
from services.storage.tables import Subscriber

LETTERS_A_DAY = 3

Also = Callable[[Session, Subscriber], None]


def ask(
    rt: Runtime, address: str, *, labels: Sequence[str], asked: Mapping[str, Any],
    also: Also = lambda _session, _person: None,
) -> None:  # fmt: skip
    """Send the letter with the button; at most three a day to one address, none to a suppressed one.

    `asked` is kept with the letter until the button is pressed; it says at least `via`, `locale` and
    `timezone`. `also` is done in the same transaction, where a letter is sent.
    """
    letter = letters.write(rt, "confirm", locale=asked["locale"], labels=labels)
    digest, now = seal.email_hash(rt.settings.secret_key, address), rt.clock.now()
    with rt.begin() as session:
        if store.suppression(session, digest) is not None:
            return
        person = store.ensure(
            session, email=address, email_hash=digest, locale=asked["locale"], timezone=asked["timezone"],
            now=now,
        )  # fmt: skip
        since = now - timedelta(days=1)
        if store.letters_since(session, person.id, kind="confirm", since=since) >= LETTERS_A_DAY:
            return
        key = secrets.token_hex(8)
        url = links.confirm_url(
            rt.settings.base_url, rt.settings.secret_key, person.id, letter=key,
            expires_at=now + CONFIRM_WITHIN,
        )  # fmt: skip
        letters.put(
            rt, session, letter, subscriber_id=person.id, window_key=f"confirm:{key}", url=url,
            kept={"asked": json.dumps(dict(asked))},
        )  # fmt: skip
        store.write_consent(
            session, email_hash=person.email_hash, action="sign_up", text_version=consents.TEXT_VERSION,
            via=asked["via"], at=now,
        )  # fmt: skip
        also(session, person)
    rt.bell.ring("deliver_mail")
