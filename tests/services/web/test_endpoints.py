"""A consumer's pages: in by a key or a link, everything about one's endpoints, nothing about another's."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.clock import FrozenClock
from services.domain import links
from services.manage import accounts, consumers, endpoints
from services.pipeline import replay
from services.runtime import Runtime
from tests import factories
from tests.doubles.web import Answer, WebDouble
from tests.services.web.conftest import read, words

SAME = {"Origin": "http://goniec.example"}
FOREIGN = {"Origin": "https://elsewhere.example"}


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("*", Answer(status=204))
        yield double


@pytest.fixture
def key(rt: Runtime) -> str:
    return accounts.create_key(rt, consumer="Portal").key


@pytest.fixture
def base(rt: Runtime, key: str) -> str:
    """Where the pages of the consumer “Portal” begin."""
    return f"/endpoints/{consumers.link_by_typed_key(rt, key).token}"


@pytest.fixture
def uid(rt: Runtime, web: WebDouble) -> str:
    return factories.listener(rt, web.url("/hook"), consumer="Portal").endpoint.uid


def press(site: TestClient, path: str, do: str, **given: Any) -> Any:
    return site.post(path, data={"do": do, **given}, headers=SAME)


def test_a_key_opens_the_pages_and_stands_in_no_address(site: TestClient, key: str) -> None:
    sent = site.post("/endpoints", data={"key": key}, headers=SAME)
    assert sent.status_code == 303
    assert key not in sent.headers["location"]
    page = site.get(sent.headers["location"])
    assert "Webhooks of Portal." in words(page.text)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_another_key_opens_nothing(site: TestClient, rt: Runtime) -> None:
    other = accounts.create_key(rt, institution=factories.institution(rt)).key
    for wrong in ("", "gon_" + "x" * 43, other):
        sent = site.post("/endpoints", data={"key": wrong}, headers=SAME)
        assert sent.status_code == 422
        assert "no key of a consumer" in sent.text


def test_a_link_ends_after_a_week_and_with_its_key(
    site: TestClient, rt: Runtime, key: str, base: str, clock: FrozenClock
) -> None:
    assert site.get(base).status_code == 200
    accounts.revoke_key(rt, accounts.authenticate(rt, key).key_id)
    ended = site.get(base)
    assert ended.status_code == 401
    assert "Open your endpoints anew" in ended.text
    given = consumers.link_by_name(rt, "Portal").url.removeprefix(rt.settings.base_url)
    assert site.get(given).status_code == 200
    clock.advance(timedelta(days=7, seconds=1))
    assert site.get(given).status_code == 422


def test_no_other_link_opens_them(site: TestClient, rt: Runtime, uid: str) -> None:
    secret = rt.settings.secret_key
    for token in ("guess", links.manage_token(secret, 1), links.stay_token(secret, 1)):
        for path in (f"/endpoints/{token}", f"/endpoints/{token}/{uid}", f"/endpoints/{token}/new"):
            assert site.get(path).status_code == 422


def test_an_endpoint_is_added_and_its_secret_shown_once(
    site: TestClient, rt: Runtime, base: str, web: WebDouble
) -> None:
    factories.publish(rt)
    form = {"url": web.url("/hook"), "q": "kind:call", "label": "<Portal>", "content": "thin"}
    assert "1 notice" in words(press(site, f"{base}/new", "show", **form).text)
    assert endpoints.list_for(rt, None) == []
    made = press(site, f"{base}/new", "add", **form)
    assert made.status_code == 201
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    [one] = endpoints.list_for(rt, None)
    assert (one.consumer, one.label, one.content) == ("Portal", "<Portal>", "thin")
    for path in (base, f"{base}/{one.uid}", f"{base}/{one.uid}/deliveries"):
        page = site.get(path)
        assert page.status_code == 200
        assert secret not in page.text
        assert "<Portal>" not in page.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"url": "http://169.254.169.254/", "q": "kind:call"}, "This cannot be accepted."),
        ({"url": "ftp://x", "q": "kind:call"}, "This cannot be accepted."),
        ({"url": "URL", "q": "topic:"}, "The query cannot be read"),
        ({"url": "URL", "q": ""}, "The query cannot be read"),
        ({"url": "URL", "q": "kind:call", "format": "morse"}, "This cannot be accepted."),
    ],
)
def test_what_cannot_be_accepted_is_told_and_the_form_kept(
    site: TestClient, rt: Runtime, base: str, web: WebDouble, form: dict[str, str], said: str
) -> None:
    form = {**form, "url": form["url"].replace("URL", web.url("/hook")), "label": "kept"}
    page = press(site, f"{base}/new", "add", **form)
    assert page.status_code == 422
    assert said in page.text
    assert 'value="kept"' in page.text
    assert endpoints.list_for(rt, None) == []


def test_it_is_paused_resumed_changed_tested_and_removed(
    site: TestClient, rt: Runtime, base: str, uid: str, web: WebDouble
) -> None:
    path = f"{base}/{uid}"
    assert press(site, path, "pause").headers["location"] == f"{path}?told=paused"
    assert "You paused it." in site.get(path).text
    assert endpoints.show(rt, None, uid).state == "paused"
    press(site, path, "resume")
    assert "The test event was taken." in press(site, path, "test").text
    web.answer("/hook", Answer(status=500))
    assert "The test event was not taken." in press(site, path, "test").text
    form = {"url": web.url("/two"), "q": "kind:job", "pace": "2,5", "ordered": "yes", "schedule": "0, 5"}
    assert press(site, path, "settings", **form).status_code == 303
    changed = endpoints.show(rt, None, uid)
    assert (changed.query, changed.max_per_s, changed.is_ordered) == ("kind:job", 2.5, True)
    assert changed.schedule_s == [0, 5]
    for wrong in ({"pace": "fast"}, {"schedule": "soon"}, {"url": "http://10.0.0.1/"}, {"q": "("}):
        assert press(site, path, "settings", **{**form, **wrong}).status_code == 422
    assert press(site, path, "dance").status_code == 422
    assert press(site, path, "remove").headers["location"] == f"{base}?told=removed"
    assert endpoints.list_for(rt, None) == []


def test_a_rotated_secret_is_shown_in_that_answer_alone(site: TestClient, base: str, uid: str) -> None:
    page = press(site, f"{base}/{uid}", "rotate", overlap="24")
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)
    assert secret not in site.get(f"{base}/{uid}").text
    assert press(site, f"{base}/{uid}", "rotate", overlap="9999").status_code == 422


def test_the_receiver_is_tested_with_a_report(site: TestClient, base: str, uid: str) -> None:
    page = press(site, f"{base}/{uid}", "check")
    said = words(page.text)
    assert "It is not ready" in said
    assert "A wrong signature failed" in said
    assert "compute the signature over the raw body" in said
    assert "A good call passed" in said


def test_a_replay_is_begun_watched_and_ended(site: TestClient, rt: Runtime, base: str, uid: str) -> None:
    factories.publish(rt, *(factories.draft(f"n-{n}") for n in range(60)))
    factories.carry(rt)
    path = f"{base}/{uid}"
    assert press(site, path, "replay", what="all").status_code == 303
    again = press(site, path, "replay", what="all")
    assert (again.status_code, "A replay is under way" in again.text) == (422, True)
    replay.run(rt)
    said = words(site.get(path).text)
    assert "0 of 60" in said
    (job,) = read(site.get(path).text).xpath("//input[@name='replay']/@value")
    assert press(site, path, "cancel", replay=job).status_code == 303
    assert "Ended early" in site.get(path).text
    assert press(site, path, "replay", what="some").status_code == 422
    assert press(site, path, "replay", what="all", since="2020-01-01").status_code == 422


def test_deliveries_are_found_by_state_type_time_and_words(
    site: TestClient, rt: Runtime, base: str, uid: str, web: WebDouble
) -> None:
    factories.publish(rt, factories.draft("a", title="Bony na <b>badania</b>"))
    factories.carry(rt)
    web.answer("/hook", Answer(status=500, body=b"<script>alert(1)</script> no room"))
    factories.publish(rt, factories.draft("b", title="Stypendia"))
    factories.carry(rt)
    path = f"{base}/{uid}/deliveries"

    def found(**asked: str) -> list[str]:
        return [one.strip() for one in read(site.get(path, params=asked).text).xpath("//main//h2/a/text()")]

    assert found() == ["Stypendia", "Bony na <b>badania</b>"]
    assert found(state="retry") == ["Stypendia"]
    assert found(q="STYPENDIA") == ["Stypendia"]
    assert found(q="no room") == ["Stypendia"]
    assert found(q="%") == []
    assert found(type="withdrawn") == []
    assert found(type="published", since="2026-11-23", until="2026-11-23") == found()
    assert found(since="2026-11-24") == []
    for wrong in ({"state": "odd"}, {"type": "odd"}, {"since": "soon"}, {"after": "x"}):
        assert site.get(path, params=wrong).status_code == 422


def test_one_delivery_shows_what_was_sent_and_what_came_back_and_runs_none_of_it(
    site: TestClient, rt: Runtime, base: str, uid: str, web: WebDouble
) -> None:
    web.answer("/hook", Answer(status=500, body=b"<script>alert(1)</script>"))
    factories.publish(rt, factories.draft(title="Bony </pre><script>x</script>"))
    factories.carry(rt)
    (link,) = read(site.get(f"{base}/{uid}/deliveries").text).xpath("//main//h2/a/@href")
    page = site.get(link)
    assert "<script>alert" not in page.text
    assert "<script>x" not in page.text
    sent = "".join(read(page.text).xpath("//pre//text()"))
    assert "<script>alert(1)</script>" in sent
    assert web.received[0].body.decode() in sent
    assert web.received[0].headers["webhook-id"] in sent
    web.answer("/hook", Answer(status=204))
    assert press(site, link, "resend").headers["location"] == f"{link}?told=resent"
    factories.carry(rt)
    assert "was taken" in words(site.get(link).text)
    assert len(web.received) == 2
    assert press(site, link, "burn").status_code == 422


def test_looking_changes_nothing_and_calls_nobody(
    site: TestClient, rt: Runtime, base: str, uid: str, web: WebDouble
) -> None:
    factories.publish(rt)
    factories.carry(rt)
    tables = ("endpoints", "deliveries", "attempts", "replays")
    before = {name: factories.rows(rt, f"SELECT * FROM {name} ORDER BY 1") for name in tables}
    (link,) = read(site.get(f"{base}/{uid}/deliveries").text).xpath("//main//h2/a/@href")
    for path in (base, f"{base}/new?q=kind:call", f"{base}/{uid}?do=remove", link):
        assert site.get(path).status_code == 200
    assert {name: factories.rows(rt, f"SELECT * FROM {name} ORDER BY 1") for name in tables} == before
    assert len(web.received) == 1


def test_nobody_reaches_anothers_endpoint(site: TestClient, rt: Runtime, uid: str, web: WebDouble) -> None:
    factories.publish(rt)
    factories.carry(rt)
    [delivery] = factories.rows(rt, "SELECT uid FROM deliveries")
    accounts.create_key(rt, consumer="Stranger")
    stranger = consumers.link_by_name(rt, "Stranger").url.removeprefix(rt.settings.base_url)
    path, call = f"{stranger}/{uid}", f"{stranger}/{uid}/deliveries/msg_{delivery['uid'].hex}"
    assert uid not in site.get(stranger).text
    for one in (path, f"{path}/deliveries", call):
        assert site.get(one).status_code == 404
    for do in (
        "settings",
        "pause",
        "resume",
        "test",
        "check",
        "rotate",
        "replay",
        "cancel",
        "contact",
        "remove",
    ):
        given = {
            "overlap": "24",
            "what": "all",
            "url": web.url("/hook"),
            "q": "kind:call",
            "email": "a@b.example",
        }
        assert press(site, path, do, **given).status_code == 404, do
    assert press(site, call, "resend").status_code == 404
    own = factories.listener(rt, web.url("/own"), consumer="Stranger").endpoint.uid
    mixed = f"{stranger}/{own}/deliveries/msg_{delivery['uid'].hex}"
    assert site.get(mixed).status_code == 404
    assert press(site, mixed, "resend").status_code == 404
    assert len(web.received) == 1


def test_another_sites_form_does_nothing(
    site: TestClient, rt: Runtime, key: str, base: str, uid: str
) -> None:
    for path, given in (
        ("/endpoints", {"key": key}),
        (f"{base}/new", {"do": "add", "url": "http://127.0.0.1:9/", "q": "kind:call"}),
        (f"{base}/{uid}", {"do": "remove"}),
    ):
        assert site.post(path, data=given, headers=FOREIGN).status_code == 403
    assert len(endpoints.list_for(rt, None)) == 1


def test_a_receiver_that_does_not_consent_is_paused_and_the_page_says_so(
    site: TestClient, rt: Runtime, base: str, web: WebDouble
) -> None:
    web.answer("/hook", Answer(headers=(("WebHook-Allowed-Origin", "<other>.example"),)))
    press(site, f"{base}/new", "add", url=web.url("/hook"), q="kind:call")
    [one] = endpoints.list_for(rt, None)
    page = site.get(f"{base}/{one.uid}").text
    assert "The receiver does not let us call it." in page
    assert "<other>" not in page
    press(site, f"{base}/{one.uid}", "resume")
    assert endpoints.show(rt, None, one.uid).state == "paused"
    web.answer("/hook", Answer(headers=(("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "120"))))
    assert press(site, f"{base}/{one.uid}", "resume").headers["location"].endswith("?told=resumed")
    assert "120 calls a minute" in site.get(f"{base}/{one.uid}").text


def test_an_endpoint_is_told_in_digests_and_the_page_says_when(
    site: TestClient, rt: Runtime, base: str, web: WebDouble
) -> None:
    form = {"url": web.url("/hook"), "q": "kind:call", "cadence": "daily@07:00"}
    press(site, f"{base}/new", "add", **form)
    [one] = endpoints.list_for(rt, None)
    assert one.cadence == "daily@07:00"
    assert "next digest" in site.get(f"{base}/{one.uid}").text
    press(site, f"{base}/{one.uid}", "settings", **{**form, "cadence": "monthly:1@08:00"})
    assert 'value="monthly:1@08:00" selected' in site.get(f"{base}/{one.uid}").text
    press(site, f"{base}/{one.uid}", "settings", **{**form, "cadence": "instant"})
    assert endpoints.show(rt, None, one.uid).next_digest_at is None
