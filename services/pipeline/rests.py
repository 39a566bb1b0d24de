"""Who is to be left alone after an answer that asks for rest: its site, and the machine it stands on.

A machine that is out of breath serves several names. But at the addresses of content networks and of large
hosts live strangers, and one of them must not silence the others: they rest for an hour at most, and not at
all where many sites share an address.
"""

from datetime import datetime, timedelta

from feeds import politeness
from feeds.fetch import Failed, FailureReason
from feeds.sites import site_of
from services.http import Response
from services.runtime import Runtime
from services.storage import polling as store
from services.storage.polling import Rest
from services.storage.session import outlasting

NEIGHBOURS_REST = timedelta(hours=1)
FEW = 8  # sites at one address that may be one publisher's machine


def asked_for(rt: Runtime, told: Failed, answer: Response, url: str, *, now: datetime) -> Rest | None:
    """The rest that an answer of `url` asks for, if it does."""
    until = _until(told, now=now)
    if until is None:
        return None
    hosts = outlasting(lambda: _hosts_beside(rt, answer.address, site_of(url)), sleep=rt.clock.sleep)
    return Rest(site_of(url), until, hosts, min(until, now + NEIGHBOURS_REST))


def _hosts_beside(rt: Runtime, address: str, site: str) -> tuple[str, ...]:
    """Other sites' hosts at an address, as far as they are few."""
    with rt.begin() as session:
        hosts = store.hosts_at(session, address, at_most=10 * FEW)
    sites = {host: site_of(f"http://{host}") for host in hosts}
    if len(hosts) > 10 * FEW or len({site, *sites.values()}) > FEW:
        return ()
    return tuple(host for host in sorted(hosts) if sites[host] != site)


def _until(told: Failed, *, now: datetime) -> datetime | None:
    """Until when: it has had enough of us (RFC 6585), or is down."""
    asked_s = told.wishes.retry_after_s
    if asked_s is not None and told.reason in (FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE):
        return now + min(timedelta(seconds=min(asked_s, 10**8)), politeness.LONGEST_RETRY_AFTER)
    return now + politeness.FIRST_BACKOFF if told.reason is FailureReason.RATE_LIMITED else None
