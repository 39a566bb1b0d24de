"""The whole way through real processes: from an institution's door to an inbox and to another system."""

import json
import re
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import standardwebhooks

from services.manage import accounts
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, WebDouble
from tests.factories import feed, institution, listener, reader, rows
from tests.feeds.bodies import rss
from tests.journeys.house import House
from tests.mails import Mail, mails

LINK = re.compile(r"https?://\S+?(/(?:confirm|u)/[\w.~-]+)")

MATCHED = "SELECT id FROM events WHERE state = 'matched' AND snapshot->>'title' = :title"


def wait_for_mail(house: House, sink: SmtpSink, to: str, count: int = 1) -> list[Mail]:
    house.wait(lambda: len(mails(sink, to)) >= count)
    return mails(sink, to)


def test_what_a_feed_says_reaches_the_inbox_of_who_asked(
    house: House, mail_server: SmtpSink, web: WebDouble
) -> None:
    item = "<title>Przetarg na most</title><guid>most-1</guid><link>https://miasto.example/most</link>"
    web.answer("/feed", Answer(headers=(("Content-Type", "application/rss+xml"),), body=rss(item)))
    reader(house.rt, "anna@feed.example", "mosty")
    reader(house.rt, "jan@feed.example", "tunele")

    feed(house.rt, web.url("/feed"), name="Urząd od mostów")

    (mail,) = wait_for_mail(house, mail_server, "anna@feed.example")
    assert mail.subject == "Przetarg na most"
    assert "Urząd od mostów" in mail.text
    assert "https://miasto.example/most" in mail.text
    assert mails(mail_server, "jan@feed.example") == []


def test_what_is_pushed_reaches_another_system_signed(house: House, web: WebDouble) -> None:
    web.answer("/hook", Answer(status=204))
    created = listener(house.rt, web.url("/hook"), "kind:job", consumer="praca")
    key = accounts.create_key(house.rt, institution=institution(house.rt, "Uczelnia")).key
    notice = {"key": "etat-1", "kind": "job", "title": "Etat w katedrze"}

    assert house.ask("POST", "/v1/notices", notice, key=key).status == 201
    web.wait_for(1, timeout_s=20)
    assert house.ask("POST", "/v1/notices", notice, key=key).status == 200  # unchanged: nothing is told
    assert house.ask("POST", "/v1/notices", notice | {"title": "Dwa etaty"}, key=key).status == 200
    web.wait_for(2, timeout_s=20)
    assert house.ask("DELETE", "/v1/notices/etat-1", key=key).status == 200
    calls = web.wait_for(3, timeout_s=20)

    told = [json.loads(call.body) for call in calls]
    assert [one["type"].split(".")[3] for one in told] == ["published", "revised", "withdrawn"]
    assert [one["data"]["title"] for one in told] == ["Etat w katedrze", "Dwa etaty", "Dwa etaty"]
    verifier = standardwebhooks.Webhook(created.secret)
    for call in calls:
        verifier.verify(call.body, dict(call.headers))
        signed_at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
        assert abs((datetime.now(UTC) - signed_at).total_seconds()) < 60


def test_from_signing_up_by_a_button_to_leaving_by_one_click(house: House, mail_server: SmtpSink) -> None:
    address = f"ola-{time.monotonic_ns()}@signup.example"
    key = accounts.create_key(house.rt, institution=institution(house.rt, "Biblioteka")).key
    wish = {"email": address, "interests": [{"query": "kind:research", "cadence": "instant"}], "locale": "en"}

    assert house.ask("POST", "/v1/subscribers", wish).status == 202
    (letter,) = wait_for_mail(house, mail_server, address)
    button = path_of(letter, "confirm")
    assert house.ask("GET", button).status == 200
    house.ask("POST", "/v1/notices", {"key": "r-0", "kind": "research", "title": "Too early"}, key=key)
    house.wait(lambda: bool(rows(house.rt, MATCHED, title="Too early")))
    assert form(house, button) == 200
    wait_for_mail(house, mail_server, address, 2)  # the welcome
    house.ask("POST", "/v1/notices", {"key": "r-1", "kind": "research", "title": "Found it"}, key=key)
    found = wait_for_mail(house, mail_server, address, 3)[2]
    assert found.subject == "Found it"

    click = urlsplit(str(found.message["list-unsubscribe"]).strip("<>")).path
    assert form(house, click, b"List-Unsubscribe=One-Click") == 200
    house.ask("POST", "/v1/notices", {"key": "r-2", "kind": "research", "title": "Too late"}, key=key)
    time.sleep(2)

    assert [mail.subject for mail in mails(mail_server, address)[2:]] == ["Found it"]


def path_of(mail: Mail, part: str) -> str:
    """Where the mail's link of this kind leads."""
    for found in LINK.finditer(mail.text):
        if found[1].startswith(f"/{part}/"):
            return found[1]
    raise AssertionError(f"no link to /{part}/ in {mail.text}")


def form(house: House, path: str, body: bytes = b"") -> int:
    return house.ask("POST", path, raw=body, media_type="application/x-www-form-urlencoded").status
