"""Sets the demo up as its people would, then lets the region speak: a notice every few seconds.

Everything goes in by the doors that real institutions use: feeds that are polled, and `POST /v1/notices`.
A demo that is started again on its folder goes on with what it finds there.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.cli.demo.site import Site, utc_now
from services.cli.demo.world import WARSAW, DemoInstitution, DemoNotice, institutions, later
from services.errors import Conflict, GoniecError
from services.http import Request, Response
from services.manage import accounts, endpoints, sources, subscribers, subscriptions
from services.manage import institutions as manage_institutions
from services.runtime import Runtime
from services.settings import Settings

EVERY_S = 8.0
CONSUMER = "Demo consumer"
Say = Callable[[str], object]


def play(settings: Settings, *, say: Say = print) -> int:
    """Run the demo's outside world until the process is ended."""
    rt = Runtime.open(settings)
    region = institutions(utc_now())
    site = Site(region, utc_now, port=settings.port + 1)
    coming = later(region)
    held = set(coming)
    try:
        for one in region:
            for notice in one.notices:
                if one.format != "push" and (one.slug, notice.key) not in held:
                    site.publish(one.slug, notice.key, notice.published_at)
        pusher = _set_up(rt, site, region)
        say(f"demo: the institutions' feeds and the webhook consumer are at {site.address}/received")
        by_slug = {one.slug: one for one in region}
        for slug, key in coming:
            time.sleep(EVERY_S)
            _let_appear(rt, site, by_slug[slug], key, pusher, say)
        say("demo: all forty notices are out; sign up at the address above and push one of your own.")
        while True:
            time.sleep(60)
    finally:
        site.close()
        rt.close()


@dataclass(frozen=True, slots=True)
class _Pusher:
    """Who pushes by the API, with the key for it."""

    key: str
    address: str


def _set_up(rt: Runtime, site: Site, region: list[DemoInstitution]) -> _Pusher:
    """Institutions, their sources, one key, three readers and one endpoint; what is there already stays."""
    for one in region:
        _unless_there(partial(manage_institutions.add, rt, name=one.name, kind=one.kind, place=one.place))
    slugs = {i.name: i.slug for i in manage_institutions.list_all(rt)}
    known = {s.address for s in sources.list_all(rt)}
    for old in sources.list_all(rt):  # addresses of an earlier run on another port
        if old.address and not old.address.startswith(f"{site.address}/"):
            sources.stop(rt, old.id, because="the demo was started again elsewhere")
    pusher = ""
    for one in region:
        if one.format == "push":
            pusher = accounts.create_key(rt, institution=slugs[one.name], label="demo").key
        else:
            address = f"{site.address}/feeds/{one.slug}"
            if address not in known:
                sources.add(rt, address, institution=slugs[one.name], places=[one.place], check=False)
    _add_readers(rt)
    add_consumer(rt, site)
    return _Pusher(pusher, f"http://127.0.0.1:{rt.settings.port}/v1/notices")


def _add_readers(rt: Runtime) -> None:
    soon = utc_now().astimezone(WARSAW) + timedelta(minutes=2)
    readers = [
        ("badaczka@example.org", "topic:ict-ai OR topic:health", "AI i zdrowie", "instant", "pl"),
        (
            "firma@example.org",
            "kind:(call OR offer OR tender)",
            "Nabory i oferty",
            f"daily@{soon:%H:%M}",
            "pl",
        ),
        ("clerk@example.org", "topic:local-government-planning OR energia", "Local plans", "hourly", "en"),
    ]
    for email, query, label, cadence, locale in readers:
        wish = subscriptions.Wish(query=query, label=label, cadence=cadence)
        reader = partial(subscribers.add_confirmed, rt, email=email, interests=[wish], locale=locale)
        _unless_there(partial(reader, timezone="Europe/Warsaw"))


def add_consumer(rt: Runtime, site: Site) -> None:
    """The consumer's endpoint; one of an earlier run stays, with what waits for it, under a new secret."""
    receiver = f"{site.address}/receiver"
    if known := endpoints.list_for(rt, CONSUMER):
        endpoints.patch(rt, CONSUMER, known[0].uid, url=receiver)
        made = endpoints.rotate(rt, CONSUMER, known[0].uid, overlap_hours=0)
    else:
        accounts.create_key(rt, consumer=CONSUMER, label="demo")
        made = endpoints.add(rt, CONSUMER, url=receiver, query="topic:funding OR kind:need", label="demo")
    site.secret = made.secret


def _let_appear(rt: Runtime, site: Site, one: DemoInstitution, key: str, pusher: _Pusher, say: Say) -> None:
    """The notice appears now: pushed by its institution, or in its feed, whose editor asks for a look."""
    now = utc_now()
    if one.format == "push":
        notice = next(n for n in one.notices if n.key == key)
        status = _push(rt, notice, pusher, site, now)
        say(f"demo: {one.name} pushed “{notice.title}” (HTTP {status})")
        return
    notice = site.publish(one.slug, key, now)
    address = f"{site.address}/feeds/{one.slug}"
    sources.poll_now(rt, [s.id for s in sources.list_all(rt) if s.address == address])
    say(f"demo: {one.name} published “{notice.title}” in its {one.format} feed")


def _push(rt: Runtime, notice: DemoNotice, pusher: _Pusher, site: Site, now: datetime) -> str:
    body = {
        "key": notice.key,
        "kind": notice.kind,
        "title": notice.title,
        "summary": notice.summary,
        "url": f"{site.address}/torun/{notice.key}",
        "language": notice.language,
        "topics": list(notice.topics),
        "places": [notice.place],
        "audience": list(notice.audience),
        "deadline_at": notice.deadline_at.isoformat()
        if notice.deadline_at and notice.deadline_at > now
        else None,
    }
    request = Request(
        url=pusher.address,
        method="POST",
        headers=(("Authorization", f"Bearer {pusher.key}"), ("Content-Type", "application/json")),
        body=json.dumps(body).encode(),
    )
    for _ in range(20):  # the web part may still be starting
        answer = rt.trusted_http.fetch_one(request)
        if isinstance(answer, Response):
            return str(answer.status)
        time.sleep(0.5)
    return "no answer"


def _unless_there(make: Callable[[], object]) -> None:
    try:
        make()
    except Conflict:
        return
    except GoniecError as error:
        raise SystemExit(f"demo: {error.message}") from error
