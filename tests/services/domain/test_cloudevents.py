"""CloudEvents coming in: the three content modes, and what is refused in each."""

import base64
import json
from typing import Any

import pytest

from services.domain import cloudevents
from services.errors import BadInput

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "https://um.example",
    "type": "pl.goniec.notice.published.v1",
    "data": {"key": "a"},
}
HEADERS = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/um"), ("ce-type", "t")]


def test_a_structured_event_is_taken_as_it_stands() -> None:
    assert cloudevents.from_structured(EVENT) == EVENT


def test_an_attribute_of_null_is_absent() -> None:
    assert "subject" not in cloudevents.from_structured({**EVENT, "subject": None})


def test_data_in_base64_is_opened() -> None:
    event = {**EVENT, "data_base64": base64.b64encode(b'{"key": "b"}').decode()}
    del event["data"]
    assert cloudevents.from_structured(event)["data"] == {"key": "b"}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "event",
        None,
        {**EVENT, "specversion": "0.3"},
        {**EVENT, "id": ""},
        {**EVENT, "id": 7},
        {**EVENT, "source": None},
        {**EVENT, "Wrong-Name": "x"},
        {**EVENT, "data_base64": "e30="},
        {k: v for k, v in EVENT.items() if k != "data"} | {"data_base64": "%%"},
        {k: v for k, v in EVENT.items() if k != "data"} | {"data_base64": 5},
        {k: v for k, v in EVENT.items() if k != "data"} | {"data_base64": "bm90IGpzb24="},
        {**EVENT, "datacontenttype": "text/xml"},
        {**EVENT, "datacontenttype": 1},
        {**EVENT, "extension": {}},
        {**EVENT, "extension": 1.5},
    ],
)
def test_what_is_no_event_is_refused(wrong: object) -> None:
    with pytest.raises(BadInput):
        cloudevents.from_structured(wrong)


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    body = json.dumps({"key": "ą"}).encode()
    event = cloudevents.from_binary([*HEADERS, ("Ce-Subject", "a%C5%82a")], "application/json; x=1", body)
    assert event["subject"] == "ała"
    assert event["datacontenttype"] == "application/json"
    assert event["data"] == {"key": "ą"}


def test_headers_tell_a_binary_event() -> None:
    assert cloudevents.is_binary(HEADERS)
    assert not cloudevents.is_binary([("content-type", "application/json")])


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("plain", "plain"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ('"quoted \\"text\\""', 'quoted "text"'),
        ("100%25", "100%"),
        ('"', '"'),
    ],
)
def test_header_values_are_unquoted_and_percent_decoded_once(sent: str, meant: str) -> None:
    assert cloudevents.decode_header(sent) == meant


@pytest.mark.parametrize("sent", ["50%", "%zz", "%C3%28", "łódź", "%ED%A0%80"])
def test_a_broken_header_value_is_refused(sent: str) -> None:
    with pytest.raises(BadInput):
        cloudevents.decode_header(sent)


@pytest.mark.parametrize(
    ("headers", "kind", "body"),
    [
        (HEADERS[1:], "application/json", b"{}"),
        ([*HEADERS, ("ce-bad_name", "x")], "application/json", b"{}"),
        ([*HEADERS, ("ce-id", "2")], "application/json", b"{}"),
        (HEADERS, "text/plain", b"{}"),
        (HEADERS, "application/json", b"{"),
        (HEADERS, "application/json", b"[" * 100_000),
        (HEADERS, "application/json", b"\xff"),
    ],
)
def test_a_broken_binary_event_is_refused(headers: list[tuple[str, str]], kind: str, body: bytes) -> None:
    with pytest.raises(BadInput):
        cloudevents.from_binary(headers, kind, body)


def test_a_batch_is_an_array_of_bounded_length() -> None:
    assert cloudevents.from_batch([1, 2], most=2) == [1, 2]
    with pytest.raises(BadInput):
        cloudevents.from_batch({}, most=2)
    with pytest.raises(BadInput):
        cloudevents.from_batch([1, 2, 3], most=2)
