"""Pages load nothing from elsewhere, run no inline script, and tell private addresses to nobody."""

import re

import pytest
from starlette.testclient import TestClient

from tests.services.web.conftest import read

OPEN = ["/", "/subscribe", "/about", "/bot", "/outbox", "/subscribe/sent"]


@pytest.mark.parametrize("path", OPEN)
def test_a_page_has_a_strict_policy(site: TestClient, path: str) -> None:
    answer = site.get(path)
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", OPEN)
def test_a_page_names_nothing_outside_and_holds_no_inline_code(site: TestClient, path: str) -> None:
    page = read(site.get(path).text)
    loaded = page.xpath("//link[@rel='stylesheet' or @rel='icon']/@href | //script/@src | //img/@src")
    assert all(address.startswith("/static/") for address in loaded)
    assert page.xpath("//script[not(@src)] | //style | //@style | //@*[starts-with(name(), 'on')]") == []


def test_private_pages_tell_no_referrer_and_are_kept_nowhere(site: TestClient, own_page: str) -> None:
    for path in (own_page, f"{own_page}/leave", f"{own_page}/export", "/manage/false", "/confirm/false"):
        answer = site.get(path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]


def test_files_are_kept_for_a_year_under_a_name_that_changes_with_them(site: TestClient) -> None:
    (address,) = read(site.get("/bot").text).xpath("//link[@rel='stylesheet']/@href")
    answer = site.get(address)
    assert re.search(r"max-age=31536000, immutable", answer.headers["cache-control"])
    again = site.get("/static/goniec.css", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fapp.py", "%2e%2e%2flocale", "goniec.css%00"])
def test_no_other_file_is_served(site: TestClient, name: str) -> None:
    assert site.get(f"/static/{name}").status_code == 404
