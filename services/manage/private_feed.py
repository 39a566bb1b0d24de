"""A person's interests as one list, for a feed reader; its token can do nothing else."""

from typing import Any

from services.domain import tokens
from services.errors import NotFound, QueryError
from services.manage import notices, subscribers
from services.runtime import Runtime

PURPOSE = "feed"


def token_for(rt: Runtime, subscriber_id: int) -> str:
    """The token of a person's private feed."""
    return tokens.sign(rt.settings.secret_key, PURPOSE, {"s": subscriber_id})


def url_for(rt: Runtime, subscriber_id: int) -> str:
    """Where a person's feed reader finds it. Who knows the address may read it: never log it."""
    return f"{rt.settings.base_url}/feeds/private/{token_for(rt, subscriber_id)}.atom"


def read(rt: Runtime, token: str, *, limit: int) -> list[dict[str, Any]]:
    """The newest notices that meet any of the person's interests, in their public form.

    Raises BadInput for a token that is not ours, NotFound when the person has left. Commercial notices
    come only to those who agreed to them.
    """
    named = tokens.read(rt.settings.secret_key, PURPOSE, token, rt.clock.now())
    person = subscribers.show_by_id(rt, int(named["s"]))
    if person.state != "active":
        raise NotFound("There is no such feed.")
    found: dict[int, dict[str, Any]] = {}
    for canonical in sorted({one.canonical for one in person.subscriptions}):
        try:
            met = notices.search(rt, q=canonical, limit=limit).items
        except QueryError:  # an interest of an older language harms no other
            continue
        found.update({one["id"]: one for one in met if person.commercial or not one["commercial"]})
    newest = sorted(found.values(), key=lambda one: (one["published_at"], one["id"]), reverse=True)
    return newest[:limit]
