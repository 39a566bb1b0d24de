"""Following our feeds (W3C WebSub): what is asked of the hub is checked and written down, and who follows.

Nothing is believed here: each callback is asked later whether it meant it. So that the hub calls nobody who
did not ask, a host is asked so often and no more, and so many callbacks may stand behind one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain import seal
from services.domain.addresses import read_target
from services.domain.websub import MAX_SECRET_BYTES, lease_s
from services.errors import BadInput, NotFound, RateLimited
from services.manage import query_feeds
from services.runtime import Runtime
from services.storage import audit
from services.storage import hub as store
from services.storage.hub import Asked, Burden

MODES = ("subscribe", "unsubscribe")
MAX_ADDRESS = 2_000
ASKED_WITHIN = timedelta(minutes=10)
MAX_ASKED = 60  # questions to one host within that time
MAX_A_HOST = 1_000  # followers
MAX_FOLLOWERS = 50_000
KEEP_INTENTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FollowerView:
    """Who follows a topic; `state` is idle, pending, sending or retry."""

    id: int
    topic: str
    callback: str
    is_signed: bool
    follows_until: datetime
    state: str
    last_told_at: datetime | None
    last_error: str | None


def ask(rt: Runtime, given: Mapping[str, str]) -> None:
    """Take a request to follow a topic or to leave it; what we do not know is ignored (section 5.1).

    Raises BadInput, QueryError, AddressRefused, RateLimited.
    """
    mode = given.get("hub.mode", "")
    if mode not in MODES:
        raise BadInput("hub.mode must be subscribe or unsubscribe.", field="hub.mode")
    url, callback = _address(given, "hub.topic"), _address(given, "hub.callback")
    topic = query_feeds.topic_at(rt, url)
    target = read_target(callback)
    lasting, secret = _lease(given.get("hub.lease_seconds")), _secret(given.get("hub.secret"))
    rt.http.check_written(target.url)
    now = rt.clock.now()
    asked = Asked(
        mode, topic.form.name, topic.query, url, callback, target.host,
        seal.seal(rt.settings.secret_key, secret) if secret else None, lasting,
    )  # fmt: skip
    with rt.begin() as session:
        _refuse_crowd(mode, store.burden(session, target.host, since=now - ASKED_WITHIN))
        store.ask(session, asked, now=now)
    rt.bell.ring("hub")


def followers(rt: Runtime) -> list[FollowerView]:
    """All who follow a topic now, oldest first."""
    with rt.begin() as session:
        return [
            FollowerView(
                one.id, one.topic, one.callback, one.secret is not None, one.follows_until, one.state,
                one.last_told_at, one.last_error,
            )
            for one, _ in store.followers(session)
            if one.follows_until > rt.clock.now()
        ]  # fmt: skip


def dismiss(rt: Runtime, follower_id: int, *, reason: str) -> None:
    """Tell a follower no more, and say so to it (section 5.2). Raises NotFound."""
    now = rt.clock.now()
    with rt.begin() as session:
        found = store.dismiss(session, follower_id)
        if found is None:
            raise NotFound(f"There is no follower {follower_id}. See `goniec hub list`.")
        one, topic = found
        denied = Asked("denied", topic.form, topic.query, one.topic, one.callback, one.host, None, 0, reason)
        store.ask(session, denied, now=now)
        audit.write_line(session, at=now, actor="operator", action="hub.dismiss", target=str(follower_id))
    rt.bell.ring("hub")


def tidy(rt: Runtime) -> int:
    """Forget whose lease is over; how many."""
    with rt.begin() as session:
        return store.tidy(session, now=rt.clock.now(), keep_intents=KEEP_INTENTS)


def _address(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value or len(value) > MAX_ADDRESS or not value.isprintable():
        raise BadInput(f"{name} must be an address of at most {MAX_ADDRESS} characters.", field=name)
    return value


def _lease(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text[:12]) > 0):
        raise BadInput("hub.lease_seconds must be a number of seconds.", field="hub.lease_seconds")
    return lease_s(int(text[:12]) if text else None)


def _secret(text: str | None) -> str | None:
    if text and len(text.encode("utf-8", "replace")) > MAX_SECRET_BYTES:
        raise BadInput(f"hub.secret is longer than {MAX_SECRET_BYTES} bytes.", field="hub.secret")
    return text or None


def _refuse_crowd(mode: str, bears: Burden) -> None:
    if bears.asked >= MAX_ASKED:
        raise RateLimited(
            "This callback's host is asked too often. Come again later.",
            retry_after_s=ASKED_WITHIN.total_seconds(),
        )
    if mode == "subscribe" and (bears.followers >= MAX_A_HOST or bears.everybody >= MAX_FOLLOWERS):
        raise RateLimited("This hub has no room for more followers of this host.", retry_after_s=3_600.0)
