"""CloudEvents 1.0.2 coming in over HTTP: its three content modes become one form, a plain dictionary.

Pure: it knows nothing of what an event means here. The outgoing form is in `events.py`.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from services.errors import BadInput

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
_DATA = ("data", "data_base64")
REQUIRED = ("specversion", "id", "source", "type")
_NAME = re.compile(r"[a-z0-9]{1,40}")
_JSON = re.compile(r"application/json|application/[a-z0-9.+-]+\+json|text/json")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def from_structured(value: object) -> dict[str, Any]:
    """One event in the JSON format (section 3); `data_base64` is opened, an attribute of null is absent."""
    if not isinstance(value, dict):
        raise BadInput("A CloudEvent is a JSON object.")
    event = {name: one for name, one in value.items() if one is not None or name == "data"}
    for name in event:
        if name != "data_base64" and not _NAME.fullmatch(name):
            raise BadInput("The names of CloudEvents attributes are small letters and digits.")
    _check_attributes(event)
    if "data_base64" in event:
        if event.get("data") is not None:
            raise BadInput("A CloudEvent has `data` or `data_base64`, not both.")
        event["data"] = _json(_from_base64(event.pop("data_base64")))
    return event


def from_batch(value: object, *, most: int) -> list[Any]:
    """The events of a batch (section 4), each still to be read by `from_structured`."""
    if not isinstance(value, list):
        raise BadInput("A batch of CloudEvents is a JSON array.")
    if len(value) > most:
        raise BadInput(f"A batch has at most {most:,} events.", most=most)
    return value


def from_binary(headers: Iterable[tuple[str, str]], content_type: str, body: bytes) -> dict[str, Any]:
    """One event in the HTTP binding's binary mode: attributes in `ce-` headers, data in the body."""
    event: dict[str, Any] = {}
    for header, value in headers:
        name = header.lower()
        if not name.startswith("ce-"):
            continue
        name = name.removeprefix("ce-")
        if not _NAME.fullmatch(name) or name in ("data", "datacontenttype") or name in event:
            raise BadInput("A ce- header has a name that CloudEvents does not allow, or comes twice.")
        event[name] = decode_header(value)
    event["datacontenttype"] = content_type.partition(";")[0].strip().lower()
    _check_attributes(event)
    event["data"] = _json(body)
    return event


def is_binary(headers: Iterable[tuple[str, str]]) -> bool:
    return any(name.lower() == "ce-specversion" for name, _ in headers)


def decode_header(value: str) -> str:
    """The text of a `ce-` header (HTTP binding, 3.1.3.2): unquoted, then percent-decoded once as UTF-8."""
    if not value.isascii():
        raise BadInput("The value of a ce- header is ASCII; other characters are percent-encoded UTF-8.")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if _ESCAPE.search(value):
        raise BadInput("A ce- header holds a broken percent-encoding.")
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadInput("A ce- header is not UTF-8 once it is percent-decoded.") from exc


def read_json(body: bytes) -> Any:
    """A body as JSON. Raises BadInput, also for what nests too deep."""
    return _json(body)


def _check_attributes(event: dict[str, Any]) -> None:
    for name in REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise BadInput(f"The CloudEvent has no `{name}`.", attribute=name)
    if any(not _is_attribute(value) for name, value in event.items() if name not in _DATA):
        raise BadInput("An attribute of a CloudEvent is a text, a whole number or a truth value.")
    if event["specversion"] != "1.0":
        raise BadInput("This is not CloudEvents 1.0.", attribute="specversion")
    kind = event.get("datacontenttype", "application/json")
    if not isinstance(kind, str) or not _JSON.fullmatch(kind.partition(";")[0].strip().lower()):
        raise BadInput("The data of the CloudEvent must be JSON.", attribute="datacontenttype")


def _is_attribute(value: object) -> bool:
    """CloudEvents' type system as JSON has it (section 2.2 of the JSON format); 1.0 is a whole number too."""
    return isinstance(value, str | int) or (isinstance(value, float) and value.is_integer())


def _from_base64(value: object) -> bytes:
    try:
        if not isinstance(value, str):
            raise ValueError("not a text")
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadInput("`data_base64` is not Base64.") from exc


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadInput("The data of the CloudEvent is not JSON.") from exc
