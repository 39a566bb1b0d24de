"""One Goniec follows another by WebSub: our subscriber and our hub, over real sockets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from feeds.pool import ParserPool
from services.api.app import make_app
from services.clock import FrozenClock
from services.domain.source_hubs import Trust
from services.manage import source_hubs
from services.pipeline import hub, listen, match, poll
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import draft, feed, only, publish, rows
from tests.feeds.bodies import rss


@contextmanager
def standing(open_runtime: OpenRuntime, database_url: str) -> Iterator[tuple[Runtime, WebDouble]]:
    """A whole Goniec behind a socket."""
    with WebDouble() as door:
        rt = open_runtime(base_url=door.url(""), database_url=database_url)
        with TestClient(make_app(rt)) as client:

            def answer(received: Received) -> Answer:
                known = client.request(
                    received.method, received.path, content=received.body, headers=dict(received.headers)
                )
                headers = tuple((n, v) for n, v in known.headers.items() if n in ("content-type", "link"))
                return Answer(status=known.status_code, headers=headers, body=known.content)

            door.answer("*", answer)
            yield rt, door


def test_news_of_one_goniec_is_known_to_another_at_once(
    open_runtime: OpenRuntime, make_database: Callable[[], str], clock: FrozenClock
) -> None:
    with (
        standing(open_runtime, make_database()) as (teller, door),
        standing(open_runtime, make_database()) as (listener, _),
        ParserPool(size=1) as parsers,
    ):
        publish(teller, draft("first", title="Nabór pierwszy"))
        source_id = feed(listener, door.url("/feeds/notices.atom?q=kind%3Acall"))
        poll.run(listener, parsers)
        listen.run(listener, parsers)  # asks the hub
        hub.run(teller)  # asks back
        found = source_hubs.show(listener, source_id)
        assert found is not None
        assert (found.trust, found.last_error) == (Trust.NEW, None)

        clock.advance(timedelta(minutes=1))
        publish(teller, draft("second", title="Nabór drugi"))
        match.run(teller)
        hub.run(teller)  # tells
        listen.run(listener, parsers)
        titles = {row["title"] for row in rows(listener, "SELECT title FROM notices")}
        assert titles == {"Nabór pierwszy", "Nabór drugi"}
        found = source_hubs.show(listener, source_id)
        assert found is not None
        assert found.trust is Trust.TRUSTED
        assert only(teller, "SELECT last_error FROM hub_followers")["last_error"] is None


@pytest.mark.parametrize("given", [{"base_url": "http://localhost:8000"}, {"websub": False}])
def test_no_hub_is_asked_where_it_could_not_or_should_not_call(
    open_runtime: OpenRuntime, given: dict[str, Any]
) -> None:
    rt = open_runtime(**given)
    with WebDouble() as web, ParserPool(size=1) as parsers:
        link = ("Link", f'<{web.url("/hub")}>; rel="hub", <{web.url("/feed")}>; rel="self"')
        web.answer("/feed", Answer(headers=(link,), body=rss("<title>A</title><guid>a</guid>")))
        feed(rt, web.url("/feed"))
        poll.run(rt, parsers)
        assert listen.run(rt, parsers) == 0
        assert [one.path for one in web.received] == ["/feed"]
    assert rows(rt, "SELECT id FROM source_hubs") == []
