"""A consumer's own pages: the links that open them, and whom a link speaks for.

A link is a right by itself and lasts a week; it ends earlier when the key that it was made with is revoked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain import links, tokens
from services.errors import Forbidden, NotFound, Unauthorized
from services.manage import accounts
from services.manage.accounts import Principal
from services.runtime import Runtime
from services.storage import audit, keys
from services.storage import institutions as owners

LASTS = timedelta(days=7)
NO_KEY = 0


@dataclass(frozen=True, slots=True)
class OwnLink:
    """Where a consumer's pages are, and until when."""

    url: str
    token: str
    expires_at: datetime


def link_by_key(rt: Runtime, principal: Principal) -> OwnLink:
    """The link of whoever holds a consumer's key. Raises Forbidden for another key."""
    if principal.consumer_id is None:
        raise Forbidden("Endpoints belong to consumers; use a consumer's key.")
    return _link(rt, principal.consumer_id, principal.key_id)


def link_by_typed_key(rt: Runtime, key: str) -> OwnLink:
    """The same, by the key itself. Raises Unauthorized, Forbidden."""
    return link_by_key(rt, accounts.authenticate(rt, key))


def link_by_name(rt: Runtime, name: str) -> OwnLink:
    """The link that the operator gives to a consumer. Raises NotFound."""
    now = rt.clock.now()
    with rt.begin() as session:
        consumer = owners.consumer_by_name(session, name)
        if consumer is None:
            raise NotFound(f"There is no consumer “{name[:60]}”. See `goniec key create --consumer`.")
        audit.write_line(session, at=now, actor="operator", action="consumer.link", target=consumer.name)
        consumer_id = consumer.id
    return _link(rt, consumer_id, NO_KEY)


def bearer(rt: Runtime, token: str) -> Principal:
    """Whom a link speaks for. Raises BadInput for a false or old one, Unauthorized where its key ended."""
    named = tokens.read(rt.settings.secret_key, links.CONSUMER, token, rt.clock.now())
    consumer_id, key_id = int(named["c"]), int(named["k"])
    with rt.begin() as session:
        consumer = owners.consumer_by_id(session, consumer_id)
        if consumer is None or (key_id != NO_KEY and not keys.is_live(session, key_id)):
            raise Unauthorized("This link has ended. Open the page anew with a key.")
        return Principal(key_id, "link", "consumer", consumer_id=consumer.id, consumer_name=consumer.name)


def _link(rt: Runtime, consumer_id: int, key_id: int) -> OwnLink:
    until = rt.clock.now() + LASTS
    token = links.consumer_token(rt.settings.secret_key, consumer_id, key_id=key_id, expires_at=until)
    return OwnLink(f"{rt.settings.base_url}/endpoints/{token}", token, until)
