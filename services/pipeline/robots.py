"""May these addresses be read? Each site's robots.txt is asked once a day, kept in a row, and obeyed.

Of pages whatever is said to all; of the address of a feed, which was given out for machines to read, only
what is said to us by name. Never inside a transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Those of the addresses that must not be read, and the origins that were asked for it now."""

    forbidden: frozenset[str]
    asked: frozenset[str]


def forbidden(rt: Runtime, urls: Iterable[str]) -> frozenset[str]:
    """Those of the pages that their sites ask machines not to read."""
    return judged(rt, pages=urls).forbidden


def judged(
    rt: Runtime, *, pages: Iterable[str], feeds: Iterable[str] = (), agent: str | None = None,
    heard: dict[str, Told] | None = None,
) -> Verdict:  # fmt: skip
    """What sites say of their pages, and of addresses that an editor gave: those obey only what names us.

    `heard` is what was heard in this round already, and grows; `agent` is as whom we ask.
    """
    said = {} if heard is None else heard
    of_pages, of_feeds = set(pages), set(feeds)
    wanted = {url: robots.origin_of(url) for url in of_pages | of_feeds}
    if not wanted:
        return Verdict(frozenset(), frozenset())
    now = rt.clock.now()
    if new := set(wanted.values()) - said.keys():
        with rt.begin() as session:
            said |= store.remembered(session, new, since=now - HOLDS)
    missing = sorted(set(wanted.values()) - said.keys())
    if missing:
        fetched = _ask(rt, missing, agent)
        said |= {one.origin: one for one in fetched}
        with rt.begin() as session:
            store.remember(session, fetched, now=now)
    return Verdict(
        frozenset(
            url for url, origin in wanted.items() if not _may(said[origin], url, is_page=url in of_pages)
        ),
        frozenset(missing),
    )


def _may(told: Told, url: str, *, is_page: bool) -> bool:
    judge = robots.allows if is_page else robots.allows_by_name
    return judge(told.status, told.body, url, agent=AGENT)


def _ask(rt: Runtime, origins: Iterable[str], agent: str | None) -> list[Told]:
    headers = (("Accept", "text/plain, */*;q=0.1"), *((("User-Agent", agent),) if agent else ()))
    requests = [
        Request(
            f"{origin}/robots.txt", headers=headers, max_bytes=MAX_BYTES,
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
