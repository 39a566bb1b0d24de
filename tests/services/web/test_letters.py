"""Letters in a browser run nothing and load nothing, and the outbox exists only where mail is not sent."""

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.manage import outbox
from services.pipeline import deliver
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.services.web.conftest import read, words


@pytest.fixture
def key(site: TestClient, rt: Runtime) -> str:
    """The key of a letter that asks for confirmation."""
    site.post("/subscribe", data={"topic": "funding", "email": "anna@example.com", "do": "subscribe"})
    deliver.run_mail(rt)
    (letter,) = outbox.list_letters(rt)
    return letter.key


@pytest.mark.usefixtures("key")
def test_letters_are_listed_and_opened(site: TestClient) -> None:
    listed = read(site.get("/outbox").text)
    (address,) = listed.xpath("//main//h2/a/@href")
    page = site.get(address)
    assert "anna@example.com" in words(page.text)
    assert read(page.text).xpath('//div[@class="plain"]//a[contains(@href, "/confirm/")]')


def test_a_letter_is_shown_in_a_frame_without_rights(site: TestClient, key: str) -> None:
    (frame,) = read(site.get(f"/outbox/{key}").text).xpath("//iframe")
    assert "allow-scripts" not in frame.get("sandbox")
    assert "allow-same-origin" not in frame.get("sandbox")
    assert frame.get("title")
    inside = site.get(frame.get("src"))
    policy = inside.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert inside.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("key", ["nothing", "..%2F..%2Fsecret.key", "0" * 32 + ".goniec", "%00"])
def test_nothing_else_is_opened(site: TestClient, key: str) -> None:
    assert site.get(f"/outbox/{key}").status_code == 404
    assert site.get(f"/outbox/{key}/html").status_code == 404


def test_where_mail_is_sent_there_is_no_outbox(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(mail="smtp", smtp_url="smtp://localhost:2525")
    with TestClient(make_app(rt)) as site:
        assert site.get("/outbox").status_code == 404
        assert site.get("/outbox/x").status_code == 404
        assert 'href="/outbox"' not in site.get("/").text
