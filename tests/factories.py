"""Worlds for tests in a line or two: a test states what it is about, these supply the rest.

Everything is made through the same doors as in life, so that no test stands on rows that cannot be.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, text

from services.domain import seal
from services.domain.drafts import Draft
from services.manage import endpoints, institutions, sources, subscribers, subscriptions
from services.manage.endpoints import CreatedEndpoint
from services.manage.subscribers import SubscriberView
from services.manage.subscriptions import Wish
from services.pipeline import accept, compose, deliver, feedback, hub, listen, match
from services.pipeline.accept import Accepted
from services.runtime import Runtime
from services.storage import institutions as owners
from services.storage import subscriptions as uses

CITY = "Gmina Testowa"


def institution(rt: Runtime, name: str = CITY, **given: Any) -> str:
    """The slug of the institution of this name; made at the first call."""
    for known in institutions.list_all(rt):
        if known.name == name:
            return known.slug
    return institutions.add(rt, name=name, **{"kind": "local_government", **given}).slug


def door(rt: Runtime, name: str = CITY) -> int:
    """The push source of an institution."""
    slug = institution(rt, name)
    with rt.begin() as session:
        owner = owners.by_slug(session, slug)
        assert owner is not None
        owner_id = owner.id
    return sources.push_source(rt, owner_id)


def feed(rt: Runtime, address: str, *, name: str = CITY, **given: Any) -> int:
    """The id of a feed's source, unchecked and due at once."""
    return sources.add(rt, address, institution=institution(rt, name), check=False, **given).id


def draft(key: str = "n-1", **given: Any) -> Draft:
    """A notice as a source gives it."""
    return Draft(**{"key": key, "title": f"Dotacje dla firm {key}", "kind": "call", **given})


def publish(rt: Runtime, *drafts: Draft, name: str = CITY) -> list[Accepted]:
    """Push drafts; without one, a single notice."""
    return accept.accept(rt, door(rt, name), drafts or [draft()])


def withdraw(rt: Runtime, *keys: str, name: str = CITY) -> list[Accepted]:
    return accept.withdraw(rt, door(rt, name), keys or ["n-1"])


def reader(
    rt: Runtime,
    email: str = "anna@mail.example",
    *queries: str,
    cadence: str = "instant",
    **given: Any,
) -> SubscriberView:
    """A confirmed subscriber; asks for calls when nothing else is said."""
    wishes = [
        Wish(query=query, label=f"zakres {query}", cadence=cadence) for query in queries or ["kind:call"]
    ]
    return subscribers.add_confirmed(rt, email=email, interests=wishes, **given)


def many_readers(rt: Runtime, number: int, query: str = "kind:call", *, prefix: str = "r") -> list[str]:
    """The addresses of so many readers of one query, by bulk: `prefix`-0@mail.example and on."""
    addresses = [f"{prefix}-{one}@mail.example" for one in range(number)]
    now, wish = rt.clock.now(), subscriptions.pledge(Wish(query, cadence="instant"))
    hashes = [seal.email_hash(rt.settings.secret_key, address) for address in addresses]
    with rt.begin() as session:
        interest_id = uses.intern(session, [wish.canonical], now=now)[wish.canonical]
        bound = {"emails": addresses, "hashes": hashes, "now": now, "query": query, "interest": interest_id}
        session.execute(_MANY_READERS, bound)
        uses.tell_matchers(session, [interest_id])
    return addresses


_MANY_READERS = text("""
    WITH people AS (
        INSERT INTO subscribers
            (email, email_hash, state, locale, timezone, created_at, confirmed_at, heard_at)
        SELECT email, hash, 'active', 'pl', 'Europe/Warsaw', :now, :now, :now
        FROM unnest(CAST(:emails AS text[]), CAST(:hashes AS bytea[])) AS v(email, hash)
        RETURNING id
    )
    INSERT INTO subscriptions (subscriber_id, interest_id, query, label, channel, cadence, created_at)
    SELECT id, :interest, :query, :query, 'email', 'instant', :now FROM people
""")


def listener(
    rt: Runtime, url: str, query: str = "kind:call", *, consumer: str = "integrator", **given: Any
) -> CreatedEndpoint:
    """A webhook endpoint."""
    return endpoints.add(rt, consumer, url=url, query=query, **given)


def carry(rt: Runtime) -> None:
    """All that is due goes its whole way: matched, composed, delivered, answered."""
    sending = (deliver.run_mail, deliver.run_webhooks)
    for stage in (match.run, compose.run, *sending, feedback.run, hub.run, listen.run):
        stage(rt)


def rows(rt: Runtime, query: str, **bound: object) -> Sequence[RowMapping]:
    """What the tables say."""
    with rt.begin() as session:
        return session.execute(text(query), bound).mappings().all()


def only(rt: Runtime, query: str, **bound: object) -> Mapping[str, Any]:
    """The one row that there must be."""
    found = rows(rt, query, **bound)
    assert len(found) == 1, f"{len(found)} rows"
    return dict(found[0])


def counts(rt: Runtime, query: str, **bound: object) -> dict[Any, Any]:
    """{first column: second column} of a query."""
    pairs = [tuple(row.values()) for row in rows(rt, query, **bound)]
    return {pair[0]: pair[1] for pair in pairs}
