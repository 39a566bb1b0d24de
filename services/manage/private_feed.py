"""A person's interests as one list, for a feed reader; its token can do nothing else."""

from typing import Any

from services.domain import tokens
from services.errors import NotFound, QueryError
from services.manage import mutes, notices, subscribers
from services.runtime import Runtime
from services.storage import mutes as store
from services.storage import search
from services.storage.mutes import Muted

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
    come only to those who agreed to them; what they muted does not come.
    """
    named = tokens.read(rt.settings.secret_key, PURPOSE, token, rt.clock.now())
    person = subscribers.show_by_id(rt, int(named["s"]))
    if person.state != "active":
        raise NotFound("There is no such feed.")
    with rt.begin() as session:
        muted = store.of_subscriber(session, person.id, now=rt.clock.now())
    silent = {one.row.subscription_id for one in muted}
    found: dict[int, dict[str, Any]] = {}
    for canonical in sorted({one.canonical for one in person.subscriptions if one.id not in silent}):
        try:
            met = notices.search(rt, q=canonical, limit=limit).items
        except QueryError:  # an interest of an older language harms no other
            continue
        found.update({one["id"]: one for one in met if person.commercial or not one["commercial"]})
    newest = sorted(found.values(), key=lambda one: (one["published_at"], one["id"]), reverse=True)
    return _audible(rt, newest, muted)[:limit]


def _audible(rt: Runtime, forms: list[dict[str, Any]], muted: list[Muted]) -> list[dict[str, Any]]:
    if not muted:
        return forms
    keeps_away = mutes.silenced(rt, muted)
    with rt.begin() as session:
        away = {one.id for one in search.some(session, [form["id"] for form in forms]) if keeps_away(one)}
    return [form for form in forms if form["id"] not in away]
