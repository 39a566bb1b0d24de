"""May these pages be read? Each site's robots.txt is asked once a day, kept in a row, and obeyed.

For pages alone: an address of a feed was given out for machines to read. Never inside a transaction.
"""

from collections.abc import Iterable
from datetime import timedelta

from feeds import robots
from feeds.decode import decode
from services.http import Request, Response
from services.runtime import Runtime
from services.storage import robots as store
from services.storage.robots import Told

AGENT = "goniec"
HOLDS = timedelta(hours=24)
MAX_BYTES = 500_000
TIMEOUT_S = 15.0
REDIRECTS = 5


def forbidden(rt: Runtime, urls: Iterable[str]) -> set[str]:
    """Those of the addresses that their sites ask machines not to read."""
    wanted = {url: robots.origin_of(url) for url in urls}
    if not wanted:
        return set()
    now = rt.clock.now()
    with rt.begin() as session:
        said = store.remembered(session, set(wanted.values()), since=now - HOLDS)
    missing = sorted(set(wanted.values()) - set(said))
    if missing:
        fetched = _ask(rt, missing)
        with rt.begin() as session:
            store.remember(session, fetched, now=now)
        said |= {one.origin: one for one in fetched}
    return {
        url
        for url, origin in wanted.items()
        if not robots.allows(said[origin].status, said[origin].body, url, agent=AGENT)
    }


def _ask(rt: Runtime, origins: Iterable[str]) -> list[Told]:
    requests = [
        Request(
            f"{origin}/robots.txt", headers=(("Accept", "text/plain, */*;q=0.1"),), max_bytes=MAX_BYTES,
            total_timeout_s=TIMEOUT_S, redirects=REDIRECTS, tag=origin,
        )
        for origin in origins
    ]  # fmt: skip
    return [
        Told(str(request.tag), answer.status, decode(answer.body).text.replace("\x00", ""))
        if isinstance(answer, Response)
        else Told(str(request.tag), None, "")
        for request, answer in rt.http.fetch(requests)
    ]
