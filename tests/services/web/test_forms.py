"""A form is believed when it came from our own page, and only when it is of a sane size."""

import pytest
from starlette.testclient import TestClient

OWN = "http://goniec.example"
FORM = {"do": "show", "topic": "funding"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": OWN},
        {"Sec-Fetch-Site": "none"},
        {"Origin": OWN},
        {},
    ],
)
def test_our_own_form_is_read(site: TestClient, headers: dict[str, str]) -> None:
    assert site.post("/subscribe", data=FORM, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.goniec.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_form_is_refused(site: TestClient, headers: dict[str, str]) -> None:
    assert site.post("/subscribe", data=FORM, headers=headers).status_code == 403


def test_a_private_page_may_send_its_form_without_an_origin(site: TestClient, own_page: str) -> None:
    answer = site.post(own_page, data={"do": "resume"}, headers={"Origin": "null"})
    assert answer.status_code == 303


def test_a_form_that_is_too_long_is_refused(site: TestClient) -> None:
    assert site.post("/subscribe", data={"q": "x" * 70_000}).status_code == 413


def test_a_form_with_too_many_fields_is_refused(site: TestClient) -> None:
    answer = site.post("/subscribe", data={"topic": ["a"] * 400})
    assert answer.status_code == 422


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_what_is_no_form_is_refused(site: TestClient, media_type: str) -> None:
    answer = site.post("/subscribe", content=b"{}", headers={"Content-Type": media_type})
    assert answer.status_code == 422


def test_bytes_that_are_no_text_are_refused(site: TestClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post("/subscribe", content=b"q=\xff\xfe", headers=headers).status_code == 422
